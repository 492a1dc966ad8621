"""The session of the native engine: weights and state in the engine's layout, between epochs too."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from ..errors import OptionError, ShapeError
from ..functional.arrays import Array
from ..functional.heads import LOSSES
from ..functional.targets import check_target
from ..network import Network
from ..optimizers import SGD, Adam, Rule, State
from . import _native
from .batches import Data, EpochResult, Regularization, check_smoothing
from .input_scale import unfold
from .native_arguments import FLOAT64, INT64, numbers_of, readable, rows_of, spec_of, writable
from .progress import Pace, Progress
from .session import CLOSED, one_of_epochs

__all__ = ["NativeSession", "check_order", "numbers_of_rule"]


def check_order(order: Array) -> None:
    """Raise an error if the order doesn't hold whole numbers."""
    if order.dtype.kind not in "iu":
        raise ShapeError(f"The order holds {order.dtype} values, expected row numbers.")


NAMES = {1: ("velocity",), 2: ("m", "v")}
"""The arrays in the state of SGD and of Adam."""


def numbers_of_rule(rule: Rule, state: State, factors: Sequence[float]) -> tuple[list[Array], tuple[Any, ...]]:
    """Return the arrays of the state, and the numbers of the rule in the order that the compiled module expects."""
    if type(rule) is Adam:
        adam = rule.beta_1, rule.beta_2, rule.epsilon, int(state["t"])
        return [writable(state["m"], "m"), writable(state["v"], "v")], (True, False, 0.0, *adam, factors)
    if type(rule) is SGD:
        how = False, rule.nesterov, rule.momentum, 0.0, 0.0, 0.0, 0, factors
        return [writable(state["velocity"], "velocity")], how
    raise OptionError(
        f"The rule is {type(rule).__name__}, and the native engine knows SGD and Adam. "
        "Take glassmax.engine.ReferenceEngine() for a rule of your own.",
        parameter="rule",
    )


