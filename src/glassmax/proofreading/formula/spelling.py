r"""How names are spelled in LaTeX and in plain text: as their author spelled them if that fits, or as is usual."""

import re
import unicodedata
from collections.abc import Iterable

from ...calculus.greek import GREEK
from .signs import ACCENTS
from .tree import Call, Name, Node, Transpose
from .walk import nodes_in

__all__ = ["Spelling"]

COMBINING = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307"}
OPERATORS = {
    *(
        [
            "log",
            "ln",
            "exp",
            "sin",
            "cos",
            "tan",
            "tanh",
            "sinh",
            "cosh",
            "cot",
            "arcsin",
            "arccos",
            "arctan",
            "max",
            "min",
            "det",
        ]
    ),
}
BASE = re.compile(r"(?P<word>[A-Za-z]+)(?:_(?P<accent>hat|bar|tilde|dot|star|check|acute))?(?:_(?P<rest>\w+))?$")


class Spelling:
    """The spelling of names, given the trees of what the author wrote."""

    def __init__(self, latex: bool, like: Iterable[Node]) -> None:
        self.latex = latex
        self.known: dict[str, str] = {}
        self.transpose = ""
        for tree in like:
            for node in nodes_in(tree):
                if isinstance(node, Name) and node.typed and self.fits(node):
                    self.known.setdefault(node.base, node.typed)
                elif isinstance(node, Transpose) and node.typed:
                    self.transpose = self.transpose or node.typed
                if isinstance(node, Call) and node.function.typed:
                    self.known.setdefault("()" + node.function.base, node.function.typed)

    def fits(self, name: Name) -> bool:
        """Return whether the typed spelling of a name belongs to this notation."""
        typed = name.typed
        if self.latex:
            bare = re.search(r"_[A-Za-z0-9]{2}", typed)  # E_total, which LaTeX would read as E_t otal
            return typed.isascii() and typed not in GREEK and not bare
        return not any(character in typed for character in "\\{}^")

    def name(self, name: Name) -> str:
        """Spell the base of a name."""
        if name.typed and self.fits(name):
            return name.typed if self.latex or name.typed not in GREEK else GREEK[name.typed]
        if not self.latex and "_" not in name.base and (plain := self.translated(name.typed)):
            return plain
        if name.base in self.known:
            return self.known[name.base]
        return self.usual_latex(name.base) if self.latex else self.usual_plain(name.base)

    @staticmethod
    def translated(typed: str) -> str:
        r"""Return a function and its parameters as plain text, h_\theta as h_θ, or "" if the name is another."""
        if not re.fullmatch(r"(?:\\?[A-Za-z]+)_(?:\\?[A-Za-z]+|\{[\\A-Za-z, ]+\})", typed):
            return ""
        text = re.sub(r"\\([A-Za-z]+)", lambda found: GREEK.get(found.group(1), found.group()), typed)
        return "" if "\\" in text else re.sub(r"_\{(.)\}", r"_\1", text)

    def function(self, name: Name) -> str:
        """Spell the name of a function."""
        if name.typed and self.fits(name) and name.typed != "√":
            return self.name(name)
        if self.latex and name.base in OPERATORS:
            return "\\" + name.base
        if self.latex and len(name.base) > 1 and name.base not in GREEK:
            return f"\\operatorname{{{name.base}}}"
        return self.name(name)

    def usual_latex(self, base: str) -> str:
        """Spell a name in LaTeX."""
        if base == "ones":
            return "\\mathbf{1}"
        if base in GREEK or base == "ell":
            return f"\\{base}"
        if base.startswith("d") and base[1:] in GREEK:
            return f"d\\{base[1:]}"
        if base.startswith("Delta_"):
            return f"\\Delta {self.usual_latex(base[6:])}"
        found = BASE.match(base)
        if not found or (found["rest"] and re.search(r"_|^d[A-Z]", found["rest"])):
            return "\\text{" + base.replace("_", "\\_") + "}"
        word, accent, rest = found["word"], found["accent"], found["rest"]
        if rest in ACCENTS and not accent:
            accent, rest = rest, ""
        if word in GREEK:
            text = f"\\{word}"
        else:
            text = word if len(word) == 1 or (len(word) == 2 and word[0] == "d") else f"\\text{{{word}}}"
        if accent == "star":
            text += "^*"
        elif accent:
            text = f"\\{accent}{{{text}}}"
        if rest:
            text += f"_{rest}" if len(rest) == 1 else f"_{{{rest}}}" if rest.isdigit() else f"_{{\\text{{{rest}}}}}"
        return text

    def usual_plain(self, base: str) -> str:
        """Spell a name in plain text."""
        if base == "ones":
            return "𝟏"
        if base == "ell":
            return "ℓ"
        if base in GREEK:
            return base if base in ("Sigma", "Pi") else GREEK[base]
        if base.startswith("d") and base[1:] in GREEK:
            return "d" + GREEK[base[1:]]
        if base.startswith("Delta_"):
            return "Δ" + self.usual_plain(base[6:])
        found = BASE.match(base)
        if not found:
            return base
        word, accent, rest = found["word"], found["accent"], found["rest"]
        if not accent and rest in COMBINING:
            accent, rest = rest, ""
        text = GREEK.get(word, word)
        if accent in COMBINING and len(text) == 1:
            text = unicodedata.normalize("NFC", text + COMBINING[accent])
        elif accent:
            text += f"_{accent}"
        return text + (f"_{rest}" if rest else "")
