"""The listing of a program: each line with what it makes, Z1 = X W1 + b1, its shape, right or wrong."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from ...learner.recording import Event, Recording
from ..exact_pass import Pass
from .equations import told_with_equation
from .listing import RIGHT, WRONG, Line, Listing, Note
from .observed import Observed, observed
from .recognise import Recognised, Recognition

__all__ = ["annotate"]

COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
MOST_LINES = 400
"""A longer file is shown only where the functions are that were watched."""
UNKNOWN = "not recognized"
MOST_NOTES, MOST_MEANINGS = 8, 4
INDEX = re.compile(r"\[[^\]]*\]")


def annotate(
    passes: Sequence[Pass],
    recordings: Sequence[Recording | None],
    *,
    columns: bool = False,
    turned: bool = False,
    single_precision: bool = False,
    correct: bool = True,
    wrong: Mapping[int, str] | None = None,
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
        Whether the gradients are right. If they are not, a derivative that is recognized need not be the right one in
        its place.
    wrong : mapping of int to str, optional
        What is wrong, by the number of the line.

    Returns
    -------
    Listing
    """
    own = recordings[0] if recordings else None
    if own is None or own.source is None:
        return Listing(why=own.why if own is not None and own.why else "no function was watched")
    watched = [(p, each) for p, each in zip(passes, recordings, strict=True) if each is not None and each.events]
    made: list[Observed] = []
    if own.events:
        made = observed(Recognition([p for p, _ in watched], single_precision), [each for _, each in watched])
    words = _Words(passes[0], columns, turned, correct)
    notes = _notes(made, words, wrong or {})
    file = own.calls[0].file if own.calls else ""
    lines = tuple(Line(number, text, tuple(notes.get(number, ()))) for number, text in _shown(own))
    return Listing(Path(file).name, lines, words.said(), own.why)


# the lines that are shown


def _shown(recording: Recording) -> Iterator[tuple[int, str]]:
    """The numbers and texts of the lines: the whole file, or the functions that were watched."""
    assert recording.source is not None
    text = [line.rstrip().expandtabs(4) for line in recording.source.lines]
    wanted = {*range(1, len(text) + 1)} if len(text) <= MOST_LINES else _of_functions(recording, text)
    filled = [number for number in sorted(wanted) if text[number - 1]]
    before = filled[0] - 1 if filled and len(text) <= MOST_LINES else 0
    for number in sorted(wanted):
        if not filled[0] <= number <= filled[-1]:
            continue
        if number > before + 1:
            yield 0, "..."
        yield number, text[number - 1]
        before = number


