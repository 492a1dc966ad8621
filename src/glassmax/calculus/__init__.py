"""The calculus: derive a gradient from the loss, step by step, in index and in matrix notation.

::

    reading/                what people type, to equations
    expression, cells       what equations are made of: index notation
    differentiate, chain    the rules of differentiation; the chain rule, every line noted
    simplifying/            every line to its short form
    matrix/                 from indices to matrices, by rule
    printing/               a formula as text, LaTeX, MathML, NumPy code
    steps, result           the lines, and the result as data
    proving/                every line on random numbers, against the complex step
    formats/                a whole derivation as text, LaTeX, Markdown, HTML, JSON, a NumPy function
    derivation, deriving    what people hold, and how it comes about
    networks, functional    the equations of a dense network, and of each derivative in `glassmax.functional`
    ranges, limits, greek   what runs over what; bounds, so that no input hangs; letters

Nothing is approximated: what is printed is exact, and proved on numbers before it is printed.
"""

from .derivation import Derivation
from .deriving import derive
from .limits import DeriveError
from .proving import AssumptionError

__all__ = ["AssumptionError", "Derivation", "DeriveError", "derive"]


def __dir__() -> list[str]:
    return __all__
