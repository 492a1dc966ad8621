"""Time an epoch on all cores against one on a single thread while another process keeps a core busy.

Two threads that wait for each other at every step can be slower than one where a neighbour takes a core away. The
neighbour spins in Python, left to the system's scheduler, tied to the first core, or not there at all. Both classifiers
are ours, each in a process of its own, trained in turns; the weights they reach must be the same.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np
from contenders import Contender, Failure, in_turns, losses_and_probabilities, starting_weights, summary
from record import table, write
from shapes import MAIN, arguments

from glassmax.engine import best_engine

PAIRS = 11
BOUND = 1.2
WANTED = [shape for shape in MAIN if shape.name in ("64-100-10 b200", "784-100-10 b200", "784-512-512-10 b128")]
WANTED = [shape._replace(rows=min(shape.rows, 20000)) for shape in WANTED]
SPIN = "import os, sys\nif sys.argv[1] != 'free': os.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"


class Neighbour:
    """A process that spins; none where `where` is "none"."""

    def __init__(self, where):
        core = str(min(os.sched_getaffinity(0))) if where == "pinned" else "free"
        self.process = None if where == "none" else subprocess.Popen([sys.executable, "-c", SPIN, core])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()


def measure(shape, folder, threads, pairs):
    """Return what many threads cost against one, by the neighbour's place."""
    start = starting_weights(shape, folder)
    with Contender("glassmax", shape, start, threads) as many, Contender("glassmax", shape, start, 1, tie=False) as one:
        rows = 12 * shape.batch + shape.batch // 2
        (losses, P), (other_losses, other_P) = (losses_and_probabilities(which, rows, 3) for which in (many, one))
        if not (np.allclose(losses, other_losses, 1e-3) and np.allclose(P, other_P, atol=1e-2)):
            raise Failure(f"{shape.name}: on one thread the answer is another")
        many.open()
        one.open()
        epochs = max(1, min(50, int(0.01 / one.ask("repeat", epochs=1, repeats=3)[-1])))
        found = {"name": shape.name, "same_bits": bool((losses == other_losses).all() and (other_P == P).all())}
        for where in ("none", "free", "pinned"):
            with Neighbour(where):
                done = summary(in_turns(one, many, epochs=epochs, pairs=pairs, most=3 if where == "none" else 1))
            found[where] = {
                "one_thread_seconds": done["ours_seconds"],
                "seconds": done["seconds"],
                "ratio": done["ratio"],
                "ratio_least": done["ratio_least"],
                "ratio_greatest": done["ratio_greatest"],
            }
        return found


def main():
    options, shapes = arguments(__doc__.splitlines()[0], WANTED)
    pairs = 3 if options.quick else PAIRS
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(shape, folder, options.threads, pairs) for shape in shapes]
    places = {"none": "no neighbour", "free": "a neighbour", "pinned": "a neighbour tied to a core"}
    rows = [
        [one["name"], *(f"{one[p]['ratio']:.2f} (up to {one[p]['ratio_greatest']:.2f})" for p in places)]
        + ["yes" if one["same_bits"] else "no"]
        for one in found
    ]
    title = f"An epoch on {options.threads} threads over one on a single thread, on {os.cpu_count()} cores"
    table(title, ["", *places.values(), "same bits"], rows)
    worst = max(one[place]["ratio"] for one in found for place in ("free", "pinned"))
    print(f"\nAt worst {worst:.2f}; wanted: at most {BOUND}.")
    if not (options.quick or options.only):
        figures = {"threads": options.threads, "engine": best_engine().name, "worst": worst, "shapes": found}
        write("busy", ["scikit-learn"], figures)
    if worst > BOUND:
        sys.exit(1)


if __name__ == "__main__":
    main()
