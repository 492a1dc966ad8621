"""The verdicts: against the truth, under assumptions, after a wrong line, of what can't be read."""

import pytest

from glassmax.proofreading.checked import ASSUMED, FOLLOWS, GIVEN, INDICES, LUCK, NOT_READ, WRONG
from glassmax.proofreading.document import statements_of
from glassmax.proofreading.formula.parse import parse
from glassmax.proofreading.judging import judge
from glassmax.proofreading.judging.programs import as_code, remarks_of

from .planted import LAYER, NETWORK, SCORES, SOFTMAX


def lines(text, kind="text"):
    return judge(statements_of(text, kind)).lines


def verdicts(text, kind="text"):
    return [line.verdict for line in lines(text, kind)]


def test_definitions_are_given_and_what_follows_from_them_follows():
    assert verdicts(SOFTMAX + "dp_i/dz_j = p_i (delta_ij - p_j)") == [GIVEN, GIVEN, FOLLOWS]


def test_each_sum_to_one_is_said_where_it_is_needed():
    *_, before, after = lines(SOFTMAX + "dL/dz_i = p_i sum_k y_k - y_i\n = p_i - y_i")
    assert before.verdict == FOLLOWS
    assert (after.verdict, after.says) == (ASSUMED, "Σ_k y_k = 1")


def test_a_stated_assumption_is_given_and_used():
    *_, stated, line = lines(SOFTMAX + "sum_j y_j = 1\ndL/dz_i = p_i - y_i")
    assert stated.verdict == GIVEN
    assert (line.verdict, line.says) == (ASSUMED, "Σ_j y_j = 1")


def test_what_sums_to_one_by_its_definition_needs_no_assumption():
    assert verdicts(SOFTMAX + "sum_k p_k = 1")[-1] == FOLLOWS


def test_after_a_wrong_line_the_next_is_judged_against_the_truth():
    *_, wrong, right = lines(SOFTMAX + "dL/dz_i = y_i - p_i sum_k y_k\n = p_i sum_k y_k - y_i")
    assert (wrong.verdict, wrong.cause) == (WRONG, "sign")
    assert (right.verdict, right.follows_before) == (FOLLOWS, None)


def test_a_line_that_follows_from_a_wrong_one_is_not_wrong_again():
    *_, wrong, after = lines(SOFTMAX + "dL/dz_i = y_i - p_i sum_k y_k\n = -(p_i sum_k y_k - y_i)")
    assert wrong.verdict == WRONG
    assert (after.verdict, after.follows_before) == (FOLLOWS, True)
    assert after.says == "from line 3, which is wrong"


def test_a_second_mistake_after_a_wrong_line_is_named_too():
    *_, first, second = lines(SOFTMAX + "dL/dz_i = y_i - p_i sum_k y_k\n = y_i - p_i y_k")
    assert (first.verdict, second.verdict, second.follows_before) == (WRONG, WRONG, False)


def test_the_first_wrong_side_of_a_line_is_named():
    line = lines(SOFTMAX + "dL/dz_i = p_i sum_k y_k - y_i = y_i - p_i sum_k y_k = 3 y_i")[-1]
    assert (line.verdict, line.cause) == (WRONG, "sign")
    assert line.write == "= p_i Σ_k y_k - y_i"


def test_a_line_continues_the_chain_behind_a_remark():
    found = verdicts(SOFTMAX + "dL/dz_i = p_i sum_k y_k - y_i\nsum_k y_k = 1\n = p_i - y_i")
    assert found == [GIVEN, GIVEN, FOLLOWS, GIVEN, ASSUMED]


def test_a_case_is_judged_where_its_condition_holds():
    text = SOFTMAX + "dp_i/dz_j = p_i (1 - p_i) if i = j\ndp_i/dz_j = -p_i p_j if i != j\ndp_i/dz_j = p_i p_j if i != j"
    assert verdicts(text)[2:] == [FOLLOWS, FOLLOWS, WRONG]


def test_a_whole_array_and_its_component_are_right_for_indices_only():
    line = lines(SOFTMAX + "dL/dz = p_i - y_i")[-1]
    assert (line.verdict, line.cause, line.write) == (INDICES, "component_for_vector", "dL/dz = p - y")
    assert line.notation.endswith("as arrays p - y, if Σ_k y_k = 1")


