"""Scores for early stopping: the log-loss, a few others by name, and any scorer of scikit-learn's.

Greater is better for all of them.
"""

import inspect
import re
from collections.abc import Callable
from copy import copy
from difflib import get_close_matches
from typing import Any

import numpy as np
from sklearn import get_config

from ..engine import MANY_CLASSES, Data, best_engine
from ..errors import OptionError, Setting, Text
from ..functional.arrays import Array
from .labels import most_probable_class

__all__ = ["NAMES", "Scorer", "check_scoring", "make_scorer"]

TOP = re.compile(r"top_([1-9]\d*)_accuracy")
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
    if isinstance(scoring, str) and (top := TOP.fullmatch(scoring)):
        return _top_accuracy(int(top[1]))
    if callable(scoring):
        if getattr(scoring, "__module__", "").startswith("sklearn.metrics.") and not hasattr(scoring, "_score_func"):
            expected = f"scorer(classifier, X, y) -> float: pass sklearn.metrics.make_scorer({scoring.__name__})"
            raise OptionError(parameter="scoring", came=f"the metric {scoring.__name__}", expected=expected)
        return lambda classifier, data: _call(scoring, classifier, data)
    from sklearn.metrics import get_scorer, get_scorer_names

    own = ", ".join(NAMES)
    if scoring not in get_scorer_names():
        near = get_close_matches(str(scoring), [*NAMES, *get_scorer_names()], n=1)
        raise OptionError(
            parameter="scoring",
            came=repr(scoring),
            expected=f"one of {own}, top_5_accuracy, the name of a scorer of scikit-learn's, or a callable",
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


def check_scoring(scoring: Any, classes: int) -> None:
    """Refuse a score that can't be computed for so many classes, before the training."""
    top = TOP.fullmatch(scoring) if isinstance(scoring, str) else None
    if top is not None and int(top[1]) > classes:
        raise _no_top_accuracy(int(top[1]), f"{top[1]} classes or more")
    if isinstance(scoring, str) and scoring == "auc" and classes >= MANY_CLASSES:
        raise OptionError(
            parameter="scoring",
            came="'auc'",
            expected=f"a score for {classes:,} classes: auc takes fewer than {MANY_CLASSES:,}, because it needs the "
            "probability of each class for each row",
            remedy=(
                "Pass ",
                Setting("scoring", "top_5_accuracy"),
                ", or put rare classes together with ",
                Setting("min_count"),
                ".",
            ),
        )


def _no_top_accuracy(count: int, needs: str) -> OptionError:
    expected = f"another score: top-{count} accuracy needs {needs}"
    return OptionError(parameter="scoring", came=repr(f"top_{count}_accuracy"), expected=expected)


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
        plain.classes_, plain.network_ = plain.classes_[order], copy(plain.network_)
        plain.network_.parameters = parameters = plain.network_.parameters.copy()
        last = plain.network_.depth
        for row in (*parameters.W[last], parameters.b[last]):
            row[...] = row[order]
    return plain


def _truth(classifier: Any, data: Data) -> Array:
    """Return y as the user would write it."""
    if classifier.out_activation_ == "sigmoid":
        return (data.y > 0.5).astype(int)
    truth: Array = classifier.classes_[most_probable_class(data.y)]
    return truth


def _balanced_accuracy(classifier: Any, data: Data) -> float:
    """The mean recall over the classes; of several labels, the mean over the labels of each one's balanced accuracy."""
    columns = _columns(classifier, data)
    return float(np.mean([_recalls(truth, predicted, data.weight).mean() for truth, predicted in columns]))


def _f1(classifier: Any, data: Data) -> float:
    """Two classes: F1 of the second; otherwise the mean over the classes or labels."""
    columns = _columns(classifier, data)
    scores = [_f1_of_classes(truth, predicted, data.weight) for truth, predicted in columns]
    if classifier.out_activation_ == "sigmoid":
        return float(np.mean([of_classes.get(1, 0.0) for of_classes in scores]))
    (of_classes,) = scores
    if len(classifier.classes_) == 2:
        return float(of_classes.get(1, 0.0))
    return float(np.mean(list(of_classes.values())))


def _columns(classifier: Any, data: Data) -> list[tuple[Array, Array]]:
    """Return class indices and predicted class indices; of several labels, 0 or 1 for each of them."""
    plain = _nameless(classifier)
    if classifier.out_activation_ == "sigmoid":
        return list(zip((data.y > 0.5).astype(int).T, plain.predict(data.X).T, strict=True))
    return [(most_probable_class(data.y), plain._most_probable(data.X))]


def _recalls(truth: Array, predicted: Array, weight: Array | None) -> Array:
    """Return the recall of each class that has rows: the share of its rows that are predicted as this class."""
    total = np.bincount(truth, weight)
    hits = np.bincount(truth, (truth == predicted) * (1.0 if weight is None else weight))
    recalls: Array = hits[total > 0] / total[total > 0]
    return recalls


def _f1_of_classes(truth: Array, predicted: Array, weight: Array | None) -> dict[int, float]:
    """Return F1 of each class that a row has or is predicted to have; O(n), however many classes there are."""
    classes, place = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
    y, p = place.reshape(2, -1)
    w = np.ones(len(y)) if weight is None else weight
    hits = np.bincount(y, w * (y == p), len(classes))
    both = np.bincount(y, w, len(classes)) + np.bincount(p, w, len(classes))
    F1 = np.divide(2 * hits, both, out=np.zeros(len(classes)), where=both > 0)
    return dict(zip(classes.tolist(), F1.tolist(), strict=True))


def _top_accuracy(count: int) -> Scorer:
    """Return a scorer: the share of rows whose class is among the `count` most probable ones."""

    def scorer(classifier: Any, data: Data) -> float:
        network = classifier.network_
        if classifier.out_activation_ != "softmax":
            raise _no_top_accuracy(count, "softmax output")
        labels = best_engine(classifier.n_threads).top_classes(network, data.X, count).labels
        hits = (labels == most_probable_class(data.y)[:, None]).any(axis=1)
        return float(np.average(hits, weights=data.weight))

    return scorer


def _auc(classifier: Any, data: Data) -> float:
    """Two classes: AUC of the second; otherwise the mean over the classes, one against the rest, or over the labels."""
    from sklearn.metrics import roc_auc_score

    P = _nameless(classifier).predict_proba(data.X)
    sigmoid, k = classifier.out_activation_ == "sigmoid", P.shape[1]
    index = None if sigmoid else most_probable_class(data.y)
    there = range(k) if index is None else np.unique(index).tolist()
    columns = [1] if k == 2 and not sigmoid else there

    def of_column(c: int) -> Array:
        rows: Array = data.y[:, c] > 0.5 if index is None else index == c
        return rows

    both = [c for c in columns if 0 < of_column(c).sum() < len(P)]  # otherwise there is no such area
    if not both:
        raise _not_computable("auc", classifier, data, "it takes rows with and without a class")
    return float(np.mean([roc_auc_score(of_column(c), P[:, c], sample_weight=data.weight) for c in both]))


OWN: dict[str, Scorer] = {"balanced_accuracy": _balanced_accuracy, "f1": _f1, "auc": _auc}
