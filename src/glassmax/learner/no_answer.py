"""A function that does not return gradients, as a diagnosis in plain form.

A function that raises, ends the program or never returns has no gradients to judge, so `glassmax.diagnose` can't be
asked. The answer has the same fields as any other; its text is one to three lines.
"""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["SourceLine", "no_answer", "place_of", "raised", "said_by", "shapes_of"]

LONGEST = 300


class SourceLine(NamedTuple):
    """A line of the learner's file: its number from 1, and its text; number 0 if the line isn't known."""

    file: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.number}" if self.number else self.file


def no_answer(cause: str, place: SourceLine, what: str, *more: str) -> dict[str, Any]:
    """Return the finding for a function that gives no gradients: a diagnosis in the form of `plain_diagnosis`.

    `what` happens, as a sentence; `more` are further lines, such as the next step.

    Examples
    --------
    >>> place = SourceLine("my_backprop.py", 4, "while True: pass")
    >>> print(no_answer("never_returns", place, "gradients had not returned after 10 s.")["text"])
    wrong: gradients had not returned after 10 s.
        while True: pass
    """
    line = [f"    {place.text}"] if place.text else []
    finding: dict[str, Any] = {
        "cause": cause,
        "where": str(place),
        "parameters": [],
        "says": what,
        "evidence": {},
        "line": "",
        "reason": " ".join(more),
        "cell": "",
        "indistinguishable": [],
    }
    return {
        "verdict": "wrong",
        "correct": False,
        "first_wrong": None,
        "conventions": [],
        "lines": [],
        "findings": [finding],
        "text": "\n".join([f"wrong: {what}", *line, *more]),
    }


def raised(name: str, error: BaseException, place: SourceLine, given: str) -> dict[str, Any]:
    """Return the diagnosis of a function that raised an exception; `given` are the shapes of its arguments."""
    if isinstance(error, SystemExit):
        what, advice = f"{name} ends the program by SystemExit ({place}).", "Return the gradients instead."
    elif isinstance(error, EOFError) and "input" in place.text:
        what, advice = f"{name} waits for keyboard input ({place}), which never comes.", "Put the value into the file."
    else:
        what, advice = f"{name} raises {said_by(error, f' in {place}')}", f"It was given {given}." if given else ""
    return no_answer("raises", place, what, *([advice] if advice else []))


def said_by(error: BaseException, where: str = "") -> str:
    """Return an exception's type, its place and its message, on one line and cut if the message is long."""
    try:
        words = " ".join(str(error)[: 4 * LONGEST].split())
    except Exception:  # its __str__ is the learner's, too
        words = ""
    words = words if len(words) <= LONGEST else f"{words[:LONGEST]}..."
    kind = f"{type(error).__name__}{where}"
    return f"{kind}: {words}" if words else kind


def place_of(error: BaseException, path: str, lines: Sequence[str]) -> SourceLine:
    """Return the last line of a file on the way to an exception; number 0 if the exception never passed the file."""
    number = 0
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == path:
            number = line
    text = lines[number - 1].strip()[:LONGEST] if 0 < number <= len(lines) else ""
    return SourceLine(Path(path).name, number, text)


def shapes_of(parameters: Any, X: Any, y: Any) -> str:
    """Return the names and shapes of a function's arguments: ``W1 (4, 10), b1 (10,), X (7, 4), y (7,)``."""
    if isinstance(parameters, Mapping):
        named = list(parameters.items())
    elif isinstance(parameters, list | tuple):
        named = [(f"array {position}", array) for position, array in enumerate(parameters)]
    else:
        named = [("parameters", parameters)]
    shown = [f"{name} {_shape(array)}" for name, array in [*named[:8], ("X", X), ("y", y)]]
    return ", ".join(shown)


def _shape(array: Any) -> str:
    try:
        return str(np.shape(array))
    except Exception:  # an object of the learner's, or a ragged list
        return type(array).__name__
