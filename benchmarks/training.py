"""Time an epoch of training: glassmax against scikit-learn, PyTorch and JAX, and against its matrix products alone.

Every contender starts from the same weights; on the same batches each must show our losses and probabilities, or it is
not timed, and the results say why. Then ours and each of the others train in turns. The time is that of an epoch inside
a fit: reading and checking the data, and compiling, come before the clock. For the shuffled epochs of the timing each
library draws its own order; the last, smaller batch counts everywhere.

The floor is the epoch's matrix products and nothing else, by whichever library multiplies fastest. Where the network is
tiny that too is the price of calls more than of arithmetic, and our share of it can pass 1.
"""

import statistics
import tempfile

from contenders import QUIET, Contender, Failure, agree, in_turns, starting_weights, summary
from peers import FLOORS, PEERS
from record import table, write
from shapes import MAIN, OTHERS, arguments, fashion_is_there

from glassmax.engine import best_engine

PAIRS, SLOW_PAIRS, SLOW = 5, 3, 1.0  # fewer pairs where a peer takes so many seconds for an epoch


def epochs_of_a_turn(ours):
    """Return how many epochs take us 10 ms, at most 50: no net should learn its rows by heart."""
    of_one = ours.ask("repeat", epochs=5, repeats=1)[0] / 5 if ours.shape.flops < 1e10 else 1.0
    return max(1, min(50, int(0.01 / of_one)))


def against(ours, name, epochs, *, quick):
    """Hold a contender to our answer, then time it against ours; return its summary, or why it is not timed."""
    with Contender(name, ours.shape, ours.start, ours.threads) as theirs:
        try:
            agreed = agree(ours, theirs)
            for contender in (ours, theirs):
                contender.open()
            slow = theirs.ask("repeat", epochs=1, repeats=1)[0] > SLOW
            pairs = 2 if quick else SLOW_PAIRS if slow or name in FLOORS else PAIRS
            found = summary(in_turns(ours, theirs, epochs=epochs, pairs=pairs, most=1 if quick else 3))
        except Failure as failure:
            print(f"  {ours.shape.name}: {name} is not timed: {failure}", flush=True)
            return {"refused": str(failure)}
        print(f"  {ours.shape.name}: {name} takes {found['ratio']:.3g} times as long as ours", flush=True)
        return found | {"agreed": agreed, "note": theirs.note}


def measure(shape, folder, threads, *, quick):
    """Return everything about one shape."""
    start = starting_weights(shape, folder)
    with Contender("glassmax", shape, start, threads) as ours:
        ours.open()
        epochs = epochs_of_a_turn(ours)
        found = {name: against(ours, name, epochs, quick=quick) for name in ("glassmax engine", *PEERS, *FLOORS)}
    if "refused" in found["glassmax engine"]:
        raise SystemExit(f"The engine and the estimator differ: {found['glassmax engine']['refused']}")
    timed = {name: one for name, one in found.items() if "refused" not in one}
    fastest = min((name for name in PEERS if name in timed), key=lambda name: timed[name]["ratio"])
    floor = min((name for name in FLOORS if name in timed), key=lambda name: timed[name]["ratio"])
    seconds = statistics.median(one["ours_seconds"] for one in timed.values())
    return {
        "shape": shape._asdict() | {"name": shape.name, "steps": shape.steps, "parameters": shape.parameters},
        "epochs_of_a_turn": epochs,
        "others_share": max(one["others_share"] for one in timed.values()),
        "seconds": seconds,
        "engine_seconds": timed["glassmax engine"]["ratio"] * seconds,
        "gflops": shape.flops / seconds / 1e9,
        "fastest_peer": fastest,
        "ratio": timed[fastest]["ratio"],
        "floor": floor,
        "share_of_floor": timed[floor]["ratio"],
        "contenders": timed,
        "refused": {name: one["refused"] for name, one in found.items() if "refused" in one},
    }


def micro(seconds):
    return f"{1e6 * seconds:.3g}" if seconds < 1e-3 else f"{1e6 * seconds:,.0f}"


def spread(one):
    fastest = one["contenders"][one["fastest_peer"]]
    return f"{one['ratio']:.2f} ({fastest['ratio_least']:.2f} to {fastest['ratio_greatest']:.2f})"


def show(found, threads):
    rows = [
        [
            one["shape"]["name"],
            micro(one["seconds"]),
            micro(one["engine_seconds"]),
            f"{one['seconds'] / one['shape']['steps'] * 1e6:.3g}",
            f"{one['gflops']:.1f}",
            spread(one),
            one["fastest_peer"],
            f"{one['share_of_floor']:.2f} ({one['floor'].split()[-1]})",
            *(f"{one['contenders'][name]['ratio']:.3g}" if name in one["contenders"] else "-" for name in PEERS),
        ]
        for one in found
    ]
    header = [
        "",
        "us/epoch",
        "engine alone",
        "us/step",
        "GFLOP/s",
        "fastest peer's time over ours",
        "it is",
        "share of the floor",
        *PEERS,
    ]
    busy = [one["shape"]["name"] for one in found if one["others_share"] > QUIET]
    if busy:
        print(f"\nOthers had more than {QUIET:.0%} of the processors, so trust no ratio of: {', '.join(busy)}")
    table(f"An epoch on {threads} threads, ours against each peer, in turns", header, rows)


def main():
    options, shapes = arguments(__doc__.splitlines()[0], MAIN + OTHERS)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for shape in shapes:
            found.append(measure(shape, folder, options.threads, quick=options.quick))
            if not (options.quick or options.only):  # after each: the whole takes long
                name = "training" if options.threads > 1 else "training_one_thread"
                data = "files" if fashion_is_there() else "made up"
                figures = {
                    "threads": options.threads,
                    "engine": best_engine().name,
                    "fashion_mnist": data,
                    "shapes": found,
                }
                write(name, ["scikit-learn", "scipy", "torch", "jax"], figures)
    show(found, options.threads)


if __name__ == "__main__":
    main()
