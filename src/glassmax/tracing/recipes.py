"""How a cell is computed, as plain data: the tree of an equation in index notation, for programs in other languages.

A node is a list whose first word says what it is::

    ["number", 0.5]                          a number
    ["cell", "A1", ["i", "k"]]               an entry of an array; no letters for a single number
    ["delta", "l", "j"]                      1 where the two letters are equal, 0 elsewhere
    ["add", node, ...]                       a sum
    ["multiply", node, ...]                  a product
    ["power", node, node]                    a power: base, exponent
    ["sum", ["i"], node]                     a sum over letters
    ["call", "exp", 0, node]                 a function of one number; 1 for its derivative

The letters on the left are given, a letter of "sum" runs over the axis of an array that has it.
"""

from __future__ import annotations

import math
from typing import Any

from ..calculus.expression import PI, Add, Call, Delta, Expr, Mul, Num, Pow, Sum, Tensor, walk
from ..calculus.indices import for_reading
from .equations import Equation

__all__ = ["recipe"]


def recipe(equation: Equation) -> dict[str, Any]:
    """Return the tree of an equation, and the arrays that it uses with the letters of each.

    Examples
    --------
    >>> from glassmax.tracing.equations import defined
    >>> recipe(defined("S_i = sum_j E_ij", {}))
    {'uses': [{'name': 'E', 'letters': ['i', 'j']}], 'recipe': ['sum', ['j'], ['cell', 'E', ['i', 'j']]]}
    """
    e = for_reading(equation.expression)
    uses = {
        (part.name, tuple(map(str, part.indices))): None for part in walk(e) if isinstance(part, Tensor) and part != PI
    }
    return {"uses": [{"name": name, "letters": list(letters)} for name, letters in uses], "recipe": _node(e)}


def _node(e: Expr) -> list[Any]:
    match e:
        case Num(value):
            return ["number", float(value)]
        case Tensor() if e == PI:
            return ["number", math.pi]
        case Tensor(name, indices):
            return ["cell", name, [str(index) for index in indices]]
        case Delta(i, j):
            return ["delta", str(i), str(j)]
        case Add(terms):
            return ["add", *map(_node, terms)]
        case Mul(factors):
            return ["multiply", *map(_node, factors)]
        case Pow(base, exponent):
            return ["power", _node(base), _node(exponent)]
        case Sum(indices, body):
            return ["sum", list(indices), _node(body)]
        case Call(function, argument, order):
            return ["call", function, order, _node(argument)]


def __dir__() -> list[str]:
    return __all__
