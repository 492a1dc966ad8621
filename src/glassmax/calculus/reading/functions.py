"""The functions of index notation: those that are known, those that are written out, those that are refused by name."""

from collections.abc import Callable
from fractions import Fraction

from ..expression import ONE, Add, Call, Expr, Num, Pow
from .resolve import negate, number, product

__all__ = ["ARRAYS_TOO", "FUNCTIONS", "REFUSED", "SOFTMAXES", "WRITTEN_OUT", "which_sigma"]

FUNCTIONS = {
    **{name: name for name in ("exp", "log", "abs", "sign", "sin", "cos", "tanh", "sqrt", "max")},
    **{name: name for name in ("sigmoid", "relu", "step", "softplus", "erf")},
    **{"ln": "log", "ReLU": "relu"},
}
"""What people type, and the function that it is."""

SOFTMAXES = ("softmax", "log_softmax", "logsumexp")


def which_sigma(name: str) -> str:
    """Return the message for sigma, with its primes, as a function: people mean the sigmoid or any function."""
    primes = name.removeprefix("sigma")
    what = f"σ{primes}(...) may be the sigmoid or any function: write sigmoid{primes}(...) for 1/(1 + exp(-z)), "
    return what + f"or f{primes}(...) for a function that is not specified"


def _exp(x: Expr) -> Expr:
    return Call("exp", x)


def _logarithm(base: int) -> Callable[[Expr], Expr]:
    return lambda x: product((Call("log", x), Pow(Call("log", number(base)), number(-1))))


def _half(a: Expr, b: Expr) -> Expr:
    return product((Num(Fraction(1, 2)), Add((a, b))))


def _gelu(x: Expr) -> Expr:
    root = Pow(number(2), Num(Fraction(1, 2)))
    inner = Add((ONE, Call("erf", product((x, Pow(root, number(-1)))))))
    return product((Num(Fraction(1, 2)), x, inner))


WRITTEN_OUT: dict[str, Callable[[Expr], Expr]] = {
    "tan": lambda x: product((Call("sin", x), Pow(Call("cos", x), number(-1)))),
    "sinh": lambda x: _half(_exp(x), negate(_exp(negate(x)))),
    "cosh": lambda x: _half(_exp(x), _exp(negate(x))),
    "log1p": lambda x: Call("log", Add((ONE, x))),
    "expm1": lambda x: Add((_exp(x), number(-1))),
    "log2": _logarithm(2),
    "log10": _logarithm(10),
    **dict.fromkeys(("gelu", "GELU", "GeLU"), _gelu),
    **dict.fromkeys(("silu", "SiLU", "swish", "Swish"), lambda x: product((x, Call("sigmoid", x)))),
    **dict.fromkeys(("mish", "Mish"), lambda x: product((x, Call("tanh", Call("softplus", x))))),
    "logsigmoid": lambda x: Call("log", Call("sigmoid", x)),
    "softsign": lambda x: product((x, Pow(Add((ONE, Call("abs", x))), number(-1)))),
    "sgn": lambda x: Call("sign", x),
    "Relu": lambda x: Call("relu", x),
    "Sigmoid": lambda x: Call("sigmoid", x),
    "Softplus": lambda x: Call("softplus", x),
    "heaviside": lambda x: Call("step", x),
    "logit": lambda x: Add((Call("log", x), negate(Call("log", Add((ONE, negate(x))))))),
    "square": lambda x: Pow(x, number(2)),
    "exp2": lambda x: Pow(number(2), x),
    "erfc": lambda x: Add((ONE, negate(Call("erf", x)))),
    "sech": lambda x: Pow(_half(_exp(x), _exp(negate(x))), number(-1)),
    **dict.fromkeys(("expit", "logistic", "sigm"), lambda x: Call("sigmoid", x)),
}
"""Functions that are made of known ones."""

ARRAYS_TOO = frozenset({"logit", "square", "heaviside", "Relu", "Sigmoid", "Softplus", "exp2"})
"""Those of them that are names of arrays as well, and functions only before a bracket."""

_MEAN = "write 1/n sum_i x_i"
_NORM = "write sqrt(sum_i x_i^2)"
_INNER = "write sum_i x_i y_i"
_EXTREME = "max(a, b) and min(a, b) take two numbers"
_DERIVATIVE = {"sin": "1/sqrt(1 - x^2)", "cos": "-1/sqrt(1 - x^2)", "tan": "1/(1 + x^2)"}

