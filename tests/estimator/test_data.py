"""What SoftmaxClassifier makes of data: weights and copies, sparse and dense, frames and arrays, labels of any kind."""

import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import xlogy
from sklearn.metrics import log_loss

from glassmax.errors import LabelError
from glassmax.functional.arrays import weighted_sum
from tests.estimator.iris import IRIS, NAMES, RAW, SEEN, SEVERAL, SOFT, SPECIES, UNSEEN, W, assert_same_bits, small

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COLUMNS = ["sepal length", "sepal width", "petal length", "petal width"]


def assert_close(one, other, tolerance=1e-9):
    np.testing.assert_allclose(one.network_.theta, other.network_.theta, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=tolerance)


# weights, copies, and the same again


KINDS = ["classes", "soft", "several"]
SOLVERS = ["sgd", "adam", "adamw", "lbfgs"]


def labels_of(kind, n, k, draw):
    """Draw n labels: class numbers, rows of probabilities, or rows of 0 and 1."""
    if kind == "classes":
        return draw.integers(k, size=n)
    return draw.dirichlet(np.ones(k), n) if kind == "soft" else draw.integers(2, size=(n, k))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@settings(max_examples=6)
@given(
    seed=st.integers(0, 2**32 - 1),
    counts=st.lists(st.integers(0, 3), min_size=8, max_size=40).filter(lambda counts: sum(counts) > 0),
    d=st.integers(1, 6),
    k=st.integers(2, 5),
    alpha=st.sampled_from([0.0, 0.001, 2.0]),
    smoothing=st.sampled_from([0.0, 0.2]),
)
def test_whole_batches_take_a_weight_for_a_count(solver, kind, loss, seed, counts, d, k, alpha, smoothing):
    draw, n = np.random.default_rng(seed), len(counts)
    X, y, counts = draw.standard_normal((n, d)), labels_of(kind, n, k, draw), np.array(counts)
    options = {"activation": "tanh", "batch_size": 1000, "solver": solver, "loss": loss, "learning_rate_init": 0.02}
    options |= {"output": "sigmoid" if kind == "several" else "softmax"}
    options |= {"alpha": alpha, "label_smoothing": smoothing}
    weighted = small(**options).fit(X, y, counts, classes=range(k))
    copied = small(**options).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts, axis=0), classes=range(k))
    assert_close(weighted, copied)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_row_of_weight_0_may_hold_anything(solver):
    X = np.where((SPECIES == 1)[:, None], 1e8, IRIS)
    options = {"solver": solver, "batch_size": 1000, "alpha": 0.1, "hidden_layer_sizes": (6,), "activation": "tanh"}
    weighted = small(**options).fit(X, SPECIES, (SPECIES != 1).astype(float))
    without = small(**options).fit(IRIS[SPECIES != 1], SPECIES[SPECIES != 1], classes=[0, 1, 2])
    assert_close(weighted, without)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("y", [NAMES, SOFT], ids=["classes", "soft"])
def test_class_weights_are_sample_weights(solver, y):
    of_class, classes = {"setosa": 0.5, "versicolor": 0.0, "virginica": 3.0}, np.unique(NAMES)
    w = np.array([0.5, 0.0, 3.0])
    options = {"solver": solver, "batch_size": 32, "label_smoothing": 0.1}
    by_class = small(class_weight=of_class, **options).fit(IRIS, y, W, classes=classes)
    by_row = small(**options).fit(IRIS, y, (w[SPECIES] if y is NAMES else weighted_sum(w, SOFT.T)) * W, classes=classes)
    assert_same_bits(by_class, by_row)
    assert by_class.loss_curve_ == by_row.loss_curve_


@pytest.mark.parametrize("y", [NAMES, SOFT, SEVERAL], ids=KINDS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dropout": 0.4, "batch_size": 20},
        {"early_stopping": True, "scoring": "f1"},
        {"solver": "lbfgs", "early_stopping": True},
        {"solver": "adamw", "learning_rate": "one_cycle", "clip_norm": 0.1},
        {"solver": "sgd", "learning_rate": "adaptive", "init": "auto", "loss": "squared_error"},
    ],
    ids=str,
)
def test_fitting_again_gives_the_same_bits(options, y):
    classifier = small(**options).fit(IRIS, y, W)
    before = classifier.network_.theta.copy()
    curves = classifier.loss_curve_, classifier.validation_scores_, classifier.validation_loss_curve_
    classifier.fit(IRIS, y, W)
    np.testing.assert_array_equal(classifier.network_.theta, before)
    assert (classifier.loss_curve_, classifier.validation_scores_, classifier.validation_loss_curve_) == curves


