"""Mish: Z weighted by the tanh of its softplus."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating
from .activation import pair, quiet
from .sigmoid import sigmoid
from .softplus import softplus
from .tanh import sech2

__all__ = ["mish", "mish_second", "mish_vjp"]


@quiet
def mish(Z: npt.ArrayLike) -> Array:
    """Multiply Z by tanh(softplus(Z)).

    ::

        f(z) = z t(z)          t = tanh(softplus(z)),  u = t' = (1 - t^2) s(z),  s = sigmoid

    Parameters
    ----------
    Z : array of any shape
        The input of the layer's activation.

    Returns
    -------
    A : array
        In [-0.31, inf); shape and dtype of Z.

    Notes
    -----
    Cost for each entry: two exponentials, one logarithm, one tanh.
    Source: Misra, "Mish: a self regularized non-monotonic activation function" (2020), equation 1;
    derivatives by the product and chain rules.

    Examples
    --------
    >>> mish([0.0, 1.0]).round(4)
    array([0.    , 0.8651])
    >>> mish_second([-1.0, 2.0]).round(4)
    array([ 0.3497, -0.0577])
    """
    Z = as_floating(Z, "Z")
    return Z * np.tanh(softplus(Z))


@quiet
def mish_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = mish(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = t + z u

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `mish`: Z, not A.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> mish_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.0592, 1.0693])
    """
    dA, Z = pair(dA, Z)
    t, s = np.tanh(softplus(Z)), sigmoid(Z)
    return dA * (t + Z * sech2(softplus(Z)) * s)


@quiet
def mish_second(Z: npt.ArrayLike) -> Array:
    """Return f''(z) = 2 u + z u', with u' = (1 - t^2) (s(z) s(-z) - 2 t s(z)^2) and the letters of `mish`."""
    Z = as_floating(Z, "Z")
    t, s = np.tanh(softplus(Z)), sigmoid(Z)
    flat = sech2(softplus(Z))  # 1 - t^2, times Z before anything else: 0 where Z is large
    return flat * 2 * s + flat * Z * (s * sigmoid(-Z) - 2 * t * s**2)
