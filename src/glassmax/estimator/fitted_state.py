"""What a fit learns: built beside the classifier, and committed to it once an epoch is done.

A fit that is refused, or fails in its first epoch, is never committed: the classifier keeps its last fit.
"""

from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np

from ..errors import DivergenceError
from ..functional.arrays import Array
from ..network import Network
from ..training import EarlyStopping, TrainingState
from .options import Plan

__all__ = ["FittedState"]

PRIVATE = {"training": "_training_state", "early_stopping": "_early_stopping"}


@dataclass(repr=False)
class FittedState:
    """What a fit has learned so far; the fields are the classifier's attributes without their underscore.

    Attributes
    ----------
    training : TrainingState
        What the next epoch depends on besides the weights.
    early_stopping : EarlyStopping
        What `partial_fit` watches from call to call; `fit` has one of its own.
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

    @classmethod
    def of(cls, classifier: Any) -> Self:
        """Return the state of a fitted classifier: a copy, except for the network, which is shared.

        Parameters
        ----------
        classifier : SoftmaxClassifier

        Returns
        -------
        FittedState
        """
        values = {f.name: vars(classifier).get(_attribute(f.name)) for f in fields(cls)}
        network = values.pop("network")
        return cls(network=network, **deepcopy(values))

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
        """Return the state before the first epoch.

        Parameters
        ----------
        classifier : SoftmaxClassifier
            Its parameters are read.
        plan : Plan
        network : Network
        draw : numpy.random.RandomState
            The generator of everything random in the fit.
        classes, init, feature_names_in
            See `SoftmaxClassifier`.

        Returns
        -------
        FittedState
        """
        training = TrainingState(plan.initial_state(network.theta), draw)
        early_stopping = EarlyStopping(None, classifier.tol, classifier.n_iter_no_change)
        state = cls(network, classes, init, network.layer_sizes[0], feature_names_in, training, early_stopping)
        state.draw_seed(plan)
        return state

    def draw_seed(self, plan: Plan) -> None:
        """Draw the seed of the dropout masks if there is dropout and no seed yet."""
        if plan.regularization.dropout and not self.training.seed:
            self.training.seed = int(self.training.draw.randint(2**63 - 1, dtype=np.int64))

    def commit(self, classifier: Any) -> None:
        """Write every attribute to the classifier.

        Parameters
        ----------
        classifier : SoftmaxClassifier
        """
        learned = {_attribute(name): value for name, value in vars(self).items()}
        if self.feature_names_in is None:  # scikit-learn asks whether the attribute exists
            del learned["feature_names_in_"]
            vars(classifier).pop("feature_names_in_", None)
        vars(classifier).update(learned)

    def abandon(self, classifier: Any, error: BaseException, theta: Array | None) -> None:
        """Undo a fit that has failed before it was committed.

        The classifier keeps its last fit; a first fit whose loss is not finite leaves its starting weights.

        Parameters
        ----------
        classifier : SoftmaxClassifier
        error : BaseException
            Why the fit has failed.
        theta : (p,) array or None
            The weights before the fit, if the network is that of the last fit.
        """
        if theta is not None:
            self.network.theta = theta
        elif isinstance(error, DivergenceError) and not hasattr(classifier, "network_"):
            self.stop_reason = "diverged"
            self.commit(classifier)


def _attribute(name: str) -> str:
    return PRIVATE.get(name, f"{name}_")
