"""Outcome of a fit: a loss that rose or exploded, and the warnings that tell the user what to do."""

from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..training import suggest_learning_rate
from .user_warnings import warn_user

__all__ = ["has_diverged", "has_exploded", "warn_of_outcome"]

EXPLODED = 10  # times chance


def has_diverged(classifier: Any) -> bool:
    """Return whether the training loss ended above where it began, and above chance."""
    last, first = classifier.loss_, classifier.loss_curve_[-classifier.n_iter_] if classifier.n_iter_ else 0.0
    several = classifier.n_iter_ > 1 and classifier.solver != "lbfgs"
    return several and bool(last > max(first, _chance(classifier)))


def has_exploded(classifier: Any) -> bool:
    """Return whether the training loss rose far above chance and ended no better than chance."""
    curve, chance = classifier.loss_curve_[-classifier.n_iter_ :], _chance(classifier)
    return bool(classifier.n_iter_ and max(curve) > EXPLODED * chance and classifier.loss_ >= chance)


def _chance(classifier: Any) -> float:
    """Return the loss of a network that makes the same prediction for every row."""
    chance: float = classifier.network_.head.chance(len(classifier.classes_))
    return chance


def warn_of_outcome(classifier: Any, *, end: str, improving: bool) -> None:
    """Warn if every score was NaN, or if the loss rose, exploded or had not converged.

    `end` says why L-BFGS ended, in SciPy's words; `improving` whether the last epoch was an improvement.
    """
    scores = (classifier.validation_scores_ or [])[-classifier.n_iter_ :]
    slower = f"learning_rate_init={suggest_learning_rate(classifier.learning_rate_init):g}"
    if classifier.early_stopping and scores and np.isnan(scores).all():
        message = (
            f"scoring={classifier.scoring!r} gave NaN in every epoch, so no epoch was an improvement, and the last "
            "weights are kept. Pass X_val and y_val with rows of every class, or another scoring."
        )
    elif classifier.diverged_:
        message = (
            f"The training loss went from {classifier.loss_curve_[-classifier.n_iter_]:.3g} to "
            f"{classifier.loss_:.3g}: the steps are too long. Try {slower}, and inputs scaled to about 1."
        )
    elif classifier.exploded_:
        rate = "" if classifier.solver == "lbfgs" else f" Then try {slower}."
        message = (
            f"The training loss is {classifier.loss_:.3g}, no better than chance ({_chance(classifier):.3g}): the "
            f"inputs or the steps are too large. Scale the inputs to about 1.{rate}"
        )
    elif classifier.stop_reason_ in ("max_iter", "max_fun"):
        message = _limit_reached(classifier, improving=improving)
    elif classifier.stop_reason_ == "line_search":
        message = f"Training ended after {classifier.n_iter_} iterations: {end}"
    else:
        return
    warn_user(message, ConvergenceWarning)


def _limit_reached(classifier: Any, *, improving: bool) -> str:
    limit, lbfgs = classifier.stop_reason_, classifier.solver == "lbfgs"
    unit = "calls of the loss" if limit == "max_fun" else "iterations" if lbfgs else "epochs"
    how = "and was still improving" if improving else "and had not converged"
    other = "" if lbfgs else ", or learning_rate_init"
    return f"Training ended after {limit}={getattr(classifier, limit)} {unit} {how}. Raise {limit}{other}."
