"""Training on a spool: epochs window by window, in the order of `glassmax.streaming.order`.

A window is trained on as an epoch in memory is, in pieces of whole batches whose size follows from the network alone;
the last batch of a window is smaller than the others. What comes next depends on the weights, the `TrainingState` and
the `Position` alone, so that a run that was stopped after any piece, and goes on from a checkpoint, is the same to the
last bit as one that wasn't.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..engine import Data, Engine, EpochResult, Regularization, Session
from ..errors import DivergenceError
from ..functional.arrays import Array
from ..functional.mixup import mixup_factors
from ..network import Network
from ..optimizers import Rule, Schedule
from ..training import Epoch, Metrics, TrainingState
from ..training.loop import divergence
from .order import Order
from .reader import read_ahead
from .rows import some_rows
from .split import Split
from .spool import Layout, Spool

__all__ = ["Position", "WindowDone", "train_on_spool"]

SAVE_SECONDS = 20.0
LARGEST_PIECE = 2e11
"""About the maximum of floating-point operations of a piece, a few seconds of work: a checkpoint waits for its end."""
NONE, CONSTANT = Regularization(), Schedule()


@dataclass
class Position:
    """How far the current epoch has come.

    Attributes
    ----------
    numbers : list of float
        Windows done, the steps done of the next one, the sum of the losses of all rows done, the number of these rows
        and of the steps: all that a checkpoint must keep, as one of its curves.
    """

    numbers: list[float] = field(default_factory=lambda: [0.0] * 5)

    @property
    def window(self) -> int:
        """Number of windows done in the current epoch."""
        return int(self.numbers[0])

    @property
    def step(self) -> int:
        """Number of steps done in the next window."""
        return int(self.numbers[1])

    @property
    def loss(self) -> float:
        """Mean loss of the rows that the current epoch was trained on."""
        return self.numbers[2] / max(1.0, self.numbers[3])

    @property
    def rows(self) -> int:
        """Number of rows that the current epoch was trained on."""
        return int(self.numbers[3])

    @property
    def steps(self) -> int:
        """Number of steps of the current epoch."""
        return int(self.numbers[4])

    def add(self, result: EpochResult, rows: int, *, end: bool) -> None:
        """Count a piece of a window; `end` tells whether it is the last one."""
        window, step, loss, n, steps = self.numbers
        window, step = (window + 1, 0.0) if end else (window, step + result.steps)
        self.numbers[:] = [window, step, loss + result.loss * rows, n + rows, steps + result.steps]

    def begin(self) -> None:
        """Begin another epoch."""
        self.numbers[:] = [0.0] * 5


class WindowDone(NamedTuple):
    """How far an epoch has come, and how fast it is.

    Attributes
    ----------
    epoch : int
        Number of the epoch, from 1.
    rows, of_rows : int
        Rows of this epoch that are done, validation rows among them, and all rows.
    size : int
        Bytes of the rows done by this process in this epoch.
    rows_here : int
        Number of rows done by this process in this epoch.
    seconds : float
        Time that these rows took.
    loss : float
        Mean training loss of the rows of this epoch that are done.
    """

    epoch: int
    rows: int
    of_rows: int
    size: int
    rows_here: int
    seconds: float
    loss: float = float("nan")

    @property
    def rows_per_second(self) -> float:
        """Rows done in a second."""
        return self.rows_here / max(self.seconds, 1e-9)

    @property
    def megabytes_per_second(self) -> float:
        """Megabytes of encoded rows done in a second."""
        return self.size / 1e6 / max(self.seconds, 1e-9)

    @property
    def seconds_left(self) -> float:
        """Estimated time until the end of the epoch."""
        return (self.of_rows - self.rows) / max(self.rows_per_second, 1e-9)


class _Window(NamedTuple):
    """The training rows of a window, and the order in which they are taken; `seen` counts the other rows too."""

    number: int
    data: Data
    order: Array
    seen: int


def train_on_spool(
    network: Network,
    engine: Engine,
    spool: Spool,
    rule: Rule,
    training: TrainingState,
    position: Position,
    *,
    split: Split,
    batch_size: int,
    max_epochs: int,
    regularization: Regularization = NONE,
    schedule: Schedule = CONSTANT,
    rate_factors: Sequence[float] = (),
    class_weight: Array | None = None,
    mean_weight: float | None = None,
    validate: Callable[[], Metrics | None] | None = None,
    save: Callable[[], None] | None = None,
    on_window: Callable[[WindowDone], None] | None = None,
) -> Generator[Epoch, None, None]:
    """Train one epoch for each item taken from the iterator.

    Parameters
    ----------
    network : Network
        Network to train; its theta is updated in place. It is current between two epochs, when `validate` and `save`
        are called, and when the iterator has ended or is closed.
    engine : Engine
    spool : Spool
        The encoded rows.
    rule : Rule
    training : TrainingState
        A new state, or the state of an earlier run; updated in place. `draw` and `order` are not used.
    position : Position
        A new position, or that of an earlier run; updated in place.
    split : Split
        The rows to train on; its seed is also that of the order of the rows.
    batch_size : int
        >= 1. The maximum is the number of rows of a window; larger values count as this maximum.
    max_epochs : int
        Maximum number of epochs, >= 0, including the epochs that `training` has already counted.
    regularization, schedule, rate_factors
        As for `glassmax.training.train`. The schedule goes by steps as if all rows were trained on.
    class_weight : (k,) array, optional
        Weights of the classes, by which the weights of the rows are multiplied.
    mean_weight : float, optional
        Mean of the multiplied weights; by default, the mean of the weights of the rows.
    validate : callable, optional
        Returns the metrics on the validation rows; is called after each epoch.
    save : callable, optional
        Writes a checkpoint of network, `training` and `position`; is called at most 20 seconds plus a piece of a window
        after the last call. The caller must also save after each epoch.
    on_window : callable, optional
        Is called after each window, and within a long one.

    Yields
    ------
    Epoch
        The seconds of an epoch don't include those of an earlier run.

    Raises
    ------
    DivergenceError
        If a loss or a parameter is not finite. Network and state are then those before the piece of a window, if they
        are not too large for a copy, see `glassmax.training.train`.
    DataError
        If the encoded rows are damaged.
    """
    order = spool.layout.order(spool.n_rows, split.seed)
    mean = spool.mean_weight if mean_weight is None else mean_weight
    regularization = regularization._replace(seed=training.seed)
    pace = _Pace(batch_size, order, max_epochs, schedule, rule.learning_rate)

    def read(number: int) -> _Window:
        blocks = order.blocks(training.epochs, number)
        rows, data = order.rows_of_blocks(blocks), spool.read(blocks)
        seen = len(rows)
        if not split.is_whole:
            kept = np.flatnonzero(split.training_rows(rows))
            rows, data = rows[kept], data.rows(kept)
        data = some_rows(data, network.theta.dtype, class_weight, mean)
        return _Window(number, data, order.places(training.epochs, rows), seen)

    saved = time.monotonic()
    with engine.open(network, rule, training.state, rate_factors=rate_factors, keep=True) as session:
        steps_at_once = max(1, int(LARGEST_PIECE / (_flops(network, spool.layout) * pace.batch_size)))
        epoch_of = _Trainer(session, rule, training, position, pace, regularization, steps_at_once)
        while training.epochs < max_epochs:
            started, here = time.perf_counter(), 0
            with closing(read_ahead(read, range(position.window, order.n_windows))) as windows:
                for window in windows:
                    for rows in epoch_of.pieces(window):
                        here += rows
                        if on_window is not None:
                            start, end = (
                                order.n_rows * n // order.n_windows for n in (window.number, window.number + 1)
                            )
                            done = min(start + position.step * pace.batch_size, end) if position.step else end
                            size, seconds = here * spool.layout.row_bytes, time.perf_counter() - started
                            told = (training.epochs + 1, done, order.n_rows, size, here, seconds, position.loss)
                            on_window(WindowDone(*told))
                        unfinished = position.window < order.n_windows
                        if save is not None and unfinished and time.monotonic() - saved >= SAVE_SECONDS:
                            session.read()
                            save()
                            saved = time.monotonic()
            loss, rows, steps = position.loss, position.rows, position.steps
            training.epochs, training.weight = training.epochs + 1, training.weight + rows * mean
            position.begin()
            session.read()
            validated = None if validate is None else validate()
            seconds = time.perf_counter() - started
            saved = time.monotonic()
            yield Epoch(training.epochs, loss, validated, steps, rows, seconds)


def _flops(network: Network, layout: Layout) -> float:
    """Return about how many floating-point operations a row takes."""
    first = network.layer_sizes[1]
    filled = layout.width if layout.filled is None else layout.filled
    return 6.0 * max(1, network.theta.size - (layout.width - filled) * first)


class _Pace:
    """The learning rates of a window; the schedule goes by the steps of a largest window."""

    def __init__(self, batch_size: int, order: Order, max_epochs: int, schedule: Schedule, rate: float) -> None:
        self.batch_size, self.schedule, self.rate = min(batch_size, order.window_rows), schedule, rate
        self.of_window = -(-order.window_rows // self.batch_size)
        self.of_epoch = order.n_windows * self.of_window
        self.total = max_epochs * self.of_epoch

    def first(self, epoch: int, window: int) -> int:
        """Return the number of steps before a window."""
        return epoch * self.of_epoch + window * self.of_window

    def rates(self, training: TrainingState, first: int, steps: int) -> Array:
        """Return the learning rates of some steps."""
        shares = self.schedule.shares(first, steps, self.total, epoch=training.epochs, rows=training.weight)
        return self.rate * training.slowdown * shares


class _Trainer(NamedTuple):
    """Trains on windows."""

    session: Session
    rule: Rule
    training: TrainingState
    position: Position
    pace: _Pace
    regularization: Regularization
    steps_at_once: int

    def pieces(self, window: _Window) -> Iterator[int]:
        """Train on what is left of a window, piece by piece, and yield the number of rows of each, all kinds."""
        position, n, batch = self.position, len(window.order), self.pace.batch_size
        steps = -(-n // batch)
        if not steps:  # none of its rows is trained on
            position.add(EpochResult(0.0, 0, True), 0, end=True)
            yield window.seen
        seen = position.step * batch
        while position.window == window.number:
            first = position.step
            last = min(first + self.steps_at_once, steps)
            self._train(window, first, last)
            done = window.seen if last == steps else last * batch
            yield max(0, done - seen)
            seen = done

    def _train(self, window: _Window, first: int, last: int) -> None:
        """Train on the batches from `first` to `last` of a window."""
        training, position, pace, batch = self.training, self.position, self.pace, self.pace.batch_size
        order = window.order[first * batch : last * batch]
        step, count = pace.first(training.epochs, window.number) + first, last - first
        mixup = mixup_factors(step, count, pace.total) if self.regularization.mixup else None
        result = self.session.epoch(
            window.data,
            order=order,
            batch_size=batch,
            rates=pace.rates(training, step, count),
            regularization=self.regularization,
            first_step=training.steps,
            mixup_factors=mixup,
        )
        if not (result.finite and self.session.finite):
            kept = self.session.go_back()
            at = position.steps + result.steps + (not result.finite)
            raise DivergenceError(divergence(self.rule, training.epochs + 1, at, kept=kept))
        training.steps, training.rows = training.steps + result.steps, training.rows + len(order)
        position.add(result, len(order), end=last * batch >= len(window.order))
