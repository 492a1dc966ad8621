"""Single mistakes in the learner's own names, layout and loss: columns, (out, in), one sample, no biases, loops.

Each world has its parameters, its loss (which declares everything) and, for all but the blind ones, the matching
gm.Network that says which architecture it is.
"""

import numpy as np

from tests.learners.case import data, single, weights


def _net(p, **kw):
    import glassmax as gm

    return gm.Network.from_parameters(p, **kw)


def world(function):
    def make():
        return function()

    make.__name__ = function.__name__
    make.own = True
    make.has_loss = "loss" in function()
    return make


def without_loss(setup, name):
    """The same world, its loss not given: layout and architecture must do."""

    def make():
        return {k: v for k, v in setup().items() if k != "loss"} | {"_loss": setup()["loss"]}

    make.__name__ = name
    make.own = True
    make.has_loss = False
    return make


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def col_softmax(Z):
    e = np.exp(Z - Z.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


def row_softmax(Z):
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ------------------------------------------------ columns, (out, in), Ng's coursework


def coursera_loss(parameters, X, Y):
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    A2 = col_softmax(parameters["W2"] @ A1 + parameters["b2"])
    return -np.sum(Y * np.log(A2)) / X.shape[1]


@world
def COURSERA():
    X, Y = data(7, 4, 3, 61, "onehot")
    w = weights([4, 5, 3], 61)
    p = {"W1": w["W1"].T.copy(), "b1": w["b1"][:, None], "W2": w["W2"].T.copy(), "b2": w["b2"][:, None]}
    return dict(network=_net(w, activation="tanh"), parameters=p, loss=coursera_loss, X=X.T.copy(), y=Y.T.copy())


LAMBD = 0.7


def coursera_l2_loss(parameters, X, Y):
    m = X.shape[1]
    A1 = np.maximum(0, np.dot(parameters["W1"], X) + parameters["b1"])
    A2 = sigmoid(np.dot(parameters["W2"], A1) + parameters["b2"])
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    return cost + LAMBD / (2 * m) * (np.sum(parameters["W1"] ** 2) + np.sum(parameters["W2"] ** 2))


COURSERA_SHAPES = without_loss(COURSERA, "COURSERA_SHAPES")


@world
def COURSERA_L2():
    X, _ = data(8, 4, 2, 62)
    Y = (np.random.default_rng(62).random((8, 1)) < 0.5).astype(float)
    w = weights([4, 6, 1], 62)
    p = {"W1": w["W1"].T.copy(), "b1": w["b1"][:, None], "W2": w["W2"].T.copy(), "b2": w["b2"][:, None]}
    net = _net(w, activation="relu", output="sigmoid", loss="binary_cross_entropy", l2=LAMBD / 8)
    return dict(network=net, parameters=p, loss=coursera_l2_loss, X=X.T.copy(), y=Y.T.copy())


# ------------------------------------------------ rows of samples, (out, in) weights, PyTorch's names


def torch_loss(state, x, target):
    h = np.maximum(x @ state["fc1.weight"].T + state["fc1.bias"], 0)
    z = h @ state["fc2.weight"].T + state["fc2.bias"]
    lse = np.log(np.sum(np.exp(z), axis=1))
    return np.mean(lse - z[np.arange(len(target)), target])


@world
def TORCHY():
    X, y = data(8, 5, 3, 63)
    w = weights([5, 6, 3], 63)
    p = {"fc1.weight": w["W1"].T.copy(), "fc1.bias": w["b1"], "fc2.weight": w["W2"].T.copy(), "fc2.bias": w["b2"]}
    return dict(network=_net(w, activation="relu"), parameters=p, loss=torch_loss, X=X, y=y)


TORCHY_SHAPES = without_loss(TORCHY, "TORCHY_SHAPES")


# ------------------------------------------------ one sample, no biases, sigmoid outputs, 1/2 squared error


def rashid_loss(p, inputs, targets):
    hidden = sigmoid(np.dot(p["wih"], inputs))
    final = sigmoid(np.dot(p["who"], hidden))
    return 0.5 * np.sum((targets - final) ** 2)


@world
def RASHID():
    X, _ = data(1, 4, 3, 64)
    w = weights([4, 5, 3], 64)
    w["b1"][:] = 0
    w["b2"][:] = 0
    net = _net(w, activation="sigmoid", output="sigmoid", loss="squared_error")
    return dict(
        network=net,
        parameters={"wih": w["W1"].T.copy(), "who": w["W2"].T.copy()},
        loss=rashid_loss,
        X=X[0],
        y=np.array([0.01, 0.99, 0.01]),
    )


# ------------------------------------------------ Nielsen's three layers in columns, quadratic cost


def nielsen_cost(theta, x, y):
    a = x
    for w, b in (("w1", "b1"), ("w2", "b2"), ("w3", "b3")):
        a = sigmoid(theta[w] @ a + theta[b])
    return 0.5 * np.sum((a - y) ** 2) / x.shape[1]


@world
def NIELSEN():
    X, Y = data(7, 4, 3, 65, "onehot")
    w = weights([4, 6, 5, 3], 65, 0.9)
    p = {}
    for l in (1, 2, 3):
        p[f"w{l}"] = w[f"W{l}"].T.copy()
        p[f"b{l}"] = w[f"b{l}"][:, None]
    net = _net(w, activation="sigmoid", output="sigmoid", loss="squared_error")
    return dict(network=net, parameters=p, loss=nielsen_cost, X=X.T.copy(), y=Y.T.copy())


# ------------------------------------------------ CS231n, rows, own regularisation, sum-of-squares without 1/2

REG = 0.25


def cs231n_loss(params, X, y):
    hidden = np.maximum(0, X.dot(params["W1"]) + params["b1"])
    scores = hidden.dot(params["W2"]) + params["b2"]
    scores = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    data_loss = -np.log(p[np.arange(len(y)), y]).mean()
    return data_loss + REG * np.sum(params["W1"] * params["W1"]) + REG * np.sum(params["W2"] * params["W2"])


@world
def CS231N():
    X, y = data(9, 4, 3, 66)
    w = weights([4, 8, 3], 66)
    return dict(network=_net(w, activation="relu", l2=2 * REG), parameters=w, loss=cs231n_loss, X=X, y=y)


# ------------------------------------------------ softmax regression, sum over samples, biases within theta


def ufldl_cost(theta, X, y):
    s = X @ theta["theta"]
    s = s - s.max(axis=1, keepdims=True)
    logp = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(y)), y].sum()


