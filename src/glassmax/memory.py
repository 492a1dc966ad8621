"""The memory that is available, and an error before an array is made that needs more than that."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import os
from pathlib import Path

from .errors import DataError, Text

__all__ = ["available_memory", "check_matrix", "check_memory", "size_in_words"]

ALWAYS_THERE = 2**20
"""Bytes that are not worth asking the system about, which takes longer than predicting a row."""


def check_memory(needed: int, what: str, remedy: Text | str = "") -> None:
    """Raise a DataError if `what` needs more memory than is available.

    Parameters
    ----------
    needed : int
        Bytes.
    what : str
        Subject of the sentence: "Training this network".
    remedy : str or tuple
        The next step.
    """
    available = available_memory() if needed > ALWAYS_THERE else None
    if available is not None and needed > available:
        raise DataError(
            f"{what} needs {size_in_words(needed)} of memory, but only {size_in_words(available)} is available.",
            remedy=remedy,
        )


def check_matrix(rows: int, classes: int, itemsize: int) -> None:
    """Raise a DataError if a matrix of rows x classes needs more memory than is available."""
    check_memory(
        rows * classes * itemsize,
        f"A matrix of {rows} rows and {classes} classes",
        "predict_top returns the most probable classes of each row and needs no such matrix.",
    )


def available_memory() -> int | None:
    """Return the bytes of memory that this process can still allocate; None if the system doesn't tell."""
    found = [some for some in (_free_of_machine(), _free_of_container()) if some is not None]
    return min(found, default=None)


def _free_of_machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError, IndexError):
        return None


def _free_of_container() -> int | None:
    folder = Path("/sys/fs/cgroup")
    try:
        most = int((folder / "memory.max").read_text(encoding="ascii"))
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        facts = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
        return max(0, most - used + int(facts.get("inactive_file", 0)))
    except (OSError, ValueError):  # no limit
        return None


def size_in_words(size: int) -> str:
    """Return a number of bytes as text, in powers of 1000.

    Examples
    --------
    >>> [size_in_words(size) for size in (999, 25_000, 3_140_000, 912e6, 3.06e9, 4e12)]
    ['999 bytes', '25 kB', '3.1 MB', '912 MB', '3.1 GB', '4.0 TB']
    """
    if size < 1000:
        return f"{int(size)} bytes"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"
    raise AssertionError


def __dir__() -> list[str]:
    return __all__
