"""Classes with few rows, put together as one class: what the options `min_count` and `other_label` do."""

from typing import Any, NamedTuple

import numpy as np

from ..errors import LabelError, OptionError, Setting, is_whole
from ..functional.arrays import Array
from .labels import Labels

__all__ = ["Together", "check_min_count", "of_kind", "put_together"]


class Together(NamedTuple):
    """Labels with the rare classes put together.

    Attributes
    ----------
    labels : Labels
    rare : (r,) array
        The labels that were replaced by `other_label`; empty if every class has enough rows.
    """

    labels: Labels
    rare: Array


def check_min_count(estimator: Any) -> None:
    """Refuse a `min_count` that is not a whole number >= 1, and an `other_label` that can't be a label."""
    count, label = estimator.min_count, estimator.other_label
    if not (is_whole(count) and count >= 1):
        raise OptionError(parameter="min_count", came=repr(count), expected="a whole number >= 1")
    if not isinstance(label, str | bool | np.bool_ | int | float | np.number):
        raise OptionError(parameter="other_label", came=repr(label), expected="a label: text or a whole number")


def put_together(labels: Labels, min_count: int, other_label: Any) -> Together:
    """Put the classes with fewer than `min_count` rows together as one class, `other_label`.

    If y already has a class of this name, the rare classes are added to it, and its own number of rows doesn't count.

    Examples
    --------
    >>> found = Labels("softmax", np.array(["a", "b", "c", "d"]), np.array([0, 0, 1, 2, 3, 0, 2]))
    >>> (_, classes, T, _), rare = put_together(found, 2, "other")
    >>> classes[T].tolist(), rare.tolist()
    (['a', 'a', 'other', 'c', 'other', 'a', 'c'], ['b', 'd'])
    """
    classes, T = labels.classes, labels.T
    if min_count <= 1:
        return Together(labels, classes[:0])
    if T.ndim != 1:
        expected = "1 where y is a matrix or holds sets, because a row then has no single class to count"
        raise OptionError(parameter="min_count", came=repr(min_count), expected=expected)
    _check_kind(classes, other_label)
    is_rare = np.bincount(T, minlength=len(classes)) < min_count
    own = classes == other_label
    is_rare &= ~own
    if not is_rare.any():
        return Together(labels, classes[:0])
    kept = ~(is_rare | own)
    if not kept.any():
        raise LabelError(
            *(Setting("min_count", min_count), f" leaves no class: each of the {len(classes)} classes has fewer rows."),
            parameter="min_count",
            remedy=("Pass a smaller ", Setting("min_count"), "."),
        )
    last = np.array([other_label], object) if classes.dtype.kind == "O" else np.array([other_label])
    together = np.concatenate([classes[kept], last])
    order = np.argsort(together)
    place = np.empty(len(together), np.intp)
    place[order] = np.arange(len(together))
    of_old = np.full(len(classes), place[-1])
    of_old[kept] = place[:-1]
    return Together(labels._replace(classes=together[order], T=of_old[T]), classes[is_rare])


def _check_kind(classes: Array, other_label: Any) -> None:
    """Refuse an `other_label` of another kind than the labels."""
    text = classes.dtype.kind in "OU"
    if classes.dtype.kind == "b":
        raise OptionError(parameter="min_count", came="> 1", expected="1 for boolean labels, which are two classes")
    if text and not isinstance(other_label, str):
        expected = "text, as the labels are"
    elif not text and not is_whole(other_label):
        expected = f"a whole number, as the labels are, such as {_free_number(classes)}, which is not a label yet"
    else:
        return
    raise OptionError(parameter="other_label", came=repr(other_label), expected=expected)


def of_kind(label: Any, classes: Array) -> Any:
    """Return a label that was typed as a text as the number that it is, where the classes are numbers."""
    try:
        return int(label) if isinstance(label, str) and classes.dtype.kind in "if" else label
    except ValueError:
        return label


def _free_number(classes: Array) -> int:
    return -1 if classes.min() > -1 else int(classes.min()) - 1
