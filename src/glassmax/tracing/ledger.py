"""The ledger of a batch: every array in the order of the computation, with the equations and the reason of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from ..calculus.networks import ACTIVATION_EQUATIONS
from ..functional.arrays import Array
from ..network import Network
from .arrays import CONSTANTS, HEAD_CONSTANTS, logits_name
from .batch import Batch
from .entry import Entry
from .equations import ROW_LOSSES, defined, derived
from .reasons import reason
from .updates import Update

__all__ = ["entries_of"]

LAYER = "Z_ij = sum_k A_ik W_kj + b_j"
SOFTMAX = "P_ij = softmax_j(Z_ij)"
OUTPUTS = {"sigmoid": "P_ij = sigmoid(Z_ij)", "identity": "P_ij = Z_ij", "relu": "P_ij = relu(Z_ij)"}
LOSSES = {
    "cross_entropy": "Lrow_i = -sum_j Y_ij log(P_ij)",
    "squared_error": "Lrow_i = 1/2 sum_j (P_ij - Y_ij)^2",
    "binary_cross_entropy": "Lrow_i = -sum_j (Y_ij log(P_ij) + (1 - Y_ij) log(1 - P_ij))",
    "candidate_cross_entropy": "Lrow_i = -log(sum_j Y_ij P_ij)",
}
SUMS_TO_ONE = "sum_j Y_ij = 1"
MOST_OFF = 1e-12
CANCELS = {("softmax", "cross_entropy"), ("softmax", "candidate_cross_entropy"), ("sigmoid", "binary_cross_entropy")}
"""Outputs and losses whose derivatives are shorter together."""


def entries_of(batch: Batch, arrays: Mapping[str, Array], updated: Sequence[Update]) -> list[Entry]:
    """Return the entries of a batch, in the order of the computation."""
    n, k = arrays["P"].shape
    shapes = {name: np.shape(value) for name, value in arrays.items()} | {"J": (n, k, k)}
    shapes |= {update.name: np.shape(update.value) for update in updated}
    return list(_Ledger(batch, arrays, shapes).entries(updated))


class _Ledger:
    """Writes the entries of one batch."""

    def __init__(self, batch: Batch, arrays: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.batch, self.arrays, self.shapes = batch, arrays, shapes
        self.network: Network = batch.network
        self.last = batch.network.depth
        self.weighted, self.penalized = batch.w is not None, "R" in arrays
        self.logits, self.z_loss = logits_name(batch.network), batch.network.head.z_loss > 0
        self.names = {"Lrow": ROW_LOSSES, "Pen": "R", "Z": self.logits, "dZ": f"d{self.logits}"}

    def entries(self, updated: Sequence[Update]) -> Iterator[Entry]:
        yield from self.forward()
        yield from self.losses()
        yield from self.backward()
        for update in updated:
            write = (partial(defined, update.equation, {}),) if update.equation else ()
            value, why = np.asarray(update.value), reason(f"update {update.kind}", V=update.name.strip("'"))
            yield Entry(update.name, "update", value, why, write, shapes=self.shapes)

    def forward(self) -> Iterator[Entry]:
        yield self.given("X", "X")
        embedded = self.network.embedding is not None
        if embedded:
            yield from (self.given(name, "embedding") for name in self.network.parameters.embedding_shapes)
            yield self.entry("A0", "forward", reason("A0"), meaning="A0 is the embedding of X")
        for activation in dict.fromkeys(self.network.activations):
            yield from (self.given(name, "constant", f=activation) for name in CONSTANTS.get(activation, {}))
        for layer in range(1, self.last + 1):
            below = "unit" if layer > 1 else "input"
            yield self.given(f"W{layer}", "W", l=layer, below=below)
            yield self.given(f"b{layer}", "b", l=layer)
            k = f"a unit of layer {layer - 1}" if layer > 1 else "an input"
            names, A = self.layer(layer), self.below(layer)
            why = reason("Z", V=f"Z{layer}", A=A, W=f"W{layer}", b=f"b{layer}", below=k)
            yield self.entry(f"Z{layer}", "forward", why, partial(defined, LAYER, names))
            if layer < self.last:
                yield from self.activation(layer)
        yield from self.output()

    def activation(self, layer: int) -> Iterator[Entry]:
        f = self.network.activations[layer - 1]
        if self.batch.masks:
            yield self.given(f"D{layer}", "mask", l=layer)
        why = reason("masked A" if self.batch.masks else "A", f=f, l=layer)
        yield self.entry(f"A{layer}", "forward", why, partial(defined, self.f(layer), self.unit(layer)))

    def output(self) -> Iterator[Entry]:
        output, names = self.network.head.output, {"Z": self.logits}
        if self.network.head.bounds:
            yield from (self.given(name, name) for name in ("softcap", "temperature") if name in self.arrays)
            top = {"Z": f"Z{self.last}"}
            yield self.entry("U", "forward", reason("U"), partial(defined, self.bounded(), top))
        if output == "softmax":
            exponent, kind = "Z_ij", "E"
            if "m" in self.arrays:
                exponent, kind = "Z_ij - m_i", "shifted E"
                yield self.entry(
                    "m", "forward", reason("m"), meaning=f"m_i is the largest entry of row i of {self.logits}"
                )
            yield self.entry("E", "forward", reason(kind), partial(defined, f"E_ij = exp({exponent})", names))
            yield self.entry("S", "forward", reason("S"), partial(defined, "S_i = sum_j E_ij", {}))
            yield self.entry("P", "forward", reason("P softmax"), partial(defined, "P_ij = E_ij / S_i", {}))
        else:
            yield self.entry("P", "forward", reason(f"P {output}"), partial(defined, OUTPUTS[output], names))

    def losses(self) -> Iterator[Entry]:
        loss = self.network.head.loss
        yield self.given("Y", self.kind_of_target())
        if self.weighted:
            yield self.given("w", "w")
        yield self.given("n", "n")
        if self.z_loss:
            yield self.given(HEAD_CONSTANTS["z_loss"], "zloss")
        why = reason(f"rows {loss}") + (" " + reason("rows z_loss") if self.z_loss else "")
        yield self.entry(ROW_LOSSES, "loss", why, partial(defined, self.row_losses(), self.names))
        if self.weighted:
            yield self.entry("s", "loss", reason("s"), partial(defined, "s = sum_i w_i", {}))
        if self.penalized:
            yield self.given("l2", "l2")
            yield self.entry("R", "loss", reason("R"), partial(defined, self.penalty(), {}))
        why = reason("weighted L" if self.weighted else "L")
        yield self.entry("L", "loss", why, partial(defined, self.mean(with_penalty=True), self.names))

    def backward(self) -> Iterator[Entry]:
        head = self.network.head
        by_P = f"{self.row_losses()}; {self.mean()}"
        why = reason("weighted dP" if self.weighted else "dP")
        yield self.entry("dP", "backward", why, partial(derived, by_P, "P", "dP", self.names))
        if head.output == "softmax":
            J = partial(defined, "J_ilj = P_il (delta_lj - P_ij)", {})
            yield Entry("J", "backward", None, reason("J"), (J,), shapes=self.shapes)
        yield self.top(by_P)
        if head.bounds:
            Z, dZ = f"Z{self.last}", f"dZ{self.last}"
            equations, names = f"{self.bounded()}; L = sum_{{i,j}} dU_ij U_ij", {"Z": Z}
            yield self.entry(dZ, "backward", reason("dZ bounded", Z=Z), partial(derived, equations, "Z", dZ, names))
        for layer in range(self.last, 0, -1):
            yield from self.parameters(layer)
            if layer > 1:
                yield from self.down(layer)
        below = self.below(1)
        why = reason("dX" if self.network.embedding is None else "dA", V=below, W="W1", l=1)
        yield self.entry(f"d{below}", "backward", why, partial(derived, self.back(), "A", f"d{below}", self.layer(1)))
        for name in self.network.parameters.embedding_shapes:
            meaning = f"d{name} is the gradient of the embedding: network.derive({name!r}) derives it from dA0"
            yield self.gradient(name, reason("embedding gradient", V=name), None, meaning)

    def top(self, by_P: str) -> Entry:
        """Write the derivative by the logits: through the Jacobian, as a pullback and, where parts cancel, in short."""
        output, loss = self.network.head.output, self.network.head.loss
        dZ, names = f"d{self.logits}", self.names
        softmax = output == "softmax"
        f = SOFTMAX if softmax else OUTPUTS[output]
        write = [partial(defined, "dZ_ij = sum_l dP_il J_ilj", names)] if softmax and not self.z_loss else []
        pulled = f"{f}; L = sum_{{i,j}} dP_ij P_ij" + (f" + {self.z_losses()}" if self.z_loss else "")
        write.append(partial(derived, pulled, "Z", dZ, names))
        if (output, loss) in CANCELS:
            sure = (SUMS_TO_ONE,) if loss == "cross_entropy" and self.sums_to_one() else ()
            write.append(partial(derived, f"{f}; {by_P}", "Z", dZ, names, sure))
        kind = "softmax" if softmax else "entry by entry"
        why = reason(f"dZ {kind}", Z=self.logits)
        if (output, loss) in CANCELS and loss != "candidate_cross_entropy":
            sums = "" if output == "sigmoid" or self.sums_to_one() else " by rows"
            why += " " + reason(f"dZ {output} cancels{sums}")
        why += " " + reason("dZ z_loss") if self.z_loss else ""
        return self.entry(dZ, "backward", why, *write)

    def parameters(self, layer: int) -> Iterator[Entry]:
        names, below, penalized = self.layer(layer), self.below(layer), self.network.parameters.penalized
        W, b, dZ = f"W{layer}", f"b{layer}", f"dZ{layer}"
        with_penalty = self.penalized and W in penalized
        equations = self.back() + (" + 1/2 l2 sum_{k,j} W_kj^2" if with_penalty else "")
        why = reason("dW", A=below, dZ=dZ) + (" " + reason("penalty", W=W) if with_penalty else "")
        yield self.gradient(W, why, partial(derived, equations, "W", f"d{W}", names))
        yield self.gradient(b, reason("db", b=b), partial(derived, self.back(), "b", f"d{b}", names))

    def gradient(self, name: str, why: str, write: object, meaning: str = "") -> Entry:
        """Write the gradient of a parameter, which is 0 if the parameter is frozen."""
        if name in self.network.frozen:
            frozen = f"d{name} is 0, because {name} is frozen"
            return self.entry(f"d{name}", "backward", reason("frozen", V=name), meaning=frozen)
        return self.entry(f"d{name}", "backward", why, *([write] if write else []), meaning=meaning)

    def down(self, layer: int) -> Iterator[Entry]:
        lower = layer - 1
        dA, dZ = f"dA{lower}", f"dZ{lower}"
        why = reason("dA", V=f"A{lower}", W=f"W{layer}", l=layer)
        yield self.entry(dA, "backward", why, partial(derived, self.back(), "A", dA, self.layer(layer)))
        equations = f"{self.f(lower)}; L = sum_{{i,j}} dA_ij A_ij"
        why = reason("masked dZ" if self.batch.masks else "dZ", Z=f"Z{lower}", A=f"A{lower}")
        yield self.entry(dZ, "backward", why, partial(derived, equations, "Z", dZ, self.unit(lower)))

    # the equations of the calculus, and the names of this layer in them

    def f(self, layer: int) -> str:
        equation = ACTIVATION_EQUATIONS[self.network.activations[layer - 1]].format(z="Z_ij")
        return f"A_ij = D_ij ({equation})" if self.batch.masks else f"A_ij = {equation}"

    def back(self) -> str:
        return f"{LAYER}; L = sum_{{i,j}} dZ_ij Z_ij"

    def mean(self, *, with_penalty: bool = False) -> str:
        mean = "L = 1/s sum_i w_i Lrow_i" if self.weighted else "L = 1/n sum_i Lrow_i"
        return f"{mean} + Pen" if with_penalty and self.penalized else mean

    def bounded(self) -> str:
        """Return the equation of the logits U, with a softcap or a temperature."""
        softcap, divided = "softcap" in self.arrays, "temperature" in self.arrays
        if not softcap:
            return "U_ij = Z_ij / temperature"
        return f"U_ij = softcap tanh(Z_ij / {'(temperature softcap)' if divided else 'softcap'})"

    def row_losses(self) -> str:
        return LOSSES[self.network.head.loss] + (" + zloss logsumexp_j(Z_ij)^2" if self.z_loss else "")

    def z_losses(self) -> str:
        """The part of L that is the z-loss."""
        return "zloss/s sum_i w_i logsumexp_j(Z_ij)^2" if self.weighted else "zloss/n sum_i logsumexp_j(Z_ij)^2"

    def penalty(self) -> str:
        letters = {name: "k,j,e"[: 2 * W.ndim - 1] for name, W in self.network.parameters.penalized.items()}
        squares = [f"sum_{{{at}}} {name}_{at.replace(',', '')}^2" for name, at in letters.items()]
        return "R = 1/2 l2 " + (squares[0] if len(squares) == 1 else f"({' + '.join(squares)})")

    def layer(self, layer: int) -> dict[str, str]:
        own = {letter: f"{letter}{layer}" for letter in ("Z", "W", "b", "dZ")}
        return {**own, "A": self.below(layer)}

    def unit(self, layer: int) -> dict[str, str]:
        return {letter: f"{letter}{layer}" for letter in ("Z", "A", "dA", "D")}

    def below(self, layer: int) -> str:
        return f"A{layer - 1}" if layer > 1 else "X" if self.network.embedding is None else "A0"

    def kind_of_target(self) -> str:
        Y, loss = self.arrays["Y"], self.network.head.loss
        if loss == "candidate_cross_entropy":
            return "candidates"
        one_hot = ((Y == 0) | (Y == 1)).all() and (Y.sum(axis=1) == 1).all()
        return "one-hot Y" if one_hot else "Y"

    def sums_to_one(self) -> bool:
        return bool((np.abs(self.arrays["Y"].sum(axis=1) - 1) <= MOST_OFF).all())

    def given(self, name: str, kind: str, **words: object) -> Entry:
        return self.entry(name, "given", reason(kind, V=name, **words))

    def entry(self, name: str, stage: str, why: str, *write: object, meaning: str = "") -> Entry:
        return Entry(name, stage, self.arrays[name], why, write, meaning=meaning, shapes=self.shapes)  # type: ignore[arg-type]


def __dir__() -> list[str]:
    return __all__
