"""Mistakes of brackets and powers: (1 - h)^2 for 1 - h^2, w x^2 for (w x)^2, a b + c for a (b + c), and the reverse."""

from collections.abc import Iterator

from ..formula.tree import Add, Negative, Node, Number, Power, Product
from .correction import Correction, Setting

__all__ = ["brackets_of_product", "power_of_product", "power_of_sum"]


def power_of_sum(node: Node, setting: Setting) -> Iterator[Correction]:
    """The power of a sum for the sum of the powers, or the reverse: (1 - h)^2 for 1 - h^2."""
    if isinstance(node, Power) and isinstance(node.base, Add) and isinstance(node.exponent, Number):
        instead: Node = Add(tuple(_raised(term, node.exponent) for term in node.base.terms))
        says = f"{setting.write(node)} is the power of the sum; the sum of the powers is {setting.write(instead)}"
        yield Correction("sum_of_squares", instead, says, 1.1)
        last = Add((*node.base.terms[:-1], _raised(node.base.terms[-1], node.exponent)))
        if last != instead:
            says = f"the power is of the last term alone: {setting.write(last)}"
            yield Correction("sum_of_squares", last, says, 1.2)
    if not isinstance(node, Add):
        return
    powers = dict.fromkeys(bare.exponent for bare in map(_bare, node.terms) if isinstance(bare, Power))
    for exponent in powers:
        if isinstance(exponent, Number):
            whole = Power(Add(tuple(_lowered(term, exponent) for term in node.terms)), exponent)
            says = f"{setting.write(node)} is the sum of the powers; the power of the sum is {setting.write(whole)}"
            yield Correction("sum_of_squares", whole, says, 1.15)


def _bare(term: Node) -> Node:
    return term.of if isinstance(term, Negative) else term


def _raised(term: Node, exponent: Number) -> Node:
    """Return the power of a term, whose sign stays in front."""
    if isinstance(term, Negative):
        return Negative(_raised(term.of, exponent))
    if isinstance(term, Number) and exponent.value.denominator == 1 and 0 < exponent.value < 5:
        return Number(term.value ** int(exponent.value))
    return Power(term, exponent)


def _lowered(term: Node, exponent: Number) -> Node:
    """Return a term without its power; one that has none stays."""
    if isinstance(term, Negative):
        return Negative(_lowered(term.of, exponent))
    return term.base if isinstance(term, Power) and term.exponent == exponent else term


def power_of_product(node: Node, setting: Setting) -> Iterator[Correction]:
    """A power of the last factor for one of the product, or the reverse: w x^2 for (w x)^2."""
    if isinstance(node, Product) and isinstance(node.factors[-1], Power):
        last = node.factors[-1]
        whole = Power(Product((*node.factors[:-1], last.base), node.signs), last.exponent)
        says = f"the power must be of the whole product: {setting.write(whole)}"
        yield Correction("brackets", whole, says, 1.2)
    if isinstance(node, Power) and isinstance(node.base, Product):
        factors = node.base.factors
        alone = Product((*factors[:-1], Power(factors[-1], node.exponent)), node.base.signs)
        says = f"the power must be of {setting.write(factors[-1])} alone: {setting.write(alone)}"
        yield Correction("brackets", alone, says, 1.2)


def brackets_of_product(node: Node, setting: Setting) -> Iterator[Correction]:
    """Brackets around a sum are lost, or stand where none belong: p - y x for (p - y) x."""
    found: list[tuple[Node, str]] = []
    if isinstance(node, Add):
        first, last = node.terms[0], node.terms[-1]
        if isinstance(_bare(last), Product):
            product = _bare(last)
            assert isinstance(product, Product)
            inside = Negative(product.factors[0]) if isinstance(last, Negative) else product.factors[0]
            factors = (Add((*node.terms[:-1], inside)), *product.factors[1:])
            found.append((Product(factors, product.signs), "missing"))
        if isinstance(first, Product):
            factors = (*first.factors[:-1], Add((first.factors[-1], *node.terms[1:])))
            found.append((Product(factors, first.signs), "missing"))
    if isinstance(node, Product):
        first, last = node.factors[0], node.factors[-1]
        if isinstance(first, Add):
            bare = _bare(first.terms[-1])
            product = Product((bare, *node.factors[1:]), node.signs)
            end = Negative(product) if isinstance(first.terms[-1], Negative) else product
            found.append((Add((*first.terms[:-1], end)), "one pair too many"))
        if isinstance(last, Add) and not isinstance(last.terms[0], Number):  # t (1 - y) is meant so
            start = Product((*node.factors[:-1], last.terms[0]), node.signs)
            found.append((Add((start, *last.terms[1:])), "one pair too many"))
    for instead, what in found:
        says = f"brackets are missing: {setting.write(instead)} belongs here"
        if what != "missing":
            says = f"the brackets must not stand here: {setting.write(instead)} belongs here"
        yield Correction("brackets", instead, says, 1.22 if what == "missing" else 1.6)
