"""Binary cross-entropy of probabilities."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, log1p, summing_dtype
from ..targets import Reduction, as_rows, reduce_rows, reduce_rows_vjp
from .loss import Loss, read

__all__ = ["binary_cross_entropy", "binary_cross_entropy_vjp"]


def binary_cross_entropy(
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Compute the cross-entropy of k independent yes-or-no questions for each row.

    ::

        L_i = - sum_c [Y_ic log P_ic + (1 - Y_ic) log(1 - P_ic)]            0 log 0 = 0

    Parameters
    ----------
    P : (..., k) array
        Probabilities in [0, 1], one for each label.
    target : (...,) or (..., k) array
        Class indices (read as one-hot rows), or rows of numbers in [0, 1], one for each label. For k = 1,
        (...,) is the column.
    sample_weight, reduction
        As for `cross_entropy`; the errors raised are the same.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0; in float64 whatever the dtype of P.

    Notes
    -----
    Cost: two logarithms for each entry. The sum runs over the labels, the mean over the rows.
    Source: Bishop (2006), equation 5.22.

    Examples
    --------
    >>> float(binary_cross_entropy([[0.5, 0.5]], [[1, 0]]))    # 2 log 2
    1.3862943611198906
    """
    P, T, w = read("P", P, target, "labels", sample_weight)
    return reduce_rows(binary_cross_entropy_rows(P, T), w, reduction)


def binary_cross_entropy_vjp(
    dL: npt.ArrayLike,
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through the binary cross-entropy of probabilities.

    ::

        dP_ic = (1 - Y_ic) / (1 - P_ic) - Y_ic / P_ic  (times dL w_i / sum w)         0 / 0 = 0

    Parameters
    ----------
    dL
        As for `cross_entropy_vjp`.
    P, target, sample_weight, reduction
        As for `binary_cross_entropy`.

    Returns
    -------
    dP : (..., k) array
        dL/dP.

    Notes
    -----
    Cost: two divisions for each entry; keeps P.
    Source: Bishop (2006), section 5.2, the derivative of equation 5.22.

    Examples
    --------
    >>> binary_cross_entropy_vjp(1.0, [[0.5, 0.75]], [[1, 0]])
    array([[-2.,  4.]])
    """
    P, T, w = read("P", P, target, "labels", sample_weight)
    return reduce_rows_vjp(dL, w, reduction, P, binary_cross_entropy_dP(P, T))


# The formulas for each row, on checked input: T is indices (...,) or rows (..., k).


def binary_cross_entropy_rows(P: Array, T: Array) -> Array:
    """- sum_c [Y_c log P_c + (1 - Y_c) log(1 - P_c)]."""
    P = P.astype(summing_dtype(P.dtype), copy=False)
    Y = as_rows(T, P.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.where(Y == 0, 0, Y * np.log(P))
        no = np.where(Y == 1, 0, (1 - Y) * log1p(-P))
    return -(yes + no).sum(axis=-1)


def binary_cross_entropy_dP(P: Array, T: Array) -> Array:
    """(1 - Y_c) / (1 - P_c) - Y_c / P_c."""
    Y = as_rows(T, P.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(Y == 1, 0, (1 - Y) / (1 - P)) - np.where(Y == 0, 0, Y / P)


def binary_cross_entropy_second(P: Array, T: Array, RP: Array) -> Array:
    """(Y_c / P_c^2 + (1 - Y_c) / (1 - P_c)^2) RP_c."""
    with np.errstate(divide="ignore", invalid="ignore"):
        Y = as_rows(T, P.shape[-1])
        return (np.where(Y == 0, 0, Y / (P * P)) + np.where(Y == 1, 0, (1 - Y) / ((1 - P) * (1 - P)))) * RP


BINARY_CROSS_ENTROPY = Loss("labels", binary_cross_entropy_rows, binary_cross_entropy_dP, binary_cross_entropy_second)
