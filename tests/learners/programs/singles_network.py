"""Single mistakes, functions of (parameters, X, y) in the library's names and rows, many hands."""

import numpy as np
from numpy import exp, log

from tests.learners.case import NET, single

TANH = NET([4, 5, 3], "tanh", seed=11)
SIGM = NET([4, 5, 3], "sigmoid", seed=12, n=7)
RELU = NET([4, 6, 3], "relu", seed=13, n=8)
MSE_SOFT = NET([4, 5, 3], "tanh", "softmax", "squared_error", seed=14, targets="onehot")
MSE_SIG = NET([4, 5, 2], "sigmoid", "sigmoid", "squared_error", seed=15, targets="unit", n=7)
BCE_SIG = NET([5, 4, 2], "tanh", "sigmoid", "binary_cross_entropy", seed=16, targets="unit", n=7)
REGRESS = NET([3, 6, 2], "tanh", "identity", "squared_error", seed=17, targets="real", n=7)
LOGREG = NET([5, 4], "tanh", seed=18, n=9)
DEEP = NET([4, 5, 5, 3], "tanh", seed=19, n=7)
DEEP_SIG = NET([4, 6, 5, 3], "sigmoid", seed=20, n=8)
TANH_L2 = NET([4, 5, 3], "tanh", l2=0.1, seed=21, n=7)
LOGREG_L2 = NET([5, 4], "tanh", l2=0.3, seed=22, n=9)
SQUARE = NET([5, 4, 4], "sigmoid", seed=23, n=6)
ONEHOT = NET([4, 5, 3], "sigmoid", seed=24, n=7, targets="onehot")


def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ---------------------------------------------------------------- the softmax and its Jacobian


@single(SIGM, "jacobian_diagonal_only", "dZ2")
def softmax_prime_like_sigmoid_prime(params, X, y):
    # out_prime is "the derivative of the output activation"
    m = X.shape[0]
    hidden = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    out = softmax(hidden @ params["W2"] + params["b2"])
    T = np.zeros_like(out)
    T[np.arange(m), y] = 1
    dcost_dout = -T / out
    out_prime = out * (1 - out)
    delta_out = dcost_dout * out_prime / m
    delta_hid = delta_out.dot(params["W2"].T) * hidden * (1 - hidden)
    return {"W1": X.T.dot(delta_hid), "b1": delta_hid.sum(0), "W2": hidden.T.dot(delta_out), "b2": delta_out.sum(0)}


@single(MSE_SOFT, "jacobian_diagonal_only", "dZ2")
def squared_error_takes_diagonal_of_each_jacobian(params, X, Y):
    W1, b1, W2, b2 = (params[k] for k in ("W1", "b1", "W2", "b2"))
    gW1 = np.zeros_like(W1)
    gb1 = np.zeros_like(b1)
    gW2 = np.zeros_like(W2)
    gb2 = np.zeros_like(b2)
    for x, t in zip(X, Y):
        h = np.tanh(x @ W1 + b1)
        z = h @ W2 + b2
        q = exp(z - z.max())
        q = q / q.sum()
        J = np.diag(q) - np.outer(q, q)
        d2 = (q - t) * np.diag(J)
        d1 = (W2 @ d2) * (1 - h**2)
        gW2 += np.outer(h, d2)
        gb2 += d2
        gW1 += np.outer(x, d1)
        gb1 += d1
    N = len(X)
    return {"W1": gW1 / N, "b1": gb1 / N, "W2": gW2 / N, "b2": gb2 / N}


@single(TANH, "jacobian_rows_summed|upstream_dropped", "dZ2")
def jacobian_axis_summed_then_scaled(p, X, y):
    h = np.tanh(X.dot(p["W1"]) + p["b1"])
    prob = softmax(h.dot(p["W2"]) + p["b2"])
    onehot = np.eye(3)[y]
    grad_prob = -onehot / prob
    jac = np.array([np.diagflat(r) - r[:, None] @ r[None, :] for r in prob])
    ds = grad_prob * jac.sum(axis=2) / len(y)
    dh = ds.dot(p["W2"].T) * (1 - h * h)
    return dict(W1=X.T @ dh, b1=dh.sum(axis=0), W2=h.T @ ds, b2=ds.sum(axis=0))


@single(MSE_SOFT, "jacobian_rows_summed|upstream_dropped", "dZ2")
def jacobian_einsum_forgets_the_upstream_index(p, X, Y):
    n = X.shape[0]
    A = np.tanh(X @ p["W1"] + p["b1"])
    P = softmax(A @ p["W2"] + p["b2"])
    D = np.einsum("ni,ij->nij", P, np.eye(P.shape[1])) - np.einsum("ni,nj->nij", P, P)
    dZ = np.einsum("nij->nj", D) * (P - Y) / n
    dA = (dZ @ p["W2"].T) * (1 - A**2)
    return {"W1": X.T @ dA, "b1": dA.sum(0), "W2": A.T @ dZ, "b2": dZ.sum(0)}


