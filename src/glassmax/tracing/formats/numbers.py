"""Arrays as rows of text: whole if they are small, otherwise their corners, with the extent and the statistics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...functional.arrays import Array

__all__ = ["ELLIPSIS", "Grid", "Statistics", "grid", "json_ready", "plain_number", "statistics"]

ELLIPSIS = "…"
MOST_ROWS, MOST_COLUMNS = 12, 12
"""An array of at most this size is shown whole."""
EDGE_ROWS, EDGE_COLUMNS = 3, 4
"""The rows and columns of each corner of a larger array."""


@dataclass(frozen=True)
class Statistics:
    """What is said of an array besides its cells; all of its finite cells count."""

    minimum: float
    maximum: float
    mean: float
    norm: float
    zeros: int
    not_finite: int

    def __repr__(self) -> str:
        said = f"from {self.minimum:.4g} to {self.maximum:.4g}, mean {self.mean:.4g}, norm {self.norm:.4g}"
        said += f", {self.zeros} zeros" if self.zeros else ""
        return said + (f", {self.not_finite} not finite" if self.not_finite else "")


@dataclass(frozen=True)
class Grid:
    """The shown cells of an array as text of equal width, with the numbers of their rows and columns.

    Attributes
    ----------
    rows, columns : list of int or None
        The row and the column of each line and each cell; None stands for what is left out.
    cells : list of list of str
    values : list of list of float or None
    hidden : str
        What is not shown, as a sentence; empty if the array is whole.
    """

    rows: list[int | None]
    columns: list[int | None]
    cells: list[list[str]]
    values: list[list[float | None]]
    hidden: str


def statistics(value: Array) -> Statistics:
    """Return the statistics of an array."""
    known = np.isfinite(value)
    finite = np.asarray(value if known.all() else value[known], np.float64)
    if not finite.size:
        return Statistics(np.nan, np.nan, np.nan, np.nan, 0, int(value.size))
    with np.errstate(over="ignore"):
        norm = float(np.linalg.norm(finite))
    low, high, mean = float(finite.min()), float(finite.max()), float(finite.mean())
    return Statistics(low, high, mean, norm, int(finite.size - np.count_nonzero(finite)), int(value.size - finite.size))


def grid(value: Array, most_columns: int = MOST_COLUMNS) -> Grid:
    """Return the cells that are shown; a vector is one row, and a number one cell."""
    table = np.atleast_2d(np.asarray(value))
    table = table.reshape(-1, table.shape[-1])
    rows, columns = (
        _shown(table.shape[0], MOST_ROWS, EDGE_ROWS),
        _shown(table.shape[1], most_columns, min(EDGE_COLUMNS, max(1, (most_columns - 1) // 2))),
    )
    values = [[None if i is None or j is None else float(table[i, j].real) for j in columns] for i in rows]
    write = _writer(table) if np.ndim(value) else plain_number
    cells = [[ELLIPSIS if cell is None else write(cell) for cell in line] for line in values]
    width = max((len(cell) for line in cells for cell in line), default=0)
    hidden = []
    if None in rows:
        hidden.append(f"{table.shape[0] - len(rows) + 1} rows")
    if None in columns:
        hidden.append(f"{table.shape[1] - len(columns) + 1} columns")
    said = f"{' and '.join(hidden)} are not shown" if hidden else ""
    return Grid(rows, columns, [[cell.rjust(width) for cell in line] for line in cells], values, said)


def plain_number(value: float) -> str:
    """Write one number with six significant digits."""
    return f"{value:.6g}"


def json_ready(value: float) -> float | str:
    """Return a number, or a text where JSON has no word for it: nan, inf, -inf."""
    return float(value) if np.isfinite(value) else str(float(value))


def _shown(size: int, most: int, edge: int) -> list[int | None]:
    if size <= most:
        return list(range(size))
    return [*range(edge), None, *range(size - edge, size)]


def _writer(table: Array) -> Callable[[float], str]:
    """Return how to write the numbers of one array: as many decimals for all, so that they align at the point.

    An exact 0 is written as 0, so that it can be told from a number that rounds to 0.0000.
    """
    known = np.isfinite(table)
    finite = table if known.all() else table[known]
    largest = max(float(finite.max(initial=0.0)), -float(finite.min(initial=0.0)))
    if largest < 1e6 and _whole(finite):
        return lambda value: f"{value:.0f}" if np.isfinite(value) else str(value)
    if largest >= 1e5 or largest < 1e-3:
        return lambda value: f"{value:.3e}" if value else "0"
    decimals = 2 if largest >= 1000 else 4 if largest >= 0.1 else 5 if largest >= 0.01 else 6

    def write(value: float) -> str:
        return f"{value:.{decimals}f}" if value else f"0{' ' * (decimals + 1)}"

    return write


def _whole(values: Array) -> bool:
    """Whether all numbers are whole; the first thousand settle it for most arrays."""
    first = values.ravel()[:1000]
    return bool((first == np.floor(first)).all() and (values == np.floor(values)).all())


def __dir__() -> list[str]:
    return __all__
