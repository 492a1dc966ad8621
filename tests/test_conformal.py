"""Prediction sets: the ranks of the definition, and the share of new rows that is promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassmax.conformal import Conformal
from glassmax.errors import OptionError, ShapeError
from glassmax.functional import softmax_cross_entropy
from tests.test_calibration import rows_of

SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.25, 0.5, 1.0, 3.0]) | st.floats(0, 9), max_size=12)


def losses_of(Z):
    return np.array([[float(softmax_cross_entropy(z, c)) for c in range(Z.shape[1])] for z in Z])


@given(SCORES, st.sampled_from([0.001, 0.3, 0.5, 0.8, 0.9, 0.99]), st.booleans(), st.integers(0, 5))
def test_the_sets_are_those_of_the_definition(scores, coverage, weighted, seed):
    random = np.random.default_rng(seed)
    scores, n = np.sort(scores), len(scores)
    w = random.integers(1, 4, n).astype(float) if weighted else np.ones(n)
    conformal = Conformal(scores, w if weighted else None)
    Z = random.standard_normal((6, 4)) * 2
    normal = w / w.mean() if n else w
    p = np.array([[(1 + normal[scores >= loss].sum()) / (1 + n) for loss in row] for row in losses_of(Z)])
    near = np.abs(p - (1 - coverage)) < 1e-9  # a tie in the share, which rounding decides
    np.testing.assert_array_equal((conformal.sets(Z, coverage) == (p > 1 - coverage)) | near, True)


def test_a_share_that_is_reached_exactly_does_not_depend_on_rounding():
    conformal = Conformal(np.arange(9) / 10)
    assert [conformal.threshold(c / 10) for c in range(1, 10)] == [c / 10 for c in range(9)]
    assert conformal.threshold(0.901) == np.inf


def test_weights_count_like_repeated_rows():
    scores, repeats = np.array([0.1, 0.4, 0.9, 1.5]), np.array([1, 3, 2, 2])
    weighted, repeated = Conformal(scores, repeats * 5.0), Conformal(np.repeat(scores, repeats))
    for coverage in (0.1, 0.45, 0.7):
        assert weighted.threshold(coverage) == repeated.threshold(coverage)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_new_rows_are_covered_as_promised_whether_the_model_is_right_or_not(coverage, scale):
    """The logits are too large or too small by a factor: the promise holds all the same."""
    Z, y = rows_of(8000, 4, scale)
    conformal = Conformal.fit(Z[:4000], y[:4000])
    sets = conformal.sets(Z[4000:], coverage)
    assert sets[np.arange(4000), y[4000:]].mean() == pytest.approx(coverage, abs=0.02)


def test_sets_grow_with_the_coverage():
    Z, y = rows_of(400, 5, 1.0)
    conformal = Conformal.fit(Z, y)
    smaller, larger = conformal.sets(Z, 0.7), conformal.sets(Z, 0.95)
    assert (larger >= smaller).all()
    assert larger.sum() > smaller.sum()


def test_an_empty_set_gets_the_most_probable_class_on_request():
    Z, y = rows_of(400, 3, 1.0)
    conformal = Conformal.fit(Z, y)
    sets = conformal.sets(Z, 0.2)
    empty = ~sets.any(axis=1)
    assert empty.any()
    filled = conformal.sets(Z, 0.2, allow_empty=False)
    np.testing.assert_array_equal(filled[~empty], sets[~empty])
    np.testing.assert_array_equal(filled[empty].sum(axis=1), 1)
    np.testing.assert_array_equal(filled[empty].argmax(axis=1), Z[empty].argmax(axis=1))


@pytest.mark.parametrize("n", [0, 1, 8])
def test_too_few_rows_for_a_promise_give_sets_of_all_classes(n):
    conformal = Conformal(np.linspace(0, 1, n))
    assert conformal.sets(np.array([[50.0, 0.0, -50.0]]), 0.95).all()
    assert conformal.least_probability(0.95) == 0


def test_a_row_has_the_same_set_in_any_block():
    Z, y = rows_of(300, 3, 1.0)
    conformal = Conformal.fit(Z.astype(np.float32), y)
    Z = Z.astype(np.float32)
    whole = conformal.sets(Z, 0.8)
    np.testing.assert_array_equal(np.vstack([conformal.sets(Z[i : i + 1], 0.8) for i in range(300)]), whole)


def test_the_rows_of_the_fit_are_covered_with_ties_and_certain_rows():
    Z = np.repeat(np.array([[800.0, 0.0], [0.0, 0.0], [1.0, 0.0]]), [50, 25, 25], axis=0)
    y = np.zeros(100, int)
    conformal = Conformal.fit(Z, y)
    assert conformal.threshold(0.45) == 0
    covered = conformal.sets(Z, 0.45)
    np.testing.assert_array_equal(covered[:, 0], [True] * 50 + [False] * 50)
    assert not covered[:, 1].any()


def test_rows_that_are_not_finite_or_weigh_nothing_are_left_out():
    Z = np.array([[1.0, 0.0], [np.nan, 0.0], [-np.inf, 0.0], [2.0, 0.0]])
    assert Conformal.fit(Z, np.zeros(4, int)).n_rows == 2
    assert Conformal.fit(Z, np.zeros(4, int), np.array([1.0, 1.0, 1.0, 0.0])).n_rows == 1
    assert not Conformal.fit(Z, np.zeros(4, int)).sets(Z, 0.5)[1].any()


WRONG = {
    "The scores are (2,), expected (n,) numbers >= 0 in ascending order.": lambda: Conformal(np.array([1.0, 0.5])),
    "The scores are (1,), expected (n,) numbers >= 0 in ascending order.": lambda: Conformal(np.array([np.nan])),
    "The scores are (), expected (n,) numbers >= 0 in ascending order.": lambda: Conformal(np.array(1.0)),
    "scores holds <U1 values, expected numbers. Convert it to floats first.": lambda: Conformal(["a"]),
    "scores has rows of different lengths, expected a rectangular array.": lambda: Conformal([[1], [1, 2]]),
    "row_weights holds <U1 values, expected numbers. Convert it to floats first.": lambda: Conformal([1.0], ["a"]),
    "The row weights are (1,), expected a number >= 0 for each score.": lambda: Conformal(np.zeros(2), np.ones(1)),
    "The row weights are (2,), expected a number >= 0 for each score.": lambda: Conformal(np.zeros(2), -np.ones(2)),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_are_no_scores_is_an_error(message):
    with pytest.raises(ShapeError) as caught:
        WRONG[message]()
    assert str(caught.value) == message


@pytest.mark.parametrize("coverage", [0, 1, 1.5, -0.1, np.nan, "most", True])
def test_a_coverage_that_is_none_is_an_error(coverage):
    with pytest.raises(OptionError, match=r"^coverage is .*, expected a number between 0 and 1\.$"):
        Conformal(np.zeros(3)).threshold(coverage)


def test_scores_may_be_lists():
    assert Conformal([0, 1], [1, 2]).threshold(0.5) == Conformal(np.array([0.0, 1.0]), np.array([1.0, 2.0])).threshold(
        0.5
    )
