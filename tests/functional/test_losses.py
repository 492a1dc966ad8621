"""The losses and their pullbacks: against 50 digits where they are hardest, and what becomes of inf and nan."""

import inspect

import numpy as np
import pytest
from mpmath import mpf

from glassmax import functional
from glassmax.functional import (
    binary_cross_entropy,
    binary_cross_entropy_vjp,
    cross_entropy,
    cross_entropy_vjp,
    l2,
    l2_vjp,
    sigmoid,
    sigmoid_cross_entropy,
    sigmoid_cross_entropy_vjp,
    sigmoid_vjp,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_vjp,
    softmax_vjp,
    squared_error,
    squared_error_vjp,
)
from tests import oracle
from tests.grid import FLOATS, KINDS, LOSS_FUNCTIONS, one_hot, predictions, target

inf, nan = np.inf, np.nan

MARGINS = [10.0, 17.0, 25.0, 40.0, 60.0, 80.0, 100.0]

every_loss = pytest.mark.parametrize("name", LOSS_FUNCTIONS)
every_dtype = pytest.mark.parametrize("dtype", FLOATS)


def both(name):
    return getattr(functional, name), getattr(functional, f"{name}_vjp")


def test_the_grid_knows_every_loss():
    with_target = [
        name for name in functional.__all__ if callable(getattr(functional, name)) and not name.endswith("_vjp")
    ]
    arguments = {name: inspect.signature(getattr(functional, name)).parameters for name in with_target}
    losses = {name for name, of in arguments.items() if "target" in of and "W" not in of}  # with W: for many classes
    assert set(LOSS_FUNCTIONS) == losses


# --- Values ---


@every_loss
@pytest.mark.parametrize("kind", KINDS)
def test_every_loss_agrees_with_50_digits(name, kind):
    draw = np.random.default_rng(1)
    V = predictions(name, (5, 4), draw)
    T = target(kind, LOSS_FUNCTIONS[name][0], V.shape, draw)
    Y = one_hot(T, 4) if kind == "indices" else T
    of_row = {
        "softmax_cross_entropy": oracle.softmax_cross_entropy,
        "sigmoid_cross_entropy": oracle.sigmoid_cross_entropy,
        "softmax_candidate_cross_entropy": oracle.softmax_candidate_cross_entropy,
    }.get(name) or (lambda v, y: oracle.LOSSES[name][0](oracle.numbers(v), oracle.numbers(y)))
    for got, v, y in zip(both(name)[0](V, T, reduction="none"), V, Y, strict=True):
        assert oracle.relative_error(got, of_row(v, y)) < 1e-14


HOSTILE_LOGITS = [
    [1e30, -1e30, 0.0],
    [1e30, 1e30, -1e30],
    [100.0, 0.0, -100.0],
    [-700.0, 0.0, 5.0],
    [1e4, 1e4 + 1, 1e4 - 1],
    [5e-324, 0.0, -1e-300],
]


@pytest.mark.parametrize("row", HOSTILE_LOGITS, ids=str)
@pytest.mark.parametrize("y", [0, 1, 2])
def test_softmax_cross_entropy_of_hostile_logits_agrees_with_50_digits(row, y):
    Y = one_hot(y, 3)
    true = oracle.softmax_cross_entropy(row, Y)
    for T in (y, Y):
        got = softmax_cross_entropy(row, T)
        assert oracle.relative_error(got, true) < 1e-14 or abs(float(got) - float(true)) <= 5e-324


@pytest.mark.parametrize("row", HOSTILE_LOGITS, ids=str)
def test_soft_targets_on_hostile_logits_agree_with_50_digits(row):
    Y = [0.25, 1.5, 0.125]
    assert oracle.relative_error(softmax_cross_entropy(row, Y), oracle.softmax_cross_entropy(row, Y)) < 1e-14


@pytest.mark.parametrize("margin", MARGINS)
@every_dtype
def test_tiny_losses_keep_their_digits_in_any_dtype(margin, dtype):
    Z = np.array([margin, 0.0, 0.0, 0.0], dtype)
    for T in (0, [1, 0, 0, 0]):
        assert oracle.relative_error(softmax_cross_entropy(Z, T), oracle.softmax_cross_entropy(Z, [1, 0, 0, 0])) < 1e-14
    Z = np.array([margin, -margin], dtype)
    for T in (0, [1, 0]):
        rel = oracle.relative_error(sigmoid_cross_entropy(Z, T), oracle.sigmoid_cross_entropy(Z, [1, 0]))
        assert rel < (1e-7 if dtype == "float32" else 1e-14)


