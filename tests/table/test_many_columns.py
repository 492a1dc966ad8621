"""More columns than a preset trains on in about a minute and a gigabyte: refused at once, with what to do."""

import json

import numpy as np
import polars as pl
import pytest

from glassmax import TableClassifier, read_table
from glassmax.errors import DataError, OptionError
from glassmax.table import ColumnOptions, infer, read_batches
from glassmax.table.table import MOST_COLUMNS

FOR_ARRAYS = "or train SoftmaxClassifier on an array or a sparse matrix, which may have any number of columns."
OF_FILES = f"Name the columns to read with columns, {FOR_ARRAYS}"


def names_of(n_columns):
    return [f"x{j}" for j in range(n_columns)]


def write_csv(path, n_columns):
    row = ",".join(["1"] * n_columns)
    path.write_text(f"{','.join(names_of(n_columns))},y\n{row},a\n{row},b\n")


def write_json_lines(path, n_columns):
    path.write_text("".join(json.dumps(dict.fromkeys(names_of(n_columns), 1) | {"y": y}) + "\n" for y in "ab"))


def write_arrow(path, n_columns):
    row = np.ones(2)
    pl.DataFrame(dict.fromkeys(names_of(n_columns), row) | {"y": ["a", "b"]}).write_ipc(path)


WRITERS = {"t.csv": write_csv, "t.jsonl": write_json_lines, "t.arrow": write_arrow}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_of_too_many_columns_is_refused_by_its_header(tmp_path, monkeypatch, name):
    monkeypatch.setattr("glassmax.table.table.MOST_COLUMNS", 5)
    path = tmp_path / name
    WRITERS[name](path, 6)
    with pytest.raises(DataError) as raised:
        read_table(path)
    where = f"{name} (line 1)" if name == "t.jsonl" else name
    assert str(raised.value) == f"{where} has 6 columns to learn from, expected at most 5. {OF_FILES}"
    assert list(next(read_batches(path, columns=["x3", "y"])).columns) == ["x3", "y"]
    assert {name: cells.tolist() for name, cells in read_table(path, columns=["y", "x3", "y"]).columns.items()} == {
        "x3": [1.0, 1.0],
        "y": ["a", "b"],
    }
    WRITERS[name](path, 5)
    assert len(read_table(path).columns) == 6


def test_the_limit_of_a_csv_file_is_that_of_the_message(tmp_path):
    write_csv(tmp_path / "t.csv", MOST_COLUMNS + 1)
    with pytest.raises(DataError, match=r"^t\.csv has 20001 columns to learn from, expected at most 20000\. Name"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize("kind", ["frame", "dict", "array"])
def test_a_table_in_memory_of_too_many_columns_is_refused_before_training(monkeypatch, kind):
    monkeypatch.setattr("glassmax.table.table.MOST_COLUMNS", 5)
    X = np.random.default_rng(0).normal(size=(40, 6))
    columns = dict(zip(names_of(6), X.T, strict=True))
    data = {"frame": pl.DataFrame(columns), "dict": columns, "array": X}[kind]
    with pytest.raises(DataError) as raised:
        TableClassifier("fast").fit(data, ["a", "b"] * 20)
    assert str(raised.value) == (
        f"X has 6 columns to learn from, expected at most 5. Leave columns out with ignore, {FOR_ARRAYS}"
    )


def test_columns_that_are_left_out_do_not_count(monkeypatch):
    monkeypatch.setattr("glassmax.table.table.MOST_COLUMNS", 5)
    X = np.random.default_rng(0).normal(size=(40, 7))
    table = read_table(pl.DataFrame(dict(zip(names_of(7), X.T, strict=True)) | {"y": ["a", "b"] * 20}))
    assert list(infer(table, ("y",), ColumnOptions(ignore=["x0", "x4"])).kinds) == ["x1", "x2", "x3", "x5", "x6"]
    with pytest.raises(DataError, match="has 6 columns"):
        infer(table, ("y",), ColumnOptions(ignore=["x0"]))


@pytest.mark.parametrize("source", ["penguins", "file", "frame", "table"])
def test_the_columns_that_are_named_are_read_in_their_order(tmp_path, source):
    frame = pl.DataFrame({"x": [1, 2], "w": ["a", "NA"], "bad": [[1], [2]], "y": ["a", "b"]})
    frame.drop("bad").write_csv(tmp_path / "t.csv")
    of = {"file": tmp_path / "t.csv", "frame": frame, "table": read_table(frame)}.get(source, source)
    if source == "penguins":
        table = read_table(of, columns=["year", "species"])
        assert (list(table.columns), table.target) == (["species", "year"], "species")
        assert read_table(of, columns=["year"]).target is None
        return
    table = read_table(of, columns=["y", "w"])
    assert (list(table.columns), table.unusable) == (["w", "y"], {})
    assert list(table.words) == (["w"] if source == "file" else [])  # a frame tells the word from a missing cell
    assert set(table.names) >= {"x", "w", "y"}
    with pytest.raises(DataError, match="has no column 'z'"):
        read_table(of, columns=["y", "z"])


@pytest.mark.parametrize("columns", ["x0", [], 3])
def test_columns_are_a_list_of_names(columns):
    with pytest.raises(OptionError, match=r"expected a list of names, such as \['age', 'sex'\]"):
        read_table("penguins", columns=columns)
