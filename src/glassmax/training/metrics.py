"""Metrics of predictions: log-loss, accuracy, Brier score, calibration, confusion.

Rows are counted block by block, and nothing of the size of the data is held: any number of rows can be scored. With
very many classes, only the most probable class and the loss of each row are computed, so that no (n, k) array and no
(k, k) array is made.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..engine import MANY_CLASSES, Data, Engine, TopClasses, TopOfSum, blocks
from ..functional.arrays import Array, weighted_sum
from ..functional.heads import LOSS_OF_OUTPUT, Head
from ..functional.targets import as_rows, is_sparse, reduce_rows
from ..network import Network

__all__ = ["Metrics", "RunningMetrics", "metrics_of_shares", "score", "top_of_shares"]

LOG_LOSS = {output: Head(output, loss) for output, loss in LOSS_OF_OUTPUT.items()}
"""The head whose loss is the log-loss, by the output of the network."""
CANDIDATES = Head("softmax", "candidate_cross_entropy")
"""The head whose loss is the log-loss of candidate sets."""
BINS = 15
ROWS = 4096
"""Number of rows with soft labels that are scored at a time."""
MAX_CLASSES = 500
"""With more classes, confusions are counted in pairs: a matrix would be mostly zeros."""
MOST_PAIRS = 100_000
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
        of the sum of their probabilities. Several labels: the sum of their binary cross-entropies.
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
        Number of rows of class i that were predicted as class j, by (i, j), for i != j; unweighted. Beyond 500 classes
        the 100,000 most frequent pairs.
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
        Whether to count confusions: softmax of up to 500 classes only, not for candidate sets.

    Returns
    -------
    Metrics
        NaN where the weights of the rows sum to 0.
    """
    k, output = network.layer_sizes[-1], network.head.output
    sets = network.head.loss == CANDIDATES.loss and data.y.ndim == 2
    if output == "softmax" and k >= MANY_CLASSES and not sets and (data.y.ndim == 1 or is_sparse(data.y)):
        return _score_of_many(network, engine, data)
    head = CANDIDATES if sets else LOG_LOSS[output]
    counted = confusion and output == "softmax" and not sets and k <= MAX_CLASSES
    counts = np.zeros((k, k), np.int64) if counted else None
    log_loss = hits = total = 0.0
    for block in blocks(network, data.n_rows):
        X, y, w = data.rows(block)
        y = as_rows(y, k) if is_sparse(y) else y
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
    return Metrics(data.n_rows, log_loss / total, hits / total, confusion=counts)


def _score_of_many(network: Network, engine: Engine, data: Data) -> Metrics:
    """Return log-loss and accuracy from each row's most probable class and loss."""
    n = data.n_rows
    w = np.ones(n) if data.weight is None else data.weight
    if data.y.ndim == 1:
        top = engine.top_classes(network, data.X, 1, data.y)
        assert top.losses is not None
        losses, right = top.losses, top.labels[:, 0] == data.y
    else:
        losses, right = _of_soft_rows(network, engine, data)
    total = float(w.sum()) or NAN
    log_loss = float(reduce_rows(losses, w, "sum"))
    return Metrics(n, log_loss / total, float(w[right].sum()) / total)


