"""The place where a mistake is made: a layer of a pass, as the learner has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...functional.arrays import Array
from ..exact_pass import Pass, f_prime
from .activation_forms import A_FORMS

__all__ = ["Site"]


@dataclass(frozen=True)
class Site:
    """A layer of a pass, with what the learner has of it; the letters of the formulas.

    Attributes
    ----------
    p : Pass
        The exact pass.
    layer : int
        From 1.
    dZ : (n, h) array
        The learner's own.
    dA : (n, h) array or None
        The learner's own, at the top dP; None where it isn't known.
    dW : (d, h) array or None
        The learner's own; None where it isn't known.
    """

    p: Pass
    layer: int
    dZ: Array
    dA: Any
    dW: Array | None = None

    @property
    def n(self) -> int:
        """The number of rows."""
        return self.p.n

    @property
    def d(self) -> int:
        """The number of inputs of the layer."""
        return len(self.W)

    @property
    def h(self) -> int:
        """The number of units of the layer."""
        return int(self.W.shape[1])

    @property
    def is_last(self) -> bool:
        """Whether it is the layer of the output."""
        return self.layer == self.p.depth

    @property
    def knows_dA(self) -> bool:
        """Whether the learner's dA is known."""
        return self.dA is not None and self.dA.shape == self.dZ.shape

    @property
    def W(self) -> Array:
        """(d, h) weights."""
        return self.p.W[self.layer]

    @property
    def b(self) -> Array:
        """(h,) biases."""
        return self.p.b[self.layer]

    @property
    def input(self) -> Array:
        """(n, d) A of the layer below, or X."""
        return self.p.A[self.layer - 1]

    @property
    def Z(self) -> Array:
        """(n, h) Z of the layer."""
        return self.p.Z[self.layer]

    @property
    def A(self) -> Array:
        """(n, h) A of a hidden layer."""
        return self.p.A[self.layer]

    @property
    def f(self) -> str:
        """The name of the activation of a hidden layer."""
        return self.p.f(self.layer)

    @property
    def slope(self) -> Array:
        """(n, h) f'(Z) of a hidden layer."""
        return self.p.f_prime(self.layer)

    @cached_property
    def below(self) -> "Site":
        """The layer below, with the dA and the dZ that follow there if nothing else goes wrong."""
        dA = self.dZ @ self.W.T
        return Site(self.p, self.layer - 1, dA * self.p.f_prime(self.layer - 1), dA)

    def form_for_Z(self, Z: Array) -> Array:
        """f' as it is written in terms of Z, fed with what is given."""
        return f_prime(self.f, Z)

    def form_for_A(self, A: Array) -> Array | None:
        """f' as it is written in terms of A, fed with what is given; None where the activation has no such form."""
        return A_FORMS[self.f](A) if self.f in A_FORMS else None

    @cached_property
    def names(self) -> Mapping[str, object]:
        """What the words of a mistake may name: {l}, the layers {above} and {below}, {input}, {dA}, {f}, {slope}."""
        layer, last = self.layer, self.is_last
        return {
            "l": layer,
            "above": layer + 1,
            "below": layer - 1,
            "input": f"A{layer - 1}" if layer > 1 else "X",
            "f_below": self.p.f(layer - 1) if layer > 1 else "",
            "dA": "dP" if last else f"dA{layer}",
            "f": self.p.architecture.output if last else self.f,
            "slope": "the output's derivative" if last else f"f'(Z{layer})",
        }
