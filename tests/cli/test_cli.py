"""The command line: what each command does, what it prints where, and what it leaves behind.

Most tests go through `glassmax.cli.main` in this process: exit codes and messages are the real ones. What only a
process of its own can show (Ctrl-C, a closed pipe, what gets imported) runs in one.
"""

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

import glassmax
from glassmax import Model, Network, load_model, read_table
from glassmax.calibration import Calibration
from glassmax.cli import main
from glassmax.conformal import Conformal
from glassmax.engine import best_engine
from glassmax.engine.session import ReferenceSession
from glassmax.estimator.tables.figures import Comparison
from glassmax.training import RunningMetrics

LIMIT = 120  # seconds after which a child counts as hanging


class Result(NamedTuple):
    """How a command line ended."""

    code: int
    out: str
    err: str


def call(monkeypatch, capsys, *argv):
    """Run a command line in this process, as the shell would."""
    monkeypatch.setattr(sys, "argv", ["glassmax", *map(str, argv)])
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main()
    return Result(stop.value.code, *capsys.readouterr())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The bytes of a small model of penguins, trained in a process of its own."""
    folder = tmp_path_factory.mktemp("trained")
    argv = [sys.executable, "-m", "glassmax", "train", "penguins", "--hidden", "8", "--epochs", "40"]
    child = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert child.returncode == 0, child.stderr
    assert "On 69 rows held out" in child.stdout
    assert listing(folder) == ["penguins.safetensors"]
    return (folder / "penguins.safetensors").read_bytes()


@pytest.fixture
def model(trained, tmp_path):
    """The trained model, in the folder of the test."""
    (tmp_path / "p.safetensors").write_bytes(trained)
    return "p.safetensors"


def listing(folder="."):
    return sorted(path.name for path in Path(folder).iterdir())


def write_table(path, columns):
    """Write columns as CSV, None as an empty cell."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(["" if cell is None else cell for cell in c] for c in columns.values()), strict=True))


def penguins():
    return dict(read_table("penguins").columns)


def info_of(done, path):
    return json.loads(done("info", path, "--json").out)


# --- help and version ------------------------------------------------------------------------------------------------


def test_help_names_every_command_and_an_example(done):
    result = done("--help")
    assert result.err == ""
    for command in ("train", "predict", "evaluate", "derive", "check", "doctor", "playground", "info"):
        assert re.search(rf"^  {command}  +\w", result.out, re.M)
    assert "glassmax train digits" in result.out


@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "derive", "check", "doctor", "playground", "info"])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_explains_itself_with_an_example(done, command, flag):
    out = done(command, flag).out
    assert out.startswith(f"Usage: glassmax {command} ")
    assert re.search(rf"Examples?:\n  +glassmax {command}", out)


def test_version_is_that_of_the_package(done):
    assert done("--version").out == f"glassmax {glassmax.__version__}\n"


# --- train -----------------------------------------------------------------------------------------------------------


def test_train_prints_the_result_on_stdout_and_talks_on_stderr(done):
    result = done("train", "penguins", "--hidden", "8", "--epochs", "30")
    assert result.out.splitlines()[0] == "On 69 rows held out"
    assert re.search(r"^ +network +linear model +class frequencies$", result.out, re.M)
    for name in ("accuracy", "balanced accuracy", "log-loss", "Brier score", "calibration error"):
        assert re.search(rf"^{name}( +\d\.\d{{4}}){{3}}$", result.out, re.M)
    assert re.search(r"^true . predicted  Adelie  Chinstrap  Gentoo$", result.out, re.M)
    lines = result.err.splitlines()
    assert lines[0] == "penguins: 344 rows, 3 classes of species: Adelie 152, Chinstrap 68, Gentoo 124"
    assert lines[1] == "  numbers:    bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g, year"
    assert lines[2] == "  categories: island (3), sex (2, some cells missing)"
    assert "275 rows to train on, 69 held out; network 15-8-3" in lines
    assert lines[-1] == "The model is in penguins.safetensors. Use it: glassmax predict penguins.safetensors penguins"
    assert listing() == ["penguins.safetensors"]


