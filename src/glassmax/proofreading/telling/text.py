"""A checked derivation for a terminal: the line, its formula, and the verdict in a column."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from ..checked import GIVEN, CheckedLine
from .wording import shown, summary, verdict_in_words

if TYPE_CHECKING:
    from .checked_derivation import Checked

__all__ = ["as_text"]

WIDTH = 100
WIDEST_FORMULA = 44
NARROWEST_VERDICT = 30
CONTINUED = 6
"""How far a line that begins with its equals sign is indented, unless the sign above it stands elsewhere."""


def as_text(checked: "Checked", width: int = WIDTH) -> str:
    """Write all lines, what is missing to the goal, how the text was read, and the count."""
    lines = checked.lines
    label = len(f"line {max((line.number for line in lines), default=0)}") + 2
    formulas = [*_aligned(lines)]
    room = min(WIDEST_FORMULA, width - label - NARROWEST_VERDICT - 2)
    column = max((_columns(formula) for formula in formulas if _columns(formula) <= room), default=0)
    text: list[str] = []
    before: int | None = None
    for line, formula in zip(lines, formulas, strict=True):
        head = "" if line.number == before else f"line {line.number}"
        text += _line(head.ljust(label), line, formula, column, width)
        before = line.number
    goal, missing = [checked.goal] * bool(checked.goal), [line.formula for line in checked.missing]
    for title, parts in (("goal", goal), ("missing", missing), ("read as", checked.notes)):
        gap = [""] if title != "missing" else []
        text += [*gap, *_block(title, parts, width)] if parts else []
    return "\n".join([*text, "", *wrap(summary(lines), width)])


def _aligned(lines: Sequence[CheckedLine]) -> Iterator[str]:
    """Indent each continued line, so that its equals sign stands under that of the line before it."""
    indent = CONTINUED
    for line in lines:
        formula = shown(line)
        if formula.startswith("="):
            yield " " * indent + formula
            continue
        left, sign, _ = formula.partition(" = ")
        if line.verdict != GIVEN:  # a chain goes on after an assumption between its lines
            indent = _columns(left) + 1 if sign and _columns(left) < 2 * CONTINUED else CONTINUED
        yield formula


def _line(head: str, line: CheckedLine, formula: str, column: int, width: int) -> Iterator[str]:
    """Yield a line: the verdict beside its formula, or below a formula that is wider than the column."""
    label, words = len(head), verdict_in_words(line)
    start = label + max(column, CONTINUED) + 2
    if width - start < NARROWEST_VERDICT:  # a narrow terminal, with formulas too short to be folded
        column, start = 0, label + 2
    said = _wrapped(words, max(width - start, 10)) or [""]
    if _columns(formula) <= column:
        yield f"{head}{_padded(formula, column)}  {said.pop(0)}"
    else:
        folded = _folded(formula, max(width - label, 10))
        yield f"{head}{folded[0]}"
        yield from (" " * label + part for part in folded[1:])
    yield from (" " * start + part for part in said)
    if line.write:
        yield from _write(line, label, width)


def _wrapped(words: str, width: int) -> list[str]:
    """Break words into lines, but not inside a short bracket of a formula."""
    kept = re.sub(r"\([^()]{1,30}\)", lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), words)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in wrap(kept, width)]


def _write(line: CheckedLine, label: int, width: int) -> Iterator[str]:
    proof = "(proved)" if line.proved else ""
    folded = _folded(line.write, max(width - label - 7, 10))
    yield from (" " * label + ("write  " if at == 0 else " " * 7) + part for at, part in enumerate(folded[:-1]))
    last = " " * label + ("write  " if len(folded) == 1 else " " * 7) + folded[-1]
    if proof and _columns(last) + 2 + len(proof) <= width:
        yield _padded(last, width - len(proof)) + proof
    else:
        yield last
        if proof:
            yield " " * (label + 7) + proof


def _folded(formula: str, width: int) -> list[str]:
    """Break a formula at its spaces; further lines are indented by four columns more than the first."""
    indent = " " * (len(formula) - len(formula.lstrip()))
    return wrap(
        formula.strip(), width, initial_indent=indent, subsequent_indent=indent + "    ", break_on_hyphens=False
    ) or [""]


def _block(title: str, parts: Sequence[str], width: int) -> Iterator[str]:
    """Yield notes under a title that stands beside the first."""
    for at, part in enumerate(parts):
        head = f"{title if at == 0 else '':<7}  "
        yield from wrap(part, width, initial_indent=head, subsequent_indent=" " * 9, break_on_hyphens=False)


def _columns(text: str) -> int:
    """Return the width of a text in a terminal: an accent stands over the letter before it."""
    return sum(not unicodedata.combining(character) for character in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _columns(text))
