"""Formulas as papers, textbooks and questions print them: each is read as it is meant, or refused with the way to write
it."""

from collections.abc import Callable

import numpy as np
import pytest

from glassmax.calculus import derive
from glassmax.calculus.reading.parse import parse, parse_expression, parse_index_reference
from glassmax.errors import ExpressionError

from .test_parse import show, show_program

TRANSPOSED = "index notation has no transpose: "
GENERAL = "w^T x is sum_d w_d x_d, and the transpose of A_ij is A_ji"
MATRIX = "; matrix notation is read with matrix=True"
NORM = "a norm has no sign in index notation: ‖x‖^2 is sum_i x_i^2, ‖x‖ is sqrt(sum_i x_i^2), ‖x‖_1 is sum_i |x_i|"
ANGLES = "an inner product has no sign in index notation: <x, y> is sum_d x_d y_d"
SIGMA = (
    "σ(...) may be the sigmoid or any function: write sigmoid(...) for 1/(1 + exp(-z)), or f(...) for a function that"
)
SIGMA += " is not specified"
PRIME = "a prime belongs right after a name, before its indices: W'_ki, f'(z_i); a transpose is written with indices: "
PRIME += "sum_d w_kd x_d"
NOT_INDICES = "expected two indices in an indicator, as in 1{y_i = k}; of a number, 1{x > 0} is step(x), got "
SHIFT = "is not supported, as in a convolution or a recursion: write"
STEPS = "write each layer or step as an equation of its own, h1_j = f(h0_j); h2_j = f(h1_j)"


def part(letter: str, typed: str, over: str, mask: str) -> str:
    """The message for a sum over a part of an axis."""
    return (
        f"a sum runs over the whole axis of its index, not over the part {typed}: write sum_{letter} for the whole "
        f"axis, or sum_{over} {mask} x_{letter}, where {mask} is 1 in the part and 0 elsewhere"
    )


def also_number(letter: str) -> str:
    return f"{letter} is an index here, and can't be a number too: take another letter for one of them"


def superscript(above: str, power: str, name: str = "") -> str:
    message = f"{above} as a superscript may be a power or not: write a power as {power}, an index below the line"
    return message + (f", and a part of the name as {name}" if name else "")


