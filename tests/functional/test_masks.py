"""Dropout masks: SplitMix64 by plain integers, and what a mask must not depend on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassmax import Network
from glassmax.errors import ShapeError
from glassmax.functional.masks import dropout_mask

ALL = 2**64 - 1


def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & ALL
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & ALL
    return z ^ (z >> 31)


def draw(key, counter):
    return mix((key + (counter + 1) * 0x9E3779B97F4A7C15) & ALL)


def by_hand(seed, step, layer, row, unit, rate):
    u = draw(draw(draw(draw(seed, step), layer), row), unit)
    return 1 / (1 - rate) if (u >> 11) / 2**53 >= rate else 0.0


def test_the_generator_is_splitmix64():
    # the first outputs for the seed 1234567, as published with the reference code in C
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [draw(1234567, counter) for counter in range(3)] == published


@given(
    seed=st.integers(0, 2**63 - 1),
    step=st.integers(0, 2**40),
    layer=st.integers(1, 50),
    rows=st.lists(st.integers(0, 2**40), min_size=1, max_size=4),
    units=st.integers(1, 4),
    rate=st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.999]),
)
def test_a_mask_is_the_one_made_by_hand(seed, step, layer, rows, units, rate):
    expected = [[by_hand(seed, step, layer, row, unit, rate) for unit in range(units)] for row in rows]
    np.testing.assert_array_equal(dropout_mask(seed, step, layer, np.array(rows), units, rate), expected)


def test_a_row_keeps_its_units_in_any_batch():
    rows = np.random.default_rng(0).permutation(1000)
    whole = dropout_mask(7, 3, 2, np.arange(1000), 20, 0.4)
    np.testing.assert_array_equal(dropout_mask(7, 3, 2, rows[:30], 20, 0.4), whole[rows[:30]])


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_the_share_dropped_is_the_rate_and_the_mean_is_one(rate):
    mask = dropout_mask(1, 0, 1, np.arange(4000), 50, rate)
    assert (mask == 0).mean() == pytest.approx(rate, abs=0.005)
    assert mask.mean() == pytest.approx(1, abs=0.02)
    shares = (mask == 0).mean(axis=0)
    assert np.abs(shares - rate).max() < 0.04  # every unit alike
    assert np.abs(np.corrcoef(mask.T) - np.eye(50)).max() < 0.08  # and independent of the others


@pytest.mark.parametrize("change", [(1, 0, 1), (0, 1, 1), (0, 0, 2)], ids=["seed", "step", "layer"])
def test_seed_step_and_layer_give_other_masks(change):
    rows = np.arange(500)
    agree = (dropout_mask(0, 0, 1, rows, 40, 0.5) == dropout_mask(*change, rows, 40, 0.5)).mean()
    assert agree == pytest.approx(0.5, abs=0.02)


def test_a_rate_of_0_drops_nothing():
    np.testing.assert_array_equal(dropout_mask(0, 0, 1, np.arange(9), 9, 0.0), np.ones((9, 9)))


def test_float32_masks_are_float32():
    assert dropout_mask(0, 0, 1, np.arange(2), 2, 0.5, np.float32).dtype == np.float32


# in the network


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
@pytest.mark.parametrize("sizes", [(4, 6, 3), (4, 6, 5, 3)])
def test_gradients_under_masks_are_exact(activation, sizes):
    net = Network(sizes, activation=activation, l2=0.1)
    random = np.random.default_rng(0)
    X, y, w = random.standard_normal((7, 4)), np.arange(7) % 3, np.array([1.0, 2.0, 0.0, 1.0, 0.5, 3.0, 1.0])
    masks = {layer: dropout_mask(5, 2, layer, np.arange(7), h, 0.4) for layer, h in enumerate(sizes[1:-1], 1)}
    assert net.check_gradients(X, y, w, masks=masks).correct
    assert not np.allclose(
        net.loss_and_gradients(X, y, w, masks=masks)[1].flat, net.loss_and_gradients(X, y, w)[1].flat
    )


def test_a_unit_dropped_for_all_rows_is_a_unit_that_is_not_there():
    net = Network([4, 3, 2], activation="tanh")
    X, y = np.random.default_rng(0).standard_normal((5, 4)), np.array([0, 1, 1, 0, 1])
    mask = np.tile([1.0, 0.0, 1.0], (5, 1))
    W1, b1, W2, b2 = net.parameters.values()
    without = Network.from_parameters(
        {"W1": W1[:, [0, 2]], "b1": b1[[0, 2]], "W2": W2[[0, 2]], "b2": b2}, activation="tanh"
    )
    assert net.loss(X, y, masks={1: mask}) == pytest.approx(without.loss(X, y), rel=1e-14)
    _, gradients = net.loss_and_gradients(X, y, masks={1: mask})
    assert not gradients["W1"][:, 1].any()
    assert not gradients["W2"][1].any()


def test_a_mask_of_another_shape_is_named_whatever_the_weights():
    net = Network([4, 3, 2])
    X, y, w = np.ones((5, 4)), np.array([0, 1, 1, 0, 1]), np.array([1.0, 0.0, 1.0, 1.0, 1.0])
    for weights in (None, w):
        with pytest.raises(ShapeError, match=r"The mask of layer 1 is \(1, 3\), expected \(5, 3\)\."):
            net.loss(X, y, weights, masks={1: np.ones((1, 3))})
