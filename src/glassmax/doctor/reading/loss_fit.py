"""The learner's loss, understood: which network and loss it is the loss of, with what factor and what penalty.

Its values at a few points of the parameters' space are fitted by a table of losses: a factor times the sum over the
rows, a penalty on W, one on b. What fits to rounding is that loss; what doesn't stays unknown, and is measured instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...functional.arrays import Array
from ...functional.heads import Head, HeadTape
from ..exact_pass import Architecture, Pass
from ..learners_activations import WITH_CONSTANTS

__all__ = ["COMMON", "HEADS", "Convention", "Point", "even_target", "fit_loss", "tolerance_of"]

HEADS = (
    ("softmax", "cross_entropy"),
    ("sigmoid", "binary_cross_entropy"),
    ("identity", "squared_error"),
    ("sigmoid", "squared_error"),
    ("softmax", "squared_error"),
    ("relu", "squared_error"),
    ("sigmoid", "cross_entropy"),
    ("softmax", "binary_cross_entropy"),
)
USUAL = ("sigmoid", "tanh", "relu", "leaky_relu", "identity", "elu", "selu", "gelu", "silu", "softplus", "mish")
COMMON = (*USUAL, *WITH_CONSTANTS)
"""Hidden activations, the usual ones first."""
TOLERANCE = 1e-5
"""Generous: an epsilon inside a logarithm moves a loss by 1e-8, another loss or activation by 1e-2."""


@dataclass(frozen=True)
class Convention:
    """A loss as the learner has it, for one number of rows: `scale` times the sum over the rows, and penalties.

    `l2` and `l2_bias` are what the penalty adds to a gradient for each unit of W and of b. `smoothing` is the share of
    each target that is spread evenly. `residual` is what the fit leaves of the loss, relative.
    """

    scale: float
    l2: float = 0.0
    l2_bias: float = 0.0
    smoothing: float = 0.0
    residual: float = 0.0


Point = tuple[dict[int, Array], dict[int, Array]]


def tolerance_of(single_precision: bool) -> float:
    """The relative error of the loss that a fit may leave."""
    return 1e-4 if single_precision else TOLERANCE


def fit_loss(
    architecture: Architecture,
    points: Sequence[Point],
    X: Array,
    Y: Array,
    values: Sequence[float],
    single_precision: bool = False,
) -> Convention | None:
    """Find the factor and the penalty with which this network's loss is the learner's; None if there are none.

    `values` are the learner's loss at the points, of which there are at least 6.
    """
    v = np.asarray(values, np.float64)
    tolerance = tolerance_of(single_precision)
    head = Head(architecture.output, architecture.loss)
    with np.errstate(all="ignore"):
        tapes = [head.forward(Z) for Z in _logits(architecture, points, X)]
        data = np.array([float(head.rows(tape, Y).sum()) for tape in tapes])
        if not np.isfinite(data).all():
            return None
        on_W = np.array([sum(float((w * w).sum()) for w in W.values()) / 2 for W, _ in points])
        on_b = np.array([sum(float((c * c).sum()) for c in b.values()) / 2 for _, b in points])
        even = _even(head, tapes, Y)
    best: Convention | None = None
    columns = {"data": data, "W": on_W, "b": on_b}
    if even is not None:
        columns["even"] = even
    for names in (("data",), ("data", "W"), ("data", "W", "b"), ("data", "even"), ("data", "even", "W")):
        if not all(name in columns for name in names):
            continue
        basis = np.stack([columns[name] for name in names], axis=1)
        if np.linalg.matrix_rank(basis / np.maximum(np.linalg.norm(basis, axis=0), 1e-300)) < len(names):
            continue
        found, *_ = np.linalg.lstsq(basis, v, rcond=None)
        left = float(np.linalg.norm(basis @ found - v)) / max(float(np.linalg.norm(v)), 1e-300)
        if best is not None and left > 1e-3 * best.residual:
            continue
        if left <= tolerance:
            fitted = dict(zip(names, (float(c) for c in found), strict=True))
            scale, spread = fitted["data"], fitted.get("even", 0.0)
            if abs(scale + spread) < 1e-12:
                continue
            penalties = fitted.get("W", 0.0), fitted.get("b", 0.0)
            best = Convention(scale + spread, *penalties, spread / (scale + spread), left)
            if left < 1e-12:
                break
    return best


def even_target(loss: str, k: int) -> float | None:
    """The label that smoothing mixes in; None for a loss whose labels nobody smooths."""
    if loss == "cross_entropy" and k > 1:
        return 1 / k
    return 0.5 if loss == "binary_cross_entropy" else None


def _logits(architecture: Architecture, points: Sequence[Point], X: Array) -> list[Array]:
    return [Pass(architecture, W, b, X, X[:, :0], scale=1.0).Z[architecture.depth] for W, b in points]


def _even(head: Head, tapes: Sequence[HeadTape], Y: Array) -> Array | None:
    """The loss against targets that are all alike, which label smoothing mixes in."""
    even = even_target(head.loss, Y.shape[1])
    if even is None:
        return None
    flat = np.full_like(Y, even)
    return np.array([float(head.rows(tape, flat).sum()) for tape in tapes])