@pytest.mark.parametrize("y", [NAMES, SOFT, SEVERAL], ids=KINDS)
def test_fit_leaves_the_data_as_they_were(y):
    given = IRIS.copy(), y.copy(), W.copy()
    small(dropout=0.3, label_smoothing=0.1, early_stopping=True).fit(*given)
    for array, original in zip(given, (IRIS, y, W), strict=True):
        np.testing.assert_array_equal(array, original)


# sparse and dense


GAPPY = np.where(abs(IRIS) > 0.8, IRIS, 0.0)
FORMATS = [sp.csr_matrix, sp.csc_matrix, sp.csr_array, sp.csc_array, sp.coo_array, sp.lil_matrix]


@pytest.mark.parametrize("sparse", FORMATS, ids=lambda sparse: sparse.__name__)
@pytest.mark.parametrize("y", [NAMES, SOFT, SEVERAL], ids=KINDS)
def test_sparse_rows_are_dense_rows(sparse, y):
    S, options = sparse(GAPPY), {"batch_size": 40, "learning_rate_init": 0.01}
    one, other = small(**options).fit(S, y), small(**options).fit(GAPPY, y)
    assert_close(one, other)
    for method in ("predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_allclose(getattr(one, method)(S), getattr(other, method)(GAPPY), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(one.predict(S), other.predict(GAPPY))
    assert one.score(S, y) == other.score(GAPPY, y)
    np.testing.assert_allclose(one.gradient_norms(S, y), other.gradient_norms(GAPPY, y), rtol=1e-9)


TRAININGS = [
    {"solver": "sgd"},
    {"solver": "lbfgs"},
    {"solver": "adamw", "clip_norm": 0.1, "dropout": 0.3},
    {"early_stopping": True},
    {"early_stopping": True, "scoring": "auc", "validation_fraction": 0.3},
    {"hidden_layer_sizes": ()},
    {"class_weight": "balanced", "label_smoothing": 0.1},
]


@pytest.mark.parametrize("options", TRAININGS, ids=str)
@pytest.mark.parametrize("sparse", FORMATS[:4], ids=lambda sparse: sparse.__name__)
def test_training_on_sparse_rows_is_training_on_dense_rows(sparse, options):
    one, other = small(**options).fit(sparse(GAPPY), NAMES, W), small(**options).fit(GAPPY, NAMES, W)
    assert_close(one, other)
    if "early_stopping" in options:
        np.testing.assert_allclose(one.validation_scores_, other.validation_scores_, rtol=1e-9)
        np.testing.assert_allclose(one.validation_loss_curve_, other.validation_loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("sparse", FORMATS[:4], ids=lambda sparse: sparse.__name__)
def test_partial_fit_takes_sparse_rows(sparse):
    one, other = small(), small()
    for rows in (SEEN, UNSEEN):
        one.partial_fit(sparse(GAPPY)[rows], NAMES[rows], classes=np.unique(NAMES))
        other.partial_fit(GAPPY[rows], NAMES[rows], classes=np.unique(NAMES))
    assert_close(one, other)


def test_validation_rows_may_be_sparse_where_the_others_are_dense():
    one = small().fit(GAPPY[SEEN], NAMES[SEEN], X_val=sp.csc_array(GAPPY[UNSEEN]), y_val=NAMES[UNSEEN])
    other = small().fit(sp.csr_matrix(GAPPY[SEEN]), NAMES[SEEN], X_val=GAPPY[UNSEEN], y_val=NAMES[UNSEEN])
    assert_close(one, other)
    np.testing.assert_allclose(one.validation_loss_curve_, other.validation_loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("sparse", FORMATS[:4], ids=lambda sparse: sparse.__name__)
@pytest.mark.parametrize("y", [NAMES, SOFT, SEVERAL], ids=KINDS)
def test_the_gradients_of_sparse_rows_are_correct(sparse, y):
    S = sparse(GAPPY)
    assert small(activation="tanh").fit(S, y).check_gradients(S, y, W).correct


@pytest.mark.parametrize("sparse", FORMATS[:4], ids=lambda sparse: sparse.__name__)
def test_sparse_float32_stays_float32(sparse):
    S = sparse(GAPPY.astype("float32"))
    one, other = small().fit(S, NAMES), small().fit(GAPPY.astype("float32"), NAMES)
    assert one.network_.theta.dtype == one.predict_proba(S).dtype == "float32"
    assert_close(one, other, tolerance=1e-5)


@pytest.mark.parametrize("dtype", [bool, "int8", "int64"])
def test_sparse_counts_become_float64(dtype):
    counts = (abs(GAPPY) > 0).astype(dtype)
    one, other = small().fit(sp.csr_array(counts), NAMES), small().fit(counts.astype(float), NAMES)
    assert one.network_.theta.dtype == "float64"
    assert_close(one, other)


def test_sparse_rows_are_never_made_dense():
    n = d = 20_000
    draw = np.random.default_rng(0)
    rows = np.repeat(np.arange(n), 3)
    S = sp.csr_array((np.ones(3 * n), (rows, draw.integers(d, size=3 * n))), shape=(n, d))
    y = draw.integers(2, size=n)
    for options in ({"early_stopping": True}, {"solver": "lbfgs"}):
        tracemalloc.start()
        try:
            classifier = small(hidden_layer_sizes=(2,), max_iter=1, **options).fit(S, y)
            classifier.predict(S)
            classifier.score(S, y)
            classifier.gradient_norms(S, y)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 25e6


# dtypes and layouts


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("y", [NAMES, SOFT, SEVERAL], ids=KINDS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_floats_keep_their_width(dtype, y, solver):
    X, classifier = IRIS.astype(dtype), small(solver=solver, warm_start=True, label_smoothing=0.1)
    for _ in range(2):
        classifier.fit(X, y, W)
        arrays = [*classifier.coefs_, *classifier.intercepts_, classifier.predict_proba(X)]
        arrays += [classifier.predict_log_proba(X), classifier.decision_function(X)]
        assert {array.dtype for array in arrays} == {np.dtype(dtype)}


def test_partial_fit_keeps_float32():
    X = IRIS.astype("float32")
    classifier = small().partial_fit(X, NAMES, classes=np.unique(NAMES)).partial_fit(X, NAMES)
    assert classifier.network_.theta.dtype == classifier.predict_proba(X).dtype == "float32"


def test_training_in_float32_is_near_training_in_float64():
    assert_close(small().fit(IRIS.astype("float32"), NAMES), small().fit(IRIS, NAMES), tolerance=1e-3)


def test_a_warm_start_keeps_the_width_of_the_weights():
    classifier = small(warm_start=True).fit(IRIS, NAMES).fit(IRIS.astype("float32"), NAMES)
    assert classifier.network_.theta.dtype == "float64"


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64", "float16", "longdouble", object])
def test_other_numbers_become_float64(dtype):
    X = np.rint(RAW * 10).astype("int8")
    one, other = small().fit(X.astype(dtype), NAMES), small().fit(X.astype(float), NAMES)
    assert one.network_.theta.dtype == "float64"
    assert_same_bits(one, other)
    np.testing.assert_array_equal(one.predict(X.astype(dtype)), other.predict(X.astype(float)))


def test_booleans_are_0_and_1():
    assert_same_bits(small().fit(IRIS > 0, NAMES), small().fit((IRIS > 0).astype(float), NAMES))


def test_lists_are_arrays():
    assert_same_bits(small().fit(IRIS.tolist(), NAMES.tolist(), W.tolist()), small().fit(IRIS, NAMES, W))


def strided(X):
    wide = np.zeros((2 * X.shape[0], 3 * X.shape[1]), X.dtype)
    wide[::2, ::3] = X
    return wide[::2, ::3]


def reversed_twice(X):
    return np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]


def read_only(X):
    frozen = X.copy()
    frozen.setflags(write=False)
    return frozen


LAYOUTS = [np.asfortranarray, strided, reversed_twice, read_only]


WIDE = np.c_[IRIS, np.random.default_rng(3).standard_normal((150, 60))]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_layout_of_an_array_changes_no_bit_of_the_training(layout, solver, dtype):
    X, options = WIDE.astype(dtype), {"solver": solver, "batch_size": 40, "hidden_layer_sizes": ()}
    one, other = small(**options).fit(layout(X), NAMES, W), small(**options).fit(X, NAMES, W)
    assert_same_bits(one, other)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_layout_of_an_array_changes_no_bit_of_the_predictions(layout):
    classifier = small(hidden_layer_sizes=()).fit(WIDE, NAMES)
    np.testing.assert_array_equal(classifier.predict_proba(layout(WIDE)), classifier.predict_proba(WIDE))


@pytest.mark.parametrize("y", [SOFT, SEVERAL], ids=KINDS[1:])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_layout_of_a_matrix_y_changes_no_bit(layout, y):
    assert_same_bits(small(batch_size=40).fit(IRIS, layout(y)), small(batch_size=40).fit(IRIS, y))


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_a_memory_map_is_an_array(tmp_path, mode):
    np.save(tmp_path / "X.npy", IRIS)
    X = np.load(tmp_path / "X.npy", mmap_mode=mode)
    one, other = small().fit(X, NAMES), small().fit(IRIS, NAMES)
    assert_same_bits(one, other)
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(IRIS))
    np.testing.assert_array_equal(np.load(tmp_path / "X.npy"), IRIS)


# frames


def pandas_frame(X, columns=COLUMNS):
    return pd.DataFrame(X, columns=columns)


def polars_frame(X, columns=COLUMNS):
    return pl.DataFrame(dict(zip(columns, X.T, strict=True)))


def arrow_table(X, columns=COLUMNS):
    return pa.table(dict(zip(columns, X.T, strict=True)))


FRAMES = [pandas_frame, polars_frame, arrow_table]
each_frame = pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.__name__)


@each_frame
def test_a_frame_is_an_array_with_names(frame):
    one, other = small().fit(frame(IRIS), NAMES), small().fit(IRIS, NAMES)
    assert_close(one, other, tolerance=1e-12)
    assert one.feature_names_in_.tolist() == COLUMNS
    assert one.n_features_in_ == 4
    assert not hasattr(other, "feature_names_in_")
    for method in ("predict_proba", "predict_log_proba", "decision_function"):
        found = getattr(one, method)(frame(IRIS))
        np.testing.assert_allclose(found, getattr(other, method)(IRIS), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(one.predict(frame(IRIS)), other.predict(IRIS))
    assert one.score(frame(IRIS), NAMES) == other.score(IRIS, NAMES)
    np.testing.assert_allclose(one.gradient_norms(frame(IRIS), NAMES), other.gradient_norms(IRIS, NAMES))
    assert one.check_gradients(frame(IRIS), NAMES).correct


@each_frame
@pytest.mark.parametrize("options", [{"early_stopping": True, "scoring": "f1"}, {"solver": "lbfgs"}], ids=str)
def test_training_on_a_frame_is_training_on_its_array(frame, options):
    one, other = small(**options).fit(frame(IRIS), NAMES, W), small(**options).fit(IRIS, NAMES, W)
    assert_close(one, other)
    assert one.validation_scores_ == other.validation_scores_


@each_frame
def test_partial_fit_remembers_the_columns_of_a_frame(frame):
    classifier = small().partial_fit(frame(IRIS), NAMES, classes=np.unique(NAMES)).partial_fit(frame(IRIS), NAMES)
    assert classifier.feature_names_in_.tolist() == COLUMNS
    with pytest.raises(ValueError, match="feature names should match"):
        classifier.partial_fit(frame(IRIS, COLUMNS[::-1]), NAMES)


def mistaken(frame):
    """Return frames whose columns are not those of the fit, with what the error names."""
    return {
        "renamed": (frame(IRIS, [*COLUMNS[:3], "wingspan"]), "wingspan"),
        "reordered": (frame(IRIS, COLUMNS[::-1]), "must be in the same order"),
        "missing": (frame(IRIS[:, :3], COLUMNS[:3]), "petal width"),
        "one too many": (frame(np.c_[IRIS, IRIS[:, 0]], [*COLUMNS, "wingspan"]), "wingspan"),
    }


@each_frame
@pytest.mark.parametrize("mistake", ["renamed", "reordered", "missing", "one too many"])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "score", "gradient_norms"])
def test_other_columns_are_refused_by_name(frame, mistake, method):
    classifier, (X, named) = small().fit(frame(IRIS), NAMES), mistaken(frame)[mistake]
    arguments = (X, NAMES) if method in ("score", "gradient_norms") else (X,)
    with pytest.raises(ValueError, match=named):
        getattr(classifier, method)(*arguments)


