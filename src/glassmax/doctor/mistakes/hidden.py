"""Mistakes in the backpropagated error: dA = dZ Wᵀ of the layer below, and dZ = dA * f'(Z) of a hidden layer.

A step down is a product of two factors, either of which may be wrong: the error ``s.dZ @ s.W.T``, from the layer
above, and the derivative ``s.slope``. A few mistakes can't be told apart into the two.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import f_prime
from ..learners_activations import A_FORMS, ACTIVATIONS, LEAKY
from .last_layer import pulled_back
from .mistake import Mistake
from .products import passed_down
from .site import Site

__all__ = ["BOUND_WRONGLY", "UPDATED_WEIGHTS", "WHOLE", "derivatives", "errors"]

# Tables: a mistake's cause and words, and below them its formula.
# fmt: off

# dA of the layer below, from dZ of this one


def errors(s: Site) -> Iterator[Mistake[Site]]:
    """Wrong versions of the error passed down."""
    yield from LEFT_OUT
    if s.h > 1:
        yield from passed_down()
    yield from ONCE_MORE
    for other in range(1, s.p.depth + 1):
        if other != s.layer:
            yield from through_another_layer(other)
    yield from (from_another_layer(other) for other in range(s.layer + 1, s.p.depth + 1))
    yield from SUMMED


LEFT_OUT: tuple[Mistake[Site], ...] = (
    Mistake("transposed", "the error was passed down with W{l}, not with its transpose",
            lambda s: s.dZ @ s.W if s.d == s.h else None),
    Mistake("wrong_operand", "W{l} is left out of the error passed down",
            lambda s: s.dZ if s.d == s.h else None, cost=1.2),
)

ONCE_MORE: tuple[Mistake[Site], ...] = (
    Mistake("activation_missing_below", "{slope} is missing, but only in the error passed down",
            lambda s: s.dA @ s.W.T if s.knows_dA else None),
    Mistake("upstream_twice", "{slope} was multiplied in once more in the error passed down",
            lambda s: _pulled_again(s), cost=1.2),
)

SUMMED: tuple[Mistake[Site], ...] = (
    Mistake("upstream_dropped", "the rows of W{l} were summed: dZ{l} was dropped",
            lambda s: np.repeat(s.W.sum(axis=1)[None, :], s.n, axis=0), cost=1.2, any_scale=True),
    Mistake("wrong_operand", "dZ{l} was summed over its units: W{l} is left out",
            lambda s: np.repeat(s.dZ.sum(axis=1, keepdims=True), s.d, axis=1), cost=1.2),
    Mistake("batch_coupling", "dZ{l} was summed over the batch before it was passed down",
            lambda s: np.repeat(s.dZ.sum(axis=0, keepdims=True) @ s.W.T, s.n, axis=0) if s.n > 1 else None,
            cost=1.2, any_scale=True),
    Mistake("transposed", "the inverse of W{l} was used, not its transpose",
            lambda s: s.dZ @ np.linalg.pinv(s.W), cost=1.4),
    Mistake("wrong_operand", "|W{l}| was used instead of W{l}", lambda s: s.dZ @ np.abs(s.W).T, cost=1.6),
)


def through_another_layer(other: int) -> Iterator[Mistake[Site]]:
    """The error passed down with the weights of a layer that isn't this one."""
    words = f"W{other} was used instead of W{{l}}"
    yield Mistake("wrong_layer", words,
                  lambda s: s.dZ @ s.p.W[other].T if s.p.W[other].shape == s.W.shape else None, cost=1.05)
    yield Mistake("wrong_layer", words,
                  lambda s: s.dZ @ s.p.W[other] if s.p.W[other].T.shape == s.W.shape else None, cost=1.2)


def from_another_layer(other: int) -> Mistake[Site]:
    """The error of a layer further up passed down."""
    return Mistake("wrong_layer", f"dZ{other} was passed down instead of dZ{{l}}",
                   lambda s: s.p.dZ[other] @ s.W.T if s.p.dZ[other].shape == s.dZ.shape else None, cost=1.1)


