"""The metrics of a model's predictions on a table larger than memory, over all rows and over groups of rows."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from ..engine import MANY_CLASSES, TopClasses, TopOfSum
from ..engine.top import largest_of_rows
from ..errors import DataError, Setting
from ..functional.arrays import Array, weighted_sum
from ..model import Model
from ..table import (
    Table,
    UnseenCounts,
    candidate_rows,
    class_indices,
    class_positions,
    holds_candidates,
    read_labels,
    read_weights,
    target_cells,
)
from ..table.cells import as_text
from .metrics import Metrics, RunningMetrics, metrics_of_shares

__all__ = ["COVERAGE", "TableScoring"]

MOST_GROUPS = 100
COVERAGE = 0.9
"""The promise of the prediction sets that are scored."""


Rows = slice | Array


class TableScoring:
    """The metrics of a model's predictions, over all rows and over the groups that column `by` makes.

    `weight` is the column of sample weights, `candidates` what separates the candidates in a cell of the target column,
    `top` the number of most probable classes among which the class of a row counts as found, `name` what all rows are
    called if they are those of several tables.
    """

    def __init__(
        self,
        model: Model,
        by: str | None,
        weight: str | None,
        candidates: str | None = None,
        top: int | None = None,
        name: str = "",
    ) -> None:
        self.of_all = name
        self.model, self.by, self.weight, self.separator, self.top = model, by, weight, candidates, top
        self.whole = RunningMetrics(len(model.classes))
        self.groups: dict[str, RunningMetrics] = {}
        self.positions = class_positions(model.classes)
        self.name, self.unlabelled = name, 0
        self.totals = np.zeros(len(model.classes))
        self.uncalibrated = None if model.calibration is None else RunningMetrics(len(model.classes))
        self.in_top = 0.0  # weight of the rows whose class is among the `top` most probable
        self.sets = np.zeros(2)  # weight of the rows whose prediction set holds their class; weighted sizes of the sets

    def count(self, tables: Iterable[Table], surprises: UnseenCounts) -> None:
        """Predict the rows that have a class, and add the predictions to the counts."""
        labelled = self._labelled(tables)
        with np.errstate(over="ignore", invalid="ignore"):
            if len(self.model.classes) >= MANY_CLASSES and self.separator is None:
                self._count_top(labelled, surprises)
            else:
                self._count_logits(labelled, surprises)
        if not self.whole.rows:
            target = self.model.encoding.target  # type: ignore[union-attr]
            raise DataError(f"{self.name}: no row has a value in the target column {target!r}.")
        if not self.whole.weight:
            raise DataError(f"{self.name}: the weight {self.weight!r} is 0 in every row, expected a number > 0.")

    def _count_logits(self, labelled: Iterable[Table], surprises: UnseenCounts) -> None:
        """Count rows by the logits of all classes."""
        for table, raw in self.model.predictions(labelled, surprises, of_logits=True, calibrated=False):
            y, w = self._truth(table)
            Z = self._calibrated(raw, y, w)
            self._count_rows(table, y, w, partial(_add_logits, Z, y, w))
            self._count_sets(Z, y, w)
            if self.top is not None:
                labels = largest_of_rows(Z, min(self.top, Z.shape[1]))
                hits: Array = labels == y[:, None] if y.ndim == 1 else np.take_along_axis(y, labels, axis=1) > 0
                self.in_top += _total(np.asarray(hits.any(axis=1)), w)

    def _count_top(self, labelled: Iterable[Table], surprises: UnseenCounts) -> None:
        """Count rows by their most probable classes and losses, because the logits of all classes are too many."""
        likely, raw = self.model.likely(), self.model.likely(calibrated=False)
        count = min(self.top or 1, len(self.model.classes))
        for table, X in self.model.encoded_tables(labelled, surprises, likely.rows_at_once(count)):
            y, w = self._truth(table)
            found = likely.summary(X, count, y)
            self._count_rows(table, y, w, partial(_add_top, found, y, w))
            if self.uncalibrated is not None:
                self.uncalibrated.add_top(raw.summary(X, 1, y), y, w)
            if self.top is not None:
                self.in_top += _total((found.top.labels == y[:, None]).any(axis=1), w)
            if self.model.conformal is not None and found.top.losses is not None:
                self.sets[0] += _total(found.top.losses <= self.model.conformal.threshold(COVERAGE), w)

    def _count_rows(self, table: Table, y: Array, w: Array | None, add: Callable[[RunningMetrics, Rows], None]) -> None:
        """Add rows to the metrics of all rows and of their groups."""
        add(self.whole, slice(None))
        self.totals += _totals(y, w, len(self.totals))
        self._count_groups(table, add)

    def top_accuracy(self) -> float:
        """Return the share of the rows whose class is among the `top` most probable ones."""
        return self.in_top / self.whole.weight

    def _calibrated(self, raw: Array, y: Array, w: Array | None) -> Array:
        calibration = self.model.calibration
        if calibration is None or self.uncalibrated is None:
            return raw
        self.uncalibrated.add(raw, y, w)
        return calibration.logits(raw)

    def _count_sets(self, Z: Array, y: Array, w: Array | None) -> None:
        if self.model.conformal is not None:
            sets = self.model.conformal.sets(Z, COVERAGE)
            hits = sets[np.arange(len(y)), y] if y.ndim == 1 else (sets & (y > 0)).any(axis=1)
            held = np.stack([hits, sets.sum(axis=1)])
            self.sets += held.sum(axis=1) if w is None else weighted_sum(w, held.T)

    def set_figures(self) -> dict[str, float]:
        """Return the coverage and the mean size of the prediction sets, by name; nothing if the model makes no sets.

        With very many classes, the mean size is left out.
        """
        if self.model.conformal is None:
            return {}
        covered, size = (self.sets / self.whole.weight).tolist()
        return {"coverage": covered, "mean_size": size} if size else {"coverage": covered}

    def _labelled(self, tables: Iterable[Table]) -> Iterable[Table]:
        target, classes = self.model.encoding.target, self.model.classes  # type: ignore[union-attr]
        for table in tables:
            self.name = self.of_all or table.name
            if self.by is not None:
                table.column(self.by)
            there = np.flatnonzero([text is not None for text in as_text(target_cells(table, target, classes))])
            self.unlabelled += table.n_rows - len(there)
            if len(there):
                yield table.rows(there)

    def _truth(self, table: Table) -> tuple[Array, Array | None]:
        target = self.model.encoding.target  # type: ignore[union-attr]
        classes = self.model.classes
        labels, rows = read_labels(table, target, repeating=False, candidates=self.separator, classes=classes)
        weight = None if self.weight is None else read_weights(table, self.weight, all_zero=True)
        if holds_candidates(labels):
            S = candidate_rows(labels, self.model.classes, target)
            silent = S.all(axis=1)
            return S, np.where(silent, 0.0, 1.0 if weight is None else weight) if silent.any() else weight
        other = self.model.record.get("other_label")
        y = class_indices(classes, labels, table, rows, target, other_label=other, positions=self.positions)
        return y, weight

    def _count_groups(self, table: Table, add: Callable[[RunningMetrics, Rows], None]) -> None:
        if self.by is None:
            return
        values = np.array(["(missing)" if text is None else text for text in as_text(table.column(self.by))], object)
        for value in dict.fromkeys(values):
            rows = values == value
            if value not in self.groups and len(self.groups) == MOST_GROUPS:
                raise DataError(
                    f"Column {self.by!r} of {table.name} has more than {MOST_GROUPS} different values, ",
                    *("expected fewer for ", Setting("by"), "."),
                )
            tally = self.groups.setdefault(value, RunningMetrics(len(self.model.classes)))
            add(tally, rows)

    def trivial(self) -> Metrics:
        """Return the metrics of predicting the class frequencies for every row."""
        there = np.flatnonzero(self.totals)
        return metrics_of_shares(self.totals / self.totals.sum(), there, self.totals[there])


def _add_logits(Z: Array, y: Array, w: Array | None, tally: RunningMetrics, rows: Rows) -> None:
    tally.add(Z[rows], y[rows], None if w is None else w[rows])


def _add_top(found: TopOfSum, y: Array, w: Array | None, tally: RunningMetrics, rows: Rows) -> None:
    labels, probabilities, losses = found.top
    some = TopClasses(labels[rows], probabilities[rows], None if losses is None else losses[rows])
    tally.add_top(TopOfSum(some, found.squares[rows]), y[rows], None if w is None else w[rows])


def _total(values: Array, w: Array | None) -> float:
    return float(values.sum() if w is None else weighted_sum(w, values))


def _totals(y: Array, weight: Array | None, k: int) -> Array:
    """Return the weight of the rows of each class; candidates have equal shares of a row."""
    if y.ndim == 1:
        return np.bincount(y, weight, k)
    shares = y / y.sum(axis=1, keepdims=True)
    return shares.sum(axis=0) if weight is None else weighted_sum(weight, shares)
