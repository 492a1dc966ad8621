"""Columns to numbers: learned from the training rows, the same again for new ones.

A number becomes ``(x - median) / spread``, with a second column that says "was missing" where training rows lacked it;
a category becomes one 0/1 column for each of its values. New rows go through the very same encoding; a value
never seen in training becomes zeros and is named in the notes.
"""

import re
from typing import Annotated, Any, NamedTuple, Self

import msgspec
import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from .reading import Table

__all__ = ["Category", "Encoded", "Encoding", "Number"]

MOSTLY = 0.9
COMMA_NUMBER = re.compile(r"[+-]?\d+(,\d+)+(\.\d+)?")
MOST_VALUES = 1000
LARGEST = 1e100  # of a cell: squares and differences are finite
FARTHEST = 1e30  # of an input: sums of products are finite, in float32 too


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="number", tag_field="kind"):
    """A column of numbers.

    Attributes
    ----------
    name : str
    center : float
        Median of the training rows: subtracted, and filled in where a cell is missing.
    spread : float
        > 0: the interquartile range over 1.349 (the standard deviation, for normal data); where that is 0, the
        standard deviation.
    indicator : bool
        Whether a 0/1 column "was missing" follows.
    """

    name: str
    center: float
    spread: Annotated[float, msgspec.Meta(gt=0)]
    indicator: bool

    @property
    def width(self) -> int:
        """How many columns of numbers it becomes."""
        return 1 + self.indicator


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="category", tag_field="kind"):
    """A column of categories.

    Attributes
    ----------
    name : str
    values : list of str
        Seen in training, sorted.
    missing : bool
        Whether a 0/1 column "was missing" follows.
    """

    name: str
    values: list[str]
    missing: bool

    @property
    def width(self) -> int:
        """How many columns of numbers it becomes."""
        return len(self.values) + self.missing


class Encoded(NamedTuple):
    """Rows as numbers, and what is worth knowing about how they came about."""

    X: Array
    notes: list[str]


class Encoding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a table's columns become the columns of X.

    Attributes
    ----------
    target : str
        The column to predict; it is never encoded.
    columns : list of Number or Category
        In the order of X.
    """

    target: str
    columns: list[Number | Category]

    @property
    def width(self) -> int:
        """The number of columns of X."""
        return sum(column.width for column in self.columns)

    @classmethod
    def learn(cls, table: Table, target: str, ignore: tuple[str, ...] = ()) -> tuple[Self, list[str]]:
        """Find out what each column is, from the training rows.

        Parameters
        ----------
        table : Table
            The training rows.
        target : str
            The column to predict.
        ignore : tuple of str
            Columns to leave out.

        Returns
        -------
        encoding : Encoding
        notes : list of str
            What was left out, and why.

        Raises
        ------
        DataError
            If a cell or a column can't be used, or none is left.
        """
        for name in (target, *ignore):
            table.column(name)
        columns, notes = [], []
        for name in table.columns:
            if name == target or name in ignore:
                continue
            column = _learn(table, name)
            if isinstance(column, str):
                notes.append(column)
            else:
                columns.append(column)
        if not columns:
            why = ": " + " ".join(notes[:5]) if notes else ", expected at least one beside it."
            raise DataError(f"{table.name} has no column to learn {target!r} from{why}")
        return cls(target, columns), notes

    def encode(self, table: Table) -> Encoded:
        """Turn the rows of a table into numbers.

        Parameters
        ----------
        table : Table
            With the columns of training, in any order; others are not looked at.

        Returns
        -------
        Encoded
            X, (n, width) of float64, finite; and notes on cells that were filled or never seen.

        Raises
        ------
        DataError
            If a column is missing, or a cell of a column of numbers is none.
        """
        X = np.zeros((table.n_rows, self.width))
        notes: list[str] = []
        start = 0
        for column in self.columns:
            block = X[:, start : start + column.width]
            note = _numbers(table, column, block) if isinstance(column, Number) else _one_hot(table, column, block)
            notes += [note] if note else []
            start += column.width
        return Encoded(X, notes)


def _learn(table: Table, name: str) -> Number | Category | str:
    """Return the column's encoding, or the reason why it is left out."""
    cells = table.column(name)
    if cells.dtype.kind != "f":
        present = [cell for cell in cells if cell is not None]
        parsed = [_number(cell) for cell in present]
        if not present:
            return f"{name} is left out: all its cells are missing."
        if sum(value is not None for value in parsed) < MOSTLY * len(parsed):
            return _learn_category(table, name, present)
        cells = _parse(table, name)
    values = cells[~np.isnan(cells)]
    if not len(values):
        return f"{name} is left out: all its cells are missing."
    indicator = len(values) < len(cells)
    if values.min() == values.max():
        same = float(values[0])
        return Number(name, same, 1.0, True) if indicator else f"{name} is left out: it is {same:g} in every row."
    lower, center, upper = np.percentile(values, [25, 50, 75])
    spread = (upper - lower) / 1.349 or values.std() or 1.0
    return Number(name, float(center), float(spread), indicator)


