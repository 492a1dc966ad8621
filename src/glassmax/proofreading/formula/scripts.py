"""Names with what stands below and above them: W^{(l)}_{ij}, S[i,k], y_hat, e^{z_i}, and which of these is a power."""

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ...calculus.greek import GREEK
from ...errors import ExpressionError
from .cursor import Cursor
from .signs import FUNCTIONS, SUFFIXES
from .tokens import Token
from .tree import Add, Call, Entry, Name, Negative, Node, Number, Power, Transpose

__all__ = ["Scripts"]

TRANSPOSED = re.compile(
    r"-?\s*(?:\.?T|ᵀ|⊤|\\top|\\intercal|\\transpose|\\(?:mathsf|mathrm|text|textrm|mathbf|rm)\s*\{?\s*T\s*\}?)$"
)
LABELS = re.compile(r"\s*(?:\(([^()]*)\)|\[([^\[\]]*)\])")
LAYER = re.compile(r"(?:l|L|t|\\ell|ℓ)\s*(?:[+−-]\s*[0-9]+)?$")
INDEX = re.compile(r"[ijktsq]$|[ijklmn]{2,3}$")
SWITCH = re.compile(r"\\(?:rm|bf|it|cal|sf|tt)(?![A-Za-z])\s*")
SPELLED_OUT = re.compile(r"[A-Z]{2,}$|(?=[a-z]*[aeou])[a-z]{3,}$")  # CCE, tot: no letters of indices
STAR = re.compile(r"(?:\*|\\ast|\\star)$")
WORD = re.compile(
    r"\\(?:text|mathrm|textrm|mathit|operatorname|textit|mathsf|mathbf)\s*\{\s*([A-Za-z][A-Za-z0-9 ,_-]*)\}$"
)
DIGITS_WORD = re.compile(r"[a-hopq-zA-Z][0-9]$")
RECURRENT = re.compile(r"[xhy][xhy]$|[xh][oifcg]$|[oifcg][xh]$")
RELATION = re.compile(r"[=≠<>≤≥∈]|\\(?:neq?|leq?|geq?|in|lt|gt)(?![A-Za-z])|!=")


@dataclass
class Parts:
    """What is gathered of a name while its scripts are read."""

    name: Name
    around: list[tuple[str, Node | None, str]] = field(default_factory=list)  # transposes and powers, inside out
    styles: list[str] = field(default_factory=list)
    done: Node | None = None  # what the name has become, if it is a name no more: an entry of a transpose, e^x

    def finish(self) -> Node:
        """Return the name with its powers around it."""
        if self.done is not None:
            return self.done
        node: Node = replace(self.name, typed_as=" ".join(self.styles))
        for what, exponent, typed in self.around:
            node = Transpose(node, typed) if what == "transpose" or exponent is None else Power(node, exponent)
        return node


