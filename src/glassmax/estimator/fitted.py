"""What a fitted classifier has besides its predictions: its weights by name, its gradients, and a model to save.

This module refuses to train.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from ..engine import Data, blocks, dropout_masks
from ..errors import OptionError
from ..functional.arrays import Array
from ..gradcheck import Report
from ..model import Model
from ..network import Network
from .inputs import check_rows
from .labels import Labels, read_labels, weigh_rows
from .options import check_options

__all__ = ["Fitted"]


class Fitted:
    """The part of `SoftmaxClassifier` that looks into the fitted network."""

    if TYPE_CHECKING:
        network_: Network
        classes_: Array
        init: str

        def __init__(self, *arguments: Any, **parameters: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...

    def gradient_norms(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Array:
        """Return the exact length of each row's own gradient, ``|| dL_i/dtheta ||``; the longest are often mislabelled.

        Parameters
        ----------
        X, y
            As for `fit`.

        Returns
        -------
        (n,) array of float64
            Of the row's own loss, label smoothing included; without weights, penalty and dropout.

        Notes
        -----
        Cost: less than an epoch; no gradient of a row is ever formed. See `Network.gradient_norms`.

        Examples
        --------
        >>> from glassmax import SoftmaxClassifier
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> y[7] = 2    # a setosa called virginica
        >>> classifier = SoftmaxClassifier(learning_rate_init=0.01, random_state=0, max_iter=100, tol=0.01).fit(X, y)
        >>> int(classifier.gradient_norms(X, y).argmax())
        7
        """
        (_, data), network = self._known_rows(X, y, None), self.network_
        norms = [network.gradient_norms(*data.rows(block)[:2]) for block in blocks(network, len(data.y))]
        return np.concatenate(norms)

    def check_gradients(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        random_state: int = 0,
    ) -> Report:
        """Hold the gradients of this very fit against derivatives measured from its loss alone.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`; a few dozen rows will do.
        random_state : int, default=0
            Seed of the directions.

        Returns
        -------
        glassmax.gradcheck.Report
            A line for each parameter and a verdict. The loss is the one trained on, of these rows: with class weights
            (balanced over them), label smoothing, alpha, and the dropout masks of the first step.

        Examples
        --------
        >>> from glassmax import SoftmaxClassifier
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> classifier = SoftmaxClassifier((5,), "tanh", random_state=0, max_iter=20, tol=1.0).fit(X, y)
        >>> print(classifier.check_gradients(X, y))
        parameter  shape   relative error  verdict
        W1         (4, 5)         < 1e-12  correct
        b1         (5,)           < 1e-12  correct
        W2         (5, 3)         < 1e-12  correct
        b2         (3,)           < 1e-12  correct
        correct: each derivative agrees with the complex step to 1e-10
        """
        labels, data = self._known_rows(X, y, sample_weight)
        weight = weigh_rows(self.class_weight, labels, data.weight, named=True)
        data = data._replace(weight=weight)
        recipe = check_options(self).recipe._replace(seed=self._standing.seed)
        exact = self.network_.astype(np.float64)
        exact.l2 = recipe.alpha / (len(data.y) * data.mean_weight)
        masks = dropout_masks(exact, recipe, 0, np.arange(len(data.y)))
        return exact.check_gradients(*data, masks=masks, random_state=random_state)

    def to_model(self) -> Model:
        """Return network and classes as a `Model`, which can be saved and needs no scikit-learn to predict.

        Returns
        -------
        glassmax.model.Model
        """
        self._check_fitted()
        columns = getattr(self, "feature_names_in_", None)
        return Model(
            self.network_,
            self.classes_,
            columns=None if columns is None else columns.tolist(),
            record={"epochs": self.n_iter_, "training_loss": self.loss_},
        )

    @classmethod
    def from_model(cls, model: Model, **parameters: Any) -> Self:
        """Return a fitted estimator around a model's network, to predict with or to go on with.

        Parameters
        ----------
        model : Model
            With softmax or sigmoid output, trained on arrays or on a table; the network is shared, not copied.
        **parameters
            Of the constructor; ``warm_start=True`` lets `fit` go on from the model's weights. Hidden layers,
            activation, output and loss are the model's.

        Returns
        -------
        SoftmaxClassifier

        Raises
        ------
        OptionError
            If the model is no classifier of this kind.
        """
        if not isinstance(model, Model):
            raise OptionError(f"model is {model!r}, expected a Model: load_model(path) reads one from a file.")
        brought = {"hidden_layer_sizes", "activation"} & set(parameters)
        if brought:
            raise OptionError(f"{min(brought)} is given, expected none: the model brings its own.")
        network, head = model.network, model.network.head
        if head.output not in ("softmax", "sigmoid") or not (head.fused or head.loss == "squared_error"):
            raise OptionError(f"The model is {network!r}, expected softmax or sigmoid output with a loss of its own.")
        activations = network.activations
        activation: Any = activations[0] if len(set(activations)) == 1 else list(activations) or "relu"
        loss = "squared_error" if head.loss == "squared_error" else "cross_entropy"
        given = {"output": head.output, "loss": loss, **parameters}
        classifier: Any = cls(network.layer_sizes[1:-1], activation, **given)
        classifier._open_records(check_options(classifier), network, check_random_state(classifier.random_state))
        classifier.classes_ = model.classes
        classifier.n_features_in_ = network.layer_sizes[0]
        classifier.init_ = ("model",) * network.depth
        if model.columns is not None:
            classifier.feature_names_in_ = np.array(model.columns, object)
        return classifier

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a file, whole or not at all; see `glassmax.load_model`.

        Parameters
        ----------
        path : str or Path
            By custom it ends in ``.safetensors``.
        """
        self.to_model().save(path)

    @property
    def coefs_(self) -> list[Array]:
        """The weights, W1 first: views of ``network_.theta``."""
        return list(self._known_network().parameters.W.values())

    @property
    def intercepts_(self) -> list[Array]:
        """The biases, b1 first: views of ``network_.theta``."""
        return list(self._known_network().parameters.b.values())

    @property
    def diverged_(self) -> bool:
        """Whether the training loss ended above where it began, and above chance: the steps were too long."""
        self._check_fitted()
        last, first = self.loss_, self.loss_curve_[-self.n_iter_] if self.n_iter_ else self.loss_
        return self.n_iter_ > 1 and self.solver != "lbfgs" and bool(last > max(first, self._chance()))

    def _chance(self) -> float:
        """The loss of a network that knows nothing."""
        return self.network_.head.chance(len(self.classes_))

    @property
    def n_layers_(self) -> int:
        """Layers, input and output included."""
        return len(self._known_network().layer_sizes)

    @property
    def n_outputs_(self) -> int:
        """The number of classes."""
        return self._known_network().layer_sizes[-1]

    @property
    def out_activation_(self) -> str:
        """The output function: "softmax" or "sigmoid"."""
        return self._known_network().head.output

    def _is_multilabel(self) -> bool:
        self._check_fitted()
        return self.network_.head.output == "sigmoid"

    def _known_network(self) -> Network:
        self._check_fitted()
        return self.network_

    def _check_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise NotFittedError("This SoftmaxClassifier is not fitted yet. Call fit first.")

    def _known_rows(self, X: Any, y: Any, sample_weight: Any) -> tuple[Labels, Data]:
        """Return the labels, and the rows as the fitted network takes them, targets smoothed."""
        self._check_fitted()
        X, y, sample_weight = check_rows(self, X, y, sample_weight, reset=False)
        head = self.network_.head
        labels = read_labels(y, head.output, self.classes_)
        smoothing = self.label_smoothing
        T = head.smoothed(labels.T, len(self.classes_), smoothing) if smoothing else labels.T
        return labels, Data(X, T, sample_weight)
