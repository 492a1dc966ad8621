"""Encode one column as numbers, as learned in training: number, category, boolean, date.

Each kind of column is a record in the model file that fills its columns of X from the cells of a table. `UnseenCounts`
counts the missing cells that were filled, and the values that did not occur in training.

A field with a default came with version 2 of the model file. The file omits defaults, so that a record whose new fields
all have their defaults is a record of version 1.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
import numpy as np

from ..errors import DataError, Setting, Text
from ..functional.arrays import Array
from .cells import as_text, canonical, distinct, number_text, parse_number
from .dates import FORMS, circle, moment, years
from .grouping import Grouping, is_decimal_comma
from .notes import Note
from .summary import ColumnSummary
from .table import Table, some

__all__ = [
    "HIGH",
    "Boolean",
    "Category",
    "Column",
    "Date",
    "Number",
    "UnseenCounts",
    "cell_number",
    "moments_in",
    "moments_of",
    "numbers_of",
    "span_of",
]

LARGEST = 1e100  # of a cell: squares and differences are finite
FARTHEST = 1e30  # of an input: sums of products are finite, in float32 too
HIGH = 1.6641  # yes in a column "is this value", where 0 is no: 2 / sqrt(1 + (2 / 3)^2), two spreads, bounded
MOST_NAMED = 1000
CORRECT = "Correct the cell, or empty it: missing cells are filled."


class UnseenCounts:
    """Counts of missing cells and of values that did not occur in training, over any number of tables.

    Attributes
    ----------
    missing : dict of str to int
        Cells that were filled, by column.
    filling : dict of str to str
        Value that missing cells of a column were filled with, in words.
    words : dict of str to Counter
        Number of filled cells that held a word, such as NA, by column and word.
    unseen : dict of str to Counter
        Number of rows with a value that did not occur in training, by column and value.
    far : dict of str to Counter
        Number of rows with a number or a date far outside of those of the training, by column and value.
    spans : dict of str to str
        The span of the training of such a column, in words.
    first : dict of (str, str) to int
        Number of the first row with a value that is counted as unseen or far, by column and value.
    """

    def __init__(self) -> None:
        self.missing: Counter[str] = Counter()
        self.filling: dict[str, str] = {}
        self.words: dict[str, Counter[str]] = {}
        self.unseen: dict[str, Counter[str]] = {}
        self.far: dict[str, Counter[str]] = {}
        self.spans: dict[str, str] = {}
        self.first: dict[tuple[str, str], int] = {}

    def __repr__(self) -> str:
        unseen = sum(values.total() for values in self.unseen.values())
        return f"UnseenCounts: {self.missing.total()} missing cells, {unseen} rows with a value not seen in training"

    def count_missing(self, table: Table, name: str, count: int, filling: str) -> None:
        """Count cells of a column that were missing and filled."""
        self.missing[name] += count
        self.filling[name] = filling
        if name in table.words:
            self.words.setdefault(name, Counter()).update(table.words[name].counts())

    def count_unseen(self, table: Table, name: str, value: str | None, row: int) -> None:
        """Count a row whose value did not occur in training."""
        self._count(self.unseen, table, name, "missing" if value is None else repr(value), row)

    def count_far(self, table: Table, name: str, values: Iterable[str], rows: Array, span: str) -> None:
        """Count rows whose numbers or dates are far outside of those of the training."""
        for value, row in zip(values, rows.tolist(), strict=True):
            self._count(self.far, table, name, value, row)
            self.spans[name] = span

    def _count(self, counts: dict[str, Counter[str]], table: Table, name: str, value: str, row: int) -> None:
        values = counts.setdefault(name, Counter())
        if value in values or len(values) < MOST_NAMED:
            values[value] += 1
            self.first.setdefault((name, value), table.number(row))
        else:
            values["others"] += 1

    def notes(self, columns: "list[Column]") -> list[Note]:
        """Return a note for each column with missing cells, and for each with values that did not occur in training."""
        notes = []
        for column in columns:
            count = self.missing[column.name]
            if count:
                words = ", ".join(f"{times} {word!r}" for word, times in self.words.get(column.name, {}).items())
                shown = f" ({words})" if words else ""
                what = f"{column.name}: {count} missing{shown}, filled with {self.filling[column.name]}"
                notes.append(Note((what,), "filled"))
            what = "with a value not seen in training"
            notes += self._on_values(column.name, self.unseen, what, "unseen")
            what = f"far outside the training range, {self.spans.get(column.name)}"
            notes += self._on_values(column.name, self.far, what, "far")
        return notes

    def _on_values(self, name: str, counts: dict[str, Counter[str]], what: str, kind: str) -> list[Note]:
        values = counts.get(name)
        if not values:
            return []
        named = ", ".join(f"{value} (row {self.first[name, value]})" for value in list(values)[:5])
        more = f" and {len(values) - 5} more" if len(values) > 5 else ""
        rows = f"{values.total()} row{'s' * (values.total() != 1)}"
        return [Note((f"{name}: {rows} {what}: {named}{more}",), kind)]


def _far(values: Array, lowest: float, highest: float) -> Array:
    """Return the rows whose values are farther from those of the training than these are from each other."""
    span = highest - lowest
    return np.flatnonzero((values < lowest - span) | (values > highest + span))


class Number(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="number", tag_field="kind"
):
    """A column of numbers: ``z = (x - center) / spread``, then ``z / sqrt(1 + (z / clip)^2)``; see also `values`.

    Attributes
    ----------
    name : str
    center : float
        Median of the training rows: subtracted, and filled in where a cell is missing.
    spread : float
        > 0: the interquartile range. Where that is 0, the median distance from the center of the rows that differ from
        it; if these have fewer than three different values, half of the range.
    indicator : bool
        Whether a 0/1 column "was missing" follows.
    clip : float or None
        > 0: the smooth bound of the result, in both directions; None for no bound, as in files of older versions.
    values : list of float
        Frequent values of a column most of whose cells are the same: a column "is this value", `HIGH` or 0, for each.
    edges : list of float
        Ascending edges of bins, two at least, if there are any. Each bin from a to b is a column
        ``2 clip((x - a) / (b - a), 0, 1) - 1``.
    thousands : {"", ",", ".", " ", "'"}
        What stands between thousands in cells of text; "" for nothing.
    decimal : {".", ","}
        The decimal separator in cells of text, if there is one between thousands.
    lowest, highest : float or None
        The span of the training rows; None in files of older versions. Numbers far outside of it are counted.
    """

    name: str
    center: float
    spread: Annotated[float, msgspec.Meta(gt=0)]
    indicator: bool
    clip: Annotated[float, msgspec.Meta(gt=0)] | None = None
    values: list[float] = []
    edges: list[float] = []
    thousands: Literal["", ",", ".", " ", "'"] = ""
    decimal: Literal[".", ","] = "."
    lowest: float | None = None
    highest: float | None = None

    def __post_init__(self) -> None:
        if self.edges and not (len(self.edges) > 1 and all(a < b for a, b in pairwise(self.edges))):
            raise ValueError(f"The edges of column {self.name!r} are not in ascending order.")

    @property
    def grouping(self) -> Grouping | None:
        """How numbers are written whose thousands are set off."""
        return Grouping(self.thousands, self.decimal) if self.thousands else None

    @property
    def width(self) -> int:
        """Number of columns in X."""
        return 1 + self.indicator + len(self.values) + max(0, len(self.edges) - 1)

    def fill(self, table: Table, block: Array, counts: UnseenCounts) -> None:
        """Write the column's numbers into its block of X, (n, width)."""
        values = numbers_of(table, self.name, self.grouping)
        missing = np.isnan(values)
        with np.errstate(over="ignore"):
            scaled = (np.where(missing, self.center, values) - self.center) / self.spread
        if self.clip is not None:
            scaled = np.clip(scaled, -FARTHEST, FARTHEST)
            scaled /= np.hypot(1, scaled / self.clip)
        far = np.flatnonzero(~(np.abs(scaled) <= FARTHEST))
        if len(far):
            raise DataError(
                f"{table.place(far[0])}: column {self.name!r} is {values[far[0]]:g}, too far from the others to "
                f"compute with: the median is {self.center:g}, the spread {self.spread:g}. Correct the cell, or leave "
                "the column out of the training."
            )
        block[:, 0] = scaled
        if self.indicator:
            block[:, 1] = missing
        start = 1 + self.indicator
        for j, value in enumerate(self.values, start):
            block[values == value, j] = HIGH
        start += len(self.values)
        filled = np.where(missing, self.center, values)
        for j, (low, high) in enumerate(pairwise(self.edges), start):
            block[:, j] = 2 * np.clip((filled - low) / (high - low), 0, 1) - 1
        counts.count_missing(table, self.name, int(missing.sum()), f"the median {self.center:g}")
        if self.lowest is not None and self.highest is not None:
            rows = _far(values, self.lowest, self.highest)
            span = f"{number_text(self.lowest)} to {number_text(self.highest)}"
            counts.count_far(table, self.name, map(number_text, values[rows].tolist()), rows, span)


