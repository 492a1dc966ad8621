"""Read a CSV file into a Table of text cells; name its faults by row and column.

Cells stay text here: whether a column holds numbers or categories is decided by `encoding`, once, in training.
"""

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from .builtin import BUILTIN, load

__all__ = ["MISSING", "Table", "read_table"]

MISSING = frozenset({"", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "None"})
"""Cells that stand for "no value"."""

DELIMITERS = (",", ";", "\t", "|")
QUOTED = re.compile('"[^"]*("|$)')


@dataclass(frozen=True)
class Table:
    """Columns of equal length under their names.

    Attributes
    ----------
    name : str
        What the user calls it: the file's name, or that of the built-in example.
    columns : dict of str to (n,) array
        Text cells (object, None where missing), or numbers (float64, NaN where missing).
    lines : (n,) array of int, or None
        The line of the file on which each row ends, for messages.
    target : str or None
        The column to predict, where a built-in example has one.
    numbers : (n,) array of int, or None
        Where these are some rows of a table: which ones, counted from 1, for messages.
    """

    name: str
    columns: dict[str, Array]
    lines: Array | None = None
    target: str | None = None
    numbers: Array | None = None

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def column(self, name: str) -> Array:
        """Return a column, or raise with the names that come nearest.

        Parameters
        ----------
        name : str

        Returns
        -------
        (n,) array

        Raises
        ------
        DataError
            If there is no such column.
        """
        if name in self.columns:
            return self.columns[name]
        near = get_close_matches(name, self.columns, n=3, cutoff=0.5) or [
            other for other in self.columns if name.lower() in other.lower()
        ]
        hint = f"Did you mean {' or '.join(map(repr, near[:3]))}?" if near else f"There are {_some(self.columns)}."
        raise DataError(f"{self.name} has no column {name!r}. {hint}")

    def rows(self, index: Array) -> "Table":
        """Return some of the rows; messages go on to call them by their number in the whole table."""
        columns = {name: column[index] for name, column in self.columns.items()}
        lines = None if self.lines is None else self.lines[index]
        numbers = np.arange(1, self.n_rows + 1) if self.numbers is None else self.numbers
        return Table(self.name, columns, lines, self.target, numbers[index])

    def place(self, row: int) -> str:
        """Return the user's words for a row, counted from 1 below the header."""
        number = row + 1 if self.numbers is None else self.numbers[row]
        if self.lines is None:
            return f"Row {number} of {self.name}"
        return f"Row {number} of {self.name} (line {self.lines[row]})"


def read_table(source: str | Path) -> Table:
    """Read a table: a CSV file, or a built-in example by its name.

    Parameters
    ----------
    source : str or Path
        Path of a CSV file with a header, UTF-8, cells separated by comma, semicolon, tab or bar; or one of
        `BUILTIN`. Write ``./iris`` for a file of that name.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If the file is missing, empty, or not a table; naming the row.

    Examples
    --------
    >>> table = read_table("penguins")
    >>> table.n_rows, table.target
    (344, 'species')
    >>> list(table.columns)[:3]
    ['species', 'island', 'bill_length_mm']
    """
    name = os.fspath(source)
    if name in BUILTIN:
        columns, target = load(name)
        if columns is not None:
            return Table(name, columns, None, target)
        return _parse(name, BUILTIN[name].text().splitlines(keepends=True), target)
    path = Path(name)
    return _parse(path.name, _lines(path, name), None)


def _lines(path: Path, name: str) -> list[str]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        near = get_close_matches(name, BUILTIN, n=1)
        hint = f" Did you mean the built-in {near[0]}?" if near else f" Built-in examples: {', '.join(BUILTIN)}."
        raise DataError(f"{name}: there is no such file.{hint}") from None
    except IsADirectoryError:
        raise DataError(f"{name} is a folder, expected a CSV file.") from None
    except OSError as error:
        raise DataError(f"{name} can't be read: {error.strerror}.") from None
    if b"\0" in content:
        raise DataError(
            f"{name} holds NUL bytes, expected text. Is it a binary file, or UTF-16? Save it as CSV in UTF-8."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{name}, line {line}, is not UTF-8 text. Save the file as CSV in UTF-8.") from None
    if not text.strip():
        raise DataError(f"{name} is empty, expected a header and rows.")
    return list(io.StringIO(text, newline=""))


def _parse(name: str, lines: list[str], target: str | None) -> Table:
    header_line = next(line for line in lines if line.strip())
    delimiter = max(DELIMITERS, key=QUOTED.sub("", header_line).count)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    ends: list[int] = []
    header: list[str] | None = None
    read = 0  # lines
    try:
        for cells in reader:
            read = reader.line_num
            if not any(cell.strip() for cell in cells) and len(cells) <= 1:
                continue  # a blank line
            if header is None:
                header = _check_header(name, [cell.strip() for cell in cells])
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"Row {len(rows) + 1} of {name} (line {read}) has {len(cells)} cells, expected {len(header)} as in "
                    f"the header. Mend the row; a cell that holds {delimiter!r} stands in quotes."
                )
            rows.append(cells)
            ends.append(read)
    except csv.Error as error:
        row = "The header" if header is None else f"Row {len(rows) + 1}"
        raise DataError(
            f"{row} of {name} (from line {read + 1}) can't be read: {error}. Is a quote opened there and not closed?"
        ) from None
    if header is None or not rows:
        raise DataError(f"{name} has a header but no rows, expected at least one.")
    columns = {column: _cells(values) for column, values in zip(header, zip(*rows, strict=True), strict=True)}
    return Table(name, columns, np.asarray(ends), target)


def _check_header(name: str, header: list[str]) -> list[str]:
    empty = [str(position) for position, column in enumerate(header, start=1) if not column]
    if empty:
        raise DataError(
            f"{name} has columns without a name in its header: number {', '.join(empty[:5])}. Name them, or leave them "
            "out; pandas does with to_csv(path, index=False)."
        )
    twice = [column for column, times in Counter(header).items() if times > 1]
    if twice:
        raise DataError(f"{name} has columns of the same name in its header: {_some(twice)}. Rename them.")
    return header


def _cells(values: Iterable[str]) -> Array:
    stripped = (value.strip() for value in values)
    cells = [None if value in MISSING else value for value in stripped]
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column


def _some(names: Iterable[str]) -> str:
    shown = [repr(name) for name in names]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
