"""The epochs of one fit, one at a time: each is recorded, committed to the classifier and watched by early stopping."""

from collections.abc import Generator
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ..engine import Data, Engine, Progress
from ..errors import DivergenceError
from ..training import Ahead, Checkpoint, EarlyStopping, Epoch, TrainingState, train, train_lbfgs
from .fitted_state import keeps_copy
from .identity import identity_of
from .options import Plan
from .preparation import Preparation, hold_out

__all__ = ["Run", "train_one_epoch"]

MIN_LEARNING_RATE = 1e-6
"""An adaptive learning rate at or below this is not divided again."""


class Run:
    """The epochs of one fit; a context manager that commits what has been learned.

    The classifier is unchanged until the first epoch is done. Pass ``watched=False`` if nothing reads the weights
    before the end of the fit. `progress` is called within a long epoch, see `glassmax.training.train`.

    Attributes
    ----------
    stop_reason : str
        An empty string during training; afterwards the value of `SoftmaxClassifier.stop_reason_`.
    message : str
        Reason why L-BFGS ended, in SciPy's words.
    """

    def __init__(
        self,
        classifier: Any,
        preparation: Preparation,
        engine: Engine,
        *,
        watched: bool = True,
        progress: Progress | None = None,
    ) -> None:
        self.classifier, self.plan, self.state = classifier, preparation.plan, preparation.state
        self.network, self.training = self.state.network, self.state.training
        self.theta = self.network.theta.copy() if preparation.continues and keeps_copy(self.network) else None
        kept = self.network if classifier.early_stopping else None
        self.early_stopping = EarlyStopping(kept, classifier.tol, classifier.n_iter_no_change)
        self.committed = False
        self.stop_reason = self.message = ""
        self.checkpoint = self._checkpoint(preparation, engine)
        if self.checkpoint is not None and self.checkpoint.load(int(classifier.max_iter)):
            self.state.resume()
            self.stop_reason = "no_improvement" if self.checkpoint.stopped else ""
        self.ahead = Ahead(lambda: self.early_stopping.least_epochs)
        self.validation: Data | None = None
        self.stream = self._open(preparation, engine, watched=watched, progress=progress)
        if self.state.n_iter:  # resumed
            self._commit()
        self._end_of_epochs()

    def _open(
        self, preparation: Preparation, engine: Engine, *, watched: bool, progress: Progress | None
    ) -> Generator[Epoch, None, Any]:
        """Hold out validation rows, and return the stream of epochs."""
        classifier = self.classifier
        if classifier.early_stopping and preparation.validation is None:
            preparation = hold_out(classifier, preparation)
        self.validation = preparation.validation
        if self.validation is not None and self.validation.weight is not None:
            self.validation = self.validation.rows(np.flatnonzero(self.validation.weight))  # 0: the row is absent
        return _epochs(
            classifier,
            preparation._replace(validation=self.validation),
            engine,
            int(classifier.max_iter),
            watched=watched or self.validation is not None or self.checkpoint is not None,
            ahead=self.ahead,
            progress=progress,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the stream and commit, with the best weights where early stopping asks for them."""
        self.stream.close()
        state = self.state
        for epoch in self.ahead.trained:  # interrupted before they were recorded
            state.record(epoch, None)
        if error is not None and not self.committed and not _is_first_divergence(self.classifier, error):
            if self.theta is not None:
                self.network.theta = self.theta
            return
        if self._is_superseded():
            return
        if self.early_stopping.best_theta is not None and np.isfinite(self.early_stopping.best):
            self.network.theta = self.early_stopping.best_theta
            state.best_epoch = self._best_epoch()
        state.best_loss = None if self.classifier.early_stopping else min(state.loss_curve or [state.loss])
        diverged = isinstance(error, DivergenceError)
        state.stop_reason = "diverged" if diverged else self.stop_reason or "interrupted"
        if not self.classifier.warm_start:
            self.training.order = None  # as long as the data
        state.commit(self.classifier)

    def next_epoch(self) -> Epoch | None:
        """Train an epoch and return its record; None if there is none to come."""
        if self.stop_reason:
            return None
        try:
            epoch = next(self.stream)
        except StopIteration as end:  # L-BFGS: SciPy has found its end
            self.stop_reason, self.message = end.value.stop_reason, end.value.message
            if not self.state.n_iter:  # it has ended where it began
                self.state.loss = end.value.loss
            return None
        score = None if epoch.validation is None else self._score(epoch)
        self.state.record(epoch, score)
        if not self.ahead.trained or self.classifier.verbose:  # or the classifier follows with the last of them
            self._commit()
        if self.classifier.verbose:
            _print_epoch(self.classifier, epoch, score)
        stopped = self._should_stop(epoch, score)
        if self.checkpoint is not None:
            self.checkpoint.stopped = stopped
            self.checkpoint.save()
        if stopped:
            self.stop_reason = "no_improvement"
        self._end_of_epochs()
        return epoch

    def _end_of_epochs(self) -> None:
        if not self.stop_reason and self.training.epochs >= self.classifier.max_iter:
            ends = self.plan.schedule.kind in ("cosine", "one_cycle")
            self.stop_reason = "schedule_completed" if ends else "max_iter"

    def _score(self, epoch: Epoch) -> float | None:
        if epoch.validation is None or self.validation is None:
            return None
        if self.plan.scorer is None:
            return epoch.validation.accuracy
        fitted = copy(self.classifier)  # before the first epoch is recorded, the classifier itself is not fitted
        self.state.commit(fitted)
        return self.plan.scorer(fitted, self.validation)

    def _should_stop(self, epoch: Epoch, score: float | None) -> bool:
        """Return whether to stop after an epoch; an adaptive learning rate is lowered first."""
        classifier, watched = self.classifier, epoch.loss
        if classifier.early_stopping and epoch.validation is not None and score is not None:
            watched = epoch.validation.log_loss if classifier.scoring == "log_loss" else -score
        elif classifier.solver == "lbfgs":
            return False  # SciPy decides when it has converged
        stop = self.early_stopping.should_stop(watched)
        if self.training.epochs <= self.plan.schedule.rise * classifier.max_iter:
            self.early_stopping.epochs_without_improvement = 0  # the learning rate still rises
            return False
        if not stop:
            return False
        slower = _slow_down(self.plan, self.training, self.early_stopping)
        if classifier.verbose:
            what = classifier.scoring if classifier.early_stopping else "Training loss"
            then = f"The learning rate is divided by {1 / self.training.slowdown:g}." if slower else "Stopping."
            print(  # noqa: T201 - what `verbose` asks for
                f"{what} did not improve more than tol={classifier.tol:g} for {classifier.n_iter_no_change} "
                f"consecutive epochs. {then}"
            )
        return not slower

    def _checkpoint(self, preparation: Preparation, engine: Engine) -> Checkpoint | None:
        if self.classifier.checkpoint_path is None:
            return None
        state, path = self.state, Path(self.classifier.checkpoint_path)
        curves = {"loss_curve": state.loss_curve, **self._more_to_keep()}
        if state.validation_scores is not None and state.validation_loss_curve is not None:
            curves["validation_loss_curve"] = state.validation_loss_curve
            curves["validation_scores"] = state.validation_scores
        identity = self._identity(preparation, engine)
        return Checkpoint(path, identity, self.network, self.training, self.early_stopping, curves)

    def _more_to_keep(self) -> dict[str, list[float]]:
        """Return what a checkpoint keeps beside the curves."""
        return {}

    def _identity(self, preparation: Preparation, engine: Engine) -> dict[str, str]:
        """Return what identifies the run."""
        return identity_of(self.classifier, preparation, engine)

    def _commit(self) -> None:
        if not self.committed:
            self.state.commit(self.classifier)
            self.committed = True
        elif not self._is_superseded():
            self.state.commit_epoch(self.classifier)

    def _is_superseded(self) -> bool:
        """Whether a later fit of the classifier has been committed."""
        return self.committed and self.classifier._training_state is not self.training

    def _best_epoch(self) -> int:
        state = self.state
        watched = np.array(state.validation_loss_curve or state.loss_curve)
        if self.classifier.scoring != "log_loss":
            watched = -np.array(state.validation_scores)
        return int(np.nanargmin(watched[-state.n_iter :])) + 1


def train_one_epoch(classifier: Any, preparation: Preparation, engine: Engine) -> None:
    """Train one epoch of `partial_fit`, and commit what has been learned."""
    state, continues = preparation.state, preparation.continues
    training, theta = state.training, state.network.theta.copy() if continues and keeps_copy(state.network) else None
    try:
        (epoch,) = _epochs(classifier, preparation, engine, max_epochs=training.epochs + 1)
    except BaseException as error:
        if theta is not None:
            state.network.theta = theta
        if _is_first_divergence(classifier, error):
            state.stop_reason = "diverged"
            state.commit(classifier)
        raise
    state.record(epoch, None)
    early_stopping = state.early_stopping
    early_stopping.tol, early_stopping.patience = classifier.tol, classifier.n_iter_no_change
    if early_stopping.should_stop(epoch.loss):
        _slow_down(preparation.plan, training, early_stopping)
    training.order = None
    state.best_loss = min(state.loss_curve)
    state.commit(classifier)
    if classifier.verbose:
        _print_epoch(classifier, epoch, None)


def _epochs(
    classifier: Any, preparation: Preparation, engine: Engine, max_epochs: int, **heard: Any
) -> Generator[Epoch, None, Any]:
    plan, state, data, validation, _ = preparation
    network, training = state.network, state.training
    common: dict[str, Any] = {"regularization": plan.regularization, "validation": validation}
    if plan.rule is None:
        common |= {"max_iter": max_epochs, "max_fun": int(classifier.max_fun), "tol": classifier.tol}
        return train_lbfgs(network, engine, data, training, **common)
    common |= {"batch_size": plan.batch_size, "schedule": plan.schedule, "shuffle": bool(classifier.shuffle)}
    common["rate_factors"] = plan.rate_factors(network)
    common |= heard
    return train(network, engine, data, plan.rule, training, max_epochs=max_epochs, **common)


def _is_first_divergence(classifier: Any, error: BaseException) -> bool:
    """Return whether a first fit has diverged at once; the classifier then keeps the starting weights."""
    return isinstance(error, DivergenceError) and not hasattr(classifier, "network_")


def _slow_down(plan: Plan, training: TrainingState, early_stopping: EarlyStopping) -> bool:
    """Divide the learning rate by 5 if it is adaptive and not tiny yet, and return whether that was done."""
    rule = plan.rule
    if rule is None or plan.schedule.kind != "adaptive" or rule.learning_rate * training.slowdown <= MIN_LEARNING_RATE:
        return False
    training.slowdown /= 5
    early_stopping.epochs_without_improvement = 0
    return True


def _print_epoch(classifier: Any, epoch: Epoch, score: float | None) -> None:
    line = f"Iteration {classifier.n_iter_}, loss = {epoch.loss:.8f}"
    if epoch.validation is not None and score is not None:
        scoring = "accuracy" if classifier.scoring == "log_loss" else classifier.scoring
        name = scoring if isinstance(scoring, str) else "score"
        line += f", validation log-loss = {epoch.validation.log_loss:.6f}, {name} = {score:.6f}"
    print(line)  # noqa: T201 - what `verbose` asks for
