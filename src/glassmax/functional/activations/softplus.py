"""Softplus: a smooth relu."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating, log1p
from .activation import pair, quiet
from .sigmoid import sigmoid

__all__ = ["softplus", "softplus_second", "softplus_vjp"]


@quiet
def softplus(Z: npt.ArrayLike) -> Array:
    """Compute log(1 + exp(Z)), a smooth version of relu.

    ::

        f(z) = log(1 + exp(z)) = max(z, 0) + log1p(exp(-|z|))

    Parameters
    ----------
    Z : array of any shape
        The input of the layer's activation.

    Returns
    -------
    A : array
        In [0, inf); shape and dtype of Z.

    Notes
    -----
    Cost for each entry: one exponential, one logarithm.
    Source: Dugas et al., "Incorporating second-order functional knowledge" (2001), section 3.

    Examples
    --------
    >>> softplus([0.0, -1000.0]).round(4)
    array([0.6931, 0.    ])
    >>> softplus_second([-1.0, 2.0]).round(4)
    array([0.1966, 0.105 ])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, Z, 0) + log1p(np.exp(np.where(Z.real > 0, -Z, Z)))


@quiet
def softplus_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = softplus(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = sigmoid(z)

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `softplus`: Z, not A.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> softplus_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.2689, 0.8808])
    """
    dA, Z = pair(dA, Z)
    return dA * sigmoid(Z)


@quiet
def softplus_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `softplus`: f''(z) = sigmoid(z) sigmoid(-z)."""
    Z = as_floating(Z, "Z")
    return sigmoid(Z) * sigmoid(-Z)
