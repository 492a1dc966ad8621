"""Python's hooks for running code, a thin layer each: `sys.monitoring` where there is one (3.12), else `sys.settrace`.

This module refuses to record anything itself, and leaves another trace function alone.
"""

import contextlib
import dis
import sys
import threading
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any, Protocol

__all__ = ["Watcher", "tracing"]

OTHER = "another trace function is active"
REPLACED = "it sets a trace function of its own"
ALL_TAKEN = "all tools of sys.monitoring are in use"
RETURNS = {dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap}


class Watcher(Protocol):
    """What the hooks call. Once it is `over`, nothing more is to be called."""

    over: bool

    def enter(self, frame: FrameType) -> bool:
        """A call begins; return whether it is to be watched."""

    def is_crowded(self, frame: FrameType) -> bool:
        """Return whether `reach` is to be called before each instruction, and not only before each line."""

    def reach(self, frame: FrameType) -> None:
        """The next line or instruction of a watched call is about to run."""

    def leave(self, frame: FrameType, returned: object) -> None:
        """A watched call returns."""

    def raised(self, frame: FrameType) -> None:
        """An exception is raised in a watched call, which may yet catch it."""

    def unwound(self, frame: FrameType) -> None:
        """A watched call is ended by an exception."""


@contextlib.contextmanager
def tracing(watcher: Watcher) -> Iterator[list[str]]:
    """Have the code inside watched; what is yielded says at the end why it was not, if it was not."""
    refused: list[str] = []
    if sys.gettrace() is not None:
        refused.append(OTHER)
        yield refused
        return
    hooks = _Monitoring(watcher) if hasattr(sys, "monitoring") else _Settrace(watcher)
    refused += hooks.start()
    try:
        yield refused
    finally:
        refused += hooks.stop()


class _Settrace:
    """`sys.settrace`: one function for calls, one for what happens in a call."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def start(self) -> list[str]:
        sys.settrace(self.called)
        return []

    def stop(self) -> list[str]:
        """End it; if somebody else has put another function in its place, that one is left there."""
        if sys.gettrace() == self.called:
            sys.settrace(None)
            return []
        return [] if self.watcher.over else [REPLACED]

    def called(self, frame: FrameType, event: str, argument: Any) -> Any:
        if self.watcher.over:
            sys.settrace(None)
            return None
        if not self.watcher.enter(frame):
            return None
        frame.f_trace_opcodes = self.watcher.is_crowded(frame)
        return self.happened

    def happened(self, frame: FrameType, event: str, argument: Any) -> Any:
        if self.watcher.over:
            if sys.gettrace() == self.called:
                sys.settrace(None)
        elif event == ("opcode" if frame.f_trace_opcodes else "line"):
            self.watcher.reach(frame)
        elif event == "exception":
            self.watcher.raised(frame)
        elif event == "return" and frame.f_code.co_code[frame.f_lasti] in RETURNS:
            self.watcher.leave(frame, argument)
        elif event == "return":
            self.watcher.unwound(frame)
        return self.happened


class _Monitoring:
    """`sys.monitoring` (PEP 669): the events of the learner's own code alone are switched on."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
        self.tool = -1
        self.thread = threading.get_ident()
        self.codes: list[CodeType] = []

    def start(self) -> list[str]:
        free = [tool for tool in (3, 4, 1, 2, 5, 0) if self.monitoring.get_tool(tool) is None]
        if not free:
            return [ALL_TAKEN]
        self.tool = free[0]
        self.monitoring.use_tool_id(self.tool, "glassmax")
        for event, callback in self._callbacks().items():
            self.monitoring.register_callback(self.tool, event, callback)
        events = self.monitoring.events
        self.monitoring.set_events(self.tool, events.PY_START | events.RAISE | events.PY_UNWIND)
        return []

    def stop(self) -> list[str]:
        if self.tool < 0:
            return []
        self.monitoring.set_events(self.tool, 0)
        for code in self.codes:
            self.monitoring.set_local_events(self.tool, code, 0)
        for event in self._callbacks():
            self.monitoring.register_callback(self.tool, event, None)
        self.monitoring.free_tool_id(self.tool)
        return []

    def _callbacks(self) -> dict[int, Any]:
        events = self.monitoring.events
        return {
            events.PY_START: self.started,
            events.LINE: self.reached,
            events.INSTRUCTION: self.reached,
            events.PY_RETURN: self.returned,
            events.RAISE: self.raised,
            events.PY_UNWIND: self.unwound,
        }

    def started(self, code: CodeType, offset: int) -> None:
        frame = self._frame()
        if frame is None or not self.watcher.enter(frame):
            return
        events = self.monitoring.events
        steps = events.INSTRUCTION if self.watcher.is_crowded(frame) else events.LINE
        if not any(known is code for known in self.codes):
            self.codes.append(code)
            self.monitoring.set_local_events(self.tool, code, steps | events.PY_RETURN)

    def reached(self, code: CodeType, place: int) -> None:
        frame = self._frame()
        if frame is not None:
            self.watcher.reach(frame)

    def returned(self, code: CodeType, offset: int, value: object) -> None:
        frame = self._frame()
        if frame is not None:
            self.watcher.leave(frame, value)

    def raised(self, code: CodeType, offset: int, error: BaseException) -> None:
        frame = self._frame()
        if frame is not None:
            self.watcher.raised(frame)

    def unwound(self, code: CodeType, offset: int, error: BaseException) -> None:
        frame = self._frame()
        if frame is not None:
            self.watcher.unwound(frame)

    def _frame(self) -> FrameType | None:
        """The frame in which something happens; None if it is another thread's, or if nothing is to be called."""
        if self.watcher.over or threading.get_ident() != self.thread:
            return None
        return _calling_frame()


def _calling_frame() -> FrameType:
    """The frame that a callback was called from: above this function, `_frame` and the callback."""
    return sys._getframe(3)
