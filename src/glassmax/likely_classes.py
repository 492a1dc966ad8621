"""The most probable classes of rows, by one network or several: O(n) numbers where all probabilities would be n x k."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .calibration import Calibration
from .engine import Engine, TopClasses, blocks
from .engine.top import top_of_blocks
from .functional import softmax
from .functional.arrays import Array
from .network import Network

__all__ = ["ClassesAbove", "LikelyClasses"]

FIRST_COUNT, MORE = 16, 8
"""How many classes are looked at first for those above a threshold, and the factor for rows that have more of them."""
MOST_ROWS, MOST_RESULTS = 8192, 2**18


class ClassesAbove(NamedTuple):
    """The classes of some rows whose probability reaches a threshold.

    Attributes
    ----------
    rows : (m,) array of int64
        Row of each class, in ascending order.
    labels : (m,) array of int64
        Class indices; those of a row by descending probability.
    probabilities : (m,) array of float64
    """

    rows: Array
    labels: Array
    probabilities: Array


class LikelyClasses:
    """The most probable classes by a weighted sum of networks' logits, calibrated.

    ::

        Z = scale sum_j w_j Z_j + bias        P = softmax(Z)

    One network is taken as it is, with scale, weight and bias in its last layer: the engine then computes no more than
    a tile of logits at once. The logits of several networks are added for a few rows at a time.

    Parameters
    ----------
    engine : Engine
    networks : sequence of Network
        With softmax output.
    weights : (m,) array
        w.
    calibration : Calibration or None
    """

    def __init__(
        self, engine: Engine, networks: Sequence[Network], weights: Array, calibration: Calibration | None
    ) -> None:
        self.engine, self.networks, self.weights, self.calibration = engine, networks, weights, calibration

    def rows_at_once(self, count: int) -> int:
        """Return the number of rows to ask for at once if each of them gets so many classes.

        Inputs and hidden layers are then about a million numbers.
        """
        widest = max(max(network.n_inputs, *network.layer_sizes[:-1]) for network in self.networks)
        return max(1, min(MOST_ROWS, 2**20 // widest, MOST_RESULTS // max(count, 1)))

    def top(self, X: Array, count: int, y: Array | None = None) -> TopClasses:
        """Return the `count` most probable classes of each row, and the log-loss of each row if there is y.

        Parameters
        ----------
        X : (n, d) array or CSR matrix
        count : int
            From 0 to k.
        y : (n,) array of int64, optional
            Class indices.
        """
        if self._single is not None:
            return self.engine.top_classes(self._single, X, count, y)
        return top_of_blocks(self.networks[0], self._logits(X), count, y)

    def squares(self, X: Array) -> Array:
        """Return the sum of the squared probabilities of each row, which the Brier score needs, (n,).

        ::

            sum_c p_c^2 = p_m^2 / q_m,   q = softmax(2 Z), m = the most probable class
        """
        if self._single is None or self._doubled is None:
            pieces = [(softmax(Z.astype(np.float64)) ** 2).sum(axis=1) for Z in self._logits(X)]
            return np.concatenate([np.zeros(0), *pieces])
        p = self.engine.top_classes(self._single, X, 1).probabilities[:, 0]
        squares: Array = p * p / self.engine.top_classes(self._doubled, X, 1).probabilities[:, 0]
        return squares

    def above(self, X: Array, threshold: float) -> ClassesAbove:
        """Return the classes of each row whose probability is at least `threshold`, in (0, 1]."""
        k, waiting, count = self.networks[0].layer_sizes[-1], np.arange(X.shape[0]), FIRST_COUNT
        found: list[ClassesAbove] = []
        while len(waiting):
            count = min(count, k)
            top = self.top(X[waiting], count)
            more = (top.probabilities[:, -1] >= threshold) & (count < k)
            there = top.probabilities >= threshold
            there[more] = False
            rows, places = np.nonzero(there)
            found.append(ClassesAbove(waiting[rows], top.labels[rows, places], top.probabilities[rows, places]))
            waiting, count = waiting[more], MORE * count
        none = ClassesAbove(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        rows, labels, probabilities = map(np.concatenate, zip(none, *found, strict=True))
        order = np.argsort(rows, kind="stable")
        return ClassesAbove(rows[order], labels[order], probabilities[order])

    @cached_property
    def _single(self) -> Network | None:
        """The one network, with everything in its last layer; None where there are several."""
        if len(self.networks) != 1:
            return None
        scale, bias = float(self.weights[0]), None
        if self.calibration is not None:
            scale, bias = scale * self.calibration.scale, self.calibration.bias
        return _scaled(self.networks[0], scale, bias)

    @cached_property
    def _doubled(self) -> Network | None:
        return None if self._single is None else _scaled(self._single, 2.0, None)

    def _logits(self, X: Array) -> Iterator[Array]:
        """Yield the logits of a few rows at a time."""
        weights = self.weights.tolist()
        for some in blocks(self.networks[0], X.shape[0]):
            Z = self.engine.logits(self.networks[0], X[some])
            Z *= weights[0]
            for network, weight in zip(self.networks[1:], weights[1:], strict=True):
                other = self.engine.logits(network, X[some])
                other *= weight
                Z += other
            yield Z if self.calibration is None else self.calibration.logits(Z)


def _scaled(network: Network, scale: float, bias: Array | None) -> Network:
    """Return a network with the logits ``scale Z + bias``: the same one where nothing changes, otherwise a copy."""
    if scale == 1 and bias is None:
        return network
    scaled, last = deepcopy(network), network.depth
    scaled.parameters[f"W{last}"] *= scale
    scaled.parameters[f"b{last}"] *= scale
    if bias is not None:
        scaled.parameters[f"b{last}"] += bias.astype(network.theta.dtype)
    return scaled


def __dir__() -> list[str]:
    return __all__
