"""The command line with very many classes: no list of all of them, and no number for each row and class."""

import csv
import io
import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

import glassmax.estimator.classifier
from glassmax import Model, Network, load_model, read_table
from glassmax.calibration import Calibration
from glassmax.cli import many_classes, progress, training_cost, training_run
from glassmax.cli.class_embeddings import read_class_embeddings
from glassmax.conformal import Conformal
from glassmax.errors import DataError
from glassmax.likely_classes import LikelyClasses
from glassmax.table import Encoding

from .test_terminal import terminal

K, N = 5000, 40
LABELS = np.array([f"item {i:04d}" for i in range(K)])


def rows_of(n, seed=0):
    draw = np.random.default_rng(seed)
    return pl.DataFrame({"a": draw.normal(size=n), "b": draw.normal(size=n), "item": LABELS[draw.integers(K, size=n)]})


def network(seed):
    found = Network([2, 6, K], dtype="float32", random_state=seed)
    found.parameters["W2"][...] *= 200  # some classes are probable
    return found


def kinds():
    bias = np.random.default_rng(3).normal(size=K) / 5
    return {
        "one network": {"networks": network(1)},
        "several networks": {"networks": [network(1), network(2), network(3)], "weights": [0.5, 0.25, 0.25]},
        "calibrated": {"networks": [network(1)], "weights": [1.0], "calibration": Calibration(0.7, bias)},
    }


@pytest.fixture(params=["one network", "several networks", "calibrated"])
def model(request, tmp_path):
    """Write t.csv and a model of it, m.safetensors; return the model."""
    rows_of(N).write_csv(tmp_path / "t.csv")
    encoding, _ = Encoding.learn(read_table(tmp_path / "t.csv"), "item")
    made = Model(classes=LABELS, encoding=encoding, **kinds()[request.param])
    made.save(tmp_path / "m.safetensors")
    return made


@pytest.fixture
def without_all_probabilities(monkeypatch):
    """Let nothing make a number for each row and class."""

    def refuse(*args, **kwargs):
        raise AssertionError("all probabilities were asked for")

    monkeypatch.setattr(Model, "predictions", refuse)
    monkeypatch.setattr(Model, "predict_proba", refuse)


def probabilities(model, table):
    return model.predict_proba(read_table(table)).astype(np.float64)


def lines(text):
    return list(csv.DictReader(io.StringIO(text)))


def in_blocks_of(monkeypatch, rows):
    monkeypatch.setattr(LikelyClasses, "rows_at_once", lambda self, count: rows)


# --- predict ---------------------------------------------------------------------------------------------------------


def test_the_most_probable_classes_are_those_of_all_probabilities(model, done, tmp_path, monkeypatch):
    P = probabilities(model, tmp_path / "t.csv")
    in_blocks_of(monkeypatch, 7)
    monkeypatch.setattr(Model, "predictions", None)
    found = lines(done("predict", "m.safetensors", "t.csv", "--top", 3).out)
    order = np.argsort(-P, axis=1, kind="stable")[:, :3]
    assert [[row[f"top {i}"] for i in (1, 2, 3)] for row in found] == LABELS[order].tolist()
    shown = [[float(row[f"p(top {i})"]) for i in (1, 2, 3)] for row in found]
    np.testing.assert_allclose(shown, np.take_along_axis(P, order, axis=1), rtol=2e-5)
    assert [row["prediction"] for row in found] == LABELS[order[:, 0]].tolist()


