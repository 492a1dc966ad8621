"""Large networks (an answer must come within a second), odd but right returns, and points where rounding is loud."""

import numpy as np
from scipy.optimize import minimize

from tests.learners.case import NET, control, double, single
from tests.learners.programs.singles_own import COURSERA, CS231N

LARGE = NET([64, 100, 10], "relu", seed=201, n=128, size=0.15)
LARGE_SIG = NET([64, 100, 10], "sigmoid", seed=202, n=200, size=0.15)
LARGE_L2 = NET([64, 100, 10], "tanh", l2=1e-3, seed=203, n=64, size=0.1)
SMALL = NET([4, 6, 3], "tanh", seed=204, n=7)
PAIR = NET([4, 6, 3], "sigmoid", seed=205, n=2)
ONEROW = NET([5, 3], seed=206, n=1)


def sig(z):
    return 1 / (1 + np.exp(-z))


def smax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


# ------------------------------------------------ large


@single(LARGE_SIG, "jacobian_diagonal_only", "dZ2")
def large_diagonal(params, X, y):
    n = len(y)
    h = sig(X @ params["W1"] + params["b1"])
    P = smax(h @ params["W2"] + params["b2"])
    dP = np.zeros_like(P)
    dP[np.arange(n), y] = -1 / (n * P[np.arange(n), y])
    d = dP * P * (1 - P)
    e = d @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@single(LARGE, "updated_weights", "dA1 dZ1")
def large_updated_weights_small_rate(params, X, y):
    h = np.maximum(X @ params["W1"] + params["b1"], 0)
    d = smax(h @ params["W2"] + params["b2"])
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    g2 = h.T @ d
    W2 = params["W2"] - 0.001 * g2
    e = d @ W2.T * (h > 0)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": g2, "b2": d.sum(0)}


@single(LARGE_L2, "regulariser_on_biases", "b1 b2", declared=True)
def large_decay_on_biases(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(10)[y]) / len(y)
    e = d @ params["W2"].T * (1 - h**2)
    g = {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}
    return {k: v + 1e-3 * params[k] for k, v in g.items()}


@single(LARGE, "upstream_dropped", "dZ1", mode="arrays")
def large_mask_only(p, X, y):
    h = np.maximum(X @ p["W1"] + p["b1"], 0)
    d = (smax(h @ p["W2"] + p["b2"]) - np.eye(10)[y]) / len(y)
    e = np.where(h > 0, 1.0, 0.0)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@double(LARGE_SIG, "activation_missing + bias_averaged|factor", "dZ1 b1 b2")
def large_double(params, X, y):
    h = sig(X @ params["W1"] + params["b1"])
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(10)[y]) / len(y)
    e = d @ params["W2"].T
    return {"W1": X.T @ e, "b1": e.mean(0), "W2": h.T @ d, "b2": d.mean(0)}


@double(LARGE, "softmax_axis + activation_missing", "P dZ2 dZ1", mode="arrays")
def large_double_arrays(p, X, y):
    h = np.maximum(X @ p["W1"] + p["b1"], 0)
    E = np.exp(h @ p["W2"] + p["b2"])
    d = (E / E.sum(0) - np.eye(10)[y]) / len(y)
    e = d @ p["W2"].T
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


# ------------------------------------------------ odd returns that are right


