"""Every known trap on notation.md, tried: its wrong formula gives what the page says one would see."""

import re

import numpy as np
import pytest

from glassmax import functional
from tests.pages.notation import rowsum, text_of

NOTATION = text_of("notation.md")
TRAPS = {}


def trap(text):
    """Mark a function as the check of one trap."""

    def mark(check):
        TRAPS[text] = check
        return check

    return mark


N, H, K, RATE = 5, 4, 3, 0.01
_draw = np.random.default_rng(2)
Z1, W2, Z = _draw.normal(size=(N, H)), _draw.normal(size=(H, K)), 2 * _draw.normal(size=(N, K))
y = np.array([0, 1, 2, 0, 1])
Y, P, J, A1 = np.eye(K)[y], functional.softmax(Z), functional.softmax_jacobian(Z), functional.sigmoid(Z1)
dP, dZ = functional.cross_entropy_vjp(1, P, y), functional.softmax_cross_entropy_vjp(1, Z, y)  # noqa: N816
dA1, dW2, db2 = functional.affine_vjp(dZ, A1, W2)  # noqa: N816


def lengths(rows):
    return np.linalg.norm(rows, axis=1)


@trap("the Jacobian's rows (or columns) summed into a vector")
def _():
    return np.allclose(J.sum(axis=2), 0) and np.allclose(J.sum(axis=1), 0)


@trap("only the Jacobian's diagonal, p(1 - p), the sigmoid's form")
def _():
    found = dP * P * (1 - P)
    return np.allclose(found, (P * Y - Y) / N) and (found[Y == 0] == 0).all() and (rowsum(found) < -0.001).all()


@trap("cross-entropy's P - Y multiplied by the Jacobian again")
def _():
    return (lengths(np.einsum("ic,icm->im", dZ, J)) <= lengths(dZ) / 2).all()


@trap("P - Y under squared error, without the Jacobian")
def _():
    right = functional.softmax_vjp(functional.squared_error_vjp(1, P, Y), P)
    wrong = (P - Y) / N
    falls = functional.squared_error(functional.softmax(Z - 0.1 * wrong), Y) < functional.squared_error(P, Y)
    return (lengths(wrong) >= 2 * lengths(right)).all() and falls


@trap("P - Y where a row of Y does not sum to 1")
def _():
    several = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0], [0, 0, 1]])
    right = functional.softmax_cross_entropy_vjp(1, Z, several)
    off = np.abs(((P - several) / N).sum(axis=1)) > 0.1
    return np.array_equal(off, several.sum(axis=1) != 1) and np.allclose(right, (P * rowsum(several) - several) / N)


@trap("-1/n for 1/n")
def _():
    climbed = functional.softmax_cross_entropy(Z - 0.1 * -dZ, y)
    return climbed > functional.softmax_cross_entropy(Z, y)


@trap("a step -η·dW held against a gradient dW")
def _():
    return np.allclose((W2 - RATE * dW2 - W2) / dW2, -RATE)


@trap("divided by n twice")
def _():
    one = functional.softmax_cross_entropy_vjp(1, Z[:1], y[:1])
    return np.allclose(A1.T @ (dZ / N), dW2 / N) and np.array_equal(one / len(one), one)


@trap("the mean over all n·k entries instead of the n rows")
def _():
    return np.allclose(A1.T @ ((P - Y) / Y.size), dW2 / K)


@trap("(Σu)² written as Σu² in the derivative of u/Σu")
def _():
    u = np.exp([1, 0.2, -0.3])
    wrong, right = np.diag(u / u.sum()) - np.outer(u, u) / (u**2).sum(), functional.softmax_jacobian(np.log(u))
    printed = [f"{M[0, 1]:.4f}" for M in (wrong, right)] == ["-0.3521", "-0.1516"]
    return printed and all(number in NOTATION for number in ("-0.3521", "-0.1516")) and np.abs(wrong.sum(1)).min() > 0.1


@trap("`dZ = P`, then 1 subtracted from dZ in place")
def _():
    kept = P.copy()
    alias = kept
    alias[np.arange(N), y] -= 1
    with np.errstate(invalid="ignore"):
        return np.allclose(kept.sum(axis=1), 0) and np.isnan(np.log(kept[np.arange(N), y])).all()


@trap("labels of shape (n, 1) in `dZ[np.arange(n), y] -= 1`")
def _():
    wrong, some = P.copy(), np.array([0, 1, 1, 0, 1])
    wrong[np.arange(N), some[:, None]] -= 1
    return np.allclose(P - wrong, [[1, 1, 0]] * N)


@trap("`*` for `@`")
def _():
    with pytest.raises(ValueError, match="broadcast"):
        A1 * W2
    return (dP[:1] * J[0]).shape == (K, K)


@trap("a transpose lost or added")
def _():
    with pytest.raises(ValueError, match="matmul"):
        A1 @ dZ
    square = _draw.normal(size=(K, K))
    return (dZ @ square).shape == (dZ @ square.T).shape and np.allclose(dP[0] @ J[0], dP[0] @ J[0].T)


@trap("f' is given A instead of Z")
def _():
    slopes = functional.sigmoid_vjp(np.ones_like(A1), A1)
    ones = np.ones_like(Z1)
    same = functional.relu_vjp(ones, functional.relu(Z1)) == functional.relu_vjp(ones, Z1)
    return 0.19 < slopes.min() <= slopes.max() < 0.25 and same.all()


@trap("f' left out in a hidden layer")
def _():
    return (np.abs(dA1) >= 4 * np.abs(functional.sigmoid_vjp(dA1, Z1))).all()


@trap("f' missed at the output, under cross-entropy")
def _():
    return np.allclose(functional.softmax_vjp(dP, P), (P - Y) / N)


@trap("the bias gradient not summed over the batch")
def _():
    return dZ.shape == (N, K) and db2.shape == (K,) and (np.zeros(K) - RATE * dZ).shape == (N, K)


@trap("weights updated before the error is passed down")
def _():
    off = [lengths(dZ @ (W2 - rate * dW2).T - dA1).max() / lengths(dA1).max() for rate in (RATE, RATE / 10)]
    return 0 < off[0] < RATE and abs(off[0] / off[1] - 10) < 1e-6


@trap("softmax applied twice")
def _():
    bound = np.log(1 + (K - 1) / np.e)
    surest = functional.softmax_cross_entropy(np.eye(K), np.arange(K))
    twice = functional.softmax_cross_entropy(functional.softmax(10 * Y), y)
    return f"{bound:.4f}" == "0.5514" and "0.5514" in NOTATION and abs(surest - bound) < 1e-12 and twice > bound


@trap("one letter for two indices, as in ∂p[i]/∂z[i]")
def _():
    return np.allclose(np.einsum("icc->ic", J), P * (1 - P))


def test_every_trap_of_the_notation_page_is_tried():
    traps = NOTATION[NOTATION.index("## Known traps") :]
    assert re.findall(r"^- \*\*(.*?):\*\* ", traps, re.M | re.S) == list(TRAPS)


@pytest.mark.parametrize("text", TRAPS)
def test_a_trap_looks_as_the_notation_page_says(text):
    assert TRAPS[text]()
