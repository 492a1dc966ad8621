"""Mistakes at the top: how P, Y and dL/dP become dZ of the last layer.

A form takes them and makes dZ per row, before the factor 1/n. Its ingredients have mistakes of their own, in
`ingredients`; two wrong ones, or a wrong one in a wrong form, are two mistakes.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from ...functional.activations import ACTIVATIONS
from ...functional.arrays import Array
from ...functional.softmax import softmax
from ..exact_pass import Pass, f_prime
from .activation_forms import A_FORMS
from .mistake import Mistake

__all__ = ["Form", "Top", "forms"]


class Top(NamedTuple):
    """What a form is made from; `usual` if none of it is wrong, `given` if dP is not that of P and Y."""

    p: Pass
    P: Array
    Y: Array
    dP: Array
    usual: bool
    given: bool


Form = Callable[[Top], Array]


def _jacobian(dP: Array, P: Array) -> Array:
    return P * (dP - (dP * P).sum(axis=1, keepdims=True))


def _diagonal(dP: Array, P: Array) -> Array:
    return dP * P * (1 - P)


def _fused(p: Pass) -> bool:
    pair = (p.architecture.output, p.architecture.loss)
    return pair in {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}


def _right(t: Top) -> Array:
    """The right form, whatever it is fed with."""
    if t.usual:
        return t.p.dZ[t.p.depth] / t.p.scale
    if _fused(t.p) and not t.given:
        return t.P - t.Y
    if t.p.architecture.output == "softmax":
        return _jacobian(t.dP, t.P)
    return t.dP * _output_derivative(t.p, t.P)


def _output_derivative(p: Pass, P: Array) -> Array:
    output = p.architecture.output
    return P * (1 - P) if output == "sigmoid" else f_prime(output, p.Z[p.depth])


def forms(p: Pass) -> Iterator[tuple[Mistake | None, Form]]:
    """How P, Y and dP become dZ, right and wrong."""
    yield None, _right
    if p.architecture.output == "softmax":
        yield from _contractions()
        yield from _other_jacobians()
        yield from _true_class()
        yield from _on_top(p) if p.architecture.loss == "cross_entropy" else _ignored(p)
    else:
        yield from _elementwise(p)
    yield from _whole(p)


def _contractions() -> Iterator[tuple[Mistake, Form]]:
    """Softmax's pullback P (dP - <dP, P>), and what is made of it."""
    yield (
        Mistake("jacobian_diagonal_only", "only the diagonal P(1 - P) of softmax's Jacobian was used"),
        (lambda t: _diagonal(t.dP, t.P)),
    )
    says = "the rows of softmax's Jacobian were summed, which gives 0"
    yield Mistake("jacobian_rows_summed", says, also=("upstream_dropped",)), lambda t: np.zeros_like(t.P)
    yield (
        Mistake("jacobian_dot_term_missing", "the term -P <dP, P> of softmax's pullback is missing"),
        (lambda t: t.P * t.dP),
    )
    yield (
        Mistake("sign", "the term -P <dP, P> of softmax's pullback was added, not subtracted", 1.2),
        (lambda t: t.P * (t.dP + (t.dP * t.P).sum(axis=1, keepdims=True))),
    )
    yield (
        Mistake("jacobian_dot_term_missing", "<dP, P> was subtracted without its factor P", 1.2),
        (lambda t: t.P * t.dP - (t.dP * t.P).sum(axis=1, keepdims=True)),
    )
    yield (
        Mistake("jacobian_dot_term_missing", "in softmax's pullback dP - <dP, P> lacks the factor P", 1.2),
        (lambda t: t.dP - (t.dP * t.P).sum(axis=1, keepdims=True)),
    )
    yield (
        Mistake("jacobian_dot_term_missing", "in softmax's pullback sum(dP) stands for <dP, P>", 1.2),
        (lambda t: t.P * (t.dP - t.dP.sum(axis=1, keepdims=True))),
    )
    yield (
        Mistake("jacobian_dot_term_missing", "in softmax's pullback mean(dP) stands for <dP, P>", 1.3),
        (lambda t: t.P * (t.dP - t.dP.mean(axis=1, keepdims=True))),
    )
    coupled = ("batch_coupling",)
    yield (
        Mistake("softmax_axis", "<dP, P> was summed over the samples, not over the classes", 1.1, also=coupled),
        (lambda t: t.P * (t.dP - (t.dP * t.P).sum(axis=0, keepdims=True))),
    )
    yield (
        Mistake("softmax_whole_array", "<dP, P> was summed over the whole array", 1.1, also=coupled),
        (lambda t: t.P * (t.dP - (t.dP * t.P).sum())),
    )
    yield (
        Mistake("upstream_twice", "dP was multiplied in a second time after the Jacobian", 1.1, True),
        (lambda t: _jacobian(t.dP, t.P) * t.dP),
    )
    yield Mistake("upstream_twice", "P was multiplied in a second time", 1.3), lambda t: _jacobian(t.dP, t.P) * t.P
    yield (
        Mistake("upstream_twice", "softmax's Jacobian was applied twice", 1.2),
        (lambda t: _jacobian(_jacobian(t.dP, t.P), t.P)),
    )
    yield (
        Mistake("upstream_dropped", "softmax' was never multiplied by dP: P (1 - P) alone", 1.1, True),
        (lambda t: t.P * (1 - t.P)),
    )
    yield (
        Mistake("softmax_twice", "softmax was applied once more before the loss, and differentiated too", 1.1),
        (lambda t: _jacobian(softmax(t.P) - t.Y if _fused(t.p) else _jacobian(softmax(t.P) - t.Y, softmax(t.P)), t.P)),
    )


