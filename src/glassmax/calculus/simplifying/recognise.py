"""Recognize what has a name or a known sum, in lists of terms, whatever their indices are called."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations

from ..expression import (
    MINUS_ONE,
    ONE,
    ZERO,
    Add,
    Assumption,
    Call,
    Definition,
    Delta,
    Expr,
    Index,
    Label,
    Mul,
    Num,
    Pow,
    Program,
    Sum,
    Tensor,
    map_children,
)
from ..indices import all_indices, free_indices, fresh, is_ones, ones, range_of, rename
from .expand import add, combine, expand, multiply, simplified
from .keys import key
from .term import Factor, Term, components, from_terms

__all__ = ["Fact", "assume", "cancel_sums", "fold", "match", "named_sigmoids", "sums_of", "unnamed_softmax"]
__all__ += ["written_sigmoids"]

Fact = tuple[Assumption, list[Assumption]]
"""An equation that holds, and the assumptions that it rests on."""

Naming = dict[str, Index]


def match(pattern: Expr, target: Expr, naming: Naming, variables: frozenset[str]) -> Naming | None:
    """Return the naming of the pattern's variable letters under which it equals the target, or None."""
    match pattern, target:
        case Num(a), Num(b):
            return naming if a == b else None
        case Tensor(a, i), Tensor(b, j):
            return _match_indices(i, j, naming, variables) if a == b and len(i) == len(j) else None
        case Delta(a, b), Delta(c, d):
            return _match_indices((a, b), (c, d), naming, variables) or _match_indices(
                (a, b), (d, c), naming, variables
            )
        case Call(f, x, m), Call(g, y, n):
            return match(x, y, naming, variables) if (f, m) == (g, n) else None
        case Pow(a, m), Pow(b, n):
            inner = match(a, b, naming, variables)
            return None if inner is None else match(m, n, inner, variables)
        case Sum(i, a), Sum(j, b):
            if len(i) != len(j):
                return None
            for order in permutations(j):
                bound: Naming = dict(zip(i, order, strict=True))
                inner = match(a, b, {**naming, **bound}, variables | set(i))
                if inner is not None and all(inner[letter] == bound[letter] for letter in i):
                    return {letter: value for letter, value in inner.items() if letter not in i}
            return None
        case (Add(a), Add(b)) | (Mul(a), Mul(b)):
            return _match_all(a, b, naming, variables) if len(a) == len(b) else None
        case _:
            return None


def _match_all(
    patterns: tuple[Expr, ...], targets: tuple[Expr, ...], naming: Naming, variables: frozenset[str]
) -> Naming | None:
    if not patterns:
        return naming
    for position, target in enumerate(targets):
        inner = match(patterns[0], target, naming, variables)
        if inner is not None:
            rest = _match_all(patterns[1:], (*targets[:position], *targets[position + 1 :]), inner, variables)
            if rest is not None:
                return rest
    return None


def _match_indices(
    pattern: Sequence[Index], target: Sequence[Index], naming: Naming, variables: frozenset[str]
) -> Naming | None:
    naming = dict(naming)
    for p, t in zip(pattern, target, strict=True):
        if isinstance(p, Label):
            if not isinstance(t, Label) or p.name != t.name:
                return None
            inner = _match_indices(p.indices, t.indices, naming, variables)
            if inner is None:
                return None
            naming = inner
        elif p in naming:
            if naming[p] != t:
                return None
        elif p in variables:
            naming[p] = t
        elif p != t:
            return None
    return naming


def fold(terms: Sequence[Term], definition: Definition, *, arrays: bool = False) -> list[Term]:
    """Write the right side of a definition, a single product, as its name, and 1 over it as 1 over the name.

    A product of nothing but arrays is left as it is, unless `arrays` is set: its name is not clearer.
    """
    values = combine(expand(definition.value))
    if len(values) != 1 or values[0].bound or values[0].coefficient != 1 or not values[0].factors:
        return list(terms)
    factors = values[0].factors
    if not arrays and all(isinstance(atom, Tensor) for atom, _ in factors):
        return list(terms)
    anchor = max(factors, key=lambda f: (len(free_indices(f[0])), isinstance(f[0], Call)))
    return [folded for term in terms for folded in _fold_term(term, definition, factors, anchor)]


