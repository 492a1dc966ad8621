"""The order of rows in time, from a column of a table or from values of the user's own."""

from typing import Any

import numpy as np

from ...errors import DataError, LabelError
from ...functional.arrays import Array
from ...table import ColumnOptions, Table, as_table, infer
from ...table.columns import moments_of, numbers_of
from ...table.dates import FORMS
from ...table.grouping import Grouping

__all__ = ["order_of"]


def order_of(table: Table, time: Any, index: Array) -> Array:
    """Return a number for each of some rows, (m,) float64; rows of the same time have the same number.

    Parameters
    ----------
    table : Table
    time : str or (n,) array_like
        Name of a column, or values: numbers, dates, or texts that are dates.
    index : (m,) array of int
        The rows.

    Raises
    ------
    DataError, LabelError
        If a time is missing, or the values are neither numbers nor dates.
    """
    name = time if isinstance(time, str) else "time"
    if not isinstance(time, str):
        if len(np.asarray(time)) != table.n_rows:
            raise LabelError(f"time has {len(np.asarray(time))} entries, expected {table.n_rows}: one for each row.")
        table = as_table({"time": time}, "X")
    if len(index) < table.n_rows:
        table = table.rows(index)
    kind, grouping = _kind(table, name)
    values = moments_of(table, name, kind) if kind in FORMS else numbers_of(table, name, grouping)
    missing = np.flatnonzero(np.isnat(values) if kind in FORMS else np.isnan(values))
    if len(missing):
        raise DataError(
            f"{table.place(int(missing[0]))}: the time {name!r} is missing, expected a number or a date in every row."
        )
    return np.unique(values, return_inverse=True)[1].astype(np.float64)


def _kind(table: Table, name: str) -> tuple[str, Grouping | None]:
    others = [other for other in table.columns if other != name]
    inferred = infer(table, others, ColumnOptions(keep=[name]))
    kind = inferred.kinds.get(name, "")
    if kind != "number" and kind not in FORMS:
        raise DataError(
            f"Column {name!r} of {table.name} holds neither numbers nor dates, so it can't order the rows by time. "
            "Expected numbers, or dates as 2024-05-31."
        )
    return kind, inferred.groupings.get(name)
