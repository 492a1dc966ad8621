"""The native engine's threads and Python's: no bit of a result depends on them, nor on the rows beside a row.

`BIG` is large enough for several threads: the work of a step is some ten times what native/unit.hpp calls worth one.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits

from glassmax import Network, SoftmaxClassifier
from glassmax.engine import Data, Regularization, init_scaled
from glassmax.functional import ACTIVATIONS
from glassmax.optimizers import SGD, Adam
from tests.engine.test_native import INSTRUCTION_SETS, NativeEngine
from tests.grid import DTYPES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

BIG = (64, 128, 10)
DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((700, 64)) * (DRAW.random((700, 64)) < 0.5)
Y = np.arange(700) % 10
W = DRAW.uniform(0.5, 2, 700)
ORDER = DRAW.permutation(700)
NOTHING, CLIPPED = Regularization(), Regularization(clip_norm=0.1)

every_set = pytest.mark.parametrize("isa", INSTRUCTION_SETS)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def plain_start(rule, network):
    return rule.init(network.theta)


def train(
    engine,
    rule,
    dtype="float64",
    *,
    rows=X,
    weight=None,
    batch_size=256,
    regularization=NOTHING,
    epochs=2,
    start=plain_start,
):
    """Return every bit of some epochs: theta, the state, the losses."""
    network, data = Network(BIG, dtype=dtype), Data(rows, Y, weight)
    state, rates = start(rule, network), np.full(len(Y), rule.learning_rate)
    said = []
    for epoch in range(epochs):
        how = {"batch_size": batch_size, "regularization": regularization, "first_step": 100 * epoch}
        said.append(engine.epoch(network, data, rule, state, order=ORDER, rates=rates, **how))
    return [network.theta, *state.values(), np.array(said)]


def assert_same_bits(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@contextmanager
def switching_after(seconds):
    """Let another thread of Python run after so many seconds, or as soon as this one lets go of the interpreter."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


# threads of the engine

STEPS = {
    "sgd": (SGD(0.1), {}),
    "adam": (Adam(0.01), {"weight": W, "regularization": Regularization(alpha=0.1, dropout=(0.3,), weight_decay=0.1)}),
    "parts": (SGD(0.1, momentum=0.9, nesterov=True), {"batch_size": 600}),
    "clipped": (Adam(0.01), {"batch_size": 600, "regularization": Regularization(alpha=0.1, clip_norm=0.1)}),
    "scaled": (Adam(0.01), {"start": init_scaled, "regularization": Regularization(alpha=0.1, weight_decay=0.1)}),
    "scaled, clipped": (
        SGD(0.1),
        {"start": init_scaled, "batch_size": 600, "regularization": Regularization(clip_norm=0.1)},
    ),
    "mixed": (Adam(0.01), {"weight": W, "batch_size": 600, "regularization": Regularization(mixup=0.4)}),
    "mixed, sparse": (SGD(0.1), {"rows": sparse.csr_array(X), "regularization": Regularization(mixup=0.4)}),
    "sparse": (
        Adam(0.01),
        {"rows": sparse.csr_array(X), "regularization": Regularization(alpha=0.1, label_smoothing=0.1)},
    ),
}


@every_set
@every_dtype
@pytest.mark.parametrize("name", STEPS)
def test_no_bit_of_an_epoch_depends_on_the_number_of_threads(name, dtype, isa):
    rule, options = STEPS[name]
    alone = train(NativeEngine(1, isa), rule, dtype, **options)
    for n_threads in (2, 4):
        assert_same_bits(train(NativeEngine(n_threads, isa), rule, dtype, **options), alone)


@every_set
@every_dtype
@pytest.mark.parametrize("rows", [X, sparse.csr_array(X)], ids=["dense", "sparse"])
def test_no_bit_of_a_gradient_or_a_prediction_depends_on_the_number_of_threads(rows, dtype, isa):
    network, data = Network(BIG, dtype=dtype), Data(rows, Y, W)

    def all_of(n_threads):
        engine = NativeEngine(n_threads, isa)
        loss, gradient = engine.loss_and_gradient(network, data, Regularization(alpha=0.1))
        return [loss, gradient, engine.logits(network, rows), engine.probabilities(network, rows)]

    for n_threads in (2, 4):
        assert_same_bits(all_of(n_threads), all_of(1))


