"""Why a line reads as it does, in index form: derived by the calculus when it is asked for, and proved on numbers.

Each reason is a question to `glassmax.calculus.derive` with a few words. What stands between the equals signs is the
answer of the calculus. A reason without a question is a definition.
"""

from functools import cache
from typing import NamedTuple

from ...calculus import derive

__all__ = ["REASONS", "reason"]

SOFTMAX = "p_i = exp(z_i) / sum_k exp(z_k)"
SIGMOID = "p_i = 1 / (1 + exp(-z_i))"


class _Reason(NamedTuple):
    """A question as `derive` takes it, and what its answer means.

    `lines` is how many of the last steps are worth showing, `words` is what to read in them.
    """

    equations: str
    wrt: str
    lines: int
    words: str
    assume: tuple[str, ...] = ()


REASONS = {
    "fused": _Reason(
        f"L = -sum_k y_k log(p_k); {SOFTMAX}",
        "z",
        3,
        "this contains the Jacobian p_i (delta_ji - p_j) already",
        ("sum_k y_k = 1",),
    ),
    "sigmoid fused": _Reason(
        f"L = -sum_i (y_i log(p_i) + (1 - y_i) log(1 - p_i)); {SIGMOID}", "z", 2, "this contains sigmoid' already"
    ),
    "jacobian": _Reason(
        f"L = sum_j g_j p_j; {SOFTMAX}", "z", 3, "with g = dL/dp; every p_j depends on every z_i, so j is summed"
    ),
    "rows": _Reason(
        f"L = sum_j p_j; {SOFTMAX}",
        "z",
        3,
        "the Jacobian's rows sum to 0, always: they are contracted with dL/dp, never summed alone",
    ),
    "elementwise": _Reason(
        "L = sum_j g_j p_j; p_j = f(z_j)", "z", 2, "with g = dL/dp; each output depends on its own z"
    ),
    "dA": _Reason(
        "L = sum_k g_k z_k; z_k = sum_j a_j W_jk + b_k",
        "a",
        1,
        "with g = dL/dz; the sum over k makes it a product with Wᵀ, of the W that made z",
    ),
    "dZ": _Reason(
        "L = sum_j g_j a_j; a_j = f(z_j)",
        "z",
        2,
        "with g = dL/da; j is not summed, so the product is element by element, with this layer's own z",
    ),
    "dW": _Reason(
        "L = sum_i sum_k G_ik Z_ik; Z_ik = sum_j A_ij W_jk + b_k",
        "W",
        1,
        "with G = dL/dZ; i runs over the samples, j and k are free, so it is AᵀG",
    ),
    "db": _Reason(
        "L = sum_i sum_k G_ik Z_ik; Z_ik = sum_j A_ij W_jk + b_k",
        "b",
        1,
        "with G = dL/dZ; b_k is in Z_ik for every sample i, so i is summed",
    ),
    "penalty": _Reason(
        "L = l/2 sum_j sum_k W_jk^2",
        "W",
        1,
        "with l the penalty's l2; it is added to the derivative of the data's part",
    ),
    "scale": _Reason(
        "L = 1/n sum_i G_i",
        "G",
        1,
        "with G_i the loss of sample i: 1/n is in dL/dZ once, and every gradient below inherits it",
    ),
    "softmax": _Reason(
        SOFTMAX, "z", 1, "with p_i = exp(z_i)/sum_k exp(z_k): k runs over the classes of one sample, once"
    ),
    "labels": _Reason("", "", 0, "y_i = 1 for the class of the sample, counted from 0, and 0 for the others"),
}


@cache
def reason(name: str) -> str:
    """Return a reason in index form: the last steps of the derivation as one chain, and what to read in them.

    Examples
    --------
    >>> reason("dW")
    'dL/dW_jk = sum_i G_ik A_ij: with G = dL/dZ; i runs over the samples, j and k are free, so it is AᵀG'
    """
    asked = REASONS[name]
    if not asked.equations:
        return asked.words
    derivation = derive(asked.equations, asked.wrt, assume=asked.assume)
    sides = [str(step).split(" = ", 1) for step in derivation.steps]
    whole, chain = sides[-1][0], [derivation.index_form]
    for left, right in reversed(sides[:-1]):
        if left != whole or len(chain) == asked.lines:
            break
        if right != chain[0]:
            chain.insert(0, right)
    return f"{' = '.join([whole, *chain])}: {asked.words}"
