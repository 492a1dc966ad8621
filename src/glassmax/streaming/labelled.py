"""The rows of a piece that count: those with a label, and a weight other than 0."""

from typing import NamedTuple

import numpy as np

from ..functional.arrays import Array
from ..table import Table, read_weights

__all__ = ["Weighted", "is_present", "weighted_rows"]


class Weighted(NamedTuple):
    """The rows of a table whose weight is not 0.

    Attributes
    ----------
    table : Table
    rows : (m,) array of int
        Their positions in the table that they are from.
    weight : (m,) array or None
    """

    table: Table
    rows: Array
    weight: Array | None

    def where(self, chosen: Array) -> "Weighted":
        """Return some of the rows, given by their positions."""
        if len(chosen) == len(self.rows):
            return self
        weight = None if self.weight is None else self.weight[chosen]
        return Weighted(self.table.rows(chosen), self.rows[chosen], weight)


def weighted_rows(table: Table, weight: str | None) -> Weighted:
    """Return the rows whose weight, in the column of this name, is not 0.

    Raises
    ------
    DataError
        If a weight is missing, negative or no number.
    """
    everything = Weighted(table, np.arange(table.n_rows), None)
    if weight is None:
        return everything
    w = read_weights(table, weight, all_zero=True)
    return everything._replace(weight=w).where(np.flatnonzero(w))


def is_present(cells: Array) -> Array:
    """Return which cells of a column are not missing, (m,) bool."""
    if cells.dtype.kind == "f":
        return ~np.isnan(cells)
    if cells.dtype.kind == "M":
        return ~np.isnat(cells)
    return np.not_equal(cells, np.array(None)).astype(bool)
