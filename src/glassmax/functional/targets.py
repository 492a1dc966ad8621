"""Targets: class indices (...,) or rows (..., k), checked before any arithmetic.

Targets come in two shapes for predictions of shape (..., k). **Indices** of shape (...,) name one class
each, counted from 0. **Rows** of shape (..., k) hold a number for each class: one-hot, soft (any
non-negative numbers, any row sum), several labels at once, candidates of which one is the class, or plain values,
whichever the loss takes. A column (n, 1) is rejected: it would broadcast against every class, a common and silent
mistake. Rows may be a SciPy sparse matrix or array (n, k), whose other numbers are 0; it stays sparse, row by row
(CSR), until `as_rows`.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import LabelError, ShapeError, between, one_of
from .arrays import Array, as_floating, summing_dtype

__all__ = ["Meaning", "Reduction", "as_rows", "check_smoothing", "check_target", "check_weights", "reduce_rows"]
__all__ += ["is_sparse", "reduce_rows_vjp", "row_factors", "scale_rows", "weigh"]

Meaning = Literal["classes", "labels", "values", "candidates"]
Reduction = Literal["mean", "sum", "none"]


def is_sparse(values: Any) -> bool:
    """Return whether `values` is a SciPy sparse matrix or array."""
    return hasattr(values, "tocsr") and hasattr(values, "nnz")


def check_target(target: npt.ArrayLike, shape: tuple[int, ...], meaning: Meaning) -> Array:
    """Return the target as indices (...,) of intp or as float rows (..., k), or raise with the first row at fault.

    Sparse rows come back as a CSR array without duplicates. `shape` is that of the predictions, (..., k). A row of
    "classes" holds numbers >= 0, of "labels" numbers in [0, 1], of "values" any finite numbers, of "candidates" 0 and 1
    with at least one 1. Where k is 1 and the loss takes labels or values, (...,) is read as the one column.
    """
    *rows, k = shape
    if is_sparse(target):
        return _check_sparse(target, shape, meaning)
    try:
        T = np.asarray(target)
    except ValueError:
        raise ShapeError(
            f"Labels have rows of different lengths, expected {tuple(rows)} class indices or {shape} rows."
        ) from None
    if T.dtype.kind not in "iubf":
        raise LabelError(
            f"Labels are of type {T.dtype}, expected class indices or rows of numbers. "
            "SoftmaxClassifier takes labels of any kind; here, number them 0, 1, 2, ... first."
        )
    if T.shape == tuple(rows) and meaning in ("labels", "values") and k == 1:
        T = T[..., None]
    if T.shape == tuple(rows):
        return _check_indices(T, k)
    if T.shape == shape:
        return _check_rows(as_floating(T, "Y"), meaning)
    column = " Pass y.ravel(): a column would broadcast against every class." if T.shape == (*rows, 1) else ""
    raise ShapeError(f"Labels have shape {T.shape}, expected {tuple(rows)} class indices or {shape} rows.{column}")


def as_rows(T: Array, k: int, label_smoothing: float = 0.0) -> Array:
    """Return a target, as `check_target` returned it, as (..., k) rows; smoothing keeps the sum of a row.

    ::

        Y' = (1 - s) Y + s rowsum(Y) / k          s = label_smoothing, in [0, 1]

    Source: Szegedy et al., "Rethinking the Inception architecture" (2016), section 7.
    """
    if T.dtype.kind == "i":
        Y = np.zeros((*T.shape, k))
        np.put_along_axis(Y, T[..., None], 1.0, axis=-1)
    else:
        Y = T.toarray() if is_sparse(T) else T  # type: ignore[attr-defined]
    if label_smoothing == 0:
        return Y
    return (1 - label_smoothing) * Y + label_smoothing * Y.sum(axis=-1, keepdims=True) / k


def check_smoothing(label_smoothing: float) -> None:
    """Raise an error if `label_smoothing` is not a number in [0, 1]."""
    between("label_smoothing", label_smoothing, 0, 1, open_above=False)


def check_weights(sample_weight: npt.ArrayLike | None, rows: tuple[int, ...]) -> Array | None:
    """Return the sample weights in float64, one >= 0 for each row, or raise; None means that every weight is 1."""
    if sample_weight is None:
        return None
    w = as_floating(sample_weight, "sample_weight").astype(np.float64, copy=False)
    if w.shape != rows:
        raise ShapeError(f"sample_weight has shape {w.shape}, expected {rows}: one number a row.")
    bad = ~(np.isfinite(w) & (w >= 0))
    if bad.any():
        where = _first(bad)
        raise LabelError(f"sample_weight{_place(where)} is {w[where]:g}, expected a finite number >= 0.")
    return w


def reduce_rows(L: Array, w: Array | None, reduction: Reduction) -> Array:
    """Weight the losses of the rows and reduce them; a row of weight 0 is absent, whatever its loss.

    ::

        mean: sum_i w_i L_i / sum_i w_i        sum: sum_i w_i L_i        none: w_i L_i

    The mean of no rows, or with weights that sum to 0, is NaN, as in NumPy and PyTorch.
    """
    one_of("reduction", reduction, ("mean", "sum", "none"))
    if w is not None:
        with np.errstate(invalid="ignore"):  # 0 * inf
            L = np.where(w == 0, 0, w * L)
    if reduction == "none":
        return L
    total: Array = L.sum()
    if reduction == "sum":
        return total
    with np.errstate(invalid="ignore"):
        mean: Array = np.true_divide(total, L.size if w is None else w.sum())
    return mean


def row_factors(dL: npt.ArrayLike, w: Array | None, reduction: Reduction, predictions: Array) -> Array:
    """Pull dL back through `reduce_rows`: return the (..., 1) factor of each row's own derivative.

    dL is a scalar, or (...,) for reduction "none". The (..., k) `predictions` give the shape of the losses and the
    precision of the factors.
    """
    one_of("reduction", reduction, ("mean", "sum", "none"))
    dL, rows = as_floating(dL, "dL"), predictions.shape[:-1]
    expected = rows if reduction == "none" else ()
    if dL.shape != expected:
        raise ShapeError(f"dL is {dL.shape}, expected {expected} for reduction={reduction!r}.")
    factors = dL * (np.ones(rows, summing_dtype(predictions.dtype)) if w is None else w)
    if reduction == "mean":
        with np.errstate(invalid="ignore", divide="ignore"):
            factors = factors / (factors.size if w is None else w.sum())
    return factors[..., None]


def weigh(factors: Array, derivatives: Array) -> Array:
    """Multiply each row's derivative by its factor; factor 0 gives 0, even where the derivative is inf or NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(factors == 0, 0, factors * derivatives)


