"""One layer judged: whether dW and db follow from a candidate for dZ, and with what mistakes of their own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...functional.arrays import Array
from ..constants import Constant, recognise
from ..mistakes import biases, weights
from ..mistakes.mistake import Mistake
from .candidates import Candidate, Made, same
from .evidence import Evidence
from .matching import Match, Target, along_first, find_matches
from .steps import Step

__all__ = ["Choice", "judge_layer"]

UNKNOWN = 3.0


@dataclass(frozen=True)
class Choice:
    """One way in which a layer's gradients follow.

    Attributes
    ----------
    steps : tuple of Step
        What was wrong here.
    D : tuple of array
        The learner's dZ, on every probe.
    totals : tuple of float
        The factor it holds, from the top down.
    scales : tuple of float
        The factor that came in here.
    residual : float
        What the fits leave, relative.
    """

    steps: tuple[Step, ...]
    D: tuple[Array, ...]
    totals: tuple[float, ...]
    scales: tuple[float, ...]
    residual: float = 0.0


@dataclass(frozen=True)
class _Own:
    """How one parameter's gradient follows from dZ: a factor, and steps of its own."""

    scale: Constant
    steps: tuple[Step, ...]
    residual: float
    silent: bool = False


def judge_layer(
    evidence: Evidence,
    layer: int,
    candidate: Candidate,
    before: Sequence[Array | None],
    totals: Sequence[float],
    declared: bool,
) -> list[Choice]:
    """Judge a candidate for dZ by the layer's dW and db.

    Parameters
    ----------
    evidence : Evidence
    layer : int
        From 1.
    candidate : Candidate
    before : sequence of array
        The learner's dA of this layer on each probe (dP at the top).
    totals : sequence of float
        The factor that the layers above hold already.
    declared : bool
        Whether a factor throughout is a mistake.

    Returns
    -------
    list of Choice
        Empty where neither dW nor db follows.
    """
    return _Layer(evidence, layer, candidate, before, totals, declared).choices()


def _vanish(arrays: Sequence[Array], targets: Sequence[Target]) -> bool:
    """Whether arrays are 0 to rounding: many a mistake makes a 0, so that a 0 is evidence of none."""
    return all(float(np.linalg.norm(a)) <= target.floor for a, target in zip(arrays, targets, strict=True))


