"""Evaluate an expression in index notation on numbers, to prove the lines of a derivation.

Every index letter is an axis; an expression becomes an array over its free letters. An expression is evaluated by its
definition, without the rules that led to it. Arrays may be complex, for the complex step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..expression import Add, Call, Delta, Expr, Index, Label, Mul, Num, Pow, Program, Sum, Tensor, children, indices_of
from ..indices import free_indices
from ..indices import letters as letters_of
from ..limits import MOST_NUMBERS, DeriveError, spend
from ..softmaxes import softmax_of

__all__ = ["OpenFunction", "Values", "apply_function", "array_named", "evaluate", "evaluate_program"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class OpenFunction:
    """A random smooth function with all its derivatives: a sin(b x + c) + d x + e x^2."""

    a: float
    b: float
    c: float
    d: float
    e: float

    def __call__(self, x: Array, order: int) -> Array:
        """Return the derivative of some order at x."""
        wave = self.a * self.b**order * np.sin(self.b * x + self.c + order * np.pi / 2)
        line = (self.d * x + self.e * x * x, self.d + 2 * self.e * x, 2 * self.e + 0 * x)
        return wave + (line[order] if order < 3 else 0)


@dataclass(frozen=True)
class Values:
    """Numbers for the arrays, sizes for the letters, and open functions."""

    arrays: Mapping[str, Array]  # scalars are arrays without axes; labels are arrays of int
    sizes: Mapping[str, int]  # of letters whose size can't be read off an array
    functions: Mapping[str, Callable[[Array, int], Array]]  # f(x, order)
    ranges: Mapping[str, int] = field(default_factory=dict)  # how many classes each label has


def evaluate(e: Expr, values: Values, axes: Sequence[str] | None = None) -> Array:
    """Return the value of `e` over `axes`, by default its free letters; it is constant along any other letter."""
    sizes = _sizes(e, values)
    axes = free_indices(e) if axes is None else tuple(axes)
    array, letters = _value(e, values, sizes)
    full = _spread(array, letters, axes)
    return np.broadcast_to(full, [sizes[letter] if letter in sizes else values.sizes[letter] for letter in axes]).copy()


def evaluate_program(program: Program, values: Values) -> Values:
    """Evaluate the definitions in their order, on top of the inputs."""
    arrays = dict(values.arrays)
    for definition in program.definitions:
        sizes = {letter: 1 for letter in definition.indices if letter not in free_indices(definition.value)}
        there = replace(values, arrays=arrays, sizes={**values.sizes, **sizes})
        arrays[definition.name] = evaluate(definition.value, there, definition.indices)
    return Values(arrays, values.sizes, values.functions, values.ranges)


def _sizes(e: Expr, values: Values, known: Mapping[str, int] | None = None) -> dict[str, int]:
    """Read the size of every free letter off the arrays that it indexes, then off deltas, then off what is known."""
    found, pairs = _seen_sizes(e, values)
    outer = dict(known or {})
    _pair(found, pairs, outer)
    return {**values.sizes, **outer, **found}


def _seen_sizes(e: Expr, values: Values) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return the sizes of the free letters that arrays in `e` have, and the pairs of free letters that deltas tie."""
    found: dict[str, int] = {}
    pairs: list[tuple[str, str]] = []
    for position, index in enumerate(indices_of(e)):
        if isinstance(index, Label):
            found.update(zip(index.indices, values.arrays[index.name].shape, strict=True))
        elif isinstance(e, Tensor):
            found[index] = array_named(e.name, values).shape[position]
    if isinstance(e, Delta):
        for index, other in ((e.i, e.j), (e.j, e.i)):
            if isinstance(index, str) and isinstance(other, Label):
                found.setdefault(index, values.ranges[other.name])
            elif isinstance(index, str):
                pairs.append((index, str(other)))
    for child in children(e):
        inner, tied = _seen_sizes(child, values)
        found |= inner
        pairs += tied
    if isinstance(e, Sum):
        _pair(found, pairs, {})
        found = {letter: size for letter, size in found.items() if letter not in e.indices}
        pairs = [pair for pair in pairs if not set(pair) & set(e.indices)]
    return found, pairs


def _pair(found: dict[str, int], pairs: list[tuple[str, str]], outer: Mapping[str, int]) -> None:
    """Give a letter without a size the size of a letter that a delta ties it to."""
    for one, other in (*pairs, *pairs):
        if one not in found and (other in found or other in outer):
            found[one] = found.get(other, outer.get(other, 0))