def test_a_product_of_vectors_is_an_outer_product_as_matrices():
    line = lines(LAYER + "dL/dW = (p - y) x")[-1]
    assert (line.verdict, line.cause) == (INDICES, "outer_product")
    assert line.notation == "as matrices an outer product, (p - y) xᵀ, if Σ_k y_k = 1"


def test_an_elementwise_derivative_follows_without_its_zeros():
    line = lines("a = sigma(z)\nda/dz = sigma'(z)")[-1]
    assert line.verdict == FOLLOWS


def test_only_the_symmetry_of_the_jacobian_makes_a_line_right():
    line = lines(SOFTMAX + "dL/dz_i = sum_k dL/dp_k dp_i/dz_k")[-1]
    assert (line.verdict, line.cause) == (LUCK, "right_by_symmetry")
    assert line.write == "dL/dz_i = Σ_k dL/dp_k dp_k/dz_i"


def test_that_a_jacobian_is_symmetric_is_no_luck():
    assert verdicts(SOFTMAX + "dp_i/dz_j = dp_j/dz_i")[-1] == FOLLOWS


@pytest.mark.parametrize(
    ("update", "verdict", "cause"),
    [
        ("W = W - eta dL/dW", GIVEN, ""),
        ("W = W + eta dL/dW", WRONG, "sign"),
        ("W_ij = W_ij - eta dL/dW_ij", GIVEN, ""),
        ("W_i = W_i - eta dL/dW", WRONG, "index_on_one_side"),
    ],
)
def test_a_step_of_gradient_descent_is_an_assignment(update, verdict, cause):
    line = lines(LAYER + "dL/dW = (p - y) x^T\n" + update)[-1]
    assert (line.verdict, line.cause) == (verdict, cause)


def test_a_step_is_measured_where_the_gradient_is_known():
    text = SCORES + "dL/dW_ji = (p_j - y_j) x_i\nW_ji = W_ji {} eta (p_j - y_j) x_i"
    assert lines(text.format("-"))[-1].verdict == GIVEN
    line = lines(text.format("+"))[-1]
    assert (line.verdict, line.cause, line.write) == (WRONG, "sign", "W_ji = W_ji - η (p_j - y_j) x_i")


def test_a_gradient_that_is_a_mean_is_not_divided_again():
    text = "J = 1/(2m) sum_i (t x_i - y_i)^2\ndJ/dt = 1/m sum_i (t x_i - y_i) x_i\nt = t - alpha 1/m dJ/dt"
    line = lines(text)[-1]
    assert (line.verdict, line.cause, line.write) == (WRONG, "factor", "t = t - α dJ/dt")


def test_letters_can_tell_the_layer():
    text = """a_j = sum_i w_ji x_i
z_j = h(a_j)
a_k = sum_j w_kj z_j
E = 1/2 sum_k (a_k - t_k)^2
dE/dw_kj = (a_k - t_k) z_j
dE/dw_ji = h'(a_j) x_i sum_k w_kj (a_k - t_k)
dE/dw_ji = h(a_j) x_i sum_k w_kj (a_k - t_k)"""
    found = lines(text)
    assert [line.verdict for line in found] == [GIVEN] * 4 + [FOLLOWS, FOLLOWS, WRONG]
    assert found[-1].write == "dE/dw_ji = h'(a_j) x_i Σ_k w_kj (a_k - t_k)"


def test_a_symmetric_matrix_is_an_assumption_that_can_be_stated():
    text = "f = 1/2 w^T A w - b^T w\nA = A^T\ndf/dw = A w - b"
    stated, line = lines(text)[-2:]
    assert (stated.verdict, line.verdict, line.says) == (GIVEN, ASSUMED, "A = Aᵀ")


def test_a_term_of_the_line_before_that_is_lost_is_named():
    text = SOFTMAX + "dL/dz_i = -y_i (1 - p_i) + sum_{k != i} y_k p_i\n = -y_i (1 - p_i)"
    assert lines(text)[-1].cause == "case_missing"


def test_a_line_that_needs_a_function_that_nothing_defines_is_not_judged():
    by_chain, line = lines("L = sum_k y_k log p_k\ndL/dz_i = sum_k dL/dp_k dp_k/dz_i\ndL/dz_i = y_i - p_i")[-2:]
    assert by_chain.verdict == FOLLOWS
    assert (line.verdict, line.says) == (NOT_READ, "nothing says how p_k depends on z_i")


