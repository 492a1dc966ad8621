"""Matrix notation: its nodes, and the conversion of index notation to it.

::

    nodes          the parts of a formula in matrices: Leaf, Product, Hadamard, Transpose, ...
    form           convert an expression in index notation to matrices
    contraction    which index makes a matrix product, a Hadamard product, a sum, an outer product
    orientation    put transposes, ones and numbers where people expect them
"""

from .form import matrix_form, one_hot_name, shortest_matrix_form
from .nodes import Apply, Diag, Eye, Hadamard, Leaf, Matrix, Ones, Plus, Power, Product, Quotient, Scaled, Transpose
from .orientation import NoMatrixFormError

__all__ = ["NoMatrixFormError", "matrix_form", "one_hot_name", "shortest_matrix_form"]
__all__ += ["Apply", "Diag", "Eye", "Hadamard", "Leaf", "Matrix", "Ones", "Plus", "Power", "Product", "Quotient"]
__all__ += ["Scaled", "Transpose"]
