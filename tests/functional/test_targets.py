"""Targets, weights and reductions: which are taken, that all forms of one target agree, and which are refused."""

import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from glassmax import functional
from glassmax.errors import LabelError, OptionError, ShapeError
from glassmax.functional import softmax, softmax_cross_entropy, softmax_cross_entropy_vjp
from glassmax.functional.targets import as_rows, check_target
from tests.grid import KINDS, LOSS_FUNCTIONS, one_hot, predictions, target

inf, nan = np.inf, np.nan

every_loss = pytest.mark.parametrize("name", LOSS_FUNCTIONS)
every_kind = pytest.mark.parametrize("kind", KINDS)


def both(name):
    return getattr(functional, name), getattr(functional, f"{name}_vjp")


shapes = st.tuples(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), st.integers(1, 5)).map(
    lambda pair: (*pair[0], pair[1])
)
"""Shapes of predictions: no, one or many leading axes, which may be empty; 1 to 5 classes."""

draws = st.integers(0, 2**32 - 1).map(np.random.default_rng)


# --- One target in several forms ---


@every_loss
@given(shape=shapes, draw=draws)
def test_indices_and_one_hot_rows_are_the_same_target(name, shape, draw):
    loss, loss_vjp = both(name)
    V, y = predictions(name, shape, draw), draw.integers(shape[-1], size=shape[:-1])
    assume(shape[-1] > 1 or LOSS_FUNCTIONS[name][0] == "cross_entropy")  # elsewhere one label a row is its value
    Y, dL = one_hot(y, shape[-1]), draw.standard_normal(shape[:-1])
    np.testing.assert_allclose(loss(V, y, reduction="none"), loss(V, Y, reduction="none"), rtol=1e-15, atol=1e-15)
    dV, dV_of_rows = (loss_vjp(dL, V, T, reduction="none") for T in (y, Y))
    np.testing.assert_allclose(dV, dV_of_rows, rtol=1e-15, atol=1e-15)


@every_loss
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64", "float32", "float64"])
def test_indices_may_be_of_any_numeric_dtype(name, dtype):
    loss, _ = both(name)
    V = predictions(name, (3, 3), np.random.default_rng(0))
    assert loss(V, np.array([0, 2, 1], dtype)) == loss(V, [0, 2, 1])


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "float32", "longdouble"])
@every_loss
def test_rows_may_be_of_any_numeric_dtype(name, dtype):
    loss, loss_vjp = both(name)
    V, Y = predictions(name, (3, 3), np.random.default_rng(0)), np.eye(3)
    assert loss(V, Y.astype(dtype)) == pytest.approx(loss(V, Y), rel=1e-15, abs=0)
    np.testing.assert_allclose(loss_vjp(1.0, V, Y.astype(dtype)), loss_vjp(1.0, V, Y), rtol=1e-15)


@pytest.mark.parametrize("name", ["squared_error", "binary_cross_entropy", "sigmoid_cross_entropy"])
@given(n=st.integers(0, 5), draw=draws)
def test_one_label_a_row_may_come_without_its_axis(name, n, draw):
    loss, loss_vjp = both(name)
    V, y = predictions(name, (n, 1), draw), draw.uniform(0, 1, n)
    np.testing.assert_array_equal(loss(V, y, reduction="none"), loss(V, y[:, None], reduction="none"))
    np.testing.assert_array_equal(loss_vjp(1.0, V, y, reduction="sum"), loss_vjp(1.0, V, y[:, None], reduction="sum"))


