"""The linear model that a network is compared with: multinomial logistic regression, its penalty chosen by validation.

An unpenalized linear model is too easy to beat: if the classes can be separated, its weights grow without bound, and
its probabilities become overconfident. The penalty is therefore chosen among a few, on splits of the training rows.
"""

import warnings
from typing import Any

import numpy as np

from ..functional.arrays import Array
from ..training import holdout
from .classifier import SoftmaxClassifier
from .labels import Labels, weigh_rows

__all__ = ["best_alpha", "fit_linear", "takes_long"]

ALPHAS = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1)
"""The penalties to choose from, the strongest first; 1 is scikit-learn's ``LogisticRegression()``."""
DEFAULT_ALPHA = 1.0
SPLITS, SHARE = 5, 0.2
FEWEST_ROWS = 20
MOST_ROWS, MOST_PRODUCTS = 100_000, 500_000_000
MOST_PRODUCTS_OF_ALL = 2_000_000_000
MOST_PRODUCTS_TO_CHOOSE = 4_000_000
ITERATIONS, ITERATIONS_TO_CHOOSE = 200, 100


def fit_linear(
    X: Any, y: Array, sample_weight: Array | None = None, *, class_weight: Any = None, **settings: Any
) -> tuple[SoftmaxClassifier, int]:
    """Fit multinomial logistic regression with L-BFGS, its L2 penalty chosen by validation.

    X holds standardized numbers, y class indices 0 to k - 1, each at least once; the settings are parameters of
    `SoftmaxClassifier`. If there are very many rows, only every `step`-th row is used; `step` is returned too.
    """
    step = _step(X, y, MOST_PRODUCTS, MOST_ROWS)
    if step > 1 and _keeps_classes(y, step):
        X, y, sample_weight = X[::step], y[::step], None if sample_weight is None else sample_weight[::step]
    else:
        step = 1
    alpha = best_alpha(X, y, sample_weight, class_weight)
    classifier = SoftmaxClassifier(
        (), solver="lbfgs", output="softmax", alpha=alpha, class_weight=class_weight, max_iter=ITERATIONS, **settings
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the maximum of iterations: the weights are near enough by then
        return classifier.fit(X, y, sample_weight), step


def takes_long(X: Any, y: Array) -> bool:
    """Return whether a linear model would take long: so many classes that it needs all rows, and very many rows."""
    step = _step(X, y, MOST_PRODUCTS, MOST_ROWS)
    return step > 1 and _products(X, y) > MOST_PRODUCTS_OF_ALL and not _keeps_classes(y, step)


def _keeps_classes(y: Array, step: int) -> bool:
    return len(np.unique(y[::step])) == len(np.unique(y))


def best_alpha(X: Any, y: Array, sample_weight: Array | None = None, class_weight: Any = None) -> float:
    """Return the penalty with the smallest log-loss on rows held out, on average over a few splits.

    The arguments are the same as for `fit_linear`. Long and wide tables are judged on fewer rows and fewer splits.
    Where fewer than 20 rows or only one class have a positive weight, the penalty is the default of
    ``LogisticRegression()``.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    classes = np.arange(int(y.max()) + 1)
    given = weigh_rows(class_weight, Labels("softmax", classes, y), sample_weight, named=True)
    weight = np.ones(len(y)) if given is None else np.asarray(given, np.float64)
    rows = np.flatnonzero(weight > 0)
    rows = rows[:: _step(X, y, MOST_PRODUCTS_TO_CHOOSE, MOST_ROWS)]
    X, weight = X[rows], weight[rows] / weight[rows].mean()
    classes, y = np.unique(y[rows], return_inverse=True)
    if len(rows) < FEWEST_ROWS or len(classes) < 2:
        return DEFAULT_ALPHA
    losses = np.zeros(len(ALPHAS))
    with threadpool_limits(1), warnings.catch_warnings():  # threads cost more than they gain on so few rows
        warnings.simplefilter("ignore")  # of the maximum of iterations: the search is near enough by then
        for split in range(min(SPLITS, max(1, MOST_PRODUCTS_TO_CHOOSE // _products(X, y)))):
            kept, held = holdout(y, SHARE, np.random.RandomState(split))
            if not len(held):
                return DEFAULT_ALPHA
            for i, alpha in enumerate(ALPHAS):
                C = (2 if len(classes) == 2 else 1) / alpha  # scikit-learn has one column of weights for two classes
                model = LogisticRegression(C=C, max_iter=ITERATIONS_TO_CHOOSE).fit(X[kept], y[kept], weight[kept])
                P = model.predict_proba(X[held])[np.arange(len(held)), y[held]]
                losses[i] -= weight[held] @ np.log(np.maximum(P, 1e-300)) / weight[held].sum()
    return ALPHAS[int(np.argmin(losses))]


def _products(X: Any, y: Array) -> int:
    """Count the multiplications that the logits of all rows take."""
    numbers = X.nnz if hasattr(X, "nnz") else X.size
    return max(1, int(numbers) * (int(y.max()) + 1))


def _step(X: Any, y: Array, most_products: int, most_rows: int) -> int:
    """Return which rows to take, every `step`-th, so that there are not too many."""
    return max(1, -(-_products(X, y) // most_products), -(-len(y) // most_rows))
