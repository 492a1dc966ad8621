"""The labels y: a class for each row, a row of probabilities, candidates of which one is the class, or several labels.

::

    y (n,)                               classes: labels of any kind                           softmax
    y (n, k), rows that sum to 1         soft labels, or one-hot rows; may be sparse           softmax
    y (n, k) of 0 and 1                  several labels a row                                  sigmoid
    y (n, k) of 0 and 1, or sets         candidates, loss="candidate_cross_entropy"            softmax

A matrix of 0 and 1 can be read in all these ways; ``output="auto"`` reads it as scikit-learn does, as several labels,
unless the loss is that of candidates. Sets of labels are encoded in `glassmax.estimator.candidates`. Here
labels are encoded as class indices or rows, and class weights become weights of rows.
"""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from ..errors import LabelError, OptionError, Setting
from ..functional.arrays import Array, weighted_sum
from ..functional.targets import is_sparse
from ..memory import check_memory
from .user_warnings import warn_user

__all__ = [
    "Labels",
    "check_types",
    "distinct_labels",
    "encode_labels",
    "listed",
    "most_probable_class",
    "plain_labels",
    "scaled_weights",
    "sorted_distinct",
    "weigh_rows",
]

SUM_TOLERANCE = 1e-4
SMALLEST_WEIGHT = 1e-20
MOST_LISTED = 20
MANY_VALUES = "The number of unique classes is greater than 50%"
"""The beginning of scikit-learn's warning that y has too many classes; glassmax takes any number of classes."""


class Labels(NamedTuple):
    """Encoded labels.

    Attributes
    ----------
    output : str
        "softmax" or "sigmoid".
    classes : (k,) array
        The label of each output.
    T : (n,) array of intp, or (n, k) array or CSR matrix of floats
        Class indices, or rows; sparse rows are soft labels.
    candidates : bool
        Whether the rows T are candidates: 1 for each class that a row may have.
    """

    output: str
    classes: Array
    T: Array
    candidates: bool = False

    def shares(self) -> Array:
        """Return rows that sum to 1, (n, k); of candidates, each one has the same share."""
        if not self.candidates:
            return self.T
        return self.T / self.T.sum(axis=1, keepdims=True)


