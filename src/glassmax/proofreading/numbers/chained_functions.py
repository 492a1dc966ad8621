"""Functions that a chain defines on its way, σ in ``a = σ(z) = 1/(1 + e^{-z})``, or at its end."""

from collections.abc import Sequence
from itertools import pairwise

from ..formula.tree import Call, Derivative, Name, Node
from ..formula.walk import nodes_in
from .definitions import Definitions, Equation, Function
from .functions import ELEMENTWISE, REDUCTIONS

__all__ = ["imply_functions"]


def imply_functions(definitions: Definitions, equations: Sequence[Equation]) -> None:
    """Add each function that stands in a chain before its value, if nothing defines it."""
    before: Node | None = None
    for equation in equations:
        first, *rest = equation.sides
        sides = [before if first is None else first, *rest]
        chain = sides if first is None else sides[1:]
        for left, right in pairwise(chain):
            for call, value in ((left, right), (right, left)):
                if isinstance(call, Call) and value is not None and _is_value(call, value, definitions):
                    name = call.function.base
                    parameters = tuple(one for one in call.arguments if isinstance(one, Name))
                    definitions.functions[name] = Function(name, parameters, value, equation)
        before = sides[-1]


def _is_value(left: Call, right: Node, definitions: Definitions) -> bool:
    """Whether the right side is a formula of the arguments of an open function."""
    name = left.function.base
    known = name in definitions.functions or name in ELEMENTWISE or name in REDUCTIONS
    if known or left.function.primes or not all(isinstance(one, Name) for one in left.arguments):
        return False
    parts = list(nodes_in(right))
    calls = {part.function.base for part in parts if isinstance(part, Call)}
    derived = any(isinstance(part, Derivative) for part in parts)
    return not derived and name not in calls and all(one in parts for one in left.arguments)
