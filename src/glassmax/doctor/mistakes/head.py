"""Mistakes at the top: dZ of the last layer, from softmax, its Jacobian, the labels and the loss.

Each of the three ingredients has its wrong versions: P, Y, and the form in which they become dZ. Two wrong ingredients at
once are two mistakes. All arrays are per row, before the factor 1/n.
"""

from collections.abc import Callable, Iterator

import numpy as np

from ...functional.activations import ACTIVATIONS
from ...functional.arrays import Array
from ...functional.softmax import softmax
from ..passes import Pass, derivative
from .activation_forms import A_FORMS
from .mistake import Mistake

__all__ = ["dP_of_losses", "forms", "labels", "predictions"]

Form = Callable[[Pass, Array, Array], Array | None]


def _jacobian(dP: Array, P: Array) -> Array:
    return P * (dP - (dP * P).sum(axis=1, keepdims=True))


def dP_of_losses(P: Array, Y: Array) -> dict[str, Array]:
    """dP of each loss, wherever it is finite."""
    with np.errstate(all="ignore"):
        return {
            "cross_entropy": np.where(Y == 0, 0, -Y / P),
            "squared_error": P - Y,
            "binary_cross_entropy": np.where(Y == 1, 0, (1 - Y) / (1 - P)) - np.where(Y == 0, 0, Y / P),
        }


def _right(p: Pass, P: Array, Y: Array) -> Array:
    """The right form, fed with whatever P and Y are."""
    if P is p.P and Y is p.Y:
        return p.dZ[p.depth] / p.scale
    output, loss = p.architecture.output, p.architecture.loss
    if (output, loss) in {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}:
        return P - Y
    dP = dP_of_losses(P, Y)[loss]
    if output == "softmax":
        return _jacobian(dP, P)
    return dP * _output_derivative(p, P)


def _output_derivative(p: Pass, P: Array) -> Array:
    output = p.architecture.output
    return P * (1 - P) if output == "sigmoid" else derivative(output, p.Z[p.depth])


def predictions(p: Pass) -> Iterator[tuple[Mistake | None, Array]]:
    """P, right and wrong."""
    yield None, p.P
    Z = p.Z[p.depth]
    if p.architecture.output != "softmax":
        if p.architecture.output == "sigmoid":
            yield (
                Mistake("activation_other_function", "softmax was taken where the output is a sigmoid", None, 1.2),
                softmax(Z),
            )
            yield Mistake("activation_missing", "the loss was given Z itself, without the sigmoid", None, 1.3), Z
            yield Mistake("softmax_twice", "the sigmoid was applied twice", None, 1.3), ACTIVATIONS["sigmoid"].f(p.P)
        return
    with np.errstate(all="ignore"):
        e = np.exp(Z - Z.max())
    yield Mistake("softmax_axis", "softmax was taken down the columns (over the samples)", None), softmax(Z, axis=0)
    yield Mistake("softmax_whole_array", "softmax was divided by the sum of the whole array", None), e / e.sum()
    yield Mistake("softmax_twice", "softmax was applied twice", None), softmax(p.P)
    yield (
        Mistake("activation_other_function", "a sigmoid was taken where the output is softmax", None, 1.2),
        ACTIVATIONS["sigmoid"].f(Z),
    )
    yield Mistake("activation_missing", "the loss was given Z itself, without softmax", None, 1.2), Z
    yield (
        Mistake("softmax_whole_array", "exp(Z) was divided by its mean, not by its sum", None, 1.3),
        p.P * p.k,
    )
    with np.errstate(all="ignore"):
        yield Mistake("activation_missing", "exp(Z) was never divided by its sum", None, 1.3), np.exp(Z)
        shifted = np.exp(Z - Z.max(axis=1, keepdims=True))
        yield (
            Mistake("activation_missing", "exp(Z - max) was never divided by its sum", None, 1.3),
            shifted,
        )


