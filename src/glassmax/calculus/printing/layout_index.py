"""The layout of a formula on the page as boxes, which LaTeX and MathML share; layout of index notation."""

from dataclasses import dataclass
from fractions import Fraction

from ..expression import Add, Call, Delta, Expr, Index, Label, Mul, Num, Pow, Sum, Tensor
from .parts import HALF, Parts, is_plain, leads_with_fraction, parts_of, signed

__all__ = ["AppliedFunction", "BigSum", "Box", "Fence", "Frac", "Primed", "Root", "Row", "Script", "Sign", "call_box"]
__all__ += ["expression_box", "name_box", "number_box", "product_row"]


@dataclass(frozen=True)
class Sign:
    """A piece of text; `kind` is name, number, function, operator, or times (a product without a sign)."""

    text: str
    kind: str


@dataclass(frozen=True)
class Row:
    """Boxes side by side."""

    items: "tuple[Box, ...]"


@dataclass(frozen=True)
class Script:
    """A box with another below or above at its right."""

    base: "Box"
    below: "Box | None" = None
    above: "Box | None" = None


@dataclass(frozen=True)
class Primed:
    """A name with primes."""

    base: "Box"
    count: int


@dataclass(frozen=True)
class Frac:
    """A fraction."""

    above: "Box"
    below: "Box"


@dataclass(frozen=True)
class Root:
    """A square root."""

    of: "Box"


@dataclass(frozen=True)
class Fence:
    """A box in brackets, or between bars."""

    of: "Box"
    bars: bool = False


@dataclass(frozen=True)
class AppliedFunction:
    """A function and its argument."""

    function: "Box"
    argument: "Box"


@dataclass(frozen=True)
class BigSum:
    """The sign of a sum with its indices."""

    indices: "Box"


Box = Sign | Row | Script | Primed | Frac | Root | Fence | AppliedFunction | BigSum

TIMES = Sign("", "times")
BARE = {"log", "sin", "cos", "tanh"}
"""Functions written without brackets before a single name."""


def row(items: list[Box]) -> Box:
    """Put boxes side by side; a single one stays itself."""
    return items[0] if len(items) == 1 else Row(tuple(items))


def product_row(items: list[Box]) -> Box:
    """Put factors side by side."""
    spaced: list[Box] = []
    for item in items:
        spaced += [TIMES, item] if spaced else [item]
    return row(spaced)


def name_box(name: str) -> Box:
    """Lay out a name: digits at its end become a subscript, primes are set as primes."""
    if name.startswith("e_"):  # the one-hot vector of a fixed index: e_y
        stem, _, index = name.partition("_")
        return Script(name_box(stem), below=name_box(index))
    stem = name.rstrip("'")
    letters = stem.rstrip("0123456789")
    box: Box = Sign(letters, "name") if letters else Sign(stem, "name")
    if letters and letters != stem:
        box = Script(box, below=Sign(stem[len(letters) :], "number"))
    return Primed(box, len(name) - len(stem)) if stem != name else box


def number_box(value: Fraction) -> Box:
    """Lay out a number that is not negative."""
    if value.denominator == 1:
        return Sign(str(value), "number")
    return Frac(Sign(str(value.numerator), "number"), Sign(str(value.denominator), "number"))


def call_box(function: str, order: int, argument: Box, *, bare: bool = False) -> Box:
    """Lay out a function, its primes and its argument; absolute values stand between bars."""
    if function == "abs" and not order:
        return Fence(argument, bars=True)
    head: Box = Sign(function, "function")
    if order:
        head = Primed(head, order)
    return AppliedFunction(head, argument if bare else Fence(argument))


def expression_box(e: Expr) -> Box:
    """Lay out an expression in index notation."""
    items: list[Box] = []
    for term in _terms(e):
        negative, rest = signed(term)
        if items or negative:
            items.append(Sign("-" if negative else "+", "operator"))
        items.append(_term(rest))
    return row(items)


def _terms(e: Expr) -> list[Expr]:
    return [inner for term in e.terms for inner in _terms(term)] if isinstance(e, Add) else [e]


def _term(e: Expr, *, last: bool = True) -> Box:
    match e:
        case Mul() | Pow(_, Num()):
            return _product(parts_of(e))
        case Num(value):
            return number_box(value)
        case Sum(indices, body):
            closed = isinstance(body, Add) or signed(body)[0]
            sign = BigSum(_indices(indices, commas=True))
            return Row((sign, Fence(expression_box(body)) if closed else _term(body)))
        case _:
            return _factor(e, last=last)


def _product(parts: Parts) -> Box:
    number = parts.number
    below = [number_box(Fraction(number.denominator))] if number.denominator != 1 else []
    if parts.below and not leads_with_fraction(parts):
        above = [number_box(Fraction(number.numerator))] if number.numerator != 1 or not parts.above else []
        return Frac(_inside(above, parts.above), _inside(below, parts.below))
    front: list[Box] = []
    if parts.below:
        front = [Frac(number_box(Fraction(number.numerator)), _inside(below, parts.below))]
    elif number != 1 or not parts.above:
        front = [number_box(number)]
    return product_row(front + _factors(parts.above)) if front or len(parts.above) > 1 else _factor(parts.above[0])


def _inside(numbers: list[Box], factors: list[Expr]) -> Box:
    """Lay out one side of a fraction, whose line replaces brackets."""
    if not numbers and len(factors) == 1:
        return expression_box(factors[0])
    return product_row(numbers + _factors(factors))


def _factors(factors: list[Expr]) -> list[Box]:
    final = len(factors) - 1
    return [
        _term(factor) if isinstance(factor, Sum) and n == final else _factor(factor, last=n == final)
        for n, factor in enumerate(factors)
    ]


def _factor(e: Expr, *, last: bool = True) -> Box:
    match e:
        case Num(value) if value >= 0 and value.denominator == 1:
            return number_box(value)
        case Tensor(name, indices):
            return Script(name_box(name), below=_indices(indices)) if indices else name_box(name)
        case Delta(i, j):
            return Script(Sign("δ", "name"), below=_indices((i, j)))
        case Call(function, argument, order):
            bare = function in BARE and not order and last and isinstance(argument, Tensor)
            return call_box(function, order, expression_box(argument), bare=bare)
        case Pow(base, exponent) if exponent == HALF:
            return Root(expression_box(base))
        case Pow(base, exponent) if not (isinstance(exponent, Num) and exponent.value < 0):
            under = base if isinstance(base, Tensor | Delta | Call) else None
            box = _factor(under, last=False) if under else _base(base)
            return Script(box, above=expression_box(exponent))
        case _:
            return Fence(expression_box(e))


def _base(e: Expr) -> Box:
    plain = isinstance(e, Num) and e.value >= 0 and e.value.denominator == 1
    return _factor(e) if plain else Fence(expression_box(e))


def _indices(indices: tuple[Index, ...], *, commas: bool = False) -> Box:
    items: list[Box] = []
    for index in indices:
        if items and (commas or not is_plain(indices)):
            items.append(Sign(",", "operator"))
        if isinstance(index, Label):
            name = name_box(index.name)
            items.append(Script(name, below=_indices(index.indices)) if index.indices else name)
        else:
            items.append(name_box(index) if len(index) > 1 else Sign(index, "name"))
    return row(items)
