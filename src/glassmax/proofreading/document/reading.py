"""A document to its statements."""

import re

from .assembling import assembled
from .macros import macros_of
from .numpy_names import without_text
from .passages import passages
from .statement import Statement

__all__ = ["statements_of"]

COMMENT = re.compile(r"(?<!\\)%[^\n]*")
BEGIN, END = r"\begin{document}", r"\end{document}"
WRITTEN_FOR = re.compile(r"(\b(?:[Ww]rit(?:e|ing)|[Uu]s(?:e|ing))\s+\$\\?\w+)(\$\s+for\s+\$)(?=[^$]+\$)")
"""An abbreviation, "write $S$ for $sum_k e^{a_k}$": an equation."""
NO_BREAK = re.compile(r"[^\n]")


def statements_of(text: str, kind: str = "markdown") -> list[Statement]:
    r"""Return the statements of a derivation in the order of the document.

    Parameters
    ----------
    text : str
        The document.
    kind : str
        "markdown", "tex" or "text".

    Returns
    -------
    list of Statement
        One for each equation, each further step of an equation, and each line of code.

    Examples
    --------
    >>> for statement in statements_of("Let $L = -\\log p$. Then\n$$ \\frac{dL}{dp} = -\\frac{1}{p} $$"):
    ...     print(statement.line, statement.sides, statement.cue or None)
    1 ('L', '-\\log p') define
    2 ('\\frac{dL}{dp}', '-\\frac{1}{p}') None
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    macros, page = macros_of(text)
    if kind == "tex":
        page = _body(COMMENT.sub(_blank, page))
    elif kind == "markdown":
        page = _without_comments(page)
    page = WRITTEN_FOR.sub(lambda match: f"{match[1]}{'=':^{len(match[2])}}", page)
    return assembled(passages(without_text(page), kind), text, macros.expanded)


def _body(text: str) -> str:
    """Return a LaTeX document with blanks for what stands before its beginning and after its end."""
    begin = text.find(BEGIN) + len(BEGIN) if BEGIN in text else 0
    end = text.find(END) if END in text else len(text)
    return NO_BREAK.sub(" ", text[:begin]) + text[begin:end] + NO_BREAK.sub(" ", text[end:])


def _without_comments(text: str) -> str:
    """Return a Markdown document with blanks for the comments of HTML."""
    parts: list[str] = []
    place = 0
    while (begin := text.find("<!--", place)) >= 0 and (end := text.find("-->", begin)) >= 0:
        parts += [text[place:begin], NO_BREAK.sub(" ", text[begin : end + 3])]
        place = end + 3
    return "".join(parts) + text[place:]


def _blank(match: re.Match[str]) -> str:
    return NO_BREAK.sub(" ", match[0])
