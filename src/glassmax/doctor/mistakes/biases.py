"""Mistakes at db = column sums of dZ of one layer, whatever its dZ is."""

from collections.abc import Iterator

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Pass
from .mistake import Mistake

__all__ = ["biases", "of_other_shape"]


def biases(p: Pass, layer: int, D: Array, before: Array | None) -> Iterator[tuple[Mistake, Array]]:
    """db of `layer` from D, the learner's dZ; averages are left to the search for constants."""
    A, n, h = p.A[layer - 1], p.n, D.shape[1]
    below = f"A{layer - 1}" if layer > 1 else "X"
    sums = D.sum(axis=0)
    if h > 1:
        yield Mistake("bias_summed_over_all", f"dZ{layer} was summed over the units too"), np.full(h, D.sum())
        yield Mistake("bias_averaged", f"dZ{layer} was averaged over the units too", 1.1, True), np.full(h, D.mean())
    product = A.T @ D
    yield (
        Mistake("bias_times_input", f"dZ{layer} was multiplied by {below} before the sum"),
        product.sum(axis=0),
    )
    yield (
        Mistake("bias_times_input", f"db{layer} is the mean of the rows of dW{layer}", 1.05),
        product.mean(axis=0),
    )
    yield Mistake("bias_times_input", f"dZ{layer} was multiplied by one column of {below}", 1.2), product[0]
    if A.shape == D.shape:
        yield (
            Mistake("bias_times_input", f"dZ{layer} was multiplied by {below}, element by element", 1.05),
            (A * D).sum(axis=0),
        )
    if n > 1:
        yield (
            Mistake("bias_last_row", f"db{layer} is the last row of dZ{layer}, not the sum of its rows", 1.0, True),
            D[-1].copy(),
        )
        yield (
            Mistake("bias_last_row", f"db{layer} is the first row of dZ{layer}, not the sum of its rows", 1.1, True),
            D[0].copy(),
        )
    if n == h and n > 1:
        yield (
            Mistake("bias_summed_over_all", f"dZ{layer} was summed along its rows, not over them", 1.1),
            D.sum(axis=1),
        )
    if before is not None and before.shape == D.shape:
        what = f"dA{layer}" if layer < p.depth else "dP"
        yield (
            Mistake("activation_missing", f"{what} stands where dZ{layer} belongs, but only in db{layer}", 1.1),
            before.sum(axis=0),
        )
    for other in range(1, p.depth + 1):
        if other != layer and p.dZ[other].shape[1] == h:
            yield (
                Mistake("wrong_layer", f"dZ{other} stands where dZ{layer} belongs, in db{layer}", 1.05),
                p.dZ[other].sum(axis=0),
            )
    if p.b[layer].any():
        yield Mistake("bias_times_input", f"dZ{layer} was multiplied by b{layer} itself", 1.1), sums * p.b[layer]
    if layer < p.depth:
        yield (
            Mistake("bias_times_input", f"dZ{layer} was multiplied by A{layer} before the sum", 1.2),
            (D * p.A[layer]).sum(axis=0),
        )
    yield (
        Mistake("wrong_operand", f"the largest of the rows of dZ{layer} was taken, not their sum", 1.4),
        D.max(axis=0),
    )
    yield Mistake("wrong_operand", f"|dZ{layer}| was summed", 1.4), np.abs(D).sum(axis=0)
    yield Mistake("upstream_dropped", f"db{layer} is 0: it was never computed", 1.1), np.zeros(h)
    yield Mistake("upstream_dropped", f"db{layer} is a constant: dZ{layer} was dropped", 1.2, True), np.ones(h)


def of_other_shape(p: Pass, layer: int, D: Array) -> Iterator[tuple[Mistake, Array]]:
    """What a learner gets whose db has not the shape of b; an axis of length 1 may be there or not."""
    for mistake, made in _of_other_shape(p, layer, D):
        yield mistake, made
        if made.ndim == 1:
            yield mistake, made[:, None]
            yield mistake, made[None, :]
        elif made.ndim == 0:
            yield mistake, made.reshape(1)
            yield mistake, made.reshape(1, 1)


def _of_other_shape(p: Pass, layer: int, D: Array) -> Iterator[tuple[Mistake, Array]]:
    A = p.A[layer - 1]
    not_summed = f"dZ{layer} was not summed over the samples"
    yield Mistake("bias_not_summed", not_summed), D
    yield Mistake("bias_not_summed", not_summed), D.T
    yield Mistake("bias_summed_over_all", f"dZ{layer} was summed over the units too"), np.asarray(D.sum())
    yield Mistake("bias_averaged", f"dZ{layer} was averaged over the units too", any_scale=True), np.asarray(D.mean())
    wrong_axis = f"dZ{layer} was summed along its rows, not over them"
    yield Mistake("bias_not_summed", wrong_axis, also=("bias_summed_over_all",)), D.sum(axis=1)
    product = A.T @ D
    times = f"dZ{layer} was multiplied by its input before the sum"
    yield Mistake("bias_times_input", times), product
    yield Mistake("bias_times_input", times), product.T
    yield Mistake("bias_times_input", times), product.sum(axis=1)
