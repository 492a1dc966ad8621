"""Calibration: logits corrected by a few numbers that are fitted to rows which the network has not seen.

::

    C = s Z + Z M + c

with a scale s > 0 (its reciprocal is called the temperature), a bias c for each class, and a matrix M; bias and matrix
are optional. The probabilities are softmax(C). The correction is a last affine layer, and its gradient is that of a
layer: with dC = dL/dC, which is ``(P - Y)/n`` under softmax and cross-entropy::

    ds = sum_ic dC_ic Z_ic        dc = column sums of dC        dM = Z^T dC        dZ = s dC + dC M^T

Source: Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks" (2017), section 4.2: temperature
scaling, vector scaling and matrix scaling.
"""

import numpy as np

from .arrays import Array

__all__ = ["calibrated_logits", "calibrated_logits_vjp"]


def calibrated_logits(Z: Array, scale: float, bias: Array | None = None, matrix: Array | None = None) -> Array:
    """Return the corrected logits.

    ::

        C = s Z + Z M + c

    Parameters
    ----------
    Z : (n, k) array
        Logits.
    scale : float
        s; the reciprocal of the temperature.
    bias : (k,) array, optional
        c; zeros by default.
    matrix : (k, k) array, optional
        M; zeros by default.

    Returns
    -------
    C : (n, k) array
        Of the dtype of Z.

    Notes
    -----
    Cost: a flop for each logit, one more with a bias, and 2 k more with a matrix.

    Examples
    --------
    >>> calibrated_logits(np.array([[1.0, 3.0]]), 0.5, bias=np.array([0.25, 0.0]))
    array([[0.75, 1.5 ]])
    """
    C: Array = Z * float(scale)
    if matrix is not None:
        C += Z @ matrix.astype(Z.dtype, copy=False)
    if bias is not None:
        C += bias.astype(Z.dtype, copy=False)
    return C


def calibrated_logits_vjp(
    dC: Array, Z: Array, scale: float, bias: Array | None = None, matrix: Array | None = None
) -> tuple[Array, float, Array | None, Array | None]:
    """Pull dL/dC back through C = s Z + Z M + c.

    ::

        dZ = s dC + dC M^T      ds = sum_ic dC_ic Z_ic      dc = column sums of dC      dM = Z^T dC

    Parameters
    ----------
    dC : (n, k) array
        Derivative of the loss with respect to the corrected logits.
    Z, scale, bias, matrix
        Arguments of `calibrated_logits`.

    Returns
    -------
    dZ : (n, k) array
    dscale : float
    dbias : (k,) array, or None without a bias
    dmatrix : (k, k) array, or None without a matrix

    Notes
    -----
    Cost: 4 flops for each logit, and 4 k more with a matrix.

    Examples
    --------
    >>> dZ, dscale, dbias, _ = calibrated_logits_vjp(np.array([[1.0, -1.0]]), np.array([[1.0, 3.0]]), 0.5, np.zeros(2))
    >>> dZ, dscale, dbias
    (array([[ 0.5, -0.5]]), -2.0, array([ 1., -1.]))
    """
    dZ = dC * float(scale)
    if matrix is not None:
        dZ += dC @ matrix.T.astype(dC.dtype, copy=False)
    dscale = float(np.einsum("ic,ic->", dC, Z))
    return dZ, dscale, None if bias is None else dC.sum(axis=0), None if matrix is None else Z.T @ dC
