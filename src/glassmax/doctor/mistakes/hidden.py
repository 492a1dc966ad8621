"""Mistakes on the way down: dA = dZ Wᵀ, and dZ = dA * f'(Z) of a hidden layer.

`errors` makes dA of layer l from D, the learner's own dZ of the layer above; `derivatives` makes what stands where
f'(Z) belongs; `whole` makes dZ in one go, where the two can't be told apart.
"""

from collections.abc import Iterator

import numpy as np

from ...functional.activations import ACTIVATIONS
from ...functional.arrays import Array
from ..exact_pass import Pass, f_prime
from . import products
from .activation_forms import A_FORMS
from .mistake import Mistake

__all__ = ["derivatives", "errors", "whole"]

OTHERS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu", "gelu", "selu", "mish")


def errors(p: Pass, layer: int, D: Array, before: Array | None) -> Iterator[tuple[Mistake | None, Array]]:
    """dA of `layer`, right and wrong; `before` is the learner's dA of the layer above (dP at the top)."""
    W = p.W[layer + 1]
    above = layer + 1
    right = D @ W.T
    yield None, right
    if W.shape[0] == W.shape[1]:
        yield Mistake("transposed", f"the error was passed down with W{above}, not with its transpose"), D @ W
        yield Mistake("wrong_operand", f"W{above} is left out of the error passed down", 1.2), D
    if W.shape[1] > 1:
        yield from products.passed_down(D, W, above)
    if before is not None and before.shape == D.shape:
        where = f"f'(Z{above})" if above < p.depth else "the output's derivative"
        yield (
            Mistake("activation_missing_below", f"{where} is missing, but only in the error passed down"),
            before @ W.T,
        )
    if above < p.depth:
        yield (
            Mistake("upstream_twice", f"f'(Z{above}) was multiplied in once more in the error passed down", 1.2),
            (D * p.f_prime(above)) @ W.T,
        )
    else:
        pulled = _pulled_again(p, D)
        if pulled is not None:
            yield (
                Mistake(
                    "upstream_twice",
                    "the output's derivative was multiplied in once more in the error passed down",
                    1.2,
                ),
                pulled @ W.T,
            )
    for other in range(1, p.depth + 1):
        V = p.W[other]
        if other != above and V.shape == W.shape:
            yield Mistake("wrong_layer", f"W{other} stands where W{above} belongs", 1.05), D @ V.T
        if other != above and V.T.shape == W.shape:
            yield Mistake("wrong_layer", f"W{other} stands where W{above} belongs", 1.2), D @ V
    for other in range(above + 1, p.depth + 1):
        if p.dZ[other].shape[1] == W.shape[1]:
            yield (
                Mistake("wrong_layer", f"dZ{other} was passed down where dZ{above} belongs", 1.1),
                p.dZ[other] @ W.T,
            )
    yield (
        Mistake("upstream_dropped", f"the rows of W{above} were summed: dZ{above} was dropped", 1.2, True),
        np.repeat(W.sum(axis=1)[None, :], p.n, axis=0),
    )
    yield (
        Mistake("wrong_operand", f"dZ{above} was summed over its units: W{above} is left out", 1.2),
        np.repeat(D.sum(axis=1, keepdims=True), W.shape[0], axis=1),
    )
    if p.n > 1:
        yield (
            Mistake("batch_coupling", f"dZ{above} was summed over the batch before it was passed down", 1.2, True),
            np.repeat(D.sum(axis=0, keepdims=True) @ W.T, p.n, axis=0),
        )
    yield (
        Mistake("transposed", f"the inverse of W{above} was used, not its transpose", 1.4),
        D @ np.linalg.pinv(W),
    )
    yield Mistake("wrong_operand", f"|W{above}| was used for W{above}", 1.6), D @ np.abs(W).T


def _pulled_again(p: Pass, D: Array) -> Array | None:
    if p.architecture.output == "softmax":
        return p.P * (D - (D * p.P).sum(axis=1, keepdims=True))
    if p.architecture.output == "identity":
        return None
    return D * (p.P * (1 - p.P) if p.architecture.output == "sigmoid" else f_prime(p.architecture.output, p.Z[p.depth]))


def derivatives(p: Pass, layer: int) -> Iterator[tuple[Mistake | None, Array]]:
    """What stands where f'(Z) of `layer` belongs, right and wrong; what is 1 throughout is a derivative left out."""
    for mistake, F in _derivatives(p, layer):
        if mistake is None or mistake.cause == "activation_missing" or not (F == 1).all():
            yield mistake, F