def test_150000_classes_agree_with_50_digits():
    Z = np.repeat([25.0, 0.25, -1.0, -40.0], [1, 49_999, 70_000, 30_000]).astype("float32")
    for y in (0, 1, 149_999):
        true = -oracle.log_softmax(Z)[y]
        assert oracle.relative_error(softmax_cross_entropy(Z, y), true) < 1e-13


@every_loss
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_million_float32_rows_do_not_drift(name, reduction):
    n, loss = 2**20, both(name)[0]
    row = predictions(name, (1, 3), np.random.default_rng(2)).astype("float32")
    one = loss(row, [1], reduction="sum")
    many = loss(np.broadcast_to(row, (n, 3)), np.ones(n, int), reduction=reduction)
    assert many == pytest.approx(one * (1 if reduction == "mean" else n), rel=1e-13, abs=0)


@every_loss
@every_dtype
def test_losses_are_float64_and_gradients_keep_their_dtype(name, dtype):
    loss, loss_vjp = both(name)
    V = predictions(name, (2, 3), np.random.default_rng(3)).astype(dtype)
    wide = np.longdouble if dtype == "longdouble" else np.float64
    for T in ([0, 2], one_hot([0, 2], 3).astype(dtype)):
        assert loss(V, T).dtype == wide
        assert loss(V, T, reduction="none").dtype == wide
        assert loss_vjp(1.0, V, T).dtype == dtype


# --- Gradients ---


