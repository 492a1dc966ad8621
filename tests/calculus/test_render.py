"""What is printed: the strings people read, and that text and NumPy code mean what the expression means."""

import itertools
import math
import xml.etree.ElementTree as ET
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from glassmax.calculus.expression import Add, Call, Delta, Label, Mul, Num, Pow, Sum, Tensor, children
from glassmax.calculus.indices import free_indices
from glassmax.calculus.matrix import (
    Apply,
    Diag,
    Eye,
    Hadamard,
    Leaf,
    Ones,
    Plus,
    Power,
    Product,
    Quotient,
    Scaled,
    Transpose,
)
from glassmax.calculus.printing import (
    bracketed,
    latex,
    mathml,
    matrix_latex,
    matrix_mathml,
    matrix_numpy,
    matrix_text,
    needed_helpers,
    numpy_expression,
    python_name,
    text,
)
from glassmax.calculus.reading.parse import parse_expression

TREES = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine draws trees slowly

# short names for building


def T(name, *indices):
    return Tensor(name, indices)


def num(value):
    return Num(Fraction(value))


def mul(*factors):
    return Mul(factors)


def add(*terms):
    return Add(terms)


def neg(e):
    return mul(num(-1), e)


def inv(e, exponent=-1):
    return Pow(e, num(exponent))


def call(function, e, order=0):
    return Call(function, e, order)


N = T("N")
p_i, p_j, y_i, z_i = T("p", "i"), T("p", "j"), T("y", "i"), T("z", "i")
picked = T("P", "i", Label("y", ("i",)))


