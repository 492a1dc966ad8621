"""The mathematics: each formula as textbooks have it, and beside it its pullback, which backpropagation uses.

::

    affine         Z = X W + b
    activations/   A = f(Z), entry by entry; a file for each f
    softmax        P = softmax(Z) and its Jacobian; log_softmax
    embeddings     columns of numbers as several columns: periodic, piecewise linear
    losses/        on probabilities, and fused with softmax or sigmoid on logits; a file for each loss
    heads          an output and a loss together, as the last layer of a network needs them
    calibration    the temperature and the bias of each class, fitted to the logits of a finished network
    stacking       the weights of several networks whose logits are added
    targets        what a target, a sample weight and a reduction are
    masks          dropout: which units a row keeps
    mixup          rows of a batch mixed with the rows before them
    arrays         which dtypes are accepted, and in which precision sums are formed

There is one convention: ``f_vjp(dOut, *saved)`` takes the derivative of the loss with respect to f's output, and
returns the derivatives with respect to f's inputs, in the order of f's arguments. Arrays may have any float dtype and
leading batch axes.
"""

from typing import TYPE_CHECKING

from .activations import *
from .affine import *
from .embeddings import *
from .losses import *
from .softmax import *

if not TYPE_CHECKING:  # a type checker takes the names from the imports
    __all__ = ["ACTIVATIONS", "LOSSES", *(name for name, value in vars().items() if callable(value) and name[0] != "_")]

    def __dir__() -> list[str]:
        return __all__
