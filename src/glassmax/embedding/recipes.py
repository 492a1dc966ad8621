"""Recipes: what to embed, before the rows are known.

A recipe names the columns, or leaves their choice to the rows: by default, all columns outside the blocks of categories
that have at least three distinct values are embedded. A column of two values has nothing to gain: every function of it
is linear already.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import OptionError, between, one_of
from ..functional.arrays import Array
from .layer import Embedding, column_numbers, dense_columns, whole_number

__all__ = [
    "NAMES",
    "Categories",
    "Periodic",
    "PiecewiseLinear",
    "Recipe",
    "describes",
    "fitted_embedding",
    "needs_rows",
    "read_recipes",
]

FEWEST_EDGES = 3


@dataclass(frozen=True)
class Periodic:
    """Periodic embeddings, ``cos(x F + H) V + C``, for `SoftmaxClassifier`.

    Parameters
    ----------
    columns : sequence of int, optional
        The columns to embed, counted from 0; by default all that have at least three distinct values.
    frequencies : int, default=16
        Number of cosines for each column, >= 1.
    size : int, default=3
        Number of outputs for each column, >= 1.
    scale : float, default=0.1
        > 0. The frequencies start from a normal distribution of standard deviation ``2 pi scale``, in radians per unit
        of X. Inputs should be scaled to about 1. A larger scale separates nearer values, and overfits sooner.

    Examples
    --------
    >>> Periodic(frequencies=8)
    Periodic(columns=None, frequencies=8, size=3, scale=0.1)
    """

    columns: Sequence[int] | None = None
    frequencies: int = 16
    size: int = 3
    scale: float = 0.1

    def __post_init__(self) -> None:
        whole_number("frequencies", self.frequencies, 1)
        whole_number("size", self.size, 1)
        between("scale", self.scale, 0, open_below=True)


@dataclass(frozen=True)
class PiecewiseLinear:
    """Piecewise linear embeddings, with quantiles of the training rows as edges, for `SoftmaxClassifier`.

    Parameters
    ----------
    columns : sequence of int, optional
        The columns to embed, counted from 0; by default all.
    bins : int, default=16
        Maximum number of bins of a column, >= 2. The edges are the distinct quantiles at 0, 1/bins, ..., 1; a column
        with fewer than three distinct ones is not embedded.

    Examples
    --------
    >>> PiecewiseLinear(bins=8)
    PiecewiseLinear(columns=None, bins=8)
    """

    columns: Sequence[int] | None = None
    bins: int = 16

    def __post_init__(self) -> None:
        whole_number("bins", self.bins, 2)


@dataclass(frozen=True)
class Categories:
    """A learned embedding of a block of one-hot columns, for `SoftmaxClassifier`.

    Parameters
    ----------
    start, stop : int
        The block: columns start to stop - 1, counted from 0, one for each level.
    size : int
        Number of columns that replace the block, >= 1.

    Examples
    --------
    >>> Categories(start=3, stop=53, size=8)
    Categories(start=3, stop=53, size=8)
    """

    start: int
    stop: int
    size: int

    def __post_init__(self) -> None:
        whole_number("start", self.start, 0)
        whole_number("stop", self.stop, self.start + 1)
        whole_number("size", self.size, 1)


Recipe = Periodic | PiecewiseLinear | Categories

NAMES: dict[str, Recipe] = {"periodic": Periodic(), "piecewise_linear": PiecewiseLinear()}
"""The recipes that have a name: all columns, and the default values."""


def read_recipes(given: Any) -> Embedding | list[Recipe] | None:
    """Return what the parameter `embedding` of `SoftmaxClassifier` stands for: an embedding, or recipes for one.

    Raises
    ------
    OptionError
        If it is none of these, or two recipes are for the same.

    Examples
    --------
    >>> read_recipes("piecewise_linear")
    [PiecewiseLinear(columns=None, bins=16)]
    """
    if given is None or isinstance(given, Embedding):
        return given
    several = isinstance(given, Sequence) and not isinstance(given, str)
    recipes = [_recipe(one) for one in (given if several else [given])]
    for kind in (Periodic, PiecewiseLinear):
        if sum(isinstance(recipe, kind) for recipe in recipes) > 1:
            expected = f"at most one {kind.__name__}, with all of its columns"
            raise OptionError(parameter="embedding", came=repr(given), expected=expected)
    return recipes


def _recipe(given: Any) -> Recipe:
    if isinstance(given, Periodic | PiecewiseLinear | Categories):
        return given
    if isinstance(given, str):
        return NAMES[one_of("embedding", given, NAMES)]
    expected = f"None, {', '.join(map(repr, NAMES))}, a recipe of glassmax.embedding, or a list of them"
    raise OptionError(parameter="embedding", came=repr(given), expected=expected)


def needs_rows(given: Any) -> bool:
    """Return whether a valid parameter `embedding` leaves something to the rows: columns, or edges."""
    recipes = read_recipes(given)
    if recipes is None or isinstance(recipes, Embedding):
        return False
    return any(isinstance(r, PiecewiseLinear) or (isinstance(r, Periodic) and r.columns is None) for r in recipes)


def fitted_embedding(given: Any, X: Any) -> Embedding | None:
    """Return the embedding that recipes make of the columns of X.

    Parameters
    ----------
    given : None, str, recipe, list of recipes, or Embedding
        As the parameter `embedding` of `SoftmaxClassifier`.
    X : (n, d) array or CSR matrix
        The training rows.

    Returns
    -------
    Embedding or None
        None if there is nothing to embed.

    Raises
    ------
    OptionError
        If a column is missing, or embedded twice.

    Examples
    --------
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
    >>> fitted_embedding("periodic", X)
    Embedding(2 columns -> 5: periodic 1 x 3)
    """
    recipes, d = read_recipes(given), X.shape[1]
    if recipes is None:
        return None
    if isinstance(recipes, Embedding):
        if recipes.d != d:
            raise OptionError(parameter="embedding", came=repr(recipes), expected=f"one of {d} columns, as X has")
        return recipes
    blocks = sorted((r.start, r.stop, r.size) for r in recipes if isinstance(r, Categories))
    free = np.ones(d, bool)
    for start, stop, _ in blocks:
        free[start:stop] = False
    settings: dict[str, Any] = {"blocks": blocks}
    for recipe in recipes:
        if isinstance(recipe, Categories):
            continue
        columns = np.flatnonzero(free & _varied(X)).tolist() if recipe.columns is None else recipe.columns
        columns = column_numbers("columns", columns, d)
        if isinstance(recipe, PiecewiseLinear):
            settings["edges"] = _quantiles(X, columns, recipe.bins)
        else:
            settings |= {"periodic": columns, "frequencies": recipe.frequencies}
            settings |= {"size": recipe.size, "scale": recipe.scale}
    if not any(settings.get(what) for what in ("blocks", "periodic", "edges")):
        return None
    return Embedding(d, **settings)


def describes(given: Any, embedding: Embedding | None) -> bool:
    """Return whether recipes could have made this embedding, of whatever rows.

    Examples
    --------
    >>> describes(Periodic(size=2), Embedding(3, periodic=[0, 2], size=2))
    True
    >>> describes(None, Embedding(3, periodic=[0, 2]))
    False
    """
    recipes = read_recipes(given)
    if recipes is None or isinstance(recipes, Embedding):
        return recipes == embedding
    found = Embedding(1) if embedding is None else embedding
    blocks = tuple(sorted((r.start, r.stop, r.size) for r in recipes if isinstance(r, Categories)))
    periodic = next((r for r in recipes if isinstance(r, Periodic)), None)
    linear = next((r for r in recipes if isinstance(r, PiecewiseLinear)), None)
    if blocks != found.blocks or (found.periodic and periodic is None) or (found.edges and linear is None):
        return False
    if periodic is not None and found.periodic:
        own = periodic.frequencies, periodic.size, periodic.scale
        if own != (found.frequencies, found.size, found.scale):
            return False
    if periodic is not None and periodic.columns is not None and tuple(periodic.columns) != found.periodic:
        return False
    if linear is None:
        return True
    inside = linear.columns is None or set(found.edges) <= set(linear.columns)
    return inside and all(len(t) - 1 <= linear.bins for t in found.edges.values())


def _varied(X: Any) -> Array:
    """Return which columns have at least three distinct values: the least, the greatest, and one between them."""
    if isinstance(X, np.ndarray):
        return ((X.min(axis=0) < X) & (X.max(axis=0) > X)).any(axis=0)
    cells = X.tocsc()
    cells.sum_duplicates()
    n, d = cells.shape
    low, high = (np.asarray(end.todense()).ravel() for end in (cells.min(axis=0), cells.max(axis=0)))
    stored = np.diff(cells.indptr)
    column = np.repeat(np.arange(d), stored)
    between_them = (cells.data > low[column]) & (cells.data < high[column])
    zero_between: Array = (stored < n) & (low < 0) & (high > 0)
    return zero_between | (np.bincount(column, between_them, minlength=d) > 0)


def _quantiles(X: Any, columns: Sequence[int], bins: int) -> dict[int, Array]:
    """Return the distinct quantiles of each column, in the precision of X, where there are enough of them."""
    shares, cells = np.linspace(0, 1, bins + 1), X if isinstance(X, np.ndarray) else X.tocsc()
    edges = {}
    for j in columns:
        values = dense_columns(cells, [j])[:, 0]
        t = np.unique(np.quantile(values.astype(np.float64), shares).astype(values.dtype))
        if len(t) >= FEWEST_EDGES:
            edges[int(j)] = t.astype(np.float64)
    return edges


def __dir__() -> list[str]:
    return __all__
