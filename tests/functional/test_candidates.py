"""Candidate cross-entropy: sets of classes against 50 digits, at the ends of the range, and its Hessian products."""

import numpy as np
import pytest

from glassmax import Network
from glassmax.errors import LabelError, OptionError
from glassmax.functional import (
    candidate_cross_entropy,
    candidate_cross_entropy_vjp,
    softmax,
    softmax_candidate_cross_entropy,
    softmax_candidate_cross_entropy_vjp,
    softmax_cross_entropy,
    softmax_cross_entropy_vjp,
    softmax_jacobian,
    softmax_vjp,
)
from glassmax.functional.heads import OUTPUTS, Head
from tests import oracle
from tests.grid import FLOATS, candidates, one_hot
from tests.oracle import relative_error

inf, nan = np.inf, np.nan

every_dtype = pytest.mark.parametrize("dtype", FLOATS)

HOSTILE = [
    [1e30, -1e30, 0.0, 1.0],
    [1e30, 1e30, -1e30, 5.0],
    [100.0, 0.0, -100.0, 99.0],
    [-160.0, 0.0, 5.0, -170.0],
    [1e4, 1e4 + 1, 1e4 - 1, -1e4],
    [5e-324, 0.0, -1e-300, 1e-300],
    [0.0, 650.0, 1300.0, -650.0],
]
SETS = [[1, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0]]


def restricted(Z, S):
    """Softmax over the candidates alone."""
    return softmax(np.where(np.array(S) == 1, Z, -inf))


# values


@pytest.mark.parametrize("row", HOSTILE, ids=str)
@pytest.mark.parametrize("S", SETS, ids=str)
def test_hostile_logits_agree_with_120_digits(row, S):
    true = oracle.softmax_candidate_cross_entropy(row, S)
    got = softmax_candidate_cross_entropy(row, S)
    if true == inf or float(true) > 1e29:  # exp of a difference of 2e30 is 0 in 120 digits
        assert got == pytest.approx(float(max(row) - max(z for z, s in zip(row, S, strict=True) if s)), rel=1e-15)
    else:
        assert relative_error(got, true) < 1e-14 or abs(float(got) - float(true)) <= 5e-324


@every_dtype
@pytest.mark.parametrize("margin", [10.0, 17.0, 40.0, 80.0, 100.0])
def test_tiny_losses_keep_their_digits_in_any_dtype(margin, dtype):
    Z = np.array([margin, 0.5, margin - 1, 0.0], dtype)
    S = [1, 0, 1, 0]
    assert relative_error(softmax_candidate_cross_entropy(Z, S), oracle.softmax_candidate_cross_entropy(Z, S)) < 1e-14
    dZ = softmax_candidate_cross_entropy_vjp(1.0, Z[None], [S])[0]
    missed = 1 - sum(p for p, s in zip(oracle.softmax(Z), S, strict=True) if s)
    finfo = np.finfo(dtype)
    room = 4 * float(finfo.eps) * float(missed) + 4 * float(finfo.smallest_subnormal)
    assert abs(float(dZ[[1, 3]].sum(dtype=np.longdouble)) - float(missed)) <= room
    assert abs(float(dZ[[0, 2]].sum(dtype=np.longdouble)) + float(missed)) <= room


def test_not_one_of_150000_classes_keeps_its_digits():
    Z = np.repeat([0.0, 0.25, -1.0, 4.0], [1, 49_999, 70_000, 30_000]).astype("float32")
    S = np.ones(len(Z))
    S[0] = 0
    assert relative_error(softmax_candidate_cross_entropy(Z, S), -oracle.mp.log(1 - oracle.softmax(Z)[0])) < 1e-13


@every_dtype
@pytest.mark.parametrize("row", [*HOSTILE, [-inf, 0.0, 1.0, -inf]], ids=str)
def test_a_row_of_ones_costs_exactly_0_and_has_no_gradient(row, dtype):
    with np.errstate(over="ignore"):
        Z = np.array([row]).astype(dtype)
    if np.isinf(Z).any() and (Z > 0).any() and np.isposinf(Z).any():
        pytest.skip("the dtype doesn't hold the logits")
    assert softmax_candidate_cross_entropy(Z, np.ones((1, 4))) == 0
    assert softmax_candidate_cross_entropy_vjp(1.0, Z, np.ones((1, 4))).tolist() == [[0.0] * 4]


@pytest.mark.parametrize("row", HOSTILE, ids=str)
@pytest.mark.parametrize("y", range(4))
def test_one_candidate_is_the_cross_entropy(row, y):
    Y = one_hot(y, 4)
    assert softmax_candidate_cross_entropy(row, y) == softmax_cross_entropy(row, y)
    np.testing.assert_allclose(softmax_candidate_cross_entropy(row, Y), softmax_cross_entropy(row, y), rtol=4e-15)
    got = softmax_candidate_cross_entropy_vjp(1.0, [row], [Y])
    np.testing.assert_allclose(got, softmax_cross_entropy_vjp(1.0, [row], [y]), rtol=1e-13, atol=1e-300)


def test_more_candidates_cost_less():
    Z = np.random.default_rng(0).standard_normal(6)
    costs = [float(softmax_candidate_cross_entropy(Z, np.arange(6) < some)) for some in range(1, 7)]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == 0


