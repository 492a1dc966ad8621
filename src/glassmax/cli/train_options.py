"""The options of `glassmax train`, in groups: those of a preset, and those of one network of the user's own."""

import os
from collections.abc import Collection
from typing import Any

import click
from click.core import ParameterSource

from .config import read_config
from .grouped import FILE_FORMAT, RESULT, group, option
from .option_values import activations, class_weights, column_types, parse_hidden_sizes, shares, validation

__all__ = ["describes_network", "train_options", "unused", "without_effect"]

PRESETS = ["fast", "default", "best"]
SOLVERS = ["adam", "adamw", "sgd", "lbfgs"]
SCHEDULES = ["constant", "invscaling", "adaptive", "cosine", "one_cycle", "step"]
METRICS = ["log_loss", "accuracy", "balanced_accuracy", "f1", "auc"]
COUNT, NOT_NEGATIVE = click.IntRange(1), click.FloatRange(0)
SHARE, SHARE_OR_ALL = click.FloatRange(0, 1, max_open=True), click.FloatRange(0, 1)
POSITIVE = click.FloatRange(0, min_open=True)
OWN = "Network of your own"
"""How the groups of options begin that describe one network, which is trained in place of a preset."""
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


def _activations() -> str:
    from ..functional import ACTIVATIONS

    return ", ".join(ACTIVATIONS)


def _schemes() -> list[str]:
    from ..initializers import SCHEMES

    return list(SCHEMES)


