"""Time training until a given test loss on Fashion-MNIST: glassmax and its peers, from the same weights, over seeds.

All have the same learning rate, batch and rule, and take the same batches. They train an epoch each in turns; after
each epoch the test loss is taken, by the clock of nobody. Compiling is left out too, and what a library does with the
data before its first epoch. Where the target lies between two epochs' losses, so does its time.
"""

import os
import statistics
import tempfile
from contextlib import ExitStack

import numpy as np
from contenders import Contender, Failure, agree, others_seconds, starting_weights
from peers import PEERS
from record import table, write
from shapes import MAIN, arguments, fashion, fashion_is_there

from glassmax import Network
from glassmax.engine import best_engine

TARGETS = {"784-100-10 b200": 0.37, "784-512-512-10 b128": 0.35}
SEEDS, MOST_EPOCHS = (0, 1, 2), 30
SAME = 0.1  # on the same batches rounding alone parts the test losses of the larger network by some percent an epoch


def opened(shape, folder, threads):
    """Return the contenders that give our answer, ours first, and why the others don't."""
    start = starting_weights(shape, folder)
    ours = Contender("glassmax", shape, start, threads)
    there, refused = [ours], {}
    for name in PEERS:
        theirs = Contender(name, shape, start, threads)
        try:
            agree(ours, theirs)
            there.append(theirs)
        except Failure as failure:
            refused[name] = str(failure)
            theirs.close()
    return there, refused


def race(there, folder, seed, target):
    """Train all, an epoch each in turns, until each has reached the target; return their curves."""
    curves, start = {}, starting_weights(there[0].shape, folder, seed)
    with np.load(start) as values:
        before = Network.from_parameters(dict(values), activation="relu", dtype="float32").loss(*fashion("t10k"))
    for contender in there:
        contender.start = start
        contender.open(seed=seed, shuffle="alike")
        contender.ask("begin")  # compiles
        contender.ask("restart")
        curves[contender.name] = [[0.0, float(before)]]
    of_others = wall = 0.0
    for number in range(MOST_EPOCHS):
        for contender in there if number % 2 else there[::-1]:
            curve = curves[contender.name]
            if curve[-1][1] > target:
                busy = others_seconds(there)
                seconds = contender.ask("train", epochs=1)
                of_others, wall = of_others + others_seconds(there) - busy, wall + seconds
                curve.append([curve[-1][0] + seconds, contender.ask("test_loss")])
        first = {name: curve[1][1] for name, curve in curves.items()}
        if max(abs(loss / first["glassmax"] - 1) for loss in first.values()) > SAME:
            raise Failure(f"after one epoch of the same batches the test losses differ: {first}")
    print(f"{there[0].shape.name}, seed {seed}: others had {of_others / wall / os.cpu_count():.0%} of the processors")
    return curves


def reached(curve, target):
    """Return the seconds and the epochs to the target, on the line between two epochs; None if it was not reached."""
    if curve[-1][1] > target:
        return None
    (before, above), (after, below) = curve[-2:]
    share = (above - target) / (above - below)
    return {"seconds": before + share * (after - before), "epochs": len(curve) - 2 + share}


def measure(shape, folder, threads, quick):
    """Return the times and the curves of one network."""
    target = 1.0 if quick else TARGETS[shape.name]
    there, refused = opened(shape, folder, threads)
    with ExitStack() as stack:
        for contender in there:
            stack.enter_context(contender)
        curves = {seed: race(there, folder, seed, target) for seed in (SEEDS[:1] if quick else SEEDS)}
    times = {
        contender.name: [reached(of_seed[contender.name], target) for of_seed in curves.values()] for contender in there
    }
    medians = {name: statistics.median(one["seconds"] for one in found) for name, found in times.items() if all(found)}
    others = {name: seconds for name, seconds in medians.items() if name != "glassmax"}
    fastest = min(others, key=others.get)
    return {
        "name": shape.name,
        "target": target,
        "seconds": medians,
        "fastest_peer": fastest,
        "ratio": others[fastest] / medians["glassmax"],
        "times": times,
        "curves": curves,
        "refused": refused,
    }


def main():
    options, shapes = arguments(__doc__.splitlines()[0], [shape for shape in MAIN if shape.name in TARGETS])
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(shape, folder, options.threads, options.quick) for shape in shapes]
    for one in found:
        ours = one["seconds"]["glassmax"]
        rows = [
            [
                name,
                f"{seconds:.2f}",
                f"{statistics.median(time['epochs'] for time in one['times'][name]):.1f}",
                f"{seconds / ours:.2f}",
            ]
            for name, seconds in one["seconds"].items()
        ]
        title = f"{one['name']}: to a test loss of {one['target']}, median of {len(one['curves'])} seeds"
        table(title, ["", "seconds", "epochs", "over ours"], rows)
        for name, why in one["refused"].items():
            print(f"  {name} is not timed: {why}")
    if not (options.quick or options.only):
        data = "files" if fashion_is_there() else "made up"
        figures = {"threads": options.threads, "engine": best_engine().name, "fashion_mnist": data, "shapes": found}
        write("time_to_loss", ["scikit-learn", "torch", "jax"], figures)


if __name__ == "__main__":
    main()
