"""Indices as people type them, after a name: ``W_kj``, ``W2[m,n]``, ``P[i, y_i]``; and indicators of two of them."""

import re
from collections.abc import Collection
from itertools import accumulate
from typing import NoReturn

from ...errors import ExpressionError
from ..expression import MINUS_ONE, ONE, Add, Delta, Expr, Index, Label
from .cursor import Cursor
from .resolve import Places, Use, product
from .signs import CLASS_WORDS, CLOSING
from .tokens import Token, index_letters

__all__ = ["COMPARISONS", "IndexCursor"]

COMPARISONS = ("=", "≠", "<", ">", "≤", "≥", "∈")
"""Signs that make brackets an indicator, and that stand below a sum sign."""


class IndexCursor(Cursor):
    """A place in a list of tokens, with the moves that read indices; the labels among them are noted in `uses`."""

    def __init__(self, text: str, known: Collection[str] = ()) -> None:
        super().__init__(text)
        self.uses: list[Use] = []
        self.places = Places(text)
        self.known = set(known)  # names that are arrays: those of left sides

    def indices(self, name: str) -> tuple[tuple[Index, ...], list[int]]:
        """Read the indices after a name, none or more; return them and where they stand."""
        found: list[Index] = []
        places: list[int] = []
        if self.accept("_"):
            if self.at("("):
                self.check_shift(name)
            if self.at("{"):
                self.bracketed(name, found, places)
            else:
                places += [self.token.start + at for at in _starts(self.token)]
                found += self.letters(self.token, f"{name}_")
                self.advance()
            if self.at("_"):
                self.fault("expected one group of indices, x_ij, and a space between two arrays, w_j x_j")
        else:
            while self.at("[") and not self.token.spaced:
                self.bracketed(name, found, places)
        return tuple(found), places

    def letters(self, token: Token, after: str) -> list[str]:
        """Return the indices that a token holds; `after` is what stands before it, for the error."""
        if token.kind not in ("letters", "name") or "'" in token.text:
            hint = ""
            if token.kind == "number" and not after.startswith("sum"):
                name = after.rstrip("_[{")
                hint = f" (a number is part of a name: {name}{token.text})"
            self.fault(f"expected an index after {after}{hint}")
        return [token.text] if _is_one(token) else index_letters(token.text)

    def bracketed(self, name: str, found: list[Index], places: list[int]) -> None:
        """Read indices in braces or square brackets; in the latter, as in programs, each is a word of its own."""
        braces = self.advance().text == "{"
        close = "}" if braces else "]"
        start = len(found)
        while not self.at(close):
            token = self.token
            self.check_shift(name)
            split = self.letters(token, f"{name}{'_{' if braces else '['}")
            self.advance()
            if self.at("_") or (self.at("[") and not self.token.spaced):
                found.append(self.label(token))
                places.append(token.start)
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

    def label(self, token: Token) -> Label:
        """Read the indices of a label whose name is `token`: y_i in P[i, y_i]."""
        inner, _ = self.indices(token.text)
        if any(isinstance(index, Label) for index in inner):
            raise ExpressionError("expected letters as the indices of a label", self.text, token.start)
        self.uses.append(Use(token.text, "label", len(inner), token.start))
        return Label(token.text, tuple(str(index) for index in inner))

    def check_shift(self, name: str) -> None:
        """Refuse an index that is computed: x_{i+h}, h_{t-1}, x_{2i}."""
        opened = self.tokens[self.index].text == "("
        first, second = self.tokens[self.index + opened : self.index + opened + 2]
        computed = first.kind in ("name", "letters") and second.text in ("+", "-", "*")
        if not computed and not (first.kind == "number" and second.kind in ("name", "letters")):
            return
        end = self.index + opened
        closing = ("}", "]", ",", ")") if opened else ("}", "]", ",")
        while self.tokens[end].text not in closing and self.tokens[end].kind not in ("end", "break"):
            end += 1
        typed = self.between(first.start, self.tokens[end].start)
        letters = [each for token in self.tokens[self.index : end] for each in re.findall("[A-Za-z]", token.text)]
        starts = [self.tokens[0], *(b for a, b in zip(self.tokens, self.tokens[1:], strict=False) if a.kind == "break")]
        message = f"the shifted index {typed} is not supported, as in a convolution or a recursion: "
        if name in [token.text for token in starts]:
            message += f"write each step as an equation of its own, {name}1_j = f({name}0_j); {name}2_j = f({name}1_j)"
        else:
            shift = "".join(dict.fromkeys(letters))
            message += f"write sum_s S_{shift}s {name}_s, where S_{shift}s is 1 at s = {typed}, 0 elsewhere"
        raise ExpressionError(message, self.text, first.start)

    def one_index(self, after: str) -> tuple[Index, int]:
        """Read one index, a letter or a label, where a sum or an indicator compares two."""
        token = self.token
        split = self.letters(token, after)
        if len(split) > 1:
            raise ExpressionError(f"expected one letter as an index, got '{token.text}'", self.text, token.start)
        self.advance()
        labelled = self.at("_") or (self.at("[") and not self.token.spaced)
        return (self.label(token) if labelled else split[0]), token.start

    # indicators: 1{y_i = k}, [y_i = k], I(i != j)

    def opens_indicator(self) -> bool:
        """Whether an indicator begins here: a comparison in brackets, with or without a 1 or an I before it."""
        at = self.index
        if self.token.text in ("1", "I"):
            at += 1
            at += self.tokens[at].text == "_" and self.tokens[at + 1].text in CLOSING
        depth = 0
        while self.tokens[at].kind == "mark" and self.tokens[at].text in CLOSING:
            depth, at = depth + 1, at + 1
        if not depth:
            return False
        start = depth
        inside, compared = 0, False
        for token in self.tokens[at:]:
            if token.kind in ("end", "break"):
                return False
            compared |= token.kind == "mark" and inside == 0 and token.text in COMPARISONS
            inside += (token.text in CLOSING) - (token.text in CLOSING.values())
            if inside < 0:  # the comparison ends here, and every bracket around it must, too: (1[i=j] - p_j) is a group
                depth, inside = depth - 1, 0
                if not compared or depth == 0:
                    return compared
            elif compared and 0 < depth < start:
                return False
        return False

    def indicator(self) -> Expr:
        """Read an indicator of two equal indices, which is their delta, or of two different ones."""
        if self.token.text in ("1", "I"):
            self.advance()
            self.accept("_")
        closes = []
        while self.at(*CLOSING):
            closes.append(CLOSING[self.advance().text])
        first = self.one_index("'{'") if self.token.kind == "name" else self.not_indices()
        relation = self.accept("=", "≠") or self.not_indices()
        second = self.one_index("'='") if self.token.kind == "name" else self.not_indices()
        for close in reversed(closes):
            self.accept(close) or self.not_indices()
        delta = self.places.note(Delta(first[0], second[0]), [first[1], second[1]])
        return delta if relation.text == "=" else Add((ONE, product((MINUS_ONE, delta))))

    def not_indices(self) -> NoReturn:
        """Raise: an indicator compares something else than two indices."""
        self.fault("expected two indices in an indicator, as in 1{y_i = k}; of a number, 1{x > 0} is step(x)")


def _is_one(token: Token) -> bool:
    """Whether a word is one index, however long: a word for a class, a Greek letter, a command."""
    return token.text in CLASS_WORDS or (token.kind == "name" and token.end - token.start != len(token.text))


def _starts(token: Token) -> list[int]:
    """Where in a word of indices each begins."""
    letters = index_letters(token.text)
    if token.end - token.start != len(token.text) or _is_one(token):
        return [0] * (1 if _is_one(token) else len(letters))
    return list(accumulate(map(len, letters[:-1]), initial=0))
