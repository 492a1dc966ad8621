"""The ranks of an MPI job as workers.

Rank 0 drives: it runs the training, and does its own share of the shards. The others serve it from the moment that the
workers are opened until it ends::

    with closing(MPIWorkers(settings)) as workers:
        if workers.is_driver:
            ...                                # training
            workers.finish(content)            # such as the bytes of the model
        else:
            content = workers.serve()          # returns what the driver has finished with

A call goes down the tree of ranks, and the sums over its shards come up, see `OrderedSum`; what `map_shards` returns
comes to rank 0 directly. If a rank dies, MPI ends the job.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import numpy as np

from ...errors import WorkerError
from ..failures import answer_of, failure_of, said
from ..messages import Arrays, Manifest, Message
from ..operations import call_operation, parts_of_message
from ..ordered_sum import OrderedSum, PartialSum, split_shards
from ..settings import WorkerSettings
from ..workers import Held, Operation, name_of_operation
from .ranks import ANSWER, COMMAND, STOP, abort_at_exit
from .serving import serve
from .starting import early_ranks, meet, ranks_of_job
from .watch import Interrupts, OwnShard, Watch

__all__ = ["MPIWorkers"]


class MPIWorkers:
    """The ranks of this MPI job, as `Workers`; every rank opens them.

    Parameters
    ----------
    settings : WorkerSettings

    Attributes
    ----------
    name : str
        "mpi".
    n_workers : int
        Number of ranks.
    is_driver : bool
        Whether this is rank 0, which calls the methods of `Workers`, and `finish`. All others call `serve`.

    Raises
    ------
    OptionError
        If ``settings.n_workers`` is not the number of ranks.
    WorkerError
        If MPI can't be used, or other ranks don't come within ``settings.wait_limit`` seconds.

    Notes
    -----
    After a `WorkerError` because a rank didn't answer, nothing more can be done with the ranks: the job ends when this
    process does, with exit code 1.
    """

    name = "mpi"

    def __init__(self, settings: WorkerSettings) -> None:
        early = early_ranks.pop() if early_ranks else None
        ranks = early or ranks_of_job(settings.n_workers)
        self.n_workers, self.is_driver = ranks.size, ranks.rank == 0
        self._interrupts = Interrupts()
        if not self.is_driver:
            self._interrupts.ignore()
        try:
            self._ranks = early or meet(ranks, settings.wait_limit)
        except BaseException:
            self._interrupts.restore()
            raise
        self._watch = Watch(self._ranks, settings.wait_limit, self._interrupts)
        watched = self.is_driver and self.n_workers > 1
        self._own = OwnShard(self._ranks, settings.wait_limit) if watched else None
        self._held = Held(Message({}, {}), alive=self._own.alive) if self._own else Held(Message({}, {}))
        self._call = 0
        self._owed: dict[int, int] = {}  # by rank: the answers that are still to come
        self._is_open = True

    def __repr__(self) -> str:
        return f"MPIWorkers(n_workers={self.n_workers})"

    def serve(self) -> bytes:
        """Do what the driver asks for; return what it has finished with.

        Raises
        ------
        GlassmaxError, KeyboardInterrupt
            With which the driver has ended.
        """
        self._is_open = False
        try:
            return serve(self._ranks)
        finally:
            self._interrupts.restore()

    def broadcast(self, message: Message) -> None:
        """Give all ranks what the next operations need."""
        with self._interrupts:
            self._command("broadcast", {}, message)
            self._held.renew(Message.of_bytes(message.to_bytes()))  # arrays may change later

    def map_shards(self, operation: Operation, shards: Sequence[int], call: Message) -> Iterator[Message]:
        """Call an operation for some shards; return what comes of each, in their order. See `Workers`."""
        parts = [[int(shards[place]) for place in part] for part in split_shards(len(shards), self.n_workers)]
        name = name_of_operation(operation)
        with self._interrupts:
            number = self._command("map", {"operation": name, "shards": parts}, call)
            self._owe({rank: len(part) for rank, part in enumerate(parts)}, name, parts)
        try:
            for rank, part in enumerate(parts):
                for shard in part:
                    with self._interrupts:
                        self._check_is_running(number)
                        answer = self._answer(rank) if rank else self._do(name, shard, call)
                    yield answer
        except BaseException:
            self._stop(number)
            raise

    def sum_in_order(self, operation: Operation, n_shards: int, call: Message) -> Arrays:
        """Call an operation for shards 0 ... n_shards - 1; return the sum of their arrays. See `Workers`."""
        parts = [list(part) for part in split_shards(n_shards, self.n_workers)]
        name, total = name_of_operation(operation), OrderedSum()
        with self._interrupts:
            number = self._command("sum", {"operation": name, "n_shards": n_shards}, call)
            self._owe(dict.fromkeys(self._ranks.children, 1), name, parts)
            try:
                for shard in parts[0]:
                    total.add(PartialSum(shard, 0, self._do(name, shard, call).arrays))
                for child in self._ranks.children:
                    for part in parts_of_message(self._answer(child)):
                        total.add(part)
            except BaseException:
                self._stop(number)
                raise
        return total.total()

    def finish(self, content: bytes) -> None:
        """End the work of all ranks; their `serve` returns `content`."""
        self._end(Message({}, {"content": np.frombuffer(content, np.uint8)}))

    def close(self) -> None:
        """End the work of all ranks, if `finish` was not called: with the error that is being raised. See `serve`."""
        error = sys.exception() or WorkerError("Rank 0 has ended the work of all ranks without a result.")
        self._end(failure_of(error))

    def _end(self, message: Message) -> None:
        was_open, self._is_open = self._is_open, False
        if self._own:
            self._own.close()
        self._held.renew(Message({}, {}))
        if not was_open or self._watch.is_lost:
            return
        if not self.is_driver:  # an error before it served: nobody serves in its place
            self._interrupts.restore()
            abort_at_exit(self._ranks)
        elif self.n_workers > 1:
            with self._interrupts:
                self._command("end", {}, message)
                self._ranks.comm.Free()

    def _command(self, what: str, manifest: Manifest, message: Message) -> int:
        """Send a command down the tree, and return its number."""
        self._stop(self._call)
        self._call += 1
        self._watch.begin(self._call)
        if self._ranks.children:
            head = {"do": what, "call": self._call, "of_command": manifest, "of_message": message.manifest}
            content = Message(head, message.arrays).to_bytes()
            try:
                self._ranks.send(self._ranks.children, COMMAND, content, self._watch.while_sending)
            except BaseException:
                self._watch.lose()
                raise
        return self._call

    def _owe(self, answers: dict[int, int], name: str, parts: list[list[int]]) -> None:
        self._owed = {rank: count for rank, count in answers.items() if rank and count}
        self._watch.expect(name, parts)

    def _answer(self, rank: int) -> Message:
        """Return the next answer of a rank; raise the error in it."""
        message = self._take(rank)
        at = message.manifest.get("failed_at")
        return answer_of(message, at["what"], self._ranks.name(at["rank"])) if at else message

    def _take(self, rank: int) -> Message:
        """Return the next answer of a rank; one that has failed sends no more of them in this call."""
        content = self._ranks.receive(rank, ANSWER, self._watch.while_waiting, self._watch.while_sending)
        message = Message.of_bytes(content)
        self._watch.heard(rank)
        self._owed[rank] = 0 if "failed_at" in message.manifest else self._owed[rank] - 1
        return message

    def _do(self, name: str, shard: int, call: Message) -> Message:
        """Call an operation for a shard of rank 0."""
        what = said(name, range(shard, shard + 1))
        with self._interrupts.allowed(), self._own.doing(what) if self._own else nullcontext():
            try:
                return call_operation(self._held, name, shard, call)
            except Exception as error:
                return answer_of(failure_of(error), what, self._ranks.name(0))

    def _check_is_running(self, number: int) -> None:
        if number != self._call:
            raise WorkerError("What map_shards returns must be used up before the next call.")

    def _stop(self, number: int) -> None:
        """Have the other ranks leave a call that can't be completed, and take what they still send."""
        if number != self._call or self._watch.is_lost or not any(self._owed.values()):
            return
        with self._interrupts, self._interrupts:  # twice, so that Ctrl-C waits for the end
            try:
                content = number.to_bytes(8, "little")
                self._ranks.send(range(1, self.n_workers), STOP, content, self._watch.while_sending)
                for rank in self._owed:
                    while self._owed[rank]:
                        self._take(rank)
            except Exception:  # the error that led here is the one to be raised
                self._watch.lose()
