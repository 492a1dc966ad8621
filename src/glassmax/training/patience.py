"""Patience: when enough is enough, and which weights were the best."""

import math

import numpy as np

from ..functional.arrays import Array
from ..network import Network

__all__ = ["Patience"]


class Patience:
    """Watch a number that should fall, say when it no longer does, and keep the best weights.

    An epoch improves if its number falls below the best so far by at least `tol`; after more than `patience` epochs in
    a row that don't, enough is enough. (The rule of scikit-learn's MLPClassifier; but inf is no improvement on inf.)

    Parameters
    ----------
    network : Network or None
        Whose weights to keep; None keeps none.
    tol : float
        >= 0, in units of the number.
    patience : float
        >= 1 epochs; inf never ends.

    Attributes
    ----------
    best : float
        The least number so far; inf before the first epoch.
    best_theta : (p,) array or None
        The weights after the best epoch.
    idle : int
        Epochs in a row without improvement.

    Examples
    --------
    >>> watch = Patience(Network([1, 2]), tol=0.1, patience=1)
    >>> [watch.exhausted(loss) for loss in (1.0, 0.8, 0.79, 0.78)]
    [False, False, False, True]
    >>> watch.best
    0.78
    """

    def __init__(self, network: Network | None, tol: float, patience: float) -> None:
        self.network, self.tol, self.patience = network, tol, patience
        self.best = np.inf
        self.best_theta: Array | None = None if network is None else network.theta.copy()
        self.idle = 0

    def exhausted(self, value: float) -> bool:
        """Take note of an epoch's number, and say whether to stop."""
        improved = value <= self.best - self.tol if math.isfinite(value) else value < self.best  # NaN never does
        self.idle = 0 if improved else self.idle + 1
        if value < self.best:
            self.best = value
            if self.network is not None:
                self.best_theta = self.network.theta.copy()
        return self.idle > self.patience
