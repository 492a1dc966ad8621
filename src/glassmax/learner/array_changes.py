"""The arrays that a call is known to have, and the events that are made where a statement has bound or changed one.

An array counts as changed if its numbers are no longer those of the copy that was made when it was last seen. This
module refuses to write to an array of the learner's.
"""

import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..functional.arrays import Array
from .named_arrays import NamedArray, arrays_of, memory_of, same
from .paths import paths_along, read_paths
from .recording import Call, Event, Limits
from .statements import Statement

__all__ = ["ArrayChanges", "CallArrays", "LimitReachedError", "Place"]


class LimitReachedError(Exception):
    """There is no more room for copies or events."""


class _Known:
    """An array as it was when it was last seen: a copy, and a weak reference to the learner's own if there is one."""

    __slots__ = ("array", "held", "memory")

    def __init__(self, array: Array, held: Array | None, memory: int) -> None:
        self.array, self.memory = array, memory
        self.held = None if held is None else weakref.ref(held)

    def now(self) -> Array | None:
        """The learner's array, None if it is gone or never was an array of NumPy's."""
        return None if self.held is None else self.held()


class CallArrays:
    """The arrays of a call by their paths.

    `paths` are the paths into each memory, the oldest first, `ids` the objects that the variables held when they were
    last looked at, `unseen` the variables of statements that were passed over since, and `changed_inside` arrays that
    were changed by a call that this one waits for.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self.known: dict[str, _Known] = {}
        self.paths: dict[int, dict[str, None]] = {}
        self.ids: dict[str, int] = {}
        self.unseen: set[str] = set()
        self.changed_inside: list[weakref.ref[Array]] = []


class Place:
    """Where arrays are recorded: the statement, how often it has run, and the variables as they are after it."""

    def __init__(
        self, statement: Statement | None, visit: int, variables: Mapping[str, Any], loop: Statement | None = None
    ) -> None:
        self.statement, self.visit, self.variables, self.loop = statement, visit, variables, loop
        self.reads: tuple[str, ...] | None = None
        self.written: list[str] = []
        for target in statement.assigned if statement is not None else ():
            paths, whole = paths_along(target, variables)
            last = variables.get(paths[-1]) if len(paths) == 1 else None
            if paths and (whole or len(paths) > 1 or isinstance(last, np.ndarray)):
                self.written.append(paths[-1])

    def writes(self, path: str) -> bool:
        """Whether the statement assigns to the array at a path, or to what it is inside of."""
        return any(
            path == written or (path.startswith(written) and path[len(written)] in "[.") for written in self.written
        )


class ArrayChanges:
    """Finds the changes and records them; `is_own` says which classes are the learner's."""

    def __init__(self, events: list[Event], limits: Limits, is_own: Callable[[type], bool]) -> None:
        self.events, self.limits, self.is_own = events, limits, is_own
        self._bytes = self.numbered = 0
        self.deadline = float("inf")
        self._memories: dict[int, tuple[weakref.ref[Array], int]] = {}
        self._copies: dict[int, _Known] = {}

    def look(self, arrays: CallArrays, place: Place, others: Iterable[CallArrays]) -> None:
        """Compare the arrays of a statement's variables with what is known of them.

        `others` are the arrays of the calls that wait for this one.
        """
        statement = place.statement
        assert statement is not None
        changed: list[Array] = []
        for name, value in place.variables.items():
            unseen = name in arrays.unseen
            looked_at = arrays.ids.get(name) == id(value) and not statement.may_change and not unseen
            if looked_at and name not in statement.bound:
                continue
            arrays.ids[name] = id(value)
            arrays.unseen.discard(name)
            for found in arrays_of(name, value, self.is_own):
                known, writes = arrays.known.get(found.path), place.writes(found.path)
                if known is not None and not self._differs(found, known) and (place.loop is not None or not writes):
                    continue
                if unseen and not writes and place.loop is None:  # a statement that was passed over has changed it
                    self.note(arrays, found)
                elif self.take(arrays, found, place) and found.held is not None:
                    changed.append(found.held)
                    for other in others:
                        other.changed_inside.append(weakref.ref(found.held))
        changed += [array for array in (reference() for reference in arrays.changed_inside) if array is not None]
        arrays.changed_inside.clear()
        for array in changed:
            self._others_changed(arrays, array, place)

    def _differs(self, found: NamedArray, known: _Known) -> bool:
        return found.held is not known.now() or not same(found.array, known.array)

    def _others_changed(self, arrays: CallArrays, array: Array, place: Place) -> None:
        """Record the other paths that lead into memory that was written to."""
        memory = self.memory(array)
        for path in list(arrays.paths.get(memory, ())):
            known = arrays.known[path]
            now = known.now()
            if known.memory != memory or now is None or not np.may_share_memory(now, array):
                continue
            if not same(now, known.array):
                self.take(arrays, NamedArray(path, now, now), place)

    def take(self, arrays: CallArrays, found: NamedArray, place: Place) -> bool:
        """Record one array; return whether it was changed in place."""
        known, statement = arrays.known.get(found.path), place.statement
        if known is None:
            in_place = False
        elif found.held is not None:
            in_place = known.now() is found.held and not same(found.array, known.array)
        else:  # a list of numbers
            rebound = statement is not None and found.path.partition("[")[0].partition(".")[0] in statement.bound
            in_place = known.held is None and found.array.ndim > 0 and not rebound
        alias = self._alias(arrays, found)
        kept = self.note(arrays, found)
        if place.reads is None:
            place.reads = read_paths(statement.read, place.variables, arrays.known.keys()) if statement else ()
        event = Event(
            line=statement.line if statement is not None else arrays.call.first_line,
            end_line=statement.end_line if statement is not None else arrays.call.first_line,
            function=arrays.call.function,
            call=arrays.call.number,
            visit=place.visit,
            path=found.path,
            array=kept.array,
            in_place=in_place,
            alias_of=alias,
            memory=kept.memory,
            reads=place.reads,
            statement=statement,
            loop=place.loop,
        )
        self.events.append(event)
        if time.perf_counter() > self.deadline:
            raise LimitReachedError(f"watching took longer than {self.limits.seconds:g} s")
        if len(self.events) >= self.limits.events:
            raise LimitReachedError(f"there are more than {self.limits.events} arrays to record")
        return in_place

    def note(self, arrays: CallArrays, found: NamedArray) -> _Known:
        """Keep a copy of an array under its path."""
        known = arrays.known.get(found.path)
        if known is None and found.held is not None:  # another call may know it
            known = self._copies.get(id(found.held))
        if known is not None and same(found.array, known.array):
            copy = known.array
        else:
            self._bytes += found.array.nbytes
            if self._bytes > self.limits.bytes:
                raise LimitReachedError(f"the arrays take more than {self.limits.bytes >> 20} MiB")
            copy = np.array(found.array, subok=False)
            copy.flags.writeable = False
        known = _Known(copy, found.held, self.memory(found.held))
        arrays.known[found.path] = known
        if known.memory:
            arrays.paths.setdefault(known.memory, {})[found.path] = None
        if found.held is not None:
            self._copies[id(found.held)] = known
        return known

    def _alias(self, arrays: CallArrays, found: NamedArray) -> str | None:
        """The oldest other path that leads into the same memory."""
        if found.held is None:
            return None
        memory = self.memory(found.held)
        for path in arrays.paths.get(memory, ()):
            known = arrays.known[path]
            if known.memory == memory and path != found.path:
                now = known.now()
                if now is not None and np.may_share_memory(now, found.held):
                    return path
        return None

    def memory(self, array: Array | None) -> int:
        """The number of the memory that an array looks into; 0 for None, that is for a number or a list."""
        if array is None:
            return 0
        root = memory_of(array)
        found = self._memories.get(id(root))
        if found is None or found[0]() is not root:
            self.numbered += 1
            found = self._memories[id(root)] = (weakref.ref(root), self.numbered)
        return found[1]
