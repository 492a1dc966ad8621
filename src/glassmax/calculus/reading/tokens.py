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
from ..greek import GREEK
from .signs import (
    ACCENTS,
    CLOSING,
    COMMAND_ADVICE,
    COMMANDS,
    FONTS,
    INDICES_ABOVE,
    MARKS,
    SINGLE,
    SUBSCRIPTS,
    SUPERSCRIPTS,
)

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "TOO_DEEP", "Token", "index_letters", "tokenize"]

MAX_LENGTH = 10_000
MAX_DEPTH = 100
TOO_DEEP = f"too deep: more than {MAX_DEPTH} levels of nesting"

FILLER = re.compile(
    r"\\(?:left|right|middle|[bB]igg?[lr]?|q?quad|displaystyle|(?:no)?limits|nonumber|notag)(?![A-Za-z])|\\[,;:!>()\[\]]"
    r"|[&$\u200b]|\\(?:begin|end)\{(?:align|aligned|equation|gather|split)\*?\}|\\(?:label|tag)\{[^{}]*\}"
)
SPACE = re.compile(r"[ \t\r\f\v\u00a0\u2009\u202f~]+|\\ ")
BREAK = re.compile(r";|\n|\\\\")
NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+|\.(?![A-Za-z0-9.]))?|\.[0-9]+)(?:[eE][+-]?[0-9]+(?![A-Za-z0-9]))?")
DECORATED = re.compile(r"\\(" + "|".join((*FONTS, *ACCENTS)) + r")(?![A-Za-z])\*?[ \t]*")
CONTENT = re.compile(r"\\([A-Za-z]+)|[A-Za-z][A-Za-z0-9]*|[01]|[" + "".join(SINGLE) + "]")
FRACTION = re.compile(r"\s*([0-9])\s*(?:([0-9])|([A-Za-z])|(?=\{))")
ONES = re.compile(r"\\(?:mathbf|mathbb|mathds|bm|boldsymbol)\s*\{\s*1\s*\}|𝟏|𝟙")
FUNCTION = re.compile(r"(?:_[A-Za-z][A-Za-z0-9]*)+(?=\s*\()")
STRING = re.compile(r"'([^'\n]*)'|\"([^\"\n]*)\"")
COMMENT = re.compile(r"#[^\n]*")
COMMAND = re.compile(r"\\([A-Za-z]+|[{}|])")
WORD = re.compile(r"log_softmax(?![A-Za-z0-9])|[A-Za-z][A-Za-z0-9]*")
LETTERS = re.compile(r"(?:[A-Za-z][0-9]*)+")
LAYER = re.compile(r"\^\{[(\[]([0-9]+)[)\]]\}|⁽([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁾")
SAMPLE = re.compile(f"⁽([{''.join(INDICES_ABOVE)}])⁾")
BELOW = re.compile(r"_([0-9]+)|_\{([0-9]+)\}")
PRIMES = re.compile(r"['′’]+|″|\^\{?\\prime\}?")
UNDER = re.compile(f"[{''.join(SUBSCRIPTS)}]+")
OVER = re.compile(f"⁻?[{''.join(SUPERSCRIPTS)}]+")
SHIFTED = re.compile("[₊₋₌]")
LIBRARY = re.compile(r"(?:np|numpy|jnp|torch|scipy|special)\.(?:linalg\.|special\.)?")
COMPARED = ("==", "!=", "<=", ">=", *"<>≠≤≥∈⟨⟩")
MARK = re.compile("|".join(re.escape(mark) for mark in sorted(MARKS, key=len, reverse=True)))


@dataclass(frozen=True)
class Token:
    """A piece of the input: `text` is normalized, `start` and `end` are places in what was typed."""

    kind: str  # "number", "name", "letters" (indices after an underscore), "mark", "string", "break" or "end"
    text: str
    start: int
    end: int
    spaced: bool = False  # whether white space stands before it
    font: str = ""  # "bold" for \\mathbf{w}, "upright" for \\text{out}, none for a plain w


def index_letters(word: str) -> list[str]:
    """Split a word of indices: ij is i, j; digits belong to the letter before them."""
    return re.findall(r"[A-Za-z][0-9]*", word)


