"""The grid: the shapes, dtypes, activations, outputs, losses, targets and weights that all tiers share.

Oracle, reference and native engine are held to each other on the same networks and the same data, so an
activation, an output or a loss that is added to glassmax is tested everywhere from then on.
"""

from dataclasses import dataclass
from functools import cache
from itertools import cycle, product

import numpy as np

from glassmax import Network
from glassmax.functional import ACTIVATIONS
from glassmax.functional.heads import PAIRS

SIZES = [(4, 3), (4, 5, 3), (4, 6, 5, 3), (4, 5, 4, 6, 3), (3, 5, 4, 6, 5, 4)]
"""Layer sizes with 0 to 4 hidden layers; no layer is as wide as the next, so that a transpose can't hide."""

FLOATS = ["float16", "float32", "float64", "longdouble"]
"""What functional takes. Networks are of `DTYPES`."""
DTYPES = ["float32", "float64"]

KINDS = ["indices", "one-hot", "soft"]
REDUCTIONS = ["mean", "sum", "none"]

FAR_FROM_A_KINK = 0.01
"""No entry of any Z is closer to 0, where relu and others have a kink that central differences would cross."""
SMALLEST_GRADIENT = 3e-5
"""No layer's gradient is smaller throughout: on a dead layer every derivative is right."""


def target(kind, loss, shape, draw):
    """Draw a target for predictions of `shape`: class indices, one-hot rows, or soft rows of any sum."""
    indices = draw.integers(shape[-1], size=shape[:-1])
    if kind == "indices":
        return indices
    if kind == "one-hot":
        return one_hot(indices, shape[-1])
    return {
        "cross_entropy": draw.uniform(0, 2, shape),
        "binary_cross_entropy": draw.uniform(0, 1, shape),
        "squared_error": draw.standard_normal(shape),
        "candidate_cross_entropy": candidates(shape, draw),
    }[loss]


def candidates(shape, draw):
    """Draw rows of 0 and 1, each with at least one 1, and not of ones alone where there are enough classes."""
    S = draw.random(shape) < 0.5
    sure = draw.integers(shape[-1], size=shape[:-1])[..., None]
    np.put_along_axis(S, (sure + 1) % shape[-1], False, axis=-1)
    np.put_along_axis(S, sure, True, axis=-1)
    return S.astype(float)


def one_hot(indices, k):
    """Write class indices out as rows."""
    return np.eye(k)[indices]


LOSS_FUNCTIONS = {
    "cross_entropy": ("cross_entropy", "probabilities"),
    "squared_error": ("squared_error", "numbers"),
    "binary_cross_entropy": ("binary_cross_entropy", "probabilities"),
    "softmax_cross_entropy": ("cross_entropy", "numbers"),
    "sigmoid_cross_entropy": ("binary_cross_entropy", "numbers"),
    "candidate_cross_entropy": ("candidate_cross_entropy", "probabilities"),
    "softmax_candidate_cross_entropy": ("candidate_cross_entropy", "numbers"),
}
"""The losses of `glassmax.functional`: which targets each takes, and what it calls predictions."""


def predictions(name, shape, draw):
    """Draw predictions for a loss of `LOSS_FUNCTIONS`."""
    probabilities = LOSS_FUNCTIONS[name][1] == "probabilities"
    return draw.uniform(0.05, 0.95, shape) if probabilities else 2 * draw.standard_normal(shape)


@dataclass(frozen=True)
class Case:
    """One network of the grid with its data."""

    sizes: tuple[int, ...]
    activation: str
    output: str
    loss: str
    kind: str
    weighted: bool
    l2: float = 0.0

    def __str__(self):
        parts = ["-".join(map(str, self.sizes)), self.activation, self.output, self.loss, self.kind]
        return " ".join([*parts, *["weighted"] * self.weighted, *["l2"] * bool(self.l2)])

    def network(self, dtype="float64"):
        """Return the network, with weights of its own."""
        return _drawn(self)[0].astype(dtype)

    def data(self):
        """Return X, target and sample weights (or None): 6 rows."""
        return _drawn(self)[1]


@cache
def _drawn(case):
    """Draw weights and data, again and again until every layer is far from its kinks and none is dead."""
    for seed in range(1000):
        network = Network(
            case.sizes,
            activation=case.activation,
            output=case.output,
            loss=case.loss,
            l2=case.l2,
            random_state=seed,
        )
        if case.output in ("identity", "relu") and case.loss != "squared_error":
            last = network.depth  # the loss takes the logarithm of the raw outputs: move these to about 1/2
            network.parameters[f"W{last}"] = 0.05 * network.parameters[f"W{last}"]
            network.parameters[f"b{last}"] = 0.05 * network.parameters[f"b{last}"] + 0.5
        draw = np.random.default_rng(seed)
        X = draw.standard_normal((6, case.sizes[0]))
        y = target(case.kind, case.loss, (6, case.sizes[-1]), draw)
        w = np.array([0.5, 2.0, 0.0, 1.0, 3.0, 0.25]) if case.weighted else None
        far = all((np.abs(Z) > FAR_FROM_A_KINK).all() for Z in network.forward(X).Z.values())
        _, gradients = network.loss_and_gradients(X, y, w, l2=0.0)
        if far and all(np.abs(gradient).max() > SMALLEST_GRADIENT for gradient in gradients.values()):
            return network, (X, y, w)
    raise AssertionError(f"no weights and data found for {case}")


def networks():
    """Every activation x pair of output and loss x depth; the kinds of target, weights and penalty take turns."""
    turns = cycle(product(KINDS, [False, True], [0.0, 0.1]))
    return [
        Case(sizes, activation, *pair, *next(turns))
        for sizes, activation, pair in product(SIZES, ACTIVATIONS, PAIRS)
        if len(sizes) > 2 or activation == "identity"
    ]


def heads():
    """Every output and loss x kind of target x weights x penalty, on one hidden layer."""
    options = product(PAIRS, KINDS, [False, True], [0.0, 0.1])
    return [Case(SIZES[1], "tanh", *pair, *chosen) for pair, *chosen in options]
