"""The rows of a training run: which to learn from, which to judge by, and what their columns are taken for."""

import os
import unicodedata
from collections import Counter
from typing import Any

import click
import numpy as np
from scipy.sparse import csr_matrix, vstack

from ..errors import DataError, worded
from ..functional.arrays import Array
from ..table import (
    Boolean,
    Category,
    Column,
    ColumnOptions,
    Date,
    Encoding,
    Note,
    Table,
    UnseenCounts,
    giveaways,
    infer,
    label_texts,
    read_labels,
    read_table,
    read_weights,
)
from ..training import holdout
from .column_names import left_out_together, summed_up
from .talk import counted, shortened
from .wording import option_of

__all__ = ["Rows", "shown_column"]

FEWEST_ROWS_TO_HOLD_OUT = 20
SPARSE_NUMBERS, SPARSE_SHARE = 2**24, 0.1
MOST_NOTES = 20
MOST_OF_MEMORY = 0.7
KINDS = {"filled": "missing, filled with", "unseen": "with a value not seen in training"}
"""The kinds of notes that may be very many, and the words that they share."""


class Rows:
    """A table prepared according to the options.

    Attributes
    ----------
    table : Table
        The rows that have a class.
    classes, y : arrays
        The labels, and the index of the label of each row.
    kept, held : arrays of int
        The rows to train on, and the rows to judge the model by.
    X : (len(kept), d) array or CSR matrix
        The rows to train on, encoded.
    validation : tuple or None
        X, y and weights of another file.
    """

    def __init__(self, table: Table, target: str, options: dict[str, Any], form: dict[str, Any]) -> None:
        self.options, self.target, self.form = options, target, form
        self.weight = None if options["weight"] is None else read_weights(table, options["weight"])
        labels, rows = read_labels(table, target)
        self.unlabelled = table.n_rows - len(rows)
        self.table = table.rows(rows)
        self.weight = None if self.weight is None else self.weight[rows]
        self.classes, self.y = np.unique(labels, return_inverse=True)
        if len(self.classes) < 2:
            raise DataError(
                f"{table.name}: target {target!r} is {str(self.classes[0])!r} in every row, "
                "expected at least two different classes."
            )
        self.kept, self.held = np.arange(len(rows)), np.arange(0)
        if options["held_out"] and len(rows) >= FEWEST_ROWS_TO_HOLD_OUT:
            self.kept, self.held = holdout(self.y, options["held_out"], np.random.RandomState(options["seed"]))
        self._check_weights()
        without = (target,) if options["weight"] is None else (target, options["weight"])
        inference = infer(self.table, without, ColumnOptions(options["types"], options["ignore"], options["keep"]))
        self.encoding, self.notes = Encoding.learn(self.table.rows(self.kept), target, inference=inference)
        more = self._giveaways() + self._rare_classes() + self._alike() + self._formulas()
        self.notes += [Note((note,)) for note in more]
        self.X = self.encoded(self.kept, self.notes)
        if len(self.held):
            self.encoded(self.held)  # a cell at fault is found before the training, not after it
        self.validation = self._read_validation()

    def encoded(self, index: Array, notes: list[Note] | None = None) -> Any:
        """Return rows as numbers: an array, or a sparse matrix where most of very many numbers are zeros."""
        width, counts = self.encoding.width, UnseenCounts()
        at_once = max(1, 2**21 // width)
        dense = len(index) * width <= SPARSE_NUMBERS or SPARSE_SHARE * width / len(self.encoding.columns) < 1
        if dense:
            _check_memory(self.table.name, len(index), width, np.dtype(self.options["dtype"]).itemsize)
            X: Any = np.empty((len(index), width), self.options["dtype"])
        blocks = []
        for start in range(0, len(index), at_once):
            rows = slice(start, start + at_once)
            block = self.encoding.fill(self.table.rows(index[rows]), counts)
            if dense:
                X[rows] = block
            else:
                blocks.append(self._in_form(block, dense))
        if notes is not None:
            notes += counts.notes(self.encoding.columns)
        if dense:
            return X
        return vstack(blocks, format="csr")

    def _in_form(self, X: Array, dense: bool) -> Any:
        X = X.astype(self.options["dtype"], copy=False)
        if dense:
            return X
        return csr_matrix(X)

    def weights(self, index: Array) -> Array | None:
        """Return the weights of some rows."""
        return None if self.weight is None else self.weight[index]

    def shares(self) -> Array:
        """Return the share of each class in the weight of the training rows."""
        counts = np.bincount(self.y[self.kept], self.weights(self.kept), len(self.classes))
        return counts / counts.sum()

    def class_weight(self) -> Any:
        """Return the class weights for the estimator, by the index of the class."""
        if self.options["balanced"]:
            return "balanced"
        given = self.options["class_weight"]
        if not given:
            return None
        names = label_texts(self.classes)
        for name in given:
            if name not in names:
                shown = ", ".join(names[:10])
                raise click.UsageError(f"--class-weight has the unknown class {name!r}; the classes are {shown}.")
        if not any(given.get(name, 1.0) for name in names):
            raise click.UsageError("--class-weight gives every class the weight 0, expected at least one weight > 0.")
        return {index: given.get(name, 1.0) for index, name in enumerate(names)}

    def why_none_held_out(self) -> str:
        """Say why no rows are held out, if it was not asked for."""
        return f" (fewer than {FEWEST_ROWS_TO_HOLD_OUT} rows)" if self.options["held_out"] else ""

    def described(self) -> list[str]:
        """Return the lines that say what was read, and what each column was taken for."""
        classes = [shortened(str(label)) for label in self.classes[:10]]
        shares = ", ".join(f"{label} {(self.y == c).sum()}" for c, label in enumerate(classes))
        n_rows = self.table.n_rows + self.unlabelled
        more = f", and {len(self.classes) - 10} more" if len(self.classes) > 10 else ""
        lines = [
            f"{self.table.name}: {counted(n_rows, 'row')}, {len(self.classes)} classes of {self.target}: {shares}{more}"
        ]
        if self.table.how:
            lines.append(f"  read as {self.table.how}")
        if self.unlabelled:
            lines.append(f"  left out because {self.target} is missing: {counted(self.unlabelled, 'row')}")
        kinds: dict[str, list[str]] = {}
        for column in self.encoding.columns:
            kinds.setdefault(type(column).__name__, []).append(shown_column(column))
        titles = {"Number": "numbers:", "Category": "categories:", "Boolean": "booleans:", "Date": "dates:"}
        for kind, title in titles.items():
            if kind in kinds:
                lines.append(f"  {title:<11} {summed_up(kinds[kind])}")
        if self.options["weight"] is not None:
            lines.append(f"  weights:    {self.options['weight']}")
        left_out = [note for note in self.notes if note.kind == "left_out"]
        others = [note for note in self.notes if note.kind != "left_out"]
        notes = [*left_out_together(left_out), *self.table.notes, *_shortened(others)]
        return lines + [f"  {note}" for note in notes]

    def _check_weights(self) -> None:
        for index, what in ((self.kept, "to train on"), (self.held, "held out")):
            weight = self.weights(index)
            if weight is not None and len(index) and not weight.any():
                raise DataError(
                    f"{self.table.name}: the weight {self.options['weight']!r} is 0 in every row {what}, expected at "
                    "least one number > 0. Pass another --seed or --held-out."
                )

    def _giveaways(self) -> list[str]:
        found = giveaways(self.table, self.encoding.names, self.y)
        return [
            f"{name} alone tells {self.target} in {100 * share:.4g} % of the rows. If it is the answer by another "
            f"name, or known only afterwards, leave it out: --ignore {name}"
            for name, share in found[:5]
        ]

    def _rare_classes(self) -> list[str]:
        rare = np.flatnonzero(np.bincount(self.y) == 1)
        if not len(rare) or not len(self.held):
            return []
        names = ", ".join(shortened(str(label)) for label in self.classes[rare[:5]])
        return [f"classes with a single row, which is trained on, so that none can be held out: {self.target} {names}"]

    def _alike(self) -> list[str]:
        """Return a note on classes that differ only in case, spaces or the composition of letters."""
        alike: dict[str, list[str]] = {}
        for label in map(str, self.classes):
            text = unicodedata.normalize("NFKC", label).casefold()
            plain = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
            alike.setdefault(plain, []).append(label)
        same = [labels for labels in alike.values() if len(labels) > 1]
        return [
            f"classes that differ only in case, spaces or invisible signs: {', '.join(map(ascii, labels[:5]))}. "
            "If two of them mean the same class, spell them alike."
            for labels in same[:5]
        ]

    def _formulas(self) -> list[str]:
        odd = [str(label) for label in self.classes if str(label)[:1] in ("=", "@", "+") or str(label)[:2] == "-"]
        if not odd:
            return []
        return [f"a spreadsheet would take the class {shortened(odd[0])!r} for a formula: open predictions with care"]

    def _read_validation(self) -> Any:
        path = self.options["validation"]
        if path is None or isinstance(path, float):
            return None
        table = read_table(path, **self.form)
        labels, rows = read_labels(table, self.target, repeating=False)
        index = {text: position for position, text in enumerate(label_texts(self.classes))}
        texts = label_texts(labels)
        for row, text in zip(rows, texts, strict=True):
            if text not in index:
                raise DataError(
                    f"{table.place(int(row))}: {self.target} is {text!r}, which is no class of the training rows."
                )
        counts, some = UnseenCounts(), table.rows(rows)
        X = self._in_form(self.encoding.fill(some, counts), not hasattr(self.X, "tocsr"))
        weight = None if self.options["weight"] is None else read_weights(some, self.options["weight"])
        self.notes += [Note((f"{table.name}: ", *n.text), n.kind) for n in counts.notes(self.encoding.columns)]
        return X, [index[text] for text in texts], weight


def _shortened(notes: list[Note]) -> list[str]:
    """Keep the first notes of each kind: a table of a thousand empty columns needs no thousand lines."""
    shown, kinds = [], Counter[str]()
    for note in notes:
        kinds[note.kind] += 1
        if note.kind not in KINDS or kinds[note.kind] <= MOST_NOTES:
            shown.append(worded(note.text, option_of))
    more = {what: kinds[kind] - MOST_NOTES for kind, what in KINDS.items() if kinds[kind] > MOST_NOTES}
    return shown + [f"... {what} ...: {counted(count, 'more column')} like these" for what, count in more.items()]


def shown_column(column: Column) -> str:
    """Return a column's name with facts about the column, for a list."""
    if isinstance(column, Category):
        return f"{column.name} ({len(column.values)}{', some cells missing' if column.missing else ''})"
    if isinstance(column, Boolean):
        return f"{column.name} ({' and '.join(column.words)}{', missing' if column.missing else ''})"
    if isinstance(column, Date):
        parts = ", ".join(["year", *column.circles, *(["missing"] if column.missing else [])])
        return f"{column.name} ({parts})"
    return column.name


def _check_memory(name: str, rows: int, width: int, size: int) -> None:
    """Refuse what doesn't fit into this machine, in words, before the system ends the process without any."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not to be known here
        return
    needed = rows * width * size
    if needed > MOST_OF_MEMORY * there:
        raise DataError(
            f"{name} becomes {rows} rows of {width} numbers, {needed / 2**30:.1f} GB; this machine has "
            f"{there / 2**30:.1f} GB. Pass --dtype float32, --ignore columns of many categories, or fewer rows."
        )
