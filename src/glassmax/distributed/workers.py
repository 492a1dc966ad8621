"""The seam between training and whatever runs it: three methods, in which a new engine fits into fifty lines.

An operation is a function of this package, and travels as its name, as ``glassmax.distributed.gradients:gradient``. It
is called by a worker for one shard, with what was broadcast and with what the call brings. It must depend on nothing
else, so that it can be called again, by any worker, if a worker has died.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from .messages import Arrays, Message

__all__ = ["Held", "Operation", "Workers", "name_of_operation", "operation_of"]


@dataclass
class Held:
    """What a worker keeps between two calls.

    Attributes
    ----------
    broadcast : Message
        What was broadcast last.
    cache : dict
        What operations keep to save time: open files, rows in memory. The cache is empty in a new worker; `renew`
        empties the cache, and closes what can be closed.
    alive : callable
        A long operation calls `alive` from time to time, which restarts the wait limit. The default does nothing.
    """

    broadcast: Message
    cache: dict[Any, Any] = field(default_factory=dict)
    alive: Callable[[], None] = lambda: None

    def renew(self, broadcast: Message) -> None:
        """Hold what is broadcast now, and nothing else."""
        for kept in self.cache.values():
            if hasattr(kept, "close"):
                kept.close()
        self.cache.clear()
        self.broadcast = broadcast


Operation = Callable[[Held, int, Message], Message]
"""``operation(held, shard, call)`` returns the result for a shard."""


class Workers(Protocol):
    """Some workers: processes of this machine, of Ray, or of MPI.

    The results depend neither on the number of workers nor on workers that die.

    Attributes
    ----------
    name : str
        "processes", "ray" or "mpi".
    n_workers : int
    """

    name: str
    n_workers: int

    def broadcast(self, message: Message) -> None:
        """Give all workers, and each that replaces one of them later, what the next operations need."""
        ...

    def map_shards(self, operation: Operation, shards: Sequence[int], call: Message) -> Iterator[Message]:
        """Call an operation for some shards; yield the result for each shard, in their order.

        Raises
        ------
        WorkerError
            If a shard can't be computed, or takes too long; the message names the shard and the worker.
        GlassmaxError
            Which the operation has raised.
        """
        ...

    def sum_in_order(self, operation: Operation, n_shards: int, call: Message) -> Arrays:
        """Call an operation for shards 0 ... n_shards - 1, and return the sum of their arrays, see `OrderedSum`.

        Raises
        ------
        WorkerError, GlassmaxError
            As for `map_shards`.
        """
        ...

    def close(self) -> None:
        """End what was started; may be called twice."""
        ...


def name_of_operation(operation: Operation) -> str:
    """Return the name under which an operation travels."""
    return f"{operation.__module__}:{operation.__qualname__}"


def operation_of(name: str) -> Operation:
    """Return the operation of a name.

    Raises
    ------
    ValueError
        If it is none of this package.
    """
    module, _, function = name.partition(":")
    if not module.startswith("glassmax.") or not function.isidentifier():
        raise ValueError(f"{name!r} is not an operation of glassmax")
    operation: Operation = getattr(import_module(module), function)
    return operation
