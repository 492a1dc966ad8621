"""Training: a stream of epochs, and what reads it.

``for epoch in fit(...)`` trains one epoch at a time and says what happened. Progress bars, early stopping and
records are readers of that stream; none of them is known here, save `Patience`, which most need. This module
refuses to know labels, tables and estimators: it sees class indices and arrays.
"""

import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from .engine import Data, Engine, blocks
from .errors import DivergenceError, OptionError
from .functional.arrays import Array, pick
from .functional.softmax import log_softmax
from .functional.targets import reduce_rows
from .network import Network
from .optimizers import Rule, State

__all__ = ["Epoch", "Patience", "Score", "fit", "holdout", "score"]


@dataclass(frozen=True)
class Score:
    """How a network does on rows it may not have seen.

    Attributes
    ----------
    log_loss : float
        Weighted mean of -log p of the true class; >= 0, chance is log k.
    accuracy : float
        Weighted share of rows whose most probable class is the true one, in [0, 1].
    confusion : (k, k) array
        Entry [i, j]: how many rows of class i were taken for class j, unweighted. (0, 0) where it was not asked for.
    """

    log_loss: float
    accuracy: float
    confusion: Array


@dataclass(frozen=True)
class Epoch:
    """What one epoch of training says.

    Attributes
    ----------
    number : int
        From 1, counted in this run.
    loss : float
        Training loss as it fell during the epoch, penalty included.
    validation : Score or None
        On the validation rows, after the epoch.
    steps : int
        Steps taken in this epoch.
    rows : int
        Rows seen in this epoch.
    seconds : float
        Wall clock, validation included.
    """

    number: int
    loss: float
    validation: Score | None
    steps: int
    rows: int
    seconds: float


def fit(
    network: Network,
    engine: Engine,
    data: Data,
    rule: Rule,
    state: State,
    draw: np.random.RandomState,
    *,
    batch_size: int,
    max_epochs: int,
    alpha: float = 0.0,
    shuffle: bool = True,
    validation: Data | None = None,
) -> Iterator[Epoch]:
    """Train, one epoch for each item taken from the iterator.

    Parameters
    ----------
    network : Network
        Its theta is moved in place.
    engine : Engine
    data : Data
        n >= 1 rows.
    rule, state : Rule, State
        From ``rule.init(network.theta)``, or from an earlier run to go on with.
    draw : numpy.random.RandomState
        Shuffles the rows of each epoch.
    batch_size : int
        >= 1; more than n counts as n.
    max_epochs : int
        >= 0.
    alpha : float, default=0.0
        Penalty, see `Engine.epoch`.
    shuffle : bool, default=True
        Whether each epoch has an order of its own.
    validation : Data, optional
        Rows to score after each epoch.

    Yields
    ------
    Epoch

    Raises
    ------
    DivergenceError
        If a loss or a parameter is not finite. Network and state are then what they were when last known to be good.

    Examples
    --------
    >>> from glassmax import Network
    >>> from glassmax.engine import best_engine
    >>> from glassmax.optimizers import SGD
    >>> net, rule = Network([2, 2]), SGD(learning_rate=0.5)
    >>> data = Data(np.eye(2), np.array([0, 1]))
    >>> run = fit(net, best_engine(), data, rule, rule.init(net.theta), np.random.RandomState(0),
    ...           batch_size=2, max_epochs=3)
    >>> losses = [epoch.loss for epoch in run]
    >>> losses[0] > losses[1] > losses[2]
    True
    """
    n = len(data.y)
    order = np.arange(n)
    good = deepcopy((network.theta, state))  # a loss was finite at these weights
    for number in range(1, max_epochs + 1):
        started = time.perf_counter()
        if shuffle:
            order = order[draw.permutation(n)]
        start = deepcopy((network.theta, state))
        result = engine.epoch(network, data, rule, state, order=order, batch_size=min(batch_size, n), alpha=alpha)
        if result.steps:
            good = start
        if not (result.finite and np.isfinite(network.theta).all()):
            network.theta[...] = good[0]
            state.update(good[1])
            raise DivergenceError(_advice(number, result.steps + (not result.finite), rule.learning_rate))
        validated = None if validation is None else score(network, engine, validation, confusion=False)
        yield Epoch(number, result.loss, validated, result.steps, n, time.perf_counter() - started)


def _advice(epoch: int, step: int, learning_rate: float) -> str:
    return (
        f"The loss is no longer finite in epoch {epoch}, step {step}, at learning rate {learning_rate:g}. "
        f"The last good weights are kept. Try a learning rate of {smaller(learning_rate):g}, "
        "and inputs scaled to about 1."
    )


