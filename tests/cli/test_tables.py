"""What the command line does with tables: columns, weights, stopping, config files, formats, groups, completion."""

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from glassmax import SoftmaxClassifier, load_model, read_table
from glassmax.cli.config import _toml
from glassmax.cli.wording import ESTIMATOR
from glassmax.estimator.linear import best_alpha
from glassmax.table import Category, Encoding, Number
from glassmax.training import RunningMetrics
from tests.cli.test_cli import LIMIT, info_of, listing
from tests.table.hostile import GOOD, table, with_x

pytestmark = pytest.mark.usefixtures("sound_table")

QUICK = ("--target", "y", "--hidden", "4", "--epochs", "3")


@pytest.fixture
def model(done):
    done("train", "t.csv", *QUICK, "-o", "m", "-q")
    return "m"


def kinds(path):
    return {column.name: type(column).__name__ for column in load_model(path).encoding.columns}


# --- train: columns and weights --------------------------------------------------------------------------------------


def test_types_ignore_and_keep_override_what_columns_look_like(done):
    Path("t.csv").write_bytes(with_x(lambda i: i))
    done("train", "t.csv", *QUICK, "--keep", "x", "-o", "kept")
    assert kinds("kept") == {"x": "Number", "c": "Category"}
    Path("t.csv").write_bytes(with_x(lambda i: i % 4))
    done("train", "t.csv", *QUICK, "--type", "x=category", "-o", "typed")
    column = load_model("typed").encoding.columns[0]
    assert (type(column), column.name, column.values, column.missing) == (Category, "x", ["0", "1", "2", "3"], False)
    done("train", "t.csv", *QUICK, "--ignore", "c", "-o", "ignored")
    assert kinds("ignored") == {"x": "Number"}


def test_a_name_with_an_equals_sign_can_be_typed(done):
    Path("t.csv").write_bytes(table(header="a=b,c,y"))
    done("train", "t.csv", *QUICK, "--type", "a=b=number", "-o", "m")
    assert kinds("m")["a=b"] == "Number"


def test_a_weight_of_zero_is_a_row_left_out_and_two_is_a_row_twice(done):
    rows = GOOD.decode().splitlines()[1:]
    weights = [i % 3 for i in range(len(rows))]
    Path("w.csv").write_text("\n".join(["x,c,y,w", *(f"{r},{w}" for r, w in zip(rows, weights, strict=True))]) + "\n")
    Path("twice.csv").write_text(
        "\n".join(["x,c,y", *(r for r, w in zip(rows, weights, strict=True) for _ in range(w))])
    )
    argv = ("--target", "y", "--held-out", "0", "--json", "--no-baseline", "--hidden", "none")
    argv = (*argv, "--ignore", "x", "--solver", "lbfgs", "--alpha", "0", "--epochs", "30")
    weighted, repeated = (
        json.loads(done("train", *more, *argv).out) for more in (("w.csv", "--weight", "w"), ("twice.csv",))
    )
    for name in ("accuracy", "balanced_accuracy", "log_loss", "brier_score", "calibration_error"):
        assert weighted[name] == pytest.approx(repeated[name], abs=1e-3)
    assert "w" not in kinds("w.safetensors")


WRONG_WEIGHTS = {
    "-1": "Row 5 of w.csv (line 6): the weight 'w' is -1, expected a number >= 0.",
    "": "Row 5 of w.csv (line 6): the weight 'w' is missing, expected a number >= 0.",
    "heavy": "Row 5 of w.csv (line 6): column 'w' is 'heavy', expected a number as in the other rows.",
    "inf": "Row 5 of w.csv (line 6): column 'w' is inf, expected a number between -1e+100 and 1e+100.",
}


@pytest.mark.parametrize("weight", WRONG_WEIGHTS)
def test_a_wrong_weight_is_refused_by_its_row(run, weight):
    rows = [f"{row},{weight if i == 4 else 1}" for i, row in enumerate(GOOD.decode().splitlines()[1:])]
    Path("w.csv").write_text("\n".join(["x,c,y,w", *rows]) + "\n")
    result = run("train", "w.csv", *QUICK, "--weight", "w")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"Error: {WRONG_WEIGHTS[weight]}")