def _other_jacobians() -> Iterator[tuple[Mistake, Form]]:
    """Softmax's Jacobian diag(p) - p pᵀ in part, or of another row."""
    lost = "the factor P was lost: softmax' was taken as 1 - P"
    yield Mistake("jacobian_diagonal_only", lost, 1.1), lambda t: t.dP * (1 - t.P)
    yield (
        Mistake("jacobian_diagonal_only", "of softmax's Jacobian only what is off the diagonal was used", 1.3),
        (lambda t: _jacobian(t.dP, t.P) - _diagonal(t.dP, t.P)),
    )
    yield (
        Mistake("jacobian_diagonal_only", "of softmax's Jacobian diag(p) - p pᵀ the first part is missing", 1.3),
        (lambda t: -t.P * (t.dP * t.P).sum(axis=1, keepdims=True)),
    )
    yield (
        Mistake("sign", "off the diagonal softmax's Jacobian has the wrong sign", 1.2),
        (lambda t: 2 * _diagonal(t.dP, t.P) - _jacobian(t.dP, t.P)),
    )
    yield (
        Mistake("jacobian_diagonal_only", "the diagonal of softmax's Jacobian is p, not p (1 - p)", 1.2),
        (lambda t: _jacobian(t.dP, t.P) + t.dP * t.P * t.P),
    )
    coupled = ("batch_coupling",)
    says = "the Jacobian of the mean prediction was used for every row"
    yield (
        Mistake("jacobian_not_contracted", says, 1.2, also=coupled),
        (lambda t: t.dP @ (np.diag(t.P.mean(axis=0)) - np.outer(t.P.mean(axis=0), t.P.mean(axis=0)))),
    )
    says = "the Jacobians were averaged over the samples before they met dP"
    yield (
        Mistake("jacobian_not_contracted", says, 1.2, also=coupled),
        (lambda t: t.dP @ (np.diag(t.P.mean(axis=0)) - t.P.T @ t.P / len(t.P))),
    )
    for row, name in ((-1, "last"), (0, "first")):
        says = f"the Jacobian of the {name} sample was used for every row"
        yield (
            Mistake("jacobian_not_contracted", says, 1.3, also=coupled),
            partial(_jacobian_of_row, row),
        )
    says = "each dZ_i was overwritten by the last j of the Jacobian's row, not summed over j"
    yield (
        Mistake("jacobian_not_contracted", says, 1.1),
        lambda t: t.dP * t.P * (_last(t.P) - t.P[:, -1:]),
    )
    yield (
        Mistake("jacobian_not_contracted", says + ", and Z stands for P in it", 1.2),
        lambda t: t.dP * t.P * (_last(t.P) - t.p.Z[t.p.depth][:, -1:]),
    )
    yield (
        Mistake("jacobian_not_contracted", says + ", and dP was dropped", 1.2, True),
        lambda t: t.P * (_last(t.P) - t.P[:, -1:]),
    )
    yield (
        Mistake("jacobian_not_contracted", "dP was fed in place of P, and P in place of dP", 1.3, True),
        (lambda t: _jacobian(t.P, t.dP)),
    )


def _jacobian_of_row(row: int, t: Top) -> Array:
    return t.dP @ (np.diag(t.P[row]) - np.outer(t.P[row], t.P[row]))


def _only_row(row: int, t: Top) -> Array:
    return _right(t) * (np.arange(t.p.n) == row % t.p.n)[:, None]


def _last(P: Array) -> Array:
    """1 in the last column."""
    return (np.arange(P.shape[1]) == P.shape[1] - 1).astype(float)


