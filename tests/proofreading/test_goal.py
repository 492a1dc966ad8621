"""What is missing to a goal, and the derivation of a line by glassmax: both from the definitions of a text."""

import numpy as np
import pytest

from glassmax import check_derivation
from glassmax.errors import OptionError
from glassmax.proofreading.formula.parse import parse
from glassmax.proofreading.numbers.ours import derived

SOFTMAX = "p_i = exp(z_i) / sum_k exp(z_k)\nL = -sum_k y_k log p_k\n"
ROWS = "Z = X W + b\nP_ik = exp(Z_ik) / sum_j exp(Z_ij)\nL = -1/n sum_i sum_k Y_ik log P_ik\n"
LAYERS = r"""
$$ z^l = w^l a^{l-1} + b^l, \quad a^l = \sigma(z^l), \quad C = \frac12 \|a^L - y\|^2 $$
"""
BRACKETS = r"""
$$ S = O_1 W_2 + b_2 $$
$$ O_2[i,k] = \frac{e^{S[i,k]}}{\sum_p e^{S[i,p]}} $$
$$ L_i = -\log(O_2[i,y_i]), \quad L = \frac15 \sum_{i=1}^5 L_i $$
"""


def missing(text, goal):
    return [line.formula for line in check_derivation(text, goal=goal).missing]


@pytest.mark.parametrize(
    ("text", "goal", "lines"),
    [
        (SOFTMAX, "dL/dp", ["∂L/∂p_k = -y_k/p_k"]),
        (SOFTMAX, "dp/dz", ["∂p_i/∂z_j = p_i (δ_ij - p_j)"]),
        ("z = W x\n", "dz/dx", ["∂z_m/∂x_n = W_mn"]),
        (
            SOFTMAX + "dL/dz_i = p_i - y_i\nz_i = sum_j W_ij x_j + b_i\n",
            "dL/db_i",
            ["dL/db_i = Σ_k dL/dz_k dz_k/db_i = dL/dz_i"],
        ),
        (SOFTMAX + "dL/dz = p - y\nz = W x + b\n", "dL/dW", ["dL/dW = dL/dz xᵀ"]),
        (SOFTMAX + "dL/dz = p - y\nz = W x + b\n", "dL/dx", ["dL/dx = Wᵀ dL/dz"]),
        (ROWS + "dL/dZ = 1/n (P - Y)\n", "dL/dW", ["dL/dW = Xᵀ dL/dZ"]),
        ("f = g(x)\nL = 2 f^2\n", "dL/dx", ["∂L/∂f = 4 f", "∂L/∂x = ∂L/∂f ∂f/∂x = ∂L/∂f g'(x)"]),
    ],
)
def test_the_missing_lines_are_the_chain_rule_in_the_notation_of_the_text(text, goal, lines):
    assert missing(text, goal) == lines


def test_a_quantity_that_is_used_twice_has_both_ways():
    (_, _, last) = missing("u = 3 x\nv = x^2\nL = u v\n", "dL/dx")
    assert {"∂L/∂u", "∂L/∂v"} <= set(last.replace("dL/d", "∂L/∂").split("(")[-1].replace(")", "").split()) | set(
        last.split()
    )


def test_a_layer_is_that_of_the_text():
    found = missing(LAYERS, r"\frac{\partial C}{\partial w^{l}}")
    assert found
    assert all("w3" not in line and "z3" not in line for line in found)
    assert found[-1].startswith("∂C/∂w^l = ")


def test_indices_in_brackets_stay_in_brackets():
    *_, last = missing(BRACKETS, "dL/dW_2")
    assert "W_2[" in last or last.startswith("∂L/∂W_2 = ")
    assert all("_{2," not in line for line in missing(BRACKETS, "dL/dW_2"))


def test_missing_lines_are_right_when_they_are_added_to_the_text():
    text = "L = -sum_k y_k log p_k\np = softmax(z)\nz = W a + b\na = g(V x + c)\n"
    added = check_derivation(text, goal="dL/dV").missing
    assert len(added) == 4
    again = check_derivation(text + "\n".join(line.formula for line in added))
    assert [line.verdict for line in again.lines[-4:]] == ["follows"] * 4


