"""How `TableClassifier` is fitted: from rows of a table to members, weights and figures.

With a preset, an ensemble is trained on all rows, each judged by members that have not seen it. With a network of the
user's own, a share of the rows is held out to judge it.
"""

import os
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from ...conformal import Conformal
from ...distributed.settings import WorkerSettings
from ...engine import MANY_CLASSES, Progress, TopOfSum, best_engine, logits
from ...errors import LabelError, OptionError, Setting
from ...functional import softmax
from ...functional.arrays import Array, blocks_of_rows
from ...likely_classes import LikelyClasses
from ...memory import check_memory
from ...table import ColumnOptions, Date, Encoding, Number, Table, is_frame, table_from
from ...training import Epoch
from ...training.checkpoint import digest
from ...version import __version__
from ..candidates import CANDIDATES, check_candidates
from ..classifier import SoftmaxClassifier
from ..ensemble import (
    Ensemble,
    EnsembleCheckpoint,
    Folds,
    Found,
    Member,
    MemberType,
    Numbers,
    Preset,
    Rows,
    Search,
    StudyFile,
    Trainer,
    Trial,
    assign_blocks,
    check_optuna,
    saved_member,
    search_types,
    train_ensemble,
    with_types_of,
)
from ..ensemble.selection import OutOfFold
from ..identity import plain
from ..labels import Labels, weigh_rows
from ..on_workers import DriversEnsemble, MemberWorkers, member_workers
from ..rare_classes import check_min_count
from .options import preset_of
from .rows import TableRows, split_rows

__all__ = ["Prepared", "Records", "TableFit", "fit_table", "seed_of", "table_rows"]

COPIES_OF_LOGITS = 3
"""Of one type of members, of their weighted mean, and of the out-of-fold probabilities."""


@dataclass(frozen=True)
class Prepared:
    """What a fit trains on, once the columns are encoded and before the first member is trained.

    Attributes
    ----------
    kept, held : arrays of int
        Rows to train on and rows held out, among those of `TableRows`.
    width : int
        Number of columns of X.
    n_validation : int or None
        Number of validation rows, if there are any.
    network : SoftmaxClassifier or None
        The network of the user's own that is trained.
    """

    kept: Array
    held: Array
    width: int
    n_validation: int | None
    network: SoftmaxClassifier | None = None


@dataclass
class TableFit:
    """What a fit has learned.

    Attributes
    ----------
    kept : (n,) array of int
        Rows that were trained on, among those of `TableRows`.
    members : list of SoftmaxClassifier
    types : list of str
        Type of each member.
    weights : (m,) array
        Weight of the logits of each member; they sum to 1.
    scale : float or None
        Factor of the mean logits; None if it was not fitted.
    judged : (r,) array of int
        Rows that were judged by members that had not seen them, among those of `TableRows`; all validation rows, if
        there are any.
    Z : (r, k) array
        Their logits; (0, k) if there are very many classes, see `summary`.
    summary : TopOfSum or None
        The most probable class and the log-loss of each of these rows, if there are very many classes.
    y, sample_weight : (r,) arrays
        Their classes, or (r, k) rows of 0 and 1 with their candidates, and weights; class weights are not part of the
        weights.
    stop_reason : str
        "completed", "time_limit" or "interrupted"; of a network of the user's own, its own `stop_reason_`.
    planned : int
        Number of members that the preset asks for.
    seed : int
    validated : bool
        Whether the judged rows are the validation rows.
    trained : int
        Number of members that were trained; some of them may not be used.
    bias : (k,) array or None
        Number that is added to the scaled logits of each class.
    preset : Preset or None
        The types of members that were trained; None for a network of the user's own.
    found : Found or None
        The trials of a search, if there was one.
    tried : list of (MemberType, OutOfFold)
        Out-of-fold logits of each type of members that was trained, used or not.
    """

    kept: Array
    members: list[SoftmaxClassifier]
    types: list[str]
    weights: Array
    scale: float | None
    judged: Array
    Z: Array
    y: Array
    sample_weight: Array | None
    stop_reason: str
    planned: int = 1
    seed: int = 0
    validated: bool = False
    trained: int = 1
    bias: Array | None = None
    preset: Preset | None = None
    found: Found | None = None
    tried: list[tuple[MemberType, OutOfFold]] = field(default_factory=list)
    summary: TopOfSum | None = None

    def uncalibrated(self, some: slice) -> Array:
        """Return the logits of some of the judged rows as they were before the calibration."""
        Z: Array = self.Z[some] - np.asarray(0.0 if self.bias is None else self.bias, self.Z.dtype)
        return Z / Z.dtype.type(self.scale or 1.0)

    def probabilities(self, rows: TableRows) -> Array:
        """Return the probabilities of all rows that were given, NaN where a row was not judged."""
        P = np.full((rows.given, len(rows.classes)), np.nan, np.float32)
        for some in blocks_of_rows(self.Z):
            P[rows.index[self.judged[some]]] = softmax(self.Z[some])
        return P

    def conformal(self) -> Conformal | None:
        """Return what prediction sets need; None if no rows were judged. Rows of several candidates are left out."""
        Z, y, weight = self.Z, self.y, self.sample_weight
        if self.summary is not None and self.summary.top.losses is not None:
            return Conformal.of_losses(self.summary.top.losses, weight)
        if y.ndim == 2:
            known = np.flatnonzero(y.sum(axis=1) == 1)
            Z, y, weight = Z[known], y[known].argmax(axis=1), None if weight is None else weight[known]
        return Conformal.fit(Z, y, weight) if len(y) else None


