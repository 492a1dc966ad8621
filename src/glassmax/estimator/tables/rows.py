"""The rows of a table that a classifier is trained on: classes, weights, groups, times, and columns as numbers.

::

    table, target -> labels -> classes, y        rows without a label are left out
    columns -> types -> encoding -> X            learned from the training rows

Target and weights are columns of the table or separate arrays. Which rows are held out or make a fold is decided by
those who train: they pass positions of rows.
"""

import os
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack

from ...errors import DataError, LabelError, OptionError, Setting
from ...functional.arrays import Array
from ...table import (
    ColumnOptions,
    Encoding,
    Note,
    Table,
    UnseenCounts,
    as_table,
    candidate_rows,
    class_indices,
    infer,
    label_texts,
    read_labels,
    read_weights,
)
from ...table.candidates import parse_candidates
from ...table.cells import as_text, objects
from ...table.frames import is_missing
from ...training import holdout
from ..candidates import encode_candidates, holds_candidates, rows_of
from ..labels import encode_labels
from .notes import notes_on_classes, notes_on_giveaways
from .order import order_of

__all__ = ["FEWEST_ROWS_TO_HOLD_OUT", "TableRows", "split_rows"]

FEWEST_ROWS_TO_HOLD_OUT = 20
SPARSE_NUMBERS, SPARSE_SHARE = 2**24, 0.1
MOST_OF_MEMORY = 0.7
MOST_AT_ONCE = 2**21


