"""Mistakes in the update: the parameters, before or after a step, were returned instead of the gradients."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...functional.arrays import Array
from ..constants import recognise
from ..exact_pass import Pass

__all__ = ["returned_parameters"]

Key = tuple[str, int]
Gradients = Mapping[Key, Array]
EXACT, FITTED = 1e-12, 1e-7


def returned_parameters(passes: Sequence[Pass], gradients: Sequence[Gradients]) -> str:
    """Say that wrong gradients are the parameters, before or after a step; "" unless they are exactly that."""
    steps = [_steps(p, g) for p, g in zip(passes, gradients, strict=True)]
    if any(step is None for step in steps):
        return ""
    made = [step for step in steps if step is not None]
    if _multiple(passes[0], gradients[0]):  # a penalty alone, say, has gradients along the parameters
        return ""
    if all(_is_zero(step, p) for step, p in zip(made, passes, strict=True)):
        return "these are the parameters themselves, not gradients"
    rates = [_rate(step, p) for step, p in zip(made, passes, strict=True)]
    if any(rate is None for rate in rates):
        return ""
    known = recognise([rate for rate in rates if rate is not None], [p.n for p in passes], 1, 10 * FITTED)
    if known is None or known.multiple <= 0:
        return ""
    return f"these are the parameters after a step of learning rate {known.name}: return the gradients"


def _parameter(p: Pass, key: Key) -> Array:
    return p.W[key[1]] if key[0] == "W" else p.b[key[1]]


def _steps(p: Pass, gradients: Gradients) -> dict[Key, Array] | None:
    """The steps: the parameters minus what was returned. None if a shape is wrong."""
    keys = p.architecture.parameters
    if any(gradients[key].shape != _parameter(p, key).shape for key in keys):
        return None
    return {key: _parameter(p, key) - gradients[key] for key in keys}


def _is_zero(steps: dict[Key, Array], p: Pass) -> bool:
    moved = any(_parameter(p, key).any() for key in steps)
    norms = ((np.linalg.norm(step), np.linalg.norm(_parameter(p, key))) for key, step in steps.items())
    return moved and all(left <= EXACT * size for left, size in norms)


def _rate(steps: dict[Key, Array], p: Pass) -> float | None:
    """The learning rate, the same for every parameter; None if the steps are not a multiple of the gradients."""
    true = np.concatenate([p.truth[key].ravel() for key in steps])
    step = np.concatenate([steps[key].ravel() for key in steps])
    square = float(np.vdot(true, true))
    if square < 1e-200:
        return None
    rate = float(np.vdot(true, step)) / square
    return rate if np.linalg.norm(step - rate * true) <= FITTED * abs(rate) * square**0.5 else None


def _multiple(p: Pass, gradients: Gradients) -> bool:
    """Whether the gradients are right up to a factor."""
    return _rate({key: gradients[key] for key in p.architecture.parameters}, p) is not None
