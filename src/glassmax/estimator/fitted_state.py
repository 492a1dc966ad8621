"""Results of a fit: built beside the classifier, and committed to it once an epoch is done.

A fit that is refused, or fails in its first epoch, is never committed: the classifier keeps its last fit.
"""

from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from ..engine import MOST_KEPT
from ..functional.arrays import Array
from ..network import Network
from ..table import Encoding, Note
from ..training import EarlyStopping, Epoch, TrainingState
from .options import Plan

__all__ = ["FittedState", "keeps_copy"]


def keeps_copy(network: Network) -> bool:
    """Return whether weights and moments are copied before further training, to be restored after an error."""
    return network.theta.size <= MOST_KEPT


PRIVATE = {"training": "_training_state", "early_stopping": "_early_stopping"}


@dataclass(repr=False)
class FittedState:
    """Results of a fit so far; the fields are the classifier's attributes without their underscore.

    Attributes
    ----------
    training : TrainingState
        State that the next epoch depends on, besides the weights.
    early_stopping : EarlyStopping
        State of early stopping across calls of `partial_fit`; `fit` doesn't use it.
    network, classes, init, n_features_in, feature_names_in, loss, n_iter, t, loss_curve, ...
        See `SoftmaxClassifier`.
    """

    network: Network
    classes: Array
    init: tuple[str, ...]
    n_features_in: int
    feature_names_in: Array | None
    training: TrainingState
    early_stopping: EarlyStopping
    loss: float = float("nan")
    n_iter: int = 0
    t: int = 0
    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] | None = None
    validation_loss_curve: list[float] | None = None
    best_validation_score: float | None = None
    best_loss: float | None = None
    best_epoch: int | None = None
    stop_reason: str | None = None
    rare_classes: Array | None = None
    encoding: Encoding | None = None
    notes: list[Note] = field(default_factory=list)

    @classmethod
    def of(cls, classifier: Any) -> Self:
        """Return the state of a fitted classifier: a copy, except for the network, which is shared.

        The state of the rule is shared too if the network has so many parameters that no copy of them is kept.
        """
        values = {name: vars(classifier).get(attribute) for name, attribute in ATTRIBUTES.items()}
        curves = {name: value.copy() for name, value in values.items() if isinstance(value, list)}
        training = values["training"]
        copies = {
            "training": deepcopy(replace(training, state={})),
            "early_stopping": deepcopy(values["early_stopping"]),
        }
        copies["training"].state = deepcopy(training.state) if keeps_copy(values["network"]) else training.state
        return cls(**values | curves | copies)

    @classmethod
    def begin(
        cls,
        classifier: Any,
        plan: Plan,
        network: Network,
        draw: np.random.RandomState,
        *,
        classes: Array,
        init: tuple[str, ...],
        feature_names_in: Array | None,
    ) -> Self:
        """Return the state before the first epoch; `draw` generates everything random in the fit."""
        training = TrainingState(plan.initial_state(network), draw)
        early_stopping = EarlyStopping(None, classifier.tol, classifier.n_iter_no_change)
        state = cls(network, classes, init, network.n_inputs, feature_names_in, training, early_stopping)
        state.draw_seed(plan)
        return state

    def draw_seed(self, plan: Plan) -> None:
        """Draw the seed of dropout and mixup if there is one of them and no seed yet."""
        if (plan.regularization.dropout or plan.regularization.mixup) and not self.training.seed:
            self.training.seed = int(self.training.draw.randint(2**63 - 1, dtype=np.int64))

    def record(self, epoch: Epoch, score: float | None) -> None:
        """Add an epoch and, if there are validation rows, its score by `scoring`."""
        self.n_iter += 1
        self.t = self.training.rows
        self.loss = epoch.loss
        self.loss_curve.append(epoch.loss)
        if epoch.validation is None or score is None:
            return
        assert self.validation_scores is not None
        assert self.validation_loss_curve is not None
        self.validation_scores.append(score)
        self.validation_loss_curve.append(epoch.validation.log_loss)
        best = self.best_validation_score
        if best is None or score > best or np.isnan(best):
            self.best_validation_score = score

    def resume(self) -> None:
        """Work out what follows from a checkpoint's curves and training state, once these have been restored."""
        self.n_iter, self.t = self.training.epochs, self.training.rows
        if self.loss_curve:
            self.loss = self.loss_curve[-1]
        if self.validation_scores:
            scores = [score for score in self.validation_scores[-self.n_iter :] if not np.isnan(score)]
            self.best_validation_score = max(scores, default=float("nan"))

    def commit(self, classifier: Any) -> None:
        """Write every attribute to the classifier."""
        values, learned = vars(self), vars(classifier)
        for name, attribute in ATTRIBUTES.items():
            learned[attribute] = values[name]
        if self.feature_names_in is None:  # scikit-learn asks whether there is such an attribute
            del learned["feature_names_in_"]

    def commit_epoch(self, classifier: Any) -> None:
        """Write what an epoch has changed to a classifier that has the rest, and shares the curves."""
        classifier.n_iter_, classifier.t_, classifier.loss_ = self.n_iter, self.t, self.loss
        classifier.best_validation_score_ = self.best_validation_score


ATTRIBUTES = {field.name: PRIVATE.get(field.name, f"{field.name}_") for field in fields(FittedState)}
"""The classifier's attribute for each field."""
