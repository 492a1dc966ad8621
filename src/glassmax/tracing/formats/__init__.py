"""A trace in each format: text, Markdown, LaTeX, and plain data from which JSON and pages are made.

::

    numbers     arrays as rows of text: corners of large ones, statistics, what is not shown
    text        for a terminal
    markdown    with formulas in LaTeX
    latex       for a document
    html        the page that one walks through, and the ledger for a notebook; page/ has its scripts and styles
    plain       dictionaries, lists, text and numbers
"""

from .html import as_fragment, as_html
from .latex import as_latex
from .markdown import as_markdown
from .plain import as_json, plain_trace
from .text import as_text

__all__ = ["as_fragment", "as_html", "as_json", "as_latex", "as_markdown", "as_text", "plain_trace"]
