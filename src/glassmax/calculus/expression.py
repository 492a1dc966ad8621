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
immutable and compare by structure. Which letters an expression has, and how they are renamed, is in `indices`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["KNOWN_FUNCTIONS", "MINUS_ONE", "ONE", "PI", "ZERO", "Add", "Assumption", "Call", "Definition", "Delta"]
__all__ += ["Expr", "Index", "Label", "Length", "Mul", "Num", "Pow", "Program", "Sum", "Tensor", "children"]
__all__ += ["indices_of", "map_children", "names", "product_of", "sum_of", "walk"]


@dataclass(frozen=True)
class Label:
    """A class number taken from an array, in the place of an index: y_i in P[i, y_i].

    A label without indices is one fixed index: y in p_y, for a single sample of the class y.
    """

    name: str
    indices: tuple[str, ...] = ()


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
    """A function of one number, or its derivative: f(z) is order 0, f'(z) order 1; an unknown function is smooth."""

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


Length = tuple[str, str, int]
"""A number that is the length of an axis: its name, the array, and which of the axes of that array."""


@dataclass(frozen=True)
class Program:
    """Equations in an order in which each uses only earlier ones."""

    definitions: tuple[Definition, ...]
    labels: frozenset[str] = frozenset()  # names of arrays that hold class numbers
    lengths: tuple[Length, ...] = ()  # numbers that nobody has to give
    thin: frozenset[str] = frozenset()  # names of arrays with an axis of length 1, which has no index

    def defined(self, name: str) -> Definition | None:
        """Return the equation that defines `name`, if there is one."""
        return next((d for d in self.definitions if d.name == name), None)

    def fixed(self) -> set[str]:
        """Return the names of the labels without indices, each of which is one fixed index."""
        parts = (part for d in self.definitions for part in walk(d.value))
        found = {index for part in parts for index in indices_of(part)}
        return {index.name for index in found if isinstance(index, Label) and not index.indices}


PI = Tensor("pi")
"""The constant, where nobody has given the name to an array with indices."""


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


def product_of(factors: Sequence[Expr]) -> Expr:
    """Return a product: 1 if there are no factors, the factor itself if there is only one."""
    return Mul(tuple(factors)) if len(factors) > 1 else factors[0] if factors else ONE


def sum_of(terms: Sequence[Expr]) -> Expr:
    """Return a sum: 0 if there are no terms, the term itself if there is only one."""
    return Add(tuple(terms)) if len(terms) > 1 else terms[0] if terms else ZERO


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
        found |= {index.name for index in indices_of(part) if isinstance(index, Label)}
    return found


def indices_of(e: Expr) -> tuple[Index, ...]:
    """Return the indices that stand at `e` itself."""
    match e:
        case Tensor(_, indices):
            return indices
        case Delta(i, j):
            return (i, j)
        case _:
            return ()