def _of_soft_rows(network: Network, engine: Engine, data: Data) -> tuple[Array, Array]:
    """Return the loss of each row, and whether the most probable class of its soft label is predicted; y is CSR."""
    Y: Any = data.y
    n = data.n_rows
    losses, best = np.zeros(n), np.zeros(n, np.intp)
    labels = engine.top_classes(network, data.X, 1).labels[:, 0]
    for start in range(0, n, ROWS):
        some = Y[start : start + ROWS]
        rows = np.repeat(np.arange(some.shape[0]), np.diff(some.indptr))
        of_entries = engine.top_classes(network, data.X[start + rows], 0, some.indices.astype(np.int64)).losses
        assert of_entries is not None
        losses[start : start + ROWS] = np.bincount(rows, some.data * of_entries, some.shape[0])
        best[start : start + ROWS] = np.asarray(some.argmax(axis=1)).ravel()
    return losses, labels == best


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
        self.pairs, self.pair_counts = np.zeros(0, np.int64), np.zeros(0, np.int64)  # i k + j of each pair
        self.new_pairs: list[Array] = []

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
        self._add_all(head.rows(tape, y), right, w)
        P = tape.P
        if y.ndim == 2:
            known = np.flatnonzero(y.sum(axis=1) == 1)
            P, predicted, y, w = P[known], predicted[known], y[known].argmax(axis=1), w[known]
        rows = np.arange(len(y))
        self._add_known(predicted, P[rows, predicted], P[rows, y], (P * P).sum(axis=1), y, w)

    def add_top(self, found: TopOfSum, y: Array, weight: Array | None = None) -> None:
        """Count a block of rows by their most probable classes and losses alone.

        Parameters
        ----------
        found : TopOfSum
            At least the most probable class of each row, and the losses.
        y : (n,) array of int
            The true classes.
        weight : (n,) array, optional
            >= 0; ones by default.
        """
        w = np.ones(len(y)) if weight is None else weight
        predicted, losses = found.top.labels[:, 0], found.top.losses
        assert losses is not None
        self._add_all(losses, predicted == y, w)
        self._add_known(predicted, found.top.probabilities[:, 0], np.exp(-losses), found.squares, y, w)

    def _add_all(self, losses: Array, right: Array, w: Array) -> None:
        self.rows += len(w)
        self.weight += float(w.sum())
        self.loss += float(reduce_rows(losses, w, "sum"))
        self.right += float(weighted_sum(w, right))

    def _add_known(
        self, predicted: Array, confidence: Array, of_truth: Array, squares: Array, y: Array, w: Array
    ) -> None:
        """Count what needs the class of each row; `squares` are the sums of the squared probabilities."""
        right = predicted == y
        self.weight_of_known += float(w.sum())
        self.squares += float((w * (squares - 2 * of_truth + 1)).sum())
        self.of_class += np.bincount(y, w, self.k)
        self.hits += np.bincount(y[right], w[right], self.k)
        place = np.minimum((np.nan_to_num(confidence) * BINS).astype(int), BINS - 1)
        for row, values in enumerate((w, w * confidence, w * right)):
            self.bins[row] += np.bincount(place, values, BINS)
        if self.confusion is not None:
            np.add.at(self.confusion, (y, predicted), 1)
        else:
            self.new_pairs.append(y[~right] * self.k + predicted[~right])
            if sum(map(len, self.new_pairs)) > max(2**16, len(self.pairs)):
                self._merge_pairs()

    def _merge_pairs(self) -> None:
        """Count the new pairs among the others."""
        new, counts = np.unique(np.concatenate([self.pairs[:0], *self.new_pairs]), return_counts=True)
        self.new_pairs = []
        pairs, place = np.unique(np.concatenate([self.pairs, new]), return_inverse=True)
        weights = np.concatenate([self.pair_counts, counts])
        self.pairs, self.pair_counts = pairs, np.bincount(place, weights, len(pairs)).astype(np.int64)

    def _most_confused(self) -> dict[tuple[int, int], int]:
        """Return the most frequent pairs, at most `MOST_PAIRS`; of equally frequent ones, the lower classes."""
        self._merge_pairs()
        best = np.sort(np.argsort(-self.pair_counts, kind="stable")[:MOST_PAIRS])
        codes, counts = self.pairs[best].tolist(), self.pair_counts[best].tolist()
        return {divmod(code, self.k): count for code, count in zip(codes, counts, strict=True)}

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
        if self.confusion is not None:
            wrong = self.confusion * ~np.eye(self.k, dtype=bool)
            pairs = {(int(i), int(j)): int(wrong[i, j]) for i, j in np.argwhere(wrong)}
        else:
            pairs = self._most_confused()
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


def metrics_of_shares(shares: Array, y: Array, weight: Array | None = None) -> Metrics:
    """Return the metrics of predicting the same probabilities for every row, such as the frequencies of the classes.

    Parameters
    ----------
    shares : (k,) array
        Probabilities, which sum to 1.
    y : (n,) array of int
    weight : (n,) array, optional
    """
    running = RunningMetrics(len(shares))
    running.add_top(top_of_shares(shares, y), y, weight)
    return running.metrics()


def top_of_shares(shares: Array, y: Array) -> TopOfSum:
    """Return what `RunningMetrics.add_top` counts, for rows that are all predicted with the same probabilities."""
    n, best = len(y), int(shares.argmax())
    with np.errstate(divide="ignore"):
        losses = -np.log(shares[y])
    top = TopClasses(np.full((n, 1), best), np.full((n, 1), shares[best]), losses)
    return TopOfSum(top, np.full(n, float((shares * shares).sum())))
