"""What holds for every engine: blocks of rows, one epoch, logits, probabilities, and which one runs."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from glassmax import Network
from glassmax.engine import Data, ReferenceEngine, Regularization, best_engine, blocks, build_facts
from glassmax.engine.batches import BLOCK_NUMBERS
from glassmax.functional.masks import dropout_mask
from glassmax.optimizers import SGD

KINDS = [ReferenceEngine]
if importlib.util.find_spec("glassmax.engine._native"):
    from glassmax.engine.native import NativeEngine

    KINDS.append(NativeEngine)

ENGINE = best_engine()


@pytest.fixture(autouse=True, params=KINDS, ids=lambda kind: kind.name)
def _each_engine(request, monkeypatch):
    monkeypatch.setitem(globals(), "ENGINE", request.param())


def test_the_best_engine_is_the_last_one(demand_engine):
    demand_engine("")
    assert type(best_engine()) is KINDS[-1]
    assert build_facts()["native"] == (len(KINDS) == 2)


def test_the_environment_can_demand_an_engine(demand_engine):
    for kind in KINDS:
        demand_engine(kind.name)
        assert type(best_engine()) is kind


# blocks


@given(n=st.integers(0, 10_000_000), sizes=st.lists(st.integers(1, 20_000), min_size=2, max_size=4))
def test_blocks_cover_every_row_once_in_order(n, sizes):
    cut = list(blocks(wide(*sizes), n))
    assert [block.start for block in cut] == [0, *(block.stop for block in cut[:-1])][: len(cut)]
    assert (cut[-1].stop if cut else 0) == n
    assert all(block.stop > block.start for block in cut)
    assert len({block.stop - block.start for block in cut[:-1]}) <= 1


class Wide:
    """A network's shape without its weights."""

    def __init__(self, layer_sizes):
        self.layer_sizes = layer_sizes


def wide(*layer_sizes):
    return Wide(layer_sizes)


@pytest.mark.parametrize("layer_sizes", [(4, 3), (4, 100, 3), (4, 7, 1000), (2**21, 3), (1, 3 * 2**20)], ids=str)
def test_the_widest_layer_of_a_block_holds_at_most_a_million_numbers(layer_sizes):
    rows = max(block.stop - block.start for block in blocks(wide(*layer_sizes), 2**21))
    assert rows == 1 or rows * max(layer_sizes) <= BLOCK_NUMBERS < (rows + 1) * max(layer_sizes)


def test_blocks_depend_on_the_shape_alone():
    one, other = Network([4, 9, 3], random_state=0), Network([4, 9, 3], activation="tanh", random_state=1)
    assert list(blocks(one, 1_000_000)) == list(blocks(other.astype("float32"), 1_000_000))


# an epoch


def small():
    """Return a network, 10 weighted rows, and a rule."""
    draw = np.random.default_rng(0)
    data = Data(draw.standard_normal((10, 4)), np.arange(10) % 3, draw.uniform(0.5, 2, 10))
    return Network([4, 5, 3], activation="tanh"), data, SGD(0.1)


def one_epoch(net, data, rule, *, order=None, batch_size=4, rates=None, first_step=0, engine=None, **regularization):
    order = np.arange(len(data.y)) if order is None else order
    rates = np.full(len(order), rule.learning_rate) if rates is None else rates
    options = {"batch_size": batch_size, "regularization": Regularization(**regularization), "first_step": first_step}
    return (engine or ENGINE).epoch(net, data, rule, rule.init(net.theta), order=order, rates=rates, **options)


