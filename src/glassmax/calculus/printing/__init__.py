"""Expressions as people read them: text, LaTeX, MathML and NumPy code, in index and in matrix notation.

::

    parts              a product read as sign, number, above and below the line
    index_text         index notation as text
    matrix_text        matrix notation as text
    layout, layout_matrix    both as boxes, for the two below
    latex, mathml      boxes written out
    numpy_code         code from index notation, by einsum and broadcasting
    numpy_matrix, numpy_pieces    code from matrix notation

They print what they are given: nothing is simplified here.
"""

from .index_text import bracketed, equation_left, text
from .latex import latex, matrix_latex
from .mathml import mathml, matrix_mathml
from .matrix_text import matrix_text
from .numpy_code import numpy_expression
from .numpy_matrix import matrix_numpy
from .numpy_pieces import function_name, needed_helpers, python_name

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
