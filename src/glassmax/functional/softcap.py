"""Logits before softmax: divided by a temperature, then bounded by a softcap.

::

    u = softcap tanh(z / (temperature softcap))          u = z / temperature, without a softcap

A softcap c keeps every logit in [-c, c] and hardly changes small logits. Source: Bello et al., "Neural
combinatorial optimization with reinforcement learning" (2016), equation 16; Gemma Team, "Gemma 2" (2024), section 2.
"""

import numpy as np

from ..errors import between
from .activations import ACTIVATIONS
from .arrays import Array, summing_dtype

__all__ = ["capped", "capped_second", "capped_slope", "check_softcap"]

TANH = ACTIVATIONS["tanh"]


def check_softcap(softcap: float | None, temperature: float) -> None:
    """Raise an error unless the softcap is None or a finite number > 0, and the temperature a finite number > 0."""
    if softcap is not None:
        between("softcap", softcap, 0, open_below=True, other="None")
    between("temperature", temperature, 0, open_below=True)


def capped(Z: Array, softcap: float | None, temperature: float) -> Array:
    """Return u, in the dtype of Z; Z itself if there is no softcap and the temperature is 1."""
    if softcap is None and temperature == 1:
        return Z
    with np.errstate(over="ignore"):
        U = Z.astype(summing_dtype(Z.dtype), copy=False) / temperature
        if softcap is not None:
            U = softcap * TANH.f(U / softcap)
        return U.astype(Z.dtype, copy=False)


def capped_slope(Z: Array, softcap: float | None, temperature: float) -> Array:
    """Return du/dz in summing precision, accurate even where u is close to the softcap."""
    Z = Z.astype(summing_dtype(Z.dtype), copy=False)
    if softcap is None:
        return np.full((1,) * Z.ndim, 1 / temperature, Z.dtype)
    return TANH.vjp(np.full_like(Z, 1 / temperature), _argument(Z, softcap, temperature))


def capped_second(Z: Array, softcap: float | None, temperature: float) -> Array:
    """Return d2u/dz2 in summing precision."""
    Z = Z.astype(summing_dtype(Z.dtype), copy=False)
    if softcap is None:
        return np.zeros((1,) * Z.ndim, Z.dtype)
    return TANH.second(_argument(Z, softcap, temperature)) / temperature / (temperature * softcap)


def _argument(Z: Array, softcap: float, temperature: float) -> Array:
    with np.errstate(over="ignore"):
        return Z / temperature / softcap
