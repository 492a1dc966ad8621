"""A formula as its author wrote it, in presentation MathML; every name is escaped.

The layout is the author's: a fraction stays a fraction, a product keeps its signs, a bracket stays where it was. More
brackets are written only where the formula would mean something else without them.
"""

import re
from collections.abc import Sequence

from ...calculus.greek import GREEK
from ...pages.mathematics import fraction, identifier, math, numeral, operator, row, script, words
from ..formula.tree import (
    Absolute,
    Add,
    Call,
    Cases,
    Condition,
    Derivative,
    Entry,
    Indicator,
    Matrix,
    Name,
    Negative,
    Node,
    Norm,
    Number,
    Power,
    Product,
    Quotient,
    Summation,
    Transpose,
)

__all__ = ["equation_mathml", "formula_mathml"]

SPACE = '<mspace width="0.17em"/>'
TIMES, APPLY = "\u2062", "\u2061"
SIGNS = {"*": "∗", "cdot": "·", "times": "×", "odot": "⊙", "@": "@", "outer": "⊗", ".": "·"}
RELATIONS = {"!=": "≠", "<=": "≤", ">=": "≥"}
MARKS = {"d": "<mi>d</mi>", "partial": "<mo>∂</mo>", "nabla": "<mo>∇</mo>"}
ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "vec": "→", "dot": "˙"}
PRIMES = {1: "′", 2: "″", 3: "‴"}
BRACKETS = {"(": "()", "[": "[]", "{": "{}", "^(": "()", "^[": "[]"}
FENCES = {"pmatrix": "()", "(": "()", "vmatrix": "||", "Bmatrix": "{}", "matrix": "  ", "smallmatrix": "  "}
LOOSE, PRODUCT, TALL, TIGHT = 1, 2, 3, 4
"""How tightly a part is bound: a sum of terms, a product, what takes no exponent without brackets, a name."""


def equation_mathml(sides: Sequence[Node | None]) -> str:
    """Write the sides of an equation with their equals signs; the first is None if the line continues another."""
    pieces = [_piece(sides[0]) if sides[0] is not None else ""]
    pieces += [operator("=") + ("" if side is None else _piece(side)) for side in sides[1:]]
    return math("".join(pieces))


def formula_mathml(node: Node | Condition) -> str:
    """Write one formula or condition as a ``<math>`` element.

    Examples
    --------
    >>> formula_mathml(Name("delta", (Name("i"), Name("j"))))
    '<math><msub><mi>δ</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub></math>'
    """
    return math(_condition(node) if isinstance(node, Condition) else _piece(node))


def _piece(node: Node) -> str:
    """Write a part with the brackets that its author set around it."""
    return _enclosed(node.bracket, _bare(node))


def _enclosed(bracket: str, piece: str) -> str:
    if bracket not in BRACKETS:
        return piece
    return row(operator(BRACKETS[bracket][0]), piece, operator(BRACKETS[bracket][1]))


def _within(node: Node, needed: int) -> str:
    """Write a part, in brackets if it is bound less tightly than needed and has none."""
    return _enclosed("" if node.bracket or _binding(node) >= needed else "(", _piece(node))


def _binding(node: Node) -> int:
    match node:
        case Add() | Negative():
            return LOOSE
        case Product() | Summation() | Cases():
            return PRODUCT
        case Quotient(barred=barred):
            return TALL if barred else PRODUCT
        case Derivative() | Power() | Call():
            return PRODUCT if isinstance(node, Derivative) and node.before else TALL
        case _:
            return TIGHT


def _bare(node: Node) -> str:
    match node:
        case Number():
            return numeral(node.typed or str(node.value))
        case Name():
            return _name(node)
        case Add(terms):
            return row(*(_term(term, at) for at, term in enumerate(terms)))
        case Negative(of):
            return row(operator("-"), _within(of, PRODUCT))
        case Product(factors, signs):
            return _product(factors, signs)
        case Quotient(above, below, barred):
            if barred:
                return fraction(_piece(above), _piece(below))
            return row(_within(above, PRODUCT), operator("/"), _within(below, TALL))
        case Power(base, exponent):
            return script(_within(base, TIGHT), above=_piece(exponent))
        case Summation():
            return _summation(node)
        case Call():
            return _call(node)
        case Derivative():
            return _derivative(node)
        case _:
            return _rarer(node)


def _rarer(node: Node) -> str:
    match node:
        case Cases(branches):
            lines = "".join(_branch(value, condition) for value, condition in branches)
            return row(operator("{"), f"<mtable>{lines}</mtable>")
        case Indicator(condition, typed):
            sign = "" if typed == "[" else "<mn>𝟙</mn>"
            return row(sign, _enclosed("[" if typed == "[" else "{", _condition(condition)))
        case Matrix(rows, typed):
            return _matrix(rows, typed)
        case Transpose(of):
            return script(_within(of, TIGHT), above='<mi mathvariant="normal">⊤</mi>')
        case Entry(of, below):
            return script(_within(of, TIGHT), _indices(below))
        case Norm(of, order):
            bars = row(operator("‖"), _piece(of), operator("‖"))
            return script(bars, identifier(order)) if order else bars
        case Absolute(of):
            return row(operator("|"), _piece(of), operator("|"))
    raise TypeError(f"{type(node).__name__} is no part of a formula")


def _term(term: Node, at: int) -> str:
    if isinstance(term, Negative) and not term.bracket:
        return operator("-") + _within(term.of, PRODUCT)
    return (operator("+") if at else "") + _within(term, PRODUCT)


