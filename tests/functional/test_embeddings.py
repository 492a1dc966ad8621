"""Embeddings of numbers: the formulas in scalar loops, pullbacks, precision, hostile values."""

from itertools import pairwise, product

import mpmath
import numpy as np
import pytest

from glassmax.errors import ShapeError
from glassmax.functional import periodic, periodic_vjp, piecewise_linear, piecewise_linear_vjp
from glassmax.functional.embeddings import periodic_jvp
from glassmax.gradcheck import check_vjp
from tests.grid import FLOATS

EDGES = np.array([-1.0, -0.5, 0.25, 2.0])


def arrays(dtype="float64", n=5, q=3, K=4, e=2):
    draw = np.random.default_rng(1)
    shapes = [(n, q), (q, K), (q, K), (q, K, e), (q, e)]
    return [draw.standard_normal(shape).astype(dtype) for shape in shapes]


def periodic_by_hand(X, F, H, V, C):
    """Return the embedding, one number at a time, in mpmath."""
    (n, q), (_, K, e) = X.shape, V.shape
    out = np.zeros((n, q, e), object)
    for i, j, o in product(range(n), range(q), range(e)):
        terms = [mpmath.cos(mpmath.mpf(float(X[i, j])) * F[j, k] + H[j, k]) * V[j, k, o] for k in range(K)]
        out[i, j, o] = mpmath.fsum(terms) + C[j, o]
    return out.astype(float)


def piecewise_by_hand(x, t):
    share = [min(max((x - low) / (high - low), 0), 1) for low, high in pairwise(t)]
    return [2 * s - 1 for s in share]