@each_frame
def test_validation_rows_are_checked_by_name_too(frame):
    with pytest.raises(ValueError, match="must be in the same order"):
        small().fit(frame(IRIS), NAMES, X_val=frame(IRIS, COLUMNS[::-1]), y_val=NAMES)
    one = small().fit(frame(IRIS[SEEN]), NAMES[SEEN], X_val=frame(IRIS[UNSEEN]), y_val=NAMES[UNSEEN])
    other = small().fit(IRIS[SEEN], NAMES[SEEN], X_val=IRIS[UNSEEN], y_val=NAMES[UNSEEN])
    np.testing.assert_allclose(one.validation_loss_curve_, other.validation_loss_curve_, rtol=1e-12)


@each_frame
def test_a_frame_after_an_array_and_an_array_after_a_frame_are_warned_of(frame):
    with pytest.warns(UserWarning, match="X has feature names, but SoftmaxClassifier was fitted without"):
        small().fit(IRIS, NAMES).predict(frame(IRIS))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        small().fit(frame(IRIS), NAMES).predict(IRIS)


def test_a_refit_forgets_the_columns():
    classifier = small().fit(pandas_frame(IRIS), NAMES).fit(IRIS, NAMES)
    assert not hasattr(classifier, "feature_names_in_")
    assert classifier.fit(pandas_frame(IRIS, COLUMNS[::-1]), NAMES).feature_names_in_.tolist() == COLUMNS[::-1]


