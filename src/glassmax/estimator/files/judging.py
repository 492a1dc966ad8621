"""How good a network is on the rows that are held out, in memory that doesn't grow with their number."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...conformal import Conformal
from ...functional.arrays import Array
from ...streaming import Split
from ...training import Metrics, RunningMetrics
from ...training.metrics import top_of_shares
from .rows import Judging

__all__ = ["Judged", "judge"]

MOST_SCORES = 2**16
"""About the maximum of rows whose log-losses are kept for prediction sets."""
LEAST_SHARE = 1e-12


class Judged(NamedTuple):
    """What the rows that are held out say.

    Attributes
    ----------
    metrics, of_frequencies : Metrics
        Those of the network, and of predicting the class frequencies of all rows for each row.
    conformal : Conformal
        From all of these rows, or from 65,536 of them, about, if there are more.
    counts : (k,) array of int
        Number of these rows of each class.
    """

    metrics: Metrics
    of_frequencies: Metrics
    conformal: Conformal
    counts: Array


def judge(parts: Iterable[Judging], split: Split, n_rows: int, shares: Array) -> Judged:
    """Return the figures of the rows held out.

    Parameters
    ----------
    parts : iterable of Judging
        What the network says of these rows.
    split : Split
    n_rows : int
        Number of all rows.
    shares : (k,) array
        The share of each class in all rows.
    """
    k = len(shares)
    shares = np.maximum(shares, LEAST_SHARE)
    shares = shares / shares.sum()
    running, frequencies, counts = RunningMetrics(k), RunningMetrics(k), np.zeros(k, np.int64)
    of_sets = split._replace(held_out=min(split.held_out, MOST_SCORES / n_rows))
    losses, weights = [np.zeros(0)], [np.zeros(0)]
    is_weighted = False
    for rows, y, weight, found in parts:
        running.add_top(found, y, weight)
        frequencies.add_top(top_of_shares(shares, y), y, weight)
        counts += np.bincount(y, minlength=k)
        kept = of_sets.held_out_rows(rows)
        assert found.top.losses is not None
        losses.append(found.top.losses[kept])
        if weight is not None:
            is_weighted = True
            weights.append(weight[kept])
    conformal = Conformal.of_losses(np.concatenate(losses), np.concatenate(weights) if is_weighted else None)
    return Judged(running.metrics(), frequencies.metrics(), conformal, counts)
