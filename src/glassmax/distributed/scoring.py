"""What workers say of the rows that are not trained on, and of the weights of all rows."""

from collections.abc import Iterator

from ..functional.arrays import Array
from ..network import Network
from ..streaming import SpoolScore
from ..streaming.scoring import score_of_sums
from .gradients import held_out, totals, validation
from .messages import Arrays, Message
from .portions import ROWS_AT_ONCE
from .prepared import ShardedRows
from .workers import Workers

__all__ = ["held_out_on_workers", "score_on_workers", "totals_on_workers"]


def totals_on_workers(workers: Workers, rows: ShardedRows) -> Array:
    """Return the total weight of the rows of each class, (k,)."""
    call = Message({"k": len(rows.job.classes)}, {})
    return workers.sum_in_order(totals, rows.plan.n_shards, call)["totals"]


def score_on_workers(network: Network, workers: Workers, rows: ShardedRows, *, top: int | None = None) -> SpoolScore:
    """Return the scores of the validation rows; workers must know what is trained, see `train_on_workers`.

    Parameters
    ----------
    network : Network
        The network that is trained, with the weights to score.
    workers : Workers
    rows : ShardedRows
    top : int, optional
        Of how many most probable classes to return the accuracy.
    """
    call = Message({"top": top}, {"theta": network.theta})
    sums = workers.sum_in_order(validation, rows.plan.n_shards, call)["sums"]
    return score_of_sums(sums, top)


def held_out_on_workers(network: Network, workers: Workers, rows: ShardedRows) -> Iterator[Arrays]:
    """Return what a network says of the rows that are held out, some at a time; the arrays are those of `held_out`."""
    plan = rows.plan
    parts = -(-len(plan.rows(plan.n_shards - 1)) // ROWS_AT_ONCE)  # no shard has more blocks than the last
    for part in range(parts):
        call = Message({"part": part, "parts": parts}, {"theta": network.theta})
        for found in workers.map_shards(held_out, range(plan.n_shards), call):
            yield found.arrays
