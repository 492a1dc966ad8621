"""Functions that misbehave, layouts and losses of one's own, what is outside the catalogue, and what is printed."""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

import glassmax as gm
from tests.doctor import programs
from tests.doctor.consulting import consult, given
from tests.doctor.setups import SETUPS

RETURNED = "return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"


def first(changes, program="TUTORIAL", **how):
    diagnosis = consult(program, changes, **how)
    assert diagnosis.verdict == "wrong", str(diagnosis)
    return diagnosis.findings[0]


# the function itself

MISBEHAVIOUR = [
    ("it raises", [("dW2 = (a1.T).dot(delta3)", "dW2 = a1.dot(delta3)")], "raises", "ValueError"),
    ("it exits", [(RETURNED, "raise SystemExit(3)")], "raises", "SystemExit"),
    ("it returns nothing", [(RETURNED, "pass")], "wrong_keys", "return"),
    ("a key is missing", [(RETURNED, "return {'W1': dW1, 'b1': db1, 'W2': dW2}")], "wrong_keys", "b2"),
    ("a key is misspelt", [(RETURNED, RETURNED.replace("'W2'", "'w_two'"))], "wrong_keys", "W2"),
    ("too few arrays", [(RETURNED, "return dW1, dW2")], "wrong_keys", "expected 4"),
    ("a string", [(RETURNED, "return 'W1'")], "wrong_keys", "str"),
    ("an array of text", [(RETURNED, RETURNED.replace("'W1': dW1", "'W1': 'x'"))], "wrong_shapes", "W1"),
    ("not a number", [("dW1 = np.dot(X.T, delta2)", "dW1 = np.dot(X.T, delta2) / 0")], "not_finite", "W1[0, 0]"),
    ("noise", [("z1 = X.dot(W1) + b1", "z1 = X.dot(W1) + b1 + np.random.randn()")], "nondeterministic", "random"),
    ("it writes weights", [(RETURNED, "W2 -= 0.1 * dW2\n    " + RETURNED)], "writes_inputs", "W2"),
    ("it writes X", [("z1 = X.dot", "X -= X.mean(axis=0)\n    z1 = X.dot")], "writes_inputs", "X"),
    (
        "it changes P in place, then takes the loss of it",
        [
            ("delta3 = probs.copy()", "delta3 = probs"),
            (RETURNED, "return -np.log(probs[range(num_examples), y]).mean(), " + RETURNED.removeprefix("return ")),
        ],
        "in_place",
        "does not copy P",
    ),
]


@pytest.mark.parametrize("row", MISBEHAVIOUR, ids=[row[0] for row in MISBEHAVIOUR])
def test_a_function_that_misbehaves_gets_a_clear_answer(row, capfd):
    _, changes, cause, words = row
    finding = first(changes)
    assert finding.cause == cause
    assert words in finding.says
    assert capfd.readouterr() == ("", "")


def test_weights_updated_in_place_are_named_first_as_what_spoils_the_gradient():
    diagnosis = consult("TUTORIAL", [("delta2 = delta3", "W2 -= 0.1 * dW2\n    delta2 = delta3")])
    assert diagnosis.causes == ("updated_weights", "writes_inputs")
    assert diagnosis.findings[0].evidence["learning rate"] == "0.1"


def test_the_inputs_of_the_caller_stay_as_they_are():
    arguments = given("TUTORIAL")
    before = arguments["X"].copy(), arguments["network"].theta.copy()
    names = programs.program(programs.TUTORIAL, ("z1 = X.dot", "X *= 0; W1 *= 0\n    z1 = X.dot"))
    gm.diagnose(names["gradients"], arguments["X"], arguments["y"], network=arguments["network"])
    assert np.array_equal(before[0], arguments["X"])
    assert np.array_equal(before[1], arguments["network"].theta)


SINGLE = """X, W1, b1, W2, b2 = (a.astype(np.float32) for a in (X, W1, b1, W2, b2))
    z1 = X.dot(W1) + b1"""


def test_float32_is_told_and_is_no_fault():
    diagnosis = consult("TUTORIAL", [("z1 = X.dot(W1) + b1", SINGLE)])
    assert (diagnosis.verdict, diagnosis.causes) == ("correct", ("float32",))


