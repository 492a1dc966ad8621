"""What an engine is given and what it gives back: rows, a regularization, and what an epoch says of itself."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..functional.arrays import Array
from ..network import Network

__all__ = ["Data", "EpochResult", "Regularization", "blocks"]

BLOCK_NUMBERS = 2**20  # of the widest layer: 8 MB of float64


class Data(NamedTuple):
    """Rows to train or judge on.

    Attributes
    ----------
    X : (n, d) array or CSR matrix
    y : (n,) array of class indices, or (n, k) array of rows
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
        """Return some of the rows, in C order whatever that of X: the order of sums hangs on it, and so the bits."""
        X = self.X[index]
        X = np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X
        return Data(X, self.y[index], None if self.weight is None else self.weight[index])


class Regularization(NamedTuple):
    """What a step does beyond following the gradient of the loss.

    Attributes
    ----------
    alpha : float
        >= 0. A batch of m rows adds ``alpha/2 * sum of W^2 / divisor``, with the divisor ``m * mean weight of the
        data`` that its sum of losses has too.
    label_smoothing : float
        In [0, 1]: the share of each target that is spread evenly.
    dropout : tuple of float
        The share of each hidden layer's units that a row loses in a step, in [0, 1); empty for none.
    seed : int
        Of the dropout masks, in [0, 2^64).
    clip_norm : float or None
        > 0: a longer gradient, penalty included, is shortened to this length.
    weight_decay : float
        >= 0: before a step of learning rate r, ``W <- W - r weight_decay W``; biases are left out.
    """

    alpha: float = 0.0
    label_smoothing: float = 0.0
    dropout: tuple[float, ...] = ()
    seed: int = 0
    clip_norm: float | None = None
    weight_decay: float = 0.0


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
