"""The code of a derivation runs as it stands: in an empty namespace, with warnings as errors, on the inputs alone."""

import inspect
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

import glassmax
from glassmax.calculus import DeriveError, derive
from glassmax.calculus.expression import KNOWN_FUNCTIONS
from glassmax.calculus.functional import FUNCTIONAL_EQUATIONS
from glassmax.calculus.proving.evaluate import evaluate_program
from glassmax.calculus.proving.sampling import draw_values
from tests.calculus.test_derive import OPEN_LIST, OTHERS

SIZES = [
    # results along an axis that only other arrays have, or arrays that equations define
    ("s_t = a_t + sum_k r_k", "r"),
    ("s_t = a_t sum_k r_k", "r"),
    ("s_ti = a_t + b_i sum_k r_k", "r"),
    ("s_ti = a_t + b_i + sum_k r_k", "r"),
    ("y_i = sum_k A_ik x_k + b_i + c", "c"),
    ("y_ij = A_ij + c", "c"),
    ("y_ij = A_ij + c_j", "c"),
    ("y_ij = A_ij + sum_k B_k C_k", "B"),
    ("u_i = a_i + s; s = sum_k r_k^2; L = sum_i u_i", "r"),
    ("u_i = a_i + s; s = sum_k r_k; L = sum_i u_i", "r"),
    ("u_i = a_i + s; s = sum_k r_k", "r"),
    ("T_ijk = a_i b_j + c_k", "a"),
    ("T_ijk = a_i b_j c_k", "b"),
    ("L = -sum_t log p_t; p_t = softmax_t(z_t)", "z"),
    ("y_i = x_i", "x"),
    ("y = x + c", "c"),
    ("l_i = -log P[i, y_i]; P_ij = softmax_j(Z_ij); L = 1/N sum_i l_i^2", "Z"),
    ("l_i = -log P[i, y_i]; P_ij = softmax_j(Z_ij); L = sum_i w[y_i] l_i / sum_i w[y_i]", "Z"),
    ("q_k = (1 - eps) delta_ky + eps/K; L = -sum_k q_k log p_k; p_i = softmax_i(z_i)", "z"),
]
MORE = [
    ("L = sum_i x_i^n", "x"),
    ("L = sum_i sin(x_i)^2", "x"),
    ("L = sum_{i,j} abs(x_i - x_j)", "x"),
    ("L = sum_i max(x_i, y_i)", "x"),
    ("L = sum_i log(1 + x_i^2/nu)", "x"),
    ("m = 1/N sum_i x_i; v = 1/N sum_i (x_i - m)^2; L = sqrt(v)", "x"),
    ("L = exp(-(x - mu)^2/(2 sigma^2))", "sigma"),
    ("L = sum_{i,j,k} A_ij A_jk A_ki", "A"),
    ("y_i = A_ii x_i", "A"),
    ("y_i = sum_j A_ij A_ji", "A"),
    ("L = sum_k lambda_k^2", "lambda"),
    ("L = f(sum_i w_i x_i + b)", "w"),
    ("L = -sum_k y_k log_softmax_k(z_k/T)", "T"),
    ("L = sum_i softplus(x_i)", ("x", "x")),
    ("P_ij = softmax_i(Z_ij); L = sum_{i,j} G_ij P_ij", "Z"),
]
CASES = [(equations, wrt, {"assume": assume}) for equations, wrt, assume, *_ in (*OPEN_LIST, *OTHERS)]
CASES += [(equations, wrt, {}) for equations, wrt in (*SIZES, *MORE)]
CASES += [
    (asked.equations, [by] * asked.order, {"assume": asked.assume, "times": asked.times})
    for name, asked in FUNCTIONAL_EQUATIONS.items()
    for by in asked.wrt
    if name != "identity_second"
]


def central_differences(claim, values):
    (of, _), (by, _) = claim.upper, claim.lower
    rest = replace(claim.program, definitions=tuple(d for d in claim.program.definitions if d.name != by))
    base = np.asarray(values.arrays[by], float)

    def at(cell, step):
        moved = base.copy()
        moved[cell] += step
        return evaluate_program(rest, replace(values, arrays={**values.arrays, by: moved})).arrays[of]

    columns = [(at(cell, 1e-6) - at(cell, -1e-6)) / 2e-6 for cell in np.ndindex(base.shape)]
    table = np.array(columns).reshape((*base.shape, *np.shape(values.arrays[of])))
    return np.moveaxis(table, range(base.ndim), range(-base.ndim, 0)) if base.ndim else table


