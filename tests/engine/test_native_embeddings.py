"""Embeddings in the native engine against the reference: values, gradients, epochs, threads, hostile numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from glassmax import Embedding, Network
from glassmax.engine import Data, Regularization, init_scaled
from glassmax.optimizers import SGD, Adam
from tests.embedding.cases import BLOCKS, EMBEDDINGS, rows
from tests.embedding.cases import network as embedded
from tests.engine.test_native import ENGINES, INSTRUCTION_SETS, REFERENCE, NativeEngine, exact
from tests.grid import DTYPES

NOTHING = Regularization()
DIGITS = {"float32": 2e-6, "float64": 1e-14}
STORED = {"dense": np.asarray, "sparse": sparse.csr_array}

every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.isa)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_name = pytest.mark.parametrize("name", EMBEDDINGS)
every_store = pytest.mark.parametrize("stored", STORED)


def assert_close(got, expected, dtype):
    """Hold numbers of about 1 and less against those of the reference, which has computed in float64."""
    np.testing.assert_allclose(got, expected, rtol=0, atol=DIGITS[dtype] * max(1, np.abs(expected).max(initial=0)))


def assert_gradient(engine, network, data, regularization=NOTHING):
    twin, X = exact(network, data.X)
    loss, gradient = REFERENCE.loss_and_gradient(twin, data._replace(X=X), regularization)
    got, got_gradient = engine.loss_and_gradient(network, data, regularization)
    assert_close(got, loss, network.theta.dtype.name)
    assert_close(got_gradient, gradient, network.theta.dtype.name)


# values and gradients


@every_engine
@every_dtype
@every_name
@every_store
@pytest.mark.parametrize("n", [1, 8, 40, 600])
def test_loss_gradient_and_predictions_are_the_references(engine, dtype, name, stored, n):
    network = embedded(name, dtype=dtype)
    X, y, w = rows(n, dtype=dtype)
    X, w = STORED[stored](X), w + 0.5
    assert_gradient(engine, network, Data(X, y, w), Regularization(alpha=0.1))
    twin, same = exact(network, X)
    assert_close(engine.logits(network, X), REFERENCE.logits(twin, same), dtype)
    assert_close(engine.probabilities(network, X), REFERENCE.probabilities(twin, same), dtype)


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    d=st.integers(1, 40),
    n=st.sampled_from([1, 7, 33, 70, 513]),
    sizes=st.sampled_from([(3,), (17, 3), (5, 33, 2)]),
    stored=st.sampled_from(list(STORED)),
    dtype=st.sampled_from(DTYPES),
)
def test_columns_of_any_kind_in_any_order(data, d, n, sizes, stored, dtype):
    draw = np.random.default_rng([d, n])
    cuts = sorted(data.draw(st.sets(st.integers(0, d), max_size=6)))
    blocks = [(a, b, 1 + b % 5) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    free = [j for j in range(d) if not any(a <= j < b for a, b, _ in blocks)]
    chosen = st.sets(st.sampled_from(free)) if free else st.just(set())
    edges = {j: np.cumsum(draw.uniform(0.1, 1, 2 + j % 4)) - 1 for j in data.draw(chosen)}
    options = {"frequencies": 1 + d % 18, "size": 1 + n % 6, "edges": edges, "blocks": blocks}
    embedding = Embedding(d, periodic=sorted(data.draw(chosen)), **options)
    network = Network([embedding.width, *sizes], activation="tanh", embedding=embedding, dtype=dtype)
    X = (draw.standard_normal((n, d)) * (draw.random((n, d)) < 0.6)).astype(dtype)
    batch = Data(STORED[stored](X), draw.integers(sizes[-1], size=n))
    for engine in ENGINES:
        assert_gradient(engine, network, batch)


def flipped(gradient, i):
    gradient[i] *= -1


def neighbors_swapped(gradient, i):
    gradient[[i, i - 1]] = gradient[[i - 1, i]]


@every_dtype
@pytest.mark.parametrize("plant", [flipped, neighbors_swapped], ids=lambda plant: plant.__name__)
def test_a_gradient_with_a_fault_is_found(monkeypatch, plant, dtype):
    network, (X, y, _) = embedded("all", dtype=dtype), rows(40, dtype=dtype)
    engine, data = NativeEngine(n_threads=1), Data(X, y)
    truth = engine.loss_and_gradient
    gradient = truth(network, data, NOTHING)[1]
    start = network.parameters.flat.size - sum(math.prod(shape) for shape in EMBEDDINGS["all"].shapes.values())
    found = [i for i in range(start, gradient.size) if min(abs(gradient[i]), abs(gradient[i] - gradient[i - 1])) > 1e-4]
    assert len(found) > 20
    for i in found:

        def faulty(*arguments, i=i):
            loss, gradient = truth(*arguments)
            plant(gradient, i)
            return loss, gradient

        monkeypatch.setattr(engine, "loss_and_gradient", faulty)
        with pytest.raises(AssertionError):
            assert_gradient(engine, network, data)


# epochs

RULES = {
    "sgd": SGD(0.2),
    "nesterov": SGD(0.1, momentum=0.9, nesterov=True),
    "adam": Adam(0.01, epsilon=1e-3),
}
OPTIONS = {
    "nothing": NOTHING,
    "penalty and decay": Regularization(alpha=0.5, weight_decay=0.3),
    "clipped": Regularization(alpha=0.5, clip_norm=0.05),
    "mixed": Regularization(mixup=0.5, seed=3),
    "dropped": Regularization(dropout=(0.3,), seed=3),
}


def train(
    engine,
    name,
    rule,
    dtype,
    regularization=NOTHING,
    stored="dense",
    batch_size=33,
    n=100,
    factors=False,
    scaled=False,
):
    """Return theta, the rule's state and the losses of two epochs; rows of weight 0 hold NaN."""
    network, (X, y, w) = embedded(name, dtype=dtype), rows(n, dtype=dtype)
    if engine is REFERENCE:
        network, X = exact(network, X)
    X[w == 0] = np.nan
    data, state = Data(STORED[stored](X), y, w), init_scaled(rule, network) if scaled else rule.init(network.theta)
    many = np.linspace(0.1, 2, len(network.parameters) + scaled) if factors or scaled else ()
    losses = []
    for epoch in range(2):
        order = np.random.default_rng(epoch).permutation(n)
        rates = np.full(n, rule.learning_rate)
        how = {"batch_size": batch_size, "regularization": regularization, "first_step": 9 * epoch}
        how["rate_factors"] = tuple(map(float, many))
        losses.append(engine.epoch(network, data, rule, state, order=order, rates=rates, **how).loss)
    return [network.theta, *state.values(), np.array(losses)]


