"""A learner's function, watched while it runs: after each statement, the arrays that its variables lead to.

`watch_lines` calls the function and records every array that a statement has bound or changed, in the function itself
and in the functions of the same module that it calls. Nothing of the learner's is changed: arrays are copied, never
written to, and exceptions pass through. Watching ends by itself where it would cost too much time or memory.
"""

import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ..functional.arrays import Array
from .named_arrays import HEAP_TYPE, NamedArray, arrays_of, memory_of, same
from .paths import paths_along, read_paths
from .recording import Call, Event, Limits, Recording
from .statements import Source, Statement, source_of
from .trace_hooks import tracing

__all__ = ["Call", "Event", "Limits", "Recording", "watch_lines"]

OFTEN = 16
"""How many times a statement is recorded each time it runs; after that, only when a loop around it has ended."""

MOST_CALLS = 40
"""How many calls of one function are watched, not counting the function that is watched first."""

OPTIMIZED = 0x1
"""The flag of the code of a function, and not of a class or a module."""

STOPS_INSIDE = 0x20 | 0x80 | 0x200
"""The flags of code that stops in the middle: generators and coroutines."""

PASSED_OVER = 1e-6
"""About the seconds that a statement costs which is passed over."""


def watch_lines(
    function: Callable[..., Any], arguments: Sequence[Any], limits: Limits | None = None
) -> tuple[Any, Recording]:
    """Call a function and record the arrays of its statements.

    Parameters
    ----------
    function : callable
        A function, a method, or an object with ``__call__``, whose source can be read.
    arguments : sequence
        Its arguments.
    limits : Limits, optional
        Where watching ends by itself.

    Returns
    -------
    returned, recording
        What the function returns, and what was recorded.

    Raises
    ------
    BaseException
        Whatever the function raises.

    Notes
    -----
    Generators and other threads are not watched. A function that can't be watched is called as it is; so is one under a
    debugger or another trace function.
    """
    recording = Recording()
    inner = _function_of(function)
    code = getattr(inner, "__code__", None)
    if not isinstance(code, CodeType):
        recording.why = "it is not written in Python"
        return function(*arguments), recording
    recording.source = source_of(code, inner.__globals__)
    if recording.source is None:
        recording.why = "its source is not to be found"
        return function(*arguments), recording
    if code.co_flags & STOPS_INSIDE:
        recording.why = "it is a generator"
        return function(*arguments), recording
    watch = _Watch(recording, code, inner.__globals__, limits or Limits())
    with tracing(watch) as refused:
        returned = function(*arguments)
    watch.stop(refused[0] if refused else "")
    return returned, recording


def _function_of(function: Any) -> Any:
    """The function with the code, under decorators, ``functools.partial``, methods and callable objects."""
    for _ in range(20):
        if hasattr(function, "__code__") and not hasattr(function, "__wrapped__"):
            return function
        links = (getattr(function, name, None) for name in ("__wrapped__", "__func__", "func"))
        method = getattr(type(function), "__call__")  # noqa: B004, B009 - the method itself, of the class
        function = next((link for link in links if callable(link)), method)
    return None


class _Known:
    """An array as it was when it was last seen: a copy, and a weak reference to the learner's own if there is one."""

    __slots__ = ("array", "held", "memory")

    def __init__(self, array: Array, held: Array | None, memory: int) -> None:
        self.array, self.memory = array, memory
        self.held = None if held is None else weakref.ref(held)

    def now(self) -> Array | None:
        """The learner's array, None if it is gone or never was an array of NumPy's."""
        return None if self.held is None else self.held()


class _Run:
    """One call: the statement that is running, and the arrays that are known."""

    def __init__(self, call: Call, table: Sequence[Statement | None], crowded: bool) -> None:
        self.call, self.table, self.crowded = call, table, crowded
        self.statement: Statement | None = None
        self.offset = -1
        self.raised = False
        self.known: dict[str, _Known] = {}
        self.ids: dict[str, int] = {}
        self.visits: dict[Statement, int] = {}
        self.in_loop: dict[Statement, dict[Statement, None]] = {}
        self.loop_ends: dict[Statement, int] = {}
        self.unseen: set[str] = set()
        self.changed_inside: list[weakref.ref[Array]] = []

    def remember(self, statement: Statement) -> int:
        """Count a run of a statement, and remember it for the ends of the loops it stands in."""
        visit = self.visits[statement] = self.visits.get(statement, 0) + 1
        for loop in statement.loops:
            self.in_loop.setdefault(loop, {})[statement] = None
        return visit