INDEX = [
    # expression, text, brackets, LaTeX
    (num("1/2"), "1/2", "1/2", r"\frac{1}{2}"),
    (num(-3), "-3", "-3", "-3"),
    (T("W2", "m", "n"), "W2_mn", "W2_mn", "{W_2}_{mn}"),
    (T("W2", "k1", "n"), "W2[k1, n]", "W2[k1, n]", "{W_2}_{k_1,n}"),
    (picked, "P[i, y_i]", "P[i, y_i]", "P_{i,y_i}"),
    (T("P", "i", Label("y", ())), "P_iy", "P_iy", "P_{iy}"),
    (T("P", "i", Label("class")), "P[i, class]", "P[i, class]", "P_{i,\\mathrm{class}}"),
    (Delta("k", Label("y", ("i",))), "delta[k, y_i]", "delta[k, y_i]", r"\delta_{k,y_i}"),
    (Pow(T("W'", "k", "i"), num(2)), "W'_ki^2", "W'_ki^2", "{W'_{ki}}^2"),
    (call("f", z_i, 1), "f'(z_i)", "f'(z_i)", "f'(z_i)"),
    (call("sigmoid", z_i, 2), "sigmoid''(z_i)", "sigmoid''(z_i)", r"\sigma''(z_i)"),
    (mul(p_i, add(Delta("i", "j"), neg(p_j))), "p_i (delta_ij - p_j)", "p_i * (delta_ij - p_j)",
     r"p_i (\delta_{ij} - p_j)"),
    (neg(Sum(("k",), mul(T("y", "k"), call("log", T("p", "k"))))), "-sum_k y_k log(p_k)",
     "-(sum_k (y_k * log(p_k)))", r"-\sum_k y_k \log p_k"),
    (mul(add(p_i, neg(y_i)), inv(N)), "(p_i - y_i)/N", "(p_i - y_i) / N", r"\frac{p_i - y_i}{N}"),
    (mul(num(-1), y_i, inv(p_i)), "-y_i/p_i", "-(y_i / p_i)", r"-\frac{y_i}{p_i}"),
    (mul(num(-1), inv(N), Sum(("i",), call("log", picked))), "-1/N sum_i log(P[i, y_i])",
     "-((1 / N) * (sum_i log(P[i, y_i])))", r"-\frac{1}{N} \sum_i \log P_{i,y_i}"),
    (mul(call("exp", z_i), inv(Sum(("k",), call("exp", T("z", "k"))))), "exp(z_i)/sum_k exp(z_k)",
     "exp(z_i) / (sum_k exp(z_k))", r"\frac{\exp(z_i)}{\sum_k \exp(z_k)}"),
    (mul(Sum(("k",), T("y", "k")), p_i), "p_i sum_k y_k", "(sum_k y_k) * p_i", r"p_i \sum_k y_k"),
    (mul(Sum(("k",), T("a", "k")), Sum(("j",), T("b", "j"))), "(sum_k a_k) sum_j b_j", "(sum_k a_k) * (sum_j b_j)",
     r"\left(\sum_k a_k\right) \sum_j b_j"),
    (add(Sum(("k",), T("a", "k")), T("b")), "sum_k a_k + b", "(sum_k a_k) + b", r"\sum_k a_k + b"),
    (Sum(("k",), add(T("a", "k"), T("b"))), "sum_k (a_k + b)", "sum_k (a_k + b)", r"\sum_k (a_k + b)"),
    (Sum(("i", "j"), neg(T("A", "i", "j"))), "sum_{i,j} (-A_ij)", "sum_{i,j} (-A_ij)", r"\sum_{i,j} (-A_{ij})"),
    (Sum(("k1",), T("a", "k1")), "sum_{k1} a[k1]", "sum_{k1} a[k1]", r"\sum_{k_1} a_{k_1}"),
    (mul(T("a"), inv(Sum(("k",), T("b", "k"))), T("c")), "a c/sum_k b_k", "(a / (sum_k b_k)) * c",
     r"\frac{a c}{\sum_k b_k}"),
    (mul(T("a", "i"), Sum(("k",), T("b", "k")), inv(T("c", "i"))), "a_i (sum_k b_k)/c_i",
     "(a_i * (sum_k b_k)) / c_i", r"\frac{a_i \sum_k b_k}{c_i}"),
    (mul(T("a"), inv(mul(T("b"), T("c")))), "a/(b c)", "a / (b * c)", r"\frac{a}{b c}"),
    (mul(T("a"), inv(T("b")), inv(T("c"), -2)), "a/(b c^2)", "(a / b) / (c^2)", r"\frac{a}{b c^2}"),
    (mul(num("1/2"), inv(N), add(T("x"), num(1))), "(x + 1)/(2 N)", "((1/2) / N) * (x + 1)", r"\frac{x + 1}{2 N}"),
    (mul(num("1/2"), Sum(("k",), Pow(T("x", "k"), num(2)))), "1/2 sum_k x_k^2", "(1/2) * (sum_k (x_k^2))",
     r"\frac{1}{2} \sum_k x_k^2"),
    (mul(T("a"), add(T("b"), T("c"))), "a (b + c)", "a * (b + c)", "a (b + c)"),
    (Pow(add(T("a"), T("b")), num(2)), "(a + b)^2", "(a + b)^2", "(a + b)^2"),
    (Pow(T("v"), num("1/2")), "sqrt(v)", "sqrt(v)", r"\sqrt{v}"),
    (inv(T("v"), "-1/2"), "1/sqrt(v)", "1 / sqrt(v)", r"\frac{1}{\sqrt{v}}"),
    (Pow(T("v"), num("3/2")), "v^(3/2)", "v^(3/2)", r"v^{\frac{3}{2}}"),
    (Pow(T("x"), neg(T("n"))), "x^(-n)", "x^(-n)", "x^{-n}"),
    (Pow(Pow(T("x"), num(2)), T("n")), "(x^2)^n", "(x^2)^n", "(x^2)^n"),
    (Pow(Sum(("k",), T("u", "k")), num(2)), "(sum_k u_k)^2", "(sum_k u_k)^2", r"\left(\sum_k u_k\right)^2"),
    (Pow(num(-2), T("n")), "(-2)^n", "(-2)^n", "(-2)^n"),
    (add(neg(T("a")), neg(add(T("b"), T("c")))), "-a - (b + c)", "-a - (b + c)", "-a - (b + c)"),
    (mul(T("a"), num(-2), T("b")), "-2 a b", "a * (-2) * b", "-2 a b"),
    (call("abs", mul(T("a"), inv(T("b")))), "abs(a/b)", "abs(a / b)", r"\left| \frac{a}{b} \right|"),
    (call("relu", T("x")), "relu(x)", "relu(x)", r"\operatorname{relu}(x)"),
    (mul(call("log", p_i), y_i), "log(p_i) y_i", "log(p_i) * y_i", r"\log(p_i) y_i"),
    (mul(T("lambda"), T("w", "i")), "lambda w_i", "lambda * w_i", r"\lambda w_i"),
    (T("loss"), "loss", "loss", r"\mathrm{loss}"),
]  # fmt: skip


@pytest.mark.parametrize(("e", "plain", "full", "tex"), INDEX, ids=[row[1] for row in INDEX])
def test_index_notation_is_printed_as_people_write_it(e, plain, full, tex):
    assert (text(e), bracketed(e), latex(e)) == (plain, full, tex)


def test_unicode_text_has_greek_signs():
    assert text(Sum(("k",), Delta("i", "k")), unicode=True) == "Σ_k δ_ik"


# matrices


def t(m):
    return Transpose(m, m.axes[::-1])


def minus(m):
    return Scaled(Fraction(-1), m, m.axes)


def prod(axes, *factors):
    return Product(factors, tuple(axes))


def had(*factors):
    return Hadamard(factors, factors[0].axes)


def plus(*terms):
    return Plus(terms, terms[0].axes)


def over(a, b):
    return Quotient(a, b, a.axes)


def leaf(name, axes=""):
    return Leaf(name, tuple(axes))


def ones(axes):
    return Ones(tuple(axes))


