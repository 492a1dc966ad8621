r"""A displayed formula to its rows: split at ``\\``, joined again where one formula goes over several rows."""

import re
from collections.abc import Iterator

from .brackets import UnbalancedError, outer_marks
from .decorations import undecorated
from .pieces import Piece

__all__ = ["LEADING", "LONGEST", "goes_on_after", "rows"]

LONGEST = 20_000
"""Characters of the longest display that is taken apart."""

BREAK = re.compile(r"\\\\|\\cr(?![A-Za-z])|\\newline(?![A-Za-z])")
OPERATOR = r"[+\-−*/·×⊙]|\\(?:cdot|times|odot|pm|circ)(?![A-Za-z])"
LEADING = re.compile(rf"(?:[\s&]|\{{\}})*(?:{OPERATOR})")
TRAILING = re.compile(rf"(?:{OPERATOR}|=|\\equiv|\()$")
EQUALS_FIRST = re.compile(r"[\s&]*(?:=|:=|\\equiv|≡|\\approx|≈)")


def rows(text: str, start: int) -> Iterator[Piece]:
    """Yield the rows of a display as pieces, without decoration and ampersands; `start` is its place in the file."""
    clean = undecorated(text)
    held: Piece | None = None
    for begin, end in _stretches(clean):
        row = clean[begin:end]
        if not row.strip(" \n\t&"):
            continue
        if held and _goes_on(held.text, row):
            gap = clean[held.start - start + len(held.text) : begin]
            held = Piece("row", held.text + BREAK.sub("  ", gap) + row, held.start, latex=True)
            continue
        if held:
            yield held
        held = Piece("row", row, start + begin, latex=True)
    if held:
        yield held


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of the rows: between line breaks, and where a new line of the file begins an equation."""
    try:
        breaks = [(mark.start, mark.end) for mark in outer_marks(text) if mark.kind == "break"]
    except UnbalancedError:
        breaks = [match.span() for match in BREAK.finditer(text)]
    first = 0
    for begin, end in [*breaks, (len(text), len(text))]:
        for place in _new_equations(text[first:begin], alone=not breaks):
            yield first, first + place
            first += place
        yield first, begin
        first = end


def _new_equations(row: str, *, alone: bool) -> list[int]:
    """Return how far it is from each line of the file to the next in a row where a further equation begins."""
    lines = row.splitlines(keepends=True)
    steps: list[int] = []
    held, blank = "", 0
    for line in lines:
        if not held.strip(" \n\t&"):
            blank += len(held)
            held = ""
        elif _begins_equation(held, line, alone=alone):
            steps.append(blank + len(held))
            held, blank = "", 0
        held += line
    return steps


def _begins_equation(before: str, line: str, *, alone: bool) -> bool:
    if goes_on_after(before):
        return False
    if EQUALS_FIRST.match(line):
        return _balanced(before)
    if not alone or LEADING.match(line) or "=" not in line:
        return False
    return _balanced(before) and _has_equals(before) and _has_equals(line)


def goes_on_after(row: str) -> bool:
    """Return whether a row ends with a sign that something must follow."""
    return bool(TRAILING.search(row.rstrip(" \n\t&")[-12:]))


def _balanced(text: str) -> bool:
    try:
        outer_marks(text)
    except UnbalancedError:
        return False
    return True


def _has_equals(text: str) -> bool:
    try:
        return any(mark.kind == "equal" for mark in outer_marks(text))
    except UnbalancedError:
        return False


def _goes_on(before: str, row: str) -> bool:
    """Return whether a row continues the formula of the row before it."""
    if goes_on_after(before):
        return not EQUALS_FIRST.match(row) and not row.lstrip(" \n\t&").startswith("\\text")
    return bool(LEADING.match(row)) and not _has_equals(row) and _has_equals(before)
