"""A document to statements: which parts are mathematics, which rows they have, which words belong to them.

::

    reading         `statements_of`: the text of a file in, `Statement`s out
    passages        formulas, words, code and headings of a Markdown, LaTeX or text file
    rows            a displayed formula to its rows
    decorations     colors, boxes, tags and underbraces go
    macros          commands that the document defines
    plain_lines     lines of plain text
    program_lines   blocks of code
    program_text    whether a line is code
    numpy_names     NumPy's names that a formula sets as text
    assembling      pieces to statements: cues, cases, what continues what
    cases           the case that a statement is limited to
    segments        one formula to equations, conditions, labels and words
    sides           one equation to its sides
    plain_text      words and formulas that share a line
    words           what the words around a formula say of it
    brackets        the signs outside all brackets
    pieces, statement   the records

Characters that don't belong to a formula are blanked out and never removed, so every part knows its line in the file.
"""

from .reading import statements_of
from .statement import Statement

__all__ = ["Statement", "statements_of"]
