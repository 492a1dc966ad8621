"""Whether two arrays are the same up to a factor, a turn, or the choice of rows. This module knows no names."""

import numpy as np

from ...functional.arrays import Array

__all__ = [
    "among",
    "factor_between",
    "is_identity",
    "is_order",
    "row_of",
    "rows_among",
    "squeezed",
    "turned",
    "turned_shape",
]

SAMPLED = 24
"""The cells that are compared before all of them are."""
SAME_NUMBER, SMALLEST = 1e-9, 1e-12
"""The relative error of a number that counts as none, and the size below which it is no longer relative."""


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without its axes of length 1."""
    return tuple(size for size in shape if size != 1)


def turned_shape(shape: tuple[int, ...], transposed: bool, flat: bool) -> tuple[int, ...] | None:
    """The shape of `turned`; None where that is no other array."""
    if (transposed or flat) and len(shape) < 2:
        return None
    if flat:
        return (int(np.prod(shape)),)
    return (*shape[:-2], shape[-1], shape[-2]) if transposed else shape


def turned(T: Array, transposed: bool, flat: bool) -> Array:
    """T with its last two axes exchanged, as one vector, or both."""
    T = np.swapaxes(T, -1, -2) if transposed else T
    return T.reshape(-1) if flat else T


def factor_between(array: Array, T: Array, loose: float) -> float | None:
    """Return c such that array = c T up to rounding; NaN if both are 0, None if there is no such c.

    Examples
    --------
    >>> factor_between(np.array([2.0, -4.0]), np.array([1.0, -2.0]), 1e-9)
    2.0
    """
    own, theirs = array.reshape(-1), T.reshape(-1)
    step = max(1, theirs.size // SAMPLED)
    factor = _factor(own[::step], theirs[::step], loose)
    return factor if factor is None or step == 1 else _factor(own, theirs, loose)


def _factor(own: Array, theirs: Array, loose: float) -> float | None:
    at = int(np.abs(theirs).argmax())
    if theirs[at] == 0:
        return None if own.any() else np.nan
    factor = float(own[at] / theirs[at])
    fits = factor != 0 and np.abs(own - factor * theirs).max() <= loose * abs(own[at])
    return factor if fits else None


def row_of(array: Array, T: Array, loose: float) -> tuple[float, int | None] | None:
    """Return c and i such that array = c T[i]; NaN and None if the array is 0 and so is a row of T."""
    own, rows = array.reshape(-1), T.reshape(len(T), -1)
    at = int(np.abs(own).argmax())
    if own[at] == 0:
        return (np.nan, None) if (~rows.any(axis=1)).any() else None
    possible = np.flatnonzero(rows[:, at])
    factors = own[at] / rows[possible, at]
    away = np.abs(own - factors[:, None] * rows[possible]).max(axis=1)
    fitting = np.flatnonzero(away <= loose * abs(own[at]))
    if not fitting.size:
        return None
    best = min(fitting, key=lambda i: (abs(abs(factors[i]) - 1) > loose, away[i]))  # one-hot rows fit several
    return float(factors[best]), int(possible[best])


def rows_among(array: Array, T: Array) -> tuple[int, ...] | None:
    """Return which rows of T the rows of an array are, to the last bit; None if one is none of them."""
    if array.ndim != 2 or array.shape[1] != T.shape[1]:
        return None
    there: dict[bytes, int] = {}
    for number, row in enumerate(np.ascontiguousarray(T + 0.0)):
        there.setdefault(row.tobytes(), number)
    found = []
    for row in np.ascontiguousarray(array + 0.0):
        place = there.get(row.tobytes())
        if place is None:
            return None
        found.append(place)
    return tuple(found)


def among(numbers: Array, ordered: Array) -> bool:
    """Whether each number is one of those of an ascending vector."""
    first = float(numbers[0]) if numbers.size else 0.0
    at = int(ordered.searchsorted(first))
    if numbers.size and not any(_is_same(first, float(number)) for number in ordered[max(at - 1, 0) : at + 1]):
        return False
    after = np.minimum(ordered.searchsorted(numbers), len(ordered) - 1)
    near = np.minimum(np.abs(ordered[after] - numbers), np.abs(ordered[np.maximum(after - 1, 0)] - numbers))
    return bool((near <= SAME_NUMBER * np.maximum(np.abs(numbers), SMALLEST)).all())


def _is_same(a: float, b: float) -> bool:
    return abs(a - b) <= SAME_NUMBER * max(abs(a), SMALLEST)


def is_order(array: Array) -> bool:
    """Whether it is the whole numbers from 0 in some order."""
    return array.ndim == 1 and bool((np.sort(array) == np.arange(array.size)).all())


def is_identity(array: Array) -> bool:
    """Whether it is an identity matrix of more than one row."""
    square = array.ndim == 2 and array.shape[0] == array.shape[1] > 1
    return square and bool((array == np.eye(len(array))).all())
