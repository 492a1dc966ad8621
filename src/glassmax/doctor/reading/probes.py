"""Probes: data of our choosing, on which causes come apart that coincide on the learner's own.

Shapes stay near the learner's, who may have written them into their code: the same number of rows first, then another,
then a single row. A probe on which the function raises, or answers in other shapes, is dropped: that is no fault.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Pass
from .answers import Answer
from .function import Learner
from .problem import Problem, moved

__all__ = ["Arguments", "Probe", "fresh_probes", "rows_matter"]

Arguments = tuple[Sequence[Array], Array, Array]
"""The parameters in order, X and y, as the learner's function is given them."""


@dataclass(frozen=True)
class Probe:
    """A pass, what the learner's function answered, and whether the rows are as many as in the learner's data."""

    p: Pass
    answer: Answer
    same_rows: bool
    arguments: Arguments


def fresh_probes(problem: Problem, learner: Learner, shapes: Sequence[tuple[int, ...]]) -> list[Probe]:
    """Ask the learner's function on other data, with the learner's number of rows first.

    `shapes` are the shapes of the learner's gradients on their own data.
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
    return Probe(p, call.answer, n == len(problem.targets.Y), (arrays, theirs, y))


def rows_matter(problem: Problem, learner: Learner, first: Answer) -> str:
    """Say how the rows of a batch influence one another, which they must not; "" if they don't.

    The data's part of a gradient is a sum over the rows, whatever its divisor and whatever the penalty. If one half of
    the rows is replaced, the gradients must change by an amount that does not depend on the other half. The order of
    the rows must not matter either.
    """
    rows, Y = problem.layout.inputs(problem.given.X), problem.targets.Y
    n, draw = len(rows), np.random.default_rng(3)
    other = rows[draw.permutation(n)] + (rows.std(axis=0) + 0.1 * float(rows.std())) * draw.standard_normal(rows.shape)
    other_Y = problem.targets.drawn(n, draw)
    half = (np.arange(n) < n // 2)[:, None]

    def at(X: Array, targets: Array) -> tuple[Array, ...] | None:
        theirs, y = problem.layout.their_inputs(X, problem.given.X), problem.targets.theirs(targets)
        answer = learner.call(problem.arrays, theirs, y).answer
        same = answer is not None and [a.shape for a in answer.arrays] == [a.shape for a in first.arrays]
        return answer.arrays if answer is not None and same else None

    loose = 1e-3 if first.single_precision else 1e-5
    changed = [at(np.where(mask, other, rows), np.where(mask, other_Y, Y)) for mask in (half, ~half, half | True)]
    if _differ([first.arrays, changed[2]], [changed[0], changed[1]], loose):
        return "the gradients are not a sum over the rows: the part of one row depends on the other rows of the batch"
    order = draw.permutation(n)
    if _differ([first.arrays], [at(rows[order], Y[order])], loose):
        return "the gradients depend on the order of the rows: some step mixes samples, or treats one differently"
    return ""


def _differ(left: Sequence[tuple[Array, ...] | None], right: Sequence[tuple[Array, ...] | None], loose: float) -> bool:
    """Whether two sums of gradients differ by more than rounding; False if one of them is missing."""
    ours = [arrays for arrays in left if arrays is not None]
    theirs = [arrays for arrays in right if arrays is not None]
    if len(ours) < len(left) or len(theirs) < len(right):
        return False
    whole = max(float(np.linalg.norm(array)) for arrays in ours for array in arrays)
    for a, b in zip(zip(*ours, strict=True), zip(*theirs, strict=True), strict=True):
        size = sum(float(np.linalg.norm(array)) for array in (*a, *b))
        if float(np.linalg.norm(sum(a) - sum(b))) > loose * size + 1e-9 * whole:
            return True
    return False
