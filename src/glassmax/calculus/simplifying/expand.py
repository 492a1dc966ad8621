"""An expression multiplied out into a sum of `Term`s; terms that differ only in their coefficients are combined."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache

from ..expression import ONE, ZERO, Add, Call, Delta, Expr, Index, Label, Mul, Num, Pow, Sum, Tensor, indices_of, walk
from ..indices import all_indices, free_indices, fresh, is_ones, range_of, rename
from ..limits import MOST_TERMS, TooManyTermsError, check_power, spend
from .keys import key
from .term import Factor, Term, from_term, from_terms, term_key

__all__ = ["add", "apart_from", "combine", "expand", "group", "multiply", "simplified"]

ONE_NUMBER = Fraction(1)


def add(a: Expr, b: Expr) -> Expr:
    """Add two exponents."""
    if isinstance(a, Num) and isinstance(b, Num):
        return Num(a.value + b.value)
    return simplified(Add((a, b)))


def simplified(e: Expr) -> Expr:
    """Expand, combine, and write as an expression again."""
    return from_terms(combine(expand(e)))


def expand(e: Expr) -> list[Term]:
    """Multiply out: an expression as a list of terms, not yet combined."""
    match e:
        case Num(value):
            return [Term(value)] if value else []
        case Tensor():
            return [Term(ONE_NUMBER, (), ((e, ONE),))]
        case Delta(i, j):
            return [Term(ONE_NUMBER)] if i == j else [Term(ONE_NUMBER, (), ((e, ONE),))]
        case Add(terms):
            return [term for part in terms for term in expand(part)]
        case Mul(factors):
            return _expand_product(factors)
        case Sum(indices, body):
            ranges = tuple(one for one in (range_of(index, body) for index in indices) if one is not None)
            inner = expand(Mul((body, *ranges))) if ranges else expand(body)
            return [contracted for term in inner for contracted in _bind(indices, term)]
        case Call() | Pow():
            return list(_expand_atom(e))


@lru_cache(maxsize=1024)
def _expand_atom(e: Call | Pow) -> tuple[Term, ...]:
    """Expand a function or a power; cached, because nested ones would take exponential time."""
    if isinstance(e, Call):
        return tuple(_expand_call(e.function, simplified(e.argument), e.order))
    return tuple(_expand_power(simplified(e.base), simplified(e.exponent)))


def _expand_product(factors: Sequence[Expr]) -> list[Term]:
    """Multiply out; a sum that another factor divides by is kept whole until the two have met."""
    flat = _same_letters([f for factor in factors for f in _flat(factor)])
    expanded = [expand(factor) for factor in flat]
    divided = {
        key(atom): atom
        for terms in expanded
        for term in terms
        for atom, exponent in term.factors
        if isinstance(atom, Add) and exponent != ONE
    }
    result = [Term(ONE_NUMBER)]
    for factor, terms in zip(flat, expanded, strict=True):
        if isinstance(factor, Add) and divided:
            for sign, whole in ((1, simplified(factor)), group(factor)):
                if key(whole) in divided:
                    terms = [Term(Fraction(sign), (), ((divided[key(whole)], ONE),))]
                    break
        if len(result) * len(terms) > MOST_TERMS:
            raise TooManyTermsError
        result = [term for a in result for b in terms for term in multiply(a, b)]
    return [t for term in result for t in _settle(term)]


def _flat(e: Expr) -> list[Expr]:
    return [f for factor in e.factors for f in _flat(factor)] if isinstance(e, Mul) else [e]


def _same_letters(factors: list[Expr]) -> list[Expr]:
    """Where a delta is among the factors, write the others with only one of its two indices, which are equal."""
    for delta in factors:
        if isinstance(delta, Delta):
            new = _one_letter(delta)
            factors = [f if isinstance(f, Delta) else _renamed(f, new) for f in factors]
    return factors


def _one_letter(delta: Delta) -> dict[str, Index]:
    """The naming under which a delta is 1: its second letter is its first; a letter is its label."""
    if isinstance(delta.i, str) and isinstance(delta.j, str):
        first, second = sorted((delta.i, delta.j))
        return {second: first} if first != second else {}
    label, letter = (delta.i, delta.j) if isinstance(delta.i, Label) else (delta.j, delta.i)
    if isinstance(label, Label) and isinstance(letter, str) and letter not in label.indices:
        return {letter: label}
    return {}


def _renamed(e: Expr, new: dict[str, Index]) -> Expr:
    """Rename where that can be written: a letter inside a label can't become a label."""
    try:
        return rename(e, new)
    except ValueError:
        return e


