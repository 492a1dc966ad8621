"""Training on workers: the driver takes the steps, workers compute the sums; or workers take steps and are averaged.

What comes next depends on the weights, the `TrainingState` and the `Position` alone, and what workers return doesn't
depend on their number: a run has the same bits on any number of workers, and after it was stopped and resumed.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np

from ..engine import Engine, EpochResult, Regularization, spread, take_step
from ..engine.input_scale import fold, unfold
from ..engine.session import copy_state
from ..errors import DivergenceError
from ..functional.arrays import Array
from ..functional.mixup import mixup_factors
from ..network import Network
from ..optimizers import Iterate, Rule, Schedule
from ..streaming import Position, WindowDone
from ..streaming.train import SAVE_SECONDS
from ..training import Epoch, Metrics, TrainingState, suggest_learning_rate, train_lbfgs
from .gradients import gradient, local_steps, validation, weights
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
        From `prepare_shards`, which was given the plan of the steps, the seed, and the share of validation rows.
    rule : Rule
        `Adam` or `SGD`.
    training : TrainingState
        A new state, or the state of an earlier run; updated in place. `draw` and `order` are not used.
    position : Position
        A new position, or that of an earlier run; updated in place. It counts steps, or rounds of local SGD.
    engine : Engine
        The engine of the driver. Workers that would compute by another one are refused.
    max_epochs : int
        Maximum number of epochs, >= 0, including the epochs that `training` has already counted.
    local_batch_size : int, optional
        Local SGD with averaging: in each round, each shard takes small steps of so many rows from common weights, and
        the weights and the moments of all shards are averaged by their rows. The plan is one of `plan_averaging`. By
        default, all shards compute the gradient of each step together; the plan is one of `plan_steps`.
    regularization, schedule, rate_factors
        As for `glassmax.training.train`. The schedule goes by the steps of the plan. Of mixup, a row is mixed with the
        row before it that its shard gives to the same step.
    class_weight : (k,) array, optional
        Factor of the weights of the rows of each class.
    save : callable, optional
        Writes a checkpoint of network, `training` and `position`; is called after a step, at most 20 seconds plus a
        step after the last time. Whoever takes the epochs saves after each of them.
    on_window : callable, optional
        Is called after a step, four times a second at most, and at the end of an epoch.

    Yields
    ------
    Epoch
        The seconds of an epoch don't count those of an earlier run.

    Raises
    ------
    DivergenceError
        If a loss or a parameter is not finite. Network and state are then those before the step.
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
    told = Training(
        network, rule, regularization, tuple(rate_factors), local_batch_size or 0, engine.arithmetic,
        getattr(engine, "memory_limit", None), class_weight,
    )  # fmt: skip
    mean_weight = _begin(workers, rows, told)
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
        told_of = _Told(rows, training.epochs + 1, position.window, on_window)
        started = time.perf_counter()
        for step in range(position.window, plan.steps):
            result, count = steps.take(step, float(rates[step]), float(factors[step]), int(position.numbers[3]))
            training.steps, training.rows = training.steps + result.steps, training.rows + count
            position.add(result, count)
            told_of.tell(step + 1)
            if save is not None and time.monotonic() - saved >= SAVE_SECONDS and position.window < plan.steps:
                save()
                saved = time.monotonic()
        _, loss, seen, taken = position.numbers
        training.epochs, training.weight = training.epochs + 1, training.weight + seen * mean_weight
        position.begin()
        validated = _validated(network, workers, rows)
        seconds = time.perf_counter() - started
        saved = time.monotonic()
        yield Epoch(training.epochs, loss / max(1.0, seen), validated, int(taken), int(seen), seconds)


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
) -> Generator[Epoch, None, Iterate]:
    """Train on all rows at once by L-BFGS, one iteration for each item taken from the iterator.

    Parameters
    ----------
    network, workers, rows, training, engine, class_weight
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
    exact = network.astype(np.float64)
    limit = getattr(engine, "memory_limit", None)
    told = Training(exact, None, regularization, (), 0, engine.arithmetic, limit, class_weight)
    mean_weight = _begin(workers, rows, told)
    sums: Any = _FullBatch(workers, rows, mean_weight)
    options = {"max_iter": max_iter, "max_fun": max_fun, "tol": tol, "regularization": regularization}
    with closing(train_lbfgs(network, sums, sums, training, **options)) as iterations:
        while True:
            try:
                epoch = next(iterations)
            except StopIteration as end:
                last: Iterate = end.value
                return last
            yield epoch._replace(validation=_validated(network, workers, rows))