def arguments_of(function, values):
    """The arrays by the names of the parameters; derivatives of open functions are called df, d2f."""
    slopes = {
        f"d{order if order > 1 else ''}{name}" if order else name: lambda x, f=f, order=order: f(np.asarray(x), order)
        for name, f in values.functions.items()
        for order in range(4)
    }
    found = {}
    for parameter in inspect.signature(function).parameters:
        typed = parameter.replace("_prime", "'")
        typed = typed if typed in values.arrays else typed.removesuffix("_")
        found[parameter] = values.arrays[typed] if typed in values.arrays else slopes[parameter]
    return found


@pytest.mark.parametrize(("equations", "wrt", "options"), CASES)
def test_the_code_of_a_derivation_runs_as_it_stands(equations, wrt, options):
    derivation = derive(equations, wrt, **options)
    code = str(derivation.numpy())
    scope = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(code, scope)
        function = scope[re.findall(r"^def (\w+)\(", code, re.M)[-1]]
        for seed in range(2):
            rng = np.random.default_rng(seed)
            values = draw_values(derivation.claim.program, derivation.assumptions, rng, seed, derivation.extra_arrays())
            expected = central_differences(derivation.claim, values)
            if derivation.times is not None:
                v = values.arrays[derivation.times]
                expected = np.tensordot(expected, v, axes=v.ndim)
            found = function(**arguments_of(function, values))
            assert np.shape(found) == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_there_are_more_than_a_hundred_cases_and_they_use_every_known_function():
    assert len(CASES) > 100
    text = " ".join(equations for equations, *_ in CASES)
    assert not {name for name in KNOWN_FUNCTIONS - {"step", "sign"} if f"{name}(" not in text.replace("log ", "log(")}


def test_a_wrong_line_of_code_is_noticed():
    derivation = derive("L = sum_i x_i^3", "x")
    values = draw_values(derivation.claim.program, (), np.random.default_rng(0))
    wrong = 2 * values.arrays["x"] ** 2
    assert np.abs(central_differences(derivation.claim, values) - wrong).max() > 1e-2


@pytest.mark.parametrize(
    ("equations", "parameters"),
    [
        ("L = mean((X @ w - y)**2)", "X, w, y"),
        ("L = mean(log(1 + exp(-y * (X @ w))))", "X, w, y"),
        ("m = mean(w); L = sum((w - m)**2)", "w"),
        ("L = sum((X @ w - y)**2)/N", "N, X, w, y"),
        ("L = mean(softplus(w))", "w"),
    ],
)
def test_the_divisor_of_a_mean_is_no_argument(equations, parameters):
    derivation = derive(equations, "w", matrix=True)
    code = derivation.numpy()
    assert f"def dL_dw({parameters}):" in code
    rng = np.random.default_rng(0)
    arrays = {"X": rng.normal(size=(5, 3)), "w": rng.normal(size=3), "y": rng.normal(size=5), "N": 5.0}
    given = {name: arrays[name] for name in parameters.split(", ")}
    np.testing.assert_allclose(code(**given), derivation.evaluate(**given), rtol=1e-12)


@pytest.mark.parametrize(
    ("equations", "matrix"),
    [
        ("L = -(np.log(P) * np.eye(K)[y]).sum()", True),
        ("L = -(np.eye(K)[y] * np.log(P)).sum(axis=1).mean() * N; N = len(P)", True),
        ("L = -sum_{i,j} delta[y_i, j] log(P_ij)", False),
    ],
)
def test_the_code_has_every_class_where_the_last_is_missing_from_the_labels(equations, matrix):
    derivation = derive(equations, "P", of="L", matrix=matrix)
    P, y = np.random.default_rng(0).uniform(0.1, 0.9, (4, 5)), np.array([0, 2, 1, 2])
    expected = -np.eye(5)[y] / P
    np.testing.assert_allclose(derivation.numpy()(P=P, y=y), expected, rtol=1e-12)
    np.testing.assert_allclose(derivation.evaluate(P=P, y=y), expected, rtol=1e-12)


