"""Two mistakes in one piece of code. `expect` names both, joined by +; a class within each by |."""

import numpy as np

from tests.learners.case import NET, double
from tests.learners.programs.singles_own import (
    CS231N,
    COURSERA,
    COURSERA_L2,
    KERAS_MSE,
    LAMBD,
    NIELSEN,
    RASHID,
    REG,
    TORCHY,
    UFLDL,
)

D_TANH = NET([4, 6, 3], "tanh", seed=81, n=7)
D_SIG = NET([5, 4, 3], "sigmoid", seed=82, n=8)
D_RELU = NET([4, 7, 3], "relu", seed=83, n=9)
D_DEEP = NET([4, 6, 5, 3], "tanh", seed=84, n=8)
D_SQ = NET([5, 4, 4, 3], "sigmoid", seed=85, n=7)
D_L2 = NET([4, 6, 3], "tanh", l2=0.2, seed=86, n=7)
D_LOG = NET([5, 4], seed=87, n=9)
D_LOGL2 = NET([5, 4], l2=0.2, seed=88, n=9)
D_MSE = NET([4, 6, 3], "sigmoid", "softmax", "squared_error", seed=89, n=7, targets="onehot")
D_MSIG = NET([4, 5, 2], "tanh", "sigmoid", "squared_error", seed=90, n=7, targets="unit")


def sig(z):
    return 1 / (1 + np.exp(-z))


def smax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


# ------------------------------------------------ functions on our network


@double(D_SIG, "jacobian_diagonal_only + activation_missing", "dZ2 dZ1")
def d01(params, X, y):
    n = len(y)
    h = sig(X @ params["W1"] + params["b1"])
    p = smax(h @ params["W2"] + params["b2"])
    dp = np.zeros_like(p)
    dp[np.arange(n), y] = -1 / p[np.arange(n), y] / n
    d2 = dp * p * (1 - p)
    d1 = d2 @ params["W2"].T
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": h.T @ d2, "b2": d2.sum(0)}


@double(D_TANH, "bias_averaged|factor + activation_other_function", "b1 b2 dZ1")
def d02(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    d2 = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    d1 = d2 @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ d1, "b1": d1.mean(0), "W2": h.T @ d2, "b2": d2.mean(0)}


@double(D_L2, "regulariser_sign + sign", "W1 W2 b1 b2 dZ2", declared=True)
def d03(params, X, y):
    # the biases were written with the update in mind, the penalty with 'decay' in mind
    h = np.tanh(X @ params["W1"] + params["b1"])
    d2 = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    d1 = d2 @ params["W2"].T * (1 - h**2)
    return {
        "W1": X.T @ d1 - 0.2 * params["W1"],
        "b1": -d1.sum(0),
        "W2": h.T @ d2 - 0.2 * params["W2"],
        "b2": -d2.sum(0),
    }


