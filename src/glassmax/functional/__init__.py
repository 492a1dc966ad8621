"""The mathematics: each formula as it stands in the books, its pullback beside it.

::

    affine         Z = X W + b
    activations    A = f(Z), entry by entry
    softmax        P = softmax(Z) and its Jacobian; log_softmax
    losses         on probabilities, and fused with softmax or sigmoid on logits
    heads          an output and a loss together, as the last layer of a network needs them
    targets        what a target, a sample weight and a reduction are
    arrays         which dtypes there are and in which precision sums are formed

The convention is one: ``f_vjp(dOut, *saved)`` takes the derivative of the loss by f's output and gives the
derivative by f's inputs, in the order of f's arguments. Arrays of any float dtype, leading batch axes allowed.
"""

from .activations import (
    ACTIVATIONS,
    Activation,
    elu,
    elu_second,
    elu_vjp,
    gelu,
    gelu_second,
    gelu_vjp,
    identity,
    identity_second,
    identity_vjp,
    leaky_relu,
    leaky_relu_second,
    leaky_relu_vjp,
    mish,
    mish_second,
    mish_vjp,
    relu,
    relu_second,
    relu_vjp,
    selu,
    selu_second,
    selu_vjp,
    sigmoid,
    sigmoid_second,
    sigmoid_vjp,
    silu,
    silu_second,
    silu_vjp,
    softplus,
    softplus_second,
    softplus_vjp,
    tanh,
    tanh_second,
    tanh_vjp,
)
from .affine import (
    affine,
    affine_vjp,
)
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_vjp,
    cross_entropy,
    cross_entropy_vjp,
    l2,
    l2_vjp,
    sigmoid_cross_entropy,
    sigmoid_cross_entropy_vjp,
    softmax_cross_entropy,
    softmax_cross_entropy_vjp,
    squared_error,
    squared_error_vjp,
)
from .softmax import (
    log_softmax,
    log_softmax_vjp,
    softmax,
    softmax_jacobian,
    softmax_jvp,
    softmax_vjp,
)

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "affine",
    "affine_vjp",
    "binary_cross_entropy",
    "binary_cross_entropy_vjp",
    "cross_entropy",
    "cross_entropy_vjp",
    "elu",
    "elu_second",
    "elu_vjp",
    "gelu",
    "gelu_second",
    "gelu_vjp",
    "identity",
    "identity_second",
    "identity_vjp",
    "l2",
    "l2_vjp",
    "leaky_relu",
    "leaky_relu_second",
    "leaky_relu_vjp",
    "log_softmax",
    "log_softmax_vjp",
    "mish",
    "mish_second",
    "mish_vjp",
    "relu",
    "relu_second",
    "relu_vjp",
    "selu",
    "selu_second",
    "selu_vjp",
    "sigmoid",
    "sigmoid_cross_entropy",
    "sigmoid_cross_entropy_vjp",
    "sigmoid_second",
    "sigmoid_vjp",
    "silu",
    "silu_second",
    "silu_vjp",
    "softmax",
    "softmax_cross_entropy",
    "softmax_cross_entropy_vjp",
    "softmax_jacobian",
    "softmax_jvp",
    "softmax_vjp",
    "softplus",
    "softplus_second",
    "softplus_vjp",
    "squared_error",
    "squared_error_vjp",
    "tanh",
    "tanh_second",
    "tanh_vjp",
]
