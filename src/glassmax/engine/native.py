"""The native engine: whole epochs in C++, fused and threaded, for float32 and float64.

The formulas are those of `ReferenceEngine`, and the tests compare the two engines; the code is in the folder `native`
of the source. The engine uses the best instruction set of the machine (``GLASSMAX_ISA`` selects another), and no bit of
a result depends on the number of threads. Arrays whose dtype and layout the engine reads are passed as they are, others
as copies. What the engine can't compute is an error; no other engine is used instead.
"""

import os
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import OptionError, ShapeError, one_of
from ..functional.arrays import Array
from ..functional.losses.layer_arguments import check_layer_options
from ..functional.targets import Reduction, check_target, reduce_rows
from ..network import Network
from ..optimizers import Rule, State
from . import _native
from .batches import Data, EpochResult, Regularization, blocks, check_smoothing
from .native_arguments import (
    DTYPES,
    FLOAT64,
    INT64,
    inputs_of,
    labels_named,
    numbers_of,
    readable,
    rows_of,
    spec_of,
    targets_of,
    writable,
)
from .native_session import NativeSession, check_order, numbers_of_rule
from .processors import thread_numbers
from .session import LEAST_MEMORY, MEMORY_LIMIT
from .softmax_layer import Gradients, LayerResult, gradient_arrays, read_layer
from .top import TopClasses, check_top, top_of_blocks

__all__ = ["INSTRUCTION_SETS", "NativeEngine"]

INSTRUCTION_SETS: tuple[str, ...] = tuple(_native.instruction_sets())
"""The instruction sets of this build that this machine can run, the best one last."""

SMALL = 2**13  # parameters: a network of very many classes, whose last layer is moved in place, has more
MOST_IN_TILES = 128
"""With more classes a row, sorting all logits of a few rows takes less time than to keep the largest in order."""

_native.note_main_thread(threading.main_thread().ident or 0)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _native.note_main_thread(threading.main_thread().ident or 0))


