"""What a trace prints: text, Markdown, LaTeX, plain data; large arrays show what is left out; names are not markup."""

import json
import math
import re

import numpy as np
import pytest

from glassmax import Model, Network, trace
from glassmax.errors import DataError, GlassmaxError, LabelError, OptionError, ShapeError
from glassmax.functional import heads
from glassmax.tracing import ledger, toy
from glassmax.tracing.formats.numbers import grid, statistics
from glassmax.tracing.formats.plain import MOST_CELLS, plain_array
from glassmax.tracing.reasons import REASONS
from glassmax.tracing.recipes import recipe
from tests.tracing.cases import FEW


@pytest.fixture(scope="module")
def box():
    """The trace of the toy system."""
    return trace(*toy())


@pytest.fixture(scope="module")
def wide():
    """The trace of a network whose arrays are too large to be shown whole."""
    rng = np.random.default_rng(0)
    return trace(Network([60, 50, 4]), rng.standard_normal((70, 60)), rng.integers(4, size=70))


def test_the_steps_are_in_the_order_of_the_computation(box):
    assert " ".join(box) == (
        "X W1 b1 Z1 A1 W2 b2 Z2 E S P Y n L_i L dP J dZ2 dW2 db2 dA1 dZ1 dW1 db1 dX eta W1' b1' W2' b2'"
    )
    assert [entry.name for entry in box.steps] == list(box)
    seen = set()
    for entry in box.steps:
        for equation in entry.equations:
            used = {one["name"] for one in recipe(equation)["uses"]}
            assert used <= seen, f"{entry.name} is computed from what comes later: {used - seen}"
        seen.add(entry.name)


def test_an_entry_shows_its_equation_its_shapes_its_reason_and_its_numbers(box):
    lines = repr(box["dW2"]).splitlines()
    assert lines[:7] == [
        "dW2  shape (10, 3)",
        "  dW2 (10,3) = A1ᵀ (10,5) · dZ2 (5,3)",
        "  dW2_kj = sum_i dZ2_ij A1_ik",
        "  The index i, a sample, is in both factors and not in the result, so i is summed and must be the",
        "  inner index. In A1, i comes first: hence the transpose.",
        "  Rule: chain rule through Z2, summed over i, l; i in two factors and not in the result: matrix",
        "        product.",
    ]
    shown = np.array([re.sub(r"[\[\]]", "", line).split() for line in lines[7:]], float)
    np.testing.assert_allclose(shown, box["dW2"].value, rtol=0, atol=0.5e-4)


@pytest.mark.parametrize("case", FEW, ids=str)
def test_every_array_is_in_every_format(case):
    traced = case.trace()
    text, markdown, latex = traced.text(), traced.markdown(), traced.latex()
    for name, entry in traced.items():
        assert f"\n{name}  " in text
        assert f"### `{name}`" in markdown
        assert entry.why
        for equation in entry.equations:
            assert equation.index_form in text
            assert equation.latex(index=True) in markdown
            assert equation.latex(index=True) in latex
    assert [len(line) for line in text.splitlines() if len(line) > 120 and "=" not in line] == []
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\begin{bmatrix}") == latex.count(r"\end{bmatrix}")


def test_of_a_large_array_the_corners_are_shown_and_the_rest_is_counted(wide):
    shown = grid(wide["dW1"].value)
    assert shown.rows == [0, 1, 2, None, 57, 58, 59]
    assert shown.columns == [0, 1, 2, 3, None, 46, 47, 48, 49]
    assert shown.hidden == "54 rows and 42 columns are not shown"
    for i, line in zip(shown.rows, shown.values, strict=True):
        for j, value in zip(shown.columns, line, strict=True):
            assert value == (None if None in (i, j) else wide["dW1"][i, j])
    assert f"    {shown.hidden}; {statistics(wide['dW1'].value)!r}" in repr(wide["dW1"])
    assert "38 columns are not shown" not in repr(wide["b1"])  # 50 numbers: 8 shown
    assert "42 columns are not shown" in repr(wide["b1"])


def test_the_statistics_count_every_cell():
    value = np.array([[1.0, -3.0, 0.0], [np.nan, np.inf, 0.0]])
    said = statistics(value)
    assert (said.minimum, said.maximum, said.mean, said.zeros, said.not_finite) == (-3, 1, -0.5, 2, 2)
    assert said.norm == pytest.approx(math.sqrt(10))
    assert repr(said) == "from -3 to 1, mean -0.5, norm 3.162, 2 zeros, 2 not finite"


