"""Softcap, z-loss, temperature, sparse soft labels and frozen parameters: the native engine against the reference.

Each case is computed twice by the native engine, by tiles of classes (4111 classes) and without (5 classes).
"""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from glassmax import Embedding, Network
from glassmax.engine import Data, Regularization
from glassmax.errors import LabelError, ShapeError
from glassmax.functional.heads import PAIRS
from glassmax.optimizers import SGD, Adam
from tests.engine.test_native import ENGINES, REFERENCE, NativeEngine
from tests.grid import DTYPES

N, D, FEW, MANY = 70, 6, 5, 4111
NOTHING = Regularization()
SMALL, LARGE = 16_000_000, 2**30
SOFTMAX_LOSSES = [loss for output, loss in PAIRS if output == "softmax"]

HEADS = {
    "plain": {},
    "softcap": {"softcap": 1.5},
    "z-loss": {"z_loss": 0.3},
    "temperature": {"temperature": 0.7},
    "all": {"softcap": 2.0, "z_loss": 0.2, "temperature": 1.3},
}
FROZEN = {
    "no output bias": {"output_bias": False},
    "last weights": {"frozen": ["W2"]},
    "last layer": {"frozen": ["W2", "b2"]},
    "first weights": {"frozen": ["W1"]},
    "first layer": {"frozen": ["W1", "b1"]},
    "all": {"frozen": ["W1", "b1", "W2", "b2"]},
}
STEPS = {
    "plain": NOTHING,
    "smoothed": Regularization(label_smoothing=0.1),
    "clip": Regularization(clip_norm=0.01),
    "mixup": Regularization(mixup=0.5, seed=3),
    "all": Regularization(alpha=0.5, label_smoothing=0.1, weight_decay=0.1, clip_norm=0.05, dropout=(0.5,), seed=7),
}
WEIGHT = np.arange(N) % 5 / 2.0

every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.isa)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_k = pytest.mark.parametrize("k", [FEW, MANY])
every_head = pytest.mark.parametrize("head", HEADS)


def network_of(k, *, hidden=(8,), dtype="float64", **options):
    width = options["embedding"].width if "embedding" in options else D
    network = Network((width, *hidden, k), dtype=dtype, random_state=0, **options)
    network.theta[...] *= 2
    return network


def soft_rows(n, k, seed=0):
    """Return CSR rows of none to three classes that don't sum to 1."""
    draw = np.random.default_rng(seed)
    counts = np.arange(n) % 4
    columns = np.concatenate([np.sort(draw.choice(k, count, replace=False)) for count in counts])
    values = draw.uniform(0.1, 1, len(columns))
    return sparse.csr_array((values, columns.astype(np.int32), np.r_[0, np.cumsum(counts)].astype(np.int32)), (n, k))


def data_of(network, *, n=N, targets="labels", sparse_X=False, weight=None):
    draw = np.random.default_rng(1)
    X, k = draw.standard_normal((n, network.n_inputs)).astype(network.theta.dtype), network.layer_sizes[-1]
    if sparse_X:
        X[draw.random(X.shape) < 0.6] = 0
        X = sparse.csr_array(X)
    rows = soft_rows(n, k)
    return Data(X, {"labels": draw.integers(0, k, n), "sparse": rows, "dense": rows.toarray()}[targets], weight)


