"""The layout of matrix notation on the page, in the boxes of `layout_index`."""

from fractions import Fraction

from ..matrix import Apply, Diag, Eye, Hadamard, Leaf, Matrix, Ones, Plus, Power, Product, Quotient, Scaled, Transpose
from .layout_index import (
    AppliedFunction,
    Box,
    Fence,
    Frac,
    Root,
    Script,
    Sign,
    call_box,
    name_box,
    number_box,
    product_row,
    row,
)
from .parts import MatrixParts, is_one, is_transparent, matrix_parts
from .text_matrix import broadcast

__all__ = ["matrix_box"]

ONES = Sign("1", "ones")
TRANSPOSED = Sign("⊤", "operator")


def matrix_box(m: Matrix) -> Box:
    """Lay out an expression in matrix notation."""
    match m:
        case Leaf() if is_one(m):
            return number_box(Fraction(1))
        case Leaf(name, _):
            return name_box(name)
        case Ones(axes):
            return product_row([ONES, Script(ONES, above=TRANSPOSED)]) if len(axes) == 2 else ONES
        case Eye():
            return Sign("I", "name")
        case Diag(of, _):
            return AppliedFunction(Sign("diag", "function"), Fence(matrix_box(of)))
        case Apply(function, of, _, order):
            return call_box(function, order, matrix_box(of))
        case Transpose(of, _):
            return Script(_atom(of), above=TRANSPOSED)
        case Power():
            return _power(m)
        case Product(factors, _):
            return product_row(
                [matrix_box(f) if is_transparent(f, factors[:n]) else _atom(f) for n, f in enumerate(factors)]
            )
        case Hadamard(factors, axes):
            return _entrywise(factors, axes)
        case Plus(terms, axes):
            return _sum(terms, axes)
        case Quotient(above, below, axes) if below.axes:
            return row([_operand(above, axes), Sign("⊘", "operator"), _operand(below, axes)])
        case Scaled() | Quotient():
            parts = matrix_parts(m)
            return row([Sign("-", "operator"), _parts(parts)]) if parts.negative else _parts(parts)


def _atom(m: Matrix) -> Box:
    """Lay out a factor of a product, in brackets unless it is one sign or one function."""
    match m:
        case Leaf() | Eye() | Diag() | Apply() | Transpose():
            return matrix_box(m)
        case Ones(axes) if len(axes) < 2:
            return ONES
        case Power(_, exponent, _) if exponent > 0:
            return matrix_box(m)
        case Scaled(number, of, _) if is_one(of) and number >= 0:
            return matrix_box(m)
        case _:
            return Fence(matrix_box(m))


def _operand(m: Matrix, axes: tuple[str, ...]) -> Box:
    return ONES if isinstance(m, Ones) or is_one(m) else _atom(broadcast(m, axes))


def _power(m: Power) -> Box:
    of, exponent = m.of, m.exponent
    if exponent == Fraction(1, 2):
        return Root(matrix_box(of))
    if exponent < 0:
        below = of if exponent == -1 else Power(of, -exponent, m.axes)
        if m.axes:
            return row([ONES, Sign("⊘", "operator"), _atom(below)])
        return Frac(number_box(Fraction(1)), matrix_box(below))
    base = Fence(_atom(of)) if isinstance(of, Transpose | Power) else _atom(of)
    number = number_box(exponent)
    return Script(base, above=row([Sign("∘", "operator"), number]) if m.axes else number)


def _entrywise(factors: tuple[Matrix, ...], axes: tuple[str, ...]) -> Box:
    scalars = [_atom(f) for f in factors if not f.axes]
    arrays: list[Box] = []
    for factor in factors:
        if factor.axes:
            arrays += [Sign("⊙", "operator"), _operand(factor, axes)] if arrays else [_operand(factor, axes)]
    if not arrays:
        return product_row(scalars)
    joined = row(arrays)
    if not scalars:
        return joined
    return product_row([*scalars, joined if len(arrays) == 1 else Fence(joined)])


def _sum(terms: tuple[Matrix, ...], axes: tuple[str, ...]) -> Box:
    items: list[Box] = []
    for term in terms:
        parts = matrix_parts(broadcast(term, axes))
        if isinstance(parts.core, Ones):
            parts.core = Ones(parts.core.axes[:1])
        if items or parts.negative:
            items.append(Sign("-" if parts.negative else "+", "operator"))
        items.append(_parts(parts))
    return row(items)


def _parts(parts: MatrixParts) -> Box:
    """Lay out a number, scalar divisors and the array; the sign is the caller's."""
    number, core = parts.number, parts.core
    above = number_box(Fraction(number.numerator))
    below: list[Box] = [] if number.denominator == 1 else [number_box(Fraction(number.denominator))]
    if not parts.below and not below and core is not None:
        if number != 1:
            return product_row([above, _spared(core)])
        alone = isinstance(core, Plus) or (parts.negative and isinstance(core, Hadamard))
        return Fence(matrix_box(core)) if alone else matrix_box(core)
    divisors = (
        [matrix_box(b) for b in parts.below] if len(parts.below) + len(below) == 1 else [_atom(b) for b in parts.below]
    )
    if core is None:
        return Frac(above, product_row(below + divisors)) if below or divisors else above
    if not core.axes and not isinstance(core, Plus):
        inside = matrix_box(core) if number.numerator == 1 else product_row([above, _spared(core)])
        return Frac(inside, product_row(below + divisors))
    return product_row([Frac(above, product_row(below + divisors)), _spared(core)])


def _spared(m: Matrix) -> Box:
    """Lay out an array after a number: a product needs no brackets there."""
    return matrix_box(m) if isinstance(m, Product) else _atom(m)
