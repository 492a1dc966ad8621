"""L-BFGS on a spool: each evaluation of the loss reads all rows once, in their order."""

from collections.abc import Callable, Generator

import numpy as np

from ..engine import Engine, Regularization
from ..functional.arrays import Array
from ..network import Network
from ..optimizers import Iterate
from ..training import Epoch, Metrics, TrainingState
from ..training.loop import lbfgs_iterations
from .rows import some_rows, windows_of_rows
from .split import Split
from .spool import Spool

__all__ = ["train_lbfgs_on_spool"]


def train_lbfgs_on_spool(
    network: Network,
    engine: Engine,
    spool: Spool,
    training: TrainingState,
    *,
    split: Split,
    max_iter: int,
    max_fun: int,
    tol: float,
    regularization: Regularization,
    class_weight: Array | None = None,
    mean_weight: float | None = None,
    validate: Callable[[], Metrics | None] | None = None,
) -> Generator[Epoch, None, Iterate]:
    """Train on all rows at once by L-BFGS, one iteration for each item taken from the iterator.

    Parameters
    ----------
    network, engine, spool, training, split, class_weight, mean_weight, validate
        As for `glassmax.streaming.train_on_spool`.
    max_iter, max_fun, tol, regularization
        As for `glassmax.training.train_lbfgs`.

    Yields
    ------
    Epoch
        For each iteration.

    Returns
    -------
    glassmax.optimizers.Iterate

    Raises
    ------
    DivergenceError
        If the loss is not finite at the start or after an iteration.
    """
    mean = spool.mean_weight if mean_weight is None else mean_weight
    n = split.sizes(spool.n_rows)[0]

    def objective(exact: Network) -> tuple[float, Array]:
        loss, gradient, penalty = 0.0, np.zeros(exact.theta.shape), regularization
        for _, data in windows_of_rows(spool, None if split.is_whole else split.training_rows):
            if not data.n_rows:
                continue
            rows, share = some_rows(data, exact.theta.dtype, class_weight, mean), data.n_rows / n
            of_rows, slope = engine.loss_and_gradient(exact, rows, penalty)
            penalty = regularization._replace(
                alpha=0.0
            )  # counts once, by the share of the first rows: alpha / (n mean)
            loss, gradient = loss + share * of_rows, gradient + share * slope
        return loss, gradient

    limits = {"max_iter": max_iter, "max_fun": max_fun, "tol": tol}
    none = validate or (lambda: None)
    return (yield from lbfgs_iterations(network, objective, n, training, none, **limits))
