"""The library's messages in the words of the command line: a parameter is the option that sets it."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..errors import GlassmaxError, Setting

__all__ = ["ESTIMATOR", "option_of", "worded_error"]

SAME = (
    *("activation", "alpha", "batch_size", "beta_1", "beta_2", "clip_norm", "dropout", "early_stopping", "epsilon"),
    *("init", "label_smoothing", "loss", "max_fun", "momentum", "power_t", "shuffle", "solver", "step_every"),
    *("step_factor", "tol", "warmup", "weight_decay", "parametrization", "bias_rate", "mixup", "mixup_share"),
    *("input_scale_rate", "embedding", "softcap", "z_loss", "softmax_temperature", "output_bias"),
    "memory_limit",
)
ESTIMATOR = {name: name for name in SAME} | {
    "checkpoint": "checkpoint_path",
    "epochs": "max_iter",
    "hidden": "hidden_layer_sizes",
    "learning_rate": "learning_rate_init",
    "metric": "scoring",
    "nesterov": "nesterovs_momentum",
    "patience": "n_iter_no_change",
    "schedule": "learning_rate",
    "seed": "random_state",
    "threads": "n_threads",
}
"""The estimator's parameter behind each option of `train`."""

OPTIONS = {parameter: f"--{option.replace('_', '-')}" for option, parameter in ESTIMATOR.items()} | {
    **{name: f"--{name}" for name in ("assume", "decimal", "delimiter", "einstein", "encoding", "ignore", "keep")},
    **{name: f"--{name}" for name in ("candidates", "groups", "preset", "time")},
    **{name: f"--{name}" for name in ("fixed", "goal", "kind", "matrix", "of", "shapes", "times", "wrt")},
    "budget": "--tune",
    **{name: f"--{name}" for name in ("address", "averaging", "engine")},
    "X_val": "--validation",
    "X_val and y_val": "--validation",
    "averaging_steps": "--averaging-steps",
    "cache_folder": "--cache-folder",
    "class_embeddings": "--class-embeddings",
    "class_weight": "--class-weight",
    "columns": "--column",
    "dtype": "--dtype",
    "held_out": "--held-out",
    "header": "--header",
    "member": "--member",
    "min_count": "--min-count",
    "missing_words": "--missing-words",
    "n_workers": "--workers",
    "other_label": "--other-label",
    "sample_weight": "--weight",
    "step": "--step",
    "study_path": "--study",
    "time_limit": "--time-limit",
    "types": "--type",
    "validation_fraction": "--validation",
    "wait_limit": "--wait-limit",
    "SoftmaxClassifier(...).fit(X, y).save(path)": "glassmax train DATA --target COLUMN",
}
"""Command-line options, by the parameter of the library."""

NEGATED = {"header": "--no-header", "output_bias": "--no-output-bias"}
"""The options that have a negation, by their parameter."""

BETWEEN_COMMAS = ("missing_words",)
"""The parameters whose values are typed in one option, with commas between them."""


def worded_error(error: "GlassmaxError") -> str:
    """Return the message of an error for someone who typed a command."""
    from ..errors import worded

    return worded(error.pieces, option_of)


def option_of(setting: "Setting") -> str:
    """Return a setting as it is typed: ``--ignore id``; what is no option stays as it is in Python."""
    option = OPTIONS.get(setting.parameter)
    if option is None:
        return str(setting)
    if setting.value is None or setting.value is True:
        return option
    if setting.parameter in BETWEEN_COMMAS:
        return f"{option} {_quoted(','.join(setting.value))}"
    if setting.value is False:
        return NEGATED.get(setting.parameter, f"no {option}")
    return " ".join(f"{option} {value}" for value in _values(setting.value))


def _values(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{_quoted(name)}={one}" for name, one in value.items()]
    return list(map(_quoted, value if isinstance(value, list) else [str(value)]))


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w.-]*\w[\w.-]*", text) else repr(text)