@pytest.mark.parametrize(
    ("value", "cells"),
    [
        ([1.0, 0.0, 12.0], [" 1", " 0", "12"]),
        ([0.5, -0.25], [" 0.5000", "-0.2500"]),
        ([0.05, 0.0123456], ["0.05000", "0.01235"]),
        ([1e-5, 2e-7, 0.0], ["1.000e-05", "2.000e-07", "        0"]),
        ([123456.7, 1.5], ["1.235e+05", "1.500e+00"]),
        ([np.nan, np.inf, 0.5], ["   nan", "   inf", "0.5000"]),
        ([-0.0, -1e-9, 0.5], [" 0     ", "-0.0000", " 0.5000"]),
    ],
)
def test_numbers_of_an_array_align_at_the_point(value, cells):
    assert grid(np.array(value)).cells == [cells]


def evaluated(node, at, arrays):
    """Evaluate the recipe of a cell: what a program in another language has to do."""
    kind, *rest = node
    if kind == "number":
        return rest[0]
    if kind == "cell":
        return arrays[rest[0]][tuple(at[letter] for letter in rest[1])]
    if kind == "delta":
        return float(at[rest[0]] == at[rest[1]])
    if kind == "add":
        return sum(evaluated(part, at, arrays) for part in rest)
    if kind == "multiply":
        return math.prod(evaluated(part, at, arrays) for part in rest)
    if kind == "power":
        return evaluated(rest[0], at, arrays) ** evaluated(rest[1], at, arrays)
    if kind == "sum":
        letters, body = rest
        sizes = [length(letter, body, arrays) for letter in letters]
        ranges = np.ndindex(*sizes)
        return sum(evaluated(body, {**at, **dict(zip(letters, index, strict=True))}, arrays) for index in ranges)
    name, order, argument = rest
    functions = {"exp": math.exp, "log": math.log, "tanh": math.tanh, "erf": math.erf}
    functions |= {"sigmoid": lambda x: 1 / (1 + math.exp(-x)), "relu": lambda x: max(x, 0.0), "step": lambda x: x > 0}
    assert order == 0
    return functions[name](evaluated(argument, at, arrays))


def length(letter, node, arrays):
    """Read the length of a letter off an array that has it."""
    if node[0] == "cell" and letter in node[2]:
        return arrays[node[1]].shape[node[2].index(letter)]
    found = (length(letter, part, arrays) for part in node[1:] if isinstance(part, list) and part and part[0] in NODES)
    return next((n for n in found if n is not None), None)


NODES = {"number", "cell", "delta", "add", "multiply", "power", "sum", "call"}


@pytest.mark.parametrize("case", FEW, ids=str)
def test_the_plain_data_hold_every_array_and_the_recipe_of_every_cell(case):
    traced = case.trace()
    data = json.loads(traced.to_json())
    arrays = {step["name"]: np.array(step["array"]["cells"]) for step in data["steps"] if step["array"]}
    assert all(step["array"]["complete"] for step in data["steps"] if step["array"])
    for name, value in arrays.items():
        np.testing.assert_array_equal(value, traced[name].value)
    if data["jacobians"]:
        arrays["J"] = np.stack([np.array(J) for J in data["jacobians"].values()])
        np.testing.assert_array_equal(arrays["J"][1], traced.jacobian(1))
    recipes = 0
    for step in data["steps"]:
        index = tuple(size - 1 for size in step["shape"])
        for equation in step["equations"]:
            at = dict(zip(equation["letters"], index, strict=True))
            value = evaluated(equation["recipe"], at, arrays)
            assert value == pytest.approx(arrays[step["name"]][index], rel=1e-9, abs=1e-13), step["name"]
            assert {one["name"] for one in equation["uses"]} <= {*arrays}
            for notation in (equation["index"], equation["matrix"]):
                if notation is not None:
                    assert notation["mathml"].startswith("<math ")
                    assert notation["mathml"].endswith("</math>")
            recipes += 1
    assert recipes >= 11
    assert (data["loss"], data["network"]["layer_sizes"]) == (traced.loss, list(traced.network.layer_sizes))


@pytest.mark.parametrize(("n", "k", "held"), [(60, 3, 50), (50, 20, 50), (50, 50, 8), (3, 50, 3), (5, 51, 0)])
def test_the_jacobians_of_the_plain_data_are_few_enough(n, k, held):
    data = trace(Network([2, k]), np.ones((n, 2)), np.arange(n) % k).to_dict()
    assert [*data["jacobians"]] == [str(row) for row in range(held)]


