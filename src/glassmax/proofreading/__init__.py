"""The doctor for paper: a written derivation, checked line by line.

::

    check             `check_derivation`: text in, `Checked` out
    document/         the text of a file to statements: which parts are mathematics, rows, words, conditions
    formula/          one formula as its author wrote it, to a tree, and back to the author's notation
    numbers/          definitions, sizes, conventions; the value of a tree, and of a derivative, on random numbers
    judging/          each statement against the truth and against the statement before it
    mistakes/         the mistakes of paper, each tried on the tree of the wrong line
    telling/          the checked derivation in a terminal, as Markdown, a web page, JSON
    checked           one line with its verdict
    derivation_file   the text of a file, and the kind of text that it is

This package refuses to guess: what can't be read is shown as not read, and a line is called wrong only on numbers.
"""

from .check import check_derivation
from .checked import CheckedLine
from .telling import Checked

__all__ = ["Checked", "CheckedLine", "check_derivation"]


def __dir__() -> list[str]:
    return __all__
