"""Parquet and Arrow files: read by polars, those that are elsewhere by pyarrow, some thousand rows at a time.

An error of polars about a damaged file is raised as a DataError; what its compiled part writes to stderr is dropped.
Some damaged files crash the process that reads them, so a file is decoded in another process first: see `trial`.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError
from .frames import piece_of
from .opening import Source, open_source
from .remote import is_remote
from .remote_columnar import RemoteColumns
from .table import Table, check_number_of_columns
from .trial import has_crashed, incomplete, run_trial
from .trial_read import opened

__all__ = ["Footer", "read_columnar", "read_footers"]

CELLS_AT_ONCE, FEWEST_ROWS = 2**22, 2**7
FILES_AT_ONCE = 256
ANY_TIME_ZONE = "POLARS_IGNORE_TIMEZONE_PARSE_ERROR"
"""Lets polars read times in a zone that it doesn't know, such as "+05:30"; they are stored in UTC in any case."""


def read_columnar(
    source: Source,
    wanted: Sequence[str] | None = None,
    decimal: str = ".",
    start: int = 0,
    at_once: int | None = None,
    tried: Callable[[int], bool] | None = None,
) -> Iterator[Table]:
    """Read the wanted columns, all by default, of a Parquet file, an Arrow file or an Arrow stream, in pieces.

    Parameters
    ----------
    source, wanted, decimal
    start : int, default=0
        Row to begin at.
    at_once : int, optional
        Maximum number of rows of a piece; by default, a piece has about 4 million cells. As many are decoded at once,
        so that a group of rows is not decoded again for each piece of it.
    tried : callable, optional
        Waits until another process has decoded so many rows of the file; returns whether they can be decoded. By
        default, another process decodes the whole file beforehand.

    Raises
    ------
    DataError
        If the file is damaged, or holds no rows.
    """
    content = None if source.path is not None or source.remote is not None else source.whole()
    if tried is None and source.remote is None:
        _try(source, content)
    packed = f", packed by {source.packed}" if source.packed else ""
    how = f"{source.kind.removesuffix(' stream')}{packed}"
    with _in_words(source, quiet=source.remote is None and (tried is None or not tried(0))):
        frame = RemoteColumns(source.kind, source.remote) if source.remote is not None else _lazy(source, content)
        names = (frame.schema() if isinstance(frame, RemoteColumns) else frame.collect_schema()).names()
    if wanted is None:
        check_number_of_columns(source.name, len(names) - 1)  # one is the target
    asked = set(names if wanted is None else wanted)
    chosen = [name for name in names if name in asked] or names
    header = tuple(names) if len(chosen) < len(names) else ()
    decoded = max(FEWEST_ROWS, CELLS_AT_ONCE // max(1, len(chosen)))
    frames = _frames(frame, chosen, start, decoded)
    while True:
        with _in_words(source, quiet=source.remote is None and (tried is None or not tried(start + decoded))):
            rows = next(frames, None)
        if rows is None:
            return
        for first in range(0, max(1, rows.height), at_once or decoded):
            piece = rows.slice(first, at_once or decoded)
            table = piece_of(piece, source.name, decimal, how)
            numbers = np.arange(start + first + 1, start + first + piece.height + 1)
            yield replace(table, numbers=numbers, header=header)
        start += rows.height


def _lazy(source: Source, content: bytes | None) -> Any:
    return opened(source.kind, str(source.path) if content is None else BytesIO(content))


def _frames(frame: Any, chosen: list[str], start: int, at_once: int) -> Iterator[Any]:
    """Yield the rows from `start` on, decoded; an empty frame if the file has none."""
    if isinstance(frame, RemoteColumns):
        yield from frame.frames(chosen, start, at_once)
        if not frame.rows:
            yield frame.schema().to_frame().select(chosen)
        return
    first = start
    while True:
        rows = frame.select(chosen).slice(start, at_once).collect()
        if rows.height or not first:
            yield rows
        if rows.height < at_once:
            return
        start += rows.height
        first = start


class Footer(NamedTuple):
    """What a Parquet or Arrow file says of itself.

    Attributes
    ----------
    columns : dict of str to str
        The type of the values of each column, in words; "" if all cells are missing.
    rows : int
        Number of rows.
    """

    columns: dict[str, str]
    rows: int


def read_footers(files: Sequence[tuple[str, str]]) -> list[Footer]:
    """Return what files say of themselves; each is a path or URL and a kind, "Parquet", "Arrow" or "Arrow stream".

    Another process reads the footers of those on this machine first.

    Raises
    ------
    DataError
        If a file is damaged.
    """
    here = [(path, kind) for path, kind in files if not is_remote(path)]
    for first in range(0, len(here), FILES_AT_ONCE):
        some = here[first : first + FILES_AT_ONCE]
        child = run_trial(["footers", *(argument for path, kind in some for argument in (kind, path))], b"")
        if child is not None and has_crashed(child.returncode):
            raise incomplete(*some[_number_of_last(child)])
    return [_footer(path, kind) for path, kind in files]


def _footer(path: str, kind: str) -> Footer:
    import polars as pl

    with open_source(path) as source, _in_words(source, quiet=source.remote is None):
        if source.remote is not None:
            elsewhere = RemoteColumns(kind, source.remote)
            schema, rows = elsewhere.schema(), elsewhere.rows
        else:
            frame = opened(kind, BytesIO(source.whole()) if source.packed else path)
            schema, rows = frame.collect_schema(), int(frame.select(pl.len()).collect().item())
    return Footer({name: _values(dtype) for name, dtype in schema.items()}, rows)


def _values(dtype: Any) -> str:
    """Return what a column holds, in words."""
    import polars as pl

    if dtype == pl.Null:
        return ""
    if dtype.is_numeric():
        return "numbers"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    known = {pl.Boolean: "booleans", pl.Date: "dates", pl.Datetime: "dates", pl.Time: "times of day"}
    return next((words for kind, words in known.items() if dtype == kind), f"values of type {dtype}")


def _try(source: Source, content: bytes | None) -> None:
    """Decode a file in another process; raise if that process crashes."""
    path = "-" if content is not None else str(source.path)
    child = run_trial([str(CELLS_AT_ONCE), source.kind, path], content or b"")
    if child is not None and has_crashed(child.returncode):
        raise incomplete(source.place, source.kind)


def _number_of_last(child: "subprocess.CompletedProcess[bytes]") -> int:
    """Return the number of the file that a child began to read last."""
    return max(0, sum(line == b"file" for line in child.stdout.splitlines()) - 1)


class _in_words:  # noqa: N801 - is used like a function
    """Raise what polars and pyarrow raise as a DataError; `quiet` discards what they write to stderr.

    A file that another process has read, or that pyarrow reads, is read without `quiet`, which would discard what other
    threads write.
    """

    def __init__(self, source: Source, *, quiet: bool = True) -> None:
        self.source, self.quiet = source, quiet

    def __enter__(self) -> None:
        self.stack = ExitStack()
        if self.quiet:
            self.stack.enter_context(_quiet())
        os.environ.setdefault(ANY_TIME_ZONE, "1")  # for good: several threads may read

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.stack.close()
        if error is None or isinstance(error, DataError):
            return
        import polars as pl

        known = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError)
        if isinstance(error, known) or type(error).__module__.startswith("pyarrow"):
            first = str(error).strip().splitlines() or [type(error).__name__]
            raise DataError(
                f"{self.source.place} is not a complete {self.source.kind} file: {first[0][:150].rstrip('.')}. Take "
                "another copy, or write it again."
            ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Discard what is written to the process's stderr, where compiled code prints its panics."""
    saved = None
    with suppress(OSError, ValueError):
        sys.stderr.flush()
        saved = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
    try:
        yield
    finally:
        if saved is not None:
            os.dup2(saved, 2)
            os.close(saved)
