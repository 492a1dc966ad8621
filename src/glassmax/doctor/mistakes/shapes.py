"""Gradients of the wrong shape: what the shape alone says, if no mistake gives the numbers."""

from collections.abc import Mapping

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Pass

__all__ = ["misshapen", "named_by_shape"]

Key = tuple[str, int]


def misshapen(p: Pass, gradients: Mapping[Key, Array]) -> list[Key]:
    """List the gradients that don't have the shape of their parameter, the last layer first."""
    wrong = [key for key, T in p.truth.items() if gradients[key].shape != T.shape]
    return sorted(wrong, key=lambda key: (-key[1], key[0] != "W"))


def named_by_shape(p: Pass, key: Key, G: Array, name: str) -> tuple[str, str, tuple[str, ...]]:
    """Return the finding that a wrong shape gives: the cause, its words, and other causes with the same shape."""
    kind, layer = key
    expected = p.truth[key].shape
    says = f"the gradient of {name} has shape {G.shape}, expected {expected}"
    if p.architecture.output == "softmax" and layer == p.depth and p.k > 1 and _keeps_jacobian(p, kind, G):
        says += f": softmax's {p.k} x {p.k} Jacobian was kept as a matrix, not contracted with dL/dP"
        return "jacobian_not_contracted", says, ("wrong_shapes",)
    if kind == "b" and p.n > 1 and G.shape in {(p.n, *expected), (*expected, p.n)}:
        return "bias_not_summed", says + ": the samples' axis was not summed", ("wrong_shapes",)
    return "wrong_shapes", says + _difference(p, G.shape, expected), ()


def _keeps_jacobian(p: Pass, kind: str, G: Array) -> bool:
    k, shape = p.k, G.shape
    if kind == "b":
        return shape in {(k, k), (p.n, k, k)}
    if G.ndim > 2:
        return shape[-2:] == (k, k) or shape[:2] == (k, k)
    return shape == (k, k) and _is_of_jacobians(p, G)


def _is_of_jacobians(p: Pass, G: Array) -> bool:
    """Whether a k x k array is a multiple of the summed Jacobians, alone or times dP element by element."""
    P, dP = p.P, p.dP
    J = np.einsum("ni,ij->nij", P, np.eye(p.k)) - np.einsum("ni,nj->nij", P, P)
    for made in (J, J * dP[:, None, :], J * dP[:, :, None], J * (P - p.Y)[:, None, :], J * (P - p.Y)[:, :, None]):
        for H in (made.sum(axis=0), made[-1]):
            c = float(np.vdot(H, G)) / max(float(np.vdot(H, H)), 1e-300)
            if abs(c) > 1e-9 and np.linalg.norm(G - c * H) <= 1e-6 * np.linalg.norm(G):
                return True
    return False


def _difference(p: Pass, shape: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """A description of the shape that a learner recognizes."""
    if len(shape) == len(expected):
        off = [axis for axis, (a, b) in enumerate(zip(shape, expected, strict=True)) if a != b]
        if len(off) == 1 and len(shape) == 2 and abs(shape[off[0]] - expected[off[0]]) == 1:
            more = "too many" if shape[off[0]] > expected[off[0]] else "missing"
            return f"; one {'row' if off[0] == 0 else 'column'} is {more}"
    if int(np.prod(shape)) == 1:
        return "; all was summed into one number"
    if p.n > 1 and shape and shape[0] == p.n and shape[0] != expected[0]:
        return f"; its first axis is that of the {p.n} samples, which a gradient sums over"
    return ""
