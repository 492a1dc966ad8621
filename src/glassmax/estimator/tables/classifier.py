"""TableClassifier: a table as it is in, a calibrated ensemble of softmax networks out."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from ...calibration import Calibration
from ...distributed import WorkerSettings
from ...engine import MANY_CLASSES, Progress
from ...errors import DataError
from ...functional.arrays import Array
from ...model import Model
from ...model_manifest import Record
from ...table import Encoding, Note, Table, read_weights, table_from
from ...training import Epoch, Metrics
from ...version import __version__
from ..candidates import encode_candidates, holds_candidates
from ..classifier import SoftmaxClassifier
from ..ensemble import Member, Preset, Search, Trial
from ..files.faces import finished, records_of
from ..files.records import FilesFit
from ..labels import MANY_VALUES, encode_labels, plain_labels, weigh_rows
from ..on_files import NOT_ROUTED, in_files, names_files, of_files, score_on_files
from ..rare_classes import of_kind
from ..user_warnings import warn_user
from .figures import metrics_of_fit
from .fit import Records, TableFit, check_validation, fit_table, has_names, table_rows
from .options import SETTINGS, check_folds, check_search, check_table_options, settings_of_preset
from .rows import TableRows

__all__ = ["TableClassifier"]


class TableClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier for tables as they are: numbers, categories, dates, booleans, missing cells.

    An ensemble of softmax networks is trained by cross-validation: each member is trained on some folds of the rows and
    judged on the others. The logits of the classifier are a weighted mean of the logits of the members, divided by a
    temperature that is fitted on the out-of-fold logits. Every row is used for training, and every metric is
    out-of-fold.

    Parameters
    ----------
    preset : {"fast", "default", "best"} or Preset, default="default"
        The types of networks to train. A linear model is one of the types, and is used where it is better. The
        `preset_` of another classifier, such as one found by `tune`, is a Preset. Ignored with `network`.
    network : SoftmaxClassifier or None, default=None
        One network of your own, trained in place of a preset. A clone is trained, on all rows but those held out.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, multiplied by the sample weights; a class that a dict doesn't name has the weight 1.
    types : dict or None, default=None
        Types by column, which override the inferred types: "number", "category", "boolean" or "date".
    ignore : collection of str, default=()
        Columns to leave out.
    keep : collection of str, default=()
        Columns to learn from even if they look like identifiers or never change. The columns of an array are all kept.
    candidates : str or None, default=None
        Separator of candidate classes in labels that are texts: with "|", ``a|b`` means "a or b", and ``!a`` means
        "not a", see `SoftmaxClassifier.fit`. None: each text is one class.
    min_count : int, default=1
        Classes with fewer rows than this are put together as one class, `other_label`, and `notes_` has their number;
        1 keeps every class. In later calls, such as `score`, any label that is not in `classes_` counts as
        `other_label`. Each row must have one label.
    other_label : label, default="other"
        Label of the class that `min_count` makes. It must be of the same kind as the other labels: if they are whole
        numbers, a whole number such as -1. If the target has this label already, the rare classes are added to it.
    held_out : float, default=0.2
        Share of the rows, in [0, 1), held out to judge `network`, or the network that is trained on files; 0 holds out
        none. Ignored by presets.
    dtype : {"float64", "float32"}, default="float64"
        Floating-point type of `network`. The networks of presets are float32.
    random_state : int, RandomState or None, default=None
        Seed of the folds, the starting weights and the batches.
    n_threads : int or None, default=None
        Maximum number of threads, >= 1; None uses all processors. Networks are trained in parallel. The
        result of the native engine is bit-identical for any number of threads.
    memory_limit : int or None, default=None
        Bytes, >= 16,000,000: that of each network in training, see `SoftmaxClassifier`. If `network` has one, that
        one takes precedence.
    time_limit : float or None, default=None
        Time limit in seconds, > 0. A network of the preset is not started if, judging by the earlier ones, the network
        would probably end later; one network is always trained. A warning says how many were trained.
    checkpoint_path : path or None, default=None
        Checkpoint file, to which each network of the preset is written once trained. If `fit` is interrupted, calling
        `fit` again with the same arguments trains only the missing networks, with bit-identical results. If
        `random_state` is None, the seed is 0. Without `network`, the network that is trained on files writes it after
        each epoch and within long ones, see `SoftmaxClassifier`.
    verbose : bool or int, default=False
        Whether to print a line for each network of the preset, or for each epoch of a network trained on files.

    Attributes
    ----------
    classes_ : (k,) array
        The labels, sorted.
    model_ : Model
        The fitted model: networks, weights, calibration and encoding. Its predictions need no scikit-learn.
    encoding_ : Encoding
        How each column becomes numbers.
    notes_ : list of Note
        What was done to columns, and remarks on columns and classes.
    members_ : list of SoftmaxClassifier
        The networks of the ensemble. Their inputs are the encoded columns, and their classes are 0 to k - 1.
    member_types_ : list of str
        Type of each member, such as "linear"; "network" with `network`.
    weights_ : (m,) array
        Weight of the logits of each member; they sum to 1.
    temperature_ : float
        Temperature, by which the mean logits are divided.
    linear_ : bool
        Whether no member has a hidden layer.
    oof_proba_ : (n, k) array of float32, or None
        Out-of-fold probabilities of the rows given to `fit`, by members that were not trained on these rows; NaN for
        rows without a label or a weight, and for rows that every member was trained on. None if validation rows were
        given, or if there are 4,096 classes or more.
    preset_ : Preset or None
        The types of members that were trained, including those that `tune` found. None with `network`.
    trials_ : list of Trial
        The trials of `tune`; empty after `fit`.
    metrics_ : Metrics or None
        Log-loss, accuracy and other metrics of the out-of-fold, held-out or validation rows; None without such rows.
    stop_reason_ : str
        "completed", "time_limit", or "interrupted" (by Ctrl-C); with `network`, the network's `stop_reason_`.
    n_features_in_, feature_names_in_
        Number of columns of X that are not the target, and their names if X has names.

    See Also
    --------
    SoftmaxClassifier : One network on numbers.

    Notes
    -----
    A row of sample weight 0 is left out: the result is the same without the row. A row of weight 2 is not quite the
    same as two copies of the row, which may be in different folds.

    Examples
    --------
    >>> import glassmax as gm
    >>> penguins = gm.read_table("penguins")
    >>> classifier = gm.TableClassifier("fast", random_state=0).fit(penguins, "species")
    >>> classifier.metrics_.accuracy > 0.97
    True
    >>> classifier.predict(penguins.rows(slice(0, 2))).tolist()
    ['Adelie', 'Adelie']
    """

    __metadata_request__fit = NOT_ROUTED

    classes_: Array
    model_: Model
    encoding_: Encoding
    notes_: list[Note]
    members_: list[SoftmaxClassifier]
    member_types_: list[str]
    weights_: Array
    oof_proba_: Array | None
    metrics_: Metrics | None
    preset_: Preset | None
    trials_: list[Trial]
    stop_reason_: str
    n_features_in_: int

    def __init__(
        self,
        preset: str | Preset = "default",
        *,
        network: SoftmaxClassifier | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        types: Mapping[str, str] | None = None,
        ignore: Collection[str] = (),
        keep: Collection[str] = (),
        candidates: str | None = None,
        min_count: int = 1,
        other_label: Any = "other",
        held_out: float = 0.2,
        dtype: str = "float64",
        random_state: int | np.random.RandomState | None = None,
        n_threads: int | None = None,
        memory_limit: int | None = None,
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
        self.candidates = candidates
        self.min_count = min_count
        self.other_label = other_label
        self.held_out = held_out
        self.dtype = dtype
        self.random_state = random_state
        self.n_threads = n_threads
        self.memory_limit = memory_limit
        self.time_limit = time_limit
        self.checkpoint_path = checkpoint_path
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: npt.ArrayLike | str | None = None,
        *,
        groups: npt.ArrayLike | str | None = None,
        time: npt.ArrayLike | str | None = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: npt.ArrayLike | None = None,
        target: str | None = None,
        cache_folder: str | Path | None = None,
        engine: str | None = None,
        **workers: Any,
    ) -> Self:
        """Train on a table, or on files that may be larger than memory.

        Parameters
        ----------
        X : frame, Table, dict of columns, (n, d) array, or path
            A pandas, polars or Arrow frame, what `glassmax.read_table` returns, or the path of a file that
            `glassmax.read_table` can read. The columns of an array are all inputs; NaN is a missing cell.
        y : (n,) array, or str
            Labels of any kind, at least two different ones; or the name of the column of X that holds them. A label may
            be a set of labels or `glassmax.not_class`, see `SoftmaxClassifier.fit`. Rows without a label are left out.
        sample_weight : (n,) array, or str, optional
            Weights of the rows, >= 0; or the name of the column of X that holds them. Rows of weight 0 are left out.
        groups : (n,) array, or str, optional
            Group of each row: rows of the same group are in the same fold, so that no row is judged by a member that
            was trained on rows of the same group. A column of X named here is not an input.
        time : (n,) array, or str, optional
            Numbers or dates that put the rows in order: the folds are then consecutive in time.
        X_val, y_val, sample_weight_val
            Validation rows, on which all members are judged; the members are then trained on all rows of X.
            `class_weight` is not applied to validation rows. A preset takes either validation rows, or `groups` or
            `time`.
        target : str, optional
            The column to predict, where X names files that may be larger than memory: a path, a folder, a glob, or a
            list of these; y is then None. See the notes.
        cache_folder : path, optional
            With `target`: as for `SoftmaxClassifier.fit`.
        engine : {"processes", "ray", "mpi"} or callable, optional
            Where the networks of the preset are trained in parallel: in processes of this machine, in tasks of Ray
            (``pip install 'glassmax[ray]'``), or in processes of MPI (``pip install 'glassmax[mpi]'``). None trains
            them on threads of this process. The result is bit-identical for any engine and number of workers. With
            `target`: as for `SoftmaxClassifier.fit`.
        **workers
            With `engine`: `n_workers`, `address`, `resources` and `wait_limit` of the workers, see
            `glassmax.distributed.WorkerSettings`. Each worker uses ``n_threads // n_workers`` threads, at least one.

        Returns
        -------
        self

        Raises
        ------
        DataError, LabelError, OptionError
            If the table, the labels or a parameter can't be used.
        CheckpointError
            If `checkpoint_path` belongs to another run.
        DivergenceError
            If no member ends with finite weights.
        WorkerError
            If workers can't be started, don't answer, or have died too often.

        Notes
        -----
        With `target`, one network is trained as `SoftmaxClassifier.fit` trains it on files: `network`, or a network
        with 128 hidden units in place of a preset, which needs all rows in memory. The encoding of the columns is
        learned from all rows. The rows that judge the network, a share of `held_out`, are chosen by a hash of the row
        number. If there are more than 65,536 of these rows, prediction sets use a sample of about 65,536 of them.
        """
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        on_files = {"cache_folder": cache_folder, **workers}
        if not names_files(X, y, target, {name: on_files[name] for name in on_files if name not in SETTINGS}):
            settings = settings_of_preset(self, engine, workers)
            self._tell(self._records(X, y, sample_weight, groups, time, given, workers=settings))
            return self
        given |= {"groups": groups, "time": time}
        on_files |= {"engine": engine}
        if finished(records_of(self, X, y, sample_weight, target, given, on_files)):
            warn_user("Training was interrupted; the weights so far are kept.")
        return self

    def tune(
        self,
        X: Any,
        y: Any,
        sample_weight: npt.ArrayLike | str | None = None,
        *,
        budget: float | None = None,
        trials: int | None = None,
        study_path: str | Path | None = None,
        groups: npt.ArrayLike | str | None = None,
        time: npt.ArrayLike | str | None = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: npt.ArrayLike | None = None,
        engine: str | None = None,
        **workers: Any,
    ) -> Self:
        """Search for types of networks that suit the table, and train as `fit` does, with the best of them added.

        Each trial trains one type of network, with its own layers, learning rate and regularization, on the folds that
        `fit` uses, and is judged by the out-of-fold log-loss. A trial that is worse than the median of the complete
        trials is ended early. Then `fit` trains the types of the preset and the best three found. As the weights of
        all types are fitted out of fold, a type that doesn't help isn't used. Ctrl-C ends the search, and the types
        found so far are trained. The search needs Optuna: ``pip install 'glassmax[tune]'``.

        Parameters
        ----------
        X, y, sample_weight, groups, time, X_val, y_val, sample_weight_val
            As for `fit`.
        engine, **workers
            As for `fit`: the networks of a trial are trained in parallel, and then those of the preset. Trials follow
            one another, because each is proposed from the records of the earlier ones.
        budget : float, optional
            Seconds of the search, > 0. One trial is always completed. The training afterwards takes its own time.
        trials : int, optional
            Number of trials, >= 1, including those of the file. The result then depends on the data and `random_state`
            alone. At least one of `budget` and `trials` is needed; the search ends by whichever is reached first.
        study_path : path, optional
            File to which each trial is appended once it has ended, as a line of JSON. If the search is interrupted,
            calling `tune` again with the same arguments goes on after the trials of the file, and gives the same
            result as without the interruption. If `random_state` is None, the seed is 0.

        Returns
        -------
        self
            With the records in `trials_`, and all types in `preset_`.

        Raises
        ------
        DataError, LabelError, OptionError, DivergenceError, WorkerError
            As for `fit`; an OptionError also if Optuna is missing.
        CheckpointError
            If `study_path` or `checkpoint_path` belongs to another table, preset or seed, or is damaged.

        Examples
        --------
        >>> import glassmax as gm
        >>> penguins = gm.read_table("penguins")
        >>> classifier = gm.TableClassifier("fast", random_state=0).tune(penguins, "species", trials=2)
        >>> [trial.state for trial in classifier.trials_]
        ['complete', 'complete']
        >>> again = gm.TableClassifier(classifier.preset_, random_state=0).fit(penguins, "species")
        >>> bool((again.oof_proba_ == classifier.oof_proba_).all())
        True
        """
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        search = Search(budget, trials, study_path)
        settings = settings_of_preset(self, engine, workers)
        self._tell(self._records(X, y, sample_weight, groups, time, given, search, settings))
        return self

    def fit_members(
        self,
        X: Any,
        y: Any,
        sample_weight: npt.ArrayLike | str | None = None,
        *,
        groups: npt.ArrayLike | str | None = None,
        time: npt.ArrayLike | str | None = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: npt.ArrayLike | None = None,
        engine: str | None = None,
        **workers: Any,
    ) -> Iterator[Member | Epoch]:
        """Train as `fit` does, and yield a record of each member once it is trained: for progress bars.

        Parameters
        ----------
        X, y, sample_weight, groups, time, X_val, y_val, sample_weight_val
            As for `fit`.
        engine, **workers
            As for `fit`.

        Yields
        ------
        glassmax.estimator.ensemble.Member, or with `network` glassmax.training.Epoch
            The record of a member or an epoch. The classifier can predict after the last one. Ctrl-C ends the training;
            the members that are trained are kept.
        """
        given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        settings = settings_of_preset(self, engine, workers)
        records = self._records(X, y, sample_weight, groups, time, given, workers=settings)
        yield from cast("Iterator[Member | Epoch]", records)

    def _records(
        self,
        X: Any,
        y: Any,
        weight: Any,
        groups: Any,
        time: Any,
        given: dict[str, Any],
        search: Search | None = None,
        workers: WorkerSettings | None = None,
    ) -> Iterator[Trial | Member | Epoch]:
        """Train, and yield a record of each trial, member or epoch; `given` are the validation rows."""
        check_table_options(self)
        if search is not None:
            check_search(self, search)
        validation = check_validation(given["X_val"], given["y_val"], given["sample_weight_val"], y)
        rows = table_rows(self, X, y, weight, groups=groups, time=time)
        records = self.fit_rows(rows, validation, search, workers=workers)
        next(records)
        yield from cast("Iterator[Trial | Member | Epoch]", records)
        self._learn_columns(rows, named=has_names(X))

    def _tell(self, records: Iterator[Trial | Member | Epoch]) -> None:
        """Train; print the records if `verbose` asks for it, and warn if something was left out."""
        for record in records:
            if self.verbose and isinstance(record, Trial | Member):
                print(_line(record))  # noqa: T201 - what `verbose` asks for
        if self._search_interrupted:
            warn_user(f"The search was interrupted after {len(self.trials_)} trials; the best of them are used.")
        if self.stop_reason_ in SAID:
            warn_user(self._shortfall())

    def fit_rows(
        self,
        rows: TableRows,
        validation: tuple[Any, Any, Any] | None = None,
        search: Search | None = None,
        progress: Progress | None = None,
        workers: WorkerSettings | None = None,
        alive: Callable[[], None] | None = None,
    ) -> Records:
        """Train as `fit_members` does, on rows that `glassmax.estimator.tables.fit.table_rows` has prepared.

        Parameters
        ----------
        rows : TableRows
        validation : tuple, optional
            `X_val`, `y_val` and `sample_weight_val`.
        search : Search, optional
            What `tune` is asked for.
        progress : callable, optional
            With `network`: called within a long epoch, see `SoftmaxClassifier.fit_epochs`.
        workers : WorkerSettings, optional
            Where the networks of a preset are trained, see `fit`.
        alive : callable, optional
            Is called after each epoch of a network of a preset, and several times a second within a long one, by any
            thread.

        Yields
        ------
        glassmax.estimator.tables.fit.Prepared
            First, before the training.
        glassmax.estimator.ensemble.Trial
            Of a search.
        glassmax.estimator.ensemble.Member or glassmax.training.Epoch

        Returns
        -------
        glassmax.estimator.tables.fit.TableFit
        """
        check_table_options(self)
        if search is not None:
            check_search(self, search)
        if self.network is None and validation is not None:
            check_folds(rows.groups, rows.time)
        fitted = yield from fit_table(self, rows, validation, search, progress, workers, alive)
        self._commit(rows, fitted, validated=validation is not None)
        return fitted

    def predict(self, X: Any) -> Array:
        """Return the most probable label of each row.

        Parameters
        ----------
        X : frame, Table, dict of columns, (n, d) array, path, or list of paths
            With the columns of the training, in any order if they have names. A path may be a folder or a glob; files
            are read in pieces and need not fit into memory.

        Returns
        -------
        (n,) array of labels
        """
        if in_files(self, X):
            return of_files(self, self.predict, X)
        return self._fitted().predict(self._table(X), n_threads=self.n_threads)

    def predict_top(self, X: Any, k: int = 5) -> tuple[Array, Array]:
        """Return the k most probable labels of each row with their probabilities.

        Parameters
        ----------
        X
            As for `predict`.
        k : int, default=5
            From 1 to the number of classes.

        Returns
        -------
        labels : (n, k) array
            The most probable label first; of equally probable ones the first in `classes_`.
        probabilities : (n, k) array of float64
            The probabilities of these labels, the same as those of `predict_proba` up to rounding.

        Raises
        ------
        OptionError
            If k is out of range.

        Notes
        -----
        Memory: O(n k) for any number of classes, see `glassmax.Model.predict_top`.
        """
        if in_files(self, X):
            return of_files(self, self.predict_top, X, k)
        return self._fitted().predict_top(self._table(X), k, n_threads=self.n_threads)

    def predict_sparse(self, X: Any, threshold: float) -> Any:
        """Return the probabilities that are at least `threshold`, as a sparse matrix.

        Parameters
        ----------
        X
            As for `predict`.
        threshold : float
            In (0, 1]. At most ``1 / threshold`` classes of a row reach it, and possibly none.

        Returns
        -------
        (n, k) scipy.sparse.csr_array of float64
            Columns in the order of `classes_`. Probabilities below the threshold are left out.

        Raises
        ------
        OptionError
            If the threshold is out of range.
        """
        if in_files(self, X):
            return of_files(self, self.predict_sparse, X, threshold)
        return self._fitted().predict_sparse(self._table(X), threshold, n_threads=self.n_threads)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class for each row.

        Parameters
        ----------
        X
            As for `predict`.

        Returns
        -------
        (n, k) array
            Columns in the order of `classes_`. Rows sum to 1.
        """
        if in_files(self, X):
            return of_files(self, self.predict_proba, X)
        return self._fitted().predict_proba(self._table(X), n_threads=self.n_threads)

    def score(self, X: Any, y: npt.ArrayLike | str, sample_weight: npt.ArrayLike | str | None = None) -> float:
        """Return the accuracy.

        Parameters
        ----------
        X
            As for `predict`.
        y, sample_weight
            As for `fit`; in a column of X, rows without a label don't count. Where a label is a set, any label of the
            set is right; rows whose set holds all classes don't count.

        Returns
        -------
        float
            In [0, 1].
        """
        if isinstance(y, str):
            self._fitted()
            return score_on_files(self, X, y, sample_weight)
        if isinstance(sample_weight, str):
            sample_weight = read_weights(self._table(X), sample_weight)
        if not holds_candidates(y):
            if self.min_count > 1:
                other = of_kind(self.other_label, self.classes_)
                y = self.classes_[encode_labels(y, "softmax", self.classes_, other_label=other).T]
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", MANY_VALUES)
                accuracy: float = super().score(X, plain_labels(y), sample_weight)
            return accuracy
        predicted, labels = self.predict(X), encode_candidates(y, self.classes_)  # type: ignore[arg-type]
        index, T = np.searchsorted(self.classes_, predicted), labels.T
        right = index == T if T.ndim == 1 else T[np.arange(len(index)), index] == 1
        weight = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        return float(np.average(right, weights=weigh_rows(None, labels, weight, named=True)))

    def prediction_sets(self, X: Any, coverage: float = 0.9, *, allow_empty: bool = True) -> Array:
        """Return a prediction set of classes for each row, which holds the true class of `coverage` of new rows.

        Parameters
        ----------
        X
            As for `predict`.
        coverage : float, default=0.9
            In (0, 1).
        allow_empty : bool, default=True
            Whether a set may be empty; see `glassmax.Model.prediction_sets`.

        Returns
        -------
        (n, k) array of bool
            Columns in the order of `classes_`.
        """
        table, threads = self._table(X), self.n_threads
        return self._fitted().prediction_sets(table, coverage, allow_empty=allow_empty, n_threads=threads)

    def to_model(self) -> Model:
        """Return the fitted `Model`, which predicts without scikit-learn.

        Returns
        -------
        glassmax.model.Model
        """
        return self._fitted()

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a file, whole or not at all; see `glassmax.load_model`.

        Parameters
        ----------
        path : str or Path
            Usually ends in ``.safetensors``. The file holds encoding, networks, weights and calibration.
        """
        self._fitted().save(path)

    @property
    def temperature_(self) -> float:
        """Temperature, by which the mean logits are divided; 1 if none was fitted."""
        calibration = self._fitted().calibration
        return 1.0 if calibration is None else calibration.temperature

    @property
    def linear_(self) -> bool:
        """Whether no member has a hidden layer."""
        return all(len(network.layer_sizes) == 2 for network in self._fitted().networks)

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise NotFittedError("This TableClassifier is not fitted yet. Call fit first.")
        return self.model_

    def _table(self, X: Any) -> Table:
        encoding = self._fitted().encoding
        table = table_from(X, **({} if encoding is None else encoding.reading))
        count = len(table.names)
        if not has_names(X) and count != self.n_features_in_:
            raise DataError(
                f"X has {count} features, but TableClassifier is expecting {self.n_features_in_} features as input."
            )
        return table

    def _learn_columns(self, rows: TableRows, *, named: bool) -> None:
        """Remember the columns that are inputs."""
        names = [name for name in rows.table.names if name not in rows.without]
        self.n_features_in_ = len(names)
        self.__dict__.pop("feature_names_in_", None)
        if named:
            self.feature_names_in_ = np.array(names, object)

    def _commit(self, rows: TableRows, fitted: TableFit, *, validated: bool) -> None:
        self.classes_, self.encoding_, self.notes_ = rows.classes, rows.encoding, rows.notes
        self.members_, self.member_types_, self.weights_ = fitted.members, fitted.types, fitted.weights
        self.stop_reason_, self._planned, self._trained = fitted.stop_reason, fitted.planned, fitted.trained
        self.preset_, self.trials_ = fitted.preset, [] if fitted.found is None else fitted.found.trials
        self._search_interrupted = fitted.found is not None and fitted.found.stop_reason == "interrupted"
        self.metrics_ = self.oof_proba_ = None
        if len(fitted.judged):
            self.metrics_ = metrics_of_fit(fitted, len(rows.classes))
        if not validated and len(rows.classes) < MANY_CLASSES:
            self.oof_proba_ = fitted.probabilities(rows)
        of_network = "held_out" if len(fitted.kept) < len(rows.y) else "validation"
        judged = of_network if self.network is not None else "validation" if validated else "out_of_fold"
        self.model_ = Model(
            [member.network_ for member in fitted.members],
            rows.classes,
            rows.encoding,
            self._record(rows, fitted, judged),
            weights=fitted.weights,
            calibration=None if fitted.scale is None else Calibration(fitted.scale, fitted.bias),
            conformal=fitted.conformal(),
        )

    def _model_of_files(self, fit: FilesFit) -> Model:
        """Return the model of a fit on files."""
        network, prepared = fit.network, fit.prepared
        record = _facts(prepared.sources.name, prepared.n_training + prepared.n_validation, fit.seed)
        record |= _facts_of_network(network, prepared.n_held_out)
        record |= ({"weight": prepared.weight} if prepared.weight else {}) | _figures("held_out", fit.metrics)
        known = prepared.known
        return Model(network.network_, known.classes, known.encoding, record, conformal=fit.conformal)

    def _commit_files(
        self, network: SoftmaxClassifier, model: Model, notes: list[Note], metrics: Metrics | None
    ) -> None:
        """Learn what a fit on files has learned."""
        assert model.encoding is not None
        self.classes_, self.encoding_, self.notes_ = model.classes, model.encoding, notes
        self.members_, self.member_types_, self.weights_ = [network], ["network"], np.ones(1)
        self.stop_reason_, self._planned, self._trained = str(network.stop_reason_), 1, 1
        self.preset_, self.trials_, self.oof_proba_ = None, [], None
        self.metrics_, self.model_, self._search_interrupted = metrics, model, False
        self.n_features_in_, self.feature_names_in_ = network.n_features_in_, network.feature_names_in_

    def _record(self, rows: TableRows, fitted: TableFit, judged: str) -> Record:
        """Return facts about the training for the model file; `judged` says on which rows the figures are."""
        record = _facts(rows.table.name, len(fitted.kept), fitted.seed)
        if self.network is None:
            name = self.preset if isinstance(self.preset, str) else "custom"
            record |= {"preset": name, "members": len(fitted.members)}
            if fitted.found is not None:
                record["trials"] = len(fitted.found.trials)
            record |= {f"members_{name.replace(' ', '_')}": fitted.types.count(name) for name in fitted.types}
        else:
            record |= _facts_of_network(fitted.members[0], len(rows.y) - len(fitted.kept))
        if self.candidates is not None:
            record["candidates"] = self.candidates
        if rows.n_rare:
            record |= {"rare_classes": rows.n_rare, "other_label": rows.other_label}
        if rows.weight_name:
            record["weight"] = rows.weight_name
        return record | _figures(judged, self.metrics_)

    def _shortfall(self) -> str:
        return f"{SAID[self.stop_reason_]}: {self._trained} of {self._planned} members were trained."

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        return tags