@double(D_L2, "regulariser_missing + activation_missing", "W1 W2 dZ1", declared=True)
def d04(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    d2 = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    d1 = d2 @ params["W2"].T
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": h.T @ d2, "b2": d2.sum(0)}


@double(D_LOGL2, "softmax_axis + regulariser_factor", "P dZ1 W1", declared=True)
def d05(params, X, y):
    Z = X @ params["W1"] + params["b1"]
    P = np.exp(Z) / np.exp(Z).sum(axis=0)
    d = (P - np.eye(4)[y]) / len(y)
    return {"W1": X.T @ d + 2 * 0.2 * params["W1"], "b1": d.sum(0)}


@double(D_LOGL2, "factor + regulariser_on_biases", "W1 b1 dZ1", declared=True)
def d06(params, X, y):
    d = smax(X @ params["W1"] + params["b1"]) - np.eye(4)[y]  # 1/N left out
    return {"W1": X.T @ d + 0.2 * params["W1"], "b1": d.sum(0) + 0.2 * params["b1"]}


@double(D_DEEP, "activation_missing + bias_last_row", "dZ2 dZ1 b1 b2 b3")
def d07(params, X, y):
    g = {k: np.zeros_like(v) for k, v in params.items()}
    for x, c in zip(X, y):
        a1 = np.tanh(x @ params["W1"] + params["b1"])
        a2 = np.tanh(a1 @ params["W2"] + params["b2"])
        z3 = a2 @ params["W3"] + params["b3"]
        d3 = np.exp(z3) / np.exp(z3).sum()
        d3[c] -= 1
        d2 = params["W3"] @ d3
        d1 = params["W2"] @ d2 * (1 - a1**2)
        for l, (inp, d) in enumerate(((x, d1), (a1, d2), (a2, d3)), start=1):
            g[f"W{l}"] += np.outer(inp, d) / len(y)
            g[f"b{l}"] = d / len(y)
    return g


@double(D_SQ, "transposed + activation_of_a", "dA1 dZ1 dZ2")
def d08(params, X, y):
    prime = lambda v: sig(v) * (1 - sig(v))
    a1 = sig(X @ params["W1"] + params["b1"])
    a2 = sig(a1 @ params["W2"] + params["b2"])
    d3 = (smax(a2 @ params["W3"] + params["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ params["W3"].T * prime(a2)
    d1 = d2 @ params["W2"] * prime(a1)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0), "W3": a2.T @ d3, "b3": d3.sum(0)}


@double(D_RELU, "labels_from_one|class_shifted + upstream_dropped", "Y dZ2 dZ1")
def d09(params, X, y):
    z = X @ params["W1"] + params["b1"]
    h = np.maximum(z, 0)
    d2 = smax(h @ params["W2"] + params["b2"])
    d2[np.arange(len(y)), y - 1] -= 1
    d2 /= len(y)
    d1 = (z > 0) * 1.0
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": h.T @ d2, "b2": d2.sum(0)}


@double(D_TANH, "updated_weights + bias_averaged|factor", "dA1 dZ1 b1 b2")
def d10(params, X, y):
    lr = 0.1
    h = np.tanh(X @ params["W1"] + params["b1"])
    d2 = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    gW2 = h.T @ d2
    W2 = params["W2"] - lr * gW2
    d1 = d2 @ W2.T * (1 - h**2)
    return {"W1": X.T @ d1, "b1": d1.mean(0), "W2": gW2, "b2": d2.mean(0)}


@double(D_MSE, "jacobian_ignored|other_loss + activation_missing", "dZ2 dZ1", declared=True)
def d11(params, X, Y):
    h = sig(X @ params["W1"] + params["b1"])
    d2 = (smax(h @ params["W2"] + params["b2"]) - Y) / len(X)
    d1 = d2 @ params["W2"].T
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": h.T @ d2, "b2": d2.sum(0)}


@double(D_MSIG, "activation_missing|other_loss + activation_other_function", "dZ2 dZ1")
def d12(params, X, T):
    h = np.tanh(X @ params["W1"] + params["b1"])
    o = sig(h @ params["W2"] + params["b2"])
    d2 = (o - T) / len(X)
    d1 = d2 @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": h.T @ d2, "b2": d2.sum(0)}


@double(D_LOG, "softmax_twice + bias_last_row", "P dZ1 b1")
def d13(params, X, y):
    D = smax(smax(X @ params["W1"] + params["b1"]))
    D[np.arange(len(y)), y] -= 1
    D /= len(y)
    for row in D:
        gb = row
    return {"W1": X.T @ D, "b1": gb.copy()}


@double(D_LOG, "index_for_one_hot + weights_for_input", "Y dZ1 W1")
def d14(params, X, y):
    D = (smax(X @ params["W1"] + params["b1"]) - y[:, None]) / len(y)
    return {"W1": params["W1"] * D.sum(0), "b1": D.sum(0)}


@double(D_DEEP, "wrong_operand + activation_missing_below", "W3 dZ2 dA1 dZ1")
def d15(params, X, y):
    z1 = X @ params["W1"] + params["b1"]
    a1 = np.tanh(z1)
    z2 = a1 @ params["W2"] + params["b2"]
    a2 = np.tanh(z2)
    e = (smax(a2 @ params["W3"] + params["b3"]) - np.eye(3)[y]) / len(y)
    g = {"W3": z2.T @ e, "b3": e.sum(0)}
    e = e @ params["W3"].T
    d2 = e * (1 - a2**2)
    g["W2"] = a1.T @ d2
    g["b2"] = d2.sum(0)
    d1 = e @ params["W2"].T * (1 - a1**2)
    g["W1"] = X.T @ d1
    g["b1"] = d1.sum(0)
    return g


@double(D_SIG, "true_class_for_all + activation_other_function", "dZ2 dZ1")
def d16(params, X, y):
    h = sig(X @ params["W1"] + params["b1"])
    d2 = (smax(h @ params["W2"] + params["b2"]) - 1) / len(y)
    d1 = d2 @ params["W2"].T * (1 - h**2)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": h.T @ d2, "b2": d2.sum(0)}


@double(D_RELU, "sign + bias_averaged|factor", "W2 b1 b2")
def d17(params, X, y):
    n = len(y)
    h = np.maximum(X @ params["W1"] + params["b1"], 0)
    d2 = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / n
    d1 = d2 @ params["W2"].T * (h > 0)
    return {"W1": X.T @ d1, "b1": d1.mean(0), "W2": -h.T @ d2, "b2": d2.mean(0)}


# ------------------------------------------------ arrays


@double(D_TANH, "activation_of_z + labels_from_one|class_shifted", "dZ1 Y dZ2", mode="arrays")
def d18(p, X, y):
    Z = X @ p["W1"] + p["b1"]
    h = np.tanh(Z)
    d2 = (smax(h @ p["W2"] + p["b2"]) - np.eye(3)[(y + 1) % 3]) / len(y)
    d1 = d2 @ p["W2"].T * (1 - Z * Z)
    return [X.T @ d1, d1.sum(0), h.T @ d2, d2.sum(0)]


@double(D_SIG, "jacobian_dot_term_missing + bias_summed_over_all", "dZ2 b1 b2", mode="arrays")
def d19(p, X, y):
    h = sig(X @ p["W1"] + p["b1"])
    P = smax(h @ p["W2"] + p["b2"])
    d2 = P * (-np.eye(3)[y] / P) / len(y)
    d1 = d2 @ p["W2"].T * h * (1 - h)
    return {"W1": X.T @ d1, "b1": d1.sum(), "W2": h.T @ d2, "b2": d2.sum()}


@double(D_L2, "regulariser_factor + bias_averaged|factor", "W1 W2 b1 b2", mode="arrays", declared=True)
def d20(p, X, y):
    h = np.tanh(X @ p["W1"] + p["b1"])
    d2 = (smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    d1 = d2 @ p["W2"].T * (1 - h**2)
    return [X.T @ d1 + 0.4 * p["W1"], d1.mean(0), h.T @ d2 + 0.4 * p["W2"], d2.mean(0)]


@double(D_DEEP, "softmax_whole_array + activation_missing", "P dZ3 dZ2 dZ1", mode="arrays")
def d21(p, X, y):
    a1 = np.tanh(X @ p["W1"] + p["b1"])
    a2 = np.tanh(a1 @ p["W2"] + p["b2"])
    E = np.exp(a2 @ p["W3"] + p["b3"])
    d3 = (E / E.sum() - np.eye(3)[y]) / len(y)
    d2 = d3 @ p["W3"].T
    d1 = d2 @ p["W2"].T
    return [X.T @ d1, d1.sum(0), a1.T @ d2, d2.sum(0), a2.T @ d3, d3.sum(0)]


@double(D_MSE, "jacobian_diagonal_only + wrong_operand", "dZ2 W2", mode="arrays")
def d22(p, X, Y):
    Z = X @ p["W1"] + p["b1"]
    h = sig(Z)
    P = smax(h @ p["W2"] + p["b2"])
    d2 = (P - Y) * P * (1 - P) / len(X)
    d1 = d2 @ p["W2"].T * h * (1 - h)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": Z.T @ d2, "b2": d2.sum(0)}


@double(D_LOG, "jacobian_on_top|other_loss + input_missing", "dZ1 W1", mode="arrays")
def d23(p, X, y):
    P = smax(X @ p["W1"] + p["b1"])
    g = (P - np.eye(4)[y]) / len(y)
    d = P * (g - (g * P).sum(1, keepdims=True))
    return {"W1": np.tile(d.sum(0), (5, 1)), "b1": d.sum(0)}


@double(D_SIG, "updated_weights + activation_missing", "dA1 dZ1", mode="arrays")
def d24(p, X, y):
    h = sig(X @ p["W1"] + p["b1"])
    d2 = (smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    d1 = d2 @ (p["W2"] - 0.5 * h.T @ d2).T
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": h.T @ d2, "b2": d2.sum(0)}


@double(D_RELU, "upstream_twice + bias_not_summed", "dZ1 b1 b2", mode="arrays")
def d25(p, X, y):
    h = np.maximum(X @ p["W1"] + p["b1"], 0)
    d2 = (smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    b = d2 @ p["W2"].T
    d1 = b * (h > 0) * b
    return {"W1": X.T @ d1, "b1": d1, "W2": h.T @ d2, "b2": d2}


@double(D_SQ, "activation_other_layer + bias_last_row", "dZ1 b1 b2 b3", mode="arrays")
def d26(p, X, y):
    a1 = sig(X @ p["W1"] + p["b1"])
    a2 = sig(a1 @ p["W2"] + p["b2"])
    d3 = (smax(a2 @ p["W3"] + p["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ p["W3"].T * a2 * (1 - a2)
    d1 = d2 @ p["W2"].T * a2 * (1 - a2)
    return [X.T @ d1, d1[-1], a1.T @ d2, d2[-1], a2.T @ d3, d3[-1]]


@double(D_LOGL2, "regulariser_missing + index_for_one_hot", "W1 Y dZ1", mode="arrays", declared=True)
def d27(p, X, y):
    d = (smax(X @ p["W1"] + p["b1"]) - y.reshape(-1, 1)) / len(y)
    return {"W1": X.T @ d, "b1": d.sum(0)}


# ------------------------------------------------ the learner's own


@double(COURSERA, "jacobian_diagonal_only + bias_averaged|factor", "dZ2 b1 b2")
def d28(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    E = np.exp(parameters["W2"] @ A1 + parameters["b2"])
    A2 = E / E.sum(0)
    dZ2 = -Y * (1 - A2) / m
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    return {"W1": dZ1 @ X.T, "b1": dZ1.mean(1, keepdims=True), "W2": dZ2 @ A1.T, "b2": dZ2.mean(1, keepdims=True)}


@double(COURSERA, "sign + activation_other_function", "dZ2 dZ1 W1 W2 b1 b2")
def d29(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    E = np.exp(parameters["W2"] @ A1 + parameters["b2"])
    A2 = E / E.sum(0)
    dZ2 = Y - A2
    dZ1 = parameters["W2"].T @ dZ2 * A1 * (1 - A1)
    return {
        "W1": dZ1 @ X.T / m,
        "b1": dZ1.sum(1, keepdims=True) / m,
        "W2": dZ2 @ A1.T / m,
        "b2": dZ2.sum(1, keepdims=True) / m,
    }


@double(COURSERA_L2, "regulariser_missing + bias_summed_over_all", "W1 W2 b1")
def d30(parameters, X, Y):
    m = X.shape[1]
    A1 = np.maximum(0, parameters["W1"] @ X + parameters["b1"])
    dZ2 = sig(parameters["W2"] @ A1 + parameters["b2"]) - Y
    dZ1 = parameters["W2"].T @ dZ2 * (A1 > 0)
    return {"W1": dZ1 @ X.T / m, "b1": np.sum(dZ1) / m, "W2": dZ2 @ A1.T / m, "b2": dZ2.sum(1, keepdims=True) / m}


@double(TORCHY, "upstream_dropped + factor", "dZ1 fc2.weight fc2.bias W2 b2 dZ2")
def d31(state, x, target):
    h = np.maximum(x @ state["fc1.weight"].T + state["fc1.bias"], 0)
    z = h @ state["fc2.weight"].T + state["fc2.bias"]
    g = smax(z) - np.eye(3)[target]
    gh = (h > 0) * 1.0
    return {"fc1.weight": gh.T @ x, "fc1.bias": gh.sum(0), "fc2.weight": g.T @ h, "fc2.bias": g.sum(0)}


@double(RASHID, "activation_missing|other_loss + sign", "dZ2 wih who W1 W2")
def d32(p, inputs, targets):
    hidden = sig(p["wih"] @ inputs)
    final = sig(p["who"] @ hidden)
    e = targets - final
    he = p["who"].T @ e
    return {"wih": np.outer(he * hidden * (1 - hidden), inputs), "who": np.outer(e, hidden)}


@double(NIELSEN, "factor + activation_of_z", "dZ3 dZ2 dZ1 w1 w2 w3 b1 b2 b3")
def d33(theta, x, y):
    z1 = theta["w1"] @ x + theta["b1"]
    a1 = sig(z1)
    z2 = theta["w2"] @ a1 + theta["b2"]
    a2 = sig(z2)
    z3 = theta["w3"] @ a2 + theta["b3"]
    a3 = sig(z3)
    d3 = (a3 - y) * z3 * (1 - z3)  # sums over the batch, while the cost is a mean
    d2 = theta["w3"].T @ d3 * z2 * (1 - z2)
    d1 = theta["w2"].T @ d2 * z1 * (1 - z1)
    s = lambda d: d.sum(axis=1, keepdims=True)
    return {"w1": d1 @ x.T, "b1": s(d1), "w2": d2 @ a1.T, "b2": s(d2), "w3": d3 @ a2.T, "b3": s(d3)}


@double(CS231N, "regulariser_factor + activation_missing", "W1 W2 dZ1")
def d34(params, X, y):
    N = len(y)
    hidden = np.maximum(0, X @ params["W1"] + params["b1"])
    d = smax(hidden @ params["W2"] + params["b2"])
    d[np.arange(N), y] -= 1
    d /= N
    dh = d @ params["W2"].T
    return {
        "W1": X.T @ dh + REG * params["W1"],
        "b1": dh.sum(0),
        "W2": hidden.T @ d + REG * params["W2"],
        "b2": d.sum(0),
    }


@double(CS231N, "regulariser_on_biases + updated_weights", "b1 b2 dA1 dZ1")
def d35(params, X, y):
    N = len(y)
    hidden = np.maximum(0, X @ params["W1"] + params["b1"])
    d = smax(hidden @ params["W2"] + params["b2"])
    d[np.arange(N), y] -= 1
    d /= N
    g = {"W2": hidden.T @ d + 2 * REG * params["W2"], "b2": d.sum(0) + 2 * REG * params["b2"]}
    dh = d @ (params["W2"] - 0.01 * g["W2"]).T
    dh[hidden <= 0] = 0
    g["W1"] = X.T @ dh + 2 * REG * params["W1"]
    g["b1"] = dh.sum(0) + 2 * REG * params["b1"]
    return g


@double(
    KERAS_MSE, "jacobian_ignored|other_loss + factor", "dZ2 kernel_out bias_out kernel_hidden bias_hidden W1 W2 b1 b2"
)
def d36(p, X, T):
    h = np.tanh(X @ p["kernel_hidden"] + p["bias_hidden"])
    out = smax(h @ p["kernel_out"] + p["bias_out"])
    d = 2 * (out - T) / len(X)  # np.mean runs over the classes too
    e = d @ p["kernel_out"].T * (1 - h**2)
    return {"kernel_hidden": X.T @ e, "bias_hidden": e.sum(0), "kernel_out": h.T @ d, "bias_out": d.sum(0)}


@double(UFLDL, "softmax_whole_array + factor", "P dZ1 theta W1")
def d37(theta, X, y):
    E = np.exp(X @ theta["theta"])
    return {"theta": X.T @ (E / E.sum() - np.eye(3)[y]) / len(y)}


@double(KERAS_MSE, "jacobian_dot_term_missing + activation_of_a", "dZ2 dZ1")
def d38(p, X, T):
    h = np.tanh(X @ p["kernel_hidden"] + p["bias_hidden"])
    out = smax(h @ p["kernel_out"] + p["bias_out"])
    d = out * 2 * (out - T) / T.size
    e = d @ p["kernel_out"].T * (1 - np.tanh(h) ** 2)
    return {"kernel_hidden": X.T @ e, "bias_hidden": e.sum(0), "kernel_out": h.T @ d, "bias_out": d.sum(0)}
