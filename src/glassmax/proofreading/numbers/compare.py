"""Whether two values agree: as they stand, or only as people read them in index notation."""

from itertools import permutations

import numpy as np

from .value import Array, Axis, UnknownFault, Value, over

__all__ = ["agrees", "compare"]

TOLERANCE = 1e-7


def agrees(a: Value, b: Value, mask: Value | None = None) -> bool:
    """Whether two values are the same numbers over the same axes, where the mask holds."""
    if mask is None and (_is_zero(a) or _is_zero(b)):
        return bool(np.abs(a.array).max(initial=0) < 1e-9 and np.abs(b.array).max(initial=0) < 1e-9)
    if len(a.axes) != len(b.axes) or a.shape != b.shape:
        return False
    letters = tuple(dict.fromkeys(a.letters + b.letters + (mask.letters if mask else ())))
    sizes = {**a.sizes, **b.sizes}
    if any(value.sizes[letter] != sizes[letter] for value in (a, b) for letter in value.letters):
        return False
    left, right = np.broadcast_arrays(over(a, letters), over(b, letters))
    if mask is not None:
        where = over(mask, letters).reshape(over(mask, letters).shape + (1,) * len(a.axes))
        shape = np.broadcast_shapes(left.shape, where.shape)
        left, right, where = (np.broadcast_to(one, shape) for one in (left, right, where))
        left, right = left[where], right[where]
    return _close(left, right)


def _is_zero(value: Value) -> bool:
    """Whether this is a bare 0, which is written for an array of zeros, too."""
    return not value.axes and not value.letters and not value.array


def _close(a: Array, b: Array) -> bool:
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    if not a.size:
        return True
    largest = max(float(np.abs(a).max()), float(np.abs(b).max()))
    return bool(np.abs(a - b).max() <= TOLERANCE * (largest + 1e-6))


def compare(a: Value, b: Value, mask: Value | None = None) -> str:
    """Return how two values agree: "same", "component", "implied", "transposed", or "" if they don't.

    "component": a whole array on one side, its component on the other (``dL/dz = p_i - y_i``). "implied": the
    derivative of an array by an array, whose deltas are left unsaid (``dz/dW = a``, ``da/dz = f'(z)``). "transposed":
    a matrix against its transpose. Raise an UnknownFault if they don't agree and are not finite: nothing was compared.
    """
    if agrees(a, b, mask):
        return "same"
    if not (np.isfinite(a.array).all() and np.isfinite(b.array).all()):
        raise UnknownFault("its values are not finite on random numbers")
    if len(a.axes) == len(b.axes) == 2 and agrees(a, _turned(b), mask):
        return "transposed"
    for one, other in ((a, b), (b, a)):
        if _as_component(one, other, mask):
            return "component"
    for one, other in ((a, b), (b, a)):
        if any(_matches(short, other, mask) for short in _shortened(one)):
            return "implied"
    return ""


def _turned(value: Value) -> Value:
    return Value(value.array.swapaxes(-1, -2), value.letters, value.axes[::-1])


def _matches(a: Value, b: Value, mask: Value | None) -> bool:
    return agrees(a, b, mask) or _as_component(a, b, mask) or _as_component(b, a, mask)


def _as_component(whole: Value, part: Value, mask: Value | None) -> bool:
    """Whether `part` has letters where `whole` has positional axes, and is the same otherwise."""
    extra = len(whole.axes) - len(part.axes)
    loose = [letter for letter in part.letters if letter not in whole.letters]
    if extra <= 0 or len(loose) < extra or len(loose) > 4 or (part.axes and extra):
        return False
    for chosen in permutations(loose, extra):
        fits = tuple(part.sizes[letter] for letter in chosen) == whole.shape
        if fits and agrees(Value(whole.array, whole.letters + chosen), part, mask):
            return True
    return False


def _shortened(value: Value) -> list[Value]:
    """A derivative of an array by an array without its deltas: axes that it is diagonal in are merged, or left out."""
    found: list[Value] = []
    todo = [value]
    while todo and len(found) < 40:
        one = todo.pop()
        if len(one.axes) < 2:
            continue
        named = len(one.letters)
        for first in range(len(one.axes)):
            for second in range(first + 1, len(one.axes)):
                if one.shape[first] != one.shape[second] or one.shape[first] < 2:
                    continue
                diagonal = np.diagonal(one.array, axis1=named + first, axis2=named + second)
                if not _is_diagonal(one.array, named + first, named + second, diagonal):
                    continue
                rest = tuple(axis for n, axis in enumerate(one.axes) if n not in (first, second))
                merged = Value(np.moveaxis(diagonal, -1, named + first), one.letters, _insert(rest, first))
                constant = np.ptp(diagonal, axis=-1).max(initial=0) <= TOLERANCE * (
                    1e-6 + np.abs(diagonal).max(initial=0)
                )
                if constant:
                    short = Value(diagonal[..., 0], one.letters, rest)
                    found.append(short)
                    todo.append(short)
                found.append(merged)
                todo.append(merged)
    return found


def _insert(axes: tuple[Axis, ...], place: int) -> tuple[Axis, ...]:
    return (*axes[:place], Axis(), *axes[place:])


def _is_diagonal(array: Array, first: int, second: int, diagonal: Array) -> bool:
    moved = np.moveaxis(array, (first, second), (-2, -1))
    off = np.where(np.eye(moved.shape[-1], dtype=bool), 0, moved)
    return bool(np.abs(off).max(initial=0) <= 1e-9 * (1e-9 + np.abs(diagonal).max(initial=0)))
