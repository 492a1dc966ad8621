"""What follows from a wrong line: the arrays that are made from what it has made."""

from collections.abc import Set

from ...learner.recording import Recording

__all__ = ["consequences"]


def consequences(recording: Recording, wrong: Set[int]) -> dict[int, int]:
    """Return the wrong line that each event follows from, by the `id` of the event; the line's own events, too.

    An array follows from a line if the statement reads an array that does, if it is the same memory, or if a function
    that the statement calls returns one.
    """
    found: dict[int, int] = {}
    of_path: dict[tuple[int, str], int] = {}
    of_memory: dict[int, int] = {}
    of_line: dict[tuple[int, int], int] = {}
    for event in recording.events:
        line = event.line if event.statement is not None and _is_on(event.line, event.end_line, wrong) else 0
        line = line or next((at for path in event.reads if (at := of_path.get((event.call, path), 0))), 0)
        line = line or of_line.get((event.call, event.line), 0)
        line = line or of_memory.get(event.memory, 0)
        if not line:
            of_path.pop((event.call, event.path), None)
            continue
        found[id(event)] = of_path[event.call, event.path] = line
        if event.memory:
            of_memory[event.memory] = line
        call = recording.calls[event.call]
        if event.path.startswith("return") and call.parent is not None:
            of_line[call.parent, call.line] = line
    return found


def _is_on(line: int, end_line: int, wrong: Set[int]) -> bool:
    return any(line <= number <= end_line for number in wrong)
