"""One forward and one exact backward pass, every array kept: the learner's arrays are compared with these.

The letters are those of `glassmax.network`. `scale` is what each row of the head's derivative is multiplied by (1/n
where the loss is a mean), `l2` and `l2_bias` what the penalty adds to a gradient for each unit of W and of b. This
module knows nothing of mistakes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..functional.arrays import Array
from ..functional.heads import LOSSES, Head
from .learners_activations import ACTIVATIONS, KINKED

__all__ = ["Architecture", "Pass", "f_prime"]


@dataclass(frozen=True)
class Architecture:
    """The kind of network: sizes, activations, output and loss."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    output: str
    loss: str
    biases: tuple[bool, ...]

    @property
    def depth(self) -> int:
        """The number of layers with weights."""
        return len(self.sizes) - 1

    @property
    def parameters(self) -> list[tuple[str, int]]:
        """W and b of each layer, as ("W", 1), ("b", 1), ..."""
        pairs = [(kind, layer) for layer in range(1, self.depth + 1) for kind in "Wb"]
        return [(kind, layer) for kind, layer in pairs if kind == "W" or self.biases[layer - 1]]


def f_prime(name: str, Z: Array) -> Array:
    """f'(Z) of the activation called `name`."""
    return ACTIVATIONS[name].vjp(np.ones_like(Z), Z)


class Pass:
    """A probe: parameters and rows, and all that forward and backward make of them.

    W are (in, out) and b (out,), by layer and in float64; a layer without a bias has zeros. `at_kink` is the derivative
    of a hidden activation where its Z is exactly 0, by default the activation's own convention.
    """

    def __init__(
        self,
        architecture: Architecture,
        W: Mapping[int, Array],
        b: Mapping[int, Array],
        X: Array,
        Y: Array,
        *,
        scale: float,
        l2: float = 0.0,
        l2_bias: float = 0.0,
        at_kink: float | None = None,
    ) -> None:
        self.architecture, self.W, self.b = architecture, dict(W), dict(b)
        self.X, self.Y = X, Y
        self.scale, self.l2, self.l2_bias, self.at_kink = scale, l2, l2_bias, at_kink
        self.head = Head(architecture.output, architecture.loss)
        self.A: dict[int, Array] = {0: X}
        self.Z: dict[int, Array] = {}
        for layer in range(1, self.depth + 1):
            self.Z[layer] = self.A[layer - 1] @ self.W[layer] + self.b[layer]
            if layer < self.depth:
                self.A[layer] = ACTIVATIONS[self.f(layer)].f(self.Z[layer])
        self.tape = self.head.forward(self.Z[self.depth])

    @property
    def depth(self) -> int:
        """The number of layers with weights."""
        return self.architecture.depth

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.X)

    @property
    def k(self) -> int:
        """The number of outputs."""
        return self.architecture.sizes[-1]

    @property
    def P(self) -> Array:
        """The predictions."""
        return self.tape.P

    def f(self, layer: int) -> str:
        """The name of the activation of a hidden layer."""
        return self.architecture.activations[layer - 1]

    def f_prime(self, layer: int) -> Array:
        """f'(Z) of a hidden layer."""
        if layer not in self._derivatives:
            F = f_prime(self.f(layer), self.Z[layer])
            if self.at_kink is not None and self.f(layer) in KINKED:
                F = np.where(self.Z[layer] == 0, self.at_kink, F)
            self._derivatives[layer] = F
        return self._derivatives[layer]

    @cached_property
    def _derivatives(self) -> dict[int, Array]:
        return {}

    @cached_property
    def dP(self) -> Array:
        """The derivative of the summed loss by P, before `scale`."""
        return LOSSES[self.architecture.loss].dP(self.P, self.Y)

    @cached_property
    def rows(self) -> Array:
        """L_i of each row, without factor and penalty."""
        return self.head.rows(self.tape, self.Y)

    @cached_property
    def dZ(self) -> dict[int, Array]:
        """The true dZ of each layer."""
        found = {self.depth: self.scale * self.head.dZ(self.tape, self.Y)}
        for layer in range(self.depth - 1, 0, -1):
            found[layer] = (found[layer + 1] @ self.W[layer + 1].T) * self.f_prime(layer)
        return found

    def of_weights(self, layer: int, D: Array) -> Array:
        """dW of the data, given dZ of this layer."""
        return self.A[layer - 1].T @ D

    @cached_property
    def truth(self) -> dict[tuple[str, int], Array]:
        """The true gradients, the penalty's included."""
        found: dict[tuple[str, int], Array] = {}
        for kind, layer in self.architecture.parameters:
            D = self.dZ[layer]
            if kind == "W":
                found[kind, layer] = self.of_weights(layer, D) + self.l2 * self.W[layer]
            else:
                found[kind, layer] = D.sum(axis=0) + self.l2_bias * self.b[layer]
        return found

    @cached_property
    def size(self) -> dict[tuple[str, int], float]:
        """The size of the terms that each gradient sums: rounding is proportional to it, even if the terms cancel."""
        found: dict[tuple[str, int], float] = {}
        dZ: Any = {layer: np.abs(D) for layer, D in self.dZ.items()}
        for kind, layer in self.architecture.parameters:
            if kind == "W":
                terms = np.abs(self.A[layer - 1]).T @ dZ[layer] + abs(self.l2) * np.abs(self.W[layer])
            else:
                terms = dZ[layer].sum(axis=0) + abs(self.l2_bias) * np.abs(self.b[layer])
            found[kind, layer] = float(np.linalg.norm(terms))
        return found
