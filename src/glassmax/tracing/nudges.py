"""A nudge: one number is changed, and the loss that the gradient predicts is compared with the loss that comes out.

::

    L(theta + h e) - L(theta) = h dL/dtheta_e + 1/2 h^2 d2L/dtheta_e^2 + ...

The second derivative is exact: the imaginary part of the gradient at theta + i h e, divided by h (the complex step).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import OptionError
from ..functional.arrays import Array
from .arrays import arrays_of
from .batch import Batch
from .cells import labelled
from .formats.numbers import json_ready

__all__ = ["Nudge", "check_nudged", "nudged"]

TINY = 1e-30


@dataclass(frozen=True, repr=False)
class Nudge:
    """The effect of changing one number.

    Attributes
    ----------
    name : str
        The array, and `index` the cell that is changed.
    index : tuple of int
    step : float
        The change.
    loss : float
        L before the change.
    slope : float
        The gradient's entry: dL by the cell.
    predicted : float
        step times slope: the change of L along a straight line.
    measured : float
        L after the change minus L before it.
    curvature : float
        The second derivative of L by the cell.
    """

    name: str
    index: tuple[int, ...]
    step: float
    loss: float
    slope: float
    predicted: float
    measured: float
    curvature: float

    @property
    def difference(self) -> float:
        """measured - predicted: what the straight line misses."""
        return self.measured - self.predicted

    @property
    def by_curvature(self) -> float:
        """1/2 step^2 curvature: the part of the difference that the curvature explains."""
        return 0.5 * self.step * (self.step * self.curvature)  # in this order, no square overflows

    def to_dict(self) -> dict[str, Any]:
        """Return the nudge as plain data."""
        numbers = {name: json_ready(value) for name, value in vars(self).items() if name not in ("name", "index")}
        more = {"difference": json_ready(self.difference), "by_curvature": json_ready(self.by_curvature)}
        return {"name": self.name, "index": list(self.index), **numbers, **more}

    def __repr__(self) -> str:
        cell = labelled(self.name, self.index)
        lines = [
            f"{cell} changed by {self.step:g}; L was {self.loss:.6g}",
            f"  predicted    {self.predicted: .6e}   step times d{cell}, which is {self.slope:.6g}",
            f"  measured     {self.measured: .6e}   L after the change - L before it",
            f"  difference   {self.difference: .6e}   measured - predicted",
            f"  curvature    {self.by_curvature: .6e}   1/2 step^2 times the second derivative, which is "
            f"{self.curvature:.6g}",
        ]
        return "\n".join(lines)


def nudged(batch: Batch, name: str, index: tuple[int, ...], step: float, slope: float) -> Nudge:
    """Return the effect of changing one cell of a parameter, or of X, by `step`."""
    _check_step(step)
    before, after = (_loss(_changed(batch, name, index, change, np.float64)) for change in (0.0, float(step)))
    gradient = arrays_of(_changed(batch, name, index, 1j * TINY, np.complex128))[f"d{name}"][index]
    predicted, curvature = float(step) * slope, float(gradient.imag / TINY)
    return Nudge(name, index, float(step), before, slope, predicted, after - before, curvature)


def _check_step(step: object) -> None:
    number = isinstance(step, int | float | np.number) and not isinstance(step, bool)
    if not number or not np.isfinite(step) or not step:  # type: ignore[call-overload]
        raise OptionError(parameter="step", came=repr(step), expected="a finite number other than 0")


def _loss(batch: Batch) -> float:
    with np.errstate(all="ignore"):
        return batch.network.loss(batch.X, batch.T, batch.w, masks=batch.masks or None)


def _changed(batch: Batch, name: str, index: tuple[int, ...], change: complex, dtype: type) -> Batch:
    """Return the batch with one number changed, in double precision."""
    network = batch.network.astype(dtype)
    X: Array = batch.X.astype(dtype)
    changed = X if name == "X" else network.parameters[name]
    changed[index] += change
    masks: dict[int, Array] = {layer: mask.astype(dtype) for layer, mask in batch.masks.items()}
    return replace(batch, network=network, X=X, masks=masks)


def check_nudged(batch: Batch, name: str) -> None:
    """Raise for an array that is no parameter and not X."""
    known = [*batch.network.parameters, *([] if batch.network.embedding is not None else ["X"])]
    if name not in known:
        expected = f"one of {', '.join(known)}: every other array is computed from these"
        raise OptionError(parameter="name", came=repr(name), expected=expected)
    if name in batch.network.frozen:
        expected = "a parameter that is not frozen: the gradient of a frozen one counts as 0"
        raise OptionError(parameter="name", came=repr(name), expected=expected)


def __dir__() -> list[str]:
    return __all__
