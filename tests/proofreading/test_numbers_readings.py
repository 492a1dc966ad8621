"""What the names of whole documents stand for: the values of their formulas under the likeliest fitting reading."""

import numpy as np
import pytest

from glassmax.errors import ExpressionError
from glassmax.proofreading.document import statements_of
from glassmax.proofreading.formula.parse import parse
from glassmax.proofreading.judging.lines import lines_of
from glassmax.proofreading.numbers import Equation, Fault, ShapeFault, UnknownFault, contexts, program_equations


def context_of(text):
    lines = lines_of(statements_of(text, "text"))
    return contexts([line.equation for line in lines if line.equation is not None])[0]


def kind(context, left, right, adjusted=()):
    return context.compare(parse(left), parse(right), adjusted=adjusted)


SOFTMAX = "p_i = e^{z_i} / sum_k e^{z_k}\nL = -sum_k y_k log p_k\n"
COLUMNS = "z = W x + b\np = softmax(z)\nL = -sum_k y_k log p_k\n"
ROWS = "z = x W + b\np = softmax(z)\nL = -sum_k y_k log p_k\n"
BATCH = "Z = X W + b\nP = softmax(Z)\nL = -1/N sum_n sum_k Y_{nk} log P_{nk}\n"
SAMPLES_AS_COLUMNS = "Z = W X + b\nP = softmax(Z)\nL = -1/N sum_n sum_k Y_{kn} log P_{kn}\n"
SCALARS = "z = w x + b\na = sigmoid(z)\nL = 1/2 (a - y)^2\n"
LEAST = "L = 1/2 (X w - y)^T (X w - y)\n"
LAYERS = "z^l = W^l a^{l-1} + b^l\na^l = f(z^l)\nC = 1/2 ||a^L - y||^2\n"
ONE = [("sum to one", "y")]
TWO = [("sum to one", "Y")]

TRUE = [
    (SOFTMAX, "dL/dz_i", "p_i - y_i", ONE),
    (SOFTMAX, "dL/dz_i", "p_i - y_i", [("one-hot", "y")]),
    (COLUMNS, "dL/dW", "(p - y) x^T", ONE),
    (COLUMNS, "dL/dx", "W^T (p - y)", ONE),
    (COLUMNS, "dL/dW_{ij}", "(p_i - y_i) x_j", ONE),
    (ROWS, "dL/dW", "x^T (p - y)", ONE),
    (ROWS, "dL/dx", "(p - y) W^T", ONE),
    (BATCH, "dL/dW", "1/N X^T (P - Y)", TWO),
    (BATCH, "dL/db_k", "1/N sum_n (P_{nk} - Y_{nk})", TWO),
    (SAMPLES_AS_COLUMNS, "dL/dW", "1/N (P - Y) X^T", TWO),
    (SCALARS, "dL/dw", "(a - y) a (1 - a) x", ()),
    (LEAST, "dL/dw", "X^T (X w - y)", ()),
    (LEAST, "dL/dw_j", "sum_i (X w - y)_i X_{ij}", ()),
    (LAYERS, "dC/dW^l", "dC/dz^l (a^{l-1})^T", ()),
    (LAYERS, "dC/dz^L", "(a^L - y) odot f'(z^L)", ()),
    (LAYERS, "dC/dz^l", "((W^{l+1})^T dC/dz^{l+1}) odot f'(z^l)", ()),
]


@pytest.mark.parametrize(("text", "left", "right", "adjusted"), TRUE)
def test_a_true_claim_is_the_same_on_all_draws_and_its_negative_is_not(text, left, right, adjusted):
    context = context_of(text + f"{left} = {right}")
    left = left.replace("odot", "⊙")
    right = right.replace("odot", "⊙")
    assert kind(context, left, right, adjusted) == "same"
    assert kind(context, left, f"-({right})", adjusted) == ""
    assert kind(context, left, f"2 ({right})", adjusted) == ""


WRONG_SHAPES = [
    (COLUMNS, "dL/dx", "W (p - y)"),
    (COLUMNS, "dL/dx", "(p - y) W"),
    (COLUMNS, "dL/dW", "(p - y) x"),
    (ROWS, "dL/dx", "W^T (p - y)"),
    (LEAST, "dL/dw", "X (X w - y)"),
    (BATCH, "dL/dW", "X (P - Y)"),
]


@pytest.mark.parametrize(("text", "left", "right"), WRONG_SHAPES)
def test_what_has_no_product_is_a_fault_of_shapes(text, left, right):
    context = context_of(text)
    with pytest.raises(ShapeFault, match="product"):
        kind(context, left, right)


AS_INDICES = [
    (COLUMNS, "dL/dz", "p_i - y_i", "component"),
    (COLUMNS, "dz/dW", "x", "implied"),
    (COLUMNS, "dz/db", "1", "implied"),
    (BATCH, "dZ/dW", "X", "implied"),
    (COLUMNS, "dL/dW", "x (p - y)^T", "transposed"),
]


