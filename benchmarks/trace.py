"""Time a trace against an ordinary pass, the loss and gradients of the same network on the same rows.

The gradients of the trace are first compared with those of the network, bit for bit. Then both run in turn, and the
ratio of each pair is taken. Beside it: the time to write the ledger as text and as plain data, the size of the plain
data, and the largest amount of memory that a trace takes beside what a pass takes.
"""

import json
import tracemalloc
from statistics import median
from time import perf_counter

import numpy as np
from record import table, write

from glassmax import Network, trace

PAIRS = 9
CASES = {
    "784-512-512-10, 1,000 rows": ([784, 512, 512, 10], 1000),
    "64-100-10, 200 rows": ([64, 100, 10], 200),
    "4-10-3, 5 rows": ([4, 10, 3], 5),
}


def rows(sizes, n):
    """Return random rows and classes."""
    draw = np.random.default_rng(0)
    return draw.standard_normal((n, sizes[0])), draw.integers(sizes[-1], size=n)


def timed(function):
    """Return the seconds that a call takes, and its result."""
    start = perf_counter()
    result = function()
    return perf_counter() - start, result


def peak(function):
    """Return the largest amount of memory during a call, in bytes."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def measured(sizes, n):
    """Check a trace, then time it and an ordinary pass in turn."""
    network = Network(sizes)
    X, y = rows(sizes, n)
    _, gradients = network.loss_and_gradients(X, y)
    box = trace(network, X, y)
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(box[f"d{name}"].value, gradient)
    passes, traces = [], []
    for _ in range(PAIRS):
        passes.append(timed(lambda: network.loss_and_gradients(X, y))[0])
        traces.append(timed(lambda: trace(network, X, y))[0])
    ratios = sorted(ours / theirs for ours, theirs in zip(traces, passes, strict=True))
    text, _ = timed(box.text)
    plain, data = timed(box.to_json)
    return {
        "seconds_of_a_pass": median(passes),
        "seconds_of_a_trace": median(traces),
        "ratio": median(ratios),
        "ratio_lowest": ratios[0],
        "ratio_highest": ratios[-1],
        "seconds_as_text": text,
        "seconds_as_plain_data": plain,
        "bytes_as_plain_data": len(data),
        "memory_ratio": peak(lambda: trace(network, X, y)) / peak(lambda: network.loss_and_gradients(X, y)),
        "steps": len(json.loads(data)["steps"]),
    }


def main():
    """Measure every case, print the table and write the figures."""
    figures = {name: measured(*case) for name, case in CASES.items()}
    lines = [
        [
            name,
            f"{1000 * one['seconds_of_a_pass']:.1f} ms",
            f"{1000 * one['seconds_of_a_trace']:.1f} ms",
            f"{one['ratio']:.2f}",
            f"{one['seconds_as_text']:.2f} s",
            f"{one['seconds_as_plain_data']:.2f} s",
            f"{one['bytes_as_plain_data'] / 1e3:.0f} kB",
            f"{one['memory_ratio']:.1f}",
        ]
        for name, one in figures.items()
    ]
    header = ["network", "pass", "trace", "ratio", "text", "plain data", "size", "memory"]
    table("A trace and an ordinary pass", header, lines)
    write("trace", [], figures)


if __name__ == "__main__":
    main()
