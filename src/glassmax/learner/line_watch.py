"""A learner's function, watched while it runs: after each statement, the arrays that its variables lead to.

`watch_lines` calls the function and records every array that a statement has bound or changed, in the function itself
and in the functions of the same module that it calls. Nothing of the learner's is changed: arrays are copied, never
written to, and exceptions pass through. Watching ends by itself where it would cost too much time or memory.
"""

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ..functional.arrays import Array
from .named_arrays import NamedArray, arrays_of, memory_of, same
from .statements import Source, Statement, source_of
from .trace_hooks import tracing

__all__ = ["Call", "Event", "Limits", "Recording", "watch_lines"]

OFTEN = 32
"""How many times a statement is recorded each time it runs; after that, only when a loop around it has ended."""

MOST_CALLS = 64
"""How many calls of one function are watched, not counting the function that is watched first."""

GENERATOR = 0x20 | 0x80 | 0x200
"""The flags of code that stops in the middle: generators and coroutines."""


@dataclass(frozen=True)
class Limits:
    """The most that watching may cost: its own seconds, the bytes of all copies, the number of events."""

    seconds: float = 1.0
    bytes: int = 64 << 20
    events: int = 20_000


@dataclass(frozen=True)
class Call:
    """A call of one of the learner's functions: its number from 0, in the order in which the calls began.

    `parent` is the number of the call that made it, None for the first; `line` is the line in the parent.
    """

    number: int
    function: str
    first_line: int
    file: str
    parent: int | None
    line: int


@dataclass(frozen=True, eq=False)
class Event:
    """An array that a statement has bound or changed.

    Attributes
    ----------
    line, end_line : int
        The lines of the statement, from 1. For an argument of a call, the line of the ``def``.
    function : str
        The function's qualified name.
    call : int
        The number of the call, see `Call`.
    visit : int
        How many times the statement has run in this call, this time included. 0 for an argument.
    path : str
        How the learner writes the array: ``dW2``, ``self.cache['A1']``, ``grads[0]``; ``return`` and ``return['W1']``
        for what the function returns.
    array : Array
        A copy; read-only. A number has shape ().
    in_place : bool
        Whether the array was there before and its numbers were changed.
    alias_of : str or None
        An older path of the same call that leads into the same memory.
    memory : int
        The same number for arrays that share memory, in all calls; 0 for numbers and lists.
    reads : tuple of str
        The paths that the statement reads.
    statement : Statement or None
        The statement; None for an argument.
    loop : Statement or None
        The loop that has just ended, if the array is recorded because of that, with `statement` the one inside the loop
        that changes the array.
    """

    line: int
    end_line: int
    function: str
    call: int
    visit: int
    path: str
    array: Array
    in_place: bool
    alias_of: str | None
    memory: int
    reads: tuple[str, ...]
    statement: Statement | None = None
    loop: Statement | None = None


@dataclass
class Recording:
    """The events of a call, in order.

    `why` says why there are no events, or no more of them; "" if everything was watched. `source` is None if nothing
    was.
    """

    events: list[Event] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    why: str = ""
    source: Source | None = None

    @property
    def complete(self) -> bool:
        """Whether everything was watched."""
        return not self.why


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
    scope = inner.__globals__
    recording.source = source_of(code, scope)
    if recording.source is None:
        recording.why = "its source is not to be found"
        return function(*arguments), recording
    if code.co_flags & GENERATOR:
        recording.why = "it is a generator"
        return function(*arguments), recording
    watch = _Watch(recording, code, scope, limits or Limits())
    with tracing(watch) as refused:
        returned = function(*arguments)
    if refused:
        recording.why = recording.why or refused[0]
    return returned, recording


def _function_of(function: Any) -> Any:
    """The function with the code, under decorators, ``functools.partial``, methods and callable objects."""
    for _ in range(20):
        if hasattr(function, "__code__") and not hasattr(function, "__wrapped__"):
            return function
        for name in ("__wrapped__", "__func__", "func"):
            found = getattr(function, name, None)
            if callable(found):
                function = found
                break
        else:
            found = getattr(type(function), "__call__", None)
            if not hasattr(found, "__code__"):
                return function
            function = found
    return function


