"""Mistakes in the forward pass of the hidden layers, which the backward pass follows faithfully: another network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...functional.activations import ACTIVATIONS
from ...functional.arrays import Array
from ..exact_pass import Pass

__all__ = ["Forward", "other_forward"]

Key = tuple[str, int]


class Forward(NamedTuple):
    """A mistake of the forward pass: its cause, where it is, what was done, the line as it should be."""

    cause: str
    where: str
    says: str
    line: str
    residual: float = 0.0


def other_forward(passes: Sequence[Pass], gradients: Sequence[Mapping[Key, Array]], tolerance: float) -> Forward | None:
    """Find the forward pass whose exact gradients are the learner's.

    Parameters
    ----------
    passes, gradients : sequence
        One for each probe.
    tolerance : float
        Relative.

    Returns
    -------
    Forward or None
        None where the learner's gradients are those of none of them.
    """
    for number, (forward, first) in enumerate(_forwards(passes[0])):
        left = _left(first, gradients[0])
        if not left <= tolerance:
            continue
        for p, G in zip(passes[1:], gradients[1:], strict=True):
            _, other = list(_forwards(p))[number]
            left = max(left, _left(other, G))
        if left <= tolerance:
            return forward._replace(residual=left)
    return None


def _left(p: Pass, gradients: Mapping[Key, Array]) -> float:
    worst = 0.0
    for key in reversed(p.architecture.parameters):
        G, T = gradients[key], p.truth[key]
        if G.shape != T.shape:
            return float("inf")
        size = max(float(np.linalg.norm(T)), 1e-5 * p.size[key], 1e-300)
        worst = max(worst, float(np.linalg.norm(G - T)) / size)
        if not worst < 1e-3:
            return float("inf")
    return worst


def _forwards(p: Pass) -> Iterator[tuple[Forward, Pass]]:
    hidden = p.architecture.activations
    for other in ACTIVATIONS:
        for chosen in ({*range(len(hidden))}, *({layer} for layer in range(len(hidden)) if len(hidden) > 1)):
            names = tuple(other if layer in chosen else f for layer, f in enumerate(hidden))
            if names != hidden:
                yield _of_activations(p, names)
    for layer in range(1, p.depth + 1):
        b = {**p.b, layer: np.zeros_like(p.b[layer])}
        says = f"b{layer} was left out of Z{layer} in the forward pass"
        line = f"Z{layer} = {'X' if layer == 1 else f'A{layer - 1}'} @ W{layer} + b{layer}"
        yield Forward("wrong_operand", f"Z{layer}", says, line), _again(p, b=b)
    nothing = {layer: np.zeros_like(bias) for layer, bias in p.b.items()}
    says = "the biases were left out in the forward pass"
    yield Forward("wrong_operand", "Z1", says, "Z1 = X @ W1 + b1    # and so in each layer"), _again(p, b=nothing)
    yield from _of_inputs(p)


def _of_activations(p: Pass, names: tuple[str, ...]) -> tuple[Forward, Pass]:
    own = p.architecture.activations
    layer = next(i for i, (a, b) in enumerate(zip(own, names, strict=True)) if a != b)
    places = [f"A{i + 1}" for i, (a, b) in enumerate(zip(own, names, strict=True)) if a != b]
    says = f"{names[layer]} was used for {own[layer]} at {', '.join(places)}, in the forward pass too"
    line = f"A{layer + 1} = {own[layer]}(Z{layer + 1})"
    forward = Forward("activation_other_function", places[0], says, line)
    return forward, _again(p, activations=names)


def _of_inputs(p: Pass) -> Iterator[tuple[Forward, Pass]]:
    """Inputs that were centred or scaled inside the function."""
    X, centred = p.X, p.X - p.X.mean(axis=0)
    line = "Z1 = X @ W1 + b1    # X as it is given"
    for says, made in (
        ("the mean of X over the batch was subtracted from it", centred),
        ("X was standardised over the batch", centred / X.std(axis=0)),
        ("X was divided by its largest over the batch", X / np.abs(X).max(axis=0)),
        ("X was divided by its largest over the batch", X / np.abs(X).max()),
    ):
        yield Forward("batch_coupling", "Z1", says, line), _again(p, X=made)


def _again(
    p: Pass,
    *,
    activations: tuple[str, ...] | None = None,
    b: Mapping[int, Array] | None = None,
    X: Array | None = None,
) -> Pass:
    architecture = p.architecture if activations is None else replace(p.architecture, activations=activations)
    return Pass(
        architecture,
        p.W,
        p.b if b is None else b,
        p.X if X is None else X,
        p.Y,
        scale=p.scale,
        l2=p.l2,
        l2_bias=p.l2_bias,
    )
