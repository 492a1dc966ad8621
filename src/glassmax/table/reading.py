"""Read a table: a file of any kind that holds one, standard input, a frame, or a built-in example.

::

    opening     bytes from a file or standard input, unpacked
    remote      files that are elsewhere: s3://, gs://, https://
    decoding    bytes to lines of text
    delimited   CSV and its kin
    json_lines  an object on each line
    columnar    Parquet and Arrow; remote_columnar where they are elsewhere
    frames      pandas, polars and Arrow tables in memory

polars is loaded only where a large CSV file, a Parquet or an Arrow file is read.
"""

import io
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DataError, OptionError
from .builtin import BUILTIN, load
from .cells import WHITE
from .columnar import read_columnar
from .decoding import Lines
from .delimited import Dialect, read_delimited
from .frames import as_table, is_frame, table_of
from .json_lines import read_json_lines
from .opening import Source, open_source
from .table import Table, joined

__all__ = ["read_batches", "read_table", "table_from"]


def read_table(
    source: Any,
    *,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    missing_words: Collection[str] | None = None,
    columns: Collection[str] | None = None,
) -> Table:
    """Read a table: a file, standard input, a frame, or a built-in example by its name.

    Parameters
    ----------
    source : str, Path or frame
        Path of a CSV, TSV, JSON lines, Parquet or Arrow (Feather) file, which may be compressed with gzip, zstd or
        bzip2; or its URL, which begins with ``s3://``, ``gs://``, ``https://`` or ``http://`` and needs
        ``pip install 'glassmax[remote]'``; ``"-"`` for standard input; a pandas, polars or Arrow frame; or the name of
        a built-in example, one of `BUILTIN`. Write ``./iris`` for a file of that name.
    delimiter : str, optional
        One character that separates the cells of a CSV file; detected by default, as are the next two.
    decimal : {".", ","}, optional
        The decimal separator.
    encoding : str, optional
        The encoding of a text file: "utf-8", "utf-16", "latin-1", ...
    header : bool, optional
        Whether the first line of a CSV file holds the names of the columns, as it does by default. False: it is a row,
        and the columns are called c1, c2, ...; True: the names are not doubted even if they look like a row.
    missing_words : collection of str, optional
        The words that mean a missing cell, beside empty cells; ``[]`` for none. By default they are NA, N/A, n/a, #N/A,
        <NA>, NaN, nan, null, NULL, None and ?. By default, too, such a word is a value where it can be told from a
        missing cell: in a column of words of a frame, of Parquet, Arrow or JSON lines; and it is a class in a target
        column of words that are written alike, as None beside Mild and Severe. In a column of numbers they are always
        missing cells. A word that is a number, as -99, also stands for cells of that number.
    columns : collection of str, optional
        The columns to read, the target among them; all by default. The others are not held in memory.

    Returns
    -------
    Table
        ``how`` says how it was read.

    Raises
    ------
    DataError
        If the file is missing, empty, damaged or not a table, naming the row; or if there is no such column.

    Examples
    --------
    >>> table = read_table("penguins")
    >>> table.n_rows, table.target
    (344, 'species')
    >>> list(table.columns)[:3]
    ['species', 'island', 'bill_length_mm']
    """
    words = _checked_words(missing_words)
    wanted = None if columns is None else _checked_columns(columns)
    table = joined(list(_tables(source, _dialect(delimiter, decimal, encoding, header), wanted)))
    table = table if wanted is None else table.only(wanted)
    return table.with_words_of_source() if words is None else _with_missing_words(table, words)


def table_from(data: Any, name: str = "X", **reading: Any) -> Table:
    """Return data in memory as a Table, see `as_table`; a str or Path is read as `read_table` reads it.

    `reading` are arguments of `read_table`.

    Examples
    --------
    >>> table_from("penguins").n_rows, table_from({"x": [1.0, 2.0]}).n_rows
    (344, 2)
    """
    return read_table(data, **reading) if isinstance(data, str | Path) else as_table(data, name)


def read_batches(
    source: Any,
    *,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    missing_words: Collection[str] | None = None,
    columns: Sequence[str] | None = None,
    start: int = 0,
    at_once: int | None = None,
    tried: Callable[[int], bool] | None = None,
    may_be_empty: bool = False,
    called: str | None = None,
) -> Iterator[Table]:
    """Read a table in pieces of some thousand rows, so that it may be larger than memory.

    Parameters
    ----------
    source, delimiter, decimal, encoding, header, missing_words
        As for `read_table`; in the pieces, each word for a missing cell is one, unless `missing_words` are given.
    columns : sequence of str, optional
        The columns to read, where the table has them; all by default.
    start : int, default=0
        Number of rows to leave out at the beginning. Parquet and Arrow files begin to be read there, other files are
        read from their beginning.
    at_once : int, optional
        Maximum number of rows of a piece of a Parquet or Arrow file.
    tried : callable, optional
        Waits until another process has decoded so many rows of a Parquet or Arrow file; returns whether they can be
        decoded. By default another process decodes the whole file beforehand, because some damaged files crash the
        process that reads them.
    may_be_empty : bool, default=False
        Whether a CSV file may have a header and no rows; the only piece has no rows then.
    called : str, optional
        What messages call the file; its name by default.

    Yields
    ------
    Table
        At least one; rows keep their numbers.
    """
    words = _checked_words(missing_words)
    how = _Pieces(start, at_once, tried, may_be_empty, called)
    dialect = _dialect(delimiter, decimal, encoding, header)
    for table in _tables(source, dialect, columns, how):
        first = table.number(0) - 1 if table.n_rows else 0
        rest = table if first >= start else table.rows(slice(start - first, None))
        if rest.n_rows or not start:
            yield rest if words is None else _with_missing_words(rest, words)


