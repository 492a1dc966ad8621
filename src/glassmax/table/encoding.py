"""Encode columns as numbers: the encoding is learned from the training rows, and the same for new rows.

A number becomes ``(x - median) / spread`` with a smooth bound, and a second column "was missing" if training rows have
missing cells; a category becomes one column of two numbers for each of its values, the rare ones together; a boolean
becomes -1 or 1; a date becomes its year, and its place in the year, the week and the day. New rows are encoded in the
same way; a value that did not occur in training becomes zeros, or one of the rare values if there were any, and is
named in the notes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self, cast

import msgspec
import numpy as np

from ..errors import DataError, Setting, Text
from ..functional.arrays import Array
from .cells import DEFAULT_WORDS
from .columns import (
    HIGH,
    Boolean,
    Category,
    Column,
    Date,
    Number,
    UnseenCounts,
    moments_in,
    moments_of,
    numbers_of,
    span_of,
)
from .dates import CIRCLES, FORMS, circle, years
from .grouping import Grouping
from .inference import MOST_VALUES, ColumnOptions, Inference, infer
from .missing_words import LETTERS_ONLY, MissingWords
from .notes import MISSING, Note, it, left_out
from .sparse_numbers import with_sparse_values
from .summary import ColumnSummary, summary_of
from .table import Table, some

__all__ = ["Encoded", "Encoding"]

LOW = -1.0
"""What stands for no in a column of yes and no."""
CLIP = 3.0
"""The smooth bound of numbers, in interquartile ranges."""
FEW_ROWS, MOST_RARE = 1000, 10
"""A value is rare if it has fewer rows than one in `FEW_ROWS`, at most `MOST_RARE`, and at least two; beyond the
`MOST_VALUES` most frequent values, all are."""


class Encoded(NamedTuple):
    """Rows as numbers, and notes on cells that were filled and values that did not occur in training."""

    X: Array
    notes: list[Note]

    def __repr__(self) -> str:
        return "\n  ".join([f"Encoded: X {self.X.shape}, {self.X.dtype}", *map(str, self.notes[:5])])


class Encoding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rules that turn a table's columns into the columns of X, and how the table of the training was read.

    Attributes
    ----------
    target : str
        The column to predict; it is never encoded.
    columns : list of Number, Category, Boolean or Date
        Encoded columns, in the order of X.
    missing_words : list of str or None
        The words for a missing cell that the user gave; None for the default ones.
    decimal : {".", ","}
        The decimal separator of the table.
    headerless : int
        The number of columns of a table without a header, whose columns are told by their places; 0 if it has one.
    """

    target: str
    columns: list[Column]
    missing_words: list[str] | None = None
    decimal: Literal[".", ","] = "."
    headerless: Annotated[int, msgspec.Meta(ge=0)] = 0

    @property
    def width(self) -> int:
        """The number of columns of X."""
        return sum(column.width for column in self.columns)

    @property
    def names(self) -> list[str]:
        """The columns of the table that it needs."""
        return [column.name for column in self.columns]

    @property
    def reading(self) -> dict[str, Any]:
        """How to read other rows as those of the training: arguments of `glassmax.read_table`."""
        return {
            "decimal": "," if self.decimal == "," else None,
            "header": False if self.headerless else None,
            "missing_words": self.missing_words,
        }

    @property
    def number_columns(self) -> list[int]:
        """The columns of X that hold scaled numbers or years, without those that have bins already."""
        starts = np.cumsum([0, *(column.width for column in self.columns)])
        return [
            int(start)
            for start, column in zip(starts, self.columns, strict=False)
            if isinstance(column, Date) or (isinstance(column, Number) and not column.edges)
        ]

    def __repr__(self) -> str:
        return f"Encoding of {some(self.names)} as {self.width} numbers, to predict {self.target!r}"

    @classmethod
    def learn(
        cls,
        table: Table,
        target: str,
        ignore: tuple[str, ...] = (),
        *,
        inference: Inference | None = None,
        summaries: Mapping[str, ColumnSummary] | None = None,
    ) -> tuple[Self, list[Note]]:
        """Learn how to encode each column, from the training rows.

        Parameters
        ----------
        table : Table
            The training rows, or a sample of them.
        target : str
            The column to predict.
        ignore : tuple of str
            Columns to leave out.
        inference : Inference, optional
            The types of the columns, if they were inferred from more rows; inferred from these rows by default.
        summaries : mapping of str to ColumnSummary, optional
            The summaries of the columns over all training rows, if `table` is a sample. Quantiles and the frequent
            values of sparse numbers are then those of the sample, all else is that of all rows.

        Returns
        -------
        encoding : Encoding
        notes : list of Note
            Columns that were left out, with the reason.

        Raises
        ------
        DataError
            If a cell or a column can't be used, or none is left.
        """
        if inference is None:
            inference = infer(table, (target,), ColumnOptions(ignore=ignore))
        columns, notes = [], list(inference.notes)
        for name, kind in inference.kinds.items():
            summary = None if summaries is None else summaries[name]
            column = _learn(table, name, kind, inference.groupings.get(name), summary)
            if isinstance(column, Note):
                notes.append(column)
                continue
            columns.append(column)
            if isinstance(column, Category) and column.rare:
                kept = "value is" if len(column.values) == 1 else "values are"
                notes.append(Note((f"{name}: {len(column.values)} {kept} told apart; all rare values count as one",)))
        columns = with_sparse_values(table, columns)
        if not columns:
            what = f"{table.name} has no column to learn {target!r} from"
            if not notes:
                raise DataError(f"{what}, expected at least one other column.")
            raise DataError(f"{what}:", *(piece for note in notes[:5] for piece in (" ", *note.text)))
        words = None if table.missing_words is None else list(table.missing_words)
        headerless = len(table.names) if table.has_header is False else 0
        return cls(target, columns, words, cast("Any", table.decimal), headerless), notes

    def encode(self, table: Table) -> Encoded:
        """Turn the rows of a table into numbers.

        Parameters
        ----------
        table : Table
            With the columns of training, in any order; other columns are ignored.

        Returns
        -------
        Encoded
            X, (n, width) of float64, finite; and notes on cells that were filled or did not occur in training.

        Raises
        ------
        DataError
            If a column is missing, or a cell in a column of numbers is not a number.
        """
        counts = UnseenCounts()
        X = self.fill(table, counts)
        return Encoded(X, counts.notes(self.columns))

    def fill(self, table: Table, counts: UnseenCounts) -> Array:
        """Return the rows of a table as numbers, (n, width); count missing cells and values not seen in training."""
        self._check_places(table)
        absent = [name for name in self.names if name not in table.columns]
        if len(absent) > 1:
            for name in absent:
                if name in table.unusable:
                    table.column(name)
            without: Text = ("Is it another table?",)
            if self.headerless and table.has_header is None:
                without = ("The table of the training had no header: say ", Setting("header", False), ".")
            raise DataError(
                f"{table.name} lacks {len(absent)} of the {len(self.columns)} columns of the training: {some(absent)}. "
                f"It has {some(table.names)}.",
                remedy=without,
            )
        table = self._read_alike(table)
        X = np.zeros((table.n_rows, self.width))
        start = 0
        for column in self.columns:
            column.fill(table, X[:, start : start + column.width], counts)
            start += column.width
        return X

    def _check_places(self, table: Table) -> None:
        """Raise if columns that are told by their places may be at other places."""
        if not self.headerless or table.has_header is not False:
            return
        n, expected = len(table.names), self.headerless
        if n == expected or (n == expected - 1 and self.target == f"c{expected}"):
            return
        raise DataError(
            f"{table.name} has {n} columns, expected {expected} as in the training: without a header, columns are told "
            f"apart by their places. The target {self.target} may be left out only if it is the last column; otherwise "
            "leave its cells empty."
        )

    def _read_alike(self, table: Table) -> Table:
        """Return a table with its missing cells as in the training: a word that was a value there is one here too."""
        given = table.missing_words
        base = DEFAULT_WORDS if self.missing_words is None else tuple(self.missing_words)
        other: dict[str, tuple[str, ...]] = {}
        for column in self.columns:
            cells, found = table.columns.get(column.name), table.words.get(column.name)
            words = given if given is not None else base
            if isinstance(column, Number | Date):
                words = tuple(dict.fromkeys([*words, *DEFAULT_WORDS]))
            elif isinstance(column, Category) and given is None:
                words = tuple(word for word in base if word not in column.values)
            if cells is None:
                continue
            if cells.dtype.kind != "M" and not _has_words(cells, found, words):
                other[column.name] = words
            if isinstance(column, Number):
                self._check_separators(table, column, cells)
        return table.with_missing_words(other) if other else table

    def _check_separators(self, table: Table, column: Number, cells: Array) -> None:
        """Raise if a separator was read as decimal that stands between thousands in the table of the training."""
        between = column.thousands or ("." if self.decimal == "," else "")
        if table.decimal != between or not table.how.startswith("CSV") or cells.dtype.kind != "f":
            return
        thousandths = cells * 1000
        odd = np.flatnonzero(
            (np.abs(cells) < 1000) & (cells != np.floor(cells)) & (thousandths == np.rint(thousandths))
        )
        if len(odd):
            decimal = "," if between == "." else "."
            raise DataError(
                f"{table.place(int(odd[0]))}: column {column.name!r} was read as {cells[odd[0]]:g}, with the decimal "
                f"separator {between!r}, but the table of the training was read with {decimal!r}.",
                remedy=("Read the table in the same way: ", Setting("decimal", decimal), "."),
            )