X, P, Y, W2, Z1, n_ = leaf("X", "nd"), leaf("P", "nk"), leaf("Y", "nk"), leaf("W2", "hk"), leaf("Z1", "nh"), leaf("N")
p, y, one = leaf("p", "k"), leaf("y", "k"), leaf("1")
q = leaf("p", "m")
E, e = plus(P, minus(Y)), plus(p, minus(y))
hidden = had(prod("nh", E, t(W2)), Apply("f", Z1, tuple("nh"), 1))
J = plus(Diag(p, ("k", "m")), minus(prod("km", p, t(q))))
a, w, delta, x = leaf("a", "d"), leaf("w", "d"), leaf("e", "h"), leaf("x", "d")
A = leaf("A", "dd")
A2 = leaf("A", "de")
xe = leaf("x", "e")
s, r, c = leaf("s", "n"), leaf("r", "k"), leaf("lambda")

MATRICES = [
    # softmax Jacobian, cross-entropy by logits
    (J, "diag(p) - p pᵀ", "np.diag(p) - p[:, None] * p", r"\operatorname{diag}(p) - p p^\top"),
    (e, "p - y", "p - y", "p - y"),
    (plus(prod("k", p, prod("", t(ones("k")), y)), minus(y)), "p (1ᵀy) - y", "p * y.sum() - y",
     r"p (\mathbf{1}^\top y) - y"),
    # batch mean cross-entropy
    (over(prod("dk", t(X), E), n_), "Xᵀ(P - Y)/N", "X.T @ (P - Y) / N", r"\frac{1}{N} X^\top (P - Y)"),
    (over(prod("k", t(E), ones("n")), n_), "(P - Y)ᵀ1/N", "(P - Y).sum(axis=0) / N",
     r"\frac{1}{N} (P - Y)^\top \mathbf{1}"),
    # squared error through softmax
    (had(p, plus(e, minus(prod("k", ones("k"), t(p), e)))), "p ⊙ ((p - y) - 1 pᵀ(p - y))",
     "p * ((p - y) - p @ (p - y))", r"p \odot ((p - y) - \mathbf{1} p^\top (p - y))"),
    # two layers
    (over(prod("dh", t(X), hidden), n_), "Xᵀ(((P - Y) W2ᵀ) ⊙ f'(Z1))/N", "X.T @ ((P - Y) @ W2.T * df(Z1)) / N",
     r"\frac{1}{N} X^\top (((P - Y) W_2^\top) \odot f'(Z_1))"),
    # one sample in column convention
    (prod("kd", e, t(a)), "(p - y) aᵀ", "(p - y)[:, None] * a", "(p - y) a^\\top"),
    (prod("hd", had(prod("h", W2, e), Apply("f", leaf("z", "h"), ("h",), 1)), t(a)),
     "((W2 (p - y)) ⊙ f'(z)) aᵀ", "(W2 @ (p - y) * df(z))[:, None] * a",
     r"((W_2 (p - y)) \odot f'(z)) a^\top"),
    # Hessian-vector product
    (plus(had(p, leaf("v", "k")), minus(prod("k", p, prod("", t(p), leaf("v", "k"))))), "p ⊙ v - p (pᵀv)",
     "p * v - p * (p @ v)", r"p \odot v - p (p^\top v)"),
    # temperature, class weights, L2 penalty
    (over(e, leaf("T")), "(p - y)/T", "(p - y) / T", r"\frac{1}{T} (p - y)"),
    (over(prod("nk", Diag(s, ("n", "m")), E), n_), "diag(s) (P - Y)/N", "s[:, None] * (P - Y) / N",
     r"\frac{1}{N} \operatorname{diag}(s) (P - Y)"),
    (plus(over(prod("dk", t(X), E), n_), prod("dk", c, leaf("W", "dk"))), "Xᵀ(P - Y)/N + lambda W",
     "X.T @ (P - Y) / N + lambda_ * W", r"\frac{1}{N} X^\top (P - Y) + \lambda W"),
    # quadratic forms
    (Scaled(Fraction(2), prod("d", t(X), plus(prod("n", X, w), minus(s))), ("d",)), "2 Xᵀ(X w - s)",
     "2 * (X.T @ (X @ w - s))", "2 X^\\top (X w - s)"),
    (prod("", t(x), A2, xe), "xᵀA x", "x @ A @ x", r"x^\top A x"),
    (prod("d", plus(A2, t(leaf("A", "ed"))), xe), "(A + Aᵀ) x", "(A + A.T) @ x", r"(A + A^\top) x"),
    # entropy and KL divergence by logits, binary cross-entropy
    (had(p, plus(Apply("log", p, ("k",)), minus(prod("k", ones("k"), t(p), Apply("log", p, ("k",)))))),
     "p ⊙ (log(p) - 1 pᵀlog(p))", "p * (np.log(p) - p @ np.log(p))",
     r"p \odot (\log(p) - \mathbf{1} p^\top \log(p))"),
    (had(s, plus(Ones(("n",)), minus(s))), "s ⊙ (1 - s)", "s * (1 - s)", r"s \odot (\mathbf{1} - s)"),
    # focal loss by the logit, label smoothing
    (had(s, plus(Ones(("n",)), minus(s)), Apply("log", s, ("n",))), "s ⊙ (1 - s) ⊙ log(s)", "s * (1 - s) * np.log(s)",
     r"s \odot (\mathbf{1} - s) \odot \log(s)"),
    (plus(p, minus(prod("k", plus(one, minus(leaf("eps"))), y)),
          minus(over(prod("k", leaf("eps"), ones("k")), leaf("K")))),
     "p - (1 - eps) y - eps 1/K", "p - (1 - eps) * y - eps / K",
     r"p - (1 - \mathrm{eps}) y - \frac{1}{K} \mathrm{eps} \mathbf{1}"),
    # attention and normalisation
    (prod("nk", leaf("Q", "nd"), t(leaf("K", "md")), leaf("V", "mk")), "Q KᵀV", "Q @ K.T @ V", "Q K^\\top V"),
    (over(plus(x, minus(prod("d", leaf("mu"), ones("d")))), leaf("sigma")), "(x - mu 1)/sigma", "(x - mu) / sigma",
     r"\frac{1}{\sigma} (x - \mu \mathbf{1})"),
    # forms
    (Scaled(Fraction(1, 2), E, ("n", "k")), "(P - Y)/2", "(P - Y) / 2", r"\frac{1}{2} (P - Y)"),
    (Scaled(Fraction(-3, 2), hidden, ("n", "h")), "-3 (((P - Y) W2ᵀ) ⊙ f'(Z1))/2",
     "-3 * ((P - Y) @ W2.T * df(Z1)) / 2", r"-\frac{3}{2} (((P - Y) W_2^\top) \odot f'(Z_1))"),
    (minus(E), "-(P - Y)", "-(P - Y)", "-(P - Y)"),
    (minus(over(y, p)), "-y ⊘ p", "-y / p", r"-y \oslash p"),
    (over(over(P, leaf("T")), n_), "P/(T N)", "P / (T * N)", r"\frac{1}{T N} P"),
    (over(P, prod("", leaf("T"), n_)), "P/(T N)", "P / (T * N)", r"\frac{1}{T N} P"),
    (over(P, prod("", t(p), y)), "P/(pᵀy)", "P / (p @ y)", r"\frac{1}{p^\top y} P"),
    (over(prod("", t(p), y), n_), "pᵀy/N", "p @ y / N", r"\frac{p^\top y}{N}"),
    (Quotient(one, p, ("k",)), "1 ⊘ p", "1 / p", r"\mathbf{1} \oslash p"),
    (Hadamard((P, s), ("n", "k")), "P ⊙ (s 1ᵀ)", "P * s[:, None]", r"P \odot (s \mathbf{1}^\top)"),
    (Hadamard((P, prod("nk", s, t(ones("k")))), ("n", "k")), "P ⊙ (s 1ᵀ)", "P * s[:, None]",
     r"P \odot (s \mathbf{1}^\top)"),
    (plus(P, prod("nk", ones("n"), t(r))), "P + 1 rᵀ", "P + r", r"P + \mathbf{1} r^\top"),
    (prod("n", P, ones("k")), "P 1", "P.sum(axis=1)", r"P \mathbf{1}"),
    (prod("", t(ones("n")), P, ones("k")), "1ᵀP 1", "P.sum()", r"\mathbf{1}^\top P \mathbf{1}"),
    (prod("", t(ones("n")), ones("n")), "1ᵀ1", None, r"\mathbf{1}^\top \mathbf{1}"),
    (Power(E, Fraction(2), ("n", "k")), "(P - Y)^∘2", "(P - Y) ** 2", r"(P - Y)^{\circ 2}"),
    (Power(leaf("s"), Fraction(2), ()), "s^2", "s ** 2", "s^2"),
    (Power(P, Fraction(1, 2), ("n", "k")), "sqrt(P)", "np.sqrt(P)", r"\sqrt{P}"),
    (t(prod("nk", X, leaf("W", "dk"))), "(X W)ᵀ", "(X @ W).T", "(X W)^\\top"),
    (plus(Eye(("k", "m")), minus(prod("km", p, t(q)))), "I - p pᵀ", "np.eye(len(p)) - p[:, None] * p",
     r"I - p p^\top"),
    (Scaled(Fraction(3), one, ()), "3", "3", "3"),
]  # fmt: skip


