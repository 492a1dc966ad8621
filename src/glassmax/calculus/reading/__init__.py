"""What people type, to equations: index notation and matrix notation, Unicode and LaTeX.

::

    tokens             text to tokens, whatever the spelling
    parse              index notation by recursive descent
    parse_indices      the indices in it
    parse_matrix       matrix notation likewise
    matrix_to_index    matrices to letters: shapes inferred, intermediate results named
    resolve            sums, names, softmaxes and the order of equations

Whatever can't be read is refused with a caret under the place, in bounded time.
"""

from .parse import parse, parse_equation_pair, parse_expression, parse_index_reference
from .parse_matrix import parse_matrix

__all__ = ["parse", "parse_equation_pair", "parse_expression", "parse_index_reference", "parse_matrix"]