def test_weights_that_are_all_zero_are_refused(run):
    Path("w.csv").write_text("\n".join(["x,c,y,w", *(f"{row},0" for row in GOOD.decode().splitlines()[1:])]) + "\n")
    result = run("train", "w.csv", *QUICK, "--weight", "w")
    assert result.err == "Error: w.csv: the weight 'w' is 0 in every row, expected at least one number > 0.\n"


def test_class_weights_are_those_of_the_estimator(done):
    argv = ("train", "t.csv", *QUICK, "--json", "--no-baseline")
    plain = json.loads(done(*argv).out)
    assert json.loads(done(*argv, "--class-weight", "a=1").out)["log_loss"] == plain["log_loss"]
    assert json.loads(done(*argv, "--class-weight", "a=50").out)["log_loss"] != plain["log_loss"]


# --- train: stopping and judging -------------------------------------------------------------------------------------


def test_a_validation_file_a_share_and_a_metric_turn_early_stopping_on(done, monkeypatch):
    monkeypatch.setattr("glassmax.cli.progress.SECONDS_BETWEEN_LINES", -1)
    for more in (("--validation", "t.csv"), ("--validation", "0.2"), ("--metric", "balanced_accuracy")):
        err = done("train", "t.csv", "--target", "y", "--epochs", "400", "--learning-rate", "0.1", *more).err
        assert re.search(r"epoch 1 of at most 400: loss [\d.]+, validation [\d.]+, accuracy [\d.]+", err)
        assert info_of(done, "t.safetensors")["epochs"] < 400
    assert "balanced accuracy 0." in err
    assert "the weights are those of epoch " in err


@pytest.mark.parametrize(("metric", "name"), [("f1", "F1"), ("auc", "AUC")])
def test_the_metric_is_among_the_figures(done, metric, name):
    result = done("train", "t.csv", *QUICK, "--metric", metric)
    assert re.search(rf"^{name} +[\d.]+ +[\d.]+$", result.out, re.M)
    assert 0 < json.loads(done("train", "t.csv", *QUICK, "--metric", metric, "--json").out)[metric] <= 1


def test_the_figures_are_those_of_their_definitions(done):
    facts = json.loads(done("train", "t.csv", *QUICK, "--held-out", "0", "--json").out)
    loaded = load_model("t.safetensors")
    rows = read_table("t.csv")
    P, y = loaded.predict_proba(rows), np.searchsorted(loaded.classes, rows.column("y").astype(str))
    right = P.argmax(axis=1) == y
    assert facts["accuracy"] == pytest.approx(right.mean())
    assert facts["balanced_accuracy"] == pytest.approx(np.mean([right[y == c].mean() for c in range(3)]))
    assert facts["log_loss"] == pytest.approx(-np.log(P[np.arange(60), y]).mean())
    assert facts["brier_score"] == pytest.approx(((P - np.eye(3)[y]) ** 2).sum(axis=1).mean())
    bins = np.minimum((P.max(axis=1) * 15).astype(int), 14)
    gaps = [abs(right[bins == b].sum() - P.max(axis=1)[bins == b].sum()) for b in range(15)]
    assert facts["calibration_error"] == pytest.approx(sum(gaps) / 60)
    assert facts["class_frequencies"]["accuracy"] == pytest.approx(1 / 3)
    assert facts["class_frequencies"]["log_loss"] == pytest.approx(np.log(3))


def test_the_linear_model_beside_it_is_multinomial_regression(done):
    facts = json.loads(done("train", "t.csv", *QUICK, "--held-out", "0", "--json").out)
    table = read_table("t.csv")
    encoding, _ = Encoding.learn(table, "y")
    X, y = encoding.encode(table).X, table.column("y").astype(str)
    alpha = best_alpha(X, np.unique(y, return_inverse=True)[1])
    linear = SoftmaxClassifier((), solver="lbfgs", alpha=alpha, random_state=0).fit(X, y)
    assert facts["linear_model"]["accuracy"] == pytest.approx(linear.score(X, y))
    assert facts["linear_model"]["log_loss"] == pytest.approx(log_loss(y, linear.predict_proba(X)), abs=1e-9)
    assert "linear_model" not in json.loads(done("train", "t.csv", *QUICK, "--no-baseline", "--json").out)
    assert "linear_model" not in json.loads(done("train", "t.csv", *QUICK, "--hidden", "none", "--json").out)


