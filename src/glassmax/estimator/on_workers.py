"""The members of an ensemble trained on workers.

Rows and folds are broadcast once. A shard is a member: what travels to a worker is its type and its seed as JSON, and
what comes back are its weights and its training losses, as a checkpoint keeps them. The driver judges the member, so
that the result is the same bits as without workers.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any, NamedTuple

import msgspec
import numpy as np
from scipy.sparse import csr_matrix

from ..distributed import Arrays, Held, Message, Workers, WorkerSettings, open_workers
from ..engine import best_engine
from ..errors import WorkerError
from ..functional.arrays import Array
from ..version import __version__
from .ensemble import Folds, Found, MemberFacts, Numbers, Rows, SavedMember, Task, Trainer, Trial
from .plain_parameters import of_plain, to_plain

__all__ = [
    "DriversEnsemble",
    "MemberWorkers",
    "arithmetic",
    "check_arithmetic",
    "finish",
    "matrix_arrays",
    "matrix_of",
    "member_workers",
    "serialized",
    "served_by",
    "train_member",
]


class DriversEnsemble(NamedTuple):
    """What the driver has trained, for a process that has served it and becomes what the driver is.

    Attributes
    ----------
    members : dict of (int, int) to SavedMember
        By the position of their type and their number.
    found : Found or None
        The trials of a search.
    is_interrupted : bool
        Whether Ctrl-C has ended the training.
    """

    members: dict[tuple[int, int], SavedMember]
    found: Found | None
    is_interrupted: bool
    n_workers: int = 1

    def member(self, position: int, number: int) -> SavedMember | None:
        """Return a member that the driver has trained."""
        return self.members.get((position, number))

    def add(self, member: SavedMember) -> None:
        """Keep nothing: the driver does."""

    def train(self, tasks: Sequence[Task], seed: int) -> Generator[SavedMember, None, None]:
        """Train nothing, as the driver."""
        if tasks and self.is_interrupted:
            raise KeyboardInterrupt
        yield from ()

    def to_message(self) -> Message:
        """Return all of it as a message."""
        arrays: Arrays = {}
        for i, saved in enumerate(self.members.values()):
            arrays |= {f"{i}.theta": saved.theta, f"{i}.loss_curve": np.array(saved.loss_curve, np.float64)}
        found = None if self.found is None else [[vars(t) for t in self.found.trials], self.found.stop_reason]
        facts = [msgspec.structs.asdict(saved.facts) for saved in self.members.values()]
        return Message({"members": facts, "found": found, "is_interrupted": self.is_interrupted}, arrays)

    @classmethod
    def of_message(cls, message: Message) -> "DriversEnsemble":
        """Return what a message says."""
        manifest, arrays = message
        members = [
            SavedMember(arrays[f"{i}.theta"].copy(), arrays[f"{i}.loss_curve"].tolist(), MemberFacts(**facts))
            for i, facts in enumerate(manifest["members"])
        ]
        found = manifest["found"]
        return cls(
            {(saved.facts.type, saved.facts.number): saved for saved in members},
            None if found is None else Found([Trial(**trial) for trial in found[0]], found[1]),
            manifest["is_interrupted"],
        )


@contextmanager
def member_workers(
    settings: WorkerSettings | None,
    rows: Rows,
    k: int,
    folds: Folds,
    *,
    memory_limit: int | None,
    numbers: Numbers | None,
) -> Iterator["MemberWorkers | DriversEnsemble | None"]:
    """Start workers that train members, and end them at last; None without settings.

    A process of MPI that is not the driver serves it, and yields what the driver has trained.
    """
    if settings is None:
        yield None
        return
    n_threads = settings.worker_threads
    with closing(open_workers(settings)) as workers:
        served = served_by(workers)
        if served is not None:
            yield DriversEnsemble.of_message(served)
            return
        yield MemberWorkers(workers, rows, k, folds, n_threads=n_threads, memory_limit=memory_limit, numbers=numbers)


class MemberWorkers:
    """Workers that train the members of ensembles on the same rows and folds.

    Parameters
    ----------
    workers : Workers
    rows : Rows
        Are broadcast at once.
    k : int
        Number of classes.
    folds : Folds
    n_threads : int
        Number of threads of each worker.
    memory_limit : int or None
        Bytes, that of each member in training.
    numbers : Numbers or None
        The columns of X that embeddings embed.
    """

    def __init__(
        self,
        workers: Workers,
        rows: Rows,
        k: int,
        folds: Folds,
        *,
        n_threads: int,
        memory_limit: int | None,
        numbers: Numbers | None,
    ) -> None:
        self.workers = workers
        arrays = {**matrix_arrays("X", rows.X), "y": rows.y, "block": folds.block, "y_of_folds": folds.y}
        if rows.weight is not None:
            arrays["weight"] = rows.weight
        manifest = {
            "k": k,
            "n_columns": int(rows.X.shape[1]),
            "n_blocks": folds.n_blocks,
            "out": folds.out,
            "n_threads": n_threads,
            "memory_limit": memory_limit,
            "numbers": None if numbers is None else [list(map(int, numbers.columns)), numbers.total],
            "engine": arithmetic(),
        }
        workers.broadcast(Message(manifest, arrays))

    @property
    def n_workers(self) -> int:
        """The number of workers."""
        return self.workers.n_workers

    def finish(self, ensemble: DriversEnsemble) -> None:
        """Tell the processes that serve this one what has been trained."""
        finish(self.workers, ensemble.to_message)

    def train(self, tasks: Sequence[Task], seed: int) -> Generator[SavedMember, None, None]:
        """Train members, and yield them in the order of the tasks.

        Raises
        ------
        WorkerError
            If a worker can't do its part.
        GlassmaxError
            That the training has raised.
        """
        if not tasks:
            return
        given: list[Array] = []
        members = [[to_plain(task.type, "preset", given), task.position, task.number] for task in tasks]
        call = Message({"seed": seed, "members": members}, {str(i): array for i, array in enumerate(given)})
        answers = self.workers.map_shards(train_member, range(len(tasks)), call)
        try:
            for task, (facts, arrays) in zip(tasks, answers, strict=True):
                found = MemberFacts(task.position, task.number, **facts)
                yield SavedMember(arrays["theta"], arrays["loss_curve"].tolist(), found)
        finally:
            if isinstance(answers, Generator):
                answers.close()  # the workers leave what nobody waits for


def train_member(held: Held, shard: int, call: Message) -> Message:
    """Train a member: an operation of workers."""
    (manifest, arrays), of_call = held.broadcast, call.manifest
    check_arithmetic(manifest["engine"])
    given = [call.arrays[str(i)] for i in range(len(call.arrays))]
    plain, position, number = of_call["members"][shard]
    numbers = manifest["numbers"]
    trainer = Trainer(
        Rows(matrix_of("X", arrays, manifest["n_columns"]), arrays["y"], arrays.get("weight")),
        manifest["k"],
        Folds(arrays["block"], arrays["y_of_folds"], manifest["n_blocks"], manifest["out"]),
        validation=None,
        seed=of_call["seed"],
        n_threads=manifest["n_threads"],
        memory_limit=manifest["memory_limit"],
        numbers=None if numbers is None else Numbers(tuple(numbers[0]), numbers[1]),
        alive=serialized(held.alive),
    )
    trained = trainer.trained(Task(of_plain(plain, given), position, number))
    assert trained is not None  # nothing stops it
    facts: dict[str, Any] = {
        name: getattr(trained.facts, name) for name in ("epochs", "rows", "seconds", "stop_reason")
    }
    return Message(facts, {"theta": trained.theta, "loss_curve": np.array(trained.loss_curve, np.float64)})


def served_by(workers: Workers) -> Message | None:
    """Serve the driver if this process is one of MPI's and not the driver; return what the driver has finished with."""
    serve = None if getattr(workers, "is_driver", True) else getattr(workers, "serve", None)
    return None if serve is None else Message.of_bytes(serve())


