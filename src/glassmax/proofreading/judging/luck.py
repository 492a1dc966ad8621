"""Lines that are right by luck: a transposed Jacobian that happens to be symmetric."""

from collections.abc import Iterator

from ..formula.tree import Derivative, Name, Node, Product
from ..formula.walk import letter_of, nodes_in, rename_index
from ..formula.write import write
from ..mistakes.places import places, with_part
from ..numbers import Context, Equation, Fault, contexts
from .agreement import agreement

__all__ = ["lucky"]


def lucky(left: Node, right: Node, equations: list[Equation], context: Context) -> tuple[str, Node] | None:
    """Return why a right line is right by luck, and the line as it should read; None if it is not.

    The letters of a derivative in a product are exchanged, and only the symmetry of the Jacobian hides it: without the
    definition of what is differentiated the exchanged letters are wrong.
    """
    for of, turned, part in _turned_jacobians(left, right):
        loose = _without_definition(of, equations, context)
        if loose is None:
            continue
        if agreement(loose, left, right).kind == "" and agreement(loose, left, turned).kind == "same":
            exchanged = rename_index(part, _exchange(part))
            says = f"{write(part)} stands where {write(exchanged)} belongs, and the Jacobian of {of.base} is symmetric"
            return says, turned
    return None


def _turned_jacobians(left: Node, right: Node) -> Iterator[tuple[Name, Node, Derivative]]:
    """Yield each derivative of a component by a component in a product, with its letters exchanged in the formula."""
    if any(
        isinstance(node, Derivative) and isinstance(node.of, Name) and len(node.of.below) for node in nodes_in(left)
    ):
        return
    for place in places(right):
        node = place.node
        if isinstance(node, Derivative) and _exchange(node) and any(isinstance(one, Product) for one in place.parents):
            assert isinstance(node.of, Name)
            yield node.of, with_part(right, place.path, rename_index(node, _exchange(node))), node


def _exchange(node: Derivative) -> dict[str, str]:
    of, by = node.of, node.by[0]
    if len(node.by) != 1 or not (isinstance(of, Name) and isinstance(by, Name)):
        return {}
    if len(of.below) != 1 or len(by.below) != 1:
        return {}
    one, other = letter_of(of.below[0]), letter_of(by.below[0])
    return {one: other, other: one} if one and other and one != other else {}


def _without_definition(of: Name, equations: list[Equation], context: Context) -> Context | None:
    """Return a reading in which what is differentiated is any function."""
    try:
        definition = context.definitions.of(context.names.of(of).key)
    except Fault:
        return None
    if definition is None or any(equation not in equations for equation in definition.equations):
        return None
    rest = [equation for equation in equations if not any(equation is one for one in definition.equations)]
    found = contexts(rest)
    return found[0] if found else None
