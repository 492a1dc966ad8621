"""Model: a trained network with its classes and its encoding, and the file that holds it.

A model file is safetensors: tensors W1, b1, ... and metadata with a strict JSON manifest and a SHA-256 over the whole
file but the hash itself. The manifest names no code and no path; activations and losses come from closed tables; every
shape is computed from the manifest and compared with the tensors before one of them is loaded. No code from a file is
ever run, and there is no fallback to a less safe format. The hash detects damage, not manipulation: whoever can write
the file can also write its hash. Predictions need NumPy, not scikit-learn.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

import json
import math
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from .engine import all_finite, best_engine, blocks, logits
from .errors import DataError, GlassmaxError, ModelFileError, Setting
from .files import write_whole
from .functional import ACTIVATIONS
from .functional.arrays import Array, as_inputs
from .functional.heads import PAIRS
from .network import Network
from .parameters import Parameters, count
from .sealed import seal, unseal
from .table import Encoding, Table, UnseenCounts, is_frame, joined, table_of
from .table.table import some

__all__ = ["Model", "load_model"]

DTYPES = {"float32": "F32", "float64": "F64"}
MAX_PARAMETERS = 2**40
MAX_HEADER = 2**27
MOST_BYTES = 2**43
METADATA = "__metadata__"


class ModelManifest(msgspec.Struct, forbid_unknown_fields=True):
    """The metadata of a model file: everything but the tensors."""

    format: str
    version: int
    layer_sizes: list[int]
    activations: list[str]
    output: str
    loss: str
    l2: float
    dtype: str
    classes: list[str | bool | int | float]
    encoding: Encoding | None
    record: dict[str, str | int | float | None]
    columns: list[str] | None = None


@dataclass
class Model:
    """A network that knows the names of its classes and, if trained on a table, its columns.

    Attributes
    ----------
    network : Network
    classes : (k,) array or list
        Labels, in the order of the network's outputs. With softmax output, a row has one label; with sigmoid output,
        any number of them.
    encoding : Encoding or None
        Encoding of a table's columns as inputs; None for a model trained on arrays.
    record : dict
        Facts about the training: text and numbers.
    columns : list of str or None
        The names of the inputs, if the model was trained on a frame. The columns of another frame may be in any order.

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

    network: Network
    classes: Array
    encoding: Encoding | None = None
    record: dict[str, str | int | float | None] = field(default_factory=dict)
    columns: list[str] | None = None

    def __post_init__(self) -> None:
        self.classes = np.asarray(self.classes)

    def __repr__(self) -> str:
        network = self.network
        sizes = "-".join(map(str, network.layer_sizes))
        activations = "".join(f", {name}" for name in dict.fromkeys(network.activations))
        lines = [
            f"Model of {len(self.classes)} classes: {some(self.classes.tolist())}",
            f"network {sizes}{activations}, {network.head.output} output, {network.head.loss} loss",
        ]
        if self.encoding is not None:
            lines.append(f"predicts {self.encoding.target!r} from {some(self.encoding.names)}")
        elif self.columns is not None:
            lines.append(f"inputs {some(self.columns)}")
        return "\n  ".join(lines)

    def predict(self, data: Any) -> Array:
        """Return the most probable class of each row; with sigmoid output, which labels it has.

        Parameters
        ----------
        data : Table, frame or (n, d) array
            A table or frame with the columns used in training, or an array if the model was trained on arrays.

        Returns
        -------
        (n,) array of labels, or (n, k) array of 0 and 1
        """
        if self.network.head.output == "sigmoid":
            none = np.zeros((0, len(self.classes)), np.intp)
            return np.concatenate([none, *((Z > 0).astype(np.intp) for Z in self._logits(data))])
        return self.classes[np.concatenate([np.zeros(0, np.intp), *(Z.argmax(axis=1) for Z in self._logits(data))])]

    def predict_proba(self, data: Any) -> Array:
        """Return the probability of each class for each row.

        Parameters
        ----------
        data : Table, frame or (n, d) array
            A table or frame with the columns used in training, or an array if the model was trained on arrays.

        Returns
        -------
        (n, k) array
            Columns in the order of `classes`. Rows sum to 1, except with sigmoid output.
        """
        if self.encoding is None:
            return best_engine().probabilities(self.network, self.inputs(data))
        none = np.zeros((0, len(self.classes)), self.network.theta.dtype)
        return np.concatenate([none, *(P for _, P in self.predictions([self._table(data)]))])

    def predictions(
        self, tables: Iterable[Table], counts: UnseenCounts | None = None, *, of_logits: bool = False
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

        Yields
        ------
        table : Table
            Some rows, as many as the engine takes at once.
        P : (n, k) array
            Probabilities of the rows, identical bit for bit to `predict_proba` on all rows at once.
        """
        if self.encoding is None:
            raise DataError("The model was trained in Python and knows no tables: pass an (n, d) array.")
        engine, counted = best_engine(), UnseenCounts() if counts is None else counts
        for table in _blocks_of(tables, next(blocks(self.network, 2**62)).stop):
            X = self.encoding.fill(table, counted).astype(self.network.theta.dtype, copy=False)
            outputs = (engine.logits if of_logits else engine.probabilities)(self.network, X)
            if not of_logits and not all_finite(outputs):
                row = int(np.argmax(~np.isfinite(outputs).all(axis=1)))
                raise DataError(
                    f"{table.place(row)}: the model gives no number, for its weights are too large. Train it again."
                )
            yield table, outputs

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

    @staticmethod
    def _table(data: Any) -> Table:
        if isinstance(data, Table):
            return data
        if is_frame(data):
            return table_of(data)
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

    def _logits(self, data: Any) -> Iterator[Array]:
        if self.encoding is None:
            return logits(best_engine(), self.network, self.inputs(data))
        return (Z for _, Z in self.predictions([self._table(data)], of_logits=True))

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
        content = self._to_bytes()
        try:
            write_whole(path, content)
        except OSError as error:
            raise ModelFileError(f"{path} can't be written: {error.strerror}. Nothing has changed.") from None

    def _to_bytes(self) -> bytes:
        network = self.network
        manifest = ModelManifest(
            format="glassmax",
            version=1,
            layer_sizes=list(network.layer_sizes),
            activations=list(network.activations),
            output=network.head.output,
            loss=network.head.loss,
            l2=network.l2,
            dtype=str(network.theta.dtype),
            classes=_plain_classes(self.classes),
            encoding=self.encoding,
            record=self.record,
            columns=self.columns,
        )
        if manifest.dtype not in DTYPES:
            raise ModelFileError(f"The network is {manifest.dtype}, expected float32 or float64.")
        try:
            _check_manifest(manifest)
        except ModelFileError as error:
            raise ModelFileError(f"The model {error}") from None
        if not np.isfinite(network.theta).all():
            raise ModelFileError("The network holds weights that are not finite; it is not saved.")
        try:
            text = msgspec.json.encode(manifest).decode()
        except UnicodeEncodeError:
            raise ModelFileError("The name of a class or a column holds half a character (a lone surrogate).") from None
        return seal(network.parameters, text)


def _blocks_of(tables: Iterable[Table], rows: int) -> Iterator[Table]:
    """Cut tables into pieces of equal size, so that the pieces don't depend on how the file was read."""
    waiting: list[Table] = []
    for table in tables:
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
    try:
        content = _read(path)
    except FileNotFoundError:
        raise ModelFileError(
            f"{path}: there is no such file.",
            remedy=("Train one with: ", Setting("SoftmaxClassifier(...).fit(X, y).save(path)")),
        ) from None
    except IsADirectoryError:
        raise ModelFileError(f"{path} is a folder, expected a model file.") from None
    except OSError as error:
        raise ModelFileError(f"{path} can't be read: {error.strerror}.") from None
    try:
        return _from_bytes(content)
    except ModelFileError as error:
        raise ModelFileError(f"{path} {error}") from None


def _read(path: str | Path) -> bytes:
    """Read a file, but no more of it than its own header says: a device without end, or a huge table, is no model."""
    with Path(path).open("rb") as file:
        facts = os.fstat(file.fileno())
        have = facts.st_size if stat.S_ISREG(facts.st_mode) else MOST_BYTES
        content = file.read(8)
        length = int.from_bytes(content, "little")
        if len(content) < 8 or length > min(MAX_HEADER, have):
            return content + file.read(64)  # enough to see what else it is
        content += file.read(length)
        if b'"glassmax"' not in content:
            return content  # of another program: its tensors are not needed to say so
        if stat.S_ISREG(facts.st_mode):
            return content + file.read()
        try:
            tensors = [entry for name, entry in json.loads(content[8:]).items() if name != METADATA]
            end = max((int(tensor["data_offsets"][1]) for tensor in tensors), default=0)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError):
            return content
        return content + file.read(max(0, min(end, MOST_BYTES)) + 1)


