"""Mistakes in what dZ of the last layer is made of: the predictions P, the targets Y, and dP = dL/dP.

All arrays are per row, before the factor 1/n.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from ...functional.activations import ACTIVATIONS
from ...functional.arrays import Array
from ...functional.heads import LOSSES
from ...functional.softmax import softmax
from ..exact_pass import Pass
from .last_layer import LastLayer
from .mistake import Mistake
from .smoothing import hard_labels

__all__ = ["dP_in_place", "labels", "loss_derivatives", "predictions"]

# Tables: a mistake's cause and words, and below them its formula.
# fmt: off

# P

def predictions(p: Pass) -> Iterator[Mistake[Pass]]:
    """Wrong versions of P."""
    yield from IN_PLACE
    if p.architecture.output == "softmax":
        yield from FOR_SOFTMAX
    elif p.architecture.output == "sigmoid":
        yield from FOR_SIGMOID


def _logits(p: Pass) -> Array:
    return p.Z[p.depth]


SAME_MEMORY = "dP = P named the same memory, so that P was already P - Y when it was used again"

IN_PLACE: tuple[Mistake[Pass], ...] = (
    Mistake("in_place", SAME_MEMORY, lambda p: p.P - p.Y, cost=1.1, any_scale=True),
    Mistake("in_place", SAME_MEMORY,
            lambda p: (p.P - p.Y) / p.n if p.n > 1 and p.architecture.loss == "squared_error" else None,
            cost=1.1, any_scale=True),
)


def dP_in_place(mistake: Mistake[Pass] | None, p: Pass, P: Array) -> Array | None:
    """dP if it shares the memory of P, which it can under squared error, where dP is P - Y; otherwise None."""
    in_place = mistake is not None and mistake.cause == "in_place" and P is not p.P
    return P if in_place and p.architecture.loss == "squared_error" else None


def _exp(p: Pass, axis: int | None) -> Array:
    """exp(Z - max Z), the maximum taken over the whole array or along an axis."""
    return np.exp(_logits(p) - _logits(p).max(axis=axis, keepdims=True))


def _centred(p: Pass) -> Array:
    return _logits(p) - _logits(p).mean(axis=0)


def _softmax_of_standardised(epsilon: float, p: Pass) -> Array:
    return softmax(_centred(p) / np.sqrt(_centred(p).var(axis=0) + epsilon))


FOR_SOFTMAX: tuple[Mistake[Pass], ...] = (
    Mistake("softmax_axis", "softmax was taken over the samples, not over the classes",
            lambda p: softmax(_logits(p), axis=0)),
    Mistake("softmax_whole_array", "softmax was divided by the sum of the whole array",
            lambda p: _exp(p, None) / _exp(p, None).sum()),
    Mistake("softmax_twice", "softmax was applied twice", lambda p: softmax(p.P)),
    Mistake("activation_other_function", "sigmoid was used instead of softmax as the output",
            lambda p: ACTIVATIONS["sigmoid"].f(_logits(p)), cost=1.2),
    Mistake("activation_missing", "Z itself was used instead of P: softmax is missing", _logits, cost=1.2),
    Mistake("softmax_whole_array", "exp(Z) was divided by its mean, not by its sum", lambda p: p.P * p.k, cost=1.3),
    Mistake("activation_missing", "exp(Z) was never divided by its sum", lambda p: np.exp(_logits(p)), cost=1.3),
    Mistake("activation_missing", "exp(Z) was never divided by its sum", lambda p: _exp(p, 1), cost=1.3),
    Mistake("activation_other_function", "log softmax was used instead of P",
            lambda p: np.log(np.maximum(p.P, 1e-300)), cost=1.2),
    Mistake("sign", "softmax was taken of -Z", lambda p: softmax(-_logits(p)), cost=1.3),
    Mistake("batch_coupling", "softmax was taken of Z minus its mean over the batch",
            lambda p: softmax(_centred(p)), cost=1.2),
    *(Mistake("batch_coupling", "softmax was taken of Z standardized over the batch",
              partial(_softmax_of_standardised, epsilon), cost=1.2)
      for epsilon in (0.0, 1e-8, 1e-5)),
    Mistake("batch_coupling", "P was divided by its maximum over the batch", lambda p: p.P / p.P.max(axis=0), cost=1.3),
    Mistake("softmax_axis", "exp(Z) was divided by its sums over the samples",
            lambda p: _exp(p, 1) / _exp(p, 1).sum(axis=0), cost=1.3),
)

FOR_SIGMOID: tuple[Mistake[Pass], ...] = (
    Mistake("activation_other_function", "softmax was used instead of sigmoid as the output",
            lambda p: softmax(_logits(p)) if p.k > 1 else None, cost=1.2),
    Mistake("activation_missing", "Z itself was used instead of P: sigmoid is missing", _logits, cost=1.3),
    Mistake("softmax_twice", "the sigmoid was applied twice", lambda p: ACTIVATIONS["sigmoid"].f(p.P), cost=1.3),
    Mistake("activation_other_function", "tanh was used instead of sigmoid as the output",
            lambda p: np.tanh(_logits(p)), cost=1.2),
)


# Y

def labels(p: Pass) -> Iterator[Mistake[Pass]]:
    """Wrong versions of Y."""
    yield from OTHER_ROWS
    if p.architecture.loss != "squared_error" and not np.isin(p.Y, (0, 1)).all():
        yield NOT_SMOOTHED
    if p.k > 1:
        yield from WRONG_CLASSES if _is_one_hot(p) else NOT_ONE_HOT


def _is_one_hot(p: Pass) -> bool:
    return bool(np.isin(p.Y, (0, 1)).all() and (p.Y.sum(axis=1) == 1).all())


OTHER_ROWS: tuple[Mistake[Pass], ...] = (
    Mistake("class_shifted", "labels belong to the next row: they are one sample off",
            lambda p: np.roll(p.Y, 1, axis=0) if p.n > 1 else None, cost=1.2),
    Mistake("class_shifted", "labels belong to the last row: they are one sample off",
            lambda p: np.roll(p.Y, -1, axis=0) if p.n > 1 else None, cost=1.2),
    Mistake("class_shifted", "labels are in the reverse order of the rows",
            lambda p: p.Y[::-1] if p.n > 1 else None, cost=1.3),
    Mistake("class_shifted", "the label of the first row was used for every row",
            lambda p: np.repeat(p.Y[:1], p.n, axis=0) if p.n > 1 else None, cost=1.3),
)

NOT_SMOOTHED: Mistake[Pass] = Mistake(
    "other_loss", "the labels are not smoothed, but the labels of the loss are", hard_labels, cost=1.05)

NOT_ONE_HOT: tuple[Mistake[Pass], ...] = (
    Mistake("class_shifted", "the columns of Y are one place off", lambda p: np.roll(p.Y, 1, axis=1), cost=1.2),
    Mistake("class_shifted", "the columns of Y are one place off", lambda p: np.roll(p.Y, -1, axis=1), cost=1.2),
)


def _index(p: Pass) -> Array:
    return p.Y.argmax(axis=1)


def _numbers(p: Pass) -> Array:
    """The class of each row, repeated along the row."""
    return np.repeat(_index(p)[:, None].astype(float), p.k, axis=1)


def _moved(p: Pass, by: int) -> Array:
    """One-hot rows of classes that are moved by one; a class that is none leaves a row of zeros."""
    return np.eye(p.k + 2)[_index(p) + 1 + by][:, 1:-1]


WRONG_CLASSES: tuple[Mistake[Pass], ...] = (
    Mistake("labels_from_one", "1 was subtracted from labels that already start at 0",
            lambda p: np.eye(p.k)[_index(p) - 1], also=("class_shifted",)),
    Mistake("labels_from_one", "each label points one class too far",
            lambda p: np.eye(p.k)[(_index(p) + 1) % p.k] if p.k > 2 else None, cost=1.05, also=("class_shifted",)),
    Mistake("labels_from_one", "labels that start at 0 were read as starting at 1",
            lambda p: _moved(p, -1) if p.k > 2 else None, cost=1.1, also=("class_shifted",)),
    Mistake("class_shifted", "each label points one class too far, and the last class has no label",
            lambda p: _moved(p, 1) if p.k > 2 else None, cost=1.1),
    Mistake("class_shifted", "the classes are in reverse order",
            lambda p: np.eye(p.k)[p.k - 1 - _index(p)] if p.k > 2 else None, cost=1.2),
    Mistake("index_for_one_hot", "the class number itself was used instead of its one-hot row", _numbers),
    Mistake("index_for_one_hot", "the class number itself, counted from 1, was used instead of its one-hot row",
            lambda p: _numbers(p) + 1, cost=1.1),
    Mistake("index_for_one_hot", "the class numbers were subtracted as one row from every row",
            lambda p: np.repeat(_index(p)[None, :].astype(float), p.n, axis=0) if p.n == p.k else None, cost=1.05),
    Mistake("index_for_one_hot", "labels of shape (n, 1) subtracted 1 in every row for every class",
            lambda p: np.repeat(p.Y.max(axis=0, keepdims=True), p.n, axis=0), cost=1.12),
    Mistake("index_for_one_hot", "the one-hot row contains the class number instead of 1",
            lambda p: p.Y * _index(p)[:, None], cost=1.2),
    Mistake("index_for_one_hot", "the one-hot rows are inverted: 0 for the true class, 1 for the others",
            lambda p: np.ones_like(p.Y) - p.Y, cost=1.3),
)


# dP; in `s` all is as the learner has it, and dP right for their P and Y

def loss_derivatives(p: Pass) -> Iterator[Mistake[LastLayer]]:
    """Wrong versions of dL/dP."""
    loss = p.architecture.loss
    yield from (of_another_loss(name) for name in ("squared_error", "cross_entropy", "binary_cross_entropy")
                if name != loss)
    yield from UPSTREAM
    yield VALUE_OF_SQUARED_ERROR if loss == "squared_error" else VALUE_OF_CROSS_ENTROPY
    if loss != "squared_error":
        yield from FOR_LOGARITHMS
    yield from OTHER_ERRORS


def of_another_loss(name: str) -> Mistake[LastLayer]:
    """The derivative of a loss that isn't the network's."""
    return Mistake("other_loss", f"dL/dP is that of {name.replace('_', ' ')}",
                   lambda s: LOSSES[name].dP(s.P, s.Y), cost=1.05)


UPSTREAM: tuple[Mistake[LastLayer], ...] = (
    Mistake("upstream_dropped", "the predictions themselves were passed back instead of dL/dP",
            lambda s: s.P, any_scale=True, also=("wrong_operand",)),
    Mistake("upstream_dropped", "1 was passed back instead of dL/dP",
            lambda s: np.ones_like(s.P), cost=1.1, any_scale=True),
    Mistake("upstream_twice", "dL/dP was multiplied in twice", lambda s: s.dP * s.dP, cost=1.2, any_scale=True),
)

value = partial(Mistake[LastLayer], "other_loss", "the value of the loss was passed back, not its derivative")
VALUE_OF_SQUARED_ERROR = value(lambda s: 0.5 * (s.P - s.Y) ** 2, cost=1.2, any_scale=True)
VALUE_OF_CROSS_ENTROPY = value(lambda s: -s.Y * _log(s.P), cost=1.2, any_scale=True)


def _log(P: Array) -> Array:
    return np.log(np.where(P > 0, P, 1))


FOR_LOGARITHMS: tuple[Mistake[LastLayer], ...] = (
    Mistake("other_loss", "the divisor of dL/dP is 1 - P, not P",
            lambda s: -s.Y / (1 - s.P), cost=1.2, also=("wrong_operand",)),
    Mistake("wrong_operand", "dL/dP lacks its divisor: -Y, not -Y/P", lambda s: -s.Y, cost=1.2, also=("other_loss",)),
    Mistake("wrong_operand", "dL/dP is -1/P for every class: Y is left out",
            lambda s: -1 / s.P, cost=1.2, also=("true_class_for_all",)),
    Mistake("other_loss", "log(P) was passed back, not -Y/P", lambda s: _log(s.P), cost=1.3),
)

OTHER_ERRORS: tuple[Mistake[LastLayer], ...] = (
    Mistake("other_loss", "the absolute value of the error was passed back", lambda s: np.abs(s.P - s.Y), cost=1.3),
    Mistake("other_loss",
            "only the sign of the error was passed back: the gradient of the absolute error |P - Y|, another loss",
            lambda s: np.sign(s.P - s.Y), cost=1.3),
    Mistake("batch_coupling", "dL/dP was averaged over the samples before it was passed back",
            lambda s: np.repeat(s.dP.mean(axis=0, keepdims=True), s.n, axis=0) if s.k > 1 else None, cost=1.3),
)
# fmt: on
