"""The encoded rows of a fit in this process: a spool, what trains on it, and what it says of a network."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...engine import Engine, TopOfSum
from ...functional.arrays import Array
from ...likely_classes import LikelyClasses
from ...network import Network
from ...streaming import (
    Learned,
    Position,
    Progress,
    Sources,
    Split,
    Spool,
    SpoolScore,
    WindowDone,
    score_spool,
    spooled,
    train_lbfgs_on_spool,
    train_on_spool,
    validation_spool,
)
from ...streaming.encode import spool_identity
from ...streaming.rows import windows_of_rows
from ...streaming.spool import remove_spool
from ...training import Epoch, Metrics, TrainingState
from ..options import Plan
from .begin import Weights

__all__ = ["Judging", "RowsHere", "RowsToEncode", "Steps"]

VALIDATION = "validation"


class RowsToEncode(NamedTuple):
    """The rows of a fit, and where they are encoded.

    Attributes
    ----------
    sources : Sources
    known : Learned
    target : str
    weight : str or None
    folder : Path
    progress : callable or None
        Is told how far the encoding has come.
    """

    sources: Sources
    known: Learned
    target: str
    weight: str | None
    folder: Path
    progress: Callable[[Progress], None] | None = None

    @property
    def identity(self) -> dict[str, str]:
        """What the encoded rows depend on."""
        known = self.known
        return spool_identity(self.sources.fingerprint, known.encoding, known.classes, self.target, self.weight)


class Steps(NamedTuple):
    """What a stream of epochs needs beside the rows.

    Attributes
    ----------
    network : Network
    plan : Plan
    training : TrainingState
    position : Position
    weights : Weights
    max_epochs, max_fun, tol
        As `max_iter`, `max_fun` and `tol` of `SoftmaxClassifier`.
    validate, save, on_window : callable or None
        As for `glassmax.streaming.train_on_spool`.
    """

    network: Network
    plan: Plan
    training: TrainingState
    position: Position
    weights: Weights
    max_epochs: int
    max_fun: int
    tol: float
    validate: Callable[[], Metrics | None] | None
    save: Callable[[], None] | None
    on_window: Callable[[WindowDone], None] | None

    @property
    def common(self) -> dict[str, Any]:
        """Arguments of all functions that train."""
        return {
            "regularization": self.plan.regularization,
            "class_weight": self.weights.of_class,
            "mean_weight": self.weights.mean,
            "validate": self.validate,
        }

    @property
    def of_rule(self) -> dict[str, Any]:
        """Arguments of functions that train by a rule."""
        return self.common | {
            "max_epochs": self.max_epochs,
            "schedule": self.plan.schedule,
            "rate_factors": self.plan.rate_factors(self.network),
            "save": self.save,
            "on_window": self.on_window,
        }

    @property
    def of_lbfgs(self) -> dict[str, Any]:
        """Arguments of functions that train by L-BFGS."""
        return self.common | {"max_iter": self.max_epochs, "max_fun": self.max_fun, "tol": self.tol}


class Judging(NamedTuple):
    """What a network says of some rows that are held out: their numbers, their classes, their weights, the rest."""

    rows: Array
    y: Array
    weight: Array | None
    found: TopOfSum


@dataclass
class RowsHere:
    """The rows of a fit that runs in this process.

    Attributes
    ----------
    given : RowsToEncode
    split : Split
    engine : Engine
    """

    given: RowsToEncode
    split: Split
    engine: Engine

    def __post_init__(self) -> None:
        rows = self.given
        self.spool = spooled(rows.sources, rows.known, rows.folder, rows.target, rows.weight, progress=rows.progress)
        self.watched: Spool | None = None

    @property
    def size(self) -> int:
        """Bytes of the encoded rows."""
        return self.spool.n_rows * self.spool.layout.row_bytes

    def totals(self) -> Array:
        """Return the total weight of the rows of each class, (k,)."""
        if not self.spool.layout.weighted:
            return self.given.known.counts.astype(np.float64)
        totals = np.zeros(len(self.given.known.classes))
        for _, data in windows_of_rows(self.spool):
            totals += np.bincount(data.y, data.weight, len(totals))
        return totals

    def train(self, steps: Steps) -> Generator[Epoch, None, Any]:
        """Return a stream of epochs."""
        what = steps.network, self.engine, self.spool
        if steps.plan.rule is None:
            return train_lbfgs_on_spool(*what, steps.training, split=self.split, **steps.of_lbfgs)
        batch_size = steps.plan.batch_size
        how = {"split": self.split, "batch_size": batch_size, **steps.of_rule}
        return train_on_spool(*what, steps.plan.rule, steps.training, steps.position, **how)

    def score(self, network: Network, weights: Weights, top: int | None) -> SpoolScore:
        """Return the scores of the validation rows."""
        if self.watched is None:
            self.watched = validation_spool(self.spool, self.split, self.spool.folder / VALIDATION)
        return score_spool(network, self.engine, self.watched, class_weight=weights.of_class, top=top)

    def judged(self, network: Network) -> Iterator[Judging]:
        """Yield what a network says of the rows held out, some of them at a time."""
        likely = LikelyClasses(self.engine, [network], np.ones(1), None)
        for rows, data in windows_of_rows(self.spool, self.split.held_out_rows):
            if data.n_rows:
                with np.errstate(over="ignore", invalid="ignore"):  # the figures say so
                    found = likely.summary(data.X.astype(network.theta.dtype, copy=False), 1, data.y)
                yield Judging(rows, data.y, data.weight, found)

    def close(self) -> None:
        """Close all files."""
        for spool in (self.spool, self.watched):
            if spool is not None:
                spool.close()

    def remove_leftovers(self) -> None:
        """Remove what only this run has needed: the copy of the validation rows."""
        folder = self.spool.folder / VALIDATION
        if folder.exists():
            remove_spool(folder)
            folder.rmdir()