def _from_bytes(content: bytes) -> Model:
    text, header = unseal(content)
    try:
        manifest = msgspec.json.decode(text, type=ModelManifest)
    except (msgspec.DecodeError, TypeError) as error:
        if isinstance(text, str) and '"glassmax checkpoint' in text:
            raise ModelFileError("is the checkpoint of a run, expected a model: fit goes on from it.") from None
        raise ModelFileError(f"has a manifest that can't be read: {error}.") from None
    _check_manifest(manifest)
    _check_tensors(manifest, header)
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays: dict[str, Array] = load(content)
        network = Network.from_parameters(
            {name: arrays[name] for name in Parameters(manifest.layer_sizes, dtype="float32")},
            activation=manifest.activations,
            output=manifest.output,
            loss=manifest.loss,
            l2=manifest.l2,
            dtype=manifest.dtype,
        )
    except (SafetensorError, GlassmaxError, KeyError) as error:
        raise ModelFileError(f"has tensors that don't fit its manifest: {error}.") from None
    if not np.isfinite(network.theta).all():
        raise ModelFileError("holds weights that are not finite.")
    return Model(network, np.array(manifest.classes), manifest.encoding, manifest.record, manifest.columns)


def _check_manifest(manifest: ModelManifest) -> None:
    sizes, classes, names = manifest.layer_sizes or [0], manifest.classes, manifest.columns
    version = f"format {manifest.format!r}, version {manifest.version}"
    checks = [
        (
            manifest.format != "glassmax" or manifest.version != 1,
            f"{version}; this glassmax reads format 'glassmax', version 1",
        ),
        (len(sizes) < 2 or min(sizes) < 1, "layer sizes that make no network"),
        (
            len(manifest.activations) != len(sizes) - 2 or not set(manifest.activations) <= set(ACTIVATIONS),
            "activations that are unknown or too many",
        ),
        (
            (manifest.output, manifest.loss) not in PAIRS,
            "an output and a loss that are unknown, or no pair",
        ),
        (manifest.dtype not in DTYPES, "a dtype other than float32 or float64"),
        (not 0 <= manifest.l2 < float("inf"), "a penalty that is no number >= 0"),
        (
            not len(classes) == len(set(classes)) == sizes[-1] or len(set(map(type, classes))) != 1,
            "classes that are not one name for each output, all of one type",
        ),
        (
            manifest.encoding is not None and manifest.encoding.width != sizes[0],
            "an encoding that doesn't fit the first layer",
        ),
        (
            names is not None and not len(names) == len(set(names)) == sizes[0],
            "columns that don't fit the first layer",
        ),
        (count(sizes) > MAX_PARAMETERS, "layer sizes too large to be true"),
    ]
    for wrong, what in checks:
        if wrong:
            raise ModelFileError(f"has a manifest with {what}.")


