"""Brackets kept whole: each bracket is replaced by an array of its own, and put back after simplification.

Multiplying out finds what cancels, but makes short forms long: ``(1 - a_i^2) sum_m W_im (p_m - y_m)`` becomes four
sums. So each expression is also simplified with its brackets closed, and the shorter of the two results is kept. Two
brackets that differ only in their letters or their sign become the same array. A bracket that holds a delta is opened,
because the delta has to contract.
"""

from ..expression import (
    MINUS_ONE,
    Add,
    Delta,
    Expr,
    Index,
    Label,
    Mul,
    Pow,
    Sum,
    Tensor,
    indices_of,
    map_children,
    names,
    walk,
)
from ..indices import all_indices, free_indices, fresh, rename
from .expand import group
from .keys import key

__all__ = ["Brackets"]

MARK = "@"


class Brackets:
    """The brackets of an expression, by the names of the arrays that replace them."""

    def __init__(self) -> None:
        self._inside: dict[str, tuple[tuple[str, ...], Expr]] = {}
        self._known: dict[str, tuple[str, int]] = {}

    def close(self, e: Expr) -> Expr:
        """Return `e` with an array in the place of each bracket that is a factor, a base or under a sum."""
        match e:
            case Add():
                return map_children(e, self.close)  # the outermost plus signs stay
            case Mul() | Sum() | Pow():
                return map_children(e, self._closed)
            case _:
                return e

    def _closed(self, e: Expr) -> Expr:
        if not isinstance(e, Add):
            return self.close(e)
        if any(isinstance(one, Delta | Label) for part in walk(e) for one in (part, *indices_of(part))):
            return map_children(e, self._closed)
        letters = free_indices(e)
        plain = rename(e, {letter: f"{MARK}{n}" for n, letter in enumerate(letters)})
        sign, canonical = group(plain)
        if not isinstance(canonical, Add):
            return e
        order = free_indices(canonical)
        own = tuple(letters[int(letter.removeprefix(MARK))] for letter in order)
        form = key(rename(canonical, {letter: f"{MARK}{n}" for n, letter in enumerate(order)}))
        if form not in self._known:
            name = f"{MARK}{len(self._known)}"
            self._known[form] = (name, sign)
            self._inside[name] = (own, e)
        name, first = self._known[form]
        array = Tensor(name, own)
        return array if sign == first else Mul((MINUS_ONE, array))

    def open(self, e: Expr) -> Expr | None:
        """Return `e` with its brackets restored; None if ones along a bracket are left, which no array has."""
        if any(name.startswith(f"1:{MARK}") for name in names(e)):
            return None
        return self._opened(e, set(free_indices(e)))

    def _opened(self, e: Expr, taken: set[str]) -> Expr:
        if isinstance(e, Tensor) and e.name in self._inside:
            letters, inside = self._inside[e.name]
            new: dict[str, Index] = dict(zip(letters, e.indices, strict=True))
            return _apart(rename(inside, new), taken)
        if isinstance(e, Sum):
            taken = taken | set(e.indices)
        return map_children(e, lambda child: self._opened(child, taken))


def _apart(e: Expr, taken: set[str]) -> Expr:
    """Rename the bound letters of `e` that are taken outside of it."""
    if not isinstance(e, Sum):
        return map_children(e, lambda child: _apart(child, taken))
    body, bound = e.body, list(e.indices)
    for place, letter in enumerate(bound):
        if letter in taken:
            bound[place] = fresh(taken | all_indices(body) | set(bound), letter)
            body = rename(body, {letter: bound[place]})
    return Sum(tuple(bound), _apart(body, taken | set(bound)))
