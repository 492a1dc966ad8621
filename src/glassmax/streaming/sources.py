"""Sources: the rows of many files, in pieces that fit into memory, numbered from 0 through all files.

The files are read in natural order of their paths, see `find_files`, and their rows in the order of the file. Nothing
depends on how the rows are cut into files. All files have the same columns; a file that lacks one, has another one, or
holds another type of values is an error that names the file and the column. A file that changes or vanishes while it
is in use is an error too.

A folder called ``year=2024`` gives the rows of its files a column ``year`` with this value, unless the files have a
column of this name: see `glassmax.streaming.partitions`.
"""

import hashlib
import os
import posixpath
import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import count
from typing import Any, NamedTuple

from ..errors import DataError, OptionError, Setting
from ..table import Table, read_batches
from ..table.columnar import read_footers
from ..table.opening import open_source
from ..table.remote import Version, is_remote, unquoted, version_of
from ..table.table import check_number_of_columns, some
from .partitions import Partitions
from .paths import Found, Paths, find_files, name_of
from .reader import read_ahead
from .trials import Trials

__all__ = ["PIECE_ROWS", "Piece", "Place", "SourceFile", "Sources"]

PIECE_ROWS, FEWEST_ROWS, PIECE_CELLS = 2**15, 2**7, 2**20
"""Rows of a piece at most, if it has few columns and if it has very many; and its cells, about."""
UNKNOWN_COLUMNS = 256
"""As many columns are expected in JSON lines, which don't name them beforehand."""
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
    path : str
        Its path or URL.
    name : str
        What messages call it: its path without the folders that all files are in.
    format : str
        "Parquet", "Arrow", "CSV" or "JSON lines".
    version : Version
        Size in bytes, and the time of the last change in nanoseconds or the etag that the server gives it.
    columns : dict of str to str
        The names of the columns, with the type of their values in Parquet and Arrow files, "" in others. Empty for
        JSON lines, where a line may lack a column.
    rows : int or None
        Number of rows, where the file says so.
    decimal : str
        The decimal separator of a CSV file, if it is certain, otherwise "".
    packed : str
        How it is packed, "" if it isn't.
    """

    path: str
    name: str
    format: str
    version: Version
    columns: dict[str, str]
    rows: int | None = None
    decimal: str = ""
    packed: str = ""

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.version.size


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
        What messages call the files.
    found : list of Found
        Where the files are; another process can make the same sources from this list.
    identity : str
        Identifies the files, so that a scan or encoded rows that were kept can be used again: the fingerprint. If a
        server gives neither an etag nor a time for a file, the identity is random, and nothing is used again, because
        the file may have changed.
    probed : bool
        Whether another process has decoded all Parquet and Arrow files already.

    Raises
    ------
    DataError
        If a file is missing, damaged or empty, or has other columns than the first one.
    """

    def __init__(self, given: Paths, *, columns: Sequence[str] | None = None, **reading: Any) -> None:
        for name in reading.keys() - {"delimiter", "decimal", "encoding", "header", "missing_words"}:
            raise OptionError(parameter=name, came=repr(reading[name]), expected="an argument of read_table")
        self.columns = None if columns is None else list(columns)
        self.reading = {name: _in_order(value) for name, value in reading.items() if value is not None}
        if not isinstance(given, str | os.PathLike):
            given = list(given)
        found = find_files(given)
        self.name = name_of(given)
        self.found = [
            file if is_remote(file.path) else file._replace(path=os.path.abspath(file.path)) for file in found
        ]
        files = _described(found, self.reading)
        self.partitions = Partitions.of(found, [file.columns for file in files], self.columns)
        self.files = [
            file if file.format == OF_JSON else file._replace(columns={**file.columns, **more})
            for file, more in zip(files, self.partitions.types, strict=True)
        ]
        self._check_columns()
        self._settle_decimal()
        is_told = all(file.version.tag for file in self.files)
        self.identity = self.fingerprint if is_told else f"{self.fingerprint} {secrets.token_hex(8)}"
        self.probed = False
        self._sound: set[int] = set()  # the files that have been decoded

    def __repr__(self) -> str:
        size = sum(file.size for file in self.files)
        return f"Sources {self.name!r}: {len(self.files)} file{'s' * (len(self.files) != 1)}, {size / 1e6:.3g} MB"

    @property
    def size(self) -> int:
        """Number of bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def fingerprint(self) -> str:
        """A hash of the names, sizes, times and columns of the files, and of how they are read."""
        cells = [{name: cell.tolist() for name, cell in of_file.items()} for of_file in self.partitions.cells]
        of_files = [
            (file.name, *file.version, sorted(file.columns.items()), sorted(more.items()))
            for file, more in zip(self.files, cells, strict=True)
        ]
        how = sorted((name, repr(value)) for name, value in self.reading.items())
        return hashlib.sha256(repr((of_files, how, self.columns)).encode()).hexdigest()

    @property
    def piece_rows(self) -> int:
        """Number of rows of a piece at most, a power of two; no piece crosses a multiple of it."""
        columns = self.columns or self.files[0].columns
        rows = PIECE_CELLS // max(1, len(columns) or UNKNOWN_COLUMNS)
        return min(PIECE_ROWS, max(FEWEST_ROWS, 1 << rows.bit_length() - 1))

    def pieces(self, start: Place = Place()) -> Generator[Piece, None, None]:  # noqa: B008 - immutable
        """Read the rows from a place on, piece by piece; no piece crosses a multiple of `piece_rows` rows.

        Raises
        ------
        DataError
            If a file is damaged, has changed or is no longer there.
        """
        place = start
        with Trials([(file.path, file.format) if _is_tried(file) else None for file in self.files]) as trials:
            for position in range(start.file, len(self.files)):
                row = start.row if position == start.file else 0
                place = Place(position, row, place.number)
                for table in self._tables(position, row, self._tried(trials, position)):
                    for piece in _cut(table, place, self.piece_rows):
                        place = piece.end
                        yield piece

    def pieces_ahead(self, start: Place = Place()) -> Generator[Piece, None, None]:  # noqa: B008 - immutable
        """Read the rows as `pieces` does, in a thread ahead of who takes them. Close the iterator to end the thread."""
        with closing(self.pieces(start)) as pieces, closing(read_ahead(lambda _: next(pieces), count())) as ahead:
            yield from ahead

    def bytes_before(self, place: Place) -> int:
        """Return about how many bytes of all files are before a place."""
        before = sum(file.size for file in self.files[: place.file])
        if place.file < len(self.files):
            file = self.files[place.file]
            before += int(file.size * min(1.0, place.row / file.rows)) if file.rows else 0
        return before

    def _tables(self, position: int, start: int, tried: Callable[[int], bool] | None) -> Iterator[Table]:
        file = self.files[position]
        self._check_unchanged(file)
        if file.rows is not None and start >= file.rows:
            return
        tables = read_batches(
            file.path,
            columns=self.columns,
            start=start,
            at_once=self.piece_rows,
            tried=tried,
            may_be_empty=True,
            called=file.name,
            **self.reading,
        )
        for table in tables:
            if table.n_rows:
                yield self.partitions.added(table, position)
        self._check_unchanged(file)
        self._sound.add(position)

    def _tried(self, trials: Trials, position: int) -> Callable[[int], bool] | None:
        """Return what waits until another process has decoded so many rows of a file; at once if it has before."""
        return (lambda _: True) if self.probed or position in self._sound else trials.of(position)

    def _check_unchanged(self, file: SourceFile) -> None:
        try:
            version = _version(file.path)
        except OSError:
            raise DataError(
                f"{file.name} no longer exists. The file was there when the files were first listed."
            ) from None
        if version != file.version:
            raise DataError(
                f"{file.name} has changed during the run. Start again; write new rows into a separate file."
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
                "files. Use the same decimal sign in all files."
            )
        if len(certain) == 1:
            self.reading.setdefault("decimal", next(iter(certain)))


def _in_order(value: Any) -> Any:
    """Return a collection of words as a list, the same one in every process; anything else as it is."""
    return sorted(value, key=str) if isinstance(value, set | frozenset | tuple | list) else value


def _cut(table: Table, place: Place, piece_rows: int) -> Iterator[Piece]:
    """Cut rows into pieces."""
    row = 0
    while row < table.n_rows:
        rows = min(table.n_rows - row, piece_rows - place.number % piece_rows)
        end = Place(place.file, place.row + rows, place.number + rows)
        yield Piece(table.rows(slice(row, row + rows)), place, end)
        row, place = row + rows, end


def _is_tried(file: SourceFile) -> bool:
    """Whether another process decodes a file before it is decoded here."""
    return file.format in ("Parquet", "Arrow") and not file.packed and not is_remote(file.path)


def _version(path: str) -> Version:
    if is_remote(path):
        return version_of(path)
    found = os.stat(path)
    return Version(found.st_size, str(found.st_mtime_ns))


def _described(found: Sequence[Found], reading: dict[str, Any]) -> list[SourceFile]:
    """Return what each file is: its format, its columns, and its size and time."""
    files = []
    columnar: dict[int, tuple[str, str]] = {}
    for path, name in zip((file.path for file in found), _short_names(found), strict=True):
        with open_source(path) as source:
            kind, packed = source.kind, source.packed
        version = _version(path)
        if kind == "text":
            files.append(_text_file(path, name, version, reading))
            continue
        if (packed or kind == "Arrow stream") and version.size > LARGEST_IN_MEMORY:
            what = f"{kind} packed by {packed}" if packed else "an Arrow stream"
            remedy = "Unpack the file." if packed else "Convert the stream to an Arrow file or to Parquet."
            raise DataError(
                f"{name} is {what}, which is read as a whole, and has {version.size >> 20} MB, expected at most "
                f"{LARGEST_IN_MEMORY >> 20} MB. {remedy}"
            )
        columnar[len(files)] = path, kind
        how = packed or ("a stream" if kind == "Arrow stream" else "")
        files.append(SourceFile(path, name, kind.removesuffix(" stream"), version, {}, packed=how))
    for position, footer in zip(columnar, read_footers(list(columnar.values())), strict=True):
        files[position] = files[position]._replace(columns=footer.columns, rows=footer.rows)
    return files


def _text_file(path: str, name: str, version: Version, reading: dict[str, Any]) -> SourceFile:
    first = next(read_batches(path, may_be_empty=True, called=name, **reading))
    if first.how.startswith(OF_JSON):
        return SourceFile(path, name, OF_JSON, version, {})
    columns = dict.fromkeys(first.names, "")
    decimal = first.decimal if first.decimal_known else ""
    return SourceFile(path, name, "CSV", version, columns, None if first.n_rows else 0, decimal)


def _short_names(found: Sequence[Found]) -> list[str]:
    """Return the paths without the folders that all of them are in."""
    remote = [unquoted(name_of(file.path)) for file in found if is_remote(file.path)]
    if len(remote) == len(found):
        folder = posixpath.commonpath([posixpath.dirname(name) for name in remote])
        return [posixpath.relpath(posixpath.normpath(name), folder) for name in remote]
    if remote:
        return [name_of(file.path) if is_remote(file.path) else os.path.abspath(file.path) for file in found]
    absolute = [os.path.abspath(file.path) for file in found]
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
        parts = [f"lacks {some(lacking)}"] * bool(lacking) + [f"also has {some(others)}"] * bool(others)
        remedy: Any = ("Write the same columns into each file, or name the columns to read with ", Setting("columns"))
        if lacking and others and file.format == "CSV" and len(others) == len(here):
            remedy = ("Does the file lack a header line? If no file has a header line, pass ", Setting("header", False))
        raise DataError(f"{file.name} {' and '.join(parts)}, unlike {first.name}.", remedy=(*remedy, "."))
    for name, kind in here.items():
        expected = there[name]
        if kind != expected and kind and expected:
            raise DataError(
                f"Column {name!r} of {file.name} holds {kind}, expected {expected} as in {first.name}. Write the "
                "same type of values into all files, or leave the column out."
            )
