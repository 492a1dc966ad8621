"""Mistakes at the top: how P, Y and dP become dZ of the last layer, per row, before the factor 1/n.

Right is `top.right_dZ`: P - Y where output and loss cancel, else dP times the output's derivative. The mistakes of P,
Y and dP themselves are in `ingredients`; two wrong ones, or a wrong one in a wrong formula, are two mistakes.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ...functional.activations import ACTIVATIONS
from ...functional.arrays import Array
from ...functional.softmax import softmax
from ..exact_pass import Pass, f_prime
from ..learners_activations import A_FORMS
from .last_layer import LastLayer, diagonal, jacobian, output_derivative, right_dZ
from .mistake import Mistake
from .smoothing import row_sum_left_out

__all__ = ["errors_at_the_top"]


def errors_at_the_top(p: Pass) -> Iterator[Mistake[LastLayer]]:
    """Wrong versions of the formula for dZ of the last layer."""
    output, loss = p.architecture.output, p.architecture.loss
    if output == "softmax":
        yield from row_sum_left_out(p)
        yield from PULLBACK
        yield from OTHER_JACOBIANS
        yield from TRUE_CLASS
        yield from JACOBIAN_ON_TOP if loss == "cross_entropy" else jacobian_ignored(loss)
    else:
        yield from elementwise(p)
    yield from ANY_OUTPUT


def _dot(dP: Array, P: Array) -> Array:
    """<dP, P> of each row."""
    return (dP * P).sum(axis=1, keepdims=True)


# Tables: a mistake's cause and words, and below them its formula.
# fmt: off

# Softmax's pullback P (dP - <dP, P>)

PULLBACK: tuple[Mistake[LastLayer], ...] = (
    Mistake("jacobian_diagonal_only", "only the diagonal P(1 - P) of softmax's Jacobian was used",
            lambda s: diagonal(s.dP, s.P)),
    Mistake("jacobian_rows_summed", "the rows of softmax's Jacobian were summed, which gives 0",
            lambda s: np.zeros_like(s.P), also=("upstream_dropped",)),
    Mistake("jacobian_dot_term_missing", "the term -P <dP, P> of softmax's pullback is missing", lambda s: s.P * s.dP),
    Mistake("sign", "the term -P <dP, P> of softmax's pullback was added, not subtracted",
            lambda s: s.P * (s.dP + _dot(s.dP, s.P)), cost=1.2),
    Mistake("jacobian_dot_term_missing", "<dP, P> was subtracted without its factor P",
            lambda s: s.P * s.dP - _dot(s.dP, s.P), cost=1.2),
    Mistake("jacobian_dot_term_missing", "in softmax's pullback, the factor P of dP - <dP, P> is missing",
            lambda s: s.dP - _dot(s.dP, s.P), cost=1.2),
    Mistake("jacobian_dot_term_missing", "in softmax's pullback, sum(dP) was used instead of <dP, P>",
            lambda s: s.P * (s.dP - s.dP.sum(axis=1, keepdims=True)), cost=1.2),
    Mistake("jacobian_dot_term_missing", "in softmax's pullback, mean(dP) was used instead of <dP, P>",
            lambda s: s.P * (s.dP - s.dP.mean(axis=1, keepdims=True)), cost=1.3),
    Mistake("softmax_axis", "<dP, P> was summed over the samples, not over the classes",
            lambda s: s.P * (s.dP - (s.dP * s.P).sum(axis=0, keepdims=True)), cost=1.1, also=("batch_coupling",)),
    Mistake("softmax_whole_array", "<dP, P> was summed over the whole array",
            lambda s: s.P * (s.dP - (s.dP * s.P).sum()), cost=1.1, also=("batch_coupling",)),
    Mistake("upstream_twice", "dP was multiplied in a second time after the Jacobian",
            lambda s: jacobian(s.dP, s.P) * s.dP, cost=1.1, any_scale=True),
    Mistake("upstream_twice", "P was multiplied in a second time", lambda s: jacobian(s.dP, s.P) * s.P, cost=1.3),
    Mistake("upstream_twice", "softmax's Jacobian was applied twice",
            lambda s: jacobian(jacobian(s.dP, s.P), s.P), cost=1.2),
    Mistake("upstream_dropped", "softmax' was never multiplied by dP: P (1 - P) alone",
            lambda s: s.P * (1 - s.P), cost=1.1, any_scale=True),
    Mistake("softmax_twice", "softmax was applied once more before the loss, and differentiated too",
            lambda s: jacobian(_error_of_softmax_of_P(s), s.P), cost=1.1),
)


def _error_of_softmax_of_P(s: LastLayer) -> Array:
    Q = softmax(s.P)
    return Q - s.Y if s.p.head.fused else jacobian(Q - s.Y, Q)


# Softmax's Jacobian diag(p) - p pᵀ in part, or of another row

def _last(P: Array) -> Array:
    """1 in the last column."""
    return (np.arange(P.shape[1]) == P.shape[1] - 1).astype(float)


OVERWRITTEN = "each dZ_i was overwritten by the last j of the Jacobian's row, not summed over j"

OTHER_JACOBIANS: tuple[Mistake[LastLayer], ...] = (
    Mistake("jacobian_diagonal_only", "the factor P was lost: softmax' was taken as 1 - P",
            lambda s: s.dP * (1 - s.P), cost=1.1),
    Mistake("jacobian_diagonal_only", "only the entries off the diagonal of softmax's Jacobian were used",
            lambda s: jacobian(s.dP, s.P) - diagonal(s.dP, s.P), cost=1.3),
    Mistake("jacobian_diagonal_only", "diag(p) is missing from softmax's Jacobian diag(p) - p pᵀ",
            lambda s: -s.P * _dot(s.dP, s.P), cost=1.3),
    Mistake("sign", "softmax's Jacobian has the wrong sign off the diagonal",
            lambda s: 2 * diagonal(s.dP, s.P) - jacobian(s.dP, s.P), cost=1.2),
    Mistake("jacobian_diagonal_only", "the diagonal of softmax's Jacobian is p, not p (1 - p)",
            lambda s: jacobian(s.dP, s.P) + s.dP * s.P * s.P, cost=1.2),
    Mistake("jacobian_not_contracted", "the Jacobian of the mean prediction was used for every row",
            lambda s: s.dP @ (np.diag(s.P.mean(axis=0)) - np.outer(s.P.mean(axis=0), s.P.mean(axis=0))),
            cost=1.2, also=("batch_coupling",)),
    Mistake("jacobian_not_contracted", "the Jacobians were averaged over the samples before they were multiplied by dP",
            lambda s: s.dP @ (np.diag(s.P.mean(axis=0)) - s.P.T @ s.P / len(s.P)),
            cost=1.2, also=("batch_coupling",)),
    Mistake("jacobian_not_contracted", "the Jacobian of the last sample was used for every row",
            lambda s: s.dP @ (np.diag(s.P[-1]) - np.outer(s.P[-1], s.P[-1])), cost=1.3, also=("batch_coupling",)),
    Mistake("jacobian_not_contracted", "the Jacobian of the first sample was used for every row",
            lambda s: s.dP @ (np.diag(s.P[0]) - np.outer(s.P[0], s.P[0])), cost=1.3, also=("batch_coupling",)),
    Mistake("jacobian_not_contracted", OVERWRITTEN, lambda s: s.dP * s.P * (_last(s.P) - s.P[:, -1:]), cost=1.1),
    Mistake("jacobian_not_contracted", OVERWRITTEN + ", and Z was used in it instead of P",
            lambda s: s.dP * s.P * (_last(s.P) - s.Z[:, -1:]), cost=1.2),
    Mistake("jacobian_not_contracted", OVERWRITTEN + ", and dP was dropped",
            lambda s: s.P * (_last(s.P) - s.P[:, -1:]), cost=1.2, any_scale=True),
    Mistake("jacobian_not_contracted", "dP and P were exchanged in softmax's pullback",
            lambda s: jacobian(s.P, s.dP), cost=1.3, any_scale=True),
)


# The formula of one case, i = j or i != j, used for every logit

def _of_true(s: LastLayer) -> Array:
    return (s.P * s.Y).sum(axis=1, keepdims=True)


TRUE_CLASS: tuple[Mistake[LastLayer], ...] = (
    Mistake("true_class_for_all", "the formula for the true class, p_t - 1, was used for every logit",
            lambda s: np.repeat(_of_true(s) - 1, s.k, axis=1)),
    Mistake("true_class_for_all", "every logit was treated as that of the true class: P - 1",
            lambda s: s.P - 1, cost=1.02),
    Mistake("true_class_for_all", "every logit was treated as that of a wrong class: the -1 is missing",
            lambda s: s.P, cost=1.1),
    Mistake("true_class_for_all", "p_t (1 - p_t) of the true class was used for every logit",
            lambda s: s.dP * _of_true(s) * (1 - _of_true(s)), cost=1.2),
    Mistake("true_class_for_all", "dL/dp of the true class times p_t (1 - p_t) was used for every logit",
            lambda s: np.repeat((diagonal(s.dP, s.P) * s.Y).sum(axis=1, keepdims=True), s.k, axis=1), cost=1.15),
    Mistake("true_class_for_all", "only the logit of the true class got a derivative",
            lambda s: right_dZ(s) * s.Y, cost=1.2),
    Mistake("true_class_for_all", "the logit of the true class got no derivative",
            lambda s: right_dZ(s) * (1 - s.Y), cost=1.2),
    Mistake("sign", "the sign is wrong for all classes but the true class: -P",
            lambda s: np.where(s.Y > 0, right_dZ(s), -right_dZ(s)), cost=1.2),
)

# Cross-entropy: P - Y has softmax's Jacobian in it

JACOBIAN_ON_TOP: tuple[Mistake[LastLayer], ...] = (
    Mistake("jacobian_on_top", "softmax's Jacobian was applied to P - Y, which already contains it",
            lambda s: jacobian(s.P - s.Y, s.P), also=("other_loss",)),
    Mistake("jacobian_on_top", "P - Y, which already contains softmax's derivative, was multiplied by P (1 - P)",
            lambda s: diagonal(s.P - s.Y, s.P), also=("jacobian_diagonal_only", "other_loss")),
    Mistake("jacobian_on_top", "P - Y was multiplied by P",
            lambda s: s.P * (s.P - s.Y), cost=1.2, also=("jacobian_dot_term_missing",)),
    Mistake("jacobian_on_top", "P - Y was multiplied by 1 - P", lambda s: (s.P - s.Y) * (1 - s.P), cost=1.2),
    Mistake("jacobian_on_top", "P - Y, which needs no derivative, was multiplied by the derivative of tanh",
            lambda s: (s.P - s.Y) * (1 - s.P * s.P), cost=1.3),
    Mistake("jacobian_ignored", "-Y/P, the derivative by P, was used instead of the derivative by Z",
            lambda s: s.dP, cost=1.05),
)


def jacobian_ignored(loss: str) -> Iterator[Mistake[LastLayer]]:
    """Softmax under another loss, which needs the Jacobian."""
    yield Mistake("jacobian_ignored", "dL/dP was used instead of dL/dZ: softmax's Jacobian is left out",
                  lambda s: s.dP, also=("other_loss",) if loss == "squared_error" else ())
    yield Mistake("other_loss", "P - Y belongs to cross-entropy", lambda s: s.P - s.Y, cost=1.05)


# Outputs that act on each number alone

def elementwise(p: Pass) -> Iterator[Mistake[LastLayer]]:
    """Wrong versions of dZ = dP * f'(Z); the names in the words are those of the output function."""
    output, loss = p.architecture.output, p.architecture.loss
    if p.head.fused:
        yield from SIGMOID_ON_TOP
    elif output != "identity":
        same = ("other_loss", "jacobian_ignored") if output == "sigmoid" and loss == "squared_error" else ()
        yield Mistake("activation_missing", "{f}' is missing at the output", lambda s: s.dP, also=same)
    for mistake in output_derivatives(p):
        yield _times(mistake, lambda s: s.dP)
        if p.head.fused:
            yield _times(mistake, lambda s: s.P - s.Y)
    if output != "identity":
        yield from OUTPUT_DERIVATIVE


