"""Going through a formula: its children, its names, its index letters, and the same formula with other parts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from operator import is_not
from typing import Any, get_args

from .tree import Add, Cases, Condition, Entry, Indicator, Name, Negative, Node, Product, Summation

__all__ = ["children", "depth", "free_letters", "letter_of", "map_children", "names_in", "nodes_in"]
__all__ += ["rename_index", "widened"]

KINDS = frozenset(get_args(Node))
"""The kinds of nodes."""

PARTS = {kind: tuple(field.name for field in fields(kind) if field.compare) for kind in (*KINDS, Condition)}
"""The fields of each kind that can hold parts; those that are not compared are about its spelling."""


def children(node: Node | Condition) -> list[Node]:
    """List the parts of a node, in the order of the page; those of its conditions and indices belong to them.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> [part.base for part in children(parse("a + b_i"))]
    ['a', 'b']
    """
    found: list[Node] = []
    for name in PARTS[type(node)]:
        _collect(getattr(node, name), found)
    return found


def _collect(value: Any, found: list[Node]) -> None:
    kind = type(value)
    if kind in KINDS:
        found.append(value)
    elif kind is tuple:
        for part in value:
            _collect(part, found)
    elif kind is Condition:
        found.extend(children(value))


def map_children(node: Any, function: Callable[[Any], Any]) -> Any:
    """Return the node with `function` applied to each of its children.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> map_children(parse("-a"), lambda part: parse("b")) == parse("-b")
    True
    """
    changed = {}
    for name in PARTS[type(node)]:
        before = getattr(node, name)
        after = _mapped(before, function)
        if after is not before:
            changed[name] = after
    return replace(node, **changed) if changed else node


def _mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    kind = type(value)
    if kind in KINDS:
        return function(value)
    if kind is tuple:
        parts = tuple([_mapped(part, function) for part in value])
        return parts if any(map(is_not, parts, value)) else value
    return map_children(value, function) if kind is Condition else value


def nodes_in(node: Node | Condition) -> Iterator[Node | Condition]:
    """Go through a node and all below it, each before its children."""
    waiting: list[Node | Condition] = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def names_in(node: Node | Condition) -> set[str]:
    """Return the bases of all names in a formula, those of indices included.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> sorted(names_in(parse("p_i (1 - y)")))
    ['i', 'p', 'y']
    """
    return {part.base for part in nodes_in(node) if isinstance(part, Name)}


def depth(node: Node | Condition) -> int:
    """Return the number of levels of a formula: 1 for a name."""
    levels, now = 0, [node]
    while now:
        levels, now = levels + 1, [part for parent in now for part in children(parent)]
    return levels


def widened(node: Node, left: Iterable[str] = ()) -> Node:
    """Return the formula with a sum taking in the terms after it that have its letter: sum_i a_i + b_i is both.

    Authors leave such brackets out. A letter of `left`, which the other side of the equation has too, stays free.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> widened(parse("-1/n sum_i a_i + b_i + c")) == parse("-1/n sum_i (a_i + b_i) + c")
    True
    >>> widened(parse("sum_i a_i + b_i"), ["i"]) == parse("(sum_i a_i) + b_i")
    True
    """
    if not isinstance(node, Add):
        return node
    for place, term in enumerate(node.terms[:-1]):
        letters = set(_open_sums(term)) - set(left)
        last = max((n for n, other in enumerate(node.terms) if n > place and free_letters(other) & letters), default=0)
        if last:
            wide = _taking_in(term, node.terms[place + 1 : last + 1])
            terms = (*node.terms[:place], wide, *node.terms[last + 1 :])
            return terms[0] if len(terms) == 1 else replace(node, terms=terms)
    return node


def _open_sums(term: Node) -> tuple[str, ...]:
    """Return the letters of the sums that a term ends with and that no bracket closes."""
    if getattr(term, "bracket", ""):
        return ()
    if isinstance(term, Negative):
        return _open_sums(term.of)
    if isinstance(term, Product):
        return _open_sums(term.factors[-1])
    return (*term.letters, *_open_sums(term.body)) if isinstance(term, Summation) else ()


def _taking_in(term: Any, rest: tuple[Node, ...]) -> Any:
    """Return a term that ends in an open sum with further terms inside the innermost such sum."""
    if isinstance(term, Negative):
        return replace(term, of=_taking_in(term.of, rest))
    if isinstance(term, Product):
        return replace(term, factors=(*term.factors[:-1], _taking_in(term.factors[-1], rest)))
    return replace(term, body=_taking_in(term.body, rest) if _open_sums(term.body) else Add((term.body, *rest)))


def letter_of(node: Node) -> str:
    """Return the index letter that a node is, with its primes: "i", "j'"; "" if it is something else."""
    if isinstance(node, Name) and not node.below and not node.above:
        return node.base + "'" * node.primes
    return ""


def free_letters(node: Node | Condition) -> set[str]:
    """Return the index letters of a formula that no sum binds: i in p_i, [i = j] and x^(i).

    Layers (l, l-1, L) are no indices. A letter is free if it stands somewhere as an index: k is free in `y_k`, and
    not in `2 k`.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> sorted(free_letters(parse("p_i (delta_ij - sum_k p_k W_{k,y_n})")))
    ['i', 'j', 'n']
    """
    kept = vars(node).get(FREE)
    if kept is None:
        kept = frozenset(_free(node, False))
        object.__setattr__(node, FREE, kept)  # a node never changes: what was found of it is kept with it
    return set(kept)


FREE = "_free_letters"


def _free(node: Node | Condition, is_index: bool) -> set[str]:
    if isinstance(node, Name):
        letters = {letter_of(node)} - {""} if is_index else set()
        for part in node.below:
            letters |= _free(part, True)
        for part in node.above:
            letters |= {letter for letter in _free(part, True) if letter not in ("l", "L", "ell")}
        return letters
    if isinstance(node, Entry):
        return _free(node.of, is_index).union(*(_free(part, True) for part in node.below))
    if isinstance(node, Indicator | Condition):
        return set().union(*(_free(part, True) for part in children(node)))
    if isinstance(node, Cases):
        values = (_free(value, is_index) for value, _ in node.branches)
        return set().union(*values, *(_free(case, True) for _, case in node.branches if case))
    parts = children(node)
    letters = set().union(*(_free(part, True) if is_index else free_letters(part) for part in parts))
    if isinstance(node, Summation):
        letters |= _free(node.condition, True) if node.condition else set()
        letters -= set(node.letters)
    return letters


def rename_index(node: Any, letters: Mapping[str, str]) -> Any:
    """Return the formula with its free index letters renamed, all at once; letters that a sum binds stay.

    A sum whose letter is one of the new ones gets another letter, so that no free letter becomes bound.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> rename_index(parse("p_i sum_k y_k"), {"i": "j"}) == parse("p_j sum_k y_k")
    True
    >>> rename_index(parse("sum_k y_k p_i"), {"i": "k"}) == parse("sum_m y_m p_k")
    True
    """
    return _renamed(node, dict(letters), False)


def _renamed(node: Any, letters: dict[str, str], is_index: bool) -> Any:
    if not letters:
        return node
    if isinstance(node, Name):
        if is_index and letter_of(node) in letters:
            return Name(letters[letter_of(node)])
        inside = tuple(_renamed(part, letters, True) for part in node.below)
        return replace(node, below=inside, above=tuple(_renamed(part, letters, True) for part in node.above))
    if isinstance(node, Entry):
        inside = tuple(_renamed(part, letters, True) for part in node.below)
        return replace(node, of=_renamed(node.of, letters, is_index), below=inside)
    if isinstance(node, Indicator | Condition):
        return map_children(node, lambda part: _renamed(part, letters, True))
    if isinstance(node, Cases):
        branches = ((_renamed(value, letters, is_index), case) for value, case in node.branches)
        return replace(
            node, branches=tuple((value, case and _renamed(case, letters, True)) for value, case in branches)
        )
    if isinstance(node, Summation):
        letters = {old: new for old, new in letters.items() if old not in node.letters}
        for bound in set(node.letters) & set(letters.values()):
            node = _rebound(node, bound, letters)
        if node.condition:
            node = replace(node, condition=_renamed(node.condition, letters, True))
        if node.low is not None:
            node = replace(node, low=_renamed(node.low, letters, True))
        return replace(node, body=_renamed(node.body, letters, is_index))
    return map_children(node, lambda part: _renamed(part, letters, is_index))


def _rebound(node: Summation, bound: str, letters: dict[str, str]) -> Summation:
    """Return a sum with one of its letters replaced by an unused one."""
    used = names_in(node) | set(node.letters) | set(letters) | set(letters.values())
    other = next(letter for letter in (*"mnqrstuvabcdh", *(f"k_{n}" for n in range(1, 100))) if letter not in used)
    condition = _renamed(node.condition, {bound: other}, True) if node.condition else None
    return replace(
        node,
        letters=tuple(other if letter == bound else letter for letter in node.letters),
        body=_renamed(node.body, {bound: other}, False),
        condition=condition,
    )
