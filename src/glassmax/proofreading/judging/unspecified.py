"""A claim about the derivative of something that the text does not define: nothing can be said of it."""

from ..formula.tree import Derivative, Name, Node
from ..formula.walk import nodes_in
from ..formula.write import write
from ..numbers import Context, Fault
from ..numbers.names import Names

__all__ = ["unspecified_name"]


def unspecified_name(left: Node, right: Node, context: Context) -> str:
    """Return the name of the open function that a claim gives a value; empty if the claim can be judged.

    If nothing says what L is, ``dL/dz = p - y`` can't be judged; ``dL/dz = dL/dp dp/dz`` is right or wrong for any L.
    """
    if not isinstance(left, Derivative) or not isinstance(left.of, Name):
        return ""
    try:
        key = context.names.of(left.of).key
    except Fault:
        return ""
    if key not in context.open_of or _speaks_of(right, key, context.names, context, set()):
        return ""
    return write(left.of)


def _speaks_of(node: Node, key: str, names: Names, context: Context, seen: set[str]) -> bool:
    """Return whether a formula has a name in it, or one that is defined by it."""
    for part in nodes_in(node):
        if not isinstance(part, Name):
            continue
        try:
            found = names.of(part).key
        except Fault:
            continue
        if found == key:
            return True
        if found in seen:
            continue
        seen.add(found)
        definition = context.definitions.of(found)
        branches = definition.branches if definition is not None else ()
        if definition and any(_speaks_of(value, key, definition.names, context, seen) for value, _ in branches):
            return True
    return False
