"""Take common factors out: from a sum of products back to the short form that people print.

Terms are brought together by what they share: ``sum_i X_ij P_ik - sum_i X_ij Y_ik`` becomes ``sum_i X_ij (P_ik -
Y_ik)``, greedily, and only where the result is shorter. Two sums come under one sign only if they run over the same
range.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import NamedTuple

from ..expression import MINUS_ONE, ONE, Add, Expr, Index, Mul, Num, Pow, Sum, names, sum_of, walk
from ..indices import all_indices, free_indices, positions, rename
from ..limits import spend
from .expand import apart_from
from .keys import key
from .term import Factor, Term, from_term

MOST_MERGED = 24
"""More terms than this are brought together by what they all share alone."""
MOST_INDICES = 2
"""A bracket with more free indices than a matrix is not opened for the sake of a shorter text."""

__all__ = ["Style", "collect", "size"]


@dataclass(frozen=True)
class Style:
    """Facts about a program that decide how people would write a result."""

    defined: frozenset[str] = frozenset()  # these come first in a difference (P - Y, not Y - P)
    # What the index at a position of an array runs over.
    ranges: Callable[[str, int], object] = lambda name, position: (name, position)

    def range_of(self, letter: str, factors: Sequence[Factor]) -> object:
        """Return what a letter runs over, read off the arrays that it indexes; None if there is none."""
        for atom, _ in factors:
            for name, position, index in positions(atom):
                if index == letter:
                    return self.ranges(name, position)
        return None


def size(e: Expr) -> int:
    """Return the number of nodes, the measure of a short form; a minus sign is not counted."""
    return sum(1 for part in walk(e) if part != MINUS_ONE)


def collect(terms: Sequence[Term], style: Style = Style()) -> Expr:
    """Write terms as one expression, common factors taken out; no two of the terms are alike."""
    if not terms:
        return Num(Fraction(0))
    if len(terms) == 1:
        return from_term(terms[0])
    free = {
        i for t in terms for atom, e in t.factors for i in (*free_indices(atom), *free_indices(e)) if i not in t.bound
    }
    terms = _in_order([apart_from(t, free) for t in terms], style)
    common, rest = _common(terms)
    if common:
        return _times(common, collect(rest, style))
    number = _common_number(terms)
    if number != 1:
        rest = [Term(t.coefficient / number, t.bound, t.factors) for t in terms]
        return _times([(Num(number), ONE)], collect(rest, style))
    spend(len(terms) ** 2)
    few = len(terms) <= MOST_MERGED
    merged = (_merge_sums(terms, style) or _merge_free(terms, style)) if few else None
    return merged if merged is not None else Add(tuple(from_term(term) for term in terms))


def _in_order(terms: Sequence[Term], style: Style) -> list[Term]:
    """Put plain terms before sums, plus before minus; the sign is turned so that what is defined stands first."""

    def names_defined(term: Term) -> bool:
        return any(names(atom) & style.defined for atom, _ in term.factors)

    ordered = sorted(terms, key=lambda t: (bool(t.bound), t.coefficient < 0, not names_defined(t)))
    first = next((i for i, term in enumerate(ordered) if term.coefficient > 0), 0)  # a sum opens with a plus
    return [ordered[first], *ordered[:first], *ordered[first + 1 :]]


def _turned(terms: Sequence[Term], style: Style) -> bool:
    """Whether the difference reads better with its sign turned: -(P - Y) for Y - P."""
    plus = [t for t in terms if t.coefficient > 0]
    minus = [t for t in terms if t.coefficient < 0]
    if not plus or not minus:
        return not plus

    def rank(group: Sequence[Term]) -> float:
        return sum(bool(names(atom) & style.defined) for t in group for atom, _ in t.factors) or (
            0.5 if any(not t.factors for t in group) else 0  # 1 - eps rather than eps - 1
        )

    return rank(minus) > rank(plus)


def _common_number(terms: Sequence[Term]) -> Fraction:
    above = gcd(*(t.coefficient.numerator for t in terms))
    below = gcd(*(t.coefficient.denominator for t in terms))
    number = Fraction(above, below) if below > 1 or above > 1 else Fraction(1)
    return -number if all(t.coefficient < 0 for t in terms) else number


def _free(term: Term) -> dict[str, Factor]:
    bound = set(term.bound)
    return {key(a): (a, e) for a, e in term.factors if not bound & (all_indices(a) | all_indices(e))}


def _common(terms: Sequence[Term]) -> tuple[list[Factor], list[Term]]:
    """Split off the factors without bound indices that all terms share, at their least exponent."""
    free = [_free(term) for term in terms]
    common: list[Factor] = []
    for name, (atom, exponent) in free[0].items():
        exponents = [mine[name][1] for mine in free if name in mine]
        if len(exponents) < len(terms):
            continue
        if all(e == exponent for e in exponents):
            common.append((atom, exponent))
        elif all(isinstance(e, Num) for e in exponents):
            numbers = [e.value for e in exponents if isinstance(e, Num)]
            if min(numbers) > 0 or max(numbers) < 0:
                least = min(numbers) if min(numbers) > 0 else max(numbers)
                common.append((atom, Num(least)))
    return common, [_divide(term, common) for term in terms] if common else list(terms)


def _divide(term: Term, common: Sequence[Factor]) -> Term:
    taken = {key(atom): exponent for atom, exponent in common}
    factors: list[Factor] = []
    for atom, exponent in term.factors:
        out = taken.get(key(atom))
        if out is None:
            factors.append((atom, exponent))
        elif out != exponent and isinstance(out, Num) and isinstance(exponent, Num):
            factors.append((atom, Num(exponent.value - out.value)))
    return Term(term.coefficient, term.bound, tuple(factors))


def _times(common: Sequence[Factor], rest: Expr) -> Expr:
    parts = [atom if exponent == ONE else Pow(atom, exponent) for atom, exponent in common]
    parts += list(rest.factors) if isinstance(rest, Mul) else [rest]
    return Mul(tuple(parts))


class _Pair(NamedTuple):
    """Two terms that can come under one sum over `letter`, the second with that letter, and the factors they share."""

    order: int
    i: int
    j: int
    letter: str
    shared: list[Factor]
    second: Term


def _merge_sums(terms: Sequence[Term], style: Style) -> Expr | None:
    """Bring the two terms that share most, and all others that fit, under one sum over an index of the same range."""
    pairs: list[_Pair] = []
    for i, first in enumerate(terms):
        for letter in first.bound:
            for j in range(i + 1, len(terms)):
                for second in _renamed(terms[j], first, letter, style):
                    shared = _shared(first, second, letter)
                    weight = sum(1 + 4 * (letter in all_indices(atom)) for atom, _ in shared)
                    pairs.append(_Pair(-weight, i, j, letter, shared, second))
    for pair in sorted(pairs, key=lambda pair: pair[:4]):
        merged = _merged(terms, pair, style)
        if merged is not None:
            return merged
    return None


def _merged(terms: Sequence[Term], pair: _Pair, style: Style) -> Expr | None:
    """Write two terms, and the others that fit, under one sum; None if what is left inside is no vector or matrix."""
    _, i, j, letter, shared, second = pair
    together, others = [terms[i], second], []
    for position, term in enumerate(terms):
        if position not in (i, j):
            fit = next((t for t in _renamed(term, terms[i], letter, style) if _has(t, shared)), None)
            if fit is None:
                others.append(term)
            else:
                together.append(fit)
    inside = []
    for term in together:
        rest = _divide(term, shared)
        inside.append(Term(rest.coefficient, tuple(b for b in rest.bound if b != letter), rest.factors))
    sign = -1 if others and _turned(inside, style) else 1
    inner = collect([Term(sign * t.coefficient, t.bound, t.factors) for t in inside], style)
    if len(free_indices(inner)) > MOST_INDICES:
        return None
    merged: Expr = Sum((letter,), _times(shared, inner))
    if sign < 0:
        merged = Mul((MINUS_ONE, merged))
    return _ordered_sum([*(_terms_of(collect(others, style)) if others else ()), merged], style)


def _ordered_sum(parts: Sequence[Expr], style: Style) -> Expr:
    """Add parts up: plain ones before sums, plus before minus, what is defined before what is given."""

    def place(part: Expr) -> tuple[bool, bool, bool]:
        factors = part.factors if isinstance(part, Mul) else (part,)
        negative = isinstance(factors[0], Num) and factors[0].value < 0
        return any(isinstance(f, Sum) for f in factors), negative, not names(part) & style.defined

    ordered = sorted(parts, key=place)
    opening = next((n for n, part in enumerate(ordered) if not place(part)[1]), 0)
    ordered.insert(0, ordered.pop(opening))
    return sum_of(ordered)


def _terms_of(e: Expr) -> tuple[Expr, ...]:
    return e.terms if isinstance(e, Add) else (e,)


def _renamed(term: Term, like: Term, letter: str, style: Style) -> list[Term]:
    """Return a term with one of its bound indices called `letter`, for each of the same range."""
    wanted = style.range_of(letter, like.factors)
    found = []
    for old in term.bound:
        if wanted is None or style.range_of(old, term.factors) != wanted:
            continue
        new: dict[str, Index] = {old: letter}
        if letter in term.bound and letter != old:
            new[letter] = old
        bound = tuple(str(new.get(b, b)) for b in term.bound)
        factors = tuple((rename(atom, new), rename(exponent, new)) for atom, exponent in term.factors)
        found.append(Term(term.coefficient, bound, factors))
    return found


def _shared(a: Term, b: Term, letter: str) -> list[Factor]:
    """Return the factors that two terms have in common under a sum over `letter`, at their lesser exponents."""
    inner = {other for other in (*a.bound, *b.bound) if other != letter}
    theirs = {key(atom): exponent for atom, exponent in b.factors}
    shared: list[Factor] = []
    for atom, exponent in a.factors:
        other = None if inner & all_indices(atom) else theirs.get(key(atom))
        if other == exponent:
            shared.append((atom, exponent))
        elif isinstance(other, Num) and isinstance(exponent, Num) and other.value * exponent.value > 0:
            shared.append((atom, min(other, exponent, key=lambda e: abs(e.value))))
    return shared


def _has(term: Term, wanted: Sequence[Factor]) -> bool:
    """Whether all of these factors can be taken out of a term."""
    mine = {key(atom): exponent for atom, exponent in term.factors}
    for atom, exponent in wanted:
        own = mine.get(key(atom))
        if own == exponent:
            continue
        if not (isinstance(own, Num) and isinstance(exponent, Num)):
            return False
        if own.value * exponent.value <= 0 or abs(own.value) < abs(exponent.value):
            return False
    return True


def _length(e: Expr) -> tuple[int, int]:
    return size(e), len(_terms_of(e))


def _merge_free(terms: Sequence[Term], style: Style) -> Expr | None:
    """Take out of some of the terms the factor that makes the whole shortest."""
    counts: dict[str, list[int]] = {}
    atoms: dict[str, Factor] = {}
    for position, term in enumerate(terms):
        for name, factor in _free(term).items():
            full = f"{name}^{key(factor[1])}"
            counts.setdefault(full, []).append(position)
            atoms[full] = factor
    candidates = [name for name, places in counts.items() if 1 < len(places) < len(terms)]
    plain = Add(tuple(from_term(term) for term in terms))
    best: Expr | None = None
    for name in sorted(candidates, key=lambda n: -len(counts[n]))[:4]:
        places = set(counts[name])
        inside = [_divide(terms[i], [atoms[name]]) for i in places]
        outside = [term for i, term in enumerate(terms) if i not in places]
        sign = -1 if _turned(inside, style) else 1
        inner = collect([Term(sign * t.coefficient, t.bound, t.factors) for t in inside], style)
        out = _times([(MINUS_ONE, ONE), atoms[name]] if sign < 0 else [atoms[name]], inner)
        whole = _ordered_sum([out, *_terms_of(collect(outside, style))], style)
        if _length(whole) < _length(best if best is not None else plain):
            best = whole
    return best
