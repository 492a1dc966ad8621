"""The rows that early stopping watches, in a spool of their own, and their scores.

The rows are copied once, so that no epoch reads all rows a second time.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..engine import Data, Engine
from ..functional.arrays import Array
from ..network import Network
from ..training import Metrics, score
from .rows import weighed, windows_of_rows
from .sources import Place
from .split import Split
from .spool import Spool, SpoolWriter

__all__ = ["SpoolScore", "score_of_sums", "score_spool", "sums_of_scores", "validation_spool"]


class SpoolScore(NamedTuple):
    """Scores of the rows of a spool.

    Attributes
    ----------
    metrics : Metrics
        Rows, log-loss and accuracy.
    top_accuracy : float or None
        Share of the rows whose class is among the most probable ones, if it was asked for.
    """

    metrics: Metrics
    top_accuracy: float | None = None


def validation_spool(spool: Spool, split: Split, folder: Path) -> Spool:
    """Return a spool of the validation rows, written once; what an earlier run has left in the folder is used.

    Parameters
    ----------
    spool : Spool
        All rows.
    split : Split
        With at least one validation row.
    folder : Path
        Is made if it doesn't exist.
    """
    identity = spool.identity | {"the validation rows": repr(split)}
    with SpoolWriter(folder, spool.layout, identity) as writer:
        if not writer.complete:
            for rows, data in windows_of_rows(spool, split.validation_rows, writer.place.number):
                writer.add_all(data, lambda count, rows=rows: Place(0, 0, int(rows[count - 1]) + 1))  # type: ignore[misc]
            writer.end_part(Place(0, 0, spool.n_rows), complete=True)
    return Spool(folder)


def score_spool(
    network: Network, engine: Engine, spool: Spool, *, class_weight: Array | None = None, top: int | None = None
) -> SpoolScore:
    """Return the scores of all rows of a spool, read a window of blocks at a time.

    Parameters
    ----------
    network : Network
    engine : Engine
    spool : Spool
    class_weight : (k,) array, optional
        Weights of the classes, by which those of the rows are multiplied. Rows of weight 0 don't count.
    top : int, optional
        Of how many most probable classes to return the accuracy.
    """
    sums = np.zeros(5)
    for _, data in windows_of_rows(spool):
        data = weighed(data, class_weight)
        sums += sums_of_scores(network, engine, data._replace(X=data.X.astype(network.theta.dtype, copy=False)), top)
    return score_of_sums(sums, top)


def sums_of_scores(network: Network, engine: Engine, data: Data, top: int | None) -> Array:
    """Return the sums of losses, hits, and hits among the `top` classes, the weight, and the number of rows, (5,)."""
    w = np.ones(data.n_rows) if data.weight is None else data.weight
    if not w.any():
        return np.zeros(5)
    found, weight, hits = score(network, engine, data, confusion=False), float(w.sum()), 0.0
    if top is not None:
        labels = engine.top_classes(network, data.X, top).labels
        hits = float(w[(labels == data.y[:, None]).any(axis=1)].sum())
    return np.array([found.log_loss * weight, found.accuracy * weight, hits, weight, np.count_nonzero(w)])


def score_of_sums(sums: Array, top: int | None) -> SpoolScore:
    """Return the scores from what `sums_of_scores` returns for all rows."""
    log_loss, right, hits, total, n = sums.tolist()
    total = total or np.nan
    return SpoolScore(Metrics(int(n), log_loss / total, right / total), None if top is None else hits / total)
