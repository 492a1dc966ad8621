"""The hyperbolic tangent."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating
from .activation import pair, quiet
from .sigmoid import sigmoid

__all__ = ["tanh", "tanh_second", "tanh_vjp"]


@quiet
def tanh(Z: npt.ArrayLike) -> Array:
    """Squash Z into (-1, 1): the hyperbolic tangent.

    ::

        f(z) = (exp(z) - exp(-z)) / (exp(z) + exp(-z))

    Parameters
    ----------
    Z : array of any shape
        The input of the layer's activation.

    Returns
    -------
    A : array
        In [-1, 1]; shape and dtype of Z.

    Notes
    -----
    Cost for each entry: one tanh; two exponentials in the pullback.
    Source: Bishop (2006), equations 5.59 and 5.60.

    Examples
    --------
    >>> tanh([0.0, np.log(2.0)])
    array([0. , 0.6])
    >>> tanh_second([-1.0, 2.0]).round(4)
    array([ 0.6397, -0.1362])
    """
    return np.tanh(as_floating(Z, "Z"))


@quiet
def tanh_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = tanh(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = 1 - f(z)^2

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `tanh`: Z, not A.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> tanh_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.42  , 0.0707])
    """
    dA, Z = pair(dA, Z)
    return dA * sech2(Z)


@quiet
def tanh_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `tanh`: f''(z) = -2 f(z) (1 - f(z)^2)."""
    Z = as_floating(Z, "Z")
    return -2 * np.tanh(Z) * sech2(Z)


def sech2(Z: Array) -> Array:
    """1 - tanh(Z)^2, with all its digits where tanh(Z) is close to 1 or -1."""
    return 4 * sigmoid(2 * Z) * sigmoid(-2 * Z)
