"""Numbers and dates far outside of those of the training: bounded, counted and said."""

import numpy as np
import pandas as pd
import pytest

from glassmax import Model, Network, TableClassifier, load_model, read_table
from glassmax.table import Date, Encoding, Number, read_batches

DAYS = pd.date_range("2020-01-01", "2023-12-31", periods=120).floor("D")
FRAME = pd.DataFrame({"day": DAYS, "x": np.linspace(0, 50, 120), "y": np.where(np.arange(120) < 60, "old", "new")})


def notes_of(encoding, **columns):
    return list(map(str, encoding.encode(read_table(pd.DataFrame(columns))).notes))


@pytest.fixture(scope="module")
def encoding():
    return Encoding.learn(read_table(FRAME), "y")[0]


def test_dates_and_numbers_far_outside_are_counted_and_said(encoding):
    days = [*pd.to_datetime(["2099-01-01", "1900-06-30", "2024-03-01", "2021-01-01"])]
    assert notes_of(encoding, day=days, x=[1e6, 1.5, -60, 99.0]) == [
        "day: 2 rows far outside the training range, 2020-01-01 to 2023-12-31: 2099-01-01 (row 1), 1900-06-30 (row 2)",
        "x: 2 rows far outside the training range, 0 to 50: 1000000 (row 1), -60 (row 3)",
    ]


def test_the_training_rows_are_never_far(encoding):
    assert encoding.encode(read_table(FRAME)).notes == []


def test_a_date_is_bounded_as_a_number_is(encoding):
    days = pd.to_datetime(["2021-12-31", "2030-01-01", "9999-01-01", "0001-01-01"])
    X = encoding.encode(read_table(pd.DataFrame({"day": days, "x": 1.0}))).X
    assert np.abs(X[:, 0]).max() < 3
    assert X[3, 0] < X[0, 0] < X[1, 0] < X[2, 0]


def test_no_class_is_certain_far_outside():
    noisy = FRAME.assign(y=np.where(np.arange(120) % 6 == 0, "new", FRAME["y"]))
    classifier = TableClassifier("fast", random_state=0).fit(noisy, "y")
    far = pd.DataFrame({"day": pd.to_datetime(["9999-12-31", "0001-01-01"]), "x": [1e90, -1e90]})
    assert classifier.predict_proba(far).max() < 1


def test_times_of_day_are_shown_without_a_date():
    frame = pd.DataFrame({"t": [f"09:{i:02}" for i in range(40)], "y": list("ab") * 20})
    encoding, _ = Encoding.learn(read_table(frame), "y")
    assert notes_of(encoding, t=["09:10", "23:30"]) == [
        "t: 1 row far outside the training range, 09:00:00 to 09:39:00: 23:30:00 (row 2)"
    ]


def test_a_constant_with_gaps_has_a_bound():
    frame = pd.DataFrame({"x": [7.0, np.nan] * 20, "y": list("ab") * 20})
    encoding, _ = Encoding.learn(read_table(frame), "y")
    assert encoding.encode(read_table(pd.DataFrame({"x": [1e9]}))).X[0, 0] < 3.001
    assert notes_of(encoding, x=[8.0]) == ["x: 1 row far outside the training range, 7 to 7: 8 (row 1)"]


def test_the_model_file_keeps_the_span_and_old_files_have_none(tmp_path, encoding):
    Model(Network([encoding.width, 2], random_state=0), ["new", "old"], encoding).save(tmp_path / "m")
    assert load_model(tmp_path / "m").encoding == encoding
    date, number = encoding.columns
    assert (date.first, date.last, number.lowest, number.highest) == (
        "2020-01-01 00:00:00",
        "2023-12-31 00:00:00",
        0,
        50,
    )
    old = Encoding("y", [Date("day", "ymd", 2022.0, 1.0, [], False), Number("x", 25.0, 25.0, False)])
    assert notes_of(old, day=[pd.Timestamp("2099-01-01")], x=[1e6]) == []
    Model(Network([2, 2], random_state=0), ["new", "old"], old).save(tmp_path / "old")
    assert load_model(tmp_path / "old").encoding == old


def test_a_row_of_a_later_piece_is_called_by_its_number_in_the_file(tmp_path, encoding):
    from glassmax.table import UnseenCounts

    counts = UnseenCounts()
    whole = read_table(pd.DataFrame({"day": ["2021-01-01"] * 300, "x": [1.0] * 170 + [1e9] + [1.0] * 129}))
    for start in (0, 100, 200):
        encoding.fill(whole.rows(slice(start, start + 100)), counts)
    assert list(map(str, counts.notes(encoding.columns))) == [
        "x: 1 row far outside the training range, 0 to 50: 1000000000 (row 171)"
    ]


def test_pieces_are_counted_together(tmp_path, encoding):
    rows = "".join(f"{day},{x}\n" for day, x in [("2099-01-01", 1), ("2021-01-01", 2)] * 400)
    (tmp_path / "t.csv").write_text("day,x\n" + rows)
    model = Model(Network([encoding.width, 2], random_state=0), ["new", "old"], encoding)
    from glassmax.table import UnseenCounts

    counts = UnseenCounts()
    list(model.predictions(read_batches(tmp_path / "t.csv"), counts))
    assert list(map(str, counts.notes(encoding.columns))) == [
        "day: 400 rows far outside the training range, 2020-01-01 to 2023-12-31: 2099-01-01 (row 1)"
    ]