# gradients


def test_the_gradient_is_p_minus_q():
    draw = np.random.default_rng(1)
    Z, S = draw.standard_normal((7, 5)), candidates((7, 5), draw)
    P, Q = softmax(Z), restricted(Z, S)
    dZ = softmax_candidate_cross_entropy_vjp(1.0, Z, S)
    np.testing.assert_allclose(dZ, (P - Q) / 7, atol=1e-16)
    by_parts = softmax_vjp(candidate_cross_entropy_vjp(1.0, P, S), P)
    np.testing.assert_allclose(dZ, by_parts, atol=1e-16)
    assert softmax_candidate_cross_entropy(Z, S) == pytest.approx(candidate_cross_entropy(P, S), rel=1e-14, abs=0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda P, S: P - S,  # several labels instead of candidates
        lambda P, S: P - S / S.sum(axis=1, keepdims=True),  # candidates that share alike
        lambda P, S: P * (1 - S),  # the candidates forgotten
    ],
)
def test_what_people_write_instead_of_p_minus_q_is_another_gradient(wrong):
    draw = np.random.default_rng(2)
    Z, S = draw.standard_normal((7, 5)), candidates((7, 5), draw)
    assert np.abs(wrong(softmax(Z), S) / 7 - softmax_candidate_cross_entropy_vjp(1.0, Z, S)).max() > 0.01


@pytest.mark.parametrize("kind", ["indices", "sets"])
def test_the_change_of_the_gradient_is_the_difference_of_two_jacobians(kind):
    draw = np.random.default_rng(3)
    Z, RZ, S = draw.standard_normal((6, 4)), draw.standard_normal((6, 4)), candidates((6, 4), draw)
    T = S.argmax(axis=1) if kind == "indices" else S
    head = Head("softmax", "candidate_cross_entropy")
    got = head.R_dZ(head.forward(Z), T, RZ)
    Q = one_hot(T, 4) if kind == "indices" else restricted(Z, S)
    J_Q = np.stack([np.diag(q) - np.outer(q, q) for q in Q])
    np.testing.assert_allclose(got, ((softmax_jacobian(Z) - J_Q) @ RZ[..., None])[..., 0], atol=1e-15)


# the ends of the range


@every_dtype
def test_candidates_at_minus_infinity_cost_inf_and_their_gradient_is_finite(dtype):
    Z = np.array([[-inf, -inf, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]], dtype)
    S = [[1, 1, 0, 0], [1, 1, 0, 0]]
    assert softmax_candidate_cross_entropy(Z, S) == inf
    dZ = softmax_candidate_cross_entropy_vjp(1.0, Z, S, reduction="sum")
    assert dZ.tolist() == [[-0.5, -0.5, 0.5, 0.5], [-0.25, -0.25, 0.25, 0.25]]


def test_one_candidate_at_minus_infinity_leaves_the_others():
    Z, S = [[-inf, 0.0, 0.0]], [[1, 1, 0]]
    assert softmax_candidate_cross_entropy(Z, S) == pytest.approx(np.log(2), rel=1e-15, abs=0)
    assert softmax_candidate_cross_entropy_vjp(1.0, Z, S).tolist() == [[0.0, -0.5, 0.5]]


def test_other_classes_at_minus_infinity_cost_exactly_nothing():
    Z, S = [[-inf, 1.0, 2.0]], [[0, 1, 1]]
    assert softmax_candidate_cross_entropy(Z, S) == 0
    assert softmax_candidate_cross_entropy_vjp(1.0, Z, S).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("row", [[nan, 0.0, 1.0], [0.0, nan, 1.0], [-inf, -inf, -inf], [inf, 0.0, 1.0]], ids=str)
@pytest.mark.parametrize("S", [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 1], [1, 1, 1]], ids=str)
def test_a_row_of_logits_without_a_meaning_costs_nan(row, S):
    assert np.isnan(softmax_candidate_cross_entropy(row, S))
    assert np.isnan(softmax_candidate_cross_entropy_vjp(1.0, row, S)).all()


def test_candidates_of_probability_0_cost_inf():
    assert candidate_cross_entropy([[0.0, 1.0, 0.0]], [[1, 0, 1]]) == inf


# what is refused


@pytest.mark.parametrize("f", [candidate_cross_entropy, softmax_candidate_cross_entropy])
def test_rows_are_of_0_and_1_with_at_least_one_1(f):
    V = np.full((2, 3), 0.25)
    with pytest.raises(LabelError, match=r"^Label of row 1, class 2, is 0.5, expected 0 or 1: 1 for each candidate"):
        f(V, [[1, 0, 0], [1, 0, 0.5]])
    with pytest.raises(LabelError, match=r"^Label of row 1 has no candidate, expected at least one class\.$"):
        f(V, [[1, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("output", [output for output in OUTPUTS if output != "softmax"])
def test_a_network_has_candidates_with_softmax_alone(output):
    with pytest.raises(OptionError, match=f"^output is '{output}', expected 'softmax' with loss='candidate_cross_ent"):
        Network([2, 3], output=output, loss="candidate_cross_entropy")