Records = Generator[Prepared | Trial | Member | Epoch, None, TableFit]
"""What a fit yields and returns. An exception that is thrown into the generator, such as KeyboardInterrupt, ends the
training as if it had been raised there."""


def table_rows(
    classifier: Any, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
) -> TableRows:
    """Return the rows of a table as a `TableClassifier` with these parameters sees them."""
    if y is None:
        raise LabelError(
            "y is None, expected an array of labels or the name of a column of X: TableClassifier requires y to be "
            "passed, but the target y is None."
        )
    table = table_from(X)
    options = ColumnOptions(classifier.types or {}, tuple(classifier.ignore), tuple(classifier.keep))
    if not has_names(X):  # each column of an array is a number that is meant to be learned from
        options = options._replace(keep=[name for name in table.columns if name not in options.ignore])
    check_min_count(classifier)
    how = {
        "candidates": classifier.candidates,
        "min_count": classifier.min_count,
        "other_label": classifier.other_label,
    }
    return TableRows(table, y, sample_weight, options, groups=groups, time=time, **how)


def has_names(X: Any) -> bool:
    """Return whether the columns of X have names of their own."""
    return isinstance(X, Table | Mapping | str | Path) or is_frame(X)


def fit_table(
    classifier: Any,
    rows: TableRows,
    validation: tuple[Any, Any, Any] | None,
    search: Search | None = None,
    progress: Progress | None = None,
    workers: WorkerSettings | None = None,
    alive: Callable[[], None] | None = None,
) -> Records:
    """Train on rows; yield what is trained on, then a record of each trial, member or epoch; return what is learned."""
    if classifier.network is None:
        return (yield from _fit_preset(classifier, rows, validation, search, workers, alive))
    return (yield from _fit_network(classifier, rows, validation, progress))


def _fit_preset(
    classifier: Any,
    rows: TableRows,
    validation: Any,
    search: Search | None,
    workers: WorkerSettings | None,
    alive: Callable[[], None] | None,
) -> Records:
    preset = preset_of(classifier.preset)
    there = np.arange(len(rows.y))
    k = len(rows.classes)
    check_memory(
        COPIES_OF_LOGITS * 4 * len(there) * k,
        f"A preset keeps a logit for each row and class, and for {len(there)} rows and {k} classes it",
        (
            *("Pass ", Setting("network"), "=SoftmaxClassifier(...) to train one network, which keeps no logits, or "),
            *(Setting("min_count"), " to put rare classes together."),
        ),
    )
    rows.learn_encoding(held_out=validation is None)
    X = rows.encoded(there, np.float32, notes=rows.notes)
    y, weight = rows.targets(there), _weighed(classifier, rows, there)
    held = None
    if validation is not None:
        data, target, of_rows = validation
        held = Rows(*rows.encoded_validation(data, target, of_rows, np.float32))
    yield Prepared(there, there[:0], X.shape[1], None if held is None else len(held.y))
    seed = seed_of(classifier, search, of_all_processes=workers is not None and workers.engine == "mpi")
    folds = Folds.none(rows.y[there])
    if held is None:
        groups, time = (None if given is None else given[there] for given in (rows.groups, rows.time))
        draw = np.random.RandomState(seed)
        folds = assign_blocks(rows.y[there], draw, preset.blocks, preset.out, groups=groups, time=time)
    data = Rows(X, y, weight)
    common: dict[str, Any] = {"numbers": _numbers(rows.encoding), "memory_limit": classifier.memory_limit}
    with member_workers(workers, data, len(rows.classes), folds, **common) as elsewhere:
        common |= {"n_threads": classifier.n_threads or os.cpu_count() or 1, "elsewhere": elsewhere, "alive": alive}
        trainer_of = partial(Trainer, data, len(rows.classes), folds, validation=held, **common)
        identified = partial(_identity, classifier, rows, data, folds, held, seed)
        ensemble, preset, found = yield from _trained(
            classifier, trainer_of, identified, preset, seed, search, elsewhere
        )
    if held is None:
        judged, of_y = there[ensemble.judged], y[ensemble.judged]
        of_weight = rows.weights(judged)
    else:
        judged, of_y, of_weight = ensemble.judged, held.y, held.weight
    return TableFit(
        there,
        [member.classifier for member in ensemble.members],
        [member.type for member in ensemble.members],
        ensemble.weights,
        ensemble.scale if len(judged) else None,
        judged,
        ensemble.Z,
        of_y,
        of_weight,
        ensemble.stop_reason,
        ensemble.planned,
        seed,
        held is not None,
        ensemble.trained,
        ensemble.bias,
        preset,
        found,
        ensemble.tried,
    )


