"""What the derivative at the top is made of: the predictions P, the targets Y, and dL/dP; right and wrong.

All arrays are per row, before the factor 1/n.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...functional.activations import ACTIVATIONS
from ...functional.arrays import Array
from ...functional.softmax import softmax
from ..exact_pass import Pass
from .mistake import Mistake

__all__ = ["Prediction", "dP_of_losses", "labels", "loss_derivatives", "predictions"]


class Prediction(NamedTuple):
    """P as the learner has it, and dP where that is the same memory."""

    P: Array
    dP: Array | None = None


def dP_of_losses(P: Array, Y: Array) -> dict[str, Array]:
    """dP of each loss, wherever it is finite."""
    with np.errstate(all="ignore"):
        return {
            "cross_entropy": np.where(Y == 0, 0, -Y / P),
            "squared_error": P - Y,
            "binary_cross_entropy": np.where(Y == 1, 0, (1 - Y) / (1 - P)) - np.where(Y == 0, 0, Y / P),
        }


def predictions(p: Pass) -> Iterator[tuple[Mistake | None, Prediction]]:
    """P, right and wrong."""
    yield None, Prediction(p.P)
    says = "dP = P named the same memory, so that P was already P - Y when it was used again"
    in_place = Mistake("in_place", says, 1.1, True)
    if p.architecture.loss == "squared_error":
        yield in_place, Prediction(p.P - p.Y, p.P - p.Y)
        if p.n > 1:
            yield in_place, Prediction((p.P - p.Y) / p.n, (p.P - p.Y) / p.n)
    else:
        yield in_place, Prediction(p.P - p.Y)
    if p.architecture.output == "softmax":
        yield from _softmax_predictions(p)
    elif p.architecture.output == "sigmoid":
        Z = p.Z[p.depth]
        if p.k > 1:
            yield _another("softmax was taken where the output is a sigmoid"), Prediction(softmax(Z))
        yield Mistake("activation_missing", "Z itself was taken for P, without the sigmoid", 1.3), Prediction(Z)
        yield Mistake("softmax_twice", "the sigmoid was applied twice", 1.3), Prediction(ACTIVATIONS["sigmoid"].f(p.P))
        yield _another("tanh was taken where the output is a sigmoid"), Prediction(np.tanh(Z))


def _another(says: str) -> Mistake:
    return Mistake("activation_other_function", says, 1.2)


def _softmax_predictions(p: Pass) -> Iterator[tuple[Mistake | None, Prediction]]:
    Z = p.Z[p.depth]
    with np.errstate(all="ignore"):
        e, own = np.exp(Z - Z.max()), np.exp(Z - Z.max(axis=1, keepdims=True))
        plain = np.exp(Z)
    yield (
        Mistake("softmax_axis", "softmax was taken over the samples, not over the classes"),
        Prediction(softmax(Z, axis=0)),
    )
    yield Mistake("softmax_whole_array", "softmax was divided by the sum of the whole array"), Prediction(e / e.sum())
    yield Mistake("softmax_twice", "softmax was applied twice"), Prediction(softmax(p.P))
    yield _another("a sigmoid was taken where the output is softmax"), Prediction(ACTIVATIONS["sigmoid"].f(Z))
    yield Mistake("activation_missing", "Z itself was taken for P, without softmax", 1.2), Prediction(Z)
    yield Mistake("softmax_whole_array", "exp(Z) was divided by its mean, not by its sum", 1.3), Prediction(p.P * p.k)
    unsummed = Mistake("activation_missing", "exp(Z) was never divided by its sum", 1.3)
    yield unsummed, Prediction(plain)
    yield unsummed, Prediction(own)
    yield _another("log softmax was taken for P"), Prediction(np.log(np.maximum(p.P, 1e-300)))
    yield Mistake("sign", "softmax was taken of -Z", 1.3), Prediction(softmax(-Z))
    yield from _of_the_batch(p)
    yield (
        Mistake("softmax_axis", "the sums of exp(Z) over the samples divide its rows", 1.3),
        Prediction(own / own.sum(axis=0)),
    )


def _of_the_batch(p: Pass) -> Iterator[tuple[Mistake, Prediction]]:
    """Predictions of a row that the other rows have a say in."""
    centred = p.Z[p.depth] - p.Z[p.depth].mean(axis=0)
    spread = centred.var(axis=0)
    says = "softmax was taken of Z less its mean over the batch"
    yield Mistake("batch_coupling", says, 1.2), Prediction(softmax(centred))
    says = "softmax was taken of Z standardised over the batch"
    for epsilon in (0.0, 1e-8, 1e-5):
        yield Mistake("batch_coupling", says, 1.2), Prediction(softmax(centred / np.sqrt(spread + epsilon)))
    largest = "P was divided by its largest over the batch"
    yield Mistake("batch_coupling", largest, 1.3), Prediction(p.P / p.P.max(axis=0))


def labels(p: Pass) -> Iterator[tuple[Mistake | None, Array]]:
    """Y, right and wrong."""
    yield None, p.Y
    k, n = p.k, p.n
    if n > 1:
        rolled = "labels belong to the {} row: they are one sample off"
        yield Mistake("class_shifted", rolled.format("next"), 1.2), np.roll(p.Y, 1, axis=0)
        yield Mistake("class_shifted", rolled.format("last"), 1.2), np.roll(p.Y, -1, axis=0)
        yield Mistake("class_shifted", "labels are in the reverse order of the rows", 1.3), p.Y[::-1]
        yield (
            Mistake("class_shifted", "the label of the first row was used for every row", 1.3),
            np.repeat(p.Y[:1], n, axis=0),
        )
    if k == 1:
        return
    one_hot = bool(np.isin(p.Y, (0, 1)).all() and (p.Y.sum(axis=1) == 1).all())
    if not one_hot:
        hard = Mistake("other_loss", "the labels are hard: they were not smoothed as the loss has them", 1.05)
        yield hard, np.eye(k)[p.Y.argmax(axis=1)]
        yield Mistake("class_shifted", "the columns of Y are one place off", 1.2), np.roll(p.Y, 1, axis=1)
        yield Mistake("class_shifted", "the columns of Y are one place off", 1.2), np.roll(p.Y, -1, axis=1)
        return
    yield from _wrong_classes(p, p.Y.argmax(axis=1))


def _wrong_classes(p: Pass, index: Array) -> Iterator[tuple[Mistake, Array]]:
    """What one-hot rows become of labels that are misread."""
    k, n = p.k, p.n
    also = ("class_shifted",)
    yield (
        Mistake("labels_from_one", "1 was subtracted from labels that already start at 0", also=also),
        np.eye(k)[index - 1],
    )
    if k > 2:
        yield (
            Mistake("labels_from_one", "each label points one class too far", 1.05, also=("class_shifted",)),
            np.eye(k)[(index + 1) % k],
        )
        lost = np.zeros_like(p.Y)
        lost[index > 0, index[index > 0] - 1] = 1
        yield Mistake("labels_from_one", "labels that start at 0 were read as starting at 1", 1.1, also=also), lost
        lost = np.zeros_like(p.Y)
        inside = index < k - 1
        lost[inside, index[inside] + 1] = 1
        yield Mistake("class_shifted", "each label points one class too far, the last to none", 1.1), lost
        yield Mistake("class_shifted", "the classes are in reverse order", 1.2), np.eye(k)[k - 1 - index]
    column = "the class number itself stands where its one-hot row belongs"
    yield Mistake("index_for_one_hot", column), np.repeat(index[:, None].astype(float), k, axis=1)
    yield (
        Mistake("index_for_one_hot", column + ", counted from 1", 1.1),
        np.repeat(index[:, None].astype(float) + 1, k, axis=1),
    )
    if n == k:
        yield (
            Mistake("index_for_one_hot", "the class numbers were subtracted as one row from every row", 1.05),
            np.repeat(index[None, :].astype(float), n, axis=0),
        )
    everywhere = np.zeros_like(p.Y)
    everywhere[:, np.unique(index)] = 1
    says = "labels of shape (n, 1) subtracted 1 in every row for every class"
    yield Mistake("index_for_one_hot", says, 1.12), everywhere
    yield (
        Mistake("index_for_one_hot", "the class number stands in the one-hot row where its 1 belongs", 1.2),
        (p.Y * index[:, None]),
    )
    flipped = np.ones_like(p.Y) - p.Y
    yield (
        Mistake("index_for_one_hot", "the one-hot rows are turned round: 0 for the true class, 1 for the others", 1.3),
        flipped,
    )


def loss_derivatives(p: Pass) -> Iterator[tuple[Mistake | None, str]]:
    """dL/dP, right and wrong, by name; `loss_derivative` makes it from P and Y."""
    yield None, ""
    loss = p.architecture.loss
    for other in ("squared_error", "cross_entropy", "binary_cross_entropy"):
        if other != loss:
            yield Mistake("other_loss", f"dL/dP is that of {other.replace('_', ' ')}", 1.05), other
    fed = "the predictions themselves were passed back, in place of dL/dP"
    yield Mistake("upstream_dropped", fed, 1.0, True, ("wrong_operand",)), "P"
    yield Mistake("upstream_dropped", "1 was passed back in place of dL/dP", 1.1, True), "1"
    yield Mistake("upstream_twice", "dL/dP was multiplied in twice", 1.2, True), "squared"
    yield Mistake("other_loss", "the value of the loss was passed back, not its derivative", 1.2, True), "value"
    if loss != "squared_error":
        yield Mistake("other_loss", "the divisor of dL/dP is 1 - P, not P", 1.2, also=("wrong_operand",)), "-Y/(1-P)"
        yield Mistake("wrong_operand", "dL/dP lacks its divisor: -Y, not -Y/P", 1.2, also=("other_loss",)), "-Y"
        yield (
            Mistake("wrong_operand", "dL/dP is -1/P for every class: Y is left out", 1.2, also=("true_class_for_all",)),
            "-1/P",
        )
        yield Mistake("other_loss", "log(P) was passed back, not -Y/P", 1.3), "log P"
    yield Mistake("other_loss", "the absolute value of the error was passed back", 1.3), "|P-Y|"
    yield (
        Mistake(
            "other_loss",
            "only the sign of the error was passed back, as the absolute error |P - Y| has it: another loss",
            1.3,
        ),
        "sign",
    )
    if p.k > 1:
        yield Mistake("batch_coupling", "dL/dP was averaged over the samples before it was passed back", 1.3), "mean"


def loss_derivative(p: Pass, name: str, P: Array, Y: Array) -> Array:
    """Make the dL/dP that `loss_derivatives` has named; "" is the right one."""
    loss = p.architecture.loss
    right = dP_of_losses(P, Y)[loss]
    if name in ("", "mean"):
        return right if not name else np.repeat(right.mean(axis=0, keepdims=True), len(P), axis=0)
    if name in ("cross_entropy", "squared_error", "binary_cross_entropy"):
        return dP_of_losses(P, Y)[name]
    made: dict[str, Array] = {
        "P": P,
        "1": np.ones_like(P),
        "squared": right * right,
        "value": 0.5 * (P - Y) ** 2 if loss == "squared_error" else -Y * np.log(np.where(P > 0, P, 1)),
        "-Y/(1-P)": -Y / (1 - P),
        "-Y": -Y,
        "-1/P": -1 / P,
        "log P": np.log(np.where(P > 0, P, 1)),
        "|P-Y|": np.abs(P - Y),
        "sign": np.sign(P - Y),
    }
    return made[name]
