"""Training on a spool: epochs window by window, in the order of `glassmax.streaming.order`.

A window is trained on as an epoch in memory is: by ``engine.epoch`` on its rows, the last batch of a window smaller
than the others. What comes next depends on the weights, the `TrainingState` and the `Position` alone, so that a run
that was stopped after any window, and goes on from a checkpoint, is the same to the last bit as one that wasn't.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..engine import Data, Engine, EpochResult, Regularization, blocks
from ..errors import DivergenceError
from ..functional.arrays import Array
from ..functional.mixup import mixup_factors
from ..network import Network
from ..optimizers import Rule, Schedule
from ..training import Epoch, Metrics, RunningMetrics, TrainingState, suggest_learning_rate
from .order import Order, is_validation
from .reader import read_ahead
from .spool import Spool

__all__ = ["Position", "WindowDone", "train_on_spool"]

SAVE_SECONDS = 20.0
NONE, CONSTANT = Regularization(), Schedule()


@dataclass
class Position:
    """How far the current epoch has come.

    Attributes
    ----------
    numbers : list of float
        Windows done, the sum of the losses of their rows, the number of these rows and of the steps: all that a
        checkpoint must keep, as one of its curves.
    """

    numbers: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0])

    @property
    def window(self) -> int:
        """Number of windows done in the current epoch."""
        return int(self.numbers[0])

    @property
    def rows(self) -> int:
        """Number of rows that the current epoch was trained on."""
        return int(self.numbers[2])

    def add(self, result: EpochResult, rows: int) -> None:
        """Count a window."""
        self.numbers[:] = [
            a + b for a, b in zip(self.numbers, (1, result.loss * rows, rows, result.steps), strict=True)
        ]

    def begin(self) -> None:
        """Begin another epoch."""
        self.numbers[:] = [0.0, 0.0, 0.0, 0.0]


class WindowDone(NamedTuple):
    """How fast training is, after a window.

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
    """

    epoch: int
    rows: int
    of_rows: int
    size: int
    rows_here: int
    seconds: float

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
        """Time that the rest of the epoch will take."""
        return (self.of_rows - self.rows) / max(self.rows_per_second, 1e-9)


class _SomeRows(Data):
    """Some of the rows of a larger data set; the loss of a batch is divided by the mean weight of all rows."""

    mean = 1.0

    @property
    def mean_weight(self) -> float:
        """The mean weight of all rows."""
        return self.mean


class _Window(NamedTuple):
    """The training rows of a window, and the order in which they are taken; `seen` are the validation rows too."""

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
    seed: int,
    batch_size: int,
    max_epochs: int,
    regularization: Regularization = NONE,
    schedule: Schedule = CONSTANT,
    rate_factors: Sequence[float] = (),
    validation_share: float = 0.0,
    save: Callable[[], None] | None = None,
    on_window: Callable[[WindowDone], None] | None = None,
) -> Generator[Epoch, None, None]:
    """Train one epoch for each item taken from the iterator.

    Parameters
    ----------
    network : Network
        Network to train; its theta is updated in place.
    engine : Engine
    spool : Spool
        The encoded rows.
    rule : Rule
    training : TrainingState
        A new state, or the state of an earlier run; updated in place. `draw` and `order` are not used.
    position : Position
        A new position, or that of an earlier run; updated in place.
    seed : int
        In [0, 2^64): of the order of the rows, and of the choice of validation rows.
    batch_size : int
        >= 1.
    max_epochs : int
        Maximum number of epochs, >= 0, including the epochs that `training` has already counted.
    regularization, schedule, rate_factors
        As for `glassmax.training.train`. The schedule goes by steps as if no row were held out.
    validation_share : float, default=0.0
        In [0, 1): share of the rows held out for validation.
    save : callable, optional
        Writes a checkpoint of network, `training` and `position`; is called after a window, at most 20 seconds plus
        a window after the last time. Whoever takes the epochs saves after each of them.
    on_window : callable, optional
        Is called after each window.

    Yields
    ------
    Epoch
        The seconds of an epoch don't count those of an earlier run.

    Raises
    ------
    DivergenceError
        If a loss or a parameter is not finite. Network and state are then those before the window.
    DataError
        If the encoded rows are damaged.
    """
    regularization = regularization._replace(seed=training.seed)
    order = Order(spool.n_rows, seed, spool.layout.window_blocks)
    window_rows = order.window_blocks * 64
    pace = _Pace(min(batch_size, window_rows), window_rows, order, max_epochs, schedule, rule.learning_rate)

    def read(number: int) -> _Window:
        rows = order.rows_of_blocks(block_numbers := order.blocks(training.epochs, number))
        data = spool.read(block_numbers)
        places = order.places(training.epochs, rows)
        if validation_share:
            kept = ~is_validation(seed, rows, validation_share)
            places = (np.cumsum(kept) - 1)[places[kept[places]]]
            data = data.rows(np.flatnonzero(kept))
        return _Window(_of_dtype(data, network, spool.mean_weight), places, len(rows))

    saved = time.monotonic()
    while training.epochs < max_epochs:
        started = time.perf_counter()
        here = 0
        with closing(read_ahead(read, range(position.window, order.n_windows))) as windows:
            for window in windows:
                _train_window(network, engine, rule, training, position, window, pace, regularization, rate_factors)
                here += window.seen
                if on_window is not None:
                    done = min(position.window * window_rows, spool.n_rows)
                    seconds = time.perf_counter() - started
                    size = here * spool.layout.row_bytes
                    on_window(WindowDone(training.epochs + 1, done, spool.n_rows, size, here, seconds))
                if save is not None and time.monotonic() - saved >= SAVE_SECONDS and position.window < order.n_windows:
                    save()
                    saved = time.monotonic()
        _, loss, rows, steps = position.numbers
        training.epochs, training.weight = training.epochs + 1, training.weight + rows * spool.mean_weight
        position.begin()
        validated = _validated(network, engine, spool, order, seed, validation_share) if validation_share else None
        seconds = time.perf_counter() - started
        saved = time.monotonic()
        yield Epoch(training.epochs, loss / max(1.0, rows), validated, int(steps), int(rows), seconds)


class _Pace:
    """The learning rates of a window; the schedule goes by the steps of windows without validation rows."""

    def __init__(
        self, batch_size: int, window_rows: int, order: Order, max_epochs: int, schedule: Schedule, rate: float
    ) -> None:
        self.batch_size, self.schedule, self.rate = batch_size, schedule, rate
        self.of_window = -(-window_rows // batch_size)
        last = order.n_rows - (order.n_windows - 1) * window_rows
        self.of_epoch = (order.n_windows - 1) * self.of_window + -(-last // batch_size)
        self.total = max_epochs * self.of_epoch

    def first(self, epoch: int, window: int) -> int:
        """Return the number of steps before a window."""
        return epoch * self.of_epoch + window * self.of_window

    def rates(self, training: TrainingState, window: int, steps: int) -> Array:
        """Return the learning rate of each step of a window."""
        first = self.first(training.epochs, window)
        shares = self.schedule.shares(first, steps, self.total, epoch=training.epochs, rows=training.weight)
        return self.rate * training.slowdown * shares


def _train_window(
    network: Network,
    engine: Engine,
    rule: Rule,
    training: TrainingState,
    position: Position,
    window: _Window,
    pace: _Pace,
    regularization: Regularization,
    rate_factors: Sequence[float],
) -> None:
    n = len(window.order)
    if not n:  # all are validation rows
        position.add(EpochResult(0.0, 0, True), 0)
        return
    steps = -(-n // pace.batch_size)
    first = pace.first(training.epochs, position.window)
    theta, state = network.theta.copy(), deepcopy(training.state)
    result = engine.epoch(
        network,
        window.data,
        rule,
        training.state,
        order=window.order,
        batch_size=pace.batch_size,
        rates=pace.rates(training, position.window, steps),
        regularization=regularization,
        first_step=training.steps,
        rate_factors=rate_factors,
        mixup_factors=mixup_factors(first, steps, pace.total) if regularization.mixup else None,
    )
    if not (result.finite and np.isfinite(network.theta).all()):
        step = int(position.numbers[3]) + result.steps + (not result.finite)
        network.theta[...] = theta
        training.state.update(state)
        raise DivergenceError(
            f"The loss is no longer finite in epoch {training.epochs + 1}, step {step}, at learning rate "
            f"{rule.learning_rate:g}. The last good weights are kept. Try a learning rate of "
            f"{suggest_learning_rate(rule.learning_rate):g}, and inputs scaled to about 1."
        )
    training.steps, training.rows = training.steps + result.steps, training.rows + n
    position.add(result, n)


def _of_dtype(data: Data, network: Network, mean: float) -> Data:
    rows = _SomeRows(data.X.astype(network.theta.dtype, copy=False), data.y, data.weight)
    rows.mean = mean
    return rows


def _validated(network: Network, engine: Engine, spool: Spool, order: Order, seed: int, share: float) -> Metrics:
    """Return the metrics on the validation rows, read in the order of their numbers."""

    def read(start: int) -> Data:
        block_numbers = np.arange(start, min(start + order.window_blocks, order.n_blocks))
        held = np.flatnonzero(is_validation(seed, order.rows_of_blocks(block_numbers), share))
        return _of_dtype(spool.read(block_numbers).rows(held), network, spool.mean_weight)

    running = RunningMetrics(network.layer_sizes[-1])
    with closing(read_ahead(read, range(0, order.n_blocks, order.window_blocks))) as parts:
        for data in parts:
            for rows in _blocks(network, data):
                running.add(engine.logits(network, rows.X), rows.y, rows.weight)
    return running.metrics()


def _blocks(network: Network, data: Data) -> Iterator[Data]:
    for block in blocks(network, len(data.y)):
        yield data.rows(block)