def _trained(
    classifier: Any,
    trainer_of: Callable[..., Trainer],
    identified: Callable[[Preset], dict[str, str]],
    preset: Preset,
    seed: int,
    search: Search | None,
    elsewhere: MemberWorkers | DriversEnsemble | None,
) -> Generator[Trial | Member, None, tuple[Ensemble, Preset, Found | None]]:
    """Search, if that is asked for, and train; return the ensemble, its types of members, and the trials."""
    if isinstance(elsewhere, DriversEnsemble):
        found, trainer = elsewhere.found, trainer_of(seed=seed, checkpoint=elsewhere)
        preset = preset if found is None else with_types_of(preset, found.trials)
        return (yield from train_ensemble(trainer, preset)), preset, found
    found = None
    if search is not None:
        file = None
        if search.study_path is not None:
            identity = identified(preset) | {"Optuna": check_optuna().__version__}
            file = StudyFile(Path(search.study_path), identity)
        found = yield from search_types(lambda s: trainer_of(seed=s), preset, seed, search, file)
        preset = with_types_of(preset, found.trials)
    checkpoint = None
    if classifier.checkpoint_path is not None:
        checkpoint = EnsembleCheckpoint(Path(classifier.checkpoint_path), identified(preset))
    trainer = trainer_of(seed=seed, time_limit=classifier.time_limit, checkpoint=checkpoint)
    ensemble = yield from train_ensemble(trainer, preset)
    if elsewhere is not None:
        ready = [saved_member(member.classifier, member.task, member.seconds) for member in trainer.ready]
        known = {(saved.facts.type, saved.facts.number): saved for saved in ready}
        elsewhere.finish(DriversEnsemble(known, found, ensemble.stop_reason == "interrupted"))
    return ensemble, preset, found


def _held_out(rows: TableRows, share: float, seed: int) -> tuple[Array, Array]:
    """Return the rows to train on and those held out: whole groups or the latest rows, if these are known."""
    if rows.groups is None and rows.time is None:
        return split_rows(rows.y, share, seed)
    if not share:
        return np.arange(len(rows.y)), np.arange(0)
    draw, blocks = np.random.RandomState(seed), max(2, round(1 / share))
    block = assign_blocks(rows.y, draw, blocks, groups=rows.groups, time=rows.time).block
    return np.flatnonzero(block < block.max()), np.flatnonzero(block == block.max())


