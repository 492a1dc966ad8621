"""Training on workers: the driver takes the steps, workers compute the sums; or workers take steps and are averaged.

What comes next depends on the weights, the `TrainingState` and the `Position` alone, and what workers return doesn't
depend on their number: a run has the same bits on any number of workers, and after it was stopped and resumed.
"""

import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..engine import MOST_KEPT, Engine, EpochResult, Regularization, spread, take_step
from ..engine.input_scale import fold, unfold
from ..engine.session import copy_state
from ..errors import DivergenceError
from ..functional.arrays import Array
from ..functional.mixup import mixup_factors
from ..network import Network
from ..optimizers import Iterate, Rule, Schedule
from ..streaming import Position, WindowDone
from ..streaming.train import SAVE_SECONDS
from ..training import Epoch, Metrics, TrainingState
from ..training.loop import divergence, lbfgs_iterations
from .gradients import gradient, local_steps
from .job import Training
from .messages import Message
from .prepared import ShardedRows
from .workers import Workers

__all__ = ["train_lbfgs_on_workers", "train_on_workers"]

NONE, CONSTANT = Regularization(), Schedule()
TELL_SECONDS = 0.25


def train_on_workers(
    network: Network,
    workers: Workers,
    rows: ShardedRows,
    rule: Rule,
    training: TrainingState,
    position: Position,
    *,
    engine: Engine,
    max_epochs: int,
    local_batch_size: int | None = None,
    regularization: Regularization = NONE,
    schedule: Schedule = CONSTANT,
    rate_factors: Sequence[float] = (),
    class_weight: Array | None = None,
    mean_weight: float = 1.0,
    validate: Callable[[], Metrics | None] | None = None,
    save: Callable[[], None] | None = None,
    on_window: Callable[[WindowDone], None] | None = None,
) -> Generator[Epoch, None, None]:
    """Train one epoch for each item taken from the iterator.

    Parameters
    ----------
    network : Network
        Network to train; its theta is updated in place.
    workers : Workers
    rows : ShardedRows
        From `prepare_shards`, which was given the plan of the steps and the split of the rows.
    rule : Rule
        `Adam` or `SGD`.
    training : TrainingState
        A new state, or the state of an earlier run; updated in place. `draw` and `order` are not used.
    position : Position
        A new position, or that of an earlier run; updated in place. The position counts steps, or rounds of local SGD.
    engine : Engine
        The engine of the driver. A worker with another engine is an error.
    max_epochs : int
        Maximum number of epochs, >= 0, including the epochs that `training` has already counted.
    local_batch_size : int, optional
        Local SGD with averaging: in each round, each shard takes small steps of so many rows from common weights, and
        the weights and the moments of all shards are averaged by their rows. The plan is one of `plan_averaging`. By
        default, all shards compute the gradient of each step together; the plan is one of `plan_steps`.
    regularization, schedule, rate_factors
        As for `glassmax.training.train`. The schedule counts the steps of the plan. Mixup mixes a row with the
        previous row of the same shard and the same step.
    class_weight : (k,) array, optional
        Weights of the classes, by which the weights of the rows are multiplied.
    mean_weight : float, default=1.0
        Mean of the multiplied weights over all rows.
    validate : callable, optional
        Returns the metrics on the validation rows, see `score_on_workers`; is called after each epoch.
    save : callable, optional
        Writes a checkpoint of network, `training` and `position`; is called after a step, at most 20 seconds plus a
        step after the last call. The caller must also save after each epoch.
    on_window : callable, optional
        Is called after a step, four times a second at most, and at the end of an epoch.

    Yields
    ------
    Epoch
        The seconds of an epoch don't include those of an earlier run.

    Raises
    ------
    DivergenceError
        If a loss or a parameter is not finite. Network and state are then those before the step; except for a network
        of more than 16,777,216 parameters where the step itself leads to a parameter that is not finite.
    DataError
        If the encoded rows are damaged.
    WorkerError
        If a worker has died too often, or takes too long.

    Notes
    -----
    A step sends theta to every worker, and each returns at most ``2 log2(shards)`` gradients in float64.
    """
    plan = rows.plan
    regularization = regularization._replace(seed=training.seed)
    how = Training(
        network, rule, regularization, tuple(rate_factors), local_batch_size or 0, engine.arithmetic,
        getattr(engine, "memory_limit", None), class_weight,
    )  # fmt: skip
    workers.broadcast(rows.job.with_training(how).to_message())
    kind = _Averages if local_batch_size else _Gradients
    steps = kind(network, workers, rows, rule, training, mean_weight, regularization, spread(rate_factors, network))
    if "unscaled" in training.state:
        unfold(network, training.state["unscaled"])
    saved = time.monotonic()
    while training.epochs < max_epochs:
        first, total = training.epochs * plan.steps, max_epochs * plan.steps
        shares = schedule.shares(first, plan.steps, total, epoch=training.epochs, rows=training.weight)
        rates = rule.learning_rate * training.slowdown * shares
        factors = mixup_factors(first, plan.steps, total) if regularization.mixup else np.zeros(plan.steps)
        told = _Told(rows, training.epochs + 1, position, on_window)
        started = time.perf_counter()
        for step in range(position.window, plan.steps):
            result, count = steps.take(step, float(rates[step]), float(factors[step]), position.steps)
            training.steps, training.rows = training.steps + result.steps, training.rows + count
            position.add(result, count, end=True)
            told.tell()
            if save is not None and time.monotonic() - saved >= SAVE_SECONDS and position.window < plan.steps:
                save()
                saved = time.monotonic()
        loss, seen, taken = position.loss, position.rows, position.steps
        training.epochs, training.weight = training.epochs + 1, training.weight + seen * mean_weight
        position.begin()
        validated = None if validate is None else validate()
        seconds = time.perf_counter() - started
        saved = time.monotonic()
        yield Epoch(training.epochs, loss, validated, taken, seen, seconds)


