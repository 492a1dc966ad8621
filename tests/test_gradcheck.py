"""Gradient checking: every pullback of glassmax passes it, every wrong one that people write fails it."""

from functools import partial
from itertools import product

import numpy as np
import pytest

from glassmax import functional, gradcheck
from glassmax.errors import OptionError, ShapeError
from glassmax.functional import (
    ACTIVATIONS,
    affine,
    affine_vjp,
    l2,
    l2_vjp,
    log_softmax,
    log_softmax_vjp,
    periodic,
    periodic_vjp,
    piecewise_linear,
    piecewise_linear_vjp,
    softmax,
    softmax_cross_entropy,
    softmax_vjp,
    squared_error,
)
from glassmax.gradcheck import Check, Report, check_gradients, check_vjp, numeric_gradient
from tests.grid import KINDS, LOSS_FUNCTIONS, REDUCTIONS, one_hot, predictions, target

METHODS = ["complex", "central"]
VJP = ("", "_vjp")
both_methods = pytest.mark.parametrize("method", METHODS)


# --- Every f of glassmax.functional with its f_vjp ---


def pullbacks():
    """Every f with its f_vjp as `check_vjp` takes them, and a point: name -> (f, f_vjp, inputs)."""
    draw = np.random.default_rng(0)
    Z = np.array([[0.4, -1.3, 2.2, -0.2], [-3.0, 0.7, 1.1, 0.1], [5.0, 5.5, -4.0, 0.3]])
    X, W, b = draw.standard_normal((2, 5, 3)), draw.standard_normal((3, 4)), draw.standard_normal(4)
    table = {name: (activation.f, activation.vjp, (Z,)) for name, activation in ACTIVATIONS.items()}
    table["affine"] = (affine, lambda dZ, X, W, b: affine_vjp(dZ, X, W), (X, W, b))
    table["softmax"] = (softmax, lambda dP, Z: softmax_vjp(dP, softmax(Z)), (Z,))
    table["log_softmax"] = (log_softmax, lambda dQ, Z: log_softmax_vjp(dQ, log_softmax(Z)), (Z,))
    F, H, V, C = (draw.standard_normal(shape) for shape in [(3, 4), (3, 4), (3, 4, 2), (3, 2)])
    table["periodic"] = (periodic, lambda dOut, X, F, H, V, C: periodic_vjp(dOut, X, F, H, V), (X[0], F, H, V, C))
    edges = np.array([-2.0, -0.5, 0.25, 3.0])
    table["piecewise_linear"] = (
        partial(piecewise_linear, edges=edges),
        partial(piecewise_linear_vjp, edges=edges),
        (Z[0],),
    )
    table["l2"] = (partial(l2, strength=0.3), partial(l2_vjp, strength=0.3), (W,))
    for name, kind, weighted, reduction in product(LOSS_FUNCTIONS, KINDS, [False, True], REDUCTIONS):
        loss, shape = LOSS_FUNCTIONS[name][0], (5, 3)
        options = {"target": target(kind, loss, shape, draw), "reduction": reduction}
        if weighted:
            options |= {"sample_weight": draw.uniform(0, 2, 5)}
        if loss == "cross_entropy" and weighted:
            options |= {"label_smoothing": 0.1}
        if loss == "squared_error" and weighted:
            options |= {"factor": 1.0}
        f, f_vjp = getattr(functional, name), getattr(functional, f"{name}_vjp")
        label = f"{name}, {kind}, {reduction}{', weighted' * weighted}"
        table[label] = (partial(f, **options), partial(f_vjp, **options), (predictions(name, shape, draw),))
    return table | of_whole_layers(X[0], W, b)


