"""The maximum that is subtracted before an exponential, ``exp(Z - Z.max(axis=1, keepdims=True))``.

It guards against overflow, and cancels in a softmax and in the logarithm of a sum of exponentials. Whether it cancels
is found out on random numbers: an equation in which it does must have the same value for any shift. Elsewhere a maximum
along an axis is refused, because its derivative is not that of a constant.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ...errors import ExpressionError
from ..expression import ZERO, Add, Definition, Expr, Mul, Num, Pow, Program, Sum, Tensor, map_children, names
from ..indices import rename
from ..limits import DeriveError, bounded
from ..proving import AssumptionError, evaluate_program
from ..proving.sampling import draw_values
from .resolve import product, separate

__all__ = ["SHIFT", "without_shifts"]

SHIFT = "?shift"
"""How the name of an array begins that stands for a maximum; no name that people type has this mark."""
DRAWS = 3
SMALL = Fraction(1, 1000)


def without_shifts(program: Program, shifts: Mapping[str, int], text: str) -> Program:
    """Return the program without the maxima `shifts`, whose places in the text are given.

    An equation that has another value without them is written into those that use it. An ExpressionError is raised if
    there is none.
    """
    changed = _changed(program, shifts)
    kept: list[Definition] = []
    parts: dict[str, Definition] = {}
    for d in program.definitions:
        whole = _inlined(d.value, parts)
        if d.name in changed:
            parts[d.name] = replace(d, value=whole)
        else:
            kept.append(replace(d, value=separate(_without(whole), d.indices)))
    used = {name for d in program.definitions for name in names(d.value)}
    for d in program.definitions:
        if d.name in changed and d.name not in used:
            message = "a maximum or minimum along an axis is known only where it cancels, as in exp(Z - Z.max(axis=1, "
            message += "keepdims=True)) divided by its sum; max(a, b) is entry by entry"
            raise ExpressionError(message, text, min(shifts.values()))
    return replace(program, definitions=tuple(kept))


def _changed(program: Program, shifts: Mapping[str, int]) -> set[str]:
    """Return the names of the equations whose values depend on the shifts, on random numbers."""
    definitions = (replace(d, value=_large(d.value)) for d in program.definitions)
    larger = replace(program, definitions=tuple(definitions))
    rng = np.random.default_rng(0)
    changed: set[str] = set()
    for turn in range(DRAWS):
        try:
            with bounded(), np.errstate(all="ignore"):
                values = draw_values(larger, (), rng, turn)
                moved = {name: np.asarray(values.arrays[name] + rng.uniform(0.1, 0.3)) for name in shifts}
                other = evaluate_program(larger, replace(values, arrays={**values.arrays, **moved}))
        except (AssumptionError, DeriveError) as error:
            raise ExpressionError(str(error)) from None
        for d in program.definitions:
            before, after = values.arrays[d.name], other.arrays[d.name]
            if not np.allclose(before, after, rtol=1e-10, atol=1e-10 * (1 + np.abs(before).max())):
                changed.add(d.name)
    return changed


def _large(e: Expr) -> Expr:
    """Return `e` with larger numbers in the place of very small ones, which would hide that something changes."""
    if isinstance(e, Num) and 0 < abs(e.value) < SMALL:
        return Num(Fraction(1, 3))
    return map_children(e, _large)


def _without(e: Expr) -> Expr:
    """Return `e` with 0 for each shift."""
    if isinstance(e, Tensor):
        return ZERO if e.name.startswith(SHIFT) else e
    new = map_children(e, _without)
    match new:
        case Add(terms):
            left = [term for term in terms if term != ZERO]
            return Add(tuple(left)) if len(left) > 1 else left[0] if left else ZERO
        case Mul(factors):
            return ZERO if ZERO in factors else product(factors)
        case Sum(_, body) if body == ZERO:
            return ZERO
        case Pow(base, Num(value)) if base == ZERO and value > 0:
            return ZERO
    return new


def _inlined(e: Expr, parts: Mapping[str, Definition]) -> Expr:
    """Return `e` with the right sides of `parts` in the place of their names."""
    if isinstance(e, Tensor) and e.name in parts:
        part = parts[e.name]
        return rename(part.value, dict(zip(part.indices, e.indices, strict=True)))
    return map_children(e, lambda child: _inlined(child, parts))
