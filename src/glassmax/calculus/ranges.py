"""Ranges: which index letters and which positions of arrays run over the same values, because they share a letter."""

from collections.abc import Sequence
from typing import Any

from .expression import Assumption, Delta, Expr, Index, Label, Program, Sum, Tensor, children
from .indices import free_indices

__all__ = ["Ranges", "ranges_of"]


class Ranges:
    """Groups of array positions and letters that run over the same range; `arity` is how many indices an array has."""

    def __init__(self) -> None:
        self.arity: dict[str, int] = {}
        self._parent: dict[Any, Any] = {}

    def root(self, place: Any) -> Any:
        """Return the representative of a place."""
        self._parent.setdefault(place, place)
        while self._parent[place] != place:
            place = self._parent[place]
        return place

    def tie(self, a: Any, b: Any) -> None:
        """Record that two places have the same range."""
        self._parent[self.root(a)] = self.root(b)


def ranges_of(program: Program, assumptions: Sequence[Assumption]) -> Ranges:
    """Return the ranges of a program: places that share a letter in an equation have one range."""
    ranges = Ranges()
    arity = ranges.arity
    scope = 0

    def see(e: Expr, letters: dict[str, Any]) -> None:
        nonlocal scope
        if isinstance(e, Sum):
            letters = dict(letters)
            for bound in e.indices:
                scope += 1
                letters[bound] = ("letter", scope, bound)
        if isinstance(e, Tensor):
            arity[e.name] = len(e.indices)
            for position, index in enumerate(e.indices):
                ranges.tie((e.name, position), place_of(index, letters))
        if isinstance(e, Delta):
            ranges.tie(place_of(e.i, letters), place_of(e.j, letters))
        for child in children(e):
            see(child, letters)

    def place_of(index: Index, letters: dict[str, Any]) -> Any:
        if isinstance(index, Label):
            arity[index.name] = len(index.indices)
            for position, letter in enumerate(index.indices):
                ranges.tie((index.name, position), letters.setdefault(letter, ("letter", 0, letter)))
            return ("range", index.name)
        return letters.setdefault(index, ("letter", 0, index))

    for number, definition in enumerate(program.definitions):
        letters: dict[str, Any] = {letter: ("own", number, letter) for letter in free_indices(definition.value)}
        letters |= {letter: ("own", number, letter) for letter in definition.indices}
        see(Tensor(definition.name, definition.indices), letters)
        see(definition.value, letters)
    for number, e in enumerate(side for pair in assumptions for side in pair):
        see(e, {letter: ("extra", number, letter) for letter in free_indices(e)})
    return ranges
