"""Decode a Parquet or Arrow file and forget it: run as a program, in a separate process.

A damaged file may declare sizes at which compiled code crashes with its process. If this process crashes, the process
that started it sees the exit code and doesn't open the file. This module imports only polars.

::

    python -P trial_read.py KIND PATH|- ROWS LIMIT

reads the file in pieces of so many rows, from standard input for ``-``, in at most LIMIT bytes of memory.
"""

import sys
from io import BytesIO
from typing import Any

__all__ = ["main", "opened"]


def opened(kind: str, file: str | BytesIO) -> Any:
    """Return a Parquet file, an Arrow file or an Arrow stream, at a path or in memory, as a lazy frame."""
    import polars as pl

    if kind == "Arrow stream":
        return pl.read_ipc_stream(file).lazy()
    if isinstance(file, str):
        return pl.scan_parquet(file) if kind == "Parquet" else pl.scan_ipc(file)
    return pl.read_parquet(file).lazy() if kind == "Parquet" else pl.read_ipc(file).lazy()


def main(kind: str, path: str, rows: int, limit: int) -> None:
    """Read the whole file in pieces of so many rows, in at most `limit` bytes of memory; 0 is no limit."""
    import polars  # noqa: F401 - before the limit

    if limit:
        try:
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        except (ImportError, ValueError, OSError):  # not on this system
            pass
    file = BytesIO(sys.stdin.buffer.read()) if path == "-" else path
    frame = opened(kind, file)
    start = 0
    while frame.slice(start, rows).collect().height == rows:
        start += rows


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
