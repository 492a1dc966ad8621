"""Lines of plain text to pieces: formulas with words around them, numbering, notes in brackets, labels."""

import re
from collections.abc import Iterator

from .pieces import Piece
from .plain_text import split_words
from .program_text import is_code_line
from .rows import LEADING, goes_on_after

__all__ = ["has_formula", "plain_line", "plain_lines"]

PREFIX = re.compile(
    r"\s*(?:>\s*)*(?:(?:[-*•–]|\(?\d{1,3}[.):]\)?|\(?[a-z]\)|(?:[Ss]tep|[Ee]q(?:uation|\.)?|[Ll]ine)\s*\(?\d+\)?\s*[.:)]+)\s+)?"
)
LABEL = re.compile(r"(?:\s{2,}|\t)[(\[]\s*(?:[Ee]q\.?\s*)?\d+(?:\.\d+)*[a-z]?\s*[)\]]\s*$")
NOTE = re.compile(r"(?<=[\s.,;])[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]]\s*[.,]?\s*$")
COMMENT = re.compile(r"\s(?:#|//|<--|<-|←--|%)\s.*$")
WIDE = re.compile(r"(?<=\S)(?: {3,}|[ ]*\t[ \t]*)(?=\S)(?![=:≡≈])(?<![=+\-*/])")
RULE = re.compile(r"[\s=\-_*~#]+")
NOTE_OF_COMPARISON = re.compile(r"\s*[a-z]\w?\s*(?:=|≠|!=)\s*\w+\s*")


def plain_lines(text: str, start: int, names: frozenset[str]) -> Iterator[Piece]:
    """Yield the pieces of a stretch of plain text; a line that goes on with an operator joins the line before it."""
    held, place = "", start
    for line in text.splitlines(keepends=True):
        if held.strip() and line.strip() and _goes_on(held, line):
            held += line
            continue
        yield from plain_line(held, place, names)
        place += len(held)
        held = line
    yield from plain_line(held, place, names)


def _goes_on(before: str, line: str) -> bool:
    body = before.rstrip()
    if "=" not in body or RULE.fullmatch(body) or RULE.fullmatch(line):
        return False
    if goes_on_after(body):
        return not line.lstrip().startswith("=")
    leading = LEADING.match(line) and line[:1] in " \t"
    return bool(leading) and "=" not in line and not re.match(r"\s*[-*]\s+[A-Za-z]{2,}", line)


def plain_line(line: str, start: int, names: frozenset[str]) -> Iterator[Piece]:
    """Yield the words and formulas of one line, and its end."""
    if not line.strip() or RULE.fullmatch(line):
        if line:
            yield Piece("block", "", start)
        return
    if is_code_line(line):
        yield Piece("code", line.strip(), start)
        return
    begin = PREFIX.match(line)
    first = begin.end() if begin else 0
    body = line[first:].rstrip("\n")
    body = LABEL.sub(lambda match: " " * len(match[0]), body)
    notes: list[tuple[str, int]] = []
    for pattern in (COMMENT, NOTE):
        if (match := pattern.search(body)) and (pattern is COMMENT or _is_note(match[1], names)):
            notes.append((re.sub(r"[#%()\[\]]|//|<--?", " ", match[0]), match.start()))
            body = body[: match.start()]
    body = WIDE.sub(lambda match: "\t" * len(match[0]), body)
    whole = not notes
    pieces = [*split_words(body, start + first, names)]
    for note, place in reversed(notes):
        pieces += split_words(note, start + first + place, names)
    whole = len(pieces) == 1
    for piece in pieces:
        kind = "row" if whole and piece.kind == "formula" else piece.kind
        yield Piece(kind, piece.text, piece.start, latex="\\" in piece.text)
    yield Piece("line", "", start)


def _is_note(text: str, names: frozenset[str]) -> bool:
    """Return whether a bracket at the end of a line holds words or a comparison, and no factor of the formula."""
    words = any(piece.kind == "words" for piece in split_words(f"= {text}", 0, names))
    return words or bool(NOTE_OF_COMPARISON.fullmatch(text))


def has_formula(line: str, names: frozenset[str]) -> bool:
    """Return whether a line of prose is, apart from a few words, a formula with an equals sign."""
    if "=" not in line or len(line) > 400 or RULE.fullmatch(line) or line.lstrip().startswith("|"):
        return False
    pieces = [*split_words(line[PREFIX.match(line).end() :], 0, names)]  # type: ignore[union-attr]
    count = sum(len(piece.text.split()) for piece in pieces if piece.kind == "words")
    formulas = [
        piece.text for piece in pieces if piece.kind == "formula" and re.search(r"\S\s*=\s*\S|^\s*=\s*\S", piece.text)
    ]
    return bool(formulas) and count <= 4
