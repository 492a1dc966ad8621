"""The checked derivation for its reader.

::

    checked_derivation   `Checked`: every line with its verdict, in all formats
    wording              the verdict of a line, and the count, in words
    text                 for a terminal
    markdown             as Markdown
    html                 as a page and for a notebook, formulas typeset
    mathml               a formula as its author wrote it, in MathML
    ours                 the derivation of a line by glassmax, for the page
    prose                the words between the formulas, for the page
    plain_data           for JSON
"""

from .checked_derivation import Checked

__all__ = ["Checked"]
