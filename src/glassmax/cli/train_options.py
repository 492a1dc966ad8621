"""The options of `glassmax train`, in groups; they are those of the estimator in the words of the command line."""

import os
from typing import Any

import click

from .config import read_config
from .grouped import option
from .option_values import activations, class_weights, column_types, finite, hidden_sizes, shares, validation
from .talk import be_quiet

__all__ = ["train_options"]

SOLVERS = ["adam", "adamw", "sgd", "lbfgs"]
SCHEDULES = ["constant", "invscaling", "adaptive", "cosine", "one_cycle", "step"]
METRICS = ["log_loss", "accuracy", "balanced_accuracy", "f1", "auc"]
SHARE = click.FloatRange(0, 1, max_open=True)
POSITIVE = click.FloatRange(0, min_open=True)


def _activations() -> str:
    from ..functional import ACTIVATIONS

    return ", ".join(ACTIVATIONS)


def _schemes() -> list[str]:
    from ..initializers import SCHEMES

    return list(SCHEMES)


def _columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the columns of the table for completion."""
    from click.shell_completion import split_arg_string

    from ..errors import GlassmaxError
    from ..table import BUILTIN, read_batches

    words = split_arg_string(os.environ.get("COMP_WORDS", ""))[2:]  # the shell's line: it is not parsed to its end
    data = ctx.params.get("data") or next((word for word in words if word in BUILTIN or os.path.isfile(word)), None)
    try:
        names = [] if data is None else next(iter(read_batches(str(data)))).names
    except GlassmaxError:
        return []
    return [name for name in names if name.startswith(incomplete)]


DATA: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (
        ("--target",),
        {
            "metavar": "COLUMN",
            "shell_complete": _columns,
            "help": "Column to predict: text, numbers or booleans that repeat. Built-in tables have one already.",
        },
    ),
    (
        ("--weight",),
        {"metavar": "COLUMN", "shell_complete": _columns, "help": "Column that says how much each row counts, >= 0."},
    ),
    (
        ("--type", "types"),
        {
            "metavar": "COLUMN=TYPE",
            "multiple": True,
            "callback": column_types,
            "help": "Take a column for number, category, boolean or date, whatever it looks like; may be given again.",
        },
    ),
    (
        ("--ignore",),
        {
            "metavar": "COLUMN",
            "multiple": True,
            "shell_complete": _columns,
            "help": "Column to leave out; may be given again.",
        },
    ),
    (
        ("--keep",),
        {
            "metavar": "COLUMN",
            "multiple": True,
            "shell_complete": _columns,
            "help": "Column to learn from though it looks like an identifier or never changes; may be given again.",
        },
    ),
    (("--delimiter",), {"metavar": "CHAR", "help": "What separates the cells of a CSV file.  [default: found out]"}),
    (
        ("--decimal",),
        {"type": click.Choice([".", ","]), "help": "What stands before the decimals.  [default: found out]"},
    ),
    (("--encoding",), {"metavar": "NAME", "help": "Of a text file: utf-8, utf-16, latin-1, ...  [default: found out]"}),
]

NETWORK: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (
        ("--hidden",),
        {
            "metavar": "SIZES",
            "callback": hidden_sizes,
            "help": "Units of the hidden layers, as 64,32, or none.  [default: 100; toy: 10]",
        },
    ),
    (
        ("--activation",),
        {
            "callback": activations,
            "default": "relu",
            "show_default": True,
            "metavar": "NAME",
            "help": f"Of the hidden layers, or one for each: {_activations()}.",
        },
    ),
    (
        ("--dropout",),
        {
            "callback": shares,
            "default": "0",
            "show_default": True,
            "metavar": "SHARE",
            "help": "Share of the units that a row loses in a step; or one for each hidden layer.",
        },
    ),
    (
        ("--init",),
        {
            "type": click.Choice(_schemes()),
            "default": "mlp",
            "show_default": True,
            "metavar": "NAME",
            "help": f"Scheme of the starting weights: {', '.join(_schemes())}.",
        },
    ),
    (
        ("--dtype",),
        {
            "type": click.Choice(["float64", "float32"]),
            "default": "float64",
            "show_default": True,
            "help": "float32 takes half the memory and about half the time.",
        },
    ),
]

STEPS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (
        ("--solver",),
        {"type": click.Choice(SOLVERS), "default": "adam", "metavar": "NAME", "help": f"One of {', '.join(SOLVERS)}."},
    ),
    (
        ("--learning-rate",),
        {"type": POSITIVE, "callback": finite, "default": 0.001, "show_default": True, "help": "Length of a step."},
    ),
    (
        ("--schedule",),
        {
            "type": click.Choice(SCHEDULES),
            "default": "constant",
            "show_default": True,
            "metavar": "NAME",
            "help": f"Course of the learning rate: {', '.join(SCHEDULES)}; invscaling and adaptive are for sgd.",
        },
    ),
    (("--warmup",), {"type": SHARE, "default": 0.0, "help": "Share of all steps in which the learning rate rises."}),
    (
        ("--step-every",),
        {"type": click.IntRange(1), "default": 50, "help": "For the schedule step: after how many epochs."},
    ),
    (
        ("--step-factor",),
        {"type": click.FloatRange(0, 1, min_open=True), "default": 0.1, "help": "For the schedule step: times what."},
    ),
    (
        ("--power-t",),
        {
            "type": click.FloatRange(0),
            "callback": finite,
            "default": 0.5,
            "help": "For the schedule invscaling: to what power.",
        },
    ),
    (
        ("--epochs",),
        {"type": click.IntRange(1), "default": 1000, "show_default": True, "help": "Most runs through the rows."},
    ),
    (
        ("--batch-size",),
        {"type": click.IntRange(1), "help": "Rows of a step.  [default: 200, or all if fewer]"},
    ),
    (
        ("--shuffle/--no-shuffle",),
        {"default": True, "help": "Whether each epoch has an order of its own.  [default: it has]"},
    ),
    (
        ("--momentum",),
        {"type": click.FloatRange(0, 1), "default": 0.9, "help": "Of sgd: share of a step that goes on."},
    ),
    (("--nesterov/--no-nesterov",), {"default": True, "help": "Of sgd: look ahead first.  [default: nesterov]"}),
    (("--beta-1",), {"type": SHARE, "default": 0.9, "help": "Of adam and adamw: memory of the gradient."}),
    (("--beta-2",), {"type": SHARE, "default": 0.999, "help": "Of adam and adamw: memory of its square."}),
    (
        ("--epsilon",),
        {"type": POSITIVE, "callback": finite, "default": 1e-8, "help": "Of adam and adamw: added to the divisor."},
    ),
    (("--max-fun",), {"type": click.IntRange(1), "default": 15000, "help": "Most evaluations of the loss by lbfgs."}),
    (
        ("--seed",),
        {"type": click.IntRange(0, 2**32 - 1), "default": 0, "show_default": True, "help": "Of all that is drawn."},
    ),
    (("--threads",), {"type": click.IntRange(1), "help": "Most threads; the result doesn't depend on it."}),
]

LOSS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (
        ("--loss",),
        {
            "type": click.Choice(["cross_entropy", "squared_error"]),
            "default": "cross_entropy",
            "metavar": "NAME",
            "help": "What is trained on: cross_entropy or squared_error.",
        },
    ),
    (
        ("--alpha",),
        {
            "type": click.FloatRange(0),
            "callback": finite,
            "default": 0.0001,
            "show_default": True,
            "help": "Penalty on the weights.",
        },
    ),
    (
        ("--weight-decay",),
        {
            "type": click.FloatRange(0),
            "callback": finite,
            "help": "Share of each weight lost a step, times the learning rate.  [default: 0; adamw: 0.01]",
        },
    ),
    (("--clip-norm",), {"type": POSITIVE, "callback": finite, "help": "Longest gradient; a longer one is shortened."}),
    (("--label-smoothing",), {"type": SHARE, "default": 0.0, "help": "Share of each target spread over the classes."}),
    (("--balanced",), {"is_flag": True, "help": "Give every class the same total weight."}),
    (
        ("--class-weight", "class_weight"),
        {
            "metavar": "CLASS=WEIGHT",
            "multiple": True,
            "callback": class_weights,
            "help": "Weight of a class, 1 unless given; may be given again.",
        },
    ),
]

JUDGING: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (
        ("--held-out",),
        {
            "type": SHARE,
            "callback": finite,
            "default": 0.2,
            "show_default": True,
            "help": "Share of the rows to judge the model on at the end; 0 for none.",
        },
    ),
    (
        ("--early-stopping",),
        {"is_flag": True, "help": "Stop when a tenth of the rows, kept from training, no longer improves."},
    ),
    (
        ("--validation",),
        {
            "metavar": "FILE|SHARE",
            "callback": validation,
            "help": "Rows for early stopping, which this turns on: another file, or a share.",
        },
    ),
    (
        ("--metric",),
        {
            "type": click.Choice(METRICS),
            "metavar": "NAME",
            "help": f"What early stopping, which this turns on, watches: {', '.join(METRICS)}.",
        },
    ),
    (
        ("--patience",),
        {"type": click.IntRange(1), "default": 10, "show_default": True, "help": "Epochs without improvement."},
    ),
    (("--tol",), {"type": click.FloatRange(0), "callback": finite, "default": 1e-4, "help": "Least improvement."}),
    (
        ("--baseline/--no-baseline",),
        {"default": True, "help": "Whether to train a linear model beside it, to compare.  [default: baseline]"},
    ),
]

FILES: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    (("--output", "-o"), {"metavar": "FILE", "help": "The model.  [default: the table's name, .safetensors]"}),
    (
        ("--checkpoint",),
        {"metavar": "FILE", "help": "Written after each epoch; the same command again goes on from it."},
    ),
    (
        ("--config",),
        {
            "metavar": "FILE",
            "callback": read_config,
            "is_eager": True,
            "help": "Take options from a TOML file; those on the command line go before.",
        },
    ),
    (("--print-config",), {"is_flag": True, "help": "Print all options as such a file, and do nothing else."}),
    (("--json", "as_json"), {"is_flag": True, "help": "Print the result as JSON."}),
    (("--quiet", "-q"), {"is_flag": True, "callback": be_quiet, "help": "Say nothing but the result and faults."}),
]

GROUPS = {
    "Data": DATA,
    "Network": NETWORK,
    "Steps": STEPS,
    "Loss and weights": LOSS,
    "Judging and stopping": JUDGING,
    "Files and output": FILES,
}


def train_options(command: Any) -> Any:
    """Add the options to a command, in their groups."""
    for group, options in reversed(GROUPS.items()):
        for names, settings in reversed(options):
            command = option(group, *names, **settings)(command)
    return command
