"""Labels that are sets of candidates: encoded, learned from, scored, kept in files; and what is refused."""

import numpy as np
import pandas as pd
import pytest

import glassmax as gm
from glassmax import SoftmaxClassifier, not_class
from glassmax.errors import LabelError
from glassmax.estimator.candidates import encode_candidates
from glassmax.estimator.labels import weigh_rows
from tests.estimator.iris import IRIS, SPECIES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NAMES = np.array(["setosa", "versicolor", "virginica"])
TRUTH = NAMES[SPECIES]


def veiled(seed=0):
    """Iris with most labels hidden: a set of two, a class ruled out, or nothing."""
    draw, labels = np.random.default_rng(seed), []
    for name in TRUTH:
        other = draw.choice(NAMES[name != NAMES])
        labels.append([name, {name, other}, not_class(other), None][draw.choice(4, p=[0.2, 0.4, 0.3, 0.1])])
    return labels


VEILED = veiled()
MATRIX = encode_candidates(VEILED).T


def small(**options):
    return SoftmaxClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 30, "random_state": 0, **options})


def same(one, other):
    return np.array_equal(one.network_.theta, other.network_.theta)


# encoding


def test_sets_become_rows_of_0_and_1():
    labels = encode_candidates(["b", {"a", "c"}, frozenset("b"), not_class("a"), not_class("a", "b"), None, np.nan])
    assert labels.classes.tolist() == ["a", "b", "c"]
    expected = [[0, 1, 0], [1, 0, 1], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 1, 1], [1, 1, 1]]
    assert labels.T.tolist() == expected
    assert labels.candidates


def test_numbers_and_given_classes_are_labels_too():
    labels = encode_candidates([3, {1, 3}, not_class(1)], [3, 2, 1])
    assert labels.classes.tolist() == [3, 2, 1]
    assert labels.T.tolist() == [[1, 0, 0], [1, 0, 1], [1, 1, 0]]


def test_rows_of_one_candidate_each_are_class_indices():
    assert encode_candidates([{"a"}, "b", not_class("a")]).T.tolist() == [0, 1, 1]


def test_the_prompt_shows_what_is_ruled_out():
    assert repr(not_class("b", "a")) == "not_class('a', 'b')"


# training


def test_a_network_learns_the_classes_from_sets():
    classifier = small(max_iter=300, learning_rate_init=0.02).fit(IRIS, VEILED)
    assert classifier.network_.head.loss == "candidate_cross_entropy"
    assert classifier.classes_.tolist() == NAMES.tolist()
    assert classifier.score(IRIS, TRUTH) > 0.95


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_matrix_of_0_and_1_and_a_series_are_the_same_labels(solver):
    by_sets = small(solver=solver).fit(IRIS, VEILED)
    by_matrix = small(solver=solver, loss="candidate_cross_entropy").fit(IRIS, MATRIX, classes=NAMES)
    assert same(by_sets, by_matrix)
    assert same(by_sets, small(solver=solver).fit(IRIS, pd.Series(VEILED, dtype=object)))
    assert same(by_sets, small(solver=solver).fit(IRIS, np.array(VEILED, object)))


def test_labels_of_one_class_each_train_as_by_the_cross_entropy():
    plain = small().fit(IRIS, TRUTH)
    assert same(plain, small(loss="candidate_cross_entropy").fit(IRIS, TRUTH))
    assert same(plain, small().fit(IRIS, [{name} for name in TRUTH.tolist()]))


def test_rows_that_say_nothing_are_absent():
    known = np.array([label is not None for label in VEILED])
    without = small(batch_size=150, shuffle=False).fit(IRIS[known], [label for label in VEILED if label is not None])
    with_all = small(batch_size=150, shuffle=False).fit(IRIS, VEILED)
    np.testing.assert_allclose(without.network_.theta, with_all.network_.theta, rtol=1e-6, atol=1e-9)
    all_three = [set(NAMES.tolist()) if label is None else label for label in VEILED]
    assert same(with_all, small(batch_size=150, shuffle=False).fit(IRIS, all_three))


@pytest.mark.parametrize("options", [{}, {"mixup": 0.3}, {"class_weight": "balanced"}, {"dropout": 0.2, "mixup": 0.9}])
def test_gradients_are_the_derivatives_of_the_loss(options):
    classifier = small(**options, max_iter=5).fit(IRIS, VEILED)
    assert classifier.check_gradients(IRIS, VEILED).correct
    assert classifier.check_gradients(IRIS, TRUTH).correct


def test_gradient_norms_are_those_of_each_rows_loss():
    classifier = small(max_iter=5).fit(IRIS, VEILED)
    norms = classifier.gradient_norms(IRIS, VEILED)
    assert (norms[[label is None for label in VEILED]] == 0).all()
    for row in (0, 60, 120):
        _, gradients = classifier.network_.loss_and_gradients(IRIS[[row]], MATRIX[[row]])
        assert norms[row] == pytest.approx(np.linalg.norm(gradients.flat), rel=1e-10, abs=1e-15)


