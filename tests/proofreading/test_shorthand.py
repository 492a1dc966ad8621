"""Shorthand of derivations: a probability or a loss by name, letters renamed, products without a transpose.

Each kind has right lines, which follow, and wrong ones, whose mistake is named.
"""

import pytest

from glassmax.errors import ExpressionError
from glassmax.proofreading.check import check_derivation
from glassmax.proofreading.checked import GIVEN, NOT_READ
from glassmax.proofreading.formula.parse import parse
from glassmax.proofreading.formula.write import write

SOFTMAX = r"$p_i = \frac{e^{a_i}}{\sum_k e^{a_k}}$, $L = -\sum_k y_k \log p_k$ with $\sum_k y_k = 1$."
KINDS = {
    "a probability by name in the middle of a chain": (
        r"$\hat y_o = P(O=o\mid C=c) = \frac{\exp(u_o^\top v_c)}{\sum_w \exp(u_w^\top v_c)}$, $J = -\log \hat y_o$.",
        {
            r"\frac{\partial J}{\partial v_c} = -u_o + \sum_w \hat y_w u_w": "",
            r"\frac{\partial J}{\partial v_c} = u_o - \sum_w \hat y_w u_w": "sign",
        },
    ),
    "a likelihood by name": (
        r"$\hat y = \sigma(w\cdot x + b)$ with $\sigma(z) = \frac{1}{1+e^{-z}}$,"
        r" $L = -\log p(y|x) = -[y\log\hat y + (1-y)\log(1-\hat y)]$.",
        {
            r"\frac{\partial L}{\partial w_j} = (\hat y - y) x_j": "",
            r"\frac{\partial L}{\partial w_j} = (y - \hat y) x_j": "sign",
        },
    ),
    "a loss function of arrays": (
        r"$\mathbf{z} = \mathbf{W}\mathbf{x}$, $\mathbf{o} = \mathbf{V}\mathbf{z}$, $L = l(\mathbf{o}, \mathbf{y})$.",
        {
            r"\frac{\partial L}{\partial \mathbf{V}} = \frac{\partial L}{\partial \mathbf{o}} \mathbf{z}^\top": "",
            r"\frac{\partial L}{\partial \mathbf{z}} = \mathbf{V}^\top \frac{\partial L}{\partial \mathbf{o}}": "",
            r"\frac{\partial L}{\partial \mathbf{z}} = \mathbf{V} \frac{\partial"
            r" L}{\partial \mathbf{o}}": "order_of_factors",
        },
    ),
    "the cross-entropy by name": (
        r"$z = Wx + b$, $\hat y = \mathrm{softmax}(z)$, $J = CE(y, \hat y)$ with $\sum_k y_k = 1$.",
        {
            r"\frac{\partial J}{\partial z} = \hat y - y": "",
            r"\frac{\partial J}{\partial W} = (\hat y - y) x^T": "",
            r"\frac{\partial J}{\partial z} = y - \hat y": "sign",
        },
    ),
    "a letter renamed": (
        SOFTMAX + " Now write with $o_i = a_i$:",
        {
            r"\frac{\partial L}{\partial o_i} = p_i - y_i": "",
            r"\frac{\partial L}{\partial o_i} = -\sum_k y_k \frac{1}{p_k} \frac{\partial p_k}{\partial o_i}": "",
            r"\frac{\partial L}{\partial o_i} = y_i - p_i": "sign",
        },
    ),
    "an abbreviation in words": (
        r"For brevity, write $\Sigma$ for $\sum_{k=1}^N e^{a_k}$, $S_i = e^{a_i}/\Sigma$.",
        {
            r"\frac{\partial S_i}{\partial a_j} = \frac{e^{a_i} \delta_{ij}}{\Sigma} - S_i S_j": "",
            r"\frac{\partial S_i}{\partial a_j} = \frac{e^{a_i} \delta_{ij}}{\Sigma} + S_i S_j": "sign",
        },
    ),
    "an inner product without a transpose": (
        r"$J(\theta) = -\frac{1}{m}\sum_{i=1}^{m} y^{i}\log(h_\theta(x^{i}))+(1-y^{i})\log(1-h_\theta(x^{i}))$"
        r" where $h_\theta(x) = \frac{1}{1+\exp(-\theta x)}$.",
        {
            r"\log(1-h_\theta(x^i)) = -\theta x^i - \log(1+e^{-\theta x^i})": "",
            r"\frac{\partial}{\partial\theta_j} \log(1+e^{\theta x^i}) = x_j^i h_\theta(x^i)": "",
            r"\frac{\partial}{\partial\theta_j} J(\theta) = \frac1m \sum_{i=1}^m (h_\theta(x^i) - y^i) x_j^i": "",
            r"\frac{\partial}{\partial\theta_j} J(\theta) = \frac1m \sum_{i=1}^m (y^i - h_\theta(x^i)) x_j^i": "sign",
        },
    ),
    "factorials of a likelihood": (
        r"$\ell(\beta) = \sum_{i=1}^n \left(y_i x_i^T\beta - e^{x_i^T\beta} - \log y_i!\right)$.",
        {
            r"\frac{\partial\ell}{\partial\beta} = \sum_{i=1}^n (y_i - e^{x_i^T\beta}) x_i": "",
            r"\frac{\partial\ell}{\partial\beta} = \sum_{i=1}^n (e^{x_i^T\beta} - y_i) x_i": "sign",
        },
    ),
    "parameters with dots, one sample and then all": (
        r"$y_k = \frac{\exp(a_k)}{\sum_j \exp(a_j)}$. The error is"
        r" $E(\mathbf w_1,\dots,\mathbf w_K) = -\sum_{n=1}^N\sum_{k=1}^K t_{nk}\ln y_{nk}$ with"
        r" $y_{nk} = \exp(a_{nk})/\sum_j\exp(a_{nj})$, $a_{nk} = \mathbf"
        r" w_k^{\mathrm T}\phi_n$ and $\sum_k t_{nk} = 1$.",
        {
            r"\frac{\partial y_k}{\partial a_j} = y_k(I_{kj}-y_j)": "",
            r"\frac{\partial y_k}{\partial a_j} = y_k(I_{kj}-y_k)": "wrong_index",
            r"\nabla_{\mathbf w_j}E = \sum_{n=1}^N(y_{nj}-t_{nj})\phi_n": "",
            r"\nabla_{\mathbf w_j}E = \sum_{n=1}^N(t_{nj}-y_{nj})\phi_n": "sign",
        },
    ),
    "a Hessian without its variable": (
        r"$J = \log\sum_k e^{z_k} - \sum_k y_k z_k$, $p_i ="
        r" \frac{e^{z_i}}{\sum_k e^{z_k}}$. $\frac{\partial J}{\partial z_i} = p_i - y_i$.",
        {
            r"\nabla^2 J = \operatorname{diag}(p) - pp^\top": "",
            r"\nabla\nabla^\top J = \operatorname{diag}(p) - pp^\top": "",
            r"v^\top \nabla^2 J\, v = \sum_i p_i v_i^2 - \left(\sum_i p_i v_i\right)^2": "",
            r"v^\top \nabla^2 J\, v = \sum_i p_i v_i^2 - \sum_i (p_i v_i)^2": "sum_of_squares",
        },
    ),
    "an error of the last layer": (
        r"$z^l = w^l a^{l-1} + b^l$, $a^l = \sigma(z^l)$, $\delta^l = \frac{\partial C}{\partial z^l}$.",
        {
            r"\delta^L = \nabla_a C \odot \sigma'(z^L)": "",
            r"\delta^L = \nabla_a C \odot \sigma'(a^L)": "activation_of_a",
        },
    ),
    "the square of a name": (
        r"$r = \|x\|$.",
        {
            r"\frac{\partial r^2}{\partial x_j} = 2 x_j": "",
            r"\frac{\partial r^2}{\partial x_j} = x_j": "factor",
        },
    ),
    "gradients that lie as rows": (
        r"$z = Wx + b$, $h = \mathrm{ReLU}(z)$, $\theta = Uh + c$, $\hat y ="
        r" \mathrm{softmax}(\theta)$, $J = CE(y, \hat y)$."
        r" $\delta_1 = \frac{\partial J}{\partial\theta} = (\hat y - y)^T$,"
        r" $\delta_2 = \frac{\partial J}{\partial z}$.",
        {
            r"\delta_2 = \delta_1 U \circ \mathrm{sgn}(h)": "",
            r"\frac{\partial J}{\partial x} = \delta_2 W": "",
        },
    ),
    "labels of two kinds": (
        r"$L_i = \sum_{j\neq y_i}\max(0, w_j^Tx_i - w_{y_i}^Tx_i + \Delta)$."
        r" The binary hinge loss is $\ell = \max(0, 1 - y\,s)$.",
        {
            r"\frac{\partial \ell}{\partial s} = \begin{cases} -y & \text{if } ys <"
            r" 1\\ 0 & \text{if } ys > 1\end{cases}": "",
            r"\frac{\partial \ell}{\partial s} = \begin{cases} y & \text{if } ys <"
            r" 1\\ 0 & \text{if } ys > 1\end{cases}": "sign",
        },
    ),
    "the logarithm of positive numbers": (
        r"$\hat y = w\cdot x + b$, $g(\hat y) = \hat y^2$, $\frac{\partial \hat y}{\partial w_j} = x_j$.",
        {r"\frac{d}{dx}\ln(x) = \frac1x": "", r"\frac{d}{dx}\ln(x) = -\frac1x": "sign"},
    ),
}
CLAIMS = [(kind, claim, cause) for kind, (_, claims) in KINDS.items() for claim, cause in claims.items()]


