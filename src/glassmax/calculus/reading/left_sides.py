r"""Left sides as people type them: ``L = ...``, ``p_i = ...``, ``L(w) = ...``, ``\sigma^2_j = ...``.

A name in brackets after a left side, ``L(w)``, is left out, there and on the right sides. The power of a name on a left
side becomes a name of its own: ``sigma2``.
"""

from dataclasses import replace

from ...errors import ExpressionError
from .ambiguous import AmbiguityCursor
from .superscripts import group_end
from .tokens import Token

__all__ = ["DERIVATIVE", "LeftSideCursor"]

DERIVATIVE = "a derivative can't be part of the input: give the function, and name the variable with wrt"


class LeftSideCursor(AmbiguityCursor):
    """A place in a list of tokens, with the moves that read left sides."""

    def read_arguments(self, token: Token) -> None:
        """Read names in brackets after a left side, which say on what it depends."""
        close = self.group_close()
        inner = self.tokens[self.index + 1 : close]
        if "'" in token.text:
            raise ExpressionError(DERIVATIVE, self.text, token.start)
        for before, piece in zip([self.token, *inner], inner, strict=False):
            number = piece.kind == "number" and before.text not in ("_", "^")
            if number or (piece.kind == "mark" and piece.text not in (",", "|", "_", "{", "}", "^")):
                typed = self.between(token.start, self.tokens[close].end)
                raise ExpressionError(f"expected names in the brackets of {typed}", self.text, piece.start)
        if not inner:
            raise ExpressionError("expected a name between the brackets", self.text, self.token.start)
        self.arguments[token.text] = [piece.text for piece in inner]
        self.index = close + 1

    def name_powers(self) -> None:
        """Give the power of a name that is defined a name of its own: sigma2_j for sigma_j^2, on all sides."""
        tokens = self.tokens
        starts = [0, *(at + 1 for at, token in enumerate(tokens) if token.kind == "break")]
        found = {}
        for start in starts:
            power, end = self.power_of(start)
            if power and tokens[end].text == "=":
                found[tokens[start].text] = power
        if not found:
            return
        taken = {token.text for token in tokens if token.kind == "name"}
        out: list[Token] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            out.append(token)
            at += 1
            if token.kind != "name" or token.text not in found:
                continue
            power, end = self.power_of(at - 1)
            name = token.text + found[token.text]
            if name in taken:
                raise ExpressionError(f"{name} is the name for a power here: take another name", self.text, token.start)
            if power != found[token.text]:
                shown = f"{token.text}^{found[token.text]}"
                message = f"{token.text} is used here, but the equations define {shown}, which is read as {name}: "
                message += f"write {token.text} as {name}^(1/{found[token.text]})"
                raise ExpressionError(message, self.text, token.start)
            out[-1] = replace(token, text=name)
            below = group_end(tokens, at + 1, any_token=True) if tokens[at].text == "_" else at
            out += tokens[at:below]
            at = end
        self.tokens = out

    def power_of(self, at: int) -> tuple[str, int]:
        """Return the whole number above the name at a place, if there is one, and the place after it."""
        tokens = self.tokens
        if tokens[at].kind != "name" or at + 1 >= len(tokens):
            return "", at
        at += 1
        if tokens[at].text == "_":
            at = group_end(tokens, at + 1, any_token=True) or at
        if tokens[at].text != "^":
            return "", at
        end = group_end(tokens, at + 1, any_token=False)
        inner = [token.text for token in tokens[at + 1 : end] if token.text not in ("{", "}")]
        return (inner[0], end) if len(inner) == 1 and inner[0].isdigit() else ("", at)
