"""The arrays that a learner's program may hold: those of the exact pass, and the pieces between them.

Each has a name as in `docs/notation.md`, and is built when an array of its shape is compared with it, not before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Pass
from ..learners_activations import KINKED

__all__ = ["RARE", "Truth", "truths_of"]

MAIN, PIECE, RARE = 0.0, 0.3, 0.5
"""What a name costs: of two that fit, the cheaper is given."""
MOST_CELLS = 4_000_000
"""No array is built that is larger."""


@dataclass(frozen=True)
class Truth:
    """An array of the exact pass.

    `rows` says whether the first axis counts the samples, `scaled` whether any constant times the array is still the
    same thing to a learner: a gradient times a learning rate, weights times the coefficient of a penalty.
    """

    name: str
    shape: tuple[int, ...]
    make: Callable[[], Array]
    rows: bool = False
    scaled: bool = False
    cost: float = MAIN

    @cached_property
    def value(self) -> Array:
        """The array."""
        return np.asarray(self.make(), np.float64)

    @cached_property
    def ordered(self) -> Array:
        """The numbers of the array, ascending."""
        return np.sort(self.value.reshape(-1))


def truths_of(p: Pass) -> list[Truth]:
    """List the arrays of a pass, the names that are likelier first."""
    found = [*_given(p), *_forward(p), *_backward(p), *_head(p), *_pieces(p), *_joined(p)]
    return [truth for truth in found if 0 < int(np.prod(truth.shape)) <= MOST_CELLS]


def _known(name: str, array: Array, **how: object) -> Truth:
    return Truth(name, array.shape, lambda: array, **how)  # type: ignore[arg-type]


def _given(p: Pass) -> Iterator[Truth]:
    yield _known("X", p.X, rows=True)
    yield _known("Y", p.Y, rows=True)
    for kind, layer in p.architecture.parameters:
        yield _known(f"{kind}{layer}", (p.W if kind == "W" else p.b)[layer], scaled=True)
    if p.k > 1:
        labels = p.Y.argmax(axis=1)
        if not np.isin(p.Y, (0, 1)).all():
            yield _known("Y before smoothing", np.eye(p.k)[labels], rows=True)
        yield _known("y", labels, rows=True)
        yield _known("y, counted from 1", labels + 1, rows=True)


def _forward(p: Pass) -> Iterator[Truth]:
    for layer in range(1, p.depth + 1):
        yield _known(f"Z{layer}", p.Z[layer], rows=True)
        yield _known(f"A{layer}", p.A[layer], rows=True) if layer < p.depth else _known("P", p.P, rows=True)


def _backward(p: Pass) -> Iterator[Truth]:
    for layer in range(p.depth, 0, -1):
        shape = p.Z[layer].shape
        yield Truth(f"dZ{layer}", shape, partial(_dZ, p, layer), rows=True, scaled=True)
        for kind in "Wb":
            if (kind, layer) in p.architecture.parameters:
                yield _gradient(p, kind, layer)
        if layer == p.depth:
            yield Truth("dP", shape, lambda: p.scale * p.dP, rows=True, scaled=True)
        else:
            yield Truth(f"dA{layer}", shape, partial(_dA, p, layer), rows=True, scaled=True)
    yield Truth("dX", p.X.shape, partial(_dA, p, 0), rows=True, scaled=True, cost=PIECE)


def _gradient(p: Pass, kind: str, layer: int) -> Truth:
    shape = p.W[layer].shape if kind == "W" else p.b[layer].shape
    return Truth(f"d{kind}{layer}", shape, lambda: p.truth[kind, layer], scaled=True)


def _dZ(p: Pass, layer: int) -> Array:
    return p.dZ[layer]


def _dA(p: Pass, layer: int) -> Array:
    return p.dZ[layer + 1] @ p.W[layer + 1].T


def _head(p: Pass) -> Iterator[Truth]:
    """The output, the loss, and what is between them."""
    Z, P, Y, last = p.Z[p.depth], p.P, p.Y, f"Z{p.depth}"

    def piece(name: str, shape: tuple[int, ...], make: Callable[[], Array], scaled: bool = False) -> Truth:
        return Truth(name, shape, make, rows=True, scaled=scaled, cost=PIECE)

    n, k = Z.shape
    yield Truth("L_i", (n,), lambda: p.rows, rows=True, scaled=True)
    yield piece("P - Y", (n, k), lambda: P - Y)
    yield piece("(P - Y)^2", (n, k), lambda: (P - Y) ** 2, scaled=True)
    yield piece("log(P)", (n, k), lambda: np.log(P))
    yield piece("Y log(P)", (n, k), lambda: Y * np.log(P), scaled=True)
    yield piece("Y / P", (n, k), lambda: Y / P, scaled=True)
    yield piece("1 - P", (n, k), lambda: 1 - P)
    yield piece("1 - Y", (n, k), lambda: 1 - Y)
    yield piece("P (1 - P)", (n, k), lambda: P * (1 - P))
    yield piece("log(1 - P)", (n, k), lambda: np.log(1 - P))
    yield piece("(1 - Y) log(1 - P)", (n, k), lambda: (1 - Y) * np.log(1 - P), scaled=True)
    yield piece("(1 - Y) / (1 - P)", (n, k), lambda: (1 - Y) / (1 - P), scaled=True)
    yield piece("P at the true class", (n,), lambda: (P * Y).sum(axis=1))
    yield piece("log(P) at the true class", (n,), lambda: (np.log(P) * Y).sum(axis=1), scaled=True)
    yield piece("dP P", (n, k), lambda: p.scale * p.dP * P, scaled=True)
    yield piece("rowsum(dP P)", (n,), lambda: p.scale * (p.dP * P).sum(axis=1), scaled=True)
    yield piece("dP - rowsum(dP P)", (n, k), lambda: p.scale * (p.dP - (p.dP * P).sum(axis=1)[:, None]), scaled=True)
    if p.architecture.output == "softmax":
        yield from _softmax(Z, P, last)
    data = Truth("L", (), lambda: p.scale * p.rows.sum(), scaled=True)
    if p.l2 or p.l2_bias:
        yield Truth("L", (), lambda: p.scale * p.rows.sum() + _penalty(p))
        yield Truth("L without the penalty", (), data.make, scaled=True)
        yield Truth("the penalty", (), lambda: np.asarray(_penalty(p)), scaled=True)
    else:
        yield data


def _penalty(p: Pass) -> float:
    squares = sum(float((W * W).sum()) for W in p.W.values()), sum(float((b * b).sum()) for b in p.b.values())
    return (p.l2 * squares[0] + p.l2_bias * squares[1]) / 2


def _softmax(Z: Array, P: Array, last: str) -> Iterator[Truth]:
    n, k = Z.shape
    top, whole = Z.max(axis=1), Z.max()

    def piece(name: str, shape: tuple[int, ...], make: Callable[[], Array], cost: float = PIECE) -> Truth:
        return Truth(name, shape, make, rows=True, cost=cost)

    yield piece(f"exp({last})", (n, k), lambda: np.exp(Z))
    yield piece(f"rowsum(exp({last}))", (n,), lambda: np.exp(Z).sum(axis=1))
    yield piece(f"log(rowsum(exp({last})))", (n,), lambda: np.log(np.exp(Z).sum(axis=1)))
    yield piece(f"rowmax({last})", (n,), lambda: top)
    for name, shift in ((f"rowmax({last})", top[:, None]), (f"max({last})", whole)):
        shifted = f"{last} - {name}"
        yield piece(shifted, (n, k), partial(np.subtract, Z, shift))
        yield piece(f"exp({shifted})", (n, k), partial(_exp_shifted, Z, shift))
        yield piece(f"rowsum(exp({shifted}))", (n,), partial(_sum_shifted, Z, shift))
        yield piece(f"log(rowsum(exp({shifted})))", (n,), partial(_log_sum_shifted, Z, shift))
    yield Truth(f"max({last})", (), lambda: whole, cost=PIECE)
    J = "the Jacobian of softmax"
    yield piece(J, (n, k, k), lambda: P[:, :, None] * np.eye(k) - P[:, :, None] * P[:, None, :])
    yield piece("diag(p)", (n, k, k), lambda: P[:, :, None] * np.eye(k))
    yield piece("p pᵀ", (n, k, k), lambda: P[:, :, None] * P[:, None, :])


def _exp_shifted(Z: Array, shift: Array) -> Array:
    return np.exp(Z - shift)


def _sum_shifted(Z: Array, shift: Array) -> Array:
    return np.exp(Z - shift).sum(axis=1)


def _log_sum_shifted(Z: Array, shift: Array) -> Array:
    return np.log(np.exp(Z - shift).sum(axis=1))


def _pieces(p: Pass) -> Iterator[Truth]:
    """What stands between the arrays of a layer."""
    for layer in range(1, p.depth + 1):
        below = f"A{layer - 1}" if layer > 1 else "X"
        last = layer == p.depth
        f, A = (p.architecture.output, p.P) if last else (p.f(layer), p.A[layer])
        Z, letter, shape = p.Z[layer], "P" if last else f"A{layer}", p.Z[layer].shape
        if ("b", layer) in p.architecture.parameters:
            yield _lazy(f"{below} W{layer}", shape, partial(np.matmul, p.A[layer - 1], p.W[layer]))
        if f in ("sigmoid", "tanh", "softplus"):
            yield _lazy(f"exp(Z{layer})", shape, partial(np.exp, Z))
            yield _lazy(f"exp(-Z{layer})", shape, partial(_exp_minus, Z))
            yield _lazy(f"1 + exp(-Z{layer})", shape, partial(_one_and_exp_minus, Z))
        if not last:
            if f != "identity":
                yield _lazy(f"{f}'(Z{layer})", shape, partial(p.f_prime, layer))
                square = (*shape, shape[1])
                yield _lazy(f"diag({f}'(Z{layer}))", square, partial(_diagonals, p, layer))
            if f in KINKED:
                yield _lazy(f"Z{layer} <= 0", shape, partial(np.less_equal, Z, 0))
                if f != "relu":
                    yield _lazy(f"Z{layer} > 0", shape, partial(np.greater, Z, 0))
            yield _lazy(f"1 - {letter}", shape, partial(np.subtract, 1, A))
            yield _lazy(f"{letter}^2", shape, partial(np.square, A))
            yield Truth(f"dA{layer} {letter}", shape, partial(_passed, p, layer, A), True, True, PIECE)
            yield Truth(f"dA{layer} (1 - {letter})", shape, partial(_passed, p, layer, 1 - A), True, True, PIECE)
        if p.l2 or p.l2_bias:
            yield from _without_penalty(p, layer)
        yield Truth(f"sum(W{layer}^2)", (), partial(_squares, p.W[layer]), scaled=True, cost=PIECE)
        each = (p.n, *p.W[layer].shape)
        yield Truth(f"dW{layer} of each sample", each, partial(_each, p, layer), True, True, PIECE)


def _lazy(name: str, shape: tuple[int, ...], make: Callable[[], Array]) -> Truth:
    return Truth(name, shape, make, rows=True, cost=PIECE)


def _without_penalty(p: Pass, layer: int) -> Iterator[Truth]:
    shape = p.W[layer].shape
    yield Truth(f"dW{layer} without the penalty", shape, lambda: p.of_weights(layer, p.dZ[layer]), False, True, PIECE)
    if p.l2_bias and ("b", layer) in p.architecture.parameters:
        name = f"db{layer} without the penalty"
        yield Truth(name, p.b[layer].shape, lambda: p.dZ[layer].sum(axis=0), False, True, PIECE)


def _diagonals(p: Pass, layer: int) -> Array:
    F = p.f_prime(layer)
    return F[:, :, None] * np.eye(F.shape[1])


def _exp_minus(Z: Array) -> Array:
    return np.exp(-Z)


def _one_and_exp_minus(Z: Array) -> Array:
    return 1 + np.exp(-Z)


def _passed(p: Pass, layer: int, factor: Array) -> Array:
    return _dA(p, layer) * factor


def _squares(W: Array) -> Array:
    return np.asarray((W * W).sum())


def _each(p: Pass, layer: int) -> Array:
    return np.asarray(p.A[layer - 1][:, :, None] * p.dZ[layer][:, None, :])


def _joined(p: Pass) -> Iterator[Truth]:
    """Arrays with a column of ones, weights with the bias as one more row, and everything in one vector."""
    for layer in range(1, p.depth + 1):
        below, (d, h) = f"A{layer - 1}" if layer > 1 else "X", p.W[layer].shape
        for first in (False, True):
            where = "first" if first else "last"
            ones = partial(_with_row, p.A[layer - 1].T, np.ones(p.n), first)
            yield Truth(f"{below} with a column of ones {where}", (p.n, d + 1), partial(_turned, ones), True, cost=RARE)
            if ("b", layer) not in p.architecture.parameters:
                continue
            both = partial(_with_row, p.W[layer], p.b[layer], first)
            yield Truth(f"W{layer} with b{layer} as its {where} row", (d + 1, h), both, scaled=True, cost=RARE)
            gradient = partial(_gradient_with_row, p, layer, first)
            name = f"dW{layer} with db{layer} as its {where} row"
            yield Truth(name, (d + 1, h), gradient, scaled=True, cost=RARE)
    size = sum((p.W if kind == "W" else p.b)[layer].size for kind, layer in p.architecture.parameters)
    yield Truth("all parameters in one vector", (size,), partial(_flat, p, False), scaled=True, cost=RARE)
    yield Truth("all gradients in one vector", (size,), partial(_flat, p, True), scaled=True, cost=RARE)


def _with_row(matrix: Array, row: Array, first: bool) -> Array:
    return np.vstack([row, matrix] if first else [matrix, row])


def _turned(make: Callable[[], Array]) -> Array:
    return make().T


def _gradient_with_row(p: Pass, layer: int, first: bool) -> Array:
    return _with_row(p.truth["W", layer], p.truth["b", layer], first)


def _flat(p: Pass, gradients: bool) -> Array:
    arrays = [
        p.truth[kind, layer] if gradients else (p.W if kind == "W" else p.b)[layer]
        for kind, layer in p.architecture.parameters
    ]
    return np.concatenate([array.ravel() for array in arrays])
