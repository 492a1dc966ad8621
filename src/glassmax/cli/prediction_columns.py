"""Predictions as columns by name: kept columns, classes, prediction sets, probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine import TopClasses
from ..functional.arrays import Array
from ..likely_classes import ClassesAbove
from ..table import Table

__all__ = ["columns_above", "columns_of_rows", "lists_of_above", "lists_of_sets", "top_of"]


def columns_of_rows(
    table: Table,
    classes: Array,
    best: TopClasses,
    *,
    keep: Sequence[str] = (),
    top: int = 0,
    P: Array | None = None,
    sets: Sequence[list[Any]] | None = None,
) -> dict[str, list[Any]]:
    """Return one line for each row of a table.

    Parameters
    ----------
    table : Table
    classes : (k,) array
    best : TopClasses
        The most probable classes of each row: at least one, and at least `top` of them.
    keep : sequence of str
        Columns of the table that come first.
    top : int
        Number of classes that are written with their probabilities.
    P : (n, k) array, optional
        Probabilities to write.
    sets : sequence of lists, optional
        The prediction set of each row, the most probable class first.
    """
    columns = _kept(table, keep)
    columns[_free("prediction", columns)] = classes[best.labels[:, 0]].tolist()
    if sets is not None:
        columns[_free("set", columns)] = list(sets)
    for place in range(top):
        columns[f"top {place + 1}"] = classes[best.labels[:, place]].tolist()
        columns[f"p(top {place + 1})"] = best.probabilities[:, place].tolist()
    if P is not None:
        for index, label in enumerate(classes.tolist()):
            columns[_free(f"p({label})", columns)] = P[:, index].tolist()
    return columns


def columns_above(
    table: Table, classes: Array, above: ClassesAbove, first: int, *, keep: Sequence[str] = ()
) -> dict[str, list[Any]]:
    """Return one line for each class above a threshold; the rows of the table are counted from `first`."""
    columns = _kept(table, keep, above.rows)
    columns[_free("row", columns)] = (above.rows + first).tolist()
    columns[_free("class", columns)] = classes[above.labels].tolist()
    columns[_free("probability", columns)] = above.probabilities.tolist()
    return columns


def top_of(P: Array, count: int) -> TopClasses:
    """Return the `count` most probable classes of each row from all probabilities; of equal ones the first class."""
    order = np.argsort(-P, axis=1, kind="stable")[:, :count] if count > 1 else P.argmax(axis=1)[:, None]
    return TopClasses(order, np.take_along_axis(P, order, axis=1), None)


def lists_of_sets(P: Array, sets: Array, classes: Array) -> list[list[Any]]:
    """Return the classes of each prediction set, (n, k) of bool, the most probable first."""
    order = np.argsort(-P, axis=1, kind="stable")[:, : sets.sum(axis=1).max(initial=0)]
    inside = np.take_along_axis(sets, order, axis=1)
    return [classes[row[held]].tolist() for row, held in zip(order, inside, strict=True)]


def lists_of_above(above: ClassesAbove, best: TopClasses, classes: Array, *, allow_empty: bool) -> list[list[Any]]:
    """Return the classes of each row that reach the threshold; in place of none, the most probable one."""
    n = len(best.labels)
    pieces = np.split(above.labels, np.searchsorted(above.rows, np.arange(1, n))) if n else []
    instead = best.labels[:, :0] if allow_empty else best.labels[:, :1]
    return [classes[found if len(found) else one].tolist() for found, one in zip(pieces, instead, strict=True)]


def _kept(table: Table, keep: Sequence[str], rows: Array | slice = slice(None)) -> dict[str, list[Any]]:
    return {name: _cells(table.column(name)[rows]) for name in keep}


def _cells(values: Array) -> list[Any]:
    """Return a column as it goes into a file: whole numbers without a point."""
    if values.dtype.kind == "f":
        there = values[~np.isnan(values)]
        whole = bool(((there == np.floor(there)) & (np.abs(there) < 1e15)).all())
        return [None if value != value else int(value) if whole else value for value in values.tolist()]
    if values.dtype.kind == "M":
        return [None if moment is None else moment.isoformat(sep=" ") for moment in values.tolist()]
    return values.tolist()


def _free(name: str, taken: Any) -> str:
    """Return a name that no other column has."""
    while name in taken:
        name = f"{name}_"
    return name