def train_lbfgs_on_workers(
    network: Network,
    workers: Workers,
    rows: ShardedRows,
    training: TrainingState,
    *,
    engine: Engine,
    max_iter: int,
    max_fun: int,
    tol: float,
    regularization: Regularization = NONE,
    class_weight: Array | None = None,
    mean_weight: float = 1.0,
    validate: Callable[[], Metrics | None] | None = None,
) -> Generator[Epoch, None, Iterate]:
    """Train on all rows at once by L-BFGS, one iteration for each item taken from the iterator.

    Parameters
    ----------
    network, workers, rows, training, engine, class_weight, mean_weight, validate
        As for `train_on_workers`; the plan has a single step.
    max_iter, max_fun, tol, regularization
        As for `glassmax.training.train_lbfgs`.

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
    DataError, WorkerError
        As for `train_on_workers`.
    """
    limit = getattr(engine, "memory_limit", None)
    how = Training(network.astype(np.float64), None, regularization, (), 0, engine.arithmetic, limit, class_weight)
    workers.broadcast(rows.job.with_training(how).to_message())
    n = int(rows.training.sum())

    def objective(exact: Network) -> tuple[float, Array]:
        call = Message({"epoch": 0, "step": 0, "steps": 0, "mixup": 0.0}, {"theta": exact.theta})
        loss, slope, _ = _summed(exact, workers, rows, call, mean_weight, regularization)
        return loss, slope

    limits = {"max_iter": max_iter, "max_fun": max_fun, "tol": tol}
    return (yield from lbfgs_iterations(network, objective, n, training, validate or (lambda: None), **limits))


def _summed(
    network: Network,
    workers: Workers,
    rows: ShardedRows,
    call: Message,
    mean_weight: float,
    regularization: Regularization,
) -> tuple[float, Array, int]:
    """Return the mean loss of the rows of a step, penalty included, its gradient, and the number of these rows."""
    sums = workers.sum_in_order(gradient, rows.plan.n_shards, call)
    count = int(sums["rows"])
    if not count:
        return 0.0, sums["gradient"], 0
    divisor = count * mean_weight
    slope = sums["gradient"] / divisor
    return float(sums["loss"]) / divisor + _penalize(network, slope, regularization.alpha / divisor), slope, count


def _penalize(network: Network, of: Array, l2: float) -> float:
    """Add the gradient of the L2 penalty to a gradient, and return the penalty."""
    penalty = 0.0
    if l2:
        gradients = network.parameters.of(of).penalized
        for name, W in network.parameters.penalized.items():
            W = W.astype(np.float64, copy=False)
            penalty += l2 / 2 * float(np.vdot(W, W))
            gradients[name] += l2 * W
    return penalty


