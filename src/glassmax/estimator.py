"""SoftmaxClassifier: the scikit-learn face of a softmax network.

It checks what users give, numbers their classes, and reads the stream of epochs; the arithmetic is in `network`,
`optimizers` and `training`. Parameter names and defaults are those of scikit-learn's MLPClassifier where the idea is
the same. This module refuses to compute a gradient.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from .engine import Data, best_engine, blocks
from .errors import LabelError, OptionError
from .functional import log_softmax, softmax
from .functional.arrays import Array
from .model import Model
from .network import Network
from .optimizers import Rule, State
from .options import ALIASES, check_options, hidden_sizes
from .training import Epoch, Patience, fit, holdout, smaller

__all__ = ["SoftmaxClassifier"]


def _sees_all_rows_at_once(classifier: "SoftmaxClassifier") -> bool:
    """Say whether there is a `partial_fit`; an estimator that can't have it must not show it."""
    if classifier.early_stopping:
        raise OptionError("partial_fit sees one batch of rows at a time, so early_stopping must be False.")
    if isinstance(classifier.class_weight, str) and classifier.class_weight == "balanced":
        raise OptionError(
            "partial_fit doesn't know how frequent the classes are: class_weight is 'balanced', "
            "expected None or a dict of weights."
        )
    return True


class SoftmaxClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A dense network with softmax output, trained on cross-entropy by exact backpropagation.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer, each >= 1; ``()`` is multinomial logistic regression.
    activation : str, default="relu"
        Of the hidden layers: one of `glassmax.functional.ACTIVATIONS`; "logistic" is another name of "sigmoid".
    solver : {"adam", "sgd"}, default="adam"
        The rule that moves the weights.
    alpha : float, default=0.0001
        >= 0. A batch of m rows adds ``alpha/2 * sum of W^2 / (m * mean sample weight)`` to its loss; biases are left
        out.
    batch_size : int or "auto", default="auto"
        Rows of a mini-batch, >= 1; "auto" is ``min(200, n)``. More than n counts as n.
    learning_rate_init : float, default=0.001
        > 0, per step.
    max_iter : int, default=200
        >= 1: most epochs.
    shuffle : bool, default=True
        Whether each epoch has an order of its own.
    random_state : int, RandomState or None, default=None
        Seed of the starting weights, the shuffles and the validation share.
    tol : float, default=1e-4
        >= 0: an epoch improves if its loss falls below the best by more than this.
    verbose : bool, default=False
        Whether to print a line for each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the last fit's weights (and moments) instead of starting anew.
    momentum : float, default=0.9
        In [0, 1); solver "sgd" only.
    nesterovs_momentum : bool, default=True
        Solver "sgd" only.
    early_stopping : bool, default=False
        Whether to hold out `validation_fraction` of the rows, stop when their log-loss no longer improves, and put
        back the weights of the best epoch.
    validation_fraction : float, default=0.1
        In (0, 1): the share held out, every class in proportion.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Solver "adam" only.
    n_iter_no_change : int, default=10
        >= 1: stop after more than so many epochs in a row without improvement.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied with the sample weights. "balanced" gives every class the same total.

    Attributes
    ----------
    classes_ : (k,) array
        The labels, sorted.
    network_ : Network
        The live network: ``network_.parameters["W1"]`` is ``coefs_[0]``, the same memory.
    coefs_, intercepts_ : lists of arrays
        W_l, (h_{l-1}, h_l), and b_l, (h_l,). Two classes are a softmax of two: ``coefs_[-1]`` is (h, 2).
    loss_ : float
        Training loss of the last epoch, penalty included.
    best_loss_ : float or None
        The least training loss of an epoch; None with early stopping.
    loss_curve_ : list of float
        Training loss of each epoch.
    validation_loss_curve_, validation_scores_ : list of float, or None
        Log-loss and accuracy on the rows held out, after each epoch; None without early stopping.
    best_validation_score_ : float or None
        The greatest of `validation_scores_`.
    n_iter_ : int
        Epochs run.
    t_ : int
        Rows seen in training.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.
    n_layers_, n_outputs_, out_activation_
        Layers (input and output included), k, and "softmax".

    See Also
    --------
    glassmax.Network : The same network without labels and training.

    Examples
    --------
    >>> from glassmax import SoftmaxClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = SoftmaxClassifier((10,), learning_rate_init=0.05, random_state=0).fit(X, y)
    >>> classifier.score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: "int | np.random.RandomState | None" = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        class_weight: "dict[Any, float] | str | None" = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Train on the rows of X.

        Parameters
        ----------
        X : (n, d) array
            Rows are samples; float32 and float64 are kept, other numbers become float64.
        y : (n,) array
            Labels of any kind, at least two different ones.
        sample_weight : (n,) array, optional
            Numbers >= 0, not all 0.

        Returns
        -------
        self

        Raises
        ------
        DivergenceError
            If the loss is no longer finite; the estimator then holds the last good weights.
        OptionError, ValueError
            If a parameter or the data are out of range.
        """
        try:
            for _ in self.fit_epochs(X, y, sample_weight):
                pass
        except KeyboardInterrupt:
            if not getattr(self, "n_iter_", 0):
                raise
            warnings.warn("Training was interrupted; the weights so far are kept.", stacklevel=2)
        return self

    def fit_epochs(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Iterator[Epoch]:
        """Do what `fit` does, one epoch for each item taken: for progress bars and plots.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Yields
        ------
        glassmax.training.Epoch
            The estimator can predict at any time in between.
        """
        rule = check_options(self)
        go_on = self.warm_start and hasattr(self, "network_")
        with self._unchanged_on_error():
            X, y, sample_weight = self._check_data(X, y, sample_weight, reset=not go_on)
            self._number_classes(y, known=self.classes_ if go_on else None)
            data = self._weigh(X, y, sample_weight)
            if go_on:
                self._go_on(rule)
            else:
                self._start(X, rule)
        train, validation = self._hold_out(data) if self.early_stopping else (data, None)
        patience = Patience(self.network_, self.tol, self.n_iter_no_change)
        self.n_iter_, stopped = 0, False
        epochs = self._epochs(train, validation, rule, self.max_iter)
        try:
            for epoch in epochs:
                self._record(epoch)
                stopped = patience.exhausted(epoch)
                yield epoch
                if stopped:
                    break
        finally:
            if self.early_stopping and np.isfinite(patience.best_loss):
                self.network_.theta = patience.best_theta
            self.best_loss_ = None if self.early_stopping else patience.best_loss
        if self.diverged_:
            warnings.warn(
                f"The training loss went from {self.loss_curve_[-self.n_iter_]:.3g} to {self.loss_:.3g}: the steps are "
                f"too long. Try learning_rate_init={smaller(self.learning_rate_init):g}, and inputs scaled to about 1.",
                ConvergenceWarning,
                stacklevel=3,
            )
        elif not stopped:
            warnings.warn(
                f"Training ended after max_iter={self.max_iter} epochs and was still improving. "
                "Raise max_iter, or learning_rate_init.",
                ConvergenceWarning,
                stacklevel=3,
            )

    @available_if(_sees_all_rows_at_once)  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        classes: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Go on by one epoch over the rows given.

        There is no such method with early_stopping or class_weight="balanced", which need all rows at once.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`; y may lack some of the classes.
        classes : (k,) array, optional
            All labels there will ever be; required at the first call, optional later.

        Returns
        -------
        self
        """
        rule = check_options(self)
        first = not hasattr(self, "network_")
        if first and classes is None:
            raise OptionError("classes is None, expected all labels there will be at the first call of partial_fit.")
        X, y, sample_weight = self._check_data(X, y, sample_weight, reset=first)
        known = np.unique(np.asarray(classes)) if classes is not None else self.classes_
        if not first and not np.array_equal(known, self.classes_):
            raise LabelError(
                f"classes are {known.tolist()}, expected those of the first call: {self.classes_.tolist()}."
            )
        self._number_classes(y, known=known)
        data = self._weigh(X, y, sample_weight)
        if first:
            self._start(X, rule)
        else:
            self._go_on(rule)
        for epoch in self._epochs(data, None, rule, 1):
            self._record(epoch)
        self.best_loss_ = min(self.loss_curve_)
        return self

    def predict(self, X: npt.ArrayLike) -> Array:
        """Return the most probable label of each row.

        Parameters
        ----------
        X : (n, d) array

        Returns
        -------
        (n,) array of labels
        """
        index = np.concatenate([Z.argmax(axis=1) for Z in self._logits(X)])
        return self.classes_[index]

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """Return the probability of each class for each row.

        Parameters
        ----------
        X : (n, d) array

        Returns
        -------
        (n, k) array
            Columns in the order of `classes_`; rows sum to 1.
        """
        return np.concatenate([softmax(Z) for Z in self._logits(X)])

    def predict_log_proba(self, X: npt.ArrayLike) -> Array:
        """Return the logarithm of `predict_proba`, right where the probabilities have underflown.

        Parameters
        ----------
        X : (n, d) array

        Returns
        -------
        (n, k) array
        """
        return np.concatenate([log_softmax(Z) for Z in self._logits(X)])

    def decision_function(self, X: npt.ArrayLike) -> Array:
        """Return the logits; for two classes their difference, second less first.

        Parameters
        ----------
        X : (n, d) array

        Returns
        -------
        (n, k) array, or (n,) for two classes
        """
        Z = np.concatenate(list(self._logits(X)))
        return Z[:, 1] - Z[:, 0] if len(self.classes_) == 2 else Z

    def to_model(self) -> Model:
        """Return network and classes as a `Model`, which can be saved and needs no scikit-learn to predict.

        Returns
        -------
        glassmax.model.Model
        """
        check_is_fitted(self, "network_")
        return Model(self.network_, self.classes_, record={"epochs": self.n_iter_, "training_loss": self.loss_})

    @classmethod
    def from_model(cls, model: Model, **parameters: Any) -> Self:
        """Return a fitted estimator around a model's network, to predict with or to go on with.

        Parameters
        ----------
        model : Model
            With softmax output, trained on arrays or on a table; the network is shared, not copied.
        **parameters
            Of the constructor; ``warm_start=True`` lets `fit` go on from the model's weights. Hidden layers and
            activation are the model's.

        Returns
        -------
        SoftmaxClassifier

        Raises
        ------
        OptionError
            If the model is no softmax classifier with one activation.
        """
        network = model.network
        if network.head.output != "softmax" or len(set(network.activations)) > 1:
            raise OptionError(f"The model is {network!r}, expected softmax output and one activation for all layers.")
        activation = network.activations[0] if network.activations else "relu"
        classifier = cls(network.layer_sizes[1:-1], activation, **parameters)
        rule = check_options(classifier)
        classifier._open_records(network, rule)
        classifier.classes_ = model.classes
        classifier.n_features_in_ = network.layer_sizes[0]
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
        return list(self._fitted().parameters.W.values())

    @property
    def intercepts_(self) -> list[Array]:
        """The biases, b1 first: views of ``network_.theta``."""
        return list(self._fitted().parameters.b.values())

    @property
    def diverged_(self) -> bool:
        """Whether the training loss ended above where it began, or far above chance: the steps were too long."""
        last, first = self.loss_, self.loss_curve_[-self.n_iter_] if self.n_iter_ else self.loss_
        return self.n_iter_ > 1 and bool(last > max(first, np.log(len(self.classes_))) or last > 1e4)

    @property
    def n_layers_(self) -> int:
        """Layers, input and output included."""
        return len(self._fitted().layer_sizes)

    @property
    def n_outputs_(self) -> int:
        """The number of classes."""
        return self._fitted().layer_sizes[-1]

    @property
    def out_activation_(self) -> str:
        """The output function: "softmax"."""
        return self._fitted().head.output

    def _fitted(self) -> Network:
        if not hasattr(self, "network_"):
            raise AttributeError("This SoftmaxClassifier is not fitted yet. Call fit first.")
        return self.network_

    def _check_data(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Array, Array, Array | None]:
        X, y = validate_data(
            self, X, y, accept_sparse=False, dtype=(np.float64, np.float32), multi_output=True, reset=reset
        )
        if type_of_target(y).startswith("multilabel") or (np.ndim(y) == 2 and np.shape(y)[1] > 1):
            raise LabelError(
                f"y is {np.shape(y)}, expected (n,): one label a row. For one-hot rows pass y.argmax(axis=1)."
            )
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if sample_weight is not None:
            if not np.any(np.asarray(sample_weight) != 0):
                raise LabelError("sample_weight is zero for every row, expected at least one number > 0.")
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        return X, y, sample_weight

    @contextmanager
    def _unchanged_on_error(self) -> Iterator[None]:
        """Keep the last fit whole where the data of the next are refused."""
        before = dict(self.__dict__)
        try:
            yield
        except Exception:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _number_classes(self, y: Array, known: Array | None) -> None:
        """Set `classes_`, or check that y holds none that are not `known`."""
        found = np.unique(y)
        holder, known = ("y", found) if known is None else ("classes", known)
        if len(known) < 2:
            raise LabelError(
                f"{holder} holds one class, {known.tolist()[0]!r}, expected at least two different labels."
            )
        new = np.setdiff1d(found, known).tolist()
        if new:
            raise LabelError(
                f"y holds {', '.join(map(repr, new[:5]))}, expected only the classes of before: {known.tolist()}. "
                "A network can't grow classes: fit a new one with warm_start=False."
            )
        self.classes_ = known

    def _weigh(self, X: Array, y: Array, sample_weight: Array | None) -> Data:
        """Return class indices and weights: sample weights times class weights."""
        index = np.searchsorted(self.classes_, y)
        if self.class_weight is None:
            return Data(X, index, sample_weight)
        if self.class_weight == "balanced":  # scikit-learn 1.6 can't weigh rows in this
            total = np.bincount(index, sample_weight, minlength=len(self.classes_))
            shares = total.sum() / np.count_nonzero(total)
            of_class = np.divide(shares, total, out=np.zeros(len(total)), where=total > 0)
        else:
            of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        if not ((of_class >= 0) & np.isfinite(of_class)).all():
            raise OptionError(f"class_weight is {self.class_weight!r}, expected numbers >= 0.")
        weight = of_class[index] if sample_weight is None else of_class[index] * sample_weight
        if not weight.any():
            raise LabelError("class_weight leaves no row a weight, expected at least one number > 0.")
        return Data(X, index, weight)

    def _start(self, X: Array, rule: Rule) -> None:
        """Draw the starting weights and empty the records."""
        draw = check_random_state(self.random_state)
        network = Network(
            [X.shape[1], *hidden_sizes(self), len(self.classes_)],
            activation=ALIASES.get(self.activation, self.activation),
            dtype=X.dtype,
            random_state=draw,
        )
        self._open_records(network, rule, draw)

    def _open_records(self, network: Network, rule: Rule, draw: "np.random.RandomState | None" = None) -> None:
        self.network_ = network
        self._draw = check_random_state(self.random_state) if draw is None else draw
        self._state: State = rule.init(network.theta)
        self._split: Any = None
        self.loss_, self.n_iter_, self.t_ = float("nan"), 0, 0
        self.loss_curve_: list[float] = []
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.validation_loss_curve_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_: float | None = None

    def _go_on(self, rule: Rule) -> None:
        """Take up the last run: its network, and its moments if the solver is the same."""
        network, activation = self.network_, ALIASES.get(self.activation, self.activation)
        if network.layer_sizes[1:-1] != hidden_sizes(self) or not set(network.activations) <= {activation}:
            raise OptionError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r}, activation={self.activation!r} describe another "
                f"network than the one to go on with, {network!r}. Put them back, or fit with warm_start=False."
            )
        state = rule.init(network.theta)
        if state.keys() != self._state.keys():
            self._state = state

    def _hold_out(self, data: Data) -> tuple[Data, Data]:
        """Split the rows; a warm start splits them as before, so that no row is judged that was trained on."""
        draw = self._draw
        if self._split is None:
            self._split = draw.get_state()
        else:
            draw = np.random.RandomState()
            draw.set_state(self._split)
        kept, held_out = holdout(data.y, self.validation_fraction, draw)
        if len(held_out) == 0:
            raise OptionError(
                f"validation_fraction={self.validation_fraction:g} of {len(data.y)} rows holds out none, because every "
                "class must keep a row. Pass more rows, or early_stopping=False."
            )
        for rows, which in ((kept, "to train on"), (held_out, "held out")):
            if data.weight is not None and not data.weight[rows].any():
                raise OptionError(
                    f"sample_weight leaves no class a weight {which}, by validation_fraction="
                    f"{self.validation_fraction:g}. Pass more rows with a weight, or early_stopping=False."
                )
        return data.rows(kept), data.rows(held_out)

    def _epochs(self, train: Data, validation: Data | None, rule: Rule, max_epochs: int) -> Iterator[Epoch]:
        return fit(
            self.network_,
            best_engine(),
            train,
            rule,
            self._state,
            self._draw,
            batch_size=200 if self.batch_size == "auto" else int(self.batch_size),
            max_epochs=max_epochs,
            alpha=self.alpha,
            shuffle=self.shuffle,
            validation=validation,
        )

    def _record(self, epoch: Epoch) -> None:
        self.n_iter_ += 1
        self.t_ += epoch.rows
        self.loss_ = epoch.loss
        self.loss_curve_.append(epoch.loss)
        line = f"epoch {self.n_iter_}: loss {epoch.loss:.6f}"
        if epoch.validation is not None:
            self.validation_scores_ = [*(self.validation_scores_ or []), epoch.validation.accuracy]
            self.validation_loss_curve_ = [*(self.validation_loss_curve_ or []), epoch.validation.log_loss]
            self.best_validation_score_ = max(self.validation_scores_)
            line += f", validation log-loss {epoch.validation.log_loss:.6f}, accuracy {epoch.validation.accuracy:.4f}"
        if self.verbose:
            print(line)  # noqa: T201 - what `verbose` asks for

    def _logits(self, X: Any) -> Iterator[Array]:
        if not hasattr(self, "network_"):
            raise NotFittedError("This SoftmaxClassifier is not fitted yet. Call fit first.")
        X = validate_data(self, X, accept_sparse=False, dtype=(np.float64, np.float32), reset=False)
        engine = best_engine()
        for block in blocks(self.network_, len(X)):
            yield engine.logits(self.network_, X[block])
