r"""One formula to its parts: the equations of a row, the conditions, the labels at its end, the words inside it.

``\delta_{ij} = 1 \text{ when i = j}, \quad z = w a + b \quad (3)`` is an equation, words, a condition, an equation and
a label.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

from .brackets import Mark, outer_marks, pieces_between
from .pieces import Piece
from .plain_text import SHORT, STOP, split_words

__all__ = ["SHAPES", "Segment", "is_bare_condition", "is_condition", "segments"]

TEXT = re.compile(
    r"\\(?:text|mbox|textrm|textbf|textit|textsf|intertext|shortintertext|textnormal|hbox|mathrm|operatorname)\s*\{"
)
BARE = re.compile(
    r"(?<![A-Za-z\\_^{.])(and|where|with|when|if|for|since|because|otherwise|so|thus|hence|then|let|or)(?![A-Za-z_^({.}])"
)
LABEL = re.compile(
    r"\(\s*(?:[A-Za-z]+\.?\s*)?[\d.]*[a-z]?'?\s*\)|\(?[*†]+\)?|\\(?:qed|square|blacksquare|Box)"
    r"|(?:\\math\w+\s*\{\s*)?(?:Eq|EQ|eq)[A-Za-z]*[ .~]*[\d.]*\w?\s*\}?"
)
INDEX = r"\\?[A-Za-z]+(?:_\{?\\?\w+\}?|\[\w+\])?|[a-z][ᵢⱼₖₗₘₙ]|\d+"
LETTER = r"[i-nqrs](?:'|\\prime)?"
INDEX_LETTER = rf"{LETTER}|c|[a-z]_\{{?[a-z]\}}?|[a-z]\[[a-z]\]|[a-z][ᵢⱼₖₗₘₙ]|[a-z]\^\{{?\([a-z]\)\}}?"
SIMPLE = r"[^=+*/(),;]{1,30}"
COMPARISON = r"\s*(?:==?|\\neq?(?![a-z])|\\not\s*=|≠|!=|<=?|>=?|\\l(?:e|eq|t)(?![a-z])|\\g(?:e|eq|t)(?![a-z])|≤|≥)\s*"
BARE_CONDITION = re.compile(
    rf"\s*\(?\s*(?:{LETTER}(?:{COMPARISON}(?:{INDEX_LETTER}))+|(?:{INDEX_LETTER}){COMPARISON}{LETTER})\s*\)?\s*"
)
UNEQUAL = re.compile(
    rf"\s*\(?{SIMPLE}(?:\\neq?(?![a-z])|≠|!=|\\not\s*=|[<>≤≥]|\\[lg](?:e|t|eq)(?![a-z])){SIMPLE}\)?\s*"
)
SIDE = rf"-?\s*(?:{INDEX}|\\hat\s*\{{?\w\}}?)"
CONDITION = re.compile(rf"\s*\(?\s*{SIDE}(?:{COMPARISON}{SIDE})+\s*\)?\s*")
COMPARED = re.compile(rf"{COMPARISON}|\\s*(?:\\+|-|\\\\in(?![a-z]))")
COMPARED_BEFORE = re.compile(rf"{COMPARISON}\\(?:text|mbox|textrm)\s*\{{$")
NAMED = re.compile(r"\s*(?:[_^(\[='’]|:=|\\equiv)")
RANGE = re.compile(r"\\(?:l|c|v)?dots|\.\.|…|\\forall|∀|\\in(?![a-z])|∈|\\mathbb\{?R|ℝ|\\mathbb\s*\{?R")


SHAPES = re.compile(r"\\mathbb\s*\{?\s*R|ℝ")


LONGEST_CONDITION = 80
"""Characters of a comparison, or of a label."""


class Segment(NamedTuple):
    """A part of a formula.

    The kinds are "words", "condition", "equation", "relation" (≈, <), "expression" (no equals sign), "range", "label".
    """

    kind: str
    text: str
    start: int


def is_condition(text: str) -> bool:
    """Return whether a formula after "if" compares indices or numbers, and isn't an equation between formulas."""
    text = text.strip()
    if len(text) > LONGEST_CONDITION or RANGE.search(text):
        return False
    return bool(CONDITION.fullmatch(text) or UNEQUAL.fullmatch(text))


def is_bare_condition(text: str) -> bool:
    """Return whether a formula can only be a comparison of indices: ``i = j``, ``k != y_i``."""
    text = text.strip()
    return len(text) <= LONGEST_CONDITION and bool(BARE_CONDITION.fullmatch(text)) and not RANGE.search(text)


def is_label(text: str) -> bool:
    """Return whether a stretch is the number or the name of an equation."""
    text = text.strip()
    return len(text) <= LONGEST_CONDITION and bool(LABEL.fullmatch(text))


def segments(text: str, start: int, *, latex: bool) -> Iterator[Segment]:
    """Yield the parts of one formula in order; `start` is its place in the file.

    Raises
    ------
    UnbalancedError
        If the braces don't match.
    """
    for piece in _joined(_outer_words(text, start, latex)):
        if piece.kind == "words":
            yield Segment("words", piece.text, piece.start)
        else:
            yield from _parts(piece.text, piece.start)


