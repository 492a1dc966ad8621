"""A product as people write it: a sign, a number, the factors above the fraction line and those below it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from ..expression import MINUS_ONE, ONE, Add, Call, Expr, Index, Label, Mul, Num, Pow, Sum, Tensor
from ..matrix import Leaf, Matrix, Ones, Product, Quotient, Scaled

__all__ = ["HALF", "MatrixParts", "Parts", "call_name", "is_atom", "is_one", "is_plain", "is_transparent"]
__all__ += ["leads_with_fraction", "matrix_parts", "parts_of", "prime", "signed", "with_signs"]

HALF = Num(Fraction(1, 2))


@dataclass
class Parts:
    """``(-) number * above / below``; `number` is not negative, sums stand last in `above`."""

    negative: bool = False
    number: Fraction = Fraction(1)
    above: list[Expr] = field(default_factory=list)
    below: list[Expr] = field(default_factory=list)


def parts_of(e: Expr) -> Parts:
    """Read `e` as a product, numbers gathered in front, negative powers below the line; anything else is one factor."""
    parts = Parts()
    _collect(e, parts)
    # A sum reaches as far as it can, so it goes where it can reach nothing.
    parts.above.sort(key=lambda factor: isinstance(factor, Sum))
    if parts.number < 0:
        parts.negative, parts.number = True, -parts.number
    return parts


def _collect(e: Expr, parts: Parts) -> None:
    match e:
        case Num(value):
            parts.number *= value
        case Mul(factors):
            for factor in factors:
                _collect(factor, parts)
        case Pow(Num(value), Num(exponent)) if exponent == -1 and value:
            parts.number /= value
        case Pow(base, Num(exponent)) if exponent < 0:
            if exponent != -1:
                parts.below.append(Pow(base, Num(-exponent)))
                return
            inner = parts_of(base)
            plain = isinstance(base, Mul) and not inner.negative and inner.number == 1 and not inner.below
            parts.below += inner.above if plain else [base]
        case _:
            parts.above.append(e)


def signed(e: Expr) -> tuple[bool, Expr]:
    """Return whether `e` prints with a minus in front, and what follows it."""
    match e:
        case Num(value) if value < 0:
            return True, Num(-value)
        case Mul() | Pow(_, Num()):
            parts = parts_of(e)
            if not parts.negative:
                return False, e
            number = [] if parts.number == 1 else [Num(parts.number)]
            factors = number + parts.above + [Pow(b, MINUS_ONE) for b in parts.below]
            if not factors:
                return True, ONE
            return True, factors[0] if len(factors) == 1 else Mul(tuple(factors))
        case _:
            return False, e


def leads_with_fraction(parts: Parts) -> bool:
    """Tell whether the product prints as a fraction of scalars before a sum: ``1/N sum_i ...``."""
    return len(parts.above) == 1 and isinstance(parts.above[0], Sum) and all(_is_scalar(b) for b in parts.below)


def _is_scalar(e: Expr) -> bool:
    base = e.base if isinstance(e, Pow) and isinstance(e.exponent, Num) else e
    return isinstance(base, Tensor) and not base.indices


def is_plain(indices: tuple[Index, ...]) -> bool:
    """Tell whether indices can be written side by side: each a single letter, running or fixed."""
    letters = (index.name if isinstance(index, Label) and not index.indices else index for index in indices)
    return all(not isinstance(letter, Label) and len(letter) == 1 for letter in letters)


@dataclass
class MatrixParts:
    """``(-) number * core / below``; all of `below` are scalars, `core` is None for the number alone."""

    negative: bool
    number: Fraction
    core: Matrix | None
    below: list[Matrix]


def matrix_parts(m: Matrix) -> MatrixParts:
    """Read numbers and scalar divisors off the outside of `m`."""
    number = Fraction(1)
    below: list[Matrix] = []
    while True:
        match m:
            case Scaled(n, of, _):
                number, m = number * n, of
            case Quotient(above, divisor, _) if not divisor.axes:
                factors = divisor.factors if isinstance(divisor, Product) else (divisor,)
                below[:0] = factors if all(not f.axes for f in factors) else (divisor,)
                m = above
            case _:
                break
    core = None if is_one(m) else m
    return MatrixParts(number < 0, abs(number), core, below)


def is_atom(e: Expr) -> bool:
    """Tell whether `e` needs no brackets under a power."""
    match e:
        case Num(value):
            return value >= 0 and value.denominator == 1
        case Pow(_, exponent):
            return exponent == HALF
        case Add() | Mul() | Sum():
            return False
        case _:
            return True


def is_one(m: Matrix) -> bool:
    """Tell whether `m` is the number 1, which is written as a scalar called 1 or as ones without an axis."""
    return not m.axes and (isinstance(m, Ones) or (isinstance(m, Leaf) and m.name == "1"))


def is_transparent(m: Matrix, before: tuple[Matrix, ...]) -> bool:
    """Tell whether a product needs no brackets after the factors `before`: it is no scalar and has none inside."""
    if not isinstance(m, Product) or not m.axes:
        return False
    return all(f.axes for f in m.factors) or not any(f.axes for f in before)


def prime(function: str, order: int) -> str:
    """Return the name of a derivative: f, f', f''."""
    return function + "'" * order


def call_name(e: Call) -> str:
    """Return the name that a call prints."""
    return prime(e.function, e.order)


def with_signs(terms: Iterable[tuple[bool, str]]) -> str:
    """Return printed terms added up, each given with whether it is subtracted: ``-a + b - c``."""
    printed = ""
    for negative, term in terms:
        printed += f" {'-' if negative else '+'} {term}" if printed else "-" * negative + term
    return printed
