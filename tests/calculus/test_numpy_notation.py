"""Programs in NumPy, as people write them, are run by NumPy and read by glassmax: the same value, the same gradient."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy import special

from glassmax.calculus import DeriveError, derive
from glassmax.calculus.proving import Values, evaluate_program
from glassmax.calculus.reading.parse_matrix import parse_matrix
from glassmax.errors import ExpressionError

SIZES = [
    {"n": 5, "d": 3, "k": 4, "h": 2, "m": 6},
    {"n": 2, "d": 6, "k": 3, "h": 5, "m": 4},
    {"n": 7, "d": 2, "k": 5, "h": 4, "m": 3},
]
WORLD = {
    **{
        "np": np,
        "numpy": np,
        "special": special,
        "exp": np.exp,
        "log": np.log,
        "tanh": np.tanh,
        "norm": np.linalg.norm,
    },
    **{"sqrt": np.sqrt, "sum": np.sum, "len": len, "mean": np.mean, "logsumexp": special.logsumexp, "pi": np.pi},
    "softmax": lambda Z, axis=-1: special.softmax(Z, axis=axis),
    "log_softmax": lambda Z, axis=-1: special.log_softmax(Z, axis=axis),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.maximum(0, z),
}
LINEAR = {"X": "n,d", "W": "d,k", "b": "k"}
BATCH = {**LINEAR, "Y": "n,k"}
LABELED = {**LINEAR, "y": "n<k"}

PROGRAMS = {
    # name: (program, what is differentiated, arrays, by what)
    "sum_of_a_product": ("L = (X @ W).sum()", LINEAR, "W"),
    "relu_of_an_array": ("L = (np.maximum(0, Z - Y) * Z).sum()", {"Z": "n,k", "Y": "n,k"}, "Z"),
    "entries_of_the_true_classes": (
        "L = -np.log(P[np.arange(N), y]).sum()",
        {"P": "n,k", "y": "n<k", "N": "=n"},
        "P",
    ),
    "softmax_without_a_name": (
        "P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True); L = (P * Y).sum()",
        {"Z": "n,k", "Y": "n,k"},
        "Z",
    ),
    "softmax_with_keepdims": (
        "E = np.exp(Z); P = E / E.sum(axis=1, keepdims=True); L = -np.sum(Y * np.log(P))",
        {"Z": "n,k", "Y": "n,k"},
        "Z",
    ),
    "stable_softmax": (
        "E = np.exp(Z - np.max(Z, axis=1, keepdims=True))\nP = E / np.sum(E, axis=1, keepdims=True)\n"
        "L = -np.sum(Y * np.log(P)) / len(Z)",
        {"Z": "n,k", "Y": "n,k"},
        "Z",
    ),
    "cs231n_softmax": (
        "scores = X.dot(W)  # (N, C)\nshifted = scores - scores.max(axis=1, keepdims=True)\n"
        "p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)\n"
        "L = -np.log(p[np.arange(N), y]).sum() / N + reg * np.sum(W * W)",
        {**LABELED, "N": "=n", "reg": ""},
        "W",
    ),
    "cs231n_svm": (
        "scores = X.dot(W); correct = scores[np.arange(X.shape[0]), y]\n"
        "margins = np.maximum(0, scores - correct[:, np.newaxis] + 1)\nL = margins.sum() / X.shape[0]",
        LABELED,
        "W",
    ),
    "cs231n_two_layers": (
        "h1 = np.maximum(0, X @ W1 + b1); s = h1 @ W2 + b2; L = -np.mean(np.log(softmax(s, axis=1)[np.arange(N), y]))",
        {"X": "n,d", "W1": "d,h", "b1": "h", "W2": "h,k", "b2": "k", "y": "n<k", "N": "=n"},
        "W1",
    ),
    "makemore_log_softmax": (
        "H = np.tanh(X @ W1 + b1); F = H @ W2 + b2; S = F - F.max(1, keepdims=True)\n"
        "C = np.exp(S); D = C / C.sum(1, keepdims=True); L = -np.log(D)[np.arange(N), y].mean()",
        {"X": "n,d", "W1": "d,h", "b1": "h", "W2": "h,k", "b2": "k", "y": "n<k", "N": "=n"},
        "W2",
    ),
    "log_sum_exp_with_the_shift": (
        "m = Z.max(axis=1, keepdims=True); l = m + np.log(np.exp(Z - m).sum(axis=1, keepdims=True)); "
        "L = (l ** 3).sum()",
        {"Z": "n,k"},
        "Z",
    ),
    "log_softmax_by_the_shift": (
        "S = Z - Z.max(axis=-1)[:, None]; Q = S - np.log(np.exp(S).sum(-1))[:, None]; "
        "L = -np.mean((Y * Q).sum(axis=1))",
        {"Z": "n,k", "Y": "n,k"},
        "Z",
    ),
    "one_vector_shifted_by_its_maximum": (
        "e = np.exp(z - np.max(z)); p = e / e.sum(); L = -np.dot(y, np.log(p))",
        {"z": "k", "y": "k"},
        "z",
    ),
    "one_hot_by_eye": (
        "Y = np.eye(k)[y]; L = -(Y * log_softmax(X @ W)).sum(axis=1).mean()",
        {"X": "n,d", "W": "d,k", "y": "n<k", "k": "=k"},
        "W",
    ),
    "logsumexp_of_scipy": (
        "Z = X @ W; L = np.sum(special.logsumexp(Z, axis=1)) - np.sum(Z[np.arange(len(y)), y])",
        LABELED,
        "W",
    ),
    "mean_squared_error": ("L = np.mean((X @ w - y) ** 2)", {"X": "n,d", "w": "d", "y": "n"}, "w"),
    "mean_over_all_entries": ("L = ((X @ W + b - Y) ** 2).mean()", BATCH, "W"),
    "mean_along_an_axis": ("L = np.sum(np.mean((X @ W - Y) ** 2, axis=0) ** 2)", BATCH, "W"),
    "mean_of_means": ("L = np.mean(np.mean(X * Y, axis=1) ** 2)", {"X": "n,d", "Y": "n,d"}, "X"),
    "ridge": (
        "L = 0.5 * np.linalg.norm(X @ w - y)**2 + 0.5 * alpha * np.dot(w, w)",
        {"X": "n,d", "w": "d", "y": "n", "alpha": ""},
        "w",
    ),
    "logistic_regression": (
        "p = 1. / (1. + np.exp(-X.dot(w))); L = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()",
        {"X": "n,d", "w": "d", "y": "n"},
        "w",
    ),
    "logistic_loss_of_signs": ("L = np.log1p(np.exp(-y * (X @ w))).sum()", {"X": "n,d", "w": "d", "y": "n"}, "w"),
    "gradient_of_softmax_by_hand": (
        "P = softmax(X @ W, axis=1); G = X.T.dot(P - Y) / X.shape[0]; L = (G ** 2).sum()",
        BATCH,
        "W",
    ),
    "softmax_of_columns": (
        "P = np.exp(Z) / np.sum(np.exp(Z), axis=0); L = (P * Y).sum()",
        {"Z": "n,k", "Y": "n,k"},
        "Z",
    ),
    "batch_norm": (
        "mu = X.mean(axis=0); v = X.var(axis=0); U = (X - mu) / np.sqrt(v + eps); "
        "Q = gamma * U + beta; L = (Q * Y).sum()",
        {"X": "n,d", "Y": "n,d", "gamma": "d", "beta": "d", "eps": ""},
        "X",
    ),
    "batch_norm_by_steps": (
        "m = np.mean(X, 0); C = X - m; v = np.mean(C ** 2, axis=0); U = C * (v + 1e-5) ** -0.5; L = np.sum(U * Y * g)",
        {"X": "n,d", "Y": "n,d", "g": "d"},
        "X",
    ),
    "layer_norm": (
        "U = (X - X.mean(-1, keepdims=True)) / np.sqrt(X.var(-1, keepdims=True) + eps); L = np.sum((g * U + b) * Y)",
        {"X": "n,d", "Y": "n,d", "g": "d", "b": "d", "eps": ""},
        "X",
    ),
    "standardized_columns": (
        "U = (X - X.mean(0)) / X.std(0, ddof=1); L = np.sum(U * Y)",
        {"X": "n,d", "Y": "n,d"},
        "X",
    ),
    "rms_norm": (
        "U = X / np.sqrt(np.mean(np.square(X), axis=-1, keepdims=True) + 1e-6); L = np.sum(U * Y)",
        {"X": "n,d", "Y": "n,d"},
        "X",
    ),
    "attention": (
        "A = softmax(Q @ K.T / np.sqrt(d)); O = A @ V; L = np.sum(O * G)",
        {"Q": "n,d", "K": "m,d", "V": "m,h", "G": "n,h", "d": "=d"},
        "Q",
    ),
    "attention_with_projections": (
        "S = (X @ Wq) @ (X @ Wk).T / np.sqrt(d); E = np.exp(S - S.max(axis=-1, keepdims=True)); "
        "A = E / E.sum(axis=-1, keepdims=True); L = (A @ (X @ Wv)).sum()",
        {"X": "n,d", "Wq": "d,h", "Wk": "d,h", "Wv": "d,k", "d": "=d"},
        "Wk",
    ),
    "rows_of_norm_one": (
        "U = X / np.linalg.norm(X, axis=1, keepdims=True); L = np.sum((U @ U.T) * S)",
        {"X": "n,d", "S": "n,n"},
        "X",
    ),
    "norms_of_rows": ("L = np.linalg.norm(X, axis=1).sum()", {"X": "n,d"}, "X"),
    "norm_of_a_matrix": ("L = np.linalg.norm(X @ W - Y)", BATCH, "X"),
    "norm_named": (
        "L = np.linalg.norm(X, 'fro') + np.linalg.norm(w, ord=1) + np.linalg.norm(w, 2)",
        {"X": "n,d", "w": "d"},
        "w",
    ),
    "cosine": ("c = a @ b / (np.linalg.norm(a) * np.linalg.norm(b)); L = c ** 2", {"a": "d", "b": "d"}, "a"),
    "einsum_product": ("C = np.einsum('nd,dk->nk', X, W); L = np.einsum('ij,ij->', C, Y)", BATCH, "W"),
    "einsum_of_rows": ("r = np.einsum('ij,ij->i', X, X); L = np.sum(r ** 2)", {"X": "n,d"}, "X"),
    "einsum_without_an_arrow": ("L = (np.einsum('ji,jk', X, Y) ** 2).sum()", {"X": "n,d", "Y": "n,k"}, "Y"),
    "outer_of_two_vectors": ("L = np.sum(np.outer(a, b) ** 2 * M)", {"a": "n", "b": "d", "M": "n,d"}, "a"),
    "a_column_times_a_row": ("L = np.sum((a[:, None] - b[None, :]) ** 2 * M)", {"a": "n", "b": "d", "M": "n,d"}, "b"),
    "a_column_by_reshape": ("L = np.sum(X * s.reshape(-1, 1) * Y)", {"X": "n,d", "s": "n", "Y": "n,d"}, "s"),
    "elementwise_names": (
        "L = np.sum(np.multiply(np.subtract(X, Y), np.power(X, 2))) + np.divide(np.add(X, 1), np.exp(Y)).sum()",
        {"X": "n,d", "Y": "n,d"},
        "X",
    ),
    "known_functions": (
        "L = np.sum(np.sinh(x) + np.cosh(x) * np.tan(x) - np.expm1(x) + np.exp2(x) - np.reciprocal(2 + np.abs(x)))",
        {"x": "n"},
        "x",
    ),
    "logarithms": (
        "L = np.sum(np.log2(1 + x ** 2) * np.log10(2 + x ** 2) + np.logaddexp(x, 2 * y))",
        {"x": "n", "y": "n"},
        "x",
    ),
    "clipped": (
        "L = -np.sum(Y * np.log(np.clip(P, 0.3, 0.9))) + np.minimum(P, Y).sum()",
        {"P": "n,k", "Y": "n,k"},
        "P",
    ),
    "leaky_relu": ("L = np.sum((np.maximum(Z, 0.1 * Z) - Y) ** 2)", {"Z": "n,k", "Y": "n,k"}, "Z"),
    "rows_of_an_embedding": ("E = X[y]; L = np.sum((E @ W) ** 2)", {"X": "k,d", "W": "d,h", "y": "n<k"}, "X"),
    "indexing_is_no_product": ("L = np.sum(X[y])", {"X": "k,d", "y": "n<k"}, "X"),
    "columns_at_labels": ("L = np.sum(X[:, y] ** 2)", {"X": "d,k", "y": "n<k"}, "X"),
    "entries_at_labels": ("L = np.sum(np.exp(x[y]) * s)", {"x": "k", "s": "n", "y": "n<k"}, "x"),
    "transposes": (
        "L = np.sum(X.T @ X @ W.T.T) + np.trace(X.T.dot(X)) + np.sum(np.transpose(W) ** 2)",
        {"X": "n,d", "W": "d,k"},
        "X",
    ),
    "inner_products": (
        "L = np.inner(a, b) * np.vdot(a, c) + np.sum(np.inner(X, Y) ** 2)",
        {"a": "d", "b": "d", "c": "d", "X": "n,d", "Y": "m,d"},
        "X",
    ),
    "a_sum_by_its_position": (
        "L = (X.sum(0) * b).sum() + (X.sum(1) ** 2).sum() + np.sum(X ** 2, -1).sum()",
        {"X": "n,d", "b": "d"},
        "X",
    ),
    "ones_of_numpy": (
        "L = np.sum((np.ones(n) @ X) ** 2) + np.sum(np.ones_like(X) * X) + np.sum((X - np.eye(n)) ** 3)",
        {"X": "n,n", "n": "=n"},
        "X",
    ),
    "a_recurrent_step": (
        "h = np.tanh(Wx @ x + Wh @ g + b); L = -np.log(softmax(Wy @ h))  @ y",
        {"Wx": "h,d", "Wh": "h,h", "Wy": "k,h", "x": "d", "g": "h", "b": "h", "y": "k"},
        "Wh",
    ),
    "kl_divergence": ("q = softmax(z); L = np.sum(p * (np.log(p) - np.log(q)))", {"p": "k", "z": "k"}, "z"),
    "entropy": ("P = softmax(X @ W, axis=1); L = -np.sum(P * np.log(P), axis=1).mean()", LINEAR, "W"),
    "focal_loss": (
        "p = sigmoid(X @ w); L = -np.mean(y * (1 - p) ** 2 * np.log(p))",
        {"X": "n,d", "w": "d", "y": "n"},
        "w",
    ),
    "squared_distances": (
        "s = np.sum(X**2, axis=1); t = np.sum(Y**2, axis=1); D2 = s[:, None] + t[None, :] - 2 * X @ Y.T; "
        "L = np.exp(-D2 / 2).sum()",
        {"X": "n,d", "Y": "m,d"},
        "X",
    ),
    "centered_covariance": (
        "C = (X - X.mean(axis=0)).T @ (X - X.mean(axis=0)) / (X.shape[0] - 1); L = np.sum(C * S)",
        {"X": "n,d", "S": "d,d"},
        "X",
    ),
    "a_defined_length": (
        "N = X.shape[0]; L = np.sum((X @ w - y) ** 2) / (2 * N)",
        {"X": "n,d", "w": "d", "y": "n"},
        "w",
    ),
}


def drawn(arrays, sizes, rng):
    """Arrays by their axes: ``n<k`` are n class numbers below k, ``=n`` is the size itself."""
    out = {}
    for name, axes in arrays.items():
        if axes.startswith("="):
            out[name] = sizes[axes[1:]]
        elif "<" in axes:
            length, classes = axes.split("<")
            out[name] = rng.permutation(np.arange(sizes[length]) % sizes[classes])
            out[name][0] = sizes[classes] - 1
        else:
            out[name] = rng.uniform(0.2, 1.5, [sizes[axis] for axis in axes.split(",") if axis])
    return out


def run_by_numpy(program, arrays, of="L"):
    scope = {**WORLD, **arrays}
    exec(program.replace("; ", "\n").replace(";", "\n"), scope)
    return np.asarray(scope[of], float)


def differences(program, arrays, wrt, step=1e-6):
    """The gradient of what NumPy computes, by central differences."""
    slope = np.zeros(arrays[wrt].shape)
    for cell in np.ndindex(slope.shape):
        there = [arrays[wrt].copy(), arrays[wrt].copy()]
        for moved, sign in zip(there, (1, -1), strict=True):
            moved[cell] += sign * step
        up, down = (run_by_numpy(program, {**arrays, wrt: moved}) for moved in there)
        slope[cell] = (up - down) / (2 * step)
    return slope


def shapes_of(arrays):
    """The declaration of arrays, class labels by their length."""
    return {name: "" if axes.startswith("=") else axes.split("<")[0] for name, axes in arrays.items()}


def needed(program, arrays):
    """The arrays that a program uses."""
    return {name: axes for name, axes in arrays.items() if re.search(rf"\b{name}\b", program)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_has_the_value_and_the_gradient_that_numpy_gives(name):
    text, arrays, wrt = PROGRAMS[name]
    arrays = needed(text, arrays)
    derivation = derive(text, wrt, matrix=True, shapes=shapes_of(arrays), of="L")
    assert derivation.proved
    for turn, sizes in enumerate(SIZES):
        drawing = drawn(arrays, sizes, np.random.default_rng(turn))
        found = derivation.evaluate(**drawing)
        np.testing.assert_allclose(found, differences(text, drawing, wrt), rtol=1e-5, atol=1e-6)


def test_a_gradient_of_another_program_would_be_noticed():
    text, arrays, wrt = PROGRAMS["batch_norm_by_steps"]
    drawing = drawn(arrays, SIZES[0], np.random.default_rng(0))
    other = text.replace("np.mean(X, 0)", "np.mean(X)")
    found = derive(other, wrt, matrix=True, shapes=shapes_of(arrays), of="L").evaluate(**drawing)
    assert np.abs(found - differences(text, drawing, wrt)).max() > 1e-3


THIN = {
    # an array with an axis of length 1: (the program, of what, by what)
    "a_sum": ("L = np.sum(X, keepdims=True)", "L", "X"),
    "sums_of_rows": ("S = np.exp(X).sum(axis=1, keepdims=True)", "S", "X"),
    "means_of_columns": ("m = np.mean(X, axis=0, keepdims=True)", "m", "X"),
    "a_column": ("r = x[:, None]", "r", "x"),
    "a_row": ("r = x.reshape(1, -1)", "r", "x"),
    "a_step_on_the_way": ("s = X.sum(axis=1, keepdims=True); L = np.sum(s ** 2)", "s", "X"),
    "by_a_step_on_the_way": ("s = X.sum(axis=1, keepdims=True); L = np.sum(s ** 2)", "L", "s"),
    "a_copy": ("s = X.sum(axis=1, keepdims=True); r = 2 * s", "r", "X"),
    "twice": ("L = X.sum(axis=1, keepdims=True).sum(axis=0, keepdims=True)", "L", "X"),
    "a_product_with_a_column": ("r = X @ w[:, None]", "r", "X"),
}


@pytest.mark.parametrize("name", THIN)
def test_a_derivative_never_lacks_an_axis_of_length_1(name):
    text, of, wrt = THIN[name]
    column = wrt if wrt in ("s", "r") else of
    with pytest.raises(DeriveError, match=f"^{column} has an axis of length 1, which its derivative would lack"):
        derive(text, wrt, of=of, matrix=True)


def test_an_axis_of_length_1_on_the_way_is_none_of_the_result():
    text = "s = np.sum(X ** 2, axis=1, keepdims=True); L = np.sum(X / s)"
    drawing = {"X": np.random.default_rng(0).uniform(0.5, 1.5, (3, 2))}
    found = derive(text, "X", of="L", matrix=True).evaluate(**drawing)
    np.testing.assert_allclose(found, differences(text, drawing, "X"), rtol=1e-5, atol=1e-6)


TEXTBOOK = {
    # matrix notation: the same in NumPy, the arrays, by what
    "P = exp(A) / (1 1ᵀ exp(A)); L = sum(P ⊙ B)": (
        "P = exp(A) / exp(A).sum(axis=0); L = (P * B).sum()",
        {"A": "n,k", "B": "n,k"},
        "A",
    ),
    "P = exp(A) ⊘ (exp(A) 1 1ᵀ); L = 1ᵀ(P ⊙ B) 1": (
        "P = exp(A) / exp(A).sum(axis=1)[:, None]; L = (P * B).sum()",
        {"A": "n,k", "B": "n,k"},
        "A",
    ),
    "L = 1ᵀ(y ⊙ x^∘2)": ("L = (y * x**2).sum()", {"x": "n", "y": "n"}, "x"),
    "g = (1ᵀy) p - y; L = gᵀ g": ("g = y.sum() * p - y; L = g @ g", {"p": "k", "y": "k"}, "y"),
    "J = diag(p) - p pᵀ; L = xᵀ J x": ("J = np.diag(p) - np.outer(p, p); L = x @ J @ x", {"p": "k", "x": "k"}, "p"),
    "L = ‖X w - y‖²": ("L = np.sum((X @ w - y)**2)", {"X": "n,d", "w": "d", "y": "n"}, "w"),
    "L = ‖(I - u uᵀ) x‖²": ("L = np.sum(((np.eye(len(x)) - np.outer(u, u)) @ x)**2)", {"u": "d", "x": "d"}, "u"),
    "L = ‖w‖_1 + ‖W‖_F^2": ("L = np.abs(w).sum() + (W**2).sum()", {"w": "d", "W": "d,k"}, "w"),
    "L = a \\cdot b": ("L = a @ b", {"a": "d", "b": "d"}, "a"),
    "L = (W · x) · y": ("L = (W @ x) @ y", {"W": "n,d", "x": "d", "y": "n"}, "W"),
    "L = sum(tanh(Wx @ a + Wh @ b))": (
        "L = np.sum(np.tanh(Wx @ a + Wh @ b))",
        {"Wx": "h,d", "Wh": "h,k", "a": "d", "b": "k"},
        "Wx",
    ),
    "r = Phi @ theta - y; L = r @ r": (
        "r = Phi @ theta - y; L = r @ r",
        {"Phi": "n,d", "theta": "d", "y": "n"},
        "theta",
    ),
    "L = exp(q @ k)": ("L = np.exp(q @ k)", {"q": "d", "k": "d"}, "k"),
    "L = sum(e^x / (1ᵀe^x) ⊙ y)": ("L = np.sum(np.exp(x) / np.exp(x).sum() * y)", {"x": "n", "y": "n"}, "x"),
}


@pytest.mark.parametrize("text", TEXTBOOK)
def test_a_formula_of_a_textbook_has_the_gradient_that_numpy_gives(text):
    program, arrays, wrt = TEXTBOOK[text]
    derivation = derive(text, wrt, matrix=True, of="L")
    assert derivation.proved
    for turn, sizes in enumerate(SIZES):
        drawing = drawn(arrays, sizes, np.random.default_rng(turn))
        found = derivation.evaluate(**drawing)
        np.testing.assert_allclose(found, differences(program, drawing, wrt), rtol=1e-5, atol=1e-6)


# expressions put together at random: NumPy and glassmax agree, or glassmax refuses

SHAPES = {"X": "n,d", "Y": "n,d", "W": "d,k", "Z": "n,k", "x": "d", "w": "d", "y": "n", "b": "k", "s": "", "t": "n<k"}
DRAWN = drawn(SHAPES, SIZES[0], np.random.default_rng(3))
AXIS = ["", "axis=0", "axis=1", "axis=-1", "0", "1", "keepdims=True", "axis=0, keepdims=True", "axis=1, keepdims=True"]
UNARY = ["exp", "tanh", "square", "log1p", "abs", "sinh", "negative", "sqrt", "transpose", "diag", "trace", "ones_like"]
BINARY = ["maximum", "minimum", "multiply", "subtract", "dot", "inner", "outer", "vdot", "matmul", "power", "logaddexp"]
AFTER = [
    "[:, None]",
    "[None, :]",
    "[None]",
    ".reshape(-1, 1)",
    ".reshape(1, -1)",
    ".squeeze()",
    ".T",
    " ** 2",
    " ** -1",
]
AFTER += ["[np.arange(len(t)), t]", "[t]", "[:, t]", "[range(len(t)), t]"]
EINSUMS = ["ij,jk->ik", "ij->j", "ij,ij->", "i,i", "i,j->ji", "ij,j", "ij,ik->kj", "ii", "ij->ji"]
POWERS = "np.exp({0} - {0}.max(axis=-1, keepdims=True))"
SHIFTED = f"{POWERS} / {POWERS}.sum(axis=-1, keepdims=True)"


@st.composite
def expressions(draw, depth=3):
    if not depth:
        return draw(st.sampled_from(["X", "Y", "W", "Z", "x", "w", "y", "b", "s", "2.5", "len(X)"]))
    pick = lambda options: draw(st.sampled_from(options))
    part = lambda: draw(expressions(draw(st.integers(0, depth - 1))))
    match draw(st.integers(0, 9)):
        case 0 | 1:
            return f"({part()} {pick(['+', '-', '*', '/', '@'])} {part()})"
        case 2:
            return f"({part()} @ {part()}.T)"
        case 3:
            return f"({part()}).{pick(['sum', 'mean', 'var', 'std'])}({pick(AXIS)})"
        case 4:
            along = pick(["", ", 0", ", axis=1", ", axis=-1, keepdims=True"])
            return f"{pick(['np.sum', 'np.mean', 'np.linalg.norm', 'special.logsumexp', 'softmax'])}({part()}{along})"
        case 5:
            return f"np.{pick(UNARY)}({part()})"
        case 6:
            return f"np.{pick(BINARY)}({part()}, {part()})"
        case 7:
            return f"({part()}){pick(AFTER)}"
        case 8:
            letters = pick(EINSUMS)
            return f"np.einsum('{letters}', {', '.join(part() for _ in letters.partition('->')[0].split(','))})"
        case _:
            return f"({SHIFTED.format('(' + part() + ')')})"


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(expressions())
def test_an_expression_of_numpy_is_read_as_numpy_means_it_or_refused(text):
    try:
        with np.errstate(all="ignore"):
            expected = run_by_numpy(f"L = {text}", DRAWN)
    except (SyntaxError, ValueError, TypeError, IndexError, AttributeError, np.exceptions.AxisError):
        assume(False)
    assume(np.isfinite(expected).all() and np.abs(expected).max(initial=0) < 1e8)
    try:
        program = parse_matrix(f"L = {text}", shapes_of(needed(text, SHAPES)))
    except ExpressionError:
        return
    arrays = {name: np.asarray(array) for name, array in (DRAWN | SIZES[0]).items()}
    with np.errstate(all="ignore"):
        found = evaluate_program(program, Values(arrays, {}, {}, {"t": SIZES[0]["k"]})).arrays["L"]
    assert found.size == expected.size  # an axis of length 1 is none in index notation
    np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=1e-7, atol=1e-9)
