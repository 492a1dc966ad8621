"""The learner's program with a note beside each line: what the line makes, the shape, right or wrong."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from textwrap import wrap
from typing import Any

from ...pages import fragment, packaged

__all__ = ["RESULT", "RIGHT", "WRONG", "Line", "Listing", "Note", "read_plain"]

RIGHT, WRONG = "right", "wrong"
RESULT = "the result"
"""The name of what a function returns, where a sentence has it as its subject."""
NARROWEST, GAP = 46, "  "
"""The least width of the notes, and what stands between two columns."""
CORRECTED = "+"
"""Stands in place of the number of a line that is to be written."""
UNBROKEN = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Note:
    """What an array of a line is.

    `name` is what the learner calls it, `meaning` what it is, in words, `shape` its shape on the learner's own data.
    `verdict` is "right", "wrong", or empty where there is nothing to judge.
    """

    name: str
    meaning: str
    shape: str = ""
    verdict: str = ""

    @property
    def text(self) -> str:
        """The note without its shape: "z1 is Z1 = X W1 + b1"."""
        if self.name == "return":
            return f"returns {self.meaning}"
        if not self.name or self.meaning == self.name or self.meaning.startswith((f"{self.name} = ", f"{self.name}, ")):
            return self.meaning
        return f"{self.name} {'are' if self.name.startswith(f'{RESULT}s') else 'is'} {self.meaning}"


@dataclass(frozen=True)
class Line:
    """A line of the learner's file, counted from 1, and its notes; number 0 stands for lines that are left out.

    `correction` says that the text is not the learner's: it is what the statement above should read.
    """

    number: int
    text: str
    notes: tuple[Note, ...] = ()
    correction: bool = False


@dataclass(frozen=True)
class Listing:
    """The learner's program with notes: text when it is printed, a table in a notebook.

    Attributes
    ----------
    file : str
        The name of the learner's file.
    lines : tuple of Line
        The lines, each with its notes; empty if the program could not be watched.
    said : tuple of str
        What holds for all lines.
    why : str
        Why there are no notes, or no more of them; empty if the whole program was watched.
    """

    file: str = ""
    lines: tuple[Line, ...] = ()
    said: tuple[str, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def text(self, width: int = 100) -> str:
        """Write the listing with the notes beside the code, or below it where a line of code is long.

        Parameters
        ----------
        width : int, default=100
            The width of the whole in characters; only code may be wider.

        Returns
        -------
        str
        """
        return "\n".join("".join(row).rstrip() for row in self.rows(width))

    def rows(self, width: int = 100) -> list[tuple[str, str, str]]:
        """Return the rows of the text, each in three pieces: the code up to the notes, the verdict, the note.

        Parameters
        ----------
        width : int, default=100
            As for `text`.

        Returns
        -------
        list of tuple of str
        """
        if not self.lines:
            return [(self._sentence(), "", "")]
        digits = len(str(max(line.number for line in self.lines)))
        longest = max(len(line.text) for line in self.lines)
        start = digits + len(GAP) + min(longest, max(width - digits - 2 * len(GAP) - NARROWEST, 20)) + len(GAP)
        room = max(width - start, NARROWEST)
        rows = [row for line in self.lines for row in _rows(line, digits, start, room)]
        said = [f"- {words}" for words in self._said()]
        return [*rows, *((words, "", "") for words in ([""] if said else []) + said)]

    def plain(self) -> dict[str, Any]:
        """Return the listing as mappings, lists, text and numbers, as JSON can hold them.

        Returns
        -------
        dict
        """
        return asdict(self)

    def _repr_html_(self) -> str:
        if not self.lines:
            return fragment(f"<p>{escape(self._sentence())}</p>")
        rows = "".join(map(_html_row, self.lines))
        said = "".join(f"<li>{escape(words)}</li>" for words in self._said())
        head = '<tr><th class="number">line</th><th>your code</th><th>what it makes</th></tr>'
        table = f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
        body = f'<div class="listing">{table}{f"<ul>{said}</ul>" if said else ""}</div>'
        return fragment(body, style=packaged(__package__, "listing.css"))

    def _sentence(self) -> str:
        return f"There is no listing: {self.why}."

    def _said(self) -> list[str]:
        return [*self.said, *([f"some lines have no notes: {self.why}"] if self.why else [])]


def read_plain(plain: Mapping[str, Any]) -> Listing:
    """Return the listing that `Listing.plain` has written down."""
    lines = (
        Line(line["number"], line["text"], tuple(Note(**note) for note in line["notes"]), line["correction"])
        for line in plain["lines"]
    )
    return Listing(plain["file"], tuple(lines), tuple(plain["said"]), plain["why"])


def _rows(line: Line, digits: int, start: int, room: int) -> list[tuple[str, str, str]]:
    """A line with its notes beside it, from the column `start`; they begin below if the code is longer than that."""
    number = CORRECTED if line.correction else str(line.number) if line.number else ""
    head = f"{number:>{digits}}{GAP}{line.text}".rstrip()
    notes = [row for note in line.notes for row in _wrapped(note, room)]
    if not notes:
        return [(head, "", "")]
    first = [(f"{head:<{start}}", *notes.pop(0))] if len(head) + len(GAP) <= start else [(head, "", "")]
    return [*first, *((" " * start, *note) for note in notes)]


def _wrapped(note: Note, room: int) -> list[tuple[str, str]]:
    head = f"{note.verdict:<5}{GAP}"
    shape = note.shape.replace(" ", UNBROKEN)
    words = f"{note.text}{UNBROKEN * 2}{shape}" if shape else note.text
    lines = wrap(words, room - len(head), break_long_words=False, break_on_hyphens=False)
    rows = [row.replace(UNBROKEN, " ") for row in lines]
    return [(head if number == 0 else " " * len(head), row) for number, row in enumerate(rows)]


def _html_row(line: Line) -> str:
    is_fault = any(note.verdict == WRONG and not note.name for note in line.notes)
    kind = ' class="correction"' if line.correction else ' class="wrong"' if is_fault else ""
    number = CORRECTED if line.correction else line.number or ""
    notes = "".join(map(_html_note, line.notes))
    return (
        f'<tr{kind}><td class="number quiet">{number}</td><td><code>{escape(line.text)}</code></td>'
        f"<td>{notes}</td></tr>"
    )


def _html_note(note: Note) -> str:
    kind = "good" if note.verdict == RIGHT else "bad"
    shape = f' <span class="quiet">{escape(note.shape.replace(" ", UNBROKEN))}</span>' if note.shape else ""
    verdict = f'<span class="{kind}">{escape(note.verdict)}</span>'
    return f'<div class="note">{verdict}<span>{escape(note.text)}{shape}</span></div>'
