"""Rows of a fitted classifier as the batch of a trace: with the loss of its training and the step of its solver."""

from typing import Any

from ..engine import Data
from ..functional.arrays import Array
from ..network import Network
from ..tracing.batch import Batch
from ..tracing.updates import Optimizer
from .labels import Labels, weigh_rows
from .options import Plan, make_plan

__all__ = ["training_batch"]


def training_batch(classifier: Any, network: Network, labels: Labels, data: Data, rows: Array) -> Batch:
    """Return rows as a batch: class weights, label smoothing and penalty as in training, without dropout and mixup."""
    plan = make_plan(classifier)
    weight = weigh_rows(classifier.class_weight, labels, data.weight, named=True)
    optimizer, notes = _optimizer(classifier, plan, network)
    columns = getattr(classifier, "feature_names_in_", None)
    return Batch(
        network,
        data.X,
        data.y,
        weight,
        rows=rows,
        alpha=float(plan.regularization.alpha),
        optimizer=optimizer,
        classes=[str(label) for label in classifier.classes_],
        columns=None if columns is None else [str(name) for name in columns],
        notes=[*notes, *_left_out(classifier, plan, weight)],
    )


def _optimizer(classifier: Any, plan: Plan, network: Network) -> tuple[Optimizer | None, list[str]]:
    """Return the next step of the solver, or a note that says why it has none to show."""
    state = classifier._training_state.state
    if plan.rule is None:
        return None, ["The solver 'lbfgs' finds the length of its steps by trial, so no update is shown."]
    if "unscaled" in state:
        return None, ["A scale of the inputs is learned with the weights, so no update is shown."]
    regularization = plan.regularization
    optimizer = Optimizer(
        plan.rule,
        state,
        weight_decay=regularization.weight_decay,
        clip_norm=regularization.clip_norm,
        factors=plan.rate_factors(network),
    )
    notes = [] if plan.schedule.is_level else ["The update takes the full learning rate, not that of the schedule."]
    return optimizer, notes


def _left_out(classifier: Any, plan: Plan, weight: Array | None) -> list[str]:
    """Say how the loss of the batch differs from that of a step of the training."""
    regularization, notes = plan.regularization, []
    if regularization.label_smoothing:
        notes.append(f"The labels in Y are smoothed by {regularization.label_smoothing:g}.")
    if any(regularization.dropout):
        notes.append("No unit is dropped: pass masks to see a step with dropout.")
    if regularization.mixup:
        notes.append("The rows are not mixed, as mixup would do in training.")
    if weight is not None:
        notes.append(
            "The divisor of the loss is the total weight of these rows. A step of the training divides by their number "
            "times the mean weight of all rows."
        )
    return notes
