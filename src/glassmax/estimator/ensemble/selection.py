"""Out-of-fold logits, and what is decided by them: which types of members are used, with which weights and scale.

Everything is judged by the log-loss of ``softmax(scale * sum_t w_t Z_t)`` on rows that the members have not seen, where
Z_t is the mean of the logits of the members of type t that left the row out. Types may have judged different rows, if
the training ended early: they are compared on the rows that all of them judged.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...calibration import SCALE_SPREAD, Calibration, fit_scale
from ...functional.arrays import Array, blocks_of_rows
from ...functional.stacking import stacked_cross_entropy, stacking_penalty
from ...optimizers import lbfgs

__all__ = ["Combination", "Judgement", "OutOfFold", "combine", "fit_weights", "judge", "sample_rows"]

MOST_LOGITS, FEWEST_ROWS_OF_SAMPLE = 2**22, 256
"""Weights, scale and biases are fitted on a sample of the rows if these have more logits in all; of at least so many
rows."""
ROWS_FOR_A_BIAS = 20
"""A bias is fitted for each class if there are that many rows a class."""
LEAST_WEIGHT = 0.01
"""A type of less weight than this is not used."""


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
        for block in blocks_of_rows(Z):
            self.total[rows[block]] += Z[block]
        self.count[rows] += 1

    def rows(self) -> Array:
        """Return the rows that at least one member left out."""
        return np.flatnonzero(self.count)

    def logits(self, rows: Array) -> Array:
        """Return the mean logits of these rows; zeros where no member left the row out."""
        mean: Array = self.total[rows]
        mean /= np.maximum(self.count[rows, None], 1).astype(np.float32)
        return mean


class Combination(NamedTuple):
    """Types of members combined.

    Attributes
    ----------
    weights : (T,) array
        Weight of each type; their sum is the scale. 0 if the type is not used.
    bias : (k,) array or None
    judged : (r,) array of int
        Rows that at least one type judged.
    Z : (r, k) array of float32
        Their logits, scaled, with the bias.
    """

    weights: Array
    bias: Array | None
    judged: Array
    Z: Array


def judge(Z: Array, y: Array, weight: Array | None) -> Judgement:
    """Fit the scale of logits, and return log-loss and accuracy with it; NaN where the weights sum to 0."""
    w = np.ones(len(y)) if weight is None else weight.astype(np.float64)
    total = w.sum()
    if not total > 0:
        return Judgement(np.nan, np.nan, 1.0, 0)
    some = sample_rows(y, Z.shape[1], w)
    scale = fit_scale(Z, y, w) if len(some) == len(y) else fit_scale(Z[some], y[some], w[some])
    top = Z.argmax(axis=1)
    hits = w @ (top == y if y.ndim == 1 else y[np.arange(len(y)), top] == 1)
    log_loss, _ = stacked_cross_entropy(np.log([scale]), [Z], y, w)
    return Judgement(log_loss, float(hits / total), scale, len(y))


def sample_rows(y: Array, k: int, weight: Array | None = None) -> Array:
    """Return the rows to fit a few numbers on, in ascending order: all of them, or about the same share of each class.

    The sample is the same at each call. Rows of weight 0 are not drawn.
    """
    rows = np.arange(len(y)) if weight is None else np.flatnonzero(weight)
    most = max(MOST_LOGITS // k, FEWEST_ROWS_OF_SAMPLE)
    if len(rows) <= most:
        return np.arange(len(y))
    rows = np.random.RandomState(0).permutation(rows)
    if y.ndim == 1:
        rows = rows[np.argsort(y[rows], kind="stable")]
    return np.sort(rows[np.arange(most) * len(rows) // most])


def fit_weights(Zs: Sequence[Array], y: Array, weight: Array | None = None) -> Array:
    """Return the weights exp(a_t) of the types with the least log-loss of ``softmax(sum_t exp(a_t) Z_t)``.

    `stacking_penalty`, divided by the number of rows whose weight isn't 0, draws the weights towards equal ones that
    sum to 1. The logits Z_t should be scaled by `fit_scale`.
    """
    w = np.ones(len(y)) if weight is None else weight.astype(np.float64)
    n = np.count_nonzero(w)

    def objective(a: Array) -> tuple[float, Array]:
        (loss, slope), (penalty, away) = stacked_cross_entropy(a, Zs, y, w), stacking_penalty(a, SCALE_SPREAD)
        return loss + penalty / n, slope + away / n

    start = np.full(len(Zs), -np.log(len(Zs)))
    *_, last = lbfgs(objective, start, max_iter=100, max_fun=200, tol=1e-5)
    return np.exp(last.theta)


def combine(
    oofs: Sequence[OutOfFold], y: Array, weight: Array | None, *, fold: float, biases: bool
) -> Combination | None:
    """Fit weights, scale and biases of types of members; None if no row that counts was judged.

    Parameters
    ----------
    oofs : sequence of OutOfFold
        Out-of-fold logits of each type.
    y, weight
        Classes or candidates of all rows, and their weights.
    fold : float
        Number of rows of a fold. The rows that all types judged are enough to compare them if there are half as many.
    biases : bool
        Whether to fit a bias for each class, if that lowers the log-loss.
    """
    k = oofs[0].total.shape[1]
    judged = np.flatnonzero(np.max([oof.count for oof in oofs], axis=0))
    if not len(judged) or not (weight is None or weight[judged].any()):
        return None
    types, rows = _comparable(oofs, weight, fold / 2)
    rows = rows[sample_rows(y[rows], k)]
    of_rows = y[rows], None if weight is None else weight[rows]
    Zs = [oofs[t].logits(rows) for t in types]
    w = np.zeros(len(oofs))
    w[types] = _weights(Zs, *of_rows)
    Z, bias = _mean_logits(oofs, w, judged, y, weight), None
    if biases and y.ndim == 1 and len(rows) >= ROWS_FOR_A_BIAS * k:
        calibration = Calibration.fit(_sum(w[types], Zs), *of_rows)
        if calibration.bias is not None:
            w, bias = w * calibration.scale, calibration.bias
            Z *= np.float32(calibration.scale)
            Z += bias.astype(np.float32)
    return Combination(w, bias, judged, Z)


def _comparable(oofs: Sequence[OutOfFold], weight: Array | None, enough: float) -> tuple[list[int], Array]:
    """Return the types that are compared, and the rows that count and that all of them judged.

    The types that judged most rows come first. A type is left out if too few rows would be judged by all.
    """
    judged = [oof.count > 0 if weight is None else (oof.count > 0) & (weight > 0) for oof in oofs]
    counts = [int(np.count_nonzero(rows)) for rows in judged]
    order = sorted(range(len(oofs)), key=lambda t: -counts[t])
    types, common = order[:1], judged[order[0]]
    for t in order[1:]:
        both = common & judged[t]
        if int(np.count_nonzero(both)) >= min(enough, int(np.count_nonzero(common))):
            types, common = [*types, t], both
    return sorted(types), np.flatnonzero(common)


def _weights(Zs: Sequence[Array], y: Array, weight: Array | None) -> Array:
    """Return the weight of each type; their sum is the scale.

    Types of little weight have none. A type that alone predicts better than the weighted mean has all of the weight.
    """
    alone = [judge(Z, y, weight) for Z in Zs]
    scales = np.array([one.scale for one in alone])
    w = _stacked(Zs, scales, y, weight)
    best = int(np.argmin([one.log_loss for one in alone]))
    if alone[best].log_loss < judge(_sum(w, Zs), y, weight).log_loss:
        return np.where(np.arange(len(Zs)) == best, scales, 0.0)
    return w


def _stacked(Zs: Sequence[Array], scales: Array, y: Array, weight: Array | None) -> Array:
    """Return the weights of the types by regularized stacking."""
    w = np.zeros(len(Zs))
    used = np.arange(len(Zs))
    while True:
        scaled = [np.float32(scales[t]) * Zs[t] for t in used.tolist()]
        found = fit_weights(scaled, y, weight) if len(used) > 1 else np.ones(1)
        enough = found >= LEAST_WEIGHT * found.sum()
        if enough.all():
            w[used] = found * scales[used]
            return w
        used = used[enough]


def _sum(w: Array, Zs: Sequence[Array]) -> Array:
    """Return sum_t w_t Z_t."""
    Z: Array = np.zeros_like(Zs[0])
    for t in np.flatnonzero(w).tolist():
        Z += np.float32(w[t]) * Zs[t]
    return Z


def _mean_logits(oofs: Sequence[OutOfFold], w: Array, rows: Array, y: Array, weight: Array | None) -> Array:
    """Return the scaled logits of rows: the weighted mean of the types that judged the row, times the sum of weights.

    A row that only types without weight judged has their logits, each with its own scale.
    """
    judged = np.array([oof.count[rows] > 0 for oof in oofs])
    used = w @ judged
    factors = (w.sum() / np.where(used > 0, used, 1)) * judged * w[:, None]
    if not used.all():
        others = used == 0
        factors[:, others] = _own_scales(oofs, y, weight)[:, None] * judged[:, others] / judged[:, others].sum(axis=0)
    Z = np.zeros((len(rows), oofs[0].total.shape[1]), np.float32)
    for block in blocks_of_rows(Z):
        for oof, factor in zip(oofs, factors[:, block].astype(np.float32), strict=True):
            if factor.any():
                Z[block] += factor[:, None] * oof.logits(rows[block])
    return Z


def _own_scales(oofs: Sequence[OutOfFold], y: Array, weight: Array | None) -> Array:
    """Return the scale of each type alone, fitted on the rows that it judged."""
    scales = np.ones(len(oofs))
    for t, oof in enumerate(oofs):
        rows = oof.rows()
        rows = rows[sample_rows(y[rows], oof.total.shape[1])]
        of_rows = None if weight is None else weight[rows]
        if len(rows) and (of_rows is None or of_rows.any()):
            scales[t] = fit_scale(oof.logits(rows), y[rows], of_rows)
    return scales