class Category(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="category", tag_field="kind"
):
    """A column of categories: a column of two numbers for each value. A missing cell is a value, so nothing is filled.

    Attributes
    ----------
    name : str
    values : list of str
        Seen often enough in training, sorted; numbers in their shortest form.
    missing : bool
        Whether a column "was missing" follows.
    rare : bool
        Whether a column "is another value" follows: rare values of the training rows, and values that did not occur in
        training.
    high : float
        What stands for yes in these columns; 0 stands for no. 1 in files of older versions.
    """

    name: str
    values: list[str]
    missing: bool
    rare: bool = False
    high: float = 1.0

    def __repr__(self) -> str:
        others = f"{', or another' if self.rare else ''}{', or missing' if self.missing else ''}"
        return f"Category({self.name!r}, {some(self.values)}{others})"

    @property
    def width(self) -> int:
        """Number of columns in X."""
        return len(self.values) + self.missing + self.rare

    def fill(self, table: Table, block: Array, counts: UnseenCounts) -> None:
        """Write the column's numbers into its block of X, (n, width)."""
        position: dict[str | None, int] = {canonical(value): index for index, value in enumerate(self.values)}
        if self.missing:
            position[None] = len(self.values)
        cells = table.column(self.name)
        first, places = distinct(cells)
        texts = as_text(cells[first])
        other = self.width - 1 if self.rare else -1
        column = np.array([position.get(text, other) for text in texts], np.intp)[places]
        known = np.flatnonzero(column >= 0)
        block[known, column[known]] = self.high
        uncounted = np.array([text not in position and (not self.rare or text is None) for text in texts], bool)
        for row in np.flatnonzero(uncounted[places]).tolist():
            counts.count_unseen(table, self.name, texts[places[row]], row)


