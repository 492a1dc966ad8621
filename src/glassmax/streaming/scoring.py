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

__all__ = ["SpoolScore", "score_spool", "validation_spool"]


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
                _write(writer, rows, data)
            writer.end_part(Place(0, 0, spool.n_rows), complete=True)
    return Spool(folder)


def _write(writer: SpoolWriter, rows: Array, data: Data) -> None:
    start = 0
    while start < len(rows):
        end = min(start + writer.room, len(rows))
        writer.add(data.rows(slice(start, end)))
        if not writer.room:
            writer.end_part(Place(0, 0, int(rows[end - 1]) + 1))
        start = end


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
    n, total, log_loss, right, hits = 0, 0.0, 0.0, 0.0, 0.0
    for _, data in windows_of_rows(spool):
        data = weighed(data, class_weight)
        w = np.ones(data.n_rows) if data.weight is None else data.weight
        if not w.any():
            continue
        X = data.X.astype(network.theta.dtype, copy=False)
        found, weight = score(network, engine, data._replace(X=X), confusion=False), float(w.sum())
        n, total = n + int(np.count_nonzero(w)), total + weight
        log_loss, right = log_loss + found.log_loss * weight, right + found.accuracy * weight
        if top is not None:
            labels = engine.top_classes(network, X, top).labels
            hits += float(w[(labels == data.y[:, None]).any(axis=1)].sum())
    total = total or float("nan")
    return SpoolScore(Metrics(n, log_loss / total, right / total), None if top is None else hits / total)
