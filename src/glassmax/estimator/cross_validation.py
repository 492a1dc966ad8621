"""Cross-validation: the metrics of a classifier on rows that it has not seen, fold by fold, here or on workers."""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from ..distributed import Held, Message, WorkerSettings, open_workers
from ..errors import OptionError, Setting, is_whole
from ..functional.arrays import Array
from ..table import as_table
from ..training import Metrics
from .classifier import SoftmaxClassifier
from .ensemble import assign_blocks
from .fold_metrics import FoldResult, LabelledRows, metrics_of_fold
from .labels import most_probable_class
from .on_workers import (
    arithmetic,
    check_arithmetic,
    finish,
    matrix_arrays,
    matrix_of,
    serialized,
    served_by,
)
from .options import make_plan
from .plain_parameters import of_plain, plain_parameters, to_plain
from .preparation import rows_and_labels
from .tables.classifier import TableClassifier
from .tables.fit import has_names, table_rows
from .tables.options import check_table_options, settings_in_memory
from .tables.order import order_of
from .tables.rows import group_numbers
from .user_warnings import warn_user

__all__ = ["CrossValidation", "cross_validate", "judge_fold"]

MOST_FOLDS = 100
LEFT_OUT, TRAINED_ON, JUDGED = range(3)
SHOWN = {"log_loss": "log-loss", "accuracy": "accuracy", "brier_score": "Brier score"}


@dataclass(frozen=True, repr=False)
class CrossValidation:
    """The metrics of each fold.

    Attributes
    ----------
    folds : list of Metrics
        Metrics of the rows of each fold, by a classifier that was trained on the other folds. They have no confusions.
    """

    folds: list[Metrics]

    def __repr__(self) -> str:
        lines = [f"{len(self.folds)} folds, {sum(fold.rows for fold in self.folds)} rows"]
        for name, words in SHOWN.items():
            values = self._values(name)
            if not np.isnan(values).all():
                lines.append(
                    f"{words}: {np.nanmean(values):.4f} on average, standard deviation {np.nanstd(values):.4f}"
                )
        return "\n".join(lines)

    @property
    def log_loss(self) -> Array:
        """Log-loss of each fold, (folds,)."""
        return self._values("log_loss")

    @property
    def accuracy(self) -> Array:
        """Accuracy of each fold, (folds,)."""
        return self._values("accuracy")

    def _values(self, name: str) -> Array:
        return np.array([getattr(fold, name) for fold in self.folds])


def cross_validate(
    classifier: SoftmaxClassifier | TableClassifier,
    X: Any,
    y: Any,
    sample_weight: npt.ArrayLike | str | None = None,
    *,
    groups: npt.ArrayLike | str | None = None,
    time: npt.ArrayLike | str | None = None,
    folds: int = 5,
    random_state: int = 0,
    engine: str | None = None,
    **workers: Any,
) -> CrossValidation:
    """Train a classifier on all folds of the rows but one, and judge it on that one, for each fold in turn.

    Parameters
    ----------
    classifier : SoftmaxClassifier or TableClassifier
        Clones of it are trained; the classifier itself is not changed.
    X, y, sample_weight
        As for the `fit` of the classifier. Rows without a label are left out.
    groups : (n,) array, or for a TableClassifier str, optional
        Group of each row, or the column with the groups: rows of the same group are in the same fold. A
        TableClassifier also uses the groups for its own folds.
    time : (n,) array, or for a TableClassifier str, optional
        Numbers or dates that put the rows in order. Each fold is then judged by a classifier that was trained on the
        rows before this fold alone; the earliest rows are in no fold. Pass `groups` or `time`, not both.
    folds : int, default=5
        Number of folds, from 2 to 100. There are fewer if there are fewer groups or times.
    random_state : int, default=0
        Seed of the folds: the same for all classifiers that are to be compared. Each fold has about the same share of
        each class.
    engine : {"processes", "ray", "mpi"} or callable, optional
        Where the folds are computed in parallel: in processes of this machine, in tasks of Ray, or in processes of
        MPI. None computes one fold after another in this process. If the classifier's `random_state` is not None, the
        result is bit-identical for any engine and number of workers. The parameters of the classifier travel to the
        workers as numbers and text, so they can't be functions, such as a `scoring` of your own.
    **workers
        With `engine`: `n_workers`, `address`, `resources` and `wait_limit` of the workers, see
        `glassmax.distributed.WorkerSettings`.

    Returns
    -------
    CrossValidation
        With `log_loss` and `accuracy` of each fold as arrays, and all metrics in `folds`. If a fold
        holds all rows of a class, these rows are added to the training rows and are not judged, because a classifier
        can't predict a class that it was not trained on. A fold without rows to judge has the metrics NaN.

    Raises
    ------
    DataError, LabelError, OptionError, DivergenceError
        As for `fit`.
    WorkerError
        If workers can't be started, don't answer, or have died too often.

    Examples
    --------
    >>> import glassmax as gm
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> linear = gm.SoftmaxClassifier((), solver="lbfgs", alpha=1.0, random_state=0)
    >>> result = gm.cross_validate(linear, X, y)
    >>> result
    5 folds, 150 rows
    log-loss: 0.1424 on average, standard deviation 0.0385
    accuracy: 0.9667 on average, standard deviation 0.0365
    Brier score: 0.0666 on average, standard deviation 0.0326
    >>> result.accuracy.shape
    (5,)
    """
    _check(classifier, folds, random_state)
    settings = settings_in_memory(engine, workers, classifier.n_threads if is_whole(classifier.n_threads) else None)
    read = _rows_of_table if isinstance(classifier, TableClassifier) else _rows_of_numbers
    classifier, rows = read(clone(classifier), X, y, sample_weight, groups, time)
    roles = _roles(rows, folds, int(random_state))
    if settings is None:
        results: Iterator[FoldResult] = (_judged(classifier, rows, role) for role in roles)
    else:
        results = _on_workers(classifier, rows, roles, settings)
    found = []
    for result in results:
        found.append(result.metrics)
        for category, text in result.warnings:
            warn_user(text, ConvergenceWarning if category == "ConvergenceWarning" else UserWarning)
    return CrossValidation(found)


