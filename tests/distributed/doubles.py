"""Workers that are none: each operation runs in this process, and everything travels as bytes."""

import json

from glassmax.distributed import Held, Message, OrderedSum, PartialSum, name_of_operation, operation_of


class WorkersHere:
    """The seam without processes. Shards are called in the order in which `n_workers` workers would end them.

    Attributes
    ----------
    called : list of int
        The shards for which an operation was called.
    sent : list of bytes
        What was broadcast.
    open : bool
    """

    name = "here"

    def __init__(self, settings=None, n_workers=1):
        self.n_workers = n_workers if settings is None else settings.n_workers or 1
        self.settings, self.called, self.calls, self.sent, self.open, self.busy = settings, [], [], [], True, False

    def broadcast(self, message):
        self.sent.append(message.to_bytes())
        self.held = [Held(Message.of_bytes(self.sent[-1])) for _ in range(self.n_workers)]

    def map_shards(self, operation, shards, call):
        name, content = name_of_operation(operation), call.to_bytes()
        self.calls.append(call.manifest)
        self.busy = True
        try:
            for start in range(0, len(shards), self.n_workers):
                some = list(enumerate(shards[start : start + self.n_workers]))
                answers = {}
                for worker, shard in reversed(some):  # the last one begun ends first
                    self.called.append(shard)
                    answers[worker] = operation_of(name)(self.held[worker], shard, Message.of_bytes(content)).to_bytes()
                for worker, _ in some:
                    yield Message.of_bytes(answers[worker])
        finally:
            self.busy = False

    def sum_in_order(self, operation, n_shards, call):
        total = OrderedSum()
        for shard, answer in enumerate(self.map_shards(operation, range(n_shards), call)):
            total.add(PartialSum(shard, 0, answer.arrays))
        return total.total()

    def close(self):
        assert not self.busy, "closed while a shard is worked on"
        self.open = False


def is_plain(content):
    """Whether these bytes are a message whose head is JSON."""
    length = int.from_bytes(content[:8], "little")
    json.loads(content[8 : 8 + length])
    return not content.startswith(b"\x80") and b"pickle" not in content
