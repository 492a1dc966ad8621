"""SoftmaxClassifier: the public face of the estimator.

Parameter names, defaults and meanings are those of scikit-learn's MLPClassifier wherever it has them.
"""

from __future__ import annotations  # help() shows these names instead of what they stand for

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from ..embedding import Embedding
from ..embedding.recipes import Recipe
from ..engine import (
    Data,
    Progress,
    best_engine,
    blocks,
    check_top_count,
    logits,
    most_probable,
)
from ..functional.arrays import Array
from ..gradcheck import Report
from ..likely_classes import LikelyClasses
from ..memory import check_matrix
from ..model import Model
from ..network import Network
from ..table import Encoding, Note
from ..training import Epoch
from .accuracy import accuracy
from .availability import OnlyIfAvailable
from .callbacks import CallbackSupport, Hooks, with_callbacks
from .checked_gradients import checked_gradients
from .from_model import begun_from_model
from .inputs import check_X
from .labels import Labels
from .on_files import NOT_ROUTED, epochs_on_files, fit_on_files, in_files, is_encoded, names_files, of_files
from .outcome import has_diverged, has_exploded, warn_of_outcome
from .preparation import known_rows, prepare_fit, prepare_partial_fit
from .run import Run, train_one_epoch
from .user_warnings import warn_user

__all__ = ["SoftmaxClassifier"]