SIGMOID_ON_TOP: tuple[Mistake[LastLayer], ...] = (
    Mistake("jacobian_on_top", "P - Y, which already contains sigmoid', was multiplied by sigmoid'",
            lambda s: (s.P - s.Y) * s.P * (1 - s.P),
            also=("other_loss", "upstream_twice", "activation_other_function")),
    Mistake("activation_missing", "dL/dP was used instead of dL/dZ: sigmoid' is missing at the output",
            lambda s: s.dP, cost=1.1, also=("jacobian_ignored",)),
)

OUTPUT_DERIVATIVE: tuple[Mistake[LastLayer], ...] = (
    Mistake("upstream_dropped", "{f}' was never multiplied by dL/dP",
            lambda s: output_derivative(s.p, s.P), cost=1.1, any_scale=True),
    Mistake("upstream_twice", "{f}' was multiplied in twice",
            lambda s: s.dP * output_derivative(s.p, s.P) ** 2, cost=1.2),
)


def output_derivatives(p: Pass) -> Iterator[Mistake[LastLayer]]:
    """Wrong derivatives of the output function."""
    output = p.architecture.output
    if output in A_FORMS:
        yield Mistake("activation_of_z", "the formula for {f}' in terms of A was given Z",
                      lambda s: A_FORMS[output](s.Z))
    yield Mistake("activation_of_a", "the formula for {f}' in terms of Z was given A", lambda s: f_prime(output, s.P))
    for name in ACTIVATIONS:
        if name != output:
            yield from of_another_function(name)
    yield from NO_DERIVATIVE