def smaller(learning_rate: float) -> float:
    """Return a learning rate to try where this one is too large: a tenth, or 0.001 for one out of all reason."""
    return learning_rate / 10 if learning_rate <= 1 else 0.001


class Patience:
    """Watch a stream of epochs and say when it has stopped improving; keep the best weights.

    The loss watched is the validation loss where there is one, the training loss otherwise. An epoch improves if it
    falls below the best loss so far by more than `tol`; after more than `patience` epochs in a row that don't, enough
    is enough. (The rule of scikit-learn's MLPClassifier.)

    Parameters
    ----------
    network : Network
        Whose weights to keep.
    tol : float
        >= 0, in units of the loss.
    patience : int
        >= 1 epochs.

    Attributes
    ----------
    best_loss : float
        inf before the first epoch.
    best_theta : (p,) array
        The weights after the best epoch.
    """

    def __init__(self, network: Network, tol: float, patience: int) -> None:
        self.network, self.tol, self.patience = network, tol, patience
        self.best_loss = np.inf
        self.best_theta = network.theta.copy()
        self._idle = 0

    def exhausted(self, epoch: Epoch) -> bool:
        """Take note of one epoch, and say whether to stop."""
        loss = epoch.loss if epoch.validation is None else epoch.validation.log_loss
        self._idle = 0 if loss <= self.best_loss - self.tol else self._idle + 1  # NaN is no improvement
        if loss < self.best_loss:
            self.best_loss = loss
            self.best_theta[...] = self.network.theta
        return self._idle > self.patience


def score(network: Network, engine: Engine, data: Data, *, confusion: bool = True) -> Score:
    """Return log-loss, accuracy and confusion on the rows of `data`, block by block: no (n, k) array is held.

    Parameters
    ----------
    network : Network
        With softmax output.
    engine : Engine
    data : Data
    confusion : bool, default=True
        Whether to count confusions: k x k numbers. Without them the matrix is (0, 0).

    Returns
    -------
    Score
    """
    k = network.layer_sizes[-1] if confusion else 0
    counts = np.zeros((k, k), np.int64)
    log_loss = hits = total = 0.0
    for block in blocks(network, len(data.y)):
        X, y, w = data.rows(block)
        w = np.ones(len(y)) if w is None else w
        Z = engine.logits(network, X)
        log_P = pick(log_softmax(Z.astype(np.float64)), y)
        taken_for = Z.argmax(axis=1)
        if confusion:
            np.add.at(counts, (y, taken_for), 1)
        log_loss -= float(reduce_rows(log_P, w, "sum"))
        hits += float(w[taken_for == y].sum())
        total += float(w.sum())
    if total == 0:
        return Score(float("nan"), float("nan"), counts)
    return Score(log_loss / total, hits / total, counts)


def holdout(y: Array, share: float, draw: np.random.RandomState) -> tuple[Array, Array]:
    """Split rows in two, every class in proportion, however many classes there are.

    Parameters
    ----------
    y : (n,) array of int
        Class indices.
    share : float
        In (0, 1): how much to hold out; n * share is rounded up, as scikit-learn does.
    draw : numpy.random.RandomState
        Draws the rows.

    Returns
    -------
    kept, held_out : arrays of intp
        Row numbers in ascending order. A class keeps at least one row: one of a single row is never held out.

    Raises
    ------
    OptionError
        If `share` is not between 0 and 1.

    Examples
    --------
    >>> kept, held_out = holdout(np.array([0] * 8 + [1] * 4 + [2]), 0.25, np.random.RandomState(0))
    >>> np.array([0] * 8 + [1] * 4 + [2])[held_out]
    array([0, 0, 0, 1])
    """
    if not 0 < share < 1:
        raise OptionError(f"The share to hold out is {share!r}, expected a number between 0 and 1.")
    counts = np.bincount(y)
    quota = share * counts
    take = np.minimum(np.floor(quota).astype(int), np.maximum(counts - 1, 0))
    missing = int(np.ceil(share * len(y))) - int(take.sum())
    for c in np.argsort(np.floor(quota) - quota, kind="stable"):  # largest remainder first
        if missing > 0 and take[c] < counts[c] - 1:
            take[c] += 1
            missing -= 1
    rows = np.split(np.argsort(y, kind="stable"), np.cumsum(counts)[:-1])
    held = [draw.permutation(rows_of_class)[:some] for rows_of_class, some in zip(rows, take, strict=True)]
    held_out = np.sort(np.concatenate(held)).astype(np.intp)
    kept = np.setdiff1d(np.arange(len(y)), held_out, assume_unique=True)
    return kept, held_out
