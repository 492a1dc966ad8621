"""A learned scale of the inputs: each column of A0 times a factor of its own, trained as the weights are.

A0 is X, or what an embedding makes of X: the scale comes after the embedding.

::

    Z1 = (A0 * s) W + b1                         s (d,), 1 at the start

The network itself has no scale: W1, its first weights, are the product of both. Training moves s and W::

    W1 = diag(s) W
    dW = diag(s) dW1
    ds_i = sum_j W_ij dW1_ij                     = sum over the rows of A0_i dA0_i / s_i, with dA0 = dZ1 W1ᵀ

A more useful column gets a larger s, and all its weights then move by longer steps. The state of the rule holds W and s
as "unscaled": a vector of the p parameters, with W in the place of W1, then the d entries of s. The moments have the
same shape. The penalty and the clip norm refer to W1; weight decay shrinks W, but not s.

Source: Holzmüller, Grinsztajn & Steinwart, "Better by default" (2024), section 3: the diagonal layer of RealMLP.
"""

import numpy as np

from ..errors import OptionError
from ..functional.arrays import Array
from ..network import Network
from ..optimizers import Rule, State

__all__ = ["fold", "init_scaled", "pull_back", "unfold"]


def init_scaled(rule: Rule, network: Network) -> State:
    """Return the state of a rule that trains a network and the scale of its inputs, before the first step.

    Parameters
    ----------
    rule : Rule
    network : Network

    Returns
    -------
    State
        That of the rule for p + d numbers, and "unscaled".

    Raises
    ------
    OptionError
        If W1 is frozen, because W1 is the product of the scale and the weights.
    """
    if "W1" in network.frozen:
        expected = "no 'W1' while a scale of the inputs is learned, because the scale is multiplied into W1"
        raise OptionError(parameter="frozen", came=repr(list(network.frozen)), expected=expected)
    unscaled = np.concatenate([network.theta, np.ones(network.layer_sizes[0], network.theta.dtype)])
    return {**rule.init(unscaled), "unscaled": unscaled}


def fold(network: Network, unscaled: Array) -> Array:
    """Return theta, with ``W1 = diag(s) W``."""
    p = network.theta.size
    theta: Array = unscaled[:p].copy()
    network.parameters.of(theta).W[1][...] *= unscaled[p:, None]
    return theta


def unfold(network: Network, unscaled: Array) -> None:
    """Set W to W1 and s to 1, in place, if theta was changed elsewhere and is no longer the folded `unscaled`."""
    p = network.theta.size
    if not np.array_equal(fold(network, unscaled), network.theta):
        unscaled[:p], unscaled[p:] = network.theta, 1


def pull_back(network: Network, unscaled: Array, gradient: Array) -> Array:
    """Return dL/d(W, b1, W2, ..., s), (p + d,).

    Parameters
    ----------
    network : Network
    unscaled : (p + d,) array
    gradient : (p,) array
        dL/dtheta, of the network with W1.

    Returns
    -------
    (p + d,) array

    Notes
    -----
    Cost: 3 flops for each entry of W1.
    """
    p = network.theta.size
    W, s = network.parameters.of(unscaled[:p]).W[1], unscaled[p:]
    out = np.concatenate([gradient, np.empty_like(s)])
    dW1 = network.parameters.of(out[:p]).W[1]
    out[p:] = (W * dW1).sum(axis=1)
    dW1 *= s[:, None]
    return out
