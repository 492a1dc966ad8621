"""The stream of epochs: each against a hand-written loop; early stopping, metrics and the rows held out."""

import ast
import inspect
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

import glassmax.training
from glassmax import Network
from glassmax.engine import Data, EpochResult, ReferenceEngine, Regularization, best_engine, blocks
from glassmax.errors import DivergenceError, OptionError
from glassmax.functional import softmax
from glassmax.optimizers import SGD, Adam
from glassmax.training import Ahead, EarlyStopping, Epoch, RunningMetrics, TrainingState, holdout, loop, score, train

ENGINE = ReferenceEngine()


def rows(n=23, d=4, k=3, *, weighted=False):
    """Return n rows in k classes."""
    draw = np.random.default_rng(5)
    w = draw.uniform(0, 3, n) if weighted else None
    return Data(draw.standard_normal((n, d)), draw.integers(k, size=n), w)


def network(dtype="float64"):
    return Network([4, 5, 3], activation="tanh", dtype=dtype, random_state=1)


def begin(net, rule, seed=0):
    """Return where a run begins."""
    return TrainingState(rule.init(net.theta), np.random.RandomState(seed))


def run(net, data, rule=None, *, standing=None, seed=0, engine=ENGINE, **options):
    """Train to the end and return the epochs."""
    rule = rule or SGD(learning_rate=0.5)
    standing = begin(net, rule, seed) if standing is None else standing
    options = {"batch_size": 6, "max_epochs": 3, **options}
    return list(train(net, engine, data, rule, standing, **options))


# the stream


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_training_is_the_loop_written_out_by_hand(weighted, shuffle):
    data, net, learning_rate, alpha = rows(weighted=weighted), network(), 0.5, 0.3
    W, b = ({layer: view.copy() for layer, view in views.items()} for views in (net.parameters.W, net.parameters.b))
    epochs = run(net, data, SGD(learning_rate), regularization=Regularization(alpha), shuffle=shuffle)

    draw, order, losses = np.random.RandomState(0), np.arange(23), []
    w = np.ones(23) if data.weight is None else data.weight
    for _ in range(3):
        if shuffle:
            order = order[draw.permutation(23)]
        sum_of_losses = 0.0
        for start in (0, 6, 12, 18):  # the last batch has 5 rows
            batch = order[start : start + 6]
            divisor = len(batch) * w.mean()
            X, Y, factors = data.X[batch], np.eye(3)[data.y[batch]], w[batch][:, None] / divisor
            A1 = np.tanh(X @ W[1] + b[1])
            P = softmax(A1 @ W[2] + b[2])
            loss = -(factors * Y * np.log(P)).sum() + alpha / 2 * sum((v**2).sum() for v in W.values()) / divisor
            dZ2 = factors * (P - Y)
            dZ1 = dZ2 @ W[2].T * (1 - A1**2)
            dW = {1: X.T @ dZ1 + alpha * W[1] / divisor, 2: A1.T @ dZ2 + alpha * W[2] / divisor}
            for layer, dZ in ((1, dZ1), (2, dZ2)):
                W[layer] -= learning_rate * dW[layer]
                b[layer] -= learning_rate * dZ.sum(axis=0)
            sum_of_losses += loss * len(batch)
        losses.append(sum_of_losses / 23)

    np.testing.assert_allclose([epoch.loss for epoch in epochs], losses, rtol=1e-12)
    for layer in (1, 2):
        np.testing.assert_allclose(net.parameters.W[layer], W[layer], rtol=0, atol=1e-12)
        np.testing.assert_allclose(net.parameters.b[layer], b[layer], rtol=0, atol=1e-12)


def test_an_epoch_is_trained_when_it_is_taken():
    net, rule, data = network(), Adam(0.01), rows()
    start = net.theta.copy()
    stream = train(net, ENGINE, data, rule, begin(net, rule), batch_size=6, max_epochs=2)
    np.testing.assert_array_equal(net.theta, start)
    first = next(stream)
    assert isinstance(first, Epoch)
    assert (net.theta != start).all()
    after_one = net.theta.copy()
    next(stream)
    assert (net.theta != after_one).any()
    with pytest.raises(StopIteration):
        next(stream)