FIGURES = ("log_loss", "accuracy", "balanced_accuracy", "brier_score", "calibration_error")
SAID = {"time_limit": "The time limit was reached", "interrupted": "Training was interrupted"}


def _facts(table: str, training_rows: int, seed: int) -> Record:
    return {
        "glassmax": __version__,
        "table": table.encode("utf-8", "backslashreplace").decode(),  # a file may be called by any bytes
        "training_rows": training_rows,
        "seed": seed,
    }


def _facts_of_network(network: SoftmaxClassifier, held_out: int) -> Record:
    return {
        "held_out_rows": held_out,
        "epochs": network.n_iter_,
        "training_loss": network.loss_,
        "solver": network.solver,
        "learning_rate": network.learning_rate_init,
    }


def _figures(judged: str, metrics: Metrics | None) -> Record:
    return {} if metrics is None else {f"{judged}_{name}": getattr(metrics, name) for name in FIGURES}


def _line(record: Trial | Member) -> str:
    if isinstance(record, Trial):
        what = ", ".join(f"{name} {value}" for name, value in record.parameters.items())
        loss = "" if record.log_loss is None else f", log-loss {record.log_loss:.4f} on rows not seen"
        return f"trial {record.number}, {record.state}: {what}{loss}, {record.seconds:.1f} s"
    member = record
    figures = f"log-loss {member.log_loss:.4f}, accuracy {member.accuracy:.4f} on rows not seen"
    return f"member {member.done} of {member.planned}, {member.type}: {figures}, {member.seconds:.1f} s"
