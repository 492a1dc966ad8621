"""Very many classes: nothing of rows times classes, or of classes times classes, is made from labels to files."""

import re
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import top_k_accuracy_score

import glassmax as gm
from glassmax import Model, Network, SoftmaxClassifier, TableClassifier
from glassmax.calibration import Calibration
from glassmax.engine import Data, best_engine
from glassmax.errors import DataError, worded
from glassmax.estimator.cost import check_cost, cost_of
from glassmax.training import EarlyStopping, RunningMetrics, holdout, score
from glassmax.training.cost import estimate

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, K = 2000, 50_000
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4)).astype(np.float32)
Y = RNG.integers(0, 400, N)
LITTLE = 2**25
"""Bytes; N x K numbers would be 400 MB."""


def many(**options):
    return SoftmaxClassifier((3,), **{"max_iter": 1, "batch_size": 256, "random_state": 0, **options})


@pytest.fixture(scope="module")
def fitted():
    return many().fit(X[:500], Y[:500], classes=np.arange(K))


@pytest.fixture
def peak():
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_fitting_takes_little_memory(peak):
    many(early_stopping=True, class_weight="balanced").fit(X, Y, classes=np.arange(K))
    assert peak() < LITTLE


def test_partial_fit_takes_little_memory(peak):
    classifier = many().partial_fit(X, Y, classes=np.arange(K))
    classifier.partial_fit(X, Y)
    assert peak() < LITTLE


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "f1", "top_5_accuracy"])
def test_scores_take_little_memory(peak, scoring):
    classifier = many(early_stopping=True, scoring=scoring).fit(X, Y, classes=np.arange(K))
    assert peak() < LITTLE
    assert 0 <= classifier.validation_scores_[0] <= 1


def test_predicting_takes_little_memory(fitted, peak):
    fitted.predict(X)
    fitted.score(X, Y)
    fitted.predict_top(X, 3)
    fitted.predict_sparse(X, 0.01)
    repr(fitted), fitted._repr_html_()
    assert peak() < LITTLE


def test_a_model_file_takes_little_memory(fitted, tmp_path, peak):
    fitted.save(tmp_path / "m.safetensors")
    model = gm.load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(model.network.theta, fitted.network_.theta)
    model.predict_top(X, 3)
    model.predict(X)
    repr(model)
    assert peak() < LITTLE


def test_a_checkpoint_resumes_with_the_same_bits(tmp_path):
    options = {"early_stopping": True, "checkpoint_path": tmp_path / "c"}
    straight = many(early_stopping=True, max_iter=3).fit(X, Y, classes=np.arange(K))
    many(**options, max_iter=2).fit(X, Y, classes=np.arange(K))
    resumed = many(**options, max_iter=3).fit(X, Y, classes=np.arange(K))
    np.testing.assert_array_equal(resumed.network_.theta, straight.network_.theta)
    assert resumed.validation_loss_curve_ == straight.validation_loss_curve_


