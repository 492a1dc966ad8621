"""`Trace`: the ledger of one batch, with cells, naive views and nudges; and `trace`, which makes it."""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError, OptionError, one_of
from ..files import write_whole
from ..functional.arrays import Array
from ..functional.heads import Head
from ..optimizers import Rule
from .arrays import arrays_of, gradients_of, logits_name
from .batch import Batch, Masks, Rows, make_batch
from .cells import Cell, labelled, taken_apart
from .entry import Entry
from .formats import as_fragment, as_html, as_json, as_latex, as_markdown, as_text, plain_trace
from .ledger import entries_of
from .naive import NaiveView, naive_views
from .nudges import Nudge, check_nudged, nudged
from .updates import Optimizer, updates

__all__ = ["Trace", "trace"]

MOST_CLASSES = 1000
"""A Jacobian of more classes is formed for `Trace.jacobian` alone."""


def trace(
    network: Any,
    X: Any,
    y: Any,
    sample_weight: npt.ArrayLike | str | None = None,
    rows: Rows = None,
    *,
    masks: Masks | None = None,
    optimizer: Rule | None = None,
    member: int | None = None,
) -> Trace:
    """Trace one batch through a network: every array, forward and backward, with its equation, its value and why.

    Parameters
    ----------
    network : Network, SoftmaxClassifier, TableClassifier or Model
        A classifier must be fitted. The loss of a SoftmaxClassifier is that of its training: with class weights
        ("balanced" over all rows of X), label smoothing and penalty. A TableClassifier or a model encodes tables.
    X : (n, d) array, sparse matrix, frame or Table
        The rows, as the network or the model takes them.
    y : (n,) or (n, k) array, or str
        The targets: class indices or rows for a network, labels for the others. For a frame, the name of the target
        column.
    sample_weight : (n,) array, optional
        One number >= 0 for each row. Rows of weight 0 are left out.
    rows : int, slice or array of int, optional
        The rows that make up the batch; by default all. The mean of the loss is taken over these rows.
    masks : mapping of int to (n, h_l) array, optional
        Dropout masks, as for `Network.forward`; by default, no unit is dropped.
    optimizer : SGD or Adam, optional
        The rule that makes the update. By default, that of a SoftmaxClassifier with its state, and gradient descent
        with learning rate 0.1 for the others.
    member : int, optional
        Which network of an ensemble, from 0; by default the one of the largest weight.

    Returns
    -------
    Trace
        ``trace["dW2"]`` is one array; at the prompt, the trace shows its ledger.

    Raises
    ------
    ShapeError, LabelError, DataError, OptionError
        If the data or an argument doesn't fit the network.

    Notes
    -----
    Cost: less than two passes of `Network.loss_and_gradients` and the update. Equations are derived when they are
    shown. No Jacobian is formed unless one is asked for.

    Examples
    --------
    >>> from glassmax import Network
    >>> net = Network([4, 10, 3], activation="sigmoid")
    >>> X, y = np.ones((5, 4)), [0, 1, 2, 0, 1]
    >>> batch = trace(net, X, y)
    >>> batch["dW2"].with_shapes
    'dW2 (10,3) = A1ᵀ (10,5) · dZ2 (5,3)'
    >>> cell = batch.cell("dW2", 3, 1)
    >>> len(cell.terms), bool(abs(cell.sum - batch["dW2"][3, 1]) < 1e-15)
    (5, True)
    """
    batch = make_batch(network, X, y, sample_weight, rows, masks, member)
    if optimizer is not None:
        batch = replace(batch, optimizer=Optimizer(optimizer))
    return Trace(batch)


