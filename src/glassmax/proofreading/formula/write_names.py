"""Names and numbers of a formula as text: what stands below and above a name."""

from fractions import Fraction

from .scripts import INDEX, LAYER, RECURRENT, SPELLED_OUT
from .signs import SUFFIXES
from .spelling import Spelling
from .tree import Name, Node, Number

__all__ = ["NameWriter"]


class NameWriter:
    """Writes names, their indices and numbers."""

    def __init__(self, latex: bool, spelling: Spelling) -> None:
        self.latex, self.spelling = latex, spelling

    def expression(self, node: Node) -> str:
        """Write any node."""
        raise NotImplementedError

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
        if ":" in node.typed_as:
            return text + self.of_argument(node)
        below = next((style for style in styles if style in ("_", "_,", "[", "1")), "_")
        above = [style for style in styles if style in ("^", "^(", "^[")]
        above += [""] * (len(node.above) - len(above))
        if below == "1" and not self.is_digit(node):
            below = "_"
        written_above = self.above(node.above, above)
        written_below = self.below(node.below, below) if node.below else ""
        first_above = bool(styles) and styles[0].startswith("^") and below != "["
        return text + (written_above + written_below if first_above else written_below + written_above)

    def of_argument(self, node: Name) -> str:
        """Write what follows the name of an array that is typed as a function: (z)_i, _i(z), (z_i)."""
        style, _, base = node.typed_as.partition(":")
        argument = self.spelling.name(Name(base))
        below = self.below(node.below, "_") if node.below else ""
        return {"entry": f"({argument}){below}", "index": f"{below}({argument})"}.get(style, f"({argument}{below})")

    @staticmethod
    def is_digit(node: Name) -> bool:
        """Return whether what stands below a name is one number."""
        return len(node.below) == 1 and isinstance(node.below[0], Number)

    def below(self, indices: tuple[Node, ...], style: str) -> str:
        """Write indices below a name, or in brackets after it."""
        parts = [self.tight(index) for index in indices]
        if style == "[":
            return "[" + ", ".join(parts) + "]"
        if style == "1":
            return parts[0]
        simple = all(len(part) == 1 or (part.startswith("\\") and part[1:].isalpha()) for part in parts)
        word = "".join(parts) in SUFFIXES or any(
            kind.match("".join(parts)) for kind in (RECURRENT, SPELLED_OUT)
        )  # which would be a part of the name
        comma = word or style == "_," or not simple or (len(parts) > 1 and any(part.isdigit() for part in parts))
        text = ",".join(parts) if comma else "".join(part + " " * part.startswith("\\") for part in parts).strip()
        if (
            len(text) == 1
            or (not self.latex and simple and not comma and text.isalnum())
            or (text.isdigit() and not self.latex)
        ):
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
        return "^" + (
            text if len(text) == 1 or (not self.latex and not is_plain and len(labels) == 1) else f"{{{text}}}"
        )
