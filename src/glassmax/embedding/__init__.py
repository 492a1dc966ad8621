"""Embeddings: columns of X turned into several columns before the first layer of a network.

`Embedding` is the layer itself, with its forward and backward pass. `Periodic`, `PiecewiseLinear` and `Categories` are
recipes: they say what to embed before the rows are known. ``SoftmaxClassifier(embedding=...)`` takes them, and
`fitted_embedding` turns them into an `Embedding` for given rows.
"""

from .layer import Embedding
from .recipes import NAMES, Categories, Periodic, PiecewiseLinear, describes, fitted_embedding, needs_rows, read_recipes

__all__ = [
    "NAMES",
    "Categories",
    "Embedding",
    "Periodic",
    "PiecewiseLinear",
    "describes",
    "fitted_embedding",
    "needs_rows",
    "read_recipes",
]


def __dir__() -> list[str]:
    return __all__
