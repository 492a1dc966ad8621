"""The reference engine: batches and epochs in NumPy, one formula at a time.

It gathers a batch, asks the `Network` for loss and gradients, and lets the rule move theta. Nothing is fused or
threaded here beyond what NumPy's BLAS does; readable first.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..functional.arrays import Array
from ..network import Network
from ..optimizers import Rule, State

__all__ = ["Data", "EpochResult", "ReferenceEngine", "blocks"]

BLOCK_NUMBERS = 2**20  # of the widest layer: 8 MB of float64


class Data(NamedTuple):
    """Rows to train or judge on.

    Attributes
    ----------
    X : (n, d) array
    y : (n,) array of class indices
    weight : (n,) array or None
        Sample weights, class weights multiplied in; None stands for ones.
    """

    X: Array
    y: Array
    weight: Array | None = None

    @property
    def mean_weight(self) -> float:
        """The mean of the weights: what a mini-batch's divisor counts for each of its rows."""
        return 1.0 if self.weight is None else float(self.weight.mean())

    def rows(self, index: Array | slice) -> "Data":
        """Return some of the rows."""
        return Data(self.X[index], self.y[index], None if self.weight is None else self.weight[index])


class EpochResult(NamedTuple):
    """What an epoch says of itself.

    Attributes
    ----------
    loss : float
        The mean over the rows of the batches' losses, penalty included, each before its own step.
    steps : int
        Steps taken.
    finite : bool
        False if a loss was not finite: then the epoch ended before that step.
    """

    loss: float
    steps: int
    finite: bool


class ReferenceEngine:
    """Loss and gradients of a batch, one epoch, logits: in NumPy."""

    name = "reference"

    def epoch(
        self,
        network: Network,
        data: Data,
        rule: Rule,
        state: State,
        *,
        order: Array,
        batch_size: int,
        alpha: float,
    ) -> EpochResult:
        """Run once through the rows of `data` in `order`, a step for each batch.

        Parameters
        ----------
        network : Network
            Its theta is moved in place.
        data : Data
        rule, state : Rule, State
            The state is moved in place.
        order : (n,) array of intp
            The rows, each once.
        batch_size : int
            >= 1; the last batch may be smaller.
        alpha : float
            >= 0. A batch of m rows adds ``alpha/2 * sum of W^2 / divisor``, with the divisor
            ``m * mean weight of the data`` that its sum of losses has too.

        Returns
        -------
        EpochResult
        """
        total, mean_weight, n = 0.0, data.mean_weight, len(order)
        for step, start in enumerate(range(0, n, batch_size)):
            batch = data.rows(order[start : start + batch_size])
            m = len(batch.y)
            divisor = m * mean_weight
            with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges is reported as such
                loss, gradients = network.loss_and_gradients(*batch, divisor=divisor, l2=alpha / divisor)
                if not np.isfinite(loss):
                    return EpochResult(loss, step, finite=False)
                rule.step(network.theta, gradients.flat, state)
            total += loss * m
        return EpochResult(total / n, -(-n // batch_size), finite=True)

    def logits(self, network: Network, X: Array) -> Array:
        """Return the logits Z_last of the rows of X, (n, k)."""
        return network.forward(X).head.Z


def blocks(network: Network, n: int) -> Iterator[slice]:
    """Cut n rows into blocks whose widest layer holds about a million numbers; the cut depends on the shape alone.

    Parameters
    ----------
    network : Network
    n : int
        Number of rows.

    Yields
    ------
    slice
    """
    rows = max(1, BLOCK_NUMBERS // max(network.layer_sizes))
    for start in range(0, n, rows):
        yield slice(start, min(start + rows, n))
