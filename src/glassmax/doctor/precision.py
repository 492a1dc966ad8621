"""A small deviation of right gradients: whether float32 made it, somewhere in the computation, or something else.

Rounding to float32 is a staircase: its error changes if parameters and rows move by 1e-5, and stays the same if they
move by 1e-12. The error of an epsilon in a logarithm, and the truncation error of a finite difference, stay the same in
both cases; the noise of a finite difference changes in both.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..functional.arrays import Array
from .judge import Judgement
from .reading.function import Learner
from .reading.problem import Problem
from .telling.diagnosis import Finding

__all__ = ["deviation_told", "rounds_to_single"]

LARGE = 3e-6
"""A deviation above this is too large for float32 in a part of the computation."""

ELSE = (
    "the gradients differ from the exact ones by {:.0e}, as with finite differences, a lower precision "
    "on the way, or an epsilon inside a logarithm. That is not a mistake"
)


def deviation_told(judgement: Judgement, single: bool | None) -> Judgement:
    """Say where the deviation of right gradients comes from, if nothing else was found.

    `single` says whether float32 caused it; None if that was not measured.
    """
    d, size = judgement.diagnosis, judgement.deviation
    if not size or d.findings:
        return judgement
    if single or (single is None and size <= LARGE):
        says = f"the gradients differ from the exact ones by {size:.0e}: "
        if single:
            says += "a part of the computation is in float32. That is rounding, not a mistake"
        else:
            says += "probably a part of the computation is in float32, which rounds, and that is not a mistake; "
            says += "finite differences or an epsilon inside a logarithm may have the same effect"
        found = Finding("float32", "", says=says, evidence={"error_before": size})
        return replace(judgement, diagnosis=replace(d, findings=(found,)))
    return replace(judgement, diagnosis=replace(d, conventions=(*d.conventions, ELSE.format(size))))


def rounds_to_single(problem: Problem, learner: Learner) -> bool:
    """Measure whether the learner's function rounds to float32."""
    here = _deviation(problem, learner, 0.0)
    far, near = (_deviation(problem, learner, step) for step in (1e-5, 1e-12))
    if here is None or far is None or near is None:
        return False
    size = float(np.linalg.norm(here))
    return bool(np.linalg.norm(far - here) > 0.3 * size and np.linalg.norm(near - here) < 0.3 * size)


def _deviation(problem: Problem, learner: Learner, step: float) -> Array | None:
    """The learner's gradients less the true ones, each relative, where parameters and rows moved a little."""
    draw = np.random.default_rng(4)
    rows = problem.layout.inputs(problem.given.X)
    moved = [_shaken(array, step, draw) for array in problem.arrays]
    X = _shaken(rows, step, draw)
    theirs = problem.layout.their_inputs(X, problem.given.X)
    answer = learner.call(moved, theirs, problem.given.y).answer
    if answer is None:
        return None
    truth = problem.make(moved, problem.layout.inputs(theirs), problem.targets.Y, problem.convention).truth
    ours = answer.ours(problem.layout)
    if any(ours[key].shape != T.shape for key, T in truth.items()):
        return None
    return _stacked([(ours[key] - T) / max(float(np.linalg.norm(T)), 1e-300) for key, T in truth.items()])


def _shaken(array: Array, step: float, draw: np.random.Generator) -> Array:
    moved: Array = array * (1 + step * draw.standard_normal(array.shape))
    return moved


def _stacked(arrays: Sequence[Array]) -> Array:
    return np.concatenate([array.ravel() for array in arrays])
