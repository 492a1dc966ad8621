"""Mixup: shares by plain integers, what they must not depend on, and mixed rows with their exact gradients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from glassmax import Network
from glassmax.engine import Data, Regularization, mixed_rows
from glassmax.functional.mixup import mixed_with_previous, mixup_factors, mixup_shares
from tests.functional.test_masks import draw
from tests.grid import DTYPES, networks


def by_hand(seed, step, row, maximum, share):
    key = draw(draw(draw(seed, step), 0), row)
    mixed = (draw(key, 0) >> 11) / 2**53 < share
    return maximum * ((draw(key, 1) >> 11) / 2**53) if mixed else 0.0


@given(
    seed=st.integers(0, 2**63 - 1),
    step=st.integers(0, 2**40),
    rows=st.lists(st.integers(0, 2**40), min_size=1, max_size=5),
    maximum=st.sampled_from([0.0, 0.3, 1.0]),
    share=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
)
def test_shares_are_those_made_by_hand(seed, step, rows, maximum, share):
    expected = [by_hand(seed, step, row, maximum, share) for row in rows]
    np.testing.assert_array_equal(mixup_shares(seed, step, np.array(rows), maximum, share), expected)


def test_a_row_keeps_its_share_in_any_batch():
    rows = np.random.default_rng(0).permutation(1000)
    whole = mixup_shares(7, 3, np.arange(1000), 0.3, 0.5)
    np.testing.assert_array_equal(mixup_shares(7, 3, rows[:30], 0.3, 0.5), whole[rows[:30]])


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_so_many_rows_are_mixed_and_their_shares_are_uniform(share):
    shares = mixup_shares(1, 0, np.arange(40_000), 0.3, share)
    mixed = shares[shares > 0]
    assert len(mixed) == pytest.approx(40_000 * share, abs=400)
    assert mixed.max() < 0.3
    np.testing.assert_allclose(np.quantile(mixed, [0.25, 0.5, 0.75]), [0.075, 0.15, 0.225], atol=0.005)


@pytest.mark.parametrize("change", [(1, 0), (0, 1)], ids=["seed", "step"])
def test_seed_and_step_give_other_shares(change):
    one, other = (mixup_shares(*which, np.arange(2000), 0.3, 0.5) for which in ((0, 0), change))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.08


def test_a_row_of_weight_0_is_not_mixed_nor_the_one_after_it():
    weight = np.array([0.0, 1.0, 2.0, 1.0, 0.0, 0.5])
    shares = mixup_shares(0, 0, np.arange(6), 0.5, 1.0, weight)
    np.testing.assert_array_equal(shares > 0, [False, False, True, True, False, False])


def test_the_factor_is_1_to_the_middle_and_falls_along_half_a_cosine():
    factors = mixup_factors(0, 1000, 1000)
    assert (factors[:500] == 1).all()
    assert (np.diff(factors[500:]) < 0).all()
    assert factors[750] == pytest.approx(0.5, abs=0.002)
    assert 0 < factors[-1] < 1e-5
    np.testing.assert_array_equal(mixup_factors(300, 400, 1000), factors[300:700])


# mixed rows


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_row_is_mixed_with_the_one_before_it(dtype):
    V, shares = np.random.default_rng(0).standard_normal((5, 3)).astype(dtype), np.array([0.25, 0.0, 0.5, 1.0, 0.125])
    expected = [(1 - s) * V[i] + s * V[i - 1] for i, s in enumerate(shares)]
    for mixed in (mixed_with_previous(V, shares), mixed_with_previous(sparse.csr_array(V), shares).toarray()):
        assert mixed.dtype == dtype
        np.testing.assert_allclose(mixed, expected, rtol=1e-6)


@pytest.mark.parametrize("stored", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_a_row_that_is_not_mixed_never_sees_the_one_before_it(stored):
    V = np.array([[1.0, 2.0], [np.nan, np.inf], [3.0, 4.0]])
    mixed = mixed_with_previous(stored(V), np.array([0.5, 0.0, 0.0]))
    mixed = mixed if isinstance(mixed, np.ndarray) else mixed.toarray()
    np.testing.assert_array_equal(mixed, [[2.0, 3.0], [np.nan, np.inf], [3.0, 4.0]])


def test_without_mixup_the_batch_is_the_batch():
    batch, rows = Data(np.eye(3), np.arange(3)), np.arange(3)
    network = Network([3, 3])
    assert mixed_rows(network, batch, Regularization(), 0, rows)[0] is batch
    assert mixed_rows(network, batch, Regularization(mixup=0.3), 0, rows, 0.0)[0] is batch


def wrong_gradient(network, batch, mixed):
    """Return the gradient of someone who mixes the inputs and forgets the targets."""
    return network.loss_and_gradients(mixed.X, *batch[1:])[1].flat


@pytest.mark.parametrize("case", [case for case in networks() if len(case.sizes) == 3], ids=str)
def test_gradients_of_mixed_rows_are_exact(case):
    network, batch = case.network(), Data(*case.data())
    mixed, rows = mixed_rows(network, batch, Regularization(mixup=0.6, mixup_share=1.0, seed=3), 0, np.arange(6))
    loss, gradients = network.loss_and_gradients(*mixed)
    direction = np.random.default_rng(1).standard_normal(network.theta.shape)
    h, theta = 1e-5, network.theta.copy()
    ends = []
    for sign in (1, -1):
        network.theta[...] = theta + sign * h * direction
        ends.append(network.loss(*mixed))
    network.theta[...] = theta
    measured = (ends[0] - ends[1]) / (2 * h)
    assert np.isfinite(measured)
    assert gradients.flat @ direction == pytest.approx(measured, rel=1e-5, abs=1e-7)
    assert wrong_gradient(network, batch.rows(rows), mixed) @ direction != pytest.approx(measured, rel=1e-5, abs=1e-7)
    assert network.loss(*mixed) == loss