@pytest.mark.parametrize("dtype", ["Float64", "Float32", "Int64", "UInt8", "boolean", "double[pyarrow]"])
def test_nullable_columns_of_pandas_are_numbers(dtype):
    X = np.rint(RAW * (RAW > 2))
    X = (X > 0) if dtype == "boolean" else X
    frame = pandas_frame(X).astype(dtype)
    one, other = small().fit(frame, NAMES), small().fit(X.astype(float), NAMES)
    assert_close(one, other, tolerance=1e-4 if dtype == "Float32" else 1e-12)
    np.testing.assert_array_equal(one.predict(frame), other.predict(X.astype(float)))


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "boolean"])
def test_a_gap_in_a_nullable_column_is_refused(dtype):
    frame = pandas_frame(np.ones((150, 4))).astype(dtype)
    frame.iloc[3, 1] = pd.NA
    with pytest.raises(ValueError, match="contains NaN"):
        small().fit(frame, NAMES)


def test_columns_of_mixed_numbers_are_numbers():
    mixed = pd.DataFrame({"a": IRIS[:, 0], "b": (IRIS[:, 1] > 0), "c": np.arange(150), "d": IRIS[:, 3].astype("f4")})
    one, other = small().fit(mixed, NAMES), small().fit(mixed.to_numpy(float), NAMES)
    assert_close(one, other, tolerance=1e-12)
    assert_close(small().fit(pl.from_pandas(mixed), NAMES), other, tolerance=1e-12)


