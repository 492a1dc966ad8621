"""Each activation, its pullback and its second derivative: against 50 digits, at the extremes, at the kinks."""

import inspect
import pkgutil
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from mpmath import mpf

from glassmax import functional
from glassmax.functional import ACTIVATIONS, activations
from glassmax.gradcheck import check_vjp
from tests import oracle
from tests.grid import FLOATS

POINTS = np.array([s * z for z in (1e-30, 1e-8, 0.3, 1.0, 3.0, 20.0, 40.0, 200.0, 1e4, 1e30) for s in (-1, 1)])

every_activation = pytest.mark.parametrize("name", ACTIVATIONS)
every_dtype = pytest.mark.parametrize("dtype", FLOATS)


def derivative(name, Z):
    return ACTIVATIONS[name].vjp(np.ones_like(Z), Z)


def assert_close(got, true, relative, absolute):
    for z, g, t in zip(POINTS, got, true, strict=True):
        assert abs(mpf(float(g)) - t) <= relative * abs(t) + absolute, f"at {z}: {g}, but it is {float(t)}"


@every_activation
def test_values_agree_with_50_digits(name):
    assert_close(ACTIVATIONS[name].f(POINTS), [oracle.ACTIVATIONS[name](mpf(z)) for z in POINTS], 1e-13, 1e-300)


@every_activation
def test_derivatives_agree_with_50_digits(name):
    assert_close(derivative(name, POINTS), [oracle.derivative(name, mpf(z)) for z in POINTS], 1e-13, 1e-15)


@every_activation
def test_second_derivatives_agree_with_50_digits(name):
    true = [oracle.derivative(name, mpf(z), 2) for z in POINTS]
    assert_close(ACTIVATIONS[name].second(POINTS), true, 1e-13, 1e-14)


@every_activation
@pytest.mark.parametrize("method", ["complex", "central"])
def test_second_derivative_is_the_derivative_of_the_first(name, method):
    activation = ACTIVATIONS[name]

    def first(Z):
        return activation.vjp(np.ones_like(Z), Z)

    Z = np.array([[-2.5, -0.7, -0.1], [0.2, 0.9, 3.1]])
    report = check_vjp(first, lambda dOut, Z: dOut * activation.second(Z), Z, method=method)
    assert report.correct, str(report)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("relu", 0.0, 0.0),
        ("leaky_relu", 0.01, 0.0),
        ("selu", oracle.SELU_SCALE * oracle.SELU_ALPHA, oracle.SELU_SCALE * oracle.SELU_ALPHA),
        ("elu", 1.0, 1.0),
    ],
)
def test_derivatives_at_0_are_those_from_the_left(name, first, second):
    at_0, left, f_second = np.zeros(1), np.array([-1e-300]), ACTIVATIONS[name].second
    assert oracle.relative_error(derivative(name, at_0)[0], first) < 1e-15
    assert derivative(name, at_0) == derivative(name, left)
    assert oracle.relative_error(f_second(at_0)[0], second) < 1e-15
    assert f_second(at_0) == f_second(left)


@every_activation
def test_a_derivative_jumps_at_0_only_where_the_documentation_says_so(name):
    left, right = np.array([-1e-300]), np.array([1e-300])
    f_second = ACTIVATIONS[name].second
    first_jump, second_jump = derivative(name, left) - derivative(name, right), f_second(left) - f_second(right)
    assert (abs(first_jump) > 1e-3) == (name in ("relu", "leaky_relu", "selu"))
    assert (abs(second_jump) > 1e-3) == (name in ("elu", "selu"))


