"""When a fit stops early: what it watches, and the learning rate that falls instead where it is adaptive."""

from typing import Any

from ..training import EarlyStopping, Epoch, TrainingState
from .options import Plan

__all__ = ["should_stop", "slow_down"]

MIN_LEARNING_RATE = 1e-6
"""An adaptive learning rate at or below this is not divided again."""


def should_stop(
    classifier: Any,
    plan: Plan,
    training: TrainingState,
    early_stopping: EarlyStopping,
    epoch: Epoch,
    score: float | None,
) -> bool:
    """Return whether training should stop after an epoch; an adaptive learning rate is lowered first.

    Parameters
    ----------
    classifier : SoftmaxClassifier
    plan : Plan
    training : TrainingState
        Its `slowdown` is lowered in place.
    early_stopping : EarlyStopping
        Updated with what is watched: with `early_stopping` the validation rows, otherwise the training loss.
    epoch : Epoch
    score : float or None
        By `scoring`; None without validation rows.

    Returns
    -------
    bool
    """
    watched = epoch.loss
    if classifier.early_stopping and epoch.validation is not None and score is not None:
        watched = epoch.validation.log_loss if classifier.scoring == "log_loss" else -score
    elif classifier.solver == "lbfgs":
        return False  # SciPy decides when it has converged
    stop = early_stopping.should_stop(watched)
    if training.epochs <= plan.schedule.rise * classifier.max_iter:
        early_stopping.epochs_without_improvement = 0  # the learning rate still rises
        return False
    if not stop:
        return False
    slower = slow_down(plan, training, early_stopping)
    if classifier.verbose:
        what = classifier.scoring if classifier.early_stopping else "Training loss"
        then = f"The learning rate is divided by {1 / training.slowdown:g}." if slower else "Stopping."
        print(  # noqa: T201 - what `verbose` asks for
            f"{what} did not improve more than tol={classifier.tol:g} for {classifier.n_iter_no_change} "
            f"consecutive epochs. {then}"
        )
    return not slower


def slow_down(plan: Plan, training: TrainingState, early_stopping: EarlyStopping) -> bool:
    """Divide the learning rate by 5 if it is adaptive and not tiny yet, and return whether that was done."""
    rule = plan.rule
    if rule is None or plan.schedule.kind != "adaptive" or rule.learning_rate * training.slowdown <= MIN_LEARNING_RATE:
        return False
    training.slowdown /= 5
    early_stopping.epochs_without_improvement = 0
    return True
