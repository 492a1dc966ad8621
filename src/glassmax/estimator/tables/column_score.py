"""The accuracy of a classifier on the rows of a table of which a column holds the labels."""

from typing import Any

import numpy as np

from ...functional.arrays import Array
from ...table import Table, label_texts, read_labels
from ..candidates import holds_candidates, read_sets
from .rows import weights_of_rows

__all__ = ["right_in_column", "score_column"]


def score_column(classifier: Any, table: Table, target: str, sample_weight: Any = None) -> float:
    """Return the accuracy on the rows that have a label.

    Parameters
    ----------
    classifier : SoftmaxClassifier or TableClassifier
        Fitted.
    table : Table
    target : str
        Name of the column of labels. Where a label is a set, any label of the set is right.
    sample_weight : (n,) array, or str, optional
        Weights of the rows, or the name of the column that holds them.
    """
    right, rows = right_in_column(classifier, table, target)
    return float(np.average(right, weights=weights_of_rows(table, sample_weight, rows, "sample_weight")))


def right_in_column(classifier: Any, table: Table, target: str) -> tuple[Array, Array]:
    """Return which rows with a label are predicted right, (m,) bool, and the positions of these rows, (m,)."""
    classes, separator = classifier.classes_, getattr(classifier, "candidates", None)
    labels, rows = read_labels(table, target, repeating=False, candidates=separator, classes=classes)
    if holds_candidates(labels):
        S, _, rows = read_sets(labels, rows, target, classes)
        return S[np.arange(len(S)), np.searchsorted(classes, classifier.predict(table.rows(rows)))], rows
    predicted, known = label_texts(classifier.predict(table.rows(rows))), label_texts(labels)
    if classifier.min_count > 1:
        there = set(label_texts(classes))
        known = [text if text in there else str(classifier.other_label) for text in known]
    return np.array([text == label for text, label in zip(predicted, known, strict=True)]), rows
