"""One fit: the stream of epochs, and its readers.

The record of each epoch goes into the classifier's attributes and to the screen, to patience, to the adaptive learning
rate, and into the checkpoint, in this order. This module refuses to read X and y as users give them.
"""

from collections.abc import Generator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..engine import Data, Engine
from ..errors import DivergenceError, OptionError
from ..training import Checkpoint, Epoch, Patience, Standing, fit, fit_lbfgs, holdout, smaller
from .identity import identity_of
from .labels import hard
from .notices import notice
from .options import Plan

__all__ = ["Run", "record", "slow_down"]

SLOWEST = 1e-6


class Run:
    """One fit of a classifier, epoch by epoch.

    Parameters
    ----------
    classifier : SoftmaxClassifier
        With its network drawn and its records open.
    plan : Plan
    engine : Engine
    data : Data
        All rows given to `fit`.
    validation : Data or None
        The rows to judge on, if the user has given some; otherwise they are held out.
    columns : list of str
        Their names, as far as they have any.

    Raises
    ------
    OptionError
        If no rows can be held out.
    CheckpointError
        If the checkpoint belongs to another run.
    """

    def __init__(
        self,
        classifier: Any,
        plan: Plan,
        engine: Engine,
        data: Data,
        validation: Data | None,
        columns: list[str],
        *,
        goes_on: bool,
    ) -> None:
        self.classifier, self.plan, self.engine, self.network = classifier, plan, engine, classifier.network_
        self.standing = classifier._standing = replace(classifier._standing, epochs=0, slowdown=1.0)
        kept = self.network if classifier.early_stopping else None
        self.patience = Patience(kept, classifier.tol, classifier.n_iter_no_change)
        self.stopped = False
        self.verdict = ""
        self.broken_off = ""
        self.checkpoint: Checkpoint | None = None
        classifier.n_iter_, classifier.best_validation_score_, classifier.stop_reason_ = 0, None, None
        if classifier.checkpoint_path is not None:
            own = identity_of(classifier, engine, data, validation, columns, goes_on=goes_on)
            self._resume(Path(classifier.checkpoint_path), own)
        self.train, self.validation = data, validation
        if classifier.early_stopping and validation is None:
            self.train, self.validation = self._hold_out(data)
        if self.validation is not None and self.validation.weight is not None:
            self.validation = self.validation.rows(np.flatnonzero(self.validation.weight))  # 0: the row is absent
        self.stream = self._open()

    @property
    def over(self) -> bool:
        """Whether there is no epoch to come."""
        return self.stopped or bool(self.verdict) or self.standing.epochs >= self.classifier.max_iter

    def next_epoch(self) -> Epoch | None:
        """Train an epoch and let its readers read it; None if there is none to come."""
        if self.over:
            return None
        try:
            epoch = next(self.stream)
        except DivergenceError:
            self.broken_off = "diverged"
            raise
        except StopIteration as end:  # of L-BFGS, which knows itself when it has converged
            self.verdict = end.value.verdict
            if not self.classifier.n_iter_:  # it began where it would have ended
                self.classifier.loss_ = end.value.loss
            return None
        score = self._score(epoch)
        record(self.classifier, epoch, score)
        self.stopped = self._is_enough(epoch, score)
        if self.checkpoint is not None:
            self.checkpoint.stopped = self.stopped
            self.checkpoint.save()
        return epoch

    def close(self) -> None:
        """End the stream, and put back the best weights where that was asked for."""
        self.stream.close()
        classifier = self.classifier
        if classifier._standing is not self.standing:
            return  # a later fit has taken over
        if self.patience.best_theta is not None and np.isfinite(self.patience.best):
            self.network.theta = self.patience.best_theta
            watched = np.array(classifier.validation_loss_curve_[-classifier.n_iter_ :])
            if classifier.scoring != "log_loss":
                watched = -np.array(classifier.validation_scores_[-classifier.n_iter_ :])
            classifier.best_epoch_ = int(np.nanargmin(watched)) + 1
        losses = classifier.loss_curve_ or [classifier.loss_]
        classifier.best_loss_ = None if classifier.early_stopping else min(losses)
        classifier.stop_reason_ = self._stop_reason()
        if not classifier.warm_start:
            self.standing.order = None  # as long as the data

    def _stop_reason(self) -> str:
        """Return why there is no further epoch, as `SoftmaxClassifier.stop_reason_` has it."""
        if self.broken_off:
            return self.broken_off
        if self.verdict:
            return self.verdict if self.verdict in ("converged", "max_iter", "max_fun") else "line_search"
        if self.stopped:
            return "no_improvement"
        if self.standing.epochs < self.classifier.max_iter:
            return "interrupted"
        return "schedule_completed" if self.plan.schedule.kind in ("cosine", "one_cycle") else "max_iter"

    def warn(self) -> None:
        """Say so if the scores were none, or the loss has risen, is far too large, or has not come to rest."""
        classifier = self.classifier
        scores = (classifier.validation_scores_ or [])[-classifier.n_iter_ :]
        if classifier.early_stopping and scores and np.isnan(scores).all():
            notice(
                f"scoring={classifier.scoring!r} gave NaN in every epoch, so none was an improvement, and the last "
                "weights stay. Pass X_val and y_val with rows of every class, or another scoring.",
                ConvergenceWarning,
            )
        elif classifier.diverged_:
            notice(
                f"The training loss went from {classifier.loss_curve_[-classifier.n_iter_]:.3g} to "
                f"{classifier.loss_:.3g}: the steps are too long. Try learning_rate_init="
                f"{smaller(classifier.learning_rate_init):g}, and inputs scaled to about 1.",
                ConvergenceWarning,
            )
        elif classifier.exploded_:
            rate = f" Then try learning_rate_init={smaller(classifier.learning_rate_init):g}." if self.plan.rule else ""
            notice(
                f"The training loss is {classifier.loss_:.3g}, no better than chance ({classifier._chance():.3g}): the "
                f"inputs or the steps are too large. Scale the inputs to about 1.{rate}",
                ConvergenceWarning,
            )
        elif classifier.stop_reason_ in ("max_iter", "max_fun", "line_search"):
            notice(f"Training ended {self._how_it_ended()}", ConvergenceWarning)

    def _how_it_ended(self) -> str:
        classifier = self.classifier
        unit = "iterations" if classifier.solver == "lbfgs" else "epochs"
        if self.verdict not in ("", "max_iter", "max_fun"):
            return f"after {classifier.n_iter_} {unit}: {self.verdict}"
        at = self.verdict or "max_iter"
        unit = "calls of the loss" if at == "max_fun" else unit
        other = "" if classifier.solver == "lbfgs" else ", or learning_rate_init"
        how = "and was still improving" if self.patience.idle == 0 else "and had not come to rest"
        return f"after {at}={getattr(classifier, at)} {unit} {how}. Raise {at}{other}."

    def _resume(self, path: Path, own: dict[str, str]) -> None:
        classifier = self.classifier
        curves = {
            name: getattr(classifier, f"{name}_")
            for name in ("loss_curve", "validation_loss_curve", "validation_scores")
            if getattr(classifier, f"{name}_") is not None
        }
        self.checkpoint = Checkpoint(path, own, classifier.network_, self.standing, self.patience, curves)
        if self.checkpoint.load(int(classifier.max_iter)):
            self.stopped = self.checkpoint.stopped
            self._take_over()

    def _take_over(self) -> None:
        """Say in the classifier's attributes what the checkpoint says of the epochs before."""
        classifier, epochs = self.classifier, self.standing.epochs
        classifier.n_iter_, classifier.t_ = epochs, self.standing.rows
        if classifier.loss_curve_:
            classifier.loss_ = classifier.loss_curve_[-1]
        if classifier.validation_scores_:
            scores = [score for score in classifier.validation_scores_[-epochs:] if not np.isnan(score)]
            classifier.best_validation_score_ = max(scores, default=float("nan"))

    def _hold_out(self, data: Data) -> tuple[Data, Data]:
        """Split the rows in two, classes in proportion; in a warm start or a resumed run as before."""
        classifier, standing = self.classifier, self.standing
        if standing.split is None:
            standing.split, draw = deepcopy(standing.draw), standing.draw
        else:  # so that no row is judged that was trained on
            draw = deepcopy(standing.split)
        share = classifier.validation_fraction
        of_class = np.zeros(len(data.y), int) if classifier.network_.head.output == "sigmoid" else hard(data.y)
        kept, held_out = holdout(of_class, share, draw)
        if len(held_out) == 0:
            raise OptionError(
                f"validation_fraction={share:g} of {len(data.y)} rows holds out none, because every "
                "class must keep a row. Pass more rows, or early_stopping=False."
            )
        for rows, which in ((kept, "to train on"), (held_out, "held out")):
            if data.weight is not None and not data.weight[rows].any():
                raise OptionError(
                    f"sample_weight leaves no class a weight {which}, by validation_fraction="
                    f"{share:g}. Pass more rows with a weight, or early_stopping=False."
                )
        return data.rows(kept), data.rows(held_out)

    def _open(self) -> Generator[Epoch, None, Any]:
        classifier, plan = self.classifier, self.plan
        common: dict[str, Any] = {"recipe": plan.recipe, "validation": self.validation}
        if plan.rule is None:
            return fit_lbfgs(
                self.network,
                self.engine,
                self.train,
                self.standing,
                max_iter=int(classifier.max_iter),
                max_fun=int(classifier.max_fun),
                tol=classifier.tol,
                **common,
            )
        return fit(
            self.network,
            self.engine,
            self.train,
            plan.rule,
            self.standing,
            batch_size=plan.batch_size,
            max_epochs=int(classifier.max_iter),
            schedule=plan.schedule,
            shuffle=bool(classifier.shuffle),
            **common,
        )

    def _score(self, epoch: Epoch) -> float | None:
        if epoch.validation is None or self.validation is None:
            return None
        return (
            epoch.validation.accuracy
            if self.plan.scorer is None
            else self.plan.scorer(self.classifier, self.validation)
        )

    def _is_enough(self, epoch: Epoch, score: float | None) -> bool:
        """Let patience see what is watched; where the rate is adaptive, slow down first."""
        classifier = self.classifier
        watched = epoch.loss
        if classifier.early_stopping and epoch.validation is not None and score is not None:
            watched = epoch.validation.log_loss if classifier.scoring == "log_loss" else -score
        elif classifier.solver == "lbfgs":
            return False  # it knows when it has converged
        exhausted = self.patience.exhausted(watched)
        if self.standing.epochs <= self.plan.schedule.rise * classifier.max_iter:
            self.patience.idle = 0  # the steps are still short on purpose
            return False
        if not exhausted:
            return False
        slower = slow_down(self.plan, self.standing, self.patience)
        if classifier.verbose:
            what = classifier.scoring if classifier.early_stopping else "Training loss"
            then = f"The learning rate is divided by {1 / self.standing.slowdown:g}." if slower else "Stopping."
            print(  # noqa: T201 - what `verbose` asks for
                f"{what} did not improve more than tol={classifier.tol:g} for {classifier.n_iter_no_change} "
                f"consecutive epochs. {then}"
            )
        return not slower