@pytest.mark.parametrize(
    "labels", [np.arange(20_000), np.array([f"w{i}" for i in range(20_000)], object)], ids=["int", "text"]
)
def test_a_class_for_each_row_is_no_regression(labels):
    rows = RNG.normal(size=(20_000, 2)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Training ended")
        assert 0 <= many().fit(rows, labels).score(rows, labels) <= 1


def test_the_most_probable_classes_are_those_of_predict_proba(fitted):
    P = fitted.predict_proba(X[:20])
    order = np.argsort(-P, axis=1, kind="stable")[:, :4]
    labels, probabilities = fitted.predict_top(X[:20], 4)
    np.testing.assert_allclose(probabilities, np.take_along_axis(P, order, axis=1), rtol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(P, labels, axis=1), probabilities, rtol=1e-5)
    np.testing.assert_array_equal(fitted.predict(X[:20]), labels[:, 0])


@pytest.mark.parametrize("threshold", [1e-4, 0.002, 0.9, 1.0])
def test_sparse_probabilities_are_those_above_the_threshold(fitted, threshold):
    P = fitted.predict_proba(X[:20]).astype(np.float64)
    found = fitted.predict_sparse(X[:20], threshold).toarray()
    near = np.abs(P - threshold) < 1e-6 * threshold  # rounding decides
    np.testing.assert_allclose(found[~near], np.where(threshold <= P, P, 0)[~near], rtol=1e-5)
    assert fitted.predict_sparse(X[:1], threshold).shape == (1, K)


def test_several_networks_and_a_calibration_are_taken_by_tiles_of_classes():
    networks = [Network([4, 3, 5000], random_state=seed) for seed in range(3)]
    calibration = Calibration(2.5, RNG.normal(size=5000))
    model = Model(networks, np.arange(5000), weights=[0.2, 0.5, 0.3], calibration=calibration)
    rows = X[:600].astype(np.float64)
    P = model.predict_proba(rows)
    labels, probabilities = model.predict_top(rows, 3)
    np.testing.assert_array_equal(labels, np.argsort(-P, axis=1, kind="stable")[:, :3])
    np.testing.assert_allclose(probabilities, np.take_along_axis(P, labels, axis=1), rtol=1e-12)
    np.testing.assert_allclose(model.predict_sparse(rows, 1e-3).toarray(), np.where(P >= 1e-3, P, 0), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(rows), P.argmax(axis=1))


def test_scores_of_many_classes_are_those_of_all_probabilities():
    network, engine, y = Network([4, 3, 5000], random_state=1), best_engine(), RNG.integers(0, 5000, 300)
    rows, weight = X[:300].astype(np.float64), RNG.uniform(size=300)
    P = network.predictions(rows)
    soft = csr_matrix((np.tile([0.7, 0.3], 300), np.c_[y, (y + 7) % 5000].ravel(), np.arange(0, 601, 2)), (300, 5000))
    for target, Q in ((y, np.eye(5000)[y]), (soft, soft.toarray())):
        found = score(network, engine, Data(rows, target, weight))
        np.testing.assert_allclose(found.log_loss, np.average(-(Q * np.log(P)).sum(axis=1), weights=weight), rtol=1e-10)
        right = P.argmax(axis=1) == Q.argmax(axis=1)
        np.testing.assert_allclose(found.accuracy, np.average(right, weights=weight), rtol=1e-12)


def test_top_5_accuracy_is_scikit_learns():
    rows, y = X[:300], Y[:300] % 12
    classifier = many(early_stopping=True, scoring="top_5_accuracy", max_iter=2)
    classifier.fit(rows, y, X_val=rows, y_val=y)
    expected = top_k_accuracy_score(y, classifier.predict_proba(rows), k=5)
    assert max(classifier.validation_scores_) == pytest.approx(expected)


def test_metrics_of_the_most_probable_class_are_those_of_all_logits():
    model = Model([Network([4, 5000], random_state=seed) for seed in range(2)], np.arange(5000))
    rows, y, weight = X[:200].astype(np.float64), RNG.integers(0, 5000, 200), RNG.uniform(size=200)
    y[:50] = model.predict(rows[:50])
    some, all_classes = RunningMetrics(5000), RunningMetrics(5000)
    some.add_top(model.likely().summary(rows, 1, y), y, weight)
    all_classes.add(model.logits(rows), y, weight)
    for name in ("log_loss", "accuracy", "balanced_accuracy", "brier_score", "calibration_error"):
        assert getattr(some.metrics(), name) == pytest.approx(getattr(all_classes.metrics(), name), rel=1e-9)
    assert some.metrics().confused == all_classes.metrics().confused
    assert sum(some.metrics().confused.values()) == (model.predict(rows) != y).sum()


def test_sparse_soft_labels_are_those_of_the_dense_matrix():
    Q = RNG.dirichlet(np.full(5, 0.3), 200) * (RNG.uniform(size=(200, 5)) < 0.6) + np.eye(5)[Y[:200] % 5] * 0.1
    Q /= Q.sum(axis=1, keepdims=True)
    for options in ({}, {"class_weight": "balanced"}, {"early_stopping": True}, {"class_weight": {0: 2.0}}):
        dense, sparse = (many(**options, max_iter=3).fit(X[:200], y) for y in (Q, csr_matrix(Q)))
        np.testing.assert_allclose(sparse.network_.theta, dense.network_.theta, rtol=0, atol=1e-6)
        assert sparse.score(X[:200], csr_matrix(Q)) == dense.score(X[:200], Q)


def test_sparse_rows_of_one_class_are_its_index():
    one_hot = csr_matrix((np.ones(200), (np.arange(200), Y[:200] % 5)), (200, 5))
    by_rows, by_index = many(output="softmax").fit(X[:200], one_hot), many().fit(X[:200], Y[:200] % 5)
    np.testing.assert_array_equal(by_rows.network_.theta, by_index.network_.theta)


def test_a_matrix_without_room_is_one_clear_error(fitted, monkeypatch):
    monkeypatch.setattr("glassmax.memory.available_memory", lambda: 10**8)
    message = (
        "A matrix of 2000 rows and 50000 classes needs 400 MB of memory, but only 100 MB is available. "
        "predict_top returns the most probable classes of each row and needs no such matrix."
    )
    for method in (fitted.predict_proba, fitted.predict_log_proba, fitted.decision_function):
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            method(X)
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        fitted.to_model().predict_proba(X)
    assert fitted.predict(X).shape == (N,)


def test_training_without_room_is_refused_before_it_begins(monkeypatch):
    monkeypatch.setattr("glassmax.memory.available_memory", lambda: 10**6)
    with pytest.raises(
        DataError, match=r"^Training this network needs 2\.4 MB of memory, but only 1\.0 MB is available\."
    ):
        many().fit(X, Y, classes=np.arange(K))


def test_training_that_may_have_no_room_is_warned_of(monkeypatch):
    for module in ("glassmax.memory", "glassmax.estimator.cost"):
        monkeypatch.setattr(f"{module}.available_memory", lambda: 10**7)
    cost = cost_of(many(), inputs=4, classes=K, rows=N)
    with pytest.warns(UserWarning, match=r"^Training this network needs up to 130 MB of memory beside the rows"):
        check_cost(cost)


def test_the_cost_counts_weights_moments_and_products():
    cost = estimate((64, 32, 100_000), 10_000, batch_size=250, early_stopping=True)
    p = 64 * 32 + 32 + 32 * 100_000 + 100_000
    assert (cost.parameters, cost.optimizer, cost.best_parameters) == (4 * p, 8 * p, 4 * p)
    assert cost.steps == 40
    assert cost.flops == 10_000 * (6 * (64 * 32 + 32 * 100_000) - 2 * 64 * 32)
    assert cost.work < 2**28
    beyond = estimate((64, 1_000_000), 10_000, batch_size=250)  # the logits of a batch are computed twice
    assert beyond.flops == 10_000 * 6 * 64 * 1_000_000
    little = cost_of(many(memory_limit=16_000_000), inputs=4, classes=K, rows=N)
    assert cost_of(many(), inputs=4, classes=K, rows=N).work - little.work == 112_000_000
    assert little.flops > cost_of(many(), inputs=4, classes=K, rows=N).flops  # 256 x 50,000 logits are 51 MB
    assert estimate((64, 1_000_000), 10_000, lbfgs=True).optimizer > 20 * 8 * 65_000_000


def test_a_class_of_one_row_is_never_held_out_of_many():
    y = np.concatenate([np.arange(30_000), np.repeat(np.arange(30_000, 30_100), 40)])
    kept, held = holdout(y, 0.1, np.random.RandomState(0))
    assert len(held) == 500  # of each of the 100 larger classes 4 rows, and one more
    assert set(y[kept]) == set(y.tolist())
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held])), np.arange(len(y)))


