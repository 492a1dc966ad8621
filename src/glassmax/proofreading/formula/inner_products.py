"""Inner products without a transpose: θ x^i for θᵀ x^i, where θ and x have components θ_j and x_j."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from .tree import Name, Node, Product, Transpose
from .walk import letter_of, map_children, nodes_in

__all__ = ["inner_products"]

WEIGHTS = frozenset({"w", "theta", "beta", "omega"})


def inner_products(chains: Iterable[Sequence[Node | None]]) -> Callable[[Node], Node]:
    """Return a function that reads the product of a vector of weights and a vector as a number.

    Only where each of the two has components with one letter, and no formula transposes the weights or sets a sign
    between the two.
    """
    parts = [part for chain in chains for side in chain if side is not None for part in nodes_in(side)]
    below: dict[str, set[int]] = {}
    for part in parts:
        if isinstance(part, Name):
            below.setdefault(part.base, set()).add(len(part.below) if all(map(letter_of, part.below)) else 0)
    turned = {part.of.base for part in parts if isinstance(part, Transpose) and isinstance(part.of, Name)}
    vectors = {base for base, counts in below.items() if 1 in counts <= {0, 1}} - turned
    pairs = [pair for part in parts if isinstance(part, Product) for pair in _pairs(part)]
    if any(sign for first, second, sign in pairs if {first.base, second.base} <= vectors):
        return lambda node: node
    wanted = {
        (first.base, second.base)
        for first, second, _ in pairs
        if {first.base, second.base} <= vectors and first.base in WEIGHTS and second.base not in WEIGHTS
    }

    def meant(node: Node) -> Node:
        node = map_children(node, meant)
        if not isinstance(node, Product):
            return node
        signs = list(node.signs)
        for at, (first, second, sign) in _placed(node):
            if not sign and (first.base, second.base) in wanted:
                signs[at] = "inner"
        return replace(node, signs=tuple(signs))

    return meant if wanted else lambda node: node


def _placed(product: Product) -> list[tuple[int, tuple[Name, Name, str]]]:
    """The places and the pairs of neighbors that are whole vectors."""
    found = []
    for at, ((first, second), sign) in enumerate(zip(pairwise(product.factors), product.signs, strict=True)):
        if isinstance(first, Name) and isinstance(second, Name) and not first.below and not second.below:
            found.append((at, (first, second, sign)))
    return found


def _pairs(product: Product) -> list[tuple[Name, Name, str]]:
    return [pair for _, pair in _placed(product)]
