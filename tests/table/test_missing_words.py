"""Words such as None and NA: missing cells, values or classes, in every format, said, and changed by an option."""

import io

import numpy as np
import pandas as pd
import polars as pl
import pytest

from glassmax import Model, Network, TableClassifier, load_model, read_table
from glassmax.errors import OptionError
from glassmax.estimator.tables.rows import TableRows
from glassmax.table import Encoding, Table, infer, read_batches, read_labels
from glassmax.table.cells import as_text
from glassmax.table.missing_words import are_words

SEVERITY = ["None", "Mild", "Severe"]
FRAME = pl.DataFrame(
    {
        "x": [f"{i % 7}.5" if i % 10 else "NA" for i in range(90)],
        "grade": [["None", "low", "high"][i % 3] for i in range(90)],
        "severity": [SEVERITY[(i // 3) % 3] for i in range(90)],
    }
)


def written(form):
    out = io.BytesIO()
    {"csv": FRAME.write_csv, "parquet": FRAME.write_parquet, "jsonl": FRAME.write_ndjson, "arrow": FRAME.write_ipc}[
        form
    ](out)
    return out.getvalue()


@pytest.fixture
def path(tmp_path, request):
    file = tmp_path / f"t.{request.param}"
    file.write_bytes(written(request.param))
    return file


def labels(cells, **known):
    return read_labels(Table("t", {"y": np.array(cells, object)}), "y", repeating=False, **known)


def csv_table(tmp_path, cells, **options):
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)))
    return read_table(tmp_path / "t.csv", **options)


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (["None", "Mild", "Severe"] * 5, ["Mild", "None", "Severe"]),
        (["None", "mild", "very severe"] * 5, ["None", "mild", "very severe"]),
        (["NA", "EU", "AS"] * 5, ["AS", "EU", "NA"]),
        (["nan", "roti", "chapati"] * 5, ["chapati", "nan", "roti"]),
        (["null", "alternative"] * 5, ["alternative", "null"]),
        (["NA", "yes", "no"] * 5, ["no", "yes"]),
        (["None", "True", "False"] * 5, ["False", "True"]),
        (["NA", "Iris-setosa", "Iris-virginica"] * 5, ["Iris-setosa", "Iris-virginica"]),
        (["NA", "MALE", "FEMALE"] * 5, ["FEMALE", "MALE"]),
        (["?", "Mild", "Severe"] * 5, ["Mild", "Severe"]),
        (["", "Mild", "Severe"] * 5, ["Mild", "Severe"]),
        (["NA", "1", "2"] * 5, ["1", "2"]),
        (["None", "2024-01-01", "2024-01-02"] * 5, ["2024-01-01", "2024-01-02"]),
    ],
)
def test_a_word_written_like_the_other_classes_is_a_class(tmp_path, cells, classes):
    found, rows = read_labels(csv_table(tmp_path, cells), "y")
    assert sorted(set(map(str, found))) == classes
    assert len(rows) == sum(cell in classes for cell in cells)


@pytest.mark.parametrize("path", ["csv", "parquet", "jsonl", "arrow"], indirect=True)
def test_no_row_of_a_severity_is_lost_and_every_word_is_said(path):
    rows = TableRows(read_table(path), "severity")
    rows.learn_encoding()
    assert rows.counts().tolist() == [30, 30, 30]
    said = list(map(str, rows.notes))
    words = "missing_words=['NA', 'None']"
    assert f"severity: 'None' is read as a class. If it means a missing cell: {words}." in said
    if path.suffix == ".csv":
        assert ("grade: 'None' in 30 rows is read as missing. If it is a value: missing_words=['NA'].") in said
    else:
        assert f"grade: 'None' is read as a value. If it means a missing cell: {words}." in said
    notes = []
    rows.encoded(notes=notes)
    assert "x: 9 missing (9 'NA'), filled with the median 3.5" in map(str, notes)


@pytest.mark.parametrize("path", ["csv", "parquet", "jsonl", "arrow"], indirect=True)
@pytest.mark.parametrize("words", [[], ["NA"], ["NA", "None"], ["low"]])
def test_the_option_decides_in_every_format_alike(path, words):
    table = read_table(path, missing_words=words)
    grade, severity = as_text(table.column("grade")), as_text(table.column("severity"))
    assert {"None", "low", "high"} - set(words) == set(grade) - {None}
    assert (None in grade) == bool({"None", "low"} & set(words))
    assert (None in severity) == ("None" in words)
    assert table.column("x").dtype == np.float64  # a word among numbers is no value
    assert np.isnan(table.column("x")).sum() == 9


def test_a_frame_tells_the_word_from_a_missing_cell():
    frame = pd.DataFrame({"c": ["None", None, "Mild"] * 4, "n": ["1", "NA", "2.5"] * 4})
    table = read_table(frame)
    assert table.column("c").tolist() == ["None", None, "Mild"] * 4
    assert table.column("n")[:2].tolist()[0] == 1.0
    assert np.isnan(table.column("n")[1])


def test_a_word_of_numbers_is_a_missing_number(tmp_path):
    (tmp_path / "t.csv").write_text("x,c\n-99,a\n1.5,unknown\n-99.0,b\n")
    table = read_table(tmp_path / "t.csv", missing_words=["-99", "unknown"])
    assert np.isnan(table.column("x")).tolist() == [True, False, True]
    assert table.column("c").tolist() == ["a", None, "b"]
    assert table.words["x"].counts() == {"-99": 2}
    frame = pd.DataFrame({"x": [-99, 1, 2], "c": ["a", "unknown", "b"]})
    assert np.isnan(read_table(frame, missing_words=["-99"]).column("x")).tolist() == [True, False, False]


