"""Squared error of predictions."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, summing_dtype
from ..targets import Reduction, as_rows, reduce_rows, reduce_rows_vjp
from .loss import Loss, read

__all__ = ["squared_error", "squared_error_vjp"]


def squared_error(
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    factor: float = 0.5,
    reduction: Reduction = "mean",
) -> Array:
    """Compute half the squared distance of each row to its target.

    ::

        L_i = factor sum_c (P_ic - Y_ic)^2

    Parameters
    ----------
    P : (..., k) array
        Predictions: probabilities or any other numbers.
    target : (...,) or (..., k) array
        Class indices (read as one-hot rows), or rows of any finite numbers. For k = 1, (...,) is the column.
    factor : float, default=0.5
        The factor of the sum of squares: with 1/2 the derivative is P - Y, with 1 it is 2 (P - Y).
    sample_weight, reduction
        As for `cross_entropy`; the errors raised are the same.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0; in float64 whatever the dtype of P.

    Notes
    -----
    Cost: 3 flops for each entry. The sum runs over the classes, the mean over the rows alone.
    Source: Bishop (2006), equation 5.11, divided by the number of rows.

    Examples
    --------
    >>> float(squared_error([[0.5, 0.5]], [0]))
    0.25
    """
    P, T, w = read("P", P, target, "values", sample_weight)
    return reduce_rows(squared_error_rows(P, T, factor), w, reduction)


def squared_error_vjp(
    dL: npt.ArrayLike,
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    factor: float = 0.5,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through the squared error.

    ::

        dP_ic = 2 factor (P_ic - Y_ic)  (times dL w_i / sum w)

    Parameters
    ----------
    dL
        As for `cross_entropy_vjp`.
    P, target, sample_weight, factor, reduction
        As for `squared_error`.

    Returns
    -------
    dP : (..., k) array
        dL/dP. Under softmax, dL/dZ is ``softmax_vjp(dP, P)``, not dP.

    Notes
    -----
    Cost: 2 flops for each entry; keeps P.
    Source: Bishop (2006), section 5.2.1.

    Examples
    --------
    >>> squared_error_vjp(1.0, [[0.5, 0.5]], [0])
    array([[-0.5,  0.5]])
    """
    P, T, w = read("P", P, target, "values", sample_weight)
    return reduce_rows_vjp(dL, w, reduction, P, squared_error_dP(P, T, factor))


# The formulas for each row, on checked input: T is indices (...,) or rows (..., k).


def squared_error_rows(P: Array, T: Array, factor: float = 0.5) -> Array:
    """factor sum_c (P_c - Y_c)^2."""
    P = P.astype(summing_dtype(P.dtype), copy=False)
    error = P - as_rows(T, P.shape[-1])
    with np.errstate(over="ignore"):
        return factor * (error * error).sum(axis=-1)


def squared_error_dP(P: Array, T: Array, factor: float = 0.5) -> Array:
    """2 factor (P_c - Y_c)."""
    return 2 * factor * (P - as_rows(T, P.shape[-1]))


def squared_error_second(P: Array, T: Array, RP: Array) -> Array:
    """RP_c, for the factor 1/2."""
    return RP


SQUARED_ERROR = Loss("values", squared_error_rows, squared_error_dP, squared_error_second)
