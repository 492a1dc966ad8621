"""The operations of training: what a worker computes for a shard. They return sums, or shares of sums.

::

    prepare       make the encoded rows of some consecutive shards
    totals        the total weight of the rows of each class
    gradient      the sums of losses and gradients over the rows that the shard gives to a step
    local_steps   steps of the shard's own from common weights, for local SGD
    validation    the sums of losses and hits over the validation rows of the shard
    held_out      the most probable class and the loss of each row of the shard that is held out
"""

from typing import Any

import numpy as np

from ..engine import Data, Engine, Regularization, best_engine, blocks, dropout_masks, mixed_rows
from ..errors import WorkerError
from ..functional.arrays import Array
from ..functional.heads import LOSSES
from ..functional.masks import splitmix64
from ..functional.targets import check_target
from ..likely_classes import LikelyClasses
from ..network import Network
from ..streaming.rows import some_rows, windows_of_rows
from ..streaming.scoring import sums_of_scores
from .job import Job, Training, job_of
from .messages import Message
from .portions import count_training, portions, rows_in_order
from .shard_rows import open_shard
from .workers import Held

__all__ = ["gradient", "held_out", "local_steps", "prepare", "totals", "validation"]


def prepare(held: Held, group: int, call: Message) -> Message:
    """Make the encoded rows of consecutive shards; return how many, how many of each are trained on, and their size.

    The call brings the number of groups that all shards are cut into, "groups".
    """
    job, groups = job_of(held), call.manifest["groups"]
    first, last = (job.plan.n_shards * number // groups for number in (group, group + 1))
    rows, training = 0, []
    for shard in range(first, last):
        rows += open_shard(held, shard).n_rows
        training.append(count_training(job, shard))
    return Message({"rows": rows, "training": training, "size": rows * job.layout.row_bytes}, {})


def totals(held: Held, shard: int, call: Message) -> Message:
    """Return the total weight of the rows of each class; the call brings the number of classes, "k"."""
    k = call.manifest["k"]
    sums = np.zeros(k)
    for _, data in windows_of_rows(open_shard(held, shard)):
        held.alive()
        sums += np.bincount(data.y, data.weight, k)
    return Message({}, {"totals": sums})


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
                found = _engine(job, training).loss_and_gradient(
                    network, some_rows(part.data, network.theta.dtype, None, 1.0), regularization
                )
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
        data = some_rows(portion.data, network.theta.dtype, None, manifest["mean_weight"])
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
    """Return the sums of losses and hits over the validation rows of a shard, their weight and their number.

    The call brings "theta", and of how many most probable classes the hits are counted too, "top", or None.
    """
    job, training = job_of(held), _training(held)
    network, engine, top = training.network, _engine(job, training), call.manifest["top"]
    network.theta[...] = call.arrays["theta"]
    sums = np.zeros(5)
    for portion in rows_in_order(held, shard, job.split.validation_rows):
        held.alive()
        sums += sums_of_scores(network, engine, portion.data, top)
    return Message({}, {"sums": sums})


def held_out(held: Held, shard: int, call: Message) -> Message:
    """Return what a network says of each row of a shard that is held out, of one of its parts.

    The call brings "theta" and the numbers "part" and "parts": the answer for a long shard would be as long.

    The arrays are "rows", the numbers of the rows, "y", "weight" if they have weights, and those of
    `glassmax.engine.TopOfSum` for one class: "labels", "probabilities", "losses" and "squares".
    """
    job, training = job_of(held), _training(held)
    network = training.network
    network.theta[...] = call.arrays["theta"]
    likely = LikelyClasses(_engine(job, training), [network], np.ones(1), None)
    parts: list[dict[str, Array]] = []
    for portion in rows_in_order(held, shard, job.split.held_out_rows, call.manifest["part"], call.manifest["parts"]):
        held.alive()
        data = portion.data
        with np.errstate(over="ignore", invalid="ignore"):  # the figures say so
            top, squares = likely.summary(data.X, 1, data.y)
        assert top.losses is not None
        found = {"rows": portion.rows, "y": data.y, "labels": top.labels, "probabilities": top.probabilities}
        found |= {"losses": top.losses, "squares": squares}
        parts.append(found if data.weight is None else {**found, "weight": data.weight})
    return Message({}, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _training(held: Held) -> Training:
    training = job_of(held).training
    assert training is not None
    return training


def _engine(job: Job, training: Training) -> Engine:
    engine = best_engine(job.threads, training.memory_limit)
    if engine.arithmetic != training.arithmetic:
        raise WorkerError(
            f"A worker has the engine {engine.arithmetic}, but the driver has {training.arithmetic}: the result would "
            "depend on where each shard is computed. Set GLASSMAX_ISA or GLASSMAX_ENGINE to the same value on all "
            "machines."
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
