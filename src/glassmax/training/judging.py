"""How a network does on rows it may not have seen, and which rows to keep from it.

This module refuses to know labels, tables and estimators: it sees class indices, rows of targets and arrays.
"""

from dataclasses import dataclass

import numpy as np

from ..engine import Data, Engine, blocks
from ..errors import OptionError
from ..functional.arrays import Array
from ..functional.heads import LOSS_OF_OUTPUT, Head
from ..functional.targets import reduce_rows
from ..network import Network

__all__ = ["Score", "holdout", "score"]


@dataclass(frozen=True)
class Score:
    """How a network does on rows it may not have seen.

    Attributes
    ----------
    log_loss : float
        Weighted mean of -log p of the true class; >= 0, chance is log k. Soft rows: the cross-entropy. Several labels:
        the sum of their binary cross-entropies.
    accuracy : float
        Weighted share of rows whose most probable class is the true one (of soft rows: the most probable one too), in
        [0, 1]. Several labels: of the rows all of whose labels are right.
    confusion : (k, k) array
        Entry [i, j]: how many rows of class i were taken for class j, unweighted. (0, 0) where it was not asked for.
    """

    log_loss: float
    accuracy: float
    confusion: Array


def score(network: Network, engine: Engine, data: Data, *, confusion: bool = True) -> Score:
    """Return log-loss, accuracy and confusion on the rows of `data`, block by block: no (n, k) array is held.

    Parameters
    ----------
    network : Network
        With softmax or sigmoid output.
    engine : Engine
    data : Data
    confusion : bool, default=True
        Whether to count confusions: k x k numbers, softmax only. Without them the matrix is (0, 0).

    Returns
    -------
    Score
    """
    k, output = network.layer_sizes[-1], network.head.output
    head = Head(output, LOSS_OF_OUTPUT[output])
    confusion = confusion and output == "softmax"
    counts = np.zeros((k, k) if confusion else (0, 0), np.int64)
    log_loss = hits = total = 0.0
    for block in blocks(network, len(data.y)):
        X, y, w = data.rows(block)
        w = np.ones(len(y)) if w is None else w
        Z = engine.logits(network, X)
        losses = head.rows(head.forward(Z.astype(np.float64)), y)
        log_loss += float(reduce_rows(losses, w, "sum"))
        if output == "softmax":
            truth, taken_for = y if y.ndim == 1 else y.argmax(axis=1), Z.argmax(axis=1)
            right = truth == taken_for
            if confusion:
                np.add.at(counts, (truth, taken_for), 1)
        else:
            right = ((Z > 0) == (y > 0.5)).all(axis=1)
        hits += float(w[right].sum())
        total += float(w.sum())
    if total == 0:
        return Score(float("nan"), float("nan"), counts)
    return Score(log_loss / total, hits / total, counts)


def holdout(y: Array, share: float, draw: np.random.RandomState) -> tuple[Array, Array]:
    """Split rows in two, every class in proportion, however many classes there are.

    Parameters
    ----------
    y : (n,) array of int
        Class indices.
    share : float
        In (0, 1): how much to hold out; n * share is rounded up, as scikit-learn does.
    draw : numpy.random.RandomState
        Draws the rows.

    Returns
    -------
    kept, held_out : arrays of intp
        Row numbers in ascending order. A class keeps at least one row: one of a single row is never held out.

    Raises
    ------
    OptionError
        If `share` is not between 0 and 1.

    Examples
    --------
    >>> kept, held_out = holdout(np.array([0] * 8 + [1] * 4 + [2]), 0.25, np.random.RandomState(0))
    >>> np.array([0] * 8 + [1] * 4 + [2])[held_out]
    array([0, 0, 0, 1])
    """
    if not 0 < share < 1:
        raise OptionError(f"The share to hold out is {share!r}, expected a number between 0 and 1.")
    counts = np.bincount(y)
    quota = share * counts
    take = np.minimum(np.floor(quota).astype(int), np.maximum(counts - 1, 0))
    missing = int(np.ceil(share * len(y))) - int(take.sum())
    for c in np.argsort(np.floor(quota) - quota, kind="stable"):  # largest remainder first
        if missing > 0 and take[c] < counts[c] - 1:
            take[c] += 1
            missing -= 1
    rows = np.split(np.argsort(y, kind="stable"), np.cumsum(counts)[:-1])
    held = [draw.permutation(rows_of_class)[:some] for rows_of_class, some in zip(rows, take, strict=True)]
    held_out = np.sort(np.concatenate(held)).astype(np.intp)
    kept = np.setdiff1d(np.arange(len(y)), held_out, assume_unique=True)
    return kept, held_out
