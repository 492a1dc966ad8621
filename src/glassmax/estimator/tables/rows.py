"""The rows of a table that a classifier is trained on: classes, weights, groups, times, and columns as numbers.

::

    table, target -> labels -> classes, y        rows without a label or a weight are left out
    columns -> types -> encoding -> X            learned from the training rows

Target and weights are columns of the table or separate arrays. Which rows are held out or make a fold is decided by
those who train: they pass positions of rows.
"""

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ...errors import DataError, LabelError, OptionError, Setting
from ...functional.arrays import Array
from ...table import (
    Category,
    ColumnOptions,
    Encoding,
    Note,
    Table,
    UnseenCounts,
    class_indices,
    given_labels,
    infer,
    label_texts,
    parsed_labels,
    read_labels,
    read_weights,
    table_from,
)
from ...table.cells import as_text
from ...table.frames import is_missing
from ...table.missing_words import LETTERS_ONLY
from ...training import holdout
from ..candidates import holds_candidates, read_sets
from ..labels import Labels, encode_labels, scaled_weights
from ..rare_classes import of_kind, put_together
from .blocks import encoded_rows, is_better_sparse
from .notes import (
    notes_on_classes,
    notes_on_giveaways,
    notes_on_missing_words,
    notes_on_rare_classes,
    notes_on_rows,
)
from .order import order_of

__all__ = [
    "FEWEST_ROWS_TO_HOLD_OUT",
    "TableRows",
    "class_weight_by_index",
    "group_numbers",
    "split_rows",
    "weights_of_rows",
]

FEWEST_ROWS_TO_HOLD_OUT = 20


