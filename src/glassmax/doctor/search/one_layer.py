"""One layer judged: whether dW and db follow from a candidate for dZ, and with what mistakes of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...functional.arrays import Array
from ..constants import Constant, recognise
from ..mistakes.factors import factors
from ..mistakes.placed import PlacedMistake
from .candidates import Candidate
from .layer_evidence import LayerEvidence
from .own_mistakes import Own, own_mistakes, without_mistake
from .simulation import says_something, simulate

__all__ = ["Choice", "judge_layer"]

UNKNOWN = 3.0


@dataclass(frozen=True)
class Choice:
    """One way in which a layer's gradients follow from its dZ, which `D` has on every probe.

    `totals` are the factors that it holds, from the top down, and `scales` those that came in here.
    """

    mistakes: tuple[PlacedMistake, ...]
    D: tuple[Array, ...]
    totals: tuple[float, ...]
    scales: tuple[float, ...]
    residual: float = 0.0


def judge_layer(layer: LayerEvidence, candidate: Candidate, before: Sequence[Array | None]) -> list[Choice]:
    """Judge a candidate for dZ by the layer's dW and db; no choice is left where neither follows.

    `before` is the learner's dA of this layer on each probe (dP at the top).
    """
    with np.errstate(all="ignore"):
        simulated = simulate(layer, candidate)
        if simulated is None:
            return []
        mistakes, D = simulated
        W, b = (without_mistake(layer, kind, D, candidate.any_scale) for kind in "Wb")
        W, b = [own for own in W if _is_shown(layer, "W", own, b)], [own for own in b if _is_shown(layer, "b", own, W)]
        found = list(_Ways(layer, D, tuple(before), W, b, not candidate.mistakes).choices())
    left = max((own.residual for own in W + b), default=0.0)
    return [replace(choice, mistakes=mistakes + choice.mistakes, residual=left) for choice in found]


def _is_shown(layer: LayerEvidence, kind: str, own: Own, others: Sequence[Own]) -> bool:
    """Whether a factor without a name is more than a single number's, or that of the other parameter too."""
    if own.scale.known or layer.targets(kind)[0].G.size > 1 or len(layer.evidence.passes) > 1:
        return True
    return any(_equal(own.scale, other.scale) for other in others)


def _equal(a: Constant, b: Constant) -> bool:
    return bool(np.allclose(a.values, b.values, rtol=1e-5, atol=0))


@dataclass(frozen=True)
class _Ways:
    """All ways in which dW and db follow together from a dZ.

    `W` and `b` are how each follows without a mistake; `is_right` says whether the dZ is one without a mistake.
    """

    layer: LayerEvidence
    D: tuple[Array, ...]
    before: tuple[Array | None, ...]
    W: list[Own]
    b: list[Own]
    is_right: bool

    def choices(self) -> Iterator[Choice]:
        """Each way, the simplest not always first."""
        W, b, has_bias, fits = self.W, self.b, self.layer.has_bias, self.layer.fits_shape
        if W and (b or not has_bias):
            for w in W:
                for own in b or [w]:
                    yield from self._both_follow(w, own, w.mistakes + (own.mistakes if has_bias else ()))
        elif W:
            yield from self._one_follows("b", W)
        elif b and (self.is_right or any(says_something(own.scale, self.D[0]) and not own.silent for own in b)):
            yield from self._one_follows("W", b)
        elif self.is_right or not (fits["W"] and fits["b"]):
            yield from self._neither_follows()

    def _choice(self, mistakes: tuple[PlacedMistake, ...], scale: Constant | None = None) -> Choice:
        """A choice with what came into dZ here: a factor, or nothing."""
        scales = (1.0,) * len(self.D) if scale is None else scale.values
        totals = tuple(c * total for c, total in zip(scales, self.layer.totals, strict=True))
        return Choice(mistakes, tuple(c * d for c, d in zip(scales, self.D, strict=True)), totals, scales)

    def _factors(self, kind: str, scale: Constant, cost: float | None = None) -> tuple[PlacedMistake, ...]:
        return factors(f"d{kind}{self.layer.number}", scale, self.layer.factor_cost if cost is None else cost)

    def _own(self, kind: str, D: tuple[Array, ...]) -> list[tuple[PlacedMistake, ...]]:
        return own_mistakes(self.layer, kind, D, self.before)

    def _both_follow(self, w: Own, b: Own, mistakes: tuple[PlacedMistake, ...]) -> Iterator[Choice]:
        if w.silent or b.silent:  # what is 0 agrees with any factor
            scale = b.scale if w.silent else w.scale
            yield self._choice(self._factors("Z", scale) + mistakes, scale)
        elif _equal(w.scale, b.scale):
            yield self._choice(self._factors("Z", w.scale) + mistakes, w.scale)
            if not w.scale.is_one:
                local = self._factors("W", w.scale, 1.05)
                local += self._factors("b", b.scale, 1.05) if self.layer.has_bias else ()
                yield self._choice(local + mistakes)
        else:
            yield from self._factors_differ(w, b, mistakes)

    def _factors_differ(self, w: Own, b: Own, mistakes: tuple[PlacedMistake, ...]) -> Iterator[Choice]:
        """One of the two factors is of its own."""
        yield self._choice(self._factors("W", w.scale, 1.0) + self._factors("b", b.scale, 1.0) + mistakes)
        if w.scale.is_one and not b.scale.known:  # a number without a name may be a mistake that has one
            yield from (self._choice(w.mistakes + own) for own in self._own("b", self.D))
        if b.scale.is_one and not w.scale.known:
            yield from (self._choice(b.mistakes + own) for own in self._own("W", self.D))
        rows, k = self.layer.evidence.rows, self.layer.evidence.passes[0].k
        for whole, other, kind in ((w.scale, b.scale, "b"), (b.scale, w.scale, "W")):
            if whole.is_one:
                continue
            rest = recognise([o / v for o, v in zip(other.values, whole.values, strict=True)], rows, k, 1e-5)
            if rest is not None:
                yield self._choice(self._factors("Z", whole) + self._factors(kind, rest, 1.0) + mistakes, whole)

    def _one_follows(self, kind: str, others: list[Own]) -> Iterator[Choice]:
        """The other, `kind`, has a mistake of its own."""
        for other in others:
            scale = other.scale
            ways: list[tuple[Constant | None, tuple[PlacedMistake, ...]]] = [(scale, self._factors("Z", scale))]
            if not scale.is_one:
                ways.append((None, self._factors("b" if kind == "W" else "W", scale, 1.0)))
            for in_dZ, factor in ways:
                D = self.D if in_dZ is None else tuple(c * d for c, d in zip(in_dZ.values, self.D, strict=True))
                found = self._own(kind, D)
                for own in found:
                    yield self._choice(factor + other.mistakes + own, in_dZ)
                if not found and (self.is_right or in_dZ is not None):
                    cost = UNKNOWN if self.layer.fits_shape[kind] else UNKNOWN / 2
                    unknown = PlacedMistake("not_in_catalogue", f"d{kind}{self.layer.number}", "", cost)
                    yield self._choice((*factor, *other.mistakes, unknown), in_dZ)

    def _neither_follows(self) -> Iterator[Choice]:
        """Both have mistakes of their own."""
        W = self._own("W", self.D) if not self.layer.fits_shape["W"] or self.is_right else []
        b: list[tuple[PlacedMistake, ...]] = self._own("b", self.D) if W and self.layer.has_bias else [()]
        for w in W:
            for own in b:
                yield self._choice(w + own)
