"""The seam over Ray: tasks without state, at most one for each worker at a time; results in the order of the shards."""

import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from ...errors import WorkerError
from ...version import __version__
from ..failures import DEATHS, answer_of, said
from ..messages import Arrays, Message
from ..operations import sum_of_messages
from ..ordered_sum import split_shards
from ..settings import WorkerSettings
from ..workers import Operation, name_of_operation
from .cluster import amounts, load_ray, open_cluster, refused
from .deaths import error_of, late_error
from .places import Places, slots_of
from .slow import found_slow
from .tasks import bytes_of, message_of, run_shards

__all__ = ["RayWorkers"]

MOST_SHARDS = 16
"""Shards of a task whose results are added up: so many that starting it takes no time beside them."""
SMALL = 20_000
"""Bytes up to which a call is sent with each task."""
LOOK_SECONDS = 2.0
MOST_SLOW_SECONDS = 10.0


class _Task(NamedTuple):
    """Consecutive shards, the place of their result, the node that is meant for them, and the name of the task."""

    position: int
    shards: range
    node: str | None
    key: str


class RayWorkers:
    """Workers that are tasks of Ray; see `glassmax.distributed.Workers`.

    Parameters
    ----------
    settings : WorkerSettings

    Attributes
    ----------
    name : str
        "ray".
    n_workers : int
        Number of tasks that run at a time.

    Raises
    ------
    OptionError
        If the address is none, or Ray doesn't take the resources.
    WorkerError
        If Ray is not installed, or there is no cluster.
    """

    name = "ray"

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self._ray = ray = load_ray()
        self._needed = amounts(settings)
        with ExitStack() as ends:
            self._notices = open_cluster(settings, ends)
            self._run = _remote(ray, self._needed, settings)
            self._places = Places(ray, self._needed)
            self.n_workers = settings.n_workers or max(1, len(slots_of(ray.nodes(), self._needed)))
            self._broadcast: tuple[str, list[Any]] = (uuid.uuid4().hex, [])
            self._ends = ends.pop_all()

    def __repr__(self) -> str:
        return f"RayWorkers(n_workers={self.n_workers})"

    def broadcast(self, message: Message) -> None:
        """Put what the next operations need where all tasks find it."""
        self._broadcast = (uuid.uuid4().hex, [self._ray.put(bytes_of(message))])

    def map_shards(self, operation: Operation, shards: Sequence[int], call: Message) -> Iterator[Message]:
        """Call an operation for some shards; return what comes of each, in their order."""
        yield from self._results(operation, [range(shard, shard + 1) for shard in shards], False, call)

    def sum_in_order(self, operation: Operation, n_shards: int, call: Message) -> Arrays:
        """Call an operation for shards 0 ... n_shards - 1, and return the sum of their arrays."""
        rounds = -(-n_shards // (self.n_workers * MOST_SHARDS))
        cuts = [cut for cut in split_shards(n_shards, self.n_workers * rounds) if cut]
        return sum_of_messages(self._results(operation, cuts, True, call))

    def close(self) -> None:
        """Leave the cluster, and end it if it was started here; may be called twice."""
        self._broadcast = ("", [])
        self._ends.close()

    def _results(self, operation: Operation, cuts: list[range], is_sum: bool, call: Message) -> Iterator[Message]:
        """Run a task for each cut, and return their answers in order."""
        name, called = name_of_operation(operation), bytes_of(call)
        if called.nbytes > SMALL:
            called = self._ray.put(called)
        run = uuid.uuid4().hex
        waiting = deque(_Task(i, cut, self._places.node_of(i), f"{run} {i}") for i, cut in enumerate(cuts))
        running: dict[Any, _Task] = {}
        found: dict[int, Message] = {}
        due, freed = 0, None
        try:
            while due < len(cuts):
                last = due + 2 * self.n_workers  # results that come too early are kept, so they must be few
                while len(running) < self.n_workers and waiting and waiting[0].position < last:
                    task = _taken(waiting, freed, last)
                    running[self._start(name, task, is_sum, called)] = task
                reference = self._next(name, running)
                task = running.pop(reference)
                found[task.position], freed = self._answer(name, reference, task), task.node
                while due in found:
                    yield found.pop(due)
                    due += 1
        finally:
            for reference in running if self._ray.is_initialized() else ():  # nobody waits for their answers any more
                self._ray.cancel(reference, force=True)

    def _start(self, name: str, task: _Task, is_sum: bool, called: Any) -> Any:
        asked = {
            "operation": name,
            "first": task.shards.start,
            "last": task.shards.stop,
            "sum": is_sum,
            "broadcast": self._broadcast[0],
            "threads": self.settings.worker_threads,
            "version": __version__,
            "key": task.key,
            "slow": min(MOST_SLOW_SECONDS, self.settings.wait_limit / 4),
        }
        run = self._run
        if task.node is not None:
            run = run.options(scheduling_strategy=self._places.strategy(task.node))
        try:
            return run.remote(asked, self._broadcast[1], called)
        except ValueError as error:
            raise refused(self.settings, error) from None

    def _next(self, name: str, running: dict[Any, _Task]) -> Any:
        """Wait for the end of a task, up to the limit."""
        limit = self.settings.wait_limit
        end = time.monotonic() + limit
        while (left := end - time.monotonic()) > 0 and not self._notices.is_cut_off():
            ready, _ = self._ray.wait(list(running), num_returns=1, timeout=min(left, LOOK_SECONDS))
            if ready:
                return ready[0]
        first = min(running.values(), key=lambda task: task.position)
        raise self._late(said(name, first.shards), first)

    def _late(self, doing: str, task: _Task) -> WorkerError:
        return late_error(self._ray, doing, self.settings.wait_limit, self._needed, self._notices, found_slow(task.key))

    def _answer(self, name: str, reference: Any, task: _Task) -> Message:
        doing = said(name, task.shards)
        try:
            content = self._ray.get(reference, timeout=self.settings.wait_limit)
        except self._ray.exceptions.GetTimeoutError:
            raise self._late(doing, task) from None
        except self._ray.exceptions.RayError as error:
            raise error_of(self._ray, error, doing, self._notices) from None
        message = message_of(content)
        worker = message.manifest.pop("worker")
        return answer_of(message, doing, worker)


def _taken(waiting: deque[_Task], node: str | None, last: int) -> _Task:
    """Take the next task, or one before the position `last` that is meant for the node that is free."""
    for number, task in enumerate(waiting):
        if node is None or task.position >= last:
            break
        if task.node == node:
            del waiting[number]
            return task
    return waiting.popleft()


def _remote(ray: Any, needed: dict[str, float], settings: WorkerSettings) -> Any:
    named = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}
    options = {named[name]: amount for name, amount in needed.items() if name in named}
    others = {name: amount for name, amount in needed.items() if name not in named}
    try:
        return ray.remote(**options, resources=others or None, max_retries=DEATHS - 1)(run_shards)
    except (ValueError, TypeError) as error:
        raise refused(settings, error) from None
