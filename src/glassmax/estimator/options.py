"""The parameters of the constructor: checked, and combined into a plan for training.

scikit-learn requires constructors that store their arguments and check nothing; the checks are made here, once, at the
start of each fit.
"""

import os
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from ..engine import LEAST_MEMORY, Regularization, init_scaled
from ..errors import OptionError, Setting, between, is_whole, one_of
from ..functional import ACTIVATIONS
from ..initializers import SCHEMES
from ..network import Network
from ..optimizers import PARAMETRIZATIONS, SCHEDULES, SGD, Adam, Rule, Schedule, State, rate_factors
from .candidates import check_candidates
from .rare_classes import check_min_count
from .scoring import Scorer, make_scorer
from .user_warnings import warn_user

__all__ = [
    "Plan",
    "activations_of",
    "check_softmax_options",
    "head_options",
    "hidden_sizes",
    "make_plan",
    "warn_of_ignored",
]

ALIASES = {"logistic": "sigmoid"}
SOLVERS = ("adam", "adamw", "sgd", "lbfgs")
LOSSES = ("cross_entropy", "squared_error", "candidate_cross_entropy")
OUTPUTS = ("auto", "softmax", "sigmoid")
SGD_ONLY = ("invscaling", "adaptive")
DEFAULT_ALPHA, DEFAULT_DECAY = 0.0001, 0.01


class Plan(NamedTuple):
    """Settings of the training, from the parameters of a `SoftmaxClassifier`.

    Attributes
    ----------
    rule : Rule or None
        None for solver "lbfgs".
    schedule : Schedule
    regularization : Regularization
        Without the seed of the dropout masks and of mixup, which each fit draws.
    batch_size : int
    scorer : Scorer or None
        None for "log_loss" and "accuracy", which every epoch records.
    parametrization, bias_rate, input_scale_rate
        As for `SoftmaxClassifier`.
    """

    rule: Rule | None
    schedule: Schedule
    regularization: Regularization
    batch_size: int
    scorer: Scorer | None
    parametrization: str
    bias_rate: float
    input_scale_rate: float | None

    def rate_factors(self, network: Network) -> tuple[float, ...]:
        """Return the factor of the learning rate for each parameter of the network, and for the scale of the inputs."""
        if self.rule is None:
            return ()
        return rate_factors(
            network.layer_sizes,
            self.rule,
            parametrization=self.parametrization,
            bias_rate=self.bias_rate,
            input_scale_rate=self.input_scale_rate,
            embedding_shapes=network.parameters.embedding_shapes,
        )

    def initial_state(self, network: Network) -> State:
        """Return the state of the rule before the first step."""
        if self.rule is None:
            return {}
        return self.rule.init(network.theta) if self.input_scale_rate is None else init_scaled(self.rule, network)


def make_plan(estimator: Any) -> Plan:
    """Check the parameters of a `SoftmaxClassifier`, and return what they mean for training."""
    _check_names(estimator)
    _check_numbers(estimator)
    sizes = hidden_sizes(estimator)
    if any(not is_whole(size) or size < 1 for size in sizes):
        came = repr(estimator.hidden_layer_sizes)
        raise OptionError(parameter="hidden_layer_sizes", came=came, expected="whole numbers >= 1, as (100,) or ()")
    activations_of(estimator)
    schedule = Schedule(
        estimator.learning_rate, estimator.warmup, estimator.power_t, estimator.step_every, estimator.step_factor
    )
    regularization = _regularization(estimator)
    check_min_count(estimator)
    if estimator.output == "sigmoid":
        check_softmax_options(estimator)
    _check_combinations(estimator, regularization)
    if _is_ignored(estimator):
        schedule = Schedule(warmup=estimator.warmup)
    rate = float(estimator.learning_rate_init)
    adam = Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    sgd = SGD(rate, estimator.momentum, bool(estimator.nesterovs_momentum))
    rule: Rule | None = sgd if estimator.solver == "sgd" else adam
    if estimator.solver == "lbfgs":
        rule = None
    batch_size = 200 if estimator.batch_size == "auto" else int(estimator.batch_size)
    scorer = make_scorer(estimator.scoring)
    rates = estimator.parametrization, float(estimator.bias_rate), estimator.input_scale_rate
    return Plan(rule, schedule, regularization, batch_size, scorer, *rates)


def warn_of_ignored(estimator: Any) -> None:
    """Warn if the schedule of the learning rate is ignored; MLPClassifier ignores it without a warning."""
    if _is_ignored(estimator):
        others = "" if estimator.solver == "lbfgs" else "'cosine', 'one_cycle' or 'step', or "
        warn_user(
            f"learning_rate={estimator.learning_rate!r} is for solver='sgd', as in MLPClassifier; solver="
            f"{estimator.solver!r} ignores it. Use {others}solver='sgd'."
        )


