"""Correct gradients in unfamiliar dress. The doctor may say "under another convention"; "wrong" is a false alarm."""

import numpy as np
from scipy.special import expit, log_softmax as sp_log_softmax, logsumexp, softmax as sp_softmax

from tests.learners.case import NET, control, data, note, weights
from tests.learners.programs.singles_own import (
    BILINEAR,
    COURSERA,
    COURSERA_L2,
    COURSERA_SHAPES,
    TORCHY_SHAPES,
    CS231N,
    KERAS_MSE,
    LAMBD,
    LOGISTIC,
    MATRIX_FACTORS,
    NIELSEN,
    RASHID,
    REG,
    RIDGE,
    TORCHY,
    UFLDL,
    Network1,
    _net,
    world,
)

C_TANH = NET([4, 6, 3], "tanh", seed=101, n=7)
C_SIG = NET([5, 4, 3], "sigmoid", seed=102, n=8)
C_RELU = NET([4, 7, 3], "relu", seed=103, n=9)
C_DEEP = NET([4, 6, 5, 3], "relu", seed=104, n=8)
C_SQ = NET([4, 4, 4], "tanh", seed=105, n=4)
C_L2 = NET([4, 6, 3], "tanh", l2=0.2, seed=106, n=7)
C_LOG = NET([5, 4], seed=107, n=9)
C_MSE = NET([4, 6, 3], "sigmoid", "softmax", "squared_error", seed=108, n=7, targets="onehot")
C_MSIG = NET([4, 5, 2], "tanh", "sigmoid", "squared_error", seed=109, n=7, targets="unit")
C_BCE = NET([4, 5, 2], "relu", "sigmoid", "binary_cross_entropy", seed=110, n=7, targets="unit")
C_ID = NET([3, 6, 2], "tanh", "identity", "squared_error", seed=111, n=7, targets="real")
C_ONE = NET([4, 6, 3], "sigmoid", seed=112, n=1)
C_OUTRELU = NET([4, 6, 2], "tanh", "relu", "squared_error", seed=113, n=8, targets="unit")
C_BIG = NET([64, 100, 10], "relu", seed=114, n=128, size=0.15)
C_SOFT = NET([4, 5, 3], "softplus", seed=115, n=7)
C_MIXED = NET([4, 6, 5, 3], ["tanh", "sigmoid"], seed=116, n=8)
C_ONEHOT = NET([4, 5, 3], "tanh", seed=117, n=7, targets="onehot")


def sig(z):
    return 1 / (1 + np.exp(-z))


def smax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


# ------------------------------------------------ conventions of step, sum and scale (loss not declared)


@control(C_TANH, scale=-0.1)
def t_minus_y_with_plus_equals(params, X, y):
    """the caller does W += result"""
    lr = 0.1
    h = np.tanh(X @ params["W1"] + params["b1"])
    o = smax(h @ params["W2"] + params["b2"])
    d = (np.eye(3)[y] - o) / len(y)
    e = d @ params["W2"].T * (1 - h**2)
    return {"W1": lr * X.T @ e, "b1": lr * e.sum(0), "W2": lr * h.T @ d, "b2": lr * d.sum(0)}


@control(C_SIG, scale=-8.0)
def sum_of_t_minus_y(params, X, y):
    h = expit(X @ params["W1"] + params["b1"])
    d = np.eye(3)[y] - sp_softmax(h @ params["W2"] + params["b2"], axis=1)
    e = d.dot(params["W2"].T) * h * (1 - h)
    return {"W1": X.T.dot(e), "b1": e.sum(0), "W2": h.T.dot(d), "b2": d.sum(0)}


@control(C_RELU, scale=9.0)
def sums_over_the_batch(params, X, y):
    h = (X @ params["W1"] + params["b1"]).clip(0)
    d = smax(h @ params["W2"] + params["b2"])
    d[np.arange(len(y)), y] -= 1
    e = d @ params["W2"].T
    e[h == 0] = 0
    return [X.T @ e, e.sum(0), h.T @ d, d.sum(0)]


@control(C_LOG, scale=-0.5 * 9)
def step_minus_lr_times_summed_gradient(params, X, y):
    alpha = 0.5
    P = smax(X @ params["W1"] + params["b1"])
    step_W = np.zeros_like(params["W1"])
    step_b = np.zeros_like(params["b1"])
    for i in range(len(X)):
        for k in range(P.shape[1]):
            r = (y[i] == k) - P[i, k]
            step_W[:, k] += alpha * r * X[i]
            step_b[k] += alpha * r
    return {"W1": step_W, "b1": step_b}


