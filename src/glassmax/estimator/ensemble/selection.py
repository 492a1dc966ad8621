"""Out-of-fold logits, and what is decided by them: which types of members are used, with which weights and scale.

Everything is judged by the log-loss of ``softmax(scale * sum_t w_t Z_t)`` on rows that the members have not seen, where
Z_t is the mean of the logits of the members of type t that left the row out.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from ...functional import log_softmax, softmax, softmax_candidate_cross_entropy
from ...functional.arrays import Array, weighted_sum

__all__ = ["Judgement", "OutOfFold", "fit_scale", "fit_weights", "judge"]

ROWS_AT_ONCE = 2**22
STRENGTH_SCALE, LARGEST_STEP, ITERATIONS = 2.0, 1.0, 30


class Judgement(NamedTuple):
    """How well logits predict rows, once they are multiplied by the best scale."""

    log_loss: float
    accuracy: float
    scale: float
    rows: int


class OutOfFold:
    """The mean logits, for each row, of the members of one type that left the row out.

    Attributes
    ----------
    total : (n, k) array of float32
        Sum of the logits.
    count : (n,) array of int
        Number of members that left the row out.
    """

    def __init__(self, n: int, k: int) -> None:
        self.total, self.count = np.zeros((n, k), np.float32), np.zeros(n, np.int16)

    def add(self, rows: Array, Z: Array) -> None:
        """Add the logits of a member for the rows that it left out."""
        self.total[rows] += Z
        self.count[rows] += 1

    def rows(self) -> Array:
        """Return the rows that at least one member left out."""
        return np.flatnonzero(self.count)

    def logits(self, rows: Array) -> Array:
        """Return the mean logits of these rows; each was left out by at least one member."""
        mean: Array = self.total[rows] / self.count[rows, None].astype(np.float32)
        return mean


def judge(Z: Array, y: Array, weight: Array | None) -> Judgement:
    """Fit the scale of logits, and return log-loss and accuracy with it; NaN where the weights sum to 0."""
    w = np.ones(len(y)) if weight is None else weight
    total = w.sum()
    if not total > 0:
        return Judgement(np.nan, np.nan, 1.0, 0)
    scale = fit_scale(Z, y, w)
    top = Z.argmax(axis=1)
    hits = weighted_sum(w, top == y if y.ndim == 1 else y[np.arange(len(y)), top] == 1)
    return Judgement(_loss(scale * Z.astype(np.float64), y, w), float(hits / total), scale, len(y))


def fit_scale(Z: Array, y: Array, weight: Array | None = None) -> float:
    """Return the scale exp(a) with the least log-loss plus 2 a^2 / n, by Newton's method; 1 / scale is the temperature.

    With s = exp(a), ``dL/da = s sum_i w_i <p_i - y_i, z_i>`` and ``d2L/da2 = dL/da + s^2 sum_i w_i var_{p_i}(z_i)``,
    the weights summing to 1. Where y holds candidates, y_i is softmax over them, and the variance under it is
    subtracted.
    """
    w = (np.ones(len(y)) if weight is None else weight).astype(np.float64)
    w, strength = w / w.sum(), 2 * STRENGTH_SCALE / len(y)
    a = 0.0
    for _ in range(ITERATIONS):
        s, first, variance = np.exp(a), 0.0, 0.0
        for rows in _blocks(Z):
            z = Z[rows].astype(np.float64)
            P = np.exp(log_softmax(s * z))
            mean = (P * z).sum(axis=1)
            target = _target(s * z, y[rows])
            first += weighted_sum(w[rows], mean - target.mean(z))
            variance += weighted_sum(w[rows], (P * z * z).sum(axis=1) - mean**2 - target.variance(z))
        variance = max(float(variance), 0.0)
        slope = s * first + strength * a
        curvature = max(s * first, 0.0) + s * s * variance + strength
        step = float(np.clip(-slope / curvature, -LARGEST_STEP, LARGEST_STEP))
        a += step
        if abs(step) < 1e-6:
            break
    return float(np.exp(a))


def fit_weights(Zs: list[Array], y: Array, weight: Array | None = None) -> Array:
    """Return the weights exp(a_t) of the types, with the least log-loss of ``softmax(sum_t exp(a_t) Z_t)``.

    ::

        L(a) = sum_i w_i CE_i / sum_i w_i + sum_t (a_t - mean a)^2 / n + (log sum_t exp(a_t) / 0.5)^2 / (2 n)

    The penalties draw the weights towards equal ones that sum to 1. The logits Z_t should be scaled by `fit_scale`.
    """
    w = (np.ones(len(y)) if weight is None else weight).astype(np.float64)
    w, n = w / w.sum(), len(y)

    def loss(a: Array) -> tuple[float, Array]:
        away, e = a - a.mean(), np.exp(a)
        log_sum = np.log(e.sum())
        value = (away @ away + STRENGTH_SCALE * log_sum**2) / n
        slope = (2 * away + 2 * STRENGTH_SCALE * log_sum * e / e.sum()) / n
        for rows in _blocks(Zs[0]):
            z = [Z[rows].astype(np.float64) for Z in Zs]
            logs = log_softmax(sum(e_t * z_t for e_t, z_t in zip(e, z, strict=True)))
            target = _target(logs, y[rows])
            value -= float(weighted_sum(w[rows], target.log_p(logs)))
            P = np.exp(logs)
            slope += e * [weighted_sum(w[rows], (P * z_t).sum(axis=1) - target.mean(z_t)) for z_t in z]
        return value, slope

    start = np.full(len(Zs), -np.log(len(Zs)))
    return np.exp(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-20, 6)] * len(Zs)).x)


def _loss(Z: Array, y: Array, w: Array) -> float:
    total = 0.0
    for rows in _blocks(Z):
        logs = log_softmax(Z[rows])
        total -= float(weighted_sum(w[rows], _target(logs, y[rows]).log_p(logs)))
    return total / float(w.sum())


class _Classes:
    """The true class of each row."""

    def __init__(self, y: Array) -> None:
        self.truth = np.arange(len(y)), y

    def log_p(self, logs: Array) -> Array:
        """The log-probability of the truth, from those of all classes."""
        return logs[self.truth]

    def mean(self, z: Array) -> Array:
        """The mean of z over the truth."""
        return z[self.truth]

    def variance(self, z: Array) -> Array:
        """The variance of z over the truth."""
        return np.zeros(len(z))


class _Candidates:
    """The candidates of each row, S (n, k), with softmax Q over them."""

    def __init__(self, z: Array, S: Array) -> None:
        self.S, self.Q = S, softmax(np.where(S == 1, z, -np.inf))

    def log_p(self, logs: Array) -> Array:
        """The log-probability of the candidates together."""
        return -softmax_candidate_cross_entropy(logs, self.S, reduction="none")

    def mean(self, z: Array) -> Array:
        """The mean of z over the candidates."""
        return (self.Q * z).sum(axis=1)

    def variance(self, z: Array) -> Array:
        """The variance of z over the candidates."""
        return (self.Q * z * z).sum(axis=1) - self.mean(z) ** 2


def _target(z: Array, y: Array) -> _Classes | _Candidates:
    return _Classes(y) if y.ndim == 1 else _Candidates(z, y)


def _blocks(Z: Array) -> list[slice]:
    """Cut the rows so that no large array of doubles is needed."""
    size = max(1, ROWS_AT_ONCE // Z.shape[1])
    return [slice(start, start + size) for start in range(0, len(Z), size)]
