"""The identity: the layer stays affine."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating
from .activation import pair

__all__ = ["identity", "identity_second", "identity_vjp"]


def identity(Z: npt.ArrayLike) -> Array:
    """Return a copy of Z: the layer stays affine.

    ::

        f(z) = z

    Parameters
    ----------
    Z : array of any shape
        The input of the layer's activation.

    Returns
    -------
    A : array
        In (-inf, inf); shape and dtype of Z.

    Notes
    -----
    Cost for each entry: one copy.
    Source: definition.

    Examples
    --------
    >>> identity([-1.0, 2.0])
    array([-1.,  2.])
    >>> identity_second([-1.0, 2.0])
    array([0., 0.])
    """
    return as_floating(Z, "Z").copy()


def identity_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = identity(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = 1

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `identity`: Z, not A.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> identity_vjp([1.0, 3.0], [-1.0, 2.0])
    array([1., 3.])
    """
    dA, Z = pair(dA, Z)
    return dA.copy()


def identity_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `identity`: f''(z) = 0."""
    return np.zeros_like(as_floating(Z, "Z"))
