"""Calibration: the fitted numbers minimize what they should, and hostile rows do no harm."""

import numpy as np
import pytest
from scipy.optimize import minimize

from glassmax.calibration import Calibration, fit_scale
from glassmax.errors import LabelError, OptionError, ShapeError
from glassmax.functional import softmax, softmax_cross_entropy


def rows_of(n, k, scale, bias=None, seed=0):
    """Draw logits, and classes with the probabilities softmax(scale Z + bias)."""
    random = np.random.default_rng(seed)
    Z = random.standard_normal((n, k)) * 2
    P = softmax(scale * Z + (0 if bias is None else bias))
    return Z, (random.random((n, 1)) > P.cumsum(axis=1)).sum(axis=1)


def penalized(Z, y, w, scale, bias):
    """The loss of the docstring, row by row."""
    losses = [float(softmax_cross_entropy(scale * z + bias, c)) for z, c in zip(Z, y, strict=True)]
    prior = (np.log(scale) / 0.5) ** 2 + ((bias / 0.3) ** 2).sum()
    return np.average(losses, weights=w) + prior / (2 * np.count_nonzero(w))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_fit_minimizes_the_loss_of_its_docstring(k, weighted):
    Z, y = rows_of(40, k, 0.5, np.linspace(-1, 1, k))
    w = np.arange(40.0) % 3 if weighted else np.ones(40)
    found = Calibration.fit(Z, y, w if weighted else None, bias=True)
    least = minimize(lambda t: penalized(Z, y, w, np.exp(t[0]), t[1:]), np.zeros(1 + k), tol=1e-10)
    np.testing.assert_allclose([np.log(found.scale), *found.bias], least.x, atol=2e-4)
    alone = Calibration.fit(Z, y, w if weighted else None, bias=False)
    assert alone.bias is None
    shorter = minimize(lambda t: penalized(Z, y, w, np.exp(t[0]), np.zeros(k)), np.zeros(1), tol=1e-10)
    assert np.log(alone.scale) == pytest.approx(shorter.x[0], abs=2e-4)


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_the_temperature_of_the_rows_is_found(scale):
    found = Calibration.fit(*rows_of(20_000, 4, scale))
    assert found.scale == pytest.approx(scale, rel=0.04)


def test_biases_are_fitted_where_they_help_and_left_out_where_they_do_not():
    bias = np.array([0.6, 0.0, -0.6])
    found = Calibration.fit(*rows_of(3000, 3, 1.0, bias))
    np.testing.assert_allclose(found.bias - found.bias.mean(), bias, atol=0.1)
    assert Calibration.fit(*rows_of(300, 10, 1.0)).bias is None


def test_calibrated_logits_have_a_lower_log_loss():
    Z, y = rows_of(5000, 5, 0.4)
    before, after = softmax_cross_entropy(Z, y), softmax_cross_entropy(Calibration.fit(Z, y).logits(Z), y)
    assert after < 0.9 * before


def test_rows_of_weight_0_do_not_count():
    Z, y = rows_of(200, 3, 0.5)
    spoiled, w = np.vstack([Z, -50 * np.eye(3)]), np.append(np.ones(200), np.zeros(3))
    found = Calibration.fit(spoiled, np.append(y, [0, 1, 2]), w, bias=True)
    expected = Calibration.fit(Z, y, bias=True)
    assert found.scale == pytest.approx(expected.scale, rel=1e-5)
    np.testing.assert_allclose(found.bias, expected.bias, atol=1e-5)


def test_there_is_one_temperature():
    Z, y = rows_of(60, 3, 0.5)
    w = np.arange(60.0) % 2
    expected = fit_scale(Z[1::2], y[1::2])
    assert fit_scale(Z, y, w) == pytest.approx(expected, rel=1e-9)
    assert Calibration.fit(Z, y, w, bias=False).scale == pytest.approx(expected, rel=1e-9)
    assert fit_scale(Z, np.eye(3)[y], w) == pytest.approx(expected, rel=1e-9)


HOSTILE = {
    "one row": (np.array([[1.0, 2.0]]), np.array([0])),
    "all right": (np.tile([9.0, 0.0, 0.0], (50, 1)), np.zeros(50, int)),
    "all wrong": (np.tile([9.0, 0.0, 0.0], (50, 1)), np.ones(50, int)),
    "all the same": (np.zeros((50, 3)), np.arange(50) % 3),
    "huge logits": (np.eye(3)[np.arange(60) % 3] * 1e30, np.arange(60) % 3),
    "one class": (np.ones((5, 1)), np.zeros(5, int)),
    "a class that no row has": (rows_of(30, 3, 1.0)[0], np.arange(30) % 2),
    "float32": (rows_of(30, 3, 1.0)[0].astype(np.float32), np.arange(30) % 3),
    "few rows of many classes": (rows_of(6, 40, 1.0)[0], np.arange(6)),
    "no row": (np.zeros((0, 3)), np.zeros(0, int)),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("bias", [None, True, False])
def test_hostile_rows_give_finite_numbers(case, bias):
    Z, y = HOSTILE[case]
    found = Calibration.fit(Z, y, bias=bias)
    assert 1e-6 < found.scale < 1e6
    assert found.bias is None or np.isfinite(found.bias).all()
    assert found.logits(Z).dtype == Z.dtype


def test_weights_that_are_all_0_leave_the_logits_as_they_are():
    assert Calibration.fit(np.eye(3), np.arange(3), np.zeros(3)).scale == 1


WRONG = {
    "scale is 0.0, expected a number > 0.": (OptionError, lambda: Calibration(0.0)),
    "scale is 'a', expected a number > 0.": (OptionError, lambda: Calibration("a")),
    "scale is True, expected a number > 0.": (OptionError, lambda: Calibration(True)),
    "bias holds <U1 values, expected numbers. Convert it to floats first.": (
        ShapeError,
        lambda: Calibration(1.0, ["a", "b"]),
    ),
    "bias has rows of different lengths, expected a rectangular array.": (
        ShapeError,
        lambda: Calibration(1.0, [[1], [1, 2]]),
    ),
    "The bias is (0,), expected (k,) finite numbers.": (ShapeError, lambda: Calibration(1.0, [])),
    "The bias is (), expected (k,) finite numbers.": (ShapeError, lambda: Calibration(1.0, 2)),
    "scale is inf, expected a number > 0.": (OptionError, lambda: Calibration(np.inf)),
    "scale is nan, expected a number > 0.": (OptionError, lambda: Calibration(np.nan)),
    "The bias is (1, 2), expected (k,) finite numbers.": (ShapeError, lambda: Calibration(1.0, np.zeros((1, 2)))),
    "The bias is (2,), expected (k,) finite numbers.": (ShapeError, lambda: Calibration(1.0, np.array([0, np.nan]))),
    "Label 5 in row 0 is not a class: classes are 0 to 1.": (
        LabelError,
        lambda: Calibration.fit(np.zeros((1, 2)), np.array([5])),
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_no_calibration_is_an_error(message):
    kind, call = WRONG[message]
    with pytest.raises(kind) as caught:
        call()
    if kind is not LabelError:
        assert str(caught.value) == message


def test_a_calibration_takes_lists_and_whole_numbers():
    calibration = Calibration(2, [1, 2])
    assert (calibration.scale, type(calibration.scale)) == (2.0, float)
    np.testing.assert_array_equal(calibration.logits(np.array([[1.0, 0.0]])), [[3.0, 2.0]])
