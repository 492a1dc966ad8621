"""The native engine on numbers that others stumble over: tiny losses, huge logits, inf, NaN, long sums."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from glassmax import Network
from glassmax.engine import Data, Regularization
from glassmax.errors import LabelError
from glassmax.functional import ACTIVATIONS
from glassmax.functional.heads import PAIRS
from tests.engine.test_native import ENGINES, REFERENCE
from tests.grid import DTYPES

NOTHING = Regularization()
DIGITS = {"float32": 1e-6, "float64": 1e-13}

every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.isa)
every_head = pytest.mark.parametrize(("output", "loss"), PAIRS)


def with_logits(logits, dtype="float64", output="softmax", loss="cross_entropy"):
    """Return a network whose logits are these, whatever comes in."""
    weights = {"W1": np.zeros((1, len(logits))), "b1": np.array(logits, float)}
    with np.errstate(over="ignore"):
        return Network.from_parameters(weights, output=output, loss=loss, dtype=dtype)


def loss_and_dZ(engine, network, y, weight=None):
    """Return the loss, and its derivative by the logits."""
    y = np.array(y)
    data = Data(np.zeros((len(y), 1), network.theta.dtype), y, None if weight is None else np.array(weight, float))
    loss, gradient = engine.loss_and_gradient(network, data, NOTHING)
    return loss, gradient[-network.layer_sizes[-1] :]


# tiny losses


@every_engine
@every_dtype
@pytest.mark.parametrize("margin", [1, 17, 30, 60])
@pytest.mark.parametrize("k", [2, 3, 17, 100])
@pytest.mark.parametrize("target", ["index", "row"])
def test_tiny_losses_and_their_gradients_keep_their_digits(engine, dtype, margin, k, target):
    network = with_logits([0.0] * (k // 2) + [margin] + [0.0] * (k - k // 2 - 1), dtype)
    y = np.array([k // 2])
    loss, dZ = loss_and_dZ(engine, network, np.eye(k)[y] if target == "row" else y)
    others = (k - 1) * math.exp(-margin)
    assert loss == pytest.approx(math.log1p(others), rel=DIGITS[dtype], abs=0)
    assert -dZ[k // 2] == pytest.approx(others / (1 + others), rel=DIGITS[dtype], abs=0)
    np.testing.assert_allclose(np.delete(dZ, k // 2), math.exp(-margin) / (1 + others), rtol=DIGITS[dtype])


@every_engine
@every_dtype
@pytest.mark.parametrize("margin", [1, 17, 30, 60])
def test_tiny_losses_of_labels_keep_their_digits(engine, dtype, margin):
    network = with_logits([margin, -margin], dtype, "sigmoid", "binary_cross_entropy")
    loss, dZ = loss_and_dZ(engine, network, np.array([[1.0, 0.0]]))
    slope = math.exp(-margin) / (1 + math.exp(-margin))
    assert loss == pytest.approx(2 * math.log1p(math.exp(-margin)), rel=DIGITS[dtype], abs=0)
    np.testing.assert_allclose(dZ, [-slope, slope], rtol=DIGITS[dtype])


# numbers out of all proportion


@every_engine
@every_dtype
def test_logits_of_1e30_and_minus_inf_do_no_harm(engine, dtype):
    network = with_logits([1e30, 0.0, -1e30, -np.inf], dtype)
    np.testing.assert_array_equal(engine.probabilities(network, np.zeros((9, 1))), [[1, 0, 0, 0]] * 9)
    assert loss_and_dZ(engine, network, [0])[0] == 0
    assert loss_and_dZ(engine, network, [1])[0] == pytest.approx(1e30)
    np.testing.assert_array_equal(loss_and_dZ(engine, network, [1])[1], [1, -1, 0, 0])


@every_engine
@every_dtype
@pytest.mark.parametrize("target", [[3], [[0.0, 0.0, 0.0, 1.0]]], ids=["index", "row"])
def test_a_true_class_at_minus_inf_has_an_infinite_loss_and_a_finite_gradient(engine, dtype, target):
    loss, dZ = loss_and_dZ(engine, with_logits([1.0, 1.0, -900.0, -np.inf], dtype), target)
    assert loss == np.inf
    np.testing.assert_allclose(dZ, [0.5, 0.5, 0, -1], rtol=1e-7)


@every_engine
@every_dtype
def test_a_row_of_minus_inf_is_nan(engine, dtype):
    network = with_logits([-np.inf] * 3, dtype)
    assert np.isnan(engine.probabilities(network, np.zeros((9, 1)))).all()
    loss, dZ = loss_and_dZ(engine, network, [1])
    assert np.isnan([loss, *dZ]).all()


@every_engine
@every_dtype
def test_zero_times_the_logarithm_of_zero_is_zero(engine, dtype):
    logits = [0.0, -np.inf, 1.0]
    loss, dZ = loss_and_dZ(engine, with_logits(logits, dtype), [[0.5, 0.0, 0.5]])
    assert loss == pytest.approx(math.log1p(math.e) - 0.5, rel=1e-6)
    assert dZ[1] == 0
    loss, _ = loss_and_dZ(engine, with_logits(logits, dtype, "sigmoid", "cross_entropy"), [[1.0, 0.0, 0.0]])
    assert loss == pytest.approx(math.log(2), rel=1e-6)
    loss, _ = loss_and_dZ(engine, with_logits([1.0, 0.0], dtype, "identity", "binary_cross_entropy"), [0])
    assert loss == 0


@every_engine
@every_dtype
@every_head
@pytest.mark.parametrize("logits", [[-np.inf, 0.5], [0.0, 0.5], [np.inf, 0.5], [np.nan, 0.5]], ids=str)
def test_a_row_of_weight_0_is_absent_whatever_its_loss(engine, dtype, output, loss, logits):
    """Row 0 alone sees the odd logit, by its X; with its weight 0 it must not be seen in anything."""
    weights = {"W1": [[1.0, 0.0]], "b1": [0.25, 0.5]}
    network = Network.from_parameters(weights, output=output, loss=loss, dtype=dtype)
    X, y = np.array([[logits[0] - 0.25], [0.5], [0.25]], dtype), np.array([0, 1, 0])
    data, weight = Data(X, y, np.array([0.0, 1.0, 2.0])), np.array([1.0, 2.0])
    expected = engine.loss_and_gradient(network, Data(X[1:], y[1:], weight), NOTHING)
    got = engine.loss_and_gradient(network, data, NOTHING)
    np.testing.assert_allclose([got[0], *got[1]], [expected[0], *expected[1]], rtol=DIGITS[dtype])


@every_engine
@every_dtype
@every_head
@pytest.mark.parametrize("logits", [[0.0, 0.5], [1.0, 0.5], [-np.inf, 0.5]], ids=str)
def test_rows_that_all_have_an_infinite_slope_are_absent_with_weight_0(engine, dtype, output, loss, logits):
    network = with_logits(logits, dtype, output, loss)
    with np.errstate(all="ignore"):
        expected = loss_and_dZ(REFERENCE, with_logits(logits, "float64", output, loss), [1], [2.0])
    got = loss_and_dZ(engine, network, [0, 1], [0.0, 2.0])
    known = ~np.isnan([expected[0], *expected[1]])
    np.testing.assert_allclose(
        np.array([got[0], *got[1]])[known], np.array([expected[0], *expected[1]])[known], rtol=1e-6
    )


@every_engine
@every_dtype
def test_a_squared_error_is_summed_in_float64(engine, dtype):
    for output in ("identity", "relu"):
        loss, dZ = loss_and_dZ(engine, with_logits([2e25, 0.0], dtype, output, "squared_error"), [[0.0, 1.0]])
        assert loss == pytest.approx(2e50, rel=1e-6)
        np.testing.assert_allclose(dZ, [2e25, -1 if output == "identity" else 0], rtol=1e-6)


# NaN


@every_engine
@every_dtype
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("n", [3, 40])
def test_nan_stays_in_its_row(engine, dtype, activation, n):
    network = Network((3, 5, 4), activation=activation, dtype=dtype)
    X = np.random.default_rng(0).standard_normal((n, 3))
    spoilt = X.copy()
    spoilt[1, 1] = np.nan
    for method in (engine.logits, engine.probabilities):
        got, expected = method(network, spoilt), method(network, X)
        assert np.isnan(got[1]).all()
        np.testing.assert_array_equal(np.delete(got, 1, axis=0), np.delete(expected, 1, axis=0))


@every_engine
@every_dtype
@every_head
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_loss_over_a_nan_is_nan(engine, dtype, output, loss, at):
    logits = [0.3, 0.4, 0.5]
    logits[at] = np.nan
    assert np.isnan(loss_and_dZ(engine, with_logits(logits, dtype, output, loss), [at])[0])


def test_an_error_names_the_first_row_at_fault():
    for y, said in (([0, 1, 2, 0, 3], "row 2 is 2"), ([0, 0, -1], "row 2 is -1")):
        with pytest.raises(LabelError, match=said):
            loss_and_dZ(ENGINES[0], with_logits([0.0, 1.0]), y)


# every number there is

NUMBERS = [0.0, -0.0, 1.0, -1.0, 5e-324, 1e-300, 1e-30, 88.8, -104.0, 710.0, -746.0, 1e4, 1e30, -1e30, 1e300, -1e300]
HOSTILE = st.one_of(st.sampled_from([*NUMBERS, np.inf, -np.inf, np.nan]), st.floats(-50, 50), st.floats(0, 1))
SEEN = [pair for pair in PAIRS if pair[0] in ("softmax", "sigmoid")]


@every_dtype
@settings(max_examples=150)
@given(logits=st.lists(HOSTILE, min_size=1, max_size=6), label=st.integers(0, 5), head=st.sampled_from(SEEN))
@example(logits=[-0.0, 0.0], label=0, head=("softmax", "cross_entropy"))
@example(logits=[np.inf, np.inf], label=0, head=("softmax", "cross_entropy"))
def test_losses_and_slopes_of_hostile_logits_are_the_references(dtype, logits, label, head):
    assume(head != ("sigmoid", "cross_entropy") or -np.inf not in logits)  # the reference's 0 times inf is NaN
    network, eps = with_logits(logits, dtype, *head), float(np.finfo(dtype).eps)
    Y = np.eye(len(logits))[[label % len(logits)]]
    with np.errstate(all="ignore"):
        loss, dZ = loss_and_dZ(REFERENCE, network.astype("float64"), Y)
    for engine in ENGINES:
        got_loss, got = loss_and_dZ(engine, network, Y)
        near = {"rel": DIGITS[dtype], "abs": 2 * eps * math.sqrt(abs(loss)) if head[1] == "squared_error" else 1e-300}
        assert got_loss == pytest.approx(loss, **near, nan_ok=True), engine.isa
        np.testing.assert_allclose(got, dZ, rtol=10 * DIGITS[dtype], atol=eps, err_msg=engine.isa)


@every_dtype
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_and_their_slopes_are_the_references_at_every_size(dtype, activation):
    Z = np.concatenate([np.linspace(-120, 120, 1001), -np.logspace(-20, 1, 100), [0.0, -0.0, 1e4, -1e4]]).astype(dtype)
    with np.errstate(all="ignore"):
        far = np.array([*NUMBERS, np.inf, -np.inf, np.nan], dtype)
    f, h, eps = ACTIVATIONS[activation], len(Z), np.finfo(dtype).eps
    tail = 1 + (activation == "gelu") * Z.astype(float) ** 2  # its own is exp(-z^2/2)
    names = {"activation": activation, "output": "identity", "loss": "squared_error", "dtype": dtype}
    one = Network.from_parameters({"W1": [[1.0]], "b1": [0.0], "W2": [[1.0]], "b2": [0.0]}, **names)
    all_at_once = Network.from_parameters(
        {"W1": np.zeros((1, h)), "b1": Z, "W2": np.ones((h, 1)) / h, "b2": [0.0]}, **names
    )
    x, least = np.zeros((1, 1), dtype), float(np.finfo(dtype).tiny)
    with np.errstate(all="ignore"):
        values, far_values = f.f(Z.astype(float)), f.f(far.astype(float)).astype(dtype)
        slopes = f.vjp(np.ones(h), Z.astype(float))
    for engine in ENGINES:
        got = engine.logits(one, Z[:, None])[:, 0]
        assert (np.abs(got - values) <= 4 * eps * tail * np.abs(values) + least).all(), engine.isa
        np.testing.assert_allclose(engine.logits(one, far[:, None])[:, 0], far_values, rtol=4 * eps, atol=least)
        target = float(engine.logits(all_at_once, x)[0, 0]) - 1  # dL/db1 is f'(z) / h
        gradient = engine.loss_and_gradient(all_at_once, Data(x, np.array([[target]])), NOTHING)[1]
        error = 16 * eps * (np.abs(slopes) * tail + (activation in ("gelu", "silu", "mish")))
        assert (np.abs(h * gradient[h : 2 * h] - slopes) <= error + h * least).all(), engine.isa


# long sums


@every_engine
@every_dtype
def test_sums_over_many_equal_rows_do_not_drift(engine, dtype):
    n, network = 2**18, Network((3, 4, 3), activation="tanh", dtype=dtype)
    x, y = np.array([[0.1, 0.7, -0.3]], dtype), np.array([1])
    one = REFERENCE.loss_and_gradient(network.astype("float64"), Data(x.astype("float64"), y), NOTHING)
    data = Data(np.repeat(x, n, axis=0), np.repeat(y, n), np.full(n, 0.1))
    loss, gradient = engine.loss_and_gradient(network, data, NOTHING)
    assert loss == pytest.approx(one[0], rel=DIGITS[dtype])
    np.testing.assert_allclose(gradient, one[1], rtol=20 * DIGITS[dtype], atol=DIGITS[dtype] * np.abs(one[1]).max())


@every_dtype
@settings(max_examples=150)
@given(logits=st.lists(HOSTILE, min_size=2, max_size=6), members=st.integers(1, 63))
@example(logits=[-np.inf, -np.inf, 0.0], members=3)
@example(logits=[np.nan, 0.0], members=2)
@example(logits=[-np.inf, 1.0, 2.0], members=6)
@example(logits=[0.0, 650.0, 1300.0], members=1)
def test_losses_and_slopes_of_candidates_are_the_references(dtype, logits, members):
    S = np.array([[members >> c & 1 for c in range(len(logits))]], float)
    assume(S.any())
    network, eps = with_logits(logits, dtype, "softmax", "candidate_cross_entropy"), float(np.finfo(dtype).eps)
    with np.errstate(all="ignore"):
        loss, dZ = loss_and_dZ(REFERENCE, network.astype("float64"), S)
    for engine in ENGINES:
        got_loss, got = loss_and_dZ(engine, network, S)
        assert got_loss == pytest.approx(loss, rel=DIGITS[dtype], abs=1e-300, nan_ok=True), engine.isa
        np.testing.assert_allclose(got, dZ, rtol=10 * DIGITS[dtype], atol=eps, err_msg=engine.isa)
        if S.all() and not np.isnan(loss):
            assert (got_loss, got.tolist()) == (0, [0] * len(logits))


@every_engine
@every_dtype
@pytest.mark.parametrize("margin", [1, 17, 30, 60])
@pytest.mark.parametrize("k", [3, 17, 100])
def test_tiny_losses_of_candidates_keep_their_digits(engine, dtype, margin, k):
    network = with_logits([0.0] * (k - 2) + [margin, margin], dtype, "softmax", "candidate_cross_entropy")
    loss, dZ = loss_and_dZ(engine, network, np.repeat([[0.0, 1.0]], [k - 2, 2], axis=1))
    odds = (k - 2) * math.exp(-margin) / 2
    assert loss == pytest.approx(math.log1p(odds), rel=DIGITS[dtype], abs=0)
    np.testing.assert_allclose(dZ[-2:], -odds / (1 + odds) / 2, rtol=DIGITS[dtype])
