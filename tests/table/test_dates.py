"""Dates whose month is a word, and dates of years that no calendar of computers has."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from glassmax import read_table
from glassmax.errors import DataError
from glassmax.table import Encoding, infer, table_from
from glassmax.table.dates import FORMS, form_of, moment

DAY = int((datetime(2024, 1, 5) - datetime(1970, 1, 1)).total_seconds()) * 1_000_000
CLASSES = ["a", "b"] * 15
DAYS = [f"{2020 + i % 3}-01-{i % 28 + 1:02}" for i in range(30)]


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        *(("5 Jan 2024", "dmy"), ("05-Jan-2024", "dmy"), ("5th January 2024", "dmy"), ("5. Jan. 2024", "dmy")),
        *(("Fri, 5 Jan 2024", "dmy"), ("5 JANUARY, 2024", "dmy"), ("5 january 2024", "dmy")),
        *(("Jan 5, 2024", "mdy"), ("January 5th, 2024", "mdy"), ("Jan. 5 2024", "mdy")),
        *(("Friday, January 5, 2024", "mdy"), ("2024-Jan-05", "ymd"), ("2024 January 5", "ymd")),
    ],
)
def test_the_month_may_be_a_word(cell, form):
    assert {other: moment(cell, other) for other in FORMS if moment(cell, other) is not None} == {form: DAY}
    assert form_of([cell], 1) == (form, False)


def test_a_time_may_follow_a_month_that_is_a_word():
    assert moment("Jan 5, 2024 10:30", "mdy") == moment("5 Jan 2024 10:30:00", "dmy") == DAY + 37_800_000_000


@pytest.mark.parametrize(
    "cell",
    ["31 Feb 2024", "0 Jan 2024", "32 Jan 2024", "Jan 2024", "Foo 5, 2024", "5 Janu 24", "Ja 5, 2024", "J 5, 2024"],
)
def test_what_is_no_day_of_the_calendar_is_no_date(cell):
    assert [form for form in FORMS if moment(cell, form) is not None] == []


@pytest.mark.parametrize("cell", ["0000-01-01", "0000-00-00", "0000/12/31", "01.01.0000", "1 Jan 0000", "Jan 1, 0000"])
def test_there_is_no_year_0(cell):
    assert [form for form in FORMS if moment(cell, form) is not None] == []


@pytest.mark.parametrize("write", [lambda d: f"{d:%-d} {d:%b} {d:%Y}", lambda d: f"{d:%b} {d:%-d}, {d:%Y}"])
def test_a_column_is_encoded_the_same_however_its_months_are_written(write):
    def encoded(cells):
        table = read_table(pl.DataFrame({"day": cells, "y": CLASSES}))
        return Encoding.learn(table, "y")[0].encode(table).X

    days = [datetime.fromisoformat(day) for day in DAYS]
    np.testing.assert_array_equal(encoded([write(day) for day in days]), encoded(DAYS))


@pytest.mark.parametrize("cell", ["0000-00-00", "0000-01-01"])
@pytest.mark.parametrize("kind", ["file", "frame"])
def test_a_cell_of_year_0_among_dates_is_named(tmp_path, cell, kind):
    cells = [*DAYS[:-1], cell]
    frame = pl.DataFrame({"day": cells, "y": CLASSES})
    frame.write_csv(tmp_path / "t.csv")
    table = read_table(tmp_path / "t.csv" if kind == "file" else frame)
    with pytest.raises(DataError) as raised:
        Encoding.learn(table, "y")[0].encode(table)
    where = "t.csv (line 31)" if kind == "file" else "The frame"
    assert str(raised.value) == (
        f"Row 30 of {where}: column 'day' is {cell!r}, expected a date (year, month, day), as 2024-05-31. Correct the "
        "cell, or empty it: missing cells are filled."
    )


@pytest.mark.parametrize("first", ["0000-01-01", "-0044-03-15", "10000-01-01"])
def test_a_column_of_moments_beyond_the_years_1_to_9999_is_left_out_and_said(first):
    days = np.array([first] + DAYS[1:], "M8[us]")
    table = read_table(pl.DataFrame({"day": days, "x": np.arange(30.0) % 7, "y": CLASSES}))
    inference = infer(table, ("y",))
    assert inference.kinds == {"x": "number"}
    assert list(map(str, inference.notes)) == ["day is left out: it holds dates beyond the years 1 to 9999."]


def test_numbers_that_are_written_like_days_are_said():
    def notes(days):
        return list(map(str, infer(table_from({"day": np.array(days, float), "y": CLASSES}), ("y",)).notes))

    days = [20200101 + 10000 * (i % 3) + 100 * (i % 12) + i % 28 for i in range(30)]
    assert notes(days) == [
        "day: 20200101 and the like are read as numbers. If they are dates, write them as 2024-05-31."
    ]
    assert notes([*days[:-1], 20201301]) == notes([*days[:-1], 20200132]) == notes([*days[:-1], 18991231]) == []