@single(LOGREG, "jacobian_not_contracted|wrong_shapes", "dZ1 W1 b1")
def jacobian_kept_as_a_matrix(params, X, y):
    probs = softmax(X @ params["W1"] + params["b1"])
    n, k = probs.shape
    J = np.zeros((n, k, k))
    for i in range(n):
        for a in range(k):
            for b in range(k):
                J[i, a, b] = probs[i, a] * ((a == b) - probs[i, b])
    dprobs = np.zeros((n, k))
    dprobs[np.arange(n), y] = -1 / probs[np.arange(n), y] / n
    dscores = dprobs[:, :, None] * J
    return {"W1": np.einsum("nd,nab->dab", X, dscores), "b1": dscores.sum(axis=0)}


@single(TANH, "jacobian_not_contracted|wrong_shapes", "dZ2 W2 b2")
def broadcasting_star_leaves_k_by_k(params, X, y):
    W1, W2 = params["W1"], params["W2"]
    b2 = 0
    gW2 = 0
    gW1 = np.zeros_like(W1)
    gb1 = np.zeros_like(params["b1"])
    for x, c in zip(X, y):
        a = np.tanh(x @ W1 + params["b1"])
        s = a @ W2 + params["b2"]
        o = np.exp(s) / np.exp(s).sum()
        up = np.zeros((1, o.size))
        up[0, c] = -1 / o[c]
        dz = up * (np.diag(o) - np.outer(o, o))  # (1,K)*(K,K)
        b2 = b2 + dz
        gW2 = gW2 + a[:, None, None] * dz[None]
        back = (up @ (np.diag(o) - np.outer(o, o))).ravel() @ W2.T * (1 - a**2)
        gW1 += np.outer(x, back)
        gb1 += back
    m = len(y)
    return {"W1": gW1 / m, "b1": gb1 / m, "W2": gW2 / m, "b2": b2 / m}


@single(MSE_SOFT, "jacobian_dot_term_missing", "dZ2")
def softmax_backward_is_s_times_g(params, X, Y):
    """class SoftmaxLayer: def backward(self, g): return self.out * g"""

    class SoftmaxLayer:
        def forward(self, z):
            self.out = softmax(z)
            return self.out

        def backward(self, g):
            return self.out * g

    layer = SoftmaxLayer()
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    out = layer.forward(a1 @ params["W2"] + params["b2"])
    dz2 = layer.backward((out - Y) / len(X))
    dz1 = dz2 @ params["W2"].T * (1 - a1**2)
    return {"W2": a1.T @ dz2, "b2": dz2.sum(0), "W1": X.T @ dz1, "b1": dz1.sum(0)}


@single(LOGREG, "jacobian_dot_term_missing", "dZ1")
def only_the_numerator_of_softmax_is_differentiated(params, X, y):
    # d/dz of exp(z_k)/sum = exp(z_k)/sum, times -1/p_k
    z = X @ params["W1"] + params["b1"]
    p = softmax(z)
    g = np.zeros_like(p)
    for i in range(len(y)):
        g[i, y[i]] = (-1 / p[i, y[i]]) * p[i, y[i]]
    g /= len(y)
    return {"W1": X.T @ g, "b1": g.sum(axis=0)}


@single(TANH, "jacobian_on_top|other_loss", "dZ2")
def jacobian_after_p_minus_y(params, X, y):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    P = softmax(A1 @ params["W2"] + params["b2"])
    err = P.copy()
    err[range(len(y)), y] -= 1
    dZ2 = np.zeros_like(P)
    for i in range(len(y)):
        pi = P[i].reshape(-1, 1)
        dZ2[i] = (np.diagflat(pi) - pi @ pi.T) @ err[i]
    dZ2 /= len(y)
    dZ1 = (dZ2 @ params["W2"].T) * (1 - A1**2)
    return [X.T @ dZ1, dZ1.sum(0), A1.T @ dZ2, dZ2.sum(0)]


@single(ONEHOT, "jacobian_on_top|jacobian_diagonal_only|other_loss", "dZ2")
def error_times_output_slope_with_softmax(params, X, Y):
    def nonlin(a):  # slope, from the activation
        return a * (1 - a)

    l1 = 1 / (1 + exp(-(X.dot(params["W1"]) + params["b1"])))
    l2 = softmax(l1.dot(params["W2"]) + params["b2"])
    l2_error = l2 - Y
    l2_delta = l2_error * nonlin(l2) / len(X)
    l1_delta = l2_delta.dot(params["W2"].T) * nonlin(l1)
    return {"W1": X.T.dot(l1_delta), "b1": l1_delta.sum(0), "W2": l1.T.dot(l2_delta), "b2": l2_delta.sum(0)}


@single(MSE_SOFT, "jacobian_ignored|other_loss", "dZ2", declared=True)
def mean_squared_error_but_delta_p_minus_t(p, X, T):
    hid = np.tanh(np.dot(X, p["W1"]) + p["b1"])
    out = softmax(np.dot(hid, p["W2"]) + p["b2"])
    # loss = 1/2 * mean over the batch of |out - T|^2
    d_out = (out - T) / X.shape[0]
    d_hid = np.dot(d_out, p["W2"].T) * (1 - np.square(hid))
    return {"W1": np.dot(X.T, d_hid), "b1": np.sum(d_hid, 0), "W2": np.dot(hid.T, d_out), "b2": np.sum(d_out, 0)}


