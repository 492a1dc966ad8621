"""Functions on numbers, complex numbers included: known ones with their derivatives, and random smooth ones."""

from collections.abc import Callable
from math import gamma
from typing import Any

import numpy as np

from ...calculus.proving.evaluate import FUNCTION_VALUES, OpenFunction
from .value import Array, UnknownFault

__all__ = ["ELEMENTWISE", "REDUCTIONS", "OpenFunction", "difference_quotient"]

Function = Callable[[Array], Any]


def _root(x: Array) -> Any:
    return np.sqrt(x.astype(complex)) if np.iscomplexobj(x) else np.sqrt(x)


def _sigmoid(x: Array) -> Any:
    return FUNCTION_VALUES["sigmoid"](x)


def _factorial(x: Array) -> Any:
    if np.iscomplexobj(x) and x.imag.any():
        raise UnknownFault("a factorial has no derivative here")
    return np.vectorize(gamma, otypes=[float])(x.real + 1)


ELEMENTWISE: dict[str, Function] = {
    **{name: FUNCTION_VALUES[name] for name in ("exp", "log", "abs", "sign", "sin", "cos", "tanh", "sigmoid", "relu")},
    **{name: FUNCTION_VALUES[name] for name in ("step", "softplus", "erf")},
    "ln": np.log,
    "log2": lambda x: np.log(x) / np.log(2),
    "log10": lambda x: np.log(x) / np.log(10),
    "sqrt": _root,
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "ReLU": FUNCTION_VALUES["relu"],
    "Relu": FUNCTION_VALUES["relu"],
    "sgn": FUNCTION_VALUES["sign"],
    "logistic": _sigmoid,
    "sigm": _sigmoid,
    "logit": lambda x: np.log(x / (1 - x)),
    "factorial": _factorial,
    "square": lambda x: x * x,
    "silu": lambda x: x * _sigmoid(x),
    "swish": lambda x: x * _sigmoid(x),
}
"""Functions of one number, entry by entry."""

REDUCTIONS = frozenset({"softmax", "log_softmax", "logsumexp", "sum", "mean", "tr", "trace", "diag", "max", "min"})
REDUCTIONS |= {"length", "one_hot", "at_labels"}
"""Functions of a whole array, or of several."""

_WEIGHTS = ((-3, -1 / 60), (-2, 3 / 20), (-1, -3 / 4), (1, 3 / 4), (2, -3 / 20), (3, 1 / 60))


def difference_quotient(at: Callable[[float], Any], step: float = 5e-3) -> Any:
    """Return the derivative at 0 of `at`, by differences of sixth order: about eleven digits."""
    return sum(weight * at(n * step) for n, weight in _WEIGHTS) / step
