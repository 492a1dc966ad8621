"""The page's arithmetic: the twin of `functional` in JavaScript and the engine in WebAssembly, on the tests' grid."""

import numpy as np
import pytest

from glassmax import Network
from glassmax.engine import Data, ReferenceEngine, Regularization
from glassmax.functional import softmax_jacobian
from glassmax.optimizers import SGD, Adam

from ..grid import heads, networks, one_hot
from .node import array, job, needs_node, numbers, run

pytestmark = needs_node

GRID = [case for case in [*networks(), *heads()] if case.loss != "candidate_cross_entropy"]


def rows(target, k):
    return one_hot(target, k) if target.ndim == 1 else target


def close(ours, theirs, tolerance=1e-12):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1.0, np.abs(theirs).max()))


def test_every_array_of_the_twin_is_that_of_the_reference():
    jobs, kept = [], []
    for case in GRID:
        network, (X, y, w) = case.network(), case.data()
        kept.append((network, X, y, w))
        weights = None if w is None else w.tolist()
        jobs.append(job("arrays", network, X, rows(y, network.layer_sizes[-1]), weights=weights))
    assert len(jobs) > 500
    for (network, X, y, w), answer in zip(kept, run(*jobs), strict=True):
        arrays = {name: array(M) for name, M in answer["arrays"].items()}
        tape = network.forward(X)
        loss, gradients = network.loss_and_gradients(X, y, w)
        for layer, Z in tape.Z.items():
            close(arrays[f"Z{layer}"], Z)
        for layer in range(1, network.depth):
            close(arrays[f"A{layer}"], tape.A[layer])
        close(arrays["P"], tape.P)
        close(answer["P"]["data"], tape.P.ravel())
        close(arrays["L"], np.reshape(loss, (1, 1)))
        for name, gradient in gradients.items():
            close(arrays[f"d{name}"], gradient.reshape(arrays[f"d{name}"].shape))
        close(numbers(answer["gradient"]), np.concatenate([gradient.ravel() for gradient in gradients.values()]))


def test_dP_of_the_twin_pulled_through_the_jacobians_is_dZ():
    network = Network([4, 5, 3], activation="tanh", output="softmax", loss="squared_error", random_state=3)
    draw = np.random.default_rng(0)
    X, Y = draw.normal(size=(6, 4)), one_hot(draw.integers(3, size=6), 3)
    (answer,) = run(job("arrays", network, X, Y))
    arrays = {name: array(M) for name, M in answer["arrays"].items()}
    J = softmax_jacobian(arrays["Z2"])
    close(np.einsum("ij,ijm->im", arrays["dP"], J), arrays["dZ2"])
    close(arrays["dX"], arrays["dZ1"] @ network.parameters["W1"].T)
    assert not np.allclose(np.einsum("ij,ijm->im", arrays["dP"] + 0.01 * X[:, :3], J), arrays["dZ2"])


def test_the_engine_in_webassembly_is_the_reference():
    jobs, kept = [], []
    for case in GRID:
        network, (X, y, w) = case.network(), case.data()
        if w is None:
            kept.append((network, X, y))
            jobs.append(job("engine", network, X, rows(y, network.layer_sizes[-1])))
    assert len(jobs) > 250
    for (network, X, y), answer in zip(kept, run(*jobs), strict=True):
        loss, gradients = network.loss_and_gradients(X, y)
        close(answer["loss"], loss)
        close(numbers(answer["gradient"]), np.concatenate([gradient.ravel() for gradient in gradients.values()]))
        close(numbers(answer["P"]), network.forward(X).P.ravel())


