"""A fitted classifier made from a model, to predict with or to train further."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..errors import OptionError
from ..functional.heads import LOSS_OF_OUTPUT
from ..model import Model
from ..network import Network
from .candidates import CANDIDATES
from .fitted_state import FittedState
from .options import make_plan

__all__ = ["begun_from_model"]

LAST_LAYER = ("softcap", "softmax_temperature", "output_bias", "class_embeddings")


def begun_from_model(cls: Any, model: Model, parameters: dict[str, Any]) -> Any:
    """Return a classifier of the class with the network of a model, see `SoftmaxClassifier.from_model`."""
    if not isinstance(model, Model):
        raise OptionError(
            parameter="model", came=repr(model), expected="a Model: load_model(path) reads one from a file"
        )
    if len(model.networks) > 1:
        remedy = "Model(model.networks[0], model.classes) is a model of the first."
        came = f"a model of {len(model.networks)} networks"
        raise OptionError(parameter="model", came=came, expected="one network", remedy=remedy)
    brought = {"hidden_layer_sizes", "activation", "embedding", *LAST_LAYER} & set(parameters)
    if brought:
        raise OptionError(parameter=min(brought), came="given", expected="none: the model brings its own")
    network, head = model.network, model.network.head
    if head.output not in LOSS_OF_OUTPUT or not (head.fused or head.loss in ("squared_error", CANDIDATES)):
        expected = "softmax or sigmoid output with a loss of its own"
        raise OptionError(f"The model is {network!r}, expected {expected}.", parameter="model")
    activations = network.activations
    activation = activations[0] if len(set(activations)) == 1 else list(activations) or "relu"
    loss = "cross_entropy" if head.fused else head.loss
    brings = {"output": head.output, "loss": loss, "embedding": network.embedding, **_last_layer_of(network)}
    classifier = cls(network.layer_sizes[1:-1], activation, **{**brings, **parameters})
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


def _last_layer_of(network: Network) -> dict[str, Any]:
    """Return the parameters of a classifier that describe the last layer of a network."""
    if network.head.output != "softmax":
        return {}
    head, last = network.head, network.depth
    return {
        "z_loss": head.z_loss,
        "softcap": head.softcap,
        "softmax_temperature": head.temperature,
        "output_bias": f"b{last}" not in network.frozen,
        "class_embeddings": network.parameters.W[last].T if f"W{last}" in network.frozen else None,
    }
