"""Products element by element instead of matrix products: they fit if sizes agree or broadcast."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from ...functional.arrays import Array
from .mistake import Mistake
from .site import Site

__all__ = ["for_weights", "passed_down"]

Change = Callable[[Array], Array]
SUMS: tuple[Change, ...] = (
    lambda M: M.sum(axis=0),
    lambda M: M.sum(axis=0)[:, None],
    lambda M: M.sum(axis=1),
    lambda M: M.sum(axis=1)[:, None],
)
"""A sum over an axis comes as a row and as a column."""


def passed_down() -> Iterator[Mistake[Site]]:
    """Wrong versions of dA = dZ @ W.T of the layer below, with * instead of @."""
    made = partial(Mistake[Site], "elementwise_product", cost=1.2, any_scale=True)
    words = "* was used instead of @ between dZ{l} and W{l}: dZ{l} * W{l}"
    yield made(words, lambda s: _product(s.dZ, s.W, s.input.shape))
    yield from (made(f"{words} and summed", partial(_error, np.asarray, summed)) for summed in SUMS)
    yield made(f"{words}.T", lambda s: _product(s.dZ, s.W.T, s.input.shape))
    yield from (made(f"{words}.T and summed", partial(_error, np.transpose, summed)) for summed in SUMS)
    yield made(f"{words} summed over its axis 0", lambda s: _product(s.dZ, s.W.sum(axis=0), s.input.shape))
    yield made(f"{words} summed over its axis 1", lambda s: _product(s.dZ, s.W.sum(axis=1), s.input.shape))


def for_weights() -> Iterator[Mistake[Site]]:
    """Wrong versions of dW = A.T @ dZ, with * instead of @."""
    made = partial(Mistake[Site], "elementwise_product")
    words = "* was used instead of @ between {input} and dZ{l}: {input}"
    turns: tuple[tuple[str, Change], ...] = ((f"{words} * dZ{{l}}", np.asarray), (f"{words}.T * dZ{{l}}", np.transpose))
    for says, turned in turns:
        yield made(says, partial(_weights, turned, None))
        for summed in SUMS:
            yield made(f"{says} and summed", partial(_weights, turned, summed), 1.1, any_scale=True)


def _error(turned: Change, summed: Change, s: Site) -> Array | None:
    return _product(s.dZ, turned(s.W), s.input.shape, summed)


def _weights(turned: Change, summed: Change | None, s: Site) -> Array | None:
    return _product(turned(s.input), s.dZ, s.W.shape, summed)


def _product(a: Array, b: Array, shape: tuple[int, ...], summed: Change | None = None) -> Array | None:
    """A product of this shape, or a sum of a product that broadcasts to it; None where it doesn't fit."""
    try:
        product = a * b
        if summed is not None:
            return np.array(np.broadcast_to(summed(product), shape))
    except ValueError:
        return None
    return product if product.shape == shape else None
