"""What is known of all cells of a column, whose summaries can be merged: of a table in memory, or piece by piece.

`infer` and `Encoding.learn` decide by these summaries alone, but for quantiles. The summary of many rows is therefore
the merged summary of their pieces, in order, and doesn't depend on the cuts. A summary counts each different text; if
these become too many, `ColumnSummary.bound` forgets the rare ones and estimates their number from then on.
"""

from collections import Counter
from hashlib import blake2b

import msgspec
import numpy as np

from ..functional.arrays import Array
from ..functional.masks import splitmix64
from .cells import as_text, canonical, number_text, parse_number
from .dates import CIRCLES, circle
from .table import Table

__all__ = ["ColumnSummary", "Moments", "Numbers", "are_days", "summary_of"]

N_HASHES = 4096
"""The number of different values is known to about 1 / sqrt(N_HASHES), once they are too many to be counted."""


MOST_SHAPES, LONGEST_SHAPE = 256, 40
DIGITS = str.maketrans("123456789", "000000000")


class Numbers(msgspec.Struct):
    """The cells of a column that are numbers.

    Attributes
    ----------
    count : int
        >= 1.
    lowest, highest, first, last : float
    are_whole, are_days : bool
        Whether all are whole, and whether all are written like days, as 20240531.
    are_steps : bool
        Whether each cell is one more than the cell before, none missing in between.
    counts : dict of float to int, or None
        How often each number occurs; None if they are not counted, or too many.
    """

    count: int
    lowest: float
    highest: float
    first: float
    last: float
    are_whole: bool
    are_days: bool
    are_steps: bool
    counts: dict[float, int] | None = None

    def add(self, other: "Numbers") -> None:
        """Add the numbers of the rows that follow."""
        self.count += other.count
        self.lowest, self.highest = min(self.lowest, other.lowest), max(self.highest, other.highest)
        self.are_whole, self.are_days = self.are_whole and other.are_whole, self.are_days and other.are_days
        self.are_steps = self.are_steps and other.are_steps and other.first == self.last + 1
        self.last = other.last
        if self.counts is not None:
            for value, count in (other.counts or {}).items():
                self.counts[value] = self.counts.get(value, 0) + count


class Moments(msgspec.Struct):
    """The cells of a column that are moments; `lowest` and `highest` in microseconds since 1970.

    `phases` has the first phase of each of the `CIRCLES`, and `varying` those of them that are not the same everywhere.
    """

    count: int
    lowest: int
    highest: int
    phases: dict[str, float]
    varying: list[str]

    def add(self, other: "Moments") -> None:
        """Add the moments of the rows that follow."""
        self.count += other.count
        self.lowest, self.highest = min(self.lowest, other.lowest), max(self.highest, other.highest)
        differ = {part for part in CIRCLES if self.phases[part] != other.phases[part]}
        self.varying = sorted({*self.varying, *other.varying, *differ})


