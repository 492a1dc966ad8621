"""The proof: evaluate every line on random numbers; compare it with the line before it and with the complex step.

::

    sampling           random numbers that fit the equations and satisfy the assumptions
    evaluate           index notation on numbers
    evaluate_matrix    matrix notation on numbers
    proof              the differences, line by line

The proof does not use the rules that led to a line.
"""

from .evaluate import Values, evaluate, evaluate_program
from .proof import prove
from .sampling import AssumptionError

__all__ = ["AssumptionError", "Values", "evaluate", "evaluate_program", "prove"]
