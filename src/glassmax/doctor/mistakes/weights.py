"""Mistakes at dW = Aᵀ dZ of one layer, whatever its dZ is; the penalty's part is in `penalties`.

Right is ``s.input.T @ s.dZ``, where the input is A of the layer below, or X.
"""

from collections.abc import Callable, Iterator

import numpy as np

from ...functional.arrays import Array
from .mistake import Mistake
from .products import for_weights
from .site import Site

__all__ = ["TRANSPOSED", "WEIGHTS_OF_OTHER_SHAPE", "weights"]


def weights(s: Site) -> Iterator[Mistake[Site]]:
    """Wrong versions of dW in the shape of W."""
    yield from FACTORS_OF_THE_PRODUCT
    if s.d > 1 and s.h > 1:
        yield from for_weights()
    yield from ROWS
    yield from (of_another_input(other) for other in (*range(1, s.p.depth), 0) if other != s.layer - 1)
    if s.layer > 1:
        yield from OVERWRITTEN
    yield from P_OR_Y
    yield from (of_another_error(other) for other in range(1, s.p.depth + 1) if other != s.layer)
    yield from ROWS_OUT_OF_STEP


# Tables: a mistake's cause and words, and below them its formula.
# fmt: off

FACTORS_OF_THE_PRODUCT: tuple[Mistake[Site], ...] = (
    Mistake("transposed", "dW{l} is transposed: dZ{l}ᵀ {input} was used instead of {input}ᵀ dZ{l}",
            lambda s: (s.input.T @ s.dZ).T if s.d == s.h > 1 else None),
    Mistake("input_missing", "the factor {input} is missing: each row is the sum of dZ{l}",
            lambda s: np.repeat(s.dZ.sum(axis=0)[None, :], s.d, axis=0)),
    Mistake("weights_for_input", "W{l} was used instead of {input}", lambda s: s.W * s.dZ.sum(axis=0)[None, :]),
    Mistake("transposed", "{input} was not transposed: {input} @ dZ{l}",
            lambda s: s.input @ s.dZ if s.n == s.d else None),
    Mistake("weights_for_input", "W{l} was multiplied by dZ{l} element by element",
            lambda s: s.W * s.dZ if s.n == s.d else None, cost=1.2),
    Mistake("input_missing", "dZ{l} itself was used instead of dW{l}",
            lambda s: s.dZ if s.n == s.d else None, cost=1.2),
    Mistake("batch_coupling", "{input} and dZ{l} were each summed or averaged over the samples, then multiplied",
            lambda s: np.outer(s.input.sum(axis=0), s.dZ.sum(axis=0)), cost=1.1, any_scale=True,
            also=("elementwise_product",)),
)

ROWS: tuple[Mistake[Site], ...] = (
    Mistake("elementwise_product", "only the diagonal of the outer product was kept",
            lambda s: np.diag((s.input * s.dZ).sum(axis=0)) if s.d == s.h else None, cost=1.3),
    Mistake("bias_last_row", "only the last sample counts: each sample overwrote the one before",
            lambda s: np.outer(s.input[-1], s.dZ[-1]) if s.n > 1 else None, cost=1.2, any_scale=True),
    Mistake("bias_last_row", "only the first sample counts",
            lambda s: np.outer(s.input[0], s.dZ[0]) if s.n > 1 else None, cost=1.4, any_scale=True),
    Mistake("wrong_operand", "{input} of the last sample was used for every sample",
            lambda s: np.outer(s.input[-1], s.dZ.sum(axis=0)) if s.n > 1 else None, cost=1.3),
    Mistake("activation_missing", "{dA} was used instead of dZ{l}, but only in dW{l}",
            lambda s: s.input.T @ s.dA if s.knows_dA else None, cost=1.1),
)

OVERWRITTEN: tuple[Mistake[Site], ...] = (
    Mistake("wrong_operand", "Z{below} was used instead of A{below}",
            lambda s: s.below.Z.T @ s.dZ if s.below.f != "identity" else None),
    Mistake("in_place", "A{below} had been overwritten by its derivative {f_below}' when dW{l} was taken",
            lambda s: s.below.slope.T @ s.dZ, cost=1.02, also=("wrong_operand",)),
    Mistake("in_place", "A{below} had been overwritten: {f_below}' of A{below}, taken twice",
            lambda s: _in_the_form_for_A(s, s.below.slope), cost=1.3),
    Mistake("in_place", "A{below} had been multiplied in place by {f_below}'",
            lambda s: (s.input * s.below.slope).T @ s.dZ, cost=1.1),
    Mistake("in_place", "A{below} had been overwritten by dZ{below} when dW{l} was taken",
            lambda s: s.below.dZ.T @ s.dZ, cost=1.1, any_scale=True),
    Mistake("in_place", "A{below} had been overwritten by dA{below} when dW{l} was taken",
            lambda s: s.below.dA.T @ s.dZ, cost=1.1, any_scale=True),
)

