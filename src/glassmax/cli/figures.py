"""The metrics of several models on the same labeled rows: as plain text, as tables for a terminal, or as JSON."""

from typing import TYPE_CHECKING, Any

from .talk import counted, figure, harmless, table_of_confusion, table_of_figures
from .terminal import console, rendered, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..functional.arrays import Array
    from ..model import Model
    from ..table import Table, UnseenCounts
    from ..training import Metrics

__all__ = ["class_index", "figures_as_json", "score_tables", "show_figures", "trivial_figures"]

ROWS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log-loss",
    "brier_score": "Brier score",
    "calibration_error": "calibration error",
}


def show_figures(judged: str, columns: "dict[str, Metrics]", classes: "Array", more: "dict[str, list[float]]") -> str:
    """Write the figures of several models on the same rows, and the confusions of the first.

    Parameters
    ----------
    judged : str
        Which rows: "69 rows held out".
    columns : dict of str to Metrics
        By the name of the model.
    classes : (k,) array
    more : dict of str to list of float
        Other figures, one for each model.

    Returns
    -------
    str
    """
    terminal = console()
    rows = [[shown, *(figure(getattr(one, name)) for one in columns.values())] for name, shown in ROWS.items()]
    rows += [[name, *(figure(value) if value == value else "" for value in values)] for name, values in more.items()]
    first = next(iter(columns.values()))
    if terminal is not None:
        from .charts import confusions, figures_table

        rivals = len(columns) - ("class frequencies" in columns)
        title = wrapped(f"On {harmless(judged)}" + (", the better figure marked" if rivals > 1 else ""), "bold")
        drawn = figures_table(["", *columns], rows, rivals=rivals)
        return rendered(terminal, "", title, drawn, confusions(first, classes, terminal))
    table = table_of_figures(["", *columns], rows)
    return f"On {harmless(judged)}\n{table}\n\n{table_of_confusion(first, classes)}\n"


def figures_as_json(figures: "Metrics") -> dict[str, Any]:
    """Return the figures by name, the confusion matrix where there is one."""
    named: dict[str, Any] = {name: getattr(figures, name) for name in ROWS}
    if figures.confusion is not None:
        named["confusion"] = figures.confusion.tolist()
    else:
        named["confused"] = [[i, j, count] for (i, j), count in sorted(figures.confused.items())]
    return named


def class_index(model: "Model", table: "Table", labels: "Array", rows: "Array", target: str) -> "Array":
    """Return the index of each label among the classes of a model, or raise at the first that it doesn't know."""
    import numpy as np

    from ..errors import DataError
    from ..table import label_texts

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


def score_tables(
    model: "Model", tables: "Iterable[tuple[Table, Array, Array | None]]", surprises: "UnseenCounts | None" = None
) -> "Metrics":
    """Score a model on tables whose classes are known.

    Parameters
    ----------
    model : Model
    tables : iterable of (Table, (n,) array of int, (n,) array or None)
        The rows, their classes and their weights.
    surprises : UnseenCounts, optional
        Counts missing cells and values that the training rows did not have.

    Returns
    -------
    Metrics
    """
    import numpy as np

    from ..training import RunningMetrics

    tally = RunningMetrics(len(model.classes))
    with np.errstate(over="ignore", invalid="ignore"):  # the figures say so
        for table, y, weight in tables:
            start = 0
            for piece, Z in model.predictions([table], surprises, of_logits=True):
                rows = slice(start, start + piece.n_rows)
                tally.add(Z, y[rows], None if weight is None else weight[rows])
                start = rows.stop
    return tally.metrics()


def trivial_figures(shares: "Array", y: "Array", weight: "Array | None") -> "Metrics":
    """Return the metrics of predicting the class frequencies for every row."""
    import numpy as np

    from ..training import RunningMetrics

    tally = RunningMetrics(len(shares))
    logits = np.log(np.maximum(shares, 1e-12))
    for start in range(0, len(y), 10_000):
        rows = slice(start, start + 10_000)
        w = None if weight is None else weight[rows]
        tally.add(np.broadcast_to(logits, (len(y[rows]), len(shares))), y[rows], w)
    return tally.metrics()


def rows_judged(count: int, *, held_out: bool) -> str:
    """Write which rows a model was judged on."""
    return counted(count, "row") + (" held out" if held_out else " it was trained on")
