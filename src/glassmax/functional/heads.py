"""Heads: an output function and a loss together, as the last layer of a network needs them.

The last layer turns logits Z into predictions P, computes the loss, and passes dL/dZ to the layer below. Five pairs of
output and loss have formulas on the logits (`ON_LOGITS`); for every other pair, dL/dP goes through the pullback of the
output. Two of the five are fused (`Head.fused`): softmax with cross-entropy and sigmoid with binary cross-entropy,
whose derivatives cancel down to P - Y. Only this module decides which formulas a pair uses. Targets have already been
checked by `check_target`.

A softmax may have three options, with any loss. They apply in this order::

    U = softcap tanh(Z / (temperature softcap))       the logits that softmax takes; Z / temperature without a softcap
    P = softmax(U)
    L_i = loss(P_i, Y_i) + z_loss (log sum_c exp U_ic)^2

Source of the z-loss: Chowdhery et al., "PaLM" (2022), section 5.
"""

import math
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
from .softcap import capped, capped_second, capped_slope
from .softmax import Exponentials, exponentials, log_softmax, log_sum_exp, softmax_jacobian, softmax_jvp, softmax_vjp
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
    """Values kept by the head's forward pass: Z, U, the predictions P, and the pieces of softmax if that is the output.

    Z is the result of the last layer. U are the logits that the output function takes: Z itself, unless there is a
    softcap or a temperature.
    """

    Z: Array
    U: Array
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
    """The output function and the loss of a network, one of `PAIRS`, and the options of a softmax.

    Attributes
    ----------
    output, loss : str
    softcap : float or None
        > 0: bounds the logits that softmax takes to [-softcap, softcap]; None for no bound. Softmax output only, as are
        z_loss and temperature.
    z_loss : float
        >= 0: factor of the squared log-sum-exp of the logits, which is added to the loss of each row.
    temperature : float
        > 0: divides Z, before the softcap.
    """

    output: str
    loss: str
    softcap: float | None = None
    z_loss: float = 0.0
    temperature: float = 1.0

    @property
    def fused(self) -> bool:
        """Whether the derivatives of output and loss cancel, down to dL_i/dU_i = P - Y for rows that sum to 1."""
        return LOSS_OF_OUTPUT.get(self.output) == self.loss

    @property
    def options(self) -> dict[str, Any]:
        """The options softcap, z_loss and temperature, without those at their defaults."""
        given = {"softcap": self.softcap, "z_loss": self.z_loss, "temperature": self.temperature}
        return {
            name: value for name, value in given.items() if value is not None and value != getattr(type(self), name)
        }

    @property
    def bounds(self) -> bool:
        """Whether there is a softcap or a temperature, so that U differs from Z."""
        return self.softcap is not None or self.temperature != 1

    def forward(self, Z: Array) -> HeadTape:
        """Return P = output(Z), with the logits and softmax's pieces."""
        if self.output == "softmax":
            U = capped(Z, self.softcap, self.temperature)
            pieces = exponentials(U)
            return HeadTape(Z, U, pieces.P.astype(Z.dtype, copy=False), pieces)
        return HeadTape(Z, Z, ACTIVATIONS[self.output].f(Z), None)

    def log_forward(self, U: Array) -> Array:
        """Return log P of softmax or sigmoid, from the logits U, where P may underflow.

        Where a sigmoid is above 1/2, its logarithm is taken of the rounded P: labels that tie in P tie in log P too.
        """
        if self.output == "softmax":
            return log_softmax(U)
        with np.errstate(divide="ignore"):
            return np.where(U > 0, np.log(self.forward(U).P), -softplus(-U))

    def chance(self, k: int) -> float:
        """Return the loss of a row whose k logits are all 0: softmax predicts 1/k for each class, other outputs 1/2."""
        P = np.full((1, k), 1 / k if self.output == "softmax" else 0.5)
        loss = float(LOSSES[self.loss].rows(P, np.zeros(1, np.intp))[0])
        return loss + self.z_loss * math.log(k) ** 2

    def rows(self, tape: HeadTape, T: Array) -> Array:
        """Return L_i for each row, in summing precision."""
        on_logits = ON_LOGITS.get((self.output, self.loss))
        rows = on_logits.rows(tape.logits, T) if on_logits else LOSSES[self.loss].rows(tape.P, T)
        if self.z_loss and tape.pieces is not None:
            with np.errstate(over="ignore"):
                rows = rows + self.z_loss * log_sum_exp(tape.U, tape.pieces) ** 2
        return rows

    def dZ(self, tape: HeadTape, T: Array) -> Array:
        """Return dL_i/dZ_i, before any weight or mean."""
        return self._through_bounds(tape, self.dU(tape, T)).astype(tape.Z.dtype, copy=False)

    def dU(self, tape: HeadTape, T: Array) -> Array:
        """Return dL_i/dU_i, the derivative by the logits that the output function takes."""
        on_logits = ON_LOGITS.get((self.output, self.loss))
        dU = on_logits.dZ(tape.logits, T) if on_logits else self._output_vjp(tape, LOSSES[self.loss].dP(tape.P, T))
        if self.z_loss and tape.pieces is not None:
            dU = dU + 2 * self.z_loss * log_sum_exp(tape.U, tape.pieces)[..., None] * tape.pieces.P
        return dU

    def _through_bounds(self, tape: HeadTape, V: Array) -> Array:
        """Multiply by dU/dZ, which is diagonal: the product is the same for a pullback and for a push forward."""
        return V * capped_slope(tape.Z, self.softcap, self.temperature) if self.bounds else V

    def smoothed(self, T: Array, k: int, share: float) -> Array:
        """Return targets as rows, `share` of each spread evenly: over the k classes, or over a label's yes and no."""
        if self.output == "sigmoid":
            return (1 - share) * as_rows(T, k) + share / 2
        return as_rows(T, k, share)

    def vjp(self, tape: HeadTape, dP: Array) -> Array:
        """Pull dP back through the output, to Z."""
        return self._through_bounds(tape, self._output_vjp(tape, dP))

    def _output_vjp(self, tape: HeadTape, dP: Array) -> Array:
        if self.output == "softmax":
            return softmax_vjp(dP, tape.P)
        return ACTIVATIONS[self.output].vjp(dP, tape.Z)

    def jvp(self, tape: HeadTape, RZ: Array) -> Array:
        """Push a change RZ of Z forward to RP."""
        return self._output_jvp(tape, self._through_bounds(tape, RZ))

    def _output_jvp(self, tape: HeadTape, RU: Array) -> Array:
        if self.output == "softmax":
            return softmax_jvp(RU, tape.P)
        return ACTIVATIONS[self.output].vjp(RU, tape.Z)  # diagonal: the same product from both sides

    def R_dZ(self, tape: HeadTape, T: Array, RZ: Array) -> Array:
        """Differentiate dZ in the direction RZ: the product of the loss's Hessian by Z with RZ.

        ::

            fused softmax      rowsum(Y) J RU
            fused sigmoid      sigmoid'(Z) RZ
            candidates         (J(P) - J(Q)) RU
            softmax            RP (dP - <dP,P>) + P (RdP - <RdP,P> - <dP,RP>)         RdP = L''(P) RP
            the others         RdP f'(Z) + dP f''(Z) RZ
            z-loss             2 z_loss (<P,RU> P + log sum exp(U) J RU), added
            U(Z)               RdU U'(Z) + dU U''(Z) RZ                               RU = U'(Z) RZ
        """
        RU = self._through_bounds(tape, RZ)
        RdU = self._R_dU(tape, T, RU)
        if self.z_loss and tape.pieces is not None:
            P, lse = tape.pieces.P, log_sum_exp(tape.U, tape.pieces)[..., None]
            RdU = RdU + 2 * self.z_loss * ((P * RU).sum(axis=-1, keepdims=True) * P + lse * softmax_jvp(RU, P))
        if not self.bounds:
            return RdU.astype(RZ.dtype, copy=False)
        bent = self.dU(tape, T) * capped_second(tape.Z, self.softcap, self.temperature) * RZ
        return (self._through_bounds(tape, RdU) + bent).astype(RZ.dtype, copy=False)

    def _R_dU(self, tape: HeadTape, T: Array, RU: Array) -> Array:
        """Differentiate dU, without the z-loss, in the direction RU."""
        on_logits = ON_LOGITS.get((self.output, self.loss))
        if on_logits is not None and on_logits.R_dZ is not None:
            return on_logits.R_dZ(tape.logits, T, RU)
        RP = self._output_jvp(tape, RU)
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
        return activation.vjp(RdP, tape.Z) + dP * activation.second(tape.Z) * RU

    def jacobian(self, tape: HeadTape) -> Array:
        """Return dP/dZ, one (k, k) matrix for each row."""
        if self.output == "softmax":
            J = softmax_jacobian(tape.U)
            slope = capped_slope(tape.Z, self.softcap, self.temperature)[..., None, :]
            return (J * slope).astype(J.dtype, copy=False) if self.bounds else J
        k = tape.P.shape[-1]
        directions = np.broadcast_to(np.eye(k, dtype=tape.P.dtype), (*tape.P.shape, k))
        Z, P = (np.repeat(V[..., None, :], k, axis=-2) for V in (tape.Z, tape.P))
        return self._output_vjp(HeadTape(Z, Z, P, None), directions)
