"""The progress of a training run on files: the scan, the encoding and the epochs, in rows/s, MB/s and time left.

A terminal has one live line; elsewhere there is a plain line every ten seconds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .progress import duration, lines
from .talk import counted, figure, is_quiet
from .terminal import console

if TYPE_CHECKING:
    from rich.console import Console

    from ..estimator.files import Scanned
    from ..streaming import WindowDone
    from ..training import Epoch

__all__ = ["of_epochs_on_files", "of_passes"]


@contextmanager
def of_passes() -> "Iterator[Callable[[Scanned], None]]":
    """Yield a function that shows how far the scan, and then the encoding, has come."""
    with _shown() as show:

        def told(progress: "Scanned") -> None:
            share = progress.size / max(progress.total, 1)
            show(_name(progress), share, lambda: _pace(progress), lambda: f", {counted(progress.rows, 'row')}")

        yield told


@contextmanager
def of_epochs_on_files(
    most: int, losses: "Callable[[], list[float]]"
) -> "Iterator[tuple[Callable[[Epoch], None], Callable[[WindowDone], None]]]":
    """Yield two functions: one takes the record of each epoch, the other that of each window of rows.

    `most` is the maximum number of epochs; `losses` returns the losses of the complete epochs.
    """
    with _shown() as show:

        def show_epoch(epoch: "Epoch") -> None:
            validated = "" if epoch.validation is None else f", validation {figure(epoch.validation.log_loss)}"
            rate = epoch.rows / max(epoch.seconds, 1e-9)
            left = f"{duration(epoch.seconds * (most - epoch.number))} left at most"
            name = f"epoch {epoch.number} of at most {most}"
            show(name, 1.0, lambda: f"loss {figure(epoch.loss)}{validated}, {rate:,.0f} rows/s, {left}", lambda: "")

        def show_window(window: "WindowDone") -> None:
            share = window.rows / max(window.of_rows, 1)
            whole = window.seconds * window.of_rows / max(window.rows_here, 1)
            left = window.seconds_left + whole * (most - window.epoch)
            show(
                f"epoch {window.epoch} of at most {most}", share, lambda: _pace(window, left), lambda: _curve(losses())
            )

        yield show_epoch, show_window


def _name(progress: "Scanned") -> str:
    from ..estimator.files import Encoded

    return "encoding the rows" if isinstance(progress, Encoded) else "reading the files"


def _pace(progress: "Scanned | WindowDone", left: float | None = None) -> str:
    """Write rows/s, MB/s and the time left; `left` is the time that all epochs will take at most."""
    megabytes = progress.megabytes_per_second
    shown = f"{megabytes:.0f}" if megabytes >= 10 else f"{megabytes:.1f}"
    most = "" if left is None else " at most"
    seconds = progress.seconds_left if left is None else left
    return f"{progress.rows_per_second:,.0f} rows/s, {shown} MB/s, {duration(seconds)} left{most}"


def _curve(losses: list[float]) -> str:
    return f", loss {figure(losses[-1])}" if losses else ""


Show = Callable[[str, float, Callable[[], str], Callable[[], str]], None]
"""Takes a name, the share that is done, what to say of it, and what a plain line says besides."""


@contextmanager
def _shown() -> Iterator[Show]:
    terminal = console(err=True)
    if is_quiet():
        yield lambda name, share, pace, more: None
    elif terminal is None:
        line = lines()
        yield lambda name, share, pace, more: line(lambda: f"{name}: {100 * share:.0f} %{more()}, {pace()}")
    else:
        with _bar(terminal) as show:
            yield show


@contextmanager
def _bar(terminal: "Console") -> Iterator[Show]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (
        TextColumn("{task.fields[what]}"),
        BarColumn(bar_width=10),
        TaskProgressColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=terminal, transient=True) as progress:
        task = progress.add_task("", total=1.0, what="")

        def show(name: str, share: float, pace: Callable[[], str], more: Callable[[], str]) -> None:
            progress.update(task, completed=share, description=pace(), what=name)

        yield show
