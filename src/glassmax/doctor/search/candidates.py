"""Candidates: the learner's dZ of a layer as each mistake, or two of them, would make it, on every probe.

A candidate is simulated on the first probe; the others follow only if it fits there. What a mistake leaves unchanged
(relu's derivative of A is that of Z) is no candidate.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations, product
from typing import Any

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Pass
from ..mistakes import head, hidden, ingredients
from ..mistakes.mistake import Mistake
from .steps import Step

__all__ = ["Candidate", "Made", "head_candidates", "hidden_candidates", "keyed", "same"]

Key = tuple[str, str, int]
RIGHT: Key = ("", "", 0)


def keyed(made: Iterable[tuple[Mistake | None, Any]]) -> dict[Key, tuple[Mistake | None, Any]]:
    """Give each mistake a key that finds it again on another probe."""
    table: dict[Key, tuple[Mistake | None, Any]] = {}
    for mistake, value in made:
        cause, says = (mistake.cause, mistake.says) if mistake else ("", "")
        number = 0
        while (cause, says, number) in table:
            number += 1
        table[cause, says, number] = (mistake, value)
    return table


def same(a: Array, b: Array) -> bool:
    """Whether two arrays are equal to rounding."""
    return a.shape == b.shape and bool(np.linalg.norm(a - b) <= 1e-12 * np.linalg.norm(b))


@dataclass
class Candidate:
    """The learner's dZ as some mistakes would make it.

    Attributes
    ----------
    steps : tuple of Step
        The mistakes.
    make : callable
        The array on the probe with this number; None where the mistake can't be made there.
    along : callable, optional
        The array on each probe that a learning rate multiplies, to be subtracted.
    any_scale : bool
        Whether a factor n is forgiven.
    error : callable, optional
        The learner's dA of this layer on each probe.
    """

    steps: tuple[Step, ...]
    make: Callable[[int], Array | None]
    along: Callable[[int], Array | None] | None = None
    any_scale: bool = False
    error: Callable[[int], Array | None] | None = None


class Made:
    """Tables of mistakes, made for each probe when they are asked for."""

    def __init__(self, passes: Sequence[Pass], make: Callable[[int], Iterable[tuple[Mistake | None, Any]]]) -> None:
        self.passes, self._make = passes, make
        self._tables: dict[int, dict[Key, tuple[Mistake | None, Any]]] = {}

    def table(self, probe: int) -> dict[Key, tuple[Mistake | None, Any]]:
        """The table of one probe."""
        if probe not in self._tables:
            with np.errstate(all="ignore"):
                self._tables[probe] = keyed(self._make(probe))
        return self._tables[probe]

    def get(self, probe: int, key: Key) -> Any:
        """What a mistake makes on a probe; on a single row, where many can't be made, what is right."""
        table = self.table(probe)
        if key in table:
            return table[key][1]
        return table[RIGHT][1] if self.passes[probe].n == 1 and RIGHT in table else None

    @cached_property
    def keys(self) -> list[tuple[Key, Mistake | None]]:
        """The mistakes of the first probe."""
        return [(key, mistake) for key, (mistake, _) in self.table(0).items()]


def _made(made: Made, key: Key, probe: int) -> Any:
    return made.get(probe, key)


def _step(mistake: Mistake, node: str) -> Step:
    return Step(mistake.cause, node, mistake.says, mistake.cost, also=mistake.also)


def head_candidates(passes: Sequence[Pass], pairs: bool) -> Iterator[Candidate]:
    """dZ of the last layer: right, with one mistake, or (`pairs`) with two."""
    tables = [
        Made(passes, lambda probe: ingredients.predictions(passes[probe])),
        Made(passes, lambda probe: ingredients.labels(passes[probe])),
        Made(passes, lambda probe: ingredients.loss_derivatives(passes[probe])),
        Made(passes, lambda probe: head.forms(passes[probe])),
    ]
    node = f"dZ{passes[0].depth}"
    wrong = [[(key, mistake) for key, mistake in table.keys if mistake] for table in tables]
    if not pairs:
        yield _top(passes, tables, (RIGHT,) * 4, (), node)
        for place, made in enumerate(wrong):
            for key, mistake in made:
                keys = tuple(key if i == place else RIGHT for i in range(4))
                yield _top(passes, tables, keys, (mistake,), node)
        return
    for first, second in combinations(range(4), 2):
        for (a, a_mistake), (b, b_mistake) in product(wrong[first], wrong[second]):
            keys = tuple(a if i == first else b if i == second else RIGHT for i in range(4))
            yield _top(passes, tables, keys, (a_mistake, b_mistake), node)