def test_what_a_word_leaves_is_read_as_numbers(tmp_path):
    table = csv_table(tmp_path, ["1", "unknown", "2.5"], missing_words=["unknown"])
    assert np.array_equal(table.column("y"), [1, np.nan, 2.5], equal_nan=True)


@pytest.mark.parametrize("train", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("words", [None, [], ["NA", "None"], ["low", "NA"]])
def test_new_rows_are_read_as_those_of_the_training_whatever_the_format(tmp_path, train, words):
    paths = {form: tmp_path / f"t.{form}" for form in ("csv", "parquet", "jsonl")}
    for form, path in paths.items():
        path.write_bytes(written(form))
    table = read_table(paths[train], missing_words=words)
    encoding, _ = Encoding.learn(table, "severity")
    Model(Network([encoding.width, 3], random_state=0), SEVERITY, encoding).save(tmp_path / "m")
    model = load_model(tmp_path / "m")
    expected = encoding.encode(table).X
    for path in paths.values():
        np.testing.assert_array_equal(model.inputs(read_table(path)), expected)
        pieces = [X for _, X in model.encoded_tables(read_batches(path), None)]
        np.testing.assert_array_equal(np.concatenate(pieces), expected)
    np.testing.assert_array_equal(model.inputs(FRAME), expected)
    np.testing.assert_array_equal(model.inputs(FRAME[:1]), expected[:1])  # one row doesn't tell what the others hold


def test_a_class_that_is_a_word_is_scored_as_one(tmp_path):
    (tmp_path / "t.csv").write_bytes(written("csv"))
    classifier = TableClassifier("fast", random_state=0).fit(read_table(tmp_path / "t.csv"), "severity")
    table = read_table(tmp_path / "t.csv")
    nones = table.rows(np.flatnonzero(np.array(FRAME["severity"]) == "None"))
    assert read_labels(nones, "severity", classes=classifier.classes_)[0].tolist() == ["None"] * 30
    assert classifier.score(nones, "severity") == np.mean(classifier.predict(nones) == "None")


def test_a_rare_word_that_is_a_value_stays_one():
    cells = ["red", "blue"] * 30 + ["None", "green", "gray"]
    frame = pd.DataFrame({"c": cells, "y": ["a", "b", "c"] * 21})
    encoding, _ = Encoding.learn(read_table(frame), "y")
    assert encoding.columns[0].values == ["None", "blue", "red"]
    assert encoding.encode(read_table(frame)).notes == []


@pytest.mark.parametrize("words", ["NA", [1], 3])
def test_words_are_a_list_of_texts(words):
    with pytest.raises(OptionError, match="expected a list of words, such as"):
        read_table("toy", missing_words=words)


def test_numbers_dates_and_answers_are_no_words():
    assert are_words(["Mild", "Severe"])
    for texts in (["1", "2"], ["2024-01-01"], ["Jan 5, 2024", "May 6, 2024"], ["yes", "No"], ["12 kg", "13 kg"], []):
        assert not are_words(texts), texts


def cells_note(tmp_path, cells):
    rows = "".join(f'"{cell}",{"ab"[i % 2]}\n' for i, cell in enumerate(cells))
    (tmp_path / "t.csv").write_text("x,y\n" + rows)
    inference = infer(read_table(tmp_path / "t.csv"), ("y",))
    return inference.kinds, list(map(str, inference.notes))


@pytest.mark.parametrize("word", ["-", ".", "unknown", "#DIV/0!", "n.d."])
def test_a_word_that_makes_categories_of_numbers_is_said(tmp_path, word):
    kinds, notes = cells_note(tmp_path, [word if i % 5 == 0 else f"{i % 7}.5" for i in range(60)])
    assert kinds == {"x": "category"}
    assert notes == [
        f"x is read as categories, because its numbers stand beside {word!r}. If it means a missing cell: "
        f"missing_words=[{word!r}]."
    ]
    table = read_table(tmp_path / "t.csv", missing_words=[word])
    assert infer(table, ("y",)).kinds == {"x": "number"}
    assert np.isnan(table["x"]).sum() == 12


def test_several_words_among_numbers_are_said_beside_those_that_are_missing(tmp_path):
    cells = [["NA", "-", "x"][i // 5 % 3] if i % 5 == 0 else f"{i % 7}.5" for i in range(60)]
    assert cells_note(tmp_path, cells)[1] == [
        "x is read as categories, because its numbers stand beside '-' and 'x'. If they mean missing cells: "
        "missing_words=['-', 'NA', 'x']."
    ]


@pytest.mark.parametrize("word", ["3+", "12 kg"])
def test_classes_of_numbers_are_categories_without_a_note(tmp_path, word):
    assert cells_note(tmp_path, [word if i % 5 == 0 else f"{i % 3}" for i in range(60)]) == ({"x": "category"}, [])


@pytest.mark.parametrize("word", ["(1,234)", "$5", "-€7", "1,234%"])
def test_an_amount_among_numbers_is_not_said_to_be_a_missing_cell(word):
    cells = [str(i % 7) for i in range(39)] + [word]
    notes = infer(read_table(pd.DataFrame({"x": cells * 2, "y": ["a", "b"] * 40})), ("y",)).notes
    assert not any("missing" in str(note) for note in notes)
