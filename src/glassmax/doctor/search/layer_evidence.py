"""One layer below layers that are explained already: the gradients that dW and db are compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ...functional.arrays import Array
from ..mistakes.site import Site
from .evidence import Evidence
from .matching import Match, Target, find_matches

__all__ = ["LayerEvidence"]


@dataclass(frozen=True)
class LayerEvidence:
    """A layer whose dZ is looked for; `number` counts from 1.

    `totals` is the factor that the layers above hold already, on each probe; `declared` says that a factor throughout
    is a mistake.
    """

    evidence: Evidence
    number: int
    totals: tuple[float, ...]
    declared: bool

    @cached_property
    def has_bias(self) -> bool:
        """Whether the layer has a bias."""
        return self.evidence.architecture.biases[self.number - 1]

    @cached_property
    def fits_shape(self) -> dict[str, bool]:
        """Whether the learner's dW, and db, has a shape that it may have."""
        evidence, number = self.evidence, self.number
        return {
            "W": evidence.shape_is_right("W", number) or evidence.is_transposed(number),
            "b": self.has_bias and evidence.shape_is_right("b", number),
        }

    @property
    def factor_cost(self) -> float:
        """The cost of a factor of dZ: small if it is in the whole network and isn't declared a mistake."""
        return 0.3 if self.number == self.evidence.depth and not self.declared else 1.0

    def targets(self, kind: str) -> list[Target]:
        """The learner's dW or db, on every probe."""
        return self.evidence.targets(kind, self.number)

    def follows(self, kind: str, probe: int, D: Array) -> Array:
        """The data's part of dW or db as it follows from dZ on a probe."""
        return self.evidence.passes[probe].of_weights(self.number, D) if kind == "W" else D.sum(axis=0)

    def matches(self, kind: str, arrays: Sequence[Array], lone: bool = False) -> list[Match]:
        """Hold arrays against the learner's dW or db, on the first probes."""
        probes = len(arrays)
        targets = self.targets(kind)[:probes]
        return find_matches(targets, arrays, self.totals[:probes], self.evidence.tolerance, lone)

    def sites(self, D: Sequence[Array], before: Sequence[Array | None]) -> list[Site]:
        """The layer on every probe, with the learner's dZ and dA."""
        passes = self.evidence.passes
        return [Site(p, self.number, d, dA) for p, d, dA in zip(passes, D, before, strict=True)]
