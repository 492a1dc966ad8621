"""Parse the equations that people type: index notation and matrix notation, Unicode and LaTeX.

::

    tokens             text to tokens, in any of the spellings
    parse              index notation, by recursive descent
    parse_indices      the indices in index notation
    fixed_indices      an index that stands for one class: y in p_y
    parse_matrix       matrix notation, by recursive descent
    matrix_to_index    matrices to index notation: infer shapes, name intermediate results
    resolve            sums, names, softmaxes and the order of equations

For text that can't be read, the error has a caret under the place. The time for parsing is bounded.
"""

from .parse import parse, parse_equation_pair, parse_expression, parse_index_reference
from .parse_matrix import parse_matrix

__all__ = ["parse", "parse_equation_pair", "parse_expression", "parse_index_reference", "parse_matrix"]
