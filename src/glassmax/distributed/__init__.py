"""Training on several processes or machines, by an engine: processes, Ray, MPI, or an engine of the user's.

::

    messages      what travels: a manifest and arrays, never code
    ordered_sum   sums over shards, with the same bits for any number of workers
    workers       what every engine does: map shards, sum in order, broadcast
    operations    how a worker runs an operation: for one shard, or summed over several
    failures      what has gone wrong in a worker, as a message and as an error
    processes     workers that are processes of this machine
    worker        the program of such a process
    pipes         messages through a pipe
    shards        ranges of rows, fixed by the rows alone; which rows a step takes
    job           what workers must know of a run
    shard_rows    the encoded rows of a shard, as a worker makes and keeps them
    portions      the rows that a shard gives to a step
    gradients     the operations of training
    prepared      the encoded rows of all shards, made by workers
    training      training on workers: summed gradients, L-BFGS, local SGD with averaging
    scoring       the scores of the rows that are not trained on, and the total weights, from workers
    settings      which engine runs the workers, how many there are, and how long to wait

Workers are opened by `open_workers`, their rows are made by `prepared.prepare_shards`, and `training.train_on_workers`
trains on them.
"""

from .messages import Arrays, Manifest, Message
from .operations import call_operation, partial_sums, sum_of_messages
from .ordered_sum import OrderedSum, PartialSum, split_shards
from .settings import WorkerSettings, open_workers, read_settings
from .workers import Held, Operation, Workers, name_of_operation, operation_of

__all__ = [
    "Arrays",
    "Held",
    "Manifest",
    "Message",
    "Operation",
    "OrderedSum",
    "PartialSum",
    "WorkerSettings",
    "Workers",
    "call_operation",
    "name_of_operation",
    "open_workers",
    "operation_of",
    "partial_sums",
    "read_settings",
    "split_shards",
    "sum_of_messages",
]


def __dir__() -> list[str]:
    return sorted(__all__)