class TableRows:
    """The rows of a table that have a class.

    Parameters
    ----------
    data : Table, frame, dict of columns, or (n, d) array_like
    target : str or (n,) array_like
        Name of the column to predict, or the labels.
    weight : str or (n,) array_like, optional
        Name of the column of weights, or the weights; >= 0.
    columns : ColumnOptions, optional
        Types of columns, columns to leave out, and columns to keep.
    groups : str or (n,) array_like, optional
        Name of a column, or values: rows of the same group are never on both sides of a split. The column is not
        an input, unless `columns` keeps it.
    time : str or (n,) array_like, optional
        Name of a column, or numbers or dates, which put the rows in order. The column is an input, unless `columns`
        leaves it out.
    candidates : str, optional
        What separates the candidates in a cell of the target column or in a text among the labels, see
        `glassmax.table.read_labels`.

    Attributes
    ----------
    table : Table
        The rows that have a class.
    index : (n,) array of int
        The positions of these rows in `data`.
    given : int
        Number of rows of `data`.
    unlabelled : int
        Number of rows without a class, which are left out.
    target, weight_name : str
        The names of target and weight for messages and for the model; "" if there are no weights.
    classes, y : (k,) and (n,) arrays
        The labels, sorted, and the index of the label of each row; of several candidates the first.
    sets : (n, k) array of bool or None
        The candidates of each row; None if every row has one. Rows of which every class is a candidate are left out.
    weight : (n,) array or None
    groups : (n,) array of int or None
        The number of the group of each row.
    time : (n,) array of floats or None
        Numbers in the order of the times.
    encoding : Encoding
        How columns become numbers, after `learn_encoding`.
    notes : list of Note
        What was done to columns, and remarks on columns and classes.

    Raises
    ------
    DataError, LabelError
        If a column is missing or can't be used, or there are fewer than two classes.

    Examples
    --------
    >>> from glassmax.table import read_table
    >>> rows = TableRows(read_table("penguins"), "species")
    >>> rows.classes.tolist(), len(rows.y)
    (['Adelie', 'Chinstrap', 'Gentoo'], 344)
    >>> rows.learn_encoding()
    >>> rows.encoded().shape
    (344, 15)
    """

    encoding: Encoding

    def __init__(
        self,
        data: Any,
        target: str | npt.ArrayLike,
        weight: str | npt.ArrayLike | None = None,
        columns: ColumnOptions | None = None,
        *,
        groups: str | npt.ArrayLike | None = None,
        time: str | npt.ArrayLike | None = None,
        candidates: str | None = None,
    ) -> None:
        table, self.separator = as_table(data), candidates
        self.columns = ColumnOptions() if columns is None else columns
        self.target = target if isinstance(target, str) else _free_name(target, table)
        self.weight_name = weight if isinstance(weight, str) else "" if weight is None else "sample_weight"
        self.target_is_column, self.weight_is_column = isinstance(target, str), isinstance(weight, str)
        all_weights = _weights(table, weight)
        if isinstance(target, str):
            labels, self.index = read_labels(table, target, candidates=candidates)
        else:
            labels, self.index = _given_labels(target, table)
            labels = _parsed(labels, candidates, self.index, self.target)
        self.sets: Array | None = None
        if holds_candidates(labels):
            self.sets, labels, self.index = _read_sets(labels, self.index, self.target)
        self.given = table.n_rows
        self.unlabelled = table.n_rows - len(self.index)
        self.table = table.rows(self.index) if self.unlabelled else table
        self.weight = None if all_weights is None else all_weights[self.index]
        if self.sets is None:
            self.classes, self.y = self._classes(labels)
        else:
            self.classes, self.y = labels, np.asarray(self.sets.argmax(axis=1))
        self.groups = None if groups is None else _group_numbers(table, groups)[self.index]
        self.time = None if time is None else order_of(table, time)[self.index]
        kept = isinstance(groups, str) and groups in self.columns.keep
        excluded = (target, weight, None if kept else groups)
        self.without = tuple(name for name in excluded if isinstance(name, str))
        self.notes: list[Note] = []
        self.sparse = False  # whether training rows are a sparse matrix: validation rows then are one too

    def _classes(self, labels: Array) -> tuple[Array, Array]:
        if not self.target_is_column:
            found = encode_labels(labels, "softmax")
            if found.T.ndim != 1:
                raise LabelError(f"{self.target} is {labels.shape}, expected (n,): one label a row.")
            order = np.argsort(found.classes)
            return found.classes[order], np.argsort(order)[found.T]
        classes, y = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise DataError(
                f"{self.table.name}: target {self.target!r} is {str(classes[0])!r} in every row, expected at least two "
                "different classes."
            )
        return classes, y

    def learn_encoding(self, index: Array | None = None) -> None:
        """Learn how to encode the columns from some rows, by default all, and note what was done to the columns.

        The types of the columns are inferred from all rows.
        """
        rows = self.table if index is None else self.table.rows(index)
        inference = infer(self.table, self.without, self.columns)
        self.encoding, self.notes = Encoding.learn(rows, self.target, inference=inference)
        self.notes += notes_on_giveaways(self.table, self.encoding.names, self.y, self.target)
        held_out = index is not None and len(index) < len(self.y) and self.sets is None
        self.notes += notes_on_classes(self.classes, self.y, self.target, held_out=held_out)

    def encoded(
        self, index: Array | None = None, dtype: npt.DTypeLike = "float64", *, notes: list[Note] | None = None
    ) -> Any:
        """Return rows as numbers: (n, width) array, or a CSR matrix where most of very many numbers are zeros.

        Parameters
        ----------
        index : array of int, optional
            Positions of rows of `table`; all of them by default.
        dtype : dtype, default="float64"
        notes : list of Note, optional
            Is extended by notes on cells that were filled.
        """
        index = np.arange(len(self.y)) if index is None else index
        width, counts = self.encoding.width, UnseenCounts()
        at_once = max(1, MOST_AT_ONCE // width)
        sparse = len(index) * width > SPARSE_NUMBERS and SPARSE_SHARE * width / len(self.encoding.columns) >= 1
        self.sparse |= sparse
        X: Any = None
        if not sparse:
            _check_memory(self.table.name, len(index), width, np.dtype(dtype).itemsize)
            X = np.empty((len(index), width), dtype)
        blocks = []
        for start in range(0, len(index), at_once):
            rows = slice(start, start + at_once)
            block = self.encoding.fill(self.table.rows(index[rows]), counts)
            if sparse:
                blocks.append(csr_matrix(block.astype(dtype, copy=False)))
            else:
                X[rows] = block
        if notes is not None:
            notes += counts.notes(self.encoding.columns)
        return vstack(blocks, format="csr") if sparse else X

    def encoded_validation(
        self,
        data: Any,
        target: npt.ArrayLike | None = None,
        weight: npt.ArrayLike | None = None,
        dtype: npt.DTypeLike = "float64",
    ) -> tuple[Any, Array, Array | None]:
        """Return X, y and the weights of other rows, encoded like the training rows; note what was filled.

        y are class indices, or rows of 0 and 1 if labels are sets.

        Parameters
        ----------
        data : Table, frame, dict of columns, or (n, d) array_like
            With the columns of the training.
        target, weight : array_like, optional
            Labels and weights; by default columns with the same names as in the training.
        dtype : dtype, default="float64"

        Raises
        ------
        DataError, LabelError
            If a row has a class that no training row has, or a column is missing.
        """
        table = as_table(data, "X_val")
        if target is None and self.target_is_column:
            labels, rows = read_labels(table, self.target, repeating=False, candidates=self.separator)
            what = self.target
        else:
            labels, rows = _given_labels(cast("Any", target), table, "y_val")
            what = "y_val"
            labels = _parsed(labels, self.separator, rows, what)
        if holds_candidates(labels):
            y, _, rows = _read_sets(labels, rows, what, self.classes)
        else:
            y = class_indices(self.classes, labels, table, rows, what, whose="the training rows")
        given = self.weight_name if weight is None and self.weight_is_column else weight
        some, counts = table.rows(rows), UnseenCounts()
        X: Any = self.encoding.fill(some, counts).astype(dtype, copy=False)
        # a column of weights is checked where there is a label, an array where it was given
        w = _weights(some, given) if isinstance(given, str) else _weights(table, given, "sample_weight_val")
        if w is not None and not isinstance(given, str):
            w = w[rows]
        self.notes += [Note((f"{table.name}: ", *n.text), n.kind) for n in counts.notes(self.encoding.columns)]
        return csr_matrix(X) if self.sparse else X, y, w

    def targets(self, index: Array) -> Array:
        """Return the class of each of some rows, or rows of 0 and 1 with its candidates."""
        return self.y[index] if self.sets is None else self.sets[index].astype(np.float64)

    def weights(self, index: Array) -> Array | None:
        """Return the weights of some rows, or None."""
        return None if self.weight is None else self.weight[index]

    def check_weights(self, index: Array, what: str) -> None:
        """Raise a DataError if there are rows and all have the weight 0; `what` says which rows: "to train on"."""
        weight = self.weights(index)
        if weight is not None and len(index) and not weight.any():
            raise DataError(
                f"{self.table.name}: the weight {self.weight_name!r} is 0 in every row {what}, expected at least one "
                "number > 0. Pass another ",
                *(Setting("random_state"), " or ", Setting("held_out"), "."),
            )

    def counts(self) -> Array:
        """Return the number of rows that may have each class, (k,)."""
        return np.bincount(self.y, minlength=len(self.classes)) if self.sets is None else self.sets.sum(axis=0)

    def shares(self, index: Array) -> Array:
        """Return the share of each class in the weight of some rows."""
        if self.sets is None:
            counts = np.bincount(self.y[index], self.weights(index), len(self.classes))
        else:  # candidates have equal shares of a row
            weight, sets = self.weights(index), self.sets[index]
            counts = (1 if weight is None else weight[:, None]) * sets / sets.sum(axis=1, keepdims=True)
            counts = counts.sum(axis=0)
        return cast("Array", counts / counts.sum())

    def class_weight(self, given: Any) -> Any:
        """Return class weights by the index of the class, as `SoftmaxClassifier` takes them.

        Parameters
        ----------
        given : mapping, "balanced" or None
            Weights by label, or by the text of the label; 1 for the others.
        """
        if given is None or isinstance(given, str):
            return given
        if not given:
            return None
        names, labels = label_texts(self.classes), self.classes.tolist()
        weights = dict.fromkeys(range(len(names)), 1.0)
        for label, weight in given.items():
            if label in labels:
                weights[labels.index(label)] = weight
            elif label in names:
                weights[names.index(label)] = weight
            else:
                message = f" has the unknown class {label!r}; the classes are {', '.join(names[:10])}."
                raise OptionError(Setting("class_weight"), message, parameter="class_weight")
        if not any(weights.values()):
            message = " gives every class the weight 0, expected at least one weight > 0."
            raise OptionError(Setting("class_weight"), message, parameter="class_weight")
        return weights


def split_rows(y: Array, share: float, seed: int) -> tuple[Array, Array]:
    """Return the positions of the rows to train on and of those to hold out; too few rows are all trained on."""
    if not share or len(y) < FEWEST_ROWS_TO_HOLD_OUT:
        return np.arange(len(y)), np.arange(0)
    return holdout(y, share, np.random.RandomState(seed))


def _free_name(labels: Any, table: Table) -> str:
    """Return a name for labels that are no column of the table: their own, if they have one."""
    own = getattr(labels, "name", None)
    names = ([own] if isinstance(own, str) and own else []) + ["y", "target", "label"]
    return next((name for name in names if name not in table.names), f"target of {table.name}")


def _given_labels(labels: npt.ArrayLike, table: Table, what: str = "y") -> tuple[Array, Array]:
    """Return the labels that aren't missing, and their positions."""
    mixed = isinstance(labels, list) and len({isinstance(label, str) for label in labels}) > 1
    values = np.asarray(labels, object if mixed else None)  # NumPy would write numbers and None as text
    if values.ndim == 0 or len(values) != table.n_rows:
        came = "one value" if values.ndim == 0 else f"{len(values)} labels"
        raise LabelError(f"{what} has {came}, expected {table.n_rows}: one for each row of {table.name}.")
    if values.ndim != 1 or values.dtype.kind not in "OfM":
        return values, np.arange(len(values))
    if values.dtype.kind == "f" and np.isinf(values).any():
        row = int(np.argmax(np.isinf(values)))
        raise LabelError(f"Input {what} contains infinity: row {row}. Leave out the rows without a label.")
    rows = np.flatnonzero([not is_missing(label) for label in values.tolist()])
    if not len(rows):
        raise LabelError(f"{what} has no labels: all {len(values)} are missing.")
    values = values[rows]
    if values.dtype.kind == "O" and len({type(label) for label in values}) == 1:
        plain = np.array(values.tolist())
        values = plain if plain.dtype.kind in "bi" else values  # texts stay objects, as scikit-learn has them
    return values, rows


def _parsed(labels: Array, separator: str | None, rows: Array, what: str) -> Array:
    """Return labels with the texts among them read as cells of candidates."""
    if separator is None:
        return labels
    entries = objects(labels.tolist())
    for position, label in enumerate(labels.tolist()):
        if isinstance(label, str):
            try:
                entries[position] = parse_candidates(label, separator)
            except LabelError as error:
                raise LabelError(f"Row {rows[position]} of {what} {error}.") from None
    return entries if holds_candidates(entries) else labels


def _read_sets(labels: Array, rows: Array, what: str, classes: Array | None = None) -> tuple[Array, Array, Array]:
    """Return the candidates of each row that rules out a class, (m, k), all classes, and these rows."""
    if classes is None:
        found = encode_candidates(labels, what=what)
        order = np.argsort(found.classes)
        S, classes = rows_of(found)[:, order], found.classes[order]
    else:
        S = candidate_rows(labels, classes, what)
    says = ~S.all(axis=1)
    if not says.any():
        raise LabelError(f"{what} names every class in every row, expected rows that rule out a class.")
    return S[says], classes, rows[says]


def _weights(table: Table, weight: Any, what: str = "sample_weight") -> Array | None:
    if weight is None:
        return None
    if isinstance(weight, str):
        return read_weights(table, weight)
    w = np.asarray(weight, np.float64)
    if w.shape != (table.n_rows,):
        raise LabelError(f"{what} has the shape {w.shape}, expected ({table.n_rows},): one for each row.")
    bad = np.flatnonzero(~((w >= 0) & np.isfinite(w)))
    if len(bad):
        raise LabelError(f"Row {bad[0]} of {what} is {w[bad[0]]:g}, expected a number >= 0.")
    if not w.any():
        raise LabelError(f"{what} is zero for every row, expected at least one number > 0.")
    return w


def _group_numbers(table: Table, groups: Any) -> Array:
    """Return the number of each row's group; each row without a group is a group of its own."""
    cells = table.column(groups) if isinstance(groups, str) else np.asarray(groups)
    if cells.shape != (table.n_rows,):
        raise LabelError(f"groups has the shape {cells.shape}, expected ({table.n_rows},): one for each row.")
    texts = as_text(cells) if isinstance(groups, str) else [None if is_missing(g) else str(g) for g in cells.tolist()]
    numbers: dict[Any, int] = {}
    return np.array(
        [numbers.setdefault(row if text is None else text, len(numbers)) for row, text in enumerate(texts)], np.intp
    )


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
            f"{there / 2**30:.1f} GB. Pass ",
            *(Setting("dtype", "float32"), ", ", Setting("ignore"), " columns of many categories, or fewer rows."),
        )
