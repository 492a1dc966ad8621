"""A term: a coefficient, bound indices, and a product of powers; its key, and how it is written as an expression."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..expression import ONE, Call, Expr, Num, Pow, Sum, product_of, sum_of
from ..indices import free_indices
from .keys import key, orders

__all__ = ["Factor", "Term", "components", "from_term", "from_terms", "term_key"]

Factor = tuple[Expr, Expr]
"""An atom and its exponent, which is a `Num` nearly always."""


@dataclass(frozen=True)
class Term:
    """coefficient * sum_{bound} product of atom^exponent."""

    coefficient: Fraction
    bound: tuple[str, ...] = ()
    factors: tuple[Factor, ...] = ()


def term_key(term: Term) -> str:
    """Return the key of a term without its coefficient."""

    def look(names: dict[str, str]) -> str:
        return "*".join(sorted(f"{key(atom, names)}^{key(exponent, names)}" for atom, exponent in term.factors))

    tried = (look({index: f"#{n}" for n, index in enumerate(order)}) for order in orders(term.bound, look))
    return f"{min(tried)}|{len(term.bound)}"


def from_term(term: Term) -> Expr:
    """Write a term as an expression; sums over separate indices stand apart, ``(sum_k y_k) (sum_i ...)``."""
    parts: list[Expr] = [] if term.coefficient == 1 else [Num(term.coefficient)]
    outside, sums = components(term)
    parts += [_power(f) for f in _arrays_first(outside)]
    for bound, factors in sums:
        body = product_of([_power(f) for f in _arrays_first(factors)])
        parts.append(Sum(bound, body))
    return product_of(parts)


def _arrays_first(factors: Sequence[Factor]) -> list[Factor]:
    """Put functions after arrays, but for slopes: ``p_i log(p_i)``, ``f'(z_j) a_k``."""
    late = {"exp": 1, "sigmoid": 1, "sin": 1, "cos": 1, "tanh": 1, "log": 2}
    return sorted(factors, key=lambda f: late.get(f[0].function, 0) if isinstance(f[0], Call) and not f[0].order else 0)


def components(term: Term) -> tuple[list[Factor], list[tuple[tuple[str, ...], list[Factor]]]]:
    """Split a term into the factors without bound indices, and the sums that share none."""
    outside = [f for f in term.factors if not set(term.bound) & set(_letters_of(f))]
    inside = [f for f in term.factors if set(term.bound) & set(_letters_of(f))]
    groups: list[tuple[set[str], list[Factor]]] = []
    for factor in inside:
        mine = set(term.bound) & set(_letters_of(factor))
        touching = [g for g in groups if g[0] & mine]
        for g in touching:
            groups.remove(g)
        groups.append((mine.union(*(g[0] for g in touching)), [f for g in touching for f in g[1]] + [factor]))
    used = {letter for g in groups for letter in g[0]}
    sums = [(tuple(i for i in term.bound if i in g[0]), g[1]) for g in groups]
    return outside, sums + [((index,), []) for index in term.bound if index not in used]


def _letters_of(factor: Factor) -> tuple[str, ...]:
    return (*free_indices(factor[0]), *free_indices(factor[1]))


def from_terms(terms: Sequence[Term]) -> Expr:
    """Write a list of terms as one expression."""
    return sum_of([from_term(term) for term in terms])


def _power(factor: Factor) -> Expr:
    atom, exponent = factor
    return atom if exponent == ONE else Pow(atom, exponent)
