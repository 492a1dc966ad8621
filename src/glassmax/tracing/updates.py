"""The update that an optimizer makes of a parameter: its arrays and its equations, one rule of the optimizer at a time.

::

    SGD        W2' = W2 - eta dW2
    momentum   vW2' = mu vW2 - eta dW2         W2' = W2 + vW2'        (Nesterov: W2 + mu vW2' - eta dW2)
    Adam       mW2' = beta1 mW2 + (1 - beta1) dW2          vW2' = beta2 vW2 + (1 - beta2) dW2^2
               W2' = W2 - ell mW2' / (sqrt(vW2') + epsilon)

A prime marks what comes after the step. Weight decay shrinks W before the step, clipping shortens all gradients by one
factor c, and a factor of the learning rate for each parameter is written in front of its step. All gradients are
computed before any parameter moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..functional.arrays import Array
from ..network import Network
from ..optimizers import SGD, Adam, Rule, State
from ..parameters import Parameters

__all__ = ["Optimizer", "Update", "updates"]

LETTERS = {1: "j", 2: "kj", 3: "jke"}


@dataclass
class Optimizer:
    """A rule, its state before the step, and what else changes the step.

    Attributes
    ----------
    rule : SGD or Adam
    state : dict
        The state before the step; empty for that before the first.
    rate : float or None
        The learning rate of the step; None for that of the rule.
    weight_decay : float
        >= 0; see `glassmax.engine.Regularization`.
    clip_norm : float or None
        Maximum length of the gradient of all parameters.
    factors : sequence of float
        Factor of the learning rate for each parameter; empty for 1.
    chosen : bool
        Whether somebody has chosen the rule; False for gradient descent in the place of an optimizer.
    """

    rule: Rule
    state: State = field(default_factory=dict)
    rate: float | None = None
    weight_decay: float = 0.0
    clip_norm: float | None = None
    factors: Sequence[float] = ()
    chosen: bool = True


class Update(NamedTuple):
    """One array of the step: its value, and its equation as the calculus reads it; an empty equation: given."""

    name: str
    value: Any
    equation: str
    letters: str
    kind: str


def updates(optimizer: Optimizer, network: Network, gradients: Parameters) -> Iterator[Update]:
    """Yield the constants of the step, then the arrays of each parameter in the order of theta."""
    rule, norm = optimizer.rule, float(np.linalg.norm(gradients.flat.astype(np.float64, copy=False)))
    rate = float(rule.learning_rate if optimizer.rate is None else optimizer.rate)
    state = deepcopy(optimizer.state) or rule.init(network.theta)
    constants = {"eta": rate}
    if optimizer.clip_norm is not None and norm > optimizer.clip_norm:
        constants["c"] = optimizer.clip_norm / norm
    if optimizer.weight_decay:
        constants["lambda"] = optimizer.weight_decay
    constants |= _constants(rule, state, rate)
    for name, value in constants.items():
        kind = name if optimizer.chosen or name != "eta" else "default eta"
        yield Update(name, np.asarray(value), "", "", kind)
    before: dict[str, Parameters] = {
        key: network.parameters.of(state[key]) for key in ("velocity", "m", "v") if key in state
    }
    for place, (name, W) in enumerate(network.parameters.items()):
        if name in network.frozen:
            yield Update(
                f"{name}'", W, f"{name}'_{LETTERS[W.ndim]} = {name}_{LETTERS[W.ndim]}", LETTERS[W.ndim], "frozen"
            )
            continue
        factor = optimizer.factors[place] if optimizer.factors else 1.0
        if factor != 1:
            yield Update(f"f{name}", np.asarray(float(factor)), "", "", "factor")
        decayed = "lambda" in constants and name in network.parameters.penalized
        own = {key: view[name] for key, view in before.items()}
        yield from _of_one(rule, name, W, gradients[name], own, constants, factor=factor, decayed=decayed)


def _constants(rule: Rule, state: State, rate: float) -> dict[str, float]:
    if isinstance(rule, SGD):
        return {"mu": rule.momentum} if rule.momentum else {}
    if isinstance(rule, Adam):
        t = state["t"] + 1
        ell = rate * np.sqrt(1 - rule.beta_2**t) / (1 - rule.beta_1**t)
        return {"beta1": rule.beta_1, "beta2": rule.beta_2, "epsilon": rule.epsilon, "ell": float(ell)}
    return {}


def _of_one(
    rule: Rule,
    name: str,
    W: Array,
    dW: Array,
    before: dict[str, Array],
    constants: dict[str, float],
    *,
    factor: float,
    decayed: bool,
) -> Iterator[Update]:
    """Yield the moments of one parameter before and after the step, and the parameter after it."""
    at = LETTERS[W.ndim]
    eta, c = constants["eta"], constants.get("c", 1.0)
    g, written = (c * dW, f"c d{name}_{at}") if "c" in constants else (dW, f"d{name}_{at}")
    start, start_written = W, f"{name}_{at}"
    if decayed:
        start, start_written = (1 - eta * constants["lambda"]) * W, f"(1 - eta lambda) {name}_{at}"
    times = "" if factor == 1 else f"f{name} "
    m, v = f"m{name}", f"v{name}"
    if isinstance(rule, Adam):
        yield Update(m, before["m"], "", at, "first moment")
        yield Update(v, before["v"], "", at, "second moment")
        M = rule.beta_1 * before["m"] + (1 - rule.beta_1) * g
        V = rule.beta_2 * before["v"] + (1 - rule.beta_2) * g * g
        squared = f"d{name}_{at}^2" if "c" not in constants else f"({written})^2"
        yield Update(f"{m}'", M, f"{m}'_{at} = beta1 {m}_{at} + (1 - beta1) {written}", at, "new first moment")
        yield Update(f"{v}'", V, f"{v}'_{at} = beta2 {v}_{at} + (1 - beta2) {squared}", at, "new second moment")
        step = -constants["ell"] * M / (np.sqrt(V) + rule.epsilon)
        change = f"- {times}ell {m}'_{at} / (sqrt({v}'_{at}) + epsilon)"
    elif isinstance(rule, SGD) and rule.momentum:
        V = rule.momentum * before["velocity"] - eta * g
        yield Update(v, before["velocity"], "", at, "velocity")
        yield Update(f"{v}'", V, f"{v}'_{at} = mu {v}_{at} - eta {written}", at, "new velocity")
        step, change = V, f"+ {times}{v}'_{at}"
        if rule.nesterov:
            step = rule.momentum * V - eta * g
            change = f"+ {times}mu {v}'_{at} - {times}eta {written}"
    else:
        step, change = -eta * g, f"- {times}eta {written}"
    value = (start + factor * step).astype(W.dtype, copy=False)
    yield Update(f"{name}'", value, f"{name}'_{at} = {start_written} {change}", at, "update")


def __dir__() -> list[str]:
    return __all__
