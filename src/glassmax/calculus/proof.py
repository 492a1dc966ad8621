"""Prove a derivation on numbers: every line against the one before, and against the complex step of the equations.

For several random draws, with sizes that are all different, each line is evaluated as it stands and compared with the
line before it, and with the derivative measured by the complex step. The matrix form is evaluated by position (rows,
columns, @) and held against the index form. The rules that made a line are not consulted.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from .chain import Claim, Line
from .derivation import Derivation
from .draw import draw_values, run
from .evaluate import Values, evaluate, evaluate_matrix
from .expression import Program

__all__ = ["DRAWS", "complex_step", "prove"]

Array = npt.NDArray[Any]
DRAWS = 3
STEP = 1e-60


def prove(derivation: Derivation, seed: int = 0) -> bool:
    """Measure the errors of a derivation's lines, of its result and of its matrix form; return whether all hold.

    Parameters
    ----------
    derivation : Derivation
        Its errors are filled in.
    seed : int
        Of the random values.

    Returns
    -------
    bool
    """
    rng = np.random.default_rng(seed)
    for line in derivation.steps:
        line.error = 0.0
    derivation.error = derivation.matrix_error = 0.0
    for turn in range(DRAWS):
        values = draw_values(derivation.full_program, derivation.assumptions, rng, turn, derivation.extra_arrays())
        with np.errstate(all="ignore"):
            _prove_draw(derivation, values)
    return derivation.proved


def _prove_draw(derivation: Derivation, values: Values) -> None:
    measured: dict[Claim, Array] = {}
    before: tuple[str, Array] | None = None
    for line in derivation.steps:
        value = evaluate(line.expression, _sized(line, values), line.axes)
        if line.claim is not None:
            if line.claim not in measured:
                measured[line.claim] = complex_step(line.claim, values)
            line.error = max(line.error, difference(value, measured[line.claim]))
        if before is not None and before[0] == line.left:
            line.error = max(line.error, difference(value, before[1]))
        before = (line.left, value)
    last = derivation.steps[-1]
    result = evaluate(derivation.expression, _sized(last, values), derivation.axes)
    truth = complex_step(derivation.claim, values)
    if derivation.times is not None:
        v = values.arrays[derivation.times]
        truth = np.tensordot(truth, v, axes=v.ndim)
    derivation.error = max(derivation.error, difference(result, truth))
    if derivation.matrix is not None:
        sizes = _sized(last, values).sizes
        with_one_hot = Values({**values.arrays, **_one_hot(derivation, values)}, sizes, values.functions)
        try:
            shown = evaluate_matrix(derivation.matrix, with_one_hot, sizes)
        except (ValueError, KeyError):  # shapes that don't fit together prove nothing
            shown = np.full(result.shape, np.nan)
        derivation.matrix_error = max(derivation.matrix_error, difference(shown, result))


def _one_hot(derivation: Derivation, values: Values) -> dict[str, Array]:
    """The one-hot matrices that stand for labels in the matrix form."""
    return {name: np.eye(values.ranges[label])[values.arrays[label]] for label, name in derivation.one_hot().items()}


def _sized(line: Line, values: Values) -> Values:
    sizes = dict(values.sizes)
    for name, letters in line.cells:
        sizes |= dict(zip(letters, values.arrays[name].shape, strict=True))
    return Values(values.arrays, sizes, values.functions, values.ranges)


def complex_step(claim: Claim, values: Values) -> Array:
    """Measure the derivative that a claim is about: Im f(x + i h) / h, cell by cell.

    Parameters
    ----------
    claim : Claim
    values : Values
        With the arrays of everything.

    Returns
    -------
    array
        Over the letters of the upper array, then of the lower.
    """
    (of, _), (name, _) = claim.upper, claim.lower
    rest = Program(tuple(d for d in claim.program.definitions if d.name != name), claim.program.labels)
    base, top = values.arrays[name], values.arrays[of]
    columns = []
    for cell in np.ndindex(base.shape):
        moved = np.array(base, complex)
        moved[cell] += STEP * 1j
        there = run(rest, Values({**values.arrays, name: moved}, values.sizes, values.functions, values.ranges))
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