def of_whole_layers(X, W, b):
    """The losses of a whole layer, from its inputs and its weights."""
    y = np.array([0, 3, 1, 2, 0])
    linear, linear_vjp = (partial(getattr(functional, f"linear_softmax_cross_entropy{vjp}"), target=y) for vjp in VJP)
    given = {"target": y, "samples": 3, "seed": 1}
    sampled, sampled_vjp = (partial(getattr(functional, f"sampled_softmax_cross_entropy{vjp}"), **given) for vjp in VJP)
    log_softmax_of, log_softmax_of_vjp = (getattr(functional, f"adaptive_log_softmax{vjp}") for vjp in VJP)
    adaptive, adaptive_vjp = (getattr(functional, f"adaptive_softmax_cross_entropy{vjp}") for vjp in VJP)

    def sampled_dense_vjp(dL, X, W, b):
        dX, dW, db = sampled_vjp(dL, X, W, b)
        return dX, dW.toarray(), db

    def flat(gradients):
        dX, dW, ((dV, dU),) = gradients
        return dX, dW, dV, dU

    head, V, U = W[:, :3], W[:, 2:], np.array([[0.3, -0.2], [0.1, 0.5]])  # two classes, and a cluster of two
    return {
        "linear_softmax_cross_entropy": (linear, linear_vjp, (X, W, b)),
        "sampled_softmax_cross_entropy": (sampled, sampled_dense_vjp, (X, W, b)),
        "adaptive_log_softmax": (
            lambda X, W, V, U: log_softmax_of(X, W, [(V, U)]),
            lambda dQ, X, W, V, U: flat(log_softmax_of_vjp(dQ, X, W, [(V, U)])),
            (X, head, V, U),
        ),
        "adaptive_softmax_cross_entropy": (
            lambda X, W, V, U: adaptive(X, W, [(V, U)], y),
            lambda dL, X, W, V, U: flat(adaptive_vjp(dL, X, W, [(V, U)], y)),
            (X, head, V, U),
        ),
    }


PULLBACKS = pullbacks()
every_pullback = pytest.mark.parametrize("name", PULLBACKS)


def test_no_pullback_of_functional_is_forgotten():
    with_pullback = {name for name in functional.__all__ if f"{name}_vjp" in functional.__all__}
    assert {name.split(",")[0] for name in PULLBACKS} == with_pullback


@every_pullback
@both_methods
def test_every_f_vjp_is_the_pullback_of_its_f(name, method):
    f, f_vjp, inputs = PULLBACKS[name]
    report = check_vjp(f, f_vjp, *inputs, method=method)
    assert report.correct, str(report)
    assert method == "central" or report.error < 1e-12


@every_pullback
@both_methods
@pytest.mark.parametrize("factor", [-1.0, 2.0, 1.001])
def test_a_multiple_of_the_right_pullback_is_wrong(name, method, factor):
    f, f_vjp, inputs = PULLBACKS[name]

    def wrong_vjp(dOut, *inputs):
        pulled = f_vjp(dOut, *inputs)
        return tuple(factor * cotangent for cotangent in pulled) if isinstance(pulled, tuple) else factor * pulled

    assert not any(line.correct for line in check_vjp(f, wrong_vjp, *inputs, method=method))


# --- The wrong ones that people write ---

SQUARE = np.array([[1.0, 2.0, -1.0], [0.5, -0.3, 0.7], [0.2, 1.5, -2.0]])
LABELS = [0, 2, 1]
Y = one_hot(LABELS, 3)
SOFT = np.array([[0.5, 1.0, 0.2], [2.0, 0.3, 0.3], [0.1, 0.1, 0.1]])


def jacobian_summed_over_its_rows(dP, Z):
    return dP * functional.softmax_jacobian(Z).sum(axis=-1)


def diagonal_of_the_jacobian(dP, Z):
    P = softmax(Z)
    return dP * P * (1 - P)


def jacobian_applied_again(dL, Z):
    P = softmax(Z)
    return dL * softmax_vjp((P - Y) / len(Z), P)


def rowsum_of_soft_targets_forgotten(dL, Z):
    return dL * (softmax(Z) - SOFT) / len(Z)


def not_divided_by_n(dL, Z):
    return dL * (softmax(Z) - Y)


def divided_by_n_twice(dL, Z):
    return dL * (softmax(Z) - Y) / len(Z) ** 2


def y_minus_p(dL, Z):
    return dL * (Y - softmax(Z)) / len(Z)


