"""The metrics of a model's predictions on a table larger than memory, over all rows and over groups of rows."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from ..model import Model
from ..table import Table, UnseenCounts, read_labels, read_weights
from ..table.cells import as_text
from ..training import Metrics, RunningMetrics
from .charts import figures_table, plain_table
from .figures import class_index, figures_as_json
from .talk import figure, harmless, shortened
from .terminal import console, rendered

__all__ = ["COVERAGE", "Scoring"]

MOST_GROUPS = 100
COVERAGE = 0.9
"""The promise of the prediction sets that are scored."""


class Scoring:
    """The metrics of a model's predictions, over all rows and over the groups that column `by` makes.

    `weight` is the column of sample weights.
    """

    def __init__(self, model: Model, by: str | None, weight: str | None) -> None:
        self.model, self.by, self.weight = model, by, weight
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
                self.totals += np.bincount(y, w, len(self.totals))
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
            held = np.stack([sets[np.arange(len(y)), y], sets.sum(axis=1)])
            self.sets += held.sum(axis=1) if w is None else held @ w

    def set_figures(self) -> dict[str, float]:
        """Return the coverage and the mean size of the prediction sets, by name; nothing if the model makes no sets."""
        if self.model.conformal is None:
            return {}
        covered, size = self.sets / self.whole.weight
        return {"coverage": float(covered), "mean_size": float(size)}

    def _labelled(self, tables: Iterable[Table]) -> Iterable[Table]:
        target = self.model.encoding.target  # type: ignore[union-attr]
        for table in tables:
            self.name = table.name
            if self.by is not None:
                table.column(self.by)
            there = np.flatnonzero([text is not None for text in as_text(table.column(target))])
            self.unlabelled += table.n_rows - len(there)
            if len(there):
                yield table.rows(there)

    def _truth(self, table: Table) -> tuple[Array, Array | None]:
        target = self.model.encoding.target  # type: ignore[union-attr]
        labels, rows = read_labels(table, target, repeating=False)
        weight = None if self.weight is None else read_weights(table, self.weight, all_zero=True)
        return class_index(self.model, table, labels, rows, target), weight

    def _count_groups(self, table: Table, Z: Array, y: Array, w: Array | None) -> None:
        if self.by is None:
            return
        values = np.array(["(missing)" if text is None else text for text in as_text(table.column(self.by))], object)
        for value in dict.fromkeys(values):
            rows = values == value
            if value not in self.groups and len(self.groups) == MOST_GROUPS:
                raise DataError(
                    f"Column {self.by!r} of {table.name} has more than {MOST_GROUPS} different values, expected fewer "
                    "for --by."
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

    def group_as_json(self, value: str) -> dict[str, Any]:
        """Return the figures of a group, without its confusions."""
        figures = self.groups[value].metrics()
        named = figures_as_json(figures)
        return {"rows": figures.rows} | {key: _or_none(one) for key, one in named.items() if key[:6] != "confus"}

    def groups_as_text(self, by: str) -> str:
        """Write a line of figures for each group."""
        rows = []
        for value, tally in sorted(self.groups.items()):
            one = tally.metrics()
            name = shortened(harmless(value))
            rows.append(
                [name, str(one.rows), figure(one.accuracy), figure(one.balanced_accuracy), figure(one.log_loss)]
            )
        header = [harmless(by), "rows", "accuracy", "balanced accuracy", "log-loss"]
        terminal = console()
        if terminal is None:
            return plain_table(header, rows)
        return rendered(terminal, figures_table(header, rows)).strip("\n")


def _or_none(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value
