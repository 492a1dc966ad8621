"""Labels of several candidates, encoded: rows of 0 and 1, with a 1 for each class that a row may have.

::

    "a"                     the class is a
    {"a", "b"}              the class is a or b
    not_class("a")          the class is any but a
    None, NaN               nothing is known: all classes are candidates, and the row has the weight 0

A label may be missing only where other labels are sets. The loss of such rows is `candidate_cross_entropy`.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..engine import MANY_CLASSES
from ..errors import LabelError, OptionError
from ..functional.arrays import Array
from ..table.candidates import NotClass, holds_candidates, named_labels
from ..table.frames import is_missing
from ..table.labels import candidate_rows
from .labels import Labels, encode_labels

__all__ = ["CANDIDATES", "check_candidates", "encode_candidates", "holds_candidates", "read_sets", "rows_of"]

CANDIDATES = "candidate_cross_entropy"
"""The loss of candidate sets."""


def check_candidates(classifier: Any) -> None:
    """Refuse labels that are sets where output or loss can't take them."""
    if classifier.output == "sigmoid":
        expected = "'softmax' or 'auto' where labels are sets: a row has one class, and the set says which it may be"
        raise OptionError(parameter="output", came="'sigmoid'", expected=expected)
    if classifier.loss == "squared_error":
        expected = "'cross_entropy' or 'candidate_cross_entropy' where labels are sets"
        raise OptionError(parameter="loss", came="'squared_error'", expected=expected)
    if classifier.label_smoothing:
        expected = "0 where labels are sets: it gives a share to the classes that a set rules out"
        raise OptionError(parameter="label_smoothing", came=repr(classifier.label_smoothing), expected=expected)


def encode_candidates(y: Iterable[Any], classes: npt.ArrayLike | None = None, *, what: str = "y") -> Labels:
    """Encode labels of which some are sets; a LabelError names the first row at fault.

    Parameters
    ----------
    y : (n,) sequence
        Labels, sets and frozensets of labels, `not_class`, and missing labels.
    classes : (k,) array_like, optional
        All labels there can be; by default, all that are named, also by `not_class`.
    what : str, default="y"
        The user's word for it.

    Returns
    -------
    Labels
        T is (n, k) rows of 0 and 1; class indices if each row has one candidate.
    """
    entries = list(y)
    named: dict[Any, None] = {}
    for row, entry in enumerate(entries):
        for label in named_labels(entry):
            if is_missing(label) or (isinstance(label, float) and not label.is_integer()):
                raise LabelError(f"Row {row} of {what} names {label!r}, expected classes: texts or whole numbers.")
            named[label] = None
        if isinstance(entry, set | frozenset) and not entry:
            raise LabelError(f"Row {row} of {what} is an empty set, expected at least one class.")
    if len({isinstance(label, str) for label in named}) > 1:
        kinds = ", ".join(sorted({type(label).__name__ for label in named}))
        raise LabelError(f"{what} holds labels of type {kinds}, expected all of one type.")
    known = encode_labels(np.array(list(named)), "softmax", classes, what=what).classes
    _check_number(len(known), what)
    place = {label: position for position, label in enumerate(known.tolist())}
    T = np.empty((len(entries), len(known)))
    for row, entry in enumerate(entries):
        everything = isinstance(entry, NotClass) or is_missing(entry)
        T[row] = float(everything)
        T[row, [place[label] for label in named_labels(entry)]] = float(not everything)
    empty = ~T.any(axis=1)
    if empty.any():
        row = int(np.argmax(empty))
        raise LabelError(f"Row {row} of {what} is {entries[row]!r}, which leaves no class, expected at least one.")
    single = (T.sum(axis=1) == 1).all()
    return Labels("softmax", known, T.argmax(axis=1) if single else T, candidates=True)


def rows_of(labels: Labels) -> Array:
    """Return labels as rows of bool, (n, k): True for each candidate."""
    T, k = labels.T, len(labels.classes)
    rows: Array = T == 1 if T.ndim == 2 else T[:, None] == np.arange(k)
    return rows


def _check_number(classes: int, what: str) -> None:
    """Refuse sets of very many classes: a row of candidates is a number for each class."""
    if classes >= MANY_CLASSES:
        raise LabelError(
            f"{what} holds sets of labels, and there are {classes:,} classes, expected fewer than {MANY_CLASSES:,}: "
            "sets take a number for each row and class.",
            remedy="Give each row one label, or soft labels as a sparse matrix.",
        )


def read_sets(labels: Array, rows: Array, what: str, classes: Array | None = None) -> tuple[Array, Array, Array]:
    """Return the candidates of each row that rules out a class, all classes, and these rows.

    Parameters
    ----------
    labels : (n,) array
        Labels of which some are sets, as `encode_candidates` takes them.
    rows : (n,) array of int
        The rows they belong to.
    what : str
        The user's word for the labels.
    classes : (k,) array, optional
        All labels there can be; by default, all that are named, sorted.

    Returns
    -------
    S : (m, k) array of bool
    classes : (k,) array
    rows : (m,) array of int

    Raises
    ------
    LabelError
        If a label is no class, a row is left without a class, or no row rules out any.
    """
    if classes is None:
        found = encode_candidates(labels, what=what)
        order = np.argsort(found.classes)
        S, classes = rows_of(found)[:, order], found.classes[order]
    else:
        _check_number(len(classes), what)
        S = candidate_rows(labels, classes, what)
    says = ~S.all(axis=1)
    if not says.any():
        raise LabelError(f"{what} names every class in every row, expected rows that rule out a class.")
    return S[says], classes, rows[says]
