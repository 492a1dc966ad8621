"""Every option of SoftmaxClassifier trains and predicts natively: nothing goes a slow way round without a word.

The reference engine and the forward pass of `Network` are made to fail; what still works doesn't need them.
"""

import inspect

import numpy as np
import pytest
from scipy import sparse

from glassmax import Network, SoftmaxClassifier, load_model
from glassmax.embedding import Categories, Periodic, PiecewiseLinear
from glassmax.engine import ReferenceEngine, best_engine, reference
from glassmax.functional import ACTIVATIONS
from glassmax.initializers import SCHEMES
from glassmax.optimizers import SCHEDULES
from tests.engine.test_native import NativeEngine
from tests.estimator.iris import IRIS, SPECIES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOFT = 0.7 * np.eye(3)[SPECIES] + 0.1
SEVERAL = np.c_[SPECIES > 0, SPECIES > 1, IRIS[:, 0] > 0].astype(int)
CANDIDATES = np.array([{int(y), (i + y) % 3} for i, y in enumerate(SPECIES)], object)
WEIGHTS = np.arange(150) % 4 / 2.0

SLOW = [
    *[(ReferenceEngine, name) for name in ("epoch", "loss_and_gradient", "logits", "probabilities", "_batch")],
    (reference, "take_step"),
    *[(Network, name) for name in ("forward", "predictions", "loss", "loss_and_gradients", "backward", "step")],
]


@pytest.fixture(autouse=True)
def _no_slow_way(monkeypatch):
    if not isinstance(best_engine(), NativeEngine):
        pytest.skip("GLASSMAX_ENGINE demands the reference")

    def refuse(*_, **__):
        raise AssertionError("this is the slow way")

    for owner, name in SLOW:
        assert callable(getattr(owner, name))
        monkeypatch.setattr(owner, name, refuse)


def test_the_slow_way_is_barred():
    network = Network((4, 3))
    with pytest.raises(AssertionError, match="slow"):
        ReferenceEngine().logits(network, IRIS)
    with pytest.raises(AssertionError, match="slow"):
        network.predictions(IRIS)


OPTIONS = {
    "hidden_layer_sizes": [(), (1,), (7, 5, 3)],
    "activation": [*ACTIVATIONS, "logistic"],
    "solver": ["adam", "adamw", "sgd", "lbfgs"],
    "alpha": [0.0, 1.0],
    "batch_size": [1, 7, 1000],
    "learning_rate": SCHEDULES,
    "learning_rate_init": [0.1],
    "power_t": [1.0],
    "shuffle": [False],
    "warm_start": [True],
    "momentum": [0.0],
    "nesterovs_momentum": [False],
    "early_stopping": [True],
    "beta_1": [0.5],
    "beta_2": [0.5],
    "epsilon": [1e-3],
    "loss": ["squared_error", "candidate_cross_entropy"],
    "output": ["softmax"],
    "class_weight": ["balanced", {0: 3.0}],
    "label_smoothing": [0.1],
    "dropout": [0.5, (0.25,)],
    "weight_decay": [0.1],
    "clip_norm": [0.01],
    "warmup": [0.5],
    "step_every": [1],
    "parametrization": ["ntk"],
    "bias_rate": [0.1],
    "input_scale_rate": [6.0],
    "embedding": ["periodic", "piecewise_linear", [Periodic([0, 1]), PiecewiseLinear(bins=3), Categories(2, 4, 2)]],
    "mixup": [0.3],
    "mixup_share": [1.0],
    "init": SCHEMES,
    "scoring": ["log_loss", "accuracy", "balanced_accuracy", "f1", "auc", "top_2_accuracy", "neg_log_loss"],
    "n_threads": [1, 2],
    "memory_limit": [16_000_000],
    "z_loss": [0.01],
    "softcap": [5.0],
    "softmax_temperature": [0.5],
    "output_bias": [False],
    "class_embeddings": [np.eye(3, 6)],
    "min_count": [2],
    "other_label": [-1],
    "verbose": [True],
    "checkpoint_path": ["run.checkpoint"],
}
NEEDS = {
    "power_t": {"learning_rate": "invscaling"},
    "momentum": {"solver": "sgd"},
    "nesterovs_momentum": {"solver": "sgd"},
    "step_every": {"learning_rate": "step"},
    "mixup_share": {"mixup": 0.3},
    "scoring": {"early_stopping": True},
    "min_count": {"other_label": -1},
    "other_label": {"min_count": 2},
    "learning_rate": {"solver": "sgd"},
}
NO_ARITHMETIC = {"max_iter", "random_state", "tol", "validation_fraction", "n_iter_no_change", "max_fun", "step_factor"}
DATA = {
    "float64": (IRIS, SPECIES),
    "float32": (IRIS.astype(np.float32), SPECIES),
    "integers": (IRIS.round().astype(int), SPECIES),
    "Fortran order": (np.asfortranarray(IRIS), SPECIES),
    "sparse": (sparse.csr_array(IRIS * (IRIS > 0)), SPECIES),
    "sparse columns": (sparse.csc_matrix(IRIS * (IRIS > 0)), SPECIES),
    "text": (IRIS, np.array(["a", "b", "c"])[SPECIES]),
    "two classes": (IRIS[:100], SPECIES[:100]),
    "soft labels": (IRIS, SOFT),
    "several labels": (IRIS, SEVERAL),
    "candidates": (IRIS, CANDIDATES),
    "several labels, sparse": (sparse.csr_array(IRIS * (IRIS > 0)).astype(np.float32), SEVERAL),
}


