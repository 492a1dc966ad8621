"""Table: columns of equal length under their names, and the user's words for its rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import numpy as np

from ..errors import DataError, Setting, Text
from ..functional.arrays import Array
from .cells import DEFAULT_WORDS, as_text, parse_number
from .missing_words import MissingWords, kept_words, with_missing_words

__all__ = ["FOR_ARRAYS", "Columns", "Table", "check_number_of_columns", "joined", "some"]

MOST_SHOWN, MOST_NAMES = 10, 30
MOST_COLUMNS = 20_000
FOR_ARRAYS = "or train SoftmaxClassifier on an array or a sparse matrix, which may have any number of columns."
CHOOSE_COLUMNS: Text = ("Name the columns to read with ", Setting("columns"), f", {FOR_ARRAYS}")


class Columns(dict[str, Array]):
    """Columns by their names; at the prompt, a line for each with its first cells."""

    def __repr__(self) -> str:
        lines = [f"{name!r}: {_kind(values)}, {_first_cells(values)}" for name, values in self.items()]
        more = [f"... and {len(lines) - MOST_SHOWN} more columns"] if len(lines) > MOST_SHOWN else []
        return "\n".join(lines[:MOST_SHOWN] + more) or "no columns"


@dataclass(frozen=True)
class Table:
    """Columns of equal length under their names.

    Attributes
    ----------
    name : str
        The user's word for it: the name of the file, or of the built-in example.
    columns : dict of str to (n,) array
        Numbers (float64, NaN where missing), moments (datetime64, NaT), or text and booleans (object, None).
    lines : (n,) array of int, or None
        The line of the file on which each row ends, for messages.
    target : str or None
        The column to predict, if the table is a built-in example.
    numbers : (n,) array of int, or None
        If these are some rows of a larger table: their numbers there, counted from 1, for messages.
    decimal : {".", ","}
        The decimal separator in cells of text.
    how : str
        How the table was read: "CSV in UTF-8, separated by commas".
    notes : list of str
        Remarks on how the table was read.
    unusable : dict of str to str
        Columns that can't be used, each with a description of its cells.
    header : tuple of str
        The names of all columns in their order, if not all of them were read.
    words : dict of str to MissingWords
        The words, such as NA, that stood in missing cells, by column.
    missing_words : tuple of str or None
        The words that the user says are missing cells; None for the default ones.
    tells_missing : bool
        Whether the source tells a missing cell from a word, as a frame or JSON lines do and a CSV file doesn't.
    decimal_known : bool
        Whether the decimal separator is certain: given by the user, or seen in cells such as 0.5 or 0,5.
    has_header : bool or None
        Whether the file has a header, if the user says so; without one, the columns are called c1, c2, ...
    unnamed : str
        What the first column is called, if it has no name in the header.

    Examples
    --------
    >>> table = Table("t", {"x": np.array([1.0, 2.0])})
    >>> table
    Table 't': 2 rows, 1 column
      numbers (1): 'x'
    >>> table.n_rows, table.place(1)
    (2, 'Row 2 of t')
    >>> table.columns
    'x': numbers, 1.0, 2.0
    >>> table["x"]
    array([1., 2.])
    """

    name: str
    columns: dict[str, Array]
    lines: Array | None = None
    target: str | None = None
    numbers: Array | None = None
    decimal: str = "."
    how: str = ""
    notes: list[str] = field(default_factory=list)
    unusable: dict[str, str] = field(default_factory=dict)
    header: tuple[str, ...] = ()
    words: dict[str, MissingWords] = field(default_factory=dict)
    missing_words: tuple[str, ...] | None = None
    tells_missing: bool = False
    decimal_known: bool = False
    has_header: bool | None = None
    unnamed: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", Columns(self.columns))

    def __repr__(self) -> str:
        kinds: dict[str, list[str]] = {}
        for name, values in self.columns.items():
            kinds.setdefault(_kind(values), []).append(name)
        if self.unusable:
            kinds["unusable"] = list(self.unusable)
        rows, columns = self.n_rows, sum(map(len, kinds.values()))
        first = f"Table {self.name!r}: {rows} row{'s' * (rows != 1)}, {columns} column{'s' * (columns != 1)}"
        target = "" if self.target is None else f", target {self.target!r}"
        return "\n  ".join(
            [first + target, *(f"{kind} ({len(names)}): {some(names)}" for kind, names in kinds.items())]
        )

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values()))) if self.columns else 0

    @property
    def names(self) -> list[str]:
        """The names of all columns, of those that can't be used or were not read too."""
        return list(self.header) or list(dict.fromkeys([*self.columns, *self.unusable]))

    def column(self, name: str) -> Array:
        """Return a column, or raise with the names that come nearest.

        Raises
        ------
        DataError
            If there is no such column, or it can't be used.
        """
        if name in self.columns and name not in self.unusable:
            return self.columns[name]
        if name in self.unusable:
            raise DataError(
                f"Column {name!r} of {self.name} holds {self.unusable[name]}, expected numbers, text, booleans or "
                "dates. Convert it, or leave it out."
            )
        near = get_close_matches(str(name), self.names, n=3, cutoff=0.5) or [
            other for other in self.names if str(name).lower() in other.lower()
        ]
        raise DataError(f"{self.name} has no column {name!r}.", remedy=self._instead(near))

    def __getitem__(self, name: str) -> Array:
        """Return a column, as `column` does."""
        return self.column(name)

    def _instead(self, near: list[str]) -> Text:
        """Return what to do about a column that isn't there."""
        if not self.names:
            return ("It has none at all.",)
        if len(self.names) == 1 and self.how.startswith("CSV"):
            one = f"It was read as one column, {self.names[0][:60]!r}. If it has several, name the separator: "
            return (one, Setting("delimiter"), ".")
        if near:
            return (f"Did you mean {' or '.join(map(repr, near[:3]))}?",)
        return (f"There are {some(self.names, MOST_NAMES)}.", *self.without_header())

    def without_header(self) -> Text:
        """Return a hint to add to a message if the names look like the cells of a row, otherwise nothing."""
        cells = sum(not name.strip() or parse_number(name) is not None for name in self.names)
        if cells <= len(self.names) / 5 or self.has_header is not None:
            return ()
        return (" The first line was read as the names; if it is a row, say ", Setting("header", False), ".")

    def rows(self, index: Array | slice) -> "Table":
        """Return some of the rows; messages go on to call them by their number in the whole table."""
        columns = {name: column[index] for name, column in self.columns.items()}
        lines = None if self.lines is None else self.lines[index]
        numbers = np.arange(1, self.n_rows + 1) if self.numbers is None else self.numbers
        words = {name: found.rows(index) for name, found in self.words.items()}
        return replace(self, columns=columns, lines=lines, numbers=numbers[index], words=words)

    def only(self, names: Iterable[str]) -> "Table":
        """Return some of the columns, in their order in the table, or raise at the first that isn't there."""
        chosen = {name: self.column(name) for name in names}
        return replace(
            self,
            columns={name: cells for name, cells in self.columns.items() if name in chosen},
            unusable={},
            words={name: found for name, found in self.words.items() if name in chosen},
            header=tuple(self.names),
            target=self.target if self.target in chosen else None,
        )

    def with_missing_words(self, words: Mapping[str, Sequence[str]]) -> "Table":
        """Return the table with other words for a missing cell in some columns, given by column."""
        columns, found = dict(self.columns), dict(self.words)
        for name, of_column in words.items():
            cells, left = with_missing_words(columns[name], found.pop(name, None), of_column, self.decimal)
            columns[name] = cells
            if left is not None:
                found[name] = left
        return replace(self, columns=columns, words=found)

    def with_words_of_source(self) -> "Table":
        """Return the table with words as the source means them: as values in columns of words, if it can tell."""
        if not self.tells_missing or self.missing_words is not None:
            return self
        kept = {name: kept_words(self.columns[name], found) for name, found in self.words.items()}
        rest = {name: [w for w in DEFAULT_WORDS if w not in words] for name, words in kept.items() if words}
        return self.with_missing_words(rest) if rest else self

    def number(self, row: int) -> int:
        """Return the number of a row, counted from 1 below the header, in the whole table."""
        return row + 1 if self.numbers is None else int(self.numbers[row])

    def place(self, row: int) -> str:
        """Return the user's words for a row, counted from 1 below the header."""
        number = self.number(row)
        if self.lines is None:
            return f"Row {number} of {self.name}"
        return f"Row {number} of {self.name} (line {self.lines[row]})"