REFUSED = [
    # transposes
    ("L = w^T x", f"{TRANSPOSED}w^T x is sum_d w_d x_d; a power of T is w^(T){MATRIX}", "^T"),
    ("z_k = w_k^T x + b_k", f"{TRANSPOSED}w_k^T x is sum_d w_kd x_d; a power of T is w_k^(T)", "^T"),
    ("z_k = w_k^{T} x_i", f"{TRANSPOSED}w_k^T x_i is sum_d w_kd x_id; a power of T is w_k^(T)", "^{T}"),
    ("z_k = \\mathbf{w}_k^\\top \\mathbf{x}", f"{TRANSPOSED}w_kᵀ x is sum_d w_kd x_d", "^\\top"),
    ("z_k = \\theta_k^\\intercal x", f"{TRANSPOSED}theta_kᵀ x is sum_d theta_kd x_d", ""),
    ("z_k = w_kᵀ x", f"{TRANSPOSED}w_kᵀ x is sum_d w_kd x_d", ""),
    ("z_k = w_k⊤ x", f"{TRANSPOSED}w_kᵀ x is sum_d w_kd x_d", ""),
    ("z_k = w_k' x", PRIME, "' x"),
    ("L = w^\\top x", f"{TRANSPOSED}wᵀ x is sum_d w_d x_d{MATRIX}", "^\\top"),
    (
        "L = -u_o^T v_c + \\log \\sum_w \\exp(u_w^T v_c)",
        f"{TRANSPOSED}u_o^T v_c is sum_d u_od v_cd; a power of T is u_o^(T)",
        "^T v_c +",
    ),
    ("L = \\theta^{(k)\\top} x^{(i)}", f"{TRANSPOSED}theta_kᵀ x_i is sum_d theta_kd x_id{MATRIX}", ""),
    ("L = x^T A x", f"{TRANSPOSED}x^T A x is sum_{{d,e}} x_d A_de x_e; a power of T is x^(T){MATRIX}", ""),
    ("L = tanh(W^T x)", f"{TRANSPOSED}W^T x is sum_d W_de x_d; a power of T is W^(T){MATRIX}", ""),
    ("L_k = sum_j W_kj^T", f"{TRANSPOSED}the transpose of W_kj is W_jk; a power of T is W_kj^(T)", ""),
    ("L_k = sum_j W^T_{kj} x_j", f"{TRANSPOSED}{GENERAL}; a power of T is W^(T)", ""),
    ("L = (x - y)^T (x - y)", f"{TRANSPOSED}{GENERAL}{MATRIX}", ""),
    ("L = e^T e", f"{TRANSPOSED}{GENERAL}{MATRIX}", ""),
    ("L = (1ᵀy) p - y", f"{TRANSPOSED}1ᵀ y is sum_d y_d{MATRIX}", ""),
    ("L = \\mathbf{1}^\\top y", f"{TRANSPOSED}1ᵀ y is sum_d y_d{MATRIX}", ""),
    (
        "L = x'x",
        "x' may be a transpose or another array: write a product of vectors as sum_d x_d x_d, or take another name for "
        "an array",
        "x'x",
    ),
    (
        "L = X \\beta'",
        "'X' belongs to matrix notation, and no array has an index: write indices, as in sum_k W_jk x_k, or read the "
        "equations with matrix=True",
        "X \\",
    ),
    (
        "L = P ⊙ Y",
        "'⊙' belongs to matrix notation, and no array has an index: write indices, as in sum_k W_jk x_k, or read the "
        "equations with matrix=True",
        "⊙",
    ),
    # vectors without indices
    ("L = ‖x_i - y_i‖²", f"{NORM}, got '‖'", "‖x"),
    ("L = sum_i \\|x_i\\|_2^2", f"{NORM}, got '\\|'", "\\|x"),
    ("L = λ ||w||^2", f"{NORM}, got '||'", "||w"),
    ("L = \\left\\langle x, y \\right\\rangle", f"{ANGLES}, got '\\langle'", "\\langle"),
    ("L = <x, y>", f"{ANGLES}, got '<'", "<x"),
    (
        "z_k = w_k \\cdot x",
        "w_k · x may be an inner product of vectors or a product of numbers: write sum_d w_kd x_d or w_k * x",
        "\\cdot",
    ),
    (
        "s_ij = z_i · z_j / \\tau",
        "z_i · z_j may be an inner product of vectors or a product of numbers: write sum_d z_id z_jd or z_i * z_j",
        "·",
    ),
    (
        "L = \\vec{x} \\cdot \\vec{y}",
        "x · y may be an inner product of vectors or a product of numbers: write sum_d x_d y_d or x * y",
        "\\cdot",
    ),
    (
        "L = \\mathbf{1} y",
        "a vector of ones is left out in index notation: the sum of x is sum_i x_i, got '\\mathbf{1}'",
        "",
    ),
    # sums over a part of an axis
    ("s_i = \\sum_{j=1}^{i} x_j", part("j", "j≤i", "j", "M_ij"), "{i}"),
    ("s = \\sum_{j=1}^i x_j", part("j", "j≤i", "{i,j}", "M_ij"), "i x"),
    ("s_i = sum_{j<=i} x_j", part("j", "j<=i", "j", "M_ij"), "j<="),
    ("s_i = \\sum_{j \\ge i} x_j", part("j", "j \\ge i", "j", "M_ij"), "j \\"),
    ("L = sum_{i<j} x_i x_j", part("i", "i<j", "{i,j}", "M_ij"), "i<j"),
    ("L = \\sum_{k=2}^{K} x_k", part("k", "k=2", "k", "M_k"), "k=2"),
    ("L = \\sum_{k=1}^{K-1} x_k", part("k", "k≤K-1", "k", "M_k"), "{K"),
    ("L = \\sum_{k=1}^{K+1} x_k", part("k", "k≤K+1", "k", "M_k"), "{K"),
    ("L = \\sum_{i=1}^n \\sum_{j=i+1}^n A_{ij}", part("j", "j=i+1", "j", "M_ij"), "j=i"),
    ("L = \\sum_{i=a}^{b} x_i", part("i", "i=a", "i", "M_i"), "i=a"),
    ("L = \\sum_{i \\in S} x_i", part("i", "i \\in S", "i", "M_i"), "i \\in"),
    (
        "L = \\sum_{i=1}^n x_i + \\sum_{i=1}^m x_i",
        "index i of x has m values here, n before: a sum over a part of an axis needs a factor that is 0 elsewhere",
        "m x",
    ),
    (
        "L = \\sum_{i \\neq j} A_{ij}",
        "expected one index and another that is on the left or summed outside: a sum over both is sum_{i,j} (1 - "
        "delta_ij) ...",
        "i \\neq",
    ),
    ("L = Σ x_i", "expected an index after sum, as in sum_k, got 'x'", "x_i"),
    # shifted indices
    (
        "y_i = \\sum_h w_h x_{i+h}",
        f"the shifted index i+h {SHIFT} sum_s S_ihs x_s, where S_ihs is 1 at s = i+h, 0 elsewhere",
        "i+h",
    ),
    (
        "y_i = x[i+1] - x[i]",
        f"the shifted index i+1 {SHIFT} sum_s S_is x_s, where S_is is 1 at s = i+1, 0 elsewhere",
        "i+1",
    ),
    ("L = sum_i x_{2i}", f"the shifted index 2i {SHIFT} sum_s S_is x_s, where S_is is 1 at s = 2i, 0 elsewhere", "2i"),
    (
        "h_t = f(h_{t-1} + x_t)",
        f"the shifted index t-1 {SHIFT} each step as an equation of its own, h1_j = f(h0_j); h2_j = f(h1_j)",
        "t-1",
    ),
    (
        "x_{t+1} = f(x_t)",
        f"the shifted index t+1 {SHIFT} each step as an equation of its own, x1_j = f(x0_j); x2_j = f(x1_j)",
        "t+1",
    ),
    (
        "a^{[l]}_j = f(a^{[l-1]}_j)",
        f"the shifted index [l-1] is not supported: {STEPS} (a power is written a^(l-1))",
        "[l-1]",
    ),
    ("L = xᵢ₊₁", "write indices with signs below the line: sum_{i=1}^n, x_{i+1}", "₊"),
    ("L = ∑ᵢ₌₁ⁿ xᵢ", "write indices with signs below the line: sum_{i=1}^n, x_{i+1}", "₌"),
    ("L = xⁱ", "write an index below the line, x_i, and a power as x^n", "ⁱ"),
    # superscripts that may be powers or not
    ("a^l_j = f(z^l_j)", superscript("l", "(a_...)^(l)", "al"), "l_j ="),
    ("L = sum_j a_j^L", superscript("L", "a_j^(L)", "aL"), "L"),
    ("w_j = a^n_j", superscript("n", "(a_...)^(n)", "an"), "n_j"),
    ("L = sum_{ij} A^{-1}_{ij}", superscript("-1", "(A_...)^(-1)"), "{-1}"),
    ("w = w^{old} - g", superscript("old", "w^(old)", "wold"), "{old}"),
    ("L = W_ij^(2)", "W^(2) may be a power or a layer: write W^2 or W2", "(2)"),
    ("L = x^* y", "the superscript '*' is not supported: make it part of the name, such as x1", "* y"),
    ("L = x^{+} y", "the superscript '+' is not supported: make it part of the name, such as x1", "{+}"),
    (
        "L = sum_i y^i",
        "i is an index here, and can't be a power: write an index below the line, x_i",
        "i",
    ),
    ("L = \\sum_i (y^{i})^2", "i is an index here, and can't be a power: write an index below the line, x_i", "i}"),
    # an index that is a number too
    ("L = sum_i i x_i", also_number("i"), "i x"),
    ("L = sum_n x_n / n", also_number("n"), "n"),
    ("p_k = exp(z_k) / k", also_number("k"), "k"),
    ("L = sum_k a^{2k} x_k", also_number("k"), "k} x"),
    # names
    ("a = \\sigma(z)", SIGMA, "\\sigma"),
    ("a_i = σ'(z_i)", SIGMA.replace("σ(", "σ'(").replace("sigmoid(", "sigmoid'(").replace("f(", "f'("), "σ"),
    (
        "L = arccos(sum_i x_i y_i)",
        "arccos is not supported in index notation: write f(x), a function that is not specified; its derivative "
        "f'(x) is -1/sqrt(1 - x^2)",
        "arccos",
    ),
    (
        "L = \\arctan x",
        "arctan is not supported in index notation: write f(x), a function that is not specified; its derivative "
        "f'(x) is 1/(1 + x^2)",
        "\\arctan",
    ),
    ("L = mean(x)", "mean is not supported in index notation: write 1/n sum_i x_i", "mean"),
    ("m_j = mean_i(x_ij)", "mean is not supported in index notation: write 1/n sum_i x_i", "mean"),
    (
        "L = \\prod_i p_i",
        "prod is not supported in index notation: its logarithm is a sum: write sum_i log(x_i)",
        "\\prod",
    ),
    ("L = KL(p || q)", "KL is not supported in index notation: write sum_k p_k log(p_k/q_k)", "KL"),
    ("L = \\max_i x_i", "max over an index is not supported, max(a, b) takes two numbers: expected '(', got '_'", "_i"),
    ("L = H(p, q)", "H(...) is a function of one number, write its formula: expected ')', got ','", ", q"),
    (
        "y_i = f_i(x)",
        "f_i(...) may be a function or a product: write a product as f_i * (...), and a function that is not "
        "specified as f(...), without an index",
        "f_i",
    ),
    (
        "y = w x; L = (y(x) - t)^2",
        "y(...) may be a function or a product: write a product as y * (...), and a function that is not specified as "
        "f(...), without an index",
        "y(x)",
    ),
    (
        "\\mathcal{L} = L + R",
        "L is typed in two fonts, and would be read as one array: take another name for one of them",
        "L + R",
    ),
    (
        "L = x cdot y",
        "'cdot' can't be the name of an array: write a LaTeX command with its backslash, or take another name",
        "cdot",
    ),
    (
        "L = sum_j w_jx_j",
        "expected one group of indices, x_ij, and a space between two arrays, w_j x_j, got '_'",
        "_j",
    ),
    # functions without brackets
    ("L = \\log 2\\pi\\sigma^2", "\\log 2 \\pi may be \\log(2 \\pi) or \\log(2) \\pi: write brackets", "\\log"),
    ("L = sin x (y + z)", "sin x (...) may be sin(x (...)) or sin(x) (...): write brackets", "sin"),
    ("L = \\log_3 x", "expected a logarithm to base 2, 10 or e; write another as log(x)/log(a), got '3'", "3"),
    ("L = \\tan^{-1} x", "expected a number as the power of tan (-1 above a function is its inverse), got '{'", "{-1}"),
    # indicators
    ("y_i = x_i 1{x_i > 0}", f"{NOT_INDICES}'>'", ">"),
    ("y_i = [x_i = 0] x_i", f"{NOT_INDICES}'0'", "0]"),
    # left sides
    ("p(y = k | x) = exp(z_k)", "expected names in the brackets of p(y = k | x)", "= k |"),
    (
        "f(x) = x^2; L = f(3)",
        "f is defined for (x), and used for (3): write two equations with different names",
        "f(3)",
    ),
    (
        "\\sigma^2 = v; L = x/\\sigma",
        "sigma is used here, but the equations define sigma^2, which is read as sigma2: write sigma as sigma2^(1/2)",
        "\\sigma",
    ),
    ("sigma2 = 1; \\sigma^2 = v", "sigma2 is the name for a power here: take another name", "\\sigma^2"),
    (
        "L = \\frac1N \\sum_i L_i; L_i = x_i^2",
        "L is defined twice, with different numbers of indices; take another name for one of them",
        "L_i = x",
    ),
    ("L() = x", "expected a name between the brackets", "() ="),
    ("\\mathbf{x_i} = y", "expected one name in \\mathbf{...}, with its indices after the brace: \\mathbf{x}_i", "_i}"),
    ("\\hat{} = y", "expected a name in \\hat", "} ="),
]


