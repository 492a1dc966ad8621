"""The L2 penalty on weights."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating, summing_dtype

__all__ = ["l2", "l2_vjp"]


def l2(W: npt.ArrayLike, strength: float) -> Array:
    """Compute the L2 penalty: half the sum of the squared weights, times `strength`.

    ::

        strength/2 sum_kj W_kj^2

    Parameters
    ----------
    W : array of any shape
        Weights. By convention, biases are not penalized, so don't pass them.
    strength : float
        Penalty strength, >= 0. The unit is loss per squared weight.

    Returns
    -------
    float64
        >= 0.

    Notes
    -----
    Cost: 2 flops for each entry.
    Source: Bishop (2006), equation 5.112.

    Examples
    --------
    >>> float(l2([[3.0, 4.0]], 0.1))
    1.25
    """
    W = as_floating(W, "W")
    W = W.astype(summing_dtype(W.dtype), copy=False)
    with np.errstate(over="ignore"):
        return np.multiply(strength / 2, (W * W).sum())


def l2_vjp(dL: npt.ArrayLike, W: npt.ArrayLike, strength: float) -> Array:
    """Pull dL back through the penalty.

    ::

        dW = strength W  (times dL)

    Parameters
    ----------
    dL : float
        Derivative, with respect to the penalty, of whatever is computed from it; 1 for the gradient of the penalty.
    W, strength
        As for `l2`.

    Returns
    -------
    dW : array
        Shape of W.

    Notes
    -----
    Cost: 1 flop for each entry; keeps W.
    Source: Bishop (2006), section 5.5.

    Examples
    --------
    >>> l2_vjp(1.0, [[3.0, 4.0]], 0.1)
    array([[0.3, 0.4]])
    """
    W = as_floating(W, "W")
    return (as_floating(dL, "dL") * strength * W).astype(W.dtype, copy=False)