def _check_tensors(manifest: ModelManifest, header: dict[str, Any]) -> None:
    """Compare the tensors' names, dtypes and shapes with the manifest, before any is loaded."""
    sizes = manifest.layer_sizes
    expected: dict[str, list[int]] = {}
    for layer in range(1, len(sizes)):
        expected |= {f"W{layer}": sizes[layer - 1 : layer + 1], f"b{layer}": [sizes[layer]]}
    for name, shape in expected.items():
        tensor = header.get(name)
        if not isinstance(tensor, dict) or (tensor.get("shape"), tensor.get("dtype")) != (
            shape,
            DTYPES[manifest.dtype],
        ):
            raise ModelFileError(
                f"has tensors that don't fit its manifest: {name} should be {shape}, {manifest.dtype}."
            )
    if names := ", ".join(sorted(set(header) - set(expected))[:5]):
        raise ModelFileError(f"has tensors that its manifest doesn't list: {names}.")


def _plain_classes(classes: Array) -> Any:
    plain = classes.tolist()
    kinds = {type(label) for label in plain}
    if len(kinds) != 1 or not kinds <= {str, bool, int, float}:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ModelFileError(f"The classes are of type {names}, expected text, numbers or booleans, all of one type.")
    if kinds == {float} and not all(map(math.isfinite, plain)):
        raise ModelFileError("A class is NaN or inf, expected finite numbers.")
    return plain


def __dir__() -> list[str]:
    return __all__
