"""A learned scale of the inputs: the network it is folded into, its exact gradient, and its state."""

import numpy as np
import pytest

from glassmax import Network, derive
from glassmax.engine.input_scale import fold, init_scaled, pull_back, unfold
from glassmax.optimizers import SGD, Adam
from tests.embedding.cases import EMBEDDINGS, rows
from tests.embedding.cases import network as embedded
from tests.grid import DTYPES, networks


def scaled(case, dtype="float64"):
    """Return a network, its rows, and the parameters before the scale with the scale behind them."""
    network, scale = case.network(dtype), np.random.default_rng(0).uniform(0.5, 2, case.sizes[0])
    return network, case.data(), np.concatenate([network.theta, scale]).astype(dtype)


def with_theta(network, theta):
    other = network.astype(theta.dtype)
    other.theta[...], other.l2 = theta, 0.0
    return other


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_folded_network_is_the_one_on_scaled_inputs(dtype):
    network, (X, _, _), unscaled = scaled(networks()[5], dtype)
    p = network.theta.size
    whole = with_theta(network, fold(network, unscaled)).forward(X).P
    plain = with_theta(network, unscaled[:p]).forward(X * unscaled[p:]).P
    np.testing.assert_allclose(whole, plain, rtol=1e-5 if dtype == "float32" else 1e-12)


def wrong(network, unscaled, gradient):
    """Return the derivatives of someone who forgets the scale in that of the weights."""
    p = network.theta.size
    return np.concatenate([gradient, pull_back(network, unscaled, gradient)[p:]])


@pytest.mark.parametrize("case", networks()[::3], ids=str)
def test_the_gradient_is_the_derivative_of_the_loss_on_scaled_inputs(case):
    network, (X, y, w), unscaled = scaled(case)
    p = network.theta.size

    def loss(point):
        return with_theta(network, point[:p]).loss(X * point[p:], y, w)

    theta = fold(network, unscaled)
    gradient = with_theta(network, theta).loss_and_gradients(X, y, w)[1].flat
    direction, h = np.random.default_rng(1).standard_normal(unscaled.shape), 1e-4
    direction[network.parameters.W[1].size : p] = 0  # the first layer and its scale
    measured = (loss(unscaled + h * direction) - loss(unscaled - h * direction)) / (2 * h)
    assert np.isfinite(measured)
    assert pull_back(network, unscaled, gradient) @ direction == pytest.approx(measured, rel=1e-5, abs=1e-10)
    assert wrong(network, unscaled, gradient) @ direction != pytest.approx(measured, rel=1e-5, abs=1e-10)


@pytest.mark.parametrize(
    ("wrt", "formula"),
    [("s", "(W ⊙ (Xᵀ(X diag(s) W - Y))) 1"), ("W", "diag(s) Xᵀ(X diag(s) W - Y)")],
)
def test_the_formulas_are_those_that_the_calculus_derives(wrt, formula):
    """With dZ = X diag(s) W - Y and dW1 = XᵀdZ, these are ds and dW of `pull_back`."""
    derivation = derive("L = sum_i sum_j (sum_m X[i,m] s[m] W[m,j] - Y[i,j])^2 / 2", wrt)
    assert derivation.matrix_form == formula


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_the_scale_comes_after_an_embedding(name):
    network, (X, y, w) = embedded(name), rows(40)
    draw, p = np.random.default_rng(0), network.theta.size
    unscaled = np.concatenate([network.theta, draw.uniform(0.5, 2, network.layer_sizes[0])])
    network.theta = fold(network, unscaled)
    A0 = network.forward(X).A[0]
    rest = Network(network.layer_sizes, activation=network.activations)
    rest.theta = unscaled[: rest.theta.size]
    np.testing.assert_allclose(rest.forward(A0 * unscaled[p:]).P, network.forward(X).P, rtol=1e-12)
    gradient = pull_back(network, unscaled, network.loss_and_gradients(X, y, w)[1].flat)
    direction, h = draw.standard_normal(unscaled.shape), 1e-5

    def loss(point):
        network.theta = fold(network, point)
        return network.loss(X, y, w)

    measured = (loss(unscaled + h * direction) - loss(unscaled - h * direction)) / (2 * h)
    assert gradient @ direction == pytest.approx(measured, rel=1e-5)


@pytest.mark.parametrize("rule", [SGD(0.1), Adam(0.1)], ids=["sgd", "adam"])
def test_the_state_begins_with_a_scale_of_1_that_changes_nothing(rule):
    network = Network((4, 5, 3), dtype="float32")
    state = init_scaled(rule, network)
    np.testing.assert_array_equal(fold(network, state["unscaled"]), network.theta)
    assert {len(values) for values in state.values() if np.ndim(values)} == {network.theta.size + 4}
    assert state["unscaled"].dtype == np.float32
    state["unscaled"][-1] = 3
    unfold(network, state["unscaled"])  # another network than that of the scale
    np.testing.assert_array_equal(state["unscaled"][-4:], 1)
