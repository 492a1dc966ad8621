"""Mistakes of the chain rule: an inner derivative left out, and terms of a penalty."""

from collections.abc import Iterator
from fractions import Fraction

from ..formula.tree import Add, Derivative, Negative, Node, Number, Product, Quotient
from ..formula.walk import nodes_in
from .correction import Correction, Setting, with_factor

__all__ = ["inner_derivative", "penalty_missing"]

RATES = ("lambda", "alpha", "mu", "reg", "gamma", "beta", "C")
TWO = Number(Fraction(2))


def inner_derivative(node: Node, setting: Setting) -> Iterator[Correction]:
    """The chain rule half done: the derivative of what is inside, by the variable of the left side, is missing."""
    if isinstance(node, (Number, Negative, Derivative)) or setting.variable is None:
        return
    for inside in setting.insides:
        inner = Derivative(inside, (setting.variable,), "d", False)
        says = f"the chain rule is half done: the derivative of {setting.write(inside)} is missing as a factor"
        yield Correction("chain_rule", with_factor(inner, node), says, 1.25)


def penalty_missing(node: Node, setting: Setting) -> Iterator[Correction]:
    """The derivative of the penalty is left out: lambda w."""
    if setting.variable is None or isinstance(node, (Number, Negative)):
        return
    terms = node.terms if isinstance(node, Add) else (node,)
    for rate in setting.quantities:
        if rate.base not in RATES or rate.below or rate in nodes_in(setting.right or node):
            continue  # a penalty that stands there lacks a factor at most
        term: Node = Product((rate, setting.variable), ("",))
        shares = [Quotient(rate, size, True) for size in setting.sizes]
        for penalty in (
            term,
            Product((TWO, rate, setting.variable), ("", "")),
            *(Product((share, setting.variable), ("",)) for share in shares),
        ):
            says = f"the derivative of the penalty, {setting.write(penalty)}, is missing"
            yield Correction("regulariser_missing", Add((*terms, penalty)), says, 1.05)
