"""The epochs of one fit, one at a time.

Each epoch is recorded, committed to the classifier, watched by early stopping and written to the checkpoint, in this
order; each of these has a module of its own.
"""

from collections.abc import Generator
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ..engine import Data, Engine
from ..errors import DivergenceError
from ..training import Checkpoint, EarlyStopping, Epoch, train, train_lbfgs
from .fitted_state import FittedState
from .identity import identity_of
from .options import Plan
from .preparation import Preparation
from .record import print_epoch, record
from .stopping import should_stop, slow_down
from .validation import hold_out

__all__ = ["Run", "train_one_epoch"]


class Run:
    """The epochs of one fit; a context manager that commits what has been learned.

    Parameters
    ----------
    classifier : SoftmaxClassifier
        Unchanged until the first epoch is done.
    preparation : Preparation
    engine : Engine

    Attributes
    ----------
    state : FittedState
    early_stopping : EarlyStopping
    stop_reason : str
        Empty as long as there is an epoch to come; then as `SoftmaxClassifier.stop_reason_`.
    verdict : str
        Why L-BFGS ended, as `glassmax.optimizers.lbfgs` says it.

    Raises
    ------
    OptionError
        If no rows can be held out.
    CheckpointError
        If the checkpoint belongs to another run.
    """

    def __init__(self, classifier: Any, preparation: Preparation, engine: Engine) -> None:
        self.classifier, self.engine = classifier, engine
        self.plan, self.state, self.train, self.validation, continues = preparation
        self.network = self.state.network
        self.theta = self.network.theta.copy() if continues else None
        kept = self.network if classifier.early_stopping else None
        self.early_stopping = EarlyStopping(kept, classifier.tol, classifier.n_iter_no_change)
        self.committed = False
        self.stop_reason = self.verdict = ""
        self.checkpoint = self._checkpoint(preparation)
        if self.checkpoint is not None and self.checkpoint.load(int(classifier.max_iter)):
            self._resume()
        if classifier.early_stopping and self.validation is None:
            self.train, self.validation = hold_out(
                classifier, self.train, self.state.training, output=self.network.head.output
            )
        if self.validation is not None and self.validation.weight is not None:
            self.validation = self.validation.rows(np.flatnonzero(self.validation.weight))  # 0: the row is absent
        self.stream = _epochs(
            classifier, self.plan, self.state, engine, self.train, self.validation, max_epochs=int(classifier.max_iter)
        )
        if self.state.n_iter:  # resumed
            self._commit()
        self._end_of_epochs()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the stream and commit, with the best weights where early stopping asks for them."""
        self.stream.close()
        classifier, state = self.classifier, self.state
        if error is not None and not self.committed and not _is_first_divergence(classifier, error):
            if self.theta is not None:
                self.network.theta = self.theta
            return
        if self._is_superseded():
            return
        if self.early_stopping.best_theta is not None and np.isfinite(self.early_stopping.best):
            self.network.theta = self.early_stopping.best_theta
            state.best_epoch = self._best_epoch()
        state.best_loss = None if classifier.early_stopping else min(state.loss_curve or [state.loss])
        state.stop_reason = self._stop_reason(error)
        if not classifier.warm_start:
            state.training.order = None  # as long as the data
        state.commit(classifier)

    def next_epoch(self) -> Epoch | None:
        """Train an epoch and return its record; None if there is none to come."""
        if self.stop_reason:
            return None
        try:
            epoch = next(self.stream)
        except StopIteration as end:  # L-BFGS: SciPy has found its end
            self.verdict = end.value.verdict
            limits = ("converged", "max_iter", "max_fun")
            self.stop_reason = self.verdict if self.verdict in limits else "line_search"
            if not self.state.n_iter:  # it has ended where it began
                self.state.loss = end.value.loss
            return None
        score = self._score(epoch)
        record(self.state, epoch, score)
        self._commit()
        print_epoch(self.classifier, epoch, score)
        stopped = should_stop(self.classifier, self.plan, self.state.training, self.early_stopping, epoch, score)
        if self.checkpoint is not None:
            self.checkpoint.stopped = stopped
            self.checkpoint.save()
        if stopped:
            self.stop_reason = "no_improvement"
        self._end_of_epochs()
        return epoch

    def _end_of_epochs(self) -> None:
        if not self.stop_reason and self.state.training.epochs >= self.classifier.max_iter:
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

    def _checkpoint(self, preparation: Preparation) -> Checkpoint | None:
        if self.classifier.checkpoint_path is None:
            return None
        state, path = self.state, Path(self.classifier.checkpoint_path)
        curves = {"loss_curve": state.loss_curve}
        if state.validation_scores is not None and state.validation_loss_curve is not None:
            curves["validation_loss_curve"] = state.validation_loss_curve
            curves["validation_scores"] = state.validation_scores
        identity = identity_of(self.classifier, preparation, self.engine)
        return Checkpoint(path, identity, self.network, state.training, self.early_stopping, curves)

    def _resume(self) -> None:
        """Restore the records of the epochs in the checkpoint, besides those that it restores itself."""
        state, epochs = self.state, self.state.training.epochs
        state.n_iter, state.t = epochs, state.training.rows
        if state.loss_curve:
            state.loss = state.loss_curve[-1]
        if state.validation_scores:
            scores = [score for score in state.validation_scores[-epochs:] if not np.isnan(score)]
            state.best_validation_score = max(scores, default=float("nan"))
        if self.checkpoint is not None and self.checkpoint.stopped:
            self.stop_reason = "no_improvement"

    def _commit(self) -> None:
        if not self._is_superseded():
            self.state.commit(self.classifier)
            self.committed = True

    def _is_superseded(self) -> bool:
        """Whether a later fit of the classifier has been committed."""
        return self.committed and self.classifier._training_state is not self.state.training

    def _best_epoch(self) -> int:
        state = self.state
        watched = np.array(state.validation_loss_curve or state.loss_curve)
        if self.classifier.scoring != "log_loss":
            watched = -np.array(state.validation_scores)
        return int(np.nanargmin(watched[-state.n_iter :])) + 1

    def _stop_reason(self, error: BaseException | None) -> str:
        return "diverged" if isinstance(error, DivergenceError) else self.stop_reason or "interrupted"


def train_one_epoch(classifier: Any, preparation: Preparation, engine: Engine) -> None:
    """Train one epoch of `partial_fit`, and commit what has been learned.

    Parameters
    ----------
    classifier : SoftmaxClassifier
    preparation : Preparation
    engine : Engine
    """
    plan, state, data, _, continues = preparation
    training, theta = state.training, state.network.theta.copy() if continues else None
    try:
        (epoch,) = _epochs(classifier, plan, state, engine, data, None, max_epochs=training.epochs + 1)
    except BaseException as error:
        if theta is not None:
            state.network.theta = theta
        if _is_first_divergence(classifier, error):
            state.stop_reason = "diverged"
            state.commit(classifier)
        raise
    record(state, epoch, None)
    early_stopping = state.early_stopping
    early_stopping.tol, early_stopping.patience = classifier.tol, classifier.n_iter_no_change
    if early_stopping.should_stop(epoch.loss):
        slow_down(plan, training, early_stopping)
    training.order = None
    state.best_loss = min(state.loss_curve)
    state.commit(classifier)
    print_epoch(classifier, epoch, None)


def _is_first_divergence(classifier: Any, error: BaseException) -> bool:
    """Return whether a first fit has diverged at once; the classifier then keeps the starting weights."""
    return isinstance(error, DivergenceError) and not hasattr(classifier, "network_")


def _epochs(
    classifier: Any,
    plan: Plan,
    state: FittedState,
    engine: Engine,
    data: Data,
    validation: Data | None,
    *,
    max_epochs: int,
) -> Generator[Epoch, None, Any]:
    network, training = state.network, state.training
    common: dict[str, Any] = {"regularization": plan.regularization, "validation": validation}
    if plan.rule is None:
        common |= {"max_iter": max_epochs, "max_fun": int(classifier.max_fun), "tol": classifier.tol}
        return train_lbfgs(network, engine, data, training, **common)
    common |= {"batch_size": plan.batch_size, "schedule": plan.schedule, "shuffle": bool(classifier.shuffle)}
    common["rate_factors"] = plan.rate_factors(network.layer_sizes)
    return train(network, engine, data, plan.rule, training, max_epochs=max_epochs, **common)
