"""Two letters for one array: ``with o_i = a_i``, after which the text differentiates by o what it defined by a."""

from collections.abc import Sequence

from ..formula import tree
from ..formula.tree import Name
from .definitions import Equation
from .names import names_of, walk

__all__ = ["renamed_letters"]


def renamed_letters(equations: Sequence[Equation]) -> dict[str, str]:
    """Return each letter that an equation gives an array that formulas were written with before, with the first one.

    Only if no formula but derivatives uses the new letter, and nothing defines the old one.
    """
    defined = {left.base for one in equations if isinstance(left := one.sides[0], Name)}
    found: dict[str, str] = {}
    for place, equation in enumerate(equations):
        if len(equation.sides) != 2 or equation.code or equation.condition is not None:
            continue
        new, old = equation.sides
        if not isinstance(new, Name) or not isinstance(old, Name) or new.primes or old.primes:
            continue
        if (new.below, new.above) != (old.below, old.above) or old.base in defined or old.base == new.base:
            continue
        others = [one for one in equations if one is not equation]
        before = {name.base for one in equations[:place] for name in names_of(one.nodes)}
        differentiated = {
            name.base
            for one in others
            for node in one.nodes
            for part in walk(node)
            if isinstance(part, tree.Derivative)
            for name in names_of(part.by)
        }
        used = {name.base for one in others for node in one.nodes for name in _outside_derivatives(node)}
        if old.base in before and new.base not in before | used and new.base in differentiated:
            found[new.base] = old.base
    return found


def _outside_derivatives(node: object) -> list[Name]:
    variables = {id(one) for part in walk(node) if isinstance(part, tree.Derivative) for one in names_of(part.by)}
    return [name for name in names_of([node]) if id(name) not in variables]