class Boolean(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="boolean", tag_field="kind"
):
    """A column of yes and no, encoded as 1 and `low`; a missing cell becomes the number in the middle.

    Attributes
    ----------
    name : str
    words : list of str
        The words for no and for yes, in small letters.
    missing : bool
        Whether a 0/1 column "was missing" follows.
    low : float
        What stands for no; 0 in files of older versions.
    """

    name: str
    words: Annotated[list[str], msgspec.Meta(min_length=2, max_length=2)]
    missing: bool
    low: float = 0.0

    @property
    def width(self) -> int:
        """Number of columns in X."""
        return 1 + self.missing

    def fill(self, table: Table, block: Array, counts: UnseenCounts) -> None:
        """Write the column's numbers into its block of X, (n, width)."""
        value: dict[str | None, float] = dict(zip(self.words, (self.low, 1.0), strict=True))
        middle = (self.low + 1) / 2
        cells = table.column(self.name)
        first, places = distinct(cells)
        texts = as_text(cells[first])
        words = [None if text is None else text.casefold() for text in texts]
        block[:, 0] = np.array([value.get(word, middle) for word in words], np.float64)[places]
        missing = np.array([word is None for word in words], bool)[places]
        if self.missing:
            block[:, 1] = missing
        unseen = np.array([word is not None and word not in value for word in words], bool)[places]
        for row in np.flatnonzero(unseen).tolist():
            counts.count_unseen(table, self.name, texts[places[row]], row)
        counts.count_missing(table, self.name, int(missing.sum()), f"{middle:g}, between no and yes")


