"""Output for a terminal: color, and lines that wrap with a hanging indent. A pipe gets plain text.

Text from a file goes through `harmless` and into `rich.text.Text`, so that it is never read as markup.
"""

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType
    from rich.text import Text

__all__ = ["columns_painted", "console", "hanging", "paint", "paint_checked", "rendered", "wrapped"]

LABEL = "cyan"
GOOD, BAD, ATTENTION, QUIET = "bold green", "bold red", "bold yellow", "dim"
MARKS = {GOOD: "✓ ", BAD: "✗ ", ATTENTION: "! "}
VERDICTS = {"correct": GOOD, "right": GOOD, "proved": GOOD, "wrong": BAD}
OF_LINES = {"follows": GOOD, "wrong": BAD, "right by luck": ATTENTION, "indices only": ATTENTION}
OF_LINES |= {"given": QUIET, "not read": QUIET}
"""The verdicts on the lines of a derivation."""
JUDGED = re.compile(rf"((?:line +\d+)?)( .*? {{2}}| +)({'|'.join(OF_LINES)})\b(.*)")
LABELLED = re.compile(r" *([^\s:]+(?: [^\s:]+)*):? {2,}(?=\S)|  \S+: (?=\S)")
INDENTED = re.compile(r" *(?:= |\| )?")
ANSWERS = ("write", "index form", "matrix form")
LONGEST_LABEL = 26


def console(*, err: bool = False) -> "Console | None":
    """Return the terminal behind stdout or stderr, or None if neither is a terminal."""
    stream = sys.stderr if err else sys.stdout
    if stream is None or not stream.isatty():  # colors may be forced on where there is no terminal
        return None
    from rich.console import Console

    found = Console(file=stream, highlight=False, markup=False, emoji=False)
    return None if found.is_dumb_terminal else found


def rendered(terminal: "Console", *shown: "RenderableType") -> str:
    """Return the text and escape sequences that the terminal would be sent."""
    with terminal.capture() as capture:
        for one in shown:
            terminal.print(one)
    return capture.get()


def wrapped(text: str, style: str = "", *, longest: int = LONGEST_LABEL) -> "RenderableType":
    """Lay out one line with a hanging indent: it wraps behind its label, its own indent or its mark.

    Parameters
    ----------
    text : str
        One line without control characters. A label ends with two spaces or more, or, in an indented line, a colon.
    style : str
        The style of the text behind the label. `GOOD`, `BAD` and `ATTENTION` also put a mark before the text.
    longest : int
        The maximum width of a label; a longer one is part of the text.
    """
    found = LABELLED.match(text)
    if found and found.end() <= longest:
        return hanging(found[0], LABEL, text[found.end() :], style)
    indent = INDENTED.match(text)[0]  # type: ignore[index]
    return hanging(MARKS.get(style, "") + indent, style, text[len(indent) :], style)


def hanging(head: str, head_style: str, rest: "str | Text", style: str = "") -> "RenderableType":
    """Put the text in a column of its own behind the head."""
    from rich.table import Table
    from rich.text import Text

    body = Text(rest, style) if isinstance(rest, str) else rest
    if not head:
        return body
    grid = Table.grid()
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(head, head_style), body)
    return grid


def columns_painted(rows: "Iterable[Sequence[str]]") -> "Iterable[RenderableType]":
    """Lay out rows of code, verdict and note; a row stays as wide as it is. Code after a plus sign is to be written."""
    from rich.text import Text

    for code, verdict, note in rows:
        style = VERDICTS.get(verdict.strip(), "")
        words = BAD if style == BAD else "" if style else QUIET
        added = GOOD if code.lstrip().startswith("+ ") else ""
        pieces = ((code, BAD if style == BAD else added), (verdict, style), (note, words))
        yield Text.assemble(*pieces, no_wrap=True, overflow="ignore")


def paint(lines: "Iterable[str]") -> "Iterable[RenderableType]":
    """Lay out the lines of a diagnosis or a derivation: headings, formulas, reasons and verdicts have their styles."""
    from rich.text import Text

    for line in lines:
        first, _, rest = line.partition(" ")
        word = first.rstrip(":,").lower()
        columns = re.match(r"(\S+ +)(wrong|right)\b(.*)", line)
        if columns:  # a parameter and what is said of it
            text = Text(columns[1])
            yield text.append(columns[2], VERDICTS[columns[2]]).append(columns[3], QUIET)
        elif word in VERDICTS and rest:
            style = VERDICTS[word]
            yield hanging(MARKS[style], style, Text.assemble((first, style), " ", rest))
        elif re.match(r" {6}\S", line):  # the reason of a step
            yield wrapped(line, QUIET)
        elif line[:1] not in ("", " "):
            yield wrapped(line, "bold")
        else:
            label = LABELLED.match(line)
            yield wrapped(line, "bold" if label and label[1] in ANSWERS else "")


def paint_checked(lines: "Iterable[str]") -> "Iterable[RenderableType]":
    """Lay out the lines of a checked derivation, which fit the terminal: labels, verdicts and corrections in color."""
    from rich.text import Text

    for line in lines:
        judged = JUDGED.match(line)
        written = re.match(r" +write {2}", line)
        label = re.match(r"line +\d+|goal {5}|missing {2}|read as {2}", line)
        if judged:
            place, formula, verdict, rest = judged.groups()
            yield Text.assemble((place, LABEL), formula, (verdict, OF_LINES[verdict]), rest)
        elif written:
            yield Text.assemble((written[0], LABEL), (line[written.end() :], "bold"))
        elif label:
            yield Text.assemble((label[0], LABEL), line[label.end() :])
        else:
            yield Text(line)
