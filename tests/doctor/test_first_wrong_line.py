"""The first wrong line of a learner's program: named in its own words, with what it should read."""

import json
import linecache

import numpy as np
import pytest

import glassmax as gm
from glassmax.doctor.telling.json_form import plain_diagnosis
from tests.doctor import programs
from tests.doctor.consulting import given
from tests.doctor.published import MISTAKES
from tests.doctor.setups import SETUPS

NETWORK = gm.Network([2, 4, 3])
X = np.array([[0.5, -1.0], [1.0, 0.2], [-0.3, 0.8], [0.9, 0.4], [-1.2, -0.6]])
Y = np.array([0, 1, 2, 1, 0])

RIGHT = """
import numpy as np

def gradients(p, X, y):
    S_1 = X @ p["W1"] + p["b1"]
    O_1 = np.maximum(0, S_1)
    E = np.exp(O_1 @ p["W2"] + p["b2"])
    O_2 = E / E.sum(axis=1, keepdims=True)
    dL_by_dS = O_2.copy()
    dL_by_dS[np.arange(len(X)), y] -= 1
    dW2 = (1.0/len(X)) * np.matmul(O_1.T, dL_by_dS)    # as in the book
    db2 = dL_by_dS.sum(axis=0) / len(X)
    below = dL_by_dS @ p["W2"].T / len(X) * (S_1 > 0)
    return {
        "W1": X.T @ below,
        "b1": below.sum(axis=0),
        "W2": dW2,
        "b2": db2,
    }
"""


def defined(text):
    """The function `gradients` of a text that `linecache` knows, as it knows a file or the cell of a notebook."""
    file = f"<learner {hash(text)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    names = {"np": np}
    exec(compile(text, file, "exec"), names)
    return names["gradients"]


def told(*changes, **options):
    text = RIGHT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return gm.diagnose(defined(text), X, Y, network=NETWORK, loss="network", **options)


def first(*changes):
    finding = told(*changes).findings[0]
    return finding.cause, finding.line_number, finding.statement, finding.write


SINGLE = [
    (
        ("(1.0/len(X))", "(-1.0/len(X))"),
        (
            "sign",
            11,
            "dW2 = (-1.0/len(X)) * np.matmul(O_1.T, dL_by_dS)",
            "dW2 = (1.0/len(X)) * np.matmul(O_1.T, dL_by_dS)",
        ),
    ),
    (
        ("E.sum(axis=1, keepdims=True)", "E.sum(axis=0)"),
        ("softmax_axis", 8, "O_2 = E / E.sum(axis=0)", "O_2 = E / E.sum(axis=1, keepdims=True)"),
    ),
    (
        (" * (S_1 > 0)", ""),
        (
            "activation_missing",
            13,
            'below = dL_by_dS @ p["W2"].T / len(X)',
            'below = (dL_by_dS @ p["W2"].T / len(X)) * (S_1 > 0)',
        ),
    ),
    (
        ('"b1": below.sum(axis=0)', '"b1": below.mean(axis=0)'),
        ("bias_averaged", 16, '"b1": below.mean(axis=0),', '"b1": below.sum(axis=0),'),
    ),
    (
        ("db2 = dL_by_dS.sum(axis=0) / len(X)", "db2 = dL_by_dS[-1] / len(X)"),
        ("bias_last_row", 12, "db2 = dL_by_dS[-1] / len(X)", "db2 = dL_by_dS.sum(axis=0) / len(X)"),
    ),
    (
        ("len(X)), y] -= 1", "len(X)), y - 1] -= 1"),
        ("labels_from_one", 10, "dL_by_dS[np.arange(len(X)), y - 1] -= 1", "dL_by_dS[np.arange(len(X)), y] -= 1"),
    ),
    (
        ('"W1": X.T @ below', '"W1": X.T @ -below'),
        ("sign", 15, '"W1": X.T @ -below,', '"W1": X.T @ below,'),
    ),
]


@pytest.mark.parametrize("row", SINGLE, ids=[f"{row[1][0]} in line {row[1][1]}" for row in SINGLE])
def test_the_line_and_what_it_should_read_are_in_the_learners_own_words(row):
    change, expected = row
    assert first(change) == expected


def test_the_line_stands_first_in_the_text_and_the_names_are_explained():
    text = str(told(("(1.0/len(X))", "(-1.0/len(X))")))
    assert text.startswith("wrong: the first error is in dW2, line 11\n")
    rows = [line.strip() for line in text.split("\n")]
    assert "line 11   dW2 = (-1.0/len(X)) * np.matmul(O_1.T, dL_by_dS)" in rows
    assert "write     dW2 = (1.0/len(X)) * np.matmul(O_1.T, dL_by_dS)" in rows
    assert "right so far dL_by_dS is 5 dZ2 (line 10)   O_1 is A1 (line 6)" in rows
    assert "O_1[i, " in text
    assert "dL_by_dS[i, " in text
    assert "A1[i, " not in text


