"""Losses: one file each, with the value, its pullback, the formulas for a row, and the source.

The losses on probabilities (`cross_entropy`, `squared_error`, `binary_cross_entropy`, `candidate_cross_entropy`) take
what the output function returned, and their pullbacks give dL/dP. The fused losses (`softmax_cross_entropy`,
`sigmoid_cross_entropy`, `softmax_candidate_cross_entropy`) take logits, and their pullbacks give dL/dZ: the derivatives
of output and loss are multiplied, and the product simplifies to ``(P - Y)/n``, for candidates to ``(P - Q)/n``.
`linear_softmax_cross_entropy` takes the inputs and weights of the last layer in place of logits: it is for so many
classes that all their logits would fill the memory. `sampled_softmax_cross_entropy` estimates this loss from some of
the classes. `adaptive_softmax_cross_entropy` is the loss of another model, in which rare classes cost less.

Every loss is one number L_i for each row; the weighted numbers are reduced to a mean or a sum by `reduction`.

To add a loss, write its file, import it below, and add it to `LOSSES`. A pair of output and loss that cancels has a
file of its own and a row in `heads`.
"""

from typing import TYPE_CHECKING

from .adaptive_softmax_cross_entropy import *
from .binary_cross_entropy import *
from .binary_cross_entropy import BINARY_CROSS_ENTROPY
from .candidate_cross_entropy import *
from .candidate_cross_entropy import CANDIDATE_CROSS_ENTROPY
from .cross_entropy import *
from .cross_entropy import CROSS_ENTROPY
from .l2 import *
from .linear_softmax_cross_entropy import *
from .loss import Loss as Loss
from .sampled_softmax_cross_entropy import *
from .sigmoid_cross_entropy import *
from .softmax_candidate_cross_entropy import *
from .softmax_cross_entropy import *
from .squared_error import *
from .squared_error import SQUARED_ERROR

LOSSES = {
    "cross_entropy": CROSS_ENTROPY,
    "squared_error": SQUARED_ERROR,
    "binary_cross_entropy": BINARY_CROSS_ENTROPY,
    "candidate_cross_entropy": CANDIDATE_CROSS_ENTROPY,
}
"""The closed table of losses: a model file names one of these and nothing else."""

if not TYPE_CHECKING:  # a type checker takes the names from the imports
    __all__ = ["LOSSES", *(name for name, value in vars().items() if callable(value) and name[0] != "_")]
