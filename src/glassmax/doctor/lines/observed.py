"""What the statements of the learner's program have made, on every probe, and which array of the exact pass that is.

An event of the run on the learner's own data is put beside the same event of the other runs: the same statement, in the
same call, at the same visit. A statement in a loop over samples makes the same array again and again, so only its first
visits and its last are looked at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...functional.arrays import Array
from ...learner.recording import Event, Recording
from .recognise import Recognised, Recognition

__all__ = ["Observed", "observed"]

VISITS = 12
"""How many times the same array of the same statement is recognized, besides the last time."""
MOST = 1500
"""How many arrays are recognized altogether."""
MOST_NUMBERS = 200
"""How many single numbers of a statement are looked at."""

Key = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Observed:
    """An array that a statement has made.

    `event` is that of the learner's own data, `values` has the array on each probe, None where it is missing. `becomes`
    is what a later statement, or the same one at a later visit, turns the array into, if the array is nothing yet.
    """

    event: Event
    values: tuple[Array | None, ...]
    recognised: Recognised | None
    becomes: Recognised | None = None


def observed(recognition: Recognition, recordings: Sequence[Recording], visits: int = VISITS) -> list[Observed]:
    """Recognize what the events of several runs have made, in the order of the run on the learner's own data.

    The recordings are those of the passes of `recognition`, in the same order.
    """
    tables = [_table(recording) for recording in recordings]
    counted: Counter[Key] = Counter()
    ends = _last_of(recordings[0])
    found: list[Observed] = []
    numbers = _numbers(recognition, recordings)
    for key, event in tables[0].items():
        place = _place(event)
        counted[place] += 1
        most = visits // 2 if event.in_place else visits  # what is filled bit by bit is nothing before the end
        if len(found) >= MOST or (counted[place] > most and ends[place] is not event):
            continue
        values = tuple(table[key].array if key in table else None for table in tables)
        recognised = None if _counts(event) else recognition.best(values)
        if recognised is None and event.array.ndim == 0:
            recognised = numbers.get(place)
        found.append(Observed(event, values, recognised))
    unfinished = {(one.event.call, one.event.path) for one in found if not _is_whole(one.recognised)}
    return _with_what_follows(found, recordings[0], _ends(recognition, recordings, unfinished))


def _counts(event: Event) -> bool:
    """Whether it is the variable of a loop, or another number that counts."""
    target = event.statement is not None and type(event.statement.node).__name__ in ("For", "AsyncFor")
    return target and event.array.ndim == 0


def _place(event: Event) -> Key:
    """The statement and the path."""
    statement = event.statement
    column = statement.node.col_offset if statement is not None else -1
    return event.function, event.line, column, event.path, event.loop is not None


def _table(recording: Recording) -> dict[Key, Event]:
    """The events by what makes them the same in every run."""
    calls = _calls(recording)
    ordinals: Counter[Key] = Counter()
    table: dict[Key, Event] = {}
    for event in recording.events:
        place = (calls[event.call], *_place(event))
        if event.loop is None:
            table.setdefault((*place, event.visit), event)
        else:  # the number of visits depends on the number of rows, that of the loop's ends does not
            where = (*place, event.loop.line)
            ordinals[where] += 1
            table[(*where, ordinals[where])] = event
    return table


def _calls(recording: Recording) -> list[Key]:
    """Each call by its way from the first one: functions, lines, and how many such calls there were before."""
    ways: list[Key] = []
    counted: Counter[Key] = Counter()
    for call in recording.calls:
        above = ways[call.parent] if call.parent is not None else ()
        way = (*above, call.function, call.line)
        counted[way] += 1
        ways.append((*way, counted[way]))
    return ways


def _last_of(recording: Recording) -> dict[Key, Event]:
    return {_place(event): event for event in recording.events}


def _numbers(recognition: Recognition, recordings: Sequence[Recording]) -> dict[Key, Recognised]:
    """The statements that make single numbers of an array, one at a time, and that array."""
    gathered: dict[Key, list[list[float]]] = defaultdict(lambda: [[] for _ in recordings])
    for number, recording in enumerate(recordings):
        for event in recording.events:
            if event.array.ndim == 0 and event.array.dtype.kind == "f":
                values = gathered[_place(event)][number]
                if len(values) < MOST_NUMBERS:
                    values.append(float(event.array))
    found = {}
    for place, numbers in gathered.items():
        recognised = recognition.cells(numbers)
        if recognised is not None:
            found[place] = recognised
    return found


def _is_whole(recognised: Recognised | None) -> bool:
    return recognised is not None and recognised.kind == "array"


def _ends(recognition: Recognition, recordings: Sequence[Recording], wanted: set[Key]) -> dict[Key, Recognised]:
    """What some arrays are that a call leaves behind, by the number of the call and the path.

    Which statement has changed an array last may depend on the data; what is there in the end does not.
    """
    last: list[dict[Key, Event]] = []
    for recording in recordings:
        calls = _calls(recording)
        last.append({(calls[event.call], event.path): event for event in recording.events})
    ends = {}
    for key, event in last[0].items():
        if event.in_place and event.array.ndim and (event.call, event.path) in wanted:
            found = recognition.best([events[key].array if key in events else None for events in last])
            if found is not None and _is_whole(found):
                ends[event.call, event.path] = found
    return ends


def _with_what_follows(found: Sequence[Observed], recording: Recording, ends: dict[Key, Recognised]) -> list[Observed]:
    """Say of arrays that are nothing yet what they become: zeros that are filled, sums over samples."""
    by_event = {id(one.event): one for one in found}
    later = dict(ends)
    told: list[Observed] = []
    for event in reversed(recording.events):
        one, where = by_event.get(id(event)), (event.call, event.path)
        if one is not None:
            whole = _is_whole(one.recognised)
            told.append(one if whole else replace(one, becomes=later.get(where)))
            if event.array.ndim and one.recognised is not None and whole:
                later[where] = one.recognised
        if not (event.in_place or event.loop is not None or _adds(event)):
            later.pop(where, None)  # bound anew here: what was there before has not become this
    return told[::-1]


def _adds(event: Event) -> bool:
    """Whether the statement makes the array from the array itself: ``dW = dW + ...``."""
    return event.path in event.reads
