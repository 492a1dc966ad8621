"""What stands above a name in index notation: a power, a layer, a sample, or a sign that is refused.

A number in brackets is a layer and part of the name, ``W^{(2)}_{jk}`` is W2_jk; a letter in brackets is an index, the
first one, ``x_j^{(i)}`` is x_ij; a word is part of the name. A transpose and whatever else is no power is refused here,
so that it is never read as one. What is left above a name is put after what stands below it.
"""

from dataclasses import replace
from typing import NoReturn

from ...errors import ExpressionError
from ..greek import GREEK
from .signs import CLASS_WORDS
from .tokens import Token, index_letters
from .transposes import refuse_transpose

__all__ = ["arranged", "subscripts_first"]

WITH_BOUNDS = ("sum", "prod", "max", "min", "argmax", "argmin")


def arranged(tokens: list[Token], text: str) -> list[Token]:
    """Return the tokens of index notation with the superscripts of every name read."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "name" and token.text in WITH_BOUNDS:
            at = _exchanged(tokens, at, out)
        elif token.kind == "name" and token.text != "e":
            at = _Scripts(tokens, at, text).read(out)
        elif (closed := _transposed(tokens, at)) and not _is_power_of_number(out, tokens[closed - 1]):
            ones = ("1", list[str]()) if out and out[-1].text == "1" else None
            refuse_transpose(tokens, at, closed, text, ones)
        else:
            out.append(token)
            at += 1
    return out


def _is_power_of_number(before: list[Token], last: Token) -> bool:
    """Whether a T above a number, 2^T, was passed; above ones it is a transpose."""
    return bool(before) and before[-1].kind == "number" and not before[-1].font and last.text != "ᵀ"


def subscripts_first(tokens: list[Token]) -> list[Token]:
    """Exchange power and subscript where a name has both in that order: w^2_i, the sum's K above and k=1 below."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        at = _exchanged(tokens, at, out)
    return out


def _exchanged(tokens: list[Token], at: int, out: list[Token]) -> int:
    """Add one token to `out`, with what is below and above it if it is a name; return the place after it."""
    out.append(tokens[at])
    name, at = tokens[at], at + 1
    if name.kind == "name" and at < len(tokens) and tokens[at].text == "^":
        power = group_end(tokens, at + 1, any_token=name.text in WITH_BOUNDS)
        if power and tokens[power].text == "_" and (below := group_end(tokens, power + 1, any_token=True)):
            out += tokens[power:below] + tokens[at:power]
            return below
    if name.text in WITH_BOUNDS and at < len(tokens) and tokens[at].text == "_":
        below = group_end(tokens, at + 1, any_token=True)
        above = group_end(tokens, below + 1, any_token=True) if below and tokens[below].text == "^" else below
        out += tokens[at:above]
        return max(at, above)
    return at


def group_end(tokens: list[Token], start: int, *, any_token: bool) -> int:
    """Return the place after a number or a group in braces, 0 if there is none at `start`."""
    depth = 0
    for at in range(start, len(tokens)):
        depth += (tokens[at].text == "{") - (tokens[at].text == "}")
        if tokens[at].kind in ("end", "break"):
            return 0
        if depth == 0:
            braces = tokens[at].text == "}" and at > start
            simple = tokens[at].kind == "number" or (any_token and tokens[at].kind in ("name", "letters"))
            return at + 1 if braces or simple else 0
    return 0


def _transposed(tokens: list[Token], at: int) -> int:
    """Return the place after a transpose that stands here, ᵀ, ^T or ^{T}; 0 if there is none."""
    if tokens[at].text == "ᵀ":
        return at + 1
    if tokens[at].text != "^":
        return 0
    if _is_transpose(tokens[at + 1]):
        return at + 2
    inner = [token.text for token in tokens[at + 1 : at + 4]]
    return at + 4 if inner in (["{", "T", "}"], ["{", "ᵀ", "}"]) else 0


