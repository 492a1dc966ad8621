"""Networks and batches whose pages are opened: each output, loss, activation and option at least once."""

import runpy
from pathlib import Path

import numpy as np

import glassmax as gm

TOY = runpy.run_path(str(Path(__file__).resolve().parents[2] / "examples" / "toy.py"))
RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4))
LABELS = np.array([0, 1, 2, 0, 1, 1])
SOFT = RNG.dirichlet(np.ones(3), size=6)


def of_toy():
    return gm.trace(gm.Network.from_parameters(TOY["WEIGHTS"], activation="sigmoid"), TOY["X"], TOY["y"])


def traced(sizes, y=LABELS, *, sample_weight=None, masks=None, optimizer=None, **options):
    net = gm.Network(sizes, random_state=1, **options)
    return gm.trace(net, X, y, sample_weight, masks=masks, optimizer=optimizer)


def masks():
    return {1: (RNG.random((6, 5)) < 0.5) * 2.0}


TRACES = {
    "toy": of_toy,
    "no hidden layer": lambda: traced([4, 3]),
    "two hidden layers": lambda: traced([4, 6, 5, 3], activation="tanh"),
    "relu, penalty": lambda: traced([4, 5, 3], activation="relu", l2=0.1),
    "leaky relu, weights": lambda: traced([4, 5, 3], activation="leaky_relu", sample_weight=[1, 2, 0, 1, 3, 1]),
    "gelu, soft labels": lambda: traced([4, 5, 3], SOFT, activation="gelu"),
    "selu, squared error": lambda: traced([4, 5, 3], activation="selu", loss="squared_error"),
    "mish, sigmoid outputs": lambda: traced(
        [4, 5, 3], (SOFT > 0.3).astype(float), activation="mish", output="sigmoid", loss="binary_cross_entropy"
    ),
    "silu, dropout": lambda: traced([4, 5, 3], activation="silu", masks=masks()),
    "float32, Adam": lambda: traced([4, 5, 3], dtype="float32", optimizer=gm.optimizers.Adam(0.01)),
    "momentum": lambda: traced([4, 5, 3], optimizer=gm.optimizers.SGD(0.1, momentum=0.9)),
    "one row": lambda: gm.trace(gm.Network([4, 5, 3], random_state=1), X[:1], [2]),
}
