"""One table in many forms: what is read from each is the same, fast or row by row, whole or in pieces."""

import gzip
import io
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassmax import Model, Network, load_model, read_table
from glassmax.errors import DataError, OptionError
from glassmax.table import Encoding, Table, delimited, giveaways, infer, read_batches, table_of
from glassmax.table.cells import as_text, canonical, column_of, number_text
from glassmax.table.columns import Date, UnseenCounts
from glassmax.table.dates import circle, form_of, moment, years
from glassmax.table.inference import ColumnOptions

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

N = 3000
DRAW = np.random.default_rng(0)
FRAME = pl.DataFrame(
    {
        "x": DRAW.standard_normal(N).round(4),
        "whole": DRAW.integers(-50, 50, N),
        "gaps": [None if i % 7 == 0 else i / 3 for i in range(N)],
        "c": [["a", "b, c", 'say "q"', "é", None][i % 5] for i in range(N)],
        "code": [f"{i % 90:05}" for i in range(N)],
        "day": [f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}" for i in range(N)],
        "flag": [bool(i % 3) for i in range(N)],
    }
)


def packed(frame, how, **options):
    out = io.BytesIO()
    getattr(frame, f"write_{how}")(out, **options)
    return out.getvalue()


CSV = packed(FRAME, "csv")


def with_decimal_commas(frame):
    def cell(value):
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float):
            return repr(value).replace(".", ",")
        text = str(value)
        return '"' + text.replace('"', '""') + '"' if '"' in text else text

    lines = [";".join(frame.columns), *(";".join(map(cell, row)) for row in frame.iter_rows())]
    return ("\n".join(lines) + "\n").encode()


FORMS = {
    "csv": CSV,
    "tsv": packed(FRAME, "csv", separator="\t"),
    "windows": CSV.replace(b"\n", b"\r\n"),
    "mark": b"\xef\xbb\xbf" + CSV,
    "utf-16": CSV.decode().encode("utf-16"),
    "latin-1": CSV.decode().encode("latin-1"),
    "decimal commas": with_decimal_commas(FRAME),
    "gzip": gzip.compress(CSV),
    "zstd": zstd.compress(CSV),
    "parquet": packed(FRAME, "parquet"),
    "parquet in zstd": zstd.compress(packed(FRAME, "parquet")),
    "arrow": packed(FRAME, "ipc"),
    "arrow stream": packed(FRAME, "ipc_stream"),
    "json lines": packed(FRAME, "ndjson"),
}


def texts(table):
    return {name: as_text(column).tolist() for name, column in table.columns.items()}


@pytest.fixture
def read(tmp_path):
    def read(content, **options):
        path = tmp_path / "t"
        path.write_bytes(content)
        return read_table(path, **options)

    return read


def same(first, second):
    """Whether two tables hold the same cells in columns of the same kind, to the bit."""
    return list(first.columns) == list(second.columns) and all(
        first.columns[name].dtype == second.columns[name].dtype
        and first.columns[name].tolist() == pytest.approx(second.columns[name].tolist(), abs=0, rel=0, nan_ok=True)
        if first.columns[name].dtype.kind == "f"
        else first.columns[name].tolist() == second.columns[name].tolist()
        for name in first.columns
    )


# --- forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_table(read, form):
    table = read(FORMS[form])
    assert texts(table) == texts(table_of(FRAME))
    assert {name: column.dtype.kind for name, column in table.columns.items()} == {
        **dict.fromkeys(["x", "whole", "gaps"], "f"),
        **dict.fromkeys(["c", "code", "day", "flag"], "O"),
    }


@pytest.mark.parametrize("frame", [FRAME, FRAME.to_pandas(), FRAME.to_arrow()], ids=["polars", "pandas", "arrow"])
def test_every_frame_gives_the_same_table(frame):
    assert texts(read_table(frame)) == texts(table_of(FRAME))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_encoded_and_predicted_to_the_same_bits(read, tmp_path, form):
    table = table_of(FRAME)
    encoding, _ = Encoding.learn(table, "code")
    model = Model(Network([encoding.width, 7, 3], random_state=0), np.array(["a", "b", "c"]), encoding)
    model.save(tmp_path / "m")
    P = load_model(tmp_path / "m").predict_proba(read(FORMS[form]))
    np.testing.assert_array_equal(P, model.predict_proba(FRAME))
    np.testing.assert_array_equal(P, model.predict_proba(FRAME.to_pandas()[FRAME.columns[::-1]]))


