"""Python's hooks for running code, one thin layer each: `sys.monitoring` where there is one, else `sys.settrace`.

This module refuses to record anything itself, and leaves another trace function alone.
"""

import contextlib
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, Protocol

__all__ = ["Watcher", "tracing"]

OTHER = "another trace function is active"
REPLACED = "it sets a trace function of its own"


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

    def unwind(self, frame: FrameType) -> None:
        """An exception passes through a watched call, or is raised in it."""


@contextlib.contextmanager
def tracing(watcher: Watcher) -> Iterator[list[str]]:
    """Have the code inside watched; what is yielded says at the end why it was not, if it was not."""
    refused: list[str] = []
    if sys.gettrace() is not None:
        refused.append(OTHER)
        yield refused
        return
    hooks = _Settrace(watcher)
    hooks.start()
    try:
        yield refused
    finally:
        if not hooks.stop():
            refused.append(REPLACED)


class _Settrace:
    """`sys.settrace`: one function for calls, one for what happens in a call."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def start(self) -> None:
        sys.settrace(self.called)

    def stop(self) -> bool:
        """End it; False if somebody else has put another function in its place, which is left there."""
        own = sys.gettrace() == self.called
        if own:
            sys.settrace(None)
        return own or self.watcher.over

    def called(self, frame: FrameType, event: str, argument: Any) -> Any:
        if self.watcher.over:
            sys.settrace(None)
            return None
        if not self.watcher.enter(frame):
            return None
        frame.f_trace_opcodes = self.watcher.is_crowded(frame)
        return self.happened

    def happened(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == ("opcode" if frame.f_trace_opcodes else "line"):
            self.watcher.reach(frame)
        elif event == "return":
            self.watcher.leave(frame, argument)
        elif event == "exception":
            self.watcher.unwind(frame)
        if self.watcher.over:
            sys.settrace(None)
        return self.happened