def labels(p: Pass) -> Iterator[tuple[Mistake | None, Array]]:
    """Y, right and wrong."""
    yield None, p.Y
    k, n = p.k, p.n
    one_hot = k > 1 and bool(np.isin(p.Y, (0, 1)).all() and (p.Y.sum(axis=1) == 1).all())
    if not one_hot:
        if k > 1:
            yield Mistake("class_shifted", "the columns of Y are one place off", None, 1.2), np.roll(p.Y, 1, axis=1)
        return
    index = p.Y.argmax(axis=1)
    yield (
        Mistake("labels_from_one", "1 was subtracted from labels that already start at 0", None),
        np.eye(k)[index - 1],
    )
    if k > 2:
        yield (
            Mistake("class_shifted", "each label points one class too far", None, 1.05),
            np.eye(k)[(index + 1) % k],
        )
        lost = np.zeros_like(p.Y)
        lost[index > 0, index[index > 0] - 1] = 1
        yield Mistake("labels_from_one", "labels that start at 0 were read as starting at 1", None, 1.1), lost
        lost = np.zeros_like(p.Y)
        inside = index < k - 1
        lost[inside, index[inside] + 1] = 1
        yield Mistake("class_shifted", "each label points one class too far, the last to none", None, 1.1), lost
        yield (
            Mistake("class_shifted", "the classes are in reverse order", None, 1.2),
            np.eye(k)[k - 1 - index],
        )
    yield (
        Mistake("index_for_one_hot", "the class number itself stands where its one-hot row belongs", None),
        np.repeat(index[:, None].astype(float), k, axis=1),
    )
    if n == k:
        yield (
            Mistake("index_for_one_hot", "the class numbers were subtracted as one row from every row", None, 1.05),
            np.repeat(index[None, :].astype(float), n, axis=0),
        )
    everywhere = np.zeros_like(p.Y)
    everywhere[:, np.unique(index)] = 1
    yield (
        Mistake("index_for_one_hot", "labels of shape (n, 1) subtracted 1 in every row for every class", None, 1.05),
        everywhere,
    )
    yield (
        Mistake("class_shifted", "the same first labels were used for every row", None, 1.3),
        np.repeat(p.Y[:1], n, axis=0),
    )
    if n > 1:
        yield (
            Mistake("class_shifted", "labels belong to the next row: they are one sample off", None, 1.2),
            np.roll(p.Y, 1, axis=0),
        )
        yield (
            Mistake("class_shifted", "labels belong to the row before: they are one sample off", None, 1.2),
            np.roll(p.Y, -1, axis=0),
        )


def forms(p: Pass) -> list[tuple[Mistake | None, Form]]:
    """How P and Y become dZ, right and wrong."""
    output = p.architecture.output
    found: list[tuple[Mistake | None, Form]] = [(None, _right)]
    found += _softmax_forms(p) if output == "softmax" else _elementwise_forms(p)
    found += _common_forms(p)
    return found


def _dP(p: Pass, P: Array, Y: Array) -> Array:
    return p.dP if P is p.P and Y is p.Y else dP_of_losses(P, Y)[p.architecture.loss]


