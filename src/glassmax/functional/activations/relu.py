"""The rectified linear unit."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating
from .activation import pair, quiet

__all__ = ["relu", "relu_second", "relu_vjp"]


@quiet
def relu(Z: npt.ArrayLike) -> Array:
    """Cut Z off at 0: the rectified linear unit.

    ::

        f(z) = max(z, 0)

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
    At the kink, z = 0, the derivative is taken from the left: f'(0) = 0 and f''(0) = 0.
    Cost for each entry: one comparison.
    Source: Nair & Hinton (2010); the choice f'(0) = 0: Bertoin et al., "Numerical influence of ReLU'(0) on
    backpropagation", NeurIPS 2021.

    Examples
    --------
    >>> relu([-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    >>> relu_second([-1.0, 0.0, 2.0])
    array([0., 0., 0.])
    """
    Z = as_floating(Z, "Z")
    return np.where(Z.real <= 0, 0, Z) if Z.dtype.kind == "c" else np.maximum(Z, 0)


@quiet
def relu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = relu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = 1 for z > 0, 0 for z <= 0

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `relu`: Z, not A.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> relu_vjp([1.0, 1.0, 1.0], [-1.0, 0.0, 2.0])
    array([0., 0., 1.])
    """
    dA, Z = pair(dA, Z)
    return np.where(Z.real > 0, dA, 0)


@quiet
def relu_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `relu`: f''(z) = 0, at the kink too."""
    return np.zeros_like(as_floating(Z, "Z"))
