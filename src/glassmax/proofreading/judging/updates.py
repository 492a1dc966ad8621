"""Steps of gradient descent: w = w - alpha dL/dw is an assignment, no equation."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from ..checked import GIVEN, WRONG
from ..formula.tree import Add, Derivative, Name, Negative, Node, Number, Product, Quotient, Summation
from ..formula.walk import free_letters, nodes_in
from ..formula.write import write
from ..mistakes.correction import Equation
from ..mistakes.indices import without_letter
from ..numbers import Context, Fault
from .agreement import agreement
from .document import Document
from .surroundings import sizes_in
from .verdict import Verdict

__all__ = ["is_update", "update_of"]

COSTS = ("L", "J", "E", "C", "mathcal_L", "loss", "cost", "Loss", "Cost", "MSE", "CE")
"""What is minimized: a step that adds its gradient climbs. A likelihood is maximized."""
RATES = ("alpha", "eta", "lr", "epsilon", "gamma", "mu", "rho", "lambda")
STEP = Verdict(GIVEN, says="a step of gradient descent")


def is_update(left: Node | None, right: Node | None) -> bool:
    """Return whether an equation has the shape of a step: w = w - ..., whatever the indices of w are."""
    if not (isinstance(left, Name) and isinstance(right, Add)):
        return False
    return any(isinstance(term, Name) and term.base == left.base and term.above == left.above for term in right.terms)


def update_of(left: Node, right: Node, document: Document) -> Verdict | None:
    """Judge w = w - alpha dL/dw: its letters, its sign and its factor; None if an equation is no such step."""
    if not (isinstance(left, Name) and isinstance(right, Add)):
        return None
    rest = [term for term in right.terms if not _same(term, left, document.context)]
    if len(rest) != len(right.terms) - 1:
        return None
    for gradient in _derivatives(rest, left):
        if free_letters(gradient) != free_letters(left):
            return _letters(left, right, gradient)
    known = next(iter(_derivatives(document.formulas, left)), None)
    if known is None or not isinstance(known.of, Name) or known.of.base not in COSTS or known.of.below:
        return STEP
    return _measured(left, right, rest, replace(known, by=(left,)), document)


def _measured(left: Name, right: Add, rest: list[Node], gradient: Derivative, document: Document) -> Verdict:
    """Compare the step with the gradient times the learning rate."""
    names = [part for one in rest for part in nodes_in(one) if isinstance(part, Name)]
    rates = list(dict.fromkeys(name for name in names if _is_rate(name, document)))
    if len(rates) != 1 or any(
        isinstance(part, Summation) and part.high is None for one in rest for part in nodes_in(one)
    ):
        return STEP
    step = rest[0] if len(rest) == 1 else Add(tuple(rest))
    up: Node = Product((rates[0], gradient), ("",))
    down: Node = Negative(up)
    if _are_same(step, down, document):
        return STEP
    if _are_same(step, up, document):
        of = write(gradient.of)
        says = f"the step adds the gradient, so {of} grows: the gradient must be subtracted"
        turned = tuple(_turned(one) if one in rest else one for one in right.terms)
        return Verdict(WRONG, "sign", says, equation=Equation(left, Add(turned)))
    for size in sizes_in(document.formulas):
        for share in (size, Quotient(Number(Fraction(1)), size, True)):
            if _are_same(step, Product((share, down), ("",)), document):
                says = (
                    f"the gradient has the factor {write(share)} already, or lacks it: the step must be {write(down)}"
                )
                corrected = Add((left, down))
                return Verdict(WRONG, "factor", says, equation=Equation(left, corrected))
    return STEP


def _is_rate(name: Name, document: Document) -> bool:
    """Return whether a name is a learning rate that nothing defines."""
    known = document.context.definitions.of(_key(name, document.context) or "") is not None
    return name.base in RATES and not name.below and not known


def _are_same(one: Node, other: Node, document: Document) -> bool:
    assumption = tuple(stated.assumption for stated in document.stated) or document.usual
    return agreement(document.context, one, other, adjusted=assumption).kind == "same"


def _turned(term: Node) -> Node:
    return term.of if isinstance(term, Negative) else Negative(term)


def _letters(left: Name, right: Node, gradient: Derivative) -> Verdict:
    letter = sorted(free_letters(left) ^ free_letters(gradient))[0]
    one, other = (left, gradient) if letter in free_letters(left) else (gradient, left)
    says = f"{write(one)} has the index {letter}, and {write(other)} does not"
    corrected = Equation(without_letter(left, letter), without_letter(right, letter))
    return Verdict(WRONG, "index_on_one_side", says, equation=corrected, proved=False)


def _same(term: Node, left: Name, context: Context) -> bool:
    return isinstance(term, Name) and _key(term, context) == _key(left, context) is not None


def _key(name: Name, context: Context) -> str | None:
    try:
        return context.names.of(name).key
    except Fault:
        return None


def _derivatives(nodes: Iterable[Node], left: Name) -> list[Derivative]:
    """Return the derivatives by the quantity that is updated."""
    parts = [part for node in nodes for part in nodes_in(node) if isinstance(part, Derivative) and len(part.by) == 1]
    return [
        part
        for part in parts
        if isinstance(part.by[0], Name) and (part.by[0].base, part.by[0].above) == (left.base, left.above)
    ]