@pytest.mark.parametrize("max_epochs", [0, 1, 5])
def test_there_are_as_many_epochs_as_asked_for_counted_from_1(max_epochs):
    epochs = run(network(), rows(), max_epochs=max_epochs)
    assert [epoch.number for epoch in epochs] == list(range(1, max_epochs + 1))


@pytest.mark.parametrize(("batch_size", "steps"), [(1, 23), (6, 4), (22, 2), (23, 1), (1000, 1)])
def test_an_epoch_counts_its_steps_and_rows(batch_size, steps):
    for epoch in run(network(), rows(), batch_size=batch_size):
        assert (epoch.steps, epoch.rows) == (steps, 23)


def test_batches_larger_than_the_data_are_the_data():
    one, other = network(), network()
    run(one, rows(), batch_size=23)
    run(other, rows(), batch_size=24)
    np.testing.assert_array_equal(one.theta, other.theta)


def test_the_loss_of_one_whole_batch_is_the_loss_before_the_step():
    net, data = network(), rows(weighted=True)
    before = net.loss(data.X, data.y, data.weight)
    (epoch,) = run(net, data, batch_size=23, max_epochs=1)
    assert epoch.loss == pytest.approx(before, rel=1e-14)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    nets = [network() for _ in range(3)]
    for net, seed in zip(nets, (7, 7, 8), strict=True):
        run(net, rows(), seed=seed)
    np.testing.assert_array_equal(nets[0].theta, nets[1].theta)
    assert (nets[0].theta != nets[2].theta).any()


def test_a_batch_of_weights_0_is_no_error_and_leaves_the_weights_alone():
    data = Data(*rows(n=12)[:2], np.repeat([0.0, 1.0], 6))
    net, seen = network(), []

    class Watching(SGD):
        def step(self, theta, gradient, state, rate):
            seen.append(np.abs(gradient).max())
            super().step(theta, gradient, state, rate)

    (epoch,) = run(net, data, Watching(0.5), shuffle=False, max_epochs=1)
    assert epoch.steps == 2
    assert seen[0] == 0 < seen[1]
    assert np.isfinite(net.theta).all()


def test_scaling_all_weights_changes_nothing_without_a_penalty():
    data = rows(weighted=True)
    one, other = network(), network()
    run(one, data)
    run(other, data._replace(weight=8 * data.weight))
    np.testing.assert_array_equal(one.theta, other.theta)


def test_a_run_goes_on_from_its_state():
    whole, parts, rule = network(), network(), Adam(0.05)
    run(whole, rows(), rule, max_epochs=4)
    standing = begin(parts, rule)
    first, rest = (run(parts, rows(), rule, standing=standing, max_epochs=most) for most in (3, 4))
    assert [epoch.number for epoch in first + rest] == [1, 2, 3, 4]
    np.testing.assert_array_equal(whole.theta, parts.theta)


def test_validation_rows_are_scored_after_each_epoch():
    net, train, validation = network(), rows(), rows(n=40, weighted=True)
    for epoch in stream(net, train, validation):
        expected = score(net, ENGINE, validation)
        assert (epoch.validation.log_loss, epoch.validation.accuracy) == (expected.log_loss, expected.accuracy)
        assert epoch.validation.confusion is None  # k x k counts are made when asked for


def stream(net, data, validation):
    rule = SGD(0.5)
    return train(net, ENGINE, data, rule, begin(net, rule), batch_size=6, max_epochs=3, validation=validation)


def test_validation_rows_do_not_train():
    with_validation, without = network(), network()
    run(with_validation, rows(), validation=rows(n=40))
    run(without, rows())
    np.testing.assert_array_equal(with_validation.theta, without.theta)