class SoftmaxClassifier(CallbackSupport, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A dense network with softmax output, trained on cross-entropy by exact backpropagation.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Number of units of each hidden layer, each >= 1; ``()`` is multinomial logistic regression.
    activation : str or sequence of str, default="relu"
        Activation of all hidden layers, or one for each of them: a name in `glassmax.functional.ACTIVATIONS`, or
        "logistic" for "sigmoid".
    solver : {"adam", "adamw", "sgd", "lbfgs"}, default="adam"
        Optimizer. "adamw" is "adam" with `weight_decay` 0.01 and `alpha` 0 by default. "lbfgs", SciPy's L-BFGS-B, uses
        all rows in each iteration.
    alpha : float, default=0.0001
        Strength of the L2 penalty, >= 0. A batch of m rows adds ``alpha/2 * sum of W^2 / (m * mean sample weight)`` to
        its loss; biases are not penalized. With solver "adamw" the value 0.0001 counts as not given.
    batch_size : int or "auto", default="auto"
        Rows of a mini-batch, >= 1; "auto" is ``min(200, n)``, and more than n is n. Ignored by "lbfgs".
    learning_rate : {"constant", "invscaling", "adaptive", "cosine", "one_cycle", "step"}, default="constant"
        Schedule of the learning rate, see `glassmax.optimizers.Schedule`. For solver "sgd" only: "invscaling" divides
        it by the number of rows seen, to the power `power_t`; "adaptive" divides the learning rate by 5 where
        training would otherwise stop. For "sgd", "adam" and "adamw": "cosine", "one_cycle" and "step", which are laid
        out over `max_iter` epochs.
    learning_rate_init : float, default=0.001
        Learning rate, > 0, which the schedule multiplies by a factor for each step.
    power_t : float, default=0.5
        Exponent of the schedule "invscaling", >= 0.
    max_iter : int, default=200
        Maximum number of epochs, >= 1; for "lbfgs" the maximum number of iterations.
    shuffle : bool, default=True
        Whether to shuffle the rows before each epoch.
    random_state : int, RandomState or None, default=None
        Seed of the starting weights, the shuffling, the rows held out, dropout and mixup.
    tol : float, default=1e-4
        Tolerance, >= 0. An epoch is an improvement if the loss or score that is watched improves by at least `tol`.
        "lbfgs" has converged when no entry of the gradient is larger than `tol`.
    verbose : bool or int, default=False
        Whether to print a line for each epoch.
    warm_start : bool, default=False
        Whether `fit` continues from the weights and moments of the last fit instead of starting anew.
    momentum : float, default=0.9
        Momentum, in [0, 1]. Solver "sgd" only.
    nesterovs_momentum : bool, default=True
        Whether to use Nesterov's momentum. Solver "sgd" only.
    early_stopping : bool, default=False
        Whether to score each epoch on validation rows, stop when `scoring` no longer improves, and restore the weights
        of the best epoch. The validation rows are `X_val` and `y_val` of `fit`, or are held out of the training rows.
        If False, the weights of the last epoch are kept.
    validation_fraction : float, default=0.1
        Share of the rows that early stopping holds out, in (0, 1), from every class in proportion.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Decay rates of the two moments, and the constant added to the denominator. Solvers "adam" and "adamw" only.
    n_iter_no_change : int or numpy.inf, default=10
        Training stops after more than this number of epochs in a row without improvement, >= 1. Epochs in which the
        learning rate still rises don't count. For "lbfgs" only with early stopping.
    max_fun : int, default=15000
        Maximum number of evaluations of the loss, >= 1. Solver "lbfgs" only.
    loss : {"cross_entropy", "squared_error", "candidate_cross_entropy"}, default="cross_entropy"
        Loss to minimize. The cross-entropy of a sigmoid output is binary, summed over the labels; the squared error is
        ``1/2 sum_c (P - Y)^2``. "candidate_cross_entropy" reads a matrix y of 0 and 1 as the classes that each row may
        have, and is ``-log`` of the sum of their probabilities; labels that are sets always use this loss.
    output : {"auto", "softmax", "sigmoid"}, default="auto"
        Output function, which decides how a matrix y is read. "softmax": each row holds the probabilities of the
        classes, one-hot or soft. "sigmoid": each column is a separate label. "auto": "sigmoid" for a matrix of 0 and
        1, as in scikit-learn, otherwise "softmax".
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, multiplied by the sample weights. "balanced" gives every class the same total weight. A
        soft row has the mean weight of its classes, a set the mean weight of its labels.
    label_smoothing : float, default=0.0
        In [0, 1): share of each target that is spread evenly over the classes; for sigmoid output over 0 and 1.
    z_loss : float, default=0.0
        >= 0: adds ``z_loss * (log sum_c exp(logit_c))^2`` to the loss of each row, which keeps the logits from
        drifting. Softmax output only, as are `softcap`, `softmax_temperature`, `class_embeddings` and `min_count`.
    softcap : float or None, default=None
        > 0: replaces each logit Z by ``softcap * tanh(Z / softcap)``, which lies between -softcap and softcap. None
        leaves the logits unbounded.
    softmax_temperature : float, default=1.0
        > 0: divides the logits, before the softcap, in training and in predictions.
    output_bias : bool, default=True
        Whether the last layer has biases. If False, ``intercepts_[-1]`` is 0 and stays 0.
    class_embeddings : (k, h) array or None, default=None
        Fixed weights of the last layer: one row for each class, in the order of `classes_`, as wide as the last hidden
        layer, or as X if there is no hidden layer. Training doesn't change them; ``coefs_[-1]`` is their transpose.
    min_count : int, default=1
        Classes with fewer rows than this are put together as one class, `other_label`; 1 keeps every class. In later
        calls, such as `score`, any label that is not in `classes_` counts as `other_label`. Each row must have one
        label. `partial_fit` doesn't support it.
    other_label : label, default="other"
        Label of the class that `min_count` makes. It must be of the same kind as the other labels: if they are whole
        numbers, a whole number such as -1. If y has this label already, the rare classes are added to its class.
    dropout : float or sequence of float, default=0.0
        Dropout rate of all hidden layers, or one for each of them, in [0, 1).
    weight_decay : float or None, default=None
        Decoupled weight decay, >= 0: ``W -= learning rate * weight_decay * W`` before each step; not for biases. None
        is 0.01 with solver "adamw", otherwise 0.
    clip_norm : float or None, default=None
        Maximum length of the gradient of all parameters together, > 0; a longer gradient is shortened to it.
    warmup : float, default=0.0
        In [0, 1): share of all steps during which the learning rate rises to its full size.
    step_every, step_factor : int, float, default=50, 0.1
        The schedule "step" multiplies the learning rate by `step_factor`, in (0, 1], every `step_every` epochs, >= 1.
    parametrization : {"standard", "ntk"}, default="standard"
        "ntk": the neural tangent parametrization. The learning rate of W_l is multiplied by ``1 / sqrt(a)``, where `a`
        is the number of inputs of layer l; with solver "sgd" by ``1 / a``. `weight_decay` uses the learning rate
        without this factor. See `glassmax.optimizers.rate_factors`.
    bias_rate : float, default=1.0
        Factor of the learning rate of biases, >= 0.
    input_scale_rate : float or None, default=None
        Factor of the learning rate of a learned input scale, > 0: each column of X, or of what `embedding` makes of X,
        is multiplied by a number that starts at 1. None learns no scale. `network_` and `coefs_` have no scale: it is
        folded into their W1, see `glassmax.engine.input_scale`.
    embedding : {"periodic", "piecewise_linear"}, recipe, list of recipes, Embedding or None, default=None
        Embedding of the columns of X before the first layer. "periodic" adds learned cosines of each column and suits
        numbers scaled to about 1; "piecewise_linear" adds bins between quantiles of the training rows. Both leave out
        columns of two values. The recipes `glassmax.embedding.Periodic`, `PiecewiseLinear` and `Categories` choose
        columns and sizes; they are fitted to X in `fit`.
    mixup : float, default=0.0
        Maximum share of mixup, in [0, 1]; 0 mixes no rows. A mixed row of a mini-batch becomes
        ``(1 - s) X_i + s X_{i-1}``, where X_{i-1} is the row before it in the batch and s is uniform in [0, `mixup`).
        The target is mixed likewise; the row keeps its sample weight. In the second half of the `max_iter` epochs
        `mixup` falls to 0 along half a cosine. Training losses are those of the mixed rows.
    mixup_share : float, default=0.5
        Share of the rows of a mini-batch that are mixed, in [0, 1].
    init : str, default="mlp"
        Initialization of the weights. "mlp": as in MLPClassifier. "auto": by the activation of each layer (he for relu
        and its variants, lecun for selu, otherwise glorot); `init_` shows the schemes. "normal": normal weights and
        biases, and zeros in the last layer. Or another name in `glassmax.initializers.SCHEMES`.
    scoring : str or callable, default="log_loss"
        Score for early stopping: "log_loss", "accuracy", "balanced_accuracy", "f1" or "auc" (of two classes, that of
        the second; otherwise the mean over the classes); "top_5_accuracy", with any number in place of 5: the share of
        rows whose class is among the 5 most probable; the name of a scikit-learn scorer; or
        ``scorer(classifier, X, y) -> float``, for which greater is better.
    checkpoint_path : path or None, default=None
        File to which the state of training is written after each epoch. If `fit` is interrupted, calling it again with
        the same arguments continues from the file, with bit-identical results.
    n_threads : int or None, default=None
        Maximum number of threads, >= 1; None uses all processors. The bits of the native engine don't depend on it.
    memory_limit : int or None, default=None
        With 4096 classes or more, about the maximum of memory in bytes, >= 16,000,000, that training takes beyond the
        rows, the weights and the state of the optimizer; None is 128,000,000. Where the logits of a batch need more,
        a step takes up to a third longer. No bit of the result depends on it. The reference engine ignores it.

    Attributes
    ----------
    classes_ : (k,) array
        The labels, sorted; for a matrix y the names of its columns, in their order.
    rare_classes_ : (r,) array or None
        The labels that `other_label` has replaced, see `min_count`; None for a classifier from a model.
    network_ : Network
        The trained network. ``network_.parameters["W1"]`` and ``coefs_[0]`` are the same memory.
    coefs_, intercepts_ : lists of arrays
        Weights W_l, (h_{l-1}, h_l), and biases b_l, (h_l,). Two classes have two outputs: ``coefs_[-1]`` is (h, 2).
    loss_ : float
        Training loss of the last epoch, penalty included.
    best_loss_ : float or None
        Least training loss of an epoch; None with early stopping.
    loss_curve_ : list of float
        Training loss of each epoch; for "lbfgs" of each iteration.
    validation_loss_curve_ : list of float, or None
        Log-loss on the validation rows after each epoch, without label smoothing; None without validation rows.
    validation_scores_ : list of float, or None
        Score on the validation rows after each epoch, by `scoring`; the accuracy if `scoring` is "log_loss". None
        without validation rows.
    best_validation_score_ : float or None
        Greatest of the `validation_scores_` of the last fit.
    best_epoch_ : int or None
        Epoch whose weights were restored, counted from 1; None without early stopping.
    n_iter_ : int
        Number of epochs of the last fit.
    stop_reason_ : str or None
        Reason why the last fit ended; None while `fit_epochs` is running and after `partial_fit`.

        - "max_iter": it reached `max_iter`.
        - "schedule_completed": it reached `max_iter`, and with it the end of the schedule "cosine" or "one_cycle".
        - "no_improvement": there was no improvement for more than `n_iter_no_change` epochs.
        - "converged": "lbfgs" converged.
        - "max_fun": "lbfgs" reached `max_fun`.
        - "line_search": "lbfgs" found no step that lowers the loss.
        - "callback": a scikit-learn callback stopped it.
        - "interrupted": it was ended by Ctrl-C, by an error, or by leaving `fit_epochs` early.
        - "diverged": the loss was no longer finite, and DivergenceError was raised.
    diverged_, exploded_ : bool
        Whether the training loss ended above where it began, and above chance; whether it rose far above chance and
        ended no better than chance.
    t_ : int
        Number of rows seen in training; a row counts in every epoch.
    n_features_in_, feature_names_in_
        Number of columns of X, and their names if X was a frame.
    n_layers_, n_outputs_, out_activation_
        Number of layers, input and output included; number of outputs; "softmax" or "sigmoid".
    init_ : tuple of str
        Initialization scheme of each layer; "model" if the weights came from a model.
    encoding_ : Encoding or None
        How the columns of files become numbers; None after a fit on arrays.
    notes_ : list of Note
        What was done to the columns of files, and remarks on columns and classes; empty after a fit on arrays.

    See Also
    --------
    glassmax.Network : A network without class labels and without training.

    Examples
    --------
    >>> from glassmax import SoftmaxClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = SoftmaxClassifier((10,), learning_rate_init=0.05, random_state=0).fit(X, y)
    >>> classifier.score(X, y) > 0.95
    True
    """

    __metadata_request__fit = NOT_ROUTED

    network_: Network
    classes_: Array
    n_iter_: int
    loss_: float
    loss_curve_: list[float]
    best_loss_: float | None
    validation_loss_curve_: list[float] | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    best_epoch_: int | None
    stop_reason_: str | None
    rare_classes_: Array | None
    encoding_: Encoding | None
    notes_: list[Note]

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
        z_loss: float = 0.0,
        softcap: float | None = None,
        softmax_temperature: float = 1.0,
        output_bias: bool = True,
        class_embeddings: npt.ArrayLike | None = None,
        min_count: int = 1,
        other_label: Any = "other",
        dropout: float | Sequence[float] = 0.0,
        weight_decay: float | None = None,
        clip_norm: float | None = None,
        warmup: float = 0.0,
        step_every: int = 50,
        step_factor: float = 0.1,
        parametrization: str = "standard",
        bias_rate: float = 1.0,
        input_scale_rate: float | None = None,
        embedding: str | Recipe | Sequence[str | Recipe] | Embedding | None = None,
        mixup: float = 0.0,
        mixup_share: float = 0.5,
        init: str = "mlp",
        scoring: str | Callable[..., float] = "log_loss",
        checkpoint_path: str | Path | None = None,
        n_threads: int | None = None,
        memory_limit: int | None = None,
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
        self.z_loss = z_loss
        self.softcap = softcap
        self.softmax_temperature = softmax_temperature
        self.output_bias = output_bias
        self.class_embeddings = class_embeddings
        self.min_count = min_count
        self.other_label = other_label
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.warmup = warmup
        self.step_every = step_every
        self.step_factor = step_factor
        self.parametrization = parametrization
        self.bias_rate = bias_rate
        self.input_scale_rate = input_scale_rate
        self.embedding = embedding
        self.mixup = mixup
        self.mixup_share = mixup_share
        self.init = init
        self.scoring = scoring
        self.checkpoint_path = checkpoint_path
        self.n_threads = n_threads
        self.memory_limit = memory_limit

    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | str | None = None,
        *,
        X_val: npt.ArrayLike | None = None,
        y_val: npt.ArrayLike | None = None,
        sample_weight_val: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | None = None,
        target: str | None = None,
        cache_folder: str | Path | None = None,
        engine: str | None = None,
        **workers: Any,
    ) -> Self:
        r"""Train on the rows of X, or on files that may be larger than memory.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame; with `target` a path, or a list of paths
            Rows are samples. float32 and float64 are kept, other numbers become float64. The column names of a pandas,
            polars or Arrow frame are remembered, and checked in later calls. A path names a file, a folder or a glob of
            Parquet, Arrow, CSV or JSON lines files, see `glassmax.streaming.Sources`.
        y : (n,) or (n, k) array, optional
            Labels of any type, at least two different ones; or a matrix, see `output` and `loss`. A label may be a set
            of labels, for "one of these", or `glassmax.not_class`. If some labels are sets, others may be missing. None
            with `target`.
        sample_weight : (n,) array, optional; with `target` the name of a column
            Weights of the rows, >= 0, not all 0. If all are below 1e-20, they are divided by the largest.
        X_val, y_val, sample_weight_val : arrays, optional
            Validation rows, on which each epoch is scored; early stopping then holds out no rows. `class_weight` is
            not applied to them.
        classes : (k,) array, optional
            All labels, if y may lack some of them; for a matrix y the names of its columns.
        target : str, optional
            The column of the files to predict, see the notes. Validation rows are then those of `validation_fraction`.
        cache_folder : path, optional
            With `target`: a folder in which what was learned of the columns, and the encoded rows, stay for later fits.
            By default they are beside the checkpoint until the fit is done, or in a temporary folder.
        engine : {"processes", "ray", "mpi"} or callable, optional
            With `target`: what runs the training on several workers; by default, this process trains. A callable is
            an engine of your own: it takes `glassmax.distributed.WorkerSettings` and returns the workers.
        **workers
            With `engine`: `n_workers`, `address`, `resources` and `wait_limit` of the workers, see
            `glassmax.distributed.WorkerSettings`. All workers compute the gradient of each step together, and a
            `batch_size` of "auto" is a 64th of the rows, 256 to 65,536. With ``averaging="local_sgd"``, each shard
            of the rows takes `averaging_steps` small steps, 16 by default, before the weights of all are averaged.

        Returns
        -------
        self

        Raises
        ------
        DivergenceError
            If the loss is no longer finite; the last good weights are kept.
        CheckpointError
            If `checkpoint_path` belongs to another run.
        DataError
            If a file or a cell can't be used.
        OptionError, ValueError
            If a parameter or the data are out of range, or an option is not supported on files.

        Notes
        -----
        With `target`, all rows are read twice: to learn classes and columns, and to encode them, as float32, on disk.
        Each epoch then reads the encoded rows in an order of its own, see `glassmax.streaming.order`. The memory
        needed, about 400 MB, does not depend on the number of rows. Columns are encoded as `TableClassifier` encodes
        them; later calls, such as `predict`, take frames, tables, dicts of columns and, as `fit` does, files.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from glassmax import SoftmaxClassifier
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for part in range(3):
        ...         rows = "".join(f"{i % 7},{'low' if i % 7 < 3 else 'high'}\n" for i in range(100))
        ...         _ = Path(folder, f"part-{part}.csv").write_text("x,y\n" + rows)
        ...     classifier = SoftmaxClassifier((8,), learning_rate_init=0.05, max_iter=30, random_state=0, tol=0.1)
        ...     classifier = classifier.fit(folder, target="y")
        >>> classifier.predict({"x": [0.0, 6.0]}).tolist()
        ['low', 'high']
        """
        on_files = {"cache_folder": cache_folder, "engine": engine, **workers}
        if names_files(X, y, target, on_files):
            in_memory = (X_val, y_val, sample_weight_val, classes)
            return fit_on_files(self, (X, y, sample_weight, target), in_memory, on_files)
        watched = bool(getattr(self, "_skl_callbacks", None))
        run = self._open_run(X, y, sample_weight, (X_val, y_val, sample_weight_val), classes, watched=watched)
        hooks = Hooks(self, run, X, y, sample_weight)
        try:
            with run:
                while not run.stop_reason:
                    hooks.begin_epoch()
                    if hooks.end_epoch(run.next_epoch()):
                        run.stop_reason = "callback"
        except KeyboardInterrupt:
            if not run.committed:
                raise
            hooks.interrupt_epoch()
            warn_user("Training was interrupted; the weights so far are kept.")
        else:
            self._warn_of_outcome(run)
        hooks.end()
        return self

    def fit_epochs(
        self,
        X: Any,
        y: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | str | None = None,
        *,
        X_val: npt.ArrayLike | None = None,
        y_val: npt.ArrayLike | None = None,
        sample_weight_val: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | None = None,
        progress: Progress | None = None,
        target: str | None = None,
        cache_folder: str | Path | None = None,
        engine: str | None = None,
        **workers: Any,
    ) -> Iterator[Epoch]:
        """Train as `fit` does, one epoch for each item taken: for progress bars and plots.

        Parameters
        ----------
        X, y, sample_weight, X_val, y_val, sample_weight_val, classes
            As for `fit`. scikit-learn's callbacks are not called.
        target, cache_folder, engine, **workers
            As for `fit`.
        progress : callable, optional
            Called as ``progress(rows_done, rows, loss_so_far)``, four times a second, within an epoch that takes longer
            than a second: the number of rows done, the number of all rows, and the mean training loss of the rows done.
            The result is the same with or without it. The solver "lbfgs" doesn't call it.

        Yields
        ------
        glassmax.training.Epoch
            The record of an epoch. Between two epochs the classifier can predict.
        """
        on_files = {"cache_folder": cache_folder, "engine": engine, **workers}
        if names_files(X, y, target, on_files):
            in_memory = (X_val, y_val, sample_weight_val, classes, progress)
            yield from epochs_on_files(self, (X, y, sample_weight, target), in_memory, on_files)
            return
        validation = (X_val, y_val, sample_weight_val)
        with self._open_run(X, y, sample_weight, validation, classes, progress=progress) as run:
            while (epoch := run.next_epoch()) is not None:
                yield epoch
        self._warn_of_outcome(run)

    @OnlyIfAvailable
    def partial_fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | None = None,
    ) -> Self:
        """Train one epoch on the rows given, continuing from the weights of the last call.

        After an error or Ctrl-C, the classifier is what it was before the call. The exception is a network of more than
        2^24 parameters: no copy of it is kept, so its weights are then those of the last step.

        The method doesn't exist with solver "lbfgs", early stopping, balanced class weights, a checkpoint, `warmup`,
        `mixup`, or the schedules "cosine" and "one_cycle": they need all rows, or the number of epochs, in advance.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`; y may lack some of the classes.
        classes : (k,) array, optional
            All labels of this and later calls; for a matrix y the names of its columns. Required at the first call.

        Returns
        -------
        self
        """
        preparation = prepare_partial_fit(self, X, y, sample_weight, classes)
        train_one_epoch(self, preparation, best_engine(self.n_threads, self.memory_limit))
        return self

    def predict(self, X: npt.ArrayLike) -> Array:
        """Return the most probable label of each row; with sigmoid output, for each label whether the row has it.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame
            After a fit on files also a path, a folder, a glob or a list of these, read in pieces.

        Returns
        -------
        (n,) array of labels, or (n, k) array of 0 and 1
        """
        if in_files(self, X):
            return of_files(self, self.predict, X)
        if self._is_multilabel():
            return np.concatenate([(Z > 0).astype(int) for Z in self._logits(X)])
        return self.classes_[self._most_probable(X)]

    def predict_top(self, X: npt.ArrayLike, k: int = 5) -> tuple[Array, Array]:
        """Return the k most probable labels of each row with their probabilities; softmax output only.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame
        k : int, default=5
            From 1 to the number of classes.

        Returns
        -------
        labels : (n, k) array
            The most probable label first; of equally probable ones the first in `classes_`.
        probabilities : (n, k) array of float64
            The probabilities of these labels.

        Raises
        ------
        OptionError
            If the output is sigmoid, or k is out of range.

        Notes
        -----
        Memory: O(n k) for any number of classes. With 4096 classes or more, the logits of only some rows and classes
        are in memory at a time.

        Examples
        --------
        >>> from glassmax import SoftmaxClassifier
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> classifier = SoftmaxClassifier(learning_rate_init=0.01, random_state=0, max_iter=100, tol=0.01).fit(X, y)
        >>> labels, probabilities = classifier.predict_top(X[:2], 2)
        >>> labels.tolist(), probabilities.shape
        ([[0, 1], [0, 1]], (2, 2))
        """
        if in_files(self, X):
            return of_files(self, self.predict_top, X, k)
        network = self._fitted_network()
        check_top_count(network, k, "predict_top")
        top = best_engine(self.n_threads).top_classes(network, check_X(self, X), int(k))
        return self.classes_[top.labels], top.probabilities

    def predict_sparse(self, X: npt.ArrayLike, threshold: float) -> Any:
        """Return the probabilities that are at least `threshold`, as a sparse matrix; softmax output only.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame
        threshold : float
            In (0, 1]. At most ``1 / threshold`` classes of a row reach it, and possibly none.

        Returns
        -------
        (n, k) scipy.sparse.csr_array of float64
            Columns in the order of `classes_`. Probabilities below the threshold are left out.

        Raises
        ------
        OptionError
            If the output is sigmoid, or the threshold is out of range.

        Notes
        -----
        The 16 most probable classes of each row are computed first, and more of them for the rows in which all 16 reach
        the threshold. No (n, k) array is made.

        Examples
        --------
        >>> from glassmax import SoftmaxClassifier
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> classifier = SoftmaxClassifier(learning_rate_init=0.01, random_state=0, max_iter=100, tol=0.01).fit(X, y)
        >>> P = classifier.predict_sparse(X, 0.5)
        >>> P.shape, P.nnz
        ((150, 3), 150)
        """
        network = self._fitted_network()
        check_top_count(network, 1, "predict_sparse")
        likely = LikelyClasses(best_engine(self.n_threads), [network], np.ones(1), None)
        return likely.sparse(check_X(self, X), threshold)

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """Return the probability of each class for each row.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame

        Returns
        -------
        (n, k) array
            Columns in the order of `classes_`. Rows sum to 1; with sigmoid output each entry is a probability of its
            own.

        Raises
        ------
        DataError
            If the array needs more memory than is available. Use `predict_top` then, which makes no such array.
        """
        if in_files(self, X):
            return of_files(self, self.predict_proba, X)
        network, X = self._fitted_network(), check_X(self, X)
        check_matrix(X.shape[0], len(self.classes_), network.theta.itemsize)
        return best_engine(self.n_threads).probabilities(network, X)

    def predict_log_proba(self, X: npt.ArrayLike) -> Array:
        """Return the logarithm of `predict_proba`, exact even where a probability underflows to 0.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame

        Returns
        -------
        (n, k) array
        """
        return np.concatenate([self.network_.head.log_forward(Z) for Z in self._all_logits(X)])

    def decision_function(self, X: npt.ArrayLike) -> Array:
        """Return the logits; for two classes, the second logit minus the first.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame

        Returns
        -------
        (n, k) array, or (n,) for two classes
        """
        Z = np.concatenate(list(self._all_logits(X)))
        return Z[:, 1] - Z[:, 0] if len(self.classes_) == 2 and not self._is_multilabel() else Z

    def score(self, X: Any, y: npt.ArrayLike | str, sample_weight: npt.ArrayLike | str | None = None) -> float:
        """Return the accuracy; with sigmoid output, the share of rows all of whose labels are predicted right.

        Parameters
        ----------
        X : (n, d) array, sparse matrix or frame
        y : (n,) or (n, k) array
            As for `fit`. The true class of a row of class probabilities is the most probable one. If a label is a set,
            each label in the set is right; rows whose set holds all labels don't count. After a fit on files, y may
            also be the name of a column of X; rows without a label don't count.
        sample_weight : (n,) array, or str, optional
            Weights of the rows; after a fit on files, this may also be the name of a column of X.

        Returns
        -------
        float
            In [0, 1].
        """
        return accuracy(self, X, y, sample_weight)

    def gradient_norms(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Array:
        """Return the norm of each row's own gradient, ``|| dL_i/dtheta ||``; rows of large norm are often mislabeled.

        Parameters
        ----------
        X, y
            As for `fit`.

        Returns
        -------
        (n,) array of float64
            Exact norms for each row's own loss: with label smoothing, without weights, penalty, dropout and mixup.

        Notes
        -----
        Cost: less than an epoch; no row's gradient is formed. See `Network.gradient_norms`.

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
        network, _, data = self._known_rows(X, y, None)
        norms = [network.gradient_norms(*data.rows(block)[:2]) for block in blocks(network, data.n_rows)]
        return np.concatenate(norms)

    def check_gradients(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        random_state: int = 0,
    ) -> Report:
        """Compare the gradients of this fit with derivatives measured from its loss alone.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`; a few dozen rows are enough.
        random_state : int, default=0
            Seed of the directions along which derivatives are measured.

        Returns
        -------
        glassmax.gradcheck.Report
            A line for each parameter, and a verdict. The loss is that of training, on these rows: with class weights
            ("balanced" over these rows), label smoothing, `alpha`, and the dropout masks and mixup of the first step.

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
        network, labels, data = self._known_rows(X, y, sample_weight)
        return checked_gradients(self, network, labels, data, random_state)

    def to_model(self) -> Model:
        """Return the network and the classes as a `Model`, which can be saved and predicts without scikit-learn.

        Returns
        -------
        glassmax.model.Model
        """
        columns = getattr(self, "feature_names_in_", None)
        return Model(
            self._fitted_network(),
            self.classes_,
            getattr(self, "encoding_", None),
            columns=None if columns is None or is_encoded(self) else columns.tolist(),
            record={"epochs": self.n_iter_, "training_loss": self.loss_},
        )

    @classmethod
    def from_model(cls, model: Model, **parameters: Any) -> Self:
        """Return a fitted classifier with the network of a model, to predict with or to train further.

        Parameters
        ----------
        model : Model
            Of one network, trained on arrays or on a table, with softmax or sigmoid output. The network is shared, not
            copied. A calibration is left out: it would not fit the network once that is trained further.
        **parameters
            Parameters of the constructor; with ``warm_start=True``, `fit` continues from the weights of the model.
            Hidden layers, activation, embedding, output and loss are those of the model. So are `softcap`,
            `softmax_temperature` and `output_bias`, and `class_embeddings` if the last layer of the model is frozen.

        Returns
        -------
        SoftmaxClassifier

        Raises
        ------
        OptionError
            If the model has several networks, or another output or loss than this classifier can have.
        """
        return begun_from_model(cls, model, parameters)

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a file, whole or not at all; see `glassmax.load_model`.

        Parameters
        ----------
        path : str or Path
            Usually ends in ``.safetensors``.
        """
        self.to_model().save(path)

    @property
    def coefs_(self) -> list[Array]:
        """The weights, W1 first: views of ``network_.theta``."""
        return list(self._fitted_network().parameters.W.values())

    @property
    def intercepts_(self) -> list[Array]:
        """The biases, b1 first: views of ``network_.theta``."""
        return list(self._fitted_network().parameters.b.values())

    @property
    def diverged_(self) -> bool:
        """Whether the training loss ended above where it began, and above chance: the steps were too long."""
        self._fitted_network()
        return has_diverged(self)

    @property
    def exploded_(self) -> bool:
        """Whether the training loss rose far above chance and ended no better: inputs or steps are too large."""
        self._fitted_network()
        return has_exploded(self)

    @property
    def n_layers_(self) -> int:
        """Layers, input and output included."""
        return len(self._fitted_network().layer_sizes)

    @property
    def n_outputs_(self) -> int:
        """The number of classes."""
        return self._fitted_network().layer_sizes[-1]

    @property
    def out_activation_(self) -> str:
        """The output function: "softmax" or "sigmoid"."""
        return self._fitted_network().head.output

    def _fitted_network(self) -> Network:
        if not hasattr(self, "network_"):
            raise NotFittedError("This SoftmaxClassifier is not fitted yet. Call fit first.")
        return self.network_

    def _is_multilabel(self) -> bool:
        return self._fitted_network().head.output == "sigmoid"

    def _known_rows(self, X: Any, y: Any, sample_weight: Any) -> tuple[Network, Labels, Data]:
        """Return the network, the labels, and the rows as the network takes them, targets smoothed."""
        self._fitted_network()
        network, labels, data = known_rows(self, X, y, sample_weight)
        if self.label_smoothing:
            check_matrix(data.n_rows, len(self.classes_), 8)
            data = data._replace(y=network.head.smoothed(labels.T, len(self.classes_), self.label_smoothing))
        return network, labels, data

    def _training_batch(self, X: Any, y: Any, sample_weight: Any) -> Any:
        """Return rows as `glassmax.trace` takes them, with the loss of the training."""
        from .traced_rows import training_batch  # late: training needs no calculus

        network, labels, data = self._known_rows(X, y, sample_weight)
        return training_batch(self, network, labels, data, np.arange(data.n_rows))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = self.output != "softmax" and self.class_weight is None
        return tags

    def _open_run(
        self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any], classes: Any, **heard: Any
    ) -> Run:
        preparation = prepare_fit(self, X, y, sample_weight, validation, classes)
        return Run(self, preparation, best_engine(self.n_threads, self.memory_limit), **heard)

    def _warn_of_outcome(self, run: Run) -> None:
        warn_of_outcome(self, end=run.message, improving=run.early_stopping.epochs_without_improvement == 0)

    def _logits(self, X: Any) -> Iterator[Array]:
        network = self._fitted_network()
        yield from logits(best_engine(self.n_threads), network, check_X(self, X))

    def _all_logits(self, X: Any) -> Iterator[Array]:
        """Yield the logits of all rows, if there is room for them."""
        network, X = self._fitted_network(), check_X(self, X)
        check_matrix(X.shape[0], len(self.classes_), network.theta.itemsize)
        yield from logits(best_engine(self.n_threads), network, X)

    def _most_probable(self, X: Any) -> Array:
        return most_probable(best_engine(self.n_threads), self._fitted_network(), check_X(self, X))