def p_minus_y_under_squared_error(dL, Z):
    return dL * (softmax(Z) - Y) / len(Z)


def in_place_on_an_alias_of_p(dL, Z):
    P = softmax(Z)
    dP = P
    dP -= Y
    return dL * softmax_vjp(dP / len(Z), P)


def weights_transposed(dZ, X, W, b):
    return dZ @ W, X.T @ dZ, dZ.sum(axis=0)


def gradient_of_the_weights_transposed(dZ, X, W, b):
    return dZ @ W.T, dZ.T @ X, dZ.sum(axis=0)


def hadamard_for_a_matrix_product(dZ, X, W, b):
    return dZ * W, X * dZ, dZ.sum(axis=0)


def bias_of_the_first_row_alone(dZ, X, W, b):
    return dZ @ W.T, X.T @ dZ, dZ[0]


def bias_averaged_over_the_batch(dZ, X, W, b):
    return dZ @ W.T, X.T @ dZ, dZ.mean(axis=0)


def bias_summed_over_the_units(dZ, X, W, b):
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=1)


def weights_moved_before_the_error_goes_down(dZ, X, W, b):
    dW = X.T @ dZ
    return dZ @ (W - 0.1 * dW).T, dW, dZ.sum(axis=0)


def cross_entropy_of(target):
    return lambda Z: softmax_cross_entropy(Z, target)


def squared_error_of_softmax(Z):
    return squared_error(softmax(Z), LABELS)


PLANTED = [
    (softmax, jacobian_summed_over_its_rows, "0"),
    (softmax, diagonal_of_the_jacobian, "0"),
    (cross_entropy_of(LABELS), jacobian_applied_again, "0"),
    (cross_entropy_of(SOFT), rowsum_of_soft_targets_forgotten, "0"),
    (cross_entropy_of(LABELS), not_divided_by_n, "0"),
    (cross_entropy_of(LABELS), divided_by_n_twice, "0"),
    (cross_entropy_of(LABELS), y_minus_p, "0"),
    (squared_error_of_softmax, p_minus_y_under_squared_error, "0"),
    (squared_error_of_softmax, in_place_on_an_alias_of_p, "0"),
    (affine, weights_transposed, "0"),
    (affine, gradient_of_the_weights_transposed, "1"),
    (affine, hadamard_for_a_matrix_product, "01"),
    (affine, bias_of_the_first_row_alone, "2"),
    (affine, bias_averaged_over_the_batch, "2"),
    (affine, bias_summed_over_the_units, "2"),
    (affine, weights_moved_before_the_error_goes_down, "0"),
]
"""f, its wrong pullback, and which inputs' cotangents are wrong."""


@pytest.mark.parametrize(("f", "wrong_vjp", "wrong"), PLANTED, ids=[planted[1].__name__ for planted in PLANTED])
@both_methods
def test_a_planted_mistake_is_found_in_its_place(f, wrong_vjp, wrong, method):
    inputs = (SQUARE + 0.1, SQUARE, SQUARE[0]) if f is affine else (SQUARE,)
    report = check_vjp(f, wrong_vjp, *inputs, method=method)
    assert "".join(line.name for line in report if not line.correct) == wrong, str(report)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"identity", "relu", "leaky_relu"}))
@both_methods
def test_a_derivative_fed_with_a_for_z_is_wrong(name, method):
    """For the three left out it is right by accident: their derivative sees the sign alone, which A has from Z."""
    f, f_vjp = ACTIVATIONS[name].f, ACTIVATIONS[name].vjp
    assert not check_vjp(f, lambda dA, Z: f_vjp(dA, f(Z)), SQUARE, method=method).correct


def test_a_bias_gradient_that_kept_the_batch_axis_is_refused():
    with pytest.raises(ShapeError, match=r"f_vjp returned \(3, 3\) for input 2, expected its shape, \(3,\)"):
        check_vjp(affine, lambda dZ, X, W, b: (dZ @ W.T, X.T @ dZ, dZ), SQUARE, SQUARE, SQUARE[0])