class _Known:
    """An array as it was when it was last seen."""

    __slots__ = ("array", "held", "order")

    def __init__(self, array: Array, held: Array | None, order: int) -> None:
        self.array, self.order = array, order
        self.held = None if held is None else weakref.ref(held)

    def now(self) -> Array | None:
        """The learner's array, None if it is gone or was none."""
        return None if self.held is None else self.held()


class _Run:
    """One call: the statement that is running, and the arrays that are known."""

    def __init__(self, number: int, function: str, table: Sequence[Statement | None], crowded: bool) -> None:
        self.number, self.function, self.table, self.crowded = number, function, table, crowded
        self.statement: Statement | None = None
        self.offset = -1
        self.raised = False
        self.known: dict[str, _Known] = {}
        self.visits: dict[Statement, int] = {}
        self.in_loop: dict[Statement, dict[Statement, None]] = {}
        self.ends: dict[Statement, int] = {}
        self.unseen: set[str] = set()


class _Watch:
    """What the trace hooks call: `enter`, `reach` and `leave` for each frame of the learner's module."""

    def __init__(self, recording: Recording, code: CodeType, scope: dict[str, Any], limits: Limits) -> None:
        self.recording, self.scope, self.limits, self.first = recording, scope, limits, code
        assert recording.source is not None
        self.sources: dict[str, Source | None] = {code.co_filename: recording.source}
        self.runs: dict[FrameType, _Run] = {}
        self.calls_of: dict[CodeType, int] = {}
        self.bytes, self.spent, self.hot = 0, 0.0, 0
        self.memories: dict[int, tuple[weakref.ref[Array], int]] = {}
        self.thread, self.threads = threading.get_ident(), threading.active_count()
        self.over = False

    # what the hooks ask

    def enter(self, frame: FrameType) -> bool:
        """Begin to watch a call; False if it isn't to be watched."""
        code = frame.f_code
        if self.over or frame.f_globals is not self.scope or code.co_flags & GENERATOR:
            return False
        calls = self.calls_of[code] = self.calls_of.get(code, 0) + 1
        if (calls > MOST_CALLS and code is not self.first) or code.co_name == "<module>":
            return False
        source = self._source(code)
        if source is None:
            return False
        return self._timed(self._entered, frame, source)

    def is_crowded(self, frame: FrameType) -> bool:
        """Whether every instruction is to be reported, not only every line."""
        return self.runs[frame].crowded

    def reach(self, frame: FrameType) -> None:
        """Take notice of the instruction that comes next: another statement means that the last one is done."""
        run = self.runs.get(frame)
        if run is None or self.over:
            return
        offset = frame.f_lasti
        statement = run.table[offset >> 1]
        if statement is None or (statement is run.statement and offset > run.offset):
            run.offset = offset
            return
        done, run.statement, run.offset = run.statement, statement, offset
        if done is None:
            return
        raised, run.raised = run.raised, False
        if not raised and not self._is_hot(run, done, statement):
            self._timed(self._done, frame, run, done, statement)

    def leave(self, frame: FrameType, returned: object) -> None:
        """Finish a call that returns."""
        run = self.runs.pop(frame, None)
        if run is None or self.over or run.raised:
            return
        self._timed(self._returned, frame, run, returned)

    def unwind(self, frame: FrameType) -> None:
        """Forget a call that an exception ends, or take notice of one that it may yet catch."""
        run = self.runs.get(frame)
        if run is not None:
            run.raised = True

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
                self.stop("it starts threads")
                return False
            return work(*arguments)
        except Exception as error:  # of ours, or for lack of memory or depth: the function itself goes on
            self.stop(f"{type(error).__name__} while watching")
            return False
        finally:
            self.spent += time.perf_counter() - started
            if self.spent > self.limits.seconds:
                self.stop(f"watching took longer than {self.limits.seconds:g} s")

    def _is_hot(self, run: _Run, done: Statement, following: Statement) -> bool:
        """Whether a statement has run so often that it is passed over until a loop ends."""
        visits = run.visits.get(done, 0)
        if visits < OFTEN or (done.loops and done.loops[-1] not in following.loops):
            return False
        run.visits[done] = visits + 1
        if visits < 2 * OFTEN:  # for every loop it stands in it must be remembered once
            for loop in done.loops:
                run.in_loop.setdefault(loop, {})[done] = None
        elif done.loops and done not in run.in_loop.setdefault(done.loops[-1], {}):
            for loop in done.loops:
                run.in_loop.setdefault(loop, {})[done] = None
        run.unseen.update(done.names)
        self.hot += 1
        if not self.hot % 256:
            self.spent += 256 * 1e-6
            if self.spent > self.limits.seconds:
                self.stop(f"watching took longer than {self.limits.seconds:g} s")
        return True

    # recording

    def _source(self, code: CodeType) -> Source | None:
        name = code.co_filename
        if name not in self.sources:
            self.sources[name] = source_of(code, self.scope)  # another cell of the notebook
        source = self.sources[name]
        return source if source is not None and source.holds(code) else None

    def _entered(self, frame: FrameType, source: Source) -> bool:
        code = frame.f_code
        parent, line = frame.f_back, 0
        while parent is not None and parent not in self.runs:
            parent = parent.f_back
        above = self.runs[parent].number if parent is not None else None
        if parent is not None:
            line = parent.f_lineno
        number = len(self.recording.calls)
        run = _Run(number, code.co_qualname, source.table(code), source.is_crowded(code))
        self.recording.calls.append(
            Call(number, code.co_qualname, code.co_firstlineno, code.co_filename, above, line)
        )
        self.runs[frame] = run
        given = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4)]
        for name in given:
            for found in self._arrays(frame, name):
                self._take(run, found, None, (), 0, False)
        return True

    def _done(self, frame: FrameType, run: _Run, done: Statement, following: Statement) -> None:
        """Record a statement that has been run, and what the loops that it ends leave behind."""
        ended = [loop for loop in reversed(done.loops) if loop not in following.loops]
        if not (ended and done is ended[0]):  # the header of a loop runs once more to find that there is nothing left
            self._record(frame, run, done)
        for loop in ended:
            self._loop_ended(frame, run, loop)

    def _record(self, frame: FrameType, run: _Run, done: Statement) -> None:
        visit = run.visits[done] = run.visits.get(done, 0) + 1
        for loop in done.loops:
            run.in_loop.setdefault(loop, {})[done] = None
        self._look(frame, run, done, visit, None)

    def _loop_ended(self, frame: FrameType, run: _Run, loop: Statement) -> None:
        """Record what is there at the end of a loop; at the ends of an inner loop, no more often than of a statement."""
        inside = run.in_loop.pop(loop, {})
        ends = run.ends[loop] = run.ends.get(loop, 0) + 1
        for statement in inside:
            if ends <= OFTEN or loop is statement.loops[0]:
                self._look(frame, run, statement, run.visits.get(statement, 0), loop)
            else:
                run.unseen.update(statement.names)

    def _look(self, frame: FrameType, run: _Run, statement: Statement, visit: int, loop: Statement | None) -> None:
        """Compare the arrays of a statement's variables with what is known of them."""
        local = frame.f_locals
        reads = tuple(_plain_path(text, local) for text in statement.read)
        reads = tuple(path for path in reads if path in run.known)
        stored = {_plain_path(text, local) for text in statement.stored}
        changed: list[Array] = []
        for name in statement.names:
            unseen = loop is None and name in run.unseen
            for found in self._arrays(frame, name):
                is_stored = any(found.path == path or found.path.startswith((f"{path}[", f"{path}.")) for path in stored)
                known = run.known.get(found.path)
                if known is not None and not self._differs(found, known) and (loop is not None or not is_stored):
                    continue
                if unseen and not is_stored:  # an earlier statement has changed it
                    self._note(run, found)
                    continue
                in_place = self._take(run, found, statement, reads, visit, name not in stored, loop)
                if in_place and found.held is not None:
                    changed.append(found.held)
            run.unseen.discard(name)
        for array in changed:
            self._others_changed(run, array, statement, reads, visit, loop)

    def _differs(self, found: NamedArray, known: _Known) -> bool:
        if found.held is not known.now():
            return True
        return not same(found.array, known.array)

    def _others_changed(
        self, run: _Run, array: Array, statement: Statement, reads: tuple[str, ...], visit: int, loop: Statement | None
    ) -> None:
        """Record the other names of memory that was written to."""
        for path, known in list(run.known.items()):
            now = known.now()
            if now is None or not np.may_share_memory(now, array) or same(now, known.array):
                continue
            self._take(run, NamedArray(path, now, now), statement, reads, visit, True, loop)

    def _take(
        self,
        run: _Run,
        found: NamedArray,
        statement: Statement | None,
        reads: tuple[str, ...],
        visit: int,
        may_be_in_place: bool,
        loop: Statement | None = None,
    ) -> bool:
        """Record one array; return whether it was changed in place."""
        known = run.known.get(found.path)
        if found.held is not None:
            in_place = known is not None and known.now() is found.held and not same(found.array, known.array)
        else:
            in_place = may_be_in_place and known is not None and known.held is None and found.array.ndim > 0
        alias = self._alias(run, found)
        copy = self._note(run, found)
        if copy is None:
            return False
        line = statement.line if statement is not None else self.recording.calls[run.number].first_line
        end_line = statement.end_line if statement is not None else line
        memory = 0 if found.held is None else self._memory(found.held)
        self.recording.events.append(
            Event(
                line, end_line, run.function, run.number, visit, found.path, copy, in_place, alias, memory, reads,
                statement, loop,
            )  # fmt: skip
        )
        if len(self.recording.events) >= self.limits.events:
            self.stop(f"there are more than {self.limits.events} arrays to record")
        return in_place

    def _note(self, run: _Run, found: NamedArray) -> Array | None:
        """Keep a copy of an array under its path."""
        if self.over:
            return None
        known = run.known.get(found.path)
        if known is not None and same(found.array, known.array):
            copy = known.array
        else:
            self.bytes += found.array.nbytes
            if self.bytes > self.limits.bytes:
                self.stop(f"the arrays take more than {self.limits.bytes >> 20} MiB")
                return None
            copy = np.array(found.array, subok=False)
            copy.flags.writeable = False
        order = len(run.known) if known is None else known.order
        run.known[found.path] = _Known(copy, found.held, order)
        return copy

    def _alias(self, run: _Run, found: NamedArray) -> str | None:
        if found.held is None:
            return None
        root = memory_of(found.held)
        for path, known in run.known.items():
            now = known.now()
            if path == found.path or now is None or memory_of(now) is not root:
                continue
            if np.may_share_memory(now, found.held):
                return path
        return None

    def _memory(self, array: Array) -> int:
        root = memory_of(array)
        found = self.memories.get(id(root))
        if found is None or found[0]() is not root:
            found = self.memories[id(root)] = (weakref.ref(root), len(self.memories) + 1)
        return found[1]

    def _returned(self, frame: FrameType, run: _Run, returned: object) -> None:
        done = run.statement
        if done is None:
            return
        for loop in reversed(done.loops):
            self._loop_ended(frame, run, loop)
        local = frame.f_locals
        visit = run.visits[done] = run.visits.get(done, 0) + 1
        self._look(frame, run, done, visit, None)
        reads = tuple(path for path in (_plain_path(text, local) for text in done.read) if path in run.known)
        for found in arrays_of("return", returned, self._is_own):
            self._take(run, found, done, reads, visit, False)

    def _arrays(self, frame: FrameType, name: str) -> Iterator[NamedArray]:
        local = frame.f_locals
        if name in local:
            return arrays_of(name, local[name], self._is_own)
        if name in self.scope:
            return arrays_of(name, self.scope[name], self._is_own)
        return iter(())

    def _is_own(self, kind: type) -> bool:
        return kind.__module__ == self.scope.get("__name__")


def _plain_path(text: str, local: dict[str, Any]) -> str:
    """A path with its indices as they are now: ``W[l]`` is ``W[2]``."""
    if "[" not in text:
        return text
    parts = text.split("[")
    filled = [parts[0]]
    for part in parts[1:]:
        index, _, rest = part.partition("]")
        value = local.get(index)
        filled.append(f"{value!r}]{rest}" if type(value) in (int, str) else part)
    return "[".join(filled)