@control(C_MSE, scale=2.0)
def squared_error_without_the_half(params, X, Y):
    h = sig(X @ params["W1"] + params["b1"])
    P = smax(h @ params["W2"] + params["b2"])
    g = 2 * (P - Y) / len(X)
    J = np.array([np.diag(p) - np.outer(p, p) for p in P])
    d = np.einsum("nk,nkj->nj", g, J)
    e = d @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_ID, scale=1.0)
def mean_over_all_entries_times_two(params, X, T):
    # (2/(N*K)) * (o - t) with K = 2
    h = np.tanh(X @ params["W1"] + params["b1"])
    d = 2 * (h @ params["W2"] + params["b2"] - T) / T.size
    e = d @ params["W2"].T * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_MSIG, scale=7.0)
def delta_rule_sum(params, X, T):
    h = np.tanh(X @ params["W1"] + params["b1"])
    o = expit(h @ params["W2"] + params["b2"])
    d = -(T - o) * o * (1 - o)
    e = (params["W2"] @ d.T).T * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_ONEHOT, scale=0.01, mode="arrays")
def learning_rate_inside_arrays(p, X, Y):
    h = np.tanh(X @ p["W1"] + p["b1"])
    d = 0.01 * (smax(h @ p["W2"] + p["b2"]) - Y) / len(X)
    e = d @ p["W2"].T * (1 - h**2)
    return [X.T @ e, e.sum(0), h.T @ d, d.sum(0)]


@control(C_TANH, scale=-7.0, mode="arrays")
def ascent_direction_arrays(p, X, y):
    h = np.tanh(X @ p["W1"] + p["b1"])
    d = np.eye(3)[y] - smax(h @ p["W2"] + p["b2"])
    e = d @ p["W2"].T * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


# ------------------------------------------------ other ways to the same numbers


@control(C_TANH, declared=True)
def jacobian_by_einsum(params, X, y):
    n = len(y)
    h = np.tanh(X @ params["W1"] + params["b1"])
    P = smax(h @ params["W2"] + params["b2"])
    J = P[:, :, None] * (np.eye(3)[None] - P[:, None, :])
    dP = -np.eye(3)[y] / P / n
    dZ2 = np.einsum("nij,ni->nj", J, dP)
    dA = np.einsum("nj,hj->nh", dZ2, params["W2"])
    dZ1 = dA * (1 - h**2)
    return {
        "W1": np.einsum("nd,nh->dh", X, dZ1),
        "b1": np.einsum("nh->h", dZ1),
        "W2": np.einsum("nh,nk->hk", h, dZ2),
        "b2": np.einsum("nk->k", dZ2),
    }


@control(C_TANH, declared=True)
def symmetric_jacobian_transposed(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    P = smax(h @ params["W2"] + params["b2"])
    g = [0, 0, 0, 0]
    for x, a, p, c in zip(X, h, P, y):
        J = (np.diag(p) - np.outer(p, p)).T
        up = np.zeros(3)
        up[c] = -1 / p[c]
        d = J.dot(up) / len(y)
        e = params["W2"].dot(d) * (1 - a**2)
        g = [g[0] + np.outer(x, e), g[1] + e, g[2] + np.outer(a, d), g[3] + d]
    return g


@control(C_SIG, declared=True)
def activations_form_x_one_minus_x(params, X, y):
    def nonlin(x, deriv=False):
        if deriv:
            return x * (1 - x)
        return 1 / (1 + np.exp(-x))

    l1 = nonlin(X @ params["W1"] + params["b1"])
    l2 = smax(l1 @ params["W2"] + params["b2"])
    l2_delta = (l2 - np.eye(3)[y]) / len(X)
    l1_error = l2_delta.dot(params["W2"].T)
    l1_delta = l1_error * nonlin(l1, deriv=True)
    return {"W1": X.T.dot(l1_delta), "b1": l1_delta.sum(0), "W2": l1.T.dot(l2_delta), "b2": l2_delta.sum(0)}


@control(C_RELU, declared=True)
def relu_prime_of_the_activation(params, X, y):
    relu_prime = lambda a: (a > 0).astype(int)
    a1 = np.maximum(X @ params["W1"] + params["b1"], 0)
    d2 = (smax(a1 @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    d1 = relu_prime(a1) * (d2 @ params["W2"].T)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0)}


@control(C_TANH, declared=True)
def left_to_right_is_fine_here(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * (1 - h**2)
    return {"b2": np.ones(len(y)) @ d, "W2": (d.T @ h).T, "b1": np.ones(len(y)) @ e, "W1": (e.T @ X).T}


@control(C_LOG, declared=True)
def log_sum_exp_form(params, X, y):
    z = X @ params["W1"] + params["b1"]
    logp = z - logsumexp(z, axis=1, keepdims=True)
    d = np.exp(logp)
    d[np.arange(len(y)), y] += -1
    return {"W1": X.T @ d / len(y), "b1": d.mean(axis=0)}


@control(C_DEEP, declared=True)
def log_softmax_backward(params, X, y):
    h1 = np.maximum(X @ params["W1"] + params["b1"], 0)
    h2 = np.maximum(h1 @ params["W2"] + params["b2"], 0)
    q = sp_log_softmax(h2 @ params["W3"] + params["b3"], axis=1)
    dq = np.zeros_like(q)
    dq[np.arange(len(y)), y] = -1 / len(y)
    d3 = dq - np.exp(q) * dq.sum(axis=1, keepdims=True)
    d2 = (d3 @ params["W3"].T) * np.heaviside(h2, 0)
    d1 = (d2 @ params["W2"].T) * np.sign(h1)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": h1.T @ d2, "b2": d2.sum(0), "W3": h2.T @ d3, "b3": d3.sum(0)}


@control(C_SIG, declared=True)
def log_softmax_applied_twice_is_harmless(params, X, y):
    h = expit(X @ params["W1"] + params["b1"])
    q = sp_log_softmax(sp_log_softmax(h @ params["W2"] + params["b2"], axis=1), axis=1)
    d = np.exp(q)
    d[range(len(y)), y] -= 1
    d /= len(y)
    e = d @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_TANH, declared=True, tolerance=1e-5)
def epsilon_inside_the_logarithm(params, X, y):
    eps = 1e-9
    n = len(y)
    h = np.tanh(X @ params["W1"] + params["b1"])
    P = smax(h @ params["W2"] + params["b2"])
    dP = np.zeros_like(P)
    dP[np.arange(n), y] = -1 / (P[np.arange(n), y] + eps) / n
    d = P * (dP - (dP * P).sum(1)[:, None])
    e = d @ params["W2"].T * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_BCE, declared=True, tolerance=1e-5)
