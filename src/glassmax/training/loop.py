"""The training loop: a stream of epochs.

``for epoch in train(...)`` trains one epoch at a time and yields its record. Progress bars, early stopping, checkpoints
and curves read that stream; this module doesn't use them. Besides the weights, the next epoch depends on the
`TrainingState` alone: a run whose state is restored continues as if it had never stopped.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..engine import Data, Engine, Progress, Regularization
from ..errors import DivergenceError
from ..functional.arrays import Array
from ..functional.mixup import mixup_factors
from ..network import Network
from ..optimizers import Iterate, Rule, Schedule, State, lbfgs
from .metrics import Metrics, score

__all__ = [
    "Ahead",
    "Epoch",
    "TrainingState",
    "divergence",
    "lbfgs_iterations",
    "suggest_learning_rate",
    "train",
    "train_lbfgs",
]

NONE, CONSTANT = Regularization(), Schedule()
AT_ONCE = 1e-3  # seconds of one call for several epochs: Ctrl-C waits for its end


class Epoch(NamedTuple):
    """The record of one epoch of training.

    Attributes
    ----------
    number : int
        Counted from 1 in this run; for L-BFGS the iteration.
    loss : float
        Mean training loss over the epoch, penalty included, each batch's before its step; for L-BFGS the loss after
        the iteration.
    validation : Metrics or None
        Log-loss and accuracy on the validation rows after the epoch.
    steps : int
        Steps taken in this epoch.
    rows : int
        Rows seen in this epoch.
    seconds : float
        Wall-clock time, validation included.
    """

    number: int
    loss: float
    validation: Metrics | None
    steps: int
    rows: int
    seconds: float

    def __repr__(self) -> str:
        text = f"epoch {self.number}: loss {self.loss:.4g}"
        if self.validation is not None:
            text += f", validation loss {self.validation.log_loss:.4g}, accuracy {self.validation.accuracy:.4g}"
        return f"{text} ({self.seconds:.2g} s)"


@dataclass
class TrainingState:
    """The state of a training run: everything that the next epoch depends on, besides the weights.

    Attributes
    ----------
    state : State
        State of the rule, from ``rule.init(network.theta)``.
    draw : numpy.random.RandomState
        Shuffles the rows of each epoch.
    order : (n,) array of intp or None
        The last epoch's order of the rows, which the next epoch shuffles further, in place; None is the order in which
        the rows were given.
    epochs : int
        Epochs done in this run.
    steps, rows : int
        Steps taken and rows seen, earlier runs included.
    weight : float
        Total weight of the rows seen; their number if they have no weights.
    slowdown : float
        Factor of all learning rates, at first 1; the "adaptive" schedule lowers it.
    seed : int
        Seed of the dropout masks and of mixup, in [0, 2^63).
    split : numpy.random.RandomState or None
        State of `draw` when validation rows were held out.
    """

    state: State
    draw: np.random.RandomState
    order: Array | None = None
    epochs: int = 0
    steps: int = 0
    rows: int = 0
    weight: float = 0.0
    slowdown: float = 1.0
    seed: int = 0
    split: np.random.RandomState | None = None

    def count(self, epoch: Epoch, mean_weight: float) -> None:
        """Add an epoch, whose rows have that mean weight, to what has been done."""
        self.epochs, self.steps, self.rows = epoch.number, self.steps + epoch.steps, self.rows + epoch.rows
        self.weight += epoch.rows * mean_weight

    def __repr__(self) -> str:
        return f"TrainingState(epochs={self.epochs}, steps={self.steps}, rows={self.rows}, slowdown={self.slowdown:g})"


class Ahead:
    """Epochs that are trained in one call, and not one for each item taken.

    Parameters
    ----------
    sure : callable
        Returns how many more epochs, >= 1, will be taken whatever their losses are.

    Attributes
    ----------
    trained : deque of Epoch
        Epochs that have been trained, and not yet taken from the iterator.
    """

    def __init__(self, sure: Callable[[], float]) -> None:
        self.sure, self.trained = sure, deque[Epoch]()

    def count(self, seconds: float) -> int:
        """Return how many epochs to train in one call, when the last one took so many seconds."""
        return max(1, int(min(self.sure(), AT_ONCE / seconds if seconds else 1)))


def train(
    network: Network,
    engine: Engine,
    data: Data,
    rule: Rule,
    training: TrainingState,
    *,
    batch_size: int,
    max_epochs: int,
    regularization: Regularization = NONE,
    schedule: Schedule = CONSTANT,
    rate_factors: Sequence[float] = (),
    shuffle: bool = True,
    validation: Data | None = None,
    watched: bool = True,
    ahead: "Ahead | None" = None,
    progress: Progress | None = None,
) -> Generator[Epoch, None, None]:
    """Train one epoch for each item taken from the iterator.

    Parameters
    ----------
    network : Network
        Network to train; its theta is updated in place.
    engine : Engine
    data : Data
        n >= 1 rows.
    rule : Rule
    training : TrainingState
        A new state, or the state of an earlier run; updated in place.
    batch_size : int
        >= 1; more than n counts as n.
    max_epochs : int
        Maximum number of epochs, >= 0, including the epochs that `training` has already counted.
    regularization : Regularization
        Penalty, dropout, label smoothing, clipping, weight decay, mixup; none by default. Its seed is replaced by that
        of `training`. Mixup fades out in the second half of the `max_epochs` epochs.
    schedule : Schedule
        Schedule of the learning rate; constant by default.
    rate_factors : sequence of float, optional
        Factor of the learning rate for W1, b1, W2, ..., see `glassmax.optimizers.rate_factors`; 1 by default.
    shuffle : bool, default=True
        Whether to shuffle the rows before each epoch.
    validation : Data, optional
        Rows to score after each epoch.
    watched : bool, default=True
        Whether network and state are current between two epochs and may be changed there. False is faster for small
        networks and short epochs; network and state are then current only when the iterator has ended or is closed.
    ahead : Ahead, optional
        Train several epochs in one call of the engine, if `watched` is False, the epochs are short and their learning
        rates are the same. The result has the same bits.
    progress : callable, optional
        Called as ``progress(rows_done, rows, loss_so_far)``, four times a second, within an epoch that takes longer
        than a second: the rows that are done, all rows, and the mean loss of those done, penalty included. No bit of a
        result depends on it.

    Yields
    ------
    Epoch

    Raises
    ------
    DivergenceError
        If a loss or a parameter is not finite. Network and state are then restored to the last state with a finite
        loss, of which a copy is kept in memory. Two kinds of networks have no copy, so that their weights remain those
        of the last step: networks with more than 2^24 parameters, and networks with 4096 classes or more whose copy
        would take more than half of the engine's `memory_limit`.

    Examples
    --------
    >>> from glassmax.engine import best_engine
    >>> from glassmax.optimizers import SGD
    >>> net, rule = Network([2, 2]), SGD(learning_rate=0.5)
    >>> data = Data(np.eye(2), np.array([0, 1]))
    >>> state = TrainingState(rule.init(net.theta), np.random.RandomState(0))
    >>> run = train(net, best_engine(), data, rule, state, batch_size=2, max_epochs=3)
    >>> losses = [epoch.loss for epoch in run]
    >>> losses[0] > losses[1] > losses[2]
    True
    """
    n = data.n_rows
    regularization = regularization._replace(seed=training.seed)
    batch_size = min(batch_size, n)
    steps = -(-n // batch_size)
    if training.order is None or len(training.order) != n:
        training.order = np.arange(n)
    rates, slowdown, mean_weight = None, training.slowdown, data.mean_weight
    factors = None
    together = not watched and validation is None and schedule.is_level and not regularization.mixup
    seconds, trained = AT_ONCE, deque[Epoch]() if ahead is None else ahead.trained
    state = training.state
    with engine.open(network, rule, state, rate_factors=rate_factors, keep=True, live=watched) as session:
        while training.epochs < max_epochs:
            started = time.perf_counter()
            first, total = training.epochs * steps, max_epochs * steps
            if rates is None or not schedule.is_level or training.slowdown != slowdown:
                slowdown = training.slowdown
                shares = schedule.shares(first, steps, total, epoch=training.epochs, rows=training.weight)
                rates = rule.learning_rate * slowdown * shares
            options: dict[str, Any] = {"batch_size": batch_size, "rates": rates, "regularization": regularization}
            options |= {"order": training.order, "first_step": training.steps}
            count = 1 if ahead is None or not together else min(ahead.count(seconds), max_epochs - training.epochs)
            if count > 1:
                results = session.epochs(data, count, draw=training.draw if shuffle else None, **options)
            else:
                if shuffle:
                    training.draw.shuffle(training.order)
                if regularization.mixup:
                    factors = mixup_factors(first, steps, total)
                results = [session.epoch(data, mixup_factors=factors, progress=progress, **options)]
            good = len(results) - (not (results[-1].finite and session.finite))
            failure = ""
            if good < len(results):
                kept = session.go_back()
                step = results[-1].steps + (not results[-1].finite)
                failure = divergence(rule, training.epochs + good + 1, step, kept=kept)
            validated = None if validation is None or failure else score(network, engine, validation, confusion=False)
            seconds = (time.perf_counter() - started) / len(results)
            numbers = range(training.epochs + 1, training.epochs + good + 1)
            trained.extend(
                Epoch(number, result.loss, validated, result.steps, n, seconds)
                for number, result in zip(numbers, results, strict=False)
            )
            try:
                while trained:
                    training.count(trained[0], mean_weight)
                    yield trained.popleft()
            finally:  # closed before all were taken
                for epoch in trained:
                    training.count(epoch, mean_weight)
            if failure:
                raise DivergenceError(failure)


def divergence(rule: Rule, number: int, step: int, *, kept: bool) -> str:
    """Return the message that the loss is no longer finite, and whether the good weights could be kept."""
    if kept:
        which = "The last good weights are kept."
    else:
        which = "The network is too large to keep a copy of good weights: its weights are those of the last step."
    return (
        f"The loss is no longer finite in epoch {number}, step {step}, "
        f"at learning rate {rule.learning_rate:g}. {which} Try a learning rate of "
        f"{suggest_learning_rate(rule.learning_rate):g}, and inputs scaled to about 1."
    )


def train_lbfgs(
    network: Network,
    engine: Engine,
    data: Data,
    training: TrainingState,
    *,
    max_iter: int,
    max_fun: int,
    tol: float,
    regularization: Regularization = NONE,
    validation: Data | None = None,
) -> Generator[Epoch, None, Iterate]:
    """Train on all rows at once by L-BFGS, one iteration for each item taken from the iterator.

    Parameters
    ----------
    network, engine, data, training, regularization, validation
        As for `train`; regularization without dropout, clipping and weight decay.
    max_iter, max_fun, tol
        As for `glassmax.optimizers.lbfgs`.

    Yields
    ------
    Epoch
        For each iteration.

    Returns
    -------
    glassmax.optimizers.Iterate
        The last iterate and why the search ended: the return value of the generator.

    Raises
    ------
    DivergenceError
        If the loss is not finite at the start or after an iteration.
    """

    def objective(exact: Network) -> tuple[float, Array]:
        return engine.loss_and_gradient(exact, data, regularization)

    def validate() -> Metrics | None:
        return None if validation is None else score(network, engine, validation, confusion=False)

    limits = {"max_iter": max_iter, "max_fun": max_fun, "tol": tol}
    return (yield from lbfgs_iterations(network, objective, data.n_rows, training, validate, **limits))


def lbfgs_iterations(
    network: Network,
    objective: Callable[[Network], tuple[float, Array]],
    n_rows: int,
    training: TrainingState,
    validate: Callable[[], Metrics | None],
    **limits: Any,
) -> Generator[Epoch, None, Iterate]:
    """Minimize a loss by L-BFGS, one iteration for each item taken from the iterator.

    `objective` returns the loss of all rows and its gradient for a network in float64; the limits are those of
    `train_lbfgs`.
    """
    exact = network.astype(np.float64)  # rounded to float32, the loss is too rough for a line search

    def at(theta: Array) -> tuple[float, Array]:
        exact.theta[...] = theta
        return objective(exact)

    started = time.perf_counter()
    start = network.theta.copy()
    for iterate in lbfgs(at, exact.theta.copy(), **limits):
        network.theta[...] = iterate.theta
        if not (np.isfinite(iterate.loss) and np.isfinite(network.theta).all()):
            network.theta[...] = start
            raise DivergenceError(
                f"The loss is not finite after {training.epochs} iterations of L-BFGS. The last good weights are kept. "
                "Scale the inputs to about 1."
            )
        start = network.theta.copy()
        if iterate.stop_reason:
            break
        training.epochs, training.rows = training.epochs + 1, training.rows + n_rows
        validated = validate()
        seconds = time.perf_counter() - started
        yield Epoch(training.epochs, iterate.loss, validated, 1, n_rows, seconds)
        started = time.perf_counter()
    return iterate


def suggest_learning_rate(learning_rate: float) -> float:
    """Return a learning rate to try instead of one that is too large: a tenth of it, or 0.001 if it is above 1."""
    return learning_rate / 10 if learning_rate <= 1 else 0.001
