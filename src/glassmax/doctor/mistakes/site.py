"""The place where a mistake is made: a layer of a pass, as the learner has it."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ...functional.arrays import Array
from ..exact_pass import Pass, f_prime
from ..learners_activations import A_FORMS

__all__ = ["Site"]


class Site:
    """A layer of a pass, with what the learner has of it; the letters of the formulas.

    `dZ`, `dA` (dP in the last layer) and `dW` are the learner's own; dA is None if it isn't known, and so is dW.
    `W`, `b`, `Z` and `input`, which is A of the layer below or X, are those of the exact pass. `n`, `d` and `h` are the
    numbers of rows, inputs and units.
    """

    def __init__(self, p: Pass, layer: int, dZ: Array, dA: Any, dW: Array | None = None) -> None:
        self.p, self.layer, self.dZ, self.dA, self.dW = p, layer, dZ, dA, dW
        self.W, self.b, self.input, self.Z = p.W[layer], p.b[layer], p.A[layer - 1], p.Z[layer]
        self.n, (self.d, self.h), self.is_last = p.n, self.W.shape, layer == p.depth
        self.knows_dA = dA is not None and dA.shape == dZ.shape

    @cached_property
    def below(self) -> "Site":
        """The layer below, with the dA and the dZ that follow there if nothing else goes wrong."""
        dA = self.dZ @ self.W.T
        return Site(self.p, self.layer - 1, dA * self.p.f_prime(self.layer - 1), dA)

    # of a hidden layer

    @property
    def A(self) -> Array:
        """(n, h) A."""
        return self.p.A[self.layer]

    @property
    def f(self) -> str:
        """The name of the activation."""
        return self.p.f(self.layer)

    @property
    def slope(self) -> Array:
        """(n, h) f'(Z)."""
        return self.p.f_prime(self.layer)

    def form_for_Z(self, Z: Array) -> Array:
        """The formula for f' in terms of Z, applied to the argument."""
        return f_prime(self.f, Z)

    def form_for_A(self, A: Array) -> Array | None:
        """The formula for f' in terms of A, applied to the argument; None if the activation has no such formula."""
        return A_FORMS[self.f](A) if self.f in A_FORMS else None

    @cached_property
    def names(self) -> Mapping[str, object]:
        """The names that the words of a mistake may contain in braces."""
        layer, last = self.layer, self.is_last
        return {
            "l": layer,
            "below": layer - 1,
            "input": f"A{layer - 1}" if layer > 1 else "X",
            "f_below": self.p.f(layer - 1) if layer > 1 else "",
            "dA": "dP" if last else f"dA{layer}",
            "f": self.p.architecture.output if last else self.f,
            "slope": "the output's derivative" if last else f"f'(Z{layer})",
        }