@single(RELU, "true_class_for_all", "dZ2")
def one_subtracted_from_every_probability(params, X, y):
    z1 = X @ params["W1"] + params["b1"]
    a1 = np.maximum(z1, 0)
    z2 = a1 @ params["W2"] + params["b2"]
    p = softmax(z2)
    dz2 = (p - 1) / len(y)  # d/dz(-log p) = p - 1
    da1 = dz2 @ params["W2"].T
    dz1 = np.where(z1 > 0, da1, 0)
    return {"W1": X.T @ dz1, "b1": dz1.sum(0), "W2": a1.T @ dz2, "b2": dz2.sum(0)}


@single(LOGREG, "true_class_for_all", "dZ1")
def same_slope_for_every_logit(params, X, y):
    n = X.shape[0]
    P = softmax(X @ params["W1"] + params["b1"])
    py = P[np.arange(n), y]
    dL_dpy = -1 / py
    dpy_dz = py * (1 - py)
    d = np.repeat((dL_dpy * dpy_dz)[:, None], P.shape[1], axis=1) / n
    return {"W1": X.T @ d, "b1": d.sum(0)}


@single(TANH, "softmax_axis", "P dZ2")
def normalised_down_the_columns(params, X, y):
    a = np.tanh(X @ params["W1"] + params["b1"])
    s = a @ params["W2"] + params["b2"]
    ex = np.exp(s - np.max(s))
    prob = ex / np.sum(ex, axis=0)
    prob[np.arange(len(y)), y] -= 1
    prob /= len(y)
    da = prob @ params["W2"].T * (1 - a**2)
    return {"W1": X.T @ da, "b1": da.sum(0), "W2": a.T @ prob, "b2": prob.sum(0)}


@single(LOGREG, "softmax_whole_array", "P dZ1")
def scores_over_grand_total(params, X, y):
    E = np.exp(X.dot(params["W1"]) + params["b1"])
    probability = E / np.sum(E)
    Y = np.eye(E.shape[1])[y]
    G = (probability - Y) / X.shape[0]
    return {"W1": np.dot(X.T, G), "b1": np.sum(G, axis=0)}


@single(LOGREG, "softmax_twice", "P dZ1")
def predict_returns_probabilities_and_loss_takes_logits(params, X, y):
    def predict(X):
        return softmax(X @ params["W1"] + params["b1"])

    def cross_entropy_grad(logits, y):
        g = softmax(logits)
        g[np.arange(len(y)), y] -= 1
        return g / len(y)

    g = cross_entropy_grad(predict(X), y)
    return {"W1": X.T @ g, "b1": g.sum(0)}


@single(RELU, "softmax_twice", "P dZ2")
def through_both_softmaxes(params, X, y):
    Z1 = X @ params["W1"] + params["b1"]
    A1 = Z1.clip(min=0)
    P = softmax(A1 @ params["W2"] + params["b2"])
    Q = softmax(P)
    dP = Q - np.eye(Q.shape[1])[y]
    dZ2 = P * (dP - (dP * P).sum(1, keepdims=True)) / len(X)
    dZ1 = (dZ2 @ params["W2"].T) * (A1 > 0)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": A1.T @ dZ2, "b2": dZ2.sum(0)}


@single(ONEHOT, "other_loss", "dP dZ2")
def binary_cross_entropy_over_softmax_outputs(params, X, Y):
    A1 = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    P = softmax(A1 @ params["W2"] + params["b2"])
    dP = (-Y / P + (1 - Y) / (1 - P)) / len(X)
    dZ2 = P * (dP - (P * dP).sum(axis=1, keepdims=True))
    dZ1 = dZ2 @ params["W2"].T * A1 * (1 - A1)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": A1.T @ dZ2, "b2": dZ2.sum(0)}


@single(BCE_SIG, "other_loss|jacobian_on_top", "dZ2")
def slope_of_sigmoid_kept_under_log_loss(params, X, T):
    h = np.tanh(X @ params["W1"] + params["b1"])
    o = 1 / (1 + np.exp(-(h @ params["W2"] + params["b2"])))
    delta_o = (o - T) * o * (1 - o) / X.shape[0]
    delta_h = delta_o @ params["W2"].T * (1 - h**2)
    return {"W1": X.T @ delta_h, "b1": delta_h.sum(0), "W2": h.T @ delta_o, "b2": delta_o.sum(0)}


# ---------------------------------------------------------------- activations


@single(TANH, "activation_missing", "dZ1")
def hidden_slope_forgotten_update_sum(params, X, y):
    # sums, the learning rate takes care of N
    H = np.tanh(X @ params["W1"] + params["b1"])
    D = softmax(H @ params["W2"] + params["b2"])
    D[np.arange(len(D)), y] -= 1
    B = D @ params["W2"].T
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(MSE_SIG, "activation_missing|other_loss", "dZ2")
def output_error_without_its_sigmoid(params, X, T):
    f = lambda v: 1 / (1 + np.exp(-v))
    a1 = f(X @ params["W1"] + params["b1"])
    a2 = f(a1 @ params["W2"] + params["b2"])
    e2 = (a2 - T) / len(X)
    e1 = e2 @ params["W2"].T * a1 * (1 - a1)
    return {"W1": X.T @ e1, "b1": e1.sum(0), "W2": a1.T @ e2, "b2": e2.sum(0)}