def test_early_stopping_keeps_one_copy_of_the_weights():
    network = Network([2, 3])
    stopping = EarlyStopping(network, 0.0, 2)
    memory = stopping.best_theta
    network.theta = np.arange(9.0)
    stopping.should_stop(1.0)
    assert stopping.best_theta is memory
    np.testing.assert_array_equal(memory, np.arange(9.0))


def test_messages_name_a_few_of_many_classes(fitted):
    with pytest.raises(ValueError, match=r"the classes \[0, 1, 2, 3, 4, \.\.\.\], 50000 in all\. A network"):
        many(warm_start=True).partial_fit(X, Y, classes=np.arange(K)).partial_fit(X, Y - 1)


@pytest.fixture(scope="module")
def table():
    names = [f"item {i}" for i in (*range(400), *np.repeat(np.arange(400, 420), 30))]
    return gm.table.table_from({"a": RNG.normal(size=1000), "b": RNG.normal(size=1000), "item": names})


def labels_of(table):
    return list(table.columns["item"])


def test_rare_classes_of_a_table_are_put_together_and_noted(table):
    classifier = TableClassifier(network=many(), min_count=2, random_state=0).fit(table, "item")
    assert len(classifier.classes_) == 21
    notes = [worded(note.text) for note in classifier.notes_]
    assert notes[0].startswith("400 of 420 classes of item have 1 row and were put into the class 'other': item 0,")
    labels, probabilities = classifier.predict_top(table, 2)
    assert labels.shape == probabilities.shape == (1000, 2)
    assert 0 < classifier.score(table, "item") <= 1
    assert classifier.to_model().record["other_label"] == "other"
    P = classifier.predict_proba(table)
    np.testing.assert_allclose(classifier.predict_sparse(table, 0.1).toarray(), np.where(P >= 0.1, P, 0), rtol=1e-9)


