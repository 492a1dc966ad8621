"""Steps of gradient descent: w = w - alpha dL/dw is an assignment, no equation."""

from ..checked import GIVEN, WRONG
from ..formula.tree import Add, Derivative, Name, Negative, Node, Product, Quotient
from ..formula.walk import free_letters, nodes_in
from ..formula.write import write
from ..mistakes.correction import Equation
from ..mistakes.indices import without_letter
from ..numbers import Context, Fault
from .verdict import Verdict

__all__ = ["is_update", "update_of"]

COSTS = ("L", "J", "E", "C", "mathcal_L", "loss", "cost", "Loss", "Cost", "MSE", "CE")
"""What is minimized: a step that adds its gradient climbs. A likelihood is maximized."""


def is_update(left: Node | None, right: Node | None) -> bool:
    """Return whether an equation has the shape of a step: w = w - ..., whatever the indices of w are."""
    if not (isinstance(left, Name) and isinstance(right, Add)):
        return False
    return any(isinstance(term, Name) and term.base == left.base and term.above == left.above for term in right.terms)


def update_of(left: Node, right: Node, context: Context) -> Verdict | None:
    """Judge w = w - alpha dL/dw: its letters and its sign; None if an equation is no such step."""
    if not (isinstance(left, Name) and isinstance(right, Add)):
        return None
    rest = [term for term in right.terms if not _same(term, left, context)]
    if len(rest) != len(right.terms) - 1:
        return None
    gradients = [(term, part) for term in rest if (part := _gradient(term, left, context)) is not None]
    if not gradients:
        return Verdict(GIVEN, says="a step of gradient descent")
    term, gradient = gradients[0]
    mine, theirs = free_letters(left), free_letters(gradient)
    if mine != theirs:
        return _letters(left, right, gradient, mine ^ theirs)
    if not isinstance(term, Negative) and isinstance(gradient.of, Name) and gradient.of.base in COSTS:
        says = f"the step adds the gradient, so {write(gradient.of)} grows: the gradient must be subtracted"
        turned = Add(tuple(Negative(one) if one is term else one for one in right.terms))
        return Verdict(WRONG, "sign", says, equation=Equation(left, turned), proved=False)
    return Verdict(GIVEN, says="a step of gradient descent")


def _letters(left: Name, right: Node, gradient: Derivative, letters: set[str]) -> Verdict:
    letter = sorted(letters)[0]
    side = write(left) if letter in free_letters(left) else write(gradient)
    other = write(gradient) if letter in free_letters(left) else write(left)
    says = f"{side} has the index {letter}, and {other} does not"
    corrected = Equation(without_letter(left, letter), without_letter(right, letter))
    return Verdict(WRONG, "index_on_one_side", says, equation=corrected, proved=False)


def _same(term: Node, left: Name, context: Context) -> bool:
    return isinstance(term, Name) and _key(term, context) == _key(left, context) is not None


def _key(name: Name, context: Context) -> str | None:
    try:
        return context.names.of(name).key
    except Fault:
        return None


def _gradient(term: Node, left: Name, context: Context) -> Derivative | None:
    """Return the derivative by the left side that a term has as a factor."""
    if not isinstance(term, (Negative, Product, Quotient, Derivative)):
        return None
    derivatives = [part for part in nodes_in(term) if isinstance(part, Derivative) and len(part.by) == 1]
    mine = [one for one in derivatives if isinstance(one.by[0], Name) and one.by[0].base == left.base]
    return next((one for one in mine if _key(one.by[0], context) == _key(left, context)), None)
