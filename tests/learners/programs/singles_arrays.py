"""Single mistakes handed over as arrays: the function is run here, the doctor sees its numbers only.

Some hand over a list in order, some a dict; the code is as its writer had it.
"""

import numpy as np

from tests.learners.case import NET, single

A_TANH = NET([3, 7, 4], "tanh", seed=41, n=6)
A_SIG = NET([6, 4, 3], "sigmoid", seed=42, n=8)
A_RELU = NET([4, 8, 6, 3], "relu", seed=43, n=9)
A_MSE = NET([4, 6, 3], "sigmoid", "softmax", "squared_error", seed=44, n=7, targets="onehot")
A_LOG = NET([6, 3], "tanh", seed=45, n=10)
A_L2 = NET([4, 6, 3], "relu", l2=0.05, seed=46, n=8)
A_LOGL2 = NET([4, 3], "tanh", l2=0.5, seed=47, n=10)
A_ID = NET([4, 5, 2], "sigmoid", "identity", "squared_error", seed=48, n=7, targets="real")
A_SQ = NET([4, 6, 6, 3], "tanh", seed=49, n=8)
A_BIG = NET([10, 20, 5], "sigmoid", seed=50, n=40, size=0.4)


def sm(z):
    z = z - np.max(z, axis=-1, keepdims=True)
    return np.exp(z) / np.sum(np.exp(z), axis=-1, keepdims=True)


@single(A_TANH, "jacobian_diagonal_only", "dZ2", mode="arrays")
def kronecker_delta_always_one(p, X, y):
    # dp_k/dz_k = p_k(1 - p_k), and that's it
    H = np.tanh(X @ p["W1"] + p["b1"])
    P = sm(H @ p["W2"] + p["b2"])
    G2 = np.zeros_like(P)
    for r in range(len(y)):
        for k in range(P.shape[1]):
            G2[r, k] = -(1.0 if k == y[r] else 0.0) / P[r, k] * P[r, k] * (1 - P[r, k])
    G1 = G2.dot(p["W2"].T) * (1 - H**2)
    n = len(y)
    return [X.T.dot(G1) / n, G1.sum(0) / n, H.T.dot(G2) / n, G2.sum(0) / n]


@single(A_MSE, "jacobian_dot_term_missing", "dZ2", mode="arrays")
def quotient_rule_half_done(p, X, Y):
    H = 1 / (1 + np.exp(-(X @ p["W1"] + p["b1"])))
    E = np.exp(H @ p["W2"] + p["b2"])
    S = E.sum(axis=1, keepdims=True)
    dZ = (E / S - Y) * (E * S / S**2) / len(X)
    dH = dZ @ p["W2"].T * H * (1 - H)
    return [X.T @ dH, dH.sum(0), H.T @ dZ, dZ.sum(0)]


@single(A_MSE, "jacobian_ignored|other_loss", "dZ2", mode="arrays")
def brier_score_with_the_cross_entropy_delta(p, X, Y):
    H = 1 / (1 + np.exp(-(X @ p["W1"] + p["b1"])))
    D = sm(H @ p["W2"] + p["b2"]) - Y
    E = np.einsum("nk,hk->nh", D, p["W2"]) * H * (1 - H)
    return {"W1": np.einsum("nd,nh->dh", X, E), "b1": E.sum(0), "W2": np.einsum("nh,nk->hk", H, D), "b2": D.sum(0)}


@single(A_LOG, "jacobian_on_top|other_loss", "dZ1", mode="arrays")
def softmax_backward_method_after_fused_loss(p, X, y):
    S = sm(X @ p["W1"] + p["b1"])
    g = (S - np.eye(3)[y]) / len(y)
    g = S * (g - np.sum(S * g, axis=1, keepdims=True))
    return {"W1": X.T @ g, "b1": g.sum(axis=0)}


@single(A_SIG, "true_class_for_all", "dZ2", mode="arrays")
def subtract_one_everywhere(p, X, y):
    H = 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))
    D = sm(H @ p["W2"] + p["b2"])
    D -= 1
    D /= len(D)
    B = D @ p["W2"].T * H * (1 - H)
    return [X.T @ B, np.sum(B, axis=0), H.T @ D, np.sum(D, axis=0)]


@single(A_LOG, "softmax_axis", "P dZ1", mode="arrays")
def axis_zero(p, X, y):
    Z = X @ p["W1"] + p["b1"]
    Q = np.exp(Z) / np.exp(Z).sum(0)
    D = (Q - np.eye(3)[y]) / len(y)
    return {"W1": X.T @ D, "b1": D.sum(0)}


