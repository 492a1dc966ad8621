"""The learner's program run again with changed lines, on every probe, and which of its gradients are right then.

A repair is what this module says it is: the program itself, with one line changed, returns the right gradients on all
data. Nothing is concluded from the looks of a line.
"""

import types
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ...functional.arrays import Array
from ..constants import recognise
from ..exact_pass import Pass
from ..reading.function import Learner
from ..reading.layout import Layout
from ..reading.probes import Arguments
from .source import Edit, Unit, replaced

__all__ = ["Key", "Rerun", "multiple_of"]

Key = tuple[str, int]
Gradients = dict[Key, Array]
SIZE_OF_PROBE = 3


class Rerun:
    """A learner's function on its probes; `passes` and `arguments` are those of the probes, the learner's own first.

    `any_factor` says whether a factor that all gradients share is no fault. `loose` is the relative error that counts
    as rounding. `runs` is how often the program was run.
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
        self.runs = 0
        self._of_all: dict[int, float | None] = {}
        order = sorted(range(len(self.passes)), key=lambda i: (self.passes[i].n < SIZE_OF_PROBE, self.passes[i].n))
        self.order = order

    @cached_property
    def keys(self) -> list[Key]:
        """The parameters, in the order in which a backward pass comes to them."""
        return sorted(self.passes[0].architecture.parameters, key=lambda key: (-key[1], key[0] != "W"))

    def codes(
        self, edits: Sequence[tuple[Unit, Edit]], seen: Callable[[Any], Any] | None = None
    ) -> list[tuple[types.FunctionType, types.CodeType]] | None:
        """The functions with their changed codes; None if a change is not Python.

        `seen` is called with each value that an edit shows, see `source.SEEN`.
        """
        found = []
        for unit in dict.fromkeys(unit for unit, _ in edits):
            code = unit.compiled([edit for its, edit in edits if its is unit], seen)
            if code is None:
                return None
            found.append((unit.function, code))
        return found

    def gradients(self, codes: Sequence[tuple[types.FunctionType, types.CodeType]], probe: int) -> Gradients | None:
        """What the changed program returns on a probe; None if it raises, or returns something else."""
        self.runs += 1
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
        """The gradients that are right on a probe, and the factor that they share.

        If some gradients are right before any change, their factor is that of all others.
        """
        if gradients is None:
            return frozenset(), 1.0
        if self.any_factor and probe not in self._of_all:
            self._of_all[probe] = None
            right, shared = self.right(self.gradients((), probe), probe)
            self._of_all[probe] = shared if right else None
        p, of_all = self.passes[probe], self._of_all.get(probe)
        found: dict[float, set[Key]] = {1.0: set()}
        for key in self.keys:
            factor = self._factor(p, key, gradients[key])
            if factor is None:
                continue
            if abs(factor - 1) <= 10 * self.loose:
                factor = 1.0
            elif not self.any_factor:
                continue
            if of_all is not None and abs(factor - of_all) > 1e3 * self.loose * abs(of_all):
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

    def right_everywhere(
        self, codes: Sequence[tuple[types.FunctionType, types.CodeType]], least: int
    ) -> tuple[frozenset[Key], bool]:
        """The gradients that are right on every probe, and whether without any factor.

        There are none as soon as they are not more than `least` on one probe.
        """
        common = frozenset(self.keys)
        factors: list[float] = []
        for probe in self.order:
            right, factor = self.right(self.gradients(codes, probe), probe)
            common &= right
            factors.append(factor)
            if len(common) <= least:
                return frozenset(), False
        rows = [self.passes[probe].n for probe in self.order]
        if self.any_factor and recognise(factors, rows, self.passes[0].k, 1e-5) is None:
            return frozenset(), False
        return common, all(factor == 1 for factor in factors)


def multiple_of(value: Any, name: str, p: Pass, loose: float, any_factor: bool) -> float | None:
    """The factor by which a value is the array of this name, such as "dZ2" or "P", or a row of it: 1, or n.

    With `any_factor` a derivative may be any multiple of it.
    """
    T = _truth(name, p)
    if T is None or not isinstance(value, np.ndarray | list | float):
        return None
    try:
        array = np.asarray(value, np.float64)
    except (ValueError, TypeError):
        return None
    if not array.size or not np.isfinite(array).all():
        return None
    factors = [1.0, float(p.n)] if name[:2] in ("dZ", "dA", "dP") else [1.0]
    if any_factor and name.startswith("d") and array.shape in (T.shape, T.T.shape):
        size = float(np.linalg.norm(array)) / max(float(np.linalg.norm(T)), 1e-300)
        factors += [size, -size]
    return next((factor for factor in factors if _is_part(array, factor * T, loose)), None)


def _is_part(array: Array, T: Array, loose: float) -> bool:
    for ours in (T, T.T) if T.ndim == 2 else (T,):
        flat = array.size == ours.size and array.ndim != ours.ndim and 1 in array.shape
        if not (array.shape == ours.shape or flat):
            continue
        if np.abs(array - ours.reshape(array.shape)).max() <= loose * max(float(np.abs(ours).max()), 1e-300):
            return True
    if array.ndim == 1 and T.ndim == 2 and array.size == T.shape[1] and array.size > 1 and array.any():
        return bool((np.abs(T - array).max(axis=1) <= loose * max(float(np.abs(array).max()), 1e-300)).any())
    return False


def _truth(name: str, p: Pass) -> Array | None:
    layer = int("".join(letter for letter in name if letter.isdigit()) or 0)
    kind = name.rstrip("0123456789")
    if kind in ("dW", "db"):
        return p.truth.get((kind[1], layer))
    if kind == "dA":
        return p.dZ[layer + 1] @ p.W[layer + 1].T if layer < p.depth else None
    if kind == "P":
        return p.P
    if kind == "dP":
        return p.scale * p.dP
    return {"dZ": p.dZ, "A": p.A, "Z": p.Z}.get(kind, {}).get(layer)
