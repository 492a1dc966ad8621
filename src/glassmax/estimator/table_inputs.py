"""What `TableClassifier` is given, as a Table: frames, tables, dicts of columns and arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from ..table import Table, is_frame, table_of
from ..table.frames import column_of_objects

__all__ = ["array_column", "as_table"]


def as_table(X: Any, name: str = "X") -> tuple[Table, bool]:
    """Return X as a Table, and whether its columns have names of their own; those of an array are x0, x1, ...

    Parameters
    ----------
    X : frame, Table, mapping of columns, or (n, d) array
    name : str, default="X"
        The user's word for it.

    Raises
    ------
    TypeError
        If X is a sparse matrix.
    DataError
        If X is no table of rows and columns.
    """
    if isinstance(X, Table):
        return X, True
    if hasattr(X, "tocsr"):
        raise TypeError(
            f"{name} is a sparse matrix, expected a table: a frame or a dense array. SoftmaxClassifier takes sparse "
            f"matrices; or pass {name}.toarray()."
        )
    if is_frame(X):
        return table_of(X, name), True
    if isinstance(X, Mapping):
        return _of_columns({str(key): array_column(value) for key, value in X.items()}, name), True
    cells = np.asarray(X)
    if cells.dtype.kind == "c":
        raise DataError(f"{name}: Complex data not supported, expected real numbers, text, booleans or dates.")
    if cells.ndim != 2:
        one = f"{name}[:, None] for one column, or {name}[None] for one row."
        raise DataError(
            f"Expected 2D array, got {cells.ndim}D array instead: {name} has the shape {cells.shape}, expected (n, d), "
            f"a row for each sample. Reshape your data: {one}"
        )
    if not cells.shape[0]:
        raise DataError(f"Found array with 0 sample(s): {name} is {cells.shape}, while a minimum of 1 is required.")
    if not cells.shape[1]:
        raise DataError(
            f"Found array with 0 feature(s) (shape={cells.shape}) while a minimum of 1 is required: {name} has no "
            "column."
        )
    if cells.dtype.kind == "f" and np.isinf(cells).any():
        row, column = np.argwhere(np.isinf(cells))[0].tolist()
        raise DataError(
            f"{name} contains infinity: row {row}, column {column}, expected finite numbers, or NaN where a cell is "
            "missing."
        )
    return _of_columns({f"x{j}": array_column(cells[:, j]) for j in range(cells.shape[1])}, name), False


def _of_columns(columns: dict[str, Array], name: str) -> Table:
    sizes = {column: len(values) for column, values in columns.items()}
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{column!r} has {size}" for column, size in list(sizes.items())[:5])
        raise DataError(f"{name} has columns of different lengths: {shown}. Expected a cell for each row.")
    if not columns or not next(iter(sizes.values())):
        raise DataError(f"{name} has {len(columns)} columns and no rows, expected at least one of each.")
    return Table(name, columns)


def array_column(values: Any) -> Array:
    """Return an array of one dimension as a column of a Table."""
    cells = np.asarray(values)
    if cells.dtype.kind in "fiu":
        return cells.astype(np.float64)
    if cells.dtype.kind == "M":
        return cells.astype("M8[us]")
    found = column_of_objects(cells.tolist())
    if isinstance(found, str):
        raise TypeError(f"X holds {found}: the argument must be a string or a number, a boolean or a date.")
    return found
