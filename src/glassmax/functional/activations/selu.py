"""The scaled exponential linear unit."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating
from .activation import negative_part, pair, quiet

__all__ = ["SELU_ALPHA", "SELU_SCALE", "selu", "selu_second", "selu_vjp"]

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@quiet
def selu(Z: npt.ArrayLike) -> Array:
    """Scale an ELU so that activations keep mean 0 and variance 1.

    ::

        f(z) = s z for z > 0, s a (exp(z) - 1) for z <= 0       s = 1.0507..., a = 1.6732...

    Parameters
    ----------
    Z : array of any shape
        The input of the layer's activation.

    Returns
    -------
    A : array
        In (-1.7581, inf); shape and dtype of Z.

    Notes
    -----
    At the kink, z = 0, both derivatives are taken from the left: f'(0) = f''(0) = s a = 1.7581.
    Cost for each entry: one exponential.
    Source: Klambauer et al., "Self-normalizing neural networks" (2017), equation 2 and the constants after it.

    Examples
    --------
    >>> selu([0.0, 1.0]).round(4)
    array([0.    , 1.0507])
    >>> selu_second([-1.0, 0.0, 2.0]).round(4)
    array([0.6468, 1.7581, 0.    ])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, SELU_SCALE * Z, SELU_SCALE * SELU_ALPHA * np.expm1(negative_part(Z)))


@quiet
def selu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = selu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = s for z > 0, s a exp(z) for z <= 0

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `selu`: Z, not A.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> selu_vjp([1.0, 1.0, 1.0], [-1.0, 0.0, 2.0]).round(4)
    array([0.6468, 1.7581, 1.0507])
    """
    dA, Z = pair(dA, Z)
    return dA * np.where(Z.real > 0, SELU_SCALE, SELU_SCALE * SELU_ALPHA * np.exp(negative_part(Z)))


@quiet
def selu_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `selu`: f''(z) = 0 for z > 0, s a exp(z) for z <= 0."""
    Z = as_floating(Z, "Z")
    return np.where(Z.real > 0, 0, SELU_SCALE * SELU_ALPHA * np.exp(negative_part(Z)))
