"""Every place of a formula, and the formula with something else at one place."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..formula.tree import Call, Cases, Entry, Indicator, Name, Node, Summation
from ..formula.walk import children, map_children

__all__ = ["Place", "places", "with_part"]


@dataclass(frozen=True)
class Place:
    """A part of a formula: the way to it from the root, and the letters of the sums around it."""

    node: Node
    path: tuple[int, ...]
    bound: frozenset[str]
    parents: tuple[Node, ...]


def places(tree: Node) -> Iterator[Place]:
    """Yield each part of a formula, the whole first; indices, conditions and the names of functions are no parts.

    Examples
    --------
    >>> [place.path for place in places(Name("p", below=(Name("i"),)))]
    [()]
    """
    stack = [Place(tree, (), frozenset(), ())]
    while stack:
        place = stack.pop()
        yield place
        bound = place.bound | (frozenset(place.node.letters) if isinstance(place.node, Summation) else frozenset())
        for at, child in reversed(_quantities(place.node)):
            stack.append(Place(child, (*place.path, at), bound, (*place.parents, place.node)))


def _quantities(node: Node) -> list[tuple[int, Node]]:
    """Return the children that are quantities, with their positions: no index, condition, bound or function's name."""
    below = list(enumerate(children(node)))
    if isinstance(node, (Name, Indicator)):
        return []
    if isinstance(node, Call):
        return below[1:]
    if isinstance(node, (Entry, Summation)):
        return below[:1]
    if isinstance(node, Cases):
        values, at = [], 0
        for value, condition in node.branches:
            values.append((at, value))
            at += 1 + (len(children(condition)) if condition else 0)
        return values
    return below


def with_part(tree: Node, path: tuple[int, ...], instead: Node) -> Node:
    """Return the formula with `instead` at the place that `path` leads to."""
    if not path:
        return instead
    wanted, at = path[0], -1

    def changed(child: Node) -> Node:
        nonlocal at
        at += 1
        return with_part(child, path[1:], instead) if at == wanted else child

    return map_children(tree, changed)
