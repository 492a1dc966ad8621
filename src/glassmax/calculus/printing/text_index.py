"""Index notation as plain text, the way people type it.

What `text` prints can be parsed again and means the same: juxtaposition binds like ``*`` and ``/``, from left to right,
and a sum extends to the next + or - outside brackets. `text` writes only the brackets that this rule needs; `bracketed`
writes all of them.
"""

from collections.abc import Sequence

from ..expression import Add, Assumption, Call, Definition, Delta, Expr, Index, Label, Mul, Num, Pow, Sum, Tensor
from .parts import HALF, call_name, is_atom, is_plain, leads_with_fraction, parts_of, signed, with_signs

__all__ = ["bracketed", "equality", "equation_left", "sum_sign", "text"]


def text(e: Expr, *, unicode: bool = False) -> str:
    """Print an expression in index notation, with Unicode signs on request; read again, the text means the same.

    Examples
    --------
    >>> from glassmax.calculus.expression import Delta, Mul, Tensor
    >>> text(Mul((Tensor("p", ("i",)), Delta("i", "j"))))
    'p_i delta_ij'
    """
    return _Text("δ" if unicode else "delta", "Σ" if unicode else "sum").whole(e)


def equality(pair: Assumption) -> str:
    """Print an assumption: ``sum_k y_k = 1``."""
    return " = ".join(map(text, pair))


def equation_left(definition: Definition) -> str:
    """Print the left side of an equation: ``P_ij``."""
    return text(Tensor(definition.name, definition.indices))


def bracketed(e: Expr) -> str:
    """Print an expression with every bracket and every ``*``, so that no rule of precedence needs to be known."""
    printed = _bracketed(e)
    return printed[1:-1] if printed.startswith("(") else printed


def _subscript(name: str, indices: tuple[Index, ...]) -> str:
    if not indices:
        return name
    if is_plain(indices):
        return f"{name}_{''.join(map(_index, indices))}"
    return f"{name}[{', '.join(_index(index) for index in indices)}]"


def _index(index: Index) -> str:
    return _subscript(index.name, index.indices) if isinstance(index, Label) else index


def sum_sign(indices: tuple[str, ...], sign: str = "sum") -> str:
    """Print the sign of a sum over one index or more: ``sum_k``, ``sum_{i,j}``."""
    single = len(indices) == 1 and len(indices[0]) == 1
    return f"{sign}_{indices[0]}" if single else f"{sign}_{{{','.join(indices)}}}"


