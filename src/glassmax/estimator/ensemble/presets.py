"""Presets: which types of members an ensemble tries, and how long they are trained.

A type is a set of parameters of `SoftmaxClassifier`. Batch size and number of epochs follow from the number of rows:
batches of 256 rows, halved down to 32 while an epoch has fewer than 16 steps; the epochs of the type, raised or lowered
until the number of steps lies within its bounds.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from ...embedding import Periodic, PiecewiseLinear

__all__ = ["PRESETS", "MemberType", "Numbers", "Preset"]

FEWEST_BINS_OF_COLUMN, MOST_BINS_OF_COLUMN = 4, 16
LARGEST_BATCH, SMALLEST_BATCH, FEWEST_STEPS_OF_EPOCH = 256, 32, 16


class Numbers(NamedTuple):
    """The columns of X that hold numbers.

    Attributes
    ----------
    columns : tuple of int
        Those to be embedded.
    total : int
        Number of columns of numbers of the table; some may not be embedded, because they have bins already.
    """

    columns: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class MemberType:
    """A type of member.

    Attributes
    ----------
    name : str
        The user's word for it.
    parameters : mapping
        Parameters of `SoftmaxClassifier`, except those that follow from the number of rows. The recipe of an embedding
        gets the columns of numbers.
    without_numbers : mapping
        Parameters that take precedence for a table without columns of numbers, or with very many.
    epochs : int
        Number of epochs, within the bounds.
    fewest_steps, most_steps : int
        Bounds of the number of steps, the lower one first; there are always at least two epochs.
    fewest_rows, most_rows : int
        Bounds of the number of rows of the table for which the type is tried.
    most_bins : int
        Maximum number of bins of all numbers together.
    bins : int or None
        Number of bins of each number, if the embedding has bins; None if it follows from the number of columns.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    without_numbers: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    epochs: int = 16
    fewest_steps: int = 0
    most_steps: int = 2**62
    fewest_rows: int = 0
    most_rows: int = 2**62
    most_bins: int = 256
    bins: int | None = None

    @property
    def is_linear(self) -> bool:
        """Whether members of this type have no hidden layer."""
        return not np.size(self.parameters["hidden_layer_sizes"])

    def suits(self, n: int) -> bool:
        """Return whether the type is tried for a table of n rows."""
        return self.fewest_rows <= n <= self.most_rows

    def for_rows(self, n: int, numbers: Numbers | None = None) -> dict[str, Any]:
        """Return the parameters of `SoftmaxClassifier` for a member that trains on n rows.

        `numbers` are the columns to be embedded; None if they are not known.
        """
        parameters = dict(self.parameters)
        if numbers is not None and not 0 < len(numbers.columns) <= MOST_NUMBERS_TO_EMBED:
            parameters |= self.without_numbers
        elif numbers is not None and parameters.get("embedding") is not None:
            parameters["embedding"] = _of_columns(parameters["embedding"], numbers, self.most_bins, self.bins)
        if parameters.get("solver") == "lbfgs":
            return parameters
        batch = LARGEST_BATCH
        while batch > SMALLEST_BATCH and n / batch < FEWEST_STEPS_OF_EPOCH:
            batch //= 2
        steps = math.ceil(n / batch)
        epochs = max(self.epochs, math.ceil(self.fewest_steps / steps))
        epochs = min(epochs, max(2, self.most_steps // steps))
        return {**parameters, "batch_size": math.ceil(n / steps), "max_iter": epochs}


@dataclass(frozen=True)
class Preset:
    """What an ensemble consists of.

    Attributes
    ----------
    types : tuple of MemberType
        Types to try.
    members : int
        Number of members of each type.
    blocks, out : int
        Number of blocks of rows, and how many of them each member leaves out.
    pilots : bool
        Whether types are given up whose first member, the pilot, predicts clearly worse than the smallest network.
    biases : bool
        Whether the calibration may have a bias for each class beside the temperature.
    """

    types: tuple[MemberType, ...]
    members: int = 5
    blocks: int = 5
    out: int = 1
    pilots: bool = True
    biases: bool = True


def _of_columns(
    recipe: Periodic | PiecewiseLinear, numbers: Numbers, most_bins: int, bins: int | None
) -> Periodic | PiecewiseLinear:
    """Return a recipe for these columns; unless `bins` says how many, bins get fewer, the more columns there are."""
    if isinstance(recipe, PiecewiseLinear):
        follows = min(max(most_bins // numbers.total, FEWEST_BINS_OF_COLUMN), MOST_BINS_OF_COLUMN)
        return PiecewiseLinear(numbers.columns, bins or follows)
    return replace(recipe, columns=numbers.columns)


NETWORK: dict[str, Any] = {
    "activation": "silu",
    "solver": "adam",
    "alpha": 0.0,
    "beta_2": 0.95,
    "learning_rate": "one_cycle",
    "learning_rate_init": 0.08,
    "tol": 0.0,
    "n_iter_no_change": np.inf,
    "parametrization": "ntk",
    "bias_rate": 0.1,
    "input_scale_rate": 6.0,
    "init": "normal",
}
"""The parameters that all networks of the presets share."""

MOST_NUMBERS_TO_EMBED = 256
"""With more columns of numbers, bins would cost more than the rest of the network."""

ROWS_FOR_LARGE_NETWORKS = 1000
"""Tables with fewer rows get smaller networks: they are as good there, and trained in a fraction of the time."""

LINEAR = MemberType(
    "linear", {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 1.0, "max_iter": 200}, most_rows=3125
)
"""Multinomial logistic regression; on more rows it takes long, and has no weight beside networks."""


def _smooth(layers: int = 3, epochs: int = 16, most_steps: int = 800) -> tuple[MemberType, ...]:
    """Return networks with much mixup."""
    parameters = NETWORK | {"mixup": 0.3, "hidden_layer_sizes": (256,) * layers}
    return _of_two_sizes("smooth", parameters, epochs, {"fewest_steps": 150, "most_steps": most_steps})


def _binned(width: int = 256, epochs: int = 16, **bounds: int) -> tuple[MemberType, ...]:
    """Return networks that see each number in bins, too, and more steps.

    A learned scale of the inputs beside bins overfits.
    """
    parameters = NETWORK | {"mixup": 0.15, "embedding": PiecewiseLinear(), "input_scale_rate": None}
    parameters["hidden_layer_sizes"] = (width, width)
    bounds = {"fewest_steps": 600, "most_steps": 800} | bounds
    without = {"embedding": None, "input_scale_rate": 6.0}
    return tuple(replace(t, without_numbers=without) for t in _of_two_sizes("binned", parameters, epochs, bounds))


def _of_two_sizes(name: str, parameters: dict[str, Any], epochs: int, bounds: dict[str, Any]) -> tuple[MemberType, ...]:
    """Return a type for few rows, and one for more."""
    few = bounds | {"fewest_steps": bounds["fewest_steps"] // 2 + 75}
    return (
        MemberType(
            name, parameters | {"hidden_layer_sizes": (128, 128)}, epochs, **few, most_rows=ROWS_FOR_LARGE_NETWORKS - 1
        ),
        MemberType(name, parameters, epochs, **bounds, fewest_rows=ROWS_FOR_LARGE_NETWORKS),
    )


MANY_ROWS = 37_500
"""Tables with more rows need no dropout and no mixup, but many steps."""

SMALL = MemberType(
    "small",
    NETWORK | {"hidden_layer_sizes": (64, 64), "mixup": 0.3, "dropout": 0.2},
    epochs=16,
    fewest_steps=200,
    most_steps=600,
    most_rows=MANY_ROWS,
)
"""A small network with dropout, for small and for noisy tables."""


def _long(most_steps: int = 8000) -> MemberType:
    """Return a small network that is trained for many steps, for large tables."""
    parameters = NETWORK | {"hidden_layer_sizes": (64, 64)}
    return MemberType("long", parameters, 16, most_steps=most_steps, fewest_rows=MANY_ROWS + 1)


PRESETS: dict[str, Preset] = {
    "fast": Preset(
        (
            *_smooth(2, 12, 400),
            *_binned(192, 12, fewest_steps=400, most_steps=400, most_bins=128),
            replace(SMALL, most_rows=ROWS_FOR_LARGE_NETWORKS - 1),
            _long(),
            LINEAR,
        ),
        members=3,
        blocks=3,
        pilots=False,
        biases=False,
    ),
    "default": Preset((*_smooth(), *_binned(), SMALL, _long(), LINEAR)),
    "best": Preset((*_smooth(), *_binned(), SMALL, _long(16_000), LINEAR), members=16, blocks=8),
}
"""The presets by name."""