@pytest.mark.parametrize(("m", "plain", "code", "tex"), MATRICES, ids=[row[1] for row in MATRICES])
def test_matrix_notation_is_printed_as_textbooks_write_it(m, plain, code, tex):
    assert (matrix_text(m), matrix_latex(m)) == (plain, tex)
    if code is not None:
        assert matrix_numpy(m) == code


CODE = [
    (mul(p_i, add(Delta("i", "j"), neg(p_j))), "ij", "p[:, None] * (np.eye(len(p)) - p)"),
    (add(p_i, neg(y_i)), "i", "p - y"),
    (mul(num(-1), inv(N), Sum(("i",), call("log", picked))), "", "-np.log(P[np.arange(len(P)), y]).sum() / N"),
    (Sum(("k",), mul(T("X", "i", "k"), T("W", "k", "j"))), "ji", 'np.einsum("ik,kj->ji", X, W)'),
    (Delta("k", Label("y", ("i",))), "ik", None),
    (num(0), "i", None),
    (mul(T("O", "i", "m"), add(T("P", "i", "n"), neg(Delta("n", Label("y", ("i",)))))), "imn",
     "O[:, :, None] * (P - np.eye(P.shape[1])[y])[:, None, :]"),
    (T("W", "m", Label("y", ("i",))), "mi", "W[:, y]"),
    (T("A", "i", "i"), "i", "A[np.arange(len(A)), np.arange(A.shape[1])]"),
    (T("A", "i", "j"), "ji", "A.T"),
    (T("lambda"), "", "lambda_"),
]  # fmt: skip