def _fit_network(classifier: Any, rows: TableRows, validation: Any, progress: Progress | None) -> Records:
    """Train one network, as the user describes it, on the rows that are not held out."""
    seed = seed_of(classifier)
    kept, held = _held_out(rows, classifier.held_out, seed)
    rows.learn_encoding(kept, held_out=len(held) > 0)
    network: SoftmaxClassifier = clone(classifier.network)
    if network.random_state is None:
        network.set_params(random_state=seed)
    for name in ("n_threads", "memory_limit"):
        if getattr(network, name) is None:
            network.set_params(**{name: getattr(classifier, name)})
    X = rows.encoded(kept, classifier.dtype, notes=rows.notes)
    X_judged, y_judged, w_judged = rows.encoded(held, classifier.dtype), rows.targets(held), rows.weights(held)
    weight = _weighed(classifier, rows, kept)
    names = ("X_val", "y_val", "sample_weight_val")
    others: tuple[Any, ...] = ()
    if validation is not None:
        data, target, of_rows = validation
        others = rows.encoded_validation(data, target, of_rows, classifier.dtype)
    given = dict(zip(names, others, strict=False))
    yield Prepared(kept, held, X.shape[1], len(others[1]) if others else None, network)
    classes = np.arange(len(rows.classes))
    if rows.sets is not None or (others and others[1].ndim == 2):
        check_candidates(network)
        network.set_params(loss=CANDIDATES)
    epochs = network.fit_epochs(X, rows.targets(kept), weight, classes=classes, progress=progress, **given)
    try:
        yield from epochs
    except KeyboardInterrupt:
        if not hasattr(network, "network_"):
            raise
    judged = held
    if not len(held) and others:
        X_judged, y_judged, w_judged = others
        judged = np.arange(len(y_judged))
    Z, summary = _judged(network, X_judged, y_judged)
    reason = str(network.stop_reason_)
    return TableFit(
        kept,
        [network],
        ["network"],
        np.ones(1),
        None,
        judged,
        Z,
        y_judged,
        w_judged,
        reason,
        1,
        seed,
        bool(len(judged) and not len(held)),
        summary=summary,
    )


def _judged(network: SoftmaxClassifier, X: Any, y: Array) -> tuple[Array, TopOfSum | None]:
    """Return the logits of rows or, with very many classes, the most probable class and the log-loss of each row."""
    fitted, engine = network.network_, best_engine(network.n_threads)
    k, dtype = fitted.layer_sizes[-1], fitted.theta.dtype
    X, none = X.astype(dtype, copy=False), np.zeros((0, k), dtype)
    if k >= MANY_CLASSES and y.ndim == 1:
        return none, LikelyClasses(engine, [fitted], np.ones(1), None).summary(X, 1, y) if len(y) else None
    return np.concatenate([none, *logits(engine, fitted, X)]), None


def _numbers(encoding: Encoding) -> Numbers:
    """Return the columns of X that hold numbers."""
    return Numbers(
        tuple(encoding.number_columns), sum(isinstance(column, Number | Date) for column in encoding.columns)
    )


def _weighed(classifier: Any, rows: TableRows, index: Array) -> Array | None:
    """Return the weights of some rows, times the weights of their classes."""
    labels = Labels("softmax", np.arange(len(rows.classes)), rows.targets(index), rows.sets is not None)
    return weigh_rows(rows.class_weight(classifier.class_weight), labels, rows.weights(index), named=True)


def seed_of(classifier: Any, search: Search | None = None, *, of_all_processes: bool = False) -> int:
    """Return the seed of a fit.

    If none is given, a run that may be resumed has the seed 0, and one that several processes must draw alike.
    """
    given = classifier.random_state
    resumable = classifier.checkpoint_path is not None or (search is not None and search.study_path is not None)
    if given is None and (resumable or of_all_processes):
        return 0
    return int(given) if isinstance(given, int | np.integer) else int(check_random_state(given).randint(2**31))


def _identity(
    classifier: Any, rows: TableRows, data: Rows, folds: Folds, validation: Rows | None, seed: int, preset: Preset
) -> dict[str, str]:
    """Return everything that the members depend on, by name."""
    held = validation or Rows(None, None)  # type: ignore[arg-type]
    return {
        "X": digest(data.X),
        "y": digest(data.y),
        "sample_weight": digest(data.weight),
        "X_val": digest(*held),
        "the classes": plain(rows.classes.tolist()),
        "preset": plain(classifier.preset),
        "the members": digest(np.frombuffer(plain(preset.types).encode(), np.uint8)),
        "random_state": plain(seed),
        "the folds": digest(folds.block),
        "the engine": f"{best_engine(1).arithmetic} of glassmax {__version__}",
    }


def check_validation(X_val: Any, y_val: Any, sample_weight_val: Any, target: Any) -> tuple[Any, Any, Any] | None:
    """Return the validation rows, if there are any; raise an OptionError if only a part of them is given."""
    if X_val is None and y_val is None and sample_weight_val is None:
        return None
    missing = "X_val" if X_val is None else "y_val" if y_val is None and not isinstance(target, str) else ""
    if missing:
        given = "X_val" if X_val is not None else "y_val" if y_val is not None else "sample_weight_val"
        raise OptionError(
            Setting(given), f" is given without {missing}.", parameter=given, remedy="Pass both, or none."
        )
    return X_val, y_val, sample_weight_val