class _Layer:
    def __init__(
        self,
        evidence: Evidence,
        layer: int,
        candidate: Candidate,
        before: Sequence[Array | None],
        totals: Sequence[float],
        declared: bool,
    ) -> None:
        self.evidence, self.layer, self.candidate = evidence, layer, candidate
        self.before, self.totals = before, tuple(totals)
        self.has_bias = evidence.architecture.biases[layer - 1]
        self.W_fits_shape = evidence.shape_is_right("W", layer) or evidence.is_transposed(layer)
        self.b_fits_shape = self.has_bias and evidence.shape_is_right("b", layer)
        whole = layer == evidence.depth and not declared
        self.factor_cost = 0.3 if whole else 1.0

    def choices(self) -> list[Choice]:
        with np.errstate(all="ignore"):
            D = self._arrays()
            if D is None:
                return []
            candidate_steps = self.candidate.steps + self.rate_steps
            W = self._plain("W", D) if self.W_fits_shape else []
            b = self._plain("b", D) if self.b_fits_shape else []
            W, b = [w for w in W if self._founded("W", w, b)], [own for own in b if self._founded("b", own, W)]
            found = list(self._combined(D, W, b))
        left = max((own.residual for own in W + b), default=0.0)
        return [replace(choice, steps=candidate_steps + choice.steps, residual=left) for choice in found]

    # the learner's dZ

    def _arrays(self) -> tuple[Array, ...] | None:
        self.rate_steps: tuple[Step, ...] = ()
        first = self.candidate.make(0)
        h = self.evidence.architecture.sizes[self.layer]
        p = self.evidence.passes[0]
        if first is None or first.shape != (p.n, h) or not np.isfinite(first).all():
            return None
        if self.candidate.along is not None:
            return self._with_rate(first)
        if self.candidate.steps and not self._promising(first):
            return None
        return self._everywhere(first)

    def _everywhere(self, first: Array) -> tuple[Array, ...] | None:
        arrays = [first]
        for probe in range(1, len(self.evidence.passes)):
            D = self.candidate.make(probe)
            if D is None or D.shape != (self.evidence.passes[probe].n, first.shape[1]):
                return None
            arrays.append(D)
        return tuple(arrays)

    def _promising(self, D: Array) -> bool:
        """Whether dW or db follows on the first probe."""
        tolerance, total = self.evidence.tolerance, self.totals[:1]
        if self.b_fits_shape and (D.shape[1] > 1 or not self.W_fits_shape):
            fits = find_matches(self.evidence.targets("b", self.layer)[:1], [D.sum(axis=0)], total, tolerance)
            if any(self._telling(fitted.scale, D) for fitted in fits):
                return True
        if not self.b_fits_shape and not self.W_fits_shape:
            return True
        if not self.W_fits_shape:
            return False
        sketch = self.evidence.sketch(self.layer)
        if sketch is not None:
            target, inputs = sketch
            if not find_matches([target], [inputs @ D], total, 10 * tolerance):
                return False
        H = self.evidence.passes[0].of_weights(self.layer, D)
        return bool(find_matches(self.evidence.targets("W", self.layer)[:1], [H], total, tolerance))

    @staticmethod
    def _telling(scale: Constant, D: Array) -> bool:
        """Whether a fit of db says anything: a single number fits any other up to a factor."""
        return D.shape[1] > 1 or scale.is_one

    def _with_rate(self, first: Array) -> tuple[Array, ...] | None:
        """The learning rate that was used, fitted: dZ is `make` less a multiple of `along`."""
        for kind in ("b", "W"):
            if not (self.b_fits_shape if kind == "b" else self.W_fits_shape):
                continue
            fitted = [self._rated(probe, kind, first) for probe in range(len(self.evidence.passes))]
            pairs = [pair for pair in fitted if pair is not None]
            if len(pairs) < len(fitted) or not self._promising(pairs[0][1]):
                continue
            rates = [rate for rate, _ in pairs]
            constant = recognise(rates, [1] * len(rates), 1, max(1e-5, 1e3 * self.evidence.tolerance))
            if constant is None or abs(rates[0]) < 1e-12:
                continue
            steps = self.candidate.steps
            rated = (replace(s, constant=constant) if s.cause == "updated_weights" else s for s in steps)
            self.candidate = replace(self.candidate, steps=tuple(rated))
            return tuple(D for _, D in pairs)
        return None

    def _rated(self, probe: int, kind: str, first: Array) -> tuple[float, Array] | None:
        """The learning rate on one probe, by dW or db, and dZ with it; a penalty's part is fitted beside it."""
        along = self.candidate.along
        p, D = self.evidence.passes[probe], first if probe == 0 else self.candidate.make(probe)
        E = None if along is None else along(probe)
        if D is None or E is None:
            return None
        sketch = self.evidence.sketch(self.layer) if kind == "W" and probe == 0 else None
        if sketch is not None:
            target, inputs = sketch
            H, step = inputs @ D, inputs @ E
        else:
            target = self.evidence.targets(kind, self.layer)[probe]
            H, step = self._follows(kind, p, D), self._follows(kind, p, E)
        rest = H + target.coefficient * target.parameter - target.G
        rate = along_first(step, target.parameter if target.coefficient and step.size > 3 else None, rest)
        return None if rate is None else (rate, D - rate * E)

    # dW and db, given dZ

    def _plain(self, kind: str, D: Sequence[Array]) -> list[_Own]:
        """How dW or db follows without a mistake but a factor and the penalty's."""
        arrays = [self._follows(kind, p, d) for p, d in zip(self.evidence.passes, D, strict=True)]
        targets = self.evidence.targets(kind, self.layer)
        found = []
        for fitted in find_matches(targets, arrays, self.totals, self.evidence.tolerance, lone=True):
            steps = self._transposed(kind) + self._penalty(kind, fitted)
            scale = self._forgiven(fitted.scale) if self.candidate.any_scale else fitted.scale
            found.append(_Own(scale, steps, fitted.residual, fitted.silent))
        return found

    def _founded(self, kind: str, own: _Own, others: Sequence[_Own]) -> bool:
        """Whether a factor without a name is more than a single number's, or that of the other parameter too."""
        if own.scale.known or self.evidence.targets(kind, self.layer)[0].G.size > 1 or len(self.evidence.passes) > 1:
            return True
        return any(np.allclose(own.scale.values, other.scale.values, rtol=1e-5, atol=0) for other in others)

    def _follows(self, kind: str, p: Any, D: Array) -> Array:
        return p.of_weights(self.layer, D) if kind == "W" else D.sum(axis=0)

    @staticmethod
    def _forgiven(scale: Constant) -> Constant:
        """A power of n costs nothing after a mistake that isn't linear."""
        return replace(scale, cost=-1.0) if scale.multiple == 1 or abs(scale.multiple - 1) < 1e-6 else scale

    def _transposed(self, kind: str) -> tuple[Step, ...]:
        if kind == "W" and self.evidence.is_transposed(self.layer):
            return (
                Step("transposed", f"dW{self.layer}", f"dW{self.layer} is transposed: dZᵀ A stands for Aᵀ dZ", 1.0),
            )
        return ()

    def _penalty(self, kind: str, fitted: Match) -> tuple[Step, ...]:
        if fitted.penalty is None:
            return ()
        node, ratio, l2 = f"d{kind}{self.layer}", fitted.penalty, self.evidence.passes[0].l2
        own = self.evidence.passes[0].l2_bias if kind == "b" else l2
        if own and abs(ratio.multiple) < 1e-7:
            return (
                Step("regulariser_missing", node, f"the penalty's part, l2 {kind}{self.layer}, is missing", 1.0, ratio),
            )
        if kind == "b" and not own:
            return (self._on_biases(node, fitted),)
        if not own:
            says = f"{fitted.added:.6g} {kind}{self.layer} is added, but the loss has no penalty"
            return (Step("regulariser_factor", node, says, 1.1 + ratio.cost, ratio),)
        if ratio.power == 0 and abs(ratio.multiple + 1) < 1e-6:
            return (Step("regulariser_sign", node, "the penalty's part was subtracted, not added", 1.0, ratio),)
        if ratio.power in (-1, 1) and abs(ratio.multiple - 1) < 1e-6:
            says = f"the penalty's part was {'divided' if ratio.power < 0 else 'multiplied'} by n"
            return (Step("regulariser_divided", node, says, 1.0, ratio),)
        steps = [
            Step(
                "regulariser_factor",
                node,
                f"the penalty's part is {ratio.name} times what it should be",
                1.0 + ratio.cost,
                ratio,
            )
        ]
        if ratio.multiple < 0:
            steps.append(Step("regulariser_sign", node, "the penalty's part was subtracted, not added", 1.0))
        return tuple(steps)

    def _on_biases(self, node: str, fitted: Match) -> Step:
        l2 = self.evidence.passes[0].l2
        says = f"{fitted.added:.6g} b{self.layer} is added: the penalty leaves biases out"
        odd = 0.0 if l2 and abs(fitted.added / l2 - 1) < 1e-5 else 0.1
        return Step("regulariser_on_biases", node, says, 1.0 + odd, fitted.penalty)

    def _factor(self, node: str, scale: Constant, cost: float) -> tuple[Step, ...]:
        """What a factor at a node is called."""
        if scale.is_one or scale.cost < 0:
            return ()
        if node.startswith("db") and scale.power == -1 and abs(scale.multiple - 1) < 1e-6:
            return (
                Step("bias_averaged", node, f"dZ{self.layer} was averaged over the samples, not summed", 1.0, scale),
            )
        steps = []
        if scale.multiple < 0:
            steps.append(Step("sign", node, f"{node} has the wrong sign", cost, replace(scale, name="-1")))
        size = scale.name.removeprefix("-")
        if size != "1":
            positive = replace(scale, name=size)
            steps.append(Step("factor", node, f"{node} is {size} times what it should be", cost + scale.cost, positive))
        return tuple(steps)

    def _combined(self, D: tuple[Array, ...], W: list[_Own], b: list[_Own]) -> Iterator[Choice]:
        """All ways in which dW and db follow together."""
        Z, dW, db = f"dZ{self.layer}", f"dW{self.layer}", f"db{self.layer}"
        if W and (b or not self.has_bias):
            for w in W:
                for own in b or [w]:
                    steps = w.steps + (own.steps if self.has_bias else ())
                    if w.silent or own.silent:  # what is 0 agrees with any factor
                        scale = own.scale if w.silent else w.scale
                        yield self._choice(self._factor(Z, scale, self.factor_cost) + steps, D, scale)
                    elif np.allclose(w.scale.values, own.scale.values, rtol=1e-5, atol=0):
                        yield self._choice(self._factor(Z, w.scale, self.factor_cost) + steps, D, w.scale)
                        if not w.scale.is_one:
                            local = self._factor(dW, w.scale, 1.05)
                            local += self._factor(db, own.scale, 1.05) if self.has_bias else ()
                            yield self._choice(local + steps, D, None)
                    else:
                        yield from self._unequal(D, w, own, steps)
            return
        if W:
            yield from self._one_own("b", D, W)
        elif b and (not self.candidate.steps or any(self._telling(own.scale, D[0]) and not own.silent for own in b)):
            yield from self._one_own("W", D, b)
        elif not self.candidate.steps or not (self.W_fits_shape and self.b_fits_shape):
            yield from self._both_own(D)

    def _unequal(self, D: tuple[Array, ...], w: _Own, b: _Own, steps: tuple[Step, ...]) -> Iterator[Choice]:
        """dW and db have different factors: one of the two is of its own."""
        dW, db, Z = f"dW{self.layer}", f"db{self.layer}", f"dZ{self.layer}"
        yield self._choice(self._factor(dW, w.scale, 1.0) + self._factor(db, b.scale, 1.0) + steps, D, None)
        if w.scale.is_one and not b.scale.known:  # a number without a name may be a mistake that has one
            yield from (self._choice(w.steps + own, D, None) for own in self._own_mistakes("b", D))
        if b.scale.is_one and not w.scale.known:
            yield from (self._choice(b.steps + own, D, None) for own in self._own_mistakes("W", D))
        rows, k = self.evidence.rows, self.evidence.passes[0].k
        for whole, node in ((w.scale, db), (b.scale, dW)):
            if whole.is_one:
                continue
            other = b.scale if node == db else w.scale
            rest = recognise([o / v for o, v in zip(other.values, whole.values, strict=True)], rows, k, 1e-5)
            if rest is not None:
                factor = self._factor(Z, whole, self.factor_cost)
                yield self._choice(factor + self._factor(node, rest, 1.0) + steps, D, whole)

    def _one_own(self, kind: str, D: tuple[Array, ...], others: list[_Own]) -> Iterator[Choice]:
        """One of the two follows; the other, `kind`, has a mistake of its own."""
        Z, node = f"dZ{self.layer}", f"d{kind}{self.layer}"
        there = f"d{'b' if kind == 'W' else 'W'}{self.layer}"
        for other in others:
            scaled = [(other.scale, self._factor(Z, other.scale, self.factor_cost))]
            if not other.scale.is_one:
                scaled.append((None, self._factor(there, other.scale, 1.0)))  # type: ignore[arg-type]
            for scale, factor in scaled:
                E = D if scale is None else tuple(c * d for c, d in zip(scale.values, D, strict=True))
                found = self._own_mistakes(kind, E)
                for own in found:
                    yield self._choice(factor + other.steps + own, D, scale)
                if not found and (not self.candidate.steps or scale is not None):
                    fits = self.W_fits_shape if kind == "W" else self.b_fits_shape
                    unknown = Step("not_in_catalogue", node, "", UNKNOWN if fits else UNKNOWN / 2)
                    yield self._choice((*factor, *other.steps, unknown), D, scale)

    def _both_own(self, D: tuple[Array, ...]) -> Iterator[Choice]:
        W = self._own_mistakes("W", D) if not self.W_fits_shape or not self.candidate.steps else []
        if not self.has_bias:
            for own in W:
                yield self._choice(own, D, None)
            return
        b = self._own_mistakes("b", D) if W else []
        for own in W:
            for other in b:
                yield self._choice(own + other, D, None)

    def _own_mistakes(self, kind: str, D: tuple[Array, ...]) -> list[tuple[Step, ...]]:
        """Mistakes of dW or db alone, given dZ."""
        node, fits = f"d{kind}{self.layer}", self.W_fits_shape if kind == "W" else self.b_fits_shape
        module: Any = weights if kind == "W" else biases
        make: Callable[[int], Iterable[tuple[Mistake, Array]]]
        if fits:
            of_kind = weights.weights if kind == "W" else biases.biases
            make = lambda probe: of_kind(self.evidence.passes[probe], self.layer, D[probe], self.before[probe])  # noqa: E731
        else:
            make = lambda probe: module.of_other_shape(self.evidence.passes[probe], self.layer, D[probe])  # noqa: E731
        made = Made(self.evidence.passes, make)
        targets = self.evidence.targets(kind, self.layer)
        found: list[tuple[Step, ...]] = []
        for key, mistake in made.keys:
            arrays = self._made_everywhere(made, key, targets, kind, D)
            if mistake is None or arrays is None or self._changes_nothing(kind, arrays, D):
                continue
            if mistake.cause != "upstream_dropped" and _vanish(arrays, targets):
                continue
            for fitted in find_matches(targets, arrays, self.totals, self.evidence.tolerance):
                scale = self._forgiven(fitted.scale) if mistake.any_scale else fitted.scale
                step = Step(mistake.cause, node, mistake.says, mistake.cost, also=mistake.also)
                steps = (*self._transposed(kind), step, *self._factor(node, scale, 1.0), *self._penalty(kind, fitted))
                if scale.known or targets[0].G.size > 2:
                    found.append(steps)
        return found

    def _changes_nothing(self, kind: str, arrays: Sequence[Array], D: Sequence[Array]) -> bool:
        """Whether a mistake gives what is right on every probe, as relu's A times relu': then it explains nothing."""
        right = (self._follows(kind, p, d) for p, d in zip(self.evidence.passes, D, strict=True))
        return all(same(array, T) for array, T in zip(arrays, right, strict=True))

    def _made_everywhere(
        self, made: Made, key: Any, targets: Sequence[Target], kind: str, D: tuple[Array, ...]
    ) -> list[Array] | None:
        arrays: list[Array] = []
        for probe, target in enumerate(targets):
            array = made.get(probe, key)
            if array is None and self.evidence.passes[probe].n == 1:
                array = self._follows(kind, self.evidence.passes[probe], D[probe])
            if array is None or array.shape != target.G.shape:
                return None
            if probe == 0 and not find_matches(targets[:1], [array], self.totals[:1], self.evidence.tolerance):
                return None
            arrays.append(array)
        return arrays

    def _choice(self, steps: tuple[Step, ...], D: tuple[Array, ...], scale: Constant | None) -> Choice:
        scales = (1.0,) * len(D) if scale is None else scale.values
        return Choice(
            steps,
            tuple(c * d for c, d in zip(scales, D, strict=True)),
            tuple(c * total for c, total in zip(scales, self.totals, strict=True)),
            scales,
        )
