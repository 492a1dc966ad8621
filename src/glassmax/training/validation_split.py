"""Choice of the rows held out for validation: each class in proportion."""

import numpy as np

from ..errors import OptionError
from ..functional.arrays import Array

__all__ = ["holdout"]


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
        message = f"The share to hold out is {share!r}, expected a number between 0 and 1."
        raise OptionError(message, parameter="share")
    counts = np.bincount(y)
    quota = share * counts
    take = np.minimum(np.floor(quota).astype(int), np.maximum(counts - 1, 0))
    missing = int(np.ceil(share * len(y))) - int(take.sum())
    order = np.argsort(np.floor(quota) - quota, kind="stable")  # largest remainder first
    take[order[take[order] < counts[order] - 1][: max(missing, 0)]] += 1
    rows, ends, held = np.argsort(y, kind="stable"), np.cumsum(counts), np.zeros(len(y), bool)
    for c in np.flatnonzero(counts > 1):  # nothing is drawn for a class of one row
        held[draw.permutation(rows[ends[c] - counts[c] : ends[c]])[: take[c]]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