# y in columns and matrices of many makes


SERIES = {
    "pandas Series": pd.Series(NAMES),
    "with an index of its own": pd.Series(NAMES, index=np.arange(150)[::-1]),
    "pandas categorical": pd.Series(NAMES, dtype="category"),
    "with categories out of order": pd.Series(pd.Categorical(NAMES, ["virginica", "versicolor", "setosa", "rose"])),
    "pandas Categorical": pd.Categorical(NAMES),
    "pandas objects": pd.Series(NAMES, dtype=object),
    "polars Series": pl.Series(NAMES.tolist()),
    "polars categorical": pl.Series(NAMES.tolist(), dtype=pl.Categorical),
    "Arrow array": pa.array(NAMES.tolist()),
    "list": NAMES.tolist(),
}


@pytest.mark.parametrize("y", SERIES.values(), ids=SERIES)
def test_a_series_of_labels_is_an_array_of_labels(y):
    one, other = small(early_stopping=True).fit(IRIS, y), small(early_stopping=True).fit(IRIS, NAMES)
    assert_same_bits(one, other)
    assert one.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert one.predict(IRIS).tolist() == other.predict(IRIS).tolist()
    assert one.score(IRIS, y) == other.score(IRIS, NAMES)
    np.testing.assert_array_equal(one.gradient_norms(IRIS, y), other.gradient_norms(IRIS, NAMES))


