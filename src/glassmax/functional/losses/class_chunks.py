"""Softmax and cross-entropy of an affine layer, by chunks of classes: the logits of all classes never exist at once.

::

    Z = A W + b        U = softcap tanh(Z / (temperature softcap))
    L_i = - sum_c Y_ic log softmax(U_i)_c + z_loss (log sum_c exp U_ic)^2

The first sweep over the chunks keeps a few numbers of each row (`RowSums`), from which the loss follows. The second
computes the logits of each chunk again and turns them into derivatives. All is computed in summing precision. The
arguments have been checked: A (n, d), W (d, k), b (k,), and a target as `check_target` returns it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Array, log1p, pick, put
from ..softcap import capped, capped_slope
from ..targets import is_sparse

__all__ = ["Layer", "RowSums", "gradients_of", "loss_of", "row_sums"]

LEAST_ROWS, LEAST_NUMBERS = 128, 2**17  # of a block; with fewer rows, matrix products are slow


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

    def narrowed(self, gradient: Array, array: Array | None) -> Array:
        """Return a gradient in the dtype of its array, or in that of the layer if the layer is complex."""
        dtype = self.dtype if self.dtype.kind == "c" or array is None else array.dtype
        with np.errstate(over="ignore"):
            return gradient.astype(dtype, copy=False)

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
        """Cut the rows into blocks, each with its rows of A."""
        A = self.layer.A
        rows = max(LEAST_ROWS, LEAST_NUMBERS // (self.classes.stop - self.classes.start))
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
        labels = self.T[rows]
        here = np.flatnonzero((labels >= self.classes.start) & (labels < self.classes.stop))
        return here, labels[here] - self.classes.start

    def target(self, rows: slice) -> Array:
        """Return the target's rows for these classes, without label smoothing."""
        Y = self.T[rows]
        return Y.toarray() if is_sparse(Y) else Y


class RowSums(NamedTuple):
    """The numbers that the first sweep keeps for each row. Every sum has terms >= 0, relative to the largest logit.

    Attributes
    ----------
    largest, top : (n,) arrays
        The largest logit of each row, and its class.
    others : (n,) array
        sum of exp(u_c - largest) over the other classes.
    to_target : (n,) array
        sum_c Y_c (largest - u_c).
    to_all : (n,) array
        sum_c (largest - u_c), which label smoothing needs; 0 without it.
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

    If a chunk has a larger logit than all chunks before, the sums are scaled to it. No term is ever subtracted.
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
    top = np.argmax(U.real, axis=1)
    largest = pick(U, top)
    E = U - largest[:, None]
    zero_or_nan = pick(E, top)
    np.exp(E, out=E)
    put(E, top, zero_or_nan)
    return largest, top, np.where(largest == -np.inf, 0, E.sum(axis=1))


def _below(U: Array, largest: Array) -> Array:
    """largest - u, inf where u is -inf."""
    return np.where(np.isneginf(U.real), np.inf, largest - U)


def _add_target(chunk: Chunk, rows: slice, U: Array, largest: Array, to_target: Array, seen: Array) -> None:
    """Add the terms of a chunk to two sums of each row, in place: of Y_c (largest - u_c), and of Y_c."""
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
    dW = np.empty(layer.W.shape, layer.dtype if layer.dtype.kind == "c" else layer.W.dtype)
    db = np.empty(layer.k, layer.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        for chunk in layer.chunks():
            dW_of_chunk, db_of_chunk = np.zeros_like(chunk.W), np.zeros(chunk.W.shape[1], layer.dtype)
            for rows, A in chunk.blocks():
                Z = chunk.linear(A)
                dZ = _dZ(chunk, rows, Z, sums)
                dZ *= factors[rows]
                dA[rows] += dZ @ chunk.W.T
                dW_of_chunk += A.T @ dZ
                db_of_chunk += dZ.sum(axis=0)
            dW[:, chunk.classes], db[chunk.classes] = dW_of_chunk, db_of_chunk
    return layer.narrowed(dA, layer.A), dW, layer.narrowed(db, layer.b)


def _dZ(chunk: Chunk, rows: slice, Z: Array, sums: RowSums) -> Array:
    """Return dL_i/dZ_i of some rows for the classes of a chunk."""
    layer, one_and_others = chunk.layer, 1 + sums.others[rows, None]
    P = chunk.capped(Z) - sums.largest[rows, None]
    np.exp(P, out=P)
    P /= one_and_others
    dU = _without_z_loss(chunk, rows, P, sums)
    if layer.z_loss:
        P *= 2 * layer.z_loss * sums.log_sum_exp[rows, None]
        dU += P
    if layer.softcap is not None or layer.temperature != 1:
        dU *= capped_slope(Z, layer.softcap, layer.temperature)
    return dU


def _without_z_loss(chunk: Chunk, rows: slice, P: Array, sums: RowSums) -> Array:
    """Return P rowsum(Y) - Y as P (rowsum(Y) - Y) - Y (1 - P), which doesn't cancel where P is close to 1."""
    others, top = sums.others[rows], sums.top[rows] - chunk.classes.start
    s, total = chunk.layer.label_smoothing, chunk.layer.row_totals()[rows, None]
    evenly: Array = s * total / chunk.layer.k
    if chunk.T.ndim == 1:
        here, place = chunk.labels(rows)
        of_label = P[here, place]
        not_P = np.where(place == top[here], (others / (1 + others))[here], 1 - of_label)
        Y = evenly[here, 0] + (1 - s)
        at_label = of_label * (1 - Y) - Y * not_P
        if not s:
            dU = P.copy()
            dU[here, place] = at_label
            return dU
    not_P = 1 - P
    inside = np.flatnonzero((top >= 0) & (top < P.shape[1]))
    not_P[inside, top[inside]] = (others / (1 + others))[inside]
    if chunk.T.ndim == 1:
        dU = P * (1 - evenly)
        dU -= evenly * not_P
        dU[here, place] = at_label
        return dU
    Y = (1 - s) * chunk.target(rows) + evenly
    dU = P * (total - Y)
    dU -= Y * not_P
    return dU
