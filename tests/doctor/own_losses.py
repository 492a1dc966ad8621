"""Losses of learners that no known network has: normalization, attention, masks, slopes, ties, and what can't matter.

Each makes parameters and a loss from a seed. `ZERO` names the parameters whose gradient is 0 in exact arithmetic.
"""

import numpy as np

from tests.doctor.reverse_mode import (
    cross_entropy,
    elu,
    exp,
    leaky,
    log,
    relu,
    softmax,
    sqrt,
    tanh,
)

N, D, H, K = 12, 4, 5, 3


def data(seed):
    draw = np.random.default_rng(seed)
    return draw, draw.normal(size=(N, D)), np.arange(N) % K


def dense(draw, *shapes):
    return [draw.normal(size=shape) * 0.7 for shape in shapes]


def two_layers(draw, **more):
    W1, b1, W2, b2 = dense(draw, (D, H), H, (H, K), K)
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2, **more}


def normalized(Z, axis, epsilon=1e-5):
    M = Z - Z.mean(axis=axis, keepdims=True)
    return M / sqrt((M * M).mean(axis=axis, keepdims=True) + epsilon)


def batch_norm(f=tanh, epsilon=1e-5, shift=0.0, spread=1.0):
    def make(draw, X, y):
        p = two_layers(draw, gamma=1 + 0.1 * draw.normal(size=H), beta=draw.normal(size=H))

        def loss(p, X, y):
            Z = (shift + spread * X) @ p["W1"] + p["b1"]
            A = f(normalized(Z, 0, epsilon) * p["gamma"] + p["beta"])
            return cross_entropy(A @ p["W2"] + p["b2"], y)

        return p, loss

    return make


def batch_norm_of_the_logits(draw, X, y):
    p = two_layers(draw)
    return p, lambda p, X, y: cross_entropy(normalized(tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], 0), y)


def centred_over_the_batch(draw, X, y):
    def loss(p, X, y):
        Z = X @ p["W1"] + p["b1"]
        return cross_entropy(tanh(Z - Z.mean(axis=0)) @ p["W2"] + p["b2"], y)

    return two_layers(draw), loss


def layer_norm(draw, X, y):
    """`c` is added to every unit before the mean over the units is subtracted."""
    p = two_layers(draw, c=draw.normal(size=1), gamma=1 + 0.1 * draw.normal(size=H), beta=draw.normal(size=H))

    def loss(p, X, y):
        Z = X @ p["W1"] + p["b1"] + p["c"]
        return cross_entropy(relu(normalized(Z, 1) * p["gamma"] + p["beta"]) @ p["W2"] + p["b2"], y)

    return p, loss


def rms_norm(draw, X, y):
    def loss(p, X, y):
        Z = X @ p["W1"] + p["b1"]
        A = Z / sqrt((Z * Z).mean(axis=1, keepdims=True) + 1e-6)
        return cross_entropy(A @ p["W2"] + p["b2"], y)

    return two_layers(draw), loss


def attention(temperature=1.0):
    def make(draw, X, y):
        names = ("Wq", "Wk", "Wv", "Wo")
        p = dict(zip(names, dense(draw, (D, H), (D, H), (D, H), (H, K)), strict=True))
        p |= dict(zip(("bq", "bk", "bv", "bo"), dense(draw, H, H, H, K), strict=True))

        def loss(p, X, y):
            Q, keys, V = (X @ p["W" + name] + p["b" + name] for name in "qkv")
            weights = softmax(Q @ keys.T * (1 / (temperature * np.sqrt(H))))
            return cross_entropy(weights @ V @ p["Wo"] + p["bo"], y)

        return p, loss

    return make


