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

from collections.abc import Callable
from typing import Any, get_args

from ..expression import Definition, Expr, Program
from ..indices import for_reading
from ..matrix import Matrix
from .latex import latex, matrix_latex
from .mathml import mathml, matrix_mathml
from .numpy_index import numpy_expression
from .numpy_matrix import matrix_numpy
from .numpy_pieces import function_name, needed_helpers, python_name
from .text_index import bracketed, equality, equation_left, sum_sign, text
from .text_matrix import matrix_text

__all__ = ["bracketed", "equality", "equation_left", "function_name", "latex", "mathml", "matrix_latex"]
__all__ += ["matrix_mathml", "matrix_numpy", "matrix_text", "needed_helpers", "numpy_expression", "python_name"]
__all__ += ["sum_sign", "text"]


# At the prompt a formula is written out. What a formula is made of knows nothing of printing, so it is set from here.
def _shown(nodes: tuple[Any, ...], written: Callable[[Any], str]) -> None:
    for node in nodes:
        node.__repr__ = written


_shown(get_args(Expr), lambda e: text(for_reading(e)))
_shown(get_args(Matrix), matrix_text)
_shown((Definition,), lambda d: f"{equation_left(d)} = {text(for_reading(d.value))}")
_shown((Program,), lambda program: "\n".join(map(repr, program.definitions)))
