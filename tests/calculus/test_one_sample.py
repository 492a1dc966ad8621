"""Losses of one sample, as textbooks write them: each is derived right, or refused with the way to write it."""

import re
import warnings

import numpy as np
import pytest

from glassmax.calculus import DeriveError, derive, differentiate
from glassmax.calculus.expression import ONE
from glassmax.errors import ExpressionError, GlassmaxError

RNG = np.random.default_rng(3)
P = "p_i = softmax_i(z_i)"
Z = np.array([0.3, -1.1, 0.8, 0.1, -0.4])
W, X = RNG.normal(size=(5, 3)), RNG.normal(size=3)
U, V = RNG.normal(size=(5, 3)), RNG.normal(size=(4, 3))
WEIGHTS = np.array([0.5, 1.5, 2.0, 0.7, 1.1])


def softmax(z):
    powers = np.exp(z - z.max())
    return powers / powers.sum()


def log_softmax(z):
    return z - np.log(np.exp(z).sum())


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def hinge(s):
    return sum(max(0, s[j] - s[2] + 1) for j in range(5) if j != 2)


SKIP_GRAM = "L = -sum_d u_od v_cd + log sum_w exp(sum_d u_wd v_cd)"
NEGATIVE = "L = -log sigmoid(sum_d u_od v_cd) - sum_k log sigmoid(-sum_d u_kd v_cd)"
FOCAL = f"L = -(1 - p_y)^gamma log(p_y); {P}"
SMOOTHED = f"L = -sum_k q_k log p_k; q_k = (1 - eps) delta_ky + eps/K; {P}"
GIVEN = {"y": 2, "z": Z, "x": Z, "s": Z, "f": Z, "w": WEIGHTS, "o": 1, "c": 3, "u": U, "v": V, "gamma": 2.0}

