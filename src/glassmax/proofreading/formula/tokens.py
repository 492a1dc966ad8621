r"""Text to tokens: LaTeX, Unicode and what is typed on a keyboard become one small alphabet.

A token is a name, a number, a mark, a script (what stands below or above, as its own text), a word of prose, or a
command with arguments (frac, sqrt, begin). A name keeps how it was spelled. Braces that only group for LaTeX are left
out, since the page doesn't show them; those of an argument stay.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import NoReturn

from ...errors import ExpressionError
from .signs import (
    ABOVE,
    ACCENTS,
    BELOW,
    COMBINING,
    COMMANDS,
    FILLERS,
    FONTS,
    FUNCTIONS,
    GREEK,
    LETTERS,
    MARKS,
    SUFFIXES,
    UNREADABLE,
    WITHOUT_BRACKETS,
    WORDS,
)

__all__ = ["MAX_LENGTH", "Token", "tokenize"]

MAX_LENGTH = 10_000

SPACE = re.compile(r"(?:[\s\u00a0\u2009\u202f\u200b~$&]|\\\\(?:\[[^\]]*\])?|\\[ ,;:!>()\[\]](?![A-Za-z])|\\$)+")
FILLER = re.compile(r"\\(?:left|right)\s*\.|\\(?:" + "|".join(FILLERS) + r")(?![A-Za-z])")
NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+(?![A-Za-z0-9]))?")
COMMAND = re.compile(r"\\([A-Za-z]+\*?|[{}|])")
WORD = re.compile(r"[A-Za-z]+")
GRADIENT = re.compile(
    r"(?:d[A-Za-z][A-Za-z0-9]*_(?:by_)?d|grad_|delta_(?![a-z]{1,2}(?![A-Za-z0-9])))(?:[A-Za-z][A-Za-z0-9]*)(?:_[0-9]+)?(?![A-Za-z_])"
)
IDENTIFIER = re.compile(r"[A-Za-z]{4,}_(?![ijklmn](?![A-Za-z0-9]))[A-Za-z0-9_]*[A-Za-z0-9](?![A-Za-z0-9_])")
DIFFERENTIAL = re.compile(r"d2?(?=[A-Za-z])")
PLAIN_BELOW = re.compile(r"[0-9]+|[A-Za-z]+[0-9]*")
PLAIN_ABOVE = re.compile(r"[-+−]?(?:[0-9]+(?:\.[0-9]+)?|[A-Za-z]+)|[*'′†ᵀ⊤]")
TEXT_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_\\.-]*$")
MARK = re.compile("|".join(re.escape(mark) for mark in sorted(MARKS, key=len, reverse=True)))
UNDER = re.compile(f"[{''.join(BELOW)}]+")
COMPARED = re.compile(r"[=≠<>≤≥]|\\(?:neq?|leq?|geq?|lt|gt)(?![A-Za-z])")
CELL = re.compile(r"\s*(\\\\|&)(?:\[[^\]]*\])?")
SPACES = re.compile(r"\s*")
LETTERS_BELOW = re.compile(r"[ijklmn]{2,3}(?![A-Za-z0-9_^(])")
SIGNED = re.compile(r"-[0-9A-Za-z]|'+")
SECOND = re.compile(r"d([23])(?=[A-Za-zα-ω][^/]{0,20}/\s*d)")
ATTACHED = re.compile(r"(?:\{\s*\})?\{\s*['′]\s*\}|\.T(?![A-Za-z])|\.(?:t|transpose)\(\)")
ACCENTED = re.compile(
    r"\s*(?:\\(?:mathbf|boldsymbol|bm|mathrm|text|vec|mathcal)\s*\{?\s*)?(?:\\("
    + "|".join(GREEK)
    + r"|ell)|([A-Za-z"
    + "".join(LETTERS)
    + r"]))\s*\}?\s*"
)
OVER = re.compile(f"[{''.join(ABOVE)}]+")
FRACTIONS = {"½": (1, 2), "¼": (1, 4), "⅓": (1, 3), "¾": (3, 4), "⅔": (2, 3)}
BLOCKS = ("cases", "matrix", "bmatrix", "pmatrix", "vmatrix", "Bmatrix", "smallmatrix", "array", "dcases", "rcases")
ARGUMENT = {"frac": 2, "dfrac": 2, "tfrac": 2, "cfrac": 2, "sqrt": 1}


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


def tokenize(text: str, start: int, end: int, *, latex: bool, index: bool = False) -> list[Token]:
    """Split the part of a text from `start` to `end` into tokens; the last is the end.

    With `latex` an unbraced script is one sign long. With `index` the text stands below a name: words are letters.
    """
    return _Scanner(text, start, end, latex, index).scan()


class _Scanner:
    def __init__(self, text: str, start: int, end: int, latex: bool, index: bool) -> None:
        self.text, self.at, self.end, self.latex, self.index = text, start, end, latex, index
        self.tokens: list[Token] = []
        self.spaced = False
        self.ends: set[int] = set()  # places of the braces that close a condition, 1{i = j}
        self.blocks = 0  # how many arrays or cases are open here

    def scan(self) -> list[Token]:
        while self.at < self.end:
            self.step()
        self.put("end", "", self.end)
        return _grouped(self.tokens, self.text)

    def fail(self, message: str, place: int | None = None) -> NoReturn:
        raise ExpressionError(message, self.text, self.at if place is None else place)

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.match(self.text, self.at, self.end)

    def put(self, kind: str, text: str, end: int, start: int | None = None, typed: str = "") -> None:
        """Append a token that ends at `end`, and go there."""
        first = self.at if start is None else start
        self.tokens.append(Token(kind, text, first, end, self.spaced, typed or self.text[self.at : end].strip()))
        self.at, self.spaced = end, False

    def step(self) -> None:
        character = self.text[self.at]
        if self.blocks and (found := self.match(CELL)):
            self.put("mark", found.group(1)[0], found.end())
        elif found := self.match(SPACE):
            self.at, self.spaced = found.end(), True
        elif found := self.match(FILLER):
            self.at = found.end()
        elif attached := self.match(ATTACHED):
            if attached.group().startswith("."):
                self.put("above", ".T", attached.end(), typed="^")
            else:
                self.put("mark", "'", attached.end())
        elif character in "_^":
            self.script(character)
        elif character == "{" and self.tokens and self.tokens[-1].text in ("1", "I") and self.compares(self.at):
            self.ends.add(self.closing(self.at))
            self.put("mark", "\\{", self.at + 1)
        elif self.at in self.ends:
            self.put("mark", "\\}", self.at + 1)
        elif found := self.match(COMMAND):
            self.command(found.group(1), found.end())
        else:
            self.sign(character)

    def compares(self, at: int) -> bool:
        """Return whether the braces at a place hold a comparison."""
        return bool(COMPARED.search(self.text, at, self.closing(at)))

    def sign(self, character: str) -> None:
        """Read a word, a number or a sign."""
        if found := self.match(SECOND):
            self.put("d", "d", self.at + 1)
            self.put("above", found.group(1), found.end(), typed="^")
        elif found := self.match(NUMBER):
            if self.fraction_digit():
                self.put("number", found.group()[0], self.at + 1)
            elif len(found.group()) > 30 or len(found.group().lower().partition("e")[2]) > 4:
                self.fail("expected a number of at most 30 digits, got a longer one")
            elif self.index or not self.joined():
                self.put("number", found.group(), found.end())
            else:
                digits = re.compile("[0-9]+").match(self.text, self.at)
                assert digits
                self.put("below", digits.group(), digits.end(), typed="1")
        elif found := self.match(WORD):
            self.word(found.group())
        elif character in FRACTIONS:
            above, below = FRACTIONS[character]
            self.put("number", f"{above}/{below}", self.at + 1)
        elif found := self.match(UNDER):
            content = "".join(BELOW[c] for c in found.group())
            self.put("below", content, found.end(), typed="_")
        elif found := self.match(OVER):
            self.put("above", "".join(ABOVE[c] for c in found.group()), found.end(), typed="^")
        elif character in LETTERS:
            self.named(LETTERS[character], self.at + 1)
        elif found := self.match(MARK):
            mark = MARKS[found.group()]
            self.put("d" if mark == "∂" else "mark", mark, found.end())
        elif 0x1D400 <= ord(character) <= 0x1D7FF:
            plain = unicodedata.normalize("NFKC", character)
            self.named(LETTERS.get(plain, plain), self.at + 1)
        elif len(parts := unicodedata.normalize("NFD", character)) == 2 and parts[1] in COMBINING:
            self.put("name", parts[0] + "_" + COMBINING[parts[1]], self.at + 1)
        else:
            self.fail(f"the sign {character!r} can't be read")

    def joined(self) -> bool:
        """Return whether the last token is a name that ends right here."""
        last = self.tokens[-1] if self.tokens else None
        return (
            last is not None
            and last.kind == "name"
            and not self.spaced
            and last.end == self.at
            and (last.text not in WITHOUT_BRACKETS and not last.typed.startswith("\\"))
        )

    def fraction_digit(self) -> bool:
        r"""Return whether a digit here is an argument of its own: both of \frac12."""
        last = [token.text for token in self.tokens[-2:] if token.kind in ("command", "number")]
        return last[-1:] == ["frac"] or (last[:1] == ["frac"] and len(last) == 2)

    def named(self, name: str, end: int) -> None:
        """Append a name, with the accent that follows it as a combining character."""
        if end < self.end and self.text[end] in COMBINING:
            accent = COMBINING[self.text[end]]
            name, end = name + ("_" + accent if accent else ""), end + 1
        if name in ("sum", "prod"):
            self.put("command", name, end)
        else:
            self.put("name", name, end)

    def word(self, word: str) -> None:
        """Split a word into names: what is known is one, a short other one is a product of letters."""
        end = self.at + len(word)
        if self.index:
            for letter in [word] if word in SUFFIXES else word:
                self.put("name", letter, self.at + len(letter))
            return
        if not self.latex and (found := self.match(GRADIENT) or (word not in WORDS and self.match(IDENTIFIER))):
            self.put("name", found.group(), found.end())
            return
        differential = DIFFERENTIAL.match(word)
        rest = word[1:]
        if word in ("if", "otherwise", "when", "else", "and", "or", "for"):
            self.put("words", word, end)
        elif word in WORDS or (word in ("sum", "prod")):
            self.named(word, end)
        elif word == "d" or (differential and (len(rest) == 1 or rest in WORDS or rest == "softmax")):
            self.put("d", "d", self.at + 1)
            if rest:
                self.named(rest, end)
        elif len(word) == 3 and word[1] == "T" and not self.latex:
            self.named(word[0], self.at + 1)
            self.put("above", "T", self.at + 1, typed="^")
            self.named(word[2], end)
        elif len(word) >= 4 and not word.isupper():
            self.named(word, end)
        else:
            for letter in word:
                self.named(letter, self.at + 1)

    def script(self, sign: str) -> None:
        """Read what stands below or above: its content is kept as text, which is read where it is known of what."""
        kind = "below" if sign == "_" else "above"
        start = self.at
        self.at += 1
        if found := self.match(SPACE):
            self.at = found.end()
        if self.at >= self.end:
            self.fail(f"expected something after '{sign}'", start)
        first, last, after = self.content(kind)
        self.at = start
        self.put(kind, self.text[first:last], after, start=first, typed=sign)

    def content(self, kind: str) -> tuple[int, int, int]:
        """Return where the content of a script begins and ends, and where the formula goes on."""
        character = self.text[self.at]
        if character == "{":
            close = self.closing(self.at)
            return self.at + 1, close, close + 1
        if character in "([" and kind == "above":
            close = self.closing(self.at, character, ")" if character == "(" else "]")
            return self.at, close + 1, close + 1
        if found := self.match(COMMAND):
            end = found.end()
            while found.group(1) in (*FONTS, *ACCENTS, *ARGUMENT) and (brace := SPACES.match(self.text, end)):
                if brace.end() >= self.end or self.text[brace.end()] != "{":
                    break
                end = self.closing(brace.end()) + 1
            return self.at, end, end
        if self.latex:
            found = LETTERS_BELOW.match(self.text, self.at, self.end) if kind == "below" else self.match(SIGNED)
            end = found.end() if found else self.at + 1
        else:
            found = self.match(PLAIN_BELOW if kind == "below" else PLAIN_ABOVE)
            end = found.end() if found else self.at + 1
            if found and end - self.at > 1 and found.group().isalpha() and found.group() not in SUFFIXES:
                if kind == "above" and found.group()[0] == "T":
                    end = self.at + 1
                elif end < self.end and self.text[end] in "_^" and self.text[end - 1] not in "ijklmn":
                    end -= 1
        return self.at, end, end

    def closing(self, at: int, opening: str = "{", close: str = "}") -> int:
        """Return the place of the bracket that closes the one at `at`."""
        level, place = 0, at
        while place < self.end:
            character = self.text[place]
            if character == "\\":
                place += 2
                continue
            level += (character == opening) - (character == close)
            if level == 0:
                return place
            place += 1
        self.fail(f"'{opening}' is never closed", at)

    def argument(self, at: int) -> tuple[int, int, int]:
        """Return begin and end of the argument of a command at `at`, and where the formula goes on."""
        spaces = SPACES.match(self.text, at, self.end)
        at = spaces.end() if spaces else at
        if at >= self.end:
            self.fail("expected something after the command")
        if self.text[at] == "{":
            close = self.closing(at)
            return at + 1, close, close + 1
        found = COMMAND.match(self.text, at, self.end)
        end = found.end() if found else at + 1
        return at, end, end

    def command(self, word: str, end: int) -> None:
        """Read a LaTeX command."""
        bare = word.rstrip("*")
        if bare in ARGUMENT:
            self.put("command", "sqrt" if bare == "sqrt" else "frac", end)
        elif bare in ("begin", "end"):
            self.environment(bare, end)
        elif bare in ACCENTS:
            self.accented(bare, end)
        elif bare in FONTS:
            self.font(bare, end)
        elif bare in COMMANDS or word in COMMANDS:
            mark = COMMANDS.get(word) or COMMANDS[bare]
            self.put("d" if mark == "∂" else "mark", mark, end)
        elif bare in ("Sigma", "Pi") and self.text[end : self.end].lstrip().startswith("_"):
            self.put("command", "sum" if bare == "Sigma" else "prod", end)
        elif bare in GREEK or bare in ("varepsilon", "vartheta", "varphi", "varrho", "varsigma", "ell"):
            self.put("name", bare.removeprefix("var") if bare.startswith("var") else bare, end)
        elif bare in ("sum", "prod", "over"):
            self.put("command", bare, end)
        elif bare in FUNCTIONS or bare in ("Pr", "arg"):
            if bare == "arg" and (found := re.compile(r"\s*\\(max|min)").match(self.text, end, self.end)):
                bare, end = "arg" + found.group(1), found.end()
            self.put("name", bare, end)
        elif bare in ("mathbbm", "mathbold", "color", "textcolor", "hspace", "vspace", "tag", "label", "phantom"):
            _, _, after = self.argument(end)
            if bare == "mathbbm":
                self.put("name", "1", after)
            else:
                self.at, self.spaced = after, True
        elif bare in ("underbrace", "overbrace", "boxed", "cancel", "fbox", "substack", "mathstrut"):
            self.at = end
        elif bare in ("llbracket", "rrbracket"):
            self.put("mark", "[" if bare == "llbracket" else "]", end)
        elif bare in UNREADABLE:
            self.fail(f"\\{bare} is {UNREADABLE[bare]}, which can't be read here")
        else:
            self.fail(f"the command \\{word} can't be read")

    def environment(self, word: str, end: int) -> None:
        r"""Read \begin{...} or \end{...}: those of arrays and cases count, those of alignment don't."""
        first, last, after = self.argument(end)
        name = self.text[first:last].rstrip("*")
        if name not in BLOCKS:
            self.at, self.spaced = after, True
            return
        self.blocks += 1 if word == "begin" else -1
        if name == "array" and word == "begin":
            _, _, after = self.argument(after)
        self.put("command", word, after, typed=name)

    def font(self, word: str, end: int) -> None:
        """Read a name in a font, or words in the middle of a formula."""
        first, last, after = self.argument(end)
        content = self.text[first:last].strip()
        prose = word.startswith(("text", "operatorname", "mathrm", "mathsf", "mathtt", "mbox", "hbox"))
        if word in ("mathbb", "mathds") and content not in ("1", "I"):
            what = {"E": "an expectation", "R": "a set of numbers", "P": "a probability", "V": "a variance"}
            self.fail(f"\\{word}{{{content}}} is {what.get(content, 'a sign of its own')}, which can't be read here")
        if content in ("0", "1"):
            kind = "name" if content == "1" and word != "mathrm" else "number"
            self.put(kind, "ones" if word in ("mathbf", "boldsymbol", "bm") and content == "1" else content, after)
        elif content == "d" and prose:
            self.put("d", "d", after)
        elif word in ("mathbb", "mathds"):
            self.put("name", "1", after)
        elif content.startswith("\\") and content[1:] in GREEK:
            self.put("name", content[1:], after)
        elif content in LETTERS or (len(content) == 1 and content.isalpha()):
            self.put("name", LETTERS.get(content, content), after)
        elif prose and (word != "mathrm" or content in WORDS or content in SUFFIXES) and TEXT_WORD.match(content):
            name = content.replace("\\_", "_").replace("-", "_")
            if name in ("if", "otherwise", "when", "else", "and", "or", "for", "where", "as", "with", "is"):
                self.put("words", name, after)
            else:
                self.put("name", name, after)
        elif prose and word != "mathrm" and not re.search(r"[=^_\\(]|^[A-Za-z0-9]$", content):
            self.put("words", content, after)
        else:
            self.at = end  # the font of a larger part, which is read as if it had none

    def accented(self, word: str, end: int) -> None:
        """Read a name under an accent."""
        first, last, after = self.argument(end)
        found = ACCENTED.match(self.text, first, last)
        if not found:
            self.fail(f"expected one name under \\{word}")
        plain = next(part for part in found.groups() if part)
        base = LETTERS.get(plain, plain) + "_" + ACCENTS[word]
        if found.end() == last:
            self.put("name", base, after)
        else:  # \hat{y_i}: the indices are read as those of the name
            if after > last:
                self.put("mark", "{", first)
            self.put("name", base, found.end(), typed=f"\\{word}{{{found.group().strip()}}}")


def _grouped(tokens: list[Token], text: str) -> list[Token]:
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