class Date(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="date", tag_field="kind"):
    """A column of dates: the year with a fraction, and season, weekday and hour, each as a point on a circle.

    Attributes
    ----------
    name : str
    form : str
        The order of year, month and day in text: "ymd", "dmy" or "mdy"; "hms" for times of day.
    center, spread : float
        Center and spread of the years, computed as for numbers.
    circles : list of str
        The parts "season", "weekday" and "hour" that vary in training. Each becomes a sine and a cosine.
    missing : bool
        Whether a 0/1 column "was missing" follows.
    clip : float or None
        > 0: the smooth bound of the year, as for numbers; None for no bound, as in files of older versions.
    first, last : str
        The span of the training rows, as 2024-05-31 14:30:00; "" in files of older versions. Dates far outside of it
        are counted.
    """

    name: str
    form: Literal["ymd", "dmy", "mdy", "hms"]
    center: float
    spread: Annotated[float, msgspec.Meta(gt=0)]
    circles: list[Literal["season", "weekday", "hour"]]
    missing: bool
    clip: Annotated[float, msgspec.Meta(gt=0)] | None = None
    first: str = ""
    last: str = ""

    def __post_init__(self) -> None:
        for moment_ in (self.first, self.last):
            datetime.fromisoformat(moment_ or "2024-01-01")

    @property
    def width(self) -> int:
        """Number of columns in X."""
        return 1 + 2 * len(self.circles) + self.missing

    def fill(self, table: Table, block: Array, counts: UnseenCounts) -> None:
        """Write the column's numbers into its block of X, (n, width)."""
        moments = moments_of(table, self.name, self.form)
        missing = np.isnat(moments)
        with np.errstate(over="ignore"):
            scaled = (years(moments) - self.center) / self.spread
        scaled = np.clip(np.where(missing, 0, scaled), -FARTHEST, FARTHEST)
        block[:, 0] = scaled if self.clip is None else scaled / np.hypot(1, scaled / self.clip)
        for index, part in enumerate(self.circles):
            angle = 2 * np.pi * circle(moments, part)
            block[:, 1 + 2 * index] = np.where(missing, 0, np.sin(angle))
            block[:, 2 + 2 * index] = np.where(missing, 0, np.cos(angle))
        if self.missing:
            block[:, -1] = missing
        counts.count_missing(table, self.name, int(missing.sum()), f"the median year, {self.center:.2f}")
        if self.first and self.last:
            rows = _far(years(moments), *years(np.array([self.first, self.last], "M8[us]")))
            span = f"{self._shown(self.first)} to {self._shown(self.last)}"
            counts.count_far(table, self.name, map(self._shown, as_text(moments[rows])), rows, span)

    def _shown(self, text: str) -> str:
        """Return a moment as people write it: without the date, if it is a time of day."""
        day, _, clock = text.partition(" ")
        return (clock or "00:00:00") if self.form == "hms" else day if clock == "00:00:00" else text


Column = Number | Category | Boolean | Date