@pytest.mark.parametrize(("e", "axes", "code"), [row for row in CODE if row[2]], ids=lambda v: str(v)[:30])
def test_numpy_code_of_index_notation_is_readable(e, axes, code):
    assert numpy_expression(e, tuple(axes)) == code


def test_numpy_code_takes_sizes_that_no_array_carries():
    assert numpy_expression(num(0), ("i",), {"i": "n"}) == "np.zeros((n,))"
    assert numpy_expression(Delta("k", Label("y", ("i",))), ("i", "k"), {"k": "3"}) == "np.eye(3)[y]"
    assert matrix_numpy(Ones(("k",)), {"k": "n"}) == "np.ones(n)"


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            lambda: numpy_expression(num(0), ("i",)),
            "The size of index i is unknown: no array in the formula has this index.",
        ),
        (lambda: numpy_expression(p_i, ("j",)), "Index i is neither summed nor an axis of the result (j)."),
        (lambda: matrix_numpy(Ones(("k",))), "The size of axis k is unknown: no array in the formula has this axis."),
        (
            lambda: needed_helpers(call("erf", p_i, 3)),
            "No NumPy code is known for the derivative of order 3 of erf.",
        ),
    ],
)
def test_code_that_cannot_be_written_is_refused_with_the_reason(write, message):
    with pytest.raises(ValueError) as caught:
        write()
    assert str(caught.value) == message


def test_names_become_python_names():
    assert [python_name(n) for n in ("W2", "W'", "lambda", "np", "step", "λ")] == [
        "W2", "W_prime", "lambda_", "np_", "step_", "λ",
    ]  # fmt: skip


# what is printed means what the expression means

SIZES = {"i": 2, "l": 2, "j": 3, "m": 3, "k1": 4, "n": 2, "d": 3, "k": 4, "q": 4, "h": 5}
ARRAYS = {"a": "i", "b": "j", "u": ("k1",), "X": "ij", "Y": "jl", "W'": ("i", "k1"), "s": "", "lambda": ""}
VALUES = {
    name: np.random.default_rng(n).uniform(0.5, 2.0, [SIZES[axis] for axis in axes])
    for n, (name, axes) in enumerate(ARRAYS.items())
} | {"c": np.array([2, 0])}
LIKE = {"i": ("i", "l"), "l": ("i", "l"), "j": ("j", "m"), "k1": ("k1",)}
KNOWN = {
    ("exp", 0): math.exp,
    ("log", 0): math.log,
    ("abs", 0): abs,
    ("tanh", 0): math.tanh,
    ("tanh", 1): lambda v: 1 / math.cosh(v) ** 2,
    ("sigmoid", 0): lambda v: 1 / (1 + math.exp(-v)),
    ("softplus", 0): lambda v: math.log1p(math.exp(v)),
    ("relu", 0): lambda v: max(v, 0.0),
    ("step", 0): lambda v: float(v > 0),
    ("erf", 0): math.erf,
    ("f", 0): lambda v: math.sin(v) + v,
    ("f", 1): lambda v: math.cos(v) + 1,
}


def at(index, where):
    if isinstance(index, Label):
        return int(VALUES[index.name][tuple(where[letter] for letter in index.indices)])
    return where[index]


def size_of(letter, e):
    """Read the size of a letter off an array that has it, whatever the letter is called; 0 if no array has it."""
    if isinstance(e, Tensor):
        for index, size in zip(e.indices, VALUES[e.name].shape, strict=True):
            if index == letter:
                return size
            if isinstance(index, Label) and letter in index.indices:
                return len(VALUES[index.name])
    if isinstance(e, Sum) and letter in e.indices:
        return 0
    return max((size_of(letter, part) for part in children(e)), default=0)


