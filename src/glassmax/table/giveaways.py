"""Columns that give the target away: each of them alone predicts the class of nearly every row.

Such a column is often the target under another name, or is known only afterwards. It is reported, but not left out,
because only the user knows whether it may be used.
"""

from collections import defaultdict
from functools import partial

import numpy as np

from ..functional.arrays import Array
from .cells import as_text, parse_number
from .grouping import readings_of
from .table import Table

__all__ = ["giveaways"]

TELLING = 0.995
FEWEST_ROWS = 40
BINS = 32


def giveaways(table: Table, names: list[str], y: Array) -> list[tuple[str, float]]:
    """Return the columns that alone predict the class of nearly every row, and for which share of the rows.

    Parameters
    ----------
    table : Table
    names : list of str
        The columns to look at.
    y : (n,) array of int
        Class indices.

    Returns
    -------
    list of (str, float)
        Name, and the share of rows whose class is the most frequent one of their value (of numbers: of a 32nd of all
        rows that are next to each other).

    Examples
    --------
    >>> table = Table("t", {"x": np.arange(100.0), "z": np.arange(100.0) % 7})
    >>> giveaways(table, ["x", "z"], (np.arange(100) >= 50).astype(int))
    [('x', 1.0)]
    """
    n, counts = len(y), np.bincount(y)
    if n < FEWEST_ROWS or counts.max() > TELLING * n:
        return []
    found = []
    for name in names:
        cells = table.column(name)
        share = _told_by_groups(_groups(cells, table), y)
        if share >= TELLING:
            found.append((name, share))
    return found


def _groups(cells: Array, table: Table) -> Array:
    """Number the values of a column; if it has very many different numbers, close ones get the same number."""
    if cells.dtype.kind == "O" and any(isinstance(cell, str) for cell in cells[:20]):
        texts = [cell for cell in cells if isinstance(cell, str)]
        found = readings_of(texts, table.decimal, is_known=table.decimal_known)
        grouping = None if found is None else found.grouping
        parse = partial(parse_number, decimal=table.decimal) if grouping is None else grouping.number
        values = [None if cell is None or isinstance(cell, bool) else parse(cell) for cell in cells]
        if sum(value is not None for value in values) > 0.9 * len(cells):
            cells = np.array([np.nan if value is None else value for value in values])
    if cells.dtype.kind == "M":
        cells = np.where(np.isnat(cells), np.nan, cells.astype(np.int64).astype(float))
    if cells.dtype.kind == "O":
        seen: dict[str | None, int] = defaultdict(lambda: len(seen))
        return np.array([seen[text] for text in as_text(cells)])
    missing = np.isnan(cells)
    distinct, group = np.unique(np.where(missing, 0, cells), return_inverse=True)
    if len(distinct) > BINS:
        edges = np.unique(np.quantile(cells[~missing], np.linspace(0, 1, BINS + 1)[1:-1]))
        group = np.searchsorted(edges, cells, side="right")
    return np.where(missing, group.max() + 1, group)


def _told_by_groups(group: Array, y: Array) -> float:
    """Return the share of rows in the most frequent class of their group; groups of a single row tell nothing."""
    k = int(y.max()) + 1
    cells, counts = np.unique(group.astype(np.int64) * k + y, return_counts=True)
    of_group = cells // k
    most = np.zeros(int(of_group.max()) + 1, np.int64)
    np.maximum.at(most, of_group, counts)
    total = np.bincount(of_group, counts)
    told = most[total > 1].sum()
    return float(told / len(y))
