"""Parts shared by the activations: the record in the table, the argument check of a pullback, and silent overflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import ShapeError
from ..arrays import Array, as_floating

__all__ = ["Activation", "negative_part", "pair", "quiet"]

quiet = np.errstate(over="ignore", invalid="ignore")
"""Decorates functions whose entries may overflow: exp(-z) = inf is the right step on the way to sigmoid = 0."""


class Activation(NamedTuple):
    """An activation, its pullback and its second derivative, under the name that users pass."""

    name: str
    f: Callable[[npt.ArrayLike], Array]
    vjp: Callable[[npt.ArrayLike, npt.ArrayLike], Array]
    second: Callable[[npt.ArrayLike], Array]

    def __repr__(self) -> str:
        return f"<activation {self.name}: f, vjp, second>"


def pair(dA: npt.ArrayLike, Z: npt.ArrayLike) -> tuple[Array, Array]:
    """Return dA and Z as arrays of floats, or raise where their shapes differ."""
    dA, Z = as_floating(dA, "dA"), as_floating(Z, "Z")
    if dA.shape != Z.shape:
        raise ShapeError(f"dA is {dA.shape}, expected the shape of Z, {Z.shape}.")
    return dA, Z


def negative_part(Z: Array) -> Array:
    """Z where it is not above 0, and 0 elsewhere: safe to exponentiate."""
    return np.where(Z.real > 0, 0, Z)
