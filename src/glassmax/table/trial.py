"""A trial: another process decodes Parquet and Arrow files ahead of this one, because damaged files may crash it.

This process reads a row only after the other one has. See `trial_read`, which is what the other process runs.
"""

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import DataError

__all__ = ["Trial", "has_crashed", "incomplete", "run_trial", "start_trial"]

DIED = 128
CELLS_AT_ONCE = 2**22


class Trial:
    """Another process that decodes some files of this machine, one after another; ends with the ``with`` statement.

    Parameters
    ----------
    files : sequence of (path, kind)
        The kinds are "Parquet", "Arrow" and "Arrow stream".
    """

    def __init__(self, files: Sequence[tuple[str, str]]) -> None:
        self.files = files
        self._file, self._rows = -1, 0.0
        self._failed: set[int] = set()
        argv = [argument for path, kind in files for argument in (kind, path)]
        self._child = start_trial([str(CELLS_AT_ONCE), *argv])

    def __repr__(self) -> str:
        return f"Trial of {len(self.files)} files, at number {self._file}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def has_read(self, number: int, rows: int) -> bool:
        """Wait until the process has decoded so many rows of a file; return whether they can be decoded.

        Raises
        ------
        DataError
            If the process has crashed.
        """
        while (self._file, self._rows) < (number, rows) and number not in self._failed:
            if self._child is None or self._child.stdout is None:
                return False
            line = self._child.stdout.readline().split()
            if not line:
                self._child.wait()
                if has_crashed(self._child.returncode):
                    raise incomplete(*self.files[max(0, self._file)])
                self._child = None
            elif line[0] == b"file":
                self._file, self._rows = self._file + 1, 0.0
            elif line[0] == b"failed":
                self._failed.add(self._file)
                self._rows = math.inf
            else:
                self._rows = float(line[1]) if len(line) > 1 else math.inf
        return number not in self._failed


def run_trial(argv: Sequence[str], content: bytes) -> "subprocess.CompletedProcess[bytes] | None":
    """Run `trial_read` in another process to its end; return None if there can be no other process here."""
    try:
        return subprocess.run(_command(argv), input=content, capture_output=True, check=False)
    except OSError:
        return None


def start_trial(argv: Sequence[str]) -> "subprocess.Popen[bytes] | None":
    """Start `trial_read` in another process; return None if there can be no other process here."""
    nothing = subprocess.DEVNULL
    try:
        return subprocess.Popen(_command(argv), stdin=nothing, stdout=subprocess.PIPE, stderr=nothing)
    except OSError:
        return None


def _command(argv: Sequence[str]) -> list[str]:
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        memory = 0
    return [sys.executable, "-P", str(Path(__file__).with_name("trial_read.py")), str(memory), *argv]


def has_crashed(code: int) -> bool:
    """Whether this is how a process ends that has crashed."""
    return code < 0 or code >= DIED


def incomplete(place: str, kind: str) -> DataError:
    """Return the error for a file that crashes whoever reads it."""
    return DataError(f"{place} is not a complete {kind} file: reading it fails. Take another copy, or write it again.")