@single(DEEP, "activation_missing", "dZ1", declared=True)
def loop_skips_the_slope_of_the_first_layer(params, X, y):
    acts = [X]
    for l in (1, 2):
        acts.append(np.tanh(acts[-1] @ params[f"W{l}"] + params[f"b{l}"]))
    probs = softmax(acts[-1] @ params["W3"] + params["b3"])
    delta = (probs - np.eye(3)[y]) / len(y)
    grads = {}
    for l in (3, 2, 1):
        grads[f"W{l}"] = acts[l - 1].T @ delta
        grads[f"b{l}"] = delta.sum(axis=0)
        delta = delta @ params[f"W{l}"].T
        if l > 2:
            delta = delta * (1 - acts[l - 1] ** 2)
    return grads


@single(TANH, "activation_other_function", "dZ1")
def tanh_net_copied_from_a_sigmoid_tutorial(params, X, y):
    def deriv(a):
        return a * (1 - a)

    a1 = np.tanh(X @ params["W1"] + params["b1"])
    a2 = softmax(a1 @ params["W2"] + params["b2"])
    d2 = a2 - np.eye(3)[y]
    d1 = d2 @ params["W2"].T * deriv(a1)
    m = len(X)
    return {"W1": X.T @ d1 / m, "b1": d1.mean(0), "W2": a1.T @ d2 / m, "b2": d2.mean(0)}


@single(SIGM, "activation_other_function", "dZ1")
def one_minus_a_squared_for_sigmoid(params, X, y):
    a1 = 1.0 / (1.0 + np.exp(-np.dot(X, params["W1"]) - params["b1"]))
    a2 = softmax(np.dot(a1, params["W2"]) + params["b2"])
    d2 = (a2 - (np.arange(3) == y[:, None])) / len(X)
    d1 = np.dot(d2, params["W2"].T) * (1 - np.power(a1, 2))
    return {"W1": np.dot(X.T, d1), "b1": d1.sum(0), "W2": np.dot(a1.T, d2), "b2": d2.sum(0)}


LEAKY = NET([4, 6, 3], "leaky_relu", seed=25, n=8)


@single(LEAKY, "activation_other_function", "dZ1")
def leaky_forward_plain_backward(params, X, y):
    z1 = X @ params["W1"] + params["b1"]
    a1 = np.where(z1 > 0, z1, 0.01 * z1)
    p = softmax(a1 @ params["W2"] + params["b2"])
    g2 = (p - np.eye(3)[y]) / len(y)
    g1 = g2 @ params["W2"].T
    g1[z1 <= 0] = 0
    return {"W1": X.T @ g1, "b1": g1.sum(0), "W2": a1.T @ g2, "b2": g2.sum(0)}


@single(DEEP, "activation_other_layer", "dZ1")
def off_by_one_in_the_list_of_activations(params, X, y):
    A = [X]
    for i in range(1, 3):
        A += [np.tanh(A[-1].dot(params["W%d" % i]) + params["b%d" % i])]
    out = softmax(A[-1].dot(params["W3"]) + params["b3"])
    d3 = (out - np.eye(out.shape[1])[y]) / len(X)
    d2 = d3.dot(params["W3"].T) * (1 - A[-1] ** 2)
    d1 = d2.dot(params["W2"].T) * (1 - A[-1] ** 2)
    return {
        "W1": X.T.dot(d1),
        "b1": d1.sum(0),
        "W2": A[1].T.dot(d2),
        "b2": d2.sum(0),
        "W3": A[2].T.dot(d3),
        "b3": d3.sum(0),
    }


@single(SIGM, "activation_of_a", "dZ1")
def sigmoid_prime_of_the_activation(params, X, y):
    def sigmoid(t):
        return 1 / (1 + np.exp(-t))

    def sigmoid_prime(t):
        return sigmoid(t) * (1 - sigmoid(t))

    hidden = sigmoid(X @ params["W1"] + params["b1"])
    probs = softmax(hidden @ params["W2"] + params["b2"])
    delta2 = (probs - np.eye(3)[y]) / y.size
    delta1 = delta2 @ params["W2"].T * sigmoid_prime(hidden)
    return {"W1": X.T @ delta1, "b1": delta1.sum(0), "W2": hidden.T @ delta2, "b2": delta2.sum(0)}


@single(DEEP_SIG, "activation_of_z", "dZ2 dZ1")
def z_times_one_minus_z(params, X, y):
    sig = lambda t: 1 / (1 + np.exp(-t))
    d_sig = lambda t: t * (1 - t)
    z1 = X @ params["W1"] + params["b1"]
    a1 = sig(z1)
    z2 = a1 @ params["W2"] + params["b2"]
    a2 = sig(z2)
    p = softmax(a2 @ params["W3"] + params["b3"])
    e3 = (p - np.eye(3)[y]) / len(y)
    e2 = e3 @ params["W3"].T * d_sig(z2)
    e1 = e2 @ params["W2"].T * d_sig(z1)
    return {"W1": X.T @ e1, "b1": e1.sum(0), "W2": a1.T @ e2, "b2": e2.sum(0), "W3": a2.T @ e3, "b3": e3.sum(0)}