def test_a_mistake_is_found_in_float32_as_well():
    changes = [("z1 = X.dot(W1) + b1", SINGLE), ("(1 - np.power(a1, 2))", "(1 - np.power(z1, 2))")]
    assert first(changes).cause == "activation_of_z"


def test_a_kink_is_told_and_is_no_fault():
    arguments = given("BINARY")
    arguments["network"].parameters["b1"] = np.zeros(5)
    arguments["X"][2] = 0.0  # Z1 is exactly 0 there
    names = programs.program(programs.BINARY, ("dA1 * (Z1 > 0)", "dA1 * (Z1 >= 0)"))
    y = arguments["y"].copy()
    diagnosis = gm.diagnose(names["gradients"], arguments["X"], y, network=arguments["network"], loss="network")
    assert (diagnosis.verdict, diagnosis.causes) == ("correct", ("kink",))


# what is not in the catalogue


STRANGE = [
    ("cos of z for the derivative", [("(1 - np.power(a1, 2))", "np.cos(3 * z1)")], "dZ1"),
    ("weights drawn anew", [("delta3.dot(W2.T)", "delta3.dot(np.random.RandomState(0).randn(3, 6))")], "dZ1"),
    ("the sine of the error", [("delta3 /= num_examples", "delta3 = np.sin(5 * delta3)")], "dZ2"),
    ("one column set to 7", [("dW2 = (a1.T).dot(delta3)", "dW2 = (a1.T).dot(delta3); dW2[:, 1] = 7")], "dW2"),
    ("noise on one bias", [("db1 = np.sum(delta2, axis=0)", "db1 = np.sum(delta2, axis=0); db1[2] += 0.3")], "db1"),
]


@pytest.mark.parametrize("arrays", [False, True], ids=["function", "arrays"])
@pytest.mark.parametrize("row", STRANGE, ids=[row[0] for row in STRANGE])
def test_what_is_unknown_is_located_and_not_guessed_at(row, arrays):
    diagnosis = consult("TUTORIAL", row[1], arrays=arrays)
    assert diagnosis.causes == ("not_in_catalogue",), str(diagnosis)
    assert diagnosis.first_wrong == row[2]


def test_the_pattern_of_an_unknown_error_is_described():
    assert "columns 1 only" in first(STRANGE[3][1]).says
    assert "1 of 6 cells" in first(STRANGE[4][1]).says


def test_rows_that_disturb_one_another_are_told():
    diagnosis = consult("TUTORIAL", [("a1 = np.tanh(z1)", "a1 = np.tanh(z1 - z1[0])")])
    assert "batch_coupling" in diagnosis.causes


# layouts and losses


def test_a_layout_of_ones_own_is_read_and_said():
    diagnosis = consult("COLUMNS", [("dZ1 = np.multiply(dA1, np.int64(A1 > 0))", "dZ1 = dA1")])
    assert "read as: samples in columns, weights (out, in)" in diagnosis.conventions
    assert diagnosis.findings[0].cause == "activation_missing"
    assert diagnosis.findings[0].line == "dZ1 = dA1 * (Z1 > 0)"


def test_the_corrected_line_is_in_the_layout_and_the_names_of_the_learner():
    finding = first([("dW2 = 1 / m * dZ2 @ A1.T", "dW2 = dZ2 @ A1.T")], "COLUMNS")
    assert finding.cause == "factor"
    assert finding.line.startswith("dw_out = dZ2 @ A1.T + ")
    assert finding.cell.startswith("dw_out[")


def test_the_loss_is_read_from_its_values():
    diagnosis = consult("COLUMNS")
    assert any("cross-entropy, plus 0.0875/2 times the sum of W²" in words for words in diagnosis.conventions)


def test_arrays_that_all_come_as_out_in_are_a_layout():
    arguments = given("TUTORIAL")
    net, X, y = arguments["network"], arguments["X"], arguments["y"]
    turned = {name: g.T for name, g in net.loss_and_gradients(X, y)[1].items()}
    diagnosis = gm.diagnose(turned, X, y, network=net)
    assert diagnosis.verdict == "correct under another convention"
    assert "(out, in)" in diagnosis.conventions[-1]


