"""How good a network is on the rows that are held out, in memory that doesn't grow with their number."""

from typing import NamedTuple

import numpy as np

from ...conformal import Conformal
from ...engine import Engine
from ...functional.arrays import Array
from ...likely_classes import LikelyClasses
from ...network import Network
from ...streaming import Split, Spool
from ...streaming.rows import blocks_of_rows
from ...training import Metrics, RunningMetrics
from ...training.metrics import top_of_shares

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


def judge(network: Network, engine: Engine, spool: Spool, split: Split, shares: Array) -> Judged:
    """Return the figures of the rows held out.

    Parameters
    ----------
    network : Network
    engine : Engine
    spool : Spool
        All rows.
    split : Split
    shares : (k,) array
        The share of each class in all rows.
    """
    k, dtype = network.layer_sizes[-1], network.theta.dtype
    shares = np.maximum(shares, LEAST_SHARE)
    shares = shares / shares.sum()
    likely = LikelyClasses(engine, [network], np.ones(1), None)
    running, frequencies, counts = RunningMetrics(k), RunningMetrics(k), np.zeros(k, np.int64)
    of_sets = split._replace(held_out=min(split.held_out, MOST_SCORES / spool.n_rows))
    losses, weights = [np.zeros(0)], [np.zeros(0)]
    for rows, data in blocks_of_rows(spool, split.held_out_rows):
        if not data.n_rows:
            continue
        with np.errstate(over="ignore", invalid="ignore"):  # the figures say so
            found = likely.summary(data.X.astype(dtype, copy=False), 1, data.y)
            running.add_top(found, data.y, data.weight)
        frequencies.add_top(top_of_shares(shares, data.y), data.y, data.weight)
        counts += np.bincount(data.y, minlength=k)
        kept = of_sets.held_out_rows(rows)
        assert found.top.losses is not None
        losses.append(found.top.losses[kept])
        if data.weight is not None:
            weights.append(data.weight[kept])
    weight = np.concatenate(weights) if spool.layout.weighted else None
    conformal = Conformal.of_losses(np.concatenate(losses), weight)
    return Judged(running.metrics(), frequencies.metrics(), conformal, counts)