@world
def UFLDL():
    X, y = data(9, 4, 3, 67)
    X = np.hstack([np.ones((9, 1)), X])
    w = weights([5, 3], 67)
    w["b1"][:] = 0
    return dict(network=_net(w), parameters={"theta": w["W1"]}, loss=ufldl_cost, X=X, y=y)


# ------------------------------------------------ softmax net with mean squared error over all entries


def keras_mse(p, X, T):
    h = np.tanh(X @ p["kernel_hidden"] + p["bias_hidden"])
    out = row_softmax(h @ p["kernel_out"] + p["bias_out"])
    return np.mean((out - T) ** 2)


@world
def KERAS_MSE():
    X, Y = data(7, 4, 3, 68, "onehot")
    w = weights([4, 5, 3], 68)
    p = {"kernel_hidden": w["W1"], "bias_hidden": w["b1"], "kernel_out": w["W2"], "bias_out": w["b2"]}
    return dict(
        network=_net(w, activation="tanh", output="softmax", loss="squared_error"),
        parameters=p,
        loss=keras_mse,
        X=X,
        y=Y,
    )


# ------------------------------------------------ blind: no network; projections only


def ridge_loss(p, X, y):
    r = X @ p["coef"] + p["intercept"] - y
    return np.mean(r**2) + 0.4 * np.sum(p["coef"] ** 2)


@world
def RIDGE():
    rng = np.random.default_rng(69)
    return dict(
        parameters={"coef": rng.normal(size=5), "intercept": np.array(0.3)},
        loss=ridge_loss,
        X=rng.normal(size=(12, 5)),
        y=rng.normal(size=12),
    )


def logistic_loss(p, X, t):
    z = X @ p["w"] + p["b"]
    return np.sum(np.logaddexp(0, z) - t * z)


