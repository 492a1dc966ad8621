"""How what was handed in is read: which network a loss is the loss of, with bounded work; the parameters' order."""

from itertools import pairwise, permutations

import numpy as np
import pytest

import glassmax as gm
from glassmax.doctor.exact_pass import Architecture, Pass
from glassmax.doctor.reading import problem
from glassmax.doctor.reading.loss_screening import possible


def deep(seed=0, m=7):
    """3-5-4-1 in columns, relu and relu and sigmoid, with its own loss."""
    rng = np.random.default_rng(seed)
    sizes = (3, 5, 4, 1)
    p = {}
    for layer, (d, h) in enumerate(pairwise(sizes), start=1):
        p |= {f"W{layer}": rng.normal(size=(h, d)), f"b{layer}": rng.normal(size=(h, 1))}
    return p, rng.normal(size=(3, m)), (rng.random((1, m)) > 0.5) * 1.0


def forward(p, X):
    A1 = np.maximum(p["W1"] @ X + p["b1"], 0)
    A2 = np.maximum(p["W2"] @ A1 + p["b2"], 0)
    return A1, A2, 1 / (1 + np.exp(-(p["W3"] @ A2 + p["b3"])))


def loss(p, X, Y):
    P = forward(p, X)[-1]
    return -np.mean(Y * np.log(P) + (1 - Y) * np.log(1 - P))


def gradients(p, X, Y, factor=1.0):
    A1, A2, P = forward(p, X)
    dZ3 = (P - Y) / X.shape[1]
    dZ2 = p["W3"].T @ dZ3 * (A2 > 0)
    dZ1 = p["W2"].T @ dZ2 * (A1 > 0)
    made = {"W3": dZ3 @ A2.T, "W2": factor * dZ2 @ A1.T, "W1": dZ1 @ X.T}
    return made | {f"b{i}": dZ.sum(axis=1, keepdims=True) for i, dZ in ((1, dZ1), (2, dZ2), (3, dZ3))}


@pytest.fixture
def fits(monkeypatch):
    """Count how often a loss is fitted in full."""
    calls = []
    plain = problem.fit_loss
    monkeypatch.setattr(problem, "fit_loss", lambda *a, **k: calls.append(a) or plain(*a, **k))
    return calls


def test_a_deep_net_with_its_own_loss_is_read_with_few_fits(fits):
    p, X, Y = deep()
    d = gm.diagnose(lambda p, X, Y: gradients(p, X, Y, 7.0), X, Y, loss=loss, parameters=p)
    assert d.first_wrong == "dW2"
    assert d.causes == ("factor",)
    assert gm.diagnose(gradients, X, Y, loss=loss, parameters=p).verdict == "correct"
    assert len(fits) < 100


def test_an_unknown_loss_of_a_deep_net_is_measured_with_few_fits(fits):
    p, X, Y = deep()

    def other(p, X, Y):
        return float(np.sum(np.cos(forward(p, X)[-1] - 2 * Y)))

    d = gm.diagnose(gradients, X, Y, loss=other, parameters=p)
    assert d.verdict == "wrong"
    assert "none of the known" in " ".join(d.conventions)
    assert len(fits) < 100


@pytest.mark.parametrize("activations", [("tanh", "relu"), ("sigmoid", "sigmoid"), ("gelu", "silu")])
@pytest.mark.parametrize(
    "head", [("softmax", "cross_entropy"), ("softmax", "squared_error"), ("sigmoid", "squared_error")]
)
def test_the_screening_keeps_the_right_network(activations, head):
    rng = np.random.default_rng(3)
    sizes = (3, 4, 5, 3)
    X, Y = rng.normal(size=(6, 3)), np.eye(3)[rng.integers(0, 3, 6)]
    points, values = [], []
    true = Architecture(sizes, activations, *head, (True,) * 3)
    for _ in range(8):
        W = {i: rng.normal(size=sizes[i - 1 : i + 1]) for i in (1, 2, 3)}
        b = {i: rng.normal(size=sizes[i]) for i in (1, 2, 3)}
        smooth = 0.9 * Y + 0.1 / 3 if head[1] == "cross_entropy" else Y
        p = Pass(true, W, b, X, smooth, scale=1.0)
        values.append(0.2 * p.head.rows(p.tape, smooth).sum() + 0.05 * sum((w * w).sum() for w in W.values()))
        points.append((W, b))
    kept = possible(sizes, (True,) * 3, points, X, Y, values, False, mixed=True)
    assert true in kept
    assert len(kept) <= 3


LABELS = np.array([0, 1, 2, 0, 1, 2])


def unnumbered(p, X, y):
    H = np.maximum(X @ p["hk"] + p["hb"], 0)
    E = np.exp(H @ p["ok"] + p["ob"])
    d = (E / E.sum(axis=1, keepdims=True) - np.eye(3)[y]) / len(X)
    dh = d @ p["ok"].T * (H > 0)
    return {"ok": H.T @ d, "ob": d.sum(axis=0), "hk": X.T @ dh, "hb": dh.sum(axis=0)}


def unnumbered_loss(p, X, y):
    Z = np.maximum(X @ p["hk"] + p["hb"], 0) @ p["ok"] + p["ob"]
    return np.mean(np.log(np.exp(Z).sum(axis=1)) - Z[np.arange(len(X)), y])


@pytest.mark.parametrize("hidden", [5, 3])
@pytest.mark.parametrize("order", list(permutations(("ob", "ok", "hb", "hk"))))
def test_parameters_come_in_any_order(order, hidden):
    rng = np.random.default_rng(0)
    shapes = {"ob": (3,), "ok": (hidden, 3), "hb": (hidden,), "hk": (4, hidden)}
    p = {name: rng.normal(size=shapes[name]) for name in order}
    X = rng.normal(size=(6, 4))
    by_network = gm.diagnose(unnumbered, X, LABELS, network=gm.Network([4, hidden, 3]), parameters=p)
    assert by_network.verdict == "correct"
    by_loss = gm.diagnose(unnumbered, X, LABELS, loss=unnumbered_loss, parameters=p)
    assert by_loss.verdict == "correct"
    assert "none of the known" not in " ".join(by_loss.conventions)


def swapped(p, X, y):
    made = unnumbered({"hk": p["W1"], "hb": p["b1"], "ok": p["W2"], "ob": p["b2"]}, X, y)
    return {"W1": made["hk"], "b1": made["ob"], "W2": made["ok"], "b2": made["hb"]}


def test_gradients_of_biases_that_are_exchanged_are_no_other_order():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(6, 3))
    p = {name: rng.normal(size=(3, 3)) for name in ("W1", "W2")} | {"b1": np.zeros(3), "b2": np.zeros(3)}
    network = gm.Network([3, 3, 3])
    assert gm.diagnose(swapped, X, LABELS, network=network, parameters=p).verdict == "wrong"
    assert gm.diagnose(swapped(p, X, LABELS), X, LABELS, network=network, parameters=p).verdict == "wrong"


def test_square_weights_are_in_the_order_of_their_digits():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(6, 3))
    p = {name: rng.normal(size=(3, 3) if name[0] == "W" else 3) for name in ("b2", "W2", "b1", "W1")}

    def function(p, X, y):
        made = unnumbered({"hk": p["W1"], "hb": p["b1"], "ok": p["W2"], "ob": p["b2"]}, X, y)
        return {"W1": made["hk"], "b1": made["hb"], "W2": made["ok"], "b2": made["ob"]}

    assert gm.diagnose(function, X, LABELS, network=gm.Network([3, 3, 3]), parameters=p).verdict == "correct"
