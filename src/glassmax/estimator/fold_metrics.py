"""The metrics of one fold: a clone of a classifier is trained on some rows, and judged on others."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from ..engine import best_engine
from ..functional.arrays import Array
from ..model import Model
from ..training import Metrics, RunningMetrics, score
from .candidates import CANDIDATES
from .classifier import SoftmaxClassifier
from .preparation import known_rows
from .tables.classifier import TableClassifier
from .tables.figures import metrics_on
from .tables.fit import table_rows

__all__ = ["FoldResult", "LabelledRows", "metrics_of_fold"]


class LabelledRows(NamedTuple):
    """Rows of which some are trained on and others are judged.

    Attributes
    ----------
    X : Table, (n, d) array or CSR matrix
    T : (n,) array of int, or (n, k) array or CSR matrix
        Class indices, or rows: soft labels, several labels, or candidates.
    classes : (k,) array
        The label of each class.
    candidates : bool
        Whether the rows of T are candidates.
    weight, groups, time : (n,) arrays or None
    """

    X: Any
    T: Any
    classes: Array
    candidates: bool = False
    weight: Array | None = None
    groups: Array | None = None
    time: Array | None = None

    def some(self, index: Array) -> "LabelledRows":
        """Return some of the rows."""
        X = self.X.rows(index) if hasattr(self.X, "rows") else self.X[index]
        weight, groups, time = (None if v is None else v[index] for v in (self.weight, self.groups, self.time))
        return LabelledRows(X, self.T[index], self.classes, self.candidates, weight, groups, time)


class FoldResult(NamedTuple):
    """The metrics of a fold, and the warnings about its training: category and text of each."""

    metrics: Metrics
    warnings: list[tuple[str, str]]


def metrics_of_fold(
    classifier: Any, train: LabelledRows, test: LabelledRows, alive: Callable[[], None] = lambda: None
) -> FoldResult:
    """Train a clone of a classifier on some rows, and judge it on others.

    Parameters
    ----------
    classifier : SoftmaxClassifier or TableClassifier
    train, test : LabelledRows
        For a TableClassifier, X is a Table.
    alive : callable, optional
        Is called from time to time during the training.
    """
    if not test.T.shape[0]:
        return FoldResult(Metrics(0, np.nan, np.nan), [])
    fitted = clone(classifier)
    of = _of_table if isinstance(fitted, TableClassifier) else _of_numbers
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        metrics = of(fitted, train, test, alive)
    told = [(one.category.__name__, str(one.message)) for one in caught]
    return FoldResult(replace(metrics, confusion=None, confused={}), list(dict.fromkeys(told)))


def _of_numbers(
    fitted: SoftmaxClassifier, train: LabelledRows, test: LabelledRows, alive: Callable[[], None]
) -> Metrics:
    classes = None
    if train.candidates:
        fitted.set_params(loss=CANDIDATES)
        classes = train.classes
    epochs = fitted.fit_epochs(train.X, _labels(train), train.weight, classes=classes, progress=lambda *_: alive())
    for _ in epochs:
        alive()
    network, labels, data = known_rows(fitted, test.X, _labels(test), test.weight)
    if labels.T.ndim == 1 and labels.output == "softmax":
        return metrics_on(fitted, data.X, labels.T, data.weight)
    return score(network, best_engine(fitted.n_threads), data)


def _labels(rows: LabelledRows) -> Any:
    """Return labels as `SoftmaxClassifier` takes them."""
    return rows.T if rows.T.ndim == 2 else rows.classes[rows.T]


def _of_table(fitted: TableClassifier, train: LabelledRows, test: LabelledRows, alive: Callable[[], None]) -> Metrics:
    labels = train.classes[train.T] if train.T.ndim == 1 else _sets(train)
    rows = table_rows(fitted, train.X, labels, train.weight, groups=train.groups, time=train.time)
    records = fitted.fit_rows(rows, progress=lambda *_: alive(), alive=alive)
    for _ in records:
        alive()
    if fitted.stop_reason_ == "interrupted":
        raise KeyboardInterrupt
    return _metrics_of_model(fitted.model_, test, fitted.n_threads)


def _sets(rows: LabelledRows) -> Array:
    sets = np.empty(len(rows.T), object)
    sets[:] = [set(rows.classes[row > 0].tolist()) for row in rows.T]
    return sets


def _metrics_of_model(model: Model, test: LabelledRows, n_threads: int | None) -> Metrics:
    """Return the metrics of a model on a table; rows none of whose classes the model knows are left out."""
    y, there = _of_classes(model, test)
    y, table = y[there], test.X.rows(there)
    weight = None if test.weight is None else test.weight[there]
    running, start = RunningMetrics(len(model.classes)), 0
    with np.errstate(over="ignore", invalid="ignore"):  # the figures say so
        for piece, Z in model.predictions([table], of_logits=True, n_threads=n_threads):
            some = slice(start, start := start + piece.n_rows)
            running.add(Z, y[some], None if weight is None else weight[some])
    return running.metrics()


def _of_classes(model: Model, test: LabelledRows) -> tuple[Array, Array]:
    """Return labels as the model counts classes, and the rows that have a class of the model."""
    place = {label: position for position, label in enumerate(model.classes.tolist())}
    other = place.get(model.record.get("other_label"), -1)
    position = np.array([place.get(label, other) for label in test.classes.tolist()], np.intp)
    if test.T.ndim == 1:
        y = position[test.T]
        return y, np.flatnonzero(y >= 0)
    known = np.flatnonzero(position >= 0)
    sets = np.zeros((len(test.T), len(model.classes)))
    sets[:, position[known]] = test.T[:, known]
    return sets, np.flatnonzero(sets.any(axis=1))