def _learn_category(table: Table, name: str, present: list[str]) -> Category | str:
    values = sorted(set(present))
    missing = len(present) < table.n_rows
    commas = [cell for cell in present if COMMA_NUMBER.fullmatch(cell)]
    if len(commas) > MOSTLY * len(present):
        raise DataError(
            f"Column {name!r} of {table.name} holds {commas[0]!r} and the like, expected numbers with a decimal point. "
            f"Write them as 1234.5, or leave the column out with --ignore {name}."
        )
    if len(values) == 1 and not missing:
        return f"{name} is left out: it is {values[0]!r} in every row."
    if len(values) > MOST_VALUES or (len(values) > 20 and len(values) > len(present) / 2):
        text = next(cell for cell in present if _number(cell) is None)
        raise DataError(
            f"Column {name!r} of {table.name} holds {len(values)} different texts in {len(present)} rows, such as "
            f"{text[:40]!r}; expected numbers, as 1234.5, or categories that repeat. Leave it out with "
            f"--ignore {name!r}."
        )
    return Category(name, values, missing)


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _parse(table: Table, name: str) -> Array:
    """Return a column as float64, NaN where missing, or raise at the first cell that can't be computed with."""
    cells = table.column(name)
    if cells.dtype.kind == "f":
        values = cells
    else:
        parsed: list[Any] = [np.nan if cell is None else _number(cell) for cell in cells]
        for row, (cell, value) in enumerate(zip(cells, parsed, strict=True)):
            if value is None:
                raise DataError(
                    f"{table.place(row)}: column {name!r} is {cell!r}, expected a number as in the other rows. "
                    "Mend the cell, or empty it: missing cells are filled."
                )
        values = np.array(parsed, np.float64)
    large = np.flatnonzero(np.abs(values) > LARGEST)
    if len(large):
        raise DataError(
            f"{table.place(large[0])}: column {name!r} is {values[large[0]]:g}, expected a number between "
            f"{-LARGEST:g} and {LARGEST:g}. Mend the cell, or empty it: missing cells are filled."
        )
    return values


def _numbers(table: Table, column: Number, block: Array) -> str | None:
    values = _parse(table, column.name)
    missing = np.isnan(values)
    with np.errstate(over="ignore"):
        scaled = (np.where(missing, column.center, values) - column.center) / column.spread
    far = np.flatnonzero(np.abs(scaled) > FARTHEST)
    if len(far):
        raise DataError(
            f"{table.place(far[0])}: column {column.name!r} is {values[far[0]]:g}, too far from the others to compute "
            f"with: the median is {column.center:g}, the spread {column.spread:g}. Mend the cell, or leave the column "
            "out of the training."
        )
    block[:, 0] = scaled
    if column.indicator:
        block[:, 1] = missing
    if not missing.any():
        return None
    return f"{column.name}: {missing.sum()} missing, filled with the median {column.center:g}"


def _one_hot(table: Table, column: Category, block: Array) -> str | None:
    cells = table.column(column.name)
    if cells.dtype.kind == "f":  # a table of numbers in place of text: compare as text
        cells = np.array([None if np.isnan(value) else f"{value:g}" for value in cells], dtype=object)
    position: dict[str | None, int] = {value: index for index, value in enumerate(column.values)}
    if column.missing:
        position[None] = len(column.values)
    unseen: dict[str, int] = {}
    for row, cell in enumerate(cells):
        if cell in position:
            block[row, position[cell]] = 1.0
        else:
            shown = "missing" if cell is None else repr(cell)
            unseen[shown] = unseen.get(shown, 0) + 1
    if not unseen:
        return None
    return f"{column.name}: {sum(unseen.values())} rows hold what training never saw: {', '.join(list(unseen)[:5])}"
