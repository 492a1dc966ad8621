"""The options of `glassmax train`, in groups, and which of them go together."""

import os
from collections.abc import Collection
from typing import Any

import click
from click.core import ParameterSource

from .config import read_config
from .files_options import OF_FILES
from .grouped import FILE_FORMAT, RESULT, group, option
from .network_options import OF_NETWORK, OWN
from .option_values import class_weights, column_types, size_of_memory, validation

__all__ = ["describes_network", "train_options", "unused", "without_effect"]

PRESETS = ["fast", "default", "best"]
COUNT, POSITIVE = click.IntRange(1), click.FloatRange(0, min_open=True)
OF_PRESETS = ("preset", "time_limit", "tune", "study", "groups", "time")
NEEDED = {
    "learning_rate": ("solver", ("adam", "adamw", "sgd")),
    "momentum": ("solver", ("sgd",)),
    "nesterov": ("solver", ("sgd",)),
    "beta_1": ("solver", ("adam", "adamw")),
    "beta_2": ("solver", ("adam", "adamw")),
    "epsilon": ("solver", ("adam", "adamw")),
    "max_fun": ("solver", ("lbfgs",)),
    "power_t": ("schedule", ("invscaling",)),
    "step_every": ("schedule", ("step",)),
    "step_factor": ("schedule", ("step",)),
    "embedding_bins": ("embedding", ("piecewise-linear",)),
}
"""The options that have no effect unless another option has one of these values."""


