"""The last layer, where the backward pass begins: the arrays that its dZ is computed from, and the right formula.

All arrays are per row, before the factor 1/n.
"""

from dataclasses import dataclass

from ...functional.arrays import Array
from ..exact_pass import Pass, f_prime

__all__ = ["LastLayer", "diagonal", "jacobian", "output_derivative", "pulled_back", "right_dZ"]


@dataclass(frozen=True)
class LastLayer:
    """The arrays that dZ of the last layer is computed from: the learner's P, Y and dP, of shape (n, k).

    `given` says that dP is not the dP of this P and Y.
    """

    p: Pass
    P: Array
    Y: Array
    dP: Array
    given: bool = False

    @property
    def is_right(self) -> bool:
        """Whether P, Y and dP are as they should be."""
        return self.P is self.p.P and self.Y is self.p.Y and not self.given

    @property
    def Z(self) -> Array:
        """The logits."""
        return self.p.Z[self.p.depth]

    @property
    def n(self) -> int:
        """The number of rows."""
        return self.p.n

    @property
    def k(self) -> int:
        """The number of outputs."""
        return self.p.k


def right_dZ(s: LastLayer) -> Array:
    """dZ by the right formula, applied to the learner's P, Y and dP."""
    if s.is_right:
        return s.p.dZ[s.p.depth] / s.p.scale
    if s.p.head.fused and not s.given:
        return s.P - s.Y
    return pulled_back(s.p, s.dP, s.P)


def pulled_back(p: Pass, dP: Array, P: Array) -> Array:
    """dZ from dP by the derivative of the output function."""
    return jacobian(dP, P) if p.architecture.output == "softmax" else dP * output_derivative(p, P)


def jacobian(dP: Array, P: Array) -> Array:
    """dP times softmax's Jacobian: P (dP - <dP, P>)."""
    return P * (dP - (dP * P).sum(axis=1, keepdims=True))


def diagonal(dP: Array, P: Array) -> Array:
    """dP times the diagonal of softmax's Jacobian alone."""
    return dP * P * (1 - P)


def output_derivative(p: Pass, P: Array) -> Array:
    """f' of an output function that acts on each number alone."""
    output = p.architecture.output
    return P * (1 - P) if output == "sigmoid" else f_prime(output, p.Z[p.depth])
