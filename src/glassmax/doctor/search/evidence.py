"""Evidence: the learner's gradients on every probe beside the pass that they belong to, ready to be matched."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Architecture, Pass
from .matching import Target

__all__ = ["Evidence"]

Gradients = Mapping[tuple[str, int], Array]
SKETCH = 3
"""The number of random combinations of the rows of a large dW that are compared before all rows are."""


class Evidence:
    """The learner's gradients on each probe, with weights (in, out).

    The most telling probe comes first. `tolerance` is what counts as equal, relative. `thorough` says whether to look
    for two mistakes at one node.
    """

    def __init__(self, passes: Sequence[Pass], gradients: Sequence[Gradients], tolerance: float) -> None:
        self.passes, self.gradients, self.tolerance = list(passes), list(gradients), tolerance
        self.thorough = True

    @property
    def architecture(self) -> Architecture:
        """The network's."""
        return self.passes[0].architecture

    @property
    def depth(self) -> int:
        """The number of layers with weights."""
        return self.passes[0].depth

    @property
    def rows(self) -> list[int]:
        """The number of rows of each probe."""
        return [p.n for p in self.passes]

    def shape_is_right(self, kind: str, layer: int) -> bool:
        """Whether the learner's array has the shape of the parameter, on every probe."""
        return all(g[kind, layer].shape == self._parameter(p, kind, layer).shape for p, g in self._pairs)

    def is_transposed(self, layer: int) -> bool:
        """Whether dW has the shape of W's transpose, and not that of W."""
        return not self.shape_is_right("W", layer) and all(
            g["W", layer].shape == p.W[layer].T.shape for p, g in self._pairs
        )

    def targets(self, kind: str, layer: int) -> list[Target]:
        """The learner's arrays of one parameter, one for each probe."""
        if (kind, layer) not in self._targets:
            transposed = kind == "W" and self.is_transposed(layer)
            self._targets[kind, layer] = [
                self._target(p, g[kind, layer].T if transposed else g[kind, layer], kind, layer) for p, g in self._pairs
            ]
        return self._targets[kind, layer]

    def gradient_of_weights(self, layer: int) -> list[Array | None]:
        """The learner's dW in W's shape, or None if it has another shape."""
        fitting = self.shape_is_right("W", layer) or self.is_transposed(layer)
        return [target.G if fitting else None for target in self.targets("W", layer)]

    def sketch(self, layer: int) -> tuple[Target, Array] | None:
        """A few combinations of the rows of dW on the first probe, and of the inputs; None if dW is small."""
        if layer not in self._sketches:
            p, target = self.passes[0], self.targets("W", layer)[0]
            small = target.G.shape != p.W[layer].shape or target.G.size <= 200 or len(p.W[layer]) <= SKETCH
            if small:
                self._sketches[layer] = None
            else:
                R = np.random.default_rng(0).standard_normal((SKETCH, len(p.W[layer]))) / len(p.W[layer]) ** 0.5
                combined = Target(
                    R @ target.G, R @ target.parameter, target.coefficient, target.floor, target.n, target.k
                )
                self._sketches[layer] = (combined, R @ p.A[layer - 1].T)
        return self._sketches[layer]

    def solved_dZ(self, layer: int) -> tuple[Array, ...] | None:
        """Solve dW = Aᵀ dZ + penalty for dZ, on every probe; None if dZ isn't determined, or db contradicts it."""
        solved: list[Array] = []
        has_bias = self.architecture.biases[layer - 1]
        if not self.shape_is_right("W", layer) or (has_bias and not self.shape_is_right("b", layer)):
            return None
        for position, p in enumerate(self.passes):
            target, A = self.targets("W", layer)[position], p.A[layer - 1]
            if p.n > A.shape[1] + has_bias:
                return None
            G = target.G - target.coefficient * target.parameter
            if has_bias:  # the bias is the weight of an input that is always 1
                A = np.hstack([A, np.ones((p.n, 1))])
                b = self.targets("b", layer)[position]
                G = np.vstack([G, b.G - b.coefficient * b.parameter])
            D, _, rank, _ = np.linalg.lstsq(A.T, G, rcond=1e-10)
            if rank < p.n or np.linalg.norm(A.T @ D - G) > 1e3 * self.tolerance * np.linalg.norm(G) + target.floor:
                return None
            solved.append(D)
        return tuple(solved)

    def _target(self, p: Pass, G: Array, kind: str, layer: int) -> Target:
        parameter = self._parameter(p, kind, layer)
        coefficient = p.l2 if kind == "W" else p.l2_bias
        if G.shape != parameter.shape:
            parameter, coefficient = np.zeros(G.shape), 0.0
        floor = max(1e-13, 1e-5 * self.tolerance) * p.size[kind, layer]
        return Target(G, parameter, coefficient, floor, p.n, p.k)

    @staticmethod
    def _parameter(p: Pass, kind: str, layer: int) -> Array:
        return p.W[layer] if kind == "W" else p.b[layer]

    @cached_property
    def _pairs(self) -> list[tuple[Pass, Gradients]]:
        return list(zip(self.passes, self.gradients, strict=True))

    @cached_property
    def _targets(self) -> dict[tuple[str, int], list[Target]]:
        return {}

    @cached_property
    def _sketches(self) -> dict[int, tuple[Target, Array] | None]:
        return {}