class ColumnSummary(msgspec.Struct):
    """What is known of all cells of a column.

    Attributes
    ----------
    rows : int
        Number of cells, the missing ones too.
    texts : dict of str to int
        How often each text occurs, as it is written, in the order of the first occurrences.
    booleans : dict of str to int
        How often "true" and "false" occur, among booleans.
    numbers, moments : Numbers and Moments, or None
        Of the cells that are numbers or moments, if there are any.
    words : dict of str to int
        Number of missing cells that hold a word, such as NA.
    forgotten, forgotten_numbers : int
        Number of cells with texts that are no longer in `texts`, and how many of these texts are numbers.
    hashes : bytes or None
        The smallest hashes of different values, once some are forgotten.
    """

    rows: int = 0
    texts: dict[str, int] = {}
    booleans: dict[str, int] = {}
    numbers: Numbers | None = None
    moments: Moments | None = None
    words: dict[str, int] = {}
    forgotten: int = 0
    forgotten_numbers: int = 0
    hashes: bytes | None = None

    @property
    def kind(self) -> str:
        """What the column holds: "numbers", "moments", "booleans", "texts", or "" if all cells are missing."""
        found = [name for name in ("numbers", "moments", "booleans", "texts") if getattr(self, name)]
        return found[0] if len(found) == 1 else "texts" if found else ""

    @property
    def present(self) -> int:
        """Number of cells that are not missing."""
        typed = sum(part.count for part in (self.numbers, self.moments) if part is not None)
        return typed + sum(self.booleans.values()) + sum(self.texts.values()) + self.forgotten

    @property
    def missing(self) -> int:
        """Number of missing cells."""
        return self.rows - self.present

    @property
    def distinct(self) -> int:
        """Number of different values; about, if some were forgotten."""
        if self.hashes is not None:
            return max(len(self.texts), _estimated(np.frombuffer(self.hashes, np.uint64)))
        return len(self.cells())

    @property
    def all_differ(self) -> bool:
        """Whether no value occurs twice; as far as can be told, if some were forgotten."""
        if self.hashes is not None:
            return max(self.texts.values(), default=1) == 1 and self.distinct > self.present * 0.94  # four deviations
        return self.distinct == self.present

    def cells(self) -> dict[str, int]:
        """Return how often each cell occurs, as text that is written as in the file where the file has text."""
        if self.numbers is None and self.moments is None and not self.booleans:
            return self.texts
        counts = Counter(self.booleans)
        if self.numbers is not None and self.numbers.counts is not None:
            for value, count in self.numbers.counts.items():
                counts[number_text(value)] += count
        counts.update(self.texts)
        return counts

    def canonical_texts(self) -> dict[str, int]:
        """Return how often each value occurs: equal cells of any type have equal texts."""
        counts: dict[str, int] = {}
        for text, count in self.cells().items():
            text = canonical(text)
            counts[text] = counts.get(text, 0) + count
        return counts

    def add(self, other: "ColumnSummary") -> None:
        """Add the summary of the rows that follow."""
        if self.hashes is not None:
            self.hashes = _smallest(self.hashes, _hashes_of_texts([t for t in other.texts if t not in self.texts]))
        self.rows += other.rows
        for counts, more in ((self.texts, other.texts), (self.booleans, other.booleans), (self.words, other.words)):
            for value, count in more.items():
                counts[value] = counts.get(value, 0) + count
        if self.numbers is None:
            self.numbers = other.numbers
        elif other.numbers is not None:
            if self.numbers.counts is None and self.hashes is not None:
                self.hashes = _smallest(self.hashes, _hashes_of_numbers(list(other.numbers.counts or {})))
            self.numbers.add(other.numbers)
        if self.numbers is not None and self.present < self.rows:
            self.numbers.are_steps = False
        if self.moments is None:
            self.moments = other.moments
        elif other.moments is not None:
            self.moments.add(other.moments)

    def bound(self, most: int, most_numbers: int) -> None:
        """Forget rare texts, and all numbers, if there are more than `most` and `most_numbers` different ones.

        The more frequent half of the texts stays, those of equal frequency that came first; and a text of each shape,
        because it may show how the others are to be read: 1,234,567 shows that the comma in 20,442 is not decimal.
        """
        if self.numbers is not None and self.numbers.counts is not None and len(self.numbers.counts) > most_numbers:
            self.hashes = _smallest(self.hashes or b"", _hashes_of_numbers(list(self.numbers.counts)))
            self.numbers.counts = None
        if len(self.texts) > most:
            if self.hashes is None:
                self.hashes = _smallest(b"", _hashes_of_texts(list(self.texts)))
            kept = {text for text, _ in Counter(self.texts).most_common(most // 2)}
            shapes = {_shape(text) for text in kept}
            for text in self.texts:
                if len(shapes) < MOST_SHAPES and (shape := _shape(text)) not in shapes:
                    shapes.add(shape)
                    kept.add(text)
            for text in [text for text in self.texts if text not in kept]:
                count = self.texts.pop(text)
                self.forgotten += count
                self.forgotten_numbers += count * (parse_number(text) is not None)

    def keep_words(self, words: list[str]) -> None:
        """Take some words that were missing cells for values."""
        for word in words:
            if self.words.get(word):
                self.texts[word] = self.texts.get(word, 0) + self.words.pop(word)


def summary_of(table: Table, name: str, *, as_texts: bool = False, counted: bool = True) -> ColumnSummary:
    """Return the summary of a column.

    Parameters
    ----------
    table : Table
    name : str
    as_texts : bool, default=False
        Whether numbers, moments and booleans are taken for texts.
    counted : bool, default=True
        Whether to count how often each number occurs.
    """
    cells = table.column(name)
    if as_texts:
        cells = as_text(cells)
    summary = ColumnSummary(len(cells), words=table.words[name].counts() if name in table.words else {})
    if cells.dtype.kind == "f":
        there = cells[~np.isnan(cells)]
        summary.numbers = _numbers(there, len(there) == len(cells), counted=counted) if len(there) else None
    elif cells.dtype.kind == "M":
        there = cells[~np.isnat(cells)]
        summary.moments = _moments(there) if len(there) else None
    else:
        counts = dict(Counter(cells))
        counts.pop(None, None)
        if counts and all(isinstance(cell, bool) for cell in counts):
            summary.booleans = {str(cell).lower(): count for cell, count in counts.items()}
        else:
            summary.texts = counts
    return summary


def _numbers(there: Array, whole_column: bool, *, counted: bool) -> Numbers:
    counts = None
    if counted:
        values, times = np.unique(there, return_counts=True)
        counts = dict(zip(values.tolist(), times.tolist(), strict=True))
    with np.errstate(invalid="ignore"):  # inf less inf
        are_steps = whole_column and bool((np.diff(there) == 1).all())
    return Numbers(
        len(there),
        float(there.min()),
        float(there.max()),
        float(there[0]),
        float(there[-1]),
        bool((there == np.floor(there)).all()),
        are_days(there),
        are_steps,
        counts,
    )


def are_days(values: Array) -> bool:
    """Whether each number is written like a day of the years 1900 to 2099, as 20240531."""
    if not (19000101 <= values[0] <= 20991231 and values.min() >= 19000101 and values.max() <= 20991231):
        return False
    month, day = values // 100 % 100, values % 100
    days = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return bool(days.all() and (values == np.floor(values)).all())


def _moments(there: Array) -> Moments:
    phases = {part: circle(there, part) for part in CIRCLES}
    varying = sorted(part for part, phase in phases.items() if (phase != phase[0]).any())
    lowest, highest = (int(moment.astype("M8[us]").astype(np.int64)) for moment in (there.min(), there.max()))
    return Moments(len(there), lowest, highest, {part: float(phase[0]) for part, phase in phases.items()}, varying)


def _shape(text: str) -> str:
    """Return a text with 0 for each digit."""
    return text.translate(DIGITS) if len(text) <= LONGEST_SHAPE else ""


def _hashes_of_texts(texts: list[str]) -> Array:
    return np.frombuffer(b"".join(blake2b(text.encode(), digest_size=8).digest() for text in texts), np.uint64)


def _hashes_of_numbers(values: list[float]) -> Array:
    with np.errstate(over="ignore"):
        return splitmix64(np.uint64(0), (np.array(values, np.float64) + 0.0).view(np.uint64))


def _smallest(hashes: bytes, more: Array) -> bytes:
    known = np.frombuffer(hashes, np.uint64)
    if len(known) == N_HASHES:
        more = more[more < known[-1]]
    return np.unique(np.concatenate([known, more]))[:N_HASHES].tobytes() if len(more) else hashes


def _estimated(hashes: Array) -> int:
    """Estimate how many different values there are from their smallest hashes."""
    if len(hashes) < N_HASHES:
        return len(hashes)
    return int((N_HASHES - 1) / ((float(hashes[-1]) + 1) / 2.0**64))