def test_a_plain_prediction_needs_no_probabilities_of_all_classes(model, done, tmp_path, without_all_probabilities):
    predictions = [row["prediction"] for row in lines(done("predict", "m.safetensors", "t.csv").out)]
    assert predictions == model.predict(read_table(tmp_path / "t.csv")).tolist()


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_classes_above_a_threshold_have_a_line_each(model, done, tmp_path, monkeypatch, form):
    P = probabilities(model, tmp_path / "t.csv")
    rows, columns = np.nonzero(P >= 0.015)
    assert len(rows) > len(set(rows.tolist())) > 1  # some rows have several
    order = np.lexsort((-P[rows, columns], rows))
    expected = [(int(row) + 1, str(LABELS[column])) for row, column in zip(rows[order], columns[order], strict=True)]
    in_blocks_of(monkeypatch, 7)
    monkeypatch.setattr(Model, "predictions", None)
    done("predict", "m.safetensors", "t.csv", "--above", 0.015, "--keep", "a", "-o", f"p.{form}")
    path = tmp_path / f"p.{form}"
    found = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}[form](path)
    assert found.columns == ["a", "row", "class", "probability"]
    assert list(zip(found["row"], found["class"], strict=True)) == expected
    np.testing.assert_allclose(found["probability"], P[rows, columns][order], rtol=2e-5)
    a = read_table(tmp_path / "t.csv").column("a")
    np.testing.assert_allclose(found["a"], a[rows[order]])


def test_very_many_classes_above_a_threshold_are_all_found():
    found = Network([1, K], random_state=0)
    found.theta = np.zeros(found.theta.size)
    found.parameters["b1"][:700] = 9  # 700 equal ones, and nearly nothing for the others
    from glassmax.engine import best_engine

    above = LikelyClasses(best_engine(), [found], np.ones(1), None).above(np.zeros((2, 1)), 0.001)
    assert above.rows.tolist() == [0] * 700 + [1] * 700
    assert above.labels.tolist() == [*range(700)] * 2
    np.testing.assert_allclose(above.probabilities, 1 / (700 + (K - 700) * np.exp(-9)), rtol=1e-9)


@pytest.mark.parametrize("allow_empty", [False, True])
@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.99])
def test_prediction_sets_of_very_many_classes_are_those_of_all_probabilities(
    model, done, tmp_path, monkeypatch, coverage, allow_empty
):
    P = probabilities(model, tmp_path / "t.csv")
    scores = np.sort(-np.log(np.linspace(0.2, 0.004, 30)))  # too few for 99 %: all classes are in
    model.conformal = Conformal(scores)
    model.save(tmp_path / "m.safetensors")
    sets = model.prediction_sets(read_table(tmp_path / "t.csv"), coverage, allow_empty=allow_empty)
    options = ["--coverage", coverage, "--top", 2, "--allow-empty"][: 5 if allow_empty else 4]
    if coverage < 0.99:
        assert coverage == 0.5 or len(set(sets.sum(axis=1))) >= 2
        in_blocks_of(monkeypatch, 7)
        monkeypatch.setattr(Model, "predictions_with_sets", None)
    found = lines(done("predict", "m.safetensors", "t.csv", *options).out)
    for row, p, held in zip(found, P, sets, strict=True):
        expected = [str(LABELS[c]) for c in np.argsort(-p, kind="stable") if held[c]]
        if coverage < 0.99:
            assert row["set"] == "|".join(expected)
        else:
            assert sorted(row["set"].split("|")) == sorted(expected)
        assert row["top 1"] == row["prediction"] == str(LABELS[p.argmax()])


def test_a_row_without_a_class_above_the_threshold_has_no_line(model, done):
    found = done("predict", "m.safetensors", "t.csv", "--above", 1).out
    assert found == "row,class,probability\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--above", "0.1", "--top", "2"],
            "--above writes one line for each class of a row, and --top adds columns to one line for each row. Pass "
            "one of them.",
        ),
        (
            ["--above", "0.1", "--proba"],
            "--above writes one line for each class of a row, and --proba adds columns to one line for each row. Pass "
            "one of them.",
        ),
        (["--above", "0"], "--above is '0', expected a number >= 0.001 and <= 1."),
    ],
)
def test_options_that_contradict_above(run, options, message):
    result = run("predict", "m.safetensors", "t.csv", *options)
    assert result.code == 2
    assert result.err.splitlines()[-1] == f"Error: {message}"


