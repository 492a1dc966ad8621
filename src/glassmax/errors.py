"""The exceptions, as a tree.

::

    GlassmaxError
    ├── ShapeError         arrays that don't fit together          (also a ValueError)
    ├── LabelError         targets or weights that can't be used   (also a ValueError)
    ├── OptionError        a parameter outside its range           (also a ValueError)
    ├── DataError          a table at fault: file, column, cell    (also a ValueError)
    ├── ModelFileError     a model file that can't be trusted      (also a ValueError)
    ├── CheckpointError    a checkpoint that can't be resumed      (also a ValueError)
    ├── ExpressionError    a formula that can't be read            (also a ValueError)
    ├── LearnerFileError   a program that can't be diagnosed       (also a ValueError)
    ├── WorkerError        workers that are not there, died or hang (also a RuntimeError)
    └── DivergenceError    a loss that is no longer finite         (also an ArithmeticError)

Each message begins with the user's own word for the thing, says what was expected and what was given, and ends with the
next step. Public functions check their arguments; internal functions don't check them again.

A message is data: a sentence in pieces, in which a parameter is a `Setting` and not its name. ``str(error)`` writes a
setting as it is passed in Python, ``ignore=['id']``; the command line passes `worded` a function that writes it as it
is typed there, ``--ignore id``.
"""

import math
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any, NamedTuple

__all__ = [
    "CheckpointError",
    "DataError",
    "DivergenceError",
    "ExpressionError",
    "GlassmaxError",
    "LabelError",
    "LearnerFileError",
    "ModelFileError",
    "OptionError",
    "Setting",
    "ShapeError",
    "Text",
    "WorkerError",
    "between",
    "is_whole",
    "one_of",
    "worded",
]


class Setting(NamedTuple):
    """A parameter that a message names, and the value that it has or should have.

    Attributes
    ----------
    parameter : str
        Name of the parameter in Python.
    value : object
        None if the message names only the parameter.
    """

    parameter: str
    value: Any = None

    def __str__(self) -> str:
        return self.parameter if self.value is None else f"{self.parameter}={self.value!r}"


Text = tuple[str | Setting, ...]
"""A sentence in pieces."""


def worded(text: Iterable[str | Setting], voice: Callable[[Setting], str] = str) -> str:
    """Return a text as one string; `voice` writes a setting for the reader, by default as an argument in Python.

    Examples
    --------
    >>> worded(("Leave it out with ", Setting("ignore", ["id"]), "."))
    "Leave it out with ignore=['id']."
    """
    return "".join(piece if isinstance(piece, str) else voice(piece) for piece in text)


def _pieces(text: str | Text) -> Text:
    return (text,) if isinstance(text, str) else text


class GlassmaxError(Exception):
    """The base class of the exceptions that glassmax raises.

    Parameters
    ----------
    *message : str or Setting
        Message in pieces. Without it the message is "`parameter` is `came`, expected `expected`."
    parameter : str
        The parameter at fault.
    came : str
        The value that it has.
    expected : str or tuple of str and Setting
        The value that it should have.
    remedy : str or tuple of str and Setting
        The next step for the user, as a separate sentence after the message.
    """

    def __init__(
        self,
        *message: str | Setting,
        parameter: str = "",
        came: str = "",
        expected: str | Text = "",
        remedy: str | Text = "",
    ) -> None:
        self.parameter, self.came, self.expected, self.remedy = parameter, came, expected, remedy
        what = message or (Setting(parameter), f" is {came}, expected ", *_pieces(expected), ".")
        self.pieces: Text = (*what, " ", *_pieces(remedy)) if remedy else what
        super().__init__(worded(self.pieces))


class ShapeError(GlassmaxError, ValueError):
    """Arrays whose shapes don't fit together, or don't fit the network."""


class LabelError(GlassmaxError, ValueError):
    """Targets or sample weights that are out of range, not finite, or of the wrong form."""


class OptionError(GlassmaxError, ValueError):
    """A parameter outside its range, or an unknown name."""


class DataError(GlassmaxError, ValueError):
    """A table that can't be used: the file, a column, or a cell of it is at fault."""


class ModelFileError(GlassmaxError, ValueError):
    """A model file that is damaged, altered, or not a model file at all."""