def _columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a column of the table."""
    from click.shell_completion import split_arg_string

    from ..errors import GlassmaxError
    from ..table import BUILTIN, read_batches

    line = os.environ.get("COMP_WORDS", "")  # all of it: click has parsed it up to the cursor only
    words = split_arg_string(line)[2:]
    data = ctx.params.get("data") or next((word for word in words if word in BUILTIN or os.path.isfile(word)), None)
    try:
        names = [] if data is None else next(iter(read_batches(str(data)))).names
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
            "--type types",
            "Read a column as number, category, boolean or date, whatever it looks like. May be repeated.",
            metavar="COLUMN=TYPE",
            multiple=True,
            callback=column_types,
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
            "Time limit: a network of the preset that would probably end later is not trained; the first always is.",
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
    ),
    group(
        f"{OWN}, layers",
        option(
            "--hidden",
            "Sizes of the hidden layers, such as 64,32, or none.  [default: 100; toy: 10]",
            metavar="SIZES",
            callback=parse_hidden_sizes,
        ),
        option(
            "--activation",
            f"Activation of the hidden layers, or a list with one for each layer: {_activations()}.",
            callback=activations,
            default="relu",
            metavar="NAME",
        ),
        option(
            "--dropout",
            "Dropout rate of the hidden layers, or a list with one for each layer.",
            callback=shares,
            default="0",
            metavar="RATE",
        ),
        option(
            "--init",
            f"Initialization of the weights: {', '.join(_schemes())}.",
            click.Choice(_schemes()),
            default="mlp",
            metavar="NAME",
        ),
        option(
            "--embedding",
            "Embedding of the columns of numbers: periodic, piecewise-linear, or none.",
            click.Choice(["none", "periodic", "piecewise-linear"]),
            default="none",
            metavar="NAME",
        ),
        option(
            "--embedding-bins",
            "Maximum number of bins of a column, for --embedding piecewise-linear.",
            click.IntRange(2),
            default=16,
        ),
        option(
            "--dtype",
            "Floating-point type. float32 takes half the memory and about half the time.",
            click.Choice(["float64", "float32"]),
            default="float64",
        ),
    ),
    group(
        f"{OWN}, optimization",
        option("--solver", f"Optimizer: {', '.join(SOLVERS)}.", click.Choice(SOLVERS), default="adam", metavar="NAME"),
        option("--learning-rate", "Learning rate; lbfgs ignores it.", POSITIVE, default=0.001),
        option(
            "--schedule",
            f"Learning-rate schedule: {', '.join(SCHEDULES)}. invscaling and adaptive work with sgd only.",
            click.Choice(SCHEDULES),
            default="constant",
            metavar="NAME",
        ),
        option(
            "--warmup",
            "Fraction of all steps over which the learning rate rises to its full value.",
            SHARE,
            default=0.0,
        ),
        option(
            "--step-every",
            "Number of epochs between two reductions of the learning rate, for --schedule step.",
            COUNT,
            default=50,
        ),
        option(
            "--step-factor",
            "Factor that multiplies the learning rate at each reduction, for --schedule step.",
            click.FloatRange(0, 1, min_open=True),
            default=0.1,
        ),
        option(
            "--power-t",
            "Exponent of the decay of the learning rate, for --schedule invscaling.",
            NOT_NEGATIVE,
            default=0.5,
        ),
        option(
            "--parametrization",
            "Learning rate of the weights: standard, or ntk, which divides it by the square root of the fan-in.",
            click.Choice(["standard", "ntk"]),
            default="standard",
            metavar="NAME",
        ),
        option("--bias-rate", "Factor of the learning rate of the biases.", NOT_NEGATIVE, default=1.0),
        option(
            "--input-scale-rate",
            "Factor of the learning rate of a learned scale of the inputs.  [default: no scale]",
            POSITIVE,
        ),
        option("--epochs", "Maximum number of epochs.", COUNT, default=1000),
        option("--batch-size", "Batch size, in rows.  [default: 200, or all rows if there are fewer]", COUNT),
        option("--shuffle/--no-shuffle", "Shuffle the rows before each epoch.  [default: shuffle]", default=True),
        option("--momentum", "Momentum of sgd.", SHARE_OR_ALL, default=0.9),
        option("--nesterov/--no-nesterov", "Nesterov momentum in sgd.  [default: nesterov]", default=True),
        option("--beta-1", "Decay rate of the first moment in adam and adamw.", SHARE, default=0.9),
        option("--beta-2", "Decay rate of the second moment in adam and adamw.", SHARE, default=0.999),
        option("--epsilon", "Number added to the denominator in adam and adamw.", POSITIVE, default=1e-8),
        option("--max-fun", "Maximum number of loss evaluations in lbfgs.", COUNT, default=15000),
    ),
    group(
        f"{OWN}, loss and regularization",
        option(
            "--loss",
            "Loss to minimize: cross_entropy or squared_error.",
            click.Choice(["cross_entropy", "squared_error"]),
            default="cross_entropy",
            metavar="NAME",
        ),
        option("--alpha", "L2 penalty on the weights.", NOT_NEGATIVE, default=0.0001),
        option("--weight-decay", "Decoupled weight decay.  [default: 0; adamw: 0.01]", NOT_NEGATIVE),
        option("--clip-norm", "Gradient norm clipping: maximum norm of a gradient.  [default: no clipping]", POSITIVE),
        option(
            "--label-smoothing",
            "Label smoothing: fraction of each target that is spread over all classes.",
            SHARE,
            default=0.0,
        ),
        option(
            "--mixup",
            "Mixup: maximum share of another row that is mixed into a row. The share falls to 0 in later epochs.",
            SHARE_OR_ALL,
            default=0.0,
        ),
        option("--mixup-share", "Fraction of the rows of a batch that mixup mixes.", SHARE_OR_ALL, default=0.5),
    ),
    group(
        f"{OWN}, evaluation and early stopping",
        option(
            "--held-out",
            "Fraction of the rows held out to evaluate the model at the end; 0 for none.",
            SHARE,
            default=0.2,
        ),
        option(
            "--early-stopping",
            "Set a tenth of the training rows aside, and stop when the score on them no longer improves.",
            is_flag=True,
        ),
        option(
            "--metric",
            f"Metric for early stopping: {', '.join(METRICS)}. Turns early stopping on.",
            click.Choice(METRICS),
            metavar="NAME",
        ),
        option("--patience", "Number of epochs without improvement after which training stops.", COUNT, default=10),
        option("--tol", "Minimum improvement that counts.", NOT_NEGATIVE, default=1e-4),
        option(
            "--baseline/--no-baseline",
            "Compare with a linear model whose penalty is chosen by validation.  [default: baseline]",
            default=True,
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
]


def describes_network(ctx: click.Context) -> str:
    """Return the first option given that describes a network of the user's own, as it is typed; "" if there is none.

    Raises
    ------
    click.UsageError
        If an option that only a preset has is given too. On the command line, --preset takes precedence over the
        network of a file of options, and a network over the preset of a file.
    """
    options = {str(param.name): max(param.opts, key=len) for param in ctx.command.params}
    own, of_preset = (
        {name: options[name] for name in names if ctx.get_parameter_source(name) != ParameterSource.DEFAULT}
        for names in (_own_options(ctx), OF_PRESETS)
    )
    if isinstance(ctx.params["validation"], float):
        own["validation"] = "--validation FRACTION"
    if any(_typed(ctx, name) for name in own) and not _typed(ctx, "preset"):
        of_preset.pop("preset", None)
    elif _typed(ctx, "preset") and not any(_typed(ctx, name) for name in own):
        own = {}
    if own and of_preset:
        one, other = next(iter(of_preset.values())), next(iter(own.values()))
        raise click.UsageError(f"{one} applies to presets, and {other} to a network of your own. Pass one.")
    return next(iter(own.values()), "")


def unused(ctx: click.Context) -> Collection[str]:
    """Return the names of the options that have no effect: those of presets, or those of one network."""
    return OF_PRESETS if describes_network(ctx) else _own_options(ctx)


def _own_options(ctx: click.Context) -> list[str]:
    return [str(param.name) for param in ctx.command.params if getattr(param, "group", "").startswith(OWN)]


def _typed(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE


def without_effect(ctx: click.Context) -> list[str]:
    """Return a sentence for each option on the command line that another option makes ineffective."""
    needed = dict(NEEDED)
    if ctx.params["schedule"] in ("invscaling", "adaptive"):
        needed["schedule"] = ("solver", ("sgd",))
    sentences = []
    for name, (other, values) in needed.items():
        if _typed(ctx, name) and ctx.params[other] not in values:
            option, where = f"--{name.replace('_', '-')}", f"--{other} {ctx.params[other]}"
            sentences.append(f"{option} has no effect with {where}, only with --{other} {' or '.join(values)}.")
    return sentences


def train_options(command: Any) -> Any:
    """Add the options to a command, in their groups."""
    for add in reversed(GROUPS):
        command = add(command)
    return command
