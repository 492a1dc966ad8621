"""A gradient of 0 is right when theirs is 0 to rounding, and wrong otherwise, in losses of learners of any kind."""

import numpy as np
import pytest

import glassmax as gm
from tests.doctor.own_losses import KINDS, data, two_batch_norms_of_tiny_weights
from tests.doctor.reverse_mode import gradients_of, relu

SEEDS = (0, 1, 2)
OF_ZERO = [name for name, (_, zero) in KINDS.items() if zero]


def learner(name, seed):
    make, zero = KINDS[name]
    draw, X, y = data(seed)
    p, loss = make(draw, X, y)
    return p, loss, X, y, zero


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", KINDS)
def test_a_right_gradient_is_right(name, seed):
    p, loss, X, y, _ = learner(name, seed)
    diagnosis = gm.diagnose(gradients_of(loss), X, y, loss=loss, parameters=p)
    assert diagnosis.verdict == "correct", str(diagnosis)


@pytest.mark.parametrize("name", OF_ZERO)
def test_the_gradients_of_zero_are_rounding_errors_and_nothing_else(name):
    """So that the tests above and below are about something: where the terms cancel, seeds differ in what is left."""
    _, _, _, _, zero = learner(name, 0)
    left, size = [], []
    for seed in range(6):
        p, loss, X, y, _ = learner(name, seed)
        G = gradients_of(loss)(p, X, y)
        left += [np.abs(G[key]).max() for key in zero]
        size.append(max(np.abs(array).max() for array in G.values()))
    assert max(left) < 1e-9 * max(size)
    assert any(left) or name == "weight_that_cannot_matter"


@pytest.mark.parametrize("added", [1e-3, 1e-5])
@pytest.mark.parametrize("name", OF_ZERO)
def test_a_small_gradient_where_the_true_one_is_zero_is_wrong(name, added):
    p, loss, X, y, zero = learner(name, 0)
    G = gradients_of(loss)(p, X, y)
    for key in zero:
        wrong = G | {key: G[key] + added * np.cos(np.arange(G[key].size)).reshape(G[key].shape)}
        diagnosis = gm.diagnose(wrong, X, y, loss=loss, parameters=p)
        assert [line.name for line in diagnosis.lines if not line.correct] == [key]
        assert diagnosis.causes == ("not_in_catalogue",)
        assert diagnosis.findings[0].says == (
            f"your loss does not change with {key}, so the gradient of {key} should be 0, but is not"
        )
        assert "central differences of your loss give 0" in diagnosis.findings[0].cell


@pytest.mark.parametrize("name", KINDS)
def test_an_error_of_one_percent_in_one_cell_is_wrong(name):
    p, loss, X, y, zero = learner(name, 1)
    G = gradients_of(loss)(p, X, y)
    for key in set(p) - zero:
        wrong = np.array(G[key])
        wrong.flat[0] += 0.01 * np.abs(wrong).max()
        diagnosis = gm.diagnose(G | {key: wrong}, X, y, loss=loss, parameters=p)
        assert key in [line.name for line in diagnosis.lines if not line.correct], key


@pytest.mark.parametrize("seed", range(5))
def test_a_loss_that_is_very_steep_between_kinks_is_measured_with_shorter_steps(seed):
    draw, X, y = data(seed)
    p, loss = two_batch_norms_of_tiny_weights(draw, X, y)
    G = gradients_of(loss)(p, X, y)
    right = gm.diagnose(G, X, y, loss=loss, parameters=p)
    assert right.verdict == "correct", str(right)
    wrong = np.array(G["W1"])
    wrong.flat[np.abs(wrong).argmax()] *= 1.01
    diagnosis = gm.diagnose(G | {"W1": wrong}, X, y, loss=loss, parameters=p)
    assert [line.name for line in diagnosis.lines if not line.correct] == ["W1"]


def test_a_gradient_of_zero_that_was_never_derived_is_right_and_a_penalty_on_it_is_not():
    p, loss, X, y, _ = learner("batch_norm", 0)
    G = gradients_of(loss)(p, X, y)
    assert gm.diagnose(G | {"b1": np.zeros(5)}, X, y, loss=loss, parameters=p).verdict == "correct"
    diagnosis = gm.diagnose(G | {"b1": 0.01 * p["b1"]}, X, y, loss=loss, parameters=p)
    assert diagnosis.causes == ("regulariser_missing",)
    assert diagnosis.findings[0].evidence["coefficient"] == "-0.01"


