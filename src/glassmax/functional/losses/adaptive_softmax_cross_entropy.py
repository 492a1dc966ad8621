"""Adaptive softmax: a head for frequent classes, and narrower layers, the tails, for groups of rare classes."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt

from ...errors import ShapeError
from ..affine import affine_vjp
from ..arrays import Array, as_floating, summing_dtype
from ..softmax import log_softmax, log_softmax_vjp
from ..targets import Reduction, check_target, check_weights
from .layer_arguments import Rows
from .linear_softmax_cross_entropy import linear_softmax_cross_entropy, linear_softmax_cross_entropy_vjp

__all__ = ["adaptive_log_softmax", "adaptive_log_softmax_vjp", "adaptive_softmax_cross_entropy"]
__all__ += ["adaptive_softmax_cross_entropy_vjp"]

Tails = Sequence[tuple[npt.ArrayLike, npt.ArrayLike]]


def adaptive_log_softmax(A: npt.ArrayLike, W: npt.ArrayLike, tails: Tails) -> Array:
    """Return the logarithm of the probability of every class under an adaptive softmax.

    ::

        log p(c) = log_softmax(A W)_c                                                 c in the head
        log p(c) = log_softmax(A W)_{h + t} + log_softmax(A H_t V_t)_{c - start_t}    c in tail t, from 0

    Parameters
    ----------
    A, W, tails
        As for `adaptive_softmax_cross_entropy`.

    Returns
    -------
    Q : (..., k) array
        The probabilities of a row sum to 1. The classes of the head come first, then those of each tail.

    Raises
    ------
    ShapeError
        If the shapes don't fit.

    Notes
    -----
    Cost: 2 n d (h + m) flops for m tails, and 2 n (d d_t + d_t k_t) for each tail. The result has n k numbers.
    Source: Grave et al., "Efficient softmax approximation for GPUs" (2017), section 4.

    Examples
    --------
    >>> A, W, tails = [[1.0, 2.0]], np.zeros((2, 3)), [([[1.0], [0.0]], np.zeros((1, 4)))]
    >>> np.exp(adaptive_log_softmax(A, W, tails)).round(4)    # 2 classes in the head, 4 in the tail
    array([[0.3333, 0.3333, 0.0833, 0.0833, 0.0833, 0.0833]])
    """
    clusters = _read(A, W, tails)
    of_head = log_softmax(clusters.A @ clusters.W)
    parts = [of_head[..., : clusters.h]]
    for t, (H, V) in enumerate(clusters.tails):
        parts.append(of_head[..., clusters.h + t, None] + log_softmax(clusters.A @ H @ V))
    return np.concatenate(parts, axis=-1)


def adaptive_log_softmax_vjp(
    dQ: npt.ArrayLike, A: npt.ArrayLike, W: npt.ArrayLike, tails: Tails
) -> tuple[Array, Array, list[tuple[Array, Array]]]:
    """Pull dL/dQ back through the log-probabilities of an adaptive softmax.

    ::

        dA = dZ Wᵀ + sum_t dB_t H_tᵀ           dW = Aᵀ dZ           dH_t = Aᵀ dB_t          dV_t = B_tᵀ dU_t

    where ``B_t = A H_t``, and dZ and dU_t come from `log_softmax_vjp`. For the column of the head that stands for a
    tail, dQ is summed over the classes of the tail.

    Parameters
    ----------
    dQ : (..., k) array
        dL/dQ.
    A, W, tails
        As for `adaptive_softmax_cross_entropy`.

    Returns
    -------
    dA, dW, dtails
        As for `adaptive_softmax_cross_entropy_vjp`.

    Notes
    -----
    Cost: three times that of the log-probabilities.
    Source: the chain rule; Grave et al. (2017).

    Examples
    --------
    >>> A, W, tails = [[1.0, 2.0]], np.zeros((2, 3)), [([[1.0], [0.0]], np.zeros((1, 4)))]
    >>> dA, dW, [(dH, dV)] = adaptive_log_softmax_vjp([[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]], A, W, tails)
    >>> dV
    array([[ 0.75, -0.25, -0.25, -0.25]])
    """
    clusters, dQ = _read(A, W, tails), as_floating(dQ, "dQ")
    A, expected = clusters.A, (*clusters.A.shape[:-1], clusters.k)
    if dQ.shape != expected:
        raise ShapeError(f"dQ is {dQ.shape}, expected {expected}: one number for each class.")
    of_head, start, dA, dtails = [dQ[..., : clusters.h]], clusters.h, np.zeros_like(A), []
    for H, V in clusters.tails:
        part = dQ[..., start : start + V.shape[1]]
        B, start = A @ H, start + V.shape[1]
        dB, dV, _ = affine_vjp(log_softmax_vjp(part, log_softmax(B @ V)), B, V)
        into_A, dH, _ = affine_vjp(dB, A, H)
        dA = dA + into_A
        dtails.append((dH, dV))
        of_head.append(part.sum(axis=-1, keepdims=True))
    dZ = log_softmax_vjp(np.concatenate(of_head, axis=-1), log_softmax(A @ clusters.W))
    into_A, dW, _ = affine_vjp(dZ, A, clusters.W)
    return dA + into_A, dW, dtails


def adaptive_softmax_cross_entropy(
    A: npt.ArrayLike,
    W: npt.ArrayLike,
    tails: Tails,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
    chunk: int = 8192,
) -> Array:
    """Compute the cross-entropy of an adaptive softmax, in which rare classes get narrower layers.

    ::

        L_i = - log p(y_i)

    with p as in `adaptive_log_softmax`. If the class of a row is in the head, only the head is computed for this row;
    otherwise the head and the tail of its class.

    Parameters
    ----------
    A : (..., d) array
        The inputs of the layer; rows are samples.
    W : (d, h + m) array
        Weights of the head: one column for each of the h most frequent classes, then one for each of the m tails.
    tails : sequence of m pairs (H, V)
        H, (d, d_t), maps the inputs to the d_t numbers that the tail takes; V, (d_t, k_t), has a column for each of
        its classes. Usually d_t is d/4 for the first tail, and a quarter of the one before for each other tail.
    target : (...,) array
        Class indices 0..k-1, numbered by falling frequency: first the classes of the head, then those of each tail.
    sample_weight, reduction, chunk
        As for `linear_softmax_cross_entropy`.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"

    Raises
    ------
    ShapeError, LabelError, OptionError
        As for `linear_softmax_cross_entropy`.

    See Also
    --------
    linear_softmax_cross_entropy : One layer for all classes.

    Notes
    -----
    **Bias.** The loss and the gradients are exact for this model: its probabilities are positive and sum to 1. But the
    model is less flexible than a full layer: the logits within a tail have rank d_t at most, and the probability of a
    whole tail depends on one column of W. It therefore fits rare classes less closely. Compare both on held-out rows.

    Cost: 2 n d (h + m) flops for the head, and 2 n_t (d d_t + d_t k_t) for the n_t rows with a class in tail t.
    Source: Grave et al., "Efficient softmax approximation for GPUs" (2017).

    Examples
    --------
    >>> A, W, tails = [[1.0, 2.0]], np.zeros((2, 3)), [([[1.0], [0.0]], np.zeros((1, 4)))]
    >>> float(adaptive_softmax_cross_entropy(A, W, tails, [5]).round(6))    # log 12
    2.484907
    """
    clusters, y, rows = _read_rows(A, W, tails, target, sample_weight, reduction)
    A, given = clusters.A, _ByRow(reduction="none", chunk=chunk)
    L = linear_softmax_cross_entropy(A, clusters.W, None, clusters.head_target(y), **given).astype(clusters.dtype)
    for of_tail, labels, H, V in clusters.rows_of_tails(y):
        L[of_tail] += linear_softmax_cross_entropy(A[of_tail] @ H, V, None, labels, **given)
    return rows.reduced(L)


def adaptive_softmax_cross_entropy_vjp(
    dL: npt.ArrayLike,
    A: npt.ArrayLike,
    W: npt.ArrayLike,
    tails: Tails,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
    chunk: int = 8192,
) -> tuple[Array, Array, list[tuple[Array, Array]]]:
    """Pull dL back through the adaptive softmax.

    ::

        dA = dA of the head's loss + for each tail, in its rows, dB H_tᵀ
        dH_t = Aᵀ dB        dV_t, dB: those of the tail's loss, of B = A H_t

    Parameters
    ----------
    dL
        As for `cross_entropy_vjp`.
    A, W, tails, target, sample_weight, reduction, chunk
        As for `adaptive_softmax_cross_entropy`.

    Returns
    -------
    dA : (..., d) array
        dL/dA.
    dW : (d, h + m) array
        dL/dW.
    dtails : list of m pairs (dH, dV)
        dL/dH and dL/dV of each tail; 0 for a tail without a row.

    Notes
    -----
    Cost: four times that of the loss.
    Source: the chain rule; Grave et al. (2017).

    Examples
    --------
    >>> A, W, tails = [[1.0, 2.0]], np.zeros((2, 3)), [([[1.0], [0.0]], np.zeros((1, 4)))]
    >>> dA, dW, [(dH, dV)] = adaptive_softmax_cross_entropy_vjp(1.0, A, W, tails, [5])
    >>> dV
    array([[ 0.25,  0.25,  0.25, -0.75]])
    """
    clusters, y, rows = _read_rows(A, W, tails, target, sample_weight, reduction)
    A, given = clusters.A, _ByRow(reduction="none", chunk=chunk)
    factors = rows.factors(dL, clusters.dtype).reshape(len(y))
    dA, dW, _ = linear_softmax_cross_entropy_vjp(factors, A, clusters.W, None, clusters.head_target(y), **given)
    dtails = []
    for of_tail, labels, H, V in clusters.rows_of_tails(y):
        dB, dV, _ = linear_softmax_cross_entropy_vjp(factors[of_tail], A[of_tail] @ H, V, None, labels, **given)
        into_A, dH, _ = affine_vjp(dB, A[of_tail], H)
        dA[of_tail] += into_A
        dtails.append((dH, dV))
    return rows.spread(dA), dW, dtails


class _ByRow(TypedDict):
    reduction: Literal["none"]
    chunk: int


class _Clusters(NamedTuple):
    """The layer's arrays, checked: h classes in the head, and the tails."""

    A: Array
    W: Array
    tails: list[tuple[Array, Array]]
    h: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the losses."""
        pairs = [array for pair in self.tails for array in pair]
        return np.result_type(summing_dtype(self.A.dtype), self.W, *pairs)

    @property
    def k(self) -> int:
        """The number of classes."""
        return self.h + sum(V.shape[1] for _, V in self.tails)

    def head_target(self, y: Array) -> Array:
        """Return the column of the head for each label: the column of the class, or of its tail."""
        ends = np.cumsum([self.h, *(V.shape[1] for _, V in self.tails)])
        column: Array = np.where(y < self.h, y, self.h - 1 + np.searchsorted(ends, y, side="right"))
        return column

    def rows_of_tails(self, y: Array) -> Iterator[tuple[Array, Array, Array, Array]]:
        """Yield for each tail its rows, their labels in the tail, and its matrices."""
        start = self.h
        for H, V in self.tails:
            rows = np.flatnonzero((start <= y) & (y < start + V.shape[1]))
            yield rows, y[rows] - start, H, V
            start += V.shape[1]


def _read(A: npt.ArrayLike, W: npt.ArrayLike, tails: Tails) -> _Clusters:
    A, W = as_floating(A, "A"), as_floating(W, "W")
    pairs = [(as_floating(H, f"H of tail {t}"), as_floating(V, f"V of tail {t}")) for t, (H, V) in enumerate(tails)]
    if A.ndim == 0 or W.ndim != 2 or A.shape[-1] != W.shape[0]:
        raise ShapeError(f"A is {A.shape} and W is {W.shape}: expected as many columns in A as rows in W.")
    h = W.shape[1] - len(pairs)
    if h < 0:
        raise ShapeError(f"W is {W.shape}, expected a column for each of the {len(pairs)} tails.")
    for t, (H, V) in enumerate(pairs):
        if H.ndim != 2 or V.ndim != 2 or H.shape[0] != W.shape[0] or H.shape[1] != V.shape[0] or not V.shape[1]:
            expected = f"({W.shape[0]}, d_t) and (d_t, k_t) with at least one class"
            raise ShapeError(f"Tail {t} has H {H.shape} and V {V.shape}, expected {expected}.")
    return _Clusters(A, W, pairs, h)


def _read_rows(
    A: npt.ArrayLike,
    W: npt.ArrayLike,
    tails: Tails,
    target: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None,
    reduction: Reduction,
) -> tuple[_Clusters, Array, Rows]:
    """Return the layer and the labels with one axis of rows, without those of weight 0, and the rows."""
    clusters = _read(A, W, tails)
    *axes, d = clusters.A.shape
    y = check_target(target, (*axes, clusters.k), "classes")
    if y.ndim != len(axes):
        what = f"target is {y.shape}, expected {tuple(axes)} class indices: one class for each row."
        raise ShapeError(what)
    w = check_weights(sample_weight, tuple(axes))
    kept = slice(None) if w is None or w.all() else np.flatnonzero(w)
    n = math.prod(axes)
    rows = Rows(tuple(axes), w, kept, reduction)
    return clusters._replace(A=clusters.A.reshape(n, d)[kept]), y.reshape(n)[kept], rows
