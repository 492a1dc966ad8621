"""Softmax and cross-entropy of an affine layer, by chunks of classes: the logits of all classes never exist at once.

::

    Z = A W + b        U = softcap tanh(Z / (temperature softcap))
    L_i = - sum_c Y_ic log softmax(U_i)_c + z_loss (log sum_c exp U_ic)^2

The first sweep over the chunks keeps a few numbers of each row (`RowSums`), from which the loss follows. The second
computes each chunk's logits again and turns them into derivatives. All is computed in summing precision, on checked
input: A (n, d), W (d, k), b (k,), and a target as `check_target` returns it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, log1p, pick
from ..softcap import capped, capped_slope
from ..softmax import exponentials
from ..targets import is_sparse

__all__ = ["Layer", "RowSums", "gradients_of", "loss_of", "row_sums"]

BLOCK_NUMBERS = 2**20


@dataclass(frozen=True)
class Layer:
    """The arguments of the loss: a layer, its target and its options, all checked."""

    A: Array
    W: Array
    b: Array | None
    T: Any
    dtype: np.dtype[Any]
    label_smoothing: float
    z_loss: float
    softcap: float | None
    temperature: float
    chunk: int

    @property
    def k(self) -> int:
        """The number of classes."""
        return int(self.W.shape[1])

    def chunks(self) -> Iterator["Chunk"]:
        """Cut the classes into chunks."""
        by_class = self.T.tocsc() if is_sparse(self.T) else None
        for start in range(0, self.k, self.chunk):
            classes = slice(start, min(start + self.chunk, self.k))
            b = np.zeros((), self.dtype) if self.b is None else self.b[classes].astype(self.dtype)
            T = self.T if self.T.ndim == 1 else self.T[:, classes] if by_class is None else by_class[:, classes].tocsr()
            yield Chunk(self, classes, self.W[:, classes].astype(self.dtype), b, T)

    def row_totals(self) -> Array:
        """Return the sum of each row of the target, (n,)."""
        if self.T.ndim == 1:
            return np.ones(len(self.A), self.dtype)
        return np.asarray(self.T.sum(axis=1), self.dtype).ravel()


class Chunk(NamedTuple):
    """Some of the classes: their weights and biases, and their columns of the target, or all labels."""

    layer: Layer
    classes: slice
    W: Array
    b: Array
    T: Any

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """Cut the rows into blocks whose logits are about a million numbers, each with its rows of A."""
        A = self.layer.A
        rows = max(1, BLOCK_NUMBERS // (self.classes.stop - self.classes.start))
        for start in range(0, len(A), rows):
            block = slice(start, min(start + rows, len(A)))
            yield block, A[block].astype(self.layer.dtype, copy=False)

    def linear(self, A: Array) -> Array:
        """Return Z of some rows for these classes."""
        with np.errstate(over="ignore", invalid="ignore"):
            Z: Array = A @ self.W + self.b
        return Z

    def capped(self, Z: Array) -> Array:
        """Return U, the logits that softmax takes."""
        return capped(Z, self.layer.softcap, self.layer.temperature)

    def labels(self, rows: slice) -> tuple[Array, Array]:
        """Return which of these rows have their label in this chunk, and the place of the label in it."""
        T = self.T[rows]
        here = np.flatnonzero((self.classes.start <= T) & (T < self.classes.stop))
        return here, T[here] - self.classes.start

    def target(self, rows: slice) -> Array:
        """Return the target's rows for these classes, without label smoothing."""
        Y = self.T[rows]
        return Y.toarray() if is_sparse(Y) else Y


class RowSums(NamedTuple):
    """What the first sweep keeps of each row; sums of terms that are all >= 0, relative to the largest logit.

    Attributes
    ----------
    largest, top : (n,) arrays
        The largest logit, and its class.
    others : (n,) array
        sum of exp(u_c - largest) over the other classes.
    to_target : (n,) array
        sum_c Y_c (largest - u_c).
    to_all : (n,) array
        sum_c (largest - u_c); 0 without label smoothing, which alone needs it.
    """

    largest: Array
    top: Array
    others: Array
    to_target: Array
    to_all: Array

    @property
    def log_sum_exp(self) -> Array:
        """log sum_c exp u_c."""
        lse: Array = self.largest + log1p(self.others)
        return lse


