"""From the arguments of a fit to what it trains: everything is checked here, and the classifier is not changed.

X, y and the weights are checked, y is encoded as class indices or rows, class weights become sample weights, the state
to train is drawn anew or taken from the last fit, and the rows for early stopping are held out.
"""

from copy import copy, deepcopy
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from ..embedding import Embedding, describes, fitted_embedding
from ..engine import Data
from ..errors import LabelError, OptionError, Setting
from ..functional.arrays import Array
from ..functional.heads import Head
from ..functional.targets import is_sparse
from ..initializers import schemes_of
from ..network import Network
from ..training import holdout
from .candidates import CANDIDATES, check_candidates, encode_candidates, holds_candidates
from .cost import check_cost, cost_of
from .fitted_state import FittedState
from .inputs import check_rows, column_names
from .labels import (
    MOST_LISTED,
    Labels,
    distinct_labels,
    encode_labels,
    listed,
    most_probable_class,
    sorted_distinct,
    weigh_rows,
)
from .options import (
    Plan,
    activations_of,
    check_softmax_options,
    head_options,
    hidden_sizes,
    make_plan,
    warn_of_ignored,
)
from .rare_classes import put_together
from .scoring import check_scoring

__all__ = [
    "Preparation",
    "begin",
    "continued",
    "hold_out",
    "known_rows",
    "other_label_of",
    "prepare_fit",
    "prepare_partial_fit",
    "rows_and_labels",
]


class Preparation(NamedTuple):
    """Input of a fit; if it continues the last fit, the state is a copy of the last fit's, with the same network."""

    plan: Plan
    state: FittedState
    data: Data
    validation: Data | None
    continues: bool


def prepare_fit(
    classifier: Any, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any], classes: Any
) -> Preparation:
    """Check everything that `fit` is given (`validation`: X_val, y_val, sample_weight_val); return what it trains."""
    plan = make_plan(classifier)
    warn_of_ignored(classifier)
    continues = classifier.warm_start and hasattr(classifier, "network_")
    classes = column_names(y) if classes is None else classes
    trial = copy(classifier)  # learns columns and classes, so that a refused fit changes nothing
    X, labels, sample_weight = rows_and_labels(trial, X, y, sample_weight, classes, known=continues, all_there=True)
    rare = getattr(classifier, "rare_classes_", None)
    if not continues:
        labels, rare = put_together(labels, classifier.min_count, classifier.other_label)
    if labels.output == "sigmoid":
        check_softmax_options(classifier)
    weight = weigh_rows(classifier.class_weight, labels, sample_weight, named=classes is not None)
    data = Data(X, labels.T, weight)
    state = continued(classifier, plan, labels) if continues else _begun(trial, plan, labels, data)
    state.rare_classes = rare
    state.commit(trial)
    held_out, candidates = _check_validation(trial, labels, *validation)
    shown = classifier.early_stopping or held_out is not None
    if candidates and shown and plan.scorer is not None:
        expected = "'log_loss' or 'accuracy' where labels are sets: other scores need the class of each row"
        raise OptionError(parameter="scoring", came=repr(classifier.scoring), expected=expected)
    if shown and labels.output == "softmax":
        check_scoring(classifier.scoring, len(labels.classes))
    state.validation_scores = (state.validation_scores or []) if shown else None
    state.validation_loss_curve = (state.validation_loss_curve or []) if shown else None
    state.n_iter, state.best_validation_score, state.stop_reason = 0, None, None
    state.training.epochs, state.training.slowdown = 0, 1.0
    state.network.head = _head(classifier, labels.output, candidates=candidates)  # once nothing more is refused
    return Preparation(plan, state, data, held_out, continues)


def prepare_partial_fit(classifier: Any, X: Any, y: Any, sample_weight: Any, classes: Any) -> Preparation:
    """Check everything that `partial_fit` is given, and return what it trains."""
    plan = make_plan(classifier)
    continues = hasattr(classifier, "network_")
    if not continues and classes is None:
        expected = "all labels of all calls at the first call of partial_fit"
        raise OptionError(parameter="classes", came="None", expected=expected)
    warn_of_ignored(classifier)
    trial = copy(classifier)
    X, labels, sample_weight = rows_and_labels(trial, X, y, sample_weight, classes, known=continues)
    data = Data(X, labels.T, weigh_rows(classifier.class_weight, labels, sample_weight, named=True))
    state = continued(classifier, plan, labels) if continues else _begun(trial, plan, labels, data)
    state.training.order = state.stop_reason = None
    state.network.head = _head(classifier, labels.output, candidates=labels.candidates)
    return Preparation(plan, state, data, None, continues)


