"""Softmax, its logarithm and its Jacobian: against 50 digits on hostile rows, and the facts that define them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassmax.functional import (
    log_softmax,
    log_softmax_vjp,
    softmax,
    softmax_jacobian,
    softmax_jvp,
    softmax_vjp,
)
from glassmax.gradcheck import check_vjp
from tests import oracle
from tests.grid import FLOATS

inf, nan = np.inf, np.nan

HOSTILE = [
    [0.0],
    [0.0, 0.0, 0.0],
    [1.0, 2.0, 3.0],
    [17.0, 0.0],
    [0.0, 100.0, -100.0],
    [1e30, -1e30, 0.0],
    [1e30, 1e30],
    [-1e30, -1e30, -1e30],
    [700.0, 710.0, 720.0],
    [-200.0, 0.0],
    [5e-324, 0.0, -5e-324],
    [-inf, 0.0, 1.0],
    [-inf, -inf, 3.0],
    [-inf, 1e30],
]
"""Rows of logits."""

MANY_CLASSES = np.repeat([30.0, 0.25, -1.0, -40.0, -inf], [1, 49_999, 70_000, 20_000, 10_000])
"""150,000 classes of five distinct logits."""

logits = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4).filter(lambda s: s[-1]),
    elements=st.floats(-50, 50),
)


def assert_right(got, true, relative, absolute=0.0):
    """Hold numbers against the oracle's, each to a relative error, or an absolute one where that is larger."""
    for g, t in zip(got, true, strict=True):
        error = oracle.relative_error(g, t)
        assert error <= relative or abs(float(g) - float(t)) <= absolute, f"{g}, but it is {float(t)}"


@pytest.mark.parametrize("row", HOSTILE, ids=str)
def test_softmax_agrees_with_50_digits(row):
    assert_right(softmax(row), oracle.softmax(row), 1e-14, absolute=5e-324)


@pytest.mark.parametrize("row", HOSTILE, ids=str)
def test_log_softmax_agrees_with_50_digits(row):
    assert_right(log_softmax(row), oracle.log_softmax(row), 1e-14)


@pytest.mark.parametrize("margin", [10.0, 17.0, 30.0, 40.0, 75.0, 100.0])
@pytest.mark.parametrize("dtype", FLOATS)
def test_tiny_log_probabilities_keep_their_digits(margin, dtype):
    row = np.array([margin, 0.0, 0.5], dtype)
    got, true = log_softmax(row)[0], oracle.log_softmax(row)[0]
    smallest = float(np.finfo(dtype).smallest_subnormal)
    assert_right([got], [true], 2 * float(np.finfo(dtype).eps), absolute=smallest)
    assert dtype == "float16" or got < 0


def test_150000_classes_agree_with_50_digits():
    P, Q = softmax(MANY_CLASSES), log_softmax(MANY_CLASSES)
    distinct = np.unique(MANY_CLASSES, return_index=True)[1]
    true_P, true_Q = oracle.softmax(MANY_CLASSES), oracle.log_softmax(MANY_CLASSES)
    assert_right(P[distinct], [true_P[i] for i in distinct], 1e-14)
    assert_right(Q[distinct], [true_Q[i] for i in distinct], 1e-14)
    np.testing.assert_array_equal(P, P[distinct][np.searchsorted(MANY_CLASSES[distinct], MANY_CLASSES)])


def test_150000_classes_in_float32_sum_to_1():
    P = softmax(MANY_CLASSES.astype("float32"))
    assert P.dtype == np.float32
    assert abs(P.sum(dtype=np.float64) - 1) < 1e-7


@given(logits)
def test_softmax_rows_are_probabilities(Z):
    P = softmax(Z)
    assert ((P >= 0) & (P <= 1)).all()
    np.testing.assert_allclose(P.sum(axis=-1), 1, rtol=0, atol=1e-15 * Z.shape[-1])


@given(logits)
def test_log_softmax_is_the_logarithm_of_softmax(Z):
    assert (log_softmax(Z) <= 0).all()
    np.testing.assert_allclose(np.exp(log_softmax(Z)), softmax(Z), rtol=1e-13)


@given(logits, st.integers(-1000, 1000))
def test_softmax_ignores_a_shift_of_its_rows(Z, shift):
    Z = np.round(Z, 0)  # whole numbers, so that the shift itself does not round
    np.testing.assert_array_equal(softmax(Z + shift), softmax(Z))
    np.testing.assert_array_equal(log_softmax(Z + shift), log_softmax(Z))


@given(logits, st.randoms(use_true_random=False))
def test_softmax_follows_a_permutation_of_the_classes(Z, random):
    order = random.sample(range(Z.shape[-1]), Z.shape[-1])
    np.testing.assert_allclose(softmax(Z[..., order]), softmax(Z)[..., order], rtol=1e-14)


@given(logits)
def test_leading_axes_are_only_more_rows(Z):
    rows = Z.reshape(-1, Z.shape[-1])
    np.testing.assert_array_equal(softmax(Z), softmax(rows).reshape(Z.shape))
    np.testing.assert_array_equal(log_softmax(Z), log_softmax(rows).reshape(Z.shape))
    np.testing.assert_array_equal(softmax_jacobian(Z), softmax_jacobian(rows).reshape((*Z.shape, Z.shape[-1])))