def value(e, where):
    """Evaluate one entry by definition, with loops."""
    match e:
        case Num(v):
            return float(v)
        case Tensor(name, indices):
            return float(VALUES[name][tuple(at(index, where) for index in indices)])
        case Delta(i, j):
            return float(at(i, where) == at(j, where))
        case Add(terms):
            return math.fsum(value(term, where) for term in terms)
        case Mul(factors):
            return math.prod(value(factor, where) for factor in factors)
        case Pow(base, exponent):
            return value(base, where) ** value(exponent, where)
        case Sum(indices, body):
            ranges = [range(size_of(index, body)) for index in indices]
            return math.fsum(
                value(body, where | dict(zip(indices, at, strict=True))) for at in itertools.product(*ranges)
            )
        case Call(function, argument, order):
            return KNOWN[function, order](value(argument, where))


def entries(e, axes):
    result = np.empty([SIZES[axis] for axis in axes])
    for place in np.ndindex(*result.shape):
        entry = value(e, dict(zip(axes, place, strict=True)))
        assume(isinstance(entry, float) and math.isfinite(entry) and abs(entry) < 1e8)
        result[place] = entry
    return result


@st.composite
def atoms(draw):
    name = draw(st.sampled_from([*ARRAYS, "picked", "delta", "one-hot", "number"]))
    if name == "picked":
        letter = draw(st.sampled_from("il"))
        return T("Y", Label("c", (letter,)), draw(st.sampled_from("il")))
    if name == "one-hot":
        return Delta(Label("c", (draw(st.sampled_from("il")),)), draw(st.sampled_from("jm")))
    if name == "delta":
        return Delta(*draw(st.sampled_from([("i", "l"), ("j", "m"), ("m", "j"), ("k1", "k1")])))
    if name == "number":
        return num(draw(st.sampled_from(["2", "-1", "1/2", "-3/2", "3", "1"])))
    return T(name, *(draw(st.sampled_from(LIKE[axis])) for axis in ARRAYS[name]))


def summed(body, count):
    letters = tuple(letter for letter in free_indices(body) if size_of(letter, body))[:count]
    return Sum(letters, body) if letters else body


def compound(inner):
    few = st.lists(inner, min_size=2, max_size=3).map(tuple)
    powers = st.sampled_from(["-1", "-1", "2", "1/2", "-1/2", "-2", "3/2"]).map(num)
    return st.one_of(
        few.map(Add),
        few.map(Mul),
        few.map(Mul),
        inner.map(neg),
        st.builds(Pow, inner, powers),
        st.builds(Pow, inner, st.one_of(powers, inner)),
        st.builds(lambda f, arg: Call(f[0], arg, f[1]), st.sampled_from(sorted(KNOWN)), inner),
        st.builds(summed, inner, st.integers(1, 3)),
    )


expressions = st.recursive(atoms(), compound, max_leaves=8)


def evaluated(e, axes):
    """Return the entries, and drop the example where the definition itself has none."""
    try:
        return entries(e, axes)
    except (ValueError, ZeroDivisionError, OverflowError, TypeError):
        assume(False)


@settings(TREES, max_examples=200)
@given(expressions)
def test_text_reads_back_to_the_same_meaning(e):
    axes = free_indices(e)
    expected = evaluated(e, axes)
    for printed in (text(e), bracketed(e), text(e, unicode=True)):
        again = parse_expression(printed, known=[*ARRAYS, "c"])
        np.testing.assert_allclose(entries(again, axes), expected, rtol=1e-9, atol=1e-9, err_msg=printed)


NAMES = {python_name(name): array for name, array in VALUES.items()} | {
    "f": lambda v: np.sin(v) + v,
    "df": lambda v: np.cos(v) + 1,
    "np": np,
}


def run(source, helpers, names):
    scope = dict(names)
    exec(helpers, scope)
    return eval(source, scope)


@settings(TREES, max_examples=200)
@given(expressions, st.randoms(use_true_random=False))
def test_numpy_code_of_index_notation_computes_its_entries(e, random):
    axes = list(free_indices(e))
    random.shuffle(axes)
    expected = evaluated(e, axes)
    sizes = {axis: str(size) for axis, size in SIZES.items()}
    source = numpy_expression(e, tuple(axes), sizes)
    with np.errstate(all="ignore"):
        got = run(source, needed_helpers(e), NAMES)
    assert np.shape(got) == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-7, err_msg=source)


def test_sizes_are_read_off_the_arrays():
    e = Sum(("j",), mul(Delta("j", "m"), Sum(("l",), mul(T("Y", "j", "l"), T("a", "l")))))
    source = numpy_expression(e, ("m",))
    np.testing.assert_allclose(run(source, "", NAMES), VALUES["Y"] @ VALUES["a"])


