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
    ("cell", "form"),
    [
        *(("05-JAN-24", "dmy"), ("5-Jan-24", "dmy"), ("05.01.24", "dmy"), ("01/05/24", "mdy")),
        *(("01.05.24", "mdy"), ("05/01/24", "dmy")),
    ],
)
def test_a_year_may_have_two_digits(cell, form):
    assert moment(cell, form) == DAY
    assert moment(cell.replace("24", "99"), form) < 946_684_800_000_000 == moment(cell[:-2] + "2000", form) - 345600e6


@pytest.mark.parametrize("cell", ["5 Jan 24", "5.1.24", "3.10.12", "24-01-05", "05-01-24", "5-JAN-2"])
def test_two_digits_are_no_year_where_they_may_be_something_else(cell):
    assert [form for form in FORMS if moment(cell, form) is not None] == []


def test_the_century_of_two_digits_is_said():
    def notes(*days):
        return list(map(str, infer(table_from({"day": list(days) * 10, "y": CLASSES}), ("y",)).notes))

    said = ["day: years of two digits are taken for 1969 to 2068."]
    assert notes("13-JAN-24", "01-FEB-23", "02-MAR-99") == notes("13.01.24", "01.02.23", "02.03.99") == said
    assert notes("1/13/24", "2/1/23", "3/2/99") == said
    assert notes("13-JAN-2024", "01-FEB-2023", "02-MAR-1999") == []


@pytest.mark.parametrize(
    ("clock", "time"),
    [
        *(("12:00 AM", "00:00"), ("12:59 am", "00:59"), ("1:00 AM", "01:00"), ("11:59:59 a.m.", "11:59:59")),
        *(("12:00 PM", "12:00"), ("12:30pm", "12:30"), ("1:05 p.m.", "13:05"), ("11:59:59.5 PM", "23:59:59.5")),
    ],
)
def test_a_time_may_have_halves_of_the_day(clock, time):
    assert moment(clock, "hms") == moment(time, "hms")
    days = {"ymd": "2024-05-31", "mdy": "5/31/2024", "dmy": "31-MAY-24"}
    assert {moment(f"{day} {clock}", form) for form, day in days.items()} == {moment(f"2024-05-31 {time}", "ymd")}
    assert moment(f"May 31, 2024 {clock}", "mdy") == moment(f"2024-05-31 {time}", "ymd")


@pytest.mark.parametrize("cell", ["0:30 AM", "13:00 PM", "12:60 PM", "1:00 XM", "1:00 A", "PM", "25:00"])
def test_what_is_no_time_of_day_is_none(cell):
    assert moment(cell, "hms") is moment(f"2024-05-31 {cell}", "ymd") is None


@pytest.mark.parametrize("write", ["%d-%b-%y", "%m/%d/%Y %I:%M %p", "%d.%m.%y", "%b %d, %Y %I:%M:%S%p"])
def test_dates_as_programs_write_them_are_encoded_as_in_iso_form(write):
    def encoded(cells):
        table = read_table(pl.DataFrame({"day": cells, "y": CLASSES}))
        return Encoding.learn(table, "y")[0].encode(table).X

    hours = "%H" in write or "%I" in write
    days = [datetime(2020 + i % 3, i % 12 + 1, i % 28 + 1, 5 * i % 24 if hours else 0) for i in range(30)]
    np.testing.assert_array_equal(encoded([f"{day:{write}}" for day in days]), encoded([str(day) for day in days]))


@pytest.mark.parametrize("write", ["%d-%m-%y", "%y-%m-%d", "%b %Y", "%Y-%m", "%a %b %d %H:%M:%S %Y", "%d-%b", "%Y/%m"])
@pytest.mark.parametrize("repeat", [1, 2])
def test_what_may_be_a_date_but_is_not_read_as_one_is_said(write, repeat):
    days = [f"{datetime(1990 + i, i % 12 + 1, i % 28 + 1):{write}}" for i in range(24 // repeat**2)] * repeat**2
    inference = infer(table_from({"day": days, "y": ["a", "b"] * 12}), ("y",))
    shown = f"{days[0]!r}"
    if inference.kinds:
        assert (inference.kinds, list(map(str, inference.notes))) == (
            {"day": "category"},
            [f"day: {shown} and the like are read as categories. If they are dates, write them as 2024-05-31."],
        )
    else:
        assert list(map(str, inference.notes)) == [
            f"day is left out: it holds texts such as {shown}, which are not read as dates. If they are dates, write "
            "them as 2024-05-31. To learn from it all the same: keep=['day']."
        ]


@pytest.mark.parametrize("word", ["maybe 3", "Marlin 5", "123-45-6789", "10.0.0.{i}", "A-{i}", "decade {i}", "12-ab"])
def test_other_texts_are_not_said_to_be_dates(word):
    texts = [word.format(i=i) if "{i}" in word else f"{word} {chr(97 + i)}" for i in range(24)]
    assert not any("dates" in str(note) for note in infer(table_from({"t": texts, "y": ["a", "b"] * 12}), ("y",)).notes)


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