def _value(e: Expr, values: Values, sizes: dict[str, int]) -> tuple[Array, tuple[str, ...]]:
    spend()
    match e:
        case Num(value):
            return np.asarray(float(value)), ()
        case Tensor(name, indices):
            return _cells(array_named(name, values), indices, values, sizes)
        case Delta(i, j):
            letters = tuple(dict.fromkeys((*letters_of(i), *letters_of(j))))
            left, right = (_grid(index, letters, values, sizes) for index in (i, j))
            return (left == right).astype(float), letters
        case Add(terms):
            return _together(terms, values, sizes, np.add)
        case Mul(factors):
            softmax = softmax_of(e)
            return _softmax(*softmax, values, sizes) if softmax else _together(factors, values, sizes, np.multiply)
        case Pow(base, Num(power)):
            array, letters = _value(base, values, sizes)
            if power.denominator == 1 and power < 0:
                return 1 / array ** int(-power), letters
            return array ** (int(power) if power.denominator == 1 else float(power)), letters
        case Pow(base, exponent):
            return _together((base, exponent), values, sizes, np.power)
        case Sum(indices, body):
            outside = {letter: size for letter, size in sizes.items() if letter not in indices}
            own = _sizes(body, values, outside)  # the same letter may run over another axis in another sum
            inner = sizes | {letter: own[letter] for letter in indices if letter in own}
            for index in indices:
                if index not in inner:
                    raise DeriveError(f"The sum over {index} has no range: no array in it has this index.")
            array, letters = _value(body, values, inner)
            spend(array.size // 100)
            for index in indices:
                if index in letters:
                    array = array.sum(axis=letters.index(index))
                    letters = tuple(letter for letter in letters if letter != index)
                else:
                    array = array * inner[index]
            return array, letters
        case Call(function, argument, order):
            array, letters = _value(argument, values, sizes)
            return apply_function(function, array, order, values), letters


def _softmax(argument: Expr, axis: str, values: Values, sizes: dict[str, int]) -> tuple[Array, tuple[str, ...]]:
    """Softmax along an axis, without overflow: the largest argument, which cancels, is subtracted."""
    array, letters = _value(argument, values, sizes)
    at = letters.index(axis)
    powers = np.exp(array - array.real.max(axis=at, keepdims=True))
    return powers / powers.sum(axis=at, keepdims=True), letters


def array_named(name: str, values: Values) -> Array:
    """Return an array by its name; ones by the array they run along."""
    if name.startswith("1:"):
        _, along, position = name.split(":")
        return np.ones(values.arrays[along].shape[int(position)])
    if name == "pi" and name not in values.arrays:
        return np.asarray(np.pi)
    return values.arrays[name]


def apply_function(function: str, x: Array, order: int, values: Values) -> Array:
    """Return a function of numbers, or its derivative of some order, entry by entry."""
    if order == 0 and function in FUNCTION_VALUES:
        result: Array = FUNCTION_VALUES[function](x)
        return result
    return values.functions[function](x, order)


def _erf(x: Array) -> Array:
    from scipy.special import erf

    result: Array = erf(x)
    return result


FUNCTION_VALUES: dict[str, Any] = {
    "exp": np.exp,
    "log": np.log,
    "abs": lambda x: np.where(x.real < 0, -x, x),
    "sign": lambda x: np.sign(x.real),
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)) if np.iscomplexobj(x) else np.exp(-np.logaddexp(0, -x)),
    "relu": lambda x: np.where(x.real > 0, x, 0 * x),
    "step": lambda x: (x.real > 0).astype(float),
    "softplus": lambda x: np.log1p(np.exp(x)) if np.iscomplexobj(x) else np.logaddexp(0, x),
    "erf": _erf,
}
"""Known functions on numbers, including complex numbers for the complex step."""


def _grid(index: Index, letters: tuple[str, ...], values: Values, sizes: dict[str, int]) -> Array:
    """The values of an index as an array that broadcasts over `letters`."""
    if isinstance(index, Label):
        grids = tuple(_grid(letter, letters, values, sizes) for letter in index.indices)
        return values.arrays[index.name][grids]
    shape = [1] * len(letters)
    shape[letters.index(index)] = -1
    return np.arange(sizes[index]).reshape(shape)


def _cells(
    array: Array, indices: tuple[Index, ...], values: Values, sizes: dict[str, int]
) -> tuple[Array, tuple[str, ...]]:
    letters = tuple(dict.fromkeys(letter for index in indices for letter in letters_of(index)))
    if not indices:
        return np.asarray(array), ()
    return array[tuple(_grid(index, letters, values, sizes) for index in indices)], letters


def _together(
    parts: Sequence[Expr], values: Values, sizes: dict[str, int], operation: Any
) -> tuple[Array, tuple[str, ...]]:
    evaluated = [_value(part, values, sizes) for part in parts]
    letters = tuple(dict.fromkeys(letter for _, own in evaluated for letter in own))
    if prod(n for letter, n in sizes.items() if letter in letters) > MOST_NUMBERS:
        raise DeriveError(f"{len(letters)} indices in one product are too many to be proved on numbers.")
    spread = [_spread(array, own, letters) for array, own in evaluated]
    result = spread[0]
    for array in spread[1:]:
        result = operation(result, array)
    return result, letters


def _spread(array: Array, own: tuple[str, ...], letters: Sequence[str]) -> Array:
    """Put the axes of an array in the order of `letters`, with axes of length 1 for those it lacks."""
    order = sorted(range(len(own)), key=lambda axis: list(letters).index(own[axis]))
    shape = [1] * len(letters)
    for axis in order:
        shape[list(letters).index(own[axis])] = array.shape[axis]
    return array.transpose(order).reshape(shape)
