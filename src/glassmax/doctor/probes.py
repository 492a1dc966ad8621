"""Probes: data of our choosing, on which causes come apart that coincide on the learner's own.

Shapes stay near the learner's, who may have written them into their code: the same number of rows first, then another,
then a single row. A probe on which the function raises, or answers in other shapes, is dropped: that is no fault.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..functional.arrays import Array
from .answers import Answer
from .passes import Pass
from .problem import Problem, moved
from .running import Learner

__all__ = ["Probe", "fresh_probes", "rows_matter"]


@dataclass(frozen=True)
class Probe:
    """A pass, and what the learner's function answered.

    Attributes
    ----------
    p : Pass
    answer : Answer
    same_rows : bool
        Whether it has as many rows as the learner's data.
    """

    p: Pass
    answer: Answer
    same_rows: bool


def fresh_probes(problem: Problem, learner: Learner, shapes: Sequence[tuple[int, ...]]) -> list[Probe]:
    """Ask the learner's function on other data.

    Parameters
    ----------
    problem : Problem
    learner : Learner
    shapes : sequence of tuple
        Of the learner's answer to their own data.

    Returns
    -------
    list of Probe
        With the learner's number of rows first.
    """
    own = len(problem.targets.Y)
    found: list[Probe] = []
    for position, n in enumerate(_numbers(problem, own)):
        draw = np.random.default_rng(10 + position)
        probe = _ask(problem, learner, n, draw)
        if probe is not None and (n != own or [a.shape for a in probe.answer.arrays] == list(shapes)):
            found.append(probe)
    return found


def _numbers(problem: Problem, own: int) -> Iterator[int]:
    yield own
    if problem.layout.single:
        return
    yield 5 if own not in (5, 6) else 7
    yield from (n for n in (2, 1) if n != own)


def _ask(problem: Problem, learner: Learner, n: int, draw: np.random.Generator) -> Probe | None:
    given, layout = problem.given, problem.layout
    rows = layout.inputs(given.X)
    center, spread = rows.mean(axis=0), rows.std(axis=0) + 0.5 * max(float(rows.std()), 1e-3)
    X = center + spread * draw.standard_normal((n, rows.shape[1]))
    Y = problem.targets.drawn(n, draw)
    arrays = moved(given, layout, draw)
    theirs, y = layout.their_inputs(X, given.X), problem.targets.theirs(Y)
    call = learner.call(arrays, theirs, y)
    if call.answer is None or not all(np.isfinite(array).all() for array in call.answer.arrays):
        return None
    convention = problem.convention_of(X, Y)
    if convention is None:
        return None
    p = problem.make(arrays, layout.inputs(theirs), Y, convention)
    return Probe(p, call.answer, n == len(problem.targets.Y))


def rows_matter(problem: Problem, learner: Learner, first: Answer) -> bool:
    """Whether the order of the rows changes the gradients, as it must not."""
    rows, Y = problem.layout.inputs(problem.given.X), problem.targets.Y
    order = np.random.default_rng(3).permutation(len(rows))
    X, y = problem.layout.their_inputs(rows[order], problem.given.X), problem.targets.theirs(Y[order])
    call = learner.call(problem.arrays, X, y)
    if call.answer is None:
        return False
    return any(
        a.shape != b.shape or not np.allclose(a, b, rtol=1e-5, atol=1e-7 * max(1.0, float(np.abs(b).max(initial=0))))
        for a, b in zip(call.answer.arrays, first.arrays, strict=True)
    )


def in_our_orientation(problem: Problem, answer: Answer, turned: bool) -> dict[tuple[str, int], Array]:
    """The learner's arrays by ("W", 1), ..."""
    return answer.ours(problem.layout, turned)
