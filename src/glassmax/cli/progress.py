"""The progress of a training run: one live line on a terminal; elsewhere a few plain lines, if it takes long."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .charts import sparkline
from .talk import figure, is_quiet, say
from .terminal import console

if TYPE_CHECKING:
    from rich.console import Console

    from ..estimator.ensemble import Member, Trial
    from ..training import Epoch

__all__ = ["duration", "followed", "lines", "of_epochs", "of_members"]

SECONDS_BETWEEN_LINES = 10
SECONDS_BETWEEN_DRAWINGS = 0.1
_Fitted = TypeVar("_Fitted")


@contextmanager
def of_members() -> "Iterator[Callable[[Member | Trial], None]]":
    """Yield a function that takes the record of each trial and member: how many there are, and what it is worth."""
    from ..estimator.ensemble import Trial

    terminal = console(err=True)
    if terminal is None or is_quiet():
        line = lines()
        yield lambda record: line(partial(_member, record))
        return
    with _bar(terminal, "network", 1) as update:

        def show(record: "Member | Trial") -> None:
            if isinstance(record, Trial):
                update(0, _trial(record), 1)
            else:
                update(record.done, f"{record.type}: log-loss {figure(record.log_loss)}", record.planned)

        yield show


def lines() -> Callable[[Callable[[], str]], None]:
    """Return a function that prints a line now and then, so that a log shows that something is going on."""
    said = time.monotonic()

    def maybe(line: Callable[[], str]) -> None:
        nonlocal said
        if time.monotonic() > said + SECONDS_BETWEEN_LINES:
            said = time.monotonic()
            say(line())

    return maybe


def followed(records: Generator[Any, None, _Fitted], show: Callable[[Any], None]) -> _Fitted:
    """Show each record of a training, and return what is learned.

    Ctrl-C while a record is shown ends the training as if the training itself had been interrupted.
    """
    step: Callable[[], Any] = partial(next, records)
    while True:
        try:
            record = step()
        except StopIteration as end:
            learned: _Fitted = end.value
            return learned
        step = partial(next, records)
        try:
            show(record)
        except KeyboardInterrupt:
            step = partial(records.throw, KeyboardInterrupt)


def _member(record: "Member | Trial") -> str:
    from ..estimator.ensemble import Trial

    if isinstance(record, Trial):
        return _trial(record)
    return f"network {record.done} of {record.planned}: {record.type}, log-loss {figure(record.log_loss)}"


def _trial(trial: "Trial") -> str:
    loss = "" if trial.log_loss is None else f", log-loss {figure(trial.log_loss)}"
    return f"trial {trial.number}, {trial.state}{loss}"


@contextmanager
def of_epochs(
    most: int, score: "Callable[[], str]", losses: "Callable[[], list[float]]"
) -> "Iterator[tuple[Callable[[Epoch], None], Callable[[int, int, float], None]]]":
    """Yield two functions: one takes the record of each epoch, the other the progress within a long epoch.

    The first function shows losses, a score, rows a second and the time left. The second function takes the number of
    rows done, the number of all rows and the mean loss of the rows done; only a terminal shows them.

    `most` is the maximum number of epochs; `score` writes the score that early stopping watches, or "" if the losses
    already show it; `losses` returns the losses of the complete epochs, those before a checkpoint included.
    """
    terminal = console(err=True)
    if is_quiet():
        yield lambda epoch: None, _ignore
        return
    if terminal is None:
        line, started, restored = lines(), time.monotonic(), list[int]()

        def write(epoch: "Epoch") -> None:
            restored.append(epoch.number - 1)
            line(partial(_epoch, epoch, most, score, started, restored[0]))

        yield write, _ignore
        return
    with _bar(terminal, "epoch", most) as update:

        def show(epoch: "Epoch") -> None:
            update(epoch.number, lambda: f"{sparkline(losses(), 12)} {_figures(epoch, score)}", most)

        def show_within(rows_done: int, rows: int, loss: float) -> None:
            share, complete = rows_done / max(rows, 1), losses()
            begun = f"{sparkline(complete, 12)} " if complete else ""
            said = f"{begun}{100 * share:.0f} % of epoch {len(complete) + 1}, loss {figure(loss)}"
            update(len(complete) + share, said, most)

        yield show, show_within


def _ignore(rows_done: int, rows: int, loss: float) -> None:
    """Show nothing."""


@contextmanager
def _bar(terminal: "Console", what: str, total: int) -> "Iterator[Callable[[float, Any, int], None]]":
    """Draw a bar; yield a function that takes how many are done, what to say of the latest, and how many there are."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(what),
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TextColumn("{task.description}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=terminal, transient=True) as progress:
        task = progress.add_task("", total=total)
        drawn = float("-inf")

        def update(done: float, said: Any, total: int) -> None:
            nonlocal drawn
            progress.update(task, completed=done, total=total)
            if time.monotonic() > drawn + SECONDS_BETWEEN_DRAWINGS:  # drawing many short epochs would take longer
                drawn = time.monotonic()
                progress.update(task, description=said() if callable(said) else said)

        yield update


def _epoch(epoch: "Epoch", most: int, score: "Callable[[], str]", started: float, restored: int) -> str:
    left = duration((time.monotonic() - started) / (epoch.number - restored) * (most - epoch.number))
    return f"epoch {epoch.number} of at most {most}: {_figures(epoch, score)}, {left} left at most"


def _figures(epoch: "Epoch", score: "Callable[[], str]") -> str:
    text = f"loss {figure(epoch.loss)}"
    if epoch.validation is not None:
        text += f", validation {figure(epoch.validation.log_loss)}, accuracy {epoch.validation.accuracy:.4f}"
    rate = epoch.rows / max(epoch.seconds, 1e-9)
    return f"{text}{score()}, {rate:,.0f} rows/s"


def duration(seconds: float) -> str:
    """Write a number of seconds as people say it: 12 s, 3 min, 1.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
