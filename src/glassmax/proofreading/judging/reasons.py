"""Why a step is wrong: the search of its mistake on the numbers of the document, and what is said of it."""

from dataclasses import dataclass

import numpy as np

from ..checked import INDICES, LUCK, NOT_READ, WRONG
from ..formula.tree import Call, Condition, Derivative, Entry, Name, Node, Transpose
from ..formula.walk import free_letters, nodes_in
from ..formula.write import write
from ..mistakes.correction import Equation
from ..mistakes.effort import Effort
from ..mistakes.search import Explanation, explanation
from ..numbers import Fault
from .assumptions import Assumption, in_words
from .chains import Step
from .document import Document, family_of
from .luck import lucky_sizes
from .surroundings import quantities_in, setting_of
from .unknown_functions import unknown_function
from .verdict import Verdict, as_arrays, few_axes

__all__ = ["reason_of"]

COMPONENT = "the left side is a whole array, the right side has the indices of a component"
CONSTANTS = ("e", "pi", "delta", "N", "n", "m", "K", "M", "I", "1")
"""Names that need no definition."""
UNEXPLAINED = (
    "the two sides are different numbers, and no known mistake explains why; the line may be a condition, or use a "
    "definition that was not read"
)
FIRST_SHARE = 0.75
"""The share of the steps for the right side as arrays, before the right side as it stands is tried."""


@dataclass(frozen=True)
class _Trial:
    """Whether a corrected equation is right, under the assumptions of the document."""

    condition: Condition | None
    document: Document
    assumption: tuple[Assumption, ...]
    kinds: tuple[str, ...]

    def kind(self, equation: Equation, turns: tuple[int, ...] | None = None) -> str:
        return self.document.compare(equation.left, equation.right, self.condition, self.assumption, turns).kind

    def holds(self, equation: Equation) -> bool:
        return self.kind(equation, (0,)) in self.kinds and self.kind(equation) in self.kinds

    def provided(self, equation: Equation) -> str:
        """Return the assumption that the corrected equation needs, in words after a comma."""
        found = self.document.compare(equation.left, equation.right, self.condition)
        if found.kind in self.kinds or not self.assumption:
            return ""
        used = free_letters(equation.left) | free_letters(equation.right)
        return f", if {in_words(self.assumption, self.document, used)}"


def reason_of(step: Step, condition: Condition | None, document: Document, effort: Effort) -> Verdict:
    """Search the mistake of a step that is not right; a quantity that nothing else tells of makes it unreadable."""
    strange = _strange(step, document)
    if strange is not None:
        return Verdict(NOT_READ, says=f"nothing says what {write(strange)} is")
    if _is_undefined(step.left, document):
        return Verdict(NOT_READ, says=f"nothing says what {write(step.left)} is")
    if not _is_finite(step.left, document):
        return Verdict(NOT_READ, says=f"{write(step.left)} has no finite value on the numbers that were tried")
    function = unknown_function(step.left, step.right, document.context)
    if function is not None:
        assert isinstance(step.left, Derivative)
        return Verdict(NOT_READ, says=f"nothing says how {write(function)} depends on {write(step.left.by[0])}")
    itself = document.compare(step.left, step.left, condition)
    if itself.kind in ("shapes", "unknown"):
        return Verdict(NOT_READ, says=itself.reason)
    loose = not free_letters(step.left) and bool(free_letters(step.right))
    assumption = tuple(one.assumption for one in document.stated) or document.usual
    kinds = ("same", *(("component",) if loose else ()), *(("implied",) if few_axes(step.left, document) else ()))
    trial = _Trial(condition, document, assumption, kinds)
    whole = as_arrays(step)
    if whole is not None:
        equation = Equation(step.left, whole)
        if trial.holds(equation):
            notation = f"{COMPONENT}; as arrays {write(whole)}{trial.provided(equation)}"
            return Verdict(INDICES, "component_for_vector", COMPONENT, notation, equation)
        part = effort.share(int(effort.left * FIRST_SHARE))
        why = _searched(equation, step, trial, part)
        effort.give_back(part)
        if why is not None:
            return _explained(why, trial, f"; {COMPONENT}")
    why = _searched(Equation(step.left, step.right), step, trial, effort)
    if why is not None:
        return _explained(why, trial)
    sizes = lucky_sizes(step.left, step.right, condition, document, assumption)
    if sizes:
        return Verdict(LUCK, "right_for_sizes", f"the two sides are equal only if {sizes}")
    return _unexplained(step, condition, document)


def _is_undefined(left: Node, document: Document) -> bool:
    """Return whether a left side is a name that has no definition, and that names no derivative such as dW."""
    if not isinstance(left, Name) or left.base.startswith(("d", "grad")):
        return False
    try:
        return document.context.definitions.of(document.context.names.of(left).key) is None
    except Fault:
        return True


