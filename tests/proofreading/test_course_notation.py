"""The notation of Andrew Ng's courses: dZ for a derivative of the summed loss, samples in columns, calls of NumPy."""

import pytest

from glassmax.proofreading.check import check_derivation
from glassmax.proofreading.formula.parse import parse
from glassmax.proofreading.formula.write import write

NUMPY_IN_MATHEMATICS = {
    r"\frac{1}{m} np.sum(dZ^{[2]}, axis=1, keepdims=True)": "1/m np.sum(dZ^[2], axis=1)",
    r"\frac{1}{m} np.\sum\left(dZ, axis = 1\right)": "1/m np.sum(dZ, axis=1)",
    r"\frac1m np.dot(dZ, A^T)": "1/m (dZ @ Aᵀ)",
    r"1 - np.power(A^{[1]}, 2)": "1 - (A^[1])²",
    r"np.maximum(0, Z)": "np.maximum(0, Z)",
}


@pytest.mark.parametrize("text", NUMPY_IN_MATHEMATICS)
def test_numpy_inside_mathematics_is_read_and_written(text):
    node = parse(text)
    assert write(node, latex=False) == NUMPY_IN_MATHEMATICS[text]
    assert parse(write(node, latex=True)) == node
    assert parse(write(node, latex=False)) == node


FORWARD = r"""
$$Z^{[1]} = W^{[1]} X + b^{[1]}$$
$$A^{[1]} = g(Z^{[1]})$$
$$Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}$$
$$A^{[2]} = \sigma(Z^{[2]})$$
$$J = -\frac{1}{m}\sum_{i=1}^m \left( y^{(i)}\log a^{[2](i)} + (1-y^{(i)})\log(1-a^{[2](i)})\right)$$
"""
BACKWARD = {
    r"dZ^{[2]} = A^{[2]} - Y": "",
    r"dZ^{[2]} = Y - A^{[2]}": "sign",
    r"dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}": "",
    r"dW^{[2]} = dZ^{[2]} A^{[1]T}": "factor",
    r"db^{[2]} = \frac{1}{m} np.sum(dZ^{[2]}, axis=1, keepdims=True)": "",
    r"db^{[2]} = \frac{1}{m} \text{np.sum}(dZ^{[2]}, \text{axis}=1, \text{keepdims}=\text{True})": "",
    r"dZ^{[1]} = W^{[2]T} dZ^{[2]} * g'(Z^{[1]})": "",
    r"dZ^{[1]} = W^{[2]T} dZ^{[2]} * g'(A^{[1]})": "activation_of_a",
    r"dW^{[1]} = \frac{1}{m} dZ^{[1]} X^T": "",
    r"dW^{[1]} = dZ^{[1]} X^T": "factor",
}
RIGHT = [line for line, cause in BACKWARD.items() if not cause]


@pytest.mark.parametrize("claim", BACKWARD)
def test_each_line_of_a_backward_pass_is_judged_by_the_cost_of_its_samples(claim):
    left = claim.partition(" = ")[0]
    lines = [claim, *(line for line in RIGHT if line.partition(" = ")[0] != left)]
    checked = check_derivation(FORWARD + "\n".join(f"$${line}$$" for line in lines))
    verdicts = {line.source.strip("$ "): line for line in checked.lines[5:]}
    first = checked.lines[5]
    assert first.verdict == ("wrong" if BACKWARD[claim] else "follows")
    assert first.cause == BACKWARD[claim]
    assert all(line.verdict == "follows" for line in checked.lines[6:]), verdicts


NAMES = {
    "lam": ("wrong", "2 * lam * W"),
    "lmbda": ("follows", "lmbda * W"),
    "reg": ("follows", "reg * W"),
    "weight_decay": ("wrong", "weight_decay * W / 2"),
}
REGULARIZED = r"""
$S = XW$, $P = \mathrm{softmax}(S)$ for each row, one-hot $Y$:
$$L = -\frac{1}{N}\sum_{i}\sum_k Y_{ik}\log P_{ik} + \frac{\lambda}{2}\sum_{jk}W_{jk}^2$$
```python
dS = (P - Y) / N
dW = X.T @ dS + TERM
```
"""


@pytest.mark.parametrize("name", NAMES)
def test_names_of_a_program_stand_for_letters_of_the_formulas(name):
    verdict, term = NAMES[name]
    checked = check_derivation(REGULARIZED.replace("TERM", term))
    assert checked.lines[-1].verdict == verdict
    assert any(f"{name} is λ" in note for note in checked.notes)


def test_a_loss_that_nothing_defines_is_open_and_wrong_lines_are_found():
    text = r"$$Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}$$ $$A^{[l]} = g(Z^{[l]})$$ $$dZ^{[l]} = dA^{[l]} * g'(Z^{[l]})$$"
    right = check_derivation(text + r"$$dA^{[l-1]} = W^{[l]T} dZ^{[l]}$$")
    wrong = check_derivation(text + r"$$dA^{[l-1]} = W^{[l]} dZ^{[l]}$$")
    assert [line.verdict for line in right.lines] == ["given", "given", "follows", "follows"]
    assert (wrong.lines[-1].verdict, wrong.lines[-1].cause) == ("wrong", "transposed")


ONE_EXAMPLE = r"""
$$g(z) = \frac{1}{1 + e^{-z}}$$ $$h_\theta(x) = g(\theta^T x)$$
$$\ell(\theta) = \sum_{i=1}^m y^{(i)} \log h_\theta(x^{(i)}) + (1 - y^{(i)}) \log (1 - h_\theta(x^{(i)}))$$
$$\frac{\partial}{\partial \theta_j} \ell(\theta) = (y - h_\theta(x)) x_j$$
"""


def test_a_sum_over_examples_may_be_differentiated_for_one_of_them_and_that_is_said():
    checked = check_derivation(ONE_EXAMPLE)
    assert checked.lines[-1].verdict == "follows"
    assert any("for one example" in note for note in checked.notes)
    assert check_derivation(ONE_EXAMPLE.replace("(y -", "(y +")).lines[-1].verdict != "follows"
