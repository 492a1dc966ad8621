"""The ranks of an MPI job, and messages between them: none waits in a way that can't be ended.

MPI's own functions wait for ever, and keep a core busy while they do. Here a message is asked for again and again: at
first at once, as the next step of training is a matter of microseconds; then after pauses of a hundredth of the time
waited so far, up to 10 ms, so that a rank that has nothing to do costs nothing.

The ranks are a binomial tree, in which rank r has the children r + 1, r + 2, r + 4, ... below r plus its lowest set
bit: what a rank and all below it have to do are consecutive ranks, in the order of its children.
"""

import atexit
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

__all__ = [
    "ALIVE",
    "ANSWER",
    "ANY",
    "COMMAND",
    "FINISHED",
    "STOP",
    "Ranks",
    "abort",
    "abort_at_exit",
    "children_of",
    "leave_no_file",
    "parent_of",
    "remove_stale_files",
    "until",
]

COMMAND, ANSWER, STOP, ALIVE = 1, 2, 3, 4
"""The kinds of messages: down the tree; up the tree, or to rank 0; from rank 0; to rank 0."""
FINISHED = -1
SPIN_SECONDS = 0.0003
LONGEST_PAUSE = 0.01
STALE_SECONDS = 10.0
ANY = -1

_Found = TypeVar("_Found")
_pause_briefly = getattr(os, "sched_yield", lambda: time.sleep(0))


def parent_of(rank: int) -> int:
    """Return the parent of a rank > 0: the rank without its lowest set bit."""
    return rank & (rank - 1)


def children_of(rank: int, size: int) -> list[int]:
    """Return the children of a rank, in their order.

    Examples
    --------
    >>> children_of(0, 6), children_of(4, 6), children_of(2, 6)
    ([1, 2, 4], [5], [3])
    """
    below = (rank & -rank) if rank else size
    return [rank + 2**bit for bit in range(below.bit_length()) if 2**bit < below and rank + 2**bit < size]


class Ranks(NamedTuple):
    """The ranks of a job as one of them sees them, and how it talks to the others.

    Attributes
    ----------
    MPI : module
        mpi4py.MPI.
    comm : mpi4py.MPI.Comm
        A communicator of our own, so that no message is taken for one of the user's program.
    hosts : list of str
        The machine of each rank; only rank 0 knows it.
    """

    MPI: Any
    comm: Any
    rank: int
    size: int
    hosts: list[str]

    @property
    def children(self) -> list[int]:
        """The children of this rank."""
        return children_of(self.rank, self.size)

    def name(self, rank: int) -> str:
        """Return how an error calls a rank."""
        return f"rank {rank} on {self.hosts[rank]}" if self.hosts else f"rank {rank}"

    def send(self, ranks: Sequence[int], tag: int, content: Any, meanwhile: Callable[[int], None]) -> None:
        """Send bytes to some ranks, and wait until they have been taken.

        Parameters
        ----------
        ranks : sequence of int
        tag : int
        content : bytes-like
        meanwhile : callable
            As for `until`.
        """
        for rank, request in [(rank, self.begin_to_send(rank, tag, content)) for rank in ranks]:
            until(request.Test, rank, meanwhile)

    def begin_to_send(self, rank: int, tag: int, content: Any) -> Any:
        """Send bytes that stay as they are until the request that is returned has passed its `Test`."""
        return self.comm.Isend([content, self.MPI.BYTE], rank, tag)

    def receive(
        self, rank: int, tag: int, meanwhile: Callable[[int], None], then: Callable[[int], None] | None = None
    ) -> memoryview:
        """Wait for the message of a rank, and return its bytes, in memory that nothing else uses.

        Parameters
        ----------
        rank, tag : int
        meanwhile, then : callable
            As for `until`, before the message has begun to come, and while it comes.
        """
        status = self.MPI.Status()
        message = until(lambda: self.comm.Improbe(rank, tag, status), rank, meanwhile)
        return self._taken(message, status, then or meanwhile)

    def come(self, rank: int, tag: int) -> tuple[int, memoryview] | None:
        """Return the sender and the bytes of a message that has come already, if there is one; `ANY` rank's."""
        status = self.MPI.Status()
        message = self.comm.Improbe(self.MPI.ANY_SOURCE if rank == ANY else rank, tag, status)
        return None if message is None else (status.Get_source(), self._taken(message, status, _nothing))

    def _taken(self, message: Any, status: Any, meanwhile: Callable[[int], None]) -> memoryview:
        content = np.empty(status.Get_count(self.MPI.BYTE), np.uint8)
        until(message.Irecv([content, self.MPI.BYTE]).Test, status.Get_source(), meanwhile)
        return content.data


def until(test: Callable[[], _Found | None], rank: int, meanwhile: Callable[[int], None]) -> _Found:
    """Return what `test` returns as soon as that is true.

    Parameters
    ----------
    test : callable
    rank : int
        The rank that is waited for.
    meanwhile : callable
        Is called with this rank before each pause; ends the wait with an exception.
    """
    started = time.perf_counter()
    while not (found := test()):
        waited = time.perf_counter() - started
        if waited < SPIN_SECONDS:
            _pause_briefly()
        else:
            meanwhile(rank)
            time.sleep(min(LONGEST_PAUSE, waited / 100))
    return found


def _nothing(_: int) -> None:
    """Let a small message come, which takes no time."""


def abort_at_exit(ranks: Ranks) -> None:
    """Let the whole job end with this process, with exit code 1, whatever the other ranks are at.

    Without it, MPI would wait at the end of the process for ranks that may never come.
    """
    if ranks.size > 1:
        atexit.register(abort, ranks)


def abort(ranks: Ranks) -> None:
    """End all ranks now, with exit code 1."""
    sys.stdout.flush()
    sys.stderr.flush()
    leave_no_file()
    with open(os.devnull, "wb") as nothing:  # our own error is the last that is said
        os.dup2(nothing.fileno(), 2)
    ranks.comm.Abort(1)


def remove_stale_files(folder: Path = Path("/dev/shm")) -> None:
    """Remove the names of memory that jobs of this user have left, because they were killed while MPI was starting.

    A name stays if it is younger than ten seconds, or if a process uses its memory.
    """
    now = time.time()
    with suppress(OSError):
        stale = [path for path in folder.glob("mpich_shm_*") if _is_old(path, now)]
        used = "".join(map(_maps_of, Path("/proc").glob("[0-9]*"))) if stale else ""
        for path in stale:
            if f"{path}\n" not in used:
                path.unlink(missing_ok=True)


def _is_old(path: Path, now: float) -> bool:
    found = path.stat()
    return found.st_uid == os.getuid() and found.st_mtime < now - STALE_SECONDS


def _maps_of(process: Path) -> str:
    try:
        return (process / "maps").read_text()
    except OSError:  # it has ended, or is another user's
        return ""


def leave_no_file() -> None:
    """Remove the name of the memory that the ranks of a machine share with MPICH, as all of them have opened it.

    Otherwise, it would stay in memory after a rank was killed.
    """
    maps = Path("/proc/self/maps")
    for line in maps.read_text().splitlines() if maps.exists() else ():
        path = line.split(maxsplit=5)[-1]
        if path.startswith("/dev/shm/mpich_shm_"):
            with suppress(OSError):  # another rank was first
                os.unlink(path)