class Scripts(Cursor):
    """Reads names and their scripts."""

    def named(self, token: Token) -> Parts:
        """Read the scripts that follow a name, which has been taken."""
        parts = Parts(Name(token.text, typed=token.typed))
        while parts.done is None:
            here = self.token
            if here.kind == "mark" and here.text in ("'", "''"):
                self.take()
                parts.name = replace(parts.name, primes=parts.name.primes + len(here.text))
            elif here.kind == "mark" and here.text == "ᵀ":
                self.take()
                parts.around.append(("transpose", None, "ᵀ" if here.typed == "ᵀ" else "T"))
            elif here.kind == "below" and not self.is_condition(here):
                self.take()
                self.below_name(parts, here)
            elif here.kind == "above":
                self.take()
                self.above_name(parts, here)
            elif self.next_is("[") and not here.spaced and token.text not in FUNCTIONS and self.bracket_indices(parts):
                pass
            else:
                break
            if len(parts.around) > 20:
                self.fail("too many scripts", here)
        return parts

    @staticmethod
    def is_condition(token: Token) -> bool:
        """Return whether what stands below is a comparison: of an indicator, 1_{i = j}."""
        return bool(RELATION.search(token.text))

    def below_name(self, parts: Parts, token: Token) -> None:
        """Add what stands below to a name."""
        suffix = self.suffix(parts.name.base, token)
        if suffix:
            base = f"{parts.name.base}_{suffix}"
            typed = parts.name.typed + ("_" + token.text if len(token.text) == 1 else "_{" + token.text + "}")
            if not self.known.latex and suffix == token.text:
                typed = f"{parts.name.typed}_{suffix}"
            parts.name = replace(parts.name, base=base, typed=typed)
            return
        elements = self.elements(token)
        if self.are_parameters(parts.name, elements):
            bare = len(token.text) == 1 or (token.text.isalpha() and not self.known.latex)
            shown = token.text if bare else f"{{{token.text}}}"
            parts.name = replace(parts.name, typed=f"{parts.name.typed}_{shown}")
            return
        if any(what == "transpose" for what, _, _ in parts.around):
            parts.done = Entry(parts.finish(), elements)
            return
        before = parts.name.below
        if before and isinstance(before[-1], Name) and not before[-1].below and self.follows_below(token):
            inner = replace(before[-1], below=elements, typed_as="_")  # p_y_i
            parts.name = replace(parts.name, below=(*before[:-1], inner))
            return
        parts.name = replace(parts.name, below=(*before, *elements))
        style = "1" if token.typed == "1" else "_," if "," in token.text else "_"
        parts.styles.append(style)

    def are_parameters(self, name: Name, below: tuple[Node, ...]) -> bool:
        """Return whether what stands below a name are the parameters of a function and no indices: h_theta(x)."""
        letters = {index.base for index in below if isinstance(index, Name) and not index.below}
        if not below or len(letters) < len(below) or name.below:
            return False
        if letters <= {"theta", "Theta", "phi", "psi", "omega"}:
            return name.base != "delta"
        return name.base in ("f", "g", "h") and letters <= {"w", "W", "b", "theta"} and self.next_is("(")

    def follows_below(self, token: Token) -> bool:
        """Return whether the token before a script is one below the same name."""
        return self.tokens[self.at - 2].kind == "below" and self.tokens[self.at - 1] is token

    def suffix(self, base: str, token: Token) -> str:
        """Return the word that what stands below is, as a part of the name; "" if it is indices."""
        content = SWITCH.sub("", token.text).strip()
        found = WORD.match(content)
        if found and len(found.group(1).strip()) > 1:
            return re.sub(r"[ ,_-]+", "_", found.group(1).strip())
        if content in ("\\max", "\\min"):
            return content[1:]
        if content in SUFFIXES and not (content == "in" and self.known.latex and token.text.strip() == "in"):
            return "" if content == "kl" and base[:1] not in "DLJCE" else content  # w_kl has two letters
        if base == "Sigma" and len(content) == 1 and content.isupper():
            return content
        if (SPELLED_OUT.match(content) and content not in GREEK) or (
            content in ("o", "h") and base in ("net", "out", "target")
        ):
            return content
        if DIGITS_WORD.match(content) and (len(base) > 1 or content[0] in "oh"):
            return content
        if RECURRENT.match(content) and base in ("W", "U", "b"):
            return content
        return "star" if STAR.match(content) else ""

    def elements(self, token: Token) -> tuple[Node, ...]:
        """Read indices: letters, numbers, letters with indices of their own, letters plus a number."""
        if not token.text.strip():
            return ()
        self.deeper()
        inner = self.inside(token, index=True)
        assert isinstance(inner, Scripts)
        found: list[Node] = []
        while inner.token.kind != "end":
            if inner.next_is(",") or inner.next_is(";"):
                inner.take()
                continue
            found.append(inner.element())
        self.known.depth -= 1
        return tuple(found)

    def element(self) -> Node:
        """Read one index."""
        node = self.index_atom()
        terms = [node]
        while self.next_is("+", "-"):
            sign = self.take().text
            other = self.index_atom()
            terms.append(Negative(other) if sign == "-" else other)
        return terms[0] if len(terms) == 1 else Add(tuple(terms))

    def index_atom(self) -> Node:
        """Read a letter or a number of an index."""
        token = self.take()
        if token.kind == "number":
            return Number(Fraction(token.text), token.typed)
        if token.kind == "mark" and token.text == "(":
            node = self.element()
            self.expect(")")
            return node
        if token.kind == "name":
            node = self.named(token).finish()
            if isinstance(node, Name):
                return node
        if token.kind == "mark" and token.text == "-" and self.token.kind == "number":
            return Negative(self.index_atom())
        raise self.error(f"expected an index, got '{token.typed or token.text}'", token)

    def bracket_indices(self, parts: Parts) -> bool:
        """Read indices in brackets after a name, S[i,k], if they are some."""
        if any(not isinstance(index, Number) for index in parts.name.below):
            return False
        indices = self.indices_in_brackets()
        if indices is None:
            return False
        name = parts.name
        for number in name.below:
            assert isinstance(number, Number)
            name = replace(name, base=f"{name.base}_{number.value}", typed=f"{name.typed}_{number.value}")
        parts.name = replace(name, below=indices)
        parts.styles = [style for style in parts.styles if style not in ("_", "_,", "1")] + ["["]
        return True

    def indices_in_brackets(self) -> tuple[Node, ...] | None:
        """Read [i, k] and go past it, or return None if what the brackets hold is no index."""
        opening, close = self.token, self.partners[self.at]
        content = self.text[opening.end : self.tokens[close].start]
        if not content.strip() or len(content) > 60:
            return None
        depth = self.known.depth
        try:
            indices = self.elements(Token("below", content, opening.end, opening.end + len(content)))
        except ExpressionError:
            self.known.depth = depth
            return None
        for index in indices:
            first = index.terms[0] if isinstance(index, Add) else index
            if isinstance(first, Number) and index is not first:
                return None
            if isinstance(index, Add) and not all(isinstance(_positive(term), Number) for term in index.terms[1:]):
                return None
            if isinstance(first, Name) and len(first.base) > 1 and first.base not in GREEK:
                return None
        self.at = close + 1
        return indices

    def above_name(self, parts: Parts, token: Token) -> None:
        """Add what stands above to a name: a transpose, a label, a power, a prime, a part of the name."""
        content, name = token.text.strip(), parts.name
        if name.base == "e" and not name.below and not name.above and not self.is_label(content):
            self.exponential(parts, token)
            return
        named = re.fullmatch(r"[(\[]\s*(?:\\(?:text|mathrm|textrm)\s*\{)?([A-Za-z]{2,})\}?\s*[)\]]", content)
        if named and (named.group(1) in SUFFIXES or "\\" in content):
            typed = f"{name.typed}^{{{content}}}"
            parts.name = replace(name, base=f"{name.base}_{named.group(1)}", typed=typed)
            return
        rest, place = content, 0
        labels: list[tuple[str, Node]] = []
        while (found := LABELS.match(rest)) and self.is_label(content):
            inner = found.group(1) if found.group(1) is not None else found.group(2)
            start = (
                token.start + token.text.index(content) + place + found.start(1 if found.group(1) is not None else 2)
            )
            style = "^(" if found.group(1) is not None else "^["
            labels += [(style, index) for index in self.elements(self.part(token, inner, start))]
            rest, place = rest[found.end() :], place + found.end()
        for style, index in labels:
            parts.name = replace(parts.name, above=(*parts.name.above, index))
            parts.styles.append(style)
        rest = rest.strip()
        if labels:
            rest = re.sub(r"\\[,;:! ]", "", rest).strip()
            rest = re.sub(r"\^\{?([^{}]*)\}?$", r"\1", rest)  # A^{[1]^T}
            if not rest:
                return
            if rest.isdigit():  # A^{[1]2} is the square of A^{[1]}
                parts.around.append(("power", Number(Fraction(rest), rest), ""))
                return
            if not TRANSPOSED.match(rest) and not re.fullmatch(r"(?:\\prime|['′]|\s)+", rest):
                self.fail("what stands above this name can't be read", token)
        if not labels and len(rest) > 1 and TRANSPOSED.match(rest[-1:]) and LAYER.match(rest[:-1].strip()):
            self.label(parts, self.part(token, rest[:-1], token.start + token.text.index(rest)))
            rest = "T"
        if TRANSPOSED.match(rest):
            parts.around.append(("transpose", None, rest.lstrip("- ")))
            if rest.startswith("-"):
                parts.around.append(("power", Negative(Number(Fraction(1))), ""))
        elif re.fullmatch(r"(?:\\prime|['′]|\s)+", rest):
            parts.name = replace(parts.name, primes=name.primes + len(re.findall(r"\\prime|['′]", rest)))
        elif STAR.match(rest):
            parts.name = replace(name, base=name.base + "_star", typed=name.typed + "^*")
        elif rest in SUFFIXES or (WORD.match(rest) and len(rest) > 8):
            word = WORD.match(rest)
            suffix = word.group(1).strip().replace(" ", "_") if word else rest
            parts.name = replace(name, base=f"{name.base}_{suffix}", typed=f"{name.typed}^{{{rest}}}")
        elif rest in ("+", "†", "\\dagger", "\\perp"):
            self.fail("this mark above a name can't be read", token)
        elif self.is_layer(name, rest):
            self.label(parts, token)
        else:
            parts.around.append(("power", self.exponent(token), ""))

    def is_layer(self, name: Name, content: str) -> bool:
        """Return whether a superscript without brackets is a layer or an index and not a power."""
        if LAYER.match(content) or INDEX.match(content):
            return True
        return name.base in self.known.layers and bool(re.match(r"[0-9]+$|[A-Z]$|[hmn]$", content))

    @staticmethod
    def is_label(content: str) -> bool:
        """Return whether a superscript is one in brackets that is no power: (i), [l], (i-1), [l](i)."""
        inside = LABELS.match(content)
        if not inside:
            return False
        inner = (inside.group(1) if inside.group(1) is not None else inside.group(2)).strip()
        if re.match(r"[0-9]+\s*[^0-9\s,]", inner):
            return False
        letter = r"(?:[A-Za-zα-ω]|\\ell|[0-9]+|\\[a-z]+)"
        return bool(re.fullmatch(rf"{letter}(?:\s*[+−-]\s*[0-9]+)?(?:\s*,\s*{letter})*|(?!1\s*[-−]){letter}", inner))

    def label(self, parts: Parts, token: Token) -> None:
        """Add a layer or an index above a name."""
        for index in self.elements(token):
            parts.name = replace(parts.name, above=(*parts.name.above, index))
            parts.styles.append("^")

    def part(self, token: Token, content: str, start: int) -> Token:
        """Return a part of the content of a script as a script."""
        return Token(token.kind, content, start, start + len(content))

    def exponent(self, token: Token) -> Node:
        """Read the content of a superscript as a formula."""
        inner = self.inside(token)
        inner.known.depth += 1
        node = inner.expression()
        inner.known.depth -= 1
        if inner.token.kind != "end":
            inner.fail(f"expected the end of the exponent, got {inner.shown()}")
        return replace(node, bracket="") if not isinstance(node, Name | Number) else node

    def exponential(self, parts: Parts, token: Token) -> None:
        """Read e^x: a call of exp."""
        content = token.text.strip()
        if TRANSPOSED.match(content):
            parts.around.append(("transpose", None, content))
            return
        exponent = self.exponent(token)
        if isinstance(exponent, Number) and exponent.value == 2:
            parts.around.append(("power", exponent, ""))
            return
        if isinstance(exponent, Name) and not exponent.below and self.token.kind == "below":
            exponent = replace(exponent, below=self.elements(self.take()), typed_as=(exponent.typed_as + " _").strip())
        parts.done = Call(Name("exp", typed="e"), (exponent,), style="^")


def _positive(node: Node) -> Node:
    return node.of if isinstance(node, Negative) else node
