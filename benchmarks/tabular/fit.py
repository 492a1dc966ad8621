"""One contender on one split of one data set, in a process of its own: ``fit.py CONTENDER SET SPLIT``.

The last line that it prints is a JSON object with the figures.
"""

import json
import os
import sys
import time
import warnings

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS")
os.environ |= dict.fromkeys(THREADS, "1")  # before a library reads them

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from contenders import CONTENDERS  # noqa: E402
from sets import load  # noqa: E402

SMALLEST = float(np.finfo(np.float32).eps)
"""Probabilities are clipped here, where scikit-learn clips those of float32: the same floor for every contender."""


def log_loss(P, y):
    P = np.clip(P.astype(float), SMALLEST, 1)
    return float(-np.log(P[np.arange(len(y)), y] / P.sum(axis=1)).mean())


def warm_up(contender):
    """Fit a tiny table, so that lazy imports are not part of the time."""
    random = np.random.default_rng(0)
    y = np.arange(120) % 3
    X = pd.DataFrame(random.normal(size=(120, 3)) + y[:, None], columns=["a", "b", "c"])
    contender.make(0).fit(X, y).predict_proba(X)


def measured(contender, train, test, seed):
    classifier = contender.make(seed)
    cpu, wall = time.process_time(), time.perf_counter()
    classifier.fit(train.X, train.y)
    fitted_cpu, fitted_wall = time.process_time(), time.perf_counter()
    P = np.asarray(classifier.predict_proba(test.X))
    predicted = time.process_time()
    assert P.shape == (len(test.y), test.y.max() + 1), P.shape
    return {
        "error": float((P.argmax(axis=1) != test.y).mean()),
        "log_loss": log_loss(P, test.y),
        "fit_seconds": fitted_cpu - cpu,
        "fit_wall_seconds": fitted_wall - wall,
        "predict_seconds": predicted - fitted_cpu,
        "classes_never_predicted": len(np.setdiff1d(test.y, P.argmax(axis=1))),
    }


def main():
    warnings.filterwarnings("ignore")
    name, data, split = sys.argv[1], sys.argv[2], int(sys.argv[3])
    contender = CONTENDERS[name]
    train, test = load(data).split(split)
    warm_up(contender)
    print(json.dumps(measured(contender, train, test, split)))


if __name__ == "__main__":
    main()