LOSSES = {
    # the loss: (by, options, the index form if textbooks print it, the loss as a function of that array, other inputs)
    f"L = -log p_y; {P}": ("z", {}, "p_i - delta_iy", lambda z: -log_softmax(z)[2], {}),
    "L = -log(p_y); p_j = e^{z_j} / sum_k e^{z_k}": ("z", {}, "p_j - delta_jy", lambda z: -log_softmax(z)[2], {}),
    "L = -log p_y; p_y = exp(z_y)/sum_j exp(z_j)": ("z", {}, "p_i - delta_iy", lambda z: -log_softmax(z)[2], {}),
    "L = -x_y + log sum_j exp(x_j)": ("x", {}, "p_i - delta_iy", lambda x: -log_softmax(x)[2], {}),
    "L = w[y] (-x[y] + log(sum_j exp(x[j])))": (
        *("x", {}, "w_y (p_i - delta_iy)"),
        *(lambda x: -WEIGHTS[2] * log_softmax(x)[2], {}),
    ),
    "L = weight[class] (-x[class] + log(sum_j exp(x[j])))": (
        *("x", {}, "weight[class] (p_i - delta[i, class])"),
        *(lambda x: -WEIGHTS[2] * log_softmax(x)[2], {"class_": 2, "class": 2, "weight": WEIGHTS}),
    ),
    r"L = -\log\left(\frac{e^{f_y}}{\sum_j e^{f_j}}\right)": (
        *("f", {}, "p_i - delta_iy", lambda f: -log_softmax(f)[2]),
        {},
    ),
    "L = -log softmax_y(z_y)": ("z", {}, "p_i - delta_iy", lambda z: -log_softmax(z)[2], {}),
    "L = -log softmax_y(sum_d W_yd x_d)": (
        *("W", {}, "x_d (p_i - delta_iy)", lambda w: -log_softmax(w @ X)[2]),
        {"W": W, "x": X},
    ),
    f"L = -log p_{{true}}; {P}": (
        *("z", {}, "p_i - delta[i, true]", lambda z: -log_softmax(z)[2]),
        {"true": 2},
    ),
    "L = -log p_k; p_k = exp(z_k)/sum_j exp(z_j)": (
        *("z", {"fixed": "k"}, "p_i - delta_ik", lambda z: -log_softmax(z)[2]),
        {"k": 2},
    ),
    "L = -log p_k; p_i = exp(z_i)/sum_j exp(z_j)": (
        *("z", {}, "p_i - delta_ik", lambda z: -log_softmax(z)[2]),
        {"k": 2},
    ),
    "L = -log p_y; p_i = exp(z_i/T)/sum_j exp(z_j/T)": (
        *("z", {}, "(p_i - delta_iy)/T", lambda z: -log_softmax(z / 1.7)[2]),
        {"T": 1.7},
    ),
    SKIP_GRAM: ("u", {}, "v_cd (p_i - delta_io)", lambda u: -log_softmax(u @ V[3])[1], {}),
    SKIP_GRAM + " ": ("v", {}, "delta_ic (sum_j u_jd p_j - u_od)", lambda v: -log_softmax(U @ v[3])[1], {}),
    NEGATIVE: (
        *("v", {}, None),
        *(lambda v: -np.log(sigmoid(U[1] @ v[3])) - np.log(sigmoid(-U @ v[3])).sum(), {}),
    ),
    "L = -log sigmoid(s_y - log(k q_y)) - sum_j log(1 - sigmoid(s_j - log(k q_j)))": (
        *("s", {}, None),
        lambda s: -np.log(sigmoid(s[2] - np.log(4 * WEIGHTS[2]))) - np.log(1 - sigmoid(s - np.log(4 * WEIGHTS))).sum(),
        {"k": 4.0, "q": WEIGHTS},
    ),
    FOCAL: ("z", {}, None, lambda z: -((1 - softmax(z)[2]) ** 2) * log_softmax(z)[2], {}),
    f"L = -alpha_y (1 - p_y)^gamma log(p_y); {P}": (
        *("z", {}, None, lambda z: -WEIGHTS[2] * (1 - softmax(z)[2]) ** 2 * log_softmax(z)[2]),
        {"alpha": WEIGHTS},
    ),
    SMOOTHED: (
        *("z", {"assume": "sum_k q_k = 1"}, "p_i - q_i"),
        *(lambda z: -(0.9 * log_softmax(z)[2] + 0.02 * log_softmax(z).sum()), {"eps": 0.1, "K": 5.0}),
    ),
    f"L = -(1 - eps) log p_y - eps/K sum_k log p_k; {P}": (
        *("z", {"assume": "sum_k 1 = K"}, None),
        *(lambda z: -(0.9 * log_softmax(z)[2] + 0.02 * log_softmax(z).sum()), {"eps": 0.1, "K": 5.0}),
    ),
    "L = sum_j (1 - delta_jy) max(0, s_j - s_y + 1)": (
        *("s", {}, "step(s_j - s_y + 1) - delta_jy sum_i step(s_i - s_y + 1)", hinge),
        {},
    ),
    "L = sum_j max(0, s_j - s_y + 1) - 1": ("s", {}, None, hinge, {}),
    "L = max(0, 1 - y sum_j w_j x_j)": (
        *("w", {}, None, lambda w: max(0, 1 + w @ X)),
        {"w": np.array([0.1, 0.2, 0.3]), "x": X, "y": -1.0},
    ),
    "L = -log sigmoid(s_i - s_j)": (
        *("s", {"fixed": "i,j"}, None, lambda s: -np.log(sigmoid(s[4] - s[0]))),
        {"i": 4, "j": 0},
    ),
    "L = max(0, m - s_y + s_r)": (
        *("s", {"fixed": ["r"]}, "step(m - s_y + s_r) (delta_ir - delta_iy)"),
        *(lambda s: max(0, 3 - s[2] + s[0]), {"m": 3.0, "r": 0}),
    ),
    "L = -log(exp(s_p/tau)/sum_j exp(s_j/tau))": (
        *("s", {}, "(q_i - delta_ip)/tau", lambda s: -log_softmax(s / 0.5)[4]),
        {"p": 4, "tau": 0.5},
    ),
    f"L = 1/2 sum_k (p_k - delta_ky)^2; {P}": (
        *("z", {}, None, lambda z: 0.5 * ((softmax(z) - np.eye(5)[2]) ** 2).sum()),
        {},
    ),
    f"L = (1 - p_y^q)/q; {P}": (
        *("z", {}, "p_y^q (p_i - delta_iy)", lambda z: (1 - softmax(z)[2] ** 0.7) / 0.7),
        {"q": 0.7},
    ),
    f"L = -log p_y + beta sum_k p_k log p_k; {P}": (
        *("z", {}, None, lambda z: -log_softmax(z)[2] + 0.3 * softmax(z) @ log_softmax(z)),
        {"beta": 0.3},
    ),
    "L = -log p_y; p_i = softmax_i(sum_h W_ih a_h); a_h = tanh(sum_d V_hd x_d)": (
        *("V", {}, "x_d (1 - a_h^2) (sum_j W_jh p_j - W_yh)", lambda v: -log_softmax(W @ np.tanh(v @ X))[2]),
        {"W": W, "V": RNG.normal(size=(3, 3)), "x": X},
    ),
    "L = f(X_ij) (sum_d w_id u_jd + b_i + c_j - log X_ij)^2": (
        *("w", {"fixed": "i, j"}, None),
        lambda w: np.sin(3.0) * (w[1] @ U[2] + 0.4 - 0.1 - np.log(3.0)) ** 2,
        {
            **{"X": np.full((4, 5), 3.0), "w": V, "u": U, "b": np.full(4, 0.4), "c": np.full(5, -0.1)},
            **{"i": 1, "j": 2, "f": np.sin},
        },
    ),
}


