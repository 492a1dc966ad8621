"""Contenders in processes of their own, held to one answer, then timed in turns.

Thread pools disturb one another, so each library has its own process, and all but the one whose turn it is are stopped
(SIGSTOP): no pool spins beside the clock, and every library keeps its own tuning.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from peers import FLOORS

HERE = Path(__file__).parent
LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
QUIET = 0.05  # the share of the processors that other processes may have while something is timed
BOUNDS = {  # in float32 a unit next to relu's kink can fall to either side: most shapes differ by 1e-7, few by 1e-4
    "float32": {"loss": 1e-3, "probability": 2e-2},
    "float64": {"loss": 1e-9, "probability": 1e-9},
}


class Failure(RuntimeError):  # noqa: N818 - a verdict
    """A contender said that it can't."""


class Contender:
    """A library in a process of its own, stopped unless it is asked something.

    Parameters
    ----------
    name : str
        One of `peers.CONTENDERS`.
    shape : Shape
    start : path
        A file of starting weights.
    threads : int
    tie : bool
        Whether 1 thread ties the process to one core: some libraries can't be told otherwise.
    """

    def __init__(self, name, shape, start, threads, tie=True):
        self.name, self.shape, self.start, self.threads = name, shape, start, threads
        environment = os.environ | dict.fromkeys(LIMITS, str(threads))
        command = [sys.executable, str(HERE / "peers" / "serve.py")]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, start_new_session=True
        )
        if threads == 1 and tie:
            os.sched_setaffinity(self.process.pid, {max(os.sched_getaffinity(0))})

    def open(self, **options):
        """Set the contender up: on the first `rows` rows, or unshuffled, if the options say so."""
        shape = self.shape._asdict()
        self.note = self.ask(
            "open", name=self.name, shape=shape, start=str(self.start), threads=self.threads, **options
        )

    def ask(self, what, **request):
        """Wake the process, ask it, and stop it again."""
        os.kill(self.process.pid, signal.SIGCONT)
        print(json.dumps({"do": what} | request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise Failure("its process has ended")
        os.kill(self.process.pid, signal.SIGSTOP)
        answer = json.loads(line)
        if "error" in answer:
            raise Failure(answer["error"])
        return answer["answer"]

    def close(self):
        """End the process."""
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def starting_weights(shape, folder, seed=0):
    """Write the starting weights, those that MLPClassifier and we draw for that `random_state`; return the file."""
    from glassmax import Network

    network = Network(shape.sizes, activation="relu", dtype=shape.dtype, random_state=np.random.RandomState(seed))
    path = Path(folder) / f"{shape.name.replace(' ', '_')}_{seed}.npz"
    np.savez(path, **network.parameters)
    return path


def losses_and_probabilities(contender, rows, epochs):
    """Train on the first rows in the order they lie in; return the losses of the epochs and some probabilities."""
    contender.open(rows=rows, shuffle=False)
    contender.ask("repeat", epochs=epochs - 1, repeats=1)  # the first comes before the clock
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        losses = contender.ask("answer", rows=100, path=file.name)
        return np.array(losses), np.load(file.name)


def agree(ours, theirs, *, epochs=3, batches=12):
    """Hold a contender to ours: same weights, same batches, so the same losses and probabilities.

    Parameters
    ----------
    ours, theirs : Contender
    epochs, batches : int
        So many full batches and, if the rows reach, half a one.

    Returns
    -------
    dict
        The largest relative difference of a loss, and the largest difference of a probability; for a library that
        only multiplies, of a product.

    Raises
    ------
    Failure
        If they don't agree.
    """
    shape = ours.shape
    if theirs.name == "scikit-learn" and shape.sizes[-1] == 2:
        raise Failure("it has one output for two classes: another network")
    rows = min(shape.rows, batches * shape.batch + shape.batch // 2)
    if theirs.name in FLOORS:
        return {"product": same_products(ours, losses_and_probabilities(theirs, rows, 1)[1])}
    if not hasattr(ours, "answer"):
        ours.answer = losses_and_probabilities(ours, rows, epochs)
    losses, P = losses_and_probabilities(theirs, rows, epochs)
    found = {
        "loss": float(np.max(np.abs(losses / ours.answer[0] - 1))),
        "probability": float(np.max(np.abs(P - ours.answer[1]))),
    }
    if any(found[what] > bound for what, bound in BOUNDS[shape.dtype].items()):
        raise Failure(f"gives another answer: {found}")
    return found


def same_products(ours, values):
    """Hold a library's products to those of the first library that was asked; return the largest difference."""
    if not hasattr(ours, "products"):
        ours.products = values
    found = float(np.max(np.abs(values - ours.products)) / np.max(np.abs(ours.products)))
    if found > 1e-4:
        raise Failure(f"gives other products: {found}")
    return found


def seconds(contender, epochs, least):
    """Return the seconds of an epoch in one turn of at least about `least` seconds.

    Every contender does the same epochs from the same start; one that is fast does them several times, and the median
    counts. Where the epochs of one turn take long, the next turn goes on from there.
    """
    if contender.guess >= least:
        found = contender.ask("train", epochs=epochs)
    else:
        repeats = min(int(least / contender.guess) + 1, 50)
        found = statistics.median(contender.ask("repeat", epochs=epochs, repeats=repeats))
    contender.guess = found
    return found / epochs


def in_turns(ours, theirs, *, epochs, pairs, least=0.2, **options):
    """Train the two in turns; return the pairs of seconds an epoch."""
    for contender in (ours, theirs):
        contender.guess = contender.ask("repeat", epochs=epochs, repeats=1)[0]
    return turns(ours, theirs, pairs, lambda contender: seconds(contender, epochs, least), **options)


def turns(ours, theirs, pairs, turn, *, most=3):
    """Call `turn` with the one and the other, who is first changing from pair to pair.

    A pair in which other processes had the processor is done again, up to `most` times the number of pairs in all; the
    quietest count.

    Returns
    -------
    list of (answer of ours, answer of theirs, share of the processors that others had)
    """
    found = []
    for number in range(most * pairs):
        if sum(share <= QUIET for *_, share in found) == pairs:
            break
        both = [ours, theirs] if number % 2 else [theirs, ours]
        busy, started = others_seconds(both), time.perf_counter()
        answers = {contender: turn(contender) for contender in both}
        wall = os.cpu_count() * (time.perf_counter() - started)
        found.append((answers[ours], answers[theirs], max(0.0, others_seconds(both) - busy) / wall))
    return sorted(found, key=lambda pair: pair[-1] if pair[-1] > QUIET else 0.0)[:pairs]


def others_seconds(ours):
    """Return the seconds that the processors have worked for processes other than these; 0 where Linux doesn't say."""
    if not Path("/proc/stat").exists():
        return 0.0
    user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    own = [Path(f"/proc/{contender.process.pid}/stat").read_text().rsplit(")", 1)[1].split() for contender in ours]
    ticks = user + nice + system + sum(interrupts) - sum(int(fields[11]) + int(fields[12]) for fields in own)
    return ticks / os.sysconf("SC_CLK_TCK")


def summary(pairs):
    """Return the medians of the pairs, and the spread of theirs over ours."""
    ratios = sorted(theirs / ours for ours, theirs, _ in pairs)
    return {
        "ours_seconds": statistics.median(ours for ours, _, _ in pairs),
        "seconds": statistics.median(theirs for _, theirs, _ in pairs),
        "ratio": statistics.median(ratios),
        "ratio_least": ratios[0],
        "ratio_greatest": ratios[-1],
        "pairs": len(pairs),
        "others_share": max(share for *_, share in pairs),
    }