def _outer_words(text: str, start: int, latex: bool) -> Iterator[Piece]:
    r"""Yield formulas and words in order: ``\text{...}`` and bare words outside all brackets are words."""
    if not latex:
        yield Piece("formula", text, start)
        return
    depth, last, place = 0, 0, 0
    token = re.compile(rf"{TEXT.pattern}|{BARE.pattern}|\\(?:begin|end)\s*\{{|\\.|[{{}}]", re.DOTALL)
    while match := token.search(text, place):
        place = match.end()
        if match[0] in "{}":
            depth += 1 if match[0] == "{" else -1
        elif match[0].startswith(("\\begin", "\\end")):
            depth += 1 if match[0].startswith("\\begin") else -1
            place = _closing(text, place) + 1
        elif match[0].startswith("\\") and match[0].endswith("{") and len(match[0]) > 2:
            end = _closing(text, place)
            if depth == 0 and _is_words(text, match, end):
                yield Piece("formula", text[last : match.start()], start + last)
                yield from _text_words(text, place, end, start)
                last = end + 1
            place = end + 1
        elif match[1] and depth == 0:
            yield Piece("formula", text[last : match.start()], start + last)
            yield Piece("words", match[0], start + match.start())
            last = place
    yield Piece("formula", text[last:], start + last)


def _text_words(text: str, place: int, end: int, start: int) -> Iterator[Piece]:
    r"""Yield what stands in ``\text{...}``; a letter in it is mathematics only as a side of a comparison."""
    pieces = [*split_words(text[place:end].replace("$", " "), start + place)]
    for i, piece in enumerate(pieces):
        compared = (
            COMPARED.search(piece.text)
            or (i == 0 and COMPARED_BEFORE.search(text[max(0, place - 40) : place]))
            or (i == len(pieces) - 1 and COMPARED.match(text, end + 1))
        )
        yield piece if compared else Piece("words", piece.text, piece.start)


def _closing(text: str, place: int) -> int:
    """Return the place of the brace that closes the group whose content begins at `place`."""
    depth = 1
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, place):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return len(text)


def _is_words(text: str, opening: re.Match[str], end: int) -> bool:
    r"""Return whether a ``\text{...}`` holds words, and isn't the name of a function or a quantity."""
    content = text[opening.end() : end].strip()
    if opening[0].startswith(("\\mathrm", "\\operatorname")):
        return bool(BARE.fullmatch(content)) or " " in content
    named = NAMED.match(text, end + 1)
    return not (named and re.fullmatch(r"[A-Za-z]\w*", content) and content.lower() not in STOP | SHORT)


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Join neighbors of one kind, and drop the empty ones."""
    held: Piece | None = None
    for piece in pieces:
        if not piece.text.strip():
            continue
        if held and held.kind == piece.kind:
            gap = " " * max(1, piece.start - held.start - len(held.text))
            held = Piece(held.kind, held.text + gap + piece.text, held.start)
            continue
        if held:
            yield held
        held = piece
    if held:
        yield held


def _parts(text: str, start: int) -> Iterator[Segment]:
    """Yield the parts of a formula without words: split at commas, wide spaces and arrows where an equation ends."""
    marks = outer_marks(text)
    starts = [mark.start for mark in marks]
    held: list[tuple[int, int]] = []
    for begin, end, mark in pieces_between(text, [mark for mark in marks if mark.kind in ("pause", "arrow", "break")]):
        inner = marks[bisect_left(starts, begin) : bisect_left(starts, end)]
        arrow = mark is not None and mark.kind == "arrow"
        if mark and mark.text in ("∵", "\\because"):
            yield from _flushed(text, held, start)
            yield Segment("words", "because", start + mark.start)
        if not text[begin:end].strip(" \n\t.,;:&()[]"):
            continue
        after_case = held and is_bare_condition(text[held[-1][0] : held[-1][1]])
        if held and not arrow and not after_case and not _stands_alone(text[begin:end], inner, mark):
            held[-1] = (held[-1][0], end)
            continue
        yield from _flushed(text, held, start)
        if arrow and not inner and not is_bare_condition(text[begin:end]):
            yield Segment("label", text[begin:end], start + begin)
            continue
        held.append((begin, end))
    yield from _flushed(text, held, start)


def _stands_alone(text: str, inner: list[Mark], mark: Mark | None) -> bool:
    """Return whether a stretch after a comma or a wide space is a part of its own."""
    if inner or RANGE.search(text):
        return not re.match(r"\s*(?:\\(?:l|c)?dots|…|\.\.)", text)
    return is_bare_condition(text) or (mark is not None and mark.text not in ",;:" and is_label(text))


def _flushed(text: str, held: list[tuple[int, int]], start: int) -> Iterator[Segment]:
    while held:
        begin, end = held.pop()
        part = text[begin:end]
        inside = _unwrapped(part)
        if inside != part and outer_marks(inside):
            yield from _parts(inside, start + begin)
        else:
            yield Segment(_kind(part), part, start + begin)


def _unwrapped(text: str) -> str:
    """Return a formula without the braces around the whole of it (blanks in their place)."""
    first, last = len(text) - len(text.lstrip()), len(text.rstrip()) - 1
    if text[first : first + 1] != "{" or text[last] != "}" or _closing(text, first + 1) != last:
        return text
    return f"{text[:first]} {text[first + 1 : last]} {text[last + 1 :]}"


def _kind(part: str) -> str:
    """Return what a part is."""
    marks = outer_marks(part)
    if is_bare_condition(part):
        return "condition"
    if SHAPES.search(part) and any(mark.kind == "equal" for mark in marks):
        return "equation"
    if RANGE.search(part) and not re.search(r"\\sum|Σ|∑|sum|matrix|\\log|\\exp|\\frac", part):
        return "range"
    if any(mark.kind == "equal" for mark in marks):
        return "equation"
    if any(mark.kind == "other" for mark in marks):
        return "relation"
    return "label" if is_label(part) else "expression"