TOLERANCE = {"float16": 1e-2, "float32": 2e-6, "float64": 1e-14, "longdouble": 1e-14}


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_periodic_embedding_is_a_sum_of_cosines(dtype):
    given = arrays(dtype)
    found = periodic(*given)
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_allclose(found.astype(float), periodic_by_hand(*given), rtol=0, atol=3 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_piecewise_linear_embedding_rises_inside_its_bin(dtype):
    x = np.array([-3, -1, -0.75, -0.5, 0, 0.25, 1, 2, 5]).astype(dtype)
    found = piecewise_linear(x, EDGES)
    assert found.dtype == np.dtype(dtype)
    expected = [piecewise_by_hand(float(value), EDGES) for value in x]
    np.testing.assert_allclose(found.astype(float), expected, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_pullback_of_the_periodic_embedding_is_its_derivative(method):
    def vjp(d, X, F, H, V, C):
        return periodic_vjp(d, X, F, H, V)

    assert check_vjp(periodic, vjp, *arrays(), method=method).correct


@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_pullback_of_the_piecewise_linear_embedding_is_its_derivative(method):
    X = np.random.default_rng(0).standard_normal((4, 3))
    check = check_vjp(
        lambda X: piecewise_linear(X, EDGES), lambda d, X: piecewise_linear_vjp(d, X, EDGES), X, method=method
    )
    assert check.correct


WRONG = {
    "dF without x": lambda dX, dF, dH, dV, dC: (dX, dH, dH, dV, dC),
    "the sign of the sine": lambda dX, dF, dH, dV, dC: (-dX, -dF, -dH, dV, dC),
    "dX without the frequencies": lambda dX, dF, dH, dV, dC: (dX * 0.5, dF, dH, dV, dC),
    "dV of one row": lambda dX, dF, dH, dV, dC: (dX, dF, dH, dV / 5, dC),
    "the mean in dC": lambda dX, dF, dH, dV, dC: (dX, dF, dH, dV, dC / 5),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_pullback_is_found(wrong):
    def vjp(d, X, F, H, V, C):
        return wrong(*periodic_vjp(d, X, F, H, V))

    assert not check_vjp(periodic, vjp, *arrays()).correct


def test_a_slope_without_the_width_of_the_bin_is_found():
    def vjp(d, X):
        return (2 * d * ((X[..., None] > EDGES[:-1]) & (X[..., None] <= EDGES[1:]))).sum(axis=-1)

    X = np.random.default_rng(0).standard_normal((4, 3))
    assert not check_vjp(lambda X: piecewise_linear(X, EDGES), vjp, X).correct


@pytest.mark.parametrize("moved", range(5))
def test_the_forward_derivative_is_that_of_the_complex_step(moved):
    given, draw = arrays(), np.random.default_rng(2)
    change = [np.zeros_like(array) for array in given]
    change[moved] = draw.standard_normal(given[moved].shape)
    step = periodic(*(array + 1e-30j * moves for array, moves in zip(given, change, strict=True))).imag / 1e-30
    np.testing.assert_allclose(periodic_jvp(*change, *given[:4]), step, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 5, 3)], ids=str)
def test_leading_axes_are_batches(shape):
    _, *parameters = arrays()
    X = np.random.default_rng(0).standard_normal(shape)
    found, rows = periodic(X, *parameters), periodic(X.reshape(-1, 3), *parameters)
    np.testing.assert_array_equal(found.reshape(rows.shape), rows)
    d = np.ones(found.shape)
    dX, *of_parameters = periodic_vjp(d, X, *parameters[:3])
    assert dX.shape == X.shape
    for one, other in zip(
        of_parameters, periodic_vjp(d.reshape(rows.shape), X.reshape(-1, 3), *parameters[:3])[1:], strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-14)
    assert piecewise_linear(X, EDGES).shape == (*shape, 3)
    assert piecewise_linear_vjp(np.ones((*shape, 3)), X, EDGES).shape == shape


def test_nan_stays_in_its_row_and_column():
    X, *parameters = arrays()
    X[1, 2] = np.nan
    found = periodic(X, *parameters)
    assert np.isnan(found[1, 2]).all()
    assert np.isfinite(np.delete(found.reshape(-1, 2), 5, axis=0)).all()
    bins = piecewise_linear(X, EDGES)
    assert np.isnan(bins[1, 2]).all()
    assert np.isfinite(np.delete(bins.reshape(-1, 3), 5, axis=0)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_beyond_the_edges_are_at_the_ends(dtype):
    far = np.array([-np.inf, np.finfo(dtype).min / 4, np.finfo(dtype).max / 4, np.inf], dtype)
    np.testing.assert_array_equal(piecewise_linear(far, EDGES), [[-1] * 3, [-1] * 3, [1] * 3, [1] * 3])
    np.testing.assert_array_equal(piecewise_linear_vjp(np.ones((4, 3)), far, EDGES), 0)


def test_at_an_edge_the_slope_is_that_of_the_bin_below():
    dX = piecewise_linear_vjp(np.ones((4, 3)), EDGES, EDGES)
    np.testing.assert_allclose(dX, [0, 2 / 0.5, 2 / 0.75, 2 / 1.75])


def test_derivatives_of_float32_are_summed_in_float64():
    n = 2**18
    X, F, H = np.zeros((n, 1), np.float32), np.ones((1, 1), np.float32), np.full((1, 1), np.pi / 2, np.float32)
    _, _, dH, _, dC = periodic_vjp(np.full((n, 1, 1), 0.1, np.float32), X, F, H, np.ones((1, 1, 1), np.float32))
    assert dC.item() == pytest.approx(n * float(np.float32(0.1)), rel=1e-7)
    assert dH.item() == pytest.approx(-n * float(np.float32(0.1)), rel=1e-7)


UNFIT = [[1.0, 0.0], [0.0, 0.0, 1.0], [0.0, np.inf], [0.0, np.nan], [0.0], [[0.0, 1.0]]]


@pytest.mark.parametrize("edges", UNFIT, ids=str)
def test_edges_that_do_not_increase_are_refused(edges):
    x = np.zeros(3)
    for call in (lambda: piecewise_linear(x, edges), lambda: piecewise_linear_vjp(x, x, edges)):
        with pytest.raises(ShapeError, match="expected two or more finite numbers in increasing order"):
            call()
