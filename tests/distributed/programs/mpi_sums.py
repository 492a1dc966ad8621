"""Sums and maps by all ranks, compared with those of one process; to be started by mpiexec."""

from contextlib import closing
from importlib import import_module

import numpy as np

from glassmax.distributed import Held, Message, OrderedSum, WorkerSettings, open_workers
from glassmax.distributed.ordered_sum import PartialSum

faults = import_module("glassmax.faults")


def expected_sum(held, n_shards, call):
    total = OrderedSum()
    for shard in range(n_shards):
        total.add(PartialSum(shard, 0, faults.numbers(held, shard, call).arrays))
    return total.total()


def drive(workers):
    for base in (0.0, 0.5):
        held = Held(Message({"base": base}, {"base": np.array(base)}))
        workers.broadcast(held.broadcast)
        for n_shards in (1, 2, 3, 4, 5, 8, 13, 64):
            call = Message({}, {"theta": np.linspace(-1, 1, 1001)})
            got, want = workers.sum_in_order(faults.numbers, n_shards, call), expected_sum(held, n_shards, call)
            assert got["gradient"].tobytes() == want["gradient"].tobytes(), n_shards
            assert got["rows"] == n_shards * (n_shards + 1) // 2
            shards = list(range(n_shards))[::-1]
            for shard, message in zip(shards, workers.map_shards(faults.numbers, shards, call), strict=True):
                want = faults.numbers(held, shard, call)
                assert message.manifest == want.manifest
                assert message.arrays["gradient"].tobytes() == want.arrays["gradient"].tobytes()


with closing(open_workers(WorkerSettings("mpi", wait_limit=60))) as workers:
    if workers.is_driver:
        drive(workers)
        print(f"{workers} of 8 sums\n", end="")
        workers.finish(b"the model")
    else:
        print(f"{workers.serve().decode()}\n", end="")