@given(logits, st.data())
def test_any_axis_may_hold_the_classes(Z, data):
    axis = data.draw(st.integers(-Z.ndim, Z.ndim - 1))
    moved = np.moveaxis(Z, -1, axis)
    for f in (softmax, log_softmax):
        np.testing.assert_array_equal(f(moved, axis=axis), np.moveaxis(f(Z), -1, axis))
    dP, P = np.sin(Z), softmax(Z)
    dP_moved, P_moved = (np.moveaxis(array, -1, axis) for array in (dP, P))
    expected = np.moveaxis(softmax_vjp(dP, P), -1, axis)
    np.testing.assert_allclose(softmax_vjp(dP_moved, P_moved, axis=axis), expected, atol=1e-15)
    expected = np.moveaxis(log_softmax_vjp(dP, np.log(P)), -1, axis)
    np.testing.assert_allclose(log_softmax_vjp(dP_moved, np.log(P_moved), axis=axis), expected, atol=1e-14)


@given(logits)
def test_inputs_are_left_as_they_were(Z):
    before, P = Z.copy(), softmax(Z)
    P_before = P.copy()
    log_softmax(Z)
    softmax_jacobian(Z)
    softmax_vjp(Z, P)
    np.testing.assert_array_equal(Z, before)
    np.testing.assert_array_equal(P, P_before)


@pytest.mark.parametrize("dtype", FLOATS)
def test_dtype_is_kept(dtype):
    Z = np.array([[0.5, -1.0, 2.0]], dtype)
    P, Q = softmax(Z), log_softmax(Z)
    results = P, Q, softmax_vjp(Z, P), softmax_jvp(Z, P), log_softmax_vjp(Z, Q), softmax_jacobian(Z)
    assert [result.dtype for result in results] == [dtype] * 6


# --- What is no number ---


@pytest.mark.parametrize(
    "bad", [[nan, 1.0, 2.0], [1.0, 2.0, nan], [-inf, -inf, -inf], [1.0, inf, 0.0], [inf, inf, 0.0]]
)
def test_a_row_without_a_meaning_is_nan_and_stays_alone(bad):
    Z = np.array([[0.0, 1.0, 2.0], bad, [3.0, 3.0, 3.0]])
    for f in (softmax, log_softmax):
        result = f(Z)
        assert np.isnan(result).all(axis=1).tolist() == [False, True, False]
        np.testing.assert_array_equal(result[[0, 2]], f(Z[[0, 2]]))
    J = softmax_jacobian(Z)
    assert np.isnan(J).all(axis=(1, 2)).tolist() == [False, True, False]


def test_a_logit_of_minus_infinity_has_probability_0():
    assert softmax([-inf, 0.0, 0.0]).tolist() == [0.0, 0.5, 0.5]
    assert log_softmax([-inf, 0.0])[0] == -inf


# --- The Jacobian ---


@given(logits)
def test_the_jacobian_is_symmetric_and_its_rows_sum_to_0(Z):
    J = softmax_jacobian(Z)
    np.testing.assert_array_equal(J, J.swapaxes(-1, -2))
    np.testing.assert_allclose(J.sum(axis=-1), 0, atol=1e-15)


@pytest.mark.parametrize("row", HOSTILE, ids=str)
def test_the_jacobian_agrees_with_50_digits(row):
    for got, true in zip(softmax_jacobian(row), oracle.softmax_jacobian(row), strict=True):
        assert_right(got, true, 1e-14, absolute=5e-324)


@given(logits)
def test_both_products_are_the_jacobian_written_out(Z):
    J, P, v = softmax_jacobian(Z), softmax(Z), np.cos(3 * Z)
    product = np.einsum("...ij,...j->...i", J, v)
    np.testing.assert_allclose(softmax_vjp(v, P), product, atol=1e-15)
    np.testing.assert_allclose(softmax_jvp(v, P), product, atol=1e-15)


def test_softmax_jvp_is_the_change_that_the_complex_step_measures():
    Z, V = np.array([[0.3, -1.0, 2.0], [5.0, 5.0, -5.0]]), np.array([[1.0, -2.0, 0.5], [0.1, 0.2, 0.3]])
    measured = softmax(Z + 1e-20j * V).imag / 1e-20
    np.testing.assert_allclose(softmax_jvp(V, softmax(Z)), measured, rtol=1e-13)


@given(logits)
def test_pulled_back_derivatives_sum_to_0(Z):
    dOut, P = np.cos(3 * Z), softmax(Z)
    np.testing.assert_allclose(softmax_vjp(dOut, P).sum(axis=-1), 0, atol=1e-14)
    np.testing.assert_allclose(log_softmax_vjp(dOut, log_softmax(Z)).sum(axis=-1), 0, atol=1e-14)


@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_pullbacks_belong_to_their_functions_along_any_axis(method, axis):
    Z = np.random.default_rng(0).standard_normal((3, 4, 2))
    for f, f_vjp in ((softmax, softmax_vjp), (log_softmax, log_softmax_vjp)):
        report = check_vjp(
            lambda Z, f=f: f(Z, axis=axis),
            lambda dOut, Z, f=f, f_vjp=f_vjp: f_vjp(dOut, f(Z, axis=axis), axis=axis),
            Z,
            method=method,
        )
        assert report.correct, str(report)
