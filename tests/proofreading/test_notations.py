"""Right derivations in the notations of textbooks, courses and blogs: every line is read, and none is called wrong."""

import pytest

from glassmax.proofreading.check import check_derivation
from glassmax.proofreading.checked import NOT_READ, WRONG

DOCUMENTS = {
    "quotient rule with a letter for the derivative": (
        "markdown",
        r"""
The softmax function: \[S_j=\frac{e^{a_j}}{\sum_{k=1}^{N}e^{a_k}}\qquad \forall j \in 1..N\]
\[D_{j}S_i=\frac{\partial S_i}{\partial a_j}=\frac{\partial \frac{e^{a_i}}{\sum_{k=1}^{N}e^{a_k}}}{\partial a_j}\]

For simplicity $\Sigma$ stands for $\Sigma = \sum_{k=1}^{N}e^{a_k}$. If i=j:
\[\begin{align*}
\frac{\partial \frac{e^{a_i}}{\sum_{k=1}^{N}e^{a_k}}}{\partial a_j}&=\frac{e^{a_i}\Sigma-e^{a_j}e^{a_i}}{\Sigma^2}\\
&=\frac{e^{a_i}}{\Sigma}\frac{\Sigma - e^{a_j}}{\Sigma}\\
&=S_i(1-S_j)
\end{align*}\]
\[D_{j}S_i=\left\{\begin{matrix} S_i(1-S_j) & i=j\\ -S_j S_i & i\neq j \end{matrix}\right.\]
""",
    ),
    "numbers above are layers, and the activation is logistic by its derivative": (
        "markdown",
        r"""
$$z^2 = w^2a^1 + b^2,\quad a^2 = \sigma(z^2),\qquad z^3 = w^3a^2 + b^3,\quad a^3 = \sigma(z^3)$$
$$C = \tfrac12\|y-a^3\|^2$$
$$\sigma'(z^l) = a^l\odot(1-a^l)$$
$$\delta^3 = (a^3 - y)\odot\sigma'(z^3) = (a^3-y)\odot a^3\odot(1-a^3)$$
$$\nabla_{b^3}C = \delta^3, \qquad \nabla_{w^3}C = \delta^3(a^2)^T$$
$$\delta^2 = \big((w^3)^T\delta^3\big)\odot a^2\odot(1-a^2)$$
""",
    ),
    "a sum without brackets": (
        "markdown",
        r"""
Let $h_\theta(x) = g(\theta^T x)$, where $g(z) = \frac{1}{1 + e^{-z}}$.
$$\ell(\theta) = \sum_{i=1}^m y^{(i)} \log h(x^{(i)}) + (1-y^{(i)}) \log(1 - h(x^{(i)}))$$
$$\frac{\partial}{\partial \theta_j} \ell(\theta) = \sum_{i=1}^m (y^{(i)} - h_\theta(x^{(i)})) x_j^{(i)}$$
""",
    ),
    "a derivative of an expression, in which other names are constants": (
        "markdown",
        r"""
Let $h_\theta(x) = g(\theta^T x)$, where $g(z) = \frac{1}{1 + e^{-z}}$.
$$\frac{\partial}{\partial \theta_j} \theta^T x = x_j$$
$$\frac{\partial}{\partial \theta_j} g(\theta^T x) = g(\theta^Tx)(1-g(\theta^Tx)) x_j$$
""",
    ),
    "entries of an array, typed as a function of one of them": (
        "markdown",
        r"""
Softmax: $s(z_j) = \frac{e^{z_j}}{\sum^{K}_{k=1}e^{z_k}}$
$$\begin{aligned}
\frac{\partial s(z_j)}{\partial z_i} &= \frac{\partial}{\partial z_i} \frac{e^{z_j}}{\sum^{K}_{k=1}e^{z_k}}\\
&= \begin{cases} s(z_i)(1 - s(z_i)) & i = j\\ -s(z_j)s(z_i) & i \neq j\\ \end{cases}\\
&= s(z_i)(\delta_{i,j} - s(z_j)) \\
\end{aligned}$$
Loss: $L = - \sum^{K}_{k=1} y_k \log s(z_k)$
$$\frac{\partial L}{\partial z_i} = - \left[ y_i - s(z_i) \sum^{K}_{k=1} y_k \right] = s(z_i) - y_i$$
""",
    ),
    "entries of a function of an array": (
        "markdown",
        r"""
$$\sigma(z)_i = \frac{e^{z_i}}{\sum_{j} e^{z_j}}$$
$$\frac{\partial \sigma_i}{\partial z_j} = \sigma_i(\delta_{ij} - \sigma_j)$$
## In other letters
$$p_k(a) = \frac{e^{a_k}}{\sum_j e^{a_j}}$$
$$\frac{\partial p_k(a)}{\partial a_j} = p_k(a)(\delta_{kj} - p_j(a))$$
""",
    ),
    "functions at the end of a chain, rules of the calculus": (
        "markdown",
        r"""
$$\frac{d}{dx} \ln(1+e^x) = \frac{e^x}{1+e^x} = \sigma(x)$$
$$\frac{d}{dx}\left[u(x)v(x)\right] = u'(x)v(x) + u(x)v'(x)$$
$$\frac{d}{dx} x^n = n x^{n-1}$$
""",
    ),
    "a small t for the transpose, a gradient that names no variable": (
        "markdown",
        r"""
$$J(w) = \frac{1}{2} \|X w - y\|^2$$
$$\nabla J = X^t (X w - y), \qquad \nabla^2 J = X^t X$$
""",
    ),
    "a composition": (
        "markdown",
        r"""
Let $h(x) = (f \circ g)(x)$. Then $$h'(x) = (f \circ g)'(x) = f'(g(x)) g'(x)$$
""",
    ),
    "a chain that defines its function": (
        "markdown",
        r"""
With $\hat{p}_i = \sigma(z_i) = \frac{1}{1 + e^{-z_i}}$ and
$$L = -\frac{1}{n} \sum_{i=1}^n \left[ y_i \log(\hat{p}_i) + (1 - y_i) \log(1 - \hat{p}_i) \right]$$
$$\frac{\partial L}{\partial z_i} = \frac{1}{n}(\hat{p}_i - y_i)$$
""",
    ),
    "the derivative of a function named by itself": (
        "tex",
        r"""
\begin{equation} \sigma(a) = \frac{1}{1+\exp(-a)} \end{equation}
\begin{equation} \frac{d\sigma}{da} = \sigma(1-\sigma). \end{equation}
""",
    ),
    "the four equations of backpropagation": (
        "markdown",
        r"""
where $\delta^L_j = \frac{\partial C}{\partial z^L_j}$, $a^l_j = \sigma(z^l_j)$ and
$z^l_j = \sum_k w^l_{jk} a^{l-1}_k + b^l_j$.
$$\delta^L_j = \frac{\partial C}{\partial a^L_j} \sigma'(z^L_j)$$
\begin{eqnarray} \delta^L = \nabla_a C \odot \sigma'(z^L) \tag{BP1a} \end{eqnarray}
\begin{eqnarray} \delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l) \tag{BP2} \end{eqnarray}
\begin{eqnarray} \frac{\partial C}{\partial b^l_j} = \delta^l_j \tag{BP3} \end{eqnarray}
\begin{eqnarray} \frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_k \delta^l_j \tag{BP4} \end{eqnarray}
""",
    ),
    "Unicode": (
        "text",
        """
pᵢ = e^{zᵢ} / Σⱼ e^{zⱼ}
L = −Σₖ yₖ ln pₖ
∂pₖ/∂zᵢ = pₖ(δᵢₖ − pᵢ)
∂L/∂zᵢ = −Σₖ yₖ/pₖ · ∂pₖ/∂zᵢ
       = −Σₖ yₖ (δᵢₖ − pᵢ)
       = pᵢ Σₖ yₖ − yᵢ
""",
    ),
    "a network by hand, with words below its names": (
        "markdown",
        r"""
$$net_{o1} = w_5 * out_{h1} + w_6 * out_{h2} + b_2 * 1$$
$$out_{o1} = \frac{1}{1+e^{-net_{o1}}}$$
$$E_{total} = \frac{1}{2}(target_{o1} - out_{o1})^{2} + \frac{1}{2}(target_{o2} - out_{o2})^{2}$$
$$\frac{\partial E_{total}}{\partial out_{o1}} = 2 * \frac{1}{2}(target_{o1} - out_{o1})^{2 - 1} * -1 + 0$$
$$\frac{\partial net_{o1}}{\partial w_{5}} = 1 * out_{h1} * w_5^{(1 - 1)} + 0 + 0 = out_{h1}$$
$$\frac{\partial E_{total}}{\partial w_{5}} = -(target_{o1} - out_{o1}) * out_{o1}(1 - out_{o1}) * out_{h1}$$
""",
    ),
    "matrices, a vector of ones, division by entries": (
        "markdown",
        r"""
Let $p = \operatorname{softmax}(z)$ and $L = -\mathbf{y}^\top \log \mathbf{p}$.
$$ \frac{\partial L}{\partial \mathbf{p}} = -\mathbf{y} \oslash \mathbf{p} $$
$$ \frac{\partial L}{\partial \mathbf{z}}
= (\operatorname{diag}(\mathbf{p}) - \mathbf{p}\mathbf{p}^\top)(-\mathbf{y} \oslash \mathbf{p})
= -\mathbf{y} + \mathbf{p} \mathbf{1}^\top \mathbf{y} = \mathbf{p} - \mathbf{y} $$
""",
    ),
    "scores with a wide space between two equations": (
        "markdown",
        r"""
$$ p_k = \frac{e^{f_k}}{ \sum_j e^{f_j} } \hspace{1in} L_i =-\log\left(p_{y_i}\right) $$
$$ \frac{\partial L_i }{ \partial f_k } = p_k - \mathbb{1}(y_i = k) $$
""",
    ),
}


def test_entries_typed_as_a_function_stay_so():
    softmax = r"Let $s(z_j) = e^{z_j} / \sum_k e^{z_k}$. "
    slip = r"$$\frac{\partial s(z_i)}{\partial z_i} = s(z_i)(\delta_{ij} - s(z_j))$$"
    wrong = check_derivation(softmax + slip).lines[-1]
    assert wrong.verdict == WRONG
    assert wrong.write == "∂s(z_i)/∂z_j = s(z_i) (δ_ij - s(z_j))"


@pytest.mark.parametrize(("kind", "text"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_right_derivation_has_no_wrong_line(kind, text):
    lines = check_derivation(text, kind=kind).lines
    assert len(lines) > 1
    assert [(line.number, line.says) for line in lines if line.verdict in (WRONG, NOT_READ)] == []
