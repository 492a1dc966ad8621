"""What the statements of the learner's function do on each probe, recorded when it is first asked for.

A right program needs no recording. One that takes long is not run again more often than it has to be.
"""

from collections.abc import Sequence
from typing import overload

from ...learner.recording import Limits, Recording
from ..exact_pass import Pass
from ..reading.function import LIMITS, Learner
from ..reading.probes import Arguments

__all__ = ["Recordings"]

SLOW, TOO_SLOW = 0.5, 2.0
"""The seconds of a call from which on it is watched on the learner's own data alone, and from which on it isn't."""

PATIENT = Limits(seconds=1.0)
"""What watching may cost where somebody asks for the listing."""

FEWEST = 3
"""The rows from which on a probe tells arrays apart."""


class Recordings(Sequence[Recording | None]):
    """The recordings, in the order of the probes, the learner's own data first; None for a probe that isn't needed.

    Needed are the learner's own data, other data with as many rows, and data with another number of rows.
    """

    def __init__(self, learner: Learner, passes: Sequence[Pass], arguments: Sequence[Arguments]) -> None:
        self.learner, self.arguments = learner, arguments
        same = [i for i, p in enumerate(passes) if i and p.n == passes[0].n]
        other = [i for i, p in enumerate(passes) if i and p.n != passes[0].n and p.n >= FEWEST]
        self._needed = [0, *same[:1], *other[:1]]
        self._made: dict[int, Recording | None] = {}
        self._limits, self._slow = LIMITS, SLOW

    def __len__(self) -> int:
        return len(self.arguments)

    @overload
    def __getitem__(self, index: int) -> Recording | None: ...
    @overload
    def __getitem__(self, index: slice) -> list[Recording | None]: ...
    def __getitem__(self, index: int | slice) -> Recording | list[Recording | None] | None:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        if index not in self._made:
            self._made[index] = self._recorded(index)
        return self._made[index]

    def patient(self) -> list[Recording | None]:
        """The recordings; if that of the learner's own data is cut short, they are made anew in more time."""
        own = self[0]
        if own is not None and own.why and own.events and self.learner.slowest < TOO_SLOW:
            self._limits, self._slow = PATIENT, TOO_SLOW
            self._made.clear()
        return list(self)

    def _recorded(self, index: int) -> Recording | None:
        seconds = self.learner.slowest
        needed = self._needed if seconds < self._slow else [0] if seconds < TOO_SLOW else []
        if index not in needed:
            return None
        return self.learner.call(*self.arguments[index], watched=True, limits=self._limits).recording
