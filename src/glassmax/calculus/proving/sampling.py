"""Random numbers that fit a program: sizes that are all different, values that satisfy the assumptions.

Two positions of arrays have the same size only if a letter ties them together, so that no transposition hides behind
a square.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import GlassmaxError
from ..expression import KNOWN_FUNCTIONS, Assumption, Call, Expr, Program, Tensor, walk
from ..indices import free_indices, positions
from ..printing import equality
from ..ranges import Ranges, ranges_of
from .evaluate import OpenFunction, Values, evaluate, evaluate_program

__all__ = ["AssumptionError", "draw_values"]

Array = npt.NDArray[Any]
POSITIVE = ((0.5, 1.5), (0.3, 1.5), (0.05, 0.3), (0.01, 0.1))
"""Spans to draw from where plain normal numbers lie outside the domain of a logarithm or a root: scalars first."""
SIZES = (3, 4, 2, 5, 6, 7, 8, 9)


class AssumptionError(GlassmaxError, ValueError):
    """No numbers were found that satisfy the assumptions."""


def draw_values(
    program: Program,
    assumptions: Sequence[Assumption],
    rng: np.random.Generator,
    turn: int = 0,
    extra: Mapping[str, str] | None = None,
) -> Values:
    """Draw inputs that satisfy the assumptions, and evaluate the equations; raise an AssumptionError if there are none.

    `turn` chooses an assignment of sizes. `extra` names arrays in no equation, each with an array of the same shape.
    """
    ranges = ranges_of(program, assumptions)
    arity = ranges.arity
    for left, right in assumptions:
        _tie_sides(ranges, left, right)
    size = _sizes(ranges, SIZES[turn % 3 :] + SIZES[: turn % 3])
    shapes: dict[str, tuple[int, ...]] = {}
    classes: dict[str, int] = {}
    for name in [name for name in arity if program.defined(name) is None]:
        shapes[name] = tuple(size((name, position)) for position in range(arity[name]))
        if name in program.labels:
            classes[name] = size(("range", name))
    expressions = [d.value for d in program.definitions] + [side for pair in assumptions for side in pair]
    used = {part.function for e in expressions for part in walk(e) if isinstance(part, Call)}
    functions = {name: OpenFunction(*rng.uniform(0.2, 0.9, 5)) for name in sorted(used - KNOWN_FUNCTIONS)}
    letter_sizes = _letter_sizes(program, size)
    defined = False
    for attempt, (of_arrays, of_scalars) in enumerate(_draws(rng)):
        arrays: dict[str, Array] = {}
        for name, shape in shapes.items():
            of = of_arrays if shape else of_scalars
            arrays[name] = rng.integers(0, classes[name], shape) if name in classes else np.asarray(of(size=shape))
        lengths = {name: size((array, position)) for name, array, position in program.lengths if name in shapes}
        arrays |= {name: np.asarray(float(length)) for name, length in lengths.items()}
        if arity.get("pi") == 0:
            arrays["pi"] = np.asarray(np.pi)
        values = Values(arrays, letter_sizes, functions, classes)
        with np.errstate(all="ignore"):
            whole = evaluate_program(program, _satisfied(values, assumptions, program, positive=attempt > 1))
            residual = _residual(assumptions, whole)
        if _is_finite(whole) and (np.abs(residual) < 1e-9).all():
            break
        with np.errstate(all="ignore"):
            defined = defined or _is_finite(evaluate_program(program, values))
    else:
        if assumptions and defined:
            raise _contradiction(program, assumptions, rng)
        raise AssumptionError(
            "No numbers were found on which all equations are defined; a logarithm or a root may be at fault."
        )
    added = {name: rng.normal(size=whole.arrays[like].shape) for name, like in (extra or {}).items()}
    return replace(whole, arrays={**added, **whole.arrays})


def _is_finite(values: Values) -> bool:
    return all(np.isfinite(array).all() for array in values.arrays.values())


def _contradiction(program: Program, assumptions: Sequence[Assumption], rng: np.random.Generator) -> AssumptionError:
    """Return the error that names the assumption at fault, or all of them if each can hold without the others."""
    if len(assumptions) == 1:
        what = f"The assumption {equality(assumptions[0])} contradicts the equations: no numbers were found that"
        return AssumptionError(f"{what} satisfy both.", remedy="Leave the assumption out, or correct it.")
    for pair in assumptions:
        try:
            draw_values(program, [pair], rng)
        except AssumptionError as error:
            return error
    what = f"The assumptions {' and '.join(map(equality, assumptions))} can't all hold: no numbers were found that"
    return AssumptionError(f"{what} satisfy them.", remedy="Leave one of them out.")


def _sizes(ranges: Ranges, order: Sequence[int]) -> Callable[[Any], int]:
    """Return a function that gives each range a different size, in this order."""
    sizes: dict[Any, int] = {}
    return lambda place: sizes.setdefault(ranges.root(place), order[len(sizes) % len(order)])


def _draws(rng: np.random.Generator) -> list[tuple[Callable[..., Any], Callable[..., Any]]]:
    """Return the ways to draw arrays and scalars, in the order in which they are tried."""
    plain = partial(rng.normal, 0.2, 0.7)
    positive = [partial(rng.uniform, *span) for span in POSITIVE]
    return [(plain, plain), (plain, positive[0]), *((draw, draw) for draw in positive[1:])]


def _letter_sizes(program: Program, size: Callable[[Any], int]) -> dict[str, int]:
    """Return a size for each letter by its first array: for sums of 1, whose letter stands at no array."""
    found: dict[str, int] = {}
    for definition in program.definitions:
        for name, position, index in positions(definition.value):
            if isinstance(index, str):
                found.setdefault(index, size((name, position)))
    return found


def _tie_sides(ranges: Ranges, left: Expr, right: Expr) -> None:
    """Positions that share a letter across an assumption's two sides have one size: A_ij = A_ji makes A square."""
    letters: dict[str, Any] = {}
    for side in (left, right):
        for name, position, index in positions(side):
            if isinstance(index, str) and index in (*free_indices(left), *free_indices(right)):
                ranges.tie((name, position), letters.setdefault(index, (name, position)))


