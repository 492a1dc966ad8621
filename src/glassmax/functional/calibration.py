"""Calibration: logits corrected by a few numbers that are fitted to rows which the networks were not trained on.

::

    C = s Z + c

with a scale s > 0 (its reciprocal is called the temperature) and a bias c of each class. The probabilities are
softmax(C). Under the cross-entropy, with dC = dL/dC = ``(P - Y)/n``::

    ds = sum_ic dC_ic Z_ic        dc = column sums of dC        dZ = s dC

Source: Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks" (2017), section 4.2, "temperature
scaling"; the bias of each class as in the "vector scaling" there.
"""

import numpy as np

from .arrays import Array, blocks_of_rows
from .losses.softmax_candidate_cross_entropy import (
    softmax_candidate_cross_entropy_dZ,
    softmax_candidate_cross_entropy_R_dZ,
    softmax_candidate_cross_entropy_rows,
)
from .softmax import exponentials

__all__ = ["calibrated_logits", "calibrated_logits_vjp", "scaled_cross_entropy"]


def calibrated_logits(Z: Array, scale: float, bias: Array | None = None) -> Array:
    """Return the corrected logits.

    ::

        C = s Z + c

    Parameters
    ----------
    Z : (n, k) array
        Logits.
    scale : float
        s; the reciprocal of the temperature.
    bias : (k,) array, optional
        c; zeros by default.

    Returns
    -------
    C : (n, k) array
        Of the dtype of Z.

    Notes
    -----
    Cost: a flop for each logit, and one more with a bias.

    Examples
    --------
    >>> calibrated_logits(np.array([[1.0, 3.0]]), 0.5, bias=np.array([0.25, 0.0]))
    array([[0.75, 1.5 ]])
    """
    C: Array = Z * Z.dtype.type(scale)
    if bias is not None:
        C += bias.astype(Z.dtype, copy=False)
    return C


def calibrated_logits_vjp(dC: Array, Z: Array, scale: float) -> tuple[Array, float, Array]:
    """Pull dL/dC back through C = s Z + c.

    ::

        dZ = s dC        ds = sum_ic dC_ic Z_ic        dc = column sums of dC

    Parameters
    ----------
    dC : (n, k) array
        Derivative of the loss with respect to the corrected logits.
    Z, scale
        Arguments of `calibrated_logits`.

    Returns
    -------
    dZ : (n, k) array
    dscale : float
    dbias : (k,) array

    Notes
    -----
    Cost: 4 flops for each logit.

    Examples
    --------
    >>> dZ, dscale, dbias = calibrated_logits_vjp(np.array([[1.0, -1.0]]), np.array([[1.0, 3.0]]), 0.5)
    >>> dZ, dscale, dbias
    (array([[ 0.5, -0.5]]), -2.0, array([ 1., -1.]))
    """
    return dC * dC.dtype.type(scale), float(np.einsum("ic,ic->", dC, Z)), dC.sum(axis=0)


def scaled_cross_entropy(a: float, Z: Array, y: Array, w: Array) -> tuple[float, float, float]:
    """Compute the weighted mean cross-entropy of scaled logits, and its first and second derivatives.

    ::

        L = sum_i w_i CE(softmax(s Z_i), y_i) / sum_i w_i        s = exp(a)
        dL/da = s sum_i w_i <dZ_i, Z_i> / sum_i w_i        dZ_i = P_i - Y_i
        d2L/da2 = dL/da + s^2 sum_i w_i <Z_i, H_i Z_i> / sum_i w_i        H_i = J(P_i)

    Of a row of candidates, CE is the candidate cross-entropy, Y_i softmax over the candidates, and H_i is J(P_i) -
    J(Y_i).

    Parameters
    ----------
    a : float
        Logarithm of the scale; -a is that of the temperature.
    Z : (n, k) array
        Logits.
    y : (n,) array of int, or (n, k) array of 0 and 1
        Class indices, or the candidates of each row.
    w : (n,) array
        >= 0, and not all 0.

    Returns
    -------
    loss, slope, curvature : float

    Notes
    -----
    Cost: softmax, its product with the Jacobian, and 4 flops for each logit. In float64, block by block.

    Examples
    --------
    >>> Z, y = np.array([[1.0, 0.0]]), np.array([0])
    >>> p = 1 / (1 + np.exp(-1))
    >>> np.allclose(scaled_cross_entropy(0.0, Z, y, np.ones(1)), [-np.log(p), p - 1, p - 1 + p * (1 - p)])
    True
    """
    s, share = float(np.exp(a)), w / w.sum()
    loss = slope = curvature = 0.0
    for rows in blocks_of_rows(Z):
        block = Z[rows].astype(np.float64, copy=False)
        pieces = exponentials(s * block)
        loss += float(share[rows] @ softmax_candidate_cross_entropy_rows(pieces, y[rows]))
        dZ = softmax_candidate_cross_entropy_dZ(pieces, y[rows])
        slope += s * float(share[rows] @ np.einsum("ic,ic->i", dZ, block))
        R_dZ = softmax_candidate_cross_entropy_R_dZ(pieces, y[rows], block)
        curvature += s * s * float(share[rows] @ np.einsum("ic,ic->i", R_dZ, block))
    return loss, slope, slope + curvature
