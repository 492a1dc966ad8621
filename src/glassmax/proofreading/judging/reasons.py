"""Why a step is wrong: the search of its mistake on the numbers of the document, and what is said of it."""

from ..checked import INDICES, NOT_READ, WRONG
from ..formula.tree import Condition, Node
from ..formula.walk import free_letters
from ..formula.write import write
from ..mistakes.correction import Equation
from ..mistakes.search import Explanation, explanation
from .chains import Step
from .document import Document
from .surroundings import setting_of
from .verdict import Verdict, as_arrays

__all__ = ["reason_of"]


def reason_of(step: Step, condition: Condition | None, document: Document, seconds: float) -> Verdict:
    """Search the mistake of a step that is not right."""
    whole = as_arrays(step)
    kinds = ("same",) if free_letters(step.left) or not free_letters(step.right) else ("same", "component")
    assumption = tuple(one.assumption for one in document.stated) or document.usual

    def holds(equation: Equation) -> bool:
        for turns in ((0,), None):
            found = document.compare(equation.left, equation.right, condition, assumption, turns)
            if found.kind not in kinds:
                return False
        return True

    rights: list[Node] = [step.right] if whole is None else [whole, step.right]
    for right in rights:
        equation = Equation(step.left, right)
        if right is whole and holds(equation):
            return _components(equation)
        setting = setting_of(equation, document.formulas, document.context)
        kind = document.compare(equation.left, equation.right, condition, assumption).kind
        share = seconds / len(rights)
        why = explanation(equation, setting, holds, fault=kind, seconds=share, left_is_written=step.own_left)
        if why is not None:
            return _explained(why, right is whole)
    fault = document.compare(step.left, step.right, condition)
    if fault.kind in ("shapes", "letters"):
        return Verdict(NOT_READ, says=fault.reason)
    return Verdict(WRONG, "not_in_catalogue", "the two sides are different numbers")


def _components(equation: Equation) -> Verdict:
    says = "the left side is a whole array, the right side has the indices of a component"
    return Verdict(INDICES, "component_for_vector", says, f"{says}; as arrays {write(equation.right)}", equation)


def _explained(why: Explanation, components: bool) -> Verdict:
    if set(why.causes) == {"outer_product"}:
        notation = f"as matrices an outer product, {write(why.equation.right)}"
        return Verdict(INDICES, why.cause, why.says, notation, why.equation)
    also = "; the left side is a whole array, the right side has the indices of a component" if components else ""
    return Verdict(WRONG, why.cause, why.says + also, equation=why.equation)
