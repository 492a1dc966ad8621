"""The reference engine: batches and epochs in NumPy, one formula at a time.

Each step gathers a batch, computes loss and gradients with `Network`, and updates theta by the rule. Nothing is fused
or threaded beyond what NumPy's BLAS does: the code is there to be read.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from ..functional.arrays import Array
from ..functional.heads import LOSSES
from ..functional.losses import linear_softmax_cross_entropy, linear_softmax_cross_entropy_vjp
from ..functional.losses.layer_arguments import check_layer_options
from ..functional.masks import dropout_mask
from ..functional.mixup import mixed_with_previous, mixup_shares
from ..functional.targets import Reduction, as_rows, check_target
from ..network import Network
from ..optimizers import Rule, State
from .batches import Data, EpochResult, Regularization, blocks, check_smoothing
from .input_scale import unfold
from .progress import Pace, Progress
from .session import ReferenceSession
from .softmax_layer import Gradients, LayerResult, gradient_arrays, read_layer
from .steps import spread, take_step
from .top import TopClasses, check_top, top_of_blocks

__all__ = ["ReferenceEngine"]


class ReferenceEngine:
    """Loss and gradients, one epoch, logits and probabilities: in NumPy.

    Parameters
    ----------
    n_threads : int, optional
        Maximum number of threads of NumPy's BLAS, >= 1; by default, the BLAS decides.
    """

    name = "reference"

    def __init__(self, n_threads: int | None = None) -> None:
        self.n_threads = n_threads
        self._pools: Any = None

    def __repr__(self) -> str:
        return f"ReferenceEngine(n_threads={self.n_threads})"

    @property
    def arithmetic(self) -> str:
        """The name of the engine; it doesn't tell which BLAS NumPy uses, though the bits depend on it."""
        return self.name

    def open(
        self,
        network: Network,
        rule: Rule,
        state: State,
        *,
        rate_factors: Sequence[float] = (),
        keep: bool = False,
        live: bool = False,
    ) -> ReferenceSession:
        """Return a session: epochs of one network by one rule, see `glassmax.engine.Session`.

        Parameters
        ----------
        network, rule, state, rate_factors
            As for `epoch`.
        keep : bool, default=False
            Whether to keep a copy of theta and the state from before each epoch in memory, for `Session.go_back`. No
            copy is kept if the network has more than 2^24 parameters.
        live : bool, default=False
            Whether each epoch reads theta and the state at its beginning, and writes both at its end. With this engine,
            every epoch does.

        Returns
        -------
        Session

        Examples
        --------
        >>> from glassmax.optimizers import SGD
        >>> network, rule, data = Network([2, 2]), SGD(0.5), Data(np.eye(2), np.array([0, 1]))
        >>> how = {"order": np.arange(2), "batch_size": 2, "rates": np.full(1, 0.5), "regularization": Regularization()}
        >>> with ReferenceEngine().open(network, rule, rule.init(network.theta)) as session:
        ...     losses = [session.epoch(data, first_step=step, **how).loss for step in range(3)]
        >>> losses[0] > losses[1] > losses[2]
        True
        """
        return ReferenceSession(self, network, rule, state, rate_factors, keep)

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
        """Train on every row of `data` once, in `order`, one step for each batch.

        Parameters
        ----------
        network : Network
            Network to train; its theta is updated in place.
        data : Data
        rule, state : Rule, State
            Update rule and its state; the state is updated in place. If the state holds "unscaled", a scale of the
            inputs is learned too: see `glassmax.engine.input_scale`.
        order : (n,) array of intp
            The rows, each once.
        batch_size : int
            >= 1; the last batch may be smaller.
        rates : (steps,) array
            The learning rate of each step.
        regularization : Regularization
        first_step : int
            Number of steps before this epoch. The dropout masks and mixup depend on this number.
        rate_factors : sequence of float, optional
            Factor of the learning rate for W1, b1, W2, ..., and for a learned scale of the inputs if there is one; 1 by
            default. Weight decay uses the learning rate without this factor. See `glassmax.optimizers.rate_factors`.
        mixup_factors : (steps,) array, optional
            Factor of `mixup` at each step; 1 by default.
        progress : callable, optional
            Called as ``progress(rows_done, rows, loss_so_far)``, four times a second, within an epoch that takes longer
            than a second. No bit of a result depends on it.

        Returns
        -------
        EpochResult
        """
        check_smoothing(network, regularization)
        total, mean_weight, n = 0.0, data.mean_weight, len(order)
        factors, pace = spread(rate_factors, network), None if progress is None else Pace(progress)
        if "unscaled" in state:
            unfold(network, state["unscaled"])
        with self._threads():
            for step, start in enumerate(range(0, n, batch_size)):
                index = order[start : start + batch_size]
                m, factor = len(index), 1.0 if mixup_factors is None else float(mixup_factors[step])
                batch = data.rows(index)
                batch, rows = mixed_rows(network, batch, regularization, first_step + step, index, factor)
                masks = dropout_masks(network, regularization, first_step + step, rows)
                with np.errstate(over="ignore", invalid="ignore"):  # divergence is reported by the result
                    loss, gradient = self._batch(network, batch, regularization, m * mean_weight, masks)
                    if not np.isfinite(loss):
                        return EpochResult(loss, step, finite=False)
                    take_step(network, gradient, rule, state, regularization, float(rates[step]), factors)
                total += loss * m
                if pace is not None:
                    pace.steps = 1
                    pace.look(start + m, n, total / (start + m))
        return EpochResult(total / n, -(-n // batch_size), finite=True)

    def loss_and_gradient(self, network: Network, data: Data, regularization: Regularization) -> tuple[float, Array]:
        """Return the loss of all rows, penalty included, and its gradient, (p,), in float64.

        Parameters
        ----------
        network : Network
        data : Data
        regularization : Regularization
            Without dropout.

        Returns
        -------
        loss : float
        gradient : (p,) array of float64

        Notes
        -----
        The rows are processed in blocks, without an (n, k) array in memory.
        """
        check_smoothing(network, regularization)
        n, loss, gradient = data.n_rows, 0.0, np.zeros(network.theta.shape)
        divisor = n * data.mean_weight
        with self._threads(), np.errstate(over="ignore", invalid="ignore"):
            for block in blocks(network, n):
                block_loss, block_gradient = self._batch(network, data.rows(block), regularization, divisor, None)
                regularization = regularization._replace(alpha=0.0)  # the penalty counts once
                loss += block_loss
                gradient += block_gradient
        return loss, gradient

    def logits(self, network: Network, X: Array) -> Array:
        """Return the logits of the rows of X, (n, k): Z_last, with the network's temperature and softcap applied."""
        X = np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X  # the same bits for any layout
        with self._threads():
            return network.forward(X).head.U

    def probabilities(self, network: Network, X: Array) -> Array:
        """Return P, the output for each row of X, (n, k), block by block."""
        X = np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X
        none = np.zeros((0, network.layer_sizes[-1]), network.theta.dtype)
        with self._threads():
            return np.concatenate([none, *(network.forward(X[block]).P for block in blocks(network, X.shape[0]))])

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
        """Return the loss of a softmax layer Z = A W + b and its gradients, without an (n, k) array in memory.

        The call is for a last layer whose network below is computed elsewhere, such as by PyTorch. The equations are
        those of `glassmax.functional.linear_softmax_cross_entropy` and its ``_vjp``.

        Parameters
        ----------
        A : (n, d) array
            The layer's input; rows are samples.
        W : (d, k) array, or (k, d) if `transposed`
            Weights, in the dtype of A.
        b : (k,) array or None
            Biases, in the dtype of A; None for a layer without.
        target : (n,) array of class indices, or (n, k) CSR matrix
            Numbers of a CSR matrix are >= 0; they are soft labels.
        sample_weight : (n,) array, optional
            >= 0; a row of weight 0 is absent.
        label_smoothing, z_loss, softcap, temperature, ignore_index, reduction
            See `glassmax.functional.linear_softmax_cross_entropy`.
        dL : float, or (n,) array for ``reduction="none"``, optional
            Derivative of the final result by this loss, which multiplies the gradients; 1 by default.
        transposed : bool, default=False
            Whether W is (k, d), as in PyTorch; dW is then (k, d) too.
        gradients : bool, collection of {"dA", "dW", "db"}, or mapping, default=True
            The gradients to compute: all, none, or those named. A mapping names the array that each is written into.

        Returns
        -------
        LayerResult

        Raises
        ------
        ShapeError, LabelError, OptionError
            If the shapes don't fit, a label or a weight is out of range, an option is out of range, or the dtypes of A,
            W and b differ.

        Notes
        -----
        Cost: 2 n d k flops for the loss alone, 8 n d k for loss and gradients; the native engine needs about 6 n d k
        if its memory limit allows.
        Source: that of `glassmax.functional.linear_softmax_cross_entropy`.

        Examples
        --------
        >>> A, W = np.ones((4, 2)), np.zeros((2, 1000))
        >>> result = ReferenceEngine().linear_softmax_cross_entropy(A, W, None, np.array([3, 1, 4, 1]))
        >>> round(float(result.loss), 4), result.dW.shape
        (6.9078, (2, 1000))
        """
        check_layer_options(label_smoothing, z_loss, softcap, temperature, ignore_index)
        layer = read_layer(A, W, b, target, sample_weight, ignore_index, transposed)
        arrays = gradient_arrays(gradients, layer)
        rows = layer.A, layer.W.T if transposed else layer.W, layer.b, layer.target
        how: dict[str, Any] = {
            "sample_weight": layer.weight, "label_smoothing": label_smoothing, "z_loss": z_loss, "softcap": softcap,
            "temperature": temperature, "reduction": reduction,
        }  # fmt: skip
        with self._threads():
            loss = linear_softmax_cross_entropy(*rows, **how)
            if any(array is not None for array in arrays):
                dL = np.ones(np.shape(loss)) if dL is None else dL
                dA, dW, db = linear_softmax_cross_entropy_vjp(dL, *rows, **how)
                for array, value in zip(arrays, (dA, dW.T if transposed else dW, db), strict=True):
                    if array is not None:
                        array[...] = value
        return LayerResult(loss if reduction == "none" else float(loss), *arrays)

    def top_classes(self, network: Network, X: Array, count: int, y: Array | None = None) -> TopClasses:
        """Return the `count` most probable classes of each row, and the loss of each row if there is y.

        Parameters
        ----------
        network : Network
            With softmax output and k classes.
        X : (n, d) array or CSR matrix
        count : int
            From 0 to k.
        y : (n,) array of class indices, optional
            The true classes, of which the losses are computed.

        Returns
        -------
        TopClasses

        Raises
        ------
        OptionError, ShapeError
            If the output is not softmax, `count` is out of range, or y is not one class index for each row.

        Notes
        -----
        Memory: O(n count), and the logits of one block of rows; there is no (n, k) array.
        """
        check_top(network, count)
        X = np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X
        return top_of_blocks(
            network, (self.logits(network, X[block]) for block in blocks(network, X.shape[0])), count, y
        )

    def _batch(
        self,
        network: Network,
        batch: Data,
        regularization: Regularization,
        divisor: float,
        masks: dict[int, Array] | None,
    ) -> tuple[float, Array]:
        y, k = batch.y, network.layer_sizes[-1]
        if regularization.label_smoothing:
            y = check_target(y, (batch.n_rows, k), LOSSES[network.head.loss].meaning)
            y = network.head.smoothed(y, k, regularization.label_smoothing)
        loss, gradients = network.loss_and_gradients(
            batch.X, y, batch.weight, divisor=divisor, l2=regularization.alpha / divisor, masks=masks
        )
        return loss, gradients.flat

    @contextmanager
    def _threads(self) -> Iterator[None]:
        if self.n_threads is None:
            yield
            return
        if self._pools is None:  # finding them takes longer than a small step
            from threadpoolctl import ThreadpoolController

            self._pools = ThreadpoolController()
        with self._pools.limit(limits=int(self.n_threads), user_api="blas"):
            yield


def mixed_rows(
    network: Network, batch: Data, regularization: Regularization, step: int, rows: Array, factor: float = 1.0
) -> tuple[Data, Array]:
    """Return a batch after mixup, and the row numbers of its rows; the batch itself without mixup.

    Parameters
    ----------
    network : Network
    batch : Data
    regularization : Regularization
    step : int
        Number of steps taken before.
    rows : (m,) array of int
        Row numbers of the batch in the training data.
    factor : float, default=1.0
        In [0, 1]: the factor of `mixup` at this step.

    Returns
    -------
    batch : Data
        Its y are rows.
    rows : array of int
        `rows`. Under `candidate_cross_entropy`, a mixture of two sets is no set: a mixed row stands twice, with its own
        set and with that of the row before it, and its weight is divided between the two.
    """
    maximum = regularization.mixup * factor
    if not maximum:
        return batch, rows
    shares = mixup_shares(regularization.seed, step, rows, maximum, regularization.mixup_share, batch.weight)
    k = network.layer_sizes[-1]
    T = check_target(batch.y, (batch.n_rows, k), LOSSES[network.head.loss].meaning)
    mixed = Data(mixed_with_previous(batch.X, shares), as_rows(T, k), batch.weight)
    if LOSSES[network.head.loss].meaning != "candidates":
        return mixed._replace(y=mixed_with_previous(mixed.y, shares)), rows
    again = np.flatnonzero(shares)
    both = np.concatenate([np.arange(len(rows)), again])
    weight = np.ones(len(rows)) if batch.weight is None else batch.weight
    weight = np.concatenate([(1 - shares) * weight, (shares * weight)[again]])
    return Data(mixed.X[both], np.concatenate([mixed.y, mixed.y[again - 1]]), weight), rows[both]


def dropout_masks(network: Network, regularization: Regularization, step: int, rows: Array) -> dict[int, Array] | None:
    """Return the dropout masks of a batch by layer, (m, h_l) each; None without dropout.

    `step` is the number of steps taken before; `rows`, (m,), are the row numbers of the batch in the training data.
    """
    if not any(regularization.dropout):
        return None
    return {
        layer: dropout_mask(
            regularization.seed, step, layer, rows, network.layer_sizes[layer], rate, network.theta.dtype
        )
        for layer, rate in enumerate(regularization.dropout, start=1)
    }
