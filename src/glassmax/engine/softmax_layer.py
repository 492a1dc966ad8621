"""A single softmax layer: its loss, and the gradients by its input, its weights and its bias.

It is for networks whose lower layers are computed elsewhere: `glassmax.torch` and `glassmax.jax` call it through an
engine.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import OptionError, ShapeError, one_of
from ..functional.arrays import Array, as_floating
from ..functional.losses.layer_arguments import without_ignored
from ..functional.targets import Reduction, check_target, check_weights, row_factors

__all__ = ["GRADIENTS", "Gradients", "LayerResult", "SoftmaxLayer", "gradient_arrays", "read_layer"]

GRADIENTS = ("dA", "dW", "db")
Gradients = bool | Collection[str] | Mapping[str, Array]
"""The gradients to compute: all, none, those named, or those named with the arrays that they are written into."""


class LayerResult(NamedTuple):
    """The loss of a softmax layer, and its gradients.

    Attributes
    ----------
    loss : float, or (n,) array of float64
        The reduced loss; for ``reduction="none"`` the loss of each row.
    dA, dW, db : array or None
        Gradients, in the shapes and dtype of A, W and b. None if the gradient was not asked for, or if b is None.
    """

    loss: Any
    dA: Array | None
    dW: Array | None
    db: Array | None


class SoftmaxLayer(NamedTuple):
    """A softmax layer and its rows, checked; see `read_layer`."""

    A: Array
    W: Array
    b: Array | None
    target: Any
    weight: Array | None

    def factors(self, dL: npt.ArrayLike | None, reduction: Reduction) -> Array:
        """Return the factor of each row's gradient, (n,); 0 for a row of weight 0, even where the mean is NaN."""
        n = len(self.A)
        if dL is None:
            dL = np.ones(n if reduction == "none" else ())
        factors = row_factors(dL, self.weight, reduction, np.empty((n, 1)))[:, 0]
        return factors if self.weight is None else np.where(self.weight == 0, 0.0, factors)


def read_layer(
    A: npt.ArrayLike,
    W: npt.ArrayLike,
    b: npt.ArrayLike | None,
    target: Any,
    sample_weight: npt.ArrayLike | None,
    ignore_index: int | None,
    transposed: bool,
) -> SoftmaxLayer:
    """Return the arrays of a layer, checked; a row whose label is `ignore_index` has weight 0, and class 0."""
    A, W = as_floating(A, "A"), as_floating(W, "W")
    if A.ndim != 2 or A.shape[1] == 0:
        raise ShapeError(f"A is {A.shape}, expected (n, d): rows are samples.")
    n, d = A.shape
    layout = f"(k, {d})" if transposed else f"({d}, k)"
    if W.ndim != 2 or W.shape[1 if transposed else 0] != d or 0 in W.shape:
        raise ShapeError(f"W is {W.shape}, expected {layout} for an A of {A.shape}.")
    k = W.shape[0 if transposed else 1]
    if b is not None:
        b = as_floating(b, "b")
        if b.shape != (k,):
            raise ShapeError(f"b is {b.shape}, expected ({k},): one number for each class.")
    for name, array in {"W": W, "b": b}.items():
        if array is not None and array.dtype != A.dtype:
            raise OptionError(parameter=name, came=str(array.dtype), expected=f"{A.dtype}, as A is")
    weight = check_weights(sample_weight, (n,))
    target, weight = without_ignored(target, (n,), weight, ignore_index)
    return SoftmaxLayer(A, W, b, check_target(target, (n, k), "classes"), weight)


def gradient_arrays(gradients: Gradients, layer: SoftmaxLayer) -> list[Array | None]:
    """Return an array for each of dA, dW and db that is wanted, and None for the others; without b there is no db."""
    names = GRADIENTS if gradients is True else () if gradients is False else tuple(gradients)
    for name in names:
        one_of("gradients", name, GRADIENTS)
    arrays: list[Array | None] = [None, None, None]
    for i, (name, like) in enumerate(zip(GRADIENTS, layer[:3], strict=True)):
        if name not in names or like is None:
            continue
        arrays[i] = array = gradients[name] if isinstance(gradients, Mapping) else np.empty(like.shape, like.dtype)
        if array.shape != like.shape or array.dtype != like.dtype or not array.flags.c_contiguous:
            raise ShapeError(
                f"{name} is {array.shape} of {array.dtype}, expected {like.shape} of {like.dtype}, in C order."
            )
        if not len(layer.A):
            array[...] = 0
    return arrays
