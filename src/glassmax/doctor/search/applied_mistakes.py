"""Mistakes applied to the probes: each array is computed on demand, and once."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np

from ...functional.arrays import Array
from ..mistakes.mistake import Mistake

__all__ = ["Applied"]


class HasRows(Protocol):
    """The place of a mistake: a pass, or a layer of one."""

    @property
    def n(self) -> int:
        """The number of rows."""


S = TypeVar("S", bound=HasRows)


class Applied(Generic[S]):
    """A step of the backward pass with its mistakes, on every probe.

    `places` are where the step is taken. `right` is the step without a mistake. On a single row, it replaces a
    mistake that can't be made there.
    """

    def __init__(
        self, places: Sequence[S], mistakes: Iterable[Mistake[S]], right: Callable[[S], Array] | None = None
    ) -> None:
        self.places, self.mistakes, self.right = places, tuple(mistakes), right
        self._made: dict[tuple[Mistake[S] | None, int], Array | None] = {}

    def possible(self) -> list[Mistake[S]]:
        """The mistakes that can be made on the first probe."""
        return [mistake for mistake in self.mistakes if self._formula(mistake, 0) is not None]

    def make(self, mistake: Mistake[S] | None, probe: int) -> Array | None:
        """Make a mistake, or (None) the right step, on a probe; None if the mistake can't be made there."""
        made = self._formula(mistake, probe)
        return self._formula(None, probe) if made is None and self.places[probe].n == 1 else made

    def _formula(self, mistake: Mistake[S] | None, probe: int) -> Array | None:
        if (mistake, probe) not in self._made:
            formula = self.right if mistake is None else mistake.formula
            with np.errstate(all="ignore"):
                self._made[mistake, probe] = None if formula is None else formula(self.places[probe])
        return self._made[mistake, probe]