def test_the_line_is_in_the_plain_form_and_in_html():
    diagnosis = told(("(1.0/len(X))", "(-1.0/len(X))"))
    plain = json.loads(json.dumps(plain_diagnosis(diagnosis)))
    assert plain["first_wrong_line"] == 11
    finding = plain["findings"][0]
    assert finding["line_number"] == 11
    assert finding["statement"] == "dW2 = (-1.0/len(X)) * np.matmul(O_1.T, dL_by_dS)"
    assert finding["write"] == "dW2 = (1.0/len(X)) * np.matmul(O_1.T, dL_by_dS)"
    assert finding["right_so_far"] == ["dL_by_dS is 5 dZ2 (line 10)", "O_1 is A1 (line 6)"]
    assert "<dt>line 11</dt><dd><pre>dW2 = (-1.0/len(X))" in diagnosis._repr_html_()


DOUBLE = [
    (
        (("(1.0/len(X))", "(-1.0/len(X))"), (" * (S_1 > 0)", "")),
        {("sign", 11), ("activation_missing", 13)},
    ),
    (
        (("E.sum(axis=1, keepdims=True)", "E.sum(axis=0)"), ('"b1": below.sum(axis=0)', '"b1": below.mean(axis=0)')),
        {("softmax_axis", 8), ("bias_averaged", 16)},
    ),
    (
        (("len(X)), y] -= 1", "len(X)), y - 1] -= 1"), (" * (S_1 > 0)", "")),
        {("labels_from_one", 10), ("activation_missing", 13)},
    ),
]


@pytest.mark.parametrize("row", DOUBLE, ids=[" + ".join(sorted(cause for cause, _ in row[1])) for row in DOUBLE])
def test_of_two_mistakes_each_has_its_line(row):
    changes, expected = row
    diagnosis = told(*changes)
    assert {(finding.cause, finding.line_number) for finding in diagnosis.findings} == expected
    assert all(finding.write for finding in diagnosis.findings)


def test_what_is_written_makes_the_program_right():
    for change, _ in SINGLE:
        finding = told(change).findings[0]
        mended = RIGHT.replace(*change).replace(finding.statement, finding.write)
        assert gm.diagnose(defined(mended), X, Y, network=NETWORK, loss="network").verdict == "correct"


EARLY = """
import numpy as np

def gradients(p, X, y):
    W1, b1, W2, b2 = p["W1"], p["b1"], p["W2"].copy(), p["b2"]
    O_1 = np.maximum(0, X @ W1 + b1)
    E = np.exp(O_1 @ W2 + b2)
    dS = (E / E.sum(axis=1, keepdims=True) - np.eye(3)[y]) / len(X)
    grads = {"W2": O_1.T @ dS, "b2": dS.sum(axis=0)}
    UPDATE
    norm = np.linalg.norm(dS)
    dS = dS @ W2.T * (O_1 > 0)
    grads["W1"] = X.T @ dS
    grads["b1"] = dS.sum(axis=0)
    return grads
"""


@pytest.mark.parametrize("update", ['W2 -= 0.1 * grads["W2"]', 'W2 = W2 - 0.1 * grads["W2"]'])
def test_an_update_that_comes_too_early_is_told_where_it_belongs(update):
    diagnosis = gm.diagnose(defined(EARLY.replace("UPDATE", update)), X, Y, network=NETWORK, loss="network")
    finding = diagnosis.findings[0]
    assert (finding.cause, finding.line_number, finding.statement) == ("updated_weights", 10, update)
    assert finding.move == "line 10 below line 12, which needs W2 as it was before the update"
    assert ("move", finding.move) in finding.rows()
    assert "write" not in dict(finding.rows())
    assert plain_diagnosis(diagnosis)["findings"][0]["move"] == finding.move


def test_an_array_of_the_wrong_layer_is_replaced_though_its_shape_is_another():
    finding = told(('below.sum(axis=0),\n        "W2"', 'dL_by_dS.sum(axis=0),\n        "W2"')).findings[0]
    assert finding.cause == "wrong_shapes"
    assert finding.write.strip() == '"b1": below.sum(axis=0),'


def test_a_wrong_number_is_no_second_name_of_an_array():
    diagnosis = told(("dL_by_dS[np.arange(len(X)), y] -= 1", "dL_by_dS[np.arange(len(X)), y] -= 2"))
    finding = diagnosis.findings[0]
    assert (finding.cause, finding.line_number) == ("factor", 10)
    assert finding.write == "dL_by_dS[np.arange(len(X)), y] -= 1"


