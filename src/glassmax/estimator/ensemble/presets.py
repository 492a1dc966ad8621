"""Presets: which types of members an ensemble tries, and how long they are trained.

A type is a set of parameters of `SoftmaxClassifier`. Batch size and number of epochs follow from the number of rows:
batches of 256 rows, halved down to 32 while an epoch has fewer than 16 steps; the epochs of the type, raised or lowered
until the number of steps lies within its bounds.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["PRESETS", "MemberType", "Preset"]

LARGEST_BATCH, SMALLEST_BATCH, FEWEST_STEPS_OF_EPOCH = 256, 32, 16


@dataclass(frozen=True)
class MemberType:
    """A type of member.

    Attributes
    ----------
    name : str
        The user's word for it.
    parameters : mapping
        Parameters of `SoftmaxClassifier`, except those that follow from the number of rows.
    epochs : int
        Number of epochs, within the bounds.
    fewest_steps, most_steps : int
        Bounds of the number of steps, the lower one first; there are always at least two epochs.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = 16
    fewest_steps: int = 0
    most_steps: int = 2**62

    @property
    def is_linear(self) -> bool:
        """Whether members of this type have no hidden layer."""
        return not np.size(self.parameters["hidden_layer_sizes"])

    def for_rows(self, n: int) -> dict[str, Any]:
        """Return the parameters of `SoftmaxClassifier` for a member that trains on n rows."""
        if self.parameters.get("solver") == "lbfgs":
            return dict(self.parameters)
        batch = LARGEST_BATCH
        while batch > SMALLEST_BATCH and n / batch < FEWEST_STEPS_OF_EPOCH:
            batch //= 2
        steps = math.ceil(n / batch)
        epochs = max(self.epochs, math.ceil(self.fewest_steps / steps))
        epochs = min(epochs, max(2, self.most_steps // steps))
        return {**self.parameters, "batch_size": math.ceil(n / steps), "max_iter": epochs}


@dataclass(frozen=True)
class Preset:
    """What an ensemble consists of.

    Attributes
    ----------
    types : tuple of MemberType
        Types to try. One pilot of each is trained; the best ones are used.
    members : int
        Number of members of each type that is used.
    blocks, out : int
        Number of blocks of rows, and how many of them each member leaves out.
    used : int
        Number of types that are used at most.
    """

    types: tuple[MemberType, ...]
    members: int = 5
    blocks: int = 5
    out: int = 2
    used: int = 1


NETWORK: dict[str, Any] = {
    "activation": "gelu",
    "solver": "adam",
    "alpha": 0.0,
    "beta_2": 0.95,
    "learning_rate": "one_cycle",
    "learning_rate_init": 0.08,
    "n_iter_no_change": np.inf,
    "parametrization": "ntk",
    "bias_rate": 0.1,
    "init": "normal",
    "mixup": 0.3,
}
"""The parameters that all networks of the presets share."""

LINEAR = MemberType("linear", {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 1.0, "max_iter": 200})
"""Multinomial logistic regression."""


def _network(name: str, *hidden: int, epochs: int, most_steps: int, **changed: Any) -> MemberType:
    return MemberType(name, NETWORK | {"hidden_layer_sizes": hidden} | changed, epochs, 150, most_steps)


PRESETS: dict[str, Preset] = {
    "fast": Preset((_network("two layers", 256, 256, epochs=12, most_steps=600), LINEAR), members=3, blocks=3, out=1),
    "default": Preset((_network("three layers", 256, 256, 256, epochs=16, most_steps=1200), LINEAR)),
    "best": Preset((_network("three layers", 256, 256, 256, epochs=32, most_steps=2400), LINEAR), members=10),
}
"""The presets by name."""
