"""The notes of a program's lines: which arrays a line makes, what they are, right or wrong."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from ...learner.recording import Event
from .listing import RESULT, RIGHT, WRONG, Note
from .observed import Observed
from .words import Words, is_on_its_way

__all__ = ["Notes"]

COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")
MOST_MADE, MOST_GIVEN, MOST_MEANINGS = 6, 8, 4
DEEP, DEEPEST = 2, 3
"""The steps of a path from which on it is told only of what a statement names, and the most of them."""
INDEX = re.compile(r"\[[^\]]*\]")
EMPTY = ("empty", "empty_like", "ndarray")
UNKNOWN = "not recognized"


class Notes:
    """Makes the notes.

    `trusted` says whether a derivative that is recognized is also right in its place. `consequences` has the wrong line
    that an event follows from, by the event's `id`.
    """

    def __init__(self, words: Words, trusted: bool, consequences: Mapping[int, int]) -> None:
        self.words, self.trusted, self.consequences = words, trusted, consequences
        self._arguments: set[str] = set()

    def of_lines(self, made: Sequence[Observed]) -> dict[int, list[Note]]:
        """The notes of each line, by its number."""
        grouped: dict[int, dict[str, list[Observed]]] = {}
        for one in made:
            name = _name(one.event)
            if name is not None and (one.event.array.ndim or one.recognised is not None):
                grouped.setdefault(one.event.line, {}).setdefault(name, []).append(one)
        return {line: self._of_line(named) for line, named in grouped.items()}

    def _of_line(self, named: Mapping[str, Sequence[Observed]]) -> list[Note]:
        given: list[Note] = []
        made: list[Note] = []
        returned: list[Note] = []
        several = sum(name.startswith("return") for name in named) > 1
        for name, ones in named.items():
            is_argument, is_returned = ones[0].event.statement is None, name.startswith("return")
            note = self._note(name, ones, short=is_argument or (is_returned and several))
            (given if is_argument else returned if is_returned else made).append(note)
        return [*_given(self._new(given)[:MOST_GIVEN]), *made[:MOST_MADE], *_returned(returned)]

    def _new(self, given: Sequence[Note]) -> list[Note]:
        """The arguments without the entries of a dict that another function was given before."""
        new = [note for note in given if "[" not in note.name or note.text not in self._arguments]
        self._arguments.update(note.text for note in given)
        return new

    def _note(self, name: str, ones: Sequence[Observed], short: bool) -> Note:
        """The note of one name on one line, of all visits and calls; `short` leaves equations out."""
        known = list(_settled(ones))
        line = next((line for one in ones if (line := self._wrong_because_of(one))), 0)
        if line:
            return Note(name, f"wrong because of line {line}", _one_shape(ones), WRONG)
        if not known:
            return Note(name, "not filled yet" if _is_empty(ones[0].event) else UNKNOWN, _one_shape(ones))
        told = dict.fromkeys((self.words.told(one, short), _shape(one)) for one in known)
        shapes = {shape for _, shape in told}
        plain = len(shapes) == 1 or len({text for text, _ in told}) == 1
        texts = [*dict.fromkeys(text if plain else f"{text} {shape}".rstrip() for text, shape in told)]
        if len(texts) > MOST_MEANINGS:
            texts = [*texts[: MOST_MEANINGS - 2], "...", texts[-1]]
        meaning = ("changed, too: " if _is_changed_too(known[0].event) else "") + ", then ".join(texts)
        return Note(name, meaning, _one_shape(known), self._verdict(known))

    def _wrong_because_of(self, one: Observed) -> int:
        """The wrong line that an array is wrong because of; 0 if the array is right for all that."""
        line = self.consequences.get(id(one.event), 0)
        recognised = one.recognised or (one.becomes if is_on_its_way(one) else None)
        if not line or recognised is None:
            return line
        if recognised.kind == "constant":
            return 0
        is_derivative = recognised.name.startswith("d")
        if one.event.call == 0 and one.event.path.startswith("return"):
            is_right = self.words.as_returned(recognised).name in self.words.gradients and recognised.factor.is_one
            return line if is_derivative and not is_right else 0
        return line if is_derivative and not recognised.factor.is_one else 0

    def _verdict(self, known: Sequence[Observed]) -> str:
        made = [one.becomes if is_on_its_way(one) else one.recognised for one in known]
        told = [recognised for recognised in made if recognised is not None and recognised.kind != "constant"]
        derivative = any(recognised.name.startswith("d") for recognised in told)
        return RIGHT if told and (self.trusted or not derivative) else ""


# which arrays a line makes


def _name(event: Event) -> str | None:
    """How the learner writes what a statement has made; None for what the statement does not make."""
    path, statement = event.path, event.statement
    steps = path.count("[") + path.count(".")
    if steps > DEEPEST or (steps == DEEPEST and "." in path):
        return None
    if event.function.endswith(COMPREHENSIONS):
        return None
    if statement is None:
        return None if path.startswith("self.") else path
    if path == "return" or path.startswith(("return[", "return.")):
        return path
    form = INDEX.sub("[]", path)
    targets = {_form(target): target for target in statement.targets}
    if form in targets:
        made_later = event.loop is not None and path not in event.reads  # by another statement of the loop
        return None if made_later else ast.unparse(targets[form])
    if isinstance(statement.node, ast.For | ast.AsyncFor) and "." in form:
        return None
    if form.endswith("[]") and _appends(statement.node):
        return f"{path.rpartition('[')[0]}[-1]"
    if any(target.startswith(f"{form}[") for target in targets):  # a part of the array
        return path
    if any(form.startswith(f"{target}[") for target in targets) and "." not in form:  # a list and what it holds
        return path
    if event.alias_of is not None:
        return path if event.in_place and steps < DEEP else None
    return path if event.in_place or isinstance(statement.node, ast.Expr) or _is_inside(form, targets) else None


def _form(target: ast.expr) -> str:
    """A target with its indices left out: ``grads[]``."""
    if isinstance(target, ast.Subscript):
        return f"{_form(target.value)}[]"
    return f"{_form(target.value)}.{target.attr}" if isinstance(target, ast.Attribute) else ast.unparse(target)


def _appends(node: ast.stmt) -> bool:
    called = node.value if isinstance(node, ast.Expr) else None
    return isinstance(called, ast.Call) and isinstance(called.func, ast.Attribute) and called.func.attr == "append"


def _is_inside(form: str, targets: Iterable[str]) -> bool:
    return any(form.startswith((f"{target}.", f"{target}[")) for target in targets)


def _is_changed_too(event: Event) -> bool:
    """Whether a statement changes the array without naming it, under another of its names."""
    if event.statement is None or not event.in_place or event.alias_of is None:
        return False
    form = INDEX.sub("[]", event.path)
    return not any(_form(target).startswith(form) for target in event.statement.targets)


def _is_empty(event: Event) -> bool:
    """Whether the statement makes an array without numbers: ``np.empty((n, k))``."""
    if event.statement is None or not isinstance(event.statement.node, ast.Assign):
        return False
    called = [each.func for each in ast.walk(event.statement.node) if isinstance(each, ast.Call)]
    return any(getattr(function, "attr", getattr(function, "id", "")) in EMPTY for function in called)


# visits, shapes, and notes that are told as one


def _settled(ones: Sequence[Observed]) -> Iterator[Observed]:
    """The visits that count: of an array that is filled or summed up bit by bit, the last one in each call."""
    for _, group in groupby(ones, lambda one: (one.event.call, one.event.path)):
        visits = [one for one in group if one.recognised is not None or one.becomes is not None]
        done = [one for one in visits if one.recognised is not None and one.recognised.kind != "constant"]
        whole = done and done[-1].recognised is not None and done[-1].recognised.kind == "array"
        if whole and done[-1].event.in_place:
            yield done[-1]
        elif visits and is_on_its_way(visits[-1]):
            yield visits[-1]
        else:
            yield from done or visits


def _shape(one: Observed) -> str:
    return str(one.event.array.shape) if one.event.array.ndim else ""


def _one_shape(ones: Sequence[Observed]) -> str:
    """The shape, if all have the same."""
    return _one_text([_shape(one) for one in ones])


def _one_text(texts: Sequence[str]) -> str:
    return texts[0] if len({*texts}) == 1 else ""


def _given(notes: Sequence[Note]) -> Iterator[Note]:
    """The arguments of a function as one note."""
    if notes:
        wrong = any(note.verdict == WRONG for note in notes)
        yield Note("", ", ".join(f"{note.text} {note.shape}".rstrip() for note in notes), "", WRONG if wrong else "")


def _returned(notes: Sequence[Note]) -> Iterator[Note]:
    """What a function returns as one note, and as another what of it is wrong."""
    if len(notes) == 1 and notes[0].name == "return":
        note = notes[0]
        yield replace(note, name=RESULT) if note.verdict == WRONG or note.meaning == UNKNOWN else note
        return
    notes = [note for note in notes if note.verdict or note.meaning == UNKNOWN] or notes
    right = [note for note in notes if note.verdict != WRONG and note.meaning != UNKNOWN]
    if right:
        verdict = RIGHT if all(note.verdict == RIGHT for note in right) else ""
        yield Note("return", ", ".join(note.meaning for note in right), "", verdict)
    for meaning in dict.fromkeys(note.meaning for note in notes if note not in right):
        some = [note for note in notes if note.meaning == meaning]
        names = [note.name.removeprefix("return") for note in some]
        name = f"{RESULT}{'s' if len(names) > 1 else ''} {', '.join(names)}"
        yield Note(name, meaning, _one_text([note.shape for note in some]), some[0].verdict)
