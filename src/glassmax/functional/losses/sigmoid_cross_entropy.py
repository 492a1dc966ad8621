"""Sigmoid and binary cross-entropy fused: the loss of one logit for each label."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..activations import sigmoid, softplus
from ..arrays import Array, summing_dtype
from ..targets import Reduction, as_rows, reduce_rows, reduce_rows_vjp
from .loss import read

__all__ = ["sigmoid_cross_entropy", "sigmoid_cross_entropy_vjp"]


def sigmoid_cross_entropy(
    Z: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Compute the binary cross-entropy of sigmoid from the logits, one for each label.

    ::

        L_i = sum_c [Y_ic softplus(-Z_ic) + (1 - Y_ic) softplus(Z_ic)]

    Parameters
    ----------
    Z : (..., k) array
        Logits: any real numbers.
    target, sample_weight, reduction
        As for `binary_cross_entropy`; the errors raised are the same.

    Returns
    -------
    L : float64, or (...,) array for reduction "none"
        >= 0; in float64 whatever the dtype of Z.

    Notes
    -----
    Cost: two exponentials and two logarithms for each entry. Both terms are >= 0: nothing cancels.
    Source: Bishop (2006), equation 5.22 with y = sigmoid(a).

    Examples
    --------
    >>> float(sigmoid_cross_entropy([[0.0, 0.0]], [[1, 0]]))    # 2 log 2
    1.3862943611198906
    """
    Z, T, w = read("Z", Z, target, "labels", sample_weight)
    return reduce_rows(sigmoid_cross_entropy_rows(Z, T), w, reduction)


def sigmoid_cross_entropy_vjp(
    dL: npt.ArrayLike,
    Z: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Pull dL back through sigmoid and binary cross-entropy together, to the logits.

    ::

        dZ_ic = sigmoid(Z_ic) - Y_ic  (times dL w_i / sum w)

    Parameters
    ----------
    dL
        As for `cross_entropy_vjp`.
    Z, target, sample_weight, reduction
        As for `sigmoid_cross_entropy`.

    Returns
    -------
    dZ : (..., k) array
        dL/dZ.

    Notes
    -----
    Cost: two exponentials for each entry; keeps Z. Computed as ``(1 - Y) sigmoid(Z) - Y sigmoid(-Z)``.
    Source: Bishop (2006), section 5.2: the canonical link, equation 5.18.

    Examples
    --------
    >>> sigmoid_cross_entropy_vjp(1.0, [[0.0, 0.0]], [[1, 0]])
    array([[-0.5,  0.5]])
    """
    Z, T, w = read("Z", Z, target, "labels", sample_weight)
    return reduce_rows_vjp(dL, w, reduction, Z, sigmoid_cross_entropy_dZ(Z, T))


# The formulas for each row, on checked input: T is indices (...,) or rows (..., k).


def sigmoid_cross_entropy_rows(Z: Array, T: Array) -> Array:
    """sum_c [Y_c softplus(-Z_c) + (1 - Y_c) softplus(Z_c)]."""
    Z = Z.astype(summing_dtype(Z.dtype), copy=False)
    Y = as_rows(T, Z.shape[-1])
    with np.errstate(invalid="ignore"):
        return (np.where(Y == 0, 0, Y * softplus(-Z)) + np.where(Y == 1, 0, (1 - Y) * softplus(Z))).sum(axis=-1)


def sigmoid_cross_entropy_dZ(Z: Array, T: Array) -> Array:
    """(1 - Y_c) sigmoid(Z_c) - Y_c sigmoid(-Z_c), which is sigmoid(Z_c) - Y_c."""
    Z = Z.astype(summing_dtype(Z.dtype), copy=False)
    Y = as_rows(T, Z.shape[-1])
    return (1 - Y) * sigmoid(Z) - Y * sigmoid(-Z)