NUMBERS = [
    pd.Series(SPECIES, dtype="Int64"),
    pl.Series(SPECIES),
    pd.Series(SPECIES, dtype="int8"),
    SPECIES.astype(float),
]


@pytest.mark.parametrize("y", NUMBERS, ids=lambda y: f"{type(y).__module__} {y.dtype}")
def test_numbers_for_labels_may_come_in_any_column(y):
    one = small().fit(IRIS, y)
    assert_same_bits(one, small().fit(IRIS, SPECIES))
    assert one.predict(IRIS).tolist() == small().fit(IRIS, SPECIES).predict(IRIS).tolist()


MATRICES = [sp.csr_matrix, sp.csc_matrix, sp.csr_array, sp.coo_array, pd.DataFrame, pl.DataFrame, np.ndarray.tolist]


@pytest.mark.parametrize(
    "matrix", MATRICES, ids=lambda matrix: str(getattr(matrix, "__module__", "")) + matrix.__name__
)
def test_several_labels_come_in_matrices_of_any_make(matrix):
    y, options = matrix(SEVERAL), {"early_stopping": True, "validation_fraction": 0.3}
    one, other = small(**options).fit(IRIS, y), small(**options).fit(IRIS, SEVERAL)
    assert_same_bits(one, other)
    assert one.score(IRIS, y) == other.score(IRIS, SEVERAL)
    np.testing.assert_array_equal(one.gradient_norms(IRIS, y), other.gradient_norms(IRIS, SEVERAL))
    partial = small().partial_fit(IRIS, y, classes=range(4))
    assert_same_bits(partial, small().partial_fit(IRIS, SEVERAL, classes=range(4)))
    judged = small().fit(IRIS[SEEN], SEVERAL[SEEN], X_val=IRIS, y_val=y)
    expected = small().fit(IRIS[SEEN], SEVERAL[SEEN], X_val=IRIS, y_val=SEVERAL)
    assert judged.validation_loss_curve_ == expected.validation_loss_curve_


@pytest.mark.parametrize("matrix", [pd.DataFrame, pl.DataFrame, np.ndarray.tolist, np.float32])
def test_soft_labels_come_in_matrices_of_any_make(matrix):
    one, other = small().fit(IRIS, matrix(SOFT)), small().fit(IRIS, SOFT)
    assert_close(one, other, tolerance=1e-5 if matrix is np.float32 else 1e-12)
    assert one.score(IRIS, matrix(SOFT)) == other.score(IRIS, SOFT)


# soft labels


def test_the_columns_of_soft_labels_stand_in_the_order_of_classes():
    names = ["virginica", "setosa", "versicolor"]
    named, plain = small(max_iter=30).fit(IRIS, SOFT, classes=names), small(max_iter=30).fit(IRIS, SOFT)
    assert_same_bits(named, plain)
    assert named.classes_.tolist() == names
    assert plain.classes_.tolist() == [0, 1, 2]
    assert named.predict(IRIS).tolist() == [names[c] for c in named.predict_proba(IRIS).argmax(axis=1)]


def test_columns_put_in_another_order_are_the_same_classes():
    options = {"hidden_layer_sizes": (), "solver": "lbfgs", "max_iter": 500, "tol": 1e-6, "alpha": 1.0}
    one = small(**options).fit(IRIS, SOFT, classes=["a", "b", "c"])
    other = small(**options).fit(IRIS, SOFT[:, [2, 0, 1]], classes=["c", "a", "b"])
    np.testing.assert_array_equal(one.predict(IRIS), other.predict(IRIS))
    np.testing.assert_allclose(one.predict_proba(IRIS), other.predict_proba(IRIS)[:, [1, 2, 0]], rtol=0, atol=1e-3)


