"""What the names of a derivation stand for, and the value of any tree and any derivative on random numbers.

::

    equations = [Equation(sides=(left, right), condition=..., cue="define"), ...]      # of the whole document
    for context in contexts(equations):                 # up to six readings, the likeliest first
        context.is_given(equation)                      # it defines something: it is used, not judged
        context.compare(left, right, condition)         # "same", "component", "implied", "transposed" or ""
        context.compare(left, right, adjusted=[("sum to one", "y")])     # on draws that satisfy an assumption
        draw = context.draw(0)                          # sizes all different, and random numbers
        letters = context.letters([left, right], draw)  # sizes of the free letters of the statement
        context.value(left, draw, letters)              # a `Value`; a derivative is measured on the definitions

Lines of NumPy code are equations, too: ``program_equations([(58, "dS = O - Y"), ...])``, an Equation or a reason each.
A name such as dW2 or delta stands for the derivative that it names in some of the readings, as in ``dW2 = X.T @ dZ``.

`compare` and `value` raise a `Fault`, a sentence: `ShapeFault` (shapes don't fit), `CountFault` (a letter too many, a
sum without a range), `UnknownFault` (no numbers can be found: the line is not read).

    value, names, definitions   numbers with named axes; keys of names; which equations define them
    ranks, shapes               the readings: how many axes each name has, which axes have the same size
    draw                        sizes and random numbers
    scene, evaluate, letters    the value of a tree; index letters and conditions
    calls, functions            known functions, those of the document, open ones
    derivative                  measured by a complex step on the definitions
    derivative_names            names that are derivatives by their spelling: dW2, dL_by_dS, delta
    program                     lines of a NumPy program, read from Python's syntax tree
    compare                     whether two values agree
"""

from .compare import agrees, compare
from .context import Context
from .contexts import contexts
from .definitions import Equation
from .draw import Draw
from .program import program_equations
from .value import CountFault, Fault, ShapeFault, UnknownFault, Value

__all__ = ["Context", "CountFault", "Draw", "Equation", "Fault", "ShapeFault", "UnknownFault", "Value"]
__all__ += ["agrees", "compare", "contexts", "program_equations"]
