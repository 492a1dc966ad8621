"""Mistakes of letters: an index on one side only, a summed letter used as a free one, two letters for one, delta."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, permutations, product

from ..formula.tree import Add, Call, Derivative, Entry, Indicator, Name, Node, Product, Quotient, Summation
from ..formula.walk import free_letters, letter_of, map_children, rename_index
from .correction import Correction, Setting

__all__ = ["count_of", "index_left_out", "index_too_many", "letters_exchanged", "summed_letter_as_free", "sums_letter"]
__all__ += ["without_letter"]

DELTAS = ("delta", "Indicator")
TWO_LETTERS = 1.5
"""The cost of two letters that are others at once."""
WITH_LETTERS = (Name, Product, Quotient, Derivative, Call, Entry, Add, Summation, Indicator)


def letters_exchanged(node: Node, setting: Setting) -> Iterator[Correction]:
    """One or two letters of a part are others: p_i (delta_ij - p_j) where p_k (delta_ik - p_i) belongs."""
    if not isinstance(node, WITH_LETTERS):
        return
    free = sorted(free_letters(node) & set(setting.letters))
    alone = isinstance(node, (Name, Indicator))
    for old in free:
        if not alone and count_of(node, old) < 2:
            continue  # the name that has the letter is a place of its own
        for new in setting.letters:
            if new != old and not _is_constant(node, {old: new}):
                yield _renamed(node, {old: new}, setting)
    for olds in combinations(free, 2) if setting.dearest >= TWO_LETTERS else ():
        for news in permutations(setting.letters, 2):
            if all(old != new for old, new in zip(olds, news, strict=True)):
                yield _renamed(node, dict(zip(olds, news, strict=True)), setting)


def _is_constant(node: Node, letters: Mapping[str, str]) -> bool:
    """Return whether new letters make a delta that is always 1."""
    if not (isinstance(node, Name) and node.base == "delta"):
        return False
    below = rename_index(node, dict(letters)).below
    return len(below) == 2 and below[0] == below[1]


def _renamed(node: Node, letters: Mapping[str, str], setting: Setting) -> Correction:
    instead = rename_index(node, dict(letters))
    cause, says = _reason(node, instead, letters, setting)
    cost = 1.0 if len(letters) == 1 else TWO_LETTERS
    cost += 0.4 / len(letters) * (cause == "wrong_index")
    sure = setting.on_left and bool(set(letters) & setting.left_twice)
    return Correction(cause, instead, says, cost - 0.3 * sure)


def _reason(node: Node, instead: Node, letters: Mapping[str, str], setting: Setting) -> tuple[str, str]:
    old, new = next(iter(letters.items()))
    if (isinstance(node, Name) and node.base == "delta") or isinstance(node, Indicator):
        return (
            "delta_wrong_pair",
            f"{setting.write(node)} has the wrong pair of letters: it must be {setting.write(instead)}",
        )
    if len(letters) == 2 and set(letters) == set(letters.values()):
        if isinstance(node, Name):
            return (
                "transposed",
                f"{setting.write(node)} is an entry of the transpose: {setting.write(instead)} belongs here",
            )
        return "wrong_index", f"the letters {old} and {new} are exchanged in {setting.write(node)}"
    if set(letters.values()) & setting.unused:
        unused = next(name for name in letters.values() if name in setting.unused)
        was = next(name for name, to in letters.items() if to == unused)
        return "two_letters_for_one", f"the sum is over {unused}, but its terms have {was}"
    loose = [name for name in letters if name not in setting.left_letters | setting.bound]
    if loose and not setting.on_left:
        return (
            "index_on_one_side",
            f"{_all(loose)} on the right side only, and no sum is over {'it' if len(loose) == 1 else 'them'}",
        )
    if setting.on_left:
        return _reason_left(node, letters, setting)
    if old in setting.left_letters and new in setting.bound:
        return (
            "summed_letter_free",
            f"{setting.write(node)} has the free letter {old} where the summed letter {new} belongs",
        )
    if old in setting.bound and new in setting.left_letters:
        return (
            "summed_letter_free",
            f"{setting.write(node)} has the summed letter {old} where the free letter {new} belongs",
        )
    return "wrong_index", f"{setting.write(node)} has the letter {old} where {new} belongs"


def _reason_left(node: Node, letters: Mapping[str, str], setting: Setting) -> tuple[str, str]:
    old, new = next(iter(letters.items()))
    if new in setting.right_letters and new not in setting.left_letters:
        twice = " twice" if old in setting.left_twice else ""
        return "index_on_one_side", f"the left side has the index {old}{twice} and no {new}"
    if old not in setting.right_letters:
        return "index_on_one_side", f"the index {old} stands on the left side only"
    return "wrong_index", f"the left side has the index {old} where {new} belongs"


def _all(names: list[str]) -> str:
    return f"the index {names[0]} stands" if len(names) == 1 else f"the indices {' and '.join(names)} stand"


def sums_letter(node: Node, setting: Setting) -> Iterator[Correction]:
    """A sum is over a letter that its terms don't have: sum_j y_k log p_k."""
    if not isinstance(node, Summation) or len(node.letters) != 1:
        return
    mine = node.letters[0]
    inside = free_letters(node.body)
    for new in sorted(inside - {mine} - setting.bound):
        says = f"the sum is over {mine}, but its terms have {new}"
        cause = "two_letters_for_one"
        if mine in inside:
            says, cause = f"the sum is over {mine} where it must be over {new}", "wrong_index"
        cost = 0.9 if mine not in inside else 1.4
        yield Correction(cause, replace(node, letters=(new,)), says, cost + 0.2 * (new in setting.left_letters))


