"""Heads: an output function and a loss together, as the last layer of a network needs them.

The last layer turns logits Z into predictions P, computes the loss, and passes dL/dZ to the layer below. Five pairs of
output and loss have formulas on the logits (`ON_LOGITS`); for every other pair, dL/dP goes through the pullback of the
output. Two of the five are fused (`Head.fused`): softmax with cross-entropy and sigmoid with binary cross-entropy,
whose derivatives cancel down to P - Y. Only this module decides which formulas a pair uses. Targets have already been
checked by `check_target`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .activations import ACTIVATIONS, softplus
from .arrays import Array
from .losses import LOSSES
from .losses.crossed_pairs import (
    sigmoid_under_cross_entropy_dZ,
    sigmoid_under_cross_entropy_rows,
    softmax_under_binary_cross_entropy_dZ,
    softmax_under_binary_cross_entropy_rows,
)
from .losses.sigmoid_cross_entropy import sigmoid_cross_entropy_dZ, sigmoid_cross_entropy_rows
from .losses.softmax_candidate_cross_entropy import (
    softmax_candidate_cross_entropy_dZ,
    softmax_candidate_cross_entropy_R_dZ,
    softmax_candidate_cross_entropy_rows,
)
from .losses.softmax_cross_entropy import softmax_cross_entropy_dZ, softmax_cross_entropy_rows
from .softmax import Exponentials, exponentials, log_softmax, softmax_jacobian, softmax_jvp, softmax_vjp
from .targets import as_rows

__all__ = ["LOSSES", "LOSS_OF_OUTPUT", "OUTPUTS", "PAIRS", "Head", "HeadTape"]

OUTPUTS = ("softmax", "sigmoid", "identity", "relu")
"""The closed table of output functions."""

PAIRS = tuple(
    (output, loss)
    for output in OUTPUTS
    for loss in LOSSES
    if output == "softmax" or LOSSES[loss].meaning != "candidates"
)
"""The output and the loss of a network: all pairs but those of candidates with an output that is no softmax, because
only the probabilities of classes that exclude one another may be added."""

LOSS_OF_OUTPUT = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}
"""The loss that each output of probabilities is fused with; as a metric it is called the log-loss."""


class HeadTape(NamedTuple):
    """Values kept by the head's forward pass: the logits, the predictions, and softmax's pieces if it has them."""

    Z: Array
    P: Array
    pieces: Exponentials | None

    @property
    def logits(self) -> Array | Exponentials:
        """Input of the formulas on the logits: for softmax its pieces, for the other outputs Z."""
        return self.Z if self.pieces is None else self.pieces

    def __repr__(self) -> str:
        return f"HeadTape(Z: {self.Z.shape}, P: {self.P.shape})"


class OnLogits(NamedTuple):
    """The formulas of an output and a loss together, L_i and dL_i/dZ_i, from `HeadTape.logits` and the target.

    `R_dZ`, where there is one, is the derivative of dL_i/dZ_i in the direction of its last argument.
    """

    rows: Callable[[Any, Array], Array]
    dZ: Callable[[Any, Array], Array]
    R_dZ: Callable[[Any, Array, Array], Array] | None = None


ON_LOGITS = {
    ("softmax", "cross_entropy"): OnLogits(softmax_cross_entropy_rows, softmax_cross_entropy_dZ),
    ("sigmoid", "binary_cross_entropy"): OnLogits(sigmoid_cross_entropy_rows, sigmoid_cross_entropy_dZ),
    ("sigmoid", "cross_entropy"): OnLogits(sigmoid_under_cross_entropy_rows, sigmoid_under_cross_entropy_dZ),
    ("softmax", "binary_cross_entropy"): OnLogits(
        softmax_under_binary_cross_entropy_rows, softmax_under_binary_cross_entropy_dZ
    ),
    ("softmax", "candidate_cross_entropy"): OnLogits(
        softmax_candidate_cross_entropy_rows,
        softmax_candidate_cross_entropy_dZ,
        softmax_candidate_cross_entropy_R_dZ,
    ),
}
"""The pairs that need the logits to keep their digits where P is close to 0 or 1."""


@dataclass(frozen=True)
class Head:
    """The output function and the loss of a network, one of `PAIRS`."""

    output: str
    loss: str

    @property
    def fused(self) -> bool:
        """Whether the derivatives of output and loss cancel, down to dL_i/dZ_i = P - Y for rows that sum to 1."""
        return LOSS_OF_OUTPUT.get(self.output) == self.loss

    def forward(self, Z: Array) -> HeadTape:
        """Return P = output(Z), with the logits and softmax's pieces."""
        if self.output == "softmax":
            pieces = exponentials(Z)
            return HeadTape(Z, pieces.P.astype(Z.dtype, copy=False), pieces)
        return HeadTape(Z, ACTIVATIONS[self.output].f(Z), None)

    def log_forward(self, Z: Array) -> Array:
        """Return log P of softmax or sigmoid, from the logits where P may underflow.

        Where a sigmoid is above 1/2, its logarithm is taken of the rounded P: labels that tie in P tie in log P too.
        """
        if self.output == "softmax":
            return log_softmax(Z)
        with np.errstate(divide="ignore"):
            return np.where(Z > 0, np.log(self.forward(Z).P), -softplus(-Z))

    def chance(self, k: int) -> float:
        """Return the loss of a row of k uninformed predictions: 1/k each under softmax, 1/2 each under sigmoid."""
        P = np.full((1, k), 1 / k if self.output == "softmax" else 0.5)
        return float(LOSSES[self.loss].rows(P, as_rows(np.zeros(1, np.intp), k))[0])

    def rows(self, tape: HeadTape, T: Array) -> Array:
        """Return L_i for each row, in summing precision."""
        on_logits = ON_LOGITS.get((self.output, self.loss))
        return on_logits.rows(tape.logits, T) if on_logits else LOSSES[self.loss].rows(tape.P, T)

    def dZ(self, tape: HeadTape, T: Array) -> Array:
        """Return dL_i/dZ_i, before any weight or mean."""
        on_logits = ON_LOGITS.get((self.output, self.loss))
        dZ = on_logits.dZ(tape.logits, T) if on_logits else self.vjp(tape, LOSSES[self.loss].dP(tape.P, T))
        return dZ.astype(tape.Z.dtype, copy=False)

    def smoothed(self, T: Array, k: int, share: float) -> Array:
        """Return targets as rows, `share` of each spread evenly: over the k classes, or over a label's yes and no."""
        if self.output == "sigmoid":
            return (1 - share) * as_rows(T, k) + share / 2
        return as_rows(T, k, share)

    def vjp(self, tape: HeadTape, dP: Array) -> Array:
        """Pull dP back through the output alone."""
        if self.output == "softmax":
            return softmax_vjp(dP, tape.P)
        return ACTIVATIONS[self.output].vjp(dP, tape.Z)

    def jvp(self, tape: HeadTape, RZ: Array) -> Array:
        """Push a change RZ of the logits forward to RP."""
        if self.output == "softmax":
            return softmax_jvp(RZ, tape.P)
        return ACTIVATIONS[self.output].vjp(RZ, tape.Z)  # diagonal: the same product from both sides

    def R_dZ(self, tape: HeadTape, T: Array, RZ: Array) -> Array:
        """Differentiate dZ in the direction RZ: the product of the loss's Hessian by the logits with RZ.

        ::

            fused softmax      rowsum(Y) J RZ
            fused sigmoid      sigmoid'(Z) RZ
            candidates         (J(P) - J(Q)) RZ
            softmax            RP (dP - <dP,P>) + P (RdP - <RdP,P> - <dP,RP>)         RdP = L''(P) RP
            the others         RdP f'(Z) + dP f''(Z) RZ
        """
        on_logits = ON_LOGITS.get((self.output, self.loss))
        if on_logits is not None and on_logits.R_dZ is not None:
            return on_logits.R_dZ(tape.logits, T, RZ).astype(RZ.dtype, copy=False)
        RP = self.jvp(tape, RZ)
        if self.fused:
            if self.output == "sigmoid":
                return RP
            rowsum = as_rows(T, RP.shape[-1]).sum(axis=-1, keepdims=True)
            return rowsum * RP
        loss = LOSSES[self.loss]
        P, dP, RdP = tape.P, loss.dP(tape.P, T), loss.second(tape.P, T, RP)
        if self.output == "softmax":
            along_P = (dP * P).sum(axis=-1, keepdims=True)
            R_along_P = (RdP * P + dP * RP).sum(axis=-1, keepdims=True)
            return RP * (dP - along_P) + P * (RdP - R_along_P)
        activation = ACTIVATIONS[self.output]
        return activation.vjp(RdP, tape.Z) + dP * activation.second(tape.Z) * RZ

    def jacobian(self, tape: HeadTape) -> Array:
        """Return dP/dZ, one (k, k) matrix for each row."""
        if self.output == "softmax":
            return softmax_jacobian(tape.Z)
        k = tape.P.shape[-1]
        directions = np.broadcast_to(np.eye(k, dtype=tape.P.dtype), (*tape.P.shape, k))
        wide = HeadTape(np.repeat(tape.Z[..., None, :], k, axis=-2), np.repeat(tape.P[..., None, :], k, axis=-2), None)
        return self.vjp(wide, directions)