def test_train_json_is_one_line_that_agrees_with_the_model_file(done):
    result = done("train", "penguins", "--hidden", "8", "--epochs", "20", "--json")
    assert result.out.count("\n") == 1
    facts = json.loads(result.out)
    assert facts["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert facts["model"] == "penguins.safetensors"
    assert facts["judged_on"] == "69 rows held out"
    confusion = np.array(facts["confusion"])
    assert confusion.sum(axis=1).tolist() == [30, 14, 25]
    assert facts["accuracy"] == pytest.approx(np.trace(confusion) / 69, rel=1e-15)
    info = info_of(done, "penguins.safetensors")
    assert (info["held_out_accuracy"], info["held_out_log_loss"]) == (facts["accuracy"], facts["log_loss"])
    assert (info["training_rows"], info["held_out_rows"], info["epochs"], info["seed"]) == (275, 69, 20, 0)


def test_train_learns_penguins(done):
    facts = json.loads(done("train", "penguins", "--hidden", "8", "--learning-rate", "0.02", "--json").out)
    assert facts["accuracy"] > 0.95
    assert facts["log_loss"] < 0.2


def test_the_default_name_of_a_model_is_that_of_the_table_in_the_working_folder(done, tmp_path):
    (tmp_path / "data").mkdir()
    write_table(tmp_path / "data" / "my.birds.csv", penguins())
    done("train", "data/my.birds.csv", "--target", "species", "--epochs", "1")
    assert listing() == ["data", "my.birds.safetensors"]
    assert listing("data") == ["my.birds.csv"]


@pytest.mark.parametrize("flag", ["-o", "--output"])
def test_output_says_where_the_model_goes(done, tmp_path, flag):
    (tmp_path / "models").mkdir()
    err = done("train", "toy", "--epochs", "1", flag, "models/my toy.safetensors").err
    assert listing("models") == ["my toy.safetensors"]
    assert listing() == ["models"]
    assert err.endswith("Use it: glassmax predict 'models/my toy.safetensors' toy\n")


def test_a_model_that_is_replaced_is_said(done):
    assert "The model is in toy.safetensors. Use it:" in done("train", "toy", "--epochs", "2").err
    again = done("train", "toy", "--epochs", "2").err
    assert "The model is in toy.safetensors, where it replaces an earlier one. Use it:" in again


def test_a_model_of_another_target_or_table_is_only_replaced_by_its_name(done, run, tmp_path):
    columns = {"x": [row * row for row in range(40)], "a": ["u", "v"] * 20, "b": ["s", "s", "t", "t"] * 10}
    write_table(tmp_path / "t.csv", columns)
    done("train", "t.csv", "--target", "a", "--epochs", "1")
    before, model = Path("t.safetensors").read_bytes(), "t.safetensors"
    done("train", "t.csv", "--target", "a", "--epochs", "1", "--ignore", "b")
    done("train", "t.csv", "--target", "a", "--epochs", "1")
    assert Path(model).read_bytes() == before
    refused = run("train", "t.csv", "--target", "b", "--epochs", "1")
    way = "it isn't replaced unless you name it. Pass --output with another name, or --output t.safetensors.\n"
    assert (refused.code, refused.err) == (1, f"Error: {model} is a model that predicts a; {way}")
    write_table(tmp_path / "t.csv", {"z": columns["x"], "a": columns["a"], "b": columns["b"]})
    refused = run("train", "t.csv", "--target", "a", "--epochs", "1")
    assert refused.err == f"Error: {model} is a model of another table, which has a column x; {way}"
    assert Path(model).read_bytes() == before
    done("train", "t.csv", "--target", "b", "--epochs", "1", "--output", model)
    assert load_model(model).encoding.target == "b"


def giveaway(n):
    """A table of n rows with a column that gives the target away, and one that looks like an identifier."""
    y = [str(i % 2) for i in range(n)]
    names = ["yes" if label == "1" else "no" for label in y]
    return {"id": [f"r{i}" for i in range(n)], "x": [i * i % 17 for i in range(n)], "rescued at": names, "y": y}


def test_figures_that_rest_on_a_column_that_gives_the_target_away_end_in_a_doubt(done, tmp_path):
    write_table(tmp_path / "t.csv", giveaway(300))
    result = done("train", "t.csv", "--target", "y", "--preset", "fast")
    *_, use, doubt = result.err.splitlines()
    assert use.endswith("Use it: glassmax predict t.safetensors t.csv --keep id")
    assert doubt == ("These figures rest on rescued at, which alone predicts y. Try again with --ignore 'rescued at'.")
    clean = done("train", "t.csv", "--target", "y", "--preset", "fast", "--ignore", "rescued at", "--ignore", "id")
    assert clean.err.endswith("Use it: glassmax predict t.safetensors t.csv\n")


def test_the_same_seed_makes_the_same_file_and_another_seed_another(done, trained):
    argv = ("train", "penguins", "--hidden", "8", "--epochs", "40", "-o")
    done(*argv, "a")
    done(*argv, "b", "--seed", "1")
    assert Path("a").read_bytes() == trained  # made in another process
    assert Path("b").read_bytes() != trained


def test_few_rows_are_not_held_out(done):
    result = done("train", "toy", "--epochs", "2", "--json")
    assert json.loads(result.out)["judged_on"] == "5 rows it was trained on"
    assert "5 rows to train on, none held out (fewer than 20 rows); network 4-10-3" in result.err
    assert info_of(done, "toy.safetensors")["held_out_rows"] == 0


def test_hidden_none_is_multinomial_logistic_regression(done):
    done("train", "penguins", "--hidden", "none", "--epochs", "2")
    info = info_of(done, "penguins.safetensors")
    assert info["network"] == "15-3"
    assert info["parameters"] == 48
    assert info["activations"] == ["none: multinomial logistic regression"]


def test_hidden_and_activation_shape_the_network(done):
    done("train", "penguins", "--hidden", "7, 5", "--activation", "tanh", "--epochs", "2")
    info = info_of(done, "penguins.safetensors")
    assert (info["network"], info["activations"]) == ("15-7-5-3", ["tanh", "tanh"])


def test_ignored_columns_are_not_in_the_model(done):
    done("train", "penguins", "--ignore", "year", "--ignore", "sex", "--epochs", "2")
    names = [column.name for column in load_model("penguins.safetensors").encoding.columns]
    assert names == ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


def test_early_stopping_ends_before_the_epochs_do(done):
    argv = ("train", "penguins", "--hidden", "8", "--learning-rate", "0.1", "--epochs", "500")
    err = done(*argv, "--early-stopping").err
    epochs = info_of(done, "penguins.safetensors")["epochs"]
    assert epochs < 100
    assert f"{epochs} epochs, training loss " in err
    assert "no longer improving" in err


def test_training_that_ended_too_early_says_so(done):
    assert "3 epochs, training loss " in (err := done("train", "toy", "--epochs", "3").err)
    assert "still improving: more --epochs may help" in err


def test_balanced_finds_more_of_a_rare_class(done, tmp_path):
    draw = np.random.RandomState(0)
    rare = np.arange(400) % 20 == 0
    x = np.where(rare, 1.0, 0.0) + draw.standard_normal(400)
    write_table(tmp_path / "rare.csv", {"x": x.round(3), "y": np.where(rare, "rare", "usual")})
    argv = ("train", "rare.csv", "--target", "y", "--hidden", "none", "--learning-rate", "0.1", "--json")
    plain, balanced = (json.loads(done(*argv, *more).out)["confusion"] for more in ((), ("--balanced",)))
    assert sum(plain[0]) == sum(balanced[0]) == 4
    assert plain[0][0] == 0
    assert balanced[0][0] >= 2


def test_rows_without_a_class_are_left_out_and_counted(done, tmp_path):
    write_table(tmp_path / "t.csv", {"x": range(8), "y": [*"abab", None, "NA", *"ab"]})
    result = done("train", "t.csv", "--target", "y", "--epochs", "1")
    assert "t.csv: 8 rows, 2 classes of y: a 3, b 3" in result.err
    assert "  left out because y is missing: 2 rows" in result.err
    assert info_of(done, "t.safetensors")["training_rows"] == 6


def test_whole_numbers_are_classes_in_their_order(done, tmp_path):
    write_table(tmp_path / "t.csv", {"x": range(12), "y": [10, 9, 2] * 4})
    assert json.loads(done("train", "t.csv", "--target", "y", "--epochs", "1", "--json").out)["classes"] == [2, 9, 10]


def test_columns_left_out_and_cells_filled_are_said(done, tmp_path):
    write_table(tmp_path / "t.csv", {"x": [1, 2, None, 4], "one": [5] * 4, "c": list("uvuv"), "y": list("abab")})
    err = done("train", "t.csv", "--target", "y", "--epochs", "1").err
    assert "  numbers:    x\n  categories: c (2)\n  one is left out: it is 5 in every row.\n" in err
    assert "  x: 1 missing, filled with the median 2\n" in err


def test_a_bad_cell_among_the_rows_held_out_is_found_before_the_training(run, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("training had begun")

    monkeypatch.setattr(type(best_engine()), "open", fail)
    for bad in range(40):  # one of them is held out
        cells = [str(row) for row in range(40)]
        cells[bad] = "bad"
        write_table(tmp_path / "t.csv", {"x": cells, "y": list("ab" * 20)})
        result = run("train", "t.csv", "--target", "y")
        assert result.code == 1
        assert result.err.startswith(f"Error: Row {bad + 1} of t.csv (line {bad + 2}): column 'x' is 'bad', ")


@pytest.mark.parametrize("argv", [["train", "iris"], ["train", "wine"], ["train", "digits", "--hidden", "5"]])
def test_every_built_in_table_can_be_trained_on(done, argv):
    facts = json.loads(done(*argv, "--epochs", "1", "--json").out)
    assert len(facts["classes"]) == {"iris": 3, "wine": 3, "digits": 10}[argv[1]]


# --- predict ---------------------------------------------------------------------------------------------------------


def test_predict_prints_one_class_for_each_row_and_nothing_else(done, model):
    result = done("predict", model, "penguins")
    assert result.out.startswith("prediction\nAdelie\n")
    assert result.out.splitlines()[1:] == load_model(model).predict(read_table("penguins")).tolist()
    assert result.err == "".join(
        f"penguins: {name}: 2 missing (2 'NA'), filled with the median {median}\n"
        for name, median in {
            "bill_length_mm": 44.5,
            "bill_depth_mm": 17.3,
            "flipper_length_mm": 197,
            "body_mass_g": 4000,
        }.items()
    )


def test_probabilities_are_those_of_python_to_six_digits_and_to_the_bit_as_json_and_sum_to_one(done, model):
    rows = list(csv.reader(io.StringIO(done("predict", model, "penguins", "--proba").out)))
    assert rows[0] == ["prediction", "p(Adelie)", "p(Chinstrap)", "p(Gentoo)"]
    expected = load_model(model).predict_proba(read_table("penguins"))
    assert [row[1:] for row in rows[1:]] == [[f"{p:.6g}" for p in of_row] for of_row in expected]
    lines = done("predict", model, "penguins", "--proba", "--format", "jsonl").out.splitlines()
    P = np.array([list(json.loads(line).values())[1:] for line in lines])
    np.testing.assert_array_equal(P, expected)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-15)
    assert [row[0] for row in rows[1:]] == [rows[0][1 + index][2:-1] for index in P.argmax(axis=1)]


def test_the_order_of_columns_and_further_columns_do_not_matter(done, model, tmp_path):
    columns = {"note": ["any, thing"] * 344, **dict(reversed(penguins().items()))}
    del columns["species"]
    write_table(tmp_path / "turned.csv", columns)
    assert done("predict", model, "turned.csv", "--proba").out == done("predict", model, "penguins", "--proba").out


def test_predict_writes_the_same_csv_to_a_file_and_says_so(done, model):
    expected = done("predict", model, "penguins", "--proba").out
    result = done("predict", model, "penguins", "--proba", "-o", "out.csv")
    assert result.out == ""
    assert result.err.endswith("344 predictions are in out.csv.\n")
    assert Path("out.csv").read_text() == expected


def test_classes_with_commas_quotes_and_newlines_come_back_from_the_csv(done, tmp_path):
    classes = ["a,b", 'say "hi"', "two\nlines", "Łódź"]
    write_table(tmp_path / "t.csv", {"x": range(12), "y": classes * 3})
    argv = ("--target", "y", "--learning-rate", "0.3", "--epochs", "300", "--activation", "tanh")
    done("train", "t.csv", *argv)
    out = done("predict", "t.safetensors", "t.csv", "--proba").out
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0] == ["prediction", *(f"p({label})" for label in sorted(classes))]
    assert len(rows) == 13
    assert {row[0] for row in rows[1:]} <= set(classes)


