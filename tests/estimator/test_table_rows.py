"""The rows of a table: target, weights, groups and times by name or as arrays, for people and for the command line."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from glassmax.errors import DataError, GlassmaxError, LabelError, OptionError
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


REFUSED = {
    "labels_of_another_length": (
        lambda: TableRows(frame(), [0, 1]),
        LabelError("y has 2 labels, expected 40: one for each row of X."),
    ),
    "no_label": (lambda: TableRows(frame(), [None] * N), LabelError("y has no labels: all 40 are missing.")),
    "measurements": (
        lambda: TableRows(frame(), np.linspace(0, 1, N)),
        LabelError(
            "Unknown label type: continuous. Row 1 of y is 0.025641, expected a class: text or a whole number. "
            "glassmax predicts classes, not measurements."
        ),
    ),
    "labels_of_two_kinds": (
        lambda: TableRows(frame(), ["a", 1] * 20),
        LabelError("y holds labels of type int, str, expected all of one type."),
    ),
    "one_class_in_a_column": (
        lambda: TableRows({"x": range(3), "y": ["a"] * 3}, "y"),
        DataError("X: target 'y' is 'a' in every row, expected at least two different classes."),
    ),
    "a_row_of_classes": (
        lambda: TableRows(frame(), np.full((N, 2), 0.5)),
        LabelError("target is (40, 2), expected (n,): one label a row."),
    ),
    "weights_below_0": (
        lambda: TableRows(frame(), "y", -np.ones(N)),
        LabelError("Row 0 of sample_weight is -1, expected a number >= 0."),
    ),
    "weights_of_another_length": (
        lambda: TableRows(frame(), "y", [1.0]),
        LabelError("sample_weight has the shape (1,), expected (40,): one for each row."),
    ),
    "no_weight_at_all": (
        lambda: TableRows(frame(), "y", np.zeros(N)),
        LabelError("sample_weight is zero for every row, expected at least one number > 0."),
    ),
    "groups_of_another_length": (
        lambda: TableRows(frame(), "y", groups=[1]),
        LabelError("groups has the shape (1,), expected (40,): one for each row."),
    ),
    "a_time_that_is_text": (
        lambda: TableRows(frame(), "y", time="color"),
        DataError("Column 'color' of X is no time, expected numbers or dates, as 2024-05-31."),
    ),
    "a_time_that_is_missing": (
        lambda: TableRows(frame(), "y", time=[None, *range(N - 1)]),
        DataError("Row 1 of X: the time 'time' is missing, expected a number or a date in every row."),
    ),
    "times_of_another_length": (
        lambda: TableRows(frame(), "y", time=[1]),
        LabelError("time has 1 entries, expected 40: one for each row."),
    ),
    "an_unknown_class_to_weigh": (
        lambda: TableRows(frame(), "y").class_weight({"maybe": 2}),
        OptionError("class_weight has the unknown class 'maybe'; the classes are no, yes."),
    ),
    "no_class_of_any_weight": (
        lambda: TableRows(frame(), "y").class_weight({"no": 0, "yes": 0}),
        OptionError("class_weight gives every class the weight 0, expected at least one weight > 0."),
    ),
    "a_class_that_no_training_row_has": (
        lambda: _validation(["maybe"]),
        DataError("Row 1 of X_val: y_val is 'maybe', expected a class of the training rows: 0, 1."),
    ),
    "columns_of_two_lengths": (
        lambda: as_table({"x": [1, 2], "z": [1]}),
        DataError("X has columns of 1, 2 rows, expected one length >= 1."),
    ),
    "columns_of_one_name": (
        lambda: as_table({1: [1, 2], "1": [3, 4]}),
        DataError("X has columns of the same name: '1'. Rename them."),
    ),
    "infinite_labels": (
        lambda: TableRows(frame(), [np.inf, None, *range(36), -np.inf, np.inf]),
        LabelError("Input y contains infinity: row 0 and 2 more of the 40 rows. Leave out the rows without a label."),
    ),
    "infinite_labels_in_a_column": (
        lambda: TableRows({"x": range(4), "y": [1.0, np.inf, np.inf, 2.0]}, "y"),
        DataError(
            "Row 2 of X: 'y' is inf, expected the name of a class. The same holds for 1 more of the 4 rows. Correct "
            "the cell, or predict another column."
        ),
    ),
    "one_class_in_the_rows_that_count": (
        lambda: TableRows({"x": range(3), "y": list("aab"), "w": [1, 1, 0]}, "y", "w"),
        DataError("X: target 'y' is 'a' in every row whose w isn't 0, expected at least two different classes."),
    ),
    "validation_rows_without_weight": (
        lambda: _validation([0, None], [0, 1]),
        LabelError("sample_weight_val is zero for every row with a label, expected at least one number > 0."),
    ),
    "a_sparse_matrix": (
        lambda: as_table(csr_matrix(np.eye(3))),
        DataError(
            "X is a sparse matrix, expected a frame, a dict of columns or a dense array. Pass X.toarray(), or use "
            "SoftmaxClassifier, which trains on sparse matrices."
        ),
    ),
}


def _validation(labels, weight=None):
    rows = TableRows(frame(), [0, 1] * 20)
    rows.learn_encoding()
    return rows.encoded_validation(frame()[: len(labels)], labels, weight)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_said_in_the_users_words(case):
    call, expected = REFUSED[case]
    with pytest.raises(GlassmaxError) as error:
        call()
    assert (type(error.value), str(error.value)) == (type(expected), str(expected))


def test_the_text_of_a_file_and_its_frame_are_encoded_alike():
    table = read_table("penguins")
    rows, of_dict = TableRows(table, "species"), TableRows(dict(table.columns), "species")
    for one in (rows, of_dict):
        one.learn_encoding()
    np.testing.assert_array_equal(rows.encoded(), of_dict.encoded())
