"""The target column: text cells to labels."""

import re

import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from .reading import Table

__all__ = ["read_labels"]

WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
LONGEST = 1000


def read_labels(table: Table, target: str, *, repeating: bool = True) -> tuple[Array, Array]:
    """Return the labels of the rows that have one.

    Parameters
    ----------
    table : Table
    target : str
        Name of the column.
    repeating : bool, default=True
        Whether to refuse a column whose values are mostly different, as measurements and names are. Where the
        classes are known, a few rows of very many classes are no fault.

    Returns
    -------
    labels : (m,) array
        int64 if every cell is a whole number, text otherwise.
    rows : (m,) array of intp
        The rows they belong to; rows without a label are left out.

    Raises
    ------
    DataError
        If there is no such column, no label, or the column holds measurements or long texts rather than classes.
    """
    cells = table.column(target)
    if cells.dtype.kind == "f":
        rows = np.flatnonzero(~np.isnan(cells))
        texts = [f"{value:g}" for value in cells[rows]]
    else:
        rows = np.flatnonzero([cell is not None for cell in cells])
        texts = list(cells[rows])
    if not texts:
        raise DataError(f"{table.name}: no row has a value in the target column {target!r}.")
    for row, text in zip(rows, texts, strict=True):
        if len(text) > LONGEST:
            raise DataError(
                f"{table.place(int(row))}: {target!r} is a text of {len(text)} characters, expected the name of a "
                f"class, {LONGEST} at most. Mend the cell, or predict another column."
            )
    distinct = len(set(texts))
    if repeating and distinct > 20 and distinct > len(texts) / 2:
        raise DataError(
            f"{table.name}: target {target!r} has {distinct} different values in {len(texts)} rows, expected classes "
            "that repeat. glassmax predicts classes, not measurements or names."
        )
    whole = all(WHOLE.fullmatch(text) for text in texts)
    return np.array([int(text) for text in texts] if whole else texts), rows