def common_bias_of_the_logits(shape=()):
    def make(draw, X, y):
        def loss(p, X, y):
            return cross_entropy(relu(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"] + p["c"], y)

        return two_layers(draw, c=draw.normal(size=shape)), loss

    return make


def bias_of_each_sample(draw, X, y):
    def loss(p, X, y):
        return cross_entropy(X @ p["W"] + p["b"] + p["r"], y)

    return {"W": draw.normal(size=(D, K)), "b": draw.normal(size=K), "r": draw.normal(size=(N, 1))}, loss


def tied_biases(draw, X, y):
    W1, W2, W3, b, b3 = dense(draw, (D, H), (H, H), (H, K), H, K)

    def loss(p, X, y):
        A = tanh(X @ p["W1"] + p["b"])
        return cross_entropy(tanh(A @ p["W2"] + p["b"]) @ p["W3"] + p["b3"], y)

    return {"W1": W1, "b": b, "W2": W2, "W3": W3, "b3": b3}, loss


def tied_weights(draw, X, y):
    W1, W2, b = dense(draw, (D, H), (D, K), D)

    def loss(p, X, y):
        return cross_entropy(tanh(X @ p["W1"]) @ p["W1"].T @ p["W2"] + (p["b"] * p["b"]).sum(), y)

    return {"W1": W1, "W2": W2, "b": b}, loss


def weight_that_cannot_matter(draw, X, y):
    """`v` multiplies what is 0, and `u` is not used."""

    def loss(p, X, y):
        A = tanh(X @ p["W1"] + p["b1"])
        return cross_entropy(A @ p["W2"] + p["b2"] + ((A - A) * p["v"]).sum(axis=1, keepdims=True), y)

    return two_layers(draw, v=draw.normal(size=H), u=draw.normal(size=(2, 2))), loss


def bias_that_is_subtracted_again(draw, X, y):
    """`c` is added to all scores of a ranking, of which only differences are used."""

    def loss(p, X, y):
        s = tanh(X @ p["W"]) @ p["w"] + p["c"]
        difference = s[: N // 2] - s[N // 2 :]
        return log(1 + exp(-difference)).mean()

    return {"W": draw.normal(size=(D, H)), "w": draw.normal(size=(H, 1)), "c": draw.normal(size=1)}, loss


def hinge(draw, X, y):
    """A margin between the true class and the others; `c` is common to all scores."""

    def loss(p, X, y):
        S = X @ p["W"] + p["b"] + p["c"]
        margins = relu(S - S[np.arange(N), y][:, None] + 1.0)
        return margins.sum() / N

    return {"W": draw.normal(size=(D, K)), "b": draw.normal(size=K), "c": draw.normal(size=())}, loss


def dropout(kind):
    def make(draw, X, y):
        mask = draw.random((N, H) if kind != "units" else H) < 0.6
        mask = mask / (0.6 if kind == "inverted" else 1.0)

        def loss(p, X, y):
            return cross_entropy((tanh(X @ p["W1"] + p["b1"]) * mask) @ p["W2"] + p["b2"], y)

        return two_layers(draw), loss

    return make


def dropout_of_the_input(draw, X, y):
    mask = draw.random((N, D)) < 0.7
    return two_layers(draw), lambda p, X, y: cross_entropy(relu((X * mask) @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], y)


def activation(f):
    def make(draw, X, y):
        return two_layers(draw), lambda p, X, y: cross_entropy(f(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], y)

    return make


def residual(draw, X, y):
    W1, W2, W3, b1, b2, b3 = dense(draw, (D, H), (H, H), (H, K), H, H, K)

    def loss(p, X, y):
        A = leaky(0.2)(X @ p["W1"] + p["b1"])
        return cross_entropy((A + tanh(A @ p["W2"] + p["b2"])) @ p["W3"] + p["b3"], y)

    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "W3": W3, "b3": b3}, loss


def weight_norm(draw, X, y):
    def loss(p, X, y):
        W = p["V"] / sqrt((p["V"] * p["V"]).sum(axis=0, keepdims=True)) * p["g"]
        return cross_entropy(X @ W + p["b"], y)

    return {"V": draw.normal(size=(D, K)), "g": draw.normal(size=K), "b": draw.normal(size=K)}, loss


def focal(draw, X, y):
    def loss(p, X, y):
        P = softmax(tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])[np.arange(N), y]
        return -((1 - P) ** 2 * log(P)).mean()

    return two_layers(draw), loss


def cosine(draw, X, y):
    """Scores by the cosine: the size of `C` can't matter."""

    def unit(A):
        return A / sqrt((A * A).sum(axis=1, keepdims=True))

    def loss(p, X, y):
        return cross_entropy(unit(X @ p["W"]) @ unit(p["C"]).T * 5.0 + p["c"], y)

    return {"W": draw.normal(size=(D, H)), "C": draw.normal(size=(K, H)), "c": draw.normal(size=1)}, loss


def offset(draw, X, y):
    p, inner = batch_norm()(draw, X, y)
    return p, lambda p, X, y: inner(p, X, y) + 1000.0


def vanishing(draw, X, y):
    """The gradients of the first layer are about 1e-7 of those of the last."""
    p, inner = batch_norm()(draw, X, y)
    return p, lambda p, X, y: inner({**p, "W2": p["W2"] * 1e-7}, X, y)


def two_batch_norms_of_tiny_weights(draw, X, y):
    """The slopes by `W1` are about 1e3, and kinks are within 1e-7 of it."""
    W1, b1, g1, s1, W2, b2, g2, s2, W3, b3 = dense(draw, (D, H), H, H, H, (H, H), H, H, H, (H, K), K)

    def loss(p, X, y):
        A = relu(normalized(X @ p["W1"] + p["b1"], 0) * p["g1"] + p["s1"])
        A = relu(normalized(A @ p["W2"] + p["b2"], 0) * p["g2"] + p["s2"])
        return cross_entropy(A @ p["W3"] + p["b3"], y)

    first = {"W1": W1 * 1e-6, "b1": b1, "g1": g1, "s1": s1}
    return {**first, "W2": W2, "b2": b2, "g2": g2, "s2": s2, "W3": W3, "b3": b3}, loss


KINDS = {
    "batch_norm": (batch_norm(), {"b1"}),
    "batch_norm_relu": (batch_norm(relu), {"b1"}),
    "batch_norm_far_from_0": (batch_norm(shift=1000.0), {"b1"}),
    "batch_norm_narrow": (batch_norm(epsilon=0.0, spread=1e-4), {"b1"}),
    "batch_norm_large": (batch_norm(spread=1e4), {"b1"}),
    "batch_norm_of_the_logits": (batch_norm_of_the_logits, {"b2"}),
    "centred_over_the_batch": (centred_over_the_batch, {"b1"}),
    "layer_norm": (layer_norm, {"c"}),
    "rms_norm": (rms_norm, set()),
    "attention": (attention(), {"bk"}),
    "attention_hot": (attention(10.0), {"bk"}),
    "common_bias": (common_bias_of_the_logits(), {"c"}),
    "common_bias_of_one_axis": (common_bias_of_the_logits(1), {"c"}),
    "bias_of_each_sample": (bias_of_each_sample, {"r"}),
    "tied_biases": (tied_biases, set()),
    "tied_weights": (tied_weights, {"b"}),
    "weight_that_cannot_matter": (weight_that_cannot_matter, {"v", "u"}),
    "bias_that_is_subtracted_again": (bias_that_is_subtracted_again, {"c"}),
    "hinge": (hinge, {"c"}),
    "dropout": (dropout("plain"), set()),
    "dropout_inverted": (dropout("inverted"), set()),
    "dropout_of_units": (dropout("units"), set()),
    "dropout_of_the_input": (dropout_of_the_input, set()),
    "leaky_0.05": (activation(leaky(0.05)), set()),
    "leaky_0.1": (activation(leaky(0.1)), set()),
    "leaky_0.2": (activation(leaky(0.2)), set()),
    "leaky_0.3": (activation(leaky(0.3)), set()),
    "elu": (activation(elu(1.0)), set()),
    "elu_0.5": (activation(elu(0.5)), set()),
    "residual": (residual, set()),
    "weight_norm": (weight_norm, set()),
    "focal": (focal, set()),
    "cosine": (cosine, {"c"}),
    "offset": (offset, {"b1"}),
    "vanishing": (vanishing, {"b1"}),
}
"""The kinds by name: what makes one, and the parameters whose gradient is 0."""
