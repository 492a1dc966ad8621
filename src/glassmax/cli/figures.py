"""The metrics of a model, and of the class frequencies, on rows whose classes are known."""

from typing import Any

import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from ..model import Model
from ..table import Table, label_texts
from ..training import Metrics, RunningMetrics

__all__ = ["ROWS", "class_index", "figures_as_json", "score_table", "trivial_figures"]

ROWS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log-loss",
    "brier_score": "Brier score",
    "calibration_error": "calibration error",
}


def figures_as_json(figures: Metrics) -> dict[str, Any]:
    """Return the figures by name, with the confusion matrix if there is one."""
    named: dict[str, Any] = {name: getattr(figures, name) for name in ROWS}
    if figures.confusion is not None:
        named["confusion"] = figures.confusion.tolist()
    else:
        named["confused"] = [[i, j, count] for (i, j), count in sorted(figures.confused.items())]
    return named


def class_index(model: Model, table: Table, labels: Array, rows: Array, target: str) -> Array:
    """Return the index of each label among the classes of a model, or raise at the first that it doesn't know."""
    known = label_texts(model.classes)
    index = {label: position for position, label in enumerate(known)} | {
        str(label): position for position, label in enumerate(model.classes)
    }
    texts = label_texts(labels)
    for row, text in zip(rows, texts, strict=True):
        if text not in index:
            more = f" and {len(known) - 10} more" if len(known) > 10 else ""
            raise DataError(
                f"{table.place(int(row))}: {target} is {text!r}, expected a class of the model: "
                f"{', '.join(known[:10])}{more}."
            )
    return np.array([index[text] for text in texts], np.intp)


def score_table(model: Model, table: Table, y: Array, weight: Array | None) -> Metrics:
    """Score a model on rows whose classes are known."""
    tally, start = RunningMetrics(len(model.classes)), 0
    with np.errstate(over="ignore", invalid="ignore"):  # the figures say so
        for piece, Z in model.predictions([table], of_logits=True):
            rows = slice(start, start + piece.n_rows)
            tally.add(Z, y[rows], None if weight is None else weight[rows])
            start = rows.stop
    return tally.metrics()


def trivial_figures(shares: Array, y: Array, weight: Array | None) -> Metrics:
    """Return the metrics of predicting the class frequencies for every row."""
    tally = RunningMetrics(len(shares))
    logits = np.log(np.maximum(shares, 1e-12))
    for start in range(0, len(y), 10_000):
        rows = slice(start, start + 10_000)
        w = None if weight is None else weight[rows]
        tally.add(np.broadcast_to(logits, (len(y[rows]), len(shares))), y[rows], w)
    return tally.metrics()
