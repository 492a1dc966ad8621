"""A trace on a terminal: numbers colored by sign, the larger the brighter; a pipe gets plain text."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .talk import harmless
from .terminal import QUIET, console, rendered

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from ..functional.arrays import Array
    from ..tracing import Entry, Trace

__all__ = ["ledger", "parts_as_text"]

POSITIVE, NEGATIVE = ("blue", "bright_blue"), ("red", "bright_red")
LARGE = 1 / 3
CELL = 9
"""The usual width of a number and the space behind it."""


def ledger(trace: "Trace") -> str:
    """Return the whole ledger, in color on a terminal."""
    terminal = console()
    if terminal is None:
        return _harmless(trace.text()) + "\n"
    return rendered(terminal, *_ledger(trace, terminal.width))


def parts_as_text(trace: "Trace", parts: Sequence[Any]) -> str:
    """Return arrays, cells, naive views and nudges one after another."""
    from ..tracing import Entry
    from ..tracing.formats.text import jacobian_lines

    terminal = console()
    if terminal is None:
        jacobians = [isinstance(part, Entry) and part.value is None for part in parts]
        written = [
            "\n".join([repr(part), *(jacobian_lines(trace) if of_it else [])])
            for part, of_it in zip(parts, jacobians, strict=True)
        ]
        return "\n\n".join(map(_harmless, written)) + "\n"
    shown: list[RenderableType] = []
    for part in parts:
        shown += (
            _entry(trace, part, terminal.width)
            if isinstance(part, Entry)
            else [_styled(line) for line in repr(part).split("\n")]
        )
        shown.append("")
    return rendered(terminal, *shown[:-1])


def _ledger(trace: "Trace", width: int) -> "Iterator[RenderableType]":
    from rich.text import Text

    from ..tracing.formats.text import HEADINGS, heading_of

    yield Text(harmless(heading_of(trace)), "bold")
    for note in trace.notes:
        yield Text(f"Note: {harmless(note)}", "yellow")
    stage = "given"
    for entry in trace.steps:
        if entry.stage not in (stage, "given"):
            stage = entry.stage
            yield Text(f"\n{HEADINGS[stage]}", "bold underline")
        yield ""
        yield from _entry(trace, entry, width)


def _entry(trace: "Trace", entry: "Entry", width: int) -> "Iterator[RenderableType]":
    from ..tracing.formats.text import named_columns, words_of

    for line in words_of(entry, min(width, 100)):
        yield _styled(line)
    if entry.value is not None:
        yield from _numbers(entry.value, width)
        yield from map(_styled, named_columns(trace, entry, min(width, 100)))
    elif trace.shown_jacobian is not None:
        yield _styled("  The Jacobian of the first row:")
        yield from _numbers(trace.shown_jacobian, width)


def _styled(line: str) -> "Text":
    """Headings are bold, equations as they are, sentences and rules dim."""
    from rich.text import Text

    words = harmless(line)
    if not line.startswith(" "):
        return Text(words, "bold")
    return Text(words, "" if "=" in line or "[" in line else QUIET)


def _numbers(value: "Array", width: int) -> "Iterator[Text]":
    from rich.text import Text

    from ..tracing.formats.numbers import grid, statistics

    shown = grid(value, max(3, min(12, (width - 4) // CELL)))
    known = [abs(cell) for line in shown.values for cell in line if cell is not None and cell == cell]
    largest = max((cell for cell in known if cell != float("inf")), default=0.0)
    for line, cells in zip(shown.values, shown.cells, strict=True):
        text = Text("    ")
        for number, cell in zip(line, cells, strict=True):
            text.append(f"{cell}  ", _style(number, largest))
        yield text
    if shown.hidden:
        yield Text(f"    {shown.hidden}; {statistics(value)!r}", QUIET)


def _style(number: float | None, largest: float) -> str:
    if number is None or number == 0 or number != number:
        return QUIET
    plain, bright = POSITIVE if number > 0 else NEGATIVE
    return bright if abs(number) > LARGE * largest else plain


def _harmless(text: str) -> str:
    return "\n".join(map(harmless, text.split("\n")))
