"""How results and talk look: plain text, aligned, harmless to a terminal."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from ..functional.arrays import Array

__all__ = ["counted", "figure", "harmless", "say", "show", "show_json", "table_of_confusion", "table_of_figures"]

MOST_CLASSES = 20


def harmless(text: str) -> str:
    """Show control characters as escapes, so that a name from a file can't drive the terminal or add a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(text: str = "") -> None:
    """Print a line of talk, which goes to stderr."""
    click.echo(harmless(text), err=True)


def show(text: str) -> None:
    """Print a result on stdout, in UTF-8 whatever the terminal's encoding: the whole of it, or an error."""
    if not hasattr(sys.stdout, "buffer"):  # not a file: a notebook, a StringIO
        sys.stdout.write(text)
        return
    rest = memoryview(text.encode("utf-8", "backslashreplace"))
    while rest:  # an unbuffered stdout may take a part and leave the rest
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()


def counted(number: int, noun: str) -> str:
    """Write a number of things: 1 row, 2 rows."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def figure(value: float) -> str:
    """Write a figure with four decimals, a huge one by its power of ten."""
    return f"{value:.4f}" if abs(value) < 1e5 else f"{value:.2e}"


def show_json(result: dict[str, Any]) -> None:
    """Print a result for programs, on one line of stdout."""
    show(json.dumps(result, allow_nan=False) + "\n")


def table_of_figures(rows: Sequence[tuple[str, str, str]]) -> str:
    """Align names, figures and remarks in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]}".rstrip() for row in rows)


def table_of_confusion(confusion: Array, classes: Array) -> str:
    """Write a confusion matrix: a row for each true class, a column for each predicted one.

    Parameters
    ----------
    confusion : (k, k) array of int
        Counts.
    classes : (k,) array
        Labels.

    Returns
    -------
    str
        The matrix; for many classes the most frequent confusions instead.
    """
    names = [harmless(str(label)) for label in classes]
    if len(names) > MOST_CLASSES:
        wrong = confusion * ~np.eye(len(names), dtype=bool)
        worst = np.argsort(-wrong, axis=None, kind="stable")[:10]
        pairs = [(int(cell) // len(names), int(cell) % len(names)) for cell in worst]
        lines = [f"  {wrong[i, j]:>6}  {names[i]} taken for {names[j]}" for i, j in pairs if wrong[i, j]]
        return "\n".join(["most frequent confusions", *(lines or ["  none"])])
    corner = "true \\ predicted"
    first = max(len(corner), *map(len, names))
    widths = [max(len(name), len(str(confusion[:, j].max()))) for j, name in enumerate(names)]
    header = "  ".join([f"{corner:<{first}}", *(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))])
    body = [
        "  ".join([f"{name:<{first}}", *(f"{count:>{width}}" for count, width in zip(row, widths, strict=True))])
        for name, row in zip(names, confusion, strict=True)
    ]
    return "\n".join([header, *body])
