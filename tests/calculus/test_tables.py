"""The ingredients of networks for tables: their gradients, derived, are what glassmax computes."""

import numpy as np
import pytest

from glassmax import Network, derive
from glassmax.engine import Data, Regularization, mixed_rows
from glassmax.engine.input_scale import pull_back
from glassmax.functional import softmax_candidate_cross_entropy_vjp, softmax_cross_entropy_vjp
from glassmax.functional.calibration import calibrated_logits, calibrated_logits_vjp
from glassmax.functional.mixup import mixed_with_previous, mixup_shares
from glassmax.optimizers import SGD, rate_factors
from glassmax.table import Number, Table, UnseenCounts

N, D, K = 6, 4, 3
DRAW = np.random.default_rng(0)
X, Z, W, D_Z = (DRAW.normal(size=shape) for shape in ((N, D), (N, K), (D, K), (N, K)))
Y = np.eye(K)[DRAW.integers(K, size=N)]
S = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 1]] * 2)
SHARES, SCALE, BIAS = DRAW.uniform(0.1, 0.5, N), DRAW.uniform(0.5, 2, D), DRAW.normal(size=K)
LAYER = "Z_ij = sum_k X_ik s_k V_kj + b_j; L = sum_{i,j} dZ_ij Z_ij"
CROSS_ENTROPY = "L = -1/n sum_{i,j} Y_ij log(P_ij)"


def scaled_layer():
    """Return dL/d(V, b, s) of a layer with a learned scale, as the engine has it."""
    network = Network([D, K])
    network.parameters["W1"] = SCALE[:, None] * W
    gradient = np.concatenate([(X.T @ D_Z).ravel(), D_Z.sum(axis=0)])
    return pull_back(network, np.concatenate([W.ravel(), BIAS, SCALE]), gradient)


def calibration(which):
    dC = softmax_cross_entropy_vjp(1.0, calibrated_logits(Z, 1.5, BIAS), Y)
    return calibrated_logits_vjp(dC, Z, 1.5)[which]


def step_of_ntk():
    """Return the change of W per learning rate, as the rate factor has it, for V = W sqrt(d)."""
    factor, _ = rate_factors([D, K], SGD(0.1), parametrization="ntk")
    return factor * X.T @ D_Z * np.sqrt(D)


def bounded():
    """Return the slope of the smooth bound, measured on the encoding itself."""
    column, h = Number("x", 0.0, 1.0, indicator=False, clip=3.0), 1e-5
    blocks = [np.empty((N, 1)) for _ in "+-"]
    for block, x in zip(blocks, (Z[:, 0] + h, Z[:, 0] - h), strict=True):
        column.fill(Table("t", {"x": x}), block, UnseenCounts())
    return (blocks[0] - blocks[1])[:, 0] / (2 * h)


CASES = {
    "mixup": (
        f"T_ij = (1 - s_i) Y_ij + s_i V_ij; P_ij = softmax_j(Z_ij); {CROSS_ENTROPY.replace('Y_ij', 'T_ij')}",
        "Z",
        {"Y": Y, "V": np.roll(Y, 1, axis=0), "s": SHARES},
        lambda: softmax_cross_entropy_vjp(1.0, Z, mixed_with_previous(Y, SHARES)),
    ),
    "mixup of candidates": (
        "P_ij = softmax_j(Z_ij); L = -1/n sum_i ((1 - s_i) log(sum_j S_ij P_ij) + s_i log(sum_j R_ij P_ij))",
        "Z",
        {"S": S, "R": np.roll(S, 1, axis=0), "s": SHARES},
        lambda: sum(
            softmax_candidate_cross_entropy_vjp(w, Z, C, reduction="none") / N
            for w, C in ((1 - SHARES, S), (SHARES, np.roll(S, 1, axis=0)))
        ),
    ),
    "temperature": (
        f"C_ij = a Z_ij + b_j; P_ij = softmax_j(C_ij); {CROSS_ENTROPY}",
        "a",
        {"a": 1.5, "b": BIAS, "Y": Y},
        lambda: calibration(1),
    ),
    "bias of a class": (
        f"C_ij = a Z_ij + b_j; P_ij = softmax_j(C_ij); {CROSS_ENTROPY}",
        "b",
        {"a": 1.5, "b": BIAS, "Y": Y},
        lambda: calibration(2),
    ),
    "ntk": (
        "Z_ij = sum_k X_ik V_kj / sqrt(d) + b_j; L = sum_{i,j} dZ_ij Z_ij",
        "V",
        {"X": X, "V": W * np.sqrt(D), "b": BIAS, "dZ": D_Z, "d": D},
        lambda: step_of_ntk(),
    ),
    "scaled weights": (
        LAYER,
        "V",
        {"X": X, "V": W, "s": SCALE, "b": BIAS, "dZ": D_Z},
        lambda: scaled_layer()[: D * K].reshape(D, K),
    ),
    "scale of the inputs": (
        LAYER,
        "s",
        {"X": X, "V": W, "s": SCALE, "b": BIAS, "dZ": D_Z},
        lambda: scaled_layer()[-D:],
    ),
    "smooth bound": (
        "A_i = z_i / sqrt(1 + z_i^2 / c^2); L = sum_i A_i",
        "z",
        {"z": Z[:, 0], "c": 3.0},
        bounded,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_derived_gradient_is_what_glassmax_computes(name):
    equations, wrt, arrays, computed = CASES[name]
    assume = [f"sum_j {letter}_ij = 1" for letter in ("Y", "V") if f"{letter}_ij" in equations and "T_ij" in equations]
    derivation = derive(equations, wrt=wrt, assume=assume or (["sum_j Y_ij = 1"] if "Y_ij" in equations else []))
    assert derivation.proved
    extra = {"n": float(N)} if "/n" in equations else {}
    extra |= {"Z": Z} if "softmax" in equations else {}
    tolerance = 1e-9 if name == "smooth bound" else 1e-12
    np.testing.assert_allclose(derivation.evaluate(**arrays, **extra), computed(), rtol=tolerance, atol=tolerance)


def test_a_mixed_row_of_candidates_stands_twice_and_its_gradient_is_the_derived_one():
    network, how = Network([D, K], loss="candidate_cross_entropy"), Regularization(mixup=0.5, mixup_share=1.0, seed=1)
    mixed, rows = mixed_rows(network, Data(X, S), how, 0, np.arange(N))
    shares = mixup_shares(1, 0, np.arange(N), 0.5, 1.0)
    assert rows.tolist() == [*range(N), *np.flatnonzero(shares).tolist()]
    _, gradients = network.loss_and_gradients(*mixed)
    X_mixed = mixed_with_previous(X, shares)
    equations, wrt, arrays, _ = CASES["mixup of candidates"]
    logits = X_mixed @ network.parameters["W1"] + network.parameters["b1"]
    expected = derive(equations, wrt=wrt).evaluate(**{**arrays, "s": shares, "Z": logits, "n": float(N)})
    np.testing.assert_allclose(gradients["W1"], X_mixed.T @ expected, rtol=1e-12, atol=1e-14)
    soft = Network.from_parameters(network.parameters)
    _, wrong = soft.loss_and_gradients(X_mixed, mixed_with_previous(S / S.sum(axis=1, keepdims=True), shares))
    assert np.abs(wrong["W1"] - gradients["W1"]).max() > 1e-3  # the sets themselves mixed, as probabilities
