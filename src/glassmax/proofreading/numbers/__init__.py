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
    definition_order            a function is defined before what calls it
    context, contexts           one reading of a document, and all of them
    uses, ranks, shapes         how each name is used, how many axes it has, which axes have the same size
    vocabulary                  letters that people use in one way: for weights, numbers, losses
    draw                        sizes and random numbers
    scene, evaluate, letters    the value of a tree; index letters and conditions
    calls, functions            known functions, those of the document, open ones
    derivative                  measured by a complex step on the definitions
    derivative_names            names that are derivatives by their spelling: dW2, dL_by_dS, delta
    program                     lines of a NumPy program, read from Python's syntax tree
    compare                     whether two values agree
    entries, ours               the derivation of a line by `glassmax.derive`

What authors leave unsaid, a module for each habit::

    chained_functions           a function that a chain defines on its way: a = σ(z) = 1/(1 + e^{-z})
    dependence, renamed         names that depend on others, or stand for them, though nothing defines them
    implied                     a new name at the end of a chain, a name for a part of a formula
    layers_by_letter            letters that name layers: a_j = sum_i w_ji z_i, and the same for k from j
    logistic                    the logistic function, by how it is used
    names_of_code               lam for λ, lr for η, batch_size for N
    one_example                 a cost of all examples, differentiated for one
    samples_in_columns          a^{(i)} as a column of A
    silent_samples              sums over samples whose index nobody writes
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
