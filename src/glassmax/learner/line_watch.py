"""A learner's function, watched while it runs: after each statement, the arrays that its variables lead to.

`watch_lines` calls the function and records every array that a statement has bound or changed, in the function itself
and in the functions of the same module that it calls. Nothing of the learner's is changed: arrays are copied, never
written to, and exceptions pass through. Watching ends by itself where it would cost too much time or memory.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any

from .array_changes import ArrayChanges, CallArrays, LimitReachedError, Place
from .named_arrays import HEAP_TYPE, arrays_of
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
    watch.stop(refused[0] if refused else "" if recording.calls else "none of its statements was seen to run")
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


class _Run:
    """One call: its arrays, the statement that is running, and how often each has run."""

    def __init__(self, call: Call, table: Sequence[Statement | None], crowded: bool) -> None:
        self.arrays, self.table, self.crowded = CallArrays(call), table, crowded
        self.statement: Statement | None = None
        self.offset = -1
        self.raised = False
        self.visits: dict[Statement, int] = {}
        self.in_loop: dict[Statement, dict[Statement, None]] = {}
        self.loop_ends: dict[Statement, int] = {}

    def remember(self, statement: Statement) -> int:
        """Count a run of a statement, and remember it for the ends of the loops it stands in."""
        visit = self.visits[statement] = self.visits.get(statement, 0) + 1
        for loop in statement.loops:
            self.in_loop.setdefault(loop, {})[statement] = None
        return visit


class _Watch:
    """What the trace hooks call for each frame of the learner's module."""

    def __init__(self, recording: Recording, code: CodeType, scope: dict[str, Any], limits: Limits) -> None:
        self.recording, self.scope, self.limits, self.first = recording, scope, limits, code
        self.sources: dict[str, Source | None] = {code.co_filename: recording.source}
        self.module = scope.get("__name__", "builtins")
        self.runs: dict[FrameType, _Run] = {}
        self.calls_of: dict[int, int] = {}
        self.changes = ArrayChanges(recording.events, limits, self._is_own)
        self.spent, self.passed_over = 0.0, 0
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
        self.changes.deadline = started + self.limits.seconds - self.spent
        try:
            if threading.active_count() > self.threads:
                return self.stop("it starts threads")
            return work(*arguments)
        except LimitReachedError as reached:
            return self.stop(str(reached))
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
        run.arrays.unseen.update(done.names)
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
        by = (parent.arrays.call.number, line) if parent is not None else (None, 0)
        call = Call(number, code.co_qualname, code.co_firstlineno, code.co_filename, *by)
        self.recording.calls.append(call)
        run = self.runs[frame] = _Run(call, *source.table(code))
        variables = frame.f_locals
        place = Place(None, 0, variables)
        starred = bool(code.co_flags & 4) + bool(code.co_flags & 8)
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + starred]:
            for found in arrays_of(name, variables.get(name), self._is_own):
                self.changes.take(run.arrays, found, place)
        for name in (*code.co_freevars, *code.co_names):
            for found in arrays_of(name, variables.get(name, self.scope.get(name)), self._is_own):
                self.changes.note(run.arrays, found)
        if number == 0:
            for name, value in [*self.scope.items()]:
                for found in arrays_of(name, value, self._is_own):
                    self.changes.memory(found.held)
            self.recording.older = self.changes.numbered
        return True

    def _done(self, frame: FrameType, run: _Run, done: Statement, following: Statement) -> None:
        """Record a statement that has been run, and what the loops that it ends leave behind."""
        ended = [loop for loop in reversed(done.loops) if loop not in following.loops]
        local = frame.f_locals
        no_more = bool(ended) and done is ended[0]  # the header of a loop ran once more, and found nothing left
        if not run.raised and not no_more:
            self._look(run, Place(done, run.remember(done), self._variables(done, local)))
        self._loops_ended(run, ended, local)

    def _loops_ended(self, run: _Run, ended: Sequence[Statement], local: Mapping[str, Any]) -> None:
        for loop in ended:
            inside = run.in_loop.pop(loop, {})
            tells = self._tells(run, loop, loop.loops[0])
            run.loop_ends[loop] = run.loop_ends.get(loop, 0) + 1
            for statement in inside:
                if tells:
                    variables = self._variables(statement, local)
                    self._look(run, Place(statement, run.visits.get(statement, 0), variables, loop))
                else:
                    run.arrays.unseen.update(statement.names)

    def _returned(self, frame: FrameType, run: _Run, done: Statement, returned: object) -> None:
        local = frame.f_locals
        self._loops_ended(run, done.loops[::-1], local)
        place = Place(done, run.remember(done), self._variables(done, local))
        self._look(run, place)
        for found in arrays_of("return", returned, self._is_own):
            self.changes.take(run.arrays, found, place)

    def _variables(self, statement: Statement, local: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of a statement that have a value, in the order in which it names them."""
        scopes = [(name, local if name in local else self.scope) for name in statement.names]
        return {name: scope[name] for name, scope in scopes if name in scope}

    def _look(self, run: _Run, place: Place) -> None:
        self.changes.look(run.arrays, place, [other.arrays for other in self.runs.values() if other is not run])

    def _is_own(self, kind: type) -> bool:
        return bool(kind.__flags__ & HEAP_TYPE) and kind.__module__ == self.module
