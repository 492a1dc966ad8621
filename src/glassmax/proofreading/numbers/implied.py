"""Definitions that a text makes in passing: a new name at the end of a chain, and a name for a part of a formula."""

from collections.abc import Sequence
from dataclasses import replace

from ..formula import tree
from ..formula.tree import Name, Node
from ..formula.walk import map_children
from .chained_functions import imply_functions
from .definitions import Definition, Definitions, Equation
from .logistic import imply_logistic
from .names import names_of, walk
from .value import Fault

__all__ = ["imply"]


def imply(definitions: Definitions, equations: Sequence[Equation]) -> None:
    """Add to the definitions of a document what it defines in passing."""
    _name_ends(definitions, equations)
    _name_parts(definitions)
    imply_functions(definitions, equations)
    imply_logistic(definitions, equations)


def _name_ends(definitions: Definitions, equations: Sequence[Equation]) -> None:
    """Take ``df/dz_i = e^{z_i} / sum_k e^{z_k} = p_i`` for the definition of p, if p was not met before."""
    names = definitions.names
    met: set[str] = set()
    before: Node | None = None
    for equation in equations:
        *others, last = equation.sides
        if equation.condition is None and isinstance(last, Name) and not last.primes and before is not None:
            value = others[-1] if others and others[-1] is not None else before
            goes_on = len(others) > 1 or equation.sides[0] is None
            if goes_on and _is_new(last, value, definitions, met | _keys(others, definitions)):
                key = names.of(last).key
                definitions.found[key] = Definition(last, ((value, None),), names, (equation,))
        met |= _keys(equation.sides, definitions)
        before = last


def _is_new(name: Name, value: Node, definitions: Definitions, met: set[str]) -> bool:
    try:
        quantity = definitions.names.of(name)
    except Fault:
        return False
    letters = [one.base for one in quantity.indices if isinstance(one, Name) and not one.below]
    plain = len(letters) == len(quantity.indices) == len(set(letters))
    new = quantity.key not in met and not definitions.defines(quantity.key)
    return plain and new and not isinstance(value, tree.Derivative | Name)


def _keys(sides: Sequence[Node | None], definitions: Definitions) -> set[str]:
    found = set()
    for name in names_of([side for side in sides if side is not None]):
        try:
            found.add(definitions.names.of(name).key)
        except Fault:
            continue
    return found


def _name_parts(definitions: Definitions) -> None:
    """Read ``h = f(w x + b)`` as ``h = f(z)`` if ``z = w x + b``: the text differentiates by z."""
    parts = {
        definition.branches[0][0]: definition.name
        for definition in definitions.found.values()
        if len(definition.branches) == 1 and _is_part(definition)
    }
    if not parts:
        return
    for key, definition in definitions.found.items():
        branches = tuple((_named(value, parts), condition) for value, condition in definition.branches)
        definitions.found[key] = replace(definition, branches=branches)


def _is_part(definition: Definition) -> bool:
    """Whether the right side is a sum of products of names: nothing that two formulas share by chance."""
    value, condition = definition.branches[0]
    if condition is not None or definition.name.above or not isinstance(value, tree.Add):
        return False
    return sum(isinstance(part, Name) for part in walk(value)) > 1


def _named(node: Node, parts: dict[Node, Name], whole: bool = True) -> Node:
    """Return a right side with names for its parts; the whole of it stays, because it defines its own name."""
    if not whole and node in parts:
        return replace(parts[node], bracket=getattr(node, "bracket", ""))
    if isinstance(node, Name):
        return node
    return map_children(node, lambda child: _named(child, parts, False))