def known_rows(classifier: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Network, Labels, Data]:
    """Return the network of a fitted classifier with the loss of these labels, the labels, and the rows."""
    network = copy(classifier.network_)
    if holds_candidates(y):
        _check_softmax(classifier, "y")
        labels = encode_candidates(y, classifier.classes_)
        X, _, sample_weight = check_rows(classifier, X, labels.T, sample_weight, reset=False)
    else:
        X, y, sample_weight = check_rows(classifier, X, y, sample_weight, reset=False)
        candidates = classifier.loss == CANDIDATES
        other = other_label_of(classifier)
        labels = encode_labels(y, network.head.output, classifier.classes_, candidates=candidates, other_label=other)
    network.head = _head(classifier, labels.output, candidates=labels.candidates)
    return network, labels, Data(X, labels.T, sample_weight)


def other_label_of(classifier: Any) -> Any:
    """Return the label that replaces labels which are not classes of the fit; None without `min_count`."""
    return classifier.other_label if classifier.min_count > 1 else None


def hold_out(classifier: Any, preparation: Preparation) -> Preparation:
    """Hold out validation rows, classes in proportion. A warm start or resumed fit uses the same rows again."""
    training, data = preparation.state.training, preparation.data
    if training.split is None:
        training.split, draw = deepcopy(training.draw), training.draw
    else:  # the same rows, so that none is validated on that was trained on
        draw = deepcopy(training.split)
    share = classifier.validation_fraction
    sigmoid = preparation.state.network.head.output == "sigmoid"
    of_class = np.zeros(data.n_rows, int) if sigmoid else most_probable_class(data.y)
    kept, held_out = holdout(of_class, share, draw)
    fraction = Setting("validation_fraction", float(f"{share:g}"))
    otherwise = Setting("early_stopping", False)
    if len(held_out) == 0:
        raise OptionError(
            *(fraction, f" of {data.n_rows} rows holds out none, because every class must keep a row."),
            parameter="validation_fraction",
            remedy=("Pass more rows, or ", otherwise, "."),
        )
    for rows, which in ((kept, "to train on"), (held_out, "held out")):
        if data.weight is not None and not data.weight[rows].any():
            raise OptionError(
                *(Setting("sample_weight"), f" leaves no class a weight {which}, by ", fraction, "."),
                parameter="sample_weight",
                remedy=("Pass more rows with a weight, or ", otherwise, "."),
            )
    return preparation._replace(data=data.rows(kept), validation=data.rows(held_out))


def rows_and_labels(
    trial: Any, X: Any, y: Any, sample_weight: Any, classes: Any, *, known: bool, all_there: bool = False
) -> tuple[Array, Labels, Array | None]:
    """Check rows and labels against each other; return X, the encoded labels, and the weights."""
    if not holds_candidates(y):
        X, y, sample_weight = check_rows(trial, X, y, sample_weight, reset=not known)
        return X, _encode(trial, y, classes, known=known, all_there=all_there), sample_weight
    check_candidates(trial)
    if classes is not None:
        classes = sorted_distinct(distinct_labels(classes))
    if known:
        _check_classes(trial, classes, np.sort(trial.classes_))
        _check_softmax(trial, "y")
        classes = trial.classes_
    labels = encode_candidates(y, classes)
    X, _, sample_weight = check_rows(trial, X, labels.T, sample_weight, reset=not known)
    return X, labels, sample_weight


def _check_softmax(trial: Any, what: str) -> None:
    if trial.network_.head.output != "softmax":
        raise LabelError(f"{what} holds sets of labels, expected a matrix (n, k) of 0 and 1, as in the first call.")


def _check_classes(classifier: Any, classes: Any, own: Array) -> None:
    if classes is not None and not np.array_equal(classes, own):
        raise LabelError(
            f"classes are {listed(classes)}, expected those of the first call: {listed(classifier.classes_)}."
        )


