"""The metrics of a model by name, and the classes of rows that it is judged by."""

from typing import Any

import numpy as np

from ..errors import DataError
from ..functional.arrays import Array
from ..model import Model
from ..table import Table, label_texts
from ..training import Metrics

__all__ = ["ROWS", "class_index", "figures_as_json"]

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
