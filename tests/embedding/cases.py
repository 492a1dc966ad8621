"""Networks with an embedding, and rows for them: every kind of embedding, alone and together."""

import numpy as np

from glassmax import Embedding, Network

D = 9
EDGES = {1: [-1.0, 0.0, 0.5, 2.0], 2: [-1.0, 1.0]}
BLOCKS = [(3, 6, 2), (7, 9, 1)]

EMBEDDINGS = {
    "periodic": Embedding(D, periodic=[0, 2, 8], frequencies=5),
    "piecewise linear": Embedding(D, edges=EDGES),
    "categories": Embedding(D, blocks=BLOCKS),
    "all": Embedding(D, periodic=[0, 2], frequencies=5, size=2, edges=EDGES, blocks=BLOCKS),
    "nothing left": Embedding(D, blocks=[(0, 4, 2), (4, 9, 3)]),
    "as they are": Embedding(D),
}


def rows(n=8, k=3, dtype="float64"):
    """Return X, y and weights; the columns of the blocks are 0 and 1, as one-hot columns are."""
    draw = np.random.default_rng(3)
    X = draw.standard_normal((n, D))
    for start, stop, _ in BLOCKS:
        X[:, start:stop] = np.eye(stop - start)[draw.integers(stop - start, size=n)]
    return X.astype(dtype), draw.integers(k, size=n), draw.integers(0, 4, n) / 2


def network(name="all", sizes=(6, 3), dtype="float64", **options):
    """Return a network with an embedding; tanh has no kink, and the starting weights of "mlp" no zeros."""
    embedding = EMBEDDINGS[name]
    return Network([embedding.width, *sizes], activation="tanh", embedding=embedding, dtype=dtype, **options)