class _Steps(NamedTuple):
    network: Network
    workers: Workers
    rows: ShardedRows
    rule: Rule
    training: TrainingState
    mean_weight: float
    regularization: Regularization
    factors: Array | None

    def diverged(self, taken: int, *, kept: bool = True) -> DivergenceError:
        """Return the error that a loss or a parameter is not finite, after so many steps of the epoch."""
        return DivergenceError(divergence(self.rule, self.training.epochs + 1, taken + 1, kept=kept))


class _Gradients(_Steps):
    """Steps for which all shards compute the gradient together."""

    def take(self, step: int, rate: float, factor: float, taken: int) -> tuple[EpochResult, int]:
        """Take a step; return its result, and its number of rows."""
        network, training = self.network, self.training
        place = {"epoch": training.epochs, "step": step, "steps": training.steps, "mixup": factor}
        call = Message(place, {"theta": network.theta})
        how = self.mean_weight, self.regularization
        loss, slope, count = _summed(network, self.workers, self.rows, call, *how)
        if not count:  # none is trained on
            return EpochResult(0.0, 0, True), 0
        if not (np.isfinite(loss) and np.isfinite(slope).all()):
            raise self.diverged(taken)
        keep, state = network.theta.size <= MOST_KEPT, training.state
        before = (network.theta.copy(), {name: np.array(value) for name, value in state.items()}) if keep else None
        with np.errstate(over="ignore", invalid="ignore"):
            slope = slope.astype(network.theta.dtype, copy=False)
            take_step(network, slope, self.rule, state, self.regularization, rate, self.factors)
        if not np.isfinite(network.theta).all():
            if before is not None:
                network.theta[...] = before[0]
                copy_state({name: _number(value) for name, value in before[1].items()}, state)
            raise self.diverged(taken, kept=keep)
        return EpochResult(loss, 1, True), count


class _Averages(_Steps):
    """Rounds of local SGD: each shard takes steps of its own, and weights and moments are averaged by rows."""

    def take(self, step: int, rate: float, factor: float, taken: int) -> tuple[EpochResult, int]:
        """Take a round; return its result, and its number of rows."""
        network, training, plan = self.network, self.training, self.rows.plan
        of_shards = self.rows.training
        count = int((of_shards * (step + 1) // plan.steps - of_shards * step // plan.steps).sum())
        if not count:
            return EpochResult(0.0, 0, True), 0
        place = {"epoch": training.epochs, "step": step, "steps": training.steps, "mixup": factor}
        place |= {"rate": rate, "rows": count, "mean_weight": self.mean_weight}
        state = {f"state.{name}": np.asarray(value) for name, value in training.state.items()}
        call = Message(place, {"theta": network.theta, **state})
        sums = self.workers.sum_in_order(local_steps, plan.n_shards, call)
        loss = float(sums["loss"]) / count
        if not (np.isfinite(loss) and np.isfinite(sums["theta"]).all()):
            raise self.diverged(taken)
        kept = {name: network.parameters[name].copy() for name in network.frozen}
        network.theta[...] = sums["theta"]
        for name, value in training.state.items():
            mean = sums[f"state.{name}"]
            if isinstance(value, np.ndarray):
                value[...] = mean
            else:
                training.state[name] = round(float(mean))
        for name, values in kept.items():  # the mean of the same numbers may be another one in the last bit
            network.parameters[name][...] = values
        if "unscaled" in training.state:
            network.theta[...] = fold(network, training.state["unscaled"])
        return EpochResult(loss, round(float(sums["steps"])), True), count


def _number(value: Array) -> Any:
    return value if value.ndim else value.item()


class _Told:
    """Tells how fast an epoch is."""

    def __init__(
        self, rows: ShardedRows, epoch: int, position: Position, on_window: Callable[[WindowDone], None] | None
    ) -> None:
        self.rows, self.epoch, self.position, self.on_window = rows, epoch, position, on_window
        self.first = position.window
        self.started = self.last = time.perf_counter()

    def tell(self) -> None:
        """Tell, if the last time was long ago, or this was the first step or the last one."""
        now, n, steps, step = time.perf_counter(), self.rows.plan.n_rows, self.rows.plan.steps, self.position.window
        is_between = step not in (self.first + 1, steps)
        if self.on_window is None or (is_between and now - self.last < TELL_SECONDS):
            return
        self.last = now
        done, here = n * step // steps, n * (step - self.first) // steps
        size, seconds = here * self.rows.job.layout.row_bytes, now - self.started
        self.on_window(WindowDone(self.epoch, done, n, size, here, seconds, self.position.loss))