def row_sums(layer: Layer) -> RowSums:
    """Sweep over all chunks of classes, and keep what softmax and the loss need of each row.

    When a chunk has a larger logit than all before, the sums are carried over to it: nothing is ever subtracted.
    """
    n, dtype = len(layer.A), layer.dtype
    largest, top, others = np.full(n, -np.inf, dtype), np.zeros(n, np.intp), np.zeros(n, dtype)
    to_target, to_all, seen = np.zeros(n, dtype), np.zeros(n, dtype), np.zeros(n, dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        for chunk in layer.chunks():
            start = chunk.classes.start
            for rows, A in chunk.blocks():
                U = chunk.capped(chunk.linear(A))
                new, index, others_of_chunk = _largest(U)
                old = largest[rows]
                rises = new.real > old.real
                gap = np.where(rises, new - old, old - new)
                E = np.exp(-np.where((new == -np.inf) & (old == -np.inf), np.inf, gap))
                others[rows] = np.where(
                    rises, others_of_chunk + (1 + others[rows]) * E, others[rows] + (1 + others_of_chunk) * E
                )
                largest[rows], top[rows] = np.where(rises, new, old), np.where(rises, start + index, top[rows])
                rise = np.where(rises, gap, 0)
                to_target[rows] += np.where(seen[rows] == 0, 0, seen[rows] * rise)
                _add_target(chunk, rows, U, largest[rows], to_target[rows], seen[rows])
                if layer.label_smoothing:
                    to_all[rows] += (start * rise if start else 0) + _below(U, largest[rows, None]).sum(axis=1)
    others[largest == -np.inf] = np.nan  # no class has a probability, as in `exponentials`
    return RowSums(largest, top, others, to_target, to_all)


def _largest(U: Array) -> tuple[Array, Array, Array]:
    """Return each row's largest logit, its place, and the sum of the others' exponentials; 0 where all are -inf."""
    pieces = exponentials(U)
    largest = pick(U, pieces.top)
    return largest, pieces.top, np.where(largest == -np.inf, 0, pieces.others[:, 0])


def _below(U: Array, largest: Array) -> Array:
    """largest - u, inf where u is -inf."""
    return np.where(U == -np.inf, np.inf, largest - U)


def _add_target(chunk: Chunk, rows: slice, U: Array, largest: Array, to_target: Array, seen: Array) -> None:
    """Add what the target has in a chunk to two views, the sums of Y_c (largest - u_c) and of Y_c."""
    if chunk.T.ndim == 1:
        here, places = chunk.labels(rows)
        to_target[here] += _below(U[here, places], largest[here])
        seen[here] += 1
        return
    Y = chunk.target(rows)
    to_target += np.where(Y == 0, 0, Y * _below(U, largest[:, None])).sum(axis=1)
    seen += Y.sum(axis=1)


def loss_of(layer: Layer, sums: RowSums) -> Array:
    """Return L_i of each row: a sum of terms that are all >= 0."""
    total, s = layer.row_totals(), layer.label_smoothing
    with np.errstate(invalid="ignore", over="ignore"):
        L = total * log1p(sums.others) + (1 - s) * sums.to_target
        if s:
            L = L + np.where(total == 0, 0, s * total / layer.k * sums.to_all)
        return L + layer.z_loss * sums.log_sum_exp**2 if layer.z_loss else L


def gradients_of(layer: Layer, sums: RowSums, factors: Array) -> tuple[Array, Array, Array]:
    """Return dA, dW and db; `factors`, (n, 1), is what each row's own derivative is multiplied by."""
    dA = np.zeros(layer.A.shape, layer.dtype)
    dW = np.empty(layer.W.shape, _dtype_of(layer, layer.W))
    db = np.empty(layer.k, _dtype_of(layer, layer.W if layer.b is None else layer.b))
    with np.errstate(invalid="ignore", over="ignore"):
        for chunk in layer.chunks():
            dW_of_chunk, db_of_chunk = np.zeros_like(chunk.W), np.zeros(chunk.W.shape[1], layer.dtype)
            for rows, A in chunk.blocks():
                Z = chunk.linear(A)
                dZ = factors[rows] * _dZ(chunk, rows, Z, sums)
                dA[rows] += dZ @ chunk.W.T
                dW_of_chunk += A.T @ dZ
                db_of_chunk += dZ.sum(axis=0)
            dW[:, chunk.classes], db[chunk.classes] = dW_of_chunk, db_of_chunk
        return dA.astype(_dtype_of(layer, layer.A), copy=False), dW, db


def _dtype_of(layer: Layer, array: Array) -> np.dtype[Any]:
    return layer.dtype if layer.dtype.kind == "c" else array.dtype


def _dZ(chunk: Chunk, rows: slice, Z: Array, sums: RowSums) -> Array:
    """Return dL_i/dZ_i of some rows for the classes of a chunk: P (rowsum(Y) - Y) - Y (1 - P) + 2 z_loss lse P."""
    layer, others = chunk.layer, sums.others[rows, None]
    s, total = layer.label_smoothing, layer.row_totals()[rows, None]
    P = np.exp(chunk.capped(Z) - sums.largest[rows, None]) / (1 + others)
    not_P = 1 - P
    top = sums.top[rows] - chunk.classes.start
    here = np.flatnonzero((top >= 0) & (top < P.shape[1]))
    not_P[here, top[here]] = (others / (1 + others))[here, 0]
    evenly: Array = s * total / layer.k
    if chunk.T.ndim == 1:
        dU = P * (1 - evenly) - evenly * not_P if s else P.copy()
        with_label = chunk.labels(rows)
        Y = evenly[with_label[0], 0] + (1 - s)
        dU[with_label] = P[with_label] * (1 - Y) - Y * not_P[with_label]
    else:
        Y = (1 - s) * chunk.target(rows) + evenly
        dU = P * (total - Y) - Y * not_P
    if layer.z_loss:
        dU += 2 * layer.z_loss * sums.log_sum_exp[rows, None] * P
    if layer.softcap is None and layer.temperature == 1:
        return dU
    return dU * capped_slope(Z, layer.softcap, layer.temperature)
