"""The rows of a table: target, weights, groups and times by name or as arrays, for people and for the command line."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from glassmax.estimator.tables.rows import TableRows, split_rows
from glassmax.table import ColumnOptions, as_table, read_table

N = 40


def frame() -> pd.DataFrame:
    """Return a frame with every kind of column."""
    return pd.DataFrame(
        {
            "size": np.arange(N) % 7 + 0.5,
            "color": ["red", "green", "blue", "red"] * (N // 4),
            "day": pd.date_range("2024-01-01", periods=N)[::-1],
            "patient": ["p", "p", "q", "r"] * (N // 4),
            "weight": np.arange(N) % 9 + 1.0,
            "y": ["no", "yes", "yes", "no", "no"] * (N // 5),
        }
    )


def test_names_and_arrays_give_the_same_rows():
    data = frame()
    named = TableRows(data, "y", "weight", groups="patient", time="day")
    others = data.drop(columns=["y", "weight", "patient"])
    given = TableRows(others, data["y"], data["weight"], groups=data["patient"], time=data["day"])
    for rows in (named, given):
        rows.learn_encoding()
    assert given.target == "y"
    for what in ("classes", "y", "weight", "groups", "time"):
        np.testing.assert_array_equal(getattr(named, what), getattr(given, what))
    np.testing.assert_array_equal(named.encoded(), given.encoded())
    assert named.encoding == given.encoding
    assert named.groups.tolist()[:4] == [0, 0, 1, 2]
    assert named.time.tolist() == list(range(N))[::-1]


def test_a_group_is_no_input_unless_it_is_kept():
    rows = TableRows(frame(), "y", groups="patient", time="day")
    rows.learn_encoding()
    assert rows.encoding.names == ["size", "color", "day", "weight"]
    rows = TableRows(frame(), "y", groups="patient", columns=ColumnOptions(keep=["patient"], ignore=["day", "weight"]))
    rows.learn_encoding()
    assert rows.encoding.names == ["size", "color", "patient"]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 1] * 20, [0, 1]),
        ([True, False] * 20, [False, True]),
        (["b", "a"] * 20, ["a", "b"]),
        (np.array(["b", "a"] * 20, object), ["a", "b"]),
        (np.array([2.0, 1.0] * 20), [1.0, 2.0]),
        (pd.Series(["b", "a"] * 20, dtype="category"), ["a", "b"]),
        (pl.Series("z", ["b", "a"] * 20), ["a", "b"]),
    ],
)
def test_labels_of_any_kind_are_classes(labels, classes):
    rows = TableRows(np.random.default_rng(0).normal(size=(N, 2)), labels)
    assert rows.classes.tolist() == classes
    np.testing.assert_array_equal(rows.classes[rows.y], np.asarray(labels))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_rows_without_a_label_are_left_out(missing):
    labels = [missing, *["a", "b"] * 19, "b"]
    rows = TableRows(frame()[["size"]], labels, np.arange(N) + 1.0, groups=np.arange(N))
    assert rows.unlabelled == 1
    assert rows.index.tolist() == list(range(1, N))
    assert rows.weight.tolist() == (np.arange(1, N) + 1.0).tolist()
    assert rows.table.n_rows == len(rows.y) == len(rows.groups) == N - 1


def test_labels_have_a_name_that_no_column_has():
    assert TableRows(frame(), [0, 1] * 20).target == "target"
    assert TableRows(frame(), pd.Series([0, 1] * 20, name="answer")).target == "answer"


def test_data_of_every_kind_is_the_same_table():
    data = frame()[["size", "color", "day"]]
    arrays, lists = ({name: getattr(data[name], how)() for name in data} for how in ("to_numpy", "tolist"))
    lists["day"] = arrays["day"]
    tables = [as_table(one) for one in (data, pl.DataFrame(data), arrays, lists)]
    for one in tables[1:]:
        assert one.names == tables[0].names
        for name in one.names:
            np.testing.assert_array_equal(one.column(name), tables[0].column(name), strict=True)
    np.testing.assert_array_equal(as_table([[1, 2.5], [3, 4.5]]).column("x1"), [2.5, 4.5])


def test_validation_rows_are_encoded_like_training_rows():
    data = frame()
    rows = TableRows(data, "y", "weight")
    rows.learn_encoding(np.arange(20))
    X, y, weight = rows.encoded_validation(data[20:])
    np.testing.assert_array_equal(X, rows.encoded(np.arange(20, N)))
    np.testing.assert_array_equal(y, rows.y[20:])
    np.testing.assert_array_equal(weight, rows.weight[20:])
    again = rows.encoded_validation(data[20:], data["y"][20:], data["weight"][20:])
    for one, other in zip(again, (X, y, weight), strict=True):
        np.testing.assert_array_equal(one, other)


def test_validation_rows_are_encoded_in_blocks(monkeypatch):
    data = frame()
    rows = TableRows(data, "y", "weight")
    rows.learn_encoding()
    whole, notes = rows.encoded_validation(data, dtype="float32")[0], rows.notes
    monkeypatch.setattr("glassmax.estimator.tables.blocks.MOST_AT_ONCE", 7 * rows.encoding.width)
    rows.learn_encoding()
    np.testing.assert_array_equal(rows.encoded_validation(data, dtype="float32")[0], whole, strict=True)
    assert rows.notes == notes


def test_class_weights_are_given_by_label_or_by_its_text():
    rows = TableRows(frame()[["size"]], [3, 5] * 20)
    assert rows.class_weight({3: 2.0}) == rows.class_weight({"3": 2.0}) == {0: 2.0, 1: 1.0}
    assert rows.class_weight("balanced") == "balanced"
    assert rows.class_weight({}) is None


def test_few_rows_are_all_trained_on():
    assert [len(part) for part in split_rows(np.arange(19) % 2, 0.2, 0)] == [19, 0]
    assert [len(part) for part in split_rows(np.arange(20) % 2, 0.2, 0)] == [16, 4]
    assert [len(part) for part in split_rows(np.arange(20) % 2, 0, 0)] == [20, 0]


def test_the_text_of_a_file_and_its_frame_are_encoded_alike():
    table = read_table("penguins")
    rows, of_dict = TableRows(table, "species"), TableRows(dict(table.columns), "species")
    for one in (rows, of_dict):
        one.learn_encoding()
    np.testing.assert_array_equal(rows.encoded(), of_dict.encoded())