@pytest.mark.parametrize("form", ["csv", "parquet", "json lines", "decimal commas"])
def test_a_table_in_pieces_is_predicted_to_the_same_bits(read, tmp_path, monkeypatch, form):
    monkeypatch.setattr("glassmax.table.decoding.BLOCK_BYTES", 10_000)
    monkeypatch.setattr("glassmax.table.columnar.CELLS_AT_ONCE", 2000)
    monkeypatch.setattr("glassmax.table.json_lines.CELLS_AT_ONCE", 2000)
    monkeypatch.setattr("glassmax.engine.batches.BLOCK_NUMBERS", 6000)
    encoding, _ = Encoding.learn(table_of(FRAME), "code")
    model = Model(Network([encoding.width, 7, 3], random_state=0), np.array(["a", "b", "c"]), encoding)
    whole = read(FORMS[form])
    pieces = list(read_batches(tmp_path / "t"))
    assert len(pieces) > 2
    assert [pieces[1].place(0), whole.place(pieces[0].n_rows)][0] == whole.place(pieces[0].n_rows)
    found = list(model.predictions(iter(pieces)))
    assert len(found) > 2
    np.testing.assert_array_equal(np.concatenate([P for _, P in found]), model.predict_proba(whole))
    assert sum(table.n_rows for table, _ in found) == N


def test_the_columns_that_are_asked_for_are_read_and_the_others_known_by_name(tmp_path):
    for form in ("csv", "parquet", "json lines"):
        (tmp_path / "t").write_bytes(FORMS[form])
        table = next(read_batches(tmp_path / "t", columns=["day", "x", "none"]))
        assert sorted(table.columns) == ["day", "x"]
        assert table.names == FRAME.columns


# --- fast and row by row ---------------------------------------------------------------------------------------------

CELL = st.one_of(
    st.sampled_from(
        ["", "NA", "1", "-2.50", "007", "1e5", "+3", "inf", "1,5", "1.234,5", "a b", 'q"q', "é", "x\ny", " z "]
    ),
    st.floats(allow_nan=False).map(repr),
    st.integers(-(10**17), 10**17).map(str),
    st.text("ab1 ,;\"'\n.é", max_size=4),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=300)
@given(st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=8), st.sampled_from([",", ";"]))
def test_polars_and_the_row_by_row_reader_make_the_same_table(monkeypatch, tmp_path, rows, delimiter):
    import csv

    path = tmp_path / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerows([["first", "second"], *rows])
    monkeypatch.setattr(delimited, "SMALL_BYTES", -1)
    fast = outcome(path)
    monkeypatch.setattr(delimited, "_clean_rows", lambda *arguments: None)
    slow = outcome(path)
    monkeypatch.undo()
    if isinstance(slow, str) or isinstance(fast, str):
        assert fast == slow
        return
    assert same(fast, slow)
    assert fast.lines.tolist() == slow.lines.tolist()


def outcome(path):
    try:
        return read_table(path)
    except DataError as error:
        return str(error)


def test_the_fast_reader_is_used_where_it_can_be(read, monkeypatch):
    def fail(*arguments):
        raise AssertionError("row by row")

    monkeypatch.setattr(delimited, "SMALL_BYTES", -1)
    monkeypatch.setattr(delimited._Reader, "_from_rows", fail)
    assert read(CSV).n_rows == N


# --- what the user says ----------------------------------------------------------------------------------------------


def test_delimiter_decimal_and_encoding_can_be_said(read):
    assert texts(read(b"x;y\n1;2\n", delimiter=","))["x;y"] == ["1;2"]
    assert texts(read(b"x|y\n1,234|a\n", decimal=","))["x"] == ["1.234"]
    assert texts(read("x,y\n1,š\n".encode("cp1250"), encoding="cp1250"))["y"] == ["š"]
    for wrong in ({"delimiter": "ab"}, {"decimal": ";"}, {"encoding": "klingon"}):
        with pytest.raises(OptionError, match="expected"):
            read(b"x,y\n1,2\n", **wrong)


def test_what_is_no_table_at_all_is_refused():
    for thing in (3, None, [1, 2]):
        with pytest.raises(DataError, match="expected a path, a frame, or the name of an example"):
            read_table(thing)
    with pytest.raises(DataError, match="lazy"):
        read_table(FRAME.lazy())
    with pytest.raises(DataError, match="0 rows"):
        read_table(FRAME[:0])


