"""The order in which an epoch takes its rows: a function of (seed, epoch, row) alone.

Rows are numbered from 0 through all files. 64 consecutive rows are a block; the last block may be shorter. An epoch
takes all blocks in a new order, a window of consecutive places in this order at a time, and the rows of a window in a
new order too. No array as long as the number of rows or blocks is needed, so that any place of any epoch is found at
once. The order depends neither on how the rows are cut into files, nor on readers, threads and workers, nor on where
a run was interrupted::

    draw(key, i)                                       output i of SplitMix64 seeded with key, see functional.masks
    K_p = draw(seed, p)                                p = 0 for blocks, 1 for rows, 2 for validation rows

    block at place i of an epoch, of B blocks          a Feistel network of 6 rounds on 2h bits, 4^h >= B, h >= 1
        L, R = i >> h, i mod 2^h
        for r in 0 ... 5:  L, R = R, L xor (draw(draw(draw(K_0, epoch), r), R) mod 2^h)
        i = L 2^h + R                                  again from the start while i >= B ("cycle walking")
    window w                                           places w c ... w c + c - 1, for c blocks in a window
    rows of a window                                   sorted by draw(draw(K_1, epoch), row)
    row is held out for validation                     where (draw(K_2, row) >> 11) / 2^53 < share

A window has 1,024 blocks, 65,536 rows; fewer if a row takes more than 512 bytes, so that a window takes at most 32 MB.

Rows that are sorted by their label are shuffled well: a window has blocks from everywhere. Consecutive rows that belong
together, such as those of one day, are in one window in each epoch, but not in one batch.

Source: Steele, Lea & Flood, "Fast splittable pseudorandom number generators" (2014); Black & Rogaway, "Ciphers with
arbitrary finite domains" (2002), for the walk along cycles.
"""

from typing import NamedTuple

import numpy as np

from ..functional.arrays import Array
from ..functional.masks import splitmix64

__all__ = ["BLOCK_ROWS", "Order", "blocks_in_window", "is_validation"]

BLOCK_ROWS = 64
"""Number of rows in a block."""
WINDOW_BLOCKS, WINDOW_BYTES = 1024, 2**25
ROUNDS = 6
OF_BLOCKS, OF_ROWS, OF_VALIDATION = (np.uint64(purpose) for purpose in range(3))


class Order(NamedTuple):
    """The order of the rows in each epoch.

    Attributes
    ----------
    n_rows : int
        >= 1.
    seed : int
        In [0, 2^64).
    window_blocks : int
        >= 1: number of blocks in a window, from `blocks_in_window`.

    Examples
    --------
    >>> order = Order(n_rows=200, seed=7, window_blocks=2)
    >>> order.n_blocks, order.n_windows
    (4, 2)
    >>> [order.blocks(epoch=1, window=w).tolist() for w in range(2)]
    [[3, 2], [0, 1]]
    >>> sorted(np.concatenate([order.rows(1, 0), order.rows(1, 1)]).tolist()) == list(range(200))
    True
    """

    n_rows: int
    seed: int
    window_blocks: int = WINDOW_BLOCKS

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return -(-self.n_rows // BLOCK_ROWS)

    @property
    def n_windows(self) -> int:
        """Number of windows in an epoch."""
        return -(-self.n_blocks // self.window_blocks)

    def blocks(self, epoch: int, window: int) -> Array:
        """Return the numbers of the blocks of a window, (c,) int64, in their order; epoch and window count from 0."""
        first = window * self.window_blocks
        places = np.arange(first, min(first + self.window_blocks, self.n_blocks), dtype=np.uint64)
        return _permuted(places, self.n_blocks, _key(self.seed, OF_BLOCKS, epoch)).astype(np.int64)

    def rows_of_blocks(self, blocks: Array) -> Array:
        """Return the numbers of the rows of some blocks, (m,) int64, one block after another."""
        rows: Array = (blocks[:, None] * BLOCK_ROWS + np.arange(BLOCK_ROWS)).ravel()
        return rows[rows < self.n_rows]

    def places(self, epoch: int, rows: Array) -> Array:
        """Return the order in which the rows of a window are taken: positions in `rows`, (m,) intp."""
        with np.errstate(over="ignore"):  # modulo 2^64
            draws = splitmix64(_key(self.seed, OF_ROWS, epoch), rows.astype(np.uint64))
        return np.lexsort((rows, draws))

    def rows(self, epoch: int, window: int) -> Array:
        """Return the numbers of the rows of a window, (m,) int64, in the order in which they are taken.

        Parameters
        ----------
        epoch, window : int
            Counted from 0.
        """
        rows = self.rows_of_blocks(self.blocks(epoch, window))
        return rows[self.places(epoch, rows)]


def blocks_in_window(row_bytes: float) -> int:
    """Return the number of blocks in a window: 1,024 at most, of at most 32 MB, and at least one.

    Parameters
    ----------
    row_bytes : float
        > 0: size of a row. It must follow from the encoding alone, so that every machine has the same order.

    Examples
    --------
    >>> blocks_in_window(80), blocks_in_window(4000), blocks_in_window(1e9)
    (1024, 131, 1)
    """
    return max(1, min(WINDOW_BLOCKS, int(WINDOW_BYTES / (BLOCK_ROWS * row_bytes))))


def is_validation(seed: int, rows: Array, share: float) -> Array:
    """Return which rows are held out for validation, (m,) bool: the same ones in every epoch.

    Parameters
    ----------
    seed : int
        In [0, 2^64).
    rows : (m,) array of int
        Numbers of rows.
    share : float
        In [0, 1): the expected share of the rows.

    Examples
    --------
    >>> np.flatnonzero(is_validation(0, np.arange(40), 0.1)).tolist()
    [4, 16, 17, 24]
    """
    with np.errstate(over="ignore"):
        draws = splitmix64(splitmix64(np.uint64(seed), OF_VALIDATION), rows.astype(np.uint64))
    held: Array = (draws >> np.uint64(11)) * 2.0**-53 < share
    return held


def _key(seed: int, purpose: np.uint64, epoch: int) -> np.uint64:
    with np.errstate(over="ignore"):
        return np.uint64(splitmix64(splitmix64(np.uint64(seed), purpose), np.uint64(epoch)))


def _permuted(places: Array, n: int, key: np.uint64) -> Array:
    """Return where a keyed permutation of 0 ... n - 1 takes some places, uint64."""
    half = np.uint64(max(1, -(-(n - 1).bit_length() // 2)))
    mask = (np.uint64(1) << half) - np.uint64(1)
    with np.errstate(over="ignore"):
        keys = [np.uint64(splitmix64(key, np.uint64(r))) for r in range(ROUNDS)]
        result = _rounds(places, half, mask, keys)
        while len(outside := np.flatnonzero(result >= np.uint64(n))):
            result[outside] = _rounds(result[outside], half, mask, keys)
    return result


def _rounds(places: Array, half: np.uint64, mask: np.uint64, keys: list[np.uint64]) -> Array:
    left, right = places >> half, places & mask
    for key in keys:
        left, right = right, left ^ (splitmix64(key, right) & mask)
    return (left << half) | right
