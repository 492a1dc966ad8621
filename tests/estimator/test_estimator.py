"""SoftmaxClassifier: scikit-learn's own checks, MLPClassifier as the oracle, and what it promises beyond both."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import check_is_fitted

import glassmax.estimator
from glassmax import SoftmaxClassifier, load_model
from glassmax.engine import EpochResult, ReferenceEngine
from glassmax.errors import DivergenceError, LabelError, OptionError
from glassmax.training import Epoch, holdout
from tests.estimator.iris import IRIS, NAMES, SPECIES, small

a_few_epochs = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
"""For tests that stop at max_iter on purpose."""

TWO, SIGN = IRIS[:100], SPECIES[:100]


def assert_same_network(one, other):
    """Same bits."""
    assert one.network_.layer_sizes == other.network_.layer_sizes
    np.testing.assert_array_equal(one.network_.theta, other.network_.theta)


# scikit-learn's checks


CONFIGURATIONS = [
    SoftmaxClassifier(),
    SoftmaxClassifier(solver="sgd", learning_rate_init=0.05, max_iter=30),
    SoftmaxClassifier(early_stopping=True, learning_rate_init=0.01, max_iter=30),
    SoftmaxClassifier(class_weight="balanced", learning_rate_init=0.01, max_iter=30),
    SoftmaxClassifier(hidden_layer_sizes=(), learning_rate_init=0.05, max_iter=30),
    SoftmaxClassifier(solver="lbfgs", max_iter=50),
    SoftmaxClassifier(
        solver="adamw",
        learning_rate="cosine",
        warmup=0.1,
        learning_rate_init=0.02,
        clip_norm=1.0,
        init="auto",
        max_iter=30,
    ),
    SoftmaxClassifier(loss="squared_error", output="softmax", learning_rate_init=0.05, max_iter=30),
]


def checks():
    """Yield every check of every configuration, with a name."""
    for estimator in CONFIGURATIONS:
        for classifier, check in estimator_checks_generator(estimator):
            name = getattr(check, "func", check).__name__
            # A row twice can be held out once, a row of weight 2 can't: no estimator that holds rows out passes this.
            if not (estimator.early_stopping and name.startswith("check_sample_weight_equivalence")):
                yield pytest.param(classifier, check, id=f"{estimator}-{name}")


@a_few_epochs
@pytest.mark.parametrize(("classifier", "check"), list(checks()))
def test_scikit_learns_check_passes(classifier, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # without it one check would skip itself
    check(classifier)


# MLPClassifier as the oracle


TRAJECTORIES = [
    {},
    {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1},
    {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.05},
    {"solver": "sgd", "learning_rate_init": 0.05},
    {"activation": "tanh"},
    {"activation": "logistic"},
    {"activation": "identity"},
    {"alpha": 0.0},
    {"alpha": 1.0},
    {"batch_size": 32},
    {"batch_size": 149},
    {"batch_size": 1, "max_iter": 2},
    {"batch_size": 150},
    {"shuffle": False, "batch_size": 40},
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": 7},
    {"hidden_layer_sizes": (8, 7)},
    {"hidden_layer_sizes": [5, 4, 6], "activation": "logistic", "solver": "sgd"},
    {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-4, "learning_rate_init": 0.01},
    {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2, "learning_rate_init": 0.5},
    {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.5, "tol": 0.05, "n_iter_no_change": 1},
    {"solver": "sgd", "momentum": 1.0, "learning_rate_init": 0.001, "max_iter": 3},
]


@a_few_epochs
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("options", TRAJECTORIES, ids=str)
def test_training_follows_mlpclassifier_step_by_step(options, dtype):
    options = {"hidden_layer_sizes": (10,), "max_iter": 12, "random_state": 3, "tol": 0.0, **options}
    X = IRIS.astype(dtype)
    ours, theirs = SoftmaxClassifier(**options).fit(X, NAMES), MLPClassifier(**options).fit(X, NAMES)
    tolerance = 1e-10 if dtype == "float64" else 1e-4
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=tolerance)
    for w, v in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        assert w.dtype == v.dtype == dtype
        np.testing.assert_allclose(w, v, rtol=0, atol=tolerance)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=tolerance)
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_, rel=tolerance)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=tolerance)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize(
    "options",
    [
        {"tol": 1e-2},
        {"tol": 1e-3, "n_iter_no_change": 3},
        {"tol": 1e-2, "solver": "sgd", "learning_rate_init": 0.2},
        {"tol": 0.5, "n_iter_no_change": 1},
    ],
    ids=str,
)
def test_training_stops_in_the_epoch_in_which_mlpclassifier_stops(options):
    options = {"hidden_layer_sizes": (10,), "learning_rate_init": 0.02, "max_iter": 300, "random_state": 1, **options}
    ours, theirs = SoftmaxClassifier(**options).fit(IRIS, SPECIES), MLPClassifier(**options).fit(IRIS, SPECIES)
    assert ours.n_iter_ == theirs.n_iter_ < 300
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-10)


# two classes


@a_few_epochs
def test_two_classes_are_a_softmax_of_two():
    classifier = small().fit(TWO, SIGN)
    assert [w.shape for w in classifier.coefs_] == [(4, 6), (6, 2)]
    assert [b.shape for b in classifier.intercepts_] == [(6,), (2,)]
    assert classifier.n_outputs_ == 2


@a_few_epochs
def test_the_decision_on_two_classes_is_the_difference_of_their_logits():
    classifier = small().fit(TWO, SIGN)
    Z, decision = classifier.network_.forward(TWO).head.Z, classifier.decision_function(TWO)
    np.testing.assert_array_equal(decision, Z[:, 1] - Z[:, 0])
    P = classifier.predict_proba(TWO)
    np.testing.assert_allclose(1 / (1 + np.exp(-decision)), P[:, 1], rtol=1e-14)
    np.testing.assert_array_equal(classifier.predict(TWO), (decision > 0).astype(int))


@a_few_epochs
def test_the_decision_on_three_classes_is_their_logits():
    classifier = small().fit(IRIS, SPECIES)
    np.testing.assert_array_equal(classifier.decision_function(IRIS), classifier.network_.forward(IRIS).head.Z)


# weights


WHOLE = {"batch_size": 1000, "activation": "tanh", "max_iter": 30, "learning_rate_init": 0.01, "alpha": 0.01}


@a_few_epochs
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_row_of_weight_2_is_a_row_twice(solver):
    twice = np.arange(150) % 3 == 0
    weighted = small(solver=solver, **WHOLE).fit(IRIS, SPECIES, 1.0 + twice)
    repeated = small(solver=solver, **WHOLE).fit(np.r_[IRIS, IRIS[twice]], np.r_[SPECIES, SPECIES[twice]])
    np.testing.assert_allclose(weighted.network_.theta, repeated.network_.theta, rtol=0, atol=1e-10)
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-10)


@a_few_epochs
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_row_of_weight_0_is_absent(solver):
    present = np.arange(150) % 4 != 0
    X = np.where(present[:, None], IRIS, 1e6)
    weighted = small(solver=solver, **WHOLE).fit(X, SPECIES, present.astype(float))
    without = small(solver=solver, **WHOLE).fit(IRIS[present], SPECIES[present])
    np.testing.assert_allclose(weighted.network_.theta, without.network_.theta, rtol=0, atol=1e-10)
    np.testing.assert_allclose(weighted.loss_curve_, without.loss_curve_, rtol=1e-10)


@a_few_epochs
def test_weights_of_one_are_no_weights():
    assert_same_network(small().fit(IRIS, SPECIES, np.ones(150)), small().fit(IRIS, SPECIES))


@a_few_epochs
def test_class_weights_multiply_sample_weights():
    of_class, w = {"setosa": 0.5, "versicolor": 3.0, "virginica": 0.0}, np.linspace(0, 2, 150)
    by_class = small(class_weight=of_class, batch_size=20).fit(IRIS, NAMES, w)
    by_row = small(batch_size=20).fit(IRIS, NAMES, np.array([of_class[name] for name in NAMES]) * w)
    assert_same_network(by_class, by_row)


@a_few_epochs
def test_classes_that_class_weight_does_not_name_weigh_1():
    named = small(class_weight={0: 5.0}).fit(IRIS[:140], SPECIES[:140])
    assert_same_network(named, small(class_weight={0: 5.0, 1: 1.0, 2: 1.0}).fit(IRIS[:140], SPECIES[:140]))


@a_few_epochs
def test_balanced_leaves_out_a_class_whose_rows_all_weigh_nothing():
    w = (SPECIES != 1).astype(float)
    classifier = small(class_weight="balanced", max_iter=50, learning_rate_init=0.05).fit(IRIS, SPECIES, w)
    assert set(classifier.predict(IRIS)) == {0, 2}
    assert np.isfinite(classifier.loss_)


def test_balanced_finds_the_rare_class():
    X, y = make_classification(2000, weights=[0.97], n_informative=4, class_sep=0.7, flip_y=0.02, random_state=0)
    options = {"hidden_layer_sizes": (), "learning_rate_init": 0.05, "tol": 1e-3, "random_state": 0}
    recall = {
        class_weight: (SoftmaxClassifier(class_weight=class_weight, **options).fit(X, y).predict(X)[y == 1] == 1).mean()
        for class_weight in (None, "balanced")
    }
    assert recall["balanced"] > recall[None] + 0.3


# the same again, elsewhere, and in a pickle


@a_few_epochs
def test_fitting_again_starts_anew():
    classifier = small().fit(IRIS, SPECIES)
    theta = classifier.network_.theta.copy()
    np.testing.assert_array_equal(classifier.fit(IRIS, SPECIES).network_.theta, theta)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 4
    assert classifier.fit(TWO[:, :2], SIGN).predict_proba(TWO[:, :2]).shape == (100, 2)


@a_few_epochs
@pytest.mark.parametrize(("given", "kept"), [("float32",) * 2, ("float64",) * 2, ("int64", "float64")])
def test_float32_is_kept_and_integers_become_float64(given, kept):
    X = (10 * IRIS).astype(given)
    classifier = small().fit(X, SPECIES)
    assert classifier.network_.theta.dtype == kept
    for output in (classifier.predict_proba, classifier.predict_log_proba, classifier.decision_function):
        assert output(X).dtype == kept


@a_few_epochs
@pytest.mark.parametrize("copied", [lambda c: pickle.loads(pickle.dumps(c)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_copy_is_a_whole_classifier_with_views_of_its_own_theta(copied):
    classifier = small(warm_start=True).fit(IRIS, NAMES)
    other = copied(classifier)
    np.testing.assert_array_equal(other.predict_proba(IRIS), classifier.predict_proba(IRIS))
    other.network_.theta[...] = 7
    assert all((view == 7).all() for view in other.coefs_ + other.intercepts_)
    assert not (classifier.network_.theta == 7).any()


@a_few_epochs
def test_a_copy_goes_on_as_the_original_does():
    classifier = small(warm_start=True, batch_size=30).fit(IRIS, NAMES)
    other = pickle.loads(pickle.dumps(classifier))
    assert_same_network(classifier.fit(IRIS, NAMES), other.fit(IRIS, NAMES))


@a_few_epochs
def test_coefs_and_intercepts_are_views_of_theta():
    classifier = small().fit(IRIS, SPECIES)
    for view in classifier.coefs_ + classifier.intercepts_:
        assert np.shares_memory(view, classifier.network_.theta)
    classifier.coefs_[0][...] = 0
    classifier.coefs_[1][...] = 0
    classifier.intercepts_[-1][...] = 0
    np.testing.assert_array_equal(classifier.predict_proba(IRIS), np.full((150, 3), 1 / 3))


@pytest.mark.parametrize("name", ["coefs_", "intercepts_", "n_layers_", "n_outputs_", "out_activation_"])
def test_an_unfitted_classifier_has_no_fitted_attributes(name):
    with pytest.raises(AttributeError, match=r"^This SoftmaxClassifier is not fitted yet\. Call fit first\.$"):
        getattr(SoftmaxClassifier(), name)


@a_few_epochs
def test_a_saved_classifier_predicts_the_same(tmp_path):
    classifier = small().fit(IRIS, NAMES)
    classifier.save(tmp_path / "iris.safetensors")
    model = load_model(tmp_path / "iris.safetensors")
    np.testing.assert_array_equal(model.predict_proba(IRIS), classifier.predict_proba(IRIS))
    np.testing.assert_array_equal(model.predict(IRIS), classifier.predict(IRIS))
    assert model.record == {"epochs": 4, "training_loss": classifier.loss_}


# among scikit-learn's tools


CONVERGES = SoftmaxClassifier((8,), learning_rate_init=0.05, tol=1e-3, random_state=0)


def test_clone_takes_the_parameters_and_nothing_else():
    classifier = clone(clone(CONVERGES).set_params(alpha=0.5).fit(IRIS, NAMES))
    assert classifier.get_params() == {**CONVERGES.get_params(), "alpha": 0.5}
    assert not hasattr(classifier, "network_")


def test_cross_validation_scores_high():
    assert cross_val_score(CONVERGES, IRIS, NAMES, cv=3).mean() > 0.9


@a_few_epochs
def test_a_grid_search_finds_a_better_rate():
    search = GridSearchCV(CONVERGES, {"learning_rate_init": [1e-6, 0.05]}, scoring="neg_log_loss", cv=3)
    search.fit(IRIS, NAMES)
    assert search.best_params_ == {"learning_rate_init": 0.05}
    assert search.score(IRIS, NAMES) > -0.2


def test_a_pipeline_trains_and_predicts():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), CONVERGES).fit(X, y)
    assert pipeline.score(X, y) > 0.95
    pipeline.fit(X, y, softmaxclassifier__sample_weight=(y != 0).astype(float))
    assert (pipeline.predict(X) != 0).all()


def test_its_probabilities_can_be_calibrated():
    calibrated = CalibratedClassifierCV(CONVERGES, cv=3).fit(IRIS, NAMES)
    assert calibrated.score(IRIS, NAMES) > 0.9


# partial_fit


@a_few_epochs
def test_partial_fit_is_fit_for_one_epoch():
    one = small(max_iter=1, batch_size=32).fit(IRIS, NAMES)
    other = small(batch_size=32).partial_fit(IRIS, NAMES, classes=np.unique(NAMES))
    assert_same_network(one, other)
    assert (one.loss_curve_, one.n_iter_, one.t_) == (other.loss_curve_, other.n_iter_, other.t_)
    assert other.best_loss_ == other.loss_


@a_few_epochs
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_keeps_the_moments(solver):
    options = {"solver": solver, "shuffle": False, "batch_size": 50}
    whole = small(max_iter=3, **options).fit(IRIS, SPECIES)
    parts = small(**options)
    for _ in range(3):
        parts.partial_fit(IRIS, SPECIES, classes=[0, 1, 2])
    assert_same_network(whole, parts)
    assert (parts.n_iter_, parts.t_, parts.loss_curve_) == (3, 450, whole.loss_curve_)


def test_partial_fit_takes_rows_that_lack_some_classes():
    classifier = small().partial_fit(IRIS[:50], NAMES[:50], classes=np.unique(NAMES))
    classifier.partial_fit(IRIS[50:], NAMES[50:])
    assert classifier.predict_proba(IRIS).shape == (150, 3)


def test_partial_fit_takes_weights():
    classes = np.unique(NAMES)
    one = small(class_weight={"setosa": 2.0}).partial_fit(IRIS[:60], NAMES[:60], np.ones(60), classes)
    other = small().partial_fit(IRIS[:60], NAMES[:60], 1.0 + (NAMES[:60] == "setosa"), classes)
    assert_same_network(one, other)


@a_few_epochs
def test_partial_fit_goes_on_from_fit():
    classifier = small(shuffle=False).fit(IRIS, SPECIES).partial_fit(IRIS, SPECIES)
    assert_same_network(classifier, small(shuffle=False, max_iter=5).fit(IRIS, SPECIES))
    assert classifier.n_iter_ == 5


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"early_stopping": True}, "early_stopping=True: it sees one batch of rows at a time, so there are none to"),
        (
            {"class_weight": "balanced"},
            "class_weight='balanced': it sees one batch of rows at a time and doesn't know how",
        ),
        (
            {"solver": "lbfgs"},
            "solver='lbfgs', which needs all rows at each step: it sees one batch of rows at a time.",
        ),
        ({"learning_rate": "cosine"}, "learning_rate='cosine', warmup=0.0: it sees one batch of rows at a time and"),
        ({"warmup": 0.1}, "learning_rate='constant', warmup=0.1: it sees one batch of rows at a time and doesn't know"),
        (
            {"checkpoint_path": "run"},
            "checkpoint_path: it sees one batch of rows at a time. Use save, and from_model to",
        ),
    ],
    ids=str,
)
def test_there_is_no_partial_fit_where_it_could_not_keep_its_word(options, why):
    classifier = SoftmaxClassifier(**options)
    assert not hasattr(classifier, "partial_fit")
    with pytest.raises(OptionError) as caught:  # a ValueError for who calls it, an AttributeError for who asks
        classifier.partial_fit(IRIS, SPECIES, classes=[0, 1, 2])
    assert isinstance(caught.value, AttributeError)
    assert str(caught.value).startswith(f"partial_fit does not support {why}")


# warm start


@a_few_epochs
def test_a_warm_start_goes_on_with_another_solver():
    classifier = small(warm_start=True).fit(IRIS, SPECIES)
    before = classifier.network_.loss(IRIS, SPECIES)
    classifier.set_params(solver="sgd", learning_rate_init=0.1).fit(IRIS, SPECIES)
    assert classifier.network_.loss(IRIS, SPECIES) < before
    assert len(classifier.loss_curve_) == 8


@a_few_epochs
def test_a_warm_start_holds_out_the_same_rows_again(monkeypatch):
    splits = held_out_rows(monkeypatch)
    small(warm_start=True, early_stopping=True).fit(IRIS, SPECIES).fit(IRIS, SPECIES)
    np.testing.assert_array_equal(*splits)


@a_few_epochs
def test_a_warm_start_may_lack_classes_but_not_grow_them():
    classifier = small(warm_start=True).fit(IRIS, SPECIES).fit(TWO, SIGN, classes=[0, 1, 2])
    assert classifier.predict_proba(TWO).shape == (100, 3)
    with pytest.raises(LabelError, match="warm_start can only be used where"):
        classifier.fit(TWO, SIGN)
    with pytest.raises(LabelError, match="warm_start can only be used where"):
        classifier.fit(IRIS, SPECIES + 1)
    with pytest.raises(LabelError, match="A network can't grow classes"):
        classifier.fit(IRIS, SPECIES + 1, classes=[0, 1, 2])


# early stopping


def held_out_rows(monkeypatch):
    """Return a list that takes the numbers of the rows held out by each fit."""
    splits = []

    def spy(y, share, draw):
        kept, held_out = holdout(y, share, draw)
        splits.append(held_out)
        return kept, held_out

    monkeypatch.setattr(glassmax.estimator.preparation, "holdout", spy)
    return splits


def twelve_classes():
    """Return 12 classes, one of a single row and one of two, with text for labels."""
    draw = np.random.default_rng(0)
    y = np.repeat(np.arange(12), [200, 150, 120, 100, 80, 60, 40, 30, 20, 10, 2, 1])
    X = draw.standard_normal((12, 5))[y] + 0.7 * draw.standard_normal((len(y), 5))
    return X, np.array([f"class {c:02}" for c in y])


OVERFITS = {
    "early_stopping": True,
    "learning_rate_init": 0.05,
    "hidden_layer_sizes": (50,),
    "batch_size": 20,
    "validation_fraction": 0.25,
    "random_state": 0,
}


def test_early_stopping_holds_out_every_class_in_proportion(monkeypatch):
    splits, (X, y) = held_out_rows(monkeypatch), twelve_classes()
    SoftmaxClassifier(**OVERFITS).fit(X, y)
    counts, held = (np.unique(labels, return_counts=True) for labels in (y, y[splits[0]]))
    held = dict(zip(*held, strict=True))
    for label, count in zip(*counts, strict=True):
        assert abs(held.get(label, 0) - count / 4) < 1
    assert "class 11" not in held
    assert len(splits[0]) == np.ceil(len(y) / 4)


def test_early_stopping_puts_back_the_weights_of_the_least_validation_loss(monkeypatch):
    splits, (X, y) = held_out_rows(monkeypatch), twelve_classes()
    classifier = SoftmaxClassifier(**OVERFITS).fit(X, y)
    curve = classifier.validation_loss_curve_
    assert classifier.n_iter_ == len(curve) == len(classifier.loss_curve_) < classifier.max_iter
    assert np.argmin(curve) < len(curve) - classifier.n_iter_no_change
    held = splits[0]
    found = log_loss(y[held], classifier.predict_proba(X[held]), labels=classifier.classes_)
    assert found == pytest.approx(min(curve), rel=1e-12)
    assert classifier.best_validation_score_ == max(classifier.validation_scores_)
    assert classifier.best_loss_ is None


@a_few_epochs
def test_the_validation_loss_is_weighted(monkeypatch):
    splits, w = held_out_rows(monkeypatch), np.linspace(0, 3, 150)
    classifier = small(early_stopping=True, max_iter=1).fit(IRIS, NAMES, w)
    held = splits[0]
    found = log_loss(NAMES[held], classifier.predict_proba(IRIS[held]), sample_weight=w[held])
    assert found == pytest.approx(classifier.validation_loss_curve_[0], rel=1e-12)
    found = classifier.score(IRIS[held], NAMES[held], w[held])
    assert found == pytest.approx(classifier.validation_scores_[0], rel=1e-12)


@a_few_epochs
def test_without_early_stopping_there_are_no_validation_scores():
    classifier = small().fit(IRIS, SPECIES)
    assert classifier.validation_scores_ is classifier.validation_loss_curve_ is None
    assert classifier.best_validation_score_ is None
    assert classifier.best_loss_ == min(classifier.loss_curve_)


# the stream of epochs


@a_few_epochs
def test_fit_epochs_yields_one_record_an_epoch_and_predicts_in_between():
    classifier, predictions = small(batch_size=60), []
    for number, epoch in enumerate(classifier.fit_epochs(IRIS, NAMES), start=1):
        assert isinstance(epoch, Epoch)
        assert (epoch.number, epoch.loss, epoch.steps, epoch.rows) == (number, classifier.loss_, 3, 150)
        assert epoch.validation is None
        assert epoch.seconds > 0
        predictions.append(classifier.predict_proba(IRIS))
    assert number == 4
    assert (predictions[0] != predictions[1]).any()
    assert_same_network(classifier, small(batch_size=60).fit(IRIS, NAMES))


def test_a_stream_left_early_leaves_a_fitted_classifier():
    classifier = small()
    for _ in classifier.fit_epochs(IRIS, NAMES):
        break
    check_is_fitted(classifier)
    assert classifier.n_iter_ == 1
    assert classifier.best_loss_ == classifier.loss_


@a_few_epochs
def test_verbose_prints_a_line_an_epoch(capsys):
    small(verbose=True, early_stopping=True).fit(IRIS, SPECIES)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["Iteration 1", "Iteration 2", "Iteration 3", "Iteration 4"]
    assert "loss = 1." in lines[0]
    assert "validation log-loss = 1." in lines[0]
    small().fit(IRIS, SPECIES)
    assert capsys.readouterr().out == ""


def test_training_that_ends_while_it_improves_says_so():
    message = "Training ended after max_iter=4 epochs and was still improving. Raise max_iter, or learning_rate_init."
    with pytest.warns(ConvergenceWarning) as caught:
        small().fit(IRIS, SPECIES)
    assert str(caught[0].message) == message
    assert caught[0].filename == __file__


class Faulty(ReferenceEngine):
    """An engine that fails in a given epoch, after it has spoilt the weights; it remembers where epochs started."""

    def __init__(self, number, fault):
        super().__init__()
        self.number, self.fault, self.starts = number, fault, []

    def epoch(self, network, data, rule, state, **options):
        self.starts.append(network.theta.copy())
        result = super().epoch(network, data, rule, state, **options)
        return self.fault(network, state) if len(self.starts) == self.number else result


def with_engine(monkeypatch, engine):
    monkeypatch.setattr(glassmax.estimator.classifier, "best_engine", lambda *_: engine)
    return engine


def interrupt(network, state):
    raise KeyboardInterrupt


def test_an_interrupt_keeps_the_weights_so_far(monkeypatch):
    with_engine(monkeypatch, Faulty(3, interrupt))
    with pytest.warns(UserWarning, match=r"^Training was interrupted; the weights so far are kept\.$") as caught:
        classifier = small(shuffle=False).fit(IRIS, NAMES)
    assert caught[0].filename == __file__
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 2
    with pytest.warns(ConvergenceWarning):
        assert_same_network(classifier, small(shuffle=False, max_iter=2).fit(IRIS, NAMES))
    assert classifier.predict(IRIS).shape == (150,)


def test_an_interrupt_with_early_stopping_keeps_the_best_weights(monkeypatch):
    engine = with_engine(monkeypatch, Faulty(3, interrupt))
    with pytest.warns(UserWarning, match="interrupted"):
        classifier = small(early_stopping=True).fit(IRIS, NAMES)
    assert classifier.validation_loss_curve_[1] < classifier.validation_loss_curve_[0]
    np.testing.assert_array_equal(classifier.network_.theta, engine.starts[2])


def test_an_interrupt_in_the_first_epoch_goes_through(monkeypatch):
    with_engine(monkeypatch, Faulty(1, interrupt))
    with pytest.raises(KeyboardInterrupt):
        small().fit(IRIS, NAMES)


# divergence


def diverging(steps):
    """Return a fault: a loss that is not finite after `steps` steps, and weights that are not."""

    def fault(network, state):
        network.theta[...] = np.nan
        state["m"][...] = np.inf
        return EpochResult(float("nan"), steps, finite=False)

    return fault


@pytest.mark.parametrize(
    ("steps", "good"), [(2, 2), (0, 1)], ids=["after a step of the epoch", "at the first step of the epoch"]
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_divergence_puts_back_the_weights_last_known_to_be_good(monkeypatch, steps, good, early_stopping):
    engine = with_engine(monkeypatch, Faulty(3, diverging(steps)))
    classifier = small(early_stopping=early_stopping)
    with pytest.raises(DivergenceError) as caught:
        classifier.fit(IRIS, NAMES)
    assert str(caught.value) == (
        f"The loss is no longer finite in epoch 3, step {steps + 1}, at learning rate 0.001. The last good weights "
        "are kept. Try a learning rate of 0.0001, and inputs scaled to about 1."
    )
    kept = 2 if early_stopping else good  # the best validated weights are those after epoch 2
    np.testing.assert_array_equal(classifier.network_.theta, engine.starts[kept])
    assert classifier.n_iter_ == 2
    assert np.isfinite(classifier.predict_proba(IRIS)).all()
    assert np.isfinite(classifier._training_state.state["m"]).all()


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_weights_that_are_not_finite_after_the_last_step_are_divergence(monkeypatch, solver):
    def fault(network, state):
        network.theta[-1] = np.inf
        return EpochResult(1.0, 4, finite=True)

    engine = with_engine(monkeypatch, Faulty(2, fault))
    classifier = small(solver=solver)
    with pytest.raises(DivergenceError, match="in epoch 2, step 4, at learning rate"):
        classifier.fit(IRIS, NAMES)
    np.testing.assert_array_equal(classifier.network_.theta, engine.starts[1])


ABSURD = {"solver": "sgd", "learning_rate_init": 1e250, "batch_size": 30, "warm_start": True}


def test_an_absurd_learning_rate_is_divergence_and_leaves_a_working_classifier(tmp_path):
    classifier = small(**ABSURD)
    with pytest.raises(DivergenceError, match=r"in epoch 1, step 2, at learning rate 1e\+250\. .* rate of 0\.001,"):
        classifier.fit(IRIS, NAMES)
    assert (classifier.n_iter_, classifier.loss_curve_) == (0, [])
    assert np.isfinite(classifier.predict_proba(IRIS)).all()
    classifier.save(tmp_path / "start.safetensors")
    assert load_model(tmp_path / "start.safetensors").record == {"epochs": 0, "training_loss": None}


def test_after_divergence_a_smaller_learning_rate_goes_on_without_a_trace_of_it():
    classifier = small(**ABSURD)
    with pytest.raises(DivergenceError):
        classifier.fit(IRIS, NAMES)
    classifier.set_params(learning_rate_init=0.2, tol=1e-3, max_iter=200).fit(IRIS, NAMES)
    assert classifier.score(IRIS, NAMES) > 0.95


# numbers


@a_few_epochs
def test_log_probabilities_are_finite_where_probabilities_underflow():
    classifier = small(hidden_layer_sizes=()).fit(IRIS, SPECIES)
    classifier.network_.theta *= 1e5
    P, log_P = classifier.predict_proba(IRIS), classifier.predict_log_proba(IRIS)
    assert (P == 0).any()
    assert np.isfinite(log_P).all()
    assert log_P.min() < -1e5
    np.testing.assert_allclose(np.exp(log_P), P, rtol=1e-9, atol=1e-300)


@a_few_epochs
@pytest.mark.parametrize("numbers", [1, 50, 2**20])
def test_predictions_of_blocks_are_those_of_the_rows(monkeypatch, numbers):
    monkeypatch.setattr("glassmax.engine.batches.BLOCK_NUMBERS", numbers)
    classifier = small().fit(IRIS, NAMES)
    tape = classifier.network_.forward(IRIS)
    np.testing.assert_allclose(classifier.predict_proba(IRIS), tape.P, rtol=1e-12)
    np.testing.assert_allclose(classifier.decision_function(IRIS), tape.head.Z, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(classifier.predict(IRIS), classifier.classes_[tape.P.argmax(axis=1)])


@a_few_epochs
def test_training_scoring_and_predicting_hold_no_array_of_rows_times_classes():
    n, k = 60_000, 500
    draw = np.random.default_rng(0)
    X, y = draw.standard_normal((n, 3)), np.arange(n) % k
    tracemalloc.start()
    try:
        classifier = SoftmaxClassifier((), max_iter=1, early_stopping=True, validation_fraction=0.9, random_state=0)
        classifier.fit(X, y).score(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < n * k * 8 / 3


# data that don't fit, labels of any kind


@a_few_epochs
def test_predictions_refuse_other_columns():
    classifier = small().fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match="X has 3 features, but SoftmaxClassifier is expecting 4"):
        classifier.predict(IRIS[:, :3])
    with pytest.raises(ValueError, match="X has 3 features, but SoftmaxClassifier is expecting 4"):
        classifier.partial_fit(IRIS[:, :3], SPECIES)


@a_few_epochs
def test_a_column_of_labels_is_raveled_with_a_warning():
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        classifier = small().fit(IRIS, NAMES[:, None])
    assert_same_network(classifier, small().fit(IRIS, NAMES))


@a_few_epochs
@pytest.mark.parametrize(
    "labels", [["no", "yes"], [False, True], [-1, 1], [0.0, 2.0], np.array(["a", "b"], object)], ids=str
)
def test_labels_of_any_kind_come_back_as_they_were(labels):
    y = np.asarray(labels)[SIGN]
    classifier = small(max_iter=60, learning_rate_init=0.05).fit(TWO, y)
    np.testing.assert_array_equal(classifier.classes_, np.unique(y))
    predicted = classifier.predict(TWO)
    assert predicted.dtype == y.dtype
    np.testing.assert_array_equal(predicted, y)


def test_a_model_becomes_an_estimator_again_and_goes_on():
    first = SoftmaxClassifier((6,), random_state=0, max_iter=3, n_iter_no_change=100)
    with pytest.warns(ConvergenceWarning):
        first.fit(IRIS, SPECIES)
    again = SoftmaxClassifier.from_model(first.to_model(), warm_start=True, max_iter=3, n_iter_no_change=100)
    np.testing.assert_array_equal(again.predict_proba(IRIS), first.predict_proba(IRIS))
    before = first.network_.loss(IRIS, SPECIES)
    with pytest.warns(ConvergenceWarning):
        again.fit(IRIS, SPECIES)
    assert again.network_.loss(IRIS, SPECIES) < before


def test_steps_that_are_too_long_are_warned_of():
    classifier = SoftmaxClassifier((6,), solver="sgd", learning_rate_init=1e8, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"the steps are too long\. Try learning_rate_init=0\.001"):
        classifier.fit(IRIS, SPECIES)
    assert classifier.diverged_


def test_a_refit_on_data_that_are_refused_leaves_the_last_fit_whole():
    classifier = small(learning_rate_init=0.1, tol=10.0, n_iter_no_change=1).fit(IRIS, SPECIES)
    before = classifier.predict(IRIS)
    with pytest.raises(OptionError):
        classifier.set_params(class_weight={0: -1.0}).fit(IRIS[:, :2], np.arange(150) % 4)
    assert classifier.classes_.tolist() == [0, 1, 2]
    assert classifier.n_features_in_ == 4
    np.testing.assert_array_equal(classifier.predict(IRIS), before)
