"""Dates and times: recognized in text, and encoded as numbers.

A moment is encoded as its year, with a fraction, and as season, day of the week and hour, if these vary in the training
rows: each is a point on a circle (sine and cosine), so that December is next to January. A cell may also be a time of
day without a date. If the order of day and month, or the century, is a guess, a note says so.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from ..functional.arrays import Array

__all__ = ["CIRCLES", "FORMS", "LIKE_A_DATE", "TWO_DIGITS", "circle", "form_of", "moment", "years"]

FORMS = {
    "ymd": "year, month, day",
    "dmy": "day, month, year",
    "mdy": "month, day, year",
    "hms": "hour, minute, second",
}
TIME = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?([AaPp])\.?[Mm]\.?)?"
CLOCK = rf"(?:(?:[T ]|, ?){TIME})? ?(Z|[+-](?:0\d|1[0-8])(?::?[0-5]\d)?)?"
YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){CLOCK}")
YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|(?:(?<=/)|(?<=\b\d\d\.\d\d\.))\d{{2}}){CLOCK}")
MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october"]
MONTHS += ["november", "december"]
MONTH, WEEKDAY = r"([A-Za-z]{3,9})\.?", r"(?:[A-Za-z]{3,9}\.?,? )?"
DAY, YEAR = r"(\d{1,2})(?:st|nd|rd|th)?", r"(\d{4})"
NAMED_MONTH = {
    "ymd": re.compile(rf"{YEAR}[- ]{MONTH}[- ](\d{{1,2}}){CLOCK}"),
    "dmy": re.compile(rf"{WEEKDAY}{DAY}(?: |-|\. ?){MONTH}(?:,? |-)(\d{{4}}|(?<=-)\d{{2}}){CLOCK}"),
    "mdy": re.compile(rf"{WEEKDAY}{MONTH} {DAY}(?:,? ){YEAR}{CLOCK}"),
}
"""Dates whose month is a word, as in 1 Jan 2024 and January 1st, 2024."""
TIME_OF_DAY = re.compile(TIME)
TWO_DIGITS = re.compile(r"\d{1,2}(?:/\d{1,2}/|\.\d{1,2}\.|-[A-Za-z]+\.?-)\d{2}(?!\d)")
"""How a date begins whose year has two digits: 5/31/24, 31.05.24, 31-MAY-24."""
LIKE_A_DATE = re.compile(
    r"(?:\d{2}|\d{4})[-/]\d{1,2}(?:[-/]\d{2,4})?(?!\d).*|\d{1,2} ?[ap]\.?m\.?"
    r"|(?=.*\d)(?:.*[^a-z])?(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z]).*",
    re.IGNORECASE,
)
"""What may be meant for a date, but is not read as one: 24-05-31, May 2024, 3 PM."""
TURN_OF_CENTURY = 69
EPOCH = datetime(1970, 1, 1)
DAYS_OF_YEAR, MICROSECONDS_OF_DAY = 365.2425, 86_400_000_000

CIRCLES = ("season", "weekday", "hour")


def moment(cell: str, form: str) -> int | None:
    """Return the moment in a cell, in microseconds since 1970 (in UTC if a zone is given), or None if it holds none.

    The form is one of `FORMS`.

    Examples
    --------
    >>> moment("1970-01-02 00:00:01", "ymd"), moment("3/1/1970", "mdy"), moment("30.2.2024", "dmy")
    (86401000000, 5097600000000, None)
    >>> moment("Jan 2, 1970", "mdy"), moment("2 January 1970", "dmy")
    (86400000000, 86400000000)
    >>> moment("02-JAN-70", "dmy"), moment("1/2/1970 12:00 AM", "mdy")
    (86400000000, 86400000000)
    """
    if form == "hms":
        return _time_of_day(cell)
    parts = _parts(cell, form)
    if parts is None:
        return None
    first, second, third, *clock, zone = parts
    order = {"ymd": (first, second, third), "dmy": (third, second, first), "mdy": (third, first, second)}[form]
    year, month, day_of_month = map(int, order)
    if len(str(order[0])) == 2:
        year += 2000 if year < TURN_OF_CENTURY else 1900
    try:
        day = datetime(year, month, day_of_month)
    except ValueError:
        return None
    time = _microseconds(*clock)
    return None if time is None else (day - EPOCH) // timedelta(microseconds=1) + time - _offset(zone)


def _parts(cell: str, form: str) -> tuple[Any, ...] | None:
    """Return the three parts of a date, in the order of the form, and those of the time."""
    found = (YEAR_FIRST if form == "ymd" else YEAR_LAST).fullmatch(cell)
    if found is not None:
        first, _, *rest = found.groups()
        return (first, *rest)
    named = NAMED_MONTH[form].fullmatch(cell)
    if named is None:
        return None
    parts = list(named.groups())
    position = form.index("m")
    word = parts[position].casefold()
    month = next((number for number, name in enumerate(MONTHS, 1) if word in (name, name[:3], name[:4])), None)
    if month is None:
        return None
    parts[position] = str(month)
    return tuple(parts)


def _time_of_day(cell: str) -> int | None:
    found = TIME_OF_DAY.fullmatch(cell)
    if found is None:
        return None
    return _microseconds(*found.groups())


def _microseconds(
    hour: str | None, minute: str | None, second: str | None, fraction: str | None, half: str | None
) -> int | None:
    """Return the time since midnight; None if there is no such time. `half` is the first letter of AM or PM."""
    h, m, s = (int(part or 0) for part in (hour, minute, second))
    if half is not None:
        if not 1 <= h <= 12:
            return None
        h = h % 12 + (12 if half in "pP" else 0)
    if h > 23 or m > 59 or s > 59:
        return None
    return (3600 * h + 60 * m + s) * 1_000_000 + int((fraction or "0").ljust(6, "0")[:6])


def _offset(zone: str | None) -> int:
    if zone in (None, "Z"):
        return 0
    digits = str(zone)[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (-minutes if str(zone)[0] == "-" else minutes) * 60_000_000


def form_of(cells: Iterable[str], least: float) -> tuple[str, bool] | None:
    """Return the form in which at least this share of the cells are dates; None if there is no such form.

    The second value is whether days and months can't be told apart, because no day is beyond 12.

    Examples
    --------
    >>> form_of(["2024-05-01"], 0.9), form_of(["31/12/2024", "1/2/2024"], 0.9), form_of(["1/2/2024"], 0.9)
    (('ymd', False), ('dmy', False), ('mdy', True))
    """
    cells = list(cells)
    enough = {}
    for form in FORMS:
        known = sum(moment(cell, form) is not None for cell in cells)
        if known and known >= least * len(cells):
            enough[form] = known
    if not enough:
        return None
    best = max(enough.values())
    forms = [form for form, known in enough.items() if known == best]
    if len(forms) == 1:
        return forms[0], False
    return ("mdy" if any("/" in cell for cell in cells) else "dmy"), True


def years(moments: Array) -> Array:
    """Return moments, datetime64, as years with a fraction, float64; NaN where missing."""
    return _days(moments) / DAYS_OF_YEAR + 1970


def circle(moments: Array, part: str) -> Array:
    """Return the phase, in [0, 1), of each moment in one of the `CIRCLES`; NaN where missing."""
    days = _days(moments)
    if part == "hour":
        return days - np.floor(days)
    if part == "weekday":
        return (np.floor(days) + 3) % 7 / 7  # 1970 began on a Thursday; Monday is 0
    start = moments.astype("M8[Y]").astype("M8[us]")
    return np.floor(days - _days(start)) / 366


def _days(moments: Array) -> Array:
    microseconds = moments.astype("M8[us]").astype(np.int64).astype(np.float64)
    return np.where(np.isnat(moments), np.nan, microseconds / MICROSECONDS_OF_DAY)
