"""`CheckedLine` and its verdicts: what is said of one line of a derivation."""

from dataclasses import dataclass

from .formula.tree import Condition, Node

__all__ = ["ASSUMED", "FOLLOWS", "GIVEN", "INDICES", "LUCK", "NOT_READ", "WRONG", "CheckedLine"]

FOLLOWS = "follows"
ASSUMED = "follows, if"
LUCK = "right by luck"
"""Right only because a Jacobian is symmetric, or only for special sizes: `says` tells which."""
INDICES = "indices only"
"""Right for the entries, but not as the matrices or vectors that the line has: `notation` says what is meant."""
WRONG = "wrong"
NOT_READ = "not read"
GIVEN = "given"
"""A definition, an assumption or a goal: it is used, not judged."""


@dataclass(frozen=True)
class CheckedLine:
    """One statement of a derivation, judged.

    Attributes
    ----------
    number : int
        Line of the file, from 1.
    source : str
        The statement as typed.
    formula : str
        The statement in plain Unicode text on one line, as a terminal shows it.
    verdict : str
        One of the seven words of this module.
    cause : str
        Stable name of the mistake (`mistakes.causes`) if the verdict is "wrong", "indices only" or "right by luck".
        A line of a program that follows has the cause "in_place" if it overwrites an array. Otherwise empty.
    says : str
        The verdict in words, what follows it included: ``the left side has the index i twice and no j``; for "follows,
        if" the assumption: ``sum_k y_k = 1``; for "not read" why.
    write : str
        The line as it should read, in the author's notation and letters; empty if none was found.
    write_latex : str
        The same in LaTeX.
    proved : bool
        Whether `write` was compared with the truth on numbers.
    follows_before : bool or None
        After a wrong line: whether this line follows from its predecessor; None if there is no predecessor.
    notation : str
        For the verdict "indices only": what the line means as a formula of arrays, such as ``as matrices an outer
        product, (p - y) aᵀ``, or which side is a component of the other. Empty otherwise.
    ours : str
        The derivation of this line by `glassmax.derive`, as HTML; empty if there is none.
    sides : tuple of Node or None
        The formulas between its equals signs as they were read, for pages that typeset them. The first is None if the
        line continues the one before it; all are missing if the line was not read.
    write_sides : tuple of Node or None
        The same for `write`.
    condition : Condition or None
        The case that the line is limited to, such as i = j.
    """

    number: int
    source: str
    formula: str
    verdict: str
    cause: str = ""
    says: str = ""
    write: str = ""
    write_latex: str = ""
    proved: bool = False
    follows_before: bool | None = None
    notation: str = ""
    ours: str = ""
    sides: tuple[Node | None, ...] = ()
    write_sides: tuple[Node | None, ...] = ()
    condition: Condition | None = None
