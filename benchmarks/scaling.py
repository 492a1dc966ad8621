"""Time an epoch over the number of rows, and over the width of the hidden layers: glassmax, and JAX beside it.

The cost should grow in proportion to the rows, and to the parameters once the arithmetic outweighs the calls: a slope
of 1 in the plots of logarithms (``plots/scaling_rows.svg``, ``plots/scaling_parameters.svg``).
"""

import tempfile

import numpy as np
from contenders import Contender, agree, in_turns, starting_weights, summary
from record import table, write
from shapes import Shape, arguments

from glassmax.engine import best_engine

PEER, PAIRS = "JAX", 5
ROWS = [Shape((64, 100, 10), 200, rows) for rows in (1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000)]
WIDTHS = [Shape((64, width, width, 10), 128, 5000) for width in (8, 16, 32, 64, 128, 256, 512, 1024, 2048)]


def point(shape, folder, threads, pairs):
    """Return the seconds of an epoch, ours and the peer's."""
    start = starting_weights(shape, folder)
    with Contender("glassmax", shape, start, threads) as ours, Contender(PEER, shape, start, threads) as theirs:
        agree(ours, theirs, epochs=1)  # in more the widest nets, which learn the rows by heart, drift apart
        ours.open()
        theirs.open()
        epochs = max(1, min(20, int(0.01 / ours.ask("repeat", epochs=1, repeats=1)[0])))
        found = summary(in_turns(ours, theirs, epochs=epochs, pairs=pairs, least=0.1, most=1 if pairs < PAIRS else 3))
    return {"rows": shape.rows, "parameters": shape.parameters, "name": shape.name, "flops": shape.flops} | found


def slope(points, by):
    """Return the slope of the logarithms, over all points and over the greater half of them."""
    x, y = np.log([one[by] for one in points]), np.log([one["ours_seconds"] for one in points])
    half = len(points) // 2
    fits = {"all": (x, y), "greater_half": (x[half:], y[half:])}
    return {which: float(np.polyfit(*values, 1)[0]) for which, values in fits.items() if len(values[0]) > 1}


def main():
    options, _ = arguments(__doc__.splitlines()[0], ROWS)
    pairs = 2 if options.quick else PAIRS
    curves = {"rows": ROWS[:4:2] if options.quick else ROWS, "parameters": WIDTHS[:6:2] if options.quick else WIDTHS}
    figures = {"threads": options.threads, "engine": best_engine().name, "peer": PEER}
    for by, shapes in curves.items():
        with tempfile.TemporaryDirectory() as folder:
            points = [point(shape, folder, options.threads, pairs) for shape in shapes]
        figures[by] = {"points": points, "slope": slope(points, by)}
        rows = [
            [
                f"{one[by]:,}",
                one["name"],
                f"{1e3 * one['ours_seconds']:.3g}",
                f"{1e9 * one['ours_seconds'] / one[by]:.3g}",
                f"{one['flops'] / one['ours_seconds'] / 1e9:.1f}",
                f"{one['ratio']:.2f}",
            ]
            for one in points
        ]
        table(
            f"An epoch over {by}; slope {figures[by]['slope']}",
            [by, "network", "ms", f"ns for each of the {by}", "GFLOP/s", f"{PEER}'s time over ours"],
            rows,
        )
    if not options.quick:
        write("scaling", ["jax"], figures)


if __name__ == "__main__":
    main()
