"""`Piece`: a stretch of a document that is all words, one formula, or a mark between them."""

from dataclasses import dataclass

__all__ = ["Piece"]


@dataclass(frozen=True)
class Piece:
    """A stretch of a document.

    Attributes
    ----------
    kind : str
        "words", "formula" (inside a line), "display" (a formula of rows), "line" (a line of a text file), "code",
        "program" (a block of code in no named language), "row" (the end of a row), "block" (the end of a display or
        paragraph) or "heading".
    text : str
        The stretch itself.
    start : int
        Its place in the file, in characters.
    latex : bool
        Whether it is typed in LaTeX.
    """

    kind: str
    text: str
    start: int
    latex: bool = False