@every_engine
@every_dtype
@every_name
@pytest.mark.parametrize("rule", RULES)
def test_epochs_are_the_references(engine, dtype, name, rule):
    for i, (option, regularization) in enumerate(OPTIONS.items()):
        how = {"regularization": regularization, "stored": list(STORED)[i % 2], "factors": i % 3 == 0, "scaled": i > 1}
        if i == 1:
            how |= {"batch_size": 550, "n": 600}
        for got, expected in zip(
            train(engine, name, RULES[rule], dtype, **how),
            train(REFERENCE, name, RULES[rule], dtype, **how),
            strict=True,
        ):
            tolerance = {"float32": 5e-5, "float64": 1e-12}[dtype]
            np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=option)


@pytest.mark.parametrize("isa", INSTRUCTION_SETS)
@every_dtype
@every_store
@pytest.mark.parametrize("option", ["nothing", "mixed", "clipped"])
def test_no_bit_depends_on_the_threads(isa, dtype, stored, option):
    embedding = Embedding(40, periodic=range(20), edges={21: [-1.0, 0.0, 1.0]}, blocks=[(25, 33, 3), (33, 40, 5)])
    draw = np.random.default_rng(2)
    X = STORED[stored]((draw.standard_normal((700, 40)) * (draw.random((700, 40)) < 0.5)).astype(dtype))
    y, order, rates = draw.integers(10, size=700), draw.permutation(700), np.full(700, 0.01)

    def every_bit(threads):
        engine, rule = NativeEngine(threads, isa), Adam(0.01)
        network = Network([embedding.width, 128, 10], embedding=embedding, dtype=dtype)
        state = rule.init(network.theta)
        how = {"order": order, "rates": rates, "batch_size": 256, "first_step": 0, "regularization": OPTIONS[option]}
        said = engine.epoch(network, Data(X, y), rule, state, **how)
        loss, gradient = engine.loss_and_gradient(network, Data(X, y), NOTHING)
        return [network.theta, state["m"], state["v"], said.loss, loss, gradient, engine.probabilities(network, X)]

    alone = every_bit(1)
    for threads in (2, 3):
        for one, other in zip(alone, every_bit(threads), strict=True):
            np.testing.assert_array_equal(one, other)


@every_engine
@every_dtype
@every_name
def test_a_row_has_the_same_bits_alone_and_among_others(engine, dtype, name):
    network, (X, _, _) = embedded(name, dtype=dtype), rows(45, dtype=dtype)
    together = engine.logits(network, X)
    for n in (1, 2, 7, 8, 9):
        np.testing.assert_array_equal(engine.logits(network, X[:n]), together[:n])