def test_a_value_never_seen_in_training_is_noted(done, model, tmp_path):
    columns = penguins()
    columns["island"] = ["Atlantis"] * 344
    write_table(tmp_path / "t.csv", columns)
    result = done("predict", model, "t.csv")
    assert "t.csv: island: 344 rows with a value not seen in training: 'Atlantis' (row 1)\n" in result.err
    assert len(result.out.splitlines()) == 345


@pytest.fixture
def ensemble(model):
    """A model of two networks with calibration and conformal scores, in the folder of the test."""
    known, path = load_model(model), "ensemble.safetensors"
    networks = [known.network, Network(known.network.layer_sizes, random_state=0)]
    scores = Conformal(np.sort(np.random.default_rng(0).exponential(0.5, 300)))
    parts = {"weights": [0.75, 0.25], "calibration": Calibration(0.5, np.array([0.5, 0.0, -0.5])), "conformal": scores}
    Model(networks, known.classes, known.encoding, known.record, **parts).save(path)
    return path


@pytest.mark.parametrize(
    ("coverage", "more", "sizes"), [(0.6, ["--allow-empty"], {0, 1}), (0.6, [], {1}), (0.9, [], {1, 2})]
)
def test_a_coverage_adds_the_prediction_set_of_each_row(done, ensemble, coverage, more, sizes):
    model, table = load_model(ensemble), read_table("penguins")
    P, sets = model.predict_proba(table), model.prediction_sets(table, coverage, allow_empty=bool(more))
    argv = ("predict", ensemble, "penguins", "--coverage", coverage, *more)
    assert sizes <= {*sets.sum(axis=1).tolist()}
    expected = [[str(model.classes[c]) for c in np.argsort(-p) if held[c]] for p, held in zip(P, sets, strict=True)]
    rows = list(csv.reader(io.StringIO(done(*argv, "--proba").out)))
    assert rows[0] == ["prediction", "set", "p(Adelie)", "p(Chinstrap)", "p(Gentoo)"]
    assert [row[1] for row in rows[1:]] == ["|".join(names) for names in expected]
    assert [row[2:] for row in rows[1:]] == [[f"{p:.6g}" for p in of_row] for of_row in P]
    lines = done(*argv, "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["set"] for line in lines] == expected
    done(*argv, "-o", "sets.parquet")
    assert pl.read_parquet("sets.parquet")["set"].to_list() == expected


def test_a_model_without_conformal_scores_has_no_prediction_sets(run, model):
    known = load_model(model)
    Model(known.networks, known.classes, known.encoding).save("plain.safetensors")
    result = run("predict", "plain.safetensors", "penguins", "--coverage", "0.9")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "Error: plain.safetensors has no scores for --coverage: a model that glassmax train --preset has made has "
        "them.\n"
    )