class TableRows:
    """The rows of a table that have a class, and a weight other than 0.

    Parameters
    ----------
    data : Table, frame, dict of columns, (n, d) array_like, or path
    target : str or (n,) array_like
        Name of the column to predict, or the labels.
    weight : str or (n,) array_like, optional
        Name of the column of weights, or the weights; >= 0. Rows of weight 0 are left out first of all: the result is
        the same as without these rows.
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
    min_count, other_label : int, label
        Classes with fewer rows than `min_count` are put together as the class `other_label`.

    Attributes
    ----------
    table : Table
        The rows that have a class and a weight.
    index : (n,) array of int
        The positions of these rows in `data`.
    given : int
        Number of rows of `data`.
    unlabelled : int
        Number of rows without a class, which are left out.
    unweighted : int
        Number of rows of weight 0, which are left out, with a class or without.
    target, weight_name : str
        The names of target and weight for messages and for the model; "" if there are no weights.
    classes, y : (k,) and (n,) arrays
        The labels, sorted, and the index of the label of each row; of several candidates the first.
    other_label : label or None
        The label that stands for the classes put together; None if `min_count` is 1.
    sets : (n, k) array of bool or None
        The candidates of each row; None if every row has one. Rows of which every class is a candidate are left out.
    weight : (n,) array or None
    groups : (n,) array of int or None
        The number of the group of each row.
    time : (n,) array of floats or None
        Numbers in the order of the times.
    encoding : Encoding
        How columns become numbers, after `learn_encoding`.
    words : dict of str to int
        How many cells of the target column hold each word that may mean a missing cell.
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
        min_count: int = 1,
        other_label: Any = "other",
    ) -> None:
        table, self.separator = table_from(data), candidates
        self.columns = ColumnOptions() if columns is None else columns
        self.target = target if isinstance(target, str) else _free_name(target, table)
        self.weight_name = weight if isinstance(weight, str) else "" if weight is None else "sample_weight"
        self.target_is_column, self.weight_is_column = isinstance(target, str), isinstance(weight, str)
        all_weights = _weights(table, weight)
        weighted = np.arange(table.n_rows) if all_weights is None else np.flatnonzero(all_weights)
        self.words: dict[str, int] = {}
        if isinstance(target, str):
            if target in table.words:
                self.words = table.words[target].rows(weighted).counts()
            repeating = min_count == 1
            labels, rows = read_labels(_some_rows(table, weighted), target, repeating=repeating, candidates=candidates)
            self.index = weighted[rows]
        else:
            labels, self.index = given_labels(target, table, among=weighted)
            labels = parsed_labels(labels, candidates, self.index, self.target)
        self.sets: Array | None = None
        if holds_candidates(labels):
            self.sets, labels, self.index = read_sets(labels, self.index, self.target)
        self.given = table.n_rows
        self.unlabelled, self.unweighted = len(weighted) - len(self.index), self.given - len(weighted)
        self.table = _some_rows(table, self.index)
        self.weight = None if all_weights is None else scaled_weights(all_weights[self.index])
        if self.sets is None:
            self.classes, self.y = self._classes(labels)
        else:
            self.classes, self.y = labels, np.asarray(self.sets.argmax(axis=1))
        self.other_label = self._put_together(min_count, other_label)
        there = np.searchsorted(weighted, self.index)
        self.groups = None if groups is None else group_numbers(table, groups, weighted)[there]
        self.time = None if time is None else order_of(table, time, weighted)[there]
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
            which = "row" if not self.unweighted else f"row whose {self.weight_name} isn't 0"
            raise DataError(
                f"{self.table.name}: target {self.target!r} is {str(classes[0])!r} in every {which}, expected at least "
                "two different classes."
            )
        return classes, y

    def _put_together(self, min_count: int, other_label: Any) -> Any:
        """Put rare classes together; return the label of their class if `min_count` asks for it, or None."""
        targets, other_label = self.y if self.sets is None else self.sets, of_kind(other_label, self.classes)
        k = len(self.classes)
        labels, rare = put_together(Labels("softmax", self.classes, targets), min_count, other_label)
        self.n_rare = len(rare)
        self.on_rare = notes_on_rare_classes(rare, k, self.target, min_count, other_label)
        if self.sets is None:
            self.classes, self.y = labels.classes, labels.T
        return other_label if min_count > 1 else None

    def learn_encoding(self, index: Array | None = None, *, held_out: bool = True) -> None:
        """Learn how to encode the columns from some rows, by default all, and note what was done to rows and columns.

        The types of the columns are inferred from all rows. `held_out` tells whether classes are judged on rows that
        some member was not trained on.
        """
        rows = self.table if index is None else self.table.rows(index)
        inference = infer(self.table, self.without, self.columns)
        self.encoding, self.notes = Encoding.learn(rows, self.target, inference=inference)
        lost = (self.unlabelled, self.unweighted)
        rows_lost = notes_on_rows(self.target, self.weight_name, *lost, of_sets=self.sets is not None)
        categories = [column.name for column in self.encoding.columns if isinstance(column, Category)]
        target = self.target if self.target_is_column else None
        on_words = self._notes_on_words(categories, target)
        self.notes = rows_lost + on_words + self.notes
        self.notes += notes_on_giveaways(self.table, self.encoding.names, self.y, self.target)
        judged = held_out and self.sets is None
        self.notes += self.on_rare + notes_on_classes(
            self.classes, np.bincount(self.y, minlength=len(self.classes)), self.target, held_out=judged
        )

    def _notes_on_words(self, categories: list[str], target: str | None) -> list[Note]:
        """Return notes on words such as NA in the target and in columns of categories."""
        table = self.table
        if table.missing_words is not None:
            return []
        missing = {name: found.counts() for name, found in table.words.items() if name != target}
        values = {
            name: LETTERS_ONLY.intersection(table.columns[name])
            if table.tells_missing and table.columns[name].dtype.kind == "O"
            else ()
            for name in categories
        }
        return notes_on_missing_words(missing, values, target, self.words, label_texts(self.classes))

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
        index, counts = np.arange(len(self.y)) if index is None else index, UnseenCounts()
        sparse = is_better_sparse(self.encoding, len(index))
        self.sparse |= sparse
        X = encoded_rows(self.encoding, self.table, index, dtype, counts, sparse=sparse)
        if notes is not None:
            notes += counts.notes(self.encoding.columns)
        return X

    def encoded_validation(
        self,
        data: Any,
        target: npt.ArrayLike | None = None,
        weight: npt.ArrayLike | None = None,
        dtype: npt.DTypeLike = "float64",
    ) -> tuple[Any, Array, Array | None]:
        """Return X, y and the weights of other rows, encoded like the training rows; note what was filled.

        y are class indices, or rows of 0 and 1 if labels are sets. Rows of weight 0 are left out.

        Parameters
        ----------
        data : Table, frame, dict of columns, (n, d) array_like, or path
            With the columns of the training.
        target, weight : array_like, optional
            Labels and weights; by default columns with the same names as in the training.
        dtype : dtype, default="float64"

        Raises
        ------
        DataError, LabelError
            If a row has a class that no training row has, or a column is missing.
        """
        table = table_from(data, "X_val", **self.encoding.reading)
        if target is None and self.target_is_column:
            labels, rows = read_labels(
                table, self.target, repeating=False, candidates=self.separator, classes=self.classes
            )
            what = self.target
        else:
            labels, rows = given_labels(cast("Any", target), table, "y_val")
            what = "y_val"
            labels = parsed_labels(labels, self.separator, rows, what)
        given = self.weight_name if weight is None and self.weight_is_column else weight
        w = weights_of_rows(table, given, rows, "sample_weight_val")
        if w is not None:
            labels, rows, w = labels[w > 0], rows[w > 0], w[w > 0]
        if holds_candidates(labels):
            labelled = rows
            y, _, rows = read_sets(labels, labelled, what, self.classes)
            w = w if w is None else w[np.searchsorted(labelled, rows)]
        else:
            whose = "the training rows"
            y = class_indices(self.classes, labels, table, rows, what, whose=whose, other_label=self.other_label)
        counts = UnseenCounts()
        X = encoded_rows(self.encoding, table, rows, dtype, counts, sparse=self.sparse)
        self.notes += [Note((f"{table.name}: ", *n.text), n.kind) for n in counts.notes(self.encoding.columns)]
        return X, y, w

    def targets(self, index: Array) -> Array:
        """Return the class of each of some rows, or rows of 0 and 1 with its candidates."""
        return self.y[index] if self.sets is None else self.sets[index].astype(np.float64)

    def weights(self, index: Array) -> Array | None:
        """Return the weights of some rows, or None."""
        return None if self.weight is None else self.weight[index]

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
        """Return class weights by the index of the class, see `class_weight_by_index`."""
        return class_weight_by_index(self.classes, given)


def class_weight_by_index(classes: Array, given: Any) -> Any:
    """Return class weights by the index of the class, as `SoftmaxClassifier` takes them.

    Parameters
    ----------
    classes : (k,) array
    given : mapping, "balanced" or None
        Weights by label, or by the text of the label; 1 for the others.
    """
    if given is None or isinstance(given, str):
        return given
    if not given:
        return None
    names = label_texts(classes)
    position = {label: index for index, label in enumerate(classes.tolist())}
    of_name = {name: index for index, name in enumerate(names)}
    weights = dict.fromkeys(range(len(names)), 1.0)
    for label, weight in given.items():
        index = position.get(label, of_name.get(label))
        if index is not None:
            weights[index] = weight
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


def _some_rows(table: Table, index: Array) -> Table:
    return table if len(index) == table.n_rows else table.rows(index)


def _free_name(labels: Any, table: Table) -> str:
    """Return a name for labels that are no column of the table: their own, if they have one."""
    own = getattr(labels, "name", None)
    names = ([own] if isinstance(own, str) and own else []) + ["y", "target", "label"]
    return next((name for name in names if name not in table.names), f"target of {table.name}")


def _weights(table: Table, weight: Any, what: str = "sample_weight") -> Array | None:
    """Return the weight of each row, from a column or an array of the user's own; None if there are no weights."""
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


def weights_of_rows(table: Table, weight: Any, rows: Array, what: str) -> Array | None:
    """Return the weights of some rows; a column is checked in these rows, an array in all rows."""
    if isinstance(weight, str):
        return read_weights(table.rows(rows), weight)
    w = _weights(table, weight, what)
    if w is not None and not w[rows].any():
        raise LabelError(f"{what} is zero for every row with a label, expected at least one number > 0.")
    return None if w is None else w[rows]


def group_numbers(table: Table, groups: Any, index: Array) -> Array:
    """Return the number of the group of some rows; each row without a group is a group of its own."""
    cells = table.column(groups) if isinstance(groups, str) else np.asarray(groups)
    if cells.shape != (table.n_rows,):
        raise LabelError(f"groups has the shape {cells.shape}, expected ({table.n_rows},): one for each row.")
    cells = cells[index]
    texts = as_text(cells) if isinstance(groups, str) else [None if is_missing(g) else str(g) for g in cells.tolist()]
    numbers: dict[Any, int] = {}
    return np.array(
        [numbers.setdefault(row if text is None else text, len(numbers)) for row, text in enumerate(texts)], np.intp
    )
