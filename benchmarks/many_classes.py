"""Time and memory of very many classes: a softmax layer over 2,000 to 1,000,000 classes, below it a hidden layer.

A training step (float32, Adam, labels) against PyTorch, its ``linear_cross_entropy`` and JAX, and against the matrix
products of the step alone; options of ours against the same step without; memory at the peak, in processes that do
nothing else; the most probable classes of many rows. Our gradients are first held to float64's, and each contender must
show our loss and probabilities after the same batches, or it is not timed.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from contenders import QUIET, Contender, Failure, starting_weights, summary, turns
from record import table, write
from shapes import Shape, arguments

from glassmax.engine import best_engine

BATCH = 256
SHAPES = [
    Shape((256, 256, 2000), BATCH, 24 * BATCH, "many classes"),
    Shape((128, 128, 8000), BATCH, 12 * BATCH, "many classes"),
    Shape((256, 256, 100_000), BATCH, BATCH, "many classes"),
    Shape((64, 64, 1_000_000), BATCH, BATCH, "many classes"),
]
WITH_OPTIONS = ("128-128-8000 b256", "256-256-100000 b256")
WITH_MEMORY = ("256-256-100000 b256", "64-64-1000000 b256")
PEERS = ["PyTorch, all threads", "linear_cross_entropy", "linear_cross_entropy, 256 rows", "JAX"]
FLOORS = ["products by SciPy", "products by PyTorch", "products by JAX"]
OPTIONS = ["label smoothing", "sample weights", "z-loss", "softcap", "16 MB"]
IN_MEMORY = ["glassmax engine", "16 MB", "PyTorch, all threads", "linear_cross_entropy, 256 rows", "JAX"]
PREDICTED = {"rows": 200_000, "count": 5}
SOME_ROWS = 4096
PREDICTING = [Shape((32, 100_000), BATCH, BATCH, "many classes"), Shape((256, 100_000), BATCH, BATCH, "many classes")]
PAIRS, PATIENCE = 5, 2.0  # fewer pairs where they would take longer than so many seconds
BOUNDS = {"loss": 1e-4, "probability": 1e-2}
GRADIENT_BOUND = 1e-5  # of the largest entry of a row; the errors themselves are recorded, PyTorch's beside ours
KEPT = 20  # rows whose probabilities are compared


def opened(name, ours):
    """Return a contender after an epoch that must have given our loss and our probabilities."""
    theirs = Contender(name, ours.shape, ours.start, ours.threads)
    try:
        theirs.open(shuffle=False)
        started = time.perf_counter()
        theirs.ask("begin")
        theirs.first = time.perf_counter() - started
        if name in PEERS:
            theirs.agreed = agreed(ours.answer, answer(theirs))
    except Failure:
        theirs.close()
        raise
    return theirs


def answer(contender):
    """Return the loss of the epoch and the probabilities of some rows after it."""
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        losses = contender.ask("answer", rows=KEPT, path=file.name)
        return losses[-1], np.load(file.name)


def agreed(ours, theirs):
    """Return the relative difference of the losses and, over the largest of a row, of the probabilities."""
    difference = np.abs(theirs[1] - ours[1]).max(axis=1) / ours[1].max(axis=1)
    found = {"loss": abs(theirs[0] / ours[0] - 1), "probability": float(difference.max())}
    if any(found[what] > bound for what, bound in BOUNDS.items()):
        raise Failure(f"gives another answer: {found}")
    return found


def timed(ours, theirs, *, quick):
    """Train the two in turns; return what the clock and the processors say."""
    slow = theirs.first > PATIENCE  # the epoch that was compared was warm-up enough
    first = [ours.ask("go_on", epochs=1)[0], theirs.first if slow else theirs.ask("go_on", epochs=1)[0]]
    epochs = max(1, int(0.05 / min(first)))
    pairs = 1 if quick else max(1, min(PAIRS, int(PATIENCE / (epochs * sum(first)))))
    found = turns(ours, theirs, pairs, lambda one: one.ask("go_on", epochs=epochs), most=1 if quick or slow else 2)
    steps = epochs * ours.shape.steps
    clocks = zip(("wall", "cpu"), (0, 1), strict=True)
    return {
        clock: summary([(a[number] / steps, b[number] / steps, share) for a, b, share in found])
        for clock, number in clocks
    }


def against(ours, name, *, quick):
    """Time a contender against ours; return what was found, or why it is not timed."""
    try:
        with opened(name, ours) as theirs:
            found = timed(ours, theirs, quick=quick)
            print(f"  {ours.shape.name}: {name} {found['wall']['ratio']:.3g} times ours", flush=True)
            return found | {"agreed": getattr(theirs, "agreed", {})}
    except Failure as failure:
        print(f"  {ours.shape.name}: {name} is not timed: {failure}", flush=True)
        return {"refused": str(failure)}


def exact(ours):
    """Return the largest errors of gradients in float32, ours and PyTorch's; stop where one of ours is too large."""
    found = {}
    with Contender("PyTorch", ours.shape, ours.start, ours.threads) as theirs:
        theirs.open(shuffle=False)
        for one in (ours, theirs):
            errors = one.ask("accuracy", rows=BATCH)
            found[one.name] = {
                what: max(error for name, error in errors.items() if name[0] == letter)
                for what, letter in (("weights", "W"), ("biases", "b"))
            }
    if max(found[ours.name].values()) > GRADIENT_BOUND:
        raise SystemExit(f"{ours.shape.name}: an error of our gradients in float32 is too large: {found}")
    return found