def test_an_epoch_takes_the_batches_of_the_order():
    net, data, rule = small()
    by_hand, order = small()[0], np.random.default_rng(1).permutation(10)
    result = one_epoch(net, data, rule, order=order, alpha=0.2)
    losses = []
    for start, stop in ((0, 4), (4, 8), (8, 10)):
        batch = order[start:stop]
        divisor = len(batch) * data.weight.mean()
        loss, gradients = by_hand.loss_and_gradients(
            data.X[batch], data.y[batch], data.weight[batch], divisor=divisor, l2=0.2 / divisor
        )
        by_hand.step(gradients, 0.1)
        losses.append(loss * len(batch))
    np.testing.assert_allclose(net.theta, by_hand.theta, rtol=0, atol=1e-15)
    assert result == (pytest.approx(sum(losses) / 10, rel=1e-14), 3, True)


def test_an_epoch_over_reordered_rows_is_an_epoch_in_that_order():
    order = np.random.default_rng(1).permutation(10)
    one, data, rule = small()
    other = small()[0]
    one_epoch(one, data, rule, order=order)
    one_epoch(other, data.rows(order), rule)
    np.testing.assert_array_equal(one.theta, other.theta)


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_an_epoch_stops_before_the_step_whose_loss_is_not_finite(steps):
    net, data, rule = Network([4, 5, 3]), small()[1]._replace(weight=None), SGD(0.1)
    net.theta[...] = np.abs(net.theta)
    start = net.theta.copy()
    X = data.X.copy()
    X[4 * steps] = 1e308  # the first layer's sum overflows, and inf - inf is the loss's nan
    result = one_epoch(net, data._replace(X=X), rule)
    assert np.isnan(result.loss)
    assert (result.steps, result.finite) == (steps, False)
    by_hand = Network([4, 5, 3])
    by_hand.theta = start
    if steps:
        assert one_epoch(by_hand, data.rows(slice(4 * steps)), rule).finite
        assert (net.theta != start).any()
    np.testing.assert_array_equal(net.theta, by_hand.theta)


def test_the_mean_weight_is_1_without_weights():
    assert Data(np.zeros((2, 1)), np.zeros(2, int)).mean_weight == 1
    assert Data(np.zeros((2, 1)), np.zeros(2, int), np.array([1.0, 4.0])).mean_weight == 2.5


@pytest.mark.parametrize("index", [slice(1, 3), np.array([3, 0])], ids=["slice", "numbers"])
def test_rows_take_their_labels_and_weights_along(index):
    data = Data(np.arange(8).reshape(4, 2), np.arange(4), np.arange(4) / 2)
    rows = data.rows(index)
    np.testing.assert_array_equal(rows.X, data.X[index])
    np.testing.assert_array_equal(rows.y, data.y[index])
    np.testing.assert_array_equal(rows.weight, data.weight[index])
    assert Data(data.X, data.y).rows(index).weight is None


# logits


def test_logits_are_those_of_the_networks_forward_pass():
    net, data, _ = small()
    np.testing.assert_allclose(ENGINE.logits(net, data.X), net.forward(data.X).Z[2], rtol=1e-14, atol=1e-14)


def test_probabilities_are_the_networks_predictions():
    net, data, _ = small()
    np.testing.assert_allclose(ENGINE.probabilities(net, data.X), net.predictions(data.X), rtol=1e-13, atol=0)


# the regularization


def test_an_epoch_takes_the_rate_of_each_step():
    net, data, rule = small()
    by_hand, rates = small()[0], np.array([0.5, 0.0, 0.125])
    one_epoch(net, data, rule, rates=rates)
    for start, rate in ((0, 0.5), (8, 0.125)):
        batch = data.rows(slice(start, start + 4))
        divisor = len(batch.y) * data.weight.mean()
        by_hand.step(by_hand.loss_and_gradients(*batch, divisor=divisor)[1], rate)
    np.testing.assert_allclose(net.theta, by_hand.theta, rtol=0, atol=1e-15)


