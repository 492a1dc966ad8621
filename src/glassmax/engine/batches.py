"""The arguments and results of an engine: rows, regularization, and the result of an epoch."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..errors import OptionError
from ..functional.arrays import Array
from ..functional.heads import LOSSES
from ..network import Network

__all__ = ["Data", "EpochResult", "Regularization", "blocks", "check_smoothing"]

BLOCK_NUMBERS = 2**20  # of the widest layer: 8 MB of float64


class Data(NamedTuple):
    """Rows to train on, or to validate on.

    Attributes
    ----------
    X : (n, d) array or CSR matrix
    y : (n,) array of class indices, or (n, k) array or CSR matrix of rows
    weight : (n,) array or None
        Sample weights, class weights multiplied in; None means that every weight is 1.
    """

    X: Array
    y: Array
    weight: Array | None = None

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return int(self.y.shape[0])  # the length of a CSR array is an error

    @property
    def mean_weight(self) -> float:
        """The mean weight; a mini-batch of m rows divides its sum of losses by m times the mean weight."""
        return 1.0 if self.weight is None else float(self.weight.mean())

    def rows(self, index: Array | slice) -> "Data":
        """Return some of the rows; X in C order, because the order of sums, and so the bits, depend on the layout."""
        X = self.X[index]
        X = np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X
        return Data(X, self.y[index], None if self.weight is None else self.weight[index])


class Regularization(NamedTuple):
    """Regularization of a training step: penalty, label smoothing, dropout, clipping, weight decay, mixup.

    Attributes
    ----------
    alpha : float
        >= 0. A batch of m rows adds ``alpha/2 * sum of W^2 / divisor``, with the divisor ``m * mean weight of the
        data`` that its sum of losses has too.
    label_smoothing : float
        In [0, 1]: the share of each target that is spread evenly over the classes; 0 for candidate sets.
    dropout : tuple of float
        Dropout rate of each hidden layer, in [0, 1); empty for no dropout.
    seed : int
        Seed of the dropout masks and of mixup, in [0, 2^64).
    clip_norm : float or None
        > 0: maximum length of the gradient, penalty included; a longer gradient is shortened to it.
    weight_decay : float
        >= 0: before a step of learning rate r, ``W <- W - r weight_decay W``; not for biases.
    mixup : float
        In [0, 1]: upper bound of the share that a row of a batch takes of the row before it, see
        `glassmax.functional.mixup`; 0 for no mixup. A mixed row keeps its own sample weight. Targets are mixed too;
        a mixture of two candidate sets is no set, so there the losses of both are added in these shares.
    mixup_share : float
        In [0, 1]: the share of the rows that are mixed.
    """

    alpha: float = 0.0
    label_smoothing: float = 0.0
    dropout: tuple[float, ...] = ()
    seed: int = 0
    clip_norm: float | None = None
    weight_decay: float = 0.0
    mixup: float = 0.0
    mixup_share: float = 0.5


class EpochResult(NamedTuple):
    """The result of an epoch.

    Attributes
    ----------
    loss : float
        Mean loss over the rows, penalty included; the loss of each batch is taken before its step.
    steps : int
        Number of steps taken.
    finite : bool
        False if the loss of a batch was not finite: the epoch then ended before the step of that batch.
    """

    loss: float
    steps: int
    finite: bool


def check_smoothing(network: Network, regularization: Regularization) -> None:
    """Refuse label smoothing of candidate sets: it would give a share to the classes that a row rules out."""
    loss = network.head.loss
    if regularization.label_smoothing and LOSSES[loss].meaning == "candidates":
        smoothing = regularization.label_smoothing
        expected = f"0 with loss {loss!r}: it gives a share to the classes that a row rules out"
        raise OptionError(parameter="label_smoothing", came=repr(smoothing), expected=expected)


def blocks(network: Network, n: int) -> Iterator[slice]:
    """Cut n rows into blocks whose widest layer holds about a million numbers; the cuts depend on the shapes alone."""
    rows = max(1, BLOCK_NUMBERS // max(network.layer_sizes))
    for start in range(0, n, rows):
        yield slice(start, min(start + rows, n))
