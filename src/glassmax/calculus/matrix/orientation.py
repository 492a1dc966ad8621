"""Put rows, columns and numbers of a matrix expression where people expect them.

The axes of a result fix its layout. A matrix whose axes stand in the other order is transposed; the transpose is moved
inside only where it cancels another one. An array that lacks an axis is repeated along that axis, by a product with
ones. Numbers come to the front.
"""

from fractions import Fraction
from typing import TypeGuard

from .nodes import (
    Apply,
    Diag,
    Eye,
    Hadamard,
    Leaf,
    Matrix,
    Ones,
    Plus,
    Power,
    Product,
    Quotient,
    Scaled,
    Transpose,
    map_matrix,
    matrix_children,
)

__all__ = ["NoMatrixFormError", "note", "oriented", "scaled_ones", "spread", "tidy"]


class NoMatrixFormError(Exception):
    """The expression can't be written with vectors and matrices; the message says why."""


def tidy(m: Matrix) -> Matrix:
    """Bring numbers to the front: ``1 (-p)ᵀ`` is ``-1 pᵀ``."""
    m = map_matrix(m, tidy, m.axes)
    match m:
        case Product(factors, axes) | Hadamard(factors, axes):
            number = Fraction(1)
            for factor in factors:
                number *= factor.number if _has_number(factor) else 1
            return _scaled(number, map_matrix(m, lambda f: f.of if _has_number(f) else f, axes))
        case Transpose(Scaled(number, of), axes):
            return _scaled(number, Transpose(of, axes))
        case Diag(Scaled(number, of), axes):
            return _scaled(number, Diag(of, axes))
        case Quotient(above, below, axes) if _has_number(above):
            return _scaled(above.number, Quotient(above.of, below, axes))
        case Scaled(number, Scaled(inner, of)):
            return _scaled(number * inner, of)
        case Scaled(number, of):
            return _scaled(number, of)
        case _:
            return m


def _has_number(m: Matrix) -> TypeGuard[Scaled]:
    """Tell whether a number can be taken off an array; a scalar that is nothing but a number keeps it."""
    return isinstance(m, Scaled) and m.of != Leaf("1", ())


def _scaled(number: Fraction, m: Matrix) -> Matrix:
    return m if number == 1 else Scaled(number, m, m.axes)


def _along(v: Matrix, axes: tuple[str, ...]) -> Matrix:
    """Repeat a vector along the other axis of a matrix: v 1^T or 1 v^T."""
    row, column = axes
    if v.axes == (row,):
        return Product((v, Transpose(Ones((column,)), (column,))), axes)
    return Product((Ones((row,)), Transpose(v, v.axes)), axes)


def oriented(m: Matrix, axes: tuple[str, ...]) -> Matrix:
    """Return a matrix with its axes in this order; a transpose goes inside only where it cancels another."""
    if m.axes == axes or len(m.axes) < 2:
        return m
    if isinstance(m, Transpose):
        return m.of
    if isinstance(m, Eye):
        return Eye(axes)
    if isinstance(m, Diag):
        return Diag(m.of, axes)
    inside = _turned_inside(m, axes)
    outside = Transpose(m, axes)
    return inside if inside is not None and _transposes(inside) < _transposes(outside) else outside


def _turned_inside(m: Matrix, axes: tuple[str, ...]) -> Matrix | None:
    match m:
        case Product(factors, _) if all(f.axes for f in factors):
            return Product(tuple(_turned_factor(f) for f in reversed(factors)), axes)
        case Product((scalar, of), _) if not scalar.axes:
            return Product((scalar, oriented(of, axes)), axes)
        case Quotient(_, below, _) if len(below.axes) == 1:
            return None
        case Hadamard() | Plus() | Scaled() | Quotient() | Apply() | Power():
            return map_matrix(m, lambda part: oriented(part, axes), axes)
        case _:
            return None


def _turned_factor(m: Matrix) -> Matrix:
    """Turn a factor of a product; a column becomes a row and back."""
    if len(m.axes) == 1:
        return m.of if isinstance(m, Transpose) else Transpose(m, m.axes)
    return oriented(m, m.axes[::-1])


def _transposes(m: Matrix) -> int:
    return isinstance(m, Transpose) + sum(_transposes(part) for part in matrix_children(m))


def spread(m: Matrix, axes: tuple[str, ...], rules: list[str]) -> Matrix:
    """Return an array with these axes: transposed where needed, repeated along an axis that it lacks."""
    if set(m.axes) == set(axes):
        return oriented(m, axes)
    if not m.axes and len(axes) == 1:
        return Ones(axes) if m == Leaf("1", ()) else scaled_ones(m, Ones(axes))
    if not m.axes and len(axes) == 2:
        ones = Product((Ones((axes[0],)), Transpose(Ones((axes[1],)), (axes[1],))), axes)
        return ones if m == Leaf("1", ()) else scaled_ones(m, ones)
    if len(m.axes) == 1 and len(axes) == 2 and m.axes[0] in axes:
        note(rules, "a term lacks an index of the result: it is repeated along that axis, by ones")
        return _along(m, axes)
    raise NoMatrixFormError(f"the result has the indices {', '.join(axes)}, but one term has {', '.join(m.axes)}")


def scaled_ones(m: Matrix, ones: Matrix) -> Matrix:
    """Return a scalar times ones."""
    if m == Leaf("1", ()):
        return ones
    if isinstance(m, Scaled):
        return Scaled(m.number, scaled_ones(m.of, ones) if m.of != Leaf("1", ()) else ones, ones.axes)
    return Product((m, ones), ones.axes)


def note(rules: list[str], rule: str) -> None:
    """Append a rule that led to a matrix form, unless it is in the list already."""
    if rule not in rules:
        rules.append(rule)
