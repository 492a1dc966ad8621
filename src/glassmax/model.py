"""Model: trained networks with their classes, their encoding and their calibration; what predicts.

A model has one network or several; the logits of several are averaged, so that the whole is one network again, a wide
one. Predictions need NumPy, not scikit-learn. The file that holds a model is `glassmax.model_file`.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .calibration import Calibration
from .conformal import Conformal
from .engine import MANY_CLASSES, Engine, TopClasses, all_finite, best_engine, blocks, check_top_count
from .errors import DataError, GlassmaxError, ModelFileError, OptionError, between, is_whole
from .files import remove_leftovers, write_whole
from .functional.arrays import Array, as_floating, as_inputs
from .likely_classes import ClassesAbove, LikelyClasses, sum_of_logits
from .memory import check_matrix
from .model_file import model_bytes, read_model
from .model_manifest import Record
from .model_parts import ModelParts, check_parts, labels_of
from .network import Network
from .table import Encoding, Table, UnseenCounts, as_table, is_frame, joined, table_of
from .table.table import some

__all__ = ["Model", "load_model"]


LEAST_PROBABILITY = float(np.finfo(np.float64).tiny)
"""A set of all classes leaves out those whose probability is no normal number."""


class Model:
    """One or several networks with the names of their classes and, if trained on a table, its columns.

    ::

        Z = sum_j w_j Z_j        P = softmax(calibration(Z))

    Parameters
    ----------
    networks : Network or sequence of m Networks
        All with the same number of inputs and outputs, the same output function and dtype.
    classes : (k,) array or list
        Labels, in the order of the networks' outputs. With softmax output, a row has one label; with sigmoid output,
        any number of them.
    encoding : Encoding, optional
        Encoding of a table's columns as inputs; None for a model trained on arrays.
    record : dict, optional
        Facts about the training: text and numbers.
    columns : list of str, optional
        The names of the inputs, if the model was trained on a frame. The columns of another frame may be in any order.
    weights : (m,) array, optional
        >= 0: the weights of the networks' logits, 1/m by default. Their sum need not be 1.
    calibration : Calibration, optional
        Corrects the logits; softmax output only.
    conformal : Conformal, optional
        Conformal scores, which `prediction_sets` needs; softmax output only.

    Attributes
    ----------
    networks : list of Network
    network : Network
        The first network.
    classes, encoding, record, columns, weights, calibration, conformal
        As above; `weights` is always an array.

    Raises
    ------
    OptionError, ShapeError
        If the networks don't fit each other, or the other parts don't fit the networks: there is one class for each
        output, all of one kind (text, numbers or booleans) and each of them once.

    Examples
    --------
    >>> from glassmax import Network
    >>> model = Model(Network([2, 3]), ["a", "b", "c"])
    >>> model
    Model of 3 classes: 'a', 'b', 'c'
      network 2-3, softmax output, cross_entropy loss
    >>> model.predict_proba([[0.0, 0.0]]).shape
    (1, 3)
    """

    def __init__(
        self,
        networks: Network | Sequence[Network],
        classes: npt.ArrayLike,
        encoding: Encoding | None = None,
        record: Record | None = None,
        columns: list[str] | None = None,
        *,
        weights: npt.ArrayLike | None = None,
        calibration: Calibration | None = None,
        conformal: Conformal | None = None,
    ) -> None:
        self.networks = [networks] if isinstance(networks, Network) else list(networks)
        self.classes = labels_of(classes)
        self.encoding, self.columns = encoding, columns
        self.record: Record = {} if record is None else record
        m = len(self.networks)
        given = np.full(m, 1 / max(m, 1)) if weights is None else as_floating(weights, "weights")
        self.weights: Array = given.astype(np.float64, copy=False)
        self.calibration, self.conformal = calibration, conformal
        check_parts(self._parts())

    def _parts(self) -> ModelParts:
        return ModelParts(
            self.networks, self.classes, self.encoding, self.record, self.columns, self.weights, self.calibration,
            self.conformal,
        )  # fmt: skip

    @property
    def network(self) -> Network:
        """The first network, which is the only one of most models."""
        return self.networks[0]

    @property
    def _one_network(self) -> bool:
        """Whether the engine's output of the one network is the model's own."""
        return len(self.networks) == 1 and self.calibration is None and self.weights[0] == 1

    def __repr__(self) -> str:
        lines = [f"Model of {len(self.classes)} classes: {some(self.classes.tolist())}"]
        if len(self.networks) > 1:
            lines.append(f"{len(self.networks)} networks, the weighted mean of their logits, first of them:")
        network = self.network
        sizes = "-".join(map(str, network.layer_sizes))
        activations = "".join(f", {name}" for name in dict.fromkeys(network.activations))
        options = "".join(f", {name} {value:g}" for name, value in network.head.options.items())
        frozen = f", frozen {' '.join(network.frozen)}" if network.frozen else ""
        lines.append(
            f"network {sizes}{activations}, {network.head.output} output, {network.head.loss} loss{options}{frozen}"
        )
        if self.calibration is not None:
            lines.append(repr(self.calibration))
        if self.conformal is not None:
            lines.append(f"prediction sets from {self.conformal.n_rows} rows")
        if self.encoding is not None:
            lines.append(f"predicts {self.encoding.target!r} from {some(self.encoding.names)}")
        elif self.columns is not None:
            lines.append(f"inputs {some(self.columns)}")
        return "\n  ".join(lines)

    def predict(self, data: Any, *, n_threads: int | None = None) -> Array:
        """Return the most probable class of each row; with sigmoid output, which labels it has.

        Parameters
        ----------
        data : Table, frame or (n, d) array
            A table or frame with the columns used in training, or an array if the model was trained on arrays.
        n_threads : int, optional
            Maximum number of threads, >= 1; all processors by default. The result of the native engine is bit-identical
            for any number of threads.

        Returns
        -------
        (n,) array of labels, or (n, k) array of 0 and 1
        """
        engine, k, output = _engine(n_threads), len(self.classes), self.network.head.output
        if output == "sigmoid":
            return self._filled(data, lambda X: self._logits_of_rows(engine, X) > 0, (k,), np.intp)
        if output == "softmax" and k >= MANY_CLASSES:
            return self.predict_top(data, 1, n_threads=n_threads)[0][:, 0]
        return self.classes[self._filled(data, lambda X: self._logits_of_rows(engine, X).argmax(axis=1), (), np.intp)]

    def predict_top(self, data: Any, k: int = 5, *, n_threads: int | None = None) -> tuple[Array, Array]:
        """Return the k most probable classes of each row with their probabilities; softmax output only.

        Parameters
        ----------
        data, n_threads
            As for `predict`.
        k : int, default=5
            From 1 to the number of classes.

        Returns
        -------
        labels : (n, k) array
            The most probable class first; of equally probable ones the first in `classes`.
        probabilities : (n, k) array of float64

        Notes
        -----
        Memory: O(n k) for any number of classes and networks. With 4096 classes or more, the logits are computed by
        tiles of classes. The probabilities are then exact too: each tile adds to the sum over all classes.

        Examples
        --------
        >>> from glassmax import Network
        >>> labels, probabilities = Model(Network([2, 3]), ["a", "b", "c"]).predict_top([[1.0, 0.0]], 2)
        >>> labels.shape, bool(probabilities[0, 0] >= probabilities[0, 1])
        ((1, 2), True)
        """
        check_top_count(self.network, k, "predict_top")
        likely, k = self.likely(n_threads), int(k)
        n, inputs = self._blocks_of_inputs(data, likely.rows_at_once(k))
        labels, probabilities, start = np.empty((n, k), np.int64), np.empty((n, k)), 0
        for X in inputs:
            top = likely.top(X, k)
            rows = slice(start, start + X.shape[0])
            labels[rows], probabilities[rows] = top.labels, top.probabilities
            start = rows.stop
        return self.classes[labels], probabilities

    def predict_sparse(self, data: Any, threshold: float, *, n_threads: int | None = None) -> Any:
        """Return the probabilities that are at least `threshold`, as a sparse matrix; softmax output only.

        Parameters
        ----------
        data, n_threads
            As for `predict`.
        threshold : float
            In (0, 1]. A row has at most ``1 / threshold`` such classes, and may have none.

        Returns
        -------
        (n, k) scipy.sparse.csr_array of float64
            Columns in the order of `classes`.
        """
        from scipy.sparse import vstack  # late: other predictions need no SciPy

        check_top_count(self.network, 1, "predict_sparse")
        likely = self.likely(n_threads)
        _, inputs = self._blocks_of_inputs(data, likely.rows_at_once(1))
        none = np.zeros((0, self.network.n_inputs), self.network.theta.dtype)
        return vstack([likely.sparse(none, threshold), *(likely.sparse(X, threshold) for X in inputs)], format="csr")

    def predict_proba(self, data: Any, *, n_threads: int | None = None) -> Array:
        """Return the probability of each class for each row.

        Parameters
        ----------
        data, n_threads
            As for `predict`.

        Returns
        -------
        (n, k) array
            Columns in the order of `classes`. Rows sum to 1, except with sigmoid output.

        Raises
        ------
        DataError
            If the array needs more memory than is available. `predict_top` needs O(n) memory.
        """
        engine = _engine(n_threads)
        k, dtype = len(self.classes), self.network.theta.dtype
        if self.encoding is None and self._one_network:
            X = self.inputs(data)
            check_matrix(X.shape[0], k, dtype.itemsize)
            return engine.probabilities(self.networks[0], X)
        if self.encoding is None:
            return self._filled(data, lambda X: self._probabilities(self._logits_of_rows(engine, X)), (k,), dtype)
        table, start = self._table(data), 0
        check_matrix(table.n_rows, k, dtype.itemsize)
        out = np.empty((table.n_rows, k), dtype)
        for piece, P in self.predictions([table], n_threads=n_threads):
            out[start : start + piece.n_rows] = P
            start += piece.n_rows
        return out

    def logits(self, data: Any, *, n_threads: int | None = None) -> Array:
        """Return the logits of each row, calibrated if the model has a calibration.

        ::

            Z = sum_j w_j Z_j

        Parameters
        ----------
        data, n_threads
            As for `predict`.

        Returns
        -------
        (n, k) array
            Columns in the order of `classes`. With softmax output, softmax of it is `predict_proba`.
        """
        engine, dtype = _engine(n_threads), self.network.theta.dtype
        return self._filled(data, lambda X: self._logits_of_rows(engine, X), (len(self.classes),), dtype)

    def prediction_sets(
        self, data: Any, coverage: float = 0.9, *, allow_empty: bool = True, n_threads: int | None = None
    ) -> Array:
        """Return a prediction set of classes for each row, which holds the true class of `coverage` of new rows.

        Parameters
        ----------
        data, n_threads
            As for `predict`.
        coverage : float, default=0.9
            Promised coverage, in (0, 1): the share of new rows whose set holds the true class.
        allow_empty : bool, default=True
            Whether a set may be empty. If the accuracy of the model is higher than `coverage`, some sets have to be
            empty: those of the rows for which the model is least certain. False adds the most probable class to each
            empty set; more rows than promised are then covered.

        Returns
        -------
        (n, k) array of bool
            Columns in the order of `classes`: ``model.classes[sets[0]]`` are the classes of the first row.

        Raises
        ------
        DataError
            If the model has no conformal scores.
        OptionError
            If the coverage is out of range.
        """
        conformal, engine = self._conformal(coverage), _engine(n_threads)

        def sets(X: Array) -> Array:
            return conformal.sets(self._logits_of_rows(engine, X), coverage, allow_empty=allow_empty)

        return self._filled(data, sets, (len(self.classes),), np.bool_)

    def predictions(
        self,
        tables: Iterable[Table],
        counts: UnseenCounts | None = None,
        *,
        of_logits: bool = False,
        calibrated: bool = True,
        n_threads: int | None = None,
    ) -> Iterator[tuple[Table, Array]]:
        """Predict any number of tables, one after another, as if they were one; together they may exceed memory.

        Parameters
        ----------
        tables : iterable of Table
            Tables as returned by `glassmax.table.read_batches`.
        counts : UnseenCounts, optional
            Counts missing cells, and values that did not occur in training.
        of_logits : bool, default=False
            Whether to yield logits instead of probabilities.
        calibrated : bool, default=True
            Whether to apply the calibration, if there is one.
        n_threads : int, optional
            As for `predict`.

        Yields
        ------
        table : Table
            Some rows, as many as the engine takes at once.
        P : (n, k) array
            Probabilities of the rows, identical bit for bit to `predict_proba` on all rows at once.
        """
        engine = _engine(n_threads)
        for table, X in self.encoded_tables(tables, counts):
            if of_logits:
                yield table, self._logits_of_rows(engine, X, calibrated=calibrated)
            elif self._one_network:
                yield table, _finite(table, engine.probabilities(self.networks[0], X))
            else:
                P = self._probabilities(self._logits_of_rows(engine, X, calibrated=calibrated))
                yield table, _finite(table, P)

    def predictions_with_sets(
        self,
        tables: Iterable[Table],
        coverage: float,
        counts: UnseenCounts | None = None,
        *,
        allow_empty: bool = True,
        n_threads: int | None = None,
    ) -> Iterator[tuple[Table, Array, Array]]:
        """Predict as `predictions` does, with the prediction set of each row as well.

        Parameters
        ----------
        tables, counts, n_threads
            As for `predictions`.
        coverage, allow_empty
            As for `prediction_sets`.

        Yields
        ------
        table : Table
        P : (n, k) array
            Probabilities.
        sets : (n, k) array of bool
        """
        conformal, engine = self._conformal(coverage), _engine(n_threads)
        for table, X in self.encoded_tables(tables, counts):
            Z = self._logits_of_rows(engine, X)
            sets = conformal.sets(Z, coverage, allow_empty=allow_empty)
            yield table, _finite(table, self._probabilities(Z)), sets

    def top_predictions(
        self, tables: Iterable[Table], count: int, counts: UnseenCounts | None = None, *, n_threads: int | None = None
    ) -> Iterator[tuple[Table, TopClasses]]:
        """Yield tables, one after another, with the most probable classes of their rows.

        No array of n x k numbers is made: a model may have very many classes.

        Parameters
        ----------
        tables, counts, n_threads
            As for `predictions`.
        count : int
            Number of classes for each row, from 0 to k.

        Yields
        ------
        table : Table
            Some rows.
        top : TopClasses
            ``top.labels`` are indices of `classes`, (n, count), the most probable class first; ``top.probabilities``
            are their probabilities.

        Raises
        ------
        DataError
            If the networks give no numbers for a row.
        """
        likely = self.likely(n_threads)
        for table, X in self.encoded_tables(tables, counts, likely.rows_at_once(count)):
            top = likely.top(X, count)
            _finite(table, top.probabilities)
            yield table, top

    def top_predictions_with_sets(
        self,
        tables: Iterable[Table],
        count: int,
        coverage: float,
        counts: UnseenCounts | None = None,
        *,
        n_threads: int | None = None,
    ) -> Iterator[tuple[Table, TopClasses, ClassesAbove]]:
        """Predict as `top_predictions` does, with the prediction set of each row as well.

        No array of n x k numbers is made, unless the sets hold that many classes.

        Parameters
        ----------
        tables, count, counts, n_threads
            As for `top_predictions`; at least one class.
        coverage : float
            As for `prediction_sets`.

        Yields
        ------
        table : Table
        top : TopClasses
        above : ClassesAbove
            The classes of each set; empty sets have none.
        """
        least = max(self._conformal(coverage).least_probability(coverage), LEAST_PROBABILITY)
        likely, most = self.likely(n_threads), int(min(len(self.classes), 1 / least))
        for table, X in self.encoded_tables(tables, counts, likely.rows_at_once(max(count, most))):
            top = likely.top(X, count)
            _finite(table, top.probabilities)
            yield table, top, likely.above(X, least)

    def predictions_above(
        self,
        tables: Iterable[Table],
        threshold: float,
        counts: UnseenCounts | None = None,
        *,
        n_threads: int | None = None,
    ) -> Iterator[tuple[Table, ClassesAbove]]:
        """Yield tables, one after another, with the classes whose probability is at least a threshold.

        Parameters
        ----------
        tables, counts, n_threads
            As for `predictions`.
        threshold : float
            In (0, 1]. A row has at most ``1 / threshold`` such classes, and may have none.

        Yields
        ------
        table : Table
            Some rows.
        above : ClassesAbove
            ``above.rows``, ``above.labels`` and ``above.probabilities``, one entry for each such class of each row.
        """
        between("threshold", threshold, 0, 1, open_below=True, open_above=False)
        likely = self.likely(n_threads)
        rows = likely.rows_at_once(int(min(len(self.classes), 1 / threshold)))
        for table, X in self.encoded_tables(tables, counts, rows):
            yield table, likely.above(X, threshold)

    def likely(self, n_threads: int | None = None, *, calibrated: bool = True) -> LikelyClasses:
        """Return what computes the most probable classes of encoded rows, with the calibration or without."""
        return LikelyClasses(_engine(n_threads), self.networks, self.weights, self.calibration if calibrated else None)

    def inputs(self, data: Any) -> Array:
        """Return the rows as the network takes them, (n, d)."""
        if self.encoding is not None:
            X: Array = self.encoding.encode(self._table(data)).X.astype(self.network.theta.dtype, copy=False)
            return X
        if isinstance(data, Table):
            raise DataError("The model was trained in Python and knows no tables: pass an (n, d) array.")
        if type(data) is np.ndarray:
            X = data
        else:
            X = as_inputs(data, "X") if hasattr(data, "tocsr") else self._in_order(data)
        if X.dtype.kind == "f":
            dtype = self.network.theta.dtype
            if X.dtype != dtype:
                with np.errstate(over="ignore"):
                    X = X.astype(dtype)
            self._check_finite(X if isinstance(X, np.ndarray) else X.data)
        return X

    def _table(self, data: Any) -> Table:
        if isinstance(data, Table):
            return data
        if is_frame(data):
            return table_of(data)
        names = [] if self.encoding is None else self.encoding.names
        own = {f"x{j}" for j in range(np.shape(data)[1])} if np.ndim(data) == 2 else set()
        if own.issuperset(names):
            return as_table(data)  # columns without names of their own: it was trained on an array
        raise DataError("The model was trained on a table: pass glassmax.read_table(path), or a frame.")

    def _check_finite(self, values: Array) -> None:
        if values.ndim == 2 and all_finite(values):
            return
        finite = np.isfinite(values)
        if not finite.all():
            where = f"Row {int(np.argmax(~finite.all(axis=-1)))}" if finite.ndim == 2 else "A row"
            raise DataError(
                f"{where} of X holds NaN, inf or what is too large for {values.dtype}, expected finite numbers."
            )

    def _in_order(self, data: Any) -> Array:
        """Return a frame's columns by name, as the model knows them; what has no names as it is."""
        import narwhals.stable.v2 as nw  # late: arrays need no frames

        frame = nw.from_native(data, eager_only=True, pass_through=True)
        if self.columns is None or not isinstance(frame, nw.DataFrame):
            return np.asarray(data)
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise DataError(f"X lacks the columns {', '.join(map(repr, missing[:5]))}, expected {self.columns}.")
        return np.asarray(frame.select(self.columns).to_numpy())

    def _filled(self, data: Any, of_rows: Callable[[Array], Array], columns: tuple[int, ...], dtype: Any) -> Array:
        """Return a result for all rows, computed block by block: nothing else of its size is held."""
        n, inputs = self._blocks_of_inputs(data)
        check_matrix(n, math.prod(columns), np.dtype(dtype).itemsize)
        out, start = np.empty((n, *columns), dtype), 0
        for X in inputs:
            out[start : start + X.shape[0]] = of_rows(X)
            start += X.shape[0]
        return out

    def _blocks_of_inputs(self, data: Any, rows: int | None = None) -> tuple[int, Iterator[Array]]:
        """Return the number of rows, and their inputs, so many rows at a time."""
        rows = rows or self._rows_at_once()
        if self.encoding is not None:
            table = self._table(data)
            return table.n_rows, (X for _, X in self.encoded_tables([table], None, rows))
        X = self.inputs(data)
        n = X.shape[0]
        return n, (X[start : start + rows] for start in range(0, n, rows))

    def _conformal(self, coverage: float) -> Conformal:
        between("coverage", coverage, 0, 1, open_below=True)
        if self.conformal is None:
            why, remedy = self._why_no_scores()
            raise DataError(f"The model has no conformal scores, which prediction sets need: {why}.", remedy=remedy)
        return self.conformal

    def _why_no_scores(self) -> tuple[str, str]:
        """Return why there are no conformal scores, and the next step."""
        if self.network.head.output != "softmax":
            why = f"its output is {self.network.head.output}, not softmax"
            return why, "A prediction set holds the one class of a row, which only softmax output has."
        if self.encoding is not None:
            why = "no row with one known class was held out of its training"
            return why, "Train it with a preset or held_out > 0, or pass validation rows to TableClassifier."
        why = "they come from rows that the training holds out, and a network trained on arrays alone has none"
        return why, "Train it with TableClassifier, or pass conformal=Conformal.fit(Z, y) to Model."

    def _rows_at_once(self) -> int:
        return min(next(blocks(network, 2**62)).stop for network in self.networks)

    def encoded_tables(
        self, tables: Iterable[Table], counts: UnseenCounts | None, rows: int | None = None
    ) -> Iterator[tuple[Table, Array]]:
        """Yield tables, one after another and in pieces of as many rows as asked for, with their inputs."""
        if self.encoding is None:
            raise DataError("The model was trained in Python and knows no tables: pass an (n, d) array.")
        counted, dtype = UnseenCounts() if counts is None else counts, self.network.theta.dtype
        for table in _blocks_of(tables, rows or self._rows_at_once()):
            yield table, self.encoding.fill(table, counted).astype(dtype, copy=False)

    def _logits_of_rows(self, engine: Engine, X: Array, *, calibrated: bool = True) -> Array:
        """Return the weighted sum of the networks' logits for a block of rows, calibrated."""
        Z = sum_of_logits(engine, self.networks, self.weights, X)
        return Z if self.calibration is None or not calibrated else self.calibration.logits(Z)

    def _probabilities(self, Z: Array) -> Array:
        """Return the output for logits; softmax in place and in their dtype, where `Head.forward` takes float64."""
        if self.network.head.output != "softmax":
            return self.network.head.forward(Z).P
        with np.errstate(invalid="ignore"):  # a row that is not finite is NaN
            Z -= Z.max(axis=1, keepdims=True)
            np.exp(Z, out=Z)
            Z /= Z.sum(axis=1, keepdims=True, dtype=np.float64).astype(Z.dtype)
        return Z

    def save(self, path: str | Path) -> None:
        """Write the model to a file, whole or not at all.

        Parameters
        ----------
        path : str or Path
            Usually ends in ``.safetensors``; the folder must exist.

        Raises
        ------
        ModelFileError
            If the folder is missing or can't be written to, or JSON can't represent the classes. An existing file
            stays.
        """
        content = model_bytes(self._parts())
        remove_leftovers(path)
        try:
            write_whole(path, content)
        except OSError as error:
            raise ModelFileError(f"{path} can't be written: {error.strerror}. Nothing has changed.") from None


