"""Printing: results on stdout, messages on stderr, without control characters; in color on a terminal."""

import errno
import json
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from .terminal import BAD, columns_painted, console, hanging, paint, paint_checked, rendered, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console, RenderableType

    from ..proofreading import Checked

__all__ = [
    "be_quiet",
    "busy",
    "counted",
    "draw",
    "figure",
    "harmless",
    "is_quiet",
    "joined",
    "ordinal",
    "say",
    "say_error",
    "shortened",
    "show",
    "show_checked",
    "show_columns",
    "show_json",
    "show_painted",
]

QUIET = "glassmax.quiet"


def harmless(text: str) -> str:
    """Show control characters as escapes, so that a name from a file can't drive the terminal or add a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(text: str = "", style: str = "", *, command: str = "") -> None:
    """Print a message on stderr, unless --quiet was given.

    Only a terminal shows the style, one of `glassmax.cli.terminal`. The command to type next follows the text, on a
    separate line on a terminal.
    """
    if is_quiet():
        return
    terminal = console(err=True)
    if terminal is None:
        click.echo(harmless(f"{text} {command}" if command else text), err=True)
    else:
        draw(wrapped(harmless(text), style), terminal)
        if command:
            draw(wrapped(harmless(f"  {command}"), "bold"), terminal)


def draw(shown: "RenderableType", terminal: "Console") -> None:
    """Print a table or another drawing on stderr, which is a terminal, unless --quiet was given."""
    if not is_quiet():
        click.echo(rendered(terminal, shown), err=True, nl=False, color=True)


def say_error(message: str) -> None:
    """Print an error on stderr; its further lines, which may point at a place, stay as they are."""
    terminal = console(err=True)
    first, *more = map(harmless, message.split("\n"))
    if terminal is None:
        click.echo(f"Error: {first}", err=True)
    else:
        click.echo(rendered(terminal, hanging("Error: ", BAD, first)), err=True, nl=False, color=True)
    for line in more:
        click.echo(line, err=True)


def busy(what: str) -> "AbstractContextManager[object]":
    """Show what is being done while it is done, on a terminal, unless --quiet was given."""
    terminal = console(err=True)
    return nullcontext() if terminal is None or is_quiet() else terminal.status(what)


def is_quiet() -> bool:
    """Return whether --quiet was given."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.find_root().meta.get(QUIET))


def be_quiet(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
    """Suppress all messages from here on; the callback of --quiet."""
    if value:
        ctx.find_root().meta[QUIET] = True
    return value


def show(text: str) -> None:
    """Print a result on stdout, in UTF-8 whatever the terminal's encoding: the whole of it, or an error."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, "stdout is closed")
    if not hasattr(sys.stdout, "buffer"):  # not a file: a notebook, a StringIO
        sys.stdout.write(text)
        return
    rest = memoryview(text.encode("utf-8", "backslashreplace"))
    while rest:  # an unbuffered stdout may take a part and leave the rest
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()


def show_painted(text: str) -> None:
    """Print a diagnosis or a derivation; on a terminal with colors and hanging indents."""
    lines = [harmless(line).rstrip() for line in text.split("\n")]
    terminal = console()
    show("\n".join([*lines, ""]) if terminal is None else rendered(terminal, *paint(lines)))


def show_checked(checked: "Checked") -> None:
    """Print a checked derivation, as wide as the terminal, and in color there."""
    terminal = console()
    text = checked.text() if terminal is None else checked.text(width=terminal.width)
    lines = [harmless(line).rstrip() for line in text.split("\n")]
    show("\n".join([*lines, ""]) if terminal is None else rendered(terminal, *paint_checked(lines)))


def show_columns(rows: "Callable[[int], Sequence[tuple[str, str, str]]]") -> None:
    """Print text in three columns that is made for the width of the terminal; the second column is a verdict."""
    terminal = console()
    made = [tuple(map(harmless, row)) for row in rows(100 if terminal is None else terminal.width)]
    if terminal is None:
        show("\n".join(["".join(row).rstrip() for row in made] + [""]))
    else:
        show(rendered(terminal, *columns_painted(made)))


def counted(number: int, noun: str) -> str:
    """Write a number of things: 1 row, 2 rows."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def joined(names: "Sequence[str]") -> str:
    """Join names as a sentence does: a, b and c."""
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), *names[-1:]])


def figure(value: float) -> str:
    """Write a figure with four decimals, a huge one by its power of ten."""
    return f"{value:.4f}" if abs(value) < 1e5 else f"{value:.2e}"


def ordinal(number: int) -> str:
    """Write an ordinal number: 2nd, 3rd, 4th, 11th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def show_json(result: dict[str, Any]) -> None:
    """Print a result for programs, on one line of stdout."""
    show(json.dumps(result, allow_nan=False) + "\n")


def shortened(text: str, most: int = 40) -> str:
    """Cut a text that would break a table."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
