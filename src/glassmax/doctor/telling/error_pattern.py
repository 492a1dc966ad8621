"""The pattern of an error that no known mistake explains: where it is, and of what form. No guess is made."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Pass
from ..mistakes.placed import PlacedMistake

__all__ = ["described", "pattern"]


def pattern(
    passes: Sequence[Pass],
    gradients: Sequence[Mapping[tuple[str, int], Array]],
    mistake: PlacedMistake,
    affected: Sequence[tuple[str, int]],
) -> str:
    """Describe in a clause how the gradient at the first wrong node differs from the true gradient."""
    here = [key for key in affected if key[1] == mistake.layer] or list(affected)
    if not here:
        return ""
    key = here[0]
    G, T = gradients[0][key], passes[0].truth[key]
    name = f"d{key[0]}{key[1]}"
    if G.shape != T.shape:
        return f"{name} has shape {G.shape}, expected {T.shape}"
    return f"{name} {described(G, T)}"


def described(G: Array, T: Array) -> str:
    """Describe in a clause how a gradient differs from the true one."""
    if not np.isfinite(G).all():
        return f"is not finite in {int((~np.isfinite(G)).sum())} of {G.size} cells"
    if not G.any():
        return "is 0 in every cell"
    E = G - T
    off = np.abs(E) > 1e-7 * max(float(np.abs(T).max()), 1e-300)
    if G.size > 1 and np.ptp(G) <= 1e-9 * float(np.abs(G).max()):
        return f"is {G.flat[0]:.4g} in every cell"
    if G.ndim == 2 and not off.all():
        columns, rows = np.flatnonzero(off.any(axis=0)), np.flatnonzero(off.any(axis=1))
        if len(columns) < G.shape[1]:
            return f"is wrong in columns {_listed(columns)} only"
        if len(rows) < G.shape[0]:
            return f"is wrong in rows {_listed(rows)} only"
    if not off.all():
        return f"is wrong in {int(off.sum())} of {off.size} cells"
    if np.ptp(E) <= 1e-7 * float(np.abs(E).max()) and E.size > 1:
        return f"is too large by {E.flat[0]:.4g} in every cell"
    with np.errstate(all="ignore"):
        ratio = G / T
    if G.ndim == 2 and min(G.shape) > 1:
        if np.isfinite(ratio).all():
            for axis, what in ((0, "column"), (1, "row")):
                if np.ptp(ratio, axis=axis).max() <= 1e-6 * float(np.abs(ratio).max()):
                    return f"is the right gradient times a different factor in each {what}"
        if np.linalg.matrix_rank(E, tol=1e-9 * float(np.linalg.norm(E))) == 1:
            return "differs from the right gradient by a matrix of rank one"
    own, right = float(np.linalg.norm(G)), max(float(np.linalg.norm(T)), 1e-300)
    cosine, length = float(np.vdot(G, T)) / (own * right), own / right
    size = f"{length:.3g} times" if abs(length - 1) > 5e-3 else "about"
    return f"has {size} the norm of the right gradient, and the cosine between the two is {cosine:.3f}"


def _listed(numbers: Array) -> str:
    shown = ", ".join(str(int(number)) for number in numbers[:5])
    return shown + (", ..." if len(numbers) > 5 else "")
