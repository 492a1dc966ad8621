"""How good a fitted `TableClassifier` is, beside simpler models on the same rows, and what calibration has changed.

The simpler models are a linear model (multinomial logistic regression) and the class frequencies. A preset has linear
members of its own; beside a network of the user's own, a linear model is trained, its penalty chosen by validation.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...engine import MANY_CLASSES, Data, best_engine, logits
from ...errors import OptionError
from ...functional.arrays import Array, blocks_of_rows
from ...likely_classes import LikelyClasses
from ...training import Metrics, RunningMetrics
from ...training.metrics import metrics_of_shares
from ..classifier import SoftmaxClassifier
from ..ensemble.selection import OutOfFold, judge, sample_rows
from ..linear import fit_linear, takes_long
from ..scoring import make_scorer
from .fit import TableFit
from .rows import TableRows

__all__ = ["Comparison", "compare", "metrics_of", "metrics_of_fit", "metrics_on"]

LEAST_SHARE = 1e-12
SCORES = {"f1": "F1", "auc": "AUC"}
"""The scores that are no metrics of every model."""


@dataclass
class Comparison:
    """Metrics of a model and of simpler models.

    Attributes
    ----------
    judged : str
        On which rows: "out of fold", "validation", "held out" or "training".
    columns : dict of str to Metrics
        Metrics by the name of the model: "ensemble" or "network", "linear model", "class frequencies"; the first is
        that of the model itself, which may be linear.
    before_calibration : Metrics or None
        Metrics of the same logits without the temperature.
    on_rows_of_linear : Metrics or None
        Metrics of the model on the rows that judged the linear model, if these are not all rows.
    log_losses : dict of str to float
        Log-loss of each type of member that was tried, on the rows that its members have not seen.
    step : int
        The linear model was trained on every `step`-th row.
    linear_left_out : bool
        Whether the linear model was left out because its training would have taken very long.
    scores : dict of str to list of float
        F1 or AUC of each model, if the network's `scoring` asks for it; NaN where it can't be computed.
    """

    judged: str
    columns: dict[str, Metrics]
    before_calibration: Metrics | None = None
    on_rows_of_linear: Metrics | None = None
    log_losses: dict[str, float] = field(default_factory=dict)
    step: int = 1
    linear_left_out: bool = False
    scores: dict[str, list[float]] = field(default_factory=dict)


def compare(classifier: Any, rows: TableRows, fitted: TableFit, *, linear: bool = True) -> Comparison:
    """Return the figures of a fit beside those of simpler models.

    Parameters
    ----------
    classifier : TableClassifier
    rows : TableRows
        What it was fitted on.
    fitted : TableFit
    linear : bool, default=True
        Whether to train a linear model to compare a network of the user's own with.
    """
    if classifier.network is None:
        return _of_preset(rows, fitted)
    return _of_network(classifier, rows, fitted, linear=linear)


def metrics_of(logits: Callable[[slice], Array], k: int, y: Array, weight: Array | None) -> Metrics:
    """Return the metrics of rows, whose logits are asked for a block at a time: ``logits(rows)`` is (some, k)."""
    running = RunningMetrics(k)
    with np.errstate(over="ignore", invalid="ignore"):  # the figures say so
        for some in blocks_of_rows(np.broadcast_to(0.0, (len(y), k))):
            running.add(logits(some), y[some], None if weight is None else weight[some])
    return running.metrics()


def _of_preset(rows: TableRows, fitted: TableFit) -> Comparison:
    k = len(rows.classes)
    own = metrics_of_fit(fitted, k)
    judged_on = "validation" if fitted.validated else "out of fold"
    if not len(fitted.judged):
        return Comparison(judged_on, {"ensemble": own, "class frequencies": own})
    types: dict[str, tuple[Metrics, Array]] = {}
    for kind, oof in fitted.tried:
        metrics, judged = _of_type(oof, rows, fitted)
        known = types.get(kind.name)  # types may share a name
        if known is None or (metrics.rows, -metrics.log_loss) > (known[0].rows, -known[0].log_loss):
            types[kind.name] = metrics, judged
    linear = {kind.name for kind, _ in fitted.tried if kind.is_linear}
    on_same_rows, columns = None, {"ensemble": own}
    if linear.issuperset(fitted.types):
        columns = {"linear model": own}
    elif linear & types.keys():
        columns["linear model"], judged = types[(linear & types.keys()).pop()]
        if len(judged) < len(fitted.judged):
            same = np.isin(fitted.judged, judged)
            weight = None if fitted.sample_weight is None else fitted.sample_weight[same]
            on_same_rows = _metrics(fitted.Z[same], fitted.y[same], weight)
    columns["class frequencies"] = _frequencies(rows, fitted, fitted.y, fitted.sample_weight)
    before = None
    if fitted.scale is not None:
        before = metrics_of(fitted.uncalibrated, k, fitted.y, fitted.sample_weight)
    log_losses = {name: metrics.log_loss for name, (metrics, _) in types.items()}
    return Comparison(judged_on, columns, before, on_same_rows, log_losses)


def _of_type(oof: OutOfFold, rows: TableRows, fitted: TableFit) -> tuple[Metrics, Array]:
    """Return the metrics of the members of a type, their own temperature fitted, and the rows that judged them."""
    if fitted.validated:
        y, weight = fitted.y, fitted.sample_weight
    else:
        y, weight = rows.targets(fitted.kept), rows.weights(fitted.kept)
    there, k = oof.rows(), len(rows.classes)
    y, weight = y[there], None if weight is None else weight[there]
    some = sample_rows(y, k, weight)
    scale = np.float32(judge(oof.logits(there[some]), y[some], None if weight is None else weight[some]).scale)
    index = there if fitted.validated else fitted.kept[there]
    return metrics_of(lambda rows: scale * oof.logits(there[rows]), k, y, weight), index


def _of_network(classifier: Any, rows: TableRows, fitted: TableFit, *, linear: bool) -> Comparison:
    network, held = fitted.members[0], np.setdiff1d(np.arange(len(rows.y)), fitted.kept)
    y, weight, X = fitted.y, fitted.sample_weight, None
    judged = "held out" if len(held) else "validation" if len(y) else "training"
    if judged != "validation":
        index = held if len(held) else fitted.kept
        X, y, weight = rows.encoded(index, classifier.dtype), rows.targets(index), rows.weights(index)
    known = judged == "validation" or (judged == "held out" and fitted.summary is not None)
    own = metrics_of_fit(fitted, len(rows.classes)) if known else metrics_on(network, X, y, weight)
    comparison, models = Comparison(judged, {"network": own}), [network]
    known = rows.sets is None  # the class of each row
    if linear and known and X is not None and len(network.network_.layer_sizes) > 2:
        training = rows.encoded(fitted.kept, classifier.dtype), rows.y[fitted.kept], rows.weights(fitted.kept)
        comparison.linear_left_out = takes_long(*training[:2])
        if not comparison.linear_left_out:
            of_class = rows.class_weight(classifier.class_weight)
            settings = {"random_state": fitted.seed, "n_threads": classifier.n_threads}
            simple, comparison.step = fit_linear(*training, class_weight=of_class, **settings)
            comparison.columns["linear model"] = metrics_on(simple, X, y, weight)
            models.append(simple)
    comparison.columns["class frequencies"] = _frequencies(rows, fitted, y, weight)
    if X is not None and known and network.scoring in SCORES:
        scores = [_score(network.scoring, model, Data(X, y, weight)) for model in models]
        scores += [float("nan")] * (len(comparison.columns) - len(scores))
        comparison.scores = {SCORES[network.scoring]: scores}
    return comparison


def _score(scoring: str, model: SoftmaxClassifier, data: Data) -> float:
    scorer = make_scorer(scoring)
    assert scorer is not None
    try:
        return scorer(model, data)
    except OptionError:  # a class has no rows here
        return float("nan")


def metrics_of_fit(fitted: TableFit, k: int) -> Metrics:
    """Return the metrics of the judged rows of a fit."""
    if fitted.summary is None:
        return metrics_of(lambda some: fitted.Z[some], k, fitted.y, fitted.sample_weight)
    running = RunningMetrics(k)
    running.add_top(fitted.summary, fitted.y, fitted.sample_weight)
    return running.metrics()


def metrics_on(model: SoftmaxClassifier, X: Any, y: Array, weight: Array | None) -> Metrics:
    """Return the metrics of a network on some rows."""
    network, engine = model.network_, best_engine(model.n_threads)
    X, k = X.astype(network.theta.dtype, copy=False), network.layer_sizes[-1]
    running = RunningMetrics(k)
    if k >= MANY_CLASSES and y.ndim == 1:
        running.add_top(LikelyClasses(engine, [network], np.ones(1), None).summary(X, 1, y), y, weight)
        return running.metrics()
    return _metrics(np.concatenate(list(logits(engine, network, X))), y, weight)


def _metrics(Z: Array, y: Array, weight: Array | None) -> Metrics:
    return metrics_of(lambda some: Z[some], Z.shape[1], y, weight)


def _frequencies(rows: TableRows, fitted: TableFit, y: Array, weight: Array | None) -> Metrics:
    """Return the metrics of predicting the class frequencies of the training rows for every row."""
    shares = np.maximum(rows.shares(fitted.kept), LEAST_SHARE)
    if y.ndim == 1:
        return metrics_of_shares(shares / shares.sum(), y, weight)
    one = np.log(shares)
    return _metrics(np.broadcast_to(one, (len(y), len(one))), y, weight)
