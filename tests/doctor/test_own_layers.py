"""A mask or a slope of their own in the learner's loss: what is wrong is named, or at least the layer where it is."""

import numpy as np
import pytest

import glassmax as gm
from tests.doctor.own_losses import H, K, N, data, two_layers
from tests.doctor.reverse_mode import cross_entropy, elu, leaky, softmax

SEEDS = (0, 1)


def with_mask(seed, kind, back):
    """A network with dropout of the hidden layer, and its gradients; `back` is what multiplies dA1 there."""
    draw, X, y = data(seed)
    p = two_layers(draw)
    keep = 0.6
    mask = (draw.random(H if kind == "units" else (N, H)) < keep).astype(float)
    mask.flat[:2] = 0, 1
    scaled = mask / keep if kind == "inverted" else mask

    def loss(p, X, y):
        return cross_entropy((np.tanh(X @ p["W1"] + p["b1"]) * scaled) @ p["W2"] + p["b2"], y)

    def gradients(p, X, y):
        A1 = np.tanh(X @ p["W1"] + p["b1"])
        dropped = A1 * scaled
        dZ2 = (softmax(dropped @ p["W2"] + p["b2"]) - np.eye(K)[y]) / len(y)
        dZ1 = dZ2 @ p["W2"].T * back(mask, scaled, A1) * (1 - A1**2)
        return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": dropped.T @ dZ2, "b2": dZ2.sum(axis=0)}

    return gm.diagnose(gradients, X, y, loss=loss, parameters=p)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["plain", "inverted", "units"])
def test_a_fixed_mask_in_both_passes_is_right(kind, seed):
    assert with_mask(seed, kind, lambda mask, scaled, A: scaled).verdict == "correct"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["plain", "inverted", "units"])
@pytest.mark.parametrize(
    "back", [lambda mask, scaled, A: 1.0, lambda mask, scaled, A: 1 - mask, lambda mask, scaled, A: scaled * A]
)
def test_a_mask_that_is_missing_going_back_names_the_layer(kind, back, seed):
    diagnosis = with_mask(seed, kind, back)
    assert diagnosis.first_wrong == "dZ1"
    (finding,) = diagnosis.findings
    assert (finding.where, finding.parameters) == ("dZ1", ("W1", "b1"))
    assert "the gradients of W1, b1 are wrong, and those of W2, b2 are right" in finding.says
    assert finding.line.splitlines()[0] == "dA1 = dZ2 @ W2.T"
    assert "mask" in finding.line
    assert "is a factor of dZ1" in finding.reason
    assert [line.correct for line in diagnosis.lines] == [False, False, True, True]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_divisor_of_dropout_that_is_missing_going_back_is_a_factor_of_the_layer(seed):
    diagnosis = with_mask(seed, "inverted", lambda mask, scaled, A: mask)
    (finding,) = diagnosis.findings
    assert (finding.cause, finding.where, finding.evidence["factor"]) == ("factor", "dZ1", "0.6")
    assert finding.says == "dZ1 is 0.6 times what it should be"
    assert diagnosis.first_wrong == "dZ1"


def test_a_wrong_sign_below_a_mask_is_one_of_the_layer():
    (finding,) = with_mask(0, "plain", lambda mask, scaled, A: -scaled).findings
    assert (finding.cause, finding.where, finding.says) == ("sign", "dZ1", "dZ1 has the wrong sign")


def test_columns_that_a_mask_of_units_leaves_out_are_said():
    diagnosis = with_mask(0, "units", lambda mask, scaled, A: np.where(np.arange(H) == 0, 1.0, scaled))
    assert diagnosis.findings[0].says.endswith("dW1 is wrong in columns 0 only")


def of_activation(seed, f, slope, columns=False, network=None):
    """A network with the activation f whose gradients take another slope."""
    draw, X, y = data(seed)
    p = two_layers(draw)

    def forward(p, X):
        Z = X @ p["W1"] + p["b1"]
        return Z, f(Z)

    def loss(p, X, y):
        return cross_entropy(forward(p, X)[1] @ p["W2"] + p["b2"], y)

    def gradients(p, X, y):
        Z, A = forward(p, X)
        dZ2 = (softmax(A @ p["W2"] + p["b2"]) - np.eye(K)[y]) / len(y)
        dZ1 = dZ2 @ p["W2"].T * slope(Z, A)
        return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A.T @ dZ2, "b2": dZ2.sum(axis=0)}

    if network is not None:
        return gm.diagnose(gradients, X, y, network=gm.Network.from_parameters(p, activation=network))
    return gm.diagnose(gradients, X, y, loss=loss, parameters=p)


def below(slope):
    return lambda Z, A: np.where(Z > 0, 1.0, slope)


@pytest.mark.parametrize("slope", [0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5])
def test_a_leaky_relu_with_another_slope_is_recognized_by_the_loss(slope):
    right = of_activation(0, leaky(slope), below(slope))
    assert right.verdict == "correct"
    name = "leaky_relu" if slope == 0.01 else f"leaky_relu(slope={slope:g})"
    assert f"identified by your loss: a 4-5-3 network, {name}, output softmax" in right.conventions