@world
def LOGISTIC():
    rng = np.random.default_rng(70)
    return dict(
        parameters={"w": rng.normal(size=(4, 1)), "b": rng.normal(size=(1, 1))},
        loss=logistic_loss,
        X=rng.normal(size=(10, 4)),
        y=(rng.random((10, 1)) < 0.5) * 1.0,
    )


def factor_loss(p, R, mask):
    return (
        0.5 * np.sum((mask * (p["users"] @ p["items"].T - R)) ** 2)
        + 0.1 * np.sum(p["users"] ** 2)
        + 0.1 * np.sum(p["items"] ** 2)
    )


@world
def MATRIX_FACTORS():
    rng = np.random.default_rng(71)
    return dict(
        parameters={"users": rng.normal(size=(5, 3)), "items": rng.normal(size=(6, 3))},
        loss=factor_loss,
        X=rng.normal(size=(5, 6)),
        y=(rng.random((5, 6)) < 0.6) * 1.0,
    )


def bilinear_loss(p, X, y):
    left, right = X[:, :3], X[:, 3:]
    s = np.einsum("ni,ij,nj->n", left, p["M"], right)
    return float(np.mean(np.log1p(np.exp(-y * (s + p["c"])))))


@world
def BILINEAR():
    rng = np.random.default_rng(72)
    return dict(
        parameters={"M": rng.normal(size=(3, 3)), "c": np.zeros(1) + 0.2},
        loss=bilinear_loss,
        X=rng.normal(size=(9, 6)),
        y=np.where(rng.random(9) < 0.5, -1.0, 1.0),
    )


# ======================================================================= the mistakes