def test_float32_stays_float32():
    data = rows()
    net = network("float32")
    epochs = run(net, data._replace(X=data.X.astype("float32")), Adam(0.01))
    assert net.theta.dtype == np.float32
    reference = network()
    np.testing.assert_allclose(
        [epoch.loss for epoch in epochs], [epoch.loss for epoch in run(reference, data, Adam(0.01))], rtol=1e-4
    )


# divergence


class Scripted(ReferenceEngine):
    """An engine that says what it is told: for each epoch what theta and the state become, and the result."""

    def __init__(self, *script):
        self.script = iter(script)

    def epoch(self, network, data, rule, state, **options):
        value, result = next(self.script)
        network.theta[...] = value
        state["velocity"][...] = value
        return result


def good(value):
    return value, EpochResult(1.0, 4, finite=True)


@pytest.mark.parametrize(
    ("script", "kept", "place"),
    [
        ([(np.nan, EpochResult(np.inf, 0, finite=False))], "start", "epoch 1, step 1"),
        ([(np.nan, EpochResult(np.nan, 3, finite=False))], "start", "epoch 1, step 4"),
        ([good(1), good(2), (3, EpochResult(np.nan, 2, finite=False))], 2, "epoch 3, step 3"),
        ([good(1), good(2), (3, EpochResult(np.nan, 0, finite=False))], 1, "epoch 3, step 1"),
        ([good(1), good(2), good(np.inf)], 2, "epoch 3, step 4"),
    ],
    ids=["at the very start", "in the first epoch", "within an epoch", "at an epoch's first step", "after an epoch"],
)
def test_divergence_names_its_place_and_puts_back_the_last_good_weights_and_state(script, kept, place):
    net, rule = network(), SGD(0.25)
    standing = begin(net, rule)
    start = net.theta.copy()
    with pytest.raises(DivergenceError) as caught:
        run(net, rows(), rule, standing=standing, engine=Scripted(*script), max_epochs=5)
    assert str(caught.value) == (
        f"The loss is no longer finite in {place}, at learning rate 0.25. The last good weights are kept. "
        "Try a learning rate of 0.025, and inputs scaled to about 1."
    )
    np.testing.assert_array_equal(net.theta, start if kept == "start" else np.full_like(start, kept))
    np.testing.assert_array_equal(standing.state["velocity"], np.full_like(start, 0 if kept == "start" else kept))


# early stopping


@given(
    losses=st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0, 1.05, 1.1, 2.0, np.inf]), min_size=1, max_size=12),
    tol=st.sampled_from([0.0, 0.06, 0.3]),
    patience=st.sampled_from([1, 2, 4, np.inf]),
)
def test_early_stopping_is_the_rule_of_scikit_learn(losses, tol, patience):
    net = Network([1, 2])
    watch = EarlyStopping(net, tol, patience)
    best, best_at, idle = np.inf, None, 0
    for number, loss in enumerate(losses):
        net.theta[...] = number
        # as written in sklearn.neural_network._multilayer_perceptron, _update_no_improvement_count
        idle = idle + 1 if loss > best - tol or loss == np.inf else 0
        if loss < best:
            best, best_at = loss, number
        assert watch.should_stop(loss) == (idle > patience)
        assert (watch.best, watch.epochs_without_improvement) == (best, idle)
        if best_at is not None:
            np.testing.assert_array_equal(watch.best_theta, np.full(4, best_at))


def test_the_best_weights_are_a_copy():
    net = Network([1, 2])
    watch = EarlyStopping(net, 0.0, 1)
    watch.should_stop(0.5)
    best = watch.best_theta.copy()
    net.theta[...] = 9
    np.testing.assert_array_equal(watch.best_theta, best)


# scores


