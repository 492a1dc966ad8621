"""Targets: class indices (...,) or rows (..., k), checked before any arithmetic.

Targets come in two shapes for predictions of shape (..., k). **Indices** of shape (...,) name one class
each, counted from 0. **Rows** of shape (..., k) hold a number for each class: one-hot, soft (any
non-negative numbers, any row sum), several labels at once, or plain values, whichever the loss takes. A column
(n, 1) is rejected: it would broadcast against every class, a common and silent mistake.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from ..errors import LabelError, ShapeError, between, one_of
from .arrays import Array, as_floating, summing_dtype

__all__ = [
    "Meaning",
    "Reduction",
    "as_rows",
    "check_smoothing",
    "check_target",
    "check_weights",
    "reduce_rows",
    "row_factors",
    "weigh",
]

Meaning = Literal["classes", "labels", "values"]
Reduction = Literal["mean", "sum", "none"]


def check_target(target: npt.ArrayLike, shape: tuple[int, ...], meaning: Meaning) -> Array:
    """Return the target as indices or as float rows, or raise with the first row at fault.

    Parameters
    ----------
    target : (...,) or (..., k) array_like
        Class indices in 0..k-1, or rows. Where k is 1 and the loss takes labels or values, shape (...,) is read as
        the one column.
    shape : tuple of int
        Shape of the predictions, (..., k).
    meaning : {"classes", "labels", "values"}
        Allowed values in a row: numbers >= 0; numbers in [0, 1]; any finite numbers.

    Returns
    -------
    array
        (...,) of intp, or (..., k) of floats; the dtype distinguishes the two.

    Raises
    ------
    ShapeError
        If the shape is neither of the two.
    LabelError
        If an entry is out of range or not finite.
    """
    *rows, k = shape
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
    if T.shape == tuple(rows) and meaning != "classes" and k == 1:
        T = T[..., None]
    if T.shape == tuple(rows):
        return _check_indices(T, k)
    if T.shape == shape:
        return _check_rows(as_floating(T, "Y"), meaning)
    column = " Pass y.ravel(): a column would broadcast against every class." if T.shape == (*rows, 1) else ""
    raise ShapeError(f"Labels have shape {T.shape}, expected {tuple(rows)} class indices or {shape} rows.{column}")


def as_rows(T: Array, k: int, label_smoothing: float = 0.0) -> Array:
    """Return a checked target as rows, smoothed.

    ::

        Y' = (1 - s) Y + s rowsum(Y) / k

    Parameters
    ----------
    T : array
        The target, as returned by `check_target`.
    k : int
        Number of classes.
    label_smoothing : float in [0, 1], default=0
        The share s of each row that is spread evenly over the classes; the row's sum stays the same.

    Returns
    -------
    Y : (..., k) array of floats

    Notes
    -----
    Source: Szegedy et al., "Rethinking the Inception architecture" (2016), section 7.
    """
    if T.dtype.kind == "i":
        Y = np.zeros((*T.shape, k))
        np.put_along_axis(Y, T[..., None], 1.0, axis=-1)
    else:
        Y = T
    if label_smoothing == 0:
        return Y
    return (1 - label_smoothing) * Y + label_smoothing * Y.sum(axis=-1, keepdims=True) / k


def check_smoothing(label_smoothing: float) -> None:
    """Raise an error if `label_smoothing` is not a number in [0, 1]."""
    between("label_smoothing", label_smoothing, 0, 1, open_above=False)


def check_weights(sample_weight: npt.ArrayLike | None, rows: tuple[int, ...]) -> Array | None:
    """Return the sample weights as floats, one for each row, or raise with the first row at fault.

    Parameters
    ----------
    sample_weight : (...,) array_like or None
        One number >= 0 for each row; None means that every weight is 1.
    rows : tuple of int
        The expected shape: the shape of the predictions without the last axis.

    Returns
    -------
    (...,) array of float64, or None
    """
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
    """Weight the losses of the rows and reduce them.

    ::

        mean: sum_i w_i L_i / sum_i w_i        sum: sum_i w_i L_i        none: w_i L_i

    Parameters
    ----------
    L : (...,) array
        One loss for each row.
    w : (...,) array or None
        Sample weights. A row of weight 0 is absent, whatever its loss.
    reduction : {"mean", "sum", "none"}
        Reduction over the rows. The mean of no rows, or with weights that sum to 0, is NaN, as in NumPy and PyTorch.

    Returns
    -------
    scalar, or (...,) array for "none"
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
    """Pull dL back through `reduce_rows`: return the factor of each row's own derivative.

    Parameters
    ----------
    dL : scalar, or (...,) array for reduction "none"
        Derivative, with respect to the reduced loss, of whatever is computed from it; 1 for the gradient of the loss.
    w, reduction
        As for `reduce_rows`.
    predictions : (..., k) array
        The shape of the predictions without its last axis is the shape of the losses; their dtype sets the precision
        of the factors.

    Returns
    -------
    (..., 1) array
        The shape broadcasts against (..., k) derivatives.
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
    """Multiply each row's derivative by its factor; a row of factor 0 is absent, whatever its derivative.

    Parameters
    ----------
    factors : (..., 1) array
        From `row_factors`.
    derivatives : (..., k) array
        Rows whose factor is 0 may hold inf or NaN.

    Returns
    -------
    (..., k) array
    """
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(factors == 0, 0, factors * derivatives)


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
    if meaning == "classes":
        good, expected = np.isfinite(Y) & (Y >= 0), "a finite number >= 0"
    elif meaning == "labels":
        good, expected = (Y >= 0) & (Y <= 1), "a number from 0 to 1"
    else:
        good, expected = np.isfinite(Y), "a finite number"
    if not good.all():
        where = _first(~good)
        raise LabelError(f"Label{_place(where[:-1])}, class {where[-1]}, is {Y[where]:g}, expected {expected}.")
    return Y.astype(summing_dtype(Y.dtype), copy=False)


def _first(bad: Array) -> tuple[int, ...]:
    where = np.unravel_index(int(np.argmax(bad)), bad.shape)
    return tuple(int(i) for i in where)


def _place(where: tuple[int, ...]) -> str:
    return f" of row {where[0] if len(where) == 1 else where}" if where else ""