def _product(factors: Sequence[Node], signs: Sequence[str]) -> str:
    pieces = []
    for at, factor in enumerate(factors):
        reaches_right = isinstance(factor, Summation | Cases) and at < len(factors) - 1
        alone = (reaches_right or isinstance(factor, Product)) and not factor.bracket
        pieces.append(_enclosed("(" if alone else "", _within(factor, PRODUCT)))
        if at < len(signs):
            pieces.append(operator(SIGNS.get(signs[at], signs[at])) if signs[at] else _gap(factor, factors[at + 1]))
    return row(*pieces)


def _gap(factor: Node, following: Node) -> str:
    """Return what stands between two factors without a sign: two fractions need a space."""
    both = all(isinstance(one, Quotient | Derivative) and not one.bracket for one in (factor, following))
    return f"<mo>{TIMES}</mo>{SPACE if both else ''}"


def _matrix(rows: Sequence[Sequence[Node]], typed: str) -> str:
    lines = "".join(f"<mtr>{''.join(f'<mtd>{_piece(entry)}</mtd>' for entry in line)}</mtr>" for line in rows)
    fence = FENCES.get(typed, "[]")
    table = f"<mtable>{lines}</mtable>"
    return row(operator(fence[0]), table, operator(fence[1])) if fence != "  " else table


def _name(name: Name) -> str:
    """Write a name with its indices; `typed_as` says for each group of them how it is set."""
    ways = name.typed_as.split()
    in_brackets = bool(name.below) and "[" in ways
    below = "" if in_brackets or not name.below else _indices(name.below)
    raised = [f"<mo>{PRIMES.get(name.primes, '′' * name.primes)}</mo>"] if name.primes else []
    if name.above:
        raised.append(
            _enclosed(next((way for way in ways if way in BRACKETS and way != "["), ""), _indices(name.above))
        )
    written = script(_base(name), below, row(*raised) if len(raised) > 1 else "".join(raised))
    if not in_brackets:
        return written
    return row(written, operator("["), operator(",").join(map(_piece, name.below)), operator("]"))


def _base(name: Name) -> str:
    """Write the name itself; a font is that of its author, and a name of several letters stands upright."""
    base, _, accent = name.base.rpartition("_")
    if base and accent in ACCENTS:
        return f'<mover accent="true">{_letters(base, name.typed)}<mo>{ACCENTS[accent]}</mo></mover>'
    return _letters(name.base, name.typed)


def _letters(base: str, typed: str) -> str:
    word, _, rest = base.partition("_")
    bold = re.match(r"\\(?:mathbf|boldsymbol|bm|vec|mathbb)\b", typed)
    letter = GREEK.get(word, word)
    piece = f'<mi style="font-weight: 700">{identifier(letter)[4:]}' if bold else identifier(letter)
    return script(piece, words(rest)) if rest else piece


def _indices(below: Sequence[Node]) -> str:
    pieces = [_piece(index) for index in below]
    longer = any(not isinstance(index, Name | Number) for index in below)
    return row((operator(",") if longer else "").join(pieces)) if len(pieces) > 1 else pieces[0]


def _summation(total: Summation) -> str:
    sign = "∏" if total.kind == "prod" else "∑"
    below = operator(",").join(map(identifier, total.letters))
    if total.condition is not None:
        below = _condition(total.condition)
    elif total.low is not None:
        below += operator("=") + _piece(total.low)
    if total.high is None:
        large = f"<munder><mo>{sign}</mo>{row(below)}</munder>"
    else:
        large = f"<munderover><mo>{sign}</mo>{row(below)}{_piece(total.high)}</munderover>"
    return row(large, _within(total.body, PRODUCT))


def _call(call: Call) -> str:
    function, arguments = call.function, call.arguments
    inside = operator(",").join(map(_piece, arguments))
    if function.base == "sqrt":
        return f"<msqrt>{inside}</msqrt>"
    if function.typed == "e":
        return script(identifier("e"), above=row(inside))
    gap = "" if call.style else SPACE
    return row(_name(function), f"<mo>{APPLY}</mo>", gap, _enclosed(call.style, inside))


def _derivative(derivative: Derivative) -> str:
    mark, order = MARKS[derivative.mark], len(derivative.by)
    if derivative.mark == "nabla":
        return row(script(mark, row(*map(_piece, derivative.by))), _within(derivative.of, TIGHT))
    top = script(mark, above=numeral(str(order))) if order > 1 else mark
    if order > 1 and len(set(derivative.by)) == 1:
        below = row(mark, script(_within(derivative.by[0], TIGHT), above=numeral(str(order))))
    else:
        below = row(*(mark + _within(one, TIGHT) for one in derivative.by))
    if derivative.before:
        return row(fraction(top, below), _within(derivative.of, TALL))
    return fraction(row(top, _within(derivative.of, TALL)), below)


def _branch(value: Node, condition: Condition | None) -> str:
    when = words("otherwise") if condition is None else words("if\N{NO-BREAK SPACE}") + _condition(condition)
    return "<mtr>" + "".join(f'<mtd style="text-align: left">{cell}</mtd>' for cell in (_piece(value), when)) + "</mtr>"


def _condition(condition: Condition) -> str:
    relation = RELATIONS.get(condition.relation, condition.relation)
    written = row(_piece(condition.left), operator(relation), _piece(condition.right))
    return written + operator(",") + _condition(condition.also) if condition.also else written