@pytest.mark.parametrize("numbers", [1, 20, 2**20], ids=["row by row", "four rows at a time", "all at once"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_scores_are_those_of_scikit_learn(monkeypatch, numbers, weighted, dtype):
    monkeypatch.setattr("glassmax.engine.batches.BLOCK_NUMBERS", numbers)
    net, data = network(dtype), rows(n=57, weighted=weighted)
    assert len(list(blocks(net, 57))) == {1: 57, 20: 15, 2**20: 1}[numbers]
    got, P = score(net, ENGINE, data), softmax(net.forward(data.X).head.Z.astype("float64"))
    predicted = P.argmax(axis=1)
    tolerance = 1e-12 if dtype == "float64" else 1e-6  # the logits of a block are sums in float32
    assert got.log_loss == pytest.approx(log_loss(data.y, P, sample_weight=data.weight), rel=tolerance)
    assert got.accuracy == pytest.approx(accuracy_score(data.y, predicted, sample_weight=data.weight), rel=1e-12)
    np.testing.assert_array_equal(got.confusion, confusion_matrix(data.y, predicted))


def test_confusion_has_a_row_and_a_column_for_every_class():
    data = rows()
    got = score(network(), ENGINE, data._replace(y=np.zeros_like(data.y)))
    assert got.confusion.shape == (3, 3)
    assert got.confusion[0].sum() == got.confusion.sum() == 23


def test_a_row_of_weight_0_does_not_count_even_if_its_loss_is_infinite():
    net = Network.from_parameters({"W1": [[0.0, -np.inf]], "b1": [0.0, 0.0]})
    got = score(net, ENGINE, Data(np.ones((2, 1)), np.array([0, 1]), np.array([1.0, 0.0])))
    assert (got.log_loss, got.accuracy) == (0, 1)
    np.testing.assert_array_equal(got.confusion, [[1, 0], [1, 0]])


@pytest.mark.parametrize(
    "data", [Data(np.ones((2, 4)), np.array([0, 1]), np.zeros(2)), Data(np.ones((0, 4)), np.zeros(0, int))], ids=len
)
def test_the_score_of_nothing_is_nan(data):
    got = score(network(), ENGINE, data)
    assert np.isnan(got.log_loss)
    assert np.isnan(got.accuracy)


def test_a_tiny_log_loss_keeps_its_digits():
    net = Network.from_parameters({"W1": [[50.0, 0.0]], "b1": [0.0, 0.0]})
    assert score(net, ENGINE, Data(np.ones((3, 1)), np.zeros(3, int))).log_loss == pytest.approx(np.exp(-50), rel=1e-12)


# rows held out


labels = st.lists(st.integers(0, 7), min_size=1, max_size=60).map(np.array)
shares = st.floats(0.01, 0.99)


@given(y=labels, share=shares, seed=st.integers(0, 5))
def test_every_row_is_either_kept_or_held_out(y, share, seed):
    kept, held_out = holdout(y, share, np.random.RandomState(seed))
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held_out])), np.arange(len(y)))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(held_out) > 0).all()
    assert kept.dtype == held_out.dtype == np.intp


@given(y=labels, share=shares)
def test_every_class_keeps_a_row_and_is_held_out_in_proportion(y, share):
    kept, held_out = holdout(y, share, np.random.RandomState(0))
    held = Counter(y[held_out].tolist())
    for label, count in Counter(y.tolist()).items():
        assert label in y[kept]
        assert held[label] < share * count + 1
        assert held[label] >= min(np.floor(share * count), count - 1)
    wanted = int(np.ceil(share * len(y)))
    assert len(held_out) <= wanted
    if all(count * (1 - share) >= 2 for count in Counter(y.tolist()).values()):
        assert len(held_out) == wanted


