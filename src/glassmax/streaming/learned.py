"""What is learned from a scan: the classes, and the encoding of the columns, as they are of the same rows in memory."""

from dataclasses import dataclass, replace

import msgspec
import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from ..table import (
    Category,
    ColumnOptions,
    Encoding,
    Inference,
    Note,
    Number,
    Table,
    UnseenCounts,
    class_indices,
    infer,
    read_labels,
)
from ..table.cells import DEFAULT_WORDS, objects
from ..table.columns import LARGEST, cell_number
from ..table.dates import FORMS, moment
from ..table.grouping import Grouping
from ..table.labels import check_repeating
from ..table.missing_words import LETTERS_ONLY, are_words
from ..table.summary import ColumnSummary
from .order import rows_in_block
from .scan import ScanState
from .spool import Layout

__all__ = ["Learned", "learned"]

SORTED = 0.1
FEWEST_SORTED = 1000
SPARSE_SHARE = 0.1


@dataclass(frozen=True)
class Learned:
    """What is known of all rows before the first epoch.

    Attributes
    ----------
    encoding : Encoding
    notes : list of Note
        On columns that were left out, filled or guessed.
    classes : (k,) array
        The labels, sorted, as `glassmax.table.read_labels` returns them.
    counts : (k,) array of int
        Number of rows of each class.
    rows, unlabelled, unweighted : int
        Number of rows that are trained on, of rows without a label, and of rows of weight 0.
    sample : Table
        Some of the rows that are trained on, or all of them if there are few.
    encodable : Table
        The rows of the sample; cells that can't be used are missing.
    sample_y : (m,) array of int
        Class indices of the rows of the sample.
    summaries : dict of str to ColumnSummary
        What is known of the cells of each column.
    label_words : dict of str to int
        Number of cells of the target with each word that may mean a missing label.
    largest_weight : float
        0 if there are no weights.
    is_sorted : bool
        Whether the rows are sorted by their label, or nearly so.
    """

    encoding: Encoding
    notes: list[Note]
    classes: Array
    counts: Array
    rows: int
    unlabelled: int
    unweighted: int
    sample: Table
    encodable: Table
    sample_y: Array
    summaries: dict[str, ColumnSummary]
    label_words: dict[str, int]
    largest_weight: float
    is_sorted: bool

    def __repr__(self) -> str:
        return f"Learned from {self.rows} rows: {len(self.classes)} classes; {self.encoding!r}"

    @property
    def layout(self) -> Layout:
        """How encoded rows are stored: by the encoding, and by whether there are weights and sorted labels."""
        width, columns = self.encoding.width, self.encoding.columns
        filled = sum(
            1 if isinstance(c, Category) else c.width - max(0, len(c.values) - 1) if isinstance(c, Number) else c.width
            for c in columns
        )
        is_sparse = SPARSE_SHARE * width / len(columns) >= 1 and 8 * filled + 4 < 4 * width
        layout = Layout(width, filled if is_sparse else None, self.largest_weight > 0)
        return layout._replace(block_rows=rows_in_block(layout.row_bytes, self.is_sorted * len(self.classes)))


def learned(
    state: ScanState,
    sample: Table,
    target: str,
    weight: str | None = None,
    options: ColumnOptions = ColumnOptions(),  # noqa: B008 - immutable
) -> Learned:
    """Return what is learned from a scan; the arguments are as for `glassmax.streaming.scan.scanned`.

    Raises
    ------
    DataError
        If a column can't be used or none is left, or there are not two classes.
    """
    classes, counts = _classes(state, sample, target)
    labels, rows = read_labels(_without_words(sample, target), target, repeating=False, classes=classes)
    sample_y = class_indices(classes, labels, sample, rows, target)
    summaries = msgspec.msgpack.decode(msgspec.msgpack.encode(state.columns), type=dict[str, ColumnSummary])
    sample = _with_words_of_source(sample, summaries, target)
    known = replace(sample, columns={n: c for n, c in sample.columns.items() if n not in sample.unusable})
    without = tuple(name for name in (target, weight) if name is not None)
    inference = infer(known, without, options, summaries)
    learnable = _learnable(known, inference)
    encoding, notes = Encoding.learn(learnable, target, inference=inference, summaries=summaries)
    notes += _on_filled(encoding, learnable, summaries)
    return Learned(
        encoding,
        notes,
        classes,
        counts,
        state.rows,
        state.unlabelled,
        state.unweighted,
        known,
        learnable,
        sample_y,
        summaries,
        dict(state.label_words),
        state.largest_weight,
        _is_sorted(state, counts),
    )


