r"""The words between the formulas of a derivation, for a page that shows them in their places.

Only lines of words are taken: a line with LaTeX beyond a pair of dollars, a line of a program and a formula are left
out, since the page shows formulas as they were read.
"""

import re
from typing import NamedTuple

__all__ = ["Paragraph", "prose"]

DISPLAYED = re.compile(r"\$\$.*?(?:\$\$|$)|\\\[.*?(?:\\\]|$)", re.DOTALL)
ENVIRONMENT = re.compile(r"\\begin\{(?!document)(\w+\*?)\}.*?(?:\\end\{\1\}|$)", re.DOTALL)
FENCED = re.compile(r"^(`{3,}|~{3,}).*?(?:^\1|$(?![\s\S]))", re.DOTALL | re.MULTILINE)
SECTION = re.compile(r"\\(?:title|(?:sub)*section|paragraph)\*?\{([^{}]*)\}")
INLINE = re.compile(r"\$([^$]*)\$|\\\((.*?)\\\)")
MATHEMATICS = re.compile(r"[\\{}=&^]|<\w")
LONGEST_LINE = 2000


class Paragraph(NamedTuple):
    """Words between formulas: the line where they begin, and whether they are a heading."""

    number: int
    words: str
    is_heading: bool


def prose(source: str) -> list[Paragraph]:
    r"""Return the paragraphs and headings of a text, without its formulas and programs.

    Examples
    --------
    >>> [tuple(found) for found in prose("# Softmax\n\nThe loss $L$\nis\n$$ L = x^2 $$\n")]
    [(1, 'Softmax', True), (3, 'The loss L is', False)]
    """
    start = source.find("\\begin{document}") + 1
    hidden = source if not start else _blank(source[: start + 15]) + source[start + 15 :]
    for pattern in (FENCED, DISPLAYED, ENVIRONMENT):
        hidden = pattern.sub(lambda found: _blank(found[0]), hidden)
    found: list[Paragraph] = []
    joined = False
    for number, line in enumerate(hidden.split("\n"), start=1):
        words, is_heading = _words(line)
        if words and joined and not is_heading:
            found[-1] = found[-1]._replace(words=f"{found[-1].words} {words}")
        elif words:
            found.append(Paragraph(number, words, is_heading))
        joined = bool(words) and not is_heading
    return found


def _blank(text: str) -> str:
    """Return as many line breaks as a text has."""
    return "\n" * text.count("\n")


def _words(line: str) -> tuple[str, bool]:
    """Return the words of a line, and whether they are a heading; no words if it is mathematics."""
    if len(line) > LONGEST_LINE:
        return "", False
    section = SECTION.search(line)
    heading = re.match(r" {0,3}#{1,6} +(.*?) *#*$", line)
    words = section[1] if section else heading[1] if heading else line
    words = INLINE.sub(lambda found: found[1] or found[2] or "", words)
    words = re.sub(r"\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)", "", words).strip()
    if MATHEMATICS.search(words) or not re.search(r"[^\W\d_]{2}", words):
        return "", False
    return words, bool(section or heading)