# --- evaluate --------------------------------------------------------------------------------------------------------


def test_evaluate_gives_the_figures_that_train_gave_for_the_same_rows(done):
    argv = ("train", "penguins", "--hidden", "8", "--epochs", "30", "--held-out", "0", "--json")
    facts = json.loads(done(*argv).out)
    assert facts["judged_on"] == "344 rows it was trained on"
    scored = json.loads(done("evaluate", "penguins.safetensors", "penguins", "--json").out)
    for name in ("accuracy", "log_loss", "classes", "confusion"):
        assert scored[name] == facts[name]
    assert scored["rows"] == 344


def test_evaluate_agrees_with_the_probabilities_that_predict_prints(done, model):
    scored = json.loads(done("evaluate", model, "penguins", "--json").out)
    P = load_model(model).predict_proba(read_table("penguins"))
    y = np.searchsorted(scored["classes"], list(penguins()["species"]))
    assert scored["log_loss"] == pytest.approx(-np.log(P[np.arange(344), y]).mean(), rel=1e-12)
    assert scored["accuracy"] == pytest.approx((P.argmax(axis=1) == y).mean(), rel=1e-15)
    counts = np.zeros((3, 3), int)
    np.add.at(counts, (y, P.argmax(axis=1)), 1)
    assert scored["confusion"] == counts.tolist()


