"""Time SoftmaxClassifier against scikit-learn's MLPClassifier on the same training run: the digits, 64-100-10, Adam.

Both draw the same starting weights and the same batches, so they do the same arithmetic; the loss curves are compared
before anything is timed. Then the two train in turns, in one process, and the ratio is the median over the pairs. One
process for each dtype and number of BLAS threads (all cores, and one).
"""

import json
import os
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np
from record import table, write
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from glassmax import SoftmaxClassifier

PAIRS, EPOCHS = 15, 30
OPTIONS = {"max_iter": EPOCHS, "batch_size": 200, "random_state": 0, "tol": 0.0, "n_iter_no_change": 1000}
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def timed(kind, X, y):
    """Train once, and return the seconds and the classifier."""
    classifier = kind((100,), **OPTIONS)
    started = time.perf_counter()
    classifier.fit(X, y)
    return time.perf_counter() - started, classifier


def run(dtype):
    """Compare the loss curves, then time the two in turns, and print the figures as JSON."""
    warnings.simplefilter("ignore")  # both say that they have not converged
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(dtype)
    ours, theirs = timed(SoftmaxClassifier, X, y)[1], timed(MLPClassifier, X, y)[1]
    difference = float(np.abs(np.array(ours.loss_curve_) - theirs.loss_curve_).max())
    bound = 1e-8 if dtype == "float64" else 1e-4
    assert difference <= bound, f"the loss curves differ by {difference}"
    assert ours.n_iter_ == theirs.n_iter_ == EPOCHS
    pairs = []
    for number in range(PAIRS):
        kinds = [SoftmaxClassifier, MLPClassifier]
        seconds = {kind: timed(kind, X, y)[0] for kind in (kinds if number % 2 else kinds[::-1])}
        pairs.append([seconds[kind] for kind in kinds])
    figures = {
        "glassmax_seconds": statistics.median(pair[0] for pair in pairs),
        "sklearn_seconds": statistics.median(pair[1] for pair in pairs),
        "ratio": statistics.median(pair[0] / pair[1] for pair in pairs),
        "ratio_least": min(pair[0] / pair[1] for pair in pairs),
        "ratio_greatest": max(pair[0] / pair[1] for pair in pairs),
        "loss_curves_differ_by": difference,
    }
    print(json.dumps(figures))


def main():
    results = {}
    for dtype in ("float64", "float32"):
        for threads, environment in (("all cores", {}), ("one thread", ONE_THREAD)):
            command = [sys.executable, __file__, dtype]
            done = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True)
            results[f"{dtype}, {threads}"] = json.loads(done.stdout)
    rows = [
        [
            name,
            f"{1000 * found['glassmax_seconds'] / EPOCHS:.1f}",
            f"{1000 * found['sklearn_seconds'] / EPOCHS:.1f}",
            f"{found['ratio']:.2f}",
            f"{found['ratio_least']:.2f} to {found['ratio_greatest']:.2f}",
            f"{found['loss_curves_differ_by']:.0e}",
        ]
        for name, found in results.items()
    ]
    header = [
        "",
        "glassmax, ms an epoch",
        "scikit-learn, ms an epoch",
        "ratio",
        "over the pairs",
        "loss curves differ by",
    ]
    table(f"Digits, 64-100-10, batches of 200, Adam, {EPOCHS} epochs: medians of {PAIRS} pairs", header, rows)
    write("digits", ["scikit-learn", "scipy"], {"epochs": EPOCHS, "pairs": PAIRS, "runs": results})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(sys.argv[1])
    else:
        main()
