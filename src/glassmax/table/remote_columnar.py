"""Parquet and Arrow files that are elsewhere: pyarrow reads what is needed of them, in ranges of bytes.

A group of rows is fetched at once if it is small; otherwise, each of its columns is fetched some megabytes at a time, so
that memory is bounded however large the groups are.
"""

from collections.abc import Iterator, Sequence
from typing import IO, Any

from ..errors import DataError

__all__ = ["batches", "described"]

BUFFERED_BYTES, LEAST_BYTES, MOST_BYTES = 2**25, 2**16, 2**22
"""Bytes that are fetched at once at most, of a column at least, and of a column of a large group at most."""


def described(kind: str, file: IO[bytes]) -> tuple[Any, int]:
    """Return the schema of a Parquet or Arrow file, as polars names the types, and the number of its rows."""
    import polars as pl

    opened = _opened(kind, file, 1)
    schema = opened.schema_arrow if kind == "Parquet" else opened.schema
    rows = opened.metadata.num_rows if kind == "Parquet" else opened.count_rows()
    frame: Any = pl.from_arrow(schema.empty_table())
    return frame.schema, rows


def batches(kind: str, file: IO[bytes], columns: Sequence[str], start: int, at_once: int) -> Iterator[Any]:
    """Yield the rows from `start` on as frames of polars, at most `at_once` rows each."""
    import polars as pl

    opened = _opened(kind, file, len(columns))
    for batch in (_of_parquet if kind == "Parquet" else _of_arrow)(opened, columns, start, at_once):
        frame: Any = pl.from_arrow(batch)
        yield frame


def _of_parquet(file: Any, columns: Sequence[str], start: int, at_once: int) -> Iterator[Any]:
    for group in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if start < rows:
            for batch in file.iter_batches(at_once, row_groups=[group], columns=list(columns)):
                if start < batch.num_rows:
                    yield batch.slice(start)
                start = max(0, start - batch.num_rows)
        else:
            start -= rows


def _of_arrow(file: Any, columns: Sequence[str], start: int, at_once: int) -> Iterator[Any]:
    for number in range(file.num_record_batches):
        batch = file.get_batch(number).select(list(columns))
        for first in range(start, batch.num_rows, at_once):
            yield batch.slice(first, at_once)
        start = max(0, start - batch.num_rows)


def _opened(kind: str, file: IO[bytes], n_columns: int) -> Any:
    try:
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise DataError(
            f"{kind} files that are elsewhere need pyarrow, which is not installed. Install it: "
            "pip install 'glassmax[remote]'"
        ) from None
    file.seek(0)
    if kind == "Arrow":
        return pyarrow.ipc.open_file(file)
    about = pyarrow.parquet.read_metadata(file)
    groups = (about.row_group(number) for number in range(about.num_row_groups))
    largest = max((sum(g.column(c).total_compressed_size for c in range(g.num_columns)) for g in groups), default=0)
    if largest <= BUFFERED_BYTES:  # neighboring columns are fetched together
        return pyarrow.parquet.ParquetFile(file, metadata=about, pre_buffer=True)
    size = max(LEAST_BYTES, min(MOST_BYTES, BUFFERED_BYTES // max(1, n_columns)))
    return pyarrow.parquet.ParquetFile(file, metadata=about, pre_buffer=False, buffer_size=size)
