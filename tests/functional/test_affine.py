"""The affine map and its pullback: against scalar loops, over any leading axes, and over very many rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassmax.functional import affine, affine_vjp
from tests.grid import FLOATS


@st.composite
def layers(draw, lead_dims=(0, 3), smallest=1):
    """Draw X (..., d), W (d, h), b (h,) and dZ (..., h): small whole numbers, whose products are exact."""
    lead = draw(hnp.array_shapes(min_dims=lead_dims[0], max_dims=lead_dims[1], min_side=0, max_side=4))
    d, h = draw(st.integers(smallest, 4)), draw(st.integers(smallest, 4))
    whole = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).integers
    return tuple(whole(-9, 9, shape).astype(float) for shape in ((*lead, d), (d, h), (h,), (*lead, h)))


@given(layers(lead_dims=(1, 1)))
def test_affine_is_the_sum_over_the_inputs_of_each_row(layer):
    X, W, b, _ = layer
    expected = [[sum(X[i, k] * W[k, j] for k in range(len(W))) + b[j] for j in range(len(b))] for i in range(len(X))]
    np.testing.assert_array_equal(affine(X, W, b), np.reshape(expected, (len(X), len(b))))


@given(layers(lead_dims=(1, 1)))
def test_affine_vjp_is_the_three_sums_of_index_notation(layer):
    X, W, b, dZ = layer
    n, d, h = len(X), len(W), len(b)
    dX, dW, db = affine_vjp(dZ, X, W)
    assert (dX.shape, dW.shape, db.shape) == (X.shape, W.shape, b.shape)
    for i, k in np.ndindex(n, d):
        assert dX[i, k] == sum(dZ[i, j] * W[k, j] for j in range(h))
    for k, j in np.ndindex(d, h):
        assert dW[k, j] == sum(X[i, k] * dZ[i, j] for i in range(n))
    for j in range(h):
        assert db[j] == sum(dZ[i, j] for i in range(n))


@given(layers())
def test_leading_axes_are_only_more_rows(layer):
    X, W, b, dZ = layer
    rows, d_rows = X.reshape(-1, X.shape[-1]), dZ.reshape(-1, dZ.shape[-1])
    np.testing.assert_array_equal(affine(X, W, b), affine(rows, W, b).reshape(dZ.shape))
    for got, flat in zip(affine_vjp(dZ, X, W), affine_vjp(d_rows, rows, W), strict=True):
        np.testing.assert_array_equal(got, flat.reshape(got.shape))


@given(layers(smallest=0))
def test_layers_without_inputs_or_outputs_are_allowed(layer):
    X, W, b, dZ = layer
    assert affine(X, W, b).shape == dZ.shape
    assert [gradient.shape for gradient in affine_vjp(dZ, X, W)] == [X.shape, W.shape, b.shape]


@given(layers())
def test_inputs_are_left_as_they_were(layer):
    before = [array.copy() for array in layer]
    X, W, b, dZ = layer
    affine(X, W, b)
    affine_vjp(dZ, X, W)
    for array, was in zip(layer, before, strict=True):
        np.testing.assert_array_equal(array, was)


@pytest.mark.parametrize("dtype", FLOATS)
def test_dtype_is_kept(dtype):
    X, W, b = np.ones((2, 3), dtype), np.ones((3, 4), dtype), np.ones(4, dtype)
    Z = affine(X, W, b)
    assert Z.dtype == dtype
    assert [gradient.dtype for gradient in affine_vjp(Z, X, W)] == [dtype] * 3


def test_whole_numbers_are_read_as_float64():
    Z = affine([[1, 2]], [[3, 4], [5, 6]], [7, 8])
    assert Z.dtype == np.float64
    assert Z.tolist() == [[20.0, 24.0]]


@pytest.mark.parametrize(("dtype", "n"), [("float32", 2**20), ("float16", 2**12)])
def test_the_bias_gradient_does_not_drift_over_many_rows(dtype, n):
    dZ = np.full((n, 2), 0.1, dtype)
    _, _, db = affine_vjp(dZ, np.ones((n, 1), dtype), np.ones((1, 2), dtype))
    np.testing.assert_allclose(db.astype(float), n * float(dZ[0, 0]), rtol=np.finfo(dtype).eps)


def test_a_row_with_nan_leaves_the_other_rows_alone():
    X = np.array([[1.0, 2.0], [np.nan, 2.0], [3.0, 4.0]])
    Z = affine(X, np.ones((2, 3)), np.zeros(3))
    assert np.isnan(Z).all(axis=1).tolist() == [False, True, False]
    assert Z[[0, 2]].tolist() == [[3.0] * 3, [7.0] * 3]
