"""What has parts of its own as text: sums, derivatives, cases, arrays, conditions, transposes."""

from .derivatives import UNSAID
from .tree import (
    Add,
    Call,
    Cases,
    Condition,
    Derivative,
    Entry,
    Indicator,
    Matrix,
    Name,
    Node,
    Norm,
    Number,
    Power,
    Product,
    Quotient,
    Summation,
    Transpose,
)
from .write_names import NameWriter

__all__ = ["RAISED", "BlockWriter"]

LATEX_RELATIONS = {"!=": r"\ne", "<=": r"\le", ">=": r"\ge"}
PLAIN_RELATIONS = {"!=": "≠", "<=": "≤", ">=": "≥"}
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class BlockWriter(NameWriter):
    """Writes sums, derivatives, cases, arrays and conditions."""

    def bare(self, node: Node) -> str:
        """Write a node without brackets around it."""
        raise NotImplementedError

    def around(self, text: str, bracket: str = "(") -> str:
        """Put brackets around a text."""
        raise NotImplementedError

    def closed(self, node: Node) -> str:
        """Write a node so that scripts can follow."""
        raise NotImplementedError

    def is_exponential(self, node: Node) -> bool:
        """Return whether a node is written as a power of e."""
        raise NotImplementedError

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
            left = condition.left
            own = node.low is None and isinstance(left, Name) and not left.below and (left.base,) == node.letters
            bounds = written if own else f"{bounds}{':' if node.low is None else ','} {written}"
        if bounds:
            bounds = f"_{bounds}" if len(bounds) == 1 else f"_{{{bounds}}}"
        high = self.tight(node.high) if node.high is not None else ""
        if high:
            high = f"^{high}" if len(high) == 1 else f"^{{{high}}}"
        body = node.body
        written_body = (
            self.around(self.bare(body)) if isinstance(body, Add) and not body.bracket else self.expression(body)
        )
        return f"{sign}{bounds}{high} {written_body}"

    def derivative(self, node: Derivative) -> str:
        """Write a derivative."""
        if node.sign and node.sign != "∇" and isinstance(node.by[0], Name):
            return node.sign + self.below(node.by[0].below, "_") + " " + self.operand_closed(node.of)
        if node.mark == "nabla":
            variable = self.tight(node.by[0]) if node.by and node.by[0] != UNSAID and not node.sign else ""
            below = f"_{variable}" if len(variable) == 1 else f"_{{{variable}}}" if variable else ""
            order = ("^2" if self.latex else "²") if len(node.by) == 2 else ""
            return ("\\nabla" if self.latex else "∇") + order + below + " " + self.operand_closed(node.of)
        latex, plain = {"d": ("d", "d"), "delta": ("\\delta ", "δ")}.get(node.mark, ("\\partial ", "∂"))
        mark = latex if self.latex else plain
        count = len(node.by)
        raised = "" if count == 1 else f"^{count}" if self.latex else str(count).translate(RAISED)
        upper = mark.strip() + raised + (" " if self.latex and (mark != "d" or raised) else "")
        of = "" if node.before else self.operand_closed(node.of)
        if len(set(node.by)) == 1 and count > 1:
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
        """Return whether a function takes in what follows it: log sum_k ..."""
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
            sign = typed if typed.startswith("\\") or typed == "t" else "T"
            if inside:
                return self.bare(of).removesuffix("}") + f"{sign}}}"
            return self.closed(of) + (f"^{sign}" if sign in ("T", "t") or sign[1:].isalpha() else f"^{{{sign}}}")
        if isinstance(of, Name) and of.above and not of.bracket:
            return self.around(self.bare(of)) + "ᵀ"
        return self.closed(of) + "ᵀ"

    def closed_for_entry(self, node: Entry) -> str:
        """Write what an entry is taken of."""
        if (
            isinstance(node.of, Transpose)
            and not node.of.bracket
            and isinstance(node.of.of, Name)
            and not node.of.of.above
        ):
            return self.bare(node.of)
        if isinstance(node.of, Name | Number | Norm) and not node.of.bracket:
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
                f"{self.expression(value)} & "
                + (rf"\text{{if }} {self.condition(case)}" if case else r"\text{otherwise}")
                for value, case in node.branches
            ]
            return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"
        branches = (
            self.expression(value) + (f" if {self.condition(case)}" if case else " otherwise")
            for value, case in node.branches
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
