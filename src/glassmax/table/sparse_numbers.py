"""Sparse numbers: columns most of whose cells are the same, such as a gain that nearly everybody has none of.

The few other values carry the information, and often each for itself: a capital gain of 15024 means something else than
one of 14344. A sparse column therefore gets, beside its scaled numbers, a column for each of its frequent values, and
bins whose edges are quantiles of the cells that differ from the most frequent value. Targets are not looked at.
"""

from collections import Counter

import msgspec
import numpy as np

from ..functional.arrays import Array
from .columns import Column, Number, numbers_of
from .table import Table

__all__ = ["with_sparse_values"]

FEWEST_ROWS, ROWS_A_VALUE, FEWEST_VALUES = 5, 50, 3
"""A value gets a column if it is in at least `FEWEST_ROWS` rows, and the whole table at most one for every
`ROWS_A_VALUE` rows. A column with fewer than `FEWEST_VALUES` different values is not sparse."""
BINS, FEWEST_OTHERS = 8, 40
"""A column has bins if at least `FEWEST_OTHERS` of its cells differ from the most frequent value."""


def with_sparse_values(table: Table, columns: list[Column]) -> list[Column]:
    """Return the columns, those of sparse numbers with their frequent values and bins.

    Parameters
    ----------
    table : Table
        The training rows.
    columns : list of Column
        As learned from these rows, without values and bins.
    """
    sparse = {position: _sparse(table, column) for position, column in enumerate(columns) if isinstance(column, Number)}
    cells = {position: values for position, values in sparse.items() if values is not None}
    frequent: list[tuple[int, int, float]] = []
    for position, values in cells.items():
        counts = Counter(values.tolist())
        frequent += [(-count, position, value) for value, count in counts.items() if count >= FEWEST_ROWS]
    chosen = sorted(frequent)[: table.n_rows // ROWS_A_VALUE]
    result = list(columns)
    for position, values in cells.items():
        own = sorted(value for _, other, value in chosen if other == position)
        result[position] = msgspec.structs.replace(columns[position], values=own, edges=_edges(values))
    return result


def _sparse(table: Table, column: Number) -> Array | None:
    """Return the cells of a column that are there, if its middle half is a single value and it has several."""
    cells = numbers_of(table, column.name, column.grouping)
    values = cells[~np.isnan(cells)]
    if not len(values):  # of a sample of the rows
        return None
    lower, upper = np.percentile(values, [25, 75])
    if lower < upper or len(np.unique(values)) < FEWEST_VALUES:
        return None
    return values


def _edges(values: Array) -> list[float]:
    """Return the most frequent value, and quantiles of the others."""
    found, counts = np.unique(values, return_counts=True)
    most = found[counts.argmax()]
    others = values[values != most]
    if len(others) < FEWEST_OTHERS:
        return []
    edges = np.unique([*np.quantile(others, np.linspace(0, 1, BINS + 1)), most])
    kept = np.concatenate([[True], np.diff(edges) > 1e-9 * np.ptp(values)])
    edges = edges[kept]
    return edges.tolist() if len(edges) > 1 else []
