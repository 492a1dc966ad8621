"""Conformal prediction sets: sets of classes that hold the true class of a promised share of new rows.

The score of a row and a class is the log-loss ``-log p_c``. The scores of the true classes of rows that the networks
were not trained on, such as out-of-fold rows, tell how large the log-loss of a true class usually is. The set of a new
row holds the classes whose log-loss is not unusually large, that is, whose probability reaches a threshold.

The promise is exact for new rows from the same source if the rows of the scores were predicted by the same networks:
rows held out. Out-of-fold rows are predicted by some of the networks of an ensemble, new rows by all of them, so that
there the promise is an approximation; `docs/howto/calibration.md` shows how good it is.

Source: Vovk, Gammerman & Shafer, *Algorithmic Learning in a Random World* (2005), section 4.2; Sadinle, Lei &
Wasserman, "Least ambiguous set-valued classifiers" (2019), for the score; Vovk, "Cross-conformal predictors" (2015).
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from dataclasses import dataclass
from typing import Self

import numpy as np

from .errors import ShapeError, between
from .functional.arrays import Array, as_floating, blocks_of_rows
from .functional.softmax import exponentials
from .functional.targets import check_target, check_weights

__all__ = ["Conformal"]


@dataclass(frozen=True, eq=False)
class Conformal:
    """Conformal scores, from which prediction sets are computed: out-of-fold log-losses of rows.

    Parameters
    ----------
    scores : (n,) array
        Log-losses of the true classes, in ascending order.
    row_weights : (n,) array, optional
        Sample weights of the rows, in the order of the scores.

    Raises
    ------
    ShapeError
        If the shapes differ, a number is not finite or below 0, or the scores are not in order.

    Examples
    --------
    >>> conformal = Conformal(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.2, 1.8]))
    >>> conformal
    Conformal(9 rows)
    >>> round(conformal.least_probability(0.8), 3)    # exp(-1.2)
    0.301
    >>> conformal.sets(np.log([[0.6, 0.35, 0.05], [0.2, 0.1, 0.7]]), 0.8)
    array([[ True,  True, False],
           [False, False,  True]])
    """

    scores: Array
    row_weights: Array | None = None

    def __post_init__(self) -> None:
        scores = as_floating(self.scores, "scores")
        if scores.ndim != 1 or not _positive(scores) or (np.diff(scores) < 0).any():
            raise ShapeError(f"The scores are {scores.shape}, expected (n,) numbers >= 0 in ascending order.")
        object.__setattr__(self, "scores", scores)
        if self.row_weights is None:
            return
        weights = as_floating(self.row_weights, "row_weights")
        if weights.shape != scores.shape or not _positive(weights):
            raise ShapeError(f"The row weights are {weights.shape}, expected a number >= 0 for each score.")
        object.__setattr__(self, "row_weights", weights)

    @property
    def n_rows(self) -> int:
        """The number of rows whose scores are kept."""
        return len(self.scores)

    def __repr__(self) -> str:
        return f"Conformal({self.n_rows} rows)"

    @classmethod
    def fit(cls, Z: Array, y: Array, sample_weight: Array | None = None) -> Self:
        """Return the scores of rows whose classes are known.

        Parameters
        ----------
        Z : (n, k) array
            Logits, calibrated, of rows that the networks were not trained on.
        y : (n,) array of int
            Class indices.
        sample_weight : (n,) array, optional
            >= 0; a row counts by its weight, and a row of weight 0 is left out.

        Returns
        -------
        Conformal
        """
        y = check_target(y, Z.shape, "classes")
        w = check_weights(sample_weight, (len(Z),))
        pieces = [log_losses(Z[rows])[np.arange(len(y[rows])), y[rows]] for rows in blocks_of_rows(Z)]
        return cls.of_losses(np.concatenate([np.zeros(0), *pieces]), w)

    @classmethod
    def of_losses(cls, losses: Array, w: Array | None = None) -> Self:
        """Return the scores of rows whose log-losses are known, (n,); the weights `w` are those of `fit`."""
        there = np.flatnonzero(np.isfinite(losses) if w is None else np.isfinite(losses) & (w > 0))
        there = there[np.argsort(losses[there], kind="stable")]
        return cls(losses[there], None if w is None else w[there])

    def threshold(self, coverage: float) -> float:
        """Return the largest log-loss of a class in a prediction set.

        ::

            t = the largest L_j with (1 + sum_i w_i [L_i >= L_j]) / (1 + n) > 1 - coverage

        with weights w of mean 1. The 1 stands for the new row, whose log-loss is as likely to have any rank as those
        of the n rows.

        Parameters
        ----------
        coverage : float
            In (0, 1).

        Returns
        -------
        float
            inf, and so all classes, if n is too small for the coverage: below ``coverage / (1 - coverage)``.
        """
        between("coverage", coverage, 0, 1, open_below=True)
        n, w = self.n_rows, self.row_weights
        if w is None or not w.sum() > 0:
            w = np.ones(n)
        at_least = np.cumsum((w / w.mean())[::-1])[::-1] if n else w  # weights of the scores from this one on
        if n:  # of equal scores, each counts for all
            at_least = at_least[np.searchsorted(self.scores, self.scores, side="left")]
        least = (1 - coverage) * (1 + n) * (1 + 1e-12)
        if least < 1:
            return np.inf
        inside = np.flatnonzero(1 + at_least > least)
        return float(self.scores[inside[-1]]) if len(inside) else 0.0

    def least_probability(self, coverage: float) -> float:
        """Return the smallest probability of a class in a prediction set: ``exp(-threshold)``."""
        return float(np.exp(-self.threshold(coverage)))

    def sets(self, Z: Array, coverage: float, *, allow_empty: bool = True) -> Array:
        """Return the prediction sets of rows: the classes whose log-loss is at most the threshold.

        Parameters
        ----------
        Z : (n, k) array
            Logits, calibrated as those of `fit` were.
        coverage : float
            In (0, 1).
        allow_empty : bool, default=True
            False adds the most probable class to an empty set.

        Returns
        -------
        (n, k) array of bool

        Notes
        -----
        Cost: that of softmax, and a comparison for each class; memory for one array like Z.
        """
        threshold = self.threshold(coverage)
        with np.errstate(invalid="ignore"):  # a row that is not finite has an empty set
            shift = Z - Z.max(axis=1, keepdims=True)
            log_sum = np.log1p(np.exp(shift).sum(axis=1, dtype=np.float64) - 1)  # log-loss = log_sum - shift
        chosen: Array = shift >= (log_sum - threshold).astype(Z.dtype)[:, None]
        if not allow_empty:
            empty = np.flatnonzero(~chosen.any(axis=1))
            chosen[empty, Z[empty].argmax(axis=1)] = True
        return chosen


def log_losses(Z: Array) -> Array:
    """Return -log softmax(Z) in float64, with all digits where it is close to 0."""
    pieces = exponentials(Z)
    losses: Array = np.log1p(pieces.others) - pieces.shift
    return losses


def _positive(values: Array) -> bool:
    return values.dtype.kind == "f" and bool((np.isfinite(values) & (values >= 0)).all())


def __dir__() -> list[str]:
    return __all__
