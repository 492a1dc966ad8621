"""Indices as people type them, after a name or a sum sign: ``W_kj``, ``W2[m,n]``, ``sum_{i,j}``, ``P[i, y_i]``."""

from itertools import accumulate

from ...errors import ExpressionError
from ..expression import Index, Label
from .resolve import Use
from .tokens import Cursor, Token, index_letters

__all__ = ["CLASS_WORDS", "IndexCursor"]

CLASS_WORDS = ("class", "correct", "gold", "label", "target", "true")
"""Words that are one index: x[class], p_{true}."""


class IndexCursor(Cursor):
    """A place in a list of tokens, with the moves that read indices; the labels among them are noted in `uses`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.uses: list[Use] = []

    def indices(self, name: str) -> tuple[tuple[Index, ...], list[int]]:
        """Read the indices after a name, none or more; return them and where they stand."""
        found: list[Index] = []
        places: list[int] = []
        if self.accept("_"):
            if self.at("{"):
                self.bracketed(name, found, places)
            else:
                places += [self.token.start + at for at in _starts(self.token)]
                found += self.letters(self.token, f"{name}_")
                self.advance()
        else:
            while self.at("[") and not self.token.spaced:
                self.bracketed(name, found, places)
        return tuple(found), places

    def letters(self, token: Token, after: str) -> list[str]:
        """Return the indices that a token holds; `after` is what stands before it, for the error."""
        if token.kind not in ("letters", "name") or "'" in token.text:
            in_name = token.kind == "number" and after.endswith("_") and after != "sum_"
            hint = f" (a number is part of a name: {after[:-1]}{token.text})" if in_name else ""
            self.fault(f"expected an index after {after}{hint}")
        return [token.text] if _is_one(token) else index_letters(token.text)

    def bracketed(self, name: str, found: list[Index], places: list[int]) -> None:
        """Read indices in braces or square brackets; in the latter, as in programs, each is a word of its own."""
        braces = self.advance().text == "{"
        close = "}" if braces else "]"
        start = len(found)
        while not self.at(close):
            token = self.token
            split = self.letters(token, f"{name}{'_{' if braces else '['}")
            self.advance()
            if self.at("_") or (self.at("[") and not self.token.spaced):
                inner, _ = self.indices(token.text)
                if any(isinstance(index, Label) for index in inner):
                    raise ExpressionError("expected letters as the indices of a label", self.text, token.start)
                found.append(Label(token.text, tuple(str(index) for index in inner)))
                places.append(token.start)
                self.uses.append(Use(token.text, "label", len(inner), token.start))
            elif braces or len(split) == 1:
                found += split
                places += [token.start + at for at in _starts(token)]
            else:
                message = f"expected one letter as an index, got '{token.text}'"
                raise ExpressionError(message, self.text, token.start)
            if not self.accept(",") and not braces and not self.at(close):
                self.fault("expected ',' or ']'")
        if len(found) == start:
            self.fault("expected an index")
        self.advance()

    def sum_indices(self) -> tuple[str, ...]:
        """Read the indices after a sum sign."""
        if not self.accept("_"):
            self.fault("expected an index after sum, as in sum_k")
        if not self.at("{", "("):
            found, places = self.letters(self.token, "sum_"), [self.token.start]
            self.advance()
        else:
            close = {"{": "}", "(": ")"}[self.advance().text]
            found, places = [], []
            while not self.at(close):
                places.append(self.token.start)
                found += self.letters(self.token, "sum_")
                self.advance()
                if self.accept("="):  # the lower bound says nothing either
                    while not self.at(",", close):
                        self.skip_group() if self.at("{", "(") else self.advance()
                self.accept(",")
            if not found:
                self.fault("expected an index after sum_")
            self.advance()
        if len(set(found)) < len(found):
            raise ExpressionError("expected distinct letters after sum_", self.text, places[-1])
        return tuple(found)

    def skip_group(self) -> None:
        """Pass over a group in brackets."""
        depth = 0
        while True:
            depth += self.at("{", "(", "[") - self.at("}", ")", "]")
            self.advance()
            if depth == 0:
                return


def _is_one(token: Token) -> bool:
    """Whether a word is one index, however long: a word for a class, a Greek letter, a command."""
    return token.text in CLASS_WORDS or (token.kind == "name" and token.end - token.start != len(token.text))


def _starts(token: Token) -> list[int]:
    """Where in a word of indices each begins."""
    letters = index_letters(token.text)
    if token.end - token.start != len(token.text) or _is_one(token):
        return [0] * (1 if _is_one(token) else len(letters))
    return list(accumulate(map(len, letters[:-1]), initial=0))
