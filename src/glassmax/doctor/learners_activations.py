"""The activations that a learner's network may have: the library's, and two of them with the constants people choose.

Each has a name, f, f', the derivative in terms of A = f(Z) as learners write it, and the line that computes it.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from ..functional.activations import ACTIVATIONS as OF_THE_LIBRARY
from ..functional.activations import Activation
from ..functional.activations.leaky_relu import leaky_relu, leaky_relu_second, leaky_relu_vjp
from ..functional.arrays import Array

__all__ = ["ACTIVATIONS", "A_FORMS", "DERIVATIVES", "KINKED", "LEAKY", "WITH_CONSTANTS"]

SLOPES = (0.1, 0.2, 0.3, 0.05, 0.25, 0.5, 0.001)
"""Slopes of leaky relu below 0, beside the library's 0.01."""
ALPHAS = (0.5, 0.1, 2.0)
"""Factors of elu below 0, beside the library's 1."""


def _elu(alpha: float, Z: Array) -> Array:
    return np.where(Z > 0, Z, alpha * np.expm1(np.minimum(Z, 0)))


def _elu_vjp(alpha: float, dA: Array, Z: Array) -> Array:
    return dA * np.where(Z > 0, 1, alpha * np.exp(np.minimum(Z, 0)))


def _elu_second(alpha: float, Z: Array) -> Array:
    return np.where(Z > 0, 0, alpha * np.exp(np.minimum(Z, 0)))


def _leaky(slope: float) -> Activation:
    f, vjp, second = (partial(each, slope=slope) for each in (leaky_relu, leaky_relu_vjp, leaky_relu_second))
    return Activation(f"leaky_relu(slope={slope:g})", f, vjp, second)


def _with_alpha(alpha: float) -> Activation:
    f, vjp, second = (partial(each, alpha) for each in (_elu, _elu_vjp, _elu_second))
    return Activation(f"elu(alpha={alpha:g})", f, vjp, second)


LEAKY = {made.name: slope for slope in SLOPES for made in [_leaky(slope)]}
_ELU = {made.name: alpha for alpha in ALPHAS for made in [_with_alpha(alpha)]}
WITH_CONSTANTS = (*LEAKY, *_ELU)
"""The names of those that are not the library's."""

ACTIVATIONS: dict[str, Activation] = {
    **OF_THE_LIBRARY,
    **{name: _leaky(slope) for name, slope in LEAKY.items()},
    **{name: _with_alpha(alpha) for name, alpha in _ELU.items()},
}

KINKED = ("relu", "leaky_relu", "elu", "selu", *WITH_CONSTANTS)
"""The activations whose derivative jumps at 0; of elu, whose derivative is 1 on both sides, the second one does."""

A_FORMS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda A: A * (1 - A),
    "tanh": lambda A: 1 - A * A,
    "relu": lambda A: (A > 0).astype(float),
    "leaky_relu": lambda A: np.where(A > 0, 1.0, 0.01),
    "elu": lambda A: np.where(A > 0, 1.0, A + 1),
    "softplus": lambda A: 1 - np.exp(-A),
    "identity": lambda A: np.ones_like(A),
    **{name: lambda A, slope=slope: np.where(A > 0, 1.0, slope) for name, slope in LEAKY.items()},  # type: ignore[misc]
    **{name: lambda A, alpha=alpha: np.where(A > 0, 1.0, A + alpha) for name, alpha in _ELU.items()},  # type: ignore[misc]
}
"""The derivatives in terms of A = f(Z), as learners write them: sigmoid' = A (1 - A)."""

DERIVATIVES = {
    "identity": "1",
    "sigmoid": "{A} * (1 - {A})",
    "tanh": "(1 - {A}**2)",
    "relu": "({Z} > 0)",
    "leaky_relu": "np.where({Z} > 0, 1, 0.01)",
    "elu": "np.where({Z} > 0, 1, {A} + 1)",
    "softplus": "sigmoid({Z})",
    **{name: f"np.where({{Z}} > 0, 1, {slope:g})" for name, slope in LEAKY.items()},
    **{name: f"np.where({{Z}} > 0, 1, {{A}} + {alpha:g})" for name, alpha in _ELU.items()},
}
"""The line that computes f'(Z), with Z and A named."""
