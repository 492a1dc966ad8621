"""Weights so small that sums of them would lose their digits: scaled, so that only their ratios count."""

import json

import numpy as np
import polars as pl
import pytest

from glassmax import SoftmaxClassifier, TableClassifier
from glassmax.estimator.labels import scaled_weights
from tests.cli.test_cli import call

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
Y = np.where(X[:, 0] + 0.5 * RANDOM.normal(size=60) > 0, "yes", "no")
RATIOS = RANDOM.integers(1, 4, 60).astype(float)
SCALES = [1e-300, 5e-324, 1e-40]


def fitted(X=X, **fit):
    options = {"max_iter": 5, "learning_rate_init": 0.05, "random_state": 0} | fit.pop("of_class", {})
    return SoftmaxClassifier((4,), **options).fit(X, Y, **fit)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_tiny_sample_weights_train_as_their_ratios(dtype, scale):
    tiny = fitted(X.astype(dtype), sample_weight=RATIOS * scale)
    plain = fitted(X.astype(dtype), sample_weight=RATIOS / 3)
    for name, value in plain.network_.parameters.items():
        np.testing.assert_allclose(tiny.network_.parameters[name], value, rtol=1e-6)
    uniform = fitted(X.astype(dtype))
    assert not np.allclose(tiny.network_.parameters["W1"], uniform.network_.parameters["W1"], rtol=1e-3)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("weights", ["none", "ones", "tiny"])
def test_tiny_class_weights_train_as_their_ratios(scale, weights):
    sample = {"none": None, "ones": np.ones(60), "tiny": np.full(60, scale)}[weights]
    tiny = fitted(of_class={"class_weight": {"no": scale, "yes": 3 * scale}}, sample_weight=sample)
    plain = fitted(of_class={"class_weight": {"no": 1 / 3, "yes": 1.0}})
    for name, value in plain.network_.parameters.items():
        np.testing.assert_allclose(tiny.network_.parameters[name], value, rtol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_one_tiny_weight_among_others_is_as_good_as_none(scale):
    weight = np.r_[scale, np.ones(59)]
    none = fitted(sample_weight=np.r_[0, np.ones(59)])
    np.testing.assert_allclose(fitted(sample_weight=weight).network_.theta, none.network_.theta, rtol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("given", ["array", "column"])
def test_a_table_of_tiny_weights_trains_as_their_ratios(scale, given):
    def fitted(weight):
        columns = {"a": X[:, 0], "b": X[:, 1], "y": Y, "w": weight}
        frame = pl.DataFrame(columns if given == "column" else {name: columns[name] for name in "aby"})
        classifier = TableClassifier("fast", random_state=0)
        return classifier.fit(frame, "y", sample_weight="w" if given == "column" else weight), frame

    tiny, frame = fitted(RATIOS * scale)
    plain, _ = fitted(RATIOS / 3)
    np.testing.assert_allclose(tiny.predict_proba(frame), plain.predict_proba(frame), atol=1e-6)


@pytest.mark.parametrize("scale", ["1e-300", "5e-324", "1e-40"])
def test_the_command_line_trains_with_tiny_weights(monkeypatch, capsys, tmp_path, scale):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{a:.4f},{b:.4f},{y},{scale}\n" for (a, b, _), y in zip(X, Y, strict=True))
    (tmp_path / "t.csv").write_text("a,b,y,w\n" + rows)
    train = ("train", "t.csv", "--target", "y", "--hidden", "4", "--epochs", "3", "--json")
    tiny = call(monkeypatch, capsys, *train, "--weight", "w", "-o", "tiny")
    assert (tiny.code, "Traceback" in tiny.err) == (0, False)
    (tmp_path / "t.csv").write_text("a,b,y,w\n" + rows.replace(scale, "1"))
    plain = call(monkeypatch, capsys, *train, "--weight", "w", "-o", "plain")
    assert json.loads(tiny.out)["log_loss"] == json.loads(plain.out)["log_loss"]


def test_weights_are_scaled_only_if_all_are_tiny():
    np.testing.assert_array_equal(scaled_weights(np.array([0.0, 5e-324, 1e-323])), [0, 0.5, 1])
    for kept in ([1e-300, 1.0], [2e-20, 0.0], [0.0, 0.0], []):
        np.testing.assert_array_equal(scaled_weights(np.array(kept)), kept)