def _softmax_forms(p: Pass) -> list[tuple[Mistake | None, Form]]:
    loss = p.architecture.loss

    def diagonal(dP: Array, P: Array) -> Array:
        return dP * P * (1 - P)

    found: list[tuple[Mistake | None, Form]] = [
        (
            Mistake("jacobian_diagonal_only", "only the diagonal P(1 - P) of softmax's Jacobian was used", None, 1.0),
            lambda p, P, Y: diagonal(_dP(p, P, Y), P),
        ),
        (
            Mistake(
                "jacobian_rows_summed",
                "the rows of softmax's Jacobian were summed, which gives 0",
                None,
                1.0,
                also=("upstream_dropped",),
            ),
            lambda p, P, Y: np.zeros_like(P),
        ),
        (
            Mistake("jacobian_dot_term_missing", "the term -P <dP, P> of softmax's pullback is missing", None),
            lambda p, P, Y: P * _dP(p, P, Y),
        ),
        (
            Mistake("sign", "the term -P <dP, P> of softmax's pullback was added, not subtracted", None, 1.2),
            lambda p, P, Y: P * (_dP(p, P, Y) + (_dP(p, P, Y) * P).sum(axis=1, keepdims=True)),
        ),
        (
            Mistake("jacobian_dot_term_missing", "<dP, P> was subtracted without its factor P", None, 1.2),
            lambda p, P, Y: P * _dP(p, P, Y) - (_dP(p, P, Y) * P).sum(axis=1, keepdims=True),
        ),
        (
            Mistake("jacobian_dot_term_missing", "in softmax's pullback sum(dP) stands for <dP, P>", None, 1.2),
            lambda p, P, Y: P * (_dP(p, P, Y) - _dP(p, P, Y).sum(axis=1, keepdims=True)),
        ),
        (
            Mistake("jacobian_diagonal_only", "the factor P was lost: softmax' was taken as 1 - P", None, 1.1),
            lambda p, P, Y: _dP(p, P, Y) * (1 - P),
        ),
        (
            Mistake("jacobian_diagonal_only", "softmax' was taken as P alone, and off the diagonal nothing", None, 1.4),
            lambda p, P, Y: P * _dP(p, P, Y) * np.ones_like(P),
        ),
        (
            Mistake(
                "jacobian_diagonal_only", "of softmax's Jacobian only what is off the diagonal was used", None, 1.3
            ),
            lambda p, P, Y: _jacobian(_dP(p, P, Y), P) - diagonal(_dP(p, P, Y), P),
        ),
        (
            Mistake(
                "jacobian_diagonal_only", "of softmax's Jacobian diag(P) - P Pᵀ the diagonal P is missing", None, 1.3
            ),
            lambda p, P, Y: -P * (_dP(p, P, Y) * P).sum(axis=1, keepdims=True),
        ),
        (
            Mistake(
                "softmax_axis",
                "<dP, P> was summed over the samples, not over the classes",
                None,
                1.1,
                also=("batch_coupling",),
            ),
            lambda p, P, Y: P * (_dP(p, P, Y) - (_dP(p, P, Y) * P).sum(axis=0, keepdims=True)),
        ),
        (
            Mistake(
                "softmax_whole_array",
                "<dP, P> was summed over the whole array, not row by row",
                None,
                1.1,
                also=("batch_coupling",),
            ),
            lambda p, P, Y: P * (_dP(p, P, Y) - (_dP(p, P, Y) * P).sum()),
        ),
        (
            Mistake(
                "jacobian_not_contracted",
                "the Jacobian of the mean prediction was used for every row",
                None,
                1.2,
                also=("batch_coupling",),
            ),
            lambda p, P, Y: _dP(p, P, Y) @ (np.diag(P.mean(axis=0)) - np.outer(P.mean(axis=0), P.mean(axis=0))),
        ),
        (
            Mistake(
                "jacobian_not_contracted",
                "the Jacobians were averaged over the samples before they met dP",
                None,
                1.2,
                also=("batch_coupling",),
            ),
            lambda p, P, Y: _dP(p, P, Y) @ (np.diag(P.mean(axis=0)) - P.T @ P / len(P)),
        ),
        (
            Mistake("jacobian_not_contracted", "the Jacobian of the last sample was used for every row", None, 1.3),
            lambda p, P, Y: _dP(p, P, Y) @ (np.diag(P[-1]) - np.outer(P[-1], P[-1])),
        ),
        (
            Mistake("jacobian_not_contracted", "the Jacobian of the first sample was used for every row", None, 1.3),
            lambda p, P, Y: _dP(p, P, Y) @ (np.diag(P[0]) - np.outer(P[0], P[0])),
        ),
        (
            Mistake(
                "softmax_twice", "softmax was applied once more before the loss, and differentiated as well", None, 1.1
            ),
            lambda p, P, Y: _jacobian(_right(p, softmax(P), Y), P),
        ),
        (
            Mistake("true_class_for_all", "the formula for the true class, p_t - 1, was used for every logit", None),
            lambda p, P, Y: np.repeat((P * Y).sum(axis=1, keepdims=True) - 1, p.k, axis=1),
        ),
        (
            Mistake("true_class_for_all", "every logit was treated as that of the true class: P - 1", None, 1.05),
            lambda p, P, Y: P - 1,
        ),
        (
            Mistake(
                "true_class_for_all", "every logit was treated as that of a wrong class: the -1 is missing", None, 1.1
            ),
            lambda p, P, Y: P.copy(),
        ),
        (
            Mistake("true_class_for_all", "p_t (1 - p_t) of the true class was used for every logit", None, 1.2),
            lambda p, P, Y: _dP(p, P, Y) * ((P * Y).sum(axis=1) * (1 - (P * Y).sum(axis=1)))[:, None],
        ),
        (
            Mistake(
                "true_class_for_all", "dL/dp of the true class times p_t (1 - p_t) was used for every logit", None, 1.15
            ),
            lambda p, P, Y: np.repeat((_dP(p, P, Y) * P * (1 - P) * Y).sum(axis=1, keepdims=True), p.k, axis=1),
        ),
        (
            Mistake("true_class_for_all", "only the logit of the true class got a derivative", None, 1.2),
            lambda p, P, Y: _right(p, P, Y) * Y,
        ),
        (
            Mistake("sign", "for the wrong classes the sign is turned: -P off the true class", None, 1.2),
            lambda p, P, Y: np.where(Y > 0, _right(p, P, Y), -_right(p, P, Y)),
        ),
        (
            Mistake("other_loss", "log was taken of 1 - P: the derivative has P for 1 - P", None, 1.4),
            lambda p, P, Y: _jacobian(np.where(Y > 0, -Y / (1 - P), 0), P),
        ),
        (
            Mistake("upstream_twice", "dP was multiplied in a second time after the Jacobian", None, 1.1, True),
            lambda p, P, Y: _jacobian(_dP(p, P, Y), P) * _dP(p, P, Y),
        ),
        (
            Mistake("upstream_dropped", "softmax' was never multiplied by dP: P (1 - P) alone", None, 1.1, True),
            lambda p, P, Y: P * (1 - P),
        ),
        (
            Mistake("jacobian_not_contracted", "dP was fed in place of P, and P in place of dP", None, 1.3, True),
            lambda p, P, Y: _jacobian(P, _dP(p, P, Y)),
        ),
    ]
    if loss == "cross_entropy":
        found += [
            (
                Mistake(
                    "jacobian_on_top",
                    "softmax's Jacobian was applied on top of P - Y, which holds it already",
                    None,
                    1.0,
                    also=("other_loss",),
                ),
                lambda p, P, Y: _jacobian(P - Y, P),
            ),
            (
                Mistake(
                    "jacobian_on_top",
                    "P (1 - P) was multiplied onto P - Y, which holds softmax's derivative already",
                    None,
                    1.0,
                    also=("jacobian_diagonal_only", "other_loss"),
                ),
                lambda p, P, Y: diagonal(P - Y, P),
            ),
            (
                Mistake("jacobian_ignored", "-Y/P, the derivative by P, was used as that by Z", None, 1.05),
                lambda p, P, Y: _dP(p, P, Y),
            ),
            (
                Mistake("jacobian_on_top", "P - Y was multiplied by P", None, 1.2, also=("jacobian_dot_term_missing",)),
                lambda p, P, Y: P * (P - Y),
            ),
            (
                Mistake("jacobian_on_top", "P - Y was multiplied by 1 - P", None, 1.2),
                lambda p, P, Y: (P - Y) * (1 - P),
            ),
        ]
    else:
        found += [
            (
                Mistake(
                    "jacobian_ignored",
                    "dL/dP was used as dL/dZ: softmax's Jacobian is left out",
                    None,
                    1.0,
                    also=("other_loss",) if loss == "squared_error" else (),
                ),
                lambda p, P, Y: _dP(p, P, Y),
            ),
            (
                Mistake("other_loss", "P - Y belongs to cross-entropy", None, 1.05),
                lambda p, P, Y: P - Y,
            ),
        ]
    for other in ("cross_entropy", "squared_error", "binary_cross_entropy"):
        if other == loss:
            continue
        named = other.replace("_", " ")
        found.append(
            (
                Mistake("other_loss", f"this is the gradient of {named}", None, 1.05),
                lambda p, P, Y, other=other: _jacobian(dP_of_losses(P, Y)[other], P),
            )
        )
        found.append(
            (
                Mistake("other_loss", f"dP is that of {named}, and softmax's Jacobian was left out", None, 1.5),
                lambda p, P, Y, other=other: dP_of_losses(P, Y)[other],
            )
        )
        found.append(
            (
                Mistake("other_loss", f"dP is that of {named}, and only the Jacobian's diagonal was used", None, 1.5),
                lambda p, P, Y, other=other: diagonal(dP_of_losses(P, Y)[other], P),
            )
        )
    found += _in_place_forms()
    return found


