"""Conformal prediction sets: sets of classes that hold the true class of a promised share of new rows.

The score of a row and a class is the log-loss ``-log p_c``. The scores of rows with known classes, each by networks
that were not trained on the row, tell how unusual the score of a class is; a class whose score is too unusual is left
out of the set. `glassmax.model.Model.prediction_sets` uses this module.

Source: Vovk, "Cross-conformal predictors" (2015); Barber, Candes, Ramdas & Tibshirani, "Predictive inference with the
jackknife+" (2021), section 3; Sadinle, Lei & Wasserman, "Least ambiguous set-valued classifiers" (2019), for the score.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from .errors import ShapeError, between
from .functional.arrays import Array
from .functional.softmax import exponentials
from .functional.targets import check_target, check_weights

__all__ = ["Conformal"]


@dataclass(frozen=True, eq=False)
class Conformal:
    """Out-of-fold scores of blocks of rows: what prediction sets are computed from.

    Parameters
    ----------
    weights : (B, m) array
        For each block, the weights of the m members' logits whose sum scores the block: 0 for the members that were
        trained on rows of the block.
    scores : sequence of B arrays
        For each block, the log-losses of its rows, in ascending order.
    row_weights : sequence of B arrays, optional
        For each block, the sample weights of the rows, in the order of the scores.

    Raises
    ------
    ShapeError
        If the shapes don't fit each other, a number is not finite or below 0, or the scores are not in order.
    """

    weights: Array
    scores: Sequence[Array]
    row_weights: Sequence[Array] | None = None

    def __post_init__(self) -> None:
        weights, scores, of_rows = self.weights, self.scores, self.row_weights
        if not (weights.ndim == 2 and weights.shape[0] == len(scores) > 0 and _positive(weights)):
            raise ShapeError(f"The weights are {weights.shape}, expected ({len(scores)}, m) numbers >= 0.")
        if (weights.sum(axis=1) <= 0).any():
            raise ShapeError("A block has no member that scores it, expected a weight > 0 in each row.")
        if any(block.ndim != 1 or not _positive(block) or (np.diff(block) < 0).any() for block in scores):
            raise ShapeError("The scores are not numbers >= 0 in ascending order, block by block.")
        if of_rows is not None and (
            [block.shape for block in of_rows] != [block.shape for block in scores] or not all(map(_positive, of_rows))
        ):
            raise ShapeError("The row weights are not a number >= 0 for each score, block by block.")

    @property
    def n_rows(self) -> int:
        """The number of rows whose scores are kept."""
        return sum(map(len, self.scores))

    def __repr__(self) -> str:
        return f"Conformal({self.n_rows} rows in {len(self.scores)} blocks)"

    @classmethod
    def fit(cls, Z: Array, y: Array, blocks: Array, weights: Array, sample_weight: Array | None = None) -> Self:
        """Return the scores of rows whose classes are known.

        Parameters
        ----------
        Z : (n, k) array
            Out-of-fold logits, calibrated: for the rows of block b, the sum of the members' logits with the weights
            ``weights[b]``, corrected as the model corrects its logits.
        y : (n,) array of int
            Class indices.
        blocks : (n,) array of int
            The block of each row, in 0 .. B - 1.
        weights : (B, m) array
            For each block, the weights of the members' logits.
        sample_weight : (n,) array, optional
            >= 0; a row counts by its weight.

        Returns
        -------
        Conformal
        """
        y = check_target(y, Z.shape, "classes")
        w = None if sample_weight is None else check_weights(sample_weight, (len(Z),))
        scores, of_rows = [], []
        for b in range(len(weights)):
            rows = np.flatnonzero((blocks == b) & (True if w is None else w > 0))
            losses = log_losses(Z[rows])[np.arange(len(rows)), y[rows]]
            order = np.argsort(losses, kind="stable")
            scores.append(losses[order])
            if w is not None:
                of_rows.append(w[rows][order].astype(np.float64))
        return cls(np.asarray(weights, np.float64), scores, of_rows if w is not None else None)

    def sets(self, logits: Iterable[Array], coverage: float, *, allow_empty: bool = True) -> Array:
        """Return the prediction sets of rows.

        ::

            p(c) = (1 + sum_b sum_{i in block b} w_i [L_i >= L_b(c)]) / (1 + n)        c in the set: p(c) > 1 - coverage

        with the score L_b(c) of the class by the members of block b, and weights w of mean 1.

        Parameters
        ----------
        logits : iterable of B (n, k) arrays
            For each block in turn, the calibrated logits by its members.
        coverage : float
            In (0, 1).
        allow_empty : bool, default=True
            False adds the most probable class to an empty set.

        Returns
        -------
        (n, k) array of bool
        """
        between("coverage", coverage, 0, 1, open_below=True, open_above=True)
        n_rows, total = self.n_rows, 0.0
        whole = n_rows if self.row_weights is None else sum(float(w.sum()) for w in self.row_weights)
        one = whole / n_rows if n_rows else 1.0
        counts = best = None
        for b, Z in enumerate(logits):
            losses = log_losses(Z)
            counts = np.full(losses.shape, one) if counts is None else counts
            best = losses if best is None else best + losses
            scores = self.scores[b]
            position = np.searchsorted(scores, losses, side="left")
            if self.row_weights is None:
                counts += len(scores) - position
            else:
                above = np.append(np.cumsum(self.row_weights[b][::-1])[::-1], 0.0)
                counts += above[position]
        assert counts is not None
        assert best is not None
        total = one + whole
        chosen: Array = counts > (1 - coverage) * total * (1 + 1e-12)
        if not allow_empty:
            empty = np.flatnonzero(~chosen.any(axis=1))
            chosen[empty, best[empty].argmin(axis=1)] = True
        return chosen


def log_losses(Z: Array) -> Array:
    """Return -log softmax(Z) in float64, with all digits where it is close to 0."""
    pieces = exponentials(Z)
    losses: Array = np.log1p(pieces.others) - pieces.shift
    return losses


def _positive(values: Array) -> bool:
    return bool((np.isfinite(values) & (values >= 0)).all())


def __dir__() -> list[str]:
    return __all__