def group(e: Expr) -> tuple[int, Expr]:
    """Return a sum with the sign that stands for both s - 1 and 1 - s, and that sign: s - 1 is -(1 - s)."""
    terms = combine(expand(e))
    if not terms:
        return 1, ZERO
    first = min(terms, key=term_key)
    sign = -1 if first.coefficient < 0 else 1
    return sign, from_terms([Term(sign * t.coefficient, t.bound, t.factors) for t in terms])


def _bind(indices: tuple[str, ...], term: Term) -> list[Term]:
    """Sum a term over more indices; a letter that is bound already is renamed."""
    term = apart_from(term, set(indices))
    settled = _settle(Term(term.coefficient, (*indices, *term.bound), term.factors))
    return [_without_needless_ones(t) for t in settled]


def _expand_call(function: str, argument: Expr, order: int) -> list[Term]:
    if order == 0:
        match function, argument:
            case "log", Call("exp", inner, 0):
                return expand(inner)
            case ("log", Num(value)) if value == 1:
                return []
            case ("exp" | "cos", Num(value)) if value == 0:
                return [Term(ONE_NUMBER)]
            case "step", Num(value):
                return [Term(ONE_NUMBER)] if value > 0 else []
            case ("sin" | "tanh" | "erf" | "abs" | "sign" | "relu", Num(value)) if value == 0:
                return []
    return [Term(ONE_NUMBER, (), ((Call(function, argument, order), ONE),))]


def _expand_power(base: Expr, exponent: Expr) -> list[Term]:
    if exponent == ZERO:
        return [Term(ONE_NUMBER)]
    if exponent == ONE:
        return expand(base)
    terms = expand(base)
    if isinstance(exponent, Num) and exponent.value.denominator == 1 and len(terms) == 1 and not terms[0].bound:
        power, term = int(exponent.value), terms[0]
        check_power(term.coefficient, exponent.value)
        factors = tuple((atom, simplified(Mul((e, exponent)))) for atom, e in term.factors)
        return _settle(Term(term.coefficient**power, (), factors))
    if isinstance(base, Num) and isinstance(exponent, Num) and base.value in (0, 1) and exponent.value > 0:
        return expand(base)
    if isinstance(base, Pow) and isinstance(exponent, Num) and exponent.value.denominator == 1:
        return _expand_power(base.base, simplified(Mul((base.exponent, exponent))))
    if len(terms) == 1 and terms[0].coefficient < 0 and isinstance(exponent, Num) and exponent.value.denominator == 1:
        positive = from_term(Term(-terms[0].coefficient, terms[0].bound, terms[0].factors))
        return [Term(Fraction(-1) ** int(exponent.value), (), ((positive, exponent),))]
    if len(terms) > 1 and isinstance(exponent, Num) and exponent.value.denominator == 1:
        sign, whole = group(base)
        return [Term(Fraction(sign) ** int(exponent.value), (), ((whole, exponent),))]
    return [Term(ONE_NUMBER, (), ((base, exponent),))]


def multiply(a: Term, b: Term) -> list[Term]:
    """Multiply two terms; bound indices that clash are renamed, the exponents of equal atoms are added."""
    spend(len(a.factors) + len(b.factors))
    used = {letter for atom, _ in a.factors for letter in all_indices(atom)} | set(a.bound)
    b = apart_from(b, used)
    theirs = {letter for atom, _ in b.factors for letter in free_indices(atom)} - set(b.bound)
    a = apart_from(a, theirs, {letter for atom, _ in b.factors for letter in all_indices(atom)} | set(b.bound))
    merged: dict[str, Factor] = {}
    for atom, exponent in (*a.factors, *b.factors):
        name = key(atom)
        if name in merged:
            exponent = add(merged[name][1], exponent)
        merged[name] = (merged.get(name, (atom, ONE))[0], exponent)
    factors = tuple(f for f in merged.values() if f[1] != ZERO)
    whole = any(isinstance(atom, Add) and exponent == ONE for atom, exponent in factors)
    product = Term(a.coefficient * b.coefficient, (*a.bound, *b.bound), factors)
    return [product] if whole else _settle(product)


def apart_from(term: Term, taken: set[str], busy: Iterable[str] = ()) -> Term:
    """Rename the bound indices of a term that are among `taken`, to letters that are neither taken nor `busy`."""
    clash = [index for index in term.bound if index in taken]
    if not clash:
        return term
    busy = taken | set(busy) | set(term.bound) | {letter for atom, _ in term.factors for letter in all_indices(atom)}
    new: dict[str, Index] = {}
    for index in clash:
        letter = fresh(busy, index)
        busy.add(letter)
        new[index] = letter
    bound = tuple(str(new.get(index, index)) for index in term.bound)
    return Term(term.coefficient, bound, tuple((rename(atom, new), exponent) for atom, exponent in term.factors))


