r"""LaTeX commands of a formula as tokens: fractions, fonts, accents, environments, signs."""

import re
from typing import NoReturn

from ...calculus.greek import GREEK
from ...errors import ExpressionError
from .signs import ACCENTS, COMMANDS, FONTS, FUNCTIONS, LETTERS, PROSE_WORDS, SUFFIXES, UNREADABLE, WORDS
from .tokens import Token

__all__ = ["ARGUMENT", "COMMAND", "SPACES", "Commands"]

COMMAND = re.compile(r"\\([A-Za-z]+\*?|[{}|])")
SPACES = re.compile(r"\s*")
TEXT_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_\\.-]*$")
ACCENTED = re.compile(
    r"\s*(?:\\(?:mathbf|boldsymbol|bm|mathrm|text|vec|mathcal)\s*\{?\s*)?(?:\\("
    + "|".join(GREEK)
    + r"|ell)|([A-Za-z"
    + "".join(LETTERS)
    + r"]))\s*\}?\s*"
)
SUMMED = re.compile(r"\s*_\s*(?:[a-z]|\{\s*(?:[a-z]\s*\}|[^{}]*(?:=|\\ne))).*[\w(\\]", re.DOTALL)
BLOCKS = ("cases", "matrix", "bmatrix", "pmatrix", "vmatrix", "Bmatrix", "smallmatrix", "array", "dcases", "rcases")
ARGUMENT = {"frac": 2, "dfrac": 2, "tfrac": 2, "cfrac": 2, "sqrt": 1}


class Commands:
    """A text that is read from left to right into tokens, and its LaTeX commands."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.at, self.end = text, start, end
        self.tokens: list[Token] = []
        self.spaced = False
        self.blocks = 0  # how many arrays or cases are open here

    def fail(self, message: str, place: int | None = None) -> NoReturn:
        """Raise an error at a place, by default this one."""
        raise ExpressionError(message, self.text, self.at if place is None else place)

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Match a pattern at this place."""
        return pattern.match(self.text, self.at, self.end)

    def put(self, kind: str, text: str, end: int, start: int | None = None, typed: str = "") -> None:
        """Append a token that ends at `end`, and go there."""
        first = self.at if start is None else start
        self.tokens.append(Token(kind, text, first, end, self.spaced, typed or self.text[self.at : end].strip()))
        self.at, self.spaced = end, False

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
        raise ExpressionError(f"'{opening}' is never closed", self.text, at)

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
        elif bare in ("Sigma", "Pi") and SUMMED.match(self.text, end, self.end):
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
            if name in PROSE_WORDS:
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