# hostile numbers


@every_engine
@every_dtype
@every_name
@every_store
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_hostile_number_stays_in_its_row(engine, dtype, name, stored, value):
    network, (X, _, _) = embedded(name, dtype=dtype), rows(45, dtype=dtype)
    expected = engine.logits(network, X)
    others = np.arange(45) != 17
    for column in (0, 1, 3, 8):
        hostile = X.copy()
        hostile[17, column] = value
        with np.errstate(all="ignore"):
            got = engine.logits(network, STORED[stored](hostile))
        np.testing.assert_array_equal(got[others], expected[others])
        assert np.isnan(got[17]).all() or not np.isnan(value)


@every_engine
@every_dtype
def test_a_step_from_a_row_that_is_not_finite_is_not_taken(engine, dtype):
    network, (X, y, _) = embedded("all", dtype=dtype), rows(40, dtype=dtype)
    X[30, 0] = np.nan
    before, rule = network.theta.copy(), SGD(0.1)
    state = rule.init(network.theta)
    how = {
        "order": np.arange(40),
        "rates": np.full(2, 0.1),
        "batch_size": 20,
        "first_step": 0,
        "regularization": NOTHING,
    }
    said = engine.epoch(network, Data(X, y), rule, state, **how)
    assert (said.finite, said.steps) == (False, 1)
    assert np.isfinite(network.theta).all()
    assert (network.theta != before).any()


def of_one_cosine(dtype):
    """Return a network whose output is cos(x)."""
    parameters = {"W1": [[0.0], [1.0]], "b1": [0.0], "F": [[1.0]], "H": [[0.0]], "V": [[[1.0]]], "C": [[0.0]]}
    embedding = Embedding(1, periodic=[0], frequencies=1, size=1)
    options = {"output": "identity", "loss": "squared_error", "embedding": embedding, "dtype": dtype}
    return Network.from_parameters({name: np.array(value) for name, value in parameters.items()}, **options)


def cosines_and_sines(engine, x, dtype):
    """Return cos(x) and sin(x) as the engine computes them for the value and for the gradient."""
    network = of_one_cosine(dtype)
    cosines = engine.logits(network, x[:, None])
    sines = []
    for i in range(len(x)):  # dL/dH = (cos(x) - y) (-sin(x)), with y = cos(x) + 1
        _, gradient = engine.loss_and_gradient(network, Data(x[i : i + 1, None], cosines[i : i + 1] + 1), NOTHING)
        sines.append(network.parameters.of(gradient)["H"].item())
    return cosines[:, 0], np.array(sines)


@every_engine
@every_dtype
def test_cosines_and_sines_keep_their_digits(engine, dtype):
    draw = np.random.default_rng(5)
    multiples = np.arange(-300, 300) * (np.pi / 2)
    x = np.concatenate([draw.uniform(-4, 4, 300), draw.uniform(-1e4, 1e4, 300), multiples, [0.0]]).astype(dtype)
    cosines, sines = cosines_and_sines(engine, x, dtype)
    eps = np.finfo(dtype).eps
    wide = x.astype(np.longdouble)
    np.testing.assert_allclose(cosines, np.cos(wide).astype(float), rtol=4 * eps, atol=4 * eps * eps)
    np.testing.assert_allclose(sines, np.sin(wide).astype(float), rtol=0, atol=4 * eps)


@every_engine
@every_dtype
def test_cosines_of_large_numbers_stay_between_minus_one_and_one(engine, dtype):
    x = (10.0 ** np.arange(5, 38)).astype(dtype)
    for values in cosines_and_sines(engine, np.concatenate([x, -x]), dtype):
        assert (np.abs(values) <= 1 + 4 * np.finfo(dtype).eps).all()
    with np.errstate(invalid="ignore"):
        assert np.isnan(engine.logits(of_one_cosine(dtype), np.array([[np.inf], [-np.inf], [np.nan]], dtype))).all()


@every_engine
def test_rows_of_a_block_that_are_empty_embed_to_zero(engine):
    network, (X, _, _) = embedded("categories", sizes=(3,)), rows(8)
    for start, stop, _ in BLOCKS:
        X[:, start:stop] = 0
    W, b = network.parameters["W1"], network.parameters["b1"]
    plain = network.embedding.plain
    np.testing.assert_allclose(engine.logits(network, X), X[:, plain] @ W[: len(plain)] + b, rtol=0, atol=1e-13)
