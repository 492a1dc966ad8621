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

from ..engine import MANY_CLASSES, MEMORY_LIMIT, Data, Engine, Regularization
from ..memory import size_in_words
from ..network import Network
from ..optimizers import SGD, Adam, Rule
from ..parameters import count

__all__ = ["Cost", "estimate", "measure_speed", "time_in_words"]

MOST_CLASSES_TO_MEASURE = 8192
LEAST_SECONDS, MOST_STEPS = 0.05, 20
LBFGS_VECTORS = 30
"""Vectors of parameters in float64 that L-BFGS and its caller hold: 10 pairs of differences, and the rest."""


@dataclass(frozen=True)
class Cost:
    """The memory of a training in bytes, and the work of an epoch.

    Attributes
    ----------
    inputs : int
        Bytes of X, y and the sample weights.
    parameters : int
        Bytes of the weights and biases of the network.
    optimizer : int
        Bytes of the state of the optimizer, such as the two moments of Adam.
    best_parameters : int
        Bytes of the copy of the best weights that early stopping keeps.
    work : int
        Maximum of the bytes that the engine allocates for everything else.
    steps : int
        Number of steps in an epoch.
    flops : float
        Number of floating-point operations of the matrix products of an epoch.
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
        """The sum of all bytes."""
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
    memory_limit: int | None = None,
) -> Cost:
    """Return the memory and the work that the training of a network with softmax output needs; nothing is allocated.

    ::

        flops an epoch = 2 n (3 sum_l h_{l-1} h_l - d h_1)

    for n rows and layers of sizes d, h_1, ..., k. The first layer has fewer flops, because the inputs need no
    derivative. With very many classes, the last layer's logits are computed twice if the exponentials of a batch
    don't fit into `memory_limit`; this adds 2 n h k flops, with h the size of the last hidden layer.

    Parameters
    ----------
    layer_sizes : sequence of int
        d, h_1, ..., k.
    rows : int
        n: the number of rows to train on, including those held out.
    rule : Rule, optional
        Adam by default.
    batch_size : int, default=200
        Number of rows in a step, >= 1; at most n are used.
    dtype : dtype, default=float32
        That of X and of the network.
    nonzeros : int, optional
        Number of entries of X if X is sparse.
    early_stopping : bool, default=False
        Whether a copy of the best weights is kept.
    lbfgs : bool, default=False
        Whether the solver is L-BFGS, which computes in float64 and takes all rows in each step.
    memory_limit : int, optional
        That of the engine, in bytes; `glassmax.engine.MEMORY_LIMIT` by default.

    Returns
    -------
    Cost

    Examples
    --------
    >>> cost = estimate([64, 1_000_000], 10_000, batch_size=200)
    >>> cost.parameters, cost.optimizer, cost.steps, cost.flops
    (260000000, 520000000, 50, 3840000000000.0)
    >>> cost.in_words()
    'needs 911 MB'
    """
    sizes, size = tuple(int(h) for h in layer_sizes), np.dtype(dtype).itemsize
    d, k, p = sizes[0], sizes[-1], count(sizes)
    limit = MEMORY_LIMIT if memory_limit is None else memory_limit
    batch = rows if lbfgs else max(1, min(batch_size, rows))
    x_bytes = rows * d * size if nonzeros is None else nonzeros * (size + 4) + 4 * (rows + 1)
    vectors = 1 if isinstance(rule, SGD) else 2
    optimizer = LBFGS_VECTORS * p * 8 if lbfgs else vectors * p * size
    many = k >= MANY_CLASSES
    lower = p - count(sizes[-2:])
    hidden = 4 * min(batch, 4096) * sum(sizes[:-1]) * size
    packed = (1 + vectors) * size + 8  # a copy of the weights and moments, and a gradient in float64
    if many and not lbfgs:
        work = limit + packed * lower + hidden
    else:
        work = packed * p + hidden + 3 * min(batch, 512) * k * size
    products = [a * b for a, b in pairwise(sizes)]
    flops = 2.0 * rows * (3 * sum(products) - products[0])
    if len(products) == 1:
        flops = 4.0 * rows * products[0]
    if many and not lbfgs and batch * k * size > limit:
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
    return cost.flops / max(min(seconds[1:]), 1e-9)  # the first step allocates memory that the later ones reuse


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
