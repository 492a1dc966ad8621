"""Metrics of predictions: log-loss, accuracy, Brier score, calibration, confusion.

Rows are counted block by block, and nothing of the size of the data is held: any number of rows can be scored.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ..engine import Data, Engine, blocks
from ..functional.arrays import Array, weighted_sum
from ..functional.heads import LOSS_OF_OUTPUT, Head
from ..functional.targets import reduce_rows
from ..network import Network

__all__ = ["Metrics", "RunningMetrics", "score"]

LOG_LOSS = {output: Head(output, loss) for output, loss in LOSS_OF_OUTPUT.items()}
"""The head whose loss is the log-loss, by the output of the network."""
CANDIDATES = Head("softmax", "candidate_cross_entropy")
"""The head whose loss is the log-loss of candidate sets."""
BINS = 15
MAX_CLASSES = 500
"""With more classes, confusions are counted in pairs: a matrix would be mostly zeros."""
NAN = float("nan")


@dataclass(frozen=True)
class Metrics:
    """Metrics of predictions; each row counts by its weight.

    `score` counts rows, log-loss, accuracy and confusion; `RunningMetrics` counts everything. What was not counted is
    NaN or None.

    Attributes
    ----------
    rows : int
        Number of rows.
    log_loss : float
        The mean of -log p of the true class; >= 0, chance is log k. Soft rows: the cross-entropy. Candidate sets: -log
        of the sum of their probabilities. Several labels: the
        sum of their binary cross-entropies.
    accuracy : float
        In [0, 1]: the share of rows whose most probable class is the true one (of soft rows: the most probable one
        too; of candidate sets: one of them). Several labels: the share of rows all of whose labels are right.
    balanced_accuracy : float
        The mean over the classes, of those that have rows, of the share of their rows predicted right.
    brier_score : float
        The mean of ``sum_c (p_c - y_c)^2``, in [0, 2].
    calibration_error : float
        In [0, 1]: how far confidence and accuracy are apart. Rows are put into 15 bins by the probability of their
        most probable class; it is the mean over the bins, by their rows, of |mean probability - accuracy|.
    confusion : (k, k) array of int, or None
        Entry [i, j]: how many rows of class i were predicted as class j, unweighted. None beyond 500 classes.
    confused : dict
        Number of rows of class i that were predicted as class j, by (i, j), for i != j; unweighted.
    """

    rows: int
    log_loss: float
    accuracy: float
    balanced_accuracy: float = NAN
    brier_score: float = NAN
    calibration_error: float = NAN
    confusion: Array | None = field(repr=False, default=None)
    confused: "dict[tuple[int, int], int]" = field(repr=False, default_factory=dict)

    def __repr__(self) -> str:
        shown = ("log_loss", "accuracy", "balanced_accuracy", "brier_score", "calibration_error")
        counted = [(name, getattr(self, name)) for name in shown if not np.isnan(getattr(self, name))]
        return f"Metrics({', '.join([f'rows={self.rows}', *(f'{name}={value:.4g}' for name, value in counted)])})"


def score(network: Network, engine: Engine, data: Data, *, confusion: bool = True) -> Metrics:
    """Return log-loss, accuracy and confusion on the rows of `data`, block by block: no (n, k) array is held.

    Parameters
    ----------
    network : Network
        Network with softmax or sigmoid output.
    engine : Engine
    data : Data
    confusion : bool, default=True
        Whether to count confusions: k x k numbers, softmax only, not for candidate sets.

    Returns
    -------
    Metrics
        NaN where the weights of the rows sum to 0.
    """
    k, output = network.layer_sizes[-1], network.head.output
    sets = network.head.loss == CANDIDATES.loss and data.y.ndim == 2
    head = CANDIDATES if sets else LOG_LOSS[output]
    counts = np.zeros((k, k), np.int64) if confusion and output == "softmax" and not sets else None
    log_loss = hits = total = 0.0
    for block in blocks(network, len(data.y)):
        X, y, w = data.rows(block)
        w = np.ones(len(y)) if w is None else w
        Z = engine.logits(network, X)
        log_loss += float(reduce_rows(head.rows(head.forward(Z.astype(np.float64)), y), w, "sum"))
        if sets:
            right = y[np.arange(len(y)), Z.argmax(axis=1)] == 1
        elif output == "softmax":
            truth, predicted = y if y.ndim == 1 else y.argmax(axis=1), Z.argmax(axis=1)
            right = truth == predicted
            if counts is not None:
                np.add.at(counts, (truth, predicted), 1)
        else:
            right = ((Z > 0) == (y > 0.5)).all(axis=1)
        hits += float(w[right].sum())
        total += float(w.sum())
    total = total or NAN
    return Metrics(len(data.y), log_loss / total, hits / total, confusion=counts)


class RunningMetrics:
    """Metrics of predictions that come a block of rows at a time.

    Of a row with several candidates only log-loss and accuracy are counted: whether the prediction is right in another
    sense isn't known.

    Parameters
    ----------
    k : int
        Number of classes.

    Examples
    --------
    >>> running = RunningMetrics(2)
    >>> running.add(np.log([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0]))
    >>> running.metrics()
    Metrics(rows=2, log_loss=0.8574, accuracy=0.5, balanced_accuracy=0.5, brier_score=0.65, calibration_error=0.45)
    >>> running.metrics().confused
    {(0, 1): 1}
    """

    def __init__(self, k: int) -> None:
        self.k, self.rows = k, 0
        self.weight = self.loss = self.right = 0.0
        self.weight_of_known = self.squares = 0.0
        self.of_class, self.hits = np.zeros(k), np.zeros(k)
        self.bins = np.zeros((3, BINS))  # weight, confidence, hits
        self.confusion = np.zeros((k, k), np.int64) if k <= MAX_CLASSES else None
        self.pairs: Counter[tuple[int, int]] = Counter()

    def __repr__(self) -> str:
        return f"RunningMetrics(k={self.k}, rows={self.rows})"

    def add(self, Z: Array, y: Array, weight: Array | None = None) -> None:
        """Count a block of rows.

        Parameters
        ----------
        Z : (n, k) array
            Logits.
        y : (n,) array of int, or (n, k) array of 0 and 1
            The true classes, or the candidates of each row.
        weight : (n,) array, optional
            >= 0; ones by default.
        """
        w = np.ones(len(y)) if weight is None else weight
        head = CANDIDATES if y.ndim == 2 else LOG_LOSS["softmax"]
        tape = head.forward(Z.astype(np.float64))
        predicted = Z.argmax(axis=1)
        right = predicted == y if y.ndim == 1 else y[np.arange(len(y)), predicted] == 1
        self.rows += len(y)
        self.weight += float(w.sum())
        self.loss += float(reduce_rows(head.rows(tape, y), w, "sum"))
        self.right += float(weighted_sum(w, right))
        if y.ndim == 1:
            self._add_known(tape.P, predicted, y, w)
        else:
            known = np.flatnonzero(y.sum(axis=1) == 1)
            self._add_known(tape.P[known], predicted[known], y[known].argmax(axis=1), w[known])

    def _add_known(self, P: Array, predicted: Array, y: Array, w: Array) -> None:
        """Count what needs the class of each row."""
        right = predicted == y
        confidence, of_truth = P[np.arange(len(y)), predicted], P[np.arange(len(y)), y]
        self.weight_of_known += float(w.sum())
        self.squares += float((w * ((P * P).sum(axis=1) - 2 * of_truth + 1)).sum())
        self.of_class += np.bincount(y, w, self.k)
        self.hits += np.bincount(y[right], w[right], self.k)
        place = np.minimum((np.nan_to_num(confidence) * BINS).astype(int), BINS - 1)
        for row, values in enumerate((w, w * confidence, w * right)):
            self.bins[row] += np.bincount(place, values, BINS)
        if self.confusion is not None:
            np.add.at(self.confusion, (y, predicted), 1)
        else:
            self.pairs.update(zip(y[~right].tolist(), predicted[~right].tolist(), strict=True))

    def reliability(self) -> Array:
        """Return how often rows were right, by the probability of their most probable class.

        Returns
        -------
        (b, 3) array
            For each bin of probabilities that has rows: their mean probability, their accuracy, and their share of the
            weight of all rows.
        """
        weight, confidence, hits = self.bins[:, self.bins[0] > 0]
        return np.stack([confidence / weight, hits / weight, weight / self.weight], axis=1)

    def metrics(self) -> Metrics:
        """Return the metrics of all rows so far; NaN where their weights are 0."""
        total, known = self.weight or NAN, self.weight_of_known or NAN
        there = self.of_class > 0
        balanced = float((self.hits[there] / self.of_class[there]).mean()) if there.any() else NAN
        apart = np.abs(self.bins[1] - self.bins[2]).sum()
        pairs = dict(self.pairs)
        if self.confusion is not None:
            wrong = self.confusion * ~np.eye(self.k, dtype=bool)
            pairs = {(int(i), int(j)): int(wrong[i, j]) for i, j in np.argwhere(wrong)}
        return Metrics(
            self.rows,
            self.loss / total,
            self.right / total,
            balanced,
            self.squares / known,
            float(apart) / known,
            self.confusion,
            pairs,
        )
