"""Early stopping: when a number no longer improves, and which weights were the best."""

import math

import numpy as np

from ..functional.arrays import Array
from ..network import Network

__all__ = ["EarlyStopping"]


class EarlyStopping:
    """Watch a number that should fall, say when it no longer does, and keep the best weights.

    An epoch is an improvement if its number is at least `tol` below the best number so far. Training should stop after
    more than `patience` epochs in a row without improvement. This is the rule of scikit-learn's MLPClassifier, except
    that inf after inf is no improvement.

    Parameters
    ----------
    network : Network or None
        The network whose best weights are kept; None keeps none.
    tol : float
        >= 0, in units of the number.
    patience : float
        >= 1 epochs; inf never stops.

    Attributes
    ----------
    best : float
        The least number so far; inf before the first epoch.
    best_theta : (p,) array or None
        The weights after the best epoch.
    epochs_without_improvement : int
        Number of consecutive epochs without improvement, up to the last epoch.

    Examples
    --------
    >>> stopping = EarlyStopping(Network([1, 2]), tol=0.1, patience=1)
    >>> [stopping.should_stop(loss) for loss in (1.0, 0.8, 0.79, 0.78)]
    [False, False, False, True]
    >>> stopping
    EarlyStopping(best=0.78, epochs_without_improvement=2, tol=0.1, patience=1)
    """

    def __init__(self, network: Network | None, tol: float, patience: float) -> None:
        self.network, self.tol, self.patience = network, tol, patience
        self.best = np.inf
        self.best_theta: Array | None = None if network is None else network.theta.copy()
        self.epochs_without_improvement = 0

    def __repr__(self) -> str:
        return (
            f"EarlyStopping(best={self.best:.6g}, epochs_without_improvement={self.epochs_without_improvement}, "
            f"tol={self.tol:g}, patience={self.patience:g})"
        )

    @property
    def least_epochs(self) -> float:
        """How many more epochs, rounded down, training takes at least, whatever their numbers are."""
        return max(1, self.patience - self.epochs_without_improvement + 1)

    def should_stop(self, value: float) -> bool:
        """Record the number of an epoch, and return whether to stop."""
        improved = value <= self.best - self.tol if math.isfinite(value) else value < self.best  # NaN never does
        self.epochs_without_improvement = 0 if improved else self.epochs_without_improvement + 1
        if value < self.best:
            self.best = value
            if self.network is not None and self.best_theta is not None:
                np.copyto(self.best_theta, self.network.theta)
        return self.epochs_without_improvement > self.patience