other_function = partial(Mistake[LastLayer], "activation_other_function")


def of_another_function(name: str) -> Iterator[Mistake[LastLayer]]:
    """The derivative of an activation that isn't the output's."""
    words = f"the derivative of {name} was used at the output"
    yield other_function(words, lambda s: f_prime(name, s.Z), cost=1.1)
    if name in A_FORMS:
        yield other_function(words, lambda s: A_FORMS[name](s.P), cost=1.1)


NO_DERIVATIVE: tuple[Mistake[LastLayer], ...] = (
    other_function("the output itself was used instead of its derivative", lambda s: s.P, cost=1.1),
    other_function("the derivative at the output lacks a factor: 1 - P", lambda s: 1 - s.P, cost=1.1),
    other_function("the derivative at the output has the wrong sign inside: P (1 + P)",
                   lambda s: s.P * (1 + s.P), cost=1.1),
)


def _times(mistake: Mistake[LastLayer], other: Callable[[LastLayer], Array]) -> Mistake[LastLayer]:
    formula = mistake.formula
    return replace(mistake, formula=lambda s: None if (F := formula(s)) is None else other(s) * F)


# Mistakes that any output may have

ANY_OUTPUT: tuple[Mistake[LastLayer], ...] = (
    Mistake("sign", "Y was added, not subtracted: P + Y", lambda s: s.P + s.Y, cost=1.2),
    Mistake("other_loss", "the squared error itself was used, not its derivative",
            lambda s: (s.P - s.Y) ** 2, cost=1.2),
    Mistake("other_loss", "the absolute value of the error was used", lambda s: np.abs(s.P - s.Y), cost=1.3),
    Mistake("other_loss",
            "only the sign of the error was used: the gradient of the absolute error |P - Y|, which is another loss",
            lambda s: np.sign(s.P - s.Y), cost=1.3),
    Mistake("true_class_for_all", "Y was never subtracted: this is P", lambda s: s.P, cost=1.4),
    Mistake("other_loss", "P is missing: this is -Y", lambda s: -s.Y, cost=1.4),
    Mistake("true_class_for_all", "the error was summed over the outputs before it was passed back",
            lambda s: np.repeat(right_dZ(s).sum(axis=1, keepdims=True), s.k, axis=1) if s.k > 1 else None,
            cost=1.3, also=("wrong_operand",)),
    Mistake("batch_coupling", "the mean of dZ over the batch was subtracted from it",
            lambda s: right_dZ(s) - right_dZ(s).mean(axis=0), cost=1.2),
    Mistake("bias_last_row", "only the last sample counts: each sample overwrote the one before",
            lambda s: _only_row(s, s.n - 1) if s.n > 1 else None,
            cost=1.1, any_scale=True, also=("wrong_operand", "batch_coupling")),
    Mistake("bias_last_row", "only the first sample counts",
            lambda s: _only_row(s, 0) if s.n > 1 else None,
            cost=1.3, any_scale=True, also=("wrong_operand", "batch_coupling")),
    Mistake("batch_coupling", "the error was averaged over the samples before it was passed back",
            lambda s: np.repeat(right_dZ(s).mean(axis=0, keepdims=True), s.n, axis=0) if s.n > 1 else None,
            cost=1.2, any_scale=True),
    Mistake("precedence", "/ n divides Y alone: P - Y / n is P - (Y / n)",
            lambda s: s.P - s.Y / s.n if s.n > 1 else None, cost=1.05, any_scale=True),
    Mistake("precedence", "/ n divides P alone",
            lambda s: s.P / s.n - s.Y if s.n > 1 else None, cost=1.2, any_scale=True),
)
# fmt: on


def _only_row(s: LastLayer, row: int) -> Array:
    return right_dZ(s) * (np.arange(s.n) == row)[:, None]
