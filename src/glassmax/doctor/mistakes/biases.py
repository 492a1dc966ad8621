"""Mistakes at db = column sums of dZ of one layer, whatever its dZ is.

Right is ``s.dZ.sum(axis=0)``. An average over the rows is a factor 1/n: see `factors`.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ...functional.arrays import Array
from .mistake import Mistake
from .site import Site

__all__ = ["BIASES_OF_OTHER_SHAPE", "biases"]

# Tables: a mistake's cause and words, and below them its formula.
# fmt: off

FROM_DZ: tuple[Mistake[Site], ...] = (
    Mistake("bias_summed_over_all", "dZ{l} was summed over the units too",
            lambda s: np.full(s.h, s.dZ.sum()) if s.h > 1 else None),
    Mistake("bias_averaged", "dZ{l} was averaged over the units too",
            lambda s: np.full(s.h, s.dZ.mean()) if s.h > 1 else None, cost=1.1, any_scale=True),
    Mistake("bias_times_input", "dZ{l} was multiplied by {input} before the sum",
            lambda s: (s.input.T @ s.dZ).sum(axis=0)),
    Mistake("bias_times_input", "db{l} is the mean of the rows of dW{l}",
            lambda s: (s.input.T @ s.dZ).mean(axis=0), cost=1.05),
    Mistake("bias_times_input", "dZ{l} was multiplied by one column of {input}",
            lambda s: (s.input.T @ s.dZ)[0], cost=1.2),
    Mistake("bias_times_input", "dZ{l} was multiplied by {input}, element by element",
            lambda s: (s.input * s.dZ).sum(axis=0) if s.d == s.h else None, cost=1.05),
    Mistake("bias_last_row", "db{l} is the last row of dZ{l}, not the sum of its rows",
            lambda s: s.dZ[-1] if s.n > 1 else None, any_scale=True),
    Mistake("bias_last_row", "db{l} is the first row of dZ{l}, not the sum of its rows",
            lambda s: s.dZ[0] if s.n > 1 else None, cost=1.1, any_scale=True),
    Mistake("bias_summed_over_all", "dZ{l} was summed along its rows, not over them",
            lambda s: s.dZ.sum(axis=1) if s.n == s.h > 1 else None, cost=1.1),
    Mistake("activation_missing", "{dA} was used instead of dZ{l}, but only in db{l}",
            lambda s: s.dA.sum(axis=0) if s.knows_dA else None, cost=1.1),
)


def from_another_layer(other: int) -> Mistake[Site]:
    """db from the dZ of a layer that isn't its own."""
    return Mistake("wrong_layer", f"dZ{other} was used instead of dZ{{l}}, in db{{l}}",
                   lambda s: s.p.dZ[other].sum(axis=0) if s.p.dZ[other].shape == s.dZ.shape else None, cost=1.05)


FROM_OTHERS: tuple[Mistake[Site], ...] = (
    Mistake("bias_times_input", "dZ{l} was multiplied by b{l} itself",
            lambda s: s.dZ.sum(axis=0) * s.b if s.b.any() else None, cost=1.1),
    Mistake("bias_times_input", "dZ{l} was multiplied by A{l} before the sum",
            lambda s: (s.dZ * s.A).sum(axis=0) if not s.is_last else None, cost=1.2),
    Mistake("wrong_operand", "the largest of the rows of dZ{l} was taken, not their sum",
            lambda s: s.dZ.max(axis=0), cost=1.4),
    Mistake("wrong_operand", "|dZ{l}| was summed", lambda s: np.abs(s.dZ).sum(axis=0), cost=1.4),
    Mistake("upstream_dropped", "db{l} is 0: it was never computed", lambda s: np.zeros(s.h), cost=1.1),
    Mistake("upstream_dropped", "db{l} is a constant: dZ{l} was dropped",
            lambda s: np.ones(s.h), cost=1.2, any_scale=True),
)

DIRECTLY_OF_OTHER_SHAPE: tuple[Mistake[Site], ...] = (
    Mistake("bias_not_summed", "dZ{l} was not summed over the samples", lambda s: s.dZ),
    Mistake("bias_not_summed", "dZ{l} was not summed over the samples", lambda s: s.dZ.T),
    Mistake("bias_summed_over_all", "dZ{l} was summed over the units too", lambda s: np.asarray(s.dZ.sum())),
    Mistake("bias_averaged", "dZ{l} was averaged over the units too",
            lambda s: np.asarray(s.dZ.mean()), any_scale=True),
    Mistake("bias_not_summed", "dZ{l} was summed along its rows, not over them",
            lambda s: s.dZ.sum(axis=1), also=("bias_summed_over_all",)),
    Mistake("bias_times_input", "dZ{l} was multiplied by {input} before the sum", lambda s: s.input.T @ s.dZ),
    Mistake("bias_times_input", "dZ{l} was multiplied by {input} before the sum", lambda s: (s.input.T @ s.dZ).T),
    Mistake("bias_times_input", "dZ{l} was multiplied by {input} before the sum",
            lambda s: (s.input.T @ s.dZ).sum(axis=1)),
)
# fmt: on


def biases(s: Site) -> Iterator[Mistake[Site]]:
    """Wrong versions of db in the shape of b."""
    yield from FROM_DZ
    yield from (from_another_layer(other) for other in range(1, s.p.depth + 1) if other != s.layer)
    yield from FROM_OTHERS


def _reshaped(mistake: Mistake[Site], ndim: int, shape: tuple[int, ...], s: Site) -> Array | None:
    made = mistake.formula(s)
    return made.reshape(shape) if made is not None and made.ndim == ndim else None


def _with_axes_of_length_one(mistake: Mistake[Site]) -> Iterator[Mistake[Site]]:
    yield mistake
    for ndim, shape in ((1, (-1, 1)), (1, (1, -1)), (0, (1,)), (0, (1, 1))):
        yield replace(mistake, formula=partial(_reshaped, mistake, ndim, shape))


BIASES_OF_OTHER_SHAPE = tuple(made for mistake in DIRECTLY_OF_OTHER_SHAPE for made in _with_axes_of_length_one(mistake))
"""An axis of length 1 may be there or not."""
