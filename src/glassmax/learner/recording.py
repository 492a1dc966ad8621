"""What is recorded of a learner's function while it runs: its calls and, in order, the arrays of its statements."""

from dataclasses import dataclass, field

from ..functional.arrays import Array
from .statements import Source, Statement

__all__ = ["Call", "Event", "Limits", "Recording"]


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


@dataclass(eq=False, slots=True)
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
    was. Memories with numbers up to `older` were there before the call: arguments, and what the module holds.
    """

    events: list[Event] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    why: str = ""
    source: Source | None = None
    older: int = 0

    @property
    def complete(self) -> bool:
        """Whether everything was watched."""
        return not self.why
