"""Decode a Parquet or Arrow file and forget it: run as a program, in a separate process.

A damaged file may declare sizes at which compiled code crashes with its process. If this process crashes, the process
that started it sees the exit code and doesn't open the file. This module imports only polars.

::

    python -P trial_read.py LIMIT CELLS KIND PATH|- KIND PATH ...
    python -P trial_read.py LIMIT footers KIND PATH KIND PATH ...

reads files, about so many cells at a time, from standard input for ``-``, or only their footers, in at most LIMIT bytes
of memory. It prints lines: "file" before each file, "rows" and their number after each piece of it, and "end" or
"failed" behind it.
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


def main(limit: int, cells: str, *files: str) -> None:
    """Read files, each a kind and a path, in at most `limit` bytes of memory; 0 is no limit."""
    import polars  # noqa: F401 - before the limit

    if limit:
        try:
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        except (ImportError, ValueError, OSError):  # not on this system
            pass
    for kind, path in zip(files[::2], files[1::2], strict=True):
        _say("file")
        try:
            _read(opened(kind, BytesIO(sys.stdin.buffer.read()) if path == "-" else path), cells)
            _say("end")
        except BaseException:  # the process that reads the file says what is wrong; only a crash matters here
            _say("failed")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - how far it has come


def _read(frame: Any, cells: str) -> None:
    names = frame.collect_schema().names()
    if cells == "footers":
        return
    start, rows = 0, max(128, int(cells) // max(1, len(names)))
    _say("rows 0")
    while frame.slice(start, rows).collect().height == rows:
        start += rows
        _say(f"rows {start}")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
