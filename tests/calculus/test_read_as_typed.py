"""Formulas whose signs are read in two ways: each has the value that its author meant, or is refused with both."""

import re

import numpy as np
import pytest

from glassmax.calculus import derive
from glassmax.errors import ExpressionError

RNG = np.random.default_rng(11)
P, Q, Z = RNG.uniform(0.2, 0.9, 4), RNG.uniform(0.2, 0.9, 4), RNG.normal(size=4)
X, W, K, V = (RNG.normal(size=shape) for shape in ((5, 3), (3, 4), (6, 3), (6, 2)))
QUERY, B, Y, R = RNG.normal(size=(5, 3)), RNG.normal(size=4), RNG.normal(size=(5, 4)), RNG.normal(size=5)


def softmax(z):
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def numerical(loss, x):
    """The gradient of a loss by central differences."""
    out = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[at] = 1e-5
        out[at] = (loss(x + step) - loss(x - step)) / 2e-5
    return out


READ = {
    # the formula: (by, whether in matrix notation, the loss as a function of that array, the inputs)
    "L = sum_ij u_i J_ij v_j; J_ij = p_i ([i=j] - p_j)": (
        *("p", False, lambda p: Q @ (np.diag(p) - np.outer(p, p)) @ Z),
        {"p": P, "u": Q, "v": Z},
    ),
    "L = sum_ij u_i p_i ((1{i=j}) - p_j) v_j": (
        *("p", False, lambda p: Q @ (np.diag(p) - np.outer(p, p)) @ Z),
        {"p": P, "u": Q, "v": Z},
    ),
    r"L = \sum_i \tanh^{2}(z_i) + \sum_i \log^{3} q_i": (
        "z",
        False,
        lambda z: (np.tanh(z) ** 2).sum(),
        {"z": Z, "q": Q},
    ),
    "L = 1/2Σ_i z_i^2": ("z", False, lambda z: (z**2).sum() / 2, {"z": Z}),
    "L = sum_i z_i/2 q_i": ("z", False, lambda z: (z / 2 * Q).sum(), {"z": Z, "q": Q}),
    "L = sum_i Swish(z_i)": ("z", False, lambda z: (z * sigmoid(z)).sum(), {"z": Z}),
    "L = sum_i logit(p_i) q_i": ("p", False, lambda p: (np.log(p / (1 - p)) * Q).sum(), {"p": P, "q": Q}),
    "L = sum_i (sech(z_i) + square(z_i))": ("z", False, lambda z: (1 / np.cosh(z) + z**2).sum(), {"z": Z}),
    "L = sum_i exp2(z_i)": ("z", False, lambda z: (2**z).sum(), {"z": Z}),
    "L = sum_k logit_k^2 q_k": ("logit", False, lambda z: (z**2 * Q).sum(), {"logit": Z, "q": Q}),
    r"O = \mathrm{softmax}\left(QK^T\right)V; L = \|O\|_F^2": (
        *("K", True, lambda K: ((softmax(QUERY @ K.T) @ V) ** 2).sum()),
        {"Q": QUERY, "K": K, "V": V},
    ),
    r"S = XX^T; L = \|S\|_F^2": ("X", True, lambda X: ((X @ X.T) ** 2).sum(), {"X": X}),
    "L = sum(2 ** X)": ("X", True, lambda X: (2**X).sum(), {"X": X}),
    "L(W, b) = sum((X @ W + b - Y) ** 2)": (
        *("b", True, lambda b: ((X @ W + b - Y) ** 2).sum()),
        {"X": X, "W": W, "b": B, "Y": Y},
    ),
    "L = sum((W @ x + b) ** 2)": ("b", True, lambda b: ((W.T @ X[0] + b) ** 2).sum(), {"W": W.T, "x": X[0], "b": B}),
    "L = sum(P * log(P / Q))": (
        *("Q", True, lambda Q: (abs(X) * np.log(abs(X) / Q)).sum()),
        {"P": abs(X), "Q": abs(QUERY) + 0.5},
    ),
}


@pytest.mark.parametrize("text", READ)
def test_a_formula_has_the_gradient_that_its_author_meant(text):
    by, matrix, loss, inputs = READ[text]
    derivation = derive(text, by, matrix=matrix)
    assert derivation.proved
    wanted = numerical(loss, inputs[by])
    np.testing.assert_allclose(derivation.evaluate(**inputs), wanted, rtol=1e-5, atol=1e-7)
    code = derivation.numpy()
    used = {name: inputs[name] for name in inputs if re.search(rf"def .*\b{name}\b.*\)", str(code))}
    np.testing.assert_allclose(code(**used), wanted, rtol=1e-5, atol=1e-7)
    assert not np.allclose(1.01 * wanted, derivation.evaluate(**inputs), rtol=1e-5, atol=1e-7)


