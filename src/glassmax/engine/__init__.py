"""The engine: what runs a batch or a whole epoch, behind one interface.

`ReferenceEngine` is NumPy through `glassmax.network`, the formulas as they stand in the books. `NativeEngine`, in
`glassmax.engine.native`, is C++ and held against it; it is there where a compiler was when glassmax was installed.
`best_engine` says which one runs, `build_facts` why.
"""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..errors import OptionError
from ..functional.arrays import Array
from ..network import Network
from ..optimizers import Rule, State
from .batches import Data, EpochResult, Regularization, blocks
from .reference import ReferenceEngine, dropout_masks

__all__ = [
    "Data",
    "Engine",
    "EpochResult",
    "ReferenceEngine",
    "Regularization",
    "all_finite",
    "best_engine",
    "blocks",
    "build_facts",
    "dropout_masks",
    "logits",
]


class Engine(Protocol):
    """What training and prediction ask of an engine."""

    name: str

    @property
    def arithmetic(self) -> str:
        """What the bits of a result depend on, besides the numbers given."""
        ...

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
        regularization: Regularization,
        first_step: int,
    ) -> EpochResult:
        """Run once through the rows, a step for each batch."""
        ...

    def loss_and_gradient(self, network: Network, data: Data, regularization: Regularization) -> tuple[float, Array]:
        """Return the loss of all rows and its derivative by theta."""
        ...

    def logits(self, network: Network, X: Array) -> Array:
        """Return the logits of the rows of X."""
        ...

    def probabilities(self, network: Network, X: Array) -> Array:
        """Return the output for each row of X."""
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
    """Return the engine that this installation runs on, on at most `n_threads` threads.

    Parameters
    ----------
    n_threads : int, optional
        >= 1; as many as there are processors by default.

    Returns
    -------
    Engine
        The native one where it was built, otherwise the reference. ``GLASSMAX_ENGINE`` in the environment, "native" or
        "reference", demands one of the two.

    Raises
    ------
    OptionError
        If ``GLASSMAX_ENGINE`` demands what there is not.
    """
    wanted = _wanted()
    if wanted not in ("", "native", "reference"):
        raise OptionError(f"GLASSMAX_ENGINE is {wanted!r}, expected 'native' or 'reference'.")
    engine, reason = _native_engine()
    if wanted == "reference" or engine is None:
        if wanted == "native":
            raise OptionError(f"GLASSMAX_ENGINE is 'native', and there is no native engine here: {reason}.")
        return ReferenceEngine(n_threads)
    return _of_threads(engine, n_threads)


def all_finite(X: Array) -> bool:
    """Return whether an (n, d) array holds no NaN and no inf; a row of them takes less than a microsecond."""
    engine, _ = _native_engine()
    return bool(np.isfinite(X).all()) if engine is None else engine.all_finite(X)


def build_facts() -> dict[str, Any]:
    """Return what was built when glassmax was installed, and what of it runs.

    Returns
    -------
    dict
        ``native``: whether there is a native engine. ``reason``: why not. Where there is one, ``compiler``,
        ``instruction_sets`` of the build, ``available`` on this machine and ``isa``, the one in use.
    """
    path = Path(__file__).with_name("_build.json")
    facts: dict[str, Any] = {"native": False, "reason": "it was not installed by its own build"}
    if path.exists():
        facts = json.loads(path.read_text(encoding="utf-8"))
    engine, reason = _native_engine()
    if engine is None:
        return facts | {"native": False, "reason": reason}
    from .native import INSTRUCTION_SETS

    return facts | {"native": True, "available": list(INSTRUCTION_SETS), "isa": engine().isa}


@cache
def _wanted() -> str:
    """What the environment demands; read once, because predicting a row takes no longer than reading it."""
    return os.environ.get("GLASSMAX_ENGINE", "")


@cache
def _of_threads(engine: Any, n_threads: int | None) -> Engine:
    """A native engine holds nothing of the calls it has had, so one will do."""
    of_threads: Engine = engine(n_threads)
    return of_threads


@cache
def _native_engine() -> tuple[Any, str]:
    """The class of the native engine, or None and why there is none."""
    path = Path(__file__).with_name("_build.json")
    facts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    try:
        from .native import NativeEngine
    except ImportError as error:
        return None, facts.get("reason") or f"it can't be loaded ({error})"
    return NativeEngine, ""
