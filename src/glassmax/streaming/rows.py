"""The rows of a spool as an engine takes them: in order, with the weights of their classes."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..engine import Data
from ..functional.arrays import Array
from .reader import read_ahead
from .spool import Spool

__all__ = ["some_rows", "weighed", "windows_of_rows"]


class _SomeRows(Data):
    """Some of the rows of a larger data set; the loss of a batch is divided by the mean weight of all rows."""

    mean = 1.0

    @property
    def mean_weight(self) -> float:
        """The mean weight of all rows."""
        return self.mean

    def _replace(self, **values: Any) -> Self:
        replaced = super()._replace(**values)
        replaced.mean = self.mean
        return replaced


def some_rows(data: Data, dtype: npt.DTypeLike, class_weight: Array | None, mean: float) -> Data:
    """Return rows, weighed by their classes, of a larger data set with this mean weight; X in this dtype."""
    data = weighed(data, class_weight)
    some = _SomeRows(data.X.astype(dtype, copy=False), data.y, data.weight)
    some.mean = mean
    return some


def weighed(data: Data, class_weight: Array | None) -> Data:
    """Return rows whose weights are multiplied by those of their classes, (k,)."""
    if class_weight is None:
        return data
    of_class = class_weight[data.y]
    return data._replace(weight=of_class if data.weight is None else of_class * data.weight)


def windows_of_rows(
    spool: Spool, chosen: Callable[[Array], Array] | None = None, first: int = 0
) -> Iterator[tuple[Array, Data]]:
    """Yield the rows of a spool in their order, a window of blocks at a time, with their numbers.

    Parameters
    ----------
    spool : Spool
    chosen : callable, optional
        From the numbers of rows, (m,), to which of them are wanted, (m,) bool; all by default.
    first : int, default=0
        Number of the first row.
    """
    at_once, size = spool.layout.window_blocks, spool.layout.block_rows
    n_blocks = -(-spool.n_rows // size)

    def read(start: int) -> tuple[Array, Data]:
        blocks = np.arange(start, min(start + at_once, n_blocks))
        rows = np.arange(start * size, min(int(blocks[-1] + 1) * size, spool.n_rows))
        wanted = rows >= first
        if chosen is not None:
            wanted &= chosen(rows)
        data = spool.read(blocks)
        return (rows, data) if wanted.all() else (rows[wanted], data.rows(np.flatnonzero(wanted)))

    with closing(read_ahead(read, range(first // size, n_blocks, at_once))) as parts:
        yield from parts