def _derivatives(p: Pass, layer: int) -> Iterator[tuple[Mistake | None, Array]]:
    f, Z, A = p.f(layer), p.Z[layer], p.A[layer]
    right = p.f_prime(layer)
    yield None, right
    if f != "identity":
        yield Mistake("activation_missing", f"{f}'(Z{layer}) is missing"), np.ones_like(Z)
    yield Mistake("activation_of_a", f"{f}' in its form for Z was fed with A{layer}"), f_prime(f, A)
    if f in A_FORMS:
        yield Mistake("activation_of_z", f"{f}' in its form for A was fed with Z{layer}"), A_FORMS[f](Z)
        if layer > 1 and p.A[layer - 1].shape == A.shape:
            yield (
                Mistake("activation_other_layer", f"{f}' was taken of A{layer - 1}, not of A{layer}"),
                A_FORMS[f](p.A[layer - 1]),
            )
    for other in range(1, p.depth + 1):
        if other != layer and p.Z[other].shape == Z.shape:
            yield (
                Mistake("activation_other_layer", f"{f}' was taken of Z{other}, not of Z{layer}"),
                f_prime(f, p.Z[other]),
            )
            if other < p.depth:
                yield (
                    Mistake("activation_other_layer", f"{f}' was taken of A{other}, not of Z{layer}", 1.1),
                    f_prime(f, p.A[other]),
                )
                if f in A_FORMS:
                    yield (
                        Mistake("activation_other_layer", f"{f}' was taken of A{other}, not of A{layer}", 1.02),
                        A_FORMS[f](p.A[other]),
                    )
    if p.X.shape == A.shape:
        yield Mistake("activation_other_layer", f"{f}' was taken of X", 1.1), f_prime(f, p.X)
        if f in A_FORMS and layer > 1:
            yield Mistake("activation_other_layer", f"{f}' was taken of X", 1.1), A_FORMS[f](p.X)
    yield from _other_functions(f, Z, A, layer)
    yield Mistake("upstream_twice", f"{f}'(Z{layer}) was multiplied in twice", 1.1), right * right
    if p.n > 1:
        yield (
            Mistake("batch_coupling", f"{f}'(Z{layer}) was averaged over the batch", 1.3),
            np.repeat(right.mean(axis=0, keepdims=True), p.n, axis=0),
        )
        yield (
            Mistake("batch_coupling", f"{f}'(Z{layer}) of the last sample was used for every row", 1.3),
            np.repeat(right[-1:], p.n, axis=0),
        )
        yield (
            Mistake("batch_coupling", f"{f}'(Z{layer}) of the first sample was used for every row", 1.3),
            np.repeat(right[:1], p.n, axis=0),
        )
    no_bias = Z - p.b[layer]
    if p.b[layer].any():
        yield (
            Mistake("wrong_operand", f"b{layer} was left out of the Z{layer} that {f}' was taken of", 1.2),
            f_prime(f, no_bias),
        )


def _other_functions(f: str, Z: Array, A: Array, layer: int) -> Iterator[tuple[Mistake, Array]]:
    for other in OTHERS:
        if other == f:
            continue
        says = f"the derivative of {other} was used for that of {f}"
        yield Mistake("activation_other_function", says), f_prime(other, Z)
        if other in A_FORMS:
            yield Mistake("activation_other_function", says, 1.05), A_FORMS[other](A)
            yield (
                Mistake("activation_other_function", says + f", in its form for A but fed with Z{layer}", 1.25),
                A_FORMS[other](Z),
            )
        yield Mistake("activation_other_function", says + f", fed with A{layer}", 1.25), f_prime(other, A)
    yield Mistake("activation_other_function", f"A{layer} itself stands where {f}'(Z{layer}) belongs", 1.1), A
    yield Mistake("activation_other_function", f"Z{layer} stands where {f}'(Z{layer}) belongs", 1.2), Z
    yield Mistake("activation_other_function", f"{f}' lost a factor or a term: 1 - A{layer} was used", 1.1), 1 - A
    if f == "sigmoid":
        yield Mistake("activation_other_function", "sigmoid' was taken as A (1 + A)", 1.2), A * (1 + A)
        yield (
            Mistake("activation_other_function", "sigmoid' was taken as A - 1 times A: its sign is turned", 1.25),
            A * (A - 1),
        )
        yield Mistake("activation_other_function", "sigmoid' was taken as A (1 - Z)", 1.3), A * (1 - Z)
        yield Mistake("activation_other_function", "sigmoid' was taken as Z (1 - A)", 1.3), Z * (1 - A)
        yield (
            Mistake(
                "activation_other_function",
                "sigmoid' was taken as A - A without its square: 1 - 2A, its second factor",
                1.4,
            ),
            1 - 2 * A,
        )
        yield Mistake("activation_other_function", "sigmoid' was taken as A² (1 - A)", 1.3), A * A * (1 - A)
        yield Mistake("activation_other_function", "sigmoid' was taken as A (1 - A)²", 1.3), A * (1 - A) ** 2
        yield Mistake("activation_other_function", "sigmoid' was taken as 1 - A²", 1.1), 1 - A * A
        yield Mistake("activation_other_function", "exp(-Z) stands where sigmoid' belongs", 1.4), np.exp(-Z)
        yield (
            Mistake("activation_other_function", "in sigmoid' the square of 1 + exp(-Z) was lost", 1.3),
            np.exp(-Z) / (1 + np.exp(-Z)),
        )
        yield (
            Mistake("activation_other_function", "in sigmoid' exp(Z) stands for exp(-Z)", 1.3),
            np.exp(Z) / (1 + np.exp(-Z)) ** 2,
        )
    if f == "tanh":
        yield Mistake("activation_other_function", "the 1 is missing: -tanh² is not tanh'", 1.02), -A * A
        yield (
            Mistake("activation_other_function", "1 + tanh² is the derivative of tan, not of tanh", 1.02),
            1 + A * A,
        )
        yield Mistake("activation_other_function", "tanh² was used for 1 - tanh²", 1.15), A * A
        yield Mistake("activation_other_function", "the square is missing: 1 - tanh is not tanh'", 1.05), 1 - A
        yield Mistake("activation_other_function", "(1 - tanh)² is not 1 - tanh²", 1.2), (1 - A) ** 2
        yield Mistake("activation_other_function", "1/cosh was used without its square", 1.2), 1 / np.cosh(Z)
        yield (
            Mistake("activation_other_function", "(1 - tanh²)/2 belongs to another scaling", 1.3),
            (1 - A * A) * 0.5,
        )
        yield Mistake("activation_other_function", "the sign is turned: tanh² - 1 is not tanh'", 1.2), A * A - 1
    if f in ("relu", "leaky_relu"):
        yield from _other_slopes(f, Z)


