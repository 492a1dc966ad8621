"""What the constructor of the estimator takes, checked when it is used.

scikit-learn's contract wants constructors that store and say nothing; the checks are made here, once, at the start of
each fit, and what the parameters mean together is a `Plan`. This module refuses to see data.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..engine import Recipe
from ..errors import OptionError, one_of
from ..functional import ACTIVATIONS
from ..initializers import SCHEMES
from ..optimizers import SCHEDULES, SGD, Adam, Rule, Schedule
from .notices import notice
from .scoring import Scorer, make_scorer

__all__ = ["Plan", "activations_of", "check_options", "hidden_sizes", "warn_of_ignored"]

ALIASES = {"logistic": "sigmoid"}
SOLVERS = ("adam", "adamw", "sgd", "lbfgs")
LOSSES = ("cross_entropy", "squared_error")
OUTPUTS = ("auto", "softmax", "sigmoid")
SGD_ONLY = ("invscaling", "adaptive")
DEFAULT_ALPHA, DEFAULT_DECAY = 0.0001, 0.01


class Plan(NamedTuple):
    """What the parameters of a `SoftmaxClassifier` mean together.

    Attributes
    ----------
    rule : Rule
        For solver "lbfgs" one that is never asked.
    schedule : Schedule
    recipe : Recipe
        Its seed is not drawn yet.
    scorer : Scorer or None
        None where the score is one that every epoch says.
    """

    rule: Rule
    schedule: Schedule
    recipe: Recipe
    scorer: Scorer | None


def check_options(estimator: Any) -> Plan:
    """Check the parameters of a `SoftmaxClassifier`, and return what they mean.

    Parameters
    ----------
    estimator : SoftmaxClassifier

    Returns
    -------
    Plan

    Raises
    ------
    OptionError
        Naming the parameter, what was expected and what came.
    """
    _check_names(estimator)
    _check_numbers(estimator)
    sizes = hidden_sizes(estimator)
    if any(not _is_whole(size) or size < 1 for size in sizes):
        raise OptionError(
            f"hidden_layer_sizes is {estimator.hidden_layer_sizes!r}, expected whole numbers >= 1, as (100,) or ()."
        )
    activations_of(estimator)
    schedule = Schedule(
        estimator.learning_rate, estimator.warmup, estimator.power_t, estimator.step_every, estimator.step_factor
    )
    recipe = _recipe(estimator)
    _check_combinations(estimator, recipe)
    if _is_ignored(estimator):
        schedule = Schedule(warmup=estimator.warmup)
    rate = float(estimator.learning_rate_init)
    rule: Rule = Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    if estimator.solver == "sgd":
        rule = SGD(rate, estimator.momentum, estimator.nesterovs_momentum)
    return Plan(rule, schedule, recipe, make_scorer(estimator.scoring))


def warn_of_ignored(estimator: Any) -> None:
    """Say so where a learning rate's course is ignored, as MLPClassifier does without a word.

    Parameters
    ----------
    estimator : SoftmaxClassifier
    """
    if _is_ignored(estimator):
        others = "" if estimator.solver == "lbfgs" else "'cosine', 'one_cycle' or 'step', or "
        notice(
            f"learning_rate={estimator.learning_rate!r} is for solver='sgd', as in MLPClassifier; solver="
            f"{estimator.solver!r} ignores it. Use {others}solver='sgd'."
        )


def _is_ignored(estimator: Any) -> bool:
    return estimator.learning_rate in SGD_ONLY and estimator.solver != "sgd"


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """Return the sizes of the hidden layers; a single number is one layer."""
    sizes = estimator.hidden_layer_sizes
    return (sizes,) if np.ndim(sizes) == 0 else tuple(sizes)


def activations_of(estimator: Any) -> tuple[str, ...]:
    """Return the activation of each hidden layer, by the name that the network knows it by."""
    given, count = estimator.activation, len(hidden_sizes(estimator))
    per_layer = isinstance(given, Sequence | np.ndarray) and not isinstance(given, str)
    if per_layer and len(given) != count:
        raise OptionError(f"activation names {len(given)} layers, expected {count}: one for each hidden layer.")
    names = list(given) if per_layer else [given]
    checked = [one_of("activation", name, [*ACTIVATIONS, *ALIASES]) for name in names]
    plain = tuple(ALIASES.get(name, name) for name in checked)
    return plain if per_layer else plain * count


def _check_names(estimator: Any) -> None:
    one_of("solver", estimator.solver, SOLVERS)
    one_of("loss", estimator.loss, LOSSES)
    one_of("output", estimator.output, OUTPUTS)
    one_of("learning_rate", estimator.learning_rate, SCHEDULES)
    one_of("init", estimator.init, SCHEMES)
    if isinstance(estimator.class_weight, str):
        one_of("class_weight", estimator.class_weight, ("balanced",))
    elif not (estimator.class_weight is None or isinstance(estimator.class_weight, Mapping)):
        raise OptionError(
            f"class_weight is {estimator.class_weight!r}, expected a dict of weights by class, 'balanced' or None."
        )
    for what in ("shuffle", "early_stopping", "warm_start", "nesterovs_momentum"):
        value = getattr(estimator, what)
        if not (isinstance(value, bool | np.bool_) or (_is_whole(value) and value in (0, 1))):
            raise OptionError(f"{what} is {value!r}, expected True or False.")
    path = estimator.checkpoint_path
    if path is not None and not isinstance(path, str | os.PathLike):
        raise OptionError(f"checkpoint_path is {path!r}, expected the path of a file, or None.")


def _check_numbers(estimator: Any) -> None:
    rate = estimator.learning_rate_init
    if not (_is_number(rate) and 0 < rate < np.inf):
        raise OptionError(f"learning_rate_init is {rate!r}, expected a number > 0.")
    others = {"batch_size": "auto", "n_iter_no_change": np.inf, "n_threads": None}
    for what in ("max_iter", "max_fun", "n_iter_no_change", "batch_size", "n_threads"):
        value = getattr(estimator, what)
        if not (_is_whole(value) and value >= 1) and not (what in others and value is others[what]):
            if what in others and isinstance(value, float | str) and value == others[what]:
                continue
            other = {"batch_size": ' or "auto"', "n_iter_no_change": " or numpy.inf", "n_threads": " or None"}
            raise OptionError(f"{what} is {value!r}, expected a whole number >= 1{other.get(what, '')}.")
    for what in ("alpha", "tol", "weight_decay"):
        value = getattr(estimator, what)
        if not (_is_number(value) and 0 <= value < np.inf) and not (what == "weight_decay" and value is None):
            raise OptionError(f"{what} is {value!r}, expected a number >= 0{' or None' * (what == 'weight_decay')}.")
    if estimator.clip_norm is not None and not (_is_number(estimator.clip_norm) and 0 < estimator.clip_norm < np.inf):
        raise OptionError(f"clip_norm is {estimator.clip_norm!r}, expected a number > 0 or None.")
    share = estimator.validation_fraction
    if not (_is_number(share) and 0 < share < 1):
        raise OptionError(f"validation_fraction is {share!r}, expected a number between 0 and 1.")
    share = estimator.label_smoothing
    if not (_is_number(share) and 0 <= share < 1):
        raise OptionError(f"label_smoothing is {share!r}, expected a number from 0 up to, not including, 1.")


def _recipe(estimator: Any) -> Recipe:
    alpha, decay, adamw = float(estimator.alpha), estimator.weight_decay, estimator.solver == "adamw"
    if adamw and alpha == DEFAULT_ALPHA:  # not given
        alpha = 0.0
    if decay is None:
        decay = DEFAULT_DECAY if adamw else 0.0
    clip = None if estimator.clip_norm is None else float(estimator.clip_norm)
    return Recipe(alpha, float(estimator.label_smoothing), _dropout(estimator), 0, clip, float(decay))


def _dropout(estimator: Any) -> tuple[float, ...]:
    given, count = estimator.dropout, len(hidden_sizes(estimator))
    rates = (given,) * max(count, 1) if np.ndim(given) == 0 else tuple(given)
    if not all(_is_number(rate) and 0 <= rate < 1 for rate in rates):
        raise OptionError(
            f"dropout is {given!r}, expected a number from 0 up to, not including, 1, or one for each hidden layer."
        )
    if np.ndim(given) != 0 and len(rates) != count:
        raise OptionError(f"dropout names {len(rates)} layers, expected {count}: one for each hidden layer.")
    rates = tuple(map(float, rates[:count]))
    return rates if any(rates) else ()


def _check_combinations(estimator: Any, recipe: Recipe) -> None:
    """Refuse what L-BFGS can't have: it takes all rows at once and chooses its own steps."""
    if estimator.solver != "lbfgs":
        return
    noise = "its line search needs the same loss at each call"
    steps = "it chooses its own steps"
    refused = {
        "dropout": (any(recipe.dropout), 0, noise),
        "clip_norm": (recipe.clip_norm is not None, None, steps),
        "weight_decay": (recipe.weight_decay > 0, None, f"{steps}. Use alpha, or"),
        "learning_rate": (estimator.learning_rate not in ("constant", *SGD_ONLY), "constant", steps),
        "warmup": (estimator.warmup != 0, 0, steps),
        "checkpoint_path": (estimator.checkpoint_path is not None, None, "SciPy keeps its memory to itself"),
    }
    for what, (wrong, expected, why) in refused.items():
        if wrong:
            use = "" if why.endswith("or") else ". Use"
            raise OptionError(
                f"{what} is {getattr(estimator, what)!r}, expected {expected!r} with solver='lbfgs': {why}{use} "
                "solver='adam'."
            )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
