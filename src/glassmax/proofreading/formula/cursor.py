"""A cursor over the tokens of one formula, with what is known of the document: its functions and its layers."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NoReturn

from ...errors import ExpressionError
from .scanner import tokenize
from .tokens import Token
from .tree import Node

__all__ = ["MAX_DEPTH", "Cursor", "Known"]

MAX_DEPTH = 60
MAX_STEPS = 100_000
BELOW_BAR = [("mark", "}"), ("mark", "{")]
CLOSING = {"(": ")", "[": "]", "\\{": "\\}", "{": "}", "⟨": "⟩"}


@dataclass
class Known:
    """What the reader is told of the document, and how much has been read."""

    functions: frozenset[str]  # names that are functions: f of f(x) = ...
    layers: frozenset[str]  # names whose numbers above are layers: W^1
    latex: bool
    steps: int = 0
    depth: int = 0


def _with_variations(tokens: list[Token]) -> list[Token]:
    """Read δL/δz as a derivative: a δ before a name is its sign if another one stands below a fraction."""
    places = [
        place
        for place, (token, after) in enumerate(pairwise(tokens))
        if token.kind == "name" and token.text == "delta" and after.kind == "name"
    ]
    marks = [(token.kind, token.text) for token in tokens]
    if any(marks[place - 1 : place] == [("mark", "/")] or marks[place - 2 : place] == BELOW_BAR for place in places):
        for place in places:
            tokens[place] = replace(tokens[place], kind="d", text="δ")
    return tokens


class Cursor:
    """The tokens of a part of a text, read from left to right."""

    def __init__(self, text: str, start: int, end: int, known: Known, *, index: bool = False) -> None:
        self.text, self.known = text, known
        self.tokens = _with_variations(tokenize(text, start, end, latex=known.latex, index=index))
        self.at = 0
        self.plain: set[int] = set()  # places of the d that are a name or part of one, and of no derivative
        self.bars = 0  # how many |...| are open here
        self.partners = self._partners()
        self.last_bar = {token.text: place for place, token in enumerate(self.tokens) if token.text in ("|", "‖")}

    def _partners(self) -> dict[int, int]:
        """Return for each opening bracket the place of the one that closes it."""
        partners, opened = {}, []
        for place, token in enumerate(self.tokens):
            if token.kind != "mark":
                continue
            if token.text in CLOSING:
                opened.append(place)
            elif token.text in CLOSING.values():
                if not opened:
                    raise ExpressionError(f"'{token.typed}' closes nothing", self.text, token.start)
                first = self.tokens[opened[-1]]
                if CLOSING[first.text] != token.text:
                    message = f"expected '{CLOSING[first.text]}', got '{token.typed}'"
                    raise ExpressionError(message, self.text, token.start)
                partners[opened.pop()] = place
        if opened:
            first = self.tokens[opened[-1]]
            raise ExpressionError(f"'{first.typed}' is never closed", self.text, first.start)
        return partners

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.at]

    def next_is(self, *marks: str) -> bool:
        """Return whether the next token is one of these marks."""
        return self.token.kind == "mark" and self.token.text in marks

    def take(self) -> Token:
        """Return the next token, and go past it."""
        token = self.tokens[self.at]
        self.at += token.kind != "end"
        return token

    def expect(self, mark: str) -> None:
        """Go past a mark that must come."""
        if not self.next_is(mark):
            self.fail(f"expected '{mark}', got {self.shown()}")
        self.at += 1

    def shown(self) -> str:
        """Return the next token for a message."""
        return f"'{self.token.typed}'" if self.token.kind != "end" else "the end"

    def error(self, message: str, token: Token | None = None) -> ExpressionError:
        """Return an error at a token, by default the next."""
        return ExpressionError(message, self.text, (token or self.token).start)

    def fail(self, message: str, token: Token | None = None) -> NoReturn:
        """Raise an error at a token, by default the next."""
        raise self.error(message, token)

    def deeper(self) -> None:
        """Count a step of reading and a level of nesting; `known.depth` is lowered by the caller."""
        self.known.steps += 1
        self.known.depth += 1
        if self.known.depth > MAX_DEPTH:
            self.fail(f"too deep: more than {MAX_DEPTH} levels of nesting")
        if self.known.steps > MAX_STEPS:
            self.fail("too long a formula")

    def inside(self, token: Token, *, index: bool = False) -> "Cursor":
        """Return a reader of the content of a script."""
        if self.text[token.start : token.start + len(token.text)] == token.text:
            return type(self)(self.text, token.start, token.start + len(token.text), self.known, index=index)
        return type(self)(token.text, 0, len(token.text), self.known, index=index)

    def expression(self) -> Node:
        """Read a sum of terms."""
        raise NotImplementedError

    def term(self) -> Node:
        """Read a product."""
        raise NotImplementedError

    def divided(self) -> Node:
        """Read a factor and what it is divided by."""
        raise NotImplementedError

    def factor(self, *, calls: bool = True) -> Node:
        """Read a factor with its scripts; without `calls` a name before a bracket is a name."""
        raise NotImplementedError