def test_the_documentation_states_the_derivatives_at_0():
    rows = re.findall(r"^    (\w+) +([\d.]+|slope) +([\d.]+)", activations.__doc__, flags=re.MULTILINE)
    assert {name for name, _, _ in rows} == {"relu", "leaky_relu", "selu", "elu"}
    for name, first, second in rows:
        slope = inspect.signature(functional.leaky_relu).parameters["slope"].default
        stated = np.array([slope if first == "slope" else float(first), float(second)])
        at_0 = [derivative(name, np.zeros(1))[0], ACTIVATIONS[name].second(np.zeros(1))[0]]
        np.testing.assert_allclose(at_0, stated, rtol=1e-4)


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
def test_leaky_relu_takes_the_slope_that_it_is_given(slope):
    Z = np.array([-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(functional.leaky_relu(Z, slope), [-2 * slope, 0, 3])
    np.testing.assert_array_equal(functional.leaky_relu_vjp(np.ones(3), Z, slope), [slope, slope, 1])
    np.testing.assert_array_equal(functional.leaky_relu_second(Z, slope), np.zeros(3))


@every_activation
@every_dtype
def test_dtype_is_kept(name, dtype):
    activation, Z = ACTIVATIONS[name], np.array([[-1.5, 0.0, 0.25]], dtype)
    for result in (activation.f(Z), activation.vjp(Z, Z), activation.second(Z)):
        assert result.dtype == dtype
        assert result.shape == Z.shape


@every_activation
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_narrow_dtypes_agree_with_float64_to_their_own_precision(name, dtype):
    Z = np.linspace(-6, 6, 41).astype(dtype)
    wide, tolerance = Z.astype(np.float64), 16 * np.finfo(dtype).eps
    np.testing.assert_allclose(ACTIVATIONS[name].f(Z), ACTIVATIONS[name].f(wide), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(derivative(name, Z), derivative(name, wide), rtol=tolerance, atol=tolerance)


@every_activation
@every_dtype
def test_no_finite_input_makes_a_nan(name, dtype):
    largest = np.finfo(dtype).max
    Z = np.array([s * z for z in (largest, largest / 2, 4 * np.sqrt(largest), 300) for s in (-1, 1)], dtype)
    activation = ACTIVATIONS[name]
    assert not np.isnan(activation.f(Z)).any()
    assert np.isfinite(derivative(name, Z)).all()
    assert np.isfinite(activation.second(Z)).all()


@every_activation
def test_nan_stays_in_its_entry(name):
    Z = np.array([0.5, np.nan, -0.5])
    A = ACTIVATIONS[name].f(Z)
    assert np.isnan(A).tolist() == [False, True, False]
    np.testing.assert_array_equal(A[[0, 2]], ACTIVATIONS[name].f(Z[[0, 2]]))
    assert np.isfinite(derivative(name, Z)[[0, 2]]).all()


@every_activation
@given(Z=hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0), elements=st.floats(-30, 30)))
def test_every_entry_is_on_its_own_whatever_the_shape(name, Z):
    activation = ACTIVATIONS[name]
    before = Z.copy()
    results = activation.f(Z), activation.vjp(Z, Z), activation.second(Z)
    for result, f in zip(results, (activation.f, lambda z: activation.vjp(z, z), activation.second), strict=True):
        assert np.shape(result) == Z.shape
        one_by_one = np.array([f(z) for z in Z.ravel()]).reshape(Z.shape)
        np.testing.assert_allclose(result, one_by_one, rtol=1e-14, atol=1e-300)  # SIMD and scalar loops may round apart
    np.testing.assert_array_equal(Z, before)


@every_activation
def test_results_never_share_memory_with_the_input(name):
    Z = np.array([0.5, 1.5])
    activation = ACTIVATIONS[name]
    for result in (activation.f(Z), activation.vjp(Z, Z), activation.second(Z)):
        assert not np.shares_memory(result, Z)


@every_activation
def test_whole_numbers_are_read_as_float64(name):
    np.testing.assert_array_equal(ACTIVATIONS[name].f([-2, 0, 3]), ACTIVATIONS[name].f(np.array([-2.0, 0.0, 3.0])))


def test_every_activation_has_a_file_of_its_own():
    files = {module.name for module in pkgutil.iter_modules(activations.__path__)}
    assert files == {*ACTIVATIONS, "activation"}
    for name, activation in ACTIVATIONS.items():
        assert {f.__module__ for f in activation[1:]} == {f"{activations.__name__}.{name}"}
        assert [f.__name__ for f in activation[1:]] == [name, f"{name}_vjp", f"{name}_second"]


def test_the_prompt_shows_an_activation_by_its_name():
    assert repr(ACTIVATIONS["relu"]) == "<activation relu: f, vjp, second>"


def test_the_oracle_knows_every_activation():
    assert set(oracle.ACTIVATIONS) == set(ACTIVATIONS)