def _encode(classifier: Any, y: Array, classes: Any, *, known: bool, all_there: bool = False) -> Labels:
    """Encode y; if the classes are known already, by them."""
    one_a_row, candidates = np.ndim(y) == 1 or np.shape(y)[1:] == (1,), classifier.loss == CANDIDATES
    if classes is not None and one_a_row:
        classes = sorted_distinct(distinct_labels(classes))
    if not known:
        return encode_labels(y, classifier.output, classes, candidates=candidates)
    own = np.sort(classifier.classes_) if one_a_row else classifier.classes_
    _check_classes(classifier, classes, own)
    output = classifier.network_.head.output
    other = other_label_of(classifier)
    if other is not None or not (all_there and classes is None and one_a_row and output == "softmax"):
        return encode_labels(y, output, classifier.classes_, candidates=candidates, other_label=other)
    labels = encode_labels(y, output, candidates=candidates)
    if not np.array_equal(labels.classes, own):
        raise LabelError(
            "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
            f"Previously got {classifier.classes_}, `y` has {labels.classes}. Pass "
            f"classes={_as_argument(classifier.classes_)} if y may lack some of them. To train on other classes, "
            "pass warm_start=False."
        )
    in_order = np.array_equal(labels.classes, classifier.classes_)
    return labels if in_order else encode_labels(y, output, classifier.classes_, candidates=candidates)


def _as_argument(classes: Array) -> str:
    return str(classes.tolist()) if len(classes) <= MOST_LISTED else "all labels"


def _check_validation(trial: Any, labels: Labels, X: Any, y: Any, sample_weight: Any) -> tuple[Data | None, bool]:
    """Return the validation rows, if there are any, and whether these or the training rows have candidates."""
    if X is None and y is None:
        if sample_weight is not None:
            what = "sample_weight_val"
            remedy = "Pass all three, or none."
            raise OptionError(Setting(what), " is given without X_val and y_val.", parameter=what, remedy=remedy)
        return None, labels.candidates
    if X is None or y is None:
        given, missing = ("y_val", "X_val") if X is None else ("X_val", "y_val")
        remedy = "Pass both, or none."
        raise OptionError(Setting(given), f" is given without {missing}.", parameter=given, remedy=remedy)
    if holds_candidates(y):
        check_candidates(trial)
        _check_softmax(trial, "y_val")
        of_val = encode_candidates(y, trial.classes_, what="y_val")
        X, _, sample_weight = check_rows(trial, X, of_val.T, sample_weight, reset=False, what="_val")
    else:
        X, y, sample_weight = check_rows(trial, X, y, sample_weight, reset=False, what="_val")
        output, candidates = trial.network_.head.output, trial.loss == CANDIDATES
        other = other_label_of(trial)
        of_val = encode_labels(y, output, trial.classes_, candidates=candidates, what="y_val", other_label=other)
    both = (labels, "y"), (of_val, "y_val")
    candidates = labels.candidates or of_val.candidates
    soft = [what for each, what in both if each.T.ndim == 2 and not each.candidates]
    if candidates and soft:
        other = "y_val" if soft[0] == "y" else "y"
        raise LabelError(f"{soft[0]} holds class probabilities and {other} sets of labels, expected one of both.")
    return Data(X, of_val.T, weigh_rows(None, of_val, sample_weight, named=True)), candidates


def _begun(trial: Any, plan: Plan, labels: Labels, data: Data) -> FittedState:
    """Fit the embedding to the rows, and draw the starting weights."""
    draw, X, w = check_random_state(trial.random_state), data.X, data.weight
    embedding = None
    if trial.embedding is not None:  # a row of weight 0 is absent
        embedding = fitted_embedding(trial.embedding, X if w is None or w.all() else X[w > 0])
    width = X.shape[1] if embedding is None else embedding.width
    stored = {"nonzeros": int(X.nnz)} if is_sparse(X) else {}  # type: ignore[attr-defined]
    check_cost(cost_of(trial, inputs=width, classes=len(labels.classes), rows=X.shape[0], dtype=X.dtype, **stored))
    return begin(trial, plan, labels, draw, width, X.dtype, embedding)


def begin(
    trial: Any,
    plan: Plan,
    labels: Labels,
    draw: np.random.RandomState,
    width: int,
    dtype: npt.DTypeLike,
    embedding: Embedding | None = None,
) -> FittedState:
    """Draw the starting weights of a network with so many inputs."""
    sizes = [width, *hidden_sizes(trial), len(labels.classes)]
    E = _class_embeddings(trial, sizes, dtype)
    network = Network(
        sizes,
        activation=activations_of(trial),
        output=labels.output,
        loss=_network_loss(trial, labels.output, candidates=labels.candidates),
        dtype=dtype,
        init=trial.init,
        random_state=draw,
        embedding=embedding,
        frozen=() if E is None else (f"W{len(sizes) - 1}",),
        output_bias=bool(trial.output_bias),
        **(head_options(trial) if labels.output == "softmax" else {}),
    )
    if E is not None:
        network.parameters.W[network.depth][...] = E.T
    return FittedState.begin(
        trial,
        plan,
        network,
        draw,
        classes=labels.classes,
        init=schemes_of(trial.init, network.activations),
        feature_names_in=getattr(trial, "feature_names_in_", None),
    )