@every_loss
@every_kind
@given(shape=shapes, draw=draws)
def test_leading_axes_are_only_more_rows(name, kind, shape, draw):
    loss, loss_vjp = both(name)
    V, T = predictions(name, shape, draw), target(kind, LOSS_FUNCTIONS[name][0], shape, draw)
    w, flat = draw.uniform(0.5, 2, shape[:-1]), (-1, shape[-1])
    flat_T = T.reshape(-1) if kind == "indices" else T.reshape(flat)
    L = loss(V, T, sample_weight=w, reduction="none")
    assert L.shape == shape[:-1]
    flat_L = loss(V.reshape(flat), flat_T, sample_weight=w.reshape(-1), reduction="none")
    np.testing.assert_array_equal(np.ravel(L), flat_L)
    for reduction in ("mean", "sum"):
        dV = loss_vjp(1.0, V, T, sample_weight=w, reduction=reduction)
        assert dV.shape == shape
        flat_dV = loss_vjp(1.0, V.reshape(flat), flat_T, sample_weight=w.reshape(-1), reduction=reduction)
        np.testing.assert_allclose(dV.reshape(flat), flat_dV, rtol=1e-15)


# --- Rows of any sum ---


@given(shape=shapes, draw=draws)
def test_rows_of_any_sum_weigh_the_probabilities_by_their_sum(shape, draw):
    Z, Y = 3 * draw.standard_normal(shape), draw.uniform(0, 3, shape)
    expected = softmax(Z) * Y.sum(axis=-1, keepdims=True) - Y
    dZ = softmax_cross_entropy_vjp(1.0, Z, Y, reduction="sum")
    np.testing.assert_allclose(dZ, expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(dZ.sum(axis=-1), 0, atol=1e-14)
    if dZ.size:
        mean = softmax_cross_entropy_vjp(1.0, Z, Y)
        np.testing.assert_allclose(mean, expected / (Z.size // shape[-1]), rtol=0, atol=1e-14)


@given(shape=shapes, draw=draws)
def test_the_loss_is_linear_in_its_rows(shape, draw):
    Z, Y, V = 3 * draw.standard_normal(shape), draw.uniform(0, 2, shape), draw.uniform(0, 2, shape)
    together = softmax_cross_entropy(Z, 2 * Y + V, reduction="none")
    apart = 2 * softmax_cross_entropy(Z, Y, reduction="none") + softmax_cross_entropy(Z, V, reduction="none")
    np.testing.assert_allclose(together, apart, rtol=1e-13)


def test_a_row_of_zeros_costs_nothing_and_pulls_nothing():
    Z = [[1.0, -2.0, 30.0]]
    assert softmax_cross_entropy(Z, [[0, 0, 0]]) == 0
    assert softmax_cross_entropy_vjp(1.0, Z, [[0, 0, 0]]).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_rows_of_a_narrow_dtype_are_summed_in_float64(dtype):
    Y = np.array([[40_000, 40_000, 0.0625]], dtype)  # more together than float16 holds, or float32 with all digits
    Z = [[0.0, 1.0, -1.0]]
    expected = softmax_cross_entropy_vjp(1.0, Z, Y.astype(float))
    np.testing.assert_allclose(softmax_cross_entropy_vjp(1.0, Z, Y), expected, rtol=1e-14)
    expected = softmax_cross_entropy(Z, Y.astype(float), label_smoothing=0.1)
    assert softmax_cross_entropy(Z, Y, label_smoothing=0.1) == pytest.approx(expected, rel=1e-14, abs=0)


def test_one_class_costs_nothing():
    Z = [[5.0], [-1e30]]
    assert softmax_cross_entropy(Z, [0, 0]) == 0
    assert softmax_cross_entropy_vjp(1.0, Z, [0, 0]).tolist() == [[0], [0]]


# --- Reductions and weights ---


@every_loss
@every_kind
@given(shape=shapes.filter(lambda s: 0 not in s), draw=draws)
def test_mean_sum_and_none_are_one_loss(name, kind, shape, draw):
    loss, loss_vjp = both(name)
    V, T = predictions(name, shape, draw), target(kind, LOSS_FUNCTIONS[name][0], shape, draw)
    w = draw.uniform(0.1, 2, shape[:-1])
    rows = loss(V, T, reduction="none")
    assert loss(V, T, reduction="sum") == pytest.approx(rows.sum(), rel=1e-14, abs=1e-14)
    assert loss(V, T) == pytest.approx(rows.mean(), rel=1e-14, abs=1e-14)
    np.testing.assert_allclose(loss(V, T, sample_weight=w, reduction="none"), w * rows, rtol=1e-15)
    weighted_mean = (w * rows).sum() / w.sum()
    assert loss(V, T, sample_weight=w) == pytest.approx(weighted_mean, rel=1e-13, abs=1e-13)
    dV = loss_vjp(np.ones(shape[:-1]), V, T, reduction="none")
    np.testing.assert_allclose(loss_vjp(1.0, V, T, reduction="sum"), dV, rtol=1e-14)
    np.testing.assert_allclose(loss_vjp(1.0, V, T), dV / rows.size, rtol=1e-14)
    weighted = loss_vjp(1.0, V, T, sample_weight=w)
    np.testing.assert_allclose(weighted, w[..., None] * dV / w.sum(), rtol=1e-13)


@every_loss
def test_a_weight_of_2_is_the_row_twice(name):
    loss, loss_vjp = both(name)
    V = predictions(name, (3, 3), np.random.default_rng(1))
    twice, y = V[[0, 1, 1, 2]], [0, 2, 1]
    assert loss(V, y, sample_weight=[1, 2, 1]) == pytest.approx(loss(twice, [0, 2, 2, 1]), rel=1e-14, abs=0)
    dV = loss_vjp(1.0, twice, [0, 2, 2, 1])
    expected = [dV[0], dV[1] + dV[2], dV[3]]
    np.testing.assert_allclose(loss_vjp(1.0, V, y, sample_weight=[1, 2, 1]), expected, rtol=1e-14)


@every_loss
def test_all_weights_may_be_multiplied_without_changing_the_mean(name):
    loss, loss_vjp = both(name)
    V, w = predictions(name, (3, 3), np.random.default_rng(2)), np.array([0.5, 3.0, 1.0])
    assert loss(V, [0, 1, 2], sample_weight=8 * w) == pytest.approx(
        loss(V, [0, 1, 2], sample_weight=w), rel=1e-14, abs=0
    )
    few, many = (loss_vjp(1.0, V, [0, 1, 2], sample_weight=weights) for weights in (w, 8 * w))
    np.testing.assert_allclose(many, few, rtol=1e-14)


@every_loss
@every_kind
def test_the_mean_over_nothing_is_nan_and_the_sum_is_0(name, kind):
    loss, loss_vjp = both(name)
    V, T = np.zeros((0, 3)), target(kind, LOSS_FUNCTIONS[name][0], (0, 3), np.random.default_rng(3))
    assert np.isnan(loss(V, T))
    assert loss(V, T, reduction="sum") == 0
    assert loss(V, T, reduction="none").shape == (0,)
    assert loss_vjp(1.0, V, T).shape == (0, 3)
    V, T = predictions(name, (2, 3), np.random.default_rng(3)), [0, 1]
    assert np.isnan(loss(V, T, sample_weight=[0, 0]))
    assert loss(V, T, sample_weight=[0, 0], reduction="sum") == 0


# --- Label smoothing ---


@pytest.mark.parametrize("name", ["cross_entropy", "softmax_cross_entropy"])
@every_kind
@given(shape=shapes, draw=draws, s=st.floats(0, 1))
def test_smoothing_spreads_a_share_of_each_row_evenly(name, kind, shape, draw, s):
    loss, loss_vjp = both(name)
    V, T = predictions(name, shape, draw), target(kind, "cross_entropy", shape, draw)
    k = shape[-1]
    Y = one_hot(T, k) if kind == "indices" else T
    smoothed = (1 - s) * Y + s * Y.sum(axis=-1, keepdims=True) / k
    np.testing.assert_allclose(
        loss(V, T, label_smoothing=s, reduction="none"), loss(V, smoothed, reduction="none"), rtol=1e-13, atol=1e-14
    )
    dV, expected = (
        loss_vjp(1.0, V, T, label_smoothing=s, reduction="sum"),
        loss_vjp(1.0, V, smoothed, reduction="sum"),
    )
    np.testing.assert_allclose(dV, expected, rtol=1e-13, atol=1e-14)


# --- What is refused ---

REFUSED = {
    "index too large": ([0, 3, 7], LabelError, "row 1"),
    "index below 0": ([0, 1, -1], LabelError, "row 2"),
    "index not whole": ([0, 0.5, 2], LabelError, "row 1"),
    "index nan": ([nan, 1, 2], LabelError, "row 0"),
    "index inf": ([0, inf, 2], LabelError, "row 1"),
    "column": ([[0], [1], [2]], ShapeError, r"\(3, 1\)"),
    "too few": ([0, 1], ShapeError, r"\(2,\)"),
    "too many classes": (np.eye(4)[:3], ShapeError, r"\(3, 4\)"),
    "rows with nan": ([[1, 0, 0], [0, nan, 0], [nan, 0, 0]], LabelError, "row 1, class 1"),
    "rows with inf": ([[1, 0, 0], [0, 1, 0], [0, 0, inf]], LabelError, "row 2, class 2"),
    "words": (["a", "b", "c"], LabelError, "type <U1"),
    "objects": ([None, 1, 2], LabelError, "type object"),
    "complex numbers": ([0, 1j, 2], LabelError, "type complex128"),
    "rows of different lengths": ([[1, 0, 0], [0, 1], [1]], ShapeError, "different lengths"),
}


@every_loss
@pytest.mark.parametrize("case", REFUSED)
def test_bad_targets_are_refused_before_any_arithmetic(name, case, monkeypatch):
    T, error, place = REFUSED[case]
    V, (loss, loss_vjp) = predictions(name, (3, 3), np.random.default_rng(4)), both(name)
    module = sys.modules[loss.__module__]
    formulas = [f for f in vars(module) if f.endswith(("_rows", "_dP", "_dZ")) or f == "exponentials"]
    assert f"{name}_rows" in formulas
    for formula in formulas:
        monkeypatch.setattr(module, formula, lambda *_: pytest.fail("arithmetic before the check"))
    with pytest.raises(error, match=place):
        loss(V, T)
    with pytest.raises(error, match=place):
        loss_vjp(1.0, V, T)


NEGATIVE = [[0.0, 1.0, 0.0], [1.5, -0.5, 0.0]]
ABOVE_1 = [[0.5, 0.5, 0.0], [0.0, 1.5, 0.0]]


@pytest.mark.parametrize("name", sorted(set(LOSS_FUNCTIONS) - {"squared_error"}))
def test_negative_rows_are_refused_except_by_squared_error(name):
    V = predictions(name, (2, 3), np.random.default_rng(5))
    with pytest.raises(LabelError, match="row 1, class"):
        both(name)[0](V, NEGATIVE)
    assert functional.squared_error(V, NEGATIVE) > 0


@pytest.mark.parametrize("name", ["binary_cross_entropy", "sigmoid_cross_entropy"])
def test_labels_above_1_are_refused_by_yes_or_no_losses_alone(name):
    V = predictions(name, (2, 3), np.random.default_rng(6))
    with pytest.raises(LabelError, match=r"row 1, class 1, is 1.5, expected a number from 0 to 1"):
        both(name)[0](V, ABOVE_1)
    assert functional.cross_entropy(softmax(V), ABOVE_1) > 0


@every_loss
@pytest.mark.parametrize(
    ("w", "error", "place"),
    [
        ([1, -1, 1], LabelError, "row 1 is -1"),
        ([1, 1, nan], LabelError, "row 2 is nan"),
        ([inf, 1, 1], LabelError, "row 0 is inf"),
        ([1, 1], ShapeError, r"\(2,\)"),
        ([[1], [1], [1]], ShapeError, r"\(3, 1\)"),
    ],
)
def test_bad_weights_are_refused(name, w, error, place):
    V, (loss, loss_vjp) = predictions(name, (3, 3), np.random.default_rng(7)), both(name)
    with pytest.raises(error, match=place):
        loss(V, [0, 1, 2], sample_weight=w)
    with pytest.raises(error, match=place):
        loss_vjp(1.0, V, [0, 1, 2], sample_weight=w)


@pytest.mark.parametrize("s", [-0.1, 1.1, nan])
def test_smoothing_outside_0_to_1_is_refused(s):
    with pytest.raises(OptionError, match="label_smoothing is"):
        softmax_cross_entropy([[0.0, 1.0]], [0], label_smoothing=s)


def test_the_first_bad_row_is_named_by_all_its_leading_axes():
    y = np.zeros((2, 3), int)
    y[1, 2] = 5
    with pytest.raises(LabelError, match=r"row \(1, 2\) is 5, expected 0\.\.3"):
        softmax_cross_entropy(np.zeros((2, 3, 4)), y)


def test_labels_that_count_from_1_are_recognized():
    with pytest.raises(LabelError, match="subtract 1"):
        softmax_cross_entropy(np.zeros((3, 3)), [1, 2, 3])


# --- Sparse rows ---


@every_loss
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "matrix"])
def test_sparse_rows_are_the_same_target_as_dense_rows(name, form):
    loss, loss_vjp = both(name)
    draw = np.random.default_rng(0)
    V, Y = predictions(name, (6, 4), draw), target("soft", LOSS_FUNCTIONS[name][0], (6, 4), draw)
    of_form = {"csr": sparse.csr_array, "csc": sparse.csc_array, "coo": sparse.coo_array, "matrix": sparse.csr_matrix}
    S = of_form[form](Y)
    np.testing.assert_array_equal(loss(V, S, reduction="none"), loss(V, Y, reduction="none"))
    np.testing.assert_array_equal(loss_vjp(1.0, V, S), loss_vjp(1.0, V, Y))


def test_entries_of_sparse_rows_that_are_there_twice_are_added_and_the_callers_array_stays():
    S = sparse.csr_array((np.array([0.25, 0.5, 0.25]), np.array([1, 0, 1]), np.array([0, 3])), shape=(1, 3))
    T = check_target(S, (1, 3), "classes")
    assert T.toarray().tolist() == [[0.5, 0.5, 0]]
    assert S.nnz == 3
    assert S.data.tolist() == [0.25, 0.5, 0.25]


def test_sparse_rows_stay_sparse_until_they_are_wanted_as_rows():
    S = sparse.csr_array(([1.0], ([0], [999_999])), shape=(2, 1_000_000))
    T = check_target(S, (2, 1_000_000), "classes")
    assert sparse.issparse(T)
    assert T.nnz == 1
    assert as_rows(T[:, -2:], 2).tolist() == [[0, 1], [0, 0]]


SPARSE_REFUSED = {
    "a number below 0": ("classes", [[0, 0], [0.5, -1]], LabelError, "Label of row 1, class 1, is -1, expected a"),
    "inf": ("classes", [[0, inf], [0.5, 1]], LabelError, "Label of row 0, class 1, is inf, expected a finite"),
    "nan": ("values", [[0, 1], [nan, 1]], LabelError, "Label of row 1, class 0, is nan, expected a finite number."),
    "a label above 1": ("labels", [[0, 1], [0, 2]], LabelError, "Label of row 1, class 1, is 2, expected a number fro"),
    "half a candidate": ("candidates", [[0, 1], [0, 0.5]], LabelError, "Label of row 1, class 1, is 0.5, expected 0"),
    "no candidate": ("candidates", [[0, 1], [0, 0]], LabelError, "Label of row 1 has no candidate"),
    "another shape": ("classes", [[0, 1, 0]], ShapeError, "Labels have shape (1, 3), expected (2,) class indices or"),
    "complex numbers": ("classes", [[1j, 1], [0, 1]], LabelError, "Labels are of type complex128, expected rows of"),
}


@pytest.mark.parametrize("case", SPARSE_REFUSED)
def test_sparse_rows_are_checked_as_dense_rows_are(case):
    meaning, rows, error, message = SPARSE_REFUSED[case]
    with pytest.raises(error) as caught:
        check_target(sparse.csr_array(np.array(rows)), (2, 2), meaning)
    assert str(caught.value).startswith(message)