def test_pandas_cells_of_several_kinds_are_read():
    frame = pd.DataFrame(
        {
            "mixed": [1, "a", None],
            "nullable": pd.array([1, None, 3], "Int64"),
            "flags": pd.array([True, None, False], "boolean"),
            "when": pd.to_datetime(["2024-01-01", None, "2024-03-01"]),
            "zoned": pd.to_datetime(["2024-01-01T01:00+01:00", None, "2024-03-01T00:00+00:00"], utc=True),
            "category": pd.Categorical(["u", None, "v"]),
            "lists": [[1], [2], [3]],
        }
    )
    table = read_table(frame)
    assert texts(table) == {
        "mixed": ["1", "a", None],
        "nullable": ["1", None, "3"],
        "flags": ["true", None, "false"],
        "when": ["2024-01-01", None, "2024-03-01"],
        "zoned": ["2024-01-01", None, "2024-03-01"],
        "category": ["u", None, "v"],
    }
    with pytest.raises(DataError, match="Column 'lists' of The frame holds values of type list, expected"):
        table.column("lists")


# --- cells -----------------------------------------------------------------------------------------------------------


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_as_text_is_the_same_number(value):
    assert float(number_text(value)) == value
    assert canonical(canonical(repr(value))) == canonical(repr(value))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) < 1e15), min_size=1))
def test_numbers_survive_a_file_to_the_bit(values):
    assert column_of([repr(value) for value in values]).tolist() == values


@pytest.mark.parametrize("cell", ["007", "+49", "1_0", "0x1f", "1234567890123456", "inf", "nan1", "١", "1,5", "--1"])
def test_what_would_lose_something_as_a_number_stays_text(cell):
    assert column_of([cell, "1"]).tolist() == [cell, "1"]


# --- dates -----------------------------------------------------------------------------------------------------------


@given(st.datetimes())
def test_a_moment_is_the_one_that_was_written(there):
    assert np.datetime64(moment(there.isoformat(), "ymd"), "us") == np.datetime64(there, "us")
    if there.year >= 1000:
        assert moment(there.strftime("%d.%m.%Y"), "dmy") == moment(there.strftime("%Y-%m-%d"), "ymd")
        assert moment(there.strftime("%m/%d/%Y"), "mdy") == moment(there.strftime("%Y-%m-%d"), "ymd")


@pytest.mark.parametrize("cell", ["2024-02-30", "2024-13-01", "24-01-01", "2024-1", "2024-01-01T25:00", "20240101", ""])
def test_what_is_no_date_is_none(cell):
    assert moment(cell, "ymd") is None


def test_the_day_is_told_from_the_month_where_it_can_be():
    assert form_of(["13/01/2024", "02/03/2024"], 1) == ("dmy", False)
    assert form_of(["01/13/2024", "02/03/2024"], 1) == ("mdy", False)
    assert form_of(["01/02/2024"], 1) == ("mdy", True)
    assert form_of(["01.02.2024"], 1) == ("dmy", True)
    assert form_of(["apple"], 0.9) is None


def test_circles_close():
    days = np.array(["2024-01-01", "2024-12-31", "2024-01-07", "2024-01-08", "NaT"], "M8[us]")
    assert circle(days, "weekday")[:4].tolist() == [0, 1 / 7, 6 / 7, 0]
    assert circle(days, "season")[:2].tolist() == [0, 365 / 366]
    assert circle(np.array(["2024-01-01T18:00"], "M8[us]"), "hour").tolist() == [0.75]
    assert np.isnan(circle(days, "weekday")[4])
    assert 2023.99 < years(days)[0] < 2024.01


@pytest.mark.parametrize("center", [1e308, -1e308])
def test_an_input_of_a_date_is_finite_however_far_the_date_is(center):
    X, table = np.zeros((2, 1)), Table("t", {"d": column_of(["2024-01-01", "1950-06-05"])})
    Date("d", "ymd", center, 0.5, [], False).fill(table, X, UnseenCounts())
    assert X[:, 0].tolist() == [-np.sign(center) * 1e30] * 2


# --- inference -------------------------------------------------------------------------------------------------------


def kinds(**columns):
    return infer(Table("t", {name: column_of(cells) for name, cells in columns.items()}), ()).kinds


def test_columns_are_told_apart():
    n = 40
    assert kinds(
        number=[f"{i * 7 % 40}.5" for i in range(n)],
        category=["u", "v"] * 20,
        boolean=["Yes", "no"] * 20,
        date=[f"2024-01-{i % 28 + 1:02}" for i in range(n)],
        code=[f"{i % 9:04}" for i in range(n)],
        letters=["t", "f"] * 20,
    ) == {
        "number": "number",
        "category": "category",
        "boolean": "boolean",
        "date": "ymd",
        "code": "category",
        "letters": "boolean",
    }


def test_wishes_override_what_a_column_looks_like():
    table = Table("t", {"a": column_of(["1", "2", "1"]), "b": column_of(["x", "y", "x"]), "c": column_of(["5"] * 3)})
    wishes = ColumnOptions({"a": "category"}, ("b",), ("c",))
    assert infer(table, (), wishes).kinds == {"a": "category", "c": "number"}
    assert infer(table, (), ColumnOptions({"a": "boolean"})).kinds["a"] == "boolean"
    with pytest.raises(OptionError, match="The type of column 'a' is 'text', expected one of number, category"):
        infer(table, (), ColumnOptions({"a": "text"}))
    with pytest.raises(DataError, match="has no column 'z'"):
        infer(table, (), ColumnOptions(keep=("z",)))