class _Place:
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


class _Watch:
    """What the trace hooks call for each frame of the learner's module."""

    def __init__(self, recording: Recording, code: CodeType, scope: dict[str, Any], limits: Limits) -> None:
        self.recording, self.scope, self.limits, self.first = recording, scope, limits, code
        self.sources: dict[str, Source | None] = {code.co_filename: recording.source}
        self.module = scope.get("__name__", "builtins")
        self.runs: dict[FrameType, _Run] = {}
        self.calls_of: dict[int, int] = {}
        self.bytes, self.spent, self.passed_over = 0, 0.0, 0
        self.memories: dict[int, tuple[weakref.ref[Array], int]] = {}
        self.copies: dict[int, _Known] = {}
        self.threads = threading.active_count()
        self.over = False

    # what the hooks ask

    def enter(self, frame: FrameType) -> bool:
        """Begin to watch a call; False if it isn't to be watched."""
        code = frame.f_code
        if self.over or frame.f_globals is not self.scope:
            return False
        if code.co_flags & STOPS_INSIDE or not code.co_flags & OPTIMIZED:
            return False
        calls = self.calls_of[id(code)] = self.calls_of.get(id(code), 0) + 1
        if calls > MOST_CALLS and code is not self.first:
            return False
        return bool(self._timed(self._entered, frame))

    def is_crowded(self, frame: FrameType) -> bool:
        """Whether every instruction is to be reported, not only every line."""
        return frame in self.runs and self.runs[frame].crowded

    def reach(self, frame: FrameType) -> None:
        """Take notice of the instruction that comes next: another statement means that the last one is done."""
        run = self.runs.get(frame)
        if run is None:
            return
        offset = frame.f_lasti
        following = run.table[offset >> 1]
        if following is None or (following is run.statement and offset > run.offset):
            run.offset = offset
            return
        done, run.statement, run.offset = run.statement, following, offset
        if done is not None and (run.raised or not self._is_passed_over(run, done, following)):
            self._timed(self._done, frame, run, done, following)
        run.raised = False

    def leave(self, frame: FrameType, returned: object) -> None:
        """Finish a call that returns."""
        run = self.runs.pop(frame, None)
        if run is not None and run.statement is not None:
            self._timed(self._returned, frame, run, run.statement, returned)

    def raised(self, frame: FrameType) -> None:
        """Take notice of an exception, which the call may yet catch: the statement is not done."""
        run = self.runs.get(frame)
        if run is not None:
            run.raised = True

    def unwound(self, frame: FrameType) -> None:
        """Forget a call that an exception has ended."""
        self.runs.pop(frame, None)

    def stop(self, why: str) -> None:
        """Record nothing more."""
        self.over = True
        self.recording.why = self.recording.why or why
        self.runs.clear()

    # bounds

    def _timed(self, work: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            if threading.active_count() > self.threads:
                return self.stop("it starts threads")
            return work(*arguments)
        except Exception as error:  # for lack of memory or depth: the function itself goes on
            return self.stop(f"{type(error).__name__} while watching")
        finally:
            self._spend(time.perf_counter() - started)

    def _spend(self, seconds: float) -> None:
        self.spent += seconds
        if self.spent > self.limits.seconds:
            self.stop(f"watching took longer than {self.limits.seconds:g} s")

    def _is_passed_over(self, run: _Run, done: Statement, following: Statement) -> bool:
        """Whether a statement has run so often that nothing is recorded before a loop around it ends."""
        if run.visits.get(done, 0) < OFTEN:
            return False
        loop = done.loops[-1] if done.loops else None
        if loop is not None and loop not in following.loops and self._tells(run, loop, done.loops[0]):
            return False
        if loop is not None and done not in run.in_loop.get(loop, ()):
            run.remember(done)
        else:
            run.visits[done] += 1
        run.unseen.update(done.names)
        self.passed_over += 1
        if not self.passed_over % 256:
            self._spend(256 * PASSED_OVER)
        return True

    def _tells(self, run: _Run, loop: Statement, outermost: Statement) -> bool:
        """Whether the end of a loop is recorded: that of an outermost loop always, of another not too often."""
        return loop is outermost or run.loop_ends.get(loop, 0) < OFTEN

    # recording

    def _source(self, code: CodeType) -> Source | None:
        name = code.co_filename
        if name not in self.sources:
            self.sources[name] = source_of(code, self.scope)  # another cell of the notebook
        source = self.sources[name]
        return source if source is not None and source.holds(code) else None

    def _entered(self, frame: FrameType) -> bool:
        code, source = frame.f_code, self._source(frame.f_code)
        if source is None:
            return False
        above, parent = frame.f_back, None
        while above is not None and parent is None:
            parent, line, above = self.runs.get(above), above.f_lineno, above.f_back
        number = len(self.recording.calls)
        by = (parent.call.number, line) if parent is not None else (None, 0)
        call = Call(number, code.co_qualname, code.co_firstlineno, code.co_filename, *by)
        self.recording.calls.append(call)
        run = self.runs[frame] = _Run(call, *source.table(code))
        variables = frame.f_locals
        place = _Place(None, 0, variables)
        starred = bool(code.co_flags & 4) + bool(code.co_flags & 8)
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + starred]:
            for found in arrays_of(name, variables.get(name), self._is_own):
                self._take(run, found, place)
        for name in (*code.co_freevars, *code.co_names):
            for found in arrays_of(name, variables.get(name, self.scope.get(name)), self._is_own):
                self._note(run, found)
        return True

    def _done(self, frame: FrameType, run: _Run, done: Statement, following: Statement) -> None:
        """Record a statement that has been run, and what the loops that it ends leave behind."""
        ended = [loop for loop in reversed(done.loops) if loop not in following.loops]
        local = frame.f_locals
        no_more = bool(ended) and done is ended[0]  # the header of a loop ran once more, and found nothing left
        if not run.raised and not no_more:
            self._look(run, _Place(done, run.remember(done), self._variables(done, local)))
        self._loops_ended(run, ended, local)

    def _loops_ended(self, run: _Run, ended: Sequence[Statement], local: Mapping[str, Any]) -> None:
        for loop in ended:
            inside = run.in_loop.pop(loop, {})
            tells = self._tells(run, loop, loop.loops[0])
            run.loop_ends[loop] = run.loop_ends.get(loop, 0) + 1
            for statement in inside:
                if tells:
                    variables = self._variables(statement, local)
                    self._look(run, _Place(statement, run.visits.get(statement, 0), variables, loop))
                else:
                    run.unseen.update(statement.names)

    def _returned(self, frame: FrameType, run: _Run, done: Statement, returned: object) -> None:
        local = frame.f_locals
        self._loops_ended(run, done.loops[::-1], local)
        place = _Place(done, run.remember(done), self._variables(done, local))
        self._look(run, place)
        for found in arrays_of("return", returned, self._is_own):
            self._take(run, found, place)

    def _variables(self, statement: Statement, local: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of a statement that have a value, in the order in which it names them."""
        scopes = [(name, local if name in local else self.scope) for name in statement.names]
        return {name: scope[name] for name, scope in scopes if name in scope}

    def _look(self, run: _Run, place: _Place) -> None:
        """Compare the arrays of a statement's variables with what is known of them."""
        statement = place.statement
        assert statement is not None
        changed: list[Array] = []
        for name, value in place.variables.items():
            unseen = name in run.unseen
            looked_at = run.ids.get(name) == id(value) and not statement.may_change and not unseen
            if looked_at and name not in statement.bound:
                continue
            run.ids[name] = id(value)
            run.unseen.discard(name)
            for found in arrays_of(name, value, self._is_own):
                known, writes = run.known.get(found.path), place.writes(found.path)
                if known is not None and not self._differs(found, known) and (place.loop is not None or not writes):
                    continue
                if unseen and not writes and place.loop is None:  # a statement that was passed over has changed it
                    self._note(run, found)
                elif self._take(run, found, place) and found.held is not None:
                    changed.append(found.held)
                    self._tell_callers(run, found.held)
        changed += [array for array in (reference() for reference in run.changed_inside) if array is not None]
        run.changed_inside.clear()
        for array in changed:
            self._others_changed(run, array, place)

    def _tell_callers(self, run: _Run, array: Array) -> None:
        """Have the statements that wait for this call look at an array that was changed in it."""
        for other in self.runs.values():
            if other is not run:
                other.changed_inside.append(weakref.ref(array))

    def _differs(self, found: NamedArray, known: _Known) -> bool:
        return found.held is not known.now() or not same(found.array, known.array)

    def _others_changed(self, run: _Run, array: Array, place: _Place) -> None:
        """Record the other paths that lead into memory that was written to."""
        memory = self._memory(array)
        for path, known in list(run.known.items()):
            now = known.now()
            if known.memory != memory or now is None or not np.may_share_memory(now, array):
                continue
            if not same(now, known.array):
                self._take(run, NamedArray(path, now, now), place)

    def _take(self, run: _Run, found: NamedArray, place: _Place) -> bool:
        """Record one array; return whether it was changed in place."""
        known, statement = run.known.get(found.path), place.statement
        if known is None or self.over:
            in_place = False
        elif found.held is not None:
            in_place = known.now() is found.held and not same(found.array, known.array)
        else:  # a list of numbers
            rebound = statement is not None and found.path.partition("[")[0].partition(".")[0] in statement.bound
            in_place = known.held is None and found.array.ndim > 0 and not rebound
        alias = self._alias(run, found)
        copy = self._note(run, found)
        if copy is None:
            return False
        if place.reads is None:
            place.reads = read_paths(statement.read, place.variables, run.known.keys()) if statement else ()
        event = Event(
            line=statement.line if statement is not None else run.call.first_line,
            end_line=statement.end_line if statement is not None else run.call.first_line,
            function=run.call.function,
            call=run.call.number,
            visit=place.visit,
            path=found.path,
            array=copy,
            in_place=in_place,
            alias_of=alias,
            memory=run.known[found.path].memory,
            reads=place.reads,
            statement=statement,
            loop=place.loop,
        )
        self.recording.events.append(event)
        if len(self.recording.events) >= self.limits.events:
            self.stop(f"there are more than {self.limits.events} arrays to record")
        return in_place

    def _note(self, run: _Run, found: NamedArray) -> Array | None:
        """Keep a copy of an array under its path."""
        known = run.known.get(found.path)
        if known is None and found.held is not None:  # another call may know it
            known = self.copies.get(id(found.held))
        if known is not None and same(found.array, known.array):
            copy = known.array
        else:
            self.bytes += found.array.nbytes
            if self.bytes > self.limits.bytes:
                self.stop(f"the arrays take more than {self.limits.bytes >> 20} MiB")
            if self.over:
                return None
            copy = np.array(found.array, subok=False)
            copy.flags.writeable = False
        known = _Known(copy, found.held, 0 if found.held is None else self._memory(found.held))
        run.known[found.path] = known
        if found.held is not None:
            self.copies[id(found.held)] = known
        return copy

    def _alias(self, run: _Run, found: NamedArray) -> str | None:
        """The oldest other path that leads into the same memory."""
        if found.held is None:
            return None
        memory = self._memory(found.held)
        for path, known in run.known.items():
            if known.memory == memory and path != found.path:
                now = known.now()
                if now is not None and np.may_share_memory(now, found.held):
                    return path
        return None

    def _memory(self, array: Array) -> int:
        root = memory_of(array)
        found = self.memories.get(id(root))
        if found is None or found[0]() is not root:
            found = self.memories[id(root)] = (weakref.ref(root), len(self.memories) + 1)
        return found[1]

    def _is_own(self, kind: type) -> bool:
        return bool(kind.__flags__ & HEAP_TYPE) and kind.__module__ == self.module