SOFTMAX_ONLY = {"z_loss": 0, "softcap": None, "softmax_temperature": 1, "class_embeddings": None, "min_count": 1}
"""Parameters that need softmax output, and their values for other outputs."""


def check_softmax_options(estimator: Any) -> None:
    """Refuse options that need softmax output if the output is sigmoid."""
    for what, neutral in SOFTMAX_ONLY.items():
        value = getattr(estimator, what)
        if (value is not None) if neutral is None else value != neutral:
            came = "given" if what == "class_embeddings" else repr(value)
            expected = f"{neutral!r} with sigmoid output: a row has several labels"
            raise OptionError(parameter=what, came=came, expected=expected)


def head_options(estimator: Any) -> dict[str, Any]:
    """Return the keyword arguments of `Network` that bound and penalize the logits of a softmax."""
    softcap = estimator.softcap
    return {
        "softcap": None if softcap is None else float(softcap),
        "z_loss": float(estimator.z_loss),
        "temperature": float(estimator.softmax_temperature),
    }


def _is_ignored(estimator: Any) -> bool:
    return estimator.learning_rate in SGD_ONLY and estimator.solver != "sgd"


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """Return the sizes of the hidden layers; a single number is one layer."""
    sizes = estimator.hidden_layer_sizes
    return (sizes,) if np.ndim(sizes) == 0 else tuple(sizes)


def activations_of(estimator: Any) -> tuple[str, ...]:
    """Return the activation of each hidden layer, by the name that `Network` uses."""
    given, count = estimator.activation, len(hidden_sizes(estimator))
    per_layer = isinstance(given, Sequence | np.ndarray) and not isinstance(given, str)
    if per_layer and len(given) != count:
        raise _not_one_for_each("activation", len(given), count)
    names = list(given) if per_layer else [given]
    checked = [one_of("activation", name, [*ACTIVATIONS, *ALIASES]) for name in names]
    plain = tuple(ALIASES.get(name, name) for name in checked)
    return plain if per_layer else plain * count


def _check_names(estimator: Any) -> None:
    one_of("solver", estimator.solver, SOLVERS)
    one_of("loss", estimator.loss, LOSSES)
    one_of("output", estimator.output, OUTPUTS)
    if estimator.loss == "candidate_cross_entropy":
        check_candidates(estimator)
    if isinstance(estimator.learning_rate, Real):
        raise OptionError(
            parameter="learning_rate",
            came=repr(estimator.learning_rate),
            expected=f"one of {', '.join(SCHEDULES)}",
            remedy=("The number goes into ", Setting("learning_rate_init"), "."),
        )
    one_of("learning_rate", estimator.learning_rate, SCHEDULES)
    one_of("init", estimator.init, SCHEMES)
    one_of("parametrization", estimator.parametrization, PARAMETRIZATIONS)
    weights = estimator.class_weight
    if not (weights is None or isinstance(weights, Mapping) or (isinstance(weights, str) and weights == "balanced")):
        expected = "a dict of weights by class, 'balanced' or None"
        raise OptionError(parameter="class_weight", came=repr(weights), expected=expected)
    for what in ("shuffle", "early_stopping", "warm_start", "nesterovs_momentum", "output_bias"):
        value = getattr(estimator, what)
        if not (isinstance(value, bool | np.bool_) or (is_whole(value) and value in (0, 1))):
            raise OptionError(parameter=what, came=repr(value), expected="True or False")
    path = estimator.checkpoint_path
    if path is not None and not isinstance(path, str | os.PathLike):
        raise OptionError(parameter="checkpoint_path", came=repr(path), expected="the path of a file, or None")


def _check_numbers(estimator: Any) -> None:
    between("learning_rate_init", estimator.learning_rate_init, 0, open_below=True)
    between("alpha", estimator.alpha, 0)
    between("tol", estimator.tol, 0)
    between("label_smoothing", estimator.label_smoothing, 0, 1)
    between("z_loss", estimator.z_loss, 0)
    between("softmax_temperature", estimator.softmax_temperature, 0, open_below=True)
    if estimator.softcap is not None:
        between("softcap", estimator.softcap, 0, open_below=True, other="None")
    between("bias_rate", estimator.bias_rate, 0)
    if estimator.input_scale_rate is not None:
        between("input_scale_rate", estimator.input_scale_rate, 0, open_below=True, other="None")
    between("mixup", estimator.mixup, 0, 1, open_above=False)
    between("mixup_share", estimator.mixup_share, 0, 1, open_above=False)
    between("validation_fraction", estimator.validation_fraction, 0, 1, open_below=True)
    if estimator.weight_decay is not None:
        between("weight_decay", estimator.weight_decay, 0, other="None")
    if estimator.clip_norm is not None:
        between("clip_norm", estimator.clip_norm, 0, open_below=True, other="None")
    others = {"n_iter_no_change": (np.inf, " or numpy.inf"), "batch_size": ("auto", ' or "auto"')}
    others["n_threads"] = (None, " or None")
    for what in ("max_iter", "max_fun", "n_iter_no_change", "batch_size", "n_threads"):
        value, (other, also) = getattr(estimator, what), others.get(what, (np.nan, ""))
        if not (is_whole(value) and value >= 1) and not (np.ndim(value) == 0 and value == other):
            raise OptionError(parameter=what, came=repr(value), expected=f"a whole number >= 1{also}")
    check_memory_limit(estimator)


