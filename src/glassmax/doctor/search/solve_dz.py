"""The learner's own dZ of a layer, solved for from their gradients: dW = Aᵀ dZ has one answer where rows are few."""

import numpy as np

from ...functional.arrays import Array
from .evidence import Evidence

__all__ = ["recovered"]


def recovered(evidence: Evidence, layer: int) -> tuple[Array, ...] | None:
    """Solve dW = Aᵀ dZ + penalty for dZ, on every probe; None where dZ isn't determined, or db contradicts it."""
    solved: list[Array] = []
    has_bias = evidence.architecture.biases[layer - 1]
    if not evidence.shape_is_right("W", layer) or (has_bias and not evidence.shape_is_right("b", layer)):
        return None
    for position, p in enumerate(evidence.passes):
        target = evidence.targets("W", layer)[position]
        A = p.A[layer - 1]
        if p.n > A.shape[1] + has_bias:
            return None
        G = target.G - target.coefficient * target.parameter
        if has_bias:  # the bias is the weight of an input that is always 1
            A = np.hstack([A, np.ones((p.n, 1))])
            b = evidence.targets("b", layer)[position]
            G = np.vstack([G, b.G - b.coefficient * b.parameter])
        D, _, rank, _ = np.linalg.lstsq(A.T, G, rcond=1e-10)
        if rank < p.n or np.linalg.norm(A.T @ D - G) > 1e3 * evidence.tolerance * np.linalg.norm(G) + target.floor:
            return None
        solved.append(D)
    return tuple(solved)
