"""Tables in: what is read, what is refused and in which words, and what becomes of the cells."""

import csv
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from glassmax.errors import DataError, OptionError
from glassmax.table import BUILTIN, Category, ColumnOptions, Encoding, Number, Table, infer, read_labels, read_table
from glassmax.table.cells import as_text
from glassmax.table.columns import HIGH
from glassmax.training import holdout


@pytest.fixture
def read(tmp_path):
    """Write a file and read it as a table."""

    def read(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path)

    return read


def make(**columns):
    """A table of text cells, as `read_table` makes it."""
    arrays = {}
    for name, cells in columns.items():
        arrays[name] = np.empty(len(cells), dtype=object)
        arrays[name][:] = cells
    return Table("t.csv", arrays)


def cells_of(table):
    """The cells as text, whatever kind of column they are in."""
    return {name: as_text(column).tolist() for name, column in table.columns.items()}


def message_of(call, *arguments, error=DataError, **options):
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    return str(caught.value)


# --- reading ---------------------------------------------------------------------------------------------------------

TWO_ROWS = {"x": ["1", "2"], "y": ["a", "b"]}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_commas_semicolons_tabs_and_bars_separate_cells(read, separator):
    assert cells_of(read("x,y\n1,a\n2,b\n".replace(",", separator))) == TWO_ROWS


@pytest.mark.parametrize(
    "content",
    [
        b"x,y\n1,a\n2,b",
        b"x,y\r\n1,a\r\n2,b\r\n",
        b"x,y\r1,a\r2,b\r",
        b"\xef\xbb\xbfx,y\n1,a\n2,b\n",
        b"\n\nx,y\n\n1,a\n   \n2,b\n\n",
        b" x , y \n 1 , a \n 2 , b \n",
        b'"x","y"\n"1","a"\n"2","b"\n',
    ],
    ids=["no_last_newline", "crlf", "cr", "bom", "blank_lines", "spaces", "quotes"],
)
def test_the_same_table_is_read_from_every_way_to_write_it(read, content):
    assert cells_of(read(content)) == TWO_ROWS


def test_quoted_cells_hold_separators_quotes_and_newlines(read):
    table = read('x,y\n"1,5","say ""hi"""\n2,"two\nlines"\n')
    assert cells_of(table) == {"x": ["1,5", "2"], "y": ['say "hi"', "two\nlines"]}


def test_separators_inside_quotes_of_the_header_do_not_count(read):
    assert list(read('"a;b;c;d",y\n1,a\n').columns) == ["a;b;c;d", "y"]


@pytest.mark.parametrize("cell", ["", " ", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "None"])
def test_words_for_no_value_are_missing_cells(read, cell):
    assert cells_of(read(f"x,y\n{cell},a\n2,b\n"))["x"] == [None, "2"]


def test_zero_and_words_that_resemble_missing_ones_are_values(read):
    assert cells_of(read("x,y\n0,none\n-,na\n"))["y"] == ["none", "na"]


def test_a_row_is_called_by_its_number_and_the_line_it_ends_on(read):
    table = read('x,y\n1,a\n\n2,"two\nlines"\n3,c\n')
    assert [table.place(row) for row in range(3)] == [
        "Row 1 of t.csv (line 2)",
        "Row 2 of t.csv (line 5)",
        "Row 3 of t.csv (line 6)",
    ]


def test_some_rows_of_a_table_keep_their_numbers(read):
    table = read("x,y\n1,a\n2,b\n3,c\n4,d\n")
    some = table.rows(np.array([1, 3])).rows(np.array([1]))
    assert cells_of(some) == {"x": ["4"], "y": ["d"]}
    assert some.place(0) == "Row 4 of t.csv (line 5)"
    penguins = read_table("penguins")
    assert penguins.rows(np.array([10, 300])).place(1) == penguins.place(300)


def test_a_path_and_its_text_read_the_same_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,a\n2,b\n")
    assert cells_of(read_table(str(path))) == cells_of(read_table(path)) == TWO_ROWS


def test_a_file_called_like_a_built_in_table_is_read_with_a_dot_before_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("iris").write_text("x,y\n1,a\n")
    assert read_table("./iris").n_rows == 1
    assert read_table("iris").n_rows == 150