# --- How well it measures ---


def test_the_complex_step_is_right_to_the_last_digits():
    x = np.array([1e-8, 0.3, 2.0, 30.0])
    got = numeric_gradient(lambda x: np.sum(np.exp(x) * np.sin(x)), x, method="complex")
    np.testing.assert_allclose(got, np.exp(x) * (np.sin(x) + np.cos(x)), rtol=1e-14)


def test_central_differences_are_right_to_nine_digits():
    x = np.array([[0.1, -0.5], [1.0, 2.0]])
    got = numeric_gradient(lambda x: np.sum(np.sin(x)), x)
    assert got.shape == (2, 2)
    np.testing.assert_allclose(got, np.cos(x), rtol=1e-9)


def test_the_step_of_a_numeric_gradient_can_be_chosen():
    gradient = numeric_gradient(lambda x: np.sum(x**3), [1.0], step=0.5)
    assert gradient == pytest.approx(3 + 0.25)  # (1.5^3 - 0.5^3) / 1: the h^2 term is there to be seen


@both_methods
def test_a_function_of_a_number_is_measured_like_one_of_an_array(method):
    assert check_vjp(np.sin, lambda dOut, x: dOut * np.cos(x), 0.7, method=method).correct
    assert numeric_gradient(np.sin, 0.7, method=method) == pytest.approx(np.cos(0.7), rel=1e-9)


def test_directions_that_cross_a_kink_are_drawn_again_and_counted():
    Z = np.array([2e-8, 1.0, -1.0, 2.0, 0.5, -0.5, 3.0, -2.0])
    report = check_vjp(functional.relu, functional.relu_vjp, Z, method="central", directions=20)
    assert report.correct, str(report)
    assert report["0"].rough > 0
    assert report["0"].directions == 20
    assert f"({report['0'].rough} directions were too rough and drawn again)" in str(report)


def test_a_wrong_pullback_near_a_kink_is_still_found():
    Z = np.array([2e-8, 1.0, -1.0, 2.0, 0.5, -0.5, 3.0, -2.0])
    report = check_vjp(functional.relu, lambda dA, Z: dA * (Z > -0.7), Z, method="central")
    assert not report.correct
    assert report.error > 0.01


def test_at_a_kink_nothing_can_be_measured_and_nothing_is_called_correct():
    report = check_vjp(functional.relu, functional.relu_vjp, np.zeros(3), method="central")
    assert not report.correct
    assert report["0"].directions == 0
    assert "not measured" in str(report)
    assert np.isnan(report.error)


@pytest.mark.parametrize("nan_first", [True, False])
def test_the_error_of_a_report_is_nan_where_one_check_could_not_be_measured(nan_first):
    checks = [Check("a", (), float("nan"), 0, 20, False), Check("b", (), 0.1, 4, 0, False)]
    assert np.isnan(Report(tuple(checks if nan_first else checks[::-1]), "central", 1e-6).error)


def test_a_function_that_drops_the_imaginary_part_is_named():
    message = "the function returned real numbers for complex input: somewhere it drops the imaginary part"
    with pytest.raises(OptionError, match=message):
        check_vjp(lambda x: np.abs(x), lambda dOut, x: dOut * np.sign(x), [1.0, -2.0])
    with pytest.raises(OptionError, match=message):
        numeric_gradient(lambda x: np.sum(x.real), [1.0], method="complex")


# --- A whole set of gradients ---


def loss_of_two_layers(p):
    return 1e3 * np.sum(p["large"] ** 2) + np.sum(np.sin(p["small"]))


POINT = {"large": np.array([[1.0, -2.0], [3.0, 4.0]]), "small": np.array([0.1, 0.2])}
RIGHT = {"large": 2e3 * POINT["large"], "small": np.cos(POINT["small"])}


def test_right_gradients_are_correct_by_both_methods():
    assert check_gradients(loss_of_two_layers, POINT, RIGHT, method="complex").error < 1e-12
    assert check_gradients(loss_of_two_layers, POINT, RIGHT, method="central").correct


