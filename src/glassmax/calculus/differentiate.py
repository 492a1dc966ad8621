"""Differentiate an expression with respect to one cell of an array, rule by rule, without simplifying.

The derivative of z_i with respect to z_j is a Kronecker delta, which is contracted later.
"""

from collections.abc import Callable
from fractions import Fraction

from .expression import (
    MINUS_ONE,
    ONE,
    PI,
    ZERO,
    Add,
    Call,
    Expr,
    Mul,
    Num,
    Pow,
    Sum,
    Tensor,
    names,
    product_of,
    sum_of,
)
from .indices import all_indices, delta_of, free_indices, fresh, range_of, rename
from .limits import spend

__all__ = ["derivative", "function_derivative"]

TWO = Num(Fraction(2))
MINUS_HALF = Mul((MINUS_ONE, Num(Fraction(1, 2))))


def derivative(e: Expr, name: str, at: tuple[str, ...], rules: list[str]) -> Expr:
    """Return de / d name_at, not simplified; `at` holds no free index of `e`, and `rules` gets the rules used."""
    if name not in names(e):
        return ZERO
    match e:
        case Tensor(_, indices):
            _note(rules, "derivative by an entry of the same array: Kronecker delta" if at else "")
            return _product([delta_of(i, j) for i, j in zip(indices, at, strict=True)])
        case Add(terms):
            return _sum([derivative(term, name, at, rules) for term in terms])
        case Mul(factors):
            return _product_rule(factors, name, at, rules)
        case Pow(base, exponent):
            return _power_rule(base, exponent, name, at, rules)
        case Sum(indices, body):
            _note(rules, "the derivative of a sum is the sum of the derivatives")
            taken = all_indices(body) | set(at)
            aside = {}
            for index in indices:
                if index in at:
                    aside[index] = fresh(taken, index)
                    taken.add(aside[index])
            bound = tuple(aside.get(index, index) for index in indices)
            inner = rename(body, dict(aside))
            slope = derivative(inner, name, at, rules)
            lost = [range_of(index, inner) for index in bound if index not in free_indices(slope)]
            return Sum(bound, _product([slope, *(one for one in lost if one is not None)]))
        case Call(function, argument, order):
            _note(rules, f"chain rule: {_named(function, order)}")
            return _product([function_derivative(function, argument, order), derivative(argument, name, at, rules)])
        case _:
            return ZERO


def _product_rule(factors: tuple[Expr, ...], name: str, at: tuple[str, ...], rules: list[str]) -> Expr:
    dependent = [factor for factor in factors if name in names(factor)]
    quotient = any(isinstance(f, Pow) and isinstance(f.exponent, Num) and f.exponent.value < 0 for f in dependent)
    if len(dependent) > 1:
        _note(rules, "quotient rule" if quotient else "product rule")
    terms = []
    for position, factor in enumerate(factors):
        if name in names(factor):
            others = [*factors[:position], *factors[position + 1 :]]
            spend(len(others))
            terms.append(_product([*others, derivative(factor, name, at, rules)]))
    return _sum(terms)


def _power_rule(base: Expr, exponent: Expr, name: str, at: tuple[str, ...], rules: list[str]) -> Expr:
    """d(a^b) = b a^(b-1) da + a^b log(a) db."""
    terms = []
    if name in names(base):
        _note(rules, "power rule")
        less = Num(exponent.value - 1) if isinstance(exponent, Num) else Add((exponent, MINUS_ONE))
        lowered = base if less == ONE else Pow(base, less)
        terms.append(_product([exponent, lowered, derivative(base, name, at, rules)]))
    if name in names(exponent):
        _note(rules, "derivative of an exponential")
        terms.append(_product([Pow(base, exponent), Call("log", base), derivative(exponent, name, at, rules)]))
    return _sum(terms)


def function_derivative(function: str, x: Expr, order: int = 0) -> Expr:
    """Return the derivative of a function of one number at `x`, or of its derivative of some order."""
    if function in FLAT and not order:
        return ZERO
    return RULES[function][1](x) if function in RULES and not order else Call(function, x, order + 1)


FLAT = ("step", "sign")
"""Functions whose derivative is 0 wherever they have one."""
RULES: dict[str, tuple[str, Callable[[Expr], Expr]]] = {
    "exp": ("exp' = exp", lambda x: Call("exp", x)),
    "log": ("log'(x) = 1/x", lambda x: Pow(x, MINUS_ONE)),
    "sin": ("sin' = cos", lambda x: Call("cos", x)),
    "cos": ("cos' = -sin", lambda x: Mul((MINUS_ONE, Call("sin", x)))),
    "tanh": ("tanh' = 1 - tanh^2", lambda x: _one_minus(Pow(Call("tanh", x), TWO))),
    "sigmoid": (
        "sigmoid' = sigmoid (1 - sigmoid)",
        lambda x: Mul((Call("sigmoid", x), _one_minus(Call("sigmoid", x)))),
    ),
    "softplus": ("softplus' = sigmoid", lambda x: Call("sigmoid", x)),
    "relu": ("relu' = step (0 at 0)", lambda x: Call("step", x)),
    "abs": ("abs' = sign (0 at 0)", lambda x: Call("sign", x)),
    "erf": (
        "erf'(x) = 2/sqrt(pi) exp(-x^2)",
        lambda x: Mul((TWO, Pow(PI, MINUS_HALF), Call("exp", Mul((MINUS_ONE, Pow(x, TWO)))))),
    ),
}
"""The derivative of each known function: the rule as it is printed, and the expression at x."""


def _one_minus(e: Expr) -> Expr:
    return Add((ONE, Mul((MINUS_ONE, e))))


def _named(function: str, order: int) -> str:
    return RULES[function][0] if function in RULES else function + "'" * (order + 1)


def _note(rules: list[str], rule: str) -> None:
    if rule and rule not in rules:
        rules.append(rule)


def _product(factors: list[Expr]) -> Expr:
    if ZERO in factors:
        return ZERO
    flat = [f for factor in factors for f in (factor.factors if isinstance(factor, Mul) else (factor,)) if f != ONE]
    return product_of(flat)


def _sum(terms: list[Expr]) -> Expr:
    return sum_of([term for term in terms if term != ZERO])
