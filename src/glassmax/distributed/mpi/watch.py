"""What rank 0 keeps an eye on: the shards of the others, its own shard, and Ctrl-C."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from ..failures import not_answering, said
from .ranks import ALIVE, ANY, FINISHED, Ranks, abort, abort_at_exit

__all__ = ["Interrupts", "OwnShard", "Watch"]


class Interrupts:
    """Within ``with interrupts:``, Ctrl-C comes only where `deliver` or `allowed` is called, and at the end.

    Otherwise, KeyboardInterrupt could be raised when a message has been received in part, and its rest would be taken
    for the next message.
    """

    def __init__(self) -> None:
        self._before: Any = None
        self._came: tuple[int, FrameType | None] | None = None
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth == 1 and threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if callable(before):
                self._before = before
                signal.signal(signal.SIGINT, self._note)

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            try:
                self.deliver()
            finally:
                self._before = None

    def ignore(self) -> None:
        """Leave Ctrl-C to the driver, to which mpiexec sends it too, until `restore` is called."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, signal.SIG_IGN)

    def restore(self) -> None:
        """Let Ctrl-C come here again."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came = (number, frame)

    def deliver(self) -> None:
        """Do now what an earlier Ctrl-C asked for."""
        if self._came is not None and self._depth <= 1:
            came, self._came = self._came, None
            self._before(*came)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let Ctrl-C come at once."""
        if self._before is None:
            yield
            return
        signal.signal(signal.SIGINT, self._before)
        try:
            self.deliver()
            yield
        finally:
            signal.signal(signal.SIGINT, self._note)


class Watch:
    """The time since each rank that has shards to do was heard of."""

    def __init__(self, ranks: Ranks, limit: float, interrupts: Interrupts) -> None:
        self.ranks, self.limit, self.interrupts = ranks, limit, interrupts
        self.is_lost = False  # whether a rank can't be reached any more
        self._call, self._name = 0, ""
        self._shards: dict[int, range] = {}  # by rank: the shards of which it does one
        self._heard: dict[int, float] = {}
        self._last = 0.0

    def begin(self, call: int) -> None:
        """Begin another call, in which no rank has shards to do yet."""
        self._call, self._last = call, time.monotonic()
        self._shards, self._heard = {}, {}

    def expect(self, name: str, parts: list[list[int]]) -> None:
        """Watch the ranks that have shards to do in this call."""
        self._name = name
        self._shards = {rank: range(part[0], part[-1] + 1) for rank, part in enumerate(parts) if rank and part}
        self._heard = dict.fromkeys(self._shards, time.monotonic())

    def heard(self, rank: int) -> None:
        """Note that a rank has sent an answer."""
        self._last = time.monotonic()
        self._heard[rank] = self._last

    def while_waiting(self, rank: int) -> None:
        """Raise if Ctrl-C came, or if a rank has not been heard of within the limit."""
        self.interrupts.deliver()
        self.while_sending(rank)

    def while_sending(self, rank: int) -> None:
        """Raise if a rank has not been heard of within the limit; `rank` is waited for."""
        self._read_signs()
        now = time.monotonic()
        late = min(self._shards, key=self._heard.__getitem__, default=None)
        if late is not None and now - self._heard[late] > self.limit:
            self.lose()
            raise not_answering(said(self._name, self._shards[late]), self.ranks.name(late), self.limit)
        if late is None and now - self._last > self.limit:
            self.lose()
            raise not_answering("a message", self.ranks.name(rank), self.limit)

    def _read_signs(self) -> None:
        while (sign := self.ranks.come(ANY, ALIVE)) is not None:
            rank, content = sign
            call, shard = np.frombuffer(content, np.int64).tolist()
            if call != self._call:
                continue
            self.heard(rank)
            if shard == FINISHED:
                self._shards.pop(rank, None)
            else:
                self._shards[rank] = range(shard, shard + 1)

    def lose(self) -> None:
        """Give the other ranks up; they are ended with this process."""
        if not self.is_lost:
            self.is_lost = True
            abort_at_exit(self.ranks)


class OwnShard:
    """The shard of rank 0, on which nobody else has an eye: the job ends if it takes too long.

    Parameters
    ----------
    ranks : Ranks
    limit : float
        Seconds.
    """

    def __init__(self, ranks: Ranks, limit: float) -> None:
        self.ranks, self.limit, self.what = ranks, limit, ""
        self._since: float | None = None
        self._closed = threading.Event()
        threading.Thread(target=self._look, name="glassmax watch", daemon=True).start()

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Count the time of a shard."""
        self.what, self._since = what, time.monotonic()
        try:
            yield
        finally:
            self._since = None

    def alive(self) -> None:
        """Count the time anew."""
        self._since = time.monotonic()

    def close(self) -> None:
        """Stop looking."""
        self._closed.set()

    def _look(self) -> None:
        while not self._closed.wait(min(1.0, self.limit / 4)):
            since = self._since
            if since is not None and time.monotonic() - since > self.limit:
                sys.stderr.write(f"{not_answering(self.what, self.ranks.name(0), self.limit)}\n")
                abort(self.ranks)