def continued(classifier: Any, plan: Plan, labels: Labels) -> FittedState:
    """Take up the last fit: its network, and the moments of its solver unless the solver has changed."""
    network, state = classifier.network_, FittedState.of(classifier)
    output = network.head.output if classifier.output == "auto" else classifier.output
    loss = _network_loss(classifier, output, candidates=labels.candidates)
    if {loss, network.head.loss} == {CANDIDATES, "cross_entropy"}:  # the same for a row of one class
        loss = network.head.loss
    described = {
        "hidden_layer_sizes": (network.layer_sizes[1:-1], hidden_sizes(classifier)),
        "activation": (network.activations, activations_of(classifier)),
        "output": (network.head.output, output),
        "loss": (network.head.loss, loss),
        **_last_layer(classifier, network),
    }
    changed = [name for name, (before, now) in described.items() if before != now]
    if not changed and not describes(classifier.embedding, network.embedding):
        raise OptionError(
            Setting("embedding", classifier.embedding),
            f" describes another network than the one to go on with, {network!r}.",
            parameter="embedding",
            remedy=("Put it back, or fit with ", Setting("warm_start", False), "."),
        )
    if changed:
        names = [*list(described)[:4], *(name for name in changed if name in list(described)[4:])]
        given = [piece for name in names for piece in (", ", _setting(classifier, name))][1:]
        raise OptionError(
            *(*given, f" describe another network than the one to go on with, {network!r}."),
            parameter=changed[0],
            remedy=("Put them back, or fit with ", Setting("warm_start", False), "."),
        )
    state.draw_seed(plan)
    start = plan.initial_state(network)
    if start.keys() != state.training.state.keys():
        state.training.state = start
    return state


def _last_layer(classifier: Any, network: Network) -> dict[str, tuple[Any, Any]]:
    """Return the options of the last layer of a softmax: their values in the network and in the classifier."""
    if network.head.output != "softmax":
        return {}
    last, E = network.depth, classifier.class_embeddings
    held = f"W{last}" in network.frozen
    W = network.parameters.W[last]
    same = np.shape(E) == W.shape[::-1] and np.array_equal(np.asarray(E, W.dtype), W.T)
    options = head_options(classifier)
    return {
        "softcap": (network.head.softcap, options["softcap"]),
        "softmax_temperature": (network.head.temperature, options["temperature"]),
        "output_bias": (f"b{last}" not in network.frozen, bool(classifier.output_bias)),
        "class_embeddings": (held, E is not None and (same or not held)),
    }


def _setting(classifier: Any, name: str) -> str | Setting:
    value = getattr(classifier, name)
    if value is None and name in ("softcap", "class_embeddings"):
        return f"{name}=None"
    return f"{name} of shape {np.shape(value)}" if name == "class_embeddings" else Setting(name, value)


def _class_embeddings(classifier: Any, sizes: list[int], dtype: Any) -> Array | None:
    """Return the class embeddings in the dtype of the network; refuse those that don't fit its last layer."""
    if classifier.class_embeddings is None:
        return None
    shape = (sizes[-1], sizes[-2])
    try:
        E = np.asarray(classifier.class_embeddings)
    except ValueError:
        E = np.empty(0)
    if E.shape != shape or E.dtype.kind not in "iuf":
        came = f"of shape {E.shape}" if E.dtype.kind in "iuf" else "no array of numbers"
        expected = f"{shape}: a row for each of the {shape[0]} classes, in the order of classes_, as wide as "
        expected += "the last hidden layer" if sizes[1:-1] else "X"
        raise OptionError(parameter="class_embeddings", came=came, expected=expected)
    with np.errstate(over="ignore"):
        E = E.astype(dtype, copy=False)
    finite = np.isfinite(E).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        message = f" holds NaN, inf or what is too large for {E.dtype} in row {row}, expected finite numbers."
        raise OptionError(Setting("class_embeddings"), message, parameter="class_embeddings")
    return E


def _head(classifier: Any, output: str, *, candidates: bool) -> Head:
    options = head_options(classifier) if output == "softmax" else {}
    return Head(output, _network_loss(classifier, output, candidates=candidates), **options)


def _network_loss(classifier: Any, output: str, *, candidates: bool) -> str:
    loss: str = CANDIDATES if candidates else classifier.loss
    return "binary_cross_entropy" if (output, loss) == ("sigmoid", "cross_entropy") else loss