# rows beside a row


@every_set
@every_dtype
@pytest.mark.parametrize("sizes", [(1, 1), (3, 5, 2), (17, 33, 65, 3), (64, 100, 7)], ids=str)
def test_no_bit_of_a_prediction_depends_on_the_rows_around(sizes, dtype, isa):
    engine, rows = NativeEngine(2, isa), np.random.default_rng(1).standard_normal((1000, sizes[0]))
    for activation in ACTIVATIONS if len(sizes) == 3 else ["tanh"]:
        network = Network(sizes, activation=activation, dtype=dtype)
        for method in (engine.logits, engine.probabilities):
            whole = method(network, rows)
            for some, start in ((1, 0), (1, 999), (1, 500), (2, 31), (7, 60), (8, 7), (33, 511), (600, 333)):
                np.testing.assert_array_equal(method(network, rows[start : start + some]), whole[start : start + some])
                few = sparse.csr_array(rows[start : start + some])
                np.testing.assert_array_equal(method(network, few), whole[start : start + some])


@every_set
@every_dtype
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sparse_rows_give_the_bits_of_dense_ones(dtype, isa, index):
    rows = sparse.csr_array(X)
    rows.indices, rows.indptr = rows.indices.astype(index), rows.indptr.astype(index)
    options = {"weight": W, "regularization": Regularization(dropout=(0.2,), label_smoothing=0.1)}
    engine = NativeEngine(2, isa)
    dense = train(engine, Adam(0.01), dtype, **options)
    assert_same_bits(train(engine, Adam(0.01), dtype, rows=rows, **options), dense)


# threads of Python


@every_dtype
def test_calls_from_several_threads_give_the_bits_of_lone_ones(dtype):
    jobs = [(NativeEngine(2), rule, dtype, options) for rule, options in STEPS.values()] * 2
    alone = [train(*job, **options) for *job, options in jobs]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda job: train(*job[:-1], **job[-1]), jobs))
    for one, other in zip(at_once, alone, strict=True):
        assert_same_bits(one, other)


def test_predictions_are_the_same_while_another_thread_trains():
    engine, network, over = NativeEngine(2), Network(BIG), threading.Event()
    alone = [engine.logits(network, X), engine.loss_and_gradient(network, Data(X, Y), NOTHING)[1]]

    def go_on():
        while not over.is_set():
            train(NativeEngine(2), SGD(0.1), epochs=1)

    other = threading.Thread(target=go_on)
    other.start()
    try:
        for _ in range(20):
            assert_same_bits(
                [engine.logits(network, X), engine.loss_and_gradient(network, Data(X, Y), NOTHING)[1]], alone
            )
    finally:
        over.set()
        other.join()


def test_threads_that_share_an_engine_have_their_own_rows():
    engine, network = NativeEngine(1), Network((3, 2))
    data = [Data(X[:5, :3] + i, Y[:5] % 2) for i in range(3)]
    alone = [engine.loss_and_gradient(network, each, NOTHING)[0] for each in data]
    with switching_after(1e-6), ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(engine.loss_and_gradient, network, data[i % 3], NOTHING) for i in range(1500)]
    assert [call.result()[0] for call in calls] == alone * 500


def fitted(seed=0, n_threads=2, **options):
    digits, figures = load_digits(return_X_y=True)
    options = {"max_iter": 3, "random_state": seed, "dropout": 0.1, "n_threads": n_threads, **options}
    return SoftmaxClassifier((48,), **options).fit(digits / 16, figures)


def test_classifiers_trained_at_once_are_those_trained_alone():
    alone = [fitted(seed).network_.theta for seed in range(4)]
    assert_same_bits([fitted(seed, n_threads=1).network_.theta for seed in range(4)], alone)
    with ThreadPoolExecutor(4) as pool:
        assert_same_bits([classifier.network_.theta for classifier in pool.map(fitted, range(4))], alone)
