"""The equation of an array, by its name, in the notation of `docs/notation.md`: Z1 = X W1 + b1."""

from ..exact_pass import Pass
from .recognise import Recognised, times

__all__ = ["told_with_equation"]

OF_OUTPUT = {"sigmoid": "sigmoid({Z})", "identity": "{Z}", "relu": "relu({Z})", "softmax": "softmax({Z})"}
THROUGH_OUTPUT = {
    "softmax": "P ⊙ (dP - rowsum(dP ⊙ P))",
    "sigmoid": "dP ⊙ P ⊙ (1 - P)",
    "identity": "dP",
    "relu": "dP ⊙ ({Z} > 0)",
}
OF_LOSS = {
    "squared_error": "P - Y",
    "cross_entropy": "-Y / P",
    "binary_cross_entropy": "(1 - Y) / (1 - P) - Y / P",
}
DERIVATIVES = {"sigmoid": "{A} ⊙ (1 - {A})", "tanh": "(1 - {A}²)", "relu": "({Z} > 0)"}


def told_with_equation(recognised: Recognised, p: Pass) -> str:
    """An array in words, with its equation if it has one: "8 dZ2 = P - Y"."""
    told = recognised.told(p.n)
    if recognised.factor.name == "1":
        right = _equation(recognised.name, p)
    elif recognised.factor.name == "n":
        right = _n_times(recognised.name, p)
    else:
        right = ""
    return f"{told} = {right}" if right and right != told else told


def _equation(name: str, p: Pass) -> str:
    """The right side of the equation of an array; empty if the name says it all."""
    for letters, write in (("dZ", _dZ), ("dA", _dA), ("dW", _dW), ("db", _db), ("Z", _Z), ("A", _A)):
        layer = name.removeprefix(letters)
        if name.startswith(letters) and layer.isdigit():
            return write(int(layer), p)
    if name == "P":
        return OF_OUTPUT[p.architecture.output].format(Z=f"Z{p.depth}")
    if name == "dP":
        return _scaled(OF_LOSS.get(p.architecture.loss, ""), p)
    if name == "dX":
        return "dZ1 W1ᵀ"
    if name == "L" and not (p.l2 or p.l2_bias):
        return _scaled("sum(L_i)", p)
    return ""


def _n_times(name: str, p: Pass) -> str:
    """The right side of the equation of n times a derivative, where the loss is a mean."""
    if abs(p.scale * p.n - 1) > 1e-9 or not name.startswith("d"):
        return ""
    if name == f"dZ{p.depth}" and p.head.fused:
        return "P - Y"
    if name == "dP":
        return OF_LOSS.get(p.architecture.loss, "")
    right = _equation(name, p)
    return "" if " + " in right else times(str(p.n), right)


def _input(layer: int) -> str:
    return f"A{layer - 1}" if layer > 1 else "X"


def _Z(layer: int, p: Pass) -> str:
    bias = f" + b{layer}" if p.architecture.biases[layer - 1] else ""
    return f"{_input(layer)} W{layer}{bias}"


def _A(layer: int, p: Pass) -> str:
    return f"{p.f(layer)}(Z{layer})"


def _dZ(layer: int, p: Pass) -> str:
    if layer == p.depth:
        if p.head.fused:
            return _scaled("P - Y", p)
        return THROUGH_OUTPUT[p.architecture.output].format(Z=f"Z{layer}")
    slope = DERIVATIVES.get(p.f(layer), f"{p.f(layer)}'({{Z}})")
    return f"dA{layer} ⊙ {slope.format(A=f'A{layer}', Z=f'Z{layer}')}"


def _dA(layer: int, p: Pass) -> str:
    return f"dZ{layer + 1} W{layer + 1}ᵀ"


def _dW(layer: int, p: Pass) -> str:
    penalty = f" + {p.l2:.4g} W{layer}" if p.l2 else ""
    return f"{_input(layer)}ᵀ dZ{layer}{penalty}"


def _db(layer: int, p: Pass) -> str:
    penalty = f" + {p.l2_bias:.4g} b{layer}" if p.l2_bias else ""
    return f"colsum(dZ{layer}){penalty}"


def _scaled(text: str, p: Pass) -> str:
    """A sum over the samples with the factor of the loss before it."""
    if not text or p.scale == 1:
        return text
    multiple = p.scale * p.n
    if abs(multiple - 1) < 1e-9:
        return times("1/n", text)
    return times(f"{multiple:.4g}/n", text)
