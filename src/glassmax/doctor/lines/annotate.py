"""The listing of a program: each line with what it makes, Z1 = X W1 + b1, its shape, right or wrong."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from linecache import getlines
from pathlib import Path

from ...learner.recording import Recording
from ..exact_pass import Pass
from .consequences import consequences
from .listing import WRONG, Line, Listing, Note
from .notes import Notes
from .observed import Observed, observed
from .recognise import Recognition
from .words import Words

__all__ = ["Fault", "annotate"]

TOO_SLOW = "it takes too long"
MOST_LINES = 400
"""A longer file is shown only where the functions are that were watched."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a statement, what it should read if that is known, and its last line."""

    says: str
    write: str
    end_line: int


def annotate(
    passes: Sequence[Pass],
    recordings: Sequence[Recording | None],
    *,
    columns: bool = False,
    turned: bool = False,
    single_precision: bool = False,
    correct: bool = True,
    faults: Mapping[int, Fault] | None = None,
) -> Listing:
    """Build the listing of a program that ran on several probes, the learner's own data first.

    Parameters
    ----------
    passes, recordings : sequences
        The exact pass of each probe, and what the learner's statements did on it, None where they were not watched.
    columns, turned : bool
        Whether the learner's samples are columns, and weights (out, in): then a transposed array is the usual one.
    single_precision : bool
        Whether the learner computes in float32.
    correct : bool
        Whether the gradients are right. If they are not, and no line is known to be wrong, a derivative that is
        recognized need not be the right one in its place.
    faults : mapping of int to Fault, optional
        What is wrong, by the number of the line.

    Returns
    -------
    Listing
    """
    own, known = recordings[0] if recordings else None, faults or {}
    if own is None or own.source is None:
        return Listing(why=f"the function was not watched, because {TOO_SLOW if own is None else own.why}")
    watched = [(p, each) for p, each in zip(passes, recordings, strict=True) if each is not None and each.events]
    made: list[Observed] = []
    if own.events:
        made = observed(Recognition([p for p, _ in watched], single_precision), [each for _, each in watched])
    ends = [event for event in own.events if event.call == 0 and event.path.startswith("return")]
    returned = {path for event in ends for path in event.reads}
    words = Words(passes[0], columns, turned, returned)
    notes = Notes(words, correct or bool(known), consequences(own, known.keys()))
    lines: list[Line] = []
    for file in _files(own):
        of_file = notes.of_lines([one for one in made if own.calls[one.event.call].file == file])
        shown = list(_shown(own, file))
        _move_below_decorators(of_file, shown)
        faulty = known if not lines else {}
        marked = [_line(number, text, of_file.get(number, []), faulty) for number, text in shown]
        lines += [Line(0, "...")] if lines else []
        lines += _with_corrections(marked, faulty)
    why = f"the function was not watched to its end, because {own.why}" if own.why else ""
    return Listing(Path(_files(own)[0]).name, tuple(lines), words.said(), why)


def _files(recording: Recording) -> list[str]:
    """The file of the function, first; then those of the functions that it calls: other cells of a notebook."""
    return list(dict.fromkeys(call.file for call in recording.calls)) or [""]


def _move_below_decorators(notes: dict[int, list[Note]], shown: Sequence[tuple[int, str]]) -> None:
    """Give the notes of a decorator, which are about the arguments of the function below it, to that function."""
    waiting: list[Note] = []
    for number, text in shown:
        if text.lstrip().startswith("@"):
            waiting += notes.pop(number, [])
        elif waiting and text.lstrip().startswith(("def ", "async def ")):
            notes[number] = [*waiting, *notes.get(number, [])]
            waiting = []


def _line(number: int, text: str, notes: Sequence[Note], faults: Mapping[int, Fault]) -> Line:
    """A line with its notes; of a wrong one, with what is wrong."""
    if number not in faults:
        return Line(number, text, tuple(notes))
    shapes = [note.shape for note in notes]
    return Line(number, text, (Note("", faults[number].says, shapes[0] if len(shapes) == 1 else "", WRONG),))


def _with_corrections(lines: Sequence[Line], faults: Mapping[int, Fault]) -> Iterator[Line]:
    """The lines, with what a wrong statement should read below it."""
    indent = {line.number: len(line.text) - len(line.text.lstrip()) for line in lines}
    after = {fault.end_line: (number, fault.write) for number, fault in faults.items() if fault.write}
    for line in lines:
        yield line
        number, write = after.get(line.number, (0, ""))
        for text in write.splitlines():
            yield Line(line.number, " " * indent.get(number, 0) + text, correction=True)


# the lines that are shown


def _shown(recording: Recording, file: str) -> Iterator[tuple[int, str]]:
    """The numbers and texts of the lines: the whole file, or the functions that were watched."""
    assert recording.source is not None
    is_first = file == _files(recording)[0]
    text = [line.rstrip().expandtabs(4) for line in (recording.source.lines if is_first else getlines(file))]
    is_short = len(text) <= MOST_LINES
    wanted = sorted(range(1, len(text) + 1) if is_short else _of_functions(recording, text, file))
    filled = [number for number in wanted if text[number - 1]]
    before = filled[0] - 1 if filled and is_short else 0
    for number in wanted:
        if not filled[0] <= number <= filled[-1]:
            continue
        if number > before + 1:
            yield 0, "..."
        yield number, text[number - 1]
        before = number


def _of_functions(recording: Recording, text: Sequence[str], file: str) -> set[int]:
    starts = {call.first_line for call in recording.calls if call.file == file}
    wanted: set[int] = set()
    for node in ast.walk(ast.parse("\n".join(text))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
            if first in starts:
                wanted.update(range(first, (node.end_lineno or first) + 1))
    return wanted