def test_no_clock_decides_what_is_found(monkeypatch):
    seconds = iter(range(10**9))
    monkeypatch.setattr("glassmax.doctor.lines.repairs.time.thread_time", lambda: 1e-3 * next(seconds))
    finding = told(("(S_1 > 0)", "(1 - O_1)")).findings[0]
    assert (finding.line_number, finding.write) == (13, 'below = dL_by_dS @ p["W2"].T / len(X) * (S_1 > 0)')


def test_the_learners_function_is_its_own_afterwards():
    function = defined(RIGHT.replace("(1.0/len(X))", "(-1.0/len(X))"))
    own = function.__code__
    gm.diagnose(function, X, Y, network=NETWORK)
    assert function.__code__ is own


def test_a_right_program_has_no_wrong_line():
    diagnosis = told()
    assert diagnosis.verdict == "correct"
    assert diagnosis.first_wrong_line == 0
    assert "line" not in str(diagnosis)


def test_a_factor_that_is_a_convention_is_no_wrong_line():
    text = RIGHT.replace("(1.0/len(X)) * ", "").replace(" / len(X)", "")
    diagnosis = gm.diagnose(defined(text), X, Y, network=NETWORK)
    assert diagnosis.verdict == "correct under another convention"
    assert diagnosis.first_wrong_line == 0


def test_under_another_convention_the_wrong_line_is_found():
    text = RIGHT.replace("(1.0/len(X)) * ", "-").replace(" / len(X)", "")
    finding = gm.diagnose(defined(text), X, Y, network=NETWORK).findings[0]
    assert (finding.cause, finding.line_number) == ("sign", 11)
    assert finding.write == "dW2 = np.matmul(O_1.T, dL_by_dS)"


def test_arrays_and_functions_without_source_have_no_lines():
    wrong = RIGHT.replace("(1.0/len(X))", "(-1.0/len(X))")
    names = {"np": np}
    exec(compile(wrong, "<nowhere>", "exec"), names)
    diagnosis = gm.diagnose(names["gradients"], X, Y, network=NETWORK, loss="network")
    assert diagnosis.causes == ("sign",)
    assert diagnosis.findings[0].line_number == 0
    arrays = defined(wrong)(dict(NETWORK.parameters), X, Y)
    diagnosis = gm.diagnose(arrays, X, Y, network=NETWORK, loss="network")
    assert diagnosis.causes == ("sign",)
    assert diagnosis.findings[0].line_number == 0


def test_a_mistake_that_the_gradients_alone_do_not_name_is_named_by_its_line():
    finding = told(("(S_1 > 0)", "(S_1 > 1)")).findings[0]
    assert finding.line_number == 13
    assert finding.write == 'below = dL_by_dS @ p["W2"].T / len(X) * (S_1 > 0)'
    assert finding.cause == "activation_other_function"


# the published mistakes, whose lines are known: those that change one line, and the programs of SETUPS

ELSEWHERE = {
    "summed where the loss is a mean": "the line that is missing belongs after the line above",
    "1/n where the loss has 2/n": "the loss is changed, not the gradients",
    "the loss penalises biases, the gradient does not": "the loss is changed, not the gradients",
    "a second backward pass adds to old gradients": "the arrays live outside of the function",
    "the saved activation is overwritten by its derivative": "the line changes an array of one name",
    "a double loop overwrites the gradient with the last column": "one line for six",
}
PUBLISHED = [row for row in MISTAKES if row[0] not in ELSEWHERE and len(row[2]) == 1]


@pytest.mark.parametrize("row", PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_the_line_of_a_published_mistake_is_named(row):
    name, program, ((old, new),) = row[:3]
    options = dict(row[5]) if len(row) > 5 else {}
    text = getattr(programs, program)
    before = text.index(old)
    lines = {text[:before].count("\n") + 1 + i for i in range(new.count("\n") + 1)}
    arguments = given(program, **{k: v for k, v in options.items() if k not in ("own_loss", "declared")})
    wrong = text.replace(old, new)
    file = f"<learner {hash(wrong)}>"
    linecache.cache[file] = (len(wrong), None, wrong.splitlines(True), file)
    names = {"np": np}
    exec(compile(wrong, file, "exec"), names)
    if options.get("own_loss") or "parameters" in arguments:
        arguments["loss"] = names["loss"]
    else:
        arguments["loss"] = "network"
    finding = gm.diagnose(names["gradients"], arguments.pop("X"), arguments.pop("y"), **arguments).findings[0]
    assert finding.cause in row[3], name
    assert finding.line_number in lines, finding


def test_the_published_mistakes_are_of_every_program():
    assert {row[1] for row in PUBLISHED} == {*SETUPS}
    assert len(PUBLISHED) > 40