def number_or_array(name):
    return f"{name} may be a number or an array; declare it: shapes='{name}: ' or shapes='{name}: n'"


NUMBERS = {
    # the formula: (the name, by what, the loss with a number in its place, the inputs)
    "P = softmax(Z / T); L = -sum(Y * log(P))": (
        "T",
        "Z",
        lambda z: -(Y * np.log(softmax(z / 1.7))).sum(),
        {"Z": Y, "Y": Y},
    ),
    "P = softmax(Z / t); L = -sum(Y * log(P))": (
        "t",
        "Z",
        lambda z: -(Y * np.log(softmax(z / 1.7))).sum(),
        {"Z": Y, "Y": Y},
    ),
    "L = sum((X / (1 - p)) ** 2)": ("p", "X", lambda x: ((x / -0.7) ** 2).sum(), {"X": X}),
    "L = sum(c * X ** 2)": ("c", "X", lambda x: 1.7 * (x**2).sum(), {"X": X}),
    "L = sum(((1 - eps) * X + eps / K) ** 2)": (
        "K",
        "X",
        lambda x: ((0.9 * x + 0.1 / 1.7) ** 2).sum(),
        {"X": X, "eps": 0.1},
    ),
    "L = sum(X ** g)": ("g", "X", lambda x: (x**1.7).sum(), {"X": abs(X)}),
    "L = (y - w @ x)**2": ("y", "w", lambda w: (1.7 - w @ X[0]) ** 2, {"w": X[1], "x": X[0]}),
    "L = max(0, 3 - y * w @ x)": ("y", "w", lambda w: max(0, 3 - 1.7 * w @ X[0]), {"w": X[1], "x": X[0]}),
    "L = sqrt(d**2 + c**2) - c": ("c", "d", lambda d: np.sqrt(d**2 + 1.7**2) - 1.7, {"d": np.array(0.4)}),
    "L = sum(sqrt(x**2 + c**2) - c)": ("c", "x", lambda x: (np.sqrt(x**2 + 1.7**2) - 1.7).sum(), {"x": Z}),
    "L = sum(max(q * (y - x), (q - 1) * (y - x)))": (
        *("q", "x", lambda x: np.maximum(1.7 * (Q - x), 0.7 * (Q - x)).sum()),
        {"x": Z, "y": Q},
    ),
    "r = y - x; L = sum(max(p * r, -(1 - p) * r))": (
        *("p", "x", lambda x: np.maximum(1.7 * (Q - x), 0.7 * (Q - x)).sum()),
        {"x": Z, "y": Q},
    ),
    "L = sum(2 * a * x + (1 - a) * x ** 2)": ("a", "x", lambda x: (3.4 * x - 0.7 * x**2).sum(), {"x": Z}),
    "L = sum((x * s) ** 2) / s + log(s)": ("s", "x", lambda x: ((1.7 * x) ** 2).sum() / 1.7, {"x": Z}),
    "L = (w @ x + b - 1) ** 2 + b ** 2": ("b", "w", lambda w: (w @ X[0] + 0.7) ** 2, {"w": X[1], "x": X[0]}),
    "L = sum((X @ w + b - y) ** 2)": ("b", "w", lambda w: ((X @ w + 1.7 - R) ** 2).sum(), {"X": X, "w": X[1], "y": R}),
}


ARRAYS = {
    # a letter used twice that only an array can be, or that is one by convention: the same as NUMBERS, without a name
    "L = sum(a * b) / (norm(a) * norm(b))": (
        *("a", lambda a: a @ Q / np.linalg.norm(a) / np.linalg.norm(Q)),
        {"a": P, "b": Q},
    ),
    "L = -sum(y * log(p) + (1 - y) * log(1 - p))": (
        *("p", lambda p: -(Q * np.log(p) + (1 - Q) * np.log(1 - p)).sum()),
        {"p": P, "y": Q},
    ),
    "L = sum(q * log(q)) - sum(q * z)": ("q", lambda q: q @ np.log(q) - q @ Z, {"q": Q, "z": Z}),
    "L = (c @ x) * sum(c * x)": ("c", lambda c: (c @ Z) ** 2, {"c": P, "x": Z}),
}