def _settle(term: Term) -> list[Term]:
    """Simplify within a term: drop atom^0, contract deltas, multiply out sums under the power 1."""
    if not term.coefficient:
        return []
    kept: list[Factor] = []
    for atom, exponent in term.factors:
        if exponent == ZERO:
            continue
        if isinstance(atom, Delta):
            if atom.i == atom.j:
                continue
            exponent = ONE
        if is_ones(atom):
            exponent = ONE
        if isinstance(atom, Num) and isinstance(exponent, Num) and exponent.value.denominator == 1:
            check_power(atom.value, exponent.value)
            number = term.coefficient * atom.value ** int(exponent.value)
            return _settle(Term(number, term.bound, tuple(f for f in term.factors if f[0] is not atom)))
        if exponent == ONE and isinstance(atom, Add | Sum | Mul | Pow):
            rest = Term(term.coefficient, term.bound, tuple(f for f in term.factors if f[0] is not atom))
            taken = set(term.bound) | {i for a, _ in rest.factors for i in all_indices(a)}
            return [t for part in expand(atom) for t in _joined(rest, apart_from(part, taken))]
        kept.append((atom, exponent))
    return _contract(Term(term.coefficient, term.bound, tuple(kept)))


def _without_needless_ones(term: Term) -> Term:
    """Drop ones along an index that is not summed, or that other factors have: they change nothing."""
    kept: list[Factor] = []
    for factor in term.factors:
        if is_ones(factor[0]):
            letter = next(iter(free_indices(factor[0])), "")  # none where the index is fixed
            others = [f for f in term.factors if f is not factor and letter in free_indices(f[0])]
            if letter not in term.bound or any(not is_ones(a) or (a, e) in kept for a, e in others):
                continue
        kept.append(factor)
    return Term(term.coefficient, term.bound, tuple(kept))


def _joined(rest: Term, part: Term) -> list[Term]:
    """Multiply under the sum of `rest`, whose bound indices `part` may use."""
    open_rest = Term(rest.coefficient, (), rest.factors)
    return [
        settled
        for t in multiply(open_rest, part)
        for settled in _settle(Term(t.coefficient, (*rest.bound, *t.bound), t.factors))
    ]


def _contract(term: Term) -> list[Term]:
    """Contract each delta that has a bound index: the index is renamed to the other one."""
    for atom, _ in term.factors:
        if not isinstance(atom, Delta):
            continue
        for old, new in ((atom.i, atom.j), (atom.j, atom.i)):
            if not isinstance(old, str) or old not in term.bound:
                continue
            if isinstance(new, Label) and (old in new.indices or _in_label(term, old)):
                continue
            bound = tuple(index for index in term.bound if index != old)
            others = [f for f in term.factors if f[0] is not atom]
            return _merge(Term(term.coefficient, bound), [(rename(a, {old: new}), e) for a, e in others])
    return [_choose_letters(term)]


def _merge(start: Term, factors: Iterable[Factor]) -> list[Term]:
    merged: dict[str, Factor] = {}
    for atom, exponent in factors:
        name = key(atom)
        if name in merged:
            exponent = add(merged[name][1], exponent)
        merged[name] = (atom, exponent)
    return _settle(Term(start.coefficient, start.bound, tuple(merged.values())))


def _in_label(term: Term, letter: str) -> bool:
    found = (index for atom, _ in term.factors for part in walk(atom) for index in indices_of(part))
    return any(isinstance(index, Label) and letter in index.indices for index in found)


def _choose_letters(term: Term) -> Term:
    """Where a delta of free indices stands, write the other factors with one of the two."""
    for atom, _ in term.factors:
        new = _one_letter(atom) if isinstance(atom, Delta) else {}
        if not new or set(new) & set(term.bound):
            continue
        merged: dict[str, Factor] = {}
        for a, e in term.factors:
            a = a if isinstance(a, Delta) else _renamed(a, new)
            e = add(merged[key(a)][1], e) if key(a) in merged else e
            merged[key(a)] = (a, e)
        term = Term(term.coefficient, term.bound, tuple(f for f in merged.values() if f[1] != ZERO))
    return term


def combine(terms: Sequence[Term]) -> list[Term]:
    """Add up the coefficients of terms that are alike; the order is the order of first appearance."""
    found: dict[str, Term] = {}
    for term in map(_without_needless_ones, terms):
        name = term_key(term)
        if name in found:
            old = found[name]
            found[name] = Term(old.coefficient + term.coefficient, old.bound, old.factors)
        else:
            found[name] = term
    return [term for term in found.values() if term.coefficient]
