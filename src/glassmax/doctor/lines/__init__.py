"""The lines of the learner's own program: what each makes, which one is wrong, and what it should read.

What an array of the learner's is::

    truths         the arrays of the exact pass, and the pieces between them
    comparison     whether two arrays are the same up to a factor, a turn, or the choice of rows
    recognise      which of the truths an array is
    recordings     what the statements do on each probe, recorded when it is first asked for
    observed       the arrays that the statements make, recognized

Which line is wrong::

    source         the program as text, its functions and statements
    changes        small changes of a statement, each in one place of the text
    families       the families of changes: of operators (operator_changes), of operands (operand_changes)
    known_names    what the names in the program stand for
    right_lines    the right formula for an array, in the learner's own names
    hints          what is known of a mistake before its line is
    rerun          the program run again with changed lines
    repairs        the changes that make the program right
    budget         how often the program may be run again
    first_wrong    the first wrong line: the search for the repairs of a program
    program        the program with what it did on each probe, and its wrong lines
    named_causes   the cause of a mistake, by the repair that undoes it
    written_memory the line that changes an array which it should leave alone

The program's listing::

    equations      the equation of an array, by its name
    words          what an array is, in words
    consequences   what follows from a wrong line
    notes          the notes of a line
    annotate       the listing, made
    listing        the listing, as text, as HTML and as plain data
"""

from .recognise import Recognised, Recognition

__all__ = ["Recognised", "Recognition"]


def __dir__() -> list[str]:
    return __all__
