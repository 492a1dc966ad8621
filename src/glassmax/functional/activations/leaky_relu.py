"""The leaky rectified linear unit."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating
from .activation import pair, quiet

__all__ = ["leaky_relu", "leaky_relu_second", "leaky_relu_vjp"]


@quiet
def leaky_relu(Z: npt.ArrayLike, slope: float = 0.01) -> Array:
    """Scale the negative side down by `slope` instead of cutting it off.

    ::

        f(z) = z for z > 0, slope z for z <= 0

    Parameters
    ----------
    Z : array of any shape
        The input of the layer's activation.
    slope : float, default=0.01
        The derivative on the negative side.

    Returns
    -------
    A : array
        In (-inf, inf); shape and dtype of Z.

    Notes
    -----
    At the kink, z = 0, the derivative is taken from the left: f'(0) = slope and f''(0) = 0.
    Cost for each entry: one comparison and one product.
    Source: Maas, Hannun & Ng, "Rectifier nonlinearities improve neural network acoustic models" (2013).

    Examples
    --------
    >>> leaky_relu([-1.0, 0.0, 2.0])
    array([-0.01,  0.  ,  2.  ])
    >>> leaky_relu_second([-1.0, 0.0, 2.0])
    array([0., 0., 0.])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, Z, slope * Z)


@quiet
def leaky_relu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike, slope: float = 0.01) -> Array:
    """Pull dL/dA back through A = leaky_relu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = 1 for z > 0, slope for z <= 0

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `leaky_relu`: Z, not A.
    slope
        As for `leaky_relu`.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> leaky_relu_vjp([1.0, 1.0, 1.0], [-1.0, 0.0, 2.0])
    array([0.01, 0.01, 1.  ])
    """
    dA, Z = pair(dA, Z)
    return dA * np.where(Z.real > 0, 1, slope).astype(Z.dtype)


@quiet
def leaky_relu_second(Z: npt.ArrayLike, slope: float = 0.01) -> Array:
    """Return the second derivative of `leaky_relu`: f''(z) = 0, at the kink too.

    Parameters
    ----------
    Z, slope
        As for `leaky_relu`.

    Returns
    -------
    array
        Zeros in the shape of Z.
    """
    return np.zeros_like(as_floating(Z, "Z"))
