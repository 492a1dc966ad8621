"""The arrays of one batch, forward and backward: every array between X and the gradients, by its name.

The values are those of `glassmax.network`, computed once: this module adds the arrays that a network doesn't keep (the
exponentials, dP, dA, dX), not another way to compute. No Jacobian is formed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..functional.activations import ACTIVATIONS
from ..functional.activations.selu import SELU_ALPHA, SELU_SCALE
from ..functional.arrays import Array, summing_dtype
from ..functional.heads import LOSSES
from ..functional.losses import l2, l2_vjp
from ..functional.targets import as_rows, reduce_rows, scale_rows
from ..network import Network, Tape
from ..parameters import Parameters
from .batch import Batch

__all__ = ["CONSTANTS", "HEAD_CONSTANTS", "arrays_of", "gradients_of", "logits_name"]

CONSTANTS = {"leaky_relu": {"slope": 0.01}, "selu": {"scale": SELU_SCALE, "alpha": SELU_ALPHA}}
"""The constants in the equations of activations."""
HEAD_CONSTANTS = {"softcap": "softcap", "temperature": "temperature", "z_loss": "zloss"}
"""The constants of a head, by the names of its options."""


def logits_name(network: Network) -> str:
    """Return the name of the logits that the output function takes: U with a softcap or a temperature, else Z_last."""
    return "U" if network.head.bounds else f"Z{network.depth}"


def arrays_of(batch: Batch) -> dict[str, Array]:
    """Return every array of the batch, given, forward and backward, by its name."""
    network = batch.network
    with np.errstate(all="ignore"):  # what overflows is shown, not warned of
        tape = network.forward(batch.X, batch.masks or None)
        arrays = dict(_given(batch, tape)) | dict(_forward(batch, tape))
        backward = dict(_backward(batch, tape, arrays))
    return {name: np.asarray(value) for name, value in (arrays | backward).items()}


def gradients_of(batch: Batch, arrays: dict[str, Array]) -> Parameters:
    """Return the gradients among the arrays as named views of one vector."""
    parameters = batch.network.parameters
    return parameters.of(np.concatenate([arrays[f"d{name}"].ravel() for name in parameters]))


def _given(batch: Batch, tape: Tape) -> Iterator[tuple[str, Array]]:
    network = batch.network
    yield "X", tape.X
    if network.embedding is not None:
        yield "A0", tape.A[0]
    yield from network.parameters.items()
    for layer, mask in batch.masks.items():
        yield f"D{layer}", mask
    for activation in dict.fromkeys(network.activations):
        for name, value in CONSTANTS.get(activation, {}).items():
            yield name, np.asarray(value)
    for option, value in network.head.options.items():
        yield HEAD_CONSTANTS[option], np.asarray(value)
    yield "Y", as_rows(batch.T, network.layer_sizes[-1])
    if batch.w is not None:
        yield "w", batch.w
    yield "n", np.asarray(float(len(batch.rows)))
    if network.l2 and network.parameters.penalized:
        yield "l2", np.asarray(network.l2)


def _forward(batch: Batch, tape: Tape) -> Iterator[tuple[str, Array]]:
    network, last = batch.network, batch.network.depth
    for layer in range(1, last + 1):
        yield f"Z{layer}", tape.Z[layer]
        if layer < last:
            yield f"A{layer}", tape.A[layer]
    if network.head.bounds:
        yield "U", tape.head.U
    if network.head.output == "softmax":
        yield from _exponentials(tape.head.U)
    yield "P", tape.P
    losses = network.head.rows(tape.head, batch.T)
    yield "L_i", losses
    if batch.w is not None:
        yield "s", batch.w.sum()
    penalty = np.asarray(sum(l2(W, network.l2) for W in network.parameters.penalized.values()) if network.l2 else 0.0)
    if network.l2 and network.parameters.penalized:
        yield "R", penalty
    yield "L", reduce_rows(losses, batch.w, "sum") / _divisor(batch) + penalty


def _exponentials(Z: Array) -> Iterator[tuple[str, Array]]:
    """Yield E = exp(Z) and its row sums S; where they leave the range of the numbers, E = exp(Z - m) and m."""
    E = np.exp(Z)
    S = E.sum(axis=1)
    if not (np.isfinite(S) & (S != 0)).all():
        m = Z.max(axis=1)
        E = np.exp(Z - m[:, None])
        S = E.sum(axis=1)
        yield "m", m
    yield from (("E", E), ("S", S))


def _backward(batch: Batch, tape: Tape, arrays: dict[str, Array]) -> Iterator[tuple[str, Array]]:
    network, last, divisor = batch.network, batch.network.depth, _divisor(batch)
    yield "dP", scale_rows(LOSSES[network.head.loss].dP(tape.P, batch.T), batch.w, divisor)
    if network.head.bounds:
        yield "dU", scale_rows(network.head.dU(tape.head, batch.T), batch.w, divisor).astype(network.theta.dtype)
    dZ = scale_rows(network.head.dZ(tape.head, batch.T), batch.w, divisor)
    for layer in range(last, 0, -1):
        W, below = network.parameters.W[layer], tape.A[layer - 1]
        yield f"dZ{layer}", dZ
        dW, db = below.T @ dZ, dZ.sum(axis=0, dtype=summing_dtype(dZ.dtype)).astype(dZ.dtype, copy=False)
        dW = dW + l2_vjp(1.0, W, network.l2) if network.l2 else dW
        for name, gradient in ((f"W{layer}", dW), (f"b{layer}", db)):
            yield f"d{name}", np.zeros_like(gradient) if name in network.frozen else gradient
        dA = dZ @ W.T
        if layer > 1:
            yield f"dA{layer - 1}", dA
            kept = dA * batch.masks[layer - 1] if batch.masks else dA
            dZ = ACTIVATIONS[network.activations[layer - 2]].vjp(kept, tape.Z[layer - 1])
    if network.embedding is None:
        yield "dX", dA
        return
    yield "dA0", dA
    gradients = network.parameters.of(np.zeros(network.theta.shape, dA.dtype))
    network.embedding.backward(dA, tape.X, network.parameters, gradients)
    for name in network.embedding.shapes:
        penalized = network.l2 and name in network.parameters.penalized
        own = np.zeros_like(gradients[name]) if name in network.frozen else gradients[name]
        yield f"d{name}", own + l2_vjp(1.0, network.parameters[name], network.l2) if penalized else own


def _divisor(batch: Batch) -> float:
    return float(len(batch.rows)) if batch.w is None else float(batch.w.sum())


def __dir__() -> list[str]:
    return __all__
