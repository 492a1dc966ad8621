"""Softmax and cross-entropy fused: the loss of logits."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, log1p, pick, put
from ..softmax import Exponentials, exponentials
from ..targets import Reduction, reduce_rows, reduce_rows_vjp
from .loss import read

__all__ = ["softmax_cross_entropy", "softmax_cross_entropy_vjp"]


def softmax_cross_entropy(
    Z: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
    """Compute the cross-entropy of softmax from the logits.

    ::

        L_i = - sum_c Y_ic log softmax(Z_i)_c = sum_c Y_ic (max_m Z_im - Z_ic + log1p(others_i))

    with ``others_i`` the sum of exp(Z_im - max) without the largest term.

    Parameters
    ----------
    Z : (..., k) array
        Logits: any real numbers. A true class at -inf costs inf; a row with a NaN is NaN.
    target, sample_weight, label_smoothing, reduction
        As for `cross_entropy`; the errors raised are the same.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0; in float64 whatever the dtype of Z.

    Notes
    -----
    Cost: about 4 k flops, k exponentials and one logarithm for each row. Every term of the sum is >= 0, so nothing
    cancels: a loss of 1e-30 is right to the last digits, where log(sum of exponentials) returns 0.
    Source: Bishop (2006), equations 4.104 and 4.108; the form: Blanchard, Higham & Higham (2021).

    Examples
    --------
    >>> float(softmax_cross_entropy([[0.0, np.log(3.0)]], [1]).round(6))    # log 4/3
    0.287682
    >>> loss = softmax_cross_entropy(np.array([[40.0, 0.0]], dtype="float32"), [0])    # exp(-40), not 0
    >>> f"{loss:.6e}"
    '4.248354e-18'
    """
    Z, T, w = read("Z", Z, target, "classes", sample_weight, label_smoothing)
    return reduce_rows(softmax_cross_entropy_rows(exponentials(Z), T), w, reduction)


def softmax_cross_entropy_vjp(
    dL: npt.ArrayLike,
    Z: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through softmax and cross-entropy together, to the logits.

    ::

        dZ_i = (P_i rowsum(Y_i) - Y_i)  (times dL w_i / sum w)

    which for rows that sum to 1 is the well-known ``(P - Y)/n``.

    Parameters
    ----------
    dL
        As for `cross_entropy_vjp`.
    Z, target, sample_weight, label_smoothing, reduction
        As for `softmax_cross_entropy`.

    Returns
    -------
    dZ : (..., k) array
        dL/dZ; each row sums to 0.

    Notes
    -----
    Cost: 4 flops and one exponential for each entry; keeps Z. Computed as ``P (rowsum(Y) - Y) - Y (1 - P)``, where
    1 - P is the sum of the other probabilities, so that the true class keeps its digits where P is close to 1.
    Source: Bishop (2006), equation 4.109; for any row sum: -Y/P through the softmax Jacobian.

    Examples
    --------
    >>> softmax_cross_entropy_vjp(1.0, [[0.0, np.log(3.0)]], [1])
    array([[ 0.25, -0.25]])
    >>> softmax_cross_entropy_vjp(1.0, [[0.0, np.log(3.0)]], [[1, 1]])    # a row that sums to 2
    array([[-0.5,  0.5]])
    """
    Z, T, w = read("Z", Z, target, "classes", sample_weight, label_smoothing)
    return reduce_rows_vjp(dL, w, reduction, Z, softmax_cross_entropy_dZ(exponentials(Z), T))


# The formulas for each row, on checked input: T is indices (...,) or rows (..., k).


def softmax_cross_entropy_rows(pieces: Exponentials, T: Array) -> Array:
    """sum_c Y_c (log1p(others) - shift_c): a sum of terms that are all >= 0."""
    if T.dtype.kind == "i":
        return log1p(pieces.others)[..., 0] - pick(pieces.shift, T)
    with np.errstate(invalid="ignore"):
        L = np.where(T == 0, 0, T * (log1p(pieces.others) - pieces.shift)).sum(axis=-1)
        return L + 0 * pieces.others[..., 0]  # NaN where the row is, though Y be 0 all along it


def softmax_cross_entropy_dZ(pieces: Exponentials, T: Array) -> Array:
    """P_c (rowsum(Y) - Y_c) - Y_c (1 - P_c), which is P_c rowsum(Y) - Y_c without its cancellation."""
    P = pieces.P
    if T.dtype.kind == "i":
        others = pieces.others[..., 0]
        dZ = P.copy()
        put(dZ, T, -np.where(pieces.top == T, others / (1 + others), 1 - pick(P, T)))
        return dZ
    return P * (T.sum(axis=-1, keepdims=True) - T) - T * pieces.not_P
