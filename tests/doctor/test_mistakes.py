"""The published mistakes, alone and two at a time, and the right code that was taken for a mistake."""

from itertools import combinations

import pytest

import glassmax as gm
from tests.doctor import programs
from tests.doctor.consulting import consult, named
from tests.doctor.published import CONTROLS, CONVENTIONS, MISTAKES
from tests.doctor.setups import SETUPS


def extra(row):
    return row[5] if len(row) > 5 else {}


ONLY_BY_CALLING = {"delta2 as matrix products only"}
"""What is told by other data alone: that a product mixes the samples."""


@pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])
@pytest.mark.parametrize("row", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_published_mistake_is_named(row, arrays):
    _, program, changes, causes, where = row[:5]
    diagnosis = consult(program, changes, arrays=arrays, **extra(row))
    if arrays and causes == {"accumulates"}:
        assert diagnosis.verdict == "correct"  # the first call's sums are right
        return
    assert diagnosis.verdict == "wrong"
    if arrays and row[0] in ONLY_BY_CALLING:
        causes = {"not_in_catalogue"}
    assert diagnosis.causes[0] in causes, str(diagnosis)
    assert len(diagnosis.findings) == 1
    assert diagnosis.findings[0].where == where


@pytest.mark.parametrize("declared", [False, True], ids=["undeclared", "declared"])
@pytest.mark.parametrize("row", CONTROLS, ids=[row[0] for row in CONTROLS])
def test_right_code_in_an_odd_dress_is_called_right(row, declared):
    diagnosis = consult(row[1], row[2], declared=declared)
    assert diagnosis.verdict == "correct", str(diagnosis)
    assert {*diagnosis.causes} <= {"float32"}


@pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])
@pytest.mark.parametrize("row", CONVENTIONS, ids=[row[0] for row in CONVENTIONS])
def test_a_factor_throughout_is_a_convention_unless_the_loss_is_declared(row, arrays):
    _, program, changes, words = row
    undeclared = consult(program, changes, arrays=arrays, declared=False)
    assert undeclared.verdict == "correct under another convention"
    assert undeclared.correct
    assert words in undeclared.conventions[-1]
    declared = consult(program, changes, arrays=arrays, declared=True)
    assert declared.verdict == "wrong"
    assert {*declared.causes} <= {"factor", "sign"}


APART = [
    ("no sigmoid' in the hidden layer", "softmax, then a loss that takes softmax again"),
    ("no sigmoid' in the hidden layer", "db is the mean where dZ holds 1/N"),
    ("no sigmoid' in the hidden layer", "g -= decay * p"),
    ("no sigmoid' in the hidden layer", "the index taken for a one-hot row"),
    ("W is updated, then used to pass the error down", "db is the mean where dZ holds 1/N"),
    ("W is updated, then used to pass the error down", "g -= decay * p"),
    ("W is updated, then used to pass the error down", "softmax, then a loss that takes softmax again"),
    ("softmax, then a loss that takes softmax again", "the index taken for a one-hot row"),
    ("softmax, then a loss that takes softmax again", "g -= decay * p"),
    ("1 - tanh(output)^2", "softmax over the whole array"),
    ("1 - tanh(output)^2", "labels from 1"),
    ("1 - tanh(output)^2", "summed where the loss is a mean"),
    ("tanh' = 1 + tanh^2", "-1/5 in front of the product of the last layer"),
    ("labels from 1", "softmax over the whole array"),
    ("labels from 1", "db keeps the shape (N, K)"),
    ("softmax' is p(1-p), element by element, in a library of layers", "off by exactly 2"),
    ("the dot term is missing: s * g", "the update stands inside the loop over the layers"),
    ("the dot term is missing: s * g", "db is left as one value a sample"),
    ("the local derivative is returned, the upstream dropped", "db is left as one value a sample"),
    ("relu's class returns sigmoid'", "labels - output used as the gradient"),
]


@pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])
@pytest.mark.parametrize("pair", APART, ids=[" + ".join(pair) for pair in APART])
def test_both_of_two_mistakes_are_named(pair, arrays):
    rows = [row for name in pair for row in MISTAKES if row[0] == name]
    assert len(rows) == 2
    diagnosis = consult(rows[0][1], [*rows[0][2], *rows[1][2]], arrays=arrays, **extra(rows[0]), **extra(rows[1]))
    found = named(diagnosis)
    assert found & rows[0][3], str(diagnosis)
    assert found & rows[1][3], str(diagnosis)
    assert len(diagnosis.findings) == 2


def test_a_fifth_of_the_cases_are_right_code():
    wrong = len(MISTAKES) + len(APART)
    assert len(CONTROLS) + len(CONVENTIONS) >= wrong / 5


def test_the_pairs_are_of_one_program_each():
    for first, second in APART:
        programs = {row[1] for row in MISTAKES if row[0] in (first, second)}
        assert len(programs) == 1, (first, second)
    assert len({*APART}) == len(APART)
    assert all(first != second for first, second in combinations([row[0] for row in MISTAKES], 2))


def test_the_learning_rate_that_was_used_is_fitted():
    row = next(row for row in MISTAKES if row[0] == "W is updated, then used to pass the error down")
    diagnosis = consult(row[1], row[2])
    assert diagnosis.findings[0].evidence["learning rate"] == "1/2"
    assert diagnosis.findings[0].evidence["error_after"] < 1e-9 < diagnosis.findings[0].evidence["error_before"]


def test_gm_diagnose_is_the_doctor():
    assert gm.diagnose is gm.doctor.diagnose


AVERAGING = """
def gradients(p, X, t):
    n = X.shape[0]
    h = np.tanh(X @ p["W1"] + p["b1"])
    err = h @ p["W2"] + p["b2"] - t
    dh = err @ p["W2"].T * (1 - h * h)
    return {"W1": X.T @ dh / n, "b1": dh.mean(axis=0), "W2": h.T @ err / n, "b2": err.mean(axis=0)}
"""


@pytest.mark.parametrize("right", ["dh.mean(axis=0)", "err.mean(axis=0)"])
@pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])
def test_a_mean_over_all_where_1_over_n_comes_last_is_one_mistake(right, arrays):
    gradients = programs.program(AVERAGING, (right, right.replace("axis=0", "")))["gradients"]
    given = SETUPS["REGRESSION"]()
    net = given["network"]
    handed = gradients(net.parameters, given["X"], given["y"]) if arrays else gradients
    diagnosis = gm.diagnose(handed, given["X"], given["y"], network=net)
    assert diagnosis.causes == ("bias_averaged",), str(diagnosis)
    assert "if yours doesn't, divide here" in diagnosis.findings[0].line
    assert "inf" not in str(diagnosis)
    assert "another shape" in str(diagnosis)
