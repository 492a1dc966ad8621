"""Very many classes: the native engine computes them by tiles, within a memory limit, and agrees with the reference."""

import signal
import threading

import numpy as np
import pytest
from scipy import sparse

from glassmax import Network
from glassmax.engine import Data, ReferenceEngine, Regularization
from glassmax.errors import LabelError, OptionError, ShapeError
from glassmax.optimizers import SGD, Adam
from tests.engine.test_native import ENGINES, REFERENCE

native = pytest.importorskip("glassmax.engine.native")
NativeEngine = native.NativeEngine

NOTHING = Regularization()
SMALL, LARGE = 16_000_000, 2**30
WIDTHS = [4096, 4097, 4111, 4348, 4607]  # the last tile has 256, 1, 15, 252, 255 classes
N, D = 150, 6

every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.isa)


def problem(k, hidden=(8,), dtype="float64", n=N, seed=0):
    draw = np.random.default_rng(seed)
    network = Network((D, *hidden, k), dtype=dtype, random_state=seed)
    X = draw.standard_normal((n, D)).astype(dtype)
    return network, X, draw.integers(0, k, n)


def trained(engine, k, rule, *, regularization=NOTHING, batch_size=70, weight=None, make=np.asarray, **how):
    network, X, y = problem(k, **how)
    state, n = rule.init(network.theta), len(y)
    result = engine.epoch(
        network, Data(make(X), y, weight), rule, state, order=np.random.default_rng(1).permutation(n),
        batch_size=batch_size, rates=np.full(-(-n // batch_size), 0.05), regularization=regularization, first_step=3,
    )  # fmt: skip
    return result, network.theta, state


def same(ours, others):
    (result, theta, state), (their_result, their_theta, their_state) = ours, others
    return (
        result == their_result
        and theta.tobytes() == their_theta.tobytes()
        and all(np.array_equal(state[name], their_state[name]) for name in state)
    )


def close(ours, others, tolerance=1e-11):
    (result, theta, state), (their_result, their_theta, their_state) = ours, others
    assert result.steps == their_result.steps
    assert result.finite
    np.testing.assert_allclose(result.loss, their_result.loss, rtol=tolerance)
    np.testing.assert_allclose(theta, their_theta, atol=tolerance)
    for name in state:
        np.testing.assert_allclose(state[name], their_state[name], atol=tolerance)


OPTIONS = {
    "plain": {},
    "smoothed": {"regularization": Regularization(label_smoothing=0.1)},
    "penalty": {"regularization": Regularization(alpha=0.5)},
    "decay": {"regularization": Regularization(weight_decay=0.1)},
    "dropout": {"regularization": Regularization(dropout=(0.5,), seed=7)},
    "weights": {"weight": np.arange(N) % 5 / 2.0},
    "one layer": {"hidden": ()},
    "two hidden layers": {"hidden": (8, 9)},
    "sparse X": {"make": sparse.csr_array},
    "one batch": {"batch_size": N},
    "rows one by one": {"batch_size": 1, "n": 5},
    "large batch": {"batch_size": 1100, "n": 1100},
    "clip": {"regularization": Regularization(clip_norm=0.01)},
    "mixup": {"regularization": Regularization(mixup=0.5, seed=3)},
    "all": {
        "regularization": Regularization(alpha=0.5, label_smoothing=0.1, weight_decay=0.1),
        "weight": np.arange(N) % 5 / 2,
    },
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_epoch_agrees_with_the_reference(option):
    how = OPTIONS[option]
    rules = [Adam(0.05, epsilon=1e-3), SGD(0.05, momentum=0.9), SGD(0.05, momentum=0.9, nesterov=True)]
    for rule, k in zip(rules, (4348, 4097, 4096), strict=True):
        close(trained(NativeEngine(1), k, rule, **how), trained(REFERENCE, k, rule, **how))


@every_engine
@pytest.mark.parametrize("k", WIDTHS)
def test_the_gradient_agrees_with_the_reference_for_each_width_of_the_last_tile(engine, k):
    network, X, y = problem(k)
    how = Regularization(alpha=0.5, label_smoothing=0.2)
    loss, gradient = engine.loss_and_gradient(network, Data(X, y), how)
    right_loss, right = REFERENCE.loss_and_gradient(network, Data(X, y), how)
    np.testing.assert_allclose(loss, right_loss, rtol=1e-12)
    np.testing.assert_allclose(gradient, right, atol=1e-13)
    assert np.abs(gradient - right).max() < 1e-6 * np.abs(right * 1.001 - gradient).max()  # a wrong one would be seen


@pytest.mark.parametrize("option", ["plain", "smoothed", "weights", "one layer", "sparse X", "all"])
def test_no_bit_depends_on_threads_or_memory(option):
    for dtype in ("float32", "float64"):
        how = {**OPTIONS[option], "dtype": dtype, "n": N, "batch_size": 150}
        first = trained(NativeEngine(1, memory_limit=SMALL), 9000, Adam(0.05), **how)
        for threads, memory in [(1, LARGE), (2, SMALL), (3, LARGE)]:
            assert same(trained(NativeEngine(threads, memory_limit=memory), 9000, Adam(0.05), **how), first)


def within_a_millionth(found, right):
    """Whether each entry is as near as that, measured by the largest one of its row."""
    rows = np.atleast_2d(right)
    scale = np.abs(rows).max(axis=1, keepdims=True)
    return bool((np.abs(np.atleast_2d(found) - rows) <= 1e-6 * scale).all())


@every_engine
@pytest.mark.parametrize(
    ("hidden", "k", "rows", "labels"),
    [((64,), 4500, 256, 4500), ((200,), 4097, 700, 4097), ((64,), 60_000, 256, 5)],
)
def test_a_float32_gradient_is_within_a_millionth_of_its_rows_scale(engine, hidden, k, rows, labels):
    network, X, y = problem(k, hidden=hidden, dtype="float32", n=rows)
    y %= labels
    wide = Network((D, *hidden, k))
    wide.theta[...] = network.theta
    _, gradient = engine.loss_and_gradient(network, Data(X, y), NOTHING)
    _, right = engine.loss_and_gradient(wide, Data(X.astype("float64"), y), NOTHING)
    found = network.parameters.of(gradient)
    for name, exact in wide.parameters.of(right).items():
        assert within_a_millionth(found[name], exact), name
        assert not within_a_millionth(1.00001 * found[name], exact)  # a wrong one would be seen


def test_a_loss_that_is_not_finite_ends_the_epoch_before_its_step():
    network, X, y = problem(4348)
    network.theta[-1] = np.inf
    rule = Adam(0.05)
    state, before = rule.init(network.theta), network.theta.copy()
    result = NativeEngine(2).epoch(
        network, Data(X, y), rule, state, order=np.arange(N), batch_size=50, rates=np.full(3, 0.1),
        regularization=Regularization(), first_step=0,
    )  # fmt: skip
    assert (result.finite, result.steps, state["t"]) == (False, 0, 0)
    assert np.array_equal(network.theta, before)


def test_ctrl_c_leaves_whole_steps():
    order, step = np.tile(np.arange(N), 1000), 10
    rates = np.full(len(order) // step, 0.01)
    rule = Adam(0.01)

    def epoch(network, state, order):
        network, X, y = network
        NativeEngine(2).epoch(
            network, Data(X, y), rule, state, order=order, batch_size=step, rates=rates, regularization=NOTHING,
            first_step=0,
        )  # fmt: skip

    interrupted, again = problem(20000), problem(20000)
    theta = interrupted[0].theta
    before, state = theta.copy(), rule.init(theta)

    def interrupt():  # as soon as a step has moved theta
        while theta[-1] == before[-1]:
            pass
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    other = threading.Thread(target=interrupt, daemon=True)
    other.start()
    with pytest.raises(KeyboardInterrupt):
        epoch(interrupted, state, order)
    other.join()
    assert 0 < state["t"] < len(rates)
    state_again = rule.init(theta)
    epoch(again, state_again, order[: int(state["t"]) * step])
    assert theta.tobytes() == again[0].theta.tobytes()
    assert all(np.array_equal(state[name], state_again[name]) for name in state)


@every_engine
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_the_best_classes_are_those_of_the_logits(engine, dtype, count):
    network, X, y = problem(4348, dtype=dtype)
    top = engine.top_classes(network, X, count, y)
    Z = engine.logits(network, X).astype(np.float64)
    order = np.argsort(-Z, axis=1, kind="stable")[:, :count]
    assert np.array_equal(top.labels, order)
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(top.probabilities, np.take_along_axis(P, order, axis=1), rtol=1e-6)
    np.testing.assert_allclose(top.losses, -np.log(P[np.arange(N), y]), rtol=1e-6)


def test_the_best_classes_agree_with_the_reference_and_on_threads():
    for k in (3, 4348):
        network, X, y = problem(k)
        ours, theirs = NativeEngine(1).top_classes(network, X, 3, y), ReferenceEngine(1).top_classes(network, X, 3, y)
        assert np.array_equal(ours.labels, theirs.labels)
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, rtol=1e-12)
        np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-12)
        more = NativeEngine(3).top_classes(network, X, 3, y)
        assert all(np.array_equal(a, b) for a, b in zip(ours, more, strict=True))
        assert NativeEngine(1).top_classes(network, X, 3).losses is None


@pytest.mark.parametrize("engine", [NativeEngine(1), ReferenceEngine(1)], ids=["native", "reference"])
def test_equal_logits_go_by_the_lower_class_and_a_row_of_nan_has_no_order(engine):
    network = Network((1, 4348))
    network.theta[...] = 0
    bias = network.parameters.b[1]
    bias[[7, 300, 4347]] = 2.0
    top = engine.top_classes(network, np.zeros((2, 1)), 5)
    assert top.labels.tolist() == [[7, 300, 4347, 0, 1]] * 2
    bias[:] = -np.inf
    bias[1000] = 1.0
    top = engine.top_classes(network, np.zeros((1, 1)), 3, np.array([1000]))
    assert top.labels.tolist() == [[1000, 0, 1]]
    assert top.probabilities.tolist() == [[1.0, 0.0, 0.0]]
    assert top.losses.tolist() == [0.0]
    bias[5] = np.nan
    top = engine.top_classes(network, np.zeros((1, 1)), 3, np.array([1000]))
    assert top.labels.tolist() == [[0, 1, 2]]
    assert np.isnan(top.probabilities).all()
    assert np.isnan(top.losses).all()


def test_a_tiny_loss_keeps_its_digits():
    for dtype in ("float32", "float64"):
        network = Network((1, 4348), dtype=dtype)
        network.theta[...] = 0
        network.parameters.b[1][4347] = 40
        data = Data(np.zeros((3, 1), dtype), np.full(3, 4347))
        loss, gradient = NativeEngine(1).loss_and_gradient(network, data, Regularization())
        right = 4347 * np.exp(-40)
        np.testing.assert_allclose([loss, -gradient[-1]], right, rtol=1e-6)
        np.testing.assert_allclose(NativeEngine(1).top_classes(network, data.X, 1, data.y).losses, right, rtol=1e-6)


@pytest.mark.parametrize("engine", [NativeEngine(1), ReferenceEngine(1)], ids=["native", "reference"])
def test_what_is_asked_for_is_checked(engine):
    network, X, y = problem(4348)
    for count in (-1, 4349):
        with pytest.raises(OptionError, match=f"count is {count}, expected a whole number from 0 to 4348, the classes"):
            engine.top_classes(network, X, count)
    with pytest.raises(OptionError, match="the network's output is 'sigmoid', expected 'softmax'"):
        engine.top_classes(Network((D, 3), output="sigmoid", loss="binary_cross_entropy"), X, 1)
    with pytest.raises(LabelError, match="4348"):
        engine.top_classes(network, X, 1, np.where(y == y[3], 4348, y))
    with pytest.raises(ShapeError):
        engine.top_classes(network, X, 1, y[:-1])


@pytest.mark.parametrize("memory_limit", [0, 16_000_000 - 1, float("nan"), 1.5e8, "128 MB", None])
def test_a_memory_limit_is_a_number_of_bytes_from_16_mb_on(memory_limit):
    with pytest.raises(OptionError, match=r"memory_limit is .*, expected a whole number of bytes >= 16000000"):
        NativeEngine(1, memory_limit=memory_limit)
