"""A cursor that goes along the tokens of a text, those above and below a name in one order."""

from typing import NoReturn

from ...errors import ExpressionError
from .superscripts import arranged, subscripts_first
from .tokens import MAX_DEPTH, TOO_DEEP, Token, tokenize

__all__ = ["Cursor"]


class Cursor:
    """A place in the list of tokens of a text, which may be in matrix notation, with the few moves a parser makes."""

    def __init__(self, text: str, *, matrix: bool = False) -> None:
        self.text = text
        tokens = tokenize(text, matrix=matrix)
        self.tokens = subscripts_first(tokens) if matrix else arranged(tokens, text)
        self.index = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        """The token at this place."""
        return self.tokens[self.index]

    def at(self, *marks: str) -> bool:
        """Return whether one of `marks` is here."""
        return self.token.kind == "mark" and self.token.text in marks

    def advance(self) -> Token:
        """Return the current token and move to the next one, except at the end of the text."""
        token = self.token
        self.index = min(self.index + 1, len(self.tokens) - 1)
        return token

    def accept(self, *marks: str) -> Token | None:
        """Take the token if it is one of `marks`."""
        return self.advance() if self.at(*marks) else None

    def expect(self, mark: str, place: str = "") -> Token:
        """Take `mark`, or raise: it was expected at `place`."""
        return self.accept(mark) or self.fault(f"expected '{mark}'{place}")

    def at_end(self) -> bool:
        """Return whether the equation ends here."""
        return self.token.kind in ("break", "end")

    def skip_punctuation(self) -> None:
        """Pass over the comma or the period that ends an equation in a text."""
        if self.at(",", ".") and self.tokens[self.index + 1].kind in ("break", "end"):
            self.advance()

    def skip_breaks(self) -> None:
        """Pass over empty equations."""
        while self.token.kind == "break":
            self.advance()

    def skip_equation(self) -> None:
        """Go to the break after this equation."""
        while not self.at_end():
            self.advance()

    def deeper(self) -> None:
        """Count one more level of nesting; its caller takes it back."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(TOO_DEEP, self.text, self.token.start)

    def between(self, start: int, end: int) -> str:
        """Return a part of the text in one line."""
        return " ".join(self.text[start:end].split())

    def fault(self, expected: str) -> NoReturn:
        """Raise: `expected`, and what came instead."""
        typed = self.between(self.token.start, self.token.end)
        got = {"end": "the end", "break": "the end of the equation"}.get(self.token.kind, f"'{typed}'")
        raise ExpressionError(f"{expected}, got {got}", self.text, self.token.start)
