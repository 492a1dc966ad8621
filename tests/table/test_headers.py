"""Headers as people write them: a delimiter at the end of each line, a first column without a name, no header."""

import io

import numpy as np
import pandas as pd
import pytest

from glassmax import Model, Network, TableClassifier, load_model, read_table
from glassmax.errors import DataError, OptionError
from glassmax.table import Encoding, delimited, infer, read_batches, read_labels

ROWS = [f"{i % 7 + i / 100:.2f},{'uvw'[i % 3]},{'abc'[i % 3]}" for i in range(60)]


def table_of_lines(tmp_path, lines, name="t.csv", **options):
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    return read_table(tmp_path / name, **options)


def same(one, other):
    assert one.names == other.names
    for name in one.names:
        np.testing.assert_array_equal(one.column(name), other.column(name))


ENDS = {
    "everywhere": ("x,c,y,", ","),
    "in_the_rows": ("x,c,y", ","),
    "in_the_header": ("x,c,y,", ""),
    "three_times": ("x,c,y,,,", ",,,"),
    "with_blanks": ("x,c,y, ", ", "),
}


@pytest.mark.parametrize("where", ENDS)
@pytest.mark.parametrize("copies", [1, 600])  # row by row, and by blocks
def test_a_delimiter_at_the_end_of_each_line_is_no_column(tmp_path, where, copies):
    header, end = ENDS[where]
    plain = table_of_lines(tmp_path, ["x,c,y", *ROWS * copies])
    table = table_of_lines(tmp_path, [header, *(row + end for row in ROWS * copies)])
    same(table, plain)
    assert [note for note in table.notes if note.startswith("Lines end with commas: the empty last ")]
    assert table.lines.tolist() == plain.lines.tolist()


@pytest.mark.parametrize("copies", [1, 600])
def test_a_cell_after_the_last_delimiter_is_a_fault(tmp_path, copies):
    lines = ["x,c,y,", *(f"{row}," for row in ROWS * copies)]
    lines[200 if copies > 1 else 30] += "5"
    if copies > 1:
        with pytest.raises(DataError, match=r"Row 200 of t\.csv \(line 201\) has 4 cells, expected 3 as in the header"):
            table_of_lines(tmp_path, lines)
    else:
        with pytest.raises(DataError, match="columns without a name in its header: number 4"):
            table_of_lines(tmp_path, lines)


def test_the_index_of_a_frame_is_called_so_and_left_out(tmp_path):
    frame = pd.read_csv(io.StringIO("\n".join(["x,c,y", *ROWS])))
    for written in (frame, frame.sample(frac=1, random_state=0), pd.concat([frame, frame]), frame[:5]):
        written.to_csv(tmp_path / "t.csv")
        table = read_table(tmp_path / "t.csv")
        assert table.names == ["index", "x", "c", "y"]
        assert table.notes == ["The first column has no name in the header and is called 'index' here."]
        found = infer(table, ("y",))
        assert "index" not in found.kinds
        assert any(str(note).startswith("index is left out: it has no name in the header") for note in found.notes)


def test_an_index_of_dates_is_a_column(tmp_path):
    frame = pd.DataFrame({"x": range(40), "y": list("ab") * 20}, index=pd.date_range("2024-01-01", periods=40))
    frame.to_csv(tmp_path / "t.csv")
    assert infer(read_table(tmp_path / "t.csv"), ("y",)).kinds["index"] == "ymd"


def test_the_name_of_the_index_is_a_free_one(tmp_path):
    assert table_of_lines(tmp_path, [",index,y", "1,2,a", "2,3,b"]).names == ["index_", "index", "y"]


def test_the_indices_that_pandas_names_are_no_inputs(tmp_path):
    frame = pd.DataFrame({"Unnamed: 0": np.arange(40)[::-1] * 3, "x": [1.5, 2.5] * 20, "y": list("abab") * 10})
    frame["__index_level_0__"] = frame["Unnamed: 0"]
    assert list(infer(read_table(frame), ("y",)).kinds) == ["x"]


@pytest.mark.parametrize("copies", [1, 600])
def test_without_a_header_every_line_is_a_row(tmp_path, copies):
    table = table_of_lines(tmp_path, ROWS * copies, header=False)
    plain = table_of_lines(tmp_path, ["c1,c2,c3", *ROWS * copies])
    same(table, plain)
    assert table.how == "CSV in UTF-8, cells separated by commas, no header"
    assert table.place(0) == "Row 1 of t.csv (line 1)"
    assert table.lines.tolist() == (plain.lines - 1).tolist()


