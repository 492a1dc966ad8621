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

from .arrays import Array

__all__ = ["calibrated_logits", "calibrated_logits_vjp"]


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