def central_differences(loss, x):
    slope = np.zeros(x.shape)
    for cell in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[cell] += 1e-6
        down[cell] -= 1e-6
        slope[cell] = (loss(up) - loss(down)) / 2e-6
    return slope


@pytest.mark.parametrize("loss", LOSSES)
def test_the_derivative_of_a_loss_of_one_sample_is_that_of_central_differences(loss):
    wrt, options, index_form, function, others = LOSSES[loss]
    derivation = derive(loss, wrt, **options)
    assert derivation.proved
    assert index_form in (None, derivation.index_form)
    given = GIVEN | others
    expected = central_differences(function, given[wrt])
    code = derivation.numpy()
    arguments = re.search(r"def dL_d\w+\((.*)\):", code)[1].split(", ")
    scope = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(code, scope)
        found = scope[f"dL_d{wrt}"](**{name: given[name] for name in arguments})
        functions = {name: (value, value) for name, value in given.items() if callable(value)}
        evaluated = derivation.evaluate(**given | functions)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(evaluated, expected, rtol=1e-6, atol=1e-8)


REFUSED = {
    # what may be a sum that was forgotten, or an index with two meanings: the way to write it is in the message
    f"L = -y_k log p_k; {P}": "index k of the right side is not on the left; write sum_k, or use einstein=True; if k",
    f"L = -y_c log p_c; {P}": "index c of the right side is not on the left; write sum_c, or use einstein=True; if c",
    "L = -log p_k; p_k = exp(z_k)/sum_j exp(z_j)": "if k is one fixed index, use fixed='k'",
    "L = -log p_k; p_i = exp(z_i)/sum_k exp(z_k)": "if k is one fixed index, use fixed='k'",
    "L = 1/2 (t_o - y_o)^2; y_o = tanh(z_o)": "if o is one fixed index, use fixed='o'",
    "L = e_t^2; e_t = a_t - tanh(z_t)": "if t is one fixed index, use fixed='t'",
    "L = sum_i (z_i - z_j)^2": "if j is one fixed index, use fixed='j'",
    "L = sum_i delta_ij z_i": "if j is one fixed index, use fixed='j'",
    "L = -log(softmax_j(z_j))": "if j is one fixed index, use fixed='j'",
    "L = -log sigmoid(z_i - z_j)": "if i is one fixed index, use fixed='i'",
    "L = z_i": "if i is one fixed index, use fixed='i'",
    "L = sum_k z_k + b_k": "if k is one fixed index, use fixed='k'",
    "L = -log z_y + sum_{x,y} I_xy": "if y is one fixed index, use fixed='y'",
    "L = -z_y + log sum_j exp(z_j) + y": "y is a number here, a class label (an index) before",
    "L = -log p_c; p_i = softmax_i(z_i + c_i)": "c is an array here, a class label (an index) before",
    r"L = -\log(e^{z_{y_i}}/\sum_j e^{z_j})": (
        "index i of the right side is not on the left; write sum_i, or, for a single sample, the class label without "
        "the index i"
    ),
    "L = -log p_1; p_i = softmax_i(z_i)": "expected an index after p_",
}


@pytest.mark.parametrize("loss", REFUSED)
def test_what_may_mean_something_else_is_refused_with_the_way_to_write_it(loss):
    with pytest.raises(ExpressionError, match=re.escape(REFUSED[loss])):
        derive(loss, "z")


@pytest.mark.parametrize(
    ("loss", "fixed", "message"),
    [
        (
            f"L = -log p_y; {P}",
            "q",
            "fixed is 'q', expected an index that occurs in the equations, but in no sum and on no left side.",
        ),
        (
            f"L = -log p_y; {P}",
            "i",
            "fixed is 'i', expected an index that occurs in the equations, but in no sum and on no left side.",
        ),
        (
            "L = -z[y_i] + log sum_j exp(z_j)",
            "i",
            "fixed is 'i', the index of the class label y_i; write y, without an index.",
        ),
        (f"L = -log p_y; {P}", 3, "fixed is of type int, expected text."),
    ],
)
def test_a_letter_that_can_not_be_fixed_is_named(loss, fixed, message):
    with pytest.raises(GlassmaxError, match=f"^{re.escape(message)}$"):
        derive(loss, "z", fixed=fixed)