def test_a_target_that_is_a_label_of_the_first_row_is_noticed(tmp_path):
    with pytest.raises(DataError) as caught:
        read_labels(table_of_lines(tmp_path, ROWS), "a")
    assert str(caught.value) == (
        "t.csv seems to have no header: its first line (0.00, u, a, ...) holds cells, and the target 'a' is one of its "
        "own classes. Say header=False: the columns are then called c1, c2, ..., and the target c3."
    )
    texts = [f"{'uvw'[i % 3]},{['red', 'blue'][i % 2]},{'abc'[i % 3]}" for i in range(60)]
    with pytest.raises(DataError, match="seems to have no header"):
        read_labels(table_of_lines(tmp_path, texts), "a")
    assert len(read_labels(table_of_lines(tmp_path, texts, header=True), "a")[0]) == 59


@pytest.mark.parametrize("header", ["x,c,a", "width,color,a"])
def test_a_class_called_like_its_column_is_a_class(tmp_path, header):
    assert len(read_labels(table_of_lines(tmp_path, [header, *ROWS]), "a")[0]) == 60


def test_the_first_row_of_equal_cells_offers_no_header(tmp_path):
    with pytest.raises(DataError) as caught:
        table_of_lines(tmp_path, ["0,0,a", "1,2,b"])
    assert str(caught.value) == (
        "t.csv has columns of the same name in its header: '0'. If the file has no header, say header=False."
    )


def a_model(tmp_path, order=(0, 1, 2), target="c3"):
    lines = [",".join(row.split(",")[j] for j in order) for row in ROWS]
    table = table_of_lines(tmp_path, lines, header=False)
    encoding, _ = Encoding.learn(table, target)
    Model(Network([encoding.width, 3], random_state=0), ["a", "b", "c"], encoding).save(tmp_path / "m")
    return load_model(tmp_path / "m"), table


def test_new_rows_without_a_header_are_told_by_their_places(tmp_path):
    model, table = a_model(tmp_path)
    assert model.encoding.reading == {"decimal": None, "header": False, "missing_words": None}
    expected = model.inputs(table)
    new = [row.rsplit(",", 1)[0] for row in ROWS]
    np.testing.assert_array_equal(model.inputs(table_of_lines(tmp_path, new, header=False)), expected)
    pieces = read_batches(tmp_path / "t.csv", columns=model.encoding.names, **model.encoding.reading)
    np.testing.assert_array_equal(np.concatenate([X for _, X in model.encoded_tables(pieces, None)]), expected)
    with pytest.raises(DataError) as caught:
        model.inputs(table_of_lines(tmp_path, new))
    assert str(caught.value).endswith("The table of the training had no header: say header=False.")


def test_places_that_may_have_moved_are_refused(tmp_path):
    model, _ = a_model(tmp_path, order=(2, 1, 0), target="c1")
    with pytest.raises(DataError) as caught:
        model.inputs(table_of_lines(tmp_path, [",".join(row.split(",")[1::-1]) for row in ROWS], header=False))
    assert str(caught.value) == (
        "t.csv has 2 columns, expected 3 as in the training: without a header, columns are told apart by their places. "
        "The target c1 may be left out only if it is the last column; otherwise leave its cells empty."
    )


def test_a_classifier_reads_a_path_as_its_training_table(tmp_path):
    table = table_of_lines(tmp_path, ROWS, header=False)
    classifier = TableClassifier("fast", random_state=0).fit(table, "c3")
    assert classifier.predict(tmp_path / "t.csv").tolist() == classifier.predict(table).tolist()


def test_a_header_is_true_false_or_none():
    with pytest.raises(OptionError, match="header is 'no', expected True, False or None"):
        read_table("toy", header="no")


def test_the_empty_end_of_rows_is_found_in_the_sample_alone():
    assert delimited._without_empty_end(["x", "y", ""], [["1", "a", ""]]) == (["x", "y"], 3, 1)
    assert delimited._without_empty_end(["x", "y"], [["1", "a", "b"]]) == (["x", "y"], 2, 0)
    assert delimited._without_empty_end(["x", ""], []) == (["x"], 1, 1)


@pytest.mark.parametrize("header", [None, True])
def test_a_header_that_is_repeated_below_is_named(tmp_path, header):
    rows = [f"{i % 7}.5,{'uvw'[i % 3]},{'ab'[i % 2]}\n" for i in range(60)]
    (tmp_path / "t.csv").write_text("".join(["x,c,y\n", *rows[:30], "x,c,y\n", *rows[30:]]))
    with pytest.raises(DataError) as raised:
        read_labels(read_table(tmp_path / "t.csv", header=header), "y")
    assert str(raised.value) == (
        "Row 31 of t.csv (line 32) repeats the header, as if several files were joined, expected cells. Remove each "
        "such row."
    )