@pytest.mark.parametrize(("text", "left", "right", "expected"), AS_INDICES)
def test_what_is_right_by_indices_only_has_its_own_word(text, left, right, expected):
    assert kind(context_of(text), left, right, ONE) == expected


def test_the_sizes_of_all_axes_are_different_on_every_draw():
    context = context_of(LAYERS)
    for turn in range(3):
        draw = context.draw(turn)
        shapes = [context.value(parse(name), draw).shape for name in ("W^l", "W^{l-1}", "W^{l+1}")]
        assert len({size for shape in shapes for size in shape}) == 4


def test_literal_sizes_are_kept():
    context = context_of("L = 1/5 sum_{i=1}^5 sum_{k=1}^3 S_{ik}^2")
    assert all(context.value(parse("S"), context.draw(turn)).shape == (5, 3) for turn in range(3))


def test_a_loss_that_nothing_defines_is_an_open_function():
    context = context_of("Y = X W\ndL/dX = dL/dY W^T")
    assert kind(context, "dL/dX", "dL/dY W^T") == "same"
    assert kind(context, "dL/dW", "X^T dL/dY") == "same"
    assert kind(context, "dL/dX", "2 dL/dY W^T") == ""


def test_a_variable_that_nothing_connects_is_unknown():
    context = context_of(SOFTMAX + "q = u v")
    with pytest.raises(UnknownFault, match="nothing says how t enters"):
        kind(context, "dL/dt", "p_i")


PROGRAM = """
Z1 = X @ W1 + b1
A1 = np.maximum(0, Z1)
Z2 = A1 @ W2 + b2
E = np.exp(Z2)
P = E / E.sum(axis=1, keepdims=True)
loss = -np.log(P[np.arange(N), y]).sum() / N
dZ2 = P.copy()
dZ2[np.arange(N), y] -= 1
dZ2 /= N
dW2 = A1.T @ dZ2
db2 = np.sum(dZ2, axis=0)
dA1 = np.dot(dZ2, W2.T)
dZ1 = dA1 * (Z1 > 0)
dW1 = X.T @ dZ1
"""


def claims_of(program):
    equations = program_equations(enumerate(program.strip().splitlines(), 1))
    assert all(isinstance(one, Equation) for one in equations)
    context = contexts(equations)[0]
    kinds = {}
    for one in equations:
        if not context.is_given(one):
            try:
                kinds[one.sides[0].typed] = context.compare(*one.sides)
            except Fault:
                kinds[one.sides[0].typed] = "fault"
    return kinds


def test_the_lines_of_a_program_are_compared_with_the_derivatives_that_they_name():
    assert claims_of(PROGRAM) == dict.fromkeys(("dZ2", "dW2", "db2", "dA1", "dZ1", "dW1"), "same")


@pytest.mark.parametrize(
    ("right", "wrong", "name"),
    [
        ("-= 1", "+= 1", "dZ2"),
        ("A1.T @ dZ2", "-A1.T @ dZ2", "dW2"),
        ("A1.T @ dZ2", "dZ2.T @ A1", "dW2"),
        ("np.sum(dZ2, axis=0)", "np.sum(dZ2, axis=1)", "db2"),
        ("dA1 * (Z1 > 0)", "dA1", "dZ1"),
    ],
)
def test_a_wrong_line_of_a_program_is_not_the_derivative(right, wrong, name):
    assert claims_of(PROGRAM.replace(right, wrong))[name] != "same"


@pytest.mark.parametrize(
    "line", ["import os", "x", "for i in y: pass", "f(", "x, y = 1, 2", "z = __import__('os')('x', 1, 2)", "a = b'x'"]
)
def test_what_is_no_assignment_has_a_reason(line):
    (reason,) = program_equations([(1, line)])
    assert isinstance(reason, str)


HOSTILE = [
    "x^{999999999999}",
    "sum_i " * 30 + "x_i",
    "(" * 40 + "x" + ")" * 40,
    "x / 0",
    "log(-1)",
    "x_{99}",
    "1e400 x",
]


@pytest.mark.parametrize("formula", HOSTILE)
def test_hostile_formulas_have_a_value_or_a_fault(formula):
    try:
        node = parse(formula)
    except ExpressionError:
        return
    context = contexts([Equation((parse("L"), node))])[0]
    try:
        kind = context.compare(parse("L"), node)
    except Fault as fault:
        kind = str(fault)
    assert kind != "component"