def test_the_probabilities_of_too_many_classes_are_refused(model, run, monkeypatch):
    from glassmax.cli.commands import predict

    monkeypatch.setattr(predict, "MOST_PROBABILITIES", 4000)
    result = run("predict", "m.safetensors", "t.csv", "--proba")
    assert (result.code, result.out) == (2, "")
    assert result.err.splitlines()[-1] == (
        "Error: --proba adds a column for each class, and m.safetensors has 5,000 classes, expected 4,000 at most. "
        "Pass --top N for the N most probable classes of each row, or --above P for the classes with a "
        "probability of at least P."
    )


# --- evaluate --------------------------------------------------------------------------------------------------------


def test_evaluate_knows_the_figures_without_all_probabilities(model, done, tmp_path, monkeypatch):
    P = probabilities(model, tmp_path / "t.csv")
    y = np.searchsorted(LABELS, rows_of(N)["item"].to_numpy())
    rows, order = np.arange(N), np.argsort(-P, axis=1, kind="stable")
    in_blocks_of(monkeypatch, 9)
    monkeypatch.setattr(Model, "predictions", None)
    found = json.loads(done("evaluate", "m.safetensors", "t.csv", "--top", 1500, "--json").out)
    assert found["rows"] == N
    np.testing.assert_allclose(found["log_loss"], -np.log(P[rows, y]).mean(), rtol=1e-4)
    brier = ((P**2).sum(axis=1) - 2 * P[rows, y] + 1).mean()
    np.testing.assert_allclose(found["brier_score"], brier, rtol=1e-4)
    assert found["accuracy"] == (order[:, 0] == y).mean()
    assert found["top_1500_accuracy"] == (order[:, :1500] == y[:, None]).any(axis=1).mean() > 0
    assert found["n_classes"] == K
    assert found["classes"] == LABELS[:1000].tolist()
    assert {(true, predicted) for true, predicted, _ in found["confused"]} <= set(
        zip(LABELS[y].tolist(), LABELS[order[:, 0]].tolist(), strict=True)
    )
    assert sum(count for *_, count in found["confused"]) == N * (1 - found["accuracy"])


def test_evaluate_prints_few_lines(model, done):
    shown = done("evaluate", "m.safetensors", "t.csv", "--top", 5).out
    assert "top-5 accuracy" in shown
    assert "Most frequent confusions:" in shown
    assert len(shown.splitlines()) < 25


def test_top_accuracy_of_few_classes_is_counted_by_all_logits(done, tmp_path):
    pl.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "y": ["u", "v", "w", "u"]}).write_csv(tmp_path / "t.csv")
    encoding, _ = Encoding.learn(read_table(tmp_path / "t.csv"), "y")
    made = Network([encoding.width, 3])
    made.theta = np.zeros(made.theta.size)
    made.parameters["b1"][...] = [1, 0, 2]  # w, u, v in every row
    Model(made, ["u", "v", "w"], encoding).save(tmp_path / "m.safetensors")
    for top, share in ((1, 0.25), (2, 0.75), (3, 1.0), (9, 1.0)):
        found = json.loads(done("evaluate", "m.safetensors", "t.csv", "--top", top, "--json").out)
        assert found[f"top_{top}_accuracy"] == share


