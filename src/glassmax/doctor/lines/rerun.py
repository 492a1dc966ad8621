"""The learner's program run again with changed lines, on every probe, and which of its gradients are right then.

A repair is what this module says it is: the program itself, with one line changed, returns the right gradients on all
data. Nothing is concluded from the looks of a line.
"""

import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...functional.arrays import Array
from ..constants import recognise
from ..exact_pass import Pass
from ..reading.function import Learner
from ..reading.layout import Layout
from ..reading.probes import Arguments
from .source import Edit, Unit, replaced

__all__ = ["Key", "Rerun", "Run"]

Key = tuple[str, int]
Gradients = dict[Key, Array]
SIZE_OF_PROBE = 3


@dataclass(frozen=True)
class Run:
    """The answers of a changed program: its gradients on the probes that it was run on, by number."""

    gradients: dict[int, Gradients]

    def __eq__(self, other: object) -> bool:
        return self is other


class Rerun:
    """A learner's function on its probes; `passes` and `arguments` are those of the probes, the learner's own first.

    `any_factor` says whether a factor that all gradients share is no fault. `loose` is the relative error that counts
    as rounding.
    """

    def __init__(
        self,
        learner: Learner,
        layout: Layout,
        passes: Sequence[Pass],
        arguments: Sequence[Arguments],
        any_factor: bool,
        loose: float,
    ) -> None:
        self.learner, self.layout, self.passes, self.arguments = learner, layout, list(passes), list(arguments)
        self.any_factor, self.loose = any_factor, loose
        self.calls = 0
        order = sorted(range(len(self.passes)), key=lambda i: (self.passes[i].n < SIZE_OF_PROBE, self.passes[i].n))
        self.order = order

    @cached_property
    def keys(self) -> list[Key]:
        """The parameters, in the order in which a backward pass comes to them."""
        return sorted(self.passes[0].architecture.parameters, key=lambda key: (-key[1], key[0] != "W"))

    def codes(self, units: Iterable[Unit], edits: Sequence[tuple[Unit, Edit]]) -> list[tuple[types.FunctionType, types.CodeType]] | None:
        """The functions with their changed codes; None if a change is not Python."""
        found = []
        for unit in dict.fromkeys(unit for unit, _ in edits):
            code = unit.compiled([edit for its, edit in edits if its is unit])
            if code is None:
                return None
            found.append((unit.function, code))
        return found

    def gradients(self, codes: Sequence[tuple[types.FunctionType, types.CodeType]], probe: int) -> Gradients | None:
        """What the changed program returns on a probe; None if it raises, or returns something else."""
        self.calls += 1
        with replaced(codes):
            try:
                answer = self.learner.call(*self.arguments[probe]).answer
            except (ValueError, TypeError):  # what a change returns may be no array at all
                answer = None
        if answer is None:
            return None
        found = answer.ours(self.layout)
        return found if all(np.isfinite(array).all() for array in found.values()) else None

    def right(self, gradients: Gradients | None, probe: int) -> tuple[frozenset[Key], float]:
        """The gradients that are right on a probe, and the factor that they share."""
        if gradients is None:
            return frozenset(), 1.0
        p = self.passes[probe]
        found: dict[float, set[Key]] = {1.0: set()}
        for key in self.keys:
            factor = self._factor(p, key, gradients[key])
            if factor is None:
                continue
            if abs(factor - 1) <= 10 * self.loose:
                factor = 1.0
            elif not self.any_factor:
                continue
            near = next((other for other in found if abs(other - factor) <= 10 * self.loose * abs(other)), factor)
            found.setdefault(near, set()).add(key)
        best = max(found, key=lambda factor: (len(found[factor]), factor == 1.0))
        return frozenset(found[best]), best

    def _factor(self, p: Pass, key: Key, G: Array) -> float | None:
        T = p.truth[key]
        if G.shape != T.shape:
            return None
        size = max(float(np.linalg.norm(T)), 1e-5 * p.size[key], 1e-300)
        if float(np.linalg.norm(G - T)) <= self.loose * size:
            return 1.0
        square = float(np.vdot(T, T))
        if not self.any_factor or square < 1e-200:
            return None
        factor = float(np.vdot(T, G)) / square
        if factor and float(np.linalg.norm(G - factor * T)) <= self.loose * abs(factor) * size:
            return factor
        return None

    def right_everywhere(self, codes: Sequence[tuple[types.FunctionType, types.CodeType]], least: int) -> frozenset[Key]:
        """The gradients that are right on every probe; empty as soon as they are not more than `least` on one."""
        common = frozenset(self.keys)
        factors: list[float] = []
        for probe in self.order:
            right, factor = self.right(self.gradients(codes, probe), probe)
            common &= right
            factors.append(factor)
            if len(common) <= least:
                return frozenset()
        rows = [self.passes[probe].n for probe in self.order]
        if self.any_factor and recognise(factors, rows, self.passes[0].k, 1e-5) is None:
            return frozenset()
        return common
