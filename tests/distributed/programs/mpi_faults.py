"""A job in which something goes wrong, as the argument says; to be started by mpiexec."""

import os
import signal
import sys
from contextlib import closing
from importlib import import_module
from pathlib import Path

from glassmax.distributed import Message, WorkerSettings, open_workers
from glassmax.distributed.mpi import starting
from glassmax.errors import DataError, GlassmaxError, WorkerError

faults = import_module("glassmax.faults")
NOTHING = Message({}, {})


def sums(workers, operation, n_shards=8):
    return workers.sum_in_order(operation, n_shards, NOTHING)["sum"]


def maps(workers, operation, n_shards=8):
    return [message.arrays["sum"] for message in workers.map_shards(operation, range(n_shards), NOTHING)]


def goes_on(workers, call, operation, kind):
    """An error of an operation reaches the driver, and the next call is right."""
    try:
        call(workers, operation)
    except kind as error:
        print(f"driver: {error}", flush=True)
    expected = sum((shard + 1) * 0.1 for shard in range(8))
    assert abs(sums(workers, faults.tenths)[0] - expected) < 1e-12
    assert len(maps(workers, faults.tenths)) == 8


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def stops_early(workers):
    """Whoever doesn't want the rest of a map goes on with the next call."""
    for message in workers.map_shards(faults.tenths, range(8), NOTHING):
        if message.manifest["shard"] == 1:
            break
    stale = workers.map_shards(faults.tenths, range(8), NOTHING)
    next(stale)
    sums(workers, faults.tenths)
    try:
        next(stale)
    except WorkerError as error:
        print(f"driver: {error}", flush=True)


def interrupted(workers):
    try:
        sums(workers, faults.interrupts)
    except KeyboardInterrupt:
        print("driver: interrupted", flush=True)
    print(f"driver: {maps(workers, faults.tenths)[0][0]:.1f}", flush=True)


def endless(workers):
    print("ready", flush=True)
    while True:
        sums(workers, faults.tenths, 64)
        maps(workers, faults.tenths, 64)


def dies(workers):
    print(Path("/proc/self/maps").read_text(), flush=True)
    sums(workers, faults.dies_always)


CASES = {
    "data in a sum": lambda workers: goes_on(workers, sums, faults.complains, DataError),
    "data in a map": lambda workers: goes_on(workers, maps, faults.complains, DataError),
    "bug in a sum": lambda workers: goes_on(workers, sums, faults.stumbles, WorkerError),
    "bug in a map": lambda workers: goes_on(workers, maps, faults.stumbles, WorkerError),
    "full memory": lambda workers: goes_on(workers, sums, faults.is_full, WorkerError),
    "stops early": stops_early,
    "interrupted": interrupted,
    "endless": endless,
    "nothing": lambda workers: None,
    "hangs in a sum": lambda workers: sums(workers, faults.hangs),
    "hangs in a map": lambda workers: maps(workers, faults.hangs),
    "frozen": lambda workers: sums(workers, faults.freezes),
    "dies": dies,
    "driver fails": lambda workers: (_ for _ in ()).throw(DataError("x.csv has vanished.")),
    "driver is interrupted": lambda workers: signal.raise_signal(signal.SIGINT),
    "driver forgets": lambda workers: None,
}

case, limit = sys.argv[1], float(sys.argv[2])
rank = int(os.environ.get("PMI_RANK", "0"))
try:
    if case == "comes late" and rank == 2:
        import mpi4py.MPI  # noqa: F401 - starts MPI, and no more

        sys.exit(0)
    if case == "starts alone":
        if rank == 0:
            sys.stdin.read()  # to its end, which comes with the end of the process that started this one
            sys.exit(0)
        starting._end_with_mpiexec()
        print(f"{os.getpid()}\n{os.getppid()}\n", end="", flush=True)
    expected = 5 if case == "another number" else None
    with closing(open_workers(WorkerSettings("mpi", expected, wait_limit=limit))) as workers:
        if workers.is_driver:
            CASES[case](workers)
            if case != "driver forgets":
                workers.finish(b"done")
        else:
            print(f"served: {workers.serve().decode()}\n", end="", flush=True)
except GlassmaxError as error:
    if rank == 0:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    else:
        print(f"served: {type(error).__name__}: {error}\n", end="", flush=True)
    sys.exit(1)
except KeyboardInterrupt:
    if rank == 0:
        print("Interrupted.", file=sys.stderr)
    else:
        print("served: interrupted\n", end="", flush=True)
    sys.exit(130)
