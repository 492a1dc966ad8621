"""`write`: a tree as a formula, in LaTeX or in plain Unicode text on one line, in the notation of its author.

What the reader kept of the spelling is written again: fonts, brackets, signs of products, fractions with a bar. Nodes
that have no spelling are written as is usual; `like` gives formulas of the author to take the spelling from.
"""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from ...errors import ExpressionError
from .parse import parse
from .scripts import INDEX, LAYER
from .spelling import Spelling
from .tree import Absolute, Add, Call, Cases, Condition, Derivative, Entry, Indicator, Matrix, Name, Negative, Node
from .tree import Norm, Number, Power, Product, Quotient, Summation, Transpose

__all__ = ["write"]

LATEX_SIGNS = {"": " ", "*": " * ", "cdot": r" \cdot ", "times": r" \times ", "odot": r" \odot ", "@": " @ "}
LATEX_SIGNS |= {"outer": r" \otimes ", ".": " . "}
PLAIN_SIGNS = {"": " ", "*": " * ", "cdot": " · ", "times": " × ", "odot": " ⊙ ", "@": " @ ", "outer": " ⊗ ", ".": " . "}
LATEX_RELATIONS = {"!=": r"\ne", "<=": r"\le", ">=": r"\ge"}
PLAIN_RELATIONS = {"!=": "≠", "<=": "≤", ">=": "≥"}
OPENING = {"(": ("(", ")"), "[": ("[", "]"), "{": (r"\{", r"\}")}
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
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