class _Text:
    def __init__(self, delta: str, sigma: str) -> None:
        self.delta, self.sigma = delta, sigma

    def whole(self, e: Expr) -> str:
        """Print an expression that is the whole text or in its own brackets."""
        if not isinstance(e, Add):
            negative, rest = signed(e)
            return f"-{self.term(rest)}" if negative else self.term(rest)
        terms = [self.whole(term) for term in e.terms]
        return with_signs((term.startswith("-"), term.removeprefix("-")) for term in terms)

    def term(self, e: Expr) -> str:
        """Return one term of a sum, without its sign."""
        match e:
            case Mul() | Pow(_, Num()):
                return self.product(e)
            case Num(value):
                return str(value)
            case Sum(indices, body):
                closed = isinstance(body, Add) or signed(body)[0]
                inner = self.in_brackets(body) if closed else self.term(body)
                return f"{sum_sign(indices, self.sigma)} {inner}"
            case _:
                return self.factor(e)

    def product(self, e: Expr) -> str:
        """Return a product, with what is divided by below the line."""
        parts = parts_of(e)
        number = parts.number
        if not parts.below:
            return self.joined([] if number == 1 and parts.above else [str(number)], parts.above)
        below = ([] if number.denominator == 1 else [str(number.denominator)], parts.below)
        if leads_with_fraction(parts):
            return f"{number.numerator}/{self.divisor(*below, last=False)} {self.term(parts.above[0])}"
        above = [str(number.numerator)] if number.numerator != 1 or not parts.above else []
        return f"{self.joined(above, parts.above, last=False)}/{self.divisor(*below, last=True)}"

    def divisor(self, numbers: list[str], factors: Sequence[Expr], *, last: bool) -> str:
        """Return what stands below the line."""
        if len(factors) == 1 and not numbers:
            return self.joined([], factors, last=last)
        return f"({self.joined(numbers, factors)})"

    def joined(self, numbers: list[str], factors: Sequence[Expr], *, last: bool = True) -> str:
        """Print factors side by side; with `last`, nothing follows that a sum could reach."""
        printed = " ".join(numbers)
        for n, factor in enumerate(factors):
            bare = isinstance(factor, Sum) and last and n == len(factors) - 1
            part = self.term(factor) if bare else self.factor(factor)
            if printed:
                # A name is a product with the bracket after it if a space stands between; "2 3^n" is hard to read.
                printed += "*" if part[0].isdigit() else " "
            printed += part
        return printed

    def factor(self, e: Expr) -> str:
        """Return a factor of a product, in brackets where it is a sum."""
        match e:
            case Num() if is_atom(e):
                return str(e.value)
            case Tensor(name, indices):
                return _subscript(name, indices)
            case Delta(i, j):
                return _subscript(self.delta, (i, j))
            case Call(_, argument, _):
                return f"{call_name(e)}({self.whole(argument)})"
            case Pow(base, exponent) if exponent == HALF:
                return f"sqrt({self.whole(base)})"
            case Pow(base, exponent) if not (isinstance(exponent, Num) and exponent.value < 0):
                under = self.factor(base) if is_atom(base) else self.in_brackets(base)
                short = is_atom(exponent) and not isinstance(exponent, Call | Pow | Delta)
                if isinstance(exponent, Tensor) and (exponent.indices or exponent.name in ("T", "l", "L")):
                    short = False  # x^T is a transpose, x^l may be a layer
                return f"{under}^{self.factor(exponent) if short else self.in_brackets(exponent)}"
            case _:
                return self.in_brackets(e)

    def in_brackets(self, e: Expr) -> str:
        """Return an expression in brackets."""
        return f"({self.whole(e)})"


def _bracketed(e: Expr) -> str:
    match e:
        case Num(value) if value < 0 or value.denominator != 1:
            return f"({value})"
        case Add(terms):
            split = map(_leading_minus, terms)
            return f"({with_signs((negative, _bracketed(rest)) for negative, rest in split)})"
        case Mul():
            negative, rest = _leading_minus(e)
            return f"(-{_bracketed(rest)})" if negative else _bracketed_product(e.factors)
        case Pow(base, exponent) if exponent == HALF:
            return f"sqrt({bracketed(base)})"
        case Pow(base, Num(exponent)) if exponent < 0:
            return _bracketed_product((e,))
        case Pow(base, exponent):
            return f"({_bracketed(base)}^{_bracketed(exponent)})"
        case Sum(indices, body):
            return f"({sum_sign(indices)} {_bracketed(body)})"
        case Call(_, argument, _):
            return f"{call_name(e)}({bracketed(argument)})"
        case _:
            return text(e)


def _leading_minus(e: Expr) -> tuple[bool, Expr]:
    """Split a minus off a term as it was written, in front."""
    match e:
        case Num(value) if value < 0:
            return True, Num(-value)
        case Mul((Num(value), *rest)) if value == -1 and rest:
            return True, rest[0] if len(rest) == 1 else Mul(tuple(rest))
        case _:
            return False, e


def _bracketed_product(factors: tuple[Expr, ...]) -> str:
    """Print factors in their order, each quotient in brackets before the next factor."""
    run: list[str] = []
    for factor in factors:
        if isinstance(factor, Pow) and isinstance(factor.exponent, Num) and factor.exponent.value < 0:
            below = factor.base if factor.exponent.value == -1 else Pow(factor.base, Num(-factor.exponent.value))
            above = f"({' * '.join(run)})" if len(run) > 1 else run[0] if run else "1"
            run = [f"({above} / {_bracketed(below)})"]
        else:
            run.append(_bracketed(factor))
    return run[0] if len(run) == 1 else f"({' * '.join(run)})"