def test_evaluate_for_people_shows_the_same_figures(done, model):
    scored = json.loads(done("evaluate", model, "penguins", "--json").out)
    out = done("evaluate", model, "penguins").out
    assert out.startswith("On 344 rows of penguins\n")
    assert f"{scored['accuracy']:.4f}" in out
    assert re.search(rf"^log-loss +{scored['log_loss']:.4f} +1.0492$", out, re.M)


def test_evaluate_shows_calibration_before_and_after_and_the_prediction_sets(done, ensemble):
    model, table = load_model(ensemble), read_table("penguins")
    y = np.searchsorted(model.classes, table.column("species").astype(str))
    scored = json.loads(done("evaluate", ensemble, "penguins", "--json").out)
    raw, calibrated = RunningMetrics(3), RunningMetrics(3)
    raw.add((model.logits(table) - model.calibration.bias) / 0.5, y)
    calibrated.add(model.logits(table), y)
    for name in ("log_loss", "calibration_error"):
        assert scored[name] == pytest.approx(getattr(calibrated.metrics(), name), rel=1e-9)
        assert scored["uncalibrated"][name] == pytest.approx(getattr(raw.metrics(), name), rel=1e-9)
    sets = model.prediction_sets(table, 0.9)
    expected = {"promised": 0.9, "coverage": sets[np.arange(344), y].mean(), "mean_size": sets.sum(axis=1).mean()}
    assert scored["prediction_sets"] == pytest.approx(expected)
    out = done("evaluate", ensemble, "penguins").out
    assert re.search(r"^ +ensemble +uncalibrated +class frequencies$", out, re.M)
    assert re.search(
        rf"^log-loss +{scored['log_loss']:.4f} +{scored['uncalibrated']['log_loss']:.4f} +1.0492$", out, re.M
    )
    assert re.search(rf"^coverage, 90 % sets +{expected['coverage']:.4f}$", out, re.M)


def test_evaluate_shows_how_often_the_model_was_right_by_its_probability(done, ensemble):
    model, table = load_model(ensemble), read_table("penguins")
    y, P = np.searchsorted(model.classes, table.column("species").astype(str)), model.predict_proba(table)
    place = np.minimum((P.max(axis=1) * 15).astype(int), 14)
    bins = json.loads(done("evaluate", ensemble, "penguins", "--reliability", "--json").out)["reliability"]
    assert len(bins) == len({*place}) > 1
    for held, found in zip(sorted({*place}), bins, strict=True):
        rows = place == held
        expected = P.max(axis=1)[rows].mean(), (P.argmax(axis=1) == y)[rows].mean(), rows.mean()
        assert tuple(found.values()) == pytest.approx(expected)
    out = done("evaluate", ensemble, "penguins", "--reliability").out
    assert re.search(r"^probability +right +share of rows$", out, re.M)
    for found in bins:
        right, mark = round(30 * found["accuracy"]), min(round(30 * found["mean_probability"]), 29)
        bar = f"{'━' * right:<30}"
        line = f"{bar[:mark]}┃{bar[mark + 1 :]}".rstrip()
        assert re.search(rf"^{found['mean_probability']:.4f} +{found['accuracy']:.4f} .* %  {line}$", out, re.M)