def record(classifier: Any, epoch: Epoch, score: float | None) -> None:
    """Write an epoch into the classifier's attributes, and to the screen if it is verbose.

    Parameters
    ----------
    classifier : SoftmaxClassifier
    epoch : Epoch
    score : float or None
        By `scoring`, where there are validation rows.
    """
    classifier.n_iter_ += 1
    getattr(classifier, "_recorded", []).append(epoch.loss)
    classifier.t_ = classifier._standing.rows
    classifier.loss_ = epoch.loss
    classifier.loss_curve_.append(epoch.loss)
    line = f"Iteration {classifier.n_iter_}, loss = {epoch.loss:.8f}"
    if epoch.validation is not None and score is not None:
        classifier.validation_scores_.append(score)
        classifier.validation_loss_curve_.append(epoch.validation.log_loss)
        best = classifier.best_validation_score_
        if best is None or score > best or np.isnan(best):
            classifier.best_validation_score_ = score
        named = {"log_loss": "accuracy"}.get(classifier.scoring, classifier.scoring)
        name = named if isinstance(named, str) else "score"
        line += f", validation log-loss = {epoch.validation.log_loss:.6f}, {name} = {score:.6f}"
    if classifier.verbose:
        print(line)  # noqa: T201 - what `verbose` asks for


def slow_down(plan: Plan, standing: Standing, patience: Patience) -> bool:
    """Divide the learning rate by 5 instead of stopping, if it is adaptive and not tiny; return whether that was done.

    Parameters
    ----------
    plan : Plan
    standing : Standing
        Its slowdown is written to.
    patience : Patience
        Begins anew.

    Returns
    -------
    bool
    """
    if plan.rule is None or plan.schedule.kind != "adaptive" or plan.rule.learning_rate * standing.slowdown <= SLOWEST:
        return False
    standing.slowdown /= 5
    patience.idle = 0
    return True
