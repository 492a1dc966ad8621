"""A cost that is a sum over the examples, ``sum_i log p(y^{(i)})``, differentiated for one example, with no index."""

from collections.abc import Sequence
from dataclasses import replace

from ..formula.tree import Name, Node, Summation
from ..formula.walk import map_children
from .definitions import Definitions, Equation
from .names import names_of

__all__ = ["for_one_example"]


def for_one_example(definitions: Definitions, equations: Sequence[Equation]) -> None:
    """Leave out the sum of a cost over examples where every line after it has x and y without their number."""
    claims = [node for one in equations if id(one) not in definitions.given for node in one.nodes]
    bare = {name.base for name in names_of(claims) if not name.above}
    for key, function in definitions.functions.items():
        body = function.body
        if not isinstance(body, Summation) or len(body.letters) != 1:
            continue
        numbered = {name.base for name in names_of([body.body]) if _has(name, body.letters[0])}
        used = any(_has(name, body.letters[0]) for name in names_of(claims))
        if numbered and not used and numbered <= bare:
            definitions.functions[key] = replace(function, body=_without(body.body, body.letters[0]))
            definitions.one_example = body.letters[0]


def _has(name: Name, letter: str) -> bool:
    return any(isinstance(one, Name) and one.base == letter for one in name.above)


def _without(node: Node, letter: str) -> Node:
    if isinstance(node, Name):
        return replace(node, above=()) if _has(node, letter) else node
    return map_children(node, lambda part: _without(part, letter))
