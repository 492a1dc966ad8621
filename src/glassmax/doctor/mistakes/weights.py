"""Mistakes at dW = Aᵀ dZ of one layer, whatever its dZ is."""

from collections.abc import Iterator

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Pass
from . import products
from .activation_forms import A_FORMS
from .mistake import Mistake

__all__ = ["of_other_shape", "weights"]


def weights(p: Pass, layer: int, D: Array, before: Array | None) -> Iterator[tuple[Mistake, Array]]:
    """dW of `layer` from D, the learner's dZ; `before` is the learner's dA (dP at the top); the penalty comes later."""
    A, W = p.A[layer - 1], p.W[layer]
    n, (d, h) = p.n, W.shape
    below = f"A{layer - 1}" if layer > 1 else "X"
    right = A.T @ D
    if d == h and d > 1:
        yield Mistake("transposed", f"dW{layer} is transposed: dZᵀ {below} stands for {below}ᵀ dZ"), right.T
    sums = D.sum(axis=0)
    yield (
        Mistake("input_missing", f"the factor {below} is missing: each row is the sum of dZ{layer}"),
        np.repeat(sums[None, :], d, axis=0),
    )
    yield (
        Mistake("weights_for_input", f"W{layer} stands where {below} belongs"),
        W * sums[None, :],
    )
    if n == d:
        yield Mistake("transposed", f"{below} was not transposed: {below} @ dZ{layer}"), A @ D
        yield Mistake("weights_for_input", f"W{layer} was multiplied by dZ{layer} element by element", 1.2), W * D
        yield Mistake("input_missing", f"dZ{layer} itself stands where dW{layer} belongs", 1.2), D.copy()
    yield (
        Mistake(
            "batch_coupling",
            f"{below} and dZ{layer} were each summed or averaged over the samples, then multiplied",
            1.1,
            True,
            ("elementwise_product",),
        ),
        np.outer(A.sum(axis=0), sums),
    )
    if d > 1 and h > 1:
        yield from products.for_weights(A, D, below, layer)
    if d == h:
        yield (
            Mistake("elementwise_product", "only the diagonal of the outer product was kept", 1.3),
            np.diag((A * D).sum(axis=0)),
        )
    if n > 1:
        yield (
            Mistake("bias_last_row", "only the last sample counts: each overwrote the one before", 1.2, True),
            np.outer(A[-1], D[-1]),
        )
        yield Mistake("bias_last_row", "only the first sample counts", 1.4, True), np.outer(A[0], D[0])
        yield (
            Mistake("wrong_operand", f"{below} of the last sample was used for every sample", 1.3),
            np.outer(A[-1], sums),
        )
    yield from _operands(p, layer, D, before)


def _operands(p: Pass, layer: int, D: Array, before: Array | None) -> Iterator[tuple[Mistake, Array]]:
    A = p.A[layer - 1]
    below = f"A{layer - 1}" if layer > 1 else "X"
    if before is not None and before.shape == D.shape:
        what = f"dA{layer}" if layer < p.depth else "dP"
        yield (
            Mistake("activation_missing", f"{what} stands where dZ{layer} belongs, but only in dW{layer}", 1.1),
            A.T @ before,
        )
    inputs = {f"A{m}": p.A[m] for m in range(1, p.depth)} | {"X": p.X}
    for name, other in inputs.items():
        if name != below and other.shape == A.shape:
            yield Mistake("wrong_layer", f"{name} stands where {below} belongs", 1.05), other.T @ D
    if layer > 1:
        yield from _overwritten(p, layer, D)
    for name, other in {"P": p.P, "Y": p.Y}.items():
        if other.shape == A.shape:
            yield Mistake("wrong_operand", f"{name} stands where {below} belongs", 1.3), other.T @ D
        if other.shape == D.shape and layer == p.depth:
            yield Mistake("wrong_operand", f"{name} stands where dZ{layer} belongs", 1.3), A.T @ other
    for m in range(1, p.depth + 1):
        if m != layer and p.dZ[m].shape == D.shape:
            yield Mistake("wrong_layer", f"dZ{m} stands where dZ{layer} belongs, in dW{layer}", 1.05), A.T @ p.dZ[m]
    if p.n > 1:
        yield (
            Mistake("wrong_operand", f"{below} and dZ{layer} belong to different samples: one row off", 1.3),
            np.roll(A, 1, axis=0).T @ D,
        )
        yield (
            Mistake("wrong_operand", f"{below} and dZ{layer} belong to different samples: the order is reversed", 1.3),
            A[::-1].T @ D,
        )