class Trace(Mapping[str, Entry]):
    """Every array of one batch, by its name, in the order of the computation.

    Attributes
    ----------
    steps : list of Entry
        The entries in their order: what is given, the forward pass, the loss, the backward pass, the update.
    network : Network
        A copy of the network that was traced.
    rows : (n,) array of int
        The numbers of the rows in the data, from 0.
    notes : list of str
        What was chosen, encoded or left out.
    classes, columns : list of str or None
        The names of the outputs and of the columns of X.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self.network, self.rows, self.notes = batch.network, batch.rows, batch.notes
        self.classes, self.columns = batch.classes, batch.columns
        self._arrays = arrays_of(batch)
        with np.errstate(all="ignore"):  # what overflows is shown, not warned of
            updated = (
                []
                if batch.optimizer is None
                else list(updates(batch.optimizer, batch.network, gradients_of(batch, self._arrays)))
            )
        self.steps: list[Entry] = entries_of(batch, self._arrays, updated)
        self._by_name = {entry.name: entry for entry in self.steps}

    def __getitem__(self, name: str) -> Entry:
        return self._by_name[one_of("name", name, self._by_name)]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def loss(self) -> float:
        """L: the mean loss of the batch, penalty included."""
        return float(self._arrays["L"])

    @property
    def arrays(self) -> dict[str, Array]:
        """Every array by its name; not the Jacobians."""
        return {entry.name: entry.value for entry in self.steps if entry.value is not None}

    def jacobian(self, row: int = 0) -> Array:
        """Return the Jacobian of the output of one sample, ``J[l, j] = dP_l / dZ_j``, (k, k).

        If the network has a softcap or a temperature, it is the Jacobian by the logits U that softmax takes,
        ``dP_l / dU_j``.

        Parameters
        ----------
        row : int, default=0
            The position of the sample in the batch, from 0, or negative to count from the end.

        Returns
        -------
        (k, k) array
            For softmax ``diag(p) - p pᵀ``, symmetric, with rows that sum to 0; diagonal for every other output.
        """
        row = self._row(row)
        U = self._arrays[logits_name(self.network)][row : row + 1]
        output = Head(self.network.head.output, self.network.head.loss)
        with np.errstate(all="ignore"):
            J: Array = output.jacobian(output.forward(U))[0]
        return J

    def cell(self, name: str, *index: int) -> Cell:
        """Take one cell apart: the products that make it, sample by sample, and their sum.

        Parameters
        ----------
        name : str
            The array, such as ``"dW2"``.
        *index : int
            Its indices, from 0, or negative to count from the end; none for a single number such as L.

        Returns
        -------
        Cell
        """
        entry = self[name]
        at = self._index(entry, index)
        value = float(self._look(name, at) if entry.value is None else entry.value[at])
        if not entry.equations:
            note = f"{entry.meaning}." if entry.meaning else "This number is given, not computed."
            return Cell(name, at, value, None, note=note)
        shapes = {one.name: one.shape for one in self.steps}
        for equation in entry.equations:
            cell = taken_apart(equation, at, self._look, shapes)
            if np.isfinite(cell.sum) or not np.isfinite(value):
                break
        return replace(cell, value=value)

    def nudge(self, name: str, index: tuple[int, ...] | int, step: float = 1e-3) -> Nudge:
        """Change one number of a parameter or of X: the loss that the gradient predicts, and the loss that comes out.

        Parameters
        ----------
        name : str
            ``"W2"``, ``"b1"``, ``"X"``, ...
        index : int or tuple of int
            The cell, by indices from 0, or negative to count from the end.
        step : float, default=0.001
            The change, not 0.

        Returns
        -------
        Nudge
            In float64 whatever the dtype of the network.
        """
        check_nudged(self._batch, name)
        at = self._index(self[name], index if isinstance(index, tuple) else (index,))
        return nudged(self._batch, name, at, step, float(self._arrays[f"d{name}"][at]))

    def naive(self, row: int = 0) -> list[NaiveView]:
        """Return the wrong ways to compute the backward pass, each beside the right one.

        Parameters
        ----------
        row : int, default=0
            The sample whose Jacobian is shown, by its position in the batch, as for `jacobian`.

        Returns
        -------
        list of NaiveView
            The row sums of the Jacobian, its diagonal alone and the product entry by entry, for softmax of at most
            1,000 classes without a z-loss; then the missing transpose of each layer.
        """
        row = self._row(row)
        few = self._arrays["P"].shape[1] <= MOST_CLASSES
        head = self.network.head
        J = self.jacobian(row) if few and head.output == "softmax" and not head.z_loss else None
        names = f"d{logits_name(self.network)}", "X" if self.network.embedding is None else "A0"
        frozen = {f"d{name}" for name in self.network.frozen}
        return [view for view in naive_views(self._arrays, J, row, self.network.depth, *names) if view.of not in frozen]

    @property
    def shown_jacobian(self) -> Array | None:
        """The Jacobian of the first row; None if it is too large to be shown."""
        return self.jacobian(0) if self._arrays["P"].shape[1] <= MOST_CLASSES else None

    def text(self) -> str:
        """Return the ledger as plain text."""
        return as_text(self)

    def markdown(self) -> str:
        """Return the ledger as Markdown, with formulas in LaTeX between dollars."""
        return as_markdown(self)

    def latex(self) -> str:
        """Return the ledger as LaTeX: equations and arrays, for amsmath."""
        return as_latex(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data; see `glassmax.tracing.formats.plain_trace` for the fields."""
        return plain_trace(self)

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return as_json(self)

    def to_html(self, path: str | Path) -> None:
        """Write a page that one can walk through: one file that opens from disk and asks the network for nothing.

        Parameters
        ----------
        path : str or Path
            The file, in an existing folder; replaced if it exists, and written completely or not at all.

        Raises
        ------
        DataError
            If the folder is missing or can't be written to, or the disk is full. An existing file stays.
        """
        content = as_html(self).encode()
        try:
            write_whole(path, content)
        except OSError as error:
            raise DataError(f"{path} can't be written: {error.strerror}. Nothing has changed.") from None

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return as_fragment(self)

    def _row(self, row: int) -> int:
        n = len(self.rows)
        if isinstance(row, bool) or not isinstance(row, int | np.integer) or not -n <= row < n:
            raise OptionError(parameter="row", came=repr(row), expected=f"a whole number from {-n} to {n - 1}")
        return int(row) % n

    def _index(self, entry: Entry, index: tuple[int, ...]) -> tuple[int, ...]:
        """Return an index as numbers from 0, or raise with the shape that it should fit."""
        whole = all(isinstance(i, int | np.integer) and not isinstance(i, bool) for i in index)
        inside = whole and len(index) == len(entry.shape)
        inside = inside and all(-size <= i < size for i, size in zip(index, entry.shape, strict=True))
        if not inside:
            cell = labelled(entry.name, index)
            numbers = f"{len(entry.shape)} whole number{'s' * (len(entry.shape) > 1)}"
            expected = f"{numbers} inside the shape {entry.shape}: 0 is the first, -1 the last"
            if not entry.shape:
                expected = "no index: it is one number"
            raise OptionError(parameter="index", came=f"{cell}", expected=expected)
        return tuple(int(i) % size for i, size in zip(index, entry.shape, strict=True))

    def _look(self, name: str, where: tuple[int | None, ...]) -> Array:
        """Return part of an array; of the Jacobians, the one of the sample that is asked for."""
        at = tuple(slice(None) if i is None else i for i in where)
        if name == "J":  # only the column that is asked for, because a Jacobian of many classes is large
            row, change, score = where
            p = self._arrays["P"][row]
            column = p * ((np.arange(len(p)) == score) - p[score])
            return np.asarray(column if change is None else column[change])
        value = self[name].value
        assert value is not None
        return np.asarray(value[at])


def __dir__() -> list[str]:
    return __all__
