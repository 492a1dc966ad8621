"""The Gaussian error linear unit."""

from __future__ import annotations  # help() shows these names instead of what they stand for

import numpy as np
import numpy.typing as npt

from ..arrays import Array, as_floating
from .activation import pair, quiet

__all__ = ["gelu", "gelu_second", "gelu_vjp"]


@quiet
def gelu(Z: npt.ArrayLike) -> Array:
    """Weight Z by the probability that a standard normal variable is smaller than Z.

    ::

        f(z) = z Phi(z)          Phi: the normal distribution function, phi: its density

    Parameters
    ----------
    Z : array of any shape
        The input of the layer's activation.

    Returns
    -------
    A : array
        In [-0.17, inf); shape and dtype of Z.

    Notes
    -----
    Cost for each entry: one erf (in float64); one exponential more in the pullback.
    Source: Hendrycks & Gimpel, "Gaussian error linear units" (2016), section 2: the exact form, not the tanh fit.

    Examples
    --------
    >>> gelu([0.0, 1.0]).round(4)
    array([0.    , 0.8413])
    >>> gelu_second([-1.0, 2.0]).round(4)
    array([ 0.242, -0.108])
    """
    Z = as_floating(Z, "Z")
    return Z * _normal_cdf(Z)


@quiet
def gelu_vjp(dA: npt.ArrayLike, Z: npt.ArrayLike) -> Array:
    """Pull dL/dA back through A = gelu(Z).

    ::

        dZ = dA * f'(Z)        f'(z) = Phi(z) + z phi(z)

    Parameters
    ----------
    dA, Z : arrays of the same shape
        dL/dA, and the input of `gelu`: Z, not A.

    Returns
    -------
    dZ : array
        dL/dZ; shape of Z.

    Examples
    --------
    >>> gelu_vjp([1.0, 1.0], [-1.0, 2.0]).round(4)
    array([-0.0833,  1.0852])
    """
    dA, Z = pair(dA, Z)
    return dA * (_normal_cdf(Z) + Z * _normal_density(Z))


@quiet
def gelu_second(Z: npt.ArrayLike) -> Array:
    """Return the second derivative of `gelu`: f''(z) = phi(z) (2 - z^2)."""
    Z = as_floating(Z, "Z")
    density = _normal_density(Z)  # first times Z, then times Z again: 0 * Z is 0 where Z * Z would be inf
    return 2 * density - density * Z * Z


def _normal_cdf(Z: Array) -> Array:
    from scipy.special import ndtr  # late: `import glassmax` loads NumPy alone

    cdf: Array = ndtr(Z.astype(np.complex128 if Z.dtype.kind == "c" else np.float64, copy=False))
    return cdf.astype(Z.dtype, copy=False)


def _normal_density(Z: Array) -> Array:
    return np.exp(-Z * Z / 2) * (1 / np.sqrt(2 * np.pi)).astype(Z.dtype)