@pytest.mark.parametrize("function", ["exp", "log", "sin", "cos", "tanh", "sigmoid", "softplus", "erf", "relu", "abs"])
@pytest.mark.parametrize("order", [1, 2])
def test_helpers_for_derivatives_agree_with_differences(function, order):
    z = np.array([0.3, 0.9, 2.5])
    names = {"np": np, "z": z, "h": 1e-5}
    higher, lower = call(function, T("z", "i"), order), call(function, T("z", "i"), order - 1)
    below = numpy_expression(lower, ("i",))
    slope = (
        run(below, needed_helpers(lower), names | {"z": z + 1e-5})
        - run(below, needed_helpers(lower), names | {"z": z - 1e-5})
    ) / 2e-5
    np.testing.assert_allclose(run(numpy_expression(higher, ("i",)), needed_helpers(higher), names), slope, atol=1e-8)


# matrices: everything is a matrix here, a column has one column, a row one row, a scalar both

MATRIX_VALUES = {
    name: np.random.default_rng(n + 50).uniform(0.5, 2.0, [SIZES[axis] for axis in name[1:]])
    for n, name in enumerate(["M" + "".join(pair) for pair in itertools.product("ndkh", repeat=2)])
} | {
    name: np.random.default_rng(n + 90).uniform(0.5, 2.0, [SIZES[axis] for axis in name[1:]])
    for n, name in enumerate(["vn", "vd", "vk", "vh", "s"])
}


def multiplied(a, b):
    """Multiply with loops; a scalar scales."""
    if a.shape == (1, 1) or b.shape == (1, 1):
        return a * b
    return np.array(
        [[sum(a[i, k] * b[k, j] for k in range(a.shape[1])) for j in range(b.shape[1])] for i in range(len(a))]
    )


def meaning(m):
    """Evaluate by definition; vectors are columns."""
    match m:
        case Leaf("1", ()):
            return np.ones((1, 1))
        case Leaf(name, axes):
            array = MATRIX_VALUES[name]
            return array.reshape(-1, 1) if len(axes) == 1 else array.reshape(1, 1) if not axes else array
        case Ones(axes):
            return np.ones((SIZES[axes[0]] if axes else 1, SIZES[axes[1]] if len(axes) > 1 else 1))
        case Eye(axes):
            return np.eye(SIZES[axes[0]])
        case Transpose(of, _):
            return meaning(of).T
        case Product(factors, _):
            result = meaning(factors[0])
            for factor in factors[1:]:
                result = multiplied(result, meaning(factor))
            return result
        case Hadamard(factors, axes):
            return math.prod(spread(f, axes) for f in factors)
        case Plus(terms, axes):
            return sum(spread(term, axes) for term in terms)
        case Quotient(above, below, axes):
            return spread(above, axes) / spread(below, axes)
        case Scaled(number, of, _):
            return float(number) * meaning(of)
        case Apply(function, of, _, order):
            return np.vectorize(KNOWN[function, order])(meaning(of))
        case Power(of, exponent, _):
            return meaning(of) ** float(exponent)
        case Diag(of, _):
            return np.diag(meaning(of)[:, 0])


def spread(m, axes):
    result = meaning(m)
    if len(axes) == 2 and len(m.axes) == 1 and m.axes[0] == axes[1]:
        result = result.T
    return result * np.ones([SIZES[axis] for axis in axes]) if len(axes) == 2 else result


@st.composite
def matrices(draw, axes, depth=3):
    axes = tuple(axes)
    simple = [leaf("M" + "".join(axes) if len(axes) == 2 else "v" + axes[0] if axes else "s", axes)]
    if len(axes) == 1:
        simple.append(Ones(axes))
    if not depth:
        return draw(st.sampled_from(simple))
    again = lambda wanted: draw(matrices(wanted, depth=depth - 1))
    other = lambda *others: draw(st.sampled_from([axis for axis in "ndkh" if axis not in (*axes, *others)]))
    forms = ["leaf", "plus", "had", "scaled", "apply", "power", "quotient", "over", "product", "times", "chain"]
    match draw(st.sampled_from(forms)):
        case "leaf":
            return draw(st.sampled_from(simple))
        case "plus":
            return Plus(tuple(again(axes) for _ in range(draw(st.integers(2, 3)))), axes)
        case "had":
            lower = draw(st.sampled_from([axes, axes[:1], axes[1:], ()]))
            return Hadamard((again(axes), again(lower)), axes)
        case "scaled":
            return Scaled(Fraction(draw(st.sampled_from(["-1", "2", "1/2", "-3/2"]))), again(axes), axes)
        case "apply":
            function, order = draw(st.sampled_from([("exp", 0), ("sigmoid", 0), ("f", 0), ("f", 1), ("tanh", 1)]))
            return Apply(function, again(axes), axes, order)
        case "power":
            return Power(again(axes), Fraction(draw(st.sampled_from(["2", "-1", "1/2", "-2", "-1/2"]))), axes)
        case "quotient":
            return Quotient(draw(st.sampled_from([leaf("1"), again(axes)])), again(axes), axes)
        case "over":
            return Quotient(again(axes), again(()), axes)
        case "times":
            return Product((again(()), again(axes)), axes)
    a = other()
    b = other(a)
    if len(axes) == 2:
        options = [
            lambda: Product((again(axes[0]), t(again(axes[1]))), axes),
            lambda: Product((again((axes[0], a)), again((a, axes[1]))), axes),
            lambda: Product((t(again((a, axes[0]))), again((a, axes[1]))), axes),
            lambda: t(again(axes[::-1])),
            lambda: Product((Diag(again(axes[0]), (axes[0], "q")), again(axes)), axes),
            lambda: Product((again(axes), Diag(again(axes[1]), ("q", axes[1]))), axes),
            lambda: Product((again(axes[0]), t(again(a)), again((a, axes[1]))), axes),
        ]
    elif len(axes) == 1:
        options = [
            lambda: Product((again((*axes, a)), again(a)), axes),
            lambda: Product((t(again((a, *axes))), Ones((a,))), axes),
            lambda: Product((again(axes), t(again(a)), again(a)), axes),
            lambda: Product((again(axes), Product((t(again(a)), again(a)), ())), axes),
            lambda: Product((again((*axes, a)), again((a, b)), again(b)), axes),
        ]
    else:
        options = [
            lambda: Product((t(again(a)), again(a)), ()),
            lambda: Product((t(Ones((a,))), again((a, b)), again(b)), ()),
            lambda: Product((t(again(a)), again((a, b)), Ones((b,))), ()),
            lambda: Product((t(again(a)), Diag(again(a), (a, "q")), again(a)), ()),
        ]
    return draw(st.sampled_from(options))()


