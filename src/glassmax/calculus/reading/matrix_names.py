"""The names in matrix notation: which are arrays, which are two in a row, and how a left side may be written."""

import re
from typing import NoReturn

from ...errors import ExpressionError, Setting
from .cursor import Cursor
from .tokens import Token

__all__ = ["NameCursor"]

TWO_NAMES = re.compile(r"([A-Z][0-9]*)([A-Za-z][0-9]*'*)")


class NameCursor(Cursor):
    """A place in a list of tokens, and what is known of the names among them from what stands beside them."""

    def __init__(self, text: str, declared: set[str]) -> None:
        super().__init__(text, matrix=True)
        self.declared = declared
        pairs = list(zip(self.tokens, self.tokens[1:], strict=False))
        self.defined = {token.text for token, after in pairs if after.text == "="}
        triples = zip(self.tokens, self.tokens[1:], [*self.tokens[2:], self.tokens[-1]], strict=False)
        self.arrays = {name for triple in triples for name in _beside_product(*triple)}
        self.program = self.is_program()
        if "\\" not in text and (found := re.search(r"(?<![=\s])\s*&\s*(?![=\s])", text)):
            raise ExpressionError("expected one formula, got '&'", text, text.index("&", found.start()))
        whole = declared | self.defined
        self.tokens = [piece for token in self.tokens for piece in self.pieces(token, whole)]
        pairs = list(zip(self.tokens, self.tokens[1:], strict=False))
        triples = zip(self.tokens, self.tokens[1:], [*self.tokens[2:], self.tokens[-1]], strict=False)
        self.arrays |= {name for triple in triples for name in _beside_product(*triple)}
        self.operands = {a.text for a, b in pairs if a.kind == "name" and b.text != "("} | whole

    def is_program(self) -> bool:
        """Tell whether the text is a program's, in which Xw is one name, and not a textbook's."""
        typed = {self.text[token.start : token.end] for token in self.tokens if token.kind == "mark"}
        return bool(typed & {"@", "*", "**", "."}) or re.search(r"\b(np|numpy|torch|axis)\b", self.text) is not None

    def pieces(self, token: Token, whole: set[str]) -> list[Token]:
        """Split Xw into X w: a capital and one more letter are a product, unless they are known as a name."""
        found = TWO_NAMES.fullmatch(token.text)
        known = token.text in whole or token.text in self.arrays or self.text[token.end : token.end + 1] == "("
        if token.kind != "name" or not found or known or token.end - token.start != len(token.text):
            return [token]
        first, second = found.groups()
        if self.program:
            what = f"the shape of {token.text} isn't known: write {first} @ {second} for a product, or declare it: "
            raise ExpressionError((what, Setting("shapes", f"{token.text}: n,d")), self.text, token.start)
        cut = token.start + len(first)
        return [Token("name", first, token.start, cut, token.spaced), Token("name", second, cut, token.end)]

    def skip_arguments(self, token: Token) -> None:
        """Pass over the names in brackets after the name of a left side, as in L(W, b) = ..."""
        rest = self.tokens[self.index :]
        inner = [each.kind if each.text != "," else "" for each in rest[1 : [*map(_text, rest), ")"].index(")")]]
        if not self.at("(") or not inner or set(inner) - {"name", ""}:
            return
        again = [at for at, each in enumerate(self.tokens[:-1]) if each.text == token.text and self.calls(at)]
        if len(again) > 1:
            message = f"expected {token.text} without brackets on the right sides, where it is one array"
            raise ExpressionError(message, self.text, self.tokens[again[-1]].start)
        self.index += len(inner) + 2

    def calls(self, at: int) -> bool:
        """Tell whether a bracket follows the token at a place."""
        return self.tokens[at + 1].text == "(" and not self.tokens[at + 1].spaced

    def refuse_underscore(self) -> NoReturn:
        """Refuse an index, or a name of several words."""
        before, after = self.tokens[self.index - 1], self.tokens[self.index + 1]
        if before.kind == "name" and len(after.text) > 2:
            self.fault(f"expected a name without an underscore, such as {before.text}{after.text}")
        self.fault("expected matrix notation, which has no indices and no underscore in a name")

    def changes_in_place(self) -> bool:
        """Tell whether ``-=``, or an index and ``=``, follow the name on the left side."""
        if not self.at("["):
            return self.tokens[self.index + 1].text == "="
        rest = [token.text if token.kind != "break" else "" for token in self.tokens[self.index :]]
        return "=" in rest[: rest.index("") + 1]


def _text(token: Token) -> str:
    return token.text


def _beside_product(first: Token, second: Token, third: Token) -> list[str]:
    """Return the names among tokens that must be arrays, because of ``@``, ``ᵀ``, ``^T`` or a method beside them."""
    above = second.text == "ᵀ" or (second.text == "^" and third.text in "Tᵀ")
    after = second.kind == "mark" and (second.text in ("@", ".") or (above and not TWO_NAMES.fullmatch(first.text)))
    names = [first.text] if first.kind == "name" and after else []
    return names + ([second.text] if second.kind == "name" and first.kind == "mark" and first.text == "@" else [])