@both_methods
def test_an_error_in_a_small_layer_is_not_hidden_by_a_large_one(method):
    report = check_gradients(loss_of_two_layers, POINT, RIGHT | {"small": 1.1 * RIGHT["small"]}, method=method)
    assert report["large"].correct
    assert not report["small"].correct
    assert report["small"].error == pytest.approx(0.1 / 1.1, rel=1e-3)


@pytest.mark.parametrize("scale", [1e-3, 1e-6, 1e-9, 1e-12, 1e-30])
@both_methods
def test_tiny_gradients_that_are_right_raise_no_false_alarm(scale, method):
    report = check_gradients(
        lambda p: 1.0 + scale * np.sum(np.sin(p["w"])),
        {"w": [0.1, 0.2]},
        {"w": scale * np.cos([0.1, 0.2])},
        method=method,
    )
    assert "WRONG" not in str(report)
    # What the rounding of a loss of 1 drowns is not called correct either; the complex step sees it all the same.
    assert report.correct == (method == "complex" or scale >= 1e-6), str(report)


@pytest.mark.parametrize(
    ("method", "scale"), [("complex", 1e-3), ("complex", 1e-30), ("central", 1e-3), ("central", 1e-9)]
)
def test_tiny_gradients_that_are_wrong_are_caught(method, scale):
    report = check_gradients(
        lambda p: 1.0 + scale * np.sum(np.sin(p["w"])),
        {"w": [0.1, 0.2]},
        {"w": scale * np.sin([0.1, 0.2])},
        method=method,
    )
    assert not report.correct


@both_methods
def test_a_gradient_of_nothing_is_0_and_correct(method):
    report = check_gradients(lambda p: 0.0 * np.sum(p["w"]), {"w": [0.1, 0.2]}, {"w": [0.0, 0.0]}, method=method)
    assert report.correct
    assert report.error == 0


@both_methods
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_is_wrong(bad, method):
    report = check_gradients(loss_of_two_layers, POINT, RIGHT | {"small": [bad, 1.0]}, method=method)
    assert not report["small"].correct
    assert report["large"].correct


def test_one_wrong_cell_of_many_is_found():
    w = np.linspace(-1, 1, 500)
    gradient = 3 * w**2
    gradient[123] += 0.01
    assert not check_gradients(lambda p: np.sum(p["w"] ** 3), {"w": w}, {"w": gradient}).correct


def test_the_tolerance_is_the_callers_to_choose():
    point, nearly = {"w": [1.0, 2.0]}, {"w": [2.002, 4.004]}
    assert not check_gradients(lambda p: np.sum(p["w"] ** 2), point, nearly).correct
    assert check_gradients(lambda p: np.sum(p["w"] ** 2), point, nearly, tolerance=0.01).correct
    assert check_vjp(np.sin, lambda dOut, x: 1.001 * dOut * np.cos(x), 0.7, tolerance=0.01).correct


def test_the_same_seed_measures_the_same_directions():
    wrong = RIGHT | {"small": RIGHT["small"] + 0.01}
    errors = [check_gradients(loss_of_two_layers, POINT, wrong, random_state=seed).error for seed in (0, 0, 1)]
    assert errors[0] == errors[1] != errors[2]


def test_the_report_is_a_table_with_a_verdict():
    report = check_gradients(loss_of_two_layers, POINT, RIGHT | {"small": 2 * RIGHT["small"]}, method="complex")
    assert str(report).splitlines() == [
        "parameter  shape   relative error  verdict",
        "large      (2, 2)         < 1e-12  correct",
        "small      (2,)           5.0e-01  WRONG",
        "WRONG: small disagrees with the complex step (tolerance 1e-10)",
    ]
    both = check_gradients(loss_of_two_layers, POINT, {name: 2 * slope for name, slope in RIGHT.items()})
    assert str(both).splitlines()[-1] == "WRONG: large, small disagree with central differences (tolerance 1e-06)"
    assert str(check_gradients(loss_of_two_layers, POINT, RIGHT)).splitlines()[-1] == (
        "correct: each derivative agrees with central differences to 1e-06"
    )


