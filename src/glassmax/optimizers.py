"""Rules by which gradients move weights: SGD with momentum, and Adam.

A rule is a pair: ``init(theta)`` gives the state it needs (velocities, moments, a step count), and
``step(theta, gradient, state)`` moves theta and the state in place. Rules hold their constants and nothing
else, so a state can be saved and a run resumed. The vector theta holds all parameters; rules never see layers. This
module refuses to know of losses, penalties or data.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .errors import OptionError
from .functional.arrays import Array

__all__ = ["SGD", "Adam", "Rule", "State"]

State = dict[str, Any]


class Rule(Protocol):
    """What training asks of an optimizer."""

    @property
    def learning_rate(self) -> float:
        """The length of a step, per step."""
        ...

    def init(self, theta: Array) -> State:
        """Return the state before the first step."""
        ...

    def step(self, theta: Array, gradient: Array, state: State) -> None:
        """Move `theta` and `state` by one step, in place."""
        ...


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent, with momentum.

    ::

        v <- momentum v - learning_rate dL/dtheta
        theta <- theta + v                                             plain
        theta <- theta + momentum v - learning_rate dL/dtheta          Nesterov

    Parameters
    ----------
    learning_rate : float
        > 0, per step.
    momentum : float, default=0.0
        In [0, 1).
    nesterov : bool, default=False
        Look ahead by one more momentum step.

    Notes
    -----
    Cost: 4 flops a parameter (7 with Nesterov); keeps one number a parameter.
    Source: Sutskever, Martens, Dahl & Hinton (2013), equations 1 to 4, in the form scikit-learn uses.

    Examples
    --------
    >>> rule, theta = SGD(learning_rate=0.5), np.array([1.0, 2.0])
    >>> rule.step(theta, np.array([1.0, -1.0]), rule.init(theta))
    >>> theta
    array([0.5, 2.5])
    """

    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        _between("learning_rate", self.learning_rate, 0, np.inf, open_below=True)
        _between("momentum", self.momentum, 0, 1)

    def init(self, theta: Array) -> State:
        """Return a velocity of zeros."""
        return {"velocity": np.zeros_like(theta)}

    def step(self, theta: Array, gradient: Array, state: State) -> None:
        """Move `theta` along the velocity."""
        downhill = self.learning_rate * gradient
        velocity = state["velocity"]
        velocity *= self.momentum
        velocity -= downhill
        theta += self.momentum * velocity - downhill if self.nesterov else velocity


@dataclass(frozen=True)
class Adam:
    """Adam: steps scaled by running moments of the gradient.

    ::

        m <- beta_1 m + (1 - beta_1) g                 g = dL/dtheta
        v <- beta_2 v + (1 - beta_2) g^2
        theta <- theta - learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

    Parameters
    ----------
    learning_rate : float
        > 0, per step.
    beta_1, beta_2 : float, default=0.9, 0.999
        In [0, 1): how much of the moments stays from step to step.
    epsilon : float, default=1e-8
        > 0: keeps the denominator off zero.

    Notes
    -----
    Cost: about 10 flops, one root and one division a parameter; keeps two numbers a parameter.
    Source: Kingma & Ba, "Adam" (2015), the more efficient order of section 2, as scikit-learn has it.

    Examples
    --------
    >>> rule, theta = Adam(learning_rate=0.1), np.array([1.0, 2.0])
    >>> rule.step(theta, np.array([3.0, -0.001]), rule.init(theta))
    >>> theta.round(3)    # the first step is the learning rate, whatever the gradient's size
    array([0.9, 2.1])
    """

    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _between("learning_rate", self.learning_rate, 0, np.inf, open_below=True)
        _between("beta_1", self.beta_1, 0, 1)
        _between("beta_2", self.beta_2, 0, 1)
        _between("epsilon", self.epsilon, 0, np.inf, open_below=True)

    def init(self, theta: Array) -> State:
        """Return moments of zeros and a step count of 0."""
        return {"t": 0, "m": np.zeros_like(theta), "v": np.zeros_like(theta)}

    def step(self, theta: Array, gradient: Array, state: State) -> None:
        """Move `theta` by one step of Adam."""
        state["t"] += 1
        t, m, v = state["t"], state["m"], state["v"]
        m *= self.beta_1
        m += (1 - self.beta_1) * gradient
        v *= self.beta_2
        v += (1 - self.beta_2) * gradient * gradient
        rate = float(self.learning_rate * np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t))
        denominator = np.sqrt(v)
        denominator += self.epsilon
        theta -= rate * m / denominator


def _between(what: str, number: Any, low: float, high: float, *, open_below: bool = False) -> None:
    is_number = isinstance(number, int | float | np.integer | np.floating)
    if not (is_number and (low < number < high or (number == low and not open_below))):
        bounds = f"> {low:g}" if high == np.inf else f"from {low:g} up to, not including, {high:g}"
        raise OptionError(f"{what} is {number!r}, expected a number {bounds}.")