def _is_transpose(token: Token) -> bool:
    return (token.kind == "name" and token.text == "T") or token.text == "ᵀ"


class _Scripts:
    """A name in the list of tokens, with what stands below and above it."""

    def __init__(self, tokens: list[Token], at: int, text: str) -> None:
        self.tokens, self.at, self.text = tokens, at + 1, text
        self.name = tokens[at]
        self.word = ""  # to be added to the name
        self.samples: list[Token] = []
        self.below: list[Token] = []
        self.raw: list[Token] = []  # what is below, with its underscore and braces
        self.power: list[Token] = []

    def read(self, out: list[Token]) -> int:
        """Add the tokens of the name to `out`; return the place after them."""
        while True:
            if self.tokens[self.at].text == "_" and not self.below:
                if not self.subscript():
                    break
            elif after := _transposed(self.tokens, self.at):
                refuse_transpose(self.tokens, self.at, after, self.text, (self.full_name(), self.letters()))
            elif self.tokens[self.at].text == "^" and not self.power:
                if not self.superscript():
                    break
            else:
                break
        self.emit(out)
        return self.at

    def full_name(self) -> str:
        """Return the name with the number of its layer before its primes."""
        bare = self.name.text.rstrip("'")
        return bare + self.word + self.name.text[len(bare) :]

    def letters(self) -> list[str]:
        """Return the letters of all indices, those above the name first."""
        return [letter for token in [*self.samples, *self.below] for letter in index_letters(token.text)]

    def emit(self, out: list[Token]) -> None:
        """Append the name and its indices, those from above in one group with those from below."""
        out.append(replace(self.name, text=self.full_name()) if self.word else self.name)
        if not self.samples and not self.word:
            out += self.raw
        elif self.samples or self.below:
            mark = self.samples[0] if self.samples else self.below[0]
            out += [Token("mark", "_", mark.start, mark.start), Token("mark", "{", mark.start, mark.start)]
            out += [*self.samples, *self.below, Token("mark", "}", mark.start, mark.end)]
        out += self.power

    def subscript(self) -> bool:
        """Read what is below the name; return whether it is understood here."""
        start = self.at + 1
        end = group_end(self.tokens, start, any_token=True)
        if not end or self.tokens[start].kind == "number":
            return False
        inner = self.tokens[start + 1 : end - 1] if self.tokens[start].text == "{" else self.tokens[start:end]
        words = [t for t in inner if t.font == "script" or (t.font == "upright" and len(t.text) > 1)]
        words = [token for token in words if token.text not in CLASS_WORDS]
        self.word += "".join(token.text for token in words)
        left = [token for token in inner if token not in words]
        if words and all(token.text == "," for token in left):
            left = []
        if not left and not words:
            return False
        self.below, self.raw, self.at = left, self.tokens[self.at : end], end
        return True

    def superscript(self) -> bool:
        """Read what is above the name; return whether something follows that may belong to it."""
        start = self.at + 1
        first = self.tokens[start]
        end = group_end(self.tokens, start, any_token=True)
        if first.kind == "above":
            self.samples.append(replace(first, kind="name"))
            self.at = start + 1
            return True
        if first.text in ("*", "+") or (first.text == "(" and self.is_bracketed_number(start)):
            self.refuse(start, start + 1 if first.text != "(" else start + 3)
        if not end:
            return False
        if first.text != "{":
            self.check_power(start, end)
        elif self.bracketed(start + 1, end - 1):
            self.at = end
            return True
        elif self.tokens[start + 1].font == "upright" and end == start + 3 and len(self.tokens[start + 1].text) > 1:
            self.word += self.tokens[start + 1].text
            self.at = end
            return True
        else:
            self.check_power(start, end)
        self.power, self.at = self.tokens[self.at : end], end
        if self.tokens[end].text == "_" and not self.below:
            numbers = [token for token in self.power if token.kind == "number"]
            if len(numbers) != len(self.power) - (3 if first.text == "{" else 1):
                self.refuse(start, end)
        return True

    def is_bracketed_number(self, start: int) -> bool:
        """Tell whether a number in brackets begins here: the 2 of a^(2)."""
        number, close = self.tokens[start + 1 : start + 3] if start + 2 < len(self.tokens) else self.tokens[:2]
        return number.kind == "number" and number.text.isdigit() and close.text == ")"

    def bracketed(self, start: int, end: int) -> bool:
        """Read layers and samples in brackets, (2)(i); return False if it is something else."""
        layers, samples = "", []
        at = start
        while at < end and self.tokens[at].text in ("(", "["):
            inner = self.tokens[at + 1 : at + 3]
            if at + 3 > end or inner[1].text not in (")", "]"):
                self.check_shift(at, end)
                return False
            if inner[0].kind == "number" and inner[0].text.isdigit() and not layers:
                layers = inner[0].text
            elif inner[0].kind == "name" and (len(inner[0].text) == 1 or inner[0].text in GREEK):
                samples.append(inner[0])
            else:
                return False
            at += 3
        if at < end and samples and _is_transpose(self.tokens[at]):
            self.samples += samples
            refuse_transpose(self.tokens, at, end + 1, self.text, (self.full_name() + layers, self.letters()))
        if at < end or at == start:
            return False
        self.word += layers
        self.samples += samples
        return True

    def check_shift(self, start: int, end: int) -> None:
        """Refuse a layer or a sample that is shifted: a^{[l-1]}, z^{(l+1)}."""
        inner = self.tokens[start + 1 : start + 5]
        kinds = [token.kind for token in inner]
        if end - start != 5 or kinds != ["name", "mark", "number", "mark"] or inner[1].text not in "+-":
            return
        typed = " ".join(self.text[self.tokens[start].start : self.tokens[end - 1].end].split())
        message = f"the shifted index {typed} is not supported: write each layer or step as an equation of its own, "
        message += "h1_j = f(h0_j); h2_j = f(h1_j)"
        message += f" (a power is written {self.name.text}^({typed[1:-1]}))"
        raise ExpressionError(message, self.text, self.tokens[start].start)

    def check_power(self, start: int, end: int) -> None:
        """Refuse what is above a name, in `start` to `end`, if it is hardly a power."""
        inner = self.tokens[start + 1 : end - 1] if self.tokens[start].text == "{" else self.tokens[start:end]
        alone = inner[0] if len(inner) == 1 else None
        if not inner or all(token.text in "*+-" for token in inner):
            self.refuse(start, end)
        if alone and alone.kind == "name":
            word = len(alone.text) > 1 and alone.text not in GREEK and self.tokens[start].text == "{"
            if alone.text in ("l", "L") or (word and "'" not in alone.text and not alone.text[1:].isdigit()):
                self.refuse(start, end)
        if inner and inner[0].text in ("l", "L") and len(inner) == 3 and inner[1].text in "+-":
            self.refuse(start, end)

    def refuse(self, start: int, end: int) -> NoReturn:
        """Raise for something above the name, in `start` to `end`, that may be a power or not."""
        typed = " ".join(self.text[self.tokens[start].start : self.tokens[end - 1].end].split())
        bare = typed.strip("{}()").strip()
        name, below = self.full_name(), "".join(self.letters())
        if bare.isdigit():
            message = f"{name}^({bare}) may be a power or a layer: write {name}^{bare} or {name}{bare}"
        elif bare in ("*", "+", "-", ""):
            message = f"the superscript '{bare}' is not supported: make it part of the name, such as {name}1"
        else:
            power = f"{name}_{below}^({bare})" if below else f"{name}^({bare})"
            power = f"({name}_...)^({bare})" if self.tokens[end].text == "_" else power
            message = (
                f"{bare} as a superscript may be a power or not: write a power as {power}, an index below the line"
            )
            message += f", and a part of the name as {name}{bare}" if bare.isalnum() else ""
        raise ExpressionError(message, self.text, self.tokens[start].start)