@single(DEEP_SIG, "activation_missing_below", "dZ2 dA1 dZ1")
def error_goes_down_before_the_slope(params, X, y):
    out = [X]
    for k in (1, 2):
        out.append(1 / (1 + np.exp(-(out[-1] @ params[f"W{k}"] + params[f"b{k}"]))))
    error = softmax(out[2] @ params["W3"] + params["b3"])
    error[np.arange(len(y)), y] -= 1
    error /= len(y)
    grads = {"W3": out[2].T @ error, "b3": error.sum(0)}
    error = error @ params["W3"].T
    for k in (2, 1):
        delta = error * out[k] * (1 - out[k])
        grads[f"W{k}"] = out[k - 1].T @ delta
        grads[f"b{k}"] = delta.sum(0)
        error = error @ params[f"W{k}"].T  # the error, not the delta
    return grads


@single(MSE_SIG, "activation_missing_below", "dZ2 dA1 dZ1", declared=True)
def raw_output_error_sent_to_hidden(params, X, T):
    sig = lambda v: 1 / (1 + np.exp(-v))
    h = sig(X @ params["W1"] + params["b1"])
    o = sig(h @ params["W2"] + params["b2"])
    output_errors = (o - T) / len(X)
    hidden_errors = output_errors @ params["W2"].T
    delta_o = output_errors * o * (1 - o)
    delta_h = hidden_errors * h * (1 - h)
    return {"W2": h.T @ delta_o, "b2": delta_o.sum(0), "W1": X.T @ delta_h, "b1": delta_h.sum(0)}


# ---------------------------------------------------------------- upstream, transposes, products


@single(RELU, "upstream_dropped", "dZ1")
def relu_backward_returns_its_mask(params, X, y):
    z1 = X @ params["W1"] + params["b1"]
    a1 = z1 * (z1 > 0)
    d2 = softmax(a1 @ params["W2"] + params["b2"])
    d2[np.arange(len(y)), y] -= 1
    d2 = d2 / len(y)
    dz1 = (z1 > 0).astype(float)
    return {"W1": X.T @ dz1, "b1": dz1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0)}


@single(TANH, "upstream_twice", "dZ1")
def error_multiplied_in_again(params, X, y):
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    d2 = (softmax(a1 @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    back = d2 @ params["W2"].T
    local = back * (1 - a1**2)
    d1 = back * local
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0)}


@single(SQUARE, "transposed", "dA1 dZ1")
def square_weights_not_turned(params, X, y):
    a1 = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    d2 = softmax(a1 @ params["W2"] + params["b2"])
    d2[np.arange(len(y)), y] -= 1.0
    d2 /= len(y)
    d1 = (d2 @ params["W2"]) * a1 * (1 - a1)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0)}


@single(SQUARE, "transposed", "W2")
def outer_product_the_wrong_way_round(params, X, y):
    gW1, gb1, gW2, gb2 = 0, 0, 0, 0
    for i in range(len(X)):
        a = 1 / (1 + np.exp(-(X[i] @ params["W1"] + params["b1"])))
        s = a @ params["W2"] + params["b2"]
        q = np.exp(s) / np.exp(s).sum()
        q[y[i]] -= 1
        d = (params["W2"] @ q) * a * (1 - a)
        gW2 = gW2 + np.outer(q, a)
        gb2 = gb2 + q
        gW1 = gW1 + np.outer(X[i], d)
        gb1 = gb1 + d
    return {"W1": gW1, "b1": gb1, "W2": gW2, "b2": gb2}


ALLSAME = NET([4, 5, 5], "tanh", seed=26, n=5)


@single(ALLSAME, "elementwise_product", "dA1 dZ1")
def star_between_delta_and_weights(params, X, y):
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    d2 = (softmax(a1 @ params["W2"] + params["b2"]) - np.eye(5)[y]) / len(y)
    d1 = (d2 * params["W2"].T) * (1 - a1**2)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0)}


@single(ALLSAME, "elementwise_product", "W2")
def star_between_input_and_delta(params, X, y):
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    d2 = softmax(a1 @ params["W2"] + params["b2"])
    d2[np.arange(len(y)), y] -= 1
    d1 = d2.dot(params["W2"].T) * (1 - a1 * a1)
    return {"W1": X.T.dot(d1) / len(y), "b1": d1.mean(0), "W2": a1.T * d2 / len(y), "b2": d2.mean(0)}