def test_the_prompt_shows_the_table_of_a_report_and_a_line_of_a_check():
    report = check_gradients(loss_of_two_layers, POINT, RIGHT | {"small": 2 * RIGHT["small"]}, method="complex")
    assert repr(report) == str(report)
    assert [repr(check) for check in report] == [
        "large (2, 2): relative error < 1e-12, correct",
        "small (2,): relative error 5.0e-01, WRONG",
    ]
    assert report["small"] == report.checks[1]


def test_dir_of_gradcheck_shows_the_public_names():
    assert dir(gradcheck) == sorted(gradcheck.__all__)


# --- Derivatives whose terms cancel ---


def centred(p):
    """The mean over the rows is subtracted, so that the bias cancels."""
    Z = SQUARE @ p["W"] + p["b"]
    Z = Z - Z.mean(axis=0)
    return softmax_cross_entropy(Z * Z, LABELS)


def gradients_of_centred(p):
    Z = SQUARE @ p["W"] + p["b"]
    Z = Z - Z.mean(axis=0)
    dZ = 2 * Z * (softmax(Z * Z) - Y) / 3
    dZ = dZ - dZ.mean(axis=0)
    return {"W": SQUARE.T @ dZ, "b": dZ.sum(axis=0)}


@both_methods
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("added", [0, 1e-6, 1e-3])
def test_a_derivative_that_is_rounding_beside_the_others_is_0(method, seed, added):
    draw = np.random.default_rng(seed)
    point = {"W": draw.standard_normal((3, 3)), "b": draw.standard_normal(3)}
    gradients = gradients_of_centred(point)
    assert np.abs(gradients["b"]).max() < 1e-15
    report = check_gradients(centred, point, gradients | {"b": gradients["b"] + added}, method=method)
    assert report["W"].correct
    assert report["b"].correct == (added == 0), str(report)
    if not added:
        assert report["b"].error == 0


@both_methods
def test_an_input_that_can_not_matter_has_a_pullback_of_0(method):
    def shifted(Z, c):
        return softmax(Z + c)

    def shifted_vjp(dP, Z, c):
        dZ = softmax_vjp(dP, softmax(Z + c))
        return dZ, dZ.sum(axis=-1, keepdims=True)

    def not_summed(dP, Z, c):
        dZ = softmax_vjp(dP, softmax(Z + c))
        return dZ, dZ[:, :1]

    c = np.array([[0.3], [-1.0], [2.0]])
    assert check_vjp(shifted, shifted_vjp, SQUARE, c, method=method).correct
    report = check_vjp(shifted, not_summed, SQUARE, c, method=method)
    assert (report["0"].correct, report["1"].correct) == (True, False)


def test_what_rounding_hides_is_not_called_0_where_the_others_are_as_small():
    point = {"w": np.array([0.1, 0.2]), "v": np.array([0.3])}
    loss = lambda p: 1.0 + 1e-13 * np.sum(np.sin(p["w"])) + 1e-13 * np.sum(np.sin(p["v"]))
    gradients = {"w": 1e-13 * np.cos(point["w"]), "v": np.full(1, 1e-17)}
    assert not any(check.correct for check in check_gradients(loss, point, gradients))


@pytest.mark.parametrize("shift", [1e3, 1e5])
def test_the_rounding_of_a_function_is_measured(shift):
    f = lambda x: np.sum((np.sin(x) + shift) - shift)
    assert 0.05 * shift * 1e-16 < gradcheck.rounding_of(f, [0.3, 0.4]) < 5 * shift * 1e-16
    slope, noise = gradcheck.central_slope(f, [0.3, 0.4], [1.0, 0.0], gradcheck.rounding_of(f, [0.3, 0.4]))
    assert abs(slope - np.cos(0.3)) < noise < 1e-6


def test_a_kink_near_the_point_is_not_taken_for_rounding():
    assert gradcheck.rounding_of(lambda x: np.sum(np.abs(x)), [1e-9, -1e-6, 0.0]) < 1e-14