@pytest.mark.parametrize("name", ["batch_norm", "attention", "common_bias", "layer_norm"])
def test_a_gradient_of_zero_in_float32_or_by_finite_differences_is_right(name):
    p, loss, X, y, zero = learner(name, 0)
    in_single = {key: np.asarray(value, np.float32) for key, value in p.items()}
    single = gradients_of(loss)(in_single, X.astype(np.float32), y)
    assert max(np.abs(single[key]).max() for key in zero) < 1e-6
    for kind in (np.float32, np.float64):
        rounded = {key: G.astype(kind) for key, G in single.items()}
        assert gm.diagnose(rounded, X, y, loss=loss, parameters=p).verdict == "correct"

    def measured(p, X, y):
        found = {key: np.zeros(np.shape(value)) for key, value in p.items()}
        for key in p:
            for cell in np.ndindex(found[key].shape):
                ends = []
                for h in (1e-5, -1e-5):
                    moved = np.array(p[key])
                    moved[cell] += h
                    ends.append(loss({**p, key: moved}, X, y))
                found[key][cell] = (ends[0] - ends[1]) / 2e-5
        return found

    assert gm.diagnose(measured, X, y, loss=loss, parameters=p).verdict == "correct"


def test_a_loss_in_float32_is_measured_with_longer_steps():
    p, loss, X, y, _ = learner("batch_norm", 1)
    in_single = lambda p, X, y: np.float32(loss({k: np.float32(v) for k, v in p.items()}, np.float32(X), y))
    right = gradients_of(loss)
    assert gm.diagnose(right, X, y, loss=in_single, parameters=p).verdict == "correct"
    wrong = lambda p, X, y: right(p, X, y) | {"W1": 1.2 * right(p, X, y)["W1"]}
    assert gm.diagnose(wrong, X, y, loss=in_single, parameters=p).verdict == "wrong"


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0, 1.5, -1.0])
def test_at_a_kink_any_slope_between_both_sides_is_right(slope):
    """Biases of 0 and a row of zeros: relu is differentiated at 0, where libraries disagree."""
    _, X, y = data(0)
    X[4] = 0
    p = learner("batch_norm", 0)[0]
    p["b1"][:] = 0

    def own(p, X, y):
        A = relu(X @ p["W1"] + p["b1"])
        return (((A @ p["W2"])[:, 0] - y) ** 4.0).mean()

    G = gradients_of(own)(p, X, y)
    off = 4 * (0 - y[4]) ** 3 / 12 * p["W2"][:, 0]
    assert off.all()
    wrong = {**{key: np.zeros_like(value) for key, value in p.items()}, **G, "b1": G["b1"] + slope * off}
    diagnosis = gm.diagnose(wrong, X, y, loss=own, parameters=p)
    assert (diagnosis.verdict == "correct") == (0 <= slope <= 1), str(diagnosis)


def test_at_the_optimum_of_a_known_network_rounding_is_right_and_little_more_is_not():
    """The intercept's gradient is the mean of P - Y, whose terms cancel at the optimum."""
    _, X, y = data(0)
    X[:] = 0
    net = gm.Network([4, 3])
    net.parameters["b1"][:] = np.log(np.bincount(y) / len(y))

    def gradients(p, X, y):
        E = np.exp(X @ p["W1"] + p["b1"])
        dZ = (E / E.sum(axis=1, keepdims=True) - np.eye(3)[y]) / len(y)
        return {"W1": X.T @ dZ, "b1": dZ.sum(axis=0)}

    assert np.abs(gradients(dict(net.parameters), X, y)["b1"]).max() < 1e-15
    assert gm.diagnose(gradients, X, y, network=net, loss="network").verdict == "correct"
    arrays = gradients(dict(net.parameters), X, y)
    assert gm.diagnose(arrays, X, y, network=net, loss="network").verdict == "correct"
    arrays["b1"] = arrays["b1"] + [1e-3, 0, -1e-3]
    assert gm.diagnose(arrays, X, y, network=net, loss="network").verdict == "wrong"


def test_the_size_of_a_gradient_of_zero_is_not_taken_for_randomness():
    """Threads may sum in another order from call to call: that moves a 0 by all of its size."""
    _, X, y = data(0)
    net = gm.Network([4, 5, 3], activation="tanh", random_state=0)
    call = [0]

    def gradients(p, X, y):
        call[0] += 1
        found = dict(gm.Network.from_parameters(p, activation="tanh").loss_and_gradients(X, y)[1])
        found["b2"] = found["b2"] + (1 - 2 * (call[0] % 2)) * 1e-17
        return found

    net.parameters["b2"][:] = 0
    net.parameters["W2"][:] = 0  # all classes alike: the gradient of b2 is 0 on these data
    assert np.abs(net.loss_and_gradients(X, y)[1]["b2"]).max() < 1e-16
    assert gm.diagnose(gradients, X, y, network=net, loss="network").verdict == "correct"
