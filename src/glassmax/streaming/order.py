"""The order in which an epoch takes its rows: a function of (seed, epoch, row) alone.

Rows are numbered from 0 through all files. r consecutive rows are a block; the last block may be shorter. Each epoch
deals the blocks to windows anew, and takes the rows of a window in a new order too. No array as long as the number of
rows or blocks is needed, so that any window of any epoch is found at once. The order depends neither on how the rows
are cut into files, nor on readers, threads and workers, nor on where a run was interrupted::

    draw(key, i)                                       output i of SplitMix64 seeded with key, see functional.masks
    K_p = draw(seed, p)                                p = 0, 4 for blocks, 1 for rows, 2 for validation rows

    W = ceil(B / C) windows                            of B blocks; a window has C blocks at most
    block of window w from the blocks sW ... sW + W-1  sW + (P(w) + draw(draw(K_4, epoch), s)) mod W, if it is < B
    P(w), a permutation of 0 ... W-1                   a Feistel network of 6 rounds on 2h bits, 4^h >= W, h >= 1
        L, R = w >> h, w mod 2^h
        for i in 0 ... 5:  L, R = R, L xor (draw(draw(draw(K_0, epoch), i), R) mod 2^h)
        w = L 2^h + R                                  again from the start while w >= W ("cycle walking")
    rows of a window                                   sorted by draw(draw(K_1, epoch), row)
    row is held out for validation                     where (draw(K_2, row) >> 11) / 2^53 < share

A window has 65,536 rows at most; fewer if a row takes more than 512 bytes, so that a window takes at most 32 MB.

Rows that are sorted by their label are shuffled well: of each W consecutive blocks, a window has one, so all windows
have about the same share of each label. A block has 64 rows, or 8 if rows are sorted by so many labels that a window
has fewer than 16 blocks of 64 rows of each (see `rows_in_block`). Consecutive rows that belong together, such as those
of one day, are in one window in each epoch, but not in one batch.

Source: Steele, Lea & Flood, "Fast splittable pseudorandom number generators" (2014); Black & Rogaway, "Ciphers with
arbitrary finite domains" (2002), for the walk along cycles; Cochran, "Sampling Techniques" (1977), for samples of which
each stratum has one.
"""

from typing import NamedTuple

import numpy as np

from ..functional.arrays import Array
from ..functional.masks import splitmix64

__all__ = ["BLOCK_ROWS", "Order", "blocks_in_window", "is_validation", "rows_in_block"]

BLOCK_ROWS = 64
"""Number of rows in a block, if the rows are not sorted by many labels."""
SMALL_BLOCK_ROWS, LEAST_BLOCKS_OF_LABEL = 8, 16
WINDOW_ROWS, WINDOW_BYTES = 2**16, 2**25
ROUNDS = 6
OF_WINDOWS, OF_ROWS, OF_VALIDATION, OF_STRATA = (np.uint64(purpose) for purpose in (0, 1, 2, 4))


class Order(NamedTuple):
    """The order of the rows in each epoch.

    Attributes
    ----------
    n_rows : int
        >= 1.
    seed : int
        In [0, 2^64).
    window_blocks : int
        >= 1: number of blocks in a window at most, from `blocks_in_window`.
    block_rows : int
        >= 1: number of rows in a block, from `rows_in_block`.

    Examples
    --------
    >>> order = Order(n_rows=200, seed=7, window_blocks=2)
    >>> order.n_blocks, order.n_windows
    (4, 2)
    >>> [order.blocks(epoch=1, window=w).tolist() for w in range(2)]
    [[1, 3], [0, 2]]
    >>> sorted(np.concatenate([order.rows(1, 0), order.rows(1, 1)]).tolist()) == list(range(200))
    True
    """

    n_rows: int
    seed: int
    window_blocks: int = WINDOW_ROWS // BLOCK_ROWS
    block_rows: int = BLOCK_ROWS

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return -(-self.n_rows // self.block_rows)

    @property
    def n_windows(self) -> int:
        """Number of windows in an epoch."""
        return -(-self.n_blocks // self.window_blocks)

    @property
    def window_rows(self) -> int:
        """Number of rows in the largest window."""
        return min(self.n_rows, -(-self.n_blocks // self.n_windows) * self.block_rows)

    def blocks(self, epoch: int, window: int) -> Array:
        """Return the numbers of the blocks of a window, (c,) int64, in ascending order; epoch and window count from 0.

        Of each W consecutive blocks, a window has one, where W is the number of windows.
        """
        n = self.n_windows
        first = np.arange(0, self.n_blocks, n)
        place = _permuted(np.array([window], np.uint64), n, _key(self.seed, OF_WINDOWS, epoch))
        blocks: Array = first + ((place + self._shifts(epoch, len(first))) % np.uint64(n)).astype(np.int64)
        return blocks[blocks < self.n_blocks]

    def windows(self, epoch: int) -> Array:
        """Return the number of the window of each block, (B,) int64."""
        n, blocks = self.n_windows, np.arange(self.n_blocks)
        places = _permuted(np.arange(n, dtype=np.uint64), n, _key(self.seed, OF_WINDOWS, epoch))
        shifts = self._shifts(epoch, -(-self.n_blocks // n)).astype(np.int64)
        windows: Array = np.argsort(places)[(blocks - shifts[blocks // n]) % n]
        return windows

    def _shifts(self, epoch: int, n: int) -> Array:
        """Return by how much the first n strata are shifted, each modulo the number of windows."""
        with np.errstate(over="ignore"):  # modulo 2^64
            draws = splitmix64(_key(self.seed, OF_STRATA, epoch), np.arange(n, dtype=np.uint64))
        shifts: Array = draws % np.uint64(self.n_windows)
        return shifts

    def rows_of_blocks(self, blocks: Array) -> Array:
        """Return the numbers of the rows of some blocks, (m,) int64, one block after another."""
        rows: Array = (blocks[:, None] * self.block_rows + np.arange(self.block_rows)).ravel()
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


def rows_in_block(row_bytes: float, sorted_labels: int) -> int:
    """Return the number of rows in a block: 64, or 8 if rows are sorted by too many labels for blocks of 64.

    Parameters
    ----------
    row_bytes : float
        As for `blocks_in_window`.
    sorted_labels : int
        >= 0: number of labels, if the rows are sorted by them, or nearly so; otherwise 0.

    Examples
    --------
    >>> rows_in_block(80, 0), rows_in_block(80, 10), rows_in_block(80, 100), rows_in_block(4000, 10)
    (64, 64, 8, 8)
    """
    few = blocks_in_window(row_bytes) < LEAST_BLOCKS_OF_LABEL * sorted_labels
    return SMALL_BLOCK_ROWS if few else BLOCK_ROWS


def blocks_in_window(row_bytes: float, block_rows: int = BLOCK_ROWS) -> int:
    """Return the number of blocks in a window: 65,536 rows at most, of at most 32 MB, and at least one block.

    Parameters
    ----------
    row_bytes : float
        > 0: size of a row. It must follow from the encoding alone, so that every machine has the same order.
    block_rows : int
        Number of rows in a block.

    Examples
    --------
    >>> blocks_in_window(80), blocks_in_window(4000), blocks_in_window(1e9)
    (1024, 131, 1)
    """
    return max(1, min(WINDOW_ROWS // block_rows, int(WINDOW_BYTES / (block_rows * row_bytes))))


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