class _Pieces(NamedTuple):
    """How to read a file in pieces; see `read_batches`."""

    start: int = 0
    at_once: int | None = None
    tried: Callable[[int], bool] | None = None
    may_be_empty: bool = False
    called: str | None = None


def _dialect(delimiter: str | None, decimal: str | None, encoding: str | None, header: bool | None) -> Dialect:
    if decimal not in (None, ".", ","):
        raise OptionError(parameter="decimal", came=repr(decimal), expected="'.' or ','")
    if delimiter == "\\t":  # as people type a tab
        delimiter = "\t"
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\n\r' or not delimiter.isascii()):
        raise OptionError(parameter="delimiter", came=repr(delimiter), expected="one character, as ',' or ';'")
    if header not in (None, True, False):
        raise OptionError(parameter="header", came=repr(header), expected="True, False or None")
    return Dialect(delimiter, decimal, encoding, header)


def _checked_words(words: Any) -> tuple[str, ...] | None:
    """Return the words for a missing cell without the blanks around them."""
    if words is None:
        return None
    if isinstance(words, str) or not isinstance(words, Collection) or not all(isinstance(word, str) for word in words):
        raise OptionError(parameter="missing_words", came=repr(words), expected="a list of words, such as ['NA']")
    return tuple(dict.fromkeys(word.strip(WHITE) for word in words if word.strip(WHITE)))


def _checked_columns(columns: Any) -> list[str]:
    """Return the names of the columns to read, each once."""
    if isinstance(columns, str) or not isinstance(columns, Collection) or not columns:
        raise OptionError(parameter="columns", came=repr(columns), expected="a list of names, such as ['age', 'sex']")
    return list(dict.fromkeys(columns))


def _with_missing_words(table: Table, words: tuple[str, ...]) -> Table:
    return replace(table.with_missing_words(dict.fromkeys(table.columns, words)), missing_words=words)


def _tables(
    source: Any,
    dialect: Dialect,
    columns: Sequence[str] | None,
    how: _Pieces = _Pieces(),  # noqa: B008 - immutable
) -> Iterator[Table]:
    if not isinstance(source, str | Path):
        if isinstance(source, Table):
            yield source
            return
        if not is_frame(source):
            kind = type(source).__name__
            raise DataError(f"The table is of type {kind}, expected a path, a frame, or the name of an example.")
        yield _known(table_of(source, decimal=dialect.decimal or "."), dialect)
        return
    name = os.fspath(source)
    if name in BUILTIN:
        yield _example(name)
        return
    with open_source(name) as opened:
        opened.name = opened.name if how.called is None else how.called
        yield from _pieces(opened, dialect, columns, how)


def _pieces(source: Source, dialect: Dialect, columns: Sequence[str] | None, how: _Pieces) -> Iterator[Table]:
    if source.kind != "text":
        tables = read_columnar(source, columns, dialect.decimal or ".", *how[:3])
        yield from (_known(table, dialect) for table in tables)
        return
    lines = Lines(source, dialect.encoding)
    if _is_json(source):
        yield from (_known(table, dialect) for table in read_json_lines(lines, columns, dialect.decimal or "."))
    else:
        yield from read_delimited(lines, dialect, columns, may_be_empty=how.may_be_empty)


def _known(table: Table, dialect: Dialect) -> Table:
    return table if dialect.decimal is None else replace(table, decimal_known=True)


def _is_json(source: Source) -> bool:
    """Whether the text is JSON: it begins like an object, or its file is called so."""
    name = source.name.removesuffix(".gz").removesuffix(".zst").removesuffix(".bz2").lower()
    head = source.head.replace(b"\0", b"").lstrip()
    return re.match(rb'\{\s*["}]|\[\s*[{\[\d"]', head) is not None or name.endswith((".jsonl", ".ndjson", ".json"))


def _example(name: str) -> Table:
    columns, target = load(name)
    if columns is not None:
        return Table(name, columns, None, target)
    text = BUILTIN[name].text().encode("utf-8")
    source = Source(name, name, text, io.BytesIO())
    table = joined(list(read_delimited(Lines(source), Dialect())))
    return Table(name, table.columns, table.lines, target, words=table.words)
