"""The scan: one pass over all rows, which finds the classes, the types of the columns and how they are encoded.

Each piece of a file is summarized alone, and the summaries are merged in order. The encoding is that of the same rows
in memory, whatever the cut into files, but for quantiles and the frequent values of sparse numbers, which come from a
sample if there are more rows than it holds, see `glassmax.streaming.sample`.

In a cache folder, the state is saved every ten seconds. A scan that was interrupted goes on from
there, and a scan of the same files is not done again.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from ..errors import DataError, ModelFileError, Setting
from ..files import remove_leftovers, write_whole
from ..functional.arrays import Array
from ..sealed import seal, unseal
from ..table import ColumnOptions, Table, target_cells
from ..table.cells import DEFAULT_WORDS, as_text, objects
from ..table.inference import summary_asked
from ..table.labels import LONGEST, check_header, check_repeating
from ..table.missing_words import MissingWords, kept_words, kept_words_of_classes, with_missing_words
from ..table.summary import ColumnSummary, summary_of
from ..version import __version__
from .labelled import is_present, weighted_rows
from .sample import Sample, SampleState, rows_in_sample
from .sources import Piece, Place, Sources

__all__ = ["Progress", "ScanState", "scanned"]

FORMAT = "glassmax scan 1"
FILE = "scan.glassmax"
SAVE_SECONDS = 10.0
PLACE_ROWS = 2**14
"""Number of rows that count between two places that are noted, at least."""
MOST_TEXTS, MOST_TEXTS_OF_ALL, FEWEST_TEXTS, FEWEST_NUMBERS = 2**16, 2**19, 2**11, 2**6
"""Most different texts, or numbers, of a column that are counted exactly; of all columns together; and at least."""
MOST_CHARACTERS = 2**26
"""Most characters of the texts that are counted, and of those in the sample; of long texts, fewer are kept."""
MANY_LABELS, NEARLY_ALL = 2**18, 0.9
"""The scan ends if more labels than this are different, and this share of the rows so far have one of their own."""


class Progress(NamedTuple):
    """How far a pass over the files has come.

    Attributes
    ----------
    rows : int
        Rows read so far.
    size, total : int
        Bytes read so far, about, and bytes of all files.
    """

    rows: int
    size: int
    total: int


class ScanState(msgspec.Struct):
    """What is known of the rows before a place.

    Attributes
    ----------
    identity : dict of str to str
        What the scan depends on.
    place : Place
    complete : bool
        Whether these are all rows.
    rows, unlabelled, unweighted : int
        Number of rows that count, of rows without a label, and of rows of weight 0.
    columns : dict of str to ColumnSummary
        Summaries of all columns but target and weight, over the rows that count.
    unusable : dict of str to str
        Columns that can't be used, with a description of their cells.
    target : ColumnSummary
        That of the target.
    words : dict of str to bool
        The words that may mean a missing label, with whether they are classes.
    label_words : dict of str to int
        Number of cells of the target with each of them.
    changes : int
        Number of rows whose label differs from that of the row before.
    last : str or None
        The label of the last row.
    largest_weight : float
    places : list of tuple of int
        Places at which rows may begin to be read: the number of rows that count before, and the `Place`.
    sample : SampleState or None
    """

    identity: dict[str, str]
    place: tuple[int, int, int] = (0, 0, 0)
    complete: bool = False
    rows: int = 0
    unlabelled: int = 0
    unweighted: int = 0
    columns: dict[str, ColumnSummary] = {}
    unusable: dict[str, str] = {}
    target: ColumnSummary = msgspec.field(default_factory=ColumnSummary)
    words: dict[str, bool] = {}
    label_words: dict[str, int] = {}
    changes: int = 0
    last: str | None = None
    largest_weight: float = 0.0
    places: list[tuple[int, int, int, int]] = []
    sample: SampleState | None = None


def scanned(
    sources: Sources,
    target: str,
    weight: str | None = None,
    options: ColumnOptions = ColumnOptions(),  # noqa: B008 - immutable
    *,
    folder: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[ScanState, Table]:
    """Read all rows once; return what is known of them, and the sample.

    If later labels show that a word such as None is a class, or is not a class, all rows are read again.

    Parameters
    ----------
    sources : Sources
    target : str
        The column to predict.
    weight : str, optional
        The column of sample weights; rows of weight 0 are left out.
    options : ColumnOptions
        The user's options for the columns.
    folder : Path, optional
        An existing folder in which the state is kept.
    progress : callable, optional
        Is called after each piece.

    Raises
    ------
    DataError
        If there is no such column, or a file or a cell can't be used.
    """
    identity = {
        "format": FORMAT,
        "glassmax": __version__,
        "the files": sources.identity,
        "target": target,
        "sample_weight": repr(weight),
        "the columns": repr((sorted(options.types.items()), sorted(options.ignore), sorted(options.keep))),
    }
    state = _saved(folder, identity) or ScanState(identity)
    scan = _Scan(sources, target, weight, options.types, state)
    _read_rest(scan, folder, progress)
    if state.rows and (words := _words_by_all_labels(state, scan.sample_table())) != state.words:
        state = ScanState(identity, words=words)  # a word such as None is a class by the labels that came later
        scan = _Scan(sources, target, weight, options.types, state)
        _read_rest(scan, folder, progress)
    if not state.rows:
        raise _no_rows(sources.name, target, state)
    return state, scan.sample_table()


def _read_rest(scan: "_Scan", folder: Path | None, progress: Callable[[Progress], None] | None) -> None:
    """Read the rows that the state lacks."""
    sources, state, saved = scan.sources, scan.state, time.monotonic()
    if not state.complete:
        with closing(sources.pieces_ahead(Place(*state.place))) as pieces:
            for piece in pieces:
                scan.add(piece)
                if progress is not None:
                    progress(Progress(piece.end.number, sources.bytes_before(piece.end), sources.size))
                if folder is not None and time.monotonic() - saved >= SAVE_SECONDS:
                    _save(folder, scan.state_now())
                    saved = time.monotonic()
        state.complete = True
        for summary in (*state.columns.values(), state.target):  # in the order of a scan that was not interrupted
            if summary.numbers is not None and summary.numbers.counts is not None:
                summary.numbers.counts = dict(sorted(summary.numbers.counts.items()))
        if folder is not None and state.rows:
            _save(folder, scan.state_now())


class _Scan:
    """Adds pieces to a state."""

    def __init__(
        self, sources: Sources, target: str, weight: str | None, types: Mapping[str, str], state: ScanState
    ) -> None:
        self.sources, self.target, self.weight, self.types, self.state = sources, target, weight, types, state
        self.sample = None if state.sample is None else Sample.of(state.sample)

    def state_now(self) -> ScanState:
        """Return the state, the sample in it."""
        self.state.sample = None if self.sample is None else self.sample.state()
        return self.state

    def sample_table(self) -> Table:
        """Return the rows of the sample, called by the name of all files."""
        assert self.sample is not None
        return replace(self.sample.table(), name=self.sources.name, unusable=dict(self.state.unusable))

    def add(self, piece: Piece) -> None:
        """Add a piece."""
        state, table = self.state, piece.table
        table.column(self.target)
        counted = weighted_rows(table, self.weight)
        if counted.weight is not None and len(counted.weight):
            state.largest_weight = max(state.largest_weight, float(counted.weight.max()))
        cells = self._labels(counted.table)
        there = np.flatnonzero(is_present(cells))
        labelled = counted.where(there)
        state.unweighted += table.n_rows - len(counted.rows)
        state.unlabelled += len(counted.rows) - len(there)
        if len(there):
            words = {name: found for name, found in labelled.table.words.items() if name != self.target}
            columns = {**labelled.table.columns, self.target: cells[there]}
            self._add_rows(replace(labelled.table, columns=columns, words=words))
        if piece.end.number % self.sources.piece_rows == 0:
            self._bound()
        state.place = (piece.end.file, piece.end.row, piece.end.number)
        if state.rows >= PLACE_ROWS + (state.places[-1][0] if state.places else 0):
            state.places.append((state.rows, *state.place))

    def _bound(self) -> None:
        """Bound what is kept of the rows so far; raise if the target can't be classes."""
        state, n_columns = self.state, max(1, len(self.state.columns))
        target = state.target
        labels = len(target.texts) + len((target.numbers and target.numbers.counts) or {})
        if labels > MANY_LABELS and labels > NEARLY_ALL * state.rows:
            check_repeating(self.sources.name, self.target, labels, state.rows)
        share = min(MOST_TEXTS, MOST_TEXTS_OF_ALL // n_columns)
        most, room = max(FEWEST_TEXTS, share), MOST_CHARACTERS // n_columns
        for summary in state.columns.values():
            characters = sum(map(len, summary.texts))
            texts = most if characters <= room else min(most, len(summary.texts) * room // characters)
            summary.bound(texts, max(FEWEST_NUMBERS, share))
        if self.sample is not None:
            self.sample.bound(MOST_CHARACTERS)

    def _add_rows(self, table: Table) -> None:
        """Add rows that count."""
        state = self.state
        self._add_labels(table)
        state.unusable |= table.unusable
        for name in table.columns:
            if name in (self.target, self.weight) or name in state.unusable:
                continue
            if name not in state.columns:
                state.columns[name] = ColumnSummary(state.rows)
            before = state.columns[name]
            before.add(summary_asked(table, name, self.types.get(name), before))
        for name, summary in state.columns.items():
            if name not in table.columns:
                summary.add(ColumnSummary(table.n_rows))
        if self.sample is None:
            self.sample = Sample(rows_in_sample(len(table.columns)))
        self.sample.add(table, state.rows)
        state.rows += table.n_rows

    def _add_labels(self, table: Table) -> None:
        state, cells = self.state, table.columns[self.target]
        summary = summary_of(table, self.target)
        for text in summary.texts:
            if len(text) > LONGEST:
                row = int(np.flatnonzero(cells == text)[0])
                raise DataError(
                    f"{table.place(row)}: {self.target!r} is a text of {len(text)} characters, expected the name of a "
                    f"class, {LONGEST} at most. Correct the cell, or predict another column."
                )
        if self.target in summary.texts:
            check_header(table, self.target, as_text(cells))
        if cells.dtype.kind == "f" and not np.isfinite(cells).all():
            row = int(np.flatnonzero(~np.isfinite(cells))[0])
            raise DataError(
                f"{table.place(row)}: {self.target!r} is {cells[row]:g}, expected the name of a class. Correct the "
                "cell, or predict another column."
            )
        first, last = as_text(cells[[0, -1]]).tolist()
        state.changes += int((cells[1:] != cells[:-1]).sum()) + (state.last not in (None, first))
        state.last = last
        state.target.add(summary)

    def _labels(self, table: Table) -> Array:
        """Return the cells of the target, in which a word such as None is a class if it is written like the others."""
        cells, found = table.column(self.target), table.words.get(self.target)
        if found is None or table.missing_words is not None:
            return target_cells(table, self.target)
        for word, count in found.counts().items():
            self.state.label_words[word] = self.state.label_words.get(word, 0) + count
        new = [word for word in found.counts() if word not in self.state.words]
        if new:
            so_far = [*self.state.target.texts, *(cell for cell in cells if isinstance(cell, str))]
            kept = _kept_labels(so_far, found, table)
            self.state.words |= {word: word in kept for word in new}
        rest = [word for word in DEFAULT_WORDS if not self.state.words.get(word)]
        return with_missing_words(cells, found, rest, table.decimal)[0]


def _kept_labels(texts: list[str], found: MissingWords, table: Table) -> list[str]:
    """Return the words that are classes and no missing labels, as `read_table` and `target_cells` decide it."""
    cells = objects(texts)
    kept = set(kept_words_of_classes(cells, found))
    return sorted(kept | set(kept_words(cells, found)) if table.tells_missing else kept)


def _words_by_all_labels(state: ScanState, table: Table) -> dict[str, bool]:
    """Return which words are classes, now that all labels are known."""
    if not state.words:
        return {}
    texts = [text for text in state.target.texts if text not in state.words]
    words = tuple(state.words)
    kept = _kept_labels(texts, MissingWords(words, np.arange(1, len(words) + 1, dtype=np.uint16)), table)
    return {word: word in kept for word in words}


def _no_rows(name: str, target: str, state: ScanState) -> DataError:
    if state.unlabelled:
        return DataError(f"{name}: no row has a value in the target column {target!r}.")
    what = "whose weight isn't 0" if state.unweighted else "at all"
    return DataError(f"{name} has no row {what}, expected at least one.")


def _saved(folder: Path | None, identity: dict[str, str]) -> ScanState | None:
    """Return the state of an earlier scan of the same rows; None if there is none, or it can't be read."""
    if folder is None:
        return None
    from safetensors.numpy import load

    path = folder / FILE
    remove_leftovers(path)
    try:
        content = path.read_bytes()
        unseal(content)
        state = msgspec.msgpack.decode(load(content)["state"].tobytes(), type=ScanState)
    except (OSError, KeyError, ModelFileError, msgspec.DecodeError):
        return None
    return state if state.identity == identity else None


def _save(folder: Path, state: ScanState) -> None:
    content = np.frombuffer(msgspec.msgpack.encode(state), np.uint8)
    try:
        write_whole(folder / FILE, seal({"state": content}, FORMAT))
    except OSError as error:
        raise DataError(
            f"The results of the scan can't be written into {folder}: {error.strerror or error}.",
            remedy=("Choose another folder with ", Setting("cache_folder"), "."),
        ) from None
