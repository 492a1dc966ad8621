"""A small t above a matrix: a transpose, X^t dZ, in a text that has no steps t and t + 1."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .tree import Entry, Name, Node, Power, Summation, Transpose
from .walk import map_children, names_in, nodes_in

__all__ = ["t_transposes", "with_transposes"]

T = Name("t")


def t_transposes(chains: Iterable[Sequence[Node | None]]) -> bool:
    """Return whether t stands above names, and nowhere as an index or in a step t + 1."""
    nodes = [node for sides in chains for side in sides if side is not None for node in nodes_in(side)]
    for node in nodes:
        if isinstance(node, Summation) and "t" in node.letters:
            return False
        if isinstance(node, Name | Entry) and any("t" in names_in(index) for index in node.below):
            return False
        if isinstance(node, Name) and any(one != T and "t" in names_in(one) for one in node.above):
            return False
    return any(isinstance(node, Name) and node.above == (T,) and node.base[:1].isupper() for node in nodes)


def with_transposes(node: Node) -> Node:
    """Return a formula with each t above a name or a bracket as a transpose.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> with_transposes(parse("X^t (X w)^t")) == parse("X^T (X w)^T")
    True
    """
    if isinstance(node, Name):
        return Transpose(replace(node, above=(), typed_as=""), "t") if node.above == (T,) and not node.below else node
    if isinstance(node, Power) and node.exponent == T:
        return Transpose(with_transposes(node.base), "t", node.bracket)
    return map_children(node, with_transposes)
