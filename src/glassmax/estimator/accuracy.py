"""The accuracy of a fitted `SoftmaxClassifier`, whatever its labels are."""

import warnings
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score

from .candidates import CANDIDATES, holds_candidates
from .labels import MANY_VALUES, encode_labels, most_probable_class, plain_labels, weigh_rows
from .on_files import is_encoded, score_on_files
from .preparation import known_rows, other_label_of

__all__ = ["accuracy"]


def accuracy(classifier: Any, X: Any, y: Any, sample_weight: Any) -> float:
    """Return the share of rows that are predicted right, see `SoftmaxClassifier.score`."""
    if isinstance(y, str) and is_encoded(classifier):
        return score_on_files(classifier, X, y, sample_weight)
    sigmoid = classifier.out_activation_ == "sigmoid"
    if holds_candidates(y) or (classifier.loss == CANDIDATES and np.ndim(y) == 2 and np.shape(y)[1] > 1):
        _, labels, data = known_rows(classifier, X, y, sample_weight)
        predicted, T = classifier._most_probable(X), labels.T
        right = predicted == T if T.ndim == 1 else T[np.arange(len(predicted)), predicted] == 1
        return float(np.average(right, weights=weigh_rows(None, labels, data.weight, named=True)))
    if np.ndim(y) == 2 and np.shape(y)[1] > 1 and not sigmoid:
        y = classifier.classes_[most_probable_class(encode_labels(y, "softmax", classifier.classes_).T)]
    elif other_label_of(classifier) is not None and not sigmoid:
        y = classifier.classes_[encode_labels(y, "softmax", classifier.classes_, other_label=classifier.other_label).T]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", MANY_VALUES)
        return float(accuracy_score(plain_labels(y), classifier.predict(X), sample_weight=sample_weight))
