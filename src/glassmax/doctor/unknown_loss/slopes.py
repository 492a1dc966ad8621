"""Slopes of the learner's own loss, measured by central differences, beside those that the learner's gradient claims.

A small parameter is measured cell by cell, a large one along random directions. A slope may be 0 although the terms
that it sums are not: those of a bias before batch normalization cancel. Rounding leaves a number about 1e-17 in the
learner's gradient, and another in the measurement. The two are compared with the size of the slopes by the other
parameters, not with each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...functional.arrays import Array
from ...gradcheck import central_slope, rounding_of

__all__ = ["Slopes", "errors_of", "measure"]

CELLS = 150
"""The most cells of a parameter that is measured cell by cell."""
DIRECTIONS = 8
TOLERANCE, SINGLE = 2e-5, 1e-3
"""The relative errors that are no fault in float64 and in float32."""
ZERO, SINGLE_ZERO = 1e-8, 1e-5
"""A gradient that is this small beside the slopes by the other parameters is 0 to rounding."""
SIDE = 1e-7
"""The step to one side of a kink."""

Loss = Callable[[list[Array]], Any]


@dataclass(frozen=True)
class Slopes:
    """One parameter: the slopes of the loss along some directions, and the slopes that the learner's gradient claims.

    `noise` is the part of `measured` that may be rounding. Along a direction that leads across a kink, any number
    between the slopes on both sides is right, and the one nearest to the claim is `measured`. `left_out` is the number
    of directions along which no slope could be measured; they are not among `directions`.
    """

    name: str
    W: Array
    G: Array
    directions: list[Array]
    measured: Array
    claimed: Array
    noise: float
    left_out: int

    @property
    def size(self) -> float:
        """The size of the slopes, for one direction."""
        return _rms(self.measured)

    @property
    def is_measured(self) -> bool:
        """Whether there is a slope that could be measured: none can where the loss is not finite on one side."""
        return len(self.measured) > 0

    @property
    def is_zero(self) -> bool:
        """Whether nothing but rounding was measured."""
        return self.is_measured and self.size <= 4 * self.noise

    @property
    def by_cell(self) -> Array | None:
        """The measured gradient, if it was measured cell by cell."""
        return self.measured.reshape(self.W.shape) if len(self.measured) == self.W.size <= CELLS else None


def measure(loss: Loss, arrays: list[Array], position: int, name: str, G: Array) -> Slopes:
    """Measure the slopes of the loss by one parameter; those that can't be measured are left out and counted."""
    W = arrays[position]

    def at(value: Array) -> Any:
        return loss([*arrays[:position], value, *arrays[position + 1 :]])

    rounding, directions = rounding_of(at, W), _directions(W)
    kept, measured, claimed, noises = [], [], [], []
    for v in directions:
        claim = float(np.vdot(v, G))
        slope, noise = central_slope(at, W, v, rounding)
        if slope is None:
            slope = _at_kink(at, W, v, claim, rounding)
        if np.isfinite(slope):
            kept.append(v)
            measured.append(slope)
            claimed.append(claim)
            noises.append(noise)
    left_out = len(directions) - len(kept)
    return Slopes(name, W, G, kept, np.array(measured), np.array(claimed), _rms(np.array(noises)), left_out)


def errors_of(slopes: Sequence[Slopes], single_precision: bool) -> list[tuple[float, bool]]:
    """The relative error of each gradient, and whether it is right.

    The error is relative to the slopes of the parameter; of a parameter whose slopes are 0, to the largest slopes of
    all. Such a gradient must be as near to 0 as those of the others are near to their slopes, or nearer than `ZERO`.
    The error is NaN, and the gradient not right, if no slope could be measured.
    """
    tolerance, zero = (SINGLE, SINGLE_ZERO) if single_precision else (TOLERANCE, ZERO)
    largest = max((each.size for each in slopes if not each.is_zero), default=0.0)
    judged: list[tuple[float, bool]] = []
    for each in slopes:
        if not each.is_measured:
            judged.append((float("nan"), False))
            continue
        if each.is_zero:
            judged.append((0.0, True))  # below, once the others are known
            continue
        off = _rms(each.claimed - each.measured)
        judged.append((off / max(each.size, 1e-300), off <= tolerance * each.size + 4 * each.noise))
    zero = max([zero, *(10 * error for error, right in judged if right and error <= tolerance)])
    for i, each in enumerate(slopes):
        if each.is_zero:
            claim = _rms(each.claimed)
            judged[i] = (claim / max(largest, claim, 1e-300), claim <= zero * largest + 4 * each.noise)
    return judged


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if len(values) else 0.0


def _directions(W: Array) -> list[Array]:
    if W.size <= CELLS:
        return [np.eye(W.size)[cell].reshape(W.shape) for cell in range(W.size)]
    draw = np.random.default_rng(0)
    return [draw.standard_normal(W.shape) / np.sqrt(W.size) for _ in range(DIRECTIONS)]


def _at_kink(at: Callable[[Array], Any], W: Array, v: Array, claim: float, rounding: float) -> float:
    """The number nearest to the claim between the slopes on both sides of a kink; NaN if they can't be measured."""
    here, h = float(at(W)), max(SIDE, rounding**0.5) * max(1.0, _rms(W.ravel()))
    sides = sorted([(float(at(W + h * v)) - here) / h, (here - float(at(W - h * v))) / h])
    if not np.isfinite(sides).all():
        return float("nan")
    slack = 10 * h * max(map(abs, sides)) + (8 * rounding + 1e-15 * abs(here)) / h
    return float(np.clip(np.nan_to_num(claim), sides[0] - slack, sides[1] + slack))
