"""SoftmaxClassifier: what users call.

Parameter names, defaults and meanings are those of scikit-learn's MLPClassifier wherever it has them. This module
refuses to compute a gradient.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state

from ..engine import Data, best_engine, logits
from ..errors import DivergenceError, LabelError, OptionError
from ..functional.arrays import Array
from ..initializers import schemes_of
from ..network import Network
from ..training import Epoch, Patience, Standing, fit
from .availability import OnlyWherePossible
from .callbacks import CallbackSupport, Hooks, with_callbacks
from .fitted import Fitted
from .inputs import check_rows, check_X, column_names
from .labels import Labels, distinct, hard, read_labels, weigh_rows
from .notices import notice
from .options import Plan, activations_of, check_options, hidden_sizes, warn_of_ignored
from .run import Run, record, slow_down

__all__ = ["SoftmaxClassifier"]


def _is_learned(name: str) -> bool:
    """Whether an attribute holds what a fit has learned."""
    return (name.endswith("_") and not name.startswith("_")) or name in ("_standing", "_watch")


class SoftmaxClassifier(CallbackSupport, Fitted, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A dense network with softmax output, trained on cross-entropy by exact backpropagation.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer, each >= 1; ``()`` is multinomial logistic regression.
    activation : str or sequence of str, default="relu"
        Of the hidden layers, or one for each of them: of `glassmax.functional.ACTIVATIONS`; "logistic" is another name
        of "sigmoid".
    solver : {"adam", "adamw", "sgd", "lbfgs"}, default="adam"
        The rule that moves the weights. "adamw" is adam with `weight_decay` 0.01 and `alpha` 0 unless given. "lbfgs"
        takes all rows at once (SciPy's L-BFGS-B).
    alpha : float, default=0.0001
        >= 0. A batch of m rows adds ``alpha/2 * sum of W^2 / (m * mean sample weight)`` to its loss; biases are left
        out. With solver "adamw" the default counts as not given.
    batch_size : int or "auto", default="auto"
        Rows of a mini-batch, >= 1; "auto" is ``min(200, n)``. More than n counts as n. Not for "lbfgs".
    learning_rate : {"constant", "invscaling", "adaptive", "cosine", "one_cycle", "step"}, default="constant"
        The learning rate's course, see `glassmax.optimizers.Schedule`. "invscaling" (divided by the number of rows
        seen, to the power `power_t`) and "adaptive" (divided by 5 instead of stopping) are for solver "sgd"; "cosine",
        "one_cycle" and "step" are for "adam" and "adamw" too, and run over `max_iter` epochs.
    learning_rate_init : float, default=0.001
        > 0, per step: the full learning rate.
    power_t : float, default=0.5
        >= 0, for "invscaling".
    max_iter : int, default=200
        >= 1: most epochs; for "lbfgs" most iterations.
    shuffle : bool, default=True
        Whether each epoch has an order of its own.
    random_state : int, RandomState or None, default=None
        Seed of the starting weights, the shuffles, the validation share and dropout.
    tol : float, default=1e-4
        >= 0: an epoch improves if what is watched improves by at least this. For "lbfgs": converged when no entry
        of the gradient is larger.
    verbose : bool or int, default=False
        Whether to print a line for each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the last fit's weights (and moments) instead of starting anew.
    momentum : float, default=0.9
        In [0, 1]; solver "sgd" only.
    nesterovs_momentum : bool, default=True
        Solver "sgd" only.
    early_stopping : bool, default=False
        Whether to judge each epoch on rows held out (or on `X_val`), stop when `scoring` no longer improves, and put
        back the weights of the best epoch. Without it the last weights stay.
    validation_fraction : float, default=0.1
        In (0, 1): the share held out, every class in proportion.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Solvers "adam" and "adamw" only.
    n_iter_no_change : int or numpy.inf, default=10
        >= 1: stop after more than so many epochs in a row without improvement; while the learning rate rises, none is
        counted. Not for "lbfgs" unless it stops early.
    max_fun : int, default=15000
        >= 1: most evaluations of the loss, solver "lbfgs" only.
    loss : {"cross_entropy", "squared_error"}, default="cross_entropy"
        What is trained on. Cross-entropy of a sigmoid output is the binary one, summed over the labels; the squared
        error is ``1/2 sum_c (P - Y)^2``.
    output : {"auto", "softmax", "sigmoid"}, default="auto"
        How a matrix y is read. "softmax": its rows are probabilities of classes, one-hot or soft. "sigmoid": each
        column is a label of its own. "auto": a matrix of 0 and 1 is "sigmoid", as scikit-learn has it, any other
        "softmax".
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied with the sample weights. "balanced" gives every class the same total. A soft
        row has the mean weight of its classes.
    label_smoothing : float, default=0.0
        In [0, 1): the share of each target that is spread evenly over the classes (over yes and no, for sigmoid).
    dropout : float or sequence of float, default=0.0
        In [0, 1): the share of the units of each hidden layer that a row loses in a step.
    weight_decay : float or None, default=None
        >= 0: before each step ``W -= learning rate * weight_decay * W``, biases left out; None is 0, with "adamw" 0.01.
    clip_norm : float or None, default=None
        > 0: a gradient longer than this is shortened to it, all parameters together.
    warmup : float, default=0.0
        In [0, 1): the share of all steps in which the learning rate rises to its full size.
    step_every, step_factor : int, float, default=50, 0.1
        For "step": after so many epochs the learning rate is multiplied by the factor, in (0, 1].
    init : str, default="mlp"
        Scheme of the starting weights: "mlp" draws those of MLPClassifier; "auto" fits each layer's activation (he
        for relu and its kin, lecun for selu, glorot otherwise; `init_` says which); or one of
        `glassmax.initializers.SCHEMES`.
    scoring : str or callable, default="log_loss"
        What early stopping watches: "log_loss", "accuracy", "balanced_accuracy", "f1" and "auc" (two classes: of the
        second; otherwise the mean over classes), the name of a scikit-learn scorer, or
        ``scorer(classifier, X, y) -> float``, the greater the better.
    checkpoint_path : path or None, default=None
        A file that is written whole after each epoch. The same call again goes on from it, to the same bits.
    n_threads : int or None, default=None
        >= 1: most threads; None leaves it to the machine. In the native engine the bits don't depend on it.

    Attributes
    ----------
    classes_ : (k,) array
        The labels, sorted; or the names of the columns of a matrix y, in their order.
    network_ : Network
        The live network: ``network_.parameters["W1"]`` is ``coefs_[0]``, the same memory.
    coefs_, intercepts_ : lists of arrays
        W_l, (h_{l-1}, h_l), and b_l, (h_l,). Two classes are a softmax of two: ``coefs_[-1]`` is (h, 2).
    loss_ : float
        Training loss of the last epoch, penalty included.
    best_loss_ : float or None
        The least training loss of an epoch; None with early stopping.
    loss_curve_ : list of float
        Training loss of each epoch; of each iteration for "lbfgs".
    validation_loss_curve_ : list of float, or None
        Log-loss on the validation rows after each epoch, without smoothing; None where there are none.
    validation_scores_ : list of float, or None
        Their score after each epoch, by `scoring`; for "log_loss", which has a curve of its own, the accuracy.
    best_validation_score_ : float or None
        The greatest of `validation_scores_` in the last fit.
    best_epoch_ : int or None
        Which epoch's weights were put back, counted from 1; None without early stopping.
    n_iter_ : int
        Epochs run.
    stop_reason_ : str or None
        Why the fit ended. None after `partial_fit`, and while `fit_epochs` goes on. Otherwise one of

        - "max_iter": it reached `max_iter`.
        - "schedule_completed": it reached `max_iter`, where the "cosine" or "one_cycle" learning rate is at its end.
        - "no_improvement": `n_iter_no_change` epochs went by without improvement.
        - "converged": "lbfgs" found a minimum, by `tol`.
        - "max_fun": "lbfgs" reached `max_fun`.
        - "line_search": "lbfgs" found no step that lowers the loss.
        - "callback": a callback of scikit-learn's asked for it.
        - "interrupted": Ctrl-C, an error, or a reader of `fit_epochs` that left early.
        - "diverged": the loss was no longer finite (DivergenceError).
    t_ : int
        Rows seen in training.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.
    n_layers_, n_outputs_, out_activation_
        Layers (input and output included), k, and "softmax" or "sigmoid".
    init_ : tuple of str
        The scheme of each layer's starting weights; "model" where they came with one.

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

    validation_scores_: list[float] | None
    validation_loss_curve_: list[float] | None
    best_validation_score_: float | None
    best_loss_: float | None
    best_epoch_: int | None
    stop_reason_: str | None
    _recorded: list[float]

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Sequence[str] = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: str = "cross_entropy",
        output: str = "auto",
        class_weight: dict[Any, float] | str | None = None,
        label_smoothing: float = 0.0,
        dropout: float | Sequence[float] = 0.0,
        weight_decay: float | None = None,
        clip_norm: float | None = None,
        warmup: float = 0.0,
        step_every: int = 50,
        step_factor: float = 0.1,
        init: str = "mlp",
        scoring: str | Callable[..., float] = "log_loss",
        checkpoint_path: str | Path | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
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
        self.max_fun = max_fun
        self.loss = loss
        self.output = output
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.warmup = warmup
        self.step_every = step_every
        self.step_factor = step_factor
        self.init = init
        self.scoring = scoring
        self.checkpoint_path = checkpoint_path
        self.n_threads = n_threads

    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        X_val: npt.ArrayLike | None = None,
        y_val: npt.ArrayLike | None = None,
        sample_weight_val: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | None = None,
    ) -> Self:
        """Train on the rows of X.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame
            Rows are samples; float32 and float64 are kept, other numbers become float64. The columns of a pandas,
            polars or Arrow frame are checked by name from then on.
        y : (n,) or (n, k) array
            Labels of any kind, at least two different ones; or a matrix, see `output`.
        sample_weight : (n,) array, optional
            Numbers >= 0, not all 0.
        X_val, y_val, sample_weight_val : arrays, optional
            Rows to judge each epoch on; early stopping then holds out none. `class_weight` doesn't touch them.
        classes : (k,) array, optional
            The names of the columns of a matrix y; or all labels there can be, if y may lack some.

        Returns
        -------
        self

        Raises
        ------
        DivergenceError
            If the loss is no longer finite; the estimator then holds the last good weights.
        CheckpointError
            If `checkpoint_path` belongs to another run.
        OptionError, ValueError
            If a parameter or the data are out of range.
        """
        with self._unchanged_without_an_epoch():
            run = self._open_run(X, y, sample_weight, (X_val, y_val, sample_weight_val), classes)
            hooks = Hooks(self, run, X, y, sample_weight)
            interrupted = False
            try:
                while not run.over:
                    hooks.begin_epoch()
                    epoch = run.next_epoch()
                    if hooks.end_epoch(epoch):
                        run.stopped, run.broken_off = True, "callback"
            except KeyboardInterrupt:
                if not self.n_iter_:
                    raise
                interrupted, run.broken_off = True, "interrupted"
                hooks.break_epoch_off()
            finally:
                run.close()
        if interrupted:
            notice("Training was interrupted; the weights so far are kept.")
        else:
            run.warn()
        hooks.end()
        return self

    def fit_epochs(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        X_val: npt.ArrayLike | None = None,
        y_val: npt.ArrayLike | None = None,
        sample_weight_val: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | None = None,
    ) -> Iterator[Epoch]:
        """Do what `fit` does, one epoch for each item taken: for progress bars and plots.

        Parameters
        ----------
        X, y, sample_weight, X_val, y_val, sample_weight_val, classes
            As for `fit`. scikit-learn's callbacks are not called.

        Yields
        ------
        glassmax.training.Epoch
            The estimator can predict at any time in between.
        """
        with self._unchanged_without_an_epoch():
            run = self._open_run(X, y, sample_weight, (X_val, y_val, sample_weight_val), classes)
            try:
                while (epoch := run.next_epoch()) is not None:
                    yield epoch
            finally:
                run.close()
        run.warn()

    @OnlyWherePossible
    def partial_fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | None = None,
    ) -> Self:
        """Go on by one epoch over the rows given.

        There is no such method with solver "lbfgs", early stopping, balanced class weights, a checkpoint, or a learning
        rate that must know the end: these need all rows at once.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`; y may lack some of the classes.
        classes : (k,) array, optional
            All labels there will ever be, or the columns of a matrix y; required at the first call, optional later.

        Returns
        -------
        self
        """
        plan = check_options(self)
        assert plan.rule is not None  # with lbfgs there is no such method
        first = not hasattr(self, "network_")
        if first and classes is None:
            raise OptionError("classes is None, expected all labels there will be at the first call of partial_fit.")
        warn_of_ignored(self)
        with self._unchanged_without_an_epoch():
            X, y, sample_weight = check_rows(self, X, y, sample_weight, reset=first)
            labels = self._read_labels(y, classes, known=not first)
            data = Data(X, labels.T, weigh_rows(self.class_weight, labels, sample_weight, named=True))
            self._start(plan, labels, X) if first else self._go_on(plan)
            standing = self._standing
            standing.order, epochs = None, standing.epochs
            for epoch in fit(
                self.network_,
                best_engine(self.n_threads),
                data,
                plan.rule,
                standing,
                batch_size=plan.batch_size,
                max_epochs=epochs + 1,
                recipe=plan.recipe,
                schedule=plan.schedule,
                shuffle=bool(self.shuffle),
            ):
                record(self, epoch, None)
                self._watch.tol, self._watch.patience = self.tol, self.n_iter_no_change
                if self._watch.exhausted(epoch.loss):
                    slow_down(plan, standing, self._watch)
            standing.order = None
            self.best_loss_, self.stop_reason_ = min(self.loss_curve_), None
        return self

    def predict(self, X: npt.ArrayLike) -> Array:
        """Return the most probable label of each row; with sigmoid output, which labels it has.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame

        Returns
        -------
        (n,) array of labels, or (n, k) array of 0 and 1
        """
        if self._is_multilabel():
            return np.concatenate([(Z > 0).astype(int) for Z in self._logits(X)])
        index = np.concatenate([Z.argmax(axis=1) for Z in self._logits(X)])
        return self.classes_[index]

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """Return the probability of each class for each row.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame

        Returns
        -------
        (n, k) array
            Columns in the order of `classes_`; rows sum to 1, with sigmoid output each entry stands for itself.
        """
        self._check_fitted()
        return best_engine(self.n_threads).probabilities(self.network_, check_X(self, X))

    def predict_log_proba(self, X: npt.ArrayLike) -> Array:
        """Return the logarithm of `predict_proba`, right where the probabilities have underflown.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame

        Returns
        -------
        (n, k) array
        """
        return np.concatenate([self.network_.head.log_forward(Z) for Z in self._logits(X)])

    def decision_function(self, X: npt.ArrayLike) -> Array:
        """Return the logits; for two classes their difference, second less first.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame

        Returns
        -------
        (n, k) array, or (n,) for two classes
        """
        Z = np.concatenate(list(self._logits(X)))
        return Z[:, 1] - Z[:, 0] if len(self.classes_) == 2 and not self._is_multilabel() else Z

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return the accuracy; with sigmoid output, the share of rows all of whose labels are right.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame
        y : (n,) or (n, k) array
            As for `fit`. Of rows of class probabilities the most probable class counts.
        sample_weight : (n,) array, optional

        Returns
        -------
        float
            In [0, 1].
        """
        if np.ndim(y) == 2 and np.shape(y)[1] > 1 and not self._is_multilabel():
            y = self.classes_[hard(read_labels(y, "softmax", self.classes_).T)]
        accuracy: float = super().score(X, y, sample_weight)
        return accuracy

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = self.output != "softmax" and self.class_weight is None
        return tags

    @contextmanager
    def _unchanged_without_an_epoch(self) -> Iterator[None]:
        """Keep the last fit whole where the next is refused, or fails before its first epoch is done."""
        before = {name: value for name, value in vars(self).items() if _is_learned(name)}
        moving = ("_standing", "_watch", "loss_curve_", "validation_scores_", "validation_loss_curve_")
        copies = {name: deepcopy(before[name]) for name in moving if name in before}
        theta = before["network_"].theta.copy() if "network_" in before else None
        recorded: list[float] = []  # by `record`: of this fit, not of one that may begin before it ends
        self._recorded = recorded
        try:
            yield
        except BaseException as error:
            lost = self.__dict__.get("_recorded") is recorded and not recorded
            first_diverged = isinstance(error, DivergenceError) and theta is None  # keeps the weights it began with
            if lost and not first_diverged:
                for name in filter(_is_learned, list(self.__dict__)):
                    delattr(self, name)
                self.__dict__.update(before | copies)
                if theta is not None:
                    self.network_.theta = theta
            raise
        finally:
            if self.__dict__.get("_recorded") is recorded:
                del self._recorded

    def _open_run(self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any], classes: Any) -> Run:
        """Check everything, and set up network and records: the last thing before the first epoch."""
        plan = check_options(self)
        warn_of_ignored(self)
        go_on = self.warm_start and hasattr(self, "network_")
        classes = column_names(y) if classes is None else classes
        X, y, sample_weight = check_rows(self, X, y, sample_weight, reset=not go_on)
        labels = self._read_labels(y, classes, known=go_on, all_there=True)
        weight = weigh_rows(self.class_weight, labels, sample_weight, named=classes is not None)
        self._go_on(plan) if go_on else self._start(plan, labels, X)
        judged = self._read_validation(*validation)
        shown = self.early_stopping or judged is not None
        self.validation_scores_ = (self.validation_scores_ or []) if shown else None
        self.validation_loss_curve_ = (self.validation_loss_curve_ or []) if shown else None
        columns = list(getattr(self, "feature_names_in_", []))
        data, engine = Data(X, labels.T, weight), best_engine(self.n_threads)
        return Run(self, plan, engine, data, judged, columns, goes_on=go_on)

    def _read_labels(self, y: Array, classes: Any, *, known: bool, all_there: bool = False) -> Labels:
        """Read y; where the classes are known already, by them."""
        one_a_row = np.ndim(y) == 1 or np.shape(y)[1:] == (1,)
        if classes is not None and one_a_row:
            classes = np.unique(distinct(classes))
        if not known:
            return read_labels(y, self.output, classes)
        own = np.sort(self.classes_) if one_a_row else self.classes_
        if classes is not None and not np.array_equal(classes, own):
            raise LabelError(
                f"classes are {np.asarray(classes).tolist()}, expected those of the first call: "
                f"{self.classes_.tolist()}."
            )
        output = self.network_.head.output
        if not (all_there and classes is None and one_a_row and output == "softmax"):
            return read_labels(y, output, self.classes_)
        labels = read_labels(y, output)
        if not np.array_equal(labels.classes, own):
            raise LabelError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {labels.classes}. Pass classes={self.classes_.tolist()} if y "
                "may lack some; for others fit with warm_start=False."
            )
        in_order = np.array_equal(labels.classes, self.classes_)
        return labels if in_order else read_labels(y, output, self.classes_)

    def _read_validation(self, X: Any, y: Any, sample_weight: Any) -> Data | None:
        if X is None and y is None:
            if sample_weight is not None:
                raise OptionError("sample_weight_val is given without X_val and y_val. Pass all three, or none.")
            return None
        if X is None or y is None:
            given, missing = ("y_val", "X_val") if X is None else ("X_val", "y_val")
            raise OptionError(f"{given} is given without {missing}. Pass both, or none.")
        X, y, sample_weight = check_rows(self, X, y, sample_weight, reset=False, what="_val")
        return Data(X, read_labels(y, self.network_.head.output, self.classes_, what="y_val").T, sample_weight)

    def _start(self, plan: Plan, labels: Labels, X: Array) -> None:
        """Draw the starting weights and empty the records."""
        draw = check_random_state(self.random_state)
        network = Network(
            [X.shape[1], *hidden_sizes(self), len(labels.classes)],
            activation=activations_of(self),
            output=labels.output,
            loss=self._network_loss(labels.output),
            dtype=X.dtype,
            init=self.init,
            random_state=draw,
        )
        self._open_records(plan, network, draw)
        self.classes_ = labels.classes
        self.init_ = schemes_of(self.init, network.activations)

    def _network_loss(self, output: str) -> str:
        """Return the network's word for the loss."""
        return "binary_cross_entropy" if (output, self.loss) == ("sigmoid", "cross_entropy") else self.loss

    def _open_records(self, plan: Plan, network: Network, draw: np.random.RandomState) -> None:
        self.network_ = network
        self._standing = Standing(plan.begin(network.theta), draw)
        self._draw_seed(plan)
        self._watch = Patience(None, self.tol, self.n_iter_no_change)  # of partial_fit
        self.loss_, self.n_iter_, self.t_ = float("nan"), 0, 0
        self.loss_curve_: list[float] = []
        self.validation_scores_, self.validation_loss_curve_ = None, None
        self.best_validation_score_ = self.best_loss_ = self.best_epoch_ = self.stop_reason_ = None

    def _draw_seed(self, plan: Plan) -> None:
        """Draw the seed of the dropout masks, once there is dropout."""
        if plan.recipe.dropout and not self._standing.seed:
            self._standing.seed = int(self._standing.draw.randint(2**63 - 1, dtype=np.int64))

    def _go_on(self, plan: Plan) -> None:
        """Take up the last run: its network, and its moments if the solver is the same."""
        network, standing = self.network_, self._standing
        same_layers = network.layer_sizes[1:-1] == hidden_sizes(self) and network.activations == activations_of(self)
        output = network.head.output if self.output == "auto" else self.output
        if not same_layers or (network.head.output, network.head.loss) != (output, self._network_loss(output)):
            raise OptionError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r}, activation={self.activation!r}, "
                f"output={self.output!r}, loss={self.loss!r} describe another network than the one to go on with, "
                f"{network!r}. Put them back, or fit with warm_start=False."
            )
        self._standing = standing = replace(standing)  # a refused fit leaves the old one as it was
        self._draw_seed(plan)
        state = plan.begin(network.theta)
        if state.keys() != standing.state.keys():
            standing.state = state

    def _logits(self, X: Any) -> Iterator[Array]:
        self._check_fitted()
        X = check_X(self, X)
        engine = best_engine(self.n_threads)
        yield from logits(engine, self.network_, X)
