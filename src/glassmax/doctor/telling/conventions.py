"""Conventions in words: which loss is assumed, and under which loss a factor that all gradients share is right."""

from collections.abc import Sequence

from ..exact_pass import Pass
from ..mistakes.placed import PlacedMistake
from ..reading.loss_fit import Convention
from ..reading.problem import Problem

__all__ = ["conventions_of", "rows_total", "said_factor"]

LOSS_NAMES = {
    "cross_entropy": "cross-entropy",
    "squared_error": "squared error",
    "binary_cross_entropy": "binary cross-entropy",
}


def conventions_of(problem: Problem) -> tuple[str, ...]:
    """The conventions that were read from the learner's shapes and loss."""
    said = []
    layout, architecture = problem.layout, problem.architecture
    if problem.given.own_parameters:
        ways = ["one sample" if layout.single else "samples in columns" if layout.columns else "samples in rows"]
        ways.append("weights (out, in)" if layout.transposed else "weights (in, out)")
        if not any(layout.biases):
            ways.append("no biases")
        said.append("read as: " + ", ".join(ways))
    if problem.given.loss is not None:
        said.append("your loss: " + _loss_in_words(problem))
    if problem.targets.form == "index" and problem.targets.start == 1:
        said.append("labels count from 1")
    if problem.given.network is None:
        hidden = ", ".join(dict.fromkeys(architecture.activations))
        sizes = "-".join(map(str, architecture.sizes))
        said.append(
            f"identified by your loss: a {sizes} network{', ' + hidden if hidden else ''}, output {architecture.output}"
        )
    return tuple(said)


def _loss_in_words(problem: Problem) -> str:
    n, k = len(problem.targets.Y), problem.architecture.sizes[-1]
    convention, loss = problem.convention, problem.architecture.loss
    words, penalty = LOSS_NAMES[loss], _penalty(convention.l2, convention.l2_bias)
    smoothed = _smoothed(convention, n, k)
    for multiple, half in ((1.0, "1/2 "), (2.0, "")) if loss == "squared_error" else ((1.0, ""),):
        for plain, how in (
            (1 / n, "the mean over the samples"),
            (1.0, "the sum over the samples"),
            (1 / (n * k), "the mean over samples and outputs"),
        ):
            if abs(convention.scale / (multiple * plain) - 1) < 1e-6:
                return f"{how} of {half}{words}{smoothed}{penalty}"
    if rows_total(convention, n, k) != 1:
        return f"the mean over the samples of {words}{smoothed}{penalty}"
    return f"{convention.scale:.4g} times the sum over the samples of {words}{smoothed}{penalty}"


def rows_total(convention: Convention, n: int, k: int) -> float:
    """What the smoothed labels of a row sum to; the mean over the samples is assumed where this is not 1.

    A factor that is a plain number is one of the loss, and any other is a sum that is not 1.
    """
    total = convention.scale * n
    plain = (1.0, float(n), 2.0, 0.5, 1 / k)
    return 1.0 if not convention.smoothing or any(abs(total / number - 1) < 1e-6 for number in plain) else total


def _smoothed(convention: Convention, n: int, k: int) -> str:
    total, share = rows_total(convention, n, k), convention.smoothing
    if not share:
        return ""
    if total == 1:
        return f", labels smoothed by {share:.4g}"
    of_each = total * share / k
    return (
        f", labels smoothed to {total * (1 - share) + of_each:.4g} for the true class and {of_each:.4g} for the "
        f"others: a row sums to {total:.4g}, which is usually 1"
    )


def _penalty(l2: float, l2_bias: float) -> str:
    on_W = f", plus {l2:.4g}/2 times the sum of W²" if l2 else ""
    return on_W + (f", plus {l2_bias:.4g}/2 times the sum of b²" if l2_bias else "")


def said_factor(mistakes: Sequence[PlacedMistake], p: Pass) -> str:
    """The convention under which a factor that all gradients share is right."""
    negative = any(mistake.cause == "sign" for mistake in mistakes)
    factor = next((mistake.constant for mistake in mistakes if mistake.cause == "factor" and mistake.constant), None)
    if factor is None:
        return "right if this is the step to add (t - y), not the gradient: every sign is reversed"
    loss = LOSS_NAMES[p.architecture.loss]
    size, half = abs(factor.multiple), p.architecture.loss == "squared_error"
    words = f"right if your loss is {factor.name} times the mean of {loss} over the samples"
    if factor.power == 1 and abs(size - 1) < 1e-6:
        words = "right if your loss is the sum over the samples, not their mean"
    elif factor.power == 1 and abs(size - 2) < 1e-6 and half:
        words = "right if your loss is the sum over the samples, and squared error has no 1/2"
    elif factor.power == 0 and abs(size - 2) < 1e-6 and half:
        words = "right if squared error has no 1/2 in your loss"
    elif factor.power == 0 and p.k > 1 and abs(size * p.k - 1) < 1e-6:
        words = "right if your loss is the mean over the outputs too"
    elif factor.power == 0 and p.k > 1 and abs(size * p.k - 2) < 1e-6 and half:
        words = "right if your loss is the mean over the outputs too, and squared error has no 1/2"
    elif factor.power == 0 and "/" not in factor.name and size < 1:
        words = f"right if this is the update, the gradient times a learning rate of {factor.name}"
    return words + (", and this is the step to add, not the gradient" if negative else "")