def _fold_term(term: Term, definition: Definition, factors: tuple[Factor, ...], anchor: Factor) -> list[Term]:
    variables = frozenset(definition.indices)
    for atom, _ in term.factors:
        naming = match(anchor[0], atom, {}, variables)
        if naming is None or set(naming) < variables:
            continue
        for sign in (1, -1):
            left = _take(term.factors, [(rename(a, naming), e) for a, e in factors], sign)
            if left is not None:
                named = Tensor(definition.name, tuple(naming[i] for i in definition.indices))
                start = Term(term.coefficient, (), tuple(left))
                found = multiply(start, Term(Fraction(1), (), ((named, Num(Fraction(sign))),)))
                rebound = [Term(t.coefficient, (*term.bound, *t.bound), t.factors) for t in found]
                return [f for t in rebound for f in _fold_term(t, definition, factors, anchor)]
    return [term]


def _take(have: Sequence[Factor], want: Sequence[Factor], sign: int) -> list[Factor] | None:
    """Take factors out of a product, if they are in it with exponents at least as large."""
    left = {key(atom): (atom, exponent) for atom, exponent in have}
    for atom, exponent in want:
        name = key(atom)
        if name not in left or not isinstance(exponent, Num) or not isinstance(left[name][1], Num):
            return None
        available, needed = left[name][1].value, exponent.value * sign  # type: ignore[union-attr]
        if available * needed <= 0 or abs(available) < abs(needed):
            return None
        left[name] = (left[name][0], Num(available - needed))
    return [(atom, exponent) for atom, exponent in left.values() if exponent != ZERO]


def cancel_sums(terms: Sequence[Term]) -> list[Term]:
    """Cancel a sum against the same sum under a negative power: (sum_k e_k) (sum_k e_k)^-1 = 1."""
    return combine([_cancel_in(term) for term in terms])


def _cancel_in(term: Term) -> Term:
    outside, sums = components(term)
    for bound, factors in sums:
        inverse = key(from_terms([Term(ONE.value, bound, tuple(factors))]))
        for atom, exponent in outside:
            if key(atom) == inverse and isinstance(exponent, Num) and exponent.value <= -1:
                kept = [f for f in term.factors if f not in factors and f[0] is not atom]
                raised = add(exponent, ONE)
                kept += [] if raised == ZERO else [(atom, raised)]
                return _cancel_in(Term(term.coefficient, tuple(i for i in term.bound if i not in bound), tuple(kept)))
    return term


def sums_of(definition: Definition, program: Program, assumptions: Sequence[Assumption]) -> list[Fact]:
    """Return what a definition implies for its own sums: 1 for a softmax, 0 for what is centred."""
    facts: list[Fact] = []
    if not definition.indices:
        return facts
    scalars = {d.name: d.value for d in program.definitions if not d.indices}
    value = _put_in(definition.value, scalars)
    for position, index in enumerate(definition.indices):
        terms = combine(expand(Sum((index,), Mul((value, ones(definition.name, position, index))))))
        needed = []
        for assumption in assumptions:
            before, terms = terms, assume(terms, assumption)
            needed += [assumption] if terms != before else []
        terms = cancel_sums(terms)
        if terms in ([], [Term(ONE.value)]):
            total = Sum((index,), Tensor(definition.name, definition.indices))
            facts.append(((total, ONE if terms else ZERO), needed))
    return facts


def _put_in(e: Expr, scalars: dict[str, Expr]) -> Expr:
    if isinstance(e, Tensor) and not e.indices and e.name in scalars:
        return _put_in(scalars[e.name], scalars)
    return map_children(e, lambda child: _put_in(child, scalars))


def written_sigmoids(e: Expr) -> Expr:
    """Write ``1/(1 + exp(-z))`` as ``sigmoid(z)``."""
    e = map_children(e, written_sigmoids)
    if isinstance(e, Pow) and e.exponent == MINUS_ONE and isinstance(e.base, Add) and len(e.base.terms) == 2:
        exponentials = [t for t in e.base.terms if isinstance(t, Call) and (t.function, t.order) == ("exp", 0)]
        if len(exponentials) == 1 and ONE in e.base.terms:
            return Call("sigmoid", simplified(Mul((MINUS_ONE, exponentials[0].argument))))
    return e


def named_sigmoids(terms: Sequence[Term]) -> list[Term]:
    """Write ``exp(a)/(1 + exp(a))`` as ``sigmoid(a)``, and ``1/(1 + exp(a))`` as ``sigmoid(-a)``."""
    return combine([named for term in terms for named in _sigmoid_in(term)])