def test_one_transposed_array_is_a_mistake():
    arguments = given("TUTORIAL")
    net, X, y = arguments["network"], arguments["X"], arguments["y"]
    gradients = dict(net.loss_and_gradients(X, y)[1])
    diagnosis = gm.diagnose(gradients | {"W1": gradients["W1"].T}, X, y, network=net)
    assert (diagnosis.causes, diagnosis.first_wrong) == (("transposed",), "dW1")


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        (lambda p, g: g | {"w": -g["w"]}, "sign"),
        (lambda p, g: g | {"w": 3 * g["w"]}, "factor"),
        (lambda p, g: g | {"w": g["w"] - 0.2 * p["w"]}, "regulariser_missing"),
        (lambda p, g: g | {"w": g["w"].T}, "transposed"),
        (lambda p, g: g | {"w": np.sin(9 * g["w"])}, "not_in_catalogue"),
        (lambda p, g: g, None),
    ],
)
def test_a_loss_of_no_known_kind_is_measured(wrong, cause):
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(6, 4)), draw.normal(size=(6, 4))
    parameters = {"w": draw.normal(size=(4, 4)), "v": draw.normal(size=4)}

    def loss(p, X, y):
        return np.log(np.cosh(X @ p["w"] - y)).sum() + 0.1 * (p["w"] ** 2).sum() + (p["v"] ** 4).sum()

    def gradients(p, X, y):
        return wrong(p, {"w": X.T @ np.tanh(X @ p["w"] - y) + 0.2 * p["w"], "v": 4 * p["v"] ** 3})

    diagnosis = gm.diagnose(gradients, X, y, loss=loss, parameters=parameters)
    assert diagnosis.causes == ((cause,) if cause else ())
    assert diagnosis.correct == (cause is None)


# what is refused


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"X": None}, "X is missing"),
        ({"network": None}, "Neither network nor parameters"),
        ({"network": None, "parameters": {"W": np.ones((4, 3))}}, "nothing to compare the gradients with"),
        ({"loss": "mine"}, "expected your own function"),
        ({"network": "4-6-3"}, "expected a glassmax.Network"),
        ({"X": np.ones((8, 5))}, "no order of layers"),
        ({"y": np.arange(8)}, "expected 0 to 2"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, words):
    usual = given("TUTORIAL") | arguments
    with pytest.raises((gm.errors.OptionError, gm.errors.ShapeError, gm.errors.LabelError), match=re.escape(words)):
        gm.diagnose({}, usual.pop("X"), usual.pop("y"), **usual)


# what is printed


@pytest.mark.parametrize("program", SETUPS)
def test_a_right_program_takes_few_words(program):
    diagnosis = consult(program)
    text = str(diagnosis)
    if diagnosis.verdict == "correct":
        text, table = text.rsplit("\n\n", 1)
        assert [line.split()[0] for line in table.splitlines()] == [line.name for line in diagnosis.lines]
    assert len(text.splitlines()) <= 8


def test_the_text_says_what_where_how_and_why_in_at_most_40_lines():
    diagnosis = consult("ASSIGNMENT", [("dZ1 = dA1 * A1 * (1 - A1)", "dZ1 = dA1")])
    text = str(diagnosis)
    assert text.startswith("wrong: the first error is in dZ1")
    for words in ("activation_missing at dZ1", "W1, b1", "dZ1 = dA1 * A1 * (1 - A1)", "dL/dz_j", "yours"):
        assert words in text
    assert len(text.splitlines()) <= 40
    assert max(map(len, text.splitlines())) <= 110


def test_the_page_of_a_notebook_is_escaped():
    diagnosis = consult("TUTORIAL", [("dW2 = (a1.T).dot(delta3)", "raise ValueError('<b>x</b>')")])
    page = diagnosis._repr_html_()
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_the_examples_of_the_page_come_out_as_printed():
    code = "\n".join(re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.S))
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(doctest.DocTestParser().get_doctest(code, {}, "doctor.md", "doctor.md", 0))
    assert runner.tries > 5
    assert runner.failures == 0
