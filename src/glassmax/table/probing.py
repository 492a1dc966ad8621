"""Decode a Parquet or Arrow file and forget it: run as a program, in a process of its own.

A damaged file may declare sizes at which compiled code crashes with its process. If this process crashes, the process
that started it sees the exit code and doesn't open the file. This module imports only polars.

::

    python -P probing.py KIND PATH|- ROWS LIMIT

reads the file in pieces of so many rows, from standard input for ``-``, in at most LIMIT bytes of memory.
"""

import sys

__all__ = ["main"]


def main(kind: str, path: str, rows: int, limit: int) -> None:
    """Read all of it.

    Parameters
    ----------
    kind : {"Parquet", "Arrow", "Arrow stream"}
    path : str
    rows : int
        At a time.
    limit : int
        Bytes of memory; 0 for as much as there is.
    """
    from io import BytesIO

    import polars as pl

    if limit:
        try:
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        except (ImportError, ValueError, OSError):  # not on this system
            pass
    file = BytesIO(sys.stdin.buffer.read()) if path == "-" else path
    if kind == "Arrow stream":
        frame = pl.read_ipc_stream(file).lazy()
    elif kind == "Parquet":
        frame = pl.scan_parquet(file) if path != "-" else pl.read_parquet(file).lazy()
    else:
        frame = pl.scan_ipc(file) if path != "-" else pl.read_ipc(file).lazy()
    start = 0
    while frame.slice(start, rows).collect().height == rows:
        start += rows


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