@pytest.mark.parametrize(
    ("slope", "used", "says"),
    [
        (0.2, 0.1, "below 0 the slope 0.1 was used"),
        (0.1, 0.3, "below 0 the slope 0.3 was used"),
        (0.3, 0.01, "the derivative of leaky_relu was used instead of the derivative of leaky_relu(slope=0.3)"),
        (0.2, 0.0, "the derivative of relu was used instead of the derivative of leaky_relu(slope=0.2)"),
        (0.1, 1.0, "leaky_relu(slope=0.1)'(Z1) is missing"),
    ],
)
def test_another_slope_going_back_is_named_with_the_right_line(slope, used, says):
    diagnosis = of_activation(1, leaky(slope), below(used))
    (finding,) = diagnosis.findings
    assert (finding.where, finding.says) == ("dZ1", says)
    assert finding.line == f"dZ1 = dA1 * np.where(Z1 > 0, 1, {slope:g})"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slope_that_nobody_uses_names_the_layer(seed):
    assert of_activation(seed, leaky(0.07), below(0.07)).verdict == "correct"
    diagnosis = of_activation(seed, leaky(0.07), below(0.2))
    assert diagnosis.first_wrong == "dZ1"
    assert diagnosis.findings[0].where == "dZ1"


@pytest.mark.parametrize("alpha", [1.0, 0.5, 0.1, 2.0])
def test_elu_with_its_factor_is_recognized_by_the_loss(alpha):
    right = of_activation(0, elu(alpha), lambda Z, A: np.where(Z > 0, 1.0, A + alpha))
    assert right.verdict == "correct"
    name = "elu" if alpha == 1 else f"elu(alpha={alpha:g})"
    assert any(f"network, {name}, output" in words for words in right.conventions)
    wrong = of_activation(0, elu(alpha), lambda Z, A: np.where(Z > 0, 1.0, A + 2 * alpha))
    assert wrong.first_wrong == "dZ1"


def test_the_other_slope_in_the_forward_pass_of_a_given_network_is_another_network():
    diagnosis = of_activation(0, leaky(0.2), below(0.2), network="leaky_relu")
    (finding,) = diagnosis.findings
    assert finding.other_network
    assert "leaky_relu(slope=0.2) was used instead of leaky_relu at A1" in finding.says


def deep(seed, spoiled):
    """Three hidden layers, of which the second has a scale of its own; `spoiled` is the layer without its slope."""
    draw, X, y = data(seed)
    sizes = (4, 6, 5, 4, 3)
    p = {f"W{i + 1}": draw.normal(size=sizes[i : i + 2]) * 0.6 for i in range(4)}

    def forward(p, X):
        A = [X]
        for layer in (1, 2, 3):
            Z = A[-1] @ p[f"W{layer}"]
            A.append(1.7 * np.tanh(Z) if layer == 2 else np.tanh(Z))
        return A

    def loss(p, X, y):
        return cross_entropy(forward(p, X)[-1] @ p["W4"], y)

    def gradients(p, X, y):
        A = forward(p, X)
        d = (softmax(A[3] @ p["W4"]) - np.eye(K)[y]) / len(y)
        found = {"W4": A[3].T @ d}
        for layer in (3, 2, 1):
            slope = 1.7 - A[layer] ** 2 / 1.7 if layer == 2 else 1 - A[layer] ** 2
            d = d @ p[f"W{layer + 1}"].T * (1 if layer == spoiled else slope)
            found[f"W{layer}"] = A[layer - 1].T @ d
        return found

    return gm.diagnose(gradients, X, y, loss=loss, parameters=p)


@pytest.mark.parametrize(("spoiled", "where"), [(0, None), (3, "dZ3"), (2, "dZ2"), (1, "dW1")])
def test_the_layer_of_a_deep_network_is_the_highest_that_is_wrong(spoiled, where):
    """Without biases, dW1 alone can't tell whether dZ1 or the product with X is wrong."""
    assert deep(0, spoiled).first_wrong == where


def test_a_gradient_that_alone_is_wrong_is_no_error_of_the_layer():
    """With the layer below right, dZ of the layer above was passed down rightly."""
    draw, X, y = data(0)
    p = two_layers(draw)
    net = lambda p, X, y: cross_entropy(1.3 * np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], y)

    def gradients(p, X, y):
        A = 1.3 * np.tanh(X @ p["W1"] + p["b1"])
        d = (softmax(A @ p["W2"] + p["b2"]) - np.eye(K)[y]) / len(y)
        below = d @ p["W2"].T * (1.3 - A**2 / 1.3)
        return {"W1": X.T @ below, "b1": below.sum(axis=0), "W2": (A**2).T @ d, "b2": d.sum(axis=0)}

    diagnosis = gm.diagnose(gradients, X, y, loss=net, parameters=p)
    assert (diagnosis.first_wrong, diagnosis.findings[0].where) == ("dW2", "W2")