def clipped_binary_cross_entropy(params, X, T):
    h = np.maximum(X @ params["W1"] + params["b1"], 0)
    o = np.clip(expit(h @ params["W2"] + params["b2"]), 1e-12, 1 - 1e-12)
    dO = -(T / o - (1 - T) / (1 - o)) / len(X)
    d = dO * o * (1 - o)
    e = d @ params["W2"].T * (h > 0)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_TANH, declared=True)
def plain_python_loops(params, X, y):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    D, H = W1.shape
    K = W2.shape[1]
    N = len(X)
    gW1 = np.zeros((D, H))
    gb1 = np.zeros(H)
    gW2 = np.zeros((H, K))
    gb2 = np.zeros(K)
    for n in range(N):
        h = [np.tanh(sum(X[n, d] * W1[d, j] for d in range(D)) + b1[j]) for j in range(H)]
        z = [sum(h[j] * W2[j, k] for j in range(H)) + b2[k] for k in range(K)]
        big = max(z)
        ez = [np.exp(v - big) for v in z]
        tot = sum(ez)
        dz = [ez[k] / tot - (1 if k == y[n] else 0) for k in range(K)]
        for k in range(K):
            gb2[k] += dz[k] / N
            for j in range(H):
                gW2[j, k] += h[j] * dz[k] / N
        for j in range(H):
            s = sum(W2[j, k] * dz[k] for k in range(K)) * (1 - h[j] ** 2)
            gb1[j] += s / N
            for d in range(D):
                gW1[d, j] += X[n, d] * s / N
    return {"W1": gW1, "b1": gb1, "W2": gW2, "b2": gb2}


@control(C_SIG, declared=True)
def class_with_self_and_caches(params, X, y):
    class Dense:
        def __init__(self, W, b):
            self.W, self.b = W, b

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, g):
            self.dW = self.x.T @ g
            self.db = g.sum(axis=0)
            return g @ self.W.T

    class Sigmoid:
        def forward(self, x):
            self.y = 1 / (1 + np.exp(-x))
            return self.y

        def backward(self, g):
            return g * self.y * (1 - self.y)

    class SoftmaxLoss:
        def forward(self, x, t):
            self.t, self.p = t, smax(x)

        def backward(self):
            dx = self.p.copy()
            dx[np.arange(len(self.t)), self.t] -= 1
            return dx / len(self.t)

    one, act, two, loss = Dense(params["W1"], params["b1"]), Sigmoid(), Dense(params["W2"], params["b2"]), SoftmaxLoss()
    loss.forward(two.forward(act.forward(one.forward(X))), y)
    one.backward(act.backward(two.backward(loss.backward())))
    return {"W1": one.dW, "b1": one.db, "W2": two.dW, "b2": two.db}


