"""The proof: every line on random numbers, against the line before it and against the complex step.

::

    sampling           random numbers that fit the equations and satisfy the assumptions
    evaluate           index notation on numbers
    evaluate_matrix    matrix notation on numbers
    proof              the differences, line by line

None of the rules that made a line is used here.
"""

from .evaluate import Values, evaluate, evaluate_program
from .proof import prove
from .sampling import AssumptionError

__all__ = ["AssumptionError", "Values", "evaluate", "evaluate_program", "prove"]
