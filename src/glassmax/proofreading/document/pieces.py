"""`Piece`: a stretch of a document that is all words, one formula, or a mark between them."""

from dataclasses import dataclass

__all__ = ["Piece"]


@dataclass(frozen=True)
class Piece:
    """A stretch of a document.

    Attributes
    ----------
    kind : str
        "words"; "formula" (inside a line); "row" (of a display, or a line that is all formula); "line" (the end of a
        line of a text file); "code"; "skipped" (code that is no assignment); "long" (a formula that is too long);
        "display" and "shown" (before and after a display); "block" (the end of a paragraph); "heading".
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
