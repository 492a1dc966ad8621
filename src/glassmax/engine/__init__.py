"""The engine: what runs a batch or a whole epoch, behind one interface.

`ReferenceEngine` is NumPy through `glassmax.network`, the formulas as they stand in the books; every other
implementation is held against it. `best_engine` says which one runs.
"""

from collections.abc import Iterator
from typing import Protocol

from ..functional.arrays import Array
from ..network import Network
from ..optimizers import Rule, State
from .batches import Data, EpochResult, Recipe, blocks
from .reference import ReferenceEngine, dropout_masks

__all__ = [
    "Data",
    "Engine",
    "EpochResult",
    "Recipe",
    "ReferenceEngine",
    "best_engine",
    "blocks",
    "dropout_masks",
    "logits",
]


class Engine(Protocol):
    """What training and prediction ask of an engine."""

    name: str

    def epoch(
        self,
        network: Network,
        data: Data,
        rule: Rule,
        state: State,
        *,
        order: Array,
        batch_size: int,
        rates: Array,
        recipe: Recipe,
        first_step: int,
    ) -> EpochResult:
        """Run once through the rows, a step for each batch."""
        ...

    def loss_and_gradient(self, network: Network, data: Data, recipe: Recipe) -> tuple[float, Array]:
        """Return the loss of all rows and its derivative by theta."""
        ...

    def logits(self, network: Network, X: Array) -> Array:
        """Return the logits of the rows of X."""
        ...


def logits(engine: Engine, network: Network, X: Array) -> Iterator[Array]:
    """Return the logits of the rows of X block by block: no (n, k) array need be held.

    Parameters
    ----------
    engine : Engine
    network : Network
    X : (n, d) array or CSR matrix

    Yields
    ------
    (m, k) array
    """
    for block in blocks(network, X.shape[0]):
        yield engine.logits(network, X[block])


def best_engine(n_threads: int | None = None) -> Engine:
    """Return the engine that this installation runs on, on at most `n_threads` threads."""
    return ReferenceEngine(n_threads)