def test_soft_labels_can_be_scored_by_names():
    names = np.array(["virginica", "setosa", "versicolor"])
    classifier = small(max_iter=30).fit(IRIS, SOFT, classes=names)
    assert classifier.score(IRIS, names[SOFT.argmax(axis=1)]) == classifier.score(IRIS, SOFT)
    found = (classifier.predict_proba(IRIS).argmax(axis=1) == SOFT.argmax(axis=1)).mean()
    assert classifier.score(IRIS, SOFT) == found


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"label_smoothing": 0.2}], ids=str)
def test_one_hot_rows_read_as_classes_are_labels(solver, loss, options):
    options = {"solver": solver, "loss": loss, "batch_size": 30, **options}
    one = small(output="softmax", **options).fit(IRIS, np.eye(3)[SPECIES], W)
    other = small(**options).fit(IRIS, SPECIES, W)
    assert_close(one, other, tolerance=1e-12)
    np.testing.assert_array_equal(one.predict(IRIS), other.predict(IRIS))


@pytest.mark.parametrize("dtype", [int, float, bool])
def test_one_hot_rows_that_nobody_has_explained_are_warned_of(dtype):
    with pytest.warns(UserWarning, match=r"^y is a matrix of 0 and 1 and is taken for several labels a row") as caught:
        classifier = small().fit(IRIS, np.eye(3, dtype=dtype)[SPECIES])
    assert len([warning for warning in caught if "matrix of 0 and 1" in str(warning.message)]) == 1
    assert "pass output='softmax'; if they are not, output='sigmoid'." in str(caught[0].message)
    assert classifier.out_activation_ == "sigmoid"


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_explained_one_hot_rows_are_not_warned_of(output):
    classifier = small(output=output).fit(IRIS, np.eye(3)[SPECIES])
    assert classifier.out_activation_ == output


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("share", [0.1, 0.9])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_smoothing_is_soft_labels_written_out(solver, share, loss):
    options = {"solver": solver, "batch_size": 30, "loss": loss}
    for y, Y in ((SPECIES, np.eye(3)[SPECIES]), (SOFT, SOFT)):
        smoothed = small(label_smoothing=share, **options).fit(IRIS, y, W)
        written_out = small(**options).fit(IRIS, (1 - share) * Y + share / 3, W)
        assert_close(smoothed, written_out, tolerance=1e-12)
    smoothed = small(label_smoothing=share, **options).fit(IRIS, SEVERAL)
    written_out = small(output="sigmoid", **options).fit(IRIS, (1 - share) * SEVERAL + share / 2)
    assert_close(smoothed, written_out, tolerance=1e-12)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 30), k=st.integers(2, 6), solver=st.sampled_from(SOLVERS))
def test_a_soft_row_is_its_classes_each_with_its_share(seed, n, k, solver):
    draw = np.random.default_rng(seed)
    X, Y = draw.standard_normal((n, 3)), draw.dirichlet(np.ones(k), n)
    options = {"solver": solver, "batch_size": 1000, "activation": "tanh", "learning_rate_init": 0.02}
    soft = small(output="softmax", alpha=0.1, **options).fit(X, Y)
    hard = small(alpha=0.1, **options).fit(np.repeat(X, k, axis=0), np.tile(np.arange(k), n), Y.ravel())
    assert_close(soft, hard)


def test_rows_may_lack_classes_that_are_named():
    classifier = small().fit(IRIS[:100], NAMES[:100], classes=["virginica", "setosa", "versicolor"])
    assert classifier.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert classifier.predict_proba(IRIS).shape == (150, 3)


# validation rows


def cross_entropy(Y, P):
    return -xlogy(Y, P).sum(axis=1)


def binary_cross_entropies(Y, P):
    return -(xlogy(Y, P) + xlogy(1 - Y, 1 - P)).sum(axis=1)