@given(
    header=st.lists(st.text("ab ;,\"'\n|é", min_size=1, max_size=4), min_size=2, max_size=4, unique_by=str.strip),
    data=st.data(),
)
def test_what_the_csv_module_writes_is_what_is_read(header, data):
    assume(all(name.strip() for name in header))
    cell = st.text("ab1 ;,\"'\n|é", min_size=1, max_size=5).filter(str.strip)
    rows = data.draw(st.lists(st.lists(cell, min_size=len(header), max_size=len(header)), min_size=1, max_size=5))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([header, *rows])
        table = read_table(path)
    assert list(table.columns) == [name.strip() for name in header]
    cells = zip(*cells_of(table).values(), strict=True)
    assert [list(row) for row in cells] == [[c.strip() for c in row] for row in rows]


REFUSED = {
    "an_empty_file": (b"", "{path} is empty, expected a header and rows."),
    "only_blank_lines": (b"\n \r\n\n", "{path} is empty, expected a header and rows."),
    "only_a_byte_order_mark": (b"\xef\xbb\xbf", "{path} is empty, expected a header and rows."),
    "only_a_no_break_space": ("\u00a0\n".encode(), "{path} is empty, expected a header and rows."),
    "only_a_header": (b"x,y\n", "t.csv has a header but no rows, expected at least one."),
    "a_short_row": (
        b"x,y\n1,a\n2\n",
        "Row 2 of t.csv (line 3) has 1 cells, expected 2 as in the header. Correct the row; "
        "a cell that holds ',' stands in quotes.",
    ),
    "a_long_row_after_a_cell_of_two_lines": (
        b'x;y\n1;"a\nb"\n2;b;c\n',
        "Row 2 of t.csv (line 4) has 3 cells, expected 2 as in the header. Correct the row; "
        "a cell that holds ';' stands in quotes.",
    ),
    "two_columns_of_one_name": (
        b"x,y, x\n1,a,2\n",
        "t.csv has columns of the same name in its header: 'x'. Rename them.",
    ),
    "columns_without_a_name": (
        b"x,,y, \n1,2,a,3\n",
        "t.csv has columns without a name in its header: number 2, 4. Name them, or leave them out.",
    ),
    "nul_bytes": (
        b"x,y\n1,\0\n",
        "{path} holds NUL bytes in line 2, expected text. Is it a binary file, or damaged? Save it as CSV in UTF-8.",
    ),
    "latin_1_among_utf_8": (
        "x,y\n1,é\n2,".encode() + "é\n".encode("latin-1"),
        "{path}, line 3, is not UTF-8 text, though other lines are. Save the file as CSV in UTF-8, or name its "
        "encoding: encoding='latin-1'.",
    ),
    "a_quote_that_is_not_closed": (
        b'x,y\n1,a\n2,"b\n3,c\n4,d\n',
        "Row 2 of t.csv (from line 3) can't be read: unexpected end of data. Is a quote opened there and not closed?",
    ),
    "text_after_a_quote": (
        b'x,y\n1,"a"b\n',
        "Row 1 of t.csv (from line 2) can't be read: ',' expected after '\"'. Is a quote opened there and not closed?",
    ),
    "a_quote_in_the_header": (
        b'x,"y\n1,a\n',
        "The header of t.csv (from line 1) can't be read: unexpected end of data. "
        "Is a quote opened there and not closed?",
    ),
    "a_huge_cell": (
        b"x,y\n1,a\n2," + b"b" * 200_000 + b"\n",
        "Row 2 of t.csv (from line 3) can't be read: field larger than field limit (131072). "
        "Is a quote opened there and not closed?",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_is_refused_with_the_place_and_the_next_step(read, tmp_path, case):
    content, expected = REFUSED[case]
    assert message_of(read, content) == expected.format(path=tmp_path / "t.csv")


def test_a_missing_file_offers_the_built_in_tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    offer = "Built-in examples: digits, penguins, iris, wine, toy."
    assert message_of(read_table, "data.csv") == f"data.csv: there is no such file. {offer}"
    there = f"The current folder is {tmp_path}. Is the path right?"
    assert message_of(read_table, "rows/data.csv") == f"rows/data.csv: there is no such file. {there}"
    away = tmp_path / "data.csv"
    assert message_of(read_table, away) == f"{away}: there is no such file. Is the path right?"
    assert message_of(read_table, "pengiun") == "pengiun: there is no such file. Did you mean the built-in penguins?"


def test_a_folder_is_refused(tmp_path):
    assert message_of(read_table, tmp_path) == f"{tmp_path} is a folder, expected a file."


def test_a_path_through_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    message = message_of(read_table, tmp_path / "file" / "t.csv")
    assert message == f"{tmp_path / 'file' / 't.csv'} can't be read: Not a directory."


@given(st.binary(max_size=60))
@example(b"\xef\xbb\xbf\n")
@example(b"\x1c\n,\n")
@example(b'"\n')
@example(b",\n,\n")
def test_any_bytes_are_a_table_or_a_data_error(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(content)
        try:
            table = read_table(path)
        except DataError:
            return
    assert table.n_rows >= 1
    assert {len(column) for column in table.columns.values()} == {table.n_rows}


# --- built-in tables -------------------------------------------------------------------------------------------------


def counts_of(column):
    return {cell: list(column).count(cell) for cell in set(column)}


def test_penguins_are_as_published():
    table = read_table("penguins")
    assert (table.n_rows, table.target) == (344, "species")
    assert list(table.columns) == [
        "species",
        "island",
        "bill_length_mm",
        "bill_depth_mm",
        "flipper_length_mm",
        "body_mass_g",
        "sex",
        "year",
    ]
    assert counts_of(table.column("species")) == {"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}
    assert counts_of(table.column("island")) == {"Biscoe": 168, "Dream": 124, "Torgersen": 52}
    assert counts_of(table.column("sex")) == {"female": 165, "male": 168, None: 11}
    assert counts_of(table.column("year")) == {2007: 110, 2008: 114, 2009: 120}
    means = {
        "bill_length_mm": 43.92193,
        "bill_depth_mm": 17.15117,
        "flipper_length_mm": 200.9152,
        "body_mass_g": 4201.754,
    }
    for name, mean in means.items():
        values = [cell for cell in table.column(name) if not np.isnan(cell)]
        assert len(values) == 342
        np.testing.assert_allclose(np.mean(values), mean, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "rows", "columns", "target", "classes"),
    [
        ("iris", 150, 5, "species", {"setosa": 50, "versicolor": 50, "virginica": 50}),
        ("wine", 178, 14, "cultivar", {"class_0": 59, "class_1": 71, "class_2": 48}),
        (
            "digits",
            1797,
            65,
            "digit",
            dict(zip("0123456789", [178, 182, 177, 183, 181, 182, 181, 179, 174, 180], strict=True)),
        ),
        ("toy", 5, 5, "class", {"a": 2, "b": 2, "c": 1}),
    ],
)
def test_the_other_built_in_tables_are_whole(name, rows, columns, target, classes):
    table = read_table(name)
    assert (table.n_rows, len(table.columns), table.target) == (rows, columns, target)
    assert counts_of(table.column(target)) == classes


def test_iris_holds_the_numbers_of_fisher():
    table = read_table("iris")
    means = {
        "sepal_length_cm": 5.843333,
        "sepal_width_cm": 3.057333,
        "petal_length_cm": 3.758,
        "petal_width_cm": 1.199333,
    }
    for name, mean in means.items():
        np.testing.assert_allclose(table.column(name).mean(), mean, rtol=1e-6)


@pytest.mark.parametrize("name", BUILTIN)
def test_every_built_in_table_can_be_learned_from_without_a_fault(name):
    table = read_table(name)
    encoding, _ = Encoding.learn(table, table.target)
    X, _ = encoding.encode(table)
    assert X.shape == (table.n_rows, encoding.width)
    assert np.isfinite(X).all()


# --- encoding --------------------------------------------------------------------------------------------------------


def test_a_number_loses_its_median_and_is_divided_by_the_interquartile_range():
    table = make(x=["1", "2", "3", "4", "50"], y=list("ababa"))
    encoding, notes = Encoding.learn(table, "y")
    assert encoding.columns == [Number("x", 3.0, 4.0 - 2.0, False, 3.0, lowest=1.0, highest=50.0)]
    assert notes == []
    scaled = (np.array([1, 2, 3, 4, 50]) - 3) / 2
    bounded = scaled / np.sqrt(1 + (scaled / 3) ** 2)
    np.testing.assert_allclose(encoding.encode(table).X[:, 0], bounded, rtol=1e-15)


@pytest.mark.parametrize(("others", "spread"), [("17", 5.0), ("8 10 14 107", 5.0), ("8 8 8 20 20", 6.5)])
def test_where_the_interquartile_range_is_zero_the_other_values_spread(others, spread):
    cells = ["7"] * 19 + others.split()
    encoding, _ = Encoding.learn(make(x=cells, y=[*"ab" * 9, *"a" * (len(cells) - 18)]), "y")
    highest = max(map(float, others.split()))
    assert encoding.columns == [Number("x", 7.0, spread, False, 3.0, lowest=7.0, highest=highest)]


def test_a_number_far_from_all_others_is_at_the_bound():
    encoding, _ = Encoding.learn(make(x=["1e-20", "2e-20"], y=["a", "b"]), "y")
    assert encoding.encode(make(x=["1e99", "-1e99"])).X.tolist() == [[3.0], [-3.0]]


def test_rare_values_share_a_column_with_values_never_seen():
    table = make(c=[*"uuvvwxyz", None, None], y=list("ababababab"))
    encoding, notes = Encoding.learn(table, "y")
    assert encoding.columns == [Category("c", ["u", "v"], True, True, HIGH)]
    assert list(map(str, notes)) == ["c: 2 values are told apart; all rare values count as one"]
    X, notes = encoding.encode(make(c=["u", "w", "new", None]))
    assert (X / HIGH).tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 0]]
    assert notes == []


def test_one_rare_value_keeps_a_column_of_its_own():
    encoding, _ = Encoding.learn(make(c=list("uuvvw"), y=list("ababa")), "y")
    assert encoding.columns == [Category("c", ["u", "v", "w"], False, high=HIGH)]


def test_columns_of_older_model_files_encode_as_they_did():
    table = make(x=["1", "2", None, "50"], c=["u", "w", None, "v"])
    encoding = Encoding("y", [Number("x", 3.0, 2.0, True), Category("c", ["u", "v"], False)])
    expected = [[-1, 0, 1, 0], [-0.5, 0, 0, 0], [0, 1, 0, 0], [23.5, 0, 0, 1]]
    assert encoding.encode(table).X.tolist() == expected


def test_missing_numbers_become_the_median_and_a_column_that_says_so():
    table = make(x=["1", None, "2", "3"], y=list("abab"))
    encoding, _ = Encoding.learn(table, "y")
    X, notes = encoding.encode(table)
    assert encoding.width == 2
    assert X[1].tolist() == [0.0, 1.0]
    assert X[[0, 2, 3], 1].tolist() == [0.0, 0.0, 0.0]
    assert list(map(str, notes)) == ["x: 1 missing, filled with the median 2"]


def test_a_number_never_missing_in_training_is_filled_later_and_said():
    encoding, _ = Encoding.learn(make(x=["1", "2", "3"], y=list("aba")), "y")
    X, notes = encoding.encode(make(x=[None, "2"]))
    assert X.tolist() == [[0.0], [0.0]]
    assert list(map(str, notes)) == ["x: 1 missing, filled with the median 2"]


def test_one_value_and_gaps_make_a_column_of_gaps_with_spread_one():
    table = make(x=["0.1", "0.1", "0.1", None], y=list("abab"))
    encoding, _ = Encoding.learn(table, "y")
    assert encoding.columns == [Number("x", 0.1, 1.0, True, 3.0, lowest=0.1, highest=0.1)]
    assert encoding.encode(table).X.tolist() == [[0, 0], [0, 0], [0, 0], [0, 1]]


def test_a_category_becomes_one_column_for_each_value():
    table = make(c=["u", "v", None, "u"], y=list("abab"))
    encoding, _ = Encoding.learn(table, "y")
    assert encoding.columns == [Category("c", ["u", "v"], True, high=HIGH)]
    X, notes = encoding.encode(table)
    assert (X / HIGH).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert notes == []


def test_a_value_never_seen_in_training_becomes_zeros_and_a_note():
    encoding, _ = Encoding.learn(make(c=["u", "v"], y=["a", "b"]), "y")
    X, notes = encoding.encode(make(c=["w", "u", None, "w", *"abcdef"]))
    assert X[[0, 2, 3]].tolist() == [[0, 0]] * 3
    assert X[1].tolist() == [HIGH, 0]
    named = "'w' (row 1), missing (row 3), 'a' (row 5), 'b' (row 6), 'c' (row 7) and 3 more"
    note = f"c: 9 rows with a value not seen in training: {named}"
    assert list(map(str, notes)) == [note]


def test_columns_without_information_are_left_out_and_named():
    table = make(x=["1", "2"], one=["3", "3"], word=["w", "w"], void=[None, None], y=["a", "b"])
    encoding, notes = Encoding.learn(table, "y")
    assert [column.name for column in encoding.columns] == ["x"]
    assert list(map(str, notes)) == [
        "one is left out: it is 3 in every row.",
        "word is left out: it is 'w' in every row.",
        "void is left out: all its cells are missing.",
    ]


def test_a_table_without_a_column_to_learn_from_is_refused_with_the_reasons():
    message = message_of(Encoding.learn, make(one=["3", "3"], y=["a", "b"]), "y")
    assert message == "t.csv has no column to learn 'y' from: one is left out: it is 3 in every row."
    message = message_of(Encoding.learn, make(y=["a", "b"]), "y")
    assert message == "t.csv has no column to learn 'y' from, expected at least one other column."


def test_the_target_and_ignored_columns_are_not_encoded():
    table = make(x=["1", "2"], name=["Ann", "Bob"], y=["a", "b"])
    encoding, _ = Encoding.learn(table, "y", ("name",))
    assert [column.name for column in encoding.columns] == ["x"]
    assert encoding.target == "y"
    message = message_of(Encoding.learn, table, "y", ("nam",))
    assert message == "t.csv has no column 'nam'. Did you mean 'name'?"


def test_a_column_missing_at_prediction_is_named():
    encoding, _ = Encoding.learn(make(width=["1", "2"], y=["a", "b"]), "y")
    assert message_of(encoding.encode, make(widht=["1"])) == "t.csv has no column 'width'. Did you mean 'widht'?"
    assert message_of(encoding.encode, make(p=["1"], q=["2"])) == "t.csv has no column 'width'. There are 'p', 'q'."


def test_columns_in_another_order_and_beside_others_encode_the_same():
    table = read_table("penguins")
    encoding, _ = Encoding.learn(table, "species")
    columns = {"more": table.column("year"), **dict(reversed(table.columns.items()))}
    np.testing.assert_array_equal(encoding.encode(Table("t", columns)).X, encoding.encode(table).X)


def test_one_bad_cell_in_a_column_of_numbers_is_an_error_with_its_row_and_line(read):
    rows = [f"{row}.5,{'ab'[row % 2]}" for row in range(1, 21)]
    rows[16] = "n/k,a"
    message = message_of(Encoding.learn, read("x,y\n" + "\n".join(rows)), "y")
    assert message == (
        "Row 17 of t.csv (line 18): column 'x' is 'n/k', expected a number as in the other rows. "
        "Correct the cell, or empty it: missing cells are filled."
    )


def test_a_column_mostly_of_text_is_a_category():
    cells = ["low", "high"] * 4 + ["7", "7"]
    encoding, _ = Encoding.learn(make(x=cells, y=list("ab" * 5)), "y")
    assert encoding.columns == [Category("x", ["7", "high", "low"], False, high=HIGH)]


def test_a_bad_number_at_prediction_is_an_error_with_its_row():
    encoding, _ = Encoding.learn(make(x=["1", "2"], y=["a", "b"]), "y")
    assert message_of(encoding.encode, make(x=["3", "three"])) == (
        "Row 2 of t.csv: column 'x' is 'three', expected a number as in the other rows. "
        "Correct the cell, or empty it: missing cells are filled."
    )


@pytest.mark.parametrize(
    ("cell", "shown"), [("inf", "inf"), ("-Infinity", "-inf"), ("1e308", "1e+308"), ("1e999", "inf")]
)
def test_infinite_and_enormous_cells_are_refused_in_training_and_prediction(cell, shown):
    message = (
        f"Row 2 of t.csv: column 'x' is {shown}, expected a number between -1e+100 and 1e+100. "
        "Correct the cell, or empty it: missing cells are filled."
    )
    cells = ["1", cell, *map(str, range(20))]
    assert message_of(Encoding.learn, make(x=cells, y=list("ab" * 11)), "y") == message
    encoding, _ = Encoding.learn(make(x=["1", "2"], y=["a", "b"]), "y")
    assert message_of(encoding.encode, make(x=["1", cell])) == message


def test_a_number_without_a_bound_too_far_from_the_others_is_refused():
    encoding = Encoding("y", [Number("x", 1.5e-20, 3.5e-21, False)])
    assert message_of(encoding.encode, make(x=["1e-20", "1e20"])) == (
        "Row 2 of t.csv: column 'x' is 1e+20, too far from the others to compute with: the median is 1.5e-20, "
        "the spread 3.5e-21. Correct the cell, or leave the column out of the training."
    )


def test_numbers_with_underscores_are_no_numbers():
    encoding, _ = Encoding.learn(make(x=["1_0", "2_0"] * 2, y=list("abab")), "y")
    assert encoding.columns == [Category("x", ["1_0", "2_0"], False, high=HIGH)]


def test_a_column_of_names_is_left_out_with_the_way_to_keep_it():
    names = [f"name {row // 4 if row < 8 else row}" for row in range(30)]
    table = make(who=names, x=list("uvw" * 10), y=list("ab" * 15))
    note = (
        "who is left out: its texts hardly repeat, 24 different texts in 30 rows. To learn from it all the same: "
        "keep=['who']."
    )
    encoding, notes = Encoding.learn(table, "y")
    assert (encoding.names, list(map(str, notes))) == (["x"], [note])
    assert infer(table, ("y",), ColumnOptions(keep=["who"])).kinds == {"who": "category", "x": "category"}
    assert message_of(Encoding.learn, make(who=names, y=list("ab" * 15)), "y") == (
        f"t.csv has no column to learn 'y' from: {note}"
    )


@pytest.mark.parametrize("options", [ColumnOptions({"id": "category"}), ColumnOptions(keep=["id"])])
def test_of_any_number_of_categories_that_are_asked_for_a_thousand_have_a_column(options):
    names = [f"name {row}" for row in range(21_000)] + [f"name {row}" for row in range(0, 21_000, 7)] * 21
    table = make(id=names, y=list("ab" * (len(names) // 2)))
    encoding, _ = Encoding.learn(table, "y", inference=infer(table, ("y",), options))
    assert encoding.width == 1001


def test_of_more_than_a_thousand_categories_that_repeat_the_rarest_share_a_column():
    names = [f"name {row // 3}" for row in range(3 * 1005)]
    encoding, _ = Encoding.learn(make(id=names, y=list("abc") * 1005), "y")
    assert encoding.width == 1001


def test_a_text_among_numbers_is_shown_as_the_reason():
    cells = ["1", *map(str, range(25)), *["low"] * 4]
    message = message_of(Encoding.learn, make(x=cells, y=list("ab" * 15)), "y")
    assert message == (
        "Column 'x' of t.csv holds numbers in 26 of 30 rows, and texts such as 'low'; expected numbers alone, as "
        "1234.5, or categories that repeat. Leave it out with ignore=['x']."
    )


@pytest.mark.parametrize("cell", ["4,9", "-4,9", "0,234"])
def test_commas_in_numbers_are_refused_however_often_they_repeat(cell):
    message = message_of(Encoding.learn, make(x=[cell] * 30, y=list("ab" * 15)), "y")
    assert message == (
        f"Column 'x' of t.csv holds {cell!r} and the like, expected numbers with a decimal point. "
        "Write them as 1234.5, say what the comma is with decimal=',', or leave the column out with ignore=['x']."
    )


def test_numbers_in_place_of_text_are_compared_as_text():
    encoding, _ = Encoding.learn(make(c=["1", "x", "2", "x"], y=list("abab")), "y")
    table = Table("t", {"c": np.array([1.0, 2.0, np.nan, 3.0])})
    X, notes = encoding.encode(table)
    assert (X / HIGH).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert list(map(str, notes)) == ["c: 2 rows with a value not seen in training: missing (row 3), '3' (row 4)"]


CELL = st.one_of(
    st.none(),
    st.sampled_from(
        ["0", "1", "2.5", "-3", "a", "b", "inf", "1e308", "-1e308", "1e100", "1e-320", "5e-324", "-0", "1_0"]
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-5, 5).map(str),
    st.text(max_size=3).map(str.strip).filter(bool),
)
COLUMN = st.integers(2, 12).flatmap(
    lambda n: st.lists(
        st.lists(CELL, min_size=n, max_size=n)
        | st.lists(st.floats(-10, 10).map(repr), min_size=n, max_size=n)
        | st.lists(st.sampled_from(["1e100", "-1e100", "1e-300", None]), min_size=n, max_size=n),
        min_size=1,
        max_size=3,
    )
)


@given(COLUMN, st.data())
@example([["1e100", "-1e100"]], None)
@example([["5e-324", "0", "1e100", "0"]], None)
@example([["0.1", "0.1", "0.1", None]], None)
def test_any_cells_encode_to_finite_numbers_or_a_data_error(columns, data):
    table = make(**{f"c{index}": column for index, column in enumerate(columns)})
    target = make(y=["a"] * table.n_rows).columns
    try:
        encoding, _ = Encoding.learn(Table("t", {**table.columns, **target}), "y")
        X, _ = encoding.encode(table)
    except DataError:
        return
    assert X.shape == (table.n_rows, encoding.width)
    assert np.isfinite(X).all()
    if data is not None:
        new = make(**{f"c{i}": data.draw(st.lists(CELL, min_size=3, max_size=3)) for i in range(len(columns))})
        try:
            X, _ = encoding.encode(new)
        except DataError:
            return
        assert X.shape == (3, encoding.width)
        assert np.isfinite(X).all()


# --- labels ----------------------------------------------------------------------------------------------------------


def test_whole_numbers_become_integers():
    labels, rows = read_labels(make(y=["3", "-1", "0", "3"]), "y")
    assert labels.tolist() == [3, -1, 0, 3]
    assert labels.dtype == np.int64
    assert rows.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("cells", [["1", "b"], ["01", "1"], ["+1", "2"], ["1", "9" * 19]])
def test_labels_that_are_not_all_plain_whole_numbers_stay_text(cells):
    labels, _ = read_labels(make(y=cells), "y")
    assert labels.tolist() == cells


def test_rows_without_a_label_are_left_out():
    labels, rows = read_labels(make(y=["a", None, "b", None]), "y")
    assert labels.tolist() == ["a", "b"]
    assert rows.tolist() == [0, 2]


def test_labels_of_a_table_of_numbers_leave_out_nan():
    labels, rows = read_labels(Table("t", {"y": np.array([1.0, np.nan, 2.0])}), "y")
    assert labels.tolist() == [1, 2]
    assert rows.tolist() == [0, 2]


def test_a_target_without_a_value_is_refused():
    message = message_of(read_labels, make(y=[None, None]), "y")
    assert message == "t.csv: no row has a value in the target column 'y'."


def test_a_target_that_does_not_exist_offers_the_nearest_names():
    table = make(species=["a"], specimen=["b"], x=["1"])
    message = message_of(read_labels, table, "specis")
    assert message == "t.csv has no column 'specis'. Did you mean 'species' or 'specimen'?"
    assert message_of(read_labels, table, "SPEC").endswith("Did you mean 'species' or 'specimen'?")
    message = message_of(read_labels, table, "quux")
    assert message == "t.csv has no column 'quux'. There are 'species', 'specimen', 'x'."


def test_a_column_of_measurements_is_no_target_unless_the_classes_are_known():
    table = make(y=[f"{row}.5" for row in range(40)])
    assert message_of(read_labels, table, "y") == (
        "t.csv: target 'y' has 40 different values in 40 rows, expected classes that repeat. "
        "glassmax predicts classes, not measurements or names."
    )
    labels, _ = read_labels(table, "y", repeating=False)
    assert len(labels) == 40


def test_a_label_of_thousands_of_characters_is_refused():
    message = message_of(read_labels, make(y=["a", "b" * 1001]), "y")
    assert message == (
        "Row 2 of t.csv: 'y' is a text of 1001 characters, expected the name of a class, 1000 at most. "
        "Correct the cell, or predict another column."
    )


# --- holdout ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 6), min_size=1, max_size=120), st.floats(0.001, 0.999), st.integers(0, 2**32 - 1))
def test_holding_out_splits_every_class_in_proportion_and_leaves_each_a_row(labels, share, seed):
    y = np.array(labels)
    kept, held = holdout(y, share, np.random.RandomState(seed))
    assert sorted([*kept, *held]) == list(range(len(y)))
    assert kept.tolist() == sorted(kept)
    assert held.tolist() == sorted(held)
    assert len(held) <= np.ceil(share * len(y))
    counts, taken = np.bincount(y), np.bincount(y[held], minlength=y.max() + 1)
    assert set(y[kept]) == set(y)
    quota = share * counts
    assert (taken >= np.minimum(np.floor(quota), np.maximum(counts - 1, 0))).all()
    assert (taken <= np.floor(quota) + 1).all()
    if (counts - quota >= 2)[counts > 0].all():  # every class has a row to spare
        assert len(held) == np.ceil(share * len(y))


def test_the_same_seed_holds_out_the_same_rows():
    y = np.arange(60) % 4
    first, second, other = (holdout(y, 0.25, np.random.RandomState(seed))[1].tolist() for seed in (3, 3, 4))
    assert first == second != other


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_outside_zero_and_one_is_refused(share):
    message = message_of(holdout, np.array([0, 1]), share, np.random.RandomState(0), error=OptionError)
    assert message == f"The share to hold out is {share!r}, expected a number between 0 and 1."


# --- sparse numbers --------------------------------------------------------------------------------------------------


def test_a_sparse_column_gets_its_frequent_values_and_bins():
    cells = [0.0] * 400 + [5.0] * 60 + [7.0] * 30 + [float(x) for x in range(100, 110)]
    table = Table("t", {"x": np.array(cells), "z": np.arange(500.0) % 9, "y": np.array(list("ab") * 250, object)})
    encoding, _ = Encoding.learn(table, "y")
    sparse, plain = encoding.columns
    assert (plain.values, plain.edges) == ([], [])
    assert sparse.values == [0.0, 5.0, 7.0]
    assert sparse.edges[0] == 0.0
    assert sparse.edges[-1] == 109.0
    X = encoding.encode(table.rows(np.array([0, 400, 460, 490]))).X[:, : sparse.width]
    np.testing.assert_allclose(X[:, 1:4], 1.6641 * np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]))
    assert (X[0, 4:] == -1).all()
    assert (np.diff(X[:, 4:].sum(axis=1)) > 0).all()


def test_a_table_gets_one_column_of_a_value_for_every_fifty_rows():
    cells = np.concatenate([np.zeros(160), np.repeat(np.arange(1.0, 9.0), 5)])
    table = Table("t", {"x": cells, "y": np.array(list("ab") * 100, object)})
    (column,) = Encoding.learn(table, "y")[0].columns
    assert column.values == [0.0, 1.0, 2.0, 3.0]


def test_missing_cells_of_a_sparse_column_are_no_value():
    cells = np.concatenate([np.zeros(300), np.full(60, 5.0), np.full(40, 9.0), np.full(50, np.nan)])
    table = Table("t", {"x": cells, "y": np.array(list("ab") * 225, object)})
    encoding, _ = Encoding.learn(table, "y")
    (column,) = encoding.columns
    X = encoding.encode(table.rows(np.array([449]))).X[0]
    assert X[1] == 1.0
    assert X[2 : 2 + len(column.values)].tolist() == [0.0] * len(column.values)
    assert (X[2 + len(column.values) :] == -1).all()


def test_edges_that_are_not_in_order_are_refused():
    with pytest.raises(ValueError, match="ascending"):
        Number("x", 0.0, 1.0, False, edges=[1.0, 1.0])
