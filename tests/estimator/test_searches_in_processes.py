"""Cross-validation and searches in two processes: weights, labels and inputs in the forms in which they come there."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from glassmax import SoftmaxClassifier, TableClassifier
from tests.estimator.iris import IRIS, NAMES, RAW, assert_same_bits

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COLUMNS = ["sepal length", "sepal width", "petal length", "petal width"]
GOOD = SoftmaxClassifier((8,), learning_rate_init=0.05, max_iter=12, random_state=0)
LINEAR = SoftmaxClassifier((), solver="lbfgs", max_iter=15, random_state=0)
COUNTS = np.arange(len(NAMES)) % 4
GRID = {"alpha": [0.1, 0.001]}


def scores(classifier, X, y, n_jobs=2, **more):
    return cross_val_score(classifier, X, y, cv=3, n_jobs=n_jobs, error_score="raise", **more)


def searched(classifier, X, y, grid=GRID, n_jobs=2, **fitted):
    return GridSearchCV(classifier, grid, cv=3, n_jobs=n_jobs, error_score="raise").fit(X, y, **fitted)


# weights that count


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool", "list", "series"])
@pytest.mark.parametrize("classifier", [GOOD, LINEAR], ids=["adam", "lbfgs"])
def test_integer_weights_are_numbers(classifier, dtype):
    counts = COUNTS > 0 if dtype == "bool" else COUNTS
    given = {"list": counts.tolist(), "series": pd.Series(counts)}.get(dtype)
    given = counts.astype(dtype) if given is None else given
    expected = scores(classifier, IRIS, NAMES, n_jobs=1, params={"sample_weight": counts.astype(float)})
    np.testing.assert_array_equal(scores(classifier, IRIS, NAMES, params={"sample_weight": given}), expected)
    search = searched(classifier, IRIS, NAMES, sample_weight=given)
    fitted = search.best_estimator_
    again = SoftmaxClassifier(**fitted.get_params()).fit(IRIS, NAMES, sample_weight=counts.astype(float))
    assert_same_bits(fitted, again)


def test_integer_weights_count_rows_and_are_not_changed():
    """So that a test of weights that are ignored could not pass."""
    given = COUNTS.copy()
    weighted = searched(LINEAR, IRIS, NAMES, sample_weight=given).best_estimator_
    np.testing.assert_array_equal(given, COUNTS)
    repeated = SoftmaxClassifier(**weighted.get_params()).fit(IRIS.repeat(COUNTS, axis=0), NAMES.repeat(COUNTS))
    unweighted = SoftmaxClassifier(**weighted.get_params()).fit(IRIS, NAMES)
    P, Q, R = (each.predict_proba(IRIS) for each in (weighted, repeated, unweighted))
    np.testing.assert_allclose(P, Q, atol=5e-3)
    assert np.abs(P - R).max() > 0.02


# labels of a column of categories

UNUSED = ["rose", "virginica", "setosa", "tulip", "versicolor"]
CATEGORIES = {
    "categorical": pd.Categorical(NAMES, categories=UNUSED),
    "ordered": pd.Categorical(NAMES, categories=UNUSED, ordered=True),
    "series": pd.Series(pd.Categorical(NAMES, categories=UNUSED), index=np.arange(len(NAMES))[::-1]),
    "numbers": pd.Series(pd.Categorical(COUNTS % 3, categories=[7, 2, 0, 1])),
}


@pytest.mark.parametrize("name", CATEGORIES)
@pytest.mark.parametrize("splits", [3, KFold(3, shuffle=True, random_state=0)], ids=["stratified", "shuffled"])
def test_categories_that_no_row_has_are_no_classes(name, splits):
    y = CATEGORIES[name]
    plain = np.asarray(y)
    options = {"error_score": "raise", "scoring": "neg_log_loss", "cv": splits}
    expected = cross_val_score(GOOD, IRIS, plain, **options)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(cross_val_score(GOOD, IRIS, y, n_jobs=2, **options), expected)
    search = searched(GOOD, IRIS, y)
    assert search.classes_.tolist() == sorted({*plain.tolist()})
    assert {*search.predict(IRIS).tolist()} <= {*plain.tolist()}
    assert search.predict_proba(IRIS).shape == (len(y), 3)


def test_a_fold_without_a_class_learns_the_others():
    """Unshuffled, each fold holds the rows of one class: the category is there, and no row has it."""
    order = np.argsort(NAMES, kind="stable")
    y = pd.Series(CATEGORIES["categorical"][order])
    predicted = cross_val_predict(GOOD, IRIS[order], y, cv=KFold(3), n_jobs=2)
    assert {*predicted.tolist()} <= {*NAMES.tolist()}
    assert not (predicted == np.asarray(y)).any()


# inputs that can't be written to


@pytest.fixture(params=["float64", "float32"])
def mapped(request, tmp_path):
    """X and y as read-only memory maps, as joblib hands large arrays to its processes."""
    np.save(tmp_path / "X.npy", IRIS.astype(request.param))
    np.save(tmp_path / "y.npy", COUNTS % 3)
    before = (tmp_path / "X.npy").read_bytes()
    X, y = (np.load(tmp_path / name, mmap_mode="r") for name in ("X.npy", "y.npy"))
    assert not X.flags.writeable
    yield X, y
    assert (tmp_path / "X.npy").read_bytes() == before


@pytest.mark.parametrize(
    "options",
    [{}, {"early_stopping": True}, {"solver": "lbfgs"}, {"dropout": 0.2}, {"shuffle": False}, {"batch_size": 7}],
    ids=str,
)
def test_a_read_only_memory_map_is_read(mapped, options):
    X, y = mapped
    classifier = SoftmaxClassifier(**GOOD.get_params() | options)
    expected = scores(classifier, np.array(X), np.array(y), n_jobs=1)
    np.testing.assert_array_equal(scores(classifier, X, y), expected)
    fitted = searched(classifier, X, y, {"alpha": [0.01]}).best_estimator_
    assert_same_bits(fitted, SoftmaxClassifier(**fitted.get_params()).fit(np.array(X), np.array(y)))


def test_arrays_that_joblib_maps_itself_are_read():
    """Above a megabyte joblib hands an array on as a read-only memory map."""
    X = np.tile(IRIS, (300, 1))
    y = np.tile(NAMES, 300)
    assert X.nbytes > 2**20
    classifier = SoftmaxClassifier((4,), max_iter=1, random_state=0)
    options = {"cv": 2, "params": {"sample_weight": np.ones(len(y), int)}}
    expected = cross_val_score(classifier, X, y, **options)
    np.testing.assert_array_equal(cross_val_score(classifier, X, y, n_jobs=2, **options), expected)


# pipelines whose steps output frames


@pytest.mark.parametrize("frames", ["pandas", "polars"])
def test_a_pipeline_of_frames_scores_like_one_of_arrays(frames):
    steps = StandardScaler(), QuantileTransformer(n_quantiles=30)
    plain = make_pipeline(*(step.__class__(**step.get_params()) for step in steps), GOOD)
    pipeline = make_pipeline(*(step.set_output(transform=frames) for step in steps), GOOD)
    X, y = pd.DataFrame(RAW, columns=COLUMNS), CATEGORIES["series"]
    np.testing.assert_array_equal(scores(pipeline, X, y), scores(plain, RAW, NAMES, n_jobs=1))
    grid = {f"softmaxclassifier__{name}": values for name, values in GRID.items()}
    search = searched(pipeline, X, y, grid, softmaxclassifier__sample_weight=COUNTS)
    last = search.best_estimator_[-1]
    assert last.feature_names_in_.tolist() == COLUMNS
    assert search.predict_proba(X).shape == (len(X), 3)
    other = searched(plain, RAW, NAMES, grid, n_jobs=1, softmaxclassifier__sample_weight=COUNTS.astype(float))
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"])


@pytest.mark.parametrize("frames", ["pandas", "polars", "default"])
def test_columns_of_a_frame_are_transformed_apart(frames):
    X = pd.DataFrame(RAW, columns=COLUMNS).assign(place=np.array(["hill", "shore", "wood"])[COUNTS % 3])
    parts = make_column_transformer((OneHotEncoder(sparse_output=False), ["place"]), (StandardScaler(), COLUMNS))
    pipeline = make_pipeline(parts.set_output(transform=frames), GOOD)
    arrays = make_column_transformer(("passthrough", [0, 1, 2]), (StandardScaler(), [3, 4, 5, 6]))
    expected = scores(make_pipeline(arrays, GOOD), np.column_stack([np.eye(3)[COUNTS % 3], RAW]), NAMES, n_jobs=1)
    np.testing.assert_array_equal(scores(pipeline, X, CATEGORIES["categorical"]), expected)


def test_a_classifier_of_tables_goes_through_processes_too(tmp_path):
    X = pd.DataFrame(RAW[:, 2:], columns=COLUMNS[2:])
    classifier = TableClassifier(preset="fast", time_limit=5, random_state=0)
    y = CATEGORIES["series"].reset_index(drop=True)
    assert cross_val_score(classifier, X, y, cv=2, n_jobs=2, params={"sample_weight": COUNTS + 1}).min() > 0.9
    np.save(tmp_path / "X.npy", RAW)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert cross_val_score(classifier, mapped, y, cv=2, n_jobs=2, error_score="raise").min() > 0.9
