"""Every place of a formula, and the formula with something else at one place."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..formula.tree import Name, Node, Summation
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
    """Yield each part of a formula, the whole first; the indices of a name are no parts.

    Examples
    --------
    >>> [place.path for place in places(Name("p", below=(Name("i"),)))]
    [()]
    """
    stack = [Place(tree, (), frozenset(), ())]
    while stack:
        place = stack.pop()
        yield place
        if isinstance(place.node, Name):
            continue
        bound = place.bound | (frozenset(place.node.letters) if isinstance(place.node, Summation) else frozenset())
        below = list(enumerate(children(place.node)))
        for at, child in reversed(below):
            stack.append(Place(child, (*place.path, at), bound, (*place.parents, place.node)))


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
