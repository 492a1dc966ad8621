"""The engine: what runs a batch or a whole epoch, behind one interface.

`ReferenceEngine` is NumPy through `glassmax.network`, the formulas as they stand in the books; every other
implementation is held against it. `best_engine` says which one runs.
"""

from typing import Protocol

from ..functional.arrays import Array
from ..network import Network
from ..optimizers import Rule, State
from .reference import Data, EpochResult, ReferenceEngine, blocks

__all__ = ["Data", "Engine", "EpochResult", "ReferenceEngine", "best_engine", "blocks"]


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
        alpha: float,
    ) -> EpochResult:
        """Run once through the rows, a step for each batch."""
        ...

    def logits(self, network: Network, X: Array) -> Array:
        """Return the logits of the rows of X."""
        ...


def best_engine() -> Engine:
    """Return the engine that this installation runs on."""
    return ReferenceEngine()
