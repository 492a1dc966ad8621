"""Labels of several candidates: "a or b" as a set of labels, "not a" as `not_class`, and both as cells of a table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import LabelError
from .frames import is_missing

__all__ = ["NotClass", "holds_candidates", "mapped", "named_labels", "not_class", "parse_candidates"]


@dataclass(frozen=True)
class NotClass:
    """A label that rules classes out; see `not_class`."""

    labels: frozenset[Any]

    def __repr__(self) -> str:
        return f"not_class({', '.join(map(repr, sorted(self.labels, key=repr)))})"


def not_class(*labels: Any) -> NotClass:
    """Return the label of a row whose class is known only by the classes that it is not.

    Parameters
    ----------
    *labels : hashable
        The classes ruled out, at least one.

    Returns
    -------
    NotClass

    Raises
    ------
    LabelError
        If there is no label.

    Examples
    --------
    >>> from glassmax import SoftmaxClassifier, not_class
    >>> X = [[0.0], [1.0], [2.0], [0.1], [1.9]]
    >>> y = ["a", "b", "c", {"a", "b"}, not_class("a")]
    >>> SoftmaxClassifier((), solver="lbfgs", alpha=1.0).fit(X, y).predict([[0.0]]).tolist()
    ['a']
    """
    if not labels:
        raise LabelError("not_class has no label, expected at least one class that is ruled out.")
    return NotClass(frozenset(labels))


def holds_candidates(labels: Any) -> bool:
    """Return whether some labels of a list, an array or a series are sets, frozensets or `not_class`."""
    if getattr(labels, "ndim", 1) != 1 or isinstance(labels, str | bytes):
        return False
    kind = getattr(getattr(labels, "dtype", None), "kind", "O")
    if kind != "O" or not hasattr(labels, "__iter__"):
        return False
    return any(isinstance(label, set | frozenset | NotClass) for label in labels)


def mapped(entry: Any, change: Callable[[Any], Any]) -> Any:
    """Return a label, or a set of labels, with each label changed."""
    if isinstance(entry, NotClass):
        return NotClass(frozenset(map(change, entry.labels)))
    return frozenset(map(change, entry)) if isinstance(entry, set | frozenset) else change(entry)


def named_labels(entry: Any) -> Iterable[Any]:
    """Return the labels that an entry names, allowed or ruled out; none if the entry is missing."""
    if isinstance(entry, set | frozenset):
        return entry
    if isinstance(entry, NotClass):
        return entry.labels
    return () if is_missing(entry) else (entry,)


def parse_candidates(text: str, separator: str) -> Any:
    """Return what a cell says: "a" a label, "a|b" a set, "!a" and "!a|b" `not_class`; raise where a part is empty.

    Examples
    --------
    >>> parse_candidates("a", "|"), sorted(parse_candidates("a | b", "|")), parse_candidates("!a|b", "|")
    ('a', ['a', 'b'], not_class('a', 'b'))
    """
    excluded = text.startswith("!")
    parts = [part.strip().removeprefix("!" if excluded else "").strip() for part in text.split(separator)]
    if not all(parts):
        raise LabelError(f"is {text!r}, expected classes separated by {separator!r}, or ! before those ruled out")
    if excluded:
        return NotClass(frozenset(parts))
    return frozenset(parts) if len(parts) > 1 else parts[0]
