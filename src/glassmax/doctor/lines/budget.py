"""How often the learner's program may be run again: by its length, so that no clock decides what is said.

The length of a call is estimated from the statements that were recorded and from the sizes of the layers.
"""

from dataclasses import dataclass
from itertools import pairwise

from ...learner.recording import Recording
from ..exact_pass import Pass

__all__ = ["Budget", "call_length"]

OF_A_CALL, OF_A_STATEMENT, OF_A_MILLION = 400.0, 1.0, 1000.0
"""Microseconds, about: of a changed call without its statements, of a statement, of a million products of numbers."""
IN_ALL = 1.2e6
"""Microseconds, about, that all calls of a search may take together."""
FEWEST, MOST = 80, 2000
"""The least and the largest number of calls, whatever they take."""


@dataclass(frozen=True)
class Budget:
    """The largest number of calls, whether a call is long, and a limit of time that only a stuck program reaches.

    The limit is in seconds of computing. `of` is the budget for calls of a length from `call_length`.
    """

    calls: int
    long: bool
    seconds: float

    @classmethod
    def of(cls, length: float, seconds: float) -> "Budget":
        """The budget for calls of a length, with a limit of time."""
        return cls(int(min(max(IN_ALL / length, FEWEST), MOST)), length > 4 * OF_A_CALL, seconds)


def call_length(recording: Recording, p: Pass) -> float:
    """About how many microseconds a call takes: counted, not measured, so that each machine finds the same number."""
    runs: dict[tuple[int, int], int] = {}
    for event in recording.events:
        key = event.call, id(event.statement)
        runs[key] = max(runs.get(key, 0), event.visit)
    sizes = p.architecture.sizes
    products = 3 * p.n * sum(a * b for a, b in pairwise(sizes))
    return OF_A_CALL + OF_A_STATEMENT * sum(runs.values()) + OF_A_MILLION * products / 1e6
