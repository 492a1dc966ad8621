"""Candidates: the learner's dZ of a layer as each mistake, or two of them, would make it, on every probe.

A candidate is simulated on the first probe; the others follow only if it fits there. What a mistake leaves unchanged
(relu's derivative of A is that of Z) is no candidate.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from ...functional.arrays import Array
from ...functional.heads import LOSSES
from ..exact_pass import Pass
from ..mistakes import head, hidden, ingredients
from ..mistakes.last_layer import LastLayer, right_dZ
from ..mistakes.mistake import Mistake
from ..mistakes.placed import PlacedMistake
from ..mistakes.site import Site
from ..mistakes.smoothing import hard_labels, smoothings
from .applied_mistakes import Applied

__all__ = ["Candidate", "Maker", "head_candidates", "hidden_candidates", "same"]

Maker = Callable[[int], Array | None]
"""The array on the probe with this number; None if the mistake can't be made there."""


def same(a: Array, b: Array) -> bool:
    """Whether two arrays are equal to rounding."""
    return a.shape == b.shape and bool(np.linalg.norm(a - b) <= 1e-12 * np.linalg.norm(b))


@dataclass(frozen=True)
class Candidate:
    """The learner's dZ as some mistakes would make it.

    `make` gives dZ on the probe of that number, None if a mistake can't be made there. `along` gives what a learning
    rate multiplies, to be subtracted, and `error` the learner's dA of this layer. `any_scale` says whether a factor n
    is forgiven. With `end`, dZ lies between `make` and `end`, and the share is fitted.
    """

    mistakes: tuple[PlacedMistake, ...]
    make: Maker
    along: Maker | None = None
    any_scale: bool = False
    error: Maker | None = None
    end: Maker | None = None


# the last layer


class Wrong(NamedTuple):
    """The mistakes at the top, in P, Y, dP, and in the formula that makes dZ of them; None for no mistake."""

    P: Mistake[Pass] | None = None
    Y: Mistake[Pass] | None = None
    dP: Mistake[LastLayer] | None = None
    dZ: Mistake[LastLayer] | None = None


def head_candidates(passes: Sequence[Pass], pairs: bool) -> Iterator[Candidate]:
    """dZ of the last layer: right, with one mistake, or (`pairs`) with two."""
    p = passes[0]
    names = Site(p, p.depth, p.dZ[p.depth], None).names
    P = Applied[Pass](passes, ingredients.predictions(p), lambda p: p.P)
    Y = Applied[Pass](passes, ingredients.labels(p), lambda p: p.Y)

    def candidate(**wrong: Mistake[Any]) -> Candidate:
        mistakes = tuple(mistake.at(f"dZ{p.depth}", names) for mistake in wrong.values())
        any_scale = any(mistake.any_scale for mistake in wrong.values())
        return Candidate(mistakes, partial(_dZ_at_the_top, P, Y, Wrong(**wrong)), any_scale=any_scale)

    if not pairs:
        yield candidate()
    right = [LastLayer(p, p.P, p.Y, p.dP)]
    tables: dict[str, list[Mistake[Any]]] = {
        "P": P.possible(),
        "Y": Y.possible(),
        "dP": Applied(right, ingredients.loss_derivatives(p)).possible(),
        "dZ": Applied(right, head.errors_at_the_top(p)).possible(),
    }
    if not pairs:
        yield from (candidate(**{place: mistake}) for place, table in tables.items() for mistake in table)
        for smoothing in smoothings(p):
            start, end = (partial(_smoothed, passes, labels) for labels in (smoothing.start, smoothing.end))
            yield Candidate((smoothing.at(f"dZ{p.depth}"),), start, end=end)
        return
    for (first, table), (second, other) in combinations(tables.items(), 2):
        yield from (candidate(**{first: a, second: b}) for a, b in product(table, other))


def _dZ_at_the_top(P: Applied[Pass], Y: Applied[Pass], wrong: Wrong, probe: int) -> Array | None:
    p, predicted, labels = P.places[probe], P.make(wrong.P, probe), Y.make(wrong.Y, probe)
    if predicted is None or labels is None:
        return None
    with np.errstate(all="ignore"):
        top = LastLayer(p, predicted, labels, LOSSES[p.architecture.loss].dP(predicted, labels))
        dP = ingredients.dP_in_place(wrong.P, p, predicted)
        if dP is None and wrong.dP is not None:
            dP = wrong.dP.formula(top)
        top = top if dP is None else replace(top, dP=dP, given=True)
        dZ = None if wrong.dZ is None else wrong.dZ.formula(top)
        if dZ is None and (wrong.dZ is None or p.n == 1):
            dZ = right_dZ(top)
    return None if dZ is None else p.scale * dZ


def _smoothed(passes: Sequence[Pass], labels: Callable[[Array], Array], probe: int) -> Array:
    p = passes[probe]
    return np.asarray(p.scale * (p.P - labels(hard_labels(p))))


# a hidden layer

MistakeOrNone = Mistake[Site] | None


def hidden_candidates(
    passes: Sequence[Pass],
    layer: int,
    D: Sequence[Array],
    before: Sequence[Array | None],
    gradient: Sequence[Array | None],
    pairs: bool,
) -> Iterator[Candidate]:
    """dZ of a hidden layer: right, with one mistake, or (`pairs`) with two.

    `D`, `before` and `gradient` are dZ, dA and dW of the layer above on each probe, as the learner has them.
    """
    learners = zip(passes, D, before, gradient, strict=True)
    above = [Site(p, layer + 1, dZ, dA, dW) for p, dZ, dA, dW in learners]
    here = [site.below for site in above]
    E = Applied(above, hidden.errors(above[0]), lambda s: s.below.dA)
    F = Applied(here, hidden.derivatives(here[0]), lambda s: s.slope)
    U = Applied(above, (hidden.UPDATED_WEIGHTS,))

    def candidate(e: MistakeOrNone, f: MistakeOrNone, updated: MistakeOrNone = None) -> Candidate:
        mistakes = (*_placed(updated or e, f"dA{layer}", above), *_placed(f, f"dZ{layer}", here))
        along = None if updated is None else partial(_hadamard, U, F, updated, f)
        any_scale = any(mistake.any_scale for mistake in (e, f) if mistake)
        return Candidate(mistakes, partial(_hadamard, E, F, e, f), along, any_scale, partial(E.make, e))

    if not pairs:
        yield candidate(None, None)
    for e, f in product((None, *E.possible()), (None, *F.possible())):
        if (e is not None) + (f is not None) == (2 if pairs else 1):
            yield candidate(e, f)
    for updated, f in product(U.possible(), (None, *F.possible())):
        if (f is not None) == pairs:
            yield candidate(None, f, updated)
    if pairs:
        return
    for made, sites in (
        (Applied(here, hidden.WHOLE), here),
        (Applied(above, (hidden.BOUND_WRONGLY,)), above),
    ):
        for mistake in made.possible():
            mistakes, whole = _placed(mistake, f"dZ{layer}", sites), partial(made.make, mistake)
            yield Candidate(mistakes, whole, any_scale=mistake.any_scale, error=partial(E.make, None))


def _hadamard(E: Applied[Site], F: Applied[Site], e: MistakeOrNone, f: MistakeOrNone, probe: int) -> Array | None:
    error, slope = E.make(e, probe), F.make(f, probe)
    return None if error is None or slope is None else error * slope


def _placed(mistake: MistakeOrNone, node: str, sites: Sequence[Site]) -> tuple[PlacedMistake, ...]:
    return () if mistake is None else (mistake.at(node, sites[0].names),)
