r"""A Markdown, LaTeX or text file to pieces: which stretches are formulas, words, code, headings.

The formulas stand in ``$...$``, ``$$...$$``, ``\(...\)``, ``\[...\]``, fences of math, the environments of LaTeX,
script elements of MathJax, or, in plain text, between the words.
"""

import re
from collections.abc import Callable, Iterator

from .decorations import ROWS, undecorated
from .pieces import Piece
from .plain_lines import has_formula, plain_lines
from .plain_text import variables
from .program_lines import code_block
from .rows import LONGEST, rows

__all__ = ["passages"]

ENVIRONMENT = rf"\\begin\{{(?P<environment>{'|'.join(ROWS)})\*?\}}"
CODE_ENVIRONMENT = (
    r"\\begin\{(?P<listing>verbatim|lstlisting|minted|Verbatim|pythoncode)\}(?:\[[^\]\n]*\])?(?:\{\w+\})?"
)
STOP = re.compile(r"\s*[.!?](?=\s)")
OPENING = re.compile(
    r"(?P<fence>^[ \t>]*(?P<ticks>`{3,9}|~{3,9})(?![`~])[ \t]*\{?(?P<language>[\w+-]*)[^\n`]*\n)"
    r"|(?P<heading>^[ \t>]*#{1,6}[ \t]|\\(?:sub)*(?:section|paragraph|chapter)\*?\{"
    r"|^[ \t>]*(?:\*\*|__)(?=[^*\n]+(?:\*\*|__)[:.]?[ \t]*$))"
    r"|(?P<blank>\n[ \t>]*\n)"
    r"|(?P<script><script[^>\n]*math/tex[^>\n]*>|<math[^>\n]*>|\[(?:tex|latex|itex)\])"
    rf"|{CODE_ENVIRONMENT}|{ENVIRONMENT}"
    r"|(?P<escaped>\\[$`_*#])|(?P<display>\$\$|\\?\\\[)|(?P<inline>\$`?|\\?\\\()|(?P<ticked>(?<!`)`(?!`))",
    re.MULTILINE,
)
CLOSING = {"$$": "$$", "\\[": "\\]", "\\\\[": "\\\\]", "\\(": "\\)", "\\\\(": "\\\\)", "$`": "`$"}
SCRIPTS = {"<script": "</script>", "<math": "</math>", "[tex]": "[/tex]", "[latex]": "[/latex]", "[itex]": "[/itex]"}
MATH = ("math", "latex", "tex", "katex", "mathjax", "asciimath")


def passages(text: str, kind: str) -> Iterator[Piece]:
    """Yield the pieces of a document in order; `kind` is "markdown", "tex" or "text"."""
    reader = _Reader(text, kind)
    place = 0
    while match := OPENING.search(text, place):
        end, pieces = reader.passage(match)
        if end is None:
            yield from reader.words(place, match.end())
            place = match.end()
            continue
        yield from reader.words(place, match.start())
        yield from pieces
        place = end
    yield from reader.words(place, len(text))


