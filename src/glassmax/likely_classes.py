"""The most probable classes of rows, by one network or several: O(n) numbers where all probabilities would be n x k."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .calibration import Calibration
from .engine import MANY_CLASSES, Engine, TopClasses, TopOfSum, blocks, top_of_sum
from .engine.top import top_of_blocks
from .errors import between
from .functional.arrays import Array
from .network import Network

__all__ = ["ClassesAbove", "LikelyClasses", "sum_of_logits"]

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

    Of very many classes, no more than a tile of logits is computed at once.

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
        network = self.networks[0]
        if self._is_plain:
            return self.engine.top_classes(network, X, count, y)
        if network.layer_sizes[-1] < MANY_CLASSES:
            return top_of_blocks(network, self._logits(X), count, y)
        return self.summary(X, count, y).top

    def summary(self, X: Array, count: int, y: Array | None = None) -> TopOfSum:
        """Return the same, for at least one class, with the sum of each row's squared probabilities.

        ::

            sum_c p_c^2 = p_m^2 / q_m,   q = softmax(2 Z),   m = the most probable class
        """
        if self._is_plain:
            top = self.top(X, count, y)
            of_doubled = self.engine.top_classes(self._doubled, X, 1)
            return TopOfSum(top, top.probabilities[:, 0] ** 2 / of_doubled.probabilities[:, 0])
        scale, bias = (1.0, None) if self.calibration is None else (self.calibration.scale, self.calibration.bias)
        return top_of_sum(self.networks, self.weights.tolist(), X, count, y, scale=scale, bias=bias)

    def above(self, X: Array, threshold: float) -> ClassesAbove:
        """Return the classes of each row whose probability is at least `threshold`, in (0, 1]."""
        most = int(min(self.networks[0].layer_sizes[-1], 1 / threshold + 1))  # the sum of a row is 1, rounded
        found: list[ClassesAbove] = []
        waiting, count = np.arange(X.shape[0]), min(FIRST_COUNT, most)
        while len(waiting):
            at_once, later = self.rows_at_once(count), []
            for piece in (waiting[start : start + at_once] for start in range(0, len(waiting), at_once)):
                top = self.top(X[piece], count)
                more = (top.probabilities[:, -1] >= threshold) & (count < most)
                there = top.probabilities >= threshold
                there[more] = False
                rows, places = np.nonzero(there)
                found.append(ClassesAbove(piece[rows], top.labels[rows, places], top.probabilities[rows, places]))
                later.append(piece[more])
            waiting, count = np.concatenate(later), min(MORE * count, most)
        none = ClassesAbove(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        rows, labels, probabilities = map(np.concatenate, zip(none, *found, strict=True))
        order = np.argsort(rows, kind="stable")
        return ClassesAbove(rows[order], labels[order], probabilities[order])

    def sparse(self, X: Array, threshold: float) -> Any:
        """Return the probabilities that are at least `threshold`, in (0, 1], as an (n, k) CSR array."""
        from scipy.sparse import coo_array, csr_array  # late: most predictions need no SciPy

        between("threshold", threshold, 0, 1, open_below=True, open_above=False)
        found, shape = self.above(X, threshold), (X.shape[0], self.networks[0].layer_sizes[-1])
        P = csr_array(coo_array((found.probabilities, (found.rows, found.labels)), shape=shape))
        P.sort_indices()
        return P

    @property
    def _is_plain(self) -> bool:
        """Whether the one network's logits are those of the model."""
        return len(self.networks) == 1 and self.weights[0] == 1 and self.calibration is None

    @cached_property
    def _doubled(self) -> Network:
        """The one network with twice the logits; it shares the weights."""
        doubled, head = copy(self.networks[0]), self.networks[0].head
        softcap = None if head.softcap is None else 2 * head.softcap
        doubled.head = replace(head, temperature=head.temperature / 2, softcap=softcap)
        return doubled

    def _logits(self, X: Array) -> Iterator[Array]:
        """Yield the logits of a few rows at a time."""
        for some in blocks(self.networks[0], X.shape[0]):
            Z = sum_of_logits(self.engine, self.networks, self.weights, X[some])
            yield Z if self.calibration is None else self.calibration.logits(Z)


def sum_of_logits(engine: Engine, networks: Sequence[Network], weights: Array, X: Array) -> Array:
    """Return sum_j w_j Z_j for a block of rows, (n, k); the order of the sum is fixed."""
    factors = weights.tolist()
    Z = engine.logits(networks[0], X)
    if factors[0] != 1:
        Z *= factors[0]
    for network, factor in zip(networks[1:], factors[1:], strict=True):
        other = engine.logits(network, X)
        other *= factor
        Z += other
    return Z


def __dir__() -> list[str]:
    return __all__
