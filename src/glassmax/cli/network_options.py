"""The options of `glassmax train` that describe one network of the user's own."""

import click

from .grouped import group, option
from .option_values import activations, parse_hidden_sizes, shares

__all__ = ["OF_NETWORK", "OWN"]

SOLVERS = ["adam", "adamw", "sgd", "lbfgs"]
SCHEDULES = ["constant", "invscaling", "adaptive", "cosine", "one_cycle", "step"]
METRICS = ["log_loss", "accuracy", "balanced_accuracy", "f1", "auc"]
COUNT, NOT_NEGATIVE = click.IntRange(1), click.FloatRange(0)
SHARE, SHARE_OR_ALL = click.FloatRange(0, 1, max_open=True), click.FloatRange(0, 1)
POSITIVE = click.FloatRange(0, min_open=True)
OWN = "Network of your own"
"""How the groups of options begin that describe one network, which is trained in place of a preset."""


def _activations() -> str:
    from ..functional import ACTIVATIONS

    return ", ".join(ACTIVATIONS)


def _schemes() -> list[str]:
    from ..initializers import SCHEMES

    return list(SCHEMES)


OF_NETWORK = [
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
            "--softcap",
            "Bound C of the logits: each logit z becomes C tanh(z / C).  [default: no bound]",
            POSITIVE,
        ),
        option("--softmax-temperature", "Number that divides the logits, before --softcap.", POSITIVE, default=1.0),
        option(
            "--output-bias/--no-output-bias",
            "Whether the last layer has a bias for each class.  [default: output-bias]",
            default=True,
        ),
        option(
            "--class-embeddings",
            "File with a vector for each class, as weights of the last layer that training doesn't change. A .npy or "
            ".safetensors file has one row for each class, in sorted order. A table has a column of classes and "
            "columns of numbers.",
            metavar="FILE",
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
        option(
            "--batch-size",
            "Batch size, in rows.  [default: 200, or all rows if there are fewer; with --engine, a 64th of the rows, "
            "from 256 to 65,536]",
            COUNT,
        ),
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
        option(
            "--z-loss",
            "Coefficient of the z-loss: (log of the sum of exp(logit))^2, added to the loss of each row.",
            NOT_NEGATIVE,
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
]
