"""The order of rows: a permutation in each epoch, the one that its docstring writes down, well mixed."""

import numpy as np
import pytest

from glassmax.streaming.order import BLOCK_ROWS, Order, blocks_in_window, is_validation, rows_in_block

MASK = 2**64 - 1


def draw(key, i):
    """Return output i of SplitMix64 seeded with key, in Python's own integers."""
    z = (key + (i + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def place_of(window, n, seed, epoch):
    """Return P(w), as the docstring writes it down."""
    place, half = window, 1
    while 4**half < n:
        half += 1
    while True:
        left, right = place >> half, place % 2**half
        for r in range(6):
            left, right = right, left ^ (draw(draw(draw(draw(seed, 0), epoch), r), right) % 2**half)
        place = left * 2**half + right
        if place < n:
            return place


@pytest.mark.parametrize("n_rows", [1, 63, 64, 65, 129, 1000, 64 * 16, 64 * 17 + 5])
@pytest.mark.parametrize("seed", [0, 1, MASK])
@pytest.mark.parametrize("size", [64, 8])
def test_the_order_is_the_one_that_the_docstring_writes_down(n_rows, seed, size):
    order = Order(n_rows, seed, window_blocks=3, block_rows=size)
    n_blocks = -(-n_rows // size)
    n = -(-n_blocks // 3)
    assert (order.n_blocks, order.n_windows) == (n_blocks, n)
    for epoch in (0, 5):
        key = draw(draw(seed, 4), epoch)
        windows = order.windows(epoch)
        for window in range(n):
            place = place_of(window, n, seed, epoch)
            here = [s * n + (place + draw(key, s)) % n for s in range(-(-n_blocks // n))]
            here = [b for b in here if b < n_blocks]
            rows = [row for b in here for row in range(size * b, min(size * b + size, n_rows))]
            rows.sort(key=lambda row: draw(draw(draw(seed, 1), epoch), row))
            assert order.blocks(epoch, window).tolist() == here
            assert order.rows(epoch, window).tolist() == rows
            assert len(rows) <= order.window_rows
            assert np.flatnonzero(windows == window).tolist() == here


@pytest.mark.parametrize("n_rows", [1, 2, 64, 200, 4097, 100_000])
def test_an_epoch_takes_each_row_once(n_rows):
    order = Order(n_rows, 3, window_blocks=8)
    rows = np.concatenate([order.rows(2, window) for window in range(order.n_windows)])
    assert np.array_equal(np.sort(rows), np.arange(n_rows))


def test_epochs_seeds_and_windows_differ():
    order = Order(64 * 256, 3, window_blocks=64)
    first = order.rows(0, 0)
    assert not np.array_equal(first, order.rows(1, 0))
    assert not np.array_equal(first, Order(64 * 256, 4, 64).rows(0, 0))
    assert not np.array_equal(order.places(0, np.arange(64)), order.places(1, np.arange(64)))


def test_windows_of_rows_sorted_by_label_have_every_label():
    order = Order(64 * 4096, 0, window_blocks=256)
    label = np.arange(64 * 4096) * 4 // (64 * 4096)
    for window in range(order.n_windows):
        rows = order.rows(0, window)
        shares = np.bincount(label[rows], minlength=4) / len(rows)
        assert abs(shares - 0.25).max() <= 1 / 256  # a block more or less
        of_batch = np.bincount(label[rows[:256]], minlength=4) / 256
        assert abs(of_batch - shares).max() < 0.12


def test_windows_of_rows_sorted_by_many_labels_have_about_as_many_rows_of_each():
    n, labels = 64 * 4096, 400
    order = Order(n, 0, blocks_in_window(80, 8) // 4, rows_in_block(80, labels))
    label = np.arange(n) * labels // n
    counts = [np.bincount(label[order.rows(0, window)], minlength=labels) for window in range(order.n_windows)]
    assert order.block_rows == 8
    assert abs(np.array(counts) - n / labels / order.n_windows).max() <= 2 * 8  # two blocks


def test_windows_of_blocks_are_uniform_and_independent_in_different_strata():
    n, strata, epochs = 37, 2, 2000
    orders = Order(n * strata * BLOCK_ROWS, 11, strata)
    blocks = np.array([orders.blocks(epoch, 5) for epoch in range(epochs)]) - np.arange(strata) * n
    for pair in (blocks[:, 0], blocks[:, 1], (blocks[:, 0] - blocks[:, 1]) % n):
        counts, expected = np.bincount(pair, minlength=n), epochs / n
        chi_square = ((counts - expected) ** 2 / expected).sum()
        assert abs(chi_square - (n - 1)) < 5 * np.sqrt(2 * (n - 1))


def test_any_place_of_a_very_long_epoch_is_found_at_once():
    order = Order(10**15, 5, 1024)
    blocks = order.blocks(9, order.n_windows - 1)
    assert len(set(blocks.tolist())) == len(blocks)
    assert blocks.min() >= 0
    assert blocks.max() < order.n_blocks


def test_validation_rows_are_those_that_the_docstring_writes_down_and_as_many_as_asked_for():
    held = is_validation(9, np.arange(20_000), 0.1)
    assert held[:300].tolist() == [(draw(draw(9, 2), row) >> 11) / 2**53 < 0.1 for row in range(300)]
    assert abs(held.mean() - 0.1) < 0.01
    assert not is_validation(9, np.arange(20_000), 0.0).any()
    assert np.array_equal(held, is_validation(9, np.arange(20_000), 0.2) & held)  # a larger share keeps them


def test_a_window_takes_at_most_32_megabytes_or_one_block():
    assert [blocks_in_window(size) for size in (1, 512, 513, 2**19, 2**30)] == [1024, 1024, 1022, 1, 1]
    assert [blocks_in_window(size, 8) for size in (1, 512, 513, 2**19, 2**30)] == [8192, 8192, 8176, 8, 1]
