"""Candidate cross-entropy of probabilities: the class of a row is one of several candidates."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, summing_dtype
from ..targets import Reduction, as_rows, reduce_rows, reduce_rows_vjp
from .loss import Loss, read

__all__ = ["candidate_cross_entropy", "candidate_cross_entropy_vjp"]


def candidate_cross_entropy(
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Compute the negative logarithm of the probability that each row gives to its candidates together.

    ::

        L_i = - log sum_c S_ic P_ic            S_ic = 1 for the candidates of row i, 0 for the other classes

    Parameters
    ----------
    P : (..., k) array
        Probabilities >= 0; where all candidates have probability 0 the loss is inf.
    target : (...,) or (..., k) array
        Class indices 0..k-1, each a set of one class, or rows S of 0 and 1 with at least one 1.
    sample_weight, reduction
        As for `cross_entropy`; the errors raised are the same.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0 for rows of P that sum to at most 1; in float64 whatever the dtype of P.

    Notes
    -----
    Cost: k additions and one logarithm for each row. If you have the logits, use `softmax_candidate_cross_entropy`: it
    keeps the digits that P has lost.
    Source: Jin & Ghahramani, "Learning with multiple labels" (2002), section 2; Cour, Sapp & Taskar (2011).

    Examples
    --------
    >>> float(candidate_cross_entropy([[0.25, 0.5, 0.25]], [[1, 0, 1]]).round(6))    # log 2
    0.693147
    """
    P, T, w = read("P", P, target, "candidates", sample_weight)
    return reduce_rows(candidate_cross_entropy_rows(P, T), w, reduction)


def candidate_cross_entropy_vjp(
    dL: npt.ArrayLike,
    P: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through the candidate cross-entropy of probabilities.

    ::

        dP_ic = - S_ic / sum_m S_im P_im  (times dL w_i / sum w)

    Parameters
    ----------
    dL
        As for `cross_entropy_vjp`.
    P, target, sample_weight, reduction
        As for `candidate_cross_entropy`.

    Returns
    -------
    dP : (..., k) array
        dL/dP: the same number for each candidate of a row.

    Notes
    -----
    Cost: k additions and one division for each row; keeps P.
    Source: the derivative of -log, by the chain rule.

    Examples
    --------
    >>> candidate_cross_entropy_vjp(1.0, [[0.25, 0.5, 0.25]], [[1, 0, 1]])
    array([[-2.,  0., -2.]])
    """
    P, T, w = read("P", P, target, "candidates", sample_weight)
    return reduce_rows_vjp(dL, w, reduction, P, candidate_cross_entropy_dP(P, T))


# The formulas for each row, on checked input: T is indices (...,) or rows (..., k) of 0 and 1.


def candidate_cross_entropy_rows(P: Array, T: Array) -> Array:
    """- log sum_c S_c P_c."""
    P = P.astype(summing_dtype(P.dtype), copy=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.log(_of_candidates(P, T)[..., 0])


def candidate_cross_entropy_dP(P: Array, T: Array) -> Array:
    """- S_c / sum_m S_m P_m."""
    S = as_rows(T, P.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(S == 0, 0, -S / _of_candidates(P, T))


def candidate_cross_entropy_second(P: Array, T: Array, RP: Array) -> Array:
    """S_c (sum_m S_m RP_m) / (sum_m S_m P_m)^2: the second derivative is a matrix of rank one for each row."""
    S = as_rows(T, P.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(S == 0, 0, S * _of_candidates(RP, T) / _of_candidates(P, T) ** 2)


def _of_candidates(V: Array, T: Array) -> Array:
    """sum_c S_c V_c, (..., 1); NaN where the row has one."""
    S = as_rows(T, V.shape[-1])
    with np.errstate(invalid="ignore"):
        total: Array = np.where((S == 0) & ~np.isnan(V), 0, V).sum(axis=-1, keepdims=True)
    return total


CANDIDATE_CROSS_ENTROPY = Loss(
    "candidates", candidate_cross_entropy_rows, candidate_cross_entropy_dP, candidate_cross_entropy_second
)
