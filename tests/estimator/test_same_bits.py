"""The same bits for any number of threads, in processes whose BLAS has one thread and two.

OpenBLAS divides a sum among threads from some 10,000 numbers on, so the vectors here are longer. `plain_products` and
`plain_scipy` show that it does: they differ.
"""

import json
import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
    import hashlib, json, warnings
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    import pandas as pd
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_info

    import glassmax as gm
    from glassmax.calibration import Calibration, fit_scale
    from glassmax.estimator.ensemble.selection import fit_weights, judge
    from glassmax.estimator.linear import fit_linear
    from glassmax.optimizers import lbfgs
    from glassmax.training import RunningMetrics

    warnings.simplefilter("ignore")

    def bits(*arrays):
        return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()

    def data(n, d, k):
        draw = np.random.default_rng(0)
        return draw.normal(size=(n, d)), np.arange(n) % k

    def of_network(n, d, hidden, k, dtype="float64", **more):
        X, y = data(n, d, k)
        options = {"solver": "lbfgs", "max_iter": 6, "random_state": 0} | more
        fitted = gm.SoftmaxClassifier(hidden, **options).fit(X.astype(dtype), y)
        return bits(fitted.network_.theta, fitted.predict_proba(X), np.array(fitted.loss_curve_))

    def smooth(x):
        a = np.linspace(-3, 3, x.size)
        return float(((x - a) ** 2 * (1 + a * a)).sum() + np.cos(x).sum()), 2 * (x - a) * (1 + a * a) - np.sin(x)

    def weighted(class_weight):
        X, y = data(30_000, 2, 3)
        draw = np.random.default_rng(1)
        Y = draw.dirichlet([1, 1, 1], len(y))
        fitted = gm.SoftmaxClassifier((), max_iter=1, random_state=0, class_weight=class_weight)
        fitted.fit(X, Y, sample_weight=draw.uniform(size=len(y)), classes=["a", "b", "c"])
        return bits(fitted.network_.theta)

    def logits(n, k):
        draw = np.random.default_rng(2)
        y = np.arange(n) % k
        return 2 * np.eye(k)[y] + 2 * draw.normal(size=(n, k)), y, draw.uniform(size=n)

    def calibration(n, k):
        fitted = Calibration.fit(*logits(n, k))
        return bits(np.array(fitted.temperature), fitted.bias if fitted.bias is not None else np.zeros(0))

    def metrics():
        Z, y, w = logits(30_000, 3)
        tally = RunningMetrics(3)
        tally.add(Z, y, w)
        found = tally.metrics()
        return bits(np.array([found.log_loss, found.accuracy]))

    def table():
        draw = np.random.default_rng(3)
        n = 12_000
        columns = {"a": draw.normal(size=n), "b": 1e3 * draw.normal(size=n), "c": draw.integers(0, 30, n).astype(str)}
        columns["d"] = np.datetime64("2024-01-01", "D") + draw.integers(0, 900, n)
        columns["y"] = np.where(columns["a"] + draw.normal(size=n) > 0, "u", "v")
        frame = pd.DataFrame(columns)
        fitted = gm.TableClassifier(preset="fast", random_state=0).fit(
            frame.drop(columns="y")[:1500], frame["y"][:1500])
        return bits(fitted.predict_proba(frame.drop(columns="y")))

    def searched():
        *_, last = lbfgs(smooth, np.zeros(50_000), max_iter=9, max_fun=99, tol=1e-12)
        return bits(last.theta)

    def linear():
        X, y = data(120, 4000, 3)
        fitted, _ = fit_linear(X, y, random_state=0)
        return bits(fitted.network_.theta, np.array(fitted.alpha))

    Z, y, w = logits(30_000, 3)
    found = {
        "plain_products": bits(np.array(w @ np.sin(Z[:, 0]))),
        "plain_scipy": bits(minimize(smooth, np.zeros(50_000), jac=True, method="L-BFGS-B", options={"maxiter": 9}).x),
        "search": searched(),
        "search_in_a_thread": ThreadPoolExecutor(1).submit(searched).result(),
        "hidden": of_network(500, 200, (60,), 10),
        "wide": of_network(300, 5000, (), 4),
        "float32": of_network(500, 200, (60,), 10, dtype="float32"),
        "early_stopping": of_network(15_000, 20, (600,), 3, early_stopping=True, max_iter=2),
        "adam": of_network(15_000, 20, (30,), 3, solver="adam", early_stopping=True, max_iter=2),
        "balanced": weighted("balanced"),
        "class_weight": weighted({"a": 1.0, "b": 0.3, "c": 2.7}),
        "temperature": calibration(40_000, 3),
        "biases_of_many_classes": calibration(10, 11_000),
        "fit_scale": bits(np.array(fit_scale(Z, y, w))),
        "fit_weights": bits(fit_weights([Z, np.sin(Z)], y, w)),
        "judge": repr(judge(Z, y, w)),
        "metrics": metrics(),
        "linear": linear(),
        "table": table(),
    }
    threads = max((pool["num_threads"] for pool in threadpool_info() if pool["internal_api"] == "openblas"), default=0)
    print(json.dumps(found | {"threads": threads}))
"""


def bits_with(threads):
    environment = os.environ | {"OPENBLAS_NUM_THREADS": str(threads)}
    program = textwrap.dedent(PROGRAM)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def found():
    return bits_with(1), bits_with(2)


CONTROLS = ("plain_products", "plain_scipy")


def test_blas_of_two_threads_has_other_bits_where_it_is_used_directly(found):
    one, two = found
    if two["threads"] < 2:
        pytest.skip("OpenBLAS is not there, or has one processor")
    assert [name for name in CONTROLS if one[name] == two[name]] == []


def test_nothing_of_the_estimator_depends_on_the_number_of_threads(found):
    one, two = found
    assert [name for name in one if name not in (*CONTROLS, "threads") and one[name] != two[name]] == []
