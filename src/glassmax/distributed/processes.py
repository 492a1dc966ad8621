"""Workers that are processes of this machine: started by the driver, and driven through pipes.

Nothing listens on a port, and nothing is pickled. A worker that has died is replaced by a new one, which gets the last
broadcast, and what the dead one was doing is done again: shard by shard, so that a shard on which three workers have
died is known and named. A worker that doesn't answer within the limit of waiting is an error.
"""

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from ..engine.processors import processors
from ..errors import Setting, WorkerError
from .failures import DEATHS, answer_of, died_too_often, not_answering, said
from .messages import Arrays, Message
from .operations import sum_of_messages
from .ordered_sum import split_shards
from .pipes import Pieces, framed, receive, send, widen
from .settings import WorkerSettings
from .workers import Operation, name_of

__all__ = ["ProcessWorkers"]

OF_ARITHMETIC = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
CLOSE_SECONDS, GRACE_SECONDS, LET_GO_SECONDS = 5.0, 1.0, 1.0
LONGEST = 2000


class _Task(NamedTuple):
    """Consecutive shards that a worker does at a time, where their result stands, and how many have died on them."""

    position: int
    shards: range
    deaths: int = 0


class ProcessWorkers:
    """Workers that are processes of this machine; see `glassmax.distributed.Workers`.

    Parameters
    ----------
    settings : WorkerSettings

    Attributes
    ----------
    name : str
        "processes".
    n_workers : int

    Raises
    ------
    WorkerError
        If a process can't be started.
    """

    name = "processes"

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.n_workers = settings.n_workers or max(1, processors() // settings.worker_threads)
        self._broadcast = _request("broadcast", Message({}, {}))
        self._answers: queue.SimpleQueue[tuple[_Worker, Message | None]] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        try:
            for number in range(self.n_workers):
                self._workers.append(_Worker(number, settings, self._answers))
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"ProcessWorkers(n_workers={self.n_workers})"

    def broadcast(self, message: Message) -> None:
        """Give all workers what the next operations need: each gets it before its next operation."""
        self._broadcast = _request("broadcast", Message.of_bytes(message.to_bytes()))  # arrays may change later
        for worker in self._workers:
            worker.informed = False

    def map_shards(self, operation: Operation, shards: Sequence[int], call: Message) -> Iterator[Message]:
        """Call an operation for some shards; return what comes of each, in their order."""
        later = (_Task(i, range(shard, shard + 1)) for i, shard in enumerate(shards))
        waiting_for_any = deque(islice(later, 2 * self.n_workers))  # results that come too early must be few
        tasks = [waiting_for_any] * self.n_workers  # the next one for whoever is free, so that results come in order
        waiting: dict[int, Message] = {}
        due = 0
        for position, message in self._results("shard", operation, tasks, call):
            waiting[position] = message
            while due in waiting:
                waiting_for_any.extend(islice(later, 1))
                yield waiting.pop(due)
                due += 1

    def sum_in_order(self, operation: Operation, n_shards: int, call: Message) -> Arrays:
        """Call an operation for shards 0 ... n_shards - 1, and return the sum of their arrays."""
        tasks = [deque([_Task(cut.start, cut)] if cut else []) for cut in split_shards(n_shards, self.n_workers)]
        found = dict(self._results("sum", operation, tasks, call))
        return sum_of_messages(found[position] for position in sorted(found))

    def close(self) -> None:
        """End the processes; may be called twice."""
        for worker in self._workers:
            worker.begin_to_end()
        while self._workers:
            self._workers.pop().end()

    def _results(
        self, what: str, operation: Operation, tasks: list[deque[_Task]], call: Message
    ) -> Iterator[tuple[int, Message]]:
        """Do all tasks, of each worker from the first on; who has none left takes the last one of another.

        The workers may have one queue in common.
        """
        name, called = name_of(operation), framed(call)
        busy: set[_Worker] = set()
        answered: tuple[int, Message] | None = None
        try:
            while True:
                for number, worker in enumerate(self._workers):
                    if worker not in busy and (task := _next_task(tasks, number)) is not None:
                        self._ask(worker, what, name, task, called)
                        busy.add(worker)
                if answered is not None:
                    yield answered  # after the next tasks have begun, because what is made of it may take long
                    answered = None
                    continue  # there may be more tasks now
                if not busy:
                    return
                worker, message = self._next_answer(busy)
                task = worker.task
                if message is None:
                    busy.discard(worker)
                    tasks[worker.number].extendleft(reversed(self._after_death(worker)))
                elif "alive" not in message.manifest:
                    busy.discard(worker)
                    answered = task.position, answer_of(message, worker.doing, worker.name)
        finally:
            self._let_go(busy)

    def _ask(self, worker: "_Worker", what: str, name: str, task: _Task, called: Pieces) -> None:
        first, last = task.shards.start, task.shards.stop
        request = framed(Message({"do": what, "operation": name, "first": first, "last": last}, {}))
        worker.ask([*([] if worker.informed else self._broadcast), *request, *called], task, said(name, task.shards))
        worker.informed = True

    def _next_answer(self, busy: set["_Worker"]) -> tuple["_Worker", Message | None]:
        """Return what comes next from one of the busy workers; raise if there is one that doesn't answer."""
        while True:
            late = min(busy, key=lambda worker: worker.heard)
            left = late.heard + self.settings.wait_limit - time.monotonic()
            try:
                worker, message = self._answers.get(timeout=max(left, 0.0))
            except queue.Empty:
                raise not_answering(late.doing, late.name, self.settings.wait_limit) from None
            if worker in busy:  # not one whose answer nobody waited for
                worker.heard = time.monotonic()
                return worker, message

    def _after_death(self, worker: "_Worker") -> list[_Task]:
        """Replace a worker that has died, and return its shards, which are tried one by one."""
        task, (how, tail) = worker.task, worker.obituary()
        self._replace(worker)
        if task.deaths + 1 >= DEATHS:
            raise died_too_often(worker.doing, worker.name, how, tail)
        if len(task.shards) == 1:
            return [task._replace(deaths=task.deaths + 1)]
        return [_Task(shard, range(shard, shard + 1), task.deaths + 1) for shard in task.shards]

    def _let_go(self, busy: set["_Worker"]) -> None:
        """Wait a moment for workers whose answers nobody wants; replace those that go on, which takes about as long."""
        end = time.monotonic() + LET_GO_SECONDS
        try:
            while busy and (left := end - time.monotonic()) > 0:
                worker, message = self._answers.get(timeout=left)
                if message is not None and "alive" not in message.manifest:
                    busy.discard(worker)
        except queue.Empty:
            pass
        finally:
            for worker in busy:
                self._replace(worker)

    def _replace(self, worker: "_Worker") -> None:
        worker.begin_to_end()
        worker.end()
        self._workers[worker.number] = _Worker(worker.number, self.settings, self._answers)


class _Worker:
    """A process, and the thread that waits for its answers."""

    def __init__(
        self,
        number: int,
        settings: WorkerSettings,
        answers: "queue.SimpleQueue[tuple[_Worker, Message | None]]",
    ) -> None:
        self.number, self.informed, self.heard = number, False, 0.0
        self.task, self.doing, self.is_busy = _Task(0, range(0)), "", False
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        command = [sys.executable, "-P", "-m", "glassmax.distributed.worker"]
        pipe, apart = subprocess.PIPE, os.name == "posix"  # Ctrl-C is for the driver
        try:
            self.process = subprocess.Popen(
                command, bufsize=0, stdin=pipe, stdout=pipe, stderr=self.errors, env=_environment(settings),
                start_new_session=apart,
            )  # fmt: skip
        except OSError as error:
            self.errors.close()
            why = error.strerror or str(error)
            remedy = ("Lower ", Setting("n_workers"), ".")
            raise WorkerError(f"Worker {number + 1} can't be started: {why}.", remedy=remedy) from None
        self.name = f"worker {number + 1} (process {self.process.pid})"
        self.requests: queue.SimpleQueue[Pieces | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._talk, args=(answers,), name=f"glassmax {self.name}", daemon=True)
        self.thread.start()

    def ask(self, request: Pieces, task: _Task, doing: str) -> None:
        """Send a request; the answer comes through the queue of answers. `doing` says in words what is asked for."""
        self.task, self.doing, self.heard, self.is_busy = task, doing, time.monotonic(), True
        self.requests.put(request)

    def _talk(self, answers: "queue.SimpleQueue[tuple[_Worker, Message | None]]") -> None:
        to, from_ = self._pipes()
        widen(to)
        widen(from_)
        try:
            while (request := self.requests.get()) is not None:
                send(to, request)
                while (message := receive(from_)) is not None and "alive" in message.manifest:
                    answers.put((self, message))
                self.is_busy = message is None
                answers.put((self, message))
                if message is None:
                    return
        except (OSError, ValueError):  # it has died, or what it says is no message
            answers.put((self, None))

    def _pipes(self) -> tuple[Any, Any]:
        return self.process.stdin, self.process.stdout

    def obituary(self) -> tuple[str, str]:
        """Return how the process has died, and the end of what it has printed."""
        try:
            status = self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:  # it talks nonsense, and still lives
            self.process.kill()
            status = self.process.wait()
        size = self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, size - LONGEST))
        tail = self.errors.read().decode(errors="replace").strip()
        return _how_it_ended(status, tail), tail

    def begin_to_end(self) -> None:
        """Tell the process to end."""
        if self.is_busy:
            self.process.kill()
        self.requests.put(None)
        if not self.is_busy:
            with suppress(OSError):
                self._pipes()[0].close()

    def end(self) -> None:
        """Wait for the end of the process, and close what belongs to it."""
        try:
            self.process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.thread.join(CLOSE_SECONDS)
        for file in (*self._pipes(), self.errors):
            with suppress(OSError):
                file.close()


def _next_task(tasks: list[deque[_Task]], number: int) -> _Task | None:
    if tasks[number]:
        return tasks[number].popleft()
    longest = max(tasks, key=len)
    return longest.pop() if longest else None


def _request(what: str, message: Message) -> Pieces:
    return [*framed(Message({"do": what}, {})), *framed(message)]


def _how_it_ended(status: int, tail: str) -> str:
    if status >= 0:
        last = tail.splitlines()[-1] if tail else ""
        return f"with exit status {status}" + (f" and these words: {last}" if last else "")
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"number {-status}"
    return f"by signal {name}"


def _environment(settings: WorkerSettings) -> dict[str, str]:
    threads = str(settings.worker_threads)
    limits = dict.fromkeys(OF_ARITHMETIC, "1") | {"GLASSMAX_NUM_THREADS": threads, "POLARS_MAX_THREADS": threads}
    return {**os.environ, **limits}
