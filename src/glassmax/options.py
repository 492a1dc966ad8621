"""What the constructor of the estimator takes, checked when it is used.

scikit-learn's contract wants constructors that store and say nothing; the checks are made here, once, at the start of
each fit. This module refuses to see data.
"""

from typing import Any

import numpy as np

from .errors import OptionError, one_of
from .functional import ACTIVATIONS
from .optimizers import SGD, Adam, Rule

__all__ = ["ALIASES", "check_options", "hidden_sizes"]

ALIASES = {"logistic": "sigmoid"}
SOLVERS = ("adam", "sgd")


def check_options(estimator: Any) -> Rule:
    """Check the parameters of a `SoftmaxClassifier`, and return the rule that they describe.

    Parameters
    ----------
    estimator : SoftmaxClassifier

    Returns
    -------
    Rule

    Raises
    ------
    OptionError
        Naming the parameter, what was expected and what came.
    """
    one_of("solver", estimator.solver, SOLVERS)
    one_of("activation", estimator.activation, [*ACTIVATIONS, *ALIASES])
    rate = estimator.learning_rate_init
    if not (_is_number(rate) and 0 < rate < np.inf):
        raise OptionError(f"learning_rate_init is {rate!r}, expected a number > 0.")
    for what in ("max_iter", "n_iter_no_change", "batch_size"):
        value = getattr(estimator, what)
        if not (_is_whole(value) and value >= 1) and not (what == "batch_size" and value == "auto"):
            other = ' or "auto"' if what == "batch_size" else ""
            raise OptionError(f"{what} is {value!r}, expected a whole number >= 1{other}.")
    for what in ("alpha", "tol"):
        value = getattr(estimator, what)
        if not (_is_number(value) and 0 <= value < np.inf):
            raise OptionError(f"{what} is {value!r}, expected a number >= 0.")
    share = estimator.validation_fraction
    if not (_is_number(share) and 0 < share < 1):
        raise OptionError(f"validation_fraction is {share!r}, expected a number between 0 and 1.")
    if isinstance(estimator.class_weight, str):
        one_of("class_weight", estimator.class_weight, ("balanced",))
    if any(not _is_whole(size) or size < 1 for size in hidden_sizes(estimator)):
        raise OptionError(
            f"hidden_layer_sizes is {estimator.hidden_layer_sizes!r}, expected whole numbers >= 1, as (100,) or ()."
        )
    if estimator.solver == "sgd":
        return SGD(rate, estimator.momentum, estimator.nesterovs_momentum)
    return Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """Return the sizes of the hidden layers; a single number is one layer."""
    sizes = estimator.hidden_layer_sizes
    return (sizes,) if np.ndim(sizes) == 0 else tuple(sizes)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating)