def _check(classifier: Any, folds: Any, random_state: Any) -> None:
    if not isinstance(classifier, SoftmaxClassifier | TableClassifier):
        expected = "a SoftmaxClassifier or a TableClassifier"
        remedy = "For other estimators, such as pipelines, use sklearn.model_selection.cross_validate."
        raise OptionError(parameter="classifier", came=repr(classifier), expected=expected, remedy=remedy)
    if not (is_whole(folds) and 2 <= folds <= MOST_FOLDS):
        raise OptionError(parameter="folds", came=repr(folds), expected=f"a whole number from 2 to {MOST_FOLDS}")
    if not (is_whole(random_state) and 0 <= random_state < 2**32):
        expected = "a whole number from 0 to 4294967295: the seed of the folds"
        raise OptionError(parameter="random_state", came=repr(random_state), expected=expected)
    if isinstance(classifier, SoftmaxClassifier):
        make_plan(classifier)
    else:
        check_table_options(classifier)
    if classifier.checkpoint_path is not None:
        expected = "None in a cross-validation: each fold is a training of its own"
        raise OptionError(parameter="checkpoint_path", came=repr(classifier.checkpoint_path), expected=expected)


def _rows_of_table(
    classifier: TableClassifier, X: Any, y: Any, weight: Any, groups: Any, time: Any
) -> tuple[TableClassifier, LabelledRows]:
    rows = table_rows(classifier, X, y, weight, groups=groups, time=time)
    table = rows.table.only([name for name in rows.table.columns if name not in rows.without])
    if not has_names(X):  # the columns of an array are all kept
        classifier.set_params(keep=[name for name in table.columns if name not in classifier.ignore])
    T = rows.y if rows.sets is None else rows.sets
    of_rows = (rows.weight, rows.groups, rows.time)
    return classifier, LabelledRows(table, T, rows.classes, rows.sets is not None, *of_rows)


def _rows_of_numbers(
    classifier: SoftmaxClassifier, X: Any, y: Any, weight: Any, groups: Any, time: Any
) -> tuple[SoftmaxClassifier, LabelledRows]:
    for name, given in (("y", y), ("sample_weight", weight), ("groups", groups), ("time", time)):
        if isinstance(given, str):
            expected = "an array: SoftmaxClassifier knows no columns by name"
            raise OptionError(parameter=name, came=repr(given), expected=expected)
    X, labels, weight = rows_and_labels(clone(classifier), X, y, weight, None, known=False)
    there = np.arange(X.shape[0])
    table = as_table({"row": there})
    groups = None if groups is None else group_numbers(table, groups, there)
    time = None if time is None else order_of(table, time, there)
    return classifier, LabelledRows(X, labels.T, labels.classes, labels.candidates, weight, groups, time)


