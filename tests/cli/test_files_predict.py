"""glassmax predict and evaluate on several files: what they print for one file with all of the rows."""

import json
import os

import numpy as np
import polars as pl
import pytest

from glassmax.cli.data_paths import batches_of


@pytest.fixture(scope="module")
def rows():
    """300 rows, of which the sign of x decides the class."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=300).round(3)
    return pl.DataFrame(
        {
            "id": [f"r{i}" for i in range(300)],
            "x": x,
            "c": rng.choice(["u", "v"], 300),
            "y": np.where(x + rng.normal(0, 0.3, 300) > 0, "yes", "no"),
        }
    )


@pytest.fixture
def files(rows, tmp_path, monkeypatch):
    """Write the rows into one file, and into a folder of twelve, where part-2 comes before part-10."""
    monkeypatch.chdir(tmp_path)
    rows.write_csv("all.csv")
    os.mkdir("parts")
    for part in range(12):
        rows[25 * part : 25 * part + 25].write_csv(f"parts/part-{part}.csv")


@pytest.fixture
def model(files, done):
    """Train a small model on the one file."""
    done("train", "all.csv", "--target", "y", "--hidden", "none", "--epochs", "30", "-o", "m", "--quiet")


@pytest.mark.parametrize("data", [["parts"], ["parts/"], ["parts/*.csv"], ["**/part-*.csv"]])
@pytest.mark.parametrize("options", [["--proba", "--keep", "id"], ["--above", "0.3", "--keep", "id"], ["--top", "2"]])
def test_predictions_of_several_files_are_those_of_one(model, done, data, options):
    assert done("predict", "m", *data, *options).out == done("predict", "m", "all.csv", *options).out


def test_files_named_one_by_one_are_read_in_natural_order(model, done):
    named = sorted(os.path.join("parts", name) for name in os.listdir("parts"))
    assert named.index("parts/part-10.csv") < named.index("parts/part-2.csv")
    assert done("predict", "m", *named, "--keep", "id").out == done("predict", "m", "all.csv", "--keep", "id").out


@pytest.mark.parametrize("ending", ["parquet", "arrow", "jsonl"])
def test_files_of_another_format(model, rows, done, ending):
    os.mkdir("other")
    write = {"parquet": pl.DataFrame.write_parquet, "arrow": pl.DataFrame.write_ipc, "jsonl": pl.DataFrame.write_ndjson}
    for part in range(3):
        write[ending](rows[100 * part : 100 * part + 100], f"other/part-{part}.{ending}")
    assert done("predict", "m", "other", "--proba").out == done("predict", "m", "all.csv", "--proba").out


@pytest.mark.parametrize("name", ["p.csv", "p.parquet", "p.jsonl"])
def test_predictions_go_into_one_output(model, done, name):
    done("predict", "m", "all.csv", "--keep", "id", "-o", f"one-{name}")
    said = done("predict", "m", "parts", "--keep", "id", "-o", name).err
    assert said == f"300 predictions are in {name}.\n"
    with open(name, "rb") as several, open(f"one-{name}", "rb") as one:
        assert several.read() == one.read()


def test_a_file_that_vanishes_leaves_the_earlier_predictions_as_they_are(model, run, monkeypatch):
    def vanishing(data, columns, reading):
        tables, name = batches_of(data, columns, reading)

        def rest():
            yield next(tables)
            os.remove("parts/part-7.csv")
            yield from tables

        return rest(), name

    monkeypatch.setattr("glassmax.cli.data_paths.batches_of", vanishing)
    with open("p.csv", "w") as earlier:
        earlier.write("earlier\n")
    result = run("predict", "m", "parts", "-o", "p.csv")
    words = "part-7.csv no longer exists. The file was there when the files were first listed."
    assert (result.code, result.out, result.err) == (1, "", f"Error: {words}\n")
    with open("p.csv") as kept:
        assert kept.read() == "earlier\n"
    assert sorted(os.listdir()) == ["all.csv", "m", "p.csv", "parts"]


def test_a_column_that_one_file_lacks_is_found_before_the_first_prediction(model, rows, run):
    rows.drop("c").write_csv("parts/part-12.csv")
    result = run("predict", "m", "parts")
    words = "part-12.csv lacks 'c', unlike part-0.csv. Write the same columns into each file, or name the columns to "
    assert (result.code, result.out, result.err) == (1, "", f"Error: {words}read with --column.\n")


def test_columns_that_the_model_does_not_use_may_differ(model, rows, done):
    rows.drop("id").write_csv("parts/part-12.csv")
    lines = done("predict", "m", "parts").out.splitlines()
    assert len(lines) == 1 + 600


def test_a_bad_cell_is_named_by_its_file_and_its_row_there(model, run):
    with open("parts/part-3.csv", "a") as file:
        file.write("r0,n/k,u,yes\n")
    result = run("predict", "m", "parts")
    assert result.code == 1
    assert result.err.startswith("Error: Row 26 of part-3.csv (line 27): column 'x' is 'n/k', expected a number")


def test_evaluate_scores_the_rows_of_all_files(model, done):
    one, several = (json.loads(done("evaluate", "m", data, "--json").out) for data in ("all.csv", "parts"))
    assert several.keys() == one.keys()
    assert several["confusion"] == one["confusion"]
    assert several["log_loss"] == pytest.approx(one["log_loss"], rel=1e-13)
    assert done("evaluate", "m", "parts", "--by", "c").out.startswith("On 300 rows of parts\n")


def test_evaluate_names_all_files_where_none_has_a_class(model, rows, run):
    os.mkdir("untold")
    for part in range(2):
        rows.with_columns(y=pl.lit(None, pl.String)).write_csv(f"untold/part-{part}.csv")
    result = run("evaluate", "m", "untold")
    assert result.err == "Error: untold: no row has a value in the target column 'y'.\n"