def test_the_plain_data_of_a_large_array_say_which_cells_they_hold(wide):
    value = wide["dW1"].value
    assert value.size > MOST_CELLS
    plain = plain_array(value)
    assert not plain["complete"]
    cells = value[np.ix_(plain["row_numbers"], plain["column_numbers"])]
    np.testing.assert_array_equal(plain["cells"], cells)
    assert plain["statistics"]["norm"] == pytest.approx(np.linalg.norm(value))
    vector = np.arange(9000.0)
    plain = plain_array(vector)
    np.testing.assert_array_equal(plain["cells"][0], vector[plain["column_numbers"]])
    assert (plain["row_numbers"], len(plain["column_numbers"])) == ([0], 400)


def test_the_loss_of_a_row_is_set_with_its_index(box):
    assert box["L"].latex() == r"L = \frac{\mathbf{1}^\top L_i}{n}"
    assert box["L_i"].latex(index=True) == r"L_i = -\sum_j Y_{ij} \log P_{ij}"
    assert "<msub><mi>L</mi><mi>i</mi></msub>" in box["L"].mathml()
    assert "L_i" not in box["L"].mathml() + box["L_i"].mathml()


def test_numbers_that_json_has_no_word_for_are_texts():
    net = Network.from_parameters({"W1": [[2000.0, -2000.0]], "b1": [0.0, 0.0]})
    data = json.loads(trace(net, [[1.0]], [1]).to_json())
    steps = {step["name"]: step for step in data["steps"]}
    assert steps["dP"]["array"]["cells"] == [[0.0, "-inf"]]
    assert steps["dP"]["array"]["statistics"]["not_finite"] == 1


def test_names_from_data_stay_text():
    model = Model(Network([2, 3]), ["<script>", "a & b", "c"], columns=["<b>x</b>", "y"])
    traced = trace(model, [[1.0, 2.0]], ["<script>"])
    data = traced.to_dict()
    assert (data["classes"], data["columns"]) == (["<script>", "a & b", "c"], ["<b>x</b>", "y"])
    assert "<script>" not in json.dumps([step["equations"] for step in data["steps"]])


def test_a_trace_is_a_mapping_of_arrays(box):
    assert "dW2" in box
    assert "dW7" not in box
    assert len(box) == len(box.steps)
    np.testing.assert_array_equal(np.asarray(box["dW2"]), box["dW2"].value)
    assert np.asarray(box["dW2"], np.float32).dtype == np.float32
    assert (len(box["dW2"]), box["dW2"].shape) == (10, (10, 3))
    assert "J" not in box.arrays
    assert set(box) - set(box.arrays) == {"J"}