def claims_of_text(text):
    """The kinds of all claims under the reading in which most are the same."""
    lines = [line.equation for line in lines_of(statements_of(text, "markdown")) if line.equation is not None]
    best = []
    for context in contexts(lines):
        kinds = []
        for equation in lines:
            if context.is_given(equation) or equation.sides[0] is None:
                continue
            try:
                kinds.append(context.compare(equation.sides[0], equation.sides[-1], equation.condition, adjusted=ONE))
            except Fault:
                kinds.append("fault")
        if kinds.count("same") > best.count("same") or not best:
            best = kinds
    return best


DOCUMENTS = {
    "the error of a layer is a derivative": (
        "$z^l = W^l a^{l-1} + b^l$, $a^l = f(z^l)$ $$\\delta^L = \\nabla_a C \\odot f'(z^L)$$"
        "$$\\delta^l = (W^{l+1})^T \\delta^{l+1} \\odot f'(z^l)$$ $$\\frac{\\partial C}{\\partial b^l} = \\delta^l$$"
    ),
    "names with d, and a loss that nothing tells": (
        "$$Z^{[1]} = W^{[1]} X + b^{[1]}$$ $$A^{[1]} = g(Z^{[1]})$$ $$Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}$$"
        "$$dZ^{[2]} = \\sigma(Z^{[2]}) - Y$$ $$dW^{[2]} = \\frac{1}{m} dZ^{[2]} A^{[1]T}$$"
        "$$dZ^{[1]} = W^{[2]T} dZ^{[2]} * g'(Z^{[1]})$$"
    ),
    "samples above": (
        "$$J(\\theta) = \\frac{1}{2m}\\sum_{i=1}^m (\\theta^T x^{(i)} - y^{(i)})^2$$"
        "$$\\frac{\\partial J}{\\partial \\theta_j} = \\frac1m \\sum_{i=1}^m (\\theta^T x^{(i)} - y^{(i)}) x^{(i)}_j$$"
    ),
    "primes": "Let $f = u/v$ with $u = e^x$ and $v = 1 + e^x$. $$f' = (u' v - u v')/v^2$$",
    "components in a sum": (
        "$$p_1 = \\frac{e^{z_1}}{e^{z_1}+e^{z_2}}$$ $$p_2 = \\frac{e^{z_2}}{e^{z_1}+e^{z_2}}$$"
        "$$\\frac{\\partial p_1}{\\partial z_2} = -p_1 p_2$$"
    ),
    "the rows of a matrix": (
        "$$a_{ik} = \\mathbf{w}_k^T \\mathbf{x}_i$$ $$L = \\sum_i \\sum_k t_{ik} a_{ik}$$"
        "$$\\frac{\\partial L}{\\partial W} = X^T T$$"
    ),
    "a variable of an input": (
        "$$y = \\text{softmax}(z)$$ $$\\frac{\\partial L}{\\partial x} = "
        "\\frac{\\partial L}{\\partial y} \\frac{\\partial y}{\\partial x}$$"
    ),
    "steps of time": (
        "$$h_t = \\tanh(W h_{t-1} + U x_t)$$ $$o_t = V h_t$$ $$\\hat y_t = \\text{softmax}(o_t)$$"
        "$$L_t = -\\sum_k y_{t,k} \\log \\hat y_{t,k}$$ $$\\frac{\\partial L_t}{\\partial o_t} = \\hat y_t - y_t$$"
    ),
    "the label as an index": (
        "$$p_i = \\frac{e^{z_i}}{\\sum_j e^{z_j}}$$ $$L = -\\log p_y$$"
        "$$\\frac{\\partial L}{\\partial z_i} = p_i - \\mathbb{1}\\{i = y\\}$$"
    ),
    "words with letters that are no index": (
        "$$net_o = w_5 out_1 + w_6 out_2$$ $$out_o = \\frac{1}{1+e^{-net_o}}$$ $$E = \\frac12 (target - out_o)^2$$"
        "$$\\frac{\\partial E}{\\partial w_5} = -(target - out_o) out_o (1 - out_o) out_1$$"
    ),
    "a count that is said": "$$s = \\sum_n (1 - x_n)$$ $$s = N - \\sum_n x_n$$ where $\\sum_n 1 = N$.",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_claims_of_a_document_are_the_same_under_a_reading(name):
    kinds = claims_of_text(DOCUMENTS[name])
    assert kinds
    assert set(kinds) == {"same"}


def test_a_wrong_claim_stays_wrong_under_every_reading():
    wrong = DOCUMENTS["samples above"].replace("\\frac1m", "\\frac2m")
    assert "same" not in claims_of_text(wrong)
    wrong = DOCUMENTS["primes"].replace("u' v - u v'", "u' v + u v'")
    assert "same" not in claims_of_text(wrong)


def test_what_is_set_to_zero_holds_at_one_point():
    text = "$$L(w) = \\|Xw - y\\|^2$$ $$\\nabla_w L = {} X^T(Xw - y)$$ $$X^T(Xw - y) = 0$$ $$w = (X^TX)^{{-1}}X^Ty$$"
    assert claims_of_text(text.format(2)) == ["same"]
    assert claims_of_text(text.format("")) == [""]


def test_the_same_draw_gives_the_same_numbers():
    first, second = context_of(COLUMNS), context_of(COLUMNS)
    for turn in range(2):
        one, other = (context.value(parse("L"), context.draw(turn)) for context in (first, second))
        np.testing.assert_array_equal(one.array, other.array)


BISHOP = "a_j = sum_i w_{ji} z_i\nz_j = h(a_j)\nE = 1/2 sum_k (y_k - t_k)^2\ny_k = a_k\ndelta_k = dE/da_k\n"
BISHOP += "delta_j = sum_k dE/da_k da_k/da_j\n"
WIKIPEDIA = "o_j = phi(n_j) = phi(sum_i w_{ij} o_i)\ndelta_j = dE/dn_j\ndn_k/do_j = w_{jk}\n"
INPUTS = (
    "s_j = sum_i w_{ji} x_i\no_j = f(s_j)\ndE/ds_j = sum_k dE/ds_k ds_k/ds_j\ndelta_j = dE/ds_j\nds_k/do_j = w_{kj}\n"
)
EACH_INPUT = INPUTS.replace("x_i", "x_{ji}")


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        (BISHOP, "delta_j", "h'(a_j) sum_k w_{kj} delta_k"),
        (BISHOP, "dE/dw_{ji}", "delta_j z_i"),
        (BISHOP, "dE/dw_{kj}", "delta_k z_j"),
        (WIKIPEDIA, "delta_j", "phi'(n_j) sum_k w_{jk} delta_k"),
        (WIKIPEDIA, "dE/dw_{ij}", "o_i delta_j"),
        (INPUTS, "delta_j", "f'(s_j) sum_k w_{kj} delta_k"),
        (INPUTS, "dE/dw_{kj}", "delta_k o_j"),
        (INPUTS, "dE/dw_{ji}", "delta_j x_i"),
        (EACH_INPUT, "delta_j", "f'(s_j) sum_k w_{kj} delta_k"),
        (EACH_INPUT, "dE/dw_{ji}", "delta_j x_{ji}"),
    ],
)
def test_letters_tell_the_layer(text, left, right):
    context = context_of(text)
    assert context.names.by_letter["k"] == context.names.by_letter["j"] + 1
    assert kind(context, left, right) == "same"


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        (BISHOP, "delta_j", "h'(z_j) sum_k w_{kj} delta_k"),
        (BISHOP, "dE/dw_{kj}", "delta_k h(z_j)"),
        (WIKIPEDIA, "delta_j", "sum_k w_{jk} delta_k"),
        (INPUTS, "dE/dw_{ji}", "delta_j"),
    ],
)
def test_a_wrong_formula_is_wrong_where_letters_tell_the_layer(text, left, right):
    assert kind(context_of(text), left, right) == ""


