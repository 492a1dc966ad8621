"""glassmax explain: the ledger of a batch from a model and a table, or of the toy system, and each way it can fail."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import glassmax
from glassmax import Model, Network, load_model, read_table, trace
from glassmax.tracing import toy

from .test_cli import call
from .test_terminal import ESCAPES

TABLE = "x,c,y,w\n" + "".join(f"{i},{'uv'[i % 2]},{'abc'[i % 3]},{i % 4}\n" for i in range(12))


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run command lines in a folder with a model and its table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "short.csv").write_text("x,c,y,w\n1,u,a,1\n2,v,,1\n", encoding="utf-8")
    encoding = learned()
    networks = [Network([encoding.width, 4, 3], random_state=i) for i in range(2)]
    Model(networks, ["a", "b", "c"], encoding).save("m.safetensors")
    Model(Network([2, 3]), ["a", "b", "c"]).save("arrays.safetensors")
    return lambda *argv: call(monkeypatch, capsys, *argv)


def learned():
    """Return the encoding of the table, learned as `train` learns it."""
    classifier = glassmax.TableClassifier(
        network=glassmax.SoftmaxClassifier((2,), max_iter=1, tol=1.0, random_state=0), ignore=["w"], held_out=0.0
    )
    return classifier.fit(read_table("t.csv"), "y").to_model().encoding


pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_the_toy_system_needs_no_model(run):
    result = run("explain", "toy")
    assert (result.code, result.err) == (0, "")
    assert result.out == trace(*toy()).text() + "\n"


def test_rows_of_a_table_are_one_batch_counted_from_1(run):
    result = run("explain", "m.safetensors", "t.csv", "--rows", "3:6", "--json")
    assert (result.code, result.err) == (0, "")
    data, model = json.loads(result.out), load_model("m.safetensors")
    rows = read_table("t.csv").rows(slice(2, 6))
    expected = trace(model, rows, "y")
    assert data["rows"] == [2, 3, 4, 5]
    assert data["loss"] == expected.loss
    steps = {step["name"]: step for step in data["steps"]}
    np.testing.assert_array_equal(steps["dW1"]["array"]["cells"], expected["dW1"].value)
    single = json.loads(run("explain", "m.safetensors", "t.csv", "--row", 4, "--json").out)
    assert single["rows"] == [3]


def test_without_rows_the_first_five_are_explained_and_it_is_said(run):
    result = run("explain", "m.safetensors", "t.csv")
    assert result.err == "t.csv: rows 1 to 5 are explained. --rows A:B chooses others.\n"
    assert result.out.startswith("5 rows through ")
    assert "Note: The model is an ensemble of 2 networks" in result.out
    short = run("explain", "m.safetensors", "short.csv")
    assert short.err == ""
    assert "Note: Rows left out because 'y' is missing: 1." in short.out
    assert short.out.startswith("1 row through ")


def test_another_member_and_weights_can_be_asked_for(run):
    argv = "explain", "m.safetensors", "t.csv", "--rows", "1:4"
    first, second = (json.loads(run(*argv, "--json", "--member", member).out) for member in (0, 1))
    assert first["loss"] != second["loss"]
    assert "The trace shows network 1, as asked." in second["notes"][0]
    weighted = json.loads(run(*argv, "--json", "--weight", "w").out)
    steps = {step["name"]: step for step in weighted["steps"]}
    assert steps["w"]["array"]["cells"] == [1, 2, 3]  # the first row has the weight 0
    assert weighted["rows"] == [1, 2, 3]


def test_parts_of_the_ledger_are_shown_alone(run):
    box = trace(*toy())
    shown = run("explain", "toy", "--only", "dW2", "--cell", "dW2[3,1]", "--cell", "L", "--nudge", "W2[3,1]")
    parts = [box["dW2"], box.cell("dW2", 3, 1), box.cell("L"), box.nudge("W2", (3, 1))]
    assert shown.out == "\n\n".join(map(repr, parts)) + "\n"
    naive = run("explain", "toy", "--naive")
    assert naive.out == "\n\n".join(map(repr, box.naive())) + "\n"
    step = run("explain", "toy", "--nudge", "X[0,1]", "--step", "-0.5")
    assert step.out == repr(box.nudge("X", (0, 1), -0.5)) + "\n"
    row = run("explain", "toy", "--row", 2, "--cell", "dP[0,1]")
    assert row.out == repr(trace(*toy(), rows=1).cell("dP", 0, 1)) + "\n"


def test_the_jacobian_alone_is_shown_with_the_numbers_of_the_first_row(run):
    box = trace(*toy())
    alone = run("explain", "toy", "--only", "J").out.removesuffix("\n")
    assert alone.startswith(repr(box["J"]))
    assert alone in box.text()
    assert f"{box.jacobian(0)[2, 1]:.4f}" in alone


def test_the_jacobian_alone_as_json_is_that_of_the_first_row(run):
    box = trace(*toy())
    (entry,) = json.loads(run("explain", "toy", "--only", "J", "--json").out)["shown"]
    assert entry["array"] is None
    assert entry["jacobian"]["cells"] == box.jacobian(0).tolist()
    (second,) = json.loads(run("explain", "toy", "--row", 2, "--only", "J", "--json").out)["shown"]
    assert second["jacobian"]["cells"] == trace(*toy(), rows=1).jacobian(0).tolist()


def test_a_negative_index_counts_from_the_end(run):
    assert run("explain", "toy", "--cell", "dW2[-1,0]").out == run("explain", "toy", "--cell", "dW2[9,0]").out
    assert run("explain", "toy", "--nudge", "W2[-1,-1]").out == run("explain", "toy", "--nudge", "W2[9,2]").out


def test_parts_as_json_hold_the_same_numbers(run):
    box = trace(*toy())
    result = run("explain", "toy", "--only", "db2", "--cell", "dW2[3,1]", "--naive", "--nudge", "b1[2]", "--json")
    entry, cell, *naive, nudge = json.loads(result.out)["shown"]
    assert entry["array"]["cells"] == box["db2"].value.tolist()
    assert cell["value"] == box["dW2"][3, 1]
    assert sum(term["value"] for term in cell["parts"][0]["terms"]) == pytest.approx(cell["value"], rel=1e-12)
    assert [view["name"] for view in naive][:2] == ["row sums of the Jacobian", "diagonal of the Jacobian alone"]
    assert nudge["predicted"] == box.nudge("b1", (2,)).predicted


def test_the_page_is_written_and_it_is_said(run):
    result = run("explain", "toy", "--html", "toy.html")
    assert (result.code, result.out) == (0, "")
    assert result.err == "The page is in toy.html. It opens in any browser, offline.\n"
    page = Path("toy.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "dW2 = A1ᵀdZ2" in page
    assert run("explain", "m.safetensors", "t.csv", "--row", 2, "--html", "row.html").code == 0
    assert "1 row through" in Path("row.html").read_text(encoding="utf-8")


def test_markdown_and_latex_are_those_of_the_trace(run):
    box = trace(*toy())
    assert run("explain", "toy", "--markdown").out == box.markdown()
    assert run("explain", "toy", "--latex").out == box.latex()


@pytest.mark.parametrize("width", [72, 120])
def test_a_terminal_shows_the_signs_in_color_within_its_width(monkeypatch, capsys, tmp_path, width):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    result = call(monkeypatch, capsys, "explain", "toy")
    lines = ESCAPES.sub("", result.out).splitlines()
    assert max(map(len, lines)) <= width
    plain = trace(*toy()).text()
    shown, known = (set(re.findall(r"-?\d+\.\d+", text)) for text in ("\n".join(lines), plain))
    assert shown == known if width == 120 else known - shown
    assert any("…" in line for line in lines) == (width == 72)
    line = next(line for line in result.out.splitlines() if "-0.0769" in line)
    negative, positive = (re.search(rf"\x1b\[(\d+)m *{number}", line)[1] for number in ("-0.0769", "0.1343"))
    assert (int(negative) % 10, int(positive) % 10) == (1, 4)  # red and blue
    parts = call(monkeypatch, capsys, "explain", "toy", "--only", "dW2", "--cell", "dW2[3,1]")
    assert "sum  -0.047621" in ESCAPES.sub("", parts.out)


NO_TABLES = "arrays.safetensors was trained in Python and knows no tables. Explain it from Python: load_model(...)."
COMMAND_LINE = {
    "no_data": (
        "explain m.safetensors",
        "DATA is missing: give a table for the model m.safetensors. Only toy needs no model.",
    ),
    "two_formats": (
        "explain toy --json --latex",
        "--json and --latex can't be combined. Leave all but one of them out.",
    ),
    "row_and_rows": ("explain toy --row 1 --rows 1:2", "--row and --rows can't be combined. Leave one of them out."),
    "rows_that_are_no_range": (
        "explain toy --rows 3",
        "--rows is '3', expected the first and the last row, counted from 1: 10:14.",
    ),
    "rows_from_0": (
        "explain toy --rows 0:2",
        "--rows is '0:2', expected the first and the last row, counted from 1: 10:14.",
    ),
    "rows_backwards": (
        "explain toy --rows 4:2",
        "--rows is '4:2', expected the first and the last row, counted from 1: 10:14.",
    ),
    "row_0": ("explain toy --row 0", "--row is '0', expected a whole number >= 1."),
    "a_step_alone": ("explain toy --step 1", "--step changes nothing without --nudge. Leave it out."),
    "a_step_of_0": ("explain toy --nudge W1[0,0] --step 0", "--step is 0.0, expected a finite number other than 0."),
    "a_part_as_a_page": (
        "explain toy --html toy.html --cell L",
        "--cell can't be combined with --html, which has the whole ledger.",
    ),
    "a_page_and_another_format": (
        "explain toy --html toy.html --json",
        "--json and --html can't be combined. Leave all but one of them out.",
    ),
    "a_step_of_nan": (
        "explain toy --nudge W1[0,0] --step nan",
        "--step is nan, expected a finite number other than 0.",
    ),
    "a_step_that_is_text": (
        "explain toy --nudge W1[0,0] --step big",
        "--step is 'big', expected a finite number other than 0.",
    ),
    "a_part_as_latex": (
        "explain toy --latex --cell L",
        "--cell can't be combined with --latex, which prints the whole ledger.",
    ),
    "a_member_of_toy": ("explain toy --member 0", "--member changes nothing for toy, which has no file. Leave it out."),
    "an_unclosed_cell": (
        "explain toy --cell dW2[3",
        "--cell is 'dW2[3', expected an array and its indices from 0: dW2[3,1].",
    ),
    "a_cell_outside": (
        "explain toy --cell dW2[10,0]",
        "--cell is dW2[10,0], expected 2 whole numbers inside the shape (10, 3): 0 is the first, -1 the last.",
    ),
    "a_nudge_outside": (
        "explain toy --nudge W2[10,0]",
        "--nudge is W2[10,0], expected 2 whole numbers inside the shape (10, 3): 0 is the first, -1 the last.",
    ),
    "a_nudge_of_what_is_computed": (
        "explain toy --nudge A1[0,0]",
        "--nudge is 'A1', expected one of W1, b1, W2, b2, X: every other array is computed from these.",
    ),
    "an_array_in_small_letters": (
        "explain toy --cell dw2[3,1]",
        "--cell is 'dw2', expected one of X, *. Did you mean 'dW2'?",
    ),
    "toy_with_a_table": (
        "explain toy t.csv",
        "toy has rows of its own and takes no DATA. Leave DATA out, or name a model file.",
    ),
    "an_unknown_array": ("explain toy --only dW7", "--only is 'dW7', expected one of X, *. Did you mean 'dW2'?"),
    "a_member_that_is_not_there": (
        "explain m.safetensors t.csv --member 2",
        "--member is 2, expected a whole number from 0 to 1: one of the networks.",
    ),
    "swapped": (
        "explain t.csv m.safetensors",
        "MODEL is t.csv and DATA is m.safetensors. Are the two swapped?",
    ),
}
DATA = {
    "too_few_rows": (
        "explain m.safetensors t.csv --rows 10:13",
        "t.csv has 12 rows, expected at least 13, as --row or --rows asks for.",
    ),
    "too_few_rows_of_toy": (
        "explain toy --row 6",
        "toy has 5 rows, expected at least 6, as --row or --rows asks for.",
    ),
    "a_model_of_arrays": ("explain arrays.safetensors t.csv", NO_TABLES),
    "a_row_without_a_class": (
        "explain m.safetensors short.csv --row 2",
        "short.csv: no row has a value in the target column 'y'.",
    ),
    "a_missing_model": (
        "explain nope t.csv",
        "nope: there is no such file. Train one with: glassmax train DATA --target COLUMN",
    ),
    "a_page_without_a_name": (
        "explain toy --html -",
        "--html is '-', expected the name of a file. Pass --html ./- if that is its name.",
    ),
    "a_page_in_no_folder": (
        "explain toy --html nowhere/toy.html",
        "The folder nowhere doesn't exist. Make it, or pass another --html.",
    ),
    "a_page_in_place_of_its_table": (
        "explain m.safetensors t.csv --html t.csv",
        "t.csv is an input, which the output would replace. Pass another --html.",
    ),
    "a_page_in_place_of_another_file": (
        "explain toy --html t.csv",
        "t.csv exists and is no HTML file; it isn't replaced. Pass another --html.",
    ),
    "a_missing_table": (
        "explain m.safetensors nope.csv",
        "nope.csv: there is no such file. Built-in examples: digits, penguins, iris, wine, toy.",
    ),
}


def fails(run, line, code):
    result = run(*line.split())
    assert (result.code, result.out) == (code, "")
    lines = [line for line in result.err.splitlines() if line and not line.startswith(("Usage:", "Try "))]
    return "\n".join(lines).removeprefix("Error: ")


def fits(said, message):
    """Whether a message is the expected one; an asterisk stands for any text."""
    return re.fullmatch(re.escape(message).replace(r"\*", ".*"), said)


@pytest.mark.parametrize("fault", COMMAND_LINE)
def test_a_wrong_command_line_exits_with_2(run, fault):
    line, message = COMMAND_LINE[fault]
    said = fails(run, line, 2)
    assert fits(said, message), said


@pytest.mark.parametrize("fault", DATA)
def test_a_fault_of_the_data_exits_with_1(run, fault):
    line, message = DATA[fault]
    said = fails(run, line, 1)
    assert fits(said, message), said