def test_evaluate_by_groups_of_rows(model, done, tmp_path, monkeypatch):
    frame = rows_of(N).with_columns(pl.Series("place", ["north", "south"] * (N // 2)))
    frame.write_csv(tmp_path / "t.csv")
    whole = json.loads(done("evaluate", "m.safetensors", "t.csv", "--by", "place", "--json").out)
    frame.filter(pl.col("place") == "south").write_csv(tmp_path / "s.csv")
    south = json.loads(done("evaluate", "m.safetensors", "s.csv", "--json").out)
    assert whole["by"]["place"]["south"]["log_loss"] == pytest.approx(south["log_loss"], rel=1e-12)
    assert whole["by"]["place"]["south"]["rows"] == N // 2


# --- info, and what training says ------------------------------------------------------------------------------------


def test_info_names_ten_of_many_classes(model, done):
    shown = done("info", "m.safetensors").out.splitlines()
    (classes,) = [line for line in shown if line.startswith("classes")]
    assert classes.split("  ", 1)[1].strip() == f"5,000: {', '.join(LABELS[:10])}, ..."
    assert max(map(len, shown)) < 200
    facts = json.loads(done("info", "m.safetensors", "--json").out)
    assert (facts["n_classes"], facts["classes"]) == (K, LABELS[:1000].tolist())


@pytest.fixture
def orders(tmp_path):
    """Write orders.csv: 40 products of 3 to 12 rows."""
    counts = [3] * 10 + [12] * 30
    item = np.repeat([f"p{i:02d}" for i in range(40)], counts)
    draw = np.random.default_rng(0)
    a = np.repeat(np.arange(40.0), counts) + draw.normal(size=len(item)) / 10
    pl.DataFrame({"a": a, "b": draw.normal(size=len(item)), "product": item}).write_csv(tmp_path / "orders.csv")


OF_ORDERS = ("train", "orders.csv", "--target", "product")
OF_NETWORK = (*OF_ORDERS, "--no-baseline", "--hidden", "4", "--epochs")


def test_rare_classes_are_put_together_and_said_to_be(orders, done, tmp_path):
    said = done(*OF_NETWORK, 2, "--min-count", 5).err
    assert (
        "10 of 40 classes of product have fewer than 5 rows and were put into the class 'other': "
        "p00, p01, p02, p03, p04 and 5 more"
    ) in said
    assert load_model(tmp_path / "orders.safetensors").classes.tolist() == ["other", *(f"p{i}" for i in range(10, 40))]
    found = json.loads(done("evaluate", "orders.safetensors", "orders.csv", "--json").out)
    assert found["rows"] == 390  # the rows of rare classes are rows of the class other
    again = done(*OF_NETWORK, 1, "--min-count", 5, "--other-label", "rest")
    assert "the class 'rest'" in again.err


def test_rare_classes_of_many_are_named_before_the_training(orders, done, monkeypatch):
    from glassmax.estimator.tables import notes

    monkeypatch.setattr(notes, "MANY_CLASSES", 30)
    said = done(*OF_NETWORK, 1).err
    assert (
        "10 of 40 classes of product have fewer than 5 rows: p00, p01, p02, p03, p04 and 5 more. To put rare classes "
        "together as one class: --min-count 5"
    ) in said


def test_many_classes_train_one_network_in_place_of_a_preset(orders, done, run, tmp_path, monkeypatch):
    monkeypatch.setattr(training_run, "MANY_CLASSES", 30)
    monkeypatch.setattr(many_classes, "MANY_CLASSES", 30)
    monkeypatch.setitem(training_run.FOR_MANY_CLASSES, "epochs", 2)
    said = done(*OF_ORDERS).err
    assert "network 2-128-40" in said
    assert "with 30 classes or more, one network is trained in place of a preset" in said
    assert len(load_model(tmp_path / "orders.safetensors").networks) == 1
    refused = run(*OF_ORDERS, "--preset", "best")
    assert (refused.code, refused.err.splitlines()[-1]) == (
        1,
        "Error: A preset takes fewer than 30 classes, because it keeps a probability for each row and class. "
        "orders.csv has 40 classes of product. Pass --hidden 128 to train one network, or "
        "--min-count 10 to put rare classes together.",
    )


def test_memory_and_time_of_an_epoch_are_said_if_they_are_much(orders, done, monkeypatch):
    assert "needs" not in done(*OF_NETWORK, 1).err
    monkeypatch.setattr(training_cost, "MUCH_MEMORY", 1)
    assert " kB; at most 1 epoch" in done(*OF_NETWORK, 1).err
    monkeypatch.setattr(training_cost, "MANY_FLOPS", 1)
    assert " an epoch; at most 1 epoch" in done(*OF_NETWORK, 1).err
    monkeypatch.setattr(training_cost, "available_memory", lambda: 1)
    assert "of memory is available." in done(*OF_NETWORK, 1).err


def test_the_doctor_takes_no_network_of_very_many_classes(run):
    result = run("doctor", "mine.py", "--network", "4-8-20000")
    assert (result.code, result.err.splitlines()[-1]) == (
        2,
        "Error: --network has 20,000 outputs, expected 500 at most, because many possible mistakes are "
        "computed. Pass fewer outputs, such as --network 4-10-3: the mistake is the same for any number of classes.",
    )


def test_the_options_of_the_last_layer_reach_the_model(orders, tmp_path):
    embeddings = pl.DataFrame({"product": [f"p{i:02d}" for i in range(40)], "u": range(40), "v": [1] * 40})
    embeddings.write_csv(tmp_path / "e.csv")
    options = ["--no-output-bias", "--z-loss", "0.01", "--softcap", "20", "--softmax-temperature", "0.5"]
    argv = [*OF_ORDERS, "--no-baseline", "--epochs", "1", "--class-embeddings", "e.csv", *options]
    child = subprocess.run(
        [sys.executable, "-m", "glassmax", *argv], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    made = load_model(tmp_path / "orders.safetensors").network
    assert made.layer_sizes == (2, 2, 40)
    assert made.parameters["W2"].T.tolist() == [[float(i), 1.0] for i in range(40)]
    assert not made.parameters["b2"].any()
    head = made.head
    assert (head.softcap, head.z_loss, head.temperature) == (20, 0.01, 0.5)
    assert made.frozen == ("W2", "b2")


@pytest.mark.parametrize(
    ("typed", "size"),
    [
        ("16MB", 16_000_000),
        ("64 mb", 64_000_000),
        ("1GB", 10**9),
        ("1.5GiB", 3 * 2**29),
        ("20000kB", 20_000_000),
        ("2g", 2 * 10**9),
    ]
    + [("16777216", 2**24)],
)
def test_a_memory_limit_is_typed_with_its_unit(done, typed, size):
    assert f"memory-limit = {size}\n" in done("train", "iris", "--memory-limit", typed, "--print-config").out


def test_the_memory_limit_reaches_the_network_and_may_be_in_a_configuration(orders, done, run, monkeypatch, tmp_path):
    written = done(*OF_NETWORK, 1, "--memory-limit", "32MB", "--print-config").out
    assert "memory-limit = 32000000" in written
    (tmp_path / "run.toml").write_text(written.replace("32000000", '"32MB"'))
    limits, best = [], glassmax.estimator.classifier.best_engine

    def spy(n_threads, memory_limit=None):
        limits.append(memory_limit)
        return best(n_threads, memory_limit)

    monkeypatch.setattr(glassmax.estimator.classifier, "best_engine", spy)
    done("train", "--config", "run.toml")
    assert limits[0] == 32_000_000


@pytest.mark.parametrize(
    "typed", ["15MB", "64", "0", "-64MB", "lots", "", "64 parsecs", "64MB/s", "1e9", "nan", "9999999999TB", "6,4GB"]
)
def test_another_memory_limit_is_refused(run, typed):
    result = run("train", "iris", "--memory-limit", typed)
    assert (result.code, result.err.splitlines()[-1]) == (
        2,
        f"Error: --memory-limit is {typed!r}, expected at least 16MB, such as 64MB or 1GB.",
    )


# --- progress within an epoch ----------------------------------------------------------------------------------------


def test_a_terminal_shows_how_far_an_epoch_is(monkeypatch):
    shown = terminal()
    monkeypatch.setattr(progress, "console", lambda err: shown)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_DRAWINGS", -1)
    with progress.of_epochs(3, lambda: "", list) as (_, within):
        within(250, 1000, 5.5)
        within(500, 1000, 4.5)
    drawn = shown.file.getvalue()
    assert "50 % of epoch 1, loss 4.5000" in drawn


def test_the_epochs_before_a_checkpoint_count(monkeypatch):
    shown = terminal()
    monkeypatch.setattr(progress, "console", lambda err: shown)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_DRAWINGS", -1)
    with progress.of_epochs(4, lambda: "", lambda: [5.0, 4.0]) as (_, within):
        within(500, 1000, 3.5)
    drawn = shown.file.getvalue()
    assert "2/4" in drawn
    assert "50 % of epoch 3, loss 3.5000" in drawn


def test_a_resumed_run_goes_on_counting(orders, done, monkeypatch, tmp_path):
    seen = []
    of_epochs = progress.of_epochs

    def spy(most, score, losses):
        seen.append(losses)
        return of_epochs(most, score, losses)

    monkeypatch.setattr(training_run, "of_epochs", spy)
    done(*OF_NETWORK, 2, "--checkpoint", "cp")
    done(*OF_NETWORK, 5, "--checkpoint", "cp")
    assert [len(losses()) for losses in seen] == [2, 5]


def test_a_pipe_is_not_shown_how_far_an_epoch_is(monkeypatch, capsys):
    monkeypatch.setattr(progress, "console", lambda err: None)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1)
    with progress.of_epochs(3, lambda: "", list) as (_, within):
        within(500, 1000, 4.5)
    assert capsys.readouterr() == ("", "")


# --- class embeddings ------------------------------------------------------------------------------------------------


CLASSES = np.array(["a", "b", "c"])
E = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)


def test_class_embeddings_are_read_from_arrays_and_tables(tmp_path):
    np.save(tmp_path / "e.npy", E)
    save_file({"E": E}, tmp_path / "e.safetensors")
    pl.DataFrame({"word": ["c", "x", "a", "b"], "u": [5, 0, 1, 3], "v": [6, 0, 2, 4]}).write_csv(tmp_path / "e.csv")
    pl.DataFrame({"u": [5, 1, 3], "y": ["c", "a", "b"], "v": [6, 2, 4]}).write_csv(tmp_path / "named.csv")
    for name in ("e.npy", "e.safetensors", "e.csv", "named.csv"):
        assert read_class_embeddings(str(tmp_path / name), CLASSES, "y").tolist() == E.tolist(), name


def test_class_embeddings_of_numbers_as_classes(tmp_path):
    pl.DataFrame({"y": [10, 2, 7], "u": [3, 1, 2]}).write_csv(tmp_path / "e.csv")
    assert read_class_embeddings(str(tmp_path / "e.csv"), np.array([2, 7, 10]), "y").tolist() == [[1], [2], [3]]


def write_faulty(folder):
    np.save(folder / "short.npy", E[:2])
    np.save(folder / "objects.npy", np.array([{}], object), allow_pickle=True)
    save_file({"E": E, "F": E}, folder / "two.safetensors")
    (folder / "damaged.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    (folder / "lacks.csv").write_text("y,u\na,1\nb,2\nd,3\n")
    (folder / "twice.csv").write_text("y,u\na,1\nb,2\na,3\nc,3\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "short.npy",
            "short.npy holds float32 of shape (2, 2), expected 3 rows of numbers: one for each class of y, in sorted "
            "order. A table with a column of classes may have its rows in any order.",
        ),
        ("objects.npy", "objects.npy can't be read: "),
        ("none.npy", "none.npy can't be read: No such file or directory."),
        ("two.safetensors", "two.safetensors holds 2 arrays, expected one: the class embeddings."),
        ("damaged.safetensors", "damaged.safetensors can't be read: "),
        (
            "lacks.csv",
            "lacks.csv has no row for 1 of the 3 classes of y, such as 'c', expected a row for each class.",
        ),
        ("twice.csv", "Row 3 of twice.csv (line 4): 'a' has two rows, expected one for each class."),
    ],
)
def test_class_embeddings_that_can_not_be_used(tmp_path, monkeypatch, name, message):
    write_faulty(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        read_class_embeddings(name, CLASSES, "y")
    assert str(caught.value).startswith(message)
