"""Sums over samples whose index nobody writes: C = -1/n sum_x (y ln a + (1 - y) ln(1 - a)), with a, y and x of each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..formula import tree
from ..formula.tree import Name
from ..formula.walk import letter_of, map_children
from .definitions import Definitions, Equation
from .names import names_of, standing, walk
from .vocabulary import SCALARS, WEIGHTS

__all__ = ["own_parameters", "silent_samples"]

SHARED = WEIGHTS | SCALARS | {"b", "c", "e"}
"""Names that are the same for all samples."""


def silent_samples(equations: Sequence[Equation]) -> dict[str, str]:
    """Return the letter of the samples for each name that has a value for each sample; {} if no sum is of this kind.

    These are the names in a sum whose letter is an index of none of them, and all that depends on them.
    """
    parts = [part for equation in equations for side in equation.nodes for part in walk(side)]
    indices = {letter_of(one) for part in parts if isinstance(part, Name) for one in (*part.below, *part.above)}
    sums = [one for one in parts if isinstance(one, tree.Summation) and one.letters == ("x",)]
    sums = [one for one in sums if one.letters[0] not in indices and one.high is None]
    if not sums:
        return {}
    letter = sums[0].letters[0]
    bound = {name for part in parts if isinstance(part, tree.Summation) for name in part.letters}
    found = {name.base for one in sums for name in standing(one.body)} | {letter}
    found -= (SHARED | bound | _functions(equations)) - {letter}
    grown = True
    while grown:
        more = {base for base, inside in _dependent(equations) if inside & found} - found
        grown = bool(more)
        found |= more
    return dict.fromkeys(found - SHARED, letter)


def own_parameters(definitions: Definitions) -> None:
    """Give parameters of functions names of their own where a name is that of a value for each sample: sigma(z)."""
    for name, function in definitions.functions.items():
        mine = {one.base for one in function.parameters} & set(definitions.names.silent)
        parameters = tuple(_renamed(one, mine) for one in function.parameters)
        definitions.functions[name] = replace(function, parameters=parameters, body=_renamed(function.body, mine))


def _renamed(node: Any, bases: set[str]) -> Any:
    if isinstance(node, Name):
        return replace(node, base=f"{node.base}~") if node.base in bases else node
    return map_children(node, lambda part: _renamed(part, bases))


def _functions(equations: Sequence[Equation]) -> set[str]:
    parts = (part for equation in equations for side in equation.nodes for part in walk(side))
    return {part.function.base for part in parts if isinstance(part, tree.Call)}


def _dependent(equations: Sequence[Equation]) -> Iterator[tuple[str, set[str]]]:
    """Yield each name with the names in its definition; a function that is also written alone is such a name, too."""
    alone = {name.base for e in equations for side in e.nodes for part in walk(side) for name in _differentiated(part)}
    for equation in equations:
        left = equation.sides[0]
        if isinstance(left, tree.Call) and left.function.base in alone and not left.function.primes:
            yield left.function.base, {name.base for one in left.arguments for name in names_of([one])}
        if isinstance(left, Name) and left.base not in SHARED:
            yield left.base, {name.base for side in equation.sides[1:] for name in names_of([side])}


def _differentiated(part: object) -> list[Name]:
    return [part.of] if isinstance(part, tree.Derivative) and isinstance(part.of, Name) else []
