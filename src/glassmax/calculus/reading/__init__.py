"""Parse the equations that people type: index notation and matrix notation, Unicode and LaTeX.

::

    signs              LaTeX commands, Unicode signs and marks, and what they become
    tokens             text to tokens, in any of the spellings
    superscripts       what stands above a name: powers, layers, samples
    transposes         transposes in index notation, refused with the sum that they stand for
    cursor             a place in the list of tokens
    parse              index notation, by recursive descent
    parse_indices      the indices in index notation, and indicators of two of them
    parse_sums         what stands at a sum sign: indices, bounds, conditions
    ambiguous          names that are read in two ways by different people, refused
    left_sides         L(w) = ..., sigma^2 = ...
    functions          the functions: known ones, written out ones, refused ones
    fixed_indices      an index that stands for one class: y in p_y
    matrix_names       names in matrix notation: arrays, products of two, left sides
    parse_matrix       matrix notation, by recursive descent, to a `matrix_tree`
    numpy_functions    NumPy's functions and methods in matrix notation
    guessed_axes       what the name of an array says of its axes, and where that is not enough
    matrix_axes        the axes of every part of a tree
    matrix_to_index    a tree with axes to index notation; it names intermediate results
    carried_ones       vectors of ones, kept only where nothing else shows their length
    shifts             the maximum subtracted before an exponential, left out where it cancels
    resolve            sums, names, softmaxes and the order of equations

For text that can't be read, the error has a caret under the place. The time for parsing is bounded.
"""

from .parse import parse, parse_equation_pair, parse_expression, parse_index_reference
from .parse_matrix import parse_matrix

__all__ = ["parse", "parse_equation_pair", "parse_expression", "parse_index_reference", "parse_matrix"]
