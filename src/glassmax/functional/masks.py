"""Dropout masks: they determine the units of a layer that are kept for a row in a step.

Whether a unit is kept depends on one random number, and that number is a function of seed, step, layer, row and unit
alone. It is the same in any batch, in any order, for any number of threads, and after a run has been resumed::

    G = 0x9E3779B97F4A7C15
    mix(z):   z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9
              z = (z ^ z >> 27) * 0x94D049BB133111EB
              z ^ z >> 31                                                  all modulo 2^64
    draw(key, i) = mix(key + (i + 1) G)                                    output i of SplitMix64 seeded with key
    u = draw(draw(draw(draw(seed, step), layer), row), unit)
    kept where (u >> 11) / 2^53 >= rate; then the mask is 1 / (1 - rate), otherwise 0

Steps, rows and units count from 0, layers from 1. The factor 1 / (1 - rate) keeps the expected activation the same as
without dropout, so predictions need no mask.

Source: Steele, Lea & Flood, "Fast splittable pseudorandom number generators" (2014); Srivastava et al., "Dropout"
(2014), section 10, for the factor 1 / (1 - rate).
"""

import numpy as np
import numpy.typing as npt

from .arrays import Array

__all__ = ["dropout_mask", "splitmix64"]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def dropout_mask(
    seed: int, step: int, layer: int, rows: Array, units: int, rate: float, dtype: npt.DTypeLike = np.float64
) -> Array:
    """Return the mask that the activations of a layer are multiplied by.

    Parameters
    ----------
    seed : int
        In [0, 2^64).
    step : int
        Number of earlier steps, >= 0.
    layer : int
        >= 1: the number of the layer.
    rows : (n,) array of int
        Row numbers in the training data, >= 0: not positions in the batch.
    units : int
        The number of units of the layer.
    rate : float
        Share of units dropped, in [0, 1).
    dtype : dtype, default=float64
        The dtype of the mask.

    Returns
    -------
    (n, units) array
        0, or 1 / (1 - rate).

    Notes
    -----
    Cost: 9 integer operations for each entry.

    Examples
    --------
    >>> mask = dropout_mask(seed=0, step=0, layer=1, rows=np.array([7, 3]), units=6, rate=0.5)
    >>> mask
    array([[2., 0., 2., 2., 0., 0.],
           [2., 0., 0., 2., 0., 2.]])
    >>> dropout_mask(0, 0, 1, np.array([3]), 6, 0.5)    # row 3 keeps the same units in any batch
    array([[2., 0., 0., 2., 0., 2.]])
    """
    with np.errstate(over="ignore"):  # modulo 2^64
        key = splitmix64(splitmix64(np.uint64(seed), np.uint64(step)), np.uint64(layer))
        u = splitmix64(splitmix64(key, rows.astype(np.uint64))[:, None], np.arange(units, dtype=np.uint64))
    kept = (u >> np.uint64(11)) * 2.0**-53 >= rate
    return np.where(kept, 1 / (1 - rate), 0.0).astype(dtype, copy=False)


def splitmix64(key: Array | np.uint64, counter: Array | np.uint64) -> Array:
    """Return output number `counter` of SplitMix64 seeded with `key`: uint64, modulo 2^64."""
    z = np.asarray(key + (counter + np.uint64(1)) * GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * FIRST
    z = (z ^ (z >> np.uint64(27))) * SECOND
    return z ^ (z >> np.uint64(31))