def _pulled_again(s: Site) -> Array | None:
    if not s.is_last:
        return (s.dZ * s.slope) @ s.W.T
    return pulled_back(s.p, s.dZ, s.p.P) @ s.W.T if s.p.architecture.output != "identity" else None


UPDATED_WEIGHTS: Mistake[Site] = Mistake(
    "updated_weights", "W{l} had already been updated when the error was passed down",
    lambda s: s.dZ @ s.dW.T if s.dW is not None else None)
"""The formula is what the learning rate multiplies; the search fits the rate, and subtracts the product."""


# f'(Z) of a hidden layer

def derivatives(s: Site) -> Iterator[Mistake[Site]]:
    """Wrong versions of f'(Z); a version that is 1 everywhere is reported as a missing derivative."""
    for mistake in _derivatives(s):
        missing = mistake.cause == "activation_missing"
        yield mistake if missing else replace(mistake, formula=partial(_unless_one, mistake))


def _unless_one(mistake: Mistake[Site], s: Site) -> Array | None:
    F = mistake.formula(s)
    return None if F is None or (F == 1).all() else F


def _derivatives(s: Site) -> Iterator[Mistake[Site]]:
    yield from FED_WRONGLY
    for other in range(1, s.p.depth + 1):
        if other != s.layer:
            yield from of_another_layer(other)
    yield from OF_X
    if s.f == "sigmoid":
        yield FACTOR_MISSING
    for name in OTHERS:
        if name != s.f:
            yield from of_another_function(name)
    yield from NO_DERIVATIVE
    yield from OF_ONE_FUNCTION.get(s.f, ())
    yield from OF_THE_BATCH


FED_WRONGLY: tuple[Mistake[Site], ...] = (
    Mistake("activation_missing", "{f}'(Z{l}) is missing", lambda s: np.ones_like(s.Z) if s.f != "identity" else None),
    Mistake("activation_of_a", "the formula for {f}' in terms of Z was given A{l}", lambda s: s.form_for_Z(s.A)),
    Mistake("activation_of_z", "the formula for {f}' in terms of A was given Z{l}", lambda s: s.form_for_A(s.Z)),
    Mistake("activation_other_layer", "{f}' was taken of A{below}, not of A{l}",
            lambda s: s.form_for_A(s.input) if s.layer > 1 and s.input.shape == s.A.shape else None),
)


def of_another_layer(other: int) -> Iterator[Mistake[Site]]:
    """f' of the Z or the A of a layer that isn't this one."""
    yield Mistake("activation_other_layer", f"{{f}}' was taken of Z{other}, not of Z{{l}}",
                  lambda s: s.form_for_Z(s.p.Z[other]) if s.p.Z[other].shape == s.Z.shape else None)
    yield Mistake("activation_other_layer", f"{{f}}' was taken of A{other}, not of Z{{l}}",
                  lambda s: s.form_for_Z(s.p.A[other]) if _is_hidden(other, s) else None, cost=1.1)
    yield Mistake("activation_other_layer", f"{{f}}' was taken of A{other}, not of A{{l}}",
                  lambda s: s.form_for_A(s.p.A[other]) if _is_hidden(other, s) else None, cost=1.02)


def _is_hidden(other: int, s: Site) -> bool:
    return other < s.p.depth and s.p.Z[other].shape == s.Z.shape


OF_X: tuple[Mistake[Site], ...] = (
    Mistake("activation_other_layer", "{f}' was taken of X",
            lambda s: s.form_for_Z(s.p.X) if s.p.X.shape == s.A.shape else None, cost=1.1),
    Mistake("activation_other_layer", "{f}' was taken of X",
            lambda s: s.form_for_A(s.p.X) if s.layer > 1 and s.p.X.shape == s.A.shape else None, cost=1.1),
)

OTHERS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu", "gelu", "selu", "mish")
other_function = partial(Mistake[Site], "activation_other_function")


