"""The cases of the tests of traces: networks of the grid with their data, dropout masks and dtypes."""

from dataclasses import dataclass

import numpy as np

from glassmax import trace
from glassmax.functional import ACTIVATIONS
from glassmax.functional.targets import as_rows
from tests.grid import SIZES, Case, heads
from tests.tracing.plain import plain_arrays


@dataclass(frozen=True)
class Traced:
    """A case of the grid, with or without dropout masks."""

    case: Case
    masked: bool = False

    def __str__(self):
        return f"{self.case}{' masked' * self.masked}"

    def masks(self):
        """Return a mask for each hidden layer, 0 or 2."""
        if not self.masked:
            return None
        draw = np.random.default_rng(5)
        sizes = self.case.sizes[1:-1]
        return {layer: 2.0 * (draw.random((6, h)) < 0.5) for layer, h in enumerate(sizes, start=1)}

    def trace(self, dtype="float64"):
        X, y, w = self.case.data()
        return trace(self.case.network(dtype), X, y, w, masks=self.masks())

    def plain(self):
        """Return every array in plain NumPy; rows of weight 0 are absent."""
        network, (X, y, w) = self.case.network(), self.case.data()
        kept = slice(None) if w is None else w > 0
        parameters = dict(network.parameters)
        Y = as_rows(np.asarray(y), self.case.sizes[-1])[kept]
        masks = {layer: mask[kept] for layer, mask in self.masks().items()} if self.masked else None
        activations = [self.case.activation] * (len(self.case.sizes) - 2)
        head = activations, self.case.output, self.case.loss
        return plain_arrays(parameters, X[kept], Y, None if w is None else w[kept], *head, self.case.l2, masks)


def _of(sizes, activation, **options):
    settings = {"output": "softmax", "loss": "cross_entropy", "kind": "indices", "weighted": False} | options
    return Case(sizes, activation, **settings)


CASES = [
    *map(Traced, heads()),
    *(Traced(_of(SIZES[2], activation, l2=0.1)) for activation in ACTIVATIONS),
    *(Traced(_of(SIZES[2], activation, kind="soft", weighted=True), masked=True) for activation in ACTIVATIONS),
    *(Traced(_of(SIZES[0], "identity", loss=loss, weighted=True)) for loss in ("cross_entropy", "squared_error")),
    Traced(_of(SIZES[0], "identity", output="sigmoid", loss="binary_cross_entropy", kind="one-hot", l2=0.1)),
    Traced(_of(SIZES[4], "tanh", l2=0.1)),
]

FEW = [
    Traced(_of(SIZES[1], "sigmoid")),
    Traced(_of(SIZES[1], "tanh", kind="soft", weighted=True, l2=0.1), masked=True),
    Traced(_of(SIZES[2], "gelu", loss="squared_error", weighted=True)),
    Traced(_of(SIZES[1], "relu", loss="candidate_cross_entropy", kind="soft")),
    Traced(_of(SIZES[1], "elu", output="sigmoid", loss="binary_cross_entropy", kind="one-hot", l2=0.1)),
    Traced(_of(SIZES[0], "identity", output="identity", loss="squared_error", kind="soft")),
]
