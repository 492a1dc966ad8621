"""The rows of all shards, made by workers: what training on workers begins with."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..functional.arrays import Array
from ..streaming import Learned, Progress, Sources, Split
from ..streaming.encode import spool_identity
from .gradients import prepare
from .job import Job
from .messages import Message
from .shard_rows import begin_folder
from .shards import ShardPlan
from .workers import Workers

__all__ = ["ShardedRows", "prepare_shards"]

FOLDER = "shards"
MOST_TOGETHER = 4
"""Maximum number of consecutive shards that a worker makes at a time: it reads on from each to the next."""


class ShardedRows(NamedTuple):
    """The encoded rows of all shards, where the workers keep them.

    Attributes
    ----------
    job : Job
    training : (S,) array of int64
        Number of rows of each shard that are trained on.
    size : int
        Bytes of all encoded rows.
    """

    job: Job
    training: Array
    size: int

    def __repr__(self) -> str:
        return f"ShardedRows({self.job.plan.n_rows} rows in {self.job.plan.n_shards} shards)"

    @property
    def plan(self) -> ShardPlan:
        """The shards, and the steps of an epoch."""
        return self.job.plan


def prepare_shards(
    workers: Workers,
    sources: Sources,
    known: Learned,
    places: Sequence[Sequence[int]],
    folder: Path,
    target: str,
    weight: str | None = None,
    *,
    plan: ShardPlan,
    split: Split,
    threads: int = 1,
    progress: Callable[[Progress], None] | None = None,
) -> ShardedRows:
    """Have workers encode all rows that have a label and a weight; shards that are there already are not made again.

    Parameters
    ----------
    workers : Workers
    sources : Sources
    known : Learned
        From a scan of the same files.
    places : sequence of tuple
        The `places` of the state of the scan.
    folder : Path
        The folder of the run, see `glassmax.streaming.working_folder`. The shards are in its folder "shards", which
        `remove_shards` removes.
    target, weight
        As for the scan.
    plan : ShardPlan
        For `known.rows` rows, from `plan_steps` or `plan_averaging`.
    split : Split
        The rows to train on; its seed is also that of the order of the rows.
    threads : int, default=1
        Number of threads of each worker.
    progress : callable, optional
        Is called after each group of consecutive shards.

    Returns
    -------
    ShardedRows

    Raises
    ------
    DataError
        If a cell can't be used, naming its file and row; if a disk is full.
    WorkerError
        If a worker doesn't see the files, has died too often, or takes too long.
    """
    token = secrets.token_hex(16)
    begin_folder(folder / FOLDER, token, plan.n_shards)
    job = Job(
        plan=plan,
        layout=known.layout,
        sources=_plain_sources(sources),
        target=target,
        weight=weight,
        encoding=known.encoding,
        classes=known.classes.tolist(),
        largest_weight=float(known.largest_weight),
        places=np.array(places, np.int64).reshape(-1, 4),
        identity=spool_identity(sources.identity, known.encoding, known.classes, target, weight),
        folder=str((folder / FOLDER).absolute()),
        token=token,
        split=split,
        threads=threads,
    )
    workers.broadcast(job.to_message())
    groups = -(-plan.n_shards // max(1, min(MOST_TOGETHER, plan.n_shards // (4 * workers.n_workers))))
    training, rows, size = [], 0, 0
    if progress is not None:
        progress(Progress(0, 0, sources.size))
    for found in workers.map_shards(prepare, range(groups), Message({"groups": groups}, {})):
        training.extend(found.manifest["training"])
        rows, size = rows + found.manifest["rows"], size + found.manifest["size"]
        if progress is not None:
            progress(Progress(rows, sources.size * rows // plan.n_rows, sources.size))
    return ShardedRows(job, np.array(training, np.int64), size)


def _plain_sources(sources: Sources) -> dict[str, Any]:
    return {
        "given": [list(file) for file in sources.found],
        "columns": sources.columns,
        "reading": sources.reading,
        "fingerprint": sources.fingerprint,
    }