def test_confusions_of_very_many_classes_are_counted_in_pairs():
    tally = RunningMetrics(1000)
    tally.add(np.eye(1000)[[1, 2, 2, 999]], np.array([1, 2, 7, 998]))
    figures = tally.metrics()
    assert figures.confusion is None
    assert figures.confused == {(7, 2): 1, (998, 999): 1}
    assert figures.accuracy == 0.5


def test_a_checkpoint_goes_on_to_the_same_bits(done, run):
    done("train", "t.csv", "--target", "y", "--epochs", "6", "-o", "whole")
    done("train", "t.csv", "--target", "y", "--epochs", "3", "--checkpoint", "cp", "-o", "half")
    done("train", "t.csv", "--target", "y", "--epochs", "6", "--checkpoint", "cp", "-o", "resumed")
    assert Path("resumed").read_bytes() == Path("whole").read_bytes()
    result = run("train", "t.csv", "--target", "y", "--epochs", "6", "--seed", "1", "--checkpoint", "cp")
    assert result.code == 1
    assert "Error: --checkpoint cp belongs to another run: " in result.err
    assert "--seed is 1, the file has 0" in result.err


def test_float32_is_trained_and_predicted_alike(done):
    done("train", "t.csv", *QUICK, "--dtype", "float32", "-o", "m")
    rows = list(csv.reader(io.StringIO(done("predict", "m", "t.csv", "--proba").out)))[1:]
    P = load_model("m").predict_proba(read_table("t.csv"))
    assert P.dtype == np.float32
    assert [row[1:] for row in rows] == [[f"{p:.6g}" for p in of_row] for of_row in P.tolist()]


def test_very_many_categories_are_trained_on_as_a_sparse_matrix(done, monkeypatch):
    rows = [f"cat{i % 300:03},{i % 7},{'ab'[i // 7 % 2]}" for i in range(900)]
    Path("t.csv").write_bytes(table(rows))
    argv = ("train", "t.csv", *QUICK, "--json", "--no-baseline")
    dense = json.loads(done(*argv).out)
    monkeypatch.setattr("glassmax.estimator.tables.blocks.SPARSE_NUMBERS", 100)
    sparse = json.loads(done(*argv).out)
    assert sparse["log_loss"] == pytest.approx(dense["log_loss"], rel=1e-6)


def test_quiet_says_nothing_but_the_result(done):
    result = done("train", "t.csv", *QUICK, "--quiet")
    assert result.err == ""
    assert result.out.startswith("On 12 rows held out\n")


# --- train: config ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "sentences"),
    [
        (["--schedule", "invscaling"], ["--schedule has no effect with --solver adam, only with --solver sgd."]),
        (["--momentum", "0.3"], ["--momentum has no effect with --solver adam, only with --solver sgd."]),
        (["--step-every", "5"], ["--step-every has no effect with --schedule constant, only with --schedule step."]),
        (["--solver", "sgd", "--schedule", "adaptive", "--momentum", "0.3"], []),
        (
            ["--embedding-bins", "8"],
            ["--embedding-bins has no effect with --embedding none, only with --embedding piecewise-linear."],
        ),
        (
            ["--schedule", "cosine", "--step-factor", "0.3"],
            ["--step-factor has no effect with --schedule cosine, only with --schedule step."],
        ),
        (["--embedding-bins", "8", "--embedding", "piecewise-linear"], []),
    ],
)
def test_an_option_without_effect_is_said(done, argv, sentences):
    said = done("train", "toy", "--epochs", "2", *argv).err.splitlines()
    assert [line for line in said if "no effect" in line] == sentences


def test_a_printed_config_is_read_back_to_the_same(done):
    argv = ("t.csv", "--target", "y", "--hidden", "8,4", "--type", "x=category", "--class-weight", "a=2.5", "--dropout")
    printed = done("train", *argv, "0.1,0.2", "--print-config").out
    Path("run.toml").write_text(printed)
    assert done("train", "--config", "run.toml", "--print-config").out == printed
    settings = tomllib.loads(printed)
    assert (settings["data"], settings["hidden"], settings["type"]) == ("t.csv", [8, 4], ["x=category"])
    assert listing() == ["run.toml", "t.csv"]


