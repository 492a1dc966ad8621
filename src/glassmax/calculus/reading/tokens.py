r"""Text to tokens, for both notations: what people type, Unicode and LaTeX become one small alphabet.

A token is a number, a name, the index letters after an underscore, a mark (operator, bracket, comma), the break between
two equations, or the end. `α` and ``\alpha`` become the name ``alpha``, `·` and ``\cdot`` the mark ``*``, `x²` becomes
``x ^ 2``. Every token keeps its place in the text, for the caret of an error. Brackets that don't match are refused
here, so that the caret stands where a bracket that is never closed was opened; the rest of the grammar is not known.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from ...errors import ExpressionError
from ..greek import GREEK, VARIANTS

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "TOO_DEEP", "Cursor", "Token", "index_letters", "tokenize"]

MAX_LENGTH = 10_000
MAX_DEPTH = 100
TOO_DEEP = f"too deep: more than {MAX_DEPTH} levels of nesting"

WORDS = {sign: word for word, sign in GREEK.items()} | VARIANTS
COMMANDS = {
    **{word: ("name", word) for word in GREEK},
    **{word: ("name", word) for word in ("exp", "log", "ln", "sqrt", "sin", "cos", "tanh", "max", "sum")},
    **{word: ("name", word) for word in ("e", "ell", "sigmoid", "erf", "softmax")},
    **{"varepsilon": ("name", "epsilon"), "vartheta": ("name", "theta"), "varphi": ("name", "phi")},
    **dict.fromkeys(("frac", "dfrac", "tfrac"), ("name", "\\frac")),
    **dict.fromkeys(("cdot", "times", "odot", "circ", "ast"), ("mark", "*")),
    **dict.fromkeys(("top", "intercal"), ("mark", "ᵀ")),
    **dict.fromkeys(("|", "lVert", "rVert", "Vert"), ("mark", "‖")),
    **dict.fromkeys(("lvert", "rvert", "vert"), ("mark", "|")),
    **{"{": ("mark", "("), "}": ("mark", ")"), "div": ("mark", "/"), "oslash": ("mark", "/"), "prime": ("prime", "'")},
}
MARKS = {
    **{"**": "^", ":=": "=", "≔": "=", "||": "‖", "∥": "‖", "−": "-", "–": "-", "÷": "/", "∣": "|", "⊤": "ᵀ"},
    **{"⊘": "/", "^∘": "^"},
    **dict.fromkeys("·×⊙⋅∘∗", "*"),
    **{mark: mark for mark in "+-*/^=()[]{},_|@.‖ᵀ"},
}
SINGLE = {**WORDS, "ŷ": "yhat", "Ŷ": "Yhat", "√": "sqrt", "ℓ": "ell", "∑": "sum"}
CLOSING = {"(": ")", "[": "]", "{": "}"}
SUBSCRIPTS = dict(zip("ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ₀₁₂₃₄₅₆₇₈₉", "aehijklmnoprstuvx0123456789", strict=True))
SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))

FILLER = re.compile(
    r"\\(?:left|right|middle|[bB]igg?[lr]?|q?quad|displaystyle|limits|nonumber)(?![A-Za-z])|\\[,;:!>]|[&$\u200b]"
)
SPACE = re.compile(r"[ \t\r\f\v\u00a0\u2009\u202f~]+|\\ ")
BREAK = re.compile(r";|\n|\\\\")
NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+|\.(?![A-Za-z0-9.]))?|\.[0-9]+)(?:[eE][+-]?[0-9]+(?![A-Za-z0-9]))?")
WRAPPED = re.compile(
    r"\\(mathbf|mathrm|mathit|mathsf|mathcal|boldsymbol|bm|text|operatorname|hat|bar|tilde)\s*\{\s*\\?([A-Za-z][A-Za-z0-9]*)\s*\}"
)
ONES = re.compile(r"\\(?:mathbf|mathbb|mathds|bm|boldsymbol)\s*\{\s*1\s*\}|𝟏|𝟙")
FUNCTION = re.compile(r"(?:_[A-Za-z][A-Za-z0-9]*)+(?=\s*\()")
STRING = re.compile(r"'([^'\n]*)'|\"([^\"\n]*)\"")
COMMENT = re.compile(r"#[^\n]*")
COMMAND = re.compile(r"\\([A-Za-z]+|[{}|])")
WORD = re.compile(r"log_softmax(?![A-Za-z0-9])|[A-Za-z][A-Za-z0-9]*")
LETTERS = re.compile(r"(?:[A-Za-z][0-9]*)+")
LAYER = re.compile(r"\^\{[(\[]([0-9]+)[)\]]\}|⁽([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁾")
BELOW = re.compile(r"_([0-9]+)|_\{([0-9]+)\}")
PRIMES = re.compile(r"['′’]+|″|\^\{?\\prime\}?")
UNDER = re.compile(f"[{''.join(SUBSCRIPTS)}]+")
OVER = re.compile(f"⁻?[{''.join(SUPERSCRIPTS)}]+")
LIBRARY = re.compile(r"(?:np|numpy|jnp|torch|scipy|special)\.(?:linalg\.|special\.)?")
MARK = re.compile("|".join(re.escape(mark) for mark in sorted(MARKS, key=len, reverse=True)))


@dataclass(frozen=True)
class Token:
    """A piece of the input: `text` is normalized, `start` and `end` are places in what was typed."""

    kind: str  # "number", "name", "letters" (indices after an underscore), "mark", "string", "break" or "end"
    text: str
    start: int
    end: int
    spaced: bool = False  # whether white space stands before it


def index_letters(word: str) -> list[str]:
    """Split a word of indices: ij is i, j; digits belong to the letter before them."""
    return re.findall(r"[A-Za-z][0-9]*", word)


def tokenize(text: str, *, matrix: bool = False) -> list[Token]:
    """Split one or more equations into tokens; the last is the end.

    In matrix notation an underscore before a number is part of a name (W_1), as before a word and a bracket
    (ones_like(X)), and np. before a name and comments after # are left out. An
    ExpressionError is raised if the text is empty or too long, has an unknown character, or its brackets don't match.
    """
    if not text.strip():
        raise ExpressionError("expected an expression, got nothing")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"too long: {len(text)} characters, at most {MAX_LENGTH}", text, MAX_LENGTH)
    return _subscripts_first(_Scanner(text, matrix).scan())


class _Scanner:
    def __init__(self, text: str, matrix: bool) -> None:
        self.text, self.matrix = text, matrix
        self.at = 0
        self.tokens: list[Token] = []
        self.opened: list[Token] = []
        self.spaced = False

    def scan(self) -> list[Token]:
        while self.at < len(self.text):
            self.step()
        if self.opened:
            raise ExpressionError(f"'{self.opened[-1].text}' is never closed", self.text, self.opened[-1].start)
        self.put("end", "", len(self.text))
        return self.tokens

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.match(self.text, self.at)

    def put(self, kind: str, text: str, end: int) -> None:
        self.tokens.append(Token(kind, text, self.at, end, self.spaced))
        self.at, self.spaced = end, False

    def step(self) -> None:
        if found := self.match(BREAK):
            if found.group() == ";" and self.opened:
                raise ExpressionError(f"'{self.opened[-1].text}' is never closed", self.text, self.opened[-1].start)
            if self.opened:  # a line break inside brackets is a space
                self.at, self.spaced = found.end(), True
            else:
                self.put("break", ";", found.end())
        elif found := self.match(SPACE):
            self.at, self.spaced = found.end(), True
        elif found := self.match(FILLER):
            self.at = found.end()
        elif found := self.match(NUMBER):
            if len(found.group()) > 30 or len(found.group().lower().partition("e")[2]) > 4:
                raise ExpressionError("expected a number of at most 30 digits, got a longer one", self.text, self.at)
            self.put("number", found.group(), found.end())
        elif self.matrix and (found := self.match(LIBRARY) or self.match(COMMENT)):
            self.at = found.end()
        elif self.matrix and (found := self.match(ONES)):
            self.put("number", "1", found.end())
        elif self.matrix and self.tokens and self.tokens[-1].text in ("(", ",", "=") and (found := self.match(STRING)):
            self.put("string", found.group(1) or found.group(2) or "", found.end())
        elif found := self.match(WRAPPED):
            accent = found.group(1) if found.group(1) in ("hat", "bar", "tilde") else ""
            self.name(found.group(2) + accent, found.end())
        elif found := self.match(COMMAND):
            self.command(found)
        elif found := self.match(WORD):
            word, end = found.group(), found.end()
            if self.matrix and (rest := FUNCTION.match(self.text, end)):
                word, end = word + rest.group(), rest.end()
            self.name(word, end)
        elif (character := self.text[self.at]) in SINGLE:
            # Σ is a sum where an index follows, a letter otherwise
            summed = character == "Σ" and re.compile(r"\s*_|\s*[ᵢⱼₖₗₘₙₓₚᵣₛₜₐᵤᵥ]").match(self.text, self.at + 1)
            self.name("sum" if summed else SINGLE[character], self.at + 1)
        elif found := self.match(UNDER):
            self.put("mark", "_", self.at)
            self.put("letters", "".join(SUBSCRIPTS[c] for c in found.group()), found.end())
        elif found := self.match(OVER):
            power = "".join(SUPERSCRIPTS[c] for c in found.group())
            if "-" in power[1:] or power == "-" or len(power) > 30:
                raise ExpressionError("expected a number as the power", self.text, self.at)
            self.put("mark", "^", self.at)
            self.put("number", power, found.end())
        elif character == "½":
            self.put("number", "1/2", self.at + 1)
        elif found := self.match(MARK):
            self.mark(MARKS[found.group()], found.end())
        elif self.matrix and character == ":":
            self.put("mark", ":", self.at + 1)
        else:
            self.unknown(character)

    def unknown(self, character: str) -> NoReturn:
        hint = "expected a formula, got the unknown character " + repr(character)
        if character == "∂":
            hint = "a derivative can't be part of the input: give the function, and ask for its derivative by a name"
        elif character in "<>≤≥≠":
            hint = "a comparison can't be part of a formula: write step(x) for x > 0, relu(x) for its larger part"
        elif character in "'′’″":
            hint = "a prime belongs right after a name, before its indices: W'_ki, f'(z_i)"
        raise ExpressionError(hint, self.text, self.at)

    def command(self, found: re.Match[str]) -> None:
        if found.group(1) == "partial":
            self.unknown("∂")
        kind, text = COMMANDS.get(found.group(1), ("unknown", ""))
        if kind == "unknown":
            raise ExpressionError(f"'{found.group()}' is a LaTeX command that isn't known here", self.text, self.at)
        if kind == "name":
            self.name(text, found.end())
        elif kind == "prime":
            self.unknown("'")
        else:
            self.mark(text, found.end())

    def name(self, text: str, end: int) -> None:
        """Put a name, with what belongs to it: a layer's number, digits below the line, primes."""
        while True:
            if layer := LAYER.match(self.text, end):
                number = layer.group(1) or "".join(SUPERSCRIPTS[c] for c in layer.group(2))
                text, end = text + number, layer.end()
            elif self.matrix and (below := BELOW.match(self.text, end)):
                text, end = text + (below.group(1) or below.group(2)), below.end()
            elif end < len(self.text) and self.text[end] in "₀₁₂₃₄₅₆₇₈₉" and "'" not in text:
                text, end = text + SUBSCRIPTS[self.text[end]], end + 1
            elif text in GREEK and (digits := re.compile("[0-9]+").match(self.text, end)):
                text, end = text + digits.group(), digits.end()
            elif primes := PRIMES.match(self.text, end):
                count = 2 if primes.group() == "″" else 1 if "prime" in primes.group() else len(primes.group())
                text, end = text + "'" * count, primes.end()
            else:
                break
        self.put("name", text, end)

    def mark(self, mark: str, end: int) -> None:
        self.put("mark", mark, end)
        if mark in CLOSING:
            self.opened.append(self.tokens[-1])
            if len(self.opened) > MAX_DEPTH:
                raise ExpressionError(TOO_DEEP, self.text, self.opened[-1].start)
        elif mark in CLOSING.values():
            typed = self.tokens[-1]
            if not self.opened:
                raise ExpressionError(f"'{mark}' closes nothing: no bracket is open here", self.text, typed.start)
            expected = CLOSING[self.opened.pop().text]
            if mark != expected:
                raise ExpressionError(f"expected '{expected}', got '{mark}'", self.text, typed.start)
        elif mark == "_" and (found := self.match(LETTERS)):
            self.put("letters", found.group(), found.end())


def _subscripts_first(tokens: list[Token]) -> list[Token]:
    """Exchange power and subscript where a name has both in that order: w^2_i, the sum's K above and k=1 below."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        out.append(tokens[at])
        at += 1
        if tokens[at - 1].kind == "name" and at < len(tokens) and tokens[at].text == "^":
            power = _group_end(tokens, at + 1, any_token=tokens[at - 1].text == "sum")
            if power and tokens[power].text == "_" and (below := _group_end(tokens, power + 1, any_token=True)):
                out += tokens[power:below] + tokens[at:power]
                at = below
    return out


def _group_end(tokens: list[Token], start: int, *, any_token: bool) -> int:
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


class Cursor:
    """A place in the list of tokens of a text, which may be in matrix notation, with the few moves a parser makes."""

    def __init__(self, text: str, *, matrix: bool = False) -> None:
        self.text = text
        self.tokens = tokenize(text, matrix=matrix)
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

    def fault(self, expected: str) -> NoReturn:
        """Raise: `expected`, and what came instead."""
        typed = self.text[self.token.start : self.token.end]
        got = {"end": "the end", "break": "the end of the equation"}.get(self.token.kind, f"'{typed}'")
        raise ExpressionError(f"{expected}, got {got}", self.text, self.token.start)