def _blocks_of(tables: Iterable[Table], rows: int) -> Iterator[Table]:
    """Cut tables into pieces of equal size, so that the pieces don't depend on how the file was read.

    A piece has rows of one table alone, so that messages name its file.
    """
    waiting: list[Table] = []
    for table in tables:
        if waiting and waiting[0].name != table.name:
            yield joined(waiting)
            waiting = []
        waiting.append(table)
        if sum(piece.n_rows for piece in waiting) < rows:
            continue
        whole = joined(waiting)
        start = 0
        while whole.n_rows - start >= rows:
            yield whole.rows(slice(start, start + rows))
            start += rows
        waiting = [whole.rows(slice(start, None))] if start < whole.n_rows else []
    if waiting:
        yield joined(waiting)


def load_model(path: str | Path) -> Model:
    """Read a model file; all of its content is checked before it is used.

    Parameters
    ----------
    path : str or Path
        A file that `Model.save` has written.

    Returns
    -------
    Model

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, altered, or not a model file.
    """
    parts = read_model(path)._asdict()
    try:
        return Model(**parts)
    except GlassmaxError as error:
        raise ModelFileError(f"{path} holds parts that don't fit each other. {error}") from None


def _engine(n_threads: Any) -> Engine:
    if n_threads is not None and not (is_whole(n_threads) and n_threads >= 1):
        raise OptionError(parameter="n_threads", came=repr(n_threads), expected="a whole number >= 1 or None")
    return best_engine(None if n_threads is None else int(n_threads))


def _finite(table: Table, P: Array) -> Array:
    """Return the probabilities, or raise if the networks give no numbers for a row."""
    if not all_finite(P):
        row = int(np.argmax(~np.isfinite(P).all(axis=1)))
        raise DataError(
            f"{table.place(row)}: the model gives no number, for its weights are too large. Train it again."
        )
    return P


def __dir__() -> list[str]:
    return __all__