def reduce_rows_vjp(dL: npt.ArrayLike, w: Array | None, reduction: Reduction, V: Array, derivatives: Array) -> Array:
    """Pull dL back through `reduce_rows` and the loss of each row, whose (..., k) derivatives by V are given."""
    return weigh(row_factors(dL, w, reduction, V), derivatives).astype(V.dtype, copy=False)


def scale_rows(dZ: Array, w: Array | None, divisor: float) -> Array:
    """Multiply each row by w_i / divisor; a divisor of 0 makes it nan."""
    with np.errstate(invalid="ignore", divide="ignore"):
        one = np.ones((), summing_dtype(dZ.dtype))
        if w is None:
            return (one / divisor * dZ).astype(dZ.dtype, copy=False)
        return weigh(one * w[:, None] / divisor, dZ).astype(dZ.dtype, copy=False)


def _check_indices(T: Array, k: int) -> Array:
    if T.dtype.kind == "f":
        bad = ~(np.isfinite(T) & (np.floor(T) == T))
        if bad.any():
            where = _first(bad)
            raise LabelError(f"Label{_place(where)} is {T[where]:g}, expected a whole number 0..{k - 1}.")
    bad = (T < 0) | (k <= T)
    if bad.any():
        where = _first(bad)
        base = " Labels count from 0: subtract 1." if T.min() == 1 and T.max() == k > 1 else ""
        raise LabelError(f"Label{_place(where)} is {int(T[where])}, expected 0..{k - 1}.{base}")
    return T.astype(np.intp, copy=False)


def _check_rows(Y: Array, meaning: Meaning) -> Array:
    good, expected = _allowed(Y, meaning)
    if not good.all():
        where = _first(~good)
        raise LabelError(f"Label{_place(where[:-1])}, class {where[-1]}, is {Y[where]:g}, expected {expected}.")
    empty = ~(Y == 1).any(axis=-1) if meaning == "candidates" else np.zeros(0, bool)
    if empty.any():
        raise LabelError(f"Label{_place(_first(empty))} has no candidate, expected at least one class.")
    return Y.astype(summing_dtype(Y.dtype), copy=False)


def _allowed(Y: Array, meaning: Meaning) -> tuple[Array, str]:
    """Return which numbers of rows are allowed, and what is expected of them."""
    if meaning == "classes":
        return np.isfinite(Y) & (Y >= 0), "a finite number >= 0"
    if meaning == "labels":
        return (Y >= 0) & (Y <= 1), "a number from 0 to 1"
    if meaning == "candidates":
        return (Y == 0) | (Y == 1), "0 or 1: 1 for each candidate of the row"
    return np.isfinite(Y), "a finite number"


def _check_sparse(target: Any, shape: tuple[int, ...], meaning: Meaning) -> Any:
    if target.shape != shape:
        raise ShapeError(f"Labels have shape {target.shape}, expected {shape[:-1]} class indices or {shape} rows.")
    Y = target.tocsr()
    if Y.dtype.kind not in "iubf":
        raise LabelError(f"Labels are of type {Y.dtype}, expected rows of numbers.")
    if not Y.has_canonical_format:
        Y = Y.copy()
        Y.sum_duplicates()
    good, expected = _allowed(Y.data, meaning)
    if not good.all():
        (first,) = _first(~good)
        row = int(np.searchsorted(Y.indptr, first, side="right")) - 1
        raise LabelError(f"Label of row {row}, class {Y.indices[first]}, is {Y.data[first]:g}, expected {expected}.")
    empty = np.asarray((Y == 1).sum(axis=1)).ravel() == 0 if meaning == "candidates" else np.zeros(0, bool)
    if empty.any():
        raise LabelError(f"Label{_place(_first(empty))} has no candidate, expected at least one class.")
    return Y.astype(summing_dtype(Y.dtype), copy=False)


def _first(bad: Array) -> tuple[int, ...]:
    where = np.unravel_index(int(np.argmax(bad)), bad.shape)
    return tuple(int(i) for i in where)


def _place(where: tuple[int, ...]) -> str:
    return f" of row {where[0] if len(where) == 1 else where}" if where else ""
