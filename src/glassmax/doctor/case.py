"""A case: the learner's gradients on every probe beside the exact ones, and how far apart the two are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..functional.arrays import Array
from ..learner.line_watch import Recording
from .exact_pass import Pass
from .reading.problem import Problem

__all__ = ["FINE", "Case", "Errors", "relative_errors"]

FINE = 1e-8
"""The largest relative error that counts as rounding in float64."""

Key = tuple[str, int]
Gradients = dict[Key, Array]
Errors = dict[Key, float]


@dataclass(frozen=True)
class Case:
    """A reading of the problem with the learner's gradients on every probe, the learner's own data first.

    `same_rows` says which probes have the learner's number of rows, `single_precision` whether anything was float32.
    `recordings` are what the statements of the learner's function did on each probe, None where it was not watched;
    the list is empty if there is no function.
    """

    problem: Problem
    passes: list[Pass]
    gradients: list[Gradients]
    same_rows: list[bool]
    single_precision: bool
    recordings: Sequence[Recording | None] = ()

    @cached_property
    def errors(self) -> list[Errors]:
        """The relative error of each gradient, on each probe."""
        pairs = zip(self.passes, self.gradients, strict=True)
        return [relative_errors(p, gradients, self.single_precision) for p, gradients in pairs]

    @cached_property
    def judged(self) -> list[Errors]:
        """The errors on the probes with the learner's number of rows, their own data first."""
        return [errors for errors, same in zip(self.errors, self.same_rows, strict=True) if same]

    def off(self, keys: Sequence[Key]) -> list[Key]:
        """Return the gradients that are wrong on a probe with the learner's number of rows."""
        return [key for key in keys if any(errors[key] > FINE / 10 for errors in self.judged)]

    def all_zero(self, keys: Sequence[Key]) -> bool:
        """Whether these gradients are 0 throughout, on every probe."""
        return bool(keys) and not any(probe[key].any() for probe in self.gradients for key in keys)

    def worst(self, keys: Sequence[Key]) -> float:
        """The largest error of these gradients; infinite is that of another shape, not of an overflow on a probe."""
        if not keys or any(np.isinf(self.errors[0][key]) for key in keys):
            return float("inf")
        return max(error for errors in self.judged for key in keys if np.isfinite(error := errors[key]))


def relative_errors(p: Pass, gradients: Gradients, single_precision: bool = False) -> Errors:
    """Return the relative error of each gradient: infinite where the shape is wrong or a number is not finite.

    Differences that are rounding of large terms are scaled down.
    """
    found = {}
    for key, T in p.truth.items():
        G = gradients[key]
        if G.shape != T.shape or not np.isfinite(G).all():
            found[key] = float("inf")
            continue
        of_P = (1e-4 if single_precision else 1e-10) * abs(p.scale) * p.n  # P is rounded, near 0 or 1 at worst
        size = max(float(np.linalg.norm(T)), 1e-5 * p.size[key], of_P, 1e-300)
        found[key] = float(np.linalg.norm(G - T)) / size
    return found
