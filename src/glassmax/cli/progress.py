"""The progress of a training run: one live line on a terminal, a few plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .charts import sparkline
from .talk import figure, say
from .terminal import console

if TYPE_CHECKING:
    from rich.console import Console

    from ..training import Epoch

__all__ = ["with_progress"]


def with_progress(
    epochs: "Iterator[Epoch]", most: int, metric: "Callable[[], str]", *, quiet: bool
) -> "Iterator[Epoch]":
    """Pass the epochs through, showing losses, a metric, rows a second and the time left.

    `most` is the maximum number of epochs; `metric` writes the score that early stopping watches, or "" if the losses
    already show it.
    """
    terminal = console(err=True)
    if quiet:
        yield from epochs
    elif terminal is not None:
        yield from _live(epochs, most, metric, terminal)
    else:
        yield from _in_lines(epochs, most, metric)


def _live(epochs: "Iterator[Epoch]", most: int, metric: "Callable[[], str]", terminal: "Console") -> "Iterator[Epoch]":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TextColumn("{task.description}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=terminal, transient=True) as progress:
        task = progress.add_task("", total=most)
        losses: list[float] = []
        drawn = float("-inf")
        for epoch in epochs:
            losses.append(epoch.loss)
            progress.advance(task)
            if time.monotonic() > drawn + 0.1:  # drawing each of many short epochs would cost more than training it
                drawn = time.monotonic()
                progress.update(task, description=f"{sparkline(losses, 12)} {_figures(epoch, metric)}")
            yield epoch


def _in_lines(epochs: "Iterator[Epoch]", most: int, metric: "Callable[[], str]") -> "Iterator[Epoch]":
    """Print a line at epochs 1, 2, 5, 10, 20, 50 and so on."""
    started = time.monotonic()
    for epoch in epochs:
        digits = str(epoch.number)
        if digits[0] in "125" and not digits[1:].strip("0"):
            each = (time.monotonic() - started) / epoch.number
            left = _duration(each * (most - epoch.number))
            say(f"epoch {epoch.number} of at most {most}: {_figures(epoch, metric)}, {left} left at most")
        yield epoch


def _figures(epoch: "Epoch", metric: "Callable[[], str]") -> str:
    text = f"loss {figure(epoch.loss)}"
    if epoch.validation is not None:
        text += f", validation {figure(epoch.validation.log_loss)}, accuracy {epoch.validation.accuracy:.4f}"
    rate = epoch.rows / max(epoch.seconds, 1e-9)
    return f"{text}{metric()}, {rate:,.0f} rows/s"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
