"""SoftmaxClassifier among scikit-learn's tools, with its callbacks, and as a model that is saved and gone on with."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_validate
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr, get_tags

import glassmax.estimator
from glassmax import SoftmaxClassifier, load_model
from glassmax.embedding import PiecewiseLinear
from glassmax.engine import ReferenceEngine
from glassmax.errors import DivergenceError
from tests.estimator.iris import IRIS, NAMES, RAW, SEVERAL, SOFT, SPECIES, W, assert_same_bits, small

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COLUMNS = ["sepal length", "sepal width", "petal length", "petal width"]

GOOD = SoftmaxClassifier((8,), learning_rate_init=0.05, max_iter=25, random_state=0)


# searches, ensembles and pipelines


def test_a_grid_search_goes_over_its_own_parameters():
    grid = {"solver": ["adamw", "lbfgs"], "hidden_layer_sizes": [(), (4, 4)], "init": ["mlp", "auto"]}
    search = GridSearchCV(GOOD, grid, cv=2, scoring="neg_log_loss").fit(IRIS, NAMES)
    assert len(search.cv_results_["params"]) == 8
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert_same_bits(search.best_estimator_, clone(GOOD).set_params(**search.best_params_).fit(IRIS, NAMES))


def test_cross_validation_gives_scores_and_estimators():
    scoring = ["accuracy", "neg_log_loss", "roc_auc_ovr", "f1_macro"]
    result = cross_validate(GOOD, IRIS, NAMES, cv=3, scoring=scoring, return_estimator=True, return_train_score=True)
    for name in scoring:
        assert result[f"test_{name}"].shape == (3,)
    assert result["test_accuracy"].min() > 0.9
    assert [estimator.n_iter_ for estimator in result["estimator"]] == [25, 25, 25]
    P = cross_val_predict(GOOD, IRIS, NAMES, cv=3, method="predict_proba")
    assert accuracy_score(NAMES, np.unique(NAMES)[P.argmax(axis=1)]) > 0.9


def test_cross_validation_takes_several_labels():
    folds = KFold(3, shuffle=True, random_state=0)
    result = cross_validate(GOOD, IRIS, SEVERAL, cv=folds, scoring=["f1_macro", "roc_auc"])
    assert result["test_f1_macro"].min() > 0.9
    assert result["test_roc_auc"].min() > 0.9


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration_keeps_the_classes_and_takes_weights(method):
    calibrated = CalibratedClassifierCV(GOOD, method=method, cv=2).fit(IRIS, NAMES, sample_weight=W)
    assert calibrated.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert calibrated.score(IRIS, NAMES) > 0.9


def test_a_soft_vote_is_the_mean_of_the_probabilities():
    members = [("one", clone(GOOD)), ("other", clone(GOOD).set_params(random_state=1))]
    vote = VotingClassifier(members, voting="soft").fit(IRIS, SPECIES)
    expected = np.mean([member.predict_proba(IRIS) for member in vote.estimators_], axis=0)
    np.testing.assert_allclose(vote.predict_proba(IRIS), expected, rtol=1e-12)
    assert vote.score(IRIS, SPECIES) > 0.95


def test_a_stack_learns_from_its_probabilities():
    members = [("wide", clone(GOOD)), ("line", clone(GOOD).set_params(hidden_layer_sizes=()))]
    stack = StackingClassifier(members, final_estimator=LogisticRegression(), cv=2).fit(IRIS, NAMES)
    assert stack.final_estimator_.n_features_in_ == 6
    assert stack.score(IRIS, NAMES) > 0.95


def test_boosting_reweighs_its_rows():
    X, y = make_classification(200, flip_y=0.2, random_state=0)
    boosted = AdaBoostClassifier(small(max_iter=3, learning_rate_init=0.02), n_estimators=3, random_state=0).fit(X, y)
    first, second, *_ = boosted.estimators_
    assert not np.allclose(first.network_.theta, second.network_.theta)
    assert boosted.score(X, y) > 0.7


def test_bagging_in_two_processes_is_bagging_in_one():
    bags = [BaggingClassifier(GOOD, n_estimators=2, n_jobs=n, random_state=0).fit(IRIS, NAMES) for n in (1, 2)]
    for one, other in zip(*(bag.estimators_ for bag in bags), strict=True):
        np.testing.assert_allclose(one.network_.theta, other.network_.theta, rtol=0, atol=1e-9)
    assert bags[1].score(IRIS, NAMES) > 0.9


@pytest.mark.parametrize("frames", ["pandas", "polars", "default"])
def test_a_pipeline_hands_over_frames(frames):
    pd = pytest.importorskip("pandas")
    pipeline = make_pipeline(StandardScaler().set_output(transform=frames), clone(GOOD))
    X = pd.DataFrame(RAW, columns=COLUMNS)
    if frames == "polars":
        X = pytest.importorskip("polars").from_pandas(X)
    pipeline.fit(X, NAMES)
    assert pipeline.score(X, NAMES) > 0.95
    assert (list(getattr(pipeline[-1], "feature_names_in_", [])) == COLUMNS) == (frames != "default")
    plain = make_pipeline(StandardScaler(), clone(GOOD)).fit(RAW, NAMES)
    np.testing.assert_allclose(pipeline.predict_proba(X), plain.predict_proba(RAW), rtol=0, atol=1e-9)


@pytest.mark.parametrize("meta", [OneVsRestClassifier, OneVsOneClassifier])
def test_classes_one_against_the_others(meta):
    assert meta(GOOD).fit(IRIS, NAMES).score(IRIS, NAMES) > 0.9


def test_several_outputs_are_a_classifier_each():
    outputs = MultiOutputClassifier(GOOD).fit(IRIS, SEVERAL)
    assert [estimator.out_activation_ for estimator in outputs.estimators_] == ["softmax"] * 4
    assert (outputs.predict(IRIS) == SEVERAL).mean() > 0.95
    chain = ClassifierChain(GOOD, order=[3, 1, 0, 2]).fit(IRIS, SEVERAL)
    assert [estimator.n_features_in_ for estimator in chain.estimators_] == [4, 5, 6, 7]
    assert (chain.predict(IRIS) == SEVERAL).mean() > 0.95


# metadata routing


@pytest.fixture
def _routing():
    with config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("_routing")
def test_a_routed_grid_search_hands_on_weights():
    grid, weighted = {"alpha": [0.001]}, small().set_fit_request(sample_weight=True)
    search = GridSearchCV(weighted.set_score_request(sample_weight=True), grid, cv=2).fit(IRIS, NAMES, sample_weight=W)
    assert_same_bits(search.best_estimator_, small(alpha=0.001).fit(IRIS, NAMES, W))
    ignored = small().set_fit_request(sample_weight=False).set_score_request(sample_weight=True)
    ignoring = GridSearchCV(ignored, grid, cv=2).fit(IRIS, NAMES, sample_weight=W)
    assert_same_bits(ignoring.best_estimator_, small(alpha=0.001).fit(IRIS, NAMES))


@pytest.mark.usefixtures("_routing")
def test_a_routed_pipeline_hands_on_weights():
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipeline = make_pipeline(scaler, small().set_fit_request(sample_weight=True)).fit(RAW, NAMES, sample_weight=W)
    assert_same_bits(pipeline[-1], small().fit(StandardScaler().fit_transform(RAW), NAMES, W))


@pytest.mark.usefixtures("_routing")
def test_validation_rows_are_routed():
    requested = small().set_fit_request(X_val=True, y_val=True, sample_weight_val=True)
    rows = {"X_val": IRIS[:70], "y_val": NAMES[:70], "sample_weight_val": W[:70]}
    search = GridSearchCV(requested, {"alpha": [0.001]}, cv=2).fit(IRIS, NAMES, **rows)
    expected = small(alpha=0.001).fit(IRIS, NAMES, **rows)
    assert search.best_estimator_.validation_loss_curve_ == expected.validation_loss_curve_


@pytest.mark.usefixtures("_routing")
def test_partial_fit_can_be_asked_for_weights():
    request = SoftmaxClassifier().set_partial_fit_request(sample_weight=True, classes=True).get_metadata_routing()
    assert request.partial_fit.requests == {"sample_weight": True, "classes": True}


@pytest.mark.usefixtures("_routing")
@pytest.mark.parametrize("scoring", ["f1", "neg_log_loss", "f1_macro"])
def test_scores_are_the_same_with_routing(scoring):
    rows = {"X_val": IRIS, "y_val": SPECIES, "sample_weight_val": W}
    routed = small(scoring=scoring, early_stopping=True).fit(IRIS, SPECIES, **rows)
    with config_context(enable_metadata_routing=False):
        plain = small(scoring=scoring, early_stopping=True).fit(IRIS, SPECIES, **rows)
    np.testing.assert_allclose(routed.validation_scores_, plain.validation_scores_, rtol=1e-12)


# what it says of itself


def test_its_tags_tell_what_it_takes():
    tags = get_tags(SoftmaxClassifier())
    assert is_classifier(SoftmaxClassifier())
    assert tags.input_tags.sparse
    assert tags.classifier_tags.multi_class
    assert tags.classifier_tags.multi_label
    assert not get_tags(SoftmaxClassifier(output="softmax")).classifier_tags.multi_label
    assert not get_tags(SoftmaxClassifier(class_weight="balanced")).classifier_tags.multi_label


def test_its_html_shows_what_was_changed():
    classifier = SoftmaxClassifier((17, 5), dropout=0.25, scoring="auc")
    for fitted in (False, True):
        if fitted:
            classifier.set_params(max_iter=1).fit(IRIS, SPECIES)
        for html in (classifier._repr_html_(), estimator_html_repr(classifier)):
            for text in ("SoftmaxClassifier", "(17, 5)", "dropout", "0.25", "auc"):
                assert text in html
    assert "SoftmaxClassifier" in estimator_html_repr(make_pipeline(StandardScaler(), classifier))


def test_its_repr_shows_what_was_changed_and_nothing_else():
    assert repr(SoftmaxClassifier()) == "SoftmaxClassifier()"
    assert repr(SoftmaxClassifier((3,), clip_norm=1.0)) == "SoftmaxClassifier(clip_norm=1.0, hidden_layer_sizes=(3,))"


CHANGES = {
    "hidden_layer_sizes": [4, 3],
    "activation": ["tanh", "gelu"],
    "solver": "adamw",
    "dropout": (0.1, 0.2),
    "class_weight": {"setosa": 2.0},
    "scoring": accuracy_score,
    "n_iter_no_change": np.inf,
    "random_state": np.random.RandomState(0),
}


def test_parameters_come_back_as_they_were_given():
    classifier = SoftmaxClassifier()
    defaults = classifier.get_params()
    assert classifier.set_params(**CHANGES) is classifier
    assert classifier.get_params() == defaults | CHANGES
    for name, value in CHANGES.items():
        assert getattr(classifier, name) is value
    assert SoftmaxClassifier(**classifier.get_params()).get_params() == classifier.get_params()
    with pytest.raises(ValueError, match="Invalid parameter 'dropuot'"):
        classifier.set_params(dropuot=0.1)


def test_a_clone_is_unfitted_and_has_the_same_parameters():
    original = small(**CHANGES | {"scoring": "f1"}).fit(IRIS, NAMES)
    parameters = original.get_params()
    cloned = clone(original)
    seeds = parameters.pop("random_state"), cloned.get_params()["random_state"]
    assert {name: cloned.get_params()[name] for name in parameters} == parameters
    assert seeds[0] is not seeds[1]
    assert [name for name in vars(cloned) if name.endswith("_") and not name.startswith("_")] == []
    assert not hasattr(cloned, "coefs_")


@pytest.mark.parametrize("change", [{}, {"dropout": 0.3}, {"early_stopping": True}, {"solver": "lbfgs"}], ids=str)
@pytest.mark.parametrize("y", [NAMES, SOFT, SEVERAL], ids=["classes", "soft", "several"])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))], ids=["deepcopy", "pickle"])
def test_a_copy_predicts_and_goes_on_as_the_original(copied, y, change):
    original = small(warm_start=True, batch_size=40, **change).fit(IRIS, y)
    other = copied(original)
    np.testing.assert_array_equal(other.predict_proba(IRIS), original.predict_proba(IRIS))
    assert other.loss_curve_ == original.loss_curve_
    assert not np.shares_memory(other.network_.theta, original.network_.theta)
    assert_same_bits(other.fit(IRIS, y), original.fit(IRIS, y))


# callbacks


@pytest.fixture
def callbacks():
    return pytest.importorskip("sklearn.callback")


class Recorder:
    """A callback that writes down every call, and stops after a given epoch."""

    def __init__(self, stop_after=None):
        self.calls, self.estimators, self.given, self.stop_after = [], [], [], stop_after

    def names(self, *hooks):
        return [(hook, task) for hook, task in self.calls if not hooks or hook in hooks]

    def setup(self, estimator, context):
        self.calls.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        self.calls.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        self.calls.append(("end", context.task_name))
        self.given.append((X, y, metadata))
        if context.task_name == "epoch":
            self.estimators.append(fitted_estimator)
        return context.task_name == "epoch" and len(self.estimators) == self.stop_after


class Travelling(Recorder):
    """One that meta-estimators hand on."""

    max_propagation_depth = None


EPOCH = [("begin", "epoch"), ("end", "epoch")]


def whole_fit(epochs):
    return [("setup", "fit"), ("begin", "fit"), *EPOCH * epochs, ("end", "fit"), ("teardown", "fit")]


@pytest.mark.usefixtures("callbacks")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"early_stopping": True},
        {"tol": 1e3, "n_iter_no_change": 1},
        {"solver": "lbfgs"},
        {"solver": "lbfgs", "max_iter": 1},
        {"solver": "lbfgs", "max_iter": 500, "hidden_layer_sizes": (), "alpha": 10.0},
    ],
    ids=str,
)
def test_every_begin_of_a_fit_and_of_its_epochs_has_an_end(options):
    recorder = Recorder()
    classifier = small(**options).set_callbacks(recorder).fit(IRIS, NAMES)
    assert recorder.calls == whole_fit(classifier.n_iter_)


@pytest.mark.usefixtures("callbacks")
def test_callbacks_don_t_change_the_training():
    assert_same_bits(small().set_callbacks(Recorder()).fit(IRIS, NAMES), small().fit(IRIS, NAMES))


@pytest.mark.usefixtures("callbacks")
def test_a_callback_is_given_the_data():
    recorder = Recorder()
    small().set_callbacks(recorder).fit(IRIS, NAMES, W)
    for X, y, metadata in recorder.given:
        assert X is IRIS
        assert y is NAMES
        assert metadata["sample_weight"] is W


@pytest.mark.usefixtures("callbacks")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("y", [NAMES, SOFT, SEVERAL], ids=["classes", "soft", "several"])
def test_a_callback_is_given_a_classifier_of_each_epoch(y, solver):
    recorder, followed = Recorder(), small(solver=solver)
    small(solver=solver).set_callbacks(recorder).fit(IRIS, y)
    expected = [followed.predict_proba(IRIS) for _ in followed.fit_epochs(IRIS, y)]
    assert len(expected) == len(recorder.estimators) == 4
    for estimator, P in zip(recorder.estimators, expected, strict=True):
        np.testing.assert_array_equal(estimator.predict_proba(IRIS), P)


@pytest.mark.usefixtures("callbacks")
@pytest.mark.parametrize("options", [{}, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
def test_a_callback_can_stop_the_training(options):
    recorder = Recorder(stop_after=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier = small(max_iter=50, **options).set_callbacks(recorder).fit(IRIS, NAMES)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 2
    assert recorder.calls == whole_fit(2)
    assert_same_bits(classifier, small(max_iter=2, **options).fit(IRIS, NAMES))


class Broken(ReferenceEngine):
    """An engine that fails in its second epoch."""

    def __init__(self, error):
        super().__init__()
        self.error, self.epochs = error, 0

    def epoch(self, *arguments, **options):
        self.epochs += 1
        if self.epochs == 2:
            raise self.error
        return super().epoch(*arguments, **options)


@pytest.mark.usefixtures("callbacks")
@pytest.mark.parametrize("error", [DivergenceError("too far"), RuntimeError("broken")], ids=repr)
def test_a_fit_that_raises_is_torn_down_once(monkeypatch, error):
    monkeypatch.setattr(glassmax.estimator.classifier, "best_engine", lambda *_: Broken(error))
    recorder = Recorder()
    with pytest.raises(type(error)):
        small().set_callbacks(recorder).fit(IRIS, NAMES)
    assert recorder.names("setup", "teardown") == [("setup", "fit"), ("teardown", "fit")]
    assert recorder.names("begin", "end")[:3] == [("begin", "fit"), *EPOCH]


@pytest.mark.usefixtures("callbacks")
def test_a_fit_that_is_interrupted_ends_what_it_began(monkeypatch):
    monkeypatch.setattr(glassmax.estimator.classifier, "best_engine", lambda *_: Broken(KeyboardInterrupt()))
    recorder = Recorder()
    with pytest.warns(UserWarning, match="interrupted"):
        small().set_callbacks(recorder).fit(IRIS, NAMES)
    assert recorder.names("setup", "teardown") == [("setup", "fit"), ("teardown", "fit")]
    assert len(recorder.names("begin")) == len(recorder.names("end"))


@pytest.mark.usefixtures("callbacks")
def test_data_that_are_refused_set_nothing_up():
    recorder = Recorder()
    with pytest.raises(ValueError, match="contains NaN"):
        small().set_callbacks(recorder).fit(np.full((150, 4), np.nan), NAMES)
    assert recorder.names("setup") == [] == recorder.names("teardown")


@pytest.mark.usefixtures("callbacks")
def test_the_stream_of_epochs_and_partial_fit_call_nobody():
    recorder = Recorder()
    for _ in small().set_callbacks(recorder).fit_epochs(IRIS, NAMES):
        pass
    small().set_callbacks(recorder).partial_fit(IRIS, NAMES, classes=np.unique(NAMES))
    assert recorder.calls == []


@pytest.mark.parametrize("options", [{}, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
def test_a_scoring_monitor_logs_one_score_an_epoch(callbacks, options):
    monitor, followed = callbacks.ScoringMonitor(scoring="accuracy"), small(**options)
    classifier = small(**options).set_callbacks(monitor).fit(IRIS, NAMES)
    log = [entry["accuracy"] for entry in monitor.get_logs().data if entry["task_name"] == "epoch"]
    expected = [accuracy_score(NAMES, followed.predict(IRIS)) for _ in followed.fit_epochs(IRIS, NAMES)]
    assert len(log) == classifier.n_iter_
    assert log == expected


def test_a_scoring_monitor_logs_one_score_an_epoch_of_lbfgs_that_converges(callbacks):
    monitor = callbacks.ScoringMonitor(scoring="neg_log_loss")
    classifier = SoftmaxClassifier((), solver="lbfgs", alpha=10.0).set_callbacks(monitor).fit(IRIS, NAMES)
    log = [entry for entry in monitor.get_logs().data if entry["task_name"] == "epoch"]
    assert len(log) == classifier.n_iter_ < 200


@pytest.mark.parametrize("options", [{}, {"solver": "lbfgs"}, {"tol": 1e3, "n_iter_no_change": 1}], ids=str)
def test_a_progress_bar_ends_at_all(callbacks, capsys, options):
    small(**options).set_callbacks(callbacks.ProgressBar()).fit(IRIS, NAMES)
    shown = capsys.readouterr().out
    assert "SoftmaxClassifier - fit" in shown
    assert "100%" in shown


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_grid_search_hands_its_callbacks_on(callbacks, solver):
    recorder, grid = Travelling(), {"alpha": [0.1, 0.2]}
    assert isinstance(recorder, callbacks.AutoPropagatedCallback)
    search = GridSearchCV(small(solver=solver, max_iter=3), grid, cv=2).set_callbacks(recorder).fit(IRIS, NAMES)
    assert search.best_estimator_.n_iter_ == 3
    assert [hook for hook, _ in recorder.names("setup", "teardown")] == ["setup", "teardown"]
    assert recorder.calls.count(("begin", "epoch")) == recorder.calls.count(("end", "epoch")) == 5 * 3
    assert len(recorder.names("begin")) == len(recorder.names("end"))


def test_a_grid_search_monitors_every_epoch_of_every_fit(callbacks):
    monitor = callbacks.ScoringMonitor(scoring="accuracy")
    search = GridSearchCV(small(max_iter=3).set_callbacks(monitor), {"alpha": [0.1, 0.2]}, cv=2).fit(IRIS, NAMES)
    data = [entry for log in monitor.get_logs(select="all") for entry in log.data if entry["task_name"] == "epoch"]
    assert len(data) == 5 * 3
    assert search.best_estimator_.n_iter_ == 3


def test_a_progress_bar_goes_over_a_grid_search(callbacks, capsys):
    bar = callbacks.ProgressBar(max_propagation_depth=None)
    GridSearchCV(small(), {"alpha": [0.1, 0.2]}, cv=2).set_callbacks(bar).fit(IRIS, NAMES)
    assert "SoftmaxClassifier - fit" in capsys.readouterr().out


# saved, loaded, gone on with


KEPT = {
    "classes": (NAMES, {}),
    "two classes": (SPECIES == 2, {"hidden_layer_sizes": ()}),
    "several labels": (SEVERAL, {"activation": "silu"}),
    "soft labels": (SOFT, {"label_smoothing": 0.1}),
    "an activation each": (NAMES, {"hidden_layer_sizes": (5, 4), "activation": ["tanh", "gelu"]}),
    "squared error": (NAMES, {"loss": "squared_error"}),
    "squared error of labels": (SEVERAL, {"loss": "squared_error"}),
    "lbfgs": (NAMES, {"solver": "lbfgs"}),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("y", "options"), KEPT.values(), ids=KEPT)
def test_a_saved_classifier_comes_back_with_every_bit(tmp_path, y, options, dtype):
    X, path = IRIS.astype(dtype), tmp_path / "kept.safetensors"
    classifier = small(**options).fit(X, y)
    classifier.save(path)
    model = load_model(path)
    again = SoftmaxClassifier.from_model(model)
    assert_same_bits(again, classifier)
    assert again.network_.theta.dtype == dtype
    assert repr(again.network_) == repr(classifier.network_)
    assert again.classes_.tolist() == classifier.classes_.tolist()
    for one in (model, again):
        np.testing.assert_array_equal(one.predict_proba(X), classifier.predict_proba(X))
        np.testing.assert_array_equal(one.predict(X), classifier.predict(X))
    for method in ("decision_function", "predict_log_proba"):
        np.testing.assert_array_equal(getattr(again, method)(X), getattr(classifier, method)(X))
    assert again.score(X, y) == classifier.score(X, y)
    assert again.get_params()["loss"] == classifier.loss


@pytest.mark.parametrize(("y", "options"), KEPT.values(), ids=KEPT)
def test_a_model_is_gone_on_with_by_fit_and_by_partial_fit(y, options):
    model = small(**options).fit(IRIS, y).to_model()
    before = model.network.theta.copy()
    given = {"warm_start": True, "max_iter": 5, "random_state": 0, "learning_rate_init": 0.01}
    given["label_smoothing"] = options.get("label_smoothing", 0.0)
    classifier = SoftmaxClassifier.from_model(model, **given).fit(IRIS, y)
    assert classifier.loss_curve_[-1] < classifier.loss_curve_[0]
    assert classifier.n_iter_ == 5
    model.network.theta = before
    classifier = SoftmaxClassifier.from_model(model, **given)
    for _ in range(5):
        classifier.partial_fit(IRIS, y)
    assert classifier.n_iter_ == 5
    assert classifier.loss_curve_[-1] < classifier.loss_curve_[0]


@pytest.mark.parametrize("options", [{"solver": "lbfgs"}, {"early_stopping": True}, {"dropout": 0.2}], ids=str)
def test_a_model_is_gone_on_with_by_other_means(options):
    model = small().fit(IRIS, NAMES).to_model()
    start = model.network.loss(IRIS, SPECIES)
    SoftmaxClassifier.from_model(model, warm_start=True, max_iter=5, random_state=0, **options).fit(IRIS, NAMES)
    assert model.network.loss(IRIS, SPECIES) < start


def test_without_a_warm_start_fit_leaves_the_model_behind():
    model = small().fit(IRIS, NAMES).to_model()
    before = model.network.theta.copy()
    again = SoftmaxClassifier.from_model(model, max_iter=3, random_state=5).fit(IRIS, NAMES)
    np.testing.assert_array_equal(model.network.theta, before)
    assert_same_bits(again, small(max_iter=3, random_state=5).fit(IRIS, NAMES))


def test_the_network_is_live():
    classifier = small().fit(IRIS, NAMES)
    assert np.shares_memory(classifier.network_.parameters["W1"], classifier.coefs_[0])
    np.testing.assert_array_equal(classifier.network_.parameters["b2"], classifier.intercepts_[1])
    np.testing.assert_allclose(classifier.network_.predictions(IRIS), classifier.predict_proba(IRIS), rtol=1e-12)
    classifier.network_.parameters["b2"] = [0.0, 1e6, 0.0]
    assert set(classifier.predict(IRIS)) == {"versicolor"}


# gradients


GRADIENTS = {
    "plain": (NAMES, {}),
    "dropout": (NAMES, {"dropout": 0.5}),
    "dropout in one of two layers": (NAMES, {"hidden_layer_sizes": (6, 5), "dropout": [0.0, 0.4]}),
    "smoothing": (NAMES, {"label_smoothing": 0.2}),
    "mixup": (NAMES, {"mixup": 0.4, "label_smoothing": 0.1}),
    "mixup, several labels": (SEVERAL, {"mixup": 0.4, "dropout": 0.2}),
    "a scale of the inputs": (NAMES, {"input_scale_rate": 6.0}),
    "periodic": (NAMES, {"embedding": "periodic", "mixup": 0.4}),
    "bins": (NAMES, {"embedding": PiecewiseLinear(bins=3), "alpha": 20.0}),
    "class weights": (NAMES, {"class_weight": {"setosa": 5.0, "virginica": 0.1}}),
    "balanced": (NAMES, {"class_weight": "balanced"}),
    "penalty": (NAMES, {"alpha": 20.0}),
    "several labels": (SEVERAL, {"label_smoothing": 0.1, "dropout": 0.2}),
    "soft labels": (SOFT, {"class_weight": {0: 3.0, 1: 1.0, 2: 0.5}}),
    "squared error": (SOFT, {"loss": "squared_error", "dropout": 0.3}),
    "relu": (NAMES, {"activation": "relu"}),
    "no hidden layer": (NAMES, {"hidden_layer_sizes": ()}),
}


@pytest.mark.parametrize("X", [IRIS, sp.csr_array(IRIS), IRIS.astype("f4")], ids=["dense", "sparse", "float32"])
@pytest.mark.parametrize(("y", "options"), GRADIENTS.values(), ids=GRADIENTS)
def test_the_gradients_of_a_fit_are_correct(y, options, X):
    report = small(**{"activation": "tanh", **options}).fit(X, y).check_gradients(X, y, W)
    assert report.correct, str(report)


@pytest.mark.parametrize("X", [IRIS, sp.csr_array(IRIS)], ids=["dense", "sparse"])
@pytest.mark.parametrize(("y", "options"), GRADIENTS.values(), ids=GRADIENTS)
def test_a_gradient_norm_is_the_length_of_a_rows_own_gradient(y, options, X):
    classifier = small(**options).fit(X, y)
    share, k = options.get("label_smoothing", 0.0), len(classifier.classes_)
    Y = np.eye(3)[SPECIES] if y is NAMES else y
    Y = (1 - share) * Y + share * (0.5 if y is SEVERAL else 1 / k)
    rows = [classifier.network_.loss_and_gradients(IRIS[[i]], Y[[i]], l2=0.0)[1].flat for i in range(150)]
    norms = classifier.gradient_norms(X, y)
    assert norms.dtype == "float64"
    np.testing.assert_allclose(norms, np.linalg.norm(rows, axis=1), rtol=1e-10)


def test_the_longest_gradients_are_those_of_flipped_labels():
    X, y = make_classification(600, 10, n_informative=6, class_sep=3.0, flip_y=0, random_state=1)
    flipped = np.random.default_rng(0).choice(600, 20, replace=False)
    noisy = y.copy()
    noisy[flipped] = 1 - noisy[flipped]
    classifier = SoftmaxClassifier((10,), learning_rate_init=0.01, max_iter=15, random_state=0).fit(X, noisy)
    suspects = np.argsort(classifier.gradient_norms(X, noisy))[-20:]
    assert len(set(suspects) & set(flipped)) >= 16
