"""A step of a rule from a gradient: clipped, with weight decay, without what is frozen, at the rate of each layer."""

from collections.abc import Sequence

import numpy as np

from ..functional.arrays import Array
from ..network import Network
from ..optimizers import Rule, State
from .batches import Regularization
from .input_scale import fold, pull_back

__all__ = ["spread", "take_step"]


def take_step(
    network: Network,
    gradient: Array,
    rule: Rule,
    state: State,
    regularization: Regularization,
    rate: float,
    factors: Array | None = None,
) -> None:
    """Move the weights of a network by one step, in place.

    Parameters
    ----------
    network : Network
    gradient : (p,) array
        dL/dtheta, penalty included; may be changed.
    rule, state : Rule, State
    regularization : Regularization
        Of which clip norm and weight decay are used.
    rate : float
        The learning rate.
    factors : array, optional
        From `spread`.
    """
    if regularization.clip_norm is not None:
        length = float(np.linalg.norm(gradient.astype(np.float64, copy=False)))
        if length > regularization.clip_norm:
            gradient *= regularization.clip_norm / length
    theta, parameters = network.theta, network.parameters
    if "unscaled" in state:
        theta = state["unscaled"]
        gradient = pull_back(network, theta, gradient)
        parameters = network.parameters.of(theta[: network.theta.size])
    if regularization.weight_decay:
        for W in parameters.penalized.values():
            W *= 1 - rate * regularization.weight_decay
    held = network.parameters.of(theta[: network.theta.size]) if network.frozen else {}
    kept = {name: held[name].copy() for name in network.frozen}
    before = theta.copy() if factors is not None else theta
    rule.step(theta, gradient, state, rate)
    if factors is not None:
        theta[...] = before + factors * (theta - before)
    for name, values in kept.items():  # the state may hold a moment from before it was frozen
        held[name][...] = values
    if "unscaled" in state:
        network.theta[...] = fold(network, theta)


def spread(rate_factors: Sequence[float], network: Network) -> Array | None:
    """Return the factor of each entry of theta, and of the scale if there is one; None where all are 1."""
    if not rate_factors:
        return None
    sizes = [*(view.size for view in network.parameters.values()), network.layer_sizes[0]]
    parts = [np.full(size, factor) for size, factor in zip(sizes, rate_factors, strict=False)]
    return np.concatenate(parts).astype(network.theta.dtype)
