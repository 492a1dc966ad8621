"""The loop: a run as a stream of epochs.

``for epoch in fit(...)`` trains one epoch at a time and says what happened. Progress bars, early stopping,
checkpoints and records are readers of that stream; none of them is known here. What the next epoch depends on,
besides the weights, is a `Standing`: put back, a run goes on as if it had never stopped.
"""

import time
from collections.abc import Generator
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from ..engine import Data, Engine, Recipe
from ..errors import DivergenceError
from ..functional.arrays import Array
from ..network import Network
from ..optimizers import Iterate, Rule, Schedule, State, lbfgs
from .judging import Score, score

__all__ = ["Epoch", "Standing", "fit", "fit_lbfgs", "smaller"]

PLAIN, CONSTANT = Recipe(), Schedule()


@dataclass(frozen=True)
class Epoch:
    """What one epoch of training says.

    Attributes
    ----------
    number : int
        From 1, counted in this run; for L-BFGS the iteration.
    loss : float
        Training loss as it fell during the epoch, penalty included; for L-BFGS the loss after the iteration.
    validation : Score or None
        On the validation rows, after the epoch.
    steps : int
        Steps taken in this epoch.
    rows : int
        Rows seen in this epoch.
    seconds : float
        Wall clock, validation included.
    """

    number: int
    loss: float
    validation: Score | None
    steps: int
    rows: int
    seconds: float


@dataclass
class Standing:
    """Where a run stands: all that the next epoch depends on, besides the weights.

    Attributes
    ----------
    state : State
        Of the rule, from ``rule.init(network.theta)``.
    draw : numpy.random.RandomState
        Shuffles the rows of each epoch.
    order : (n,) array of intp or None
        The last epoch's order of the rows, which the next one shuffles on in place; None is the order they came in.
    epochs : int
        Done in this run.
    steps, rows : int
        Taken and seen, earlier runs included.
    weight : float
        Of the rows seen; their number without weights.
    slowdown : float
        A factor of all learning rates: what the "adaptive" schedule has made of 1.
    seed : int
        Of the dropout masks, in [0, 2^63).
    split : numpy.random.RandomState or None
        As it was when rows were held out.
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


def fit(
    network: Network,
    engine: Engine,
    data: Data,
    rule: Rule,
    standing: Standing,
    *,
    batch_size: int,
    max_epochs: int,
    recipe: Recipe = PLAIN,
    schedule: Schedule = CONSTANT,
    shuffle: bool = True,
    validation: Data | None = None,
) -> Generator[Epoch, None, None]:
    """Train, one epoch for each item taken from the iterator.

    Parameters
    ----------
    network : Network
        Its theta is moved in place.
    engine : Engine
    data : Data
        n >= 1 rows.
    rule : Rule
    standing : Standing
        Where to begin, or where an earlier run stood; moved along.
    batch_size : int
        >= 1; more than n counts as n.
    max_epochs : int
        >= 0, those that `standing` has behind it included.
    recipe : Recipe
        Penalty, dropout, smoothing, clipping, decay; none by default. Its seed is that of `standing`.
    schedule : Schedule
        Of the learning rate; constant by default.
    shuffle : bool, default=True
        Whether each epoch has an order of its own.
    validation : Data, optional
        Rows to score after each epoch.

    Yields
    ------
    Epoch

    Raises
    ------
    DivergenceError
        If a loss or a parameter is not finite. Network and state are then what they were when last known to be good.

    Examples
    --------
    >>> from glassmax.engine import best_engine
    >>> from glassmax.optimizers import SGD
    >>> net, rule = Network([2, 2]), SGD(learning_rate=0.5)
    >>> data = Data(np.eye(2), np.array([0, 1]))
    >>> standing = Standing(rule.init(net.theta), np.random.RandomState(0))
    >>> run = fit(net, best_engine(), data, rule, standing, batch_size=2, max_epochs=3)
    >>> losses = [epoch.loss for epoch in run]
    >>> losses[0] > losses[1] > losses[2]
    True
    """
    n = len(data.y)
    recipe = recipe._replace(seed=standing.seed)
    batch_size = min(batch_size, n)
    steps = -(-n // batch_size)
    if standing.order is None or len(standing.order) != n:
        standing.order = np.arange(n)
    good, start = _Snapshot(network, standing.state), _Snapshot(network, standing.state)  # good: with a finite loss
    rates, slowdown, mean_weight = None, standing.slowdown, data.mean_weight
    while standing.epochs < max_epochs:
        started = time.perf_counter()
        number = standing.epochs + 1
        if shuffle:
            standing.draw.shuffle(standing.order)
        if rates is None or not schedule.is_level or standing.slowdown != slowdown:
            slowdown = standing.slowdown
            rates = (
                rule.learning_rate
                * slowdown
                * schedule.shares(
                    standing.epochs * steps, steps, max_epochs * steps, epoch=standing.epochs, rows=standing.weight
                )
            )
        start.take()
        result = engine.epoch(
            network,
            data,
            rule,
            standing.state,
            order=standing.order,
            batch_size=batch_size,
            rates=rates,
            recipe=recipe,
            first_step=standing.steps,
        )
        if result.steps:
            good, start = start, good
        if not (result.finite and np.isfinite(network.theta).all()):
            good.put_back()
            raise DivergenceError(_advice(number, result.steps + (not result.finite), rule.learning_rate))
        standing.epochs, standing.steps, standing.rows = number, standing.steps + result.steps, standing.rows + n
        standing.weight += n * mean_weight
        validated = None if validation is None else score(network, engine, validation, confusion=False)
        yield Epoch(number, result.loss, validated, result.steps, n, time.perf_counter() - started)


class _Snapshot:
    """What a network and a rule's state were, in memory that is used again."""

    def __init__(self, network: Network, state: State) -> None:
        self.network, self.state = network, state
        self.theta, self.kept = network.theta.copy(), deepcopy(state)

    def take(self) -> None:
        np.copyto(self.theta, self.network.theta)
        _copy_state(self.state, self.kept)

    def put_back(self) -> None:
        np.copyto(self.network.theta, self.theta)
        _copy_state(self.kept, self.state)


