"""Recurrent networks: b_h beside W_hh and W_xh is a bias of its own, and no entry of b."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .tree import Name, Node
from .walk import letter_of, map_children, nodes_in

__all__ = ["layers_of_weights", "with_biases"]

WEIGHTS = re.compile(r"[WUV]_([a-z])([a-z])$")


def layers_of_weights(nodes: Iterable[Node]) -> frozenset[str]:
    """Return the letters of the layers that weights such as W_xh and W_hh connect."""
    names = {part.base for node in nodes for part in nodes_in(node) if isinstance(part, Name)}
    return frozenset(letter for name in names if (found := WEIGHTS.match(name)) for letter in found.groups())


def with_biases(node: Any, layers: frozenset[str]) -> Any:
    """Return a formula in which b_h, with the letter of a layer below it, is one name.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> with_biases(parse("W_hh h + b_h"), frozenset("xh")).terms[1].base
    'b_h'
    """
    if not layers:
        return node
    if isinstance(node, Name):
        letter = letter_of(node.below[0]) if len(node.below) == 1 and node.base == "b" else ""
        return (
            replace(node, base=f"b_{letter}", below=(), typed=f"b_{letter}", typed_as="") if letter in layers else node
        )
    return map_children(node, lambda part: with_biases(part, layers))
