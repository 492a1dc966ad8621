"""One cell of an array, taken apart: the products that make it, one for each value of the summed index.

The equation in index notation is the recipe: its free letters are set to the indices of the cell, its sums are written
out, and each factor is evaluated by the calculus.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from ..calculus.expression import ONE, PI, ZERO, Add, Delta, Expr, Mul, Num, Sum, Tensor, map_children, product_of, walk
from ..calculus.indices import for_reading
from ..calculus.printing import text
from ..calculus.proving import Values, evaluate
from ..functional.arrays import Array
from .equations import Equation

__all__ = ["Cell", "Part", "Term", "taken_apart"]


@dataclass(frozen=True)
class Term:
    """One product of a cell: the summed indices at which it stands, its factors with their values, and its value."""

    at: dict[str, int]
    factors: tuple[tuple[str, float], ...]
    value: float

    def __repr__(self) -> str:
        where = ", ".join(f"{letter} = {index}" for letter, index in self.at.items())
        product = " · ".join(f"{name} ({value:.4g})" for name, value in self.factors)
        return f"{where + ': ' if where else ''}{product} = {self.value:.4g}"


@dataclass(frozen=True, repr=False)
class Part:
    """A product, or a sum of products over some letters.

    Attributes
    ----------
    formula : str
        The part with the indices of the cell: ``"sum_i dZ2[i,1] A1[i,3]"``.
    letters : tuple of str
        The summed indices.
    sizes : tuple of int
        How many values each of them has.
    factors : tuple of (str, array)
        Each factor as text, and its value for every value of the letters, of shape `sizes`.
    values : array
        The products, of shape `sizes`.
    """

    formula: str
    letters: tuple[str, ...]
    sizes: tuple[int, ...]
    factors: tuple[tuple[str, Array], ...]
    values: Array

    def __len__(self) -> int:
        return self.values.size

    def terms(self) -> Iterator[Term]:
        """Yield every product in the order of the summed indices."""
        for at in np.ndindex(self.sizes):
            yield self.term(at)

    def term(self, at: tuple[int, ...]) -> Term:
        """Return the product at some values of the summed indices."""
        where = dict(zip(self.letters, at, strict=True))
        factors = tuple((_filled(name, where), float(values[at])) for name, values in self.factors)
        return Term(where, factors, float(self.values[at]))

    def largest(self, count: int) -> list[Term]:
        """Return the products of the largest size, in the order of the summed indices."""
        sizes = np.nan_to_num(np.abs(self.values), nan=np.inf).ravel()
        chosen = np.sort(np.argsort(-sizes, kind="stable")[:count])
        return [self.term(tuple(int(i) for i in np.unravel_index(flat, self.sizes))) for flat in chosen]

    @property
    def sum(self) -> float:
        """The sum of the products."""
        with np.errstate(invalid="ignore"):
            return float(self.values.sum())


@dataclass(frozen=True, repr=False)
class Cell:
    """One cell of an array as the sum of its products.

    Attributes
    ----------
    name : str
        The array: ``"dW2"``.
    index : tuple of int
        The indices of the cell, from 0.
    value : float
        The value of the cell in the trace.
    equation : Equation or None
        The equation that the cell is taken apart by; None for a cell that is given.
    parts : tuple of Part
        What is added up; usually one sum, and a penalty or a bias.
    note : str
        Why there are no products, where there are none.
    """

    name: str
    index: tuple[int, ...]
    value: float
    equation: Equation | None
    parts: tuple[Part, ...] = ()
    note: str = ""

    @property
    def label(self) -> str:
        """The cell as it is written: ``dW2[3,1]``."""
        return labelled(self.name, self.index)

    @property
    def sum(self) -> float:
        """The sum of all products."""
        return sum(part.sum for part in self.parts) if self.parts else self.value

    @property
    def terms(self) -> list[Term]:
        """Every product of every part, in order."""
        return [term for part in self.parts for term in part.terms()]

    def to_dict(self) -> dict[str, Any]:
        """Return the cell as plain data; of a part of more than 1,000 products, the largest 1,000."""
        from .formats.plain import plain_cell  # late: the formats read cells

        return plain_cell(self)

    def __repr__(self) -> str:
        from .formats.text import cell_text  # late: the formats read cells

        return cell_text(self)


def labelled(name: str, index: Sequence[object]) -> str:
    """Write a cell: ``dW2[3,1]``; of a number, its name."""
    return f"{name}[{','.join(map(str, index))}]" if index else name


Look = Callable[[str, tuple[int | None, ...]], Array]
"""From the name of an array, and an index (None for all of an axis), to the numbers there."""


def taken_apart(equation: Equation, index: tuple[int, ...], look: Look, sizes: Mapping[str, tuple[int, ...]]) -> Cell:
    """Return a cell with the products that make it; its value is their sum.

    `look` returns a part of an array, so that a Jacobian need not be formed whole.
    """
    at = dict(zip(equation.letters, index, strict=True))
    parts = tuple(_part(*summand, at, look, sizes) for summand in _summands(equation.expression))
    return Cell(equation.name, index, sum(part.sum for part in parts), equation, parts)


def _summands(e: Expr) -> list[tuple[tuple[str, ...], list[Expr]]]:
    """Multiply sums out: a list of the summed letters and the factors of each product."""
    match e:
        case Add(terms):
            return [summand for term in terms for summand in _summands(term)]
        case Sum(indices, body):
            return [((*indices, *bound), factors) for bound, factors in _summands(body)]
        case Mul(factors):
            place = next((n for n, factor in enumerate(factors) if _holds_sum(factor)), None)
            if place is None:
                return [((), list(factors))]
            rest = [*factors[:place], *factors[place + 1 :]]
            return [(bound, [*rest, *inner]) for bound, inner in _summands(factors[place])]
        case _:
            return [((), [e])]


def _holds_sum(e: Expr) -> bool:
    """Whether a factor is a sum that can be multiplied out: not one inside a function or below a line."""
    match e:
        case Sum():
            return True
        case Add(terms):
            return any(_holds_sum(term) for term in terms)
        case Mul(factors):
            return any(_holds_sum(factor) for factor in factors)
        case _:
            return False


def _part(
    bound: tuple[str, ...],
    factors: list[Expr],
    at: Mapping[str, int],
    look: Look,
    shapes: Mapping[str, tuple[int, ...]],
) -> Part:
    number = prod((factor.value for factor in factors if isinstance(factor, Num)), start=Fraction(1))
    others = [factor for factor in map(for_reading, factors) if not isinstance(factor, Num)]
    plain = [*([Num(number)] if number != 1 or not others else []), *others]
    sizes = tuple(_size(letter, factors, shapes) for letter in bound)
    found = [(text(_named(factor, at)), _values(factor, bound, sizes, at, look)) for factor in plain]
    with np.errstate(all="ignore"):  # inf * 0: the caller takes another equation
        product = prod((values for _, values in found), start=np.ones(sizes))
    body = product_of(others)
    whole = product_of([Num(number), Sum(bound, body) if bound else body]) if number != 1 else body
    whole = Sum(bound, body) if bound and number == 1 else whole
    return Part(text(_named(whole, at)), bound, sizes, tuple(found), product)


def _size(letter: str, factors: list[Expr], shapes: Mapping[str, tuple[int, ...]]) -> int:
    for factor in factors:
        for part in walk(factor):
            if isinstance(part, Tensor) and letter in part.indices:
                name, position = part.name, part.indices.index(letter)
                if name.startswith("1:"):
                    _, name, along = name.split(":")
                    position = int(along)
                return shapes[name][position]
    raise KeyError(letter)


def _values(factor: Expr, bound: tuple[str, ...], sizes: tuple[int, ...], at: Mapping[str, int], look: Look) -> Array:
    """Evaluate a factor at the cell, for every value of the summed letters."""
    arrays: dict[str, Array] = {}

    def cut(e: Expr, at: Mapping[str, int] = at) -> Expr:
        if isinstance(e, Sum):  # a letter that is summed inside is another one than on the left
            return Sum(e.indices, cut(e.body, _without(at, e.indices)))
        if e == PI:
            return e
        if isinstance(e, Tensor):
            if e.name.startswith("1:"):
                return ONE
            where = tuple(at.get(str(letter)) for letter in e.indices)
            kept = tuple(letter for letter in e.indices if str(letter) not in at)
            name = f"{e.name}#{len(arrays)}"
            arrays[name] = np.asarray(look(e.name, where))
            return Tensor(name, kept)
        if isinstance(e, Delta):
            free = [letter for letter in (e.i, e.j) if letter not in at]
            fixed = [at[str(letter)] for letter in (e.i, e.j) if letter in at]
            if not free:
                return ONE if fixed[0] == fixed[1] else ZERO
            if not fixed:
                return e
            name = f"delta#{len(arrays)}"
            arrays[name] = (np.arange(sizes[bound.index(str(free[0]))]) == fixed[0]).astype(float)
            return Tensor(name, (free[0],))
        return map_children(e, lambda child: cut(child, at))

    cut_factor = cut(factor)
    with np.errstate(all="ignore"):
        value = evaluate(cut_factor, Values(arrays, dict(zip(bound, sizes, strict=True)), {}), bound)
    return np.asarray(value, np.float64)


def _named(e: Expr, at: Mapping[str, int]) -> Expr:
    """Write the indices of arrays as numbers where they are those of the cell."""
    if isinstance(e, Sum):
        return Sum(e.indices, _named(e.body, _without(at, e.indices)))
    if isinstance(e, Tensor) and e.indices:
        return Tensor(labelled(e.name, [at.get(str(letter), letter) for letter in e.indices]))
    if isinstance(e, Delta):
        return Tensor(labelled("delta", [at.get(str(letter), letter) for letter in (e.i, e.j)]))
    return map_children(e, lambda child: _named(child, at))


def _without(at: Mapping[str, int], letters: Sequence[str]) -> dict[str, int]:
    return {letter: index for letter, index in at.items() if letter not in letters}


def _filled(name: str, where: Mapping[str, int]) -> str:
    """Put the values of summed letters into the brackets of a factor's text."""
    out, inside = [], 0
    for piece in _pieces(name):
        inside += (piece == "[") - (piece == "]")
        out.append(str(where[piece]) if inside and piece in where else piece)
    return "".join(out)


def _pieces(name: str) -> list[str]:
    return re.findall(r"\w+|\W", name)


def __dir__() -> list[str]:
    return __all__
