"""A formula as its author wrote it, in presentation MathML; every name is escaped.

The layout is the author's: a fraction stays a fraction, a product keeps its signs, brackets stand where the tree needs
them.
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

TIMES, APPLY = "\u2062", "\u2061"
SIGNS = {"": TIMES, "*": "∗", "cdot": "·", "times": "×", "odot": "⊙", "@": "@", "outer": "⊗", ".": "·"}
RELATIONS = {"!=": "≠", "<=": "≤", ">=": "≥"}
MARKS = {"d": "d", "partial": "∂", "nabla": "∇"}
ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "vec": "→", "dot": "˙"}
PRIMES = {1: "′", 2: "″", 3: "‴"}
GIVEN_BARE = {"log", "ln", "exp", "sin", "cos", "tanh", "sinh", "cosh", "tan"}
"""Functions that are written before a single name without brackets, as in log p_k."""
LOOSE, PRODUCT, TIGHT = 1, 2, 3
"""How tightly a part is bound: a sum of terms, a product of factors, anything that needs no brackets."""


def equation_mathml(sides: Sequence[Node | None]) -> str:
    """Write the sides of an equation with their equals signs; the first is None if the line continues another."""
    pieces = [_piece(sides[0]) if sides[0] is not None else ""]
    pieces += [operator("=") + ("" if side is None else _piece(side)) for side in sides[1:]]
    return math("".join(pieces))


def formula_mathml(node: Node) -> str:
    """Write one formula as a ``<math>`` element.

    Examples
    --------
    >>> formula_mathml(Name("delta", (Name("i"), Name("j"))))
    '<math><msub><mi>δ</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub></math>'
    """
    return math(_piece(node))


def _piece(node: Node) -> str:
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
            return row(_within(above, PRODUCT), operator("/"), _within(below, TIGHT))
        case Power(base, exponent):
            return script(_within(base, TIGHT), above=_piece(exponent))
        case Summation():
            return _summation(node)
        case Call(function, arguments):
            return _call(function, arguments)
        case Derivative():
            return _derivative(node)
        case _:
            return _rarer(node)


def _rarer(node: Node) -> str:
    match node:
        case Cases(branches):
            lines = "".join(_branch(value, condition) for value, condition in branches)
            return row(operator("{"), f'<mtable columnalign="left">{lines}</mtable>')
        case Indicator(condition):
            return row("<mn>𝟙</mn>", operator("{"), _condition(condition), operator("}"))
        case Matrix(rows):
            lines = "".join(f"<mtr>{''.join(f'<mtd>{_piece(e)}</mtd>' for e in line)}</mtr>" for line in rows)
            return row(operator("["), f"<mtable>{lines}</mtable>", operator("]"))
        case Transpose(of):
            return script(_within(of, TIGHT), above='<mi mathvariant="normal">⊤</mi>')
        case Entry(of, below):
            return script(_within(of, TIGHT), _indices(below))
        case Norm(of):
            return row(operator("‖"), _piece(of), operator("‖"))
        case Absolute(of):
            return row(operator("|"), _piece(of), operator("|"))
    raise TypeError(f"{type(node).__name__} is no part of a formula")


def _binding(node: Node) -> int:
    if isinstance(node, Add | Negative):
        return LOOSE
    if isinstance(node, Product | Summation | Cases):
        return PRODUCT
    if isinstance(node, Quotient):
        return TIGHT if node.barred else PRODUCT
    if isinstance(node, Derivative) and not isinstance(node.of, Name | Call | Entry):
        return PRODUCT
    return TIGHT


def _within(node: Node, needed: int) -> str:
    """Write a part, in brackets if it is bound less tightly than needed."""
    tall = isinstance(node, Quotient | Power | Derivative | Call) and needed == TIGHT
    tight = _binding(node) >= needed and not (tall and not isinstance(node, Derivative))
    return _piece(node) if tight else _bracketed(_piece(node))


def _bracketed(piece: str) -> str:
    return row(operator("("), piece, operator(")"))


def _term(term: Node, at: int) -> str:
    if isinstance(term, Negative):
        return operator("-") + _within(term.of, PRODUCT)
    return (operator("+") if at else "") + _within(term, PRODUCT)


def _product(factors: Sequence[Node], signs: Sequence[str]) -> str:
    pieces = []
    for at, factor in enumerate(factors):
        reaches_right = isinstance(factor, Summation | Cases) and at < len(factors) - 1
        alone = reaches_right or isinstance(factor, Product)  # a product inside a product had brackets
        pieces.append(_bracketed(_piece(factor)) if alone else _within(factor, PRODUCT))
        if at < len(signs):
            pieces.append(operator(SIGNS.get(signs[at], signs[at])))
    return row(*pieces)


def _name(name: Name) -> str:
    below = _indices(name.below) if name.below and name.typed_as != "[" else ""
    raised = [f"<mo>{PRIMES.get(name.primes, '′' * name.primes)}</mo>"] if name.primes else []
    if name.above:
        raised.append(_enclosed(name.typed_as, _indices(name.above)))
    written = script(_base(name), below, row(*raised) if len(raised) > 1 else "".join(raised))
    if name.below and name.typed_as == "[":
        listed = operator(",").join(map(_piece, name.below))
        return row(written, operator("["), listed, operator("]"))
    return written


def _enclosed(typed_as: str, piece: str) -> str:
    """Set a superscript in the brackets that its author gave it."""
    left, right = {"^(": "()", "^[": "[]"}.get(typed_as, ("", ""))
    return row(operator(left), piece, operator(right)) if left else piece


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


def _call(function: Name, arguments: Sequence[Node]) -> str:
    if function.base in ("sqrt",) and len(arguments) == 1:
        return f"<msqrt>{_piece(arguments[0])}</msqrt>"
    bare = function.base in GIVEN_BARE and len(arguments) == 1 and isinstance(arguments[0], Name | Number)
    inside = operator(",").join(map(_piece, arguments))
    gap = f'<mo>{APPLY}</mo><mspace width="0.17em"/>' if bare else f"<mo>{APPLY}</mo>"
    return row(_name(function), gap, inside if bare else _bracketed(inside))


def _derivative(derivative: Derivative) -> str:
    mark, order = operator(MARKS[derivative.mark]), len(derivative.by)
    if derivative.mark == "nabla":
        return row(script(mark, "".join(map(_piece, derivative.by))), _within(derivative.of, TIGHT))
    top = script(mark, above=numeral(str(order))) if order > 1 else mark
    same = order > 1 and len(set(derivative.by)) == 1
    if same:
        below = row(mark, script(_within(derivative.by[0], TIGHT), above=numeral(str(order))))
    else:
        below = row(*(mark + _within(one, TIGHT) for one in derivative.by))
    if isinstance(derivative.of, Name | Call | Entry):
        return fraction(row(top, _piece(derivative.of)), below)
    return row(fraction(top, below), _bracketed(_piece(derivative.of)))


def _branch(value: Node, condition: Condition | None) -> str:
    when = words("otherwise") if condition is None else words("if\N{NO-BREAK SPACE}") + _condition(condition)
    return f"<mtr><mtd>{_piece(value)}</mtd><mtd>{when}</mtd></mtr>"


def _condition(condition: Condition) -> str:
    relation = RELATIONS.get(condition.relation, condition.relation)
    written = row(_piece(condition.left), operator(relation), _piece(condition.right))
    return written + operator(",") + _condition(condition.also) if condition.also else written
