"""The rows that early stopping holds out of the training rows."""

from copy import deepcopy
from typing import Any

import numpy as np

from ..engine import Data
from ..errors import OptionError
from ..training import TrainingState, holdout
from .labels import most_probable_class

__all__ = ["hold_out"]


def hold_out(classifier: Any, data: Data, training: TrainingState, *, output: str) -> tuple[Data, Data]:
    """Split the rows in two, classes in proportion; a warm start and a resumed fit split as before.

    Parameters
    ----------
    classifier : SoftmaxClassifier
    data : Data
    training : TrainingState
        Draws the rows; its `split` is set by the first fit.
    output : {"softmax", "sigmoid"}

    Returns
    -------
    kept, held_out : Data

    Raises
    ------
    OptionError
        If no rows, or none with a weight, are kept or held out.
    """
    if training.split is None:
        training.split, draw = deepcopy(training.draw), training.draw
    else:  # the same rows, so that none is validated on that was trained on
        draw = deepcopy(training.split)
    share = classifier.validation_fraction
    of_class = np.zeros(len(data.y), int) if output == "sigmoid" else most_probable_class(data.y)
    kept, held_out = holdout(of_class, share, draw)
    if len(held_out) == 0:
        raise OptionError(
            f"validation_fraction={share:g} of {len(data.y)} rows holds out none, because every "
            "class must keep a row. Pass more rows, or early_stopping=False."
        )
    for rows, which in ((kept, "to train on"), (held_out, "held out")):
        if data.weight is not None and not data.weight[rows].any():
            raise OptionError(
                f"sample_weight leaves no class a weight {which}, by validation_fraction="
                f"{share:g}. Pass more rows with a weight, or early_stopping=False."
            )
    return data.rows(kept), data.rows(held_out)
