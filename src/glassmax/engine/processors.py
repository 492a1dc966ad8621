"""The number of threads of the native engine: the processors that this process may use, and their limits."""

import math
import os
from functools import cache
from pathlib import Path

from ..errors import OptionError

__all__ = ["processors", "thread_numbers"]

MAX_THREADS = 61


@cache
def thread_numbers() -> tuple[int, int]:
    """Return the default number of threads, and the maximum."""
    there_are = processors()
    wanted = os.environ.get("GLASSMAX_NUM_THREADS", "")
    if not wanted:
        return there_are, MAX_THREADS
    if not (wanted.isascii() and wanted.isdigit() and int(wanted) >= 1):
        remedy = f"Unset GLASSMAX_NUM_THREADS to use {there_are} threads."
        raise OptionError(
            parameter="GLASSMAX_NUM_THREADS", came=repr(wanted), expected="a whole number >= 1", remedy=remedy
        )
    most = min(int(wanted), MAX_THREADS)
    return min(there_are, most), most


def processors() -> int:
    """Return the number of processors that CPU affinity and the CPU quota of the container leave to this process."""
    some = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        share = math.ceil(int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):  # no quota
        return max(1, some)
    return max(1, min(some, share))
