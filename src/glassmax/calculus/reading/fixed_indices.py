"""Fixed indices: y in ``L = -log p_y``, the true class of a single sample; each becomes a label without indices.

An index that no sum and no left side has is a fixed index only where no sum can have been forgotten. For the
conventional letter of a class, y, that is clear. Any other letter is a fixed index if a single array carries it, and
the same array has another index in that place elsewhere, as u in ``sum_d u_od v_d - log sum_w exp(sum_d u_wd v_d)``, or
the letter is c, t or o. The letters i to n, which sums usually run over, must also stand outside of all sums. All other
letters are fixed only if the user says so.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from ...errors import ExpressionError, Setting
from ..expression import Delta, Expr, Index, Label, Sum, Tensor, children, indices_of, map_children, walk
from ..indices import all_indices, fresh, rename
from .resolve import Equation, Places, Softmax, Use, inline_softmaxes, separate
from .signs import CLASS_WORDS

__all__ = ["fixed_indices", "with_labels"]

TRUE_CLASS = ("y", *CLASS_WORDS)
ON_A_LEFT_SIDE = (*TRUE_CLASS, "c", "o")
"""Letters that are fixed in one equation even where they run in another, as in p_y = exp(z_y) / sum_j exp(z_j)."""
CONVENTIONAL = ("c", "t", "o")
"""Letters for the class, the target, and the center and the context of skip-gram."""
RUNNING = ("i", "j", "k", "l", "m", "n")
"""Letters that sums usually run over."""

Place = tuple[str, int]
"""The name of an array and the position of an index."""


def fixed_indices(
    equations: Sequence[Equation], softmaxes: Sequence[Softmax], declared: Collection[str], places: Places
) -> frozenset[str]:
    """Return the letters that stand for one fixed index each, wherever they are neither summed nor on the left."""
    written = [(each, inline_softmaxes(each.value, softmaxes, places)) for each in equations]
    running: set[Place] = {(each.name, at) for each in equations for at in range(len(each.indices))}
    carriers: dict[str, set[Place]] = {}
    inside: set[str] = set()  # letters that stand inside of a sum over another letter
    for each, value in written:
        left = frozenset(each.indices)
        for letter, place, bound in _appearances(value, left):
            if letter in bound:
                running.add(place)
            else:
                carriers.setdefault(letter, set()).add(place)
                inside |= {letter} if bound > left else set()
    labels = {letter: label for _, value in written for label in _labels(value) for letter in label.indices}
    for letter in declared:
        if letter not in carriers:
            what = f" is {letter!r}, expected an index that occurs in the equations, but in no sum and on no left side."
            raise ExpressionError((Setting("fixed"), what))
        if letter in labels:
            label = labels[letter]
            what = f" is {letter!r}, the index of the class label {label.name}_{''.join(label.indices)}"
            raise ExpressionError((Setting("fixed"), f"{what}; write {label.name}, without an index."))
    summed = {letter for _, value in written for letter in _summed(value)}
    elsewhere = {letter for each in equations for letter in each.indices} | {each.axis for each in softmaxes}
    found = set(declared)
    for letter, at in carriers.items():
        if letter in summed or letter in labels or (letter in elsewhere and letter not in ON_A_LEFT_SIDE):
            continue
        arrays = {place for place in at if place[0]}
        known = letter in CONVENTIONAL or (
            arrays and arrays <= running and not (letter in RUNNING and letter in inside)
        )
        if letter in TRUE_CLASS or (known and len(arrays) <= 1):
            found.add(letter)
    return frozenset(found)


def _appearances(e: Expr, bound: frozenset[str]) -> Iterator[tuple[str, Place, frozenset[str]]]:
    """Yield each letter with the array that carries it, "" for a delta, and the letters of sums and the left side."""
    if isinstance(e, Tensor | Delta):
        name, indices = (e.name, e.indices) if isinstance(e, Tensor) else ("", (e.i, e.j))
        for at, index in enumerate(indices):
            if isinstance(index, Label):
                yield from ((letter, (index.name, n), bound) for n, letter in enumerate(index.indices))
            else:
                yield index, (name, at), bound
    bound = bound | set(e.indices) if isinstance(e, Sum) else bound
    for child in children(e):
        yield from _appearances(child, bound)


def _labels(e: Expr) -> Iterator[Label]:
    yield from (index for part in walk(e) for index in indices_of(part) if isinstance(index, Label))


def _summed(e: Expr) -> Iterator[str]:
    yield from (letter for part in walk(e) if isinstance(part, Sum) for letter in part.indices)


def with_labels(
    equations: Sequence[Equation], softmaxes: Sequence[Softmax], fixed: frozenset[str], places: Places
) -> tuple[list[Equation], list[Softmax], list[Use]]:
    """Write each fixed index as a label; a running index of the same letter gets another letter."""
    every = {letter for each in equations for letter in (*each.indices, *all_indices(each.value))}
    every |= {letter for each in softmaxes for letter in (*each.letters, *all_indices(each.argument))}
    aside: dict[str, Index] = {}
    for letter in sorted(fixed):
        aside[letter] = fresh(every | set(fixed) | {str(other) for other in aside.values()}, "i")
    by_mark = {each.mark.name: each for each in softmaxes}
    done: dict[str, Softmax] = {}
    uses: list[Use] = []

    def labelled(e: Expr, letters: frozenset[str]) -> Expr:
        """Return `e` with a label for each of the letters."""
        labels: dict[str, Index] = {letter: Label(letter) for letter in letters}
        return separate(rename(marks(e, letters), labels | {old: aside[old] for old in fixed - letters}), sorted(fixed))

    def marks(e: Expr, letters: frozenset[str]) -> Expr:
        """Drop the letters from softmaxes that don't run over them, and write each softmax anew."""
        if isinstance(e, Tensor) and e.name in by_mark:
            each = by_mark[e.name]
            inside = letters - {each.axis}
            kept = tuple(str(index) for index in e.indices if index not in inside)
            own = tuple(str(aside.get(letter, letter)) for letter in kept)
            argument = labelled(each.argument, inside)
            done[e.name] = Softmax(Tensor(e.name, own), str(aside.get(each.axis, each.axis)), argument)
            return Tensor(e.name, kept)
        inside = letters - set(e.indices) if isinstance(e, Sum) else letters
        return map_children(e, lambda child: marks(child, inside))

    out = []
    for each in equations:
        here = fixed - set(each.indices)
        for letter, place in places.unbound(each.value):
            if letter in here:
                uses.append(Use(letter, "label", 0, place))
        left = tuple(str(aside.get(letter, letter)) for letter in each.indices)
        out.append(replace(each, indices=left, value=labelled(each.value, here)))
    return out, [done.get(each.mark.name, each) for each in softmaxes], uses
