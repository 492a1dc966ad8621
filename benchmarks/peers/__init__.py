"""The contenders of the speed benchmarks, each made to train as its own users would make it.

A contender is a class with ``Contender(shape, X, y, start, threads, shuffle, seed)``, where `start` holds the starting
weights W1, b1, W2, ...; ``begin()`` puts them back, moments too; ``epochs(count)`` trains and returns the mean training
loss of each epoch once all work is done; ``probabilities(X)`` predicts. What a library offers that makes it faster is
taken. `shuffle` is True for an order that the library draws, False for none, "alike" for the orders that MLPClassifier
and we draw for that seed. ``setup`` says how many seconds of the last ``epochs`` went by before the first of them.
"""

from importlib import import_module

import numpy as np

CONTENDERS = {
    "glassmax": ("ours", "Estimator"),
    "glassmax engine": ("ours", "Engine"),
    "glassmax model file": ("ours", "FromFile"),
    "16 MB": ("ours", "Small"),
    "label smoothing": ("ours", "Smoothed"),
    "sample weights": ("ours", "Weighted"),
    "z-loss": ("ours", "ZLoss"),
    "softcap": ("ours", "Softcapped"),
    "scikit-learn": ("scikit", "Contender"),
    "PyTorch": ("pytorch", "Eager"),
    "PyTorch fused Adam": ("pytorch", "Fused"),
    "PyTorch, all threads": ("pytorch", "FusedAdam"),
    "linear_cross_entropy": ("pytorch", "FusedLoss"),
    "linear_cross_entropy, 256 rows": ("pytorch", "FusedLossByHand"),
    "PyTorch compiled": ("pytorch", "Compiled"),
    "PyTorch in blocks": ("pytorch", "Blocks"),
    "JAX": ("by_jax", "Contender"),
    "products by NumPy": ("products", "Numpy"),
    "products by SciPy": ("products", "Scipy"),
    "products by PyTorch": ("pytorch", "Products"),
    "products by JAX": ("by_jax", "Products"),
}
PEERS = ["scikit-learn", "PyTorch", "PyTorch fused Adam", "PyTorch compiled", "JAX"]
FLOORS = [name for name in CONTENDERS if name.startswith("products")]

LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


class Orders:
    """The orders of the rows that MLPClassifier and we draw, epoch by epoch, after the starting weights."""

    def __init__(self, shape, seed):
        self.draw, self.order = np.random.RandomState(seed), np.arange(shape.rows)
        self.draw.uniform(size=shape.parameters)

    def __next__(self):
        self.order = self.order[self.draw.permutation(len(self.order))]
        return self.order


def errors_by_row(found, exact):
    """Return for each array the largest difference of an entry over the largest entry of its row; inf for no number."""
    errors = {}
    for name, values in exact.items():
        rows = np.atleast_2d(values)
        differences = np.abs(np.atleast_2d(found[name]) - rows).max(axis=1)
        error = float((differences / np.abs(rows).max(axis=1).clip(1e-300)).max())
        errors[name] = error if np.isfinite(error) else np.inf
    return errors


def contender(name):
    """Return the class; its library is imported only now."""
    module, of_class = CONTENDERS[name]
    return getattr(import_module(f"peers.{module}"), of_class)
