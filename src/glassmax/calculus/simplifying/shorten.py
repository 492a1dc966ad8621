"""Names that make a result shorter: a name replaces the right side of its equation.

A definition is looked for as a product (``x_i / r`` is ``u_i``), as a sum (``1/d sum_k x_k`` is ``m``), and as a
bracket with a factor (because of ``y_i = (x_i - m) / s``, the bracket ``x_i - m`` is ``s y_i``). The caller decides
whether a form is shorter; the proof checks that it is equal.
"""

from collections.abc import Iterator
from fractions import Fraction

from ..expression import (
    MINUS_ONE,
    ONE,
    Add,
    Definition,
    Expr,
    Index,
    Mul,
    Num,
    Pow,
    Sum,
    Tensor,
    map_children,
    product_of,
    walk,
)
from ..indices import rename
from .expand import combine, expand, group, simplified
from .recognise import assume, fold, match
from .term import components, from_term, from_terms

__all__ = ["namings", "weight"]


def weight(e: Expr) -> int:
    """Return how much there is to read: letters, numbers, powers, functions and brackets; a minus sign is free."""
    parts = list(walk(e))
    lonely = sum(term == MINUS_ONE for part in parts if isinstance(part, Add) for term in part.terms)
    return lonely + sum(not isinstance(part, Mul | Sum) and part != MINUS_ONE for part in parts)


def namings(e: Expr, definition: Definition) -> Iterator[Expr]:
    """Yield expressions, not simplified, that are equal to `e` where `definition` holds, and have its name in them."""
    terms = combine(expand(e))
    folded = fold(terms, definition, arrays=True)
    if folded != terms:
        yield from_terms(combine(folded))
    rule = _sum_rule(definition)
    if rule is not None:
        named = _sums_named(e, *rule)
        if named != e:
            yield named
        used = assume(terms, rule, inside=False)
        if used != terms:
            yield from_terms(used)
    bracket = _bracket_rule(definition)
    if bracket is not None:
        named = _brackets_named(e, *bracket, frozenset(definition.indices))
        if named != e:
            yield named


def _sum_rule(definition: Definition) -> tuple[Expr, Expr] | None:
    """Read ``m = 1/d sum_k x_k`` as ``sum_k x_k = d m``."""
    terms = combine(expand(definition.value))
    if len(terms) != 1:
        return None
    outside, sums = components(terms[0])
    if len(sums) != 1 or not sums[0][1]:
        return None
    bound, inside = sums[0]
    number = Num(1 / terms[0].coefficient)
    rest = [Pow(atom, simplified(Mul((MINUS_ONE, exponent)))) for atom, exponent in outside]
    left = Sum(bound, _product([Pow(a, x) if x != ONE else a for a, x in inside]))
    return left, _product([number, Tensor(definition.name, definition.indices), *rest])


def _product(parts: list[Expr]) -> Expr:
    return product_of([part for part in parts if part != ONE])


def _sums_named(e: Expr, left: Expr, right: Expr) -> Expr:
    """Use the equation inside brackets too, which stay closed."""
    e = map_children(e, lambda child: _sums_named(child, left, right))
    if isinstance(e, Sum | Mul) and any(isinstance(part, Sum) for part in walk(e)):
        terms = combine(expand(e))
        if len(terms) == 1:
            used = assume(terms, (left, right), inside=False)
            if used != terms:
                return from_terms(used)
    return e


def _bracket_rule(definition: Definition) -> tuple[Expr, Expr] | None:
    """Read ``y_i = (x_i - m) / s`` as: the bracket is ``y_i s``. Return the bracket and that product."""
    value = definition.value
    factors = list(value.factors) if isinstance(value, Mul) else [value]
    brackets = [f for f in factors if isinstance(f, Add)]
    if len(brackets) != 1:
        return None
    others = [f for f in factors if f is not brackets[0]]
    if any(isinstance(part, Sum) for f in others for part in walk(f)):
        return None
    terms = combine(expand(_product([Pow(f, MINUS_ONE) for f in others])))
    if len(terms) != 1:
        return None
    sign, canonical = group(brackets[0])
    named = Mul((Num(Fraction(sign)), Tensor(definition.name, definition.indices), from_term(terms[0])))
    return canonical, named


def _brackets_named(e: Expr, bracket: Expr, named: Expr, variables: frozenset[str]) -> Expr:
    if isinstance(e, Add):
        sign, canonical = group(e)
        naming = match(bracket, canonical, dict[str, Index](), variables)
        if naming is not None and set(naming) >= variables:
            found = rename(named, naming)
            return found if sign > 0 else Mul((MINUS_ONE, found))
    return map_children(e, lambda child: _brackets_named(child, bracket, named, variables))
