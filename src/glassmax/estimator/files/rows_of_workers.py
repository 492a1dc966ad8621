"""The encoded rows of a fit on workers: shards, what trains on them, and what they say of a network."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...distributed import Workers
from ...distributed.job import Training
from ...distributed.prepared import FOLDER, prepare_shards
from ...distributed.scoring import held_out_on_workers, score_on_workers, totals_on_workers
from ...distributed.shard_rows import remove_shards
from ...distributed.shards import LEAST_PORTION, most_shards, plan_averaging, plan_steps, suggest_batch_size
from ...distributed.training import train_lbfgs_on_workers, train_on_workers
from ...engine import Engine, Regularization, TopClasses, TopOfSum
from ...functional.arrays import Array
from ...network import Network
from ...streaming import Split, SpoolScore
from ...training import Epoch
from ..options import Plan
from ..user_warnings import warn_user
from .begin import Weights
from .rows import Judging, RowsToEncode, Steps

__all__ = ["RowsOfWorkers"]


@dataclass
class RowsOfWorkers:
    """The rows of a fit whose workers encode, train and judge.

    Attributes
    ----------
    given : RowsToEncode
    split : Split
    engine : Engine
        That of this process.
    workers : Workers
    places : list of tuple
        The `places` of the state of the scan.
    plan : Plan
        Of the training.
    averaging_steps : int or None
        Number of steps of a shard between two averages of local SGD; None for summed gradients.
    threads : int
        Number of threads of each worker.
    """

    given: RowsToEncode
    split: Split
    engine: Engine
    workers: Workers
    places: list[tuple[int, int, int, int]]
    plan: Plan
    averaging_steps: int | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        rows = self.given
        n, batch_size = rows.known.rows, self.plan.batch_size
        if self.averaging_steps is not None:
            shards = plan_averaging(n, batch_size, self.averaging_steps)
        else:
            shards = plan_steps(n, n if self.plan.rule is None else batch_size)
            if batch_size < suggest_batch_size(n) and shards.n_shards < min(self.workers.n_workers, most_shards(n)):
                warn_user(
                    f"batch_size={batch_size} leaves {self.workers.n_workers - shards.n_shards} of "
                    f"{self.workers.n_workers} workers without rows: each worker takes at least {LEAST_PORTION} rows "
                    "of a step. Use a larger batch_size, fewer workers, or averaging='local_sgd'."
                )
        self.rows = prepare_shards(
            self.workers,
            rows.sources,
            rows.known,
            self.places,
            rows.folder,
            rows.target,
            rows.weight,
            plan=shards,
            split=self.split,
            threads=self.threads,
            progress=rows.progress,
        )

    @property
    def size(self) -> int:
        """Bytes of the encoded rows."""
        return self.rows.size

    def totals(self) -> Array:
        """Return the total weight of the rows of each class, (k,)."""
        if not self.given.known.layout.weighted:
            return self.given.known.counts.astype(np.float64)
        return totals_on_workers(self.workers, self.rows)

    def train(self, steps: Steps) -> Generator[Epoch, None, Any]:
        """Return a stream of epochs."""
        what = steps.network, self.workers, self.rows
        if steps.plan.rule is None:
            return train_lbfgs_on_workers(*what, steps.training, engine=self.engine, **steps.of_lbfgs)
        local = None if self.averaging_steps is None else steps.plan.batch_size
        how = {"engine": self.engine, "local_batch_size": local, **steps.of_rule}
        return train_on_workers(*what, steps.plan.rule, steps.training, steps.position, **how)

    def score(self, network: Network, weights: Weights, top: int | None) -> SpoolScore:
        """Return the scores of the validation rows; the workers know the weights of the classes from the training."""
        return score_on_workers(network, self.workers, self.rows, top=top)

    def judged(self, network: Network) -> Iterator[Judging]:
        """Yield what a network says of the rows held out, shard by shard."""
        limit = getattr(self.engine, "memory_limit", None)
        how = Training(network, None, Regularization(), (), 0, self.engine.arithmetic, limit)
        self.workers.broadcast(self.rows.job.with_training(how).to_message())
        for arrays in held_out_on_workers(network, self.workers, self.rows):
            top = TopClasses(arrays["labels"], arrays["probabilities"], arrays["losses"])
            yield Judging(arrays["rows"], arrays["y"], arrays.get("weight"), TopOfSum(top, arrays["squares"]))

    def close(self) -> None:
        """Do nothing: whoever has opened the workers closes them."""

    def remove_leftovers(self) -> None:
        """Remove the shards, which another fit doesn't need."""
        remove_shards(self.given.folder / FOLDER)
