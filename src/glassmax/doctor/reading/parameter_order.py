"""The order of the learner's arrays: which weights follow which, and which bias goes with which weights.

Sizes decide; where they leave a choice, equal digits in the names do, then what else the names share, then the
learner's order. Where a loss can tell by its value, every order is worth trying.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from ...functional.arrays import Array

__all__ = ["biases_of", "chains"]

TRIED = 24
MOST = 6
"""Biases whose every order is tried."""

Named = tuple[str, Array]


def chains(d: int, weights: Sequence[Named], transposed: bool) -> Iterator[tuple[list[Named], tuple[int, ...]]]:
    """Yield the orders of weights whose sizes follow from d inputs, with those sizes; the likeliest first."""
    if not weights:
        return
    ends = [_ends(array, transposed) for _, array in weights]
    numbers = [digits[-1:] for digits in (_digits(name) for name, _ in weights)]
    first = list(range(len(weights)))
    if all(numbers) and len({*map(tuple, numbers)}) == len(numbers):
        first.sort(key=lambda i: numbers[i])
    seen: list[list[int]] = []
    for order in islice(_following(d, first, ends), TRIED):
        if order not in seen:
            seen.append(order)
            yield [weights[i] for i in order], (d, *(ends[i][1] for i in order))


def _ends(array: Array, transposed: bool) -> tuple[int, int]:
    into, out = array.shape if array.ndim == 2 else (array.size, 1)[:: -1 if transposed else 1]
    return (out, into) if transposed else (into, out)


def _following(size: int, left: list[int], ends: list[tuple[int, int]]) -> Iterator[list[int]]:
    if not left:
        yield []
    for i in left:
        if ends[i][0] == size:
            for rest in _following(ends[i][1], [other for other in left if other != i], ends):
                yield [i, *rest]


def biases_of(others: Sequence[Named], order: Sequence[Named], sizes: tuple[int, ...]) -> list[dict[str, int]]:
    """List the ways in which the biases go with the layers, the likeliest first: the layer of each bias, from 1.

    `others` are the biases in the learner's order, `order` the weights in the order of the layers.
    """
    if any(array.ndim > 2 or (array.ndim == 2 and 1 not in array.shape) for _, array in others):
        return []
    if others and all(_digits(name) for name, _ in others):
        others = sorted(others, key=lambda pair: _digits(pair[0])[-1])
    layer_of = {tuple(_digits(name)): layer for layer, (name, _) in enumerate(order, start=1)}
    by_digits = [layer_of.get(tuple(_digits(name)), 0) for name, _ in others]
    found = [by_digits] if _fit(others, by_digits, sizes) and any(_digits(name) for name, _ in others) else []
    plain = _in_turn(others, sizes)
    if len(others) <= MOST:
        every = list(islice(_every(others, sizes, []), 10 * TRIED))
        weights = [name for name, _ in order]
        every.sort(key=lambda layers: (-_shared(others, weights, layers), layers != plain))
        found += every[:TRIED]
    elif plain is not None:
        found.append(plain)
    return [dict(zip((name for name, _ in others), layers, strict=True)) for layers in found]


def _digits(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]


def _fit(others: Sequence[Named], layers: Sequence[int], sizes: tuple[int, ...]) -> bool:
    fitting = all(layer and array.size == sizes[layer] for (_, array), layer in zip(others, layers, strict=True))
    return fitting and len({*layers}) == len(layers)


def _in_turn(others: Sequence[Named], sizes: tuple[int, ...]) -> list[int] | None:
    """Each bias at the next layer that it fits."""
    layers, layer = [], 1
    for _, array in others:
        while layer < len(sizes) and array.size != sizes[layer]:
            layer += 1
        if layer == len(sizes):
            return None
        layers.append(layer)
        layer += 1
    return layers


def _every(others: Sequence[Named], sizes: tuple[int, ...], taken: list[int]) -> Iterator[list[int]]:
    if len(taken) == len(others):
        yield taken
        return
    for layer in range(1, len(sizes)):
        if layer not in taken and others[len(taken)][1].size == sizes[layer]:
            yield from _every(others, sizes, [*taken, layer])


def _shared(others: Sequence[Named], weights: Sequence[str], layers: Sequence[int]) -> int:
    """The number of letters that biases' names share with their weights' names, at both ends."""
    return sum(_alike(name, weights[layer - 1]) for (name, _), layer in zip(others, layers, strict=True))


def _alike(one: str, other: str) -> int:
    one, other = (re.sub(r"[^a-z]", "", name.lower()) for name in (one, other))
    return _common(one, other) + _common(one[::-1], other[::-1])


def _common(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
