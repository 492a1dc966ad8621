"""The record of an epoch: into the attributes of the classifier, and onto the screen if `verbose` asks for it."""

from typing import Any

import numpy as np

from ..training import Epoch
from .fitted_state import FittedState

__all__ = ["print_epoch", "record"]


def record(state: FittedState, epoch: Epoch, score: float | None) -> None:
    """Add an epoch to what the fit has learned.

    Parameters
    ----------
    state : FittedState
    epoch : Epoch
    score : float or None
        By `scoring`; None without validation rows.
    """
    state.n_iter += 1
    state.t = state.training.rows
    state.loss = epoch.loss
    state.loss_curve.append(epoch.loss)
    if epoch.validation is None or score is None:
        return
    assert state.validation_scores is not None
    assert state.validation_loss_curve is not None
    state.validation_scores.append(score)
    state.validation_loss_curve.append(epoch.validation.log_loss)
    best = state.best_validation_score
    if best is None or score > best or np.isnan(best):
        state.best_validation_score = score


def print_epoch(classifier: Any, epoch: Epoch, score: float | None) -> None:
    """Print a line about an epoch if the classifier is verbose."""
    if not classifier.verbose:
        return
    line = f"Iteration {classifier.n_iter_}, loss = {epoch.loss:.8f}"
    if epoch.validation is not None and score is not None:
        scoring = "accuracy" if classifier.scoring == "log_loss" else classifier.scoring
        name = scoring if isinstance(scoring, str) else "score"
        line += f", validation log-loss = {epoch.validation.log_loss:.6f}, {name} = {score:.6f}"
    print(line)  # noqa: T201 - what `verbose` asks for
