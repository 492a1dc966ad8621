"""CSV and similar formats: rows of cells with a delimiter between them, and quotes around some of them.

A block whose quotes are all where they belong, and whose rows all have the right number of cells, is parsed by polars;
anything else, and anything small, is parsed row by row by Python's ``csv`` module, so that an error can name its place.
Both give the same table. Delimiter and decimal separator are detected from the first rows.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import chain, count
from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError, Setting
from ..functional.arrays import Array
from .cells import COMMA_NUMBER, DEFAULT_WORDS, GROUPED, MISSING, PLAIN, WHITE, column_of, objects
from .decoding import Lines
from .grouping import is_decimal_comma
from .missing_words import MissingWords, missing_words_in
from .table import Table, check_number_of_columns, some

__all__ = ["DELIMITERS", "Dialect", "read_delimited"]

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SMALL_BYTES = 2**18
WIDE = 1000
SAMPLE_ROWS = 100
SAMPLE_CELLS = 200_000
ROWS_AT_ONCE = 20_000
CELLS_AT_ONCE = 2**20
NEWLINE, QUOTE = 10, 34
WITH_POINT = r"^[+-]?[0-9]+\.[0-9]+$"


class Dialect(NamedTuple):
    """The format of a CSV file, as far as the user gives it; what is None is detected."""

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | None = None


class _Head(NamedTuple):
    """The header, and how the rows below it are written.

    `n_cells` is the number of cells of the first row, the empty ones at its end counted, and `empty` is how many of
    these a row may have. `unnamed` is what the first column is called, if its name is empty.
    """

    header: list[str]
    n_cells: int
    empty: int
    unnamed: str
    has_header: bool | None
    delimiter: str
    decimal: str
    decimal_known: bool
    length: int
    notes: list[str]


def read_delimited(
    lines: Lines, dialect: Dialect, wanted: Sequence[str] | None = None, *, may_be_empty: bool = False
) -> Iterator[Table]:
    """Read the wanted columns (by default all) if the table has them, in pieces of some thousand rows.

    If it `may_be_empty`, a file with a header and no rows gives a table without rows.

    Raises
    ------
    DataError
        If the file is not a table; the message names row and line.
    """
    blocks = lines.blocks()
    name, place = lines.source.name, lines.source.place
    first = next((block for block in blocks if block.decode("utf-8").strip(WHITE)), None)
    if first is None:
        raise DataError(f"{place} is empty, expected a header and rows.")
    head = _read_head(name, first, dialect)
    if wanted is None:
        check_number_of_columns(name, len(head.header) - 1)  # one is the target
    at = lines.count - first.count(b"\n") + first.count(b"\n", 0, head.length)
    reader = _Reader(name, head, wanted, lines, at)
    rest = first[head.length :]
    rows = 0
    for table in reader.tables(rest, blocks):
        rows += table.n_rows
        yield table
    if not rows:
        if not may_be_empty:
            raise DataError(f"{name} has a header but no rows, expected at least one.")
        yield reader.without_rows()


class _Reader:
    """The rows below a header, as tables."""

    def __init__(self, name: str, head: _Head, wanted: Sequence[str] | None, lines: Lines, at: int) -> None:
        self.name, self.head, self.source = name, head, lines
        self.row, self.line = 0, at  # the last ones that were yielded
        asked = set(head.header if wanted is None else wanted)
        self.index = [(position, column) for position, column in enumerate(head.header) if column in asked]
        self.pools: dict[str, dict[str, str]] = {}

    def tables(self, first: bytes, blocks: Iterator[bytes]) -> Iterator[Table]:
        """Read clean blocks with polars, and from the first odd one on row by row."""
        rest = first
        following = next(blocks, None)
        small = following is None and len(first) <= SMALL_BYTES
        wide = len(self.head.header) > WIDE  # few rows in a block: the calls for its columns outweigh their cells
        while not (small or wide) and rest:
            cut = _clean_rows(rest, ord(self.head.delimiter), self.head.n_cells)
            table = None if cut is None else self._parse(rest, *cut)
            if cut is None or table is None:
                break
            yield table
            rest = rest[cut[0] :] + (following or b"")
            following = None if following is None else next(blocks, None)
        pending = [block for block in (rest, following) if block]
        yield from self._row_by_row(chain(pending, blocks))

    def without_rows(self) -> Table:
        """Return a table without rows."""
        columns = {name: objects([]) for _, name in self.index}
        return self._table(columns, np.zeros(0, np.int64), 0, {})

    def _parse(self, block: bytes, end: int, ends: Array, newlines: int) -> Table | None:
        """Parse a clean block with polars; return None if polars finds another number of rows."""
        import polars as pl

        quoted = b'"' in block
        try:
            frame = pl.read_csv(
                block[:end],
                has_header=False,
                separator=self.head.delimiter,
                quote_char='"' if quoted else None,
                schema={str(position): pl.String for position in range(self.head.n_cells)},
            )
        except pl.exceptions.PolarsError:
            return None
        beyond = frame.select(pl.nth(range(len(self.head.header), frame.width)).str.strip_chars(WHITE))
        if frame.height != len(ends) or any((series.fill_null("") != "").any() for series in beyond):
            return None
        columns, words = {}, {}
        for position, column in self.index:
            series = frame.to_series(position)
            columns[column] = self._column(series, column)
            words[column] = self._words(series)
        table = self._table(columns, self.line + ends, len(ends), words)
        self.line += newlines
        return table

    def _column(self, series: Any, name: str) -> Array:
        """Return a column as `column_of` would."""
        import polars as pl

        cell = pl.first().str.strip_chars(WHITE)
        cells = series.to_frame().select(pl.when(~cell.is_in(list(MISSING))).then(cell)).to_series()
        numbers = cells
        if self.head.decimal == ",":
            cell = pl.first()
            pointed = cell.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
            as_point = pl.when(cell.str.contains(GROUPED)).then(pl.lit("?")).when(cell.str.contains(COMMA_NUMBER))
            numbers = cells.to_frame().select(as_point.then(pointed).otherwise(cell)).to_series()
        if numbers.null_count() < len(numbers) and numbers.str.contains(PLAIN).all():  # of those that are there
            return np.array(numbers.cast(pl.Float64).fill_null(np.nan).to_numpy(), np.float64)
        pool = self.pools.setdefault(name, {})
        texts = cells.to_list()
        if len(pool) < ROWS_AT_ONCE:  # the same text is held once
            texts = [None if text is None else pool.setdefault(text, text) for text in texts]
        return objects(texts)

    @staticmethod
    def _words(series: Any) -> MissingWords | None:
        """Return the words for a missing cell in a column, as `missing_words_in` would."""
        import polars as pl

        cell = pl.first().str.strip_chars(WHITE)
        cells = series.to_frame().select(pl.when(cell.is_in(DEFAULT_WORDS)).then(cell)).to_series()
        return None if cells.null_count() == len(cells) else missing_words_in(cells.to_list())

    def _row_by_row(self, blocks: Iterator[bytes]) -> Iterator[Table]:
        header = self.head.header
        at_once = max(1, min(ROWS_AT_ONCE, CELLS_AT_ONCE // len(header)))
        rows: list[list[str]] = []
        ends: list[int] = []
        start, first = self.line, "first row" if self.head.has_header is False else "header"
        reader = csv.reader(_text_lines(blocks), delimiter=self.head.delimiter, strict=True, skipinitialspace=True)
        read = 0
        try:
            for cells in reader:
                read = reader.line_num
                if not cells or (len(cells) == 1 and not cells[0].strip(WHITE)):
                    continue  # a blank line
                if (
                    len(header) < len(cells) <= len(header) + self.head.empty
                    and not "".join(cells[len(header) :]).strip()
                ):
                    cells = cells[: len(header)]
                if len(cells) != len(header):
                    raise DataError(
                        f"Row {self.row + len(rows) + 1} of {self.name} (line {start + read}) has {len(cells)} cells, "
                        f"expected {len(header)} as in the {first}. Correct the row; a cell that holds "
                        f"{self.head.delimiter!r} stands in quotes."
                    )
                rows.append(cells)
                ends.append(start + read)
                if len(rows) == at_once:
                    yield self._from_rows(rows, ends)
                    rows, ends = [], []
        except csv.Error as error:
            raise DataError(
                f"Row {self.row + len(rows) + 1} of {self.name} (from line {start + read + 1}) can't be read: {error}. "
                "Is a quote opened there and not closed?"
            ) from None
        if rows:
            yield self._from_rows(rows, ends)

    def _from_rows(self, rows: list[list[str]], ends: list[int]) -> Table:
        cells = list(zip(*rows, strict=True))
        columns = {name: column_of(cells[position], self.head.decimal) for position, name in self.index}
        words = {name: missing_words_in([cell.strip(WHITE) for cell in cells[at]]) for at, name in self.index}
        return self._table(columns, np.array(ends), len(rows), words)

    def _table(
        self, columns: dict[str, Array], lines: Array, n_rows: int, words: Mapping[str, MissingWords | None]
    ) -> Table:
        numbers = np.arange(self.row + 1, self.row + n_rows + 1)
        self.row += n_rows
        if not columns:  # none of the wanted columns exists; the table still knows the names of all
            columns = {name: np.full(n_rows, None, object) for name in self.head.header}
        header = tuple(self.head.header) if len(columns) < len(self.head.header) else ()
        decimal = ", decimal comma" if self.head.decimal == "," else ""
        packed = f", packed by {self.source.source.packed}" if self.source.source.packed else ""
        separated = DELIMITERS.get(self.head.delimiter, repr(self.head.delimiter))
        cells = f", cells separated by {separated}" if len(self.head.header) > 1 else ""
        header_said = ", no header" if self.head.has_header is False else ""
        how = f"CSV in {self.source.encoding}{cells}{decimal}{header_said}{packed}"
        return Table(
            self.name,
            columns,
            lines,
            None,
            numbers,
            self.head.decimal,
            how,
            self.head.notes,
            header=header,
            words={name: found for name, found in words.items() if found is not None},
            decimal_known=self.head.decimal_known,
            has_header=self.head.has_header,
            unnamed=self.head.unnamed,
        )


def _text_lines(blocks: Iterator[bytes]) -> Iterator[str]:
    for block in blocks:
        yield from StringIO(block.decode("utf-8"), newline="\n")


def _clean_rows(block: bytes, delimiter: int, n_columns: int) -> tuple[int, Array, int] | None:
    """Return where the last whole row ends, the line each row ends on, and how many lines; None if anything is odd."""
    if n_columns == 1:
        return None  # a blank line may be a row
    letters = np.frombuffer(block, np.uint8)
    newline, comma = letters == NEWLINE, letters == delimiter
    if b'"' in block:
        quotes = letters == QUOTE
        inside = (np.cumsum(quotes, dtype=np.int32) & 1).astype(bool)
        all_newlines = newline.copy()
        newline &= ~inside
        comma &= ~inside
        ends = np.flatnonzero(newline)
        if not len(ends) or not _clean_quotes(letters, quotes, inside, int(ends[-1]) + 1, delimiter):
            return None
        lines = np.cumsum(all_newlines, dtype=np.int64)[ends]
    else:
        ends = np.flatnonzero(newline)
        if not len(ends):
            return None
        lines = np.arange(1, len(ends) + 1)
    end = int(ends[-1]) + 1
    commas = np.flatnonzero(comma[:end])
    cells = np.diff(np.searchsorted(commas, ends), prepend=0)
    if (cells != n_columns - 1).any() or np.diff(commas, prepend=-1, append=end).max() > csv.field_size_limit():
        return None
    return end, lines, int(lines[-1])


def _clean_quotes(letters: Array, quotes: Array, inside: Array, end: int, delimiter: int) -> bool:
    """Whether every quote opens or closes a whole cell, or is one of two inside of it."""
    places = np.flatnonzero(quotes[:end])
    opens = inside[places]
    before = letters[places[opens] - 1]
    if len(places) and places[0] == 0:
        before[0] = NEWLINE
    after = letters[np.minimum(places[~opens] + 1, len(letters) - 1)]
    allowed = (delimiter, NEWLINE, QUOTE)
    return bool(np.isin(before, allowed).all() and np.isin(after, allowed).all())


def _read_head(name: str, block: bytes, dialect: Dialect) -> _Head:
    """Read the header, and find out how the cells are separated and written."""
    text = block.decode("utf-8")
    named = re.match(r'\ufeff?\s*"?sep=(.)"?\n', text)  # a line in which a spreadsheet names the delimiter
    before = named[0] if named else ""
    text = text[len(before) :]
    delimiter = dialect.delimiter or (named[1] if named else _delimiter(text))
    header, n_lines, rows = _first_rows(name, text, delimiter)
    if dialect.header is False:
        rows.insert(0, header)
    header, n_cells, empty = _without_empty_end(header, rows)
    unnamed, notes = "", []
    if dialect.header is False:
        header, n_lines = [f"c{position}" for position in range(1, len(header) + 1)], 0
    elif len(header) > 1 and not header[0] and all(header[1:]):
        unnamed = next(free for free in _free_names() if free not in header)
        header = [unnamed, *header[1:]]
        notes.append(f"The first column has no name in the header and is called {unnamed!r} here.")
    _check_header(name, header)
    if empty:
        which = "column is" if empty == 1 else f"{empty} columns are"
        notes.append(f"Lines end with {DELIMITERS.get(delimiter, repr(delimiter))}: the empty last {which} left out.")
    if dialect.header is None and len(header) > 1 and all(re.match(PLAIN, cell) for cell in header):
        notes.append(f"The first line ({', '.join(header[:3])}, ...) was read as the names of the columns.")
    length = sum(len(line.encode("utf-8")) + 1 for line in text.split("\n", n_lines)[:n_lines])
    decimal, known = (dialect.decimal, True) if dialect.decimal else _decimal(rows, delimiter)
    length += len(before.encode("utf-8"))
    return _Head(header, n_cells, empty, unnamed, dialect.header, delimiter, decimal, known, length, notes)


def _free_names() -> Iterator[str]:
    return (f"index{'_' * length}" for length in count())


def _without_empty_end(header: list[str], rows: list[list[str]]) -> tuple[list[str], int, int]:
    """Return the header without empty names at its end, the number of cells of a row, and how many of these are empty.

    Empty names stay where a row has a cell that isn't empty below them.
    """
    named = len(header)
    while named > 1 and not header[named - 1]:
        named -= 1
    widths = {len(row) for row in rows if len(row) > 1 or "".join(row).strip(WHITE)}
    n_cells = max(widths, default=named)
    at_end = [cell for row in rows for cell in row[named:]]
    if len(widths) > 1 or not named <= n_cells <= max(len(header), named + 1) or "".join(at_end).strip(WHITE):
        return header, len(header), 0
    return header[:named], n_cells, max(n_cells, len(header)) - named


def _first_rows(name: str, text: str, delimiter: str) -> tuple[list[str], int, list[list[str]]]:
    """Return the header, the number of lines down to its end, and a sample of the rows below it."""
    header: list[str] | None = None
    n_lines = 0
    rows: list[list[str]] = []
    try:
        for cells, after in _split(text, delimiter):
            if not any(cell.strip(WHITE) for cell in cells) and len(cells) <= 1:
                continue
            if header is None:
                header, n_lines = [cell.strip(WHITE) for cell in cells], after
                continue
            rows.append(cells)
            if len(rows) == SAMPLE_ROWS or len(rows) * len(header) > SAMPLE_CELLS:
                break
    except csv.Error as error:
        if header is None:
            raise DataError(
                f"The header of {name} (from line 1) can't be read: {error}. Is a quote opened there and not closed?"
            ) from None
    if header is None:  # longer than the sample
        raise DataError(f"{name} has a header of more than {len(text) >> 20} MB, expected the names of columns.")
    return header, n_lines, rows


def _split(text: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Yield the cells of each row, and the number of lines read so far."""
    reader = csv.reader(StringIO(text, newline="\n"), delimiter=delimiter, strict=True, skipinitialspace=True)
    for cells in reader:
        yield cells, reader.line_num