@single(A_TANH, "softmax_whole_array", "P dZ2", mode="arrays")
def normalised_by_everything(p, X, y):
    H = np.tanh(X @ p["W1"] + p["b1"])
    Z = H @ p["W2"] + p["b2"]
    e = np.exp(Z - Z.max())
    D = e / e.sum()
    D[np.arange(len(y)), y] -= 1
    D = D / len(y)
    B = (D @ p["W2"].T) * (1 - H**2)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(A_SIG, "softmax_twice", "P dZ2", mode="arrays")
def softmax_in_forward_and_in_loss(p, X, y):
    H = 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))
    out = sm(H @ p["W2"] + p["b2"])
    D = sm(out)
    D[np.arange(len(y)), y] -= 1
    D /= len(y)
    B = D @ p["W2"].T * H * (1 - H)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(A_BIG, "activation_missing", "dZ1", mode="arrays")
def linear_hidden_layer_backwards(p, X, y):
    H = 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))
    D = (sm(H @ p["W2"] + p["b2"]) - np.eye(5)[y]) / len(y)
    B = D @ p["W2"].T
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(A_RELU, "activation_missing", "dZ2", mode="arrays")
def one_relu_mask_forgotten(p, X, y):
    h1 = np.maximum(X @ p["W1"] + p["b1"], 0)
    h2 = np.maximum(h1 @ p["W2"] + p["b2"], 0)
    d3 = (sm(h2 @ p["W3"] + p["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ p["W3"].T
    d1 = d2 @ p["W2"].T
    d1[h1 == 0] = 0
    return [X.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, d3.sum(0)]


@single(A_TANH, "activation_of_z", "dZ1", mode="arrays")
def one_minus_z_squared(p, X, y):
    Z = X @ p["W1"] + p["b1"]
    H = np.tanh(Z)
    D = (sm(H @ p["W2"] + p["b2"]) - np.eye(4)[y]) / len(y)
    B = D @ p["W2"].T * (1 - Z**2)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(A_SQ, "activation_of_a", "dZ2 dZ1", mode="arrays")
def tanh_of_tanh(p, X, y):
    dtanh = lambda v: 1 - np.tanh(v) ** 2
    a = np.tanh(X @ p["W1"] + p["b1"])
    b = np.tanh(a @ p["W2"] + p["b2"])
    g = sm(b @ p["W3"] + p["b3"])
    g[np.arange(len(y)), y] -= 1
    g3 = g
    g2 = (g3 @ p["W3"].T) * dtanh(b)
    g1 = (g2 @ p["W2"].T) * dtanh(a)
    return [t / len(y) for t in (X.T @ g1, g1.sum(0), a.T @ g2, g2.sum(0), b.T @ g3, g3.sum(0))]


@single(A_SQ, "activation_other_layer", "dZ2", mode="arrays")
def first_layers_slope_used_at_the_second(p, X, y):
    a = np.tanh(X @ p["W1"] + p["b1"])
    b = np.tanh(a @ p["W2"] + p["b2"])
    g3 = (sm(b @ p["W3"] + p["b3"]) - np.eye(3)[y]) / len(y)
    g2 = (g3 @ p["W3"].T) * (1 - a**2)
    g1 = (g2 @ p["W2"].T) * (1 - a**2)
    return [X.T @ g1, g1.sum(0), a.T @ g2, g2.sum(0), b.T @ g3, g3.sum(0)]


@single(A_SIG, "upstream_dropped", "dZ1", mode="arrays")
def only_local_slope(p, X, y):
    H = 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))
    D = (sm(H @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    B = H * (1 - H)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(A_MSE, "upstream_twice", "dZ2", mode="arrays")
def jvp_times_upstream_again(p, X, Y):
    H = 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))
    P = sm(H @ p["W2"] + p["b2"])
    up = (P - Y) / len(X)
    D = np.array([(np.diag(r) - np.outer(r, r)) @ u for r, u in zip(P, up)]) * up
    B = D @ p["W2"].T * H * (1 - H)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(A_SQ, "transposed", "dA1 dZ1", mode="arrays")
def middle_matrix_as_it_stands(p, X, y):
    a = np.tanh(X @ p["W1"] + p["b1"])
    b = np.tanh(a @ p["W2"] + p["b2"])
    g3 = sm(b @ p["W3"] + p["b3"]) - np.eye(3)[y]
    g2 = (g3 @ p["W3"].T) * (1 - b**2)
    g1 = (g2 @ p["W2"]) * (1 - a**2)
    return [X.T @ g1, g1.sum(0), a.T @ g2, g2.sum(0), b.T @ g3, g3.sum(0)]


@single(A_SQ, "precedence", "dZ1", mode="arrays")
def np_multiply_written_with_a_star_on_the_left(p, X, y):
    n = len(y)
    a = np.tanh(X @ p["W1"] + p["b1"])
    b = np.tanh(a @ p["W2"] + p["b2"])
    g3 = sm(b @ p["W3"] + p["b3"]) - np.eye(3)[y]
    g2 = g3 @ p["W3"].T * (1 - b * b)
    g1 = g2 * (1 - a * a) @ p["W2"].T
    return [X.T @ g1 / n, g1.mean(0), a.T @ g2 / n, g2.mean(0), b.T @ g3 / n, g3.mean(0)]


@single(A_RELU, "input_missing", "W1", mode="arrays")
def first_layer_has_ones_for_inputs(p, X, y):
    h1 = np.maximum(X @ p["W1"] + p["b1"], 0)
    h2 = np.maximum(h1 @ p["W2"] + p["b2"], 0)
    d3 = (sm(h2 @ p["W3"] + p["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ p["W3"].T * (h2 > 0)
    d1 = d2 @ p["W2"].T * (h1 > 0)
    return [np.ones_like(X).T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, d3.sum(0)]


@single(A_SIG, "weights_for_input", "W2", mode="arrays")
def w2_in_its_own_gradient(p, X, y):
    H = 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))
    D = (sm(H @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    B = D @ p["W2"].T * H * (1 - H)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": np.sum(p["W2"][None] * D[:, None, :], axis=0), "b2": D.sum(0)}


@single(A_TANH, "bias_not_summed", "b1 b2", mode="arrays")
def bias_gradient_is_delta_itself(p, X, y):
    H = np.tanh(X @ p["W1"] + p["b1"])
    D = (sm(H @ p["W2"] + p["b2"]) - np.eye(4)[y]) / len(y)
    B = D @ p["W2"].T * (1 - H**2)
    return {"W1": X.T @ B, "b1": B, "W2": H.T @ D, "b2": D}


@single(A_ID, "bias_averaged|factor", "b2", mode="arrays")
def only_the_last_bias_averaged(p, X, T):
    N = X.shape[0]
    H = 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))
    D = (H @ p["W2"] + p["b2"] - T) / N
    B = D @ p["W2"].T * H * (1 - H)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.mean(axis=0)}


@single(A_RELU, "bias_summed_over_all", "b1 b2", mode="arrays")
def scalar_bias_gradients(p, X, y):
    h1 = np.maximum(X @ p["W1"] + p["b1"], 0)
    h2 = np.maximum(h1 @ p["W2"] + p["b2"], 0)
    d3 = (sm(h2 @ p["W3"] + p["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ p["W3"].T * (h2 > 0)
    d1 = d2 @ p["W2"].T * (h1 > 0)
    return {"W1": X.T @ d1, "b1": d1.sum(), "W2": h1.T @ d2, "b2": d2.sum(), "W3": h2.T @ d3, "b3": d3.sum(0)}


@single(A_BIG, "bias_last_row", "b2", mode="arrays")
def bias_takes_delta_minus_one(p, X, y):
    H = 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))
    D = (sm(H @ p["W2"] + p["b2"]) - np.eye(5)[y]) / len(y)
    B = D @ p["W2"].T * H * (1 - H)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D[-1]}


@single(A_L2, "regulariser_missing", "W2", mode="arrays", declared=True)
def decay_forgotten_on_the_last_layer(p, X, y):
    H = np.maximum(X @ p["W1"] + p["b1"], 0)
    D = (sm(H @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    B = D @ p["W2"].T * (H > 0)
    return {"W1": X.T @ B + 0.05 * p["W1"], "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(A_L2, "regulariser_factor", "W1 W2", mode="arrays", declared=True)
def half_kept_after_differentiating(p, X, y):
    H = np.maximum(X @ p["W1"] + p["b1"], 0)
    D = (sm(H @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    B = D @ p["W2"].T * (H > 0)
    return {"W1": X.T @ B + 0.5 * 0.05 * p["W1"], "b1": B.sum(0), "W2": H.T @ D + 0.5 * 0.05 * p["W2"], "b2": D.sum(0)}


@single(A_LOGL2, "regulariser_sign", "W1", mode="arrays", declared=True)
def minus_in_front_of_lambda(p, X, y):
    D = sm(X @ p["W1"] + p["b1"]) - np.eye(3)[y]
    return {"W1": X.T @ D / len(y) - 0.5 * p["W1"], "b1": D.mean(0)}


@single(A_L2, "regulariser_on_biases", "b1 b2", mode="arrays", declared=True)
def decay_for_all_arrays(p, X, y):
    H = np.maximum(X @ p["W1"] + p["b1"], 0)
    D = (sm(H @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    B = D @ p["W2"].T * (H > 0)
    g = [X.T @ B, B.sum(0), H.T @ D, D.sum(0)]
    return [a + 0.05 * p[k] for a, k in zip(g, ("W1", "b1", "W2", "b2"))]


@single(A_LOGL2, "regulariser_divided|regulariser_factor", "W1", mode="arrays", declared=True)
def lambda_over_n(p, X, y):
    n, lam = len(y), 0.5
    D = sm(X @ p["W1"] + p["b1"]) - np.eye(3)[y]
    return {"W1": X.T @ D / n + lam / n * p["W1"], "b1": D.mean(0)}


@single(A_SIG, "updated_weights", "dA1 dZ1", mode="arrays")
def new_w2_for_the_hidden_delta(p, X, y):
    H = 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))
    D = (sm(H @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    W2new = p["W2"] - 0.05 * (H.T @ D)
    B = D @ W2new.T * H * (1 - H)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(A_TANH, "labels_from_one", "Y dZ2", mode="arrays")
def one_based_classes(p, X, y):
    K = 4
    T = np.zeros((len(y), K + 1))
    T[np.arange(len(y)), y + 1] = 1
    T = T[:, :K]
    H = np.tanh(X @ p["W1"] + p["b1"])
    D = (sm(H @ p["W2"] + p["b2"]) - T) / len(y)
    B = D @ p["W2"].T * (1 - H**2)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(A_LOG, "class_shifted|labels_from_one", "Y dZ1", mode="arrays")
def target_one_column_to_the_right(p, X, y):
    D = sm(X @ p["W1"] + p["b1"])
    D[np.arange(len(y)), (y + 1) % 3] -= 1
    return [X.T @ D / len(y), D.mean(axis=0)]


@single(A_RELU, "sign", "b1 b2 b3", mode="arrays")
def biases_with_the_update_sign(p, X, y):
    h1 = np.maximum(X @ p["W1"] + p["b1"], 0)
    h2 = np.maximum(h1 @ p["W2"] + p["b2"], 0)
    d3 = (sm(h2 @ p["W3"] + p["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ p["W3"].T * (h2 > 0)
    d1 = d2 @ p["W2"].T * (h1 > 0)
    return [X.T @ d1, -d1.sum(0), h1.T @ d2, -d2.sum(0), h2.T @ d3, -d3.sum(0)]


@single(A_BIG, "factor", "dZ2 W1 b1 W2 b2", mode="arrays", declared=True)
def averaged_over_the_classes_too(p, X, y):
    H = 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))
    D = sm(H @ p["W2"] + p["b2"]) - np.eye(5)[y]
    D /= D.size
    B = D @ p["W2"].T * H * (1 - H)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": H.T @ D, "b2": D.sum(0)}


@single(A_LOG, "factor", "dZ1 W1 b1", mode="arrays", declared=True)
def step_instead_of_gradient_under_declared_loss(p, X, y):
    lr = 0.05
    D = (sm(X @ p["W1"] + p["b1"]) - np.eye(3)[y]) / len(y)
    return {"W1": lr * X.T @ D, "b1": lr * D.sum(0)}


@single(A_SQ, "wrong_layer|wrong_operand", "W3", mode="arrays")
def a1_in_the_third_gradient(p, X, y):
    a = np.tanh(X @ p["W1"] + p["b1"])
    b = np.tanh(a @ p["W2"] + p["b2"])
    g3 = (sm(b @ p["W3"] + p["b3"]) - np.eye(3)[y]) / len(y)
    g2 = (g3 @ p["W3"].T) * (1 - b**2)
    g1 = (g2 @ p["W2"].T) * (1 - a**2)
    return [X.T @ g1, g1.sum(0), a.T @ g2, g2.sum(0), a.T @ g3, g3.sum(0)]


@single(A_ID, "wrong_operand", "W2", mode="arrays")
def z1_passed_to_the_dense_backward(p, X, T):
    Z1 = X @ p["W1"] + p["b1"]
    H = 1 / (1 + np.exp(-Z1))
    D = (H @ p["W2"] + p["b2"] - T) / len(X)
    B = D @ p["W2"].T * H * (1 - H)
    return {"W1": X.T @ B, "b1": B.sum(0), "W2": Z1.T @ D, "b2": D.sum(0)}
