"""Classes drawn at random for a sampled softmax, and the correction of their logits.

Classes are drawn with replacement. Draw number i of a step is a function of seed, step and i alone (see
`glassmax.functional.masks` for `draw`), so that a step can be repeated::

    u_i = (draw(draw(seed, step), i) >> 11) / 2^53

    log-uniform     Q_c = log((c + 2) / (c + 1)) / log(k + 1)        c_i = floor(exp(u_i log(k + 1))) - 1
    frequencies     Q_c = f_c / sum_m f_m                            c_i = the first c with sum_{m <= c} Q_m > u_i

The log-uniform proposal is close to Zipf's law for classes in the order of falling frequency.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import LabelError, OptionError, ShapeError, is_whole
from .arrays import Array, as_floating
from .masks import splitmix64

__all__ = ["Drawn", "draw_classes"]


class Drawn(NamedTuple):
    """Classes that were drawn.

    Attributes
    ----------
    classes : (c,) array of intp
        In ascending order, each once.
    correction : (c,) array of float64
        The number that is added to the logit of each class: the logarithm of its number of draws divided by the
        expected number, ``log(count / (samples Q))``.
    """

    classes: Array
    correction: Array


def draw_classes(k: int, samples: int, proposal: str | npt.ArrayLike, seed: int, step: int) -> Drawn:
    """Draw `samples` of k classes with replacement; the other arguments are those of `sampled_softmax_cross_entropy`.

    Examples
    --------
    >>> draw_classes(1000, samples=6, proposal="log_uniform", seed=0, step=0).classes
    array([  1,  13,  89,  92, 126, 230])
    """
    for name, number, least in (("samples", samples, 1), ("seed", seed, 0), ("step", step, 0)):
        if not is_whole(number) or not least <= number < 2**64:
            raise OptionError(parameter=name, came=repr(number), expected=f"a whole number >= {least}")
    with np.errstate(over="ignore"):  # modulo 2^64
        key = splitmix64(np.uint64(seed), np.uint64(step))
        u = (splitmix64(key, np.arange(samples, dtype=np.uint64)) >> np.uint64(11)) * 2.0**-53
    if isinstance(proposal, str):
        if proposal != "log_uniform":
            raise OptionError(
                parameter="proposal", came=repr(proposal), expected="'log_uniform' or one frequency for each class"
            )
        drawn = np.clip(np.exp(u * np.log(k + 1.0)).astype(np.intp) - 1, 0, k - 1)
        classes, counts = np.unique(drawn, return_counts=True)
        Q = np.log1p(1 / (classes + 1.0)) / np.log(k + 1.0)
    else:
        f = _frequencies(proposal, k)
        cumulative = np.cumsum(f)
        drawn = np.minimum(np.searchsorted(cumulative, u * cumulative[-1], side="right"), k - 1)
        classes, counts = np.unique(drawn, return_counts=True)
        Q = f[classes] / cumulative[-1]
    return Drawn(classes, np.log(counts / (samples * Q)))


def _frequencies(proposal: npt.ArrayLike, k: int) -> Array:
    f = as_floating(proposal, "proposal").astype(np.float64)
    if f.shape != (k,):
        raise ShapeError(f"proposal is {f.shape}, expected ({k},): one frequency for each class.")
    bad = ~(np.isfinite(f) & (f > 0))
    if bad.any():
        where = int(np.argmax(bad))
        raise LabelError(
            f"proposal[{where}] is {f[where]:g}, expected a finite number > 0: a network can't learn to reject "
            "a class that is never drawn. Add 1 to every count."
        )
    return f
