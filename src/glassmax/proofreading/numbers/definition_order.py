"""The order in which equations are gone through: the definition of a function before what calls it."""

from collections.abc import Sequence

from ..formula import tree
from .definitions import Equation
from .names import walk

__all__ = ["functions_first"]


def functions_first(equations: Sequence[Equation]) -> list[Equation]:
    """The equations with the definition of a function before the first formula that calls it."""
    found = list(equations)
    for equation in equations:
        left = equation.sides[0]
        if not isinstance(left, tree.Call):
            continue
        name, at = left.function.base, found.index(equation)
        for place, other in enumerate(found[:at]):
            calls = [part for side in other.sides[1:] if side is not None for part in walk(side)]
            if any(isinstance(part, tree.Call) and part.function.base == name for part in calls):
                if other.sides[0] is not None:
                    found.insert(place, found.pop(at))
                break
    return found
