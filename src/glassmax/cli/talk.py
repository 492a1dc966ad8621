"""Printing: results on stdout, messages on stderr, as aligned plain text without control characters."""

import errno
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from ..functional.arrays import Array
from .terminal import console, paint, rendered, wrapped

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console, RenderableType

    from ..training import Metrics

__all__ = [
    "be_quiet",
    "busy",
    "counted",
    "draw",
    "figure",
    "harmless",
    "ordinal",
    "say",
    "shortened",
    "show",
    "show_json",
    "show_painted",
    "table_of_confusion",
    "table_of_figures",
]

MOST_CLASSES = 20
QUIET = "glassmax.quiet"


def harmless(text: str) -> str:
    """Show control characters as escapes, so that a name from a file can't drive the terminal or add a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(text: str = "", style: str = "", *, command: str = "") -> None:
    """Print a message on stderr, unless --quiet was given.

    Parameters
    ----------
    text : str
    style : str
        One of the styles of `glassmax.cli.terminal`; only a terminal shows it.
    command : str
        A command to type next, after the text; a terminal shows it on its own line.
    """
    text = f"{text} {command}" if command and console(err=True) is None else text
    if _is_quiet():
        return
    terminal = console(err=True)
    if terminal is None:
        click.echo(harmless(text), err=True)
    else:
        draw(wrapped(harmless(text), style), terminal)
        if command:
            draw(wrapped(harmless(f"  {command}"), "bold"), terminal)


def draw(shown: "RenderableType", terminal: "Console") -> None:
    """Print a table or another drawing on stderr, which is a terminal, unless --quiet was given."""
    if not _is_quiet():
        click.echo(rendered(terminal, shown), err=True, nl=False, color=True)


def busy(what: str) -> "AbstractContextManager[object]":
    """Show what is being done while it is done, on a terminal, unless --quiet was given."""
    terminal = console(err=True)
    return nullcontext() if terminal is None or _is_quiet() else terminal.status(what)


def _is_quiet() -> bool:
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


def counted(number: int, noun: str) -> str:
    """Write a number of things: 1 row, 2 rows."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def figure(value: float) -> str:
    """Write a figure with four decimals, a huge one by its power of ten."""
    return f"{value:.4f}" if abs(value) < 1e5 else f"{value:.2e}"


def ordinal(number: int) -> str:
    """Write which one of many: 2nd, 3rd, 4th, 11th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def show_json(result: dict[str, Any]) -> None:
    """Print a result for programs, on one line of stdout."""
    show(json.dumps(result, allow_nan=False) + "\n")


def table_of_figures(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align names to the left and figures to the right, in columns under a header."""
    cells = [header, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            [f"{name:<{widths[0]}}", *(f"{cell:>{w}}" for cell, w in zip(others, widths[1:], strict=True))]
        ).rstrip()
        for name, *others in cells
    )


def table_of_confusion(figures: "Metrics", classes: Array) -> str:
    """Write a confusion matrix: a row for each true class, a column for each predicted one.

    Parameters
    ----------
    figures : Metrics
    classes : (k,) array
        Labels.

    Returns
    -------
    str
        The matrix; for many classes the most frequent confusions instead.
    """
    names = [shortened(harmless(str(label))) for label in classes]
    if len(names) > MOST_CLASSES or figures.confusion is None:
        worst = sorted(figures.confused.items(), key=lambda pair: (-pair[1], pair[0]))[:10]
        lines = [f"  {count:>6}  {names[i]} taken for {names[j]}" for (i, j), count in worst]
        return "\n".join(["most frequent confusions", *(lines or ["  none"])])
    confusion = figures.confusion
    corner = "true \\ predicted"
    first = max(len(corner), *map(len, names))
    widths = [max(len(name), len(str(confusion[:, j].max()))) for j, name in enumerate(names)]
    header = "  ".join([f"{corner:<{first}}", *(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))])
    body = [
        "  ".join([f"{name:<{first}}", *(f"{count:>{width}}" for count, width in zip(row, widths, strict=True))])
        for name, row in zip(names, confusion, strict=True)
    ]
    return "\n".join([header, *body])


def shortened(text: str, most: int = 40) -> str:
    """Cut a text that would break a table."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
