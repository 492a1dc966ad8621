"""Each statement against the truth, and against the statement before it.

::

    lines           statements to equations
    chains          which left side a line that begins with an equals sign belongs to
    agreement       two formulas compared on numbers, or the reason why they can't be
    luck            right only because a Jacobian is symmetric
    letter_layers   quantities whose letters tell the layer
    readings        the reading of the document under which most lines are right
    assumptions     what a line needs to be right: that y sums to one
    surroundings    the letters and quantities around a wrong line
    scopes          sections that define their names anew
    verdict         the verdict of one step
    updates         steps of gradient descent
    definitions     definitions that have no value as they stand
    programs        lines of code: what no formula shows
    unknown_functions   what no definition tells of
    reasons         the mistake of a wrong step
    document        what a verdict needs to know of the whole
    notes           how the document was read
    goal            the lines that are missing to a derivative that is wanted
    judge           all lines of a document
"""

from .judge import judge

__all__ = ["judge"]