@pytest.mark.parametrize(("kind", "claim", "cause"), CLAIMS)
def test_shorthand_is_read_and_its_mistakes_are_named(kind, claim, cause):
    *before, last = check_derivation(f"{KINDS[kind][0]}\n\n$${claim}$$\n").lines
    assert all(line.cause == "" for line in before), [line for line in before if line.cause]
    assert last.verdict not in (GIVEN, NOT_READ), last.says
    assert last.cause == cause, last.says


WRITTEN = {
    r"P(O=o\mid C=c)": "P(O=o|C=c)",
    r"-\log p(y|x;\theta)": "-log p(y|x;theta)",
    r"E(\mathbf w_1,\dots,\mathbf w_K)": "E(w)",
    r"\nabla_w\nabla_w^\top J": "∇²_w J",
    r"\log y_i!": "log y_i!",
    r"\frac{n!}{2}": "n!/2",
    r"p(1-p)": "p (1 - p)",
    r"p_k(\mathbb{1}(k=j) - p_j)": "p_k (1(k = j) - p_j)",
    r"\exp(Z)/\exp(Z)\mathbf 1\mathbf 1^T": "exp(Z)/(exp(Z) 𝟏 𝟏ᵀ)",
}


@pytest.mark.parametrize("typed", WRITTEN)
def test_what_is_written_is_read_again(typed):
    node = parse(typed)
    assert write(node) == WRITTEN[typed]
    assert parse(write(node)) == node
    assert parse(write(node, latex=True)) == node


@pytest.mark.parametrize("typed", [r"\nabla_w^T J", r"f(x_1, \dots, y_n)", r"f(x_1, \dots)", "z!", "f(y | x)"])
def test_what_looks_like_shorthand_and_is_none_is_not_read(typed):
    with pytest.raises(ExpressionError):
        parse(typed)


def test_a_probability_with_an_index_is_no_quantity():
    (line,) = check_derivation(r"$$P(y_i = k \mid x_i) = \frac{e^{f_k}}{\sum_j e^{f_j}}$$").lines
    assert line.verdict == NOT_READ
    assert line.says == "a probability is given by its name only"


def test_a_side_that_only_names_a_probability_is_shown():
    line = check_derivation(r"$$q_k = P(y = k \mid x) = \frac{e^{f_k}}{\sum_j e^{f_j}}$$").lines[0]
    assert line.formula == "q_k = P(y=k|x) = e^{f_k}/(Σ_j e^{f_j})"


def test_a_factorial_has_no_derivative():
    line = check_derivation("f = n! x\n\ndf/dn = x\n", kind="text").lines[-1]
    assert line.verdict == NOT_READ
    assert line.says == "a factorial has no derivative here"