@pytest.mark.parametrize(("text", "message", "at"), REFUSED)
def test_what_may_be_meant_in_two_ways_is_refused_with_the_way_to_write_it(text: str, message: str, at: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert str(caught.value).splitlines()[0] == message
    assert text[caught.value.position :].startswith(at)


EXPRESSIONS = {
    # what stands above a name
    "y^{(i)}": "y_i",
    "x^{(i)}_j x_j^{(i)}": "(x_i,j x_i,j)",
    "\\hat{Y}_j^{(i)} + a^{[l]}_k": "(Yhat_i,j + a_l,k)",
    "w_{ij}^{(1)} W^{[2]}_{ij}": "(w1_i,j W2_i,j)",
    "a^{[1](i)}_j": "a1_i,j",
    "x⁽ⁱ⁾ + z⁽²⁾": "(x_i + z2)",
    "x^{(i)2}": "x^(i 2)",
    "x^{(a + b)}": "x^(a + b)",
    "x^n y^{-1} z_i^{p}": "(x^n y^-1 z_i^p)",
    "p_k^{t_k}": "p_k^t_k",
    "w^(T) \\gamma^(l)": "(w^T gamma^l)",
    "2^T e^{(a)}": "(2^T exp(a))",
    "\\sigma_i^2 \\sigma^2_i": "(sigma_i^2 sigma_i^2)",
    # fonts and accents
    "\\mathbf{w}_k \\vec{x} \\bm\\theta \\mathbf z": "(w_k x theta z)",
    "\\widehat{y}_k \\overline{x} \\tilde z \\hat\\theta": "(yhat_k xbar ztilde thetahat)",
    "\\hat{\\mathbf{y}}_k \\mathbf{\\hat{y}}_k": "(yhat_k yhat_k)",
    "W_{\\text{out}} x_{i,\\mathrm{in}} w^{\\text{new}}": "(Wout xin_i wnew)",
    "\\mu_{\\mathcal{B}}": "muB",
    "\\operatorname{softmax}_j(z_j)": "(exp(z_j) sum_k[exp(z_k)]^-1)",
    # numbers
    "\\frac12 x": "(1/2 x)",
    "\\frac1N \\frac1{2n}": "(N^-1 1 (2 n)^-1)",
    "\\sqrt[3]{x}": "x^1/3",
    # functions
    "\\log_2 x + \\log_{10}(x) + \\log_e x": "((log(x) log(2)^-1) + (log(x) log(10)^-1) + log(x))",
    "min(a, b)": "(-1 ((-1 b) + relu(((-1 a) + b))))",
    "tan x": "(sin(x) cos(x)^-1)",
    "cos x sin y": "(cos(x) sin(y))",
    # indicators
    "1\\{y_i=k\\}": "delta_y[i],k",
    "\\mathbb{1}[y^{(i)} = k]": "delta_y[i],k",
    "\\mathbf{1}_{y_i=k} + 1_{[k \\neq i]}": "(delta_y[i],k + (1 + (-1 delta_k,i)))",
    "I(y_i == k) + [y_i = k]": "(delta_y[i],k + delta_y[i],k)",
    "[k != y_i]": "(1 + (-1 delta_k,y[i]))",
    "1 (a + b) I (a + b)": "((a + b) I (a + b))",
    # attention
    "sum_d Q_id K_jd / \\sqrt{d_k}": "sum_d[(Q_i,d K_j,d dk^1/2^-1)]",
    "sum_k sqrt(d_k)": "sum_k[d_k^1/2]",
    # sums
    "\\sum_{k=0}^{K-1} a_k": "sum_k[a_k]",
    "\\sum_{k=1}^{T_x} a_k + \\sum_{k}^{} a_k": "(sum_k[a_k] + sum_k[a_k])",
    "\\sum_{k=1}^{2N} \\sum_{j=0}^{n} a_kj": "sum_k[sum_j[a_k,j]]",
    "\\sum_i \\sum_{j \\ne i} a_j": "sum_i[sum_j[((1 + (-1 delta_j,i)) a_j)]]",
    "\\sum_i \\sum_{j=1, j \\neq i}^{n} a_j": "sum_i[sum_j[((1 + (-1 delta_j,i)) a_j)]]",
    "\\sum_i \\sum_{j \\neq y_i} a_ij": "sum_i[sum_j[((1 + (-1 delta_j,y[i])) a_i,j)]]",
    "\\sum_{i,j,i \\neq j} a_ij": "sum_i,j[((1 + (-1 delta_i,j)) a_i,j)]",
    "a_i ⊙ b_i ⊘ c_i": "(a_i b_i c_i^-1)",
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_is_read_as_its_author_means_it(text: str) -> None:
    assert show(parse_expression(text)) == EXPRESSIONS[text]


PROGRAMS = {
    "L(w) = \\sum_i w_i x_i": "L = sum_i[(w_i x_i)]",
    "J(W, b) = \\sum_k (W_k + b_k)": "J = sum_k[(W_k + b_k)]",
    "y_k(\\phi) = 2 a_k; E = \\sum_k t_k \\ln y_k(\\phi)": "y_k = (2 a_k); E = sum_k[(t_k log(y_k))]",
    "\\sigma(\\mathbf{z})_i = e^{z_i} / \\sum_j e^{z_j}": "sigma_i = (exp(z_i) sum_j[exp(z_j)]^-1)",
    "\\sigma^2_j = \\frac1m \\sum_i x_{ij}^2; y_j = u_j / (\\sigma_j^2 + \\epsilon)": (
        "sigma2_j = (m^-1 sum_i[x_i,j^2]); y_j = (u_j (sigma2_j + epsilon)^-1)"
    ),
    "\\sigma^2 = v; L = \\sigma^2 x": "sigma2 = v; L = (sigma2 x)",
    "\\begin{align} L &= \\sum_i x_i. \\label{eq:1} \\end{align}": "L = sum_i[x_i]",
    "\\[ L = x, \\]": "L = x",
    "sigma_i = 2 v_i; L = sum_i sigma_i(1 - sigma_i)": "sigma_i = (2 v_i); L = sum_i[(sigma_i (1 + (-1 sigma_i)))]",
    "x' = 2 y; L = x' y": "x' = (2 y); L = (x' y)",
}


@pytest.mark.parametrize("text", PROGRAMS)
def test_left_sides_are_read_as_they_are_printed(text: str) -> None:
    assert show_program(parse(text)) == PROGRAMS[text]


def test_the_square_of_a_name_is_asked_for_as_it_is_typed() -> None:
    assert parse_index_reference("\\sigma^2") == ("sigma2", ())
    assert parse_index_reference("\\sigma_j^2") == ("sigma2", ("j",))


@pytest.mark.parametrize("letter", ["T", "l", "L"])
def test_a_power_that_could_be_something_else_is_printed_in_brackets(letter: str) -> None:
    derivation = derive(f"y = x^({letter})", "x")
    assert derivation.index_form == f"{letter} x^({letter} - 1)"
    assert derive(f"y = a^({letter}) x", "x").index_form == f"a^({letter})"


REAL = [
    # the notes of CS231n
    (
        r"L = \frac1N \sum_i \sum_{j\neq y_i} \max(0, f_{ij} - f_{i y_i} + \Delta); f_{ij} = \sum_k x_{ik} W_{kj}",
        "f",
        "(step(f_ij - f[i, y_i] + Delta) - delta[y_i, j] sum_l step(f_il - f[i, y_i] + Delta))/N",
    ),
    (
        r"L_i = -\log\left(\frac{e^{f_{i y_i}}}{\sum_j e^{f_{ij}}}\right); J = \frac{1}{N} \sum_i L_i; "
        r"f_{ij} = \sum_k x_{ik} W_{kj}",
        "W",
        "1/N sum_i x_ik (P_ij - delta[y_i, j])",
    ),
    # Bishop
    (
        r"E(\mathbf{w}) = -\sum_{n=1}^{N} \{ t_n \ln y_n + (1 - t_n) \ln (1 - y_n) \}; y_n = sigmoid(a_n); "
        r"a_n = \sum_j w_j \phi_{nj}",
        "w",
        "sum_n phi_nj (y_n - t_n)",
    ),
    (
        r"E(w) = \frac12 \sum_{n=1}^{N} \{ y_n - t_n \}^2; y_n = \sum_{j=0}^{M-1} w_j \phi_{nj}",
        "w",
        "sum_n phi_nj (y_n - t_n)",
    ),
    # Nielsen
    (
        r"C = \frac{1}{2} \sum_j (y_j - a_j)^2; a_j = f(z_j); z_j = \sum_k w_{jk} x_k + b_j",
        "w",
        "f'(z_j) x_k (a_j - y_j)",
    ),
    (
        r"C = -\frac{1}{n} \sum_i \left[ y_i \ln a_i + (1-y_i) \ln (1-a_i) \right]; a_i = sigmoid(z_i)",
        "z",
        "(a_i - y_i)/n",
    ),
    # courses: samples above, classes below
    (
        r"\hat{y}^{(i)} = \sum_j w_j x_j^{(i)} + b; J(w, b) = \frac{1}{m} \sum_{i=1}^m (\hat{y}^{(i)} - y^{(i)})^2",
        "b",
        "2/m sum_i (yhat_i - y_i)",
    ),
    (
        r"J(\theta) = -\frac1m \sum_{i=1}^{m} \sum_{k=1}^{K} 1\left\{y^{(i)} = k\right\} \log p_k^{(i)}; "
        r"p_k^{(i)} = \frac{\exp(s^{(i)}_k)}{\sum_{j=1}^K \exp(s_j^{(i)})}; s_k^{(i)} = \sum_d \theta_{kd} x_d^{(i)}",
        "theta",
        "1/m sum_i x_id (p_ik - delta[y_i, k])",
    ),
    (
        r"z^{[1](i)}_j = \sum_k W^{[1]}_{jk} x^{(i)}_k + b^{[1]}_j; a^{[1](i)}_j = \tanh(z^{[1](i)}_j); "
        r"J = \sum_i \sum_j g^{(i)}_j a^{[1](i)}_j",
        "b1",
        "sum_i g_ij (1 - a1_ij^2)",
    ),
    # attention, normalization, word vectors, a cell of an LSTM, contrastive and focal losses
    (
        r"A_{ij} = \frac{\exp(s_{ij})}{\sum_{k} \exp(s_{ik})}; s_{ij} = \frac{1}{\sqrt{d_k}} \sum_d Q_{id} K_{jd}; "
        r"O_{ie} = \sum_j A_{ij} V_{je}; L = \sum_{i,e} G_{ie} O_{ie}",
        "s",
        "A_ij (sum_e G_ie V_je - sum_{l,e} G_ie V_le A_il)",
    ),
    (
        r"\mu_j = \frac1m \sum_{i=1}^m x_{ij}; \sigma_j^2 = \frac1m \sum_{i=1}^m (x_{ij} - \mu_j)^2; "
        r"\hat{x}_{ij} = \frac{x_{ij} - \mu_j}{\sqrt{\sigma_j^2 + \epsilon}}; "
        r"y_{ij} = \gamma_j \hat{x}_{ij} + \beta_j; L = \sum_{i,j} G_{ij} y_{ij}",
        r"\sigma^2",
        "-gamma_j (sum_i G_ij xhat_ij)/(2 (sigma2_j + epsilon))",
    ),
    (r"J = -\sum_d u_d v_d + \log \sum_{w=1}^{W} \exp(\sum_d U_{wd} v_d)", "v", "sum_i U_id p_i - u_d"),
    (
        r"J = -\log sigmoid(\sum_d u_d v_d) - \sum_{k=1}^K \log sigmoid(-\sum_d U_{kd} v_d)",
        "u",
        "v_d (sigmoid(sum_d u_d v_d) - 1)",
    ),
    (r"c_j = f_j \odot c'_j + i_j \odot g_j; h_j = o_j \odot \tanh(c_j); L = \sum_j G_j h_j", "o", "G_j tanh(c_j)"),
    (
        r"L = -\frac1N \sum_i \log \frac{\exp(s_{ii} / \tau)}{\sum_{j=1}^{N} \exp(s_{ij} / \tau)}",
        "s",
        "(P_ij - delta_ij)/(N tau)",
    ),
    (
        r"L = -\sum_k \alpha_k (1 - p_k)^\gamma t_k \log p_k",
        "p",
        "alpha_k t_k (gamma (1 - p_k)^(gamma - 1) log(p_k) - (1 - p_k)^gamma/p_k)",
    ),
    (r"D = \sum_k p_k \log \frac{p_k}{q_k}", "q", "-p_k/q_k"),
    (r"S_j = \frac{e^{a_j}}{\sum_{k=1}^{N} e^{a_k}}", "a", "S_i (delta_ji - S_j)"),
    (r"\sigma(\mathbf{z})_i = \frac{e^{z_i}}{\sum_{j=1}^K e^{z_j}}", "z", "sigma_i (delta_ij - sigma_j)"),
    (r"\mathcal{L}_{\text{total}} = \sum_i x_i^2 + \lambda \sum_i |x_i|", "x", "2 x_i + lambda sign(x_i)"),
    (r"L = \sum_i \log(1 + e^{-y_i f_i}); f_i = \sum_j w_j x_{ij}", "w", "-sum_i y_i x_ij sigmoid(-y_i f_i)"),
    (r"L = \sum_i \min(x_i, c)", "x", "step(-x_i + c)"),
    (r"L = \log_2(1 + x)", "x", "1/((1 + x) log(2))"),
    (r"z_i = \sum_{j \neq i} x_j", "x", "1 - delta_ji"),
    # one sample
    (r"L = -\log \frac{e^{f_y}}{\sum_j e^{f_j}}", "f", "p_i - delta_iy"),
    (r"L = -\sum_k 1\{y = k\} \log p_k; p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}", "z", "p_k - delta_ky"),
    (r"L = -\log p_{\text{true}}; p_i = softmax_i(z_i)", "z", "p_i - delta[i, true]"),
    (
        r"L = \sum_{j \neq y} \max(0, s_j - s_y + 1)",
        "s",
        "step(s_j - s_y + 1) - delta_jy sum_i step(s_i - s_y + 1)",
    ),
]


@pytest.mark.parametrize(("equations", "wrt", "expected"), REAL)
def test_formulas_as_they_are_printed_get_their_derivatives(equations: str, wrt: str, expected: str) -> None:
    derivation = derive(equations, wrt)
    assert derivation.index_form == expected
    assert derivation.proved


def hinge(s: np.ndarray, y: np.ndarray) -> float:
    """The multiclass hinge loss, as a loop."""
    return sum(max(0, s[i, j] - s[i, y[i]] + 1) for i in range(len(s)) for j in range(s.shape[1]) if j != y[i])


def contrastive(s: np.ndarray) -> float:
    """The loss of SimCLR with a fixed partner, itself, among all others."""
    n = len(s)
    return sum(np.log(sum(np.exp(s[i, k]) for k in range(n) if k != i)) for i in range(n))


def pairs(x: np.ndarray, w: np.ndarray) -> float:
    """A sum over all pairs of different indices."""
    return sum(w[i, j] * x[i] * x[j] for i in range(len(x)) for j in range(len(x)) if i != j)


def slope(f: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Central differences."""
    out = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[index] = 1e-6
        out[index] = (f(at + step) - f(at - step)) / 2e-6
    return out


def test_a_sum_without_one_index_has_the_gradient_of_a_loop_without_it() -> None:
    rng = np.random.default_rng(5)
    s, square, x = rng.normal(size=(5, 4)), rng.normal(size=(4, 4)), rng.normal(size=4)
    y = rng.integers(0, 4, 5)
    of_hinge = derive(r"L = \sum_i \sum_{j \neq y_i} \max(0, s_{ij} - s_{i y_i} + 1)", "s").numpy()
    np.testing.assert_allclose(of_hinge(s=s, y=y), slope(lambda s: hinge(s, y), s), atol=1e-6)
    of_contrast = derive(r"L = \sum_i \log \sum_{k=1}^{2N} 1_{[k \neq i]} e^{s_{ik}}", "s").numpy()
    np.testing.assert_allclose(of_contrast(s=square), slope(contrastive, square), atol=1e-6)
    of_pairs = derive(r"L = \sum_i \sum_{j \neq i} w_{ij} x_i x_j", "x").numpy()
    np.testing.assert_allclose(of_pairs(w=square, x=x), slope(lambda x: pairs(x, square), x), atol=1e-6)
    whole = derive("L = sum_i sum_j w_ij x_i x_j", "x").numpy()
    assert not np.allclose(whole(w=square, x=x), slope(lambda x: pairs(x, square), x), atol=1e-3)
