"""Expressions in index notation: what a formula is made of.

::

    Num        a rational number                 2, 1/2
    Tensor     a named array at its indices      z_i, W_jk, N (no index: a scalar)
    Delta      Kronecker's delta                 delta_ij
    Add, Mul   sums and products of any length
    Pow        a power; a quotient is a power of -1
    Sum        a sum over bound indices          sum_k ...
    Call       a function of one number          exp(z_i), f'(z_i)

An index is a letter (text), or a `Label`: an array of class numbers used as an index, ``P[i, y_i]``. Nodes are
immutable and compare by structure. This module refuses to simplify: it builds, walks and renames.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

__all__ = [
    "KNOWN_FUNCTIONS",
    "MINUS_ONE",
    "ONE",
    "PI",
    "ZERO",
    "Add",
    "Assumption",
    "Call",
    "Definition",
    "Delta",
    "Expr",
    "Index",
    "Label",
    "Mul",
    "Num",
    "Pow",
    "Program",
    "Sum",
    "Tensor",
    "all_indices",
    "children",
    "for_reading",
    "free_indices",
    "fresh",
    "is_ones",
    "letters",
    "map_children",
    "names",
    "ones",
    "range_of",
    "rename",
    "walk",
]


@dataclass(frozen=True)
class Label:
    """A class number taken from an array, in the place of an index: y_i in P[i, y_i]."""

    name: str
    indices: tuple[str, ...]


Index = str | Label


@dataclass(frozen=True)
class Num:
    """A rational number, exact."""

    value: Fraction


@dataclass(frozen=True)
class Tensor:
    """A named array at its indices; a scalar has none. A prime in the name is part of it (W')."""

    name: str
    indices: tuple[Index, ...] = ()


@dataclass(frozen=True)
class Delta:
    """Kronecker's delta: 1 where its two indices are equal, 0 elsewhere."""

    i: Index
    j: Index


@dataclass(frozen=True)
class Add:
    """A sum of two or more terms."""

    terms: "tuple[Expr, ...]"


@dataclass(frozen=True)
class Mul:
    """A product of two or more factors."""

    factors: "tuple[Expr, ...]"


@dataclass(frozen=True)
class Pow:
    """A power. ``a / b`` is ``a * b^-1``; ``sqrt(a)`` is ``a^(1/2)``."""

    base: "Expr"
    exponent: "Expr"


@dataclass(frozen=True)
class Sum:
    """A sum over bound indices."""

    indices: tuple[str, ...]
    body: "Expr"


@dataclass(frozen=True)
class Call:
    """A function of one number, or its derivative of some order: f(z) is order 0, f'(z) order 1.

    A function that is not among `KNOWN_FUNCTIONS` is open: smooth, and otherwise unknown.
    """

    function: str
    argument: "Expr"
    order: int = 0


Expr = Num | Tensor | Delta | Add | Mul | Pow | Sum | Call

KNOWN_FUNCTIONS = frozenset(
    ["exp", "log", "abs", "sign", "sin", "cos", "tanh", "sigmoid", "relu", "step", "softplus", "erf"]
)

ZERO, ONE, MINUS_ONE = Num(Fraction(0)), Num(Fraction(1)), Num(Fraction(-1))

Assumption = tuple[Expr, Expr]
"""An equation that holds: its left and its right side."""


@dataclass(frozen=True)
class Definition:
    """One equation: ``name_indices = value``. The free indices of `value` are among `indices`."""

    name: str
    indices: tuple[str, ...]
    value: Expr


@dataclass(frozen=True)
class Program:
    """Equations in an order in which each uses only earlier ones.

    Attributes
    ----------
    definitions : tuple of Definition
    labels : frozenset of str
        Names of arrays that hold class numbers.
    """

    definitions: tuple[Definition, ...]
    labels: frozenset[str] = frozenset()

    def defined(self, name: str) -> Definition | None:
        """Return the equation that defines `name`, if there is one."""
        return next((d for d in self.definitions if d.name == name), None)


PI = Tensor("pi")
"""The constant, where nobody has given the name to an array with indices."""


def ones(array: str, position: int, letter: str) -> Tensor:
    """Return the vector of ones that runs along a position of an array: it keeps the range of a sum of nothing else.

    It is an array like any other, called ``1:array:position``; it is shown as 1, or not at all.
    """
    return Tensor(f"1:{array}:{position}", (letter,))


def range_of(letter: str, e: "Expr") -> "Tensor | None":
    """Return ones that run over what a letter runs over in `e`, read off the first array it indexes."""
    for part in walk(e):
        if isinstance(part, Tensor) and letter in part.indices:
            return part if is_ones(part) else ones(part.name, part.indices.index(letter), letter)
    return None


def is_ones(e: "Expr") -> bool:
    """Whether an expression is a vector of `ones`."""
    return isinstance(e, Tensor) and e.name.startswith("1:")


def for_reading(e: "Expr") -> "Expr":
    """Return `e` without the vectors of ones that only keep a range."""
    if is_ones(e):
        return ONE
    if isinstance(e, Mul):
        kept = tuple(for_reading(f) for f in e.factors if not is_ones(f))
        return Mul(kept) if len(kept) > 1 else kept[0] if kept else ONE
    return map_children(e, for_reading)


def children(e: Expr) -> tuple[Expr, ...]:
    """Return the expressions that `e` is made of."""
    match e:
        case Add(terms):
            return terms
        case Mul(factors):
            return factors
        case Pow(base, exponent):
            return (base, exponent)
        case Sum(_, body):
            return (body,)
        case Call(_, argument, _):
            return (argument,)
        case _:
            return ()


def map_children(e: Expr, f: Callable[[Expr], Expr]) -> Expr:
    """Return `e` with `f` applied to each of its children."""
    match e:
        case Add(terms):
            return Add(tuple(f(t) for t in terms))
        case Mul(factors):
            return Mul(tuple(f(t) for t in factors))
        case Pow(base, exponent):
            return Pow(f(base), f(exponent))
        case Sum(indices, body):
            return Sum(indices, f(body))
        case Call(function, argument, order):
            return Call(function, f(argument), order)
        case _:
            return e


def walk(e: Expr) -> Iterator[Expr]:
    """Yield `e` and everything in it."""
    yield e
    for child in children(e):
        yield from walk(child)


def names(e: Expr) -> set[str]:
    """Return the names of the arrays in `e`, labels included."""
    found: set[str] = set()
    for part in walk(e):
        if isinstance(part, Tensor):
            found.add(part.name)
        found |= {index.name for index in _indices_of(part) if isinstance(index, Label)}
    return found


def _indices_of(e: Expr) -> tuple[Index, ...]:
    match e:
        case Tensor(_, indices):
            return indices
        case Delta(i, j):
            return (i, j)
        case _:
            return ()


def letters(index: Index) -> tuple[str, ...]:
    """Return the letters an index depends on: itself, or those of the label."""
    return index.indices if isinstance(index, Label) else (index,)


def free_indices(e: Expr) -> tuple[str, ...]:
    """Return the letters that are not summed over, each once, in the order of their first place."""
    found: dict[str, None] = {}
    for index in _indices_of(e):
        found |= dict.fromkeys(letters(index))
    for child in children(e):
        found |= dict.fromkeys(free_indices(child))
    if isinstance(e, Sum):
        for index in e.indices:
            found.pop(index, None)
    return tuple(found)


def all_indices(e: Expr) -> set[str]:
    """Return every letter in `e`, bound ones included."""
    found = {letter for part in walk(e) for index in _indices_of(part) for letter in letters(index)}
    return found | {index for part in walk(e) if isinstance(part, Sum) for index in part.indices}


def fresh(taken: set[str], like: str = "k") -> str:
    """Return a letter that is not taken, close to `like`."""
    for candidate in (like, *"ijklmnopqrstuvwabcdefgh"):
        if candidate not in taken:
            return candidate
    number = 1
    while f"{like}{number}" in taken:
        number += 1
    return f"{like}{number}"


def rename(e: Expr, new: Mapping[str, Index]) -> Expr:
    """Return `e` with free indices replaced; bound ones step aside where they would be captured."""
    if not new:
        return e

    def of(index: Index) -> Index:
        if isinstance(index, Label):
            inner = tuple(new.get(letter, letter) for letter in index.indices)
            if any(isinstance(letter, Label) for letter in inner):
                raise ValueError("a label can't be the index of a label")
            return Label(index.name, tuple(str(letter) for letter in inner))
        return new.get(index, index)

    match e:
        case Tensor(name, indices):
            return Tensor(name, tuple(of(index) for index in indices))
        case Delta(i, j):
            return Delta(of(i), of(j))
        case Sum(indices, body):
            inner = {old: index for old, index in new.items() if old not in indices}
            arriving = {letter for index in inner.values() for letter in letters(index)}
            aside: dict[str, Index] = {}
            kept: list[str] = []
            for bound in indices:
                letter = bound
                if bound in arriving:
                    letter = fresh(all_indices(body) | arriving | set(indices) | set(kept) | set(inner), bound)
                    aside[bound] = letter
                kept.append(letter)
            return Sum(tuple(kept), rename(rename(body, aside), inner))
        case _:
            return map_children(e, lambda child: rename(child, new))