def trained(engine, network, data, regularization, rule=None, batch_size=33):
    network = network.astype(network.theta.dtype)
    rule = rule or Adam(0.05, epsilon=1e-3)
    state, n = rule.init(network.theta), data.n_rows
    result = engine.epoch(
        network, data, rule, state, order=np.random.default_rng(1).permutation(n), batch_size=batch_size,
        rates=np.full(-(-n // batch_size), 0.05), regularization=regularization, first_step=3,
    )  # fmt: skip
    return [np.array(result), network.theta, *(np.asarray(state[name]) for name in state)]


def assert_agrees(network, data, regularization=NOTHING, rule=None, engine=None, tolerance=1e-10, **how):
    """Hold gradient and epoch against the reference."""
    engine = engine or NativeEngine(2)
    without = regularization._replace(dropout=(), mixup=0.0)
    loss, gradient = REFERENCE.loss_and_gradient(network, data, without)
    got_loss, got = engine.loss_and_gradient(network, data, without)
    np.testing.assert_allclose(got_loss, loss, rtol=tolerance)
    np.testing.assert_allclose(got, gradient, atol=tolerance * max(1e-3, np.abs(gradient).max()))
    ours, theirs = (trained(one, network, data, regularization, rule, **how) for one in (engine, REFERENCE))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=100 * tolerance)


# the grid


@every_k
@every_head
@pytest.mark.parametrize("targets", ["labels", "sparse", "dense"])
@pytest.mark.parametrize("step", STEPS)
def test_a_gradient_and_an_epoch_agree_with_the_reference(k, head, targets, step):
    if head not in ("plain", "all") and step != "plain":
        pytest.skip("a pair of options too many")
    network = network_of(k, **HEADS[head])
    assert_agrees(network, data_of(network, targets=targets, weight=WEIGHT if step == "all" else None), STEPS[step])


@every_k
@pytest.mark.parametrize("frozen", FROZEN)
@pytest.mark.parametrize(
    "rule", [Adam(0.05, epsilon=1e-3), SGD(0.05, momentum=0.9, nesterov=True)], ids=["adam", "sgd"]
)
def test_frozen_parameters_have_no_gradient_and_stay(k, frozen, rule):
    network = network_of(k, **HEADS["all"], **FROZEN[frozen])
    data = data_of(network, targets="sparse")
    for step in ("plain", "all"):
        assert_agrees(network, data, STEPS[step], rule)
    gradient = network.parameters.of(
        NativeEngine(2).loss_and_gradient(network, data, STEPS["all"]._replace(dropout=()))[1]
    )
    moved = network.parameters.of(trained(NativeEngine(2), network, data, STEPS["all"], rule)[1])
    for name in network.parameters:
        held = name in network.frozen
        assert np.array_equal(moved[name], network.parameters[name]) == held, name
        assert gradient[name].any() != held, name


@every_k
@pytest.mark.parametrize("sparse_X", [False, True])
@pytest.mark.parametrize("frozen", [[], ["W1"], ["b1"]], ids=str)
def test_one_layer(k, sparse_X, frozen):
    network = network_of(k, hidden=(), **HEADS["all"], frozen=frozen)
    for targets, step in (("labels", "all"), ("sparse", "mixup"), ("sparse", "clip")):
        data = data_of(network, targets=targets, sparse_X=sparse_X, weight=WEIGHT)
        assert_agrees(network, data, STEPS[step]._replace(dropout=()))


@every_k
@pytest.mark.parametrize("hidden", [(), (8,)])
@pytest.mark.parametrize("frozen", [[], ["F", "V"], ["E1", "W1", "b1"], ["F", "H", "V", "C", "E1"]], ids=str)
def test_an_embedding_below(k, hidden, frozen):
    embedding = Embedding(7, periodic=[1], frequencies=4, size=2, edges={2: [-1.0, 0, 1]}, blocks=[(3, 6, 4)])
    network = network_of(k, hidden=hidden, embedding=embedding, **HEADS["all"], frozen=frozen)
    for sparse_X, step in ((False, "all"), (True, "mixup")):
        regularization = STEPS[step]._replace(dropout=())
        assert_agrees(network, data_of(network, sparse_X=sparse_X, weight=WEIGHT), regularization)


@pytest.mark.parametrize("loss", SOFTMAX_LOSSES)
@every_head
def test_the_options_go_with_every_loss_of_softmax(loss, head):
    network = network_of(FEW, loss=loss, **HEADS[head])
    assert_agrees(network, data_of(network), rule=SGD(0.01))


@pytest.mark.parametrize("rule", [Adam(0.05, epsilon=1e-3), SGD(0.05, momentum=0.9)], ids=["adam", "sgd"])
@pytest.mark.parametrize(("k", "dtype"), [(4096, "float64"), (11_000, "float32")], ids=["in parts", "as a whole"])
def test_a_batch_of_more_than_4096_rows(rule, k, dtype):
    """The gradient of the same rows, which comes in blocks of rows, and the rule, leads to the same place."""
    network = Network((2, k), dtype=dtype, **HEADS["all"])
    draw, n = np.random.default_rng(0), 4100
    data = Data(draw.standard_normal((n, 2)).astype(dtype), draw.integers(0, k, n))
    loss, gradient = NativeEngine(1).loss_and_gradient(network, data, Regularization(alpha=0.5))
    regularization = Regularization(alpha=0.5, clip_norm=float(np.linalg.norm(gradient)) / 2)
    before, state = network.theta.copy(), rule.init(network.theta)
    expected = before.copy()
    rule.step(expected, (gradient / 2).astype(dtype), state, 0.05)
    move, digits = expected - before, 2e-3 if dtype == "float32" else 1e-9  # theta itself is rounded
    for engine in (NativeEngine(1, memory_limit=SMALL), NativeEngine(2)):
        got = trained(engine, network, data, regularization, rule, batch_size=n)
        np.testing.assert_allclose(got[0], [loss, 1, 1], rtol=1e-6)
        np.testing.assert_allclose(got[1] - before, move, atol=digits * np.abs(move).max())


# bits


@every_dtype
@pytest.mark.parametrize("targets", ["labels", "sparse"])
@pytest.mark.parametrize("head", ["softcap", "all"])
def test_no_bit_depends_on_threads_or_memory(dtype, targets, head):
    network = network_of(9000, dtype=dtype, **HEADS[head])
    data = data_of(network, targets=targets)
    first = trained(NativeEngine(1, memory_limit=SMALL), network, data, STEPS["smoothed"])
    for threads, memory in ((1, LARGE), (2, SMALL), (3, LARGE)):
        again = trained(NativeEngine(threads, memory_limit=memory), network, data, STEPS["smoothed"])
        assert all(a.tobytes() == b.tobytes() for a, b in zip(again, first, strict=True))


@every_engine
@every_dtype
@every_k
def test_logits_probabilities_and_best_classes_are_those_after_the_softcap(engine, dtype, k):
    network = network_of(k, dtype=dtype, **HEADS["all"])
    data = data_of(network)
    digits = {"rtol": 2e-5 if dtype == "float32" else 1e-11, "atol": 1e-6 if dtype == "float32" else 1e-13}
    Z = engine.logits(network, data.X)
    np.testing.assert_allclose(Z, REFERENCE.logits(network, data.X), **digits)
    np.testing.assert_allclose(
        engine.probabilities(network, data.X), REFERENCE.probabilities(network, data.X), **digits
    )
    assert np.array_equal(engine.logits(network, data.X[:3]), Z[:3])  # few rows go another way
    top = engine.top_classes(network, data.X, 3, data.y)
    right = REFERENCE.top_classes(network, data.X, 3, data.y)
    np.testing.assert_allclose(top.probabilities, right.probabilities, **digits)
    np.testing.assert_allclose(top.losses, right.losses, **digits)


# digits


@every_engine
@every_dtype
@every_k
@every_head
@pytest.mark.parametrize("targets", ["labels", "sparse"])
def test_a_gradient_is_within_a_millionth_of_its_rows_scale(engine, dtype, k, head, targets):
    network = network_of(k, hidden=(32,), dtype=dtype, **HEADS[head])
    wide, data = network.astype("float64"), data_of(network, n=128, targets=targets)
    right = wide.parameters.of(REFERENCE.loss_and_gradient(wide, data._replace(X=data.X.astype("float64")), NOTHING)[1])
    got = network.parameters.of(engine.loss_and_gradient(network, data, NOTHING)[1])

    def off(name, factor=1.0):
        rows = np.atleast_2d(right[name])
        return (np.abs(np.atleast_2d(got[name]) * factor - rows) / np.abs(rows).max(axis=1, keepdims=True)).max()

    for name in right:
        assert off(name) <= (1e-6 if dtype == "float32" else 1e-13), name
        assert off(name, 1 + 1e-5) > 2e-6, name  # a planted error is seen


@every_engine
@every_dtype
@every_k
@pytest.mark.parametrize("softcap", [None, 50.0])
def test_a_tiny_loss_keeps_its_digits(engine, dtype, k, softcap):
    network = Network((1, k), dtype=dtype, softcap=softcap, temperature=0.5)
    network.theta[...] = 0
    network.parameters.b[1][k - 1] = 15
    z = 30.0 if softcap is None else softcap * np.tanh(30 / softcap)
    odds = (k - 1) * np.exp(-z)
    Y = sparse.csr_array(([1.0], [k - 1], [0, 1]), (1, k))
    for y in (np.array([k - 1]), Y):
        loss, gradient = engine.loss_and_gradient(network, Data(np.zeros((1, 1), dtype), y), NOTHING)
        slope = 2 if softcap is None else 2 * (1 - np.tanh(30 / softcap) ** 2)
        np.testing.assert_allclose(loss, np.log1p(odds), rtol=1e-5 if dtype == "float32" else 1e-9)
        np.testing.assert_allclose(-gradient[-1], odds / (1 + odds) * slope, rtol=1e-5 if dtype == "float32" else 1e-9)


# hostile logits


NUMBERS = [0.0, -0.0, 1.0, -1.0, 1e-30, 88.8, -104.0, 710.0, 1e4, 1e30, -1e30, np.inf, -np.inf, np.nan]


@every_dtype
@settings(max_examples=80, deadline=None)
@given(
    logits=st.lists(st.one_of(st.sampled_from(NUMBERS), st.floats(-20, 20)), min_size=2, max_size=5),
    head=st.sampled_from(list(HEADS)),
    label=st.integers(0, 4),
    soft=st.booleans(),
)
def test_hostile_logits_are_the_references(dtype, logits, head, label, soft):
    label %= len(logits)
    for k in (len(logits), MANY):
        network = Network((1, k), dtype=dtype, **HEADS[head])
        network.theta[...] = 0
        network.parameters.b[1][: len(logits)] = logits
        columns = sorted({0, label})
        y = sparse.csr_array(([0.5, 0.25][: len(columns)], columns, [0, len(columns)]), (1, k))
        data = Data(np.zeros((1, 1), dtype), y if soft else np.array([label]))
        wide = network.astype("float64")
        with np.errstate(all="ignore"):
            loss, gradient = REFERENCE.loss_and_gradient(wide, data._replace(X=np.zeros((1, 1))), NOTHING)
        eps = float(np.finfo(dtype).eps)
        for engine in ENGINES:
            got_loss, got = engine.loss_and_gradient(network, data, NOTHING)
            if np.isfinite(loss) or not np.isfinite(got_loss):
                np.testing.assert_allclose(got_loss, loss, rtol=50 * eps, atol=50 * eps)
            if np.isfinite(loss):
                scale = max(1.0, np.abs(gradient[np.isfinite(gradient)]).max(initial=0))
                np.testing.assert_allclose(got[k:], gradient[k:], rtol=100 * eps, atol=100 * eps * scale)


@every_k
def test_a_row_of_weight_0_is_absent_whatever_it_holds(k):
    network = network_of(k, **HEADS["all"])
    data = data_of(network, targets="sparse")
    X = data.X.copy()
    X[7] = np.nan
    weight = np.ones(N)
    weight[7] = 0
    rest = np.flatnonzero(weight)
    loss, gradient = NativeEngine(1).loss_and_gradient(network, Data(X, data.y, weight), NOTHING)
    right_loss, right = NativeEngine(1).loss_and_gradient(network, Data(X[rest], data.y[rest]), NOTHING)
    np.testing.assert_allclose(loss, right_loss, rtol=1e-12)
    np.testing.assert_allclose(gradient, right, atol=1e-12 * np.abs(right).max())


# sparse rows as they are given


@every_k
def test_sparse_rows_are_read_in_any_form(k):
    network = network_of(k)
    data = data_of(network, targets="sparse")
    right = NativeEngine(1).loss_and_gradient(network, data, NOTHING)
    Y = data.y
    unsorted = sparse.csr_array((Y.data.copy(), Y.indices.copy(), Y.indptr.copy()), Y.shape)
    for start, end in itertools.pairwise(unsorted.indptr):
        unsorted.indices[start:end] = unsorted.indices[start:end][::-1]
        unsorted.data[start:end] = unsorted.data[start:end][::-1]
    twice = sparse.csr_array((np.repeat(Y.data, 2) / 2, np.repeat(Y.indices, 2), 2 * Y.indptr), Y.shape)
    zeros = sparse.csr_array(np.where(Y.toarray() == 0, 0, Y.toarray()))
    wide = sparse.csr_array((Y.data, Y.indices.astype(np.int64), Y.indptr.astype(np.int64)), Y.shape)
    for same in (unsorted, twice, zeros, wide, sparse.csr_matrix(Y), Y.tocsc(), Y.tocoo(), Y.astype(np.float32)):
        got = NativeEngine(1).loss_and_gradient(network, data._replace(y=same), NOTHING)
        np.testing.assert_allclose(got[0], right[0], rtol=1e-6)
        np.testing.assert_allclose(got[1], right[1], atol=1e-6)


def test_sparse_rows_that_are_no_targets_are_refused():
    network = network_of(MANY)
    data = data_of(network, targets="sparse")
    for value in (-1.0, np.nan, np.inf):
        Y = data.y.copy()
        Y.data[2] = value
        with pytest.raises(LabelError, match="a finite number >= 0"):
            NativeEngine(1).loss_and_gradient(network, data._replace(y=Y), NOTHING)
    with pytest.raises(ShapeError):
        NativeEngine(1).loss_and_gradient(network, data._replace(y=data.y[:, :-1]), NOTHING)