def finish(workers: Workers, message: Callable[[], Message]) -> None:
    """Tell the processes of MPI that serve this one what they become."""
    tell = getattr(workers, "finish", None)
    if tell is not None:
        tell(message().to_bytes())


def matrix_arrays(name: str, X: Any) -> Arrays:
    """Return the arrays that a message has for a matrix, which may be sparse."""
    if not hasattr(X, "tocsr"):
        return {name: X}
    X = X.tocsr()
    return {f"{name}.data": X.data, f"{name}.indices": X.indices, f"{name}.indptr": X.indptr}


def matrix_of(name: str, arrays: Arrays, n_columns: int) -> Any:
    """Return the matrix of a message."""
    if name in arrays:
        return arrays[name]
    parts = tuple(arrays[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
    return csr_matrix(parts, (len(parts[2]) - 1, n_columns))


def serialized(alive: Callable[[], None]) -> Callable[[], None]:
    """Return a function that may be called by several threads at a time."""
    lock = Lock()

    def one_at_a_time() -> None:
        with lock:
            alive()

    return one_at_a_time


def arithmetic() -> str:
    """Return all that the bits of a training depend on besides what travels."""
    return f"{best_engine(1).arithmetic} of glassmax {__version__}"


def check_arithmetic(of_driver: str) -> None:
    """Raise a WorkerError if this process would compute other bits than the driver."""
    own = arithmetic()
    if own != of_driver:
        raise WorkerError(
            f"A worker trains with {own}, and the driver with {of_driver}: the result would depend on the worker. "
            "Install the same version of glassmax everywhere. If the instruction sets are different, set GLASSMAX_ISA "
            "in every environment to one that all of the machines have."
        )