@pytest.mark.parametrize("w", [None, W[UNSEEN]], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(
    "options", [{}, {"label_smoothing": 0.3}, {"loss": "squared_error"}, {"solver": "lbfgs"}], ids=str
)
def test_the_validation_curve_is_scikit_learns_log_loss(options, w):
    classifier, X = small(**options), IRIS[UNSEEN]
    stream = classifier.fit_epochs(IRIS[SEEN], NAMES[SEEN], X_val=X, y_val=NAMES[UNSEEN], sample_weight_val=w)
    expected = [log_loss(NAMES[UNSEEN], classifier.predict_proba(X), sample_weight=w) for _ in stream]
    np.testing.assert_allclose(classifier.validation_loss_curve_, expected, rtol=1e-12)


@pytest.mark.parametrize("w", [None, W[UNSEEN]], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("y", "measure"), [(SOFT, cross_entropy), (SEVERAL, binary_cross_entropies)], ids=KINDS[1:])
def test_the_validation_curve_of_a_matrix_is_its_cross_entropy(y, measure, w):
    classifier, X = small(), IRIS[UNSEEN]
    stream = classifier.fit_epochs(IRIS[SEEN], y[SEEN], X_val=X, y_val=y[UNSEEN], sample_weight_val=w)
    expected = [np.average(measure(y[UNSEEN], classifier.predict_proba(X)), weights=w) for _ in stream]
    np.testing.assert_allclose(classifier.validation_loss_curve_, expected, rtol=1e-12)


def test_class_weights_don_t_weigh_validation_rows():
    classifier, X = small(class_weight={"setosa": 9.0}), IRIS[UNSEEN]
    stream = classifier.fit_epochs(IRIS[SEEN], NAMES[SEEN], X_val=X, y_val=NAMES[UNSEEN])
    expected = [log_loss(NAMES[UNSEEN], classifier.predict_proba(X)) for _ in stream]
    np.testing.assert_allclose(classifier.validation_loss_curve_, expected, rtol=1e-12)


def test_validation_rows_don_t_change_the_training():
    judged = small(batch_size=20).fit(IRIS[SEEN], NAMES[SEEN], X_val=IRIS[UNSEEN], y_val=NAMES[UNSEEN])
    assert_same_bits(judged, small(batch_size=20).fit(IRIS[SEEN], NAMES[SEEN]))


def test_early_stopping_holds_out_no_rows_where_some_are_given():
    classifier = small(early_stopping=True).fit(IRIS[SEEN], NAMES[SEEN], X_val=IRIS[UNSEEN], y_val=NAMES[UNSEEN])
    assert classifier.t_ == 4 * len(SEEN)


OVERFITS = {"hidden_layer_sizes": (30,), "learning_rate_init": 0.03, "max_iter": 40, "batch_size": 10}
RANDOM_LABELS = np.random.default_rng(9).integers(3, size=150)


def overfitted(y=RANDOM_LABELS, **options):
    classifier = small(**OVERFITS, **options)
    return classifier.fit(IRIS[SEEN], y[SEEN], X_val=IRIS[UNSEEN], y_val=y[UNSEEN])


def loss_on_unseen(classifier):
    return log_loss(RANDOM_LABELS[UNSEEN], classifier.predict_proba(IRIS[UNSEEN]))


@pytest.mark.parametrize("solver", SOLVERS)
def test_early_stopping_puts_back_the_weights_best_on_the_rows_given(solver):
    classifier = overfitted(early_stopping=True, solver=solver)
    curve = classifier.validation_loss_curve_
    assert np.argmin(curve) < len(curve) - 1
    assert loss_on_unseen(classifier) == pytest.approx(min(curve), rel=1e-12)
    assert classifier.best_loss_ is None


@pytest.mark.parametrize("solver", SOLVERS)
def test_without_early_stopping_the_last_weights_stay(solver):
    classifier = overfitted(solver=solver)
    curve = classifier.validation_loss_curve_
    assert np.argmin(curve) < len(curve) - 1
    assert loss_on_unseen(classifier) == pytest.approx(curve[-1], rel=1e-12)
    assert classifier.best_loss_ == min(classifier.loss_curve_)


def test_validation_rows_may_lack_classes_but_not_have_others():
    kept = UNSEEN[SPECIES[UNSEEN] < 2]
    classifier = small().fit(IRIS[SEEN], NAMES[SEEN], X_val=IRIS[kept], y_val=NAMES[kept])
    assert np.isfinite(classifier.validation_loss_curve_).all()
    with pytest.raises(LabelError, match="y_val holds 'virginica', expected only the classes"):
        small().fit(IRIS[:100], NAMES[:100], X_val=IRIS, y_val=NAMES)
