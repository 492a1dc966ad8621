"""From what the scan has learned to the network and its state before the first epoch."""

from copy import copy
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sklearn.utils import check_random_state

from ...embedding import Embedding, fitted_embedding
from ...errors import OptionError, Setting
from ...functional.arrays import Array
from ...streaming import Learned
from ...table import UnseenCounts
from ..cost import check_cost, cost_of
from ..fitted_state import FittedState
from ..labels import Labels, scaled_weights, weigh_rows
from ..options import Plan, make_plan, warn_of_ignored
from ..preparation import begin, continued
from ..scoring import check_scoring
from ..tables.blocks import encoded_rows, is_better_sparse

__all__ = ["Begun", "Weights", "begun", "weights_of_classes"]


class Begun(NamedTuple):
    """What a fit begins with.

    Attributes
    ----------
    plan : Plan
    state : FittedState
    continues : bool
        Whether the state is that of the last fit, see `SoftmaxClassifier.warm_start`.
    """

    plan: Plan
    state: FittedState
    continues: bool


class Weights(NamedTuple):
    """The weights of the classes, (k,), and the mean weight of the rows with these multiplied in."""

    of_class: Array | None
    mean: float


def begun(classifier: Any, known: Learned, classes: Array, dtype: str, columns: list[str]) -> Begun:
    """Return the network and its state; the classifier is not changed.

    Parameters
    ----------
    classifier : SoftmaxClassifier
    known : Learned
    classes : (k,) array
        What the classifier calls the classes of `known`.
    dtype : {"float32", "float64"}
    columns : list of str
        The columns of the files that are not the target.
    """
    plan = make_plan(classifier)
    warn_of_ignored(classifier)
    labels = Labels("softmax", classes, known.sample_y)
    continues = classifier.warm_start and hasattr(classifier, "network_")
    if continues:
        _check_same(classifier, known, classes)
        state = continued(classifier, plan, labels)
    else:
        state = _begin(copy(classifier), plan, labels, known, dtype)
    if classifier.early_stopping:
        check_scoring(classifier.scoring, len(classes))
    shown = bool(classifier.early_stopping)
    state.validation_scores = (state.validation_scores or []) if shown else None
    state.validation_loss_curve = (state.validation_loss_curve or []) if shown else None
    state.n_iter, state.best_validation_score, state.stop_reason = 0, None, None
    state.training.epochs, state.training.slowdown = 0, 1.0
    if not state.training.seed:  # also that of the order of the rows
        state.training.seed = int(state.training.draw.randint(1, 2**63 - 1, dtype=np.int64))
    state.encoding, state.rare_classes = known.encoding, classes[:0]
    state.n_features_in, state.feature_names_in = len(columns), np.array(columns, object)
    return Begun(plan, state, continues)


def _begin(trial: Any, plan: Plan, labels: Labels, known: Learned, dtype: str) -> FittedState:
    draw = check_random_state(trial.random_state)
    embedding: Embedding | None = None
    if trial.embedding is not None:
        embedding = fitted_embedding(trial.embedding, sample_rows(known, dtype))
    width = known.encoding.width if embedding is None else embedding.width
    rows = known.layout.order(known.rows, 0).window_rows
    check_cost(cost_of(trial, inputs=width, classes=len(labels.classes), rows=rows, dtype=dtype))
    return begin(trial, plan, labels, draw, width, dtype, embedding)


def sample_rows(known: Learned, dtype: str) -> Any:
    """Return the rows of the sample as numbers: an (m, width) array, or CSR if that would be very large."""
    table = known.encodable
    sparse = is_better_sparse(known.encoding, table.n_rows)
    return encoded_rows(known.encoding, table, np.arange(table.n_rows), dtype, UnseenCounts(), sparse=sparse)


def _check_same(classifier: Any, known: Learned, classes: Array) -> None:
    """Refuse to continue from the weights of a fit with other columns or classes."""
    own = getattr(classifier, "encoding_", None)
    other = None
    if own is None:
        other = "the last fit was on arrays, whose columns have no encoding"
    elif msgspec.json.encode(own) != msgspec.json.encode(known.encoding):
        other = "the columns of these files have another encoding than those of the last fit"
    elif not np.array_equal(classifier.classes_, classes):
        other = "these files have other classes than those of the last fit"
    if other is not None:
        raise OptionError(
            *(Setting("warm_start", True), f" continues from the weights of the last fit, but {other}."),
            parameter="warm_start",
            remedy=("Fit with ", Setting("warm_start", False), "."),
        )


def weights_of_classes(given: list[tuple[Any, Array]], totals: Array, n_rows: int) -> Weights:
    """Return the weights of the classes.

    Parameters
    ----------
    given : list of (class_weight, classes)
        Values of the parameter `class_weight`, each with what it calls the classes; the weights are multiplied.
    totals : (k,) array
        The total weight of the rows of each class.
    n_rows : int
        Number of all rows.
    """
    given = [(weights, classes) for weights, classes in given if weights is not None]
    of_class = np.ones(len(totals))
    for weights, classes in given:
        labels = Labels("softmax", classes, np.arange(len(classes)))
        together = weigh_rows(weights, labels, of_class * totals, named=True)
        assert together is not None
        of_class = together / totals
    of_class = scaled_weights(of_class)
    mean = float((of_class * totals).sum()) / n_rows
    return Weights(of_class if given else None, mean)
