"""What ranks other than 0 do: what comes down the tree, until the driver has finished."""

import sys
import time
from typing import Any

import numpy as np

from ..failures import answer_of, failure_of, said
from ..messages import Manifest, Message
from ..operations import call_operation, message_of_parts, parts_of_message
from ..ordered_sum import OrderedSum, PartialSum, split_shards
from ..workers import Held
from .ranks import ALIVE, ANSWER, COMMAND, FINISHED, STOP, Ranks, abort_at_exit, parent_of, until

__all__ = ["serve"]

QUIET_SECONDS, ALIVE_SECONDS = 0.05, 1.0
MOST_BYTES = 2**26


def serve(ranks: Ranks) -> bytes:
    """Do what comes down the tree; return what the driver has finished with.

    Raises
    ------
    GlassmaxError, KeyboardInterrupt
        With which the driver has ended.
    """
    try:
        end = _Serving(ranks).until_end()
        ranks.comm.Free()
    except BaseException as error:
        sys.stderr.write(f"Rank {ranks.rank} can't go on: {type(error).__name__}: {error}\n")
        abort_at_exit(ranks)
        raise
    if end.manifest.get("failure", {}).get("kind") == "KeyboardInterrupt":
        raise KeyboardInterrupt
    return answer_of(end, "the work for all ranks", "rank 0").arrays["content"].tobytes()


class _Failed(Exception):  # noqa: N818 - carries the message
    """An operation has failed, or the driver doesn't want the rest of a call."""

    def __init__(self, message: Message) -> None:
        self.message = message


class _Serving:
    """A rank that serves."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks, self.parent = ranks, parent_of(ranks.rank)
        self.signs = _Signs(ranks)
        self.held = Held(Message({}, {}), alive=self.signs.alive)
        self.call = 0

    def until_end(self) -> Message:
        """Do one command after another; return the message of the last one."""
        while True:
            content = self.ranks.receive(self.parent, COMMAND, self.signs.idle)
            self.ranks.send(self.ranks.children, COMMAND, content, self.signs.idle)
            command = Message.of_bytes(content)
            message = Message(command.manifest["of_message"], command.arrays)
            what, asked = command.manifest["do"], command.manifest["of_command"]
            self.call = command.manifest["call"]
            self.signs.begin(self.call)
            if what == "end":
                self.held.renew(Message({}, {}))
                return message
            if what == "broadcast":
                self.held.renew(message)
            elif what == "sum":
                self._sum(asked, message)
            else:
                self._map(asked, message)
            self.signs.end()
            del content, command, message

    def _sum(self, asked: Manifest, call: Message) -> None:
        """Add up what comes of the shards of this rank and of all below; send the sums to the parent."""
        total, failed = OrderedSum(), None
        try:
            for shard in split_shards(asked["n_shards"], self.ranks.size)[self.ranks.rank]:
                total.add(PartialSum(shard, 0, self._do(asked["operation"], shard, call).arrays))
        except _Failed as failure:
            failed = failure.message
        for child in self.ranks.children:
            answer = Message.of_bytes(self.ranks.receive(child, ANSWER, self.signs.idle))
            if failed is None and "failed_at" in answer.manifest:
                failed = answer
            if failed is None:
                for part in parts_of_message(answer):
                    total.add(part)
        answer = message_of_parts(total.parts) if failed is None else failed
        self.ranks.send([self.parent], ANSWER, answer.to_bytes(), self.signs.idle)

    def _map(self, asked: Manifest, call: Message) -> None:
        """Send what comes of each shard of this rank to the driver; go on while it is on its way."""
        on_its_way: list[tuple[Any, bytes]] = []
        for shard in asked["shards"][self.ranks.rank]:
            try:
                answer = self._do(asked["operation"], shard, call)
            except _Failed as failure:
                answer = failure.message
            content = answer.to_bytes()
            on_its_way.append((self.ranks.begin_to_send(0, ANSWER, content), content))
            while sum(len(content) for _, content in on_its_way) > MOST_BYTES:
                until(on_its_way.pop(0)[0].Test, 0, self.signs.idle)
            if "failed_at" in answer.manifest:
                break
        for request, _ in on_its_way:
            until(request.Test, 0, self.signs.idle)

    def _do(self, name: str, shard: int, call: Message) -> Message:
        """Call an operation for a shard; raise `_Failed` if it fails, or if the driver has stopped the call."""
        self.signs.working(shard)
        what = {"rank": self.ranks.rank, "what": said(name, range(shard, shard + 1))}
        while (stop := self.ranks.come(0, STOP)) is not None:
            if int.from_bytes(stop[1].tobytes(), "little") == self.call:
                raise _Failed(Message({"failed_at": what}, {}))
        try:
            return call_operation(self.held, name, shard, call)
        except Exception as error:
            raise _Failed(Message({**failure_of(error).manifest, "failed_at": what}, {})) from None


class _Signs:
    """Signs of life to the driver; in the first `QUIET_SECONDS` of a call only if the last call took longer."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        self.call, self.shard, self.is_idle = 0, 0, True
        self.began = self.last = time.monotonic()
        self.took = np.inf
        self.on_its_way: list[tuple[Any, Any]] = []

    def begin(self, call: int) -> None:
        """Begin a call: nothing has been said of it."""
        self.call, self.is_idle, self.began = call, False, time.monotonic()

    def end(self) -> None:
        """Note how long the call took."""
        self.took = time.monotonic() - self.began

    def working(self, shard: int) -> None:
        """Say which shard is begun."""
        self.shard, self.is_idle = shard, False
        self._say(shard)

    def alive(self) -> None:
        """Say from time to time that the shard goes on."""
        if time.monotonic() - self.last > ALIVE_SECONDS:
            self._say(self.shard)

    def idle(self, _: int) -> None:
        """Say once that nothing is left to do in this call."""
        if self.call and not self.is_idle:
            self.is_idle = self._say(FINISHED)

    def _say(self, shard: int) -> bool:
        now = time.monotonic()
        if max(now - self.began, self.took) < QUIET_SECONDS:
            return False
        self.last = now
        content = np.array([self.call, shard])
        request = self.ranks.begin_to_send(0, ALIVE, content)
        self.on_its_way = [one for one in self.on_its_way if not one[0].Test()]
        self.on_its_way.append((request, content))
        return True