def _kind(values: Array) -> str:
    first = next((cell for cell in values if cell is not None), None)
    return {"f": "numbers", "M": "dates"}.get(values.dtype.kind, "booleans" if isinstance(first, bool) else "text")


def _first_cells(values: Array) -> str:
    shown = ", ".join(repr(cell)[:40] if isinstance(cell, str) else str(cell) for cell in values[:4])
    return shown + (", ..." if len(values) > 4 else "")


def joined(tables: list[Table]) -> Table:
    """Return tables, at least one, as one table, their rows one after another; the list is emptied on the way.

    A column that is text in one of the tables becomes text; a column that a table lacks is missing there.
    """
    first, last = tables[0], tables[-1]
    if len(tables) == 1:
        return first
    sizes = [table.n_rows for table in tables]
    lines = None if first.lines is None else np.concatenate([t.lines for t in tables if t.lines is not None])
    numbered = all(table.numbers is not None for table in tables)
    numbers = np.concatenate([t.numbers for t in tables if t.numbers is not None]) if numbered else None
    unusable = {name: what for table in tables for name, what in table.unusable.items()}
    names = [name for name in dict.fromkeys(name for t in tables for name in t.columns) if name not in unusable]
    notes = [*first.notes]
    parts = [dict(table.columns) for table in tables]
    worded = dict.fromkeys(name for table in tables for name in table.words)
    words = {name: MissingWords.joined([table.words.get(name) for table in tables], sizes) for name in worded}
    tables.clear()
    columns: dict[str, Array] = {}
    for name in names:  # one at a time, so that no more than one column is there twice
        pieces = [part.pop(name) if name in part else None for part in parts]
        columns[name] = _one_column(pieces, sizes)
    if not columns:  # how many rows there are, the table still knows
        columns = {name: np.full(sum(sizes), None, object) for name in unusable}
    return replace(last, columns=columns, lines=lines, numbers=numbers, notes=notes, unusable=unusable, words=words)


