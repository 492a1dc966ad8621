"""Which array of the exact pass an array of the learner's is: A1, Z2, 5 dZ2, a row of P, X with a column of ones.

An array is compared with every array of `truths` on several probes at once. It is recognized if on each probe it is
that array up to rounding, turned or as it is, times a factor that is the same on all probes but for a power of n.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import isnan
from typing import Any

import numpy as np

from ...functional.arrays import Array
from ..constants import ONE, Constant
from ..constants import recognise as recognise_constant
from ..exact_pass import Pass
from .truths import Truth, truths_of

__all__ = ["Recognised", "Recognition"]

NEAR, SINGLE = 3e-5, 1e-3
"""The largest error, relative to the largest number, that counts as rounding: in float64, and in float32."""
ODD = 0.5
"""A factor that costs more has no name of its own."""
ENOUGH = 4
"""The cells that an array must have, on all probes together, to be recognized under a factor without a name."""
SAMPLED = 24
"""The cells that are compared before all of them are."""
MOST_FOUND = 6


@dataclass(frozen=True)
class Recognised:
    """What an array is: ``factor`` times the array ``name`` of the exact pass.

    `kind` is "array", "row" (one sample, `sample` says which on the first probe), "cell" (one number of it) or
    "constant" (zeros, ones, the numbers from 0, the identity matrix, n). `transposed` says that samples and units, or
    inputs and outputs, have changed places; `flat` that the array is one vector. `other` names what has the very same
    numbers on every probe.
    """

    name: str
    factor: Constant = ONE
    kind: str = "array"
    transposed: bool = False
    flat: bool = False
    sample: int | None = None
    order: tuple[int, ...] | None = None
    other: tuple[str, ...] = ()
    cost: float = 0.0

    @property
    def exact_name(self) -> str:
        """The factor and the name, with the letter n: "n dZ2"."""
        return times(self.factor.name, self.name)

    def told(self, n: int) -> str:
        """The factor and the name, with the number of samples: "5 dZ2"."""
        factor = self.factor
        if factor.power in (1, -1) and factor.known:
            number = f"{factor.multiple * n:g}" if factor.power == 1 else f"{factor.multiple:g}/{n}"
            return times(number, self.name)
        return self.exact_name


def times(factor: str, name: str) -> str:
    """Write a factor before a name.

    Examples
    --------
    >>> times("n", "dZ2"), times("-1", "P - Y"), times("1", "A1"), times("1/5", "dP")
    ('n dZ2', '-(P - Y)', 'A1', 'dP / 5')
    """
    if factor == "1":
        return name
    grouped = f"({name})" if _is_sum(name) else name
    if factor == "-1":
        return f"-{grouped}"
    for sign in ("", "-"):
        if factor.startswith(f"{sign}1/"):
            return f"{sign}{grouped} / {factor.removeprefix(f'{sign}1/')}"
    return f"{factor} {grouped}"


def _is_sum(name: str) -> bool:
    depth = 0
    for before, letter in zip(" " + name, name, strict=False):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0 and letter in "+-" and before == " ":
            return True
    return False


class Recognition:
    """The arrays of several probes, with which the learner's are compared.

    `single_precision` says whether anything was float32.
    """

    def __init__(self, passes: Sequence[Pass], single_precision: bool = False) -> None:
        self.passes = list(passes)
        self.loose = SINGLE if single_precision else NEAR
        tables = [{truth.name: truth for truth in truths_of(p)} for p in self.passes]
        self.truths = [
            [table.get(name) for table in tables] for name in dict.fromkeys(name for table in tables for name in table)
        ]
        self.order = sorted(range(len(self.passes)), key=lambda i: self.passes[i].n)

    def best(self, values: Sequence[Any]) -> Recognised | None:
        """What an array is, given by its value on each probe; None where there is no value, or if it is unknown."""
        found = self.all(values)
        if not found:
            return None
        same = [other.told(self.passes[0].n) for other in found[1:] if other.kind == found[0].kind]
        return replace(found[0], other=tuple(same))

    def all(self, values: Sequence[Any]) -> list[Recognised]:
        """Everything that an array may be, the likeliest first."""
        arrays = [_read(value) for value in values]
        if all(array is None for array in arrays):
            return []
        constant = self._constant(arrays)
        if constant is not None:
            return [constant]
        found = list(islice(self._whole(arrays), MOST_FOUND)) or list(islice(self._rows(arrays), MOST_FOUND))
        return sorted(found, key=lambda recognised: recognised.cost)

    def cells(self, values: Sequence[Sequence[float]]) -> Recognised | None:
        """What array single numbers are taken from, given those of each probe; None if they are of none."""
        told = [np.asarray(numbers, np.float64) for numbers in values]
        if sum(len({*numbers.tolist()}) for numbers in told) < ENOUGH:
            return None
        for truths in self.truths:
            for name, power in (("1", 0), ("n", 1), ("-1", 0), ("1/n", -1)):
                sign = -1.0 if name == "-1" else 1.0
                pairs = zip(told, truths, self.passes, strict=True)
                if all(t is not None and _among(numbers, sign * p.n**power * t.value) for numbers, t, p in pairs):
                    values_of = tuple(sign * float(p.n) ** power for p in self.passes)
                    truth = next(truth for truth in truths if truth is not None)
                    return Recognised(truth.name, Constant(values_of, power, sign, name, 0.0), "cell")
        return None

    def _constant(self, arrays: Sequence[Array | None]) -> Recognised | None:
        """An array that depends on shapes alone."""
        pairs = [(array, p) for array, p in zip(arrays, self.passes, strict=True) if array is not None]
        if all(array.size == 1 for array, _ in pairs):
            several = len({p.n for _, p in pairs}) > 1
            is_n = all(float(array.flat[0]) == p.n for array, p in pairs)
            return Recognised("n", kind="constant") if is_n and several else None
        kinds = (
            ("zeros", lambda array: not array.any()),
            ("ones", lambda array: bool((array == 1).all())),
            ("numbers from 0", lambda array: array.ndim == 1 and bool((array == np.arange(array.size)).all())),
            ("identity matrix", _is_identity),
        )
        for name, holds in kinds:
            if all(holds(array) for array, _ in pairs):
                return Recognised(name, kind="constant")
        return None

    def _whole(self, arrays: Sequence[Array | None]) -> Iterator[Recognised]:
        """The arrays of the pass that these are, as a whole."""
        for truths in self.truths:
            for transposed, flat in ((False, False), (True, False), (False, True), (True, True)):
                factors = self._factors(arrays, truths, lambda T: _turned(T, transposed, flat))  # noqa: B023
                if factors is None:
                    continue
                recognised = self._with_factor(factors, arrays, truths)
                if recognised is not None:
                    cost = recognised.cost + 0.001 * transposed + 0.002 * flat
                    yield replace(recognised, transposed=transposed, flat=flat, cost=cost)
                    break

    def _factors(self, arrays: Any, truths: Any, turned: Any) -> list[float] | None:
        """The factor on each probe, NaN where it can be any; None if the arrays differ."""
        factors = [np.nan] * len(arrays)
        for i in self.order:  # the small ones first
            array, truth = arrays[i], truths[i]
            if array is None:
                continue
            if truth is None or array.size != int(np.prod(truth.shape)):
                return None
            T = turned(truth.value)
            if T is None or _squeezed(array) != _squeezed(T):
                return None
            factor = _factor(array.reshape(T.shape), T, self.loose)
            if factor is None:
                return None
            factors[i] = factor
        return factors

    def _with_factor(self, factors: Sequence[float], arrays: Any, truths: Sequence[Truth | None]) -> Recognised | None:
        """What the array is if the factors of the probes are one constant that the array may have."""
        told = [i for i, factor in enumerate(factors) if not isnan(factor)]
        truth = next((truth for truth in truths if truth is not None), None)
        if not told or truth is None:
            return None
        rows = [self.passes[i].n for i in told]
        values = [factors[i] for i in told]
        tolerance = max(self.loose, 1e-6)
        constant = recognise_constant(values, rows, self.passes[0].k, tolerance)
        if constant is None:
            return None
        if constant.cost > ODD and not (truth.scaled and sum(arrays[i].size for i in told) >= ENOUGH):
            return None
        return Recognised(truth.name, constant, cost=truth.cost + constant.cost)

    def _rows(self, arrays: Sequence[Array | None]) -> Iterator[Recognised]:
        """The arrays of the pass of which these are one sample."""
        for truths in self.truths:
            first = next((truth for truth in truths if truth is not None), None)
            if first is None or not first.rows or len(first.shape) < 2:
                continue
            factors: list[float] = [np.nan] * len(arrays)
            samples: list[int | None] = [None] * len(arrays)
            for i in self.order:
                array, truth = arrays[i], truths[i]
                if array is None:
                    continue
                if truth is None or array.size < 2 or _squeezed(array) != _squeezed(truth.value[0]):
                    break
                found = _row(array.reshape(truth.shape[1:]), truth.value, self.loose)
                if found is None:
                    break
                factors[i], samples[i] = found
            else:
                recognised = self._with_factor(factors, arrays, truths)
                if recognised is not None:
                    yield replace(recognised, kind="row", sample=samples[0])


def _read(value: Any) -> Array | None:
    """A value as numbers; None if there is none, or if some are not finite."""
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or array.size == 0:
        return None
    array = array.astype(np.float64)
    return array if np.isfinite(array).all() else None


def _squeezed(array: Array) -> tuple[int, ...]:
    return tuple(size for size in array.shape if size != 1)


def _turned(T: Array, transposed: bool, flat: bool) -> Array | None:
    """T turned as asked; None where that is no other array."""
    if transposed:
        if T.ndim < 2:
            return None
        T = T.T if T.ndim == 2 else np.swapaxes(T, 1, 2)
    return T.reshape(-1) if flat and T.ndim > 1 else None if flat else T


def _factor(array: Array, T: Array, loose: float) -> float | None:
    """Return c such that array = c T up to rounding; NaN if both are 0, None if there is no such c."""
    step = max(1, T.size // SAMPLED)
    some, theirs = T.reshape(-1)[::step], array.reshape(-1)[::step]
    for numbers, own in ((some, theirs), (T.reshape(-1), array.reshape(-1))):
        at = int(np.abs(numbers).argmax())
        if numbers[at] == 0:
            if np.abs(own).max() > 0:
                return None
            factor = np.nan
            continue
        factor = float(own[at] / numbers[at])
        if factor == 0 or np.abs(own - factor * numbers).max() > loose * abs(own[at]):
            return None
    return factor


def _row(array: Array, T: Array, loose: float) -> tuple[float, int | None] | None:
    """Return c and i such that array = c T[i]; NaN and None if the array is 0 and so is a row of T."""
    own, rows = array.reshape(-1), T.reshape(len(T), -1)
    at = int(np.abs(own).argmax())
    if own[at] == 0:
        return (np.nan, None) if (~rows.any(axis=1)).any() else None
    column = rows[:, at]
    possible = np.flatnonzero(column)
    if not possible.size:
        return None
    factors = own[at] / column[possible]
    away = np.abs(own - factors[:, None] * rows[possible]).max(axis=1)
    # of two rows that fit, one-hot ones say, that with the plainer factor
    fitting = np.flatnonzero(away <= loose * abs(own[at]))
    if not fitting.size:
        return None
    best = min(fitting, key=lambda i: (abs(abs(factors[i]) - 1) > loose, away[i]))
    return float(factors[best]), int(possible[best])


def _among(numbers: Array, T: Array) -> bool:
    """Whether each number is one of T."""
    if not numbers.size:
        return True
    there = np.sort(T.reshape(-1))
    at = np.clip(np.searchsorted(there, numbers), 1, len(there) - 1) if len(there) > 1 else np.zeros(len(numbers), int)
    near = np.minimum(np.abs(there[at] - numbers), np.abs(there[at - 1] - numbers))
    return bool((near <= 1e-9 * np.maximum(np.abs(numbers), 1e-12)).all())


def _is_identity(array: Array) -> bool:
    square = array.ndim == 2 and array.shape[0] == array.shape[1] > 1
    return square and bool((array == np.eye(len(array))).all())
