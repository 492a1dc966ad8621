"""Training on several machines, by an engine that somebody already runs.

::

    messages      what travels: a manifest and arrays, never code
    ordered_sum   sums over shards, with the same bits for any number of workers
    workers       the seam: map shards, sum in order, broadcast
    settings      which engine runs the workers, how many there are, and how long to wait
"""

from .messages import Arrays, Manifest, Message
from .ordered_sum import OrderedSum, PartialSum, split_shards
from .settings import WorkerSettings, open_workers, read_settings
from .workers import Held, Operation, Workers, name_of, operation_of

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
    "name_of",
    "open_workers",
    "operation_of",
    "read_settings",
    "split_shards",
]
