"""Assumptions under which a line follows: that a vector sums to one, that a label is one-hot, that a matrix is symmetric."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

from ..formula.tree import Condition, Name, Node, Number, Summation
from ..formula.walk import letter_of, nodes_in
from ..formula.write import write
from ..numbers import Context, Equation
from .agreement import agreement

__all__ = ["Assumption", "assumption_in_words", "is_assumption", "needed_assumption", "stated_assumptions"]

Assumption = tuple[str, str]
"""What a draw satisfies, as `numbers.draw.Adjustment`: ("sum to one", "y")."""

USUAL_LABELS = ("y", "t", "Y", "T", "q", "y_hat", "p", "d")
"""Names of targets, tried first."""


def is_assumption(equation: Equation) -> bool:
    """Return whether an equation states that something sums to one."""
    return _summed_to_one(equation) is not None


def _summed_to_one(equation: Equation) -> Name | None:
    left, right = equation.sides[0], equation.sides[-1]
    if isinstance(left, Summation) and isinstance(right, Number) and right.value == 1 and isinstance(left.body, Name):
        return left.body if letter_of(left.body.below[-1] if left.body.below else left.body) in left.letters else None
    return None


def stated_assumptions(equations: Iterable[Equation], context: Context) -> list[Assumption]:
    """Return the assumptions that the document states."""
    names = [name for equation in equations if (name := _summed_to_one(equation)) is not None]
    return [("sum to one", context.names.of(name).family) for name in names]


def needed_assumption(
    left: Node, right: Node, condition: Condition | None, context: Context, stated: Sequence[Assumption]
) -> tuple[Assumption, ...] | None:
    """Return the weakest assumption under which two formulas are the same, a stated one first; None if there is none."""
    families = list(dict.fromkeys(_inputs([left, right, *_definitions(context)], context)))
    families.sort(key=lambda family: USUAL_LABELS.index(family) if family in USUAL_LABELS else len(USUAL_LABELS))
    vectors = [family for family in families if (context.rank(family) or 0) >= 1]
    square = [family for family in families if context.rank(family) == 2]
    tried: list[tuple[Assumption, ...]] = [(one,) for one in stated] + ([tuple(stated)] if len(stated) > 1 else [])
    tried += [(("sum to one", family),) for family in vectors]
    tried += [(("one-hot", family),) for family in vectors]
    tried += [(("symmetric", family),) for family in square]
    for assumption in dict.fromkeys(tried):
        if agreement(context, left, right, condition, adjusted=assumption, turns=(0,)).kind != "same":
            continue
        if agreement(context, left, right, condition, adjusted=assumption).kind == "same":
            return assumption
    return None


def _definitions(context: Context) -> list[Node]:
    return [value for one in context.definitions.found.values() for value, _ in one.branches]


def _inputs(nodes: Iterable[Node], context: Context) -> Iterable[str]:
    """Yield the names that nothing defines."""
    for part in chain.from_iterable(nodes_in(node) for node in nodes):
        if isinstance(part, Name):
            quantity = context.names.of(part)
            if context.definitions.of(quantity.key) is None and context.rank(quantity.family):
                yield quantity.family


def assumption_in_words(assumption: Sequence[Assumption], context: Context, used: Iterable[str]) -> str:
    """Return an assumption as a formula, with a letter that the line does not use otherwise, or in words."""
    used = set(used)
    letters = [letter for letter in sorted(context.names.summed) if letter not in used] + ["k", "m"]
    said = []
    for what, family in assumption:
        name = Name(family)
        if what == "sum to one":
            total = Summation((letters[0],), replace(name, below=(Name(letters[0]),), typed_as="_"))
            said.append(f"{write(total)} = 1")
        else:
            said.append(f"{write(name)} is {what}")
    return " and ".join(said)