class CheckpointError(GlassmaxError, ValueError):
    """A checkpoint that is damaged, belongs to another run, or can't be written."""


class WorkerError(GlassmaxError, RuntimeError):
    """Workers that are not there, have died too often, or take too long; what they have done so far is kept."""


class _MarkedError(GlassmaxError, ValueError):
    """An error whose text is one line that says what was expected and what came, then the line at fault, then a caret.

    Parameters
    ----------
    message : str or tuple of str and Setting
        Message with the expected and the given value.
    text : str
        The input, or its line at fault; without it the message stands alone.
    position : int
        Where in `text` the fault is, counted in characters from 0.
    """

    def __init__(self, message: str | Text, text: str = "", position: int = 0) -> None:
        super().__init__(*_pieces(message))
        self.args = message, text, position  # what unpickling passes
        self.message, self.text, self.position = worded(self.pieces), text, position

    def __str__(self) -> str:
        if not self.text.strip():
            return self.message
        start = self.text.rfind("\n", 0, self.position) + 1
        end = self.text.find("\n", start)
        line = self.text[start : end if end >= 0 else None]
        column = self.position - start
        cut = max(0, column - 70) if len(line) > 100 else 0  # of a very long line, the part around the place
        shown = "".join(c if c.isprintable() else " " for c in line[cut : cut + 100])
        return f"{self.message}\n{shown.rstrip()}\n{' ' * (column - cut)}^"


class ExpressionError(_MarkedError):
    """A formula that can't be read; the message shows it, with a caret under the place."""


class LearnerFileError(_MarkedError):
    """A file of Python or of arrays that can't be diagnosed: missing, not loadable, or nothing in it to diagnose."""


class DivergenceError(GlassmaxError, ArithmeticError):
    """The loss or a weight is no longer a finite number; training has stopped."""


def one_of(what: str, name: object, allowed: Iterable[str]) -> str:
    """Return `name` if it is one of `allowed`; otherwise raise an OptionError that offers the nearest.

    `what` is the name that the user knows.

    Examples
    --------
    >>> one_of("activation", "tahn", ["relu", "tanh"])
    Traceback (most recent call last):
        ...
    glassmax.errors.OptionError: activation is 'tahn', expected one of relu, tanh. Did you mean 'tanh'?
    """
    names = list(allowed)
    if isinstance(name, str) and name in names:
        return name
    folded = {known.casefold(): known for known in names}
    near = get_close_matches(str(name).casefold(), folded, n=1)
    raise OptionError(
        parameter=what,
        came=repr(name),
        expected=f"one of {', '.join(names)}",
        remedy=f"Did you mean {folded[near[0]]!r}?" if near else "",
    )


def is_whole(number: Any) -> bool:
    """Return whether `number` is a whole number of Python or NumPy; booleans are none."""
    return isinstance(number, Integral) and not isinstance(number, bool)


def between(
    what: str,
    number: object,
    low: float,
    high: float = math.inf,
    *,
    open_below: bool = False,
    open_above: bool = True,
    other: str = "",
) -> None:
    """Raise an OptionError if `number` is not a real number between `low` and `high`; booleans and NaN are rejected.

    `what` is the name that the user knows. An open bound is itself out of range. `other` says what else is expected:
    ``"None"``.

    Examples
    --------
    >>> between("alpha", -0.1, 0)
    Traceback (most recent call last):
        ...
    glassmax.errors.OptionError: alpha is -0.1, expected a number >= 0.
    """
    is_number = isinstance(number, Real) and not isinstance(number, bool)
    inside = is_number and low <= number <= high  # type: ignore[operator]
    if inside and not (open_below and number == low) and not (open_above and number == high):
        return
    if high == math.inf:
        bounds = f"{'>' if open_below else '>='} {low:g}"
    elif open_below:
        bounds = f"between {low:g} and {high:g}" if open_above else f"> {low:g}, at most {high:g}"
    else:
        bounds = f"from {low:g} {'up to, not including,' if open_above else 'to'} {high:g}"
    expected = f"a number {bounds}{f' or {other}' if other else ''}"
    raise OptionError(parameter=what, came=repr(number), expected=expected)


def __dir__() -> list[str]:
    return __all__