@single(DEEP, "precedence", "dZ1")
def slope_first_then_at(params, X, y):
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    a2 = np.tanh(a1 @ params["W2"] + params["b2"])
    d3 = (softmax(a2 @ params["W3"] + params["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ params["W3"].T * (1 - a2**2)
    d1 = (1 - a1**2) * d2 @ params["W2"].T
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0), "W3": a2.T @ d3, "b3": d3.sum(0)}


@single(TANH, "input_missing", "W2")
def hidden_output_left_out_of_the_weight_gradient(params, X, y):
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    d2 = softmax(a1 @ params["W2"] + params["b2"]) - np.eye(3)[y]
    d1 = d2 @ params["W2"].T * (1 - a1**2)
    gW2 = np.zeros_like(params["W2"])
    for i in range(gW2.shape[0]):
        for j in range(gW2.shape[1]):
            gW2[i, j] = np.sum(d2[:, j]) / len(y)
    return {"W1": X.T @ d1 / len(y), "b1": d1.sum(0) / len(y), "W2": gW2, "b2": d2.sum(0) / len(y)}


@single(LOGREG, "weights_for_input", "W1")
def delta_times_weight(params, X, y):
    P = softmax(X @ params["W1"] + params["b1"])
    delta = P - np.eye(P.shape[1])[y]
    return {"W1": params["W1"] * delta.mean(axis=0), "b1": delta.mean(axis=0)}


# ---------------------------------------------------------------- biases


@single(LOGREG, "bias_not_summed", "b1")
def bias_one_row_per_sample(params, X, y):
    d = (softmax(X @ params["W1"] + params["b1"]) - np.eye(4)[y]) / len(y)
    return {"W1": X.T @ d, "b1": d}


@single(RELU, "bias_averaged|factor", "b1 b2")
def mean_of_an_already_divided_delta(params, X, y):
    h = np.maximum(0, X @ params["W1"] + params["b1"])
    scores = h @ params["W2"] + params["b2"]
    dscores = softmax(scores)
    dscores[range(X.shape[0]), y] -= 1
    dscores /= X.shape[0]
    dh = dscores @ params["W2"].T
    dh[h <= 0] = 0
    return {"W2": h.T @ dscores, "b2": np.mean(dscores, axis=0), "W1": X.T @ dh, "b1": np.mean(dh, axis=0)}


@single(REGRESS, "bias_summed_over_all", "b1 b2")
def np_sum_without_axis(params, X, T):
    h = np.tanh(X @ params["W1"] + params["b1"])
    d2 = (h @ params["W2"] + params["b2"] - T) / len(X)
    d1 = d2 @ params["W2"].T * (1 - h**2)
    return {
        "W1": X.T @ d1,
        "b1": np.full(params["b1"].shape, np.sum(d1)),
        "W2": h.T @ d2,
        "b2": np.full(params["b2"].shape, np.sum(d2)),
    }


SAME_DH = NET([5, 5, 3], "sigmoid", seed=27, n=6)


@single(SAME_DH, "bias_times_input", "b1")
def bias_gradient_has_the_inputs_in_it(params, X, y):
    a = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    d2 = (softmax(a @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    d1 = d2 @ params["W2"].T * a * (1 - a)
    return {"W1": X.T @ d1, "b1": (X.T @ d1).sum(axis=0), "W2": a.T @ d2, "b2": d2.sum(axis=0)}


@single(TANH, "bias_last_row", "b1 b2")
def bias_gradient_overwritten_in_the_sample_loop(params, X, y):
    dW1 = np.zeros(params["W1"].shape)
    dW2 = np.zeros(params["W2"].shape)
    for i in range(len(X)):
        a = np.tanh(X[i] @ params["W1"] + params["b1"])
        z = a @ params["W2"] + params["b2"]
        q = np.exp(z - z.max())
        q /= q.sum()
        q[y[i]] -= 1
        r = (params["W2"] @ q) * (1 - a * a)
        dW2 += np.outer(a, q) / len(X)
        dW1 += np.outer(X[i], r) / len(X)
        db2 = q / len(X)
        db1 = r / len(X)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


# ---------------------------------------------------------------- regularisation


@single(TANH_L2, "regulariser_missing", "W1 W2", declared=True)
def penalty_only_in_the_loss(params, X, y):
    a = np.tanh(X @ params["W1"] + params["b1"])
    d = (softmax(a @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * (1 - a**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": a.T @ d, "b2": d.sum(0)}


@single(LOGREG_L2, "regulariser_factor", "W1", declared=True)
def two_lambda_w_for_half_lambda_w_squared(params, X, y):
    lam = 0.3
    P = softmax(X @ params["W1"] + params["b1"])
    P[np.arange(len(y)), y] -= 1
    return {"W1": X.T @ P / len(y) + 2 * lam * params["W1"], "b1": P.sum(0) / len(y)}


@single(TANH_L2, "regulariser_sign", "W1 W2", declared=True)
def weight_decay_taken_from_the_gradient(params, X, y):
    decay = 0.1
    a = np.tanh(X @ params["W1"] + params["b1"])
    d = (softmax(a @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * (1 - a**2)
    gW1, gW2 = X.T @ e, a.T @ d
    gW1 -= decay * params["W1"]
    gW2 -= decay * params["W2"]
    return {"W1": gW1, "b1": e.sum(0), "W2": gW2, "b2": d.sum(0)}


@single(LOGREG_L2, "regulariser_on_biases", "b1", declared=True)
def for_name_in_params_adds_decay(params, X, y):
    d = (softmax(X @ params["W1"] + params["b1"]) - np.eye(4)[y]) / len(y)
    grads = {"W1": X.T @ d, "b1": d.sum(0)}
    for name in params:
        grads[name] = grads[name] + 0.3 * params[name]
    return grads


@single(TANH_L2, "regulariser_divided|regulariser_factor", "W1 W2", declared=True)
def whole_gradient_divided_by_m_penalty_included(params, X, y):
    m = len(y)
    a = np.tanh(X @ params["W1"] + params["b1"])
    d = softmax(a @ params["W2"] + params["b2"]) - np.eye(3)[y]
    e = d @ params["W2"].T * (1 - a**2)
    return {
        "W1": (X.T @ e + 0.1 * params["W1"]) / m,
        "b1": e.sum(0) / m,
        "W2": (a.T @ d + 0.1 * params["W2"]) / m,
        "b2": d.sum(0) / m,
    }


# ---------------------------------------------------------------- order, layers, memory


@single(TANH, "updated_weights", "dA1 dZ1")
def second_layer_moves_before_the_first_is_computed(params, X, y):
    lr = 0.3
    W1, b1, W2, b2 = [params[k].copy() for k in ("W1", "b1", "W2", "b2")]
    a = np.tanh(X @ W1 + b1)
    d = (softmax(a @ W2 + b2) - np.eye(3)[y]) / len(y)
    gW2 = a.T @ d
    gb2 = d.sum(0)
    W2 -= lr * gW2
    b2 -= lr * gb2
    e = d @ W2.T * (1 - a**2)
    gW1 = X.T @ e
    gb1 = e.sum(0)
    W1 -= lr * gW1
    b1 -= lr * gb1
    return {"W1": gW1, "b1": gb1, "W2": gW2, "b2": gb2}


@single(DEEP_SIG, "updated_weights", "dA2 dZ2 dA1 dZ1")
def steps_inside_the_backward_loop(params, X, y):
    eta = 0.01
    w = {k: v + 0.0 for k, v in params.items()}
    a = {0: X}
    for l in (1, 2):
        a[l] = 1 / (1 + np.exp(-(a[l - 1] @ w[f"W{l}"] + w[f"b{l}"])))
    delta = (softmax(a[2] @ w["W3"] + w["b3"]) - np.eye(3)[y]) / len(y)
    g = {}
    for l in (3, 2, 1):
        g[f"W{l}"], g[f"b{l}"] = a[l - 1].T @ delta, delta.sum(0)
        w[f"W{l}"] -= eta * g[f"W{l}"]
        w[f"b{l}"] -= eta * g[f"b{l}"]
        if l > 1:
            delta = delta @ w[f"W{l}"].T * a[l - 1] * (1 - a[l - 1])
    return g


EQUAL = NET([5, 5, 5, 3], "tanh", seed=28, n=7)


@single(EQUAL, "wrong_layer|wrong_operand", "dA1 dZ1")
def error_goes_down_through_the_wrong_matrix(params, X, y):
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    a2 = np.tanh(a1 @ params["W2"] + params["b2"])
    d3 = (softmax(a2 @ params["W3"] + params["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ params["W3"].T * (1 - a2**2)
    d1 = d2 @ params["W1"].T * (1 - a1**2)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0), "W3": a2.T @ d3, "b3": d3.sum(0)}


@single(EQUAL, "wrong_layer|wrong_operand", "W2")
def second_weights_meet_the_first_input(params, X, y):
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    a2 = np.tanh(a1 @ params["W2"] + params["b2"])
    d3 = softmax(a2 @ params["W3"] + params["b3"]) - np.eye(3)[y]
    d2 = d3 @ params["W3"].T * (1 - a2**2)
    d1 = d2 @ params["W2"].T * (1 - a1**2)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": X.T @ d2, "b2": d2.sum(0), "W3": a2.T @ d3, "b3": d3.sum(0)}


@single(RELU, "wrong_operand", "W2")
def pre_activation_in_the_weight_gradient(params, X, y):
    z1 = X @ params["W1"] + params["b1"]
    a1 = np.maximum(z1, 0)
    d2 = (softmax(a1 @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    d1 = d2 @ params["W2"].T * (z1 > 0)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": z1.T @ d2, "b2": d2.sum(0)}


@single(SIGM, "in_place|wrong_operand", "W2")
def slope_written_over_the_activation(params, X, y):
    a1 = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    d2 = (softmax(a1 @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    slope = a1
    slope *= 1 - a1
    d1 = d2 @ params["W2"].T * slope
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0)}


@single(TANH, "in_place|wrong_operand", "W2")
def backward_error_reuses_the_memory_of_the_hidden_layer(params, X, y):
    a1 = X @ params["W1"] + params["b1"]
    np.tanh(a1, out=a1)
    d2 = (softmax(a1 @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    d1 = np.multiply(d2 @ params["W2"].T, 1 - a1**2, out=a1)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0)}


_total = {}


@single(LOGREG, "accumulates", "W1 b1")
def grads_dictionary_never_zeroed(params, X, y):
    d = (softmax(X @ params["W1"] + params["b1"]) - np.eye(4)[y]) / len(y)
    for name, g in (("W1", X.T @ d), ("b1", d.sum(0))):
        _total[name] = _total.get(name, 0) + g
    return dict(_total)


class _Layer:
    def __init__(self):
        self.dW = None
        self.db = None


_layers = [_Layer(), _Layer()]


@single(TANH, "accumulates", "W1 b1 W2 b2")
def layer_objects_keep_their_gradients(params, X, y):
    a = np.tanh(X @ params["W1"] + params["b1"])
    d = (softmax(a @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * (1 - a**2)
    for layer, inp, delta in ((_layers[0], X, e), (_layers[1], a, d)):
        if layer.dW is None:
            layer.dW = np.zeros((inp.shape[1], delta.shape[1]))
            layer.db = np.zeros(delta.shape[1])
        layer.dW += inp.T @ delta
        layer.db += delta.sum(axis=0)
    return {
        "W1": _layers[0].dW.copy(),
        "b1": _layers[0].db.copy(),
        "W2": _layers[1].dW.copy(),
        "b2": _layers[1].db.copy(),
    }


@single(LOGREG, "batch_coupling", "P dZ1 W1")
def logits_centred_over_the_batch(params, X, y):
    z = X @ params["W1"] + params["b1"]
    z = z - z.mean(axis=0)
    d = (softmax(z) - np.eye(4)[y]) / len(y)
    return {"W1": X.T @ d, "b1": d.sum(0)}


@single(TANH, "batch_coupling", "dZ2 W2 b2")
def errors_centred_over_the_batch(params, X, y):
    a = np.tanh(X @ params["W1"] + params["b1"])
    d = (softmax(a @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    d = d - d.mean(axis=0)  # "zero-mean errors train better"
    e = d @ params["W2"].T * (1 - a**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": a.T @ d, "b2": d.sum(0)}


@single(RELU, "batch_coupling|not_in_catalogue", "W1 W2")
def mean_input_times_mean_error(params, X, y):
    h = np.maximum(X @ params["W1"] + params["b1"], 0)
    d = softmax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]
    e = d @ params["W2"].T * (h > 0)
    mean = lambda v: v.mean(axis=0)
    return {"W1": np.outer(mean(X), mean(e)), "b1": mean(e), "W2": np.outer(mean(h), mean(d)), "b2": mean(d)}


# ---------------------------------------------------------------- labels, signs, factors


@single(TANH, "labels_from_one|class_shifted", "Y dZ2")
def labels_minus_one(params, X, y):
    Y = np.eye(3)[y - 1]  # classes are 1..K
    a = np.tanh(X @ params["W1"] + params["b1"])
    d = (softmax(a @ params["W2"] + params["b2"]) - Y) / len(y)
    e = d @ params["W2"].T * (1 - a**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": a.T @ d, "b2": d.sum(0)}


@single(LOGREG, "index_for_one_hot", "Y dZ1")
def class_number_subtracted(params, X, y):
    d = (softmax(X @ params["W1"] + params["b1"]) - y[:, None]) / len(y)
    return {"W1": X.T @ d, "b1": d.sum(0)}


@single(SIGM, "index_for_one_hot", "Y dZ2")
def integer_labels_left_as_a_column(params, X, y):
    target = y.reshape(-1, 1).astype(float)
    a = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    d = softmax(a @ params["W2"] + params["b2"]) - target
    e = d @ params["W2"].T * a * (1 - a)
    n = float(len(X))
    return {"W1": X.T @ e / n, "b1": e.sum(0) / n, "W2": a.T @ d / n, "b2": d.sum(0) / n}


@single(LOGREG, "class_shifted|labels_from_one", "Y dZ1")
def rolled_identity(params, X, y):
    one_hot = np.roll(np.eye(4), 1, axis=1)[y]
    d = (softmax(X @ params["W1"] + params["b1"]) - one_hot) / len(y)
    return {"W1": X.T @ d, "b1": d.sum(0)}


@single(TANH, "sign", "dZ2 W2 b2 W1 b1", declared=True)
def target_minus_output(params, X, y):
    a = np.tanh(X @ params["W1"] + params["b1"])
    error = np.eye(3)[y] - softmax(a @ params["W2"] + params["b2"])
    error /= len(y)
    hid = error @ params["W2"].T * (1 - a**2)
    return {"W1": X.T @ hid, "b1": hid.sum(0), "W2": a.T @ error, "b2": error.sum(0)}


@single(RELU, "sign", "W2")
def one_minus_sign_too_many(params, X, y):
    n = len(y)
    h = np.maximum(0, X @ params["W1"] + params["b1"])
    d = softmax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]
    e = d @ params["W2"].T * (h > 0)
    return {"W1": X.T @ e / n, "b1": e.sum(0) / n, "W2": -1 / n * h.T @ d, "b2": d.sum(0) / n}


@single(LOGREG, "factor", "W1 b1 dZ1", declared=True)
def divided_by_n_and_again(params, X, y):
    n = len(y)
    d = (softmax(X @ params["W1"] + params["b1"]) - np.eye(4)[y]) / n
    return {"W1": X.T @ d / n, "b1": d.sum(0) / n}


@single(TANH, "factor", "W1 b1 dZ1 W2 b2")
def batch_size_divided_only_on_top(params, X, y):
    a = np.tanh(X @ params["W1"] + params["b1"])
    d = softmax(a @ params["W2"] + params["b2"]) - np.eye(3)[y]
    e = d @ params["W2"].T * (1 - a**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": a.T @ d / len(y), "b2": d.sum(0) / len(y)}


@single(REGRESS, "factor", "dZ2 W1 b1 W2 b2", declared=True)
def two_from_the_square_without_the_half(params, X, T):
    h = np.tanh(X @ params["W1"] + params["b1"])
    d = 2 * (h @ params["W2"] + params["b2"] - T) / len(X)
    e = d @ params["W2"].T * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}
