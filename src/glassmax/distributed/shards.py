"""Shards: ranges of rows, fixed by the rows alone, whatever the number of workers and the cut into files.

Rows are cut into blocks of 64, and the B blocks into S shards: shard s has the blocks ``floor(s B / S)`` to
``floor((s + 1) B / S) - 1``. For n rows and steps of b rows::

    S = max(1, min(max(ceil(n / 65536), min(16, floor(n / 4096))), 4096, floor(b / 128)))          b < n
    S = max(1, min(max(ceil(n / 65536), min(16, floor(n / 4096))), 4096))                          b >= n

A step t of the T steps of an epoch takes from each shard, of its m rows that are trained on, those at the places
``floor(t m / T) ... floor((t + 1) m / T) - 1`` of the shard's own order. This is the order of
`glassmax.streaming.Order` for the seed ``draw(draw(seed, 3), s)``, without the validation rows. So a step takes rows
from all over the files, an epoch takes each row once, and shards of different sizes end together. The windows of this
order hold at most c blocks of r rows, so that those of all shards together take about 64 MB::

    c = min(C, max(ceil(n / (r S T)) + 1, floor(2^26 / (r S row size))))        C, r: as for training in one process

An epoch of a single step, T = 1, takes the rows of a shard in the order of their numbers.
"""

from typing import NamedTuple

import numpy as np

from ..functional.masks import splitmix64
from ..streaming import Layout, Order
from ..streaming.order import BLOCK_ROWS

__all__ = ["LEAST_PORTION", "ShardPlan", "most_shards", "plan_averaging", "plan_steps", "suggest_batch_size"]

SHARD_ROWS, SMALL_SHARD_ROWS, FEW_SHARDS, MOST_SHARDS = 2**16, 2**12, 16, 2**12
LEAST_PORTION = 128
"""Minimum number of rows that a step takes from a shard, about."""
WINDOW_BYTES = 2**26
OF_SHARDS = np.uint64(3)


class ShardPlan(NamedTuple):
    """How the rows are cut into shards, and an epoch into steps.

    Attributes
    ----------
    n_rows : int
        >= 1.
    n_shards : int
    steps : int
        Number of steps in an epoch; of rounds for local SGD.

    Examples
    --------
    >>> plan = plan_steps(n_rows=10_000, batch_size=256)
    >>> plan
    ShardPlan(n_rows=10000, n_shards=2, steps=40)
    >>> plan.rows(0), plan.rows(1)
    (range(0, 4992), range(4992, 10000))
    """

    n_rows: int
    n_shards: int
    steps: int

    def rows(self, shard: int) -> range:
        """Return the numbers of the rows of a shard."""
        n_blocks = -(-self.n_rows // BLOCK_ROWS)
        first, last = (n_blocks * s // self.n_shards for s in (shard, shard + 1))
        return range(first * BLOCK_ROWS, min(last * BLOCK_ROWS, self.n_rows))

    def order(self, shard: int, seed: int, layout: Layout) -> Order:
        """Return the order of the rows of a shard, which count from 0 there."""
        n, size = len(self.rows(shard)), layout.block_rows * self.n_shards
        portion = -(-self.n_rows // (size * self.steps)) + 1
        blocks = min(layout.window_blocks, max(portion, WINDOW_BYTES // (size * layout.row_bytes)))
        with np.errstate(over="ignore"):
            key = int(splitmix64(splitmix64(np.uint64(seed), OF_SHARDS), np.uint64(shard)))
        return Order(n, key, layout.window_blocks if self.steps == 1 else blocks, layout.block_rows)


def plan_steps(n_rows: int, batch_size: int) -> ShardPlan:
    """Return the plan for steps of about `batch_size` rows, which all shards take together.

    Parameters
    ----------
    n_rows : int
        >= 1.
    batch_size : int
        >= 1; `n_rows` or more are one step for each epoch.
    """
    n_shards = most_shards(n_rows)
    if batch_size < n_rows:
        n_shards = max(1, min(n_shards, batch_size // LEAST_PORTION))
    return ShardPlan(n_rows, n_shards, -(-n_rows // batch_size))


def plan_averaging(n_rows: int, batch_size: int, averaging_steps: int) -> ShardPlan:
    """Return the plan for local SGD: between two averages, each shard takes about `averaging_steps` steps of its own.

    Parameters
    ----------
    n_rows : int
        >= 1.
    batch_size, averaging_steps : int
        >= 1.
    """
    n_shards = most_shards(n_rows)
    return ShardPlan(n_rows, n_shards, -(-n_rows // (n_shards * batch_size * averaging_steps)))


def suggest_batch_size(n_rows: int) -> int:
    """Return the number of rows of a step on workers: an epoch has 64 steps, each of 256 to 65,536 rows.

    Examples
    --------
    >>> suggest_batch_size(10_000), suggest_batch_size(1_000_000), suggest_batch_size(10**9)
    (256, 15625, 65536)
    """
    return max(256, min(n_rows // 64, 65536))


def most_shards(n_rows: int) -> int:
    """Return the number of shards of so many rows, if no step is too small for them."""
    return max(1, min(max(-(-n_rows // SHARD_ROWS), min(FEW_SHARDS, n_rows // SMALL_SHARD_ROWS)), MOST_SHARDS))
