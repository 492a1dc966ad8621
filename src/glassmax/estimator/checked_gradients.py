"""The gradients of a fit, compared with derivatives measured from its loss alone."""

from typing import Any

import numpy as np

from ..engine import Data, dropout_masks, mixed_rows
from ..gradcheck import Report
from ..network import Network
from .labels import Labels, weigh_rows
from .options import make_plan

__all__ = ["checked_gradients"]


def checked_gradients(classifier: Any, network: Network, labels: Labels, data: Data, random_state: int) -> Report:
    """Compare the gradients of a fit on some rows, see `SoftmaxClassifier.check_gradients`."""
    data = data._replace(weight=weigh_rows(classifier.class_weight, labels, data.weight, named=True))
    regularization = make_plan(classifier).regularization._replace(seed=classifier._training_state.seed)
    exact = network.astype(np.float64)
    exact.l2 = regularization.alpha / (data.n_rows * data.mean_weight)
    rows = np.arange(data.n_rows)
    data, rows = mixed_rows(exact, data, regularization, 0, rows)
    masks = dropout_masks(exact, regularization, 0, rows)
    return exact.check_gradients(*data, masks=masks, random_state=random_state)