def _other_slopes(f: str, Z: Array) -> Iterator[tuple[Mistake, Array]]:
    """Wrong derivatives of relu and its like, which are steps."""
    yield (
        Mistake("activation_other_function", f"the mask of {f} is turned round: Z < 0", 1.1),
        (Z < 0).astype(float),
    )
    yield Mistake("activation_other_function", f"{f}' was taken as Z where Z > 0", 1.15), np.maximum(Z, 0)
    yield Mistake("activation_other_function", f"sign(Z) was used for {f}'", 1.2), np.sign(Z)
    for slope in (0.1, 0.2, 0.01, 0.001, 0.3):
        yield (
            Mistake("activation_other_function", f"below 0 the slope {slope:g} was used", 1.2),
            np.where(Z > 0, 1.0, slope),
        )
    yield Mistake("activation_other_function", "the mask is Z > 1, not Z > 0", 1.3), (Z > 1).astype(float)


def whole(p: Pass, layer: int, dA: Array) -> Iterator[tuple[Mistake, Array]]:
    """dZ of `layer`, from the right dA, where the mistake is not in one of its two factors."""
    f = p.f(layer)
    right = p.f_prime(layer)
    yield (
        Mistake("upstream_dropped", f"{f}'(Z{layer}) alone: the error from above was dropped", 1.0, True),
        right.copy(),
    )
    yield (
        Mistake("upstream_twice", f"the error from above was multiplied in twice at layer {layer}", 1.1, True),
        dA * dA * right,
    )
    says = f"the mean of {{}}{layer} over the batch was subtracted from it"
    yield Mistake("batch_coupling", says.format("dZ"), 1.2), dA * right - (dA * right).mean(axis=0)
    yield Mistake("batch_coupling", says.format("dA"), 1.2), (dA - dA.mean(axis=0)) * right
    yield (
        Mistake("wrong_operand", "the mask was taken of the error, not of Z: dA > 0", 1.1),
        dA * (dA > 0),
    )
    yield (
        Mistake("elementwise_product", f"dA{layer} and {f}'(Z{layer}) were added, not multiplied", 1.3, True),
        dA + right,
    )
    if p.n == dA.shape[1]:
        yield (
            Mistake("elementwise_product", f"@ stands for * between dA{layer} and {f}'(Z{layer})", 1.3),
            dA @ right,
        )
    yield (
        Mistake("activation_other_function", f"{f} itself was applied to the error", 1.3, True),
        ACTIVATIONS[f].f(dA),
    )
    if f in A_FORMS:
        yield (
            Mistake("wrong_operand", f"{f}' was taken of the error, not of A{layer}", 1.3, True),
            A_FORMS[f](dA),
        )


def precedence(p: Pass, layer: int, D: Array) -> Iterator[tuple[Mistake, Array]]:
    """dZ of `layer` where * and @ bound in another order than meant."""
    W, right = p.W[layer + 1], p.f_prime(layer)
    says = f"* and @ bind equally, from left to right: f'(Z{layer}) * dZ{layer + 1} @ W{layer + 1}.T multiplies first"
    if right.shape[1] == D.shape[1] or D.shape[1] == 1:
        product = right * D
        if product.shape[1] == W.shape[1]:
            yield Mistake("precedence", says), product @ W.T
