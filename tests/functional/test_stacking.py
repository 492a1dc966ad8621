"""Stacked and scaled logits: each value with its derivatives, classes and candidates; planted mistakes are found."""

import numpy as np
import pytest

from glassmax import derive
from glassmax.functional import softmax_candidate_cross_entropy, softmax_cross_entropy
from glassmax.functional.calibration import scaled_cross_entropy
from glassmax.functional.stacking import stacked_cross_entropy, stacking_penalty
from tests.grid import candidates

H = 1e-5


def draw(n=30, k=4, models=3, *, sets=False):
    random = np.random.default_rng(0)
    Zs = [2 * random.standard_normal((n, k)) for _ in range(models)]
    y = candidates((n, k), random) if sets else random.integers(k, size=n)
    if sets:
        y[np.arange(n), random.integers(k, size=n)] = 1
    return random.normal(size=models) / 2, Zs, y, np.arange(n) % 3 * random.uniform(0.5, 2, n)


def loss_of(Z, y, w):
    loss = softmax_candidate_cross_entropy if y.ndim == 2 else softmax_cross_entropy
    return float(loss(Z, y, sample_weight=w))


def slopes(f, a):
    """Return the gradient of f by central differences."""
    return np.array([(f(a + H * one) - f(a - H * one)) / (2 * H) for one in np.eye(len(a))])


@pytest.mark.parametrize("sets", [False, True])
@pytest.mark.parametrize("models", [1, 3])
def test_the_stacked_loss_and_its_gradient(models, sets):
    a, Zs, y, w = draw(models=models, sets=sets)
    loss, gradient = stacked_cross_entropy(a, Zs, y, w)
    assert loss == pytest.approx(loss_of(sum(np.exp(t) * Z for t, Z in zip(a, Zs, strict=True)), y, w), rel=1e-12)
    np.testing.assert_allclose(gradient, slopes(lambda b: stacked_cross_entropy(b, Zs, y, w)[0], a), rtol=1e-7)


def test_the_penalty_and_its_gradient():
    a = np.array([-0.5, 0.3, -2.0])
    penalty, gradient = stacking_penalty(a, 0.5)
    assert penalty == pytest.approx(a.var() * 3 + 2 * np.log(np.exp(a).sum()) ** 2)
    np.testing.assert_allclose(gradient, slopes(lambda b: stacking_penalty(b, 0.5)[0], a), rtol=1e-7)


@pytest.mark.parametrize("sets", [False, True])
def test_the_scaled_loss_its_slope_and_its_curvature(sets):
    _, (Z,), y, w = draw(models=1, sets=sets)
    loss, slope, curvature = scaled_cross_entropy(0.3, Z, y, w)
    assert loss == pytest.approx(loss_of(np.exp(0.3) * Z, y, w), rel=1e-12)
    (first,) = slopes(lambda a: scaled_cross_entropy(float(a[0]), Z, y, w)[0], np.array([0.3]))
    (second,) = slopes(lambda a: scaled_cross_entropy(float(a[0]), Z, y, w)[1], np.array([0.3]))
    assert (slope, curvature) == pytest.approx((first, second), rel=1e-7)
    assert stacked_cross_entropy(np.array([0.3]), [Z], y, w)[1] == pytest.approx([slope], rel=1e-12)


WRONG = {
    "without the weight of the model": lambda a, gradient: gradient / np.exp(a),
    "by the weight, not by its logarithm": lambda a, gradient: gradient * np.exp(a),
    "of the first model alone": lambda a, gradient: gradient[[0, 0, 0]],
    "of the other sign": lambda a, gradient: -gradient,
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_gradient_is_found(mistake):
    a, Zs, y, w = draw()
    wrong = WRONG[mistake](a, stacked_cross_entropy(a, Zs, y, w)[1])
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(wrong, slopes(lambda b: stacked_cross_entropy(b, Zs, y, w)[0], a), rtol=1e-3)


def test_a_curvature_without_the_slope_is_found():
    _, (Z,), y, w = draw(models=1)
    _, slope, curvature = scaled_cross_entropy(0.3, Z, y, w)
    (second,) = slopes(lambda a: scaled_cross_entropy(float(a[0]), Z, y, w)[1], np.array([0.3]))
    assert curvature - slope != pytest.approx(second, rel=1e-2)


def test_the_calculus_derives_the_same_gradient():
    derivation = derive("L = -sum_k y_k log(p_k); p_i = exp(c_i) / sum_m exp(c_m); c_i = exp(a) z_i + u_i", wrt="a")
    Z, U, y = np.array([[1.0, -2.0, 0.5]]), np.array([[0.3, 0.1, -1.0]]), np.array([0, 0, 1])
    gradient = stacked_cross_entropy(np.array([0.4, 0.0]), [Z, U], np.array([2]), np.ones(1))[1]
    assert derivation.numpy()(y=y, z=Z[0], u=U[0], a=0.4) == pytest.approx(gradient[0], rel=1e-12)


@pytest.mark.parametrize("sets", [False, True])
def test_many_rows_are_summed_block_by_block(monkeypatch, sets):
    a, Zs, y, w = draw(sets=sets)
    whole, scaled = stacked_cross_entropy(a, Zs, y, w), scaled_cross_entropy(0.3, Zs[0], y, w)
    monkeypatch.setattr("glassmax.functional.arrays.BLOCK_NUMBERS", 28)
    loss, gradient = stacked_cross_entropy(a, Zs, y, w)
    np.testing.assert_allclose([loss, *gradient], [whole[0], *whole[1]], rtol=1e-12)
    np.testing.assert_allclose(scaled_cross_entropy(0.3, Zs[0], y, w), scaled, rtol=1e-12)
