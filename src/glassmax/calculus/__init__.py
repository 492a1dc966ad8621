"""The calculus: derive a gradient from the loss, step by step, in index and in matrix notation.

::

    reading/                parse the equations that people type
    expression, cells       the parts of equations in index notation
    differentiate, chain    the rules of differentiation; the chain rule, which records every line
    simplifying/            bring every line to its short form
    matrix/                 from indices to matrices, by rule
    printing/               a formula as text, LaTeX, MathML, NumPy code
    steps, result           the lines, and the result as data
    proving/                evaluate every line on random numbers and compare it with the complex step
    formats/                a whole derivation as text, LaTeX, Markdown, HTML, JSON, a NumPy function
    derivation, deriving    the class `Derivation`, and the function `derive` that makes one
    networks, functional    the equations of a dense network, and of each derivative in `glassmax.functional`
    ranges, softmaxes       which indices run over the same range; a softmax that is written out
    limits, greek           bounds on the work; Greek letters

Nothing is approximated: what is printed is exact, and it is checked on random numbers before it is printed.
"""

from .derivation import Derivation
from .deriving import derive
from .limits import DeriveError
from .proving import AssumptionError

__all__ = ["AssumptionError", "Derivation", "DeriveError", "derive"]


def __dir__() -> list[str]:
    return __all__