def _true_class() -> Iterator[tuple[Mistake, Form]]:
    """The formula of one case, i = j or i != j, used for every logit."""

    def of_true(t: Top) -> Array:
        return (t.P * t.Y).sum(axis=1, keepdims=True)

    yield (
        Mistake("true_class_for_all", "the formula for the true class, p_t - 1, was used for every logit"),
        (lambda t: np.repeat(of_true(t) - 1, t.p.k, axis=1)),
    )
    yield (
        Mistake("true_class_for_all", "every logit was treated as that of the true class: P - 1", 1.02),
        (lambda t: t.P - 1),
    )
    yield (
        Mistake("true_class_for_all", "every logit was treated as that of a wrong class: the -1 is missing", 1.1),
        (lambda t: t.P.copy()),
    )
    yield (
        Mistake("true_class_for_all", "p_t (1 - p_t) of the true class was used for every logit", 1.2),
        (lambda t: t.dP * of_true(t) * (1 - of_true(t))),
    )
    says = "dL/dp of the true class times p_t (1 - p_t) was used for every logit"
    yield (
        Mistake("true_class_for_all", says, 1.15),
        (lambda t: np.repeat((_diagonal(t.dP, t.P) * t.Y).sum(axis=1, keepdims=True), t.p.k, axis=1)),
    )
    yield (
        Mistake("true_class_for_all", "only the logit of the true class got a derivative", 1.2),
        (lambda t: _right(t) * t.Y),
    )
    yield (
        Mistake("true_class_for_all", "the logit of the true class got no derivative", 1.2),
        (lambda t: _right(t) * (1 - t.Y)),
    )
    yield (
        Mistake("sign", "for the wrong classes the sign is turned: -P off the true class", 1.2),
        (lambda t: np.where(t.Y > 0, _right(t), -_right(t))),
    )


def _on_top(p: Pass) -> Iterator[tuple[Mistake, Form]]:
    """Cross-entropy: P - Y has softmax's Jacobian in it."""
    says = "softmax's Jacobian was applied on top of P - Y, which holds it already"
    yield Mistake("jacobian_on_top", says, also=("other_loss",)), lambda t: _jacobian(t.P - t.Y, t.P)
    says = "P (1 - P) was multiplied onto P - Y, which holds softmax's derivative already"
    yield (
        Mistake("jacobian_on_top", says, also=("jacobian_diagonal_only", "other_loss")),
        (lambda t: _diagonal(t.P - t.Y, t.P)),
    )
    yield (
        Mistake("jacobian_on_top", "P - Y was multiplied by P", 1.2, also=("jacobian_dot_term_missing",)),
        (lambda t: t.P * (t.P - t.Y)),
    )
    yield Mistake("jacobian_on_top", "P - Y was multiplied by 1 - P", 1.2), lambda t: (t.P - t.Y) * (1 - t.P)
    says = "the derivative of tanh was multiplied onto P - Y, which needs none"
    yield Mistake("jacobian_on_top", says, 1.3), lambda t: (t.P - t.Y) * (1 - t.P * t.P)
    says = "-Y/P, the derivative by P, was used as that by Z"
    yield Mistake("jacobian_ignored", says, 1.05), lambda t: t.dP


def _ignored(p: Pass) -> Iterator[tuple[Mistake, Form]]:
    """Another loss: the Jacobian is needed."""
    also = ("other_loss",) if p.architecture.loss == "squared_error" else ()
    says = "dL/dP was used as dL/dZ: softmax's Jacobian is left out"
    yield Mistake("jacobian_ignored", says, also=also), lambda t: t.dP
    yield Mistake("other_loss", "P - Y belongs to cross-entropy", 1.05), lambda t: t.P - t.Y


def _elementwise(p: Pass) -> Iterator[tuple[Mistake, Form]]:
    """Outputs that act on each number alone."""
    output, loss = p.architecture.output, p.architecture.loss
    fused = _fused(p)
    if fused:
        says = "sigmoid' was multiplied onto P - Y, which holds it already"
        yield (
            Mistake("jacobian_on_top", says, also=("other_loss", "upstream_twice", "activation_other_function")),
            (lambda t: (t.P - t.Y) * t.P * (1 - t.P)),
        )
        says = "dL/dP was used as dL/dZ: sigmoid' is missing at the output"
        yield Mistake("activation_missing", says, 1.1, also=("jacobian_ignored",)), lambda t: t.dP
    elif output != "identity":
        same = ("other_loss", "jacobian_ignored") if output == "sigmoid" and loss == "squared_error" else ()
        yield Mistake("activation_missing", f"{output}' is missing at the output", also=same), lambda t: t.dP
    for mistake, wrong in _output_derivatives(p):
        yield mistake, partial(_times_dP, wrong)
        if fused:
            yield mistake, partial(_times_error, wrong)
    if output == "identity":
        return
    yield (
        Mistake("upstream_dropped", f"{output}' was never multiplied by dL/dP", 1.1, True),
        (lambda t: _output_derivative(t.p, t.P)),
    )
    yield (
        Mistake("upstream_twice", f"{output}' was multiplied in twice", 1.2),
        (lambda t: t.dP * _output_derivative(t.p, t.P) ** 2),
    )