@pytest.mark.parametrize("text", ARRAYS)
def test_a_letter_that_only_an_array_can_be_needs_no_declaration(text):
    by, loss, inputs = ARRAYS[text]
    found = derive(text, by, matrix=True).evaluate(**inputs)
    np.testing.assert_allclose(found, numerical(loss, inputs[by]), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("text", NUMBERS)
def test_a_letter_that_may_be_a_number_has_to_be_declared(text):
    name, by, loss, inputs = NUMBERS[text]
    with pytest.raises(ExpressionError, match=re.escape(number_or_array(name))):
        derive(text, by, matrix=True)
    derivation = derive(text, by, matrix=True, shapes=f"{name}: ")
    assert derivation.proved
    found = derivation.evaluate(**inputs, **{name: 1.7})
    np.testing.assert_allclose(found, numerical(loss, inputs[by]), rtol=1e-5, atol=1e-7)


def quotient(number, name):
    what = (
        f"/{number}{name} may be /({number} {name}) or a factor {name} after the quotient: write brackets, or a space "
    )
    return what + f"where the quotient ends, /{number} {name}"


ENTRY = (
    "{}[...] may be an entry or a product: write an entry with all its indices in one group, as in {}, and a product "
    "with a space or a *"
)
MEAN = "an expectation has no sign in index notation: the mean of x_i over n samples is 1/n sum_i x_i"
MATLAB = "'.{}' is MATLAB's: write *, / and ** entry by entry, and @ for the matrix product"
SHIFT = (
    "the shifted index {} is not supported, as in a convolution or a recursion: write sum_s S_{}s x_s, where S_{}s is 1"
)
REFUSED = {
    # in index notation
    r"L = exp(-x^2/2\sigma^2)": (False, quotient(2, r"\sigma")),
    "C = 1/2n sum_i (y_i - a_i)^2": (False, quotient(2, "n")),
    "L = sum_i x_i/2y_i": (False, quotient(2, "y")),
    "L = -1/N sum_n log(p_n[y_n])": (False, ENTRY.format("p_n", "p[n, y]")),
    "L = sum_i p_i[2]": (False, ENTRY.format("p_i", "p[i, 2]")),
    r"L = \mathbb{E}[x]": (False, MEAN),
    "L = E[x^2] - E[x]^2": (False, MEAN),
    "y_i = sum_a w_a x_{(i+a)}": (False, SHIFT.format("i+a", "ia", "ia")),
    "L = sum_i (x_i - x_(i-1))^2": (False, SHIFT.format("i-1", "i", "i")),
    r"p_i = \mathrm{softmax}(z)_i": (
        *(False, "expected softmax to run over an index of its argument, got none; write softmax_i(z_i)"),
    ),
    r"\text{softmax}(z)_i = e^{z_i} / \sum_j e^{z_j}": (
        *(False, "softmax is built in, so leave this equation out, or give its value a name: p_i = ..."),
    ),
    r"P(x;\theta) = \theta x": (
        False,
        "'(' is never closed before ';', which ends an equation: write p(x, w) for p(x; w)",
    ),
    "L = sum_k y_k x_k, x_k = exp(z_k)": (False, "';' is what separates equations), got ','"),
    "a_i = [z_i]_+": (False, "the positive part of x is max(0, x)), got '_'"),
    r"a_i = \begin{cases} z_i & z_i > 0 \end{cases}": (False, "cases are written with step(x), which is 1 for x > 0"),
    "L = -sum_i δ(y,i) log p_i": (False, "δ(y, i) has its indices in brackets: write delta_yi"),
    "a_i = lg z_i": (False, "lg is not supported in index notation: write log2(x) or log10(x)"),
    "a_i = LeakyReLU(z_i)": (False, "write max(0, x) + a min(0, x)"),
    "a_i = clip(z_i, 0, 1)": (False, "write max(a, min(x, b))"),
    "L = LSE(z)": (False, "write log(sum_i exp(x_i))"),
    "L = λ(x - 1)": (False, "λ(...) may be a function or a product: write a product as λ * (...)"),
    "L = a(x + 1)": (False, "a(...) may be a function or a product: write a product as a * (...)"),
    "L = -log p(y_i|x_i)": (False, "a condition is not supported in p(...): write the probability as an array, p_k"),
    # in matrix notation
    "L = average((X @ w - y)**2, weights=s)": (True, "write sum(w * x) / sum(w)"),
    "L = sum((X @ w - y).^2)": (True, MATLAB.format("^")),
    "L = sum(X .* W)": (True, MATLAB.format("*")),
    "exp_scores = exp(s); L = sum(exp_scores)": (
        True,
        "expected a name without an underscore, such as expscores, got '_'",
    ),
    "L = sum(log_probs * Y)": (True, "expected a name without an underscore, such as logprobs, got '_'"),
    "L(w) = sum(w ** 2); R = L(w) + 1": (True, "expected L without brackets on the right sides, where it is one array"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_read_in_two_ways_is_refused_with_the_way_to_write_it(text):
    matrix, message = REFUSED[text]
    with pytest.raises(ExpressionError, match=re.escape(message)):
        derive(text, "x", matrix=matrix)