def _begin(workers: Workers, rows: ShardedRows, told: Training) -> float:
    """Tell the workers what is trained; return the mean weight of all rows."""
    workers.broadcast(rows.job.with_training(told).to_message())
    of_class = {} if told.class_weight is None else {"class_weight": told.class_weight}
    total = workers.sum_in_order(weights, rows.plan.n_shards, Message({}, of_class))["weight"]
    return float(total) / rows.plan.n_rows


def _validated(network: Network, workers: Workers, rows: ShardedRows) -> Metrics | None:
    if not rows.job.validation_share:
        return None
    call = Message({}, {"theta": network.theta})
    loss, right, weight, count = workers.sum_in_order(validation, rows.plan.n_shards, call)["sums"].tolist()
    return Metrics(int(count), loss / (weight or np.nan), right / (weight or np.nan))


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

    def diverged(self, step: int) -> DivergenceError:
        """Return the error that a loss or a parameter is not finite."""
        rate = self.rule.learning_rate
        return DivergenceError(
            f"The loss is no longer finite in epoch {self.training.epochs + 1}, step {step + 1}, at learning rate "
            f"{rate:g}. The last good weights are kept. Try a learning rate of {suggest_learning_rate(rate):g}, and "
            "inputs scaled to about 1."
        )


class _Gradients(_Steps):
    """Steps for which all shards compute the gradient together."""

    def take(self, step: int, rate: float, factor: float, taken: int) -> tuple[EpochResult, int]:
        """Take a step; return its result, and its number of rows."""
        network, training = self.network, self.training
        place = {"epoch": training.epochs, "step": step, "steps": training.steps, "mixup": factor}
        call = Message(place, {"theta": network.theta})
        sums = self.workers.sum_in_order(gradient, self.rows.plan.n_shards, call)
        count = int(sums["rows"])
        if not count:  # all are validation rows
            return EpochResult(0.0, 0, True), 0
        divisor = count * self.mean_weight
        slope = sums["gradient"] / divisor
        loss = float(sums["loss"]) / divisor + _penalize(network, slope, self.regularization.alpha / divisor)
        if not (np.isfinite(loss) and np.isfinite(slope).all()):
            raise self.diverged(taken)
        theta, state = network.theta.copy(), {name: np.array(value) for name, value in training.state.items()}
        with np.errstate(over="ignore", invalid="ignore"):
            slope = slope.astype(theta.dtype, copy=False)
            take_step(network, slope, self.rule, training.state, self.regularization, rate, self.factors)
        if not np.isfinite(network.theta).all():
            network.theta[...] = theta
            copy_state({name: _number(value) for name, value in state.items()}, training.state)
            raise self.diverged(taken)
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


class _FullBatch:
    """Takes the place of engine and rows in `glassmax.training.train_lbfgs`."""

    def __init__(self, workers: Workers, rows: ShardedRows, mean_weight: float) -> None:
        self.workers, self.plan, self.mean_weight = workers, rows.plan, mean_weight
        self.n_rows = int(rows.training.sum())

    def loss_and_gradient(self, network: Network, data: Any, regularization: Regularization) -> tuple[float, Array]:
        """Return the loss of all rows that are trained on, penalty included, and its gradient."""
        call = Message({"epoch": 0, "step": 0, "steps": 0, "mixup": 0.0}, {"theta": network.theta})
        sums = self.workers.sum_in_order(gradient, self.plan.n_shards, call)
        divisor = self.n_rows * self.mean_weight
        slope = sums["gradient"] / divisor
        return float(sums["loss"]) / divisor + _penalize(network, slope, regularization.alpha / divisor), slope


class _Told:
    """Tells how fast an epoch is."""

    def __init__(
        self, rows: ShardedRows, epoch: int, first: int, on_window: Callable[[WindowDone], None] | None
    ) -> None:
        self.rows, self.epoch, self.first, self.on_window = rows, epoch, first, on_window
        self.started = self.last = time.perf_counter()

    def tell(self, step: int) -> None:
        """Tell, if the last time was long ago, or the epoch has ended."""
        now, n, steps = time.perf_counter(), self.rows.plan.n_rows, self.rows.plan.steps
        if self.on_window is None or (now - self.last < TELL_SECONDS and step < steps):
            return
        self.last = now
        done, here = n * step // steps, n * (step - self.first) // steps
        size = here * self.rows.job.layout.row_bytes
        self.on_window(WindowDone(self.epoch, done, n, size, here, now - self.started))
