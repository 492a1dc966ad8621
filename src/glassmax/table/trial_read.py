"""Decode a Parquet or Arrow file and forget it: run as a program, in a separate process.

A damaged file may declare sizes at which compiled code crashes with its process. If this process crashes, the process
that started it sees the exit code and doesn't open the file. This module imports only polars.

::

    python -P trial_read.py LIMIT ROWS KIND PATH|-
    python -P trial_read.py LIMIT footers KIND PATH KIND PATH ...

reads a file in pieces of so many rows, from standard input for ``-``, or the footers of several files, in at most LIMIT
bytes of memory. Before each file it prints a line, "file", and after one that can't be read "failed" and its number.
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


def main(limit: int, rows: str, *files: str) -> None:
    """Read files, each a kind and a path, in at most `limit` bytes of memory; 0 is no limit."""
    import polars  # noqa: F401 - before the limit

    if limit:
        try:
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        except (ImportError, ValueError, OSError):  # not on this system
            pass
    for number, (kind, path) in enumerate(zip(files[::2], files[1::2], strict=True)):
        print("file", flush=True)  # noqa: T201 - how far it has come
        try:
            _read(opened(kind, BytesIO(sys.stdin.buffer.read()) if path == "-" else path), rows)
        except BaseException:  # the process that reads the file says what is wrong; only a crash matters here
            print(f"failed {number}", flush=True)  # noqa: T201


def _read(frame: Any, rows: str) -> None:
    if rows == "footers":
        frame.collect_schema()
        return
    start = 0
    while frame.slice(start, int(rows)).collect().height == int(rows):
        start += int(rows)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
