"""What textbooks print comes out of what people type; every line is proved, every format works."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

import glassmax
from glassmax.calculus import DeriveError, derive, differentiate
from glassmax.calculus.expression import KNOWN_FUNCTIONS
from glassmax.calculus.printing import numpy_pieces
from glassmax.calculus.proving.evaluate import FUNCTION_VALUES
from glassmax.calculus.reading.functions import FUNCTIONS
from glassmax.errors import ExpressionError, GlassmaxError

RNG = np.random.default_rng(11)
P1 = "p_i = exp(z_i) / sum_k exp(z_k)"
CE = f"L = -sum_k y_k log(p_k); {P1}"
BATCH = "P_ij = softmax_j(Z_ij); L = -1/N sum_{i,j} Y_ij log(P_ij)"
AFFINE = f"Z_ij = sum_k X_ik W_kj + b_j; {BATCH}"
TWO = (
    "Z1_ij = sum_k X_ik W1_kj + b1_j; A1_ij = f(Z1_ij); Z2_ij = sum_k A1_ik W2_kj + b2_j;"
    "P_ij = softmax_j(Z2_ij); L = -1/N sum_{i,j} Y_ij log(P_ij)"
)
COLUMN = (
    "z_j = sum_k W_jk a_k + b_j; h_j = f(z_j); s_i = sum_k W'_ik h_k + c_i;"
    "p_i = softmax_i(s_i); L = -sum_i y_i log(p_i)"
)
ATTENTION = "S_ij = sum_k Q_ik K_jk; A_ij = softmax_j(S_ij); O_id = sum_j A_ij V_jd; L = sum_{i,d} G_id O_id"
NORM = "m = 1/d sum_i x_i; v = 1/d sum_i (x_i - m)^2; y_i = (x_i - m)/sqrt(v + eps); L = sum_i g_i y_i"
CELLS = "S_ij = sum_k O1_ik W2_kj + b2_j; P_ij = softmax_j(S_ij); L = -1/N sum_i log P[i, y_i]"
ROWS = "sum_j Y_ij = 1"
ONE = "sum_k y_k = 1"

OPEN_LIST = [
    # (equations, wrt, assume, index form, matrix form)
    (P1, "z", (), "p_i (delta_ij - p_j)", "diag(p) - p pᵀ"),
    (CE, "z", ONE, "p_i - y_i", "p - y"),
    (CE, "z", (), "p_i sum_j y_j - y_i", "(1ᵀy) p - y"),
    (AFFINE, "W", ROWS, "1/N sum_i X_ik (P_ij - Y_ij)", "Xᵀ(P - Y)/N"),
    (AFFINE, "b", ROWS, "1/N sum_i (P_ij - Y_ij)", "(P - Y)ᵀ1/N"),
    (f"{P1}; L = 1/2 sum_i (p_i - y_i)^2", "z", (), None, "p ⊙ (p - y - (pᵀ(p - y)) 1)"),
    (TWO, "W1", ROWS, None, "Xᵀ(((P - Y) W2ᵀ) ⊙ f'(Z1))/N"),
    (TWO, "W2", ROWS, "1/N sum_i A1_ik (P_ij - Y_ij)", "A1ᵀ(P - Y)/N"),
    (COLUMN, "W'", "sum_i y_i = 1", "h_k (p_i - y_i)", "(p - y) hᵀ"),
    (COLUMN, "W", "sum_i y_i = 1", None, "((W'ᵀ(p - y)) ⊙ f'(z)) aᵀ"),
    (COLUMN, "b", "sum_i y_i = 1", None, "(W'ᵀ(p - y)) ⊙ f'(z)"),
    (CE, ("z", "z"), ONE, "p_i (delta_ij - p_j)", "diag(p) - p pᵀ"),
    ("p_i = exp(z_i/T)/sum_k exp(z_k/T); L = -sum_k y_k log(p_k)", "z", ONE, "(p_i - y_i)/T", "(p - y)/T"),
    (f"{P1}; L = -sum_k w_k y_k log(p_k)", "z", (), "p_i sum_j w_j y_j - w_i y_i", "(wᵀy) p - w ⊙ y"),
    (f"{AFFINE} + lambda/2 sum_{{k,j}} W_kj^2", "W", ROWS, None, "lambda W + Xᵀ(P - Y)/N"),
    ("L = sum_i (sum_j X_ij w_j - y_i)^2", "w", (), None, "2 Xᵀ(X w - y)"),
    ("L = sum_{i,j} x_i A_ij x_j", "x", (), "sum_j x_j (A_ij + A_ji)", "(A + Aᵀ) x"),
    ("L = sum_{i,j} x_i A_ij x_j", "x", "A_ij = A_ji", "2 sum_j A_ij x_j", "2 A x"),
    ("L = log(sum_k exp(z_k))", "z", (), "p_k", "p"),
    ("L = log(sum_k exp(z_k))", ("z", "z"), (), "p_i (delta_ki - p_k)", "diag(p) - p pᵀ"),
    (f"{P1}; H = -sum_i p_i log(p_i)", "z", (), "-p_i (H + log(p_i))", None),
    ("q_i = softmax_i(z_i); L = sum_i p_i log(p_i/q_i)", "z", "sum_i p_i = 1", "q_i - p_i", "q - p"),
    ("s = sigmoid(z); L = -y log(s) - (1 - y) log(1 - s)", "z", (), "s - y", None),
    ("s = 1/(1 + exp(-z)); L = -y log(s) - (1 - y) log(1 - s)", "z", (), "s - y", None),
    ("s_i = sigmoid(z_i); L = -sum_i (y_i log(s_i) + (1 - y_i) log(1 - s_i))", "z", (), "s_i - y_i", "s - y"),
    ("p = sigmoid(z); L = -(1 - p)^gamma log(p)", "z", (), "gamma (1 - p)^gamma p log(p) - (1 - p)^(gamma + 1)", None),
    (ATTENTION, "Q", (), None, "(A ⊙ (G Vᵀ - (A ⊙ (G Vᵀ)) 1 1ᵀ)) K"),
    (ATTENTION, "V", (), "sum_i G_id A_ij", "AᵀG"),
    (NORM, "x", "sum_i 1 = d", "(g_i - sum_j g_j (y_j y_i + 1)/d)/sqrt(v + eps)", None),
    (CELLS, "W2[m,n]", (), "1/N sum_i O1_im (P_in - delta[y_i, n])", "O1ᵀ(P - Y)/N"),
]

OTHERS = [
    # What people ask beyond the list: the forms of the Matrix Cookbook and of textbooks.
    ("L = sum_i log(1 + exp(-y_i sum_j X_ij w_j))", "w", (), "-Xᵀ(y ⊙ sigmoid(-y ⊙ (X w)))"),
    ("L = sum_i (softplus(z_i) - y_i z_i); z_i = sum_j X_ij w_j", "w", (), "Xᵀ(sigmoid(z) - y)"),
    (
        "p_i = sigmoid(sum_j X_ij w_j); L = -sum_i (y_i log(p_i) + (1 - y_i) log(1 - p_i))",
        ("w", "w"),
        (),
        "Xᵀdiag(p ⊙ (1 - p)) X",
    ),
    ("L = sum_i (exp(z_i) - y_i z_i); z_i = sum_j X_ij w_j", "w", (), "Xᵀ(exp(z) - y)"),
    ("r = sum_{i,j} x_i A_ij x_j / sum_k x_k^2", "x", "A_ij = A_ji", "2 (A x - r x)/(1ᵀx^∘2)"),
    ("n = sqrt(sum_i x_i^2); u_i = x_i/n", "x", (), "(I - u uᵀ)/n"),
    ("r = sqrt(1/d sum_i x_i^2 + eps); y_i = x_i / r; L = sum_i g_i y_i", "x", (), "(g - (gᵀy) y/d)/r"),
    ("t = sum_{i,j,k} X_ji A_jk X_ki", "X", (), "(A + Aᵀ) X"),
    ("y_i = f(sum_j A_ij x_j + b_i)", "x", (), "diag(f'(A x + b)) A"),
    (TWO.replace("f(", "tanh("), "W1", ROWS, "Xᵀ(((P - Y) W2ᵀ) ⊙ (1 - A1^∘2))/N"),
    ("L = sum_{i,j} M_ij (R_ij - sum_k U_ik V_jk)^2", "U", (), "2 (M ⊙ (U Vᵀ - R)) V"),
]


@pytest.mark.parametrize(("equations", "wrt", "assume", "index", "matrix"), OPEN_LIST)
def test_the_open_list_comes_out_as_textbooks_print_it(equations, wrt, assume, index, matrix):
    derivation = derive(equations, wrt, assume=assume)
    assert derivation.proved
    if index is not None:
        assert derivation.index_form == index
    if matrix is not None:
        assert derivation.matrix_form == matrix


@pytest.mark.parametrize(("equations", "wrt", "assume", "matrix"), OTHERS)
def test_other_textbook_forms_come_out_as_they_are_printed(equations, wrt, assume, matrix):
    derivation = derive(equations, wrt, assume=assume)
    assert derivation.proved
    assert derivation.matrix_form == matrix


def test_a_hessian_times_a_vector_needs_no_hessian():
    derivation = derive(CE, ("z", "z"), assume=ONE, times="v")
    assert (derivation.matrix_form, derivation.proved) == ("p ⊙ v - (pᵀv) p", True)
    z, y, v = RNG.normal(size=4), RNG.dirichlet(np.ones(4)), RNG.normal(size=4)
    p = np.exp(z) / np.exp(z).sum()
    expected = (np.diag(p) - np.outer(p, p)) @ v
    np.testing.assert_allclose(derivation.evaluate(z=z, y=y, v=v), expected)
    np.testing.assert_allclose(derivation.numpy()(z=z, v=v), expected)


def test_a_jacobian_has_the_axes_of_the_function_first():
    derivation = derive("y_i = sum_j A_ij x_j^2", "x")
    A, x = RNG.normal(size=(3, 5)), RNG.normal(size=5)
    assert derivation.layout == "of the shape of y, then x"
    np.testing.assert_allclose(derivation.evaluate(A=A, x=x), 2 * A * x)
    np.testing.assert_allclose(derivation.numpy()(A=A, x=x), 2 * A * x)


def test_cases_print_a_delta_as_equal_and_as_not_equal():
    text = derive(P1, "z").text(cases=True)
    assert "i = j: p_i - p_i^2" in text or "i = j: p_i (1 - p_i)" in text
    assert "i != j: -p_i p_j" in text
    text = derive(CELLS, "W2[m,n]").text(cases=True)
    assert "y_i = " in text
    assert "y_i != " in text


def test_the_letters_of_a_cell_are_those_that_were_asked_for():
    assert derive(CELLS, "W2[m,n]").name == "dL/dW2_mn"
    assert derive(AFFINE, "W[a,b]", assume=ROWS).index_form == "1/N sum_i X_ia (P_ib - Y_ib)"


def test_an_assumption_is_shown_where_it_is_used_and_changes_the_result():
    with_it, without = derive(CE, "z", assume=ONE), derive(CE, "z")
    assert any(step.rule == "assumption used" for step in with_it.steps)
    assert with_it.index_form != without.index_form
    assert with_it.proved
    assert without.proved


def test_an_assumption_that_no_line_uses_is_said_in_every_format():
    derivation = derive(CE, "z", assume=[ONE, "z_i = 0"])
    note = "Assumed, but not used: z_i = 0."
    assert note in repr(derivation).splitlines()
    assert note in derivation.html()
    assert note in derivation.markdown()
    assert derivation.text().splitlines()[3:5] == ["  assuming sum_k y_k = 1", "  assuming z_i = 0 (not used)"]
    assert derivation.json()["assumptions"] == ["sum_k y_k = 1", "z_i = 0"]
    assert derivation.json()["unused_assumptions"] == ["z_i = 0"]


@pytest.mark.parametrize("assume", ["sum_i 1 = d", "A_ij = A_ji"])
def test_an_assumption_that_a_sum_or_a_symmetry_rests_on_is_used(assume):
    equations, wrt = (NORM, "x") if "d" in assume else ("L = sum_{i,j} x_i A_ij x_j", "x")
    assert derive(equations, wrt, assume=assume).unused == ()


ROWS_OF_A_SUM = [
    # an assumption about a sum that stands inside of a larger one, because the argument of softmax is a sum itself
    ("L = -1/N sum_{n,k} y_nk log(softmax_k(sum_d x_nd w_dk))", "w", "1/N sum_n x_nd (P_nk - y_nk)"),
    ("L = -sum_n sum_k y_nk log_softmax_k(sum_d x_nd w_dk + b_k)", "b", "sum_n (P_nk - y_nk)"),
    ("L = -sum_{n,k} y_nk log p_nk; p_nk = exp(sum_d x_nd w_kd)/sum_j exp(sum_d x_nd w_jd)", "w", None),
    ("L = -sum_{n,k} y_nk log(softmax_k(sum_h tanh(sum_d x_nd v_dh) w_hk))", "v", None),
    ("L = a sum_{n,k} y_nk", "a", "sum_n 1"),
]


@pytest.mark.parametrize(("equations", "wrt", "index"), ROWS_OF_A_SUM)
def test_rows_that_sum_to_one_are_used_inside_of_a_larger_sum(equations, wrt, index):
    derivation = derive(equations, wrt, assume="sum_k y_nk = 1")
    assert (derivation.proved, derivation.unused) == (True, ())
    assert index in (None, derivation.index_form)
    assert not re.search(r"sum_\w y_n", derivation.index_form)  # no sum over the classes is left


@pytest.mark.parametrize("assume", ["1 = sum_k y_k", "sum_c y_c = 1", "2 sum_k y_k = 2"])
def test_an_assumption_is_used_however_its_sides_stand(assume):
    assert derive(CE, "z", assume=assume).matrix_form == "p - y"


def test_an_assumption_counts_as_used_only_if_the_result_rests_on_it():
    for assume in ("sum_k y_k - 1 = 0", "y_k^2 = y_k", "sum_k y_k = z_i"):
        derivation = derive(CE, "z", assume=assume)
        assert derivation.matrix_form == "(1ᵀy) p - y"
        assert len(derivation.unused) == 1
        assert derivation.unused_note.startswith("Assumed, but not used: ")


def test_an_assumption_may_bring_in_a_number():
    assert derive(CE, "z", assume="sum_k y_k = c").matrix_form == "c p - y"


@pytest.mark.parametrize(
    ("assume", "message"),
    [
        ("sum_k p_k = 3", "The assumption sum_k p_k = 3 contradicts the equations: no numbers were found that satisfy"),
        (["z_i = 0", "p_i = 2"], "The assumption p_i = 2 contradicts the equations: no numbers were found that satis"),
        (["z_i = 0", "z_i = 1"], "The assumptions z_i = 0 and z_i = 1 can't all hold: no numbers were found that sa"),
        ("sum_k w_k = 1", "assume='sum_k w_k = 1': there is no w in the equations, expected one of L, p, y, z."),
        ("y_i = w_i", "assume='y_i = w_i': there is no w in the equations, expected one of L, p, y, z."),
        ("sum_{a,b} y_ab = 1", "assume='sum_{a,b} y_ab = 1': y has 2 indices here, 1 in the equations."),
        ("sum_k y_nk = 1", "assume='sum_k y_nk = 1': y has 2 indices here, 1 in the equations."),
        ("y = 1", "assume='y = 1': y has 0 indices here, 1 in the equations."),
        ("sum_m y_k = 1", "The sum over m has no range: no array in it has this index."),
        ("y_k = z_j", "index j of the right side is not on the left; write sum_j, or use einstein=True\ny_k = z_j"),
        ("sum_q 1 = 4", "The sum over q has no range: no array in it has this index."),
        ("sum_{i,j} delta_ij = 1", "The sum over j has no range: no array in it has this index."),
        ("p[y_i] = 1", "assume='p[y_i] = 1': y is a class label here, an array in the equations."),
        (3, "assume is of type int, expected text."),
    ],
)
def test_an_assumption_that_can_not_be_used_is_named(assume, message):
    with pytest.raises(GlassmaxError, match=f"^{re.escape(message)}"):
        derive(CE, "z", assume=assume)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"equations": 3}, "equations is of type int, expected text."),
        ({"wrt": 3}, "wrt is of type int, expected text."),
        ({"wrt": ("z", None)}, "wrt is of type NoneType, expected text."),
        ({"times": 3}, "times is of type int, expected text."),
        ({"wrt": "q"}, "wrt is 'q', expected one of the arrays: L, p, y, z."),
        ({"wrt": "z[m,n]"}, "z_mn has 2 indices, but z has 1 index."),
        ({"of": "M"}, "of is 'M', expected one of the arrays that an equation defines: p, L."),
    ],
)
def test_what_is_no_array_of_the_equations_is_named(given, message):
    with pytest.raises(GlassmaxError, match=f"^{re.escape(message)}$"):
        derive(**{"equations": CE, "wrt": "z", **given})


def test_the_left_side_in_latex_is_a_fraction_whatever_was_asked():
    jacobian = r"\frac{\partial L}{\partial x_{i}}"
    latex = derive("L = sum_i x_i^3", ("x", "x"), times="v").latex(steps=True)
    assert rf"\sum_{{j}} \frac{{\partial}}{{\partial x_{{j}}}} \left({jacobian}\right) v_{{j}} &= 6 x_i v_i" in latex
    assert r"\frac{\partial L}{\partial x_{i}}\text{ directly} &=" in derive(
        "y_i = x_i^2; L = sum_i x_i y_i", "x"
    ).latex(steps=True)


def test_dir_of_the_calculus_is_its_public_names():
    assert dir(glassmax.calculus) == sorted(glassmax.calculus.__all__)


def test_einstein_sums_what_stands_twice_and_refuses_three():
    assert derive("L = x_i A_ij x_j", "x", einstein=True).matrix_form == "(A + Aᵀ) x"
    with pytest.raises(ExpressionError, match=r"\^"):
        derive("L = a_i b_i c_i", "a", einstein=True)


@pytest.mark.parametrize(
    ("equations", "wrt", "matrix"),
    [
        ("L = sum((X @ w - y)^2)", "w", "2 Xᵀ(X w - y)"),
        ("L = x.T @ A @ x", "x", "(A + Aᵀ) x"),
        ("L = -sum(Y * log(softmax(X @ W + b))) / N", "W", "Xᵀ(diag(Y 1) P - Y)/N"),
    ],
)
def test_matrix_notation_is_a_front_door_too(equations, wrt, matrix):
    derivation = derive(equations, wrt, matrix=True)
    assert (derivation.matrix_form, derivation.proved) == (matrix, True)


def test_unicode_and_latex_are_read():
    for equations in (
        "L = -Σ_k y_k log(p_k); p_i = exp(z_i)/Σ_k exp(z_k)",
        r"L = -\sum_k y_k \log(p_k); p_i = \frac{\exp(z_i)}{\sum_k \exp(z_k)}",
    ):
        assert derive(equations, "z", assume=ONE).matrix_form == "p - y"


def complex_step(loss, x):
    """The gradient of a function of one array, by the complex step, cell by cell."""
    slope = np.zeros(x.shape)
    for cell in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[cell] += 1e-30j
        slope[cell] = loss(moved).imag / 1e-30
    return slope


def softmax(Z):
    E = np.exp(Z)
    return E / E.sum(-1, keepdims=True)


def test_source_values_and_complex_step_agree_for_a_network():
    X, Y = RNG.normal(size=(6, 4)), RNG.dirichlet(np.ones(3), size=6)
    W1, b1, W2, b2 = (RNG.normal(size=shape) for shape in ((4, 5), (5,), (5, 3), (3,)))
    derivation = derive(TWO.replace("f(", "tanh("), "W1", assume=ROWS)
    given = {"X": X, "Y": Y, "W1": W1, "b1": b1, "W2": W2, "b2": b2, "N": 6.0}
    expected = complex_step(lambda W: -np.sum(Y * np.log(softmax(np.tanh(X @ W + b1) @ W2 + b2))) / 6, W1)
    np.testing.assert_allclose(derivation.evaluate(**given), expected, rtol=1e-10)
    np.testing.assert_allclose(derivation.numpy()(**given), expected, rtol=1e-10)


def test_source_values_and_complex_step_agree_for_attention_and_normalisation():
    Q, K, V, G = (RNG.normal(size=shape) for shape in ((3, 4), (5, 4), (5, 2), (3, 2)))
    derivation = derive(ATTENTION, "Q")
    expected = complex_step(lambda q: np.sum(G * (softmax(q @ K.T) @ V)), Q)
    np.testing.assert_allclose(derivation.numpy()(Q=Q, K=K, V=V, G=G), expected, rtol=1e-10)
    x, g = RNG.normal(size=7), RNG.normal(size=7)

    def normal(x):
        m = x.sum() / 7
        return np.sum(g * (x - m) / np.sqrt(np.sum((x - m) ** 2) / 7 + 0.1))

    derivation = derive(NORM, "x", assume="sum_i 1 = d")
    np.testing.assert_allclose(derivation.numpy()(x=x, g=g, d=7.0, eps=0.1), complex_step(normal, x), rtol=1e-9)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": [0.0, 0.0], "y": [1.0, 0.0, 0.0]}, "y has the length 3 along axis 0, expected 2, the length of z along"),
        ({"z": [[0.0, 0.0]], "y": [1.0, 0.0]}, "z has 2 axes, expected 1."),
        ({"z": [0.0, 0.0]}, "y is missing, expected an array for each of y, z."),
    ],
)
def test_arrays_that_do_not_fit_together_are_named(arrays, message):
    with pytest.raises(DeriveError, match=f"^{re.escape(message)}"):
        derive(CE, "z").evaluate(**arrays)


def test_labels_index_like_numpy():
    O1, W2, b2 = RNG.normal(size=(6, 4)), RNG.normal(size=(4, 3)), RNG.normal(size=3)
    y = np.array([0, 2, 1, 2, 0, 1])
    given = {"O1": O1, "W2": W2, "b2": b2, "y": y, "N": 6.0}
    derivation = derive(CELLS, "W2[m,n]")
    expected = complex_step(lambda W: -np.log(softmax(O1 @ W + b2)[np.arange(6), y]).sum() / 6, W2)
    np.testing.assert_allclose(derivation.evaluate(**given), expected, rtol=1e-10)
    np.testing.assert_allclose(derivation.numpy()(**given), expected, rtol=1e-10)


def test_a_label_whose_one_hot_name_is_taken_has_no_matrix_form():
    derivation = derive("P_ij = softmax_j(Z_ij); L = -sum_i Y_i log P[i, y_i]", "Z")
    assert derivation.proved
    assert derivation.matrix_form is None
    assert "Y" in derivation.no_matrix


def test_an_open_function_is_given_with_its_derivative():
    derivation = derive("L = sum_i g_i f(x_i)", "x")
    x, g = RNG.normal(size=4), RNG.normal(size=4)
    np.testing.assert_allclose(derivation.evaluate(x=x, g=g, f=(np.sin, np.cos)), g * np.cos(x))
    np.testing.assert_allclose(derivation.numpy()(x=x, g=g, df=np.cos), g * np.cos(x))


def test_every_format_shows_the_derivation():
    derivation = derive(TWO, "W1", assume=ROWS)
    assert r"\odot" in derivation.latex()
    assert derivation.latex(steps=True).count("&=") == len(derivation.steps)
    assert ElementTree.fromstring(derivation.mathml()).tag.endswith("math")
    ElementTree.fromstring(derivation._repr_html_())
    assert derivation.markdown().count("\n- $") >= len(derivation.steps) - 1
    data = json.loads(json.dumps(derivation.json()))
    assert data["matrix_form"] == derivation.matrix_form
    assert str(derivation) == derivation.text()
    assert derivation.html().startswith("<!doctype html>")
    for page in (derivation.html(), derivation._repr_html_()):
        assert page.count('<td class="check good">proved') == len(derivation.steps)


def test_a_derivation_at_the_prompt_shows_its_result():
    proved = "proved: every line and the result hold on random numbers"
    assert repr(derive(CE, "z", assume=ONE)).splitlines() == ["dL/dz_i = p_i - y_i", "dL/dz = p - y", proved]


def test_a_derivation_without_a_matrix_form_says_why_at_the_prompt():
    assert (
        repr(derive("L = sum_i x_i^3", ("x", "x", "x"))).splitlines()[1].startswith("no matrix form: the result has ")
    )
    number = derive("L = x^2", "x")
    assert repr(number).splitlines()[:2] == ["dL/dx = 2 x", "no matrix form: the result has no index"]
    assert "<p>No matrix form: the result has no index</p>" in number._repr_html_()


def test_the_derivation_of_a_network_is_a_few_lines_at_the_prompt():
    shown = repr(glassmax.Network([4, 10, 3], activation="sigmoid").derive("W1"))
    assert shown.splitlines()[:2] == ["dL/dW1_kj = sum_i dZ1_ij X_ik", "dL/dW1 = XᵀdZ1"]
    assert len(shown.splitlines()) == 3


def test_a_step_and_a_claim_at_the_prompt_are_one_line():
    step = derive(CE, "z", assume=ONE).steps[-1]
    assert repr(step) == "dL/dz_i = p_i - y_i  (assumption used)"
    assert str(step) == "dL/dz_i = p_i - y_i"
    assert repr(step.claim) == "dL/dz_i"


def test_the_steps_at_the_prompt_are_a_line_each():
    steps = derive(CE, "z", assume=ONE).steps
    assert repr(steps).splitlines() == [repr(step) for step in steps]


def test_the_parts_of_a_formula_at_the_prompt_are_formulas():
    derivation = derive(CE, "z", assume=ONE)
    assert (repr(derivation.expression), repr(derivation.matrix)) == ("p_i - y_i", "p - y")
    assert repr(derivation.program).splitlines() == ["p_i = exp(z_i)/sum_k exp(z_k)", "L = -sum_k y_k log(p_k)"]


@pytest.mark.parametrize(("equations", "wrt", "assume", "index", "matrix"), OPEN_LIST)
def test_the_last_step_is_the_result(equations, wrt, assume, index, matrix):
    derivation = derive(equations, wrt, assume=assume)
    assert str(derivation.steps[-1]) == f"{derivation.name} = {derivation.index_form}"


def test_numpy_code_at_the_prompt_is_the_code():
    code = derive(CE, "z", assume=ONE).numpy()
    assert repr(code) == str(code)
    assert "    return p - y" in repr(code).splitlines()


def test_every_known_function_has_a_rule_and_a_value():
    assert KNOWN_FUNCTIONS == set(FUNCTION_VALUES) == {*differentiate.RULES, *differentiate.FLAT}
    assert {*numpy_pieces.NUMPY, *numpy_pieces.HELPERS} >= KNOWN_FUNCTIONS
    assert {*FUNCTIONS.values()} >= KNOWN_FUNCTIONS


def test_no_name_becomes_markup():
    try:
        shown = derive("L = sum_i <script>_i", "<script>")._repr_html_()
    except GlassmaxError:
        shown = derive("L = sum_i a_i f(x_i)", "x")._repr_html_()
    assert "<script" not in shown


ACTIVATIONS = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"]
HEADS = [
    ("softmax", "cross_entropy"),
    ("softmax", "squared_error"),
    ("sigmoid", "binary_cross_entropy"),
    ("sigmoid", "squared_error"),
    ("identity", "squared_error"),
]
NETWORKS = [([4, 5, 3], a, *HEADS[n % 5], "W1") for n, a in enumerate(ACTIVATIONS)]
DEEP = zip(HEADS, ("W1", "b1", "W2", "b3", "W3"), strict=True)
NETWORKS += [([4, 5, 6, 3], "tanh", *head, wrt) for head, wrt in DEEP]


@pytest.mark.parametrize(("sizes", "activation", "output", "loss", "wrt"), NETWORKS)
def test_the_derivation_of_a_network_computes_its_gradient(sizes, activation, output, loss, wrt):
    network = glassmax.Network(sizes, activation=activation, output=output, loss=loss, random_state=1)
    X, Y = RNG.normal(size=(7, 4)), RNG.dirichlet(np.ones(3), size=7)
    _, gradients = network.loss_and_gradients(X, Y)
    derivation = network.derive(wrt)
    assert derivation.proved
    constants = {"slope": 0.01, "scale": 1.0507009873554804934, "alpha": 1.6732632423543772848}
    given = {**{name: network.parameters[name] for name in network.parameters}, **constants, "X": X, "Y": Y, "n": 7.0}
    np.testing.assert_allclose(derivation.evaluate(**given), gradients[wrt], rtol=1e-10, atol=1e-12)
    code = derivation.numpy()
    arguments = re.search(r"def dL_d\w+\((.*)\):", code)[1].split(", ")
    found = code(**{name: given[name] for name in arguments})
    np.testing.assert_allclose(found, gradients[wrt], rtol=1e-10, atol=1e-12)


HEAD_OPTIONS = [
    {"softcap": 1.5},
    {"temperature": 0.7},
    {"z_loss": 0.3},
    {"softcap": 1.5, "temperature": 0.7},
    {"softcap": 1.5, "temperature": 0.7, "z_loss": 0.3, "l2": 0.1, "frozen": ["W2"]},
]


@pytest.mark.parametrize("options", HEAD_OPTIONS, ids=str)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize("wrt", ["W1", "b2"])
def test_the_derivation_of_a_network_computes_its_gradient_with_the_options_of_its_head(options, loss, wrt):
    network = glassmax.Network([4, 5, 3], activation="tanh", loss=loss, random_state=1, **options)
    network.theta *= 3
    X, Y = RNG.normal(size=(7, 4)), RNG.dirichlet(np.ones(3), size=7)
    _, gradients = network.loss_and_gradients(X, Y)
    derivation = network.derive(wrt)
    assert derivation.proved
    constants = {"softcap": 1.5, "temperature": 0.7, "zloss": 0.3, "l2": 0.1}
    given = {**network.parameters, **constants, "X": X, "Y": Y, "n": 7.0}
    np.testing.assert_allclose(derivation.evaluate(**given), gradients[wrt], rtol=1e-10, atol=1e-12)
    assert ("l2" in " ".join(derivation.json()["equations"])) == ("l2" in options)


def test_a_network_shows_the_derivatives_of_softcap_temperature_and_z_loss():
    network = glassmax.Network([4, 3], softcap=30.0, temperature=2.0, z_loss=1e-4)
    text = str(network.derive("W1"))
    for line in (
        "dU_ij = (2 zloss P_ij log(sum_j exp(U_ij)) + P_ij - Y_ij)/n",
        "dZ1_ij = dU_ij (1 - tanh(Z1_ij/(temperature softcap))^2)/temperature",
        "matrix form  dL/dW1 = XᵀdZ1",
    ):
        assert line in text
    assert network.derive("U").proved
    frozen = glassmax.Network([4, 5, 3], l2=0.1, frozen=["W1"]).derive("W2")
    assert "W1_kj^2" not in str(frozen)
    assert "W2_kj^2" in str(frozen)


def test_a_z_loss_softcap_temperature_smoothing_and_weights_are_derived_from_equations():
    equations = """
        u_i = c tanh(z_i/(t c)); p_i = softmax_i(u_i); q_k = (1 - s) y_k + s/K sum_j y_j
        L = w (-sum_k q_k log p_k + lambda (log sum_j exp u_j)^2)
    """
    derivation = derive(equations, "z")
    assert derivation.proved
    z, y = np.array([0.3, -1.0, 2.0]), np.array([0.5, 0.0, 0.25])
    given = {"c": 1.5, "t": 0.7, "s": 0.2, "K": 3.0, "w": 0.4, "lambda": 0.3}
    got = derivation.evaluate(z=z, y=y, **given)
    options = {"softcap": 1.5, "temperature": 0.7, "label_smoothing": 0.2, "z_loss": 0.3, "reduction": "sum"}
    _, _, db = glassmax.functional.linear_softmax_cross_entropy_vjp(
        1.0, np.ones((1, 1)), np.zeros((1, 3)), z, y[None], sample_weight=[0.4], **options
    )
    np.testing.assert_allclose(got, db, rtol=1e-12)


def test_a_softmax_that_an_equation_names_is_not_named_again():
    derivation = derive("p_i = softmax_i(u_i); u_i = c tanh(z_i); L = -sum_k y_k log p_k + (logsumexp_j(u_j))^2", "z")
    assert "with " not in str(derivation).split("Result")[1]


def test_a_network_shows_the_recursion_of_backpropagation():
    text = str(glassmax.Network([4, 5, 6, 3], activation="tanh").derive("W1"))
    for line in ("dA2 = dZ3 W3ᵀ", "dA1 = dZ2 W2ᵀ", "matrix form  dL/dW1 = XᵀdZ1", "dZ3 = (P - Y)/n"):
        assert line in text


@pytest.mark.parametrize(
    ("equations", "options", "error"),
    [
        ("L = (sum_k y_k", {}, ExpressionError),
        ("L = x_i", {}, ExpressionError),
        ("a = b; b = a", {"of": "a"}, ExpressionError),
        ("L = sum_i x_i", {"wrt": "q"}, ExpressionError),
        ("L = sum_i x_i", {"of": "M"}, ExpressionError),
        ("L = sum_i x_i", {"wrt": ()}, DeriveError),
        ("y_i = x_i; w_i = x_i", {}, DeriveError),
        ("L = x/0", {}, GlassmaxError),
        ("L = x/(a - a)", {}, GlassmaxError),
        ("L = sum_i x_i", {"wrt": "L"}, DeriveError),
        ("L = sum_i x_i^3", {"wrt": ("x", "x"), "times": "L"}, DeriveError),
        ("y_j = sum_i x_j", {}, DeriveError),
        ("y_j = sum_i x_i", {}, ExpressionError),
        ("y_ij = x_i; L = sum_{i,j} y_ij^2", {}, ExpressionError),
        ("q_k = 1/K; L = sum_k q_k x_k", {}, ExpressionError),
        ("s_i = c; L = sum_i s_i x_i", {"einstein": True}, ExpressionError),
        ("L = sum_i x_i", {"assume": ["sum_i x_i = 1", "sum_i x_i = 2"]}, GlassmaxError),
    ],
)
def test_what_can_not_be_derived_is_one_clear_error(equations, options, error):
    with pytest.raises(error):
        derive(equations, **{"wrt": "x", **options})


@pytest.mark.parametrize(
    "equations",
    [
        "L = " + "tanh(" * 12 + "x" + ")" * 12,
        "L = " + "1/(1 + " * 30 + "x" + ")" * 30,
        "L = " + " ".join(["x"] * 3000),
        "L = " + " ".join(f"(x + a{n})" for n in range(60)),
        "L = (sum_i x_i)" + " (sum_i x_i)" * 12,
        "L = sum_{i,j,k,l,m,n} T_ijklmn^2 x",
        "; ".join(["a0 = x", *(f"a{n} = tanh(a{n - 1})" for n in range(1, 60))]),
        "; ".join(["a0 = x", "a1 = x + 1", *(f"a{n} = a{n - 1} a{n - 2}" for n in range(2, 60))]),
        "L = (x + 1)^1000 + x^(1/3)",
    ],
)
def test_no_input_hangs_it_is_derived_or_refused(equations):
    try:
        proved = derive(equations, "x").proved
    except GlassmaxError:
        proved = None
    assert proved in (True, None)