def test_the_rows_held_out_are_drawn():
    y = np.arange(100) % 4
    one, same, other = (holdout(y, 0.3, np.random.RandomState(seed))[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_must_lie_between_0_and_1(share):
    message = f"The share to hold out is {share!r}, expected a number between 0 and 1."
    with pytest.raises(OptionError) as caught:
        holdout(np.array([0, 1]), share, np.random.RandomState(0))
    assert str(caught.value) == message


def test_every_raise_of_training_is_tested_here():
    trees = [ast.parse(inspect.getsource(inspect.getmodule(function))) for function in (train, holdout)]
    raised = [node.exc.func.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    assert sorted(raised) == ["DivergenceError", "DivergenceError", "OptionError"]


# several epochs in one call


@pytest.mark.parametrize("taken", [1, 2, 5, 40])
def test_epochs_ahead_change_no_bit_and_are_counted(monkeypatch, taken):
    monkeypatch.setattr(loop, "AT_ONCE", 1e3)
    ends = []
    for ahead in (None, Ahead(lambda: 7)):
        net, rule = network(), Adam(0.01)
        state = begin(net, rule)
        how = {"batch_size": 6, "max_epochs": 40, "watched": False, "ahead": ahead}
        stream = train(net, ENGINE, rows(weighted=True), rule, state, **how)
        epochs = [next(stream) for _ in range(taken)]
        stream.close()
        if ahead is None:
            single = epochs
        else:
            assert [epoch.loss for epoch in epochs] == [epoch.loss for epoch in single]
            assert [epoch.number for epoch in epochs] == list(range(1, taken + 1))
            taken += len(ahead.trained)  # trained, and left behind
            assert [epoch.number for epoch in ahead.trained] == list(range(len(epochs) + 1, taken + 1))
        ends.append((state.epochs, state.steps, state.rows))
    assert ends[1] == (taken, 4 * taken, 23 * taken)
    whole, rule = network(), Adam(0.01)
    state = begin(whole, rule)
    run(whole, rows(weighted=True), rule, standing=state, max_epochs=taken)
    assert whole.theta.tobytes() == net.theta.tobytes()


def test_epochs_ahead_end_where_a_loss_is_not_finite(monkeypatch):
    monkeypatch.setattr(loop, "AT_ONCE", 1e3)
    messages, left = [], []
    for ahead in (None, Ahead(lambda: 9)):
        net, rule = network(), SGD(1.0)
        state, epochs = begin(net, rule), []
        growing = Regularization(alpha=606)  # W, a hundredfold by each step
        how = {"batch_size": 6, "max_epochs": 40, "regularization": growing}
        stream = train(net, ENGINE, rows(), rule, state, watched=False, ahead=ahead, **how)
        with np.errstate(all="ignore"), pytest.raises(DivergenceError) as caught:
            epochs.extend(stream)
        messages.append(str(caught.value))
        left.append((net.theta.tobytes(), state.epochs, state.order.tolist(), len(epochs)))
    assert messages[0] == messages[1]
    assert left[0] == left[1]
    assert 9 < left[0][1] < 40


@given(st.lists(st.floats(0, 3), max_size=30), st.sampled_from([1, 2, 2.5, 10, float("inf")]))
def test_training_never_stops_before_the_least_number_of_epochs(values, patience):
    stopping, least = EarlyStopping(None, 0.5, patience), 0
    for at, value in enumerate(values):
        least = max(least, at + int(min(stopping.least_epochs, 99)))
        if stopping.should_stop(value):
            assert at + 1 >= least
            break


# at the prompt


def test_the_package_shows_what_its_users_need():
    assert dir(glassmax.training) == glassmax.training.__all__ == sorted(glassmax.training.__all__)


@pytest.mark.parametrize("weighted", [False, True])
def test_what_training_returns_is_shown_in_a_line(weighted):
    net, data, rule = network(), rows(weighted=weighted), SGD(0.1)
    state, stopping = begin(net, rule), EarlyStopping(net, 1e-4, 10)
    (epoch,) = train(net, ENGINE, data, rule, state, batch_size=6, max_epochs=1, validation=data)
    stopping.should_stop(epoch.loss)
    assert re.fullmatch(r"epoch 1: loss \d\.\d+, validation loss \d\.\d+, accuracy \d\.\d+ \([\d.e-]+ s\)", repr(epoch))
    assert repr(epoch.validation).startswith("Metrics(rows=23, log_loss=")
    assert repr(state) == "TrainingState(epochs=1, steps=4, rows=23, slowdown=1)"
    assert re.fullmatch(
        r"EarlyStopping\(best=\d\.\d+, epochs_without_improvement=0, tol=0\.0001, patience=10\)", repr(stopping)
    )


@pytest.mark.parametrize("k", [40, 4100])
def test_sparse_sets_of_candidates_are_scored_as_the_same_dense_sets(k):
    draw, network = np.random.default_rng(0), Network([3, k], loss="candidate_cross_entropy")
    X, S = draw.normal(size=(6, 3)), (draw.random((6, k)) < 0.3).astype(float)
    of_dense, of_sparse = (score(network, ReferenceEngine(), Data(X, y)) for y in (S, csr_array(S)))
    P = network.predictions(X)
    assert of_sparse.log_loss == pytest.approx(-np.log((P * S).sum(axis=1)).mean())
    assert (of_sparse.log_loss, of_sparse.accuracy) == (of_dense.log_loss, of_dense.accuracy)


@pytest.mark.parametrize("engine", [best_engine(), ReferenceEngine()], ids=lambda engine: engine.name)
@pytest.mark.parametrize("k", [40, 4100])
def test_sparse_soft_labels_are_scored_as_the_same_dense_rows(engine, k):
    draw, network = np.random.default_rng(0), Network([3, k])
    X, Y = draw.normal(size=(6, 3)), draw.random((6, k)) * (draw.random((6, k)) < 0.01)
    Y[:, 3] += 0.1
    Y /= Y.sum(axis=1, keepdims=True)
    of_dense, of_sparse = (score(network, engine, Data(X, T)) for T in (Y, csr_array(Y)))
    assert of_sparse.log_loss == pytest.approx(-(Y * np.log(network.predictions(X))).sum(axis=1).mean())
    assert of_sparse.log_loss == pytest.approx(of_dense.log_loss)
    assert of_sparse.accuracy == of_dense.accuracy


def test_running_metrics_are_those_of_a_score():
    net, data = network(), rows(weighted=True)
    running = RunningMetrics(3)
    for some in (slice(0, 10), slice(10, 23)):
        running.add(ENGINE.logits(net, data.X[some]), data.y[some], data.weight[some])
    got, expected = running.metrics(), score(net, ENGINE, data)
    assert (got.rows, got.log_loss) == (expected.rows, pytest.approx(expected.log_loss, rel=1e-14))
    assert got.accuracy == pytest.approx(expected.accuracy, rel=1e-14)
    np.testing.assert_array_equal(got.confusion, expected.confusion)


@pytest.mark.parametrize("shuffle", [False, True])
def test_an_unwatched_run_ends_with_the_bits_of_a_watched_one(shuffle):
    nets, losses, states = [network(), network()], [], []
    for net, watched in zip(nets, (True, False), strict=True):
        standing = begin(net, Adam(0.01))
        epochs = run(net, rows(), Adam(0.01), standing=standing, max_epochs=4, watched=watched, shuffle=shuffle)
        losses.append([epoch.loss for epoch in epochs])
        states.append(standing.state)
    assert losses[0] == losses[1]
    np.testing.assert_array_equal(nets[0].theta, nets[1].theta)
    assert states[0]["t"] == states[1]["t"] == 16
    np.testing.assert_array_equal(states[0]["v"], states[1]["v"])


def test_a_network_without_a_copy_keeps_the_weights_of_the_last_step_and_says_so(monkeypatch):
    monkeypatch.setattr("glassmax.engine.session.MOST_KEPT", 0)
    net, rule = network(), SGD(0.25)
    with pytest.raises(DivergenceError, match=r"too large to keep a copy of good weights: its weights are those"):
        run(net, rows(), rule, engine=Scripted(good(1), (3, EpochResult(np.nan, 0, finite=False))), max_epochs=5)
    np.testing.assert_array_equal(net.theta, np.full_like(net.theta, 3))
