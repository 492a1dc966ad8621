r"""Where a formula can be taken apart: its signs outside all brackets, and the environments that stay whole."""

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Mark", "UnbalancedError", "outer_marks"]

EQUAL = (
    r"\\(?:coloneqq?|triangleq|equiv|doteq|eqqcolon|leftarrow|gets|coloneq)(?![A-Za-z])|:=|≡|≜|≔|←|=="
    r"|(?<![<>!≠])=(?!>)"
)
OTHER = (
    r"\\(?:approx|propto|sim|simeq|cong|leq?|geq?|leqslant|geqslant|lt|gt|ne|neq|in|notin|ll|gg|subset|subseteq|not)"
    r"(?![A-Za-z])|[≈∝∼≃≤≥<>≠∈∉≪≫]|!=|<=|>=|=>"
)
ARROW = (
    r"\\(?:Rightarrow|implies|iff|therefore|because|to|rightarrow|longrightarrow|Longrightarrow|Leftrightarrow|mapsto"
    r"|Longleftrightarrow|longmapsto|leadsto|xrightarrow)(?![A-Za-z])|⇒|⇔|⟹|⟺|→|⟶|∴|∵|=>|->|↦"
)
PAUSE = r"\\q?quad(?![A-Za-z])|[,;\t]|:(?=[\s&]|$)"
OPEN = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "\\lbrace": "\\rbrace", "\\begin": "\\end"}
BRACES = frozenset(("{", "\\begin"))
CLOSE = {closing: opening for opening, closing in OPEN.items()}
TOKEN = re.compile(
    rf"(?P<arrow>{ARROW})|(?P<equal>{EQUAL})|(?P<other>{OTHER})|(?P<pause>{PAUSE})|(?P<break>\\\\|\\cr(?![A-Za-z]))"
    r"|(?P<open>\\begin(?![A-Za-z])|\\lbrace(?![A-Za-z])|\\\{|[(\[{])"
    r"|(?P<close>\\end(?![A-Za-z])|\\rbrace(?![A-Za-z])|\\\}|[)\]}])|\\[A-Za-z]+|\\."
)


class Mark(NamedTuple):
    """A sign outside all brackets: its kind (arrow, equal, other, pause, break), text and place."""

    kind: str
    text: str
    start: int
    end: int


class UnbalancedError(Exception):
    """The braces of a formula don't match."""


def outer_marks(text: str) -> list[Mark]:
    """Return the signs outside all brackets.

    Round and square brackets that don't match, as in ``[0, 1)``, are passed over; braces must match.
    """
    marks, stack, crossed = _scan(text, frozenset(OPEN))
    if stack or crossed:
        marks, stack, crossed = _scan(text, BRACES)
        if stack or crossed:
            raise UnbalancedError
    return marks


def _scan(text: str, counted: frozenset[str]) -> tuple[list[Mark], list[str], bool]:
    """Return the outer marks, the brackets left open, and whether one was closed that wasn't open."""
    marks: list[Mark] = []
    stack: list[str] = []
    crossed = False
    for token in TOKEN.finditer(text):
        kind, sign = token.lastgroup, token.group()
        if kind == "open" and sign in counted:
            stack.append(sign)
        elif kind == "close" and CLOSE[sign] in counted:
            crossed |= not _close(stack, CLOSE[sign])
        elif kind in ("arrow", "equal", "other", "pause", "break") and not stack:
            marks.append(Mark(kind, sign, token.start(), token.end()))
    return marks, stack, crossed


def _close(stack: list[str], opening: str) -> bool:
    r"""Take the bracket from the stack; a brace also closes the round brackets left open inside it."""
    if opening in BRACES:
        while stack and stack[-1] not in BRACES:
            stack.pop()
    if not stack or stack[-1] != opening:
        return opening not in BRACES and bool(stack) and stack[-1] == "{"
    stack.pop()
    return True


def pieces_between(text: str, marks: list[Mark]) -> Iterator[tuple[int, int, Mark | None]]:
    """Yield the places of the stretches between marks, each with the mark before it."""
    start, before = 0, None
    for mark in marks:
        yield start, mark.start, before
        start, before = mark.end, mark
    yield start, len(text), before
