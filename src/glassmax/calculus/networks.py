"""The derivation for a dense network: write out its equations, and find the recursion of backpropagation.

The equations are those of `glassmax.network`, in the same letters; rows are samples. The derivatives with respect to
Z_l and A_l are called dZ_l and dA_l, so that the lines show ``dA1 = dZ2 W2ᵀ`` and ``dZ1 = dA1 ⊙ f'(Z1)``.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from .derivation import Derivation
from .deriving import derive, derive_program
from .reading import parse, parse_equation_pair, parse_index_reference

__all__ = ["ACTIVATION_EQUATIONS", "PERIODIC", "derive_embedding", "derive_network", "network_equations"]

ACTIVATION_EQUATIONS = {
    "identity": "{z}",
    "sigmoid": "sigmoid({z})",
    "tanh": "tanh({z})",
    "relu": "relu({z})",
    "leaky_relu": "relu({z}) - slope relu(-{z})",
    "elu": "relu({z}) - relu(1 - exp({z}))",
    "selu": "scale relu({z}) - scale alpha relu(1 - exp({z}))",
    "gelu": "1/2 {z} (1 + erf({z}/sqrt(2)))",
    "silu": "{z} sigmoid({z})",
    "mish": "{z} tanh(softplus({z}))",
    "softplus": "softplus({z})",
    "f": "f({z})",
}
"""The equation of each activation; "f" is an unspecified function."""

OUTPUT_EQUATIONS = {"softmax": "softmax_j({z})", "sigmoid": "sigmoid({z})", "identity": "{z}", "relu": "relu({z})"}

LOSS_EQUATIONS = {
    "cross_entropy": "L = -1/n sum_{i,j} Y_ij log(P_ij)",
    "squared_error": "L = 1/(2 n) sum_{i,j} (P_ij - Y_ij)^2",
    "binary_cross_entropy": "L = -1/n sum_{i,j} (Y_ij log(P_ij) + (1 - Y_ij) log(1 - P_ij))",
    "candidate_cross_entropy": "L = -1/n sum_i log(sum_j Y_ij P_ij)",
}

PERIODIC = "U_ijk = X_ij F_jk + H_jk; A_ije = sum_k cos(U_ijk) V_jke + C_je"
"""The equations of the periodic embedding: row i, column j of X, frequency k, output e."""


def network_equations(
    activations: Sequence[str],
    output: str,
    loss: str,
    l2: bool = False,
    inputs: str = "X",
    *,
    options: Collection[str] = (),
    frozen: Collection[str] = (),
) -> str:
    """Write out the equations of a dense network for `derive`, a line each.

    `activations` names one for each hidden layer, "f" for one left open; output and loss are as for `glassmax.Network`.
    With `l2` the loss has the penalty of all weights but the `frozen` ones. `inputs` is what the first layer takes,
    "A0" if X is embedded. `options` are the names of its options: softcap, z_loss, temperature.

    Examples
    --------
    >>> print(network_equations(["f"], "softmax", "cross_entropy"))
    Z1_ij = sum_k X_ik W1_kj + b1_j
    A1_ij = f(Z1_ij)
    Z2_ij = sum_k A1_ik W2_kj + b2_j
    P_ij = softmax_j(Z2_ij)
    L = -1/n sum_{i,j} Y_ij log(P_ij)
    """
    lines, below = [], inputs
    for layer in range(1, len(activations) + 2):
        lines.append(f"Z{layer}_ij = sum_k {below}_ik W{layer}_kj + b{layer}_j")
        if layer <= len(activations):
            value = ACTIVATION_EQUATIONS[activations[layer - 1]].format(z=f"Z{layer}_ij")
            lines.append(f"A{layer}_ij = {value}")
            below = f"A{layer}"
    logits = f"Z{len(activations) + 1}"
    if "softcap" in options or "temperature" in options:
        lines.append(f"U_ij = {_bounded(f'{logits}_ij', options)}")
        logits = "U"
    lines.append("P_ij = " + OUTPUT_EQUATIONS[output].format(z=f"{logits}_ij"))
    penalized = [f"W{layer}" for layer in range(1, len(activations) + 2) if l2 and f"W{layer}" not in frozen]
    penalty = f" + zloss/n sum_i logsumexp_j({logits}_ij)^2" if "z_loss" in options else ""
    penalty += "".join(f" + 1/2 l2 sum_{{k,j}} {W}_kj^2" for W in penalized)
    lines.append(LOSS_EQUATIONS[loss] + penalty)
    return "\n".join(lines)


def _bounded(Z: str, options: Collection[str]) -> str:
    """Write U, the logits that softmax takes, as a function of Z."""
    if "softcap" not in options:
        return f"{Z} / temperature"
    return f"softcap tanh({Z} / (temperature softcap))" if "temperature" in options else f"softcap tanh({Z} / softcap)"


def derive_network(
    wrt: str,
    activations: Sequence[str],
    output: str = "softmax",
    loss: str = "cross_entropy",
    *,
    l2: bool = False,
    rows_sum_to_one: bool = True,
    inputs: str = "X",
    options: Collection[str] = (),
    frozen: Collection[str] = (),
) -> Derivation:
    """Derive the gradient of L with respect to a parameter, Z, A or X of a dense network, and prove every line.

    `wrt` is ``"W1"``, ``"b2"``, ``"Z1"``, ``"X"``, ..., or ``"U"``, the logits after softcap and temperature;
    ``"W1[m,n]"`` names the cell. The z-loss is called zloss in the lines. The network is described as for
    `network_equations`. With `rows_sum_to_one`, ``sum_j Y_ij = 1`` is used, which one-hot and soft labels satisfy.

    Examples
    --------
    >>> derivation = derive_network("W1", ["f"])
    >>> derivation.matrix_form
    'XᵀdZ1'
    """
    program = parse(network_equations(activations, output, loss, l2, inputs, options=options, frozen=frozen))
    program = replace(program, lengths=(("n", inputs, 0),))
    name, indices = parse_index_reference(wrt)
    once = rows_sum_to_one and loss == "cross_entropy"
    assumptions = [parse_equation_pair("sum_j Y_ij = 1")] if once else []
    keep = {"U", *(f"{letter}{layer}" for layer in range(1, len(activations) + 2) for letter in "ZA")} - {name}
    cell = tuple(str(index) for index in indices) or None
    derivation = derive_program(program, "L", [(name, cell)], assumptions, keep=frozenset(keep))
    derivation.verify()
    return derivation


def derive_embedding(wrt: str, *, l2: bool = False) -> Derivation:
    """Derive the gradient of L with respect to a parameter of an embedding, and prove every line.

    `wrt` is ``"F"``, ``"H"``, ``"V"``, ``"C"``, or ``"E1"``, ...; ``"F[m,n]"`` names the cell. The derivation starts
    from dA, the derivative of L with respect to the embedded columns: the columns of dA0 that belong to them. In the
    equation of E, the columns of X are those of the block.

    Examples
    --------
    >>> derive_embedding("E1").matrix_form
    'XᵀdA'
    >>> print(derive_embedding("H").expression)
    -sum_{i,e} dA_ije V_jke sin(U_ijk)
    """
    name, _ = parse_index_reference(wrt)
    penalty = " + 1/2 l2 sum_{j,k,e} V_jke^2" if l2 and name == "V" else ""
    equations = f"{PERIODIC}; L = sum_{{i,j,e}} dA_ije A_ije{penalty}"
    if name.startswith("E"):
        penalty = f" + 1/2 l2 sum_{{k,e}} {name}_ke^2" if l2 else ""
        equations = f"A_ie = sum_k X_ik {name}_ke; L = sum_{{i,e}} dA_ie A_ie{penalty}"
    return derive(equations, wrt)
