"""Parquet and Arrow files that are elsewhere: pyarrow reads what is needed of them, in ranges of bytes.

A group of rows is fetched at once if it is small; otherwise, each of its columns is fetched some megabytes at a time.
Memory is bounded, however large the groups are.
"""

from collections.abc import Iterator, Sequence
from typing import IO, Any

from ..errors import DataError

__all__ = ["RemoteColumns"]

BUFFERED_BYTES, LEAST_BYTES, MOST_BYTES = 2**25, 2**16, 2**22
"""Bytes that are fetched at once at most, of a column at least, and of a column of a large group at most."""


class RemoteColumns:
    """A Parquet or Arrow file, whose schema has been read.

    Parameters
    ----------
    kind : {"Parquet", "Arrow"}
    file : binary file

    Attributes
    ----------
    rows : int
        Number of rows.
    """

    def __init__(self, kind: str, file: IO[bytes]) -> None:
        try:
            import pyarrow.ipc
            import pyarrow.parquet
        except ImportError:
            raise DataError(
                f"Remote {kind} files need pyarrow, which is not installed. Install it: pip install 'glassmax[remote]'"
            ) from None
        file.seek(0)
        self.file, self._arrow = file, None
        if kind == "Arrow":
            self._arrow = pyarrow.ipc.open_file(file)
            self.rows = self._arrow.count_rows()
        else:
            self._about: Any = pyarrow.parquet.read_metadata(file)
            self.rows = self._about.num_rows

    def schema(self) -> Any:
        """Return the names of the columns with their types, as polars has them."""
        import polars as pl

        schema = self._about.schema.to_arrow_schema() if self._arrow is None else self._arrow.schema
        frame: Any = pl.from_arrow(schema.empty_table())
        return frame.schema

    def frames(self, columns: Sequence[str], start: int, at_once: int) -> Iterator[Any]:
        """Yield some columns of the rows from `start` on as frames of polars, at most `at_once` rows each."""
        import polars as pl

        for batch in (self._of_parquet if self._arrow is None else self._of_arrow)(list(columns), start, at_once):
            yield pl.from_arrow(batch)

    def _of_parquet(self, columns: list[str], start: int, at_once: int) -> Iterator[Any]:
        from pyarrow.parquet import ParquetFile

        groups = [self._about.row_group(number) for number in range(self._about.num_row_groups)]
        largest = max((sum(g.column(c).total_compressed_size for c in range(g.num_columns)) for g in groups), default=0)
        size = max(LEAST_BYTES, min(MOST_BYTES, BUFFERED_BYTES // max(1, len(columns))))
        how = {"pre_buffer": False, "buffer_size": size} if largest > BUFFERED_BYTES else {"pre_buffer": True}
        file = ParquetFile(self.file, metadata=self._about, **how)
        for number, group in enumerate(groups):
            if start >= group.num_rows:
                start -= group.num_rows
                continue
            for batch in file.iter_batches(at_once, row_groups=[number], columns=columns):
                if start < batch.num_rows:
                    yield batch.slice(start)
                start = max(0, start - batch.num_rows)

    def _of_arrow(self, columns: list[str], start: int, at_once: int) -> Iterator[Any]:
        file: Any = self._arrow
        for number in range(file.num_record_batches):
            batch = file.get_batch(number).select(columns)
            for first in range(start, batch.num_rows, at_once):
                yield batch.slice(first, at_once)
            start = max(0, start - batch.num_rows)
