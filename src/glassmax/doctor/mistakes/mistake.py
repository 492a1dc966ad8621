"""A mistake: a cause, its words and its formula, written down once and applied to any pass."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...functional.arrays import Array
from .placed import PlacedMistake

__all__ = ["Mistake"]

S = TypeVar("S")


@dataclass(frozen=True, eq=False)
class Mistake(Generic[S]):
    """A wrong version of one step of the backward pass. It is its own identity: two records are never equal.

    Attributes
    ----------
    cause : str
        The stable name.
    words : str
        What was done, as the end of the sentence "It looks as if ...". Names in braces are filled in for the layer.
    formula : callable
        The learner's array, from the place where the mistake is made. None if the mistake can't be made at this place.
    cost : float, default=1.0
        1 for the most frequent, a little more for the rarer: of two that fit equally well the cheaper comes first.
    any_scale : bool, default=False
        Whether the formula is not linear, so that its factor 1/n may stand in several places: a power of n is forgiven.
    also : tuple of str, default=()
        Other causes that make the same array whatever the data.
    """

    cause: str
    words: str
    formula: Callable[[S], Array | None]
    cost: float = 1.0
    any_scale: bool = False
    also: tuple[str, ...] = ()

    def at(self, node: str, names: Mapping[str, object]) -> PlacedMistake:
        """Return the mistake as it is made at a node, with the names of its layer filled into the words."""
        return PlacedMistake(self.cause, node, self.words.format_map(names), self.cost, also=self.also)
