"""Time predictions: one row, and a million, against scikit-learn, PyTorch, JAX, and the matrix products alone.

All begin with the same weights (one epoch of the same batches), and must give the same probabilities. One row is what a
service asks for: the time is that of the call from Python. For many rows the floor is the forward products alone, by
blocks of rows of the size that suits each library best; memory is what a call takes at its peak beyond its input and
its output.
"""

import os
import tempfile

import numpy as np
from contenders import Contender, Failure, losses_and_probabilities, starting_weights, summary, turns
from peers import FLOORS
from record import table, write
from shapes import MAIN, arguments

from glassmax.engine import best_engine

WANTED = {"64-100-10 b200": 1_000_000, "784-512-512-10 b128": 100_000}
PAIRS = 11
ONE_ROW = ["glassmax model file", "glassmax engine", "scikit-learn", "PyTorch", "JAX"]
MANY = ["scikit-learn", "PyTorch", "PyTorch in blocks", "JAX"]
WITH_MEMORY = ["scikit-learn", "PyTorch"]


def opened(name, ours):
    """Return a contender whose probabilities have been compared with ours."""
    theirs = Contender(name, ours.shape, ours.start, ours.threads)
    try:
        P = losses_and_probabilities(theirs, ours.shape.rows, 2)[1]
        difference = float(np.abs(P - ours.probabilities).max())
        if difference > 1e-3:
            raise Failure(f"{name}: a probability differs by {difference}")
    except Failure:
        theirs.close()
        raise
    return theirs


def timed(ours, theirs, pairs, turn):
    return summary(turns(ours, theirs, pairs, turn, most=1 if pairs < PAIRS else 3))


def one_row(ours, pairs):
    """Time a call with one row; ours and each of the others in turns."""
    found = {}
    for name in ONE_ROW:
        with opened(name, ours) as theirs:
            found[name] = timed(ours, theirs, pairs, lambda which: which.ask("predict", rows=1, calls=2000))
            if name == "glassmax engine":
                found["inside the engine"] = theirs.ask("row_seconds")
    return found


def many_rows(ours, rows, pairs):
    """Time a call with many rows; ours and each of the others in turns; then the floor, then memory."""
    found, memory = {}, {"glassmax": ours.ask("peak", rows=rows)}
    for name in MANY:
        with opened(name, ours) as theirs:
            found[name] = timed(ours, theirs, pairs, lambda which: which.ask("predict", rows=rows, calls=1))
            if name in WITH_MEMORY:
                memory[name] = theirs.ask("peak", rows=rows)
    for name in FLOORS[:-1]:  # JAX's is a compiled epoch
        with Contender(name, ours.shape, ours.start, ours.threads) as theirs:
            theirs.open()

            def turn(which, theirs=theirs):
                how = ("multiply", {}) if which is theirs else ("predict", {"calls": 1})
                return which.ask(how[0], rows=rows, **how[1])

            found[name] = timed(ours, theirs, pairs, turn)
    return found, memory


def measure(shape, folder, options):
    """Return everything about one network."""
    rows = WANTED[shape.name] // (50 if options.quick else 1)
    pairs = 2 if options.quick else PAIRS
    shape = shape._replace(rows=min(shape.rows, 2000))
    with Contender("glassmax", shape, starting_weights(shape, folder), options.threads) as ours:
        ours.probabilities = losses_and_probabilities(ours, shape.rows, 2)[1]
        alone = one_row(ours, pairs)
        many, memory = many_rows(ours, rows, pairs)
    floor = min(FLOORS[:-1], key=lambda name: many[name]["ratio"])
    fastest = min(MANY, key=lambda name: many[name]["ratio"])
    return {
        "name": shape.name,
        "one_row": alone,
        "rows": rows,
        "many_rows": many,
        "fastest_peer": fastest,
        "ratio": many[fastest]["ratio"],
        "floor": floor,
        "share_of_floor": many[floor]["ratio"],
        "peak_bytes_beyond_output": memory,
    }


def show(found):
    for one in found:
        alone, many = one["one_row"], one["many_rows"]
        rows = [["glassmax", f"{1e6 * alone['scikit-learn']['ours_seconds']:.2f}", "1"]]
        rows += [
            [name, f"{1e6 * one['seconds']:.2f}", f"{one['ratio']:.3g}"]
            for name, one in alone.items()
            if name in ONE_ROW
        ]
        rows += [["inside the engine", f"{1e6 * alone['inside the engine']:.2f}", "-"]]
        table(f"{one['name']}: one row", ["", "us", "over ours"], rows)
        memory = one["peak_bytes_beyond_output"]
        rows = [["glassmax", f"{1e3 * many[one['fastest_peer']]['ours_seconds']:.1f}", "1", shown(memory, "glassmax")]]
        rows += [
            [name, f"{1e3 * one['seconds']:.1f}", f"{one['ratio']:.2f}", shown(memory, name)]
            for name, one in many.items()
        ]
        table(f"{one['name']}: {one['rows']:,} rows", ["", "ms", "over ours", "MB beyond the output"], rows)


def shown(memory, name):
    return f"{memory[name] / 1e6:.1f}" if name in memory else "-"


def main():
    options, shapes = arguments(__doc__.splitlines()[0], [shape for shape in MAIN if shape.name in WANTED])
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(shape, folder, options) for shape in shapes]
    show(found)
    if not (options.quick or options.only):
        figures = {"threads": options.threads, "cores": os.cpu_count(), "engine": best_engine().name, "shapes": found}
        write("prediction", ["scikit-learn", "scipy", "torch", "jax"], figures)


if __name__ == "__main__":
    main()
