"""The rows that most tests of the estimator are about, their labels of every kind, and a classifier of a few epochs."""

import numpy as np
from sklearn.datasets import load_iris

from glassmax import SoftmaxClassifier

RAW, SPECIES = load_iris(return_X_y=True)
IRIS = (RAW - RAW.mean(axis=0)) / RAW.std(axis=0)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]

_draw = np.random.default_rng(3)
SOFT = 0.7 * np.eye(3)[SPECIES] + 0.3 * _draw.dirichlet([1, 1, 1], 150)
SEVERAL = np.c_[SPECIES > 0, IRIS[:, 0] > 0, IRIS[:, 1] > 0.5, IRIS[:, 2] > 0].astype(int)
W = _draw.uniform(0.2, 3, 150)
ORDER = _draw.permutation(150)
SEEN, UNSEEN = ORDER[:100], ORDER[100:]


def small(**options):
    """Return a classifier of a few epochs on a small network."""
    return SoftmaxClassifier(**{"hidden_layer_sizes": (6,), "max_iter": 4, "random_state": 0, **options})


def assert_same_bits(one, other):
    np.testing.assert_array_equal(one.network_.theta, other.network_.theta)