@control(SMALL, declared=True, note="doubtful: the names dW1, db1 are everybody's; names are free")
def keys_with_a_d_in_front(params, X, y):
    a = np.tanh(X @ params["W1"] + params["b1"])
    dZ2 = (smax(a @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    dZ1 = dZ2 @ params["W2"].T * (1 - a**2)
    return {"dW1": X.T @ dZ1, "db1": dZ1.sum(0), "dW2": a.T @ dZ2, "db2": dZ2.sum(0)}


@control(COURSERA, note="doubtful as above")
def coursera_keys_with_a_d_in_front(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    E = np.exp(parameters["W2"] @ A1 + parameters["b2"])
    dZ2 = E / E.sum(axis=0) - Y
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    return {
        "dW1": dZ1 @ X.T / m,
        "db1": dZ1.sum(1, keepdims=True) / m,
        "dW2": dZ2 @ A1.T / m,
        "db2": dZ2.sum(1, keepdims=True) / m,
    }


@control(SMALL, declared=True, note="doubtful: (1, h) for (h,) broadcasts harmlessly")
def keepdims_bias_rows(params, X, y):
    a = np.tanh(X @ params["W1"] + params["b1"])
    d = (smax(a @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * (1 - a**2)
    return {"W1": X.T @ e, "b1": e.sum(0, keepdims=True), "W2": a.T @ d, "b2": d.sum(0, keepdims=True)}


@control(SMALL, declared=True)
def long_double(params, X, y):
    p = {k: v.astype(np.longdouble) for k, v in params.items()}
    a = np.tanh(X.astype(np.longdouble) @ p["W1"] + p["b1"])
    d = (smax(a @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ p["W2"].T * (1 - a**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": a.T @ d, "b2": d.sum(0)}


@control(PAIR, scale=2.0)
def batch_of_two_summed(params, X, y):
    h = sig(X @ params["W1"] + params["b1"])
    d = smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]
    e = d @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(ONEROW, declared=True)
def mean_over_a_batch_of_one(params, X, y):
    d = smax(X @ params["W1"] + params["b1"]) - np.eye(3)[y]
    return {"W1": X.T @ d / len(X), "b1": d.mean(0)}


@control(ONEROW, declared=True, mode="arrays")
def bias_last_row_of_a_batch_of_one_is_no_fault(p, X, y):
    d = smax(X @ p["W1"] + p["b1"]) - np.eye(3)[y]
    return {"W1": np.outer(X[-1], d[-1]), "b1": d[-1]}


@control(CS231N, mode="arrays")
def cs231n_grads_in_another_order(params, X, y):
    N = len(y)
    h = np.maximum(0, X @ params["W1"] + params["b1"])
    d = smax(h @ params["W2"] + params["b2"])
    d[np.arange(N), y] -= 1
    d /= N
    g = {}
    g["b2"] = d.sum(0)
    g["W2"] = h.T @ d + 0.5 * params["W2"]
    dh = np.where(h > 0, d @ params["W2"].T, 0)
    g["b1"] = dh.sum(0)
    g["W1"] = X.T @ dh + 0.5 * params["W1"]
    return g


# ------------------------------------------------ where rounding is loud

_base = NET([4, 3], l2=0.3, seed=207, n=10)


def AT_THE_MINIMUM():
    s = _base()
    net = s["network"]

    def f(theta):
        net.theta = theta
        loss, g = net.loss_and_gradients(s["X"], s["y"])
        return loss, np.array(g.flat)

    net.theta = minimize(f, np.array(net.theta), jac=True, method="BFGS", options={"gtol": 1e-8}).x
    return s


AT_THE_MINIMUM.__name__ = "AT_THE_MINIMUM"
AT_THE_MINIMUM.spec = _base.spec


@control(AT_THE_MINIMUM, declared=True, tolerance=0.2)
def gradient_after_training(params, X, y):
    z = X @ params["W1"] + params["b1"]
    P = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
    P[np.arange(len(y)), y] -= 1
    return {"W1": X.T @ P / len(y) + 0.3 * params["W1"], "b1": P.mean(0)}


@control(AT_THE_MINIMUM, declared=True, tolerance=0.2, mode="arrays")
def gradient_arrays_after_training(p, X, y):
    z = X @ p["W1"] + p["b1"]
    d = (np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True) - np.eye(3)[y]) / len(y)
    return {"W1": np.einsum("nd,nk->dk", X, d) + 0.3 * p["W1"], "b1": np.ones(len(y)) @ d}


_loud = NET([4, 6, 3], "sigmoid", seed=208, n=7)


def UNSCALED_INPUTS():
    s = _loud()
    s["X"] = s["X"] * 12.0  # nobody standardised: most hidden units saturate
    return s


UNSCALED_INPUTS.__name__ = "UNSCALED_INPUTS"
UNSCALED_INPUTS.spec = _loud.spec


@control(UNSCALED_INPUTS, declared=True, tolerance=1e-5)
def saturated_hidden_units(params, X, y):
    h = sig(X @ params["W1"] + params["b1"])
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@single(UNSCALED_INPUTS, "activation_missing", "dZ1", mode="arrays")
def saturated_and_slope_missing(p, X, y):
    h = sig(X @ p["W1"] + p["b1"])
    d = (smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ p["W2"].T
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


_far = NET([4, 3], seed=209, n=6)


def FAR_LOGITS():
    s = _far()
    s["network"].parameters["b1"][:] += 400.0  # a common shift: softmax does not care, exp of one learner's would
    return s


FAR_LOGITS.__name__ = "FAR_LOGITS"
FAR_LOGITS.spec = _far.spec


@control(FAR_LOGITS, declared=True)
def shift_of_all_logits(params, X, y):
    s = X @ params["W1"] + params["b1"]
    s = s - np.max(s)  # the whole array's maximum
    P = np.exp(s) / np.exp(s).sum(axis=1).reshape(-1, 1)
    d = (P - np.eye(3)[y]) / len(y)
    return {"W1": X.T @ d, "b1": d.sum(0)}
