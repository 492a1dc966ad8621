"""`Token`, a piece of a formula, and the braces that only group."""

from dataclasses import dataclass

from ...errors import ExpressionError
from .signs import WITHOUT_BRACKETS

__all__ = ["Token", "grouped"]


@dataclass(frozen=True)
class Token:
    """A piece of the formula.

    `kind` is "name", "number", "d" (the d or ∂ of a derivative), "below", "above", "mark", "words", "command" or "end".
    `text` is canonical; of a script it is the content, which begins at `start`.
    """

    kind: str
    text: str
    start: int
    end: int
    spaced: bool = False
    typed: str = ""


def grouped(tokens: list[Token], text: str) -> list[Token]:
    r"""Leave out the braces that only group, and write {a \over b} as a fraction."""
    over, opened = set(), []
    for place, token in enumerate(tokens):
        if token.kind == "mark" and token.text == "{":
            opened.append(place)
        elif token.kind == "mark" and token.text == "}":
            if not opened:
                raise ExpressionError("'}' closes nothing: no brace is open here", text, token.start)
            opened.pop()
        elif token.kind == "command" and token.text == "over":
            if not opened:
                raise ExpressionError("expected braces around \\over", text, token.start)
            over.add(opened[-1])
    if opened:
        raise ExpressionError("'{' is never closed", text, tokens[opened[-1]].start)
    kept: list[Token] = []
    levels: list[tuple[bool, int]] = []  # for each open brace: whether it is kept, and how many arguments follow it
    waiting, is_fraction = 0, False
    for place, token in enumerate(tokens):
        brace = token.text if token.kind == "mark" and token.text in ("{", "}") else ""
        if brace == "{":
            if place in over:
                kept.append(Token("command", "frac", token.start, token.start, token.spaced))
            levels.append((waiting > 0 or place in over, waiting - 1))
            if levels[-1][0]:
                kept.append(token)
            waiting = 0
        elif brace == "}":
            is_kept, waiting = levels.pop()
            if is_kept:
                kept.append(token)
            is_fraction = waiting > 0
            waiting = max(waiting, 0)
        elif token.kind == "command" and token.text == "over":
            kept += [Token("mark", "}", token.start, token.end), Token("mark", "{", token.start, token.end)]
        elif token.kind == "command" and token.text in ("frac", "sqrt"):
            kept.append(token)
            waiting, is_fraction = (2, True) if token.text == "frac" else (1, False)
        elif waiting and is_fraction and token.kind != "end":
            kept += [Token("mark", "{", token.start, token.start), token, Token("mark", "}", token.end, token.end)]
            waiting -= 1
        else:
            kept.append(token)
            if token.kind == "name":
                waiting, is_fraction = int(token.text in WITHOUT_BRACKETS), False
            elif token.kind not in ("below", "above"):
                waiting = 0
    return kept