def check_memory_limit(estimator: Any) -> None:
    """Refuse a memory limit that is neither None nor a number of bytes that the engine takes."""
    limit = estimator.memory_limit
    if limit is not None and not (is_whole(limit) and limit >= LEAST_MEMORY):
        expected = f"a whole number of bytes >= {LEAST_MEMORY} (16 MB), or None"
        raise OptionError(parameter="memory_limit", came=repr(limit), expected=expected)


def _regularization(estimator: Any) -> Regularization:
    alpha, decay, adamw = float(estimator.alpha), estimator.weight_decay, estimator.solver == "adamw"
    if adamw and alpha == DEFAULT_ALPHA:  # not given
        alpha = 0.0
    if decay is None:
        decay = DEFAULT_DECAY if adamw else 0.0
    clip = None if estimator.clip_norm is None else float(estimator.clip_norm)
    smoothing, mixup, share = (float(getattr(estimator, what)) for what in ("label_smoothing", "mixup", "mixup_share"))
    return Regularization(alpha, smoothing, _dropout(estimator), 0, clip, float(decay), mixup, share)


def _dropout(estimator: Any) -> tuple[float, ...]:
    given, count = estimator.dropout, len(hidden_sizes(estimator))
    rates = (given,) * max(count, 1) if np.ndim(given) == 0 else tuple(given)
    if not all(isinstance(rate, int | float | np.number) and 0 <= rate < 1 for rate in rates):
        expected = "a number from 0 up to, not including, 1, or one for each hidden layer"
        raise OptionError(parameter="dropout", came=repr(given), expected=expected)
    if np.ndim(given) != 0 and len(rates) != count:
        raise _not_one_for_each("dropout", len(rates), count)
    rates = tuple(map(float, rates[:count]))
    return rates if any(rates) else ()


def _not_one_for_each(what: str, came: int, expected: int) -> OptionError:
    return OptionError(
        Setting(what), f" has {came} entries, expected {expected}: one for each hidden layer.", parameter=what
    )


def _check_combinations(estimator: Any, regularization: Regularization) -> None:
    """Refuse a learned scale of weights that don't move, and options that L-BFGS can't use.

    L-BFGS takes all rows at once and chooses its own steps.
    """
    held = estimator.class_embeddings is not None and not hidden_sizes(estimator)
    if held and estimator.input_scale_rate is not None:
        raise OptionError(
            parameter="input_scale_rate",
            came=repr(estimator.input_scale_rate),
            expected=("None with ", Setting("class_embeddings"), " and no hidden layer: the scale would move them"),
        )
    if estimator.solver != "lbfgs":
        return
    noise, steps = "its line search needs the same loss at each call", "it chooses its own steps"
    adam = (Setting("solver", "adam"),)
    scheduled = estimator.learning_rate not in ("constant", *SGD_ONLY)
    refused = {
        "dropout": (any(regularization.dropout), 0, noise, adam),
        "mixup": (regularization.mixup > 0, 0, noise, adam),
        "clip_norm": (regularization.clip_norm is not None, None, steps, adam),
        "parametrization": (estimator.parametrization != "standard", "standard", steps, adam),
        "bias_rate": (estimator.bias_rate != 1, 1, steps, adam),
        "input_scale_rate": (estimator.input_scale_rate is not None, None, steps, adam),
        "weight_decay": (regularization.weight_decay > 0, None, steps, (Setting("alpha"), ", or ", *adam)),
        "learning_rate": (scheduled, "constant", steps, adam),
        "warmup": (estimator.warmup != 0, 0, steps, adam),
        "checkpoint_path": (estimator.checkpoint_path is not None, None, "SciPy keeps its memory to itself", adam),
    }
    for what, (wrong, expected, why, instead) in refused.items():
        if wrong:
            raise OptionError(
                parameter=what,
                came=repr(getattr(estimator, what)),
                expected=(f"{expected!r} with ", Setting("solver", "lbfgs"), f": {why}"),
                remedy=("Use ", *instead, "."),
            )
