"""Functions that a document never defines: a line that needs to know one of them can't be judged."""

from collections.abc import Collection, Iterator

from ..formula.tree import Derivative, Name, Node
from ..formula.walk import nodes_in
from ..numbers import Context, Fault

__all__ = ["unknown_function"]


def unknown_function(left: Node, right: Node, context: Context) -> Name | None:
    """Return the function whose derivative is on the left side alone, if nothing defines it; None if there is none.

    If nothing says how p depends on z, ``dL/dz_i = p_i - y_i`` can't be judged, ``dL/dz_i = sum_k dL/dp_k dp_k/dz_i``
    can.
    """
    if not isinstance(left, Derivative):
        return None
    known = {_key(one.of, context) for one in _all_in(right, context) if isinstance(one, Derivative)}
    if any(isinstance(one, Name) and one.base.startswith(("d", "grad")) for one in _all_in(right, context)):
        return None
    variables = {_key(one, context) for one in left.by}
    for part in _all_in(left.of, context, variables):
        key = _key(part, context)
        if key in variables:
            continue
        if isinstance(part, Name) and key in context.open_of and key not in known:
            return part
    return None


def _all_in(node: Node, context: Context, variables: Collection[str] = ()) -> Iterator[object]:
    """Yield all parts of a formula, and of the definitions of its names; those of the variables are not looked at."""
    seen: set[str] = set(variables)
    waiting = [node]
    while waiting:
        for part in nodes_in(waiting.pop()):
            yield part
            key = _key(part, context)
            definition = context.definitions.of(key) if key and key not in seen else None
            seen.add(key)
            waiting += [value for value, _ in definition.branches] if definition is not None else []


def _key(node: object, context: Context) -> str:
    try:
        return context.names.of(node).key if isinstance(node, Name) else ""
    except Fault:
        return ""
