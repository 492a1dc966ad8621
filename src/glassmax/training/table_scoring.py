"""The metrics of a model's predictions on a table larger than memory, over all rows and over groups of rows."""

from collections.abc import Iterable

import numpy as np

from ..errors import DataError, Setting
from ..functional.arrays import Array, weighted_sum
from ..model import Model
from ..table import (
    Table,
    UnseenCounts,
    candidate_rows,
    class_indices,
    holds_candidates,
    read_labels,
    read_weights,
    target_cells,
)
from ..table.cells import as_text
from .metrics import Metrics, RunningMetrics

__all__ = ["COVERAGE", "TableScoring"]

MOST_GROUPS = 100
COVERAGE = 0.9
"""The promise of the prediction sets that are scored."""


class TableScoring:
    """The metrics of a model's predictions, over all rows and over the groups that column `by` makes.

    `weight` is the column of sample weights, `candidates` what separates the candidates in a cell of the target column.
    """

    def __init__(self, model: Model, by: str | None, weight: str | None, candidates: str | None = None) -> None:
        self.model, self.by, self.weight, self.separator = model, by, weight, candidates
        self.whole = RunningMetrics(len(model.classes))
        self.groups: dict[str, RunningMetrics] = {}
        self.name, self.unlabelled = "", 0
        self.totals = np.zeros(len(model.classes))
        self.uncalibrated = None if model.calibration is None else RunningMetrics(len(model.classes))
        self.sets = np.zeros(2)  # weight of the rows whose prediction set holds their class; weighted sizes of the sets

    def count(self, tables: Iterable[Table], surprises: UnseenCounts) -> None:
        """Predict the rows that have a class, and add the predictions to the counts."""
        with np.errstate(over="ignore", invalid="ignore"):
            labelled = self._labelled(tables)
            for table, raw in self.model.predictions(labelled, surprises, of_logits=True, calibrated=False):
                y, w = self._truth(table)
                Z = self._calibrated(raw, y, w)
                self.whole.add(Z, y, w)
                self._count_sets(Z, y, w)
                self.totals += _totals(y, w, len(self.totals))
                self._count_groups(table, Z, y, w)
        if not self.whole.rows:
            target = self.model.encoding.target  # type: ignore[union-attr]
            raise DataError(f"{self.name}: no row has a value in the target column {target!r}.")
        if not self.whole.weight:
            raise DataError(f"{self.name}: the weight {self.weight!r} is 0 in every row, expected a number > 0.")

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
        """Return the coverage and the mean size of the prediction sets, by name; nothing if the model makes no sets."""
        if self.model.conformal is None:
            return {}
        covered, size = self.sets / self.whole.weight
        return {"coverage": float(covered), "mean_size": float(size)}

    def _labelled(self, tables: Iterable[Table]) -> Iterable[Table]:
        target, classes = self.model.encoding.target, self.model.classes  # type: ignore[union-attr]
        for table in tables:
            self.name = table.name
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
        return class_indices(self.model.classes, labels, table, rows, target), weight

    def _count_groups(self, table: Table, Z: Array, y: Array, w: Array | None) -> None:
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
            tally.add(Z[rows], y[rows], None if w is None else w[rows])

    def trivial(self) -> Metrics:
        """Return the metrics of predicting the class frequencies for every row."""
        shares = self.totals / self.totals.sum()
        tally = RunningMetrics(len(shares))
        there = np.flatnonzero(shares)
        logits = np.log(np.maximum(shares, 1e-300))
        tally.add(np.broadcast_to(logits, (len(there), len(shares))), there, self.totals[there])
        return tally.metrics()


def _totals(y: Array, weight: Array | None, k: int) -> Array:
    """Return the weight of the rows of each class; candidates have equal shares of a row."""
    if y.ndim == 1:
        return np.bincount(y, weight, k)
    shares = y / y.sum(axis=1, keepdims=True)
    return shares.sum(axis=0) if weight is None else weighted_sum(weight, shares)