def test_all_columns_that_need_mending_are_refused_at_once_with_the_options_that_help():
    units = {"weight": "kg", "full size": "cm"}
    table = Table("t", {name: column_of([f"{i} {unit}" for i in range(40)]) for name, unit in units.items()})
    with pytest.raises(DataError) as caught:
        infer(table, ())
    assert str(caught.value) == (
        "Column 'weight' of t holds numbers with a unit, such as '0 kg', expected numbers alone, as 1234.5. Write the "
        "unit into the name of the column. The same holds for 'full size'. Leave them out: "
        "ignore=['weight', 'full size']."
    )


@pytest.mark.parametrize("write", ["10.0.0.{}", "3.{}.12", "1.2.{}"])
def test_addresses_and_versions_are_no_numbers_with_a_unit(write):
    table = table_of(pl.DataFrame({"v": [write.format(i) for i in range(24)], "y": ["a", "b"] * 12}))
    assert [str(note) for note in infer(table, ("y",)).notes] == [
        "v is left out: it has a different text in every row, as identifiers do."
    ]


def test_a_column_that_tells_the_class_is_found_whatever_its_kind():
    n, y = 200, np.arange(200) % 2
    told = {
        "text": column_of([f"{'ab'[c]}!" for c in y]),
        "number": y + DRAW.uniform(0, 0.5, n),
        "missing": np.where(y == 1, np.nan, DRAW.standard_normal(n)),
        "when": (y * 1000 + np.arange(n) % 50).astype("M8[D]").astype("M8[us]"),
    }
    others = {"noise": DRAW.standard_normal(n), "names": column_of([f"n{i}" for i in range(n)])}
    assert dict(giveaways(Table("t", told | others), [*told, *others], y)) == dict.fromkeys(told, 1.0)


def test_a_file_in_a_folder_of_its_own_is_called_by_its_name(tmp_path):
    (tmp_path / "deep").mkdir()
    Path(tmp_path, "deep", "t.csv").write_bytes(CSV)
    assert read_table(str(tmp_path / "deep" / "t.csv")).name == "t.csv"


def test_dates_times_and_decimals_that_a_frame_holds_as_objects_are_read_as_such():
    cells = {
        "day": [date(2024, 5, 31), None],
        "moment": [datetime(2024, 5, 31, 14, 30, tzinfo=UTC), None],
        "clock": [time(14, 30), None],
        "price": [Decimal("1.50"), None],
    }
    table = table_of(pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in cells.items()}))
    assert [table.column(name)[0] for name in ("day", "clock", "price")] == ["2024-05-31", "14:30:00", 1.5]
    assert moment(table.column("moment")[0], "ymd") == moment("2024-05-31 14:30:00", "ymd")


@pytest.mark.parametrize("form", ["pandas", "polars", "arrow"])
def test_moments_of_any_zone_are_those_of_utc(form):
    moments = pl.Series([datetime(2024, 1, 1, 12), None]).dt.replace_time_zone("Europe/Zurich")
    frame = pl.DataFrame({"e": moments, "x": [1, 2]})
    given = {"pandas": frame.to_pandas, "polars": lambda: frame, "arrow": frame.to_arrow}[form]()
    there = table_of(given).column("e")
    assert str(there[0]) == "2024-01-01T11:00:00.000000"
    assert np.isnat(there[1])


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "The frame has columns of the same name: 'x'. Rename them."),
        (
            FRAME.to_arrow().rename_columns(["x"] * FRAME.width),
            "The frame has columns of the same name: 'x'. Rename them.",
        ),
        (pd.DataFrame([[1, 2]], columns=[None, "x"]), "The frame has columns without a name: number 1. Name them."),
        (pd.DataFrame({"x": pd.Series(["\ud800"], dtype=object)}), "'x' holds half a character (a lone surrogate)"),
    ],
)
def test_a_frame_that_is_no_table_is_refused(frame, words):
    with pytest.raises(DataError) as caught:
        read_table(frame)
    assert words in str(caught.value)


def test_a_zone_that_no_place_on_earth_has_makes_no_moment():
    assert moment("2024-05-31T10:00+14:00", "ymd") == moment("2024-05-30T20:00Z", "ymd")
    assert moment("2024-05-31T10:00+99:00", "ymd") is None
    assert moment("2024-05-31T10:00+05:99", "ymd") is None
