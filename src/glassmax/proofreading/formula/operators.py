r"""Derivatives whose sign is a letter: D_j S_i, in a text that says D_j S_i = \frac{\partial S_i}{\partial a_j}."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from .tree import Derivative, Name, Node, Product
from .walk import map_children

__all__ = ["operators_of", "with_derivatives"]


def operators_of(chains: Iterable[Sequence[Node | None]]) -> dict[str, Name]:
    """Return the letters that stand for a derivative, with the variable whose index is theirs: {"D": a_j}."""
    found: dict[str, Name] = {}
    for sides in chains:
        for left, right in pairwise(sides):
            if not isinstance(left, Product) or not isinstance(right, Derivative) or len(right.by) != 1:
                continue
            operator, variable = left.factors[0], right.by[0]
            if not isinstance(operator, Name) or not isinstance(variable, Name) or left.factors[1:] != (right.of,):
                continue
            if operator.below and operator.below == variable.below:
                found[operator.base] = variable
    return found


def with_derivatives(node: Node, operators: dict[str, Name]) -> Node:
    """Return a formula with each of these letters and the factor after it as a derivative.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> operators = operators_of([[parse("D_j S_i"), parse("∂S_i/∂a_j")]])
    >>> with_derivatives(parse("2 D_k S_i"), operators) == parse("2 ∂S_i/∂a_k")
    True
    """
    if not operators:
        return node
    node = map_children(node, lambda child: with_derivatives(child, operators))
    if not isinstance(node, Product):
        return node
    factors, signs = list(node.factors), list(node.signs)
    for place in reversed(range(len(factors) - 1)):
        operator = factors[place]
        if isinstance(operator, Name) and operator.base in operators and operator.below and not signs[place]:
            variable = replace(operators[operator.base], below=operator.below)
            factors[place : place + 2] = [
                Derivative(factors[place + 1], (variable,), sign=operator.typed or operator.base)
            ]
            del signs[place]
    return factors[0] if len(factors) == 1 else replace(node, factors=tuple(factors), signs=tuple(signs))