def test_a_derivative_that_the_formulas_make_zero_is_not_read():
    line = lines("L = sum_k y_k log q_k\np_i = exp(z_i)\ndL/dz_i = p_i - y_i")[-1]
    assert line.verdict == NOT_READ


def test_a_quantity_that_nothing_tells_of_is_not_judged():
    line = lines(SOFTMAX + "dL/dz_i = p_i - y_i + u_i")[-1]
    assert (line.verdict, line.says) == (NOT_READ, "nothing says what u_i is")


def test_a_likelihood_is_climbed():
    assert verdicts("l = sum_n log p_n\ntheta = theta + eta dl/dtheta")[-1] == GIVEN


@pytest.mark.parametrize(
    "formula",
    [
        "dL/dz_i = E_q[p_i - y_i]",
        "dL/dz_i = p_i - ",
        "dL/dz_i = ((((p_i - y_i)",
    ],
)
def test_what_cannot_be_read_is_shown_as_not_read(formula):
    line = lines(SOFTMAX + formula)[-1]
    assert line.verdict == NOT_READ
    assert line.says
    assert "\n" not in line.says


def test_a_formula_without_a_left_side_anywhere_is_not_read():
    (line,) = lines("= p_i - y_i")
    assert line.verdict == NOT_READ


def test_shapes_that_do_not_fit_are_not_called_wrong_without_a_reason():
    line = lines(LAYER + "dL/dW = (p - y) x^T\ndL/dx = W^T (p - y)\ndL/dW = W x (p - y) b W")[-1]
    assert line.verdict == NOT_READ


def test_one_left_side_for_several_sides():
    assert verdicts(SCORES + "dL/dz_j = sum_k dL/dp_k dp_k/dz_j = p_j sum_k y_k - y_j")[-1] == FOLLOWS


def test_the_layers_of_a_network_are_told_apart():
    text = NETWORK + "dC/dW^l = delta^l (a^{l-1})^T\ndC/db^l = delta^l"
    assert verdicts(text) == [GIVEN, GIVEN, GIVEN, FOLLOWS, FOLLOWS]


PROGRAM = """$$ Z = X W + b $$
$$ P = softmax(Z) $$
$$ L = -\\frac{1}{n} \\sum_{i=1}^n \\sum_k Y_{ik} \\log P_{ik} $$
```python
dZ = P
dZ -= Y
dZ = dZ / n
dW = X.T @ dZ
dX = dZ @ W
```
"""


def test_a_program_is_judged_line_by_line():
    found = {line.number: line for line in lines(PROGRAM, "markdown")}
    assert found[6].cause == "in_place"
    assert "P changes too" in found[6].says
    assert found[8].verdict in (FOLLOWS, ASSUMED)
    assert (found[9].verdict, found[9].cause) == (WRONG, "transposed")
    assert found[9].write == "dX = dZ @ W.T"
    assert found[9].formula == "dX = dZ @ W"


def test_weights_that_were_updated_too_early():
    assert remarks_of(["dW2 = A1.T @ dZ2", "W2 -= lr * dW2", "dA1 = dZ2 @ W2.T"]) == {
        2: ("updated_weights", "W2 was updated before: this line needs its old value")
    }
    assert remarks_of(["dW2 = A1.T @ dZ2", "dA1 = dZ2 @ W2.T", "W2 = W2 - lr * dW2"]) == {}
    assert remarks_of(["dZ = P.copy()", "dZ -= Y"]) == {}
    assert remarks_of(["this is no Python", ""]) == {}


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("X^T @ (P - Y)", "X.T @ (P - Y)"),
        ("-1/5 X", "-1 / 5 * X"),
        ("a ⊙ (1 - a)", "a * (1 - a)"),
        ("(a + b)^2", "(a + b)**2"),
    ],
)
def test_a_corrected_line_of_code_is_code(formula, code):
    assert as_code(parse(formula)).replace("-(1 / 5 * X)", "-1 / 5 * X") == code


def test_hostile_text_ends_in_verdicts():
    text = SOFTMAX + "\n".join(
        f"dL/dz_{{{'i' * n}}} = sum_k sum_j sum_m sum_n p_k p_j p_m p_n y_{n}" for n in range(1, 12)
    )
    assert len(lines(text)) == 13


def test_the_same_text_has_the_same_verdicts():
    text = SOFTMAX + "dL/dz_i = y_i - p_i"
    assert lines(text) == lines(text)


def test_nothing_at_all_is_an_empty_list():
    assert lines("") == []