def _sigmoid_in(term: Term) -> list[Term]:
    for atom, exponent in term.factors:
        if not (isinstance(atom, Add) and len(atom.terms) == 2 and ONE in atom.terms and exponent == MINUS_ONE):
            continue
        other = next((t for t in atom.terms if t != ONE), ONE)
        if not (isinstance(other, Call) and (other.function, other.order) == ("exp", 0)):
            continue
        rest = _take(term.factors, [(atom, MINUS_ONE), (other, ONE)], 1)
        argument: Expr = other.argument
        if rest is None:
            rest = [f for f in term.factors if f[0] is not atom]
            argument = simplified(Mul((MINUS_ONE, argument)))
        parts = multiply(
            Term(term.coefficient, (), tuple(rest)), Term(Fraction(1), (), ((Call("sigmoid", argument), ONE),))
        )
        return [Term(t.coefficient, (*term.bound, *t.bound), t.factors) for t in parts]
    return [term]


def unnamed_softmax(terms: Sequence[Term], taken: set[str]) -> Definition | None:
    """Return a definition for a softmax that terms hold under no name: p, or P with a batch index."""
    for term in terms:
        for atom, exponent in term.factors:
            if not (
                isinstance(exponent, Num) and exponent.value < 0 and isinstance(atom, Sum) and len(atom.indices) == 1
            ):
                continue
            if isinstance(atom.body, Call) and (atom.body.function, atom.body.order) == ("exp", 0):
                batch, (summed,) = free_indices(atom), atom.indices
                letter = fresh(set(batch) | all_indices(atom), "i")
                value = Mul((rename(atom.body, {summed: letter}), Pow(atom, MINUS_ONE)))
                name = next(n for n in (*("PQ" if batch else "pq"), "softmax", "softmax_of_z") if n not in taken)
                return Definition(name, (*batch, letter), value)
    return None


def assume(terms: Sequence[Term], assumption: Assumption, *, inside: bool = True) -> list[Term]:
    """Use an equation from left to right wherever its left side is a factor or a sum of a term.

    A sum may be a part of a larger one, as sum_k y_nk in ``sum_{n,k} x_n y_nk``; only if `inside` is False, it may not.
    """
    left, right = assumption
    if isinstance(left, Tensor) and isinstance(right, Tensor) and left.name == right.name:
        return combine([_reorder(term, left, right) for term in terms])
    patterns = combine(expand(left))
    if len(patterns) != 1 or len(components(patterns[0])[1]) > 1:
        return list(terms)
    return combine([used for term in terms for used in _assume_in(term, patterns[0], right, inside)])


def _assume_in(term: Term, pattern: Term, right: Expr, inside: bool) -> list[Term]:
    variables = frozenset(free_indices(from_terms([pattern])) + free_indices(right))
    wanted = tuple(_whole(f) for f in pattern.factors)
    for bound, whole in _parts_like(term, pattern) if inside or not pattern.bound else components(term)[1]:
        factors = [f for f in whole if not is_ones(f[0])]
        if len(bound) != len(pattern.bound) or len(factors) != len(wanted):
            continue
        for order in permutations(bound):
            start: Naming = dict(zip(pattern.bound, order, strict=True))
            naming = _match_all(wanted, tuple(_whole(f) for f in factors), start, variables)
            if naming is not None:
                left = tuple(i for i in term.bound if i not in bound)
                ranges = [range_of(letter, atom) for letter in left for atom, _ in whole]
                kept = [f for f in term.factors if f not in whole] + [(one, ONE) for one in ranges if one is not None]
                rest = Term(term.coefficient / pattern.coefficient, (), tuple(kept))
                found = [t for part in expand(rename(right, naming)) for t in multiply(rest, part)]
                again = [Term(t.coefficient, (*left, *t.bound), t.factors) for t in found]
                return [u for t in again for u in _assume_in(t, pattern, right, inside)]
    return [term]


def _parts_like(term: Term, pattern: Term) -> Iterator[tuple[tuple[str, ...], list[Factor]]]:
    """Yield what may match a pattern: one factor, or some bound letters with all the factors that have one of them."""
    if not pattern.bound:
        yield from (((), [f]) for f in components(term)[0])
        return
    for bound in combinations(term.bound, len(pattern.bound)):
        yield bound, [f for f in term.factors if set(bound) & {*free_indices(f[0]), *free_indices(f[1])}]


def _whole(factor: Factor) -> Expr:
    return factor[0] if factor[1] == ONE else Pow(*factor)


def _reorder(term: Term, left: Tensor, right: Tensor) -> Term:
    """Put the indices of a symmetric array in one order."""
    permutation = [right.indices.index(i) for i in left.indices]

    def ordered(e: Expr) -> Expr:
        if isinstance(e, Tensor) and e.name == left.name and len(e.indices) == len(permutation):
            swapped = tuple(e.indices[p] for p in permutation)
            return Tensor(e.name, min(e.indices, swapped, key=str))
        return e

    return Term(term.coefficient, term.bound, tuple((ordered(atom), e) for atom, e in term.factors))
