"""The most probable classes of a weighted sum of several networks' logits, by tiles of classes.

::

    Z = scale * sum_j w_j Z_j + bias        P = softmax(Z)

A tile holds the logits of one block of rows and at most 2048 classes. The hidden layers of a block of rows are computed
once, then the last layers for one tile of classes after another. One sweep over the tiles keeps the maximum, the sum of
the exponentials and the largest logits of each row. For a single network, `Engine.top_classes` is faster.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..functional.activations import ACTIVATIONS
from ..functional.affine import affine
from ..functional.arrays import Array
from ..functional.softcap import capped
from ..network import Network
from .top import TopClasses, check_top, largest_of_rows

__all__ = ["TopOfSum", "rows_of_tiles", "top_of_sum"]

TILE = 2048
NUMBERS = 2**20
"""Number of logits in a tile: 8 MB in float64."""


class TopOfSum(NamedTuple):
    """The most probable classes of rows, and the sums of squares that the Brier score needs.

    Attributes
    ----------
    top : TopClasses
    squares : (n,) array of float64
        The sum of the squares of each row's probabilities.
    """

    top: TopClasses
    squares: Array


def rows_of_tiles() -> int:
    """Return the number of rows that are computed at once."""
    return NUMBERS // TILE


def top_of_sum(
    networks: Sequence[Network],
    weights: Sequence[float],
    X: Array,
    count: int,
    y: Array | None = None,
    *,
    scale: float = 1.0,
    bias: Array | None = None,
) -> TopOfSum:
    """Return the most probable classes of the sum of several networks' logits.

    Parameters
    ----------
    networks : sequence of m Networks
        With softmax output and the same k classes.
    weights : sequence of m floats
        The weight w_j of each network.
    X : (n, d) array or CSR matrix
    count : int
        Number of classes for each row, from 0 to k.
    y : (n,) array of class indices, optional
        The true classes, of which the losses are computed.
    scale : float, default=1.0
        Scale of the calibration.
    bias : (k,) array, optional
        Biases of the calibration; none by default.

    Returns
    -------
    TopOfSum

    Notes
    -----
    Cost: that of the networks and of an exponential for each row and class. No (n, k) array is in memory.

    Examples
    --------
    >>> networks = [Network([2, 5000], random_state=seed) for seed in (0, 1)]
    >>> top = top_of_sum(networks, [0.5, 0.5], np.ones((3, 2)), 2).top
    >>> top.labels.shape, top.probabilities.shape
    ((3, 2), (3, 2))
    """
    check_top(networks[0], count)
    pieces = [
        _of_rows(networks, weights, X[start : start + rows_of_tiles()], count, start, y, scale, bias)
        for start in range(0, X.shape[0], rows_of_tiles())
    ]
    labels = [np.zeros((0, count), np.int64), *(piece.top.labels for piece in pieces)]
    probabilities = [np.zeros((0, count)), *(piece.top.probabilities for piece in pieces)]
    losses = None if y is None else np.concatenate([np.zeros(0), *(piece.top.losses for piece in pieces)])
    squares = np.concatenate([np.zeros(0), *(piece.squares for piece in pieces)])
    return TopOfSum(TopClasses(np.concatenate(labels), np.concatenate(probabilities), losses), squares)


def _of_rows(
    networks: Sequence[Network],
    weights: Sequence[float],
    X: Array,
    count: int,
    start: int,
    y: Array | None,
    scale: float,
    bias: Array | None,
) -> TopOfSum:
    n = X.shape[0]
    sweep, of_labels = _Sweep(n, count), np.zeros(n)
    labels = None if y is None else y[start : start + n]
    with np.errstate(invalid="ignore", over="ignore"):  # a row with an inf is NaN, as everywhere
        for tile, Z in _tiles(networks, weights, X, scale, bias):
            sweep.add(tile.start, Z)
            if labels is not None:
                rows = np.flatnonzero((tile.start <= labels) & (labels < tile.start + Z.shape[1]))
                of_labels[rows] = Z[rows, labels[rows] - tile.start]
        return sweep.result(None if labels is None else of_labels)


def _tiles(
    networks: Sequence[Network], weights: Sequence[float], X: Array, scale: float, bias: Array | None
) -> Iterator[tuple[slice, Array]]:
    """Yield the logits of each tile of classes, in float64."""
    inputs = [_last_inputs(network, X) for network in networks]
    k = networks[0].layer_sizes[-1]
    for first in range(0, k, TILE):
        tile = slice(first, min(first + TILE, k))
        total: Array | None = None
        for network, A, weight in zip(networks, inputs, weights, strict=True):
            W, b = network.parameters.W[network.depth], network.parameters.b[network.depth]
            head = network.head
            Z = capped(affine(A, W[:, tile], b[tile]), head.softcap, head.temperature).astype(np.float64)
            Z *= weight * scale
            if total is None:
                total = Z
            else:
                total += Z
        assert total is not None
        if bias is not None:
            total += bias[tile]
        yield tile, total


def _last_inputs(network: Network, X: Array) -> Array:
    """Return the input of the last layer for rows of X."""
    A = X.astype(network.theta.dtype, copy=False)
    A = A if network.embedding is None else network.embedding.forward(A, network.parameters)
    for layer, name in enumerate(network.activations, start=1):
        A = ACTIVATIONS[name].f(affine(A, network.parameters.W[layer], network.parameters.b[layer]))
    return A


class _Sweep:
    """The maximum, the sums and the largest logits of rows whose logits come by tiles of classes.

    The largest exponential, which is 1, is not added to the sums, so that a tiny loss keeps its digits.
    """

    def __init__(self, n: int, count: int) -> None:
        self.count = count
        self.largest = np.full(n, -np.inf)
        self.others, self.squares = np.zeros(n), np.zeros(n)
        self.labels = np.zeros((n, 0), np.int64)
        self.logits = np.zeros((n, 0))

    def add(self, first: int, Z: Array) -> None:
        """Take the logits of the classes from `first` on."""
        rows = np.arange(len(Z))
        top = Z.argmax(axis=1)
        largest = Z[rows, top]
        moved = ~(largest <= self.largest)  # a tie stays with the lower class; NaN moves
        self._keep(first, Z)
        new = np.where(moved, largest, self.largest)
        if first:
            shift = np.where(moved, np.exp(self.largest - new), 1.0)
            self.others = (self.others + moved) * shift
            self.squares = (self.squares + moved) * shift * shift
        E = np.exp(Z - new[:, None])
        E[rows[moved], top[moved]] = new[moved] - new[moved]  # 0, or NaN
        self.others += E.sum(axis=1)
        E *= E
        self.squares += E.sum(axis=1)
        self.largest = new

    def _keep(self, first: int, Z: Array) -> None:
        """Update the largest logits; of equal ones the lower class comes first."""
        if not self.count:
            return
        have = self.logits.shape[1]
        some = slice(None) if have < self.count else np.flatnonzero(Z.max(axis=1) > self.logits[:, -1])
        piece = Z[some]
        order = largest_of_rows(piece, self.count)
        logits = np.concatenate([self.logits[some], np.take_along_axis(piece, order, axis=1)], axis=1)
        labels = np.concatenate([self.labels[some], first + order], axis=1)
        best = np.argsort(-logits, axis=1, kind="stable")[:, : self.count]
        logits, labels = np.take_along_axis(logits, best, axis=1), np.take_along_axis(labels, best, axis=1)
        if have < self.count:
            self.logits, self.labels = logits, labels
        else:
            self.logits[some], self.labels[some] = logits, labels

    def result(self, of_labels: Array | None) -> TopOfSum:
        """Return the result of the sweep; `of_labels` are the logits of the true classes of the rows."""
        total = 1 + self.others
        probabilities = np.exp(self.logits - self.largest[:, None]) / total[:, None]
        nan = np.isnan(self.others)
        self.labels[nan], probabilities[nan] = np.arange(self.count), np.nan
        losses = None if of_labels is None else np.log1p(self.others) - (of_labels - self.largest)
        return TopOfSum(TopClasses(self.labels, probabilities, losses), (1 + self.squares) / total**2)
