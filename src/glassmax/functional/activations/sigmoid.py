"""The sigmoid, or logistic function."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating
from .activation import pair, quiet

__all__ = ["sigmoid", "sigmoid_second", "sigmoid_vjp"]


@quiet
def sigmoid(Z: npt.ArrayLike) -> Array:
    """Squash Z into (0, 1): the logistic function.

    ::

        f(z) = 1 / (1 + exp(-z))

    Parameters
    ----------
    Z : array of any shape
        The input of the layer's activation.

    Returns
    -------
    A : array
        In [0, 1]; shape and dtype of Z.

    Notes
    -----
    Cost for each entry: one exponential; two in each derivative.
    Source: Bishop (2006), equations 4.59 and 4.88.

    Examples
    --------
    >>> sigmoid([0.0, -np.log(3.0)])
    array([0.5 , 0.25])
    >>> sigmoid_second([-1.0, 2.0]).round(4)
    array([ 0.0909, -0.08  ])
    """
    Z = as_floating(Z, "Z")
    e = np.exp(np.where(Z.real > 0, -Z, Z))  # of a number <= 0: never overflows
    return np.where(Z.real > 0, 1, e) / (1 + e)


@quiet
def sigmoid_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = sigmoid(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = f(z) (1 - f(z)) = f(z) f(-z)

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `sigmoid`: Z, not A.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> sigmoid_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.1966, 0.105 ])
    """
    dA, Z = pair(dA, Z)
    return dA * sigmoid(Z) * sigmoid(-Z)


@quiet
def sigmoid_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `sigmoid`: f''(z) = f(z) f(-z) (f(-z) - f(z))."""
    Z = as_floating(Z, "Z")
    up, down = sigmoid(Z), sigmoid(-Z)
    return up * down * (down - up)