def test_evaluate_says_that_the_model_was_trained_on_a_table_of_this_name(done, model):
    said = "penguins: the model was trained on 275 rows of a table of this name."
    assert said in done("evaluate", model, "penguins").err


def test_evaluate_leaves_out_rows_without_a_class_and_says_so(done, model, tmp_path):
    columns = penguins()
    columns["species"] = [None, *columns["species"][1:]]
    write_table(tmp_path / "t.csv", columns)
    result = done("evaluate", model, "t.csv", "--json")
    assert "t.csv: left out because species is missing: 1 row\n" in result.err
    assert json.loads(result.out)["rows"] == 343


def test_a_few_rows_of_many_classes_can_be_evaluated(done, tmp_path):
    classes = [f"class {index:02}" for index in range(30)]
    write_table(tmp_path / "t.csv", {"x": range(90), "y": classes * 3})
    write_table(tmp_path / "few.csv", {"x": range(30), "y": classes})
    done("train", "t.csv", "--target", "y", "--epochs", "2", "--keep", "x")
    result = done("evaluate", "t.safetensors", "few.csv")
    assert result.out.startswith("On 30 rows of few.csv\n")
    assert re.search(r"^Most frequent confusions:\nrows +true +taken for\n1 +class \d\d +class \d\d$", result.out, re.M)


# --- info ------------------------------------------------------------------------------------------------------------


def test_info_says_what_is_installed(done):
    facts = json.loads(done("info", "--json").out)
    assert facts["glassmax"] == glassmax.__version__
    assert facts["built-in tables"] == ["digits", "penguins", "iris", "wine", "toy"]
    assert facts["NumPy"].startswith(np.__version__)
    labels = [line.split("  ")[0] for line in done("info").out.splitlines()]
    assert labels == [name for name in facts if name in labels]
    assert {"glassmax", "engine", "NumPy", "Python", "scikit-learn", "built-in tables"} <= {*labels}