def _is_finite(left: Node, document: Document) -> bool:
    """Return whether a left side is finite on the first draw; one without a value has another reason."""
    try:
        with np.errstate(all="ignore"):
            return bool(np.isfinite(document.context.value(left, document.context.draw(0)).array).all())
    except Fault:
        return True


def _strange(step: Step, document: Document) -> Name | None:
    """Return a quantity of the right side that no definition and no left side has; None if there is none."""
    for name in quantities_in([step.right], document.context):
        if family_of(name, document.context) not in document.known and name.base not in CONSTANTS:
            return name
    return None


def _searched(equation: Equation, step: Step, trial: _Trial, effort: Effort) -> Explanation | None:
    before = None if step.own_left else step.before
    setting = setting_of(equation, trial.document.formulas, trial.document.context, before)
    left, right = free_letters(equation.left), free_letters(equation.right) - setting.fixed
    fault = "bare" if right and not left else "letters" if not right <= left else trial.kind(equation, (0,))
    return explanation(equation, setting, trial.holds, effort, fault=fault, left_is_written=step.own_left)


def _explained(why: Explanation, trial: _Trial, also: str = "") -> Verdict:
    if set(why.causes) == {"outer_product"}:
        notation = f"as matrices an outer product, {write(why.equation.right)}{trial.provided(why.equation)}"
        return Verdict(INDICES, why.cause, why.says + also, notation, why.equation)
    return Verdict(WRONG, why.cause, why.says + also + trial.provided(why.equation), equation=why.equation)


def _unexplained(step: Step, condition: Condition | None, document: Document) -> Verdict:
    """Say what is certain of a step whose mistake was not found."""
    fault = document.compare(step.left, step.right, condition)
    loose = sorted(free_letters(step.right) - free_letters(step.left))
    loose = [letter for letter in loose if not document.context.is_label(letter)]
    if loose and free_letters(step.left):
        says = f"the index {loose[0]} stands on the right side only, and no sum is over it"
        return Verdict(WRONG, "index_on_one_side", says)
    if fault.kind in ("shapes", "letters"):
        return Verdict(NOT_READ, says=fault.reason)
    shapes = [_shape(side, document) for side in (step.left, step.right)]
    if shapes[0] != shapes[1]:
        says = f"the left side is read as {_shown(shapes[0])}, the right side as {_shown(shapes[1])}"
        return Verdict(NOT_READ, says=says)
    if not _names_a_derivative(step.left, document) or _is_loose(step, document):
        return Verdict(NOT_READ, says=UNEXPLAINED)
    return Verdict(WRONG, "not_in_catalogue", "the two sides are different numbers")


def _names_a_derivative(left: Node, document: Document) -> bool:
    """Return whether a left side is the derivative of something known: dL/dz, h'(x), dW, delta."""
    if isinstance(left, Entry | Transpose):
        left = left.of
    if isinstance(left, Call):
        return left.function.primes > 0
    if isinstance(left, Derivative):
        return not isinstance(left.of, Name) or not _is_undefined(left.of, document)
    return isinstance(left, Name) and left.base.startswith(("d", "grad"))


def _is_loose(step: Step, document: Document) -> bool:
    """Return whether a right side has a name that no other formula has, or delta of letters of two ranges.

    Such a line may use what the text defines in words: a matrix of all rows, errors that are called delta.
    """
    elsewhere = {
        part.base
        for formula in document.formulas
        if formula not in (step.left, step.right, step.before)
        for part in nodes_in(formula)
        if isinstance(part, Name)
    }
    names = [part for part in nodes_in(step.right) if isinstance(part, Name)]
    if any(name.base not in {*elsewhere, *CONSTANTS} for name in quantities_in([step.right], document.context)):
        return True
    pairs = [name for name in names if name.base == "delta" and len(name.below) == 2]
    return any(not _same_range(name, document) for name in pairs)


def _same_range(delta: Name, document: Document) -> bool:
    """Return whether the two letters of a delta run over the same range."""
    try:
        value = document.context.value(delta, document.context.draw(0))
    except Fault:
        return False
    return len(set(value.array.shape)) <= 1


def _shape(node: Node, document: Document) -> tuple[int, ...]:
    """Return the shape of a formula on one draw, without the axes of its letters."""
    try:
        return document.context.value(node, document.context.draw(0)).shape
    except Fault:
        return ()


def _shown(shape: tuple[int, ...]) -> str:
    kinds = {0: "a number", 1: f"a vector of {shape[0] if shape else 0}"}
    return kinds.get(len(shape), f"an array of {' x '.join(map(str, shape))}")