def _in_place_forms() -> list[tuple[Mistake | None, Form]]:
    says = "dZ = P named the same memory, so that P was already P - Y when it was used again"
    return [
        (Mistake("in_place", says, None, 1.1, True), lambda p, P, Y: _jacobian(P - Y, P - Y)),
        (Mistake("in_place", says, None, 1.15, True), lambda p, P, Y: _jacobian((P - Y) / p.n, (P - Y) / p.n)),
        (Mistake("in_place", says, None, 1.15, True), lambda p, P, Y: (P - Y) ** 2 * (1 - (P - Y))),
        (
            Mistake("in_place", "Y was subtracted from P a second time: P had been changed in place", None, 1.1),
            lambda p, P, Y: P - 2 * Y,
        ),
    ]


def _elementwise_forms(p: Pass) -> list[tuple[Mistake | None, Form]]:
    output, loss = p.architecture.output, p.architecture.loss
    fused = (output, loss) == ("sigmoid", "binary_cross_entropy")
    found: list[tuple[Mistake | None, Form]] = []
    if output != "identity":
        if not fused:
            same = ("other_loss",) if output == "sigmoid" and loss == "squared_error" else ()
            found.append(
                (
                    Mistake("activation_missing", f"{output}' is missing at the output", None, 1.0, also=same),
                    lambda p, P, Y: _dP(p, P, Y),
                )
            )
        else:
            found += [
                (
                    Mistake(
                        "jacobian_on_top",
                        "sigmoid' was multiplied onto P - Y, which holds it already",
                        None,
                        1.0,
                        also=("other_loss", "upstream_twice"),
                    ),
                    lambda p, P, Y: (P - Y) * P * (1 - P),
                ),
                (
                    Mistake(
                        "activation_missing",
                        "dL/dP was used as dL/dZ: sigmoid' is missing at the output",
                        None,
                        1.1,
                        also=("jacobian_ignored",),
                    ),
                    lambda p, P, Y: _dP(p, P, Y),
                ),
            ]
    for mistake, wrong in _output_derivatives(p):
        found.append((mistake, lambda p, P, Y, wrong=wrong: _dP(p, P, Y) * wrong(p, P)))
        if fused:
            found.append((mistake, lambda p, P, Y, wrong=wrong: (P - Y) * wrong(p, P)))
    for other in ("squared_error", "binary_cross_entropy", "cross_entropy"):
        if other == loss:
            continue
        named = other.replace("_", " ")
        found.append(
            (
                Mistake("other_loss", f"this is the gradient of {named}", None, 1.05),
                lambda p, P, Y, other=other: dP_of_losses(P, Y)[other] * _output_derivative(p, P),
            )
        )
        found.append(
            (
                Mistake("other_loss", f"dP is that of {named}, and {output}' is missing", None, 1.4),
                lambda p, P, Y, other=other: dP_of_losses(P, Y)[other],
            )
        )
    found += [
        (
            Mistake(
                "upstream_dropped", f"{output}' was never multiplied by the derivative of the loss", None, 1.1, True
            ),
            lambda p, P, Y: _output_derivative(p, P),
        ),
        (
            Mistake("upstream_twice", "the derivative of the loss was multiplied in twice", None, 1.2, True),
            lambda p, P, Y: _dP(p, P, Y) ** 2 * _output_derivative(p, P),
        ),
        (
            Mistake("upstream_twice", f"{output}' was multiplied in twice", None, 1.2),
            lambda p, P, Y: _dP(p, P, Y) * _output_derivative(p, P) ** 2,
        ),
        (
            Mistake(
                "in_place", "dP = P named the same memory, so that the derivative was taken of P - Y", None, 1.2, True
            ),
            lambda p, P, Y: (P - Y) * (P - Y) * (1 - (P - Y)),
        ),
        (
            Mistake("true_class_for_all", "Y was never subtracted: this is P", None, 1.4),
            lambda p, P, Y: P.copy(),
        ),
    ]
    return found