def test_a_set_has_the_mean_weight_of_its_labels():
    labels = encode_candidates(["a", {"a", "b"}, not_class("a"), None], ["a", "b", "c"])
    weight = weigh_rows({"a": 1.0, "b": 3.0, "c": 5.0}, labels, None, named=True)
    assert weight.tolist() == [1, 2, 4, 0]
    balanced = weigh_rows("balanced", labels, None, named=True)
    shares = labels.shares() * [[1], [1], [1], [0]]
    of_class = 3 / shares.sum(axis=0) / 3
    np.testing.assert_allclose(balanced, [*(shares[:3] @ of_class), 0])


# scoring


def test_a_prediction_within_the_set_is_right():
    classifier = small().fit(IRIS, VEILED)
    predicted, counts = classifier.predict(IRIS), np.array([label is not None for label in VEILED])
    right = MATRIX[np.arange(150), SPECIES * 0 + [NAMES.tolist().index(name) for name in predicted]] == 1
    assert classifier.score(IRIS, VEILED) == pytest.approx(right[counts].mean())
    w = np.arange(150) / 10
    assert classifier.score(IRIS, VEILED, w) == pytest.approx(np.average(right[counts], weights=w[counts]))
    assert classifier.score(IRIS, TRUTH) == (predicted == TRUTH).mean()


def test_early_stopping_watches_the_loss_of_the_sets():
    classifier = small(early_stopping=True).fit(IRIS, VEILED)
    assert 0 < classifier.validation_loss_curve_[-1] < np.log(3)
    given = small().fit(IRIS, TRUTH, X_val=IRIS, y_val=VEILED)
    P, counts = given.predict_proba(IRIS), ~MATRIX.all(axis=1)
    expected = -np.log((P * MATRIX).sum(axis=1)[counts]).mean()
    assert given.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-9)
    assert given.validation_scores_[-1] == pytest.approx(given.score(IRIS, VEILED))


# going on


def test_sets_may_follow_classes_and_classes_sets():
    classifier = small().partial_fit(IRIS, TRUTH, classes=NAMES)
    assert classifier.network_.head.loss == "cross_entropy"
    classifier.partial_fit(IRIS, VEILED)
    assert classifier.network_.head.loss == "candidate_cross_entropy"
    classifier.partial_fit(IRIS, TRUTH).partial_fit(IRIS, 0.8 * np.eye(3)[SPECIES] + 0.2 / 3)
    assert classifier.network_.head.loss == "cross_entropy"
    warm = small(warm_start=True).fit(IRIS, VEILED)
    theta = warm.network_.theta.copy()
    assert not np.array_equal(warm.fit(IRIS, VEILED[:140] + TRUTH[140:].tolist()).network_.theta, theta)


def test_a_refused_call_leaves_the_loss_as_it_was():
    classifier = small(warm_start=True).fit(IRIS, TRUTH)
    with pytest.raises(LabelError):
        classifier.fit(IRIS, VEILED, X_val=IRIS, y_val=[{"rose"}] * 150)
    assert classifier.network_.head.loss == "cross_entropy"


def test_a_resumed_run_equals_one_that_was_not_stopped(tmp_path):
    path = tmp_path / "run.checkpoint"
    options = {"mixup": 0.3, "max_iter": 6, "checkpoint_path": path}
    for _, epoch in zip(range(3), small(**options).fit_epochs(IRIS, VEILED), strict=False):
        assert np.isfinite(epoch.loss)
    assert same(small(**options).fit(IRIS, VEILED), small(mixup=0.3, max_iter=6).fit(IRIS, VEILED))


def test_a_model_file_keeps_the_loss_and_goes_on(tmp_path):
    path = tmp_path / "veiled.safetensors"
    classifier = small().fit(IRIS, VEILED)
    classifier.save(path)
    model = gm.load_model(path)
    assert model.network.head.loss == "candidate_cross_entropy"
    np.testing.assert_array_equal(model.predict_proba(IRIS), classifier.predict_proba(IRIS))
    back = SoftmaxClassifier.from_model(model, warm_start=True, max_iter=2, random_state=0)
    assert back.loss == "candidate_cross_entropy"
    assert back.fit(IRIS, VEILED).loss_ < classifier.loss_curve_[0]
    assert back.score(IRIS, MATRIX) == back.score(IRIS, VEILED)


# what is refused


def test_class_probabilities_and_sets_are_not_mixed():
    soft = 0.7 * np.eye(3)[SPECIES] + 0.1
    with pytest.raises(
        LabelError, match=r"^y holds class probabilities and y_val sets of labels, expected one of both"
    ):
        small().fit(IRIS, soft, X_val=IRIS, y_val=[{0, 1}] * 150, classes=[0, 1, 2])


def test_a_network_of_several_labels_refuses_sets():
    several = np.c_[SPECIES > 0, SPECIES > 1].astype(int)
    classifier = small(warm_start=True).fit(IRIS, several)
    with pytest.raises(LabelError, match=r"^y holds sets of labels, expected a matrix \(n, k\) of 0 and 1, as in"):
        classifier.fit(IRIS, [{0, 1}] * 150)
    with pytest.raises(LabelError, match=r"^y holds sets of labels, expected a matrix"):
        classifier.score(IRIS, [{0, 1}] * 150)


def test_a_missing_label_without_sets_is_refused_as_before():
    with pytest.raises(LabelError, match=r"^Row 3 of y has no label"):
        small().fit(IRIS[:4], ["a", "b", "a", None])
