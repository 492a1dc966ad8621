"""X, y and weights as users give them: arrays, sparse matrices, pandas, polars and Arrow frames.

scikit-learn checks shapes, names and finiteness. What its messages don't explain is checked here first.
"""

import math
import re
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils.validation import _check_sample_weight, _get_feature_names, check_X_y, validate_data

from ..engine import all_finite
from ..errors import DataError, LabelError
from ..functional.arrays import Array
from ..table.frames import is_missing
from .labels import check_types, plain_labels, scaled_weights
from .on_files import encoded_X, is_encoded

__all__ = ["check_X", "check_rows", "column_names"]

FLOATS = (np.float64, np.float32)
OF_DATES = (
    "Convert them to numbers first, such as the days since a first date, or use TableClassifier, which reads dates as "
    "they are."
)
OF_TEXT = (
    "Encode them first, with sklearn.preprocessing.OneHotEncoder for instance, or use TableClassifier, which reads "
    "text as it is."
)
OF_LISTS = "Give each number a column of its own."
SEQUENCE = "setting an array element with a sequence"


def check_X(classifier: Any, X: Any) -> Array:
    """Return X as a float array or CSR matrix, with the columns that the classifier was fitted on."""
    if is_encoded(classifier):
        return encoded_X(classifier, X)
    if _is_plain(classifier, X):
        return X  # the checks below take longer than the prediction of a row
    X = _check_frame(X, "X")
    try:
        checked = validate_data(classifier, X, accept_sparse="csr", dtype=FLOATS, reset=False)
    except TypeError:
        _refuse_cell(X, "X")
        raise
    except ValueError as error:
        raise _explained(error, X, None, "") from None
    return _in_range(classifier, checked, "X")


def check_rows(
    classifier: Any, X: Any, y: Any, sample_weight: Any, *, reset: bool, what: str = ""
) -> tuple[Array, Array, Array | None]:
    """Return X, y and the weights, checked against each other.

    With `reset` the classifier learns the columns of X. `what` is appended to the names in messages: "_val" for
    validation rows.
    """
    encoded = not reset and is_encoded(classifier)
    if encoded:
        X = encoded_X(classifier, X, f"X{what}")
    else:
        X = _check_frame(X, f"X{what}")
    _refuse_missing(y, f"y{what}")
    if isinstance(y, list) and len({isinstance(label, str) for label in y}) > 1:
        y = np.array(y, object)  # NumPy would write numbers and NaN as text
    y = plain_labels(y)
    check_types(y, f"y{what}")
    _refuse_weight(sample_weight, f"sample_weight{what}")
    try:
        how: dict[str, Any] = {"accept_sparse": "csr", "dtype": FLOATS, "multi_output": True}
        if encoded:
            X, y = check_X_y(X, y, **how)
        else:
            X, y = validate_data(classifier, X, y, reset=reset, **how)
        if sample_weight is not None:
            if not np.any(np.asarray(sample_weight) != 0):
                raise LabelError("sample_weight is zero for every row, expected at least one number > 0.")
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
            sample_weight = scaled_weights(sample_weight)
    except TypeError:
        _refuse_cell(X, f"X{what}")
        raise
    except ValueError as error:
        raise _explained(error, X, y, what) from None
    return X if reset else _in_range(classifier, X, f"X{what}"), y, sample_weight


def column_names(y: Any) -> list[Any] | None:
    """Return the names of the columns of a frame of labels; None for anything else, and for one column."""
    frame = nw.from_native(y, pass_through=True)
    return list(frame.columns) if isinstance(frame, nw.DataFrame) and len(frame.columns) > 1 else None


def _explained(error: ValueError, X: Any, y: Any, what: str) -> ValueError:
    """Return scikit-learn's error with the first cell at fault and the next step, where a cell is at fault."""
    if str(error).startswith(SEQUENCE):
        _refuse_cell(X, f"X{what}")
        if isinstance(y, list) and len({np.size(label) for label in y}) > 1:
            return LabelError(
                f"y{what} has rows of different lengths, expected (n,): one label a row. Of several labels, of which "
                "one is the class, pass sets."
            )
    found = re.match(r"(Input (X|y) contains (NaN|infinity))|could not convert string to float", str(error))
    values = y if found and found[2] == "y" else X
    place = None if found is None else _first_fault(values)
    if found is None or place is None:
        return DataError(f"In X{what}, y{what}: {error}") if what else error
    row, *columns = place
    where = f"row {row}"
    if columns:
        names = _get_feature_names(values)
        where += f", column {columns[0] if names is None else repr(names[columns[0]])}"
    if found[2] == "y":
        return LabelError(f"Input y{what} contains {found[3]}: {where}. Leave out the rows without a label.")
    if found[3] is None:
        return DataError(
            f"X{what} holds text: {where}, expected numbers. Encode columns of text first, with "
            "sklearn.preprocessing.OneHotEncoder for instance."
        )
    return DataError(
        f"Input X{what} contains {found[3]}: {where}, expected finite numbers. Leave out these rows, or fill the "
        "cells, with sklearn.impute.SimpleImputer for instance."
    )


def _first_fault(values: Any) -> tuple[int, ...] | None:
    """Return row and column of the first cell that is no finite number."""
    if hasattr(values, "tocsr"):
        values = values.tocsr()
        faulty = np.flatnonzero(~np.isfinite(values.data))
        rows = np.searchsorted(values.indptr, faulty, side="right") - 1
        return (int(rows[0]), int(values.indices[faulty[0]])) if len(faulty) else None
    cells = np.asarray(values)
    if cells.dtype.kind == "f":
        return next((tuple(place) for place in np.argwhere(~np.isfinite(cells)).tolist()), None)
    return next((place for place, cell in np.ndenumerate(cells) if not _is_finite(cell)), None)