def test_matrix_notation_has_no_fixed_index():
    with pytest.raises(DeriveError, match=r"^fixed is for index notation, and changes nothing here\. Leave it out\.$"):
        derive("L = sum(x)", "x", matrix=True, fixed="y")


def test_an_entry_at_a_fixed_index_is_no_array_to_differentiate_by():
    message = "wrt is 'z_y', but y is one fixed index of the equations. Differentiate by z, and take the case of y."
    with pytest.raises(ExpressionError, match=re.escape(message)):
        derive(f"L = -log p_y; {P}", "z_y")


def test_the_cases_are_those_of_the_true_class_and_of_the_others():
    derivation = derive(f"L = -log p_y; {P}", "z")
    assert derivation.cases() == {"i = y": "p_y - 1", "i != y": "p_i"}
    shown = derivation.text(cases=True)
    assert "      i = y: p_y - 1\n      i != y: p_i" in shown
    assert derive("p_i = softmax_i(z_i)", "z").cases() == {"i = j": "p_i - p_i^2", "i != j": "-p_i p_j"}
    assert derive("L = sum_i x_i^2", "x").cases() == {}


def test_two_fixed_indices_have_four_cases():
    cases = derive("L = s_i - 2 s_j", "s", fixed="i,j").cases()
    assert cases == {
        "k = i, k = j": "-1",
        "k = i, k != j": "1",
        "k != i, k = j": "-2",
        "k != i, k != j": "0",
    }


def test_how_a_fixed_index_was_read_is_said():
    derivation = derive(f"L = -log p_y; {P}", "z")
    lines = derivation.text().splitlines()
    assert lines[:4] == [
        *("Understood as", "  p_i = exp(z_i) / (sum_k exp(z_k))", "  L = -log(p_y)", "  y is one fixed index")
    ]
    assert repr(derivation).splitlines()[:2] == ["dL/dz_i = p_i - delta_iy", "dL/dz = p - e_y"]
    assert "    e_y is one-hot: e_y[i] = delta_iy" in lines
    assert derivation.latex() == "p - e_y"
    assert "<msub><mi>e</mi><mi>y</mi></msub>" in derivation.mathml()


@pytest.mark.parametrize(
    ("loss", "matrix"),
    [
        ("L = sum_d A_yd x_d", "Aᵀe_y"),
        ("L = sum_d A_dy x_d", "A e_y"),
        ("L = A_yo sum_d a_d x_d", "((Aᵀe_y)ᵀe_o) a"),
        ("L = a_y sum_d x_d^2", "2 (aᵀe_y) x"),
        ("L = x_y", "e_y"),
    ],
)
def test_the_matrix_form_of_a_fixed_index_has_the_vector_with_a_one_there(loss, matrix):
    derivation = derive(loss, "x")
    assert (derivation.matrix_form, derivation.proved) == (matrix, True)


def test_a_second_derivative_of_one_sample_has_no_true_class():
    assert derive(f"L = -log p_y; {P}", ("z", "z")).matrix_form == "diag(p) - p pᵀ"
    hessian = derive(f"L = (1 - p_y)^2; {P}", ("z", "z"), times="v")
    assert hessian.proved


def test_the_labels_of_one_sample_are_class_numbers():
    derivation = derive(f"L = -log p_y; {P}", "z")
    with pytest.raises(DeriveError, match=r"^y has the class 5, expected class numbers from 0 to 4\.$"):
        derivation.evaluate(z=Z, y=5)
    with pytest.raises(DeriveError, match=r"^y has the class -1, expected class numbers from 0 to 4\.$"):
        derivation.evaluate(z=Z, y=-1)
    with pytest.raises(DeriveError, match=r"^y is of the type float64, expected class numbers, which are whole"):
        derivation.evaluate(z=Z, y=0.5)


def test_an_assumption_may_name_the_entry_at_a_fixed_index():
    derivation = derive("L = -w_y log p_y", "p", assume="w_y = 1")
    assert (derivation.index_form, derivation.unused) == ("-delta_iy/p_y", ())
    with pytest.raises(ExpressionError, match="y is an array here, a class label in the equations"):
        derive(f"L = -log p_y; {P}", "z", assume="y = 2")


def test_a_wrong_delta_is_caught_by_the_proof(monkeypatch):
    monkeypatch.setattr(differentiate, "delta_of", lambda i, j: ONE)
    assert not derive(f"L = -log p_y; {P}", "z").proved
