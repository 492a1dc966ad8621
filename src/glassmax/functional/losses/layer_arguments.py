"""The arguments of the losses of an affine layer: checked, with one axis of rows, without the rows that don't count."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import OptionError, ShapeError, between, is_whole
from ..arrays import Array, as_floating, summing_dtype
from ..softcap import check_softcap
from ..targets import Reduction, check_smoothing, check_target, check_weights, is_sparse, reduce_rows, row_factors
from .class_chunks import Layer

__all__ = ["Rows", "check_layer_options", "read_layer", "without_ignored"]


class Rows(NamedTuple):
    """The rows of a call: their axes, their weights, which of them count, and how their losses are reduced."""

    axes: tuple[int, ...]
    w: Array | None
    kept: Any
    reduction: Reduction

    def spread(self, values: Array) -> Array:
        """Return values of the rows that count as values of all rows, 0 for the others, in the axes of the call."""
        out = np.zeros((math.prod(self.axes), *values.shape[1:]), values.dtype)
        out[self.kept] = values
        return out.reshape(*self.axes, *values.shape[1:])

    def reduced(self, L: Array) -> Array:
        """Weight and reduce the losses of the rows that count."""
        return reduce_rows(self.spread(L), self.w, self.reduction)

    def factors(self, dL: npt.ArrayLike, dtype: np.dtype[Any]) -> Array:
        """Return the factor of each row's own derivative, (n, 1), for the rows that count."""
        of_shape = np.broadcast_to(np.zeros((), dtype), (*self.axes, 1))
        return row_factors(dL, self.w, self.reduction, of_shape).reshape(math.prod(self.axes), 1)[self.kept]


def read_layer(
    A: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike | None,
    target: Any,
    sample_weight: npt.ArrayLike | None,
    ignore_index: int | None,
    reduction: Reduction,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    temperature: float = 1.0,
    chunk: int = 8192,
) -> tuple[Layer, Rows]:
    """Check all arguments, and leave out the rows of weight 0, whatever they hold."""
    check_layer_options(label_smoothing, z_loss, softcap, temperature, ignore_index)
    if not is_whole(chunk) or chunk < 1:
        raise OptionError(parameter="chunk", came=repr(chunk), expected="a whole number >= 1")
    A, W = as_floating(A, "A"), as_floating(W, "W")
    if W.ndim != 2 or W.shape[1] == 0:
        raise ShapeError(f"W is {W.shape}, expected (d, k): one column for each class.")
    if A.ndim == 0 or A.shape[-1] != W.shape[0]:
        hint = " W looks transposed: pass W.T." if A.ndim and A.shape[-1] == W.shape[1] else ""
        raise ShapeError(f"A is {A.shape} and W is {W.shape}: expected as many columns in A as rows in W.{hint}")
    (d, k), axes = W.shape, A.shape[:-1]
    if b is not None:
        b = as_floating(b, "b")
        if b.shape != (k,):
            raise ShapeError(f"b is {b.shape}, expected ({k},): one bias for each column of W.")
    w = check_weights(sample_weight, axes)
    target, w = without_ignored(target, axes, w, ignore_index)
    T = check_target(target, (*axes, k), "classes")
    n = math.prod(axes)
    T = T if is_sparse(T) else T.reshape(n, *T.shape[len(axes) :])
    kept = slice(None) if w is None or w.all() else np.flatnonzero(w)
    dtype = np.result_type(summing_dtype(A.dtype), W, *([] if b is None else [b]))
    layer = Layer(A.reshape(n, d)[kept], W, b, T[kept], dtype, label_smoothing, z_loss, softcap, temperature, chunk)
    return layer, Rows(axes, w, kept, reduction)


def check_layer_options(
    label_smoothing: float, z_loss: float, softcap: float | None, temperature: float, ignore_index: int | None
) -> None:
    """Raise an error if an option of a softmax layer is out of range."""
    check_smoothing(label_smoothing)
    between("z_loss", z_loss, 0)
    check_softcap(softcap, temperature)
    if not (ignore_index is None or is_whole(ignore_index)):
        raise OptionError(parameter="ignore_index", came=repr(ignore_index), expected="a whole number or None")


def without_ignored(
    target: Any, axes: tuple[int, ...], w: Array | None, ignore_index: int | None
) -> tuple[Any, Array | None]:
    """Return the labels with class 0 in the place of each that is ignored, and the weights, which are 0 there."""
    if ignore_index is None:
        return target, w
    if is_sparse(target) or np.shape(target) != axes:
        expected = "None for a target of rows, which have no label"
        raise OptionError(parameter="ignore_index", came=repr(ignore_index), expected=expected)
    ignored = np.asarray(target) == ignore_index
    if not ignored.any():
        return target, w
    return np.where(ignored, 0, target), np.where(ignored, 0.0, 1.0 if w is None else w)