def _delimiter(text: str) -> str:
    """Return what separates the cells: it cuts the first rows into the same number of cells, and into the most."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        counts = []
        try:
            for cells, _ in _split(text, delimiter):
                if cells and (len(cells) > 1 or cells[0].strip(WHITE)):
                    counts.append(len(cells))
                if len(counts) > SAMPLE_ROWS or sum(counts) > SAMPLE_CELLS:
                    break
        except csv.Error:
            pass
        if not counts or counts[0] < 2:
            continue
        score = (round(counts.count(counts[0]) / len(counts), 1), counts[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _decimal(rows: list[list[str]], delimiter: str) -> tuple[str, bool]:
    """Return the decimal separator, and whether it is certain.

    It is the comma if cells are numbers only with it, and it can't be one between thousands.
    """
    cells = [cell.strip(WHITE) for row in rows for cell in row]
    if delimiter != "," and any(map(is_decimal_comma, cells)):
        return ",", True
    return ".", any(re.match(WITH_POINT, cell) and not re.match(GROUPED, cell) for cell in cells)


def _check_header(name: str, header: list[str]) -> None:
    empty = [str(position) for position, column in enumerate(header, start=1) if not column]
    if empty:
        raise DataError(
            f"{name} has columns without a name in its header: number {', '.join(empty[:5])}. Name them, or leave them "
            "out."
        )
    twice = [column for column, times in Counter(header).items() if times > 1]
    if twice:
        are_cells = any(re.match(PLAIN, column) for column in header)
        raise DataError(
            f"{name} has columns of the same name in its header: {some(twice)}.",
            remedy=("If the file has no header, say ", Setting("header", False), ".") if are_cells else "Rename them.",
        )