def _copy_state(state: State, to: State) -> None:
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            np.copyto(to[name], value)
        else:
            to[name] = value


def fit_lbfgs(
    network: Network,
    engine: Engine,
    data: Data,
    standing: Standing,
    *,
    max_iter: int,
    max_fun: int,
    tol: float,
    recipe: Recipe = PLAIN,
    validation: Data | None = None,
) -> Generator[Epoch, None, Iterate]:
    """Train on all rows at once by L-BFGS, one iteration for each item taken from the iterator.

    Parameters
    ----------
    network, engine, data, standing, recipe, validation
        As for `fit`; a recipe without dropout, clipping and decay.
    max_iter, max_fun, tol
        As for `glassmax.optimizers.lbfgs`.

    Yields
    ------
    Epoch
        For each iteration.

    Returns
    -------
    glassmax.optimizers.Iterate
        Where it ended, and why: the value of the generator.

    Raises
    ------
    DivergenceError
        If the loss where it starts is not finite, or the loss where it ends.
    """
    exact = network.astype(np.float64)  # rounded to float32, the loss is too rough for a line search

    def objective(theta: Array) -> tuple[float, Array]:
        exact.theta[...] = theta
        return engine.loss_and_gradient(exact, data, recipe)

    started = time.perf_counter()
    start = network.theta.copy()
    for iterate in lbfgs(objective, exact.theta.copy(), max_iter=max_iter, max_fun=max_fun, tol=tol):
        network.theta[...] = iterate.theta
        if not (np.isfinite(iterate.loss) and np.isfinite(network.theta).all()):
            network.theta[...] = start
            raise DivergenceError(
                f"The loss is not finite after {standing.epochs} iterations of L-BFGS. The last good weights are kept. "
                "Scale the inputs to about 1."
            )
        start = network.theta.copy()
        if iterate.verdict:
            break
        standing.epochs, standing.rows = standing.epochs + 1, standing.rows + len(data.y)
        validated = None if validation is None else score(network, engine, validation, confusion=False)
        seconds = time.perf_counter() - started
        yield Epoch(standing.epochs, iterate.loss, validated, 1, len(data.y), seconds)
        started = time.perf_counter()
    return iterate


def _advice(epoch: int, step: int, learning_rate: float) -> str:
    return (
        f"The loss is no longer finite in epoch {epoch}, step {step}, at learning rate {learning_rate:g}. "
        f"The last good weights are kept. Try a learning rate of {smaller(learning_rate):g}, "
        "and inputs scaled to about 1."
    )


def smaller(learning_rate: float) -> float:
    """Return a learning rate to try where this one is too large: a tenth, or 0.001 for one out of all reason."""
    return learning_rate / 10 if learning_rate <= 1 else 0.001
