"""Prove a derivation on random numbers, drawn several times with sizes that are all different.

Each line is compared with the line before it and with the complex step, and the matrix form with the index form.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..result import DerivationResult
from ..steps import Claim, DerivationStep
from .evaluate import Values, evaluate, evaluate_program
from .evaluate_matrix import evaluate_matrix
from .sampling import draw_values

__all__ = ["DRAWS", "complex_step", "prove"]

Array = npt.NDArray[Any]
DRAWS = 3
STEP = 1e-60


def prove(result: DerivationResult, seed: int = 0) -> bool:
    """Measure and fill in the errors of the lines, of the result and of its matrix form; return whether all hold."""
    rng = np.random.default_rng(seed)
    for step in result.steps:
        step.error = 0.0
    result.error = result.matrix_error = 0.0
    for turn in range(DRAWS):
        values = draw_values(result.full_program, result.assumptions, rng, turn, result.extra_arrays())
        with np.errstate(all="ignore"):
            _prove_draw(result, values)
    return result.proved


def _prove_draw(result: DerivationResult, values: Values) -> None:
    measured: dict[Claim, Array] = {}
    before: tuple[str, Array] | None = None
    for step in result.steps:
        value = evaluate(step.expression, _sized(step, values), step.axes)
        if step.claim is not None:
            if step.claim not in measured:
                measured[step.claim] = complex_step(step.claim, values)
            step.error = max(step.error, difference(value, measured[step.claim]))
        if before is not None and before[0] == step.left:
            step.error = max(step.error, difference(value, before[1]))
        before = (step.left, value)
    last = result.steps[-1]
    final = evaluate(result.expression, _sized(last, values), result.axes)
    truth = complex_step(result.claim, values)
    if result.times is not None:
        v = values.arrays[result.times]
        truth = np.tensordot(truth, v, axes=v.ndim)
    result.error = max(result.error, difference(final, truth))
    if result.matrix is not None:
        sizes = _sized(last, values).sizes
        with_one_hot = Values({**values.arrays, **_one_hot(result, values)}, sizes, values.functions)
        try:
            shown = evaluate_matrix(result.matrix, with_one_hot, sizes)
        except (ValueError, KeyError):  # shapes that don't fit together prove nothing
            shown = np.full(final.shape, np.nan)
        result.matrix_error = max(result.matrix_error, difference(shown, final))


def _one_hot(result: DerivationResult, values: Values) -> dict[str, Array]:
    """The one-hot matrices that replace labels in the matrix form."""
    return {name: np.eye(values.ranges[label])[values.arrays[label]] for label, name in result.one_hot().items()}


def _sized(step: DerivationStep, values: Values) -> Values:
    sizes = dict(values.sizes)
    for name, letters in step.cells:
        sizes |= dict(zip(letters, values.arrays[name].shape, strict=True))
    return Values(values.arrays, sizes, values.functions, values.ranges)


def complex_step(claim: Claim, values: Values) -> Array:
    """Measure a claimed derivative, Im f(x + i h) / h cell by cell; the axes of the upper array come first."""
    (of, _), (name, _) = claim.upper, claim.lower
    rest = replace(claim.program, definitions=tuple(d for d in claim.program.definitions if d.name != name))
    base, top = values.arrays[name], values.arrays[of]
    columns = []
    for cell in np.ndindex(base.shape):
        moved = np.array(base, complex)
        moved[cell] += STEP * 1j
        there = evaluate_program(
            rest, Values({**values.arrays, name: moved}, values.sizes, values.functions, values.ranges)
        )
        columns.append(np.imag(there.arrays[of]) / STEP)
    table = np.array(columns).reshape((*base.shape, *top.shape))
    return np.moveaxis(table, range(base.ndim), range(-base.ndim, 0)) if base.ndim else table


def difference(a: Array, b: Array) -> float:
    """Return the largest difference relative to the largest number; inf where one is not finite."""
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    if not a.size:
        return 0.0
    return float(np.abs(a - b).max() / (1e-6 + max(np.abs(a).max(), np.abs(b).max())))
