"""Common parts of the losses: their record in the table, and the check of their arguments.

Arguments are checked here, once; the formulas in the other files don't check them again. Predictions are
(..., k), and a target is (...,) class indices or (..., k) rows, as `check_target` returns it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy.typing as npt

from ...errors import ShapeError
from ..arrays import Array, as_floating
from ..targets import Meaning, as_rows, check_smoothing, check_target, check_weights, is_sparse

__all__ = ["Loss", "read"]


class Loss(NamedTuple):
    """A loss of predictions: meaning of its target, value of a row, derivative by P, product of the second with RP."""

    meaning: Meaning
    rows: Callable[[Array, Array], Array]
    dP: Callable[[Array, Array], Array]
    second: Callable[[Array, Array, Array], Array]

    def __repr__(self) -> str:
        return f"<loss of {self.meaning}: rows, dP, second>"


def read(
    letter: str,
    values: npt.ArrayLike,
    target: npt.ArrayLike,
    meaning: Meaning,
    sample_weight: npt.ArrayLike | None,
    label_smoothing: float = 0.0,
) -> tuple[Array, Array, Array | None]:
    """Return predictions (or logits), target and weights as arrays, or raise with the first row at fault.

    Messages call the predictions by their `letter`, "P" or "Z". With label smoothing the target comes back as rows,
    and sparse rows come back dense, like the predictions.
    """
    V = as_floating(values, letter)
    if V.ndim == 0 or V.shape[-1] == 0:
        raise ShapeError(f"{letter} is {V.shape}, expected (..., k) with at least one class.")
    T = check_target(target, V.shape, meaning)
    w = check_weights(sample_weight, V.shape[:-1])
    check_smoothing(label_smoothing)
    if label_smoothing or is_sparse(T):
        T = as_rows(T, V.shape[-1], label_smoothing)
    return V, T, w