@settings(TREES, max_examples=200)
@given(st.sampled_from(["", "n", "nk", "kd"]).flatmap(matrices))
def test_numpy_code_of_matrix_notation_computes_the_matrix(m):
    with np.errstate(all="ignore"):
        try:
            expected = meaning(m)
        except (OverflowError, ValueError):
            assume(False)
        assume(np.isfinite(expected).all() and np.abs(expected).max() < 1e8)
        source = matrix_numpy(m, {axis: str(size) for axis, size in SIZES.items()})
        got = run(source, needed_helpers(m), NAMES | MATRIX_VALUES)
    assert np.shape(got) == tuple(SIZES[axis] for axis in m.axes), source
    np.testing.assert_allclose(np.reshape(got, expected.shape), expected, rtol=1e-6, err_msg=source)


# markup


def balanced(tex):
    depth = 0
    for n, character in enumerate(tex):
        if character in "{}" and tex[n - 1] != "\\":
            depth += 1 if character == "{" else -1
        assert depth >= 0, tex
    return depth == 0 and tex.count(r"\left") == tex.count(r"\right")


def double_scripts(tex):
    """Tell whether TeX would stop at a double subscript or superscript."""
    return any(pair in tex for pair in ("'^", "''_{}", "^^", "__"))


@TREES
@given(expressions)
def test_markup_of_index_notation_is_well_formed(e):
    assert balanced(latex(e))
    assert not double_scripts(latex(e))
    assert ET.fromstring(mathml(e)).tag == "{http://www.w3.org/1998/Math/MathML}math"


@TREES
@given(st.sampled_from(["", "n", "nk"]).flatmap(matrices))
def test_markup_of_matrix_notation_is_well_formed(m):
    assert matrix_text(m).count("(") == matrix_text(m).count(")")
    assert balanced(matrix_latex(m))
    ET.fromstring(matrix_mathml(m))


@pytest.mark.parametrize("name", ["<b>", "a&b", '"', "x_y", "100%", "#", "$", "{"])
def test_names_are_escaped(name):
    root = ET.fromstring(mathml(T(name, "i")))
    assert name in "".join(root.itertext())
    assert name in "".join(ET.fromstring(matrix_mathml(Leaf(name, ()))).itertext())
    assert balanced(latex(T(name, "i")))
    assert balanced(matrix_latex(Leaf(name, ())))


def test_in_mathml_a_derivative_is_as_italic_as_its_array():
    assert "<msub><mrow><mi>d</mi><mi>W</mi></mrow><mn>2</mn></msub>" in matrix_mathml(Leaf("dW2", ()))
    assert "<mrow><mi>d</mi><mi>b</mi></mrow>" in mathml(T("db", "i"))
    assert "<mi>dot</mi>" in mathml(T("dot", "i"))
    assert "<mi>δ</mi>" in mathml(T("delta", "i"))


def test_mathml_says_what_is_multiplied_and_applied():
    assert mathml(mul(y_i, call("log", p_i))) == (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><mrow><msub><mi>y</mi><mi>i</mi></msub><mo>&#x2062;</mo>'
        '<mrow><mi>log</mi><mo>&#x2061;</mo><mspace width="0.17em"/><msub><mi>p</mi><mi>i</mi></msub></mrow></mrow>'
        "</math>"
    )
