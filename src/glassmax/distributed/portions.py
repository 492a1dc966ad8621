"""The rows that a shard gives to a step: read window by window, in the shard's own order, those to train on alone.

Windows are kept in memory up to a limit, those used last, because each is used by several steps.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..engine import Data
from ..functional.arrays import Array
from ..streaming import Order
from ..streaming.rows import weighed
from .job import Job, job_of
from .shard_rows import open_shard
from .workers import Held

__all__ = ["ROWS_AT_ONCE", "Portion", "count_training", "portions", "rows_in_order"]

MOST_BYTES = 2**26
ROWS_AT_ONCE = 2**20
"""A multiple of the rows of a block."""


class Portion(NamedTuple):
    """Some rows of a shard.

    Attributes
    ----------
    data : Data
        The rows, in their order, in the dtype of the network; class weights multiplied in.
    rows : (m,) array of int64
        Their numbers among the rows of all shards.
    """

    data: Data
    rows: Array

    @property
    def size(self) -> int:
        """Number of bytes of the data."""
        X: Any = self.data.X
        arrays = [X] if isinstance(X, np.ndarray) else [X.data, X.indices, X.indptr]
        return sum(array.nbytes for array in [*arrays, self.data.y, self.rows])

    def some(self, start: int, end: int) -> "Portion":
        """Return some of the rows."""
        if (start, end) == (0, len(self.rows)):
            return self
        return Portion(self.data.rows(slice(start, end)), self.rows[start:end])


def portions(held: Held, shard: int, epoch: int, step: int) -> Iterator[Portion]:
    """Return the rows that a shard gives to a step, in the pieces that are in the windows of its order."""
    job = job_of(held)
    steps = job.plan.steps
    epoch = 0 if steps == 1 else epoch
    ends = _ends_of_windows(held, job, shard, epoch)
    first, last = (int(ends[-1]) * t // steps for t in (step, step + 1))
    if first == last:
        return
    for window in range(int(np.searchsorted(ends, first, side="right")), len(ends)):
        before = int(ends[window - 1]) if window else 0
        if before >= last:
            return
        if ends[window] > before:
            taken = _kept(held, (shard, epoch, window), lambda number=window: _window(held, job, shard, epoch, number))
            yield taken.some(max(first - before, 0), min(last, int(ends[window])) - before)


def rows_in_order(
    held: Held, shard: int, chosen: Callable[[Array], Array], part: int = 0, parts: int = 1
) -> Iterator[Portion]:
    """Return the rows of a shard that `chosen` names, a method of the `Split`, in the order of their numbers.

    Of `parts` parts of the shard, only one is read.
    """
    job = job_of(held)
    order = _order(job, shard)
    first, last = (order.n_blocks * number // parts for number in (part, part + 1))
    for start in range(first, last, job.layout.window_blocks):
        blocks = np.arange(start, min(start + job.layout.window_blocks, last))

        def read(blocks: Array = blocks) -> Portion:
            rows = order.rows_of_blocks(blocks)
            return _read(held, job, shard, blocks, rows, np.arange(len(rows)), chosen)

        yield _kept(held, (shard, chosen.__name__, start, len(blocks)), read)


def count_training(job: Job, shard: int) -> int:
    """Return the number of rows of a shard that are trained on."""
    return int(_count_by_block(job, shard).sum())


def _order(job: Job, shard: int) -> Order:
    return job.plan.order(shard, job.split.seed, job.layout)


def _rows_of_window(job: Job, order: Order, epoch: int, window: int) -> tuple[Array, Array, Array]:
    """Return blocks, rows, and the order of the rows of a window, all counted within the shard."""
    in_order = job.plan.steps == 1
    first = window * order.window_blocks
    last = min(first + order.window_blocks, order.n_blocks)
    blocks = np.arange(first, last) if in_order else order.blocks(epoch, window)
    rows = order.rows_of_blocks(blocks)
    return blocks, rows, np.arange(len(rows)) if in_order else order.places(epoch, rows)


def _ends_of_windows(held: Held, job: Job, shard: int, epoch: int) -> Array:
    """Return how many rows are trained on up to the end of each window of an epoch."""
    known: dict[int, tuple[int, Array]] = held.cache.setdefault("ends of windows", {})
    if shard not in known or known[shard][0] != epoch:
        order, counts = _order(job, shard), _training_of_blocks(held, job, shard)
        windows = np.arange(len(counts)) // order.window_blocks if job.plan.steps == 1 else order.windows(epoch)
        known[shard] = epoch, np.cumsum(np.bincount(windows, counts)).astype(np.int64)
    return known[shard][1]


def _training_of_blocks(held: Held, job: Job, shard: int) -> Array:
    """Return how many rows of each block are trained on."""
    known: dict[int, Array] = held.cache.setdefault("training rows of blocks", {})
    if shard not in known:
        known[shard] = _count_by_block(job, shard)
    return known[shard]


def _count_by_block(job: Job, shard: int) -> Array:
    """Return how many rows of each block are trained on, without an array as long as the shard."""
    rows, counts, size = job.plan.rows(shard), [], job.layout.block_rows
    for start in range(rows.start, rows.stop, ROWS_AT_ONCE):
        is_training = job.split.training_rows(np.arange(start, min(start + ROWS_AT_ONCE, rows.stop)))
        counts.append(np.add.reduceat(is_training, np.arange(0, len(is_training), size), dtype=np.int64))
    return np.concatenate(counts)


def _window(held: Held, job: Job, shard: int, epoch: int, window: int) -> Portion:
    blocks, rows, places = _rows_of_window(job, _order(job, shard), epoch, window)
    return _read(held, job, shard, blocks, rows, places, job.split.training_rows)


def _read(
    held: Held, job: Job, shard: int, blocks: Array, rows: Array, places: Array, chosen: Callable[[Array], Array]
) -> Portion:
    """Read blocks; return the chosen ones of their rows, in an order."""
    assert job.training is not None
    data = open_shard(held, shard).read(blocks)
    rows = rows + job.plan.rows(shard).start
    taken = places[chosen(rows)[places]]
    data = weighed(data.rows(taken), job.training.class_weight)
    dtype = job.training.network.theta.dtype
    return Portion(data._replace(X=data.X.astype(dtype, copy=False)), rows[taken])


def _kept(held: Held, key: Any, read: Any) -> Portion:
    """Return rows from memory, or read them and keep them there."""
    known: OrderedDict[Any, Portion] = held.cache.setdefault("windows", OrderedDict())
    if key not in known:
        portion: Portion = read()
        held.cache["bytes"] = held.cache.get("bytes", 0) + portion.size
        known[key] = portion
        while held.cache["bytes"] > MOST_BYTES and len(known) > 1:
            held.cache["bytes"] -= known.popitem(last=False)[1].size
    known.move_to_end(key)
    return known[key]