def summed_letter_as_free(node: Node, setting: Setting) -> Iterator[Correction]:
    """The letter of a sum is also a letter of the left side: dL/dz_i = sum_i dL/dp_i dp_i/dz_i."""
    if not isinstance(node, Summation):
        return
    for mine in node.letters:
        new = next((name for name in setting.letters if _is_new(name, node, setting)), None)
        if mine not in setting.left_letters or new is None:
            continue
        says = f"the sum is over {mine}, which is a free letter of the left side: the sum needs a letter of its own"
        count = count_of(node.body, mine)
        for kept in [(), *((at,) for at in range(count)), *combinations(range(count), 2)]:
            body = _rename_some(node.body, mine, new, frozenset(kept))
            letters = tuple(new if name == mine else name for name in node.letters)
            cost = 1.0 + 0.1 * len(kept) - 0.001 * sum(kept)  # the variable of a derivative stands last
            yield Correction("summed_letter_free", replace(node, letters=letters, body=body), says, cost)


def _is_new(name: str, node: Summation, setting: Setting) -> bool:
    return name not in setting.left_letters | setting.bound | free_letters(node.body) | set(node.letters)


def count_of(node: Node, mine: str) -> int:
    """Return how often a letter stands in a formula as an index."""
    total = 0

    def counted(name: str) -> str:
        nonlocal total
        total += name == mine
        return name

    _each_index(node, counted)
    return total


def _rename_some(node: Node, mine: str, new: str, kept: frozenset[int]) -> Node:
    """Rename a letter, except where it stands for the `kept`-th time."""
    at = -1

    def renamed(name: str) -> str:
        nonlocal at
        if name != mine:
            return name
        at += 1
        return mine if at in kept else new

    return _each_index(node, renamed)


def _each_index(node: Node, change: Callable[[str], str]) -> Node:
    """Change each letter of an index, in the order of writing."""
    if isinstance(node, Name):
        below = [(at, change(letter_of(at))) if letter_of(at) else (at, "") for at in node.below]
        return replace(node, below=tuple(Name(new) if new not in ("", letter_of(at)) else at for at, new in below))
    return map_children(node, lambda child: _each_index(child, change))


def index_left_out(node: Node, setting: Setting) -> Iterator[Correction]:
    """A quantity lost its index: y (delta_ij - y) for y_i (delta_ij - y_j)."""
    if not isinstance(node, Name) or node.below or node.base in setting.letters:
        return
    axes = setting.axes(node)
    present = sorted(setting.left_letters | setting.right_letters | setting.bound)
    for letters in product(present, repeat=axes) if axes in (1, 2) else ():
        instead = replace(node, below=tuple(Name(name) for name in letters), typed_as=node.typed_as or "_")
        yield Correction(
            "index_missing",
            instead,
            f"{setting.write(node)} has no index where it must be {setting.write(instead)}",
            1.2,
        )


def index_too_many(node: Node, setting: Setting) -> Iterator[Correction]:
    """A quantity has an index where the whole array belongs: dL/dz = p_i - y_i."""
    free = free_letters(node) & set(setting.letters) if isinstance(node, WITH_LETTERS) else frozenset()
    for mine in sorted(free - setting.left_letters - setting.bound):
        instead = without_letter(node, mine)
        says = f"{setting.write(node)} has the index {mine}, which the left side does not have"
        yield Correction("component_for_vector", instead, says, 1.3)


def without_letter(node: Node, mine: str) -> Node:
    """Return a formula whose names have lost an index: p - y for p_i - y_i."""
    if isinstance(node, Name):
        return replace(node, below=()) if [letter_of(at) for at in node.below] == [mine] else node
    return map_children(node, lambda child: without_letter(child, mine))
