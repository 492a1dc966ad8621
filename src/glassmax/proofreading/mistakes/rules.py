"""Mistakes of rules: log', powers, quotients, the chain rule half done, a function for its derivative."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from ..formula.tree import (
    Add,
    Call,
    Condition,
    Derivative,
    Indicator,
    Name,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Quotient,
)
from .correction import Correction, Setting, with_factor

__all__ = [
    "activation_missing",
    "exponent",
    "function_or_derivative",
    "logarithm",
    "of_another_variable",
    "quotient_rule",
]

ONE, TWO = Number(Fraction(1)), Number(Fraction(2))
LOGARITHMS = ("log", "ln")


def logarithm(node: Node, setting: Setting) -> Iterator[Correction]:
    """The derivative of log u half done: 1/u or u' left out, or the log kept."""
    if isinstance(node, Derivative) and isinstance(node.of, Name):
        instead: Node = Product((Quotient(ONE, node.of, True), node), ("",))
        u, share = setting.write(node.of), f"1/{setting.write(node.of)}"
        says = f"the derivative of log {u} is {share} times {setting.write(node)}: the factor {share} is missing"
        yield Correction("logarithm_half_done", instead, says, 1.1)
    if isinstance(node, Derivative) and isinstance(node.of, Call) and node.of.function.base in LOGARITHMS:
        inner = node.of.arguments[0]
        says = f"the log is already differentiated: {setting.write(replace(node, of=inner))} belongs here"
        yield Correction("logarithm_half_done", replace(node, of=inner), says, 1.2)
    if isinstance(node, Call) and node.function.base in LOGARITHMS and len(node.arguments) == 1:
        instead = Quotient(ONE, node.arguments[0])
        says = f"the derivative of {setting.write(node)} is {setting.write(instead)}"
        yield Correction("logarithm_half_done", instead, says, 1.2)
    if isinstance(node, Name):
        inverse = Quotient(ONE, node)
        yield Correction(
            "reciprocal", inverse, f"{setting.write(node)} stands where {setting.write(inverse)} belongs", 1.3
        )
    if isinstance(node, Quotient) and node.above == ONE:
        says = f"{setting.write(node)} stands where {setting.write(node.below)} belongs"
        yield Correction("reciprocal", node.below, says, 1.5)
        log: Node = Call(Name("log"), (node.below,))
        yield Correction(
            "logarithm_half_done", log, f"{setting.write(node)} stands where {setting.write(log)} belongs", 1.5
        )


def quotient_rule(node: Node, setting: Setting) -> Iterator[Correction]:
    """The denominator of the quotient rule is not squared, or squared where it must not be."""
    if not isinstance(node, Quotient) or isinstance(node.below, Number):
        return
    if isinstance(node.below, Power):
        instead = replace(node, below=node.below.base)
        says = f"the denominator of {setting.write(node)} must not have the power"
    else:
        instead = replace(node, below=Power(node.below, TWO))
        says = f"the quotient rule squares the denominator: {setting.write(instead)} belongs here"
    yield Correction("quotient_rule", instead, says, 1.2)


def exponent(node: Node, setting: Setting) -> Iterator[Correction]:
    """An exponent that is one too high, one too low, or missing."""
    power = _number(node.exponent) if isinstance(node, Power) else None
    if isinstance(node, Power) and power is not None:
        for value in (power - 1, power + 1):
            if value not in (0, 1):
                instead: Node = Power(node.base, _as_node(value))
                yield Correction(
                    "exponent", instead, f"{setting.write(node)} stands where {setting.write(instead)} belongs", 1.1
                )
        lowered = node.base if power == 2 else Power(node.base, _as_node(power - 1))
        derived = with_factor(_as_node(power), lowered)
        yield Correction(
            "exponent", derived, f"the derivative of {setting.write(node)} is {setting.write(derived)}", 1.2
        )
        yield Correction("exponent", node.base, f"{setting.write(node.base)} must not have the power here", 1.5)
    elif isinstance(node, (Name, Call)):
        instead = Power(node, TWO)
        yield Correction("exponent", instead, f"the square is missing: {setting.write(instead)} belongs here", 1.28)


def _number(node: Node) -> Fraction | None:
    if isinstance(node, Negative):
        of = _number(node.of)
        return None if of is None else -of
    if isinstance(node, Quotient) and isinstance(node.above, Number) and isinstance(node.below, Number):
        return node.above.value / node.below.value if node.below.value else None
    return node.value if isinstance(node, Number) else None


