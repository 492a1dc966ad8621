"""Assumptions under which a line follows: that a vector sums to one, is one-hot, that a matrix is symmetric."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from ..formula.tree import Condition, Name, Node, Number, Summation, Transpose
from ..formula.walk import letter_of, nodes_in
from ..formula.write import write
from ..numbers import Context, Equation
from .agreement import Agreement

if TYPE_CHECKING:
    from .chains import Step
    from .document import Document

__all__ = ["Assumption", "Stated", "in_words", "is_assumption", "stated_assumptions", "usual_assumptions", "weakest"]

Assumption = tuple[str, str]
"""What a draw satisfies, as `numbers.draw.Adjustment`: ("sum to one", "y")."""

TARGETS = ("y", "t", "Y", "T", "q", "d", "y_hat", "p", "P", "Q", "D", "target", "labels", "r", "l", "c", "pi", "alpha")
"""Names of what people take for probabilities without saying that these sum to one; the usual ones first."""
GOOD = ("same", "component", "implied", "transposed")


@dataclass(frozen=True)
class Stated:
    """An assumption that the document states, and the equation that states it."""

    assumption: Assumption
    equation: Equation


def is_assumption(equation: Equation) -> bool:
    """Return whether an equation states that something sums to one, or that a matrix is symmetric."""
    return _summed_to_one(equation) is not None or _symmetric(equation) is not None


def _summed_to_one(equation: Equation) -> Name | None:
    left, right = equation.sides[0], equation.sides[-1]
    one = isinstance(right, Number) and right.value == 1
    if one and isinstance(left, Summation) and isinstance(left.body, Name) and left.body.below:
        return left.body if letter_of(left.body.below[-1]) in left.letters else None
    return None


def _symmetric(equation: Equation) -> Name | None:
    sides = equation.sides
    if len(sides) != 2:
        return None
    for one, other in (sides, sides[::-1]):
        if isinstance(one, Name) and isinstance(other, Transpose) and other.of == one:
            return one
    return None


def stated_assumptions(equations: Iterable[Equation], context: Context) -> tuple[Stated, ...]:
    """Return the assumptions that a document states."""
    found = []
    for equation in equations:
        name, what = _summed_to_one(equation), "sum to one"
        if name is None:
            name, what = _symmetric(equation), "symmetric"
        if name is not None:
            found.append(Stated((what, context.names.of(name).family), equation))
    return tuple(dict.fromkeys(found))


def usual_assumptions(formulas: Iterable[Node], context: Context) -> tuple[Assumption, ...]:
    """Return what people assume without saying it: that the targets sum to one."""
    families = _inputs(formulas, context)
    return tuple(("sum to one", family) for family in TARGETS if family in families)[:1]


def weakest(
    step: "Step", condition: Condition | None, document: "Document"
) -> tuple[Agreement, tuple[Assumption, ...]]:
    """Return how the sides of a step agree, and under which assumption; none if it needs none or if none helps."""
    found = document.compare(step.left, step.right, condition)
    if found.kind:
        return found, ()
    for assumption in _possible(step, document):
        if document.compare(step.left, step.right, condition, assumption, (0,)).kind not in GOOD:
            continue
        better = document.compare(step.left, step.right, condition, assumption)
        if better.kind in GOOD:
            return better, assumption
    return found, ()


def _possible(step: "Step", document: "Document") -> list[tuple[Assumption, ...]]:
    """Return the assumptions to try: what is stated, then sums, then one-hot labels, then symmetric matrices."""
    context = document.context
    families = _inputs([step.left, step.right, *_definitions(context)], context)
    families.sort(key=lambda family: TARGETS.index(family) if family in TARGETS else len(TARGETS))
    stated = tuple(one.assumption for one in document.stated)
    tried: list[tuple[Assumption, ...]] = [(one,) for one in stated] + ([stated] if len(stated) > 1 else [])
    targets = [family for family in families if family in TARGETS]
    tried += [(("sum to one", family),) for family in targets]
    tried += [(("one-hot", family),) for family in targets]
    if not context.names.by_letter:  # the weights between two layers are not symmetric
        tried += [(("symmetric", family),) for family in families if context.rank(family) == 2]
    return list(dict.fromkeys(tried))


def _definitions(context: Context) -> list[Node]:
    return [value for one in context.definitions.found.values() for value, _ in one.branches]


def _inputs(nodes: Iterable[Node], context: Context) -> list[str]:
    """Return the arrays that nothing defines."""
    found: dict[str, None] = {}
    for part in chain.from_iterable(nodes_in(node) for node in nodes):
        if isinstance(part, Name):
            quantity = context.names.of(part)
            if context.definitions.of(quantity.key) is None and context.rank(quantity.family):
                found.setdefault(quantity.family)
    return list(found)


def in_words(assumption: Sequence[Assumption], document: "Document", used: Iterable[str]) -> str:
    """Return an assumption as the formula that states it, with a letter that the line does not use, or in words."""
    stated = {
        one.assumption: " = ".join(write(side) for side in one.equation.sides if side is not None)
        for one in document.stated
    }
    said = []
    for one in assumption:
        what, family = one
        if one in stated:
            said.append(stated[one])
        elif what == "sum to one":
            said.append(f"{write(_total(family, document, set(used)))} = 1")
        else:
            said.append(f"{write(Name(family))} is {what}")
    return " and ".join(said)


def _total(family: str, document: "Document", used: set[str]) -> Node:
    """Return the sum of an array over its last index, in the letters that the document uses for it."""
    free = [letter for letter in sorted(document.context.names.summed) if letter not in used] + ["k", "m"]
    for node in chain.from_iterable(nodes_in(formula) for formula in document.formulas):
        letters = [letter_of(at) for at in node.below] if isinstance(node, Name) and node.base == family else []
        if letters and all(letters) and len(letters) == document.context.rank(family):
            summed = letters[-1] if letters[-1] not in used else free[0]
            assert isinstance(node, Name)
            return Summation((summed,), replace(node, below=(*node.below[:-1], Name(summed))))
    return Summation((free[0],), Name(family, below=(Name(free[0]),), typed_as="_"))
