r"""Text to tokens: LaTeX, Unicode and what is typed on a keyboard become one small alphabet.

A token is a name, a number, a mark, a script (what stands below or above, as its own text), a word of prose, or a
command with arguments (frac, sqrt, begin). A name keeps how it was spelled. Braces that only group for LaTeX are left
out, since the page doesn't show them; those of an argument stay.
"""

import re
import unicodedata

from ...calculus.greek import GREEK
from .commands import ARGUMENT, COMMAND, SPACES, Commands
from .numpy_calls import AXIS, FUNCTION, KEEPDIMS, PREFIX
from .signs import ABOVE, ACCENTS, BELOW, COMBINING, FILLERS, FONTS, LETTERS, MARKS, SUFFIXES, WITHOUT_BRACKETS, WORDS
from .tokens import Token, grouped

__all__ = ["MAX_LENGTH", "tokenize"]

MAX_LENGTH = 10_000
SPACE = re.compile(r"(?:[\s\u00a0\u2009\u202f\u200b~$&]|\\\\(?:\[[^\]]*\])?|\\[ ,;:!>()\[\]]|\\$)+")
FILLER = re.compile(r"\\(?:left|right)\s*\.|\\(?:" + "|".join(FILLERS) + r")(?![A-Za-z])")
NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+(?![A-Za-z0-9]))?")
WORD = re.compile(r"[A-Za-z]+")
GRADIENT = re.compile(
    r"(?:d[A-Za-z][A-Za-z0-9]*_(?:by_)?d|grad_|delta_(?![a-z]{1,2}(?![A-Za-z0-9])))(?:[A-Za-z][A-Za-z0-9]*)(?:_[0-9]+)?(?![A-Za-z_])"
)
IDENTIFIER = re.compile(r"[A-Za-z]{4,}_(?![ijklmn](?![A-Za-z0-9]))[A-Za-z0-9_]*[A-Za-z0-9](?![A-Za-z0-9_])")
DIFFERENTIAL = re.compile(r"d2?(?=[A-Za-z])")
PLAIN_BELOW = re.compile(r"[0-9]+|[A-Za-z]+[0-9]*")
PLAIN_ABOVE = re.compile(r"[-+−]?(?:[0-9]+(?:\.[0-9]+)?|[A-Za-z]+)|[*'′†ᵀ⊤]")
MARK = re.compile("|".join(re.escape(mark) for mark in sorted(MARKS, key=len, reverse=True)))
UNDER = re.compile(f"[{''.join(BELOW)}]+")
COMPARED = re.compile(r"[=≠<>≤≥]|\\(?:neq?|leq?|geq?|lt|gt)(?![A-Za-z])")
CELL = re.compile(r"\s*(\\\\|&)(?:\[[^\]]*\])?")
LETTERS_BELOW = re.compile(r"[ijklmn]{2,3}(?![A-Za-z0-9_^(])")
SIGNED = re.compile(r"-[0-9A-Za-z]|'+")
BARE_WORDS = ("if", "otherwise", "when", "else", "and", "or", "for")
HATTED = re.compile(r"([A-Za-z])(hat|bar|tilde)(?<!what)(?<!that)(?<!chat)(?<!Chat)(?<!That)")
SECOND = re.compile(r"d([23])(?=[A-Za-zα-ω][^/]{0,20}/\s*d)")
ATTACHED = re.compile(r"(?:\{\s*\})?\{\s*['′]\s*\}|\.T(?![A-Za-z])|\.(?:t|transpose)\(\)")
OVER = re.compile(f"[{''.join(ABOVE)}]+")
FRACTIONS = {"½": (1, 2), "¼": (1, 4), "⅓": (1, 3), "¾": (3, 4), "⅔": (2, 3)}


def tokenize(text: str, start: int, end: int, *, latex: bool, index: bool = False) -> list[Token]:
    """Split the part of a text from `start` to `end` into tokens; the last is the end.

    With `latex` an unbraced script is one sign long. With `index` the text stands below a name: words are letters.
    """
    return _Scanner(text, start, end, latex, index).scan()


