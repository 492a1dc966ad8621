"""Products element by element where a matrix product belongs: they fit where sizes agree or broadcast."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from ...functional.arrays import Array
from .mistake import Mistake
from .site import Site

__all__ = ["for_weights", "passed_down"]

Product = Callable[[Site], Array | None]
SUMS: tuple[Callable[[Array], Array], ...] = (
    lambda M: M.sum(axis=0),
    lambda M: M.sum(axis=0)[:, None],
    lambda M: M.sum(axis=1),
    lambda M: M.sum(axis=1)[:, None],
)
"""A sum over an axis comes as a row and as a column."""


def passed_down() -> Iterator[Mistake[Site, Array]]:
    """What stands for dA = dZ @ W.T of the layer below, with * in place of @."""
    products: tuple[tuple[str, Product], ...] = (
        ("dZ{l} * W{l}", lambda s: _times(s.dZ, s.W)),
        ("dZ{l} * W{l}.T", lambda s: _times(s.dZ, s.W.T)),
        ("dZ{l} * W{l} summed over its axis 0", lambda s: _times(s.dZ, s.W.sum(axis=0))),
        ("dZ{l} * W{l} summed over its axis 1", lambda s: _times(s.dZ, s.W.sum(axis=1))),
    )
    for says, product in products:
        words = f"* stands for @ between dZ{{l}} and W{{l}}: {says}"
        yield Mistake("elementwise_product", words, partial(_error, product, np.asarray), 1.2, any_scale=True)
        for summed in SUMS if "axis" not in says else ():
            words = f"* stands for @ between dZ{{l}} and W{{l}}: {says} and summed"
            yield Mistake("elementwise_product", words, partial(_error, product, summed), 1.2, any_scale=True)


def for_weights() -> Iterator[Mistake[Site, Array]]:
    """What stands for dW = A.T @ dZ, with * in place of @."""
    products: tuple[tuple[str, Product], ...] = (
        ("{input} * dZ{l}", lambda s: _times(s.input, s.dZ)),
        ("{input}.T * dZ{l}", lambda s: _times(s.input.T, s.dZ)),
    )
    for says, product in products:
        words = f"* stands for @ between {{input}} and dZ{{l}}: {says}"
        yield Mistake("elementwise_product", words, partial(_of_the_shape_of_W, product))
        for summed in SUMS:
            formula = partial(_weights, product, summed)
            yield Mistake("elementwise_product", f"{words} and summed", formula, 1.1, any_scale=True)


def _error(product: Product, summed: Callable[[Array], Array], s: Site) -> Array | None:
    M = product(s)
    return None if M is None else _broadcast(summed(M), s.input.shape)


def _weights(product: Product, summed: Callable[[Array], Array], s: Site) -> Array | None:
    M = product(s)
    return None if M is None else _broadcast(summed(M), s.W.shape)


def _of_the_shape_of_W(product: Product, s: Site) -> Array | None:
    M = product(s)
    return M if M is not None and M.shape == s.W.shape else None


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
