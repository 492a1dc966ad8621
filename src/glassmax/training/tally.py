"""How good predictions are, counted block by block: accuracy, log-loss, Brier score, calibration, confusion.

For one class a row. Nothing of the size of the data is held, so that any number of rows can be scored. This module
refuses to know labels and tables: it sees class indices and logits.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ..functional.arrays import Array
from ..functional.heads import Head

__all__ = ["Figures", "Tally"]

HEAD = Head("softmax", "cross_entropy")
BINS = 15
MOST_CLASSES = 500
"""More classes than this have their confusions counted in pairs; a matrix would be mostly zeros."""


@dataclass(frozen=True)
class Figures:
    """What a number of predictions were worth; each row counts by its weight.

    Attributes
    ----------
    rows : int
        How many.
    accuracy : float
        The share of rows whose most probable class is the true one, in [0, 1].
    balanced_accuracy : float
        The mean of that share over the classes that there are rows of.
    log_loss : float
        The mean of -log p of the true class.
    brier_score : float
        The mean of ``sum_c (p_c - y_c)^2``, in [0, 2].
    calibration_error : float
        How far confidence and accuracy are apart, in [0, 1]: rows are put into 15 bins by the probability of their
        most probable class; the mean over the bins, by their rows, of |mean probability - accuracy|.
    confusion : (k, k) array of int, or None
        Entry [i, j]: how many rows of class i were taken for class j, unweighted. None beyond 500 classes.
    confused : dict
        How many rows of class i were taken for another class j, by (i, j), unweighted.
    """

    rows: int
    accuracy: float
    balanced_accuracy: float
    log_loss: float
    brier_score: float
    calibration_error: float
    confusion: Array | None = field(repr=False, default=None)
    confused: "dict[tuple[int, int], int]" = field(repr=False, default_factory=dict)


class Tally:
    """Count predictions, a block of rows at a time.

    Parameters
    ----------
    k : int
        Number of classes.

    Examples
    --------
    >>> tally = Tally(2)
    >>> tally.add(np.log([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0]))
    >>> figures = tally.figures()
    >>> figures.rows, figures.accuracy, round(figures.brier_score, 4), figures.confused
    (2, 0.5, 0.65, {(0, 1): 1})
    """

    def __init__(self, k: int) -> None:
        self.k, self.rows = k, 0
        self.weight = self.loss = self.squares = 0.0
        self.of_class, self.hits = np.zeros(k), np.zeros(k)
        self.bins = np.zeros((3, BINS))  # weight, confidence, hits
        self.confusion = np.zeros((k, k), np.int64) if k <= MOST_CLASSES else None
        self.pairs: Counter[tuple[int, int]] = Counter()

    def add(self, Z: Array, y: Array, weight: Array | None = None) -> None:
        """Count a block of rows.

        Parameters
        ----------
        Z : (n, k) array
            Logits.
        y : (n,) array of int
            The true classes.
        weight : (n,) array, optional
            >= 0; ones by default.
        """
        w = np.ones(len(y)) if weight is None else weight
        tape = HEAD.forward(Z.astype(np.float64))
        P, taken_for = tape.P, Z.argmax(axis=1)
        right = taken_for == y
        confidence, of_truth = P[np.arange(len(y)), taken_for], P[np.arange(len(y)), y]
        self.rows += len(y)
        self.weight += float(w.sum())
        self.loss += float((w * HEAD.rows(tape, y))[w > 0].sum())
        self.squares += float((w * ((P * P).sum(axis=1) - 2 * of_truth + 1)).sum())
        self.of_class += np.bincount(y, w, self.k)
        self.hits += np.bincount(y[right], w[right], self.k)
        place = np.minimum((np.nan_to_num(confidence) * BINS).astype(int), BINS - 1)
        for row, values in enumerate((w, w * confidence, w * right)):
            self.bins[row] += np.bincount(place, values, BINS)
        if self.confusion is not None:
            np.add.at(self.confusion, (y, taken_for), 1)
        else:
            self.pairs.update(zip(y[~right].tolist(), taken_for[~right].tolist(), strict=True))

    def figures(self) -> Figures:
        """Return the figures of all rows so far; NaN where their weights are 0."""
        total = self.weight or float("nan")
        there = self.of_class > 0
        balanced = float((self.hits[there] / self.of_class[there]).mean()) if there.any() else float("nan")
        apart = np.abs(self.bins[1] - self.bins[2]).sum()
        pairs = dict(self.pairs)
        if self.confusion is not None:
            wrong = self.confusion * ~np.eye(self.k, dtype=bool)
            pairs = {(int(i), int(j)): int(wrong[i, j]) for i, j in np.argwhere(wrong)}
        return Figures(
            self.rows,
            float(self.hits.sum()) / total,
            balanced,
            self.loss / total,
            self.squares / total,
            float(apart) / total,
            self.confusion,
            pairs,
        )
