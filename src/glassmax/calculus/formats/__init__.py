"""The formats of a whole derivation, one module for each.

::

    text        for a terminal, with the verdict of each line
    latex       the result, or all lines aligned
    markdown    all lines, with formulas in LaTeX
    html        all lines, with formulas in MathML, as a page or for a notebook; and the result alone in MathML
    numpy       the source of a function, which can be called
    json        plain data
    left_side   the left side of a line, read into its parts

A single formula is the work of `glassmax.calculus.printing`.
"""

from .html import as_fragment, as_html, as_mathml, derivation_body
from .json import as_json
from .latex import as_latex
from .markdown import as_markdown
from .numpy import NumpyCode, as_numpy
from .text import as_text

__all__ = [
    "NumpyCode",
    "as_fragment",
    "as_html",
    "as_json",
    "as_latex",
    "as_markdown",
    "as_mathml",
    "as_numpy",
    "as_text",
    "derivation_body",
]