def _as_node(value: Fraction) -> Node:
    whole: Node = Number(abs(value))
    if value.denominator != 1:
        whole = Quotient(Number(Fraction(abs(value.numerator))), Number(Fraction(value.denominator)))
    return whole if value >= 0 else Negative(whole)


def function_or_derivative(node: Node, setting: Setting) -> Iterator[Correction]:
    """f(z) where f'(z) belongs, or f'(z) where f(z) does; sigma'(a) for sigma'(z)."""
    if not isinstance(node, Call) or len(node.arguments) != 1:
        return
    function = node.function
    if function.base in (*LOGARITHMS, "exp"):
        return
    if not function.primes:
        instead = replace(node, function=replace(function, primes=1))
        says = f"{setting.write(node)} is the function itself; its derivative {setting.write(instead)} belongs here"
        yield Correction("function_for_derivative", instead, says, 1.1)
    else:
        instead = replace(node, function=replace(function, primes=function.primes - 1))
        says = f"{setting.write(node)} is the derivative; the function {setting.write(instead)} belongs here"
        yield Correction("derivative_for_function", instead, says, 1.3)
    inside = node.arguments[0]
    if not isinstance(inside, Name):
        return
    for other in setting.quantities:
        if len(other.below) == len(inside.below) and other.base != inside.base:
            argument = replace(other, below=inside.below or other.below, above=inside.above or other.above)
            instead = replace(node, arguments=(argument,))
            cause = "activation_of_a" if function.primes else "wrong_operand"
            says = f"{setting.write(node)} must be taken at {setting.write(argument)}, not at {setting.write(inside)}"
            yield Correction(cause, instead, says, 1.2)


def of_another_variable(node: Node, setting: Setting) -> Iterator[Correction]:
    """A derivative by the wrong variable, or of the wrong quantity."""
    if not isinstance(node, Derivative) or len(node.by) != 1:
        return
    for other in setting.quantities:
        if isinstance(node.by[0], Name) and other not in (node.by[0], node.of):
            instead = replace(node, by=(other,))
            where = "the left side" if setting.on_left else setting.write(node)
            says = f"{where} is the derivative with respect to {setting.write(node.by[0])}"
            says += f"; it must be {setting.write(instead)}"
            near = len(other.below) == len(node.by[0].below)
            yield Correction("wrong_variable", instead, says, 1.2 if near else 1.6)
        if isinstance(node.of, Name) and other not in (node.of, node.by[0]) and not setting.on_left:
            instead = replace(node, of=other)
            says = f"{setting.write(node)} must be {setting.write(instead)}"
            yield Correction("wrong_operand", instead, says, 1.5)


def activation_missing(node: Node, setting: Setting) -> Iterator[Correction]:
    """The derivative of an activation is left out: W^T delta for W^T delta odot sigma'(z), or a (1 - a)."""
    if isinstance(node, Derivative) or (isinstance(node, Number) and node != ONE):
        return
    if node == ONE:
        for kink in setting.kinks:
            where = Indicator(Condition(kink, ">", Number(Fraction(0))))
            says = f"the derivative of the activation, {setting.write(where)}, is missing"
            yield Correction("activation_missing", where, says, 1.0)
        return
    factors, signs = (node.factors, node.signs) if isinstance(node, Product) else ((node,), ())
    for call in setting.calls:
        derivative = replace(call, function=replace(call.function, primes=1))
        says = f"the derivative of the activation, {setting.write(derivative)}, is missing"
        for sign in ("odot", ""):
            yield Correction("activation_missing", Product((*factors, derivative), (*signs, sign)), says, 1.0)
    for kink in setting.kinks:
        where = Indicator(Condition(kink, ">", Number(Fraction(0))))
        says = f"the derivative of the activation, {setting.write(where)}, is missing"
        yield Correction("activation_missing", Product((*factors, where), (*signs, "odot")), says, 1.0)
    for output in setting.outputs:
        slope = Product((output, Add((ONE, Negative(output)))), ("",))
        says = f"the derivative of the activation, {setting.write(slope)}, is missing"
        yield Correction("activation_missing", Product((*factors, *slope.factors), (*signs, "odot", "odot")), says, 1.1)
