"""The verdict of one step: against the truth of its left side, under assumptions, against the step before it."""

from dataclasses import dataclass, replace

from ..checked import ASSUMED, FOLLOWS, INDICES, LUCK, NOT_READ
from ..formula.tree import Cases, Condition, Derivative, Node, Number
from ..formula.walk import free_letters
from ..formula.write import write
from ..mistakes.correction import Equation
from ..mistakes.indices import without_letter
from ..numbers import Context, Fault
from ..numbers.value import Array
from .agreement import Agreement
from .assumptions import Assumption, in_words, weakest
from .chains import Step
from .document import Document
from .luck import lucky
from .unknown_functions import unknown_function

__all__ = ["Verdict", "as_arrays", "few_axes", "verdict_of"]


@dataclass(frozen=True)
class Verdict:
    """What is said of one step; `equation` is the corrected one, `proved` whether it was compared with the truth."""

    verdict: str
    cause: str = ""
    says: str = ""
    notation: str = ""
    equation: Equation | None = None
    follows_before: bool | None = None
    proved: bool = True


def verdict_of(step: Step, condition: Condition | None, document: Document, before_is_wrong: int = 0) -> Verdict | None:
    """Judge a step; None if it is wrong.

    `before_is_wrong` is the number of the line that `step.before` stands in if that is wrong, 0 if it is not.
    """
    if _vanishes(step.left, document) and not _is_zero(step.right):
        says = f"in the formulas that were read, {write(step.left)} is 0: a definition is missing, or it was not read"
        return Verdict(NOT_READ, says=says)
    found, assumption = weakest(step, condition, document)
    verdict = _of_kind(found, step, condition, document, assumption)
    if verdict is not None:
        return _under(verdict, assumption, step, document)
    if step.own_left or not document.agrees(step.before, step.right, condition):
        return None
    if before_is_wrong and free_letters(step.right) <= free_letters(step.left):
        return Verdict(FOLLOWS, says=f"from line {before_is_wrong}, which is wrong", follows_before=True)
    if unknown_function(step.left, step.right, document.context) is not None:
        return Verdict(FOLLOWS, says="from the line before", follows_before=True)
    return None


def _vanishes(node: Node, document: Document) -> bool:
    """Return whether a formula is exactly 0: a derivative of what does not depend on its variable."""
    value = _value(node, document)
    return value is not None and value.size > 0 and not value.any()


def _is_zero(node: Node) -> bool:
    values = [value for value, _ in node.branches] if isinstance(node, Cases) else [node]
    return any(isinstance(value, Number) and value.value == 0 for value in values)


def _is_constant(step: Step, document: Document) -> bool:
    """Return whether each entry of the left side is the number on the right side: dz/db = 1."""
    if not isinstance(step.right, Number):
        return False
    values = [_value(step.left, document, turn) for turn in range(document.context.turns)]
    return all(
        value is not None and value.size > 0 and bool(abs(value - float(step.right.value)).max() < 1e-9)
        for value in values
    )


def _value(node: Node, document: Document, turn: int = 0) -> Array | None:
    try:
        return document.context.value(node, document.context.draw(turn)).array
    except Fault:
        return None


def _of_kind(
    found: Agreement, step: Step, condition: Condition | None, document: Document, assumption: tuple[Assumption, ...]
) -> Verdict | None:
    if found.kind == "same":
        luck = None if assumption else lucky(step.left, step.right, list(document.equations), document.context)
        if luck is None:
            return Verdict(FOLLOWS)
        return Verdict(LUCK, "right_by_symmetry", luck[0], equation=Equation(step.left, luck[1]))
    if found.kind != "component" and _is_constant(step, document):
        return Verdict(FOLLOWS, says="for each entry")
    if found.kind == "implied":
        return _implied(step, document)
    if found.kind == "component":
        return _component(step, condition, document, assumption)
    if found.kind == "transposed" and _is_jacobian(step.left, document.context):
        return Verdict(FOLLOWS, says="in denominator layout")
    if found.kind == "unknown":
        return _against_before(step, condition, document, found.reason)
    return None


def _under(verdict: Verdict, assumption: tuple[Assumption, ...], step: Step, document: Document) -> Verdict:
    """Return a verdict with the assumption that it needs."""
    if not assumption:
        return verdict
    words = in_words(assumption, document, free_letters(step.left) | free_letters(step.right))
    if verdict.verdict == FOLLOWS and not verdict.says:
        return Verdict(ASSUMED, says=words)
    if verdict.verdict == FOLLOWS:
        return Verdict(ASSUMED, says=f"{words} ({verdict.says})")
    return replace(verdict, notation=f"{verdict.notation}, if {words}")


def as_arrays(step: Step) -> Node | None:
    """Return the right side without the letters that the left side lacks, if that has no letters at all."""
    if free_letters(step.left) or not free_letters(step.right):
        return None
    whole: Node = step.right
    for letter in sorted(free_letters(step.right)):
        whole = without_letter(whole, letter)
    return None if free_letters(whole) else whole


def _component(
    step: Step, condition: Condition | None, document: Document, assumption: tuple[Assumption, ...]
) -> Verdict:
    """An array is equated with its component."""
    whole = as_arrays(step)
    says = "the left side is a whole array, the right side one of its components"
    if whole is not None and document.agrees(step.left, whole, condition, assumption):
        equation = Equation(step.left, whole)
        return Verdict(INDICES, "component_for_vector", says, f"{says}; as arrays {write(whole)}", equation)
    if free_letters(step.left):
        says = "the left side is a component, the right side a whole array"
    return Verdict(INDICES, "component_for_vector", says, says)


def _implied(step: Step, document: Document) -> Verdict:
    """A derivative of an array by an array whose zeros are left unsaid."""
    if few_axes(step.left, document):
        return Verdict(FOLLOWS, says="entry by entry; the other entries of the matrix are 0")
    left, right = write(step.left), write(step.right)
    notation = f"{left} has more than two indices, and {right} stands for its entries that are not 0"
    return Verdict(INDICES, "component_for_vector", notation=notation)


def few_axes(node: Node, document: Document) -> bool:
    """Return whether a formula is a matrix at most, so that people read f'(z) for the diagonal of da/dz."""
    try:
        value = document.context.value(node, document.context.draw(0))
    except Fault:
        return False
    return len(value.axes) <= 2


def _is_jacobian(node: Node, context: Context) -> bool:
    """Return whether a node is the derivative of a vector by a vector."""
    if not isinstance(node, Derivative) or len(node.by) != 1:
        return False
    try:
        return len(context.value(node.of, context.draw(0)).axes) == 1
    except Fault:
        return False


def _against_before(step: Step, condition: Condition | None, document: Document, reason: str) -> Verdict:
    """Judge a step whose left side has no value by the step before it."""
    if not step.own_left and document.agrees(step.before, step.right, condition):
        return Verdict(FOLLOWS, says="from the line before", follows_before=True)
    return Verdict(NOT_READ, says=reason)
