"""Numbers whose thousands are set off: read to the value that was written, and said; or refused, never changed."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassmax import Model, Network, load_model, read_table
from glassmax.errors import DataError
from glassmax.estimator.tables.order import order_of
from glassmax.estimator.tables.rows import TableRows
from glassmax.table import Encoding, infer
from glassmax.table.columns import numbers_of
from glassmax.table.grouping import Grouping, is_decimal_comma, readings_of

STYLES = {
    "commas": (",", "."),
    "points": (".", ","),
    "spaces": (" ", "."),
    "spaces and commas": (" ", ","),
    "no-break spaces": ("\u00a0", ","),
    "thin spaces": ("\u2009", "."),
    "narrow no-break spaces": ("\u202f", ","),
    "apostrophes": ("'", "."),
    "curved apostrophes": ("\u2019", "."),
}


def written(value, sign, decimal, digits):
    return f"{value:,.{digits}f}".translate({ord(","): sign, ord("."): decimal})


def a_table(tmp_path, cells, delimiter=";", quoted=False):
    def cell(text):
        return f'"{text}"' if quoted else text

    rows = "".join(f"{cell(text)}{delimiter}{'ab'[i % 2]}\n" for i, text in enumerate(cells))
    (tmp_path / "t.csv").write_text(f"x{delimiter}y\n{rows}", encoding="utf-8")
    return tmp_path / "t.csv"


def numbers(table):
    found = infer(table, ("y",))
    return numbers_of(table, "x", found.groupings.get("x")), found


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=30, unique=True), st.sampled_from([0, 2]))
def test_numbers_are_read_to_the_value_that_was_written_or_refused(tmp_path, style, values, digits):
    values = np.array(values) / 10**digits
    cells = [written(value, *STYLES[style], digits) for value in values]
    table = read_table(a_table(tmp_path, cells, "\t"))
    try:
        read, found = numbers(table)
    except DataError:  # nothing says what a single comma or point is
        return
    if table.column("x").dtype.kind == "f" and STYLES[style][0] == "." and digits == 0:
        assert not found.groupings  # 1.234 in every cell: a decimal point, as nearly everywhere
        return
    np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize(
    ("cells", "values", "example"),
    [
        (["20,442", "900", "1,000,000"], [20442, 900, 1e6], "the comma in '20,442' stands between thousands: 20442"),
        (["20,442", "900"], [20442, 900], "the comma in '20,442' stands between thousands: 20442"),
        (["12,345.67", "883.10", "5"], [12345.67, 883.1, 5], "the comma in '12,345.67' stands between"),
        (["1.234,5", "883", "12,25"], [1234.5, 883, 12.25], "the point in '1.234,5' stands between thousands: 1234.5"),
        (["1 234", "-56 789", "12"], [1234, -56789, 12], "the space in '1 234' stands between thousands: 1234"),
        (["1'234.5", "12", "7.25"], [1234.5, 12, 7.25], "the apostrophe in"),
        (["12,34,567", "99"], [1234567, 99], "the comma in '12,34,567' stands between thousands: 1234567"),
        (["+1,234", "NA", "12"], [1234, np.nan, 12], "the comma in '+1,234' stands between thousands: 1234"),
    ],
)
@pytest.mark.parametrize("source", ["commas", "tabs", "frame", "json"])
def test_the_grouping_is_recognized_and_said_in_every_format(tmp_path, cells, values, example, source):
    if source == "frame":
        table = read_table(pd.DataFrame({"x": cells, "y": ["a", "b", "c"][: len(cells)]}))
    elif source == "json":
        pd.DataFrame({"x": cells, "y": "a"}).to_json(tmp_path / "t.jsonl", orient="records", lines=True)
        table = read_table(tmp_path / "t.jsonl")
    else:
        table = read_table(a_table(tmp_path, cells, "," if source == "commas" else "\t", quoted=True))
    if table.column("x").dtype.kind == "f":  # the whole table has decimal commas
        np.testing.assert_array_equal(table.column("x"), values)
        assert "decimal comma" in table.how
        return
    read, found = numbers(table)
    np.testing.assert_array_equal(read, values)
    assert [note for note in map(str, found.notes) if example in note]


def test_a_point_beside_decimal_commas_stands_between_thousands(tmp_path):
    cells = ["12.345", "883", "1.000"]
    rows = "".join(f"{cell};{i},5;{'ab'[i % 2]}\n" for i, cell in enumerate(cells))
    (tmp_path / "t.csv").write_text("x;z;y\n" + rows)
    read, found = numbers(read_table(tmp_path / "t.csv"))
    assert read.tolist() == [12345, 883, 1000]
    assert "x: the point in '12.345' stands between thousands: 12345." in map(str, found.notes)


def test_what_may_be_either_is_refused_with_both_ways_to_say_it(tmp_path):
    path = a_table(tmp_path, ["20,442", "31,556"], "\t")
    with pytest.raises(DataError) as caught:
        numbers(read_table(path))
    assert str(caught.value) == (
        "Column 'x' of t.csv holds '20,442' and the like, which may be 20442 or 20.442. For 20442, say decimal='.'; "
        "for 20.442, say decimal=','. Or leave the column out with ignore=['x']."
    )
    assert numbers(read_table(path, decimal="."))[0].tolist() == [20442, 31556]
    assert numbers(read_table(path, decimal=","))[0].tolist() == [20.442, 31.556]
    frame = pd.DataFrame({"x": ["20,442", "31,556"], "y": ["a", "b"]})
    assert numbers(read_table(frame, decimal="."))[0].tolist() == [20442, 31556]
    assert numbers(read_table(frame, decimal=","))[0].tolist() == [20.442, 31.556]


def test_a_point_elsewhere_in_the_table_says_what_the_commas_are(tmp_path):
    (tmp_path / "t.csv").write_text('x,z,y\n"20,442",0.5,a\n"31,556",1.5,b\n')
    assert numbers(read_table(tmp_path / "t.csv"))[0].tolist() == [20442, 31556]


@pytest.mark.parametrize("cells", [["20,442", "1234"], ["20,442", "0,5"], ["12,5", "3,25"], ["0,234", "5,678"]])
def test_no_advice_changes_a_value(tmp_path, cells):
    path = a_table(tmp_path, cells * 20, ",", quoted=True)
    with pytest.raises(DataError) as caught:
        numbers(read_table(path))
    either = cells == ["20,442", "1234"]
    assert ("decimal='.'" in str(caught.value)) == either
    expected = [float(cell.replace(",", ".")) for cell in cells]
    assert numbers(read_table(path, decimal=","))[0].tolist()[:2] == expected


def test_numbers_with_both_separators_are_no_identifiers(tmp_path):
    cells = [written(1234.56 * i + 0.01, ",", ".", 2) for i in range(1, 60)]
    rows = TableRows(read_table(a_table(tmp_path, cells, ",", quoted=True)), "y")
    rows.learn_encoding()
    assert rows.encoding.names == ["x"]
    assert rows.encoding.columns[0].grouping == Grouping(",", ".")


@pytest.mark.parametrize(("sign", "decimal"), [(",", "."), (".", ","), (" ", ","), ("'", ".")])
def test_new_rows_are_read_in_the_style_of_the_training(tmp_path, sign, decimal):
    values = [1234567.5, 883.25, 20442.5, 7.0] * 5
    table = read_table(a_table(tmp_path, [written(value, sign, decimal, 2) for value in values], ",", quoted=True))
    encoding, _ = Encoding.learn(table, "y")
    Model(Network([encoding.width, 2], random_state=0), ["a", "b"], encoding).save(tmp_path / "m")
    model = load_model(tmp_path / "m")
    one = written(20442, sign, decimal, 0)
    new = read_table(pd.DataFrame({"x": [one]}))
    if sign != ".":  # a frame's 20.442 is a number with a point
        assert model.inputs(new).tolist() == model.inputs(read_table(pd.DataFrame({"x": [20442]}))).tolist()
    (tmp_path / "new.csv").write_text(f'x,y\n"{one}",a\n')
    read = read_table(tmp_path / "new.csv")
    if sign == ".":
        with pytest.raises(DataError, match=r"was read as 20\.442, with the decimal separator '\.', but the table of"):
            model.inputs(read)
        read = read_table(tmp_path / "new.csv", decimal=",")
    assert model.inputs(read).tolist() == model.inputs(read_table(pd.DataFrame({"x": [20442]}))).tolist()


def test_a_grouped_number_where_the_training_had_none_is_refused_without_advice_that_changes_it():
    encoding, _ = Encoding.learn(read_table(pd.DataFrame({"x": [900, 850, 7], "y": ["a", "b", "a"]})), "y")
    with pytest.raises(DataError) as caught:
        encoding.encode(read_table(pd.DataFrame({"x": ["20,442"]})))
    assert str(caught.value).endswith("If the comma stands between thousands, write 20442.")


def test_grouped_times_order_the_rows(tmp_path):
    table = read_table(a_table(tmp_path, ["1,000", "20", "300"], "\t"))
    assert order_of(table, "x", np.arange(3)).tolist() == [2, 0, 1]


@given(st.text(alphabet="0123456789.,' +-", max_size=12))
def test_a_reading_never_invents_a_number(cell):
    digits = [letter for letter in cell if letter.isdecimal()]
    for style in (Grouping(",", "."), Grouping(".", ","), Grouping(" ", "."), Grouping("'", ",")):
        number = style.number(cell)
        if number is not None and style.decimal not in cell:
            assert abs(number) == float("".join(digits))


def test_commas_that_can_only_be_decimal():
    assert all(map(is_decimal_comma, ["0,5", "12,34", "1.234,5", "1234,567", "0,123"]))
    assert not any(map(is_decimal_comma, ["12,345", "1,234,567", "12", "1.5", "a,b"]))


def test_texts_that_are_no_numbers_have_no_reading():
    for cells in (["a", "b"], ["1.5 kg", "2,000 kg"], ["10.0.0.1", "192.168.1.1"], ["2024-01-01"], []):
        assert readings_of(cells, ".", is_known=False) is None


@pytest.mark.parametrize("count", [10, 20, 70, 1000])
def test_one_word_in_ten_cells_leaves_the_grouping(count):
    words = [f"word{i}" for i in range(count // 10)]
    cells = [*(f"{i},442,000" for i in range(1, 1 + count - len(words))), *words]
    assert readings_of(cells, ".", is_known=True).grouping == Grouping(",", ".")
    assert readings_of([*cells, "another word"], ".", is_known=True) is None


def test_large_files_read_by_blocks_have_one_grouping(tmp_path):
    out = io.StringIO()
    for i in range(60_000):
        out.write(f"{i % 999}\t{'ab'[i % 2]}\n" if i < 50_000 else f"{i:,}\t{'ab'[i % 2]}\n")
    (tmp_path / "t.tsv").write_text("x\ty\n" + out.getvalue())
    read, found = numbers(read_table(tmp_path / "t.tsv"))
    assert read[-1] == 59_999
    assert read[998] == 998
    assert list(found.groupings) == ["x"]
