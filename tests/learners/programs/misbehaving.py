"""Functions that do what they should not, beside or instead of computing; and mistakes in nobody's catalogue."""

import numpy as np

from tests.learners.case import NET, control, misbehaving, strange
from tests.learners.programs.singles_own import COURSERA, TORCHY

M_TANH = NET([4, 6, 3], "tanh", seed=141, n=7)
M_LOG = NET([5, 4], seed=142, n=9)
M_RELU = NET([4, 7, 3], "relu", seed=143, n=8)
S_SIG = NET([4, 5, 3], "sigmoid", seed=144, n=8)
S_DEEP = NET([4, 6, 5, 3], "tanh", seed=145, n=8)


def smax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def _good(p, X, y):
    h = np.tanh(X @ p["W1"] + p["b1"])
    d = (smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ p["W2"].T * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


def _good_log(p, X, y):
    d = (smax(X @ p["W1"] + p["b1"]) - np.eye(4)[y]) / len(y)
    return {"W1": X.T @ d, "b1": d.sum(0)}


@misbehaving(M_TANH, "raises")
def matmul_does_not_fit(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"] * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@misbehaving(M_LOG, "raises")
def name_never_defined(params, X, y):
    d = (smax(X @ params["W1"] + params["b1"]) - one_hot) / len(y)  # noqa: F821
    return {"W1": X.T @ d, "b1": d.sum(0)}


@misbehaving(M_LOG, "raises")
def exits_the_program(params, X, y):
    raise SystemExit("done training")


@misbehaving(M_TANH, "wrong_keys", "W1 b1 W2 b2 dW1")
def keys_with_a_d_in_front_and_a_gap(params, X, y):
    g = _good(params, X, y)
    return {"grad_weights_first": g["W1"], "grad_weights_second": g["W2"], "cost": 0.3}


@misbehaving(M_TANH, "wrong_keys", "b2")
def last_bias_forgotten(params, X, y):
    g = _good(params, X, y)
    del g["b2"]
    return g


@misbehaving(M_LOG, "wrong_shapes|wrong_keys", "W1")
def returns_a_single_number(params, X, y):
    return float(np.sum(_good_log(params, X, y)["W1"]))


@misbehaving(M_LOG, "wrong_keys|wrong_shapes|raises|not_finite")
def returns_none(params, X, y):
    d = (smax(X @ params["W1"] + params["b1"]) - np.eye(4)[y]) / len(y)
    dW1, db1 = X.T @ d, d.sum(0)


@misbehaving(M_TANH, "wrong_shapes", "W2")
def one_column_missing(params, X, y):
    g = _good(params, X, y)
    g["W2"] = g["W2"][:, :-1]
    return g


@misbehaving(M_TANH, "wrong_keys|wrong_shapes")
def list_one_short(params, X, y):
    g = _good(params, X, y)
    return [g["W1"], g["b1"], g["W2"]]


@misbehaving(M_TANH, "writes_inputs", "W1 b1 W2 b2")
def updates_the_parameters_it_was_given(params, X, y):
    g = _good(params, X, y)
    for k in params:
        params[k] -= 0.1 * g[k]
    return g


@misbehaving(M_LOG, "writes_inputs", "X")
def standardises_the_inputs_in_place(params, X, y):
    X -= X.mean(axis=0)
    X /= X.std(axis=0)
    return _good_log(params, X, y)


@misbehaving(M_LOG, "not_finite", "W1 b1")
def divides_zero_by_zero(params, X, y):
    P = smax(X @ params["W1"] + params["b1"])
    Y = np.eye(4)[y]
    with np.errstate(all="ignore"):
        d = (P - Y) / len(y) * (Y / Y)
    return {"W1": X.T @ d, "b1": d.sum(0)}


@misbehaving(M_RELU, "not_finite", "W1 b1 W2 b2")
def log_of_relu_inside(params, X, y):
    h = np.maximum(X @ params["W1"] + params["b1"], 0)
    with np.errstate(all="ignore"):
        d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
        e = d @ params["W2"].T * h / h
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


_rng = np.random.default_rng()


@misbehaving(M_TANH, "nondeterministic", "W1 b1 W2 b2")
def dropout_left_on(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    mask = (_rng.random(h.shape) < 0.5) * 2.0
    d = (smax((h * mask) @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * mask * (1 - h**2)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": (h * mask).T @ d, "b2": d.sum(0)}


@misbehaving(M_LOG, "nondeterministic", "W1 b1")
def picks_a_random_minibatch(params, X, y):
    i = _rng.choice(len(X), size=4, replace=False)
    return _good_log(params, X[i], y[i])


_kept = np.zeros((5, 4))


@misbehaving(M_LOG, "accumulates", "W1")
def adds_into_a_module_array(params, X, y):
    g = _good_log(params, X, y)
    _kept[...] += g["W1"]
    return {"W1": _kept.copy(), "b1": g["b1"]}


@misbehaving(TORCHY, "raises")
def own_names_with_a_typo(state, x, target):
    return {"fc1.weight": state["fc1.wieght"]}


@misbehaving(COURSERA, "writes_inputs", "Y y dZ2")
def coursera_y_becomes_the_error(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    E = np.exp(parameters["W2"] @ A1 + parameters["b2"])
    dZ2 = np.subtract(E / E.sum(axis=0), Y, out=Y)
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)
    return {
        "W1": dZ1 @ X.T / m,
        "b1": dZ1.sum(1, keepdims=True) / m,
        "W2": dZ2 @ A1.T / m,
        "b2": dZ2.sum(1, keepdims=True) / m,
    }


# ------------------------------------------------ odd, but right: no false alarm


@control(M_TANH, declared=True)
def prints_all_day_long(params, X, y):
    g = _good(params, X, y)
    for i in range(200):
        print("epoch", i, "grad norm", np.linalg.norm(g["W1"]))
    return g


@control(M_TANH, declared=True)
def returns_a_tuple_of_lists(params, X, y):
    g = _good(params, X, y)
    return tuple(g[k].tolist() for k in ("W1", "b1", "W2", "b2"))


@control(M_TANH, declared=True)
def rebinds_but_does_not_write(params, X, y):
    X = X - 0.0
    params = dict(params)
    g = _good(params, X, y)
    params["W1"] = params["W1"] - 0.1 * g["W1"]
    y = None
    return g


@control(M_LOG, declared=True)
def caches_for_the_same_arguments(params, X, y, _cache={}):
    key = (params["W1"].tobytes(), params["b1"].tobytes(), X.tobytes(), y.tobytes())
    if key not in _cache:
        _cache[key] = _good_log(params, X, y)
    return _cache[key]


@control(M_LOG, declared=True)
def warns_and_overflows_on_the_side(params, X, y):
    np.exp(np.array([1000.0]))  # RuntimeWarning: overflow
    return _good_log(params, X, y)


# ------------------------------------------------ not in the catalogue


@strange(S_SIG, where="W2")
def gradient_rows_reversed(params, X, y):
    h = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": (h.T @ d)[::-1], "b2": d.sum(0)}


@strange(S_SIG, where="dZ1")
def square_root_of_the_slope(params, X, y):
    h = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * np.sqrt(h * (1 - h))
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@strange(S_DEEP, where="dZ2")
def one_column_of_the_error_zeroed(params, X, y):
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    a2 = np.tanh(a1 @ params["W2"] + params["b2"])
    d3 = (smax(a2 @ params["W3"] + params["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ params["W3"].T * (1 - a2**2)
    d2[:, 2] = 0
    d1 = d2 @ params["W2"].T * (1 - a1**2)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0), "W3": a2.T @ d3, "b3": d3.sum(0)}


@strange(S_DEEP, "not_in_catalogue|precedence", where="dZ3")
def only_y_divided_by_n(params, X, y):
    a1 = np.tanh(X @ params["W1"] + params["b1"])
    a2 = np.tanh(a1 @ params["W2"] + params["b2"])
    d3 = smax(a2 @ params["W3"] + params["b3"]) - np.eye(3)[y] / len(y)
    d2 = d3 @ params["W3"].T * (1 - a2**2)
    d1 = d2 @ params["W2"].T * (1 - a1**2)
    return {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0), "W3": a2.T @ d3, "b3": d3.sum(0)}


@strange(S_SIG, where="W1 b1 dZ1")
def clipped_gradient(params, X, y):
    h = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    d = (smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * h * (1 - h)
    g = {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}
    return {k: np.clip(v, -0.02, 0.02) for k, v in g.items()}


@strange(S_SIG, where="dZ2")
def error_rounded_to_one_digit(params, X, y):
    h = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    d = np.round(smax(h @ params["W2"] + params["b2"]) - np.eye(3)[y], 1) / len(y)
    e = d @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@strange(S_SIG, where="dZ2", mode="arrays")
def absolute_error_instead_of_signed(p, X, y):
    h = 1 / (1 + np.exp(-(X @ p["W1"] + p["b1"])))
    d = np.abs(smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ p["W2"].T * h * (1 - h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@strange(S_DEEP, where="dA1 dZ1", mode="arrays")
def noise_in_the_middle(p, X, y):
    a1 = np.tanh(X @ p["W1"] + p["b1"])
    a2 = np.tanh(a1 @ p["W2"] + p["b2"])
    d3 = (smax(a2 @ p["W3"] + p["b3"]) - np.eye(3)[y]) / len(y)
    d2 = d3 @ p["W3"].T * (1 - a2**2)
    d1 = d2 @ (p["W2"] + np.random.default_rng(3).normal(size=p["W2"].shape)).T * (1 - a1**2)
    return [X.T @ d1, d1.sum(0), a1.T @ d2, d2.sum(0), a2.T @ d3, d3.sum(0)]


@strange(S_SIG, where="W1", mode="arrays")
def half_of_the_batch_in_one_weight(p, X, y):
    h = 1 / (1 + np.exp(-(X @ p["W1"] + p["b1"])))
    d = (smax(h @ p["W2"] + p["b2"]) - np.eye(3)[y]) / len(y)
    e = d @ p["W2"].T * h * (1 - h)
    return {"W1": X[:4].T @ e[:4], "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@strange(S_SIG, where="P dZ2")
def base_two_exponentials(params, X, y):
    h = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    s = 2.0 ** (h @ params["W2"] + params["b2"])
    d = (s / s.sum(1, keepdims=True) - np.eye(3)[y]) / len(y)
    e = d @ params["W2"].T * h * (1 - h)
    return {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}


@strange(COURSERA, "not_in_catalogue|activation_other_function", where="dZ1 W1 b1")
def coursera_slope_cubed(parameters, X, Y):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    E = np.exp(parameters["W2"] @ A1 + parameters["b2"])
    dZ2 = (E / E.sum(axis=0) - Y) / m
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**3)
    return {"W1": dZ1 @ X.T, "b1": dZ1.sum(1, keepdims=True), "W2": dZ2 @ A1.T, "b2": dZ2.sum(1, keepdims=True)}
