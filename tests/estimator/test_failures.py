"""What a fit that is refused, stopped or broken leaves behind; and what is said where nothing could be computed."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer, log_loss

import glassmax.estimator
from glassmax import SoftmaxClassifier, load_model
from glassmax.engine import ReferenceEngine
from glassmax.errors import DataError, DivergenceError, LabelError, OptionError
from glassmax.training import EarlyStopping
from tests.estimator.iris import IRIS, SPECIES, small

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOFT = 0.9 * np.eye(3)[SPECIES] + 0.1 / 3


class Broken(ReferenceEngine):
    """An engine that fails in its epoch number `number`."""

    def __init__(self, error, number=1):
        super().__init__()
        self.error, self.left = error, number

    def epoch(self, network, *arguments, **options):
        self.left -= 1
        if self.left == 0:
            network.theta[...] = 7
            raise self.error
        return super().epoch(network, *arguments, **options)


def broken(monkeypatch, error, number=1):
    monkeypatch.setattr(glassmax.estimator.classifier, "best_engine", lambda *_: Broken(error, number))


def learned(classifier):
    names = ("classes_", "n_features_in_", "n_iter_", "loss_", "loss_curve_", "t_", "init_", "best_loss_")
    return {name: np.copy(getattr(classifier, name)) for name in names} | {"theta": classifier.network_.theta.copy()}


def assert_unchanged(classifier, before):
    for name, value in learned(classifier).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


ERRORS = [KeyboardInterrupt(), MemoryError(), DivergenceError("no")]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_fit_that_fails_in_its_first_epoch_leaves_the_last_one(monkeypatch, error, warm_start):
    classifier = small(warm_start=warm_start).fit(IRIS, SPECIES)
    before = learned(classifier)
    broken(monkeypatch, error)
    if not warm_start:
        classifier.set_params(hidden_layer_sizes=(3,))
    columns = 4 if warm_start else 2
    with pytest.raises(type(error)):
        classifier.fit(IRIS[:, :columns], SPECIES)
    monkeypatch.undo()
    assert_unchanged(classifier, before)
    assert classifier.predict(IRIS).shape == (150,)


@pytest.mark.parametrize("error", ERRORS[:2], ids=repr)
def test_a_first_fit_that_fails_in_its_first_epoch_leaves_nothing(monkeypatch, error):
    classifier = small()
    broken(monkeypatch, error)
    with pytest.raises(type(error)):
        classifier.fit(IRIS, SPECIES)
    assert not [name for name in vars(classifier) if name.endswith("_")]
    assert not hasattr(classifier, "coefs_")


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_first_fit_that_diverges_at_once_keeps_the_starting_weights(monkeypatch, early_stopping):
    broken(monkeypatch, DivergenceError("no"))
    classifier = small(early_stopping=early_stopping)
    with pytest.raises(DivergenceError):
        classifier.fit(IRIS, SPECIES)
    assert (classifier.n_iter_, classifier.loss_curve_, classifier.stop_reason_) == (0, [], "diverged")
    assert classifier.predict(IRIS).shape == (150,)


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_a_partial_fit_that_fails_leaves_the_last_one(monkeypatch, error):
    classifier = small().partial_fit(IRIS, SPECIES, classes=[0, 1, 2])
    before = learned(classifier)
    broken(monkeypatch, error)
    with pytest.raises(type(error)):
        classifier.partial_fit(IRIS, SPECIES)
    assert_unchanged(classifier, before)


@pytest.mark.parametrize("error", ERRORS[:2], ids=repr)
def test_a_first_partial_fit_that_fails_leaves_nothing(monkeypatch, error):
    classifier = small()
    broken(monkeypatch, error)
    with pytest.raises(type(error)):
        classifier.partial_fit(IRIS, SPECIES, classes=[0, 1, 2])
    assert not hasattr(classifier, "network_")


def test_a_column_of_labels_is_said_once_in_a_warm_start():
    classifier = small(warm_start=True, tol=10.0, n_iter_no_change=1).fit(IRIS, SPECIES)
    with pytest.warns(UserWarning, match="A column-vector y was passed") as caught:
        classifier.fit(IRIS, SPECIES[:, None])
    assert len(caught) == 1


def test_a_fit_that_breaks_later_keeps_what_it_has(monkeypatch):
    broken(monkeypatch, MemoryError(), number=3)
    classifier = small()
    with pytest.raises(MemoryError):
        classifier.fit(IRIS, SPECIES)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 2


def test_a_scorer_that_raises_in_the_first_epoch_leaves_the_last_fit():
    def broken_scorer(classifier, X, y):
        raise RuntimeError("no")

    classifier = small().fit(IRIS, SPECIES)
    before = learned(classifier)
    with pytest.raises(RuntimeError):
        classifier.set_params(early_stopping=True, scoring=broken_scorer).fit(IRIS, SPECIES)
    assert_unchanged(classifier, before)


def test_a_stream_that_is_closed_late_leaves_a_later_fit_alone():
    classifier = small(early_stopping=True)
    old = classifier.fit_epochs(IRIS, SPECIES)
    next(old)
    classifier.fit(IRIS, SPECIES)
    before = learned(classifier)
    old.close()
    assert_unchanged(classifier, before)


def test_a_refused_warm_start_leaves_the_place_in_the_schedule():
    classifier = small(warm_start=True, learning_rate="step", step_every=2).fit(IRIS, SPECIES)
    with pytest.raises(OptionError, match="holds out none"):
        classifier.set_params(early_stopping=True).fit(IRIS[::50], SPECIES[::50])
    assert classifier._training_state.epochs == 4


# scores that say nothing


def test_scores_that_are_all_nan_are_warned_of():
    with pytest.warns(ConvergenceWarning, match="gave NaN in every epoch"):
        small(early_stopping=True, scoring=lambda *_: float("nan"), max_iter=30).fit(IRIS, SPECIES)


@pytest.mark.parametrize("score", [float("inf"), float("-inf")])
def test_a_score_that_stays_infinite_is_no_improvement(score):
    classifier = small(early_stopping=True, scoring=lambda *_: score, max_iter=50).fit(IRIS, SPECIES)
    assert classifier.n_iter_ <= 12


def test_early_stopping_takes_an_infinite_score_as_an_improvement_once():
    watch = EarlyStopping(small().fit(IRIS, SPECIES).network_, 0.0, 1)
    assert [watch.should_stop(value) for value in (1.0, -np.inf, -np.inf, -np.inf)] == [False, False, False, True]


# classes in an order of their own


ORDERS = [["a", "b", "c"], ["c", "a", "b"], ["b", "c", "a"]]


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc_ovr", "f1_macro", "accuracy", "auc", "f1"])
@pytest.mark.parametrize("names", ORDERS, ids="".join)
def test_scores_don_t_depend_on_the_order_of_the_names(scoring, names):
    scores = [
        small(scoring=scoring).fit(IRIS, SOFT, classes=classes, X_val=IRIS, y_val=SOFT).validation_scores_
        for classes in (names, ORDERS[0])
    ]
    np.testing.assert_allclose(*scores, rtol=1e-12)


def test_the_columns_keep_the_order_in_which_they_were_named():
    classifier = small(max_iter=60, learning_rate_init=0.05).fit(IRIS, SOFT, classes=["c", "a", "b"])
    assert classifier.classes_.tolist() == ["c", "a", "b"]
    P = classifier.predict_proba(IRIS)
    assert (P.argmax(axis=1) == SPECIES).mean() > 0.9
    np.testing.assert_array_equal(classifier.predict(IRIS), np.array(["c", "a", "b"])[P.argmax(axis=1)])


def test_one_column_of_labels_has_its_classes_sorted_like_any_other():
    with pytest.warns(UserWarning, match="A column-vector y was passed"):
        classifier = small().fit(IRIS, SPECIES[:, None], classes=[2, 1, 0])
    assert classifier.classes_.tolist() == [0, 1, 2]
    expected = -log_loss(SPECIES, classifier.predict_proba(IRIS))
    assert get_scorer("neg_log_loss")(classifier, IRIS, SPECIES) == pytest.approx(expected)


def test_a_scorer_that_can_t_be_computed_says_which_classes_there_are():
    y = np.where(np.arange(150) == 149, 3, SPECIES % 3)
    with pytest.raises(
        OptionError, match=r"scoring is 'neg_log_loss', which can't be computed .* They hold \[0, 1, 2\] of 4"
    ):
        small(early_stopping=True, scoring="neg_log_loss").fit(IRIS, y)


def test_the_same_call_is_taken_again_whatever_the_order_of_its_classes():
    classifier = small(warm_start=True)
    for _ in range(2):
        classifier.fit(IRIS, SPECIES, classes=[2, 0, 1])
    named = small().fit(IRIS, SOFT, classes=["c", "a", "b"])
    named.partial_fit(IRIS, np.array(["c", "a", "b"])[SPECIES], classes=["c", "a", "b"])
    assert named.classes_.tolist() == ["c", "a", "b"]


def test_labels_of_two_types_are_refused_in_a_warm_start_too():
    classifier = small(warm_start=True).fit(IRIS, SPECIES)
    with pytest.raises(LabelError, match="y holds labels of type int, str, expected all of one type"):
        classifier.fit(IRIS, ["a", 1] * 75)


def test_the_columns_of_a_frame_of_labels_name_the_classes():
    frame = pd.DataFrame(SOFT, columns=["setosa", "versicolor", "virginica"])
    assert small().fit(IRIS, frame).classes_.tolist() == list(frame.columns)
    several = pl.DataFrame({"wide": SPECIES > 0, "long": IRIS[:, 0] > 0})
    assert small().fit(IRIS, several).classes_.tolist() == ["wide", "long"]


def test_gradient_norms_don_t_ask_for_weights():
    classifier = small(class_weight={0: 0.0, 1: 1.0, 2: 1.0}).fit(IRIS, SPECIES)
    assert classifier.gradient_norms(IRIS[:50], SPECIES[:50]).shape == (50,)


# what is said, and where


@pytest.mark.parametrize(
    "call",
    [
        lambda: small().fit(IRIS, SPECIES),
        lambda: list(small().fit_epochs(IRIS, SPECIES)),
        lambda: small(learning_rate="adaptive").partial_fit(IRIS, SPECIES, classes=[0, 1, 2]),
        lambda: small(max_iter=30, tol=1.0).fit(IRIS, np.eye(3)[SPECIES]),
    ],
    ids=["fit", "fit_epochs", "partial_fit", "one-hot"],
)
def test_a_warning_points_at_the_line_of_the_user(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert {warning.filename for warning in caught} == {__file__}


def test_what_fit_has_said_is_not_said_again():
    classifier = small(learning_rate="adaptive", tol=1.0)
    with pytest.warns(UserWarning, match="solver='adam' ignores it"):
        classifier.fit(IRIS, SPECIES)
    assert classifier.check_gradients(IRIS, SPECIES).correct  # warnings are errors


def test_a_loss_that_falls_is_not_said_to_rise():
    with pytest.warns(ConvergenceWarning, match=r"no better than chance .* are too large\. Scale the inputs"):
        classifier = small().fit(IRIS * 1e8, SPECIES)
    assert not classifier.diverged_


DIGITS, FIGURES = load_digits(return_X_y=True)
TUMOURS, KINDS = load_breast_cancer(return_X_y=True)
EXPLODED = {
    "adam on inputs up to 16": (DIGITS, FIGURES, {"learning_rate_init": 1, "max_iter": 30}),
    "sgd on inputs up to 16": (DIGITS, FIGURES, {"learning_rate_init": 1, "solver": "sgd"}),
    "adam with a rate of 100": (DIGITS / 16, FIGURES, {"learning_rate_init": 100, "max_iter": 20}),
    "sgd on inputs up to 4000": (TUMOURS, KINDS, {"learning_rate_init": 0.1, "solver": "sgd"}),
}


@pytest.mark.parametrize(("X", "y", "options"), EXPLODED.values(), ids=EXPLODED)
def test_a_run_that_has_exploded_is_told_what_to_do(X, y, options):
    with pytest.warns(ConvergenceWarning, match=r"(are too large|steps are too long)\..*learning_rate_init=0\.\d+"):
        SoftmaxClassifier(random_state=0, **options).fit(X, y)


# attributes


def test_lbfgs_that_ends_where_it_begins_knows_its_loss():
    classifier = small(solver="lbfgs", tol=10.0).fit(IRIS, SPECIES)
    expected = classifier.network_.loss(IRIS, SPECIES) + 1e-4 / 300 * sum((W**2).sum() for W in classifier.coefs_)
    assert classifier.loss_ == classifier.best_loss_ == pytest.approx(expected)
    assert (classifier.n_iter_, classifier.loss_curve_) == (0, [])


def test_init_says_what_was_drawn_whatever_the_parameter_says_now():
    classifier = small(init="auto").fit(IRIS, SPECIES).set_params(init="mlp")
    assert classifier.init_ == ("he_uniform", "glorot_uniform")


def test_dropout_that_begins_in_a_warm_start_has_a_seed():
    seeds = set()
    for random_state in (0, 1):
        classifier = small(warm_start=True, random_state=random_state).fit(IRIS, SPECIES)
        classifier.set_params(dropout=0.5).fit(IRIS, SPECIES)
        seeds.add(classifier._training_state.seed)
    assert len(seeds - {0}) == 2


@pytest.mark.parametrize("weight", [0, 2])
def test_invscaling_counts_a_row_as_often_as_its_weight_says(weight):
    options = {
        "solver": "sgd",
        "learning_rate": "invscaling",
        "learning_rate_init": 0.5,
        "max_iter": 10,
        "shuffle": False,
    }
    options |= {"batch_size": 1000, "n_iter_no_change": np.inf}
    w = np.where(np.arange(150) % 2, weight, 1)
    rows = np.repeat(np.arange(150), w)
    one, other = small(**options).fit(IRIS, SPECIES, w), small(**options).fit(IRIS[rows], SPECIES[rows])
    np.testing.assert_allclose(one.network_.theta, other.network_.theta, rtol=0, atol=1e-10)


# models


FRAME = pd.DataFrame(IRIS, columns=list("abcd"))


FRAMES = [FRAME, pl.DataFrame(IRIS, schema=list("abcd")), pa.Table.from_pandas(FRAME)]


@pytest.mark.parametrize("frame", FRAMES, ids=["pandas", "polars", "arrow"])
def test_a_model_file_knows_the_columns(tmp_path, frame):
    classifier = small().fit(frame, SPECIES)
    classifier.save(tmp_path / "iris.safetensors")
    model = load_model(tmp_path / "iris.safetensors")
    assert model.columns == list("abcd")
    choose = frame.select if isinstance(frame, pa.Table) else frame.__getitem__
    other = choose(list("dcba"))
    for given in (frame, other, IRIS):
        np.testing.assert_array_equal(model.predict_proba(given), classifier.predict_proba(frame))
    with pytest.raises(DataError, match=r"X lacks the columns 'a', expected \['a', 'b', 'c', 'd'\]"):
        model.predict(choose(list("bcd")))
    again = SoftmaxClassifier.from_model(model)
    assert again.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="must be in the same order"):
        again.predict(other)


def test_a_loaded_model_takes_sparse_rows(tmp_path):
    X = sparse.csr_array(np.where(IRIS > 0, IRIS, 0))
    classifier = small().fit(X, SPECIES)
    classifier.save(tmp_path / "iris.safetensors")
    model = load_model(tmp_path / "iris.safetensors")
    np.testing.assert_array_equal(model.predict_proba(X), classifier.predict_proba(X))
    np.testing.assert_array_equal(model.predict(X.tocsc()), classifier.predict(X))
    X.data[0] = np.nan
    with pytest.raises(DataError, match="A row of X holds NaN"):
        model.predict(X)