def _columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a column of the table."""
    from click.shell_completion import split_arg_string

    from ..errors import GlassmaxError
    from ..table import BUILTIN, read_batches

    line = os.environ.get("COMP_WORDS", "")  # all of it: click has parsed it up to the cursor only
    words = split_arg_string(line)[2:]
    given = [*(ctx.params.get("data") or ()), *(word for word in words if word in BUILTIN or os.path.isfile(word))]
    try:
        names = next(iter(read_batches(given[0]))).names if given else []
    except GlassmaxError:
        return []
    return [name for name in names if name.startswith(incomplete)]


GROUPS = [
    group(
        "Data",
        option(
            "--target",
            "Column to predict: text, numbers or booleans that repeat. Each built-in table has a default.",
            metavar="COLUMN",
            shell_complete=_columns,
        ),
        option("--weight", "Column of sample weights, >= 0.", metavar="COLUMN", shell_complete=_columns),
        option(
            "--candidates",
            "Separator of candidate classes in a target cell: with |, a|b means a or b, and !a means not a.",
            metavar="SEP",
        ),
        option(
            "--min-count",
            "Put the classes with fewer than N rows together as one class, named by --other-label.",
            COUNT,
            default=1,
        ),
        option("--other-label", "Name of the class that --min-count makes.", default="other", metavar="CLASS"),
        option(
            "--type types",
            "Read a column as number, category, boolean or date, whatever it looks like. May be repeated.",
            metavar="COLUMN=TYPE",
            multiple=True,
            callback=column_types,
        ),
        option(
            "--column columns",
            "Column to read, beside the target and the columns of other options. May be repeated.  [default: all]",
            metavar="COLUMN",
            multiple=True,
            shell_complete=_columns,
        ),
        option(
            "--ignore",
            "Column to leave out. May be repeated.",
            metavar="COLUMN",
            multiple=True,
            shell_complete=_columns,
        ),
        option(
            "--keep",
            "Column to learn from even if it looks like an identifier or never changes. May be repeated.",
            metavar="COLUMN",
            multiple=True,
            shell_complete=_columns,
        ),
        *FILE_FORMAT,
    ),
    group(
        "Training",
        option(
            "--preset",
            "Networks to train: fast, default or best, from the fewest to the most.",
            click.Choice(PRESETS),
            default="default",
            metavar="NAME",
        ),
        option(
            "--time-limit",
            "Time limit. A network of the preset that would probably exceed it is not trained; the first network is "
            "always trained.",
            POSITIVE,
            metavar="SECONDS",
        ),
        option(
            "--tune",
            "Time to search for types of networks that suit the table; the best are added to the preset.",
            type=POSITIVE,
            metavar="SECONDS",
        ),
        option(
            "--study",
            "File of the trials of --tune, one line of JSON each. The same command, given again, resumes the search.",
            metavar="FILE",
        ),
        option(
            "--groups",
            "Column of groups: all rows of a group are in the same fold. The column is not an input.",
            metavar="COLUMN",
            shell_complete=_columns,
        ),
        option(
            "--time",
            "Column of dates or numbers that orders the rows: the folds are consecutive in time.",
            metavar="COLUMN",
            shell_complete=_columns,
        ),
        option(
            "--validation",
            "File of validation rows, on which a preset judges its networks, and early stopping scores a network of "
            "your own. A fraction of the rows, instead of a file, trains a network of your own.",
            metavar="FILE|FRACTION",
            callback=validation,
        ),
        option("--balanced", "Balanced class weights: all classes get the same total weight.", is_flag=True),
        option(
            "--class-weight",
            "Weight of a class, 1 by default. May be repeated.",
            metavar="CLASS=WEIGHT",
            multiple=True,
            callback=class_weights,
        ),
        option(
            "--seed",
            "Seed for all random draws: folds, held-out rows, initial weights, shuffling, dropout, mixup.",
            click.IntRange(0, 2**32 - 1),
            default=0,
        ),
        option(
            "--threads", "Maximum number of threads; the result doesn't depend on it.  [default: all available]", COUNT
        ),
        option(
            "--memory-limit",
            "Maximum of the memory that training with very many classes takes beyond rows, weights and optimizer, such "
            "as 64MB or 1GB; at least 16MB. The result is the same for any limit.  [default: 128MB]",
            metavar="SIZE",
            callback=size_of_memory,
        ),
    ),
    group(
        "Files and output",
        option(
            "--output -o",
            "Model file to write.  [default: the name of the table, ending in .safetensors]",
            metavar="FILE",
        ),
        option(
            "--checkpoint",
            "Checkpoint file, written after each network of a preset, or after each epoch of one of your own. The same "
            "command, given again, resumes from it.",
            metavar="FILE",
        ),
        option(
            "--config",
            "Read options from a TOML file. Options on the command line take precedence.",
            metavar="FILE",
            callback=read_config,
            is_eager=True,
        ),
        option("--print-config", "Print all options as a TOML file for --config, and exit.", is_flag=True),
        *RESULT,
    ),
    OF_FILES,
    *OF_NETWORK,
]


def describes_network(ctx: click.Context) -> str:
    """Return the first option given that describes a network of the user's own, as it is typed; "" if there is none.

    An option that has no effect without another one describes no network.

    Raises
    ------
    click.UsageError
        If an option that only a preset has is given too. On the command line, --preset takes precedence over the
        network of a file of options, and a network over the preset of a file.
    """
    own, of_preset = (
        {name: _as_typed(ctx, name) for name in names if ctx.get_parameter_source(name) != ParameterSource.DEFAULT}
        for names in (_own_options(ctx), OF_PRESETS)
    )
    describing = [name for name in own if _is_effective(ctx, name)]
    if not describing and not _typed(ctx, "preset"):
        return ""
    if isinstance(ctx.params["validation"], float):
        own["validation"] = "--validation FRACTION"
    if any(_typed(ctx, name) for name in own) and not _typed(ctx, "preset"):
        of_preset.pop("preset", None)
    elif _typed(ctx, "preset") and not any(_typed(ctx, name) for name in own):
        own = {}
    if own and of_preset:
        one, other = next(iter(of_preset.values())), next(iter(own.values()))
        raise click.UsageError(f"{one} applies to presets, and {other} to a network of your own. Pass one.")
    return next((own[name] for name in describing if name in own), "")


def unused(ctx: click.Context) -> Collection[str]:
    """Return the names of the options that have no effect: those of presets, or those of one network."""
    return OF_PRESETS if describes_network(ctx) else _own_options(ctx)


def _own_options(ctx: click.Context) -> list[str]:
    return [str(param.name) for param in ctx.command.params if getattr(param, "group", "").startswith(OWN)]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _as_typed(ctx: click.Context, name: str) -> str:
    """Return an option as it is typed for its value, such as --no-shuffle if shuffle is off."""
    negations = [param.secondary_opts for param in ctx.command.params if param.name == name]
    off = ctx.params[name] is False and negations and negations[0]
    return str(negations[0][0]) if off else _option(name)


def _typed(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE


def _is_effective(ctx: click.Context, name: str) -> bool:
    other, values = NEEDED.get(name, ("", ()))
    return not other or ctx.params[other] in values


def without_effect(ctx: click.Context, *, network: bool) -> list[str]:
    """Return a sentence for each option on the command line that has no effect because of another, or of the preset.

    `network` says whether one network is trained, and no preset.
    """
    needed = dict(NEEDED)
    if ctx.params["schedule"] in ("invscaling", "adaptive"):
        needed["schedule"] = ("solver", ("sgd",))
    sentences = []
    for name, (other, values) in needed.items():
        if _typed(ctx, name) and ctx.params[other] not in values:
            only = f"only with {_option(other)} {' or '.join(values)}"
            where = f"with {_option(other)} {ctx.params[other]}" if network else "on a preset"
            sentences.append(f"{_option(name)} has no effect {where}, {only}.")
    if not network and isinstance(ctx.params["validation"], float):
        share = f"--validation {ctx.params['validation']:g}"
        sentences.append(
            f"{share} has no effect on a preset, which is judged by cross-validation, only on a network of your own, "
            "such as --hidden 100. A preset takes a file of validation rows."
        )
    return sentences


def train_options(command: Any) -> Any:
    """Add the options to a command, in their groups."""
    for add in reversed(GROUPS):
        command = add(command)
    return command
