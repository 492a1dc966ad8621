"""The linear model that a network is compared with is a fair opponent, quick, and the same in each run."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from glassmax.estimator import linear
from glassmax.estimator.linear import ALPHAS, best_alpha, fit_linear
from glassmax.training import holdout


def standardised(X):
    X = X[:, X.std(axis=0) > 0]
    return (X - X.mean(axis=0)) / X.std(axis=0)


def overlapping(n=240, k=3, seed=0):
    """Rows of classes that overlap, so that too weak a penalty costs much."""
    X, y = make_classification(n, 20, n_informative=6, n_classes=k, flip_y=0.2, random_state=seed)
    return standardised(X), y


@pytest.mark.parametrize("load", [load_iris, load_wine, load_digits, load_breast_cancer])
def test_the_linear_model_is_as_good_as_scikit_learns_within_noise(load):
    X, y = load(return_X_y=True)
    X = standardised(X)
    ours, theirs = [], []
    for seed in range(1 if len(y) > 1000 else 3):
        kept, held = holdout(y, 0.2, np.random.RandomState(seed))
        classifier, _ = fit_linear(X[kept], y[kept], random_state=0)
        ours.append(log_loss(y[held], classifier.predict_proba(X[held])))
        peer = LogisticRegression(max_iter=1000).fit(X[kept], y[kept])
        theirs.append(log_loss(y[held], peer.predict_proba(X[held])))
    assert np.mean(ours) < np.mean(theirs) + 0.01


def test_classes_that_overlap_get_a_stronger_penalty_than_classes_that_are_apart():
    X, y = load_iris(return_X_y=True)
    assert best_alpha(*overlapping(150)) > 1 > best_alpha(standardised(X), y)


def test_the_penalty_is_the_same_in_each_run_and_for_sparse_rows():
    X, y = overlapping()
    X[np.abs(X) < 0.5] = 0
    first, second, sparse = (fit_linear(rows, y, random_state=0)[0] for rows in (X, X, csr_matrix(X)))
    np.testing.assert_array_equal(first.network_.theta, second.network_.theta)
    assert sparse.alpha == first.alpha
    np.testing.assert_allclose(sparse.predict_proba(X), first.predict_proba(X), atol=1e-6)


def test_a_row_of_weight_zero_has_no_part_in_the_choice():
    X, y = overlapping()
    nonsense = np.random.RandomState(1).permutation(y)
    weight = np.repeat([1.0, 0.0], len(y))
    both, classes = np.concatenate([X, X]), np.concatenate([y, nonsense])
    assert best_alpha(both, classes, weight) == best_alpha(X, y)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 5.0, 1: 1.0, 2: 0.0}])
def test_class_weights_count_in_the_choice_and_in_the_fit(class_weight):
    X, y = overlapping()
    classifier, _ = fit_linear(X, y, class_weight=class_weight, random_state=0)
    assert classifier.alpha in ALPHAS
    assert classifier.class_weight == class_weight
    if class_weight != "balanced":
        assert not (classifier.predict(X) == 2).any()


@pytest.mark.parametrize("y", [[0] * 30 + [1] * 29 + [2], [*range(30), *range(30)], [*range(60)], [0, 1] * 5], ids=str)
def test_rare_classes_and_few_rows_are_no_error(y):
    y = np.array(y)
    X = np.random.RandomState(0).standard_normal((len(y), 3))
    classifier, step = fit_linear(X, y, random_state=0)
    assert step == 1
    assert classifier.predict_proba(X).shape == (len(y), y.max() + 1)


def test_a_long_table_is_thinned_unless_a_class_would_be_lost(monkeypatch):
    X, y = overlapping()
    monkeypatch.setattr(linear, "MOST_ROWS", 100)
    assert fit_linear(X, y, random_state=0)[1] == 3
    y[y == 2] = 0
    y[1] = 2  # the only row of its class, and not the first of three
    assert fit_linear(X, y, random_state=0)[1] == 1