def _overwritten(p: Pass, layer: int, D: Array) -> Iterator[tuple[Mistake, Array]]:
    """dW from an A that is no longer what it was, or never was the one that is meant."""
    A = p.A[layer - 1]
    f, Z = p.f(layer - 1), p.Z[layer - 1]
    if f != "identity":
        yield Mistake("wrong_operand", f"Z{layer - 1} stands where A{layer - 1} belongs"), Z.T @ D
    changed = p.f_prime(layer - 1)
    yield (
        Mistake(
            "in_place",
            f"A{layer - 1} had been overwritten by its derivative {f}' when dW{layer} was taken",
            1.02,
            also=("wrong_operand",),
        ),
        changed.T @ D,
    )
    if f in A_FORMS:
        yield (
            Mistake("in_place", f"A{layer - 1} had been overwritten: {f}' of A{layer - 1}, taken twice", 1.3),
            A_FORMS[f](changed).T @ D,
        )
    yield (
        Mistake("in_place", f"A{layer - 1} had been multiplied in place by {f}'", 1.1),
        (A * changed).T @ D,
    )
    error = D @ p.W[layer].T
    yield (
        Mistake(
            "in_place",
            f"A{layer - 1} had been overwritten by dZ{layer - 1} when dW{layer} was taken",
            1.1,
            True,
        ),
        (error * changed).T @ D,
    )
    yield (
        Mistake(
            "in_place",
            f"A{layer - 1} had been overwritten by dA{layer - 1} when dW{layer} was taken",
            1.1,
            True,
        ),
        error.T @ D,
    )


def of_other_shape(p: Pass, layer: int, D: Array) -> Iterator[tuple[Mistake, Array]]:
    """What a learner gets whose dW has not the shape of W."""
    A = p.A[layer - 1]
    below = f"A{layer - 1}" if layer > 1 else "X"
    yield Mistake("transposed", f"dW{layer} is transposed: dZᵀ {below} stands for {below}ᵀ dZ"), D.T @ A
    summed = f"dW{layer} was not summed over the samples"
    outer = A[:, :, None] * D[:, None, :]
    yield Mistake("elementwise_product", summed), outer
    yield Mistake("elementwise_product", summed), outer.swapaxes(1, 2)
    if A.shape[1] == D.shape[1] or 1 in (A.shape[1], D.shape[1]):
        product = A * D
        says = f"* stands for @ between {below} and dZ{layer}"
        yield Mistake("elementwise_product", says), product
        yield Mistake("elementwise_product", says), product.sum(axis=0)
        yield Mistake("elementwise_product", says), product.T
        yield Mistake("elementwise_product", says), product.mean(axis=0)
        yield Mistake("elementwise_product", says, 1.0, True), product.sum(axis=1)
    yield Mistake("input_missing", f"the factor {below} is missing"), D.sum(axis=0)
    yield Mistake("input_missing", f"the factor {below} is missing"), D
    yield Mistake("input_missing", f"the factor {below} is missing"), D.T
    if p.n == 1:
        yield Mistake("input_missing", f"the factor {below} is missing"), D[0]
    if A.shape[1] == D.shape[1]:
        yield (
            Mistake("transposed", "an inner product stands where the outer product belongs"),
            np.asarray((A * D).sum()),
        )
        yield Mistake("transposed", f"the samples were not summed: {below} dZᵀ"), A @ D.T
    for other, name in ((A, below), (D, f"dZ{layer}")):
        says = f"{name} was multiplied by itself: {name}ᵀ {name}"
        yield Mistake("wrong_operand", says, 1.2, True), other.T @ other