def test_exchanged_letters_of_weights_between_layers_do_not_fit():
    with pytest.raises(ShapeFault):
        kind(context_of(BISHOP), "delta_j", "h'(a_j) sum_k w_{jk} delta_k")


@pytest.mark.parametrize(
    "text",
    [
        SOFTMAX,
        "z_j = sum_i w_{ji} x_i\np_k = e^{z_k} / sum_j e^{z_j}\ndp_k/dz_j = p_k (delta_{kj} - p_j)",
        "z_j = sum_i w_{ji} x_i\na_j = f(z_j)\nL = sum_j (a_j - y_j)^2\ndL/dw_{ji} = 2 (a_j - y_j) f'(z_j) x_i",
    ],
)
def test_letters_of_one_layer_tell_no_layer(text):
    assert not context_of(text).names.by_letter


NIELSEN = "a = sigma(z)\nz = sum_j w_j x_j + b\nsigma(z) = 1/(1 + e^{-z})\n"
NIELSEN += "C = -1/n sum_x (y log a + (1 - y) log(1 - a))\n"


@pytest.mark.parametrize(
    ("left", "right", "found"),
    [
        ("dC/dw_j", "1/n sum_x x_j (sigma(z) - y)", "same"),
        ("dC/db", "1/n sum_x (a - y)", "same"),
        ("dC/dw_j", "-1/n sum_x (y/sigma(z) - (1 - y)/(1 - sigma(z))) sigma'(z) x_j", "same"),
        ("dC/dw_j", "sum_x x_j (sigma(z) - y)", ""),
        ("dC/dw_j", "1/n sum_x x_j (sigma(z) + y)", ""),
        ("dC/db", "1/n sum_x (a - y) a", ""),
    ],
)
def test_a_sum_over_samples_whose_index_nobody_writes(left, right, found):
    assert kind(context_of(NIELSEN), left, right) == found
