"""A sample of the rows of a stream: those with the smallest random numbers, each a function of the row's number alone.

The sample of many rows is the same however they are cut into pieces, and a sample of all rows if there are few. From it
come the numbers that can't be summed up, such as quantiles: of 65,536 rows, the sample's median has a rank between 49.4
and 50.6 % in 99.8 % of the cases.

Row i has the number ``draw(draw(0, 3), i)``, see `glassmax.streaming.order`.
"""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from ..functional.arrays import Array
from ..functional.masks import splitmix64
from ..table import Table, joined
from ..table.missing_words import MissingWords

__all__ = ["SAMPLE_ROWS", "Sample", "rows_in_sample"]

SAMPLE_ROWS, SAMPLE_CELLS, FEWEST_ROWS = 2**16, 2**20, 2**10
FEWEST_OF_LONG = 2**9
OF_SAMPLE = np.uint64(3)


def rows_in_sample(n_columns: int) -> int:
    """Return how many rows a sample has: about a million cells, but at least 1,024 and at most 65,536 rows."""
    return max(FEWEST_ROWS, min(SAMPLE_ROWS, SAMPLE_CELLS // max(1, n_columns)))


class _Column(msgspec.Struct):
    """The cells of a column: the bytes of numbers or moments, or a list of texts, booleans and None."""

    kind: str
    content: bytes | list[str | bool | None]
    words: list[str] = []
    codes: bytes = b""


class SampleState(msgspec.Struct):
    """A sample as data: the numbers of the rows as bytes, the columns, and all else that a `Table` has."""

    size: int
    numbers: bytes
    columns: dict[str, _Column]
    about: dict[str, Any]


class Sample:
    """A sample of rows, to which rows are added in order.

    Parameters
    ----------
    size : int
        Number of rows in the sample.

    Attributes
    ----------
    numbers : (m,) array of int
        The numbers of the rows, ascending.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.numbers = np.zeros(0, np.int64)
        self._draws = np.zeros(0, np.uint64)
        self._tables: list[Table] = []
        self._characters = 0
        self._limit = np.uint64(2**64 - 1)

    def __repr__(self) -> str:
        return f"Sample: {len(self.numbers)} of at most {self.size} rows"

    def add(self, table: Table, first: int) -> None:
        """Add rows, of which the first has this number."""
        numbers = np.arange(first, first + table.n_rows)
        with np.errstate(over="ignore"):
            draws = splitmix64(splitmix64(np.uint64(0), OF_SAMPLE), numbers.astype(np.uint64))
        chosen = np.flatnonzero(draws <= self._limit)
        if len(chosen):
            table = replace(table, lines=None, numbers=None)
            self._tables.append(table if len(chosen) == table.n_rows else table.rows(chosen))
            self._characters += _characters(self._tables[-1])
            self.numbers = np.concatenate([self.numbers, numbers[chosen]])
            self._draws = np.concatenate([self._draws, draws[chosen]])
        if len(self.numbers) > self.size + self.size // 4:
            self._shrink()

    def _shrink(self) -> None:
        if len(self.numbers) > self.size:
            kept = np.sort(np.lexsort((self.numbers, self._draws))[: self.size])
            table = joined(self._tables).rows(kept)
            self._tables, self.numbers, self._draws = [table], self.numbers[kept], self._draws[kept]
            self._limit = self._draws.max()
            self._characters = _characters(table)

    def bound(self, most: int) -> None:
        """Take fewer rows, 1024 at least, from now on if the texts in the sample have more than so many characters."""
        if self._characters > most:
            self._shrink()
        if self._characters > most:
            self.size = min(self.size, max(FEWEST_OF_LONG, len(self.numbers) * most // self._characters))
            self._shrink()

    def table(self) -> Table:
        """Return the rows of the sample, in order."""
        self._shrink()
        if len(self._tables) > 1:
            self._tables = [joined(self._tables)]
        return self._tables[0]

    def state(self) -> SampleState:
        """Return the sample as data."""
        table = self.table()
        columns = {}
        for name, cells in table.columns.items():
            words = table.words.get(name)
            content = cells.tolist() if cells.dtype.kind == "O" else np.ascontiguousarray(cells).tobytes()
            columns[name] = _Column(cells.dtype.str, content)
            if words is not None:
                columns[name].words, columns[name].codes = list(words.words), words.codes.tobytes()
        about = {
            name: getattr(table, name)
            for name in (
                *("name", "decimal", "how", "notes", "unusable", "header", "missing_words", "tells_missing"),
                *("decimal_known", "has_header", "unnamed"),
            )
        }
        return SampleState(self.size, self.numbers.tobytes(), columns, about)

    @classmethod
    def of(cls, state: SampleState) -> "Sample":
        """Return a sample from its data."""
        sample = cls(state.size)
        sample.numbers = np.frombuffer(state.numbers, np.int64)
        with np.errstate(over="ignore"):
            sample._draws = splitmix64(splitmix64(np.uint64(0), OF_SAMPLE), sample.numbers.astype(np.uint64))
        if len(sample.numbers) == sample.size:
            sample._limit = sample._draws.max()
        columns: dict[str, Array] = {}
        words = {}
        for name, column in state.columns.items():
            columns[name] = _cells(column)
            if column.words:
                words[name] = MissingWords(tuple(column.words), np.frombuffer(column.codes, np.uint16))
        about = dict(state.about)
        about["header"] = tuple(about["header"])
        about["missing_words"] = None if about["missing_words"] is None else tuple(about["missing_words"])
        sample._tables = [replace(Table(about.pop("name"), columns), **about, words=words)]
        sample._characters = _characters(sample._tables[0])
        return sample


def _characters(table: Table) -> int:
    """Return the number of characters in all texts."""
    texts = [cells for cells in table.columns.values() if cells.dtype.kind == "O"]
    return sum(len(cell) for cells in texts for cell in cells if isinstance(cell, str))


def _cells(column: _Column) -> Array:
    if isinstance(column.content, bytes):
        return np.frombuffer(column.content, np.dtype(column.kind)).copy()
    cells = np.empty(len(column.content), object)
    cells[:] = column.content
    return cells
