"""The equations of each derivative in `glassmax.functional`, to be derived and compared with the function.

A pullback ``f_vjp(dOut, ...)`` is the gradient of ``L = sum dOut * Out`` for a constant dOut: that is what the
equations say. The tests derive every one of them and compare the numbers with the numbers that the function returns.
"""

from dataclasses import dataclass

from .derivation import Derivation
from .deriving import derive
from .networks import ACTIVATION_EQUATIONS, PERIODIC

__all__ = ["FUNCTIONAL_EQUATIONS", "FunctionEquations", "derive_function"]


@dataclass(frozen=True)
class FunctionEquations:
    """Equations of a function of `glassmax.functional`, for `derive`; each array in `wrt` has its own derivation."""

    equations: str
    wrt: tuple[str, ...]
    assume: tuple[str, ...] = ()
    times: str | None = None
    order: int = 1  # 2 for the second derivative


_AFFINE = "Z_ij = sum_k X_ik W_kj + b_j; L = sum_{i,j} dZ_ij Z_ij"
_ACTIVATIONS = {name: equation for name, equation in ACTIVATION_EQUATIONS.items() if name != "f"}

FUNCTIONAL_EQUATIONS: dict[str, FunctionEquations] = {
    "affine_vjp": FunctionEquations(_AFFINE, ("X", "W", "b")),
    **{
        f"{name}_vjp": FunctionEquations(f"A_i = {equation.format(z='Z_i')}; L = sum_i dA_i A_i", ("Z",))
        for name, equation in _ACTIVATIONS.items()
    },
    **{
        f"{name}_second": FunctionEquations(
            f"A_i = {equation.format(z='Z_i')}; L = sum_i A_i", ("Z",), times="v", order=2
        )
        for name, equation in _ACTIVATIONS.items()
    },
    "softmax_jacobian": FunctionEquations("P_i = softmax_i(Z_i)", ("Z",)),
    "softmax_vjp": FunctionEquations("P_ij = softmax_j(Z_ij); L = sum_{i,j} dP_ij P_ij", ("Z",)),
    "softmax_jvp": FunctionEquations("P_i = softmax_i(Z_i)", ("Z",), times="dZ"),
    "log_softmax_vjp": FunctionEquations("Q_ij = log_softmax_j(Z_ij); L = sum_{i,j} dQ_ij Q_ij", ("Z",)),
    "cross_entropy_vjp": FunctionEquations("L = -1/n sum_{i,j} Y_ij log(P_ij)", ("P",)),
    "squared_error_vjp": FunctionEquations("L = factor/n sum_{i,j} (P_ij - Y_ij)^2", ("P",)),
    "binary_cross_entropy_vjp": FunctionEquations(
        "L = -1/n sum_{i,j} (Y_ij log(P_ij) + (1 - Y_ij) log(1 - P_ij))", ("P",)
    ),
    "softmax_cross_entropy_vjp": FunctionEquations("P_ij = softmax_j(Z_ij); L = -1/n sum_{i,j} Y_ij log(P_ij)", ("Z",)),
    "sigmoid_cross_entropy_vjp": FunctionEquations(
        "P_ij = sigmoid(Z_ij); L = -1/n sum_{i,j} (Y_ij log(P_ij) + (1 - Y_ij) log(1 - P_ij))", ("Z",)
    ),
    "candidate_cross_entropy_vjp": FunctionEquations("L = -1/n sum_i log(sum_j S_ij P_ij)", ("P",)),
    "softmax_candidate_cross_entropy_vjp": FunctionEquations(
        "P_ij = softmax_j(Z_ij); L = -1/n sum_i log(sum_j S_ij P_ij)", ("Z",)
    ),
    "linear_softmax_cross_entropy_vjp": FunctionEquations(
        "Z_ij = sum_k A_ik W_kj + b_j; U_ij = softcap tanh(Z_ij / (temperature softcap)); P_ij = softmax_j(U_ij); "
        "G_ij = (1 - smoothing) Y_ij + smoothing/c sum_l Y_il; "
        "L = -1/s sum_{i,j} w_i G_ij log(P_ij) + zloss/s sum_i w_i logsumexp_j(U_ij)^2",
        ("A", "W", "b"),
    ),
    "sampled_softmax_cross_entropy_vjp": FunctionEquations(
        "Z_ij = sum_k A_ik W_kj + b_j; "
        "L = 1/n sum_i (log(exp(Z[i, y_i]) + sum_j (1 - delta[y_i, j]) R_j exp(Z_ij)) - Z[i, y_i])",
        ("A", "W", "b"),
    ),
    "adaptive_log_softmax_vjp": FunctionEquations(
        "Z_ij = sum_k A_ik W_kj; B_im = sum_k A_ik H_km; U_ij = sum_m B_im V_mj; "
        "L = sum_{i,j} Y_ij log_softmax_j(Z_ij) + sum_{i,j} G_ij log_softmax_j(U_ij)",
        ("A", "W", "H", "V"),
    ),
    "adaptive_softmax_cross_entropy_vjp": FunctionEquations(
        "Z_ij = sum_k A_ik W_kj; P_ij = softmax_j(Z_ij); B_im = sum_k A_ik H_km; U_ij = sum_m B_im V_mj; "
        "Q_ij = softmax_j(U_ij); L = -1/n sum_{i,j} Y_ij log(P_ij) - 1/n sum_{i,j} G_ij log(Q_ij)",
        ("A", "W", "H", "V"),
    ),
    "periodic_vjp": FunctionEquations(f"{PERIODIC}; L = sum_{{i,j,e}} dA_ije A_ije", ("X", "F", "H", "V", "C")),
    "piecewise_linear_vjp": FunctionEquations(
        "S_ib = (X_i - t_b) / w_b; A_ib = 2 relu(S_ib) - 2 relu(S_ib - 1) - 1; L = sum_{i,b} dA_ib A_ib", ("X",)
    ),
    "l2_vjp": FunctionEquations("L = strength/2 sum_{k,j} W_kj^2", ("W",)),
}
"""Equations of each function, by its name."""


def derive_function(name: str) -> list[Derivation]:
    """Derive what a function of `glassmax.functional` returns, such as ``"softmax_vjp"``, and prove every line.

    There is one derivation for each derivative that the function returns, in its order.

    Examples
    --------
    >>> [derivation.matrix_form for derivation in derive_function("affine_vjp")]
    ['dZ Wᵀ', 'XᵀdZ', 'dZᵀ1']
    """
    asked = FUNCTIONAL_EQUATIONS[name]
    return [derive(asked.equations, [by] * asked.order, assume=asked.assume, times=asked.times) for by in asked.wrt]