def _residual(assumptions: Sequence[Assumption], values: Values) -> Array:
    parts = []
    for left, right in assumptions:
        axes = free_indices(left)
        axes += tuple(letter for letter in free_indices(right) if letter not in axes)
        sizes = {**values.sizes, **dict.fromkeys(axes, 1)}  # a side that lacks a letter is broadcast
        once = replace(values, sizes=sizes)
        parts.append((evaluate(left, once, axes) - evaluate(right, once, axes)).ravel())
    return np.concatenate(parts) if parts else np.zeros(0)


def _satisfied(values: Values, assumptions: Sequence[Assumption], program: Program, *, positive: bool) -> Values:
    """Move the inputs that the assumptions name, by Newton's method (positive ones by their logarithm)."""
    arrays = dict(values.arrays)
    named = {part.name for pair in assumptions for side in pair for part in walk(side) if isinstance(part, Tensor)}
    through = any(program.defined(name) for name in named)  # an assumption on a result binds the inputs behind it
    free = [n for n in arrays if (n in named or through) and n not in program.labels and n != "pi"]

    def residuals(arrays: Mapping[str, Array]) -> Array:
        there = replace(values, arrays=arrays)
        return _residual(assumptions, evaluate_program(program, there) if through else there)

    for _ in range(30):
        residual = residuals(arrays)
        if not len(residual) or (np.abs(residual) < 1e-12).all():
            break
        columns = []
        for name in free:
            for cell in np.ndindex(arrays[name].shape):
                moved = np.array(arrays[name], complex)
                moved[cell] += 1e-20j
                slope = residuals({**arrays, name: moved}).imag / 1e-20
                columns.append(slope * arrays[name][cell] if positive else slope)
        matrix = np.array(columns).T
        if not columns or not (np.isfinite(matrix).all() and np.isfinite(residual).all()):  # the values have run away
            break
        step = np.linalg.lstsq(matrix, -residual, rcond=None)[0]
        start = 0
        for name in free:
            move = step[start : start + arrays[name].size].reshape(arrays[name].shape)
            moved = arrays[name] * np.exp(np.clip(move, -1, 1)) if positive else arrays[name] + move
            arrays[name] = np.asarray(moved)
            start += arrays[name].size
    return replace(values, arrays=arrays)