REFUSED = {
    **{
        prefix + name + hyperbolic: "write f(x), a function that is not specified"
        + ("" if hyperbolic else f"; its derivative f'(x) is {derivative}")
        for prefix in ("arc", "a", "ar")
        for name, derivative in _DERIVATIVE.items()
        for hyperbolic in ("", "h")
    },
    **dict.fromkeys(("mean", "avg", "average"), _MEAN),
    **dict.fromkeys(("var", "Var", "variance"), "write 1/n sum_i (x_i - m)^2, with the mean m = 1/n sum_i x_i"),
    **dict.fromkeys(("std", "Std", "stddev"), "write sqrt(1/n sum_i (x_i - m)^2), with the mean m = 1/n sum_i x_i"),
    **dict.fromkeys(("norm", "Norm"), _NORM),
    **dict.fromkeys(("dot", "inner", "vdot"), _INNER),
    **dict.fromkeys(("tr", "trace", "Tr"), "write sum_i A_ii"),
    **dict.fromkeys(("prod", "product"), "its logarithm is a sum: write sum_i log(x_i)"),
    **dict.fromkeys(("argmax", "argmin"), "it has no derivative"),
    **dict.fromkeys(("amax", "amin", "maximum", "minimum"), _EXTREME),
    **dict.fromkeys(("matmul", "einsum"), "write sum_k A_ik B_kj"),
    **dict.fromkeys(("outer",), "write x_i y_j"),
    **dict.fromkeys(("diag",), "write x_i delta_ij"),
    **dict.fromkeys(("transpose",), "write A_ji"),
    **dict.fromkeys(("inv", "det", "logdet", "pinv"), "it has no index notation"),
    **dict.fromkeys(("cumsum", "cumprod"), "write sum_j M_ij x_j, where M_ij is 1 for j <= i and 0 elsewhere"),
    **dict.fromkeys(("KL", "kl", "D_KL"), "write sum_k p_k log(p_k/q_k)"),
    **dict.fromkeys(("CE", "NLL", "cross_entropy", "crossentropy"), "write -sum_k y_k log(p_k)"),
    **dict.fromkeys(("BCE", "bce"), "write -(y log(p) + (1 - y) log(1 - p))"),
    **dict.fromkeys(("MSE", "mse"), "write 1/n sum_i (p_i - y_i)^2"),
    **dict.fromkeys(("entropy",), "write -sum_k p_k log(p_k)"),
    **dict.fromkeys(("LSE", "lse"), "write log(sum_i exp(x_i))"),
    **dict.fromkeys(("cov", "Cov"), "write 1/n sum_i (x_i - a) (y_i - b), with the means a and b"),
    **dict.fromkeys(("median", "sort", "topk", "quantile"), "it has no index notation"),
    **dict.fromkeys(("floor", "ceil", "round"), "it has no derivative but 0"),
    **dict.fromkeys(("clip", "clamp"), "write max(a, min(x, b))"),
    **dict.fromkeys(("leaky_relu", "LeakyReLU", "leakyrelu", "lrelu", "PReLU"), "write max(0, x) + a min(0, x)"),
    **dict.fromkeys(("elu", "ELU"), "write max(0, x) + a (exp(min(0, x)) - 1)"),
    **dict.fromkeys(("selu", "SELU"), "write b (max(0, x) + a (exp(min(0, x)) - 1))"),
    **dict.fromkeys(("hardtanh", "HardTanh"), "write max(-1, min(x, 1))"),
    **dict.fromkeys(("onehot", "one_hot"), "write delta_yk, which is 1 at k = y and 0 elsewhere"),
    **dict.fromkeys(("pow", "power"), "write x^2"),
    **dict.fromkeys(("cbrt",), "write x^(1/3)"),
    **dict.fromkeys(("cot",), "write cos(x)/sin(x)"),
    **dict.fromkeys(("lg",), "write log2(x) or log10(x)"),
    **dict.fromkeys(("Pr", "Prob"), "write the probability as an array, such as p_k"),
}
"""Names that stand for more than a function of one number, or for one without a rule, and what to write."""
