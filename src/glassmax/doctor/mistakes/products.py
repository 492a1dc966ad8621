"""Products element by element where a matrix product belongs: they fit where sizes agree or broadcast."""

from collections.abc import Iterator

import numpy as np

from ...functional.arrays import Array
from .mistake import Mistake

__all__ = ["for_weights", "passed_down"]


def _times(a: Array, b: Array) -> Array | None:
    try:
        return a * b
    except ValueError:
        return None


def _broadcast(a: Array, shape: tuple[int, ...]) -> Array | None:
    try:
        return np.array(np.broadcast_to(a, shape))
    except ValueError:
        return None


def _with_sums(product: Array | None) -> Iterator[tuple[str, Array]]:
    """A product and its sums; a sum over an axis comes as a row and as a column."""
    if product is None or product.ndim != 2:
        return
    yield "", product
    for axis in (0, 1):
        sums = product.sum(axis=axis)
        yield " and summed", sums
        yield " and summed", sums[:, None]


def passed_down(D: Array, W: Array, layer: int) -> Iterator[tuple[Mistake, Array]]:
    """What stands for D @ W.T with * in place of @; `layer` is that of D and W."""
    dZ, name = f"dZ{layer}", f"W{layer}"
    made = [(f"{dZ} * {name}{how}", array) for how, array in _with_sums(_times(D, W))]
    made += [(f"{dZ} * {name}.T{how}", array) for how, array in _with_sums(_times(D, W.T))]
    for axis in (0, 1):
        product = _times(D, W.sum(axis=axis))
        made += [] if product is None else [(f"{dZ} * {name} summed over its axis {axis}", product)]
    for says, array in made:
        full = _broadcast(array, (len(D), len(W)))
        if full is not None:
            mistake = Mistake("elementwise_product", f"* stands for @ between {dZ} and {name}: {says}", 1.2, True)
            yield mistake, full


def for_weights(A: Array, D: Array, below: str, layer: int) -> Iterator[tuple[Mistake, Array]]:
    """What stands for A.T @ D with * in place of @, in the shape of W."""
    dZ, shape = f"dZ{layer}", (A.shape[1], D.shape[1])
    for says, product in ((f"{below} * {dZ}", _times(A, D)), (f"{below}.T * {dZ}", _times(A.T, D))):
        for how, array in _with_sums(product):
            full = array if not how else _broadcast(array, shape)
            if full is not None and full.shape == shape:
                said = f"* stands for @ between {below} and {dZ}: {says}{how}"
                yield Mistake("elementwise_product", said, 1.1 if how else 1.0, bool(how)), full
