"""Definitions that have no value as they stand: an entry of a matrix that is a whole array."""

from collections.abc import Iterator

from ..checked import WRONG
from ..formula.tree import Matrix, Name, Node
from ..formula.walk import nodes_in
from ..formula.write import write
from ..mistakes.correction import Equation
from ..mistakes.places import Place, places, with_part
from .document import Document
from .verdict import Verdict

__all__ = ["faulty_definition"]


def faulty_definition(left: Node, right: Node, document: Document) -> Verdict | None:
    """Return what is wrong with a definition, if the array of one entry has to be a component beside it.

    y1 (1 - y) in a matrix of numbers: y is an array everywhere else, and y1 stands beside it.
    """
    if not isinstance(right, Matrix) or document.compare(left, right, None, turns=(0,)).kind != "shapes":
        return None
    for place in places(right):
        for other in _beside(place):
            corrected = with_part(right, place.path, other)
            if document.compare(right, corrected, None, turns=(0,)).kind == "shapes" and _has_value(
                corrected, document
            ):
                says = f"{write(place.node)} is the whole array where its component {write(other)} belongs"
                return Verdict(WRONG, "index_missing", says, equation=Equation(left, corrected), proved=False)
    return None


def _beside(place: Place) -> Iterator[Name]:
    """Yield the components of an array without an index that stand in the same entry, the nearest first."""
    node = place.node
    if not isinstance(node, Name) or node.below:
        return
    for parent in reversed(place.parents):
        if isinstance(parent, Matrix):
            return
        for other in nodes_in(parent):
            if isinstance(other, Name) and other.base == node.base and other.below:
                yield other


def _has_value(node: Node, document: Document) -> bool:
    return document.compare(node, node, None, turns=(0,)).kind == "same"