@single(COURSERA, "jacobian_diagonal_only", "dZ2")
def coursera_da_times_softmax_derivative(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    A2 = col_softmax(parameters["W2"] @ A1 + parameters["b2"])
    dA2 = -Y / A2
    dZ2 = dA2 * A2 * (1 - A2)
    dA1 = parameters["W2"].T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    return {
        "W1": dZ1 @ X.T / m,
        "b1": dZ1.sum(axis=1, keepdims=True) / m,
        "W2": dZ2 @ A1.T / m,
        "b2": dZ2.sum(axis=1, keepdims=True) / m,
    }


@single(COURSERA, "activation_missing", "dZ1")
def coursera_linear_backward_only(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    dZ2 = col_softmax(parameters["W2"] @ A1 + parameters["b2"]) - Y
    dZ1 = parameters["W2"].T @ dZ2
    return {
        "W1": dZ1 @ X.T / m,
        "b1": np.mean(dZ1, axis=1, keepdims=True),
        "W2": dZ2 @ A1.T / m,
        "b2": np.mean(dZ2, axis=1, keepdims=True),
    }


@single(COURSERA, "softmax_axis", "P dZ2")
def coursera_softmax_along_the_samples(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    T = np.exp(parameters["W2"] @ A1 + parameters["b2"])
    A2 = T / T.sum(axis=1, keepdims=True)  # copied from row code
    dZ2 = (A2 - Y) / m
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    return {"W1": dZ1 @ X.T, "b1": dZ1.sum(1, keepdims=True), "W2": dZ2 @ A1.T, "b2": dZ2.sum(1, keepdims=True)}


@single(COURSERA, "bias_summed_over_all", "b1 b2")
def coursera_sum_without_axis_and_keepdims(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    dZ2 = col_softmax(parameters["W2"] @ A1 + parameters["b2"]) - Y
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    return {"W1": dZ1 @ X.T / m, "b1": np.sum(dZ1) / m, "W2": dZ2 @ A1.T / m, "b2": np.sum(dZ2) / m}


@single(COURSERA, "factor", "dZ1 W1 b1")
def coursera_one_over_m_at_both_layers(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    dZ2 = (col_softmax(parameters["W2"] @ A1 + parameters["b2"]) - Y) / m
    dW2 = dZ2 @ A1.T
    db2 = dZ2.sum(axis=1, keepdims=True)
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    dW1 = 1 / m * dZ1 @ X.T
    db1 = 1 / m * dZ1.sum(axis=1, keepdims=True)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


@single(COURSERA, "class_shifted|labels_from_one", "Y dZ2")
def coursera_one_hot_rows_rolled(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    labels = Y.argmax(axis=0)
    D = np.zeros_like(Y)
    D[(labels + 1) % Y.shape[0], np.arange(m)] = 1
    dZ2 = (col_softmax(parameters["W2"] @ A1 + parameters["b2"]) - D) / m
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    return {"W1": dZ1 @ X.T, "b1": dZ1.sum(1, keepdims=True), "W2": dZ2 @ A1.T, "b2": dZ2.sum(1, keepdims=True)}


@single(COURSERA_L2, "regulariser_missing", "W1 W2")
def coursera_backprop_without_regularization(parameters, X, Y):
    m = X.shape[1]
    A1 = np.maximum(0, np.dot(parameters["W1"], X) + parameters["b1"])
    A2 = sigmoid(np.dot(parameters["W2"], A1) + parameters["b2"])
    dZ2 = A2 - Y
    dZ1 = np.multiply(np.dot(parameters["W2"].T, dZ2), np.int64(A1 > 0))
    return {
        "W1": dZ1 @ X.T / m,
        "b1": dZ1.sum(1, keepdims=True) / m,
        "W2": dZ2 @ A1.T / m,
        "b2": dZ2.sum(1, keepdims=True) / m,
    }


@single(COURSERA_L2, "regulariser_divided|regulariser_factor", "W1 W2")
def coursera_lambda_not_over_m(parameters, X, Y):
    m = X.shape[1]
    A1 = np.maximum(0, np.dot(parameters["W1"], X) + parameters["b1"])
    A2 = sigmoid(np.dot(parameters["W2"], A1) + parameters["b2"])
    dZ2 = A2 - Y
    dZ1 = np.multiply(np.dot(parameters["W2"].T, dZ2), np.int64(A1 > 0))
    W1, W2 = parameters["W1"], parameters["W2"]
    return {
        "W1": dZ1 @ X.T / m + LAMBD * W1,
        "b1": dZ1.sum(1, keepdims=True) / m,
        "W2": dZ2 @ A1.T / m + LAMBD * W2,
        "b2": dZ2.sum(1, keepdims=True) / m,
    }


@single(COURSERA_L2, "other_loss|jacobian_on_top", "dZ2")
def coursera_mse_delta_under_log_cost(parameters, X, Y):
    m = X.shape[1]
    A1 = np.maximum(0, np.dot(parameters["W1"], X) + parameters["b1"])
    A2 = sigmoid(np.dot(parameters["W2"], A1) + parameters["b2"])
    dZ2 = (A2 - Y) * A2 * (1 - A2)
    dZ1 = np.multiply(np.dot(parameters["W2"].T, dZ2), np.int64(A1 > 0))
    return {
        "W1": (dZ1 @ X.T + LAMBD * parameters["W1"]) / m,
        "b1": dZ1.sum(1, keepdims=True) / m,
        "W2": (dZ2 @ A1.T + LAMBD * parameters["W2"]) / m,
        "b2": dZ2.sum(1, keepdims=True) / m,
    }


@single(TORCHY, "factor", "fc1.weight fc1.bias fc2.weight fc2.bias W1 b1 W2 b2 dZ2")
def torch_names_batch_sum_for_batch_mean(state, x, target):
    h = np.maximum(x @ state["fc1.weight"].T + state["fc1.bias"], 0)
    g = row_softmax(h @ state["fc2.weight"].T + state["fc2.bias"])
    g[np.arange(len(target)), target] -= 1
    gh = (g @ state["fc2.weight"]) * (h > 0)
    return {"fc1.weight": gh.T @ x, "fc1.bias": gh.sum(0), "fc2.weight": g.T @ h, "fc2.bias": g.sum(0)}


@single(TORCHY, "sign", "fc2.weight W2")
def torch_names_minus_on_one_weight(state, x, target):
    h = np.maximum(x @ state["fc1.weight"].T + state["fc1.bias"], 0)
    g = row_softmax(h @ state["fc2.weight"].T + state["fc2.bias"])
    g[np.arange(len(target)), target] -= 1
    g /= len(target)
    gh = (g @ state["fc2.weight"]) * (h > 0)
    return {"fc1.weight": gh.T @ x, "fc1.bias": gh.sum(0), "fc2.weight": -(g.T @ h), "fc2.bias": g.sum(0)}


@single(TORCHY, "upstream_dropped", "dZ1")
def torch_names_relu_grad_is_the_mask(state, x, target):
    pre = x @ state["fc1.weight"].T + state["fc1.bias"]
    h = pre.clip(0)
    g = (row_softmax(h @ state["fc2.weight"].T + state["fc2.bias"]) - np.eye(3)[target]) / len(target)
    gh = np.where(pre > 0, 1.0, 0.0)
    return {"fc1.weight": gh.T @ x, "fc1.bias": gh.sum(0), "fc2.weight": g.T @ h, "fc2.bias": g.sum(0)}


@single(TORCHY, "updated_weights", "dA1 dZ1")
def torch_names_sgd_inside_backward(state, x, target):
    lr = 0.1
    h = np.maximum(x @ state["fc1.weight"].T + state["fc1.bias"], 0)
    g = (row_softmax(h @ state["fc2.weight"].T + state["fc2.bias"]) - np.eye(3)[target]) / len(target)
    dw2 = g.T @ h
    w2 = state["fc2.weight"] - lr * dw2
    gh = (g @ w2) * (h > 0)
    return {"fc1.weight": gh.T @ x, "fc1.bias": gh.sum(0), "fc2.weight": dw2, "fc2.bias": g.sum(0)}


@single(TORCHY, "bias_averaged|factor", "fc1.bias fc2.bias b1 b2")
def torch_names_bias_mean(state, x, target):
    h = np.maximum(x @ state["fc1.weight"].T + state["fc1.bias"], 0)
    g = (row_softmax(h @ state["fc2.weight"].T + state["fc2.bias"]) - np.eye(3)[target]) / len(target)
    gh = (g @ state["fc2.weight"]) * (h > 0)
    return {"fc1.weight": gh.T @ x, "fc1.bias": gh.mean(0), "fc2.weight": g.T @ h, "fc2.bias": g.mean(0)}


@single(RASHID, "activation_missing|other_loss", "dZ2")
def rashid_output_slope_left_out(p, inputs, targets):
    hidden = sigmoid(np.dot(p["wih"], inputs))
    final = sigmoid(np.dot(p["who"], hidden))
    output_errors = final - targets
    hidden_errors = np.dot(p["who"].T, output_errors)
    return {"who": np.outer(output_errors, hidden), "wih": np.outer(hidden_errors * hidden * (1.0 - hidden), inputs)}


@single(RASHID, "activation_missing_below", "dZ2 dA1 dZ1")
def rashid_hidden_error_from_raw_output_error(p, inputs, targets):
    # as printed in the book: hidden_errors = who.T . output_errors
    hidden = sigmoid(np.dot(p["wih"], inputs))
    final = sigmoid(np.dot(p["who"], hidden))
    output_errors = final - targets
    hidden_errors = np.dot(p["who"].T, output_errors)
    return {
        "who": np.outer(output_errors * final * (1.0 - final), hidden),
        "wih": np.outer(hidden_errors * hidden * (1.0 - hidden), inputs),
    }


@single(RASHID, "sign", "wih who W1 W2 dZ2")
def rashid_targets_minus_final_as_gradient(p, inputs, targets):
    hidden = sigmoid(p["wih"] @ inputs)
    final = sigmoid(p["who"] @ hidden)
    d2 = (targets - final) * final * (1 - final)
    d1 = (p["who"].T @ d2) * hidden * (1 - hidden)
    return {"wih": d1[:, None] * inputs[None, :], "who": d2[:, None] * hidden[None, :]}


@single(RASHID, "activation_of_a", "dZ1 dZ2")
def rashid_sigmoid_prime_of_outputs(p, inputs, targets):
    ds = lambda v: sigmoid(v) * (1 - sigmoid(v))
    hidden = sigmoid(p["wih"] @ inputs)
    final = sigmoid(p["who"] @ hidden)
    d2 = (final - targets) * ds(final)
    d1 = (p["who"].T @ d2) * ds(hidden)
    return {"wih": np.outer(d1, inputs), "who": np.outer(d2, hidden)}


class Network1:
    """Nielsen's, with nabla lists; one backprop per column."""

    def __init__(self, theta):
        self.weights = [theta["w1"], theta["w2"], theta["w3"]]
        self.biases = [theta["b1"], theta["b2"], theta["b3"]]

    def backprop(self, x, y, slip=None):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation, activations, zs = x, [x], []
        for b, w in zip(self.biases, self.weights):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = self.cost_derivative(activations[-1], y) * self.prime(zs[-1])
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].T)
        for l in range(2, 4):
            z = zs[-l]
            if slip == "layer":
                sp = self.prime(zs[-l + 1]) if l == 99 else self.prime(z)
            else:
                sp = self.prime(z)
            delta = np.dot(self.weights[-l + 1].T, delta) * sp
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, activations[-l - 1].T)
        return nabla_b, nabla_w

    def cost_derivative(self, a, y):
        return a - y

    def prime(self, z):
        return sigmoid(z) * (1 - sigmoid(z))


@single(NIELSEN, "factor", "dZ3 w1 b1 w2 b2 w3 b3 W1 W2 W3")
def nielsen_sum_over_the_mini_batch(theta, x, y):
    net = Network1(theta)
    total = {k: np.zeros(v.shape) for k, v in theta.items()}
    for i in range(x.shape[1]):
        nb, nw = net.backprop(x[:, [i]], y[:, [i]])
        for l in range(3):
            total[f"w{l + 1}"] += nw[l]
            total[f"b{l + 1}"] += nb[l]
    return total


@single(NIELSEN, "bias_last_row", "b1 b2 b3")
def nielsen_nabla_b_assigned_not_added(theta, x, y):
    net = Network1(theta)
    m = x.shape[1]
    total = {k: np.zeros(v.shape) for k, v in theta.items()}
    for i in range(m):
        nb, nw = net.backprop(x[:, [i]], y[:, [i]])
        for l in range(3):
            total[f"w{l + 1}"] += nw[l] / m
            total[f"b{l + 1}"] = nb[l] / m
    return total


@single(NIELSEN, "activation_of_z", "dZ3 dZ2 dZ1")
def nielsen_prime_takes_activation_but_gets_z(theta, x, y):
    class Net(Network1):
        def prime(self, a):
            return a * (1 - a)

    nb, nw = Net(theta).backprop(x, y)
    m = x.shape[1]
    out = {f"w{l + 1}": nw[l] / m for l in range(3)}
    out.update({f"b{l + 1}": nb[l].sum(axis=1, keepdims=True) / m for l in range(3)})
    return out


@single(NIELSEN, "activation_other_function", "dZ3 dZ2 dZ1")
def nielsen_tanh_prime_in_a_sigmoid_net(theta, x, y):
    class Net(Network1):
        def prime(self, z):
            return 1 - np.tanh(z) ** 2

    nb, nw = Net(theta).backprop(x, y)
    m = x.shape[1]
    out = {f"w{l + 1}": nw[l] / m for l in range(3)}
    out.update({f"b{l + 1}": nb[l].sum(axis=1, keepdims=True) / m for l in range(3)})
    return out


@single(NIELSEN, "upstream_dropped", "dZ3")
def nielsen_cost_derivative_not_multiplied(theta, x, y):
    class Net(Network1):
        def cost_derivative(self, a, y):
            return 1.0

    nb, nw = Net(theta).backprop(x, y)
    m = x.shape[1]
    out = {f"w{l + 1}": nw[l] / m for l in range(3)}
    out.update({f"b{l + 1}": nb[l].sum(axis=1, keepdims=True) / m for l in range(3)})
    return out


@single(CS231N, "regulariser_factor", "W1 W2")
def cs231n_reg_times_w(params, X, y):
    N = X.shape[0]
    hidden = np.maximum(0, X.dot(params["W1"]) + params["b1"])
    scores = hidden.dot(params["W2"]) + params["b2"]
    d = row_softmax(scores)
    d[np.arange(N), y] -= 1
    d /= N
    dh = d.dot(params["W2"].T)
    dh[hidden <= 0] = 0
    return {
        "W2": hidden.T.dot(d) + REG * params["W2"],
        "b2": d.sum(0),
        "W1": X.T.dot(dh) + REG * params["W1"],
        "b1": dh.sum(0),
    }


@single(CS231N, "regulariser_on_biases", "b1 b2")
def cs231n_reg_on_everything(params, X, y):
    N = X.shape[0]
    hidden = np.maximum(0, X.dot(params["W1"]) + params["b1"])
    scores = hidden.dot(params["W2"]) + params["b2"]
    d = row_softmax(scores)
    d[np.arange(N), y] -= 1
    d /= N
    dh = d.dot(params["W2"].T)
    dh[hidden <= 0] = 0
    grads = {"W2": hidden.T.dot(d), "b2": d.sum(0), "W1": X.T.dot(dh), "b1": dh.sum(0)}
    return {k: g + 2 * REG * params[k] for k, g in grads.items()}


@single(CS231N, "regulariser_sign", "W1")
def cs231n_minus_reg_on_the_first(params, X, y):
    N = X.shape[0]
    hidden = np.maximum(0, X.dot(params["W1"]) + params["b1"])
    scores = hidden.dot(params["W2"]) + params["b2"]
    d = row_softmax(scores)
    d[np.arange(N), y] -= 1
    d /= N
    dh = d.dot(params["W2"].T)
    dh[hidden <= 0] = 0
    return {
        "W2": hidden.T.dot(d) + 2 * REG * params["W2"],
        "b2": d.sum(0),
        "W1": X.T.dot(dh) - 2 * REG * params["W1"],
        "b1": dh.sum(0),
    }


@single(UFLDL, "softmax_whole_array", "P dZ1")
def ufldl_divided_by_sum_of_all(theta, X, y):
    E = np.exp(X @ theta["theta"])
    P = E / E.sum()
    return {"theta": X.T @ (P - np.eye(3)[y])}


@single(UFLDL, "index_for_one_hot", "Y dZ1")
def ufldl_labels_as_numbers(theta, X, y):
    P = row_softmax(X @ theta["theta"])
    grad = np.zeros_like(theta["theta"])
    for i in range(len(y)):
        grad += np.outer(X[i], P[i] - y[i])
    return {"theta": grad}


@single(UFLDL, "input_missing", "theta W1")
def ufldl_no_x_in_the_sum(theta, X, y):
    P = row_softmax(X @ theta["theta"])
    grad = np.zeros_like(theta["theta"])
    for i in range(len(y)):
        grad += P[i] - (np.arange(3) == y[i])
    return {"theta": grad}


@single(KERAS_MSE, "jacobian_ignored|other_loss", "dZ2")
def keras_mse_delta_without_softmax(p, X, T):
    h = np.tanh(X @ p["kernel_hidden"] + p["bias_hidden"])
    out = row_softmax(h @ p["kernel_out"] + p["bias_out"])
    d = 2 * (out - T) / out.size
    e = d @ p["kernel_out"].T * (1 - h**2)
    return {"kernel_hidden": X.T @ e, "bias_hidden": e.sum(0), "kernel_out": h.T @ d, "bias_out": d.sum(0)}


@single(KERAS_MSE, "factor", "dZ2 kernel_hidden bias_hidden kernel_out bias_out W1 W2 b1 b2")
def keras_mse_mean_over_rows_only(p, X, T):
    h = np.tanh(X @ p["kernel_hidden"] + p["bias_hidden"])
    out = row_softmax(h @ p["kernel_out"] + p["bias_out"])
    g = 2 * (out - T) / len(out)
    d = out * (g - (g * out).sum(1, keepdims=True))
    e = d @ p["kernel_out"].T * (1 - h**2)
    return {"kernel_hidden": X.T @ e, "bias_hidden": e.sum(0), "kernel_out": h.T @ d, "bias_out": d.sum(0)}


# ------------------------------------------------ blind ones


@single(RIDGE, "factor", "coef intercept")
def ridge_the_two_forgotten_everywhere(p, X, y):
    r = X @ p["coef"] + p["intercept"] - y
    return {"coef": X.T @ r / len(y) + 0.4 * p["coef"], "intercept": r.mean()}


@single(RIDGE, "regulariser_missing", "coef")
def ridge_penalty_not_differentiated(p, X, y):
    r = X @ p["coef"] + p["intercept"] - y
    return {"coef": 2 * X.T @ r / len(y), "intercept": 2 * r.mean()}


@single(LOGISTIC, "sign", "w b")
def logistic_t_minus_p(p, X, t):
    e = t - 1 / (1 + np.exp(-(X @ p["w"] + p["b"])))
    return {"w": X.T @ e, "b": e.sum(axis=0, keepdims=True)}


@single(LOGISTIC, "bias_averaged|factor", "b")
def logistic_bias_mean(p, X, t):
    e = 1 / (1 + np.exp(-(X @ p["w"] + p["b"]))) - t
    return {"w": X.T @ e, "b": e.mean(axis=0, keepdims=True)}


@single(BILINEAR, "transposed", "M")
def bilinear_outer_product_reversed(p, X, y):
    left, right = X[:, :3], X[:, 3:]
    s = ((left @ p["M"]) * right).sum(axis=1)
    r = -y / (1 + np.exp(y * (s + p["c"]))) / len(y)
    return {"M": (right * r[:, None]).T @ left, "c": np.array([r.sum()])}


@single(MATRIX_FACTORS, "sign", "items")
def factors_sign_of_one_factor(p, R, mask):
    E = mask * (p["users"] @ p["items"].T - R)
    return {"users": E @ p["items"] + 0.2 * p["users"], "items": -(E.T @ p["users"] + 0.2 * p["items"])}


# ------------------------------------------------ layout inferred from shapes, loss not given; arrays in one's own layout


@single(COURSERA, "bias_times_input", "b1")
def coursera_bias_from_the_product_with_x(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    l2 = col_softmax(parameters["W2"] @ A1 + parameters["b2"]) - Y
    l1 = parameters["W2"].T @ l2 * (1 - A1**2)
    grad_b1 = np.sum(l1 @ X.T, axis=1, keepdims=True) / m
    return {"W1": l1 @ X.T / m, "b1": grad_b1, "W2": l2 @ A1.T / m, "b2": np.sum(l2, axis=1, keepdims=True) / m}


@single(COURSERA_SHAPES, "activation_other_function", "dZ1")
def columns_without_a_loss_wrong_slope(parameters, X, Y):
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    dZ2 = col_softmax(parameters["W2"] @ A1 + parameters["b2"]) - Y
    dZ1 = parameters["W2"].T @ dZ2 * (A1 * (1 - A1))
    return {"W1": dZ1 @ X.T, "b1": dZ1.sum(1, keepdims=True), "W2": dZ2 @ A1.T, "b2": dZ2.sum(1, keepdims=True)}


@single(TORCHY_SHAPES, "class_shifted|labels_from_one", "Y dZ2")
def out_in_without_a_loss_shifted_labels(state, x, target):
    h = np.maximum(x @ state["fc1.weight"].T + state["fc1.bias"], 0)
    g = row_softmax(h @ state["fc2.weight"].T + state["fc2.bias"])
    g[np.arange(len(target)), target - 1] -= 1
    g /= len(target)
    gh = (g @ state["fc2.weight"]) * (h > 0)
    return {"fc1.weight": gh.T @ x, "fc1.bias": gh.sum(0), "fc2.weight": g.T @ h, "fc2.bias": g.sum(0)}


@single(TORCHY, "activation_missing", "dZ1", mode="arrays")
def torch_names_arrays_no_mask(state, x, target):
    h = np.maximum(x @ state["fc1.weight"].T + state["fc1.bias"], 0)
    g = (row_softmax(h @ state["fc2.weight"].T + state["fc2.bias"]) - np.eye(3)[target]) / len(target)
    gh = g @ state["fc2.weight"]
    return {"fc1.weight": gh.T @ x, "fc1.bias": gh.sum(0), "fc2.weight": g.T @ h, "fc2.bias": g.sum(0)}


@single(CS231N, "regulariser_missing", "W1 W2", mode="arrays")
def cs231n_arrays_no_reg(params, X, y):
    N = X.shape[0]
    hidden = np.maximum(0, X.dot(params["W1"]) + params["b1"])
    d = row_softmax(hidden.dot(params["W2"]) + params["b2"])
    d[np.arange(N), y] -= 1
    d /= N
    dh = d.dot(params["W2"].T)
    dh[hidden <= 0] = 0
    return [X.T.dot(dh), dh.sum(0), hidden.T.dot(d), d.sum(0)]