def _of_functions(recording: Recording, text: Sequence[str]) -> set[int]:
    file = recording.calls[0].file if recording.calls else ""
    starts = {call.first_line for call in recording.calls if call.file == file}
    wanted: set[int] = set()
    for node in ast.walk(ast.parse("\n".join(text))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
            if first in starts:
                wanted.update(range(first, (node.end_lineno or first) + 1))
    return wanted


# the notes of a line


def _notes(made: Sequence[Observed], words: _Words, wrong: Mapping[int, str]) -> dict[int, list[Note]]:
    """The notes of each line."""
    grouped: dict[int, dict[str, list[Observed]]] = {}
    for one in made:
        name = _name(one.event)
        if name is not None and (one.event.array.ndim or one.recognised is not None):
            grouped.setdefault(one.event.line, {}).setdefault(name, []).append(one)
    notes = {}
    for line, named in grouped.items():
        told = [words.note(name, ones) for name, ones in named.items()][:MOST_NOTES]
        given = {name for name, ones in named.items() if ones[0].event.statement is None}
        returned = {name for name in named if name.startswith("return")}
        notes[line] = _joined(_joined(told, given, ""), returned, "return")
    for line, says in wrong.items():
        others = [note for note in notes.get(line, []) if note.verdict != RIGHT or note.name == ""]
        notes[line] = [Note("", says, "", WRONG), *others]
    return notes


def _name(event: Event) -> str | None:
    """How the learner writes what a statement has made; None for what the statement does not make."""
    path, statement = event.path, event.statement
    if event.function.endswith(COMPREHENSIONS):
        return None
    if statement is None:
        return None if path.startswith("self.") else path
    if path == "return" or path.startswith(("return[", "return.")):
        return path
    form = INDEX.sub("[]", path)
    targets = {_form(target): target for target in statement.targets}
    if form in targets:
        return ast.unparse(targets[form])
    if any(target.startswith(f"{form}[") for target in targets):  # a part of the array
        return path
    if any(form.startswith((f"{target}[", f"{target}.")) for target in targets):
        return path if event.alias_of is None else None
    return path if event.in_place else None


def _form(target: ast.expr) -> str:
    """A target with its indices left out: ``grads[]``."""
    if isinstance(target, ast.Subscript):
        return f"{_form(target.value)}[]"
    return f"{_form(target.value)}.{target.attr}" if isinstance(target, ast.Attribute) else ast.unparse(target)


def _is_changed_too(event: Event) -> bool:
    """Whether a statement changes the array without naming it, under another of its names."""
    if event.statement is None or not event.in_place or event.alias_of is None:
        return False
    form = INDEX.sub("[]", event.path)
    return not any(_form(target).startswith(form) for target in event.statement.targets)


def _joined(notes: Sequence[Note], names: set[str], name: str) -> list[Note]:
    """The notes, those of some names, which a function is given or returns, as one."""
    some = [note for note in notes if note.name in names and note.meaning != UNKNOWN]
    if not some or (len(some) == 1 and name):
        return [*notes]
    meanings = []
    for note in some:
        meaning = note.meaning.split(" = ")[0] if name else note.meaning
        shape = f"{note.shape}" if note.shape and not name else ""
        told = meaning if name and note.verdict else Note(note.name, meaning).text
        meanings.append(f"{told} {shape}".strip())
    verdicts = {note.verdict for note in some}
    verdict = verdicts.pop() if name and len(verdicts) == 1 else ""
    return [Note(name, ", ".join(meanings), "", verdict), *(note for note in notes if note not in some)]


class _Words:
    """What arrays are, in words, for one learner: their number of samples, their layout."""

    def __init__(self, p: Pass, columns: bool, turned: bool, correct: bool) -> None:
        self.p, self.columns, self.turned, self.correct = p, columns, turned, correct
        self.factor_n = False

    def note(self, name: str, ones: Sequence[Observed]) -> Note:
        """The note of one name on one line, of all visits and calls."""
        known = list(self._settled(ones))
        if not known:
            shapes = {str(one.event.array.shape) for one in ones}
            return Note(name, UNKNOWN, shapes.pop() if len(shapes) == 1 else "")
        given = known[0].event.statement is None
        told = dict.fromkeys((self._told(one, given), _shape(one)) for one in known)
        shapes = {shape for _, shape in told}
        texts = [text if len(shapes) == 1 else f"{text} {shape}".rstrip() for text, shape in told]
        if len(texts) > MOST_MEANINGS:
            texts = [*texts[: MOST_MEANINGS - 2], "...", texts[-1]]
        meaning = ", then ".join(texts)
        if _is_changed_too(known[0].event):
            meaning = f"changed, too: {meaning}"
        return Note(name, meaning, shapes.pop() if len(shapes) == 1 else "", self._verdict(known))

    def _settled(self, ones: Sequence[Observed]) -> Iterator[Observed]:
        """The visits that count: of an array that is filled or summed up bit by bit, the last one in each call."""
        for _, group in groupby(ones, lambda one: (one.event.call, one.event.path)):
            visits = [one for one in group if one.recognised is not None or one.becomes is not None]
            done = [one for one in visits if one.recognised is not None and one.recognised.kind != "constant"]
            whole = done and done[-1].recognised is not None and done[-1].recognised.kind == "array"
            yield from done[-1:] if whole and done[-1].event.in_place else done or visits

    def _verdict(self, known: Sequence[Observed]) -> str:
        told = [one.recognised for one in known if one.recognised is not None and one.recognised.kind != "constant"]
        derivative = any(recognised.name.startswith("d") for recognised in told)
        return RIGHT if told and (self.correct or not derivative) else ""

    def _told(self, one: Observed, short: bool) -> str:
        """An array in words; `short` leaves its equation out."""
        recognised, becomes = one.recognised, one.becomes
        if recognised is None:
            assert becomes is not None
            return f"not complete yet, later {becomes.told(self.p.n)}"
        if recognised.kind == "constant":
            if recognised.name == "n":
                return f"n, the number of samples: {self.p.n}"
            return recognised.name if becomes is None else f"{recognised.name}, later {becomes.told(self.p.n)}"
        self.factor_n = self.factor_n or recognised.factor.power in (1, -1)
        if recognised.kind == "row":
            return f"{recognised.told(self.p.n)} of one sample"
        if recognised.kind == "cell":
            return f"one number of {recognised.told(self.p.n)}"
        if recognised.samples is not None:
            return f"{recognised.told(self.p.n)}{self._which(recognised.samples)}"
        if one.event.path.startswith("return"):
            recognised = self._as_returned(recognised)
        told = recognised.told(self.p.n) if short else told_with_equation(recognised, self.p)
        return f"{told}{self._turn(recognised, one)}"

    def _as_returned(self, recognised: Recognised) -> Recognised:
        """Of the names that fit, that of a gradient: of one sample, dZ2 is db2 as well."""
        gradients = {f"d{kind}{layer}" for kind, layer in self.p.architecture.parameters}
        other = next((name for name in recognised.other if name in gradients), None)
        return recognised if other is None or recognised.name in gradients else Recognised(other)

    def _which(self, samples: tuple[int, ...]) -> str:
        if {*samples} == {*range(self.p.n)}:
            return ", samples in another order"
        listed = ", ".join(map(str, samples[:4])) + (", ..." if len(samples) > 4 else "")
        return f" of sample{'s' if len(samples) > 1 else ''} {listed}"

    def _turn(self, recognised: Recognised, one: Observed) -> str:
        """Whether the array is turned, where that is not the learner's usual way."""
        if recognised.flat:
            return ", as one vector"
        if sum(size > 1 for size in one.event.array.shape) < 2:
            return ""
        weights = recognised.name.removeprefix("d").startswith("W")
        usual = self.turned if weights else self.columns
        return "" if recognised.transposed == usual else ", transposed"

    def said(self) -> tuple[str, ...]:
        """What holds for all lines."""
        found = []
        if self.factor_n:
            found.append(f"{self.p.n} is n, the number of samples")
        if self.columns:
            found.append("your samples are columns, the equations have them in rows: your arrays are the transposes")
        elif self.turned:
            found.append("your weights are (out, in), the equations have them (in, out): yours are the transposes")
        return tuple(found)


def _shape(one: Observed) -> str:
    return str(one.event.array.shape) if one.event.array.ndim else ""
