"""Reasons for the corrected lines, in index form: derived by the calculus on demand, and checked on numbers.

Each reason is a question to `glassmax.calculus.derive` and a few sentences. The equations are the answer of the
calculus. A reason without a question is a definition.
"""

from functools import cache
from typing import NamedTuple

from ...calculus import derive

__all__ = ["REASONS", "reason"]

SOFTMAX = "p_i = exp(z_i) / sum_k exp(z_k)"
SIGMOID = "p_i = 1 / (1 + exp(-z_i))"


class _Reason(NamedTuple):
    """A question as `derive` takes it, and the meaning of the answer.

    `lines` is the number of last steps that are shown; `words` explain them.
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
        "This already contains softmax's Jacobian p_i (delta_ji - p_j).",
        ("sum_k y_k = 1",),
    ),
    "fused with any sum": _Reason(
        f"L = -sum_k y_k log(p_k); {SOFTMAX}", "z", 3, "The sum of a row of y is 1 for most labels; here it is not."
    ),
    "sigmoid fused": _Reason(
        f"L = -sum_i (y_i log(p_i) + (1 - y_i) log(1 - p_i)); {SIGMOID}", "z", 2, "This already contains sigmoid'."
    ),
    "jacobian": _Reason(
        f"L = sum_j g_j p_j; {SOFTMAX}", "z", 3, "g is dL/dp. Every p_j depends on every z_i, so the index j is summed."
    ),
    "rows": _Reason(
        f"L = sum_j p_j; {SOFTMAX}",
        "z",
        3,
        "Each row of the Jacobian sums to 0. The rows must be multiplied by dL/dp before they are summed.",
    ),
    "elementwise": _Reason(
        "L = sum_j g_j p_j; p_j = f(z_j)",
        "z",
        2,
        "g is dL/dp. Each output depends on its own z alone, so the product is element by element.",
    ),
    "dA": _Reason(
        "L = sum_k g_k z_k; z_k = sum_j a_j W_jk + b_k",
        "a",
        1,
        "g is dL/dz. The index k is summed, so this is a product with Wᵀ. W is the matrix that gave z.",
    ),
    "dZ": _Reason(
        "L = sum_j g_j a_j; a_j = f(z_j)",
        "z",
        2,
        "g is dL/da. The index j is not summed, so the product is element by element. z_j is the z of this layer.",
    ),
    "dW": _Reason(
        "L = sum_i sum_k G_ik Z_ik; Z_ik = sum_j A_ij W_jk + b_k",
        "W",
        1,
        "G is dL/dZ. The index i runs over the samples and is summed; j and k are free. So dL/dW = AᵀG.",
    ),
    "db": _Reason(
        "L = sum_i sum_k G_ik Z_ik; Z_ik = sum_j A_ij W_jk + b_k",
        "b",
        1,
        "G is dL/dZ. The index i runs over the samples and is summed, because b_k is in every Z_ik.",
    ),
    "penalty": _Reason(
        "L = c/2 sum_j sum_k W_jk^2",
        "W",
        1,
        "c is the coefficient l2. This is added to the derivative of the loss without the penalty.",
    ),
    "scale": _Reason(
        "L = 1/n sum_i l_i",
        "l",
        1,
        "l_i is the loss of sample i. The factor 1/n enters once, in dZ of the last layer, and every gradient below "
        "contains it.",
    ),
    "softmax": _Reason(
        SOFTMAX, "z", 1, "p_i is exp(z_i)/sum_k exp(z_k). The index k runs over the classes of one sample."
    ),
    "smoothed": _Reason(
        "",
        "",
        0,
        "with k classes and the share e, y_i is 1 - e + e/k for the class of the sample and e/k for each other class, "
        "so that a row of y sums to 1.",
    ),
    "labels": _Reason("", "", 0, "y_i is 1 for the class of the sample, counted from 0, and 0 for the other classes."),
}


@cache
def reason(name: str) -> str:
    """Return a reason in index form: the last steps of the derivation as one chain, and their explanation.

    Examples
    --------
    >>> reason("db")
    'dL/db_k = sum_i G_ik. G is dL/dZ. The index i runs over the samples and is summed, because b_k is in every Z_ik.'
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
    return f"{' = '.join([whole, *chain])}. {asked.words}"
