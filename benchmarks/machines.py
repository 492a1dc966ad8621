"""Training on workers: what a step costs on processes, Ray and MPI, how it scales, what a dead worker costs.

Each engine runs with one and two workers, in turn, in a process of its own. Checked first: all of them return the same
bits. ``paper`` computes from the figures what more workers on several machines would cost.
"""

import argparse
import hashlib
import importlib.util
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import polars as pl
from record import table, write

from glassmax.distributed import Message, WorkerSettings, open_workers
from glassmax.distributed.gradients import gradient
from glassmax.distributed.job import Training
from glassmax.distributed.prepared import prepare_shards
from glassmax.distributed.shards import ShardPlan
from glassmax.engine import Regularization, best_engine
from glassmax.network import Network
from glassmax.streaming import Sources, Split, learned
from glassmax.streaming.scan import scanned

ENGINES = ("processes", "ray", "mpi")
INPUTS, CLASSES, ROWS, SHARDS = 100, 10, 32_768, 8
HIDDEN = {"0.004 MB": 9, "0.4 MB": 900, "4 MB": 9000}
MEGABYTES = {name: 4e-6 * Network([INPUTS, hidden, CLASSES]).theta.size for name, hidden in HIDDEN.items()}
"""Sizes of the weights; sums of gradients are float64, and twice as large."""
SHOWN = "0.4 MB"
STEPS, ROUNDS = 60, 2
BANDWIDTH, LATENCY = 1250.0, 50e-6
"""Of the network on paper: MB a second (10 Gbit/s), and seconds until the first byte of a message arrives."""
ON_PAPER = (2, 8, 32, 128, 1000)


