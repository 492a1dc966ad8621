"""`Effort`: how much a search may do, in steps that are counted: the same on any machine."""

from dataclasses import dataclass, field
from time import thread_time

__all__ = ["Effort"]

SECONDS = 30.0
"""The processor time after which a search is given up: many times what the steps take, a safety net alone."""


@dataclass
class Effort:
    """The steps that are left, and the processor time at which the search is given up whatever is left.

    Examples
    --------
    >>> effort = Effort(3)
    >>> effort.spend(2), effort.spend(2), effort.left
    (True, False, 0)
    """

    left: int
    end: float = field(default_factory=lambda: thread_time() + SECONDS)

    def spend(self, steps: int) -> bool:
        """Take steps; return whether there were enough."""
        enough = self.left >= steps and thread_time() < self.end
        self.left = self.left - steps if enough else 0
        return enough

    def share(self, most: int) -> "Effort":
        """Take up to `most` steps out, for a part of the search; `give_back` returns those that it leaves."""
        part = Effort(min(most, self.left), self.end)
        self.left -= part.left
        return part

    def give_back(self, part: "Effort") -> None:
        """Take back the steps that a part of the search did not need."""
        self.left += part.left