HOSTILE = {
    "one unit": lambda: trace(Network([1, 1], output="sigmoid", loss="binary_cross_entropy"), [[1.0]], [1]),
    "one value": lambda: trace(Network([1, 1], output="identity", loss="squared_error"), [[1.0]], [[3.0]]),
    "a nan": lambda: trace(Network([3, 4, 2]), [[np.nan, 1, 2], [1, 2, 3]], [0, 1]),
    "an infinity": lambda: trace(Network([3, 4, 2]), [[np.inf, 1, 2], [1, 2, 3]], [0, 1]),
    "zeros": lambda: trace(Network([3, 4, 2]), np.zeros((2, 3)), [0, 1]),
    "float32 that overflows": lambda: trace(Network([3, 4, 2], dtype="float32"), np.full((2, 3), 1e30), [0, 1]),
    "weights of very different size": lambda: trace(Network([3, 2]), np.ones((3, 3)), [0, 1, 1], [1e-300, 1, 1e300]),
    "all units dropped": lambda: trace(Network([3, 4, 2]), [[1.0, 2, 3]], [1], masks={1: np.zeros((1, 4))}),
    "rows of no label": lambda: trace(Network([3, 4, 2]), np.ones((2, 3)), [[5.0, 0], [0, 0]]),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_numbers_are_shown_without_a_warning(what):
    traced = HOSTILE[what]()
    assert json.loads(traced.to_json())["steps"]
    assert "\ndW1  shape" in traced.text()
    assert "### `dW1`" in traced.markdown()
    assert r"\paragraph{dW1}" in traced.latex()
    for name, entry in traced.items():
        cell = traced.cell(name, *(0 for _ in entry.shape))
        assert json.dumps(cell.to_dict(), allow_nan=False)
        assert repr(cell).startswith(name)
    nudge = traced.nudge("W1", (0, 0))
    assert json.dumps(nudge.to_dict(), allow_nan=False)
    assert repr(nudge).startswith("W1[0,0] changed by 0.001")
    assert all(repr(view) for view in traced.naive())


def test_every_output_and_loss_has_an_equation_and_a_reason():
    assert {"softmax", *ledger.OUTPUTS} == set(heads.OUTPUTS)
    assert set(ledger.LOSSES) == set(heads.LOSSES)
    assert {f"rows {loss}" for loss in heads.LOSSES} | {f"P {output}" for output in heads.OUTPUTS} <= set(REASONS)


def messages():
    """Return every wrong use with the error that it raises."""
    network, X, y = toy()
    traced = trace(network, X, y)
    model = Model([Network([4, 3]), Network([4, 3])], ["a", "b", "c"])
    numbers = ", ".join(traced)
    known = "expected a Network, a fitted SoftmaxClassifier or TableClassifier, or a Model."
    return {
        "another object": (lambda: trace("net", X, y), OptionError, f"network is a str, {known}"),
        "a complex network": (
            lambda: trace(network.astype("complex128"), X, y),
            OptionError,
            "network is a network of complex128, expected one of real numbers: net.astype('float64').",
        ),
        "rows out of range": (
            lambda: trace(network, X, y, rows=[0, 5]),
            OptionError,
            "rows is 5, expected numbers -5 to 4: there are 5 rows.",
        ),
        "rows of another kind": (
            lambda: trace(network, X, y, rows=[0.5]),
            OptionError,
            "rows is [0.5], expected a whole number, a slice, or row numbers.",
        ),
        "no rows": (lambda: trace(network, X, y, rows=[]), DataError, "The batch has no rows, expected at least one."),
        "no weight": (
            lambda: trace(network, X, y, np.zeros(5)),
            DataError,
            "sample_weight is 0 in every row of the batch, expected at least one number > 0.",
        ),
        "labels out of range": (
            lambda: trace(network, X, y + 1),
            LabelError,
            "Label of row 2 is 3, expected 0..2. Labels count from 0: subtract 1.",
        ),
        "inputs of another shape": (
            lambda: trace(network, X.T, y),
            ShapeError,
            "X is (4, 5), expected (n, 4): rows are samples.",
        ),
        "a mask of another shape": (
            lambda: trace(network, X, y, masks={1: np.ones((5, 3))}),
            ShapeError,
            "The mask of layer 1 is (5, 3), expected (5, 10).",
        ),
        "a member of a network": (
            lambda: trace(network, X, y, member=0),
            OptionError,
            "member is 0, expected None: a network has one network.",
        ),
        "a member that is not there": (
            lambda: trace(model, X, list("abcab"), member=2),
            OptionError,
            "member is 2, expected a whole number from 0 to 1: one of the networks.",
        ),
        "an unknown label": (
            lambda: trace(model, X, list("abcad")),
            DataError,
            "Label 'd' of row 4 is not a class of the model, expected one of a, b, c.",
        ),
        "a target column without a table": (
            lambda: trace(model, X, "species"),
            DataError,
            "y is 'species', the name of a column, but X is not a table. Pass a frame, or the labels as y.",
        ),
        "an unknown array": (
            lambda: traced["dW3"],
            OptionError,
            f"name is 'dW3', expected one of {numbers}. Did you mean 'dW2'?",
        ),
        "a cell outside": (
            lambda: traced.cell("dW2", 10, 0),
            OptionError,
            "index is dW2[10,0], expected 2 whole numbers inside the shape (10, 3): 0 is the first, -1 the last.",
        ),
        "a cell with too few indices": (
            lambda: traced.cell("dW2", 1),
            OptionError,
            "index is dW2[1], expected 2 whole numbers inside the shape (10, 3): 0 is the first, -1 the last.",
        ),
        "an index of a number": (
            lambda: traced.cell("L", 0),
            OptionError,
            "index is L[0], expected no index: it is one number.",
        ),
        "a row outside": (
            lambda: traced.jacobian(5),
            OptionError,
            "row is 5, expected a whole number from -5 to 4.",
        ),
        "a nudge of what is computed": (
            lambda: traced.nudge("A1", (0, 0)),
            OptionError,
            "name is 'A1', expected one of W1, b1, W2, b2, X: every other array is computed from these.",
        ),
        "a nudge of 0": (
            lambda: traced.nudge("W1", (0, 0), 0.0),
            OptionError,
            "step is 0.0, expected a finite number other than 0.",
        ),
        "a nudge by text": (
            lambda: traced.nudge("W1", (0, 0), "1e-3"),
            OptionError,
            "step is '1e-3', expected a finite number other than 0.",
        ),
    }


@pytest.mark.parametrize("what", messages())
def test_every_message_of_a_trace(what):
    wrong, kind, message = messages()[what]
    with pytest.raises(GlassmaxError) as error:
        wrong()
    assert (type(error.value), str(error.value)) == (kind, message)
