"""Cells of text: which of them are missing, which are numbers, and how a number is written as text.

One rule serves every file format, so that a column means the same whether it came as CSV, Parquet or a frame: a cell
that is a plain number becomes that number, and a number that is needed as text is written in its shortest form,
``1.50`` as ``1.5``. Codes stay text: ``007``, ``+49 30``, or a number of more digits than a float can hold.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from ..functional.arrays import Array

__all__ = [
    "COMMA_NUMBER",
    "DEFAULT_WORDS",
    "GROUPED",
    "MISSING",
    "PLAIN",
    "WHITE",
    "as_text",
    "canonical",
    "column_of",
    "distinct",
    "number_text",
    "objects",
    "parse_number",
    "with_point",
]

DEFAULT_WORDS = ("?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "None")
"""Words that mean "no value", unless the user says which words do."""
MISSING = frozenset({"", *DEFAULT_WORDS})
"""Cells that mean "no value"."""

WHITE = " \t\n\r\v\f\u00a0\u202f\u3000\ufeff"
"""Characters removed at both ends of a cell."""

PLAIN = r"^-?(?:(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
"""A number that loses nothing as float64: no leading zeros, at most 15 digits before the point."""

COMMA_NUMBER = r"^[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+),[0-9]+(?:[eE][+-]?[0-9]{1,3})?$"
"""A number with a decimal comma, its thousands set off by points or not at all."""

GROUPED = r"^[+-]?[0-9]{1,3}(?:\.[0-9]{3})+$"
"""With a decimal comma, ``1.234`` may mean 1234 or 1.234."""

_PLAIN, _COMMA, _GROUPED = re.compile(PLAIN), re.compile(COMMA_NUMBER), re.compile(GROUPED)
_NO_EXPONENT = re.compile(r"-?(?:(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*)?|\.[0-9]+)")
_LARGEST_WHOLE = 1e15
FEW = 1000


def parse_number(cell: str, decimal: str = ".") -> float | None:
    """Return the number in a cell, or None if it holds none.

    If the decimal separator is the comma, ``1.234`` is None: it may mean 1234 or 1.234.

    Examples
    --------
    >>> parse_number("1e3"), parse_number("1_0"), parse_number("1.234,5", ","), parse_number("1.234", ",")
    (1000.0, None, 1234.5, None)
    """
    if decimal == ",":
        cell = with_point(cell)
        if _GROUPED.match(cell):
            return None
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def with_point(cell: str) -> str:
    """Write a number with a decimal comma with a point; leave any other cell as it is."""
    return cell.replace(".", "").replace(",", ".") if _COMMA.match(cell) else cell


def number_text(value: float) -> str:
    """Write a number in its shortest form; a whole number has no decimal point."""
    return str(int(value)) if abs(value) < _LARGEST_WHOLE and value == int(value) else repr(float(value))


def canonical(cell: str) -> str:
    """Return a cell as text: a plain number in its shortest form, anything else as it is.

    Examples
    --------
    >>> canonical("1.50"), canonical("007"), canonical("red")
    ('1.5', '007', 'red')
    """
    return number_text(float(cell)) if _NO_EXPONENT.fullmatch(cell) and cell != "-0" else cell


def as_text(values: Array) -> Array:
    """Return a column of a `Table` as text, with None for missing cells. Equal cells of any type give equal texts."""
    if values.dtype.kind == "f":
        if len(values) > FEW:
            numbers, places = np.unique(values, return_inverse=True)
            return as_text(numbers)[places] if len(numbers) <= FEW else objects(_texts_of_numbers(values))
        return objects(_texts_of_numbers(values))
    if values.dtype.kind == "M":
        return objects([None if value is None else _moment_text(value) for value in values.tolist()])
    known = {cell: _text(cell) for cell in dict.fromkeys(values.tolist())}
    return objects(list(map(known.__getitem__, values.tolist())))


def _text(cell: Any) -> str | None:
    return None if cell is None else str(cell).lower() if isinstance(cell, bool) else canonical(cell)


def _texts_of_numbers(values: Array) -> list[str | None]:
    return [None if value != value else number_text(value) for value in values.tolist()]


def distinct(cells: Array) -> tuple[Array, Array]:
    """Return the rows at which the different cells of a column stand first, and for each row which of these it has.

    Examples
    --------
    >>> [found.tolist() for found in distinct(objects(["b", None, "b", "a"]))]
    [[0, 1, 3], [0, 1, 0, 2]]
    """
    if cells.dtype.kind != "O":
        _, first, places = np.unique(cells, return_index=True, return_inverse=True)
        return first, places
    listed = cells.tolist()
    position: dict[Any, int] = {}
    for cell in dict.fromkeys(listed):
        position[cell] = len(position)
    places = np.fromiter(map(position.__getitem__, listed), np.intp, len(listed))
    first = np.empty(len(position), np.intp)
    first[places[::-1]] = np.arange(len(listed))[::-1]
    return first, places


def _moment_text(moment: Any) -> str:
    text: str = moment.isoformat(sep=" ")
    return text.removesuffix(" 00:00:00")


def objects(cells: Sequence[Any]) -> Array:
    """Return cells as an array of objects, whatever they are."""
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column


def column_of(cells: Iterable[str | None], decimal: str = ".", missing: Collection[str] = MISSING) -> Array:
    """Make a column of text cells, some of which are `missing`.

    If all cells that aren't missing are plain numbers, the column is float64, with NaN for missing cells; otherwise it
    is text, with None for missing cells.

    Examples
    --------
    >>> column_of(["1", " 2.5", "NA"])
    array([1. , 2.5, nan])
    >>> column_of(["1", "b", ""]).tolist()
    ['1', 'b', None]
    """
    stripped = (None if cell is None else cell.strip(WHITE) for cell in cells)
    known = [None if cell in missing else cell for cell in stripped]
    numbers: list[float] = []
    for cell in known:
        if cell is None:
            numbers.append(np.nan)
            continue
        if decimal == ",":
            if _GROUPED.match(cell):
                return objects(known)
            cell = with_point(cell)
        if not _PLAIN.match(cell):
            return objects(known)
        numbers.append(float(cell))
    if len(known) == known.count(None):  # says nothing of its kind
        return objects(known)
    return np.array(numbers, np.float64)