def _output_derivatives(p: Pass) -> Iterator[tuple[Mistake, Callable[[Pass, Array], Array]]]:
    """Wrong derivatives of an output function that acts on each number alone."""
    output = p.architecture.output
    last = p.depth
    if output in A_FORMS:
        yield (
            Mistake("activation_of_z", f"{output}' in its form for A was fed with Z", None, 1.0),
            lambda p, P: A_FORMS[output](p.Z[last]),
        )
    yield (
        Mistake("activation_of_a", f"{output}' in its form for Z was fed with A", None, 1.0),
        lambda p, P: derivative(output, P),
    )
    for other in ACTIVATIONS:
        if other != output:
            yield (
                Mistake("activation_other_function", f"the derivative at the output is that of {other}", None, 1.1),
                lambda p, P, other=other: derivative(other, p.Z[last]),
            )
            if other in A_FORMS:
                yield (
                    Mistake("activation_other_function", f"the derivative at the output is that of {other}", None, 1.1),
                    lambda p, P, other=other: A_FORMS[other](P),
                )
    yield (
        Mistake("activation_other_function", "the output itself stands where its derivative belongs", None, 1.1),
        lambda p, P: P,
    )
    yield (
        Mistake("activation_other_function", "the derivative at the output lacks a factor: 1 - P", None, 1.1),
        lambda p, P: 1 - P,
    )