def test_the_command_line_goes_before_the_config(done):
    Path("run.toml").write_text('data = "t.csv"\ntarget = "y"\nepochs = 2\nhidden = [5]\nlearning_rate = 0.5\n')
    done("train", "--config", "run.toml", "--epochs", "4")
    info = info_of(done, "t.safetensors")
    assert (info["epochs"], info["network"], info["learning_rate"]) == (4, "4-5-3", 0.5)


WRONG_CONFIGS = {
    "learning-rte = 1": "sets 'learning-rte', which is no option of this command. Did you mean 'learning-rate'?",
    "epochs = true": "sets 'epochs' to True, expected a text, a number, or a list of them.",
    "balanced = 1": "sets 'balanced' to 1, expected true or false.",
    "[hidden]": "sets 'hidden' to {}, expected a text, a number, or a list of them.",
    "epochs = ": "is not TOML: ",
    "epochs = 1.5": "Error: run.toml: epochs is '1.5', expected a whole number >= 1.",
    "hidden = 'ten'": "Error: run.toml: hidden is 'ten', expected whole numbers",
    "config = 'x'": "sets 'config', which is no option of this command.",
}


@pytest.mark.parametrize("text", WRONG_CONFIGS)
def test_a_wrong_config_is_refused(run, text):
    Path("run.toml").write_text(text)
    result = run("train", "t.csv", "--config", "run.toml")
    assert result.code == 2
    assert WRONG_CONFIGS[text] in result.err


