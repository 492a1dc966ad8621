"""The statement that writes into memory that it should leave alone: an argument, another name, an earlier call.

Nothing is computed here: the recording says which arrays share memory and which statement changed one.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...learner.recording import Event, Recording

__all__ = [
    "WrittenLine",
    "bound_as_the_same",
    "last_reader",
    "writes_into_another_name",
    "writes_into_argument",
    "writes_into_past",
]


@dataclass(frozen=True)
class WrittenLine:
    """A statement that changes or names an array: the line from 1, the text, the path of the array, its other path."""

    line: int
    text: str
    path: str
    other: str = ""


def writes_into_argument(recording: Recording) -> WrittenLine | None:
    """The first statement that changes what the function was given."""
    given = _given(recording)
    memories, entries = {event.memory for event in given} - {0}, {event.path for event in given}
    for event in _of_statements(recording):
        if event.in_place and event.memory in memories:
            return _line(recording, event)
        if event.call == 0 and event.path in entries and not event.path.isidentifier() and _stores(event):
            return _line(recording, event)
    return None


def writes_into_another_name(recording: Recording) -> WrittenLine | None:
    """The first statement that changes an array that is read under another name afterwards."""
    events = list(_of_statements(recording))
    for number, event in enumerate(events):
        if event.in_place and event.memory and event.loop is None:
            other = _read_afterwards(events, number)
            if other:
                return _line(recording, event, other)
    return None


def bound_as_the_same(recording: Recording, change: WrittenLine) -> WrittenLine | None:
    """The statement that gave the two names of a change the same memory."""
    names = {change.path, change.other}
    found = None
    for event in _of_statements(recording):
        if event.line == change.line and event.in_place:
            break
        if event.path in names and event.alias_of in names:
            found = event
    return None if found is None else _line(recording, found, found.alias_of or "")


def writes_into_past(recording: Recording) -> WrittenLine | None:
    """The first statement that changes an array which was there before the call, and is no argument."""
    given = {event.memory for event in _given(recording)}
    for event in _of_statements(recording):
        if event.in_place and 0 < event.memory <= recording.older and event.memory not in given:
            return _line(recording, event)
    return None


def last_reader(recording: Recording, line: int) -> tuple[int, str] | None:
    """The last line that reads what the statement of a line has changed, and by which name; None if none does."""
    events = list(_of_statements(recording))
    change = next((event for event in events if event.line == line and event.memory), None)
    if change is None:
        return None
    same = [event for event in recording.events if event.call == change.call and event.memory == change.memory]
    names = {event.path for event in same} | {change.path}
    statements = {id(event.statement): event for event in events if event.call == change.call and event.line > line}
    found = [(event.end_line, name) for event in statements.values() for name in event.reads if name in names]
    return max(found, default=None)


def _given(recording: Recording) -> list[Event]:
    """The arrays of the three arguments: parameters, X and y. A fourth has its default, which outlives the call."""
    events = [event for event in recording.events if event.call == 0 and event.visit == 0]
    roots = list(dict.fromkeys(re.split(r"\W", event.path)[0] for event in events))
    return [event for event in events if re.split(r"\W", event.path)[0] in roots[:3]]


def _of_statements(recording: Recording) -> Iterator[Event]:
    return (event for event in recording.events if event.statement is not None)


def _stores(event: Event) -> bool:
    targets = event.statement.assigned if event.statement is not None else ()
    return any(isinstance(target, ast.Subscript | ast.Attribute) for target in targets)


def _read_afterwards(events: list[Event], number: int) -> str:
    """Another path into the memory of a change, if a later statement reads that path before it is bound anew."""
    change = events[number]
    same = [event for event in events[:number] if event.call == change.call and event.memory == change.memory]
    others = dict.fromkeys(event.path for event in same if event.path != change.path)
    for later in events[number + 1 :]:
        if later.call != change.call or later.statement is change.statement:
            continue
        for other in others:
            if other in later.reads and later.path != other:
                return other
        if not later.in_place:
            others.pop(later.path, None)
    return ""


def _line(recording: Recording, event: Event, other: str = "") -> WrittenLine:
    statement = event.statement
    text = ""
    if statement is not None and recording.source is not None and _is_of_source(recording, event):
        text = ast.get_source_segment("\n".join(recording.source.lines), statement.node) or ""
    return WrittenLine(event.line, text, event.path, other)


def _is_of_source(recording: Recording, event: Event) -> bool:
    """Whether the event's function stands in the file, or the cell, of the first function."""
    return recording.calls[event.call].file == recording.calls[0].file
