"""Mistakes in the forward pass of the hidden layers, which the backward pass follows faithfully: another network."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ...functional.arrays import Array
from ..exact_pass import Architecture, Pass
from ..learners_activations import ACTIVATIONS

__all__ = ["Forward", "other_forward"]

Key = tuple[str, int]


@dataclass(frozen=True)
class Forward:
    """A mistake of the forward pass: its cause, where it is, what was done, and the line as it should be.

    `again` makes the learner's pass from the exact one; `other_network` says whether that is a pass of another network,
    not of other data; `residual` is what it leaves of the gradients, relative.
    """

    cause: str
    where: str
    says: str
    line: str
    again: Callable[[Pass], Pass]
    other_network: bool = True
    residual: float = 0.0


def other_forward(passes: Sequence[Pass], gradients: Sequence[Mapping[Key, Array]], tolerance: float) -> Forward | None:
    """Find the mistake of the forward pass that gives the learner's gradients on every probe; None if none does."""
    for forward in forward_mistakes(passes[0]):
        left = 0.0
        for p, G in zip(passes, gradients, strict=True):
            left = max(left, _left(forward.again(p), G))
            if not left <= tolerance:
                break
        else:
            return replace(forward, residual=left)
    return None


def _left(p: Pass, gradients: Mapping[Key, Array]) -> float:
    worst = 0.0
    for key in reversed(p.architecture.parameters):
        G, T = gradients[key], p.truth[key]
        if G.shape != T.shape or not np.isfinite(T).all():
            return float("inf")
        size = max(float(np.linalg.norm(T)), 1e-5 * p.size[key], 1e-300)
        worst = max(worst, float(np.linalg.norm(G - T)) / size)
        if not worst < 1e-3:
            return float("inf")
    return worst


def forward_mistakes(p: Pass) -> Iterator[Forward]:
    """The mistakes of a network's forward pass."""
    own = p.architecture.activations
    for other in ACTIVATIONS:
        for chosen in ({*range(len(own))}, *({layer} for layer in range(len(own)) if len(own) > 1)):
            names = tuple(other if layer in chosen else f for layer, f in enumerate(own))
            if names != own:
                yield _other_activations(own, names)
    for layer in range(1, p.depth + 1):
        below = f"A{layer - 1}" if layer > 1 else "X"
        says = f"b{layer} was left out of Z{layer} in the forward pass"
        line = f"Z{layer} = {below} @ W{layer} + b{layer}"
        yield Forward("wrong_operand", f"Z{layer}", says, line, partial(_without_biases, (layer,)))
    says = "the biases were left out in the forward pass"
    line = "Z1 = X @ W1 + b1    # and so in each layer"
    yield Forward("wrong_operand", "Z1", says, line, lambda p: _without_biases(tuple(p.b), p))
    yield from OTHER_INPUTS


def _other_activations(own: tuple[str, ...], names: tuple[str, ...]) -> Forward:
    layers = [layer for layer, (a, b) in enumerate(zip(own, names, strict=True), 1) if a != b]
    first, places = layers[0], [f"A{layer}" for layer in layers]
    says = f"{names[first - 1]} was used instead of {own[first - 1]} at {', '.join(places)}, in the forward pass too"
    line = f"A{first} = {own[first - 1]}(Z{first})"
    return Forward("activation_other_function", places[0], says, line, partial(_with_activations, names))


def _with_activations(names: tuple[str, ...], p: Pass) -> Pass:
    return _again(p, replace(p.architecture, activations=names), p.b, p.X)


def _without_biases(layers: tuple[int, ...], p: Pass) -> Pass:
    return _again(p, p.architecture, {**p.b, **{layer: np.zeros_like(p.b[layer]) for layer in layers}}, p.X)


def _of_input(says: str, X: Callable[[Array], Array]) -> Forward:
    """The input centred or scaled inside the function."""
    line = "Z1 = X @ W1 + b1    # X as it is given"
    return Forward("batch_coupling", "Z1", says, line, lambda p: _again(p, p.architecture, p.b, X(p.X)), False)


OTHER_INPUTS = (
    _of_input("the mean of X over the batch was subtracted from it", lambda X: X - X.mean(axis=0)),
    _of_input("X was standardized over the batch", lambda X: (X - X.mean(axis=0)) / X.std(axis=0)),
    _of_input("X was divided by its maximum over the batch", lambda X: X / np.abs(X).max(axis=0)),
    _of_input("X was divided by its maximum over the batch", lambda X: X / np.abs(X).max()),
)


def _again(p: Pass, architecture: Architecture, b: Mapping[int, Array], X: Array) -> Pass:
    return Pass(architecture, p.W, b, X, p.Y, scale=p.scale, l2=p.l2, l2_bias=p.l2_bias)
