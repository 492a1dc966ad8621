"""The target column: text cells to labels."""

import re

import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from .reading import Table

__all__ = ["read_labels"]

WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")


def read_labels(table: Table, target: str) -> tuple[Array, Array]:
    """Return the labels of the rows that have one.

    Parameters
    ----------
    table : Table
    target : str
        Name of the column.

    Returns
    -------
    labels : (m,) array
        int64 if every cell is a whole number, text otherwise.
    rows : (m,) array of intp
        The rows they belong to; rows without a label are left out.

    Raises
    ------
    DataError
        If there is no such column, no label, or the column holds measurements rather than classes.
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
    distinct = len(set(texts))
    if distinct > 20 and distinct > len(texts) / 2:
        raise DataError(
            f"{table.name}: target {target!r} has {distinct} different values in {len(texts)} rows, expected classes "
            "that repeat. glassmax predicts classes, not measurements or names."
        )
    whole = all(WHOLE.fullmatch(text) for text in texts)
    return np.array([int(text) for text in texts] if whole else texts), rows