def _has_words(cells: Array, found: MissingWords | None, words: Sequence[str]) -> bool:
    """Whether exactly these words are missing cells of a column already."""
    if cells.dtype.kind == "f":
        return set(words).issubset(DEFAULT_WORDS)
    if found is not None and not set(words).issuperset(found.counts()):
        return False
    return set(words).isdisjoint(cells)


def _learn(
    table: Table, name: str, kind: str, grouping: Grouping | None = None, summary: ColumnSummary | None = None
) -> Column | Note:
    """Return the column's encoding, or why it is left out; `summary` is of all rows if `table` is a sample of them."""
    if kind == "number":
        return _learn_number(table, name, grouping, summary)
    if kind in FORMS:
        return _learn_date(table, name, kind, summary)
    summary = summary_of(table, name) if summary is None else summary
    counts, missing = summary.canonical_texts(), summary.missing > 0
    if kind == "boolean":
        words = sorted({text.casefold() for text in counts})
        if len(words) == 2:
            return Boolean(name, words, missing, LOW)
    if not counts:
        return left_out(name, MISSING)
    if len(counts) == 1 and not missing:
        return left_out(name, it(f"is {next(iter(counts))!r} in every row of the training"))
    return _learn_category(name, counts, summary)


def _learn_category(name: str, counts: dict[str, int], summary: ColumnSummary) -> Category:
    """Return the values that are frequent enough for a column of their own; a single rare value is one of them.

    A word such as None that is a value here has one, however rare, so that new rows are read alike.
    """
    missing, fewest = summary.missing > 0, max(2, min(MOST_RARE, summary.rows // FEW_ROWS))
    most = Counter(counts).most_common(MOST_VALUES)
    frequent = [value for value, count in most if count >= fewest or value in LETTERS_ONLY]
    few = len(counts) <= MOST_VALUES and not summary.forgotten
    if few and (len(frequent) < 2 or len(frequent) >= len(counts) - 1):
        return Category(name, sorted(counts), missing, high=HIGH)
    frequent = frequent or [value for value, _ in most[:1]]
    return Category(name, sorted(frequent), missing, rare=True, high=HIGH)


def _learn_number(table: Table, name: str, grouping: Grouping | None, summary: ColumnSummary | None) -> Number | Note:
    cells = numbers_of(table, name, grouping)
    values = cells[~np.isnan(cells)]
    missing, span = len(values) < len(cells), values
    if summary is not None:
        missing, span = summary.missing > 0, np.concatenate([values, span_of(summary, table.decimal, grouping)])
        values = values if len(values) else span
    if not len(values):
        return left_out(name, MISSING)
    lowest, highest = float(span.min()), float(span.max())
    facts: dict[str, Any] = {"lowest": lowest, "highest": highest}
    facts |= {} if grouping is None else grouping._asdict()
    if lowest == highest:
        if missing:
            return Number(name, lowest, 1.0, True, CLIP, **facts)
        return left_out(name, it(f"is {lowest:g} in every row"))
    center, spread = _robust(values)
    return Number(name, center, spread, missing, CLIP, **facts)


def _robust(values: Array) -> tuple[float, float]:
    """Return median and spread: of the middle half if that has any, otherwise of the values that differ."""
    lower, center, upper = np.percentile(values, [25, 50, 75])
    spread = upper - lower
    if not spread > 0:
        others = values[values != center]
        few = len(np.unique(others)) < 3
        spread = np.ptp(values) / 2 if few else np.median(np.abs(others - center))
    return float(center), float(spread) or 1.0


def _learn_date(table: Table, name: str, form: str, summary: ColumnSummary | None) -> Date | Note:
    moments = moments_of(table, name, form)
    there = moments[~np.isnat(moments)]
    missing, span = len(there) < len(moments), there
    if summary is not None:
        missing, span = summary.missing > 0, np.concatenate([there, moments_in(summary, form)])
        there = there if len(there) else span
    if not len(there):
        return left_out(name, MISSING)
    center, spread = _robust(years(there))
    typed = None if summary is None else summary.moments
    circles: Any = [
        part for part in CIRCLES if (len(np.unique(circle(span, part))) > 1 if typed is None else part in typed.varying)
    ]
    first, last = (moment.isoformat(sep=" ") for moment in (span.min().item(), span.max().item()))
    return Date(name, cast("Any", form), center, spread, circles, missing, CLIP, first, last)