def encode_labels(
    y: Any,
    output: str,
    classes: npt.ArrayLike | None = None,
    *,
    candidates: bool = False,
    what: str = "y",
    other_label: Any = None,
) -> Labels:
    """Encode labels of any kind as class indices or rows; a LabelError names the first row at fault.

    Parameters
    ----------
    y : (n,) or (n, k) array_like
        k >= 2 for a matrix; a SciPy sparse matrix is one too.
    output : {"auto", "softmax", "sigmoid"}
        Meaning of a matrix y.
    classes : (k,) array_like, optional
        All labels there can be, or the names of a matrix's columns; the labels found, or 0, 1, ... by default.
    candidates : bool, default=False
        Whether a matrix of 0 and 1 holds the candidates of each row.
    what : str, default="y"
        The name of y in messages.
    other_label : label, optional
        One of `classes`: every label that is not in `classes` is read as this one.
    """
    if is_sparse(y) and y.shape[1] > 1 and not candidates and _holds_shares(y, output):
        return _read_sparse(y, classes, what)
    y = _dense(y, what) if hasattr(y, "toarray") else np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        return _read_matrix(y, output, classes, what, candidates=candidates)
    if output == "sigmoid":
        raise LabelError(
            f"{what} is {y.shape}, expected a matrix (n, k) of 0 and 1 for output='sigmoid': a column for each label. "
            "For one class a row pass output='softmax'."
        )
    y = plain_labels(y)
    check_types(y, what)
    if y.ndim == 2:
        warn_user(  # in scikit-learn's words
            f"A column-vector {what} was passed when a 1d array was expected. Please change the shape of {what} to "
            "(n_samples, ), for example using ravel().",
            DataConversionWarning,
        )
    y = column_or_1d(y)
    if y.dtype.kind == "f" and not (y == np.rint(y)).all():
        row = int(np.argmax(y != np.rint(y)))
        raise LabelError(
            f"Unknown label type: continuous. Row {row} of {what} is {y[row]:g}, expected a class: text or a whole "
            "number. glassmax predicts classes, not measurements."
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", MANY_VALUES)
        check_classification_targets(y)
    found, place = np.unique(y, return_inverse=True)
    known = found if classes is None else distinct_labels(classes)
    if len(known) < 2:
        holder = what if classes is None else "classes"
        raise LabelError(f"{holder} holds one class, {known.tolist()[0]!r}, expected at least two different labels.")
    if classes is None:
        return Labels("softmax", known, place.reshape(-1), candidates)
    is_new = ~np.isin(found, known, assume_unique=True)
    has_other = other_label is not None and bool((known == other_label).any())
    if is_new.any() and not has_other:
        raise LabelError(
            f"{what} holds {', '.join(map(repr, found[is_new][:5].tolist()))}, expected only the classes "
            f"{listed(known)}. A network can't grow classes: name them all at the first fit, classes=[...]."
        )
    rank = np.argsort(known)
    of_found = rank[np.minimum(np.searchsorted(known, found, sorter=rank), len(known) - 1)]
    if has_other:
        of_found[is_new] = np.argmax(known == other_label)
    return Labels("softmax", known, of_found[place.reshape(-1)], candidates)


def listed(classes: npt.ArrayLike) -> str:
    """Write labels as a list; if there are more than 20, only the first five and their number.

    Examples
    --------
    >>> listed(np.arange(3)), listed(np.arange(10_000))
    ('[0, 1, 2]', '[0, 1, 2, 3, 4, ...], 10000 in all')
    """
    names = np.asarray(classes)
    if len(names) <= MOST_LISTED:
        return str(names.tolist())
    return f"[{', '.join(map(repr, names[:5].tolist()))}, ...], {len(names)} in all"


def _dense(y: Any, what: str) -> Array:
    """Return a sparse matrix of labels as an array, or raise an error if memory is short."""
    check_memory(
        int(np.prod(y.shape)) * 8,
        f"{what} as a dense matrix {y.shape}",
        "Pass the probabilities of the classes as a sparse matrix with output='softmax', or one label a row.",
    )
    dense: Array = y.toarray()
    return dense


def _holds_shares(y: Any, output: str) -> bool:
    """Return whether a sparse matrix holds probabilities of classes rather than several labels a row."""
    return output == "softmax" or (output == "auto" and not np.isin(y.tocsr().data, (0, 1)).all())


def _read_sparse(y: Any, classes: npt.ArrayLike | None, what: str) -> Labels:
    """Return sparse labels: as class indices if each row has one class, otherwise as a CSR matrix of soft labels."""
    Y = y.tocsr().copy()
    if Y.dtype.kind not in "biuf":
        raise LabelError(f"{what} is {Y.shape} and holds {Y.dtype} values, expected numbers.")
    Y = Y.astype(np.float64)
    Y.sum_duplicates()
    known = np.arange(Y.shape[1]) if classes is None else distinct_labels(classes)
    if len(known) != Y.shape[1]:
        raise LabelError(f"classes has {len(known)} entries, expected {Y.shape[1]}: one for each column of {what}.")
    bad = ~(np.isfinite(Y.data) & (Y.data >= 0))
    if bad.any():
        first = int(np.argmax(bad))
        row = int(np.searchsorted(Y.indptr, first, side="right")) - 1
        raise LabelError(f"Row {row} of {what} holds {Y.data[first]:g}, expected numbers >= 0.")
    Y.eliminate_zeros()
    entries = np.diff(Y.indptr)
    sums = np.bincount(np.repeat(np.arange(Y.shape[0]), entries), Y.data, Y.shape[0])
    _check_sums(sums, what, largest=float(Y.data.max(initial=0)))
    if (entries == 1).all() and (Y.data == 1).all():
        return Labels("softmax", known, Y.indices.astype(np.intp))
    return Labels("softmax", known, Y)


def plain_labels(y: Any) -> Any:
    """Return labels of dtype object that are all booleans, or all numbers, in an array of that type; others as given.

    Examples
    --------
    >>> plain_labels(np.array([1, 2], object)).dtype.kind, plain_labels(np.array(["a", "b"], object)).dtype.kind
    ('i', 'O')
    """
    labels = np.asarray(y) if hasattr(y, "dtype") else np.empty(0)
    if labels.dtype.kind in "bi" and labels.ndim == 1:
        return labels  # a pandas series of Int64 or boolean too, which scikit-learn turns into floats
    if labels.dtype.kind != "O" or labels.shape not in ((labels.size,), (labels.size, 1)) or not len(labels):
        return y
    cells = labels.ravel()
    booleans = [isinstance(label, bool | np.bool_) for label in cells]
    if all(booleans):
        return labels.astype(bool)
    if any(booleans) or not all(isinstance(label, int | float | np.integer | np.floating) for label in cells):
        return y
    whole = all(isinstance(label, int | np.integer) for label in cells)
    try:
        return labels.astype(np.int64 if whole else np.float64)
    except OverflowError:
        return y


def check_types(y: Any, what: str) -> None:
    """Refuse labels that are neither texts nor numbers nor dates: scikit-learn calls some of them an unknown type."""
    y = np.asarray(y) if hasattr(y, "dtype") else y
    if isinstance(y, list) and any(isinstance(label, bytes) for label in y):
        y = np.array(y, object)
    if not hasattr(y, "dtype") or y.dtype.kind in "biufUM":
        return
    if y.dtype.kind in "mcV":
        why = " Complex data not supported." if y.dtype.kind == "c" else ""  # scikit-learn's checks ask for these words
        expected = f"text, whole numbers or booleans.{why} Convert them first."
        raise LabelError(f"{what} holds {y.dtype}, expected labels: {expected}")
    y = y.ravel() if y.shape == (y.size, 1) else y
    if y.ndim != 1 or all(isinstance(label, str) for label in y.tolist()):
        return
    kinds = ", ".join(sorted({type(label).__name__ for label in y.tolist()}))
    long = [label for label in y.tolist() if isinstance(label, int) and not -(2**63) <= label < 2**63]
    if kinds == "int" and long:
        raise LabelError(
            f"{what} holds the label {long[0]}, expected whole numbers of at most 64 bits. Convert them to text: "
            f"[str(label) for label in {what}]."
        )
    as_text = "label.decode()" if kinds == "bytes" else "str(label)"
    raise LabelError(
        f"{what} holds labels of type {kinds}, expected all of one type: text, whole numbers or booleans. Convert them "
        f"first, to text for instance: [{as_text} for label in {what}]."
    )


def _read_matrix(y: Array, output: str, classes: npt.ArrayLike | None, what: str, *, candidates: bool) -> Labels:
    if y.dtype.kind not in "biuf":
        raise LabelError(
            f"{what} is {y.shape} and holds {y.dtype} values, expected numbers in a matrix, or one label a row."
        )
    if y.dtype.kind != "f":
        if y.size and not (y.min() >= 0 and y.max() <= 1):
            raise LabelError(
                f"{what} is {y.shape} and holds whole numbers from {y.min()} to {y.max()}, expected (n,): one label "
                "a row. Several labels a row are a matrix of 0 and 1."
            )
        y = y.astype(np.float64)
    known = np.arange(y.shape[1]) if classes is None else distinct_labels(classes)
    if len(known) != y.shape[1]:
        raise LabelError(f"classes has {len(known)} entries, expected {y.shape[1]}: one for each column of {what}.")
    bad = ~(np.isfinite(y) & (y >= 0))
    if bad.any():
        row, column = np.argwhere(bad)[0].tolist()
        raise LabelError(f"Row {row} of {what} holds {y[row, column]:g}, expected numbers >= 0.")
    if candidates:
        return _read_candidates(y, known, what)
    ones = ((y == 0) | (y == 1)).all()
    sums = y.sum(axis=1, dtype=np.float64)
    off = np.abs(sums - 1) > SUM_TOLERANCE
    if output == "sigmoid" or (output == "auto" and ones):
        if y.max(initial=0) > 1:
            row, column = np.argwhere(y > 1)[0].tolist()
            raise LabelError(f"Row {row} of {what} holds {y[row, column]:g}, expected numbers from 0 to 1.")
        if output == "auto" and not off.any():
            warn_user(
                f"{what} is a matrix of 0 and 1 and is taken for several labels a row (output='sigmoid'), as "
                "scikit-learn has it; but each of its rows sums to 1. If they are one-hot classes, pass "
                "output='softmax'; if they are not, output='sigmoid'."
            )
        return Labels("sigmoid", known, y)
    _check_sums(sums, what, largest=float(y.max(initial=0)))
    return Labels("softmax", known, y)


def _check_sums(sums: Array, what: str, *, largest: float) -> None:
    """Refuse soft labels of which a row doesn't sum to 1."""
    off = np.abs(sums - 1) > SUM_TOLERANCE
    if off.any():
        row = int(np.argmax(off))
        several = " For several labels a row pass output='sigmoid'." if largest <= 1 else ""
        raise LabelError(
            f"Row {row} of {what} sums to {sums[row]:.6g}, expected 1: the probabilities of the classes.{several}"
        )


def _read_candidates(y: Array, classes: Array, what: str) -> Labels:
    bad = (y != 0) & (y != 1)
    if bad.any():
        row, column = np.argwhere(bad)[0].tolist()
        raise LabelError(f"Row {row} of {what} holds {y[row, column]:g}, expected 0 or 1: 1 for each candidate.")
    if not y.any(axis=1).all():
        row = int(np.argmin(y.any(axis=1)))
        raise LabelError(f"Row {row} of {what} has no candidate, expected at least one class.")
    return Labels("softmax", classes, y, candidates=True)


def distinct_labels(classes: npt.ArrayLike) -> Array:
    """Return the names of classes as an array, (k,); raise a LabelError if two are the same."""
    try:
        names = np.asarray(classes)
    except ValueError:
        names = np.empty((0, 0))
    if names.ndim != 1 or len(sorted_distinct(names)) != len(names):
        shown = repr(classes) if np.size(names) <= MOST_LISTED else f"a list of {names.size} labels with repetitions"
        raise LabelError(f"classes is {shown}, expected a list of different labels.")
    return names


def sorted_distinct(labels: Array) -> Array:
    """Return the different labels, sorted, without NumPy's hash table, which takes 50 bytes for each of them."""
    return np.unique(labels, return_counts=True)[0]


def most_probable_class(T: Array) -> Array:
    """Return class indices: T itself, or the most probable class of each row of T; of candidates the first."""
    if T.ndim == 1:
        return T
    return np.asarray(T.argmax(axis=1)).ravel()


def weigh_rows(
    class_weight: Mapping[Any, float] | str | None, labels: Labels, sample_weight: Array | None, *, named: bool
) -> Array | None:
    """Return the weight of each row: its sample weight times the weight of its class; None for ones.

    A soft row has the mean weight of its classes, a set of candidates the mean weight of these. A row of which every
    class is a candidate has the weight 0: it says nothing. `named` tells whether the user has named the columns of a
    matrix.
    """
    if labels.candidates and labels.T.ndim == 2:
        sample_weight = _without_silent_rows(labels.T, sample_weight)
    if class_weight is None:
        return sample_weight
    T, classes = labels.T if labels.T.ndim == 1 else labels.shares(), labels.classes
    if labels.output == "sigmoid":
        raise OptionError(
            parameter="class_weight",
            came=repr(class_weight),
            expected="None where a row has several labels",
            remedy=("Pass ", Setting("sample_weight"), "."),
        )
    if isinstance(class_weight, str):  # "balanced"; scikit-learn 1.6 can't weigh rows in this
        w = np.ones(T.shape[0]) if sample_weight is None else sample_weight
        total = np.bincount(T, w, minlength=len(classes)) if T.ndim == 1 else _weighted_columns(w, T)
        shares = total.sum() / np.count_nonzero(total)
        of_class = np.divide(shares, total, out=np.zeros(len(total)), where=total > 0)
    else:
        known = set(classes.tolist())
        unknown = [name for name in class_weight if name not in known]
        if T.ndim == 2 and unknown and not named:
            what = f" names {unknown[0]!r}, but the columns of y have no names. Pass them: fit(..., classes=[...])."
            raise OptionError(Setting("class_weight"), what, parameter="class_weight")
        missing = [name for name in classes.tolist() if name not in class_weight]
        if unknown and missing:  # with none missing, y merely lacks a class
            what = f" has the unknown classes {unknown[:5]}; the classes are {listed(classes)}."
            raise OptionError(Setting("class_weight"), what, parameter="class_weight")
        if not all(isinstance(weight, int | float | np.number) for weight in class_weight.values()):
            raise OptionError(parameter="class_weight", came=repr(class_weight), expected="numbers >= 0")
        of_class = np.array([class_weight.get(name, 1.0) for name in classes.tolist()], np.float64)
    if not ((of_class >= 0) & np.isfinite(of_class)).all():
        raise OptionError(parameter="class_weight", came=repr(class_weight), expected="numbers >= 0")
    of_class = scaled_weights(of_class)
    of_row = of_class[T] if T.ndim == 1 else T @ of_class if is_sparse(T) else weighted_sum(of_class, T.T)
    weight: Array = of_row if sample_weight is None else of_row * sample_weight
    if not weight.any():
        raise LabelError("class_weight leaves no row a weight, expected at least one number > 0.")
    return scaled_weights(weight)


def _weighted_columns(w: Array, T: Array) -> Any:
    """Return sum_i w_i T_i; of sparse rows in the order of their entries."""
    if not is_sparse(T):
        return weighted_sum(w, T)
    entries = np.repeat(w, np.diff(T.indptr)) * T.data  # type: ignore[attr-defined]
    return np.bincount(T.indices, entries, T.shape[1])  # type: ignore[attr-defined]


def scaled_weights(weight: Array) -> Array:
    """Return weights; if all are so small that sums of them lose digits, they are divided by the largest."""
    largest = weight.max(initial=0.0)
    return weight / largest if 0 < largest < SMALLEST_WEIGHT else weight


def _without_silent_rows(S: Array, sample_weight: Array | None) -> Array | None:
    silent = S.all(axis=1)
    if not silent.any():
        return sample_weight
    weight: Array = np.where(silent, 0.0, 1.0 if sample_weight is None else sample_weight)
    if not weight.any():
        raise LabelError("y names every class in every row, expected rows that rule out a class.")
    return weight
