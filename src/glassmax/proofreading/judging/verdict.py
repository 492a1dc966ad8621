"""The verdict of one step: against the truth of its left side, under assumptions, against the step before it."""

from dataclasses import dataclass, replace

from ..checked import ASSUMED, FOLLOWS, INDICES, NOT_READ, WRONG
from ..formula.tree import Condition, Derivative, Node
from ..formula.walk import free_letters
from ..formula.write import write
from ..mistakes.correction import Equation
from ..mistakes.indices import without_letter
from ..mistakes.search import Explanation, explanation
from ..numbers import Context, Fault
from .agreement import Agreement, agreement
from .assumptions import Assumption, assumption_in_words, needed_assumption
from .chains import Step
from .surroundings import setting_of

__all__ = ["Verdict", "verdict_of"]


@dataclass(frozen=True)
class Verdict:
    """What is said of one step; `equation` is the corrected one."""

    verdict: str
    cause: str = ""
    says: str = ""
    notation: str = ""
    equation: Equation | None = None
    follows_before: bool | None = None


@dataclass(frozen=True)
class Judge:
    """What the judgement of a step needs: the reading, the document, the assumptions that it states."""

    context: Context
    document: tuple[Node, ...]
    stated: tuple[Assumption, ...]

    def agree(self, left: Node, right: Node, condition: Condition | None, **rest: object) -> Agreement:
        """Compare two formulas."""
        return agreement(self.context, left, right, condition, **rest)  # type: ignore[arg-type]


def verdict_of(
    step: Step, condition: Condition | None, judge: Judge, *, before_is_wrong: int = 0, seconds: float = 0.8
) -> Verdict:
    """Judge a step; `before_is_wrong` is the number of the line before it if that is wrong, 0 if it is not."""
    found = judge.agree(step.left, step.right, condition)
    if found.kind == "same":
        return Verdict(FOLLOWS)
    if found.kind == "implied":
        return _implied(step, condition, judge)
    if found.kind == "component":
        return _component(step, condition, judge)
    if found.kind == "transposed" and _is_jacobian(step.left, judge.context):
        return Verdict(FOLLOWS, says="in denominator layout")
    if found.kind == "unknown":
        return _against_before(step, condition, judge, found.reason)
    if found.kind == "":
        assumption = needed_assumption(step.left, step.right, condition, judge.context, judge.stated)
        if assumption:
            used = free_letters(step.left) | free_letters(step.right)
            return Verdict(ASSUMED, says=assumption_in_words(assumption, judge.context, used))
    before = None if step.own_left else judge.agree(step.before, step.right, condition).kind == "same"
    if before and before_is_wrong and free_letters(step.right) <= free_letters(step.left):
        return Verdict(FOLLOWS, says=f"from line {before_is_wrong}, which is wrong", follows_before=True)
    why = _why(step, condition, judge, found, seconds)
    return replace(why, follows_before=before) if before_is_wrong else why


def _why(step: Step, condition: Condition | None, judge: Judge, found: Agreement, seconds: float) -> Verdict:
    """Search the mistake of a step that is not right."""
    whole = _as_arrays(step)
    kinds = ("same", "component") if whole else ("same",)

    def holds(equation: Equation) -> bool:
        if judge.agree(equation.left, equation.right, condition, turns=(0,)).kind not in kinds:
            return False
        return judge.agree(equation.left, equation.right, condition).kind in kinds

    for right, remark in [(step.right, ""), *([(whole, "a component")] if whole is not None else [])]:
        equation = Equation(step.left, right)
        if remark and holds(equation):
            return Verdict(INDICES, "component_for_vector", notation=f"as arrays {write(right)}", equation=equation)
        setting = setting_of(equation, judge.document, judge.context)
        why = explanation(equation, setting, holds, seconds=seconds, left_is_written=step.own_left)
        if why is not None:
            return _explained(why, step, judge)
    if found.kind in ("shapes", "letters"):
        return Verdict(NOT_READ, says=found.reason)
    return Verdict(WRONG, "not_in_catalogue", "the two sides are different numbers")


def _explained(why: Explanation, step: Step, judge: Judge) -> Verdict:
    if why.cause == "outer_product" and all(cause == "outer_product" for cause in why.causes):
        return Verdict(
            INDICES,
            why.cause,
            notation=f"as matrices an outer product, {write(why.equation.right)}",
            equation=why.equation,
        )
    return Verdict(WRONG, why.cause, why.says, equation=why.equation)


def _as_arrays(step: Step) -> Node | None:
    """Return the right side without the letters that the left side lacks, if that has no letters at all."""
    if free_letters(step.left) or not free_letters(step.right):
        return None
    whole: Node = step.right
    for letter in sorted(free_letters(step.right)):
        whole = without_letter(whole, letter)
    return None if free_letters(whole) else whole


def _component(step: Step, condition: Condition | None, judge: Judge) -> Verdict:
    """An array is equated with its component."""
    whole = _as_arrays(step)
    says = "the left side is a whole array, the right side one of its components"
    if whole is not None and judge.agree(step.left, whole, condition).kind == "same":
        return Verdict(INDICES, "component_for_vector", says, f"as arrays {write(whole)}", Equation(step.left, whole))
    return Verdict(INDICES, "component_for_vector", says, says)


def _implied(step: Step, condition: Condition | None, judge: Judge) -> Verdict:
    """A derivative of an array by an array whose zeros are left unsaid."""
    axes = _axes(step.left, condition, judge.context)
    if axes <= 2:
        return Verdict(FOLLOWS, says="entry by entry; the other entries are 0")
    return Verdict(
        INDICES,
        "component_for_vector",
        notation=f"{write(step.left)} has {axes} indices; {write(step.right)} is what each of its entries that is not 0 has",
    )


def _axes(node: Node, condition: Condition | None, context: Context) -> int:
    try:
        value = context.value(node, context.draw(0))
    except Fault:
        return 0
    return len(value.axes) + len(value.letters)


def _is_jacobian(node: Node, context: Context) -> bool:
    """Return whether a node is the derivative of a vector by a vector."""
    if not isinstance(node, Derivative) or len(node.by) != 1:
        return False
    try:
        return len(context.value(node.of, context.draw(0)).axes) == 1
    except Fault:
        return False


def _against_before(step: Step, condition: Condition | None, judge: Judge, reason: str) -> Verdict:
    """Judge a step whose left side has no value by the step before it."""
    if step.own_left:
        return Verdict(NOT_READ, says=reason)
    found = judge.agree(step.before, step.right, condition)
    if found.kind == "same":
        return Verdict(FOLLOWS, says="from the line before", follows_before=True)
    return Verdict(NOT_READ, says=reason)
