"""The correction of logits: its pullback against differences along a random direction, and against the calculus."""

import numpy as np
import pytest

from glassmax import derive
from glassmax.functional import softmax_cross_entropy, softmax_cross_entropy_vjp
from glassmax.functional.calibration import calibrated_logits, calibrated_logits_vjp

LOSS = "L = -sum_k y_k log(p_k); p_i = exp(c_i) / sum_m exp(c_m); c_i = s z_i + b_i"


def draw(n, k, seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal((n, k)) * 3, random.uniform(0.3, 2), random.standard_normal(k)


def value_and_slope(pullback, n, k):
    """Return the slope of <dC, C> along a random direction by central differences, and by a pullback."""
    Z, s, c = draw(n, k)
    random = np.random.default_rng(1)
    dC, RZ, Rs, Rc = random.standard_normal((n, k)), random.standard_normal((n, k)), 0.7, random.standard_normal(k)
    h = 1e-6
    there, back = ((dC * calibrated_logits(Z + t * RZ, s + t * Rs, c + t * Rc)).sum() for t in (h, -h))
    dZ, ds, dc = pullback(dC, Z, s)
    return (there - back) / (2 * h), (dZ * RZ).sum() + ds * Rs + dc @ Rc


def without_scale(dC, Z, s):
    return dC, *calibrated_logits_vjp(dC, Z, s)[1:]


def of_the_mean(dC, Z, s):
    dZ, ds, dc = calibrated_logits_vjp(dC, Z, s)
    return dZ, ds / len(Z), dc


def with_the_bias_of_a_row(dC, Z, s):
    return *calibrated_logits_vjp(dC, Z, s)[:2], dC[0]


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (40, 7)])
def test_the_pullback_is_that_of_the_correction(shape):
    numeric, exact = value_and_slope(calibrated_logits_vjp, *shape)
    assert numeric == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize("wrong", [without_scale, of_the_mean, with_the_bias_of_a_row])
def test_a_wrong_pullback_is_found(wrong):
    numeric, exact = value_and_slope(wrong, 5, 3)
    assert numeric != pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("wrt", ["s", "b", "z"])
def test_the_calculus_derives_the_same_gradients(wrt):
    derivation = derive(LOSS, wrt=wrt, assume=["sum_k y_k = 1"])
    Z, s, c = draw(1, 4)
    y = np.array([0.1, 0.2, 0.3, 0.4])
    dC = softmax_cross_entropy_vjp(1.0, calibrated_logits(Z, s, c), y[None])
    dZ, ds, dc = calibrated_logits_vjp(dC, Z, s)
    expected = {"s": ds, "b": dc, "z": dZ[0]}[wrt]
    np.testing.assert_allclose(derivation.numpy()(y=y, z=Z[0], s=s, b=c), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_corrected_logits_keep_their_dtype_and_the_logits_stay(dtype):
    Z, s, c = draw(4, 3)
    Z = Z.astype(dtype)
    before = Z.copy()
    C = calibrated_logits(Z, s, c)
    assert C.dtype == dtype
    np.testing.assert_allclose(C, s * before.astype(float) + c, rtol=1e-5 if dtype == "float32" else 1e-15, atol=1e-6)
    np.testing.assert_array_equal(Z, before)


def test_a_bias_alone_moves_the_loss_as_its_gradient_says():
    Z, s, c = draw(30, 4)
    y = np.arange(30) % 4
    dC = softmax_cross_entropy_vjp(1.0, calibrated_logits(Z, s, c), y)
    _, _, dc = calibrated_logits_vjp(dC, Z, s)
    moved = softmax_cross_entropy(calibrated_logits(Z, s, c - 1e-3 * dc), y)
    fall = softmax_cross_entropy(calibrated_logits(Z, s, c), y) - moved
    assert fall == pytest.approx(1e-3 * dc @ dc, rel=1e-2)
