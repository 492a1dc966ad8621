"""What a learner reads: lines in the shape of their bias and the names of their list, words for what is no gradient."""

import re

import numpy as np
import pytest

import glassmax as gm
from tests.doctor.consulting import consult
from tests.doctor.setups import moved

LISTED = [(6, 4), (6, 1), (3, 6), (3, 1)]


def listed():
    draw = np.random.default_rng(0)
    return [draw.normal(size=shape) for shape in LISTED], draw.normal(size=(5, 4)), np.array([0, 1, 2, 1, 0])


def sample_by_sample(parameters, X, y, spoil):
    """Samples as columns in a loop over rows: the right sums, then what `spoil` makes of them and of the deltas."""
    W1, b1, W2, b2 = parameters
    sums = [np.zeros_like(array) for array in parameters]
    last = None
    for x, label in zip(X, y, strict=True):
        x = x.reshape(-1, 1)
        a = np.tanh(W1 @ x + b1)
        e = np.exp(W2 @ a + b2)
        d2 = e / e.sum()
        d2[label] -= 1
        d1 = (W2.T @ d2) * (1 - a * a)
        last = [d1 @ x.T, d1, d2 @ a.T, d2]
        sums = [total + one for total, one in zip(sums, last, strict=True)]
    return spoil([total / len(X) for total in sums], last, len(X))


def replaced(place, array):
    return lambda made, last, n: [*made[:place], array(made, last, n), *made[place + 1 :]]


LINES = [
    (1, lambda made, last, n: last[1] / n, "gradients[1] = dZ1.sum(axis=0)[:, None]"),
    (3, lambda made, last, n: made[3] * n, "gradients[3] = dZ2.sum(axis=0)[:, None]    # dZ2 holds 1/n; if yours"),
    (
        2,
        lambda made, last, n: made[2] * n,
        "gradients[2] = dZ2.T @ A1    # dZ2 holds 1/n; if yours doesn't, divide here",
    ),
    (2, lambda made, last, n: made[2] / n, "gradients[2] = dZ2.T @ A1    # dZ2 holds 1/n; if yours doesn't, divide"),
]


@pytest.mark.parametrize("row", LINES, ids=["b1 last", "b2 no 1/n", "W2 no 1/n", "W2 twice 1/n"])
def test_a_line_has_the_shape_and_the_names_of_the_learner(row):
    place, array, line = row
    parameters, X, y = listed()
    spoil = replaced(place, array)
    net = gm.Network([4, 6, 3], activation="tanh")
    function = lambda p, X, y: sample_by_sample(p, X, y, spoil)
    diagnosis = gm.diagnose(function, X, y, network=net, parameters=parameters)
    assert len(diagnosis.findings) == 1
    assert diagnosis.findings[0].line.startswith(line)


def test_the_written_sum_has_the_shape_of_every_form_of_bias():
    from glassmax.doctor.reading.layout import Layout, Role
    from glassmax.doctor.telling.correction import CorrectionWriter

    D = np.arange(12.0).reshape(4, 3)
    for columns in (False, True):
        for shape in ((3,), (3, 1), (1, 3)):
            layout = Layout((2, 3), (Role("b", "b", 1, False, shape),), columns)
            written = CorrectionWriter(None, layout, "", "0")._summed("D", shape)
            value = eval(written, {"D": D.T if columns else D})
            assert value.shape == shape
            assert (value.ravel() == D.sum(axis=0)).all()


def one_layer(what):
    X, y = np.random.default_rng(0).normal(size=(8, 4)), np.array([0, 1, 2, 0, 1, 2, 0, 0])
    net = moved(gm.Network([4, 5, 3], activation="tanh", l2=0.1))

    def function(p, X, y):
        H = np.tanh(X @ p["W1"] + p["b1"])
        E = np.exp(H @ p["W2"] + p["b2"])
        D = (E / E.sum(axis=1, keepdims=True) - np.eye(3)[y]) / len(X)
        B = D @ p["W2"].T * (1 - H * H)
        right = {"W1": X.T @ B + 0.1 * p["W1"], "b1": B.sum(axis=0), "W2": H.T @ D + 0.1 * p["W2"], "b2": D.sum(axis=0)}
        return what(dict(p), right)

    return function, X, y, net


NO_GRADIENTS = [
    (lambda p, right: p, "these are the parameters themselves, not gradients"),
    (
        lambda p, right: {name: p[name] - 0.05 * right[name] for name in p},
        "these are the parameters after a step of learning rate 0.05: return the gradients",
    ),
    (lambda p, right: {name: np.zeros_like(p[name]) for name in p}, "all zero: were they ever filled?"),
    (lambda p, right: right | {"W1": np.zeros((4, 5))}, "all zero: were they ever filled?"),
]


@pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])
@pytest.mark.parametrize("declared", [False, True], ids=["undeclared", "declared"])
@pytest.mark.parametrize("row", NO_GRADIENTS, ids=["parameters", "a step", "zeros", "a zero"])
def test_what_is_no_gradient_is_called_what_it_is(row, declared, arrays):
    what, words = row
    function, X, y, net = one_layer(what)
    handed = function(net.parameters, X, y) if arrays else function
    diagnosis = gm.diagnose(handed, X, y, network=net, declared=declared)
    assert diagnosis.causes == ("not_in_catalogue",)
    assert diagnosis.findings[0].says.endswith(words)


@pytest.mark.parametrize("row", NO_GRADIENTS, ids=["parameters", "a step", "zeros", "a zero"])
def test_the_reason_is_that_of_the_line(row):
    function, X, y, net = one_layer(row[0])
    finding = gm.diagnose(function, X, y, network=net).findings[0]
    assert finding.line.startswith(("dW", "db"))
    assert finding.reason.startswith(f"dL/{finding.line[:2]}_")


def test_a_step_that_is_no_exact_one_is_not_called_one():
    near = lambda p, right: {name: p[name] - 0.05 * right[name] * (1 + (name == "b1") / 100) for name in p}
    function, X, y, net = one_layer(near)
    assert "learning rate" not in gm.diagnose(function, X, y, network=net).findings[0].says


def test_a_penalty_alone_twice_as_large_is_a_convention_though_it_lies_along_the_parameters():
    net = gm.Network([2, 3, 2], activation="relu", output="identity", loss="squared_error", l2=0.5)
    parameters = {"W1": np.ones((2, 3)), "b1": np.full(3, -9.0), "W2": np.ones((3, 2)), "b2": np.zeros(2)}
    X = np.ones((4, 2))
    right = {"W1": 0.5 * np.ones((2, 3)), "b1": np.zeros(3), "W2": 0.5 * np.ones((3, 2)), "b2": np.zeros(2)}
    for factor, verdict in ((1, "correct"), (2, "correct under another convention")):
        handed = {name: factor * array for name, array in right.items()}
        diagnosis = gm.diagnose(handed, X, np.zeros((4, 2)), network=net, parameters=parameters)
        assert diagnosis.verdict == verdict, str(diagnosis)


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ({}, "The function returned no gradients (an empty dict), expected W1, b1, W2, b2."),
        (3, "1 array was returned (an int), expected 4"),
        ([1, 2, [3]], "were returned (a list), expected 4"),
    ],
    ids=["nothing", "a number", "a list"],
)
def test_what_can_not_be_read_is_said_in_plain_words(returned, words):
    _, X, y, net = one_layer(None)
    diagnosis = gm.diagnose(lambda p, X, y: returned, X, y, network=net)
    assert diagnosis.causes == ("wrong_keys",)
    assert words in diagnosis.findings[0].says


@pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])
def test_zeros_in_one_layer_are_no_evidence_of_mistakes_that_happen_to_make_zeros(arrays):
    function, X, y, net = one_layer(lambda p, right: right | {"W1": np.zeros((4, 5)), "b1": np.zeros(5)})
    handed = function(net.parameters, X, y) if arrays else function
    diagnosis = gm.diagnose(handed, X, y, network=net)
    assert diagnosis.verdict == "wrong"
    assert not {"batch_coupling", "input_missing", "weights_for_input"} & {*diagnosis.causes}, str(diagnosis)


def test_the_forgotten_factor_of_the_sigmoid_is_named():
    diagnosis = consult("ASSIGNMENT", [("dZ1 = dA1 * A1 * (1 - A1)", "dZ1 = dA1 * A1")])
    assert diagnosis.causes == ("activation_other_function",)
    assert diagnosis.findings[0].says == "the factor (1 - A1) of sigmoid'(Z1) is missing"


@pytest.mark.parametrize("biases", [True, False], ids=["biases wrong too", "no biases"])
def test_a_wrong_shape_is_blamed_on_its_own_gradient(biases):
    X, y = np.random.default_rng(0).normal(size=(5, 4)), np.array([0, 1, 2, 1, 0])
    parameters = {"W1": np.ones((4, 3))} | ({"b1": np.zeros(3)} if biases else {})
    gradients = {"W1": np.arange(9.0).reshape(3, 3)} | ({"b1": np.arange(3.0)} if biases else {})
    diagnosis = gm.diagnose(gradients, X, y, network=gm.Network([4, 3]), parameters=parameters)
    finding = diagnosis.findings[0]
    assert (diagnosis.first_wrong, finding.where, finding.line) == ("dW1", "W1", "dW1 = X.T @ dZ1")
    assert "shape     W1 has shape (4, 3), but your dW1 has shape (3, 3)" in str(diagnosis)


def test_one_cell_is_a_cell_of_the_gradient_and_the_sum_is_written_out():
    function, X, y, net = one_layer(lambda p, right: right | {"b2": 2 * right["b2"]})
    finding = gm.diagnose(function, X, y, network=net).findings[0]
    numbers = r"db2\[\d\]: yours is \S+, the correct value is \S+, the sum over 8 samples of dZ2\[i, \d\]"
    assert re.fullmatch(numbers, finding.cell)