class _Writer:
    def __init__(self, latex: bool, spelling: Spelling) -> None:
        self.latex, self.spelling = latex, spelling

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
            return not getattr(node.of, "bracket", "")
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
                return bars[0] + self.expression(node.of) + bars[1] + order
            case Absolute():
                return "|" + self.expression(node.of) + "|"

    def number(self, node: Number) -> str:
        """Write a number: a decimal fraction if it has few digits."""
        if node.typed and (node.typed.isascii() or not self.latex) and "\\" not in node.typed:
            return node.typed
        value = node.value
        if value.denominator == 1:
            return str(value.numerator)
        digits = f"{float(value):.6f}".rstrip("0")
        if Fraction(digits) == value:
            return digits
        if self.latex:
            return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"
        return f"{value.numerator}/{value.denominator}"

    def name(self, node: Name, base: str | None = None) -> str:
        """Write a name with its scripts, in the order in which the author set them."""
        text = (self.spelling.name(node) if base is None else base) + "'" * node.primes
        styles = node.typed_as.split() if node.typed_as else []
        below = next((style for style in styles if style in ("_", "_,", "[", "1")), "_")
        above = [style for style in styles if style in ("^", "^(", "^[")]
        above += [""] * (len(node.above) - len(above))
        if below == "1" and not self.is_digit(node):
            below = "_"
        written_above = self.above(node.above, above)
        written_below = self.below(node.below, below) if node.below else ""
        first_above = bool(styles) and styles[0].startswith("^") and below != "["
        return text + (written_above + written_below if first_above else written_below + written_above)

    @staticmethod
    def is_digit(node: Name) -> bool:
        return len(node.below) == 1 and isinstance(node.below[0], Number)

    def below(self, indices: tuple[Node, ...], style: str) -> str:
        """Write indices below a name, or in brackets after it."""
        parts = [self.tight(index) for index in indices]
        if style == "[":
            return "[" + ", ".join(parts) + "]"
        if style == "1":
            return parts[0]
        simple = all(len(part) == 1 or (part.startswith("\\") and part[1:].isalpha()) for part in parts)
        comma = style == "_," or not simple or (len(parts) > 1 and any(part.isdigit() for part in parts))
        text = ",".join(parts) if comma else "".join(part + " " * part.startswith("\\") for part in parts).strip()
        if len(text) == 1 or (not self.latex and simple and not comma and text.isalnum()) or (text.isdigit() and not self.latex):
            return "_" + text
        return "_{" + text + "}"

    def tight(self, node: Node) -> str:
        """Write an index without spaces."""
        return self.expression(node).replace(" + ", "+").replace(" - ", "-")

    def above(self, labels: tuple[Node, ...], styles: list[str]) -> str:
        """Write layers and samples above a name."""
        text, is_plain = "", False
        for label, style in zip(labels, styles, strict=False):
            written = self.tight(label)
            if not style:
                style = "^" if LAYER.match(written) or INDEX.match(written) else "^("
            is_plain = is_plain or style == "^"
            text += {"^": written, "^(": f"({written})", "^[": f"[{written}]"}[style]
        if not text:
            return ""
        return "^" + (text if len(text) == 1 or (not self.latex and not is_plain and len(labels) == 1) else f"{{{text}}}")

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
            self.factor(factor, last=place == count - 1, signed=place > 0 and bool(node.signs[place - 1]))
            for place, factor in enumerate(node.factors)
        ]
        for place, sign in enumerate(node.signs):
            if not sign and isinstance(node.factors[place], Name) and self.would_apply(written[place], written[place + 1]):
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
        fine = fine or self.is_exponential(below) or (isinstance(below, Number) and below.value >= 0 and below.value.denominator == 1)
        lower = self.expression(below) if fine or getattr(below, "bracket", "") else self.around(self.bare(below))
        return f"{upper} / {lower}" if self.latex else f"{upper}/{lower}"

    @staticmethod
    def is_differential(node: Node) -> bool:
        return isinstance(node, Name) and node.base.startswith("d") and len(node.base) > 1

    def power(self, node: Power) -> str:
        """Write a power."""
        base = self.closed(node.base)
        if isinstance(node.exponent, Number) and node.exponent.value.denominator == 1 and not self.latex:
            if node.exponent.value >= 0:
                return base + str(node.exponent.value).translate(RAISED)
        exponent = self.tight(node.exponent)
        if self.reads_as_label(exponent) and isinstance(node.base, Name):
            base = self.around(base) if not node.base.bracket else base
        return f"{base}^{exponent}" if len(exponent) == 1 else f"{base}^{{{exponent}}}"

    @staticmethod
    def reads_as_label(exponent: str) -> bool:
        return bool(LAYER.match(exponent) or INDEX.match(exponent)) or exponent[:1] in ("(", "[")

    def summation(self, node: Summation) -> str:
        """Write a sum or a product over letters."""
        sign = ({"sum": r"\sum", "prod": r"\prod"} if self.latex else {"sum": "Σ", "prod": "∏"})[node.kind]
        bounds = ",".join(node.letters)
        condition = node.condition
        if node.low is not None:
            bounds = f"{bounds}={self.tight(node.low)}"
        if condition is not None:
            written = self.condition(condition, separator=", ")
            if not self.latex:
                written = written.replace(" ", "")
            own = node.low is None and isinstance(condition.left, Name) and (condition.left.base,) == node.letters
            bounds = written if own and not condition.left.below else f"{bounds}{':' if node.low is None else ','} {written}"
        if bounds:
            bounds = f"_{bounds}" if len(bounds) == 1 else f"_{{{bounds}}}"
        high = self.tight(node.high) if node.high is not None else ""
        if high:
            high = f"^{high}" if len(high) == 1 else f"^{{{high}}}"
        body = node.body
        written_body = self.around(self.bare(body)) if isinstance(body, Add) and not body.bracket else self.expression(body)
        return f"{sign}{bounds}{high} {written_body}"

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
        name = self.name(function, self.spelling.function(function))
        if function.base == "sqrt" and self.latex and len(node.arguments) == 1:
            return f"\\sqrt{{{self.expression(node.arguments[0])}}}"
        if not node.style and len(node.arguments) == 1 and self.goes_without(node.arguments[0]):
            return f"{name} {self.expression(node.arguments[0])}"
        style = node.style if node.style in OPENING and self.latex else "[" if node.style == "[" else "("
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

    def derivative(self, node: Derivative) -> str:
        """Write a derivative."""
        if node.mark == "nabla":
            variable = self.tight(node.by[0])
            below = f"_{variable}" if len(variable) == 1 else f"_{{{variable}}}"
            order = ("^2" if self.latex else "²") if len(node.by) == 2 else ""
            return ("\\nabla" if self.latex else "∇") + order + below + " " + self.operand_closed(node.of)
        mark = "d" if node.mark == "d" else "\\partial " if self.latex else "∂"
        order = len(node.by)
        raised = "" if order == 1 else f"^{order}" if self.latex else str(order).translate(RAISED)
        upper = mark.strip() + raised + (" " if self.latex and (mark != "d" or raised) else "")
        of = "" if node.before else self.operand_closed(node.of)
        if len(set(node.by)) == 1 and order > 1:
            lower = mark + self.closed(node.by[0]) + raised
        else:
            lower = " ".join(mark + self.operand_closed(variable) for variable in node.by)
        if of.startswith("\\") and upper == "d":
            upper += " "
        barred, slash = self.latex and node.barred, " / " if self.latex else "/"
        text = f"\\frac{{{(upper + of).strip()}}}{{{lower}}}" if barred else f"{(upper + of).strip()}{slash}{lower}"
        if not node.before:
            return text
        return f"{text} {self.operand(node.of)}"

    def operand_closed(self, node: Node) -> str:
        """Write what is differentiated, or a variable."""
        if getattr(node, "bracket", "") or isinstance(node, Name):
            return self.expression(node)
        if isinstance(node, Call) and not self.is_exponential(node) and not self.is_greedy_call(node):
            return self.expression(node) if node.style or self.latex else self.around(self.bare(node))
        if isinstance(node, Entry | Transpose | Norm) or self.is_exponential(node):
            return self.expression(node)
        return self.around(self.bare(node))

    def is_greedy_call(self, node: Call) -> bool:
        return not node.style and isinstance(node.arguments[0], Summation | Product)

    def operand(self, node: Node) -> str:
        """Write what follows d/dx."""
        if getattr(node, "bracket", ""):
            return self.expression(node)
        text = self.bare(node)
        simple = isinstance(node, Name | Call | Power | Summation | Quotient | Entry | Transpose | Norm)
        if isinstance(node, Quotient) and not (node.barred and self.latex):
            simple = False
        if isinstance(node, Product):
            simple = not any(isinstance(factor, Derivative | Quotient | Summation) for factor in node.factors[1:])
            simple = simple and not any(node.signs)
        if not simple or text.startswith(("(", "[", "\\left", "\\{")):
            return self.around(text)
        return text

    def transpose(self, node: Transpose) -> str:
        """Write a transpose, with the sign of its author."""
        typed = node.typed or self.spelling.transpose
        of = node.of
        if typed == ".T" and not self.latex:
            return self.closed(of) + ".T"
        inside = isinstance(of, Name) and of.above and not of.bracket and of.typed_as.split()[-1:] in (["^["], ["^("])
        if self.latex:
            sign = typed if typed.startswith("\\") else "T"
            if inside:
                return self.bare(of).removesuffix("}") + f"{sign}}}"
            return self.closed(of) + (f"^{sign}" if sign == "T" or sign[1:].isalpha() else f"^{{{sign}}}")
        if isinstance(of, Name) and of.above and not of.bracket:
            return self.around(self.bare(of)) + "ᵀ"
        return self.closed(of) + "ᵀ"

    def closed_for_entry(self, node: Entry) -> str:
        """Write what an entry is taken of."""
        if isinstance(node.of, Transpose) and not node.of.bracket and isinstance(node.of.of, Name) and not node.of.of.above:
            return self.bare(node.of)
        if isinstance(node.of, Name) and not node.of.bracket:
            return self.around(self.bare(node.of))
        return self.closed(node.of)

    def condition(self, node: Condition, separator: str = "") -> str:
        """Write a condition."""
        signs = LATEX_RELATIONS if self.latex else PLAIN_RELATIONS
        text = f"{self.expression(node.left)} {signs.get(node.relation, node.relation)} {self.expression(node.right)}"
        if node.also is not None:
            between = separator or (r" \text{ and } " if self.latex else " and ")
            text += between + self.condition(node.also, separator)
        return text

    def indicator(self, node: Indicator) -> str:
        """Write an indicator."""
        condition = self.condition(node.condition, separator=", ")
        sign, style = (node.typed[:-1], node.typed[-1:]) if node.typed else ("", "{")
        if node.typed.endswith("\\{"):
            sign, style = node.typed[:-2], "{"
        if node.typed == "[":
            return f"[{condition}]"
        if self.latex:
            sign = sign if sign.isascii() and sign else r"\mathbb{1}"
            closing = {"_": ("_{", "}"), "(": ("(", ")"), "[": ("[", "]")}.get(style, (r"\{", r"\}"))
        else:
            sign = sign if sign in ("I", "1") else "δ" if "delta" in sign or sign == "δ" else "1"
            closing = {"_": ("_{", "}"), "(": ("(", ")"), "[": ("[", "]")}.get(style, ("[", "]"))
        return sign + closing[0] + condition + closing[1]

    def cases(self, node: Cases) -> str:
        """Write cases: in rows, or on one line in plain text."""
        if self.latex:
            rows = [
                f"{self.expression(value)} & " + (rf"\text{{if }} {self.condition(case)}" if case else r"\text{otherwise}")
                for value, case in node.branches
            ]
            return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"
        branches = (
            self.expression(value) + (f" if {self.condition(case)}" if case else " otherwise") for value, case in node.branches
        )
        return "(" + "; ".join(branches) + ")"

    def matrix(self, node: Matrix) -> str:
        """Write an array by rows."""
        if self.latex and (node.typed not in ("(", "[") or len(node.rows) > 1):
            name = node.typed if node.typed.endswith("matrix") else "bmatrix"
            rows = (" & ".join(self.expression(entry) for entry in row) for row in node.rows)
            return rf"\begin{{{name}}} " + r" \\ ".join(rows) + rf" \end{{{name}}}"
        text = "; ".join(", ".join(self.expression(entry) for entry in row) for row in node.rows)
        return f"({text})" if node.typed == "(" else f"[{text}]"