@pytest.mark.parametrize("rule", [SGD(0.05, momentum=0.9, nesterov=False), Adam(0.05)], ids=["sgd", "adam"])
@pytest.mark.parametrize("batch_size", [4, 5, 30])
def test_steps_in_webassembly_and_steps_of_the_twin_are_those_of_the_reference(rule, batch_size):
    draw = np.random.default_rng(1)
    X, y = draw.normal(size=(20, 4)), draw.integers(3, size=20)
    network = Network([4, 6, 3], activation="sigmoid", random_state=1)
    order, rate = draw.permutation(20), 0.05
    adam = isinstance(rule, Adam)
    options = {"order": order.tolist(), "batchSize": batch_size, "learningRate": rate, "momentum": 0.9, "adam": adam}
    engine, twin = run(
        job("train", network, X, one_hot(y, 3), **options),
        job("steps", network, X, one_hot(y, 3), **options),
    )
    state = rule.init(network.theta)
    steps = -(-20 // batch_size)
    result = ReferenceEngine().epoch(
        network, Data(X, y), rule, state, order=order, batch_size=batch_size, rates=np.full(steps, rate),
        regularization=Regularization(), first_step=0,
    )  # fmt: skip
    close(engine["loss"], result.loss)
    close(numbers(engine["theta"]), network.theta, 1e-11)
    close(numbers(twin["theta"]), network.theta, 1e-11)


def test_the_penalty_is_that_of_a_network_in_each_batch_the_last_one_too():
    draw = np.random.default_rng(2)
    X, y = draw.normal(size=(7, 4)), draw.integers(3, size=7)
    network = Network([4, 5, 3], activation="tanh", l2=0.3, random_state=1)
    options = {"order": list(range(7)), "batchSize": 4, "learningRate": 0.1, "momentum": 0.0, "adam": False}
    engine, twin = run(
        job("train", network, X, one_hot(y, 3), **options), job("steps", network, X, one_hot(y, 3), **options)
    )
    for some in (slice(0, 4), slice(4, 7)):
        network.step(network.loss_and_gradients(X[some], y[some])[1], learning_rate=0.1)
    close(numbers(engine["theta"]), network.theta)
    close(numbers(twin["theta"]), network.theta)


def test_a_row_of_nan_stays_in_its_row():
    network = Network([2, 3, 3], activation="tanh", random_state=0)
    X, Y = [["NaN", 1.0], [0.5, -1.0]], one_hot(np.array([0, 2]), 3)
    (answer,) = run(job("arrays", network, [[0, 0]], Y[:1]) | {"X": X, "Y": Y.tolist()})
    P = array(answer["arrays"]["P"])
    assert np.isnan(P[0]).all()
    close(P[1], network.forward(np.array([[0.5, -1.0]])).P[0])


def test_a_tiny_loss_keeps_its_digits():
    network = Network([1, 2], activation=(), random_state=0)
    network.theta[...] = [40.0, 0.0, 0.0, 0.0]
    (answer,) = run(job("arrays", network, [[1.0]], [[1.0, 0.0]]))
    assert array(answer["arrays"]["L"])[0, 0] == pytest.approx(np.exp(-40), rel=1e-12)
    assert array(answer["arrays"]["dZ1"])[0, 0] == pytest.approx(-np.exp(-40), rel=1e-12)


def test_a_number_that_is_typed_over_moves_what_depends_on_it_and_nothing_else():
    network = Network([4, 5, 3], activation="tanh", random_state=3)
    draw = np.random.default_rng(0)
    X, Y = draw.normal(size=(6, 4)), one_hot(draw.integers(3, size=6), 3)
    plain, changed = run(job("arrays", network, X, Y), job("arrays", network, X, Y, changes={"A1": {"2,1": 0.25}}))
    before = {name: array(M) for name, M in plain["arrays"].items()}
    after = {name: array(M) for name, M in changed["arrays"].items()}
    moved = {name: np.argwhere(~np.isclose(before[name], after[name], rtol=0, atol=1e-13)) for name in before}
    assert after["A1"][2, 1] == 0.25
    assert {tuple(cell) for cell in moved["A1"]} == {(2, 1)}
    assert {cell[0] for cell in moved["Z2"]} == {2}
    assert len(moved["Z2"]) == 3
    assert len(moved["Z1"]) == len(moved["X"]) == len(moved["W1"]) == 0
    assert {cell[0] for cell in moved["dW2"]} == {0, 1, 2, 3, 4}
