"""`write`: a tree as a formula, in LaTeX or in plain Unicode text on one line, in the notation of its author.

What the reader kept of the spelling is written again: fonts, brackets, signs of products, fractions with a bar. Nodes
that have no spelling are written as is usual; `like` gives formulas of the author to take the spelling from.
"""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from ...errors import ExpressionError
from .numpy_calls import axis_of
from .parse import parse
from .scripts import INDEX, LAYER
from .signs import FUNCTIONS, WITHOUT_BRACKETS
from .spelling import Spelling
from .tree import (
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
from .write_blocks import RAISED, BlockWriter

__all__ = ["write"]

LATEX_SIGNS = {
    "": " ",
    "inner": " ",
    "*": " * ",
    "cdot": r" \cdot ",
    "times": r" \times ",
    "odot": r" \odot ",
    "@": " @ ",
}
LATEX_SIGNS |= {"outer": r" \otimes ", ".": " . "}
PLAIN_SIGNS = {
    "": " ",
    "*": " * ",
    "cdot": " · ",
    "times": " × ",
    "inner": " ",
    "odot": " ⊙ ",
    "@": " @ ",
    "outer": " ⊗ ",
    ".": " . ",
}
OPENING = {"(": ("(", ")"), "[": ("[", "]"), "{": (r"\{", r"\}")}
TALL = ("\\frac", "\\sum", "\\prod", "\\begin")


def write(node: Node | Condition, latex: bool = False, *, like: Iterable[Node] = ()) -> str:
    r"""Write a formula.

    Parameters
    ----------
    node : Node or Condition
        The tree.
    latex : bool, optional
        LaTeX, or (the default) Unicode text on one line.
    like : iterable of Node, optional
        Formulas of the author: names without a spelling of their own are spelled as there.

    Returns
    -------
    str
        The formula. Reading it again gives an equal tree.

    Examples
    --------
    >>> from glassmax.proofreading.formula.parse import parse
    >>> write(parse(r"\frac{\partial p_i}{\partial z_j}"))
    '∂p_i/∂z_j'
    >>> write(parse("p_i(δ_ij - p_j)"), latex=True)
    'p_i (\\delta_{ij} - p_j)'
    """
    writer = _Writer(latex, Spelling(latex, like))
    return writer.condition(node) if isinstance(node, Condition) else writer.expression(node)


class _Writer(BlockWriter):
    # -- brackets and levels

    def expression(self, node: Node) -> str:
        """Write a node with its own brackets."""
        text = self.bare(node)
        bracket = getattr(node, "bracket", "")
        return self.around(text, bracket) if bracket else text

    def around(self, text: str, bracket: str = "(") -> str:
        """Put brackets around a text."""
        opening, close = OPENING.get(bracket or "(", ("(", ")"))
        if not self.latex:
            return f"({text})" if bracket == "{" else f"{opening}{text}{close}"
        if any(tall in text for tall in TALL):
            return f"\\left{opening} {text} \\right{close}"
        return f"{opening}{text}{close}"

    def closed(self, node: Node) -> str:
        """Write a node so that scripts can follow, with brackets if it needs some."""
        if getattr(node, "bracket", ""):
            return self.expression(node)
        name = isinstance(node, Name) and not node.above and not node.base.endswith("_star")
        number = isinstance(node, Number) and node.value.denominator == 1 and node.value >= 0
        if name or number or isinstance(node, Norm | Absolute | Matrix) or self.is_closed_call(node):
            return self.bare(node)
        return self.around(self.bare(node))

    def is_closed_call(self, node: Node) -> bool:
        return isinstance(node, Call) and bool(node.style in ("(", "[", "{")) and not self.is_exponential(node)

    def factor(self, node: Node, *, last: bool, signed: bool) -> str:
        """Write a factor of a product; `signed` says that a sign stands before it."""
        if getattr(node, "bracket", ""):
            return self.expression(node)
        if isinstance(node, Add | Product) or (isinstance(node, Negative) and not (signed and last)):
            return self.around(self.bare(node))
        if isinstance(node, Number) and node.value < 0:
            return self.around(self.bare(node))
        if isinstance(node, Call) and not node.style and not last:
            return self.bare(replace(node, style="("))
        if not last and self.is_greedy(node):
            return self.around(self.bare(node))
        return self.bare(node)

    def is_greedy(self, node: Node) -> bool:
        """Return whether a node takes in the factors that follow it: a sum, d/dx."""
        if getattr(node, "bracket", ""):
            return False
        if isinstance(node, Summation):
            return True
        if isinstance(node, Derivative) and node.before:
            return not bool(getattr(node.of, "bracket", ""))
        if isinstance(node, Call) and not node.style and node.arguments:
            return True
        return isinstance(node, Negative) and self.is_greedy(node.of)

    def term(self, node: Node) -> str:
        """Write a term of a sum."""
        if isinstance(node, Add | Negative) and not node.bracket:
            return self.around(self.bare(node))
        return self.expression(node)

    # -- the kinds of nodes

    def bare(self, node: Node) -> str:
        """Write a node without brackets around it."""
        match node:
            case Number():
                return self.number(node)
            case Name():
                return self.name(node)
            case Add():
                return self.sum(node)
            case Negative():
                return "-" + self.term(node.of)
            case Product():
                return self.product(node)
            case Quotient():
                return self.quotient(node)
            case Power():
                return self.power(node)
            case Summation():
                return self.summation(node)
            case Call():
                return self.call(node)
            case Derivative():
                return self.derivative(node)
            case Cases():
                return self.cases(node)
            case Indicator():
                return self.indicator(node)
            case Matrix():
                return self.matrix(node)
            case Transpose():
                return self.transpose(node)
            case Entry():
                return self.closed_for_entry(node) + self.below(node.below, "_")
            case Norm():
                bars = (r"\|", r"\|") if self.latex else ("‖", "‖")
                order = f"_{node.order}" if node.order else ""
                return bars[0] + self.between_bars(node.of) + bars[1] + order
            case Absolute():
                return "|" + self.between_bars(node.of) + "|"

    def between_bars(self, node: Node) -> str:
        """Write what stands between bars, in brackets if it has bars of its own."""
        text = self.expression(node)
        return self.around(text) if any(bar in text for bar in "|‖") else text

    def sum(self, node: Add) -> str:
        """Write a sum of terms."""
        text = self.term(node.terms[0]) if not isinstance(node.terms[0], Negative) else self.expression(node.terms[0])
        for term in node.terms[1:]:
            if isinstance(term, Negative) and not term.bracket:
                text += " - " + self.term(term.of)
            else:
                text += " + " + self.term(term)
        return text

    def product(self, node: Product) -> str:
        """Write a product with its signs."""
        signs = LATEX_SIGNS if self.latex else PLAIN_SIGNS
        count = len(node.factors)
        written = [
            self.factor(factor, last=place == count - 1, signed=place > 0 and node.signs[place - 1] not in ("", "."))
            for place, factor in enumerate(node.factors)
        ]
        for place, sign in enumerate(node.signs):
            if (
                not sign
                and isinstance(node.factors[place], Name)
                and self.would_apply(written[place], written[place + 1])
            ):
                written[place] = self.around(written[place])
        return written[0] + "".join(signs[sign] + text for sign, text in zip(node.signs, written[1:], strict=True))

    def would_apply(self, name: str, following: str) -> bool:
        """Return whether a name before a bracket would be read as a function of what the bracket holds."""
        if not following.startswith(("(", "[", "\\left", "\\{")):
            return False
        try:
            return not isinstance(parse(f"{name} {following}", latex=self.latex), Product)
        except ExpressionError:
            return True

    def quotient(self, node: Quotient) -> str:
        """Write a fraction, with a bar where LaTeX has one."""
        if self.latex and node.barred:
            return f"\\frac{{{self.expression(node.above)}}}{{{self.expression(node.below)}}}"
        above = node.above
        open_above = isinstance(above, Add | Negative | Product | Summation) or (
            isinstance(above, Derivative | Call) and self.is_greedy(above)
        )
        open_above = open_above or (self.is_differential(above) and self.is_differential(node.below))
        upper = self.around(self.bare(above)) if open_above and not above.bracket else self.expression(above)
        below = node.below
        fine = isinstance(below, Name | Norm | Absolute | Power | Transpose | Entry) or self.is_closed_call(below)
        fine = (
            fine
            or self.is_exponential(below)
            or (isinstance(below, Number) and below.value >= 0 and below.value.denominator == 1)
        )
        lower = self.expression(below) if fine or bool(getattr(below, "bracket", "")) else self.around(self.bare(below))
        return f"{upper} / {lower}" if self.latex else f"{upper}/{lower}"

    @staticmethod
    def is_differential(node: Node) -> bool:
        return isinstance(node, Name) and node.base.startswith("d") and len(node.base) > 1

    def power(self, node: Power) -> str:
        """Write a power."""
        base = self.closed(node.base)
        number = node.exponent.value if isinstance(node.exponent, Number) else Fraction(-1)
        if number.denominator == 1 and number >= 0 and not self.latex:
            return base + str(number).translate(RAISED)
        exponent = self.tight(node.exponent)
        if self.reads_as_label(exponent) and isinstance(node.base, Name):
            base = self.around(base) if not node.base.bracket else base
        return f"{base}^{exponent}" if len(exponent) == 1 else f"{base}^{{{exponent}}}"

    @staticmethod
    def reads_as_label(exponent: str) -> bool:
        return bool(LAYER.match(exponent) or INDEX.match(exponent)) or exponent[:1] in ("(", "[")

    def is_exponential(self, node: Node) -> bool:
        """Return whether a node is written as a power of e."""
        if not isinstance(node, Call) or node.function.base != "exp" or len(node.arguments) != 1:
            return False
        return node.function.typed == "e" or (not node.function.typed and self.spelling.known.get("()exp") == "e")

    def call(self, node: Call) -> str:
        """Write a function of its arguments."""
        if self.is_exponential(node):
            exponent = self.tight(node.arguments[0])
            return f"e^{exponent}" if len(exponent) == 1 else f"e^{{{exponent}}}"
        function = node.function
        if function.base == "factorial" and len(node.arguments) == 1:
            argument = self.expression(node.arguments[0])
            return (argument if isinstance(node.arguments[0], Name | Number) else self.around(argument)) + "!"
        name = self.name(function, self.spelling.function(function))
        if function.base == "sqrt" and self.latex and len(node.arguments) == 1:
            return f"\\sqrt{{{self.expression(node.arguments[0])}}}"
        if not node.style and function.base in WITHOUT_BRACKETS and len(node.arguments) == 1:
            argument = self.expression(node.arguments[0])
            if self.goes_without(node.arguments[0]) and not argument.startswith(("(", "[", "\\left", "\\{")):
                return f"{name} {argument}"
        style = node.style if node.style in OPENING and function.base in FUNCTIONS else "("
        if (axis := axis_of(node)) is not None:
            of, along = (self.expression(part) for part in (node.arguments[0], axis))
            return name + self.around(f"{of}, axis={along}", style)
        return name + self.around(", ".join(self.expression(argument) for argument in node.arguments), style)

    def goes_without(self, argument: Node) -> bool:
        """Return whether an argument needs no brackets: log p_k."""
        if getattr(argument, "bracket", ""):
            return False
        if isinstance(argument, Product):
            simple = isinstance(argument.factors[0], Number | Name) and not any(argument.signs)
            return simple and all(isinstance(factor, Name) for factor in argument.factors[1:])
        if isinstance(argument, Quotient):
            return argument.barred and self.latex
        return isinstance(argument, Name | Number | Call | Summation | Power | Entry) and not (
            isinstance(argument, Power) and not isinstance(argument.base, Name)
        )
