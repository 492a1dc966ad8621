"""TableClassifier: a table as it is in, a calibrated ensemble out."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from ..engine import best_engine
from ..errors import one_of
from ..functional import softmax
from ..functional.arrays import Array
from ..model import Model
from ..table import UnseenCounts
from .ensemble import PRESETS, Ensemble, Folds, Member, Trainer, assign_blocks, train_ensemble
from .table_data import TableData, encoded, prepare
from .table_inputs import as_table

__all__ = ["TableClassifier"]


class TableClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier for tables as they are: categories, dates, booleans, missing cells; accurate by default.

    Several softmax networks are trained, each on a part of the rows, and judged on the others; the probabilities come
    from the mean of their logits, multiplied by a scale that is fitted on rows the networks have not seen.
    """

    classes_: Array
    model_: Model

    def __init__(
        self,
        preset: str = "default",
        *,
        network: Any = None,
        class_weight: Mapping[Any, float] | str | None = None,
        types: Mapping[str, str] | None = None,
        ignore: Collection[str] = (),
        keep: Collection[str] = (),
        held_out: float = 0.2,
        random_state: int | np.random.RandomState | None = None,
        n_threads: int | None = None,
        time_limit: float | None = None,
        checkpoint_path: str | Path | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.preset = preset
        self.network = network
        self.class_weight = class_weight
        self.types = types
        self.ignore = ignore
        self.keep = keep
        self.held_out = held_out
        self.random_state = random_state
        self.n_threads = n_threads
        self.time_limit = time_limit
        self.checkpoint_path = checkpoint_path
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: npt.ArrayLike | None = None,
        *,
        groups: npt.ArrayLike | None = None,
        time: npt.ArrayLike | None = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: npt.ArrayLike | None = None,
    ) -> Self:
        """Train on a table."""
        validation = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        for member in self.fit_members(X, y, sample_weight, groups=groups, time=time, **validation):
            if self.verbose:
                print(member)  # noqa: T201 - what `verbose` asks for
        return self

    def fit_members(
        self,
        X: Any,
        y: Any,
        sample_weight: npt.ArrayLike | None = None,
        *,
        groups: npt.ArrayLike | None = None,
        time: npt.ArrayLike | None = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: npt.ArrayLike | None = None,
    ) -> Iterator[Member]:
        """Train as `fit` does, and yield the record of each member once it is ready: for progress bars."""
        check_options(self)
        data = prepare(self, X, y, sample_weight, (X_val, y_val, sample_weight_val))
        preset = PRESETS[self.preset]
        draw = check_random_state(self.random_state)
        seed = int(draw.randint(2**31))
        rows, k = data.rows, len(data.classes)
        chosen = (np.asarray(given)[data.index] if given is not None else None for given in (groups, time))
        folds = Folds.none(rows.y)
        if data.validation is None:
            by_group, by_time = chosen
            folds = assign_blocks(rows.y, draw, preset.blocks, preset.out, groups=by_group, time=by_time)
        trainer = Trainer(
            rows,
            k,
            folds,
            validation=data.validation,
            seed=seed,
            n_threads=self.n_threads or os.cpu_count() or 1,
            time_limit=self.time_limit,
        )
        ensemble = yield from train_ensemble(trainer, preset)
        self._commit(data, ensemble, X)

    def _commit(self, data: TableData, ensemble: Ensemble, X: Any) -> None:
        self.classes_, self.encoding_, self.notes_ = data.classes, data.encoding, data.notes
        self.ensemble_ = ensemble
        self.n_features_in_ = len(as_table(X)[0].names) - isinstance(X, str)

    def _logits(self, X: Any) -> Array:
        if not hasattr(self, "ensemble_"):
            raise NotFittedError("This TableClassifier is not fitted yet. Call fit first.")
        table, _ = as_table(X)
        rows = encoded(self.encoding_, table, UnseenCounts())
        engine, ensemble = best_engine(self.n_threads), self.ensemble_
        return ensemble.scale * sum(
            w * engine.logits(network, rows).astype(np.float64)
            for w, network in zip(ensemble.weights, ensemble.networks, strict=True)
        )

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class for each row."""
        return softmax(self._logits(X))

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each row."""
        return self.classes_[self._logits(X).argmax(axis=1)]


def check_options(classifier: Any) -> None:
    """Check the parameters of the constructor."""
    one_of("preset", classifier.preset, PRESETS)