def numbers_of(table: Table, name: str, grouping: Grouping | None = None) -> Array:
    """Return a column as float64, NaN where missing, or raise at the first cell that can't be computed with.

    `grouping` says how numbers are written whose thousands are set off.
    """
    cells = table.column(name)
    if cells.dtype.kind == "M":
        raise DataError(f"Column {name!r} of {table.name} holds dates, expected numbers.")
    if cells.dtype.kind == "f":
        values = cells
    else:
        known: dict[str | bool | None, float | None] = {None: np.nan}
        for row, cell in enumerate(cells):
            if cell not in known or isinstance(cell, bool):
                known[cell] = None if isinstance(cell, bool) else cell_number(cell, table.decimal, grouping)
            if known[cell] is None:
                raise DataError(
                    f"{table.place(row)}: column {name!r} is {_cut(cell)}, expected a number as in the other rows.",
                    remedy=_remedy(cell),
                )
        values = np.array([known[cell] for cell in cells], np.float64)
    large = np.flatnonzero(np.abs(values) > LARGEST)
    if len(large):
        raise DataError(
            f"{table.place(large[0])}: column {name!r} is {values[large[0]]:g}, expected a number between "
            f"{-LARGEST:g} and {LARGEST:g}. {CORRECT}"
        )
    return values


def cell_number(cell: str, decimal: str, grouping: Grouping | None = None) -> float | None:
    """Return the number in a cell of text, or None if it holds none."""
    number = None if grouping is None else grouping.number(cell)
    return parse_number(cell, decimal if grouping is None else grouping.decimal) if number is None else number


def span_of(summary: ColumnSummary, decimal: str, grouping: Grouping | None = None) -> Array:
    """Return numbers that span those of a column, without cells that can't be computed with."""
    if summary.numbers is not None and summary.kind == "numbers":
        values = np.array([summary.numbers.lowest, summary.numbers.highest])
        return values if (np.abs(values) <= LARGEST).all() else np.clip(values, -LARGEST, LARGEST)
    found = [cell_number(cell, decimal, grouping) for cell in summary.cells()]
    return np.array([value for value in found if value is not None and abs(value) <= LARGEST], np.float64)


def moments_in(summary: ColumnSummary, form: str) -> Array:
    """Return the different moments of a column of texts, or those that span the others, as datetime64[us]."""
    if summary.moments is not None:
        return np.array([summary.moments.lowest, summary.moments.highest], np.int64).view("M8[us]")
    found = [moment(cell, form) for cell in summary.cells()]
    return np.array([value for value in found if value is not None], np.int64).view("M8[us]")


def _remedy(cell: str | bool) -> Text:
    """Return what to do about a cell that is not a number: read it with a decimal comma, or correct it by hand."""
    if not isinstance(cell, str):
        return (CORRECT,)
    if is_decimal_comma(cell):
        return ("If commas are decimal here, say ", Setting("decimal", ","), ".")
    grouped = Grouping(",", ".").number(cell) if "," in cell else None
    if grouped is None:
        return (CORRECT,)
    return (f"If the comma stands between thousands, write {number_text(grouped)}.",)


def _cut(cell: str | bool) -> str:
    text = repr(cell)
    return text if len(text) <= 60 else f"{text[:57]}...{text[0]}"


def moments_of(table: Table, name: str, form: str) -> Array:
    """Return a column as datetime64[us], NaT where missing, or raise at the first cell that is no date.

    The form is one of `glassmax.table.dates.FORMS`.
    """
    cells = table.column(name)
    if cells.dtype.kind == "M":
        return cells
    missing = np.iinfo(np.int64).min
    known: dict[str | None, int] = {None: missing}
    if cells.dtype.kind == "f":
        cells = as_text(cells)
    for row, cell in enumerate(cells):
        if cell in known:
            continue
        found = None if isinstance(cell, bool) else moment(cell, form)
        if found is None:
            example = {"ymd": "2024-05-31", "dmy": "31.05.2024", "mdy": "05/31/2024", "hms": "14:30"}[form]
            raise DataError(
                f"{table.place(row)}: column {name!r} is {_cut(cell)}, expected a date ({FORMS[form]}), as {example}. "
                f"{CORRECT}"
            )
        known[cell] = found
    return np.array([known[cell] for cell in cells], np.int64).view("M8[us]")