def make(folder):
    """Write the rows, as two files."""
    draw = np.random.default_rng(0)
    for part in range(2):
        X = draw.normal(size=(ROWS // 2, INPUTS)).astype(np.float32)
        columns = {f"x{j}": X[:, j] for j in range(INPUTS)}
        y = np.argmax(X[:, :CLASSES] + draw.normal(size=(len(X), CLASSES)), axis=1)
        pl.DataFrame({**columns, "y": y}).write_parquet(folder / f"part-{part}.parquet")


class Rows:
    """The rows on workers, cut into shards and steps in some ways."""

    def __init__(self, workers, rows, folder):
        self.workers, self.sources, self.folder = workers, Sources(rows), folder
        state, sample = scanned(self.sources, "y", None)
        self.known, self.places = learned(state, sample, "y", None), state.places

    def ready(self, hidden, n_shards, steps):
        """Tell the workers what is trained; return the function that computes a gradient."""
        network = Network([INPUTS, hidden, CLASSES], random_state=0, dtype="float32")
        plan = ShardPlan(self.known.rows, n_shards, steps)
        rows = prepare_shards(
            self.workers, self.sources, self.known, self.places, self.folder, "y", None, plan=plan, split=Split(0)
        )
        how = Training(network, None, Regularization(), (), 0, best_engine(1).arithmetic, None, None)
        self.workers.broadcast(rows.job.with_training(how).to_message())
        place = {"epoch": 0, "step": 0, "steps": 0, "mixup": 0.0}

        def step():
            return self.workers.sum_in_order(gradient, n_shards, Message(place, {"theta": network.theta}))

        step()  # opens the shards
        return step


def seconds(step, repeats):
    """Return the median time of a step."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def descendants(pid):
    """Return the processes below a process, with their command lines."""
    parents, commands = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                commands[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
    found = {pid}
    while (below := {child for child, parent in parents.items() if parent in found}) - found:
        found |= below
    return {child: commands[child] for child in found - {pid}}


def recovery(step, whole):
    """Return how much longer a step takes of which a worker is killed in the middle."""

    def kill():
        time.sleep(whole / 2)
        working = [
            child
            for child, command in descendants(os.getpid()).items()
            if "glassmax.distributed.worker" in command or command.startswith("ray::run_shards")
        ]
        os.kill(working[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    started = time.perf_counter()
    thread.start()
    sums = step()
    lasted = time.perf_counter() - started
    thread.join()
    return lasted - whole, sums


def digest(sums):
    return hashlib.sha256(sums["gradient"].tobytes() + sums["loss"].tobytes()).hexdigest()


def part(engine, n_workers, folder):
    """Measure an engine with some workers; return the figures, or None on a rank that serves."""
    address = "local" if engine == "ray" else None
    started = time.perf_counter()
    with ExitStack() as ends:
        workers = ends.enter_context(closing(open_workers(WorkerSettings(engine, n_workers, address, wait_limit=60))))
        if not getattr(workers, "is_driver", True):
            workers.serve()
            return None
        run = ends.enter_context(tempfile.TemporaryDirectory(dir=folder))
        rows = Rows(workers, folder / "rows", Path(run))
        found = {"start_seconds": time.perf_counter() - started, "empty_seconds": {}}
        for name, hidden in HIDDEN.items():
            step = rows.ready(hidden, 2, 10**6)  # a step of an epoch of so many has no rows
            found["empty_seconds"][name] = seconds(step, STEPS)
        step = rows.ready(HIDDEN[SHOWN], SHARDS, 1)
        found["digest"] = digest(step())
        found["rows_seconds"] = seconds(step, 5)
        if engine != "mpi" and n_workers == 2:
            found["recovery_seconds"], sums = recovery(step, found["rows_seconds"])
            assert digest(sums) == found["digest"], "after the death of a worker, the answer is another"
        if engine == "mpi":
            workers.finish(b"")
    return found


def measured(engine, n_workers, folder):
    """Measure an engine in a process of its own."""
    command = [sys.executable, __file__, "--part", engine, str(n_workers), str(folder)]
    if engine == "mpi":
        command = [mpiexec(), "-n", str(n_workers), *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    return json.loads(done.stdout.splitlines()[-1])


def mpiexec():
    return shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


def is_installed(engine):
    if engine == "mpi":
        return importlib.util.find_spec("mpi4py") is not None and mpiexec() is not None
    return engine == "processes" or importlib.util.find_spec(engine) is not None


def medians(runs):
    """Return the medians of the figures of some runs."""
    if isinstance(runs[0], dict):
        return {name: medians([run[name] for run in runs]) for name in runs[0]}
    return runs[0] if isinstance(runs[0], str) else statistics.median(runs)


def copying():
    """Return the seconds that a MB takes to be copied in memory."""
    source, target = np.ones(12 * 10**6, np.uint8), np.empty(12 * 10**6, np.uint8)
    return seconds(lambda: np.copyto(target, source), 21) / 12


def constants(one, two, copy):
    """Return what a step costs beyond its arithmetic: seconds, and seconds for each MB of weights; see `overhead`.

    Each is a pair: with one worker, and what one more worker adds, at least the time in which the three bytes for each
    byte of weights are copied once.
    """
    (small, large), found = ("0.004 MB", "4 MB"), {}
    for name, run in (("one", one), ("two", two)):
        times = run["empty_seconds"]
        slope = (times[large] - times[small]) / (MEGABYTES[large] - MEGABYTES[small])
        found[name] = (times[small], max(slope, 0.0))
    pairs = zip(*found.values(), (0.0, 3 * copy), strict=True)
    base, per_megabyte = ([of_one, max(of_two - of_one, least)] for of_one, of_two, least in pairs)
    return {"seconds": base, "seconds_per_megabyte": per_megabyte, "row_seconds": one["rows_seconds"] / ROWS}


def overhead(engine, of, workers, megabytes):
    """Return the seconds that a step costs beyond its arithmetic, on paper.

    Weights go out once, and sums, twice as large, come back. With processes and Ray, all pass the driver one after
    another; with MPI, they go along a tree, ceil(log2(workers)) times. Processes are on one machine; for the others,
    the time on the network is added, although the figures measured on one machine contain copies in its place.
    """
    passes = math.ceil(math.log2(workers)) if engine == "mpi" else workers - 1
    (seconds, more), (slope, more_slope) = of["seconds"], of["seconds_per_megabyte"]
    here = seconds + passes * more + megabytes * (slope + passes * more_slope)
    if engine == "processes":
        return here
    return here + passes * (2 * LATENCY + 3 * megabytes / BANDWIDTH)


def paper(found):
    """Return the number of rows of a step from which half of its time is arithmetic, by size, engine and workers."""
    return {
        name: {
            engine: {
                str(workers): workers * overhead(engine, of, workers, MEGABYTES[name]) / of["row_seconds"]
                for workers in ON_PAPER
                if engine != "processes" or workers <= 128
            }
            for engine, of in found.items()
        }
        for name in (SHOWN, "4 MB")
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round; nothing is written")
    parser.add_argument("--part", nargs=3, metavar=("ENGINE", "WORKERS", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        engine, n_workers, folder = options.part
        found = part(engine, int(n_workers), Path(folder))
        if found:
            print(json.dumps(found))
        return
    engines = [engine for engine in ENGINES if is_installed(engine)]
    runs = {engine: {1: [], 2: []} for engine in engines}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rows").mkdir()
        make(Path(folder) / "rows")
        for _ in range(1 if options.quick else ROUNDS):
            for engine in engines:
                for n_workers in (1, 2):
                    runs[engine][n_workers].append(measured(engine, n_workers, folder))
    if len({run["digest"] for of in runs.values() for some in of.values() for run in some}) > 1:
        sys.exit("The answers differ between engines or numbers of workers.")
    found = {engine: {str(n): medians(some) for n, some in of.items()} for engine, of in runs.items()}
    rows = []
    for engine, of in found.items():
        one, two = of["1"], of["2"]
        empty = [f"{1e3 * two['empty_seconds'][name]:.2f}" for name in HIDDEN]
        speedup = one["rows_seconds"] / two["rows_seconds"]
        lost = f"{two['recovery_seconds']:.2f}" if "recovery_seconds" in two else ""
        rows.append([engine, f"{two['start_seconds']:.1f}", *empty, f"{speedup:.2f}", lost])
    header = ["two workers", "start, s", *(f"empty step {name}, ms" for name in HIDDEN), "speed of two", "recovery, s"]
    table(f"A step on workers, {os.cpu_count()} cores", header, rows)
    copy = copying()
    model = {engine: constants(of["1"], of["2"], copy) for engine, of in found.items()}
    on_paper = paper(model)
    for name, of in on_paper.items():
        rows = [
            [engine, *(f"{of[engine][str(n)]:,.0f}" if str(n) in of[engine] else "-" for n in ON_PAPER)]
            for engine in of
        ]
        table(
            f"Rows of a step of which half is arithmetic, weights of {name}, on paper",
            ["workers", *map(str, ON_PAPER)],
            rows,
        )
    if not options.quick:
        libraries = ["ray", "mpi4py", "mpich"]
        figures = {"rows": ROWS, "workers": found, "model": model, "paper": on_paper}
        write("machines", [name for name in libraries if importlib.util.find_spec(name) or name == "mpich"], figures)


if __name__ == "__main__":
    main()