def _is_finite(cell: Any) -> bool:
    try:
        return math.isfinite(float(cell))
    except (TypeError, ValueError, OverflowError):
        return False


def _refuse_missing(y: Any, what: str) -> None:
    """Refuse missing labels; scikit-learn finds NaN in an array of numbers itself."""
    labels = np.asarray(y, None if hasattr(y, "dtype") else object)
    if labels.dtype.kind not in "OM" or labels.ndim != 1 or all(isinstance(label, float) for label in labels):
        return
    missing = [i for i, label in enumerate(labels.tolist()) if is_missing(label)]
    if missing:
        rows = f"row {missing[0]} of {what} has no label" + (f", and {len(missing) - 1} more" if missing[1:] else "")
        raise LabelError(f"{rows[0].upper()}{rows[1:]}. Leave these rows out.")


def _refuse_weight(sample_weight: Any, what: str) -> None:
    """Refuse the first weight that is no finite number >= 0."""
    weights = np.asarray(sample_weight)
    if weights.ndim != 1 or (weights.dtype.kind in "iubf" and (np.isfinite(weights) & (weights >= 0)).all()):
        return  # None, or a number for all rows, or nothing at fault
    bad = next((row for row, w in enumerate(weights.tolist()) if not (_is_finite(w) and float(w) >= 0)), None)
    if bad is not None:
        raise LabelError(f"Row {bad} of {what} is {weights.tolist()[bad]!r}, expected a number >= 0.")


def _is_plain(classifier: Any, X: Any) -> bool:
    """Return whether X is an array that the network takes as it is, for which no further check is needed."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype == classifier.network_.theta.dtype
        and X.shape[0] > 0
        and X.shape[1] == classifier.n_features_in_
        and not hasattr(classifier, "feature_names_in_")
        and all_finite(X)
    )


def _in_range(classifier: Any, X: Array, what: str) -> Array:
    """Return X in the dtype of the network; refuse numbers too large for it."""
    dtype = classifier.network_.theta.dtype if hasattr(classifier, "network_") else X.dtype
    with np.errstate(over="ignore"):
        cast: Array = X.astype(dtype, copy=False)
    values = cast if isinstance(cast, np.ndarray) else cast.data
    if cast is not X and not np.isfinite(values).all():
        raise DataError(f"{what} holds numbers too large for {dtype}, in which the classifier was fitted.")
    return cast


def _check_frame(X: Any, what: str) -> Any:
    """Refuse a lazy frame, and columns that are no numbers; make column names visible to scikit-learn."""
    if isinstance(X, str | Path):
        raise DataError(
            f"{what} is the text {str(X)!r}, expected an array or a frame of numbers. TableClassifier reads a file. "
            "To train on one or more files, pass target='...', the column to predict, to fit."
        )
    frame = nw.from_native(X, pass_through=True)
    if isinstance(frame, nw.LazyFrame):
        raise DataError(f"{what} is a lazy frame, expected one that is in memory: pass {what}.collect().")
    if not isinstance(frame, nw.DataFrame):
        if getattr(getattr(X, "dtype", None), "kind", "") in ("m", "M"):
            raise DataError(f"{what} is an array of {X.dtype}, expected numbers. {OF_DATES}")
        return X
    other = {
        name: dtype
        for name, dtype in frame.schema.items()
        if not (dtype.is_numeric() or dtype in (nw.Boolean, nw.Object, nw.Unknown))
    }
    if other:
        shown = [f"{name!r} ({str(dtype).partition('(')[0]})" for name, dtype in other.items()]
        more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
        remedy = OF_DATES if all(dtype.is_temporal() for dtype in other.values()) else OF_TEXT
        if all(dtype.is_nested() for dtype in other.values()):
            remedy = OF_LISTS
        raise DataError(f"{what} has columns that are not numbers: {', '.join(shown[:5])}{more}. {remedy}")
    named = all(isinstance(name, str) for name in frame.columns)
    return _Named(frame) if named and _get_feature_names(X) is None else X


def _refuse_cell(X: Any, what: str) -> None:
    """Raise if the first cell that is no number is a date or a time, or anything in a frame."""
    try:
        place = _first_fault(X)
    except ValueError:  # rows of different lengths
        raise DataError(
            f"{what} has rows of different lengths, expected (n, d) numbers: as many in each row. {OF_LISTS}"
        ) from None
    if place is None or len(place) != 2:
        return
    cell, names = np.asarray(X)[place], _get_feature_names(X)
    kind, column = type(cell).__name__, place[1] if names is None else repr(names[place[1]])
    where = f"row {place[0]}, column {column}, expected numbers."
    if hasattr(cell, "year") or hasattr(cell, "total_seconds") or hasattr(cell, "hour"):
        raise DataError(f"{what} holds a {kind}: {where} {OF_DATES}")
    if names is not None:  # of arrays, scikit-learn asks for other words
        raise DataError(f"{what} holds values of type {kind}: {where} {OF_LISTS}")


class _Named:
    """A wrapper that shows the column names of a frame to scikit-learn; before 1.9 it knows few kinds of frames."""

    def __init__(self, frame: "nw.DataFrame[Any]") -> None:
        self.frame, self.shape = frame, frame.shape

    def __len__(self) -> int:
        return len(self.frame)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.frame.to_numpy(), dtype)

    def __dataframe__(self) -> "_Named":
        return self

    def column_names(self) -> list[str]:
        return self.frame.columns