def _top(
    passes: Sequence[Pass], tables: Sequence[Made], keys: tuple[Key, ...], mistakes: tuple[Mistake, ...], node: str
) -> Candidate:
    """dZ of the last layer from four ingredients: P, Y, dP and the form."""

    def make(probe: int) -> Array | None:
        p = passes[probe]
        made, Y, dP, form = (table.get(probe, key) for table, key in zip(tables, keys, strict=True))
        if made is None or Y is None or dP is None or form is None:
            return None
        with np.errstate(all="ignore"):
            usual = made.P is p.P and Y is p.Y and not dP
            dL = p.dP if usual else ingredients.loss_derivative(p, dP, made.P, Y)
            dL = dL if made.dP is None else made.dP
            return p.scale * form(head.Top(p, made.P, Y, dL, usual, bool(dP) or made.dP is not None))

    steps = tuple(_step(mistake, node) for mistake in mistakes)
    return Candidate(steps, make, any_scale=any(mistake.any_scale for mistake in mistakes))


def hidden_candidates(
    passes: Sequence[Pass],
    layer: int,
    D: Sequence[Array],
    before: Sequence[Array | None],
    gradient: Sequence[Array | None],
    pairs: bool,
) -> Iterator[Candidate]:
    """dZ of a hidden layer, given the learner's own arrays of the layer above.

    Parameters
    ----------
    passes : sequence of Pass
    layer : int
        From 1.
    D, before, gradient : sequence of array
        For each probe dZ, dA and dW of the layer above, as the learner has them.
    pairs : bool
        Whether to make two mistakes at once.
    """
    E = Made(passes, lambda probe: hidden.errors(passes[probe], layer, D[probe], before[probe]))
    F = Made(passes, lambda probe: hidden.derivatives(passes[probe], layer))
    dA, dZ = f"dA{layer}", f"dZ{layer}"

    def hadamard(e_key: Key, f_key: Key) -> Callable[[int], Array | None]:
        def make(probe: int) -> Array | None:
            e, f = E.get(probe, e_key), F.get(probe, f_key)
            return None if e is None or f is None else e * f

        return make

    for e_key, e_mistake in E.keys:
        for f_key, f_mistake in F.keys:
            wrong = (e_mistake is not None) + (f_mistake is not None)
            if not (wrong == 2 if pairs else wrong < 2):
                continue
            steps = [_step(e_mistake, dA)] if e_mistake else []
            steps += [_step(f_mistake, dZ)] if f_mistake else []
            any_scale = any(mistake.any_scale for mistake in (e_mistake, f_mistake) if mistake)
            yield Candidate(
                tuple(steps),
                hadamard(e_key, f_key),
                any_scale=any_scale,
                error=partial(_made, E, e_key),
            )
    yield from _updated(passes, layer, D, gradient, E, F, pairs)
    if not pairs:
        yield from _whole(passes, layer, D, E)


def _updated(
    passes: Sequence[Pass],
    layer: int,
    D: Sequence[Array],
    gradient: Sequence[Array | None],
    E: Made,
    F: Made,
    pairs: bool,
) -> Iterator[Candidate]:
    """W of the layer above had been updated when the error was passed down; its learning rate is yet to be fitted."""
    if any(g is None for g in gradient):
        return
    above = layer + 1

    def along(f_key: Key, probe: int) -> Array | None:
        f, g = F.get(probe, f_key), gradient[probe]
        return None if f is None or g is None else (D[probe] @ g.T) * f

    def make(f_key: Key, probe: int) -> Array | None:
        e, f = E.get(probe, RIGHT), F.get(probe, f_key)
        return None if f is None else e * f

    updated = Step(
        "updated_weights", f"dA{layer}", f"W{above} had already been updated when the error was passed down", 1.0
    )
    for f_key, f_mistake in F.keys:
        if (f_mistake is not None) == pairs:
            steps = (updated, _step(f_mistake, f"dZ{layer}")) if f_mistake else (updated,)
            yield Candidate(
                steps,
                partial(make, f_key),
                partial(along, f_key),
                error=partial(_made, E, RIGHT),
            )


def _whole(passes: Sequence[Pass], layer: int, D: Sequence[Array], E: Made) -> Iterator[Candidate]:
    whole = Made(passes, lambda probe: hidden.whole(passes[probe], layer, E.get(probe, RIGHT)))
    order = Made(passes, lambda probe: hidden.precedence(passes[probe], layer, D[probe]))
    for made in (whole, order):
        for key, mistake in made.keys:
            if mistake:
                yield Candidate(
                    (_step(mistake, f"dZ{layer}"),),
                    partial(_made, made, key),
                    any_scale=mistake.any_scale,
                    error=partial(_made, E, RIGHT),
                )
