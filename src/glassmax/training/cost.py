"""The memory and the time that a training needs, before anything is allocated.

Memory and work follow from the shapes alone: `estimate`. Seconds need a clock: `measure_speed` times a few steps of a
network of the same shape with fewer classes, and `Cost.seconds` scales them by the work.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..engine import MANY_CLASSES, Data, Engine, Regularization
from ..memory import size_in_words
from ..network import Network
from ..optimizers import SGD, Adam, Rule
from ..parameters import count

__all__ = ["Cost", "estimate", "measure_speed", "time_in_words"]

BUDGET = 128_000_000
"""Bytes that the native engine may use beside its arguments and results where there are many classes."""
MOST_CLASSES_TO_MEASURE = 8192
LEAST_SECONDS, MOST_STEPS = 0.05, 20
LBFGS_VECTORS = 30
"""Vectors of parameters in float64 that L-BFGS and its caller hold: 10 pairs of differences, and the rest."""


@dataclass(frozen=True)
class Cost:
    """What a training needs.

    Attributes
    ----------
    inputs, parameters, optimizer, best_parameters, work : int
        Bytes: of X, y and the weights; of the weights and biases of the network; of the state of the optimizer; of the
        copy that early stopping keeps; of everything else that the engine allocates, at most.
    steps : int
        Steps of an epoch.
    flops : float
        Floating-point operations of an epoch, those of the matrix products.
    """

    inputs: int
    parameters: int
    optimizer: int
    best_parameters: int
    work: int
    steps: int
    flops: float

    @property
    def memory(self) -> int:
        """Bytes of all together."""
        return self.inputs + self.parameters + self.optimizer + self.best_parameters + self.work

    def seconds(self, speed: float) -> float:
        """Return the seconds of an epoch at a measured speed, in flops per second."""
        return self.flops / speed

    def in_words(self, speed: float | None = None) -> str:
        """Return the memory and, at a measured speed, the time of an epoch as text.

        Examples
        --------
        >>> cost = Cost(2_000_000_000, 300_000_000, 600_000_000, 0, 130_000_000, 100, 4e12)
        >>> cost.in_words(), cost.in_words(1e11)
        ('needs 3.0 GB', 'needs 3.0 GB, about 40 s an epoch')
        """
        needs = f"needs {size_in_words(self.memory)}"
        return needs if speed is None else f"{needs}, {time_in_words(self.seconds(speed))} an epoch"


def estimate(
    layer_sizes: Sequence[int],
    rows: int,
    *,
    rule: Rule | None = None,
    batch_size: int = 200,
    dtype: npt.DTypeLike = np.float32,
    nonzeros: int | None = None,
    early_stopping: bool = False,
    lbfgs: bool = False,
) -> Cost:
    """Return what a training of a network with softmax output needs; nothing of its size is allocated.

    ::

        flops an epoch = 2 n (3 sum_l h_{l-1} h_l - d h_1)

    The inputs need no derivative. Where there are very many classes and a batch's exponentials don't fit into 128 MB,
    the last layer's logits are computed twice: 2 n h k more.

    Parameters
    ----------
    layer_sizes : sequence of int
        d, h_1, ..., k.
    rows : int
        n, the rows to train on and those held out.
    rule : Rule, optional
        Adam by default.
    batch_size : int, default=200
        Rows of a step, >= 1; more than n is n.
    dtype : dtype, default=float32
        That of X and of the network.
    nonzeros : int, optional
        Number of entries of X if X is sparse.
    early_stopping : bool, default=False
        Whether a copy of the best weights is kept.
    lbfgs : bool, default=False
        Whether the solver is L-BFGS, which computes in float64 and takes all rows in each step.

    Returns
    -------
    Cost

    Examples
    --------
    >>> cost = estimate([64, 1_000_000], 10_000, batch_size=200)
    >>> cost.parameters, cost.optimizer, cost.steps, cost.flops
    (260000000, 520000000, 50, 3840000000000.0)
    >>> cost.in_words()
    'needs 917 MB'
    """
    sizes, size = tuple(int(h) for h in layer_sizes), np.dtype(dtype).itemsize
    d, k, p = sizes[0], sizes[-1], count(sizes)
    batch = rows if lbfgs else max(1, min(batch_size, rows))
    x_bytes = rows * d * size if nonzeros is None else nonzeros * (size + 4) + 4 * (rows + 1)
    vectors = 1 if isinstance(rule, SGD) else 2
    optimizer = LBFGS_VECTORS * p * 8 if lbfgs else vectors * p * size
    many = k >= MANY_CLASSES
    lower = p - count(sizes[-2:])
    hidden = 4 * min(batch, 4096) * sum(sizes[:-1]) * size
    packed = (1 + vectors) * size + 8  # a copy of the weights and moments, and a gradient in float64
    if many and not lbfgs:
        work = BUDGET + packed * lower + hidden
    else:
        work = packed * p + hidden + 3 * min(batch, 512) * k * size
    products = [a * b for a, b in pairwise(sizes)]
    flops = 2.0 * rows * (3 * sum(products) - products[0])
    if len(products) == 1:
        flops = 4.0 * rows * products[0]
    if many and not lbfgs and batch * k * size > BUDGET:
        flops += 2.0 * rows * products[-1]
    return Cost(
        inputs=x_bytes + 16 * rows,
        parameters=p * size,
        optimizer=optimizer,
        best_parameters=p * size if early_stopping else 0,
        work=work,
        steps=-(-rows // batch) if rows else 0,
        flops=flops,
    )


def measure_speed(
    engine: Engine,
    layer_sizes: Sequence[int],
    *,
    rule: Rule | None = None,
    batch_size: int = 200,
    dtype: npt.DTypeLike = np.float32,
) -> float:
    """Time a few steps of a network with the same layers and at most 8192 classes: about a tenth of a second.

    Parameters
    ----------
    engine : Engine
    layer_sizes, rule, batch_size, dtype
        As for `estimate`.

    Returns
    -------
    float
        Flops of the matrix products per second.
    """
    sizes = (*layer_sizes[:-1], min(layer_sizes[-1], MOST_CLASSES_TO_MEASURE))
    draw, batch_size = np.random.RandomState(0), max(1, min(batch_size, 4096))
    network = Network(sizes, dtype=dtype)
    data = Data(draw.standard_normal((batch_size, sizes[0])).astype(dtype), draw.randint(sizes[-1], size=batch_size))
    rule = Adam(1e-6) if rule is None else rule
    state, seconds = rule.init(network.theta), list[float]()
    while len(seconds) < MOST_STEPS and (len(seconds) < 3 or sum(seconds[1:]) < LEAST_SECONDS):
        begun = time.perf_counter()
        engine.epoch(
            network,
            data,
            rule,
            state,
            order=np.arange(batch_size),
            batch_size=batch_size,
            rates=np.zeros(1),
            regularization=Regularization(),
            first_step=len(seconds),
        )
        seconds.append(time.perf_counter() - begun)
    cost = estimate(sizes, batch_size, rule=rule, batch_size=batch_size, dtype=dtype)
    return cost.flops / max(min(seconds[1:]), 1e-9)  # the first step pays for what later ones find ready


def time_in_words(seconds: float) -> str:
    """Return a measured time as text.

    Examples
    --------
    >>> [time_in_words(t) for t in (0.004, 0.4, 4.2, 40, 240, 4000)]
    ['less than 0.1 s', 'about 0.4 s', 'about 4.2 s', 'about 40 s', 'about 4 min', 'about 1.1 h']
    >>> time_in_words(40000), time_in_words(4e6)
    ('about 11 h', 'about 46 days')
    """
    if seconds < 0.1:
        return "less than 0.1 s"
    for length, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length or (unit == "h" and seconds >= length):
            value = seconds / length
            return f"about {value:.0f} {unit}" if unit != "h" or value >= 9.95 else f"about {value:.1f} {unit}"
    return f"about {seconds:.1f} s" if seconds < 9.95 else f"about {seconds:.0f} s"


def __dir__() -> list[str]:
    return __all__
