"""Sources: the rows of many files, in pieces that fit into memory, numbered from 0 through all files.

The files are read in natural order of their paths, see `find_files`, and their rows in the order of the file. Nothing
depends on how the rows are cut into files. All files have the same columns; a file that lacks one, has another one, or
holds another type of values is an error that names the file and the column. A file that changes or vanishes while it
is in use is an error too.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DataError, OptionError, Setting
from ..table import Table, read_batches
from ..table.columnar import Footer, read_footers
from ..table.opening import open_source
from ..table.table import check_number_of_columns, some
from .paths import Paths, find_files

__all__ = ["PIECE_ROWS", "Piece", "Place", "SourceFile", "Sources"]

PIECE_ROWS, PIECE_CELLS = 2**15, 2**20
"""A piece has at most so many rows and about so many cells; none crosses a multiple of `PIECE_ROWS` rows."""
LARGEST_IN_MEMORY = 2**26
OF_JSON = "JSON lines"


class Place(NamedTuple):
    """A place between two rows.

    Attributes
    ----------
    file : int
        Number of the file, from 0.
    row : int
        Number of rows of this file before the place.
    number : int
        Number of rows of all files before the place.
    """

    file: int = 0
    row: int = 0
    number: int = 0


class Piece(NamedTuple):
    """Consecutive rows of a file.

    Attributes
    ----------
    table : Table
        The rows; messages call them by their number in the file.
    start, end : Place
        The place before the first row, and that behind the last one.
    """

    table: Table
    start: Place
    end: Place


class SourceFile(NamedTuple):
    """A file as it was when it was first looked at.

    Attributes
    ----------
    path : Path
    name : str
        What messages call it: its path without the folders that all files are in.
    format : str
        "Parquet", "Arrow", "CSV" or "JSON lines".
    size, modified : int
        Size in bytes, and the time of the last change in nanoseconds.
    columns : dict of str to str
        The names of the columns, with the type of their values in Parquet and Arrow files, "" in others. Empty for
        JSON lines, where a line may lack a column.
    rows : int or None
        Number of rows, where the file says so.
    decimal : str
        The decimal separator of a CSV file, if it is certain, otherwise "".
    """

    path: Path
    name: str
    format: str
    size: int
    modified: int
    columns: dict[str, str]
    rows: int | None = None
    decimal: str = ""


class Sources:
    """The rows of one or many files.

    Parameters
    ----------
    given : str, path, or iterable of these
        Files, folders and globs, see `find_files`.
    columns : sequence of str, optional
        The columns to read; all by default.
    reading : mapping, optional
        How to read the files: the arguments `delimiter`, `decimal`, `encoding`, `header` and `missing_words` of
        `glassmax.read_table`.

    Attributes
    ----------
    files : list of SourceFile
        In natural order.
    name : str
        The user's word for all of them.

    Raises
    ------
    DataError
        If a file is missing, damaged or empty, or has other columns than the first one.
    """

    def __init__(self, given: Paths, *, columns: Sequence[str] | None = None, **reading: Any) -> None:
        for name in reading.keys() - {"delimiter", "decimal", "encoding", "header", "missing_words"}:
            raise OptionError(parameter=name, came=repr(reading[name]), expected="an argument of read_table")
        self.columns = None if columns is None else list(columns)
        self.reading = {name: value for name, value in reading.items() if value is not None}
        paths = find_files(given)
        self.name = os.fspath(given) if isinstance(given, str | os.PathLike) else f"{len(paths)} files"
        self.files = _described(paths, self.reading)
        self._check_columns()
        self._settle_decimal()
        self.probed = False

    def __repr__(self) -> str:
        size = sum(file.size for file in self.files)
        return f"Sources {self.name!r}: {len(self.files)} file{'s' * (len(self.files) != 1)}, {size / 1e6:.3g} MB"

    @property
    def size(self) -> int:
        """Number of bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def fingerprint(self) -> str:
        """A hash of the names, sizes and times of the files, and of how they are read."""
        of_files = [(file.name, file.size, file.modified) for file in self.files]
        how = sorted((name, repr(value)) for name, value in self.reading.items())
        return hashlib.sha256(repr((of_files, how, self.columns)).encode()).hexdigest()

    def pieces(self, start: Place = Place()) -> Iterator[Piece]:  # noqa: B008 - immutable
        """Read the rows from a place on, piece by piece; no piece crosses a multiple of `PIECE_ROWS` rows.

        Raises
        ------
        DataError
            If a file is damaged, has changed or is no longer there.
        """
        place = start
        for position in range(start.file, len(self.files)):
            row = start.row if position == start.file else 0
            place = Place(position, row, place.number)
            for table in self._tables(self.files[position], row):
                for piece in _cut(table, place):
                    place = piece.end
                    yield piece
        self.probed = self.probed or start.number == 0

    def bytes_before(self, place: Place) -> int:
        """Return about how many bytes of all files are before a place."""
        before = sum(file.size for file in self.files[: place.file])
        if place.file < len(self.files):
            file = self.files[place.file]
            before += int(file.size * min(1.0, place.row / file.rows)) if file.rows else 0
        return before

    def _tables(self, file: SourceFile, start: int) -> Iterator[Table]:
        self._check_unchanged(file)
        if file.rows is not None and start >= file.rows:
            return
        n_columns = len(self.columns or file.columns) or 1
        tables = read_batches(
            file.path,
            columns=self.columns,
            start=start,
            at_once=_rows_at_once(n_columns),
            probed=self.probed,
            **self.reading,
        )
        for table in tables:
            if table.n_rows:
                yield replace(table, name=file.name)
        self._check_unchanged(file)

    def _check_unchanged(self, file: SourceFile) -> None:
        try:
            found = file.path.stat()
        except OSError:
            raise DataError(f"{file.name} has vanished: it was there when the files were first looked at.") from None
        if (found.st_size, found.st_mtime_ns) != (file.size, file.modified):
            raise DataError(
                f"{file.name} was changed while it was in use. Start again; write new rows into a file of their own."
            )

    def _check_columns(self) -> None:
        """Raise if a file has other columns than the first one, or other values in them."""
        first = next((file for file in self.files if file.format != OF_JSON), None)
        if first is None:
            return
        if self.columns is None:
            check_number_of_columns(self.name, len(first.columns) - 1)  # one is the target
        for file in self.files:
            if file.format != OF_JSON:
                _check_alike(first, file, self.columns)

    def _settle_decimal(self) -> None:
        """Read all CSV files with the same decimal separator: the one that is certain in any of them."""
        certain: dict[str, str] = {}
        for file in self.files:
            if file.decimal:
                certain.setdefault(file.decimal, file.name)
        if len(certain) > 1 and "decimal" not in self.reading:
            raise DataError(
                f"{certain[',']} has decimal commas, and {certain['.']} decimal points, expected one of the two in all "
                "files. Write the numbers alike."
            )
        if len(certain) == 1:
            self.reading.setdefault("decimal", next(iter(certain)))