class NativeEngine:
    """Loss and gradients, one epoch, logits and probabilities: in C++.

    Parameters
    ----------
    n_threads : int, optional
        Maximum number of threads, >= 1; by default all processors that this process may use. ``GLASSMAX_NUM_THREADS``
        limits both, and is read once. A step uses only as many threads as its work is worth. The bits of a result
        don't depend on the number of threads.
    isa : str, optional
        Instruction set, one of `INSTRUCTION_SETS`; ``GLASSMAX_ISA`` by default, and the best one if that is not set.
    memory_limit : int, default=128_000_000
        Bytes, >= 16,000,000: about the maximum that a call with very many classes allocates beyond its arguments and
        results. If the exponentials of a batch need more than this, they are not kept, and the logits are computed a
        second time. The result has the same bits for any limit. See Notes.

    Attributes
    ----------
    n_threads : int
    isa : str
    memory_limit : int

    Raises
    ------
    OptionError
        If `isa`, `memory_limit` or a variable of the environment has no valid value. The methods raise it if a network
        is neither float32 nor float64, or if a rule is neither `SGD` nor `Adam`.

    Notes
    -----
    **Very many classes.** If the network has softmax output, the cross-entropy as its loss and 4096 classes or more,
    then `epoch`, `loss_and_gradient` and `top_classes` compute the last layer by tiles of classes: the logits of some
    rows and 256 classes at a time. The engine then holds neither the gradient of the last layer nor a copy of its
    weights and moments, and no array of rows x classes that is larger than `memory_limit`. The lower layers and the
    activations of a batch come on top of the limit. Softcap, temperature, z-loss, label smoothing, sample weights,
    mixup, and targets that are sparse or dense rows need no more memory. If the last layer is frozen, a step takes a
    third less work.

    With ``clip_norm``, the last layer takes about twice as long, because the norm of the whole gradient is needed
    before the first weight is moved. A batch of more than 4096 rows is computed in blocks of 1024 rows if its
    activations would take more memory than the gradient of the last layer in float64; the engine then holds that
    gradient. A network of one layer reads a sparse X without making it dense.

    Candidate labels, and a learned scale of the inputs in a network of one layer, still need copies of the last layer's
    weights and moments. With any other loss or output, the logits of a whole batch are computed at once.
    """

    name = "native"

    def __init__(self, n_threads: int | None = None, isa: str | None = None, memory_limit: int = MEMORY_LIMIT) -> None:
        default, most = thread_numbers()
        if not (isinstance(memory_limit, int | np.integer) and memory_limit >= LEAST_MEMORY):
            expected = f"a whole number of bytes >= {LEAST_MEMORY} (16 MB)"
            raise OptionError(parameter="memory_limit", came=repr(memory_limit), expected=expected)
        self.memory_limit = int(memory_limit)
        self.n_threads = default if n_threads is None else min(int(n_threads), most)
        self.isa = one_of("isa", isa, INSTRUCTION_SETS) if isa else _best_isa()

    def __repr__(self) -> str:
        return f"NativeEngine(n_threads={self.n_threads}, isa={self.isa!r})"

    @property
    def arithmetic(self) -> str:
        """The name of the engine and the instruction set: another instruction set rounds differently."""
        return f"{self.name} ({self.isa})"

    def open(
        self,
        network: Network,
        rule: Rule,
        state: State,
        *,
        rate_factors: Sequence[float] = (),
        keep: bool = False,
        live: bool = False,
    ) -> "NativeSession":
        """Return a session: epochs of one network, between which the engine keeps weights and state in its own layout.

        Parameters
        ----------
        network, rule, state, rate_factors
            As for `epoch`.
        keep : bool, default=False
            Whether to keep a copy of theta and the state from before each epoch in memory, for `Session.go_back`. No
            copy is kept if the network has more than 2^24 parameters, or if it has very many classes and the copy takes
            more than half of `memory_limit`.
        live : bool, default=False
            Whether each epoch reads theta and the state at its beginning, and writes both at its end. If False, only
            `Session.read` and `Session.load` do so.

        Returns
        -------
        Session
            See `glassmax.engine.Session`, and `ReferenceEngine.open` for an example.

        Notes
        -----
        Theta and the state are current after `read` and after the end of the ``with`` block. With very many classes
        (see the class), the weights of the last layer are always current; those of the other layers are after `read`.
        """
        return NativeSession(self.isa, self._workers, network, rule, state, rate_factors, keep, live)

    def epoch(
        self,
        network: Network,
        data: Data,
        rule: Rule,
        state: State,
        *,
        rate_factors: Sequence[float] = (),
        **options: Any,
    ) -> EpochResult:
        """Train on every row of `data` once, in `order`, one step for each batch; see `ReferenceEngine.epoch`.

        Notes
        -----
        The interpreter lock is released: other threads run, and Ctrl-C is noticed after some 20 ms. After Ctrl-C, as
        after any error, theta and the state are what they were before the call. With very many classes (see the class),
        they are what they were after the last complete step.
        """
        if network.theta.size < SMALL and "unscaled" not in state and options.get("progress") is None:
            dtype = network.theta.dtype
            arrays, numbers = numbers_of_rule(rule, state, rate_factors)
            if readable(arrays[0], dtype) is arrays[0] and readable(arrays[-1], dtype) is arrays[-1]:
                return self._epoch(network, data, state, arrays, numbers, **options)
        with self.open(network, rule, state, rate_factors=rate_factors) as session:
            return session.epoch(data, **options)

    def _epoch(
        self,
        network: Network,
        data: Data,
        state: State,
        arrays: list[Array],
        numbers: tuple[Any, ...],
        *,
        order: Array,
        batch_size: int,
        rates: Array,
        regularization: Regularization,
        first_step: int,
        mixup_factors: Array | None = None,
        progress: None = None,
    ) -> EpochResult:
        """Train by one call, which leaves nothing behind: faster for a small network than a session of one epoch."""
        check_smoothing(network, regularization)
        check_order(order)
        spec, *rows = rows_of(network, data)
        with labels_named(network, data):
            loss, steps, finite, _, t = _native.epoch(
                self.isa,
                self._workers,
                spec,
                numbers,
                writable(network.theta, "theta"),
                *arrays,
                *((None,) * (2 - len(arrays))),
                *rows,
                numbers_of(regularization),
                readable(order, INT64),
                int(batch_size),
                readable(rates, FLOAT64),
                None if mixup_factors is None else readable(mixup_factors, FLOAT64),
                first_step,
            )
        if "t" in state:
            state["t"] = t
        return EpochResult(loss, steps, finite)

    def loss_and_gradient(self, network: Network, data: Data, regularization: Regularization) -> tuple[float, Array]:
        """Return the loss of all rows, penalty included, and its gradient; see `ReferenceEngine`."""
        gradient = np.zeros(network.theta.shape)
        if data.n_rows == 0:
            return 0.0, gradient
        check_smoothing(network, regularization)
        numbers = numbers_of(regularization._replace(dropout=(), mixup=0.0))
        with labels_named(network, data):
            loss = _native.loss_and_gradient(
                self.isa, self._workers, *rows_of(network, data), numbers, network.theta, gradient
            )
        return loss, gradient

    def logits(self, network: Network, X: Array) -> Array:
        """Return the logits Z_last of the rows of X, (n, k)."""
        return self._forward(network, X, probabilities=False)

    def probabilities(self, network: Network, X: Array) -> Array:
        """Return P, the output for each row of X, (n, k)."""
        return self._forward(network, X, probabilities=True)

    def top_classes(self, network: Network, X: Array, count: int, y: Array | None = None) -> TopClasses:
        """Return each row's `count` most probable classes, and its loss if there is y; see `ReferenceEngine`."""
        check_top(network, count)
        n = X.shape[0]
        y = None if y is None else check_target(y, (n, network.layer_sizes[-1]), "classes")
        if y is not None and y.ndim > 1:
            raise ShapeError(f"y is {y.shape}, expected ({n},): the class index of each row.")
        losses = None if y is None else np.empty(n)
        top = TopClasses(np.empty((n, count), np.int64), np.empty((n, count)), losses)
        of_labels = None if y is None else readable(y, INT64)
        inputs = inputs_of(network, X)
        given = (self.isa, self._workers, spec_of(network), *inputs, of_labels, network.theta)
        if count <= MOST_IN_TILES and _native.summary(*given, losses, top.labels, top.probabilities):
            return top
        return top_of_blocks(network, (self.logits(network, X[block]) for block in blocks(network, n)), count, y)

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
        """Return the loss of a softmax layer and its gradients; see `ReferenceEngine`.

        Notes
        -----
        The layer is computed by tiles of classes for any number of classes. C-contiguous arrays are not copied.
        Cost for n rows and a (d, k) layer: 2 n d k flops for the loss alone; for loss and gradients about 6 n d k if
        the exponentials of a few hundred rows fit into `memory_limit`, otherwise up to 8 n d k.
        """
        check_layer_options(label_smoothing, z_loss, softcap, temperature, ignore_index)
        layer = read_layer(A, W, b, target, sample_weight, ignore_index, transposed)
        if layer.A.dtype not in DTYPES:
            raise OptionError(
                f"A is {layer.A.dtype}, and the native engine computes in float32 and float64. "
                "Take glassmax.engine.ReferenceEngine() for another dtype.",
                parameter="A",
            )
        factors, losses, dtype = layer.factors(dL, reduction), np.empty(len(layer.A)), layer.A.dtype
        arrays = [None if array is None else readable(array, dtype) for array in (layer.A, layer.W, layer.b)]
        found = gradient_arrays(gradients, layer)
        options = (label_smoothing, z_loss, softcap or 0.0, temperature)
        if len(losses):
            _native.layer(
                self.isa,
                self._workers,
                *arrays,
                transposed,
                *targets_of(layer.target),
                factors,
                options,
                *found,
                losses,
            )
        loss = reduce_rows(losses, layer.weight, reduction)
        return LayerResult(loss if reduction == "none" else float(loss), *found)

    @property
    def _workers(self) -> tuple[int, int]:
        return self.n_threads, self.memory_limit

    @staticmethod
    def all_finite(X: Array) -> bool:
        """Return whether an (n, d) array holds no NaN and no inf."""
        try:
            return _native.finite(X)
        except TypeError:  # another dtype or layout
            return bool(np.isfinite(X).all())

    def _forward(self, network: Network, X: Array, *, probabilities: bool) -> Array:
        theta = network.theta
        out = np.empty((X.shape[0], network.layer_sizes[-1]), theta.dtype)
        _native.forward(self.isa, self._workers, spec_of(network), *inputs_of(network, X), theta, probabilities, out)
        return out


@cache
def _best_isa() -> str:
    wanted = os.environ.get("GLASSMAX_ISA", "")
    if not wanted:
        return INSTRUCTION_SETS[-1]
    if wanted not in INSTRUCTION_SETS:
        allowed = ", ".join(INSTRUCTION_SETS)
        raise OptionError(
            parameter="GLASSMAX_ISA",
            came=repr(wanted),
            expected=f"one of {allowed}: the instruction sets of this build that this machine can run",
            remedy="Unset GLASSMAX_ISA to let glassmax choose.",
        )
    return wanted