def test_decay_shrinks_the_weights_before_the_step_and_leaves_biases_alone():
    net, data, rule = small()
    by_hand = small()[0]
    one_epoch(net, data, rule, batch_size=10, weight_decay=0.5)
    _, gradients = by_hand.loss_and_gradients(*data, divisor=10 * data.weight.mean())
    for W in by_hand.parameters.W.values():
        W *= 1 - 0.1 * 0.5
    by_hand.step(gradients, 0.1)
    np.testing.assert_allclose(net.theta, by_hand.theta, rtol=0, atol=1e-15)


@pytest.mark.parametrize("clip_norm", [1e-3, 0.1, 1e3])
def test_a_gradient_is_shortened_to_the_clip_norm_and_never_lengthened(clip_norm):
    net, data, rule = small()
    before = net.theta.copy()
    one_epoch(net, data, rule, batch_size=10, clip_norm=clip_norm, alpha=2.0)
    divisor = 10 * data.weight.mean()
    _, gradients = small()[0].loss_and_gradients(*data, divisor=divisor, l2=2.0 / divisor)
    length = np.linalg.norm(gradients.flat)
    expected = 0.1 * gradients.flat * min(1, clip_norm / length)
    np.testing.assert_allclose(before - net.theta, expected, rtol=1e-9, atol=1e-15)


def test_masks_follow_the_step_and_the_row_in_the_data():
    net, data, rule = small()
    by_hand, order = small()[0], np.random.default_rng(1).permutation(10)
    one_epoch(net, data, rule, order=order, batch_size=5, dropout=(0.5,), seed=3, first_step=7)
    for step, batch in ((7, order[:5]), (8, order[5:])):
        masks = {1: dropout_mask(3, step, 1, batch, 5, 0.5)}
        rows = data.rows(batch)
        by_hand.step(by_hand.loss_and_gradients(*rows, divisor=5 * data.weight.mean(), masks=masks)[1], 0.1)
    np.testing.assert_allclose(net.theta, by_hand.theta, rtol=0, atol=1e-15)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_smoothing_writes_the_targets_out_as_rows(output):
    loss = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}[output]
    data = small()[1]
    Y = np.eye(3)[data.y]
    smoothed = 0.8 * Y + 0.2 * (1 / 3 if output == "softmax" else 1 / 2)
    nets = [Network([4, 5, 3], output=output, loss=loss) for _ in range(2)]
    one_epoch(nets[0], data._replace(y=Y), SGD(0.1), label_smoothing=0.2)
    one_epoch(nets[1], data._replace(y=smoothed), SGD(0.1))
    np.testing.assert_array_equal(nets[0].theta, nets[1].theta)


# all rows at once


@pytest.mark.parametrize("numbers", [1, 15, 2**20], ids=["row by row", "three rows at a time", "all at once"])
def test_loss_and_gradient_of_all_rows_are_the_networks(monkeypatch, numbers):
    monkeypatch.setattr("glassmax.engine.batches.BLOCK_NUMBERS", numbers)
    net, data, _ = small()
    loss, gradient = ENGINE.loss_and_gradient(net, data, Regularization(alpha=0.3))
    net.l2 = 0.3 / data.weight.sum()
    expected, gradients = net.loss_and_gradients(*data)
    assert loss == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient, gradients.flat, rtol=0, atol=1e-14)


def test_the_gradient_of_all_rows_is_float64_whatever_the_network():
    net, data, _ = small()
    loss, gradient = ENGINE.loss_and_gradient(net.astype("float32"), data, Regularization())
    assert gradient.dtype == np.float64
    assert loss == pytest.approx(ENGINE.loss_and_gradient(net, data, Regularization())[0], rel=1e-6)


# threads


def test_blas_works_on_as_many_threads_as_allowed():
    seen = []

    class Watching(SGD):
        def step(self, *arguments):
            seen.append({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
            super().step(*arguments)

    net, data, _ = small()
    with threadpool_limits(2, user_api="blas"):
        before = threadpool_info()
        one_epoch(net, data, Watching(0.1), engine=ReferenceEngine(n_threads=1))
        assert seen == [{1}] * 3
        assert threadpool_info() == before
