"""Which array of the exact pass an array of the learner's is: A1, Z2, 5 dZ2, a row of P, X with a column of ones.

An array is compared with every array of `truths` on several probes at once. It is recognized if on each probe it is
that array up to rounding, turned or as it is, times a factor that is the same on all probes but for a power of n.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from math import isnan
from typing import Any

import numpy as np

from ...functional.arrays import Array
from ..constants import ONE, Constant
from ..constants import recognise as recognise_constant
from ..exact_pass import Pass
from .comparison import among, factor_between, is_identity, is_order, row_of, rows_among, squeezed, turned, turned_shape
from .truths import RARE, Truth, truths_of

__all__ = ["Recognised", "Recognition", "times"]

NEAR, SINGLE = 3e-5, 1e-3
"""The largest error, relative to the largest number, that counts as rounding: in float64, and in float32."""
ODD, PLAIN = 0.5, 0.03
"""A factor that costs more has no name of its own; one that does not is 1, -1, n or 1/n."""
ENOUGH = 4
"""The cells that an array must have, on all probes together, to be recognized under a factor without a name."""
MOST_FOUND, MOST_SELECTIONS = 6, 8
WAYS = ((False, False), (True, False), (False, True), (True, True))
FACTORS_OF_CELLS = (("1", 0, 1.0), ("n", 1, 1.0), ("-1", 0, -1.0), ("1/n", -1, 1.0))

Values = Sequence[Array | None]
Named = Sequence[Truth | None]


@dataclass(frozen=True)
class Recognised:
    """What an array is: ``factor`` times the array ``name`` of the exact pass.

    `kind` is "array", "row" (of one sample, `sample` says which on the first probe), "slice" (one row of a matrix
    without samples; if `transposed`, one column of any matrix), "cell" (one number) or "constant" (zeros, ones, n,
    ...). `transposed` says that samples and units, or inputs and outputs, have changed places; `flat` that the array is
    one vector. `samples` are the rows of the batch that the array is about, if they are not all rows in their order.
    `other` names what has the very same numbers on every probe.
    """

    name: str
    factor: Constant = ONE
    kind: str = "array"
    transposed: bool = False
    flat: bool = False
    sample: int | None = None
    samples: tuple[int, ...] | None = None
    other: tuple[str, ...] = ()
    cost: float = 0.0

    @property
    def exact_name(self) -> str:
        """The factor and the name, with the letter n: "n dZ2"."""
        return times(self.factor.name, self.name)

    def told(self, n: int) -> str:
        """The factor and the name, with the number of samples, and of outputs, written out: "5 dZ2"."""
        factor = self.factor
        if factor.power in (1, -1) and factor.known:
            number = f"{factor.multiple * n:g}" if factor.power == 1 else f"{factor.multiple:g}/{n}"
            return times(number, self.name)
        if "k" in factor.name and factor.power == 0:  # 3 may be the number of outputs or not
            return times(f"{factor.multiple:.4g}", self.name)
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
    depth = int(name.startswith("("))
    for before, letter in pairwise(name):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0 and letter in "+-" and before == " ":
            return True
    return False


class Recognition:
    """The arrays of several probes, with which the learner's are compared.

    `single_precision` says whether anything was float32. `n` is the n of each probe that a factor may contain, by
    default its number of rows.
    """

    def __init__(self, passes: Sequence[Pass], single_precision: bool = False, n: Sequence[int] | None = None) -> None:
        self.passes = list(passes)
        self.n = [p.n for p in passes] if n is None else list(n)
        self.single_precision = single_precision
        self.loose = SINGLE if single_precision else NEAR
        tables = [{truth.name: truth for truth in truths_of(p)} for p in self.passes]
        names = dict.fromkeys(name for table in tables for name in table)
        self.truths: dict[str, Named] = {name: [table.get(name) for table in tables] for name in names}
        self.order = sorted(range(len(self.passes)), key=lambda i: self.passes[i].n)
        self.selections: list[tuple[tuple[int, ...], Recognition]] = []
        self._by_shape: dict[Any, list[tuple[str, bool, bool]]] = {}
        self._parts_by_shape: dict[Any, list[tuple[str, str, bool]]] = {}
        self._seen: dict[Any, list[Recognised]] = {}

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
        key = tuple(None if array is None else (array.shape, array.tobytes()) for array in arrays)
        if sum(array.size for array in arrays if array is not None) > 10_000:
            return self._all(arrays)
        if key not in self._seen:
            self._seen[key] = self._all(arrays)
        return self._seen[key]

    @np.errstate(all="ignore")
    def _all(self, arrays: Values) -> list[Recognised]:
        constant = self._constant(arrays)
        if constant is not None:
            return [constant]
        for ways in (self._whole, self._rows, self._slices, self._steps, self._selected):
            found = list(islice(ways(arrays), MOST_FOUND))
            if found:
                return sorted(found, key=lambda recognised: recognised.cost)
        return []

    # what depends on shapes alone

    def _constant(self, arrays: Values) -> Recognised | None:
        pairs = [(array, p) for array, p in zip(arrays, self.passes, strict=True) if array is not None]
        if all(array.size == 1 for array, _ in pairs):
            told = [n for array, n in zip(arrays, self.n, strict=True) if array is not None]
            is_n = all(float(array.flat[0]) == n for (array, _), n in zip(pairs, told, strict=True))
            several = len({*told}) > 1
            return Recognised("n", kind="constant") if is_n and several else None
        kinds = (
            ("zeros", lambda array: not array.any()),
            ("ones", lambda array: bool((array == 1).all())),
            ("numbers from 0", lambda array: array.ndim == 1 and bool((array == np.arange(array.size)).all())),
            ("numbers from 0 in another order", is_order),
            ("identity matrix", is_identity),
        )
        for name, holds in kinds:
            if all(holds(array) for array, _ in pairs):
                return Recognised(name, kind="constant")
        return None

    # whole arrays

    def _whole(self, arrays: Values) -> Iterator[Recognised]:
        taken = set()
        for name, transposed, flat in self._candidates(arrays):
            if name in taken:
                continue
            factors = self._factors(arrays, self.truths[name], transposed, flat)
            recognised = factors and self._with_factor(factors, arrays, self.truths[name])
            if recognised:
                taken.add(name)
                cost = recognised.cost + 0.001 * transposed + 0.002 * flat
                yield replace(recognised, transposed=transposed, flat=flat, cost=cost)

    def _candidates(self, arrays: Values) -> list[tuple[str, bool, bool]]:
        """The arrays that have the right shapes, and how they would be turned."""
        shapes = tuple(None if array is None else squeezed(array.shape) for array in arrays)
        if shapes not in self._by_shape:
            self._by_shape[shapes] = [
                (name, transposed, flat)
                for name, truths in self.truths.items()
                for transposed, flat in WAYS
                if all(
                    shape is None or (truth is not None and _fits(shape, truth, transposed, flat))
                    for shape, truth in zip(shapes, truths, strict=True)
                )
            ]
        return self._by_shape[shapes]

    def _factors(self, arrays: Values, truths: Named, transposed: bool, flat: bool) -> list[float] | None:
        """The factor on each probe, NaN where it can be any; None if the arrays differ."""
        factors = [np.nan] * len(arrays)
        for i in self.order:  # the small ones first
            array, truth = arrays[i], truths[i]
            if array is None or truth is None:
                continue
            factor = factor_between(array, turned(truth.value, transposed, flat), self.loose)
            if factor is None:
                return None
            factors[i] = factor
        return factors

    def _with_factor(self, factors: Sequence[float], arrays: Values, truths: Named) -> Recognised | None:
        """What the array is if the factors of the probes are one constant that the array may have."""
        told = [i for i, factor in enumerate(factors) if not isnan(factor)]
        truth = next((truth for truth in truths if truth is not None), None)
        if not told or truth is None:
            return None
        rows, values = [self.n[i] for i in told], [factors[i] for i in told]
        constant = recognise_constant(values, rows, self.passes[0].k, max(self.loose, 1e-6))
        if constant is None:
            return None
        cells = sum(array.size for i in told if (array := arrays[i]) is not None)
        if constant.cost > ODD and not (truth.scaled and cells >= ENOUGH):
            return None
        if cells == 1 and constant.cost > PLAIN:  # a single number is many things times some factor
            return None
        return Recognised(truth.name, constant, cost=truth.cost + constant.cost)

    # one sample

    def _rows(self, arrays: Values) -> Iterator[Recognised]:
        return self._parts(arrays, "row")

    # one row or one column of another matrix, one column of a matrix of samples

    def _slices(self, arrays: Values) -> Iterator[Recognised]:
        return self._parts(arrays, "slice")

    def _parts(self, arrays: Values, kind: str) -> Iterator[Recognised]:
        found: set[str] = set()
        for name, of_kind, transposed in self._part_candidates(arrays):
            if of_kind == kind and name not in found:
                recognised = self._part(arrays, self.truths[name], transposed)
                if recognised is not None:
                    found.add(name)
                    yield replace(recognised, kind=kind)

    def _part_candidates(self, arrays: Values) -> list[tuple[str, str, bool]]:
        """The arrays whose parts have the right shapes, what kind of parts they are, and whether they are turned."""
        shapes = tuple(None if array is None else squeezed(array.shape) for array in arrays)
        if shapes not in self._parts_by_shape:
            self._parts_by_shape[shapes] = [
                (name, kind, transposed)
                for name, truths in self.truths.items()
                for kind, transposed in _kinds_of_parts(truths)
                if all(
                    shape is None or (truth is not None and _fits_part(shape, truth, transposed))
                    for shape, truth in zip(shapes, truths, strict=True)
                )
            ]
        return self._parts_by_shape[shapes]

    def _part(self, arrays: Values, truths: Named, transposed: bool) -> Recognised | None:
        factors: list[float] = [np.nan] * len(arrays)
        samples: list[int | None] = [None] * len(arrays)
        for i in self.order:
            array, truth = arrays[i], truths[i]
            if array is None or truth is None or array.size < 2:  # one number is in any row, with some factor
                continue
            found = row_of(array, turned(truth.value, transposed, False), self.loose)
            if found is None:
                return None
            factors[i], samples[i] = found
        recognised = self._with_factor(factors, arrays, truths)
        return recognised and replace(recognised, transposed=transposed, sample=samples[0])

    # weights after a step

    def _steps(self, arrays: Values) -> Iterator[Recognised]:
        """Parameters that have been moved along their gradient."""
        for kind, layer in self.passes[0].architecture.parameters:
            name = f"{kind}{layer}"
            for transposed in (False, True):
                if (name, transposed, False) not in self._candidates(arrays):
                    continue
                before = [
                    None if truth is None else turned(truth.value, transposed, False) for truth in self.truths[name]
                ]
                moved = [_difference(array, value) for array, value in zip(arrays, before, strict=True)]
                gradient = self.truths[f"d{name}"]
                factors = self._factors(moved, gradient, transposed, False)
                recognised = factors and self._with_factor(factors, moved, gradient)
                if recognised:
                    step = recognised.exact_name
                    written = f"{name} - {step[1:]}" if step.startswith("-") else f"{name} + {step}"
                    yield Recognised(written, transposed=transposed, cost=recognised.cost)
                    return

    # some of the rows, or all in another order

    def _selected(self, arrays: Values) -> Iterator[Recognised]:
        """What the array is of a part of the batch, or of the batch in another order, once X has come that way."""
        chosen = self._chosen(arrays)
        known = [samples for samples, _ in self.selections]
        if chosen is not None and chosen[0] not in known and len(known) < MOST_SELECTIONS:
            passes = [_of_rows(p, rows) for p, rows in zip(self.passes, chosen, strict=True)]
            self.selections.append((chosen[0], Recognition(passes, self.single_precision, self.n)))
            self._seen.clear()
        for samples, recognition in reversed(self.selections):
            for found in recognition.all(arrays):
                yield replace(found, samples=samples)

    def _chosen(self, arrays: Values) -> list[tuple[int, ...]] | None:
        """Which rows of X the rows, or the columns, of an array are, on each probe."""
        chosen = []
        for array, p in zip(arrays, self.passes, strict=True):
            if array is None or array.ndim != 2:
                return None
            rows = rows_among(array, p.X) or rows_among(array.T, p.X)
            if rows is None:
                return None
            chosen.append(rows)
        return chosen

    # single numbers

    @np.errstate(all="ignore")
    def cells(self, values: Sequence[Sequence[float]]) -> Recognised | None:
        """What array single numbers are taken from, given those of each probe; None if they are of none."""
        numbers = [np.asarray(own, np.float64) for own in values]
        if sum(len({*own.tolist()}) for own in numbers) < ENOUGH:
            return None
        for truths in self.truths.values():
            if any(truth is None and own.size for truth, own in zip(truths, numbers, strict=True)):
                continue
            if any(truth is not None and (len(truth.shape) > 2 or truth.cost >= RARE) for truth in truths):
                continue
            for name, power, sign in FACTORS_OF_CELLS:
                factors = [sign * float(n) ** power for n in self.n]
                triples = zip(numbers, truths, factors, strict=True)
                if all(truth is None or among(own / factor, truth.ordered) for own, truth, factor in triples):
                    found = next(truth for truth in truths if truth is not None)
                    return Recognised(found.name, Constant(tuple(factors), power, sign, name, 0.0), "cell")
        return None


def _read(value: Any) -> Array | None:
    """A value as numbers; None if there is none, or if some are not finite."""
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or array.size == 0:
        return None
    array = array.astype(np.float64)
    return array if np.isfinite(array).all() else None


def _fits(shape: tuple[int, ...], truth: Truth, transposed: bool, flat: bool) -> bool:
    theirs = turned_shape(truth.shape, transposed, flat)
    return theirs is not None and squeezed(theirs) == shape


def _kinds_of_parts(truths: Named) -> list[tuple[str, bool]]:
    """What parts of an array are looked for: ("row", turned) for one sample, ("slice", turned) for other vectors."""
    truth = next(truth for truth in truths if truth is not None)
    axes = len(truth.shape)
    found: list[tuple[str, bool]] = []
    if truth.rows and axes > 1:
        found += [("row", False), ("row", True)][: axes - 1]
    if axes == 2 and truth.cost < RARE:
        found += [("slice", True)] if truth.rows else [("slice", False), ("slice", True)]
    return found


def _fits_part(shape: tuple[int, ...], truth: Truth, transposed: bool) -> bool:
    theirs = turned_shape(truth.shape, transposed, False)
    return theirs is not None and squeezed(theirs[1:]) == shape


def _difference(array: Array | None, before: Array | None) -> Array | None:
    return None if array is None or before is None else array.reshape(before.shape) - before


def _of_rows(p: Pass, rows: tuple[int, ...]) -> Pass:
    """The pass of some of the rows of another."""
    chosen = list(rows)
    return Pass(
        p.architecture,
        p.W,
        p.b,
        p.X[chosen],
        p.Y[chosen],
        scale=p.scale,
        l2=p.l2,
        l2_bias=p.l2_bias,
        at_kink=p.at_kink,
    )
