"""The sigmoid-weighted linear unit."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy.typing as npt

from ..arrays import Array, as_floating
from .activation import pair, quiet
from .sigmoid import sigmoid

__all__ = ["silu", "silu_second", "silu_vjp"]


@quiet
def silu(Z: npt.ArrayLike) -> Array:
    """Weight Z by its own sigmoid; also called swish.

    ::

        f(z) = z s(z)          s = sigmoid

    Parameters
    ----------
    Z : array of any shape
        The input of the layer's activation.

    Returns
    -------
    A : array
        In [-0.28, inf); shape and dtype of Z.

    Notes
    -----
    Cost for each entry: one exponential; two in each derivative.
    Source: Elfwing, Uchibe & Doya, "Sigmoid-weighted linear units" (2018), equations 4 and 5.

    Examples
    --------
    >>> silu([0.0, 1.0]).round(4)
    array([0.    , 0.7311])
    >>> silu_second([-1.0, 2.0]).round(4)
    array([0.3024, 0.0501])
    """
    Z = as_floating(Z, "Z")
    return Z * sigmoid(Z)


@quiet
def silu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = silu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = s(z) (1 + z s(-z))

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `silu`: Z, not A.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> silu_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([0.0723, 1.0908])
    """
    dA, Z = pair(dA, Z)
    return dA * sigmoid(Z) * (1 + Z * sigmoid(-Z))


@quiet
def silu_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `silu`: f''(z) = s(z) s(-z) (2 + z (s(-z) - s(z)))."""
    Z = as_floating(Z, "Z")
    up, down = sigmoid(Z), sigmoid(-Z)
    return up * down * (2 + Z * (down - up))
