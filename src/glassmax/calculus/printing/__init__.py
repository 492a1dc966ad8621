"""Expressions as people read them: text, LaTeX, MathML and NumPy code, in index and in matrix notation.

::

    parts                          a product read as sign, number, above and below the line
    text_index, text_matrix        text
    layout_index, layout_matrix    boxes on the page: rows, fractions, scripts, brackets
    latex, mathml                  the boxes written as LaTeX and as MathML
    numpy_index, numpy_matrix      NumPy code, put together from numpy_pieces

Modules whose names end in _index or _matrix are for that notation. Nothing is simplified here: a formula is printed as
it is given. `glassmax.calculus.formats` writes a whole derivation.
"""

from .latex import latex, matrix_latex
from .mathml import mathml, matrix_mathml
from .numpy_index import numpy_expression
from .numpy_matrix import matrix_numpy
from .numpy_pieces import function_name, needed_helpers, python_name
from .text_index import bracketed, equation_left, text
from .text_matrix import matrix_text

__all__ = [
    "bracketed",
    "equation_left",
    "function_name",
    "latex",
    "mathml",
    "matrix_latex",
    "matrix_mathml",
    "matrix_numpy",
    "matrix_text",
    "needed_helpers",
    "numpy_expression",
    "python_name",
    "text",
]
