"""Derivatives of activations in the form that takes A, as learners write them: sigmoid' = A (1 - A)."""

from collections.abc import Callable

import numpy as np

from ...functional.arrays import Array

__all__ = ["A_FORMS"]


A_FORMS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda A: A * (1 - A),
    "tanh": lambda A: 1 - A * A,
    "relu": lambda A: (A > 0).astype(float),
    "leaky_relu": lambda A: np.where(A > 0, 1.0, 0.01),
    "elu": lambda A: np.where(A > 0, 1.0, A + 1),
    "softplus": lambda A: 1 - np.exp(-A),
    "identity": lambda A: np.ones_like(A),
}
"""By the activation's name; what stands here is right only if it is fed with A = f(Z)."""
