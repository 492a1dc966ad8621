"""A document to its statements."""

import re

from ...errors import ExpressionError, one_of
from .assembling import assembled
from .macros import macros_of
from .passages import passages
from .statement import Statement

__all__ = ["LONGEST_DOCUMENT", "statements_of"]

LONGEST_DOCUMENT = 200_000
"""Characters of the longest document."""

KINDS = ("markdown", "tex", "text")
COMMENT = re.compile(r"(?<!\\)%[^\n]*")
PREAMBLE = re.compile(r".*?\\begin\{document\}", re.DOTALL)
HTML_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def statements_of(text: str, kind: str = "markdown") -> list[Statement]:
    r"""Return the statements of a derivation in the order of the document.

    Parameters
    ----------
    text : str
        The document, at most 200,000 characters.
    kind : str
        "markdown", "tex" or "text".

    Returns
    -------
    list of Statement
        One for each equation, each further step of an equation, and each line of code.

    Raises
    ------
    ExpressionError
        If the document is too long.
    OptionError
        If `kind` is none of the three.

    Examples
    --------
    >>> for statement in statements_of("Let $L = -\\log p$. Then\n$$ \\frac{dL}{dp} = -\\frac{1}{p} $$"):
    ...     print(statement.line, statement.sides, statement.cue)
    1 ('L', '-\\log p') define
    2 ('\\frac{dL}{dp}', '-\\frac{1}{p}')
    """
    if kind not in KINDS:
        raise one_of("kind", kind, KINDS)
    if len(text) > LONGEST_DOCUMENT:
        raise ExpressionError(f"the document is too long: at most {LONGEST_DOCUMENT:,} characters, got {len(text):,}", text, 0)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    macros, page = macros_of(text)
    if kind == "tex":
        page = PREAMBLE.sub(_blank, page, count=1)
        page = COMMENT.sub(_blank, page)
        page = re.sub(r"\\end\{document\}.*", _blank, page, flags=re.DOTALL)
    elif kind == "markdown":
        page = HTML_COMMENT.sub(_blank, page)
    return assembled(passages(page, kind), text, macros.expanded)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])