class NativeSession:
    """The session of `NativeEngine`: it holds weights and state in the engine's layout, and the memory of an epoch."""

    def __init__(
        self,
        isa: str,
        workers: tuple[int, int],
        network: Network,
        rule: Rule,
        state: State,
        rate_factors: Sequence[float],
        keep: bool,
        live: bool,
    ) -> None:
        self._native: Any = None
        self.finite = True
        self._network, self._state, self._live = network, state, live
        self._pace: Pace | None = None
        self._data: Data | None = None  # the data that the compiled session holds; the arrays that it was given
        self._regularization: Regularization | None = None
        self._order: Array | None = None
        self._rates: Array | None = None
        self._mixup_factors: Array | None = None
        self._batch_size = 0
        theta = writable(network.theta, "theta")
        scaled = ("unscaled",) if "unscaled" in state else ()
        factors = rate_factors if rate_factors or not scaled else (1.0,) * (len(network.parameters) + 1)
        arrays_of_rule, how = numbers_of_rule(rule, state, factors)
        names = NAMES[len(arrays_of_rule)]
        if scaled:
            unfold(network, state["unscaled"])
        self._moved = {name: readable(writable(state[name], name), theta.dtype) for name in names + scaled}
        arrays = *(self._moved[name] for name in names), *((None,) * (2 - len(names))), self._moved.get("unscaled")
        self._alike = not scaled and all(array is state[name] for name, array in self._moved.items())
        kind = _native.Session64 if theta.dtype == FLOAT64 else _native.Session32
        self._native = kind(isa, workers, spec_of(network), how, theta, *arrays, keep)

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
        """Train on every row of `data` once; see `Session.epoch`."""
        native, state = self._open(), self._state
        try:
            self._prepare(data, order, batch_size, rates, regularization, mixup_factors)
            if progress is None and (self._alike or not self._live):
                told = native.epoch(first_step, len(order), self._live, state.get("t", 0))
                if self._live and "t" in state:
                    state["t"] = told[4]
            else:
                told = self._in_parts(progress, first_step, len(order), batch_size)
        except ValueError:
            self._name_label(data)
            raise
        except BaseException:
            if self._live:
                self.read()
            raise
        self.finite = told[3]
        return EpochResult(told[0], told[1], told[2])

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
        """Train up to `count` epochs; see `Session.epochs`. Ctrl-C is noticed after the last one."""
        try:
            self._prepare(data, order, batch_size, rates, regularization, None)
            bits = getattr(draw, "_bit_generator", None)
            plain = draw is None or (bits is not None and type(draw) is np.random.RandomState)
            if self._live or not plain or order is not self._order or not order.flags.writeable:
                how = {"batch_size": batch_size, "rates": rates, "regularization": regularization}
                return one_of_epochs(self, data, draw=draw, order=order, first_step=first_step, **how)
            if bits is None:
                losses, told = self._native.epochs(first_step, count, order, None)
            else:
                with bits.lock:
                    losses, told = self._native.epochs(first_step, count, order, bits.capsule)
        except ValueError:
            self._name_label(data)
            raise
        self.finite = told[3]
        steps = -(-len(order) // batch_size)
        results = [EpochResult(loss, steps, True) for loss in losses[:-1]]
        return [*results, EpochResult(told[0], told[1], told[2])]

    def read(self) -> None:
        """Write the weights to the network, and the state to the dict."""
        self._told(self._open().read())

    def load(self) -> None:
        """Read the weights from the network, and the state from the dict, at the next epoch."""
        native, state = self._open(), self._state
        if "unscaled" in state:
            unfold(self._network, state["unscaled"])
        for name, array in self._moved.items():
            if array is not state[name]:
                array[...] = state[name]
        native.load(int(state.get("t", 0)))

    def go_back(self) -> bool:
        """Return to the state before the last epoch whose first loss was finite; see `Session.go_back`."""
        t, back = self._open().go_back()
        self._told(t)
        return bool(back)

    def close(self) -> None:
        """Call `read`, and free the memory; later calls of `close` do nothing."""
        native = self._native
        if native is not None:
            t = native.close()  # an error while another thread trains: the session stays open
            self._native = None
            self._told(t)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _open(self) -> Any:
        if self._native is None:
            raise ValueError(CLOSED)
        return self._native

    def _prepare(
        self,
        data: Data,
        order: Array,
        batch_size: int,
        rates: Array,
        regularization: Regularization,
        mixup_factors: Array | None,
    ) -> None:
        """Give the compiled session what it has not been given yet."""
        self._open()
        if regularization is not self._regularization:
            self._set_regularization(regularization)
        if (
            order is not self._order
            or rates is not self._rates
            or mixup_factors is not self._mixup_factors
            or batch_size != self._batch_size
        ):
            self._set_steps(order, batch_size, rates, mixup_factors)
        if data is not self._data:
            self._set_rows(data)

    def _set_rows(self, data: Data) -> None:
        self._data = None
        rows = rows_of(self._network, data)[1:]
        self._native.rows(*rows)
        given = (data.X, data.y, data.weight)
        if all(array is None or any(array is row for row in rows) for array in given):  # copies are made anew
            self._data = data

    def _set_regularization(self, regularization: Regularization) -> None:
        check_smoothing(self._network, regularization)
        self._regularization = None
        self._native.regularization(numbers_of(regularization))
        self._regularization = regularization

    def _set_steps(self, order: Array, batch_size: int, rates: Array, mixup_factors: Array | None) -> None:
        self._order = None
        check_order(order)
        factors = None if mixup_factors is None else readable(mixup_factors, FLOAT64)
        plain = readable(order, INT64), int(batch_size), readable(rates, FLOAT64), factors
        self._native.steps_of(*plain)
        if plain[0] is order and plain[2] is rates and factors is mixup_factors:
            self._order, self._batch_size, self._rates, self._mixup_factors = order, batch_size, rates, mixup_factors

    def _in_parts(
        self, progress: Progress | None, first_step: int, n: int, batch_size: int
    ) -> tuple[float, int, bool, bool, int]:
        if self._live:
            self.load()
        if progress is not None and (self._pace is None or self._pace.progress != progress):
            self._pace = Pace(progress)
        pace, native = self._pace if progress is not None else None, self._native
        if pace is not None:
            pace.begin()
        told = native.epoch(first_step, n if pace is None else pace.steps, False, 0)
        try:
            while pace is not None and told[2] and told[1] * batch_size < n:
                pace.look(told[1] * batch_size, n, told[0])
                told = native.more(pace.steps)
        except BaseException:
            native.go_back()
            raise
        if self._live:
            self.read()
        result: tuple[float, int, bool, bool, int] = told
        return result

    def _name_label(self, data: Data) -> None:
        """Raise an error that names the invalid label if the compiled call has found one."""
        head, k = self._network.head, self._network.layer_sizes[-1]
        check_target(data.y, (data.n_rows, k), LOSSES[head.loss].meaning)

    def _told(self, t: int) -> None:
        """Update the entries of the state that are not arrays, after the compiled session has written the arrays."""
        state, theta = self._state, self._network.theta
        for name, array in self._moved.items():
            if array is not state[name]:
                state[name][...] = array
        if "unscaled" in state:  # the other layers
            start = self._network.parameters.W[1].size
            state["unscaled"][start : theta.size] = theta[start:]
        if "t" in state:
            state["t"] = t
