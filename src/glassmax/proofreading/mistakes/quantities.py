"""Mistakes of quantities: a sign, a factor, a term, p for y, one layer for another."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import permutations

from ..formula.tree import Add, Name, Negative, Node, Number, Product, Quotient, Summation, Transpose
from ..formula.walk import letter_of, map_children, nodes_in
from .correction import Correction, Setting, with_factor

__all__ = ["constant", "factor_missing", "factor_too_many", "minus", "other_layer", "other_quantity", "term_missing"]
__all__ += ["other_everywhere", "term_of_before", "term_too_many"]

CONSTANTS = (Number(Fraction(2)), Quotient(Number(Fraction(1)), Number(Fraction(2)), True))
RATES = ("lambda", "reg")
"""What a penalty is weighted by."""
BIASES = ("b", "bias", "c", "beta")


def minus(node: Node, setting: Setting) -> Iterator[Correction]:
    """A sign is reversed."""
    if isinstance(node, Negative):
        yield Correction("sign", node.of, f"the minus sign of {setting.write(node)} must not stand here", 0.8)
    elif isinstance(node, Add):
        for at, term in enumerate(node.terms):
            turned = term.of if isinstance(term, Negative) else Negative(term)
            terms = (*node.terms[:at], turned, *node.terms[at + 1 :])
            yield Correction("sign", Add(terms), f"the term {setting.write(term)} has the wrong sign", 0.9)
        turned_all = tuple(term.of if isinstance(term, Negative) else Negative(term) for term in node.terms)
        ordered = sorted(turned_all, key=lambda term: isinstance(term, Negative))
        yield Correction("sign", Add(tuple(ordered)), f"{setting.write(node)} has the wrong sign", 0.8)
    elif isinstance(node, Number) and node.value < 0:
        yield Correction("sign", Number(-node.value), f"{setting.write(node)} has the wrong sign", 0.9)
    elif not isinstance(node, Number):
        yield Correction("sign", Negative(node), f"the minus sign in front of {setting.write(node)} is missing", 0.85)


def constant(node: Node, setting: Setting) -> Iterator[Correction]:
    """A constant factor is missing: 2, 1/2, 1/N."""
    if isinstance(node, Number):
        for value in (node.value * 2, node.value / 2, 1 / node.value if node.value else node.value):
            if value != node.value:
                instead = Number(value)
                yield Correction(
                    "factor", instead, f"{setting.write(node)} stands where {setting.write(instead)} belongs", 1.2
                )
        return
    for size in setting.sizes:
        shares = (Quotient(Number(Fraction(1)), size, True), size)
        for share in shares:
            yield Correction("factor", with_factor(share, node), f"the factor {setting.write(share)} is missing", 1.1)
    penalty = isinstance(node, Product) and any(isinstance(one, Name) and one.base in RATES for one in node.factors)
    for share in CONSTANTS:
        says = f"the factor {setting.write(share)} is missing"
        says += f" in the derivative of the penalty, {setting.write(node)}" if penalty else ""
        yield Correction("factor", with_factor(share, node), says, 1.15)


def factor_too_many(node: Node, setting: Setting) -> Iterator[Correction]:
    """A factor stands twice, or where none belongs."""
    if isinstance(node, Quotient):
        if isinstance(node.above, Product):
            for kept, lost in _without_one(node.above):
                instead: Node = replace(node, above=kept)
                yield _too_many(setting, instead, lost, node.above.factors.count(lost) > 1)
        yield _too_many(setting, node.above, Quotient(Number(Fraction(1)), node.below), False)
        if isinstance(node.below, Product):
            for kept, lost in _without_one(node.below):
                yield _too_many(setting, replace(node, below=kept), lost, node.below.factors.count(lost) > 1)
    if not isinstance(node, Product):
        return
    for kept, lost in _without_one(node):
        yield _too_many(setting, kept, lost, node.factors.count(lost) > 1)


def _too_many(setting: Setting, instead: Node, lost: Node, twice: bool) -> Correction:
    says = f"the factor {setting.write(lost)} is {'multiplied in twice' if twice else 'one too many'}"
    if _is_constant(lost):
        return Correction("factor", instead, says, 1.0)
    return Correction("factor_twice" if twice else "stray_factor", instead, says, 1.1 if twice else 1.3)


def _is_constant(node: Node) -> bool:
    if isinstance(node, Quotient):
        return _is_constant(node.above) and (_is_constant(node.below) or isinstance(node.below, Name))
    return isinstance(node, Number) or (isinstance(node, Name) and node.base in ("N", "n", "m", "M", "B"))


def _without_one(node: Product) -> Iterator[tuple[Node, Node]]:
    for at, lost in enumerate(node.factors):
        factors = (*node.factors[:at], *node.factors[at + 1 :])
        signs = node.signs[1:] if at == 0 else (*node.signs[: at - 1], *node.signs[at:])
        yield (factors[0] if len(factors) == 1 else Product(factors, signs)), lost


def factor_missing(node: Node, setting: Setting) -> Iterator[Correction]:
    """A quantity of the document is missing as a factor: p_i (y_i - 1) for y_i."""
    if isinstance(node, (Number, Negative)):
        return
    for call in setting.calls:
        yield Correction("factor_missing", with_factor(call, node), f"the factor {setting.write(call)} is missing", 1.3)
    for other in setting.quantities:
        if other.base == "delta":
            continue
        for named in _indexed(other, setting):
            says = f"the factor {setting.write(named)} is missing"
            yield Correction("factor_missing", with_factor(named, node), says, 1.3)
            if not setting.axes(named) and not named.below:
                share = Quotient(Number(Fraction(1)), named, True)
                says = f"the factor {setting.write(share)} is missing"
                yield Correction("factor_missing", with_factor(share, node), says, 1.35)
            if setting.axes(named):
                yield from _turned_factor(named, node, setting)


def _turned_factor(named: Name, node: Node, setting: Setting) -> Iterator[Correction]:
    """Yield a product with a transposed array: X^T in front, or x^T behind."""
    turned = Transpose(named)
    says = f"the factor {setting.write(turned)} is missing"
    factors, signs = (node.factors, node.signs) if isinstance(node, Product) else ((node,), ())
    if setting.axes(named) == 2:
        yield Correction("factor_missing", Product((turned, *factors), ("", *signs)), says, 1.3)
        yield Correction("factor_missing", Product((*factors, named), (*signs, "")), says, 1.35)
    yield Correction("factor_missing", Product((*factors, turned), (*signs, "")), says, 1.3)


def _indexed(other: Name, setting: Setting) -> Iterator[Name]:
    """Yield a quantity with each letter in scope at its index, if it has one."""
    scope = sorted(setting.left_letters | setting.bound)
    if other.below and all(letter_of(at) for at in other.below):
        for letters in permutations(scope, len(other.below)):
            yield replace(other, below=tuple(Name(mine) for mine in letters))
    else:
        yield other


def term_too_many(node: Node, setting: Setting) -> Iterator[Correction]:
    """A term where none belongs."""
    if not isinstance(node, Add):
        return
    for at, lost in enumerate(node.terms):
        terms = (*node.terms[:at], *node.terms[at + 1 :])
        instead = terms[0] if len(terms) == 1 else Add(terms)
        yield Correction("stray_term", instead, f"the term {setting.write(lost)} is one too many", 1.3)


def term_missing(node: Node, setting: Setting) -> Iterator[Correction]:
    """A term is left out: the bias, the 1 of 1 - tanh^2."""
    if isinstance(node, Number):
        return
    terms = node.terms if isinstance(node, Add) else (node,)
    one = Number(Fraction(1))
    if not isinstance(node, Add):
        yield Correction(
            "term_missing", Add((one, node)), f"the term 1 is missing in front of {setting.write(node)}", 1.3
        )
        yield Correction("term_missing", Add((one, Negative(node))), f"1 minus {setting.write(node)} belongs here", 1.4)
    for other in setting.quantities:
        for named in _indexed(other, setting):
            bias = other.base in BIASES
            says = (
                f"the bias {setting.write(named)} is missing" if bias else f"the term {setting.write(named)} is missing"
            )
            cause = "bias_missing" if bias else "term_missing"
            yield Correction(cause, Add((*terms, named)), says, 1.1 if bias else 1.5)
            yield Correction(
                "term_missing", Add((*terms, Negative(named))), f"the term -{setting.write(named)} is missing", 1.5
            )


def term_of_before(node: Node, setting: Setting) -> Iterator[Correction]:
    """A term of the line before is lost."""
    if setting.before is None or isinstance(node, Number):
        return
    terms = node.terms if isinstance(node, Add) else (node,)
    for term in setting.before.terms if isinstance(setting.before, Add) else ():
        if term not in terms:
            body = term.of if isinstance(term, Negative) else term
            case = isinstance(body, Summation) and body.condition is not None
            says = f"the term {setting.write(term)} of the line before is lost"
            yield Correction("case_missing" if case else "term_missing", Add((*terms, term)), says, 1.0)


def other_quantity(node: Node, setting: Setting) -> Iterator[Correction]:
    """One quantity for another: p for y, the scores for the probabilities, the weights for the input."""
    if not isinstance(node, Name) or letter_of(node) in setting.letters or node.base == "delta":
        return
    seen = set()
    for other in setting.quantities:
        if other.base in (node.base, "delta"):
            continue
        if len(other.below) == len(node.below) or (not other.below and setting.axes(other) == len(node.below)):
            named = [replace(other, below=node.below, typed_as=node.typed_as or other.typed_as)]
        else:
            named = list(_indexed(other, setting))
        for instead in named:
            if instead not in seen:
                seen.add(instead)
                says = f"{setting.write(node)} stands where {setting.write(instead)} belongs"
                yield Correction("wrong_operand", instead, says, 1.2 if len(named) == 1 else 1.3)


def other_everywhere(node: Node, setting: Setting) -> Iterator[Correction]:
    """One quantity for another wherever it stands, z (1 - z) for a (1 - a), or two exchanged, -p/y for -y/p."""
    if not isinstance(node, (Product, Quotient, Add, Summation)):
        return
    used = [one for one in setting.quantities if one in set(nodes_in(node)) and one.base != "delta"]
    for name in used:
        count = sum(part == name for part in nodes_in(node))
        for other in setting.quantities:
            if len(other.below) != len(name.below) or other.base in (name.base, "delta"):
                continue
            instead = replace(other, below=name.below)
            if count > 1 and instead not in used:
                says = f"{setting.write(name)} stands where {setting.write(instead)} belongs"
                yield Correction("wrong_operand", _exchanged(node, {name: instead}), says, 1.25)
            elif instead in used:
                says = f"{setting.write(name)} and {setting.write(instead)} are exchanged"
                yield Correction("wrong_operand", _exchanged(node, {name: instead, instead: name}), says, 1.25)


def _exchanged(node: Node, names: dict[Name, Name]) -> Node:
    if isinstance(node, Name):
        return names.get(node, node)
    changed: Node = map_children(node, lambda child: _exchanged(child, names))
    return changed


def other_layer(node: Node, setting: Setting) -> Iterator[Correction]:
    """The quantity of another layer or step: a^l for a^{l-1}, W_1 for W_2, h_t for h_{t-1}."""
    if not isinstance(node, Name):
        return
    others = [replace(node, above=other.above) for other in setting.quantities if node.above and other.above]
    for other in setting.quantities:
        numbers = [isinstance(at, Number) for at in other.below]
        if other.base == node.base and any(numbers) and numbers == [isinstance(at, Number) for at in node.below]:
            others.append(other)
    for other in setting.quantities:
        steps = any(isinstance(at, Add) for at in (*other.below, *node.below)) and len(other.below) == len(node.below)
        if other.base == node.base and steps and other != node:
            says = f"{setting.write(node)} is of another step: {setting.write(other)} belongs here"
            yield Correction("wrong_layer", other, says, 1.0)
    for other in dict.fromkeys(others):
        if other != node:
            says = f"{setting.write(node)} is of another layer: {setting.write(other)} belongs here"
            yield Correction("wrong_layer", other, says, 1.0)