def _rows_at_once(n_columns: int) -> int:
    return max(1024, min(PIECE_ROWS, PIECE_CELLS // max(1, n_columns)))


def _cut(table: Table, place: Place) -> Iterator[Piece]:
    """Cut rows into pieces."""
    at_once = _rows_at_once(len(table.columns))
    row = 0
    while row < table.n_rows:
        rows = min(at_once, table.n_rows - row, PIECE_ROWS - place.number % PIECE_ROWS)
        end = Place(place.file, place.row + rows, place.number + rows)
        yield Piece(table.rows(slice(row, row + rows)), place, end)
        row, place = row + rows, end


def _described(paths: Sequence[Path], reading: dict[str, Any]) -> list[SourceFile]:
    """Return what each file is: its format, its columns, and its size and time."""
    names = _short_names(paths)
    found = []
    columnar: list[tuple[Path, str]] = []
    for path, name in zip(paths, names, strict=True):
        with open_source(os.fspath(path)) as source:
            kind, packed = source.kind, source.packed
        stat = path.stat()
        if kind == "text":
            found.append(_text_file(path, name, stat, reading))
            continue
        if (packed or kind == "Arrow stream") and stat.st_size > LARGEST_IN_MEMORY:
            what = f"{kind} packed by {packed}" if packed else "an Arrow stream"
            remedy = "Unpack it." if packed else "Write it as an Arrow file or as Parquet."
            raise DataError(
                f"{name} is {what}, which is read as a whole, and has {stat.st_size >> 20} MB, expected at most "
                f"{LARGEST_IN_MEMORY >> 20} MB. {remedy}"
            )
        columnar.append((path, kind))
        format_ = kind.removesuffix(" stream")
        found.append(SourceFile(path, name, format_, stat.st_size, stat.st_mtime_ns, {}))
    footers = dict(zip((path for path, _ in columnar), read_footers(columnar), strict=True))
    return [_with_footer(file, footers.get(file.path)) for file in found]


def _with_footer(file: SourceFile, footer: Footer | None) -> SourceFile:
    return file if footer is None else file._replace(columns=footer.columns, rows=footer.rows)


def _text_file(path: Path, name: str, stat: os.stat_result, reading: dict[str, Any]) -> SourceFile:
    first = next(read_batches(path, **reading))
    if first.how.startswith(OF_JSON):
        return SourceFile(path, name, OF_JSON, stat.st_size, stat.st_mtime_ns, {})
    columns = dict.fromkeys(first.names, "")
    decimal = first.decimal if first.decimal_known else ""
    return SourceFile(path, name, "CSV", stat.st_size, stat.st_mtime_ns, columns, None, decimal)


def _short_names(paths: Sequence[Path]) -> list[str]:
    """Return the paths without the folders that all of them are in."""
    absolute = [os.path.abspath(path) for path in paths]
    folder = os.path.commonpath([os.path.dirname(path) for path in absolute])
    return [os.path.relpath(path, folder) for path in absolute]


def _check_alike(first: SourceFile, file: SourceFile, wanted: Sequence[str] | None) -> None:
    """Raise if a file has other columns than the first, among the wanted ones, or values of another type."""
    here, there = file.columns, first.columns
    if wanted is not None:
        here, there = ({name: kind for name, kind in of.items() if name in wanted} for of in (here, there))
    lacking = [name for name in there if name not in here]
    others = [name for name in here if name not in there]
    if lacking or others:
        parts = [f"lacks {some(lacking)}"] * bool(lacking) + [f"has {some(others)} besides"] * bool(others)
        remedy: Any = ("Write the same columns into each file, or name the columns to read with ", Setting("columns"))
        if lacking and others and file.format == "CSV" and len(others) == len(here):
            remedy = ("Does the file lack the line with the names? If no file has one, say ", Setting("header", False))
        raise DataError(f"{file.name} {' and '.join(parts)}, unlike {first.name}.", remedy=(*remedy, "."))
    for name, kind in here.items():
        expected = there[name]
        if kind != expected and kind and expected:
            raise DataError(
                f"Column {name!r} of {file.name} holds {kind}, expected {expected} as in {first.name}. Write the "
                "column alike in all files, or leave it out."
            )
