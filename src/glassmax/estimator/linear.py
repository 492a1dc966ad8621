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

__all__ = ["best_alpha", "fit_linear"]

ALPHAS = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1)
"""The penalties to choose from, the strongest first; 1 is scikit-learn's ``LogisticRegression()``."""
DEFAULT_ALPHA = 1.0
SPLITS, SHARE = 5, 0.2
FEWEST_ROWS = 20
MOST_ROWS, MOST_PRODUCTS = 100_000, 500_000_000
MOST_PRODUCTS_TO_CHOOSE = 4_000_000
ITERATIONS, ITERATIONS_TO_CHOOSE = 200, 100


def fit_linear(
    X: Any, y: Array, sample_weight: Array | None = None, *, class_weight: Any = None, **settings: Any
) -> tuple[SoftmaxClassifier, int]:
    """Fit multinomial logistic regression with L-BFGS, its L2 penalty chosen by validation.

    Parameters
    ----------
    X : (n, d) array or CSR matrix
        Standardized numbers.
    y : (n,) array of int
        Class indices 0 to k - 1, each at least once.
    sample_weight : (n,) array, optional
        >= 0.
    class_weight : dict, "balanced" or None
        As for `SoftmaxClassifier`.
    **settings
        Further parameters of `SoftmaxClassifier`: ``n_threads``, ``random_state``.

    Returns
    -------
    classifier : SoftmaxClassifier
        Fitted.
    step : int
        1 if all rows were used; where there are very many, only every `step`-th row was.
    """
    step = _step(X, y, MOST_PRODUCTS, MOST_ROWS)
    if step > 1 and len(np.unique(y[::step])) == len(np.unique(y)):
        X, y, sample_weight = X[::step], y[::step], None if sample_weight is None else sample_weight[::step]
    else:
        step = 1
    alpha = best_alpha(X, y, sample_weight, class_weight)
    classifier = SoftmaxClassifier(
        (), solver="lbfgs", output="softmax", alpha=alpha, class_weight=class_weight, max_iter=ITERATIONS, **settings
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # likewise
        return classifier.fit(X, y, sample_weight), step


def best_alpha(X: Any, y: Array, sample_weight: Array | None = None, class_weight: Any = None) -> float:
    """Return the penalty with the smallest log-loss on rows held out, on average over a few splits.

    The arguments are those of `fit_linear`. Long and wide tables are judged on fewer rows and fewer splits. Where
    fewer than 20 rows or only one class have a positive weight, the penalty is that of ``LogisticRegression()``.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    weight = _weights(y, sample_weight, class_weight)
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


def _weights(y: Array, sample_weight: Array | None, class_weight: Any) -> Array:
    """Return the weight of each row: its sample weight times the weight of its class."""
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if class_weight == "balanced":
        total = np.bincount(y, weight)
        return weight * np.divide(1.0, total, out=np.zeros(len(total)), where=total > 0)[y] * total.mean()
    if class_weight:
        return weight * np.array([class_weight.get(c, 1.0) for c in range(int(y.max()) + 1)])[y]
    return weight


def _products(X: Any, y: Array) -> int:
    """Count the multiplications that the logits of all rows take."""
    numbers = X.nnz if hasattr(X, "nnz") else X.size
    return max(1, int(numbers) * (int(y.max()) + 1))


def _step(X: Any, y: Array, most_products: int, most_rows: int) -> int:
    """Return which rows to take, every `step`-th, so that there are not too many."""
    return max(1, -(-_products(X, y) // most_products), -(-len(y) // most_rows))
