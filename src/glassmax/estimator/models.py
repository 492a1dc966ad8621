"""From a fitted classifier to a `Model`, and back."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..errors import OptionError
from ..functional.heads import LOSS_OF_OUTPUT
from ..model import Model
from .fitted_state import FittedState
from .options import make_plan

__all__ = ["classifier_of", "model_of"]


def model_of(classifier: Any) -> Model:
    """Return the network and the classes of a fitted classifier."""
    columns = getattr(classifier, "feature_names_in_", None)
    return Model(
        classifier.network_,
        classifier.classes_,
        columns=None if columns is None else columns.tolist(),
        record={"epochs": classifier.n_iter_, "training_loss": classifier.loss_},
    )


def classifier_of(cls: type, model: Any, parameters: dict[str, Any]) -> Any:
    """Return a fitted classifier of the class `cls` with the network of a model."""
    if not isinstance(model, Model):
        raise OptionError(f"model is {model!r}, expected a Model: load_model(path) reads one from a file.")
    brought = {"hidden_layer_sizes", "activation"} & set(parameters)
    if brought:
        raise OptionError(f"{min(brought)} is given, expected none: the model brings its own.")
    network, head = model.network, model.network.head
    if head.output not in LOSS_OF_OUTPUT or not (head.fused or head.loss == "squared_error"):
        raise OptionError(f"The model is {network!r}, expected softmax or sigmoid output with a loss of its own.")
    activations = network.activations
    activation: Any = activations[0] if len(set(activations)) == 1 else list(activations) or "relu"
    loss = "squared_error" if head.loss == "squared_error" else "cross_entropy"
    given = {"output": head.output, "loss": loss, **parameters}
    classifier: Any = cls(network.layer_sizes[1:-1], activation, **given)
    FittedState.begin(
        classifier,
        make_plan(classifier),
        network,
        check_random_state(classifier.random_state),
        classes=model.classes,
        init=("model",) * network.depth,
        feature_names_in=None if model.columns is None else np.array(model.columns, object),
    ).commit(classifier)
    return classifier
