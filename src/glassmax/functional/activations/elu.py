"""The exponential linear unit."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating
from .activation import negative_part, pair, quiet

__all__ = ["elu", "elu_second", "elu_vjp"]


@quiet
def elu(Z: npt.ArrayLike) -> Array:
    """Bend the negative side smoothly toward -1: the exponential linear unit.

    ::

        f(z) = z for z > 0, exp(z) - 1 for z <= 0

    Parameters
    ----------
    Z : array of any shape
        The input of the layer's activation.

    Returns
    -------
    A : array
        In (-1, inf); shape and dtype of Z.

    Notes
    -----
    At z = 0 there is no kink: f'(0) = 1 from both sides. The second derivative jumps there and is taken from the
    left: f''(0) = 1.
    Cost for each entry: one exponential.
    Source: Clevert, Unterthiner & Hochreiter (2016), equation 16 with alpha = 1.

    Examples
    --------
    >>> elu([-np.log(2.0), 2.0])
    array([-0.5,  2. ])
    >>> elu_second([-1.0, 0.0, 2.0]).round(4)
    array([0.3679, 1.    , 0.    ])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, Z, np.expm1(negative_part(Z)))


@quiet
def elu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = elu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = 1 for z > 0, exp(z) for z <= 0

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `elu`: Z, not A.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> elu_vjp([1.0, 1.0, 1.0], [-1.0, 0.0, 2.0]).round(4)
    array([0.3679, 1.    , 1.    ])
    """
    dA, Z = pair(dA, Z)
    return dA * np.exp(negative_part(Z))


@quiet
def elu_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `elu`: f''(z) = 0 for z > 0, exp(z) for z <= 0."""
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, 0, np.exp(negative_part(Z)))
