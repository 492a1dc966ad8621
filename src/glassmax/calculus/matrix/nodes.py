"""The nodes of a formula in matrix notation.

Every node has `axes`, the letters of the index form that its rows and columns run over: none for a scalar, one for a
vector (a column), two for a matrix. Axes fix the layout, so transposes are explicit and never guessed. `form` makes
the nodes, `glassmax.calculus.printing` prints them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

__all__ = ["Apply", "Diag", "Eye", "Hadamard", "Leaf", "Matrix", "Ones", "Plus", "Power", "Product", "Quotient"]
__all__ += ["Scaled", "Transpose", "leaves", "map_matrix", "matrix_children"]


@dataclass(frozen=True)
class Leaf:
    """A named array: X, p, or a scalar such as N."""

    name: str
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Ones:
    """The vector of ones along an axis; `along` names the array and position whose range that is, if known."""

    axes: tuple[str, ...]
    along: str = field(default="", compare=False)


@dataclass(frozen=True)
class Eye:
    """The identity matrix."""

    axes: tuple[str, ...]


@dataclass(frozen=True)
class Transpose:
    """The transpose of a matrix; the transpose of a vector is a row."""

    of: "Matrix"
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Product:
    """Matrix product of two or more: inner axes are summed, scalars multiply; uᵀ v is a scalar, u vᵀ a matrix."""

    factors: "tuple[Matrix, ...]"
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Hadamard:
    """Entry by entry product of two or more arrays of the same axes."""

    factors: "tuple[Matrix, ...]"
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Quotient:
    """Entry by entry quotient of two arrays of the same axes, or of an array and a scalar."""

    above: "Matrix"
    below: "Matrix"
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Scaled:
    """A rational number, such as -1 or 1/2, times an array."""

    number: Fraction
    of: "Matrix"
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Plus:
    """A sum of arrays of the same axes; a term scaled by a negative number is printed as a difference."""

    terms: "tuple[Matrix, ...]"
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Apply:
    """A function applied entry by entry, or its derivative of some order."""

    function: str
    of: "Matrix"
    axes: tuple[str, ...]
    order: int = 0


@dataclass(frozen=True)
class Power:
    """A power entry by entry."""

    of: "Matrix"
    exponent: Fraction
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Diag:
    """The square matrix with a vector on its diagonal."""

    of: "Matrix"
    axes: tuple[str, ...]


Matrix = Leaf | Ones | Eye | Transpose | Product | Hadamard | Quotient | Scaled | Plus | Apply | Power | Diag


def matrix_children(m: Matrix) -> tuple[Matrix, ...]:
    """Return what a matrix expression is made of."""
    match m:
        case Product(factors, _) | Hadamard(factors, _):
            return factors
        case Plus(terms, _):
            return terms
        case Quotient(above, below, _):
            return (above, below)
        case Transpose(of, _) | Scaled(_, of, _) | Apply(_, of, _, _) | Power(of, _, _) | Diag(of, _):
            return (of,)
        case _:
            return ()


def map_matrix(m: Matrix, f: Callable[[Matrix], Matrix], axes: tuple[str, ...]) -> Matrix:
    """Return `m` with `f` applied to what it is made of, and with these axes."""
    if isinstance(m, Product | Hadamard):
        return replace(m, factors=tuple(f(factor) for factor in m.factors), axes=axes)
    if isinstance(m, Plus):
        return replace(m, terms=tuple(f(term) for term in m.terms), axes=axes)
    if isinstance(m, Quotient):
        return replace(m, above=f(m.above), below=f(m.below), axes=axes)
    if isinstance(m, Transpose | Scaled | Apply | Power | Diag):
        return replace(m, of=f(m.of), axes=axes)
    return m


def leaves(m: Matrix) -> "list[Leaf]":
    """Return the named arrays of a matrix expression."""
    return [m] if isinstance(m, Leaf) else [leaf for part in matrix_children(m) for leaf in leaves(part)]