class _Reader:
    """Reads the passages of one document."""

    def __init__(self, text: str, kind: str) -> None:
        self.text = text
        self.kind = kind
        self.names = variables(text)
        self.absent: set[str] = set()

    def find(self, closing: str, start: int) -> int:
        """Return the next place of a closing mark, or -1; a mark that doesn't come any more is looked for once."""
        if closing in self.absent:
            return -1
        place = self.text.find(closing, start)
        if place < 0:
            self.absent.add(closing)
        return place

    def words(self, start: int, end: int) -> Iterator[Piece]:
        """Yield the pieces of a stretch without marks of mathematics."""
        text = self.text[start:end]
        if self.kind == "text":
            yield from plain_lines(text, start, self.names)
            return
        for line in text.splitlines(keepends=True):
            if has_formula(line, self.names) and self.kind == "markdown":
                if STOP.match(line):  # of the sentence with the formula before
                    yield Piece("words", ". ", start)
                yield from plain_lines(line, start, self.names)
            elif line.strip():
                yield Piece("words", line, start)
            start += len(line)

    def passage(self, match: re.Match[str]) -> tuple[int | None, Iterator[Piece]]:
        """Return where a passage that opens with `match` ends, and its pieces; None if it is no passage."""
        kind = next(name for name in match.groupdict() if name not in ("ticks", "language") and match[name] is not None)
        if kind in ("escaped",) or (self.kind == "text" and kind in ("heading", "blank", "ticked")):
            return None, iter(())
        if kind == "heading":
            return match.end(), iter((Piece("heading", "", match.start()),))
        if kind == "blank":
            return match.end() - 1, iter((Piece("block", "", match.start()),))
        read: Callable[[re.Match[str]], tuple[int | None, Iterator[Piece]]] = getattr(self, f"_{kind}")
        return read(match)

    def _fence(self, match: re.Match[str]) -> tuple[int | None, Iterator[Piece]]:
        closing = re.compile(rf"^[ \t>]*{match['ticks']}[ \t]*$", re.MULTILINE).search(self.text, match.end())
        end = closing.start() if closing else len(self.text)
        after = closing.end() if closing else end
        language = match["language"].lower()
        if language in MATH:
            return after, self._displayed(match.end(), end)
        return after, code_block(self.text[match.end() : end], match.end(), language, self.names)

    def _listing(self, match: re.Match[str]) -> tuple[int | None, Iterator[Piece]]:
        end = self.find(rf"\end{{{match['listing']}}}", match.end())
        if end < 0:
            return None, iter(())
        return end + len(match["listing"]) + 6, code_block(self.text[match.end() : end], match.end(), "", self.names)

    def _script(self, match: re.Match[str]) -> tuple[int | None, Iterator[Piece]]:
        closing = next(closing for opening, closing in SCRIPTS.items() if match[0].startswith(opening))
        end = self.find(closing, match.end())
        if end < 0:
            return None, iter(())
        inline = "<script" in match[0] and "display" not in match[0]
        pieces = self._in_line(match.end(), end) if inline else self._displayed(match.end(), end)
        return end + len(closing), pieces

    def _environment(self, match: re.Match[str]) -> tuple[int | None, Iterator[Piece]]:
        name = match[0][len(r"\begin{") : -1]
        closing = rf"\end{{{name}}}"
        end = self.find(closing, match.end())
        if end < 0:
            return None, iter(())
        return end + len(closing), self._displayed(match.start(), end + len(closing))

    def _display(self, match: re.Match[str]) -> tuple[int | None, Iterator[Piece]]:
        closing = CLOSING[match[0]]
        end = self.find(closing, match.end())
        if end < 0:
            return None, iter(())
        return end + len(closing), self._displayed(match.end(), end)

    def _inline(self, match: re.Match[str]) -> tuple[int | None, Iterator[Piece]]:
        closing = CLOSING.get(match[0], "$")
        end = self.find(closing, match.end())
        while closing == "$" and end > 0 and self.text[end - 1] == "\\":
            end = self.find(closing, end + 1)
        content = self.text[match.end() : end] if end >= 0 else ""
        if not content.strip() or re.search(r"\n[ \t>]*\n", content):
            return None, iter(())
        if closing == "$" and (content[0].isspace() != content[-1].isspace() or self.text[end + 1 : end + 2].isdigit()):
            return None, iter(())
        return end + len(closing), self._in_line(match.end(), end)

    def _ticked(self, match: re.Match[str]) -> tuple[int | None, Iterator[Piece]]:
        end = self.find("`", match.end())
        content = self.text[match.end() : end] if end >= 0 else ""
        if not content.strip() or "\n" in content:
            return None, iter(())
        if not re.search(r"(?<![=!<>])=(?!=)|[≠]|!=", content):
            return end + 1, iter(())
        return end + 1, iter((Piece("formula", content, match.end(), latex="\\" in content),))

    def _in_line(self, start: int, end: int) -> Iterator[Piece]:
        if end - start <= LONGEST:
            yield Piece("formula", undecorated(self.text[start:end]), start, latex=True)

    def _displayed(self, start: int, end: int) -> Iterator[Piece]:
        if end - start > LONGEST:
            yield Piece("long", self.text[start : start + 60], start)
            return
        yield Piece("display", "", start)
        yield from rows(self.text[start:end], start)
        yield Piece("shown", "", end)
