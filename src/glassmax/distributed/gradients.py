"""The operations of training: what a worker computes for a shard. They return sums, or shares of sums.

::

    prepare       make the encoded rows of the shard
    weights       the sum of the weights of its rows
    gradient      the sums of losses and gradients over the rows that the shard gives to a step
    local_steps   steps of the shard's own from common weights, for local SGD
    validation    the sums of losses and hits over the validation rows of the shard
"""

from typing import Any

import numpy as np

from ..engine import Data, Engine, Regularization, best_engine, blocks, dropout_masks, mixed_rows
from ..errors import WorkerError
from ..functional.arrays import Array
from ..functional.heads import LOSSES
from ..functional.masks import splitmix64
from ..functional.targets import check_target
from ..network import Network
from ..training import score
from .job import Job, Training, job_of
from .messages import Message
from .portions import count_training, portions, validation_rows
from .shard_rows import open_shard
from .workers import Held

__all__ = ["gradient", "local_steps", "prepare", "validation", "weights"]


def prepare(held: Held, shard: int, call: Message) -> Message:
    """Make the encoded rows of a shard; return the number of its rows, of those trained on, and their size."""
    job, spool = job_of(held), open_shard(held, shard)
    size = spool.n_rows * spool.layout.row_bytes
    return Message({"rows": spool.n_rows, "training": count_training(job, shard), "size": size}, {})