@control(C_TANH, declared=True)
def aliasing_that_does_no_harm(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    dS = P = smax(h @ params["W2"] + params["b2"])
    dS[np.arange(len(y)), y] -= 1  # P is spoiled, but nobody reads it again
    dS /= len(y)
    dW2 = h.T @ dS
    db2 = dS.sum(axis=0)
    dh = dS @ params["W2"].T
    np.multiply(dh, 1 - h**2, out=dh)
    return {"W1": X.T @ dh, "b1": dh.sum(0), "W2": dW2, "b2": db2}


@control(C_DEEP, declared=True)
def all_gradients_before_the_update_inside(params, X, y):
    w = {k: v.copy() for k, v in params.items()}
    h1 = np.maximum(X @ w["W1"] + w["b1"], 0)
    h2 = np.maximum(h1 @ w["W2"] + w["b2"], 0)
    d3 = (smax(h2 @ w["W3"] + w["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ w["W3"].T * (h2 > 0)
    d1 = d2 @ w["W2"].T * (h1 > 0)
    g = {"W1": X.T @ d1, "b1": d1.sum(0), "W2": h1.T @ d2, "b2": d2.sum(0), "W3": h2.T @ d3, "b3": d3.sum(0)}
    for k in w:
        w[k] -= 0.1 * g[k]
    return g


@control(C_LOG, declared=True, tolerance=1e-5)
def finite_differences_forward(params, X, y):
    def L(W, b):
        z = X @ W + b
        return np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y])

    W, b = params["W1"].copy(), params["b1"].copy()
    gW, gb, h = np.zeros_like(W), np.zeros_like(b), 1e-7
    base = L(W, b)
    for idx in np.ndindex(W.shape):
        W[idx] += h
        gW[idx] = (L(W, b) - base) / h
        W[idx] -= h
    for idx in np.ndindex(b.shape):
        b[idx] += h
        gb[idx] = (L(W, b) - base) / h
        b[idx] -= h
    return {"W1": gW, "b1": gb}


@control(C_TANH, declared=True, tolerance=1e-5)
def finite_differences_central(params, X, y):
    def L(w):
        h = np.tanh(X @ w["W1"] + w["b1"])
        P = smax(h @ w["W2"] + w["b2"])
        return -np.log(P[np.arange(len(y)), y]).mean()

    g = {}
    for name in params:
        g[name] = np.zeros_like(params[name])
        for i in range(params[name].size):
            w = {k: v.copy() for k, v in params.items()}
            w[name].flat[i] += 1e-5
            up = L(w)
            w[name].flat[i] -= 2e-5
            down = L(w)
            g[name].flat[i] = (up - down) / 2e-5
    return g


@control(C_BIG, declared=True)
def large_network_plain(params, X, y):
    h = np.maximum(X @ params["W1"] + params["b1"], 0)
    d = smax(h @ params["W2"] + params["b2"])
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    e = d @ params["W2"].T * (h > 0)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_SQ, declared=True)
def everything_square_and_right(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(4)[y]) / 4
    e = d @ params["W2"].T * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_ONE, declared=True)
def one_sample_as_a_row(params, X, y):
    x = X[0]
    h = sig(x @ params["W1"] + params["b1"])
    z = h @ params["W2"] + params["b2"]
    p = np.exp(z) / np.exp(z).sum()
    p[int(y[0])] -= 1
    q = params["W2"] @ p * h * (1 - h)
    return {"W1": np.outer(x, q), "b1": q, "W2": np.outer(h, p), "b2": p}


@control(C_ONEHOT, declared=True)
def dropout_with_keep_probability_one(params, X, Y):
    keep = 1.0
    rng = np.random.default_rng(0)
    h = np.tanh(X @ params["W1"] + params["b1"])
    mask = (rng.random(h.shape) < keep) / keep
    h_d = h * mask
    d = (smax(h_d @ params["W2"] + params["b2"]) - Y) / X.shape[0]
    e = d @ params["W2"].T * mask * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h_d.T @ d, "b2": d.sum(0)}


@control(C_OUTRELU, declared=True)
def relu_output_regression(params, X, T):
    h = np.tanh(X @ params["W1"] + params["b1"])
    z = h @ params["W2"] + params["b2"]
    d = (np.maximum(z, 0) - T) * (z > 0) / len(X)
    e = d @ params["W2"].T * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_SOFT, declared=True)
