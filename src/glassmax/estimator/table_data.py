"""From what `TableClassifier.fit` is given to arrays: the encoding is learned, labels become class indices."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from ..errors import DataError, LabelError, OptionError, Setting
from ..functional.arrays import Array
from ..table import ColumnOptions, Encoding, Note, Table, UnseenCounts, infer, read_labels
from .ensemble import Rows
from .inputs import _refuse_missing
from .labels import Labels, encode_labels, weigh_rows
from .table_inputs import as_table

__all__ = ["TableData", "encoded", "prepare"]


class TableData(NamedTuple):
    """Everything that the ensemble is trained on.

    Attributes
    ----------
    rows : Rows
        All rows with a label and a weight, encoded.
    index : (n,) array of int
        Their positions among the rows that were given.
    classes : (k,) array
    encoding : Encoding
    notes : list of Note
    validation : Rows or None
    """

    rows: Rows
    index: Array
    classes: Array
    encoding: Encoding
    notes: list[Note]
    validation: Rows | None


def prepare(classifier: Any, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any]) -> TableData:
    """Check everything that `fit` is given, and turn it into arrays."""
    table, named = as_table(X)
    options = ColumnOptions(classifier.types or {}, classifier.ignore, classifier.keep)
    if not named:
        options = options._replace(keep=[name for name in table.columns if name not in options.ignore])
    target, labels, index = _labels(table, y, "y")
    weight = _weights(sample_weight, table, index, "sample_weight")
    weight = weigh_rows(classifier.class_weight, labels, weight, named=True)
    y = labels.T
    if weight is not None and not weight.all():
        there = np.flatnonzero(weight)
        index, y, weight = index[there], y[there], weight[there]
    table = table if len(index) == table.n_rows else table.rows(index)
    inference = infer(table, (target,) if target in table.names else (), options)
    encoding, notes = Encoding.learn(table, target, inference=inference)
    counts = UnseenCounts()
    rows = Rows(encoded(encoding, table, counts), y, weight)
    notes += counts.notes(encoding.columns)
    held = _validation(encoding, target, labels.classes, *validation)
    return TableData(rows, index, labels.classes, encoding, notes, held)


def encoded(encoding: Encoding, table: Table, counts: UnseenCounts) -> Array:
    """Return the rows of a table as float32."""
    X = np.empty((table.n_rows, encoding.width), np.float32)
    at_once = max(1, 2**21 // max(1, encoding.width))
    for start in range(0, table.n_rows, at_once):
        rows = slice(start, start + at_once)
        X[rows] = encoding.fill(table.rows(rows), counts)
    return X


def _labels(table: Table, y: Any, what: str) -> tuple[str, Labels, Array]:
    """Return the name of the target, the labels, and the rows that have one."""
    if isinstance(y, str):
        found, rows = read_labels(table, y)
        return y, encode_labels(found, "softmax", what=y), rows
    if y is None:
        raise LabelError(
            f"{what} is None, expected labels: requires y to be passed, but the target y is None. Pass an array, or the "
            "name of a column of X."
        )
    _refuse_missing(y, what)
    if isinstance(y, list) and len({isinstance(label, str) for label in y}) > 1:
        y = np.array(y, object)
    labels = encode_labels(y, "softmax", what=what)
    if labels.T.ndim != 1:
        raise LabelError(f"{what} is {labels.T.shape}, expected (n,): one label a row.")
    if len(labels.T) != table.n_rows:
        raise DataError(
            f"Found input variables with inconsistent numbers of samples: X has {table.n_rows} rows, {what} has "
            f"{len(labels.T)}. Expected a label for each row."
        )
    name = str(getattr(y, "name", None) or "y")
    while name in table.names:
        name += "_"
    return name, labels, np.arange(table.n_rows)


def _weights(sample_weight: Any, table: Table, index: Array, what: str) -> Array | None:
    if sample_weight is None:
        return None
    like = np.empty((table.n_rows, 1))
    weight = _check_sample_weight(sample_weight, like, dtype=np.float64, ensure_non_negative=True)
    if not weight[index].any():
        raise LabelError(f"{what} is zero for every row, expected at least one number > 0.")
    some: Array = weight[index]
    return some


def _validation(encoding: Encoding, target: str, classes: Array, X: Any, y: Any, sample_weight: Any) -> Rows | None:
    if X is None and y is None and sample_weight is None:
        return None
    if X is None or (y is None and target == "y"):
        given, missing = ("y_val", "X_val") if X is None else ("X_val", "y_val")
        if X is None and y is None:
            given = "sample_weight_val"
        remedy = "Pass both, or none."
        raise OptionError(Setting(given), f" is given without {missing}.", parameter=given, remedy=remedy)
    table, _ = as_table(X, "X_val")
    if y is None or isinstance(y, str):
        found, index = read_labels(table, target if y is None else y, repeating=False)
        labels = encode_labels(found, "softmax", classes, what="y_val")
    else:
        labels, index = encode_labels(y, "softmax", classes, what="y_val"), np.arange(table.n_rows)
        if len(labels.T) != table.n_rows:
            raise DataError(f"X_val has {table.n_rows} rows, y_val has {len(labels.T)}, expected a label for each row.")
    weight = _weights(sample_weight, table, index, "sample_weight_val")
    return Rows(encoded(encoding, table.rows(index), UnseenCounts()), labels.T, weight)