@pytest.mark.parametrize("margin", [0.0, *MARGINS, -5.0, -100.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [False, True])
def test_the_gradient_of_the_true_class_is_minus_the_sum_of_the_others(margin, dtype, rows):
    Z = np.array([[0.0, margin, 0.25, -1.0, 1.0]], dtype)
    dZ = softmax_cross_entropy_vjp(1.0, Z, [[0, 1, 0, 0, 0]] if rows else [1])[0]
    others = np.delete(dZ, 1).sum(dtype=np.longdouble)
    assert dZ[1] < 0 < others
    finfo = np.finfo(dtype)
    assert abs(dZ[1] + others) <= 2 * finfo.eps * others + 4 * finfo.smallest_subnormal


@pytest.mark.parametrize("row", [[17.0, 0.0], [100.0, 0.0, 1.0], [-30.0, 5.0, 5.0], [1e30, 0.0]], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_by_the_logits_agrees_with_50_digits(row, dtype):
    Z = np.array([row], dtype)
    Y = one_hot([0], len(row))
    true = [p - y for p, y in zip(oracle.softmax(Z[0]), oracle.numbers(Y[0]), strict=True)]
    finfo = np.finfo(dtype)
    for T in ([0], Y):
        for got, t in zip(softmax_cross_entropy_vjp(1.0, Z, T)[0], true, strict=True):
            assert abs(mpf(float(got)) - t) <= 2 * float(finfo.eps) * abs(t) + float(finfo.smallest_subnormal)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_of_a_label_that_is_all_but_right_keeps_its_digits(margin, dtype):
    Z, finfo = np.array([[margin, -margin]], dtype), np.finfo(dtype)
    true = float(1 - oracle.ACTIVATIONS["sigmoid"](mpf(margin)))
    for T in ([0], [[1, 0]]):
        dZ = sigmoid_cross_entropy_vjp(1.0, Z, T)[0].astype(float)
        np.testing.assert_allclose(dZ, [-true, true], rtol=2 * finfo.eps, atol=finfo.smallest_subnormal)


@pytest.mark.parametrize("p", [1e-3, 1e-10, 1e-20, 1e-60])
def test_a_small_probability_of_a_wrong_label_costs_as_much(p):
    true = oracle.binary_cross_entropy(oracle.numbers([p]), oracle.numbers([0.0]))
    assert oracle.relative_error(binary_cross_entropy([[p]], [[0.0]]), true) < 1e-15


def test_softmax_with_cross_entropy_has_the_gradient_p_minus_y_over_n():
    Z = np.random.default_rng(4).standard_normal((5, 3))
    y = [0, 1, 2, 2, 1]
    np.testing.assert_allclose(softmax_cross_entropy_vjp(1.0, Z, y), (softmax(Z) - one_hot(y, 3)) / 5, atol=1e-16)


@pytest.mark.parametrize("kind", KINDS)
def test_fused_losses_are_their_two_parts(kind):
    draw = np.random.default_rng(5)
    Z = draw.standard_normal((4, 3))
    T = target(kind, "cross_entropy", Z.shape, draw)
    P = softmax(Z)
    assert softmax_cross_entropy(Z, T) == pytest.approx(cross_entropy(P, T), rel=1e-14, abs=0)
    by_parts = softmax_vjp(cross_entropy_vjp(1.0, P, T), P)
    np.testing.assert_allclose(softmax_cross_entropy_vjp(1.0, Z, T), by_parts, atol=1e-15)

    T = target(kind, "binary_cross_entropy", Z.shape, draw)
    P = sigmoid(Z)
    assert sigmoid_cross_entropy(Z, T) == pytest.approx(binary_cross_entropy(P, T), rel=1e-14, abs=0)
    by_parts = sigmoid_vjp(binary_cross_entropy_vjp(1.0, P, T), Z)
    np.testing.assert_allclose(sigmoid_cross_entropy_vjp(1.0, Z, T), by_parts, atol=1e-15)


def test_squared_error_under_softmax_needs_the_jacobian():
    Z, y = np.random.default_rng(6).standard_normal((4, 3)), [0, 2, 1, 1]
    P = softmax(Z)
    dP = squared_error_vjp(1.0, P, y)
    np.testing.assert_allclose(dP, (P - one_hot(y, 3)) / 4, atol=1e-16)
    written_out = P * (dP - (dP * P).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(softmax_vjp(dP, P), written_out, atol=1e-16)
    assert abs(softmax_vjp(dP, P) - dP).max() > 0.01


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_factor_stands_before_the_square(factor):
    P, Y = np.array([[1.0, 2.0]]), np.array([[0.5, 4.0]])
    assert squared_error(P, Y, factor=factor) == factor * 4.25
    assert squared_error_vjp(1.0, P, Y, factor=factor).tolist() == [[2 * factor * 0.5, 2 * factor * -2.0]]


@every_loss
def test_pullbacks_are_linear_in_what_comes_down(name):
    draw = np.random.default_rng(7)
    V, loss_vjp = predictions(name, (4, 3), draw), both(name)[1]
    np.testing.assert_allclose(loss_vjp(-2.5, V, [0, 1, 2, 0]), -2.5 * loss_vjp(1.0, V, [0, 1, 2, 0]), rtol=1e-14)


@every_loss
def test_inputs_are_left_as_they_were(name):
    draw = np.random.default_rng(8)
    V, w = predictions(name, (4, 3), draw), draw.uniform(0, 1, 4)
    T = target("soft", LOSS_FUNCTIONS[name][0], V.shape, draw)
    before = V.copy(), T.copy(), w.copy()
    for f in both(name):
        f(*[1.0] * f.__name__.endswith("_vjp"), V, T, sample_weight=w)
    for array, was in zip((V, T, w), before, strict=True):
        np.testing.assert_array_equal(array, was)


# --- What becomes of inf and nan ---


@every_loss
@pytest.mark.parametrize("T", [[0, 0, 1], [[1, 0], [1, 1], [0, 1]]], ids=["indices", "rows"])
def test_nan_stays_in_its_row(name, T):
    V, (loss, loss_vjp) = np.array([[0.25, 0.5], [nan, 0.5], [0.5, 0.125]]), both(name)
    L, dV = loss(V, T, reduction="none"), loss_vjp(np.ones(3), V, T, reduction="none")
    assert np.isnan(L).tolist() == [False, True, False]
    V[1] = 0.5
    np.testing.assert_array_equal(L[[0, 2]], loss(V, T, reduction="none")[[0, 2]])
    np.testing.assert_array_equal(dV[[0, 2]], loss_vjp(np.ones(3), V, T, reduction="none")[[0, 2]])


@pytest.mark.parametrize("row", [[nan, 0.0], [0.0, nan], [-inf, -inf], [inf, 0.0], [inf, inf]], ids=str)
@pytest.mark.parametrize("T", [0, 1, [1, 0], [0.5, 0.5]], ids=str)
def test_a_row_of_logits_without_a_meaning_costs_nan(row, T):
    assert np.isnan(softmax_cross_entropy(row, T))
    assert np.isnan(softmax_cross_entropy_vjp(1.0, row, T)).all()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("T", [[0, 1], [[1, 0, 0], [0, 1, 0]]], ids=["indices", "rows"])
def test_a_true_class_at_minus_infinity_costs_inf_and_its_gradient_is_finite(T, dtype):
    Z = np.array([[-inf, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype)
    assert softmax_cross_entropy(Z, T) == inf
    dZ = softmax_cross_entropy_vjp(1.0, Z, T, reduction="sum")
    assert dZ[0].tolist() == [-1.0, 0.5, 0.5]
    assert np.isfinite(dZ).all()


def test_a_soft_target_at_minus_infinity_costs_inf_and_its_gradient_is_finite():
    Z, Y = [[-inf, 0.0, 0.0]], [[0.5, 0.25, 0.25]]
    assert softmax_cross_entropy(Z, Y) == inf
    assert softmax_cross_entropy_vjp(1.0, Z, Y).tolist() == [[-0.5, 0.25, 0.25]]


def test_a_soft_target_of_0_against_minus_infinity_costs_nothing():
    Z, Y = [[-inf, 0.0, 0.0]], [[0.0, 0.5, 0.5]]
    assert softmax_cross_entropy(Z, Y) == pytest.approx(np.log(2), rel=1e-15, abs=0)
    np.testing.assert_allclose(softmax_cross_entropy_vjp(1.0, Z, Y), [[0, 0, 0]], atol=1e-16)
    assert softmax_cross_entropy([[-inf, 0.0]], [1]) == 0


def test_infinite_logits_of_a_sigmoid_cost_nothing_when_right_and_inf_when_wrong():
    Z = [[inf, -inf]]
    assert sigmoid_cross_entropy(Z, [[1, 0]]) == 0
    assert sigmoid_cross_entropy(Z, [[0, 1]]) == inf
    assert sigmoid_cross_entropy_vjp(1.0, Z, [[1, 0]]).tolist() == [[0, 0]]
    assert sigmoid_cross_entropy_vjp(1.0, Z, [[0, 1]]).tolist() == [[1, -1]]


@pytest.mark.parametrize("T", [[1], [[0, 1]]], ids=["indices", "rows"])
def test_0_log_0_is_0(T):
    P = [[0.0, 1.0]]
    assert cross_entropy(P, T) == 0
    assert cross_entropy_vjp(1.0, P, T).tolist() == [[0, -1]]
    assert binary_cross_entropy(P, T) == 0
    assert binary_cross_entropy_vjp(1.0, P, T).tolist() == [[1, -1]]


def test_a_true_class_of_probability_0_costs_inf():
    assert cross_entropy([[0.0, 1.0]], [0]) == inf
    assert binary_cross_entropy([[0.0, 1.0]], [[1, 1]]) == inf
    assert binary_cross_entropy([[1.0, 1.0]], [[0, 1]]) == inf


WORST = {"probabilities": [0.0, 1.0], "numbers": [-inf, 0.0]}
"""Predictions that cost inf where the first class is the true one."""


@every_loss
@pytest.mark.parametrize("row", ["of infinite loss", "of nan"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_row_of_weight_0_is_absent_whatever_its_loss(name, row, reduction):
    loss, loss_vjp = both(name)
    absent = [nan, nan] if row == "of nan" else WORST[LOSS_FUNCTIONS[name][1]]
    V, T, w = np.array([absent, [0.5, 0.25]]), [0, 1], [0, 2]
    L = loss(V, T, sample_weight=w, reduction=reduction)
    dV = loss_vjp(np.ones(np.shape(L)), V, T, sample_weight=w, reduction=reduction)
    alone = loss(V[1:], T[1:], sample_weight=w[1:], reduction=reduction)
    np.testing.assert_array_equal(L, [0, *alone] if reduction == "none" else alone)
    dalone = loss_vjp(np.ones(np.shape(alone)), V[1:], T[1:], sample_weight=w[1:], reduction=reduction)
    np.testing.assert_array_equal(dV, [[0, 0], *dalone])


# --- The penalty ---


def test_l2_is_half_the_squared_length_times_the_strength():
    W = np.array([[1.0, -2.0], [3.0, 0.0]])
    assert l2(W, 0.5) == 0.25 * 14
    assert l2_vjp(2.0, W, 0.5).tolist() == [[1.0, -2.0], [3.0, 0.0]]


@every_dtype
def test_l2_sums_in_float64_and_its_gradient_keeps_the_dtype(dtype):
    W = np.full(1000, 300.1, dtype)  # the square of one is more than float16 holds
    assert l2(W, 1.0) == pytest.approx(500 * float(W[0]) ** 2, rel=1e-13, abs=0)
    assert l2(W, 1.0).dtype == (np.longdouble if dtype == "longdouble" else np.float64)
    assert l2_vjp(1.0, W, 1.0).dtype == dtype
