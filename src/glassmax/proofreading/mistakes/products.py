"""Mistakes of products: the order of factors, transposes, Hadamard for product, outer for product."""

from collections.abc import Iterator
from itertools import permutations

from ..formula.tree import Name, Node, Number, Product, Quotient, Transpose
from .correction import Correction, Setting

__all__ = ["factors_reordered", "other_product", "transposed", "turned_pair"]

LONGEST = 3
"""A longer product is reordered at two neighbors, or from its end."""
SCALAR = (Number, Quotient)


def factors_reordered(node: Node, setting: Setting) -> Iterator[Correction]:
    """The factors of a matrix product stand in another order."""
    if not isinstance(node, Product):
        return
    count = len(node.factors)
    for order in permutations(range(count)) if count <= LONGEST else _neighbors(count):
        if list(order) != list(range(count)):
            instead = Product(tuple(node.factors[at] for at in order), node.signs)
            says = f"the factors of {setting.write(node)} stand in the wrong order"
            yield Correction("order_of_factors", instead, says, 1.0)


def _neighbors(count: int) -> Iterator[tuple[int, ...]]:
    """Yield the orders with two neighbors exchanged, and the order from the end."""
    for at in range(count - 1):
        order = list(range(count))
        order[at], order[at + 1] = at + 1, at
        yield tuple(order)
    yield tuple(reversed(range(count)))


def transposed(node: Node, setting: Setting) -> Iterator[Correction]:
    """A transpose is missing, or one too many."""
    if isinstance(node, Transpose):
        says = f"{setting.write(node)} must not be transposed"
        yield Correction("transposed", node.of, says, 0.9)
    elif not isinstance(node, SCALAR):
        instead = Transpose(node)
        if isinstance(node, (Name, Product)):
            vector = isinstance(node, Name) and setting.axes(node) == 1
            says = f"{setting.write(node)} must be transposed: {setting.write(instead)}"
            yield Correction("transposed", instead, says, 1.3 if vector else 1.0)


def turned_pair(node: Node, setting: Setting) -> Iterator[Correction]:
    """Two neighbors that must change places, one of them transposed: a delta for delta a^T, delta W for W^T delta."""
    if not isinstance(node, Product):
        return
    for at in range(len(node.factors) - 1):
        first, second = node.factors[at : at + 2]
        if isinstance(first, SCALAR) or isinstance(second, SCALAR):
            continue
        orders = {
            "outer": (first, _turned(second)),
            "outer_swapped": (second, _turned(first)),
            "swapped": (_turned(second), first),
            "first": (_turned(first), second),
            "both": (_turned(second), _turned(first)),
        }
        for kind, pair in orders.items():
            instead = Product(
                (*node.factors[:at], *pair, *node.factors[at + 2 :]), (*node.signs[:at], "", *node.signs[at + 1 :])
            )
            outer = kind.startswith("outer")
            cause = "outer_product" if outer and _vectors(first, second, setting) else "order_of_factors"
            wanted = setting.write(Product(pair, ("",)))
            says = f"{setting.write(Product((first, second), (node.signs[at],)))} must be "
            says += f"the outer product {wanted}" if cause == "outer_product" else wanted
            yield Correction(cause, instead, says, 1.05)


def _turned(node: Node) -> Node:
    return node.of if isinstance(node, Transpose) else Transpose(node)


def _vectors(first: Node, second: Node, setting: Setting) -> bool:
    """Return whether no factor is a matrix: then a product with a transpose is an outer product."""
    bare = [node.of if isinstance(node, Transpose) else node for node in (first, second)]
    return not any(isinstance(node, Name) and setting.axes(node) == 2 for node in bare)


def other_product(node: Node, setting: Setting) -> Iterator[Correction]:
    """A product of one kind for another: elementwise for the matrix product, the reverse, outer for either."""
    if not isinstance(node, Product):
        return
    kinds = {
        "odot": ("matrix_product_for_elementwise", "elementwise"),
        "": ("elementwise_product", "a matrix product"),
        "outer": ("outer_product", "an outer product"),
    }
    for at, sign in enumerate(node.signs):
        pair = Product(node.factors[at : at + 2], (sign,))
        if any(isinstance(factor, SCALAR) for factor in pair.factors):
            continue
        for new, (cause, words) in kinds.items():
            if new == sign or {new, sign} == {"", "@"}:
                continue
            instead = Product(node.factors, (*node.signs[:at], new, *node.signs[at + 1 :]))
            says = f"the product {setting.write(pair)} must be {words}"
            yield Correction(cause, instead, says, 1.0 if new != "outer" else 1.2)
