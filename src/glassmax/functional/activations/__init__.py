"""Activations: one file each, with the function f, its pullback f_vjp and its second derivative f_second.

All of them act entry by entry, so the Jacobian is diagonal and the pullback is a Hadamard product,

    A = f(Z)        dZ = dA * f'(Z)

Every `f_vjp` takes **Z, the input of f**, never A, its output: it is a very common mistake to compute ``1 - A**2`` from
Z, or ``1 - tanh(Z)**2`` from A. `f_second` is f''(Z), which Hessian-vector products need.

Where a derivative jumps at z = 0, it is taken from the left; for f' PyTorch does the same::

                  f'(0)         f''(0)
    relu          0             0
    leaky_relu    slope         0
    selu          1.7581        1.7581
    elu           1             1         (f' is continuous, only f'' jumps)

Complex input branches on its real part. Entries that overflow do so without a warning.

To add an activation, write its file, import the file below, and add its name to `NAMES`.
"""

from typing import TYPE_CHECKING

from .activation import Activation as Activation
from .elu import *
from .gelu import *
from .identity import *
from .leaky_relu import *
from .mish import *
from .relu import *
from .selu import *
from .sigmoid import *
from .silu import *
from .softplus import *
from .tanh import *

NAMES = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus")
"""Names in the order of help and error messages. A name is the name of the function, its file and its row."""

ACTIVATIONS = {
    name: Activation(name, globals()[name], globals()[f"{name}_vjp"], globals()[f"{name}_second"]) for name in NAMES
}
"""The closed table of activations: a model file names one of these and nothing else."""

if not TYPE_CHECKING:  # a type checker takes the names from the imports
    __all__ = ["ACTIVATIONS", *(name for name, value in vars().items() if callable(value) and name[0] != "_")]