def test_info_says_what_a_model_file_holds(done, model):
    facts = info_of(done, model)
    assert facts["network"] == "15-8-3"
    assert facts["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert facts["target"] == "species"
    assert facts["column island"] == "category: Biscoe, Dream, Torgersen"
    assert facts["table"] == "penguins"
    assert re.search(r"^column island +category: Biscoe, Dream, Torgersen$", done("info", model).out, re.M)


def test_info_knows_models_of_arrays_too(done):
    Model(Network([2, 2]), np.array([False, True])).save("m.safetensors")
    facts = info_of(done, "m.safetensors")
    assert facts["classes"] == ["False", "True"]
    assert "target" not in facts


# --- names and cells from hostile files ------------------------------------------------------------------------------


def test_control_characters_of_a_table_never_reach_the_terminal(run, done, tmp_path):
    escape, eight_bit, backwards = "\x1b[31m\x1b]0;gone\x07", "\x9b2J", "\u202e"
    write_table(
        tmp_path / "t.csv",
        {
            f"x{escape}": [row * row for row in range(40)],
            f"c{eight_bit}\nError: fake": [f"u{escape}", f"v{backwards}"] * 20,
            f"one{escape}": [f"w{escape}"] * 40,
            "y": [f"a{escape}", f"b{eight_bit}\nfake"] * 20,
        },
    )
    outputs = [
        done("train", "t.csv", "--target", "y", "--epochs", "1"),
        done("evaluate", "t.safetensors", "t.csv"),
        done("info", "t.safetensors"),
        done("info", "t.safetensors", "--json"),
        run("train", "t.csv"),
        run("train", "t.csv", "--target", "z"),
        run("train", "t.csv", "--target", f"x{escape}", "-o", "other"),
    ]
    columns = dict(read_table("t.csv").columns)
    for name, cells in (
        ("y", [f"q{escape}"] * 40),
        (f"x{escape}", [f"q{escape}"] * 40),
        (f"c{eight_bit}\nError: fake", [escape] * 40),
    ):
        write_table("bad.csv", columns | {name: cells})
        outputs.append(run("evaluate", "t.safetensors", "bad.csv"))
    assert [result.code for result in outputs[4:]] == [2, 1, 1, 1, 1, 0]
    for result in outputs:
        shown = result.out + result.err
        assert "\\x1b" in shown or "\\u001b" in shown
        assert not re.search(r"[^\n -~]", shown)
        assert not re.search(r"^(Error: fake|fake)", shown, re.M)


# --- runs that fail --------------------------------------------------------------------------------------------------


def test_a_run_that_diverges_says_where_and_keeps_what_was_good_beside_the_model(run, done):
    done("train", "penguins", "--epochs", "1", "-o", "m.safetensors")
    before = Path("m.safetensors").read_bytes()
    argv = ("train", "penguins", "--hidden", "10", "--solver", "sgd", "--learning-rate", "1e10", "-o", "m.safetensors")
    result = run(*argv)
    assert result.code == 1
    assert result.out == ""
    talk, error = result.err.splitlines()[-2:]
    assert talk == "The last good weights are in m.last-good.safetensors."
    assert re.match(r"Error: The loss is no longer finite in epoch \d+, step \d+, at learning rate 1e\+10\. ", error)
    assert "Try a learning rate of 0.001" in error
    assert Path("m.safetensors").read_bytes() == before
    assert listing() == ["m.last-good.safetensors", "m.safetensors"]
    assert load_model("m.last-good.safetensors").predict(read_table("penguins")).shape == (344,)


def test_a_run_that_diverges_at_once_writes_nothing(run):
    argv = ("train", "penguins", "--hidden", "10", "--solver", "sgd", "--learning-rate", "1e200")
    result = run(*argv)
    assert result.code == 1
    assert "Error: The loss is no longer finite in epoch 1, step 2, at learning rate 1e+200. " in result.err
    assert "nothing was written" in result.err
    assert listing() == []


def test_a_model_whose_figures_are_not_finite_is_not_written(run, monkeypatch):
    nothing = Comparison("training", {"network": RunningMetrics(3).metrics()})
    monkeypatch.setattr("glassmax.cli.training_run.compare", lambda *args, **kwargs: nothing)
    result = run("train", "toy", "--epochs", "1", "--json")
    assert result.code == 1
    assert result.out == ""
    assert result.err.splitlines()[-1] == (
        "Error: The log-loss of the network is nan, far worse than chance, at learning rate 0.001. No model was "
        "written. Try --learning-rate 0.0001."
    )
    assert listing() == []


def interrupt_at(monkeypatch, epoch):
    """Press Ctrl-C when an epoch begins."""
    engine = best_engine()
    session = ReferenceSession if engine.name == "reference" else sys.modules[type(engine).__module__].NativeSession
    real, begun = session.epoch, []

    def epoch_or_interrupt(*args, **kwargs):
        begun.append(1)
        if len(begun) == epoch:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(session, "epoch", epoch_or_interrupt)


def test_an_interrupted_run_keeps_the_epochs_it_has_had(run, done, monkeypatch):
    done("train", "penguins", "--epochs", "3", "-o", "three")
    interrupt_at(monkeypatch, 4)
    result = run("train", "penguins", "--hidden", "100", "-o", "interrupted")
    assert result.code == 130
    assert "Stopped by Ctrl-C after 3 epochs; the weights so far are kept.\n" in result.err
    assert result.out.startswith("On 69 rows held out\n")
    assert Path("interrupted").read_bytes() == Path("three").read_bytes()


def test_a_run_interrupted_in_its_first_epoch_writes_nothing(run, monkeypatch):
    interrupt_at(monkeypatch, 1)
    result = run("train", "penguins", "--threads", "1")  # with two, another network may be complete by then
    assert result.code == 130
    assert result.err.splitlines()[-1] == "Interrupted. Nothing was written."
    assert listing() == []


def test_an_interrupted_run_leaves_an_old_model_alone(run, done, monkeypatch):
    done("train", "toy", "--epochs", "2")
    before = Path("toy.safetensors").read_bytes()
    interrupt_at(monkeypatch, 1)
    assert run("train", "toy", "--epochs", "3").code == 130
    assert Path("toy.safetensors").read_bytes() == before


def test_a_fault_of_our_own_is_told_without_a_traceback_and_shown_with_debug(run, monkeypatch):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("a bug\nof ours")

    monkeypatch.setattr("glassmax.table.read_table", fail)
    result = run("train", "toy")
    assert result.code == 1
    assert result.err == (
        "Error: glassmax has failed, which is its own fault: ZeroDivisionError: a bug\\nof ours\n"
        "Run `glassmax --debug ...` to see where, and report it.\n"
    )
    debugged = run("--debug", "train", "toy")
    assert "Traceback (most recent call last)" in debugged.err
    assert debugged.err.endswith(result.err)


def test_too_little_memory_is_told_in_words(run, monkeypatch):
    def fail(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(type(best_engine()), "open", fail)
    result = run("train", "toy")
    assert result.code == 1
    expected = "Error: There is not enough memory for this. Try fewer rows or a smaller network."
    assert result.err.splitlines()[-1] == expected
    assert listing() == []


# --- in a process of its own -----------------------------------------------------------------------------------------


def child(*argv, **options):
    return subprocess.run(
        [sys.executable, *argv],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        stdin=subprocess.DEVNULL,
        **options,
    )


def test_importing_glassmax_loads_numpy_and_none_of_the_other_libraries():
    script = "import sys, glassmax; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = set(child("-c", script).stdout.split())
    assert {"glassmax", "numpy"} <= loaded
    assert loaded & {"scipy", "sklearn", "safetensors", "msgspec", "click", "rich", "pandas"} == set()


COMMANDS_WITHOUT_SCIKIT_LEARN = """
import sys
from glassmax.calibration import Calibration
from glassmax.cli import main
from glassmax.conformal import Conformal
FILES = ["p.safetensors", "penguins"]
for argv in ["--help"], ["train", "--help"], ["info"], ["info", FILES[0]], ["evaluate", *FILES], \\
        ["predict", *FILES, "--proba", "-o", "out.csv"]:
    sys.argv = ["glassmax", *argv]
    try:
        main()
    except SystemExit as stop:
        assert stop.code == 0, argv
    assert "sklearn" not in sys.modules, argv
"""


def test_help_info_predict_and_evaluate_do_without_scikit_learn_and_predict_the_same_bits(done, model, tmp_path):
    result = child("-c", COMMANDS_WITHOUT_SCIKIT_LEARN, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert Path("out.csv").read_text() == done("predict", model, "penguins", "--proba").out


INTERRUPTIBLE = """
import signal
from glassmax.calibration import Calibration
from glassmax.cli import main
from glassmax.conformal import Conformal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the runner of the tests has done to it
main()
"""
LONG_RUN = ["--epochs", "1000000", "--batch-size", "1", "--learning-rate", "1e-6"]


def test_ctrl_c_in_a_terminal_keeps_the_weights_and_exits_with_130(tmp_path):
    """The progress line tells when an epoch is done: then, and not before, the interrupt is sent."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "train", "penguins", *LONG_RUN],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=end,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "200"},
    )
    os.close(end)
    seen = b""
    try:
        while not re.search(rb"[1-9]\d*/1000000", seen):
            seen += os.read(terminal, 4096)
        process.send_signal(signal.SIGINT)
        rest = b""
        try:
            while block := os.read(terminal, 4096):
                rest += block
        except OSError:  # the other end is closed: the process has ended
            pass
        out = process.communicate(timeout=LIMIT)[0].decode()
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    assert process.returncode == 130
    assert re.search(rb"Stopped by Ctrl-C after [1-9]\d* epochs?; the weights so far are kept\.", rest)
    assert b"Traceback" not in rest
    assert out.startswith("On 69 rows held out\n")
    assert load_model(tmp_path / "penguins.safetensors").record["epochs"] >= 1
    assert listing(tmp_path) == ["penguins.safetensors"]


@pytest.mark.parametrize("argv", [["info"], ["--help"], ["predict", "p.safetensors", "penguins", "--proba"]])
def test_a_reader_that_has_gone_ends_the_run_in_silence(model, tmp_path, argv):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run(
            [sys.executable, "-m", "glassmax", *argv],
            cwd=tmp_path,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    finally:
        os.close(writer)
    assert result.returncode == 1
    assert not re.search("Error|Exception|Traceback|Broken", result.stderr)


FULL_DISK = """
import resource
from glassmax.calibration import Calibration
from glassmax.cli import main
from glassmax.conformal import Conformal
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # a file may hold a few bytes and no more
main()
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_stdout_is_told_in_words(model, tmp_path, unbuffered):
    argv = [sys.executable, "-c", FULL_DISK, "predict", model, "penguins"]
    with open(tmp_path / "out", "w") as out:
        result = subprocess.run(
            argv,
            cwd=tmp_path,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT,
            check=False,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "Error: The output can't be written: File too large."
    assert "Traceback" not in result.stderr


def test_a_full_disk_under_the_model_leaves_the_old_one_and_no_other_file(model, tmp_path):
    before = (tmp_path / model).read_bytes()
    result = child("-c", FULL_DISK, "train", "toy", "-o", model, cwd=tmp_path)
    assert result.returncode == 1
    expected = f"Error: {model} can't be written: File too large. Nothing has changed."
    assert result.stderr.splitlines()[-1] == expected
    assert result.stdout == ""
    assert (tmp_path / model).read_bytes() == before
    assert listing(tmp_path) == [model]


def test_results_are_utf_8_whatever_the_encoding_of_the_terminal(done, tmp_path):
    write_table(tmp_path / "t.csv", {"x": range(8), "y": ["Łódź", "Kraków"] * 4})
    done("train", "t.csv", "--target", "y", "--epochs", "1")
    script = (
        "import sys; from glassmax.cli import main; "
        "sys.argv = ['glassmax', 'predict', 't.safetensors', 't.csv', '--proba']; main()"
    )
    argv = [sys.executable, "-c", script]
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    result = subprocess.run(argv, cwd=tmp_path, capture_output=True, timeout=LIMIT, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode("utf-8") == done("predict", "t.safetensors", "t.csv", "--proba").out
