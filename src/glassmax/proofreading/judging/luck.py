"""Lines that are right by luck: a transposed Jacobian that happens to be symmetric, and special sizes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..formula.tree import Condition, Derivative, Name, Node, Product
from ..formula.walk import letter_of, nodes_in, rename_index
from ..formula.write import write
from ..mistakes.places import places, with_part
from ..numbers import Context, Equation, Fault, contexts
from .agreement import agreement

if TYPE_CHECKING:
    from .assumptions import Assumption
    from .document import Document

__all__ = ["lucky", "lucky_sizes"]

COUNTS = {"size one": ("1", "one entry"), "size two": ("2", "two entries")}


def lucky_sizes(
    left: Node, right: Node, condition: Condition | None, document: "Document", assumption: tuple["Assumption", ...]
) -> str:
    """Return the sizes, in words, for which a wrong line is right all the same: N = 1; "" if there are none."""
    context = document.context
    axes = [dim for dim in context.draw(0).sizes if dim not in context.reading.dims.literal]
    special = [(what, str(dim), dim) for dim in axes for what in COUNTS] if len(axes) <= MOST_AXES else []
    for what, name, dim in [*special, ("all sizes equal", "", None)]:
        adjusted = (*assumption, (what, name))
        if document.compare(left, right, condition, adjusted, (0,)).kind != "same" or _is_zero(left, adjusted, context):
            continue
        if document.compare(left, right, condition, adjusted).kind == "same":
            return "all sizes are equal, so that each matrix is square" if dim is None else _sized(dim, what, context)
    return ""


MOST_AXES = 8


def _is_zero(left: Node, adjusted: tuple["Assumption", ...], context: Context) -> bool:
    """Return whether there is nothing to compare: the derivative of the softmax of one score is 0."""
    try:
        return not bool(abs(context.value(left, context.draw(0, adjusted)).array).max(initial=0) > ZERO)
    except Fault:
        return True


ZERO = 1e-9


def _sized(dim: object, what: str, context: Context) -> str:
    """Return a size in words: N = 1, or: p has two entries."""
    number, entries = COUNTS[what]
    dims = context.reading.dims
    same = [one for one in dims.parent if isinstance(one, tuple) and dims.find(one) == dims.find(dim)]
    for kind, key, *_ in same:
        if kind == "count":
            return f"{write(Name(str(key)))} = {number}"
    for kind, key, *_ in sorted(same, key=lambda one: context.rank(str(one[1])) or 9):
        if kind == "axis":
            return (
                f"{write(Name(str(key).partition('^')[0]))} has {entries} along one of its axes"
                if (context.rank(str(key).partition("^")[0]) or 0) > 1
                else f"{write(Name(str(key).partition('^')[0]))} has {entries}"
            )
    return f"there is only {entries}"


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
