"""`Piece`: a stretch of a document that is all words, one formula, or a mark between them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Piece", "with_equals"]


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


def with_equals(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces, two formulas with only an equals sign between them as one: ``$y$ = $x$``."""
    held: list[Piece] = []
    for piece in pieces:
        held.append(piece)
        if [piece.kind for piece in held] == ["formula", "words", "formula"] and held[1].text.strip() == "=":
            first, _, last = held
            gap = " " * (last.start - first.start - len(first.text) - 2)
            held = [Piece("formula", f"{first.text} ={gap}{last.text}", first.start, latex=True)]
        while held and not (held[0].kind == "formula" and all(_is_equals(piece) for piece in held[1:])):
            yield held.pop(0)
    yield from held


def _is_equals(piece: Piece) -> bool:
    return piece.kind == "words" and piece.text.strip() == "="