def _roles(rows: LabelledRows, folds: int, seed: int) -> Array:
    """Return, for each fold, whether each row is left out, trained on or judged: (folds, n) array of uint8."""
    y = rows.T if rows.T.ndim == 1 else most_probable_class(rows.T)
    y = np.unique(y, return_inverse=True)[1]
    in_order = rows.time is not None
    draw = np.random.RandomState(seed)
    blocks = assign_blocks(y, draw, folds + in_order, groups=rows.groups, time=rows.time)
    if not in_order:
        return np.array([np.where(blocks.left_out(j), JUDGED, TRAINED_ON) for j in range(blocks.n_blocks)], np.uint8)
    if len(np.unique(y[blocks.block == 0])) < 2:
        message = (
            f"The earliest rows, {np.count_nonzero(blocks.block == 0)} of {len(y)}, are all of one class, expected "
        )
        message += "at least two classes to train on before the first fold. Pass fewer "
        raise OptionError(message, Setting("folds"), ".", parameter="time")
    return np.array([_in_order(blocks.block, y, j) for j in range(1, blocks.n_blocks)], np.uint8)


def _in_order(block: Array, y: Array, judged: int) -> Array:
    """Return the roles of rows where the blocks before one are trained on, and this one is judged.

    Rows of a class that has no earlier rows are left out.
    """
    earlier = block < judged
    seen = np.isin(y, y[earlier])
    return np.where(earlier, TRAINED_ON, np.where((block == judged) & seen, JUDGED, LEFT_OUT))


def _judged(classifier: Any, rows: LabelledRows, role: Array, alive: Any = lambda: None) -> FoldResult:
    train, test = (rows.some(np.flatnonzero(role == one)) for one in (TRAINED_ON, JUDGED))
    return metrics_of_fold(classifier, train, test, alive)


def _on_workers(
    classifier: Any, rows: LabelledRows, roles: Array, settings: WorkerSettings
) -> Generator[FoldResult, None, None]:
    """Judge each fold on a worker."""
    message = _message(clone(classifier).set_params(n_threads=settings.worker_threads), rows, roles)
    with closing(open_workers(settings)) as workers:
        served = served_by(workers)
        if served is None:
            workers.broadcast(message)
            answers = workers.map_shards(judge_fold, range(len(roles)), Message({}, {}))
            found = [answer.manifest for answer in answers]
            finish(workers, lambda: Message({"folds": found}, {}))
        else:
            found = served.manifest["folds"]
    for one in found:
        yield FoldResult(Metrics(**one["metrics"]), [(category, text) for category, text in one["warnings"]])


def _message(classifier: Any, rows: LabelledRows, roles: Array) -> Message:
    """Return classifier and rows as they are broadcast."""
    given: list[Array] = []
    manifest = {
        "classifier": type(classifier).__name__,
        "parameters": plain_parameters(classifier, given),
        "classes": to_plain(rows.classes, "y", given),
        "candidates": rows.candidates,
        "engine": arithmetic(),
    }
    arrays = {"roles": roles}
    for name, values in (("X", rows.X), ("T", rows.T)):
        if isinstance(values, np.ndarray) or hasattr(values, "tocsr"):
            arrays |= matrix_arrays(name, values)
            manifest[f"columns of {name}"] = int(values.shape[-1])
        else:
            manifest[name] = to_plain(values, name, given)
    arrays |= {name: v for name in ("weight", "groups", "time") if (v := getattr(rows, name)) is not None}
    return Message(manifest, arrays | {str(i): array for i, array in enumerate(given)})


def _read(message: Message) -> tuple[Any, LabelledRows]:
    """Return the classifier and the rows of a message."""
    manifest, arrays = message
    given = [arrays[str(i)] for i in range(sum(name.isdigit() for name in arrays))]
    kind = {known.__name__: known for known in (SoftmaxClassifier, TableClassifier)}[manifest["classifier"]]
    classifier = kind(**{name: of_plain(plain, given) for name, plain in manifest["parameters"].items()})
    X, T = (
        of_plain(manifest[name], given) if name in manifest else matrix_of(name, arrays, manifest[f"columns of {name}"])
        for name in ("X", "T")
    )
    classes = of_plain(manifest["classes"], given)
    of_rows = [arrays.get(name) for name in ("weight", "groups", "time")]
    return classifier, LabelledRows(X, T, classes, manifest["candidates"], *of_rows)


def judge_fold(held: Held, shard: int, call: Message) -> Message:
    """Train on all folds but one, and judge that one: an operation of workers."""
    manifest, arrays = held.broadcast
    check_arithmetic(manifest["engine"])
    if "rows" not in held.cache:
        held.cache["rows"] = _read(held.broadcast)
    classifier, rows = held.cache["rows"]
    metrics, told = _judged(classifier, rows, arrays["roles"][shard], serialized(held.alive))
    plain = {name: value for name, value in vars(metrics).items() if name not in ("confusion", "confused")}
    return Message({"metrics": plain, "warnings": told}, {})