def _common_forms(p: Pass) -> list[tuple[Mistake | None, Form]]:
    found: list[tuple[Mistake | None, Form]] = []
    if p.n > 1:

        def one(row: int) -> Form:
            def wrong(p: Pass, P: Array, Y: Array) -> Array:
                D = np.zeros_like(P)
                D[row] = _right(p, P, Y)[row]
                return D

            return wrong

        found += [
            (
                Mistake("bias_last_row", "only the last sample counts: each overwrote the one before", None, 1.1, True),
                one(-1),
            ),
            (Mistake("bias_last_row", "only the first sample counts", None, 1.3, True), one(0)),
            (
                Mistake(
                    "batch_coupling", "the mean over the samples was taken before the backward pass", None, 1.2, True
                ),
                lambda p, P, Y: np.repeat(_right(p, P, Y).mean(axis=0, keepdims=True), p.n, axis=0),
            ),
        ]
        found += [
            (
                Mistake("precedence", "/ n divides Y alone: P - Y / n is P - (Y / n)", None, 1.05, True),
                lambda p, P, Y: P - Y / p.n,
            ),
            (Mistake("precedence", "/ n divides P alone", None, 1.2, True), lambda p, P, Y: P / p.n - Y),
        ]
    found += [
        (Mistake("sign", "Y was added, not subtracted: P + Y", None, 1.2), lambda p, P, Y: P + Y),
        (Mistake("other_loss", "the absolute value of the error was taken", None, 1.3), lambda p, P, Y: np.abs(P - Y)),
        (Mistake("other_loss", "only the sign of the error was used", None, 1.3), lambda p, P, Y: np.sign(P - Y)),
        (
            Mistake("other_loss", "this is the squared error itself, not its derivative", None, 1.2),
            lambda p, P, Y: (P - Y) ** 2,
        ),
    ]
    return found