@given(st.text() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_any_value_written_as_toml_is_read_back(value):
    if isinstance(value, str):
        value = value.encode("utf-8", "ignore").decode()
    assert tomllib.loads(f"key = {_toml(value)}")["key"] == value


# --- predict ---------------------------------------------------------------------------------------------------------


def test_the_most_probable_classes_and_columns_to_know_the_rows_by(done, model):
    rows = list(csv.DictReader(io.StringIO(done("predict", model, "t.csv", "--top", "2", "--keep", "c").out)))
    P = load_model(model).predict_proba(read_table("t.csv"))
    assert list(rows[0]) == ["c", "prediction", "top 1", "p(top 1)", "top 2", "p(top 2)"]
    order = np.argsort(-P, axis=1)
    assert [row["top 2"] for row in rows] == [["a", "b", "c"][i] for i in order[:, 1]]
    assert [row["p(top 1)"] for row in rows] == [f"{p:.6g}" for p in P.max(axis=1)]
    assert [row["c"] for row in rows] == read_table("t.csv").column("c").tolist()


def test_every_format_holds_the_same_predictions_to_the_bit(done, model):
    P = load_model(model).predict_proba(read_table("t.csv"))
    lines = done("predict", model, "t.csv", "--proba", "--format", "jsonl").out.splitlines()
    np.testing.assert_array_equal([[json.loads(line)[f"p({c})"] for c in "abc"] for line in lines], P)
    done("predict", model, "t.csv", "--proba", "--keep", "x", "-o", "p.parquet")
    frame = pl.read_parquet("p.parquet")
    assert frame.columns == ["x", "prediction", "p(a)", "p(b)", "p(c)"]
    np.testing.assert_array_equal(frame.select("p(a)", "p(b)", "p(c)").to_numpy(), P)
    assert frame["x"].to_list() == read_table("t.csv").column("x").tolist()
    assert listing() == ["m", "p.parquet", "t.csv"]


def test_predictions_of_a_large_table_come_in_pieces_and_are_the_same(done, model, monkeypatch):
    whole = done("predict", model, "t.csv", "--proba").out
    lines = done("predict", model, "t.csv", "--proba", "--format", "jsonl").out
    monkeypatch.setattr("glassmax.table.decoding.BLOCK_BYTES", 100)
    monkeypatch.setattr("glassmax.table.opening.HEAD_BYTES", 64)
    monkeypatch.setattr("glassmax.cli.predictions.PIECE_NUMBERS", 20)
    monkeypatch.setattr("glassmax.engine.batches.BLOCK_NUMBERS", 40)
    assert done("predict", model, "t.csv", "--proba").out == whole
    done("predict", model, "t.csv", "--proba", "-o", "p.parquet")
    assert pl.read_parquet("p.parquet").equals(pl.read_ndjson(lines.encode()))
    assert done("predict", model, "t.csv", "--proba", "--format", "jsonl").out == lines


def test_a_fault_in_the_middle_of_a_table_leaves_the_old_predictions(run, model):
    Path("p.csv").write_text("old")
    Path("bad.csv").write_bytes(GOOD + b"1,u\n")
    result = run("predict", model, "bad.csv", "-o", "p.csv")
    assert result.err == (
        "Error: Row 61 of bad.csv (line 62) has 2 cells, expected 3 as in the header. Correct the row; a cell that "
        "holds ',' stands in quotes.\n"
    )
    assert Path("p.csv").read_text() == "old"
    assert listing() == ["bad.csv", "m", "p.csv", "t.csv"]


def test_surprises_are_counted_over_the_whole_table(done, model, monkeypatch):
    monkeypatch.setattr("glassmax.table.decoding.BLOCK_BYTES", 100)
    monkeypatch.setattr("glassmax.table.opening.HEAD_BYTES", 64)
    Path("new.csv").write_text("c,x\n" + "\n".join(["north,1", "u,", "south,2", "north,"] * 30) + "\n")
    assert done("predict", model, "new.csv").err.splitlines() == [
        f"new.csv: x: 60 missing, filled with the median {load_model(model).encoding.columns[0].center:g}",
        "new.csv: c: 90 rows with a value not seen in training: 'north' (row 1), 'south' (row 3)",
    ]


def test_a_table_without_most_of_the_columns_is_told_as_another_table(run, model):
    Path("other.csv").write_text("width,height\n1,2\n")
    assert run("predict", model, "other.csv").err == (
        "Error: other.csv lacks 2 of the 2 columns of the training: 'x', 'c'. It has 'width', 'height'. "
        "Is it another table?\n"
    )


def test_parquet_needs_a_place(run, model):
    result = run("predict", model, "t.csv", "--format", "parquet")
    assert result.err == "Error: Parquet goes into a file, expected --output FILE with --format parquet.\n"


# --- evaluate --------------------------------------------------------------------------------------------------------


def test_figures_by_the_values_of_a_column_add_up(done, model):
    facts = json.loads(done("evaluate", model, "t.csv", "--by", "c", "--json").out)
    groups = facts["by"]["c"]
    assert sorted(groups) == ["u", "v", "w"]
    assert sum(group["rows"] for group in groups.values()) == facts["rows"] == 60
    for name in ("accuracy", "log_loss", "brier_score"):
        mean = sum(group["rows"] * group[name] for group in groups.values()) / 60
        assert mean == pytest.approx(facts[name])
    out = done("evaluate", model, "t.csv", "--by", "c").out
    assert re.search(r"^c +rows +accuracy +balanced accuracy +log-loss$", out, re.M)
    assert re.search(rf"^u +{groups['u']['rows']} +{groups['u']['accuracy']:.4f} ", out, re.M)


def test_evaluation_takes_weights(done, run, model):
    rows = GOOD.decode().splitlines()[1:]
    Path("w.csv").write_text("\n".join(["x,c,y,w", *(f"{row},{i % 2}" for i, row in enumerate(rows))]) + "\n")
    Path("half.csv").write_text("\n".join(["x,c,y", *rows[1::2]]) + "\n")
    weighted = json.loads(done("evaluate", model, "w.csv", "--weight", "w", "--json").out)
    half = json.loads(done("evaluate", model, "half.csv", "--json").out)
    assert weighted["log_loss"] == pytest.approx(half["log_loss"])
    assert weighted["accuracy"] == pytest.approx(half["accuracy"])


def test_a_model_of_booleans_is_evaluated_on_any_way_to_write_them(done):
    rows = [{"x": i % 7, "z": i % 3, "y": i % 2 == 0} for i in range(60)]
    Path("t.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    done("train", "t.jsonl", *QUICK, "-o", "m")
    assert load_model("m").classes.tolist() == [False, True]
    Path("t.csv").write_text("x,z,y\n" + "\n".join(f"{r['x']},{r['z']},{r['y']}" for r in rows) + "\n")
    first, second = (json.loads(done("evaluate", "m", name, "--json").out) for name in ("t.jsonl", "t.csv"))
    assert first == second


# --- info, completion, help ------------------------------------------------------------------------------------------


def test_the_card_of_a_model_has_its_hash_and_every_column(done, model):
    info = info_of(done, model)
    assert info["sha256"] == hashlib.sha256(Path(model).read_bytes()).hexdigest()
    column = load_model(model).encoding.columns[0]
    assert isinstance(column, Number)
    assert info["column x"] == f"number: median {column.center:g}, interquartile range {column.spread:g}"
    assert info["column c"] == "category: u, v, w"
    assert {"held_out_accuracy", "held_out_brier_score", "training_rows", "seed"} <= {*info}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(done, shell):
    out = done("completion", shell).out
    assert "_GLASSMAX_COMPLETE" in out
    assert "glassmax" in out


def test_the_shell_completes_commands_options_and_columns(tmp_path):
    (tmp_path / "t.csv").write_bytes(GOOD)

    def completed(words):
        environment = os.environ | {
            "_GLASSMAX_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
        argv = [sys.executable, "-c", "from glassmax.cli import main; main()"]
        child = subprocess.run(
            argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        return {line.split(",")[1] for line in child.stdout.splitlines()}

    assert {"train", "predict", "completion"} <= completed("glassmax ")
    others = {"--type", "--tol", "--time", "--time-limit", "--tune"}
    assert {"--target", "--threads"} == completed("glassmax train --t") - others
    assert completed("glassmax train t.csv --target ") == {"x", "c", "y"}


def test_help_shows_every_option_in_a_group_and_the_exit_codes(done):
    out = done("train", "--help").out
    titles = re.findall(r"^(\S[^\n]*):$", out, re.M)
    kinds = ("layers", "optimization", "loss and regularization", "evaluation and early stopping")
    wanted = ["Data", "Training", "Files and output", *(f"Network of your own, {kind}" for kind in kinds)]
    assert [title for title in titles if title in wanted] == wanted
    assert "Exit codes:" in out
    parameters = {*SoftmaxClassifier().get_params()} - {"verbose", "warm_start", "output", "validation_fraction"}
    assert parameters == {*ESTIMATOR.values()} | {
        "class_weight",
        "embedding",
        "class_embeddings",
        "min_count",
        "other_label",
    }


@pytest.mark.parametrize("argv", [["info"], ["train", "penguins", "--epochs", "2"]])
def test_no_colour_reaches_a_pipe_or_a_terminal_that_wants_none(tmp_path, argv):
    child = subprocess.run(
        [sys.executable, "-m", "glassmax", *argv],
        cwd=tmp_path,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        timeout=LIMIT,
        check=True,
    )
    assert b"\x1b" not in child.stdout + child.stderr


def test_only_the_columns_that_are_named_are_read(done, run, monkeypatch):
    monkeypatch.setattr("glassmax.table.table.MOST_COLUMNS", 4)
    names = [f"x{j}" for j in range(6)]
    rows = [[str((i * (j + 2)) % 7) for j in range(6)] + ["1", "ab"[i % 2]] for i in range(30)]
    Path("wide.csv").write_text("\n".join(map(",".join, [[*names, "w", "y"], *rows])) + "\n")
    refused = run("train", "wide.csv", *QUICK)
    assert refused.err.startswith(
        "Error: wide.csv has 7 columns to learn from, expected at most 4. Name the columns to"
    )
    assert "with --column, or train" in refused.err
    chosen = ("--column", "x4", "--column", "x1", "--weight", "w")
    said = done("train", "wide.csv", *QUICK, *chosen, "-o", "m").err
    assert "  numbers:    x1, x4\n" in said
    assert load_model("m").encoding.names == ["x1", "x4"]
    for argv, message in [
        (("--column", "x9"), "wide.csv has no column 'x9'"),
        (("--column", "x1", "--ignore", "x2"), "x2 is named by --ignore but not by --column, so it is not read."),
        (("--column", "x1", "--type", "x2=number"), "x2 is named by --type but not by --column, so it is not read."),
    ]:
        assert message in run("train", "wide.csv", *QUICK, *argv).err
    assert "Pass --target COLUMN too." in run("train", "wide.csv", "--column", "x1").err
