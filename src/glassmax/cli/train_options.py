"""The options of `glassmax train`, in groups; most of them set a parameter of the estimator."""

from typing import Any

import click

from .completion import column_names
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


DATA = "Data"
NETWORK = "Network"
OPTIMIZATION = "Optimization"
LOSS = "Loss and regularization"
EVALUATION = "Evaluation and early stopping"
FILES = "Files and output"

OPTIONS = [
    option(
        DATA,
        "--target",
        metavar="COLUMN",
        shell_complete=column_names,
        help="Column to predict: text, numbers or booleans that repeat. Each built-in table has a default.",
    ),
    option(DATA, "--weight", metavar="COLUMN", shell_complete=column_names, help="Column of sample weights, >= 0."),
    option(
        DATA,
        "--type",
        "types",
        metavar="COLUMN=TYPE",
        multiple=True,
        callback=column_types,
        help="Read a column as number, category, boolean or date, whatever it looks like. May be repeated.",
    ),
    option(
        DATA,
        "--ignore",
        metavar="COLUMN",
        multiple=True,
        shell_complete=column_names,
        help="Column to leave out. May be repeated.",
    ),
    option(
        DATA,
        "--keep",
        metavar="COLUMN",
        multiple=True,
        shell_complete=column_names,
        help="Column to learn from even if it looks like an identifier or never changes. May be repeated.",
    ),
    option(DATA, "--delimiter", metavar="CHAR", help="Character between the cells of a CSV file.  [default: detected]"),
    option(DATA, "--decimal", type=click.Choice([".", ","]), help="Decimal separator.  [default: detected]"),
    option(
        DATA,
        "--encoding",
        metavar="NAME",
        help="Encoding of a text file: utf-8, utf-16, latin-1, ...  [default: detected]",
    ),
    option(
        NETWORK,
        "--hidden",
        metavar="SIZES",
        callback=hidden_sizes,
        help="Sizes of the hidden layers, such as 64,32, or none.  [default: 100; toy: 10]",
    ),
    option(
        NETWORK,
        "--activation",
        callback=activations,
        default="relu",
        show_default=True,
        metavar="NAME",
        help=f"Activation of the hidden layers, or a list with one for each layer: {_activations()}.",
    ),
    option(
        NETWORK,
        "--dropout",
        callback=shares,
        default="0",
        show_default=True,
        metavar="RATE",
        help="Dropout rate of the hidden layers, or a list with one for each layer.",
    ),
    option(
        NETWORK,
        "--init",
        type=click.Choice(_schemes()),
        default="mlp",
        show_default=True,
        metavar="NAME",
        help=f"Initialization of the weights: {', '.join(_schemes())}.",
    ),
    option(
        NETWORK,
        "--dtype",
        type=click.Choice(["float64", "float32"]),
        default="float64",
        show_default=True,
        help="Floating-point type. float32 takes half the memory and about half the time.",
    ),
    option(
        OPTIMIZATION,
        "--solver",
        type=click.Choice(SOLVERS),
        default="adam",
        metavar="NAME",
        help=f"Optimizer: {', '.join(SOLVERS)}.",
    ),
    option(
        OPTIMIZATION,
        "--learning-rate",
        type=POSITIVE,
        callback=finite,
        default=0.001,
        show_default=True,
        help="Learning rate; lbfgs ignores it.",
    ),
    option(
        OPTIMIZATION,
        "--schedule",
        type=click.Choice(SCHEDULES),
        default="constant",
        show_default=True,
        metavar="NAME",
        help=f"Learning-rate schedule: {', '.join(SCHEDULES)}. invscaling and adaptive work with sgd only.",
    ),
    option(
        OPTIMIZATION,
        "--warmup",
        type=SHARE,
        default=0.0,
        help="Fraction of all steps over which the learning rate rises to its full value.",
    ),
    option(
        OPTIMIZATION,
        "--step-every",
        type=click.IntRange(1),
        default=50,
        help="Number of epochs between two reductions of the learning rate, for --schedule step.",
    ),
    option(
        OPTIMIZATION,
        "--step-factor",
        type=click.FloatRange(0, 1, min_open=True),
        default=0.1,
        help="Factor that multiplies the learning rate at each reduction, for --schedule step.",
    ),
    option(
        OPTIMIZATION,
        "--power-t",
        type=click.FloatRange(0),
        callback=finite,
        default=0.5,
        help="Exponent of the decay of the learning rate, for --schedule invscaling.",
    ),
    option(
        OPTIMIZATION,
        "--parametrization",
        type=click.Choice(["standard", "ntk"]),
        default="standard",
        metavar="NAME",
        help="Learning rate of the weights: standard, or ntk, which divides it by the square root of the fan-in.",
    ),
    option(
        OPTIMIZATION,
        "--bias-rate",
        type=click.FloatRange(0),
        callback=finite,
        default=1.0,
        help="Factor that multiplies the learning rate of the biases.",
    ),
    option(
        OPTIMIZATION,
        "--epochs",
        type=click.IntRange(1),
        default=1000,
        show_default=True,
        help="Maximum number of epochs.",
    ),
    option(
        OPTIMIZATION,
        "--batch-size",
        type=click.IntRange(1),
        help="Batch size, in rows.  [default: 200, or all rows if there are fewer]",
    ),
    option(
        OPTIMIZATION,
        "--shuffle/--no-shuffle",
        default=True,
        help="Shuffle the rows before each epoch.  [default: shuffle]",
    ),
    option(OPTIMIZATION, "--momentum", type=click.FloatRange(0, 1), default=0.9, help="Momentum of sgd."),
    option(
        OPTIMIZATION, "--nesterov/--no-nesterov", default=True, help="Nesterov momentum in sgd.  [default: nesterov]"
    ),
    option(OPTIMIZATION, "--beta-1", type=SHARE, default=0.9, help="Decay rate of the first moment in adam and adamw."),
    option(
        OPTIMIZATION, "--beta-2", type=SHARE, default=0.999, help="Decay rate of the second moment in adam and adamw."
    ),
    option(
        OPTIMIZATION,
        "--epsilon",
        type=POSITIVE,
        callback=finite,
        default=1e-8,
        help="Number added to the denominator in adam and adamw.",
    ),
    option(
        OPTIMIZATION,
        "--max-fun",
        type=click.IntRange(1),
        default=15000,
        help="Maximum number of loss evaluations in lbfgs.",
    ),
    option(
        OPTIMIZATION,
        "--seed",
        type=click.IntRange(0, 2**32 - 1),
        default=0,
        show_default=True,
        help="Seed for all random draws: held-out rows, initial weights, shuffling, dropout, mixup.",
    ),
    option(
        OPTIMIZATION,
        "--threads",
        type=click.IntRange(1),
        help="Maximum number of threads; the result doesn't depend on it.  [default: all available]",
    ),
    option(
        LOSS,
        "--loss",
        type=click.Choice(["cross_entropy", "squared_error"]),
        default="cross_entropy",
        metavar="NAME",
        help="Loss to minimize: cross_entropy or squared_error.",
    ),
    option(
        LOSS,
        "--alpha",
        type=click.FloatRange(0),
        callback=finite,
        default=0.0001,
        show_default=True,
        help="L2 penalty on the weights.",
    ),
    option(
        LOSS,
        "--weight-decay",
        type=click.FloatRange(0),
        callback=finite,
        help="Decoupled weight decay.  [default: 0; adamw: 0.01]",
    ),
    option(
        LOSS,
        "--clip-norm",
        type=POSITIVE,
        callback=finite,
        help="Gradient norm clipping: maximum norm of a gradient.  [default: no clipping]",
    ),
    option(
        LOSS,
        "--label-smoothing",
        type=SHARE,
        default=0.0,
        help="Label smoothing: fraction of each target that is spread over all classes.",
    ),
    option(
        LOSS,
        "--mixup",
        type=click.FloatRange(0, 1),
        default=0.0,
        help="Mixup: largest share of another row that is mixed into a row of a batch; fades in the second half.",
    ),
    option(
        LOSS,
        "--mixup-share",
        type=click.FloatRange(0, 1),
        default=0.5,
        help="Fraction of the rows of a batch that mixup mixes.",
    ),
    option(LOSS, "--balanced", is_flag=True, help="Balanced class weights: all classes get the same total weight."),
    option(
        LOSS,
        "--class-weight",
        "class_weight",
        metavar="CLASS=WEIGHT",
        multiple=True,
        callback=class_weights,
        help="Weight of a class, 1 by default. May be repeated.",
    ),
    option(
        EVALUATION,
        "--held-out",
        type=SHARE,
        callback=finite,
        default=0.2,
        show_default=True,
        help="Fraction of the rows held out to evaluate the model at the end; 0 for none.",
    ),
    option(
        EVALUATION,
        "--early-stopping",
        is_flag=True,
        help="Set a tenth of the training rows aside, and stop when the score on them no longer improves.",
    ),
    option(
        EVALUATION,
        "--validation",
        metavar="FILE|FRACTION",
        callback=validation,
        help="Validation rows for early stopping: a file, or a fraction of the rows. Turns early stopping on.",
    ),
    option(
        EVALUATION,
        "--metric",
        type=click.Choice(METRICS),
        metavar="NAME",
        help=f"Metric for early stopping: {', '.join(METRICS)}. Turns early stopping on.",
    ),
    option(
        EVALUATION,
        "--patience",
        type=click.IntRange(1),
        default=10,
        show_default=True,
        help="Number of epochs without improvement after which training stops.",
    ),
    option(
        EVALUATION,
        "--tol",
        type=click.FloatRange(0),
        callback=finite,
        default=1e-4,
        help="Minimum improvement that counts.",
    ),
    option(
        EVALUATION,
        "--baseline/--no-baseline",
        default=True,
        help="Compare with a linear model whose penalty is chosen by validation.  [default: baseline]",
    ),
    option(
        FILES,
        "--output",
        "-o",
        metavar="FILE",
        help="Model file to write.  [default: the name of the table, ending in .safetensors]",
    ),
    option(
        FILES,
        "--checkpoint",
        metavar="FILE",
        help="Checkpoint file, written after each epoch. The same command, given again, resumes from it.",
    ),
    option(
        FILES,
        "--config",
        metavar="FILE",
        callback=read_config,
        is_eager=True,
        help="Read options from a TOML file. Options on the command line take precedence.",
    ),
    option(FILES, "--print-config", is_flag=True, help="Print all options as a TOML file for --config, and exit."),
    option(FILES, "--json", "as_json", is_flag=True, help="Print the result as JSON."),
    option(FILES, "--quiet", "-q", is_flag=True, callback=be_quiet, help="Print only the result and errors."),
]


def train_options(command: Any) -> Any:
    """Add the options to a command, in their groups."""
    for add in reversed(OPTIONS):
        command = add(command)
    return command
