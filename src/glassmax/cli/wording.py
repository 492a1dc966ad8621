"""The library's messages in the words of the command line: a parameter is the option that sets it."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..errors import GlassmaxError, Setting

__all__ = ["ESTIMATOR", "option_of", "worded_error"]

ESTIMATOR = {
    "activation": "activation",
    "alpha": "alpha",
    "batch_size": "batch_size",
    "bias_rate": "bias_rate",
    "beta_1": "beta_1",
    "beta_2": "beta_2",
    "checkpoint": "checkpoint_path",
    "clip_norm": "clip_norm",
    "dropout": "dropout",
    "early_stopping": "early_stopping",
    "epochs": "max_iter",
    "epsilon": "epsilon",
    "hidden": "hidden_layer_sizes",
    "init": "init",
    "label_smoothing": "label_smoothing",
    "learning_rate": "learning_rate_init",
    "loss": "loss",
    "max_fun": "max_fun",
    "metric": "scoring",
    "mixup": "mixup",
    "mixup_share": "mixup_share",
    "momentum": "momentum",
    "nesterov": "nesterovs_momentum",
    "parametrization": "parametrization",
    "patience": "n_iter_no_change",
    "power_t": "power_t",
    "schedule": "learning_rate",
    "seed": "random_state",
    "shuffle": "shuffle",
    "solver": "solver",
    "step_every": "step_every",
    "step_factor": "step_factor",
    "threads": "n_threads",
    "tol": "tol",
    "warmup": "warmup",
    "weight_decay": "weight_decay",
}
"""The estimator's parameter behind each option of `train`."""

OPTIONS = {parameter: f"--{option.replace('_', '-')}" for option, parameter in ESTIMATOR.items()} | {
    "decimal": "--decimal",
    "delimiter": "--delimiter",
    "encoding": "--encoding",
    "ignore": "--ignore",
    "keep": "--keep",
    "types": "--type",
    "SoftmaxClassifier(...).fit(X, y).save(path)": "glassmax train DATA --target COLUMN",
}
"""What is typed for a parameter of the library."""


def worded_error(error: "GlassmaxError") -> str:
    """Return the message of an error for someone who typed a command."""
    from ..errors import worded

    return worded(error.pieces, option_of)


def option_of(setting: "Setting") -> str:
    """Return a setting as it is typed: ``--ignore id``; what is no option stays as it is in Python."""
    option = OPTIONS.get(setting.parameter)
    if option is None:
        return str(setting)
    if setting.value is None:
        return option
    return " ".join(f"{option} {value}" for value in _values(setting.value))


def _values(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{_quoted(name)}={one}" for name, one in value.items()]
    return list(map(_quoted, value if isinstance(value, list) else [str(value)]))


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w.-]*\w[\w.-]*", text) else repr(text)