def _one_column(pieces: list[Array | None], sizes: list[int]) -> Array:
    there = [piece for piece in pieces if piece is not None and not _is_void(piece)]
    kinds = {piece.dtype.kind for piece in there}
    kind = kinds.pop() if len(kinds) == 1 else "O"
    empty = {"f": np.float64(np.nan), "M": np.datetime64("NaT", "us")}.get(kind)
    booleans = kind == "O" and all(_types(piece) <= {bool, type(None)} for piece in there)
    blocks = []
    for piece, size in zip(pieces, sizes, strict=True):
        if piece is None or _is_void(piece):
            dtype = {"f": "f8", "M": "M8[us]"}.get(kind, "O")
            blocks.append(np.full(size, empty, dtype))
        elif kind == "O" and (piece.dtype.kind != "O" or not booleans):
            blocks.append(piece if _is_text(piece) else as_text(piece))
        else:
            blocks.append(piece)
    return np.concatenate(blocks)


def _is_void(piece: Array) -> bool:
    """Whether all cells are missing, so that their kind says nothing."""
    return piece.dtype.kind == "O" and _types(piece) <= {type(None)}


def _is_text(piece: Array) -> bool:
    return piece.dtype.kind == "O" and bool not in _types(piece)


def _types(piece: Array) -> set[type]:
    return set(map(type, piece.tolist()))


def check_number_of_columns(name: str, n_columns: int, remedy: Text = CHOOSE_COLUMNS) -> None:
    """Raise if there are more columns than a preset trains on in about a minute and a gigabyte, at 200 rows."""
    if n_columns > MOST_COLUMNS:
        message = f"{name} has {n_columns} columns to learn from, expected at most {MOST_COLUMNS}."
        raise DataError(message, remedy=remedy)


def some(names: Iterable[str], most: int = 5) -> str:
    """Write the first names and how many there are beside them."""
    shown = [repr(name) for name in names]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")