def use(classifier, X, y, w=None):
    """Fit, and ask for everything there is to be asked."""
    classifier.fit(X, y, w)
    hard = SPECIES if y is CANDIDATES else y if y.ndim == 1 or set(np.unique(y)) == {0, 1} else y.argmax(axis=1)
    assert np.isfinite(classifier.loss_)
    assert len(classifier.predict(X)) == X.shape[0]
    for rows in (X, X[:1]):
        assert np.isfinite(classifier.predict_proba(rows)).all()
        assert np.isfinite(classifier.predict_log_proba(rows)).all()
        assert classifier.decision_function(rows).shape[0] == rows.shape[0]
    assert 0 <= classifier.score(X, hard) <= 1
    return classifier


def small(**options):
    return SoftmaxClassifier(**{"hidden_layer_sizes": (6,), "max_iter": 3, "random_state": 0, **options})


@pytest.mark.filterwarnings("ignore:learning_rate=.*is for solver='sgd'")
@pytest.mark.parametrize(("name", "value"), [(name, value) for name in OPTIONS for value in OPTIONS[name]], ids=str)
def test_every_option_runs_natively(name, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {**NEEDS.get(name, {}), name: value}
    use(small(**options), IRIS, SPECIES)
    if not options.keys() & {"solver", "checkpoint_path"}:
        use(small(**options, solver="sgd"), IRIS.astype(np.float32), SPECIES, WEIGHTS)


def test_no_option_is_left_out():
    assert {*OPTIONS, *NO_ARITHMETIC} == {*inspect.signature(SoftmaxClassifier).parameters}


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("early_stopping", [False, True], ids=["", "stopped early"])
@pytest.mark.parametrize("name", DATA)
def test_data_of_every_kind_are_trained_on_natively(name, early_stopping, weights, solver, tmp_path):
    X, y = DATA[name]
    w = None if weights is None else weights[: X.shape[0]]
    classifier = use(small(solver=solver, early_stopping=early_stopping), X, y, w)
    path = tmp_path / "model.safetensors"
    classifier.save(path)
    model = load_model(path)
    np.testing.assert_array_equal(model.predict_proba(X), classifier.predict_proba(X))
    np.testing.assert_array_equal(model.predict(X), classifier.predict(X))


def test_batches_given_one_after_another_are_trained_on_natively():
    classifier = small()
    for part in np.array_split(np.random.default_rng(0).permutation(150), 4):
        classifier.partial_fit(IRIS[part], SPECIES[part], classes=[0, 1, 2])
    assert len(classifier.loss_curve_) == 4
