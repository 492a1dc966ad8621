"""The engine: computes a batch or a whole epoch, behind one interface with two implementations.

`ReferenceEngine` uses NumPy and `glassmax.network`, with the formulas as textbooks have them. `NativeEngine`, in
`glassmax.engine.native`, is written in C++ and tested against the reference; it exists if there was a compiler when
glassmax was installed. `best_engine` returns the engine that is used, `build_facts` says why.
"""

import json
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import OptionError
from ..functional.arrays import Array
from ..functional.targets import Reduction
from ..network import Network
from ..optimizers import Rule, State
from .batches import Data, EpochResult, Regularization, blocks
from .class_tiles import TopOfSum, rows_of_tiles, top_of_sum
from .input_scale import init_scaled
from .progress import Progress
from .reference import ReferenceEngine, dropout_masks, mixed_rows
from .session import LEAST_MEMORY, MEMORY_LIMIT, MOST_KEPT, Session
from .softmax_layer import Gradients, LayerResult
from .steps import spread, take_step
from .top import MANY_CLASSES, TopClasses, check_top_count

__all__ = [
    "LEAST_MEMORY",
    "MANY_CLASSES",
    "MEMORY_LIMIT",
    "MOST_KEPT",
    "Data",
    "Engine",
    "EpochResult",
    "LayerResult",
    "Progress",
    "ReferenceEngine",
    "Regularization",
    "Session",
    "TopClasses",
    "TopOfSum",
    "all_finite",
    "best_engine",
    "blocks",
    "build_facts",
    "check_top_count",
    "dropout_masks",
    "init_scaled",
    "logits",
    "mixed_rows",
    "most_probable",
    "rows_of_tiles",
    "spread",
    "take_step",
    "top_of_sum",
]


class Engine(Protocol):
    """The interface of an engine: what training and prediction call."""

    name: str

    @property
    def arithmetic(self) -> str:
        """The name of the engine and of what else the bits of its results depend on."""
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
        rate_factors: Sequence[float] = (),
        mixup_factors: Array | None = None,
        progress: Progress | None = None,
    ) -> EpochResult:
        """Train on every row once, one step for each batch."""
        ...

    def open(
        self,
        network: Network,
        rule: Rule,
        state: State,
        *,
        rate_factors: Sequence[float] = (),
        keep: bool = False,
        live: bool = False,
    ) -> Session:
        """Return a session: many epochs of one network, between which the engine may keep weights in its own layout."""
        ...

    def loss_and_gradient(self, network: Network, data: Data, regularization: Regularization) -> tuple[float, Array]:
        """Return the loss of all rows and its derivative with respect to theta."""
        ...

    def logits(self, network: Network, X: Array) -> Array:
        """Return the logits of the rows of X."""
        ...

    def probabilities(self, network: Network, X: Array) -> Array:
        """Return the output for each row of X."""
        ...

    def top_classes(self, network: Network, X: Array, count: int, y: Array | None = None) -> TopClasses:
        """Return the `count` most probable classes of each row, and the loss of each row if there is y."""
        ...

    def linear_softmax_cross_entropy(
        self,
        A: npt.ArrayLike,
        W: npt.ArrayLike,
        b: npt.ArrayLike | None,
        target: Any,
        *,
        sample_weight: npt.ArrayLike | None = None,
        label_smoothing: float = 0.0,
        z_loss: float = 0.0,
        softcap: float | None = None,
        temperature: float = 1.0,
        ignore_index: int | None = None,
        reduction: Reduction = "mean",
        dL: npt.ArrayLike | None = None,
        transposed: bool = False,
        gradients: Gradients = True,
    ) -> LayerResult:
        """Return the loss of a single softmax layer, and its gradients, without an (n, k) array in memory."""
        ...


def logits(engine: Engine, network: Network, X: Array) -> Iterator[Array]:
    """Return the logits of the rows of X, (n, d) or CSR, block by block, without an (n, k) array in memory."""
    for block in blocks(network, X.shape[0]):
        yield engine.logits(network, X[block])


def most_probable(engine: Engine, network: Network, X: Array) -> Array:
    """Return the index of the most probable class of each row, (n,), by a network with softmax output."""
    if network.layer_sizes[-1] >= MANY_CLASSES:
        return engine.top_classes(network, X, 1).labels[:, 0]
    none = np.zeros(0, np.intp)
    return np.concatenate([none, *(Z.argmax(axis=1) for Z in logits(engine, network, X))])


def best_engine(n_threads: int | None = None, memory_limit: int | None = None) -> Engine:
    """Return the fastest engine of this installation, with at most `n_threads` threads.

    Parameters
    ----------
    n_threads : int, optional
        >= 1; the number of processors by default.
    memory_limit : int, optional
        Bytes, >= 16,000,000: the `memory_limit` of `NativeEngine`; 128,000,000 by default.

    Returns
    -------
    Engine
        The native engine if it was built, otherwise the reference engine. The environment variable
        ``GLASSMAX_ENGINE``, "native" or "reference", selects one of the two.

    Raises
    ------
    OptionError
        If ``GLASSMAX_ENGINE`` has another value, or is "native" and there is no native engine.
    """
    wanted = _wanted()
    if wanted not in ("", "native", "reference"):
        raise OptionError(parameter="GLASSMAX_ENGINE", came=repr(wanted), expected="'native' or 'reference'")
    engine, reason = _native_engine()
    if wanted == "reference" or engine is None:
        if wanted == "native":
            message = f"GLASSMAX_ENGINE is 'native', and there is no native engine here: {reason}."
            raise OptionError(message, parameter="GLASSMAX_ENGINE")
        return ReferenceEngine(n_threads)
    return _of(engine, n_threads, memory_limit)


def all_finite(X: Array) -> bool:
    """Return whether an (n, d) array holds no NaN and no inf; a row of them takes less than a microsecond."""
    engine, _ = _native_engine()
    return bool(np.isfinite(X).all()) if engine is None else engine.all_finite(X)


def build_facts() -> dict[str, Any]:
    """Return what was built when glassmax was installed, and which part of it is used.

    Returns
    -------
    dict
        ``native``: whether there is a native engine; if not, ``reason``: why. If there is one: its ``compiler``, the
        ``instruction_sets`` of the build, those ``available`` on this machine, and ``isa``, the one in use.
    """
    facts = _facts() or {"native": False, "reason": "it was not installed by its own build"}
    engine, reason = _native_engine()
    if engine is None:
        return facts | {"native": False, "reason": reason}
    from .native import INSTRUCTION_SETS

    return facts | {"native": True, "available": list(INSTRUCTION_SETS), "isa": engine().isa}


def _facts() -> dict[str, Any]:
    """Return what the build has written down; nothing if glassmax was not installed by its own build."""
    path = Path(__file__).with_name("_build.json")
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return facts


@cache
def _wanted() -> str:
    """Return ``GLASSMAX_ENGINE``; read once, because reading it takes as long as predicting a row."""
    return os.environ.get("GLASSMAX_ENGINE", "")


@cache
def _of(engine: Any, n_threads: int | None, memory_limit: int | None) -> Engine:
    """Return a native engine; it keeps nothing from call to call, so that one is enough."""
    shared: Engine = engine(n_threads) if memory_limit is None else engine(n_threads, memory_limit=memory_limit)
    return shared


@cache
def _native_engine() -> tuple[Any, str]:
    """Return the class of the native engine; or None, and why there is none."""
    try:
        from .native import NativeEngine
    except ImportError as error:
        return None, _facts().get("reason") or f"it can't be loaded ({error})"
    return NativeEngine, ""


def __dir__() -> list[str]:
    return __all__
