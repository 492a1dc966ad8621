"""A small deviation of right gradients: whether float32 made it, somewhere on the way, or something else.

Rounding to float32 is a staircase: where parameters and rows move by 1e-5 it falls anew, and where they move by 1e-12
it stays. An epsilon in a logarithm and the cut of a finite difference stay in both; the noise of a difference falls
anew in both.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..functional.arrays import Array
from .reading.function import Learner
from .reading.problem import Problem
from .telling.diagnosis import Finding
from .verdict import Judgement

__all__ = ["deviation_told", "rounds_to_single"]

LARGE = 3e-6
"""A deviation above this is more than float32 on the way makes."""

ELSE = (
    "the numbers differ from the exact ones by {:.0e}: as finite differences do, a shorter precision "
    "on the way, or an epsilon inside a logarithm. That is no fault"
)


def deviation_told(judgement: Judgement, single: bool | None) -> Judgement:
    """Say what a deviation comes from.

    Parameters
    ----------
    judgement : Judgement
        Of right gradients, if there is a deviation to tell of.
    single : bool or None
        Whether float32 made it; None if that could not be measured.

    Returns
    -------
    Judgement
    """
    d, size = judgement.diagnosis, judgement.deviation
    if not size or d.findings:
        return judgement
    if single or (single is None and size <= LARGE):
        says = f"the numbers differ from the exact ones by {size:.0e}: "
        says += "something on the way was float32, whose rounding this is, and no fault"
        if single is None:
            says = says.replace("something on the way was", "as where something on the way was")
            says += "; finite differences or an epsilon inside a logarithm may do the same"
        found = Finding("float32", "", says=says, evidence={"error_before": size})
        return replace(judgement, diagnosis=replace(d, findings=(found,)))
    return replace(judgement, diagnosis=replace(d, conventions=(*d.conventions, ELSE.format(size))))


def rounds_to_single(problem: Problem, learner: Learner) -> bool:
    """Measure whether the learner's function rounds to float32.

    Parameters
    ----------
    problem : Problem
    learner : Learner

    Returns
    -------
    bool
    """
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
