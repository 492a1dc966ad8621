"""The learner's function, called on copies, without output, and watched for what it does besides returning.

Exceptions are reported with the line of the learner's file. Time limits are enforced by `glassmax.learner`.
"""

import contextlib
import io
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...functional.arrays import Array
from ...learner.line_watch import Limits, Recording, watch_lines
from .answers import Answer, AnswerError, read_answer
from .nested import flattened, rebuilt

__all__ = ["LIMITS", "FunctionCall", "Learner", "described_error", "quietly", "read_call"]

LIMITS = Limits(seconds=0.3)
"""What watching a call may cost."""


@dataclass(frozen=True)
class FunctionCall:
    """The result of one call: the answer, or why there is none, and the inputs that the function changed.

    `cause` is "raises", "wrong_keys" or "wrong_shapes". `recording` is what its statements did, if it was watched.
    """

    answer: Answer | None
    cause: str = ""
    message: str = ""
    wrote: tuple[str, ...] = ()
    recording: Recording | None = None


def quietly(call: Callable[[], Any]) -> Any:
    """Call without prints, warnings or floating-point errors."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        return call()


def read_call(returned: Any, names: Sequence[str], arrays: Sequence[Array], X: Array) -> FunctionCall:
    """Read what a call returned, or the gradients that were handed in without a function."""
    shapes = [np.shape(array) for array in arrays]
    try:
        return FunctionCall(read_answer(returned, names, shapes, max(np.shape(X), default=1)))
    except AnswerError as error:
        return FunctionCall(None, error.cause, str(error).rstrip("."))


class Learner:
    """The learner's function ``f(parameters, X, y)``, with the names and the nesting of its parameters."""

    def __init__(self, function: Callable[..., Any], parameters: Any, names: Sequence[str]) -> None:
        self.function, self.parameters, self.names = function, parameters, list(names)
        self._accumulated: tuple[Array, ...] | None = None
        self.accumulates = False
        self.slowest = 0.0
        """The seconds of the longest call so far."""

    def call(
        self, arrays: Sequence[Array], X: Array, y: Array, watched: bool = False, limits: Limits = LIMITS
    ) -> FunctionCall:
        """Call the function on copies and read what it returns; if it is `watched`, record its statements."""
        copies = [np.array(array) for array in arrays]
        X_copy, y_copy = np.array(X), np.array(y)
        parameters = rebuilt(self.parameters, iter(copies))
        recording: Recording | None = None
        started = time.perf_counter()
        try:
            if watched:
                returned, recording = quietly(lambda: watch_lines(self.function, (parameters, X_copy, y_copy), limits))
            else:
                returned = quietly(lambda: self.function(parameters, X_copy, y_copy))
        except (Exception, SystemExit) as error:
            if watched:  # a program may find out that it is watched
                return self.call(arrays, X, y)
            return FunctionCall(None, "raises", f"the function raises {described_error(error)}")
        finally:
            self.slowest = max(self.slowest, time.perf_counter() - started)
        wrote = self._written(parameters, arrays, X_copy, X, y_copy, y)
        call = read_call(returned, self.names, arrays, X)
        answer = None if call.answer is None else self._of_this_call(call.answer)
        return replace(call, answer=answer, wrote=wrote, recording=recording)

    def _written(
        self, parameters: Any, before: Sequence[Array], X_now: Array, X: Array, y_now: Array, y: Array
    ) -> tuple[str, ...]:
        now = [array for _, array in flattened(parameters)]
        if len(now) != len(before):
            return ("parameters",)
        changed = [name for name, a, b in zip(self.names, now, before, strict=True) if not _equal(a, b)]
        changed += [name for name, a, b in (("X", X_now, X), ("y", y_now, y)) if not _equal(a, b)]
        return tuple(changed)

    def _of_this_call(self, answer: Answer) -> Answer:
        """The gradients that this call has added, if the function accumulates."""
        before, self._accumulated = self._accumulated, answer.arrays
        if not self.accumulates or before is None:
            return answer
        if any(a.shape != b.shape for a, b in zip(answer.arrays, before, strict=True)):
            return answer
        return Answer(tuple(a - b for a, b in zip(answer.arrays, before, strict=True)), answer.loss)


def _equal(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f" and b.dtype.kind == "f"))


def described_error(error: BaseException) -> str:
    """An exception in one line: its kind, its words, and the line of the learner's code."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "glassmax" not in frame.filename]
    own = [frame for frame in frames if "site-packages" not in frame.filename and "/lib/python" not in frame.filename]
    where = f" (line {own[-1].lineno}: {own[-1].line})" if own and own[-1].line else ""
    words = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {words}{where}"