def weights(held: Held, shard: int, call: Message) -> Message:
    """Return the sum of the weights of a shard; `class_weight` of the call is a factor for the rows of each class."""
    spool, total = open_shard(held, shard), 0.0
    of_class = call.arrays.get("class_weight")
    if of_class is None:
        return Message({}, {"weight": np.array(spool.n_rows * spool.mean_weight)})
    n_blocks, at_once = -(-spool.n_rows // 64), spool.layout.window_blocks
    for start in range(0, n_blocks, at_once):
        data = spool.read(np.arange(start, min(start + at_once, n_blocks)))
        of_rows = of_class[data.y]
        total += float((of_rows if data.weight is None else of_rows * data.weight).sum())
    return Message({}, {"weight": np.array(total)})


def gradient(held: Held, shard: int, call: Message) -> Message:
    """Return the sums of losses and gradients over the rows that a shard gives to a step, each times its weight.

    The call brings "theta" and the numbers "epoch", "step" (within the epoch), "steps" (taken before, for dropout and
    mixup) and "mixup" (the factor of mixup).
    """
    job, training = job_of(held), _training(held)
    network, regularization = training.network, training.regularization._replace(alpha=0.0)
    network.theta[...] = call.arrays["theta"]
    epoch, step, steps, factor = (call.manifest[name] for name in ("epoch", "step", "steps", "mixup"))
    is_noisy = any(regularization.dropout) or regularization.mixup * factor > 0
    loss, rows, total = 0.0, 0, None
    for portion in portions(held, shard, epoch, step):
        held.alive()
        parts = [portion]
        if is_noisy:
            parts = [portion.some(block.start, block.stop) for block in blocks(network, len(portion.rows))]
        for part in parts:
            m = len(part.rows)
            if is_noisy:
                found = _noisy(held, network, part.data, part.rows, regularization, steps, factor)
            else:
                found = _engine(job, training).loss_and_gradient(network, _Rows(*part.data), regularization)
            loss, rows = loss + m * found[0], rows + m
            of_part = found[1].astype(np.float64, copy=False)
            of_part *= m
            total = of_part if total is None else np.add(total, of_part, out=total)
    total = np.zeros(network.theta.shape) if total is None else total
    return Message({}, {"gradient": total, "loss": np.array(loss), "rows": np.array(rows)})


def local_steps(held: Held, shard: int, call: Message) -> Message:
    """Take small steps from common weights; return the shard's share of their averages.

    The call brings "theta", the arrays and numbers of the state of the rule as "state.m" and so on, and the numbers of
    `gradient`, "rate", and "rows": the number of rows of all shards in this round.
    """
    job, training = job_of(held), _training(held)
    network, rule, manifest = training.network, training.rule, call.manifest
    assert rule is not None
    network.theta[...] = call.arrays["theta"]
    state: dict[str, Any] = {name[6:]: array.copy() for name, array in call.arrays.items() if name[:6] == "state."}
    numbers = [name for name, array in state.items() if array.ndim == 0]
    state |= {name: state[name].item() for name in numbers}
    with np.errstate(over="ignore"):
        seed = int(splitmix64(np.uint64(training.regularization.seed), np.uint64(shard)))
    regularization = training.regularization._replace(seed=seed)
    loss, rows, steps = 0.0, 0, 0
    for portion in portions(held, shard, manifest["epoch"], manifest["step"]):
        held.alive()
        m = len(portion.rows)
        count = -(-m // training.batch_size)
        data = _Rows(*portion.data)
        data.mean = manifest["mean_weight"]
        result = _engine(job, training).epoch(
            network,
            data,
            rule,
            state,
            order=np.arange(m),
            batch_size=training.batch_size,
            rates=np.full(count, manifest["rate"]),
            regularization=regularization,
            first_step=manifest["steps"] + steps,
            rate_factors=training.rate_factors,
            mixup_factors=np.full(count, manifest["mixup"]) if regularization.mixup else None,
        )
        loss += m * result.loss if result.finite else np.nan
        rows, steps = rows + m, steps + result.steps
    share = rows / manifest["rows"]
    averaged = {"theta": network.theta, **{f"state.{name}": np.asarray(value) for name, value in state.items()}}
    arrays = {name: share * array.astype(np.float64) for name, array in averaged.items()}
    return Message({}, {**arrays, "loss": np.array(loss), "rows": np.array(rows), "steps": np.array(share * steps)})


def validation(held: Held, shard: int, call: Message) -> Message:
    """Return the sums of losses and hits over the validation rows of a shard, their weight and their number."""
    job, training = job_of(held), _training(held)
    network = training.network
    network.theta[...] = call.arrays["theta"]
    sums = np.zeros(4)
    for portion in validation_rows(held, shard):
        held.alive()
        data = portion.data
        weight = float(len(data.y) if data.weight is None else data.weight.sum())
        if weight:
            found = score(network, _engine(job, training), data, confusion=False)
            sums += [found.log_loss * weight, found.accuracy * weight, weight, len(data.y)]
    return Message({}, {"sums": sums})


class _Rows(Data):
    """Rows of a larger data set; a batch of m rows divides its sum of losses by m times the mean weight of all."""

    mean = 1.0

    @property
    def mean_weight(self) -> float:
        """The mean weight of all rows."""
        return self.mean


def _training(held: Held) -> Training:
    training = job_of(held).training
    assert training is not None
    return training


def _engine(job: Job, training: Training) -> Engine:
    engine = best_engine(job.threads, training.memory_limit)
    if engine.arithmetic != training.arithmetic:
        raise WorkerError(
            f"A worker would compute by the engine {engine.arithmetic}, the driver by {training.arithmetic}: results "
            "would depend on which of them does what. Set GLASSMAX_ISA or GLASSMAX_ENGINE alike on all machines."
        )
    return engine


def _noisy(
    held: Held, network: Network, data: Data, rows: Array, regularization: Regularization, steps: int, factor: float
) -> tuple[float, Array]:
    """Return mean loss and gradient of rows with mixup and dropout, whose random numbers follow from step and row."""
    m, k = len(rows), network.layer_sizes[-1]
    data, rows = mixed_rows(network, data, regularization, steps, rows, factor)
    y = data.y
    if regularization.label_smoothing:
        y = check_target(y, (data.n_rows, k), LOSSES[network.head.loss].meaning)
        y = network.head.smoothed(y, k, regularization.label_smoothing)
    masks = dropout_masks(network, regularization, steps, rows)
    with _one_thread(held), np.errstate(over="ignore", invalid="ignore"):
        loss, gradients = network.loss_and_gradients(data.X, y, data.weight, divisor=m, l2=0.0, masks=masks)
    return float(loss), gradients.flat


def _one_thread(held: Held) -> Any:
    """Return a context in which BLAS has one thread: with more, it would add up in another order."""
    if "pools" not in held.cache:
        from threadpoolctl import ThreadpoolController

        held.cache["pools"] = ThreadpoolController()
    return held.cache["pools"].limit(limits=1, user_api="blas")
