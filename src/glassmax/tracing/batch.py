"""The batch of a trace: a network, its rows, its targets and weights, as the passes take them.

What people hand in is a network, a fitted classifier or a model, with arrays or a table. All of it becomes one `Batch`
here, and whatever was chosen or left out on the way is said in `notes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..checked_rows import check_masks
from ..errors import DataError, LabelError, OptionError
from ..functional.arrays import Array
from ..model import Model
from ..network import Network
from ..optimizers import SGD
from ..table import (
    Table,
    as_table,
    candidate_rows,
    class_indices,
    holds_candidates,
    is_frame,
    label_texts,
    read_labels,
    read_weights,
)
from ..table.columns import numbers_of
from .encoded_names import encoded_names
from .updates import Optimizer

__all__ = ["Batch", "Rows", "make_batch"]

Rows = int | slice | npt.ArrayLike | None
Masks = Mapping[int, npt.ArrayLike]


@dataclass
class Batch:
    """Rows of data and the network that takes them.

    Attributes
    ----------
    network : Network
        A copy; its `l2` is the penalty of the batch.
    X : (n, d) array
        The rows as the network takes them, dense.
    T : (n,) array of intp or (n, k) array
        Class indices or rows of targets.
    w : (n,) array or None
        Sample weights, class weights multiplied in.
    rows : (n,) array of int
        The numbers of the rows in the data, from 0.
    masks : dict of int to (n, h_l) array
        Dropout masks; empty for none.
    alpha : float or None
        The penalty before it is divided by the total weight of the rows; None if `network.l2` is the penalty.
    optimizer : Optimizer or None
        What makes the update; None for no update.
    classes, columns : list of str or None
        Names of the outputs and of the columns of X.
    notes : list of str
        What was chosen, encoded or left out.
    """

    network: Network
    X: Array
    T: Array
    w: Array | None
    rows: Array
    masks: dict[int, Array] = field(default_factory=dict)
    alpha: float | None = None
    optimizer: Optimizer | None = field(default_factory=lambda: Optimizer(SGD(0.1), chosen=False))
    classes: list[str] | None = None
    columns: list[str] | None = None
    notes: list[str] = field(default_factory=list)


def make_batch(
    source: Any, X: Any, y: Any, sample_weight: Any, rows: Rows, masks: Masks | None, member: int | None
) -> Batch:
    """Return the batch of a network, a model or a fitted classifier.

    A classifier says itself what its loss is made of: it has a method `_training_batch`, or holds a model.
    """
    if isinstance(source, Network):
        _refuse_member(member, "a network")
        checked = source._check_batch(X, y, sample_weight)
        batch = Batch(source, *checked, np.arange(checked[0].shape[0]))
    elif isinstance(source, Model):
        return _finished(*_model_batch(source, X, y, sample_weight, rows, member, masks))
    elif hasattr(source, "_training_batch"):
        _refuse_member(member, f"a {type(source).__name__}")
        batch = source._training_batch(X, y, sample_weight)
    elif hasattr(source, "to_model"):
        return _finished(*_model_batch(source.to_model(), X, y, sample_weight, rows, member, masks))
    else:
        raise OptionError(
            parameter="network",
            came=f"a {type(source).__name__}",
            expected="a Network, a fitted SoftmaxClassifier or TableClassifier, or a Model",
        )
    return _finished(batch, rows, masks)


def _refuse_member(member: int | None, what: str) -> None:
    if member is not None:
        raise OptionError(parameter="member", came=str(member), expected=f"None: {what} has one network")


def _model_batch(
    model: Model, X: Any, y: Any, sample_weight: Any, rows: Rows, member: int | None, masks: Masks | None
) -> tuple[Batch, None, Masks | None]:
    """Choose the rows and one network of several, encode the rows, and number the labels; return what is finished."""
    network, notes = _member(model, member)
    notes.append(
        "A model keeps no class weights, label smoothing or penalty of its training: L is the mean of the loss over "
        "these rows."
    )
    if model.calibration is not None:
        notes.append("The calibration of the model is left out: it corrects predictions, and is not part of the loss.")
    table = X if isinstance(X, Table) else as_table(X) if isinstance(X, dict) or is_frame(X) else None
    if table is None:
        if isinstance(y, str):
            raise DataError(
                f"y is {y!r}, the name of a column, but X is not a table. Pass a frame, or the labels as y."
            )
        inputs = model.inputs(X)
        n = inputs.shape[0]
        chosen = _chosen(rows, n)
        checked = network._check_batch(inputs, _indices(model, y), sample_weight)
        X, T, w = checked[0][chosen], checked[1][chosen], None if checked[2] is None else checked[2][chosen]
    else:
        n = table.n_rows
        chosen, X, T, w = _of_table(model, network, table, _chosen(rows, n), y, sample_weight, notes)
    if model.encoding is not None:
        notes.append(f"X is the encoded table: {X.shape[1]} columns, made of {len(model.encoding.names)}.")
    named = model.columns if model.encoding is None else encoded_names(model.encoding)
    if masks is not None:
        given = {layer: np.asarray(mask) for layer, mask in masks.items()}
        check_masks(given, network.layer_sizes, n)
        masks = {layer: mask[chosen] for layer, mask in given.items()}
    names = [str(label) for label in model.classes]
    return Batch(network, X, T, w, chosen, classes=names, columns=named, notes=notes), None, masks


def _of_table(
    model: Model, network: Network, table: Table, chosen: Array, y: Any, sample_weight: Any, notes: list[str]
) -> tuple[Array, Array, Array, Array | None]:
    """Return the numbers of the rows that have a label, their inputs, targets and weights."""
    weight = read_weights(table, sample_weight) if isinstance(sample_weight, str) else sample_weight
    part = table.rows(chosen)
    if isinstance(y, str):
        separator = model.record.get("candidates")
        candidates = separator if isinstance(separator, str) else None
        found, there = read_labels(part, y, repeating=False, candidates=candidates, classes=model.classes)
        if len(there) < len(chosen):
            notes.append(f"Rows left out because {y!r} is missing: {len(chosen) - len(there)}.")
        chosen, part = chosen[there], part.rows(there)
        if holds_candidates(found):
            T = candidate_rows(found, model.classes, y)
        else:
            T = class_indices(model.classes, found, part, np.arange(part.n_rows), y)
    else:
        labels = _indices(model, y)
        _check_length("y", labels, table)
        T = labels[chosen]
    if weight is not None:
        weight = np.asarray(weight)
        _check_length("sample_weight", weight, table)
        weight = weight[chosen]
    return chosen, *network._check_batch(_inputs(model, part, y), T, weight)


def _check_length(what: str, values: Array, table: Table) -> None:
    if values.shape[:1] != (table.n_rows,):
        raise LabelError(f"{what} has {np.size(values, 0)} entries, expected {table.n_rows}: one for each row.")


def _inputs(model: Model, part: Table, y: Any) -> Array:
    """Return the rows of a table as the network takes them: encoded, or the numbers of the columns of the training."""
    if model.encoding is not None:
        return model.inputs(part)
    names = model.columns or [name for name in part.names if not (isinstance(y, str) and name == y)]
    return model.inputs(np.column_stack([numbers_of(part, name) for name in names]))


def _member(model: Model, member: int | None) -> tuple[Network, list[str]]:
    m = len(model.networks)
    if m == 1 and member is None:
        return model.network, []
    if member is not None and not (isinstance(member, int | np.integer) and 0 <= member < m):
        expected = "a whole number 0" if m == 1 else f"a whole number from 0 to {m - 1}"
        raise OptionError(parameter="member", came=repr(member), expected=f"{expected}: one of the networks")
    chosen = int(np.argmax(model.weights)) if member is None else int(member)
    network = model.networks[chosen]
    why = "which has the largest weight" if member is None else "as asked"
    note = (
        f"The model is an ensemble of {m} networks, whose logits are averaged. "
        f"The trace shows network {chosen}, {why}. Each network was trained alone, on its own loss."
    )
    return network, [note] if m > 1 else []


def _indices(model: Model, y: Any) -> Array:
    """Number the labels of a model; rows of numbers stay what they are."""
    labels = np.asarray(y)
    if labels.ndim != 1 or model.network.head.output != "softmax":
        return labels
    if holds_candidates(labels):
        return candidate_rows(labels, model.classes, "y")
    known = {text: index for index, text in enumerate(label_texts(model.classes))}
    texts = label_texts(labels)
    for row, text in enumerate(texts):
        if text not in known:
            shown = ", ".join(map(str, model.classes[:10]))
            label = labels.tolist()[row]
            raise DataError(f"Label {label!r} of row {row} is not a class of the model, expected one of {shown}.")
    return np.array([known[text] for text in texts], np.intp)


def _finished(batch: Batch, rows: Rows, masks: Masks | None) -> Batch:
    """Choose the rows, leave out those of weight 0, and make X dense."""
    if batch.network.theta.dtype.kind == "c":
        came = f"a network of {batch.network.theta.dtype}"
        raise OptionError(parameter="network", came=came, expected="one of real numbers: net.astype('float64')")
    chosen = _chosen(rows, len(batch.rows))
    if masks is not None:
        given = {layer: np.asarray(mask) for layer, mask in masks.items()}
        check_masks(given, batch.network.layer_sizes, len(batch.rows))
        batch.masks = {layer: given[layer] for layer in range(1, batch.network.depth)}
    if batch.w is not None:
        counts = batch.w[chosen] > 0
        if not counts.any() and len(counts):
            raise DataError("sample_weight is 0 in every row of the batch, expected at least one number > 0.")
        if not counts.all():
            batch.notes.append(f"Rows left out because their weight is 0: {int((~counts).sum())}.")
        chosen = chosen[counts]
    if not len(chosen):
        raise DataError("The batch has no rows, expected at least one.")
    X = batch.X[chosen]
    batch.X = X if isinstance(X, np.ndarray) else X.toarray()
    batch.T, batch.rows = batch.T[chosen], batch.rows[chosen]
    batch.w = None if batch.w is None else batch.w[chosen]
    batch.masks = {layer: mask[chosen].astype(batch.X.dtype) for layer, mask in batch.masks.items()}
    batch.network = batch.network.astype(batch.network.theta.dtype)  # a copy: training may go on
    if batch.alpha is not None:
        batch.network.l2 = batch.alpha / float(len(chosen) if batch.w is None else batch.w.sum())
    return batch


def _chosen(rows: Rows, n: int) -> Array:
    """Return the numbers of the rows that were asked for, or raise where one is out of range."""
    if rows is None:
        return np.arange(n)
    if isinstance(rows, slice):
        return np.arange(n)[rows]
    chosen = np.asarray(rows)
    chosen = chosen[None] if chosen.ndim == 0 else chosen.astype(np.intp) if not chosen.size else chosen
    if chosen.dtype == bool and chosen.shape == (n,):
        return np.flatnonzero(chosen)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise OptionError(parameter="rows", came=repr(rows), expected="a whole number, a slice, or row numbers")
    wrong = chosen[(chosen < -n) | (chosen >= n)]
    if len(wrong):
        raise OptionError(parameter="rows", came=str(wrong[0]), expected=f"numbers {-n} to {n - 1}: there are {n} rows")
    return np.arange(n)[chosen]


def __dir__() -> list[str]:
    return __all__