def of_another_function(name: str) -> Iterator[Mistake[Site]]:
    """The derivative of an activation that isn't the layer's."""
    words = f"the derivative of {name} was used instead of the derivative of {{f}}"
    yield other_function(words, lambda s: f_prime(name, s.Z))
    if name in A_FORMS:
        yield other_function(words, lambda s: A_FORMS[name](s.A), cost=1.05)
        yield other_function(f"{words}, and its formula in terms of A was given Z{{l}}",
                             lambda s: A_FORMS[name](s.Z), cost=1.25)
    yield other_function(f"{words}, and it was taken of A{{l}}, not of Z{{l}}", lambda s: f_prime(name, s.A), cost=1.25)


FACTOR_MISSING = other_function("the factor (1 - A{l}) of sigmoid'(Z{l}) is missing", lambda s: s.A, cost=0.99)

NO_DERIVATIVE: tuple[Mistake[Site], ...] = (
    other_function("A{l} itself was used instead of {f}'(Z{l})", lambda s: s.A, cost=1.1),
    other_function("Z{l} was used instead of {f}'(Z{l})", lambda s: s.Z, cost=1.2),
    other_function("a factor or a term of {f}'(Z{l}) is missing: 1 - A{l} was used", lambda s: 1 - s.A, cost=1.1),
)

SIGMOID: tuple[Mistake[Site], ...] = (
    other_function("sigmoid' was taken as A (1 + A)", lambda s: s.A * (1 + s.A), cost=1.2),
    other_function("sigmoid' was taken as A (A - 1): its sign is wrong", lambda s: s.A * (s.A - 1), cost=1.25),
    other_function("sigmoid' was taken as A (1 - Z)", lambda s: s.A * (1 - s.Z), cost=1.3),
    other_function("sigmoid' was taken as Z (1 - A)", lambda s: s.Z * (1 - s.A), cost=1.3),
    other_function("sigmoid' was taken as 1 - 2A, the derivative of A - A²",
                   lambda s: 1 - 2 * s.A, cost=1.4),
    other_function("sigmoid' was taken as A² (1 - A)", lambda s: s.A * s.A * (1 - s.A), cost=1.3),
    other_function("sigmoid' was taken as A (1 - A)²", lambda s: s.A * (1 - s.A) ** 2, cost=1.3),
    other_function("sigmoid' was taken as 1 - A²", lambda s: 1 - s.A * s.A, cost=1.1),
    other_function("exp(-Z) was used instead of sigmoid'", lambda s: np.exp(-s.Z), cost=1.4),
    other_function("in sigmoid', the square of 1 + exp(-Z) is missing",
                   lambda s: np.exp(-s.Z) / (1 + np.exp(-s.Z)), cost=1.3),
    other_function("in sigmoid', exp(Z) was used instead of exp(-Z)",
                   lambda s: np.exp(s.Z) / (1 + np.exp(-s.Z)) ** 2, cost=1.3),
)

TANH: tuple[Mistake[Site], ...] = (
    other_function("the 1 is missing: -tanh² is not tanh'", lambda s: -s.A * s.A, cost=1.02),
    other_function("1 + tanh² is the derivative of tan, not of tanh", lambda s: 1 + s.A * s.A, cost=1.02),
    other_function("tanh² was used instead of 1 - tanh²", lambda s: s.A * s.A, cost=1.15),
    other_function("the square is missing: 1 - tanh is not tanh'", lambda s: 1 - s.A, cost=1.05),
    other_function("(1 - tanh)² is not 1 - tanh²", lambda s: (1 - s.A) ** 2, cost=1.2),
    other_function("1/cosh was used without its square", lambda s: 1 / np.cosh(s.Z), cost=1.2),
    other_function("(1 - tanh²)/2 has a factor 1/2 that is not in tanh'", lambda s: (1 - s.A * s.A) * 0.5, cost=1.3),
    other_function("the sign is wrong: tanh² - 1 is not tanh'", lambda s: s.A * s.A - 1, cost=1.2),
)


def with_slope(slope: float) -> Mistake[Site]:
    """The derivative of leaky relu with another slope below 0."""
    return other_function(f"below 0 the slope {slope:g} was used", lambda s: np.where(s.Z > 0, 1.0, slope), cost=1.2)