def step(shape, start, threads, *, quick):
    """Return everything about a training step of one shape."""
    with Contender("glassmax engine", shape, start, threads) as ours:
        ours.open(shuffle=False)
        errors = exact(ours)
        ours.ask("begin")
        ours.answer = answer(ours)
        names = [*FLOORS, *PEERS, *(OPTIONS if shape.name in WITH_OPTIONS else ())]
        found = {name: against(ours, name, quick=quick) for name in names}
    timed = {name: one for name, one in found.items() if "refused" not in one}
    floor, fastest = (min(set(timed).intersection(names), key=lambda name: timed[name]["wall"]["ratio"])
                      for names in (FLOORS, PEERS))  # fmt: skip
    seconds = timed[floor]["wall"]["ours_seconds"]
    return {
        "name": shape.name,
        "shape": shape._asdict(),
        "errors_of_gradients": errors,
        "seconds_of_a_step": seconds,
        "gflops": shape.flops / shape.steps / seconds / 1e9,
        "floor": floor,
        "over_floor": {clock: 1 / timed[floor][clock]["ratio"] for clock in ("wall", "cpu")},
        "fastest_peer": fastest,
        "others_share": max(one["wall"]["others_share"] for one in timed.values()),
        "contenders": timed,
        "refused": {name: one["refused"] for name, one in found.items() if "refused" in one},
    }


def memory(shape, start, threads):
    """Return the bytes at the peak of training beyond rows, weights and moments, each in a process of its own."""
    found = {}
    for name in IN_MEMORY:
        with Contender(name, shape, start, threads) as contender:
            contender.open(shuffle=False)
            found[name] = contender.ask("peak_of_training")
        print(f"  {shape.name}: {name} takes {found[name] / 1e6:,.0f} MB", flush=True)
    return found


def predictions(shape, start, threads, *, quick):
    """Return rows a second and the memory of finding the most probable classes: ours for all rows, others for some."""
    rows, found, ours = dict.fromkeys(("glassmax engine", "PyTorch, all threads", "JAX"), SOME_ROWS), {}, None
    if not quick and shape is PREDICTING[0]:
        rows["glassmax engine"] = PREDICTED["rows"]
    for name, count in rows.items():
        with Contender(name, shape, start, threads) as contender:
            contender.open(shuffle=False)
            wall, cpu, peak, P = contender.ask("top", rows=count, count=PREDICTED["count"])
            ours = ours or P
            if not np.allclose(P, ours, rtol=1e-4):
                raise SystemExit(f"{name} finds other probabilities than ours")
            found[name] = {"rows": count, "rows_a_second": count / wall, "rows_a_cpu_second": count / cpu, "peak": peak}
        print(f"  {shape.name}: {name} predicts {count / wall:,.0f} rows a second, {peak / 1e6:,.0f} MB", flush=True)
    return {"name": shape.name, **PREDICTED, "contenders": found}


def show(found, threads):
    header = ["", "ms a step", "GFLOP/s", "over the products", "of the CPU", *PEERS, *OPTIONS]
    rows = []
    for one in found["steps"]:
        ratios = {name: f"{c['wall']['ratio']:.2f} ({c['cpu']['ratio']:.2f})" for name, c in one["contenders"].items()}
        over = [f"{one['over_floor'][clock]:.2f}" for clock in ("wall", "cpu")]
        cells = [one["name"], f"{1e3 * one['seconds_of_a_step']:.1f}", f"{one['gflops']:.0f}", *over]
        rows.append([*cells, *(ratios.get(name, "-") for name in PEERS + OPTIONS)])
    table(f"A step on {threads} threads; the others over ours by the clock (by the CPU)", header, rows)
    names = [(who, what) for who in ("glassmax engine", "PyTorch") for what in ("weights", "biases")]
    errors = [[one["name"], *(f"{one['errors_of_gradients'][a][b]:.1e}" for a, b in names)] for one in found["steps"]]
    table("Largest error of a gradient in float32", ["", *(f"{who}, {what}" for who, what in names)], errors)
    megabytes = [[name, *(f"{one[peer] / 1e6:,.0f}" for peer in IN_MEMORY)] for name, one in found["memory"].items()]
    table("MB beyond rows, weights and moments", ["", *IN_MEMORY], megabytes)
    busy = [one["name"] for one in found["steps"] if one["others_share"] > QUIET]
    if busy:
        print(f"\nOthers had more than {QUIET:.0%} of the processors, so trust no ratio of: {', '.join(busy)}")


def main():
    options, shapes = arguments(__doc__.splitlines()[0], SHAPES)
    threads, quick = options.threads, options.quick
    if quick and not options.only:
        shapes = shapes[:2]
    found = {"steps": [], "memory": {}, "predictions": []}
    with tempfile.TemporaryDirectory() as folder:
        for shape in shapes:
            start = starting_weights(shape, folder)
            found["steps"].append(step(shape, start, threads, quick=quick))
            if shape.name in WITH_MEMORY:
                found["memory"][shape.name] = memory(shape, start, threads)
            Path(start).unlink()
        for shape in () if options.only else PREDICTING:
            found["predictions"].append(predictions(shape, starting_weights(shape, folder), threads, quick=quick))
    show(found, threads)
    if not (quick or options.only):
        name = "many_classes" if threads > 1 else "many_classes_one_thread"
        figures = {"threads": threads, "engine": best_engine().name, **found}
        write(name, ["scipy", "torch", "jax"], figures)


if __name__ == "__main__":
    main()
