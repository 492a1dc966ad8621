"""Cross-entropy of probabilities."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, pick, summing_dtype
from ..targets import Reduction, as_rows, reduce_rows, reduce_rows_vjp
from .loss import Loss, read

__all__ = ["cross_entropy", "cross_entropy_vjp"]


def cross_entropy(
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
    """Compute the negative logarithm of the probability that each row gives to its class.

    ::

        L_i = - sum_c Y_ic log P_ic            0 log 0 = 0

    Parameters
    ----------
    P : (..., k) array
        Probabilities > 0; where a class with Y_ic > 0 has P_ic = 0 the loss is inf.
    target : (...,) or (..., k) array
        Class indices 0..k-1, or rows of numbers >= 0 with any row sum (one-hot, soft).
    sample_weight : (...,) array or None, default=None
        One number w_i >= 0 for each row; None means that every weight is 1.
    label_smoothing : float in [0, 1], default=0
        The share of each target row that is spread evenly over the classes.
    reduction : {"mean", "sum", "none"}, default="mean"
        ``sum_i w_i L_i / sum_i w_i``, ``sum_i w_i L_i``, or every ``w_i L_i``.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0 for P <= 1; in float64 whatever the dtype of P.

    Raises
    ------
    ShapeError, LabelError, OptionError
        Before any arithmetic, naming the first row at fault.

    Notes
    -----
    Cost: one logarithm for each entry with Y_ic > 0. If you have the logits, use `softmax_cross_entropy`: it keeps the
    digits that P has lost.
    Source: Bishop (2006), equation 4.108.

    Examples
    --------
    >>> float(cross_entropy([[0.5, 0.5], [0.2, 0.8]], [0, 1]).round(6))    # (log 2 - log 0.8) / 2
    0.458145
    """
    P, T, w = read("P", P, target, "classes", sample_weight, label_smoothing)
    return reduce_rows(cross_entropy_rows(P, T), w, reduction)


def cross_entropy_vjp(
    dL: npt.ArrayLike,
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through the cross-entropy of probabilities.

    ::

        dP_ic = - Y_ic / P_ic  (times dL w_i / sum w)         0 / 0 = 0

    Parameters
    ----------
    dL : float, or (...,) array for reduction "none"
        Derivative, with respect to L, of whatever is computed from L; 1 for the gradient of L itself.
    P, target, sample_weight, label_smoothing, reduction
        As for `cross_entropy`.

    Returns
    -------
    dP : (..., k) array
        dL/dP. It is not dL/dZ: `softmax_vjp` takes it on to the logits.

    Notes
    -----
    Cost: one division for each entry; keeps P.
    Source: the derivative of -log; Bishop (2006), section 4.3.4.

    Examples
    --------
    >>> cross_entropy_vjp(1.0, [[0.5, 0.5], [0.2, 0.8]], [0, 1])
    array([[-1.   ,  0.   ],
           [ 0.   , -0.625]])
    """
    P, T, w = read("P", P, target, "classes", sample_weight, label_smoothing)
    return reduce_rows_vjp(dL, w, reduction, P, cross_entropy_dP(P, T))


# The formulas for each row, on checked input: T is indices (...,) or rows (..., k).


def cross_entropy_rows(P: Array, T: Array) -> Array:
    """- sum_c Y_c log P_c."""
    P = P.astype(summing_dtype(P.dtype), copy=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        if T.dtype.kind == "i":
            return -np.log(pick(P, T))
        return -np.where(T == 0, 0, T * np.log(P)).sum(axis=-1)


def cross_entropy_dP(P: Array, T: Array) -> Array:
    """- Y_c / P_c."""
    with np.errstate(divide="ignore", invalid="ignore"):
        Y = as_rows(T, P.shape[-1])
        return np.where(Y == 0, 0, -Y / P)


def cross_entropy_second(P: Array, T: Array, RP: Array) -> Array:
    """Y_c / P_c^2 RP_c: the loss is a sum over the classes, so its second derivative by P is diagonal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        Y = as_rows(T, P.shape[-1])
        return np.where(Y == 0, 0, Y / (P * P)) * RP


CROSS_ENTROPY = Loss("classes", cross_entropy_rows, cross_entropy_dP, cross_entropy_second)