@pytest.mark.parametrize("other", [-1, "-1"], ids=["number", "text"])
def test_rare_numbers_of_a_table_are_scored_as_the_other_label(other):
    X, y = {"a": np.sin(np.arange(40.0))}, np.concatenate([np.arange(38) % 2, [7, 8]])
    network = SoftmaxClassifier((2,), max_iter=1, tol=1e9)
    classifier = TableClassifier(network=network, min_count=2, other_label=other, held_out=0.0, random_state=0)
    classifier.fit(pl.DataFrame(X), y)
    assert classifier.classes_.tolist() == [-1, 0, 1]
    right = classifier.predict(pl.DataFrame(X)) == np.where(y > 1, -1, y)
    assert classifier.score(pl.DataFrame(X), y) == right.mean()


def test_a_preset_without_room_for_its_logits_is_refused(table, monkeypatch):
    monkeypatch.setattr("glassmax.memory.available_memory", lambda: 10**6)
    message = (
        "A preset keeps a logit for each row and class, and for 1000 rows and 420 classes it needs 5.0 MB of memory, "
        "but only 1.0 MB is available. Pass network=SoftmaxClassifier(...) to train one network, which keeps no "
        "logits, or min_count to put rare classes together."
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        TableClassifier("fast").fit(table, labels_of(table))


PEAK = """
import numpy as np, glassmax as gm, sys, warnings
warnings.simplefilter("ignore")
def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))
rng, path = np.random.default_rng(0), sys.argv[1]
X, y, classes = rng.normal(size=(600, 16)).astype(np.float32), rng.integers(0, 100, 600), np.arange(1_000_000)
def classifier(**options):
    return gm.SoftmaxClassifier((16,), max_iter=2, batch_size=256, early_stopping=True, random_state=0, **options)
classifier().fit(X, y).save(path)
gm.load_model(path).predict_top(X)
before = status("VmRSS")
fitted = classifier(checkpoint_path=path + ".checkpoint").fit(X, y, classes=classes)
fitted.score(X, y), fitted.predict_top(X), fitted.predict_sparse(X, 0.1), fitted.save(path)
theta = fitted.network_.theta.nbytes
print((status("VmHWM") - before - 4 * theta) / 1e6)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_million_classes_take_130_megabytes_beside_the_weights(tmp_path):
    """Beside weights, two moments and the best weights; and 32 bytes for the label of each class."""
    ran = subprocess.run([sys.executable, "-c", PEAK, str(tmp_path / "m")], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 130 + 32


@pytest.mark.parametrize(
    ("options", "y", "message"),
    [
        (
            {"scoring": "auc", "early_stopping": True},
            Y,
            "scoring is 'auc', expected a score for 50,000 classes: auc takes fewer than 4,096, because it needs the "
            "probability of each class for each row. Pass scoring='top_5_accuracy', or put rare classes together with "
            "min_count.",
        ),
        (
            {"scoring": "top_50001_accuracy", "early_stopping": True},
            Y,
            "scoring is 'top_50001_accuracy', expected another score: top-50001 accuracy needs 50001 classes or more.",
        ),
        (
            {},
            [{1, 2}, *Y[1:].tolist()],
            "y holds sets of labels, and there are 50,000 classes, expected fewer than 4,096: sets take a number for "
            "each row and class. Give each row one label, or soft labels as a sparse matrix.",
        ),
    ],
)
def test_what_takes_a_number_for_each_row_and_class_is_refused_before_the_training(options, y, message, peak):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        many(**options).fit(X, y, classes=np.arange(K))
    assert peak() < LITTLE


def test_sets_in_a_table_of_very_many_classes_are_refused(peak):
    table = {"x": X[:, 0], "y": [f"{i}|{i + 1}" for i in range(N)]}
    table = {name: np.tile(cells, 3) for name, cells in table.items()}
    table["y"] = np.array([f"{i % 5000}|{i % 5000 + 1}" for i in range(3 * N)])
    classifier = TableClassifier(network=many(), candidates="|", random_state=0)
    with pytest.raises(ValueError, match=r"^y holds sets of labels, and there are 5,001 classes, expected fewer than"):
        classifier.fit(table, "y")


@pytest.mark.parametrize("count", [128, 129, 2000])
def test_many_of_the_most_probable_classes_are_the_same_by_tiles_and_by_rows(count):
    network = Network([4, 8, 5000], random_state=1)
    network.parameters["W2"][...] *= 20
    top = best_engine().top_classes(network, X[:9], count, Y[:9])
    P = network.forward(X[:9]).P
    np.testing.assert_array_equal(top.labels, np.argsort(-P, axis=1, kind="stable")[:, :count])
    np.testing.assert_allclose(top.probabilities, -np.sort(-P, axis=1)[:, :count], rtol=1e-9)
    np.testing.assert_allclose(top.losses, -np.log(P[np.arange(9), Y[:9]]), rtol=1e-9)