def test_the_divisor_of_a_mean_is_the_number_of_rows():
    derivation = derive("L = mean((X @ w - y)**2)", "w", matrix=True)
    X, w, y = np.arange(12.0).reshape(4, 3), np.array([0.1, 0.2, 0.3]), np.ones(4)
    np.testing.assert_allclose(derivation.numpy()(X=X, w=w, y=y), 2 * X.T @ (X @ w - y) / 4)
    assert "  N is the length of axis 0 of X" in derivation.text().splitlines()


def test_the_number_of_samples_is_no_argument_of_the_code_of_a_network():
    net = glassmax.Network([4, 5, 3], activation="tanh", random_state=1)
    X, y = np.random.default_rng(0).normal(size=(7, 4)), np.array([0, 1, 2, 0, 1, 2, 0])
    _, gradients = net.loss_and_gradients(X, y)
    code = net.derive("W1").numpy()
    assert "def dL_dW1(W1, W2, X, Y, b1, b2):" in code
    parameters = {name: net.parameters[name] for name in ("W1", "W2", "b1", "b2")}
    np.testing.assert_allclose(code(X=X, Y=np.eye(3)[y], **parameters), gradients["W1"], rtol=1e-10, atol=1e-12)


EXTREME = [
    ("L = -sum_k y_k log(p_k); p_i = exp(z_i)/sum_k exp(z_k)", "z", {"z": [1000.0, 0.0], "y": [0.0, 1.0]}, [1.0, -1.0]),
    ("L = log sum_k exp(z_k)", "z", {"z": [-1000.0, -1001.0]}, [1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))]),
    ("L = log(1 + exp(z))", "z", {"z": 1000.0}, 1.0),
    ("s = 1/(1 + exp(-z)); L = -y log(s) - (1 - y) log(1 - s)", "z", {"z": -1000.0, "y": 1.0}, -1.0),
    ("L = sum_k z_k^2/(2 c_k)", "z", {"z": [1.0, 0.0], "c": [0.0, 1.0]}, [np.inf, 0.0]),
    ("L = sum_k y_k log(p_k)", "p", {"p": [1.0, 0.0], "y": [1.0, 0.0]}, [1.0, np.nan]),
    ("L = sum_k exp(z_k)", "z", {"z": [1000.0, 0.0]}, [np.inf, 1.0]),
    ("L = sum_k sqrt(z_k)", "z", {"z": [0.0, 4.0]}, [np.inf, 0.25]),
]


@pytest.mark.parametrize(("equations", "wrt", "arrays", "expected"), EXTREME)
def test_neither_the_code_nor_evaluate_warns_of_large_numbers_and_zeros(equations, wrt, arrays, expected):
    derivation = derive(equations, wrt, assume="sum_k y_k = 1" if "sum_k y_k log(p_k);" in equations else ())
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    code = str(derivation.numpy())
    scope = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(code, scope)
        function = scope[f"dL_d{wrt}"]
        found = function(**{name: arrays[name] for name in inspect.signature(function).parameters})
        evaluated = derivation.evaluate(**arrays)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(evaluated, expected)


@pytest.mark.parametrize(
    ("equations", "message"),
    [
        (
            "A_ij = delta_iy B_j",
            "the length of axis 0 of A can't be read off an input, because only deltas have its in",
        ),
        ("L = f(B) df", "df would be the name of an array and of a function. Give the array another name."),
    ],
)
def test_code_that_could_not_run_is_refused(equations, message):
    derivation = derive(equations, "B")
    assert derivation.proved
    with pytest.raises(DeriveError, match=f"^There is no NumPy code: {re.escape(message)}"):
        derivation.numpy()


def test_a_first_derivative_is_no_argument_of_the_code_of_a_second():
    derivation = derive("A_i = softplus(Z_i); L = sum_i A_i", ("Z", "Z"), times="v")
    assert "def dL_dZ_dZ(Z, v):" in derivation.numpy()
    assert derivation.index_form == "sigmoid(Z_i) v_i (1 - sigmoid(Z_i))"