def tokenize(text: str, *, matrix: bool = False) -> list[Token]:
    """Split one or more equations into tokens in the order of the text; the last is the end.

    In matrix notation an underscore before a number is part of a name (W_1), as before a word and a bracket
    (ones_like(X)), and np. before a name and comments after # are left out. An
    ExpressionError is raised if the text is empty or too long, has an unknown character, or its brackets don't match.
    """
    if not text.strip():
        raise ExpressionError("expected an expression, got nothing")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"too long: {len(text)} characters, at most {MAX_LENGTH}", text, MAX_LENGTH)
    return _Scanner(text, matrix).scan()


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
        """Match a pattern at this place."""
        return pattern.match(self.text, self.at)

    def put(self, kind: str, text: str, end: int, font: str = "") -> None:
        """Append a token that ends at `end`, and go there."""
        self.tokens.append(Token(kind, text, self.at, end, self.spaced, font))
        self.at, self.spaced = end, False

    def step(self) -> None:
        """Read one token."""
        if found := self.match(BREAK):
            if found.group() == ";" and self.opened:
                what = f"'{self.opened[-1].text}' is never closed"
                if ")" in self.text[self.at :].partition("\n")[0].partition("=")[0] and self.opened[-1].text == "(":
                    what += " before ';', which ends an equation: write p(x, w) for p(x; w)"
                raise ExpressionError(what, self.text, self.opened[-1].start)
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
        elif found := self.match(DECORATED):
            text, font, end = self.decorated(found)
            if text in ("0", "1"):
                self.put("number", text, end, font)
            else:
                self.name(text, end, font)
        elif found := self.match(COMMAND):
            self.command(found)
        elif found := self.match(WORD):
            word, end = found.group(), found.end()
            if self.matrix and (rest := FUNCTION.match(self.text, end)):
                word, end = word + rest.group(), rest.end()
            self.name(word, end)
        elif (character := self.text[self.at]) in SINGLE:
            # Σ is a sum in index notation and where an index follows, a letter otherwise
            followed = re.compile(r"\s*_|\s*[ᵢⱼₖₗₘₙₓₚᵣₛₜₐᵤᵥ]").match(self.text, self.at + 1)
            summed = character == "Σ" and (followed or not self.matrix)
            self.name("sum" if summed else SINGLE[character], self.at + 1)
        elif found := self.match(SAMPLE):
            self.put("mark", "^", self.at)
            self.put("above", INDICES_ABOVE[found.group(1)], found.end())
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
            if self.matrix and found.group() in COMPARED:
                self.unknown(character)
            self.mark(MARKS[found.group()], found.end())
        elif self.matrix and character == ":":
            self.put("mark", ":", self.at + 1)
        else:
            self.unknown(character)

    def unknown(self, character: str) -> NoReturn:
        """Refuse a character, with what to write in its place."""
        hint = "expected a formula, got the unknown character " + repr(character)
        if character == "∂":
            hint = "a derivative can't be part of the input: give the function, and name the variable with wrt"
        elif self.match(MARK):
            hint = "a comparison can't be part of a formula: write step(x) for x > 0, relu(x) for max(0, x)"
        elif character in "'′’″":
            hint = "a prime belongs right after a name, "
            if self.matrix:
                hint += "as in f'(x); the transpose of a bracket is (...)ᵀ or (...).T"
            else:
                hint += "before its indices: W'_ki, f'(z_i); a transpose is written with indices: sum_d w_kd x_d"
        elif SHIFTED.match(character):
            hint = "write indices with signs below the line: sum_{i=1}^n, x_{i+1}"
        elif character in INDICES_ABOVE:
            hint = "write an index below the line, x_i, and a power as x^n"
        raise ExpressionError(hint, self.text, self.at)

    def command(self, found: re.Match[str]) -> None:
        """Read a command of LaTeX."""
        if found.group(1) == "partial":
            self.unknown("∂")
        kind, text = COMMANDS.get(found.group(1), ("unknown", ""))
        if kind == "unknown":
            advice = COMMAND_ADVICE.get(found.group(1), "")
            what = f"'{found.group()}' is a LaTeX command that isn't known here{advice and ': ' + advice}"
            raise ExpressionError(what, self.text, self.at)
        if text == "\\frac" and (digits := FRACTION.match(self.text, found.end())):
            self.fraction(digits)
        elif kind == "name":
            self.name(text, found.end())
        elif kind == "prime":
            self.unknown("'")
        else:
            self.mark(text, found.end())

    def fraction(self, digits: re.Match[str]) -> None:
        r"""Read the number above the line, and a single sign below it: \frac12, \frac1N, \frac1{2n}."""
        above, number, letter = digits.groups()
        if number:
            if number == "0":
                raise ExpressionError("division by zero", self.text, digits.start(2))
            self.put("number", f"{above}/{number}", digits.end())
            return
        self.put("number", above, digits.end(1))
        self.put("mark", "/", digits.end(1))
        if letter:
            self.put("name", letter, digits.end())

    def decorated(self, found: re.Match[str]) -> tuple[str, str, int]:
        """Return the name under an accent or in a font, with the accent; then its font, and where it ends."""
        word = found.group(1)
        braces = self.text[found.end() : found.end() + 1] == "{"
        start = found.end() + braces
        start += len(self.text[start:]) - len(self.text[start:].lstrip())
        if inner := DECORATED.match(self.text, start):
            text, font, end = self.decorated(inner)
        elif content := CONTENT.match(self.text, start):
            known = COMMANDS.get(content.group(1), ("", "")) if content.group(1) else ("name", content.group())
            text, font, end = SINGLE.get(known[1], known[1]), "", content.end()
            if known[0] != "name":
                raise ExpressionError(f"expected a name in \\{word}", self.text, start)
            if not braces and not content.group(1):
                text, end = text[:1] if len(content.group()) > 1 else text, start + 1
        else:
            raise ExpressionError(f"expected a name in \\{word}", self.text, start)
        if braces:
            close = end + len(self.text[end:]) - len(self.text[end:].lstrip())
            if self.text[close : close + 1] != "}":
                hint = f"expected one name in \\{word}{{...}}, with its indices after the brace: \\{word}{{x}}_i"
                raise ExpressionError(hint, self.text, close)
            end = close + 1
        return text + ACCENTS.get(word, ""), FONTS.get(word, "") or font, end

    def name(self, text: str, end: int, font: str = "") -> None:
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
        self.put("name", text, end, font)

    def mark(self, mark: str, end: int) -> None:
        """Append a sign, and keep account of the brackets that are open."""
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