def softplus_prime_is_the_sigmoid(params, X, y):
    z = X @ params["W1"] + params["b1"]
    h = np.log1p(np.exp(z))
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * sig(z)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_SOFT, declared=True, mode="arrays")
def softplus_prime_from_the_activation(p, X, y):
    h = np.log1p(np.exp(X @ p["W1"] + p["b1"]))
    d = (smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ p["W2"].T * (1 - np.exp(-h))
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_MIXED, declared=True)
def two_kinds_of_hidden_layers(params, X, y):
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    a2 = sig(a1 @ params["W2"] + params["b2"])
    d3 = (smax(a2 @ params["W3"] + params["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ params["W3"].T * (a2 - a2**2)
    d1 = d2 @ params["W2"].T * (1 + a1) * (1 - a1)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0), "W3": a2.T @ d3, "b3": d3.sum(0)}


@control(C_MIXED, declared=True, mode="arrays")
def sech_squared_for_tanh(p, X, y):
    z1 = X @ p["W1"] + p["b1"]
    a1 = np.tanh(z1)
    z2 = a1 @ p["W2"] + p["b2"]
    a2 = sig(z2)
    d3 = (smax(a2 @ p["W3"] + p["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ p["W3"].T * np.exp(-z2) / (1 + np.exp(-z2)) ** 2
    d1 = d2 @ p["W2"].T / np.cosh(z1) ** 2
    return [X.T @ d1, d1.sum(0), a1.T @ d2, d2.sum(0), a2.T @ d3, d3.sum(0)]


@control(C_MSIG, declared=True, mode="arrays")
def error_over_one_over(p, X, T):
    h = np.tanh(X @ p["W1"] + p["b1"])
    z = h @ p["W2"] + p["b2"]
    d = (sig(z) - T) * sig(z) * sig(-z) / len(X)
    e = d @ p["W2"].T * (1 - h**2)
    return {"b1": e.sum(0), "b2": d.sum(0), "W1": X.T @ e, "W2": h.T @ d}


@control(C_BCE, declared=True)
def bce_delta_without_slope_is_right(params, X, T):
    h = np.maximum(X @ params["W1"] + params["b1"], 0)
    d = (sig(h @ params["W2"] + params["b2"]) - T) / len(X)
    e = np.where(h > 0, d @ params["W2"].T, 0)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(C_L2, declared=True)
def decay_added_at_the_end(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * (1 - h**2)
    g = {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}
    for k in g:
        if k.startswith("W"):
            g[k] += 0.2 * params[k]
    return g


@control(C_L2, scale=7.0, mode="arrays")
def sum_with_n_lambda(p, X, y):
    h = np.tanh(X @ p["W1"] + p["b1"])
    d = smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]
    e = d @ p["W2"].T * (1 - h**2)
    lam = 0.2 * len(y)
    return [X.T @ e + lam * p["W1"], e.sum(0), h.T @ d + lam * p["W2"], d.sum(0)]


@control(C_BIG, declared=True, mode="arrays")
def large_network_arrays(p, X, y):
    h = np.maximum(X @ p["W1"] + p["b1"], 0)
    d = (smax(h @ p["W2"] + p["b2"]) - np.eye(10)[y]) / len(y)
    e = d @ p["W2"].T * (h > 0)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


DEAD = NET([4, 6, 3], "relu", seed=118, n=7)
_dead_make = DEAD


def DEAD_RELU():
    s = _dead_make()
    s["network"].parameters["b1"][:3] = -30.0  # three units never fire: their gradients are exactly 0
    return s


DEAD_RELU.__name__ = "DEAD_RELU"
DEAD_RELU.spec = _dead_make.spec


@control(DEAD_RELU, declared=True)
def dead_units_have_zero_gradients(params, X, y):
    h = np.maximum(X @ params["W1"] + params["b1"], 0)
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * (h > 0)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@control(DEAD_RELU, declared=True, mode="arrays")
def dead_units_arrays(p, X, y):
    h = np.maximum(X @ p["W1"] + p["b1"], 0)
    d = (smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ p["W2"].T * (h > 0)
    return [X.T @ e, e.sum(0), h.T @ d, d.sum(0)]


_zero = NET([5, 4], seed=119, n=8)


def ZERO_START():
    s = _zero()
    s["network"].theta[:] = 0.0  # uniform probabilities, as every tutorial starts
    return s


ZERO_START.__name__ = "ZERO_START"
ZERO_START.spec = _zero.spec


@control(ZERO_START, declared=True)
def all_zero_weights(params, X, y):
    P = smax(X @ params["W1"] + params["b1"])
    return {"W1": X.T @ (P - np.eye(4)[y]) / len(y), "b1": (P - np.eye(4)[y]).mean(0)}


_confident = NET([4, 3], seed=120, n=6, size=8.0)


@control(_confident, declared=True)
def saturated_softmax(params, X, y):
    s = X @ params["W1"] + params["b1"]
    s -= s.max(axis=1)[:, None]
    P = np.exp(s) / np.exp(s).sum(1)[:, None]
    P[np.arange(len(y)), y] -= 1
    return {"W1": X.T @ P / len(y), "b1": P.sum(0) / len(y)}


# ------------------------------------------------ own layout, own loss


@control(COURSERA)
def coursera_right(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    E = np.exp(parameters["W2"] @ A1 + parameters["b2"])
    dZ2 = E / E.sum(axis=0) - Y
    dZ1 = np.multiply(parameters["W2"].T @ dZ2, 1 - np.power(A1, 2))
    return {
        "W1": 1 / m * dZ1 @ X.T,
        "b1": 1 / m * np.sum(dZ1, axis=1, keepdims=True),
        "W2": 1 / m * dZ2 @ A1.T,
        "b2": 1 / m * np.sum(dZ2, axis=1, keepdims=True),
    }


@control(COURSERA_L2)
def coursera_l2_right(parameters, X, Y):
    m = X.shape[1]
    W1, W2 = parameters["W1"], parameters["W2"]
    A1 = np.maximum(0, W1 @ X + parameters["b1"])
    dZ2 = sig(W2 @ A1 + parameters["b2"]) - Y
    dZ1 = W2.T @ dZ2 * (A1 > 0)
    return {
        "W1": dZ1 @ X.T / m + LAMBD / m * W1,
        "b1": dZ1.sum(1, keepdims=True) / m,
        "W2": dZ2 @ A1.T / m + LAMBD / m * W2,
        "b2": dZ2.sum(1, keepdims=True) / m,
    }


@control(TORCHY)
def torch_names_right(state, x, target):
    h = np.maximum(x @ state["fc1.weight"].T + state["fc1.bias"], 0)
    g = smax(h @ state["fc2.weight"].T + state["fc2.bias"])
    g[np.arange(len(target)), target] -= 1
    g /= len(target)
    gh = (g @ state["fc2.weight"]) * (h > 0)
    return {"fc1.weight": gh.T @ x, "fc1.bias": gh.sum(0), "fc2.weight": g.T @ h, "fc2.bias": g.sum(0)}


@control(RASHID)
def rashid_right_list(p, inputs, targets):
    hidden = sig(p["wih"] @ inputs)
    final = sig(p["who"] @ hidden)
    d2 = -(targets - final) * final * (1 - final)
    d1 = (p["who"].T @ d2) * hidden * (1 - hidden)
    return [np.outer(d1, inputs), np.outer(d2, hidden)]


@control(NIELSEN)
def nielsen_right(theta, x, y):
    net = Network1(theta)
    m = x.shape[1]
    total = {k: np.zeros(v.shape) for k, v in theta.items()}
    for i in range(m):
        nb, nw = net.backprop(x[:, [i]], y[:, [i]])
        for l in range(3):
            total[f"w{l + 1}"] += nw[l] / m
            total[f"b{l + 1}"] += nb[l] / m
    return total


@control(CS231N)
def cs231n_right(params, X, y):
    N = len(y)
    hidden = np.maximum(0, X @ params["W1"] + params["b1"])
    d = smax(hidden @ params["W2"] + params["b2"])
    d[np.arange(N), y] -= 1
    d /= N
    dh = d @ params["W2"].T
    dh[hidden <= 0] = 0
    return {
        "W1": X.T @ dh + 2 * REG * params["W1"],
        "b1": dh.sum(0),
        "W2": hidden.T @ d + 2 * REG * params["W2"],
        "b2": d.sum(0),
    }


@control(UFLDL)
def ufldl_right(theta, X, y):
    truth = (np.arange(3)[None, :] == y[:, None]).astype(float)
    return {"theta": -X.T @ (truth - smax(X @ theta["theta"]))}


@control(KERAS_MSE)
def keras_mse_right(p, X, T):
    h = np.tanh(X @ p["kernel_hidden"] + p["bias_hidden"])
    out = smax(h @ p["kernel_out"] + p["bias_out"])
    g = 2 * (out - T) / T.size
    d = out * g - out * (out * g).sum(1, keepdims=True)
    e = d @ p["kernel_out"].T * (1 - h**2)
    return {"kernel_hidden": X.T @ e, "bias_hidden": e.sum(0), "kernel_out": h.T @ d, "bias_out": d.sum(0)}


@control(RIDGE)
def ridge_right(p, X, y):
    r = X @ p["coef"] + p["intercept"] - y
    return {"coef": 2 * r @ X / len(y) + 0.8 * p["coef"], "intercept": np.array(2 * r.mean())}


@control(LOGISTIC)
def logistic_right(p, X, t):
    e = expit(X @ p["w"] + p["b"]) - t
    return {"w": X.T @ e, "b": e.sum(axis=0, keepdims=True)}


@control(MATRIX_FACTORS)
def factors_right(p, R, mask):
    E = mask * (p["users"] @ p["items"].T - R)
    return {"users": E @ p["items"] + 0.2 * p["users"], "items": E.T @ p["users"] + 0.2 * p["items"]}


@control(BILINEAR)
def bilinear_right(p, X, y):
    left, right = X[:, :3], X[:, 3:]
    r = -y * expit(-y * (((left @ p["M"]) * right).sum(1) + p["c"])) / len(y)
    return {"M": left.T @ (right * r[:, None]), "c": r.sum(keepdims=True)}


def smoothed_loss(p, X, y):
    eps, K = 0.1, p["V"].shape[1]
    q = sp_log_softmax(np.tanh(X @ p["U"] + p["c"]) @ p["V"] + p["d"], axis=1)
    T = (1 - eps) * np.eye(K)[y] + eps / K
    return -(T * q).sum(axis=1).mean()


@world
def SMOOTHED():
    X, y = data(8, 4, 3, 130)
    w = weights([4, 5, 3], 130)
    return dict(
        network=_net(w, activation="tanh"),
        parameters={"U": w["W1"], "c": w["b1"], "V": w["W2"], "d": w["b2"]},
        loss=smoothed_loss,
        X=X,
        y=y,
    )


@control(SMOOTHED)
def label_smoothing_right(p, X, y):
    h = np.tanh(X @ p["U"] + p["c"])
    T = 0.9 * np.eye(3)[y] + 0.1 / 3
    g = (smax(h @ p["V"] + p["d"]) - T) / len(y)
    e = g @ p["V"].T * (1 - h**2)
    return {"U": X.T @ e, "c": e.sum(0), "V": h.T @ g, "d": g.sum(0)}


def weighted_loss(p, X, y):
    cw = np.array([1.0, 2.0, 5.0])
    z = X @ p["W"].T + p["b"]
    return np.sum(cw[y] * (logsumexp(z, axis=1) - z[np.arange(len(y)), y])) / cw[y].sum()


@world
def CLASS_WEIGHTS():
    X, y = data(9, 4, 3, 131)
    w = weights([4, 3], 131)
    return dict(parameters={"W": w["W1"].T.copy(), "b": w["b1"]}, loss=weighted_loss, X=X, y=y)


@control(CLASS_WEIGHTS)
def class_weighted_right(p, X, y):
    cw = np.array([1.0, 2.0, 5.0])[y]
    d = (smax(X @ p["W"].T + p["b"]) - np.eye(3)[y]) * cw[:, None] / cw.sum()
    return {"W": d.T @ X, "b": d.sum(0)}


def l2_all_loss(p, X, Y):
    h = sig(X @ p["w1"] + p["b1"])
    P = smax(h @ p["w2"] + p["b2"])
    return -np.sum(Y * np.log(P + 1e-12)) + 0.5 * 0.1 * sum(np.sum(v**2) for v in p.values())


@world
def L2_ON_ALL():
    X, Y = data(7, 4, 3, 132, "onehot")
    w = weights([4, 5, 3], 132)
    p = {"w1": w["W1"], "b1": w["b1"][None, :], "w2": w["W2"], "b2": w["b2"][None, :]}
    return dict(network=_net(w, activation="sigmoid"), parameters=p, loss=l2_all_loss, X=X, y=Y)


@control(L2_ON_ALL)
def penalty_on_biases_because_the_loss_has_it(p, X, Y):
    h = sig(X @ p["w1"] + p["b1"])
    d = smax(h @ p["w2"] + p["b2"]) - Y
    e = d @ p["w2"].T * h * (1 - h)
    return {
        "w1": X.T @ e + 0.1 * p["w1"],
        "b1": e.sum(0, keepdims=True) + 0.1 * p["b1"],
        "w2": h.T @ d + 0.1 * p["w2"],
        "b2": d.sum(0, keepdims=True) + 0.1 * p["b2"],
    }


def huber_loss(p, X, y):
    r = X @ p["beta"] - y
    return np.where(abs(r) < 1, 0.5 * r**2, abs(r) - 0.5).mean()


@world
def HUBER():
    rng = np.random.default_rng(133)
    return dict(
        parameters={"beta": rng.normal(size=6)}, loss=huber_loss, X=rng.normal(size=(15, 6)), y=rng.normal(size=15)
    )


@control(HUBER)
def huber_right(p, X, y):
    r = X @ p["beta"] - y
    return {"beta": np.clip(r, -1, 1) @ X / len(y)}


@control(COURSERA_SHAPES, scale=-7.0)
def columns_without_a_loss_step_direction(parameters, X, Y):
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    E = np.exp(parameters["W2"] @ A1 + parameters["b2"])
    dZ2 = Y - E / E.sum(axis=0)
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    return {"W2": dZ2 @ A1.T, "b2": dZ2.sum(1, keepdims=True), "W1": dZ1 @ X.T, "b1": dZ1.sum(1, keepdims=True)}


@control(TORCHY_SHAPES, scale=8.0, mode="arrays")
def out_in_arrays_summed(state, x, target):
    h = np.maximum(x @ state["fc1.weight"].T + state["fc1.bias"], 0)
    g = smax(h @ state["fc2.weight"].T + state["fc2.bias"]) - np.eye(3)[target]
    gh = (g @ state["fc2.weight"]) * (h > 0)
    return {"fc1.weight": gh.T @ x, "fc1.bias": gh.sum(0), "fc2.weight": g.T @ h, "fc2.bias": g.sum(0)}


@control(COURSERA_L2, mode="arrays")
def coursera_arrays_right(parameters, X, Y):
    m = X.shape[1]
    W1, W2 = parameters["W1"], parameters["W2"]
    A1 = np.maximum(0, W1 @ X + parameters["b1"])
    dZ2 = (sig(W2 @ A1 + parameters["b2"]) - Y) / m
    dZ1 = W2.T @ dZ2 * (A1 > 0)
    return {
        "W1": dZ1 @ X.T + LAMBD / m * W1,
        "b1": dZ1.sum(1, keepdims=True),
        "W2": dZ2 @ A1.T + LAMBD / m * W2,
        "b2": dZ2.sum(1, keepdims=True),
    }


@control(RIDGE, mode="arrays")
def ridge_arrays_right(p, X, y):
    r = X @ p["coef"] + p["intercept"] - y
    return {"coef": 2 * X.T @ r / len(y) + 0.8 * p["coef"], "intercept": 2 * r.mean()}


# ------------------------------------------------ float32 and kinks: correct, with a word about why it deviates


@note(C_TANH, "float32", declared=True, tolerance=1e-4)
def everything_in_float32(params, X, y):
    p = {k: v.astype(np.float32) for k, v in params.items()}
    X = X.astype(np.float32)
    h = np.tanh(X @ p["W1"] + p["b1"])
    d = smax(h @ p["W2"] + p["b2"])
    d[np.arange(len(y)), y] -= 1
    d /= np.float32(len(y))
    e = d @ p["W2"].T * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@note(C_BIG, "float32", declared=True, mode="arrays", tolerance=1e-4)
def float32_arrays_of_a_large_net(p, X, y):
    p = {k: v.astype("f4") for k, v in p.items()}
    X = X.astype("f4")
    h = np.maximum(X @ p["W1"] + p["b1"], 0)
    d = (smax(h @ p["W2"] + p["b2"]) - np.eye(10, dtype="f4")[y]) / np.float32(len(y))
    e = d @ p["W2"].T * (h > 0)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@note(C_SIG, "float32", scale=8.0, tolerance=1e-4)
def float32_leaks_in_halfway_and_float64_comes_out(params, X, y):
    h = sig(X @ params["W1"] + params["b1"]).astype(np.float32)
    d = smax(h @ params["W2"] + params["b2"]) - np.eye(3, dtype=np.float32)[y]
    e = d @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@note(C_LOG, "float32", declared=True, tolerance=1e-4)
def float32_result_buffers(params, X, y):
    d = (smax(X @ params["W1"] + params["b1"]) - np.eye(4)[y]) / len(y)
    gW = np.zeros(params["W1"].shape, dtype=np.float32)
    gb = np.zeros(params["b1"].shape, dtype=np.float32)
    for x, r in zip(X, d):
        gW += np.outer(x, r).astype(np.float32)
        gb += r.astype(np.float32)
    return {"W1": gW, "b1": gb}


_kink = NET([4, 6, 3], "relu", seed=134, n=7)


def AT_THE_KINK():
    s = _kink()
    s["network"].parameters["W1"][:, 0] = 0.0
    s["network"].parameters["b1"][0] = 0.0  # a unit that starts exactly on the kink
    s["X"][2] = 0.0
    s["network"].parameters["b1"][1] = 0.0
    return s


AT_THE_KINK.__name__ = "AT_THE_KINK"
AT_THE_KINK.spec = _kink.spec
AT_THE_KINK.kink = True


@note(AT_THE_KINK, "kink", declared=True)
def relu_slope_one_at_zero(params, X, y):
    z = X @ params["W1"] + params["b1"]
    h = np.maximum(z, 0)
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * (z >= 0)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@note(AT_THE_KINK, "kink", declared=True, mode="arrays")
def relu_slope_half_at_zero(p, X, y):
    z = X @ p["W1"] + p["b1"]
    h = np.maximum(z, 0)
    d = (smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ p["W2"].T * np.heaviside(z, 0.5)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}
