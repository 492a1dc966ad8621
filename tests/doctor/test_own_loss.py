"""No network, a loss of one's own: which network it is the loss of is found by its values, and said."""

import numpy as np
import pytest

import glassmax as gm

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(7, 4))
y = np.array([0, 1, 2, 0, 1, 1, 2])


def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_nested_parameters_without_biases_under_a_sum():
    nested = {"layers": [{"W": DRAW.normal(size=(4, 5))}, {"W": DRAW.normal(size=(5, 3))}]}

    def loss(p, X, y):
        hidden = np.tanh(X @ p["layers"][0]["W"])
        return -np.log(softmax(hidden @ p["layers"][1]["W"])[np.arange(len(y)), y]).sum()

    def gradients(p, X, y, divisor=1):
        hidden = np.tanh(X @ p["layers"][0]["W"])
        delta = (softmax(hidden @ p["layers"][1]["W"]) - np.eye(3)[y]) / divisor
        below = delta @ p["layers"][1]["W"].T * (1 - hidden**2)
        return {"layers": [{"W": X.T @ below}, {"W": hidden.T @ delta}]}

    right = gm.diagnose(gradients, X, y, loss=loss, parameters=nested)
    assert right.verdict == "correct"
    assert "identified by your loss: a 4-5-3 network, tanh, output softmax" in right.conventions
    assert "your loss: the sum over the samples of cross-entropy" in right.conventions
    averaged = gm.diagnose(lambda p, X, y: gradients(p, X, y, len(y)), X, y, loss=loss, parameters=nested)
    assert averaged.causes == ("factor",)
    assert averaged.findings[0].evidence["factor"] == "1/n"


DEEP = {
    "W1": DRAW.normal(size=(4, 6)),
    "b1": DRAW.normal(size=(1, 6)),
    "W2": DRAW.normal(size=(6, 5)),
    "b2": DRAW.normal(size=(1, 5)),
    "W3": DRAW.normal(size=(5, 3)),
    "b3": DRAW.normal(size=(1, 3)),
}


def deep_forward(p, X):
    a1 = np.maximum(0, X @ p["W1"] + p["b1"])
    a2 = np.tanh(a1 @ p["W2"] + p["b2"])
    return a1, a2, softmax(a2 @ p["W3"] + p["b3"])


def deep_loss(p, X, y):
    data = -np.log(deep_forward(p, X)[2][np.arange(len(y)), y]).mean()
    return data + 0.005 * sum((p[name] ** 2).sum() for name in ("W1", "W2", "W3"))


def deep_gradients(p, X, y, decay=(0.01, 0.01, 0.01), slope=None):
    a1, a2, q = deep_forward(p, X)
    found = {}
    d = (q - np.eye(3)[y]) / len(y)
    found["W3"], found["b3"] = a2.T @ d + decay[2] * p["W3"], d.sum(axis=0, keepdims=True)
    d = d @ p["W3"].T * (1 - a2**2)
    found["W2"], found["b2"] = a1.T @ d + decay[1] * p["W2"], d.sum(axis=0, keepdims=True)
    d = d @ p["W2"].T * (a1 > 0 if slope is None else slope(a1))
    found["W1"], found["b1"] = X.T @ d + decay[0] * p["W1"], d.sum(axis=0, keepdims=True)
    return found


@pytest.mark.parametrize(
    ("changed", "causes", "where"),
    [
        ({}, (), None),
        ({"decay": (0.01, 0, 0.01)}, ("regulariser_missing",), "dW2"),
        ({"decay": (0.02, 0.02, 0.02)}, ("regulariser_factor",), "dW3"),
        ({"decay": (0.01, -0.01, 0.01)}, ("regulariser_sign",), "dW2"),
        ({"slope": lambda a: a}, ("activation_other_function",), "dZ1"),
    ],
)
def test_layers_with_activations_of_their_own_and_a_penalty(changed, causes, where):
    def function(p, X, y):
        return deep_gradients(p, X, y, **changed)

    diagnosis = gm.diagnose(function, X, y, loss=deep_loss, parameters=DEEP)
    assert (diagnosis.causes, diagnosis.first_wrong) == (causes, where)
    assert any("relu, tanh" in words for words in diagnosis.conventions)


@pytest.mark.parametrize("mean", [False, True])
def test_logistic_regression_with_a_vector_and_a_number(mean):
    parameters = {"w": DRAW.normal(size=4), "b": 0.3}
    labels = (y > 0).astype(float)

    def probability(p, X):
        return 1 / (1 + np.exp(-(X @ p["w"] + p["b"])))

    def loss(p, X, t):
        q = probability(p, X)
        return -(t * np.log(q) + (1 - t) * np.log(1 - q)).mean()

    def gradients(p, X, t):
        d = (probability(p, X) - t) / len(t)
        return {"w": X.T @ d, "b": d.mean() if mean else d.sum()}

    diagnosis = gm.diagnose(gradients, X, labels, loss=loss, parameters=parameters)
    assert diagnosis.causes == (("bias_averaged",) if mean else ())


@pytest.mark.parametrize("hard", [False, True])
def test_smoothed_labels_are_read_from_the_loss(hard):
    net = gm.Network([4, 5, 3], activation="tanh", random_state=2)

    def forward(p, X):
        hidden = np.tanh(X @ p["W1"] + p["b1"])
        return hidden, softmax(hidden @ p["W2"] + p["b2"])

    def smoothed(y):
        return np.eye(3)[y] * 0.9 + 0.1 / 3

    def loss(p, X, y):
        return -(smoothed(y) * np.log(forward(p, X)[1])).sum(axis=1).mean()

    def gradients(p, X, y):
        hidden, q = forward(p, X)
        d = (q - (np.eye(3)[y] if hard else smoothed(y))) / len(y)
        below = d @ p["W2"].T * (1 - hidden**2)
        return {"W1": X.T @ below, "b1": below.sum(axis=0), "W2": hidden.T @ d, "b2": d.sum(axis=0)}

    diagnosis = gm.diagnose(gradients, X, y, loss=loss, network=net)
    assert diagnosis.causes == (("other_loss",) if hard else ())
    assert any("smoothed by 0.1" in words for words in diagnosis.conventions)


def test_labels_from_one_are_read_and_said():
    net = gm.Network([4, 3])

    def gradients(p, X, y):
        d = (softmax(X @ p["W1"] + p["b1"]) - np.eye(3)[y - 1]) / len(y)
        return {"W1": X.T @ d, "b1": d.sum(axis=0)}

    diagnosis = gm.diagnose(gradients, X, y + 1, network=net)
    assert diagnosis.verdict == "correct"
    assert "labels count from 1" in diagnosis.conventions
