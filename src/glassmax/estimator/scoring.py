"""Scores to stop early by: the log-loss, a few by name, and any scorer of scikit-learn's.

All are "the greater the better". This module refuses to train.
"""

import inspect
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from ..engine import Data
from ..errors import OptionError, one_of
from ..functional.arrays import Array
from .labels import hard

__all__ = ["NAMES", "Scorer", "make_scorer"]

NAMES = ("log_loss", "accuracy", "balanced_accuracy", "f1", "auc")

Scorer = Callable[[Any, Data], float]
"""From a classifier and the validation rows to a number, the greater the better."""


def make_scorer(scoring: Any) -> Scorer | None:
    """Return what computes the score; None for "log_loss" and "accuracy", which every epoch says already.

    Parameters
    ----------
    scoring : str or callable
        One of `NAMES`, the name of a scikit-learn scorer, or ``scorer(classifier, X, y) -> float``.

    Returns
    -------
    callable or None

    Raises
    ------
    OptionError
        If the name stands for nothing.
    """
    if scoring in ("log_loss", "accuracy"):
        return None
    if isinstance(scoring, str) and scoring in OWN:
        return OWN[scoring]
    if callable(scoring):
        return lambda classifier, data: _call(scoring, classifier, data)
    from sklearn.metrics import get_scorer, get_scorer_names

    one_of("scoring", scoring, dict.fromkeys((*NAMES, *get_scorer_names())))
    scorer = get_scorer(scoring)
    return lambda classifier, data: _call(scorer, classifier, data)


def _call(scorer: Any, classifier: Any, data: Data) -> float:
    """Score a nameless copy: the rows held out are plain arrays, whatever was given to fit."""
    plain = copy(classifier)
    vars(plain).pop("feature_names_in_", None)
    weight = {"sample_weight": data.weight} if data.weight is not None and _takes_weights(scorer) else {}
    value = scorer(plain, data.X, _truth(classifier, data), **weight)
    if not isinstance(value, int | float | np.number):
        raise OptionError(f"scoring gave {value!r}, expected a number: scorer(classifier, X, y) -> float.")
    return float(value)


def _takes_weights(scorer: Any) -> bool:
    from sklearn import get_config

    if hasattr(scorer, "_score_func"):  # one of scikit-learn's own
        if get_config()["enable_metadata_routing"]:
            return bool(scorer.get_metadata_routing().consumes("score", ["sample_weight"]))
        return "sample_weight" in inspect.signature(scorer._score_func).parameters
    return "sample_weight" in inspect.signature(scorer).parameters


def _truth(classifier: Any, data: Data) -> Array:
    """Return y as the user would write it."""
    if classifier.out_activation_ == "sigmoid":
        return (data.y > 0.5).astype(int)
    truth: Array = classifier.classes_[hard(data.y)]
    return truth


def _balanced_accuracy(classifier: Any, data: Data) -> float:
    """The mean over the classes of the share found; over labels, of the mean of both shares."""
    from sklearn.metrics import balanced_accuracy_score as share

    return (
        _by_column(classifier, data, lambda y, p, w: share(y, p > 0.5, sample_weight=w))
        if (classifier.out_activation_ == "sigmoid")
        else float(share(_truth(classifier, data), _plain_predict(classifier, data), sample_weight=data.weight))
    )


def _f1(classifier: Any, data: Data) -> float:
    """Two classes: of the second; otherwise the mean over classes or labels."""
    from sklearn.metrics import f1_score

    binary = classifier.out_activation_ != "sigmoid" and len(classifier.classes_) == 2
    how = {"average": "binary", "pos_label": classifier.classes_[1]} if binary else {"average": "macro"}
    return float(
        f1_score(
            _truth(classifier, data),
            _plain_predict(classifier, data),
            sample_weight=data.weight,
            zero_division=0,
            **how,
        )
    )


def _auc(classifier: Any, data: Data) -> float:
    """Two classes: of the second; otherwise the mean over classes, each against the others, or over labels."""
    from sklearn.metrics import roc_auc_score

    return _by_column(classifier, data, lambda y, p, w: roc_auc_score(y, p, sample_weight=w))


def _by_column(classifier: Any, data: Data, measure: Callable[[Array, Array, Array | None], float]) -> float:
    """Return the mean over the columns of P in whose class there are rows, and rows without."""
    plain = copy(classifier)
    vars(plain).pop("feature_names_in_", None)
    P = plain.predict_proba(data.X)
    sigmoid, k = classifier.out_activation_ == "sigmoid", P.shape[1]
    columns = range(1, 2) if k == 2 and not sigmoid else range(k)
    truth = data.y > 0.5 if sigmoid else hard(data.y)[:, None] == np.arange(k)
    values = [measure(truth[:, c], P[:, c], data.weight) for c in columns if 0 < truth[:, c].sum() < len(truth)]
    return float(np.mean(values)) if values else float("nan")


def _plain_predict(classifier: Any, data: Data) -> Array:
    plain = copy(classifier)
    vars(plain).pop("feature_names_in_", None)
    predicted: Array = plain.predict(data.X)
    return predicted


OWN: dict[str, Scorer] = {"balanced_accuracy": _balanced_accuracy, "f1": _f1, "auc": _auc}