def _classes(state: ScanState, sample: Table, target: str) -> tuple[Array, Array]:
    """Return the classes and the number of rows of each."""
    summary = state.target
    if summary.kind == "numbers" and summary.numbers is not None and summary.numbers.counts is not None:
        cells, times = np.array(list(summary.numbers.counts)), list(summary.numbers.counts.values())
    elif summary.kind == "booleans":
        cells, times = objects([text == "true" for text in summary.booleans]), list(summary.booleans.values())
    elif summary.kind == "moments":
        raise DataError(f"{sample.name}: target {target!r} holds dates, expected classes that repeat.")
    else:
        counts = summary.cells()
        cells, times = objects(list(counts)), list(counts.values())
    table = Table(sample.name, {target: cells}, decimal=sample.decimal)
    check_repeating(sample.name, target, len(summary.canonical_texts()), state.rows)
    labels, _ = read_labels(table, target, repeating=False)
    classes, y = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        which = "row" if not state.unweighted else "row whose weight isn't 0"
        raise DataError(
            f"{sample.name}: target {target!r} is {str(classes[0])!r} in every {which}, expected at least two "
            "different classes."
        )
    return classes, np.bincount(y, times).astype(np.int64)


def _without_words(table: Table, target: str) -> Table:
    return replace(table, words={name: found for name, found in table.words.items() if name != target}, how="")


def _with_words_of_source(sample: Table, summaries: dict[str, ColumnSummary], target: str) -> Table:
    """Take words such as NA for values where the source means them so, in summaries and sample."""
    if not sample.tells_missing or sample.missing_words is not None:
        return sample
    rest = {}
    for name, summary in summaries.items():
        words = [word for word in summary.words if word in LETTERS_ONLY]
        if words and name in sample.columns and summary.kind == "texts" and are_words(summary.texts):
            summary.keep_words(words)
            rest[name] = [word for word in DEFAULT_WORDS if word not in words]
    return sample.with_missing_words(rest)


def _learnable(sample: Table, inference: Inference) -> Table:
    """Return the sample with numbers and dates in place of their texts; what is none is missing, and an error later.

    Whoever encodes all rows comes to the cell at fault, and names its file and its row.
    """
    columns = dict(sample.columns)
    for name, kind in inference.kinds.items():
        cells = columns[name]
        if kind == "number":
            if cells.dtype.kind == "O":
                grouping = inference.groupings.get(name)
                known = {cell: _number_or_nan(cell, sample.decimal, grouping) for cell in dict.fromkeys(cells)}
                cells = np.array([known[cell] for cell in cells], np.float64)
            if cells.dtype.kind == "f":
                columns[name] = np.where(np.abs(cells) <= LARGEST, cells, np.nan)
        elif kind in FORMS and cells.dtype.kind == "O":
            found = {cell: moment(cell, kind) if isinstance(cell, str) else None for cell in dict.fromkeys(cells)}
            missing = np.iinfo(np.int64).min
            micros = [missing if found[cell] is None else found[cell] for cell in cells]
            columns[name] = np.array(micros, np.int64).view("M8[us]")
    return replace(sample, columns=columns)


def _number_or_nan(cell: str | bool | None, decimal: str, grouping: Grouping | None) -> float:
    number = cell_number(cell, decimal, grouping) if isinstance(cell, str) else None
    return np.nan if number is None else number


def _on_filled(encoding: Encoding, sample: Table, summaries: dict[str, ColumnSummary]) -> list[Note]:
    """Return the notes on cells of all rows that are filled."""
    counts = UnseenCounts()
    encoding.fill(sample.rows(slice(0, 1)), counts)
    for column in encoding.columns:
        if not isinstance(column, Category):
            counts.missing[column.name] = summaries[column.name].missing
            counts.words.pop(column.name, None)
            if summaries[column.name].words:
                counts.words.setdefault(column.name, type(counts.missing)()).update(summaries[column.name].words)
    return [note for note in counts.notes(encoding.columns) if note.kind == "filled"]


def _is_sorted(state: ScanState, counts: Array) -> bool:
    """Whether the label changes far less often from row to row than in random order."""
    shares = counts / counts.sum()
    expected = state.rows * (1 - float((shares * shares).sum()))
    return state.rows >= FEWEST_SORTED and expected >= 1 and state.changes < SORTED * expected
