"""Heads: an output function and a loss together, as the last layer of a network needs them.

The last layer turns logits Z into predictions P and charges a loss, and hands down dL/dZ. For two pairs
(softmax with cross-entropy, sigmoid with binary cross-entropy) the two derivatives are fused; for the others
dL/dP goes through the output's pullback, as it stands in the books. Which pair does what is decided here and
nowhere else. This module checks nothing: targets have been through `check_target`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import losses
from .activations import ACTIVATIONS, sigmoid, softplus
from .arrays import Array, log1p, put, summing_dtype
from .softmax import Exponentials, exponentials, log_softmax, softmax_jacobian, softmax_jvp, softmax_vjp
from .targets import Meaning, as_rows

__all__ = ["LOSSES", "OUTPUTS", "Head", "HeadTape"]

# Softmax under binary cross-entropy has no name of its own, and yet needs its logits: 1 - P loses its digits at P = 1.


def _softmax_binary_cross_entropy_rows(pieces: Exponentials, T: Array) -> Array:
    """- sum_c [Y_c log P_c + (1 - Y_c) log(1 - P_c)], with log P and 1 - P from softmax's pieces."""
    Y = as_rows(T, pieces.P.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        log_P = pieces.shift - log1p(pieces.others)
        log_not_P = log1p(-pieces.P)
        top = np.log(pieces.others) - log1p(pieces.others)
        put(log_not_P, pieces.top, top[..., 0])
        return -(np.where(Y == 0, 0, Y * log_P) + np.where(Y == 1, 0, (1 - Y) * log_not_P)).sum(axis=-1)


def _softmax_binary_cross_entropy_dZ(pieces: Exponentials, T: Array) -> Array:
    """The sum u_c (1 - P_c) - P_c sum_{j != c} u_j, u = P dP = (1 - Y) P / (1 - P) - Y: nothing large is subtracted."""
    P, not_P, Y = pieces.P, pieces.not_P, as_rows(T, pieces.P.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.where(Y == 1, 0, (1 - Y) * P / not_P) - Y
        small = u.copy()  # all but the largest probability's, which may be huge
        put(small, pieces.top, np.zeros(pieces.top.shape))
        others = u.sum(axis=-1, keepdims=True) - u
        put(others, pieces.top, small.sum(axis=-1))
        return (1 - Y) * P - Y * not_P - P * others


OUTPUTS = ("softmax", "sigmoid", "identity", "relu")


class Loss(NamedTuple):
    """A loss of predictions: its value and first two derivatives by P, and what its target means."""

    meaning: Meaning
    rows: Callable[[Array, Array], Array]
    dP: Callable[[Array, Array], Array]
    second: Callable[[Array, Array], Array]


def _cross_entropy_second(P: Array, T: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        Y = as_rows(T, P.shape[-1])
        return np.where(Y == 0, 0, Y / (P * P))


def _binary_cross_entropy_second(P: Array, T: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        Y = as_rows(T, P.shape[-1])
        return np.where(Y == 0, 0, Y / (P * P)) + np.where(Y == 1, 0, (1 - Y) / ((1 - P) * (1 - P)))


LOSSES = {
    "cross_entropy": Loss("classes", losses.cross_entropy_rows, losses.cross_entropy_dP, _cross_entropy_second),
    "squared_error": Loss("values", losses.squared_error_rows, losses.squared_error_dP, lambda P, T: np.ones_like(P)),
    "binary_cross_entropy": Loss(
        "labels",
        losses.binary_cross_entropy_rows,
        losses.binary_cross_entropy_dP,
        _binary_cross_entropy_second,
    ),
}
"""The closed table of losses. All of them are sums over the classes, so the second derivative is diagonal."""


class HeadTape(NamedTuple):
    """What the head's forward pass keeps: the logits, the predictions, and softmax's pieces if it has them."""

    Z: Array
    P: Array
    pieces: Exponentials | None


@dataclass(frozen=True)
class Head:
    """The output function and the loss of a network.

    Parameters
    ----------
    output : str
        One of `OUTPUTS`.
    loss : str
        One of `LOSSES`.
    """

    output: str
    loss: str

    @property
    def fused(self) -> bool:
        """Whether output and loss have one derivative together."""
        return (self.output, self.loss) in {("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")}

    def forward(self, Z: Array) -> HeadTape:
        """P = output(Z)."""
        if self.output == "softmax":
            pieces = exponentials(Z)
            return HeadTape(Z, pieces.P.astype(Z.dtype, copy=False), pieces)
        return HeadTape(Z, ACTIVATIONS[self.output].f(Z), None)

    def log_forward(self, Z: Array) -> Array:
        """Return log P of softmax or sigmoid, from the logits where P may underflow.

        A sigmoid's above 1/2 is the logarithm of the rounded P, so that labels which tie in P tie in log P too.
        """
        if self.output == "softmax":
            return log_softmax(Z)
        with np.errstate(divide="ignore"):
            return np.where(Z > 0, np.log(self.forward(Z).P), -softplus(-Z))

    def chance(self, k: int) -> float:
        """The loss of a row whose k predictions say nothing, all alike: of softmax 1/k, of sigmoid 1/2."""
        P = np.full((1, k), 1 / k if self.output == "softmax" else 0.5)
        return float(LOSSES[self.loss].rows(P, np.eye(k)[:1])[0])

    def rows(self, tape: HeadTape, T: Array) -> Array:
        """L_i, one a row, in summing precision."""
        if tape.pieces is not None and self.loss == "cross_entropy":
            return losses.softmax_cross_entropy_rows(tape.pieces, T)
        if tape.pieces is not None and self.loss == "binary_cross_entropy":
            return _softmax_binary_cross_entropy_rows(tape.pieces, T)
        if self.output == "sigmoid" and self.loss == "cross_entropy":
            Z = tape.Z.astype(summing_dtype(tape.Z.dtype), copy=False)
            Y = as_rows(T, Z.shape[-1])
            with np.errstate(invalid="ignore"):
                return np.where((Y == 0) & ~np.isnan(Z), 0, Y * softplus(-Z)).sum(axis=-1)
        if self.fused:
            return losses.sigmoid_cross_entropy_rows(tape.Z, T)
        return LOSSES[self.loss].rows(tape.P, T)

    def dZ(self, tape: HeadTape, T: Array) -> Array:
        """dL_i/dZ_i, before any weight or mean."""
        if tape.pieces is not None and self.loss == "cross_entropy":
            dZ = losses.softmax_cross_entropy_dZ(tape.pieces, T)
        elif tape.pieces is not None and self.loss == "binary_cross_entropy":
            dZ = _softmax_binary_cross_entropy_dZ(tape.pieces, T)
        elif self.output == "sigmoid" and self.loss == "cross_entropy":
            dZ = -as_rows(T, tape.Z.shape[-1]) * sigmoid(-tape.Z)
        elif self.fused:
            dZ = losses.sigmoid_cross_entropy_dZ(tape.Z, T)
        else:
            dZ = self.vjp(tape, LOSSES[self.loss].dP(tape.P, T))
        return dZ.astype(tape.Z.dtype, copy=False)

    def smoothed(self, T: Array, k: int, share: float) -> Array:
        """Write targets out as rows, `share` of each spread evenly: over the k classes, or a label's yes and no."""
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
            softmax            RP (dP - <dP,P>) + P (RdP - <RdP,P> - <dP,RP>)         RdP = L''(P) RP
            the others         RdP f'(Z) + dP f''(Z) RZ
        """
        RP = self.jvp(tape, RZ)
        if self.fused:
            if self.output == "sigmoid":
                return RP
            rowsum = as_rows(T, RP.shape[-1]).sum(axis=-1, keepdims=True)
            return rowsum * RP
        loss = LOSSES[self.loss]
        P, dP, RdP = tape.P, loss.dP(tape.P, T), loss.second(tape.P, T) * RP
        if self.output == "softmax":
            along_P = (dP * P).sum(axis=-1, keepdims=True)
            R_along_P = (RdP * P + dP * RP).sum(axis=-1, keepdims=True)
            return RP * (dP - along_P) + P * (RdP - R_along_P)
        activation = ACTIVATIONS[self.output]
        return activation.vjp(RdP, tape.Z) + dP * activation.second(tape.Z) * RZ

    def jacobian(self, tape: HeadTape) -> Array:
        """dP/dZ, one (k, k) matrix a row."""
        if self.output == "softmax":
            return softmax_jacobian(tape.Z)
        k = tape.P.shape[-1]
        directions = np.broadcast_to(np.eye(k, dtype=tape.P.dtype), (*tape.P.shape, k))
        wide = HeadTape(np.repeat(tape.Z[..., None, :], k, axis=-2), np.repeat(tape.P[..., None, :], k, axis=-2), None)
        return self.vjp(wide, directions)