def test_a_goal_that_a_right_line_states_needs_nothing():
    checked = check_derivation(SOFTMAX + "dL/dz_i = p_i sum_k y_k - y_i\n", goal="dL/dz")
    assert (checked.missing, checked.goal) == ((), "dL/dz is stated in line 3")


@pytest.mark.parametrize("line", ["dL/dz_i = p_i + y_i", "dL/dz_i = sum_k dL/dp_k dp_k/dz_i"], ids=["wrong", "chain"])
def test_a_wrong_line_and_a_chain_rule_do_not_state_the_goal(line):
    checked = check_derivation(SOFTMAX + line, goal="dL/dz")
    assert checked.goal == "dL/dz needs 2 more lines"


def test_a_goal_that_nothing_leads_to_is_said_to_be_one():
    checked = check_derivation(SOFTMAX + "q = 2 x\n", goal="dL/dx")
    assert checked.missing == ()
    assert checked.goal == "dL/dx can't be derived: no definition of the text leads from one to the other"


@pytest.mark.parametrize("goal", ["W", "", "dL/dq", "dL/d(", "d^2L/dz_idz_j", "(" * 1000, "dL/dz dp/dz", "L = 1"])
def test_a_goal_that_is_no_derivative_of_the_text_is_an_error(goal):
    with pytest.raises(OptionError, match=r"^goal is .*, expected the derivative of a quantity by another one"):
        check_derivation(SOFTMAX, goal=goal)


# --- the derivation of a line ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "derivative", "result"),
    [
        (SOFTMAX, "dL/dz_i", "p_i sum_j y_j - y_i"),
        (SOFTMAX, "dp_i/dz_j", "p_i (delta_ij - p_j)"),
        (ROWS, "dL/dW", "1/n sum_m X_mr (P_mq sum_k Y_mk - Y_mq)"),
        ("L = ||X w - y||^2\n", "dL/dw", None),
        ("y = W x\nL = 1/2 ||y - t||^2\n", "dL/dx", None),
        ("L = sum_i (w x_i + b - y_i)^2\n", "dL/dw", "2 sum_i x_i (x_i w + b - y_i)"),
    ],
)
def test_a_derivative_is_derived_from_the_definitions_of_the_text(text, derivative, result):
    checked = check_derivation(f"{text}{derivative} = 0\n")
    derivation, _ = derived(checked.lines[-1].sides[0], checked.context)
    assert derivation.proved
    if result is not None:
        names = str.maketrans({})
        assert sorted(derivation.index_form.translate(names).replace("w x_i", "x_i w")) == sorted(result)


def test_the_derivation_agrees_with_numpy():
    checked = check_derivation("y = W x\nL = 1/2 ||y - t||^2\ndL/dW = 0\n")
    derivation, _ = derived(checked.lines[-1].sides[0], checked.context)
    rng = np.random.default_rng(0)
    W, x, t = rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=3)
    np.testing.assert_allclose(derivation.evaluate(W=W, x=x, t=t), np.outer(W @ x - t, x))


@pytest.mark.parametrize(
    "text",
    [
        "a_1 = x_1 + 2 x_2\nL = a_1^2\n",
        "f(x) = 1 if x > 0\n",
        "L = max(0, x)\n",
        "L = sum_{i<j} x_i x_j\n",
    ],
)
def test_what_has_no_form_in_index_notation_has_no_derivation(text):
    checked = check_derivation(text)
    assert checked.context is None or derived(parse("dL/dx"), checked.context) is None


def test_the_page_opens_the_derivation_of_each_derivative():
    html = check_derivation(SOFTMAX + "dL/dz_i = p_i - y_i\n")._repr_html_()
    assert "How glassmax derives it" in html
    assert "chain rule through p" in html


def test_names_that_differ_are_explained():
    html = check_derivation(BRACKETS + "$$ \\frac{dL}{dW_2} = 0 $$")._repr_html_()
    assert "W2 is W_2" in html