def _times_dP(wrong: Form, t: Top) -> Array:
    return t.dP * wrong(t)


def _times_error(wrong: Form, t: Top) -> Array:
    return (t.P - t.Y) * wrong(t)


def _of_Z(other: str, t: Top) -> Array:
    return f_prime(other, t.p.Z[t.p.depth])


def _of_P(other: str, t: Top) -> Array:
    return A_FORMS[other](t.P)


def _output_derivatives(p: Pass) -> Iterator[tuple[Mistake, Form]]:
    """Wrong derivatives of an output function that acts on each number alone."""
    output, last = p.architecture.output, p.depth
    if output in A_FORMS:
        yield (
            Mistake("activation_of_z", f"{output}' in its form for A was fed with Z"),
            (lambda t: A_FORMS[output](t.p.Z[last])),
        )
    yield Mistake("activation_of_a", f"{output}' in its form for Z was fed with A"), (lambda t: f_prime(output, t.P))
    for other in ACTIVATIONS:
        if other == output:
            continue
        mistake = Mistake("activation_other_function", f"the derivative at the output is that of {other}", 1.1)
        yield mistake, partial(_of_Z, other)
        if other in A_FORMS:
            yield mistake, partial(_of_P, other)
    yield _no_derivative("the output itself stands where its derivative belongs"), lambda t: t.P
    yield _no_derivative("the derivative at the output lacks a factor: 1 - P"), lambda t: 1 - t.P
    yield _no_derivative("the derivative at the output has the wrong sign inside: P (1 + P)"), lambda t: t.P * (1 + t.P)


def _no_derivative(says: str) -> Mistake:
    return Mistake("activation_other_function", says, 1.1)


def _whole(p: Pass) -> Iterator[tuple[Mistake, Form]]:
    """Mistakes that any output may have."""
    yield Mistake("sign", "Y was added, not subtracted: P + Y", 1.2), lambda t: t.P + t.Y
    yield (
        Mistake("other_loss", "the squared error itself was used, not its derivative", 1.2),
        (lambda t: (t.P - t.Y) ** 2),
    )
    yield Mistake("other_loss", "the absolute value of the error was used", 1.3), lambda t: np.abs(t.P - t.Y)
    yield (
        Mistake(
            "other_loss",
            "only the sign of the error was used: the gradient of the absolute error |P - Y|, which is another loss",
            1.3,
        ),
        lambda t: np.sign(t.P - t.Y),
    )
    yield Mistake("true_class_for_all", "Y was never subtracted: this is P", 1.4), lambda t: t.P.copy()
    yield Mistake("other_loss", "P was never subtracted from: this is -Y", 1.4), lambda t: -t.Y
    if p.k > 1:
        says = "the error was summed over the outputs before it was passed back"
        yield (
            Mistake("true_class_for_all", says, 1.3, also=("wrong_operand",)),
            (lambda t: np.repeat(_right(t).sum(axis=1, keepdims=True), t.p.k, axis=1)),
        )
    says = "the mean of dZ over the batch was subtracted from it"
    yield Mistake("batch_coupling", says, 1.2), lambda t: _right(t) - _right(t).mean(axis=0)
    if p.n == 1:
        return
    for row, name, cost in ((-1, "last", 1.1), (0, "first", 1.3)):
        says = f"only the {name} sample counts" + (": each overwrote the one before" if row else "")
        yield (
            Mistake("bias_last_row", says, cost, True, ("wrong_operand", "batch_coupling")),
            partial(_only_row, row),
        )
    yield (
        Mistake("batch_coupling", "the error was averaged over the samples before it was passed back", 1.2, True),
        (lambda t: np.repeat(_right(t).mean(axis=0, keepdims=True), t.p.n, axis=0)),
    )
    yield (
        Mistake("precedence", "/ n divides Y alone: P - Y / n is P - (Y / n)", 1.05, True),
        (lambda t: t.P - t.Y / t.p.n),
    )
    yield Mistake("precedence", "/ n divides P alone", 1.2, True), lambda t: t.P / t.p.n - t.Y