RELU: tuple[Mistake[Site], ...] = (
    other_function("the mask of {f} is inverted: Z < 0", lambda s: (s.Z < 0).astype(float), cost=1.1),
    other_function("{f}' was taken as Z where Z > 0", lambda s: np.maximum(s.Z, 0), cost=1.15),
    other_function("sign(Z) was used instead of {f}'", lambda s: np.sign(s.Z), cost=1.2),
    *(with_slope(slope) for slope in (0.01, *LEAKY.values())),
    other_function("the mask is Z > 1, not Z > 0", lambda s: (s.Z > 1).astype(float), cost=1.3),
)

OF_ONE_FUNCTION = {
    "sigmoid": SIGMOID, "tanh": TANH, **dict.fromkeys(("relu", "leaky_relu", *LEAKY), RELU),
}

OF_THE_BATCH: tuple[Mistake[Site], ...] = (
    Mistake("upstream_twice", "{f}'(Z{l}) was multiplied in twice", lambda s: s.slope * s.slope, cost=1.1),
    Mistake("batch_coupling", "{f}'(Z{l}) was averaged over the batch",
            lambda s: np.repeat(s.slope.mean(axis=0, keepdims=True), s.n, axis=0) if s.n > 1 else None, cost=1.3),
    Mistake("batch_coupling", "{f}'(Z{l}) of the last sample was used for every row",
            lambda s: np.repeat(s.slope[-1:], s.n, axis=0) if s.n > 1 else None, cost=1.3),
    Mistake("batch_coupling", "{f}'(Z{l}) of the first sample was used for every row",
            lambda s: np.repeat(s.slope[:1], s.n, axis=0) if s.n > 1 else None, cost=1.3),
    Mistake("wrong_operand", "b{l} was left out of the Z{l} that {f}' was taken of",
            lambda s: s.form_for_Z(s.Z - s.b) if s.b.any() else None, cost=1.2),
)

# dZ of a hidden layer in one go

WHOLE: tuple[Mistake[Site], ...] = (
    Mistake("upstream_dropped", "{f}'(Z{l}) alone: the error from above was dropped",
            lambda s: s.slope, any_scale=True),
    Mistake("upstream_twice", "the error from above was multiplied in twice at layer {l}",
            lambda s: s.dA * s.dA * s.slope, cost=1.1, any_scale=True),
    Mistake("batch_coupling", "the mean of dZ{l} over the batch was subtracted from it",
            lambda s: s.dZ - s.dZ.mean(axis=0), cost=1.2),
    Mistake("batch_coupling", "the mean of dA{l} over the batch was subtracted from it",
            lambda s: (s.dA - s.dA.mean(axis=0)) * s.slope, cost=1.2),
    Mistake("wrong_operand", "the mask was taken of the error, not of Z: dA > 0",
            lambda s: s.dA * (s.dA > 0), cost=1.1),
    Mistake("elementwise_product", "dA{l} and {f}'(Z{l}) were added, not multiplied",
            lambda s: s.dA + s.slope, cost=1.3, any_scale=True),
    Mistake("elementwise_product", "@ was used instead of * between dA{l} and {f}'(Z{l})",
            lambda s: s.dA @ s.slope if s.n == s.h else None, cost=1.3),
    Mistake("activation_other_function", "{f} itself was applied to the error",
            lambda s: ACTIVATIONS[s.f].f(s.dA), cost=1.3, any_scale=True),
    Mistake("wrong_operand", "{f}' was taken of the error, not of A{l}",
            lambda s: s.form_for_A(s.dA), cost=1.3, any_scale=True),
)

BOUND_WRONGLY: Mistake[Site] = Mistake(
    "precedence", "* and @ bind equally, from left to right: f'(Z{below}) * dZ{l} @ W{l}.T multiplies first",
    lambda s: (s.below.slope * s.dZ) @ s.W.T if s.d == s.h else None)
# fmt: on