P_OR_Y: tuple[Mistake[Site], ...] = (
    Mistake("wrong_operand", "P was used instead of {input}",
            lambda s: s.p.P.T @ s.dZ if s.p.P.shape == s.input.shape else None, cost=1.3),
    Mistake("wrong_operand", "P was used instead of dZ{l}",
            lambda s: s.input.T @ s.p.P if s.is_last else None, cost=1.3),
    Mistake("wrong_operand", "Y was used instead of {input}",
            lambda s: s.p.Y.T @ s.dZ if s.p.Y.shape == s.input.shape else None, cost=1.3),
    Mistake("wrong_operand", "Y was used instead of dZ{l}",
            lambda s: s.input.T @ s.p.Y if s.is_last else None, cost=1.3),
)

ROWS_OUT_OF_STEP: tuple[Mistake[Site], ...] = (
    Mistake("wrong_operand", "{input} and dZ{l} belong to different samples: one row off",
            lambda s: np.roll(s.input, 1, axis=0).T @ s.dZ if s.n > 1 else None, cost=1.3),
    Mistake("wrong_operand", "{input} and dZ{l} belong to different samples: the order is reversed",
            lambda s: s.input[::-1].T @ s.dZ if s.n > 1 else None, cost=1.3),
)

TRANSPOSED: Mistake[Site] = Mistake(
    "transposed", "dW{l} is transposed: dZᵀ A was used instead of Aᵀ dZ", lambda s: (s.input.T @ s.dZ).T)
"""If W isn't square, the shape alone shows it; there may be a second mistake."""

TIMES = "* was used instead of @ between {input} and dZ{l}"
WEIGHTS_OF_OTHER_SHAPE: tuple[Mistake[Site], ...] = (
    Mistake("transposed", "dW{l} is transposed: dZ{l}ᵀ {input} was used instead of {input}ᵀ dZ{l}",
            lambda s: s.dZ.T @ s.input),
    Mistake("elementwise_product", "dW{l} was not summed over the samples", lambda s: _outer(s)),
    Mistake("elementwise_product", "dW{l} was not summed over the samples", lambda s: _outer(s).swapaxes(1, 2)),
    Mistake("elementwise_product", TIMES, lambda s: _each(s, lambda M: M)),
    Mistake("elementwise_product", TIMES, lambda s: _each(s, lambda M: M.sum(axis=0))),
    Mistake("elementwise_product", TIMES, lambda s: _each(s, lambda M: M.T)),
    Mistake("elementwise_product", TIMES, lambda s: _each(s, lambda M: M.mean(axis=0))),
    Mistake("elementwise_product", TIMES, lambda s: _each(s, lambda M: M.sum(axis=1)), any_scale=True),
    Mistake("input_missing", "the factor {input} is missing", lambda s: s.dZ.sum(axis=0)),
    Mistake("input_missing", "the factor {input} is missing", lambda s: s.dZ),
    Mistake("input_missing", "the factor {input} is missing", lambda s: s.dZ.T),
    Mistake("input_missing", "the factor {input} is missing", lambda s: s.dZ[0] if s.n == 1 else None),
    Mistake("transposed", "an inner product was used instead of the outer product",
            lambda s: np.asarray((s.input * s.dZ).sum()) if s.d == s.h else None),
    Mistake("transposed", "the samples were not summed: {input} dZᵀ",
            lambda s: s.input @ s.dZ.T if s.d == s.h else None),
    Mistake("wrong_operand", "{input} was multiplied by itself: {input}ᵀ {input}",
            lambda s: s.input.T @ s.input, cost=1.2, any_scale=True),
    Mistake("wrong_operand", "dZ{l} was multiplied by itself: dZ{l}ᵀ dZ{l}",
            lambda s: s.dZ.T @ s.dZ, cost=1.2, any_scale=True),
)


def of_another_input(other: int) -> Mistake[Site]:
    """dW from the A of a layer that isn't the one below; X is that of layer 0."""
    return Mistake("wrong_layer", f"{f'A{other}' if other else 'X'} was used instead of {{input}}",
                   lambda s: s.p.A[other].T @ s.dZ if s.p.A[other].shape == s.input.shape else None, cost=1.05)


def of_another_error(other: int) -> Mistake[Site]:
    """dW from the dZ of a layer that isn't its own."""
    return Mistake("wrong_layer", f"dZ{other} was used instead of dZ{{l}}, in dW{{l}}",
                   lambda s: s.input.T @ s.p.dZ[other] if s.p.dZ[other].shape == s.dZ.shape else None, cost=1.05)
# fmt: on


def _in_the_form_for_A(s: Site, A: Array) -> Array | None:
    changed = s.below.form_for_A(A)
    return None if changed is None else changed.T @ s.dZ


def _outer(s: Site) -> Array:
    return s.input[:, :, None] * s.dZ[:, None, :]


def _each(s: Site, summed: Callable[[Array], Array]) -> Array | None:
    """What is made of A * dZ, where the two have the same width or broadcast."""
    return summed(s.input * s.dZ) if s.d == s.h or 1 in (s.d, s.h) else None
