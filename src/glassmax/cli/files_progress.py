"""The progress of a training run on files: the scan, the encoding and the epochs, in rows/s, MB/s and time left.

A terminal has one live line; elsewhere there is a plain line every ten seconds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from .progress import duration, lines
from .talk import figure, is_quiet
from .terminal import console

if TYPE_CHECKING:
    from rich.console import Console

    from ..estimator.files import ScanProgress
    from ..streaming import WindowDone
    from ..training import Epoch

__all__ = ["of_epochs_on_files", "of_passes"]


@contextmanager
def of_passes() -> "Iterator[Callable[[ScanProgress], None]]":
    """Yield a function that shows how far the scan, and then the encoding, has come."""
    with _shown() as show:

        def told(progress: "ScanProgress") -> None:
            share = progress.size / max(progress.total, 1)
            pace, left = "", ""
            if progress.size_here:
                pace, left = _pace(progress), f"{duration(progress.seconds_left)} left"
            show(_name(progress), share, _Line(f"{100 * share:.0f} %", pace, left))

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
            loss = f"loss {figure(epoch.loss)}"
            if epoch.validation is not None:
                loss += f", validation {figure(epoch.validation.log_loss)}"
            pace = f"{_rows(epoch.rows / max(epoch.seconds, 1e-9))} rows/s"
            left = f"{duration(epoch.seconds * (most - epoch.number))} left"
            show(f"epoch {epoch.number} of {most}", 1.0, _Line(loss, pace, left, at_most=True))

        def show_window(window: "WindowDone") -> None:
            share = window.rows / max(window.of_rows, 1)
            whole = window.seconds * window.of_rows / max(window.rows_here, 1)
            left = f"{duration(window.seconds_left + whole * (most - window.epoch))} left"
            complete = losses()
            loss = f"loss {figure(complete[-1])}" if complete else ""
            line = _Line(loss, _pace(window), left, at_most=True, plain=f"{100 * share:.0f} %")
            show(f"epoch {window.epoch} of {most}", share, line)

        yield show_epoch, show_window


class _Line(NamedTuple):
    """What is said of the progress: `state`, the pace, and the time left; `plain` is not said beside a bar."""

    state: str
    pace: str
    left: str
    at_most: bool = False
    plain: str = ""

    def beside_bar(self) -> str:
        """Return what fits beside a bar in 80 columns."""
        return ", ".join(part for part in (self.state, self.pace, self.left) if part)

    def whole(self) -> str:
        """Return what a line of text says."""
        left = f"{self.left} at most" if self.at_most else self.left
        return ", ".join(part for part in (self.plain, self.state, self.pace, left) if part)


def _name(progress: "ScanProgress") -> str:
    from ..estimator.files import EncodingProgress

    return "encoding the rows" if isinstance(progress, EncodingProgress) else "reading the files"


def _pace(progress: "ScanProgress | WindowDone") -> str:
    megabytes = progress.megabytes_per_second
    shown = f"{megabytes:.0f}" if megabytes >= 10 else f"{megabytes:.1f}"
    return f"{_rows(progress.rows_per_second)} rows/s, {shown} MB/s"


def _rows(rate: float) -> str:
    return f"{rate:,.0f}" if rate < 1e6 else f"{rate / 1e6:.2f} M"


Show = Callable[[str, float, _Line], None]
"""Takes a name, the share that is done, and what to say of it."""


@contextmanager
def _shown() -> Iterator[Show]:
    terminal = console(err=True)
    if is_quiet():
        yield lambda name, share, line: None
    elif terminal is None:
        maybe = lines()
        yield lambda name, share, line: maybe(lambda: f"{name}: {line.whole()}")
    else:
        with _bar(terminal) as show:
            yield show


@contextmanager
def _bar(terminal: "Console") -> Iterator[Show]:
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.fields[what]}"),
        BarColumn(bar_width=10),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=terminal, transient=True) as progress:
        task = progress.add_task("", total=1.0, what="", visible=False)

        def show(name: str, share: float, line: _Line) -> None:
            progress.update(task, completed=share, description=line.beside_bar(), what=name, visible=True)

        yield show
