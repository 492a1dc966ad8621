"""Mixup: rows of a mini-batch mixed with the rows before them.

Row i of a batch takes a share s_i of row i - 1; the first row takes it of the last::

    X_i <- (1 - s_i) X_i + s_i X_{i-1}
    Y_i <- (1 - s_i) Y_i + s_i Y_{i-1}

The mixed targets are soft rows, and every formula of loss and gradient holds for them as it is. The share of a row
depends on two random numbers, which are a function of seed, step and row alone, as in `glassmax.functional.masks`::

    u, v = draw(key, 0), draw(key, 1)        key = draw(draw(draw(seed, step), 0), row)
    s_i = 0                                  where (u >> 11) / 2^53 >= share of the rows
    s_i = maximum (v >> 11) / 2^53          otherwise, uniform in [0, maximum)

The share is the same in any batch, for any number of threads, and after a run has been resumed. The 0 stands where
dropout has the number of the layer, which counts from 1.

Source: Zhang, Cisse, Dauphin & Lopez-Paz, "mixup: Beyond empirical risk minimization" (2018), equation 2, with a
uniform share instead of a Beta variable.
"""

from typing import Any

import numpy as np

from .arrays import Array
from .masks import splitmix64

__all__ = ["mixed_with_previous", "mixup_factors", "mixup_shares"]


def mixup_factors(first: int, steps: int, total: int) -> Array:
    """Return the factor of mixup at each step: 1 in the first half of a run, then down to 0 along half a cosine.

    ::

        t = (step + 1/2) / total
        f(t) = 1                             t < 1/2
        f(t) = (1 + cos(pi (2t - 1))) / 2    otherwise

    Parameters
    ----------
    first : int
        Number of steps taken before, in this run.
    steps : int
        Number of steps whose factors are returned.
    total : int
        Number of steps in the whole run.

    Returns
    -------
    (steps,) array of float64
        In [0, 1].

    Notes
    -----
    The last steps see nearly unmixed rows: a network that is trained on mixtures to the end is underconfident.

    Examples
    --------
    >>> mixup_factors(first=0, steps=8, total=8).round(2)
    array([1.  , 1.  , 1.  , 1.  , 0.96, 0.69, 0.31, 0.04])
    """
    t = (np.arange(first, first + steps) + 0.5) / total
    return (1 + np.cos(np.pi * (2 * t - 1).clip(0, 1))) / 2


def mixup_shares(seed: int, step: int, rows: Array, maximum: float, share: float, weight: Array | None = None) -> Array:
    """Return the share that each row of a batch takes of the row before it.

    Parameters
    ----------
    seed : int
        In [0, 2^64).
    step : int
        >= 0: the number of steps taken before.
    rows : (m,) array of int
        Row numbers in the training data, >= 0: not positions in the batch.
    maximum : float
        In [0, 1]: upper bound of the shares.
    share : float
        In [0, 1]: the share of the rows that are mixed.
    weight : (m,) array, optional
        Sample weights. A row of weight 0 is absent: neither it nor the row after it is mixed.

    Returns
    -------
    (m,) array of float64
        In [0, maximum).

    Examples
    --------
    >>> mixup_shares(seed=0, step=0, rows=np.arange(6), maximum=0.3, share=0.5).round(3)
    array([0.015, 0.   , 0.   , 0.061, 0.   , 0.039])
    """
    with np.errstate(over="ignore"):  # modulo 2^64
        key = splitmix64(splitmix64(np.uint64(seed), np.uint64(step)), np.uint64(0))
        of_row = splitmix64(key, rows.astype(np.uint64))
        u, v = ((splitmix64(of_row, np.uint64(i)) >> np.uint64(11)) * 2.0**-53 for i in (0, 1))
    mixed = u < share
    if weight is not None:
        mixed &= (weight != 0) & (np.roll(weight, 1) != 0)
    return np.where(mixed, maximum * v, 0.0)


def mixed_with_previous(V: Any, shares: Array) -> Any:
    """Mix each row with the row before it; the first row's is the last.

    Parameters
    ----------
    V : (m, d) array or CSR matrix
        Rows of inputs, or of targets.
    shares : (m,) array
        In [0, 1]. A row of share 0 stays as it is, whatever the row before it holds.

    Returns
    -------
    (m, d) array or CSR matrix
        Of the dtype of V.

    Notes
    -----
    Cost: 3 flops for each entry of a row that is mixed.

    Examples
    --------
    >>> mixed_with_previous(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.0, 0.25]))
    array([[1.  , 0.  ],
           [0.25, 0.75]])
    """
    m, mixed = len(shares), np.flatnonzero(shares)
    if not isinstance(V, np.ndarray):
        from scipy import sparse

        ones = (1 - shares, (np.arange(m), np.arange(m)))
        of_previous = (shares[mixed], (mixed, mixed - 1 + m * (mixed == 0)))
        own, other = (sparse.csr_array(part, shape=(m, m), dtype=V.dtype) for part in (ones, of_previous))
        return own @ V + other @ V
    out = V.copy()
    s = shares[mixed, None]
    out[mixed] = (1 - s) * V[mixed] + s * V[mixed - 1]
    return out
