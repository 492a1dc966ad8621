"""Scores for early stopping: the log-loss, a few others by name, and any scorer of scikit-learn's.

Greater is better for all of them.
"""

import inspect
from collections.abc import Callable
from copy import copy, deepcopy
from difflib import get_close_matches
from typing import Any

import numpy as np
from sklearn import get_config

from ..engine import Data
from ..errors import OptionError, Setting, Text
from ..functional.arrays import Array
from .labels import most_probable_class

__all__ = ["NAMES", "Scorer", "make_scorer"]

NAMES = ("log_loss", "accuracy", "balanced_accuracy", "f1", "auc")

Scorer = Callable[[Any, Data], float]
"""From a classifier and the validation rows to a number; greater is better."""


def make_scorer(scoring: Any) -> Scorer | None:
    """Return the function that computes a score; None for "log_loss" and "accuracy", which every epoch records.

    `scoring` is one of `NAMES`, the name of a scikit-learn scorer, or ``scorer(classifier, X, y) -> float``.
    """
    if scoring in ("log_loss", "accuracy"):
        return None
    if isinstance(scoring, str) and scoring in OWN:
        return OWN[scoring]
    if callable(scoring):
        if getattr(scoring, "__module__", "").startswith("sklearn.metrics.") and not hasattr(scoring, "_score_func"):
            expected = f"scorer(classifier, X, y) -> float: pass sklearn.metrics.make_scorer({scoring.__name__})"
            raise OptionError(parameter="scoring", came=f"the metric {scoring.__name__}", expected=expected)
        return lambda classifier, data: _call(scoring, classifier, data)
    from sklearn.metrics import get_scorer, get_scorer_names

    if scoring not in get_scorer_names():
        near = get_close_matches(str(scoring), [*NAMES, *get_scorer_names()], n=1)
        raise OptionError(
            parameter="scoring",
            came=repr(scoring),
            expected=f"one of {', '.join(NAMES)}, the name of a scorer of scikit-learn's, or a callable",
            remedy=f"Did you mean {near[0]!r}?" if near else "",
        )
    scorer = get_scorer(scoring)
    if get_config()["enable_metadata_routing"] and "sample_weight" in inspect.signature(scorer._score_func).parameters:
        scorer.set_score_request(sample_weight=True)  # of a name, nobody else can ask for it

    def named(classifier: Any, data: Data) -> float:
        try:
            return _call(scorer, classifier, data)
        except ValueError as error:
            raise _not_computable(scoring, classifier, data, str(error)) from error

    return named


def _not_computable(scoring: str, classifier: Any, data: Data, why: str) -> OptionError:
    message = f" is {scoring!r}, which can't be computed on the validation rows: {why.rstrip('.')}."
    remedy: Text = ("Pass another ", Setting("scoring"), f": of glassmax's own, {', '.join(NAMES)} can always be.")
    if classifier.out_activation_ == "softmax":
        held = np.unique(_truth(classifier, data)).tolist()
        if len(held) < len(classifier.classes_):
            message += f" They hold {held[:5]} of {len(classifier.classes_)} classes."
            rows = ("Pass ", Setting("X_val and y_val"), " with rows of every class, or ")
            remedy = (*rows, Setting("scoring", "log_loss"), ".")
    return OptionError(Setting("scoring"), message, parameter="scoring", remedy=remedy)


def _call(scorer: Any, classifier: Any, data: Data) -> float:
    weight = {"sample_weight": data.weight} if data.weight is not None and _takes_weights(scorer) else {}
    value = scorer(_in_order(classifier), data.X, _truth(classifier, data), **weight)
    if not isinstance(value, int | float | np.number):
        what = f" gave {value!r}, expected a number: scorer(classifier, X, y) -> float."
        raise OptionError(Setting("scoring"), what, parameter="scoring")
    return float(value)


def _takes_weights(scorer: Any) -> bool:
    if hasattr(scorer, "_score_func"):  # one of scikit-learn's own
        if get_config()["enable_metadata_routing"]:
            return bool(scorer.get_metadata_routing().consumes("score", ["sample_weight"]))
        scorer = scorer._score_func
    return "sample_weight" in inspect.signature(scorer).parameters


def _nameless(classifier: Any) -> Any:
    """Return a copy without column names: the validation rows are plain arrays, whatever was given to fit."""
    plain = copy(classifier)
    vars(plain).pop("feature_names_in_", None)
    return plain


def _in_order(classifier: Any) -> Any:
    """Return a copy whose classes are sorted, as scikit-learn's metrics assume."""
    plain, order = _nameless(classifier), np.argsort(classifier.classes_)
    if plain.out_activation_ == "softmax" and (np.diff(order) < 0).any():
        plain.classes_, plain.network_ = plain.classes_[order], deepcopy(plain.network_)
        parameters, last = plain.network_.parameters, plain.network_.depth
        for name in (f"W{last}", f"b{last}"):
            parameters[name] = parameters[name][..., order]
    return plain


def _truth(classifier: Any, data: Data) -> Array:
    """Return y as the user would write it."""
    if classifier.out_activation_ == "sigmoid":
        return (data.y > 0.5).astype(int)
    truth: Array = classifier.classes_[most_probable_class(data.y)]
    return truth


def _balanced_accuracy(classifier: Any, data: Data) -> float:
    """The mean recall over the classes; of several labels, the mean over the labels of each one's balanced accuracy."""
    from sklearn.metrics import recall_score

    truth, predicted = _truth(classifier, data), _nameless(classifier).predict(data.X)
    columns = zip(truth.T, predicted.T, strict=True) if truth.ndim == 2 else [(truth, predicted)]
    there = [(y, p, {"labels": np.unique(y), "average": "macro"}) for y, p in columns]
    return float(np.mean([recall_score(y, p, sample_weight=data.weight, **how) for y, p, how in there]))


def _f1(classifier: Any, data: Data) -> float:
    """Two classes: F1 of the second; otherwise the mean over the classes or labels."""
    from sklearn.metrics import f1_score

    truth, predicted = _truth(classifier, data), _nameless(classifier).predict(data.X)
    binary = truth.ndim == 1 and len(classifier.classes_) == 2
    how = {"average": "binary", "pos_label": classifier.classes_[1]} if binary else {"average": "macro"}
    return float(f1_score(truth, predicted, sample_weight=data.weight, zero_division=0, **how))


def _auc(classifier: Any, data: Data) -> float:
    """Two classes: AUC of the second; otherwise the mean over the classes, one against the rest, or over the labels."""
    from sklearn.metrics import roc_auc_score

    P = _nameless(classifier).predict_proba(data.X)
    sigmoid, k = classifier.out_activation_ == "sigmoid", P.shape[1]
    truth = data.y > 0.5 if sigmoid else most_probable_class(data.y)[:, None] == np.arange(k)
    columns = [1] if k == 2 and not sigmoid else range(k)
    both = [c for c in columns if 0 < truth[:, c].sum() < len(truth)]  # otherwise there is no such area
    if not both:
        raise _not_computable("auc", classifier, data, "it takes rows with and without a class")
    return float(np.mean([roc_auc_score(truth[:, c], P[:, c], sample_weight=data.weight) for c in both]))


OWN: dict[str, Scorer] = {"balanced_accuracy": _balanced_accuracy, "f1": _f1, "auc": _auc}
