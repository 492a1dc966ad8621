"""The rows that a network takes, checked before any arithmetic: inputs, targets, weights and dropout masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from .errors import DataError, ShapeError
from .functional.arrays import Array, as_inputs
from .functional.heads import LOSSES, Head
from .functional.targets import as_rows, check_target, is_sparse

__all__ = ["check_finite", "check_inputs", "check_masks", "check_targets", "rows_that_count"]

Masks = Mapping[int, Array]


def check_inputs(X: npt.ArrayLike, n_inputs: int, dtype: np.dtype[np.generic]) -> Array:
    """Return X as an (n, d) array or a CSR matrix, in the dtype of the network if X is not complex."""
    if type(X) is not np.ndarray or X.dtype != dtype:
        X = as_inputs(X, "X")
    if X.ndim != 2 or X.shape[1] != n_inputs:
        row = " One sample is a row: pass x[None, :]." if X.shape == (n_inputs,) else ""
        raise ShapeError(f"X is {X.shape}, expected (n, {n_inputs}): rows are samples.{row}")
    return X if X.dtype.kind == "c" else X.astype(dtype, copy=False)


def check_targets(y: npt.ArrayLike, n: int, k: int, head: Head) -> Array:
    """Return the target as `check_target` does, but sparse rows as a dense array, as the logits are."""
    T = check_target(y, (n, k), LOSSES[head.loss].meaning)
    return as_rows(T, k) if is_sparse(T) else T


def check_masks(masks: Masks | None, layer_sizes: Sequence[int], n: int) -> None:
    """Raise an error if a mask is missing, or has another shape than its activations and would be broadcast."""
    for layer, h in enumerate(layer_sizes[1:-1] if masks else (), start=1):
        came = np.shape(masks[layer]) if masks and layer in masks else "missing"
        if came != (n, h):
            raise ShapeError(f"The mask of layer {layer} is {came}, expected {(n, h)}.")


def check_finite(X: Array, w: Array | None) -> None:
    """Raise an error that names the first row of X with NaN or inf, among the rows of weight > 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(np.asarray(X.sum(axis=1)).ravel())
    wrong = np.flatnonzero(~finite if w is None else ~finite & (w > 0))
    if len(wrong):
        raise DataError(f"Row {wrong[0]} of X holds NaN or inf, expected finite numbers.")


def rows_that_count(
    X: Array, T: Array, w: Array | None, masks: Masks | None, layer_sizes: Sequence[int]
) -> tuple[Array, Array, Array | None, Masks | None]:
    """Leave out the rows of weight 0, whatever they hold."""
    if w is None or w.all():
        return X, T, w, masks
    check_masks(masks, layer_sizes, len(w))
    counts = w > 0
    return X[counts], T[counts], w[counts], {layer: mask[counts] for layer, mask in (masks or {}).items()}


def __dir__() -> list[str]:
    return __all__
