"""`Statement`: one thing that a derivation says, with its place in the file."""

from dataclasses import dataclass

__all__ = ["Statement"]


@dataclass(frozen=True)
class Statement:
    """One equation, or one more step of an equation, with the words that belong to it.

    Attributes
    ----------
    line : int
        Number of its line in the file, from 1.
    source : str
        The statement as its author typed it, without the marks of its environment (``&``, a trailing double
        backslash).
    sides : tuple of str
        The formulas between its equals signs, in the author's own notation, without decoration: no colors, boxes, tags,
        alignment marks or words. The first is "" if the row continues the statement before it (``= p_i - y_i``).
    cue : str
        The word before it that says what it is: "define" (let, where, with, denote), "assume" (assume, since, as, if
        the sum is 1, note that), "" if none.
    condition : str
        The case it is limited to: ``k = y_i`` after "If k = y_i," or "for i != j".
    code : bool
        Whether it is a line of a program (NumPy).
    skipped : str
        Why it was not taken apart, for a row that can't be: unread mathematics. Empty otherwise.
    latex : bool
        Whether it is typed in LaTeX.
    continues : int or None
        For a statement whose first side is "": the place, in the list of statements, of the statement that it
        continues, which is not always the one before it (``note that sum_k y_k = 1`` may stand between).
    section : int
        How many headings, and beginnings such as "now let" and "instead", stand before it.
    """

    line: int
    source: str
    sides: tuple[str, ...] = ()
    cue: str = ""
    condition: str = ""
    code: bool = False
    skipped: str = ""
    latex: bool = False
    continues: int | None = None
    section: int = 0
