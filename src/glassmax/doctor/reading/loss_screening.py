"""Screening: the networks of the table that can be the learner's loss, all tried at once, at few points.

The forward passes share their lower layers, the losses share the logits, and what is left of the learner's values after
the best factor and penalties is found for many networks in one go. What `loss_fit.fit_loss` would accept is kept;
the work is bounded by counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from ...functional.arrays import Array
from ...functional.heads import Head
from ..exact_pass import Architecture
from ..learners_activations import ACTIVATIONS
from .loss_fit import COMMON, HEADS, Point, even_target, tolerance_of

__all__ = ["possible"]

SCREENED = 5
"""Points: more than the unknowns of any fit, which are three."""
CELLS = 15_000_000
"""The most cells of hidden layers that are computed for mixed activations."""
TOGETHER = 200_000
"""Cells of logits that are judged in one go."""
KEPT = 48

Hidden = tuple[str, ...]


def possible(
    sizes: tuple[int, ...],
    biases: tuple[bool, ...],
    points: Sequence[Point],
    X: Array,
    Y: Array,
    values: Sequence[float],
    single_precision: bool,
    mixed: bool,
) -> list[Architecture]:
    """List the networks whose loss may be the learner's, in the order of how common they are.

    With `mixed`, each hidden layer may have an activation of its own. The other arguments are those of `fit_loss`.
    """
    few = points[:SCREENED]
    v = np.asarray(values, np.float64)
    most = tolerance_of(single_precision) * float(np.linalg.norm(v))
    on_W = np.array([sum(float((w * w).sum()) for w in W.values()) for W, _ in few])
    on_b = np.array([sum(float((c * c).sum()) for c in b.values()) for _, b in few])
    passed: list[tuple[float, Architecture]] = []
    with np.errstate(all="ignore"):
        for chosen, Z in _batches(_logits(sizes, few, X, mixed), TOGETHER):
            left = {head: _left(Head(*head), Z, Y, v[: len(few)], on_W, on_b) for head in _heads(sizes[-1])}
            for i, hidden in enumerate(chosen):
                for (output, loss), residuals in left.items():
                    if residuals[i] <= most:
                        passed.append((float(residuals[i]), Architecture(sizes, hidden, output, loss, biases)))
    limit = sorted(residual for residual, _ in passed)[:KEPT][-1:]
    return [architecture for residual, architecture in passed if residual <= limit[0]][:KEPT] if limit else []


def _heads(k: int) -> list[tuple[str, str]]:
    return [head for head in HEADS if head[0] != "softmax" or k > 1]


def _logits(sizes: tuple[int, ...], points: Sequence[Point], X: Array, mixed: bool) -> Iterator[tuple[Hidden, Array]]:
    """Yield each choice of hidden activations with its logits at all points; lower layers are computed once."""
    W = {layer: np.stack([weights[layer] for weights, _ in points]) for layer in points[0][0]}
    b = {layer: np.stack([biases[layer] for _, biases in points])[:, None, :] for layer in points[0][1]}
    Z = np.broadcast_to(X, (len(points), *X.shape)) @ W[1] + b[1]
    names = COMMON[: _affordable(sizes, len(points) * len(X))] if mixed else COMMON
    return _above(Z, 1, (), W, b, names, mixed)


def _above(
    Z: Array,
    layer: int,
    chosen: Hidden,
    W: Mapping[int, Array],
    b: Mapping[int, Array],
    names: Sequence[str],
    mixed: bool,
) -> Iterator[tuple[Hidden, Array]]:
    if layer == len(W):
        yield chosen, Z
        return
    for name in names if mixed or not chosen else chosen[:1]:
        upper = ACTIVATIONS[name].f(Z) @ W[layer + 1] + b[layer + 1]
        yield from _above(upper, layer + 1, (*chosen, name), W, b, names, mixed)


def _affordable(sizes: tuple[int, ...], rows: int) -> int:
    """The number of activations that are mixed."""
    return max(2, int((CELLS / (rows * max(sizes[1:]))) ** (1 / (len(sizes) - 2))))


def _batches(choices: Iterator[tuple[Hidden, Array]], cells: int) -> Iterator[tuple[list[Hidden], Array]]:
    """Choices with their logits stacked."""
    for first, Z in choices:
        more = list(islice(choices, max(cells // max(Z.size, 1) - 1, 0)))
        yield [first, *(hidden for hidden, _ in more)], np.stack([Z, *(logits for _, logits in more)])


def _left(head: Head, Z: Array, Y: Array, v: Array, on_W: Array, on_b: Array) -> Array:
    """The error that the best factor and penalties leave, for each choice of hidden activations."""
    tape = head.forward(Z)
    targets = np.broadcast_to(Y, Z.shape)
    data = head.rows(tape, targets).sum(axis=-1)
    left = _outside([np.broadcast_to(on_W, data.shape), np.broadcast_to(on_b, data.shape), data], v)
    label = even_target(head.loss, Y.shape[1])
    if label is not None:
        even = head.rows(tape, np.full_like(targets, label)).sum(axis=-1)
        left = np.fmin(left, _outside([np.broadcast_to(on_W, data.shape), even, data], v))
    return np.where(np.isfinite(data).all(axis=-1), left, np.inf)


def _outside(columns: Sequence[Array], v: Array) -> Array:
    """The length of v outside the span of the columns, row by row."""
    rest = np.broadcast_to(v, columns[0].shape)
    units: list[Array] = []
    for column in columns:
        unit = column
        for _ in range(2):  # once more, for what rounding left
            for other in units:
                unit = unit - (unit * other).sum(axis=-1, keepdims=True) * other
        size = np.linalg.norm(unit, axis=-1, keepdims=True)
        unit = np.where(size > 1e-13 * np.linalg.norm(column, axis=-1, keepdims=True), unit / size, 0.0)
        rest = rest - (rest * unit).sum(axis=-1, keepdims=True) * unit
        units.append(unit)
    return np.asarray(np.linalg.norm(rest, axis=-1))
