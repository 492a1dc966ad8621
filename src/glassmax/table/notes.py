"""Notes on columns, as data: what was left out, was filled, or did not occur in training."""

from typing import NamedTuple

from ..errors import Text, worded

__all__ = ["Note", "left_out"]


class Note(NamedTuple):
    """One sentence about a column.

    Attributes
    ----------
    text : tuple of str and Setting
        Text of the note, split into plain strings and Settings.
    kind : str
        "left_out", "filled", "unseen", or "" for anything else.
    column : str
        Name of the column, if the note is about a column that is left out.
    reason : tuple of str and Setting
        Reason why the column is left out.

    Examples
    --------
    >>> Note(("x is left out.",), "left_out")
    'x is left out.'
    """

    text: Text
    kind: str = ""
    column: str = ""
    reason: Text = ()

    def __str__(self) -> str:
        return worded(self.text)

    def __repr__(self) -> str:
        return repr(str(self))


def left_out(name: str, why: str, remedy: Text = ()) -> Note:
    """Return the note that a column is not learned from, and why."""
    reason = (f"{why}.", *remedy)
    return Note((f"{name} is left out: ", *reason), "left_out", name, reason)
