"""The memory and the time of an epoch that a fit needs, computed before anything is allocated."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..engine import best_engine
from ..memory import available_memory, check_memory, size_in_words
from ..training.cost import Cost, estimate, measure_speed
from .options import hidden_sizes, make_plan
from .user_warnings import warn_user

__all__ = ["check_cost", "cost_of", "speed_of"]

FEWER = "Pass fewer or smaller hidden layers, float32 numbers, or min_count to put rare classes together."


def cost_of(
    classifier: Any,
    *,
    inputs: int,
    classes: int,
    rows: int,
    dtype: npt.DTypeLike = np.float32,
    nonzeros: int | None = None,
) -> Cost:
    """Return the memory and the floating-point operations that a fit of a `SoftmaxClassifier` needs.

    Parameters
    ----------
    classifier : SoftmaxClassifier
        With the parameters of the fit; it need not be fitted.
    inputs : int
        Number of columns of X, or the width of their embedding.
    classes : int
        Number of classes, >= 1.
    rows : int
        Number of rows, including those that early stopping holds out.
    dtype : dtype, default=float32
        That of X.
    nonzeros : int, optional
        Number of entries of X if X is sparse.

    Returns
    -------
    glassmax.training.cost.Cost
        Memory in bytes; `Cost.in_words` returns the same as text.

    Notes
    -----
    Nothing is allocated or measured. Pass the result of `speed_of` to `Cost.seconds` for the time of an epoch.

    Examples
    --------
    >>> from glassmax import SoftmaxClassifier
    >>> cost_of(SoftmaxClassifier((32,)), inputs=64, classes=1_000_000, rows=100_000).in_words()
    'needs 552 MB'
    """
    plan = make_plan(classifier)
    return estimate(
        (inputs, *hidden_sizes(classifier), classes),
        rows,
        rule=plan.rule,
        batch_size=plan.batch_size,
        dtype=dtype,
        nonzeros=nonzeros,
        early_stopping=bool(classifier.early_stopping),
        lbfgs=plan.rule is None,
        memory_limit=classifier.memory_limit,
    )


def speed_of(classifier: Any, *, inputs: int, classes: int, dtype: npt.DTypeLike = np.float32) -> float:
    """Measure the speed that `Cost.seconds` and `Cost.in_words` take, in flops per second.

    The parameters are those of `cost_of`. The measurement takes about 0.1 seconds.
    """
    plan, sizes = make_plan(classifier), (inputs, *hidden_sizes(classifier), classes)
    engine = best_engine(classifier.n_threads, classifier.memory_limit)
    return measure_speed(engine, sizes, rule=plan.rule, batch_size=plan.batch_size, dtype=dtype)


def check_cost(cost: Cost) -> None:
    """Raise an error if the network needs more memory than is available; warn if its training may need more."""
    check_memory(cost.parameters + cost.optimizer + cost.best_parameters, "Training this network", FEWER)
    needed, available = cost.memory - cost.inputs, available_memory()
    if available is not None and needed > available:
        warn_user(
            f"Training this network needs up to {size_in_words(needed)} of memory beside the rows, but only "
            f"{size_in_words(available)} is available. {FEWER}"
        )
