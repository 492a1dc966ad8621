"""Notes on columns, as data: what was left out, was filled, or did not occur in training."""

from typing import NamedTuple

from ..errors import Text, worded

__all__ = ["MISSING", "TOO_LONG", "Note", "Reason", "it", "left_out"]


class Reason(NamedTuple):
    """Why a column is left out: said of one column, and of several."""

    one: str
    several: str


MISSING = Reason("all its cells are missing", "all their cells are missing")
TOO_LONG = Reason(
    "its numbers have more digits than can be told apart, as identifiers have",
    "their numbers have more digits than can be told apart, as identifiers have",
)


class Note(NamedTuple):
    """One sentence about a column.

    Attributes
    ----------
    text : tuple of str and Setting
        Text of the note, split into plain strings and Settings.
    kind : str
        "left_out", "filled", "unseen", "far", "giveaway" for a column that alone predicts the target, "measurement" for
        a target that looks like one, or "" for anything else.
    column : str
        Name of the column, if the note is about a column that is left out or gives the target away.
    reason : tuple of str and Setting
        Reason why the column is left out.
    several : str
        The same reason in the plural, for several columns in one line, without the remedy.

    Examples
    --------
    >>> Note(("x is left out.",), "left_out")
    'x is left out.'
    """

    text: Text
    kind: str = ""
    column: str = ""
    reason: Text = ()
    several: str = ""

    def __str__(self) -> str:
        return worded(self.text)

    def __repr__(self) -> str:
        return repr(str(self))


def it(predicate: str) -> Reason:
    """Return the reason with ``it`` or ``each`` for its subject."""
    return Reason(f"it {predicate}", f"each {predicate}")


def left_out(name: str, why: Reason, remedy: Text = ()) -> Note:
    """Return the note that a column is not learned from, and why."""
    reason = (f"{why.one}.", *remedy)
    return Note((f"{name} is left out: ", *reason), "left_out", name, reason, why.several)
