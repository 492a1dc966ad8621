"""Sessions: epochs of one network by one rule, between which an engine may keep the weights in its own layout."""

from collections.abc import Sequence
from copy import deepcopy
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from ..functional.arrays import Array
from ..network import Network
from ..optimizers import Rule, State
from .batches import Data, EpochResult, Regularization
from .progress import Progress

__all__ = [
    "CLOSED",
    "LEAST_MEMORY",
    "MEMORY_LIMIT",
    "MOST_KEPT",
    "ReferenceSession",
    "Session",
    "copy_state",
    "one_of_epochs",
]

CLOSED = "The session is closed. Open another one: engine.open(network, rule, state)."
MOST_KEPT = 2**24
"""Maximum number of parameters of a network whose state before an epoch is kept in memory."""
MEMORY_LIMIT, LEAST_MEMORY = 128_000_000, 16_000_000
"""Bytes that a call with very many classes may take beside its arguments and results: the default, and the minimum."""


class Session(Protocol):
    """Epochs of one network by one rule: what ``engine.open(network, rule, state)`` returns, a context manager.

    While a session is open, the engine may keep the weights and the state of the rule in its own layout. After an
    `epoch`, theta and the state may therefore be out of date until `read` is called. The end of the ``with`` block
    calls `close`, which reads too. `ReferenceEngine.open` has an example.
    """

    @property
    def finite(self) -> bool:
        """Whether every parameter was finite at the end of the last epoch."""
        ...

    def epoch(
        self,
        data: Data,
        *,
        order: Array,
        batch_size: int,
        rates: Array,
        regularization: Regularization,
        first_step: int,
        mixup_factors: Array | None = None,
        progress: Progress | None = None,
    ) -> EpochResult:
        """Train on every row of `data` once; the arguments are those of `ReferenceEngine.epoch`.

        The result has the same bits as that of ``engine.epoch``. After Ctrl-C and after an error, theta and the state
        are what they were before the call, if the session keeps a copy of that state (see ``keep`` of ``open``).
        """
        ...

    def epochs(
        self,
        data: Data,
        count: int,
        *,
        draw: np.random.RandomState | None,
        order: Array,
        batch_size: int,
        rates: Array,
        regularization: Regularization,
        first_step: int,
    ) -> list[EpochResult]:
        """Train at least one epoch and at most `count`, one after the other, and return their results.

        `draw` shuffles `order`, a contiguous int64 array that names each row of `data` once, in place before each
        epoch; None leaves it. `rates` holds the learning rates of an epoch, the same for all. The bits are those of as
        many calls of `epoch`. An epoch with a loss or a parameter that is not finite is the last one.
        """
        ...

    def read(self) -> None:
        """Write the weights and the state of the rule to the network and the dict that the session was opened with."""
        ...

    def load(self) -> None:
        """Read weights and state from the network and the dict again, if they have been changed after `read`."""
        ...

    def go_back(self) -> bool:
        """Return to the state before the last epoch whose first loss was finite.

        The result is False if that state can't be restored, because no copy of it is in memory.
        """
        ...

    def close(self) -> None:
        """Call `read`, and free what the session holds; later calls of `close` do nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class ReferenceSession:
    """The session of `ReferenceEngine`: it calls `epoch`, and holds two copies of theta and the state if `keep`."""

    def __init__(
        self, engine: Any, network: Network, rule: Rule, state: State, rate_factors: Sequence[float], keep: bool
    ) -> None:
        self.engine, self.network, self.rule, self.state = engine, network, rule, state
        self.rate_factors, self.closed = rate_factors, False
        keep = keep and network.theta.size <= MOST_KEPT
        self.before = [_Copy(network, state) for _ in range(2)] if keep else []  # of this epoch; of a finite loss
        self.moved = False

    @property
    def finite(self) -> bool:
        """Whether every parameter is finite."""
        return bool(np.isfinite(self.network.theta).all())

    def epoch(self, data: Data, *, progress: Progress | None = None, **options: Any) -> EpochResult:
        """Train on every row of `data` once; after an error, restore theta and the state if there is a copy."""
        self.read()
        if progress is not None:
            options["progress"] = progress
        for copy in self.before[:1]:
            copy.take()
        self.moved = True
        try:
            result: EpochResult = self.engine.epoch(
                self.network, data, self.rule, self.state, rate_factors=self.rate_factors, **options
            )
        except BaseException:
            for copy in self.before[:1]:
                copy.put_back()
            raise
        if result.steps:
            self.before.reverse()
        return result

    def read(self) -> None:
        """Raise an error if the session is closed; otherwise do nothing, because theta and the state are current."""
        if self.closed:
            raise ValueError(CLOSED)

    def epochs(self, data: Data, count: int, **options: Any) -> list[EpochResult]:
        """Train one epoch, so that an error in a later one finds its result recorded; see `Session.epochs`."""
        return one_of_epochs(self, data, **options)

    load = read

    def go_back(self) -> bool:
        """Return to the state before the last epoch whose first loss was finite."""
        self.read()
        for copy in self.before[1:]:
            copy.put_back()
        return bool(self.before) or not self.moved

    def close(self) -> None:
        """Free the copies; later calls do nothing."""
        self.closed, self.before = True, []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def one_of_epochs(
    session: Session, data: Data, *, draw: np.random.RandomState | None, order: Array, **options: Any
) -> list[EpochResult]:
    """Train one epoch by ``session.epoch``, which is one of those that `Session.epochs` may train."""
    if draw is not None:
        draw.shuffle(order)
    return [session.epoch(data, order=order, **options)]


class _Copy:
    """A copy of a network's parameters and a rule's state, in memory that is reused."""

    def __init__(self, network: Network, state: State) -> None:
        self.network, self.state = network, state
        self.theta, self.kept = network.theta.copy(), deepcopy(state)

    def take(self) -> None:
        np.copyto(self.theta, self.network.theta)
        copy_state(self.state, self.kept)

    def put_back(self) -> None:
        np.copyto(self.network.theta, self.theta)
        copy_state(self.kept, self.state)


def copy_state(state: State, to: State) -> None:
    """Copy the state of a rule into another dict with the same keys and shapes."""
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            np.copyto(to[name], value)
        else:
            to[name] = value