class _Scanner(Commands):
    def __init__(self, text: str, start: int, end: int, latex: bool, index: bool) -> None:
        super().__init__(text, start, end)
        self.latex, self.index = latex, index
        self.ends: set[int] = set()  # places of the braces that close a condition, 1{i = j}

    def scan(self) -> list[Token]:
        while self.at < self.end:
            self.step()
        self.put("end", "", self.end)
        return grouped(self.tokens, self.text)

    def step(self) -> None:
        character = self.text[self.at]
        if self.blocks and (found := self.match(CELL)):
            self.put("mark", found.group(1)[0], found.end())
        elif found := self.match(SPACE):
            self.at, self.spaced = found.end(), True
        elif self.of_numpy():
            pass
        elif found := self.match(FILLER):
            self.at = found.end()
        elif attached := self.match(ATTACHED):
            if attached.group().startswith("."):
                self.put("above", ".T", attached.end(), typed="^")
            else:
                self.put("mark", "'", attached.end())
        elif self.text.startswith("**", self.at):
            self.starred()
        elif character in "_^" or self.text.startswith("\\_", self.at):
            self.at += character == "\\"  # \_ is an underscore of Markdown
            self.script("_" if character == "\\" else character)
        elif self.text.startswith("\\*", self.at):
            self.put("mark", "*", self.at + 2, typed="*")
        elif character == "{" and self.tokens and self.tokens[-1].text in ("1", "I") and self.compares(self.at):
            self.ends.add(self.closing(self.at))
            self.put("mark", "\\{", self.at + 1)
        elif self.at in self.ends:
            self.put("mark", "\\}", self.at + 1)
        elif found := self.match(COMMAND):
            self.command(found.group(1), found.end())
        else:
            self.sign(character)

    def of_numpy(self) -> bool:
        """Read the name of a function of NumPy, or a keyword among its arguments; return whether one stands here."""
        if found := self.match(FUNCTION):
            name = {"maximum": "max", "minimum": "min"}.get(found.group(1), found.group(1))
            self.put("name", name, found.end(), typed=PREFIX + found.group(1))
        elif found := self.match(KEEPDIMS):
            self.at, self.spaced = found.end(), True
        elif found := self.match(AXIS):
            self.put("mark", ",", found.end())
        return found is not None

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
        r"""Return whether a digit here is an argument of its own: both of \frac12, 2 in \frac n2."""
        last = [(token.kind, token.text) for token in self.tokens[-2:]]
        fraction = ("command", "frac")
        return last[-1:] == [fraction] or (last[:1] == [fraction] and last[1][0] in ("number", "name"))

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
            for letter in [word] if word != "kl" and (word in SUFFIXES or word in GREEK) else word:
                self.put("name", letter, self.at + len(letter))
            return
        if not self.latex and (
            found := self.match(GRADIENT) or (word not in WORDS and word[1:] not in WORDS and self.match(IDENTIFIER))
        ):
            self.put("name", found.group(), found.end())
            return
        differential = DIFFERENTIAL.match(word)
        rest = word[1:]
        if word in BARE_WORDS:
            self.put("words", word, end)
        elif accented := HATTED.fullmatch(word):
            self.put("name", f"{accented[1]}_{accented[2]}", end)
        elif word == "Tr":
            self.put("name", "tr", end, typed="tr")
        elif word in WORDS or (word in ("sum", "prod")):
            self.named(word, end)
        elif word == "d" or (differential and (len(rest) == 1 or rest in WORDS or rest == "softmax")):
            self.put("d", "d", self.at + 1)
            if accented := HATTED.fullmatch(rest):
                self.put("name", f"{accented[1]}_{accented[2]}", end)
            elif rest:
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

    def starred(self) -> None:
        """Read a power of Python, x**2."""
        start = self.at
        self.at += 2
        if found := SPACES.match(self.text, self.at, self.end):
            self.at = found.end()
        if self.at >= self.end:
            self.fail("expected something after '**'", start)
        first, last, after = self.content("above")
        if self.text[first] == "(":
            first, last = first + 1, last - 1
        self.at = start
        self.put("above", self.text[first:last], after, start=first, typed="^")

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
            if (
                found
                and end - self.at > 1
                and found.group().isalpha()
                and not (found.group() in SUFFIXES or found.group().isupper())
            ):
                if kind == "above" and found.group()[0] == "T":
                    end = self.at + 1
                elif end < self.end and self.text[end] in "_^" and self.text[end - 1] not in "ijklmn":
                    end -= 1
        return self.at, end, end
